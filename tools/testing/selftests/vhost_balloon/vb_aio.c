// SPDX-License-Identifier: GPL-2.0
/*
 * Asynchronous I/O that signals an eventfd when it is done.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>

#include "vb_aio.h"

static int submit(struct vb_aio *aio, int file, int eventfd)
{
	struct iocb *list = &aio->iocb;
	int ret;

	aio->iocb.aio_fildes = file;
	aio->iocb.aio_flags = IOCB_FLAG_RESFD;
	aio->iocb.aio_resfd = eventfd;
	if (syscall(__NR_io_setup, 1, &aio->ctx))
		return -errno;
	ret = syscall(__NR_io_submit, aio->ctx, 1, &list);
	if (ret == 1)
		return 0;
	ret = ret < 0 ? -errno : -EAGAIN;
	vb_aio_close(aio);
	return ret;
}

int vb_aio_poll(struct vb_aio *aio, int file, short events, int eventfd)
{
	memset(aio, 0, sizeof(*aio));
	aio->iocb.aio_lio_opcode = IOCB_CMD_POLL;
	aio->iocb.aio_buf = events;
	return submit(aio, file, eventfd);
}

int vb_aio_read(struct vb_aio *aio, int file, void *buf, size_t len, int eventfd)
{
	memset(aio, 0, sizeof(*aio));
	aio->iocb.aio_lio_opcode = IOCB_CMD_PREAD;
	aio->iocb.aio_buf = (unsigned long)buf;
	aio->iocb.aio_nbytes = len;
	return submit(aio, file, eventfd);
}

void vb_aio_close(struct vb_aio *aio)
{
	if (aio->ctx)
		syscall(__NR_io_destroy, aio->ctx);
	aio->ctx = 0;
}
