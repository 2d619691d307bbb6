/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tracepoints of a balloon, in a trace instance of its own; above all
 * vhost_balloon_region: what the memory listeners are told.
 *
 * Functions return 0 (or what their comment says) or a negative errno.
 */
#ifndef VB_TRACE_H
#define VB_TRACE_H

#include <stdbool.h>
#include <linux/types.h>

struct vb_region_event {
	char op[16];
	__u64 gfn;
	__u64 nr;
	__u64 hva;
	__u32 flags;
};

/* What an event says: "name=value" for each of its fields. */
struct vb_trace_line {
	char text[256];
};

struct vb_trace {
	char dir[128];
};

/* -ENOENT where there is no tracefs, or no such tracepoint. */
int vb_trace_open(struct vb_trace *trace);
/* The same for all tracepoints of balloons. */
int vb_trace_open_all(struct vb_trace *trace);
void vb_trace_close(struct vb_trace *trace);

/* Forgets what was traced until now. */
int vb_trace_clear(struct vb_trace *trace);
/* Up to @max events of the balloon since then, oldest first. Returns the number of all. */
int vb_trace_events(struct vb_trace *trace, __u64 id, struct vb_region_event *events,
		    unsigned int max);
/* The same for any tracepoint, by its name without "vhost_balloon_". */
int vb_trace_lines(struct vb_trace *trace, const char *name, __u64 id,
		   struct vb_trace_line *lines, unsigned int max);
/* The number that a field has, in any base; ~0 if there is no such field, or no number in it. */
__u64 vb_trace_number(const struct vb_trace_line *line, const char *field);
/* Whether a field says this. */
bool vb_trace_says(const struct vb_trace_line *line, const char *field, const char *text);

#endif /* VB_TRACE_H */
