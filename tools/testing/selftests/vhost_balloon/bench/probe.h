/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sums that the kernel itself keeps of one process, by small BPF programs at
 * tracepoints: what is needed exactly, at next to no cost.
 *
 * Functions return 0 or a negative errno.
 */
#ifndef BENCH_PROBE_H
#define BENCH_PROBE_H

#include <stdbool.h>
#include <linux/types.h>

/**
 * struct probe_sums - what has come together
 * @entered: when the vCPU last entered the guest
 * @guest_ns: time inside the guest
 * @exits: times that it came back
 * @syscalls: system calls of all threads
 */
struct probe_sums {
	__u64 entered;
	__u64 guest_ns;
	__u64 exits;
	__u64 syscalls;
};

/**
 * struct probe - the programs
 * @map: where the sums are
 * @sums: the same, mapped
 * @links: programs at their tracepoints
 * @nr_links: how many
 */
struct probe {
	int map;
	const struct probe_sums *sums;
	int links[3];
	unsigned int nr_links;
};

/*
 * Begins to watch a process, which has one vCPU. System calls are counted only if
 * asked for: that slows each of them down.
 */
int probe_open(struct probe *probe, int pid, bool syscalls);
void probe_close(struct probe *probe);

#endif /* BENCH_PROBE_H */
