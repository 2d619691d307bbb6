/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Choices: made by a generator of numbers, or by the bytes that a fuzzer came up with.
 *
 * No two of them in one expression or initializer: compilers differ in which they make first.
 */
#ifndef _TEST_CHOICE_H
#define _TEST_CHOICE_H

#include <linux/types.h>

/**
 * struct vbt_choice - where choices come from
 * @seed: the generator's state; 0 for bytes
 * @at: the bytes that are left ...
 * @end: ... up to, but not including, here. After that every choice is 0.
 */
struct vbt_choice {
	u64 seed;
	const u8 *at;
	const u8 *end;
};

/* seed: any number */
struct vbt_choice vbt_choice_random(u64 seed);
struct vbt_choice vbt_choice_bytes(const u8 *data, size_t size);

bool vbt_choice_left(const struct vbt_choice *c);
/* A number below n. */
unsigned int vbt_choose(struct vbt_choice *c, unsigned int n);
u64 vbt_choose_u64(struct vbt_choice *c);

#endif /* _TEST_CHOICE_H */
