// SPDX-License-Identifier: GPL-2.0
/*
 * What list and info both say of a balloon.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <linux/virtio_balloon.h>

#include "output.h"
#include "size.h"
#include "summary.h"
#include "target.h"
#include "words.h"

uint64_t summary_ram_pages(const struct vhost_balloon_info *info)
{
	return info->ram >> SIZE_PAGE_SHIFT;
}

static bool any_queue_broken(const struct vhost_balloon_info *info)
{
	uint32_t i;

	for (i = 0; i < info->nr_queues; i++) {
		if (info->queues[i].flags & VHOST_BALLOON_QUEUE_BROKEN)
			return true;
	}
	return false;
}

const char *summary_state(const struct vhost_balloon_info *info)
{
	if (info->flags & VHOST_BALLOON_INFO_WORKER_KILLED)
		return "dead";
	if (any_queue_broken(info))
		return "broken";
	if (info->flags & VHOST_BALLOON_INFO_RUNNING)
		return "running";
	if (info->flags & VHOST_BALLOON_INFO_OWNED)
		return "stopped";
	return "unused";
}

const char *summary_command(char *buf, const struct vhost_balloon_info *info)
{
	char path[32], *c;
	FILE *comm;

	buf[0] = '\0';
	if (info->pid <= 0)
		return buf;
	snprintf(path, sizeof(path), "/proc/%d/comm", info->pid);
	comm = fopen(path, "re");
	if (!comm)
		return buf;
	if (!fgets(buf, COMMAND_BUF, comm))
		buf[0] = '\0';
	fclose(comm);
	buf[strcspn(buf, "\n")] = '\0';
	/* A process names itself: keep what could upset a terminal or a JSON parser out. */
	for (c = buf; *c; c++) {
		if (!isascii(*c) || !isprint(*c))
			*c = '?';
	}
	return buf;
}

/* NULL stands for null. */
static struct json_object *json_left(const struct vhost_balloon_info *info, uint64_t balloon)
{
	return info->ram ? json_pages(target_left(summary_ram_pages(info), balloon)) : NULL;
}

static struct json_object *json_reason(const __u8 *reason)
{
	return reason[0] ? json_text((const char *)reason) : NULL;
}

void summary_add_inhibit(struct json_object *json, const struct vhost_balloon_info *info)
{
	json_add(json, "inhibit", json_flags(words_inhibit, info->inhibit));
	json_add(json, "reason_backend", json_reason(info->reason_backend));
	json_add(json, "reason_controller", json_reason(info->reason_controller));
}

static void add_poison(struct json_object *json, const struct vhost_balloon_info *info)
{
	bool poison = info->features & (1ULL << VIRTIO_BALLOON_F_PAGE_POISON);

	json_add(json, "poison", poison ? json_number(info->poison_val) : NULL);
}

struct json_object *summary_json(const struct vhost_balloon_info *info)
{
	struct json_object *json = json_map();
	char command[COMMAND_BUF], word[WORD_BUF];

	json_add(json, "id", json_number(info->id));
	json_add(json, "name", info->name[0] ? json_text((const char *)info->name) : NULL);
	json_add(json, "pid", info->pid > 0 ? json_number(info->pid) : NULL);
	summary_command(command, info);
	json_add(json, "command", command[0] ? json_text(command) : NULL);
	json_add(json, "state", json_text(summary_state(info)));
	json_add(json, "flags", json_flags(words_info_flags, info->flags));
	json_add(json, "ram", info->ram ? json_number(info->ram) : NULL);
	json_add(json, "target", json_pages(info->target));
	json_add(json, "actual", json_pages(info->actual));
	json_add(json, "left", json_left(info, info->actual));
	json_add(json, "left_at_target", json_left(info, info->target));
	summary_add_inhibit(json, info);
	json_add(json, "hint_state", json_text(words_hint_state(word, info->hint_state)));
	json_add(json, "hint_cmd_id", info->hint_cmd_id ? json_number(info->hint_cmd_id) : NULL);
	json_add(json, "stats_interval_ms", json_number(info->stats_interval));
	add_poison(json, info);
	return json;
}
