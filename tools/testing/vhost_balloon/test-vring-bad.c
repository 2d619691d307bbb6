// SPDX-License-Identifier: GPL-2.0
/* Tests of the device side of a virtqueue: what a hostile or broken driver does. */
#include "test-common.h"

#include <unistd.h>

#include <uapi/linux/vhost_balloon.h>

#include "test-uaccess.h"
#include "test-vring-driver.h"
#include "vring.h"

#define NUM	8
/* Where indirect tables are in these tests. */
#define TABLE	(VBD_GUEST_BASE + 2048)

struct fixture {
	struct vbd *d;
	struct vb_vring vr;
	struct vb_chain chain;
};

static struct fixture fx;

static void begin(u64 features, u16 idx)
{
	vbt_uaccess_reset();
	if (fx.d)
		vbd_destroy(fx.d);
	fx.d = vbd_create(NUM, features, 4096, 0);
	vbd_reset(fx.d, idx, 0);
	vb_vring_init(&fx.vr, NUM, fx.d->desc, fx.d->avail, fx.d->used, idx, features);
	expect_eq(vb_vring_start(&fx.vr, &fx.d->acc), 0);
	memset(&fx.chain, 0, sizeof(fx.chain));
}

static int next(void)
{
	return vb_vring_next(&fx.vr, &fx.d->acc, &fx.chain);
}

static int segment(void)
{
	return vb_chain_segment(&fx.vr, &fx.d->acc, &fx.chain);
}

/* Make descriptor 0 available, and begin with it. */
static void begin_chain(void)
{
	vbd_set_avail(fx.d, fx.d->avail_idx++, 0);
	vbd_publish(fx.d);
	expect_eq(next(), 1);
}

static void desc(unsigned int i, u64 addr, u32 len, u16 flags, u16 next)
{
	vbd_set_desc(fx.d, fx.d->desc, i, addr, len, flags, next);
}

static void entry(unsigned int i, u64 addr, u32 len, u16 flags, u16 next)
{
	vbd_set_desc(fx.d, TABLE, i, addr, len, flags, next);
}

/* The ring is broken for this reason, says so always, and is left alone. */
static void expect_broken(enum vhost_balloon_broken why)
{
	struct vb_vring_access *acc = &fx.d->acc;
	unsigned long accesses = vbt_uaccess.accesses;
	struct vb_vring before = fx.vr;
	struct vb_chain chain = fx.chain;
	u8 buf[4];

	expect_eq(fx.vr.broken, why);
	fx.vr.next_used++;
	before.next_used++;
	expect_eq(vb_vring_start(&fx.vr, acc), -EBADMSG);
	expect_eq(next(), -EBADMSG);
	expect_eq(segment(), -EBADMSG);
	expect_eq(vb_chain_read(&fx.vr, acc, &fx.chain, buf, 4), -EBADMSG);
	expect_eq(vb_vring_add_used(&fx.vr, acc, 0, 0), -EBADMSG);
	expect_eq(vb_vring_publish(&fx.vr, acc), -EBADMSG);
	expect_eq(vb_vring_should_signal(&fx.vr, acc), -EBADMSG);
	expect_eq(vb_vring_disable_notify(&fx.vr, acc), -EBADMSG);
	expect_eq(vb_vring_enable_notify(&fx.vr, acc), -EBADMSG);
	/* A piece that is still there is no way around it. */
	fx.chain.len = 4;
	expect_eq(segment(), -EBADMSG);
	expect_eq(vb_chain_read(&fx.vr, acc, &fx.chain, buf, 4), -EBADMSG);
	fx.chain = chain;
	expect_eq(vbt_uaccess.accesses, accesses);
	expect_eq(memcmp(&fx.vr, &before, sizeof(before)), 0);

	vb_vring_init(&fx.vr, NUM, fx.d->desc, fx.d->avail, fx.d->used, 0, 0);
	expect_eq(fx.vr.broken, VHOST_BALLOON_BROKEN_NO);
}

static void test_avail_index(void **state)
{
	static const u16 idxs[] = { 0, 5, 65530, 65535 };
	unsigned int i;
	u32 ahead;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(idxs); i++) {
		for (ahead = 0; ahead < 65536; ahead++) {
			if (ahead > 2 * NUM && ahead < 65520 && ahead % 997)
				continue;
			begin(0, idxs[i]);
			vbd_set_avail_idx(fx.d, idxs[i] + ahead);
			if (ahead <= NUM) {
				expect_eq(next(), ahead > 0);
				expect_eq(fx.vr.broken, 0);
				continue;
			}
			expect_eq(next(), -EBADMSG);
			expect_eq(fx.vr.last_avail, idxs[i]);
			expect_broken(VHOST_BALLOON_BROKEN_AVAIL_INDEX);
		}
	}
}

static void test_head(void **state)
{
	u32 head;

	(void)state;
	for (head = 0; head < 65536; head += head < 2 * NUM ? 1 : 13) {
		begin(0, 0);
		vbd_set_avail(fx.d, 0, head);
		vbd_set_avail_idx(fx.d, 1);
		if (head < NUM) {
			expect_eq(next(), 1);
			expect_eq(fx.chain.head, head);
			continue;
		}
		expect_eq(next(), -EBADMSG);
		expect(!fx.chain.active);
		expect_broken(VHOST_BALLOON_BROKEN_HEAD);
	}
}

static void test_next(void **state)
{
	static const u16 bad[] = { NUM, NUM + 1, 1024, 32768, 65535 };
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		begin(0, 0);
		desc(0, VBD_GUEST_BASE, 4, VBD_NEXT, bad[i]);
		begin_chain();
		expect_eq(segment(), -EBADMSG);
		expect_broken(VHOST_BALLOON_BROKEN_NEXT);

		/* Without NEXT it means nothing. */
		begin(0, 0);
		desc(0, VBD_GUEST_BASE, 4, 0, bad[i]);
		begin_chain();
		expect_eq(segment(), 1);
		vb_chain_advance(&fx.chain, 4);
		expect_eq(segment(), 0);

		/* Empty descriptors have to be right as well. */
		begin(0, 0);
		desc(0, VBD_GUEST_BASE, 0, VBD_NEXT | VBD_WRITE, bad[i]);
		begin_chain();
		expect_eq(segment(), -EBADMSG);
		expect_broken(VHOST_BALLOON_BROKEN_NEXT);
	}
	for (i = 3; i <= NUM; i++) {
		/* Inside the ring, but not inside the indirect table of 3 entries. */
		begin(VBD_F_INDIRECT, 0);
		desc(0, TABLE, 3 * 16, VBD_INDIRECT, 0);
		entry(0, VBD_GUEST_BASE, 4, VBD_NEXT, 2);
		entry(2, VBD_GUEST_BASE, 4, VBD_NEXT, i);
		begin_chain();
		expect_eq(segment(), 1);
		vb_chain_advance(&fx.chain, 4);
		expect_eq(segment(), -EBADMSG);
		expect_broken(VHOST_BALLOON_BROKEN_NEXT);
	}
}

/* Walk on until there is no more; returns the number of pieces. */
static unsigned int walk(int *ret)
{
	unsigned int pieces = 0;

	while ((*ret = segment()) == 1) {
		vb_chain_advance(&fx.chain, fx.chain.len);
		pieces++;
		expect(pieces <= 2 * NUM);
	}
	return pieces;
}

static void test_loop(void **state)
{
	unsigned int i, back;
	int ret;

	(void)state;
	/* Every length of the way to the loop, and back to every descriptor of it. */
	for (i = 0; i < NUM; i++) {
		for (back = 0; back <= i; back++) {
			unsigned int k;
			u32 len;

			for (len = 0; len <= 4; len += 4) {
				begin(VBD_F_INDIRECT, 0);
				for (k = 0; k <= i; k++)
					desc(k, VBD_GUEST_BASE, len, VBD_NEXT, k < i ? k + 1 : back);
				begin_chain();
				expect(walk(&ret) < NUM);
				expect_eq(ret, -EBADMSG);
				expect_broken(VHOST_BALLOON_BROKEN_LOOP);

				begin(VBD_F_INDIRECT, 0);
				desc(0, 0, 0, VBD_NEXT, 1);
				desc(1, TABLE, 16 * (i + 1), VBD_INDIRECT, 0);
				for (k = 0; k <= i; k++)
					entry(k, VBD_GUEST_BASE, len, VBD_NEXT, k < i ? k + 1 : back);
				begin_chain();
				expect_eq(walk(&ret), len ? i : 0);
				expect_eq(ret, -EBADMSG);
				expect_broken(VHOST_BALLOON_BROKEN_LOOP);
			}
		}
	}
	/* As long as the table is no loop. */
	begin(0, 0);
	for (i = 0; i < NUM; i++)
		desc(i, VBD_GUEST_BASE, 4, i + 1 < NUM ? VBD_NEXT : 0, i + 1);
	begin_chain();
	expect_eq(walk(&ret), NUM);
	expect_eq(ret, 0);
}

static void expect_bad_indirect(void)
{
	begin_chain();
	expect_eq(segment(), -EBADMSG);
	expect_broken(VHOST_BALLOON_BROKEN_INDIRECT);
}

static void test_indirect(void **state)
{
	static const u32 bad[] = {
		0, 1, 15, 17, 16 * NUM - 1, 16 * NUM + 1, 16 * (NUM + 1), 16 * 1024, 0xfffffff0,
		0xffffffff,
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		begin(VBD_F_INDIRECT, 0);
		desc(0, TABLE, bad[i], VBD_INDIRECT, 0);
		expect_bad_indirect();
	}
	/* Not negotiated, though the table is fine. */
	begin(VBD_F_EVENT_IDX, 0);
	desc(0, TABLE, 16, VBD_INDIRECT, 0);
	entry(0, VBD_GUEST_BASE, 4, 0, 0);
	expect_bad_indirect();
	/* Something behind it. */
	begin(VBD_F_INDIRECT, 0);
	desc(0, TABLE, 16, VBD_INDIRECT | VBD_NEXT, 1);
	entry(0, VBD_GUEST_BASE, 4, 0, 0);
	expect_bad_indirect();
	/* A table in a table. */
	begin(VBD_F_INDIRECT, 0);
	desc(0, TABLE, 32, VBD_INDIRECT, 0);
	entry(0, TABLE + 16, 16, VBD_INDIRECT, 0);
	expect_bad_indirect();
	/* After one that is fine. */
	begin(VBD_F_INDIRECT, 0);
	desc(0, TABLE, 32, VBD_INDIRECT, 0);
	entry(0, 0, 0, VBD_NEXT, 1);
	entry(1, TABLE, 16, VBD_INDIRECT | VBD_WRITE, 0);
	expect_bad_indirect();
}

/* The table's descriptor may say that it is device-writable, which means nothing. */
static void test_indirect_write_flag(void **state)
{
	(void)state;
	begin(VBD_F_INDIRECT, 0);
	desc(0, VBD_GUEST_BASE, 4, VBD_NEXT, 1);
	desc(1, TABLE, 16, VBD_INDIRECT | VBD_WRITE, 9);
	entry(0, VBD_GUEST_BASE + 8, 4, 0, 99);
	begin_chain();
	expect_eq(segment(), 1);
	vb_chain_advance(&fx.chain, 4);
	expect_eq(segment(), 1);
	expect(!fx.chain.write);
	expect_eq(fx.chain.addr, VBD_GUEST_BASE + 8);
	vb_chain_advance(&fx.chain, 4);
	expect_eq(segment(), 0);
}

static void expect_malformed(void)
{
	u8 byte;

	expect_eq(segment(), -EINVAL);
	expect_eq(segment(), -EINVAL);
	expect_eq(vb_chain_read(&fx.vr, &fx.d->acc, &fx.chain, &byte, 1), -EINVAL);
	expect_eq(fx.vr.broken, 0);
	/* The ring goes on. */
	expect_eq(vb_vring_add_used(&fx.vr, &fx.d->acc, fx.chain.head, 0), 0);
	desc(0, VBD_GUEST_BASE, 1, 0, 0);
	begin_chain();
	expect_eq(vb_chain_read(&fx.vr, &fx.d->acc, &fx.chain, &byte, 1), 1);
}

static void test_readable_after_writable(void **state)
{
	(void)state;
	begin(VBD_F_INDIRECT, 0);
	desc(0, VBD_GUEST_BASE, 4, VBD_WRITE | VBD_NEXT, 1);
	desc(1, VBD_GUEST_BASE, 4, 0, 0);
	begin_chain();
	expect_eq(segment(), 1);
	vb_chain_advance(&fx.chain, 4);
	expect_malformed();

	/* Not right behind it, and in the other table. */
	begin(VBD_F_INDIRECT, 0);
	desc(0, VBD_GUEST_BASE, 4, VBD_WRITE | VBD_NEXT, 1);
	desc(1, VBD_GUEST_BASE, 0, VBD_NEXT, 2);
	desc(2, TABLE, 32, VBD_INDIRECT, 0);
	entry(0, 0, 0, VBD_NEXT, 1);
	entry(1, VBD_GUEST_BASE, 4, 0, 0);
	begin_chain();
	expect_eq(segment(), 1);
	vb_chain_advance(&fx.chain, 4);
	expect_malformed();
}

static void test_address_overflow(void **state)
{
	(void)state;
	begin(VBD_F_INDIRECT, 0);
	desc(0, ~0ULL, 2, 0, 0);
	begin_chain();
	expect_malformed();

	begin(VBD_F_INDIRECT, 0);
	desc(0, 0 - 0xfffffffeULL, 0xffffffff, VBD_WRITE, 0);
	begin_chain();
	expect_malformed();

	/* The indirect table. */
	begin(VBD_F_INDIRECT, 0);
	desc(0, ~0ULL - 30, 32, VBD_INDIRECT, 0);
	begin_chain();
	expect_malformed();

	/* Right at the end: there is no memory, but the chain is fine. */
	begin(VBD_F_INDIRECT, 0);
	desc(0, ~0ULL - 31, 32, VBD_INDIRECT, 0);
	begin_chain();
	expect_eq(segment(), -ENXIO);
}

/* What was read before is returned first. */
static void test_short_read(void **state)
{
	u8 buf[16];

	(void)state;
	begin(0, 0);
	desc(0, VBD_GUEST_BASE, 4, VBD_NEXT, 1);
	desc(1, ~0ULL, 2, 0, 0);
	begin_chain();
	expect_eq(vb_chain_read(&fx.vr, &fx.d->acc, &fx.chain, buf, 16), 4);
	expect_malformed();

	begin(0, 0);
	desc(0, VBD_GUEST_BASE, 4, VBD_NEXT, 1);
	desc(1, VBD_GUEST_BASE, 2, VBD_NEXT, NUM);
	begin_chain();
	expect_eq(vb_chain_read(&fx.vr, &fx.d->acc, &fx.chain, buf, 16), 4);
	expect_broken(VHOST_BALLOON_BROKEN_NEXT);

	begin(0, 0);
	desc(0, VBD_GUEST_BASE, 4, VBD_NEXT, 1);
	desc(1, VBD_GUEST_BASE + 8, 4, 0, 0);
	begin_chain();
	vbt_uaccess.fail_lo = vbd_host(fx.d, VBD_GUEST_BASE + 8);
	vbt_uaccess.fail_hi = vbd_host(fx.d, VBD_GUEST_BASE + 9);
	vbt_uaccess.fail_times = 2;
	expect_eq(vb_chain_read(&fx.vr, &fx.d->acc, &fx.chain, buf, 16), 4);
	expect_eq(vb_chain_read(&fx.vr, &fx.d->acc, &fx.chain, buf, 16), -EFAULT);
	expect(fx.d->acc.fault_uaddr == vbt_uaccess.fail_lo);
	expect_eq(fx.d->acc.fault_len, 4);
	expect_eq(vb_chain_read(&fx.vr, &fx.d->acc, &fx.chain, buf, 16), 4);
	expect_eq(vb_chain_read(&fx.vr, &fx.d->acc, &fx.chain, buf, 16), 0);
}

/* Flags without a meaning are ignored. */
static void test_unknown_flags(void **state)
{
	(void)state;
	begin(0, 0);
	desc(0, VBD_GUEST_BASE, 4, 0xfff8, 77);
	begin_chain();
	expect_eq(segment(), 1);
	expect(!fx.chain.write);
	vb_chain_advance(&fx.chain, 4);
	expect_eq(segment(), 0);
}

/* Descriptors are read once: what changes behind our back changes nothing. */
static void rewrite(void *arg, const void *p, size_t n, bool write)
{
	(void)arg;
	(void)n;
	(void)write;
	/* Whatever was read before: the other descriptors now lead out of the ring. */
	if (p != vbd_host(fx.d, fx.d->desc + 16))
		return;
	desc(0, VBD_GUEST_BASE, 4, VBD_NEXT, NUM);
	vbd_set_avail(fx.d, 0, NUM);
}

static void test_read_once(void **state)
{
	int ret;

	(void)state;
	begin(0, 0);
	desc(0, VBD_GUEST_BASE, 4, VBD_NEXT, 1);
	desc(1, VBD_GUEST_BASE, 4, 0, 0);
	begin_chain();
	vbt_uaccess.before = rewrite;
	expect_eq(walk(&ret), 2);
	expect_eq(ret, 0);
	expect_eq(fx.chain.head, 0);
	vbt_uaccess_reset();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_avail_index),
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_loop),
		cmocka_unit_test(test_indirect),
		cmocka_unit_test(test_indirect_write_flag),
		cmocka_unit_test(test_readable_after_writable),
		cmocka_unit_test(test_address_overflow),
		cmocka_unit_test(test_short_read),
		cmocka_unit_test(test_unknown_flags),
		cmocka_unit_test(test_read_once),
	};
	int ret;

	/* What doesn't come to an end is killed. */
	alarm(600);
	ret = cmocka_run_group_tests_name("vring-bad", tests, NULL, NULL);

	if (fx.d)
		vbd_destroy(fx.d);
	return ret;
}
