// SPDX-License-Identifier: GPL-2.0
/*
 * vballoonctl hint
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "balloon.h"
#include "hints.h"
#include "output.h"
#include "size.h"

#define FEATURE	"VIRTIO_BALLOON_F_FREE_PAGE_HINT"

struct action {
	const char *name;
	int (*run)(const struct balloon *b, bool json);
};

struct hint_args {
	struct common *common;
	struct spec spec;
	const struct action *action;
};

static int hint_start(const struct balloon *b, bool json)
{
	struct json_object *object;
	uint32_t cmd_id;
	int error;

	error = balloon_hint_start(b, &cmd_id);
	if (error)
		return balloon_failed_feature(b, "can't start hinting", FEATURE, error);
	if (!json) {
		printf("balloon %" PRIu64 ": hinting is requested, command id 0x%x\n", b->id,
		       cmd_id);
		return EXIT_SUCCESS;
	}
	object = json_map();
	json_add(object, "id", json_number(b->id));
	json_add(object, "cmd_id", json_number(cmd_id));
	json_print_free(object);
	return EXIT_SUCCESS;
}

/* Prints the state: it stays as it is where nothing was started. */
static int hint_end(const struct balloon *b, bool json, uint32_t how)
{
	struct vhost_balloon_info info;
	struct json_object *object;
	char state[WORD_BUF];
	int error;

	error = balloon_hint_stop(b, how);
	if (error)
		return balloon_failed_feature(b, "can't end hinting", FEATURE, error);
	error = balloon_get_info(b, &info);
	if (error)
		return balloon_failed(b, "can't get the information", error);
	if (!json) {
		printf("balloon %" PRIu64 ": hinting is %s\n", b->id,
		       words_hint_state(state, info.hint_state));
		return EXIT_SUCCESS;
	}
	object = json_map();
	json_add(object, "id", json_number(b->id));
	json_add(object, "hint_state", json_text(words_hint_state(state, info.hint_state)));
	json_print_free(object);
	return EXIT_SUCCESS;
}

static int hint_stop(const struct balloon *b, bool json)
{
	return hint_end(b, json, VHOST_BALLOON_HINT_STOP_STOP);
}

static int hint_done(const struct balloon *b, bool json)
{
	return hint_end(b, json, VHOST_BALLOON_HINT_STOP_DONE);
}

static int fetch_range(const struct balloon *b, struct hint_range range,
		       struct hint_ranges *ranges)
{
	static uint64_t bitmap[VHOST_BALLOON_HINT_FETCH_MAX / 64];
	struct hint_range piece;
	int error;

	while (hints_cut(&range, &piece)) {
		error = balloon_hint_fetch(b, piece.gfn, piece.nr, bitmap);
		if (error)
			return error;
		if (!hints_add(ranges, &piece, bitmap))
			return -ENOMEM;
	}
	return 0;
}

/* All of guest memory. Free @ranges->range. */
static int fetch_all(const struct balloon *b, struct hint_ranges *ranges)
{
	struct vhost_balloon_regions regions;
	struct hint_ranges plan;
	size_t i;
	int error;

	*ranges = (struct hint_ranges){ };
	error = balloon_get_regions(b, &regions);
	if (error)
		return error;
	if (!hints_plan(&plan, (void *)(uintptr_t)regions.regions, regions.nr))
		error = -ENOMEM;
	for (i = 0; i < plan.nr && !error; i++)
		error = fetch_range(b, plan.range[i], ranges);
	free(plan.range);
	free((void *)(uintptr_t)regions.regions);
	return error;
}

static void print_table(uint64_t id, const struct hint_ranges *ranges)
{
	static const struct column columns[] = {
		{ "FIRST", SCOLS_FL_RIGHT },
		{ "LAST", SCOLS_FL_RIGHT },
		{ "SIZE", SCOLS_FL_RIGHT },
	};
	struct libscols_table *table = table_new(columns, ARRAY_SIZE(columns));
	char first[24], last[24], size[SIZE_BUF];
	const struct hint_range *range;
	size_t i;

	for (i = 0; i < ranges->nr; i++) {
		range = &ranges->range[i];
		snprintf(first, sizeof(first), "0x%" PRIx64, range->gfn << SIZE_PAGE_SHIFT);
		snprintf(last, sizeof(last), "0x%" PRIx64,
			 ((range->gfn + range->nr) << SIZE_PAGE_SHIFT) - 1);
		table_row(table, first, last, size_format_pages(size, range->nr));
	}
	table_print_free(table);
	printf("balloon %" PRIu64 ": %s in %zu ranges\n", id,
	       size_format_pages(size, ranges->pages), ranges->nr);
}

static void print_json(uint64_t id, const struct hint_ranges *ranges)
{
	struct json_object *json = json_map(), *list = json_list(), *item;
	size_t i;

	for (i = 0; i < ranges->nr; i++) {
		item = json_map();
		json_add(item, "gpa", json_pages(ranges->range[i].gfn));
		json_add(item, "len", json_pages(ranges->range[i].nr));
		json_append(list, item);
	}
	json_add(json, "id", json_number(id));
	json_add(json, "bytes", json_pages(ranges->pages));
	json_add(json, "ranges", list);
	json_print_free(json);
}

static int hint_fetch(const struct balloon *b, bool json)
{
	struct hint_ranges ranges;
	int code = EXIT_SUCCESS, error;

	error = fetch_all(b, &ranges);
	if (error)
		code = balloon_failed_feature(b, "can't fetch the hints", FEATURE, error);
	else if (json)
		print_json(b->id, &ranges);
	else
		print_table(b->id, &ranges);
	free(ranges.range);
	return code;
}

static const struct action actions[] = {
	{ "start", hint_start },
	{ "stop", hint_stop },
	{ "done", hint_done },
	{ "fetch", hint_fetch },
};

static void take_action(struct argp_state *state, const char *arg, struct hint_args *args)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(actions); i++) {
		if (!strcmp(actions[i].name, arg))
			args->action = &actions[i];
	}
	if (!args->action)
		argp_error(state, "%s: not start, stop, done or fetch", arg);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct hint_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = args->common;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 1)
			args_too_many(state, arg);
		else if (state->arg_num)
			take_action(state, arg, args);
		else
			args_take_spec(state, arg, &args->spec);
		return 0;
	case ARGP_KEY_END:
		if (!state->arg_num)
			argp_error(state, "which balloon?");
		else if (!args->action)
			argp_error(state, "start, stop, done or fetch?");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.parser = parse,
	.args_doc = "ID start|stop|done|fetch",
	.doc = "Have the guest hint which of its pages are free.\vstart asks for it, and throws away what was hinted before.  stop ends it, and the guest holds the pages back; done gives them back to it.  fetch prints what was hinted, and takes it off: with stop first, what it prints is all.",
	.children = args_common,
};

int cmd_hint(struct common *common, int argc, char **argv)
{
	struct hint_args args = { .common = common };
	struct balloon b;
	int code;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	code = balloon_open(&args.spec, &b);
	if (code)
		return code;
	code = args.action->run(&b, common->json);
	balloon_close(&b);
	return code;
}
