// SPDX-License-Identifier: GPL-2.0
/*
 * How a user names a balloon: 7, a vDPA name, or pid:N.
 */
#include <limits.h>
#include <string.h>

#include "number.h"
#include "spec.h"

#define PID_PREFIX	"pid:"

const char *spec_parse(const char *text, struct spec *spec)
{
	spec->text = text;
	spec->number = 0;
	if (!*text)
		return "an empty ID";
	if (!strncmp(text, PID_PREFIX, strlen(PID_PREFIX))) {
		spec->kind = SPEC_PID;
		if (!number_parse(text + strlen(PID_PREFIX), 1, INT_MAX, &spec->number))
			return "not a process id (pid:1234)";
		return NULL;
	}
	if (number_all_digits(text)) {
		spec->kind = SPEC_ID;
		if (!number_parse(text, 1, UINT64_MAX, &spec->number))
			return "not the number of a balloon";
		return NULL;
	}
	spec->kind = SPEC_NAME;
	return NULL;
}
