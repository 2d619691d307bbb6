/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Accesses to "user" memory, and page faults made on purpose.
 *
 * An access is one call of get_user(), put_user() or one of the copy functions.
 */
#ifndef _TEST_UACCESS_H
#define _TEST_UACCESS_H

#include <linux/types.h>

/**
 * struct vbt_uaccess - what happens on accesses, and what has happened
 * @accesses: how many there were
 * @fail_at: the access that makes @accesses this number faults; 0 for none
 * @fail_after: bytes that a copy gets done before that fault
 * @fail_again: the byte where it faulted faults this many times more
 * @fail_lo: accesses to bytes from here ...
 * @fail_hi: ... up to, but not including, here fault ...
 * @fail_times: ... this many times
 * @not_user: accesses to this byte are refused by access_ok()
 * @before: called before each access if set, e.g. to play the hostile driver that
 *	writes to the ring while it is being read
 * @barrier: called for each barrier if set: 'm' for a full one, 'r', 'w'
 * @arg: first argument of @before and @barrier
 * @faults: how many accesses have faulted
 * @fault_at: where the last of them did
 * @fault_len: how many bytes it still wanted there
 * @fault_write: it was a write
 */
struct vbt_uaccess {
	unsigned long accesses;
	unsigned long fail_at;
	size_t fail_after;
	unsigned int fail_again;
	const void *fail_lo;
	const void *fail_hi;
	unsigned int fail_times;
	const void *not_user;
	void (*before)(void *arg, const void *p, size_t n, bool write);
	void (*barrier)(void *arg, char kind);
	void *arg;
	unsigned long faults;
	const void *fault_at;
	size_t fault_len;
	bool fault_write;
};

extern struct vbt_uaccess vbt_uaccess;

void vbt_uaccess_reset(void);

#endif /* _TEST_UACCESS_H */
