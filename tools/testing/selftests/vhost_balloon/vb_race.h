/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Things that are done over and over, at the same time, and at moments that are up to chance.
 *
 * Functions return 0 (or what their comment says) or a negative errno.
 */
#ifndef VB_RACE_H
#define VB_RACE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>
#include <linux/types.h>

/**
 * struct vb_loop - a thread that takes a step over and over; zeroed before the first start
 * @step: the step: a negative errno ends it all
 * @arg: what the step is told
 * @thread: the thread
 * @started: there is one
 * @stop: it shall end
 * @steps: that were taken
 * @error: what ended it early
 */
struct vb_loop {
	int (*step)(void *arg);
	void *arg;
	pthread_t thread;
	bool started;
	atomic_bool stop;
	atomic_ulong steps;
	atomic_int error;
};

int vb_loop_start(struct vb_loop *loop, int (*step)(void *arg), void *arg);
/* What ended the thread, 0 if this did. -EINVAL if there is none. */
int vb_loop_stop(struct vb_loop *loop);
/* Waits until @steps more were taken from begin to end: 0, what ended it, or -ETIMEDOUT. */
int vb_loop_wait(struct vb_loop *loop, unsigned long steps);

/*
 * Random numbers, below @below. The first one begins a sequence: that of VB_SEED, if the
 * environment has it, or one that is new every time. Any thread may ask.
 */
unsigned int vb_chance(unsigned int below);
/* In a child: a sequence other than the parent's and that of children with other numbers. */
void vb_chance_child(unsigned int number);
/* What to set VB_SEED to for this sequence. */
__u64 vb_chance_seed(void);
/* Waits for a time that may be short or long, mostly short; below @most microseconds. */
void vb_chance_wait(unsigned int most);

/* Another process's open file: a file descriptor. */
int vb_file_of(pid_t pid, int fd);
/* A control file of the balloon of that id: a file descriptor. */
int vb_control_of(__u64 id);
/* Like waitpid(), but gives up: whether it has ended. */
bool vb_child_ended(pid_t pid, int *status);
/* Waits until so many hold the module "vhost_balloon": what's left may be cleared away later. */
bool vb_module_has(int references);

#endif /* VB_RACE_H */
