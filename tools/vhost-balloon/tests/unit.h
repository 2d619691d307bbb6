/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the unit tests have in common.
 */
#ifndef VBALLOONCTL_TESTS_UNIT_H
#define VBALLOONCTL_TESTS_UNIT_H

#include <stdbool.h>

#include "vballoonctl.h"

#define KIB	(1ULL << 10)
#define MIB	(1ULL << 20)
#define GIB	(1ULL << 30)
#define TIB	(1ULL << 40)

/* Unless @ok, the test that runs has failed, and says so. */
void __printf(2, 3) expect(bool ok, const char *format, ...);

void test_hint_plan(void);
void test_hint_pieces(void);
void test_hint_bits(void);
void test_hint_borders(void);
void test_hint_many(void);

#endif
