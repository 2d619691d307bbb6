// SPDX-License-Identifier: GPL-2.0
/*
 * vballoonctl list
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "args.h"
#include "balloon.h"
#include "inhibit.h"
#include "output.h"
#include "privilege.h"
#include "size.h"
#include "summary.h"
#include "target.h"

static const struct column columns[] = {
	{ "ID", SCOLS_FL_RIGHT },
	{ "NAME", 0 },
	{ "PID", SCOLS_FL_RIGHT },
	{ "COMMAND", 0 },
	{ "STATE", 0 },
	{ "RAM", SCOLS_FL_RIGHT },
	{ "TARGET", SCOLS_FL_RIGHT },
	{ "ACTUAL", SCOLS_FL_RIGHT },
	{ "LEFT", SCOLS_FL_RIGHT },
	{ "INHIBITED", 0 },
};

static void add_row(struct libscols_table *table, const struct vhost_balloon_info *info)
{
	char ram[SIZE_BUF], target[SIZE_BUF], actual[SIZE_BUF], left[SIZE_BUF];
	char id[24], pid[16], command[COMMAND_BUF], inhibit[INHIBIT_BUF];
	uint64_t ram_pages = summary_ram_pages(info);

	snprintf(id, sizeof(id), "%" PRIu64, (uint64_t)info->id);
	snprintf(pid, sizeof(pid), "%d", info->pid);
	table_row(table, id,
		  info->name[0] ? (const char *)info->name : "-",
		  info->pid > 0 ? pid : "-",
		  summary_command(command, info)[0] ? command : "-",
		  summary_state(info),
		  info->ram ? size_format(ram, info->ram) : "-",
		  size_format_pages(target, info->target),
		  size_format_pages(actual, info->actual),
		  info->ram ? size_format_pages(left, target_left(ram_pages, info->actual)) : "-",
		  inhibit_text(inhibit, info)[0] ? inhibit : "-");
}

/* A balloon may go away between being listed and being asked: then it isn't there. */
static bool get_info(int dev, uint64_t id, struct vhost_balloon_info *info)
{
	struct balloon b;
	bool ok;

	if (balloon_open_id(dev, id, &b))
		return false;
	ok = !balloon_get_info(&b, info);
	balloon_close(&b);
	return ok;
}

static void print_table(int dev, const struct balloon_ids *ids)
{
	struct libscols_table *table = table_new(columns, ARRAY_SIZE(columns));
	struct vhost_balloon_info info;
	size_t i;

	for (i = 0; i < ids->nr; i++) {
		if (get_info(dev, ids->id[i], &info))
			add_row(table, &info);
	}
	table_print_free(table);
}

static void print_json(int dev, const struct balloon_ids *ids)
{
	struct json_object *list = json_list();
	struct vhost_balloon_info info;
	size_t i;

	for (i = 0; i < ids->nr; i++) {
		if (get_info(dev, ids->id[i], &info))
			json_append(list, summary_json(&info));
	}
	json_print_free(list);
}

static void explain_empty(void)
{
	if (privilege_sees_all())
		fputs("There are no balloons.\n", stderr);
	else
		fputs("There are no balloons that you may open: to see those of others needs CAP_SYS_ADMIN in the initial user namespace.\n",
		      stderr);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = state->input;
		return 0;
	case ARGP_KEY_ARG:
		args_too_many(state, arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.parser = parse,
	.doc = "List the balloons that you may open.\vLEFT is what the guest is left with: its RAM less what it gave (ACTUAL).  INHIBITED is why nothing is given back to the host.",
	.children = args_common,
};

int cmd_list(struct common *common, int argc, char **argv)
{
	struct balloon_ids ids;
	int dev, code;

	argp_parse(&argp, argc, argv, 0, NULL, common);
	code = balloon_open_device(&dev);
	if (code)
		return code;
	code = balloon_list(dev, &ids);
	if (!code) {
		if (common->json)
			print_json(dev, &ids);
		else if (ids.nr)
			print_table(dev, &ids);
		else
			explain_empty();
		free(ids.id);
	}
	close(dev);
	return code;
}
