/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A balloon's worker, as /proc shows it: whether it sleeps, and whether it ran; and what the
 * counters say about who served the queues.
 *
 * Functions return 0 (or what their comment says) or a negative errno.
 */
#ifndef VB_WORKER_H
#define VB_WORKER_H

#include <sys/types.h>

#include <stdbool.h>

#include "vb_backend.h"

/* The thread's id. */
pid_t vb_worker_find(int backend);
/* The same, by the balloon's id: among threads of this process, and processes. */
pid_t vb_worker_find_id(__u64 id);
/* How often it was switched away from: as long as this stays the same, it hasn't run. */
long vb_worker_switches(pid_t worker);
/* Waits until it sleeps: what it was woken up for until now is done. */
int vb_worker_settle(pid_t worker);

/*
 * Waits until that balloon's worker, or another thread of the process that owns it but for its
 * first one, is in disk sleep, and stays there.
 */
int vb_worker_wait_stuck(pid_t owner, __u64 id);

/* Why a worker is no thread of the process that owns its balloon, or NULL if it is one. */
const char *vb_worker_thread_missing(void);

/* Waits until what a start left to the worker is done; from there on it is for the kicks. */
int vb_settle(int backend);

/*
 * How often to do something that takes @ordinary times long enough; fewer on a debug kernel, and
 * VB_ROUNDS_FACTOR times as often if the environment has that.
 */
unsigned int vb_rounds(unsigned int ordinary);

/* For the harness: seconds, within which what is done vb_rounds() times is done by far. */
unsigned int vb_rounds_limit(void);

/* Why a VM's queues can't be served by the worker, or on the thread that kicked, or NULL. */
const char *vb_serving_missing(bool worker);
/* Why queues are never served on the thread that kicked, or NULL if they are. */
const char *vb_inline_missing(void);
/*
 * Whether, since @before, the worker was left @nr kicks or passes, all of them for the reason
 * @counter, one of VHOST_BALLOON_C_WORKER_*: -1 if so, or else the first counter that says
 * otherwise. VHOST_BALLOON_NR_COUNTERS and 0: it was left nothing.
 */
int vb_misplaced(int fd, const struct vhost_balloon_counters *before,
		 enum vhost_balloon_counter counter, __u64 nr);

#endif /* VB_WORKER_H */
