/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VBALLOONCTL_ARGS_H
#define VBALLOONCTL_ARGS_H

#include <argp.h>
#include <stdint.h>

#include "spec.h"
#include "vballoonctl.h"

/* The options that every command takes; its input is a struct common. */
extern const struct argp_child args_common[];

/* What a command that takes one ID and nothing else was given. */
struct id_args {
	struct common *common;
	struct spec spec;
};

/* One ID and the common options; its input is a struct id_args. */
extern const struct argp args_id_argp;

/* A balloon's ID as a command's argument; a wrong one is a usage error. */
void args_take_spec(struct argp_state *state, const char *text, struct spec *spec);
void args_too_many(struct argp_state *state, const char *text);
/*
 * The argument of --@option as a number of @unit from @min to @max; a wrong one
 * is a usage error.
 */
uint64_t args_number(struct argp_state *state, const char *option, const char *unit,
		     const char *text, uint64_t min, uint64_t max);

/* Parses the arguments of a command that takes one ID and has no options of its own. */
void args_parse_id(struct id_args *args, const char *doc, int argc, char **argv);

#endif
