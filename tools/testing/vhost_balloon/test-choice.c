// SPDX-License-Identifier: GPL-2.0
/* Choices: made by a generator of numbers, or by the bytes that a fuzzer came up with. */
#include "test-choice.h"
#include "test-vring-driver.h"

struct vbt_choice vbt_choice_random(u64 seed)
{
	return (struct vbt_choice){ .seed = seed * 0x9e3779b97f4a7c15ULL | 1 };
}

struct vbt_choice vbt_choice_bytes(const u8 *data, size_t size)
{
	return (struct vbt_choice){ .at = data, .end = data + size };
}

bool vbt_choice_left(const struct vbt_choice *c)
{
	return c->seed || c->at < c->end;
}

/* Little-endian, whatever the machine is, so that a file means the same everywhere. */
static u64 vbt_choice_take(struct vbt_choice *c, unsigned int bytes)
{
	unsigned int i;
	u64 val = 0;

	for (i = 0; i < bytes && c->at < c->end; i++)
		val |= (u64)*c->at++ << (8 * i);
	return val;
}

unsigned int vbt_choose(struct vbt_choice *c, unsigned int n)
{
	if (c->seed)
		return vbd_rand(&c->seed) % n;
	return vbt_choice_take(c, n <= 256 ? 1 : n <= 65536 ? 2 : 4) % n;
}

u64 vbt_choose_u64(struct vbt_choice *c)
{
	return c->seed ? vbd_rand(&c->seed) : vbt_choice_take(c, 8);
}
