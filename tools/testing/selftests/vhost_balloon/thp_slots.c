// SPDX-License-Identifier: GPL-2.0
/*
 * Parts of transparent huge pages, and memory that changes before they go: nothing happens to
 * memory that the guest has no more. What it has instead at the same address is as much in the
 * balloon as what was there before, unless the guest has taken it back.
 */
#include <stdlib.h>
#include <unistd.h>

#include "vb_thp_test.h"

#define HUGE		3U
#define HALF		(VB_HUGE_PAGES / 2)
#define SOME		77U
#define SEED		0x5107

/* What is kept: a part of the second huge page. */
#define FIRST		(VB_HUGE_PAGES + 100)

#define AWAY_GPA	(VB_THP_GPA + 64 * VB_HUGE)
/* The machine's first slot is for buffers. */
#define SLOT		1

#define ROUNDS		16

FIXTURE(slots) {
	struct vb_thp t;
	/* Another piece of memory of the same size. */
	struct vb_memory other;
};

FIXTURE_VARIANT(slots) {
	bool kvm;
	bool by_worker;
};

FIXTURE_VARIANT_ADD(slots, table) { };
FIXTURE_VARIANT_ADD(slots, memslots_by_worker) { .kvm = true, .by_worker = true };

FIXTURE_SETUP(slots)
{
	struct vb_thp *t = &self->t;
	int ret;

	vb_thp_setup(_metadata, t, variant->kvm, variant->by_worker, VB_THP_FEATURES, HUGE);
	if (t->why)
		return;
	ASSERT_EQ(0, vb_thp_start(t));
	ret = vb_thp_map(&self->other, VB_THP_GPA, HUGE, &t->why);
	if (t->why)
		SKIP(return, "%s", t->why);
	ASSERT_EQ(0, ret);
}

FIXTURE_TEARDOWN(slots)
{
	vb_thp_close(&self->t);
	vb_memory_unmap(&self->other);
}

static int remove_memory(struct vb_thp *t)
{
	if (t->m.kvm)
		return vb_vm_delete_slot(&t->m.vm, SLOT);
	t->m.nr_slots = SLOT;
	return vb_machine_set_memory(&t->m);
}

static int add_memory(struct vb_thp *t, const struct vb_memory *memory)
{
	if (t->m.kvm)
		return vb_memory_add_slot(&t->m, SLOT, 0, memory);
	t->m.slots[SLOT] = *memory;
	t->m.nr_slots = SLOT + 1;
	return vb_machine_set_memory(&t->m);
}

/* The guest has its own memory, and a part of it is kept; the other memory is fresh, too. */
static bool attempt(struct __test_metadata *_metadata, FIXTURE_DATA(slots) *self)
{
	struct vb_thp *t = &self->t;

	if (t->attempts) {
		/* Not if it's removed already. */
		remove_memory(t);
		EXPECT_EQ(0, add_memory(t, &t->ram));
		EXPECT_EQ(0, vb_thp_refill(&self->other, &t->why));
	}
	if (!vb_thp_attempt(_metadata, t))
		return false;
	EXPECT_EQ(0, vb_thp_inflate(t, FIRST, HALF));
	return true;
}

/* The memory is another by now, and nothing has gone before that. Or else it's tried again. */
static bool in_time(struct vb_thp *t)
{
	if (vb_thp_risen(t, VB_THP_OPS))
		t->late = true;
	return !t->late;
}

/* Of the other memory exactly these pages are gone. */
static void expect_other(struct __test_metadata *_metadata, FIXTURE_DATA(slots) *self,
			 unsigned int page, unsigned int nr)
{
	struct vb_thp other = self->t;

	other.ram = self->other;
	vb_thp_expect_gone(&other, page, nr);
	EXPECT_EQ(0, vb_thp_wrong(&other));
	memset(other.gone, 0, other.pages * sizeof(*other.gone));
}

static void expect_all_there(struct __test_metadata *_metadata, struct vb_thp *t)
{
	usleep(VB_THP_LONG_MS * 1000);
	EXPECT_EQ(0ULL, vb_thp_risen(t, VB_THP_OPS));
	EXPECT_EQ(0, vb_thp_wrong(t));
}

TEST_F_TIMEOUT(slots, parts_stay_that_the_guest_has_no_more, 120)
{
	struct vb_thp *t = &self->t;

	while (attempt(_metadata, self)) {
		ASSERT_EQ(0, remove_memory(t));
		if (!in_time(t))
			continue;
		ASSERT_EQ(0, vb_thp_wait(t, VHOST_BALLOON_C_SKIP_NO_SLOT, HALF));
		ASSERT_EQ(0, add_memory(t, &t->ram));
		expect_all_there(_metadata, t);
		EXPECT_EQ(HALF, vb_thp_risen(t, VHOST_BALLOON_C_SKIP_NO_SLOT));
	}
}

TEST_F_TIMEOUT(slots, parts_stay_when_their_memory_moves_away, 120)
{
	struct vb_thp *t = &self->t;
	struct vb_memory away = t->ram;

	away.gpa = AWAY_GPA;
	while (attempt(_metadata, self)) {
		ASSERT_EQ(0, remove_memory(t));
		ASSERT_EQ(0, add_memory(t, &away));
		if (!in_time(t))
			continue;
		ASSERT_EQ(0, vb_thp_wait(t, VHOST_BALLOON_C_SKIP_NO_SLOT, HALF));
		expect_all_there(_metadata, t);
	}
}

TEST_F_TIMEOUT(slots, parts_go_when_a_slot_is_made_anew, 120)
{
	struct vb_thp *t = &self->t;

	while (attempt(_metadata, self)) {
		ASSERT_EQ(0, remove_memory(t));
		ASSERT_EQ(0, add_memory(t, &t->ram));
		if (!in_time(t))
			continue;
		ASSERT_EQ(0, vb_thp_wait(t, VB_THP_ANON, HALF));
		vb_thp_expect_gone(t, FIRST, HALF);
		vb_thp_expect_end(_metadata, t, 1, HALF);
	}
}

TEST_F_TIMEOUT(slots, parts_go_from_the_memory_that_is_there_then, 120)
{
	struct vb_thp *t = &self->t;

	while (attempt(_metadata, self)) {
		ASSERT_EQ(0, remove_memory(t));
		ASSERT_EQ(0, add_memory(t, &self->other));
		if (!in_time(t))
			continue;
		ASSERT_EQ(0, vb_thp_wait(t, VB_THP_ANON, HALF));
		expect_other(_metadata, self, FIRST, HALF);
		vb_thp_expect_end(_metadata, t, 1, HALF);
	}
}

/* Both halves were given, each of another memory. */
TEST_F_TIMEOUT(slots, huge_page_goes_from_the_memory_that_is_there_when_it_is_complete, 120)
{
	struct vb_thp *t = &self->t;

	while (attempt(_metadata, self)) {
		ASSERT_EQ(0, remove_memory(t));
		ASSERT_EQ(0, add_memory(t, &self->other));
		ASSERT_EQ(0, vb_thp_inflate(t, VB_HUGE_PAGES, 100));
		ASSERT_EQ(0, vb_thp_inflate(t, FIRST + HALF, HALF - 100));
		vb_thp_expect(_metadata, t, HALF + 100, 1, 512);
		if (t->late)
			continue;
		expect_other(_metadata, self, VB_HUGE_PAGES, VB_HUGE_PAGES);
		EXPECT_EQ(0, vb_thp_wrong(t));
	}
}

TEST_F_TIMEOUT(slots, pages_that_were_taken_back_stay_in_other_memory, 120)
{
	struct vb_thp *t = &self->t;

	while (attempt(_metadata, self)) {
		ASSERT_EQ(0, remove_memory(t));
		ASSERT_EQ(0, vb_thp_deflate(t, FIRST, SOME));
		ASSERT_EQ(0, add_memory(t, &self->other));
		ASSERT_EQ(0, vb_thp_deflate(t, FIRST + SOME + 1, HALF - SOME - 1));
		if (!in_time(t) || vb_thp_risen(t, VHOST_BALLOON_C_SKIP_NO_SLOT)) {
			t->late = true;
			continue;
		}
		/* But for the one that is left. */
		ASSERT_EQ(0, vb_thp_wait(t, VB_THP_ANON, 1));
		usleep(VB_THP_LONG_MS * 1000);
		expect_other(_metadata, self, FIRST + SOME, 1);
		vb_thp_expect_end(_metadata, t, 1, 1);
	}
}

TEST_F_TIMEOUT(slots, parts_go_page_by_page_from_memory_that_lies_otherwise, 120)
{
	struct vb_thp *t = &self->t;
	struct vb_memory shifted = self->other;

	shifted.hva += VB_PAGE;
	shifted.len -= VB_PAGE;
	while (attempt(_metadata, self)) {
		ASSERT_EQ(0, remove_memory(t));
		ASSERT_EQ(0, add_memory(t, &shifted));
		ASSERT_EQ(0, vb_thp_inflate(t, VB_HUGE_PAGES, 100));
		vb_thp_expect(_metadata, t, HALF, 1, 100);
		ASSERT_EQ(0, vb_thp_wait(t, VB_THP_ANON, HALF + 100));
		if (t->late)
			continue;
		expect_other(_metadata, self, VB_HUGE_PAGES + 1, HALF + 100);
		EXPECT_EQ(0, vb_thp_wrong(t));
	}
}

/* As often as that may meet with a part that is about to go. */
TEST_F_TIMEOUT(slots, what_is_written_when_the_guest_has_no_more_of_it_stays, 300)
{
	struct vb_thp *t = &self->t;
	unsigned int round, lost = 0;

	while (attempt(_metadata, self))
		;
	srandom(SEED);
	for (round = 0; round < ROUNDS; round++) {
		ASSERT_EQ(0, vb_thp_deflate(t, FIRST, HALF));
		ASSERT_EQ(0, vb_thp_refill(&t->ram, &t->why));
		ASSERT_EQ(0, vb_thp_inflate(t, FIRST, HALF));
		usleep(random() % 500000);
		ASSERT_EQ(0, remove_memory(t));
		vb_memory_fill(&t->ram, FIRST, HALF, SEED);
		usleep(random() % 500000);
		lost += HALF - vb_memory_intact(&t->ram, FIRST, HALF, SEED);
		ASSERT_EQ(0, add_memory(t, &t->ram));
	}
	EXPECT_EQ(0U, lost);
}

TEST_HARNESS_MAIN
