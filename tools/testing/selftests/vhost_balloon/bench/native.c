// SPDX-License-Identifier: GPL-2.0
/*
 * Has a guest of a few instructions give its memory to a native balloon, in requests of
 * 256 pages, and prints what that costs, a name and a number on each line.
 *
 * usage: native BACKING ORDER HOW MIB
 *
 *   BACKING   anon, thp, memfd, hugetlb
 *   ORDER     ascending, descending: of page numbers; shuffled: 256 neighbours in no
 *             order; alternate: every second page; random: in no order at all
 *   HOW       inline, worker: where the balloon serves its queue; floor: no balloon, this
 *             program itself gives the memory back, by one call for each run of
 *             neighbours in 256 pages
 *
 * The guest has written to all of its memory before.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "machine.h"
#include "meter.h"

/* Pages of a request: what a Linux guest sends. */
#define REQUEST		256U
/* Seconds from touching memory to giving it away. */
#define SETTLE_S	2

/* Neighbours that are given back by one call. */
struct run {
	__u32 first;
	__u32 nr;
};

enum order {
	ASCENDING,
	DESCENDING,
	SHUFFLED,
	ALTERNATE,
	RANDOM,
};

enum how {
	INLINE,
	WORKER,
	FLOOR,
};

static const char * const backings[] = { "anon", "thp", "memfd", "hugetlb", NULL };
static const char * const orders[] = { "ascending", "descending", "shuffled", "alternate",
				       "random", NULL };
static const char * const hows[] = { "inline", "worker", "floor", NULL };

static void die(int error, const char *what)
{
	errno = -error;
	err(1, "%s", what);
}

static unsigned int find(const char * const *words, const char *word)
{
	unsigned int i;

	for (i = 0; words[i]; i++) {
		if (!strcmp(words[i], word))
			return i;
	}
	errx(2, "%s: not of %s ...", word, words[0]);
}

/* The same ones in every run. */
static unsigned int random_below(unsigned int limit)
{
	static __u64 state = 1;

	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (state >> 33) % limit;
}

static void shuffle(__u32 *pages, unsigned int nr)
{
	while (nr > 1) {
		unsigned int other = random_below(nr--);
		__u32 page = pages[nr];

		pages[nr] = pages[other];
		pages[other] = page;
	}
}

/* Fills in the pages to give, of @nr: how many. */
static unsigned int arrange(__u32 *pages, unsigned int nr, enum order order)
{
	unsigned int i;

	if (order == ALTERNATE)
		nr /= 2;
	for (i = 0; i < nr; i++) {
		if (order == DESCENDING)
			pages[i] = nr - 1 - i;
		else
			pages[i] = order == ALTERNATE ? 2 * i : i;
	}
	if (order == RANDOM)
		shuffle(pages, nr);
	for (i = 0; order == SHUFFLED && i < nr; i += REQUEST)
		shuffle(pages + i, REQUEST);
	return nr;
}

static int compare(const void *a, const void *b)
{
	__u32 left = *(const __u32 *)a, right = *(const __u32 *)b;

	return left < right ? -1 : left > right;
}

/* The fewest calls that give back the pages of each request, whole units: how many. */
static unsigned int merge(struct run *runs, __u32 *pages, unsigned int nr, unsigned int request)
{
	unsigned int nr_runs = 0;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (i % request == 0)
			qsort(pages + i, request, sizeof(*pages), compare);
		if (i % request && pages[i] == pages[i - 1] + 1) {
			runs[nr_runs - 1].nr++;
			continue;
		}
		runs[nr_runs].first = pages[i];
		runs[nr_runs++].nr = 1;
	}
	return nr_runs;
}

static int give_back(struct machine *m, const struct run *runs, unsigned int nr)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < nr; i++) {
		__u64 offset = runs[i].first * VB_PAGE;
		__u64 len = runs[i].nr * VB_PAGE;

		if (m->fd >= 0)
			ret = fallocate(m->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					offset, len);
		else
			ret = madvise(m->data.hva + offset, len, MADV_DONTNEED);
	}
	return ret ? -errno : 0;
}

static void measure_floor(struct machine *m, struct meter_sample *before,
			  struct meter_sample *after, struct meter *meter, __u32 *pages,
			  unsigned int nr)
{
	unsigned int request = m->backing == BACKING_HUGETLB ? HUGE_LEN / VB_PAGE : REQUEST;
	struct run *runs = calloc(nr, sizeof(*runs));
	unsigned int nr_runs;
	int ret;

	if (!runs)
		die(-ENOMEM, "runs");
	nr_runs = merge(runs, pages, nr, request);
	meter_begin(meter, before);
	ret = give_back(m, runs, nr_runs);
	meter_end(meter, after);
	if (ret)
		die(ret, "cannot give back");
	printf("operations %u\n", nr_runs);
	free(runs);
}

static __u64 discarded(const struct vhost_balloon_counters *counters)
{
	return counters->value[VHOST_BALLOON_C_DISCARD_ANON] +
	       counters->value[VHOST_BALLOON_C_DISCARD_SHMEM] +
	       counters->value[VHOST_BALLOON_C_DISCARD_HUGETLB];
}

/* Waits for parts of huge pages, which the balloon may keep for a while. */
static int wait_discarded(struct machine *m, struct vhost_balloon_counters *counters,
			  unsigned int nr)
{
	const __u64 deadline = vb_now_ms() + VB_TIMEOUT_MS;
	const struct timespec pause = { .tv_nsec = 20000000 };
	int ret;

	for (;;) {
		ret = vb_get_counters(m->backend, counters);
		if (ret || discarded(counters) >= nr)
			return ret;
		if (vb_now_ms() >= deadline)
			return -ETIMEDOUT;
		nanosleep(&pause, NULL);
	}
}

static void measure_balloon(struct machine *m, struct meter_sample *before,
			    struct meter_sample *after, struct meter *meter, unsigned int nr)
{
	struct vhost_balloon_counters counters;
	__u64 end;
	int ret;

	meter_begin(meter, before);
	ret = machine_send(m, nr / REQUEST, REQUEST);
	end = meter_now();
	if (!ret)
		ret = wait_discarded(m, &counters, nr);
	meter_end(meter, after);
	if (ret)
		die(ret, "cannot inflate");
	printf("active_ns %llu\n", end - before->now);
	if (m->block->interrupts != nr / REQUEST || discarded(&counters) != nr)
		errx(1, "%u interrupts, %llu pages given back of %u", m->block->interrupts,
		     discarded(&counters), nr);
	printf("operations %llu\n", counters.value[VHOST_BALLOON_C_DISCARD_OPS]);
	printf("passes %llu\n", counters.value[VHOST_BALLOON_C_PASSES]);
	printf("passes_inline %llu\n", counters.value[VHOST_BALLOON_C_PASSES_INLINE]);
}

int main(int argc, char **argv)
{
	static struct meter_sample before, after, difference;
	__u64 tunables = VHOST_BALLOON_TUNE_INLINE, values = 0;
	struct machine machine;
	struct meter meter;
	enum backing backing;
	unsigned int nr;
	enum how how;
	__u32 *pages;
	int ret;

	if (argc != 5)
		errx(2, "usage: native BACKING ORDER HOW MIB");
	backing = find(backings, argv[1]);
	how = find(hows, argv[3]);
	nr = atoi(argv[4]) * (HUGE_LEN / 2 / VB_PAGE);
	if (!nr || nr * sizeof(*pages) > LIST_LEN || nr % (HUGE_LEN / VB_PAGE))
		errx(2, "%s: not a good size", argv[4]);
	if (backing == BACKING_HUGETLB) {
		tunables |= VHOST_BALLOON_TUNE_HUGETLB;
		values |= VHOST_BALLOON_TUNE_HUGETLB;
	}
	if (how == INLINE)
		values |= VHOST_BALLOON_TUNE_INLINE;
	ret = machine_open(&machine, backing, nr * VB_PAGE, tunables, values);
	if (!ret)
		ret = meter_open(&meter, getpid(), false);
	if (!ret)
		ret = machine_touch(&machine);
	if (ret)
		die(ret, "cannot set up");
	/* What others do after all that: memory of those that ended is freed, and the like. */
	sleep(SETTLE_S);
	pages = calloc(nr, sizeof(*pages));
	if (!pages)
		die(-ENOMEM, "pages");
	nr = arrange(pages, nr, find(orders, argv[2]));
	machine_list(&machine, pages, nr);
	if (how == FLOOR)
		measure_floor(&machine, &before, &after, &meter, pages, nr);
	else
		measure_balloon(&machine, &before, &after, &meter, nr);
	meter_difference(&before, &after, &difference);
	meter_print(&difference);
	printf("pages %u\n", nr);
	return 0;
}
