// SPDX-License-Identifier: GPL-2.0
/* Tests of the device side of a virtqueue: rings that are as they should be. */
#include "test-common.h"

#include <unistd.h>

#include "test-uaccess.h"
#include "test-vring-scenario.h"

#define GUEST_SIZE	(1UL << 20)

static void test_init(void **state)
{
	struct vb_vring vr;

	(void)state;
	memset(&vr, 0xff, sizeof(vr));
	vb_vring_init(&vr, 64, 0x1000, 0x2000, 0x3000, 77, VBD_F_EVENT_IDX | 1);
	expect_eq(vr.num, 64);
	expect_eq(vr.desc, 0x1000);
	expect_eq(vr.avail, 0x2000);
	expect_eq(vr.used, 0x3000);
	expect_eq(vr.last_avail, 77);
	expect_eq(vr.avail_idx, 77);
	expect(vr.event_idx);
	expect(!vr.indirect);
	expect(!vr.signalled_used_valid);
	expect_eq(vr.broken, 0);
	vb_vring_init(&vr, 64, 0, 0, 0, 0, VBD_F_INDIRECT);
	expect(!vr.event_idx);
	expect(vr.indirect);
	vb_vring_init(&vr, 64, 0, 0, 0, 0, ~(VBD_F_INDIRECT | VBD_F_EVENT_IDX));
	expect(!vr.event_idx);
	expect(!vr.indirect);
}

static void test_start(void **state)
{
	unsigned int f;

	(void)state;
	for (f = 0; f < ARRAY_SIZE(vbs_all_features); f++) {
		struct vbd *d = vbd_create(8, vbs_all_features[f], 64, 0);
		struct vb_vring vr;
		struct vb_chain chain;

		vbs_begin(d, &vr, 500, 1);
		/* The available index came from elsewhere; the used index is the ring's. */
		vbd_set_used_idx(d, 0xfffe);
		vbd_put16(d, d->used, 1);
		vr.signalled_used_valid = true;
		expect_eq(vb_vring_start(&vr, &d->acc), 0);
		expect_eq(vr.next_used, 0xfffe);
		expect_eq(vr.used_published, 0xfffe);
		expect(!vr.signalled_used_valid);
		expect_eq(vbd_used_flags(d), vr.event_idx ? 1 : 0);
		expect_eq(vbd_avail_event(d), vr.event_idx ? 500 : 0);
		expect_eq(vb_vring_next(&vr, &d->acc, &chain), 0);
		expect_eq(d->stray, 0);
		vbd_destroy(d);
	}
}

/* Every ring size, every combination of features, all kinds of shapes. */
static void test_shapes(void **state)
{
	static struct vbs_shape shapes[64];
	unsigned int num, f, round;
	u64 seed = 99;

	(void)state;
	for (num = 1; num <= VB_VRING_MAX_NUM; num *= 2) {
		for (f = 0; f < ARRAY_SIZE(vbs_all_features); f++) {
			struct vbd *d = vbd_create(num, vbs_all_features[f], GUEST_SIZE, 0);

			for (round = 0; round < 40; round++) {
				unsigned int nr = vbs_make_shapes(shapes, 64, num, d->features,
								  &seed);

				vbs_run_shapes(d, shapes, nr, seed | 1, 0, 0, 0);
			}
			vbd_destroy(d);
		}
	}
}

/* Chains of 1 to n descriptors, direct and indirect, up to all that a ring takes. */
static void test_chain_lengths(void **state)
{
	unsigned int num, len;

	(void)state;
	for (num = 1; num <= VB_VRING_MAX_NUM; num *= 2) {
		struct vbd *d = vbd_create(num, VBD_F_INDIRECT, GUEST_SIZE, 0);

		for (len = 1; len <= num; len += len < 20 || len + 3 > num ? 1 : num / 16) {
			struct vbs_shape direct = { len / 2, len - len / 2, len };
			struct vbs_shape indirect = { len - len / 3, len / 3, 0 };
			/* Both tables together may hold more than the ring. */
			struct vbs_shape both = { len, num - 1, len - 1 };

			vbs_run_shapes(d, &direct, 1, len, 0, 0, 0);
			vbs_run_shapes(d, &indirect, 1, len, 0, 0, 0);
			vbs_run_shapes(d, &both, 1, len, 0, 0, 0);
		}
		vbd_destroy(d);
	}
}

/* Descriptors and elements that are in several pieces of memory. */
static void test_straddle(void **state)
{
	static const size_t grans[] = { 2, 6, 10, 14, 16, 18, 22, 30, 34, 66, 4096 };
	static struct vbs_shape shapes[16];
	unsigned int i, f, round;
	u64 seed = 5;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(grans); i++) {
		for (f = 0; f < ARRAY_SIZE(vbs_all_features); f++) {
			struct vbd *d = vbd_create(16, vbs_all_features[f], 32768, grans[i]);

			for (round = 0; round < 40; round++) {
				unsigned int nr = vbs_make_shapes(shapes, 16, 16, d->features,
								  &seed);

				vbs_run_shapes(d, shapes, nr, seed | 1, 0, 0, 0);
			}
			vbd_destroy(d);
		}
	}
}

/* A fault at every access in turn changes nothing but the time it takes. */
static void test_fault_at_every_step(void **state)
{
	static const size_t grans[] = { 0, 6, 22 };
	static const struct { size_t after; unsigned int again; } how[] = {
		{ 0, 0 }, { 0, 2 }, { 1, 0 }, { 1, 1 }, { 4, 0 }, { 7, 3 }, { 15, 1 },
	};
	static struct vbs_shape shapes[6];
	unsigned int i, f, h, round;
	u64 seed = 31;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(grans); i++) {
		for (f = 0; f < ARRAY_SIZE(vbs_all_features); f++) {
			struct vbd *d = vbd_create(8, vbs_all_features[f], 8192, grans[i]);

			for (round = 0; round < 4; round++) {
				unsigned int nr = vbs_make_shapes(shapes, 6, 8, d->features, &seed);
				unsigned long steps = vbs_run_shapes(d, shapes, nr, seed | 1, 0,
								     0, 0);

				for (h = 0; h < ARRAY_SIZE(how); h++) {
					unsigned long at;

					for (at = 1; at <= steps; at++) {
						vbs_run_shapes(d, shapes, nr, seed | 1, at,
							   how[h].after, how[h].again);
						expect(vbt_uaccess.faults > 0);
					}
				}
			}
			vbd_destroy(d);
		}
	}
}

static void fault_often(void *arg, const void *p, size_t n, bool write)
{
	u64 *seed = arg;

	(void)p;
	(void)write;
	if (vbd_rand(seed) % 3)
		return;
	vbt_uaccess.fail_at = vbt_uaccess.accesses;
	vbt_uaccess.fail_after = vbd_rand(seed) % n;
}

/* Signals have to be the same with faults, too: publish after every chain. */
static void test_faults_and_signals(void **state)
{
	static int heads[64];
	static struct vbs_log clean;
	unsigned int f, round;
	u64 seed = 71;

	(void)state;
	for (f = 0; f < ARRAY_SIZE(vbs_all_features); f++) {
		struct vbd *d = vbd_create(64, vbs_all_features[f], 65536, 0);

		for (round = 0; round < 300; round++) {
			u64 start = seed | 1, faults = seed | 1;
			int pass;

			vbd_rand(&seed);
			for (pass = 0; pass < 2; pass++) {
				unsigned int i, posted = 0;
				struct vb_vring vr;
				u64 s = start;

				vbs_begin(d, &vr, start, start);
				for (i = 0; i < 20; i++) {
					struct vbs_shape shape = { 1, vbd_rand(&s) % 2, 1 };

					shape.direct += shape.writable;
					heads[posted++] = vbs_post(d, &shape, &s);
				}
				vbd_publish(d);
				vbd_set_used_event(d, d->last_used + vbd_rand(&s) % 24);
				vbd_set_avail_flags(d, vbd_rand(&s) % 2);
				if (pass) {
					vbt_uaccess.before = fault_often;
					vbt_uaccess.arg = &faults;
				}
				expect_eq(VBS_RETRY(d, &vr, false,
						    vb_vring_start(&vr, &d->acc)), 0);
				expect_eq(vbs_serve(d, &vr, 1 + round % 3), posted);
				vbt_uaccess_reset();
				vbs_reap(d, heads, posted);
				if (!pass)
					clean = vbs_got;
			}
			expect_eq(clean.len, vbs_got.len);
			assert_memory_equal(clean.buf, vbs_got.buf, vbs_got.len);
		}
		vbd_destroy(d);
	}
}

/* Indices go around several times. */
static void test_wrap(void **state)
{
	static int heads[VB_VRING_MAX_NUM];
	static const unsigned int nums[] = { 1, 2, 8, 64, 1024 };
	unsigned int n, f;
	u64 seed = 17;

	(void)state;
	for (n = 0; n < ARRAY_SIZE(nums); n++) {
		for (f = 0; f < ARRAY_SIZE(vbs_all_features); f++) {
			struct vbd *d = vbd_create(nums[n], vbs_all_features[f], 65536, 0);
			unsigned long total = 0;
			struct vb_vring vr;

			vbs_begin(d, &vr, 65000, 3);
			expect_eq(vb_vring_start(&vr, &d->acc), 0);
			while (total < 140000) {
				unsigned int posted = 0, max = 1 + vbd_rand(&seed) % nums[n];
				const struct vbs_shape shape = { 1, 0, 1 };

				d->brk = 0;
				vbs_want.len = 0;
				vbs_got.len = 0;
				/* A full ring often enough. */
				if (vbd_rand(&seed) % 4 == 0)
					max = nums[n];
				while (posted < max)
					heads[posted++] = vbs_post(d, &shape, &seed);
				vbd_publish(d);
				expect(vbd_need_kick(d));
				expect_eq(vbs_serve(d, &vr, 2048), posted);
				vbs_expect_same_log();
				vbs_reap(d, heads, posted);
				total += posted;
			}
			expect_eq(vr.last_avail, (u16)(65000 + total));
			expect_eq(vbd_used_idx(d), (u16)(65000 + total));
			vbd_destroy(d);
		}
	}
}

/* Count the reads of one 16-bit value. */
struct watch {
	const void *p;
	unsigned int reads;
	unsigned int writes;
};

static void watch_access(void *arg, const void *p, size_t n, bool write)
{
	struct watch *w = arg;

	(void)n;
	if (p != w->p)
		return;
	if (write)
		w->writes++;
	else
		w->reads++;
}

static void test_avail_idx_is_read_once_per_batch(void **state)
{
	struct vbd *d = vbd_create(8, 0, 4096, 0);
	const struct vbs_shape shape = { 1, 0, 1 };
	struct vb_vring vr;
	struct vb_chain chain;
	struct watch w = { 0 };
	u64 seed = 1;
	int i;

	(void)state;
	vbs_begin(d, &vr, 0, 1);
	expect_eq(vb_vring_start(&vr, &d->acc), 0);
	w.p = vbd_host(d, d->avail + 2);
	vbt_uaccess.before = watch_access;
	vbt_uaccess.arg = &w;
	/* As far ahead as the ring holds is fine. */
	for (i = 0; i < 8; i++)
		vbs_post(d, &shape, &seed);
	vbd_publish(d);
	for (i = 0; i < 8; i++) {
		expect_eq(vb_vring_next(&vr, &d->acc, &chain), 1);
		expect_eq(w.reads, 1);
	}
	expect_eq(vb_vring_next(&vr, &d->acc, &chain), 0);
	expect_eq(w.reads, 2);
	expect_eq(vr.broken, 0);
	vbd_destroy(d);
}

static void test_publish(void **state)
{
	struct vbd *d = vbd_create(4, 0, 64, 0);
	struct vb_vring vr;
	struct watch w = { 0 };
	u32 id, len;
	int i;

	(void)state;
	vbs_begin(d, &vr, 65534, 1);
	expect_eq(vb_vring_start(&vr, &d->acc), 0);
	w.p = vbd_host(d, d->used + 2);
	vbt_uaccess.before = watch_access;
	vbt_uaccess.arg = &w;
	for (i = 0; i < 4; i++) {
		expect_eq(vb_vring_add_used(&vr, &d->acc, 3 - i, 100 * i), 0);
		vbd_used_elem(d, 65534 + i, &id, &len);
		expect_eq(id, 3 - i);
		expect_eq(len, 100 * i);
		expect_eq(vbd_used_idx(d), 65534);
	}
	expect_eq(w.writes, 0);
	expect_eq(vb_vring_publish(&vr, &d->acc), 0);
	expect_eq(vbd_used_idx(d), 2);
	expect_eq(w.writes, 1);
	/* Nothing new: nothing written. */
	expect_eq(vb_vring_publish(&vr, &d->acc), 0);
	expect_eq(w.writes, 1);
	expect_eq(d->stray, 0);
	vbd_destroy(d);
}

/*
 * The order of accesses and barriers, as a string: what is accessed by a letter, in
 * capitals if it is written. Missing barriers can't be seen otherwise on a machine that
 * doesn't reorder that.
 */
struct trace {
	struct vbd *d;
	size_t len;
	char buf[64];
};

static void trace_char(struct trace *t, char c)
{
	expect(t->len + 1 < sizeof(t->buf));
	t->buf[t->len++] = c;
	t->buf[t->len] = 0;
}

static void trace_access(void *arg, const void *p, size_t n, bool write)
{
	struct trace *t = arg;
	struct vbd *d = t->d;
	char c;

	(void)n;
	if (p == vbd_host(d, d->avail) || p == vbd_host(d, d->used))
		c = 'f';	/* flags */
	else if (p == vbd_host(d, d->avail + 2) || p == vbd_host(d, d->used + 2))
		c = 'i';	/* index */
	else if (p == vbd_host(d, d->avail + 4 + 2 * d->num) ||
		 p == vbd_host(d, d->used + 4 + 8 * d->num))
		c = 'v';	/* event index */
	else
		c = 'e';	/* entry, or descriptor */
	trace_char(t, write ? c - 'a' + 'A' : c);
}

static void trace_barrier(void *arg, char kind)
{
	/* Nothing else is any of these. */
	trace_char(arg, kind == 'm' ? '=' : kind == 'r' ? '<' : '>');
}

static void expect_trace(struct trace *t, const char *wanted)
{
	assert_string_equal(t->buf, wanted);
	t->len = 0;
	t->buf[0] = 0;
}

static void test_order(void **state)
{
	const struct vbs_shape shape = { 1, 0, 1 };
	unsigned int event;

	(void)state;
	for (event = 0; event < 2; event++) {
		struct trace t = { .d = vbd_create(4, event * VBD_F_EVENT_IDX, 4096, 0) };
		struct vb_vring_access *acc = &t.d->acc;
		struct vb_chain chain;
		struct vb_vring vr;
		u64 seed = 1;

		vbs_begin(t.d, &vr, 0, 1);
		vbt_uaccess.before = trace_access;
		vbt_uaccess.barrier = trace_barrier;
		vbt_uaccess.arg = &t;
		expect_eq(vb_vring_start(&vr, acc), 0);
		expect_trace(&t, event ? "iV" : "iF");
		/* The wish, barrier, the index. */
		expect_eq(vb_vring_enable_notify(&vr, acc), 0);
		expect_trace(&t, event ? "V=i" : "F=i");
		vbs_post(t.d, &shape, &seed);
		vbs_post(t.d, &shape, &seed);
		vbd_publish(t.d);
		/* The index, barrier, what is below it. */
		expect_eq(vb_vring_next(&vr, acc, &chain), 1);
		expect_trace(&t, "i<e");
		expect_eq(vb_vring_next(&vr, acc, &chain), 1);
		expect_trace(&t, "e");
		expect_eq(vb_vring_add_used(&vr, acc, 0, 0), 0);
		expect_eq(vb_vring_add_used(&vr, acc, 1, 0), 0);
		/* The elements, barrier, the index. */
		expect_eq(vb_vring_publish(&vr, acc), 0);
		expect_trace(&t, "EE>I");
		/* The index, barrier, the wish. */
		expect_eq(vb_vring_should_signal(&vr, acc), 1);
		expect_trace(&t, event ? "=v" : "=f");
		vbt_uaccess_reset();
		vbd_destroy(t.d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init),
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_chain_lengths),
		cmocka_unit_test(test_straddle),
		cmocka_unit_test(test_fault_at_every_step),
		cmocka_unit_test(test_faults_and_signals),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_avail_idx_is_read_once_per_batch),
		cmocka_unit_test(test_publish),
		cmocka_unit_test(test_order),
	};

	/* What doesn't come to an end is killed. */
	alarm(600);
	return cmocka_run_group_tests_name("vring", tests, NULL, NULL);
}
