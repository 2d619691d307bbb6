// SPDX-License-Identifier: GPL-2.0
/*
 * A processor that goes and comes while the guest kicks, inline and by the worker: no
 * request is lost.
 */
#include <unistd.h>

#include "kselftest_harness.h"
#include "vb_busy.h"
#include "vb_file.h"
#include "vb_worker.h"

#define ONLINE	"/sys/devices/system/cpu/cpu1/online"

static int set_online(bool online)
{
	return vb_write_file(ONLINE, online ? "1" : "0", 0);
}

static const char *hotplug_missing(void)
{
	if (access(ONLINE, W_OK))
		return "there is no second processor that can be switched off";
	if (set_online(false))
		return "the second processor can't be switched off";
	return set_online(true) ? "the second processor doesn't come back" : NULL;
}

FIXTURE(hotplug) {
	struct vb_busy b;
	struct vb_memory ram;
};

FIXTURE_VARIANT(hotplug) {
	bool worker;
};

FIXTURE_VARIANT_ADD(hotplug, inline) { .worker = false };
FIXTURE_VARIANT_ADD(hotplug, worker) { .worker = true };

FIXTURE_SETUP(hotplug)
{
	const char *missing = vb_serving_missing(variant->worker);

	if (!missing)
		missing = hotplug_missing();
	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vb_busy_map(&self->ram, VB_MEMORY_ANON));
	ASSERT_EQ(0, vb_busy_open(&self->b, &self->ram, variant->worker));
}

FIXTURE_TEARDOWN(hotplug)
{
	set_online(true);
	vb_busy_close(&self->b);
	vb_memory_unmap(&self->ram);
}

TEST_F_TIMEOUT(hotplug, of_a_processor_loses_no_request, vb_rounds_limit())
{
	unsigned int rounds = vb_rounds(20), round;
	struct vb_busy *b = &self->b;

	ASSERT_EQ(0, vb_busy_start(b));
	for (round = 0; round < rounds; round++) {
		ASSERT_EQ(0, set_online(round % 2));
		vb_chance_wait(20000);
		ASSERT_EQ(0, vb_busy_wait(b)) {
			TH_LOG("round %u, VB_SEED=%llu", round, vb_chance_seed());
		}
	}
	EXPECT_EQ(0, set_online(true));
	ASSERT_EQ(0, vb_busy_stop(b));
	EXPECT_EQ(-1, vb_busy_miscounted(b));
	EXPECT_EQ(VB_BUSY_UNNAMED, vb_busy_untouched(&self->ram));
}

TEST_HARNESS_MAIN
