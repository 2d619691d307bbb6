// SPDX-License-Identifier: GPL-2.0
/*
 * What the commands' arguments have in common.
 */
#include <inttypes.h>

#include "args.h"
#include "number.h"

static error_t parse_common(int key, char *arg, struct argp_state *state)
{
	struct common *common = state->input;

	(void)arg;
	if (key != 'j')
		return ARGP_ERR_UNKNOWN;
	common->json = true;
	return 0;
}

static const struct argp_option common_options[] = {
	{ .name = "json", .key = 'j', .doc = "Print JSON" },
	{ }
};

static const struct argp common_argp = {
	.options = common_options,
	.parser = parse_common,
};

const struct argp_child args_common[] = {
	{ .argp = &common_argp },
	{ }
};

void args_take_spec(struct argp_state *state, const char *text, struct spec *spec)
{
	const char *wrong = spec_parse(text, spec);

	if (wrong)
		argp_error(state, "%s: %s", text, wrong);
}

void args_too_many(struct argp_state *state, const char *text)
{
	argp_error(state, "too many arguments: %s", text);
}

uint64_t args_number(struct argp_state *state, const char *option, const char *unit,
		     const char *text, uint64_t min, uint64_t max)
{
	uint64_t number = min;

	if (!number_parse(text, min, max, &number))
		argp_error(state, "--%s=%s: not a number of %s from %" PRIu64 " to %" PRIu64,
			   option, text, unit, min, max);
	return number;
}

static error_t parse_id(int key, char *arg, struct argp_state *state)
{
	struct id_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = args->common;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num)
			args_too_many(state, arg);
		args_take_spec(state, arg, &args->spec);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which balloon?");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp args_id_argp = {
	.parser = parse_id,
	.args_doc = "ID",
	.children = args_common,
};

void args_parse_id(struct id_args *args, const char *doc, int argc, char **argv)
{
	struct argp argp = args_id_argp;

	argp.doc = doc;
	argp_parse(&argp, argc, argv, 0, NULL, args);
}
