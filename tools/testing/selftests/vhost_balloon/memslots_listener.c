// SPDX-License-Identifier: GPL-2.0
/*
 * What the listeners of a balloon's memory are told, as the
 * vhost_balloon_region tracepoint has it: a replay when they register, and the
 * difference when KVM's memory slots have changed.
 */
#include <string.h>

#include "kselftest_harness.h"
#include "vb_memory.h"
#include "vb_trace.h"

#define MIB		(1UL << 20)
#define LEN		(16 * VB_PAGE)
#define MAX_EVENTS	128
#define FEATURES	VB_FEATURE(VIRTIO_F_VERSION_1)
#define RING_NUM	64

FIXTURE(listener) {
	struct vb_machine machine;
	__u64 id;
	struct vb_memory ram[3];
	struct vb_trace trace;
	struct vb_region_event events[MAX_EVENTS];
	int nr;
};

FIXTURE_SETUP(listener)
{
	const char *missing = vb_kvm_missing();
	struct vhost_balloon_info info;
	unsigned int i;
	int ret;

	if (missing)
		SKIP(return, "%s", missing);
	ret = vb_trace_open(&self->trace);
	if (ret)
		SKIP(return, "no tracepoint in tracefs: %s", strerror(-ret));
	ASSERT_EQ(0, vb_machine_open(&self->machine, true, FEATURES, RING_NUM));
	ASSERT_EQ(0, vb_get_info(self->machine.backend, &info));
	self->id = info.id;
	for (i = 0; i < ARRAY_SIZE(self->ram); i++)
		ASSERT_EQ(0, vb_memory_map(&self->ram[i], VB_MEMORY_ANON, (i + 1) * MIB, LEN));
	ASSERT_EQ(0, vb_machine_start(&self->machine));
}

FIXTURE_TEARDOWN(listener)
{
	unsigned int i;

	vb_machine_close(&self->machine);
	vb_trace_close(&self->trace);
	for (i = 0; i < ARRAY_SIZE(self->ram); i++)
		vb_memory_unmap(&self->ram[i]);
}

/* Reads what happened since the last time. */
static int read_events(FIXTURE_DATA(listener) *self)
{
	self->nr = vb_trace_events(&self->trace, self->id, self->events, MAX_EVENTS);
	vb_trace_clear(&self->trace);
	return self->nr < MAX_EVENTS ? self->nr : -EOVERFLOW;
}

static bool event_is(FIXTURE_DATA(listener) *self, int i, const char *op)
{
	return i < self->nr && !strcmp(self->events[i].op, op);
}

static bool event_is_about(FIXTURE_DATA(listener) *self, int i, const struct vb_memory *memory)
{
	return self->events[i].gfn == memory->gpa / VB_PAGE &&
	       self->events[i].nr == memory->len / VB_PAGE &&
	       self->events[i].hva == (unsigned long)memory->hva;
}

static unsigned int count_events(FIXTURE_DATA(listener) *self, const char *op,
				 const struct vb_memory *memory)
{
	unsigned int nr = 0;
	int i;

	for (i = 0; i < self->nr; i++)
		nr += event_is(self, i, op) && (!memory || event_is_about(self, i, memory));
	return nr;
}

/* Everything within begin and commit, and each region_del before the first region_add. */
static bool events_are_in_order(FIXTURE_DATA(listener) *self)
{
	bool inside = false;
	bool added = false;
	int i;

	for (i = 0; i < self->nr; i++) {
		if (event_is(self, i, "begin")) {
			if (inside)
				return false;
			inside = true;
			added = false;
			continue;
		}
		if (!inside)
			return false;
		if (event_is(self, i, "commit"))
			inside = false;
		else if (event_is(self, i, "add"))
			added = true;
		else if (event_is(self, i, "del") && added)
			return false;
	}
	return !inside;
}

TEST_F(listener, registration_replays_the_present_regions)
{
	struct vhost_balloon_region regions[4];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(self->ram); i++)
		ASSERT_EQ(0, vb_memory_add_slot(&self->machine, 1 + i, 0, &self->ram[i]));
	/* So that the second time there is no change to tell of. */
	ASSERT_EQ(4, vb_get_regions(self->machine.backend, regions, 4, NULL));
	ASSERT_EQ(0, vb_trace_clear(&self->trace));
	ASSERT_EQ(4, vb_get_regions(self->machine.backend, regions, 4, NULL));

	ASSERT_EQ(6, read_events(self));
	EXPECT_TRUE(event_is(self, 0, "begin"));
	for (i = 0; i < ARRAY_SIZE(self->ram); i++) {
		EXPECT_TRUE(event_is(self, 1 + i, "add"));
		EXPECT_TRUE(event_is_about(self, 1 + i, &self->ram[i]));
	}
	EXPECT_TRUE(event_is(self, 4, "add"));
	EXPECT_TRUE(event_is_about(self, 4, &self->machine.buf));
	EXPECT_TRUE(event_is(self, 5, "commit"));
}

TEST_F(listener, change_is_told_once_with_all_that_went_before_what_came)
{
	__u64 add, del, commit;

	ASSERT_EQ(0, vb_memory_add_slot(&self->machine, 1, 0, &self->ram[0]));
	ASSERT_EQ(0, vb_memory_add_slot(&self->machine, 2, 0, &self->ram[1]));
	ASSERT_EQ(0, vb_inflate_range(&self->machine, MIB, 1));
	add = vb_counter(self->machine.backend, VHOST_BALLOON_C_REGION_ADD);
	del = vb_counter(self->machine.backend, VHOST_BALLOON_C_REGION_DEL);
	commit = vb_counter(self->machine.backend, VHOST_BALLOON_C_REGION_COMMIT);
	ASSERT_EQ(0, vb_trace_clear(&self->trace));

	/* The lowest one comes, the next one moves to the top, another one goes. */
	ASSERT_EQ(0, vb_vm_delete_slot(&self->machine.vm, 2));
	self->ram[0].gpa = 9 * MIB;
	ASSERT_EQ(0, vb_memory_add_slot(&self->machine, 1, 0, &self->ram[0]));
	self->ram[2].gpa = MIB / 2;
	ASSERT_EQ(0, vb_memory_add_slot(&self->machine, 3, 0, &self->ram[2]));
	ASSERT_EQ(0, vb_inflate_range(&self->machine, 9 * MIB, 1));

	ASSERT_LT(0, read_events(self));
	EXPECT_TRUE(events_are_in_order(self));
	EXPECT_EQ(1, count_events(self, "begin", NULL));
	EXPECT_EQ(1, count_events(self, "commit", NULL));
	EXPECT_EQ(2, count_events(self, "del", NULL));
	EXPECT_EQ(1, count_events(self, "del", &self->ram[1]));
	EXPECT_EQ(2, count_events(self, "add", NULL));
	EXPECT_EQ(1, count_events(self, "add", &self->ram[0]));
	EXPECT_EQ(1, count_events(self, "add", &self->ram[2]));
	EXPECT_EQ(1, count_events(self, "nop", NULL));
	EXPECT_EQ(1, count_events(self, "nop", &self->machine.buf));
	EXPECT_EQ(add + 2, vb_counter(self->machine.backend, VHOST_BALLOON_C_REGION_ADD));
	EXPECT_EQ(del + 2, vb_counter(self->machine.backend, VHOST_BALLOON_C_REGION_DEL));
	EXPECT_EQ(commit + 1, vb_counter(self->machine.backend, VHOST_BALLOON_C_REGION_COMMIT));

	/* Nothing has changed: nothing is told. */
	ASSERT_EQ(0, vb_inflate_range(&self->machine, 9 * MIB, 1));
	EXPECT_EQ(0, read_events(self));
}

TEST_F(listener, flags_that_do_not_matter_are_no_change)
{
	ASSERT_EQ(0, vb_memory_add_slot(&self->machine, 1, 0, &self->ram[0]));
	ASSERT_EQ(0, vb_inflate_range(&self->machine, MIB, 1));
	ASSERT_EQ(0, vb_trace_clear(&self->trace));

	ASSERT_EQ(0, vb_memory_add_slot(&self->machine, 1, KVM_MEM_LOG_DIRTY_PAGES, &self->ram[0]));
	ASSERT_EQ(0, vb_inflate_range(&self->machine, MIB, 1));
	ASSERT_LT(0, read_events(self));
	EXPECT_TRUE(events_are_in_order(self));
	EXPECT_EQ(0, count_events(self, "del", NULL));
	EXPECT_EQ(0, count_events(self, "add", NULL));
	EXPECT_EQ(1, count_events(self, "nop", &self->ram[0]));
}

TEST_F(listener, unbinding_the_vm_is_a_change_in_which_everything_goes)
{
	ASSERT_EQ(0, vb_memory_add_slot(&self->machine, 1, 0, &self->ram[0]));
	ASSERT_EQ(0, vb_inflate_range(&self->machine, MIB, 1));
	ASSERT_EQ(0, vb_machine_stop(&self->machine));
	ASSERT_EQ(0, vb_trace_clear(&self->trace));

	ASSERT_EQ(0, vb_set_vm(self->machine.backend, -1));
	ASSERT_EQ(4, read_events(self));
	EXPECT_TRUE(events_are_in_order(self));
	EXPECT_EQ(1, count_events(self, "del", &self->machine.buf));
	EXPECT_EQ(1, count_events(self, "del", &self->ram[0]));
}

TEST_HARNESS_MAIN
