// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/vhost-balloon: the backend files, for a VMM that hands its balloon's
 * virtqueues to the kernel.
 *
 * The ioctls of <linux/vhost.h> are as vhost has them. After VHOST_SET_OWNER all
 * of them, and those of our own that are for a backend, are for the owner alone: a
 * process that got the file by fork() or over a socket is not.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/vhost.h>

#include "backend.h"
#include "chardev.h"
#include "control.h"
#include "ioctl.h"
#include "memslots.h"

/* The balloon, or NULL before the first VHOST_SET_OWNER. */
static struct vhost_balloon *vb_backend_balloon(struct vb_backend *b)
{
	/* Pairs with the release in vb_backend_create(): the balloon is complete. */
	return smp_load_acquire(&b->vb);
}

/* The balloon, if the caller may act as its backend. */
static struct vhost_balloon *vb_backend_owned(struct vb_backend *b)
{
	struct vhost_balloon *vb = vb_backend_balloon(b);

	if (!vb || !vb_device_is_owner(vb))
		return ERR_PTR(-EPERM);
	return vb;
}

/* Disconnect from everything; the balloon calls nothing of it any more. */
static void vb_backend_disconnect(struct vb_backend *b)
{
	struct vhost_balloon_callback none = {};
	unsigned int i;

	vb_device_set_log_callback(b->vb, none);
	vb_backend_put_eventfd(&b->log);
	for (i = 0; i < VB_NR_QUEUES; i++) {
		vb_kick_detach(&b->vq[i].kick);
		vhost_balloon_set_vq_callback(b->vb, i, none);
		vb_device_set_vq_err(b->vb, i, none);
		vb_backend_put_eventfd(&b->vq[i].call);
		vb_backend_put_eventfd(&b->vq[i].err);
	}
	vhost_balloon_set_config_callback(b->vb, none);
	vb_backend_put_eventfd(&b->config_call);
}

/* Make the file a balloon. It is listed once it has its owner. */
static int vb_backend_create(struct vb_backend *b)
{
	struct vhost_balloon_params params = {
		.features = vhost_balloon_features() | BIT_ULL(VHOST_F_LOG_ALL),
	};
	struct vhost_balloon *vb;
	int ret;

	vb = vb_device_create(&params, vb_registry_new_id());
	if (IS_ERR(vb))
		return PTR_ERR(vb);
	ret = vb_device_set_owner(vb);
	if (ret) {
		vb_device_put(vb);
		return ret;
	}
	vb_registry_add(vb);
	/* Pairs with vb_backend_balloon(): ioctls read it without the lock. */
	smp_store_release(&b->vb, vb);
	return 0;
}

static long vb_backend_set_owner(struct vb_backend *b)
{
	long ret;

	if (down_write_killable(&b->owner))
		return -EINTR;
	ret = b->vb ? vb_device_set_owner(b->vb) : vb_backend_create(b);
	up_write(&b->owner);
	return ret;
}

static long vb_backend_reset_owner(struct vb_backend *b)
{
	long ret = -EPERM;

	if (down_write_killable(&b->owner))
		return -EINTR;
	if (!IS_ERR(vb_backend_owned(b)))
		ret = vb_device_reset_owner(b->vb);
	if (!ret)
		vb_backend_disconnect(b);
	up_write(&b->owner);
	return ret;
}

static int vb_ioctl_set_vm(const struct vb_ioctl_call *call)
{
	struct vhost_balloon_file *arg = call->arg;
	struct vb_backend *b = call->ctx;
	struct vb_memslots *ms = NULL;
	struct file *file;
	int ret;

	if (arg->flags || arg->reserved)
		return -EINVAL;
	if (arg->fd != -1) {
		file = fget(arg->fd);
		if (!file)
			return -EBADF;
		ms = vb_memslots_get(file);
		fput(file);
		if (IS_ERR(ms))
			return PTR_ERR(ms);
	}
	ret = vb_device_set_vm(b->vb, ms);
	if (ret && ms)
		vb_memslots_put(ms);
	return ret;
}

static int vb_ioctl_set_running(const struct vb_ioctl_call *call)
{
	struct vhost_balloon_running *arg = call->arg;
	struct vb_backend *b = call->ctx;

	if (arg->running > 1)
		return -EINVAL;
	return vb_device_set_running(b->vb, arg->running);
}

static bool vb_config_arg_ok(const struct vhost_balloon_config *arg)
{
	return !arg->flags && arg->offset <= VHOST_BALLOON_CONFIG_MAX &&
	       arg->len <= VHOST_BALLOON_CONFIG_MAX - arg->offset;
}

static int vb_ioctl_get_config(const struct vb_ioctl_call *call)
{
	struct vhost_balloon_config *arg = call->arg;
	struct vb_backend *b = call->ctx;

	if (!vb_config_arg_ok(arg))
		return -EINVAL;
	vhost_balloon_read_config(b->vb, arg->offset, arg->data, arg->len);
	return 0;
}

static int vb_ioctl_set_config(const struct vb_ioctl_call *call)
{
	struct vhost_balloon_config *arg = call->arg;
	struct vb_backend *b = call->ctx;

	if (!vb_config_arg_ok(arg))
		return -EINVAL;
	vhost_balloon_write_config(b->vb, arg->offset, arg->data, arg->len);
	return 0;
}

static void vb_backend_set_config_callback(struct vhost_balloon *vb, unsigned int index,
					   struct vhost_balloon_callback cb)
{
	vhost_balloon_set_config_callback(vb, cb);
}

static int vb_ioctl_set_config_call(const struct vb_ioctl_call *call)
{
	struct vhost_balloon_file *arg = call->arg;
	struct vb_backend *b = call->ctx;

	if (arg->flags || arg->reserved)
		return -EINVAL;
	return vb_backend_set_eventfd(b, &b->config_call, arg->fd,
				      vb_backend_set_config_callback, 0);
}

static int vb_ioctl_get_control(const struct vb_ioctl_call *call)
{
	struct vhost_balloon_file __user *uarg = call->uarg;
	struct vhost_balloon_file *arg = call->arg;
	struct vb_backend *b = call->ctx;

	if (arg->flags || arg->reserved)
		return -EINVAL;
	return vb_control_open(b->vb, &uarg->fd);
}

static int vb_ioctl_set_access(const struct vb_ioctl_call *call)
{
	struct vhost_balloon_access *arg = call->arg;
	struct vb_backend *b = call->ctx;

	if (arg->access & ~VHOST_BALLOON_ACCESS_SAME_USER)
		return -EINVAL;
	WRITE_ONCE(b->vb->access, arg->access);
	return 0;
}

static int vb_ioctl_inhibit_by_backend(const struct vb_ioctl_call *call)
{
	struct vb_backend *b = call->ctx;

	return vb_control_inhibit(b->vb, VB_INHIBITOR_BACKEND, call->arg);
}

static const struct vb_ioctl vb_backend_ioctls[] = {
	VB_IOCTL(VHOST_BALLOON_SET_VM, struct vhost_balloon_file, reserved, vb_ioctl_set_vm),
	VB_IOCTL(VHOST_BALLOON_SET_RUNNING, struct vhost_balloon_running, running,
		 vb_ioctl_set_running),
	VB_IOCTL(VHOST_BALLOON_GET_CONFIG, struct vhost_balloon_config, data, vb_ioctl_get_config),
	VB_IOCTL(VHOST_BALLOON_SET_CONFIG, struct vhost_balloon_config, data, vb_ioctl_set_config),
	VB_IOCTL(VHOST_BALLOON_SET_CONFIG_CALL, struct vhost_balloon_file, reserved,
		 vb_ioctl_set_config_call),
	VB_IOCTL_OWN_OUT(VHOST_BALLOON_GET_CONTROL, struct vhost_balloon_file, reserved,
			 vb_ioctl_get_control),
	VB_IOCTL(VHOST_BALLOON_SET_ACCESS, struct vhost_balloon_access, access,
		 vb_ioctl_set_access),
	/* Of a backend's control ioctls the one that says whose say it is. */
	VB_IOCTL(VHOST_BALLOON_SET_INHIBIT, struct vhost_balloon_inhibit, reason,
		 vb_ioctl_inhibit_by_backend),
};

static long vb_owner_ioctl_locked(struct vb_backend *b, unsigned int cmd, unsigned long arg)
{
	struct vhost_balloon *vb = vb_backend_owned(b);
	long ret;

	if (IS_ERR(vb))
		return PTR_ERR(vb);
	ret = vb_vhost_ioctl(b, cmd, (void __user *)arg);
	if (ret == -ENOIOCTLCMD)
		ret = vb_ioctl_dispatch(vb_backend_ioctls, ARRAY_SIZE(vb_backend_ioctls), b, cmd,
					arg);
	return ret;
}

/*
 * The ioctls that are for the owner. Copying in may take as long as userspace
 * likes: what was found to be the owner must be it until the end. Not so for what a
 * controller may ask as well, which may wait for the guest.
 */
static long vb_owner_ioctl(struct vb_backend *b, unsigned int cmd, unsigned long arg)
{
	long ret;

	if (down_read_killable(&b->owner))
		return -EINTR;
	ret = vb_owner_ioctl_locked(b, cmd, arg);
	up_read(&b->owner);
	return ret == -ENOIOCTLCMD ? vb_control_ioctl(b->vb, cmd, arg) : ret;
}

static long vb_backend_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vb_backend *b = file->private_data;
	long ret;

	if (cmd == VHOST_SET_OWNER)
		return vb_backend_set_owner(b);
	if (cmd == VHOST_RESET_OWNER)
		return vb_backend_reset_owner(b);
	ret = vb_registry_ioctl(cmd, arg);
	if (ret == -ENOIOCTLCMD)
		ret = vb_owner_ioctl(b, cmd, arg);
	return ret == -ENOIOCTLCMD ? -ENOTTY : ret;
}

static int vb_backend_open(struct inode *inode, struct file *file)
{
	struct vb_backend *b = kzalloc(sizeof(*b), GFP_KERNEL_ACCOUNT);
	unsigned int i;

	if (!b)
		return -ENOMEM;
	init_rwsem(&b->owner);
	mutex_init(&b->lock);
	for (i = 0; i < VB_NR_QUEUES; i++) {
		b->vq[i].backend = b;
		b->vq[i].index = i;
	}
	file->private_data = b;
	return 0;
}

static int vb_backend_release(struct inode *inode, struct file *file)
{
	struct vb_backend *b = file->private_data;

	if (b->vb) {
		vb_registry_del(b->vb);
		vb_backend_disconnect(b);
		vb_device_shutdown(b->vb);
		vb_device_put(b->vb);
	}
	mutex_destroy(&b->lock);
	kfree(b);
	return 0;
}

static void vb_backend_fdinfo(struct seq_file *m, struct file *file)
{
	struct vb_backend *b = file->private_data;
	struct vhost_balloon *vb = vb_backend_balloon(b);

	if (vb)
		vb_control_show(vb, m);
}

static const struct file_operations vb_backend_fops = {
	.owner		= THIS_MODULE,
	.open		= vb_backend_open,
	.release	= vb_backend_release,
	.unlocked_ioctl	= vb_backend_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.show_fdinfo	= vb_backend_fdinfo,
	.llseek		= noop_llseek,
};

static struct miscdevice vb_miscdev = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "vhost-balloon",
	.fops	= &vb_backend_fops,
	.mode	= 0600,
};

/**
 * vb_chardev_init - make the device node; at module init
 *
 * Return: 0 or an errno.
 */
int vb_chardev_init(void)
{
	return misc_register(&vb_miscdev);
}

/**
 * vb_chardev_exit - remove the device node; at module exit
 */
void vb_chardev_exit(void)
{
	misc_deregister(&vb_miscdev);
}
