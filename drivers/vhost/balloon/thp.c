// SPDX-License-Identifier: GPL-2.0
/*
 * Transparent huge pages that are in the balloon in part.
 */
#include "thp.h"

static struct vb_thp_part *vb_thp_find(struct vb_thp *t, u64 gfn)
{
	unsigned int i;

	for (i = 0; i < t->nr; i++)
		if (t->part[i].gfn == gfn)
			return &t->part[i];
	return NULL;
}

/* The huge page's entry, a new one if need be; NULL if there is no room. */
static struct vb_thp_part *vb_thp_get(struct vb_thp *t, u64 gfn)
{
	struct vb_thp_part *p = vb_thp_find(t, gfn);

	if (p)
		return p;
	if (t->nr == VB_THP_MAX)
		return NULL;
	p = &t->part[t->nr];
	p->gfn = gfn;
	bitmap_zero(p->pages, VB_THP_PAGES);
	WRITE_ONCE(t->nr, t->nr + 1);
	t->kept(t);
	return p;
}

/**
 * vb_thp_drop - keep a huge page in mind no more
 * @t: the huge pages; the caller holds the memory mutex
 * @p: which; another one may be there after this
 */
void vb_thp_drop(struct vb_thp *t, struct vb_thp_part *p)
{
	*p = t->part[t->nr - 1];
	WRITE_ONCE(t->nr, t->nr - 1);
}

/**
 * vb_thp_add - keep in mind that a part of a huge page is in the balloon
 * @t: the huge pages; the caller holds the memory mutex
 * @gfn: the part's first guest frame number
 * @nr: its pages, all in the same huge page
 *
 * Return: what became of it. If the huge page is full it has to be discarded before the memory
 *	mutex is released.
 */
enum vb_thp_result vb_thp_add(struct vb_thp *t, u64 gfn, u64 nr)
{
	u64 first = round_down(gfn, VB_THP_PAGES);
	struct vb_thp_part *p = vb_thp_get(t, first);

	if (!p)
		return VB_THP_NO_ROOM;
	bitmap_set(p->pages, gfn - first, nr);
	p->idle = false;
	if (bitmap_full(p->pages, VB_THP_PAGES)) {
		vb_thp_drop(t, p);
		return VB_THP_FULL;
	}
	return VB_THP_KEPT;
}

/**
 * vb_thp_remove - pages are not in the balloon any more
 * @t: the huge pages; the caller holds the memory mutex
 * @gfn: first guest frame number
 * @nr: number of pages, any
 */
void vb_thp_remove(struct vb_thp *t, u64 gfn, u64 nr)
{
	unsigned int i = t->nr;
	u64 first, end;

	/* Downward, since the last one takes the place of one that goes. */
	while (i--) {
		struct vb_thp_part *p = &t->part[i];

		first = max(gfn, p->gfn);
		end = min(gfn + nr, p->gfn + VB_THP_PAGES);
		if (first >= end)
			continue;
		bitmap_clear(p->pages, first - p->gfn, end - first);
		if (bitmap_empty(p->pages, VB_THP_PAGES))
			vb_thp_drop(t, p);
	}
}

/**
 * vb_thp_clear - forget everything
 * @t: the huge pages; the caller holds the memory mutex
 */
void vb_thp_clear(struct vb_thp *t)
{
	WRITE_ONCE(t->nr, 0);
}

/**
 * vb_thp_next - a huge page that isn't going to be complete soon
 * @t: the huge pages; the caller holds the memory mutex
 * @all: any, and not only those that are idle
 * @rs: empty; filled with those of its pages that are in the balloon. Has room for
 *	VB_THP_PAGES / 2 ranges.
 *
 * Return: the huge page, which is kept in mind until vb_thp_drop(); NULL if there is none.
 */
struct vb_thp_part *vb_thp_next(struct vb_thp *t, bool all, struct vb_ranges *rs)
{
	unsigned int i, start, end;

	for (i = 0; i < t->nr; i++)
		if (all || t->part[i].idle)
			break;
	if (i == t->nr)
		return NULL;
	for_each_set_bitrange(start, end, t->part[i].pages, VB_THP_PAGES)
		vb_ranges_add(rs, t->part[i].gfn + start, end - start);
	return &t->part[i];
}

/**
 * vb_thp_age - those huge pages are idle of which no part comes from now on
 * @t: the huge pages; the caller holds the memory mutex
 */
void vb_thp_age(struct vb_thp *t)
{
	unsigned int i;

	for (i = 0; i < t->nr; i++)
		t->part[i].idle = true;
}
