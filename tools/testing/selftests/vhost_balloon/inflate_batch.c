// SPDX-License-Identifier: GPL-2.0
/*
 * Lists of page numbers: in any order, in any number of chains, across
 * mappings and regions, and what isn't a page of the guest's at all. What lies side by
 * side goes in one operation.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "vb_backing.h"
#include "vb_memory.h"

#define FEATURES	(VB_FEATURE(VIRTIO_F_VERSION_1) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_MUST_TELL_HOST))
#define RING_NUM	256
#define RAM_GPA		0x10000000ULL
#define FIRST		((__u32)(RAM_GPA / VB_PAGE))
#define PAGES		1536U
#define SEED		9
#define BATCH		256U

#define OPS		VHOST_BALLOON_C_DISCARD_OPS
#define NO_SLOT		VHOST_BALLOON_C_SKIP_NO_SLOT

FIXTURE(batch) {
	struct vb_machine m;
	struct vb_memory ram;
	__u32 gfns[PAGES];
};

FIXTURE_VARIANT(batch) {
	bool kvm;
	enum vb_memory_kind kind;
	enum vhost_balloon_counter counter;
};

FIXTURE_VARIANT_ADD(batch, anon_table) {
	.kind = VB_MEMORY_ANON, .counter = VHOST_BALLOON_C_DISCARD_ANON,
};

FIXTURE_VARIANT_ADD(batch, anon_memslots) {
	.kind = VB_MEMORY_ANON, .counter = VHOST_BALLOON_C_DISCARD_ANON, .kvm = true,
};

FIXTURE_VARIANT_ADD(batch, memfd_table) {
	.kind = VB_MEMORY_MEMFD, .counter = VHOST_BALLOON_C_DISCARD_SHMEM,
};

FIXTURE_VARIANT_ADD(batch, memfd_memslots) {
	.kind = VB_MEMORY_MEMFD, .counter = VHOST_BALLOON_C_DISCARD_SHMEM, .kvm = true,
};

FIXTURE_SETUP(batch)
{
	const char *missing = variant->kvm ? vb_kvm_missing() : NULL;
	int ret;

	if (missing)
		SKIP(return, "%s", missing);
	ret = vb_machine_open(&self->m, variant->kvm, FEATURES, RING_NUM);
	ASSERT_EQ(0, ret) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-ret));
	}
	ASSERT_EQ(0, vb_memory_map(&self->ram, variant->kind, RAM_GPA, PAGES * VB_PAGE));
	vb_memory_fill(&self->ram, 0, PAGES, SEED);
	ASSERT_EQ(0, vb_machine_start(&self->m));
}

FIXTURE_TEARDOWN(batch)
{
	vb_machine_close(&self->m);
	vb_memory_unmap(&self->ram);
}

static __u64 counter(struct _test_data_batch *self, enum vhost_balloon_counter which)
{
	return vb_counter(self->m.backend, which);
}

/* The guest has all of the memory, in one region. */
static int add_all(struct _test_data_batch *self)
{
	return vb_machine_add(&self->m, &self->ram, 0);
}

/* @nr page numbers that rise from @first. */
static void ascending(__u32 *gfns, __u32 first, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		gfns[i] = first + i;
}

static void swap_gfns(__u32 *a, __u32 *b)
{
	__u32 tmp = *a;

	*a = *b;
	*b = tmp;
}

static void shuffle(__u32 *gfns, unsigned int nr)
{
	unsigned int i;

	srandom(SEED);
	for (i = nr - 1; i > 0; i--)
		swap_gfns(&gfns[i], &gfns[random() % (i + 1)]);
}

static void reverse(__u32 *gfns, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr / 2; i++)
		swap_gfns(&gfns[i], &gfns[nr - 1 - i]);
}

/* Exactly pages first to first + nr - 1 are gone. */
static void expect_gone(struct __test_metadata *_metadata, struct _test_data_batch *self,
			unsigned int first, unsigned int nr)
{
	unsigned int end = first + nr;

	EXPECT_EQ(nr, vb_memory_zero(&self->ram, first, nr));
	EXPECT_EQ(first, vb_memory_intact(&self->ram, 0, first, SEED));
	EXPECT_EQ(PAGES - end, vb_memory_intact(&self->ram, end, PAGES - end, SEED));
}

TEST_F(batch, ascending_is_one_operation)
{
	ASSERT_EQ(0, add_all(self));
	ascending(self->gfns, FIRST + 5, BATCH);
	ASSERT_EQ(0, vb_machine_inflate(&self->m, self->gfns, BATCH));
	EXPECT_EQ(1ULL, counter(self, OPS));
	EXPECT_EQ(BATCH, counter(self, variant->counter));
	expect_gone(_metadata, self, 5, BATCH);
}

TEST_F(batch, descending_is_one_operation)
{
	ASSERT_EQ(0, add_all(self));
	ascending(self->gfns, FIRST + 5, BATCH);
	reverse(self->gfns, BATCH);
	ASSERT_EQ(0, vb_machine_inflate(&self->m, self->gfns, BATCH));
	EXPECT_EQ(1ULL, counter(self, OPS));
	EXPECT_EQ(BATCH, counter(self, variant->counter));
	expect_gone(_metadata, self, 5, BATCH);
}

TEST_F(batch, shuffled_is_one_operation)
{
	ASSERT_EQ(0, add_all(self));
	ascending(self->gfns, FIRST + 5, BATCH);
	shuffle(self->gfns, BATCH);
	ASSERT_EQ(0, vb_machine_inflate(&self->m, self->gfns, BATCH));
	EXPECT_EQ(1ULL, counter(self, OPS));
	EXPECT_EQ(BATCH, counter(self, variant->counter));
	expect_gone(_metadata, self, 5, BATCH);
}

TEST_F(batch, every_other_page_is_an_operation_each)
{
	unsigned int i;

	ASSERT_EQ(0, add_all(self));
	for (i = 0; i < BATCH; i++)
		self->gfns[i] = FIRST + 2 * i;
	shuffle(self->gfns, BATCH);
	ASSERT_EQ(0, vb_machine_inflate(&self->m, self->gfns, BATCH));
	EXPECT_EQ(BATCH, counter(self, OPS));
	for (i = 0; i < BATCH; i++) {
		EXPECT_EQ(1U, vb_memory_zero(&self->ram, 2 * i, 1));
		EXPECT_EQ(1U, vb_memory_intact(&self->ram, 2 * i + 1, 1, SEED));
	}
}

/* One page number a chain, all of them there before the queue starts. */
TEST_F(batch, chains_that_wait_together_are_one_operation)
{
	struct vb_queue *q = &self->m.inflate;
	__u32 *words = self->m.buf.hva;
	unsigned int i;

	ASSERT_EQ(0, add_all(self));
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	ascending(words, FIRST + 100, BATCH);
	shuffle(words, BATCH);
	for (i = 0; i < BATCH; i++) {
		struct vb_sg sg = { .addr = VB_BUF_GPA + 4 * i, .len = 4 };

		ASSERT_LE(0, vb_ring_add(&q->ring, &sg, 1));
	}
	vb_ring_publish(&q->ring);
	ASSERT_EQ(0, vb_machine_start(&self->m));
	ASSERT_EQ(0, vb_queue_wait_used(q, BATCH));
	EXPECT_EQ(1ULL, counter(self, OPS));
	expect_gone(_metadata, self, 100, BATCH);
	/* ... and one interrupt. */
	EXPECT_EQ(1, vb_queue_wait_call(q));
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	EXPECT_EQ(BATCH, counter(self, VHOST_BALLOON_C_CHAINS));
	EXPECT_EQ(0, vb_eventfd_count(q->call));
}

TEST_F(batch, more_than_a_batch_goes_completely)
{
	ASSERT_EQ(0, add_all(self));
	ascending(self->gfns, FIRST, PAGES - 1);
	shuffle(self->gfns, PAGES - 1);
	ASSERT_EQ(0, vb_machine_inflate(&self->m, self->gfns, PAGES - 1));
	EXPECT_EQ(PAGES - 1, counter(self, variant->counter));
	expect_gone(_metadata, self, 0, PAGES - 1);
}

TEST_F(batch, duplicates_go_once)
{
	const __u32 gfns[] = { FIRST + 8, FIRST + 7, FIRST + 8, FIRST + 8, FIRST + 7 };

	ASSERT_EQ(0, add_all(self));
	ASSERT_EQ(0, vb_machine_inflate(&self->m, gfns, ARRAY_SIZE(gfns)));
	EXPECT_EQ(5ULL, counter(self, VHOST_BALLOON_C_INFLATED));
	EXPECT_EQ(3ULL, counter(self, VHOST_BALLOON_C_DUPLICATE));
	EXPECT_EQ(2ULL, counter(self, variant->counter));
	EXPECT_EQ(1ULL, counter(self, OPS));
	expect_gone(_metadata, self, 7, 2);
}

TEST_F(batch, across_two_mappings_is_two_operations)
{
	ASSERT_EQ(0, add_all(self));
	/* An advice of its own makes a mapping of its own. */
	ASSERT_EQ(0, madvise(self->ram.hva + 64 * VB_PAGE, 64 * VB_PAGE, MADV_DONTFORK));
	ascending(self->gfns, FIRST + 32, 64);
	shuffle(self->gfns, 64);
	ASSERT_EQ(0, vb_machine_inflate(&self->m, self->gfns, 64));
	EXPECT_EQ(2ULL, counter(self, OPS));
	EXPECT_EQ(64ULL, counter(self, variant->counter));
	expect_gone(_metadata, self, 32, 64);
}

TEST_F(batch, across_memory_of_two_kinds)
{
	void *middle = self->ram.hva + 64 * VB_PAGE;

	ASSERT_EQ(0, add_all(self));
	ASSERT_EQ(0, mprotect(middle, 8 * VB_PAGE, PROT_READ));
	ascending(self->gfns, FIRST + 32, 64);
	ASSERT_EQ(0, vb_machine_inflate(&self->m, self->gfns, 64));
	EXPECT_EQ(2ULL, counter(self, OPS));
	EXPECT_EQ(56ULL, counter(self, variant->counter));
	EXPECT_EQ(8ULL, counter(self, VHOST_BALLOON_C_SKIP_NO_WRITE));
	EXPECT_EQ(32U, vb_memory_zero(&self->ram, 32, 32));
	EXPECT_EQ(8U, vb_memory_intact(&self->ram, 64, 8, SEED));
	EXPECT_EQ(24U, vb_memory_zero(&self->ram, 72, 24));
}

TEST_F(batch, across_a_hole_in_the_address_space)
{
	ASSERT_EQ(0, add_all(self));
	ASSERT_EQ(0, munmap(self->ram.hva + 40 * VB_PAGE, 3 * VB_PAGE));
	ascending(self->gfns, FIRST + 32, 64);
	ASSERT_EQ(0, vb_machine_inflate(&self->m, self->gfns, 64));
	EXPECT_EQ(2ULL, counter(self, OPS));
	EXPECT_EQ(61ULL, counter(self, variant->counter));
	EXPECT_EQ(3ULL, counter(self, VHOST_BALLOON_C_SKIP_UNMAPPED));
	EXPECT_EQ(8U, vb_memory_zero(&self->ram, 32, 8));
	EXPECT_EQ(53U, vb_memory_zero(&self->ram, 43, 53));
	EXPECT_EQ(32U, vb_memory_intact(&self->ram, 0, 32, SEED));
	EXPECT_EQ(64U, vb_memory_intact(&self->ram, 96, 64, SEED));
}

TEST_F(batch, of_memory_that_is_all_gone)
{
	ASSERT_EQ(0, add_all(self));
	vb_memory_unmap(&self->ram);
	ascending(self->gfns, FIRST, BATCH);
	ASSERT_EQ(0, vb_machine_inflate(&self->m, self->gfns, BATCH));
	EXPECT_EQ(0ULL, counter(self, OPS));
	EXPECT_EQ(BATCH, counter(self, VHOST_BALLOON_C_SKIP_UNMAPPED));
}

TEST_F(batch, memory_mapped_anew_counts_as_what_it_is_now)
{
	void *hva = self->ram.hva, *new;

	ASSERT_EQ(0, add_all(self));
	ASSERT_EQ(0, vb_machine_inflate(&self->m, &(__u32){ FIRST }, 1));
	new = mmap(hva, PAGES * VB_PAGE, PROT_READ, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_EQ(hva, new);
	ASSERT_EQ(0, vb_machine_inflate(&self->m, &(__u32){ FIRST }, 1));
	EXPECT_EQ(1ULL, counter(self, variant->counter));
	EXPECT_EQ(1ULL, counter(self, VHOST_BALLOON_C_SKIP_NO_WRITE));
}

/* Side by side for the guest, the other way round for us. */
TEST_F(batch, across_two_regions_is_two_operations)
{
	struct vb_memory low = self->ram, high = self->ram;

	low.len = 64 * VB_PAGE;
	low.hva += 64 * VB_PAGE;
	high.len = 64 * VB_PAGE;
	high.gpa += 64 * VB_PAGE;
	ASSERT_EQ(0, vb_machine_add(&self->m, &low, 0));
	ASSERT_EQ(0, vb_machine_add(&self->m, &high, 0));
	ascending(self->gfns, FIRST + 60, 8);
	reverse(self->gfns, 8);
	ASSERT_EQ(0, vb_machine_inflate(&self->m, self->gfns, 8));
	EXPECT_EQ(2ULL, counter(self, OPS));
	EXPECT_EQ(8ULL, counter(self, variant->counter));
	EXPECT_EQ(4U, vb_memory_zero(&self->ram, 0, 4));
	EXPECT_EQ(120U, vb_memory_intact(&self->ram, 4, 120, SEED));
	EXPECT_EQ(4U, vb_memory_zero(&self->ram, 124, 4));
	EXPECT_EQ(PAGES - 128, vb_memory_intact(&self->ram, 128, PAGES - 128, SEED));
}

TEST_F(batch, around_the_ends_of_a_region)
{
	struct vb_memory part = self->ram;
	const __u32 gfns[] = {
		FIRST + 9, FIRST + 10, FIRST + 19, FIRST + 20, FIRST - 1, FIRST + PAGES,
	};

	part.gpa += 10 * VB_PAGE;
	part.hva += 10 * VB_PAGE;
	part.len = 10 * VB_PAGE;
	ASSERT_EQ(0, vb_machine_add(&self->m, &part, 0));
	ASSERT_EQ(0, vb_machine_inflate(&self->m, gfns, ARRAY_SIZE(gfns)));
	EXPECT_EQ(2ULL, counter(self, variant->counter));
	EXPECT_EQ(4ULL, counter(self, NO_SLOT));
	EXPECT_EQ(1U, vb_memory_zero(&self->ram, 10, 1));
	EXPECT_EQ(1U, vb_memory_zero(&self->ram, 19, 1));
	EXPECT_EQ(PAGES - 2, vb_memory_intact(&self->ram, 0, PAGES, SEED));
}

TEST_F(batch, range_that_sticks_out_of_a_region_on_both_sides)
{
	struct vb_memory part = self->ram;

	part.gpa += 10 * VB_PAGE;
	part.hva += 10 * VB_PAGE;
	part.len = 10 * VB_PAGE;
	ASSERT_EQ(0, vb_machine_add(&self->m, &part, 0));
	ascending(self->gfns, FIRST, 64);
	ASSERT_EQ(0, vb_machine_inflate(&self->m, self->gfns, 64));
	EXPECT_EQ(1ULL, counter(self, OPS));
	EXPECT_EQ(10ULL, counter(self, variant->counter));
	EXPECT_EQ(54ULL, counter(self, NO_SLOT));
	expect_gone(_metadata, self, 10, 10);
}

TEST_F(batch, page_numbers_that_are_nobodys)
{
	const __u32 gfns[] = { 0, 1, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff };

	ASSERT_EQ(0, add_all(self));
	ASSERT_EQ(0, vb_machine_inflate(&self->m, gfns, ARRAY_SIZE(gfns)));
	EXPECT_EQ(0ULL, counter(self, OPS));
	EXPECT_EQ(6ULL, counter(self, NO_SLOT));
	EXPECT_EQ(6ULL, counter(self, VHOST_BALLOON_C_INFLATED));
	expect_gone(_metadata, self, 0, 0);
}

TEST_F(batch, first_and_last_page_number_that_there_are)
{
	struct vb_memory low = self->ram, high = self->ram;
	const __u32 gfns[] = { 0xffffffff, 0 };
	struct vhost_balloon_region regions[3] = { 0 };
	struct vhost_balloon_info info;
	int ret;

	/* The second page of the upper one is out of reach of page numbers. */
	low.gpa = 0;
	low.len = VB_PAGE;
	high.gpa = 0xffffffffULL * VB_PAGE;
	high.len = 2 * VB_PAGE;
	high.hva += 8 * VB_PAGE;
	ASSERT_EQ(0, vb_machine_add(&self->m, &low, 0));
	ret = vb_machine_add(&self->m, &high, 0);
	if (variant->kvm && ret == -EINVAL)
		SKIP(return, "this processor's guests have no addresses of 16 TiB");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, vb_machine_inflate(&self->m, gfns, ARRAY_SIZE(gfns)));
	EXPECT_EQ(2ULL, counter(self, variant->counter));
	EXPECT_EQ(1U, vb_memory_zero(&self->ram, 0, 1));
	EXPECT_EQ(1U, vb_memory_zero(&self->ram, 8, 1));
	EXPECT_EQ(PAGES - 2, vb_memory_intact(&self->ram, 0, PAGES, SEED));

	ASSERT_EQ(0, vb_get_info(self->m.backend, &info));
	EXPECT_TRUE(info.flags & VHOST_BALLOON_INFO_ABOVE_16T);
	ASSERT_EQ(3, vb_get_regions(self->m.backend, regions, 3, NULL));
	EXPECT_FALSE(regions[0].flags & VHOST_BALLOON_REGION_ABOVE_16T);
	EXPECT_TRUE(regions[2].flags & VHOST_BALLOON_REGION_ABOVE_16T);
}

/*
 * Memory of huge pages, which go whole or not at all. The guest doesn't tell before it uses a
 * page again: so they have to be whole within one batch.
 */
FIXTURE(huge) {
	struct vb_machine m;
	struct vb_backing b;
	__u32 gfns[3 * VB_HUGE_PAGES];
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
	ret = vb_machine_open(&self->m, false,
			      FEATURES & ~VB_FEATURE(VIRTIO_BALLOON_F_MUST_TELL_HOST), RING_NUM);
	ASSERT_EQ(0, ret) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-ret));
	}
	ASSERT_EQ(0, vb_machine_add(&self->m, &self->b.mem, 0));
	ASSERT_EQ(0, vb_set_tunables(self->m.backend, VHOST_BALLOON_TUNE_HUGETLB,
				     VHOST_BALLOON_TUNE_HUGETLB));
	ASSERT_EQ(0, vb_machine_start(&self->m));
}

FIXTURE_TEARDOWN(huge)
{
	vb_machine_close(&self->m);
	vb_backing_close(&self->b);
}

/* Gives away @nr pages from page @first on, in one chain, in no order. */
static int inflate_huge(struct _test_data_huge *self, unsigned int first, unsigned int nr)
{
	ascending(self->gfns, FIRST + first, nr);
	shuffle(self->gfns, nr);
	return vb_machine_inflate(&self->m, self->gfns, nr);
}

static void expect_huge(struct __test_metadata *_metadata, struct _test_data_huge *self,
			unsigned int first_gone, unsigned int nr_gone, unsigned int parts)
{
	unsigned int page, wrong = 0;
	int fd = self->m.backend;

	EXPECT_EQ(nr_gone, vb_counter(fd, VHOST_BALLOON_C_DISCARD_HUGETLB));
	EXPECT_EQ(parts, vb_counter(fd, VHOST_BALLOON_C_SKIP_HUGETLB_PART));
	EXPECT_EQ(0ULL, vb_counter(fd, VHOST_BALLOON_C_SKIP_HUGETLB_OFF));
	for (page = 0; page < 3 * VB_HUGE_PAGES; page++) {
		bool gone = page >= first_gone && page < first_gone + nr_gone;

		wrong += vb_backing_resident(&self->b, page) == gone;
		/* To touch what is gone may need a huge page that nobody has. */
		wrong += !gone && !vb_backing_intact(&self->b, page);
	}
	EXPECT_EQ(0U, wrong);
}

TEST_F(huge, all_parts_in_one_chain_free_the_page)
{
	ASSERT_EQ(0, inflate_huge(self, VB_HUGE_PAGES, VB_HUGE_PAGES));
	EXPECT_EQ(1ULL, vb_counter(self->m.backend, OPS));
	expect_huge(_metadata, self, VB_HUGE_PAGES, VB_HUGE_PAGES, 0);
}

TEST_F(huge, all_parts_but_one_free_nothing)
{
	ASSERT_EQ(0, inflate_huge(self, VB_HUGE_PAGES, VB_HUGE_PAGES - 1));
	EXPECT_EQ(0ULL, vb_counter(self->m.backend, OPS));
	expect_huge(_metadata, self, 0, 0, VB_HUGE_PAGES - 1);
}

TEST_F(huge, halves_of_two_pages_free_nothing)
{
	ASSERT_EQ(0, inflate_huge(self, VB_HUGE_PAGES / 2, VB_HUGE_PAGES));
	EXPECT_EQ(0ULL, vb_counter(self->m.backend, OPS));
	expect_huge(_metadata, self, 0, 0, VB_HUGE_PAGES);
}

TEST_F(huge, whole_page_among_parts_is_freed)
{
	ASSERT_EQ(0, inflate_huge(self, VB_HUGE_PAGES - 3, VB_HUGE_PAGES + 5));
	EXPECT_EQ(1ULL, vb_counter(self->m.backend, OPS));
	expect_huge(_metadata, self, VB_HUGE_PAGES, VB_HUGE_PAGES, 5);
}

TEST_F(huge, the_tunable_holds_from_the_next_batch_on)
{
	const __u64 hugetlb = VHOST_BALLOON_TUNE_HUGETLB;
	int fd = self->m.backend;
	__u64 mask, values;

	ASSERT_EQ(0, vb_set_tunables(fd, hugetlb, 0));
	ASSERT_EQ(0, vb_get_tunables(fd, &mask, &values));
	EXPECT_EQ(hugetlb, mask & hugetlb);
	EXPECT_EQ(0ULL, values & hugetlb);
	ASSERT_EQ(0, inflate_huge(self, 0, VB_HUGE_PAGES));
	EXPECT_EQ((__u64)VB_HUGE_PAGES, vb_counter(fd, VHOST_BALLOON_C_SKIP_HUGETLB_OFF));
	EXPECT_EQ(0ULL, vb_counter(fd, OPS));
	/* What the mask doesn't name stays. */
	ASSERT_EQ(0, vb_set_tunables(fd, hugetlb, hugetlb));
	ASSERT_EQ(0, vb_set_tunables(fd, 0, 0));
	ASSERT_EQ(0, vb_get_tunables(fd, &mask, &values));
	EXPECT_EQ(hugetlb, values & hugetlb);
	ASSERT_EQ(0, inflate_huge(self, 0, VB_HUGE_PAGES));
	EXPECT_EQ((__u64)VB_HUGE_PAGES, vb_counter(fd, VHOST_BALLOON_C_DISCARD_HUGETLB));
}

TEST_HARNESS_MAIN
