// SPDX-License-Identifier: GPL-2.0
/*
 * Rings that no driver should make, and no device can trust any more: the queue
 * breaks, and nothing but the queue.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_config.h>

#include "kselftest_harness.h"
#include "vb_hostile.h"

#define V1		VB_FEATURE(VIRTIO_F_VERSION_1)
#define EVENT_IDX	VB_FEATURE(VIRTIO_RING_F_EVENT_IDX)
#define INDIRECT	VB_FEATURE(VIRTIO_RING_F_INDIRECT_DESC)

#define NEXT		VRING_DESC_F_NEXT
#define TABLE		VRING_DESC_F_INDIRECT

/* Rings that can't be trusted any more. */
FIXTURE(untrusted) {
	struct vb_machine m;
	struct vb_memory ram;
};

FIXTURE_VARIANT(untrusted) {
	__u64 features;
	enum vhost_balloon_broken why;
	void (*make)(struct vb_machine *m);
};

static void make_head(struct vb_machine *m)
{
	vb_hostile_avail(m, VB_HOSTILE_NUM);
}

static void make_head_far(struct vb_machine *m)
{
	vb_hostile_avail(m, 0xffff);
}

static void make_avail_ahead(struct vb_machine *m)
{
	vb_ring_set_avail_idx(&m->inflate.ring, m->inflate.ring.avail_idx + VB_HOSTILE_NUM + 1);
}

static void make_avail_back(struct vb_machine *m)
{
	vb_ring_set_avail_idx(&m->inflate.ring, m->inflate.ring.avail_idx - 1);
}

static void make_next(struct vb_machine *m)
{
	vb_hostile_desc(m, 0, VB_BUF_GPA, 4, NEXT, VB_HOSTILE_NUM);
	vb_hostile_avail(m, 0);
}

static void make_next_far(struct vb_machine *m)
{
	vb_hostile_desc(m, 0, VB_BUF_GPA, 4, NEXT, 0xffff);
	vb_hostile_avail(m, 0);
}

static void make_next_within_number(struct vb_machine *m)
{
	vb_hostile_desc(m, 0, VB_BUF_GPA, 6, NEXT, 1);
	vb_hostile_desc(m, 1, VB_BUF_GPA, 6, NEXT, VB_HOSTILE_NUM);
	vb_hostile_avail(m, 0);
}

static void make_loop_of_one(struct vb_machine *m)
{
	vb_hostile_desc(m, 3, VB_BUF_GPA, 4, NEXT, 3);
	vb_hostile_avail(m, 3);
}

static void make_loop_of_two(struct vb_machine *m)
{
	vb_hostile_desc(m, 0, VB_BUF_GPA, 4, NEXT, 5);
	vb_hostile_desc(m, 5, VB_BUF_GPA, 4, NEXT, 0);
	vb_hostile_avail(m, 0);
}

static void make_loop_of_empty(struct vb_machine *m)
{
	vb_hostile_desc(m, 0, VB_BUF_GPA, 0, NEXT, 1);
	vb_hostile_desc(m, 1, VB_BUF_GPA, 0, NEXT, 0);
	vb_hostile_avail(m, 0);
}

static void make_loop_of_all(struct vb_machine *m)
{
	unsigned int i;

	for (i = 0; i < VB_HOSTILE_NUM; i++)
		vb_hostile_desc(m, i, VB_BUF_GPA, 4, NEXT, (i + 1) % VB_HOSTILE_NUM);
	vb_hostile_avail(m, 0);
}

/* A chain that consists of an indirect table of @len bytes. */
static void make_table(struct vb_machine *m, __u32 len, __u16 flags)
{
	vb_hostile_desc(m, 0, VB_TABLE_GPA, len, TABLE | flags, 1);
	vb_hostile_desc(m, 1, VB_BUF_GPA, 4, 0, 0);
	vb_hostile_avail(m, 0);
}

static void make_indirect(struct vb_machine *m)
{
	vb_hostile_table(m, 0, VB_BUF_GPA, 4, 0, 0);
	make_table(m, 16, 0);
}

static void make_indirect_loop(struct vb_machine *m)
{
	vb_hostile_table(m, 0, VB_BUF_GPA, 4, NEXT, 1);
	vb_hostile_table(m, 1, VB_BUF_GPA, 4, NEXT, 0);
	make_table(m, 32, 0);
}

static void make_indirect_next(struct vb_machine *m)
{
	/* Inside the ring's table, but not inside this one. */
	vb_hostile_table(m, 0, VB_BUF_GPA, 4, NEXT, 2);
	make_table(m, 32, 0);
}

static void make_indirect_in_indirect(struct vb_machine *m)
{
	vb_hostile_table2(m, 0, VB_BUF_GPA, 4, 0, 0);
	vb_hostile_table(m, 0, VB_TABLE2_GPA, 16, TABLE, 0);
	make_table(m, 16, 0);
}

static void make_indirect_of_itself(struct vb_machine *m)
{
	vb_hostile_table(m, 0, VB_TABLE_GPA, 16, TABLE, 0);
	make_table(m, 16, 0);
}

static void make_indirect_with_next(struct vb_machine *m)
{
	vb_hostile_table(m, 0, VB_BUF_GPA, 4, 0, 0);
	make_table(m, 16, NEXT);
}

static void make_indirect_empty(struct vb_machine *m)
{
	make_table(m, 0, 0);
}

static void make_indirect_odd(struct vb_machine *m)
{
	vb_hostile_table(m, 0, VB_BUF_GPA, 4, 0, 0);
	make_table(m, 17, 0);
}

static void make_indirect_short(struct vb_machine *m)
{
	vb_hostile_table(m, 0, VB_BUF_GPA, 4, 0, 0);
	make_table(m, 8, 0);
}

static void make_indirect_long(struct vb_machine *m)
{
	unsigned int i;

	for (i = 0; i < VB_HOSTILE_NUM + 1; i++)
		vb_hostile_table(m, i, VB_BUF_GPA, 4, i < VB_HOSTILE_NUM ? NEXT : 0, i + 1);
	make_table(m, (VB_HOSTILE_NUM + 1) * 16, 0);
}

static void make_indirect_enormous(struct vb_machine *m)
{
	make_table(m, 0xfffffff0U, 0);
}

/* More page numbers in a chain than there can be sense in: 2^20. */
static void make_too_large(struct vb_machine *m)
{
	unsigned int i;

	for (i = 0; i < 5; i++)
		vb_hostile_desc(m, i, VB_BUF_GPA, VB_BUF_LEN, i < 4 ? NEXT : 0, i + 1);
	vb_hostile_avail(m, 0);
}

#define BROKEN(reason)	VHOST_BALLOON_BROKEN_##reason

FIXTURE_VARIANT_ADD(untrusted, head_just_outside) {
	.features = V1 | INDIRECT, .why = BROKEN(HEAD), .make = make_head,
};

FIXTURE_VARIANT_ADD(untrusted, head_far_outside) {
	.features = V1 | INDIRECT, .why = BROKEN(HEAD), .make = make_head_far,
};

FIXTURE_VARIANT_ADD(untrusted, head_with_event_idx) {
	.features = V1 | EVENT_IDX, .why = BROKEN(HEAD), .make = make_head,
};

FIXTURE_VARIANT_ADD(untrusted, avail_index_ahead) {
	.features = V1 | INDIRECT, .why = BROKEN(AVAIL_INDEX), .make = make_avail_ahead,
};

FIXTURE_VARIANT_ADD(untrusted, avail_index_going_back) {
	.features = V1 | INDIRECT, .why = BROKEN(AVAIL_INDEX), .make = make_avail_back,
};

FIXTURE_VARIANT_ADD(untrusted, next_just_outside) {
	.features = V1 | INDIRECT, .why = BROKEN(NEXT), .make = make_next,
};

FIXTURE_VARIANT_ADD(untrusted, next_far_outside) {
	.features = V1 | INDIRECT, .why = BROKEN(NEXT), .make = make_next_far,
};

FIXTURE_VARIANT_ADD(untrusted, next_outside_within_a_page_number) {
	.features = V1 | INDIRECT, .why = BROKEN(NEXT), .make = make_next_within_number,
};

FIXTURE_VARIANT_ADD(untrusted, loop_of_one) {
	.features = V1 | INDIRECT, .why = BROKEN(LOOP), .make = make_loop_of_one,
};

FIXTURE_VARIANT_ADD(untrusted, loop_of_two) {
	.features = V1 | INDIRECT, .why = BROKEN(LOOP), .make = make_loop_of_two,
};

FIXTURE_VARIANT_ADD(untrusted, loop_of_empty_buffers) {
	.features = V1 | INDIRECT, .why = BROKEN(LOOP), .make = make_loop_of_empty,
};

FIXTURE_VARIANT_ADD(untrusted, loop_of_all) {
	.features = V1 | EVENT_IDX, .why = BROKEN(LOOP), .make = make_loop_of_all,
};

FIXTURE_VARIANT_ADD(untrusted, indirect_not_negotiated) {
	.features = V1, .why = BROKEN(INDIRECT), .make = make_indirect,
};

FIXTURE_VARIANT_ADD(untrusted, indirect_loop) {
	.features = V1 | INDIRECT, .why = BROKEN(LOOP), .make = make_indirect_loop,
};

FIXTURE_VARIANT_ADD(untrusted, indirect_next_outside) {
	.features = V1 | INDIRECT, .why = BROKEN(NEXT), .make = make_indirect_next,
};

FIXTURE_VARIANT_ADD(untrusted, indirect_in_indirect) {
	.features = V1 | INDIRECT, .why = BROKEN(INDIRECT), .make = make_indirect_in_indirect,
};

FIXTURE_VARIANT_ADD(untrusted, indirect_of_itself) {
	.features = V1 | INDIRECT, .why = BROKEN(INDIRECT), .make = make_indirect_of_itself,
};

FIXTURE_VARIANT_ADD(untrusted, indirect_with_next) {
	.features = V1 | INDIRECT, .why = BROKEN(INDIRECT), .make = make_indirect_with_next,
};

FIXTURE_VARIANT_ADD(untrusted, indirect_empty) {
	.features = V1 | INDIRECT, .why = BROKEN(INDIRECT), .make = make_indirect_empty,
};

FIXTURE_VARIANT_ADD(untrusted, indirect_of_odd_length) {
	.features = V1 | INDIRECT, .why = BROKEN(INDIRECT), .make = make_indirect_odd,
};

FIXTURE_VARIANT_ADD(untrusted, indirect_of_half_a_descriptor) {
	.features = V1 | INDIRECT, .why = BROKEN(INDIRECT), .make = make_indirect_short,
};

FIXTURE_VARIANT_ADD(untrusted, indirect_longer_than_the_ring) {
	.features = V1 | INDIRECT, .why = BROKEN(INDIRECT), .make = make_indirect_long,
};

FIXTURE_VARIANT_ADD(untrusted, indirect_of_4_gib) {
	.features = V1 | INDIRECT, .why = BROKEN(INDIRECT), .make = make_indirect_enormous,
};

FIXTURE_VARIANT_ADD(untrusted, too_many_page_numbers) {
	.features = V1 | INDIRECT, .why = BROKEN(CHAIN_SIZE), .make = make_too_large,
};

FIXTURE_SETUP(untrusted)
{
	int ret = vb_hostile_open(&self->m, &self->ram, variant->features);

	ASSERT_EQ(0, ret) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-ret));
	}
	/* Not from the first entry of everything on. */
	ASSERT_EQ(0, vb_hostile_inflate(&self->m, 0));
	vb_eventfd_count(self->m.inflate.call);
	variant->make(&self->m);
	ASSERT_EQ(0, vb_queue_kick(&self->m.inflate));
}

FIXTURE_TEARDOWN(untrusted)
{
	vb_hostile_close(&self->m, &self->ram);
}

TEST_F(untrusted, breaks_its_queue_and_says_why)
{
	struct vb_queue *q = &self->m.inflate;
	struct vhost_balloon_info info;

	EXPECT_EQ(1, vb_queue_wait_err(q));
	ASSERT_EQ(0, vb_get_info(self->m.backend, &info));
	EXPECT_EQ(VHOST_BALLOON_QUEUE_READY | VHOST_BALLOON_QUEUE_BROKEN,
		  info.queues[VB_INFLATE].flags);
	EXPECT_EQ(variant->why, info.queues[VB_INFLATE].broken);
	EXPECT_EQ(VHOST_BALLOON_QUEUE_READY, info.queues[VB_DEFLATE].flags);
	EXPECT_EQ((__u32)BROKEN(NO), info.queues[VB_DEFLATE].broken);
	EXPECT_EQ(1ULL, vb_counter(self->m.backend, VHOST_BALLOON_C_BROKEN));
	/* The one chain that was in order. */
	EXPECT_EQ(1, vb_ring_used_idx(&q->ring));
}

TEST_F(untrusted, is_told_once_and_then_left_alone)
{
	struct vb_queue *q = &self->m.inflate;
	unsigned int i;

	EXPECT_EQ(1, vb_queue_wait_err(q));
	for (i = 0; i < 20; i++)
		ASSERT_EQ(0, vb_queue_kick(q));
	/* Whatever these have set going is over when this has returned. */
	ASSERT_EQ(0, vb_hostile_deflate(&self->m));
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	EXPECT_EQ(0, vb_eventfd_count(q->err));
	EXPECT_EQ(0, vb_eventfd_count(self->m.deflate.err));
	EXPECT_EQ(1ULL, vb_counter(self->m.backend, VHOST_BALLOON_C_BROKEN));
	EXPECT_EQ(1, vb_ring_used_idx(&q->ring));
}

TEST_F(untrusted, leaves_the_other_queue_alone)
{
	unsigned int i;

	EXPECT_EQ(1, vb_queue_wait_err(&self->m.inflate));
	for (i = 0; i < 3 * VB_HOSTILE_NUM; i++)
		ASSERT_EQ(0, vb_hostile_deflate(&self->m));
	EXPECT_LT(0, vb_queue_wait_call(&self->m.deflate));
}

TEST_F(untrusted, is_healed_by_stop_and_start)
{
	struct vb_queue *q = &self->m.inflate;
	struct vhost_balloon_info info;

	EXPECT_EQ(1, vb_queue_wait_err(q));
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	ASSERT_EQ(0, vb_queue_reset(q, 0));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	ASSERT_EQ(0, vb_get_info(self->m.backend, &info));
	EXPECT_EQ(VHOST_BALLOON_QUEUE_READY, info.queues[VB_INFLATE].flags);
	EXPECT_EQ((__u32)BROKEN(NO), info.queues[VB_INFLATE].broken);
	ASSERT_EQ(0, vb_hostile_inflate(&self->m, 9));
	EXPECT_EQ(1U, vb_memory_zero(&self->ram, 9, 1));
	EXPECT_EQ(0, vb_hostile_deflate(&self->m));
}

TEST_F(untrusted, is_healed_by_reset_owner)
{
	struct vb_queue *q = &self->m.inflate;
	int fd = self->m.backend;

	EXPECT_EQ(1, vb_queue_wait_err(q));
	ASSERT_EQ(0, vb_ioctl(fd, VHOST_RESET_OWNER, NULL));
	ASSERT_EQ(0, vb_set_owner(fd));
	ASSERT_EQ(0, vb_set_features(fd, variant->features));
	ASSERT_EQ(0, vb_machine_set_memory(&self->m));
	ASSERT_EQ(0, vb_queue_reset(q, 0));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	ASSERT_EQ(0, vb_hostile_inflate(&self->m, 9));
	EXPECT_EQ(1U, vb_memory_zero(&self->ram, 9, 1));
}

TEST_F(untrusted, may_be_closed)
{
	EXPECT_EQ(0, close(self->m.backend));
	self->m.backend = -1;
}

TEST_HARNESS_MAIN
