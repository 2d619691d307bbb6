// SPDX-License-Identifier: GPL-2.0
/*
 * vballoonctl watch
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "args.h"
#include "balloon.h"
#include "output.h"
#include "size.h"

#define EVENTS_BUF	256

static void print_event(const struct vhost_balloon_event *event, const struct timespec *now)
{
	char clock[16], events[EVENTS_BUF], target[SIZE_BUF], actual[SIZE_BUF];

	strftime(clock, sizeof(clock), "%T", localtime(&now->tv_sec));
	printf("%s.%03ld  target %s, actual %s: %s\n", clock, now->tv_nsec / 1000000,
	       size_format_pages(target, event->target), size_format_pages(actual, event->actual),
	       words_flags(events, sizeof(events), words_event_flags, event->events));
}

static void print_event_json(uint64_t id, const struct vhost_balloon_event *event,
			     const struct timespec *now)
{
	struct json_object *json = json_map();

	json_add(json, "id", json_number(id));
	json_add(json, "time_ms", json_number(now->tv_sec * 1000ULL + now->tv_nsec / 1000000));
	json_add(json, "events", json_flags(words_event_flags, event->events));
	json_add(json, "target", json_pages(event->target));
	json_add(json, "actual", json_pages(event->actual));
	json_line_free(json);
}

/* Returns when the balloon is gone: that is the end, not a failure. */
static int watch(const struct balloon *b, bool json)
{
	struct vhost_balloon_event event;
	struct timespec now;
	int ready;

	for (;;) {
		ready = balloon_wait_event(b, -1, &event);
		if (ready == -ENODEV)
			return EXIT_SUCCESS;
		if (ready < 0)
			return balloon_failed(b, "can't wait for events", ready);
		if (!ready)
			continue;
		clock_gettime(CLOCK_REALTIME, &now);
		if (json)
			print_event_json(b->id, &event, &now);
		else
			print_event(&event, &now);
		if (event.events & VHOST_BALLOON_EVENT_GONE)
			return EXIT_SUCCESS;
	}
}

int cmd_watch(struct common *common, int argc, char **argv)
{
	struct id_args args = { .common = common };
	struct balloon b;
	int code;

	args_parse_id(&args, "Print a balloon's events as they come, until it is gone.", argc, argv);
	code = balloon_open(&args.spec, &b);
	if (code)
		return code;
	/* Whoever reads a pipe wants each event when it happens. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	code = watch(&b, common->json);
	balloon_close(&b);
	return code;
}
