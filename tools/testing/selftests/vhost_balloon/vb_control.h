/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a controller does with a balloon, by a control file or a backend file:
 * statistics, free page hinting, inhibition, events.
 *
 * Functions return 0 (or what their comment says) or a negative errno.
 */
#ifndef VB_CONTROL_H
#define VB_CONTROL_H

#include <stdbool.h>
#include <linux/types.h>
#include <linux/vhost_balloon.h>

/* The last sample: up to @nr entries into @entries, all else into @stats. */
int vb_get_stats(int fd, struct vhost_balloon_stats *stats, struct vhost_balloon_stat *entries,
		 unsigned int nr);
/* Waits until there have been @sequence samples: 0 or -ETIMEDOUT. */
int vb_wait_stats(int fd, __u64 sequence);
int vb_set_stats_interval(int fd, __u32 interval);
int vb_refresh_stats(int fd, __u32 timeout);

int vb_hint_start(int fd, __u32 *cmd_id);
/* how: VHOST_BALLOON_HINT_STOP_* */
int vb_hint_stop(int fd, __u32 how);
/* The number of bits that are set. */
int vb_hint_fetch(int fd, __u64 gfn, unsigned int nr, __u64 *bitmap);
/* Waits until hinting has come to a state: 0 or -ETIMEDOUT. */
int vb_wait_hint_state(int fd, enum vhost_balloon_hint_state state);

int vb_set_inhibit(int fd, bool inhibit, const char *reason);

/*
 * Asks for everything that a controller may ask for, sets the target, and leaves nothing switched
 * on or inhibited. Returns the name of the first call that went wrong, or NULL.
 */
const char *vb_unanswered(int control, __u64 target);

/* The events that poll() says now. */
int vb_poll_now(int control);
/*
 * All events of an O_NONBLOCK control file since the last time; -EAGAIN if there are
 * none, -ENODATA if there will be no more.
 */
int vb_read_events(int control, struct vhost_balloon_event *event);
/* Waits until all of @events have come, among others: 0 or -ETIMEDOUT. */
int vb_wait_events(int control, __u32 events);

#endif /* VB_CONTROL_H */
