/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VBALLOONCTL_SIZE_H
#define VBALLOONCTL_SIZE_H

#include <stddef.h>
#include <stdint.h>

#define SIZE_PAGE_SHIFT	12
#define SIZE_BUF	32	/* holds any formatted size */

/* A size as a user writes it: 512M, +256M, -1G. */
struct size {
	char sign;		/* '+', '-', or 0 for an absolute size */
	uint64_t bytes;
};

/* Returns NULL, or what is wrong with @text. */
const char *size_parse(const char *text, struct size *size);

/* In pages of 4 KiB, rounded up. */
uint64_t size_pages(const struct size *size);

/* Both return @buf, which has SIZE_BUF bytes. */
const char *size_format(char *buf, uint64_t bytes);
const char *size_format_pages(char *buf, uint64_t pages);

#endif
