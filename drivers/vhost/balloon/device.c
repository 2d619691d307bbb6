// SPDX-License-Identifier: GPL-2.0
/*
 * One balloon: its life cycle, its owner, its memory, and the passes over its
 * virtqueues.
 */
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "compat.h"
#include "device.h"
#include "inflate.h"
#include "memslots.h"

/* What a balloon can do. */
#define VB_FEATURES	(BIT_ULL(VIRTIO_F_VERSION_1) |			\
			 BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) |		\
			 BIT_ULL(VIRTIO_RING_F_EVENT_IDX) |		\
			 BIT_ULL(VIRTIO_BALLOON_F_MUST_TELL_HOST) |	\
			 BIT_ULL(VIRTIO_BALLOON_F_DEFLATE_ON_OOM))

/* What is for the guest's administrator to decide isn't offered unasked. */
#define VB_FEATURES_DEFAULT	(VB_FEATURES & ~BIT_ULL(VIRTIO_BALLOON_F_DEFLATE_ON_OOM))

/* How often to look for memory that a queue lacks. */
#define VB_RETRY_JIFFIES	(HZ / 10)

/* 32-bit page numbers of 4 KiB end at 16 TiB. */
#define VB_GFN_END		BIT_ULL(32)

static const struct vb_queue_ops * const vb_queue_ops[VB_NR_QUEUES] = {
	[VHOST_BALLOON_ROLE_INFLATE] = &vb_inflate_ops,
	[VHOST_BALLOON_ROLE_DEFLATE] = &vb_deflate_ops,
};

/**
 * vhost_balloon_features - the feature bits that a balloon can offer
 *
 * Return: virtio feature bits.
 */
u64 vhost_balloon_features(void)
{
	return VB_FEATURES;
}
EXPORT_SYMBOL_GPL(vhost_balloon_features);

/**
 * vhost_balloon_default_features - the feature bits to offer if nobody says otherwise
 *
 * Return: virtio feature bits.
 */
u64 vhost_balloon_default_features(void)
{
	return VB_FEATURES_DEFAULT;
}
EXPORT_SYMBOL_GPL(vhost_balloon_default_features);

static struct vhost_balloon *vb_from_listener(struct vb_memory_listener *l)
{
	return container_of(l, struct vhost_balloon, listener);
}

static void vb_device_region_begin(struct vb_memory_listener *l)
{
	struct vhost_balloon *vb = vb_from_listener(l);

	vb->ram_next = 0;
	vb->above_16t = false;
}

/* Regions that stay are summed up like those that come. */
static void vb_device_region_nop(struct vb_memory_listener *l, const struct vhost_balloon_slot *r)
{
	struct vhost_balloon *vb = vb_from_listener(l);

	if (vb_region_discardable(r))
		vb->ram_next += r->nr << PAGE_SHIFT;
	if (r->gfn + r->nr > VB_GFN_END)
		vb->above_16t = true;
}

static void vb_device_region_add(struct vb_memory_listener *l, const struct vhost_balloon_slot *r)
{
	vb_count(&vb_from_listener(l)->counters, VHOST_BALLOON_C_REGION_ADD, 1);
	vb_device_region_nop(l, r);
}

static void vb_device_region_del(struct vb_memory_listener *l, const struct vhost_balloon_slot *r)
{
	vb_count(&vb_from_listener(l)->counters, VHOST_BALLOON_C_REGION_DEL, 1);
}

static void vb_device_region_commit(struct vb_memory_listener *l)
{
	struct vhost_balloon *vb = vb_from_listener(l);

	WRITE_ONCE(vb->ram, vb->ram_next);
	vb_count(&vb->counters, VHOST_BALLOON_C_REGION_COMMIT, 1);
}

static const struct vb_memory_listener_ops vb_device_listener_ops = {
	.begin		= vb_device_region_begin,
	.region_del	= vb_device_region_del,
	.region_add	= vb_device_region_add,
	.region_nop	= vb_device_region_nop,
	.commit		= vb_device_region_commit,
};

/* Have a pass over a queue run, if there is anyone to run it. */
static void vb_vq_queue_work(struct vb_vq *vq)
{
	struct vb_worker *w;

	rcu_read_lock();
	w = rcu_dereference(vq->vb->worker);
	if (w)
		vb_worker_queue(w, &vq->work);
	rcu_read_unlock();
}

static void vb_device_queue_all(struct vhost_balloon *vb)
{
	unsigned int i;

	for (i = 0; i < VB_NR_QUEUES; i++)
		vb_vq_queue_work(&vb->vq[i]);
}

static void vb_device_retry(struct work_struct *work)
{
	vb_device_queue_all(container_of(to_delayed_work(work), struct vhost_balloon, retry));
}

static void vb_vq_broken(struct vb_vq *vq)
{
	struct vb_queue *q = &vq->queue;

	vb_count(&vq->vb->counters, VHOST_BALLOON_C_BROKEN, 1);
	spin_lock(&q->cb_lock);
	if (vq->err.fn)
		vq->err.fn(vq->err.arg);
	spin_unlock(&q->cb_lock);
	vb_device_event(vq->vb, VHOST_BALLOON_EVENT_BROKEN);
}

static bool vb_vq_work(struct vb_work *work)
{
	struct vb_vq *vq = container_of(work, struct vb_vq, work);

	switch (vb_queue_pass(&vq->queue)) {
	case VB_QUEUE_MORE:
	case VB_QUEUE_INTERRUPTED:
		return true;
	case VB_QUEUE_LATER:
		schedule_delayed_work(&vq->vb->retry, VB_RETRY_JIFFIES);
		return false;
	case VB_QUEUE_NOW_BROKEN:
		vb_vq_broken(vq);
		return false;
	case VB_QUEUE_IDLE:
		break;
	}
	return false;
}

static int vb_device_init_queues(struct vhost_balloon *vb)
{
	unsigned int i;
	int ret;

	for (i = 0; i < VB_NR_QUEUES; i++) {
		struct vb_vq *vq = &vb->vq[i];

		vq->vb = vb;
		vb_work_init(&vq->work, vb_vq_work);
		ret = vb_queue_init(&vq->queue, vb_queue_ops[i], &vb->memory, &vb->counters);
		if (ret)
			goto err_destroy;
	}
	return 0;

err_destroy:
	while (i--)
		vb_queue_destroy(&vb->vq[i].queue);
	return ret;
}

/**
 * vb_device_create - make a balloon, without an owner
 * @params: how
 * @id: its id
 *
 * Context: may sleep.
 * Return: the balloon, with one reference; or an ERR_PTR(): -EINVAL for
 *	features that there are not, -ENOMEM.
 */
struct vhost_balloon *vb_device_create(const struct vhost_balloon_params *params, u64 id)
{
	struct vhost_balloon *vb;
	int ret;

	if (params->features & ~VB_FEATURES)
		return ERR_PTR(-EINVAL);
	vb = kvzalloc(sizeof(*vb), GFP_KERNEL_ACCOUNT);
	if (!vb)
		return ERR_PTR(-ENOMEM);

	kref_init(&vb->ref);
	INIT_LIST_HEAD(&vb->node);
	vb->id = id;
	vb->params = *params;
	vb->access = params->access;
	mutex_init(&vb->lock);
	spin_lock_init(&vb->config_lock);
	spin_lock_init(&vb->watch_lock);
	INIT_LIST_HEAD(&vb->watchers);
	INIT_DELAYED_WORK(&vb->retry, vb_device_retry);
	vb_memory_init(&vb->memory, id);
	ret = vb_device_init_queues(vb);
	if (ret)
		goto err_free;

	/* Long before there is memory: it will be told when it comes. */
	vb->listener.ops = &vb_device_listener_ops;
	ret = vb_memory_register(&vb->memory, &vb->listener);
	if (ret)
		goto err_queues;
	return vb;

err_queues:
	vb_queue_destroy(&vb->vq[VHOST_BALLOON_ROLE_DEFLATE].queue);
	vb_queue_destroy(&vb->vq[VHOST_BALLOON_ROLE_INFLATE].queue);
err_free:
	kvfree(vb);
	return ERR_PTR(ret);
}

static void vb_device_free(struct kref *ref)
{
	struct vhost_balloon *vb = container_of(ref, struct vhost_balloon, ref);
	unsigned int i;

	vb_memory_unregister(&vb->memory, &vb->listener);
	for (i = 0; i < VB_NR_QUEUES; i++)
		vb_queue_destroy(&vb->vq[i].queue);
	vb_memory_destroy(&vb->memory);
	mutex_destroy(&vb->lock);
	kvfree(vb);
}

/**
 * vb_device_get - take a reference
 * @vb: the balloon
 */
void vb_device_get(struct vhost_balloon *vb)
{
	kref_get(&vb->ref);
}

/**
 * vb_device_put - drop a reference
 * @vb: the balloon. It was shut down before the last one.
 *
 * Context: may sleep.
 */
void vb_device_put(struct vhost_balloon *vb)
{
	kref_put(&vb->ref, vb_device_free);
}

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

/**
 * vb_vq_stop - stop a queue
 * @vq: the queue; the caller holds the device mutex
 * @killable: give up when killed
 *
 * Context: may sleep; waits for a pass in progress.
 * Return: 0; -EINTR.
 */
int vb_vq_stop(struct vb_vq *vq, bool killable)
{
	int ret;

	ret = vb_queue_lock_to_stop(&vq->queue, killable);
	if (ret)
		return ret;
	if (vq->queue.running)
		vb_queue_stop(&vq->queue);
	mutex_unlock(&vq->queue.lock);
	return 0;
}

/**
 * vb_vq_start - start a queue that is set up
 * @vq: the queue; the caller holds the device mutex. Without a size it isn't
 *	set up, whatever the VMM says.
 *
 * Context: may sleep.
 */
void vb_vq_start(struct vb_vq *vq)
{
	struct vhost_balloon *vb = vq->vb;
	struct vb_queue *q = &vq->queue;

	if (!q->num)
		return;
	mutex_lock(&q->lock);
	q->discard.hugetlb = vb->tunables & VHOST_BALLOON_TUNE_HUGETLB;
	q->discard.poison = vb->features & BIT_ULL(VIRTIO_BALLOON_F_PAGE_POISON);
	vb_queue_start(q, vb->features);
	mutex_unlock(&q->lock);
	/* What was made available before is nobody's kick. */
	vb_vq_queue_work(vq);
}

static void vb_device_start_locked(struct vhost_balloon *vb)
{
	unsigned int i;

	for (i = 0; i < VB_NR_QUEUES; i++)
		if (vb->vq[i].ready)
			vb_vq_start(&vb->vq[i]);
	vb->running = true;
	vb_device_event(vb, VHOST_BALLOON_EVENT_STARTED);
}

/*
 * The VMM may be on its way out: nobody may be left to resolve what its worker waits for. The
 * queues are told to stop first, so that it isn't waited for again.
 */
static void vb_device_interrupt(struct vhost_balloon *vb)
{
	struct vb_worker *w = rcu_dereference_protected(vb->worker, lockdep_is_held(&vb->lock));
	unsigned int i;

	for (i = 0; i < VB_NR_QUEUES; i++)
		WRITE_ONCE(vb->vq[i].queue.stop, true);
	if (w)
		vb_worker_interrupt(w);
}

/* Wait for the passes in progress. If that is interrupted, some queues may have stopped. */
static int vb_device_stop_locked(struct vhost_balloon *vb, bool killable)
{
	unsigned int i;
	int ret;

	if (!vb->running)
		return 0;
	for (i = 0; i < VB_NR_QUEUES; i++) {
		ret = vb_vq_stop(&vb->vq[i], killable);
		if (ret)
			return ret;
	}
	vb->running = false;
	vb_device_event(vb, VHOST_BALLOON_EVENT_STOPPED);
	return 0;
}

/* Whether what the VMM set up can be started. */
static int vb_device_check_rings(struct vhost_balloon *vb)
{
	bool any = false;
	unsigned int i;

	for (i = 0; i < VB_NR_QUEUES; i++) {
		if (!vb->vq[i].ready)
			continue;
		if (!vb->vq[i].queue.num)
			return -EINVAL;
		any = true;
	}
	return any ? 0 : -EINVAL;
}

/**
 * vb_device_set_running - start or stop the queues, for a backend file
 * @vb: the balloon
 * @running: which
 *
 * Context: may sleep; stopping waits for passes in progress.
 * Return: 0, also if it is so already; -EINVAL as VHOST_BALLOON_SET_RUNNING
 *	has it; -EINTR.
 */
int vb_device_set_running(struct vhost_balloon *vb, bool running)
{
	int ret = 0;

	if (mutex_lock_killable(&vb->lock))
		return -EINTR;
	if (running && !vb->running) {
		ret = vb_device_check_rings(vb);
		if (!ret)
			vb_device_start_locked(vb);
	} else if (!running) {
		ret = vb_device_stop_locked(vb, true);
	}
	mutex_unlock(&vb->lock);
	return ret;
}

/* A driver that begins anew holds nothing: it uses its rings from the first entry on. */
static bool vb_device_is_new_driver(struct vhost_balloon *vb)
{
	unsigned int i;

	for (i = 0; i < VB_NR_QUEUES; i++)
		if (vb->vq[i].queue.base)
			return false;
	return true;
}

static void vb_device_clear_actual(struct vhost_balloon *vb)
{
	spin_lock(&vb->config_lock);
	vb->actual = 0;
	spin_unlock(&vb->config_lock);
}

/**
 * vhost_balloon_start - start the queues that are ready, for a transport
 * @vb: the balloon
 *
 * Context: may sleep.
 * Return: 0.
 */
int vhost_balloon_start(struct vhost_balloon *vb)
{
	mutex_lock(&vb->lock);
	if (!vb->running) {
		if (vb_device_is_new_driver(vb))
			vb_device_clear_actual(vb);
		vb_device_start_locked(vb);
	}
	mutex_unlock(&vb->lock);
	return 0;
}
EXPORT_SYMBOL_GPL(vhost_balloon_start);

/**
 * vhost_balloon_stop - stop the queues, for a transport
 * @vb: the balloon
 *
 * Context: may sleep; waits for passes in progress.
 */
void vhost_balloon_stop(struct vhost_balloon *vb)
{
	mutex_lock(&vb->lock);
	vb_device_stop_locked(vb, false);
	mutex_unlock(&vb->lock);
}
EXPORT_SYMBOL_GPL(vhost_balloon_stop);

static void vb_vq_reset(struct vb_vq *vq)
{
	mutex_lock(&vq->queue.lock);
	vb_queue_reset(&vq->queue);
	mutex_unlock(&vq->queue.lock);
	vq->ready = false;
}

static void vb_device_reset_locked(struct vhost_balloon *vb)
{
	unsigned int i;

	vb_device_interrupt(vb);
	vb_device_stop_locked(vb, false);
	for (i = 0; i < VB_NR_QUEUES; i++)
		vb_vq_reset(&vb->vq[i]);
	vb->features = 0;
}

/**
 * vhost_balloon_reset - stop, and forget queues and features
 * @vb: the balloon
 *
 * The target stays: it is the host's. So does actual, since a VMM resets the
 * device, too, when it only pauses the guest; a driver that begins anew clears
 * it at the next start.
 *
 * Context: may sleep; waits for passes in progress.
 */
void vhost_balloon_reset(struct vhost_balloon *vb)
{
	mutex_lock(&vb->lock);
	vb_device_reset_locked(vb);
	mutex_unlock(&vb->lock);
}
EXPORT_SYMBOL_GPL(vhost_balloon_reset);

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
	vb_memory_set_source(&vb->memory, NULL, NULL);
	vb->many_vms = false;
	vb_device_clear_actual(vb);
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
	mutex_unlock(&vb->lock);
	return ret;
}

/**
 * vhost_balloon_memory_changed - look again for memory that the queues may lack
 * @vb: the balloon
 *
 * Context: any.
 */
void vhost_balloon_memory_changed(struct vhost_balloon *vb)
{
	vb_device_queue_all(vb);
}
EXPORT_SYMBOL_GPL(vhost_balloon_memory_changed);

/**
 * vhost_balloon_kick - the guest has made buffers available
 * @vb: the balloon
 * @index: of the virtqueue
 *
 * Context: any, interrupts off included.
 */
void vhost_balloon_kick(struct vhost_balloon *vb, unsigned int index)
{
	if (index >= VB_NR_QUEUES)
		return;
	vb_count(&vb->counters, VHOST_BALLOON_C_KICKS, 1);
	vb_vq_queue_work(&vb->vq[index]);
}
EXPORT_SYMBOL_GPL(vhost_balloon_kick);
