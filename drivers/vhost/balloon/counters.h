/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What happened, by number. No lock: each counter stands for itself.
 */
#ifndef _VHOST_BALLOON_COUNTERS_H
#define _VHOST_BALLOON_COUNTERS_H

#include <linux/atomic.h>
#include <uapi/linux/vhost_balloon.h>

/**
 * struct vb_counters - the counters of one balloon
 * @value: by enum vhost_balloon_counter
 */
struct vb_counters {
	atomic64_t value[VHOST_BALLOON_NR_COUNTERS];
};

/**
 * vb_count - add to a counter
 * @c: the counters
 * @which: which one
 * @n: how much; pages are 4 KiB
 *
 * Any context.
 */
static inline void vb_count(struct vb_counters *c, enum vhost_balloon_counter which, u64 n)
{
	atomic64_add(n, &c->value[which]);
}

#endif /* _VHOST_BALLOON_COUNTERS_H */
