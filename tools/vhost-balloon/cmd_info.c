// SPDX-License-Identifier: GPL-2.0
/*
 * vballoonctl info
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <linux/virtio_balloon.h>

#include "args.h"
#include "balloon.h"
#include "inhibit.h"
#include "output.h"
#include "size.h"
#include "summary.h"
#include "target.h"

#define LINE_BUF	256

static void __printf(3, 4)
fact(struct libscols_table *table, const char *name, const char *format, ...)
{
	char text[LINE_BUF];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	table_row(table, name, text);
}

static void fact_pages(struct libscols_table *table, const char *name, uint64_t pages)
{
	char size[SIZE_BUF];

	fact(table, name, "%s (%" PRIu64 " pages of 4 KiB)", size_format_pages(size, pages), pages);
}

static void add_owner(struct libscols_table *table, const struct vhost_balloon_info *info)
{
	char command[COMMAND_BUF];

	if (info->pid > 0)
		fact(table, "Owner", "pid %d (%s)", info->pid, summary_command(command, info));
	else
		fact(table, "Owner", "%s", info->flags & VHOST_BALLOON_INFO_OWNED ?
		     "a process of another pid namespace" : "none");
}

static void add_memory(struct libscols_table *table, const struct vhost_balloon_info *info)
{
	uint64_t ram = summary_ram_pages(info);
	char source[WORD_BUF], now[SIZE_BUF], later[SIZE_BUF];

	fact(table, "Memory source", "%s, %u regions, generation %" PRIu64,
	     words_source(source, info->source), info->nr_regions, (uint64_t)info->generation);
	if (info->ram)
		fact_pages(table, "RAM", ram);
	else
		fact(table, "RAM", "not known yet");
	fact_pages(table, "Target", info->target);
	fact_pages(table, "Actual", info->actual);
	if (info->ram)
		fact(table, "Guest is left with", "%s now, %s at the target",
		     size_format_pages(now, target_left(ram, info->actual)),
		     size_format_pages(later, target_left(ram, info->target)));
}

static void add_flags(struct libscols_table *table, const struct vhost_balloon_info *info)
{
	const char *label = "Flags";
	const struct bit_word *word;
	char name[WORD_BUF];
	unsigned int bit;

	for (bit = 0; bit < 64; bit++) {
		if (!(info->flags & (1ULL << bit)))
			continue;
		word = words_find_bit(words_info_flags, bit);
		fact(table, label, "%s%s%s", words_bit(name, words_info_flags, bit),
		     word ? ": " : "", word ? word->text : "");
		label = "";
	}
}

static void add_inhibit(struct libscols_table *table, const struct vhost_balloon_info *info)
{
	const char *label = "Inhibited", *reason;
	const struct bit_word *word;
	char name[WORD_BUF];
	unsigned int bit;

	for (bit = 0; bit < 32; bit++) {
		if (!(info->inhibit & (1U << bit)))
			continue;
		word = words_find_bit(words_inhibit, bit);
		reason = inhibit_reason(info, bit);
		fact(table, label, "%s%s%s%s%s%s", words_bit(name, words_inhibit, bit),
		     word ? ": " : "", word ? word->text : "",
		     reason ? ": \"" : "", reason ? reason : "", reason ? "\"" : "");
		label = "";
	}
}

static bool negotiated(const struct vhost_balloon_info *info, unsigned int feature)
{
	return info->features & (1ULL << feature);
}

/* What there is to say of the optional features. */
static void add_optional(struct libscols_table *table, const struct vhost_balloon_info *info)
{
	char state[WORD_BUF];

	if (info->stats_interval)
		fact(table, "Statistics", "every %u ms", info->stats_interval);
	else if (negotiated(info, VIRTIO_BALLOON_F_STATS_VQ))
		fact(table, "Statistics", "on request");
	if (info->hint_cmd_id)
		fact(table, "Hinting", "%s, command id 0x%x",
		     words_hint_state(state, info->hint_state), info->hint_cmd_id);
	else if (negotiated(info, VIRTIO_BALLOON_F_FREE_PAGE_HINT))
		fact(table, "Hinting", "%s", words_hint_state(state, info->hint_state));
	if (negotiated(info, VIRTIO_BALLOON_F_PAGE_POISON))
		fact(table, "Poison", "0x%x", info->poison_val);
}

/* Counters of what was left to the worker, in their order. */
#define LEFT_FIRST	VHOST_BALLOON_C_WORKER_OFF
#define LEFT_LAST	VHOST_BALLOON_C_WORKER_LEFT

/* Where passes ran, and why they ran on the worker. */
static void add_passes(struct libscols_table *table, const struct vhost_balloon_counters *counters)
{
	uint64_t passes = counters->value[VHOST_BALLOON_C_PASSES];
	const char *label = "Left to the worker";
	unsigned int i;

	/* An older kernel knows less. */
	if (counters->nr <= LEFT_LAST)
		return;
	fact(table, "Passes", "%" PRIu64 ", of these %" PRIu64 " on the thread that kicked", passes,
	     (uint64_t)counters->value[VHOST_BALLOON_C_PASSES_INLINE]);
	for (i = LEFT_FIRST; i <= LEFT_LAST; i++) {
		if (!counters->value[i])
			continue;
		fact(table, label, "%" PRIu64 " (%s)", (uint64_t)counters->value[i],
		     words_counter(i));
		label = "";
	}
}

static void print_facts(const struct vhost_balloon_info *info,
			const struct vhost_balloon_counters *counters)
{
	static const struct column columns[] = { { "", 0 }, { "", SCOLS_FL_WRAP } };
	struct libscols_table *table = table_new(columns, ARRAY_SIZE(columns));

	scols_table_enable_noheadings(table, 1);
	fact(table, "Balloon", "%" PRIu64, (uint64_t)info->id);
	if (info->name[0])
		fact(table, "Name", "%s", (const char *)info->name);
	fact(table, "State", "%s", summary_state(info));
	add_owner(table, info);
	add_memory(table, info);
	add_flags(table, info);
	add_inhibit(table, info);
	add_optional(table, info);
	add_passes(table, counters);
	table_print_free(table);
}

static void add_queue_row(struct libscols_table *table, uint32_t index,
			  const struct vhost_balloon_queue_info *queue)
{
	char number[16], role[WORD_BUF], num[16], avail[16], used[16], broken[WORD_BUF];

	snprintf(number, sizeof(number), "%u", index);
	snprintf(num, sizeof(num), "%u", queue->num);
	snprintf(avail, sizeof(avail), "%u", queue->last_avail);
	snprintf(used, sizeof(used), "%u", queue->last_used);
	table_row(table, number, words_role(role, queue->role), num, avail, used,
		  queue->flags & VHOST_BALLOON_QUEUE_READY ? "yes" : "no",
		  queue->flags & VHOST_BALLOON_QUEUE_BROKEN ?
			words_broken(broken, queue->broken) : "no");
}

static void print_queues(const struct vhost_balloon_info *info)
{
	static const struct column columns[] = {
		{ "QUEUE", SCOLS_FL_RIGHT },
		{ "ROLE", 0 },
		{ "SIZE", SCOLS_FL_RIGHT },
		{ "AVAIL", SCOLS_FL_RIGHT },
		{ "USED", SCOLS_FL_RIGHT },
		{ "READY", 0 },
		{ "BROKEN", 0 },
	};
	struct libscols_table *table;
	uint32_t i;

	if (!info->nr_queues)
		return;
	table = table_new(columns, ARRAY_SIZE(columns));
	for (i = 0; i < info->nr_queues; i++)
		add_queue_row(table, i, &info->queues[i]);
	putchar('\n');
	table_print_free(table);
}

static void print_features(const struct vhost_balloon_info *info)
{
	static const struct column columns[] = {
		{ "FEATURE", 0 },
		{ "BIT", SCOLS_FL_RIGHT },
		{ "OFFERED", 0 },
		{ "NEGOTIATED", 0 },
	};
	struct libscols_table *table = table_new(columns, ARRAY_SIZE(columns));
	char name[WORD_BUF], number[16];
	unsigned int bit;

	for (bit = 0; bit < 64; bit++) {
		uint64_t mask = 1ULL << bit;

		if (!((info->features_offered | info->features) & mask))
			continue;
		snprintf(number, sizeof(number), "%u", bit);
		table_row(table, words_bit(name, words_features, bit), number,
			  info->features_offered & mask ? "yes" : "no",
			  info->features & mask ? "yes" : "no");
	}
	putchar('\n');
	table_print_free(table);
}

static struct json_object *queue_json(uint32_t index, const struct vhost_balloon_queue_info *queue)
{
	bool broken = queue->flags & VHOST_BALLOON_QUEUE_BROKEN;
	struct json_object *json = json_map();
	char word[WORD_BUF];

	json_add(json, "index", json_number(index));
	json_add(json, "role", json_text(words_role(word, queue->role)));
	json_add(json, "size", json_number(queue->num));
	json_add(json, "last_avail", json_number(queue->last_avail));
	json_add(json, "last_used", json_number(queue->last_used));
	json_add(json, "ready", json_boolean(queue->flags & VHOST_BALLOON_QUEUE_READY));
	json_add(json, "broken", json_boolean(broken));
	json_add(json, "broken_reason",
		 broken ? json_text(words_broken(word, queue->broken)) : NULL);
	return json;
}

static struct json_object *passes_json(const struct vhost_balloon_counters *counters)
{
	struct json_object *json = json_map(), *left = json_map();
	unsigned int i;

	json_add(json, "all", json_number(counters->value[VHOST_BALLOON_C_PASSES]));
	json_add(json, "inline", json_number(counters->value[VHOST_BALLOON_C_PASSES_INLINE]));
	for (i = LEFT_FIRST; i <= LEFT_LAST; i++)
		json_add(left, words_counter(i), json_number(counters->value[i]));
	json_add(json, "left_to_worker", left);
	return json;
}

static void print_json(const struct vhost_balloon_info *info,
		       const struct vhost_balloon_counters *counters)
{
	struct json_object *json = summary_json(info), *queues = json_list();
	char word[WORD_BUF];
	uint32_t i;

	json_add(json, "source", json_text(words_source(word, info->source)));
	json_add(json, "regions", json_number(info->nr_regions));
	json_add(json, "generation", json_number(info->generation));
	json_add(json, "features_offered", json_flags(words_features, info->features_offered));
	json_add(json, "features", json_flags(words_features, info->features));
	for (i = 0; i < info->nr_queues; i++)
		json_append(queues, queue_json(i, &info->queues[i]));
	json_add(json, "queues", queues);
	json_add(json, "passes", counters->nr > LEFT_LAST ? passes_json(counters) : NULL);
	json_print_free(json);
}

int cmd_info(struct common *common, int argc, char **argv)
{
	struct id_args args = { .common = common };
	struct vhost_balloon_counters counters;
	struct vhost_balloon_info info;
	struct balloon b;
	int code, error;

	args_parse_id(&args, "Show one balloon: owner, memory, queues, features.", argc, argv);
	code = balloon_open(&args.spec, &b);
	if (code)
		return code;
	error = balloon_get_info(&b, &info);
	if (!error)
		error = balloon_get_counters(&b, &counters);
	if (error) {
		code = balloon_failed(&b, "can't get the information", error);
	} else if (common->json) {
		print_json(&info, &counters);
	} else {
		print_facts(&info, &counters);
		print_queues(&info);
		print_features(&info);
	}
	balloon_close(&b);
	return code;
}
