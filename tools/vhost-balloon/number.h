/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VBALLOONCTL_NUMBER_H
#define VBALLOONCTL_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Whether @text is digits and nothing else. */
bool number_all_digits(const char *text);

/* Takes a whole number, decimal and without a sign, from @min to @max. */
bool number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *number);

#endif
