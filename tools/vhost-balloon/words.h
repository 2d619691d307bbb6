/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VBALLOONCTL_WORDS_H
#define VBALLOONCTL_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORD_BUF	64	/* holds the word for any number */

/* One bit of a flags field; the last of a table has no name. */
struct bit_word {
	unsigned int bit;
	const char *name;
	const char *text;
};

extern const struct bit_word words_info_flags[];
extern const struct bit_word words_region_flags[];
extern const struct bit_word words_event_flags[];
extern const struct bit_word words_features[];
extern const struct bit_word words_tunables[];
extern const struct bit_word words_inhibit[];

/* The entry of @bit, or NULL. */
const struct bit_word *words_find_bit(const struct bit_word *words, unsigned int bit);
/* The entry of that name, or NULL. */
const struct bit_word *words_find_name(const struct bit_word *words, const char *name);
/* Name of @bit; "bit-N" in @buf (WORD_BUF bytes) if it has none. */
const char *words_bit(char *buf, const struct bit_word *words, unsigned int bit);
/* The names of all bits of @flags, with ", " between; returns @buf. */
const char *words_flags(char *buf, size_t len, const struct bit_word *words, uint64_t flags);

/* Values of enumerations; "unknown (N)" in @buf (WORD_BUF bytes) for new ones. */
const char *words_role(char *buf, unsigned int role);
const char *words_broken(char *buf, unsigned int broken);
const char *words_source(char *buf, unsigned int source);
const char *words_backing(char *buf, unsigned int backing);
const char *words_hint_state(char *buf, unsigned int state);

/* By enum vhost_balloon_counter. */
const char *words_counter(unsigned int counter);
const char *words_counter_text(unsigned int counter);

/* One of the guest's memory statistics. */
struct stat_word {
	const char *name;
	bool amount;		/* of memory, in bytes */
	const char *text;
};

/* By tag; NULL if nobody knows it here. */
const struct stat_word *words_stat(unsigned int tag);

#endif
