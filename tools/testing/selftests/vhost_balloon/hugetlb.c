// SPDX-License-Identifier: GPL-2.0
/*
 * Huge pages that are given away in parts, over any number of requests: nothing
 * goes before the last part of a huge page has come, and then exactly this one. A part
 * that was taken back is missing again, and parts don't outlive the guest's driver.
 *
 * See hugetlb_slots.c for memory slots that change meanwhile, hugetlb_race.c for
 * parts that are taken back at the same time, and inflate_batch.c for huge pages that
 * are given away at once.
 */
#include <string.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>

#include "kselftest_harness.h"
#include "vb_hugetlb.h"
#include "vb_memory.h"

#define V1		VB_FEATURE(VIRTIO_F_VERSION_1)
#define FEATURES	(V1 | VB_FEATURE(VIRTIO_BALLOON_F_MUST_TELL_HOST))
#define RING_NUM	16
#define RAM_GPA		0x10000000ULL
/* Huge pages of the host don't begin with those of the guest. */
#define UNALIGNED_GPA	(RAM_GPA + 5 * VB_PAGE)
#define GIGANTIC_GPA	0x80000000ULL
#define TUNE		VHOST_BALLOON_TUNE_HUGETLB

/* A part that is in no way special, and the last one. */
#define SOME		77U
#define LAST		(VB_HUGE_PAGES - 1)

/* The memory has three huge pages: as a mask. */
#define ALL		7U

FIXTURE(hugetlb) {
	struct vb_machine m;
	struct vb_backing b;
	/* Huge pages that nobody has. */
	long pool;
	long file_pages;
};

FIXTURE_VARIANT(hugetlb) {
	const struct vb_backing_type *type;
	bool kvm;
	__u64 gpa;
};

FIXTURE_VARIANT_ADD(hugetlb, shared_table) {
	.type = &vb_backing_hugetlb_shared, .gpa = RAM_GPA,
};

FIXTURE_VARIANT_ADD(hugetlb, shared_memslots) {
	.type = &vb_backing_hugetlb_shared, .gpa = RAM_GPA, .kvm = true,
};

FIXTURE_VARIANT_ADD(hugetlb, private_table) {
	.type = &vb_backing_hugetlb_private, .gpa = RAM_GPA,
};

FIXTURE_VARIANT_ADD(hugetlb, private_memslots) {
	.type = &vb_backing_hugetlb_private, .gpa = RAM_GPA, .kvm = true,
};

FIXTURE_VARIANT_ADD(hugetlb, unaligned_table) {
	.type = &vb_backing_hugetlb_shared, .gpa = UNALIGNED_GPA,
};

FIXTURE_VARIANT_ADD(hugetlb, unaligned_memslots) {
	.type = &vb_backing_hugetlb_private, .gpa = UNALIGNED_GPA, .kvm = true,
};

FIXTURE_SETUP(hugetlb)
{
	const char *missing = variant->kvm ? vb_kvm_missing() : NULL;
	int ret;

	if (missing)
		SKIP(return, "%s", missing);
	ret = vb_backing_open(&self->b, variant->type, variant->gpa);
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
	self->pool = vb_hugetlb_free(VB_HUGE);
	self->file_pages = vb_backing_file_pages(&self->b);
}

FIXTURE_TEARDOWN(hugetlb)
{
	vb_machine_close(&self->m);
	vb_backing_close(&self->b);
}

static __u64 counter(FIXTURE_DATA(hugetlb) *self, enum vhost_balloon_counter which)
{
	return vb_counter(self->m.backend, which);
}

static int inflate_part(FIXTURE_DATA(hugetlb) *self, unsigned int huge, unsigned int part)
{
	return vb_inflate_range(&self->m, vb_hugetlb_gpa(&self->b, huge, part), 1);
}

static int deflate_part(FIXTURE_DATA(hugetlb) *self, unsigned int huge, unsigned int part)
{
	return vb_deflate_range(&self->m, vb_hugetlb_gpa(&self->b, huge, part), 1);
}

static int inflate_but(FIXTURE_DATA(hugetlb) *self, unsigned int huge, unsigned int but)
{
	return vb_hugetlb_inflate_but(&self->m, vb_hugetlb_gpa(&self->b, huge, 0), but);
}

/* The huge pages of @mask went back to the pool, and are still there; all others are as they were. */
static void expect_gone(struct __test_metadata *_metadata, FIXTURE_DATA(hugetlb) *self,
			unsigned int mask)
{
	long nr = __builtin_popcount(mask);

	EXPECT_EQ(mask, vb_hugetlb_gone(&self->b));
	EXPECT_EQ(ALL & ~mask, vb_hugetlb_intact(&self->b));
	EXPECT_EQ(self->pool + nr, vb_hugetlb_free(VB_HUGE));
	if (self->file_pages >= 0)
		EXPECT_EQ(self->file_pages - nr * VB_HUGE_PAGES, vb_backing_file_pages(&self->b));
}

TEST_F_TIMEOUT(hugetlb, the_last_of_many_requests_frees_exactly_its_huge_page, 120)
{
	__u64 gpa = vb_hugetlb_gpa(&self->b, 1, 0);
	unsigned int page, wrong = 0;

	ASSERT_EQ(0, vb_hugetlb_inflate(&self->m, gpa, SOME, 1, 1));
	EXPECT_EQ(511ULL, counter(self, VHOST_BALLOON_C_HUGETLB_GATHERED));
	EXPECT_EQ(0ULL, counter(self, VHOST_BALLOON_C_SKIP_HUGETLB_PART));
	EXPECT_EQ(0ULL, counter(self, VHOST_BALLOON_C_DISCARD_HUGETLB));
	EXPECT_EQ(0ULL, counter(self, VHOST_BALLOON_C_DISCARD_OPS));
	expect_gone(_metadata, self, 0);

	ASSERT_EQ(0, inflate_part(self, 1, SOME));
	EXPECT_EQ(512ULL, counter(self, VHOST_BALLOON_C_INFLATED));
	EXPECT_EQ(512ULL, counter(self, VHOST_BALLOON_C_DISCARD_HUGETLB));
	EXPECT_EQ(1ULL, counter(self, VHOST_BALLOON_C_DISCARD_OPS));
	EXPECT_EQ(0ULL, counter(self, VHOST_BALLOON_C_SKIP_HUGETLB_PART));
	expect_gone(_metadata, self, 2);

	for (page = VB_HUGE_PAGES; page < 2 * VB_HUGE_PAGES; page++)
		wrong += !vb_backing_fresh(&self->b, page);
	EXPECT_EQ(0U, wrong);
}

TEST_F_TIMEOUT(hugetlb, parts_may_come_in_any_order_and_any_number_at_once, 120)
{
	static const struct {
		unsigned int huge, but, stride, each;
	} rounds[] = {
		{ .huge = 2, .but = LAST, .stride = 1, .each = 100 },
		/* Falling, as Linux names them. */
		{ .huge = 0, .but = 0, .stride = VB_HUGE_PAGES - 1, .each = 256 },
		{ .huge = 1, .but = SOME, .stride = 167, .each = 7 },
	};
	unsigned int gone = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rounds); i++) {
		__u64 gpa = vb_hugetlb_gpa(&self->b, rounds[i].huge, 0);

		ASSERT_EQ(0, vb_hugetlb_inflate(&self->m, gpa, rounds[i].but, rounds[i].stride,
						rounds[i].each));
		expect_gone(_metadata, self, gone);
		ASSERT_EQ(0, inflate_part(self, rounds[i].huge, rounds[i].but));
		gone |= 1U << rounds[i].huge;
		expect_gone(_metadata, self, gone);
	}
}

TEST_F_TIMEOUT(hugetlb, parts_of_two_huge_pages_are_told_apart, 120)
{
	unsigned int i;

	for (i = 0; i < VB_HUGE_PAGES - 1; i++) {
		__u32 gfns[] = {
			vb_hugetlb_gpa(&self->b, 2, LAST - i) / VB_PAGE,
			vb_hugetlb_gpa(&self->b, 1, i) / VB_PAGE,
		};

		ASSERT_EQ(0, vb_machine_inflate(&self->m, gfns, ARRAY_SIZE(gfns)));
	}
	EXPECT_EQ(2 * 511ULL, counter(self, VHOST_BALLOON_C_HUGETLB_GATHERED));
	expect_gone(_metadata, self, 0);
	ASSERT_EQ(0, inflate_part(self, 2, 0));
	expect_gone(_metadata, self, 4);
	ASSERT_EQ(0, inflate_part(self, 1, LAST));
	expect_gone(_metadata, self, 6);
	EXPECT_EQ(1024ULL, counter(self, VHOST_BALLOON_C_DISCARD_HUGETLB));
}

TEST_F(hugetlb, whole_huge_page_goes_at_once_and_the_parts_beside_it_are_kept)
{
	/* From the last part of the first one on, to the first part of the last one. */
	ASSERT_EQ(0, vb_inflate_range(&self->m, vb_hugetlb_gpa(&self->b, 0, LAST), 514));
	expect_gone(_metadata, self, 2);
	EXPECT_EQ(512ULL, counter(self, VHOST_BALLOON_C_DISCARD_HUGETLB));
	EXPECT_EQ(2ULL, counter(self, VHOST_BALLOON_C_HUGETLB_GATHERED));
	ASSERT_EQ(0, vb_inflate_range(&self->m, vb_hugetlb_gpa(&self->b, 0, 0), LAST));
	expect_gone(_metadata, self, 3);
	ASSERT_EQ(0, vb_inflate_range(&self->m, vb_hugetlb_gpa(&self->b, 2, 1), LAST));
	expect_gone(_metadata, self, 7);
}

TEST_F(hugetlb, part_that_is_named_again_does_not_stand_for_another)
{
	__u32 twice[] = {
		vb_hugetlb_gpa(&self->b, 1, SOME + 1) / VB_PAGE,
		vb_hugetlb_gpa(&self->b, 1, SOME + 1) / VB_PAGE,
	};

	ASSERT_EQ(0, inflate_but(self, 1, SOME));
	ASSERT_EQ(0, inflate_part(self, 1, SOME + 1));
	ASSERT_EQ(0, vb_machine_inflate(&self->m, twice, ARRAY_SIZE(twice)));
	ASSERT_EQ(0, inflate_but(self, 1, SOME));
	expect_gone(_metadata, self, 0);
	ASSERT_EQ(0, inflate_part(self, 1, SOME));
	expect_gone(_metadata, self, 2);
}

TEST_F(hugetlb, part_that_was_taken_back_is_missing_until_it_is_given_again)
{
	ASSERT_EQ(0, inflate_but(self, 1, LAST));
	ASSERT_EQ(0, deflate_part(self, 1, SOME));
	ASSERT_EQ(0, inflate_part(self, 1, LAST));
	expect_gone(_metadata, self, 0);
	EXPECT_EQ(0ULL, counter(self, VHOST_BALLOON_C_DISCARD_OPS));
	ASSERT_EQ(0, inflate_part(self, 1, SOME));
	expect_gone(_metadata, self, 2);
}

TEST_F(hugetlb, part_that_was_taken_back_without_having_been_given_changes_nothing)
{
	ASSERT_EQ(0, deflate_part(self, 1, SOME));
	ASSERT_EQ(0, inflate_but(self, 1, LAST));
	/* Parts of the neighbours, and pages where there is no memory. */
	ASSERT_EQ(0, deflate_part(self, 0, LAST));
	ASSERT_EQ(0, deflate_part(self, 2, 0));
	ASSERT_EQ(0, vb_deflate_range(&self->m, 0, 1));
	ASSERT_EQ(0, inflate_part(self, 1, LAST));
	expect_gone(_metadata, self, 2);
}

TEST_F(hugetlb, part_of_a_freed_huge_page_taken_back_and_given_again_frees_it_again)
{
	unsigned int page = VB_HUGE_PAGES + SOME;
	__u64 *word = self->b.mem.hva + page * VB_PAGE;

	ASSERT_EQ(0, inflate_but(self, 1, VB_HUGE_ALL));
	expect_gone(_metadata, self, 2);

	ASSERT_EQ(0, deflate_part(self, 1, SOME));
	*word = 0x1234;
	EXPECT_EQ(self->pool, vb_hugetlb_free(VB_HUGE));
	ASSERT_EQ(0, inflate_part(self, 1, SOME));
	expect_gone(_metadata, self, 2);
	EXPECT_EQ(1024ULL, counter(self, VHOST_BALLOON_C_DISCARD_HUGETLB));
	EXPECT_TRUE(vb_backing_fresh(&self->b, page));
}

TEST_F(hugetlb, freed_huge_page_taken_back_as_a_whole_is_gathered_anew)
{
	ASSERT_EQ(0, inflate_but(self, 1, VB_HUGE_ALL));
	ASSERT_EQ(0, vb_deflate_range(&self->m, vb_hugetlb_gpa(&self->b, 1, 0), VB_HUGE_PAGES));
	vb_backing_fill(&self->b);
	ASSERT_EQ(0, inflate_but(self, 1, SOME));
	expect_gone(_metadata, self, 0);
	EXPECT_EQ(512ULL, counter(self, VHOST_BALLOON_C_DISCARD_HUGETLB));
	ASSERT_EQ(0, inflate_part(self, 1, SOME));
	expect_gone(_metadata, self, 2);
	EXPECT_EQ(1024ULL, counter(self, VHOST_BALLOON_C_DISCARD_HUGETLB));
}

/* All parts but one were given before; now this one, then all the others. */
static void expect_forgotten(struct __test_metadata *_metadata, FIXTURE_DATA(hugetlb) *self)
{
	ASSERT_EQ(0, inflate_part(self, 1, SOME));
	expect_gone(_metadata, self, 0);
	ASSERT_EQ(0, inflate_but(self, 1, SOME));
	expect_gone(_metadata, self, 2);
}

TEST_F(hugetlb, parts_are_forgotten_at_a_reset)
{
	ASSERT_EQ(0, inflate_but(self, 1, SOME));
	ASSERT_EQ(0, vb_machine_reload(&self->m, FEATURES));
	ASSERT_EQ(0, vb_set_tunables(self->m.backend, TUNE, TUNE));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	expect_forgotten(_metadata, self);
}

/* It may have named any page, and is acknowledged all the same. */
TEST_F(hugetlb, parts_are_forgotten_when_a_deflate_can_not_be_read)
{
	const struct vb_sg nowhere = { .addr = 0, .len = 4 };

	ASSERT_EQ(0, inflate_but(self, 1, SOME));
	ASSERT_EQ(0, vb_queue_send(&self->m.deflate, &nowhere, 1));
	EXPECT_EQ(1ULL, counter(self, VHOST_BALLOON_C_MALFORMED));
	expect_forgotten(_metadata, self);
}

TEST_F(hugetlb, parts_are_forgotten_when_features_are_set)
{
	ASSERT_EQ(0, inflate_but(self, 1, SOME));
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	ASSERT_EQ(0, vb_set_features(self->m.backend, FEATURES));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	expect_forgotten(_metadata, self);
}

TEST_F(hugetlb, parts_are_forgotten_when_a_vm_is_bound)
{
	if (!variant->kvm)
		SKIP(return, "memory is known by a table");
	ASSERT_EQ(0, inflate_but(self, 1, SOME));
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	ASSERT_EQ(0, vb_set_vm(self->m.backend, -1));
	ASSERT_EQ(0, vb_machine_set_memory(&self->m));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	expect_forgotten(_metadata, self);
}

TEST_F(hugetlb, parts_are_forgotten_when_it_is_switched_off)
{
	ASSERT_EQ(0, inflate_but(self, 1, SOME));
	ASSERT_EQ(0, vb_set_tunables(self->m.backend, TUNE, 0));
	ASSERT_EQ(0, vb_set_tunables(self->m.backend, TUNE, TUNE));
	expect_forgotten(_metadata, self);
}

/* Whoever sets an index may do so for another driver. */
TEST_F(hugetlb, parts_are_forgotten_when_a_ring_is_set_back)
{
	ASSERT_EQ(0, inflate_but(self, 1, SOME));
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	ASSERT_EQ(0, vb_set_vring_base(self->m.backend, VB_DEFLATE, 0));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	expect_forgotten(_metadata, self);
}

TEST_F(hugetlb, parts_outlast_a_pause)
{
	ASSERT_EQ(0, inflate_but(self, 1, SOME));
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	expect_gone(_metadata, self, 0);
	ASSERT_EQ(0, inflate_part(self, 1, SOME));
	expect_gone(_metadata, self, 2);
}

TEST_F(hugetlb, parts_stay_when_it_is_the_log_that_is_switched)
{
	__u64 log_all = VB_FEATURE(VHOST_F_LOG_ALL);

	ASSERT_EQ(0, inflate_but(self, 1, SOME));
	ASSERT_EQ(0, vb_set_features(self->m.backend, FEATURES | log_all));
	ASSERT_EQ(0, vb_set_features(self->m.backend, FEATURES));
	ASSERT_EQ(0, inflate_part(self, 1, SOME));
	expect_gone(_metadata, self, 2);
}

TEST_F(hugetlb, parts_stay_when_a_table_is_replaced_that_says_the_same)
{
	struct vb_memory table[3] = { self->m.buf, self->b.mem, self->b.mem };
	const __u64 half = 3 * VB_HUGE / 2;

	if (variant->kvm)
		SKIP(return, "memory is known by memslots");
	ASSERT_EQ(0, inflate_but(self, 1, SOME));
	/* In two parts, the second one of which begins within the huge page. */
	table[1].len = half;
	table[2].len -= half;
	table[2].gpa += half;
	table[2].hva += half;
	ASSERT_EQ(0, vb_set_mem_table(self->m.backend, table, ARRAY_SIZE(table)));
	expect_gone(_metadata, self, 0);
	ASSERT_EQ(0, inflate_part(self, 1, SOME));
	expect_gone(_metadata, self, 2);
}

TEST_F(hugetlb, nothing_is_gathered_or_freed_while_it_is_switched_off)
{
	ASSERT_EQ(0, vb_set_tunables(self->m.backend, TUNE, 0));
	ASSERT_EQ(0, inflate_but(self, 1, SOME));
	ASSERT_EQ(0, vb_inflate_range(&self->m, vb_hugetlb_gpa(&self->b, 2, 0), VB_HUGE_PAGES));
	EXPECT_EQ(1023ULL, counter(self, VHOST_BALLOON_C_SKIP_HUGETLB_OFF));
	EXPECT_EQ(0ULL, counter(self, VHOST_BALLOON_C_HUGETLB_GATHERED));
	EXPECT_EQ(0ULL, counter(self, VHOST_BALLOON_C_DISCARD_OPS));
	expect_gone(_metadata, self, 0);
	ASSERT_EQ(0, vb_set_tunables(self->m.backend, TUNE, TUNE));
	expect_forgotten(_metadata, self);
}

TEST_F(hugetlb, nothing_is_gathered_from_a_guest_that_need_not_tell)
{
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	ASSERT_EQ(0, vb_set_features(self->m.backend, V1));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	ASSERT_EQ(0, inflate_but(self, 1, SOME));
	ASSERT_EQ(0, inflate_part(self, 1, SOME));
	EXPECT_EQ(512ULL, counter(self, VHOST_BALLOON_C_SKIP_HUGETLB_PART));
	EXPECT_EQ(0ULL, counter(self, VHOST_BALLOON_C_HUGETLB_GATHERED));
	expect_gone(_metadata, self, 0);

	/* What it names at once can't be in use again. */
	ASSERT_EQ(0, vb_inflate_range(&self->m, vb_hugetlb_gpa(&self->b, 2, 0), VB_HUGE_PAGES));
	expect_gone(_metadata, self, 4);
	EXPECT_EQ(512ULL, counter(self, VHOST_BALLOON_C_SKIP_HUGETLB_PART));
}

/* A huge page of 1 GiB. If none is free the pool gets one for the time of the test. */
FIXTURE(gigantic) {
	struct vb_machine m;
	struct vb_backing b;
	long total;
};

FIXTURE_VARIANT(gigantic) {
	const struct vb_backing_type *type;
};

FIXTURE_VARIANT_ADD(gigantic, shared) { .type = &vb_backing_gigantic_shared };
FIXTURE_VARIANT_ADD(gigantic, private) { .type = &vb_backing_gigantic_private };

FIXTURE_SETUP(gigantic)
{
	int ret;

	self->m.backend = -1;
	self->b.fd = -1;
	self->b.extra = -1;
	self->total = vb_hugetlb_total(VB_GIGANTIC);
	if (self->total < 0)
		SKIP(return, "this host knows no huge pages of 1 GiB");
	if (!vb_hugetlb_free(VB_GIGANTIC) && vb_hugetlb_resize(VB_GIGANTIC, self->total + 1))
		SKIP(return, "no memory for a huge page of 1 GiB");
	ret = vb_backing_open(&self->b, variant->type, GIGANTIC_GPA);
	if (self->b.why)
		SKIP(return, "%s: %s", self->b.why, strerror(-ret));
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, vb_machine_open(&self->m, false, FEATURES, RING_NUM));
	ASSERT_EQ(0, vb_machine_add(&self->m, &self->b.mem, 0));
	ASSERT_EQ(0, vb_set_tunables(self->m.backend, TUNE, TUNE));
	ASSERT_EQ(0, vb_machine_start(&self->m));
}

FIXTURE_TEARDOWN(gigantic)
{
	vb_machine_close(&self->m);
	vb_backing_close(&self->b);
	if (self->total >= 0 && vb_hugetlb_total(VB_GIGANTIC) != self->total)
		vb_hugetlb_resize(VB_GIGANTIC, self->total);
}

TEST_F_TIMEOUT(gigantic, huge_page_of_1_gib_goes_with_its_last_part, 300)
{
	unsigned int some = VB_GIGANTIC_PAGES / 2 + SOME;
	long pool = vb_hugetlb_free(VB_GIGANTIC);
	unsigned int page, wrong = 0;

	for (page = 0; page < VB_GIGANTIC_PAGES; page += VB_HUGE_PAGES) {
		unsigned int but = page == some - SOME ? SOME : VB_HUGE_ALL;

		ASSERT_EQ(0, vb_hugetlb_inflate(&self->m, GIGANTIC_GPA + page * VB_PAGE, but, 1,
						VB_HUGE_PAGES));
	}
	EXPECT_EQ(VB_GIGANTIC_PAGES - 1, vb_counter(self->m.backend,
						    VHOST_BALLOON_C_HUGETLB_GATHERED));
	EXPECT_EQ(0ULL, vb_counter(self->m.backend, VHOST_BALLOON_C_DISCARD_OPS));
	EXPECT_EQ(pool, vb_hugetlb_free(VB_GIGANTIC));
	for (page = 0; page < VB_GIGANTIC_PAGES; page += 61)
		wrong += !vb_backing_intact(&self->b, page);
	EXPECT_EQ(0U, wrong);

	ASSERT_EQ(0, vb_inflate_range(&self->m, GIGANTIC_GPA + some * VB_PAGE, 1));
	EXPECT_EQ(VB_GIGANTIC_PAGES, vb_counter(self->m.backend, VHOST_BALLOON_C_DISCARD_HUGETLB));
	EXPECT_EQ(1ULL, vb_counter(self->m.backend, VHOST_BALLOON_C_DISCARD_OPS));
	EXPECT_EQ(pool + 1, vb_hugetlb_free(VB_GIGANTIC));
	EXPECT_EQ(0, vb_backing_resident(&self->b, 0));
	EXPECT_EQ(0, vb_backing_resident(&self->b, VB_GIGANTIC_PAGES - 1));
}

TEST_HARNESS_MAIN
