// SPDX-License-Identifier: GPL-2.0
/* Tests of the batches of page ranges. */
#include "test-common.h"

#include <unistd.h>

#include "range.h"
#include "test-vring-driver.h"

static struct vb_range array[1024];

static void expect_range(const struct vb_ranges *rs, unsigned int i, u64 gfn, u64 nr)
{
	expect(i < rs->nr);
	expect_eq(rs->range[i].gfn, gfn);
	expect_eq(rs->range[i].nr, nr);
}

static void test_empty(void **state)
{
	struct vb_ranges rs;
	struct vb_range *r;

	(void)state;
	vb_ranges_init(&rs, array, 4);
	expect_eq(rs.nr, 0);
	expect_eq(rs.pages, 0);
	expect(rs.sorted);
	expect_eq(vb_ranges_merge(&rs), 0);
	expect(rs.sorted);
	vb_ranges_for_each(r, &rs)
		fail();
}

static void test_no_room_at_all(void **state)
{
	struct vb_ranges rs;

	(void)state;
	vb_ranges_init(&rs, array, 0);
	expect(!vb_ranges_add(&rs, 1, 1));
	expect_eq(rs.nr, 0);
	expect_eq(rs.pages, 0);
	expect_eq(vb_ranges_merge(&rs), 0);
}

static void test_ascending(void **state)
{
	struct vb_ranges rs;
	u64 i;

	(void)state;
	vb_ranges_init(&rs, array, 1);
	for (i = 0; i < 256; i++)
		expect(vb_ranges_add(&rs, 1000 + i, 1));
	expect_eq(rs.nr, 1);
	expect_eq(rs.pages, 256);
	expect(rs.sorted);
	expect_range(&rs, 0, 1000, 256);
	expect_eq(vb_ranges_merge(&rs), 0);
	expect_range(&rs, 0, 1000, 256);
}

static void test_descending(void **state)
{
	struct vb_ranges rs;
	u64 i;

	(void)state;
	vb_ranges_init(&rs, array, 1);
	for (i = 256; i-- > 0;)
		expect(vb_ranges_add(&rs, i, 1));
	expect_eq(rs.nr, 1);
	expect_eq(rs.pages, 256);
	expect_range(&rs, 0, 0, 256);
	expect_eq(vb_ranges_merge(&rs), 0);
}

static void test_descending_runs(void **state)
{
	struct vb_ranges rs;
	u64 run, i;

	(void)state;
	/* What a guest does: every run takes one entry, and none touches. */
	vb_ranges_init(&rs, array, 8);
	for (run = 8; run-- > 0;)
		for (i = 16; i-- > 0;)
			expect(vb_ranges_add(&rs, run * 512 + i, 1));
	expect_eq(rs.nr, 8);
	expect(!vb_ranges_add(&rs, 9999, 1));
	expect_eq(vb_ranges_merge(&rs), 0);
	expect_eq(rs.nr, 8);
	expect(rs.sorted);
	for (run = 0; run < 8; run++)
		expect_range(&rs, run, run * 512, 16);
}

static void test_stays_sorted_while_it_rises(void **state)
{
	struct vb_ranges rs;

	(void)state;
	vb_ranges_init(&rs, array, 8);
	expect(vb_ranges_add(&rs, 10, 1));
	expect(vb_ranges_add(&rs, 12, 1));
	expect(rs.sorted);
	expect(vb_ranges_add(&rs, 13, 4));
	expect(rs.sorted);
	/* Grows down, and leaves a gap. */
	expect(vb_ranges_add(&rs, 30, 1));
	expect(vb_ranges_add(&rs, 25, 5));
	expect(rs.sorted);
	expect_eq(rs.nr, 3);
	/* Grows down, and closes it. */
	expect(vb_ranges_add(&rs, 17, 8));
	expect(!rs.sorted);
	expect_eq(vb_ranges_merge(&rs), 0);
	expect_eq(rs.nr, 2);
	expect(rs.sorted);
	/* Falls. */
	expect(vb_ranges_add(&rs, 5, 1));
	expect(!rs.sorted);
	/* Rises again, which doesn't help. */
	expect(vb_ranges_add(&rs, 50, 1));
	expect(!rs.sorted);
}

static void test_grows_down_into_others(void **state)
{
	struct vb_ranges rs;

	(void)state;
	vb_ranges_init(&rs, array, 4);
	expect(vb_ranges_add(&rs, 10, 5));
	expect(vb_ranges_add(&rs, 20, 5));
	expect_eq(vb_ranges_merge(&rs), 0);
	expect(rs.sorted);
	expect_eq(rs.nr, 2);
	/* 12..19 covers 12..14 once more. */
	expect(vb_ranges_add(&rs, 12, 8));
	expect_eq(rs.nr, 2);
	expect(!rs.sorted);
	expect_eq(vb_ranges_merge(&rs), 3);
	expect_eq(rs.nr, 1);
	expect_range(&rs, 0, 10, 15);
}

static void test_grows_down_below_others(void **state)
{
	struct vb_ranges rs;

	(void)state;
	vb_ranges_init(&rs, array, 4);
	expect(vb_ranges_add(&rs, 10, 5));
	expect(vb_ranges_add(&rs, 20, 5));
	expect_eq(vb_ranges_merge(&rs), 0);
	expect(vb_ranges_add(&rs, 5, 15));
	expect_eq(rs.nr, 2);
	expect_eq(vb_ranges_merge(&rs), 5);
	expect_eq(rs.nr, 1);
	expect_range(&rs, 0, 5, 20);
}

static void test_touching(void **state)
{
	struct vb_ranges rs;

	(void)state;
	vb_ranges_init(&rs, array, 4);
	expect(vb_ranges_add(&rs, 30, 10));
	expect(vb_ranges_add(&rs, 10, 10));
	/* Touches the first one, which isn't the last one. */
	expect(vb_ranges_add(&rs, 40, 10));
	/* One page is missing. */
	expect(vb_ranges_add(&rs, 51, 10));
	expect_eq(rs.nr, 4);
	expect_eq(vb_ranges_merge(&rs), 0);
	expect_eq(rs.nr, 3);
	expect_range(&rs, 0, 10, 10);
	expect_range(&rs, 1, 30, 20);
	expect_range(&rs, 2, 51, 10);
}

static void test_overlap(void **state)
{
	struct vb_ranges rs;

	(void)state;
	vb_ranges_init(&rs, array, 8);
	expect(vb_ranges_add(&rs, 100, 50));
	expect(vb_ranges_add(&rs, 120, 10));	/* inside: 10 */
	expect(vb_ranges_add(&rs, 140, 20));	/* over the end: 10 */
	expect(vb_ranges_add(&rs, 90, 20));	/* over the start: 10 */
	expect(vb_ranges_add(&rs, 80, 200));	/* around all: 70 */
	expect(vb_ranges_add(&rs, 300, 1));
	expect_eq(vb_ranges_merge(&rs), 100);
	expect_eq(rs.pages, 301);
	expect_eq(rs.nr, 2);
	expect_range(&rs, 0, 80, 200);
	expect_range(&rs, 1, 300, 1);
	/* Nothing was added since. */
	expect_eq(vb_ranges_merge(&rs), 100);
	expect_eq(rs.nr, 2);
}

static void test_duplicates(void **state)
{
	struct vb_ranges rs;
	int i;

	(void)state;
	vb_ranges_init(&rs, array, 256);
	for (i = 0; i < 256; i++)
		expect(vb_ranges_add(&rs, 7, 1));
	expect_eq(rs.nr, 256);
	expect_eq(vb_ranges_merge(&rs), 255);
	expect_eq(rs.nr, 1);
	expect_range(&rs, 0, 7, 1);
}

static void test_full(void **state)
{
	struct vb_ranges rs, before;

	(void)state;
	vb_ranges_init(&rs, array, 2);
	expect(vb_ranges_add(&rs, 50, 1));
	expect(vb_ranges_add(&rs, 10, 1));
	before = rs;
	expect(!vb_ranges_add(&rs, 20, 1));
	expect_eq(memcmp(&before, &rs, sizeof(rs)), 0);
	expect_range(&rs, 0, 50, 1);
	expect_range(&rs, 1, 10, 1);
	/* What joins needs no room. */
	expect(vb_ranges_add(&rs, 11, 1));
	expect(vb_ranges_add(&rs, 9, 1));
	expect_range(&rs, 1, 9, 3);
	expect_eq(rs.pages, 4);
	expect_eq(vb_ranges_merge(&rs), 0);
	vb_ranges_reset(&rs);
	expect_eq(rs.nr, 0);
	expect_eq(rs.pages, 0);
	expect(rs.sorted);
	expect(vb_ranges_add(&rs, 20, 1));
}

static void test_extremes(void **state)
{
	struct vb_ranges rs;

	(void)state;
	vb_ranges_init(&rs, array, 4);
	expect(vb_ranges_add(&rs, UINT64_MAX - 10, 10));
	expect(vb_ranges_add(&rs, 0, 1));
	expect(vb_ranges_add(&rs, UINT64_MAX - 10, 1));
	expect(vb_ranges_add(&rs, 1ULL << 32, 1));
	expect_eq(vb_ranges_merge(&rs), 1);
	expect_eq(rs.nr, 3);
	expect_range(&rs, 0, 0, 1);
	expect_range(&rs, 1, 1ULL << 32, 1);
	expect_range(&rs, 2, UINT64_MAX - 10, 10);
}

static void test_shuffled(void **state)
{
	static u64 gfn[1024];
	struct vb_ranges rs;
	u64 seed = 42;
	int round, i;

	(void)state;
	for (round = 0; round < 100; round++) {
		vb_ranges_init(&rs, array, ARRAY_SIZE(array));
		for (i = 0; i < 1024; i++)
			gfn[i] = 77 + i;
		for (i = 1023; i > 0; i--) {
			int j = vbd_rand(&seed) % (i + 1);
			u64 t = gfn[i];

			gfn[i] = gfn[j];
			gfn[j] = t;
		}
		for (i = 0; i < 1024; i++)
			expect(vb_ranges_add(&rs, gfn[i], 1));
		expect_eq(vb_ranges_merge(&rs), 0);
		expect_eq(rs.nr, 1);
		expect_range(&rs, 0, 77, 1024);
	}
}

/* Compare with a bitmap. */
#define WORLD	2048

static void expect_world(const struct vb_ranges *rs, const bool *world)
{
	u64 at = 0;
	unsigned int i;

	for (i = 0; i < rs->nr; i++) {
		const struct vb_range *r = &rs->range[i];

		expect(r->nr > 0);
		/* Between two entries there is at least one page that is not in. */
		expect(i == 0 || r->gfn > at);
		for (; at < r->gfn; at++)
			expect(!world[at]);
		for (; at < r->gfn + r->nr; at++)
			expect(world[at]);
	}
	for (; at < WORLD; at++)
		expect(!world[at]);
}

static void test_random(void **state)
{
	static bool world[WORLD];
	u64 seed = 4711, pages, distinct;
	struct vb_ranges rs;
	int round, i, adds;

	(void)state;
	for (round = 0; round < 20000; round++) {
		unsigned int max = 1 + vbd_rand(&seed) % 64;
		unsigned int span = 1 + vbd_rand(&seed) % 40;
		/* A small part of the world makes for more overlap. */
		u64 part = 100 + vbd_rand(&seed) % (WORLD - 200);
		u64 last = 0;

		memset(world, 0, sizeof(world));
		vb_ranges_init(&rs, array, max);
		pages = 0;
		distinct = 0;
		adds = vbd_rand(&seed) % 100;
		for (i = 0; i < adds; i++) {
			u64 nr = 1 + vbd_rand(&seed) % span;
			u64 gfn = vbd_rand(&seed) % part;
			u64 k;

			/* Often next to the one before. */
			if (vbd_rand(&seed) % 3 == 0)
				gfn = last >= nr ? last - nr : 0;
			if (!vb_ranges_add(&rs, gfn, nr)) {
				expect_eq(rs.nr, max);
				break;
			}
			last = gfn;
			pages += nr;
			for (k = gfn; k < gfn + nr; k++) {
				distinct += !world[k];
				world[k] = true;
			}
			expect_eq(rs.pages, pages);
			if (rs.sorted && vbd_rand(&seed) % 4 == 0)
				expect_world(&rs, world);
			if (vbd_rand(&seed) % 16 == 0) {
				expect_eq(vb_ranges_merge(&rs), pages - distinct);
				expect(rs.sorted);
				expect_world(&rs, world);
			}
		}
		expect_eq(vb_ranges_merge(&rs), pages - distinct);
		expect_eq(rs.pages, pages);
		expect(rs.sorted);
		expect_world(&rs, world);
	}
}

static void expect_bytes(u64 addr, u64 len, u64 gfn, u64 nr, u64 partial)
{
	struct vb_range r;

	expect_eq(vb_range_of_bytes(addr, len, &r), partial);
	expect_eq(r.nr, nr);
	if (nr)
		expect_eq(r.gfn, gfn);
}

static void test_bytes(void **state)
{
	const u64 last = 0xfffffffffffff000;

	(void)state;
	expect_bytes(0, 4096, 0, 1, 0);
	expect_bytes(0x5000, 0x3000, 5, 3, 0);
	/* Pieces of pages, within one, at its ends, and over a boundary. */
	expect_bytes(0x5000, 1, 0, 0, 1);
	expect_bytes(0x5fff, 1, 0, 0, 1);
	expect_bytes(0x5001, 4094, 0, 0, 1);
	expect_bytes(0x5000, 4095, 0, 0, 1);
	expect_bytes(0x5001, 4095, 0, 0, 1);
	expect_bytes(0x5fff, 2, 0, 0, 2);
	expect_bytes(0x5800, 4096, 0, 0, 2);
	/* Whole pages with pieces below, above, and on both sides. */
	expect_bytes(0x5fff, 4097, 6, 1, 1);
	expect_bytes(0x5000, 4097, 5, 1, 1);
	expect_bytes(0x5fff, 4098, 6, 1, 2);
	expect_bytes(0x5800, 0x3000, 6, 2, 2);
	/* Up to where addresses end, and the longest that a descriptor can be. */
	expect_bytes(last, 4096, last >> 12, 1, 0);
	expect_bytes(last, 4095, 0, 0, 1);
	expect_bytes(last + 4095, 1, 0, 0, 1);
	expect_bytes(last - 1, 4097, last >> 12, 1, 1);
	expect_bytes(1, 0xffffffff, 1, 0xfffff, 1);
	expect_bytes(0, 0xffffffff, 0, 0xfffff, 1);
}

/* Take a batch in steps of @step pages; what comes out has to be what went in. */
static void walk(struct vb_ranges *rs, u64 step)
{
	struct vb_cursor c = { .ranges = rs };
	unsigned int i = 0;
	struct vb_range r;
	u64 at = 0, n;

	while (vb_cursor_next(&c, &r)) {
		expect(i < rs->nr);
		expect_eq(r.gfn, rs->range[i].gfn + at);
		expect_eq(r.nr, rs->range[i].nr - at);
		n = r.nr < step ? r.nr : step;
		vb_cursor_advance(&c, n);
		at += n;
		if (at == rs->range[i].nr) {
			at = 0;
			i++;
		}
	}
	expect_eq(i, rs->nr);
}

static void test_cursor(void **state)
{
	struct vb_ranges rs;
	u64 step;

	(void)state;
	vb_ranges_init(&rs, array, 4);
	walk(&rs, 1);
	vb_ranges_add(&rs, 10, 1);
	vb_ranges_add(&rs, 20, 7);
	vb_ranges_add(&rs, 40, 8);
	for (step = 1; step < 10; step++)
		walk(&rs, step);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_no_room_at_all),
		cmocka_unit_test(test_ascending),
		cmocka_unit_test(test_descending),
		cmocka_unit_test(test_descending_runs),
		cmocka_unit_test(test_stays_sorted_while_it_rises),
		cmocka_unit_test(test_grows_down_into_others),
		cmocka_unit_test(test_grows_down_below_others),
		cmocka_unit_test(test_touching),
		cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_shuffled),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_cursor),
	};

	/* What doesn't come to an end is killed. */
	alarm(600);
	return cmocka_run_group_tests_name("range", tests, NULL, NULL);
}
