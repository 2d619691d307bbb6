// SPDX-License-Identifier: GPL-2.0
/*
 * Memory behind a userfaultfd.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#include <linux/userfaultfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "vb_backend.h"
#include "vb_uffd.h"

int vb_uffd_open(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	int fd, ret;

	fd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	ret = vb_ioctl(fd, UFFDIO_API, &api);
	if (ret) {
		close(fd);
		return ret;
	}
	return fd;
}

int vb_uffd_make_missing(int uffd, void *page)
{
	struct uffdio_register registration = {
		.range = { .start = (unsigned long)page, .len = VB_PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int ret;

	ret = vb_ioctl(uffd, UFFDIO_REGISTER, &registration);
	if (ret)
		return ret;
	/* In this order: whoever touches the page from here on waits. */
	return madvise(page, VB_PAGE, MADV_DONTNEED) ? -errno : 0;
}

__u64 vb_uffd_next_fault(int uffd)
{
	struct pollfd pfd = { .fd = uffd, .events = POLLIN };
	struct uffd_msg msg;

	if (poll(&pfd, 1, VB_TIMEOUT_MS) <= 0)
		return 0;
	if (read(uffd, &msg, sizeof(msg)) != sizeof(msg))
		return 0;
	if (msg.event != UFFD_EVENT_PAGEFAULT)
		return 0;
	return msg.arg.pagefault.address & ~(VB_PAGE - 1);
}

int vb_uffd_copy(int uffd, __u64 address, const void *content)
{
	struct uffdio_copy copy = {
		.dst = address,
		.src = (unsigned long)content,
		.len = VB_PAGE,
	};

	return vb_ioctl(uffd, UFFDIO_COPY, &copy);
}

int vb_uffd_zero(int uffd, __u64 address)
{
	struct uffdio_zeropage zero = {
		.range = { .start = address, .len = VB_PAGE },
	};

	return vb_ioctl(uffd, UFFDIO_ZEROPAGE, &zero);
}
