// SPDX-License-Identifier: GPL-2.0
/*
 * The guarantee that everything rests on: when KVM_SET_USER_MEMORY_REGION has
 * returned, nothing reaches memory through a slot that it took away, however
 * much the guest kicks meanwhile. The host's memory stays mapped, so that a
 * discard that comes too late is seen as a lost pattern.
 *
 * Modules built with VB_TEST_DELAY_US=20000 and VB_TEST_NO_SRCU=1 make "guarantee"
 * fail every time; with the delay alone it passes.
 */
#include <stdlib.h>

#include "kselftest_harness.h"
#include "vb_kicker.h"
#include "vb_memory.h"

#define MIB		(1UL << 20)
#define PAGES		256U
#define LEN		(PAGES * VB_PAGE)
#define SLOT		3
#define LIST_SLOT	4
#define CANARY_SLOT	5
#define FEATURES	VB_FEATURE(VIRTIO_F_VERSION_1)
#define RING_NUM	64
#define ROUNDS		50

/* Where the memory goes when it is moved. */
#define AWAY_GPA	(64 * MIB)

/* A machine with memory to give away, which all the kicking is about. */
struct scene {
	struct vb_machine machine;
	struct vb_memory ram;
	struct vb_kicker kicker;
};

static int scene_open(struct scene *scene, enum vb_memory_kind kind)
{
	int ret = vb_machine_open(&scene->machine, true, FEATURES, RING_NUM);

	if (!ret)
		ret = vb_memory_map(&scene->ram, kind, MIB, LEN);
	if (!ret)
		ret = vb_memory_add_slot(&scene->machine, SLOT, 0, &scene->ram);
	if (!ret)
		ret = vb_machine_start(&scene->machine);
	if (!ret)
		vb_write_list(scene->machine.buf.hva, MIB, PAGES);
	return ret;
}

static void scene_close(struct scene *scene)
{
	vb_kicker_stop(&scene->kicker);
	vb_machine_close(&scene->machine);
	vb_memory_unmap(&scene->ram);
}

enum change {
	CHANGE_DELETE,
	CHANGE_MOVE,
};

FIXTURE(guarantee) {
	struct scene scene;
};

FIXTURE_VARIANT(guarantee) {
	enum vb_memory_kind kind;
	enum change change;
};

FIXTURE_VARIANT_ADD(guarantee, anonymous_deleted) {
	.kind = VB_MEMORY_ANON,
	.change = CHANGE_DELETE,
};

FIXTURE_VARIANT_ADD(guarantee, anonymous_moved) {
	.kind = VB_MEMORY_ANON,
	.change = CHANGE_MOVE,
};

FIXTURE_VARIANT_ADD(guarantee, memfd_deleted) {
	.kind = VB_MEMORY_MEMFD,
	.change = CHANGE_DELETE,
};

FIXTURE_VARIANT_ADD(guarantee, memfd_moved) {
	.kind = VB_MEMORY_MEMFD,
	.change = CHANGE_MOVE,
};

FIXTURE_SETUP(guarantee)
{
	const char *missing = vb_kvm_missing();

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, scene_open(&self->scene, variant->kind));
}

FIXTURE_TEARDOWN(guarantee)
{
	scene_close(&self->scene);
}

static int take_away(struct vb_machine *m, enum change change, struct vb_memory memory)
{
	if (change == CHANGE_DELETE)
		return vb_vm_delete_slot(&m->vm, SLOT);
	memory.gpa = AWAY_GPA;
	return vb_memory_add_slot(m, SLOT, 0, &memory);
}

TEST_F_TIMEOUT(guarantee, nothing_is_discarded_through_a_slot_that_is_gone, 300)
{
	struct vb_machine *m = &self->scene.machine;
	struct vb_memory *ram = &self->scene.ram;
	struct vb_kicker *kicker = &self->scene.kicker;
	unsigned int round;

	vb_memory_fill(ram, 0, PAGES, 0);
	ASSERT_EQ(0, vb_kicker_start_list(kicker, &m->inflate, VB_BUF_GPA, PAGES));
	for (round = 1; round <= ROUNDS; round++) {
		/* The guest is at it: what is there goes. */
		ASSERT_EQ(0, vb_kicker_wait_discarded(kicker, ram, PAGES));
		/* At any moment of a pass. */
		usleep(rand() % 5000);

		ASSERT_EQ(0, take_away(m, variant->change, *ram));
		vb_memory_fill(ram, 0, PAGES, round);
		ASSERT_EQ(0, vb_kicker_wait(kicker));
		ASSERT_EQ(PAGES, vb_memory_intact(ram, 0, PAGES, round)) {
			TH_LOG("in round %u", round);
		}

		ASSERT_EQ(0, vb_memory_add_slot(m, SLOT, 0, ram));
	}
	ASSERT_EQ(0, vb_kicker_stop(kicker));
	EXPECT_LT(0, vb_counter(m->backend, VHOST_BALLOON_C_SKIP_NO_SLOT));
}

FIXTURE(slots) {
	struct scene scene;
};

FIXTURE_VARIANT(slots) {
	enum vb_memory_kind kind;
};

FIXTURE_VARIANT_ADD(slots, anonymous) {
	.kind = VB_MEMORY_ANON,
};

FIXTURE_VARIANT_ADD(slots, memfd) {
	.kind = VB_MEMORY_MEMFD,
};

FIXTURE_SETUP(slots)
{
	const char *missing = vb_kvm_missing();

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, scene_open(&self->scene, variant->kind));
}

FIXTURE_TEARDOWN(slots)
{
	scene_close(&self->scene);
}

/*
 * The list of page numbers lies in a slot of its own, that goes. Whoever reads
 * it after that finds other pages there, which nobody ever gave away.
 */
TEST_F_TIMEOUT(slots, no_buffer_is_read_through_a_slot_that_is_gone, 300)
{
	struct vb_machine *m = &self->scene.machine;
	struct vb_memory *ram = &self->scene.ram;
	struct vb_kicker *kicker = &self->scene.kicker;
	struct vb_memory canary, list;
	unsigned int round;

	ASSERT_EQ(0, vb_memory_map(&canary, variant->kind, 16 * MIB, LEN));
	ASSERT_EQ(0, vb_memory_map(&list, variant->kind, 32 * MIB, LEN));
	ASSERT_EQ(0, vb_memory_add_slot(m, CANARY_SLOT, 0, &canary));
	ASSERT_EQ(0, vb_memory_add_slot(m, LIST_SLOT, 0, &list));
	vb_write_list(list.hva, MIB, PAGES);
	vb_memory_fill(&canary, 0, PAGES, 1);
	ASSERT_EQ(0, vb_kicker_start_list(kicker, &m->inflate, list.gpa, PAGES));
	for (round = 1; round <= ROUNDS; round++) {
		vb_memory_fill(ram, 0, PAGES, round);
		ASSERT_EQ(0, vb_kicker_wait_discarded(kicker, ram, PAGES));
		usleep(rand() % 5000);

		ASSERT_EQ(0, vb_vm_delete_slot(&m->vm, LIST_SLOT));
		vb_write_list(list.hva, canary.gpa, PAGES);
		ASSERT_EQ(0, vb_kicker_wait(kicker));
		ASSERT_EQ(PAGES, vb_memory_intact(&canary, 0, PAGES, 1)) {
			TH_LOG("in round %u", round);
		}

		vb_write_list(list.hva, MIB, PAGES);
		ASSERT_EQ(0, vb_memory_add_slot(m, LIST_SLOT, 0, &list));
	}
	ASSERT_EQ(0, vb_kicker_stop(kicker));
	EXPECT_LT(0, vb_counter(m->backend, VHOST_BALLOON_C_MALFORMED));
	vb_memory_unmap(&canary);
	vb_memory_unmap(&list);
}

TEST_F_TIMEOUT(slots, that_come_and_go_elsewhere_cost_no_page, 300)
{
	struct vb_machine *m = &self->scene.machine;
	struct vb_memory *ram = &self->scene.ram;
	struct vb_kicker *kicker = &self->scene.kicker;
	struct vhost_balloon_counters counters;
	const __u64 *value = counters.value;
	unsigned int i;
	__u32 slot;

	vb_memory_fill(ram, 0, PAGES, 1);
	ASSERT_EQ(0, vb_kicker_start_list(kicker, &m->inflate, VB_BUF_GPA, PAGES));
	for (i = 0; i < 4 * ROUNDS; i++) {
		struct vb_memory other = {
			.gpa = (16 + i % 16) * MIB,
			.len = LEN,
			.hva = ram->hva,
		};

		ASSERT_EQ(0, vb_memory_add_slot(m, SLOT + 1 + i % 4, 0, &other));
		if (i % 4 == 3)
			for (slot = SLOT + 1; slot <= SLOT + 4; slot++)
				ASSERT_EQ(0, vb_vm_delete_slot(&m->vm, slot));
	}
	ASSERT_EQ(0, vb_kicker_wait(kicker));
	ASSERT_EQ(0, vb_kicker_stop(kicker));

	ASSERT_EQ(0, vb_get_counters(m->backend, &counters));
	EXPECT_EQ(atomic_load(&kicker->used), value[VHOST_BALLOON_C_CHAINS]);
	EXPECT_EQ(PAGES * value[VHOST_BALLOON_C_CHAINS], value[VHOST_BALLOON_C_INFLATED]);
	EXPECT_EQ(value[VHOST_BALLOON_C_INFLATED],
		  value[VHOST_BALLOON_C_DISCARD_ANON] + value[VHOST_BALLOON_C_DISCARD_SHMEM] +
		  value[VHOST_BALLOON_C_DUPLICATE]);
	EXPECT_EQ(0, value[VHOST_BALLOON_C_SKIP_NO_SLOT]);
	EXPECT_EQ(0, value[VHOST_BALLOON_C_MALFORMED]);
	EXPECT_EQ(0, value[VHOST_BALLOON_C_BROKEN]);
	EXPECT_EQ(PAGES, vb_memory_zero(ram, 0, PAGES));
}

TEST_HARNESS_MAIN
