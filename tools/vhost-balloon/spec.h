/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VBALLOONCTL_SPEC_H
#define VBALLOONCTL_SPEC_H

#include <stdint.h>

/* How a user names a balloon. */
struct spec {
	enum { SPEC_ID, SPEC_NAME, SPEC_PID } kind;
	uint64_t number;	/* id or pid */
	const char *text;	/* as given, and the name */
};

/* Returns NULL, or what is wrong with @text. */
const char *spec_parse(const char *text, struct spec *spec);

#endif
