// SPDX-License-Identifier: GPL-2.0
/* An expectation that isn't met is a failed test. */
#include "test-common.h"

#include <stdio.h>

void vbt_failed(const char *file, int line, const char *format, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	print_error("%s\n", text);
	_fail(file, line);
	/* It has left by longjmp(). */
	abort();
}
