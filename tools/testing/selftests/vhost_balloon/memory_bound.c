// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel memory of a balloon is its owner's: charged to the owner's cgroup, and no more than
 * Documentation/design.rst says, whatever the guest does.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "vb_cgroup.h"
#include "vb_control.h"
#include "vb_hostile.h"
#include "vb_race.h"
#include "vb_random.h"
#include "vb_worker.h"

#define V1		VB_FEATURE(VIRTIO_F_VERSION_1)
#define FEATURES	(V1 | VB_FEATURE(VIRTIO_RING_F_INDIRECT_DESC) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_MUST_TELL_HOST) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_FREE_PAGE_HINT))

#define KIB		1024L
#define MIB		(1024L * KIB)
#define GIB		(1024UL * MIB)

/* What design.rst says of a balloon, and what is there at the least: its batches. */
#define BALLOON_MAX	(320 * KIB)
#define BALLOON_MIN	(96 * KIB)
#define NR_BALLOONS	48
/* Memory that a guest has on paper. */
#define BIG_GPA		(4 * GIB)
#define BIG_LEN		(128 * GIB)
#define BITS_LEN	((long)(BIG_LEN / VB_PAGE / 8))
#define NR_REGIONS	500U
/* As design.rst has it, and what an allocation is larger than what was asked for. */
#define REGION_MAX	(120 + 40)
/* What the cgroup's accounts are off by: what a processor has charged or not told yet. */
#define SLACK		MIB
/* They are brought up to date every other second. */
#define SETTLE_SECONDS	5
/* If one of these left nothing but its regions behind, it would be several MiB. */
#define HOSTILE_ROUNDS	150
#define ROUND_RINGS	10U

FIXTURE(bound) {
	struct vb_cgroup cg;
	struct vb_machine other;
	struct vb_memory ram;
};

static long kernel_memory(struct vb_cgroup *cg)
{
	return vb_cgroup_number(cg, "memory.stat", "kernel");
}

static long settled_memory(struct vb_cgroup *cg)
{
	sleep(SETTLE_SECONDS);
	return kernel_memory(cg);
}

FIXTURE_SETUP(bound)
{
	int ret = vb_cgroup_make(&self->cg, true);

	if (ret == -EOPNOTSUPP)
		SKIP(return, "no memory controller in cgroups of version 2");
	ASSERT_EQ(0, ret);
	if (kernel_memory(&self->cg) < 0) {
		vb_cgroup_remove(&self->cg);
		SKIP(return, "cgroups don't tell the kernel's memory here");
	}
	ret = vb_hostile_open(&self->other, &self->ram, V1);
	if (ret)
		vb_cgroup_remove(&self->cg);
	ASSERT_EQ(0, ret) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-ret));
	}
}

FIXTURE_TEARDOWN(bound)
{
	__u64 until = vb_now_ms() + VB_TIMEOUT_MS;

	vb_hostile_close(&self->other, &self->ram);
	/* What is left of a process holds it a little longer. */
	while (vb_cgroup_remove(&self->cg) == -EBUSY && vb_now_ms() < until)
		usleep(10000);
}

/*
 * In a child, in a cgroup of its own: its exit status is that of the test in it. The balloon of
 * another, in another cgroup, is served all the while.
 */
static int run_inside(FIXTURE_DATA(bound) *self, int (*fn)(struct vb_cgroup *cg))
{
	unsigned int round = 0;
	int status, ret = 0;
	pid_t pid = fork();

	if (!pid) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) || vb_cgroup_enter(&self->cg))
			_exit(100);
		_exit(fn(&self->cg));
	}
	if (pid < 0)
		return -errno;
	while (!ret && !waitpid(pid, &status, WNOHANG)) {
		ret = vb_hostile_round(&self->other, &self->ram, round++);
		usleep(10000);
	}
	if (ret) {
		kill(pid, SIGKILL);
		vb_child_ended(pid, &status);
		return ret;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static bool is_within(long value, long min, long max)
{
	return value >= min && value <= max;
}

/* Gets into these bounds, above @before, and is still there when all is told. */
static bool stays_within(struct vb_cgroup *cg, long before, long min, long max, const char *what)
{
	__u64 until = vb_now_ms() + VB_TIMEOUT_MS;
	long value;

	do {
		while (!is_within(kernel_memory(cg) - before, min, max) && vb_now_ms() < until)
			usleep(100000);
		value = settled_memory(cg) - before;
	} while (!is_within(value, min, max) && vb_now_ms() < until);
	if (is_within(value, min, max))
		return true;
	printf("# %s: %ld KiB, not from %ld to %ld\n", what, value / KIB, min / KIB,
	       max / KIB);
	return false;
}

static int open_many(struct vb_cgroup *cg)
{
	long before = settled_memory(cg);
	int fds[NR_BALLOONS], i;

	for (i = 0; i < NR_BALLOONS; i++) {
		fds[i] = vb_open_owned();
		if (fds[i] < 0)
			return 1;
	}
	if (!stays_within(cg, before, NR_BALLOONS * BALLOON_MIN, NR_BALLOONS * BALLOON_MAX + SLACK,
			  "balloons"))
		return 2;
	for (i = 0; i < NR_BALLOONS; i++)
		close(fds[i]);
	return stays_within(cg, before, -SLACK, NR_BALLOONS * BALLOON_MIN / 4 + SLACK, "closed") ?
	       0 : 3;
}

TEST_F_TIMEOUT(bound, balloon_is_charged_to_its_owner_and_given_back, 120)
{
	EXPECT_EQ(0, run_inside(self, open_many));
}

static int map_big(struct vb_memory *big)
{
	big->gpa = BIG_GPA;
	big->len = BIG_LEN;
	big->hva = mmap(NULL, BIG_LEN, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return big->hva == MAP_FAILED ? -errno : 0;
}

static int start_hints(struct vb_cgroup *cg)
{
	struct vb_memory big, ram;
	struct vb_machine m;
	__u32 cmd_id;
	long before;

	if (vb_hostile_open(&m, &ram, FEATURES) || map_big(&big) || vb_machine_add(&m, &big, 0))
		return 1;
	before = settled_memory(cg);
	if (vb_hint_start(m.backend, &cmd_id) || vb_hint_start(m.backend, &cmd_id))
		return 2;
	if (!stays_within(cg, before, BITS_LEN - SLACK, BITS_LEN + SLACK, "bits"))
		return 3;
	vb_hostile_close(&m, &ram);
	return stays_within(cg, before, -SLACK - BALLOON_MAX, SLACK, "closed") ? 0 : 4;
}

TEST_F_TIMEOUT(bound, bits_of_hints_are_charged_to_the_vmm_that_starts_them, 120)
{
	EXPECT_EQ(0, run_inside(self, start_hints));
}

/* The guest's first inflation has the worker keep parts of huge pages in mind. */
static int gather(struct vb_cgroup *cg)
{
	struct vb_memory big, ram;
	struct vb_machine m;
	long before;

	if (vb_hostile_open(&m, &ram, FEATURES) || map_big(&big) || vb_machine_add(&m, &big, 0))
		return 1;
	before = settled_memory(cg);
	if (vb_set_tunables(m.backend, VHOST_BALLOON_TUNE_HUGETLB, VHOST_BALLOON_TUNE_HUGETLB) ||
	    vb_hostile_inflate(&m, 0))
		return 2;
	return stays_within(cg, before, BITS_LEN - SLACK, BITS_LEN + SLACK, "bits of huge pages") ?
	       0 : 3;
}

TEST_F_TIMEOUT(bound, bits_of_huge_pages_are_charged_to_the_owner_of_the_worker, 120)
{
	EXPECT_EQ(0, run_inside(self, gather));
}

static int serve_rings(struct vb_machine *m, __u64 *state, unsigned int nr)
{
	unsigned int i;
	bool broken;
	int ret = 0;

	for (i = 0; i < nr && !ret; i++)
		ret = vb_hostile_serve_random(m, state, &broken);
	return ret;
}

static int change_slots(struct vb_machine *m, const struct vb_memory *ram, unsigned int round)
{
	struct vb_memory table[NR_REGIONS];
	unsigned int i;

	for (i = 0; i < NR_REGIONS; i++)
		table[i] = (struct vb_memory) {
			.gpa = BIG_GPA + i * (2ULL + round % 7) * VB_PAGE, .len = VB_PAGE,
			.hva = ram->hva + (i + round) % VB_HOSTILE_PAGES * VB_PAGE,
		};
	return vb_set_mem_table(m->backend, table, NR_REGIONS) ?:
	       vb_set_mem_table(m->backend, m->slots, m->nr_slots);
}

static int be_hostile(struct vb_cgroup *cg)
{
	__u64 state = vb_random_seed(1);
	struct vb_memory ram;
	struct vb_machine m;
	unsigned int round;
	__u32 cmd_id;
	long before;

	if (vb_hostile_open(&m, &ram, FEATURES))
		return 1;
	before = settled_memory(cg);
	for (round = 0; round < vb_rounds(HOSTILE_ROUNDS); round++)
		if (serve_rings(&m, &state, ROUND_RINGS) || change_slots(&m, &ram, round) ||
		    vb_hint_start(m.backend, &cmd_id))
			return 2;
	if (!vb_counter(m.backend, VHOST_BALLOON_C_CHAINS))
		return 3;
	return stays_within(cg, before, -SLACK, NR_REGIONS * REGION_MAX + BALLOON_MAX + SLACK,
			    "hostile") ? 0 : 4;
}

TEST_F_TIMEOUT(bound, hostile_guest_and_vmm_have_it_no_larger, 240)
{
	EXPECT_EQ(0, run_inside(self, be_hostile));
}

TEST_HARNESS_MAIN
