/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random numbers and random rings. The same seed gives the same ones everywhere.
 */
#ifndef VB_RANDOM_H
#define VB_RANDOM_H

#include <linux/types.h>

#include "vb_ring.h"

/* VB_SEED of the environment, or @otherwise. Never zero, the one state that doesn't go on. */
__u64 vb_random_seed(__u64 otherwise);
/* A number that the environment says, or @otherwise. */
unsigned long vb_environment(const char *name, unsigned long otherwise);

__u64 vb_random(__u64 *state);
/* From 0 to @bound - 1. */
__u32 vb_random_below(__u64 *state, __u32 bound);

/*
 * Writes descriptors, available entries and index, and wishes at random: mostly what a driver
 * might write, for chains in the memory for buffers and tables of vb_hostile.h.
 */
void vb_random_desc(__u64 *state, struct vring_desc *desc, unsigned int num);
void vb_random_ring(__u64 *state, struct vb_ring *ring, struct vring_desc *table,
		    struct vring_desc *table2);

#endif /* VB_RANDOM_H */
