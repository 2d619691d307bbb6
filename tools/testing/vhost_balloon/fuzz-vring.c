// SPDX-License-Identifier: GPL-2.0
/*
 * Bytes become a ring in guest memory. It is served, and what is found has to agree with a
 * plain model. Accesses fault; and if the bytes say so, the ring changes between two accesses:
 * then there is nothing to compare with, but it has to end and to stay inside its memory.
 */
#include <string.h>

#include "fuzz.h"
#include "fuzz-ring.h"
#include "test-uaccess.h"
#include "test-vring-check.h"

#define CHANGES_MAX	64

/* What the driver writes at some access of the device's. */
struct change {
	u16 access;
	u16 at;
	u16 val;
};

static struct ring {
	struct vbd *d;
	struct change change[CHANGES_MAX];
	unsigned int nr_changes;
	/* Of 256 accesses this many fault. */
	unsigned int faults;
	struct vbt_choice random;
} ring;

static void ring_change(struct ring *r, struct vbt_choice *c)
{
	struct change ch;

	ch.access = vbt_choose(c, 1024);
	ch.at = vbt_choose(c, 65536);
	ch.val = vbt_choose(c, 65536);
	if (r->nr_changes < CHANGES_MAX)
		r->change[r->nr_changes++] = ch;
}

static struct vbd_sg ring_piece(struct vbt_choice *c)
{
	unsigned int at = vbt_choose(c, FUZZ_GUEST_SIZE), len = vbt_choose(c, 256);

	return (struct vbd_sg){ VBD_GUEST_BASE + at, len, vbt_choose(c, 4) == 3 };
}

/* All that is left of the bytes. */
static void ring_content(struct ring *r, struct vbt_choice *c)
{
	struct vbd *d = r->d;
	u16 next_desc = 0, i;

	while (vbt_choice_left(c)) {
		switch (vbt_choose(c, 8)) {
		case 0:
			i = vbt_choose(c, d->num);
			vbd_set_avail(d, i, vbt_choose(c, 65536));
			break;
		case 1:
			vbd_set_used_event(d, vbt_choose(c, 65536));
			break;
		case 2:
			vbd_set_avail_flags(d, vbt_choose(c, 65536));
			break;
		case 3:
			ring_change(r, c);
			break;
		case 4:
			fuzz_ring_chain(d, c, &next_desc, ring_piece);
			break;
		case 5:
			fuzz_ring_desc(d, c, VBD_GUEST_BASE, FUZZ_GUEST_SIZE / 16);
			break;
		default:
			fuzz_ring_desc(d, c, d->desc, d->num);
		}
	}
}

static void before_access(void *arg, const void *p, size_t n, bool write)
{
	struct ring *r = arg;
	unsigned int i;

	for (i = 0; i < r->nr_changes; i++)
		if (r->change[i].access == vbt_uaccess.accesses)
			fuzz_ring_scribble(r->d, r->change[i].at, r->change[i].val);
	if (vbt_choose(&r->random, 256) < r->faults) {
		vbt_uaccess.fail_at = vbt_uaccess.accesses;
		vbt_uaccess.fail_after = vbt_choose(&r->random, n);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vbt_choice c = vbt_choice_bytes(data, size);
	struct ring *r = &ring;
	struct vbt_ends ends;
	u16 idx;

	vbt_uaccess_reset();
	memset(&ends, 0, sizeof(ends));
	r->d = fuzz_ring(&c);
	r->nr_changes = 0;
	r->faults = vbt_choose(&c, 200);
	r->random = vbt_choice_random(vbt_choose(&c, 256));
	idx = vbt_choose(&c, 65536);
	vbd_set_used_idx(r->d, vbt_choose(&c, 65536));
	vbd_set_avail_idx(r->d, idx + vbt_choose(&c, 2 * VBT_NUM_MAX));
	ring_content(r, &c);

	vbt_uaccess.before = before_access;
	vbt_uaccess.arg = r;
	c = vbt_choice_random(vbt_choose(&r->random, 256));
	if (r->nr_changes)
		vbt_check_changing_ring(r->d, idx, &c);
	else
		vbt_check_ring(r->d, idx, &c, &ends);
	vbt_uaccess_reset();
	return 0;
}
