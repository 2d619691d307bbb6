// SPDX-License-Identifier: GPL-2.0
/*
 * vballoonctl - show and control the memory balloons of the vhost_balloon kernel module
 */
#include <argp.h>
#include <err.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "vballoonctl.h"

const char *argp_program_version = "vballoonctl " VERSION;

static const struct command {
	const char *name;
	const char *args;
	const char *summary;
	int (*run)(struct common *common, int argc, char **argv);
} commands[] = {
	{ "list", "", "list the balloons", cmd_list },
	{ "info", "ID", "show one balloon", cmd_info },
	{ "set", "ID SIZE", "ask the guest for memory, or give it back", cmd_set },
	{ "regions", "ID", "show the guest's memory regions", cmd_regions },
	{ "counters", "ID", "show what was counted", cmd_counters },
	{ "watch", "ID", "print events as they come", cmd_watch },
	{ "tune", "ID [NAME=on|off]...", "show or switch what can be switched", cmd_tune },
	{ "stats", "ID", "show the guest's memory statistics", cmd_stats },
	{ "hint", "ID start|stop|done|fetch", "have the guest hint its free pages", cmd_hint },
	{ "inhibit", "ID REASON", "have nothing given back, or allow it", cmd_inhibit },
};

struct main_args {
	struct common common;
	const struct command *command;
	int first;		/* index of the command's name */
};

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	}
	return NULL;
}

static error_t parse_main(int key, char *arg, struct argp_state *state)
{
	struct main_args *args = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->common;
		return 0;
	case ARGP_KEY_ARG:
		args->command = find_command(arg);
		if (!args->command)
			argp_error(state, "unknown command: %s", arg);
		/* What follows is the command's own. */
		args->first = state->next - 1;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which command?");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* argp frees what this returns. */
static char *list_commands(void)
{
	char *text = NULL;
	size_t i, len;
	FILE *stream;

	stream = open_memstream(&text, &len);
	if (!stream)
		return NULL;
	fputs("Commands:\n", stream);
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(stream, "  %-8s %-26s%s\n", commands[i].name, commands[i].args,
			commands[i].summary);
	fputs("\nAn ID is the balloon's number, its vDPA name, or pid:N for that of process N.\n"
	      "'vballoonctl COMMAND --help' says more about a command.", stream);
	fclose(stream);
	return text;
}

static char *filter_help(int key, const char *text, void *input)
{
	(void)input;
	if (key == ARGP_KEY_HELP_POST_DOC)
		return list_commands();
	return (char *)text;
}

static const struct argp main_argp = {
	.parser = parse_main,
	.args_doc = "COMMAND [ARG...]",
	.doc = "Show and control the memory balloons of the vhost_balloon kernel module.\v ",
	.children = args_common,
	.help_filter = filter_help,
};

static int run_command(struct main_args *args, int argc, char **argv)
{
	/* argp's messages start with the first argument. */
	if (asprintf(&argv[args->first], "vballoonctl %s", args->command->name) < 0)
		err(EXIT_FAILURE, NULL);
	return args->command->run(&args->common, argc - args->first, argv + args->first);
}

int main(int argc, char **argv)
{
	struct main_args args = { };
	int code;

	setlocale(LC_CTYPE, "");
	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&main_argp, argc, argv, ARGP_IN_ORDER, NULL, &args);
	code = run_command(&args, argc, argv);
	if (fflush(stdout) || ferror(stdout))
		err(EXIT_FAILURE, "standard output");
	return code;
}
