// SPDX-License-Identifier: GPL-2.0
/*
 * One balloon: its control file and the ioctls on it.
 */
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
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

int balloon_failed(const struct balloon *b, const char *what, int error)
{
	if (error == -ENODEV) {
		warnx("balloon %" PRIu64 " is gone", b->id);
		return EXIT_GONE;
	}
	warnx("balloon %" PRIu64 ": %s: %s", b->id, what, strerror(-error));
	return EXIT_FAILURE;
}
