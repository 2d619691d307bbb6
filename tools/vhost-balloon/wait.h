/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VBALLOONCTL_WAIT_H
#define VBALLOONCTL_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "balloon.h"

#define WAIT_FOR_EVER	(-1.0)

enum wait_result {
	WAIT_NOT_YET,		/* never returned */
	WAIT_REACHED,
	WAIT_TIMED_OUT,
	WAIT_GONE,
	WAIT_OVERRIDDEN,	/* someone else set another target */
	WAIT_BROKEN,		/* a queue that has to work on it is broken */
	WAIT_FAILED,
};

struct wait_request {
	uint64_t target;	/* pages of 4 KiB */
	uint64_t actual;	/* when the target was set */
	double timeout;		/* seconds, or WAIT_FOR_EVER */
	bool quiet;		/* no progress on standard output */
};

struct wait_report {
	uint64_t actual;	/* pages of 4 KiB, as last seen */
	uint64_t target;
	double seconds;		/* that it took */
};

/* Waits until the target is reached, and says on standard error why if it isn't. */
enum wait_result wait_for_target(const struct balloon *b, const struct wait_request *request,
				 struct wait_report *report);

/* A word for programs. */
const char *wait_word(enum wait_result result);
int wait_exit_code(enum wait_result result);

#endif
