// SPDX-License-Identifier: GPL-2.0
/*
 * Transparent huge pages that are given away in parts: nothing goes before the last part of one
 * has come, and then it goes as a whole, in one operation. What isn't a huge page, or isn't one
 * for the guest, goes part by part.
 *
 * See thp_flush.c for parts whose rest doesn't come, thp_slots.c for memory slots that change
 * meanwhile, and thp_race.c for a guest that doesn't wait.
 */
#include <sys/mman.h>

#include "vb_thp_test.h"

#define V1		VB_FEATURE(VIRTIO_F_VERSION_1)
#define TUNE		VHOST_BALLOON_TUNE_THP
#define HUGE		4U
#define HALF		(VB_HUGE_PAGES / 2)
#define QUARTER		(VB_HUGE_PAGES / 4)
#define LAST		(VB_HUGE_PAGES - 1)

/* A page that is in no way special. */
#define SOME		77U

/* As many as are kept at a time, and two. */
#define KEPT		16U

FIXTURE(thp) {
	struct vb_thp t;
};

FIXTURE_VARIANT(thp) {
	bool kvm;
	bool by_worker;
};

FIXTURE_VARIANT_ADD(thp, table) { };
FIXTURE_VARIANT_ADD(thp, table_by_worker) { .by_worker = true };
FIXTURE_VARIANT_ADD(thp, memslots) { .kvm = true };
FIXTURE_VARIANT_ADD(thp, memslots_by_worker) { .kvm = true, .by_worker = true };

FIXTURE_SETUP(thp)
{
	vb_thp_setup(_metadata, &self->t, variant->kvm, variant->by_worker, VB_THP_FEATURES, HUGE);
	if (!self->t.why)
		ASSERT_EQ(0, vb_thp_start(&self->t));
}

FIXTURE_TEARDOWN(thp)
{
	vb_thp_close(&self->t);
}

/* The first page of a huge page. */
static unsigned int first_of(unsigned int huge)
{
	return huge * VB_HUGE_PAGES;
}

TEST_F_TIMEOUT(thp, halves_in_either_order_go_as_a_whole, 120)
{
	struct vb_thp *t = &self->t;

	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(1), HALF));
		vb_thp_expect(_metadata, t, HALF, 0, 0);
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(1) + HALF, HALF));
		vb_thp_expect_gone(t, first_of(1), VB_HUGE_PAGES);
		vb_thp_expect(_metadata, t, HALF, 1, 512);
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(2) + HALF, HALF));
		vb_thp_expect(_metadata, t, 2 * HALF, 1, 512);
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(2), HALF));
		vb_thp_expect_gone(t, first_of(2), VB_HUGE_PAGES);
		vb_thp_expect(_metadata, t, 2 * HALF, 2, 1024);
		EXPECT_EQ(0U, vb_thp_not_zero(t));
	}
}

TEST_F_TIMEOUT(thp, quarters_in_no_order_go_as_a_whole, 120)
{
	static const unsigned int order[] = { 2, 0, 3, 1 };
	struct vb_thp *t = &self->t;
	unsigned int i;

	while (vb_thp_attempt(_metadata, t)) {
		for (i = 0; i < ARRAY_SIZE(order); i++) {
			vb_thp_expect(_metadata, t, i * QUARTER, 0, 0);
			ASSERT_EQ(0, vb_thp_inflate(t, first_of(3) + order[i] * QUARTER, QUARTER));
		}
		vb_thp_expect_gone(t, first_of(3), VB_HUGE_PAGES);
		vb_thp_expect(_metadata, t, 3 * QUARTER, 1, 512);
		EXPECT_EQ(0U, vb_thp_not_zero(t));
	}
}

TEST_F_TIMEOUT(thp, single_pages_go_when_the_last_one_has_come, 120)
{
	struct vb_thp *t = &self->t;
	unsigned int i;

	while (vb_thp_attempt(_metadata, t)) {
		for (i = 0; i < LAST; i++) {
			/* Any odd number makes an order in which neighbours don't follow. */
			ASSERT_EQ(0, vb_thp_inflate(t, i * 167 % VB_HUGE_PAGES, 1));
			vb_thp_renew(t);
		}
		vb_thp_expect(_metadata, t, LAST, 0, 0);
		ASSERT_EQ(0, vb_thp_inflate(t, i * 167 % VB_HUGE_PAGES, 1));
		vb_thp_expect_gone(t, 0, VB_HUGE_PAGES);
		vb_thp_expect(_metadata, t, LAST, 1, 512);
		EXPECT_EQ(512ULL, vb_thp_risen(t, VHOST_BALLOON_C_INFLATED));
	}
}

TEST_F_TIMEOUT(thp, parts_of_two_huge_pages_are_told_apart, 120)
{
	struct vb_thp *t = &self->t;

	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(2), HALF));
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(1) + HALF, HALF));
		vb_thp_expect(_metadata, t, 2 * HALF, 0, 0);
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(2) + HALF, HALF));
		vb_thp_expect_gone(t, first_of(2), VB_HUGE_PAGES);
		vb_thp_expect(_metadata, t, 2 * HALF, 1, 512);
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(1), HALF));
		vb_thp_expect_gone(t, first_of(1), VB_HUGE_PAGES);
		vb_thp_expect(_metadata, t, 2 * HALF, 2, 1024);
	}
}

TEST_F_TIMEOUT(thp, whole_huge_pages_go_at_once, 120)
{
	struct vb_thp *t = &self->t;

	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(3), VB_HUGE_PAGES));
		vb_thp_expect_gone(t, first_of(3), VB_HUGE_PAGES);
		vb_thp_expect(_metadata, t, 0, 1, 512);
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(0), 2 * VB_HUGE_PAGES));
		vb_thp_expect_gone(t, first_of(0), 2 * VB_HUGE_PAGES);
		vb_thp_expect(_metadata, t, 0, 2, 1536);
		EXPECT_EQ(0U, vb_thp_not_zero(t));
	}
}

TEST_F_TIMEOUT(thp, ends_of_a_run_are_kept_and_what_is_between_goes, 120)
{
	struct vb_thp *t = &self->t;

	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, vb_thp_inflate(t, 300, 212 + 512 + 200));
		vb_thp_expect_gone(t, first_of(1), VB_HUGE_PAGES);
		vb_thp_expect(_metadata, t, 412, 1, 512);
		ASSERT_EQ(0, vb_thp_inflate(t, 0, 300));
		vb_thp_expect_gone(t, first_of(0), VB_HUGE_PAGES);
		vb_thp_expect(_metadata, t, 412, 2, 1024);
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(2) + 200, 312));
		vb_thp_expect_gone(t, first_of(2), VB_HUGE_PAGES);
		vb_thp_expect(_metadata, t, 412, 3, 1536);
	}
}

TEST_F_TIMEOUT(thp, ends_of_a_run_across_one_border_are_kept, 120)
{
	struct vb_thp *t = &self->t;

	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(2) - 7, 9));
		vb_thp_expect(_metadata, t, 9, 0, 0);
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(2) + 2, 510));
		vb_thp_expect_gone(t, first_of(2), VB_HUGE_PAGES);
		vb_thp_expect(_metadata, t, 9, 1, 512);
	}
}

TEST_F_TIMEOUT(thp, run_that_completes_huge_pages_at_its_ends_is_one_operation, 120)
{
	struct vb_thp *t = &self->t;

	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, vb_thp_inflate(t, 0, 300));
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(2) + 200, 312));
		vb_thp_expect(_metadata, t, 612, 0, 0);
		ASSERT_EQ(0, vb_thp_inflate(t, 300, 212 + 512 + 200));
		vb_thp_expect_gone(t, 0, 3 * VB_HUGE_PAGES);
		vb_thp_expect(_metadata, t, 612, 1, 1536);
		EXPECT_EQ(0U, vb_thp_not_zero(t));
	}
}

TEST_F_TIMEOUT(thp, run_that_completes_a_huge_page_at_one_end_keeps_the_other, 120)
{
	struct vb_thp *t = &self->t;

	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(1), 300));
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(1) + 300, 212 + 10));
		vb_thp_expect_gone(t, first_of(1), VB_HUGE_PAGES);
		vb_thp_expect(_metadata, t, 310, 1, 512);
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(3) + 10, 502));
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(3) - 20, 30));
		vb_thp_expect_gone(t, first_of(3), VB_HUGE_PAGES);
		vb_thp_expect(_metadata, t, 310 + 502 + 20, 2, 1024);
	}
}

TEST_F_TIMEOUT(thp, page_that_is_named_again_does_not_stand_for_another, 120)
{
	struct vb_thp *t = &self->t;

	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, vb_thp_inflate(t, 0, HALF));
		ASSERT_EQ(0, vb_thp_inflate(t, 0, HALF));
		ASSERT_EQ(0, vb_thp_inflate(t, HALF, HALF - 1));
		vb_thp_expect(_metadata, t, 3 * HALF - 1, 0, 0);
		ASSERT_EQ(0, vb_thp_inflate(t, LAST, 1));
		vb_thp_expect_gone(t, 0, VB_HUGE_PAGES);
		vb_thp_expect(_metadata, t, 3 * HALF - 1, 1, 512);
	}
}

TEST_F_TIMEOUT(thp, page_that_was_taken_back_is_missing_until_it_is_given_again, 120)
{
	struct vb_thp *t = &self->t;

	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, vb_thp_inflate(t, 0, LAST));
		ASSERT_EQ(0, vb_thp_deflate(t, SOME, 1));
		ASSERT_EQ(0, vb_thp_inflate(t, LAST, 1));
		vb_thp_expect(_metadata, t, 512, 0, 0);
		ASSERT_EQ(0, vb_thp_inflate(t, SOME, 1));
		vb_thp_expect_gone(t, 0, VB_HUGE_PAGES);
		vb_thp_expect(_metadata, t, 512, 1, 512);
	}
}

TEST_F_TIMEOUT(thp, page_that_was_taken_back_without_having_been_given_changes_nothing, 120)
{
	struct vb_thp *t = &self->t;

	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(1), HALF));
		ASSERT_EQ(0, vb_thp_deflate(t, first_of(1) + HALF, HALF));
		/* The neighbours, and where there is no memory. */
		ASSERT_EQ(0, vb_thp_deflate(t, first_of(1) - 1, 1));
		ASSERT_EQ(0, vb_deflate_range(&t->m, 0, 1));
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(1) + HALF, HALF));
		vb_thp_expect_gone(t, first_of(1), VB_HUGE_PAGES);
		vb_thp_expect(_metadata, t, HALF, 1, 512);
	}
}

TEST_F_TIMEOUT(thp, all_that_was_taken_back_is_given_anew, 120)
{
	struct vb_thp *t = &self->t;

	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(1), HALF));
		/* From one that isn't kept to one that isn't. */
		ASSERT_EQ(0, vb_thp_deflate(t, first_of(1) - 10, VB_HUGE_PAGES + 20));
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(1) + HALF, HALF));
		vb_thp_expect(_metadata, t, 512, 0, 0);
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(1), HALF));
		vb_thp_expect_gone(t, first_of(1), VB_HUGE_PAGES);
		vb_thp_expect(_metadata, t, 512, 1, 512);
	}
}

/* It may have named any page, and is acknowledged all the same. */
TEST_F_TIMEOUT(thp, parts_are_forgotten_when_a_deflate_can_not_be_read, 120)
{
	const struct vb_sg nowhere = { .addr = 0, .len = 4 };
	struct vb_thp *t = &self->t;

	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, vb_thp_inflate(t, 0, HALF));
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(3), HALF));
		ASSERT_EQ(0, vb_queue_send(&t->m.deflate, &nowhere, 1));
		EXPECT_EQ(1ULL, vb_thp_risen(t, VHOST_BALLOON_C_MALFORMED));
		ASSERT_EQ(0, vb_thp_inflate(t, HALF, HALF));
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(3) + HALF, HALF));
		vb_thp_expect(_metadata, t, 4 * HALF, 0, 0);
		ASSERT_EQ(0, vb_thp_inflate(t, 0, HALF));
		vb_thp_expect_gone(t, 0, VB_HUGE_PAGES);
		vb_thp_expect(_metadata, t, 4 * HALF, 1, 512);
	}
}

TEST_F_TIMEOUT(thp, huge_page_that_the_vmm_has_split_goes_part_by_part, 120)
{
	struct vb_thp *t = &self->t;

	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, madvise(t->ram.hva + LAST * VB_PAGE, VB_PAGE, MADV_DONTNEED));
		vb_thp_expect_gone(t, LAST, 1);
		ASSERT_EQ(0, vb_thp_inflate(t, 0, HALF));
		vb_thp_expect_gone(t, 0, HALF);
		vb_thp_expect(_metadata, t, 0, 1, HALF);
		ASSERT_EQ(0, vb_thp_inflate(t, HALF, HALF));
		vb_thp_expect_gone(t, HALF, HALF);
		vb_thp_expect(_metadata, t, 0, 2, 512);
	}
}

TEST_F_TIMEOUT(thp, parts_go_at_once_while_it_is_switched_off, 120)
{
	struct vb_thp *t = &self->t;
	__u64 mask, values;

	ASSERT_EQ(0, vb_get_tunables(t->m.backend, &mask, &values));
	EXPECT_EQ(TUNE, mask & TUNE);
	EXPECT_EQ(TUNE, values & TUNE);
	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, vb_set_tunables(t->m.backend, TUNE, 0));
		ASSERT_EQ(0, vb_thp_inflate(t, 0, HALF));
		vb_thp_expect_gone(t, 0, HALF);
		vb_thp_expect(_metadata, t, 0, 1, HALF);
		ASSERT_EQ(0, vb_set_tunables(t->m.backend, TUNE, TUNE));
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(1), HALF));
		vb_thp_expect(_metadata, t, HALF, 1, HALF);
	}
}

TEST_F_TIMEOUT(thp, parts_from_a_guest_that_need_not_tell_go_at_once, 120)
{
	struct vb_thp *t = &self->t;

	ASSERT_EQ(0, vb_machine_stop(&t->m));
	ASSERT_EQ(0, vb_set_features(t->m.backend, V1));
	ASSERT_EQ(0, vb_machine_start(&t->m));
	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(2) - 100, HALF));
		vb_thp_expect_gone(t, first_of(2) - 100, HALF);
		vb_thp_expect(_metadata, t, 0, 1, HALF);
	}
}

/* Memory of its own for each of them: what isn't taken for a huge page that the guest has. */
FIXTURE(other) {
	struct vb_thp t;
};

FIXTURE_VARIANT(other) {
	bool kvm;
};

FIXTURE_VARIANT_ADD(other, table) { };
FIXTURE_VARIANT_ADD(other, memslots) { .kvm = true };

FIXTURE_SETUP(other)
{
	vb_thp_setup(_metadata, &self->t, variant->kvm, false, VB_THP_FEATURES, HUGE);
}

FIXTURE_TEARDOWN(other)
{
	vb_thp_close(&self->t);
}

/* Parts of it go at once. */
static void expect_at_once(struct __test_metadata *_metadata, struct vb_thp *t, unsigned int page)
{
	ASSERT_EQ(0, vb_thp_inflate(t, page, HALF));
	vb_thp_expect_gone(t, page, HALF);
	vb_thp_expect(_metadata, t, 0, 1, HALF);
}

TEST_F_TIMEOUT(other, memory_without_huge_pages_goes_part_by_part, 120)
{
	struct vb_thp *t = &self->t;

	ASSERT_EQ(0, vb_thp_start(t));
	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, madvise(t->ram.hva, t->ram.len, MADV_DONTNEED));
		ASSERT_EQ(0, madvise(t->ram.hva, t->ram.len, MADV_NOHUGEPAGE));
		vb_memory_fill(&t->ram, 0, t->pages, VB_THP_SEED);
		ASSERT_EQ(0, vb_thp_count(&t->ram));
		expect_at_once(_metadata, t, first_of(1));
	}
}

TEST_F_TIMEOUT(other, memory_that_is_not_there_yet_goes_part_by_part, 120)
{
	struct vb_thp *t = &self->t;

	ASSERT_EQ(0, vb_thp_start(t));
	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, madvise(t->ram.hva, t->ram.len, MADV_DONTNEED));
		vb_thp_expect_gone(t, 0, t->pages);
		expect_at_once(_metadata, t, first_of(1));
	}
}

/* They begin in the midst of what the guest has at such an address. */
TEST_F_TIMEOUT(other, huge_pages_that_the_guest_sees_shifted_go_part_by_part, 120)
{
	struct vb_thp *t = &self->t;

	t->ram.gpa += VB_PAGE;
	ASSERT_EQ(0, vb_thp_start(t));
	while (vb_thp_attempt(_metadata, t))
		expect_at_once(_metadata, t, first_of(1));
}

TEST_F_TIMEOUT(other, huge_page_of_which_the_guest_lacks_the_first_part_goes_part_by_part, 120)
{
	struct vb_thp *t = &self->t;
	struct vb_memory part = t->ram;

	part.gpa += VB_PAGE;
	part.hva += VB_PAGE;
	part.len -= VB_PAGE;
	ASSERT_EQ(0, vb_machine_add(&t->m, &part, 0));
	ASSERT_EQ(0, vb_machine_start(&t->m));
	while (vb_thp_attempt(_metadata, t)) {
		expect_at_once(_metadata, t, HALF);
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(1), HALF));
		vb_thp_expect(_metadata, t, HALF, 1, HALF);
	}
}

TEST_F_TIMEOUT(other, huge_page_of_which_the_guest_lacks_the_last_part_goes_part_by_part, 120)
{
	struct vb_thp *t = &self->t;
	struct vb_memory part = t->ram;

	part.len -= VB_PAGE;
	ASSERT_EQ(0, vb_machine_add(&t->m, &part, 0));
	ASSERT_EQ(0, vb_machine_start(&t->m));
	while (vb_thp_attempt(_metadata, t)) {
		expect_at_once(_metadata, t, first_of(HUGE - 1));
		ASSERT_EQ(0, vb_thp_inflate(t, 0, HALF));
		vb_thp_expect(_metadata, t, HALF, 1, HALF);
	}
}

/* Side by side, as one huge page would lie. */
TEST_F_TIMEOUT(other, huge_page_in_two_slots_goes_part_by_part, 120)
{
	struct vb_thp *t = &self->t;
	struct vb_memory low = t->ram, high = t->ram;

	low.len = (first_of(1) + HALF) * VB_PAGE;
	high.gpa += low.len;
	high.hva += low.len;
	high.len -= low.len;
	ASSERT_EQ(0, vb_machine_add(&t->m, &low, 0));
	ASSERT_EQ(0, vb_machine_add(&t->m, &high, 0));
	ASSERT_EQ(0, vb_machine_start(&t->m));
	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(1) + QUARTER, HALF));
		vb_thp_expect_gone(t, first_of(1) + QUARTER, HALF);
		vb_thp_expect(_metadata, t, 0, 2, HALF);
	}
}

TEST_F_TIMEOUT(other, huge_page_in_memory_that_is_left_alone_is_left_alone, 120)
{
	struct vb_thp *t = &self->t;

	ASSERT_EQ(0, vb_thp_start(t));
	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, mprotect(t->ram.hva, t->ram.len, PROT_READ));
		ASSERT_EQ(0, vb_thp_inflate(t, 0, HALF));
		vb_thp_expect(_metadata, t, 0, 0, 0);
		EXPECT_EQ(HALF, vb_thp_risen(t, VHOST_BALLOON_C_SKIP_NO_WRITE));
		ASSERT_EQ(0, mprotect(t->ram.hva, t->ram.len, PROT_READ | PROT_WRITE));
	}
}

TEST_F_TIMEOUT(other, huge_page_in_a_read_only_slot_is_left_alone, 120)
{
	struct vb_thp *t = &self->t;

	if (!variant->kvm || vb_vm_capability(&t->m.vm, KVM_CAP_READONLY_MEM) <= 0)
		SKIP(return, "there are no read-only slots");
	ASSERT_EQ(0, vb_machine_add(&t->m, &t->ram, KVM_MEM_READONLY));
	ASSERT_EQ(0, vb_machine_start(&t->m));
	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, vb_thp_inflate(t, 0, HALF));
		vb_thp_expect(_metadata, t, 0, 0, 0);
		EXPECT_EQ(HALF, vb_thp_risen(t, VHOST_BALLOON_C_SKIP_READONLY_SLOT));
	}
}

FIXTURE(many) {
	struct vb_thp t;
};

FIXTURE_SETUP(many)
{
	vb_thp_setup(_metadata, &self->t, false, false, VB_THP_FEATURES, KEPT + 2);
	if (!self->t.why)
		ASSERT_EQ(0, vb_thp_start(&self->t));
}

FIXTURE_TEARDOWN(many)
{
	vb_thp_close(&self->t);
}

/* A part of each of as many as can be kept. */
static int inflate_some_of_each(struct vb_thp *t)
{
	unsigned int huge;
	int ret = 0;

	for (huge = 0; huge < KEPT && !ret; huge++)
		ret = vb_thp_inflate(t, first_of(huge), HALF);
	return ret;
}

/* It is so much memory that all parts are taken back before it's looked at. */
static void expect_settled(struct __test_metadata *_metadata, struct vb_thp *t)
{
	ASSERT_EQ(0, vb_thp_deflate_all(t));
	if (vb_thp_in_time(t))
		EXPECT_EQ(0, vb_thp_wrong(t));
}

TEST_F_TIMEOUT(many, parts_of_one_more_than_are_kept_go_at_once, 120)
{
	struct vb_thp *t = &self->t;

	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, inflate_some_of_each(t));
		vb_thp_expect_counted(_metadata, t, KEPT * HALF, 0, 0);
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(KEPT), HALF));
		vb_thp_expect_gone(t, first_of(KEPT), HALF);
		vb_thp_expect_counted(_metadata, t, KEPT * HALF, 1, HALF);
		/* The others may become complete, which makes room for one. */
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(5) + HALF, HALF));
		vb_thp_expect_gone(t, first_of(5), VB_HUGE_PAGES);
		vb_thp_expect_counted(_metadata, t, KEPT * HALF, 2, HALF + 512);
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(KEPT + 1), HALF));
		vb_thp_expect_counted(_metadata, t, (KEPT + 1) * HALF, 2, HALF + 512);
		expect_settled(_metadata, t);
	}
}

TEST_F_TIMEOUT(many, one_that_is_taken_back_makes_room_for_another, 120)
{
	struct vb_thp *t = &self->t;

	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, inflate_some_of_each(t));
		ASSERT_EQ(0, vb_thp_deflate(t, first_of(3), HALF));
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(KEPT), HALF));
		vb_thp_expect_counted(_metadata, t, (KEPT + 1) * HALF, 0, 0);
		/* Each is still known for what it is. */
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(KEPT - 1) + HALF, HALF));
		ASSERT_EQ(0, vb_thp_inflate(t, first_of(KEPT) + HALF, HALF));
		vb_thp_expect_gone(t, first_of(KEPT - 1), 2 * VB_HUGE_PAGES);
		vb_thp_expect_counted(_metadata, t, (KEPT + 1) * HALF, 2, 1024);
		expect_settled(_metadata, t);
	}
}

TEST_HARNESS_MAIN
