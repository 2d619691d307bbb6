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
#include <endian.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "kselftest_harness.h"
#include "vb_memory.h"

#define MIB		(1UL << 20)
#define PAGES		256U
#define LEN		(PAGES * VB_PAGE)
#define SLOT		3
#define LIST_SLOT	4
#define CANARY_SLOT	5
#define FEATURES	VB_FEATURE(VIRTIO_F_VERSION_1)
#define RING_NUM	64
#define IN_FLIGHT	4
#define ROUNDS		50

/* Where the memory goes when it is moved. */
#define AWAY_GPA	(64 * MIB)

/*
 * A guest that gives away the same pages over and over, as fast as they are
 * used. From its start to its stop the ring is its own.
 */
struct kicker {
	struct vb_queue *queue;
	struct vb_sg list;
	pthread_t thread;
	bool started;
	atomic_bool stop;
	atomic_ulong used;
	atomic_int error;
};

static int kicker_step(struct kicker *kicker)
{
	struct vb_ring *ring = &kicker->queue->ring;
	__u32 len;
	int ret;

	while (ring->nr_free > RING_NUM - IN_FLIGHT) {
		ret = vb_ring_add(ring, &kicker->list, 1);
		if (ret < 0)
			return ret;
	}
	ret = vb_queue_notify(kicker->queue);
	if (ret)
		return ret;
	ret = vb_queue_wait_used(kicker->queue, ring->used_idx + IN_FLIGHT);
	if (ret)
		return ret;
	while ((ret = vb_ring_get_used(ring, NULL, &len)) == 1) {
		if (len)
			return -EPROTO;
		atomic_fetch_add(&kicker->used, 1);
	}
	return ret;
}

static void *kicker_run(void *arg)
{
	struct kicker *kicker = arg;

	while (!atomic_load(&kicker->stop) && !atomic_load(&kicker->error))
		atomic_store(&kicker->error, kicker_step(kicker));
	return NULL;
}

static int kicker_start(struct kicker *kicker, struct vb_queue *queue, __u64 list_gpa)
{
	int ret;

	kicker->queue = queue;
	kicker->list.addr = list_gpa;
	kicker->list.len = PAGES * sizeof(__le32);
	ret = pthread_create(&kicker->thread, NULL, kicker_run, kicker);
	kicker->started = !ret;
	return -ret;
}

static int kicker_stop(struct kicker *kicker)
{
	if (!kicker->started)
		return -EINVAL;
	atomic_store(&kicker->stop, true);
	pthread_join(kicker->thread, NULL);
	kicker->started = false;
	return atomic_load(&kicker->error);
}

/* Until whatever was on its way is through, and as much again has followed. */
static int kicker_wait(struct kicker *kicker)
{
	unsigned long enough = atomic_load(&kicker->used) + 3 * IN_FLIGHT;

	while (atomic_load(&kicker->used) < enough) {
		if (atomic_load(&kicker->error))
			return atomic_load(&kicker->error);
		usleep(100);
	}
	return 0;
}

/* Page numbers of @nr pages from @gpa on. */
static void write_list(void *list, __u64 gpa, unsigned int nr)
{
	__le32 *words = list;
	unsigned int i;

	for (i = 0; i < nr; i++)
		__atomic_store_n(&words[i], htole32(gpa / VB_PAGE + i), __ATOMIC_RELAXED);
}

/* Until the pages are seen to be discarded. */
static int wait_discarded(struct kicker *kicker, struct vb_memory *memory)
{
	while (vb_memory_zero(memory, 0, PAGES) != PAGES) {
		if (atomic_load(&kicker->error))
			return atomic_load(&kicker->error);
		usleep(100);
	}
	return 0;
}

/* A machine with memory to give away, which all the kicking is about. */
struct scene {
	struct vb_machine machine;
	struct vb_memory ram;
	struct kicker kicker;
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
		write_list(scene->machine.buf.hva, MIB, PAGES);
	return ret;
}

static void scene_close(struct scene *scene)
{
	kicker_stop(&scene->kicker);
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
	struct kicker *kicker = &self->scene.kicker;
	unsigned int round;

	vb_memory_fill(ram, 0, PAGES, 0);
	ASSERT_EQ(0, kicker_start(kicker, &m->inflate, VB_BUF_GPA));
	for (round = 1; round <= ROUNDS; round++) {
		/* The guest is at it: what is there goes. */
		ASSERT_EQ(0, wait_discarded(kicker, ram));
		/* At any moment of a pass. */
		usleep(rand() % 5000);

		ASSERT_EQ(0, take_away(m, variant->change, *ram));
		vb_memory_fill(ram, 0, PAGES, round);
		ASSERT_EQ(0, kicker_wait(kicker));
		ASSERT_EQ(PAGES, vb_memory_intact(ram, 0, PAGES, round)) {
			TH_LOG("in round %u", round);
		}

		ASSERT_EQ(0, vb_memory_add_slot(m, SLOT, 0, ram));
	}
	ASSERT_EQ(0, kicker_stop(kicker));
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
	struct kicker *kicker = &self->scene.kicker;
	struct vb_memory canary, list;
	unsigned int round;

	ASSERT_EQ(0, vb_memory_map(&canary, variant->kind, 16 * MIB, LEN));
	ASSERT_EQ(0, vb_memory_map(&list, variant->kind, 32 * MIB, LEN));
	ASSERT_EQ(0, vb_memory_add_slot(m, CANARY_SLOT, 0, &canary));
	ASSERT_EQ(0, vb_memory_add_slot(m, LIST_SLOT, 0, &list));
	write_list(list.hva, MIB, PAGES);
	vb_memory_fill(&canary, 0, PAGES, 1);
	ASSERT_EQ(0, kicker_start(kicker, &m->inflate, list.gpa));
	for (round = 1; round <= ROUNDS; round++) {
		vb_memory_fill(ram, 0, PAGES, round);
		ASSERT_EQ(0, wait_discarded(kicker, ram));
		usleep(rand() % 5000);

		ASSERT_EQ(0, vb_vm_delete_slot(&m->vm, LIST_SLOT));
		write_list(list.hva, canary.gpa, PAGES);
		ASSERT_EQ(0, kicker_wait(kicker));
		ASSERT_EQ(PAGES, vb_memory_intact(&canary, 0, PAGES, 1)) {
			TH_LOG("in round %u", round);
		}

		write_list(list.hva, MIB, PAGES);
		ASSERT_EQ(0, vb_memory_add_slot(m, LIST_SLOT, 0, &list));
	}
	ASSERT_EQ(0, kicker_stop(kicker));
	EXPECT_LT(0, vb_counter(m->backend, VHOST_BALLOON_C_MALFORMED));
	vb_memory_unmap(&canary);
	vb_memory_unmap(&list);
}

TEST_F_TIMEOUT(slots, that_come_and_go_elsewhere_cost_no_page, 300)
{
	struct vb_machine *m = &self->scene.machine;
	struct vb_memory *ram = &self->scene.ram;
	struct kicker *kicker = &self->scene.kicker;
	struct vhost_balloon_counters counters;
	const __u64 *value = counters.value;
	unsigned int i;
	__u32 slot;

	vb_memory_fill(ram, 0, PAGES, 1);
	ASSERT_EQ(0, kicker_start(kicker, &m->inflate, VB_BUF_GPA));
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
	ASSERT_EQ(0, kicker_wait(kicker));
	ASSERT_EQ(0, kicker_stop(kicker));

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
