// SPDX-License-Identifier: GPL-2.0
/*
 * What can be switched for one balloon, at any time.
 */
#include <linux/virtio_balloon.h>

#include "compat.h"
#include "device.h"

/* All that can be switched. */
#define VB_TUNABLES	(VHOST_BALLOON_TUNE_HUGETLB | VHOST_BALLOON_TUNE_POPULATE |	\
			 VHOST_BALLOON_TUNE_THP |					\
			 (VB_CAN_INLINE ? VHOST_BALLOON_TUNE_INLINE : 0))

/* Seen by the next batch; a pass may be reading it. */
static void vb_device_apply_tunables(struct vhost_balloon *vb)
{
	unsigned int i;

	for (i = 0; i < VB_NR_QUEUES; i++) {
		struct vb_queue *q = &vb->vq[i].queue;

		WRITE_ONCE(q->discard.hugetlb, vb->tunables & VHOST_BALLOON_TUNE_HUGETLB);
		WRITE_ONCE(q->populate, vb->tunables & VHOST_BALLOON_TUNE_POPULATE);
	}
}

/*
 * Gather huge pages from their parts, or don't. The caller holds the device mutex and the memory
 * mutex.
 *
 * Only if the guest tells us before it uses a page again. Otherwise a part that was
 * acknowledged may be in use by the time that the others come.
 */
static void vb_device_update_gather(struct vhost_balloon *vb)
{
	bool told = vb->features & BIT_ULL(VIRTIO_BALLOON_F_MUST_TELL_HOST);

	if (told && (vb->tunables & VHOST_BALLOON_TUNE_HUGETLB))
		vb_pagebits_want(&vb->parts);
	else
		vb_pagebits_drop(&vb->parts);
	vb_device_want_thp(vb, told && (vb->tunables & VHOST_BALLOON_TUNE_THP));
}

/**
 * vb_device_forget_parts - gather huge pages anew, of both kinds
 * @vb: the balloon; the caller holds the device mutex
 *
 * Context: may sleep.
 */
void vb_device_forget_parts(struct vhost_balloon *vb)
{
	mutex_lock(&vb->memory.lock);
	vb_pagebits_drop(&vb->parts);
	vb_thp_clear(&vb->thp);
	vb_device_update_gather(vb);
	mutex_unlock(&vb->memory.lock);
}

/**
 * vb_device_get_tunables - what is switched on
 * @vb: the balloon
 * @mask: filled with what can be switched
 * @values: filled with what is on
 *
 * Context: process context; may sleep.
 * Return: 0; -EINTR.
 */
int vb_device_get_tunables(struct vhost_balloon *vb, u64 *mask, u64 *values)
{
	if (mutex_lock_killable(&vb->lock))
		return -EINTR;
	*mask = VB_TUNABLES;
	*values = vb->tunables;
	mutex_unlock(&vb->lock);
	return 0;
}

/**
 * vb_device_set_tunables - switch on or off
 * @vb: the balloon
 * @mask: what to change
 * @values: what is to be on, of @mask
 *
 * Context: process context; may sleep.
 * Return: 0; -EINVAL for what there is not; -EINTR.
 */
int vb_device_set_tunables(struct vhost_balloon *vb, u64 mask, u64 values)
{
	if ((mask & ~VB_TUNABLES) || (values & ~mask))
		return -EINVAL;
	if (mutex_lock_killable(&vb->lock))
		return -EINTR;
	/* Whoever has it may wait for the VMM, and we may be a controller. */
	if (mutex_lock_killable(&vb->memory.lock)) {
		mutex_unlock(&vb->lock);
		return -EINTR;
	}
	WRITE_ONCE(vb->tunables, (vb->tunables & ~mask) | values);
	vb_device_apply_tunables(vb);
	vb_device_update_gather(vb);
	mutex_unlock(&vb->memory.lock);
	mutex_unlock(&vb->lock);
	return 0;
}
