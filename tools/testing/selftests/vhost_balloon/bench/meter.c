// SPDX-License-Identifier: GPL-2.0
/*
 * What an operation costs.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "meter.h"

#define NSEC_PER_SEC	1000000000ULL

static __u64 clock_ns(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts))
		return 0;
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

__u64 meter_now(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

__u64 meter_cpu(const struct meter *meter)
{
	return clock_ns(meter->clock);
}

int meter_open(struct meter *meter, int pid, bool syscalls)
{
	clockid_t clock;
	int ret;

	memset(meter, 0, sizeof(*meter));
	meter->pid = pid;
	meter->own = pid == getpid();
	ret = clock_getcpuclockid(pid, &clock);
	if (ret)
		return -ret;
	meter->clock = clock;
	meter->timers = fopen("/proc/timer_list", "re");
	if (!meter->timers)
		return -errno;
	ret = probe_open(&meter->probe, pid, syscalls);
	if (ret)
		fclose(meter->timers);
	return ret;
}

void meter_close(struct meter *meter)
{
	probe_close(&meter->probe);
	fclose(meter->timers);
}

/* Idle time of all CPUs; what runs of an idle period counts when that ends. */
static int sample_idle(struct meter *meter, __u64 *idle)
{
	unsigned long long ns;
	char line[256];
	int found = 0;

	*idle = 0;
	rewind(meter->timers);
	while (fgets(line, sizeof(line), meter->timers)) {
		if (sscanf(line, " .idle_sleeptime : %llu", &ns) != 1)
			continue;
		*idle += ns;
		found = 1;
	}
	return found ? 0 : -ENODATA;
}

static int thread_voluntary(int pid, int tid, __u64 *voluntary)
{
	char path[64], line[128];
	unsigned long long nr;
	int ret = -ENODATA;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", pid, tid);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "voluntary_ctxt_switches: %llu", &nr) != 1)
			continue;
		*voluntary = nr;
		ret = 0;
	}
	fclose(file);
	return ret;
}

static int sample_threads(struct meter *meter, struct meter_sample *sample)
{
	struct meter_thread *thread;
	struct dirent *entry;
	char path[64];
	int ret = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", meter->pid);
	dir = opendir(path);
	if (!dir)
		return -errno;
	sample->nr_threads = 0;
	while (!ret && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (sample->nr_threads == METER_THREADS) {
			ret = -E2BIG;
			break;
		}
		thread = &sample->threads[sample->nr_threads];
		thread->tid = atoi(entry->d_name);
		/* Threads may end meanwhile. */
		if (!thread_voluntary(meter->pid, thread->tid, &thread->voluntary))
			sample->nr_threads++;
	}
	closedir(dir);
	return ret;
}

/* What changes by looking at it. */
static void sample_clocks(struct meter *meter, struct meter_sample *sample)
{
	sample->cpu = meter_cpu(meter);
	sample->self = meter->own ? 0 : clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	sample->now = meter_now();
}

static int sample_counts(struct meter *meter, struct meter_sample *sample)
{
	const struct probe_sums *sums = meter->probe.sums;

	sample->guest = __atomic_load_n(&sums->guest_ns, __ATOMIC_RELAXED);
	sample->exits = __atomic_load_n(&sums->exits, __ATOMIC_RELAXED);
	sample->syscalls = __atomic_load_n(&sums->syscalls, __ATOMIC_RELAXED);
	sample->voluntary = 0;
	return sample_threads(meter, sample);
}

int meter_begin(struct meter *meter, struct meter_sample *sample)
{
	int ret = sample_idle(meter, &sample->idle);

	if (!ret)
		ret = sample_counts(meter, sample);
	sample_clocks(meter, sample);
	return ret;
}

int meter_end(struct meter *meter, struct meter_sample *sample)
{
	int ret;

	sample_clocks(meter, sample);
	ret = sample_counts(meter, sample);
	if (!ret)
		ret = sample_idle(meter, &sample->idle);
	return ret;
}

static __u64 before(const struct meter_sample *from, int tid)
{
	unsigned int i;

	for (i = 0; i < from->nr_threads; i++) {
		if (from->threads[i].tid == tid)
			return from->threads[i].voluntary;
	}
	return 0;
}

void meter_difference(const struct meter_sample *from, const struct meter_sample *to,
		      struct meter_sample *difference)
{
	unsigned int i;

	memset(difference, 0, sizeof(*difference));
	difference->now = to->now - from->now;
	difference->idle = to->idle - from->idle;
	difference->cpu = to->cpu - from->cpu;
	difference->self = to->self - from->self;
	difference->guest = to->guest - from->guest;
	difference->exits = to->exits - from->exits;
	difference->syscalls = to->syscalls - from->syscalls;
	for (i = 0; i < to->nr_threads; i++)
		difference->voluntary += to->threads[i].voluntary -
					 before(from, to->threads[i].tid);
}

__u64 meter_busy(const struct meter_sample *difference)
{
	return difference->now - difference->idle - difference->self;
}

void meter_print(const struct meter_sample *difference)
{
	printf("elapsed_ns %llu\n", difference->now);
	printf("idle_ns %llu\n", difference->idle);
	printf("busy_ns %llu\n", meter_busy(difference));
	printf("cpu_ns %llu\n", difference->cpu);
	printf("self_ns %llu\n", difference->self);
	printf("guest_ns %llu\n", difference->guest);
	printf("exits %llu\n", difference->exits);
	printf("syscalls %llu\n", difference->syscalls);
	printf("switches %llu\n", difference->voluntary);
}
