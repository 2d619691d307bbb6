/* SPDX-License-Identifier: GPL-2.0 */
/*
 * io_uring, as far as it kicks: requests that are made by the thread that submits them, by a
 * thread of io_uring's, or by the one that polls the submission queue.
 *
 * Functions return 0 (or what their comment says) or a negative errno.
 */
#ifndef VB_URING_H
#define VB_URING_H

#include <stddef.h>
#include <linux/io_uring.h>
#include <linux/types.h>

/** VB_URING_NUM - entries of the rings */
#define VB_URING_NUM	8

struct vb_uring {
	int fd;
	unsigned int flags;
	unsigned int pending;
	void *rings;
	size_t rings_len;
	struct io_uring_sqe *sqes;
	struct io_sqring_offsets sq;
	struct io_cqring_offsets cq;
};

/* @flags: IORING_SETUP_*. -EPERM or -ENOSYS where there is no io_uring. */
int vb_uring_open(struct vb_uring *r, unsigned int flags);
void vb_uring_close(struct vb_uring *r);

/* Adds a request to write to an eventfd, or to close a file. @flags: IOSQE_*. */
void vb_uring_write(struct vb_uring *r, int eventfd, const __u64 *value, unsigned int flags);
void vb_uring_close_fd(struct vb_uring *r, int fd);
/* Submits what was added in one system call, and waits there until @wait requests are done. */
int vb_uring_submit(struct vb_uring *r, unsigned int wait);
/* The result of the next request that is done; -EAGAIN if there is none. */
int vb_uring_result(struct vb_uring *r);
/* The same, but waits for it. */
int vb_uring_wait(struct vb_uring *r);

#endif /* VB_URING_H */
