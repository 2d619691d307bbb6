/* SPDX-License-Identifier: GPL-2.0 */
/* Rings that are made of a fuzzer's bytes. */
#ifndef _FUZZ_RING_H
#define _FUZZ_RING_H

#include "test-choice.h"
#include "test-vring-driver.h"

#define FUZZ_GUEST_SIZE	4096

/* An empty ring of some size and features. It is the target's until the next call. */
struct vbd *fuzz_ring(struct vbt_choice *c);
/* Any descriptor somewhere in a table. */
void fuzz_ring_desc(struct vbd *d, struct vbt_choice *c, u64 table, unsigned int entries);
/*
 * A chain of pieces, written to the descriptors that come next, of which the last ones may be
 * in an indirect table. Returns its head.
 */
u16 fuzz_ring_chain(struct vbd *d, struct vbt_choice *c, u16 *next_desc,
		    struct vbd_sg (*piece)(struct vbt_choice *c));
/* Write val to some place of the ring's or of the guest's. */
void fuzz_ring_scribble(struct vbd *d, u16 at, u16 val);

#endif /* _FUZZ_RING_H */
