// SPDX-License-Identifier: GPL-2.0
/*
 * Free page hinting as a balloon's controllers see it: start, stop, and what the guest
 * reads of it in the configuration space.
 */
#include <linux/virtio_balloon.h>

#include "device.h"

static void vb_device_hint_changed(struct vb_hint *hint)
{
	vb_device_event(container_of(hint, struct vhost_balloon, hint),
			VHOST_BALLOON_EVENT_HINT);
}

/**
 * vb_device_init_hint - begin without hints
 * @vb: the balloon
 *
 * Context: may sleep.
 * Return: as vb_memory_register().
 */
int vb_device_init_hint(struct vhost_balloon *vb)
{
	return vb_hint_init(&vb->hint, vb->id, &vb->memory, vb_device_hint_changed);
}

static int vb_device_hint_start_locked(struct vhost_balloon *vb, u32 *cmd_id)
{
	int ret;

	if (vb->gone)
		return -ENODEV;
	if (!(vb->features & BIT_ULL(VIRTIO_BALLOON_F_FREE_PAGE_HINT)))
		return -EOPNOTSUPP;
	ret = vb_hint_start(&vb->hint, cmd_id);
	/* Not before there are bits to set. */
	if (!ret)
		vb_device_set_hint_command(vb, *cmd_id);
	else if (READ_ONCE(vb->hint.state) == VHOST_BALLOON_HINT_STOPPED)
		vb_device_set_hint_command(vb, VIRTIO_BALLOON_CMD_ID_STOP);
	return ret;
}

/**
 * vb_device_hint_start - have the guest report its free pages
 * @vb: the balloon
 * @cmd_id: filled with the command id that the guest is given
 *
 * Context: may sleep.
 * Return: 0; -EOPNOTSUPP; -ENOMEM; -ENODEV; -EINTR.
 */
int vb_device_hint_start(struct vhost_balloon *vb, u32 *cmd_id)
{
	int ret;

	if (mutex_lock_killable(&vb->lock))
		return -EINTR;
	ret = vb_device_hint_start_locked(vb, cmd_id);
	mutex_unlock(&vb->lock);
	return ret;
}

static int vb_device_hint_stop_locked(struct vhost_balloon *vb, bool done)
{
	u32 command = done ? VIRTIO_BALLOON_CMD_ID_DONE : VIRTIO_BALLOON_CMD_ID_STOP;
	u32 state = done ? VHOST_BALLOON_HINT_DONE : VHOST_BALLOON_HINT_STOPPED;
	int ret;

	ret = vb_hint_end(&vb->hint, state);
	if (ret)
		return ret;
	if (READ_ONCE(vb->hint.state) == state)
		vb_device_set_hint_command(vb, command);
	return 0;
}

/**
 * vb_device_hint_stop - end free page hinting; no bit is set after this
 * @vb: the balloon
 * @done: the guest shall have its pages again
 *
 * Context: may sleep.
 * Return: 0; -EINTR.
 */
int vb_device_hint_stop(struct vhost_balloon *vb, bool done)
{
	int ret;

	if (mutex_lock_killable(&vb->lock))
		return -EINTR;
	ret = vb_device_hint_stop_locked(vb, done);
	mutex_unlock(&vb->lock);
	return ret;
}

/**
 * vb_device_hint_reset - the driver was reset
 * @vb: the balloon; the caller holds the device mutex
 *
 * Context: may sleep.
 */
void vb_device_hint_reset(struct vhost_balloon *vb)
{
	vb_hint_reset(&vb->hint);
	vb_device_set_hint_command(vb, VIRTIO_BALLOON_CMD_ID_STOP);
}
