/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A bit for each page of guest memory, that can stay with the memory when the
 * slots change.
 *
 * VMMs delete slots and make them anew when they split or merge them. A bit is
 * about a page of the VMM's memory that the guest sees at some address, so it
 * may survive as long as nobody saw another page at that address.
 */
#ifndef _VHOST_BALLOON_PAGEBITS_H
#define _VHOST_BALLOON_PAGEBITS_H

#include <linux/rbtree.h>

#include "memory.h"
#include "range.h"

/**
 * struct vb_pagebits - the bits
 * @memory: the guest's memory. Its mutex protects all of this.
 * @listener: follows the regions
 * @areas: where there are bits: areas by their guest frame numbers
 * @pages: pages that the areas cover
 * @survive: bits are kept when the regions change, as long as the memory is the same
 * @wanted: bits are wanted for all memory that can be discarded from. Read without the mutex
 *	by who would only clear bits.
 * @missing: there may be such memory without bits that vb_pagebits_cover() hasn't seen. Read
 *	without the mutex as a hint that it is called for.
 */
struct vb_pagebits {
	struct vb_memory *memory;
	struct vb_memory_listener listener;
	struct rb_root_cached areas;
	u64 pages;
	bool survive;
	bool wanted;
	bool missing;
};

int vb_pagebits_init(struct vb_pagebits *pb, struct vb_memory *m, bool survive);
void vb_pagebits_destroy(struct vb_pagebits *pb);
void vb_pagebits_want(struct vb_pagebits *pb);
int vb_pagebits_cover(struct vb_pagebits *pb);
void vb_pagebits_drop(struct vb_pagebits *pb);

u64 vb_pagebits_set(struct vb_pagebits *pb, u64 gfn, u64 nr);
void vb_pagebits_clear(struct vb_pagebits *pb, u64 gfn, u64 nr);
int vb_pagebits_clear_all(struct vb_pagebits *pb);
bool vb_pagebits_full(struct vb_pagebits *pb, u64 gfn, u64 nr, unsigned long hva);
u32 vb_pagebits_fetch(struct vb_pagebits *pb, u64 gfn, u32 nr, u64 *words);

#endif /* _VHOST_BALLOON_PAGEBITS_H */
