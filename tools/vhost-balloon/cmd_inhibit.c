// SPDX-License-Identifier: GPL-2.0
/*
 * vballoonctl inhibit
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "args.h"
#include "balloon.h"
#include "inhibit.h"
#include "output.h"
#include "summary.h"

struct inhibit_args {
	struct common *common;
	struct spec spec;
	bool have_spec;
	const char *reason;
	bool off;
};

static void take_arg(struct argp_state *state, const char *arg, struct inhibit_args *args)
{
	const char *wrong;

	if (!args->have_spec) {
		args_take_spec(state, arg, &args->spec);
		args->have_spec = true;
		return;
	}
	if (args->reason)
		argp_error(state, "too many arguments: %s (a REASON of several words goes in quotes)",
			   arg);
	wrong = inhibit_check_reason(arg);
	if (wrong)
		argp_error(state, "%s: %s", arg, wrong);
	args->reason = arg;
}

static void check_complete(struct argp_state *state, const struct inhibit_args *args)
{
	if (!args->have_spec)
		argp_error(state, "which balloon?");
	else if (!args->reason && !args->off)
		argp_error(state, "for what reason? (or --off)");
	else if (args->reason && args->off)
		argp_error(state, "--off takes no REASON");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct inhibit_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = args->common;
		return 0;
	case 'o':
		args->off = true;
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
	{ .name = "off", .key = 'o', .doc = "Allow it again, as far as controllers have a say" },
	{ }
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "ID REASON\nID --off",
	.doc = "Have nothing given back to the host, or allow it again.\vREASON is for people: up to 32 characters of ASCII.  What the guest gives is acknowledged and counted all the same, and not given back later.  The VMM has a say of its own, and some reasons the kernel sees by itself: info shows all of them.",
	.children = args_common,
};

static void print_state(const struct vhost_balloon_info *info, bool json)
{
	bool inhibited = info->flags & VHOST_BALLOON_INFO_INHIBITED;
	struct json_object *object;
	char text[INHIBIT_BUF];

	if (!json) {
		printf("balloon %" PRIu64 ": %s%s\n", (uint64_t)info->id,
		       inhibited ? "inhibited: " : "not inhibited", inhibit_text(text, info));
		return;
	}
	object = json_map();
	json_add(object, "id", json_number(info->id));
	json_add(object, "inhibited", json_boolean(inhibited));
	summary_add_inhibit(object, info);
	json_print_free(object);
}

static int inhibit(const struct balloon *b, const struct inhibit_args *args)
{
	struct vhost_balloon_info info;
	int error;

	error = balloon_set_inhibit(b, args->reason);
	if (error)
		return balloon_failed(b, args->off ? "can't allow it" : "can't inhibit it", error);
	error = balloon_get_info(b, &info);
	if (error)
		return balloon_failed(b, "can't get the information", error);
	print_state(&info, args->common->json);
	return EXIT_SUCCESS;
}

int cmd_inhibit(struct common *common, int argc, char **argv)
{
	struct inhibit_args args = { .common = common };
	struct balloon b;
	int code;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	code = balloon_open(&args.spec, &b);
	if (code)
		return code;
	code = inhibit(&b, &args);
	balloon_close(&b);
	return code;
}
