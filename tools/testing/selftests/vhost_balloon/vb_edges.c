// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory whose slots lie where arithmetic goes wrong.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "vb_edges.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define GFN_4G		(1ULL << 20)
#define GFN_16T		(1ULL << 32)
/* Where KVM's own limit is looked for. */
#define MAX_BITS	52
#define MIN_BITS	32
/* Ids of slots that KVM may refuse. */
#define HIGH_SLOT	40U
#define TOP_SLOT	41U

/* In the VMM each begins and ends next to a page that no slot has, but for the two swapped ones. */
static const struct vb_edges_slot common[] = {
	{ 0, 4, 1 },
	{ 0x10, 1, 6 },
	{ VB_EDGES_UPPER_GFN, 3, 8 },
	{ VB_EDGES_LOWER_GFN, 3, 11 },
	{ 0x203, 1, 15 },
	{ 0x202, 1, 17 },
};

static const struct vb_edges_slot meeting[] = {
	{ GFN_4G - 3, 3, 23 },
	{ GFN_4G, 3, 19 },
};

static const struct vb_edges_slot crossing_4g = { GFN_4G - 3, 6, 19 };
static const struct vb_edges_slot crossing_16t = { GFN_16T - 2, 4, 32 };
static const struct vb_edges_slot top = { VB_EDGES_GFN_END - 4, 3, 28 };

static struct vb_memory slot_memory(const struct vb_edges *e, const struct vb_edges_slot *s)
{
	return (struct vb_memory) {
		.gpa = s->gfn * VB_PAGE,
		.len = s->nr * VB_PAGE,
		.hva = e->memory.hva + s->page * VB_PAGE,
	};
}

static void note_slot(struct vb_edges *e, const struct vb_edges_slot *s)
{
	e->slots[e->nr_slots++] = *s;
}

static int add_slot(struct vb_edges *e, struct vb_machine *m, const struct vb_edges_slot *s)
{
	const struct vb_memory memory = slot_memory(e, s);

	note_slot(e, s);
	return vb_machine_add(m, &memory, 0);
}

static int add_slots(struct vb_edges *e, struct vb_machine *m, const struct vb_edges_slot *s,
		     unsigned int nr)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < nr && !ret; i++)
		ret = add_slot(e, m, &s[i]);
	return ret;
}

/* Adds a slot if KVM takes it. */
static bool try_slot(struct vb_edges *e, struct vb_machine *m, __u32 id,
		     const struct vb_edges_slot *s)
{
	const struct vb_memory memory = slot_memory(e, s);

	if (vb_memory_add_slot(m, id, 0, &memory))
		return false;
	note_slot(e, s);
	return true;
}

/* At the end of what a guest of KVM's can have. */
static int add_top_slot(struct vb_edges *e, struct vb_machine *m)
{
	struct vb_edges_slot s = top;
	unsigned int bits;

	for (bits = MAX_BITS; bits >= MIN_BITS; bits--) {
		s.gfn = (1ULL << bits) / VB_PAGE - s.nr;
		if (try_slot(e, m, TOP_SLOT, &s))
			return 0;
	}
	return -EINVAL;
}

static int add_high_slots(struct vb_edges *e, struct vb_machine *m)
{
	int ret;

	if (m->kvm) {
		try_slot(e, m, HIGH_SLOT, &crossing_16t);
		return add_top_slot(e, m);
	}
	ret = add_slot(e, m, &crossing_16t);
	return ret ? ret : add_slot(e, m, &top);
}

int vb_edges_open(struct vb_edges *e, struct vb_machine *m, enum vb_memory_kind kind,
		  bool crossing)
{
	const struct vb_edges_slot buf = {
		VB_BUF_GPA / VB_PAGE, VB_BUF_LEN / VB_PAGE, VB_EDGES_BUF,
	};
	int ret;

	memset(e, 0, sizeof(*e));
	e->kind = kind;
	ret = vb_memory_map(&e->memory, kind, 0, VB_EDGES_PAGES * VB_PAGE);
	if (ret)
		return ret;
	vb_edges_restore(e);
	note_slot(e, &buf);
	ret = add_slots(e, m, common, ARRAY_SIZE(common));
	if (!ret && crossing)
		ret = add_slot(e, m, &crossing_4g);
	else if (!ret)
		ret = add_slots(e, m, meeting, ARRAY_SIZE(meeting));
	return ret ? ret : add_high_slots(e, m);
}

void vb_edges_close(struct vb_edges *e)
{
	vb_memory_unmap(&e->memory);
}

int vb_edges_page(const struct vb_edges *e, __u64 gfn)
{
	unsigned int i;

	for (i = 0; i < e->nr_slots; i++) {
		const struct vb_edges_slot *s = &e->slots[i];

		if (gfn >= s->gfn && gfn < s->gfn + s->nr)
			return s->page == VB_EDGES_BUF ? VB_EDGES_BUF :
							 s->page + (int)(gfn - s->gfn);
	}
	return VB_EDGES_NOWHERE;
}

__u64 vb_edges_take(struct vb_edges *e, __u64 gfn, __u64 nr)
{
	__u64 in_slots = 0, at;
	unsigned int i;

	for (i = 0; i < e->nr_slots; i++) {
		const struct vb_edges_slot *s = &e->slots[i];

		for (at = s->gfn; at < s->gfn + s->nr; at++) {
			if (at < gfn || at - gfn >= nr)
				continue;
			in_slots++;
			if (s->page != VB_EDGES_BUF)
				e->taken[s->page + at - s->gfn] = true;
		}
	}
	return in_slots;
}

unsigned int vb_edges_wrong(const struct vb_edges *e)
{
	struct vb_memory memory = e->memory;
	unsigned int page, wrong = 0;

	for (page = 0; page < VB_EDGES_PAGES; page++)
		wrong += e->taken[page] ? !vb_memory_zero(&memory, page, 1) :
					  !vb_memory_intact(&memory, page, 1, VB_EDGES_SEED);
	return wrong;
}

unsigned int vb_edges_misplaced(const struct vb_edges *e)
{
	unsigned char present[VB_EDGES_PAGES];
	unsigned int page, wrong = 0;

	if (mincore(e->memory.hva, e->memory.len, present))
		return VB_EDGES_PAGES;
	for (page = 0; page < VB_EDGES_PAGES; page++)
		wrong += e->taken[page] != (present[page] & 1);
	return wrong;
}

void vb_edges_restore(struct vb_edges *e)
{
	memset(e->taken, 0, sizeof(e->taken));
	vb_memory_fill(&e->memory, 0, VB_EDGES_PAGES, VB_EDGES_SEED);
}

int vb_edges_drop(struct vb_edges *e)
{
	memset(e->taken, 0, sizeof(e->taken));
	if (madvise(e->memory.hva, e->memory.len,
		    e->kind == VB_MEMORY_ANON ? MADV_DONTNEED : MADV_REMOVE))
		return -errno;
	return 0;
}

/* Where @gfn would be taken for another: bits that get lost, or are one's sign. */
static const __u64 distances[] = {
	1ULL << 20, 1ULL << 21, 1ULL << 31, 0xfff00000ULL, 1ULL << 32, 1ULL << 40, 1ULL << 51,
};

static const __u64 always[] = {
	0, 1, 0x000fffff, 0x00100000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
	(1ULL << 32) + 1, (1ULL << 40) - 1, 1ULL << 40, VB_EDGES_GFN_END - 2, VB_EDGES_GFN_END - 1,
};

struct numbers {
	__u64 *gfn;
	unsigned int nr;
	unsigned int max;
};

static void add_number(const struct vb_edges *e, struct numbers *n, __u64 gfn)
{
	gfn %= VB_EDGES_GFN_END;
	if (vb_edges_page(e, gfn) != VB_EDGES_BUF && n->nr < n->max)
		n->gfn[n->nr++] = gfn;
}

static void add_numbers_around(const struct vb_edges *e, struct numbers *n, __u64 gfn)
{
	unsigned int i;
	int d;

	for (d = -2; d <= 2; d++)
		add_number(e, n, gfn + d);
	for (i = 0; i < ARRAY_SIZE(distances); i++)
		for (d = -1; d <= 1; d++)
			add_number(e, n, gfn + d + distances[i]);
}

static int compare(const void *a, const void *b)
{
	const __u64 x = *(const __u64 *)a, y = *(const __u64 *)b;

	return x < y ? -1 : x > y;
}

static unsigned int unique(__u64 *gfn, unsigned int nr)
{
	unsigned int i, kept = 0;

	for (i = 0; i < nr; i++)
		if (!i || gfn[i] != gfn[kept - 1])
			gfn[kept++] = gfn[i];
	return kept;
}

unsigned int vb_edges_numbers(const struct vb_edges *e, __u64 *gfn, unsigned int max)
{
	struct numbers n = { .gfn = gfn, .max = max };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(always); i++)
		add_number(e, &n, always[i]);
	for (i = 0; i < e->nr_slots; i++) {
		add_numbers_around(e, &n, e->slots[i].gfn);
		add_numbers_around(e, &n, e->slots[i].gfn + e->slots[i].nr - 1);
	}
	qsort(gfn, n.nr, sizeof(*gfn), compare);
	return unique(gfn, n.nr);
}
