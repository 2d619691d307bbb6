// SPDX-License-Identifier: GPL-2.0
/*
 * One virtqueue at work.
 *
 * A pass goes round three phases: it collects requests into a batch, acts on
 * the batch, and completes it. Each phase runs in sections (see memory.h), and
 * can stop anywhere: where it stopped is in the queue, so that whoever
 * comes next goes on from there.
 *
 * In a section nothing may be waited for that userspace controls, and a page of
 * the VMM's that isn't present is such a thing: a userfaultfd or a FUSE server may
 * be behind it. So there page faults are disabled. When one would have happened,
 * the section is left, the page faulted in, and the step done over in a new
 * section, in which every address is translated anew.
 *
 * An inline pass is one on the thread that kicked, in the middle of whatever that
 * does: for a vCPU, between two entries of its guest. It tries locks instead of waiting for them
 * (those that fallocate() takes by itself were free a moment before), faults
 * nothing in, and takes on one batch. What it can't do it leaves to the worker, where it
 * stopped.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "queue.h"
#include "trace.h"

/* Batches of a pass, before others have their turn: 256 MiB of page numbers. */
#define VB_PASS_BATCHES		64

/*
 * Chains collected in one section. A chain may have twice as many descriptors as the
 * ring has entries and not a single page number, so it is they that take the time.
 */
#define VB_SECTION_CHAINS	64

/*
 * Faults in a row at the same step. Memory that goes as fast as it is faulted in
 * is taken for memory that isn't there.
 */
#define VB_FAULTS_MAX		64

/* The chain is through, well or not: have it completed with the batch. */
static void vb_queue_chain_end(struct vb_queue *q)
{
	q->batch->head[q->batch->nr_heads++] = q->chain.head;
	q->chain.active = false;
	q->carry_len = 0;
	q->chain_bytes = 0;
	q->faults = 0;
}

static void vb_queue_chain_malformed(struct vb_queue *q)
{
	vb_count(q->counters, VHOST_BALLOON_C_MALFORMED, 1);
	q->garbled = true;
	vb_queue_chain_end(q);
}

/* An errno of a chain that says nothing about the ring. */
static bool vb_queue_is_chain_error(const struct vb_queue *q, int err)
{
	if (err == -EINVAL)
		return true;
	return err == -ENXIO && q->acc_space == VB_SPACE_GUEST;
}

/*
 * Returns 1 when the batch is full, 0 when there are no more requests, VB_QUEUE_AGAIN when
 * this section took long enough, or an errno.
 */
static int vb_queue_collect(struct vb_queue *q)
{
	unsigned int chains;
	int ret;

	for (chains = 0; q->batch->nr_heads < q->ops->max_heads; chains++) {
		if (chains == VB_SECTION_CHAINS)
			return VB_QUEUE_AGAIN;
		if (!q->chain.active) {
			ret = vb_vring_next(&q->vring, &q->acc, &q->chain);
			if (ret <= 0)
				return ret;
		}
		ret = q->ops->collect(q);
		if (!ret)
			return 1;
		if (ret == VB_QUEUE_AGAIN)
			return ret;
		if (ret > 0)
			vb_queue_chain_end(q);
		else if (vb_queue_is_chain_error(q, ret))
			vb_queue_chain_malformed(q);
		else
			return ret;
	}
	return 1;
}

/* Write the used entries, then the index, then find out whether the guest wants to know. */
static int vb_queue_complete(struct vb_queue *q)
{
	struct vb_batch *b = q->batch;
	int ret;

	/* A part of a long chain: nothing to tell the guest of yet. */
	if (!b->nr_heads)
		return 0;
	for (; b->nr_used < b->nr_heads; b->nr_used++) {
		/* Nothing was written into the buffers, and that's what the length says. */
		ret = vb_vring_add_used(&q->vring, &q->acc, b->head[b->nr_used], 0);
		if (ret)
			return ret;
	}
	ret = vb_vring_publish(&q->vring, &q->acc);
	if (ret)
		return ret;
	return vb_vring_should_signal(&q->vring, &q->acc);
}

/**
 * vb_queue_leave - leave an inline pass, and the rest to the worker
 * @q: the queue; the caller holds its mutex
 * @why: what to count
 *
 * Return: -EAGAIN.
 */
int vb_queue_leave(struct vb_queue *q, enum vhost_balloon_counter why)
{
	vb_count(q->counters, why, 1);
	return -EAGAIN;
}

/**
 * vb_queue_enter - begin a section, by the rules of the pass
 * @q: the queue; the caller holds its mutex
 *
 * Context: process context; doesn't sleep if the pass is inline.
 * Return: as vb_memory_enter(); -EAGAIN to leave an inline pass.
 */
int vb_queue_enter(struct vb_queue *q)
{
	int ret;

	if (!q->is_inline)
		return vb_memory_enter(q->memory);
	ret = vb_memory_try_enter(q->memory);
	if (ret == -EAGAIN)
		return vb_queue_leave(q, VHOST_BALLOON_C_WORKER_LOCK);
	if (ret)
		return vb_queue_leave(q, VHOST_BALLOON_C_WORKER_MEMORY);
	return 0;
}

static int vb_queue_begin(struct vb_queue *q)
{
	int ret;

	if (!q->started) {
		ret = vb_vring_start(&q->vring, &q->acc);
		if (ret)
			return ret;
		q->started = true;
	}
	return vb_vring_disable_notify(&q->vring, &q->acc);
}

static int vb_queue_end(struct vb_queue *q)
{
	return vb_vring_enable_notify(&q->vring, &q->acc);
}

/*
 * Fault in what a step couldn't reach. Returns 0 to try again, -EINTR if there is
 * a signal to see to first, -ENXIO if it can't be reached.
 */
static int vb_queue_fault_in(struct vb_queue *q)
{
	const struct vb_vring_access *acc = &q->acc;
	size_t left;

	vb_count(q->counters, VHOST_BALLOON_C_FAULTS, 1);
	if (acc->fault_write)
		left = fault_in_safe_writeable((char __user *)acc->fault_uaddr, acc->fault_len);
	else
		left = fault_in_readable((const char __user *)acc->fault_uaddr, acc->fault_len);
	if (signal_pending(current))
		return -EINTR;
	if (left || ++q->faults > VB_FAULTS_MAX)
		return -ENXIO;
	return 0;
}

/*
 * Run a step in a section. Returns what it returned; but never -EFAULT: when
 * memory can't be faulted in, it's -ENXIO for a chain's and -EBADMSG for the ring's.
 * -EAGAIN to leave an inline pass.
 */
static int vb_queue_step(struct vb_queue *q, int (*step)(struct vb_queue *q))
{
	int ret;

	for (;;) {
		ret = vb_queue_enter(q);
		if (ret)
			return ret == -ENXIO ? -ENODEV : ret;
		pagefault_disable();
		ret = step(q);
		pagefault_enable();
		vb_memory_leave(q->memory);
		if (q->log.dirty)
			vb_queue_signal_log(q);
		if (ret != -EFAULT) {
			q->faults = 0;
			return ret;
		}

		if (q->is_inline)
			return vb_queue_leave(q, VHOST_BALLOON_C_WORKER_FAULT);
		ret = vb_queue_fault_in(q);
		if (ret == -EINTR)
			return ret;
		if (ret)
			break;
		cond_resched();
	}

	q->faults = 0;
	if (q->acc_space == VB_SPACE_GUEST)
		return -ENXIO;
	q->vring.broken = VHOST_BALLOON_BROKEN_RING_ACCESS;
	return -EBADMSG;
}

/* How a pass ends that a step's errno doesn't let go on. */
static enum vb_queue_result vb_queue_failed(int err)
{
	switch (err) {
	case -EBADMSG:
		return VB_QUEUE_NOW_BROKEN;
	case -EINTR:
		return VB_QUEUE_INTERRUPTED;
	case -EAGAIN:
		return VB_QUEUE_MORE;
	default:
		/* The ring's memory isn't there, or we have none for the regions. */
		return VB_QUEUE_LATER;
	}
}

static void vb_queue_begin_act(struct vb_queue *q)
{
	struct vb_ranges *ranges = &q->batch->ranges;

	if (ranges->pages) {
		vb_count(q->counters, q->ops->counter, ranges->pages);
		vb_count(q->counters, VHOST_BALLOON_C_DUPLICATE, vb_ranges_merge(ranges));
	}
	q->cursor = (struct vb_cursor){ .ranges = ranges };
	q->discard.bytes = 0;
	q->phase = VB_QUEUE_ACT;
}

/* Returns 1 when there is a batch to act on, 0 when there is nothing to do, or an errno. */
static int vb_queue_phase_collect(struct vb_queue *q)
{
	int ret;

	do {
		ret = vb_queue_step(q, vb_queue_collect);
		cond_resched();
		if (ret == VB_QUEUE_AGAIN && q->is_inline)
			return vb_queue_leave(q, VHOST_BALLOON_C_WORKER_LEFT);
		if (ret == VB_QUEUE_AGAIN && (READ_ONCE(q->stop) || signal_pending(current)))
			return -EINTR;
	} while (ret == VB_QUEUE_AGAIN);
	/* A buffer that can't be faulted in: complete what there is, and go on after it. */
	if (ret == -ENXIO && q->chain.active && q->acc_space == VB_SPACE_GUEST) {
		vb_queue_chain_malformed(q);
		ret = 1;
	}
	if (ret < 0)
		return ret;
	if (!q->batch->nr_heads && !q->batch->ranges.nr)
		return ret;
	vb_queue_begin_act(q);
	return 1;
}

static int vb_queue_phase_act(struct vb_queue *q)
{
	int ret;

	ret = q->ops->act(q);
	if (ret)
		/* An errno, or VB_QUEUE_HOLD. */
		return ret;
	q->phase = VB_QUEUE_COMPLETE;
	return 1;
}

static int vb_queue_phase_complete(struct vb_queue *q)
{
	struct vb_batch *b = q->batch;
	int ret;

	ret = vb_queue_step(q, vb_queue_complete);
	if (ret < 0)
		return ret;
	vb_count(q->counters, VHOST_BALLOON_C_CHAINS, b->nr_heads);
	if (ret)
		vb_queue_signal(q);
	else if (b->nr_heads)
		vb_count(q->counters, VHOST_BALLOON_C_SIGNALS_SUPPRESSED, 1);
	vb_queue_new_batch(q);
	return 1;
}

/*
 * Go on with the batch, whatever it is waiting for. Returns as vb_queue_phase_collect(), or
 * VB_QUEUE_HOLD.
 */
static int vb_queue_batch(struct vb_queue *q)
{
	u64 start = trace_vhost_balloon_batch_enabled() ? ktime_get_ns() : 0;
	bool acted = q->phase != VB_QUEUE_COMPLETE;
	int ret = 1;

	if (q->phase == VB_QUEUE_COLLECT)
		ret = vb_queue_phase_collect(q);
	if (ret > 0 && q->phase == VB_QUEUE_ACT)
		ret = vb_queue_phase_act(q);
	if (ret <= 0 || q->phase != VB_QUEUE_COMPLETE)
		return ret;
	/* Not again if the pass before couldn't complete it. */
	if (start && acted)
		trace_vhost_balloon_batch(q->id, q->index, q->role, &q->batch->ranges,
					  q->discard.bytes, ktime_get_ns() - start,
					  q->is_inline);
	return vb_queue_phase_complete(q);
}

static enum vb_queue_result vb_queue_pass_locked(struct vb_queue *q)
{
	unsigned int batches;
	int ret;

	if (READ_ONCE(q->stop))
		return VB_QUEUE_MORE;
	ret = vb_queue_step(q, vb_queue_begin);
	if (ret >= 0 && q->ops->prepare)
		ret = q->ops->prepare(q);
	for (batches = 0; ret >= 0 && batches < VB_PASS_BATCHES; batches++) {
		if (READ_ONCE(q->stop))
			return VB_QUEUE_MORE;
		if (signal_pending(current))
			return VB_QUEUE_INTERRUPTED;
		ret = vb_queue_batch(q);
		cond_resched();
		if (ret == VB_QUEUE_HOLD)
			return VB_QUEUE_IDLE;
		if (ret)
			continue;
		ret = vb_queue_step(q, vb_queue_end);
		if (!ret)
			return VB_QUEUE_IDLE;
	}
	return ret < 0 ? vb_queue_failed(ret) : VB_QUEUE_MORE;
}

/* One batch, and whether there is more already. */
static enum vb_queue_result vb_queue_pass_inline_locked(struct vb_queue *q)
{
	int ret;

	ret = vb_queue_step(q, vb_queue_begin);
	if (ret >= 0)
		ret = vb_queue_batch(q);
	if (ret >= 0 && !q->chain.active)
		ret = vb_queue_step(q, vb_queue_end);
	if (ret > 0)
		ret = vb_queue_leave(q, VHOST_BALLOON_C_WORKER_LEFT);
	else if (ret == -ENXIO)
		ret = vb_queue_leave(q, VHOST_BALLOON_C_WORKER_MEMORY);
	return ret < 0 ? vb_queue_failed(ret) : VB_QUEUE_IDLE;
}

static bool vb_queue_is_served(const struct vb_queue *q)
{
	return q->running && !q->vring.broken;
}

static bool vb_queue_is_between_batches(const struct vb_queue *q)
{
	return q->phase == VB_QUEUE_COLLECT && !q->batch->nr_heads && !q->batch->ranges.nr;
}

/**
 * vb_queue_flush - go on with what was left over by requests that were completed
 * @q: the inflate queue
 * @all: all of it, and not only what has waited for long enough
 *
 * Context: as vb_queue_pass().
 * Return: whether to come again later.
 */
bool vb_queue_flush(struct vb_queue *q, bool all)
{
	bool more = false;

	if (mutex_lock_killable(&q->lock))
		return false;
	if (vb_queue_is_served(q)) {
		more = true;
		if (vb_queue_is_between_batches(q) && !READ_ONCE(q->stop))
			more = q->ops->flush(q, all);
	}
	mutex_unlock(&q->lock);
	return more;
}

/**
 * vb_queue_pass - serve a queue for a while
 * @q: the queue
 *
 * Context: process context, in the address space of the memory's owner. Takes
 *	the queue mutex; sleeps, if need be for as long as userspace likes.
 * Return: how it ended. A queue that isn't running, or is broken, is idle.
 */
enum vb_queue_result vb_queue_pass(struct vb_queue *q)
{
	enum vb_queue_result result = VB_QUEUE_IDLE;

	if (mutex_lock_killable(&q->lock))
		return VB_QUEUE_INTERRUPTED;
	if (vb_queue_is_served(q)) {
		vb_count(q->counters, VHOST_BALLOON_C_PASSES, 1);
		result = vb_queue_pass_locked(q);
	}
	mutex_unlock(&q->lock);
	return result;
}

/**
 * vb_queue_pass_inline - serve a queue as far as that can be done at once
 * @q: the queue, with a protocol that can do this
 *
 * Context: process context of a thread that is about to return to user mode or to its guest.
 *	Doesn't wait for locks, as far as they can be tried.
 * Return: VB_QUEUE_IDLE; VB_QUEUE_NOW_BROKEN; or VB_QUEUE_MORE for the worker to go on. A
 *	queue that isn't running, is broken, or is another process's by now, is idle.
 */
enum vb_queue_result vb_queue_pass_inline(struct vb_queue *q)
{
	enum vb_queue_result result = VB_QUEUE_IDLE;

	if (READ_ONCE(q->stop) || !mutex_trylock(&q->lock)) {
		vb_count(q->counters, VHOST_BALLOON_C_WORKER_LOCK, 1);
		return VB_QUEUE_MORE;
	}
	if (vb_queue_is_served(q) && q->mm == current->mm) {
		vb_count(q->counters, VHOST_BALLOON_C_PASSES, 1);
		vb_count(q->counters, VHOST_BALLOON_C_PASSES_INLINE, 1);
		WRITE_ONCE(q->is_inline, true);
		result = vb_queue_pass_inline_locked(q);
		WRITE_ONCE(q->is_inline, false);
	}
	mutex_unlock(&q->lock);
	return result;
}
