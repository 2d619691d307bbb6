// SPDX-License-Identifier: GPL-2.0
/*
 * When those parts of transparent huge pages are given back of which the rest doesn't come.
 */
#include "device.h"

/* How often to look for huge pages of which no part has come since. */
#define VB_THP_JIFFIES	(HZ / 4)

static void vb_device_queue_flush(struct vhost_balloon *vb)
{
	struct vb_worker *w;

	rcu_read_lock();
	w = rcu_dereference(vb->worker);
	if (w)
		vb_worker_queue(w, &vb->thp_flush);
	rcu_read_unlock();
}

static void vb_device_thp_tick(struct work_struct *work)
{
	vb_device_queue_flush(container_of(to_delayed_work(work), struct vhost_balloon, thp_tick));
}

static void vb_device_thp_kept(struct vb_thp *t)
{
	struct vhost_balloon *vb = container_of(t, struct vhost_balloon, thp);

	schedule_delayed_work(&vb->thp_tick, VB_THP_JIFFIES);
}

static bool vb_device_thp_flush(struct vb_work *work)
{
	struct vhost_balloon *vb = container_of(work, struct vhost_balloon, thp_flush);
	bool all = xchg(&vb->thp_all, false);

	if (!vb_queue_flush(&vb->vq[VHOST_BALLOON_ROLE_INFLATE].queue, all))
		return false;
	if (all)
		WRITE_ONCE(vb->thp_all, true);
	schedule_delayed_work(&vb->thp_tick, VB_THP_JIFFIES);
	return false;
}

/**
 * vb_device_init_thp - make ready for huge pages
 * @vb: the balloon
 */
void vb_device_init_thp(struct vhost_balloon *vb)
{
	vb->thp.kept = vb_device_thp_kept;
	vb_work_init(&vb->thp_flush, vb_device_thp_flush);
	INIT_DELAYED_WORK(&vb->thp_tick, vb_device_thp_tick);
}

/**
 * vb_device_flush_thp - give back all parts: no more are to be expected
 * @vb: the balloon
 *
 * Context: any.
 */
void vb_device_flush_thp(struct vhost_balloon *vb)
{
	if (!READ_ONCE(vb->thp.nr))
		return;
	WRITE_ONCE(vb->thp_all, true);
	vb_device_queue_flush(vb);
}

/**
 * vb_device_want_thp - keep parts in mind, or don't any more
 * @vb: the balloon; the caller holds the memory mutex
 * @wanted: which; those that are kept in mind now are given back if it's not
 */
void vb_device_want_thp(struct vhost_balloon *vb, bool wanted)
{
	WRITE_ONCE(vb->thp.wanted, wanted);
	if (!wanted)
		vb_device_flush_thp(vb);
}
