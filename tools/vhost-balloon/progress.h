/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VBALLOONCTL_PROGRESS_H
#define VBALLOONCTL_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROGRESS_BUF	512

/* How far a balloon is on its way. Pages of 4 KiB, seconds. */
struct progress {
	uint64_t start;
	uint64_t target;
	uint64_t actual;
	double rate;		/* pages a second: lately, in the end on average */
	bool stopped;		/* the VMM has stopped the queues */
	double start_time;
	double sample_time;	/* of the last measurement */
	uint64_t sample_actual;
};

void progress_start(struct progress *p, uint64_t actual, uint64_t target, double now);
void progress_update(struct progress *p, uint64_t actual, double now);
void progress_finish(struct progress *p, double now);
unsigned int progress_percent(const struct progress *p);
/*
 * One line, without a newline, in @buf (PROGRESS_BUF bytes): with a bar that
 * fills @width columns, or without one if @width is 0. Returns @buf.
 */
const char *progress_render(char *buf, const struct progress *p, unsigned int width);

#endif
