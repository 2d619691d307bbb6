// SPDX-License-Identifier: GPL-2.0
/*
 * When a balloon's guest is asked for its memory statistics.
 */
#include <linux/jiffies.h>
#include <linux/virtio_balloon.h>

#include "device.h"

static void vb_device_sampled(struct vb_stats *stats)
{
	vb_device_event(container_of(stats, struct vhost_balloon, stats),
			VHOST_BALLOON_EVENT_STATS);
}

/* If the queue is only being started, it will find by itself that a sample is wanted. */
static void vb_device_ask_stats(struct vhost_balloon *vb)
{
	unsigned int i;

	vb_stats_want(&vb->stats);
	for (i = 0; i < VB_NR_QUEUES; i++)
		if (READ_ONCE(vb->vq[i].queue.role) == VHOST_BALLOON_ROLE_STATS)
			vb_vq_queue_work(&vb->vq[i]);
}

static void vb_device_arm_stats(struct vhost_balloon *vb)
{
	u32 interval = READ_ONCE(vb->stats_interval);

	if (interval)
		schedule_delayed_work(&vb->stats_poll, msecs_to_jiffies(interval));
}

static void vb_device_poll_stats(struct work_struct *work)
{
	struct vhost_balloon *vb = container_of(to_delayed_work(work), struct vhost_balloon,
						stats_poll);

	vb_device_ask_stats(vb);
	vb_device_arm_stats(vb);
}

/**
 * vb_device_init_stats - begin without statistics
 * @vb: the balloon
 */
void vb_device_init_stats(struct vhost_balloon *vb)
{
	INIT_DELAYED_WORK(&vb->stats_poll, vb_device_poll_stats);
	vb_stats_init(&vb->stats, vb->id, vb_device_sampled);
}

/**
 * vb_device_stop_stats - ask no more, and have nobody wait
 * @vb: the balloon, gone; the caller holds the device mutex
 *
 * Context: may sleep.
 */
void vb_device_stop_stats(struct vhost_balloon *vb)
{
	WRITE_ONCE(vb->stats_interval, 0);
	cancel_delayed_work_sync(&vb->stats_poll);
	wake_up_interruptible_all(&vb->stats.wait);
}

/**
 * vb_device_set_stats_interval - say how often to ask
 * @vb: the balloon
 * @interval: milliseconds; 0 for never
 *
 * Context: may sleep.
 * Return: 0; -ENODEV; -EINTR.
 */
int vb_device_set_stats_interval(struct vhost_balloon *vb, u32 interval)
{
	int ret = 0;

	if (mutex_lock_killable(&vb->lock))
		return -EINTR;
	if (vb->gone) {
		ret = -ENODEV;
	} else {
		/* It may be about to arm itself again: by the old interval, or by none. */
		WRITE_ONCE(vb->stats_interval, 0);
		cancel_delayed_work_sync(&vb->stats_poll);
		WRITE_ONCE(vb->stats_interval, interval);
		vb_device_arm_stats(vb);
	}
	mutex_unlock(&vb->lock);
	return ret;
}

/**
 * vb_device_refresh_stats - ask now, and wait for the answer
 * @vb: the balloon
 * @timeout: milliseconds to wait; 0: don't
 *
 * Context: may sleep; no lock is held meanwhile.
 * Return: 0; -EOPNOTSUPP; -ETIMEDOUT; -ENODEV if the balloon went; -EINTR.
 */
int vb_device_refresh_stats(struct vhost_balloon *vb, u32 timeout)
{
	u64 sequence = vb_stats_sequence(&vb->stats);
	long left;

	if (!(READ_ONCE(vb->features) & BIT_ULL(VIRTIO_BALLOON_F_STATS_VQ))) {
		/* Pairs with that of vb_device_reset_locked(). */
		smp_rmb();
		return READ_ONCE(vb->gone) ? -ENODEV : -EOPNOTSUPP;
	}
	vb_device_ask_stats(vb);
	if (!timeout)
		return 0;
	left = wait_event_interruptible_timeout(vb->stats.wait,
						vb_stats_sequence(&vb->stats) != sequence ||
						READ_ONCE(vb->gone),
						msecs_to_jiffies(timeout));
	if (left < 0)
		return -EINTR;
	if (READ_ONCE(vb->gone))
		return -ENODEV;
	return left ? 0 : -ETIMEDOUT;
}
