// SPDX-License-Identifier: GPL-2.0
/* Rings that are made of a fuzzer's bytes. */
#include "fuzz-ring.h"

struct vbd *fuzz_ring(struct vbt_choice *c)
{
	static const size_t grans[] = { 0, 16, 62 };
	static struct vbd *drivers[7][4][3];
	unsigned int size = vbt_choose(c, 7), features = vbt_choose(c, 4), gran = vbt_choose(c, 3);
	struct vbd **d = &drivers[size][features][gran];
	static const u8 zeroes[FUZZ_GUEST_SIZE];

	if (!*d)
		*d = vbd_create(1U << size, features * VBD_F_INDIRECT, FUZZ_GUEST_SIZE, grans[gran]);
	vbd_reset(*d, 0, 0);
	vbd_write(*d, VBD_GUEST_BASE, zeroes, FUZZ_GUEST_SIZE);
	return *d;
}

/* An address for a buffer or a table, mostly a good one. */
static u64 ring_addr(struct vbt_choice *c)
{
	unsigned int at = vbt_choose(c, FUZZ_GUEST_SIZE);

	switch (vbt_choose(c, 8)) {
	case 0:
		return ~0ULL - at % 128;
	case 1:
		/* Over the end of memory. */
		return VBD_GUEST_BASE + FUZZ_GUEST_SIZE - at % 128;
	case 2:
		return VBD_RING_BASE + at;
	case 3:
		return vbt_choose_u64(c);
	default:
		return VBD_GUEST_BASE + at;
	}
}

void fuzz_ring_desc(struct vbd *d, struct vbt_choice *c, u64 table, unsigned int entries)
{
	unsigned int i = vbt_choose(c, entries);
	u64 addr = ring_addr(c);
	u32 len = vbt_choose(c, 65536);
	u16 flags = vbt_choose(c, 256), next = vbt_choose(c, 256);

	/* Lengths of more than 16 bits, and whole entries of a table. */
	if (flags & 0x80)
		len <<= 16;
	if (flags & 0x40)
		len = len % (2 * d->num) * 16;
	vbd_set_desc(d, table, i, addr, len, flags & 0x87, next);
}

/* Some pieces, the last of which, or all, or none, are in an indirect table. */
u16 fuzz_ring_chain(struct vbd *d, struct vbt_choice *c, u16 *next_desc,
		    struct vbd_sg (*piece)(struct vbt_choice *c))
{
	unsigned int i, nr = 1 + vbt_choose(c, 8), direct = vbt_choose(c, 16);
	u64 table = VBD_GUEST_BASE + 16 * vbt_choose(c, FUZZ_GUEST_SIZE / 16 - 8);
	u16 head = *next_desc % d->num;

	for (i = 0; i < nr; i++) {
		u16 flags = i + 1 < nr ? VBD_NEXT : 0, at = (head + i) % d->num;
		struct vbd_sg sg = piece(c);

		flags |= sg.write ? VBD_WRITE : 0;
		if (i == direct)
			vbd_set_desc(d, d->desc, at, table, 16 * (nr - i), VBD_INDIRECT, 0);
		if (i >= direct)
			vbd_set_desc(d, table, i - direct, sg.addr, sg.len, flags, i + 1 - direct);
		else
			vbd_set_desc(d, d->desc, at, sg.addr, sg.len, flags, (at + 1) % d->num);
	}
	*next_desc += nr <= direct ? nr : direct + 1;
	return head;
}

void fuzz_ring_scribble(struct vbd *d, u16 at, u16 val)
{
	u64 base = at & 1 ? VBD_RING_BASE : VBD_GUEST_BASE;
	size_t size = at & 1 ? d->ring.size : d->guest.size;

	vbd_put16(d, base + (at % size & ~1UL), val);
}
