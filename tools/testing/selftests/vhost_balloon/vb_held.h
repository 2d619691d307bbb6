/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A thread that kicks in the middle of a system call, and is held up there: it is the one that
 * has to serve the queue before it is back in user mode, and can't be, as long as the test likes.
 *
 * It is io_uring that makes several requests in one system call: one to write the kick, and one to
 * write something else from a page that is missing, until the test puts it there.
 *
 * Functions return 0 (or what their comment says) or a negative errno.
 */
#ifndef VB_HELD_H
#define VB_HELD_H

#include <pthread.h>
#include <stdbool.h>

#include "vb_uring.h"

/**
 * struct vb_held - the thread; zeroed before the start
 * @kick: the eventfd that it signals
 * @close: what it closes after it was held up, or -1
 * @other: what it writes to besides
 * @page: what it waits for
 * @uffd: how the page comes
 * @ring: the requests
 * @thread: the thread
 * @started: there is one
 */
struct vb_held {
	int kick;
	int close;
	int other;
	void *page;
	int uffd;
	struct vb_uring ring;
	pthread_t thread;
	bool started;
};

/* Why no thread can be held up, or NULL. */
const char *vb_held_missing(void);
/* Starts the thread, and returns when it has kicked and is held up. */
int vb_held_start(struct vb_held *h, int kick, int close);
/* Lets it go on. */
int vb_held_release(struct vb_held *h);
/* Waits until the thread has ended. Says whether all it had to do went well. */
int vb_held_join(struct vb_held *h);

#endif /* VB_HELD_H */
