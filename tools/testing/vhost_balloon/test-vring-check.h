/* SPDX-License-Identifier: GPL-2.0 */
/* Rings of any content: what the code says of them, against a plain model. */
#ifndef _TEST_VRING_CHECK_H
#define _TEST_VRING_CHECK_H

#include <linux/types.h>

#include "test-choice.h"
#include "test-vring-driver.h"

/* Largest ring that is checked. */
#define VBT_NUM_MAX	64

/**
 * struct vbt_model - what a chain is, according to the model
 * @head: its first descriptor
 * @nr: number of its pieces
 * @sg: the pieces
 * @end: how it ends: 0, -EINVAL, -ENXIO, or -EBADMSG
 * @broken: why, if that is -EBADMSG
 */
struct vbt_model {
	u16 head;
	unsigned int nr;
	struct vbd_sg sg[2 * VBT_NUM_MAX];
	int end;
	u32 broken;
};

void vbt_model_chain(struct vbd *d, struct vbt_model *m, u16 head);

/* How often each end was met, so that tests are known to test something. */
struct vbt_ends {
	unsigned long good;
	unsigned long malformed;
	unsigned long no_memory;
	unsigned long broken[6];
	unsigned long segments;
};

/*
 * Serve a ring from the available index idx on, and compare all that is found. The
 * content of the ring doesn't change meanwhile. Any access may fault, if it succeeds later.
 */
void vbt_check_ring(struct vbd *d, u16 idx, struct vbt_choice *c, struct vbt_ends *ends);

/*
 * The same with a ring that changes all the time: it has to end, and to stay inside its
 * memory.
 */
void vbt_check_changing_ring(struct vbd *d, u16 idx, struct vbt_choice *c);

#endif /* _TEST_VRING_CHECK_H */
