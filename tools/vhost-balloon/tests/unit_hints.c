// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of what becomes of free page hints.
 */
#include <stdint.h>
#include <stdlib.h>

#include "hints.h"
#include "vballoonctl.h"
#include "tests/unit.h"

static void check_ranges(const char *what, struct hint_ranges *ranges,
			 const struct hint_range *expected, size_t nr)
{
	uint64_t pages = 0;
	size_t i;

	expect(ranges->nr == nr, "%s: %zu ranges", what, ranges->nr);
	for (i = 0; i < nr && i < ranges->nr; i++) {
		expect(ranges->range[i].gfn == expected[i].gfn &&
		       ranges->range[i].nr == expected[i].nr, "%s: range %zu: 0x%llx, %llu pages",
		       what, i, (unsigned long long)ranges->range[i].gfn,
		       (unsigned long long)ranges->range[i].nr);
		pages += expected[i].nr;
	}
	expect(ranges->pages == pages, "%s: %llu pages", what, (unsigned long long)ranges->pages);
	free(ranges->range);
}

#define CHECK_RANGES(what, ranges, ...) do { \
	static const struct hint_range expected[] = { __VA_ARGS__ }; \
	check_ranges(what, ranges, expected, ARRAY_SIZE(expected)); \
} while (0)

void test_hint_plan(void)
{
	static const struct vhost_balloon_region regions[] = {
		{ .gpa = 0, .len = 640 * KIB },			/* pages 0 to 159 */
		{ .gpa = 640 * KIB, .len = 4 * KIB },		/* 160, in the same word */
		{ .gpa = 644 * KIB, .len = 4 * KIB },		/* 161, too */
		{ .gpa = MIB, .len = 0 },
		{ .gpa = 2 * MIB + 12 * KIB, .len = 4 * KIB },	/* 515 */
		{ .gpa = 3 * MIB, .len = 256 * KIB },		/* 768 to 831: a word */
		{ .gpa = 3 * MIB + 256 * KIB, .len = 256 * KIB },
		{ .gpa = 4 * GIB, .len = 8 * GIB },
		{ .gpa = -4 * KIB, .len = 4 * KIB },
	};
	struct hint_ranges plan;

	expect(hints_plan(&plan, regions, ARRAY_SIZE(regions)), "memory");
	CHECK_RANGES("plan", &plan, { 0, 192 }, { 512, 64 }, { 768, 128 },
		     { 1 << 20, 2 << 20 }, { (1ULL << 52) - 64, 64 });
	expect(hints_plan(&plan, regions, 0), "memory");
	check_ranges("no plan", &plan, NULL, 0);
}

void test_hint_pieces(void)
{
	struct hint_range left = { 64, 2ULL * VHOST_BALLOON_HINT_FETCH_MAX + 128 }, piece;

	expect(hints_cut(&left, &piece) && piece.gfn == 64 &&
	       piece.nr == VHOST_BALLOON_HINT_FETCH_MAX, "first");
	expect(hints_cut(&left, &piece) && piece.gfn == 64 + VHOST_BALLOON_HINT_FETCH_MAX &&
	       piece.nr == VHOST_BALLOON_HINT_FETCH_MAX, "second");
	expect(hints_cut(&left, &piece) && piece.gfn == 64 + 2ULL * VHOST_BALLOON_HINT_FETCH_MAX &&
	       piece.nr == 128, "last");
	expect(!hints_cut(&left, &piece) && !hints_cut(&left, &piece), "no more");
}

static void add_bits(struct hint_ranges *ranges, uint64_t gfn, uint64_t nr,
		     const uint64_t *bitmap)
{
	const struct hint_range piece = { gfn, nr };

	expect(hints_add(ranges, &piece, bitmap), "memory");
}

void test_hint_bits(void)
{
	static const uint64_t bits[] = { 0x8000000000000001, ~0ULL, 0x3, 0, 0x6 };
	struct hint_ranges ranges = { };

	add_bits(&ranges, 0, 320, bits);
	CHECK_RANGES("over words", &ranges, { 0, 1 }, { 63, 67 }, { 257, 2 });

	ranges = (struct hint_ranges){ };
	add_bits(&ranges, 640, 64, bits);
	CHECK_RANGES("one word", &ranges, { 640, 1 }, { 703, 1 });

	ranges = (struct hint_ranges){ };
	add_bits(&ranges, 0, 64, bits + 3);
	add_bits(&ranges, 0, 0, bits);
	check_ranges("none", &ranges, NULL, 0);
}

void test_hint_borders(void)
{
	static const uint64_t full[] = { ~0ULL, ~0ULL }, first[] = { 1 }, last[] = { 1ULL << 63 };
	static const uint64_t empty[] = { 0 };
	struct hint_ranges ranges = { };

	/* One range over three pieces, and one that only looks like going on. */
	add_bits(&ranges, 64, 64, last);
	add_bits(&ranges, 128, 128, full);
	add_bits(&ranges, 256, 64, first);
	add_bits(&ranges, 320, 64, last);
	add_bits(&ranges, 384, 64, empty);
	add_bits(&ranges, 448, 64, first);
	add_bits(&ranges, 512, 64, last);
	add_bits(&ranges, 640, 64, full);
	CHECK_RANGES("borders", &ranges, { 127, 130 }, { 383, 1 }, { 448, 1 }, { 575, 1 },
		     { 640, 64 });
}

void test_hint_many(void)
{
	const uint64_t bits = 0x5555555555555555;
	struct hint_ranges ranges = { };
	uint64_t gfn;
	size_t i;

	for (gfn = 0; gfn < 6400; gfn += 64)
		add_bits(&ranges, gfn, 64, &bits);
	expect(ranges.nr == 3200 && ranges.pages == 3200, "%zu ranges", ranges.nr);
	for (i = 0; i < ranges.nr; i++)
		expect(ranges.range[i].gfn == 2 * i && ranges.range[i].nr == 1, "range %zu", i);
	free(ranges.range);
}
