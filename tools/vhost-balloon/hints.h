/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VBALLOONCTL_HINTS_H
#define VBALLOONCTL_HINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/vhost_balloon.h>

/* Some pages of 4 KiB that follow each other. */
struct hint_range {
	uint64_t gfn;
	uint64_t nr;
};

/* Ranges in rising order; free @range. */
struct hint_ranges {
	struct hint_range *range;
	size_t nr;
	size_t room;
	uint64_t pages;		/* of all ranges */
};

/*
 * What to fetch of guest memory in @nr @regions, which are in rising order:
 * ranges that begin and end at multiples of 64 pages, and don't overlap.
 * Returns false if there is no memory.
 */
bool hints_plan(struct hint_ranges *plan, const struct vhost_balloon_region *regions,
		uint32_t nr);

/* Cuts the first piece off that one ioctl can fetch; false if @left is empty. */
bool hints_cut(struct hint_range *left, struct hint_range *piece);

/*
 * Adds the pages of @piece whose bits are set in @bitmap. Pieces come in rising
 * order; pages that follow on the last range lengthen it. Returns false if there is no memory.
 */
bool hints_add(struct hint_ranges *ranges, const struct hint_range *piece,
	       const uint64_t *bitmap);

#endif
