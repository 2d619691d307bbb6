// SPDX-License-Identifier: GPL-2.0
/*
 * The dirty log of a backend: what the device writes into guest memory while that is being
 * copied somewhere else. All that it writes is in the used rings; which of these are logged,
 * and where they are for the guest, VHOST_SET_VRING_ADDR says.
 */
#include "device.h"

/**
 * vb_device_set_log_base - set where the log is
 * @vb: the balloon
 * @base: user address of the bitmap, a multiple of 8; 0 for none
 *
 * Context: may sleep; waits for passes in progress.
 * Return: 0; -EINTR, and then some of the queues may still have the old one.
 */
int vb_device_set_log_base(struct vhost_balloon *vb, u64 base)
{
	unsigned int i;
	int ret = 0;

	if (mutex_lock_killable(&vb->lock))
		return -EINTR;
	for (i = 0; !ret && i < VB_NR_QUEUES; i++) {
		struct vb_queue *q = &vb->vq[i].queue;

		ret = vb_queue_lock_to_stop(q, true);
		if (ret)
			break;
		q->log.base = base;
		mutex_unlock(&q->lock);
	}
	mutex_unlock(&vb->lock);
	return ret;
}

/**
 * vb_device_set_log_callback - set what says that something was logged
 * @vb: the balloon
 * @cb: the callback; the former one isn't called any more after this
 *
 * Context: process context.
 */
void vb_device_set_log_callback(struct vhost_balloon *vb, struct vhost_balloon_callback cb)
{
	unsigned int i;

	for (i = 0; i < VB_NR_QUEUES; i++)
		vb_queue_set_log_callback(&vb->vq[i].queue, cb);
}
