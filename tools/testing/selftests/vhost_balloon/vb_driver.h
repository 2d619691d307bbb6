/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a guest's driver writes into the queues for statistics, hints and reports.
 *
 * Functions return 0 (or what their comment says) or a negative errno.
 */
#ifndef VB_DRIVER_H
#define VB_DRIVER_H

#include <pthread.h>
#include <linux/types.h>

#include "vb_backend.h"

/** VB_STAT_SIZE - bytes of one of the statistics: a tag and a value, packed */
#define VB_STAT_SIZE	10U

/* Writes the statistic at place @i of a buffer. */
void vb_put_stat(void *buf, unsigned int i, __u16 tag, __u64 value);

/** VB_PIECE - a device-writable piece of guest memory, as hints and reports have it */
#define VB_PIECE(gpa, bytes) { .addr = (gpa), .len = (bytes), .flags = VRING_DESC_F_WRITE }

/* One piece in one chain: see vb_queue_send(). */
int vb_send_piece(struct vb_queue *q, __u64 gpa, __u32 bytes);
/* A command id on the queue for hints. @buf is guest memory for it. */
int vb_send_command(struct vb_queue *q, const struct vb_memory *buf, __u32 cmd_id);

/**
 * struct vb_watch - looks at a word of memory at the very moment when a chain is used
 * @q: the queue
 * @word: the word
 * @idx: the used index that says so
 * @seen: what the word was then
 * @thread: looks
 */
struct vb_watch {
	struct vb_queue *q;
	const __u64 *word;
	__u16 idx;
	__u64 seen;
	pthread_t thread;
};

/* Before the next chain is added; and after it was used: @seen is there. */
int vb_watch_begin(struct vb_watch *w, struct vb_queue *q, const __u64 *word);
int vb_watch_end(struct vb_watch *w);

#endif /* VB_DRIVER_H */
