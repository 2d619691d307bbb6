// SPDX-License-Identifier: GPL-2.0
/*
 * Parts of huge pages, and memory slots that change before the last part comes: VMMs
 * delete slots and make them anew when they split or merge them. Parts stay with the
 * memory they were given of, as long as the guest has it at the same address.
 */
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
#define AWAY_GPA	0x20000000ULL
#define TUNE		VHOST_BALLOON_TUNE_HUGETLB
#define SLOT		3
#define HALF		(VB_HUGE_PAGES / 2)
#define PAGES		(3 * VB_HUGE_PAGES)

/* A part that is in no way special, and one of the other half. */
#define SOME		77U
#define OTHER		(HALF + SOME)

/* The memory has three huge pages: as a mask. */
#define ALL		7U

FIXTURE(slots) {
	struct vb_machine m;
	struct vb_backing b;
	long pool;
};

FIXTURE_VARIANT(slots) {
	const struct vb_backing_type *type;
};

FIXTURE_VARIANT_ADD(slots, shared) { .type = &vb_backing_hugetlb_shared };
FIXTURE_VARIANT_ADD(slots, private) { .type = &vb_backing_hugetlb_private };

FIXTURE_SETUP(slots)
{
	const char *missing = vb_kvm_missing();
	int ret;

	if (missing)
		SKIP(return, "%s", missing);
	ret = vb_backing_open(&self->b, variant->type, RAM_GPA);
	if (self->b.why)
		SKIP(return, "%s: %s", self->b.why, strerror(-ret));
	ASSERT_EQ(0, ret);
	ret = vb_machine_open(&self->m, true, FEATURES, RING_NUM);
	ASSERT_EQ(0, ret) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-ret));
	}
	ASSERT_EQ(0, vb_set_tunables(self->m.backend, TUNE, TUNE));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	self->pool = vb_hugetlb_free(VB_HUGE);
}

FIXTURE_TEARDOWN(slots)
{
	vb_machine_close(&self->m);
	vb_backing_close(&self->b);
}

/* A slot of some of the memory's pages, where the guest has them. */
static int set_slot(FIXTURE_DATA(slots) *self, __u32 slot, unsigned int first, unsigned int nr)
{
	return vb_vm_set_slot(&self->m.vm, slot, 0, RAM_GPA + first * VB_PAGE, nr * VB_PAGE,
			      self->b.mem.hva + first * VB_PAGE);
}

static int delete_slot(FIXTURE_DATA(slots) *self, __u32 slot)
{
	return vb_vm_delete_slot(&self->m.vm, slot);
}

/* Has the balloon go through the slots, and give away nothing. */
static int look(FIXTURE_DATA(slots) *self)
{
	return vb_inflate_range(&self->m, 0, 1);
}

static int inflate_part(FIXTURE_DATA(slots) *self, unsigned int huge, unsigned int part)
{
	return vb_inflate_range(&self->m, vb_hugetlb_gpa(&self->b, huge, part), 1);
}

static int inflate_but(FIXTURE_DATA(slots) *self, unsigned int huge, unsigned int but)
{
	return vb_hugetlb_inflate_but(&self->m, vb_hugetlb_gpa(&self->b, huge, 0), but);
}

static void expect_gone(struct __test_metadata *_metadata, FIXTURE_DATA(slots) *self,
			unsigned int mask)
{
	EXPECT_EQ(mask, vb_hugetlb_gone(&self->b));
	EXPECT_EQ(ALL & ~mask, vb_hugetlb_intact(&self->b));
	EXPECT_EQ(self->pool + __builtin_popcount(mask), vb_hugetlb_free(VB_HUGE));
}

TEST_F(slots, parts_stay_when_a_slot_is_made_anew)
{
	ASSERT_EQ(0, set_slot(self, SLOT, 0, PAGES));
	ASSERT_EQ(0, inflate_but(self, 1, SOME));
	ASSERT_EQ(0, delete_slot(self, SLOT));
	ASSERT_EQ(0, set_slot(self, SLOT, 0, PAGES));
	ASSERT_EQ(0, inflate_part(self, 1, SOME));
	expect_gone(_metadata, self, 2);
}

TEST_F(slots, parts_stay_when_a_slot_is_seen_to_be_gone_for_a_while)
{
	ASSERT_EQ(0, set_slot(self, SLOT, 0, PAGES));
	ASSERT_EQ(0, inflate_but(self, 1, SOME));
	ASSERT_EQ(0, delete_slot(self, SLOT));
	ASSERT_EQ(0, look(self));
	ASSERT_EQ(0, look(self));
	/* Nothing there to give away. */
	ASSERT_EQ(0, inflate_part(self, 1, SOME));
	ASSERT_EQ(0, set_slot(self, SLOT + 1, 0, PAGES));
	ASSERT_EQ(0, look(self));
	expect_gone(_metadata, self, 0);
	ASSERT_EQ(0, inflate_part(self, 1, SOME));
	expect_gone(_metadata, self, 2);
}

TEST_F(slots, part_taken_back_while_its_slot_is_away_is_missing)
{
	ASSERT_EQ(0, set_slot(self, SLOT, 0, PAGES));
	ASSERT_EQ(0, inflate_but(self, 1, SOME));
	ASSERT_EQ(0, delete_slot(self, SLOT));
	ASSERT_EQ(0, vb_deflate_range(&self->m, vb_hugetlb_gpa(&self->b, 1, OTHER), 1));
	ASSERT_EQ(0, set_slot(self, SLOT, 0, PAGES));
	ASSERT_EQ(0, inflate_part(self, 1, SOME));
	expect_gone(_metadata, self, 0);
	ASSERT_EQ(0, inflate_part(self, 1, OTHER));
	expect_gone(_metadata, self, 2);
}

TEST_F(slots, parts_stay_when_a_slot_is_split)
{
	ASSERT_EQ(0, set_slot(self, SLOT, 0, PAGES));
	ASSERT_EQ(0, inflate_but(self, 0, SOME));
	ASSERT_EQ(0, inflate_but(self, 1, OTHER));
	ASSERT_EQ(0, delete_slot(self, SLOT));
	ASSERT_EQ(0, look(self));
	/* In the middle of the second huge page. */
	ASSERT_EQ(0, set_slot(self, SLOT, 0, VB_HUGE_PAGES + HALF));
	ASSERT_EQ(0, look(self));
	ASSERT_EQ(0, set_slot(self, SLOT + 1, VB_HUGE_PAGES + HALF, VB_HUGE_PAGES + HALF));
	ASSERT_EQ(0, inflate_part(self, 0, SOME));
	expect_gone(_metadata, self, 1);
	ASSERT_EQ(0, inflate_part(self, 1, OTHER));
	expect_gone(_metadata, self, 3);
}

TEST_F(slots, parts_stay_when_slots_are_merged)
{
	ASSERT_EQ(0, set_slot(self, SLOT, 0, VB_HUGE_PAGES + HALF));
	ASSERT_EQ(0, set_slot(self, SLOT + 1, VB_HUGE_PAGES + HALF, VB_HUGE_PAGES + HALF));
	ASSERT_EQ(0, inflate_but(self, 1, SOME));
	ASSERT_EQ(0, inflate_but(self, 2, OTHER));
	ASSERT_EQ(0, delete_slot(self, SLOT));
	ASSERT_EQ(0, look(self));
	ASSERT_EQ(0, delete_slot(self, SLOT + 1));
	ASSERT_EQ(0, set_slot(self, SLOT, 0, PAGES));
	ASSERT_EQ(0, inflate_part(self, 1, SOME));
	expect_gone(_metadata, self, 2);
	ASSERT_EQ(0, inflate_part(self, 2, OTHER));
	expect_gone(_metadata, self, 6);
}

TEST_F(slots, parts_do_not_come_to_other_memory_at_the_same_address)
{
	struct vb_backing other;

	ASSERT_EQ(0, vb_backing_open(&other, variant->type, RAM_GPA));
	self->pool = vb_hugetlb_free(VB_HUGE);
	ASSERT_EQ(0, set_slot(self, SLOT, 0, PAGES));
	ASSERT_EQ(0, inflate_but(self, 1, SOME));
	ASSERT_EQ(0, delete_slot(self, SLOT));
	ASSERT_EQ(0, vb_memory_add_slot(&self->m, SLOT, 0, &other.mem));
	ASSERT_EQ(0, inflate_part(self, 1, SOME));
	EXPECT_EQ(ALL, vb_hugetlb_intact(&other));
	expect_gone(_metadata, self, 0);

	/* Nor back to the former: what the guest had there meanwhile was another page. */
	ASSERT_EQ(0, delete_slot(self, SLOT));
	ASSERT_EQ(0, set_slot(self, SLOT, 0, PAGES));
	ASSERT_EQ(0, inflate_part(self, 1, SOME));
	expect_gone(_metadata, self, 0);
	ASSERT_EQ(0, inflate_but(self, 1, SOME));
	expect_gone(_metadata, self, 2);
	EXPECT_EQ(ALL, vb_hugetlb_intact(&other));
	vb_backing_close(&other);
}

TEST_F(slots, parts_do_not_move_along_with_their_memory)
{
	struct vb_memory away = self->b.mem;

	ASSERT_EQ(0, set_slot(self, SLOT, 0, PAGES));
	ASSERT_EQ(0, inflate_but(self, 1, SOME));
	away.gpa = AWAY_GPA;
	ASSERT_EQ(0, vb_memory_add_slot(&self->m, SLOT, 0, &away));
	ASSERT_EQ(0, inflate_part(self, 1, SOME));
	ASSERT_EQ(0, vb_inflate_range(&self->m, AWAY_GPA + VB_HUGE + SOME * VB_PAGE, 1));
	expect_gone(_metadata, self, 0);
	ASSERT_EQ(0, vb_hugetlb_inflate_but(&self->m, AWAY_GPA + VB_HUGE, SOME));
	expect_gone(_metadata, self, 2);
}

TEST_F(slots, huge_page_across_two_neighbours_goes_when_it_is_complete)
{
	ASSERT_EQ(0, set_slot(self, SLOT, 0, VB_HUGE_PAGES + HALF));
	ASSERT_EQ(0, set_slot(self, SLOT + 1, VB_HUGE_PAGES + HALF, VB_HUGE_PAGES + HALF));
	ASSERT_EQ(0, inflate_but(self, 1, OTHER));
	expect_gone(_metadata, self, 0);
	ASSERT_EQ(0, inflate_part(self, 1, OTHER));
	expect_gone(_metadata, self, 2);
	EXPECT_EQ(512ULL, vb_counter(self->m.backend, VHOST_BALLOON_C_DISCARD_HUGETLB));
}

TEST_F(slots, huge_page_across_two_neighbours_goes_at_once)
{
	ASSERT_EQ(0, set_slot(self, SLOT, 0, VB_HUGE_PAGES + HALF));
	ASSERT_EQ(0, set_slot(self, SLOT + 1, VB_HUGE_PAGES + HALF, VB_HUGE_PAGES + HALF));
	ASSERT_EQ(0, vb_inflate_range(&self->m, vb_hugetlb_gpa(&self->b, 1, 0), VB_HUGE_PAGES));
	expect_gone(_metadata, self, 2);
	EXPECT_EQ(512ULL, vb_counter(self->m.backend, VHOST_BALLOON_C_DISCARD_HUGETLB));
}

/* The guest gives away all it has of the last huge page, and what it hasn't, too. */
static void expect_never(struct __test_metadata *_metadata, FIXTURE_DATA(slots) *self)
{
	ASSERT_EQ(0, inflate_but(self, 2, VB_HUGE_ALL));
	ASSERT_EQ(0, vb_inflate_range(&self->m, vb_hugetlb_gpa(&self->b, 2, 0), VB_HUGE_PAGES));
	expect_gone(_metadata, self, 0);
	EXPECT_EQ(0ULL, vb_counter(self->m.backend, VHOST_BALLOON_C_DISCARD_OPS));
	/* Those that it has all of go as ever. */
	ASSERT_EQ(0, inflate_but(self, 1, VB_HUGE_ALL));
	expect_gone(_metadata, self, 2);
}

TEST_F(slots, huge_page_of_which_the_guest_lacks_the_last_part_never_goes)
{
	ASSERT_EQ(0, set_slot(self, SLOT, 0, PAGES - 1));
	expect_never(_metadata, self);
}

TEST_F(slots, huge_page_with_a_part_between_slots_never_goes)
{
	ASSERT_EQ(0, set_slot(self, SLOT, 0, PAGES - HALF));
	ASSERT_EQ(0, set_slot(self, SLOT + 1, PAGES - HALF + 1, HALF - 1));
	expect_never(_metadata, self);
}

TEST_F(slots, huge_page_with_parts_in_a_read_only_slot_never_goes)
{
	if (vb_vm_capability(&self->m.vm, KVM_CAP_READONLY_MEM) <= 0)
		SKIP(return, "KVM has no read-only slots");
	ASSERT_EQ(0, set_slot(self, SLOT, 0, PAGES - HALF));
	ASSERT_EQ(0, vb_vm_set_slot(&self->m.vm, SLOT + 1, KVM_MEM_READONLY,
				    vb_hugetlb_gpa(&self->b, 2, HALF), HALF * VB_PAGE,
				    self->b.mem.hva + (PAGES - HALF) * VB_PAGE));
	expect_never(_metadata, self);
}

TEST_F(slots, huge_page_of_which_the_guest_has_lost_a_given_part_stays)
{
	ASSERT_EQ(0, set_slot(self, SLOT, 0, PAGES));
	ASSERT_EQ(0, inflate_but(self, 2, SOME));
	ASSERT_EQ(0, delete_slot(self, SLOT));
	/* Its last part is for the VMM alone now. */
	ASSERT_EQ(0, set_slot(self, SLOT, 0, PAGES - 1));
	ASSERT_EQ(0, inflate_part(self, 2, SOME));
	expect_gone(_metadata, self, 0);
	EXPECT_EQ(0ULL, vb_counter(self->m.backend, VHOST_BALLOON_C_DISCARD_OPS));
}

/* For the guest one after the other, but halves of two different huge pages. */
TEST_F(slots, neighbours_whose_memory_lies_apart_make_no_huge_page)
{
	ASSERT_EQ(0, vb_vm_set_slot(&self->m.vm, SLOT, 0, RAM_GPA, HALF * VB_PAGE,
				    self->b.mem.hva));
	ASSERT_EQ(0, vb_vm_set_slot(&self->m.vm, SLOT + 1, 0, RAM_GPA + HALF * VB_PAGE,
				    HALF * VB_PAGE, self->b.mem.hva + 3 * HALF * VB_PAGE));
	ASSERT_EQ(0, inflate_but(self, 0, VB_HUGE_ALL));
	ASSERT_EQ(0, vb_inflate_range(&self->m, RAM_GPA, VB_HUGE_PAGES));
	expect_gone(_metadata, self, 0);
	EXPECT_EQ(0ULL, vb_counter(self->m.backend, VHOST_BALLOON_C_DISCARD_OPS));
}

TEST_HARNESS_MAIN
