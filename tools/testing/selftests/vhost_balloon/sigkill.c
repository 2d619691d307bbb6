// SPDX-License-Identifier: GPL-2.0
/*
 * A VMM that is killed at any moment: while it sets up its balloon, while its guest kicks all
 * queues, while its slots change. Nothing of it is left, and no page is gone that it was never
 * asked for, in memory that it shared with others.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "vb_busy.h"
#include "vb_cgroup.h"
#include "vb_worker.h"

#define CANARY_SLOT	20
#define CANARY_GPA	0x30000000ULL
#define CANARY_PAGES	64U
#define CANARY_SEED	0xca0a
/* The longest life, in microseconds; most are much shorter. */
#define LIFE		(1U << 19)
#define MAX_BALLOONS	256U

/* What a VMM says of itself, in memory that it shares with the test. */
struct report {
	_Atomic __u64 id;
	atomic_uint changes;
	atomic_int failed;
	struct vb_busy busy;
};

FIXTURE(killed) {
	struct vb_memory canary;
	struct vb_memory ram;
	struct report *report;
	struct vb_cgroup cg;
	bool has_cg;
	int device;
	int references;
};

FIXTURE_VARIANT(killed) {
	enum vb_memory_kind kind;
	bool worker;
};

FIXTURE_VARIANT_ADD(killed, inline_anonymous) { .kind = VB_MEMORY_ANON };
FIXTURE_VARIANT_ADD(killed, inline_memfd) { .kind = VB_MEMORY_MEMFD };
FIXTURE_VARIANT_ADD(killed, worker_anonymous) { .kind = VB_MEMORY_ANON, .worker = true };
FIXTURE_VARIANT_ADD(killed, worker_memfd) { .kind = VB_MEMORY_MEMFD, .worker = true };

FIXTURE_SETUP(killed)
{
	const char *missing = vb_serving_missing(variant->worker);

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vb_memory_map(&self->canary, VB_MEMORY_MEMFD, CANARY_GPA,
				   CANARY_PAGES * VB_PAGE));
	vb_memory_fill(&self->canary, 0, CANARY_PAGES, CANARY_SEED);
	/* If it is private each VMM has a copy. */
	ASSERT_EQ(0, vb_busy_map(&self->ram, variant->kind));
	self->report = mmap(NULL, sizeof(*self->report), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->report);
	self->device = vb_open();
	ASSERT_LE(0, self->device);
	self->references = vb_module_references("vhost_balloon");
	self->has_cg = !vb_cgroup_make(&self->cg, true);
}

FIXTURE_TEARDOWN(killed)
{
	if (self->has_cg)
		vb_cgroup_remove(&self->cg);
	close(self->device);
	vb_memory_unmap(&self->ram);
	vb_memory_unmap(&self->canary);
}

/* The VMM. Whatever it does, it doesn't end by itself, unless something fails. */
static int be_vmm(FIXTURE_DATA(killed) *self, bool worker)
{
	struct report *report = self->report;
	struct vb_busy *b = &report->busy;
	struct vhost_balloon_info info;
	int ret;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	ret = self->has_cg ? vb_cgroup_enter(&self->cg) : 0;
	if (!ret)
		ret = vb_busy_open(b, &self->ram, worker);
	if (!ret)
		ret = vb_get_info(b->m.backend, &info);
	if (!ret)
		ret = vb_memory_add_slot(&b->m, CANARY_SLOT, 0, &self->canary);
	if (ret)
		return ret;
	atomic_store(&report->id, info.id);
	ret = vb_busy_start(b);
	while (!ret) {
		ret = vb_busy_change(b, vb_chance(VB_BUSY_PIECES));
		if (!ret)
			atomic_fetch_add(&report->changes, 1);
	}
	return ret;
}

static bool is_listed(int device, __u64 id)
{
	__u64 ids[MAX_BALLOONS];
	int i, nr = vb_list_ids(device, ids, MAX_BALLOONS);

	for (i = 0; i < nr && i < (int)MAX_BALLOONS; i++)
		if (ids[i] == id)
			return true;
	return false;
}

static void expect_gone(struct __test_metadata *_metadata, FIXTURE_DATA(killed) *self)
{
	__u64 id = atomic_load(&self->report->id);
	__u64 end = vb_now_ms() + VB_TIMEOUT_MS;

	ASSERT_TRUE(vb_module_has(self->references)) {
		TH_LOG("%d references, %d before", vb_module_references("vhost_balloon"),
		       self->references);
	}
	ASSERT_EQ(CANARY_PAGES, vb_memory_intact(&self->canary, 0, CANARY_PAGES, CANARY_SEED));
	ASSERT_EQ(VB_BUSY_UNNAMED, vb_busy_untouched(&self->ram));
	if (!id)
		return;
	ASSERT_FALSE(is_listed(self->device, id));
	ASSERT_EQ(-ENOENT, vb_open_id(self->device, id));
	/* A thread that has nothing to do with the process may take a while to be gone. */
	while (vb_worker_find_id(id) != -ENOENT && vb_now_ms() < end)
		usleep(1000);
	ASSERT_EQ(-ENOENT, vb_worker_find_id(id));
}

/* All of its queues were kicked, and slots have changed. */
static bool is_at_work(struct report *report)
{
	return atomic_load(&report->changes) && vb_busy_used(&report->busy);
}

/* A VMM is started and killed, right from its start on or when it is at work. */
static void kill_one(struct __test_metadata *_metadata, FIXTURE_DATA(killed) *self, bool worker,
		     bool at_work)
{
	__u64 end = vb_now_ms() + VB_TIMEOUT_MS;
	struct report *report = self->report;
	unsigned int number = vb_chance(1U << 30);
	int status;
	pid_t pid;

	memset(report, 0, sizeof(*report));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		vb_chance_child(number);
		atomic_store(&report->failed, be_vmm(self, worker));
		_exit(1);
	}
	while (at_work && !is_at_work(report) && !atomic_load(&report->failed) &&
	       vb_now_ms() < end)
		usleep(100);
	vb_chance_wait(LIFE);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_TRUE(vb_child_ended(pid, &status));
	ASSERT_TRUE(WIFSIGNALED(status)) {
		TH_LOG("it failed by itself: %s", strerror(-atomic_load(&report->failed)));
	}
	ASSERT_EQ(0, vb_busy_error(&report->busy));
	ASSERT_TRUE(!at_work || is_at_work(report));
}

/* Pages, page tables and threads that are charged to those that are gone. */
static void expect_nothing_charged(struct __test_metadata *_metadata, FIXTURE_DATA(killed) *self)
{
	if (!self->has_cg)
		return;
	EXPECT_EQ(0, vb_cgroup_wait(&self->cg, "cgroup.events", "populated", 0));
	EXPECT_EQ(0, vb_cgroup_wait(&self->cg, "memory.stat", "anon", 0));
	EXPECT_EQ(0, vb_cgroup_wait(&self->cg, "memory.stat", "pagetables", 0));
	EXPECT_EQ(0, vb_cgroup_wait(&self->cg, "memory.stat", "kernel_stack", 0));
}

TEST_F_TIMEOUT(killed, vmm_leaves_nothing, vb_rounds_limit())
{
	unsigned int rounds = vb_rounds(15), round;
	__u64 used = 0, changes = 0;

	for (round = 0; round < rounds; round++) {
		/* Two of three. */
		kill_one(_metadata, self, variant->worker, round % 3 != 2);
		expect_gone(_metadata, self);
		used += vb_busy_used(&self->report->busy);
		changes += atomic_load(&self->report->changes);
		if (_metadata->exit_code)
			break;
	}
	expect_nothing_charged(_metadata, self);
	TH_LOG("%u killed after %llu requests and %llu changes of slots, VB_SEED=%llu", round, used,
	       changes, vb_chance_seed());
}

/* One of the modules' files, as vmtest.sh has it: next to the tests. */
static int open_module(const char *name)
{
	char exe[256] = "", path[512];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (n < 0)
		return -errno;
	*strrchr(exe, '/') = 0;
	snprintf(path, sizeof(path), "%s/../../../../drivers/%s", exe, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int load_module(int fd)
{
	return syscall(__NR_finit_module, fd, "", 0) ? -errno : 0;
}

static int unload_module(const char *name)
{
	return syscall(__NR_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

/* In its order: after those that were killed. */
FIXTURE(modules) {
	bool has_vdpa;
};

FIXTURE_SETUP(modules)
{
	self->has_vdpa = !access("/sys/module/vdpa_balloon", F_OK);
	if (vb_module_references("vhost_balloon") > self->has_vdpa)
		SKIP(return, "others use them");
}

FIXTURE_TEARDOWN(modules)
{
}

TEST_F_TIMEOUT(modules, can_be_unloaded_and_loaded_again, 120)
{
	bool has_vdpa = self->has_vdpa;
	int balloon = open_module("vhost/balloon/vhost_balloon.ko");
	int vdpa = open_module("vdpa/balloon/vdpa_balloon.ko");

	if (balloon < 0 || (has_vdpa && vdpa < 0))
		SKIP(return, "the modules' files aren't where they were built");
	if (has_vdpa) {
		ASSERT_EQ(0, unload_module("vdpa_balloon")) {
			TH_LOG("%d hold it", vb_module_references("vdpa_balloon"));
		}
	}
	EXPECT_EQ(0, unload_module("vhost_balloon"));
	/* Other tests need them. */
	EXPECT_EQ(0, load_module(balloon));
	if (has_vdpa)
		EXPECT_EQ(0, load_module(vdpa));
	close(balloon);
	close(vdpa);
}

TEST_HARNESS_MAIN
