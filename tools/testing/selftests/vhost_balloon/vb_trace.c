// SPDX-License-Identifier: GPL-2.0
/*
 * The vhost_balloon_region tracepoint.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vb_trace.h"

#define TRACEFS	"/sys/kernel/tracing"
#define EVENT	"vhost_balloon_region"

static int write_file(struct vb_trace *trace, const char *name, const char *text, int flags)
{
	char path[256];
	int ret = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", trace->dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC | flags);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

int vb_trace_open(struct vb_trace *trace)
{
	int ret;

	snprintf(trace->dir, sizeof(trace->dir), TRACEFS "/instances/vhost-balloon-%d", getpid());
	if (mkdir(trace->dir, 0700))
		return -errno;
	ret = write_file(trace, "events/vhost_balloon/" EVENT "/enable", "1", 0);
	if (ret)
		vb_trace_close(trace);
	return ret;
}

void vb_trace_close(struct vb_trace *trace)
{
	if (!trace->dir[0])
		return;
	rmdir(trace->dir);
	trace->dir[0] = 0;
}

int vb_trace_clear(struct vb_trace *trace)
{
	return write_file(trace, "trace", "", O_TRUNC);
}

static int parse_event(const char *line, __u64 id, struct vb_region_event *event)
{
	const char *text = strstr(line, EVENT ": ");
	unsigned long long seen, gfn, nr, hva;
	unsigned int flags;

	if (line[0] == '#' || !text)
		return 0;
	if (sscanf(text + strlen(EVENT ": "), "id=%llu op=%15s gfn=0x%llx nr=%llu hva=0x%llx flags=0x%x",
		   &seen, event->op, &gfn, &nr, &hva, &flags) != 6)
		return -EBADMSG;
	event->gfn = gfn;
	event->nr = nr;
	event->hva = hva;
	event->flags = flags;
	return seen == id;
}

int vb_trace_events(struct vb_trace *trace, __u64 id, struct vb_region_event *events,
		    unsigned int max)
{
	struct vb_region_event event;
	unsigned int nr = 0;
	char path[256];
	char line[512];
	int ret = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/trace", trace->dir);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (ret >= 0 && fgets(line, sizeof(line), file)) {
		ret = parse_event(line, id, &event);
		if (ret <= 0)
			continue;
		if (nr < max)
			events[nr] = event;
		nr++;
	}
	fclose(file);
	return ret < 0 ? ret : (int)nr;
}
