// SPDX-License-Identifier: GPL-2.0
/* Tests of what a dirty log is told of: every piece of the ring that is written. */
#include "test-common.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "test-vring-driver.h"
#include "vring.h"

#define NUM	4

/* Bytes of the used ring, flags to event index. */
#define USED_LEN	(2 + 2 + 8 * NUM + 2)

/**
 * struct log - what was told, and when to say that it can't be had
 * @d: the driver, whose access this is about
 * @bytes: by offset in the used ring: how often it was told of
 * @seen: by offset: what was there when it was told of
 * @calls: number of calls
 * @fail_at: the call, counted from 1, that says -EFAULT; 0 for none
 * @stray: calls about something that isn't in the used ring
 */
static struct {
	struct vbd *d;
	unsigned int bytes[USED_LEN];
	u8 seen[USED_LEN];
	unsigned int calls;
	unsigned int fail_at;
	unsigned int stray;
} told;

static int written(struct vb_vring_access *acc, u64 addr, size_t len)
{
	size_t i;

	(void)acc;
	told.calls++;
	if (told.calls == told.fail_at)
		return -EFAULT;
	for (i = 0; i < len; i++) {
		if (addr + i < told.d->used || addr + i >= told.d->used + USED_LEN) {
			told.stray++;
			continue;
		}
		told.bytes[addr + i - told.d->used]++;
		vbd_read(told.d, addr + i, &told.seen[addr + i - told.d->used], 1);
	}
	return 0;
}

static void begin(struct vbd *d, struct vb_vring *vr, u64 features, unsigned int fail_at)
{
	vbd_reset(d, 0, 1);
	memset(&told, 0, sizeof(told));
	told.d = d;
	told.fail_at = fail_at;
	d->acc.written = written;
	vb_vring_init(vr, NUM, d->desc, d->avail, d->used, 0, features);
}

/* What is called again after -EFAULT, as often as it takes. */
#define again(call)			\
({					\
	int ret;			\
					\
	do {				\
		ret = (call);		\
	} while (ret == -EFAULT);	\
	ret;				\
})

/* Two chains from start to the end of a pass. */
static void serve(struct vbd *d, struct vb_vring *vr)
{
	struct vbd_sg sg = { .addr = vbd_alloc(d, 4), .len = 4 };
	struct vb_chain chain;
	int i;

	expect_eq(again(vb_vring_start(vr, &d->acc)), 0);
	expect_eq(again(vb_vring_disable_notify(vr, &d->acc)), 0);
	for (i = 0; i < 2; i++)
		expect(vbd_add(d, &sg, 1, 1) >= 0);
	vbd_publish(d);
	for (i = 0; i < 2; i++) {
		expect_eq(vb_vring_next(vr, &d->acc, &chain), 1);
		expect_eq(again(vb_vring_add_used(vr, &d->acc, chain.head, 0)), 0);
	}
	expect_eq(again(vb_vring_publish(vr, &d->acc)), 0);
	expect_eq(again(vb_vring_enable_notify(vr, &d->acc)), 0);
}

/* Everything that differs from an empty ring was told of, with what is there now. */
static void expect_all_told(struct vbd *d, u64 features)
{
	unsigned int i;
	u8 now;

	expect_eq(told.stray, 0);
	for (i = 0; i < USED_LEN; i++) {
		vbd_read(d, d->used + i, &now, 1);
		if (told.bytes[i])
			expect_eq(told.seen[i], now);
		else
			expect_eq(now, 0);
	}
	/* The index, two entries, and flags or event index. */
	for (i = 2; i < 4 + 16; i++)
		expect(told.bytes[i] > 0);
	expect((told.bytes[0] > 0) == !(features & VBD_F_EVENT_IDX));
	expect((told.bytes[USED_LEN - 1] > 0) == !!(features & VBD_F_EVENT_IDX));
}

static void test_all_writes(void **state)
{
	static const u64 features[] = { 0, VBD_F_EVENT_IDX };
	struct vb_vring vr;
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(features); i++) {
		struct vbd *d = vbd_create(NUM, features[i], 64, 0);

		begin(d, &vr, features[i], 0);
		serve(d, &vr);
		expect_all_told(d, features[i]);
		vbd_destroy(d);
	}
}

/* A log that has to be faulted in: nothing is lost, and nothing is done twice that shows. */
static void test_fault_at_every_call(void **state)
{
	static const u64 features[] = { 0, VBD_F_EVENT_IDX };
	struct vb_vring vr;
	unsigned int i, at, calls;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(features); i++) {
		struct vbd *d = vbd_create(NUM, features[i], 4096, 0);

		begin(d, &vr, features[i], 0);
		serve(d, &vr);
		calls = told.calls;
		expect(calls > 3);
		for (at = 1; at <= calls; at++) {
			begin(d, &vr, features[i], at);
			serve(d, &vr);
			expect_eq(told.calls, calls + 1);
			expect_all_told(d, features[i]);
			expect_eq(vbd_used_idx(d), 2);
			expect_eq(vr.used_published, 2);
		}
		vbd_destroy(d);
	}
}

/* The driver sees the index before the log is told: then it counts as published. */
static void test_index_is_published_once(void **state)
{
	struct vbd *d = vbd_create(NUM, 0, 64, 0);
	struct vb_vring vr;

	(void)state;
	begin(d, &vr, 0, 3);
	expect_eq(vb_vring_start(&vr, &d->acc), 0);
	expect_eq(vb_vring_add_used(&vr, &d->acc, 0, 0), 0);
	expect_eq(vb_vring_publish(&vr, &d->acc), -EFAULT);
	expect_eq(vbd_used_idx(d), 1);
	expect_eq(vr.used_published, 1);
	expect_eq(told.bytes[2], 0);
	expect_eq(vb_vring_publish(&vr, &d->acc), 0);
	expect_eq(told.bytes[2], 1);
	expect_eq(vb_vring_publish(&vr, &d->acc), 0);
	expect_eq(told.bytes[2], 1);
	vbd_destroy(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_writes),
		cmocka_unit_test(test_fault_at_every_call),
		cmocka_unit_test(test_index_is_published_once),
	};

	/* What doesn't come to an end is killed. */
	alarm(600);
	return cmocka_run_group_tests_name("vring-written", tests, NULL, NULL);
}
