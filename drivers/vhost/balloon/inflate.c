// SPDX-License-Identifier: GPL-2.0
/*
 * The inflate and deflate queues (virtio 1.4, section 5.5.6): buffers of 32-bit
 * little-endian page numbers, in units of 4 KiB, any number of them a chain.
 *
 * Pages are discarded before the chain that names them is completed. Without
 * MUST_TELL_HOST the guest may reuse them from the moment it sees the
 * completion, so afterwards it would be too late. With it, parts of huge pages may wait for
 * the others.
 */
#include <linux/string.h>

#include "batch.h"
#include "inflate.h"
#include "pagebits.h"
#include "thp.h"

/*
 * How many of @n page numbers follow each other, upward or downward: a Linux guest sends long runs
 * of them, mostly downward. Returns their number, and the lowest in @gfn.
 */
static unsigned int vb_pfns_run(const __le32 *pfn, unsigned int n, u64 *gfn)
{
	u64 first = le32_to_cpu(pfn[0]);
	unsigned int nr = 1;

	while (nr < n && le32_to_cpu(pfn[nr]) == first + nr)
		nr++;
	*gfn = first;
	if (nr > 1)
		return nr;
	while (nr < n && (u64)le32_to_cpu(pfn[nr]) + nr == first)
		nr++;
	*gfn = first - (nr - 1);
	return nr;
}

/* Take over @n page numbers that were read into the batch. */
static void vb_pfns_take(struct vb_queue *q, unsigned int n)
{
	struct vb_batch *b = q->batch;
	unsigned int i, nr;
	u64 gfn;

	/* The batch has room: no more is read than page numbers fit. */
	for (i = 0; i < n; i += nr) {
		nr = vb_pfns_run(b->pfn + i, n - i, &gfn);
		vb_ranges_add(&b->ranges, gfn, nr);
	}
	q->chain_bytes += n * sizeof(__le32);
	if (n)
		q->faults = 0;
}

/*
 * Read page numbers, as many as the batch has room for. A page number may be
 * spread over descriptors; what is there of it is carried over.
 */
static int vb_pfns_collect(struct vb_queue *q)
{
	struct vb_batch *b = q->batch;
	unsigned int have, room;
	ssize_t n;

	while (b->ranges.pages < VB_BATCH_PFNS) {
		room = (VB_BATCH_PFNS - b->ranges.pages) * sizeof(__le32);
		have = q->carry_len;
		memcpy(b->pfn, q->carry, have);
		n = vb_chain_read(&q->vring, &q->acc, &q->chain, (u8 *)b->pfn + have, room - have);
		if (n < 0)
			return n;
		if (!n)
			return have ? -EINVAL : 1;

		have += n;
		q->carry_len = have % sizeof(__le32);
		memcpy(q->carry, (u8 *)b->pfn + have - q->carry_len, q->carry_len);
		vb_pfns_take(q, have / sizeof(__le32));
		if (q->chain_bytes > VB_CHAIN_PFNS_MAX * sizeof(__le32)) {
			q->vring.broken = VHOST_BALLOON_BROKEN_CHAIN_SIZE;
			return -EBADMSG;
		}
	}
	return 0;
}

/*
 * The pages are the guest's again as soon as it is told; they come back when touched. So before
 * that they must not count as parts of a huge page any more.
 */
static int vb_deflate_act(struct vb_queue *q)
{
	int ret = 0;

	if (READ_ONCE(q->discard.gather->wanted) || READ_ONCE(q->discard.thp->nr))
		ret = vb_batch_ungather(q);
	if (!ret)
		q->garbled = false;
	if (ret || !READ_ONCE(q->populate))
		return ret;
	/* It may have been switched on since the kick. */
	if (q->is_inline)
		return vb_queue_leave(q, VHOST_BALLOON_C_WORKER_ROLE);
	return vb_batch_populate(q);
}

static bool vb_inflate_can_inline(const struct vb_queue *q)
{
	return true;
}

static bool vb_deflate_can_inline(const struct vb_queue *q)
{
	return !READ_ONCE(q->populate);
}

const struct vb_queue_ops vb_inflate_ops = {
	.max_heads	= VB_VRING_MAX_NUM,
	.counter	= VHOST_BALLOON_C_INFLATED,
	.can_inline	= vb_inflate_can_inline,
	.collect	= vb_pfns_collect,
	.act		= vb_batch_discard,
	.flush		= vb_batch_flush,
};

const struct vb_queue_ops vb_deflate_ops = {
	.max_heads	= VB_VRING_MAX_NUM,
	.counter	= VHOST_BALLOON_C_DEFLATED,
	.can_inline	= vb_deflate_can_inline,
	.collect	= vb_pfns_collect,
	.act		= vb_deflate_act,
};
