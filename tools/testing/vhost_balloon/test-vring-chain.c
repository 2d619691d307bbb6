// SPDX-License-Identifier: GPL-2.0
/* Tests of the device side of a virtqueue: what a chain is made of, and what can't be reached. */
#include "test-common.h"

#include <unistd.h>

#include "test-uaccess.h"
#include "test-vring-scenario.h"

static void start_one(struct vbd *d, struct vb_vring *vr, struct vb_chain *chain,
		      const struct vbd_sg *sg, unsigned int nr, unsigned int direct)
{
	vbs_begin(d, vr, 0, 1);
	d->brk = 2048;
	expect_eq(vb_vring_start(vr, &d->acc), 0);
	expect(vbd_add(d, sg, nr, direct) >= 0);
	vbd_publish(d);
	expect_eq(vb_vring_next(vr, &d->acc, chain), 1);
}

static void test_empty_descriptors(void **state)
{
	/* Whether an empty one is readable or not means nothing, nor does its address. */
	static const struct vbd_sg none[] = {
		{ 0, 0, false }, { ~0ULL, 0, true }, { 5, 0, false },
	};
	static const struct vbd_sg some[] = {
		{ 0, 0, true }, { VBD_GUEST_BASE, 4, false }, { 0, 0, true }, { 0, 0, false },
		{ VBD_GUEST_BASE + 8, 4, true }, { ~0ULL, 0, false },
	};
	unsigned int direct;

	(void)state;
	for (direct = 0; direct <= 3; direct++) {
		struct vbd *d = vbd_create(8, VBD_F_INDIRECT, 4096, 0);
		struct vb_vring vr;
		struct vb_chain chain;
		u8 byte;

		start_one(d, &vr, &chain, none, 3, direct);
		expect_eq(vb_chain_segment(&vr, &d->acc, &chain), 0);
		expect_eq(vb_chain_read(&vr, &d->acc, &chain, &byte, 1), 0);

		start_one(d, &vr, &chain, some, 6, direct);
		expect_eq(vb_chain_segment(&vr, &d->acc, &chain), 1);
		expect_eq(chain.addr, VBD_GUEST_BASE);
		expect_eq(chain.len, 4);
		expect(!chain.write);
		vb_chain_advance(&chain, 4);
		expect_eq(vb_chain_segment(&vr, &d->acc, &chain), 1);
		expect_eq(chain.addr, VBD_GUEST_BASE + 8);
		expect(chain.write);
		vb_chain_advance(&chain, 4);
		expect_eq(vb_chain_segment(&vr, &d->acc, &chain), 0);
		vbd_destroy(d);
	}
}

static void test_advance(void **state)
{
	/* The whole of what a descriptor can name, up to the last byte there is. */
	static const struct vbd_sg sg[] = {
		{ 0 - 0xffffffffULL, 0xffffffff, false }, { ~0ULL, 1, true },
	};
	struct vbd *d = vbd_create(8, 0, 4096, 0);
	struct vb_vring vr;
	struct vb_chain chain;

	(void)state;
	start_one(d, &vr, &chain, sg, 2, 2);
	expect_eq(vb_chain_segment(&vr, &d->acc, &chain), 1);
	expect_eq(chain.addr, sg[0].addr);
	expect_eq(chain.len, 0xffffffff);
	vb_chain_advance(&chain, 0);
	expect_eq(chain.len, 0xffffffff);
	vb_chain_advance(&chain, 0xfffffff0);
	expect_eq(vb_chain_segment(&vr, &d->acc, &chain), 1);
	expect_eq(chain.addr, ~0ULL - 14);
	expect_eq(chain.len, 15);
	/* More than there is. */
	vb_chain_advance(&chain, 16);
	expect_eq(chain.len, 0);
	expect_eq(vb_chain_segment(&vr, &d->acc, &chain), 1);
	expect_eq(chain.addr, ~0ULL);
	expect_eq(chain.len, 1);
	expect(chain.write);
	vb_chain_advance(&chain, 1);
	expect_eq(vb_chain_segment(&vr, &d->acc, &chain), 0);
	vbd_destroy(d);
}

static void test_read_stops_at_writable(void **state)
{
	static const struct vbd_sg sg[] = {
		{ VBD_GUEST_BASE, 3, false }, { VBD_GUEST_BASE + 10, 5, false },
		{ VBD_GUEST_BASE + 20, 4, true },
	};
	struct vbd *d = vbd_create(8, 0, 4096, 0);
	struct vb_vring vr;
	struct vb_chain chain;
	u8 buf[32];

	(void)state;
	vbd_write(d, VBD_GUEST_BASE, "abc", 3);
	vbd_write(d, VBD_GUEST_BASE + 10, "defgh", 5);
	start_one(d, &vr, &chain, sg, 3, 3);
	expect_eq(vb_chain_read(&vr, &d->acc, &chain, buf, 2), 2);
	assert_memory_equal(buf, "ab", 2);
	expect_eq(vb_chain_read(&vr, &d->acc, &chain, buf, sizeof(buf)), 6);
	assert_memory_equal(buf, "cdefgh", 6);
	expect_eq(vb_chain_read(&vr, &d->acc, &chain, buf, 1), -EINVAL);
	expect_eq(vb_chain_read(&vr, &d->acc, &chain, buf, 1), -EINVAL);
	/* The piece itself is fine. */
	expect_eq(vb_chain_segment(&vr, &d->acc, &chain), 1);
	expect_eq(chain.len, 4);
	vb_chain_advance(&chain, 4);
	expect_eq(vb_chain_read(&vr, &d->acc, &chain, buf, 1), 0);
	vbd_destroy(d);
}

static void test_read_hole(void **state)
{
	static const struct vbd_sg sg[] = {
		{ VBD_GUEST_BASE, 100, false }, { VBD_GUEST_BASE + 200, 5, false },
	};
	struct vbd *d = vbd_create(8, VBD_F_INDIRECT, 4096, 0);
	struct vb_vring vr;
	struct vb_chain chain;
	u8 buf[200];

	(void)state;
	start_one(d, &vr, &chain, sg, 2, 2);
	d->hole = VBD_GUEST_BASE + 60;
	d->hole_end = VBD_GUEST_BASE + 61;
	expect_eq(vb_chain_read(&vr, &d->acc, &chain, buf, sizeof(buf)), 60);
	expect_eq(vb_chain_read(&vr, &d->acc, &chain, buf, sizeof(buf)), -ENXIO);
	expect_eq(chain.len, 40);
	/* The caller may leave it out, and go on. */
	vb_chain_advance(&chain, 1);
	expect_eq(vb_chain_read(&vr, &d->acc, &chain, buf, sizeof(buf)), 44);
	expect_eq(vb_chain_read(&vr, &d->acc, &chain, buf, sizeof(buf)), 0);
	expect_eq(vr.broken, 0);

	/* An indirect table that isn't there. */
	start_one(d, &vr, &chain, sg, 2, 0);
	d->hole = VBD_GUEST_BASE + 2048 + 20;
	d->hole_end = d->hole + 1;
	expect_eq(vb_chain_segment(&vr, &d->acc, &chain), 1);
	vb_chain_advance(&chain, 100);
	expect_eq(vb_chain_segment(&vr, &d->acc, &chain), -ENXIO);
	expect_eq(vb_chain_segment(&vr, &d->acc, &chain), -ENXIO);
	expect_eq(vr.broken, 0);
	d->hole_end = 0;
	expect_eq(vb_chain_segment(&vr, &d->acc, &chain), 1);
	expect_eq(chain.addr, sg[1].addr);
	vbd_destroy(d);
}

/* A ring without memory behind it, or one that ends in the middle of a value. */
static void test_no_ring_memory(void **state)
{
	unsigned int f;

	(void)state;
	for (f = 0; f < ARRAY_SIZE(vbs_all_features); f++) {
		struct vbd *d = vbd_create(8, vbs_all_features[f], 64, 0);
		u64 end = d->ring.base + d->ring.size;
		struct vb_vring vr;
		struct vb_chain chain = { .more = true, .table_len = 8 };

		/* The guest's address is not an address of the ring. */
		vb_vring_init(&vr, 8, VBD_GUEST_BASE, VBD_GUEST_BASE, VBD_GUEST_BASE, 0,
			      d->features);
		chain.table = vr.desc;
		expect_eq(vb_vring_start(&vr, &d->acc), -ENXIO);
		expect_eq(vb_vring_next(&vr, &d->acc, &chain), -ENXIO);
		expect_eq(vb_chain_segment(&vr, &d->acc, &chain), -ENXIO);
		expect_eq(vb_vring_add_used(&vr, &d->acc, 0, 0), -ENXIO);
		expect_eq(vr.next_used, 0);
		vr.next_used = 1;
		expect_eq(vb_vring_publish(&vr, &d->acc), -ENXIO);
		expect_eq(vr.used_published, 0);
		expect_eq(vb_vring_should_signal(&vr, &d->acc), -ENXIO);
		expect_eq(vb_vring_enable_notify(&vr, &d->acc), -ENXIO);
		expect_eq(vb_vring_disable_notify(&vr, &d->acc), vr.event_idx ? 0 : -ENXIO);
		expect_eq(vr.broken, 0);

		vb_vring_init(&vr, 8, end - 1, end - 1, end - 1, 0, d->features);
		expect_eq(vb_vring_start(&vr, &d->acc), -ENXIO);
		vb_vring_init(&vr, 8, end - 3, end - 3, end - 3, 0, d->features);
		expect_eq(vb_vring_start(&vr, &d->acc), -ENXIO);
		expect_eq(vb_vring_next(&vr, &d->acc, &chain), -ENXIO);
		expect_eq(vb_vring_publish(&vr, &d->acc), 0);
		vr.next_used = 1;
		expect_eq(vb_vring_publish(&vr, &d->acc), -ENXIO);
		vbd_destroy(d);
	}
}

/* translate() may be wrong about what is user memory; access_ok() isn't. */
static void test_not_user_memory(void **state)
{
	static const struct vbd_sg sg[] = { { VBD_GUEST_BASE, 8, false } };
	struct vbd *d = vbd_create(8, 0, 4096, 0);
	struct vb_vring vr;
	struct vb_chain chain;
	u8 buf[8];

	(void)state;
	start_one(d, &vr, &chain, sg, 1, 1);

	vbt_uaccess.not_user = vbd_host(d, d->desc + 16 * chain.head + 15);
	expect_eq(vb_chain_segment(&vr, &d->acc, &chain), -EFAULT);
	expect(d->acc.fault_uaddr == vbd_host(d, d->desc + 16 * chain.head));
	expect_eq(d->acc.fault_len, 16);
	expect(!d->acc.fault_write);

	vbt_uaccess.not_user = vbd_host(d, VBD_GUEST_BASE + 7);
	expect_eq(vb_chain_read(&vr, &d->acc, &chain, buf, 8), -EFAULT);
	expect(d->acc.fault_uaddr == vbd_host(d, VBD_GUEST_BASE));
	expect_eq(vb_chain_read(&vr, &d->acc, &chain, buf, 7), 7);

	vbt_uaccess.not_user = vbd_host(d, d->used + 4);
	expect_eq(vb_vring_add_used(&vr, &d->acc, 0, 0), -EFAULT);
	expect(d->acc.fault_uaddr == vbd_host(d, d->used + 4));
	expect_eq(d->acc.fault_len, 8);
	expect(d->acc.fault_write);
	expect_eq(vr.next_used, 0);
	vbt_uaccess_reset();
	vbd_destroy(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_descriptors),
		cmocka_unit_test(test_advance),
		cmocka_unit_test(test_read_stops_at_writable),
		cmocka_unit_test(test_read_hole),
		cmocka_unit_test(test_no_ring_memory),
		cmocka_unit_test(test_not_user_memory),
	};

	/* What doesn't come to an end is killed. */
	alarm(600);
	return cmocka_run_group_tests_name("vring-chain", tests, NULL, NULL);
}
