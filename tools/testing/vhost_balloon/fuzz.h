/* SPDX-License-Identifier: GPL-2.0 */
/* What every fuzz target includes: libFuzzer's interface, and what may go wrong. */
#ifndef _FUZZ_H
#define _FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "test-choice.h"
#include "test-expect.h"

/* One input. Returns 0; what is wrong with it ends the program. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The page that addr + len lies in, and if that isn't its first byte, with up the next one. */
static inline u64 fuzz_page(u64 addr, u64 len, bool up)
{
	return ((__uint128_t)addr + len + (up ? 4095 : 0)) / 4096;
}

#endif /* _FUZZ_H */
