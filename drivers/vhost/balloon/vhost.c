// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls of <linux/vhost.h>, for a backend's owner.
 */
#include <linux/eventfd.h>
#include <linux/nospec.h>
#include <linux/uaccess.h>
#include <linux/vhost.h>

#include "backend.h"
#include "compat.h"
#include "memtable.h"

/**
 * vb_backend_lock - take a backend's lock
 * @b: the backend
 *
 * Return: 0; -EINTR.
 */
int vb_backend_lock(struct vb_backend *b)
{
	return mutex_lock_killable(&b->lock) ? -EINTR : 0;
}

static void vb_backend_signal(void *arg)
{
	vb_eventfd_signal(arg);
}

/**
 * vb_backend_put_eventfd - let go of an eventfd
 * @ctx: where it is, or NULL; is NULL then
 */
void vb_backend_put_eventfd(struct eventfd_ctx **ctx)
{
	if (*ctx)
		eventfd_ctx_put(*ctx);
	*ctx = NULL;
}

/**
 * vb_backend_set_eventfd - have an eventfd signalled instead of another one
 * @b: the backend
 * @slot: where the backend keeps it
 * @fd: descriptor of the new one; -1 for none
 * @set: tells the balloon; after that the former one isn't signalled any more
 * @index: of the virtqueue, for @set
 *
 * Return: 0; -EBADF or -EINVAL if @fd isn't one of an eventfd; -EINTR.
 */
int vb_backend_set_eventfd(struct vb_backend *b, struct eventfd_ctx **slot, int fd,
			   vb_backend_set_fn *set, unsigned int index)
{
	struct eventfd_ctx *ctx = NULL;
	int ret;

	if (fd != -1)
		ctx = eventfd_ctx_fdget(fd);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	ret = vb_backend_lock(b);
	if (!ret) {
		set(b->vb, index, (struct vhost_balloon_callback) {
			.fn	= ctx ? vb_backend_signal : NULL,
			.arg	= ctx,
		});
		swap(*slot, ctx);
		mutex_unlock(&b->lock);
	}
	vb_backend_put_eventfd(&ctx);
	return ret;
}

static void vb_backend_kick(struct vb_kick *kick)
{
	struct vb_backend_vq *vq = container_of(kick, struct vb_backend_vq, kick);

	vhost_balloon_kick(vq->backend->vb, vq->index);
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
	if (addr.flags & ~BIT(VHOST_VRING_F_LOG))
		return -EOPNOTSUPP;
	if (!vb_backend_addr_ok(addr.desc_user_addr) || !vb_backend_addr_ok(addr.avail_user_addr) ||
	    !vb_backend_addr_ok(addr.used_user_addr))
		return -EFAULT;
	ret = vb_device_set_vq_addr(b->vb, &addr);
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
	struct vhost_vring_file f;
	int ret;

	ret = vb_backend_copy_vring_file(&f, argp);
	if (ret)
		return ret;
	return vb_backend_set_eventfd(b, &b->vq[f.index].call, f.fd,
				      vhost_balloon_set_vq_callback, f.index);
}

static long vb_backend_set_vring_err(struct vb_backend *b, void __user *argp)
{
	struct vhost_vring_file f;
	int ret;

	ret = vb_backend_copy_vring_file(&f, argp);
	if (ret)
		return ret;
	return vb_backend_set_eventfd(b, &b->vq[f.index].err, f.fd, vb_device_set_vq_err, f.index);
}

static long vb_backend_set_log_base(struct vb_backend *b, void __user *argp)
{
	u64 base;

	if (copy_from_user(&base, argp, sizeof(base)))
		return -EFAULT;
	/* Bits are set in words, each of which has to be in one page. */
	if (!IS_ALIGNED(base, sizeof(u64)))
		return -EINVAL;
	if (base && !vb_backend_addr_ok(base))
		return -EFAULT;
	return vb_device_set_log_base(b->vb, base);
}

static void vb_backend_set_log_callback(struct vhost_balloon *vb, unsigned int index,
					struct vhost_balloon_callback cb)
{
	vb_device_set_log_callback(vb, cb);
}

static long vb_backend_set_log_fd(struct vb_backend *b, void __user *argp)
{
	int fd;

	if (copy_from_user(&fd, argp, sizeof(fd)))
		return -EFAULT;
	return vb_backend_set_eventfd(b, &b->log, fd, vb_backend_set_log_callback, 0);
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
	{ VHOST_SET_LOG_BASE,	vb_backend_set_log_base },
	{ VHOST_SET_LOG_FD,	vb_backend_set_log_fd },
	{ VHOST_SET_VRING_NUM,	vb_backend_set_vring_num },
	{ VHOST_SET_VRING_BASE,	vb_backend_set_vring_base },
	{ VHOST_GET_VRING_BASE,	vb_backend_get_vring_base },
	{ VHOST_SET_VRING_ADDR,	vb_backend_set_vring_addr },
	{ VHOST_SET_VRING_KICK,	vb_backend_set_vring_kick },
	{ VHOST_SET_VRING_CALL,	vb_backend_set_vring_call },
	{ VHOST_SET_VRING_ERR,	vb_backend_set_vring_err },
};

/**
 * vb_vhost_ioctl - the ioctls of vhost
 * @b: the backend, whose owner calls
 * @cmd: the ioctl
 * @argp: its argument
 *
 * Context: process context, with the owner semaphore held for reading.
 * Return: 0, an errno, or -ENOIOCTLCMD if it is none of them.
 */
long vb_vhost_ioctl(struct vb_backend *b, unsigned int cmd, void __user *argp)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(vb_vhost_ioctls); i++)
		if (vb_vhost_ioctls[i].cmd == cmd)
			return vb_vhost_ioctls[i].fn(b, argp);
	return -ENOIOCTLCMD;
}
