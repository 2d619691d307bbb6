// SPDX-License-Identifier: GPL-2.0
/*
 * The progress of a balloon towards its target, measured and drawn.
 */
#include <stdio.h>
#include <string.h>

#include "progress.h"
#include "size.h"

/* The rate is measured over so long, in seconds. */
#define RATE_PERIOD	1.0

#define BAR_MIN		10
#define BAR_MAX		40

/* The text rarely needs more columns: a bar beside it keeps its length. */
#define TEXT_COLUMNS	58

void progress_start(struct progress *p, uint64_t actual, uint64_t target, double now)
{
	*p = (struct progress){
		.start = actual,
		.target = target,
		.actual = actual,
		.start_time = now,
		.sample_time = now,
		.sample_actual = actual,
	};
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

void progress_finish(struct progress *p, double now)
{
	double period = now - p->start_time;

	if (period > 0)
		p->rate = distance(p->actual, p->start) / period;
}

void progress_update(struct progress *p, uint64_t actual, double now)
{
	double period = now - p->sample_time;

	p->actual = actual;
	if (period < RATE_PERIOD) {
		/* Before the first full period something is better than nothing. */
		if (p->sample_time == p->start_time)
			progress_finish(p, now);
		return;
	}
	p->rate = distance(actual, p->sample_actual) / period;
	p->sample_time = now;
	p->sample_actual = actual;
}

unsigned int progress_percent(const struct progress *p)
{
	uint64_t whole = distance(p->start, p->target), rest = distance(p->actual, p->target);

	if (!rest)
		return 100;
	if (rest >= whole)
		return 0;
	return (whole - rest) * 100 / whole;
}

static size_t draw_bar(char *buf, unsigned int columns, unsigned int percent)
{
	unsigned int inside = columns - 2, full = inside * percent / 100;

	buf[0] = '[';
	memset(buf + 1, '#', full);
	memset(buf + 1 + full, '.', inside - full);
	buf[columns - 1] = ']';
	buf[columns] = ' ';
	return columns + 1;
}

const char *progress_render(char *buf, const struct progress *p, unsigned int width)
{
	char text[PROGRESS_BUF / 2], actual[SIZE_BUF], target[SIZE_BUF], rate[SIZE_BUF];
	unsigned int percent = progress_percent(p), len, room;
	size_t used = 0;

	len = snprintf(text, sizeof(text), "%3u %%  actual %s, target %s, %s/s%s", percent,
		       size_format_pages(actual, p->actual), size_format_pages(target, p->target),
		       size_format_pages(rate, p->rate), p->stopped ? ", stopped" : "");
	if (width) {
		/* Not the last column: a cursor behind it would wrap on some terminals. */
		room = len > TEXT_COLUMNS ? len + 2 : TEXT_COLUMNS + 2;
		room = width > room ? width - room : 0;
		if (room >= BAR_MIN)
			used = draw_bar(buf, room < BAR_MAX ? room : BAR_MAX, percent);
		else if (width <= len)
			text[width - 1] = '\0';
	}
	snprintf(buf + used, PROGRESS_BUF - used, "%s", text);
	return buf;
}
