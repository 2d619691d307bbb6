// SPDX-License-Identifier: GPL-2.0
/*
 * Random numbers and random rings.
 */
#include <stdlib.h>

#include "vb_hostile.h"
#include "vb_random.h"

unsigned long vb_environment(const char *name, unsigned long otherwise)
{
	const char *value = getenv(name);

	return value ? strtoul(value, NULL, 0) : otherwise;
}

__u64 vb_random_seed(__u64 otherwise)
{
	return vb_environment("VB_SEED", otherwise) ?: 1;
}

__u64 vb_random(__u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

__u32 vb_random_below(__u64 *state, __u32 bound)
{
	return (vb_random(state) >> 16) % bound;
}

/* Where a buffer may be said to be: mostly where there is something. */
static __u64 random_addr(__u64 *state)
{
	switch (vb_random_below(state, 8)) {
	case 0:
		return vb_random(state);
	case 1:
		return VB_NOWHERE_GPA;
	case 2:
		return VB_BUF_GPA + VB_BUF_LEN - vb_random_below(state, 64);
	case 3:
		return VB_TABLE_GPA;
	case 4:
		return VB_TABLE2_GPA;
	default:
		return VB_BUF_GPA + vb_random_below(state, VB_BUF_LEN);
	}
}

static __u32 random_len(__u64 *state)
{
	/* Up to what the memory for buffers holds; that takes its time. */
	if (!vb_random_below(state, 200))
		return vb_random(state);
	switch (vb_random_below(state, 8)) {
	case 0:
		return vb_random_below(state, 3000);
	case 1:
		return 0;
	case 2:
		return 16 * vb_random_below(state, 20);
	default:
		return vb_random_below(state, 100);
	}
}

void vb_random_desc(__u64 *state, struct vring_desc *desc, unsigned int num)
{
	/* Chains, mostly; each flag on its own is rarer. */
	__u16 flags = vb_random_below(state, 4) ? 0 : vb_random_below(state, 8);
	__u64 addr;
	__u32 len;

	flags |= vb_random_below(state, 2);
	if (!vb_random_below(state, 50))
		flags = vb_random(state);
	/* In this order, whatever the compiler thinks of arguments. */
	addr = random_addr(state);
	len = random_len(state);
	vb_ring_set_desc(desc, addr, len, flags,
			 vb_random_below(state, vb_random_below(state, 20) ? num : 65536));
}

void vb_random_ring(__u64 *state, struct vb_ring *ring, struct vring_desc *table,
		    struct vring_desc *table2)
{
	unsigned int i, num = ring->num;

	for (i = 0; i < num; i++) {
		vb_random_desc(state, &ring->desc[i], num);
		vb_random_desc(state, &table[i], num);
		vb_random_desc(state, &table2[i], num);
		vb_ring_set_avail(ring, i,
				  vb_random_below(state, vb_random_below(state, 30) ? num : 65536));
	}
	vb_ring_set_used_event(ring, vb_random(state));
	vb_ring_set_no_interrupt(ring, vb_random_below(state, 2));
	vb_ring_set_avail_idx(ring, vb_random_below(state, vb_random_below(state, 30) ?
						    num + 1 : 65536));
}
