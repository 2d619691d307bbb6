/* SPDX-License-Identifier: GPL-2.0 */
/*
 * "User" memory is memory of the test. Every access goes through a hook that can make
 * it fault, see test-uaccess.h.
 */
#ifndef _VBT_LINUX_UACCESS_H
#define _VBT_LINUX_UACCESS_H

#include <linux/types.h>

bool access_ok(const void __user *p, unsigned long n);
unsigned long __copy_from_user_inatomic(void *to, const void __user *from, unsigned long n);
unsigned long __copy_to_user_inatomic(void __user *to, const void *from, unsigned long n);

int vbt_get_user16(u16 *val, const u16 __user *p);
int vbt_put_user16(u16 val, u16 __user *p);

/* Only 16-bit values are in use. */
#define get_user(x, p) ({						\
	_Static_assert(sizeof(*(p)) == sizeof(u16), "16 bits only");	\
	u16 _v = 0;							\
	int _err = vbt_get_user16(&_v, (const u16 __user *)(p));	\
	(x) = (typeof(*(p)))_v;						\
	_err; })
#define put_user(x, p) ({						\
	_Static_assert(sizeof(*(p)) == sizeof(u16), "16 bits only");	\
	vbt_put_user16((u16)(x), (u16 __user *)(p)); })

#endif /* _VBT_LINUX_UACCESS_H */
