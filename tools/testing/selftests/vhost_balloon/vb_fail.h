/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Faults on purpose: the kernel lets one allocation, or one copy from or to user memory, fail
 * that a thread makes, the first, the second and so on (fail-nth of
 * Documentation/fault-injection). And, if that is wanted, every allocation that comes after it, so
 * that what is tried in two ways fails, too.
 *
 * Functions return 0 (or what their comment says) or a negative errno.
 */
#ifndef VB_FAIL_H
#define VB_FAIL_H

#include <stdbool.h>
#include <sys/types.h>
#include <linux/types.h>

/** VB_FAIL_MOST - nothing comes to as many things that may fail: then there is no end to it */
#define VB_FAIL_MOST	20000U

/* Why faults can't be had, or NULL: then it's set which they are, all kinds of them. */
const char *vb_fail_missing(void);
/* For a thread of ours: a file descriptor, to be closed. */
int vb_fail_open(pid_t tid);
/* The @nth thing from now on that may fail, will. */
int vb_fail_arm(int fd, unsigned int nth);
/*
 * The same for whether all allocations fail that come after the armed one: a file descriptor, and
 * what is said before that is armed, and taken back after it is disarmed. Meanwhile the thread
 * must not touch memory that isn't there yet, as it would fault for ever; and threads that are made
 * then, a worker too, are made like it.
 */
int vb_fail_open_rest(pid_t tid);
int vb_fail_rest(int fd, bool fails);
/* No more of it. Returns 1 if it has failed, 0 if the thread didn't get as far. */
int vb_fail_disarm(int fd);
/*
 * The one that is to fail after the @nth. @start: when it began (vb_now_ms()). What takes long goes
 * on in larger and larger steps, so that it comes to an end on a slow machine, too.
 */
unsigned int vb_fail_next(unsigned int nth, __u64 start);

#endif /* VB_FAIL_H */
