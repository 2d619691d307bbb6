// SPDX-License-Identifier: GPL-2.0
/*
 * Who may kick, and who serves the queue then: a thread of the VMM's that goes back to user mode
 * does it itself, whatever system call the kick came from. Others may share its address space
 * for a while, and never go back there: interrupts, threads of the kernel's, and those that
 * exit. The vCPU's thread is in vcpu.c and inline_vcpus.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "vb_aio.h"
#include "vb_inline.h"
#include "vb_pending.h"
#include "vb_uring.h"
#include "vb_vhost_net.h"

#define NOTHING		VHOST_BALLOON_NR_COUNTERS
#define UNFIT		VHOST_BALLOON_C_WORKER_KICKER
#define PAGES		64U
#define ROUNDS		16U

FIXTURE(kicker) {
	struct vb_inline s;
	int kick;
	unsigned int page;
};

FIXTURE_SETUP(kicker)
{
	const char *missing = vb_inline_missing();
	int ret;

	if (missing)
		SKIP(return, "%s", missing);
	ret = vb_inline_open(&self->s, false, VB_MEMORY_ANON, PAGES);
	ASSERT_EQ(0, ret) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-ret));
	}
	self->kick = self->s.m.inflate.kick;
}

FIXTURE_TEARDOWN(kicker)
{
	vb_inline_close(&self->s);
}

/* One more page is to go: whoever kicks next. */
static int post(FIXTURE_DATA(kicker) *self)
{
	return vb_inline_post(&self->s, self->page++, 1);
}

/* Each request was served by the one who kicked. Nothing is waited for. */
static void expect_inline(struct __test_metadata *_metadata, FIXTURE_DATA(kicker) *self)
{
	struct vb_inline *s = &self->s;

	EXPECT_EQ(0, vb_inline_take(s));
	EXPECT_EQ(self->page, vb_inline_risen(s, VHOST_BALLOON_C_PASSES_INLINE));
	EXPECT_EQ(-1, vb_inline_misplaced(s, NOTHING, 0));
	EXPECT_TRUE(vb_inline_slept(s));
	EXPECT_EQ(self->page, vb_memory_zero(&s->ram, 0, self->page));
}

/* Each was left to the worker, because of the one who kicked. */
static void expect_worker(struct __test_metadata *_metadata, FIXTURE_DATA(kicker) *self)
{
	struct vb_inline *s = &self->s;

	EXPECT_EQ(0, vb_inline_wait(s));
	EXPECT_EQ(0ULL, vb_inline_risen(s, VHOST_BALLOON_C_PASSES_INLINE));
	EXPECT_EQ(-1, vb_inline_misplaced(s, UNFIT, self->page));
	EXPECT_FALSE(vb_inline_slept(s));
	EXPECT_EQ(self->page, vb_memory_zero(&s->ram, 0, self->page));
}

TEST_F(kicker, other_process_is_not_fit)
{
	unsigned int i;
	int status;
	pid_t pid;

	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, post(self));
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			_exit(!!vb_queue_kick(&self->s.m.inflate));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(0, status);
		ASSERT_EQ(0, vb_inline_wait(&self->s));
	}
	expect_worker(_metadata, self);
}

static int kick_from_clone(void *arg)
{
	FIXTURE_DATA(kicker) *self = arg;
	const __u64 one = 1;

	/* All but the stack is its parent's. */
	return syscall(__NR_write, self->kick, &one, sizeof(one)) != sizeof(one);
}

TEST_F(kicker, other_process_of_the_same_address_space_is_fit)
{
	const size_t len = 16 * VB_PAGE;
	void *stack = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int i;
	int status;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, stack);
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, post(self));
		pid = clone(kick_from_clone, stack + len, CLONE_VM | CLONE_VFORK | SIGCHLD, self);
		ASSERT_LE(0, pid);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(0, status);
	}
	expect_inline(_metadata, self);
	munmap(stack, len);
}

TEST_F(kicker, worker_of_vhost_net_is_not_fit)
{
	const char *missing = vb_vhost_net_missing();
	struct vb_vhost_net net;
	unsigned int i;
	int ret;

	if (missing)
		SKIP(return, "%s", missing);
	ret = vb_vhost_net_open(&net);
	if (ret)
		SKIP(return, "no vhost-net with a TAP: %s", strerror(-ret));
	ASSERT_EQ(0, vb_set_vring_kick(self->s.m.backend, VB_INFLATE, net.tx.call));
	ASSERT_EQ(0, vb_inline_mark(&self->s));
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, post(self));
		ASSERT_EQ(0, vb_vhost_net_send(&net));
		ASSERT_EQ(0, vb_inline_wait(&self->s));
		/* The pass before may have seen the request, and the kick is still to come. */
		ASSERT_EQ(0, vb_wait_counter(self->s.m.backend, UNFIT,
					     self->s.before.value[UNFIT] + i + 1));
	}
	expect_worker(_metadata, self);
	vb_vhost_net_close(&net);
}

/* Kicks by io_uring: each is written before the next one is posted. */
static void kick_by_uring(struct __test_metadata *_metadata, FIXTURE_DATA(kicker) *self,
			  unsigned int setup, unsigned int flags)
{
	const __u64 one = 1;
	struct vb_uring r;
	unsigned int i;
	int ret = vb_uring_open(&r, setup);

	if (ret)
		SKIP(return, "no io_uring: %s", strerror(-ret));
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, post(self));
		vb_uring_write(&r, self->kick, &one, flags);
		ASSERT_EQ(0, vb_uring_submit(&r, setup ? 0 : 1));
		ASSERT_EQ((int)sizeof(one), vb_uring_wait(&r));
		if (setup || flags)
			ASSERT_EQ(0, vb_inline_wait(&self->s));
	}
	if (setup || flags)
		expect_worker(_metadata, self);
	else
		expect_inline(_metadata, self);
	vb_uring_close(&r);
}

TEST_F(kicker, that_submits_to_io_uring_is_fit)
{
	kick_by_uring(_metadata, self, 0, 0);
}

TEST_F(kicker, worker_of_io_uring_is_not_fit)
{
	kick_by_uring(_metadata, self, 0, IOSQE_ASYNC);
}

TEST_F(kicker, polling_thread_of_io_uring_is_not_fit)
{
	kick_by_uring(_metadata, self, IORING_SETUP_SQPOLL, 0);
}

/* A disk that has read what it was asked for, whatever that is, after a while. */
static int open_disk(void)
{
	/* It is a timer that says so. */
	if (access("/dev/nullb0", F_OK) &&
	    system("modprobe -q null_blk nr_devices=1 irqmode=2 completion_nsec=2000000"))
		return -ENODEV;
	return open("/dev/nullb0", O_RDONLY | O_DIRECT | O_CLOEXEC);
}

/* The address space is the right one, as it is that of who is interrupted. */
TEST_F(kicker, interrupt_is_not_fit)
{
	struct vb_ring *ring = &self->s.m.inflate.ring;
	int disk = open_disk();
	struct vb_aio aio;
	unsigned int i;
	void *buf;

	if (disk < 0)
		SKIP(return, "no disk that interrupts: null_blk");
	buf = mmap(NULL, VB_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, buf);
	for (i = 1; i <= ROUNDS; i++) {
		__u64 end = vb_now_ms() + VB_TIMEOUT_MS;

		ASSERT_EQ(0, post(self));
		ASSERT_EQ(0, vb_aio_read(&aio, disk, buf, VB_PAGE, self->kick));
		/* This is what it interrupts. */
		while (vb_ring_used_idx(ring) != i && vb_now_ms() < end)
			;
		ASSERT_EQ(0, vb_inline_wait(&self->s));
		vb_aio_close(&aio);
	}
	/* Now and then the disk is done before the request is: then it's the thread that kicks. */
	EXPECT_LT(0ULL, vb_inline_risen(&self->s, UNFIT));
	EXPECT_EQ(self->page, vb_inline_risen(&self->s, UNFIT) +
			      vb_inline_risen(&self->s, VHOST_BALLOON_C_PASSES_INLINE));
	EXPECT_EQ(self->page, vb_memory_zero(&self->s.ram, 0, self->page));
	munmap(buf, VB_PAGE);
	close(disk);
}

/* A thread that was the only one to use a filter, and has those woken up who poll it. */
struct leaver {
	int kick;
	struct vb_aio aio;
	int listener;
	int error;
};

static void *leaver_run(void *arg)
{
	struct leaver *leaver = arg;

	leaver->listener = vb_pending_filter(__NR_getppid);
	leaver->error = leaver->listener < 0 ? leaver->listener :
			vb_aio_poll(&leaver->aio, leaver->listener, POLLHUP, leaver->kick);
	return NULL;
}

/*
 * The kick comes from the middle of the thread's exit, where it lets go of its filter: since Linux
 * 6.11 it has its address space still, and before that it has none any more.
 */
TEST_F(kicker, thread_that_exits_is_not_fit)
{
	const char *missing = vb_pending_missing();
	unsigned int i;

	if (missing)
		SKIP(return, "%s", missing);
	for (i = 0; i < ROUNDS; i++) {
		struct leaver leaver = { .kick = self->kick };
		pthread_t thread;

		ASSERT_EQ(0, post(self));
		ASSERT_EQ(0, pthread_create(&thread, NULL, leaver_run, &leaver));
		ASSERT_EQ(0, pthread_join(thread, NULL));
		ASSERT_EQ(0, leaver.error);
		ASSERT_EQ(0, vb_inline_wait(&self->s));
		vb_aio_close(&leaver.aio);
		close(leaver.listener);
	}
	expect_worker(_metadata, self);
}

TEST_HARNESS_MAIN
