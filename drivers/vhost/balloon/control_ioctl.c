// SPDX-License-Identifier: GPL-2.0
/*
 * What may be asked of a balloon, and told to it, by whoever has a file of it.
 */
#include <linux/ctype.h>
#include <linux/limits.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "control.h"
#include "device.h"
#include "discard.h"
#include "ioctl.h"

static int vb_ioctl_get_info(const struct vb_ioctl_call *call)
{
	struct vhost_balloon_info *info = call->arg;

	if (info->reserved)
		return -EINVAL;
	*info = (struct vhost_balloon_info){ .size = info->size };
	vb_device_info(call->ctx, info);
	return 0;
}

static int vb_ioctl_get_counters(const struct vb_ioctl_call *call)
{
	struct vhost_balloon_counters *counters = call->arg;

	counters->nr = VHOST_BALLOON_NR_COUNTERS;
	vb_device_counters(call->ctx, counters->value);
	return 0;
}

static int vb_ioctl_set_target(const struct vb_ioctl_call *call)
{
	struct vhost_balloon_target *target = call->arg;

	if (target->flags || target->target > U32_MAX)
		return -EINVAL;
	vb_device_set_target(call->ctx, target->target);
	return 0;
}

static int vb_ioctl_get_tunables(const struct vb_ioctl_call *call)
{
	struct vhost_balloon_tunables *tune = call->arg;

	if (tune->flags)
		return -EINVAL;
	return vb_device_get_tunables(call->ctx, &tune->mask, &tune->values);
}

static int vb_ioctl_set_tunables(const struct vb_ioctl_call *call)
{
	struct vhost_balloon_tunables *tune = call->arg;

	if (tune->flags)
		return -EINVAL;
	return vb_device_set_tunables(call->ctx, tune->mask, tune->values);
}

/**
 * struct vb_region_list - regions being collected, by listening to a replay
 * @listener: the listener
 * @region: where to
 * @max: entries that fit @region
 * @total: regions heard of
 */
struct vb_region_list {
	struct vb_memory_listener listener;
	struct vhost_balloon_region *region;
	u32 max;
	u32 total;
};

static u32 vb_region_flags(const struct vhost_balloon_slot *r)
{
	u32 flags = 0;

	if (vb_region_discardable(r))
		flags |= VHOST_BALLOON_REGION_DISCARDABLE;
	if (r->flags & VHOST_BALLOON_SLOT_READONLY)
		flags |= VHOST_BALLOON_REGION_READONLY;
	if (r->flags & VHOST_BALLOON_SLOT_GUEST_MEMFD)
		flags |= VHOST_BALLOON_REGION_GUEST_MEMFD;
	if (r->gfn + r->nr > BIT_ULL(32))
		flags |= VHOST_BALLOON_REGION_ABOVE_16T;
	return flags;
}

static void vb_region_list_add(struct vb_memory_listener *l, const struct vhost_balloon_slot *r)
{
	struct vb_region_list *list = container_of(l, struct vb_region_list, listener);

	if (list->total++ >= list->max)
		return;
	list->region[list->total - 1] = (struct vhost_balloon_region) {
		.gpa	= r->gfn << PAGE_SHIFT,
		.len	= r->nr << PAGE_SHIFT,
		.hva	= r->hva,
		.flags	= vb_region_flags(r),
		.slot	= r->id,
	};
}

static const struct vb_memory_listener_ops vb_region_list_ops = {
	.region_add	= vb_region_list_add,
};

/* Say what backs the regions, and hide addresses that aren't the caller's own. */
static void vb_region_list_finish(struct vhost_balloon *vb, struct vhost_balloon_region *region,
				  u32 nr)
{
	struct mm_struct *mm = vb_device_grab_mm(vb);
	u32 i;

	for (i = 0; i < nr; i++) {
		if (mm)
			region[i].backing = vb_discard_backing_at(mm, region[i].hva);
		if (mm != current->mm)
			region[i].hva = 0;
		cond_resched();
	}
	if (mm)
		mmdrop(mm);
}

static int vb_ioctl_get_regions(const struct vb_ioctl_call *call)
{
	struct vhost_balloon_regions *regions = call->arg;
	struct vb_region_list list = {
		.listener = { .ops = &vb_region_list_ops, .traced = true },
	};
	struct vhost_balloon *vb = call->ctx;
	int ret;

	if (regions->flags)
		return -EINVAL;
	list.max = min_t(u32, regions->nr, VHOST_BALLOON_REGIONS_MAX);
	/* One more, so that none isn't a special case. */
	list.region = kvcalloc(list.max + 1, sizeof(*list.region), GFP_KERNEL_ACCOUNT);
	if (!list.region)
		return -ENOMEM;
	ret = vb_memory_replay(&vb->memory, &list.listener, &regions->generation);
	if (ret)
		goto out_free;

	regions->total = list.total;
	regions->nr = min(list.total, list.max);
	vb_region_list_finish(vb, list.region, regions->nr);
	if (copy_to_user(u64_to_user_ptr(regions->regions), list.region,
			 regions->nr * sizeof(*list.region)))
		ret = -EFAULT;
out_free:
	kvfree(list.region);
	return ret;
}

/* The sample is copied before it's known whether all of it fits: it is small. */
static int vb_ioctl_get_stats(const struct vb_ioctl_call *call)
{
	struct vhost_balloon_stats *stats = call->arg;
	struct vhost_balloon *vb = call->ctx;
	struct vb_sample *sample;
	int ret = 0;

	if (stats->flags)
		return -EINVAL;
	sample = kmalloc(sizeof(*sample), GFP_KERNEL_ACCOUNT);
	if (!sample)
		return -ENOMEM;
	vb_stats_read(&vb->stats, sample, &stats->sequence, &stats->age);
	stats->total = sample->nr;
	stats->nr = min(stats->nr, stats->total);
	if (copy_to_user(u64_to_user_ptr(stats->stats), sample->stat,
			 stats->nr * sizeof(sample->stat[0])))
		ret = -EFAULT;
	kfree(sample);
	return ret;
}

static int vb_ioctl_set_stats_interval(const struct vb_ioctl_call *call)
{
	struct vhost_balloon_stats_interval *arg = call->arg;

	if (arg->interval > VHOST_BALLOON_STATS_INTERVAL_MAX)
		return -EINVAL;
	return vb_device_set_stats_interval(call->ctx, arg->interval);
}

static int vb_ioctl_refresh_stats(const struct vb_ioctl_call *call)
{
	struct vhost_balloon_refresh *arg = call->arg;

	if (arg->timeout > VHOST_BALLOON_REFRESH_TIMEOUT_MAX)
		return -EINVAL;
	return vb_device_refresh_stats(call->ctx, arg->timeout);
}

static int vb_ioctl_hint_start(const struct vb_ioctl_call *call)
{
	struct vhost_balloon_hint_start *arg = call->arg;

	return vb_device_hint_start(call->ctx, &arg->cmd_id);
}

static int vb_ioctl_hint_stop(const struct vb_ioctl_call *call)
{
	struct vhost_balloon_hint_stop *arg = call->arg;

	if (arg->how > VHOST_BALLOON_HINT_STOP_DONE)
		return -EINVAL;
	return vb_device_hint_stop(call->ctx, arg->how == VHOST_BALLOON_HINT_STOP_DONE);
}

/* Whether the pages are some that a guest may have: the last byte of them has an address. */
static bool vb_hint_fetch_arg_ok(const struct vhost_balloon_hint_fetch *arg)
{
	return !arg->flags && IS_ALIGNED(arg->gfn, 64) && arg->nr &&
	       arg->nr <= VHOST_BALLOON_HINT_FETCH_MAX &&
	       arg->gfn <= (U64_MAX >> VHOST_BALLOON_PAGE_SHIFT) + 1 - arg->nr;
}

static int vb_ioctl_hint_fetch(const struct vb_ioctl_call *call)
{
	struct vhost_balloon_hint_fetch *arg = call->arg;
	struct vhost_balloon *vb = call->ctx;
	size_t size;
	u64 *words;
	int ret;

	if (!vb_hint_fetch_arg_ok(arg))
		return -EINVAL;
	size = DIV_ROUND_UP(arg->nr, 64) * sizeof(*words);
	words = kvzalloc(size, GFP_KERNEL_ACCOUNT);
	if (!words)
		return -ENOMEM;
	ret = vb_hint_fetch(&vb->hint, arg->gfn, arg->nr, words, &arg->set);
	/* If this fails hints are lost, which costs the copying of pages that could be skipped. */
	if (!ret && copy_to_user(u64_to_user_ptr(arg->bitmap), words, size))
		ret = -EFAULT;
	kvfree(words);
	return ret;
}

/* Text for people, that does nothing to a terminal. */
static bool vb_reason_ok(const u8 *reason)
{
	size_t len = strnlen(reason, VHOST_BALLOON_REASON_SIZE);
	size_t i;

	if (len > VHOST_BALLOON_REASON_MAX)
		return false;
	for (i = 0; i < len; i++)
		if (!isascii(reason[i]) || !isprint(reason[i]))
			return false;
	return !memchr_inv(reason + len, 0, VHOST_BALLOON_REASON_SIZE - len);
}

/**
 * vb_control_inhibit - VHOST_BALLOON_SET_INHIBIT
 * @vb: the balloon
 * @who: calls it
 * @arg: the argument
 *
 * Context: process context.
 * Return: 0; -EINVAL; -EINTR.
 */
int vb_control_inhibit(struct vhost_balloon *vb, enum vb_inhibitor who,
		       const struct vhost_balloon_inhibit *arg)
{
	if (arg->inhibit > 1 || !vb_reason_ok(arg->reason) || !arg->inhibit != !arg->reason[0])
		return -EINVAL;
	return vb_device_set_inhibit(vb, who, arg);
}

static int vb_ioctl_inhibit_by_controller(const struct vb_ioctl_call *call)
{
	return vb_control_inhibit(call->ctx, VB_INHIBITOR_CONTROLLER, call->arg);
}

static const struct vb_ioctl vb_control_ioctls[] = {
	VB_IOCTL(VHOST_BALLOON_GET_INFO, struct vhost_balloon_info, queues, vb_ioctl_get_info),
	/* Counters are added often: any number of them will do. */
	VB_IOCTL(VHOST_BALLOON_GET_COUNTERS, struct vhost_balloon_counters, nr,
		 vb_ioctl_get_counters),
	VB_IOCTL(VHOST_BALLOON_GET_REGIONS, struct vhost_balloon_regions, generation,
		 vb_ioctl_get_regions),
	VB_IOCTL(VHOST_BALLOON_SET_TARGET, struct vhost_balloon_target, target,
		 vb_ioctl_set_target),
	VB_IOCTL(VHOST_BALLOON_GET_STATS, struct vhost_balloon_stats, age, vb_ioctl_get_stats),
	VB_IOCTL(VHOST_BALLOON_SET_STATS_INTERVAL, struct vhost_balloon_stats_interval, interval,
		 vb_ioctl_set_stats_interval),
	VB_IOCTL(VHOST_BALLOON_REFRESH_STATS, struct vhost_balloon_refresh, timeout,
		 vb_ioctl_refresh_stats),
	VB_IOCTL(VHOST_BALLOON_HINT_START, struct vhost_balloon_hint_start, cmd_id,
		 vb_ioctl_hint_start),
	VB_IOCTL(VHOST_BALLOON_HINT_STOP, struct vhost_balloon_hint_stop, how, vb_ioctl_hint_stop),
	VB_IOCTL(VHOST_BALLOON_HINT_FETCH, struct vhost_balloon_hint_fetch, set,
		 vb_ioctl_hint_fetch),
	VB_IOCTL(VHOST_BALLOON_SET_INHIBIT, struct vhost_balloon_inhibit, reason,
		 vb_ioctl_inhibit_by_controller),
	VB_IOCTL(VHOST_BALLOON_GET_TUNABLES, struct vhost_balloon_tunables, values,
		 vb_ioctl_get_tunables),
	VB_IOCTL(VHOST_BALLOON_SET_TUNABLES, struct vhost_balloon_tunables, values,
		 vb_ioctl_set_tunables),
};

/**
 * vb_control_ioctl - the ioctls that are about a balloon, for anyone who has a file of it
 * @vb: the balloon
 * @cmd: the ioctl
 * @arg: its argument
 *
 * Context: process context.
 * Return: 0, an errno, or -ENOIOCTLCMD if it is none of them.
 */
long vb_control_ioctl(struct vhost_balloon *vb, unsigned int cmd, unsigned long arg)
{
	if (READ_ONCE(vb->gone))
		return -ENODEV;
	return vb_ioctl_dispatch(vb_control_ioctls, ARRAY_SIZE(vb_control_ioctls), vb, cmd, arg);
}
