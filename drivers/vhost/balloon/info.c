// SPDX-License-Identifier: GPL-2.0
/*
 * What a balloon says of itself.
 *
 * Who asks must never wait for a pass: it may be waiting for the VMM.
 */
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/virtio_balloon.h>

#include "compat.h"
#include "device.h"

static void vb_vq_info(const struct vb_vq *vq, struct vhost_balloon_queue_info *info)
{
	const struct vb_queue *q = &vq->queue;
	bool running = READ_ONCE(q->running);

	info->role = READ_ONCE(q->role);
	if (vq->ready)
		info->flags |= VHOST_BALLOON_QUEUE_READY;
	info->broken = READ_ONCE(q->vring.broken);
	if (info->broken)
		info->flags |= VHOST_BALLOON_QUEUE_BROKEN;
	info->num = q->num;
	info->last_avail = running ? READ_ONCE(q->vring.last_avail) : q->base;
	info->last_used = READ_ONCE(q->vring.next_used);
}

static u64 vb_device_info_flags(struct vhost_balloon *vb)
{
	u64 flags = vb->params.info_flags;
	struct vb_worker *w;

	if (READ_ONCE(vb->running))
		flags |= VHOST_BALLOON_INFO_RUNNING;
	if (READ_ONCE(vb->many_vms))
		flags |= VHOST_BALLOON_INFO_MANY_VMS;
	if (READ_ONCE(vb->above_16t))
		flags |= VHOST_BALLOON_INFO_ABOVE_16T;
	if (!VB_CAN_ZAP)
		flags |= VHOST_BALLOON_INFO_NO_ZAP;
	if (!VB_CAN_INLINE)
		flags |= VHOST_BALLOON_INFO_NO_INLINE;
	rcu_read_lock();
	w = rcu_dereference(vb->worker);
	if (w)
		flags |= VHOST_BALLOON_INFO_OWNED;
	if (w && vb_worker_killed(w))
		flags |= VHOST_BALLOON_INFO_WORKER_KILLED;
	rcu_read_unlock();
	return flags;
}

static s32 vb_device_pid(struct vhost_balloon *vb)
{
	s32 pid;

	spin_lock(&vb->config_lock);
	pid = pid_nr_ns(vb->pid, task_active_pid_ns(current));
	spin_unlock(&vb->config_lock);
	return pid;
}

/**
 * vb_device_info - what a balloon is and how it is doing
 * @vb: the balloon
 * @info: filled, all but its size
 *
 * No mutex is waited for: it may be held by who waits for a VMM.
 *
 * Context: process context; may sleep.
 */
void vb_device_info(struct vhost_balloon *vb, struct vhost_balloon_info *info)
{
	unsigned int i;

	vb_memory_refresh(&vb->memory);
	info->flags = vb_device_info_flags(vb);
	info->id = vb->id;
	memcpy(info->name, vb->params.name, sizeof(info->name));
	info->pid = vb_device_pid(vb);
	info->source = READ_ONCE(vb->memory.type);
	info->ram = READ_ONCE(vb->ram);
	info->features_offered = vb->params.features;
	info->features = READ_ONCE(vb->features);
	info->generation = READ_ONCE(vb->memory.generation);
	info->nr_regions = READ_ONCE(vb->memory.nr);
	info->nr_queues = VB_NR_QUEUES;
	for (i = 0; i < VB_NR_QUEUES; i++)
		vb_vq_info(&vb->vq[i], &info->queues[i]);
	vb_device_target_actual(vb, &info->target, &info->actual);
	vb_device_inhibit_info(vb, info);
	info->hint_state = READ_ONCE(vb->hint.state);
	info->hint_cmd_id = READ_ONCE(vb->hint.cmd_id);
	if (info->features & BIT_ULL(VIRTIO_BALLOON_F_PAGE_POISON))
		info->poison_val = READ_ONCE(vb->poison_val);
	info->stats_interval = READ_ONCE(vb->stats_interval);
}

/**
 * vb_device_counters - read the counters
 * @vb: the balloon
 * @value: filled, VHOST_BALLOON_NR_COUNTERS of them
 *
 * Context: any.
 */
void vb_device_counters(struct vhost_balloon *vb, u64 *value)
{
	unsigned int i;

	for (i = 0; i < VHOST_BALLOON_NR_COUNTERS; i++)
		value[i] = atomic64_read(&vb->counters.value[i]);
}
