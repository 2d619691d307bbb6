/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The dirty log, and a used ring that lies across pages of it.
 *
 * Functions return 0 (or what their comment says) or a negative errno.
 */
#ifndef VB_LOG_H
#define VB_LOG_H

#include <linux/types.h>
#include <linux/virtio_ring.h>

#include "vb_backend.h"

/*
 * Guest addresses of used rings begin in this page. Its bit is the last one of a page
 * of the log.
 */
#define VB_LOG_PAGE	0x17fffULL
#define VB_LOG_GPA	(VB_LOG_PAGE * VB_PAGE)
#define VB_LOG_BYTES	(8 * VB_PAGE)

/* Pages from VB_LOG_PAGE on that are told apart in a mask; and all others. */
#define VB_LOG_MASK_PAGES	16U
#define VB_LOG_STRAY		(1U << 31)

/* Maps a log, nothing of it present. */
__u64 *vb_log_map(void);
void vb_log_unmap(__u64 *log);
/* Takes all bits off the log, each word by an atomic exchange: their mask. */
__u32 vb_log_take(__u64 *log);

int vb_set_log_base(int fd, const void *log);
int vb_set_log_fd(int fd, int eventfd);
/* Says where the queue's ring is once more: @flags, and where its used ring is for the guest. */
int vb_set_vring_log(struct vb_queue *q, unsigned int flags, __u64 log_gpa);

/*
 * Moves the used ring of a queue that doesn't run to @used, empties the ring with indices
 * at @base, and has it logged at guest address @log_gpa.
 */
int vb_log_place(struct vb_queue *q, void *used, __u16 base, __u64 log_gpa);
/*
 * Waits until the device has nothing left to write: it has asked to be notified of
 * what comes after all that was made available.
 */
int vb_log_wait_idle(struct vb_queue *q);

/* The mask of the pages that a part of a used ring lies on that is logged at @log_gpa. */
__u32 vb_log_of(__u64 log_gpa, size_t offset, size_t len);

static inline __u32 vb_log_of_idx(__u64 log_gpa)
{
	return vb_log_of(log_gpa, offsetof(struct vring_used, idx), sizeof(__u16));
}

static inline __u32 vb_log_of_elem(const struct vb_queue *q, __u64 log_gpa, __u16 idx)
{
	return vb_log_of(log_gpa, offsetof(struct vring_used, ring[idx % q->ring.num]),
			 sizeof(struct vring_used_elem));
}

/* Where the device asks to be notified: avail_event, or the flags. */
static inline __u32 vb_log_of_notify(const struct vb_queue *q, __u64 log_gpa)
{
	size_t offset = offsetof(struct vring_used, flags);

	if (q->ring.event_idx)
		offset = offsetof(struct vring_used, ring[q->ring.num]);
	return vb_log_of(log_gpa, offset, sizeof(__u16));
}

#endif /* VB_LOG_H */
