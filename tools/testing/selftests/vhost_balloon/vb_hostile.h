/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A machine whose driver may do as it likes with the ring of its inflate queue,
 * and what is needed to see that the device stands it.
 *
 * Functions return 0 or a negative errno.
 */
#ifndef VB_HOSTILE_H
#define VB_HOSTILE_H

#include <stdbool.h>
#include <linux/types.h>

#include "vb_machine.h"
#include "vb_memory.h"

/* Entries of each ring. */
#define VB_HOSTILE_NUM		16
/* Memory to give away, and the seed of what it is filled with. */
#define VB_HOSTILE_GPA		0x100000ULL
#define VB_HOSTILE_PAGES	64U
#define VB_HOSTILE_SEED		3
/* Guest addresses where no memory is. */
#define VB_NOWHERE_GPA		0x8000000ULL

/*
 * The memory for buffers begins with the page numbers of the memory to give away, in
 * rising order. Two places for indirect tables follow.
 */
#define VB_TABLE_OFFSET		VB_PAGE
#define VB_TABLE_GPA		(VB_BUF_GPA + VB_TABLE_OFFSET)
#define VB_TABLE2_OFFSET	(2 * VB_PAGE)
#define VB_TABLE2_GPA		(VB_BUF_GPA + VB_TABLE2_OFFSET)

/* The machine, with queues running. */
int vb_hostile_open(struct vb_machine *m, struct vb_memory *ram, __u64 features);
void vb_hostile_close(struct vb_machine *m, struct vb_memory *ram);

/* Writes a descriptor of the ring, or of an indirect table. */
void vb_hostile_desc(struct vb_machine *m, unsigned int i, __u64 addr, __u32 len, __u16 flags,
		     __u16 next);
void vb_hostile_table(struct vb_machine *m, unsigned int i, __u64 addr, __u32 len, __u16 flags,
		      __u16 next);
void vb_hostile_table2(struct vb_machine *m, unsigned int i, __u64 addr, __u32 len, __u16 flags,
		       __u16 next);
/* Makes it available, whatever it is. */
void vb_hostile_avail(struct vb_machine *m, __u16 head);

/* A chain as it should be: gives away one page of the memory. */
int vb_hostile_inflate(struct vb_machine *m, unsigned int page);
/* The other queue, with a driver that behaves. */
int vb_hostile_deflate(struct vb_machine *m);
/*
 * Gives a page of the memory away, writes to it, and takes it back; for another @nr another page.
 * -EPROTO if the page isn't gone in between.
 */
int vb_hostile_round(struct vb_machine *m, struct vb_memory *ram, unsigned int nr);

/* Fills ring and tables at random, with nothing stopped. */
void vb_hostile_random(struct vb_machine *m, __u64 *state);
/*
 * Has a random ring served from its begin, by a queue that was stopped meanwhile: until it breaks,
 * or is at the ring's end. -ETIMEDOUT if it stands still before.
 */
int vb_hostile_serve_random(struct vb_machine *m, __u64 *state, bool *broken);

#endif /* VB_HOSTILE_H */
