// SPDX-License-Identifier: GPL-2.0
/*
 * A VMM whose cgroup is frozen, and its worker with it: kicks from outside are left for later.
 * Nobody else waits for it, and it can be killed.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "vb_busy.h"
#include "vb_cgroup.h"
#include "vb_control.h"
#include "vb_worker.h"

#define KICKS		100

/* What the VMM says of itself. */
struct report {
	_Atomic __u64 id;
	atomic_int failed;
	struct vb_busy busy;
};

FIXTURE(frozen) {
	struct vb_cgroup cg;
	struct vb_memory ram;
	struct report *report;
	pid_t pid;
	int control;
	int kicks[VB_NR_QUEUES];
	int references;
};

FIXTURE_VARIANT(frozen) {
	bool worker;
};

FIXTURE_VARIANT_ADD(frozen, inline) { .worker = false };
FIXTURE_VARIANT_ADD(frozen, worker) { .worker = true };

/* The VMM: its guest is busy until it is killed. */
static int be_vmm(FIXTURE_DATA(frozen) *self, bool worker)
{
	struct report *report = self->report;
	struct vb_busy *b = &report->busy;
	struct vhost_balloon_info info;
	int ret;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	ret = vb_cgroup_enter(&self->cg);
	if (!ret)
		ret = vb_busy_open(b, &self->ram, worker);
	if (!ret)
		ret = vb_get_info(b->m.backend, &info);
	if (!ret)
		ret = vb_busy_start(b);
	if (ret)
		return ret;
	atomic_store(&report->id, info.id);
	for (;;)
		pause();
}

/* Starts the VMM, and gets hold of its balloon. */
static void start_vmm(struct __test_metadata *_metadata, FIXTURE_DATA(frozen) *self, bool worker)
{
	struct report *report = self->report;
	__u64 end = vb_now_ms() + VB_TIMEOUT_MS;
	unsigned int i;

	memset(report, 0, sizeof(*report));
	self->pid = fork();
	ASSERT_LE(0, self->pid);
	if (!self->pid) {
		atomic_store(&report->failed, be_vmm(self, worker));
		_exit(1);
	}
	while (!atomic_load(&report->id) && !atomic_load(&report->failed) && vb_now_ms() < end)
		usleep(1000);
	ASSERT_NE(0ULL, atomic_load(&report->id)) {
		TH_LOG("the VMM: %s", strerror(-atomic_load(&report->failed)));
	}
	self->control = vb_control_of(atomic_load(&report->id));
	ASSERT_LE(0, self->control);
	for (i = 0; i < VB_NR_QUEUES; i++) {
		self->kicks[i] = vb_file_of(self->pid,
					    vb_machine_queue(&report->busy.m, i)->kick);
		ASSERT_LE(0, self->kicks[i]);
	}
}

FIXTURE_SETUP(frozen)
{
	/* A cgroup with a thread of the kernel's is never said to be frozen. */
	const char *missing = vb_serving_missing(variant->worker) ?: vb_worker_thread_missing();
	int ret;

	if (missing)
		SKIP(return, "%s", missing);
	ret = vb_cgroup_make(&self->cg, false);
	if (ret == -EOPNOTSUPP)
		SKIP(return, "no cgroups of version 2");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, vb_busy_map(&self->ram, VB_MEMORY_MEMFD));
	self->report = mmap(NULL, sizeof(*self->report), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->report);
	self->references = vb_module_references("vhost_balloon");
	start_vmm(_metadata, self, variant->worker);
}

FIXTURE_TEARDOWN(frozen)
{
	vb_cgroup_write(&self->cg, "cgroup.freeze", "0");
	if (self->pid > 0) {
		kill(self->pid, SIGKILL);
		waitpid(self->pid, NULL, 0);
	}
	vb_cgroup_wait(&self->cg, "cgroup.events", "populated", 0);
	vb_cgroup_remove(&self->cg);
	vb_memory_unmap(&self->ram);
}

static int freeze_vmm(FIXTURE_DATA(frozen) *self)
{
	return vb_cgroup_write(&self->cg, "cgroup.freeze", "1") ?:
	       vb_cgroup_wait(&self->cg, "cgroup.events", "frozen", 1);
}

static int thaw_vmm(FIXTURE_DATA(frozen) *self)
{
	return vb_cgroup_write(&self->cg, "cgroup.freeze", "0") ?:
	       vb_cgroup_wait(&self->cg, "cgroup.events", "frozen", 0);
}

static bool kick_all(FIXTURE_DATA(frozen) *self)
{
	const __u64 one = 1;
	unsigned int i;

	for (i = 0; i < VB_NR_QUEUES * KICKS; i++)
		if (write(self->kicks[i % VB_NR_QUEUES], &one, sizeof(one)) != sizeof(one))
			return false;
	return true;
}

static __u64 passes(FIXTURE_DATA(frozen) *self)
{
	return vb_counter(self->control, VHOST_BALLOON_C_PASSES);
}

TEST_F_TIMEOUT(frozen, vmm_holds_up_nobody_and_goes_on_when_thawed, vb_rounds_limit())
{
	unsigned int rounds = vb_rounds(10), round;
	struct report *report = self->report;
	__u64 before, used;

	for (round = 1; round <= rounds; round++) {
		ASSERT_EQ(0, freeze_vmm(self));
		before = passes(self);
		used = vb_busy_used(&report->busy);
		EXPECT_TRUE(kick_all(self));
		EXPECT_EQ(NULL, vb_unanswered(self->control, round)) {
			TH_LOG("\"%s\" in round %u", vb_unanswered(self->control, round), round);
		}
		usleep(100000);
		EXPECT_EQ(before, passes(self));
		ASSERT_EQ(0, thaw_vmm(self));
		/* All of its queues: none of their threads has given up. */
		ASSERT_EQ(0, vb_busy_wait(&report->busy));
		EXPECT_LT(used, vb_busy_used(&report->busy));
		vb_chance_wait(50000);
	}
	EXPECT_EQ(0ULL, vb_counter(self->control, VHOST_BALLOON_C_BROKEN));
	EXPECT_EQ(VB_BUSY_UNNAMED, vb_busy_untouched(&self->ram));
}

static void close_all(FIXTURE_DATA(frozen) *self)
{
	unsigned int i;

	close(self->control);
	for (i = 0; i < VB_NR_QUEUES; i++)
		close(self->kicks[i]);
}

TEST_F_TIMEOUT(frozen, vmm_can_be_killed, vb_rounds_limit())
{
	unsigned int rounds = vb_rounds(5), round;
	struct vhost_balloon_info info;
	int status;

	for (round = 0; round < rounds; round++) {
		if (round)
			start_vmm(_metadata, self, variant->worker);
		vb_chance_wait(50000);
		ASSERT_EQ(0, freeze_vmm(self));
		EXPECT_TRUE(kick_all(self));
		ASSERT_EQ(0, kill(self->pid, SIGKILL));
		ASSERT_TRUE(vb_child_ended(self->pid, &status));
		self->pid = 0;
		EXPECT_TRUE(WIFSIGNALED(status));
		EXPECT_EQ(-ENODEV, vb_get_info(self->control, &info));
		EXPECT_TRUE(kick_all(self));
		close_all(self);
		EXPECT_TRUE(vb_module_has(self->references));
		ASSERT_EQ(0, vb_cgroup_write(&self->cg, "cgroup.freeze", "0"));
	}
	EXPECT_EQ(VB_BUSY_UNNAMED, vb_busy_untouched(&self->ram));
}

TEST_HARNESS_MAIN
