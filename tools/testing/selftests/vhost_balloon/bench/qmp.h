/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The little of QEMU's monitor protocol that its own balloon needs.
 *
 * Functions return 0 or a negative errno.
 */
#ifndef BENCH_QMP_H
#define BENCH_QMP_H

#include <linux/types.h>

/* Connects to a socket: a file descriptor. */
int qmp_open(const char *path);
/* Asks the guest to make do with so many bytes; doesn't wait for the answer. */
int qmp_balloon(int fd, __u64 bytes);
/* The bytes that the guest has. */
int qmp_query_balloon(int fd, __u64 *bytes);

#endif /* BENCH_QMP_H */
