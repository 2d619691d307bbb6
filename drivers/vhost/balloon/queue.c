// SPDX-License-Identifier: GPL-2.0
/*
 * One virtqueue: how it is set up, started and stopped, and how its ring is reached.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vhost.h>

#include "compat.h"
#include "execution.h"
#include "queue.h"

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

/**
 * vb_queue_new_batch - go on to the next batch
 * @q: the queue; the caller holds its mutex
 */
void vb_queue_new_batch(struct vb_queue *q)
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
	q->garbled = false;
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

/**
 * vb_queue_signal_log - say that something was logged
 * @q: the queue; the caller holds its mutex
 *
 * Context: process context, not inside a section.
 */
void vb_queue_signal_log(struct vb_queue *q)
{
	spin_lock(&q->cb_lock);
	vb_callback_call(&q->log_cb);
	spin_unlock(&q->cb_lock);
	q->log.dirty = false;
}

/**
 * vb_queue_signal - interrupt the guest
 * @q: the queue; the caller holds its mutex
 *
 * Context: process context, not inside a section.
 */
void vb_queue_signal(struct vb_queue *q)
{
	spin_lock(&q->cb_lock);
	vb_callback_call(&q->cb);
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
