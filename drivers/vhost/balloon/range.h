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

void vb_ranges_init(struct vb_ranges *rs, struct vb_range *array, unsigned int max);
void vb_ranges_reset(struct vb_ranges *rs);
bool vb_ranges_add(struct vb_ranges *rs, u64 gfn, u64 nr);
u64 vb_ranges_merge(struct vb_ranges *rs);

/**
 * vb_ranges_for_each - iterate over the entries
 * @r: struct vb_range pointer, the cursor
 * @rs: the batch
 */
#define vb_ranges_for_each(r, rs) \
	for ((r) = (rs)->range; (r) < (rs)->range + (rs)->nr; (r)++)

#endif /* _VHOST_BALLOON_RANGE_H */
