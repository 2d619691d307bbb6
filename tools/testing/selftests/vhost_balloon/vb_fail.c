// SPDX-License-Identifier: GPL-2.0
/*
 * Faults on purpose.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "vb_backend.h"
#include "vb_fail.h"
#include "vb_file.h"

#define KNOBS	"/sys/kernel/debug/"
/* -1, which not every kernel lets be written so. */
#define WITHOUT_END	"4294967295"
/* After each of these twice as many are left out. */
#define STEP_MS	15000
#define MAX_STEP_SHIFT	10

const char *vb_fail_missing(void)
{
	/*
	 * Allocations that may sleep are most of them. What fails is not to be reported. Those that
	 * are neither the nth nor of the rest don't fail.
	 */
	static const char *const knobs[][2] = {
		{ KNOBS "failslab/ignore-gfp-wait", "N" },
		{ KNOBS "failslab/verbose", "0" },
		{ KNOBS "failslab/task-filter", "Y" },
		{ KNOBS "failslab/times", WITHOUT_END },
		{ KNOBS "failslab/probability", "100" },
		{ KNOBS "fail_page_alloc/ignore-gfp-wait", "N" },
		{ KNOBS "fail_page_alloc/ignore-gfp-highmem", "N" },
		{ KNOBS "fail_page_alloc/min-order", "0" },
		{ KNOBS "fail_page_alloc/verbose", "0" },
		{ KNOBS "fail_page_alloc/task-filter", "Y" },
		{ KNOBS "fail_page_alloc/times", WITHOUT_END },
		{ KNOBS "fail_page_alloc/probability", "100" },
		{ KNOBS "fail_usercopy/verbose", "0" },
		{ NULL, NULL },
	};
	unsigned int i;

	for (i = 0; knobs[i][0]; i++)
		if (vb_write_file(knobs[i][0], knobs[i][1], 0))
			return "no failslab, fail_page_alloc, fail_usercopy";
	return access("/proc/thread-self/fail-nth", W_OK) ? "no fault injection: no fail-nth" : NULL;
}

static int open_of(pid_t tid, const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/%s", tid, name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* In vain once, so that what is touched first when there may be no memory isn't new. */
static int warm_up(int fd)
{
	int ret = vb_fail_arm(fd, 0);

	if (!ret)
		ret = vb_fail_disarm(fd);
	return ret < 0 ? ret : 0;
}

int vb_fail_open(pid_t tid)
{
	int fd = open_of(tid, "fail-nth");
	int ret = fd < 0 ? fd : warm_up(fd);

	if (!ret)
		return fd;
	if (fd >= 0)
		close(fd);
	return ret;
}

int vb_fail_open_rest(pid_t tid)
{
	return open_of(tid, "make-it-fail");
}

int vb_fail_rest(int fd, bool fails)
{
	return pwrite(fd, fails ? "1" : "0", 1, 0) == 1 ? 0 : -errno;
}

int vb_fail_arm(int fd, unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	return pwrite(fd, text, len, 0) == len ? 0 : -errno;
}

/*
 * What is read is how many are left to the one that fails. To read it, and to take it back, are
 * copies themselves: if one of these fails it was this that had been armed.
 */
int vb_fail_disarm(int fd)
{
	char text[16] = "";
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);
	int left = len < 0 ? 1 : atoi(text);

	if (len < 0 && errno != EFAULT)
		return -errno;
	if (pwrite(fd, "0", 1, 0) != 1 && errno != EFAULT)
		return -errno;
	return !left;
}

unsigned int vb_fail_next(unsigned int nth, __u64 start)
{
	__u64 shift = (vb_now_ms() - start) / STEP_MS;

	return nth + (1U << (shift < MAX_STEP_SHIFT ? shift : MAX_STEP_SHIFT));
}
