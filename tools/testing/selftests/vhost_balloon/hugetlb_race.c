// SPDX-License-Identifier: GPL-2.0
/*
 * A part of a huge page that is taken back at the very time when the last missing part of
 * that huge page is given away. Whichever comes first: once the guest knows that it has the part
 * again, what it writes there stays.
 */
#include <pthread.h>
#include <string.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>

#include "kselftest_harness.h"
#include "vb_hugetlb.h"
#include "vb_memory.h"

#define FEATURES	(VB_FEATURE(VIRTIO_F_VERSION_1) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_MUST_TELL_HOST))
#define RING_NUM	16
#define RAM_GPA		0x10000000ULL
#define TUNE		VHOST_BALLOON_TUNE_HUGETLB
#define ROUNDS		400U

/* The part that is missing at the beginning of a round; it is taken back in the round before. */
static unsigned int part_of(unsigned int round)
{
	return round * 167 % VB_HUGE_PAGES;
}

FIXTURE(race) {
	struct vb_machine m;
	struct vb_backing b;
	/* The huge page in question. */
	struct vb_memory huge;
	/* Memory for the page numbers of the second thread. */
	struct vb_memory buf;
	pthread_barrier_t barrier;
	/* What went wrong in the second thread: a negative errno. */
	int error;
};

FIXTURE_VARIANT(race) {
	const struct vb_backing_type *type;
	bool kvm;
};

FIXTURE_VARIANT_ADD(race, shared_table) { .type = &vb_backing_hugetlb_shared };
FIXTURE_VARIANT_ADD(race, shared_memslots) { .type = &vb_backing_hugetlb_shared, .kvm = true };
FIXTURE_VARIANT_ADD(race, private_table) { .type = &vb_backing_hugetlb_private };
FIXTURE_VARIANT_ADD(race, private_memslots) { .type = &vb_backing_hugetlb_private, .kvm = true };

FIXTURE_SETUP(race)
{
	const char *missing = variant->kvm ? vb_kvm_missing() : NULL;
	int ret;

	if (missing)
		SKIP(return, "%s", missing);
	ret = vb_backing_open(&self->b, variant->type, RAM_GPA);
	if (self->b.why)
		SKIP(return, "%s: %s", self->b.why, strerror(-ret));
	ASSERT_EQ(0, ret);
	ret = vb_machine_open(&self->m, variant->kvm, FEATURES, RING_NUM);
	ASSERT_EQ(0, ret) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-ret));
	}
	ASSERT_EQ(0, vb_machine_add(&self->m, &self->b.mem, 0));
	ASSERT_EQ(0, vb_set_tunables(self->m.backend, TUNE, TUNE));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	self->huge.gpa = vb_hugetlb_gpa(&self->b, 1, 0);
	self->huge.hva = self->b.mem.hva + VB_HUGE;
	self->huge.len = VB_HUGE;
	self->buf.gpa = self->m.buf.gpa + VB_PAGE;
	self->buf.hva = self->m.buf.hva + VB_PAGE;
	self->buf.len = VB_PAGE;
	ASSERT_EQ(0, pthread_barrier_init(&self->barrier, NULL, 2));
}

FIXTURE_TEARDOWN(race)
{
	vb_machine_close(&self->m);
	vb_backing_close(&self->b);
}

/* In every round: take a part back, and write to it as soon as that is acknowledged. */
static void *take_back(void *arg)
{
	FIXTURE_DATA(race) *self = arg;
	unsigned int round;

	for (round = 0; round < ROUNDS; round++) {
		__u32 gfn = vb_memory_gfn(&self->huge, part_of(round + 1));
		int ret;

		pthread_barrier_wait(&self->barrier);
		ret = vb_queue_send_pages(&self->m.deflate, &self->buf, &gfn, 1);
		if (ret)
			self->error = ret;
		vb_memory_fill(&self->huge, part_of(round + 1), 1, round + 1);
		pthread_barrier_wait(&self->barrier);
	}
	return NULL;
}

TEST_F_TIMEOUT(race, what_is_written_to_a_part_that_was_taken_back_stays, 300)
{
	__u64 freed, before = 0;
	unsigned int lost = 0, odd = 0;
	unsigned int round;
	pthread_t thread;
	int ret = 0;

	ASSERT_EQ(0, vb_hugetlb_inflate_but(&self->m, self->huge.gpa, part_of(0)));
	ASSERT_EQ(0, pthread_create(&thread, NULL, take_back, self));
	for (round = 0; round < ROUNDS; round++) {
		__u64 gpa = self->huge.gpa + part_of(round) * VB_PAGE;

		pthread_barrier_wait(&self->barrier);
		ret = ret ?: vb_inflate_range(&self->m, gpa, 1);
		pthread_barrier_wait(&self->barrier);
		lost += !vb_memory_intact(&self->huge, part_of(round + 1), 1, round + 1);
		/* It went as a whole, or it didn't go. */
		freed = vb_counter(self->m.backend, VHOST_BALLOON_C_DISCARD_HUGETLB);
		odd += freed != before && freed != before + VB_HUGE_PAGES;
		before = freed;
	}
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, ret);
	EXPECT_EQ(0, self->error);
	EXPECT_EQ(0U, lost);
	EXPECT_EQ(0U, odd);
	/* The neighbours have nothing to do with it. */
	EXPECT_EQ(5U, vb_hugetlb_intact(&self->b) & 5U);

	/* And nobody has lost count. */
	ASSERT_EQ(0, vb_inflate_range(&self->m, self->huge.gpa + part_of(ROUNDS) * VB_PAGE, 1));
	EXPECT_EQ(before + VB_HUGE_PAGES,
		  vb_counter(self->m.backend, VHOST_BALLOON_C_DISCARD_HUGETLB));
	EXPECT_EQ(2U, vb_hugetlb_gone(&self->b));
}

TEST_HARNESS_MAIN
