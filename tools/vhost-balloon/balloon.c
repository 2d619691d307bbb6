// SPDX-License-Identifier: GPL-2.0
/*
 * One balloon: its control file and the ioctls on it.
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "balloon.h"
#include "vballoonctl.h"

/* Slots may be added between the question for how many and the one for which. */
#define SPARE_REGIONS	16

/* Room for what a newer kernel's events may hold more than ours. */
#define EVENT_ROOM	256

static int control(const struct balloon *b, unsigned long request, void *arg)
{
	return ioctl(b->fd, request, arg) < 0 ? -errno : 0;
}

void balloon_close(struct balloon *b)
{
	close(b->fd);
	b->fd = -1;
}

int balloon_get_info(const struct balloon *b, struct vhost_balloon_info *info)
{
	int error;

	*info = (struct vhost_balloon_info){ .size = sizeof(*info) };
	error = control(b, VHOST_BALLOON_GET_INFO, info);
	if (info->nr_queues > VHOST_BALLOON_NR_ROLES)
		info->nr_queues = VHOST_BALLOON_NR_ROLES;
	return error;
}

int balloon_get_counters(const struct balloon *b, struct vhost_balloon_counters *counters)
{
	*counters = (struct vhost_balloon_counters){ .size = sizeof(*counters) };
	return control(b, VHOST_BALLOON_GET_COUNTERS, counters);
}

int balloon_get_regions(const struct balloon *b, struct vhost_balloon_regions *regions)
{
	struct vhost_balloon_region *array = NULL;
	uint32_t room = SPARE_REGIONS;
	int error;

	for (;;) {
		array = reallocarray(array, room, sizeof(*array));
		if (!array)
			return -ENOMEM;
		*regions = (struct vhost_balloon_regions){
			.size = sizeof(*regions),
			.regions = (uintptr_t)array,
			.nr = room,
		};
		error = control(b, VHOST_BALLOON_GET_REGIONS, regions);
		if (error) {
			free(array);
			return error;
		}
		if (regions->total <= room || room >= VHOST_BALLOON_REGIONS_MAX)
			return 0;
		room = regions->total + SPARE_REGIONS;
		if (room > VHOST_BALLOON_REGIONS_MAX)
			room = VHOST_BALLOON_REGIONS_MAX;
	}
}

int balloon_set_target(const struct balloon *b, uint64_t pages)
{
	struct vhost_balloon_target target = { .size = sizeof(target), .target = pages };

	return control(b, VHOST_BALLOON_SET_TARGET, &target);
}

int balloon_get_tunables(const struct balloon *b, struct vhost_balloon_tunables *tunables)
{
	*tunables = (struct vhost_balloon_tunables){ .size = sizeof(*tunables) };
	return control(b, VHOST_BALLOON_GET_TUNABLES, tunables);
}

int balloon_set_tunables(const struct balloon *b, uint64_t mask, uint64_t values)
{
	struct vhost_balloon_tunables tunables = {
		.size = sizeof(tunables),
		.mask = mask,
		.values = values,
	};

	return control(b, VHOST_BALLOON_SET_TUNABLES, &tunables);
}

int balloon_get_stats(const struct balloon *b, struct vhost_balloon_stats *stats,
		      struct vhost_balloon_stat *array)
{
	*stats = (struct vhost_balloon_stats){
		.size = sizeof(*stats),
		.stats = (uintptr_t)array,
		.nr = VHOST_BALLOON_STATS_MAX,
	};
	return control(b, VHOST_BALLOON_GET_STATS, stats);
}

int balloon_refresh_stats(const struct balloon *b, uint32_t timeout_ms)
{
	struct vhost_balloon_refresh refresh = { .size = sizeof(refresh), .timeout = timeout_ms };

	return control(b, VHOST_BALLOON_REFRESH_STATS, &refresh);
}

int balloon_set_stats_interval(const struct balloon *b, uint32_t interval_ms)
{
	struct vhost_balloon_stats_interval interval = {
		.size = sizeof(interval),
		.interval = interval_ms,
	};

	return control(b, VHOST_BALLOON_SET_STATS_INTERVAL, &interval);
}

int balloon_hint_start(const struct balloon *b, uint32_t *cmd_id)
{
	struct vhost_balloon_hint_start start = { .size = sizeof(start) };
	int error = control(b, VHOST_BALLOON_HINT_START, &start);

	*cmd_id = start.cmd_id;
	return error;
}

int balloon_hint_stop(const struct balloon *b, uint32_t how)
{
	struct vhost_balloon_hint_stop stop = { .size = sizeof(stop), .how = how };

	return control(b, VHOST_BALLOON_HINT_STOP, &stop);
}

int balloon_hint_fetch(const struct balloon *b, uint64_t gfn, uint32_t nr, uint64_t *bitmap)
{
	struct vhost_balloon_hint_fetch fetch = {
		.size = sizeof(fetch),
		.gfn = gfn,
		.bitmap = (uintptr_t)bitmap,
		.nr = nr,
	};

	return control(b, VHOST_BALLOON_HINT_FETCH, &fetch);
}

int balloon_set_inhibit(const struct balloon *b, const char *reason)
{
	struct vhost_balloon_inhibit inhibit = { .size = sizeof(inhibit), .inhibit = !!reason };

	if (reason)
		snprintf((char *)inhibit.reason, sizeof(inhibit.reason), "%s", reason);
	return control(b, VHOST_BALLOON_SET_INHIBIT, &inhibit);
}

int balloon_wait_event(const struct balloon *b, int timeout_ms, struct vhost_balloon_event *event)
{
	struct pollfd pollfd = { .fd = b->fd, .events = POLLIN };
	union {
		struct vhost_balloon_event event;
		char room[EVENT_ROOM];
	} buf;
	ssize_t len;
	int ready;

	ready = poll(&pollfd, 1, timeout_ms);
	if (ready < 0)
		return errno == EINTR ? 0 : -errno;
	if (!ready)
		return 0;
	len = read(b->fd, &buf, sizeof(buf));
	if (len < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	if (!len)
		return -ENODEV;
	if ((size_t)len < sizeof(buf.event))
		return -EPROTO;
	*event = buf.event;
	return 1;
}

int balloon_wait_gone(const struct balloon *b, int timeout_ms)
{
	/* Without events to ask for, only POLLHUP ends it. */
	struct pollfd pollfd = { .fd = b->fd };

	return poll(&pollfd, 1, timeout_ms) > 0 ? -ENODEV : 0;
}

int balloon_failed(const struct balloon *b, const char *what, int error)
{
	if (error == -ENODEV) {
		warnx("balloon %" PRIu64 " is gone", b->id);
		return EXIT_GONE;
	}
	warnx("balloon %" PRIu64 ": %s: %s", b->id, what, strerror(-error));
	return EXIT_FAILURE;
}

int balloon_failed_feature(const struct balloon *b, const char *what, const char *feature,
			   int error)
{
	struct vhost_balloon_info info;

	if (error != -EOPNOTSUPP)
		return balloon_failed(b, what, error);
	/* A VMM may reset the device to stop it, which takes the features away. */
	if (!balloon_get_info(b, &info) && !(info.flags & VHOST_BALLOON_INFO_RUNNING))
		warnx("balloon %" PRIu64 ": %s: its queues are not running", b->id, what);
	else
		warnx("balloon %" PRIu64 ": %s: the guest's driver has not negotiated %s", b->id,
		      what, feature);
	return EXIT_FAILURE;
}
