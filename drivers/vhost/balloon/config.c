// SPDX-License-Identifier: GPL-2.0
/*
 * The configuration space, target and actual, and who hears of their changes.
 */
#include <linux/module.h>
#include <linux/string.h>
#include <linux/vhost.h>
#include <linux/virtio_balloon.h>

#include "device.h"

static_assert(sizeof(struct virtio_balloon_config) == VHOST_BALLOON_CONFIG_MAX);

/**
 * vb_device_watch - begin to hear of events
 * @vb: the balloon
 * @w: the watcher, with its function set
 * @max: how many there may be with this one
 *
 * Context: process context.
 * Return: false if there are too many.
 */
bool vb_device_watch(struct vhost_balloon *vb, struct vb_watcher *w, unsigned int max)
{
	bool fits;

	spin_lock(&vb->watch_lock);
	fits = vb->nr_watchers < max;
	if (fits) {
		list_add_tail(&w->node, &vb->watchers);
		vb->nr_watchers++;
		/* It tells only once. */
		if (vb->told_gone)
			w->fn(w, VHOST_BALLOON_EVENT_GONE);
	}
	spin_unlock(&vb->watch_lock);
	return fits;
}

/**
 * vb_device_unwatch - hear no more of events
 * @vb: the balloon
 * @w: the watcher; its function isn't called any more after this
 */
void vb_device_unwatch(struct vhost_balloon *vb, struct vb_watcher *w)
{
	spin_lock(&vb->watch_lock);
	list_del(&w->node);
	vb->nr_watchers--;
	spin_unlock(&vb->watch_lock);
}

/**
 * vb_device_event - tell everyone who watches
 * @vb: the balloon
 * @events: VHOST_BALLOON_EVENT_*
 *
 * Context: process context.
 */
void vb_device_event(struct vhost_balloon *vb, u32 events)
{
	struct vb_watcher *w;

	spin_lock(&vb->watch_lock);
	if (events & VHOST_BALLOON_EVENT_GONE)
		vb->told_gone = true;
	list_for_each_entry(w, &vb->watchers, node)
		w->fn(w, events);
	spin_unlock(&vb->watch_lock);
}

/**
 * vb_device_target_actual - what is asked for and what was given
 * @vb: the balloon
 * @target: filled with the target, pages of 4 KiB
 * @actual: filled with actual, pages of 4 KiB
 *
 * Context: process context.
 */
void vb_device_target_actual(struct vhost_balloon *vb, u64 *target, u64 *actual)
{
	spin_lock(&vb->config_lock);
	*target = vb->target;
	*actual = vb->actual;
	spin_unlock(&vb->config_lock);
}

/* Have the guest look. The caller holds the config lock. */
static void vb_config_changed(struct vhost_balloon *vb)
{
	vb->config_generation++;
	if (vb->config_cb.fn)
		vb->config_cb.fn(vb->config_cb.arg);
}

/**
 * vb_device_set_target - ask the guest for memory, or give it back
 * @vb: the balloon
 * @target: pages (4 KiB) that the guest shall give
 *
 * Context: process context.
 */
void vb_device_set_target(struct vhost_balloon *vb, u32 target)
{
	u32 events = 0;

	spin_lock(&vb->config_lock);
	if (vb->target != target) {
		vb->target = target;
		events = VHOST_BALLOON_EVENT_TARGET;
		if (target == vb->actual)
			events |= VHOST_BALLOON_EVENT_TARGET_REACHED;
		vb_config_changed(vb);
	}
	spin_unlock(&vb->config_lock);
	if (events & VHOST_BALLOON_EVENT_TARGET_REACHED)
		vb_device_flush_thp(vb);
	if (events)
		vb_device_event(vb, events);
}

/**
 * vb_device_set_hint_command - tell the guest what to do about free page hinting
 * @vb: the balloon
 * @command: VIRTIO_BALLOON_CMD_ID_STOP, VIRTIO_BALLOON_CMD_ID_DONE, or a command id
 *
 * Context: process context.
 */
void vb_device_set_hint_command(struct vhost_balloon *vb, u32 command)
{
	spin_lock(&vb->config_lock);
	if (vb->hint_command != command) {
		vb->hint_command = command;
		vb_config_changed(vb);
	}
	spin_unlock(&vb->config_lock);
}

/**
 * vhost_balloon_config_size - size of the configuration space
 * @vb: the balloon
 *
 * As long as the offered features make it, since drivers may read it before they
 * negotiate any (virtio 1.4, section 2.5.2).
 *
 * Return: bytes.
 */
size_t vhost_balloon_config_size(struct vhost_balloon *vb)
{
	if (vb->params.features & BIT_ULL(VIRTIO_BALLOON_F_PAGE_POISON))
		return sizeof(struct virtio_balloon_config);
	if (vb->params.features & BIT_ULL(VIRTIO_BALLOON_F_FREE_PAGE_HINT))
		return offsetof(struct virtio_balloon_config, poison_val);
	return offsetof(struct virtio_balloon_config, free_page_hint_cmd_id);
}
EXPORT_SYMBOL_GPL(vhost_balloon_config_size);

/**
 * vhost_balloon_config_generation - changes whenever the configuration space does
 * @vb: the balloon
 *
 * Context: any.
 * Return: the generation.
 */
u32 vhost_balloon_config_generation(struct vhost_balloon *vb)
{
	return READ_ONCE(vb->config_generation);
}
EXPORT_SYMBOL_GPL(vhost_balloon_config_generation);

static bool vb_config_fits(unsigned int offset, unsigned int len)
{
	return offset <= sizeof(struct virtio_balloon_config) &&
	       len <= sizeof(struct virtio_balloon_config) - offset;
}

/* Before any features are negotiated, the fields of all that are offered are there. */
static bool vb_config_has(struct vhost_balloon *vb, unsigned int feature)
{
	u64 features = READ_ONCE(vb->features) & ~BIT_ULL(VHOST_F_LOG_ALL);

	return (features ? features : vb->params.features) & BIT_ULL(feature);
}

static void vb_config_fill(struct vhost_balloon *vb, struct virtio_balloon_config *config)
{
	*config = (struct virtio_balloon_config) {
		.num_pages	= cpu_to_le32(vb->target),
		.actual		= cpu_to_le32(vb->actual),
	};
	if (vb_config_has(vb, VIRTIO_BALLOON_F_FREE_PAGE_HINT))
		config->free_page_hint_cmd_id = cpu_to_le32(vb->hint_command);
	if (vb_config_has(vb, VIRTIO_BALLOON_F_PAGE_POISON))
		config->poison_val = cpu_to_le32(vb->poison_val);
}

static void vb_config_set_poison(struct vhost_balloon *vb, u32 poison_val)
{
	unsigned int i;

	vb->poison_val = poison_val;
	/* Seen by the next batch; a pass may be reading it. */
	for (i = 0; i < VB_NR_QUEUES; i++)
		WRITE_ONCE(vb->vq[i].queue.discard.poison_val, poison_val);
}

/* What is to be told of it: VHOST_BALLOON_EVENT_*. */
static u32 vb_config_set_actual(struct vhost_balloon *vb, u32 actual)
{
	if (vb->actual == actual)
		return 0;
	vb->actual = actual;
	return VHOST_BALLOON_EVENT_ACTUAL |
	       (actual == vb->target ? VHOST_BALLOON_EVENT_TARGET_REACHED : 0);
}

/**
 * vb_device_clear_actual - the driver has no pages of the guest's: it is a new one, or none
 * @vb: the balloon
 *
 * Context: process context.
 */
void vb_device_clear_actual(struct vhost_balloon *vb)
{
	u32 events;

	spin_lock(&vb->config_lock);
	events = vb_config_set_actual(vb, 0);
	spin_unlock(&vb->config_lock);
	if (events)
		vb_device_event(vb, events);
}

/**
 * vb_device_forget_config - forget what the guest wrote: it is another one's turn
 * @vb: the balloon
 *
 * Context: process context.
 */
void vb_device_forget_config(struct vhost_balloon *vb)
{
	vb_device_clear_actual(vb);
	spin_lock(&vb->config_lock);
	vb_config_set_poison(vb, 0);
	spin_unlock(&vb->config_lock);
}

/**
 * vhost_balloon_read_config - read from the configuration space
 * @vb: the balloon
 * @offset: first byte
 * @buf: where to
 * @len: bytes; zeroes where there is no configuration space
 *
 * Context: process context.
 */
void vhost_balloon_read_config(struct vhost_balloon *vb, unsigned int offset, void *buf,
			       unsigned int len)
{
	struct virtio_balloon_config config;

	memset(buf, 0, len);
	if (!vb_config_fits(offset, len))
		return;
	spin_lock(&vb->config_lock);
	vb_config_fill(vb, &config);
	spin_unlock(&vb->config_lock);
	memcpy(buf, (u8 *)&config + offset, len);
}
EXPORT_SYMBOL_GPL(vhost_balloon_read_config);

/**
 * vhost_balloon_write_config - take what the guest wrote to the configuration space
 * @vb: the balloon
 * @offset: first byte
 * @buf: where from
 * @len: bytes; does nothing where there is no configuration space
 *
 * Only actual and poison_val are the guest's to write. A VMM may hand us the
 * whole space for a write to one field; the rest is ignored.
 *
 * Context: process context.
 */
void vhost_balloon_write_config(struct vhost_balloon *vb, unsigned int offset, const void *buf,
				unsigned int len)
{
	struct virtio_balloon_config config;
	u32 events;

	if (!vb_config_fits(offset, len))
		return;
	spin_lock(&vb->config_lock);
	vb_config_fill(vb, &config);
	memcpy((u8 *)&config + offset, buf, len);
	if (vb_config_has(vb, VIRTIO_BALLOON_F_PAGE_POISON))
		vb_config_set_poison(vb, le32_to_cpu(config.poison_val));
	events = vb_config_set_actual(vb, le32_to_cpu(config.actual));
	spin_unlock(&vb->config_lock);
	if (events & VHOST_BALLOON_EVENT_TARGET_REACHED)
		vb_device_flush_thp(vb);
	if (events)
		vb_device_event(vb, events);
}
EXPORT_SYMBOL_GPL(vhost_balloon_write_config);

/**
 * vhost_balloon_set_config_callback - set what tells the guest of changes
 * @vb: the balloon
 * @cb: the callback; the former one isn't called any more after this
 *
 * Context: process context.
 */
void vhost_balloon_set_config_callback(struct vhost_balloon *vb, struct vhost_balloon_callback cb)
{
	spin_lock(&vb->config_lock);
	vb->config_cb = cb;
	spin_unlock(&vb->config_lock);
}
EXPORT_SYMBOL_GPL(vhost_balloon_set_config_callback);
