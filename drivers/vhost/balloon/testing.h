/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Build options that exist so that tests can be seen to fail. Ordinary
 * builds compile all of this to nothing.
 *
 * VB_TEST_DELAY_US: microseconds between looking up a range and discarding it.
 * VB_TEST_NO_SRCU: leave out the section in which memslots can't go away.
 */
#ifndef _VHOST_BALLOON_TESTING_H
#define _VHOST_BALLOON_TESTING_H

#include <linux/delay.h>

static inline void vb_test_delay(void)
{
#ifdef VB_TEST_DELAY_US
	usleep_range(VB_TEST_DELAY_US, VB_TEST_DELAY_US + 1000);
#endif
}

#ifdef VB_TEST_NO_SRCU
#define VB_TEST_SRCU 0
#else
#define VB_TEST_SRCU 1
#endif

#endif /* _VHOST_BALLOON_TESTING_H */
