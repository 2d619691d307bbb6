/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory for a machine, whose pages can be told apart.
 *
 * Functions return 0 (or what their comment says) or a negative errno.
 */
#ifndef VB_MEMORY_H
#define VB_MEMORY_H

#include <linux/types.h>

#include "vb_machine.h"

enum vb_memory_kind {
	VB_MEMORY_ANON,
	VB_MEMORY_MEMFD,
};

/* Maps @len bytes for use at @gpa; whole pages of 4 KiB, never huge ones. */
int vb_memory_map(struct vb_memory *memory, enum vb_memory_kind kind, __u64 gpa, __u64 len);
void vb_memory_unmap(struct vb_memory *memory);

/*
 * Pages first to first + nr - 1 of the memory: fills each with a pattern of its
 * own, counts those that still hold it, counts those that are zero.
 */
void vb_memory_fill(struct vb_memory *memory, unsigned int first, unsigned int nr, __u32 seed);
unsigned int vb_memory_intact(struct vb_memory *memory, unsigned int first, unsigned int nr,
			      __u32 seed);
unsigned int vb_memory_zero(struct vb_memory *memory, unsigned int first, unsigned int nr);

/* The page number that the guest has for a page of the memory. */
static inline __u32 vb_memory_gfn(const struct vb_memory *memory, unsigned int page)
{
	return memory->gpa / VB_PAGE + page;
}

/* Makes a slot of the memory, in a machine with a VM; @flags: KVM_MEM_*. */
int vb_memory_add_slot(struct vb_machine *m, __u32 slot, __u32 flags,
		       const struct vb_memory *memory);

/* Gives away @nr pages from @gpa on, in one chain, and waits until it is used. */
int vb_inflate_range(struct vb_machine *m, __u64 gpa, unsigned int nr);
/* The same, but takes them back. */
int vb_deflate_range(struct vb_machine *m, __u64 gpa, unsigned int nr);

#endif /* VB_MEMORY_H */
