/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A queue that serves a ring made of a fuzzer's bytes, with the kernel's own passes, memory
 * and bits of pages; and how far a model of it is.
 */
#ifndef _FUZZ_QUEUE_H
#define _FUZZ_QUEUE_H

#include "fuzz.h"
#include "fuzz-ring.h"
#include "queue.h"
#include "test-vring-check.h"

/* The guest's memory lies in slots below this page, but for rings and their buffers. */
#define FUZZ_WORLD	1024
#define FUZZ_SLOTS	4

/**
 * struct fuzz_queue - a queue, and how far a model of it is
 * @d: the driver, and the memory of ring and buffers
 * @q: the queue
 * @memory: the guest's memory
 * @counters: what is counted
 * @slot: what @memory consists of
 * @nr_slots: entries of @slot
 * @generation: of @slot
 * @in_section: between the source's enter and leave
 * @faults: of 256 accesses this many fault
 * @random: for what the bytes don't say
 * @loose: the ring changes while it is served, and faults may stay: there is no model
 * @signals: interrupts
 * @next_desc: where the next chain is written to
 * @avail: model: available index of the next chain
 * @seen: model: how far the driver was, when last looked
 * @used: model: used index
 * @chains: model: chains completed
 * @head: model: heads of the used entries ...
 * @heads: model: ... of which this many, the last ones, are known
 * @broken: model: why the ring is broken
 */
struct fuzz_queue {
	struct vbd *d;
	struct vb_queue q;
	struct vb_memory memory;
	struct vb_counters counters;
	struct vhost_balloon_slot slot[FUZZ_SLOTS];
	unsigned int nr_slots;
	u64 generation;
	bool in_section;
	unsigned int faults;
	struct vbt_choice random;
	bool loose;
	unsigned long signals;
	u16 next_desc;
	u16 avail;
	u16 seen;
	u16 used;
	u64 chains;
	u16 head[VBT_NUM_MAX];
	u64 heads;
	u32 broken;
};

void fuzz_queue_init(struct fuzz_queue *f, struct vbt_choice *c, const struct vb_queue_ops *ops,
		     void *data);
void fuzz_queue_start(struct fuzz_queue *f);
/* Stop and go on from where it was, or from the ring's first entry. */
void fuzz_queue_stop(struct fuzz_queue *f);
void fuzz_queue_destroy(struct fuzz_queue *f);
void fuzz_queue_set_slots(struct fuzz_queue *f, struct vbt_choice *c);

/* What the driver does: a chain of some pieces; or anything. */
void fuzz_queue_chain(struct fuzz_queue *f, struct vbt_choice *c,
		      struct vbd_sg (*piece)(struct vbt_choice *c));
void fuzz_queue_fill(struct fuzz_queue *f, struct vbt_choice *c);
void fuzz_queue_wild(struct fuzz_queue *f, struct vbt_choice *c);

/* Serve it as far as there is something to do. */
void fuzz_queue_pass(struct fuzz_queue *f);

/* Model: the next chain. Returns 1, 0 if there is none, -1 if the ring is broken. */
int fuzz_model_next(struct fuzz_queue *f, struct vbt_model *m);
/* Model: the chain with that head is completed. */
void fuzz_model_complete(struct fuzz_queue *f, u16 head);
/* Model: the bytes of a readable piece that can be read. */
u32 fuzz_model_readable(struct fuzz_queue *f, const struct vbd_sg *sg);
/* Compare used ring and counters. */
void fuzz_model_check(struct fuzz_queue *f);
u64 fuzz_counted(const struct fuzz_queue *f, enum vhost_balloon_counter which);

#endif /* _FUZZ_QUEUE_H */
