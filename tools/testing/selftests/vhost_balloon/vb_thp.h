/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A machine with memory of transparent huge pages, whose guest gives them away part by part.
 *
 * A part that is kept in mind is given back when it was idle for long enough, and a test may be
 * held up for any time. So what has to be seen before that happens is looked at within
 * VB_THP_GRACE_MS of the requests, or else it's tried again with fresh memory. See
 * vb_thp_test.h, too.
 *
 * Functions return 0 (or what their comment says) or a negative errno.
 */
#ifndef VB_THP_H
#define VB_THP_H

#include <stdbool.h>
#include <linux/types.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>

#include "vb_backing.h"
#include "vb_memory.h"

#define VB_THP_FEATURES	(VB_FEATURE(VIRTIO_F_VERSION_1) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_MUST_TELL_HOST))
#define VB_THP_GPA	0x10000000ULL
#define VB_THP_NUM	16
#define VB_THP_SEED	0x7470U

/** VB_THP_GRACE_MS - for so long nothing is taken for idle; the kernel says a quarter of a second */
#define VB_THP_GRACE_MS	200
/** VB_THP_LONG_MS - after this nothing has to be expected any more that hasn't happened */
#define VB_THP_LONG_MS	1200

/**
 * struct vb_thp - the machine
 * @m: running
 * @ram: its memory, filled, whole huge pages
 * @pages: of @ram
 * @gone: pages that are expected to be gone: see vb_thp_wrong()
 * @before: counters at the beginning of the attempt
 * @since: no part has been idle for longer, milliseconds of vb_now_ms(); 0 without any
 * @last: before the last request
 * @late: it took too long to say anything
 * @attempts: how many there were
 * @error: what kept an attempt from beginning: a negative errno
 * @why: why there is no such memory, or why no attempt was quick enough
 */
struct vb_thp {
	struct vb_machine m;
	struct vb_memory ram;
	unsigned int pages;
	bool *gone;
	struct vhost_balloon_counters before;
	__u64 since;
	__u64 last;
	bool late;
	unsigned int attempts;
	int error;
	const char *why;
};

/* Maps @huge huge pages for use at @gpa, and fills them; sets @why where they can't be huge. */
int vb_thp_map(struct vb_memory *memory, __u64 gpa, unsigned int huge, const char **why);
/* The same once more, for memory of which something may be gone or split. */
int vb_thp_refill(struct vb_memory *memory, const char **why);
/* How many huge pages of the memory are mapped as such. */
int vb_thp_count(const struct vb_memory *memory);

/* A machine with @huge huge pages, not running. @by_worker: no queue is served by who kicks. */
int vb_thp_open(struct vb_thp *t, bool kvm, bool by_worker, __u64 features, unsigned int huge);
/* Tells it of its memory, and starts it. */
int vb_thp_start(struct vb_thp *t);
void vb_thp_close(struct vb_thp *t);

/*
 * Whether there has to be an attempt, or another one. All memory is there then, filled and huge, and
 * nothing of it is in the balloon. False, too, if something went wrong: then there is @why or @error.
 */
bool vb_thp_again(struct vb_thp *t);
/* Whether it was so quick that no part can have become idle. If not it's tried again. */
bool vb_thp_in_time(struct vb_thp *t);
/* The last request was about all that is kept: none of it is idle. */
void vb_thp_renew(struct vb_thp *t);

/* The guest gives @nr pages from page @page of the memory on, or takes them back, in one request. */
int vb_thp_inflate(struct vb_thp *t, unsigned int page, unsigned int nr);
int vb_thp_deflate(struct vb_thp *t, unsigned int page, unsigned int nr);
/* All of it: nothing is kept any more, and what is there stays. */
int vb_thp_deflate_all(struct vb_thp *t);

/* How far a counter has come in this attempt; and waits until it has. */
__u64 vb_thp_risen(struct vb_thp *t, enum vhost_balloon_counter counter);
int vb_thp_wait(struct vb_thp *t, enum vhost_balloon_counter counter, __u64 value);

/* From now on these are expected to be gone, until the next attempt. */
void vb_thp_expect_gone(struct vb_thp *t, unsigned int page, unsigned int nr);
/*
 * Pages that aren't what is expected: not there, or there and as they were filled. Doesn't
 * touch those that are to be gone, which would bring them back.
 */
int vb_thp_wrong(struct vb_thp *t);
/* Of those that are to be gone, how many aren't zero when they are touched. */
unsigned int vb_thp_not_zero(struct vb_thp *t);

#endif /* VB_THP_H */
