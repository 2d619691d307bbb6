/* SPDX-License-Identifier: GPL-2.0 */
/* What every test includes first. */
#ifndef _TEST_COMMON_H
#define _TEST_COMMON_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <linux/errno.h>
#include <linux/types.h>

#include "test-expect.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#endif /* _TEST_COMMON_H */
