// SPDX-License-Identifier: GPL-2.0
/*
 * The registry: all balloons there are, who may see them, and how they are made
 * and unmade by a transport.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vhost.h>

#include "control.h"
#include "device.h"
#include "ioctl.h"

/* All balloons by rising id; protected by vb_registry_lock. */
static LIST_HEAD(vb_registry);
static DEFINE_MUTEX(vb_registry_lock);

/* The last id given; 64 bits don't wrap. */
static atomic64_t vb_last_id;

/**
 * vb_registry_new_id - an id that was never used
 *
 * Return: the id, from 1.
 */
u64 vb_registry_new_id(void)
{
	return atomic64_inc_return(&vb_last_id);
}

/**
 * vb_registry_add - list a balloon
 * @vb: the balloon; the registry holds a reference until vb_registry_del()
 */
void vb_registry_add(struct vhost_balloon *vb)
{
	struct vhost_balloon *pos;

	vb_device_get(vb);
	mutex_lock(&vb_registry_lock);
	/* Ids are given before balloons are listed, so another may have come first. */
	list_for_each_entry_reverse(pos, &vb_registry, node)
		if (pos->id < vb->id)
			break;
	list_add(&vb->node, &pos->node);
	mutex_unlock(&vb_registry_lock);
}

/**
 * vb_registry_del - list a balloon no more
 * @vb: the balloon
 */
void vb_registry_del(struct vhost_balloon *vb)
{
	mutex_lock(&vb_registry_lock);
	list_del(&vb->node);
	mutex_unlock(&vb_registry_lock);
	vb_device_put(vb);
}

/**
 * vhost_balloon_create - make a balloon, for a transport
 * @params: how
 *
 * It is listed at once, without an owner.
 *
 * Context: may sleep.
 * Return: the balloon, or an ERR_PTR(): -EINVAL for features that there are
 *	not, -ENOMEM.
 */
struct vhost_balloon *vhost_balloon_create(const struct vhost_balloon_params *params)
{
	struct vhost_balloon *vb = vb_device_create(params, vb_registry_new_id());

	if (!IS_ERR(vb))
		vb_registry_add(vb);
	return vb;
}
EXPORT_SYMBOL_GPL(vhost_balloon_create);

/**
 * vhost_balloon_destroy - unmake a balloon
 * @vb: the balloon. No callback is called any more after this.
 *
 * Context: may sleep; waits for passes in progress.
 */
void vhost_balloon_destroy(struct vhost_balloon *vb)
{
	vb_registry_del(vb);
	vhost_balloon_set_config_callback(vb, (struct vhost_balloon_callback){});
	vb_device_shutdown(vb);
	vb_device_put(vb);
}
EXPORT_SYMBOL_GPL(vhost_balloon_destroy);

/* Who may open a balloon, as VHOST_BALLOON_OPEN says it. */
static bool vb_may_open(struct vhost_balloon *vb, bool admin)
{
	if (admin)
		return true;
	return (READ_ONCE(vb->access) & VHOST_BALLOON_ACCESS_SAME_USER) &&
	       vb_device_is_user(vb, current_euid());
}

/* Returns how many ids there are, and fills those that fit. */
static u32 vb_registry_collect(u64 after, u64 *ids, u32 *nr)
{
	bool admin = capable(CAP_SYS_ADMIN);
	struct vhost_balloon *vb;
	u32 total = 0, max = *nr;

	mutex_lock(&vb_registry_lock);
	list_for_each_entry(vb, &vb_registry, node) {
		if (vb->id <= after || !vb_may_open(vb, admin))
			continue;
		if (total < max)
			ids[total] = vb->id;
		total++;
	}
	mutex_unlock(&vb_registry_lock);
	*nr = min(total, max);
	return total;
}

static int vb_ioctl_list(const struct vb_ioctl_call *call)
{
	struct vhost_balloon_list *list = call->arg;
	u64 *ids;
	int ret = 0;

	if (list->flags)
		return -EINVAL;
	list->nr = min_t(u32, list->nr, VHOST_BALLOON_LIST_MAX);
	/* One more, so that none isn't a special case. */
	ids = kvcalloc(list->nr + 1, sizeof(*ids), GFP_KERNEL_ACCOUNT);
	if (!ids)
		return -ENOMEM;
	list->total = vb_registry_collect(list->after, ids, &list->nr);
	if (copy_to_user(u64_to_user_ptr(list->ids), ids, list->nr * sizeof(*ids)))
		ret = -EFAULT;
	kvfree(ids);
	return ret;
}

/* Find a balloon by its id and take a reference. */
static struct vhost_balloon *vb_registry_find(u64 id)
{
	struct vhost_balloon *vb;

	mutex_lock(&vb_registry_lock);
	list_for_each_entry(vb, &vb_registry, node) {
		if (vb->id == id) {
			vb_device_get(vb);
			goto out_unlock;
		}
	}
	vb = ERR_PTR(-ENOENT);
out_unlock:
	mutex_unlock(&vb_registry_lock);
	return vb;
}

static int vb_ioctl_open(const struct vb_ioctl_call *call)
{
	struct vhost_balloon_open __user *uopen = call->uarg;
	struct vhost_balloon_open *open = call->arg;
	struct vhost_balloon *vb;
	int ret = -EPERM;

	if (open->flags || open->reserved)
		return -EINVAL;
	vb = vb_registry_find(open->id);
	if (IS_ERR(vb))
		return PTR_ERR(vb);
	if (vb_may_open(vb, capable(CAP_SYS_ADMIN)))
		ret = vb_control_open(vb, &uopen->fd);
	vb_device_put(vb);
	return ret;
}

/* The file descriptor is copied out by vb_control_open(), before it is installed. */
static const struct vb_ioctl vb_registry_ioctls[] = {
	VB_IOCTL(VHOST_BALLOON_LIST, struct vhost_balloon_list, total, vb_ioctl_list),
	VB_IOCTL_OWN_OUT(VHOST_BALLOON_OPEN, struct vhost_balloon_open, reserved, vb_ioctl_open),
};

/**
 * vb_registry_ioctl - the ioctls that are about no balloon in particular
 * @cmd: the ioctl
 * @arg: its argument
 *
 * Context: process context.
 * Return: 0, an errno, or -ENOIOCTLCMD if it is none of them.
 */
long vb_registry_ioctl(unsigned int cmd, unsigned long arg)
{
	return vb_ioctl_dispatch(vb_registry_ioctls, ARRAY_SIZE(vb_registry_ioctls), NULL, cmd,
				 arg);
}
