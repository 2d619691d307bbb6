/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VBALLOONCTL_SUMMARY_H
#define VBALLOONCTL_SUMMARY_H

#include <json-c/json.h>
#include <linux/vhost_balloon.h>

#define COMMAND_BUF	64	/* holds the name of a process */

/* RAM in pages of 4 KiB. */
uint64_t summary_ram_pages(const struct vhost_balloon_info *info);
/* One word for what the balloon is doing. */
const char *summary_state(const struct vhost_balloon_info *info);
/* Name of the owner's program; empty if it can't be read. Returns @buf. */
const char *summary_command(char *buf, const struct vhost_balloon_info *info);
/* What is inhibited, and why, as members of @json. */
void summary_add_inhibit(struct json_object *json, const struct vhost_balloon_info *info);
/* What list and info both say. */
struct json_object *summary_json(const struct vhost_balloon_info *info);

#endif
