/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VBALLOONCTL_OUTPUT_H
#define VBALLOONCTL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>
#include <libsmartcols/libsmartcols.h>

#include "words.h"

/*
 * Nothing here returns an error: without memory for a line of output the
 * program ends.
 */

struct column {
	const char *name;
	int flags;		/* SCOLS_FL_* */
};

struct libscols_table *table_new(const struct column *columns, size_t nr);
void table_add(struct libscols_table *table, const char *const *cells);
/* One string for each column. */
#define table_row(table, ...)	table_add(table, (const char *const []){ __VA_ARGS__ })
void table_print_free(struct libscols_table *table);

/* json_add() takes @value over. */
void json_add(struct json_object *object, const char *key, struct json_object *value);
void json_append(struct json_object *array, struct json_object *value);
struct json_object *json_text(const char *text);
struct json_object *json_number(uint64_t number);
struct json_object *json_boolean(bool value);
struct json_object *json_map(void);
struct json_object *json_list(void);
/* A number of 4 KiB pages, in bytes. */
struct json_object *json_pages(uint64_t pages);
/* The names of the bits of @flags. */
struct json_object *json_flags(const struct bit_word *words, uint64_t flags);
/* json_print_free() prints for the eye, json_line_free() one object a line. */
void json_print_free(struct json_object *object);
void json_line_free(struct json_object *object);

#endif
