// SPDX-License-Identifier: GPL-2.0
/*
 * How a user names a balloon: 7, a vDPA name, or pid:N.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "spec.h"

#define PID_PREFIX	"pid:"

static bool all_digits(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

static bool parse_number(const char *text, uint64_t max, uint64_t *number)
{
	if (!all_digits(text))
		return false;
	errno = 0;
	*number = strtoull(text, NULL, 10);
	return !errno && *number && *number <= max;
}

const char *spec_parse(const char *text, struct spec *spec)
{
	spec->text = text;
	spec->number = 0;
	if (!*text)
		return "an empty ID";
	if (!strncmp(text, PID_PREFIX, strlen(PID_PREFIX))) {
		spec->kind = SPEC_PID;
		if (!parse_number(text + strlen(PID_PREFIX), INT_MAX, &spec->number))
			return "not a process id (pid:1234)";
		return NULL;
	}
	if (all_digits(text)) {
		spec->kind = SPEC_ID;
		if (!parse_number(text, UINT64_MAX, &spec->number))
			return "not the number of a balloon";
		return NULL;
	}
	spec->kind = SPEC_NAME;
	return NULL;
}
