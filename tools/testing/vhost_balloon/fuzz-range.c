// SPDX-License-Identifier: GPL-2.0
/*
 * Bytes become page numbers that are added to a batch, which is merged and gone through. A
 * model keeps for each page how often it was added.
 */
#include <string.h>

#include "fuzz.h"
#include "range.h"

#define ENTRIES_MAX	32
/* The pages that there are lie in worlds: at 0, where 32 bits end, and where 64 end. */
#define WORLD		512
#define NR_WORLDS	3

static const u64 worlds[NR_WORLDS] = { 0, (1ULL << 32) - WORLD / 2, ~0ULL - WORLD };

struct model {
	unsigned int added[NR_WORLDS][WORLD];
	u64 pages;
	u64 distinct;
	/* What was added last can be extended, as long as nothing was merged. */
	struct vb_range last;
};

static unsigned int *model_page(struct model *m, u64 gfn)
{
	unsigned int w;

	for (w = 0; w < NR_WORLDS; w++)
		if (gfn >= worlds[w] && gfn - worlds[w] < WORLD)
			return &m->added[w][gfn - worlds[w]];
	expect(!"a page that was never added");
	return NULL;
}

static bool model_joins(const struct model *m, u64 gfn, u64 nr)
{
	return m->last.nr && (gfn == m->last.gfn + m->last.nr || gfn + nr == m->last.gfn);
}

static void model_add(struct model *m, u64 gfn, u64 nr)
{
	u64 i;

	for (i = 0; i < nr; i++)
		m->distinct += !(*model_page(m, gfn + i))++;
	m->pages += nr;
	if (!model_joins(m, gfn, nr))
		m->last = (struct vb_range){ gfn, nr };
	else if (gfn < m->last.gfn)
		m->last = (struct vb_range){ gfn, m->last.nr + nr };
	else
		m->last.nr += nr;
}

static void add(struct vb_ranges *rs, struct model *m, struct vbt_choice *c)
{
	unsigned int at = vbt_choose(c, WORLD), w = vbt_choose(c, NR_WORLDS);
	u64 gfn = worlds[w] + at, nr = 1 + vbt_choose(c, 64);
	struct vb_ranges before = *rs;
	bool fits;

	/* Next to what came last, more often than chance has it. */
	if (vbt_choose(c, 4) == 1 && m->last.nr)
		gfn = m->last.gfn + m->last.nr;
	else if (vbt_choose(c, 4) == 1 && m->last.gfn >= nr)
		gfn = m->last.gfn - nr;
	for (w = 0; w < NR_WORLDS; w++)
		if (gfn >= worlds[w] && gfn - worlds[w] < WORLD && gfn - worlds[w] + nr <= WORLD)
			break;
	if (w == NR_WORLDS)
		return;
	fits = rs->nr < rs->max || model_joins(m, gfn, nr);
	expect_eq(vb_ranges_add(rs, gfn, nr), fits);
	if (fits)
		model_add(m, gfn, nr);
	else
		expect(!memcmp(&before, rs, sizeof(before)));
}

/* In rising order, neither touching nor overlapping. */
static bool is_sorted(const struct vb_ranges *rs)
{
	unsigned int i;

	for (i = 1; i < rs->nr; i++)
		if (rs->range[i].gfn <= rs->range[i - 1].gfn + rs->range[i - 1].nr)
			return false;
	return true;
}

/* Every page that was added, and no other. */
static void check_pages(struct vb_ranges *rs, struct model *m)
{
	bool seen[NR_WORLDS][WORLD] = {};
	const struct vb_range *r;
	u64 i, distinct = 0;

	vb_ranges_for_each(r, rs) {
		expect(r->nr > 0);
		for (i = 0; i < r->nr; i++) {
			unsigned int *page = model_page(m, r->gfn + i);
			bool *s = &seen[0][0] + (page - &m->added[0][0]);

			expect(*page);
			distinct += !*s;
			*s = true;
		}
	}
	expect_eq(distinct, m->distinct);
	expect_eq(rs->pages, m->pages);
	if (rs->sorted)
		expect(is_sorted(rs));
}

static void check_merge(struct vb_ranges *rs, struct model *m)
{
	expect_eq(vb_ranges_merge(rs), m->pages - m->distinct);
	expect(is_sorted(rs) && rs->sorted);
	/* The highest one can be extended from here on. */
	m->last = rs->nr ? rs->range[rs->nr - 1] : (struct vb_range){};
	check_pages(rs, m);
}

/* Gone through in steps of any size, all of it comes once, in order. */
static void check_cursor(struct vb_ranges *rs, struct vbt_choice *c)
{
	struct vb_cursor cursor = { .ranges = rs };
	const struct vb_range *r;
	struct vb_range left;
	u64 done, n;

	vb_ranges_for_each(r, rs) {
		for (done = 0; done < r->nr; done += n) {
			expect(vb_cursor_next(&cursor, &left));
			expect_eq(left.gfn, r->gfn + done);
			expect_eq(left.nr, r->nr - done);
			n = 1 + vbt_choose(c, 65536) % left.nr;
			vb_cursor_advance(&cursor, n);
		}
	}
	expect(!vb_cursor_next(&cursor, &left));
}

/* Bytes to pages */
static void check_bytes(struct vbt_choice *c)
{
	u64 addr = vbt_choose_u64(c);
	u64 len = vbt_choose(c, 65536);
	u64 first, last, partial;
	struct vb_range r;

	len <<= vbt_choose(c, 16);
	/* Near the end of a page, and of the address space. */
	if (vbt_choose(c, 2))
		addr = (addr | 0xffc) + (addr & 7);
	if (!len || addr + (len - 1) < addr)
		return;
	first = fuzz_page(addr, 0, true);
	last = fuzz_page(addr, len, false);
	partial = vb_range_of_bytes(addr, len, &r);
	expect_eq(r.nr, last > first ? last - first : 0);
	if (r.nr)
		expect_eq(r.gfn, first);
	expect_eq(partial + r.nr, fuzz_page(addr, len, true) - addr / 4096);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vbt_choice c = vbt_choice_bytes(data, size);
	struct vb_range array[ENTRIES_MAX];
	struct vb_ranges rs;
	struct model m;

	memset(&m, 0, sizeof(m));
	vb_ranges_init(&rs, array, vbt_choose(&c, ENTRIES_MAX + 1));
	while (vbt_choice_left(&c)) {
		switch (vbt_choose(&c, 8)) {
		case 0:
			check_merge(&rs, &m);
			break;
		case 1:
			check_merge(&rs, &m);
			check_cursor(&rs, &c);
			break;
		case 2:
			vb_ranges_reset(&rs);
			memset(&m, 0, sizeof(m));
			break;
		case 3:
			check_bytes(&c);
			break;
		default:
			add(&rs, &m, &c);
		}
	}
	check_pages(&rs, &m);
	check_merge(&rs, &m);
	return 0;
}
