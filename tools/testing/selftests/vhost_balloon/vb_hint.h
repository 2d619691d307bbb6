/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A machine whose guest hints which of its pages are free.
 *
 * Functions return 0 (or what their comment says) or a negative errno.
 */
#ifndef VB_HINT_H
#define VB_HINT_H

#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>

#include "vb_control.h"
#include "vb_driver.h"
#include "vb_memory.h"

#define VB_HINT_FEATURES	(VB_FEATURE(VIRTIO_F_VERSION_1) | \
				 VB_FEATURE(VIRTIO_RING_F_INDIRECT_DESC) | \
				 VB_FEATURE(VIRTIO_BALLOON_F_FREE_PAGE_HINT))
#define VB_HINT_INDEX		2
#define VB_HINT_NUM		64

/* Memory to hint at; its first page number is a multiple of 64. */
#define VB_HINT_GPA		0x10000000ULL
#define VB_HINT_GFN		(VB_HINT_GPA / VB_PAGE)
#define VB_HINT_PAGES		256U
#define VB_HINT_SEED		11
#define VB_HINT_FIRST_ID	0x80000000U

/**
 * struct vb_hinting - the machine
 * @m: with the queue
 * @q: the queue for hints
 * @ram: memory to hint at, filled
 */
struct vb_hinting {
	struct vb_machine m;
	struct vb_queue *q;
	struct vb_memory ram;
};

/* The machine, running. */
int vb_hinting_open(struct vb_hinting *h, bool kvm);
void vb_hinting_close(struct vb_hinting *h);

/* The guest sends a command id; or hints at @nr pages from page @first of @ram on, in one piece. */
int vb_hint_command(struct vb_hinting *h, __u32 cmd_id);
int vb_hint_pages(struct vb_hinting *h, unsigned int first, unsigned int nr);
/* Hinting is started, and the guest has begun. */
int vb_hint_begin(struct vb_hinting *h);

/*
 * Fetches the bits of all of @ram. Returns for how many pages it isn't so that the bits
 * of @nr pages from page @first on are set, and no other.
 */
int vb_hint_wrong(struct vb_hinting *h, unsigned int first, unsigned int nr);
__u64 vb_hint_counter(struct vb_hinting *h, enum vhost_balloon_counter counter);

static inline bool vb_bit(const __u64 *bitmap, unsigned int bit)
{
	return bitmap[bit / 64] >> bit % 64 & 1;
}

#endif /* VB_HINT_H */
