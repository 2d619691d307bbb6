// SPDX-License-Identifier: GPL-2.0
/*
 * Whole numbers as arguments.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"

bool number_all_digits(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

bool number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
	if (!number_all_digits(text))
		return false;
	errno = 0;
	*number = strtoull(text, NULL, 10);
	return !errno && *number >= min && *number <= max;
}
