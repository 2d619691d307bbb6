// SPDX-License-Identifier: GPL-2.0
/*
 * The free page reporting queue (virtio 1.4, section 5.5.6.6): each writable buffer
 * of a chain is a run of pages that are free until the chain is completed.
 *
 * So they are discarded before that, and nothing is kept in mind: huge pages are
 * given back if a chain, or what is dealt with together, has all of one.
 */
#include "batch.h"
#include "report.h"

static int vb_report_collect(struct vb_queue *q)
{
	struct vb_batch *b = q->batch;
	struct vb_range r;
	u64 partial;
	int ret;

	while (b->ranges.nr < b->ranges.max) {
		ret = vb_chain_segment(&q->vring, &q->acc, &q->chain);
		if (ret <= 0)
			return ret ? ret : 1;
		if (!q->chain.write)
			return -EINVAL;
		partial = vb_range_of_bytes(q->chain.addr, q->chain.len, &r);
		vb_count(q->counters, VHOST_BALLOON_C_SKIP_PARTIAL, partial);
		if (r.nr)
			vb_ranges_add(&b->ranges, r.gfn, r.nr);
		vb_chain_advance(&q->chain, q->chain.len);
	}
	return 0;
}

/*
 * The guest relies on its poison being in the pages when it takes them back (section 5.5.6.6.2),
 * and what is discarded reads as zero.
 */
static int vb_report_act(struct vb_queue *q)
{
	if (!q->discard.poison || !READ_ONCE(q->discard.poison_val))
		return vb_batch_discard(q);
	vb_discard_skip(&q->discard, &q->cursor, VHOST_BALLOON_C_SKIP_POISON);
	return 0;
}

static bool vb_report_can_inline(const struct vb_queue *q)
{
	return true;
}

const struct vb_queue_ops vb_report_ops = {
	.max_heads	= VB_VRING_MAX_NUM,
	.counter	= VHOST_BALLOON_C_REPORTED,
	.can_inline	= vb_report_can_inline,
	.collect	= vb_report_collect,
	.act		= vb_report_act,
};
