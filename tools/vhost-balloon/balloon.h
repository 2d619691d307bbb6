/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VBALLOONCTL_BALLOON_H
#define VBALLOONCTL_BALLOON_H

#include <stddef.h>
#include <stdint.h>

#include <linux/vhost_balloon.h>

#include "spec.h"

/* An open control file. */
struct balloon {
	int fd;
	uint64_t id;
};

struct balloon_ids {
	uint64_t *id;
	size_t nr;
};

/*
 * Functions that return an exit code have said on standard error what went
 * wrong. The others return 0 or -errno.
 */

/* Opens /dev/vhost-balloon; @dev is the file descriptor. Returns an exit code. */
int balloon_open_device(int *dev);
/* The balloons that the caller may open; free @ids->id. Returns an exit code. */
int balloon_list(int dev, struct balloon_ids *ids);
/* Opens one by its id. Returns 0 or -errno. */
int balloon_open_id(int dev, uint64_t id, struct balloon *b);
/* Opens the one that a user means. Returns an exit code. */
int balloon_open(const struct spec *spec, struct balloon *b);
void balloon_close(struct balloon *b);

int balloon_get_info(const struct balloon *b, struct vhost_balloon_info *info);
int balloon_get_counters(const struct balloon *b, struct vhost_balloon_counters *counters);
/* Sets @regions->regions to an allocated array; free it. */
int balloon_get_regions(const struct balloon *b, struct vhost_balloon_regions *regions);
int balloon_set_target(const struct balloon *b, uint64_t pages);
int balloon_get_tunables(const struct balloon *b, struct vhost_balloon_tunables *tunables);
int balloon_set_tunables(const struct balloon *b, uint64_t mask, uint64_t values);
/* The last sample of the guest's statistics; @array has room for VHOST_BALLOON_STATS_MAX. */
int balloon_get_stats(const struct balloon *b, struct vhost_balloon_stats *stats,
		      struct vhost_balloon_stat *array);
int balloon_refresh_stats(const struct balloon *b, uint32_t timeout_ms);
int balloon_set_stats_interval(const struct balloon *b, uint32_t interval_ms);
int balloon_hint_start(const struct balloon *b, uint32_t *cmd_id);
/* @how: VHOST_BALLOON_HINT_STOP_* */
int balloon_hint_stop(const struct balloon *b, uint32_t how);
/* Gets and clears the bits of so many pages from @gfn on. */
int balloon_hint_fetch(const struct balloon *b, uint64_t gfn, uint32_t nr, uint64_t *bitmap);
/* No @reason: the controllers' is taken back. */
int balloon_set_inhibit(const struct balloon *b, const char *reason);

/*
 * Waits for an event, no longer than @timeout_ms (-1: for ever). Returns 1 with
 * @event filled, 0 if there was none in time, -ENODEV if the balloon is gone.
 */
int balloon_wait_event(const struct balloon *b, int timeout_ms, struct vhost_balloon_event *event);

/* Waits @timeout_ms; returns -ENODEV as soon as the balloon is gone, else 0. */
int balloon_wait_gone(const struct balloon *b, int timeout_ms);

/* Says that @what failed with @error (-errno); returns the exit code for that. */
int balloon_failed(const struct balloon *b, const char *what, int error);
/* The same, where -EOPNOTSUPP means that the driver has not negotiated @feature. */
int balloon_failed_feature(const struct balloon *b, const char *what, const char *feature,
			   int error);

#endif
