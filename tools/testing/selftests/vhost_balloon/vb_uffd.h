/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory behind a userfaultfd: whoever touches a page that is missing waits until the
 * test puts one there.
 *
 * Functions return 0 (or what their comment says) or a negative errno.
 */
#ifndef VB_UFFD_H
#define VB_UFFD_H

#include <linux/types.h>

/* A userfaultfd: a file descriptor. */
int vb_uffd_open(void);
/* Makes a page go missing. */
int vb_uffd_make_missing(int uffd, void *page);
/* The address of the page that somebody waits for, or 0 after a time without any. */
__u64 vb_uffd_next_fault(int uffd);
/* Puts a page there: a copy of @content, or zeroes. */
int vb_uffd_copy(int uffd, __u64 address, const void *content);
int vb_uffd_zero(int uffd, __u64 address);

#endif /* VB_UFFD_H */
