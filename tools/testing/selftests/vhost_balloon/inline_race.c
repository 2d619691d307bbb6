// SPDX-License-Identifier: GPL-2.0
/*
 * Kicks without end, from two threads of the VMM's, while all else changes: the queues stop and
 * start, the driver is reset, the backend is closed, the process is killed. And kicks by the
 * balloon itself, whose interrupt is its kick.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "vb_inline.h"
#include "vb_kicker.h"
#include "vb_race.h"

#define INLINE		VHOST_BALLOON_TUNE_INLINE
#define NOTHING		VHOST_BALLOON_NR_COUNTERS
#define MODULE		"vhost_balloon"
#define PAGES		64U
#define HAMMERS		2

/* A thread that kicks, and does nothing else. */
struct hammer {
	int kick;
	pthread_t thread;
	bool started;
	atomic_bool stop;
	atomic_ulong kicks;
};

static void *hammer_run(void *arg)
{
	struct hammer *hammer = arg;

	while (!atomic_load(&hammer->stop)) {
		eventfd_write(hammer->kick, 1);
		atomic_fetch_add(&hammer->kicks, 1);
	}
	return NULL;
}

static int start_hammers(struct hammer *hammers, int kick)
{
	int i, ret = 0;

	for (i = 0; i < HAMMERS && !ret; i++) {
		hammers[i].kick = kick;
		ret = -pthread_create(&hammers[i].thread, NULL, hammer_run, &hammers[i]);
		hammers[i].started = !ret;
	}
	return ret;
}

static void stop_hammers(struct hammer *hammers)
{
	int i;

	for (i = 0; i < HAMMERS; i++) {
		atomic_store(&hammers[i].stop, true);
		if (hammers[i].started)
			pthread_join(hammers[i].thread, NULL);
		hammers[i].started = false;
	}
}

/* Until one of them has kicked since. */
static void wait_hammers(struct hammer *hammers)
{
	unsigned long kicks = atomic_load(&hammers[0].kicks);

	while (atomic_load(&hammers[0].kicks) < kicks + 2)
		sched_yield();
}

FIXTURE(race) {
	struct vb_inline s;
	struct hammer hammers[HAMMERS];
	int references;
};

FIXTURE_VARIANT(race) {
	bool kvm;
};

FIXTURE_VARIANT_ADD(race, table) { .kvm = false };
FIXTURE_VARIANT_ADD(race, memslots) { .kvm = true };

FIXTURE_SETUP(race)
{
	const char *missing = variant->kvm ? vb_kvm_missing() : NULL;

	if (!missing)
		missing = vb_inline_missing();
	if (missing)
		SKIP(return, "%s", missing);
	self->references = vb_module_references(MODULE);
	ASSERT_EQ(0, vb_inline_open(&self->s, variant->kvm, VB_MEMORY_ANON, PAGES));
	ASSERT_EQ(0, start_hammers(self->hammers, self->s.m.inflate.kick));
}

FIXTURE_TEARDOWN(race)
{
	stop_hammers(self->hammers);
	vb_inline_close(&self->s);
}

/* One page goes, by a kick that somebody gives. */
static int inflate(struct vb_inline *s, unsigned int page)
{
	vb_memory_fill(&s->ram, page, 1, VB_INLINE_SEED);
	return vb_inline_post(s, page, 1) ?: vb_queue_kick(&s->m.inflate) ?: vb_inline_wait(s);
}

/* When all is quiet, kicks are served inline again. */
static void expect_well(struct __test_metadata *_metadata, FIXTURE_DATA(race) *self)
{
	struct vb_inline *s = &self->s;

	stop_hammers(self->hammers);
	ASSERT_EQ(0, vb_inline_mark(s));
	vb_memory_fill(&s->ram, 0, 1, VB_INLINE_SEED);
	ASSERT_EQ(0, vb_inline_post(s, 0, 1));
	ASSERT_EQ(0, vb_queue_kick(&s->m.inflate));
	EXPECT_EQ(0, vb_inline_take(s));
	EXPECT_EQ(-1, vb_inline_misplaced(s, NOTHING, 0));
	EXPECT_EQ(1U, vb_memory_zero(&s->ram, 0, 1));
}

TEST_F_TIMEOUT(race, queues_stop_and_start, 300)
{
	unsigned int rounds = vb_rounds(100), round;
	struct vb_inline *s = &self->s;

	for (round = 0; round < rounds; round++) {
		unsigned int page = round % PAGES;

		ASSERT_EQ(0, vb_machine_stop(&s->m));
		vb_memory_fill(&s->ram, page, 1, round);
		ASSERT_EQ(0, vb_inline_post(s, page, 1));
		wait_hammers(self->hammers);
		/* However much it is kicked: it is stopped. */
		ASSERT_EQ(-EAGAIN, vb_inline_take(s));
		ASSERT_EQ(1U, vb_memory_intact(&s->ram, page, 1, round));
		ASSERT_EQ(0, vb_machine_start(&s->m));
		ASSERT_EQ(0, vb_inline_wait(s));
		ASSERT_EQ(1U, vb_memory_zero(&s->ram, page, 1));
	}
	expect_well(_metadata, self);
}

TEST_F_TIMEOUT(race, driver_is_reset, 300)
{
	unsigned int rounds = vb_rounds(50), round;
	struct vb_inline *s = &self->s;

	for (round = 0; round < rounds; round++) {
		ASSERT_EQ(0, inflate(s, round % PAGES));
		ASSERT_EQ(0, vb_machine_reload(&s->m, s->m.features));
		ASSERT_EQ(0, vb_machine_start(&s->m));
	}
	/* It has another worker since then. */
	s->worker = vb_worker_find(s->m.backend);
	ASSERT_LT(0, s->worker);
	expect_well(_metadata, self);
}

/* One backend after the other at the same eventfd. */
TEST_F_TIMEOUT(race, backend_is_closed, 300)
{
	unsigned int rounds = vb_rounds(50), round;
	struct vb_inline other;

	for (round = 0; round < rounds; round++) {
		memset(&other, 0, sizeof(other));
		ASSERT_EQ(0, vb_inline_open(&other, variant->kvm, VB_MEMORY_ANON, PAGES));
		ASSERT_EQ(0, vb_set_vring_kick(other.m.backend, VB_INFLATE,
					       self->s.m.inflate.kick));
		ASSERT_EQ(0, vb_inline_post(&other, 0, 1));
		ASSERT_EQ(0, vb_inline_wait(&other));
		ASSERT_EQ(1U, vb_memory_zero(&other.ram, 0, 1));
		vb_inline_close(&other);
	}
	expect_well(_metadata, self);
	vb_inline_close(&self->s);
	EXPECT_TRUE(vb_module_has(self->references)) {
		TH_LOG("%d references, %d before", vb_module_references(MODULE),
		       self->references);
	}
}

TEST_F_TIMEOUT(race, inline_is_switched_off_and_on, 300)
{
	unsigned int rounds = vb_rounds(300), round;
	struct vb_inline *s = &self->s;

	for (round = 0; round < rounds; round++) {
		ASSERT_EQ(0, vb_set_tunables(s->m.backend, INLINE, round % 2 ? INLINE : 0));
		ASSERT_EQ(0, inflate(s, round % PAGES));
		ASSERT_EQ(1U, vb_memory_zero(&s->ram, round % PAGES, 1));
	}
	EXPECT_LT(0ULL, vb_inline_risen(s, VHOST_BALLOON_C_PASSES_INLINE));
	EXPECT_LT(0ULL, vb_inline_risen(s, VHOST_BALLOON_C_WORKER_OFF));
	EXPECT_EQ(rounds, vb_inline_risen(s, VHOST_BALLOON_C_CHAINS));
	ASSERT_EQ(0, vb_set_tunables(s->m.backend, INLINE, INLINE));
	expect_well(_metadata, self);
}

/* In a child: kicks from all sides until it is killed. */
static void be_busy(bool kvm, int ready)
{
	static struct hammer hammers[HAMMERS];
	static struct vb_inline s;
	unsigned int page;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (vb_inline_open(&s, kvm, VB_MEMORY_ANON, PAGES) ||
	    start_hammers(hammers, s.m.inflate.kick) || write(ready, "", 1) != 1)
		_exit(1);
	for (page = 0;; page = (page + 1) % PAGES)
		if (inflate(&s, page))
			_exit(2);
}

TEST_F_TIMEOUT(race, process_is_killed, 500)
{
	/* Two hundred, of both kinds. */
	unsigned int rounds = vb_rounds(100), round;
	int ready[2], status;
	char byte;
	pid_t pid;

	/* The children have hammers of their own, and the machine is for the end. */
	expect_well(_metadata, self);
	self->references = vb_module_references(MODULE);
	ASSERT_EQ(0, pipe(ready));
	for (round = 0; round < rounds; round++) {
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			be_busy(variant->kvm, ready[1]);
		ASSERT_EQ(1, read(ready[0], &byte, 1));
		usleep(rand() % 3000);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_TRUE(vb_child_ended(pid, &status));
		ASSERT_TRUE(WIFSIGNALED(status)) {
			TH_LOG("exit status %d in round %u", WEXITSTATUS(status), round);
		}
	}
	EXPECT_TRUE(vb_module_has(self->references)) {
		TH_LOG("%d references, %d before", vb_module_references(MODULE),
		       self->references);
	}
	/* What a child shared with us has to be copied first, by the worker. */
	ASSERT_EQ(0, inflate(&self->s, 1));
	expect_well(_metadata, self);
	close(ready[0]);
	close(ready[1]);
}

/* The device's interrupt is its own kick. */
FIXTURE(self_kick) {
	struct vb_inline s;
};

FIXTURE_SETUP(self_kick)
{
	const char *missing = vb_inline_missing();

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vb_inline_open(&self->s, false, VB_MEMORY_ANON, PAGES));
}

FIXTURE_TEARDOWN(self_kick)
{
	vb_inline_close(&self->s);
}

/* Whether kicks have come to an end: there are as many as there were, when all is quiet. */
static bool is_quiet(struct vb_inline *s)
{
	__u64 kicks;

	if (vb_worker_settle(s->worker))
		return false;
	kicks = vb_counter(s->m.backend, VHOST_BALLOON_C_KICKS);
	usleep(100000);
	return vb_counter(s->m.backend, VHOST_BALLOON_C_KICKS) == kicks;
}

TEST_F(self_kick, comes_to_an_end)
{
	struct vb_inline *s = &self->s;
	unsigned int i;

	ASSERT_EQ(0, vb_set_vring_call(s->m.backend, VB_INFLATE, s->m.inflate.kick));
	for (i = 0; i < PAGES; i++) {
		ASSERT_EQ(0, vb_inline_post(s, i, 1));
		ASSERT_EQ(0, vb_queue_kick(&s->m.inflate));
		ASSERT_EQ(0, vb_inline_wait(s));
	}
	EXPECT_TRUE(is_quiet(s));
	EXPECT_EQ(PAGES, vb_memory_zero(&s->ram, 0, PAGES));
	/* One for each request, and one by each interrupt. */
	EXPECT_EQ(PAGES, vb_inline_risen(s, VHOST_BALLOON_C_SIGNALS));
	EXPECT_EQ(2 * PAGES, vb_inline_risen(s, VHOST_BALLOON_C_KICKS));
	/* Inline, one could follow the other without end: an interrupt is for the worker. */
	EXPECT_EQ(PAGES, vb_inline_risen(s, VHOST_BALLOON_C_WORKER_OVERLAP));
	EXPECT_LT(0ULL, vb_inline_risen(s, VHOST_BALLOON_C_PASSES_INLINE));
}

/* Each queue's interrupt is the other one's kick. */
TEST_F(self_kick, across_two_queues_comes_to_an_end)
{
	struct vb_inline *s = &self->s;
	struct vb_machine *m = &s->m;
	__u32 gfn = vb_memory_gfn(&s->ram, 0);
	/* Not where the lists of the other queue are. */
	struct vb_memory buf = {
		.gpa = m->buf.gpa + m->buf.len - VB_PAGE, .len = VB_PAGE,
		.hva = m->buf.hva + m->buf.len - VB_PAGE,
	};
	unsigned int i;

	ASSERT_EQ(0, vb_set_vring_call(m->backend, VB_INFLATE, m->deflate.kick));
	ASSERT_EQ(0, vb_set_vring_call(m->backend, VB_DEFLATE, m->inflate.kick));
	for (i = 0; i < PAGES; i++) {
		ASSERT_EQ(0, vb_inline_post(s, i, 1));
		ASSERT_EQ(0, vb_queue_send_pages(&m->deflate, &buf, &gfn, 1));
		/* The kick was the other queue's interrupt. */
		ASSERT_EQ(0, vb_inline_wait(s));
	}
	EXPECT_TRUE(is_quiet(s));
	EXPECT_EQ(PAGES, vb_memory_zero(&s->ram, 0, PAGES));
	EXPECT_EQ(PAGES, vb_inline_risen(s, VHOST_BALLOON_C_DEFLATED));
}

/* A guest that makes requests as fast as they are used: the ring is never empty. */
struct poster {
	struct vb_queue *q;
	pthread_t thread;
	atomic_bool stop;
};

static void *poster_run(void *arg)
{
	struct poster *poster = arg;
	struct vb_ring *ring = &poster->q->ring;

	while (!atomic_load(&poster->stop)) {
		vb_ring_set_avail_idx(ring, vb_ring_used_idx(ring) + ring->num);
		/* The index has to be out before the device is asked about its wish. */
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (!vb_ring_no_notify(ring))
			vb_queue_kick(poster->q);
	}
	return NULL;
}

/* Twice as many page numbers as one pass takes, so that what kicks leaves some to the worker. */
static int start_poster(struct poster *poster, struct vb_inline *s)
{
	struct vb_ring *ring = &s->m.inflate.ring;
	__le32 *list = s->m.buf.hva;
	unsigned int i;

	/* Each entry names the descriptor of its number. */
	vb_write_list(list, s->ram.gpa, PAGES);
	vb_write_list(list + PAGES, s->ram.gpa, PAGES);
	for (i = 0; i < ring->num; i++) {
		vb_ring_set_desc(&ring->desc[i], VB_BUF_GPA, 2 * PAGES * sizeof(__le32), 0, 0);
		vb_ring_set_avail(ring, i, i);
	}
	poster->q = &s->m.inflate;
	return -pthread_create(&poster->thread, NULL, poster_run, poster);
}

/* Waits until so many requests more are used. */
static int wait_chains(struct vb_inline *s, unsigned int nr)
{
	int fd = s->m.backend;

	return vb_wait_counter(fd, VHOST_BALLOON_C_CHAINS,
			       vb_counter(fd, VHOST_BALLOON_C_CHAINS) + nr);
}

/* The thread that kicks isn't kept for ever: it comes back a hundred times. */
TEST_F_TIMEOUT(self_kick, of_a_ring_that_is_never_empty_lets_the_thread_go, 300)
{
	struct vb_inline *s = &self->s;
	struct poster poster = { 0 };
	unsigned int i;

	ASSERT_EQ(0, vb_set_vring_call(s->m.backend, VB_INFLATE, s->m.inflate.kick));
	ASSERT_EQ(0, start_poster(&poster, s));
	EXPECT_EQ(0, wait_chains(s, 1000));
	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, vb_queue_kick(&s->m.inflate));
	EXPECT_EQ(0, wait_chains(s, 1000));
	/* And neither is one that stops it. */
	EXPECT_EQ(0, vb_machine_stop(&s->m));
	atomic_store(&poster.stop, true);
	pthread_join(poster.thread, NULL);
	EXPECT_LT(0ULL, vb_inline_risen(s, VHOST_BALLOON_C_PASSES_INLINE));
	EXPECT_LT(0ULL, vb_inline_risen(s, VHOST_BALLOON_C_WORKER_LEFT));
}

static void be_flooded(int ready)
{
	static struct poster poster;
	static struct vb_inline s;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (vb_inline_open(&s, false, VB_MEMORY_ANON, PAGES) ||
	    vb_set_vring_call(s.m.backend, VB_INFLATE, s.m.inflate.kick) ||
	    start_poster(&poster, &s) || write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		vb_queue_kick(&s.m.inflate);
}

TEST_F_TIMEOUT(self_kick, of_a_ring_that_is_never_empty_can_be_killed, 300)
{
	unsigned int rounds = vb_rounds(20), round;
	int references = vb_module_references(MODULE);
	int ready[2], status;
	char byte;
	pid_t pid;

	ASSERT_EQ(0, pipe(ready));
	for (round = 0; round < rounds; round++) {
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			be_flooded(ready[1]);
		ASSERT_EQ(1, read(ready[0], &byte, 1));
		usleep(rand() % 20000);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_TRUE(vb_child_ended(pid, &status));
		ASSERT_TRUE(WIFSIGNALED(status));
	}
	EXPECT_TRUE(vb_module_has(references));
	close(ready[0]);
	close(ready[1]);
}

TEST_HARNESS_MAIN
