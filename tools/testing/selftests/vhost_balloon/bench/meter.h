/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an operation of a VMM costs: a sample before, a sample after, and the
 * difference.
 *
 * Functions return 0 or a negative errno.
 */
#ifndef BENCH_METER_H
#define BENCH_METER_H

#include <stdbool.h>
#include <stdio.h>
#include <linux/types.h>

#include "probe.h"

/* The most threads that a VMM has. */
#define METER_THREADS	64

/**
 * struct meter - of one process
 * @pid: which
 * @own: it is this one
 * @clock: its CPU time
 * @timers: the kernel's list of timers, where idle time is to the nanosecond
 * @probe: sums of the kernel's
 */
struct meter {
	int pid;
	bool own;
	int clock;
	FILE *timers;
	struct probe probe;
};

struct meter_thread {
	int tid;
	__u64 voluntary;
};

/**
 * struct meter_sample - counts up to now, or their difference; times in ns
 * @now: monotonic clock
 * @idle: time that the CPUs had nothing to do
 * @cpu: the process's CPU time, that of its guest included
 * @self: CPU time of who measures, 0 if that is the process
 * @guest: time in the guest
 * @exits: times that the guest was left
 * @syscalls: system calls
 * @voluntary: times that one of its threads went to sleep
 * @nr_threads: entries in @threads
 * @threads: for @voluntary
 */
struct meter_sample {
	__u64 now;
	__u64 idle;
	__u64 cpu;
	__u64 self;
	__u64 guest;
	__u64 exits;
	__u64 syscalls;
	__u64 voluntary;
	unsigned int nr_threads;
	struct meter_thread threads[METER_THREADS];
};

int meter_open(struct meter *meter, int pid, bool syscalls);
void meter_close(struct meter *meter);
/* Samples before and after: to take them is not in between. */
int meter_begin(struct meter *meter, struct meter_sample *sample);
int meter_end(struct meter *meter, struct meter_sample *sample);
/* What happened between two samples. */
void meter_difference(const struct meter_sample *from, const struct meter_sample *to,
		      struct meter_sample *difference);
/* The CPU time of the process, and the monotonic clock. */
__u64 meter_cpu(const struct meter *meter);
__u64 meter_now(void);
/*
 * Time that CPUs had something to do, but for who measures. With one CPU that is the time
 * that all took.
 */
__u64 meter_busy(const struct meter_sample *difference);
/* Prints lines of a name and a number. */
void meter_print(const struct meter_sample *difference);

#endif /* BENCH_METER_H */
