/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A batch of guest page ranges: added in any order, then sorted and merged.
 *
 * Pure: no locks, no allocation, no kernel services but sort(). Also built in
 * userspace.
 */
#ifndef _VHOST_BALLOON_RANGE_H
#define _VHOST_BALLOON_RANGE_H

#include <linux/types.h>

/**
 * struct vb_range - a run of guest pages
 * @gfn: first guest frame number (4 KiB)
 * @nr: number of pages, at least 1; @gfn + @nr doesn't overflow
 */
struct vb_range {
	u64 gfn;
	u64 nr;
};

/**
 * struct vb_ranges - a batch of ranges
 * @range: the array, the caller's
 * @max: entries that fit
 * @nr: entries in use
 * @pages: sum of all pages added, counting a page as often as it was added
 * @sorted: the entries are in rising order, neither touching nor overlapping
 */
struct vb_ranges {
	struct vb_range *range;
	unsigned int max;
	unsigned int nr;
	u64 pages;
	bool sorted;
};

/**
 * struct vb_cursor - how far a batch was gone through
 * @ranges: the batch, sorted and merged; NULL until it is begun
 * @index: range to go on with
 * @done: pages of it that were dealt with
 */
struct vb_cursor {
	struct vb_ranges *ranges;
	unsigned int index;
	u64 done;
};

/**
 * vb_cursor_next - what is left of the range to go on with
 * @c: the cursor
 * @r: filled
 *
 * Return: false at the end of the batch.
 */
static inline bool vb_cursor_next(const struct vb_cursor *c, struct vb_range *r)
{
	if (c->index >= c->ranges->nr)
		return false;
	r->gfn = c->ranges->range[c->index].gfn + c->done;
	r->nr = c->ranges->range[c->index].nr - c->done;
	return true;
}

/**
 * vb_cursor_advance - pages were dealt with
 * @c: the cursor, not at the end
 * @nr: their number, at most what is left of the range
 */
static inline void vb_cursor_advance(struct vb_cursor *c, u64 nr)
{
	c->done += nr;
	if (c->done == c->ranges->range[c->index].nr) {
		c->index++;
		c->done = 0;
	}
}

u64 vb_range_of_bytes(u64 addr, u64 len, struct vb_range *r);

void vb_ranges_init(struct vb_ranges *rs, struct vb_range *array, unsigned int max);
void vb_ranges_reset(struct vb_ranges *rs);
bool vb_ranges_add(struct vb_ranges *rs, u64 gfn, u64 nr);
u64 vb_ranges_merge(struct vb_ranges *rs);

/**
 * vb_ranges_for_each - iterate over the entries
 * @r: struct vb_range pointer
 * @rs: the batch
 */
#define vb_ranges_for_each(r, rs) \
	for ((r) = (rs)->range; (r) < (rs)->range + (rs)->nr; (r)++)

#endif /* _VHOST_BALLOON_RANGE_H */
