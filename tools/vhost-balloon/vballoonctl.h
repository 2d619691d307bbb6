/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the commands of vballoonctl have in common.
 */
#ifndef VBALLOONCTL_H
#define VBALLOONCTL_H

#include <stdbool.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define __printf(a, b)	__attribute((format(printf, a, b)))

/* Exit codes; the man page has them, too. EXIT_SUCCESS and EXIT_FAILURE are 0 and 1. */
enum {
	EXIT_USAGE	= 2,
	EXIT_TIMED_OUT	= 3,
	EXIT_GONE	= 4,
	EXIT_OVERRIDDEN	= 5,
	EXIT_BROKEN	= 6,
	EXIT_NO_SAMPLE	= 7,
};

/* Options that every command takes, before or after its name. */
struct common {
	bool json;
};

int cmd_list(struct common *common, int argc, char **argv);
int cmd_info(struct common *common, int argc, char **argv);
int cmd_set(struct common *common, int argc, char **argv);
int cmd_regions(struct common *common, int argc, char **argv);
int cmd_counters(struct common *common, int argc, char **argv);
int cmd_watch(struct common *common, int argc, char **argv);
int cmd_tune(struct common *common, int argc, char **argv);
int cmd_stats(struct common *common, int argc, char **argv);
int cmd_hint(struct common *common, int argc, char **argv);
int cmd_inhibit(struct common *common, int argc, char **argv);

#endif
