// SPDX-License-Identifier: GPL-2.0
/* Tests of the bits of pages: where there are some, and which stay when memory changes. */
#include <vbt-kernel.h>
#include "test-common.h"

#include <unistd.h>

#include "pagebits.h"

#define SLOTS_MAX	40
/* Where memory is mapped, and other memory. */
#define HVA		(1UL << 40)
#define HVA_OTHER	(1UL << 41)

static struct {
	struct vb_memory memory;
	struct vb_pagebits bits;
	struct vhost_balloon_slot slot[SLOTS_MAX];
	unsigned int nr_slots;
	u64 generation;
	unsigned int allocs;
	unsigned int fail_at;
	void (*meanwhile)(void);
} vm;

/*
 * The memory
 */

static int source_enter(void *data)
{
	return 0;
}

static void source_leave(void *data, int cookie)
{
}

static u64 source_generation(void *data)
{
	return vm.generation;
}

static int source_find(void *data, u64 gfn, struct vhost_balloon_slot *slot)
{
	unsigned int i;

	for (i = 0; i < vm.nr_slots; i++) {
		if (gfn < vm.slot[i].gfn + vm.slot[i].nr) {
			*slot = vm.slot[i];
			return 0;
		}
	}
	return -ENOENT;
}

static void source_release(void *data)
{
}

static const struct vhost_balloon_source_ops source_ops = {
	.type		= VHOST_BALLOON_SOURCE_MEMTABLE,
	.enter		= source_enter,
	.leave		= source_leave,
	.generation	= source_generation,
	.find		= source_find,
	.release	= source_release,
};

static void no_slots(void)
{
	vm.nr_slots = 0;
	vm.generation++;
}

/* Slots are added by rising guest frame number. */
static void add_slot(u64 gfn, u64 nr, unsigned long hva, u32 flags)
{
	expect(vm.nr_slots < SLOTS_MAX);
	vm.slot[vm.nr_slots] = (struct vhost_balloon_slot) {
		.gfn	= gfn,
		.nr	= nr,
		.hva	= hva,
		.id	= vm.nr_slots,
		.flags	= flags,
	};
	vm.nr_slots++;
	vm.generation++;
}

/* Memory at @gfn, where the guest has always seen it. */
static void add_memory(u64 gfn, u64 nr)
{
	add_slot(gfn, nr, HVA + gfn * PAGE_SIZE, 0);
}

/* A section, in which the changes are seen. */
static void look(void)
{
	expect_eq(vb_memory_enter(&vm.memory), 0);
	vb_memory_leave(&vm.memory);
}

/*
 * The bits
 */

static bool alloc_allowed(void)
{
	bool allowed = ++vm.allocs != vm.fail_at;

	if (!allowed && vm.meanwhile)
		vm.meanwhile();
	return allowed;
}

/* From now on one allocation fails, the @nth; @meanwhile something happens. */
static void fail_alloc(unsigned int nth, void (*meanwhile)(void))
{
	vm.allocs = 0;
	vm.fail_at = nth;
	vm.meanwhile = meanwhile;
	vbt_alloc_allowed = alloc_allowed;
}

static u64 set(u64 gfn, u64 nr)
{
	u64 ret;

	look();
	mutex_lock(&vm.memory.lock);
	ret = vb_pagebits_set(&vm.bits, gfn, nr);
	mutex_unlock(&vm.memory.lock);
	return ret;
}

/* How many of 64 pages have their bits set; and no more. */
static u32 fetch(u64 gfn)
{
	u64 word = 0;
	u32 ret;

	look();
	mutex_lock(&vm.memory.lock);
	ret = vb_pagebits_fetch(&vm.bits, gfn, 64, &word);
	mutex_unlock(&vm.memory.lock);
	expect_eq(__builtin_popcountll(word), ret);
	return ret;
}

static bool full(u64 gfn, u64 nr, unsigned long hva)
{
	bool ret;

	look();
	mutex_lock(&vm.memory.lock);
	ret = vb_pagebits_full(&vm.bits, gfn, nr, hva);
	mutex_unlock(&vm.memory.lock);
	return ret;
}

static void start(bool survive)
{
	memset(&vm, 0, sizeof(vm));
	vbt_alloc_allowed = NULL;
	vb_memory_init(&vm.memory, 1);
	expect_eq(vb_memory_set_source(&vm.memory, &source_ops, NULL), 0);
	expect_eq(vb_pagebits_init(&vm.bits, &vm.memory, survive), 0);
	mutex_lock(&vm.memory.lock);
	vb_pagebits_want(&vm.bits);
	mutex_unlock(&vm.memory.lock);
}

/* With memory in two places that has no bits yet. */
static void start_with_gap(void)
{
	start(true);
	add_memory(0, 64);
	add_memory(128, 64);
	look();
}

static void end(void)
{
	vbt_alloc_allowed = NULL;
	vbt_current.killed = false;
	vb_pagebits_destroy(&vm.bits);
	vb_memory_set_source(&vm.memory, NULL, NULL);
	vb_memory_destroy(&vm.memory);
}

/* Cover all of the memory, as who uses the bits does when there may be something to do. */
static void cover(void)
{
	look();
	expect(vm.bits.missing);
	expect_eq(vb_pagebits_cover(&vm.bits), 0);
	expect(!vm.bits.missing);
}

/*
 * Tests
 */

static void test_memory_has_bits(void **state)
{
	(void)state;
	start(true);
	add_memory(64, 64);
	add_memory(256, 128);
	cover();
	expect_eq(set(0, 512), 192);
	expect_eq(fetch(0), 0);
	expect_eq(fetch(64), 64);
	expect_eq(fetch(64), 0);
	expect_eq(fetch(320), 64);
	expect_eq(fetch(256), 64);
	end();
}

static void test_other_slots_have_none(void **state)
{
	(void)state;
	start(true);
	add_slot(0, 64, HVA, VHOST_BALLOON_SLOT_READONLY);
	add_memory(64, 64);
	add_slot(128, 64, HVA_OTHER, VHOST_BALLOON_SLOT_GUEST_MEMFD);
	cover();
	expect_eq(set(0, 192), 64);
	end();
}

static void test_no_bits_beyond_32_bits(void **state)
{
	(void)state;
	start(true);
	add_memory(BIT_ULL(32) - 64, 128);
	cover();
	expect_eq(set(BIT_ULL(32) - 64, 128), 64);
	end();
}

static void test_part_of_the_pages(void **state)
{
	(void)state;
	start(true);
	add_memory(60, 140);
	cover();
	expect_eq(set(70, 3), 3);
	expect(!full(70, 4, HVA + 70 * PAGE_SIZE));
	expect(full(70, 3, HVA + 70 * PAGE_SIZE));
	expect(!full(70, 3, HVA + 71 * PAGE_SIZE));
	mutex_lock(&vm.memory.lock);
	vb_pagebits_clear(&vm.bits, 71, 1);
	mutex_unlock(&vm.memory.lock);
	expect(!full(70, 3, HVA + 70 * PAGE_SIZE));
	expect_eq(fetch(64), 2);
	set(60, 140);
	expect_eq(vb_pagebits_clear_all(&vm.bits), 0);
	expect_eq(fetch(64), 0);
	end();
}

/* Slots are split, with one of them read-only for a while, and made one again. */
static void move_slots(void)
{
	no_slots();
	add_memory(0, 64);
	add_slot(64, 64, HVA + 64 * PAGE_SIZE, VHOST_BALLOON_SLOT_READONLY);
	add_memory(128, 64);
	look();
	no_slots();
	look();
	add_memory(0, 192);
	look();
}

static void test_bits_stay_with_the_memory(void **state)
{
	(void)state;
	start(true);
	add_memory(0, 192);
	cover();
	set(0, 192);
	move_slots();
	expect(!vm.bits.missing);
	expect(full(0, 192, HVA));
	end();
}

static void test_bits_go_with_the_slot(void **state)
{
	(void)state;
	start(false);
	add_memory(0, 192);
	cover();
	set(0, 192);
	no_slots();
	add_memory(0, 192);
	expect_eq(fetch(0), 0);
	expect_eq(set(0, 192), 192);
	end();
}

static void test_bits_go_with_other_memory(void **state)
{
	(void)state;
	start(true);
	add_memory(0, 192);
	cover();
	set(0, 192);
	no_slots();
	add_memory(0, 64);
	add_slot(64, 128, HVA_OTHER, 0);
	cover();
	expect_eq(fetch(64), 0);
	expect_eq(set(0, 192), 192);
	end();
}

/* The bits of what is left of a slot go with those of its end. */
static void test_what_is_left_of_a_slot(void **state)
{
	(void)state;
	start(true);
	add_memory(0, 192);
	cover();
	no_slots();
	add_memory(0, 128);
	add_slot(128, 64, HVA_OTHER, VHOST_BALLOON_SLOT_READONLY);
	cover();
	expect_eq(set(0, 192), 128);
	end();
}

static void test_bits_of_no_memory_are_let_go(void **state)
{
	u64 i;

	(void)state;
	start(true);
	for (i = 0; i < 100; i++) {
		no_slots();
		add_memory(i * 1024, 1024);
		cover();
		expect_eq(set(i * 1024, 1024), 1024);
		expect(vm.bits.pages <= 5 * 1024);
	}
	end();
}

static void test_dropped(void **state)
{
	(void)state;
	start(true);
	add_memory(0, 64);
	cover();
	mutex_lock(&vm.memory.lock);
	vb_pagebits_drop(&vm.bits);
	mutex_unlock(&vm.memory.lock);
	expect_eq(vm.bits.pages, 0);
	expect_eq(set(0, 64), 0);
	add_memory(64, 64);
	look();
	expect(!vm.bits.missing);
	end();
}

static void test_without_memory(void **state)
{
	(void)state;
	start(true);
	vb_memory_set_source(&vm.memory, NULL, NULL);
	expect_eq(vb_pagebits_cover(&vm.bits), 0);
	end();
}

/* Without room for the bits there are none, until there is something new. */
static void test_no_room(void **state)
{
	unsigned int nth;

	(void)state;
	for (nth = 1; nth <= 4; nth++) {
		start_with_gap();
		fail_alloc(nth, NULL);
		expect_eq(vb_pagebits_cover(&vm.bits), -ENOMEM);
		expect_eq(vm.allocs, nth);
		expect(!vm.bits.missing);
		expect_eq(set(0, 192), nth > 2 ? 64 : 0);
		add_memory(192, 64);
		cover();
		expect_eq(set(0, 256), 192);
		end();
	}
}

static void more_memory(void)
{
	add_memory(192, 64);
	look();
}

/* What comes while there is no room is something new. */
static void test_memory_comes_while_there_is_no_room(void **state)
{
	unsigned int nth;

	(void)state;
	for (nth = 1; nth <= 4; nth++) {
		start_with_gap();
		fail_alloc(nth, more_memory);
		expect_eq(vb_pagebits_cover(&vm.bits), -ENOMEM);
		cover();
		expect_eq(set(0, 256), 192);
		end();
	}
}

/* So many slots that there has to be room for more regions, which there isn't. */
static bool many_slots(void)
{
	unsigned int i;

	/* At the second allocation, of the bits of the first gap. */
	if (++vm.allocs == 2)
		for (i = 0; i < SLOTS_MAX / 2; i++)
			add_slot(256 + 128 * i, 64, HVA_OTHER, VHOST_BALLOON_SLOT_READONLY);
	return vm.allocs <= 2;
}

static void test_no_room_for_regions(void **state)
{
	(void)state;
	start_with_gap();
	vbt_alloc_allowed = many_slots;
	expect_eq(vb_pagebits_cover(&vm.bits), -ENOMEM);
	vbt_alloc_allowed = NULL;
	cover();
	expect_eq(set(0, 192), 128);
	end();
}

static bool memory_goes(void)
{
	/* At the second allocation, of the bits themselves. */
	if (++vm.allocs == 2) {
		no_slots();
		add_memory(32, 64);
		look();
	}
	return true;
}

static void test_memory_goes_meanwhile(void **state)
{
	(void)state;
	start(true);
	add_memory(0, 64);
	look();
	vbt_alloc_allowed = memory_goes;
	cover();
	expect_eq(vm.bits.pages, 64);
	expect_eq(set(0, 128), 64);
	end();
}

static bool memory_moves(void)
{
	vm.allocs++;
	no_slots();
	add_memory(vm.allocs % 1024, 64);
	look();
	return true;
}

/* It ends, even if the memory never stays as it was. */
static void test_memory_moves_all_the_time(void **state)
{
	(void)state;
	start(true);
	add_memory(0, 64);
	look();
	vbt_alloc_allowed = memory_moves;
	expect_eq(vb_pagebits_cover(&vm.bits), -ENOMEM);
	vbt_alloc_allowed = NULL;
	end();
}

static bool killed(void)
{
	vbt_current.killed = true;
	return true;
}

static void test_killed(void **state)
{
	(void)state;
	start_with_gap();
	vbt_alloc_allowed = killed;
	expect_eq(vb_pagebits_cover(&vm.bits), -EINTR);
	expect_eq(set(0, 192), 64);
	vbt_alloc_allowed = NULL;
	vbt_current.killed = false;
	cover();
	expect_eq(set(0, 192), 128);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_has_bits),
		cmocka_unit_test(test_other_slots_have_none),
		cmocka_unit_test(test_no_bits_beyond_32_bits),
		cmocka_unit_test(test_part_of_the_pages),
		cmocka_unit_test(test_bits_stay_with_the_memory),
		cmocka_unit_test(test_bits_go_with_the_slot),
		cmocka_unit_test(test_bits_go_with_other_memory),
		cmocka_unit_test(test_what_is_left_of_a_slot),
		cmocka_unit_test(test_bits_of_no_memory_are_let_go),
		cmocka_unit_test(test_dropped),
		cmocka_unit_test(test_without_memory),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_memory_comes_while_there_is_no_room),
		cmocka_unit_test(test_no_room_for_regions),
		cmocka_unit_test(test_memory_goes_meanwhile),
		cmocka_unit_test(test_memory_moves_all_the_time),
		cmocka_unit_test(test_killed),
	};

	/* What doesn't come to an end is killed. */
	alarm(600);
	return cmocka_run_group_tests_name("pagebits", tests, NULL, NULL);
}
