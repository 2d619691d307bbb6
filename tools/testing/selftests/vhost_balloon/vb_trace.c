// SPDX-License-Identifier: GPL-2.0
/*
 * The tracepoints of a balloon.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vb_file.h"
#include "vb_trace.h"

#define TRACEFS	"/sys/kernel/tracing"
#define PREFIX	"vhost_balloon_"

static int write_file(struct vb_trace *trace, const char *name, const char *text, int flags)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", trace->dir, name);
	return vb_write_file(path, text, flags);
}

static int trace_open(struct vb_trace *trace, const char *enable)
{
	int ret;

	snprintf(trace->dir, sizeof(trace->dir), TRACEFS "/instances/vhost-balloon-%d", getpid());
	if (mkdir(trace->dir, 0700))
		return -errno;
	ret = write_file(trace, enable, "1", 0);
	if (ret)
		vb_trace_close(trace);
	return ret;
}

int vb_trace_open(struct vb_trace *trace)
{
	return trace_open(trace, "events/vhost_balloon/" PREFIX "region/enable");
}

int vb_trace_open_all(struct vb_trace *trace)
{
	return trace_open(trace, "events/vhost_balloon/enable");
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

/* What a line says if it is of this event: "id=...". */
static const char *line_text(const char *line, const char *name)
{
	char event[64];
	const char *text;

	snprintf(event, sizeof(event), " " PREFIX "%s: ", name);
	text = strstr(line, event);
	return line[0] == '#' || !text ? NULL : text + strlen(event);
}

int vb_trace_lines(struct vb_trace *trace, const char *name, __u64 id,
		   struct vb_trace_line *lines, unsigned int max)
{
	unsigned int nr = 0;
	char path[256];
	char line[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/trace", trace->dir);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		const char *text = line_text(line, name);
		struct vb_trace_line event;

		if (!text)
			continue;
		snprintf(event.text, sizeof(event.text), "%.*s", (int)strcspn(text, "\n"), text);
		if (vb_trace_number(&event, "id") != id)
			continue;
		if (nr < max)
			lines[nr] = event;
		nr++;
	}
	fclose(file);
	return nr;
}

/* Where a field's value begins, or NULL. */
static const char *field_value(const struct vb_trace_line *line, const char *field)
{
	size_t len = strlen(field);
	const char *at;

	for (at = line->text; at; at = strchr(at, ' ')) {
		at += strspn(at, " ");
		if (!strncmp(at, field, len) && at[len] == '=')
			return at + len + 1;
	}
	return NULL;
}

__u64 vb_trace_number(const struct vb_trace_line *line, const char *field)
{
	const char *value = field_value(line, field);
	char *end;
	__u64 number;

	if (!value)
		return ~0ULL;
	number = strtoull(value, &end, 0);
	return end == value || (*end && *end != ' ') ? ~0ULL : number;
}

bool vb_trace_says(const struct vb_trace_line *line, const char *field, const char *text)
{
	const char *value = field_value(line, field);
	size_t len = strlen(text);

	return value && !strncmp(value, text, len) && (!value[len] || value[len] == ' ');
}

static int parse_event(const struct vb_trace_line *line, struct vb_region_event *event)
{
	unsigned long long gfn, nr, hva;
	unsigned int flags;

	if (sscanf(line->text, "id=%*u op=%15s gfn=0x%llx nr=%llu hva=0x%llx flags=0x%x",
		   event->op, &gfn, &nr, &hva, &flags) != 5)
		return -EBADMSG;
	event->gfn = gfn;
	event->nr = nr;
	event->hva = hva;
	event->flags = flags;
	return 0;
}

int vb_trace_events(struct vb_trace *trace, __u64 id, struct vb_region_event *events,
		    unsigned int max)
{
	struct vb_trace_line *lines = calloc(max, sizeof(*lines));
	int i, ret, nr;

	if (!lines)
		return -ENOMEM;
	nr = vb_trace_lines(trace, "region", id, lines, max);
	for (i = 0, ret = 0; !ret && i < nr && i < (int)max; i++)
		ret = parse_event(&lines[i], &events[i]);
	free(lines);
	return ret ?: nr;
}
