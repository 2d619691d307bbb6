/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VBALLOONCTL_TARGET_H
#define VBALLOONCTL_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "size.h"

/* What a user asks for. */
struct target_request {
	struct size size;
	bool balloon;		/* the size is the balloon's, not what the guest is left with */
};

/* What it is asked of, in pages of 4 KiB. */
struct target_state {
	uint64_t ram;		/* 0 if it isn't known */
	uint64_t target;
};

enum target_error {
	TARGET_OK,
	TARGET_RAM_UNKNOWN,
	TARGET_BEYOND_RAM,
	TARGET_NOTHING_LEFT,
	TARGET_BELOW_ZERO,
	TARGET_TOO_LARGE,
};

/* Pages that the guest is left with if it gives @balloon pages. */
static inline uint64_t target_left(uint64_t ram, uint64_t balloon)
{
	return ram > balloon ? ram - balloon : 0;
}

/* Sets @target to the balloon's new size in pages. */
enum target_error target_plan(const struct target_request *req, const struct target_state *state,
			      uint64_t *target);

/* Says in words what target_plan() found wrong. */
void target_explain(char *buf, size_t len, enum target_error error,
		    const struct target_request *req, const struct target_state *state);

#endif
