// SPDX-License-Identifier: GPL-2.0
/*
 * vballoonctl set
 */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "args.h"
#include "balloon.h"
#include "output.h"
#include "summary.h"
#include "target.h"
#include "wait.h"

#define EXPLAIN_BUF	256

/* -1G looks like option -1 with an argument, so the digits are options. */
#define DIGIT_OPTION(digit)	{ .key = digit, .arg = "SIZE", \
				  .flags = OPTION_ARG_OPTIONAL | OPTION_HIDDEN }

enum {
	OPT_BALLOON = 'b',
	OPT_WAIT = 'w',
};

struct set_args {
	struct common *common;
	struct spec spec;
	bool have_spec;
	struct target_request request;
	bool have_size;
	bool wait;
	double timeout;
};

static void take_size(struct argp_state *state, const char *text, struct set_args *args)
{
	const char *wrong = size_parse(text, &args->request.size);

	if (wrong)
		argp_error(state, "%s: %s", text, wrong);
	if (args->have_size)
		argp_error(state, "%s: only one SIZE can be set", text);
	args->have_size = true;
}

static void take_negative_size(struct argp_state *state, int digit, const char *rest,
			       struct set_args *args)
{
	char text[SIZE_BUF];
	int len;

	len = snprintf(text, sizeof(text), "-%c%s", digit, rest ? rest : "");
	if (len >= (int)sizeof(text))
		argp_error(state, "%s...: too long for a size", text);
	take_size(state, text, args);
}

static void take_timeout(struct argp_state *state, const char *text, struct set_args *args)
{
	args->wait = true;
	args->timeout = WAIT_FOR_EVER;
	if (text)
		args->timeout = args_number(state, "wait", "seconds", text, 0, INT32_MAX);
}

static void take_arg(struct argp_state *state, const char *arg, struct set_args *args)
{
	if (!args->have_spec) {
		args_take_spec(state, arg, &args->spec);
		args->have_spec = true;
	} else if (!args->have_size) {
		take_size(state, arg, args);
	} else if (args->wait && args->timeout < 0) {
		argp_error(state, "too many arguments: %s (a time goes with --wait=SECONDS)", arg);
	} else {
		args_too_many(state, arg);
	}
}

static void check_complete(struct argp_state *state, const struct set_args *args)
{
	if (!args->have_spec)
		argp_error(state, "which balloon?");
	else if (!args->have_size)
		argp_error(state, "what size?");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct set_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = args->common;
		return 0;
	case '0' ... '9':
		take_negative_size(state, key, arg, args);
		return 0;
	case OPT_BALLOON:
		take_size(state, arg, args);
		args->request.balloon = true;
		return 0;
	case OPT_WAIT:
		take_timeout(state, arg, args);
		return 0;
	case ARGP_KEY_ARG:
		take_arg(state, arg, args);
		return 0;
	case ARGP_KEY_END:
		check_complete(state, args);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ .name = "balloon", .key = OPT_BALLOON, .arg = "SIZE",
	  .doc = "Name the balloon's own size: what the guest gives" },
	{ .name = "wait", .key = OPT_WAIT, .arg = "SECONDS", .flags = OPTION_ARG_OPTIONAL,
	  .doc = "Wait until the guest has done it, no longer than SECONDS" },
	DIGIT_OPTION('0'), DIGIT_OPTION('1'), DIGIT_OPTION('2'), DIGIT_OPTION('3'),
	DIGIT_OPTION('4'), DIGIT_OPTION('5'), DIGIT_OPTION('6'), DIGIT_OPTION('7'),
	DIGIT_OPTION('8'), DIGIT_OPTION('9'),
	{ }
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "ID SIZE\nID --balloon=SIZE",
	.doc = "Ask the guest for memory, or give it back.\vSIZE is what the guest is left with out of its RAM: 512M, 2G, or relative to the target in force: +256M, -1G.  Units are K, M, G, T (powers of 1024) and B; sizes are rounded up to 4 KiB.\n\n"
	       "Exit status: 0 done (with --wait: reached), 1 error, 2 usage, 3 timed out, 4 balloon gone, 5 someone else set another target, 6 a queue is broken.",
	.children = args_common,
};

static int plan(const struct balloon *b, const struct set_args *args,
		const struct vhost_balloon_info *info, uint64_t *target)
{
	struct target_state state = { .ram = summary_ram_pages(info), .target = info->target };
	enum target_error error = target_plan(&args->request, &state, target);
	char text[EXPLAIN_BUF];

	if (!error)
		return EXIT_SUCCESS;
	target_explain(text, sizeof(text), error, &args->request, &state);
	warnx("balloon %" PRIu64 ": %s", b->id, text);
	return EXIT_FAILURE;
}

static void print_asked(const struct vhost_balloon_info *info, uint64_t target)
{
	char balloon[SIZE_BUF], left[SIZE_BUF], ram[SIZE_BUF];
	uint64_t pages = summary_ram_pages(info);

	printf("balloon %" PRIu64 ": target %s", (uint64_t)info->id,
	       size_format_pages(balloon, target));
	if (pages)
		printf(", the guest is left with %s of %s",
		       size_format_pages(left, target_left(pages, target)),
		       size_format_pages(ram, pages));
	putchar('\n');
	if (!(info->flags & VHOST_BALLOON_INFO_RUNNING))
		puts("Its queues are not running: the guest sees the target when they are.");
	if (info->flags & VHOST_BALLOON_INFO_INHIBITED)
		puts("It is inhibited: the host doesn't get what the guest gives.");
}

static struct json_object *json_asked(const struct vhost_balloon_info *info, uint64_t target)
{
	uint64_t pages = summary_ram_pages(info);
	struct json_object *json = json_map();

	json_add(json, "id", json_number(info->id));
	json_add(json, "ram", pages ? json_number(info->ram) : NULL);
	json_add(json, "target", json_pages(target));
	json_add(json, "left_at_target",
		 pages ? json_pages(target_left(pages, target)) : NULL);
	return json;
}

static int finish(const struct common *common, const struct vhost_balloon_info *info,
		  uint64_t target)
{
	struct json_object *json;

	if (!common->json) {
		print_asked(info, target);
		return EXIT_SUCCESS;
	}
	json = json_asked(info, target);
	json_add(json, "actual", json_pages(info->actual));
	json_add(json, "result", json_text("asked"));
	json_print_free(json);
	return EXIT_SUCCESS;
}

static int wait_and_finish(const struct balloon *b, const struct set_args *args,
			   const struct vhost_balloon_info *info, uint64_t target)
{
	const struct wait_request request = {
		.target = target,
		.actual = info->actual,
		.timeout = args->timeout,
		.quiet = args->common->json,
	};
	struct wait_report report;
	enum wait_result result;
	struct json_object *json;

	if (!args->common->json)
		print_asked(info, target);
	result = wait_for_target(b, &request, &report);
	if (args->common->json) {
		json = json_asked(info, report.target);
		json_add(json, "actual", json_pages(report.actual));
		json_add(json, "result", json_text(wait_word(result)));
		json_add(json, "milliseconds", json_number(report.seconds * 1000));
		json_print_free(json);
	} else if (result == WAIT_REACHED) {
		printf("balloon %" PRIu64 ": target reached in %.1f s\n", b->id, report.seconds);
	}
	return wait_exit_code(result);
}

static int ask_guest(const struct balloon *b, const struct set_args *args)
{
	struct vhost_balloon_info info;
	uint64_t target;
	int error, code;

	error = balloon_get_info(b, &info);
	if (error)
		return balloon_failed(b, "can't get the information", error);
	code = plan(b, args, &info, &target);
	if (code)
		return code;
	error = balloon_set_target(b, target);
	if (error)
		return balloon_failed(b, "can't set the target", error);
	if (args->wait)
		return wait_and_finish(b, args, &info, target);
	return finish(args->common, &info, target);
}

int cmd_set(struct common *common, int argc, char **argv)
{
	struct set_args args = { .common = common };
	struct balloon b;
	int code;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	code = balloon_open(&args.spec, &b);
	if (code)
		return code;
	code = ask_guest(&b, &args);
	balloon_close(&b);
	return code;
}
