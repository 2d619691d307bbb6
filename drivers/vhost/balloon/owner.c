// SPDX-License-Identifier: GPL-2.0
/*
 * Who owns a balloon, and whose memory it is that guests give back.
 */
#include <linux/cred.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>

#include "device.h"
#include "memslots.h"

/**
 * vb_device_is_owner - whether the calling process owns a balloon
 * @vb: the balloon
 *
 * As with vhost, a process is its address space.
 *
 * Return: true if so.
 */
bool vb_device_is_owner(struct vhost_balloon *vb)
{
	struct mm_struct *mm = READ_ONCE(vb->mm);

	return mm && mm == current->mm;
}

/**
 * vb_device_is_user - whether a balloon's owner runs as a user
 * @vb: the balloon
 * @euid: the user
 *
 * Context: process context.
 * Return: true if there is an owner, and that is its effective uid.
 */
bool vb_device_is_user(struct vhost_balloon *vb, kuid_t euid)
{
	bool is;

	spin_lock(&vb->config_lock);
	is = vb->mm && uid_eq(vb->euid, euid);
	spin_unlock(&vb->config_lock);
	return is;
}

/**
 * vb_device_grab_mm - take a reference on the owner's address space
 * @vb: the balloon
 *
 * Context: process context.
 * Return: the address space, for mmdrop(); NULL without an owner.
 */
struct mm_struct *vb_device_grab_mm(struct vhost_balloon *vb)
{
	struct mm_struct *mm;

	spin_lock(&vb->config_lock);
	mm = vb->mm;
	if (mm)
		mmgrab(mm);
	spin_unlock(&vb->config_lock);
	return mm;
}

static void vb_device_take_owner(struct vhost_balloon *vb)
{
	mmgrab(current->mm);
	spin_lock(&vb->config_lock);
	vb->mm = current->mm;
	vb->pid = get_pid(task_tgid(current));
	vb->euid = current_euid();
	spin_unlock(&vb->config_lock);
}

static void vb_device_drop_owner(struct vhost_balloon *vb)
{
	struct mm_struct *mm = vb->mm;
	struct pid *pid = vb->pid;

	spin_lock(&vb->config_lock);
	vb->mm = NULL;
	vb->pid = NULL;
	spin_unlock(&vb->config_lock);
	put_pid(pid);
	mmdrop(mm);
}

/**
 * vb_device_set_owner - make the calling process the owner
 * @vb: the balloon
 *
 * Context: process context of the owner's own thread; may sleep.
 * Return: 0; -EBUSY if there is one; -ENODEV if the balloon is gone; -EINTR;
 *	or what kept the worker from being made.
 */
int vb_device_set_owner(struct vhost_balloon *vb)
{
	struct vb_worker *w;
	int ret = 0;

	if (mutex_lock_killable(&vb->lock))
		return -EINTR;
	if (vb->gone || vb->mm) {
		ret = vb->gone ? -ENODEV : -EBUSY;
		goto out_unlock;
	}
	w = vb_worker_create(vb->id);
	if (IS_ERR(w)) {
		ret = PTR_ERR(w);
		goto out_unlock;
	}
	vb_device_take_owner(vb);
	rcu_assign_pointer(vb->worker, w);
out_unlock:
	mutex_unlock(&vb->lock);
	return ret;
}

/* What is kept in mind of the memory is of no use to the next owner. */
static void vb_device_forget_memory(struct vhost_balloon *vb)
{
	mutex_lock(&vb->memory.lock);
	vb_pagebits_drop(&vb->parts);
	vb_thp_clear(&vb->thp);
	vb_pagebits_drop(&vb->hint.bits);
	mutex_unlock(&vb->memory.lock);
}

/* Undo vb_device_set_owner(), and what needs an owner. */
static void vb_device_unbind_locked(struct vhost_balloon *vb)
{
	struct vb_worker *w;

	if (!vb->mm)
		return;
	vb_device_stop_locked(vb, false);
	w = rcu_dereference_protected(vb->worker, lockdep_is_held(&vb->lock));
	RCU_INIT_POINTER(vb->worker, NULL);
	synchronize_rcu();
	vb_worker_destroy(w);
	/* A pass may have asked for it. Without a worker it does nothing. */
	cancel_delayed_work_sync(&vb->retry);
	cancel_delayed_work_sync(&vb->thp_tick);
	vb_memory_set_source(&vb->memory, NULL, NULL);
	vb_device_forget_memory(vb);
	vb->many_vms = false;
	vb_stats_forget(&vb->stats);
	vb_device_forget_config(vb);
	vb_device_drop_owner(vb);
}

/**
 * vb_device_reset_owner - make a backend as it was before it had an owner
 * @vb: the balloon
 *
 * Context: may sleep; waits for passes in progress.
 * Return: 0; -EINTR.
 */
int vb_device_reset_owner(struct vhost_balloon *vb)
{
	if (mutex_lock_killable(&vb->lock))
		return -EINTR;
	vb_device_reset_locked(vb);
	vb_device_unbind_locked(vb);
	mutex_unlock(&vb->lock);
	return 0;
}

/**
 * vb_device_shutdown - the VMM's side is closed: only references are left
 * @vb: the balloon
 *
 * Context: may sleep; waits for passes in progress.
 */
void vb_device_shutdown(struct vhost_balloon *vb)
{
	mutex_lock(&vb->lock);
	WRITE_ONCE(vb->gone, true);
	vb_device_reset_locked(vb);
	vb_device_unbind_locked(vb);
	vb_device_stop_stats(vb);
	mutex_unlock(&vb->lock);
	vb_device_event(vb, VHOST_BALLOON_EVENT_GONE);
}

/**
 * vhost_balloon_bind - make the calling process the owner, for a transport
 * @vb: the balloon
 *
 * Context: process context of the owner's own thread; may sleep.
 * Return: as vb_device_set_owner().
 */
int vhost_balloon_bind(struct vhost_balloon *vb)
{
	return vb_device_set_owner(vb);
}
EXPORT_SYMBOL_GPL(vhost_balloon_bind);

/**
 * vhost_balloon_unbind - the owner goes
 * @vb: the balloon
 *
 * Context: any process; may sleep; waits for passes in progress.
 */
void vhost_balloon_unbind(struct vhost_balloon *vb)
{
	mutex_lock(&vb->lock);
	vb_device_unbind_locked(vb);
	mutex_unlock(&vb->lock);
}
EXPORT_SYMBOL_GPL(vhost_balloon_unbind);

/**
 * vhost_balloon_bind_own_vm - take guest memory from the calling process's VM
 * @vb: the balloon, owned by the calling process
 *
 * Context: process context of the owner's own thread; may sleep.
 * Return: 0; -ENOENT if the process has no VM, or several (which info then
 *	says); -EINTR; -ENOMEM.
 */
int vhost_balloon_bind_own_vm(struct vhost_balloon *vb)
{
	struct vb_memslots *ms = vb_memslots_get_own();
	int ret;

	if (IS_ERR(ms)) {
		ret = PTR_ERR(ms);
		if (ret == -ENOTUNIQ) {
			WRITE_ONCE(vb->many_vms, true);
			ret = -ENOENT;
		}
		return ret;
	}
	ret = vhost_balloon_set_source(vb, &vb_memslots_ops, ms);
	if (ret)
		vb_memslots_put(ms);
	return ret;
}
EXPORT_SYMBOL_GPL(vhost_balloon_bind_own_vm);

/**
 * vhost_balloon_set_source - say where guest memory is known from
 * @vb: the balloon
 * @ops: the source, or NULL for none
 * @data: the source's own; the balloon's from now on if this succeeds
 *
 * Context: may sleep.
 * Return: 0; -EPERM if the balloon has no owner; -EINTR.
 */
int vhost_balloon_set_source(struct vhost_balloon *vb,
			     const struct vhost_balloon_source_ops *ops, void *data)
{
	int ret = -EPERM;

	if (mutex_lock_killable(&vb->lock))
		return -EINTR;
	if (vb->mm)
		ret = vb_memory_set_source(&vb->memory, ops, data);
	mutex_unlock(&vb->lock);
	if (!ret)
		vb_device_queue_all(vb);
	return ret;
}
EXPORT_SYMBOL_GPL(vhost_balloon_set_source);

/**
 * vb_device_set_vm - take guest memory from a VM, for a backend file
 * @vb: the balloon
 * @ms: the VM, which is the balloon's from now on if this succeeds; NULL for none
 *
 * Context: may sleep.
 * Return: 0; -EPERM if the caller isn't the owner; -EBUSY while running; -EINTR.
 */
int vb_device_set_vm(struct vhost_balloon *vb, struct vb_memslots *ms)
{
	int ret = -EBUSY;

	if (mutex_lock_killable(&vb->lock))
		return -EINTR;
	if (!vb_device_is_owner(vb))
		ret = -EPERM;
	else if (!vb->running)
		ret = vb_memory_set_source(&vb->memory, ms ? &vb_memslots_ops : NULL, ms);
	if (!ret)
		vb_device_forget_parts(vb);
	mutex_unlock(&vb->lock);
	return ret;
}

