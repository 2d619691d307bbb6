// SPDX-License-Identifier: GPL-2.0
/*
 * Rings as drivers make them: every shape of chain, every size of ring, and
 * notifications in both directions. The test is the driver, in its own memory.
 *
 * Most of it runs on the deflate queue, where nothing comes of a page number
 * but that it is counted.
 */
#include <endian.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/virtio_config.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "vb_machine.h"

#define V1		VB_FEATURE(VIRTIO_F_VERSION_1)
#define EVENT_IDX	VB_FEATURE(VIRTIO_RING_F_EVENT_IDX)
#define INDIRECT	VB_FEATURE(VIRTIO_RING_F_INDIRECT_DESC)

/* Where indirect tables lie in the memory for buffers, before it only page numbers. */
#define TABLE_OFFSET	(VB_BUF_LEN / 2)

FIXTURE(ring) {
	struct vb_machine m;
	struct vb_queue *q;
};

FIXTURE_VARIANT(ring) {
	unsigned int num;
	__u64 features;
	/* The index to begin with; how many chains it takes to wrap it. */
	__u16 base;
	unsigned int chains;
};

FIXTURE_VARIANT_ADD(ring, flags_1) {
	.num = 1, .features = V1 | INDIRECT, .base = 0xfff0, .chains = 64,
};

FIXTURE_VARIANT_ADD(ring, flags_2) {
	.num = 2, .features = V1 | INDIRECT, .base = 0xfff1, .chains = 64,
};

FIXTURE_VARIANT_ADD(ring, flags_16) {
	.num = 16, .features = V1 | INDIRECT, .base = 0xff00, .chains = 1024,
};

FIXTURE_VARIANT_ADD(ring, flags_128) {
	.num = 128, .features = V1 | INDIRECT, .base = 0, .chains = 70000,
};

FIXTURE_VARIANT_ADD(ring, flags_1024) {
	.num = 1024, .features = V1 | INDIRECT, .base = 0, .chains = 70000,
};

FIXTURE_VARIANT_ADD(ring, event_idx_1) {
	.num = 1, .features = V1 | INDIRECT | EVENT_IDX, .base = 0xfff0, .chains = 64,
};

FIXTURE_VARIANT_ADD(ring, event_idx_2) {
	.num = 2, .features = V1 | INDIRECT | EVENT_IDX, .base = 0xfff1, .chains = 64,
};

FIXTURE_VARIANT_ADD(ring, event_idx_16) {
	.num = 16, .features = V1 | INDIRECT | EVENT_IDX, .base = 0xff00, .chains = 1024,
};

FIXTURE_VARIANT_ADD(ring, event_idx_128) {
	.num = 128, .features = V1 | INDIRECT | EVENT_IDX, .base = 0, .chains = 70000,
};

FIXTURE_VARIANT_ADD(ring, event_idx_1024) {
	.num = 1024, .features = V1 | INDIRECT | EVENT_IDX, .base = 0, .chains = 70000,
};

FIXTURE_SETUP(ring)
{
	__u32 *words;
	unsigned int i;
	int ret;

	ret = vb_machine_open(&self->m, false, variant->features, variant->num);
	ASSERT_EQ(0, ret) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-ret));
	}
	self->q = &self->m.deflate;
	ASSERT_EQ(0, vb_queue_reset(self->q, variant->base));
	words = self->m.buf.hva;
	for (i = 0; i < TABLE_OFFSET / sizeof(*words); i++)
		words[i] = htole32(i);
	ASSERT_EQ(0, vb_machine_start(&self->m));
}

FIXTURE_TEARDOWN(ring)
{
	vb_machine_close(&self->m);
}

/*
 * Waits until the device has nothing more to do: it asks for notifications last
 * thing in a pass.
 */
static int wait_idle(struct vb_queue *q)
{
	struct vb_ring *ring = &q->ring;
	int ret;

	ret = vb_queue_wait_used(q, ring->avail_idx);
	if (ret)
		return ret;
	while (ring->event_idx ? vb_ring_avail_event(ring) != ring->avail_idx :
				 vb_ring_no_notify(ring))
		sched_yield();
	return 0;
}

/*
 * The device has used @chains chains that were not taken yet, and all in all
 * was told of @pages pages.
 */
static void expect_done(struct __test_metadata *_metadata, struct _test_data_ring *self,
			unsigned int chains, unsigned int pages)
{
	__u32 id, len;

	ASSERT_EQ(0, wait_idle(self->q));
	while (chains--) {
		ASSERT_EQ(1, vb_ring_get_used(&self->q->ring, &id, &len));
		EXPECT_EQ(0U, len);
	}
	EXPECT_EQ(0, vb_ring_get_used(&self->q->ring, NULL, NULL));
	EXPECT_EQ(pages, vb_counter(self->m.backend, VHOST_BALLOON_C_DEFLATED));
	EXPECT_EQ(0ULL, vb_counter(self->m.backend, VHOST_BALLOON_C_MALFORMED));
	EXPECT_EQ(0ULL, vb_counter(self->m.backend, VHOST_BALLOON_C_BROKEN));
}

/* A chain of @nr buffers of one page number each. */
static void fill_sg(struct vb_sg *sg, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		sg[i] = (struct vb_sg){ .addr = VB_BUF_GPA + 4 * i, .len = 4 };
}

static struct vring_desc *table_at(struct vb_machine *m)
{
	return m->buf.hva + TABLE_OFFSET;
}

TEST_F(ring, chains_of_one_to_all_descriptors)
{
	static struct vb_sg sg[VB_RING_MAX];
	unsigned int n, chains = 0, pages = 0;

	fill_sg(sg, VB_RING_MAX);
	for (n = 1; n <= variant->num; n = n < 8 ? n + 1 : 2 * n) {
		ASSERT_LE(0, vb_ring_add(&self->q->ring, sg, n));
		ASSERT_EQ(0, vb_queue_notify(self->q));
		ASSERT_EQ(0, vb_queue_wait_used(self->q, self->q->ring.avail_idx));
		ASSERT_EQ(1, vb_ring_get_used(&self->q->ring, NULL, NULL));
		pages += n;
		chains++;
	}
	expect_done(_metadata, self, 0, pages);
	EXPECT_EQ(chains, vb_counter(self->m.backend, VHOST_BALLOON_C_CHAINS));
}

TEST_F(ring, indirect_tables_of_one_to_all_descriptors)
{
	static struct vb_sg sg[VB_RING_MAX];
	unsigned int n, pages = 0;

	fill_sg(sg, VB_RING_MAX);
	for (n = 1; n <= variant->num; n = n < 8 ? n + 1 : 2 * n) {
		ASSERT_LE(0, vb_ring_add_indirect(&self->q->ring, NULL, 0, table_at(&self->m),
						  VB_BUF_GPA + TABLE_OFFSET, sg, n));
		ASSERT_EQ(0, vb_queue_notify(self->q));
		ASSERT_EQ(0, vb_queue_wait_used(self->q, self->q->ring.avail_idx));
		ASSERT_EQ(1, vb_ring_get_used(&self->q->ring, NULL, NULL));
		pages += n;
	}
	expect_done(_metadata, self, 0, pages);
}

TEST_F(ring, indirect_table_at_the_end_of_a_chain)
{
	static struct vb_sg sg[VB_RING_MAX];
	unsigned int direct = variant->num - 1;

	fill_sg(sg, VB_RING_MAX);
	ASSERT_LE(0, vb_ring_add_indirect(&self->q->ring, sg, direct, table_at(&self->m),
					  VB_BUF_GPA + TABLE_OFFSET, sg, variant->num));
	ASSERT_EQ(0, vb_queue_notify(self->q));
	expect_done(_metadata, self, 1, direct + variant->num);
}

TEST_F(ring, page_numbers_may_be_spread_over_descriptors)
{
	const unsigned int lens[] = { 1, 3, 2, 0, 5, 1, 7, 1, 0, 4, 6, 2 };
	unsigned int i, offset = 0;
	struct vb_sg sg[ARRAY_SIZE(lens)];

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		sg[i] = (struct vb_sg){ .addr = VB_BUF_GPA + offset, .len = lens[i] };
		offset += lens[i];
	}
	ASSERT_EQ(0U, offset % 4);
	if (variant->num < ARRAY_SIZE(lens))
		SKIP(return, "the ring has too few entries");
	ASSERT_LE(0, vb_ring_add(&self->q->ring, sg, ARRAY_SIZE(lens)));
	ASSERT_EQ(0, vb_queue_notify(self->q));
	expect_done(_metadata, self, 1, offset / 4);
}

TEST_F(ring, empty_buffers_are_fine)
{
	struct vb_sg sg = { .addr = VB_BUF_GPA, .len = 0 };
	/* Nothing is there, but nothing is wanted from there, either. */
	struct vb_sg nowhere = { .addr = ~0ULL, .len = 0 };

	ASSERT_LE(0, vb_ring_add(&self->q->ring, &sg, 1));
	ASSERT_EQ(0, vb_queue_notify(self->q));
	expect_done(_metadata, self, 1, 0);
	ASSERT_LE(0, vb_ring_add(&self->q->ring, &nowhere, 1));
	ASSERT_EQ(0, vb_queue_notify(self->q));
	expect_done(_metadata, self, 1, 0);
}

TEST_F(ring, a_large_buffer_is_one_chain_and_one_interrupt)
{
	struct vb_sg sg = { .addr = VB_BUF_GPA, .len = TABLE_OFFSET };

	ASSERT_LE(0, vb_ring_add(&self->q->ring, &sg, 1));
	ASSERT_EQ(0, vb_queue_notify(self->q));
	expect_done(_metadata, self, 1, TABLE_OFFSET / 4);
	EXPECT_EQ(1ULL, vb_counter(self->m.backend, VHOST_BALLOON_C_CHAINS));
	EXPECT_EQ(1ULL, vb_counter(self->m.backend, VHOST_BALLOON_C_SIGNALS));
	EXPECT_EQ(1, vb_eventfd_count(self->q->call));
}

TEST_F(ring, a_buffer_may_lie_across_regions)
{
	/* The second half of the buffer is elsewhere in our memory, and before the first. */
	char *mem = mmap(NULL, 2 * VB_PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct vb_memory low = { .gpa = 0x10000, .len = VB_PAGE, .hva = mem + VB_PAGE };
	struct vb_memory high = { .gpa = 0x11000, .len = VB_PAGE, .hva = mem };
	struct vb_sg sg = { .addr = 0x10ffa, .len = 12 };

	ASSERT_NE(MAP_FAILED, mem);
	ASSERT_EQ(0, vb_machine_add(&self->m, &low, 0));
	ASSERT_EQ(0, vb_machine_add(&self->m, &high, 0));
	ASSERT_LE(0, vb_ring_add(&self->q->ring, &sg, 1));
	ASSERT_EQ(0, vb_queue_notify(self->q));
	expect_done(_metadata, self, 1, 3);
	munmap(mem, 2 * VB_PAGE);
}

/* As many chains of one page number as there is room for, but at most @max. */
static unsigned int add_all(struct vb_ring *ring, unsigned int max)
{
	struct vb_sg sg = { .addr = VB_BUF_GPA, .len = 4 };
	unsigned int n = 0;

	while (n < max && vb_ring_add(ring, &sg, 1) >= 0)
		n++;
	return n;
}

/* Takes what is used, without waiting. */
static unsigned int take_all(struct vb_ring *ring)
{
	unsigned int n = 0;

	while (vb_ring_get_used(ring, NULL, NULL) == 1)
		n++;
	return n;
}

TEST_F_TIMEOUT(ring, indices_wrap, 120)
{
	unsigned int done = 0;

	while (done < variant->chains) {
		unsigned int n = add_all(&self->q->ring, variant->chains - done);

		ASSERT_LT(0U, n);
		ASSERT_EQ(0, vb_queue_notify(self->q));
		ASSERT_EQ(0, vb_queue_wait_used(self->q, self->q->ring.avail_idx));
		ASSERT_EQ(n, take_all(&self->q->ring));
		done += n;
	}
	expect_done(_metadata, self, 0, variant->chains);
	EXPECT_EQ(variant->chains, vb_counter(self->m.backend, VHOST_BALLOON_C_CHAINS));
}

/*
 * The driver goes on adding while the device is at work, and notifies only if
 * the device wants it. If a notification that was needed were left out, this would
 * not come to its end.
 */
TEST_F_TIMEOUT(ring, no_notification_is_lost, 120)
{
	unsigned int left = variant->num < 16 ? 500 : 5000;
	unsigned int total = left, kicks = 0;
	__u16 seen;

	while (left) {
		if (add_all(&self->q->ring, left < 3 ? left : 3)) {
			if (vb_ring_publish(&self->q->ring)) {
				ASSERT_EQ(0, vb_queue_kick(self->q));
				kicks++;
			}
			left = total - (__u16)(self->q->ring.avail_idx - variant->base);
			continue;
		}
		seen = self->q->ring.used_idx + 1;
		while ((__s16)(vb_ring_used_idx(&self->q->ring) - seen) < 0)
			sched_yield();
		take_all(&self->q->ring);
	}
	ASSERT_EQ(0, vb_queue_wait_used(self->q, self->q->ring.avail_idx));
	take_all(&self->q->ring);
	expect_done(_metadata, self, 0, total);
	EXPECT_EQ(kicks, vb_counter(self->m.backend, VHOST_BALLOON_C_KICKS));
}

TEST_F(ring, asks_for_notifications_when_idle)
{
	struct vb_ring *ring = &self->q->ring;
	unsigned int i;

	for (i = 0; i < 5; i++) {
		ASSERT_EQ(1U, add_all(ring, 1));
		ASSERT_EQ(0, vb_queue_notify(self->q));
		ASSERT_EQ(0, wait_idle(self->q));
		take_all(ring);
	}
	expect_done(_metadata, self, 0, 5);
}

TEST_F(ring, each_chain_on_its_own_is_one_interrupt)
{
	struct vb_ring *ring = &self->q->ring;
	unsigned int i;

	for (i = 0; i < 50; i++) {
		vb_ring_set_used_event(ring, ring->used_idx);
		ASSERT_EQ(1U, add_all(ring, 1));
		ASSERT_EQ(0, vb_queue_notify(self->q));
		ASSERT_EQ(1, vb_queue_wait_call(self->q));
		ASSERT_EQ(1U, take_all(ring));
	}
	expect_done(_metadata, self, 0, 50);
	EXPECT_EQ(0, vb_eventfd_count(self->q->call));
	EXPECT_EQ(50ULL, vb_counter(self->m.backend, VHOST_BALLOON_C_SIGNALS));
	EXPECT_EQ(0ULL, vb_counter(self->m.backend, VHOST_BALLOON_C_SIGNALS_SUPPRESSED));
}

/* An event index that is as far away as can be: whatever is decided late is a no, too. */
static void want_no_interrupts(struct vb_ring *ring)
{
	vb_ring_set_used_event(ring, ring->used_idx + 0x8000);
	vb_ring_set_no_interrupt(ring, true);
}

TEST_F(ring, no_interrupts_when_unwanted)
{
	struct vb_ring *ring = &self->q->ring;
	int fd = self->m.backend;
	unsigned int i;

	/* By event index the first one is unconditional. */
	ASSERT_EQ(1U, add_all(ring, 1));
	ASSERT_EQ(0, vb_queue_notify(self->q));
	ASSERT_EQ(1, vb_queue_wait_call(self->q));
	ASSERT_EQ(1U, take_all(ring));

	for (i = 0; i < 50; i++) {
		want_no_interrupts(ring);
		ASSERT_EQ(1U, add_all(ring, 1));
		ASSERT_EQ(0, vb_queue_notify(self->q));
		ASSERT_EQ(0, vb_queue_wait_used(self->q, ring->avail_idx));
		ASSERT_EQ(1U, take_all(ring));
	}
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	EXPECT_EQ(0, vb_eventfd_count(self->q->call));
	EXPECT_EQ(1ULL, vb_counter(fd, VHOST_BALLOON_C_SIGNALS));
	EXPECT_EQ(50ULL, vb_counter(fd, VHOST_BALLOON_C_SIGNALS_SUPPRESSED));
	EXPECT_EQ(51ULL, vb_counter(fd, VHOST_BALLOON_C_DEFLATED));
}

TEST_F(ring, wanted_again_comes_again)
{
	struct vb_ring *ring = &self->q->ring;

	ASSERT_EQ(1U, add_all(ring, 1));
	ASSERT_EQ(0, vb_queue_notify(self->q));
	ASSERT_EQ(1, vb_queue_wait_call(self->q));
	ASSERT_EQ(1U, take_all(ring));

	want_no_interrupts(ring);
	ASSERT_EQ(1U, add_all(ring, 1));
	ASSERT_EQ(0, vb_queue_notify(self->q));
	/* Whether to interrupt for it is decided after it became visible. */
	ASSERT_EQ(0, wait_idle(self->q));
	ASSERT_EQ(1U, take_all(ring));
	EXPECT_EQ(0, vb_eventfd_count(self->q->call));

	vb_ring_set_used_event(ring, ring->used_idx);
	vb_ring_set_no_interrupt(ring, false);
	ASSERT_EQ(1U, add_all(ring, 1));
	ASSERT_EQ(0, vb_queue_notify(self->q));
	EXPECT_EQ(1, vb_queue_wait_call(self->q));
}

TEST_F(ring, one_interrupt_in_the_middle_of_many_chains)
{
	struct vb_ring *ring = &self->q->ring;
	unsigned int n;

	if (!ring->event_idx)
		SKIP(return, "needs EVENT_IDX");
	if (variant->num < 4)
		SKIP(return, "the ring has too few entries");
	ASSERT_EQ(1U, add_all(ring, 1));
	ASSERT_EQ(0, vb_queue_notify(self->q));
	ASSERT_EQ(1, vb_queue_wait_call(self->q));
	ASSERT_EQ(1U, take_all(ring));

	vb_ring_set_used_event(ring, ring->used_idx + variant->num / 2);
	n = add_all(ring, variant->num);
	ASSERT_EQ(variant->num, n);
	ASSERT_EQ(0, vb_queue_notify(self->q));
	ASSERT_EQ(0, vb_queue_wait_used(self->q, ring->avail_idx));
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	EXPECT_EQ(1, vb_eventfd_count(self->q->call));
	EXPECT_EQ(2ULL, vb_counter(self->m.backend, VHOST_BALLOON_C_SIGNALS));
}

TEST_F(ring, queue_info_follows_the_indices)
{
	struct vhost_balloon_info info;
	unsigned int n;

	n = add_all(&self->q->ring, variant->num);
	ASSERT_EQ(0, vb_queue_notify(self->q));
	expect_done(_metadata, self, n, n);
	ASSERT_EQ(0, vb_get_info(self->m.backend, &info));
	EXPECT_EQ((__u16)(variant->base + n), info.queues[VB_DEFLATE].last_avail);
	EXPECT_EQ((__u16)(variant->base + n), info.queues[VB_DEFLATE].last_used);
	EXPECT_EQ(variant->num, info.queues[VB_DEFLATE].num);
	EXPECT_EQ(0, info.queues[VB_INFLATE].last_avail);
}

TEST_HARNESS_MAIN
