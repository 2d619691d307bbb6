/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest, in a thread of its own, that makes the same request over and over, as
 * fast as it is completed.
 *
 * Functions return 0 or a negative errno.
 */
#ifndef VB_KICKER_H
#define VB_KICKER_H

#include <stdatomic.h>

#include "vb_backend.h"
#include "vb_memory.h"
#include "vb_race.h"

/**
 * struct vb_kicker - the guest; zeroed before the first start
 * @queue: the queue, whose ring is the thread's own from start to stop
 * @request: the request
 * @loop: the thread
 * @used: requests that were completed
 */
struct vb_kicker {
	struct vb_queue *queue;
	struct vb_sg request;
	struct vb_loop loop;
	atomic_ulong used;
};

int vb_kicker_start(struct vb_kicker *kicker, struct vb_queue *queue, const struct vb_sg *request);
/* The same with a list of @nr page numbers at @list_gpa. */
int vb_kicker_start_list(struct vb_kicker *kicker, struct vb_queue *queue, __u64 list_gpa,
			 unsigned int nr);
/* What ended the thread, 0 if this did. -EINVAL if there is none. */
int vb_kicker_stop(struct vb_kicker *kicker);
/* Waits until whatever was on its way is through, and as much again has followed. */
int vb_kicker_wait(struct vb_kicker *kicker);
/* Waits until the first @nr pages of the memory are seen to be discarded. */
int vb_kicker_wait_discarded(struct vb_kicker *kicker, struct vb_memory *memory, unsigned int nr);

/* Writes the page numbers of @nr pages from @gpa on; a guest may be reading them. */
void vb_write_list(void *list, __u64 gpa, unsigned int nr);

#endif /* VB_KICKER_H */
