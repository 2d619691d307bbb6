// SPDX-License-Identifier: GPL-2.0
/*
 * Parts of transparent huge pages whose rest doesn't come: they are given back when they have
 * been idle for a while, when the guest has reached its target, when it's switched off,
 * and after a pause. A reset forgets them. What the guest took back meanwhile stays.
 */
#include <stddef.h>
#include <unistd.h>
#include <sys/mman.h>

#include "vb_control.h"
#include "vb_thp_test.h"

#define TUNE		VHOST_BALLOON_TUNE_THP
#define HUGE		4U
#define HALF		(VB_HUGE_PAGES / 2)
#define SOME		77U
#define SEED		0x5eed

/* What is kept of the second huge page, and of the third. */
#define FIRST		(VB_HUGE_PAGES + 100)
#define SECOND		(2 * VB_HUGE_PAGES)
#define NR_SECOND	20U

/* A target that says nothing about the pages that there are. */
#define TARGET		12345U

FIXTURE(flush) {
	struct vb_thp t;
};

FIXTURE_VARIANT(flush) {
	bool kvm;
	bool by_worker;
};

FIXTURE_VARIANT_ADD(flush, table) { };
FIXTURE_VARIANT_ADD(flush, memslots_by_worker) { .kvm = true, .by_worker = true };

FIXTURE_SETUP(flush)
{
	vb_thp_setup(_metadata, &self->t, variant->kvm, variant->by_worker, VB_THP_FEATURES, HUGE);
	if (!self->t.why)
		ASSERT_EQ(0, vb_thp_start(&self->t));
}

FIXTURE_TEARDOWN(flush)
{
	vb_thp_close(&self->t);
}

static void wait_long(void)
{
	usleep(VB_THP_LONG_MS * 1000);
}

/* Parts of two huge pages: HALF + NR_SECOND pages. */
static int inflate_parts(struct vb_thp *t)
{
	return vb_thp_inflate(t, FIRST, HALF) ?: vb_thp_inflate(t, SECOND, NR_SECOND);
}

static void expect_parts_gone(struct __test_metadata *_metadata, struct vb_thp *t)
{
	ASSERT_EQ(0, vb_thp_wait(t, VB_THP_ANON, HALF + NR_SECOND));
	vb_thp_expect_gone(t, FIRST, HALF);
	vb_thp_expect_gone(t, SECOND, NR_SECOND);
	vb_thp_expect_end(_metadata, t, 2, HALF + NR_SECOND);
	EXPECT_EQ(HALF + NR_SECOND, vb_thp_risen(t, VB_THP_GATHERED));
}

/*
 * The queues are stopped, and nothing has gone before that: then nothing can go. Otherwise the
 * attempt is to be made again, with the queues running.
 */
static bool stopped_in_time(struct __test_metadata *_metadata, struct vb_thp *t)
{
	EXPECT_EQ(0, vb_machine_stop(&t->m));
	if (!vb_thp_risen(t, VB_THP_OPS))
		return true;
	t->late = true;
	EXPECT_EQ(0, vb_machine_start(&t->m));
	return false;
}

TEST_F_TIMEOUT(flush, parts_go_after_a_while, 120)
{
	struct vb_thp *t = &self->t;

	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, inflate_parts(t));
		vb_thp_expect(_metadata, t, HALF + NR_SECOND, 0, 0);
		expect_parts_gone(_metadata, t);
	}
}

TEST_F_TIMEOUT(flush, single_pages_go_after_a_while_one_by_one, 120)
{
	struct vb_thp *t = &self->t;
	unsigned int i;

	while (vb_thp_attempt(_metadata, t)) {
		for (i = 0; i < HALF; i++) {
			ASSERT_EQ(0, vb_thp_inflate(t, 2 * i, 1));
			vb_thp_renew(t);
		}
		vb_thp_expect(_metadata, t, HALF, 0, 0);
		ASSERT_EQ(0, vb_thp_wait(t, VB_THP_ANON, HALF));
		for (i = 0; i < HALF; i++)
			vb_thp_expect_gone(t, 2 * i, 1);
		vb_thp_expect_end(_metadata, t, HALF, HALF);
	}
}

/* As long as others come. */
TEST_F_TIMEOUT(flush, part_to_which_pages_are_added_does_not_go, 120)
{
	struct vb_thp *t = &self->t;
	__u64 end;

	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, vb_thp_inflate(t, FIRST, HALF));
		end = vb_now_ms() + VB_THP_LONG_MS;
		while (vb_thp_in_time(t) && vb_now_ms() < end) {
			ASSERT_EQ(0, vb_thp_inflate(t, FIRST + SOME, 1));
			vb_thp_renew(t);
			usleep(1000);
		}
		vb_thp_expect(_metadata, t, vb_thp_risen(t, VHOST_BALLOON_C_INFLATED), 0, 0);
		ASSERT_EQ(0, vb_thp_wait(t, VB_THP_ANON, HALF));
		vb_thp_expect_gone(t, FIRST, HALF);
		EXPECT_EQ(0, vb_thp_wrong(t));
	}
}

/* Gives a page again and again, so that none is idle, until as many pages are gone. */
static int keep_busy_until_gone(struct vb_thp *t, unsigned int nr)
{
	__u64 end = vb_now_ms() + VB_TIMEOUT_MS;
	int ret = 0;

	while (!ret && vb_thp_risen(t, VB_THP_ANON) < nr) {
		if (vb_now_ms() > end)
			return -ETIMEDOUT;
		ret = vb_thp_inflate(t, FIRST + SOME, 1);
		vb_thp_renew(t);
		usleep(1000);
	}
	return ret;
}

static int set_actual(struct vb_thp *t, __u32 pages)
{
	return vb_set_config(t->m.backend, offsetof(struct virtio_balloon_config, actual), &pages,
			     sizeof(pages));
}

TEST_F_TIMEOUT(flush, parts_go_when_the_target_is_reached, 300)
{
	struct vb_thp *t = &self->t;

	ASSERT_EQ(0, vb_set_target(t->m.backend, TARGET));
	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, set_actual(t, 0));
		ASSERT_EQ(0, vb_thp_inflate(t, FIRST, HALF));
		/* On its way there it says so, too. */
		ASSERT_EQ(0, set_actual(t, TARGET - 1));
		vb_thp_expect(_metadata, t, HALF, 0, 0);
		ASSERT_EQ(0, set_actual(t, TARGET));
		ASSERT_EQ(0, keep_busy_until_gone(t, HALF));
		vb_thp_expect_gone(t, FIRST, HALF);
		EXPECT_EQ(0, vb_thp_wrong(t));
		EXPECT_EQ(0U, vb_thp_not_zero(t));
	}
}

TEST_F_TIMEOUT(flush, all_parts_go_when_the_target_is_reached, 120)
{
	struct vb_thp *t = &self->t;

	ASSERT_EQ(0, vb_set_target(t->m.backend, TARGET));
	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, set_actual(t, 0));
		ASSERT_EQ(0, inflate_parts(t));
		ASSERT_EQ(0, set_actual(t, TARGET));
		expect_parts_gone(_metadata, t);
	}
}

TEST_F_TIMEOUT(flush, parts_go_when_it_is_switched_off, 120)
{
	struct vb_thp *t = &self->t;

	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, vb_set_tunables(t->m.backend, TUNE, TUNE));
		ASSERT_EQ(0, inflate_parts(t));
		ASSERT_EQ(0, vb_set_tunables(t->m.backend, TUNE, 0));
		expect_parts_gone(_metadata, t);
	}
}

TEST_F_TIMEOUT(flush, parts_stay_during_a_pause_and_go_after_it, 120)
{
	struct vb_thp *t = &self->t;

	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, inflate_parts(t));
		if (!stopped_in_time(_metadata, t))
			continue;
		wait_long();
		EXPECT_EQ(0ULL, vb_thp_risen(t, VB_THP_OPS));
		EXPECT_EQ(0, vb_thp_wrong(t));
		ASSERT_EQ(0, vb_machine_start(&t->m));
		expect_parts_gone(_metadata, t);
	}
}

/* They don't go, and don't make a whole with what comes. */
static void expect_forgotten(struct __test_metadata *_metadata, struct vb_thp *t)
{
	wait_long();
	EXPECT_EQ(0ULL, vb_thp_risen(t, VB_THP_OPS));
	EXPECT_EQ(0, vb_thp_wrong(t));
	t->since = 0;
	ASSERT_EQ(0, vb_thp_inflate(t, VB_HUGE_PAGES, 100));
	ASSERT_EQ(0, vb_thp_inflate(t, FIRST + HALF, HALF - 100));
	vb_thp_expect(_metadata, t, vb_thp_risen(t, VHOST_BALLOON_C_INFLATED), 0, 0);
	ASSERT_EQ(0, vb_thp_wait(t, VB_THP_ANON, HALF));
	vb_thp_expect_gone(t, VB_HUGE_PAGES, 100);
	vb_thp_expect_gone(t, FIRST + HALF, HALF - 100);
	vb_thp_expect_end(_metadata, t, 2, HALF);
}

TEST_F_TIMEOUT(flush, parts_are_forgotten_when_features_are_set, 120)
{
	struct vb_thp *t = &self->t;

	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, inflate_parts(t));
		if (!stopped_in_time(_metadata, t))
			continue;
		ASSERT_EQ(0, vb_set_features(t->m.backend, VB_THP_FEATURES));
		ASSERT_EQ(0, vb_machine_start(&t->m));
		expect_forgotten(_metadata, t);
	}
}

/* Whoever sets an index may do so for another driver. */
TEST_F_TIMEOUT(flush, parts_are_forgotten_when_a_ring_is_set_back, 120)
{
	struct vb_thp *t = &self->t;
	int base;

	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, inflate_parts(t));
		if (!stopped_in_time(_metadata, t))
			continue;
		base = vb_get_vring_base(t->m.backend, VB_DEFLATE);
		ASSERT_LE(0, base);
		ASSERT_EQ(0, vb_set_vring_base(t->m.backend, VB_DEFLATE, base));
		ASSERT_EQ(0, vb_machine_start(&t->m));
		expect_forgotten(_metadata, t);
	}
}

TEST_F_TIMEOUT(flush, parts_are_forgotten_when_a_vm_is_bound, 120)
{
	struct vb_thp *t = &self->t;

	if (!variant->kvm)
		SKIP(return, "memory is known by a table");
	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, inflate_parts(t));
		if (!stopped_in_time(_metadata, t))
			continue;
		ASSERT_EQ(0, vb_machine_set_memory(&t->m));
		ASSERT_EQ(0, vb_machine_start(&t->m));
		expect_forgotten(_metadata, t);
	}
}

TEST_F_TIMEOUT(flush, parts_are_forgotten_at_a_reset, 120)
{
	struct vb_thp *t = &self->t;

	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, inflate_parts(t));
		ASSERT_EQ(0, vb_machine_reload(&t->m, VB_THP_FEATURES));
		ASSERT_EQ(0, vb_machine_start(&t->m));
		if (vb_thp_risen(t, VB_THP_OPS))
			t->late = true;
		else
			expect_forgotten(_metadata, t);
	}
}

TEST_F_TIMEOUT(flush, backend_can_be_closed_while_parts_are_kept, 120)
{
	const int before = vb_module_references("vhost_balloon");
	struct vb_thp *t = &self->t;

	ASSERT_EQ(0, inflate_parts(t));
	vb_machine_close(&t->m);
	EXPECT_EQ(before - 1, vb_module_references("vhost_balloon"));
	wait_long();
	/* They went before that, or they stay. */
	EXPECT_EQ(t->pages, vb_memory_intact(&t->ram, 0, t->pages, VB_THP_SEED) +
			    vb_memory_zero(&t->ram, FIRST, HALF) +
			    vb_memory_zero(&t->ram, SECOND, NR_SECOND));
}

TEST_F_TIMEOUT(flush, parts_are_skipped_while_it_is_inhibited, 120)
{
	struct vb_thp *t = &self->t;
	__u64 skipped;

	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, inflate_parts(t));
		ASSERT_EQ(0, vb_set_inhibit(t->m.backend, true, "a test"));
		/* What hasn't gone up to now doesn't. */
		if (vb_thp_risen(t, VB_THP_OPS))
			t->late = true;
		skipped = HALF + NR_SECOND - vb_thp_risen(t, VB_THP_ANON);
		ASSERT_EQ(0, vb_thp_wait(t, VHOST_BALLOON_C_SKIP_INHIBITED, skipped));
		/* Nor when it may again. */
		ASSERT_EQ(0, vb_set_inhibit(t->m.backend, false, ""));
		if (t->late)
			continue;
		wait_long();
		EXPECT_EQ(skipped, vb_thp_risen(t, VHOST_BALLOON_C_SKIP_INHIBITED));
		EXPECT_EQ(0ULL, vb_thp_risen(t, VB_THP_OPS));
		EXPECT_EQ(0, vb_thp_wrong(t));
	}
}

TEST_F_TIMEOUT(flush, page_that_was_taken_back_keeps_what_is_written_to_it, 120)
{
	struct vb_thp *t = &self->t;

	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, inflate_parts(t));
		ASSERT_EQ(0, vb_thp_deflate(t, FIRST + SOME, 1));
		vb_memory_fill(&t->ram, FIRST + SOME, 1, SEED);
		/* All of it, with some around it. */
		ASSERT_EQ(0, vb_thp_deflate(t, SECOND - 1, NR_SECOND + 2));
		vb_memory_fill(&t->ram, SECOND, NR_SECOND, SEED);
		if (vb_thp_risen(t, VB_THP_OPS))
			t->late = true;
		ASSERT_EQ(0, vb_thp_wait(t, VB_THP_ANON, HALF - 1));
		wait_long();
		EXPECT_EQ(1U, vb_memory_intact(&t->ram, FIRST + SOME, 1, SEED));
		EXPECT_EQ(NR_SECOND, vb_memory_intact(&t->ram, SECOND, NR_SECOND, SEED));
		if (t->late)
			continue;
		vb_memory_fill(&t->ram, FIRST + SOME, 1, VB_THP_SEED);
		vb_memory_fill(&t->ram, SECOND, NR_SECOND, VB_THP_SEED);
		vb_thp_expect_gone(t, FIRST, SOME);
		vb_thp_expect_gone(t, FIRST + SOME + 1, HALF - SOME - 1);
		vb_thp_expect_end(_metadata, t, 2, HALF - 1);
	}
}

TEST_F_TIMEOUT(flush, memory_is_what_it_is_when_parts_go, 120)
{
	struct vb_thp *t = &self->t;
	void *first = t->ram.hva + VB_HUGE;

	while (vb_thp_attempt(_metadata, t)) {
		ASSERT_EQ(0, inflate_parts(t));
		ASSERT_EQ(0, mprotect(first, VB_HUGE, PROT_READ));
		if (vb_thp_risen(t, VB_THP_OPS)) {
			t->late = true;
		} else {
			ASSERT_EQ(0, vb_thp_wait(t, VHOST_BALLOON_C_SKIP_NO_WRITE, HALF));
			ASSERT_EQ(0, vb_thp_wait(t, VB_THP_ANON, NR_SECOND));
			vb_thp_expect_gone(t, SECOND, NR_SECOND);
			vb_thp_expect_end(_metadata, t, 1, NR_SECOND);
		}
		ASSERT_EQ(0, mprotect(first, VB_HUGE, PROT_READ | PROT_WRITE));
	}
}

TEST_HARNESS_MAIN
