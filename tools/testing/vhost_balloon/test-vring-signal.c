// SPDX-License-Identifier: GPL-2.0
/* Tests of the device side of a virtqueue: who is told of what, and when. */
#include "test-common.h"

#include <unistd.h>

#include "test-uaccess.h"
#include "test-vring-scenario.h"

static void test_notify_by_flag(void **state)
{
	struct vbd *d = vbd_create(4, 0, 4096, 0);
	const struct vbs_shape shape = { 1, 0, 1 };
	struct vb_vring vr;
	u64 seed = 1;

	(void)state;
	vbs_begin(d, &vr, 0, 1);
	expect_eq(vb_vring_start(&vr, &d->acc), 0);
	expect(vbd_need_kick(d));
	expect_eq(vb_vring_disable_notify(&vr, &d->acc), 0);
	expect_eq(vbd_used_flags(d), 1);
	expect(!vbd_need_kick(d));
	expect_eq(vb_vring_enable_notify(&vr, &d->acc), 0);
	expect_eq(vbd_used_flags(d), 0);
	expect(vbd_need_kick(d));
	expect_eq(vb_vring_disable_notify(&vr, &d->acc), 0);
	vbs_post(d, &shape, &seed);
	vbd_publish(d);
	expect_eq(vb_vring_enable_notify(&vr, &d->acc), 1);
	expect_eq(vbd_avail_event(d), 0);
	vbd_destroy(d);
}

static void test_notify_by_event(void **state)
{
	struct vbd *d = vbd_create(4, VBD_F_EVENT_IDX, 4096, 0);
	const struct vbs_shape shape = { 1, 0, 1 };
	struct vb_vring vr;
	struct vb_chain chain;
	u64 seed = 1;

	(void)state;
	vbs_begin(d, &vr, 65535, 1);
	expect_eq(vb_vring_start(&vr, &d->acc), 0);
	vbs_post(d, &shape, &seed);
	vbd_publish(d);
	expect(vbd_need_kick(d));
	vbs_post(d, &shape, &seed);
	vbd_publish(d);
	expect(!vbd_need_kick(d));
	expect_eq(vb_vring_disable_notify(&vr, &d->acc), 0);
	expect_eq(vbd_used_flags(d), 0);
	expect_eq(vbd_avail_event(d), 65535);
	expect_eq(vb_vring_next(&vr, &d->acc, &chain), 1);
	/* The index that was already read is ahead of where we are. */
	expect_eq(vb_vring_enable_notify(&vr, &d->acc), 1);
	expect_eq(vbd_avail_event(d), 0);
	expect_eq(vb_vring_next(&vr, &d->acc, &chain), 1);
	expect_eq(vb_vring_enable_notify(&vr, &d->acc), 0);
	expect_eq(vbd_avail_event(d), 1);
	expect_eq(vbd_used_flags(d), 0);
	vbd_destroy(d);
}

/* The driver posts right when the device has asked for notifications. */
static void post_late(void *arg, const void *p, size_t n, bool write)
{
	struct vbd *d = arg;
	const struct vbs_shape shape = { 1, 0, 1 };
	u64 seed = 1;

	(void)n;
	/* Before the device's wish is written: this one isn't notified of. */
	if (!write || d->avail_idx)
		return;
	expect(p == vbd_host(d, d->features ? d->used + 4 + 8 * d->num : d->used));
	vbs_post(d, &shape, &seed);
	vbd_publish(d);
	vbd_need_kick(d);
}

static void test_enable_notify_looks_again(void **state)
{
	unsigned int f;

	(void)state;
	for (f = 0; f < 2; f++) {
		struct vbd *d = vbd_create(4, f ? VBD_F_EVENT_IDX : 0, 4096, 0);
		struct vb_vring vr;
		struct vb_chain chain;

		vbs_begin(d, &vr, 0, 1);
		expect_eq(vb_vring_start(&vr, &d->acc), 0);
		expect_eq(vb_vring_disable_notify(&vr, &d->acc), 0);
		expect_eq(vb_vring_next(&vr, &d->acc, &chain), 0);
		vbt_uaccess.before = post_late;
		vbt_uaccess.arg = d;
		expect_eq(vb_vring_enable_notify(&vr, &d->acc), 1);
		expect_eq(vb_vring_next(&vr, &d->acc, &chain), 1);
		vbt_uaccess_reset();
		vbd_destroy(d);
	}
}

static void test_signal_by_flag(void **state)
{
	struct vbd *d = vbd_create(4, 0, 64, 0);
	struct vb_vring vr;

	(void)state;
	vbs_begin(d, &vr, 0, 1);
	expect_eq(vb_vring_start(&vr, &d->acc), 0);
	/* Must be ignored without event indices (section 2.7.7.2). */
	vbd_set_used_event(d, 1000);
	expect_eq(vb_vring_add_used(&vr, &d->acc, 0, 0), 0);
	expect_eq(vb_vring_publish(&vr, &d->acc), 0);
	expect_eq(vb_vring_should_signal(&vr, &d->acc), 1);
	expect_eq(vb_vring_should_signal(&vr, &d->acc), 1);
	vbd_set_avail_flags(d, 1);
	expect_eq(vb_vring_should_signal(&vr, &d->acc), 0);
	/* Other bits mean nothing. */
	vbd_set_avail_flags(d, 0xfffe);
	expect_eq(vb_vring_should_signal(&vr, &d->acc), 1);
	vbd_destroy(d);
}

static void test_signal_by_event_first(void **state)
{
	struct vbd *d = vbd_create(4, VBD_F_EVENT_IDX, 64, 0);
	struct vb_vring vr;

	(void)state;
	vbs_begin(d, &vr, 10, 1);
	expect_eq(vb_vring_start(&vr, &d->acc), 0);
	/* The flag must be ignored with event indices (section 2.7.7.2). */
	vbd_set_avail_flags(d, 1);
	vbd_set_used_event(d, 5000);
	expect_eq(vb_vring_add_used(&vr, &d->acc, 0, 0), 0);
	expect_eq(vb_vring_publish(&vr, &d->acc), 0);
	/* Nobody knows what the driver was told before. */
	expect_eq(vb_vring_should_signal(&vr, &d->acc), 1);
	expect_eq(vb_vring_should_signal(&vr, &d->acc), 0);
	expect_eq(vb_vring_add_used(&vr, &d->acc, 0, 0), 0);
	/* Not published: not to be signalled. */
	vbd_set_used_event(d, 11);
	expect_eq(vb_vring_should_signal(&vr, &d->acc), 0);
	expect_eq(vb_vring_publish(&vr, &d->acc), 0);
	expect_eq(vb_vring_should_signal(&vr, &d->acc), 1);
	expect_eq(vb_vring_should_signal(&vr, &d->acc), 0);
	vbd_destroy(d);
}

/* All event indices, against the list of indices that were passed. */
static void test_signal_by_event_all(void **state)
{
	static const u16 olds[] = { 0, 1, 1000, 32767, 32768, 65000, 65534, 65535 };
	static const u16 steps[] = { 0, 1, 2, 3, 255, 256, 1023, 1024, 32768, 65535 };
	struct vbd *d = vbd_create(4, VBD_F_EVENT_IDX, 64, 0);
	static bool passed[65536];
	unsigned int o, s;
	struct vb_vring vr;

	(void)state;
	vbs_begin(d, &vr, 0, 1);
	expect_eq(vb_vring_start(&vr, &d->acc), 0);
	for (o = 0; o < ARRAY_SIZE(olds); o++) {
		for (s = 0; s < ARRAY_SIZE(steps); s++) {
			u32 event, i;

			memset(passed, 0, sizeof(passed));
			for (i = 0; i < steps[s]; i++)
				passed[(u16)(olds[o] + i)] = true;
			for (event = 0; event < 65536; event++) {
				long ret;

				vr.signalled_used = olds[o];
				vr.signalled_used_valid = true;
				vr.used_published = olds[o] + steps[s];
				vbd_set_used_event(d, event);
				ret = vb_vring_should_signal(&vr, &d->acc);
				if (ret != passed[event])
					expect_eq(ret, passed[event]);
				if (vr.signalled_used != vr.used_published)
					fail();
			}
		}
	}
	vbd_destroy(d);
}

/*
 * A long series of completions, against a model whose indices don't wrap: the answer
 * has to be yes where it is needed and no where it isn't.
 */
static void test_signal_by_event_series(void **state)
{
	struct vbd *d = vbd_create(64, VBD_F_EVENT_IDX, 64, 0);
	unsigned long answers[2] = { 0 };
	u64 seed = 8, asked = 0, now = 65000;
	bool first = true;
	struct vb_vring vr;
	unsigned int round;

	(void)state;
	vbs_begin(d, &vr, now, 1);
	expect_eq(vb_vring_start(&vr, &d->acc), 0);
	for (round = 0; round < 100000; round++) {
		unsigned int k, nr = vbd_rand(&seed) % 65;
		u16 event = now + vbd_rand(&seed) % 80 - 8;
		bool passed = first;
		u64 i;

		for (k = 0; k < nr; k++)
			expect_eq(vb_vring_add_used(&vr, &d->acc, 0, 0), 0);
		expect_eq(vb_vring_publish(&vr, &d->acc), 0);
		now += nr;
		expect_eq(vbd_used_idx(d), (u16)now);
		if (vbd_rand(&seed) % 4 == 0)
			continue;
		vbd_set_used_event(d, event);
		for (i = asked; i < now; i++)
			passed |= (u16)i == event;
		expect_eq(vb_vring_should_signal(&vr, &d->acc), passed);
		answers[passed]++;
		first = false;
		asked = now;
	}
	expect(answers[0] > 10000 && answers[1] > 10000);
	vbd_destroy(d);
}

/* Used indices that went around without anybody asking whether to signal. */
static void test_signal_after_lap(void **state)
{
	static const unsigned int laps[] = { 65535, 65536, 65537, 70000, 131072 };
	struct vbd *d = vbd_create(4, VBD_F_EVENT_IDX, 64, 0);
	struct vb_vring vr;
	unsigned int l, i;

	(void)state;
	for (l = 0; l < ARRAY_SIZE(laps); l++) {
		vbs_begin(d, &vr, 3, 1);
		expect_eq(vb_vring_start(&vr, &d->acc), 0);
		expect_eq(vb_vring_should_signal(&vr, &d->acc), 1);
		for (i = 0; i < laps[l]; i++) {
			expect_eq(vb_vring_add_used(&vr, &d->acc, 0, 0), 0);
			if (i % 4 == 3 || i + 1 == laps[l])
				expect_eq(vb_vring_publish(&vr, &d->acc), 0);
		}
		/* 20000 was passed, and isn't between the indices if they are taken as they are. */
		vbd_set_used_event(d, 20000);
		expect_eq(vb_vring_should_signal(&vr, &d->acc), 1);
		expect_eq(vb_vring_should_signal(&vr, &d->acc), 0);
	}
	vbd_destroy(d);
}

static void test_signal_fault_is_no_answer(void **state)
{
	struct vbd *d = vbd_create(4, VBD_F_EVENT_IDX, 64, 0);
	struct vb_vring vr;

	(void)state;
	vbs_begin(d, &vr, 0, 1);
	expect_eq(vb_vring_start(&vr, &d->acc), 0);
	expect_eq(vb_vring_should_signal(&vr, &d->acc), 1);
	vbd_set_used_event(d, 0);
	expect_eq(vb_vring_add_used(&vr, &d->acc, 0, 0), 0);
	expect_eq(vb_vring_publish(&vr, &d->acc), 0);
	vbt_uaccess.fail_at = vbt_uaccess.accesses + 1;
	expect_eq(vb_vring_should_signal(&vr, &d->acc), -EFAULT);
	expect_eq(vr.signalled_used, 0);
	expect_eq(vb_vring_should_signal(&vr, &d->acc), 1);
	expect_eq(vr.signalled_used, 1);
	vbd_destroy(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_notify_by_flag),
		cmocka_unit_test(test_notify_by_event),
		cmocka_unit_test(test_enable_notify_looks_again),
		cmocka_unit_test(test_signal_by_flag),
		cmocka_unit_test(test_signal_by_event_first),
		cmocka_unit_test(test_signal_by_event_all),
		cmocka_unit_test(test_signal_by_event_series),
		cmocka_unit_test(test_signal_after_lap),
		cmocka_unit_test(test_signal_fault_is_no_answer),
	};

	/* What doesn't come to an end is killed. */
	alarm(600);
	return cmocka_run_group_tests_name("vring-signal", tests, NULL, NULL);
}
