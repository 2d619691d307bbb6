// SPDX-License-Identifier: GPL-2.0
/*
 * Whether memory may be discarded at all.
 *
 * A device of the host's that is assigned to the guest, or anything else that has pinned pages,
 * goes on to use a page after it was discarded, while the guest gets another one. So
 * nothing is discarded while there is such a thing. What the kernel can see of it
 * is looked at in every section (discard.c); the rest we have to be told.
 */
#include <linux/atomic.h>
#include <linux/mm_types.h>
#include <linux/sched/mm.h>
#include <linux/string.h>

#include "device.h"

static const u32 vb_inhibitor_bit[] = {
	[VB_INHIBITOR_BACKEND]		= VHOST_BALLOON_INHIBIT_BACKEND,
	[VB_INHIBITOR_CONTROLLER]	= VHOST_BALLOON_INHIBIT_CONTROLLER,
};

/* Returns whether anything has changed. */
static bool vb_device_change_inhibit(struct vhost_balloon *vb, enum vb_inhibitor who,
				     const struct vhost_balloon_inhibit *inhibit)
{
	u32 mask = vb->inhibit & ~vb_inhibitor_bit[who];
	bool changed;

	if (inhibit->inhibit)
		mask |= vb_inhibitor_bit[who];
	changed = mask != vb->inhibit ||
		  memcmp(vb->reason[who], inhibit->reason, sizeof(vb->reason[who]));
	WRITE_ONCE(vb->inhibit, mask);
	memcpy(vb->reason[who], inhibit->reason, sizeof(vb->reason[who]));
	return changed;
}

/**
 * vb_device_set_inhibit - say whether memory may be discarded
 * @vb: the balloon
 * @who: says so
 * @inhibit: what, found to be valid
 *
 * Context: process context; may sleep, until a section in progress has ended: after
 *	that nothing is discarded.
 * Return: 0; -EINTR: it was changed, but not waited for.
 */
int vb_device_set_inhibit(struct vhost_balloon *vb, enum vb_inhibitor who,
			  const struct vhost_balloon_inhibit *inhibit)
{
	bool changed;

	spin_lock(&vb->config_lock);
	changed = vb_device_change_inhibit(vb, who, inhibit);
	spin_unlock(&vb->config_lock);
	if (changed)
		vb_device_event(vb, VHOST_BALLOON_EVENT_INHIBIT);
	if (mutex_lock_killable(&vb->memory.lock))
		return -EINTR;
	mutex_unlock(&vb->memory.lock);
	return 0;
}

static u32 vb_device_inhibit_seen(struct vhost_balloon *vb)
{
	struct mm_struct *mm = vb_device_grab_mm(vb);
	u32 mask = 0;

	if (READ_ONCE(vb->memory.assigned))
		mask |= VHOST_BALLOON_INHIBIT_ASSIGNED_DEVICE;
	if (mm) {
		if (atomic64_read(&mm->pinned_vm))
			mask |= VHOST_BALLOON_INHIBIT_PINNED;
		mmdrop(mm);
	}
	return mask;
}

/**
 * vb_device_inhibit_info - whether memory may be discarded, and why not
 * @vb: the balloon
 * @info: the fields that are about that are filled
 *
 * Context: process context.
 */
void vb_device_inhibit_info(struct vhost_balloon *vb, struct vhost_balloon_info *info)
{
	info->inhibit = vb_device_inhibit_seen(vb);
	spin_lock(&vb->config_lock);
	info->inhibit |= vb->inhibit;
	memcpy(info->reason_backend, vb->reason[VB_INHIBITOR_BACKEND],
	       sizeof(info->reason_backend));
	memcpy(info->reason_controller, vb->reason[VB_INHIBITOR_CONTROLLER],
	       sizeof(info->reason_controller));
	spin_unlock(&vb->config_lock);
	if (info->inhibit)
		info->flags |= VHOST_BALLOON_INFO_INHIBITED;
}
