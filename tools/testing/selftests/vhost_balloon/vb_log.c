// SPDX-License-Identifier: GPL-2.0
/*
 * The dirty log.
 */
#include <endian.h>
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>

#include "vb_log.h"

#define WORD_BITS	64U

__u64 *vb_log_map(void)
{
	void *log = mmap(NULL, VB_LOG_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);

	return log == MAP_FAILED ? NULL : log;
}

void vb_log_unmap(__u64 *log)
{
	if (log)
		munmap(log, VB_LOG_BYTES);
}

static __u32 mask_of_page(__u64 page)
{
	if (page < VB_LOG_PAGE || page >= VB_LOG_PAGE + VB_LOG_MASK_PAGES)
		return VB_LOG_STRAY;
	return 1U << (page - VB_LOG_PAGE);
}

__u32 vb_log_take(__u64 *log)
{
	unsigned int i, bit;
	__u32 mask = 0;
	__u64 word;

	for (i = 0; i < VB_LOG_BYTES / sizeof(*log); i++) {
		word = __atomic_exchange_n(&log[i], 0, __ATOMIC_SEQ_CST);
		for (bit = 0; word >> bit; bit++) {
			if (word >> bit & 1)
				mask |= mask_of_page(i * WORD_BITS + bit);
			if (bit == WORD_BITS - 1)
				break;
		}
	}
	return mask;
}

int vb_set_log_base(int fd, const void *log)
{
	__u64 base = (unsigned long)log;

	return vb_ioctl(fd, VHOST_SET_LOG_BASE, &base);
}

int vb_set_log_fd(int fd, int eventfd)
{
	return vb_ioctl(fd, VHOST_SET_LOG_FD, &eventfd);
}

int vb_set_vring_log(struct vb_queue *q, unsigned int flags, __u64 log_gpa)
{
	struct vhost_vring_addr addr = {
		.index = q->index,
		.flags = flags,
		.desc_user_addr = (unsigned long)q->ring.desc,
		.avail_user_addr = (unsigned long)q->ring.avail,
		.used_user_addr = (unsigned long)q->ring.used,
		.log_guest_addr = log_gpa,
	};

	return vb_ioctl(q->backend, VHOST_SET_VRING_ADDR, &addr);
}

int vb_log_place(struct vb_queue *q, void *used, __u16 base, __u64 log_gpa)
{
	int ret = vb_queue_reset(q, base);

	if (ret)
		return ret;
	q->ring.used = used;
	memset(used, 0, offsetof(struct vring_used, ring[q->ring.num]) + sizeof(__u16));
	q->ring.used->idx = htole16(base);
	return vb_set_vring_log(q, 1U << VHOST_VRING_F_LOG, log_gpa);
}

static bool is_idle(const struct vb_ring *ring)
{
	if (ring->event_idx)
		return vb_ring_avail_event(ring) == ring->avail_idx;
	return !vb_ring_no_notify(ring);
}

int vb_log_wait_idle(struct vb_queue *q)
{
	__u64 end = vb_now_ms() + VB_TIMEOUT_MS;

	while (!is_idle(&q->ring)) {
		if (vb_now_ms() > end)
			return -ETIMEDOUT;
		sched_yield();
	}
	return 0;
}

__u32 vb_log_of(__u64 log_gpa, size_t offset, size_t len)
{
	__u64 page = (log_gpa + offset) / VB_PAGE;
	__u64 last = (log_gpa + offset + len - 1) / VB_PAGE;
	__u32 mask = 0;

	for (; page <= last; page++)
		mask |= mask_of_page(page);
	return mask;
}
