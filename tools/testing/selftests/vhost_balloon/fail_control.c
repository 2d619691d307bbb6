// SPDX-License-Identifier: GPL-2.0
/*
 * Each allocation, and each copy from or to user memory, that a control ioctl
 * makes fails in turn. Then it fails, says so, and hasn't changed anything; or it has done all of
 * what it does.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "vb_control.h"
#include "vb_fail_vmm.h"

#define TARGET		1234
#define INTERVAL	3600000

static int start(struct vb_fail_vmm *v)
{
	return vb_machine_start(&v->m);
}

static int call_get_info(struct vb_fail_vmm *v)
{
	struct vhost_balloon_info info;

	return vb_get_info(v->fd, &info);
}

static int call_get_counters(struct vb_fail_vmm *v)
{
	struct vhost_balloon_counters counters;

	return vb_get_counters(v->fd, &counters);
}

static int call_get_regions(struct vb_fail_vmm *v)
{
	struct vhost_balloon_region regions[4];

	return vb_get_regions(v->fd, regions, 4, NULL);
}

static int call_set_target(struct vb_fail_vmm *v)
{
	return vb_set_target(v->fd, TARGET);
}

static int undo_set_target(struct vb_fail_vmm *v)
{
	return vb_set_target(v->fd, 0);
}

static int call_get_stats(struct vb_fail_vmm *v)
{
	struct vhost_balloon_stats stats;
	struct vhost_balloon_stat entries[2];

	return vb_get_stats(v->fd, &stats, entries, 2);
}

static int call_set_stats_interval(struct vb_fail_vmm *v)
{
	return vb_set_stats_interval(v->fd, INTERVAL);
}

static int undo_set_stats_interval(struct vb_fail_vmm *v)
{
	return vb_set_stats_interval(v->fd, 0);
}

static int call_refresh_stats(struct vb_fail_vmm *v)
{
	return vb_refresh_stats(v->fd, 0);
}

static int call_hint_start(struct vb_fail_vmm *v)
{
	__u32 id;

	return vb_hint_start(v->fd, &id);
}

static int call_hint_stop(struct vb_fail_vmm *v)
{
	return vb_hint_stop(v->fd, VHOST_BALLOON_HINT_STOP_STOP);
}

/* From there on it can be started, and stopped again. */
static int prepare_hint_start(struct vb_fail_vmm *v)
{
	return call_hint_start(v) ?: call_hint_stop(v);
}

static int call_hint_fetch(struct vb_fail_vmm *v)
{
	__u64 bitmap[VB_HINT_PAGES / 64];

	return vb_hint_fetch(v->fd, VB_HINT_GFN, VB_HINT_PAGES, bitmap);
}

static int call_set_inhibit(struct vb_fail_vmm *v)
{
	return vb_set_inhibit(v->fd, true, "a fault");
}

static int undo_set_inhibit(struct vb_fail_vmm *v)
{
	return vb_set_inhibit(v->fd, false, "");
}

static int call_get_tunables(struct vb_fail_vmm *v)
{
	__u64 mask, values;

	return vb_get_tunables(v->fd, &mask, &values);
}

static int call_set_tunables(struct vb_fail_vmm *v)
{
	return vb_set_tunables(v->fd, VHOST_BALLOON_TUNE_POPULATE, VHOST_BALLOON_TUNE_POPULATE);
}

static int undo_set_tunables(struct vb_fail_vmm *v)
{
	return vb_set_tunables(v->fd, VHOST_BALLOON_TUNE_POPULATE, 0);
}

static int call_read(struct vb_fail_vmm *v)
{
	struct vhost_balloon_event event;

	return read(v->control, &event, sizeof(event)) < 0 ? -errno : 0;
}

/* The target is what it was, but somebody has set it. */
static int prepare_read(struct vb_fail_vmm *v)
{
	return vb_set_target(v->control, 1) ?: vb_set_target(v->control, 0);
}

FIXTURE(fail) {
	struct vb_fail_vmm v;
};

FIXTURE_VARIANT(fail) {
	struct vb_fail_call call;
};

FIXTURE_VARIANT_ADD(fail, get_info) { .call = { .call = call_get_info } };
FIXTURE_VARIANT_ADD(fail, get_counters) { .call = { .call = call_get_counters } };
FIXTURE_VARIANT_ADD(fail, get_regions) { .call = { .call = call_get_regions } };
FIXTURE_VARIANT_ADD(fail, set_target) {
	.call = { .call = call_set_target, .undo = undo_set_target },
};

FIXTURE_VARIANT_ADD(fail, get_stats) { .call = { .call = call_get_stats } };
FIXTURE_VARIANT_ADD(fail, set_stats_interval) {
	.call = { .call = call_set_stats_interval, .undo = undo_set_stats_interval },
};

FIXTURE_VARIANT_ADD(fail, refresh_stats) {
	.call = { .prepare = start, .call = call_refresh_stats },
};

FIXTURE_VARIANT_ADD(fail, hint_start) {
	.call = { .prepare = prepare_hint_start, .call = call_hint_start, .undo = call_hint_stop,
		  .answer_lost = true },
};

FIXTURE_VARIANT_ADD(fail, hint_stop) {
	.call = { .prepare = call_hint_start, .call = call_hint_stop, .undo = call_hint_start },
};

FIXTURE_VARIANT_ADD(fail, hint_fetch) {
	.call = { .prepare = prepare_hint_start, .call = call_hint_fetch },
};

FIXTURE_VARIANT_ADD(fail, set_inhibit) {
	.call = { .call = call_set_inhibit, .undo = undo_set_inhibit },
};

FIXTURE_VARIANT_ADD(fail, get_tunables) { .call = { .call = call_get_tunables } };
FIXTURE_VARIANT_ADD(fail, set_tunables) {
	.call = { .call = call_set_tunables, .undo = undo_set_tunables },
};

FIXTURE_VARIANT_ADD(fail, read) {
	.call = { .prepare = prepare_read, .call = call_read, .undo = prepare_read },
};

FIXTURE_SETUP(fail)
{
	const char *missing = vb_fail_missing();

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vb_fail_vmm_open(&self->v, false));
}

FIXTURE_TEARDOWN(fail)
{
	vb_fail_vmm_close(&self->v);
}

static void fail_in_turn(struct __test_metadata *_metadata, struct vb_fail_vmm *v,
			 const struct vb_fail_call *call, bool and_rest)
{
	const int fds[] = { v->m.backend, v->control };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		struct vb_fail_result r;

		v->fd = fds[i];
		r = vb_fail_in_turn(v, call, and_rest);
		TH_LOG("%u faults, %u of them an error", r.faults, r.failed);
		EXPECT_STREQ("", r.wrong ?: "") {
			TH_LOG("fault %u: %s", r.faults, strerror(-r.ret));
		}
		EXPECT_LT(0U, r.failed);
	}
}

TEST_F_TIMEOUT(fail, that_is_not_noticed_or_changes_nothing, 600)
{
	fail_in_turn(_metadata, &self->v, &variant->call, false);
}

TEST_F_TIMEOUT(fail, that_leaves_no_memory_changes_nothing, 600)
{
	fail_in_turn(_metadata, &self->v, &variant->call, true);
}

TEST_HARNESS_MAIN
