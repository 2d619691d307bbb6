/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guest memory whose slots are small and lie where arithmetic goes wrong, out of one piece of the
 * VMM's memory: before and behind what a slot has of it are pages that the guest hasn't.
 *
 * Functions return 0 (or what their comment says) or a negative errno.
 */
#ifndef VB_EDGES_H
#define VB_EDGES_H

#include "vb_memory.h"

#define VB_EDGES_SLOTS	12
#define VB_EDGES_PAGES	38U
#define VB_EDGES_SEED	0xed6e

/* One more than the last guest page that addresses of 64 bits reach. */
#define VB_EDGES_GFN_END	(1ULL << 52)

/* Where vb_edges_page() finds no page of the VMM's piece of memory. */
#define VB_EDGES_NOWHERE	(-1)
#define VB_EDGES_BUF		(-2)

/* Two slots next to each other in the guest, of which the upper one lies lower in the VMM. */
#define VB_EDGES_LOWER_GFN	0x100ULL
#define VB_EDGES_UPPER_GFN	0x103ULL

/**
 * struct vb_edges_slot - one of the slots
 * @gfn: its first page
 * @nr: pages
 * @page: the first one's place in the VMM's memory; VB_EDGES_BUF for the machine's buffers
 */
struct vb_edges_slot {
	__u64 gfn;
	unsigned int nr;
	int page;
};

/**
 * struct vb_edges - the memory
 * @memory: the VMM's, all of it filled; what no slot has is to stay as it is
 * @kind: what it is
 * @slots: the slots
 * @nr_slots: how many there are
 * @taken: pages of @memory that the guest has named
 */
struct vb_edges {
	struct vb_memory memory;
	enum vb_memory_kind kind;
	struct vb_edges_slot slots[VB_EDGES_SLOTS];
	unsigned int nr_slots;
	bool taken[VB_EDGES_PAGES];
};

/* Adds the slots to a machine. @crossing: one of them crosses 4 GiB, or two meet there. */
int vb_edges_open(struct vb_edges *e, struct vb_machine *m, enum vb_memory_kind kind,
		  bool crossing);
void vb_edges_close(struct vb_edges *e);

/* The place of a guest page in the VMM's memory. */
int vb_edges_page(const struct vb_edges *e, __u64 gfn);
/* The guest names pages: how many of them lie in slots. */
__u64 vb_edges_take(struct vb_edges *e, __u64 gfn, __u64 nr);
/* How many pages of the VMM's aren't as they should be: gone if they were taken, else filled. */
unsigned int vb_edges_wrong(const struct vb_edges *e);
/* The same for memory that was dropped: there again if they were taken. */
unsigned int vb_edges_misplaced(const struct vb_edges *e);
/* All is filled, and nothing taken; or nothing there. */
void vb_edges_restore(struct vb_edges *e);
int vb_edges_drop(struct vb_edges *e);

/*
 * Page numbers around the first and the last page of each slot, and those that were the same if
 * some of their bits, or of those of their address, were lost. None is the buffers'.
 * Returns how many of up to @max there are; they are in rising order.
 */
unsigned int vb_edges_numbers(const struct vb_edges *e, __u64 *gfn, unsigned int max);

#endif /* VB_EDGES_H */
