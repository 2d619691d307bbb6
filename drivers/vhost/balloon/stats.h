/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's memory statistics, and the protocol of their queue.
 */
#ifndef _VHOST_BALLOON_STATS_H
#define _VHOST_BALLOON_STATS_H

#include <linux/ktime.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "queue.h"

/**
 * struct vb_sample - a sample of statistics
 * @nr: entries of @stat in use
 * @stat: the entries, in the guest's order
 */
struct vb_sample {
	unsigned int nr;
	struct vhost_balloon_stat stat[VHOST_BALLOON_STATS_MAX];
};

/**
 * struct vb_stats - the statistics of one guest
 * @id: id of the balloon, for tracing
 * @sampled: told of every new sample
 * @next: the sample being read; protected, with what follows, by the queue mutex
 * @dropped: entries that @next had no room for
 * @partial: @next ended within an entry
 * @fresh: @next is complete
 * @held: a buffer of the guest's is held back
 * @held_base: where in the available ring that buffer was
 * @reread: the queue was stopped while a buffer was held: it will be read again
 * @was_reset: the device was reset since the queue ran
 * @lock: protects what follows. Taken last.
 * @wanted: the guest is to be asked for a sample
 * @last: the last sample
 * @sequence: number of samples so far
 * @time: when @last arrived; 0 if it is nobody's
 * @wait: who waits for a sample
 */
struct vb_stats {
	u64 id;
	void (*sampled)(struct vb_stats *stats);

	struct vb_sample next;
	unsigned int dropped;
	bool partial;
	bool fresh;
	bool held;
	u16 held_base;
	bool reread;
	bool was_reset;

	spinlock_t lock;
	bool wanted;
	struct vb_sample last;
	u64 sequence;
	ktime_t time;
	wait_queue_head_t wait;
};

extern const struct vb_queue_ops vb_stats_ops;

void vb_stats_init(struct vb_stats *stats, u64 id, void (*sampled)(struct vb_stats *stats));
void vb_stats_forget(struct vb_stats *stats);
void vb_stats_reset(struct vb_stats *stats);
void vb_stats_want(struct vb_stats *stats);
u64 vb_stats_sequence(struct vb_stats *stats);
void vb_stats_read(struct vb_stats *stats, struct vb_sample *sample, u64 *sequence, u64 *age);

#endif /* _VHOST_BALLOON_STATS_H */
