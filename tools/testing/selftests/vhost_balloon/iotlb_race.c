// SPDX-License-Identifier: GPL-2.0
/*
 * What a VMM without a KVM VM may rely on: when it has unmapped a range, and has suspended or
 * reset the device after that, nothing reaches the memory any more, however much the guest
 * was at it. What the VMM writes there from then on stays.
 */
#include <stdlib.h>
#include <unistd.h>
#include <linux/virtio_config.h>

#include "kselftest_harness.h"
#include "vb_kicker.h"
#include "vb_memory.h"
#include "vb_vdpa.h"

#define FEATURES	VB_FEATURE(VIRTIO_F_VERSION_1)
#define RAM_GPA		0x100000ULL
#define PAGES		256U
#define ROUNDS		30U

FIXTURE(iotlb_race) {
	struct vb_vdpa d;
	struct vb_memory ram;
	struct vb_kicker kicker;
};

FIXTURE_SETUP(iotlb_race)
{
	const char *missing = vb_vdpa_missing();

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vb_vdpa_add(&self->d, "race", 0));
	ASSERT_EQ(0, vb_memory_map(&self->ram, VB_MEMORY_MEMFD, RAM_GPA, PAGES * VB_PAGE));
	ASSERT_EQ(0, vb_vdpa_run(&self->d, FEATURES, 2));
	ASSERT_EQ(0, vb_vdpa_map(&self->d, &self->ram, VHOST_ACCESS_RW));
	vb_memory_fill(&self->ram, 0, PAGES, 0);
	vb_write_list(self->d.buf.hva, RAM_GPA, PAGES);
}

FIXTURE_TEARDOWN(iotlb_race)
{
	vb_kicker_stop(&self->kicker);
	vb_vdpa_del(&self->d);
	vb_memory_unmap(&self->ram);
}

/* At any moment of a pass. */
static void wait_some_time(void)
{
	usleep(rand() % 5000);
}

TEST_F_TIMEOUT(iotlb_race, unmapped_memory_is_the_vmms_own_when_the_device_is_suspended, 300)
{
	struct vb_vdpa *d = &self->d;
	struct vb_kicker *kicker = &self->kicker;
	unsigned int round;

	ASSERT_EQ(0, vb_kicker_start_list(kicker, &d->queues[VB_INFLATE], d->buf.gpa, PAGES));
	for (round = 1; round <= ROUNDS; round++) {
		ASSERT_EQ(0, vb_kicker_wait_discarded(kicker, &self->ram, PAGES));
		wait_some_time();
		ASSERT_EQ(0, vb_vdpa_unmap(d, &self->ram));
		ASSERT_EQ(0, vb_vdpa_suspend(d));
		vb_memory_fill(&self->ram, 0, PAGES, round);

		ASSERT_EQ(0, vb_vdpa_resume(d));
		ASSERT_EQ(0, vb_kicker_wait(kicker));
		ASSERT_EQ(PAGES, vb_memory_intact(&self->ram, 0, PAGES, round)) {
			TH_LOG("in round %u", round);
		}
		ASSERT_EQ(0, vb_vdpa_map(d, &self->ram, VHOST_ACCESS_RW));
	}
	ASSERT_EQ(0, vb_kicker_stop(kicker));
	EXPECT_LT(0, vb_counter(d->control, VHOST_BALLOON_C_SKIP_NO_SLOT));
	EXPECT_EQ(0, vb_counter(d->control, VHOST_BALLOON_C_BROKEN));
}

/* As many requests as the ring takes, and nobody waits for them. */
static int post_requests(struct vb_vdpa *d)
{
	const struct vb_sg list = { .addr = d->buf.gpa, .len = PAGES * sizeof(__le32) };
	struct vb_queue *q = &d->queues[VB_INFLATE];
	int ret = 0;

	while (ret >= 0 && q->ring.nr_free)
		ret = vb_ring_add(&q->ring, &list, 1);
	return ret < 0 ? ret : vb_queue_notify(q);
}

TEST_F_TIMEOUT(iotlb_race, unmapped_memory_is_the_vmms_own_when_the_device_is_reset, 300)
{
	struct vb_vdpa *d = &self->d;
	unsigned int round;

	for (round = 1; round <= ROUNDS; round++) {
		ASSERT_EQ(0, post_requests(d));
		wait_some_time();
		ASSERT_EQ(0, vb_vdpa_unmap(d, &self->ram));
		ASSERT_EQ(0, vb_vdpa_reset(d));
		vb_memory_fill(&self->ram, 0, PAGES, round);

		/* Whatever the worker was at, it is through with it when this is done. */
		ASSERT_EQ(0, vb_vdpa_set_up(d, FEATURES, 2));
		ASSERT_EQ(0, vb_vdpa_inflate(d, RAM_GPA, PAGES));
		ASSERT_EQ(PAGES, vb_memory_intact(&self->ram, 0, PAGES, round)) {
			TH_LOG("in round %u", round);
		}
		ASSERT_EQ(0, vb_vdpa_map(d, &self->ram, VHOST_ACCESS_RW));
	}
	EXPECT_LE(ROUNDS * PAGES, vb_counter(d->control, VHOST_BALLOON_C_SKIP_NO_SLOT));
	EXPECT_LT(0, vb_counter(d->control, VHOST_BALLOON_C_DISCARD_SHMEM));
	EXPECT_EQ(0, vb_counter(d->control, VHOST_BALLOON_C_BROKEN));
}

TEST_HARNESS_MAIN
