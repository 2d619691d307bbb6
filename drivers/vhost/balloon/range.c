// SPDX-License-Identifier: GPL-2.0
/*
 * A batch of guest page ranges: added in any order, then sorted and merged.
 *
 * The balloon's cost is per discard, not per page, so what counts is how few
 * ranges a batch ends up with. Guests post runs of neighbouring pages, mostly
 * descending; those are joined as they come, so that the array fills up with
 * runs and not with pages.
 */
#include <linux/minmax.h>
#include <linux/sort.h>
#include <linux/types.h>

#include "range.h"

/* The balloon's page is 4 KiB, whatever the kernel's is. */
#define VB_PAGE_SHIFT	12
#define VB_PAGE_MASK	((1ULL << VB_PAGE_SHIFT) - 1)

/**
 * vb_range_of_bytes - find the whole pages in a piece of guest memory
 * @addr: guest physical address
 * @len: bytes, at least 1; the last byte is no higher than 2^64 - 1
 * @r: filled with the pages that lie in it as a whole; @nr is 0 if there are none
 *
 * Return: number of pages that lie in it in part only: 0 to 2.
 */
u64 vb_range_of_bytes(u64 addr, u64 len, struct vb_range *r)
{
	u64 last = addr + (len - 1);
	u64 touched = (last >> VB_PAGE_SHIFT) - (addr >> VB_PAGE_SHIFT) + 1;
	u64 first = (addr >> VB_PAGE_SHIFT) + !!(addr & VB_PAGE_MASK);
	u64 end = (last >> VB_PAGE_SHIFT) + ((last & VB_PAGE_MASK) == VB_PAGE_MASK);

	r->gfn = first;
	r->nr = end > first ? end - first : 0;
	return touched - r->nr;
}

/**
 * vb_ranges_init - set up a batch
 * @rs: the batch
 * @array: room for the entries, stays the caller's
 * @max: entries that fit @array
 */
void vb_ranges_init(struct vb_ranges *rs, struct vb_range *array, unsigned int max)
{
	rs->range = array;
	rs->max = max;
	vb_ranges_reset(rs);
}

/**
 * vb_ranges_reset - empty a batch
 * @rs: the batch
 */
void vb_ranges_reset(struct vb_ranges *rs)
{
	rs->nr = 0;
	rs->pages = 0;
	/* Nothing is in order already. */
	rs->sorted = true;
}

/* Whether the last entry is above the one before it, and doesn't touch it. */
static bool vb_ranges_last_is_above(const struct vb_ranges *rs)
{
	const struct vb_range *last = &rs->range[rs->nr - 1];

	return rs->nr == 1 || last->gfn > last[-1].gfn + last[-1].nr;
}

/* Extend the last entry if the new pages are right above or right below it. */
static bool vb_ranges_join_last(struct vb_ranges *rs, u64 gfn, u64 nr)
{
	struct vb_range *last;

	if (!rs->nr)
		return false;

	last = &rs->range[rs->nr - 1];
	if (gfn == last->gfn + last->nr) {
		/* Still above all others, if it was: the order is as before. */
		last->nr += nr;
		return true;
	}
	if (gfn + nr == last->gfn) {
		last->gfn = gfn;
		last->nr += nr;
		/* May have grown down into the others. */
		rs->sorted = rs->sorted && vb_ranges_last_is_above(rs);
		return true;
	}
	return false;
}

/**
 * vb_ranges_add - add pages to a batch
 * @rs: the batch
 * @gfn: first guest frame number
 * @nr: number of pages
 *
 * The caller guarantees that @nr is at least 1 and that @gfn + @nr doesn't
 * overflow; page numbers from virtqueues have 32 bits, and hinted or reported
 * ranges are byte addresses of 64 bits divided by 4096, so that neither can.
 *
 * Pages that directly extend the last entry, upward or downward, are joined
 * with it and need no room.
 *
 * Return: true if the pages were added; false if the batch is full, in which
 * case it is unchanged.
 */
bool vb_ranges_add(struct vb_ranges *rs, u64 gfn, u64 nr)
{
	if (!vb_ranges_join_last(rs, gfn, nr)) {
		if (rs->nr == rs->max)
			return false;

		rs->range[rs->nr].gfn = gfn;
		rs->range[rs->nr].nr = nr;
		rs->nr++;
		rs->sorted = rs->sorted && vb_ranges_last_is_above(rs);
	}
	rs->pages += nr;
	return true;
}

static int vb_range_cmp(const void *a, const void *b)
{
	const struct vb_range *x = a;
	const struct vb_range *y = b;

	if (x->gfn != y->gfn)
		return x->gfn < y->gfn ? -1 : 1;
	return 0;
}

/**
 * vb_ranges_merge - sort a batch and merge what overlaps or touches
 * @rs: the batch
 *
 * Afterwards the entries are in rising order with at least one page between any
 * two. More can be added, and merged again.
 *
 * Return: how many pages too many were added: those of vb_ranges_add() since the
 * last reset, less those that the batch consists of.
 */
u64 vb_ranges_merge(struct vb_ranges *rs)
{
	struct vb_range *last = rs->range;
	struct vb_range *r;
	u64 distinct = 0;

	if (!rs->nr)
		return 0;

	if (!rs->sorted)
		sort(rs->range, rs->nr, sizeof(*rs->range), vb_range_cmp, NULL);

	for (r = rs->range + 1; r < rs->range + rs->nr; r++) {
		if (r->gfn <= last->gfn + last->nr) {
			u64 end = max(last->gfn + last->nr, r->gfn + r->nr);

			last->nr = end - last->gfn;
		} else {
			*++last = *r;
		}
	}
	rs->nr = last - rs->range + 1;
	rs->sorted = true;

	vb_ranges_for_each(r, rs)
		distinct += r->nr;
	return rs->pages - distinct;
}
