// SPDX-License-Identifier: GPL-2.0
/*
 * A thread has kicked, and is to serve the queue when it leaves the kernel; but before it can,
 * something happens: it exits, it executes another program, it or another thread drops the last
 * reference to the backend, the queue stops or is reset, the process is killed. What it is to do
 * may never be waited for: the one who would wait may be the one who has to do it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_config.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "vb_held.h"
#include "vb_inline.h"
#include "vb_kicker.h"
#include "vb_pending.h"
#include "vb_race.h"
#include "vb_vdpa.h"

#define NOTHING		VHOST_BALLOON_NR_COUNTERS
#define MODULE		"vhost_balloon"
#define PAGES		64U
#define ROUNDS		16U

/* One request is there, and a thread is held up that is to serve it. */
FIXTURE(pending) {
	struct vb_inline s;
	struct vb_held held;
	int references;
};

FIXTURE_SETUP(pending)
{
	const char *missing = vb_held_missing();
	int ret;

	if (!missing)
		missing = vb_inline_missing();
	if (missing)
		SKIP(return, "%s", missing);
	self->references = vb_module_references(MODULE);
	ret = vb_inline_open(&self->s, false, VB_MEMORY_ANON, PAGES);
	ASSERT_EQ(0, ret) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-ret));
	}
	ASSERT_EQ(0, vb_inline_post(&self->s, 0, 1));
}

FIXTURE_TEARDOWN(pending)
{
	if (self->held.started) {
		vb_held_release(&self->held);
		vb_held_join(&self->held);
	}
	vb_inline_close(&self->s);
}

static int hold(FIXTURE_DATA(pending) *self, int close)
{
	struct vb_queue *q = &self->s.m.inflate;
	int ret = vb_held_start(&self->held, q->kick, close);

	/* It is really held up, or else nothing is tested. */
	return ret ?: vb_ring_used_idx(&q->ring) ? -EALREADY : 0;
}

static int let_go(FIXTURE_DATA(pending) *self)
{
	return vb_held_release(&self->held) ?: vb_held_join(&self->held);
}

/* The balloon has closed, whoever did it: nothing was done, and nothing is left. */
static void expect_gone(struct __test_metadata *_metadata, struct vb_inline *s, int references)
{
	EXPECT_TRUE(vb_module_has(references)) {
		TH_LOG("%d references, %d before", vb_module_references(MODULE), references);
	}
	EXPECT_EQ(0, vb_ring_used_idx(&s->m.inflate.ring));
	EXPECT_EQ(PAGES, vb_memory_intact(&s->ram, 0, PAGES, VB_INLINE_SEED));
	/* Nobody listens, and nobody minds. */
	EXPECT_EQ(0, vb_queue_kick(&s->m.inflate));
}

TEST_F(pending, work_is_done_when_the_thread_goes_on)
{
	struct vb_inline *s = &self->s;

	ASSERT_EQ(0, hold(self, -1));
	ASSERT_EQ(0, let_go(self));
	EXPECT_EQ(0, vb_inline_take(s));
	EXPECT_EQ(1ULL, vb_inline_risen(s, VHOST_BALLOON_C_PASSES_INLINE));
	EXPECT_EQ(-1, vb_inline_misplaced(s, NOTHING, 0));
	EXPECT_TRUE(vb_inline_slept(s));
}

/* Who is held up may be so for as long as userspace likes. */
TEST_F(pending, kick_of_another_thread_is_served_meanwhile)
{
	struct vb_inline *s = &self->s;

	ASSERT_EQ(0, hold(self, -1));
	ASSERT_EQ(0, vb_inline_post(s, 1, 1));
	ASSERT_EQ(0, vb_queue_kick(&s->m.inflate));
	EXPECT_EQ(0, vb_inline_wait(s));
	EXPECT_EQ(2U, vb_memory_zero(&s->ram, 0, 2));
	EXPECT_EQ(0, let_go(self));
}

TEST_F(pending, work_for_a_queue_that_has_stopped_does_nothing)
{
	struct vb_inline *s = &self->s;

	ASSERT_EQ(0, hold(self, -1));
	ASSERT_EQ(0, vb_machine_stop(&s->m));
	ASSERT_EQ(0, let_go(self));
	EXPECT_EQ(0, vb_ring_used_idx(&s->m.inflate.ring));
	EXPECT_EQ(PAGES, vb_memory_intact(&s->ram, 0, PAGES, VB_INLINE_SEED));
	/* The start finds the request. */
	ASSERT_EQ(0, vb_machine_start(&s->m));
	EXPECT_EQ(0, vb_inline_wait(s));
	EXPECT_EQ(1U, vb_memory_zero(&s->ram, 0, 1));
}

TEST_F(pending, work_outlives_a_stop_and_start)
{
	struct vb_inline *s = &self->s;

	ASSERT_EQ(0, hold(self, -1));
	ASSERT_EQ(0, vb_machine_stop(&s->m));
	ASSERT_EQ(0, vb_machine_start(&s->m));
	EXPECT_EQ(0, vb_inline_wait(s));
	ASSERT_EQ(0, vb_settle(s->m.backend));
	ASSERT_EQ(0, vb_inline_post(s, 1, 1));
	ASSERT_EQ(0, let_go(self));
	/* That was as good as a kick for it. */
	EXPECT_EQ(0, vb_inline_take(s));
	EXPECT_EQ(2U, vb_memory_zero(&s->ram, 0, 2));
}

TEST_F(pending, work_outlives_a_reset)
{
	struct vb_inline *s = &self->s;

	ASSERT_EQ(0, hold(self, -1));
	ASSERT_EQ(0, vb_machine_reload(&s->m, s->m.features));
	ASSERT_EQ(0, vb_machine_start(&s->m));
	ASSERT_EQ(0, let_go(self));
	/* The ring is a new one, and empty. */
	EXPECT_EQ(0, vb_ring_used_idx(&s->m.inflate.ring));
	EXPECT_EQ(PAGES, vb_memory_intact(&s->ram, 0, PAGES, VB_INLINE_SEED));
	ASSERT_EQ(0, vb_inline_post(s, 1, 1));
	ASSERT_EQ(0, vb_queue_kick(&s->m.inflate));
	EXPECT_EQ(0, vb_inline_wait(s));
	EXPECT_EQ(1U, vb_memory_zero(&s->ram, 1, 1));
}

/* The module can't be unloaded before it has run. */
TEST_F(pending, work_is_not_waited_for_by_a_thread_that_closes)
{
	ASSERT_EQ(0, hold(self, -1));
	ASSERT_EQ(0, close(self->s.m.backend));
	self->s.m.backend = -1;
	EXPECT_LT(self->references, vb_module_references(MODULE));
	ASSERT_EQ(0, let_go(self));
	expect_gone(_metadata, &self->s, self->references);
}

TEST_F(pending, work_is_not_waited_for_by_its_own_thread_that_closes)
{
	ASSERT_EQ(0, hold(self, self->s.m.backend));
	ASSERT_EQ(0, let_go(self));
	self->s.m.backend = -1;
	expect_gone(_metadata, &self->s, self->references);
}

/* The kick eventfd is closed by all: the queue is not known by that. */
TEST_F(pending, work_outlives_its_eventfd)
{
	struct vb_queue *q = &self->s.m.inflate;

	ASSERT_EQ(0, hold(self, -1));
	ASSERT_EQ(0, vb_set_vring_kick(self->s.m.backend, VB_INFLATE, -1));
	close(q->kick);
	q->kick = -1;
	ASSERT_EQ(0, let_go(self));
	/* There was no other kick: it was served by the thread that had been held up. */
	EXPECT_EQ(0, vb_inline_take(&self->s));
	EXPECT_EQ(1ULL, vb_inline_risen(&self->s, VHOST_BALLOON_C_PASSES_INLINE));
}

/* One request is there, and a thread on its way into a system call is to serve it. */
FIXTURE(call) {
	struct vb_inline s;
	struct vb_pending p;
	int references;
};

FIXTURE_SETUP(call)
{
	const char *missing = vb_inline_missing();

	if (!missing)
		missing = vb_pending_missing();
	if (missing)
		SKIP(return, "%s", missing);
	self->references = vb_module_references(MODULE);
	ASSERT_EQ(0, vb_inline_open(&self->s, false, VB_MEMORY_ANON, PAGES));
	ASSERT_EQ(0, vb_inline_post(&self->s, 0, 1));
}

FIXTURE_TEARDOWN(call)
{
	if (self->p.started) {
		vb_pending_release(&self->p);
		vb_pending_join(&self->p);
	}
	vb_inline_close(&self->s);
}

/* Has a thread make the call: with a kick that it is to serve on its way out. */
static int make_call(FIXTURE_DATA(call) *self, long number)
{
	struct vb_queue *q = &self->s.m.inflate;
	__u16 used = vb_ring_used_idx(&q->ring);
	int ret = vb_pending_start(&self->p, number, q->kick);

	if (!ret && vb_ring_used_idx(&q->ring) != used)
		ret = -EALREADY;
	return ret ?: vb_pending_release(&self->p) ?: vb_pending_join(&self->p);
}

TEST_F(call, that_ends_the_thread_leaves_it_to_the_worker)
{
	struct vb_inline *s = &self->s;
	unsigned int i;

	for (i = 1; i <= ROUNDS; i++) {
		ASSERT_EQ(0, make_call(self, __NR_exit));
		ASSERT_EQ(0, vb_inline_wait(s));
		ASSERT_EQ(i, vb_memory_zero(&s->ram, 0, i));
		ASSERT_EQ(0, vb_inline_post(s, i, 1));
	}
	EXPECT_EQ(-1, vb_inline_misplaced(s, VHOST_BALLOON_C_WORKER_EXIT, ROUNDS));
	EXPECT_EQ(0ULL, vb_inline_risen(s, VHOST_BALLOON_C_PASSES_INLINE));
}

TEST_F(call, that_closes_does_not_wait)
{
	self->p.args[0] = self->s.m.backend;
	ASSERT_EQ(0, make_call(self, __NR_close));
	EXPECT_EQ(0, self->p.ret);
	self->s.m.backend = -1;
	expect_gone(_metadata, &self->s, self->references);
}

TEST_F(call, that_stops_does_not_wait)
{
	struct vhost_balloon_running stop = { .size = sizeof(stop) };
	struct vb_inline *s = &self->s;

	self->p.args[0] = s->m.backend;
	self->p.args[1] = VHOST_BALLOON_SET_RUNNING;
	self->p.args[2] = (long)&stop;
	ASSERT_EQ(0, make_call(self, __NR_ioctl));
	EXPECT_EQ(0, self->p.ret);
	EXPECT_EQ(0, vb_ring_used_idx(&s->m.inflate.ring));
	ASSERT_EQ(0, vb_machine_start(&s->m));
	EXPECT_EQ(0, vb_inline_wait(s));
}

TEST_F(call, that_resets_does_not_wait)
{
	struct vb_inline *s = &self->s;

	self->p.args[0] = s->m.backend;
	self->p.args[1] = VHOST_RESET_OWNER;
	ASSERT_EQ(0, make_call(self, __NR_ioctl));
	EXPECT_EQ(0, self->p.ret);
	EXPECT_EQ(0, vb_ring_used_idx(&s->m.inflate.ring));
	ASSERT_EQ(0, close(s->m.backend));
	s->m.backend = -1;
	expect_gone(_metadata, s, self->references);
}

/* The same for a vDPA device, whose balloon stays. */
FIXTURE(vdpa) {
	struct vb_vdpa d;
	struct vb_memory ram;
	struct vb_held held;
};

FIXTURE_VARIANT(vdpa) {
	bool own;
};

FIXTURE_VARIANT_ADD(vdpa, closed_by_its_own_thread) { .own = true };
FIXTURE_VARIANT_ADD(vdpa, closed_by_another) { .own = false };

FIXTURE_SETUP(vdpa)
{
	const char *missing = vb_vdpa_missing();

	if (!missing)
		missing = vb_held_missing();
	if (!missing)
		missing = vb_inline_missing();
	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vb_vdpa_add(&self->d, "pending", 0));
	ASSERT_EQ(0, vb_memory_map(&self->ram, VB_MEMORY_MEMFD, VB_INLINE_GPA, PAGES * VB_PAGE));
	vb_memory_fill(&self->ram, 0, PAGES, VB_INLINE_SEED);
	ASSERT_EQ(0, vb_vdpa_run(&self->d, VB_FEATURE(VIRTIO_F_VERSION_1) |
				 VB_FEATURE(VIRTIO_F_ACCESS_PLATFORM), 2));
	ASSERT_EQ(0, vb_vdpa_map(&self->d, &self->ram, VHOST_ACCESS_RW));
	ASSERT_EQ(0, vb_vdpa_inflate(&self->d, VB_INLINE_GPA, 1));
	ASSERT_EQ(0, vb_settle(self->d.control));
}

FIXTURE_TEARDOWN(vdpa)
{
	vb_vdpa_del(&self->d);
	vb_memory_unmap(&self->ram);
}

TEST_F(vdpa, pending_work_is_not_waited_for)
{
	const struct vb_sg list = { .addr = self->d.buf.gpa, .len = sizeof(__le32) };
	struct vb_queue *q = &self->d.queues[VB_INFLATE];
	int kick = dup(q->kick);

	ASSERT_LE(0, kick);
	vb_write_list(self->d.buf.hva, VB_INLINE_GPA + VB_PAGE, 1);
	ASSERT_LE(0, vb_ring_add(&q->ring, &list, 1));
	vb_ring_publish(&q->ring);
	ASSERT_EQ(0, vb_held_start(&self->held, kick, variant->own ? self->d.fd : -1));
	EXPECT_EQ(1, vb_ring_used_idx(&q->ring));
	if (!variant->own)
		vb_vdpa_close(&self->d);
	ASSERT_EQ(0, vb_held_release(&self->held));
	ASSERT_EQ(0, vb_held_join(&self->held));
	if (variant->own)
		self->d.fd = -1;
	EXPECT_EQ(PAGES - 1, vb_memory_intact(&self->ram, 1, PAGES - 1, VB_INLINE_SEED));

	/* The next one who opens it finds it well. */
	ASSERT_EQ(0, vb_vdpa_run(&self->d, VB_FEATURE(VIRTIO_F_VERSION_1) |
				 VB_FEATURE(VIRTIO_F_ACCESS_PLATFORM), 2));
	ASSERT_EQ(0, vb_vdpa_map(&self->d, &self->ram, VHOST_ACCESS_RW));
	EXPECT_EQ(0, vb_vdpa_inflate(&self->d, VB_INLINE_GPA + VB_PAGE, 1));
	EXPECT_EQ(1U, vb_memory_zero(&self->ram, 1, 1));
	close(kick);
}

/* A VMM in a process of its own, which ends while one of its threads is to serve the queue. */
FIXTURE(process) {
	int device;
	int references;
	pid_t child;
};

enum end {
	END_KILLED,
	END_EXITS,
	END_EXECUTES,
	END_EXECUTES_AND_KEEPS,
};

FIXTURE_VARIANT(process) {
	enum end end;
	bool own;
};

FIXTURE_VARIANT_ADD(process, is_killed) { .end = END_KILLED };
FIXTURE_VARIANT_ADD(process, exits) { .end = END_EXITS };
FIXTURE_VARIANT_ADD(process, executes_another_program) { .end = END_EXECUTES };
/* The thread itself does. */
FIXTURE_VARIANT_ADD(process, exits_by_the_thread) { .end = END_EXITS, .own = true };
FIXTURE_VARIANT_ADD(process, executes_by_the_thread) { .end = END_EXECUTES, .own = true };
/* And the program has the backend open, though it isn't the owner's address space any more. */
FIXTURE_VARIANT_ADD(process, executes_by_the_thread_and_keeps) {
	.end = END_EXECUTES_AND_KEEPS, .own = true,
};

FIXTURE_SETUP(process)
{
	const char *missing = vb_inline_missing();

	if (!missing)
		missing = variant->own ? vb_pending_missing() : vb_held_missing();
	if (missing)
		SKIP(return, "%s", missing);
	self->device = vb_open();
	ASSERT_LE(0, self->device);
	self->references = vb_module_references(MODULE);
}

FIXTURE_TEARDOWN(process)
{
	if (self->child > 0) {
		kill(self->child, SIGKILL);
		waitpid(self->child, NULL, 0);
	}
	close(self->device);
}

static char *const sleep_arguments[] = { "sleep", "1000", NULL };
static char *const sleep_environment[] = { NULL };
static const char sleep_path[] = "/bin/sleep";

/* The thread is held up on its way to the end; and goes on when told. */
static int end_by_thread(struct vb_inline *s, enum end end, int out, int in)
{
	static struct vb_pending p;
	char byte;

	if (end != END_EXITS) {
		p.args[0] = (long)sleep_path;
		p.args[1] = (long)sleep_arguments;
		p.args[2] = (long)sleep_environment;
	}
	if (vb_pending_start(&p, end == END_EXITS ? __NR_exit_group : __NR_execve,
			     s->m.inflate.kick))
		return 1;
	if (write(out, "", 1) != 1 || read(in, &byte, 1) != 1)
		return 2;
	return vb_pending_release(&p);
}

/* The thread is held up, and goes with the process when told. */
static int end_with_thread(struct vb_inline *s, enum end end, int out, int in)
{
	static struct vb_held held;
	char byte;

	if (vb_held_start(&held, s->m.inflate.kick, -1))
		return 1;
	if (write(out, "", 1) != 1 || read(in, &byte, 1) != 1)
		return 2;
	if (end == END_EXITS)
		_exit(0);
	return execve(sleep_path, sleep_arguments, sleep_environment);
}

/* Its life: it says the balloon's id first of all. */
static void be_vmm(enum end end, bool own, int out, int in)
{
	struct vhost_balloon_info info;
	static struct vb_inline s;

	if (vb_inline_open(&s, false, VB_MEMORY_ANON, PAGES) || vb_inline_post(&s, 0, 1) ||
	    vb_get_info(s.m.backend, &info) ||
	    write(out, &info.id, sizeof(info.id)) != sizeof(info.id))
		_exit(1);
	if (end == END_EXECUTES_AND_KEEPS && fcntl(s.m.backend, F_SETFD, 0))
		_exit(1);
	if (own ? end_by_thread(&s, end, out, in) : end_with_thread(&s, end, out, in))
		_exit(2);
	for (;;)
		pause();
}

static bool balloon_goes(int control)
{
	__u64 end = vb_now_ms() + VB_TIMEOUT_MS;
	struct vhost_balloon_info info;

	while (vb_get_info(control, &info) != -ENODEV && vb_now_ms() < end)
		usleep(1000);
	return vb_get_info(control, &info) == -ENODEV;
}

TEST_F(process, with_pending_work_leaves_nothing_behind)
{
	int to[2], from[2];
	int control;
	__u64 id = 0;
	char byte;

	ASSERT_EQ(0, pipe(to));
	ASSERT_EQ(0, pipe(from));
	self->child = fork();
	ASSERT_LE(0, self->child);
	if (!self->child)
		be_vmm(variant->end, variant->own, from[1], to[0]);
	close(from[1]);
	ASSERT_EQ((ssize_t)sizeof(id), read(from[0], &id, sizeof(id)));
	control = vb_open_id(self->device, id);
	ASSERT_LE(0, control);
	ASSERT_EQ(1, read(from[0], &byte, 1));
	/* It is really held up. */
	EXPECT_EQ(0ULL, vb_counter(control, VHOST_BALLOON_C_CHAINS));

	if (variant->end != END_KILLED)
		ASSERT_EQ(1, write(to[1], "", 1));
	/* What the program doesn't inherit is closed when it begins. */
	if (variant->end == END_EXECUTES)
		EXPECT_TRUE(balloon_goes(control));
	if (variant->end == END_EXECUTES_AND_KEEPS) {
		EXPECT_EQ(0, vb_wait_counter(control, VHOST_BALLOON_C_WORKER_EXIT, 1));
		EXPECT_EQ(0ULL, vb_counter(control, VHOST_BALLOON_C_PASSES_INLINE));
	}
	if (variant->end != END_EXITS)
		ASSERT_EQ(0, kill(self->child, SIGKILL));
	ASSERT_EQ(self->child, waitpid(self->child, NULL, 0));
	self->child = 0;
	close(control);
	EXPECT_TRUE(vb_module_has(self->references)) {
		TH_LOG("%d references, %d before", vb_module_references(MODULE),
		       self->references);
	}
	close(from[0]);
	close(to[0]);
	close(to[1]);
}

TEST_HARNESS_MAIN
