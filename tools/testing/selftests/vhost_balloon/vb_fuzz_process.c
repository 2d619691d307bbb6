// SPDX-License-Identifier: GPL-2.0
/*
 * The process that does everything at random: its threads, its children, and what has to have
 * happened.
 */
#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "vb_fuzz.h"

/* How long a child lives, and how often it kicks at most. */
#define CHILD_MS	200
#define CHILD_KICKS	20000U

static const struct {
	void (*fn)(struct vb_fuzzer *f);
	unsigned int weight;
} operations[] = {
	{ vb_fuzz_ioctl, 12 }, { vb_fuzz_request, 12 }, { vb_fuzz_ring, 3 }, { vb_fuzz_kick, 2 },
	{ vb_fuzz_set_up, 3 }, { vb_fuzz_slot, 1 }, { vb_fuzz_mapping, 2 }, { vb_fuzz_vdpa, 3 },
	{ vb_fuzz_controls, 1 }, { vb_fuzz_reopen, 1 },
};

#define WANTED(name) { VHOST_BALLOON_C_##name, #name }

/* What native balloons have to have counted. */
static const struct {
	enum vhost_balloon_counter counter;
	const char *name;
} wanted[] = {
	WANTED(CHAINS), WANTED(SIGNALS), WANTED(MALFORMED), WANTED(BROKEN), WANTED(FAULTS),
	WANTED(INFLATED), WANTED(DEFLATED), WANTED(DISCARD_ANON), WANTED(DISCARD_SHMEM),
	WANTED(SKIP_NO_SLOT), WANTED(SKIP_INHIBITED), WANTED(SKIP_UNMAPPED),
	WANTED(SKIP_NO_WRITE), WANTED(REPORTED), WANTED(HINTED), WANTED(STATS_SAMPLES),
};

const char *vb_fuzz_missing(const struct vb_fuzz *w)
{
	unsigned int nr = w->has_vdpa ? VB_FUZZ_NR_COUNTS : VB_FUZZ_VDPA_OK, i;

	for (i = 0; i < nr; i++)
		if (!__atomic_load_n(&w->count[i], __ATOMIC_RELAXED))
			return vb_fuzz_count_names[i];
	for (i = 0; i < ARRAY_SIZE(wanted); i++)
		if (!__atomic_load_n(&w->seen[wanted[i].counter], __ATOMIC_RELAXED))
			return wanted[i].name;
	if (w->can_inline &&
	    !__atomic_load_n(&w->seen[VHOST_BALLOON_C_PASSES_INLINE], __ATOMIC_RELAXED))
		return "PASSES_INLINE";
	return vb_fuzz_failing(w);
}

static void choose_and_do(struct vb_fuzzer *f)
{
	unsigned int all = 0, i, at;

	for (i = 0; i < ARRAY_SIZE(operations); i++)
		all += operations[i].weight;
	at = vb_fuzz_below(f, all);
	for (i = 0; at >= operations[i].weight; i++)
		at -= operations[i].weight;
	operations[i].fn(f);
	vb_fuzz_add(f->w, VB_FUZZ_OPS, 1);
}

/* A thread that is still to come has its stack where nothing else is: until then all stays. */
static int fuzz_step(void *arg)
{
	struct vb_fuzzer *f = arg;

	if (atomic_load(&f->w->begun))
		choose_and_do(f);
	else
		usleep(1000);
	f->doing = NULL;
	return 0;
}

static int start_threads(struct vb_fuzz *w)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < VB_FUZZ_THREADS && !ret; i++) {
		struct vb_fuzzer *f = &w->fuzzers[i];

		f->w = w;
		f->state = w->seed * (2 * i + 1) ?: 1;
		f->scratch = mmap(NULL, VB_FUZZ_SCRATCH, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (f->scratch == MAP_FAILED)
			return -errno;
		ret = vb_loop_start(&f->loop, fuzz_step, f);
	}
	atomic_store(&w->begun, !ret);
	return ret;
}

static void stop_threads(struct vb_fuzz *w)
{
	unsigned int i;

	for (i = 0; i < VB_FUZZ_THREADS; i++)
		vb_loop_stop(&w->fuzzers[i].loop);
}

/* Kicks, with files that it has from its parent and that aren't its own. */
static void be_child(struct vb_fuzz *w)
{
	unsigned int i, q;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < CHILD_KICKS; i++) {
		q = i % (VB_NR_QUEUES * VB_FUZZ_BALLOONS);
		eventfd_write(w->balloons[q / VB_NR_QUEUES].kick[q % VB_NR_QUEUES], 1);
		vb_set_running(w->balloons[q / VB_NR_QUEUES].fd, i & 1);
	}
	_exit(0);
}

/* It dies in the middle of it. */
static int run_child(struct vb_fuzz *w)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		be_child(w);
	if (pid < 0)
		return -errno;
	usleep(CHILD_MS * 1000);
	kill(pid, SIGKILL);
	if (!vb_child_ended(pid, &status))
		return -ETIMEDOUT;
	vb_fuzz_add(w, VB_FUZZ_CHILDREN, 1);
	return 0;
}

static int count_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int nr = 0;

	while (dir && readdir(dir))
		nr++;
	if (dir)
		closedir(dir);
	return nr;
}

static int run(struct vb_fuzz *w)
{
	unsigned int i;
	int ret;

	while (!atomic_load(&w->victim) && !atomic_load(&w->stop))
		usleep(1000);
	ret = start_threads(w);
	while (!ret && !atomic_load(&w->stop)) {
		ret = run_child(w);
		vb_fuzz_look(w);
	}
	/* Whoever waits for a balloon hears that it is gone. */
	for (i = 0; i < VB_FUZZ_BALLOONS; i++)
		vb_fuzz_close_balloon(w, i);
	stop_threads(w);
	return ret;
}

int vb_fuzz_process(struct vb_fuzz *w)
{
	int files = count_files();
	int ret;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Nobody maps anything anywhere while some of the arena may be unmapped. */
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_MAX, 0);
	ret = vb_fuzz_open(w);
	if (ret)
		return ret;
	ret = run(w);
	w->damage = vb_fuzz_damage(w);
	vb_fuzz_close(w);
	w->files_left = count_files() - files;
	return ret;
}
