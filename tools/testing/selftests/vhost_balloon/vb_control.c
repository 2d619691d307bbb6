// SPDX-License-Identifier: GPL-2.0
/*
 * What a controller does with a balloon.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "vb_backend.h"
#include "vb_control.h"

int vb_get_stats(int fd, struct vhost_balloon_stats *stats, struct vhost_balloon_stat *entries,
		 unsigned int nr)
{
	memset(stats, 0, sizeof(*stats));
	stats->size = sizeof(*stats);
	stats->stats = (unsigned long)entries;
	stats->nr = nr;
	return vb_ioctl(fd, VHOST_BALLOON_GET_STATS, stats);
}

int vb_wait_stats(int fd, __u64 sequence)
{
	__u64 end = vb_now_ms() + VB_TIMEOUT_MS;
	struct vhost_balloon_stats stats;
	int ret;

	for (;;) {
		ret = vb_get_stats(fd, &stats, NULL, 0);
		if (ret || stats.sequence >= sequence)
			return ret;
		if (vb_now_ms() > end)
			return -ETIMEDOUT;
		sched_yield();
	}
}

int vb_set_stats_interval(int fd, __u32 interval)
{
	struct vhost_balloon_stats_interval arg = { .size = sizeof(arg), .interval = interval };

	return vb_ioctl(fd, VHOST_BALLOON_SET_STATS_INTERVAL, &arg);
}

int vb_refresh_stats(int fd, __u32 timeout)
{
	struct vhost_balloon_refresh arg = { .size = sizeof(arg), .timeout = timeout };

	return vb_ioctl(fd, VHOST_BALLOON_REFRESH_STATS, &arg);
}

int vb_hint_start(int fd, __u32 *cmd_id)
{
	struct vhost_balloon_hint_start arg = { .size = sizeof(arg) };
	int ret = vb_ioctl(fd, VHOST_BALLOON_HINT_START, &arg);

	*cmd_id = arg.cmd_id;
	return ret;
}

int vb_hint_stop(int fd, __u32 how)
{
	struct vhost_balloon_hint_stop arg = { .size = sizeof(arg), .how = how };

	return vb_ioctl(fd, VHOST_BALLOON_HINT_STOP, &arg);
}

int vb_hint_fetch(int fd, __u64 gfn, unsigned int nr, __u64 *bitmap)
{
	struct vhost_balloon_hint_fetch arg = {
		.size = sizeof(arg), .gfn = gfn, .nr = nr, .bitmap = (unsigned long)bitmap,
	};
	int ret = vb_ioctl(fd, VHOST_BALLOON_HINT_FETCH, &arg);

	return ret < 0 ? ret : (int)arg.set;
}

int vb_wait_hint_state(int fd, enum vhost_balloon_hint_state state)
{
	__u64 end = vb_now_ms() + VB_TIMEOUT_MS;
	struct vhost_balloon_info info;
	int ret;

	for (;;) {
		ret = vb_get_info(fd, &info);
		if (ret || info.hint_state == state)
			return ret;
		if (vb_now_ms() > end)
			return -ETIMEDOUT;
		sched_yield();
	}
}

int vb_set_inhibit(int fd, bool inhibit, const char *reason)
{
	struct vhost_balloon_inhibit arg = { .size = sizeof(arg), .inhibit = inhibit };
	size_t len = strlen(reason);

	memcpy(arg.reason, reason, len < sizeof(arg.reason) ? len : sizeof(arg.reason));
	return vb_ioctl(fd, VHOST_BALLOON_SET_INHIBIT, &arg);
}

static const char *unanswered_questions(int control, __u64 target)
{
	struct vhost_balloon_counters counters;
	struct vhost_balloon_stats stats;
	struct vhost_balloon_info info;
	__u64 ids[1], mask, values;

	if (vb_get_info(control, &info) || info.target != target)
		return "info";
	if (vb_get_counters(control, &counters))
		return "counters";
	if (vb_get_regions(control, NULL, 0, NULL) < 0)
		return "regions";
	if (vb_get_tunables(control, &mask, &values))
		return "get tunables";
	if (vb_get_stats(control, &stats, NULL, 0))
		return "stats";
	if (vb_poll_now(control) < 0)
		return "poll";
	control = vb_open();
	if (vb_list_ids(control, ids, 1) < 1)
		return "list";
	close(control);
	return NULL;
}

const char *vb_unanswered(int control, __u64 target)
{
	__u64 word;
	__u32 id;
	int ret;

	if (vb_set_target(control, target))
		return "target";
	if (vb_set_tunables(control, VHOST_BALLOON_TUNE_HUGETLB, VHOST_BALLOON_TUNE_HUGETLB) ||
	    vb_set_tunables(control, VHOST_BALLOON_TUNE_HUGETLB, 0))
		return "tunables";
	if (vb_set_inhibit(control, true, "a controller") || vb_set_inhibit(control, false, ""))
		return "inhibit";
	ret = vb_hint_start(control, &id);
	if (ret && ret != -EOPNOTSUPP)
		return "hint start";
	if (vb_hint_fetch(control, 0, 64, &word) < 0)
		return "hint fetch";
	if (vb_hint_stop(control, VHOST_BALLOON_HINT_STOP_DONE))
		return "hint stop";
	return unanswered_questions(control, target);
}

int vb_poll_now(int control)
{
	struct pollfd pfd = { .fd = control, .events = POLLIN };

	return poll(&pfd, 1, 0) < 0 ? -errno : pfd.revents;
}

int vb_read_events(int control, struct vhost_balloon_event *event)
{
	ssize_t n;

	memset(event, 0xff, sizeof(*event));
	n = read(control, event, sizeof(*event));
	if (n < 0)
		return -errno;
	if (n != sizeof(*event) || event->size != sizeof(*event))
		return n ? -EPROTO : -ENODATA;
	return event->events;
}

int vb_wait_events(int control, __u32 events)
{
	__u64 end = vb_now_ms() + VB_TIMEOUT_MS;
	struct vhost_balloon_event event;
	__u32 seen = 0;
	int ret;

	while ((seen & events) != events) {
		ret = vb_read_events(control, &event);
		if (ret > 0)
			seen |= ret;
		else if (ret != -EAGAIN)
			return ret;
		if (vb_now_ms() > end)
			return -ETIMEDOUT;
		sched_yield();
	}
	return 0;
}
