// SPDX-License-Identifier: GPL-2.0
/*
 * vballoonctl regions
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "args.h"
#include "balloon.h"
#include "output.h"
#include "size.h"

#define FLAGS_BUF	128

static const struct vhost_balloon_region *array_of(const struct vhost_balloon_regions *regions)
{
	return (const struct vhost_balloon_region *)(uintptr_t)regions->regions;
}

static void add_row(struct libscols_table *table, const struct vhost_balloon_region *region)
{
	char gpa[24], end[24], hva[24], len[SIZE_BUF], slot[16];
	char backing[WORD_BUF], flags[FLAGS_BUF];

	words_flags(flags, sizeof(flags), words_region_flags, region->flags);
	snprintf(gpa, sizeof(gpa), "0x%" PRIx64, (uint64_t)region->gpa);
	snprintf(end, sizeof(end), "0x%" PRIx64, (uint64_t)(region->gpa + region->len - 1));
	snprintf(hva, sizeof(hva), "0x%" PRIx64, (uint64_t)region->hva);
	snprintf(slot, sizeof(slot), "%u", region->slot);
	table_row(table, gpa, end, size_format(len, region->len), slot,
		  words_backing(backing, region->backing), region->hva ? hva : "-",
		  region->flags ? flags : "-");
}

static void print_table(const struct vhost_balloon_regions *regions)
{
	static const struct column columns[] = {
		{ "FIRST", SCOLS_FL_RIGHT },
		{ "LAST", SCOLS_FL_RIGHT },
		{ "SIZE", SCOLS_FL_RIGHT },
		{ "SLOT", SCOLS_FL_RIGHT },
		{ "BACKING", 0 },
		{ "HVA", SCOLS_FL_RIGHT },
		{ "FLAGS", 0 },
	};
	struct libscols_table *table = table_new(columns, ARRAY_SIZE(columns));
	uint32_t i;

	for (i = 0; i < regions->nr; i++)
		add_row(table, &array_of(regions)[i]);
	table_print_free(table);
}

static struct json_object *region_json(const struct vhost_balloon_region *region)
{
	struct json_object *json = json_map();
	char word[WORD_BUF];

	json_add(json, "gpa", json_number(region->gpa));
	json_add(json, "len", json_number(region->len));
	json_add(json, "hva", region->hva ? json_number(region->hva) : NULL);
	json_add(json, "slot", json_number(region->slot));
	json_add(json, "backing", json_text(words_backing(word, region->backing)));
	json_add(json, "flags", json_flags(words_region_flags, region->flags));
	return json;
}

static void print_json(uint64_t id, const struct vhost_balloon_regions *regions)
{
	struct json_object *json = json_map(), *list = json_list();
	uint32_t i;

	for (i = 0; i < regions->nr; i++)
		json_append(list, region_json(&array_of(regions)[i]));
	json_add(json, "id", json_number(id));
	json_add(json, "generation", json_number(regions->generation));
	json_add(json, "regions", list);
	json_print_free(json);
}

int cmd_regions(struct common *common, int argc, char **argv)
{
	struct id_args args = { .common = common };
	struct vhost_balloon_regions regions;
	struct balloon b;
	int code, error;

	args_parse_id(&args, "Show the regions of guest memory that a balloon sees.\vFIRST and LAST are guest physical addresses; HVA is shown to the owner only.",
		      argc, argv);
	code = balloon_open(&args.spec, &b);
	if (code)
		return code;
	error = balloon_get_regions(&b, &regions);
	if (error) {
		code = balloon_failed(&b, "can't get the regions", error);
	} else {
		if (common->json)
			print_json(b.id, &regions);
		else
			print_table(&regions);
		free((void *)array_of(&regions));
	}
	balloon_close(&b);
	return code;
}
