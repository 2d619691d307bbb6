/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A thread that kicks on its way into a system call, and is held up there, as vb_held.h has it;
 * but here it is any system call, which is yet to be done: that in which a thread exits, for one.
 *
 * What holds it up is a seccomp filter that asks the test, by a file. Whoever calls the system
 * call wakes up those who poll that file, and that is the kick.
 *
 * Functions return 0 (or what their comment says) or a negative errno.
 */
#ifndef VB_PENDING_H
#define VB_PENDING_H

#include <pthread.h>
#include <stdbool.h>
#include <linux/types.h>

#include "vb_aio.h"

/**
 * struct vb_pending - the thread; zeroed before the start
 * @number: the system call
 * @args: its arguments
 * @ret: its result, or a negative errno, if it returned
 * @kick: the eventfd that it signals
 * @thread: the thread
 * @started: there is one
 * @aio: how it signals
 * @listener: the file by which the test is asked; -1 until there is one
 * @id: of the question
 * @error: why it can't begin
 */
struct vb_pending {
	long number;
	long args[3];
	long ret;
	int kick;
	pthread_t thread;
	bool started;
	struct vb_aio aio;
	int listener;
	__u64 id;
	int error;
};

/*
 * Why no thread can be held up, or NULL. Newer kernels leave such signals to a thread of their own
 * (6.12 in its later versions): then it isn't the caller who kicks.
 */
const char *vb_pending_missing(void);

/*
 * Starts the thread, and returns when it has kicked and is held up. @number: any system call that
 * it makes but once, or exit, which is how it ends.
 */
int vb_pending_start(struct vb_pending *p, long number, int kick);
/* Lets it go on. */
int vb_pending_release(struct vb_pending *p);
/* Waits until the thread has ended. Doesn't let it go on. */
int vb_pending_join(struct vb_pending *p);

/*
 * What holds it up: a filter that has the calling thread ask before it makes the call. Returns the
 * file to answer by. Those who poll it are woken up, too, when the last user of the filter exits.
 */
int vb_pending_filter(long number);

#endif /* VB_PENDING_H */
