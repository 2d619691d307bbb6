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
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vhost.h>

#include "compat.h"
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

static int vb_queue_translate_guest(struct vb_queue *q, u64 gpa, size_t len, bool write,
				    void __user **uaddr)
{
	struct vhost_balloon_slot slot;
	u64 gfn = gpa >> PAGE_SHIFT;
	u64 offset;

	if (vb_memory_find(q->memory, gfn, &slot) || slot.gfn > gfn)
		return -ENXIO;
	if (slot.flags & (VHOST_BALLOON_SLOT_PRIVATE | VHOST_BALLOON_SLOT_INVALID))
		return -ENXIO;
	if (write && (slot.flags & VHOST_BALLOON_SLOT_READONLY))
		return -ENXIO;

	offset = gpa - (slot.gfn << PAGE_SHIFT);
	*uaddr = (void __user *)(slot.hva + (unsigned long)offset);
	return min_t(u64, min_t(u64, len, INT_MAX), (slot.nr << PAGE_SHIFT) - offset);
}

static ssize_t vb_queue_translate(struct vb_vring_access *acc, enum vb_vring_space space,
				  u64 addr, size_t len, bool write, void __user **uaddr)
{
	struct vb_queue *q = container_of(acc, struct vb_queue, acc);

	q->acc_space = space;
	if (space == VB_SPACE_GUEST || q->guest_ring)
		return vb_queue_translate_guest(q, addr, len, write, uaddr);
	*uaddr = (void __user *)(unsigned long)addr;
	return len;
}

static int vb_queue_log_page(struct vb_queue *q, u64 page)
{
	u32 __user *word = (u32 __user *)(unsigned long)(q->log.base + page / 32 * sizeof(u32));

	if (!vb_user_or_u32(word, 1U << (page % 32)))
		return 0;
	q->acc_space = VB_SPACE_RING;
	q->acc.fault_uaddr = word;
	q->acc.fault_len = sizeof(*word);
	q->acc.fault_write = true;
	return -EFAULT;
}

/*
 * A piece of the ring was written, and all that is written is in the used ring. The bit is
 * set after that: whoever finds and clears it sees what was written.
 */
static int vb_queue_written(struct vb_vring_access *acc, u64 addr, size_t len)
{
	struct vb_queue *q = container_of(acc, struct vb_queue, acc);
	u64 start = q->log.used + (addr - q->vring.used);
	u64 page;
	int ret;

	if (!q->log.enabled || !q->log.base)
		return 0;
	for (page = start / VHOST_PAGE_SIZE; page <= (start + len - 1) / VHOST_PAGE_SIZE; page++) {
		ret = vb_queue_log_page(q, page);
		if (ret)
			return ret;
	}
	q->log.dirty = true;
	return 0;
}

/**
 * vb_queue_init - make a queue, not running, and without a protocol
 * @q: the queue, zeroed
 * @memory: the guest's memory
 * @counters: where to count
 *
 * Return: 0 or -ENOMEM.
 */
int vb_queue_init(struct vb_queue *q, struct vb_memory *memory, struct vb_counters *counters)
{
	q->batch = kvzalloc(sizeof(*q->batch), GFP_KERNEL_ACCOUNT);
	if (!q->batch)
		return -ENOMEM;
	vb_ranges_init(&q->batch->ranges, q->batch->range, ARRAY_SIZE(q->batch->range));
	mutex_init(&q->lock);
	spin_lock_init(&q->cb_lock);
	q->role = VHOST_BALLOON_ROLE_NONE;
	q->memory = memory;
	q->counters = counters;
	q->discard.memory = memory;
	q->discard.counters = counters;
	q->acc.translate = vb_queue_translate;
	q->acc.written = vb_queue_written;
	return 0;
}

/**
 * vb_queue_destroy - free what a queue holds
 * @q: the queue, with nobody using it
 */
void vb_queue_destroy(struct vb_queue *q)
{
	mutex_destroy(&q->lock);
	kvfree(q->batch);
}

/**
 * vb_queue_lock_to_stop - take the queue mutex, ending a pass in progress soon
 * @q: the queue
 * @killable: give up when killed
 *
 * Return: 0, or -EINTR.
 */
int vb_queue_lock_to_stop(struct vb_queue *q, bool killable)
{
	int ret = 0;

	WRITE_ONCE(q->stop, true);
	if (killable)
		ret = mutex_lock_killable(&q->lock);
	else
		mutex_lock(&q->lock);
	WRITE_ONCE(q->stop, false);
	return ret;
}

static void vb_queue_new_batch(struct vb_queue *q)
{
	vb_ranges_reset(&q->batch->ranges);
	q->batch->nr_heads = 0;
	q->batch->nr_used = 0;
	q->cursor = (struct vb_cursor){};
	q->phase = VB_QUEUE_COLLECT;
}

/**
 * vb_queue_start - begin to run
 * @q: the queue, with ring, base and protocol set; the caller holds its mutex
 * @features: the negotiated features
 */
void vb_queue_start(struct vb_queue *q, u64 features)
{
	vb_vring_init(&q->vring, q->num, q->desc, q->avail, q->used, q->base, features);
	memset(&q->chain, 0, sizeof(q->chain));
	q->chain_bytes = 0;
	q->carry_len = 0;
	q->garbled = false;
	vb_queue_new_batch(q);
	if (q->ops->start)
		q->ops->start(q);
	q->faults = 0;
	q->started = false;
	q->running = true;
	WRITE_ONCE(q->stop, false);
}

/* The batch's used entries are in the guest's sight, and only the interrupt is missing. */
static bool vb_queue_unsignalled(const struct vb_queue *q)
{
	return q->phase == VB_QUEUE_COMPLETE && q->batch->nr_used &&
	       q->vring.used_published == q->vring.next_used;
}

/**
 * vb_queue_base - the available index to go on from
 * @q: the queue; the caller holds its mutex
 *
 * Requests that were collected and not completed are to be done again: nothing
 * is lost by discarding a page twice before its request is completed.
 *
 * Return: the index.
 */
u16 vb_queue_base(const struct vb_queue *q)
{
	u16 again = q->chain.active;

	if (!q->running)
		return q->base;
	if (!vb_queue_unsignalled(q))
		again += q->batch->nr_heads;
	return q->vring.last_avail - again;
}

/**
 * vb_queue_reset - forget how the ring was set up
 * @q: the queue, not running; the caller holds its mutex
 */
void vb_queue_reset(struct vb_queue *q)
{
	q->num = 0;
	q->desc = 0;
	q->avail = 0;
	q->used = 0;
	q->base = 0;
	q->guest_ring = false;
	q->log = (struct vb_queue_log){};
	memset(&q->vring, 0, sizeof(q->vring));
	vb_queue_set_callback(q, (struct vhost_balloon_callback){});
}

/**
 * vb_queue_set_callback - set what interrupts the guest
 * @q: the queue
 * @cb: the callback; the former one isn't called any more after this
 */
void vb_queue_set_callback(struct vb_queue *q, struct vhost_balloon_callback cb)
{
	spin_lock(&q->cb_lock);
	q->cb = cb;
	spin_unlock(&q->cb_lock);
}

/**
 * vb_queue_set_log_callback - set what says that something was logged
 * @q: the queue
 * @cb: the callback; the former one isn't called any more after this
 */
void vb_queue_set_log_callback(struct vb_queue *q, struct vhost_balloon_callback cb)
{
	spin_lock(&q->cb_lock);
	q->log_cb = cb;
	spin_unlock(&q->cb_lock);
}

static void vb_queue_signal_log(struct vb_queue *q)
{
	spin_lock(&q->cb_lock);
	if (q->log_cb.fn)
		q->log_cb.fn(q->log_cb.arg);
	spin_unlock(&q->cb_lock);
	q->log.dirty = false;
}

static void vb_queue_signal(struct vb_queue *q)
{
	spin_lock(&q->cb_lock);
	if (q->cb.fn)
		q->cb.fn(q->cb.arg);
	spin_unlock(&q->cb_lock);
	vb_count(q->counters, VHOST_BALLOON_C_SIGNALS, 1);
}

/**
 * vb_queue_stop - stop running
 * @q: the queue; the caller holds its mutex
 */
void vb_queue_stop(struct vb_queue *q)
{
	/* Whether the guest wants it couldn't be read. One too many does no harm. */
	if (vb_queue_unsignalled(q))
		vb_queue_signal(q);
	q->base = vb_queue_base(q);
	q->running = false;
}

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
 */
static int vb_queue_step(struct vb_queue *q, int (*step)(struct vb_queue *q))
{
	int ret;

	for (;;) {
		ret = vb_memory_enter(q->memory);
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
					  q->discard.bytes, ktime_get_ns() - start);
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
	if (q->running && !q->vring.broken) {
		vb_count(q->counters, VHOST_BALLOON_C_PASSES, 1);
		result = vb_queue_pass_locked(q);
	}
	mutex_unlock(&q->lock);
	return result;
}
