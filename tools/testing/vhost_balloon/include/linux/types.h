/* SPDX-License-Identifier: GPL-2.0 */
/* What kernel code expects of <linux/types.h> beyond what userspace's has. */
#ifndef _VBT_LINUX_TYPES_H
#define _VBT_LINUX_TYPES_H

#include_next <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;

#define __user

#endif /* _VBT_LINUX_TYPES_H */
