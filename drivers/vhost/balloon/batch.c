// SPDX-License-Identifier: GPL-2.0
/*
 * What is done to the pages of a batch: they are discarded, taken out of what was
 * gathered, or populated. All of it goes on where it was left when it is
 * called for the same batch again. And what is done to huge pages that didn't become complete.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>

#include "batch.h"
#include "pagebits.h"
#include "thp.h"

/* Pages populated before somebody may have us stop. */
#define VB_POPULATE_STEP	512

/* Whether to leave the rest of the batch for another pass. */
static bool vb_batch_must_stop(const struct vb_queue *q)
{
	return fatal_signal_pending(current) || READ_ONCE(q->stop);
}

/* One step of discarding, in a section of its own. */
static int vb_batch_discard_step(struct vb_queue *q)
{
	int ret;

	ret = vb_queue_enter(q);
	if (ret == -ENXIO) {
		/* The memory went after the pages were named. */
		vb_discard_skip(&q->discard, &q->cursor, VHOST_BALLOON_C_SKIP_NO_SLOT);
		return 0;
	}
	if (ret)
		return ret;
	ret = vb_discard_step(&q->discard, &q->cursor);
	vb_memory_leave(q->memory);
	if (ret == -EAGAIN)
		ret = q->is_inline ? vb_queue_leave(q, VHOST_BALLOON_C_WORKER_LOCK) :
				     vb_discard_wait(&q->discard);
	vb_discard_finish(&q->discard);
	return ret < 0 ? ret : q->cursor.index < q->batch->ranges.nr;
}

/**
 * vb_batch_discard - discard the pages
 * @q: the queue
 *
 * Context: process context, not inside a section; may sleep.
 * Return: 0; -EINTR or -ENOMEM to be called again later; -EAGAIN to leave an inline pass.
 */
int vb_batch_discard(struct vb_queue *q)
{
	struct vb_pagebits *gather = q->discard.gather;
	int ret;

	if (gather && READ_ONCE(gather->missing)) {
		if (q->is_inline)
			return vb_queue_leave(q, VHOST_BALLOON_C_WORKER_MEMORY);
		/* Where there is no memory for bits, a huge page has to come as a whole. */
		if (vb_pagebits_cover(gather) == -EINTR)
			return -EINTR;
	}
	/* A report of large blocks: the worker is needed for it, and may do all of it. */
	if (q->is_inline && q->batch->ranges.pages > VB_BATCH_PFNS)
		return vb_queue_leave(q, VHOST_BALLOON_C_WORKER_LEFT);
	do {
		ret = vb_batch_discard_step(q);
		if (ret > 0 && q->is_inline)
			return vb_queue_leave(q, VHOST_BALLOON_C_WORKER_LEFT);
		if (ret > 0 && vb_batch_must_stop(q))
			return -EINTR;
		cond_resched();
	} while (ret > 0);
	return ret;
}

static int vb_batch_ungather_all(struct vb_queue *q)
{
	if (mutex_lock_killable(&q->memory->lock))
		return -EINTR;
	vb_thp_clear(q->discard.thp);
	mutex_unlock(&q->memory->lock);
	return vb_pagebits_clear_all(q->discard.gather);
}

/**
 * vb_batch_ungather - take the pages out of what was gathered
 * @q: the queue
 *
 * Context: process context, not inside a section; may sleep.
 * Return: 0; -EINTR or -ENOMEM to be called again later; -EAGAIN to leave an inline pass.
 */
int vb_batch_ungather(struct vb_queue *q)
{
	const struct vb_range *r;
	int ret;

	if (q->garbled && q->is_inline)
		return vb_queue_leave(q, VHOST_BALLOON_C_WORKER_LEFT);
	/* What couldn't be read may have named any page. */
	if (q->garbled)
		return vb_batch_ungather_all(q);
	/* In a section, so that bits are gone first whose memory is another by now. */
	ret = vb_queue_enter(q);
	if (ret)
		return ret == -ENXIO ? 0 : ret;
	vb_ranges_for_each(r, &q->batch->ranges) {
		vb_pagebits_clear(q->discard.gather, r->gfn, r->nr);
		vb_thp_remove(q->discard.thp, r->gfn, r->nr);
	}
	vb_memory_leave(q->memory);
	return 0;
}

/*
 * Find where in the VMM's address space the pages are that come next. Returns the number of those
 * that can be populated, which are at *@hva, 0 at the end of the batch, or an errno.
 */
static long vb_batch_find_present(struct vb_queue *q, unsigned long *hva)
{
	struct vb_cursor *c = &q->cursor;
	struct vhost_balloon_slot slot;
	struct vb_range r;

	while (vb_cursor_next(c, &r)) {
		if (vb_memory_find(q->memory, r.gfn, &slot) || slot.gfn >= r.gfn + r.nr) {
			vb_cursor_advance(c, r.nr);
		} else if (slot.gfn > r.gfn) {
			vb_cursor_advance(c, slot.gfn - r.gfn);
		} else if (!vb_region_discardable(&slot)) {
			vb_cursor_advance(c, min(r.nr, slot.gfn + slot.nr - r.gfn));
		} else {
			*hva = slot.hva + ((r.gfn - slot.gfn) << PAGE_SHIFT);
			return min3(r.nr, slot.gfn + slot.nr - r.gfn, (u64)VB_POPULATE_STEP);
		}
	}
	return 0;
}

/* Populate a few pages. Returns 1 if there may be more, 0 at the end, or an errno. */
static int vb_batch_populate_step(struct vb_queue *q)
{
	unsigned long hva, failed;
	long nr;
	int ret;

	ret = vb_memory_enter(q->memory);
	if (ret)
		return ret == -ENXIO ? 0 : ret;
	nr = vb_batch_find_present(q, &hva);
	vb_memory_leave(q->memory);
	if (nr <= 0)
		return nr;

	/* The slot may go meanwhile: then it's the VMM's own memory that we touch, or nothing. */
	failed = fault_in_safe_writeable((char __user *)hva, nr << PAGE_SHIFT);
	if (failed && signal_pending(current))
		return -EINTR;
	failed = DIV_ROUND_UP(failed, PAGE_SIZE);
	vb_count(q->counters, VHOST_BALLOON_C_POPULATED, nr - failed);
	/* Go on after the page that can't be had. */
	if (failed)
		vb_count(q->counters, VHOST_BALLOON_C_POPULATE_FAILED, 1);
	vb_cursor_advance(&q->cursor, nr - failed + !!failed);
	return 1;
}

/**
 * vb_batch_populate - have the pages there, as far as that can be done
 * @q: the queue
 *
 * Context: process context, not inside a section; sleeps, if need be for as long as userspace
 *	likes.
 * Return: 0; -EINTR or -ENOMEM to be called again later.
 */
int vb_batch_populate(struct vb_queue *q)
{
	int ret;

	do {
		ret = vb_batch_populate_step(q);
		if (ret > 0 && vb_batch_must_stop(q))
			return -EINTR;
		cond_resched();
	} while (ret > 0);
	return ret;
}

/*
 * Discard the parts of one huge page. They are kept in mind until that is done, which is in one
 * section: the guest can't take them back in between. Returns 1 if it is done, or an errno.
 */
static int vb_batch_flush_thp(struct vb_queue *q, struct vb_thp_part *p)
{
	struct vb_thp *thp = q->discard.thp;
	int ret;

	q->cursor = (struct vb_cursor){ .ranges = &q->batch->ranges };
	q->discard.thp = NULL;
	ret = vb_discard_step(&q->discard, &q->cursor);
	q->discard.thp = thp;
	/* There are too many files, or a lock isn't to be had: the next time. */
	if (ret)
		return -EAGAIN;
	vb_thp_drop(thp, p);
	return 1;
}

/* Returns 1 if there may be more, 0 at the end, or an errno. */
static int vb_batch_flush_step(struct vb_queue *q, bool all)
{
	struct vb_thp_part *p;
	int ret;

	ret = vb_memory_enter(q->memory);
	if (ret)
		return ret;
	p = vb_thp_next(q->discard.thp, all, &q->batch->ranges);
	if (p)
		ret = vb_batch_flush_thp(q, p);
	else
		vb_thp_age(q->discard.thp);
	vb_queue_new_batch(q);
	vb_memory_leave(q->memory);
	vb_discard_finish(&q->discard);
	return ret;
}

/**
 * vb_batch_flush - discard parts of huge pages that didn't become complete
 * @q: the queue, between two batches; the caller holds its mutex
 * @all: all of them, and not only those of which nothing has come since the last time
 *
 * Context: process context, in the address space of the memory's owner; may sleep.
 * Return: whether parts are left.
 */
bool vb_batch_flush(struct vb_queue *q, bool all)
{
	int ret;

	do {
		ret = vb_batch_flush_step(q, all);
		cond_resched();
	} while (ret > 0 && !vb_batch_must_stop(q));
	return READ_ONCE(q->discard.thp->nr);
}
