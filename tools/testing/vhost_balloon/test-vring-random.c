// SPDX-License-Identifier: GPL-2.0
/*
 * Rings of random bytes, biased to be plausible. Whatever they are, the code has
 * to come to an end, stay inside its memory, and agree with a plain model of what
 * a chain is.
 *
 * VBT_ROUNDS and VBT_SEED in the environment make for longer and other runs.
 */
#include "test-common.h"

#include <stdio.h>
#include <unistd.h>
#include <uapi/linux/vhost_balloon.h>

#include "test-choice.h"
#include "test-uaccess.h"
#include "test-vring-check.h"
#include "test-vring-driver.h"

#define GUEST_SIZE	4096

static unsigned long rounds = 200000;
static u64 first_seed = 1;
static unsigned long round;

static struct vbt_choice choice;

static unsigned int rnd(unsigned int n)
{
	return vbt_choose(&choice, n);
}

static u64 random_addr(void)
{
	switch (rnd(16)) {
	case 0:
		return ~0ULL - rnd(64);
	case 1:
		return vbt_choose_u64(&choice) << rnd(17);
	case 2:
		/* Over the end of memory. */
		return VBD_GUEST_BASE + GUEST_SIZE - rnd(64);
	case 3:
		/* Not an address of the guest's. */
		return VBD_RING_BASE + rnd(256);
	default:
		return VBD_GUEST_BASE + 16 * rnd(GUEST_SIZE / 16 - 4);
	}
}

static u32 random_len(unsigned int num)
{
	switch (rnd(16)) {
	case 0:
		return vbt_choose_u64(&choice);
	case 1:
		return 0;
	case 2:
		return rnd(80);
	case 3:
	case 4:
		return 4 * rnd(64);
	default:
		return 16 * (1 + rnd(num));
	}
}

static void random_desc(struct vbd *d, u64 table, unsigned int i, unsigned int wild)
{
	u16 flags = 0, next = rnd(d->num);

	if (rnd(4))
		flags |= VBD_NEXT;
	/* Writable ones towards the end of the table, so that the order is right at times. */
	if (i > d->num / 2 || !rnd(8))
		flags |= VBD_WRITE;
	/* Mostly forward, so that chains have an end at times. */
	if (rnd(4))
		next = i + 1 < d->num ? i + 1 : 0;
	if (rnd(4) == 0) {
		flags |= VBD_INDIRECT;
		if (rnd(8))
			flags &= ~VBD_NEXT;
	}
	if (rnd(100) < wild) {
		flags = vbt_choose_u64(&choice);
		next = rnd(2) ? vbt_choose_u64(&choice) : d->num;
	}
	vbd_set_desc(d, table, i, random_addr(), random_len(d->num), flags, next);
}

static void random_ring(struct vbd *d, u16 idx)
{
	/* Most rings are wild in few places only: the others break at once. */
	unsigned int wild = rnd(4) ? rnd(5) : rnd(100);
	unsigned int i;

	for (i = 0; i < d->num; i++) {
		random_desc(d, d->desc, i, wild);
		vbd_set_avail(d, i, rnd(100) < wild ? vbt_choose_u64(&choice) : rnd(d->num));
	}
	/* All of the guest's memory may be an indirect table. */
	for (i = 0; i < GUEST_SIZE / 16; i++)
		random_desc(d, VBD_GUEST_BASE, i, wild);
	vbd_set_avail_flags(d, vbt_choose_u64(&choice));
	vbd_set_used_event(d, vbt_choose_u64(&choice));
	vbd_set_used_idx(d, vbt_choose_u64(&choice));
	vbd_set_avail_idx(d, rnd(100) < wild ? vbt_choose_u64(&choice) : idx + rnd(d->num + 1));
}

static struct vbt_ends ends;
static struct vbd *rings[7][2][2];

static struct vbd *random_driver(void)
{
	unsigned int size = rnd(7), indirect = rnd(4) > 0, event = rnd(2);
	struct vbd **d = &rings[size][indirect][event];

	if (!*d)
		*d = vbd_create(1U << size, indirect * VBD_F_INDIRECT + event * VBD_F_EVENT_IDX,
				GUEST_SIZE, 0);
	return *d;
}

static void test_random_rings(void **state)
{
	unsigned int i;

	(void)state;
	vbt_uaccess_reset();
	for (round = 0; round < rounds; round++) {
		struct vbd *d;
		u16 idx;

		choice = vbt_choice_random(first_seed + round);
		d = random_driver();
		idx = vbt_choose_u64(&choice);
		random_ring(d, idx);
		vbt_check_ring(d, idx, &choice, &ends);
	}
	/* Every end that there is was met. */
	for (i = VHOST_BALLOON_BROKEN_AVAIL_INDEX; i <= VHOST_BALLOON_BROKEN_INDIRECT; i++)
		expect(ends.broken[i] > rounds / 2000);
	expect(ends.good > rounds / 2000);
	expect(ends.malformed > rounds / 2000);
	expect(ends.no_memory > rounds / 2000);
	expect(ends.segments > rounds);
}

/*
 * The same with a driver that changes its mind at every access, and with faults. There
 * is nothing to compare with: it has to end, and to stay inside its memory.
 */
static void change_something(void *arg, const void *p, size_t n, bool write)
{
	struct vbd *d = arg;

	(void)write;
	switch (rnd(8)) {
	case 0:
		random_desc(d, d->desc, rnd(d->num), 20);
		break;
	case 1:
		random_desc(d, VBD_GUEST_BASE, rnd(GUEST_SIZE / 16), 20);
		break;
	case 2:
		vbd_set_avail(d, rnd(d->num), rnd(8) ? rnd(d->num) : vbt_choose_u64(&choice));
		break;
	case 3:
		/* Right what is being looked at. */
		if (n > 1 && !write)
			((u8 *)(uintptr_t)p)[rnd(n)] ^= 1 << rnd(8);
		break;
	case 4:
		vbt_uaccess.fail_at = vbt_uaccess.accesses;
		vbt_uaccess.fail_after = rnd(n);
		break;
	case 5:
		vbd_set_avail_idx(d, vbd_get16(d, d->avail + 2) + rnd(2));
		break;
	}
}

static void test_changing_rings(void **state)
{

	(void)state;
	for (round = 0; round < rounds / 4; round++) {
		struct vbd *d;
		u16 idx;

		choice = vbt_choice_random(~(first_seed + round));
		d = random_driver();
		idx = vbt_choose_u64(&choice);
		random_ring(d, idx);
		vbt_uaccess_reset();
		vbt_uaccess.before = change_something;
		vbt_uaccess.arg = d;
		vbt_check_changing_ring(d, idx, &choice);
		vbt_uaccess_reset();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_rings),
		cmocka_unit_test(test_changing_rings),
	};
	unsigned int i;
	int ret;

	/* What doesn't come to an end is killed. */
	alarm(3600);
	if (getenv("VBT_ROUNDS"))
		rounds = strtoul(getenv("VBT_ROUNDS"), NULL, 0);
	if (getenv("VBT_SEED"))
		first_seed = strtoull(getenv("VBT_SEED"), NULL, 0);
	ret = cmocka_run_group_tests_name("vring-random", tests, NULL, NULL);
	if (ret)
		printf("# failed with VBT_SEED=%llu\n", (unsigned long long)(first_seed + round));
	printf("# chains by their end: good %lu, malformed %lu, no memory %lu; pieces %lu\n",
	       ends.good, ends.malformed, ends.no_memory, ends.segments);
	printf("# broken: index %lu, head %lu, next %lu, loop %lu, indirect %lu\n",
	       ends.broken[1], ends.broken[2], ends.broken[3], ends.broken[4], ends.broken[5]);
	for (i = 0; i < 28; i++) {
		struct vbd *d = rings[i / 4][i / 2 % 2][i % 2];

		if (d)
			vbd_destroy(d);
	}
	return ret;
}
