// SPDX-License-Identifier: GPL-2.0
/*
 * Sizes: reading and writing them.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "size.h"
#include "vballoonctl.h"

/* A fraction of so many digits, times the largest unit, fits 64 bits. */
#define MAX_FRACTION_DIGITS	6

/* Less than this without a unit is a forgotten unit rather than bytes. */
#define MIN_UNITLESS		(1ULL << 20)

/* So many of a smaller unit are still easy to read: 1536 MiB rather than 1.5 GiB. */
#define MAX_SMALLER		10000

static const struct unit {
	const char *short_name;
	const char *long_name;
	unsigned int shift;
} units[] = {
	{ "T", "TiB", 40 },
	{ "G", "GiB", 30 },
	{ "M", "MiB", 20 },
	{ "K", "KiB", 10 },
	{ "B", "B", 0 },
};

static const struct unit *find_unit(const char *text)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(units); i++) {
		if (!strcasecmp(text, units[i].short_name) || !strcasecmp(text, units[i].long_name))
			return &units[i];
	}
	return NULL;
}

static bool parse_digits(const char **text, uint64_t *value, unsigned int *nr_digits)
{
	*value = 0;
	for (*nr_digits = 0; isdigit((unsigned char)**text); (*text)++, (*nr_digits)++) {
		if (__builtin_mul_overflow(*value, 10, value) ||
		    __builtin_add_overflow(*value, **text - '0', value))
			return false;
	}
	return true;
}

static const char *scale(struct size *size, uint64_t whole, uint64_t fraction,
			 unsigned int fraction_digits, const struct unit *unit)
{
	uint64_t divisor = 1;

	while (fraction_digits--)
		divisor *= 10;
	fraction = (fraction << unit->shift) / divisor;
	if (whole > UINT64_MAX >> unit->shift ||
	    __builtin_add_overflow(whole << unit->shift, fraction, &size->bytes))
		return "too large";
	return NULL;
}

const char *size_parse(const char *text, struct size *size)
{
	unsigned int digits, fraction_digits = 0;
	uint64_t whole, fraction = 0;
	const struct unit *unit;

	size->sign = 0;
	if (*text == '+' || *text == '-')
		size->sign = *text++;
	if (!parse_digits(&text, &whole, &digits))
		return "too large";
	if (!digits)
		return "not a size (512M, 2G, +256M, -1G)";
	if (*text == '.') {
		text++;
		if (!parse_digits(&text, &fraction, &fraction_digits) ||
		    !fraction_digits || fraction_digits > MAX_FRACTION_DIGITS)
			return "not a size (between 1 and 6 digits go after the point)";
	}
	if (!*text) {
		if (fraction_digits)
			return "the unit is missing (K, M, G or T)";
		if (whole && whole < MIN_UNITLESS)
			return "the unit is missing (K, M, G or T; B if you do mean bytes)";
		size->bytes = whole;
		return NULL;
	}
	unit = find_unit(text);
	if (!unit)
		return "unknown unit (known are K, M, G, T, with or without iB, and B)";
	return scale(size, whole, fraction, fraction_digits, unit);
}

uint64_t size_pages(const struct size *size)
{
	uint64_t partial = size->bytes & ((1U << SIZE_PAGE_SHIFT) - 1);

	return (size->bytes >> SIZE_PAGE_SHIFT) + !!partial;
}

static bool is_whole(uint64_t bytes, const struct unit *unit)
{
	return !(bytes & ((1ULL << unit->shift) - 1));
}

/* The largest unit, or a smaller one if that says more in as many digits. */
static const struct unit *best_unit(uint64_t bytes)
{
	const struct unit *unit = units;

	while (unit->shift && !(bytes >> unit->shift))
		unit++;
	while (!is_whole(bytes, unit) && bytes >> unit[1].shift < MAX_SMALLER)
		unit++;
	return unit;
}

const char *size_format(char *buf, uint64_t bytes)
{
	const struct unit *unit = best_unit(bytes);

	if (is_whole(bytes, unit))
		snprintf(buf, SIZE_BUF, "%" PRIu64 " %s", bytes >> unit->shift, unit->long_name);
	else
		snprintf(buf, SIZE_BUF, "%.1f %s", (double)bytes / (1ULL << unit->shift),
			 unit->long_name);
	return buf;
}

const char *size_format_pages(char *buf, uint64_t pages)
{
	return size_format(buf, pages << SIZE_PAGE_SHIFT);
}
