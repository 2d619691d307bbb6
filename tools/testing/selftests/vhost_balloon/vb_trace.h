/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the memory listeners of a balloon are told, by the vhost_balloon_region
 * tracepoint in a trace instance of its own.
 *
 * Functions return 0 (or what their comment says) or a negative errno.
 */
#ifndef VB_TRACE_H
#define VB_TRACE_H

#include <linux/types.h>

struct vb_region_event {
	char op[16];
	__u64 gfn;
	__u64 nr;
	__u64 hva;
	__u32 flags;
};

struct vb_trace {
	char dir[128];
};

/* -ENOENT where there is no tracefs, or no such tracepoint. */
int vb_trace_open(struct vb_trace *trace);
void vb_trace_close(struct vb_trace *trace);

/* Forgets what was traced until now. */
int vb_trace_clear(struct vb_trace *trace);
/* Up to @max events of the balloon since then, oldest first. Returns the number of all. */
int vb_trace_events(struct vb_trace *trace, __u64 id, struct vb_region_event *events,
		    unsigned int max);

#endif /* VB_TRACE_H */
