// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting for a target to be reached, with the progress shown.
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "progress.h"
#include "size.h"
#include "vballoonctl.h"
#include "wait.h"
#include "words.h"

#define DEFAULT_WIDTH	80

/* Seconds. A guest may change actual thousands of times a second. */
#define LIVE_PERIOD	0.1
#define PLAIN_PERIOD	1.0
#define EVENT_PAUSE_NS	20000000

struct waiter {
	const struct balloon *b;
	const struct wait_request *request;
	struct progress progress;
	uint64_t target;	/* as last seen; not ours if someone else changed it */
	bool live;		/* a bar on a terminal rather than lines */
	bool line_open;		/* the cursor is behind the bar */
	double started;
	double drawn;
};

static double now_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static unsigned int terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
		return DEFAULT_WIDTH;
	return size.ws_col;
}

static void draw(struct waiter *w)
{
	char line[PROGRESS_BUF];

	if (w->request->quiet)
		return;
	if (w->live)
		printf("\r%s\033[K", progress_render(line, &w->progress, terminal_width()));
	else
		puts(progress_render(line, &w->progress, 0));
	w->line_open = w->live;
	fflush(stdout);
}

/* Messages don't go behind the bar. */
static void end_line(struct waiter *w)
{
	if (w->line_open)
		putchar('\n');
	w->line_open = false;
	fflush(stdout);
}

static void draw_if_due(struct waiter *w, double now)
{
	if (now - w->drawn < (w->live ? LIVE_PERIOD : PLAIN_PERIOD))
		return;
	w->drawn = now;
	draw(w);
}

static bool is_broken(const struct vhost_balloon_queue_info *queue)
{
	return queue->flags & VHOST_BALLOON_QUEUE_BROKEN &&
	       (queue->role == VHOST_BALLOON_ROLE_INFLATE ||
		queue->role == VHOST_BALLOON_ROLE_DEFLATE);
}

/* Says which of the queues that the target depends on are broken, if any is. */
static enum wait_result check_queues(struct waiter *w, const struct vhost_balloon_info *info)
{
	enum wait_result result = WAIT_NOT_YET;
	char role[WORD_BUF], reason[WORD_BUF];
	uint32_t i;

	for (i = 0; i < info->nr_queues; i++) {
		if (!is_broken(&info->queues[i]))
			continue;
		end_line(w);
		warnx("balloon %" PRIu64 ": queue %u (%s) is broken: %s", w->b->id, i,
		      words_role(role, info->queues[i].role),
		      words_broken(reason, info->queues[i].broken));
		result = WAIT_BROKEN;
	}
	return result;
}

static enum wait_result failed(struct waiter *w, int error)
{
	if (error == -ENODEV)
		return WAIT_GONE;
	end_line(w);
	balloon_failed(w->b, "can't wait for the target", error);
	return WAIT_FAILED;
}

static enum wait_result check_info(struct waiter *w)
{
	struct vhost_balloon_info info;
	int error;

	error = balloon_get_info(w->b, &info);
	if (error)
		return failed(w, error);
	w->target = info.target;
	w->progress.stopped = !(info.flags & VHOST_BALLOON_INFO_RUNNING);
	progress_update(&w->progress, info.actual, now_seconds());
	return check_queues(w, &info);
}

static enum wait_result take_event(struct waiter *w, const struct vhost_balloon_event *event)
{
	if (event->events & VHOST_BALLOON_EVENT_GONE)
		return WAIT_GONE;
	/* These need more than an event tells: which queue, and which came last. */
	if (event->events & (VHOST_BALLOON_EVENT_BROKEN | VHOST_BALLOON_EVENT_STARTED |
			     VHOST_BALLOON_EVENT_STOPPED))
		return check_info(w);
	w->target = event->target;
	progress_update(&w->progress, event->actual, now_seconds());
	return WAIT_NOT_YET;
}

static int poll_ms(const struct waiter *w, double now)
{
	double left, period = PLAIN_PERIOD;

	if (w->request->timeout >= 0) {
		left = w->started + w->request->timeout - now;
		if (left < period)
			period = left;
	}
	/* Rounded up: what is due then isn't due a moment earlier. */
	return (int)(period * 1000) + 1;
}

static enum wait_result wait_event(struct waiter *w, double now)
{
	static const struct timespec pause = { .tv_nsec = EVENT_PAUSE_NS };
	struct vhost_balloon_event event;
	int ready;

	ready = balloon_wait_event(w->b, poll_ms(w, now), &event);
	if (ready < 0)
		return failed(w, ready);
	if (!ready) {
		progress_update(&w->progress, w->progress.actual, now_seconds());
		return WAIT_NOT_YET;
	}
	if (event.actual != w->request->target)
		nanosleep(&pause, NULL);
	return take_event(w, &event);
}

static enum wait_result wait_on(struct waiter *w)
{
	enum wait_result result = check_info(w);
	double now;

	while (result == WAIT_NOT_YET) {
		if (w->target != w->request->target)
			return WAIT_OVERRIDDEN;
		if (w->progress.actual == w->target)
			return WAIT_REACHED;
		now = now_seconds();
		draw_if_due(w, now);
		if (w->request->timeout >= 0 && now - w->started >= w->request->timeout)
			return WAIT_TIMED_OUT;
		result = wait_event(w, now);
	}
	return result;
}

/* The reasons for WAIT_BROKEN and WAIT_FAILED were given where they were found. */
static void explain(const struct waiter *w, enum wait_result result)
{
	char size[SIZE_BUF], target[SIZE_BUF];

	switch (result) {
	case WAIT_TIMED_OUT:
		warnx("balloon %" PRIu64 ": timed out after %g s: actual is %s, the target %s%s",
		      w->b->id, w->request->timeout,
		      size_format_pages(size, w->progress.actual),
		      size_format_pages(target, w->target),
		      w->progress.stopped ? "; the VMM has stopped the queues" : "");
		break;
	case WAIT_GONE:
		warnx("balloon %" PRIu64 " went away before its target was reached", w->b->id);
		break;
	case WAIT_OVERRIDDEN:
		warnx("balloon %" PRIu64 ": someone else set another target: %s", w->b->id,
		      size_format_pages(size, w->target));
		break;
	default:
		break;
	}
}

enum wait_result wait_for_target(const struct balloon *b, const struct wait_request *request,
				 struct wait_report *report)
{
	struct waiter w = {
		.b = b,
		.request = request,
		.target = request->target,
		.live = isatty(STDOUT_FILENO),
		.started = now_seconds(),
	};
	enum wait_result result;

	progress_start(&w.progress, request->actual, request->target, w.started);
	result = wait_on(&w);
	report->seconds = now_seconds() - w.started;
	report->target = w.target;
	report->actual = w.progress.actual;
	progress_finish(&w.progress, now_seconds());
	draw(&w);
	end_line(&w);
	explain(&w, result);
	return result;
}

static const struct {
	const char *word;
	int exit_code;
} results[] = {
	[WAIT_REACHED]		= { "reached", EXIT_SUCCESS },
	[WAIT_TIMED_OUT]	= { "timed-out", EXIT_TIMED_OUT },
	[WAIT_GONE]		= { "gone", EXIT_GONE },
	[WAIT_OVERRIDDEN]	= { "overridden", EXIT_OVERRIDDEN },
	[WAIT_BROKEN]		= { "broken", EXIT_BROKEN },
	[WAIT_FAILED]		= { "failed", EXIT_FAILURE },
};

const char *wait_word(enum wait_result result)
{
	return results[result].word;
}

int wait_exit_code(enum wait_result result)
{
	return results[result].exit_code;
}
