// SPDX-License-Identifier: GPL-2.0
/*
 * vballoonctl counters
 */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "args.h"
#include "balloon.h"
#include "output.h"

struct counters_args {
	struct id_args id;
	bool all;
};

static void print_table(const struct vhost_balloon_counters *counters, uint32_t nr, bool all)
{
	static const struct column columns[] = {
		{ "COUNTER", 0 },
		{ "VALUE", SCOLS_FL_RIGHT },
		{ "WHAT", 0 },
	};
	struct libscols_table *table = table_new(columns, ARRAY_SIZE(columns));
	char value[24];
	uint32_t i;

	for (i = 0; i < nr; i++) {
		if (!counters->value[i] && !all)
			continue;
		snprintf(value, sizeof(value), "%" PRIu64, (uint64_t)counters->value[i]);
		table_row(table, words_counter(i), value, words_counter_text(i));
	}
	table_print_free(table);
}

static void print_json(uint64_t id, const struct vhost_balloon_counters *counters, uint32_t nr,
		       bool all)
{
	struct json_object *json = json_map(), *values = json_map();
	uint32_t i;

	for (i = 0; i < nr; i++) {
		if (counters->value[i] || all)
			json_add(values, words_counter(i), json_number(counters->value[i]));
	}
	json_add(json, "id", json_number(id));
	json_add(json, "counters", values);
	json_print_free(json);
}

/* How many of the kernel's counters can be shown. */
static uint32_t nr_known(const struct vhost_balloon_counters *counters)
{
	if (counters->nr <= VHOST_BALLOON_NR_COUNTERS)
		return counters->nr;
	warnx("this kernel has %u counters that this program doesn't know",
	      counters->nr - VHOST_BALLOON_NR_COUNTERS);
	return VHOST_BALLOON_NR_COUNTERS;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct counters_args *args = state->input;

	(void)arg;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->id;
		return 0;
	case 'a':
		args->all = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ .name = "all", .key = 'a', .doc = "Show counters that are zero, too" },
	{ }
};

static const struct argp_child children[] = {
	{ .argp = &args_id_argp },
	{ }
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Show what was counted since the balloon was made.\vThe unit of page counters is 4 KiB.",
	.children = children,
};

int cmd_counters(struct common *common, int argc, char **argv)
{
	struct counters_args args = { .id.common = common };
	struct vhost_balloon_counters counters;
	struct balloon b;
	int code, error;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	code = balloon_open(&args.id.spec, &b);
	if (code)
		return code;
	error = balloon_get_counters(&b, &counters);
	if (error)
		code = balloon_failed(&b, "can't get the counters", error);
	else if (common->json)
		print_json(b.id, &counters, nr_known(&counters), args.all);
	else
		print_table(&counters, nr_known(&counters), args.all);
	balloon_close(&b);
	return code;
}
