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

#include "test-uaccess.h"
#include "test-vring-driver.h"
#include "vring.h"

#define GUEST_SIZE	4096

static unsigned long rounds = 200000;
static u64 first_seed = 1;

/* What a chain is, according to the model: its pieces, and how it ends. */
struct model {
	unsigned int nr;
	struct vbd_sg sg[2 * 64];
	/* 0, -EINVAL, -ENXIO, or -EBADMSG with the reason */
	int end;
	u32 broken;
};

static void model_end(struct model *m, int end, u32 broken)
{
	m->end = end;
	m->broken = broken;
}

static void model_table(struct vbd *d, struct model *m, u64 table, unsigned int len,
			unsigned int i, bool indirect)
{
	unsigned int left = len;

	for (;;) {
		bool writing = m->nr && m->sg[m->nr - 1].write;
		struct vbd_desc e;

		if (!vbd_mapped(d, table + 16 * i, 16) || (indirect && table < VBD_GUEST_BASE) ||
		    (indirect && table >= VBD_RING_BASE))
			return model_end(m, -ENXIO, 0);
		e = vbd_get_desc(d, table, i);
		left--;

		if (e.flags & VBD_INDIRECT) {
			if (indirect || !(d->features & VBD_F_INDIRECT) || (e.flags & VBD_NEXT) ||
			    e.len == 0 || e.len % 16 || e.len > 16 * d->num)
				return model_end(m, -EBADMSG, VHOST_BALLOON_BROKEN_INDIRECT);
			if (e.addr > ~0ULL - (e.len - 1))
				return model_end(m, -EINVAL, 0);
			return model_table(d, m, e.addr, e.len / 16, 0, true);
		}
		if ((e.flags & VBD_NEXT) && e.next >= len)
			return model_end(m, -EBADMSG, VHOST_BALLOON_BROKEN_NEXT);
		/* A chain that uses up its table and goes on meets itself again. */
		if ((e.flags & VBD_NEXT) && !left)
			return model_end(m, -EBADMSG, VHOST_BALLOON_BROKEN_LOOP);
		if (e.len && e.addr > ~0ULL - (e.len - 1))
			return model_end(m, -EINVAL, 0);
		if (e.len) {
			if (writing && !(e.flags & VBD_WRITE))
				return model_end(m, -EINVAL, 0);
			m->sg[m->nr].addr = e.addr;
			m->sg[m->nr].len = e.len;
			m->sg[m->nr].write = e.flags & VBD_WRITE;
			m->nr++;
		}
		if (!(e.flags & VBD_NEXT))
			return model_end(m, 0, 0);
		i = e.next;
	}
}

/* Random rings */

static u64 seed;

static unsigned int rnd(unsigned int n)
{
	return vbd_rand(&seed) % n;
}

static u64 random_addr(void)
{
	switch (rnd(16)) {
	case 0:
		return ~0ULL - rnd(64);
	case 1:
		return vbd_rand(&seed) << rnd(17);
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
		return vbd_rand(&seed);
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
		flags = vbd_rand(&seed);
		next = rnd(2) ? vbd_rand(&seed) : d->num;
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
		vbd_set_avail(d, i, rnd(100) < wild ? vbd_rand(&seed) : rnd(d->num));
	}
	/* All of the guest's memory may be an indirect table. */
	for (i = 0; i < GUEST_SIZE / 16; i++)
		random_desc(d, VBD_GUEST_BASE, i, wild);
	vbd_set_avail_flags(d, vbd_rand(&seed));
	vbd_set_used_event(d, vbd_rand(&seed));
	vbd_set_used_idx(d, vbd_rand(&seed));
	vbd_set_avail_idx(d, rnd(100) < wild ? vbd_rand(&seed) : idx + rnd(d->num + 1));
}

/* Read what is readable by vb_chain_read(), and compare with memory. */
static void check_read(struct vbd *d, struct vb_vring *vr, struct vb_chain *chain,
		       const struct model *m)
{
	u8 buf[64], byte;
	unsigned int i = 0;
	u32 off = 0;

	for (;;) {
		size_t len = 1 + rnd(sizeof(buf));
		ssize_t ret = vb_chain_read(vr, &d->acc, chain, buf, len);
		ssize_t k;

		if (ret > 0) {
			expect((size_t)ret <= len);
			for (k = 0; k < ret; k++) {
				expect(i < m->nr && !m->sg[i].write);
				vbd_read(d, m->sg[i].addr + off, &byte, 1);
				expect_eq(buf[k], byte);
				if (++off == m->sg[i].len) {
					i++;
					off = 0;
				}
			}
			continue;
		}
		if (i == m->nr) {
			expect_eq(ret, m->end);
			return;
		}
		if (m->sg[i].write) {
			expect_eq(ret, -EINVAL);
			expect_eq(off, 0);
		} else {
			expect_eq(ret, -ENXIO);
			expect(!vbd_mapped(d, m->sg[i].addr + off, 1) ||
			       m->sg[i].addr + off >= VBD_RING_BASE);
		}
		/* Leave the rest of this one out, and go on. */
		expect_eq(vb_chain_segment(vr, &d->acc, chain), 1);
		expect_eq(chain->addr, m->sg[i].addr + off);
		expect_eq(chain->len, m->sg[i].len - off);
		vb_chain_advance(chain, chain->len);
		i++;
		off = 0;
	}
}

static void check_segments(struct vbd *d, struct vb_vring *vr, struct vb_chain *chain,
			   const struct model *m)
{
	unsigned int i;

	for (i = 0; i < m->nr; i++) {
		expect_eq(vb_chain_segment(vr, &d->acc, chain), 1);
		expect_eq(chain->addr, m->sg[i].addr);
		expect_eq(chain->len, m->sg[i].len);
		expect_eq(chain->write, m->sg[i].write);
		vb_chain_advance(chain, chain->len);
	}
	expect_eq(vb_chain_segment(vr, &d->acc, chain), m->end);
}

/* How often each end was met, so that the tests are known to test something. */
static unsigned long ends[16], segments;

static void check_ring(struct vbd *d, u16 idx)
{
	u16 ahead = vbd_get16(d, d->avail + 2) - idx;
	unsigned int served = 0;
	struct vb_chain chain;
	struct vb_vring vr;
	struct model m;
	int ret;

	vb_vring_init(&vr, d->num, d->desc, d->avail, d->used, idx, d->features);
	expect_eq(vb_vring_start(&vr, &d->acc), 0);
	while ((ret = vb_vring_next(&vr, &d->acc, &chain)) == 1) {
		expect(served < ahead);
		expect_eq(chain.head, vbd_get16(d, d->avail + 4 + 2 * ((idx + served) % d->num)));
		memset(&m, 0, sizeof(m));
		model_table(d, &m, d->desc, d->num, chain.head, false);
		if (rnd(2))
			check_read(d, &vr, &chain, &m);
		else
			check_segments(d, &vr, &chain, &m);
		segments += m.nr;
		expect_eq(vr.broken, m.broken);
		if (m.broken) {
			ends[m.broken]++;
			return;
		}
		ends[m.end == -EINVAL ? 10 : m.end == -ENXIO ? 11 : 0]++;
		expect_eq(vb_vring_add_used(&vr, &d->acc, chain.head, 0), 0);
		served++;
		if (rnd(2))
			expect_eq(vb_vring_publish(&vr, &d->acc), 0);
		expect(vb_vring_should_signal(&vr, &d->acc) >= 0);
	}
	if (ahead > d->num) {
		expect_eq(ret, -EBADMSG);
		expect_eq(vr.broken, VHOST_BALLOON_BROKEN_AVAIL_INDEX);
	} else if (served < ahead) {
		expect_eq(ret, -EBADMSG);
		expect_eq(vr.broken, VHOST_BALLOON_BROKEN_HEAD);
	} else {
		expect_eq(ret, 0);
		expect_eq(vb_vring_publish(&vr, &d->acc), 0);
		expect_eq(vb_vring_enable_notify(&vr, &d->acc), 0);
	}
	if (vr.broken)
		ends[vr.broken]++;
	expect_eq(d->stray, 0);
}

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
	unsigned long round;
	unsigned int i;

	(void)state;
	vbt_uaccess_reset();
	for (round = 0; round < rounds; round++) {
		struct vbd *d;
		u16 idx;

		seed = (first_seed + round) * 0x9e3779b97f4a7c15ULL | 1;
		d = random_driver();
		idx = vbd_rand(&seed);
		random_ring(d, idx);
		check_ring(d, idx);
	}
	/* Every end that there is was met. */
	for (i = VHOST_BALLOON_BROKEN_NO; i <= VHOST_BALLOON_BROKEN_INDIRECT; i++)
		expect(ends[i] > rounds / 2000);
	expect(ends[10] > rounds / 2000);
	expect(ends[11] > rounds / 2000);
	expect(segments > rounds);
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
		vbd_set_avail(d, rnd(d->num), rnd(8) ? rnd(d->num) : vbd_rand(&seed));
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

static void serve_changing(struct vbd *d, struct vb_vring *vr)
{
	unsigned int chains = 0;
	struct vb_chain chain;
	u8 buf[64];
	int ret;

	while (chains < 4 * d->num) {
		unsigned int pieces = 0;
		ssize_t n;

		ret = vb_vring_next(vr, &d->acc, &chain);
		if (ret == -EFAULT)
			continue;
		if (ret <= 0)
			return;
		expect(chain.head < d->num);
		chains++;
		for (;;) {
			n = vb_chain_segment(vr, &d->acc, &chain);
			if (n == -EFAULT)
				continue;
			if (n <= 0)
				break;
			expect(chain.len > 0 && chain.addr + (chain.len - 1) >= chain.addr);
			expect(++pieces <= 2 * d->num);
			if (rnd(2) && !chain.write)
				vb_chain_read(vr, &d->acc, &chain, buf, 1 + rnd(sizeof(buf)));
			/* May be in the next one by now, or at the end. */
			vb_chain_advance(&chain, chain.len);
		}
		while (vb_vring_add_used(vr, &d->acc, chain.head, 0) == -EFAULT)
			;
		while (vb_vring_publish(vr, &d->acc) == -EFAULT)
			;
		while (vb_vring_should_signal(vr, &d->acc) == -EFAULT)
			;
		while (vb_vring_enable_notify(vr, &d->acc) == -EFAULT)
			;
		while (vb_vring_disable_notify(vr, &d->acc) == -EFAULT)
			;
	}
}

static void test_changing_rings(void **state)
{
	unsigned long round;

	(void)state;
	for (round = 0; round < rounds / 4; round++) {
		struct vb_vring vr;
		struct vbd *d;
		u16 idx;

		seed = (first_seed + round) * 0xd1342543de82ef95ULL | 1;
		d = random_driver();
		idx = vbd_rand(&seed);
		random_ring(d, idx);
		vb_vring_init(&vr, d->num, d->desc, d->avail, d->used, idx, d->features);
		vbt_uaccess_reset();
		vbt_uaccess.before = change_something;
		vbt_uaccess.arg = d;
		while (vb_vring_start(&vr, &d->acc) == -EFAULT)
			;
		serve_changing(d, &vr);
		vbt_uaccess_reset();
		expect_eq(d->stray, 0);
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
	printf("# chains by their end: good %lu, malformed %lu, no memory %lu; pieces %lu\n",
	       ends[0], ends[10], ends[11], segments);
	printf("# broken: index %lu, head %lu, next %lu, loop %lu, indirect %lu\n",
	       ends[1], ends[2], ends[3], ends[4], ends[5]);
	for (i = 0; i < 28; i++) {
		struct vbd *d = rings[i / 4][i / 2 % 2][i % 2];

		if (d)
			vbd_destroy(d);
	}
	return ret;
}
