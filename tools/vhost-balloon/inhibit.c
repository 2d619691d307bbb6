// SPDX-License-Identifier: GPL-2.0
/*
 * Why a balloon gives nothing back.
 */
#include <stdio.h>
#include <string.h>

#include "inhibit.h"
#include "words.h"

const char *inhibit_check_reason(const char *text)
{
	if (!*text)
		return "an empty REASON";
	if (strlen(text) > VHOST_BALLOON_REASON_MAX)
		return "longer than 32 characters";
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			return "not printable ASCII";
	}
	return NULL;
}

const char *inhibit_reason(const struct vhost_balloon_info *info, unsigned int bit)
{
	const __u8 *reason = NULL;

	if (1U << bit == VHOST_BALLOON_INHIBIT_BACKEND)
		reason = info->reason_backend;
	else if (1U << bit == VHOST_BALLOON_INHIBIT_CONTROLLER)
		reason = info->reason_controller;
	return reason && reason[0] ? (const char *)reason : NULL;
}

const char *inhibit_text(char *buf, const struct vhost_balloon_info *info)
{
	char word[WORD_BUF];
	const char *reason;
	unsigned int bit;
	size_t used = 0;

	buf[0] = '\0';
	for (bit = 0; bit < 32 && used < INHIBIT_BUF; bit++) {
		if (!(info->inhibit & (1U << bit)))
			continue;
		reason = inhibit_reason(info, bit);
		used += snprintf(buf + used, INHIBIT_BUF - used, "%s%s%s%s%s", used ? ", " : "",
				 words_bit(word, words_inhibit, bit), reason ? " \"" : "",
				 reason ? reason : "", reason ? "\"" : "");
	}
	return buf;
}
