// SPDX-License-Identifier: GPL-2.0
/*
 * A bit for each page of guest memory.
 *
 * The bits lie in areas, each of which was a region, or a part of one, when
 * it was made. Regions come and go; an area stays. When a region comes that has
 * other memory where an area is, the area goes, and all of its bits: to forget
 * a bit is always safe.
 */
#include <linux/bitmap.h>
#include <linux/interval_tree.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "pagebits.h"

/*
 * Areas may cover this many times as many pages as there are; then those go that no
 * region wants. So a VMM that moves its memory about doesn't leave bits everywhere.
 */
#define VB_PAGEBITS_SLACK	4

/**
 * struct vb_area - a run of pages that have bits
 * @node: in &vb_pagebits.areas: first and last guest frame number
 * @hva: of the first page
 * @bits: the bits. Bit 0 is the first page.
 */
struct vb_area {
	struct interval_tree_node node;
	unsigned long hva;
	unsigned long *bits;
};

/* Page numbers of 32 bits reach no higher, and what a VMM can have us allocate has to end. */
#define VB_PAGEBITS_END		BIT_ULL(32)
/* Areas, and pages of them, that are allocated in one go: twice what a guest can have regions. */
#define VB_COVER_AREAS_MAX	(2 * VHOST_BALLOON_REGIONS_MAX)
#define VB_COVER_PAGES_MAX	(2 * VB_PAGEBITS_END)

#define VB_WORD_BITS		64

static u64 vb_area_gfn(const struct vb_area *a)
{
	return a->node.start;
}

static u64 vb_area_nr(const struct vb_area *a)
{
	return a->node.last - a->node.start + 1;
}

static unsigned long vb_area_bit(const struct vb_area *a, u64 gfn)
{
	return gfn - vb_area_gfn(a);
}

static struct vb_area *vb_area_first(struct vb_pagebits *pb, u64 gfn, u64 last)
{
	struct interval_tree_node *node = interval_tree_iter_first(&pb->areas, gfn, last);

	return node ? container_of(node, struct vb_area, node) : NULL;
}

static struct vb_area *vb_area_next(struct vb_area *a, u64 gfn, u64 last)
{
	struct interval_tree_node *node = interval_tree_iter_next(&a->node, gfn, last);

	return node ? container_of(node, struct vb_area, node) : NULL;
}

/* The areas that reach into the pages, lowest first. */
#define vb_for_each_area(a, pb, gfn, nr)				\
	for ((a) = vb_area_first(pb, gfn, (gfn) + (nr) - 1); (a);	\
	     (a) = vb_area_next(a, gfn, (gfn) + (nr) - 1))

/* The part of an area that lies in the pages. */
static struct vb_range vb_area_part(const struct vb_area *a, u64 gfn, u64 nr)
{
	u64 start = max(gfn, vb_area_gfn(a));
	u64 end = min(gfn + nr, vb_area_gfn(a) + vb_area_nr(a));

	return (struct vb_range){ .gfn = start, .nr = end - start };
}

static struct vb_area *vb_area_alloc(const struct vhost_balloon_slot *r)
{
	gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_NOWARN | __GFP_RETRY_MAYFAIL;
	struct vb_area *a = kzalloc(sizeof(*a), gfp);

	if (!a)
		return NULL;
	a->node.start = r->gfn;
	a->node.last = r->gfn + r->nr - 1;
	a->hva = r->hva;
	a->bits = kvcalloc(BITS_TO_LONGS(r->nr), sizeof(long), gfp);
	if (!a->bits) {
		kfree(a);
		return NULL;
	}
	return a;
}

static void vb_area_free(struct vb_area *a)
{
	kvfree(a->bits);
	kfree(a);
}

static void vb_area_insert(struct vb_pagebits *pb, struct vb_area *a)
{
	interval_tree_insert(&a->node, &pb->areas);
	pb->pages += vb_area_nr(a);
}

static void vb_area_remove(struct vb_pagebits *pb, struct vb_area *a)
{
	interval_tree_remove(&a->node, &pb->areas);
	pb->pages -= vb_area_nr(a);
	vb_area_free(a);
}

static void vb_pagebits_zero(struct vb_pagebits *pb)
{
	struct vb_area *a;

	vb_for_each_area(a, pb, 0, U64_MAX) {
		/* Not bitmap_zero(), which counts bits by 32 of them: there may be 2^32. */
		memset(a->bits, 0, BITS_TO_LONGS(vb_area_nr(a)) * sizeof(long));
		cond_resched();
	}
}

/* Whether an area is about the memory that the guest sees at @hva from @gfn on. */
static bool vb_area_matches(const struct vb_area *a, u64 gfn, unsigned long hva)
{
	return a->hva - (vb_area_gfn(a) << PAGE_SHIFT) == hva - (gfn << PAGE_SHIFT);
}

/*
 * Find the first run of a region's pages, from @gfn on, that has no bits. The region's
 * areas match it. Returns whether there is one.
 */
static bool vb_region_gap(struct vb_pagebits *pb, const struct vhost_balloon_slot *r, u64 gfn,
			  struct vhost_balloon_slot *gap)
{
	u64 end = min(r->gfn + r->nr, VB_PAGEBITS_END);
	struct vb_area *a;

	gfn = max(gfn, r->gfn);
	if (gfn >= end)
		return false;
	vb_for_each_area(a, pb, gfn, end - gfn) {
		if (vb_area_gfn(a) > gfn)
			break;
		gfn = vb_area_gfn(a) + vb_area_nr(a);
		if (gfn >= end)
			return false;
	}
	*gap = (struct vhost_balloon_slot) {
		.gfn	= gfn,
		.nr	= (a ? vb_area_gfn(a) : end) - gfn,
		.hva	= r->hva + ((gfn - r->gfn) << PAGE_SHIFT),
	};
	return true;
}

static void vb_pagebits_region_add(struct vb_memory_listener *l, const struct vhost_balloon_slot *r)
{
	struct vb_pagebits *pb = container_of(l, struct vb_pagebits, listener);
	struct vhost_balloon_slot gap;
	struct vb_area *a, *next;
	bool gone = false;

	for (a = vb_area_first(pb, r->gfn, r->gfn + r->nr - 1); a; a = next) {
		next = vb_area_next(a, r->gfn, r->gfn + r->nr - 1);
		if (vb_area_matches(a, r->gfn, r->hva))
			continue;
		/* Other regions, even those that stay as they are, may have had bits in it. */
		vb_area_remove(pb, a);
		gone = true;
	}
	if (!pb->wanted)
		return;
	if (gone || (vb_region_discardable(r) && vb_region_gap(pb, r, 0, &gap)))
		WRITE_ONCE(pb->missing, true);
}

/* A slot that went and came again between two sections is seen by this only. */
static void vb_pagebits_begin(struct vb_memory_listener *l)
{
	struct vb_pagebits *pb = container_of(l, struct vb_pagebits, listener);

	if (!pb->survive)
		vb_pagebits_zero(pb);
}

static const struct vb_memory_listener_ops vb_pagebits_listener_ops = {
	.begin		= vb_pagebits_begin,
	.region_add	= vb_pagebits_region_add,
};

/**
 * vb_pagebits_init - begin without any bits
 * @pb: the bits
 * @m: the guest's memory
 * @survive: keep bits when the regions change, as long as the memory is the same
 *
 * Context: may sleep.
 * Return: as vb_memory_register().
 */
int vb_pagebits_init(struct vb_pagebits *pb, struct vb_memory *m, bool survive)
{
	pb->memory = m;
	pb->areas = RB_ROOT_CACHED;
	pb->pages = 0;
	pb->survive = survive;
	pb->wanted = false;
	pb->missing = false;
	pb->listener.ops = &vb_pagebits_listener_ops;
	return vb_memory_register(m, &pb->listener);
}

/**
 * vb_pagebits_drop - forget all bits, and want none
 * @pb: the bits; the caller holds the memory mutex
 *
 * Context: may sleep; not inside a section.
 */
void vb_pagebits_drop(struct vb_pagebits *pb)
{
	struct vb_area *a;

	lockdep_assert_held(&pb->memory->lock);
	while ((a = vb_area_first(pb, 0, U64_MAX))) {
		vb_area_remove(pb, a);
		cond_resched();
	}
	WRITE_ONCE(pb->wanted, false);
	WRITE_ONCE(pb->missing, false);
}

/**
 * vb_pagebits_destroy - free everything
 * @pb: the bits, with nobody using them
 *
 * Context: may sleep.
 */
void vb_pagebits_destroy(struct vb_pagebits *pb)
{
	vb_memory_unregister(pb->memory, &pb->listener);
	mutex_lock(&pb->memory->lock);
	vb_pagebits_drop(pb);
	mutex_unlock(&pb->memory->lock);
}

/**
 * vb_pagebits_want - have bits for all memory that can be discarded from
 * @pb: the bits; the caller holds the memory mutex
 *
 * They are there after vb_pagebits_cover().
 */
void vb_pagebits_want(struct vb_pagebits *pb)
{
	lockdep_assert_held(&pb->memory->lock);
	if (pb->wanted)
		return;
	WRITE_ONCE(pb->wanted, true);
	WRITE_ONCE(pb->missing, true);
}

/* The first run of pages from @gfn on that should have bits and have none. In a section. */
static bool vb_pagebits_gap(struct vb_pagebits *pb, u64 gfn, struct vhost_balloon_slot *gap)
{
	struct vb_memory *m = pb->memory;
	struct vhost_balloon_slot slot;

	while (!vb_memory_find(m, gfn, &slot)) {
		if (vb_region_discardable(&slot) && vb_region_gap(pb, &slot, gfn, gap))
			return true;
		if (slot.gfn + slot.nr <= gfn)
			break;
		gfn = slot.gfn + slot.nr;
	}
	return false;
}

/* Whether any region has to do with an area. In a section. */
static bool vb_area_in_use(struct vb_pagebits *pb, const struct vb_area *a)
{
	struct vhost_balloon_slot slot;

	return !vb_memory_find(pb->memory, vb_area_gfn(a), &slot) &&
	       slot.gfn < vb_area_gfn(a) + vb_area_nr(a);
}

/* Let areas go that have had no region for long, when there are too many. In a section. */
static void vb_pagebits_trim(struct vb_pagebits *pb)
{
	struct vb_area *a, *next;
	u64 present = 0;

	vb_for_each_area(a, pb, 0, U64_MAX)
		if (vb_area_in_use(pb, a))
			present += vb_area_nr(a);
	if (pb->pages / VB_PAGEBITS_SLACK <= present)
		return;
	for (a = vb_area_first(pb, 0, U64_MAX); a; a = next) {
		next = vb_area_next(a, 0, U64_MAX);
		if (!vb_area_in_use(pb, a))
			vb_area_remove(pb, a);
	}
}

/*
 * Add an area if it is still wanted, and find the next gap from where it ends. Returns 1 if
 * there is one, 0 if not, or an errno.
 */
static int vb_pagebits_add(struct vb_pagebits *pb, struct vb_area **add,
			   struct vhost_balloon_slot *gap)
{
	struct vhost_balloon_slot now;
	u64 next = 0;
	int ret;

	ret = vb_memory_enter(pb->memory);
	if (ret)
		return ret;
	/* The caller sees to all that is there now. What comes later sets it again. */
	WRITE_ONCE(pb->missing, false);
	if (!pb->wanted)
		goto out_leave;
	if (*add) {
		next = gap->gfn + gap->nr;
		if (vb_pagebits_gap(pb, gap->gfn, &now) && now.gfn == gap->gfn &&
		    now.nr == gap->nr && now.hva == gap->hva) {
			vb_area_insert(pb, *add);
			*add = NULL;
		}
	} else {
		vb_pagebits_trim(pb);
	}
	ret = vb_pagebits_gap(pb, next, gap) || (next && vb_pagebits_gap(pb, 0, gap));
out_leave:
	vb_memory_leave(pb->memory);
	return ret;
}

/**
 * vb_pagebits_cover - have bits for memory that came and has none
 * @pb: the bits
 *
 * Allocates outside of sections, one area at a time. What there is no room for isn't tried
 * again: @missing of @pb is set only when there is something new, or when not all was looked at.
 *
 * Context: may sleep; not inside a section.
 * Return: 0; -ENOMEM, also if the memory changes all the time; -EINTR.
 */
int vb_pagebits_cover(struct vb_pagebits *pb)
{
	struct vhost_balloon_slot gap;
	struct vb_area *add = NULL;
	unsigned int areas = 0;
	u64 pages = 0;
	int ret;

	while ((ret = vb_pagebits_add(pb, &add, &gap)) > 0) {
		/* Left over: the memory has changed meanwhile. */
		if (add)
			vb_area_free(add);
		add = NULL;
		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		pages += gap.nr;
		/* Who changes the memory could do so for ever. */
		if (++areas <= VB_COVER_AREAS_MAX && pages <= VB_COVER_PAGES_MAX)
			add = vb_area_alloc(&gap);
		if (!add)
			return -ENOMEM;
		cond_resched();
	}
	if (add)
		vb_area_free(add);
	/* Without memory there is nothing to have bits for. */
	if (ret == -ENXIO)
		return 0;
	/* Not seen to, after all. */
	if (ret)
		WRITE_ONCE(pb->missing, true);
	return ret;
}

/**
 * vb_pagebits_set - set the bits of pages
 * @pb: the bits; the caller holds the memory mutex
 * @gfn: first page
 * @nr: number of pages, at least 1
 *
 * Context: doesn't sleep.
 * Return: number of pages that have bits at all.
 */
u64 vb_pagebits_set(struct vb_pagebits *pb, u64 gfn, u64 nr)
{
	struct vb_range part;
	struct vb_area *a;
	u64 set = 0;

	vb_for_each_area(a, pb, gfn, nr) {
		part = vb_area_part(a, gfn, nr);
		bitmap_set(a->bits, vb_area_bit(a, part.gfn), part.nr);
		set += part.nr;
	}
	return set;
}

/**
 * vb_pagebits_clear - clear the bits of pages
 * @pb: the bits; the caller holds the memory mutex
 * @gfn: first page
 * @nr: number of pages, at least 1
 */
void vb_pagebits_clear(struct vb_pagebits *pb, u64 gfn, u64 nr)
{
	struct vb_range part;
	struct vb_area *a;

	vb_for_each_area(a, pb, gfn, nr) {
		part = vb_area_part(a, gfn, nr);
		bitmap_clear(a->bits, vb_area_bit(a, part.gfn), part.nr);
	}
}

/**
 * vb_pagebits_clear_all - clear all bits
 * @pb: the bits
 *
 * Context: may sleep; not inside a section.
 * Return: 0; -EINTR.
 */
int vb_pagebits_clear_all(struct vb_pagebits *pb)
{
	if (mutex_lock_killable(&pb->memory->lock))
		return -EINTR;
	vb_pagebits_zero(pb);
	mutex_unlock(&pb->memory->lock);
	return 0;
}

/**
 * vb_pagebits_full - whether the bits of all pages are set
 * @pb: the bits; the caller holds the memory mutex
 * @gfn: first page
 * @nr: number of pages, at least 1
 * @hva: where the first page is in the VMM's address space
 *
 * Context: doesn't sleep.
 * Return: true if so, and they are about that memory.
 */
bool vb_pagebits_full(struct vb_pagebits *pb, u64 gfn, u64 nr, unsigned long hva)
{
	struct vb_range part;
	unsigned long bit;
	struct vb_area *a;
	u64 set = 0;

	vb_for_each_area(a, pb, gfn, nr) {
		part = vb_area_part(a, gfn, nr);
		bit = vb_area_bit(a, part.gfn);
		if (!vb_area_matches(a, gfn, hva) ||
		    find_next_zero_bit(a->bits, bit + part.nr, bit) < bit + part.nr)
			return false;
		set += part.nr;
	}
	return set == nr;
}

/**
 * vb_pagebits_fetch - get bits, and clear them
 * @pb: the bits; the caller holds the memory mutex
 * @gfn: first page, a multiple of 64
 * @nr: number of pages, at least 1
 * @words: where to, zeroed; bit 0 of the first one is @gfn
 *
 * Context: doesn't sleep.
 * Return: number of bits that were set.
 */
u32 vb_pagebits_fetch(struct vb_pagebits *pb, u64 gfn, u32 nr, u64 *words)
{
	struct vb_range part;
	unsigned long bit, end;
	struct vb_area *a;
	u32 set = 0;

	vb_for_each_area(a, pb, gfn, nr) {
		part = vb_area_part(a, gfn, nr);
		end = vb_area_bit(a, part.gfn) + part.nr;
		bit = find_next_bit(a->bits, end, vb_area_bit(a, part.gfn));
		while (bit < end) {
			u64 at = part.gfn + (bit - vb_area_bit(a, part.gfn)) - gfn;

			words[at / VB_WORD_BITS] |= BIT_ULL(at % VB_WORD_BITS);
			set++;
			bit = find_next_bit(a->bits, end, bit + 1);
		}
	}
	vb_pagebits_clear(pb, gfn, nr);
	return set;
}
