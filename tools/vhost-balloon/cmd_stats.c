// SPDX-License-Identifier: GPL-2.0
/*
 * vballoonctl stats
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "args.h"
#include "balloon.h"
#include "output.h"
#include "size.h"

#define FEATURE		"VIRTIO_BALLOON_F_STATS_VQ"

/* Seconds. */
#define DEFAULT_TIMEOUT	5
#define DEFAULT_PERIOD	2
#define MAX_TIMEOUT	(VHOST_BALLOON_REFRESH_TIMEOUT_MAX / 1000)
#define MAX_PERIOD	86400

enum {
	OPT_INTERVAL	= 'i',
	OPT_REFRESH	= 'r',
	OPT_TIMEOUT	= 't',
	OPT_WATCH	= 'w',
};

struct stats_args {
	struct id_args id;
	bool refresh;
	bool watch;
	uint32_t period;	/* seconds between two samples that are watched */
	uint32_t timeout;	/* seconds to wait for one, 0 if none were given */
	bool set_interval;
	uint32_t interval;	/* milliseconds */
};

/* The last sample. */
struct sample {
	struct vhost_balloon_stats stats;
	struct vhost_balloon_stat array[VHOST_BALLOON_STATS_MAX];
};

static void add_row(struct libscols_table *table, const struct vhost_balloon_stat *stat)
{
	const struct stat_word *word = words_stat(stat->tag);
	char name[WORD_BUF], value[SIZE_BUF];

	snprintf(name, sizeof(name), "tag %u", stat->tag);
	if (word && word->amount)
		size_format(value, stat->value);
	else
		snprintf(value, sizeof(value), "%" PRIu64, (uint64_t)stat->value);
	table_row(table, word ? word->name : name, value, word ? word->text : "");
}

static void print_table(uint64_t id, const struct sample *sample)
{
	static const struct column columns[] = {
		{ "STATISTIC", 0 },
		{ "VALUE", SCOLS_FL_RIGHT },
		{ "WHAT", 0 },
	};
	struct libscols_table *table = table_new(columns, ARRAY_SIZE(columns));
	uint32_t i;

	printf("balloon %" PRIu64 ": sample %" PRIu64 ", %.1f s old\n", id,
	       (uint64_t)sample->stats.sequence, sample->stats.age / 1e9);
	for (i = 0; i < sample->stats.nr; i++)
		add_row(table, &sample->array[i]);
	table_print_free(table);
}

static struct json_object *sample_json(uint64_t id, const struct sample *sample)
{
	struct json_object *json = json_map(), *known = json_map(), *unknown = json_map();
	const struct stat_word *word;
	char number[16];
	uint32_t i;

	for (i = 0; i < sample->stats.nr; i++) {
		word = words_stat(sample->array[i].tag);
		snprintf(number, sizeof(number), "%u", sample->array[i].tag);
		json_add(word ? known : unknown, word ? word->name : number,
			 json_number(sample->array[i].value));
	}
	json_add(json, "id", json_number(id));
	json_add(json, "sequence", json_number(sample->stats.sequence));
	json_add(json, "age_ms", sample->stats.age ?
		 json_number(sample->stats.age / 1000000) : NULL);
	json_add(json, "stats", known);
	json_add(json, "unknown", unknown);
	return json;
}

static void print_sample(uint64_t id, const struct sample *sample, const struct stats_args *args)
{
	if (!args->id.common->json) {
		if (!sample->stats.age)
			return;
		print_table(id, sample);
		if (args->watch)
			putchar('\n');
	} else if (args->watch) {
		json_line_free(sample_json(id, sample));
	} else {
		json_print_free(sample_json(id, sample));
	}
}

static int refresh(const struct balloon *b, const struct stats_args *args)
{
	uint32_t timeout = args->timeout ? args->timeout : DEFAULT_TIMEOUT;
	int error;

	/* Who is stopped and goes on has had a signal. */
	do {
		error = balloon_refresh_stats(b, timeout * 1000);
	} while (error == -EINTR);
	if (!error)
		return EXIT_SUCCESS;
	if (error != -ETIMEDOUT)
		return balloon_failed_feature(b, "can't ask for statistics", FEATURE, error);
	warnx("balloon %" PRIu64 ": the guest sent no statistics in %u s", b->id, timeout);
	return EXIT_TIMED_OUT;
}

static int show(const struct balloon *b, const struct stats_args *args)
{
	bool ask = args->refresh || args->watch;
	struct sample sample;
	int error, code;

	code = ask ? refresh(b, args) : EXIT_SUCCESS;
	if (code)
		return code;
	error = balloon_get_stats(b, &sample.stats, sample.array);
	if (error)
		return balloon_failed(b, "can't get the statistics", error);
	print_sample(b->id, &sample, args);
	if (sample.stats.age)
		return EXIT_SUCCESS;
	warnx("balloon %" PRIu64 ": the guest has sent no statistics yet", b->id);
	return EXIT_NO_SAMPLE;
}

/*
 * A guest that doesn't answer now may do so later, and one whose driver had statistics
 * may have them again: it is stopped, or boots anew.
 */
static int watch(const struct balloon *b, const struct stats_args *args)
{
	bool seen = false;
	int code, error;

	/* Whoever reads a pipe wants each sample when it comes. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	do {
		code = show(b, args);
		if (code == EXIT_GONE || (code == EXIT_FAILURE && !seen))
			return code;
		seen |= !code;
		error = balloon_wait_gone(b, args->period * 1000);
	} while (!error);
	return balloon_failed(b, "can't wait", error);
}

static int set_interval(const struct balloon *b, const struct stats_args *args, bool quiet)
{
	struct json_object *json;
	int error;

	error = balloon_set_stats_interval(b, args->interval);
	if (error)
		return balloon_failed(b, "can't set the interval", error);
	if (quiet)
		return EXIT_SUCCESS;
	if (args->id.common->json) {
		json = json_map();
		json_add(json, "id", json_number(b->id));
		json_add(json, "stats_interval_ms", json_number(args->interval));
		json_print_free(json);
	} else if (args->interval) {
		printf("balloon %" PRIu64 ": statistics every %u ms\n", b->id, args->interval);
	} else {
		printf("balloon %" PRIu64 ": statistics on request only\n", b->id);
	}
	return EXIT_SUCCESS;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct stats_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->id;
		return 0;
	case OPT_REFRESH:
		args->refresh = true;
		return 0;
	case OPT_WATCH:
		args->watch = true;
		if (arg)
			args->period = args_number(state, "watch", "seconds", arg, 1, MAX_PERIOD);
		return 0;
	case OPT_TIMEOUT:
		args->timeout = args_number(state, "timeout", "seconds", arg, 1, MAX_TIMEOUT);
		return 0;
	case OPT_INTERVAL:
		args->set_interval = true;
		args->interval = args_number(state, "interval", "milliseconds", arg, 0,
					     VHOST_BALLOON_STATS_INTERVAL_MAX);
		return 0;
	case ARGP_KEY_END:
		if (args->timeout && !args->refresh && !args->watch)
			argp_error(state, "--timeout goes with --refresh or --watch");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ .name = "refresh", .key = OPT_REFRESH, .doc = "Ask the guest first" },
	{ .name = "watch", .key = OPT_WATCH, .arg = "SECONDS", .flags = OPTION_ARG_OPTIONAL,
	  .doc = "Ask the guest every SECONDS (2), until the balloon is gone" },
	{ .name = "timeout", .key = OPT_TIMEOUT, .arg = "SECONDS",
	  .doc = "Wait no longer for an answer (5)" },
	{ .name = "interval", .key = OPT_INTERVAL, .arg = "MS",
	  .doc = "Have the kernel ask the guest every MS milliseconds; 0: not any more" },
	{ }
};

static const struct argp_child children[] = {
	{ .argp = &args_id_argp },
	{ }
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Show the last sample of the guest's memory statistics.\vIn brackets is what the guest itself calls it, in /proc/meminfo and /proc/vmstat.\n\n"
	       "Exit status: 0 done, 1 error, 2 usage, 3 no answer in time, 4 balloon gone, 7 no sample yet.",
	.children = children,
};

int cmd_stats(struct common *common, int argc, char **argv)
{
	struct stats_args args = { .id.common = common, .period = DEFAULT_PERIOD };
	struct balloon b;
	bool quiet;
	int code;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	code = balloon_open(&args.id.spec, &b);
	if (code)
		return code;
	quiet = args.refresh || args.watch;
	if (args.set_interval)
		code = set_interval(&b, &args, quiet);
	if (!code && args.watch)
		code = watch(&b, &args);
	else if (!code && (quiet || !args.set_interval))
		code = show(&b, &args);
	balloon_close(&b);
	return code;
}
