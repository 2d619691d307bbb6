// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/vhost-balloon: the backend files, for a VMM that hands its balloon's
 * virtqueues to the kernel.
 *
 * The ioctls of <linux/vhost.h> are as vhost has them. After VHOST_SET_OWNER all
 * of them, and those of our own that are for a backend, are for the owner alone: a
 * process that got the file by fork() or over a socket is not.
 */
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/rwsem.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vhost.h>

#include "chardev.h"
#include "compat.h"
#include "control.h"
#include "device.h"
#include "execution.h"
#include "ioctl.h"
#include "memslots.h"
#include "memtable.h"

/**
 * struct vb_backend_vq - what a virtqueue is connected to
 * @backend: whose
 * @index: of the virtqueue
 * @kick: the guest's notifications
 * @call: interrupts the guest
 * @err: says that the queue is broken
 */
struct vb_backend_vq {
	struct vb_backend *backend;
	unsigned int index;
	struct vb_kick kick;
	struct eventfd_ctx *call;
	struct eventfd_ctx *err;
};

/**
 * struct vb_backend - a backend file
 * @owner: held for reading by the owner's ioctls, from the check that it is the
 *	owner to the end, and for writing where the owner changes. Taken first.
 * @lock: protects everything below. Taken before the device mutex.
 * @vb: the balloon, since the first VHOST_SET_OWNER; then it doesn't change, and
 *	may be read without @lock
 * @config_call: tells the guest that the configuration has changed
 * @vq: the virtqueues
 */
struct vb_backend {
	struct rw_semaphore owner;
	struct mutex lock;
	struct vhost_balloon *vb;
	struct eventfd_ctx *config_call;
	struct vb_backend_vq vq[VB_NR_QUEUES];
};

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

static int vb_backend_lock(struct vb_backend *b)
{
	return mutex_lock_killable(&b->lock) ? -EINTR : 0;
}

static void vb_backend_signal(void *arg)
{
	vb_eventfd_signal(arg);
}

static struct vhost_balloon_callback vb_backend_callback(struct eventfd_ctx *ctx)
{
	return (struct vhost_balloon_callback) {
		.fn	= ctx ? vb_backend_signal : NULL,
		.arg	= ctx,
	};
}

/* An eventfd by its descriptor; NULL for -1. */
static struct eventfd_ctx *vb_backend_eventfd(int fd)
{
	return fd == -1 ? NULL : eventfd_ctx_fdget(fd);
}

static void vb_backend_put_eventfd(struct eventfd_ctx **ctx)
{
	if (*ctx)
		eventfd_ctx_put(*ctx);
	*ctx = NULL;
}

static void vb_backend_kick(struct vb_kick *kick)
{
	struct vb_backend_vq *vq = container_of(kick, struct vb_backend_vq, kick);

	vhost_balloon_kick(vq->backend->vb, vq->index);
}

/* Disconnect from everything; the balloon calls nothing of it any more. */
static void vb_backend_disconnect(struct vb_backend *b)
{
	struct vhost_balloon_callback none = {};
	unsigned int i;

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
	struct vhost_balloon_params params = { .features = vhost_balloon_features() };
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

static long vb_backend_get_features(struct vb_backend *b, void __user *argp)
{
	u64 features = vhost_balloon_offered_features(b->vb);

	return copy_to_user(argp, &features, sizeof(features)) ? -EFAULT : 0;
}

static long vb_backend_set_features(struct vb_backend *b, void __user *argp)
{
	u64 features;

	if (copy_from_user(&features, argp, sizeof(features)))
		return -EFAULT;
	return vhost_balloon_set_features(b->vb, features);
}

static long vb_backend_set_mem_table(struct vb_backend *b, void __user *argp)
{
	struct vb_memtable *table = vb_memtable_copy(argp);
	int ret;

	if (IS_ERR(table))
		return PTR_ERR(table);
	ret = vhost_balloon_set_source(b->vb, &vb_memtable_ops, table);
	if (ret)
		vb_memtable_free(table);
	return ret;
}

static long vb_backend_set_vring_num(struct vb_backend *b, void __user *argp)
{
	struct vhost_vring_state state;

	if (copy_from_user(&state, argp, sizeof(state)))
		return -EFAULT;
	return vhost_balloon_set_vq_num(b->vb, state.index, state.num);
}

static long vb_backend_set_vring_base(struct vb_backend *b, void __user *argp)
{
	struct vhost_vring_state state;

	if (copy_from_user(&state, argp, sizeof(state)))
		return -EFAULT;
	if (state.index >= VB_NR_QUEUES)
		return -ENOBUFS;
	if (state.num > U16_MAX)
		return -EINVAL;
	return vhost_balloon_set_vq_base(b->vb, state.index, state.num);
}

static long vb_backend_get_vring_base(struct vb_backend *b, void __user *argp)
{
	struct vhost_vring_state state;
	u16 base;
	int ret;

	if (copy_from_user(&state, argp, sizeof(state)))
		return -EFAULT;
	ret = vhost_balloon_get_vq_base(b->vb, state.index, &base);
	if (ret)
		return ret;
	state.num = base;
	return copy_to_user(argp, &state, sizeof(state)) ? -EFAULT : 0;
}

/* Whether a part of a ring is in user addresses at all; its size may not be known yet. */
static bool vb_backend_addr_ok(u64 addr)
{
	return addr == (unsigned long)addr && access_ok((void __user *)(unsigned long)addr, 1);
}

static long vb_backend_set_vring_addr(struct vb_backend *b, void __user *argp)
{
	struct vhost_vring_addr addr;
	int ret;

	if (copy_from_user(&addr, argp, sizeof(addr)))
		return -EFAULT;
	if (addr.index >= VB_NR_QUEUES)
		return -ENOBUFS;
	if (addr.flags)
		return -EOPNOTSUPP;
	if (!vb_backend_addr_ok(addr.desc_user_addr) || !vb_backend_addr_ok(addr.avail_user_addr) ||
	    !vb_backend_addr_ok(addr.used_user_addr))
		return -EFAULT;
	ret = vhost_balloon_set_vq_addr(b->vb, addr.index, addr.desc_user_addr,
					addr.avail_user_addr, addr.used_user_addr, false);
	if (!ret)
		vhost_balloon_set_vq_ready(b->vb, addr.index, true);
	return ret;
}

static int vb_backend_copy_vring_file(struct vhost_vring_file *f, void __user *argp)
{
	if (copy_from_user(f, argp, sizeof(*f)))
		return -EFAULT;
	if (f->index >= VB_NR_QUEUES)
		return -ENOBUFS;
	f->index = array_index_nospec(f->index, VB_NR_QUEUES);
	return 0;
}

static long vb_backend_set_vring_kick(struct vb_backend *b, void __user *argp)
{
	struct vhost_vring_file f;
	struct vb_kick *kick;
	int ret;

	ret = vb_backend_copy_vring_file(&f, argp);
	if (ret)
		return ret;
	ret = vb_backend_lock(b);
	if (ret)
		return ret;
	kick = &b->vq[f.index].kick;
	if (f.fd == -1)
		vb_kick_detach(kick);
	else
		ret = vb_kick_attach(kick, f.fd, vb_backend_kick);
	mutex_unlock(&b->lock);
	return ret;
}

static long vb_backend_set_vring_call(struct vb_backend *b, void __user *argp)
{
	struct eventfd_ctx *ctx;
	struct vhost_vring_file f;
	int ret;

	ret = vb_backend_copy_vring_file(&f, argp);
	if (ret)
		return ret;
	ctx = vb_backend_eventfd(f.fd);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	ret = vb_backend_lock(b);
	if (!ret) {
		vhost_balloon_set_vq_callback(b->vb, f.index, vb_backend_callback(ctx));
		swap(b->vq[f.index].call, ctx);
		mutex_unlock(&b->lock);
	}
	vb_backend_put_eventfd(&ctx);
	return ret;
}

static long vb_backend_set_vring_err(struct vb_backend *b, void __user *argp)
{
	struct eventfd_ctx *ctx;
	struct vhost_vring_file f;
	int ret;

	ret = vb_backend_copy_vring_file(&f, argp);
	if (ret)
		return ret;
	ctx = vb_backend_eventfd(f.fd);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	ret = vb_backend_lock(b);
	if (!ret) {
		vb_device_set_vq_err(b->vb, f.index, vb_backend_callback(ctx));
		swap(b->vq[f.index].err, ctx);
		mutex_unlock(&b->lock);
	}
	vb_backend_put_eventfd(&ctx);
	return ret;
}

/**
 * struct vb_vhost_ioctl - one of vhost's ioctls, for the owner
 * @cmd: the ioctl
 * @fn: what it does, given the user address of its argument
 */
struct vb_vhost_ioctl {
	unsigned int cmd;
	long (*fn)(struct vb_backend *b, void __user *argp);
};

static const struct vb_vhost_ioctl vb_vhost_ioctls[] = {
	{ VHOST_GET_FEATURES,	vb_backend_get_features },
	{ VHOST_SET_FEATURES,	vb_backend_set_features },
	{ VHOST_SET_MEM_TABLE,	vb_backend_set_mem_table },
	{ VHOST_SET_VRING_NUM,	vb_backend_set_vring_num },
	{ VHOST_SET_VRING_BASE,	vb_backend_set_vring_base },
	{ VHOST_GET_VRING_BASE,	vb_backend_get_vring_base },
	{ VHOST_SET_VRING_ADDR,	vb_backend_set_vring_addr },
	{ VHOST_SET_VRING_KICK,	vb_backend_set_vring_kick },
	{ VHOST_SET_VRING_CALL,	vb_backend_set_vring_call },
	{ VHOST_SET_VRING_ERR,	vb_backend_set_vring_err },
};

static long vb_vhost_ioctl(struct vb_backend *b, unsigned int cmd, void __user *argp)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(vb_vhost_ioctls); i++)
		if (vb_vhost_ioctls[i].cmd == cmd)
			return vb_vhost_ioctls[i].fn(b, argp);
	return -ENOIOCTLCMD;
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

static int vb_ioctl_set_config_call(const struct vb_ioctl_call *call)
{
	struct vhost_balloon_file *arg = call->arg;
	struct vb_backend *b = call->ctx;
	struct eventfd_ctx *ctx;
	int ret;

	if (arg->flags || arg->reserved)
		return -EINVAL;
	ctx = vb_backend_eventfd(arg->fd);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	ret = vb_backend_lock(b);
	if (!ret) {
		vhost_balloon_set_config_callback(b->vb, vb_backend_callback(ctx));
		swap(b->config_call, ctx);
		mutex_unlock(&b->lock);
	}
	vb_backend_put_eventfd(&ctx);
	return ret;
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
	if (ret == -ENOIOCTLCMD)
		ret = vb_control_ioctl(vb, cmd, arg);
	return ret;
}

/*
 * The ioctls that are for the owner. Copying in may take as long as userspace
 * likes: what was found to be the owner must be it until the end.
 */
static long vb_owner_ioctl(struct vb_backend *b, unsigned int cmd, unsigned long arg)
{
	long ret;

	if (down_read_killable(&b->owner))
		return -EINTR;
	ret = vb_owner_ioctl_locked(b, cmd, arg);
	up_read(&b->owner);
	return ret;
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
