// SPDX-License-Identifier: GPL-2.0
/*
 * A thread that kicks in the middle of a system call, and is held up there.
 */
#include <errno.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "vb_backend.h"
#include "vb_held.h"
#include "vb_uffd.h"

static const __u64 one = 1;

const char *vb_held_missing(void)
{
	struct vb_uring ring;
	int ret = vb_uffd_open();

	if (ret < 0)
		return "no userfaultfd";
	close(ret);
	ret = vb_uring_open(&ring, 0);
	if (ret)
		return "no io_uring";
	vb_uring_close(&ring);
	return NULL;
}

static void *held_run(void *arg)
{
	struct vb_held *h = arg;

	/* In this thread: another one that had to do with it couldn't execute a program meanwhile. */
	if (vb_uring_open(&h->ring, 0))
		return NULL;
	vb_uring_write(&h->ring, h->kick, &one, 0);
	vb_uring_write(&h->ring, h->other, h->page, 0);
	if (h->close >= 0)
		vb_uring_close_fd(&h->ring, h->close);
	vb_uring_submit(&h->ring, 0);
	return NULL;
}

static int open_held(struct vb_held *h)
{
	h->other = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	h->page = mmap(NULL, VB_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (h->other < 0 || h->page == MAP_FAILED)
		return -errno;
	h->uffd = vb_uffd_open();
	if (h->uffd < 0)
		return h->uffd;
	return vb_uffd_make_missing(h->uffd, h->page);
}

int vb_held_start(struct vb_held *h, int kick, int close)
{
	int ret;

	h->kick = kick;
	h->close = close;
	ret = open_held(h);
	if (!ret)
		ret = -pthread_create(&h->thread, NULL, held_run, h);
	if (ret)
		return ret;
	h->started = true;
	return vb_uffd_next_fault(h->uffd) == (unsigned long)h->page ? 0 : -ETIMEDOUT;
}

int vb_held_release(struct vb_held *h)
{
	return vb_uffd_zero(h->uffd, (unsigned long)h->page);
}

int vb_held_join(struct vb_held *h)
{
	int ret;

	if (!h->started)
		return -EINVAL;
	ret = -pthread_join(h->thread, NULL);
	h->started = false;
	if (!ret && (vb_uring_result(&h->ring) != sizeof(one) ||
		     vb_uring_result(&h->ring) != sizeof(one)))
		ret = -EIO;
	if (!ret && h->close >= 0)
		ret = vb_uring_result(&h->ring);
	vb_uring_close(&h->ring);
	close(h->other);
	close(h->uffd);
	munmap(h->page, VB_PAGE);
	return ret;
}
