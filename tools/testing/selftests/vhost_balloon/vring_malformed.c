// SPDX-License-Identifier: GPL-2.0
/*
 * Chains that no driver should make, in a ring that is in order: they are
 * answered and counted, and the queue goes on.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_config.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "vb_hostile.h"

#define V1		VB_FEATURE(VIRTIO_F_VERSION_1)
#define INDIRECT	VB_FEATURE(VIRTIO_RING_F_INDIRECT_DESC)

#define NEXT		VRING_DESC_F_NEXT
#define WRITE		VRING_DESC_F_WRITE
#define TABLE		VRING_DESC_F_INDIRECT

/* Chains that make no sense in a ring that does. */
FIXTURE(malformed) {
	struct vb_machine m;
	struct vb_memory ram;
};

FIXTURE_VARIANT(malformed) {
	/* Makes a chain that begins at descriptor 0. */
	void (*make)(struct vb_machine *m);
	/* Page numbers of it that have been read before it went wrong. */
	unsigned int pages;
};

/* A chain of one buffer. */
static void one_desc(struct vb_machine *m, __u64 addr, __u32 len, __u16 flags)
{
	vb_hostile_desc(m, 0, addr, len, flags, 0);
}

static void bad_nowhere(struct vb_machine *m)
{
	one_desc(m, VB_NOWHERE_GPA, 8, 0);
}

static void bad_half_nowhere(struct vb_machine *m)
{
	memcpy(m->buf.hva + VB_BUF_LEN - 8, m->buf.hva, 8);
	one_desc(m, VB_BUF_GPA + VB_BUF_LEN - 8, 16, 0);
}

static void bad_then_nowhere(struct vb_machine *m)
{
	vb_hostile_desc(m, 0, VB_BUF_GPA, 8, NEXT, 1);
	vb_hostile_desc(m, 1, VB_NOWHERE_GPA, 8, NEXT, 2);
	vb_hostile_desc(m, 2, VB_BUF_GPA, 8, 0, 0);
}

static void bad_wrapping(struct vb_machine *m)
{
	one_desc(m, ~0ULL - 3, 8, 0);
}

static void bad_at_the_very_end(struct vb_machine *m)
{
	one_desc(m, ~0ULL - 7, 8, 0);
}

static void bad_unmapped(struct vb_machine *m)
{
	munmap(m->buf.hva + 8 * VB_PAGE, VB_PAGE);
	one_desc(m, VB_BUF_GPA + 8 * VB_PAGE, 8, 0);
}

static void bad_unreadable(struct vb_machine *m)
{
	mprotect(m->buf.hva + 8 * VB_PAGE, VB_PAGE, PROT_NONE);
	one_desc(m, VB_BUF_GPA + 8 * VB_PAGE, 8, 0);
}

static void bad_half_unmapped(struct vb_machine *m)
{
	memcpy(m->buf.hva + 8 * VB_PAGE - 8, m->buf.hva, 8);
	munmap(m->buf.hva + 8 * VB_PAGE, VB_PAGE);
	one_desc(m, VB_BUF_GPA + 8 * VB_PAGE - 8, 16, 0);
}

static void bad_writable(struct vb_machine *m)
{
	one_desc(m, VB_BUF_GPA, 8, WRITE);
}

static void bad_writable_later(struct vb_machine *m)
{
	vb_hostile_desc(m, 0, VB_BUF_GPA, 12, NEXT, 1);
	vb_hostile_desc(m, 1, VB_BUF_GPA, 8, WRITE, 0);
}

static void bad_readable_after_writable(struct vb_machine *m)
{
	vb_hostile_desc(m, 0, VB_BUF_GPA, 8, WRITE | NEXT, 1);
	vb_hostile_desc(m, 1, VB_BUF_GPA, 8, 0, 0);
}

static void bad_one_byte(struct vb_machine *m)
{
	one_desc(m, VB_BUF_GPA, 1, 0);
}

static void bad_three_bytes(struct vb_machine *m)
{
	vb_hostile_desc(m, 0, VB_BUF_GPA, 1, NEXT, 1);
	vb_hostile_desc(m, 1, VB_BUF_GPA, 2, 0, 0);
}

static void bad_odd(struct vb_machine *m)
{
	one_desc(m, VB_BUF_GPA, 4 * 5 + 2, 0);
}

static void bad_table_nowhere(struct vb_machine *m)
{
	one_desc(m, VB_NOWHERE_GPA, 32, TABLE);
}

static void bad_table_wrapping(struct vb_machine *m)
{
	one_desc(m, ~0ULL - 15, 32, TABLE);
}

static void bad_table_half_nowhere(struct vb_machine *m)
{
	vb_ring_set_desc(m->buf.hva + VB_BUF_LEN - 16, VB_BUF_GPA, 8, NEXT, 1);
	one_desc(m, VB_BUF_GPA + VB_BUF_LEN - 16, 32, TABLE);
}

static void bad_in_table(struct vb_machine *m)
{
	vb_hostile_table(m, 0, VB_BUF_GPA, 8, NEXT, 1);
	vb_hostile_table(m, 1, VB_NOWHERE_GPA, 8, 0, 0);
	one_desc(m, VB_TABLE_GPA, 32, TABLE);
}

FIXTURE_VARIANT_ADD(malformed, buffer_nowhere) { .make = bad_nowhere, .pages = 0 };
FIXTURE_VARIANT_ADD(malformed, buffer_half_nowhere) { .make = bad_half_nowhere, .pages = 2 };
FIXTURE_VARIANT_ADD(malformed, second_buffer_nowhere) { .make = bad_then_nowhere, .pages = 2 };
FIXTURE_VARIANT_ADD(malformed, buffer_wrapping) { .make = bad_wrapping, .pages = 0 };
FIXTURE_VARIANT_ADD(malformed, buffer_at_the_very_end) { .make = bad_at_the_very_end, .pages = 0 };
FIXTURE_VARIANT_ADD(malformed, buffer_unmapped) { .make = bad_unmapped, .pages = 0 };
FIXTURE_VARIANT_ADD(malformed, buffer_half_unmapped) { .make = bad_half_unmapped, .pages = 2 };
FIXTURE_VARIANT_ADD(malformed, buffer_unreadable) { .make = bad_unreadable, .pages = 0 };
FIXTURE_VARIANT_ADD(malformed, device_writable) { .make = bad_writable, .pages = 0 };
FIXTURE_VARIANT_ADD(malformed, device_writable_later) { .make = bad_writable_later, .pages = 3 };
FIXTURE_VARIANT_ADD(malformed, readable_after_writable) {
	.make = bad_readable_after_writable, .pages = 0,
};

FIXTURE_VARIANT_ADD(malformed, one_byte) { .make = bad_one_byte, .pages = 0 };
FIXTURE_VARIANT_ADD(malformed, three_bytes_in_two_buffers) { .make = bad_three_bytes, .pages = 0 };
FIXTURE_VARIANT_ADD(malformed, trailing_bytes) { .make = bad_odd, .pages = 5 };
FIXTURE_VARIANT_ADD(malformed, table_nowhere) { .make = bad_table_nowhere, .pages = 0 };
FIXTURE_VARIANT_ADD(malformed, table_wrapping) { .make = bad_table_wrapping, .pages = 0 };
FIXTURE_VARIANT_ADD(malformed, table_half_nowhere) { .make = bad_table_half_nowhere, .pages = 2 };
FIXTURE_VARIANT_ADD(malformed, buffer_of_table_nowhere) { .make = bad_in_table, .pages = 2 };

FIXTURE_SETUP(malformed)
{
	int ret = vb_hostile_open(&self->m, &self->ram, V1 | INDIRECT);

	ASSERT_EQ(0, ret) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-ret));
	}
}

FIXTURE_TEARDOWN(malformed)
{
	vb_hostile_close(&self->m, &self->ram);
}

TEST_F(malformed, is_completed_and_counted)
{
	struct vb_queue *q = &self->m.inflate;
	struct vhost_balloon_info info;
	int fd = self->m.backend;
	__u32 id, len;

	variant->make(&self->m);
	vb_hostile_avail(&self->m, 0);
	ASSERT_EQ(0, vb_queue_kick(q));
	ASSERT_EQ(0, vb_queue_wait_used(q, 1));
	vb_ring_used_elem(&q->ring, 0, &id, &len);
	EXPECT_EQ(0U, id);
	EXPECT_EQ(0U, len);
	EXPECT_LT(0, vb_queue_wait_call(q));
	EXPECT_EQ(1ULL, vb_counter(fd, VHOST_BALLOON_C_MALFORMED));
	EXPECT_EQ(0ULL, vb_counter(fd, VHOST_BALLOON_C_BROKEN));
	EXPECT_EQ(variant->pages, vb_counter(fd, VHOST_BALLOON_C_INFLATED));
	ASSERT_EQ(0, vb_get_info(fd, &info));
	EXPECT_EQ(VHOST_BALLOON_QUEUE_READY, info.queues[VB_INFLATE].flags);
	EXPECT_EQ(0, vb_eventfd_count(q->err));
	/* What was read is discarded, and nothing else. */
	EXPECT_EQ(variant->pages, vb_memory_zero(&self->ram, 0, variant->pages));
	EXPECT_EQ(VB_HOSTILE_PAGES - variant->pages,
		  vb_memory_intact(&self->ram, variant->pages, VB_HOSTILE_PAGES - variant->pages, VB_HOSTILE_SEED));
}

TEST_F(malformed, lets_the_chains_around_it_through)
{
	struct vb_queue *q = &self->m.inflate;
	unsigned int i, round;
	__u32 id, len;

	for (round = 1; round <= 20; round++) {
		variant->make(&self->m);
		vb_hostile_desc(&self->m, 8, VB_BUF_GPA + 4 * 30, 4, 0, 0);
		vb_hostile_desc(&self->m, 9, VB_BUF_GPA + 4 * 40, 4, 0, 0);
		vb_ring_set_avail(&q->ring, q->ring.avail_idx++, 8);
		vb_ring_set_avail(&q->ring, q->ring.avail_idx++, 0);
		vb_ring_set_avail(&q->ring, q->ring.avail_idx++, 9);
		vb_ring_set_avail_idx(&q->ring, q->ring.avail_idx);
		ASSERT_EQ(0, vb_queue_kick(q));
		ASSERT_EQ(0, vb_queue_wait_used(q, 3 * round));
		for (i = 3 * (round - 1); i < 3 * round; i++) {
			vb_ring_used_elem(&q->ring, i, &id, &len);
			EXPECT_EQ(i % 3 == 0 ? 8U : i % 3 == 1 ? 0U : 9U, id);
			EXPECT_EQ(0U, len);
		}
	}
	EXPECT_EQ(1U, vb_memory_zero(&self->ram, 30, 1));
	EXPECT_EQ(1U, vb_memory_zero(&self->ram, 40, 1));
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	EXPECT_EQ(20ULL, vb_counter(self->m.backend, VHOST_BALLOON_C_MALFORMED));
	EXPECT_EQ(60ULL, vb_counter(self->m.backend, VHOST_BALLOON_C_CHAINS));
}

TEST_HARNESS_MAIN
