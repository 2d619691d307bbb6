// SPDX-License-Identifier: GPL-2.0
/*
 * Free page hints: which pieces of guest memory to fetch, and the ranges of pages
 * that their bitmaps tell of.
 */
#include <stdlib.h>

#include "hints.h"
#include "size.h"

/* The bits come as whole words of so many. */
#define WORD_BITS	64ULL

#define MIN_ROOM	64

/* At the end, where it may follow on the last range. */
static bool append(struct hint_ranges *ranges, uint64_t gfn, uint64_t nr)
{
	struct hint_range *last = ranges->nr ? &ranges->range[ranges->nr - 1] : NULL;
	size_t room = ranges->room ? 2 * ranges->room : MIN_ROOM;

	ranges->pages += nr;
	if (last && last->gfn + last->nr == gfn) {
		last->nr += nr;
		return true;
	}
	if (ranges->nr == ranges->room) {
		last = reallocarray(ranges->range, room, sizeof(*ranges->range));
		if (!last)
			return false;
		ranges->range = last;
		ranges->room = room;
	}
	ranges->range[ranges->nr++] = (struct hint_range){ .gfn = gfn, .nr = nr };
	return true;
}

bool hints_plan(struct hint_ranges *plan, const struct vhost_balloon_region *regions,
		uint32_t nr)
{
	uint64_t first, last, end = 0;
	uint32_t i;

	*plan = (struct hint_ranges){ };
	for (i = 0; i < nr; i++) {
		if (!regions[i].len)
			continue;
		first = regions[i].gpa >> SIZE_PAGE_SHIFT & ~(WORD_BITS - 1);
		last = (regions[i].gpa + regions[i].len - 1) >> SIZE_PAGE_SHIFT | (WORD_BITS - 1);
		/* Two regions may share a word. */
		if (first < end)
			first = end;
		if (first > last)
			continue;
		end = last + 1;
		if (!append(plan, first, end - first))
			return false;
	}
	return true;
}

bool hints_cut(struct hint_range *left, struct hint_range *piece)
{
	*piece = *left;
	if (piece->nr > VHOST_BALLOON_HINT_FETCH_MAX)
		piece->nr = VHOST_BALLOON_HINT_FETCH_MAX;
	left->gfn += piece->nr;
	left->nr -= piece->nr;
	return piece->nr;
}

/* The first bit from @bit on that is @set, or @nr. */
static uint64_t find_bit(const uint64_t *bitmap, uint64_t nr, uint64_t bit, bool set)
{
	uint64_t word;

	while (bit < nr) {
		word = bitmap[bit / WORD_BITS];
		word = (set ? word : ~word) >> bit % WORD_BITS;
		if (word) {
			bit += __builtin_ctzll(word);
			return bit < nr ? bit : nr;
		}
		bit = (bit / WORD_BITS + 1) * WORD_BITS;
	}
	return nr;
}

bool hints_add(struct hint_ranges *ranges, const struct hint_range *piece,
	       const uint64_t *bitmap)
{
	uint64_t first = 0, end;

	for (;;) {
		first = find_bit(bitmap, piece->nr, first, true);
		if (first == piece->nr)
			return true;
		end = find_bit(bitmap, piece->nr, first, false);
		if (!append(ranges, piece->gfn + first, end - first))
			return false;
		first = end;
	}
}
