// SPDX-License-Identifier: GPL-2.0
/* Accesses to "user" memory, and page faults made on purpose. */
#include <string.h>
#include <linux/errno.h>
#include <linux/types.h>
#include <linux/uaccess.h>
#include <asm/barrier.h>

#include "test-uaccess.h"

struct vbt_uaccess vbt_uaccess;

void vbt_uaccess_reset(void)
{
	memset(&vbt_uaccess, 0, sizeof(vbt_uaccess));
}

void vbt_barrier(char kind)
{
	if (vbt_uaccess.barrier)
		vbt_uaccess.barrier(vbt_uaccess.arg, kind);
}

/* Returns how many of the bytes can be accessed. */
static size_t vbt_access(const void *p, size_t n, bool write)
{
	struct vbt_uaccess *u = &vbt_uaccess;
	const u8 *b = p;
	size_t ok = n;

	u->accesses++;
	if (u->before)
		u->before(u->arg, p, n, write);

	if (u->fail_at && u->accesses == u->fail_at) {
		ok = u->fail_after < n ? u->fail_after : n - 1;
		u->fail_lo = b + ok;
		u->fail_hi = b + ok + 1;
		u->fail_times = u->fail_again;
	} else if (u->fail_times && b < (const u8 *)u->fail_hi && b + n > (const u8 *)u->fail_lo) {
		u->fail_times--;
		ok = b < (const u8 *)u->fail_lo ? (size_t)((const u8 *)u->fail_lo - b) : 0;
	}
	if (ok < n) {
		u->faults++;
		u->fault_at = b + ok;
		u->fault_len = n - ok;
		u->fault_write = write;
	}
	return ok;
}

bool access_ok(const void __user *p, unsigned long n)
{
	struct vbt_uaccess *u = &vbt_uaccess;
	const u8 *b = p;

	if (!u->not_user || b > (const u8 *)u->not_user || b + n <= (const u8 *)u->not_user)
		return true;
	u->faults++;
	u->fault_at = b;
	u->fault_len = n;
	return false;
}

unsigned long __copy_from_user_inatomic(void *to, const void __user *from, unsigned long n)
{
	size_t ok = vbt_access(from, n, false);

	memcpy(to, from, ok);
	return n - ok;
}

unsigned long __copy_to_user_inatomic(void __user *to, const void *from, unsigned long n)
{
	size_t ok = vbt_access(to, n, true);

	memcpy(to, from, ok);
	return n - ok;
}

int vbt_get_user16(u16 *val, const u16 __user *p)
{
	/* A value that can't be read whole can't be read at all. */
	if (!access_ok(p, sizeof(*p)) || vbt_access(p, sizeof(*p), false) < sizeof(*p)) {
		vbt_uaccess.fault_at = p;
		vbt_uaccess.fault_len = sizeof(*p);
		*val = 0;
		return -EFAULT;
	}
	*val = __atomic_load_n(p, __ATOMIC_RELAXED);
	return 0;
}

int vbt_put_user16(u16 val, u16 __user *p)
{
	if (!access_ok(p, sizeof(*p)) || vbt_access(p, sizeof(*p), true) < sizeof(*p)) {
		vbt_uaccess.fault_at = p;
		vbt_uaccess.fault_len = sizeof(*p);
		return -EFAULT;
	}
	__atomic_store_n(p, val, __ATOMIC_RELAXED);
	return 0;
}
