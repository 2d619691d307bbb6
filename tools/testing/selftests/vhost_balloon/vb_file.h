/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files by which the kernel is told something.
 */
#ifndef VB_FILE_H
#define VB_FILE_H

/* Writes all of @text at once, to a file that is opened with @flags too: 0 or a negative errno. */
int vb_write_file(const char *path, const char *text, int flags);

#endif /* VB_FILE_H */
