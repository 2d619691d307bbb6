// SPDX-License-Identifier: GPL-2.0
/*
 * Kicks: where a virtqueue's pass runs.
 *
 * A pending inline pass holds a reference to the balloon and one to the module. Nobody
 * waits for it, since who tears the balloon down may be the thread that has to run it. It finds
 * the queue stopped then, or another process's, and drops its references.
 */
#include <linux/mm_types.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "compat.h"
#include "device.h"
#include "trace.h"

/* The parameter can't be called "inline": that is a macro. */
static bool vb_serve_inline = true;
module_param_named(serve_inline, vb_serve_inline, bool, 0644);
MODULE_PARM_DESC(serve_inline, "have new balloons serve queues on the thread that kicked (default on)");

/**
 * vb_device_default_tunables - what is switched on in a new balloon
 *
 * Return: VHOST_BALLOON_TUNE_*.
 */
u64 vb_device_default_tunables(void)
{
	u64 tunables = VHOST_BALLOON_TUNE_THP;

	if (VB_CAN_INLINE && READ_ONCE(vb_serve_inline))
		tunables |= VHOST_BALLOON_TUNE_INLINE;
	return tunables;
}

static void vb_vq_leave_to_worker(struct vb_vq *vq, enum vhost_balloon_counter why)
{
	vb_count(&vq->vb->counters, why, 1);
	vb_vq_queue_work(vq);
}

static void vb_vq_pass_inline(struct vb_vq *vq)
{
	switch (vb_queue_pass_inline(&vq->queue)) {
	case VB_QUEUE_IDLE:
		break;
	case VB_QUEUE_NOW_BROKEN:
		vb_vq_broken(vq);
		break;
	default:
		vb_vq_queue_work(vq);
		break;
	}
}

static void vb_vq_run_inline(struct vb_inline *in)
{
	struct vb_vq *vq = container_of(in, struct vb_vq, in);
	struct vhost_balloon *vb = vq->vb;

	/* A killed thread has to get to its exit, even if each pass brings about another kick. */
	if (vb_inline_is_fit(READ_ONCE(vb->mm)) && !fatal_signal_pending(current))
		vb_vq_pass_inline(vq);
	else
		vb_vq_leave_to_worker(vq, VHOST_BALLOON_C_WORKER_EXIT);
	vb_device_put(vb);
	module_put(THIS_MODULE);
}

/*
 * Have a pass run on this thread, or return why not. Who kicks holds the balloon and the module,
 * so that references can be taken.
 */
static int vb_vq_try_inline(struct vb_vq *vq)
{
	const struct vb_queue_ops *ops = READ_ONCE(vq->queue.ops);
	struct vhost_balloon *vb = vq->vb;

	if (!VB_CAN_INLINE || !(READ_ONCE(vb->tunables) & VHOST_BALLOON_TUNE_INLINE))
		return VHOST_BALLOON_C_WORKER_OFF;
	if (!ops || !ops->can_inline || !ops->can_inline(&vq->queue))
		return VHOST_BALLOON_C_WORKER_ROLE;
	/* A queue's interrupt may count as its own kick, or as another's. */
	if (READ_ONCE(vq->queue.is_inline) || vb_callback_is_running())
		return VHOST_BALLOON_C_WORKER_OVERLAP;
	switch (vb_inline_add(&vq->in, READ_ONCE(vb->mm))) {
	case VB_INLINE_ADDED:
		__module_get(THIS_MODULE);
		vb_device_get(vb);
		break;
	case VB_INLINE_PENDING:
		break;
	case VB_INLINE_ELSEWHERE:
		return VHOST_BALLOON_C_WORKER_OVERLAP;
	case VB_INLINE_UNFIT:
		return VHOST_BALLOON_C_WORKER_KICKER;
	}
	return -1;
}

/**
 * vb_vq_init_inline - make ready for inline passes
 * @vq: the queue
 */
void vb_vq_init_inline(struct vb_vq *vq)
{
	vb_inline_init(&vq->in, vb_vq_run_inline);
}

/**
 * vhost_balloon_kick - the guest has made buffers available
 * @vb: the balloon
 * @index: of the virtqueue
 *
 * Context: any, interrupts off included.
 */
void vhost_balloon_kick(struct vhost_balloon *vb, unsigned int index)
{
	struct vb_vq *vq;
	int why;

	if (index >= VB_NR_QUEUES)
		return;
	vq = &vb->vq[index];
	vb_count(&vb->counters, VHOST_BALLOON_C_KICKS, 1);
	trace_vhost_balloon_kick(vb->id, index);
	why = vb_vq_try_inline(vq);
	if (why >= 0)
		vb_vq_leave_to_worker(vq, why);
}
EXPORT_SYMBOL_GPL(vhost_balloon_kick);
