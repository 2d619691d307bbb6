// SPDX-License-Identifier: GPL-2.0
/*
 * Starting and stopping a balloon's virtqueues.
 */
#include <linux/module.h>
#include <linux/virtio_balloon.h>

#include "device.h"

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
 * @vq: the queue, with its role; the caller holds the device mutex. Without a
 *	size it isn't set up, whatever the VMM says, and without a role nobody has a use for it.
 *
 * Context: may sleep.
 */
void vb_vq_start(struct vb_vq *vq)
{
	struct vhost_balloon *vb = vq->vb;
	struct vb_queue *q = &vq->queue;

	if (!q->num || !q->ops)
		return;
	mutex_lock(&q->lock);
	q->mm = vb->mm;
	q->discard.poison = vb->features & BIT_ULL(VIRTIO_BALLOON_F_PAGE_POISON);
	vb_queue_start(q, vb->features);
	mutex_unlock(&q->lock);
	/* What was made available before is nobody's kick. */
	vb_vq_queue_work(vq);
	/* What a stop left over. */
	vb_device_flush_thp(vb);
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

static void vb_device_start_locked(struct vhost_balloon *vb)
{
	unsigned int i;

	vb_device_resolve_roles(vb);
	if (vb_device_is_new_driver(vb))
		vb_device_forget_parts(vb);
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

/**
 * vb_device_stop_locked - stop the queues
 * @vb: the balloon; the caller holds the device mutex
 * @killable: give up when killed; some queues may have stopped
 *
 * Context: may sleep; waits for passes in progress.
 * Return: 0; -EINTR.
 */
int vb_device_stop_locked(struct vhost_balloon *vb, bool killable)
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

/**
 * vb_device_reset_locked - stop, and forget queues and features
 * @vb: the balloon; the caller holds the device mutex
 *
 * Context: may sleep; waits for passes in progress.
 */
void vb_device_reset_locked(struct vhost_balloon *vb)
{
	unsigned int i;

	vb_device_interrupt(vb);
	vb_device_stop_locked(vb, false);
	for (i = 0; i < VB_NR_QUEUES; i++)
		vb_vq_reset(&vb->vq[i]);
	vb_device_clear_roles(vb);
	vb_stats_reset(&vb->stats);
	vb_device_hint_reset(vb);
	/* Who finds no features, since the balloon goes, finds that it is gone. */
	smp_wmb();
	WRITE_ONCE(vb->features, 0);
	vb_device_forget_parts(vb);
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

