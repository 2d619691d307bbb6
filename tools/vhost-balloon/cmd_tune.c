// SPDX-License-Identifier: GPL-2.0
/*
 * vballoonctl tune
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "balloon.h"
#include "output.h"

struct tune_args {
	struct common *common;
	struct spec spec;
	uint64_t mask;
	uint64_t values;
};

static void print_table(const struct vhost_balloon_tunables *tunables)
{
	static const struct column columns[] = {
		{ "TUNABLE", 0 },
		{ "VALUE", 0 },
		{ "WHAT", 0 },
	};
	struct libscols_table *table = table_new(columns, ARRAY_SIZE(columns));
	const struct bit_word *word;
	char name[WORD_BUF];
	unsigned int bit;

	for (bit = 0; bit < 64; bit++) {
		if (!(tunables->mask & (1ULL << bit)))
			continue;
		word = words_find_bit(words_tunables, bit);
		table_row(table, words_bit(name, words_tunables, bit),
			  tunables->values & (1ULL << bit) ? "on" : "off", word ? word->text : "");
	}
	table_print_free(table);
}

static void print_json(uint64_t id, const struct vhost_balloon_tunables *tunables)
{
	struct json_object *json = json_map(), *values = json_map();
	char name[WORD_BUF];
	unsigned int bit;

	for (bit = 0; bit < 64; bit++) {
		if (tunables->mask & (1ULL << bit))
			json_add(values, words_bit(name, words_tunables, bit),
				 json_boolean(tunables->values & (1ULL << bit)));
	}
	json_add(json, "id", json_number(id));
	json_add(json, "tunables", values);
	json_print_free(json);
}

/* Takes NAME=on or NAME=off. */
static void take_setting(struct argp_state *state, char *arg, struct tune_args *args)
{
	const struct bit_word *word;
	char *value = strchr(arg, '=');
	uint64_t mask;

	if (!value || (strcmp(value, "=on") && strcmp(value, "=off"))) {
		argp_error(state, "%s: not NAME=on or NAME=off", arg);
		return;
	}
	*value++ = '\0';
	word = words_find_name(words_tunables, arg);
	if (!word) {
		argp_error(state, "%s: nothing of this name can be switched", arg);
		return;
	}
	mask = 1ULL << word->bit;
	args->mask |= mask;
	if (!strcmp(value, "on"))
		args->values |= mask;
	else
		args->values &= ~mask;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct tune_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = args->common;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num)
			take_setting(state, arg, args);
		else
			args_take_spec(state, arg, &args->spec);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which balloon?");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.parser = parse,
	.args_doc = "ID [NAME=on|off]...",
	.doc = "Show what can be switched for a balloon, or switch it.\vhugetlb=on gives back whole huge pages of hugetlbfs.  A page that went back to the pool may go to someone else; if the guest takes it back while the pool is empty, the VMM is killed.  populate=on has pages there before the guest is told that it may use them again.  inline=off has the worker serve the queues, and not the thread that kicks.  thp=off gives back parts of transparent huge pages at once, and doesn't wait for the rest.",
	.children = args_common,
};

static int tune(const struct balloon *b, const struct tune_args *args,
		struct vhost_balloon_tunables *tunables)
{
	char missing[WORD_BUF];
	int error;

	error = balloon_get_tunables(b, tunables);
	if (error)
		return balloon_failed(b, "can't get the tunables", error);
	if (!args->mask)
		return EXIT_SUCCESS;
	if (args->mask & ~tunables->mask) {
		warnx("balloon %s: this kernel can't switch %s", args->spec.text,
		      words_flags(missing, sizeof(missing), words_tunables,
				  args->mask & ~tunables->mask));
		return EXIT_FAILURE;
	}
	error = balloon_set_tunables(b, args->mask, args->values);
	if (!error)
		error = balloon_get_tunables(b, tunables);
	if (error)
		return balloon_failed(b, "can't set the tunables", error);
	return EXIT_SUCCESS;
}

int cmd_tune(struct common *common, int argc, char **argv)
{
	struct tune_args args = { .common = common };
	struct vhost_balloon_tunables tunables;
	struct balloon b;
	int code;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	code = balloon_open(&args.spec, &b);
	if (code)
		return code;
	code = tune(&b, &args, &tunables);
	if (!code && common->json)
		print_json(b.id, &tunables);
	else if (!code)
		print_table(&tunables);
	balloon_close(&b);
	return code;
}
