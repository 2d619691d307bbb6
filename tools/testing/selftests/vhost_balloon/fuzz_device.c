// SPDX-License-Identifier: GPL-2.0
/*
 * Everything at random, by a process with several threads and with children: ioctls that make
 * sense and that don't, rings, memory maps, kicks, opening and closing. Nothing gets stuck, another
 * process's balloon doesn't notice, no memory is touched that wasn't the guest's, and in the end
 * all works.
 *
 * VB_FUZZ_TIME and VB_SEED in the environment say for how long, and which randomness. What comes
 * of a seed depends on how the threads run, too.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "vb_control.h"
#include "vb_driver.h"
#include "vb_fuzz.h"
#include "vb_hostile.h"
#include "vb_worker.h"

#define V1		VB_FEATURE(VIRTIO_F_VERSION_1)
/* With these there are all queues, each at the index of its role. */
#define ALL_QUEUES	(V1 | VB_FEATURE(VIRTIO_BALLOON_F_STATS_VQ) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_FREE_PAGE_HINT) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_REPORTING))
/* All that a vDPA device can offer to a guest. */
#define VDPA_FEATURES	0x13000003fULL

#define SECONDS		20
/* A slow host may take so much longer until it has seen everything. */
#define PATIENCE	90
/* Beyond all of that: what waits for something stuck gives up before. */
#define LIMIT		360

/* For the harness, too. */
static unsigned int seconds(void)
{
	return vb_environment("VB_FUZZ_TIME", vb_rounds(SECONDS));
}

static int count_balloons(void)
{
	int fd = vb_open();
	int nr = vb_list_ids(fd, NULL, 0);

	close(fd);
	return nr;
}

/* The victim's VMM is the test itself. */
FIXTURE(fuzz) {
	struct vb_fuzz *w;
	pid_t pid;
	struct vb_vdpa vdpa;
	bool has_vdpa;
	struct vb_machine victim;
	struct vb_memory ram;
	bool has_victim;
	struct vhost_balloon_counters before;
	unsigned int steps;
	int references;
	int balloons;
};

FIXTURE_VARIANT(fuzz) {
	bool vdpa;
	/* Then the vDPA device's memory is known from its IOTLB. */
	bool two_vms;
};

FIXTURE_VARIANT_ADD(fuzz, native) { .vdpa = false };
FIXTURE_VARIANT_ADD(fuzz, vdpa_memslots) { .vdpa = true };
FIXTURE_VARIANT_ADD(fuzz, vdpa_iotlb) { .vdpa = true, .two_vms = true };

FIXTURE_SETUP(fuzz)
{
	const char *missing = vb_kvm_missing();

	if (!missing && variant->vdpa)
		missing = vb_vdpa_missing();
	if (missing)
		SKIP(return, "%s", missing);
	self->references = vb_module_references("vhost_balloon");
	self->balloons = count_balloons();
	ASSERT_LE(0, self->balloons) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-self->balloons));
	}
	self->w = mmap(NULL, sizeof(*self->w), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	ASSERT_NE(MAP_FAILED, self->w);
	self->w->seed = vb_random_seed(vb_now_ms());
	self->w->has_other_vm = variant->two_vms;
	self->w->can_inline = !vb_inline_missing();
	/* The last thing that may fail: there is no teardown after that. */
	if (variant->vdpa) {
		ASSERT_EQ(0, vb_vdpa_add(&self->vdpa, "fuzz", VDPA_FEATURES));
		self->has_vdpa = true;
	}
}

/* Whether it is gone. Who is killed may have been at anything. */
static bool kill_fuzzer(FIXTURE_DATA(fuzz) *self)
{
	int status;

	if (self->pid <= 0)
		return true;
	kill(self->pid, SIGKILL);
	if (!vb_child_ended(self->pid, &status))
		return false;
	self->pid = 0;
	return true;
}

FIXTURE_TEARDOWN(fuzz)
{
	bool gone = kill_fuzzer(self);

	if (self->has_victim)
		vb_hostile_close(&self->victim, &self->ram);
	/* To remove it waits for its VMM, and holds up all of vDPA meanwhile. */
	if (self->has_vdpa && gone)
		vb_vdpa_del(&self->vdpa);
	else if (self->has_vdpa)
		TH_LOG("%s is left: process %d, which has it open, can't be killed",
		       self->vdpa.name, self->pid);
	munmap(self->w, sizeof(*self->w));
}

static int start_fuzzer(FIXTURE_DATA(fuzz) *self)
{
	self->w->has_vdpa = self->has_vdpa;
	self->w->vdpa = self->vdpa;
	self->pid = fork();
	if (!self->pid)
		_exit(-vb_fuzz_process(self->w));
	return self->pid < 0 ? -errno : 0;
}

/* It ended by itself, without being told to. */
static bool fuzzer_has_ended(FIXTURE_DATA(fuzz) *self)
{
	siginfo_t info = {};

	return waitid(P_PID, self->pid, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid;
}

static void report(struct __test_metadata *_metadata, const struct vb_fuzz *w)
{
	const __u64 *counters = w->counters;
	unsigned int i;

	TH_LOG("VB_SEED=%#llx", w->seed);
	for (i = 0; i < VB_FUZZ_NR_COUNTS; i++)
		TH_LOG("%s: %llu", vb_fuzz_count_names[i], w->count[i]);
	TH_LOG("passes: %llu, inline: %llu, chains: %llu, malformed: %llu, broken: %llu",
	       counters[VHOST_BALLOON_C_PASSES], counters[VHOST_BALLOON_C_PASSES_INLINE],
	       counters[VHOST_BALLOON_C_CHAINS], counters[VHOST_BALLOON_C_MALFORMED],
	       counters[VHOST_BALLOON_C_BROKEN]);
	TH_LOG("discarded: %llu anonymous, %llu shared", counters[VHOST_BALLOON_C_DISCARD_ANON],
	       counters[VHOST_BALLOON_C_DISCARD_SHMEM]);
}

/* Ends when it is told to, and says how it went. */
static void expect_end(struct __test_metadata *_metadata, FIXTURE_DATA(fuzz) *self)
{
	struct vb_fuzz *w = self->w;
	unsigned int i;
	int status;

	atomic_store(&w->stop, true);
	ASSERT_TRUE(vb_child_ended(self->pid, &status)) {
		report(_metadata, w);
		for (i = 0; i < VB_FUZZ_THREADS; i++)
			TH_LOG("thread %u: %s", i, w->fuzzers[i].doing ?: "between two things");
	}
	self->pid = 0;
	report(_metadata, w);
	ASSERT_TRUE(WIFEXITED(status)) {
		TH_LOG("ended by signal %d", WTERMSIG(status));
	}
	ASSERT_EQ(0, WEXITSTATUS(status)) {
		TH_LOG("%s", strerror(WEXITSTATUS(status)));
	}
	EXPECT_EQ(NULL, vb_fuzz_missing(w)) {
		TH_LOG("never happened: %s", vb_fuzz_missing(w));
	}
	EXPECT_EQ(0U, w->damage);
	EXPECT_EQ(0, w->files_left);
}

/* A page is given away and taken back: -EIO if another one is gone. */
static int give_and_take(FIXTURE_DATA(fuzz) *self)
{
	int ret = vb_hostile_round(&self->victim, &self->ram, self->steps++);

	if (ret)
		return ret;
	return vb_memory_intact(&self->ram, 0, VB_HOSTILE_PAGES, VB_HOSTILE_SEED) ==
	       VB_HOSTILE_PAGES ? 0 : -EIO;
}

/* As long as the fuzzer shall run, and longer if it hasn't done everything by then. */
static void live_beside(struct __test_metadata *_metadata, FIXTURE_DATA(fuzz) *self)
{
	__u64 end = vb_now_ms() + 1000ULL * seconds();
	int ret = 0;

	while (!ret && !fuzzer_has_ended(self)) {
		__u64 now = vb_now_ms();

		if (now > end && (!vb_fuzz_missing(self->w) || now > end + 1000ULL * PATIENCE))
			break;
		ret = give_and_take(self);
		usleep(1000);
	}
	ASSERT_EQ(0, ret) {
		TH_LOG("step %u of the victim: %s, VB_SEED=%#llx", self->steps, strerror(-ret),
		       self->w->seed);
	}
}

/* Nobody has told it anything, and it has counted what it did, and nothing else. */
static void expect_unharmed(struct __test_metadata *_metadata, FIXTURE_DATA(fuzz) *self)
{
	const __u64 *before = self->before.value;
	struct vhost_balloon_counters now;
	struct vhost_balloon_info info;
	int fd = self->victim.backend;

	ASSERT_EQ(0, vb_get_info(fd, &info));
	EXPECT_EQ(0U, info.inhibit);
	EXPECT_EQ(0ULL, info.target);
	EXPECT_EQ(0U, info.stats_interval);
	EXPECT_LT(0U, self->steps);
	/* A request is counted after it is completed. */
	ASSERT_EQ(0, vb_wait_counter(fd, VHOST_BALLOON_C_CHAINS,
				     before[VHOST_BALLOON_C_CHAINS] + 2 * self->steps));
	ASSERT_EQ(0, vb_get_counters(fd, &now));
	EXPECT_EQ(2ULL * self->steps,
		  now.value[VHOST_BALLOON_C_CHAINS] - before[VHOST_BALLOON_C_CHAINS]);
	EXPECT_EQ(self->steps,
		  now.value[VHOST_BALLOON_C_INFLATED] - before[VHOST_BALLOON_C_INFLATED]);
	EXPECT_EQ(0ULL, now.value[VHOST_BALLOON_C_BROKEN] + now.value[VHOST_BALLOON_C_MALFORMED]);
	EXPECT_EQ(-1, vb_miscounted(fd, &self->before, VHOST_BALLOON_C_DISCARD_ANON, self->steps));
}

/* A machine with all five queues. */
static int open_machine(struct vb_machine *m, struct vb_memory *ram)
{
	int ret = vb_hostile_open(m, ram, ALL_QUEUES);
	unsigned int i;

	if (ret)
		return ret;
	ret = vb_machine_stop(m);
	for (i = VHOST_BALLOON_ROLE_STATS; i < VB_NR_QUEUES && !ret; i++)
		ret = vb_machine_add_queue(m, i, VB_HOSTILE_NUM);
	if (!ret)
		ret = vb_machine_start(m);
	if (ret)
		vb_hostile_close(m, ram);
	return ret;
}

static int send_sample(struct vb_machine *m)
{
	struct vb_queue *q = vb_machine_queue(m, VHOST_BALLOON_ROLE_STATS);
	const struct vb_sg sg = { .addr = VB_BUF_GPA + 8 * VB_PAGE, .len = VB_STAT_SIZE };
	int ret;

	vb_put_stat(m->buf.hva + 8 * VB_PAGE, 0, VIRTIO_BALLOON_S_MEMFREE, 1);
	ret = vb_ring_add(&q->ring, &sg, 1);
	if (ret >= 0)
		ret = vb_queue_notify(q);
	if (!ret)
		ret = vb_wait_stats(m->backend, 1);
	return ret ?: vb_refresh_stats(m->backend, 0) ?: vb_queue_wait_used(q, 1);
}

static int send_hint(struct vb_machine *m, const struct vb_memory *ram, unsigned int page)
{
	struct vb_queue *q = vb_machine_queue(m, VHOST_BALLOON_ROLE_HINT);
	const struct vb_memory buf = {
		.gpa = VB_BUF_GPA + 9 * VB_PAGE, .len = VB_PAGE, .hva = m->buf.hva + 9 * VB_PAGE,
	};
	__u64 bits = 0;
	__u32 id;
	int ret;

	ret = vb_hint_start(m->backend, &id) ?: vb_send_command(q, &buf, id) ?:
	      vb_send_piece(q, ram->gpa + page * VB_PAGE, VB_PAGE);
	if (ret)
		return ret;
	ret = vb_hint_fetch(m->backend, ram->gpa / VB_PAGE, VB_HOSTILE_PAGES, &bits);
	return ret == 1 && bits == 1ULL << page ? 0 : -EPROTO;
}

/* A balloon that comes afterwards. */
static void expect_healthy(struct __test_metadata *_metadata)
{
	struct vb_memory ram;
	struct vb_machine m;

	ASSERT_EQ(0, open_machine(&m, &ram));
	EXPECT_EQ(0, vb_hostile_inflate(&m, 11));
	EXPECT_EQ(1U, vb_memory_zero(&ram, 11, 1));
	EXPECT_EQ(0, vb_hostile_deflate(&m));
	EXPECT_EQ(0, send_sample(&m));
	EXPECT_EQ(0, send_hint(&m, &ram, 12));
	EXPECT_EQ(0, vb_send_piece(vb_machine_queue(&m, VHOST_BALLOON_ROLE_REPORT),
				   ram.gpa + 13 * VB_PAGE, VB_PAGE));
	EXPECT_EQ(1U, vb_memory_zero(&ram, 13, 1));
	EXPECT_EQ(VB_HOSTILE_PAGES - 2,
		  vb_memory_intact(&ram, 0, VB_HOSTILE_PAGES, VB_HOSTILE_SEED));
	vb_hostile_close(&m, &ram);
}

/* After the fuzzer, so that it has no file of the victim's. */
static int open_victim(FIXTURE_DATA(fuzz) *self)
{
	struct vhost_balloon_info info;
	int ret = vb_hostile_open(&self->victim, &self->ram, V1);

	if (ret)
		return ret;
	self->has_victim = true;
	ret = vb_get_counters(self->victim.backend, &self->before) ?:
	      vb_get_info(self->victim.backend, &info);
	if (!ret)
		atomic_store(&self->w->victim, info.id);
	return ret;
}

TEST_F_TIMEOUT(fuzz, harms_nobody_and_gets_nothing_stuck, seconds() + LIMIT)
{
	ASSERT_EQ(0, start_fuzzer(self));
	ASSERT_EQ(0, open_victim(self));
	live_beside(_metadata, self);
	expect_end(_metadata, self);
	expect_unharmed(_metadata, self);
	vb_hostile_close(&self->victim, &self->ram);
	if (self->has_vdpa)
		vb_vdpa_del(&self->vdpa);
	self->has_vdpa = false;
	EXPECT_EQ(self->balloons, count_balloons());
	expect_healthy(_metadata);
	EXPECT_TRUE(vb_module_has(self->references)) {
		TH_LOG("%d references, %d before", vb_module_references("vhost_balloon"),
		       self->references);
	}
}

TEST_HARNESS_MAIN
