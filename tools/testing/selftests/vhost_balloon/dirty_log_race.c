// SPDX-License-Identifier: GPL-2.0
/*
 * A dirty log that others use meanwhile: one thread takes its bits off all the time, as a VMM does
 * that copies a running guest, and another one sets bits of its own in the same words.
 * No bit gets lost, neither the device's nor theirs.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <linux/virtio_config.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "vb_log.h"
#include "vb_memory.h"

#define FEATURES	(VB_FEATURE(VIRTIO_F_VERSION_1) | VB_FEATURE(VIRTIO_RING_F_EVENT_IDX))
#define RAM_GPA		0x10000000ULL
#define RAM_GFN		(RAM_GPA / VB_PAGE)
#define ROUNDS		2000U

/* The used ring's parts are on pages of their own, as in dirty_log.c. */
#define RING_NUM	512
#define BEFORE_A_PAGE	(VB_PAGE - offsetof(struct vring_used, ring))
#define USED_GPA	(VB_LOG_GPA + VB_PAGE + BEFORE_A_PAGE)
#define DEFLATE_GPA	(USED_GPA + 4 * VB_PAGE)

/* Pages of the second thread, beside those of the device. */
#define NR_OWN		3U
static const unsigned int own[NR_OWN] = { 4, 8, 12 };

FIXTURE(race) {
	struct vb_machine m;
	struct vb_memory ram;
	char *used;
	__u64 *log;
	/* What was taken off the log, and not waited for yet. */
	atomic_uint taken;
	atomic_bool stop_setter, stop_taker;
	pthread_t taker, setter;
	unsigned int rounds;
	int error;
};

FIXTURE_SETUP(race)
{
	int ret = vb_machine_open(&self->m, false, FEATURES, RING_NUM);

	ASSERT_EQ(0, ret) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-ret));
	}
	ASSERT_EQ(0, vb_memory_map(&self->ram, VB_MEMORY_ANON, RAM_GPA, VB_PAGE));
	ASSERT_EQ(0, vb_machine_add(&self->m, &self->ram, 0));
	self->used = mmap(NULL, 8 * VB_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	ASSERT_NE(MAP_FAILED, self->used);
	self->log = vb_log_map();
	ASSERT_NE(NULL, self->log);
	ASSERT_EQ(0, vb_log_place(&self->m.inflate, self->used + BEFORE_A_PAGE, 0, USED_GPA));
	ASSERT_EQ(0, vb_log_place(&self->m.deflate, self->used + 4 * VB_PAGE + BEFORE_A_PAGE, 0,
				  DEFLATE_GPA));
	ASSERT_EQ(0, vb_set_log_base(self->m.backend, self->log));
	ASSERT_EQ(0, vb_machine_start(&self->m));
}

FIXTURE_TEARDOWN(race)
{
	vb_machine_close(&self->m);
	vb_memory_unmap(&self->ram);
	munmap(self->used, 8 * VB_PAGE);
	vb_log_unmap(self->log);
}

static void *take(void *arg)
{
	FIXTURE_DATA(race) *self = arg;

	while (!atomic_load(&self->stop_taker))
		atomic_fetch_or(&self->taken, vb_log_take(self->log));
	return NULL;
}

/* Waits until the bits were taken off the log, and forgets that. */
static int wait_taken(FIXTURE_DATA(race) *self, __u32 mask)
{
	__u64 end = vb_now_ms() + VB_TIMEOUT_MS;

	while ((atomic_load(&self->taken) & mask) != mask) {
		if (vb_now_ms() > end)
			return -ETIMEDOUT;
		sched_yield();
	}
	atomic_fetch_and(&self->taken, ~mask);
	return 0;
}

static void set_own(__u64 *log, unsigned int i)
{
	__u64 page = VB_LOG_PAGE + own[i];

	__atomic_fetch_or(&log[page / 64], 1ULL << page % 64, __ATOMIC_SEQ_CST);
}

static void *set(void *arg)
{
	FIXTURE_DATA(race) *self = arg;

	while (!atomic_load(&self->stop_setter) && !self->error) {
		unsigned int i = self->rounds++ % NR_OWN;

		set_own(self->log, i);
		self->error = wait_taken(self, 1U << own[i]);
	}
	return NULL;
}

/* One request on one of the queues: what it wrote besides avail_event has to turn up. */
static int request(FIXTURE_DATA(race) *self, struct vb_queue *q, __u64 log_gpa)
{
	__u32 mask = vb_log_of_idx(log_gpa) | vb_log_of_elem(q, log_gpa, q->ring.avail_idx);
	const __u32 gfn = RAM_GFN;
	int ret;

	ret = vb_queue_send_pages(q, &self->m.buf, &gfn, 1);
	return ret ?: wait_taken(self, mask);
}

TEST_F_TIMEOUT(race, no_bit_gets_lost, 300)
{
	unsigned int round;
	int ret = 0;

	ASSERT_EQ(0, pthread_create(&self->taker, NULL, take, self));
	ASSERT_EQ(0, pthread_create(&self->setter, NULL, set, self));
	for (round = 0; round < ROUNDS && !ret; round++) {
		ret = request(self, &self->m.inflate, USED_GPA);
		ret = ret ?: request(self, &self->m.deflate, DEFLATE_GPA);
	}
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	atomic_store(&self->stop_setter, true);
	ASSERT_EQ(0, pthread_join(self->setter, NULL));
	atomic_store(&self->stop_taker, true);
	ASSERT_EQ(0, pthread_join(self->taker, NULL));
	EXPECT_EQ(0, ret) {
		TH_LOG("in round %u", round);
	}
	EXPECT_EQ(0, self->error) {
		TH_LOG("in round %u of the other thread", self->rounds);
	}
	EXPECT_LT(0U, self->rounds);
	/* And nothing came of itself. */
	EXPECT_EQ(0U, (atomic_load(&self->taken) | vb_log_take(self->log)) & VB_LOG_STRAY);
}

TEST_HARNESS_MAIN
