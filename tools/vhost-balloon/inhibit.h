/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VBALLOONCTL_INHIBIT_H
#define VBALLOONCTL_INHIBIT_H

#include <linux/vhost_balloon.h>

#define INHIBIT_BUF	256	/* holds all reasons that have a name */

/* A reason as a user writes it. Returns NULL, or what is wrong with @text. */
const char *inhibit_check_reason(const char *text);

/* The text that goes with one bit of the mask, or NULL. */
const char *inhibit_reason(const struct vhost_balloon_info *info, unsigned int bit);

/* Why nothing is given back: backend "migration", pinned. Returns @buf (INHIBIT_BUF bytes). */
const char *inhibit_text(char *buf, const struct vhost_balloon_info *info);

#endif
