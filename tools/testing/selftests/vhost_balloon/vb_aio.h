/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Asynchronous I/O that signals an eventfd when it is done: by whoever finds it done.
 *
 * Functions return 0 or a negative errno.
 */
#ifndef VB_AIO_H
#define VB_AIO_H

#include <stddef.h>
#include <linux/aio_abi.h>

struct vb_aio {
	aio_context_t ctx;
	struct iocb iocb;
};

/*
 * Polls a file once: for @events (POLLIN and the like). Found by who wakes up those who poll, or
 * by a thread of the kernel's: that depends on its version.
 */
int vb_aio_poll(struct vb_aio *aio, int file, short events, int eventfd);
/* Reads from the beginning of a file. On a disk it is an interrupt that finds it done. */
int vb_aio_read(struct vb_aio *aio, int file, void *buf, size_t len, int eventfd);
void vb_aio_close(struct vb_aio *aio);

#endif /* VB_AIO_H */
