// SPDX-License-Identifier: GPL-2.0
/*
 * Slots that come, go, move and change as fast as they can, while the guest kicks all of its
 * queues. Every request is completed, and counted; nothing is touched but the pages that the guest
 * named, and those only while they were there for it.
 */
#include "kselftest_harness.h"
#include "vb_busy.h"
#include "vb_worker.h"

FIXTURE(storm) {
	struct vb_busy b;
	struct vb_memory ram;
};

FIXTURE_VARIANT(storm) {
	enum vb_memory_kind kind;
	bool worker;
};

FIXTURE_VARIANT_ADD(storm, inline_anonymous) { .kind = VB_MEMORY_ANON };
FIXTURE_VARIANT_ADD(storm, inline_memfd) { .kind = VB_MEMORY_MEMFD };
FIXTURE_VARIANT_ADD(storm, worker_anonymous) { .kind = VB_MEMORY_ANON, .worker = true };
FIXTURE_VARIANT_ADD(storm, worker_memfd) { .kind = VB_MEMORY_MEMFD, .worker = true };

FIXTURE_SETUP(storm)
{
	const char *missing = vb_serving_missing(variant->worker);

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vb_busy_map(&self->ram, variant->kind));
	ASSERT_EQ(0, vb_busy_open(&self->b, &self->ram, variant->worker));
}

FIXTURE_TEARDOWN(storm)
{
	vb_busy_close(&self->b);
	vb_memory_unmap(&self->ram);
}

/* What was to be tested did happen. */
static void expect_all_kinds(struct __test_metadata *_metadata, struct vb_busy *b, bool worker)
{
	struct vhost_balloon_counters counters;
	const __u64 *value = counters.value;

	ASSERT_EQ(0, vb_get_counters(b->m.backend, &counters));
	EXPECT_LT(0ULL, value[VHOST_BALLOON_C_SKIP_NO_SLOT]);
	EXPECT_LT(0ULL, value[VHOST_BALLOON_C_DISCARD_ANON] +
			value[VHOST_BALLOON_C_DISCARD_SHMEM]);
	EXPECT_EQ(!worker, !!value[VHOST_BALLOON_C_PASSES_INLINE]);
}

TEST_F_TIMEOUT(storm, loses_no_request_and_touches_no_page_of_others, vb_rounds_limit())
{
	unsigned int rounds = vb_rounds(400), round;
	struct vb_busy *b = &self->b;

	ASSERT_EQ(0, vb_busy_start(b));
	for (round = 0; round < rounds; round++) {
		ASSERT_EQ(0, vb_busy_change(b, vb_chance(VB_BUSY_PIECES))) {
			TH_LOG("round %u, VB_SEED=%llu", round, vb_chance_seed());
		}
		vb_chance_wait(2000);
		/* Whoever waits for a kick that got lost waits in vain. */
		if (round % 64 == 0) {
			ASSERT_EQ(0, vb_busy_wait(b)) {
				TH_LOG("round %u, VB_SEED=%llu", round, vb_chance_seed());
				vb_busy_describe(b);
			}
		}
	}
	ASSERT_EQ(0, vb_busy_stop(b)) {
		TH_LOG("VB_SEED=%llu", vb_chance_seed());
	}
	EXPECT_TRUE(vb_busy_all_as_written(b));
	EXPECT_EQ(VB_BUSY_UNNAMED, vb_busy_untouched(&self->ram));
	EXPECT_EQ(-1, vb_busy_miscounted(b));
	expect_all_kinds(_metadata, b, variant->worker);
}

TEST_HARNESS_MAIN
