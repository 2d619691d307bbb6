/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A machine whose inflate queue is kicked in all kinds of ways, and who served it.
 *
 * Functions return 0 (or what their comment says) or a negative errno.
 */
#ifndef VB_INLINE_H
#define VB_INLINE_H

#include "vb_memory.h"
#include "vb_worker.h"

#define VB_INLINE_GPA	0x10000000ULL
#define VB_INLINE_NUM	16
#define VB_INLINE_SEED	0x1711e
/** VB_INLINE_LIST - most pages of a request */
#define VB_INLINE_LIST	4096U

/**
 * struct vb_inline - the machine
 * @m: itself, running, with queues of VB_INLINE_NUM entries
 * @ram: memory to give away
 * @worker: the worker's thread id
 * @before: what the counters said, and
 * @switches: how often the worker had been switched away from, at the last vb_inline_mark()
 */
struct vb_inline {
	struct vb_machine m;
	struct vb_memory ram;
	pid_t worker;
	struct vhost_balloon_counters before;
	long switches;
};

/* A machine with @pages pages to give away, which runs and is marked. Zeroed before. */
int vb_inline_open(struct vb_inline *s, bool kvm, enum vb_memory_kind kind, unsigned int pages);
void vb_inline_close(struct vb_inline *s);
/* Waits until the worker has nothing to do. It is from here on that things are counted. */
int vb_inline_mark(struct vb_inline *s);

/* Makes a request to give away @nr pages available, one chain of page numbers; kicks nobody. */
int vb_inline_post(struct vb_inline *s, unsigned int first, unsigned int nr);
/* Takes what was posted, all of which has to be used by now: -EAGAIN if it isn't. */
int vb_inline_take(struct vb_inline *s);
/* The same, but waits for it. */
int vb_inline_wait(struct vb_inline *s);

/* How far a counter has risen since the last mark. */
__u64 vb_inline_risen(struct vb_inline *s, enum vhost_balloon_counter counter);
/* See vb_misplaced(): since the last mark. */
int vb_inline_misplaced(struct vb_inline *s, enum vhost_balloon_counter counter, __u64 nr);
/* Whether the worker has slept since the last mark. */
bool vb_inline_slept(struct vb_inline *s);

#endif /* VB_INLINE_H */
