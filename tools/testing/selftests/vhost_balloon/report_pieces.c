// SPDX-License-Identifier: GPL-2.0
/*
 * Pieces of reports that aren't whole pages of the guest's memory, or not in a
 * chain as it should be; and huge pages, which go whole or not at all.
 */
#include <string.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>

#include "kselftest_harness.h"
#include "vb_backing.h"
#include "vb_driver.h"
#include "vb_memory.h"

#define FEATURES	(VB_FEATURE(VIRTIO_F_VERSION_1) | \
			 VB_FEATURE(VIRTIO_RING_F_INDIRECT_DESC) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_MUST_TELL_HOST) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_REPORTING))
#define REPORT_INDEX	2
#define RING_NUM	64
#define RAM_GPA		0x10000000ULL
#define PAGES		128U
#define SEED		17
#define NOWHERE_GPA	0x8000000ULL

#define REPORTED	VHOST_BALLOON_C_REPORTED
#define PARTIAL		VHOST_BALLOON_C_SKIP_PARTIAL
#define NO_SLOT		VHOST_BALLOON_C_SKIP_NO_SLOT
#define DUPLICATE	VHOST_BALLOON_C_DUPLICATE
#define MALFORMED	VHOST_BALLOON_C_MALFORMED

/* A piece of the memory, in bytes from its start. */
#define RAM_PIECE(offset, bytes) VB_PIECE(RAM_GPA + (offset), bytes)
/* Whole pages of it. */
#define RAM_PAGES(first, nr) RAM_PIECE((first) * VB_PAGE, (nr) * VB_PAGE)

FIXTURE(pieces) {
	struct vb_machine m;
	struct vb_queue *q;
	struct vb_memory ram;
	int fd;
};

FIXTURE_VARIANT(pieces) {
	bool kvm;
	enum vb_memory_kind kind;
	enum vhost_balloon_counter counter;
};

FIXTURE_VARIANT_ADD(pieces, anon_table) {
	.kind = VB_MEMORY_ANON, .counter = VHOST_BALLOON_C_DISCARD_ANON,
};

FIXTURE_VARIANT_ADD(pieces, anon_memslots) {
	.kind = VB_MEMORY_ANON, .counter = VHOST_BALLOON_C_DISCARD_ANON, .kvm = true,
};

FIXTURE_VARIANT_ADD(pieces, memfd_table) {
	.kind = VB_MEMORY_MEMFD, .counter = VHOST_BALLOON_C_DISCARD_SHMEM,
};

FIXTURE_VARIANT_ADD(pieces, memfd_memslots) {
	.kind = VB_MEMORY_MEMFD, .counter = VHOST_BALLOON_C_DISCARD_SHMEM, .kvm = true,
};

static int open_machine(struct vb_machine *m, struct vb_queue **q, bool kvm)
{
	int ret = vb_machine_open(m, kvm, FEATURES, RING_NUM);

	*q = vb_machine_queue(m, REPORT_INDEX);
	return ret ? ret : vb_machine_add_queue(m, REPORT_INDEX, RING_NUM);
}

FIXTURE_SETUP(pieces)
{
	const char *missing = variant->kvm ? vb_kvm_missing() : NULL;
	int ret;

	if (missing)
		SKIP(return, "%s", missing);
	ret = open_machine(&self->m, &self->q, variant->kvm);
	ASSERT_EQ(0, ret) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-ret));
	}
	self->fd = self->m.backend;
	ASSERT_EQ(0, vb_memory_map(&self->ram, variant->kind, RAM_GPA, PAGES * VB_PAGE));
	vb_memory_fill(&self->ram, 0, PAGES, SEED);
	ASSERT_EQ(0, vb_machine_add(&self->m, &self->ram, 0));
	ASSERT_EQ(0, vb_machine_start(&self->m));
}

FIXTURE_TEARDOWN(pieces)
{
	vb_machine_close(&self->m);
	vb_memory_unmap(&self->ram);
}

static __u64 counter(FIXTURE_DATA(pieces) *self, enum vhost_balloon_counter which)
{
	return vb_counter(self->fd, which);
}

/* Exactly pages first to first + nr - 1 are gone. */
static void expect_gone(struct __test_metadata *_metadata, FIXTURE_DATA(pieces) *self,
			unsigned int first, unsigned int nr)
{
	unsigned int end = first + nr;

	EXPECT_EQ(nr, vb_memory_zero(&self->ram, first, nr));
	EXPECT_EQ(first, vb_memory_intact(&self->ram, 0, first, SEED));
	EXPECT_EQ(PAGES - end, vb_memory_intact(&self->ram, end, PAGES - end, SEED));
}

static const struct {
	const char *what;
	/* from the start of the memory */
	__s64 offset;
	__u32 bytes;
	/* what comes of it */
	unsigned int first;
	unsigned int nr;
	unsigned int partial;
	unsigned int no_slot;
} odd[] = {
	{ "nothing", 0, 0 },
	{ "1 byte", 5 * VB_PAGE, 1, .partial = 1 },
	{ "all but 1 byte", 5 * VB_PAGE, VB_PAGE - 1, .partial = 1 },
	{ "all but the first byte", 5 * VB_PAGE + 1, VB_PAGE - 1, .partial = 1 },
	{ "halves of two", 5 * VB_PAGE + 2048, VB_PAGE, .partial = 2 },
	{ "one, and 1 byte", 5 * VB_PAGE, VB_PAGE + 1, 5, 1, .partial = 1 },
	{ "1 byte, and one", 6 * VB_PAGE - 1, VB_PAGE + 1, 6, 1, .partial = 1 },
	{ "not aligned", 5 * VB_PAGE + 100, 3 * VB_PAGE, 6, 2, .partial = 2 },
	{ "over the end", (PAGES - 6) * VB_PAGE, 10 * VB_PAGE, PAGES - 6, 6, .no_slot = 4 },
	{ "over the start", -3LL * VB_PAGE, 10 * VB_PAGE, 0, 7, .no_slot = 3 },
	{ "over both", -1LL * VB_PAGE, (PAGES + 2) * VB_PAGE, 0, PAGES, .no_slot = 2 },
	{ "behind the end", PAGES * VB_PAGE, 4 * VB_PAGE, .no_slot = 4 },
	{ "nowhere", (__s64)(NOWHERE_GPA - RAM_GPA), 512 * VB_PAGE, .no_slot = 512 },
	{ "at the very end", (__s64)(-VB_PAGE - RAM_GPA), VB_PAGE, .no_slot = 1 },
};

TEST_F(pieces, of_any_size_and_place_lose_whole_pages_of_memory_only)
{
	unsigned int i, partial = 0, no_slot = 0, gone = 0;

	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		vb_memory_fill(&self->ram, 0, PAGES, SEED);
		ASSERT_EQ(0, vb_send_piece(self->q, RAM_GPA + odd[i].offset, odd[i].bytes));
		partial += odd[i].partial;
		no_slot += odd[i].no_slot;
		gone += odd[i].nr;
		EXPECT_EQ(partial, counter(self, PARTIAL)) {
			TH_LOG("%s", odd[i].what);
		}
		EXPECT_EQ(no_slot, counter(self, NO_SLOT)) {
			TH_LOG("%s", odd[i].what);
		}
		EXPECT_EQ(gone, counter(self, variant->counter)) {
			TH_LOG("%s", odd[i].what);
		}
		EXPECT_EQ(gone + no_slot, counter(self, REPORTED)) {
			TH_LOG("%s", odd[i].what);
		}
		expect_gone(_metadata, self, odd[i].first, odd[i].nr);
	}
	EXPECT_EQ(0ULL, counter(self, MALFORMED));
	EXPECT_EQ(0ULL, counter(self, VHOST_BALLOON_C_BROKEN));
}

TEST_F(pieces, with_gaps_leave_the_gaps)
{
	const struct vb_sg sg[] = {
		RAM_PAGES(100, 2), RAM_PAGES(0, 1), RAM_PAGES(103, 1), RAM_PAGES(2, 3),
	};

	ASSERT_EQ(0, vb_queue_send(self->q, sg, ARRAY_SIZE(sg)));
	EXPECT_EQ(7ULL, counter(self, variant->counter));
	EXPECT_EQ(4ULL, counter(self, VHOST_BALLOON_C_DISCARD_OPS));
	EXPECT_EQ(1U, vb_memory_zero(&self->ram, 0, 1));
	EXPECT_EQ(1U, vb_memory_intact(&self->ram, 1, 1, SEED));
	EXPECT_EQ(3U, vb_memory_zero(&self->ram, 2, 3));
	EXPECT_EQ(95U, vb_memory_intact(&self->ram, 5, 95, SEED));
	EXPECT_EQ(2U, vb_memory_zero(&self->ram, 100, 2));
	EXPECT_EQ(1U, vb_memory_intact(&self->ram, 102, 1, SEED));
	EXPECT_EQ(1U, vb_memory_zero(&self->ram, 103, 1));
	EXPECT_EQ(PAGES - 104, vb_memory_intact(&self->ram, 104, PAGES - 104, SEED));
}

TEST_F(pieces, side_by_side_are_one_operation)
{
	const struct vb_sg sg[] = {
		RAM_PAGES(20, 10), RAM_PAGES(40, 10), RAM_PAGES(30, 10), RAM_PAGES(10, 10),
	};

	ASSERT_EQ(0, vb_queue_send(self->q, sg, ARRAY_SIZE(sg)));
	EXPECT_EQ(1ULL, counter(self, VHOST_BALLOON_C_DISCARD_OPS));
	EXPECT_EQ(40ULL, counter(self, variant->counter));
	expect_gone(_metadata, self, 10, 40);
}

TEST_F(pieces, that_overlap_go_once)
{
	const struct vb_sg sg[] = {
		RAM_PAGES(10, 10), RAM_PAGES(15, 10), RAM_PAGES(12, 3), RAM_PAGES(10, 10),
	};

	ASSERT_EQ(0, vb_queue_send(self->q, sg, ARRAY_SIZE(sg)));
	EXPECT_EQ(33ULL, counter(self, REPORTED));
	EXPECT_EQ(18ULL, counter(self, DUPLICATE));
	EXPECT_EQ(15ULL, counter(self, variant->counter));
	expect_gone(_metadata, self, 10, 15);
}

/* Two halves of a page in two pieces are no page: nobody has said that it is free as a whole. */
TEST_F(pieces, of_parts_of_a_page_are_not_put_together)
{
	const struct vb_sg sg[] = {
		RAM_PIECE(10 * VB_PAGE, 2048), RAM_PIECE(10 * VB_PAGE + 2048, 2048),
	};

	ASSERT_EQ(0, vb_queue_send(self->q, sg, ARRAY_SIZE(sg)));
	EXPECT_EQ(2ULL, counter(self, PARTIAL));
	EXPECT_EQ(0ULL, counter(self, REPORTED));
	expect_gone(_metadata, self, 0, 0);
}

TEST_F(pieces, that_are_nowhere_do_no_harm_to_the_others)
{
	const struct vb_sg sg[] = {
		RAM_PAGES(10, 4), VB_PIECE(NOWHERE_GPA, 3 * VB_PAGE), RAM_PAGES(14, 4),
		VB_PIECE(NOWHERE_GPA, 0), VB_PIECE(-VB_PAGE, VB_PAGE), RAM_PAGES(18, 4),
	};

	ASSERT_EQ(0, vb_queue_send(self->q, sg, ARRAY_SIZE(sg)));
	EXPECT_EQ(12ULL, counter(self, variant->counter));
	EXPECT_EQ(4ULL, counter(self, NO_SLOT));
	EXPECT_EQ(0ULL, counter(self, MALFORMED));
	expect_gone(_metadata, self, 10, 12);
}

TEST_F(pieces, over_two_regions_go_in_both)
{
	struct vb_memory next;

	ASSERT_EQ(0, vb_memory_map(&next, variant->kind, RAM_GPA + PAGES * VB_PAGE,
				   PAGES * VB_PAGE));
	vb_memory_fill(&next, 0, PAGES, SEED);
	ASSERT_EQ(0, vb_machine_add(&self->m, &next, 0));
	ASSERT_EQ(0, vb_send_piece(self->q, RAM_GPA + (PAGES - 8) * VB_PAGE, 20 * VB_PAGE));
	EXPECT_EQ(20ULL, counter(self, variant->counter));
	EXPECT_EQ(2ULL, counter(self, VHOST_BALLOON_C_DISCARD_OPS));
	expect_gone(_metadata, self, PAGES - 8, 8);
	EXPECT_EQ(12U, vb_memory_zero(&next, 0, 12));
	EXPECT_EQ(PAGES - 12, vb_memory_intact(&next, 12, PAGES - 12, SEED));
	vb_memory_unmap(&next);
}

/* Page numbers of 32 bits don't reach there, but addresses do. */
TEST_F(pieces, above_16_tib_go)
{
	struct vb_memory high = self->ram;
	int ret;

	high.gpa = 1ULL << 45;
	ret = vb_machine_add(&self->m, &high, 0);
	if (variant->kvm && ret == -EINVAL)
		SKIP(return, "this processor's guests have no addresses of 32 TiB");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, vb_send_piece(self->q, high.gpa + 3 * VB_PAGE, 5 * VB_PAGE));
	EXPECT_EQ(5ULL, counter(self, variant->counter));
	expect_gone(_metadata, self, 3, 5);
}

TEST_F(pieces, that_are_readable_are_malformed)
{
	struct vb_sg sg[] = { RAM_PAGES(10, 4), RAM_PAGES(14, 4) };

	/* A chain has what is readable first. */
	sg[0].flags = 0;
	ASSERT_EQ(0, vb_queue_send(self->q, sg, ARRAY_SIZE(sg)));
	EXPECT_EQ(1ULL, counter(self, MALFORMED));
	EXPECT_EQ(0ULL, counter(self, REPORTED));
	expect_gone(_metadata, self, 0, 0);

	/* What came before it goes. */
	sg[0].flags = VRING_DESC_F_WRITE;
	sg[1].flags = 0;
	ASSERT_EQ(0, vb_queue_send(self->q, sg, ARRAY_SIZE(sg)));
	EXPECT_EQ(2ULL, counter(self, MALFORMED));
	EXPECT_EQ(4ULL, counter(self, REPORTED));
	expect_gone(_metadata, self, 10, 4);

	sg[1].flags = VRING_DESC_F_WRITE;
	ASSERT_EQ(0, vb_queue_send(self->q, sg, ARRAY_SIZE(sg)));
	EXPECT_EQ(2ULL, counter(self, MALFORMED));
	EXPECT_EQ(12ULL, counter(self, REPORTED));
	expect_gone(_metadata, self, 10, 8);
}

TEST_F(pieces, that_wrap_around_take_nothing)
{
	struct vhost_balloon_info info;

	ASSERT_EQ(0, vb_send_piece(self->q, -VB_PAGE, ~0U));
	EXPECT_EQ(0ULL, counter(self, VHOST_BALLOON_C_DISCARD_OPS));
	expect_gone(_metadata, self, 0, 0);
	ASSERT_EQ(0, vb_get_info(self->fd, &info));
	EXPECT_EQ(VHOST_BALLOON_QUEUE_READY, info.queues[REPORT_INDEX].flags);
	ASSERT_EQ(0, vb_send_piece(self->q, RAM_GPA, VB_PAGE));
	expect_gone(_metadata, self, 0, 1);
}

/* Memory of huge pages. */
FIXTURE(huge) {
	struct vb_machine m;
	struct vb_queue *q;
	struct vb_backing b;
	struct vhost_balloon_counters before;
	int fd;
};

FIXTURE_VARIANT(huge) {
	const struct vb_backing_type *type;
};

FIXTURE_VARIANT_ADD(huge, shared) { .type = &vb_backing_hugetlb_shared };
FIXTURE_VARIANT_ADD(huge, private) { .type = &vb_backing_hugetlb_private };

FIXTURE_SETUP(huge)
{
	int ret;

	ret = vb_backing_open(&self->b, variant->type, RAM_GPA);
	if (self->b.why)
		SKIP(return, "%s: %s", self->b.why, strerror(-ret));
	ASSERT_EQ(0, ret);
	ret = open_machine(&self->m, &self->q, false);
	ASSERT_EQ(0, ret) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-ret));
	}
	self->fd = self->m.backend;
	ASSERT_EQ(0, vb_machine_add(&self->m, &self->b.mem, 0));
	ASSERT_EQ(0, vb_set_tunables(self->fd, VHOST_BALLOON_TUNE_HUGETLB,
				     VHOST_BALLOON_TUNE_HUGETLB));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	ASSERT_EQ(0, vb_get_counters(self->fd, &self->before));
}

FIXTURE_TEARDOWN(huge)
{
	vb_machine_close(&self->m);
	vb_backing_close(&self->b);
}

/* The huge page in the middle is gone, or none; @parts pages were only a part of one. */
static void expect_huge(struct __test_metadata *_metadata, FIXTURE_DATA(huge) *self, bool gone,
			unsigned int parts)
{
	bool given[3 * VB_HUGE_PAGES] = { false };
	unsigned int page;

	for (page = VB_HUGE_PAGES; page < 2 * VB_HUGE_PAGES; page++)
		given[page] = gone;
	EXPECT_EQ(gone ? VB_HUGE_PAGES : 0,
		  vb_counter(self->fd, VHOST_BALLOON_C_DISCARD_HUGETLB));
	EXPECT_EQ(parts, vb_counter(self->fd, VHOST_BALLOON_C_SKIP_HUGETLB_PART));
	EXPECT_EQ(0ULL, vb_counter(self->fd, VHOST_BALLOON_C_HUGETLB_GATHERED));
	EXPECT_EQ(0U, vb_backing_wrong(&self->b, given));
}

/* A piece of the memory, in pages. */
static int report_pages(FIXTURE_DATA(huge) *self, unsigned int first, unsigned int nr)
{
	return vb_send_piece(self->q, RAM_GPA + first * VB_PAGE, nr * VB_PAGE);
}

TEST_F(huge, whole_page_goes)
{
	ASSERT_EQ(0, report_pages(self, VB_HUGE_PAGES, VB_HUGE_PAGES));
	expect_huge(_metadata, self, true, 0);
}

TEST_F(huge, part_of_a_page_stays)
{
	ASSERT_EQ(0, report_pages(self, VB_HUGE_PAGES, VB_HUGE_PAGES - 1));
	ASSERT_EQ(0, report_pages(self, VB_HUGE_PAGES / 2, VB_HUGE_PAGES));
	expect_huge(_metadata, self, false, 2 * VB_HUGE_PAGES - 1);
}

TEST_F(huge, whole_page_goes_and_parts_around_it_stay)
{
	ASSERT_EQ(0, report_pages(self, VB_HUGE_PAGES - 3, VB_HUGE_PAGES + 5));
	expect_huge(_metadata, self, true, 5);
}

TEST_F(huge, piece_that_is_not_aligned_takes_the_whole_page_in_it)
{
	/* Of the first one all pages but that which it begins in, of the last one a few bytes. */
	ASSERT_EQ(0, vb_send_piece(self->q, RAM_GPA + 100, 2 * VB_HUGE));
	EXPECT_EQ(2ULL, vb_counter(self->fd, PARTIAL));
	expect_huge(_metadata, self, true, VB_HUGE_PAGES - 1);
}

/* What was reported is in use again once its chain was used. */
TEST_F(huge, halves_in_two_reports_are_not_put_together)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, report_pages(self, VB_HUGE_PAGES, VB_HUGE_PAGES / 2));
		ASSERT_EQ(0, report_pages(self, VB_HUGE_PAGES * 3 / 2, VB_HUGE_PAGES / 2));
	}
	expect_huge(_metadata, self, false, 2 * VB_HUGE_PAGES);
}

TEST_F(huge, half_that_is_reported_does_not_complete_one_that_was_inflated)
{
	ASSERT_EQ(0, vb_inflate_range(&self->m, RAM_GPA + VB_HUGE, VB_HUGE_PAGES / 2));
	ASSERT_EQ(0, report_pages(self, VB_HUGE_PAGES * 3 / 2, VB_HUGE_PAGES / 2));
	EXPECT_EQ(0ULL, vb_counter(self->fd, VHOST_BALLOON_C_DISCARD_OPS));
	EXPECT_EQ(VB_HUGE_PAGES / 2, vb_counter(self->fd, VHOST_BALLOON_C_HUGETLB_GATHERED));
	EXPECT_EQ(VB_HUGE_PAGES / 2, vb_counter(self->fd, VHOST_BALLOON_C_SKIP_HUGETLB_PART));
	/* Nor does it count as such afterwards. */
	ASSERT_EQ(0, report_pages(self, VB_HUGE_PAGES, VB_HUGE_PAGES / 2));
	EXPECT_EQ(0ULL, vb_counter(self->fd, VHOST_BALLOON_C_DISCARD_OPS));
	/* The guest gives the other half, too. */
	ASSERT_EQ(0, vb_inflate_range(&self->m, RAM_GPA + VB_HUGE * 3 / 2, VB_HUGE_PAGES / 2));
	EXPECT_EQ(VB_HUGE_PAGES, vb_counter(self->fd, VHOST_BALLOON_C_DISCARD_HUGETLB));
}

TEST_HARNESS_MAIN
