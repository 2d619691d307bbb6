// SPDX-License-Identifier: GPL-2.0
/*
 * Tables for people, JSON for programs.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#include "output.h"
#include "size.h"
#include "vballoonctl.h"

static void *must(void *pointer)
{
	if (!pointer)
		errx(EXIT_FAILURE, "out of memory");
	return pointer;
}

static void must_not_fail(int error)
{
	if (error)
		errx(EXIT_FAILURE, "out of memory");
}

struct libscols_table *table_new(const struct column *columns, size_t nr)
{
	struct libscols_table *table = must(scols_new_table());
	size_t i;

	for (i = 0; i < nr; i++)
		must(scols_table_new_column(table, columns[i].name, 0, columns[i].flags));
	return table;
}

void table_add(struct libscols_table *table, const char *const *cells)
{
	struct libscols_line *line = must(scols_table_new_line(table, NULL));
	size_t i, nr = scols_table_get_ncols(table);

	for (i = 0; i < nr; i++)
		must_not_fail(scols_line_set_data(line, i, cells[i]));
}

void table_print_free(struct libscols_table *table)
{
	must_not_fail(scols_print_table(table));
	scols_unref_table(table);
}

void json_add(struct json_object *object, const char *key, struct json_object *value)
{
	must_not_fail(json_object_object_add(object, key, value));
}

void json_append(struct json_object *array, struct json_object *value)
{
	must_not_fail(json_object_array_add(array, value));
}

struct json_object *json_text(const char *text)
{
	return must(json_object_new_string(text));
}

struct json_object *json_number(uint64_t number)
{
	return must(json_object_new_uint64(number));
}

struct json_object *json_boolean(bool value)
{
	return must(json_object_new_boolean(value));
}

struct json_object *json_map(void)
{
	return must(json_object_new_object());
}

struct json_object *json_list(void)
{
	return must(json_object_new_array());
}

struct json_object *json_pages(uint64_t pages)
{
	return json_number(pages << SIZE_PAGE_SHIFT);
}

struct json_object *json_flags(const struct bit_word *words, uint64_t flags)
{
	struct json_object *list = json_list();
	char word[WORD_BUF];
	unsigned int bit;

	for (bit = 0; bit < 64; bit++) {
		if (flags & (1ULL << bit))
			json_append(list, json_text(words_bit(word, words, bit)));
	}
	return list;
}

static void print_free(struct json_object *object, int flags)
{
	puts(must((void *)json_object_to_json_string_ext(object, flags)));
	json_object_put(object);
}

void json_print_free(struct json_object *object)
{
	print_free(object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
			   JSON_C_TO_STRING_NOSLASHESCAPE);
}

void json_line_free(struct json_object *object)
{
	print_free(object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}
