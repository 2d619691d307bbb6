/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vhost_balloon

#if !defined(_VHOST_BALLOON_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _VHOST_BALLOON_TRACE_H

#include <linux/tracepoint.h>
#include <linux/vhost_balloon.h>

#include "range.h"

#define VB_TRACE_BEGIN	0
#define VB_TRACE_DEL	1
#define VB_TRACE_ADD	2
#define VB_TRACE_NOP	3
#define VB_TRACE_COMMIT	4

/* A callback of a memory listener; begin and commit are about no region. */
TRACE_EVENT(vhost_balloon_region,
	TP_PROTO(u64 id, int op, const struct vhost_balloon_slot *slot),
	TP_ARGS(id, op, slot),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(int, op)
		__field(u64, gfn)
		__field(u64, nr)
		__field(unsigned long, hva)
		__field(u32, flags)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->op = op;
		__entry->gfn = slot ? slot->gfn : 0;
		__entry->nr = slot ? slot->nr : 0;
		__entry->hva = slot ? slot->hva : 0;
		__entry->flags = slot ? slot->flags : 0;
	),
	TP_printk("id=%llu op=%s gfn=0x%llx nr=%llu hva=0x%lx flags=0x%x",
		  __entry->id, __print_symbolic(__entry->op,
				   { VB_TRACE_BEGIN,	"begin" },
				   { VB_TRACE_DEL,	"del" },
				   { VB_TRACE_ADD,	"add" },
				   { VB_TRACE_NOP,	"nop" },
				   { VB_TRACE_COMMIT,	"commit" }),
		  __entry->gfn, __entry->nr, __entry->hva, __entry->flags)
);

/* One operation that gave memory back, or tried to. */
TRACE_EVENT(vhost_balloon_discard,
	TP_PROTO(u64 id, unsigned long hva, unsigned long len, int backing, long ret),
	TP_ARGS(id, hva, len, backing, ret),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(unsigned long, hva)
		__field(unsigned long, len)
		__field(int, backing)
		__field(long, ret)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->hva = hva;
		__entry->len = len;
		__entry->backing = backing;
		__entry->ret = ret;
	),
	TP_printk("id=%llu hva=0x%lx len=%lu backing=%s ret=%ld",
		  __entry->id, __entry->hva, __entry->len,
		  __print_symbolic(__entry->backing,
				   { VHOST_BALLOON_BACKING_UNKNOWN,	"unknown" },
				   { VHOST_BALLOON_BACKING_ANON,	"anon" },
				   { VHOST_BALLOON_BACKING_FILE,	"file" },
				   { VHOST_BALLOON_BACKING_SHMEM,	"shmem" },
				   { VHOST_BALLOON_BACKING_HUGETLB,	"hugetlb" },
				   { VHOST_BALLOON_BACKING_OTHER,	"other" }),
		  __entry->ret)
);

/* The guest has notified us. */
TRACE_EVENT(vhost_balloon_kick,
	TP_PROTO(u64 id, unsigned int index),
	TP_ARGS(id, index),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(unsigned int, index)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->index = index;
	),
	TP_printk("id=%llu index=%u", __entry->id, __entry->index)
);

#define vb_trace_role(role)						\
	__print_symbolic(role,						\
			 { VHOST_BALLOON_ROLE_INFLATE,	"inflate" },	\
			 { VHOST_BALLOON_ROLE_DEFLATE,	"deflate" },	\
			 { VHOST_BALLOON_ROLE_STATS,	"stats" },	\
			 { VHOST_BALLOON_ROLE_HINT,	"hint" },	\
			 { VHOST_BALLOON_ROLE_REPORT,	"report" },	\
			 { VHOST_BALLOON_ROLE_NONE,	"none" })

/*
 * Requests were dealt with together, and are about to be completed: the pages that they named, the
 * ranges that these made up, the bytes that were discarded, and the time since the pass came to them.
 */
TRACE_EVENT(vhost_balloon_batch,
	TP_PROTO(u64 id, unsigned int index, u16 role, const struct vb_ranges *ranges, u64 bytes,
		 u64 ns, bool is_inline),
	TP_ARGS(id, index, role, ranges, bytes, ns, is_inline),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(unsigned int, index)
		__field(u16, role)
		__field(u64, pages)
		__field(unsigned int, ranges)
		__field(u64, bytes)
		__field(u64, ns)
		__field(bool, is_inline)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->index = index;
		__entry->role = role;
		__entry->pages = ranges->pages;
		__entry->ranges = ranges->nr;
		__entry->bytes = bytes;
		__entry->ns = ns;
		__entry->is_inline = is_inline;
	),
	TP_printk("id=%llu index=%u role=%s pages=%llu ranges=%u bytes=%llu ns=%llu where=%s",
		  __entry->id, __entry->index, vb_trace_role(__entry->role), __entry->pages,
		  __entry->ranges, __entry->bytes, __entry->ns,
		  __entry->is_inline ? "inline" : "worker")
);

/* The state of free page hinting has changed. */
TRACE_EVENT(vhost_balloon_hint,
	TP_PROTO(u64 id, u32 cmd_id, u32 state),
	TP_ARGS(id, cmd_id, state),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u32, cmd_id)
		__field(u32, state)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->cmd_id = cmd_id;
		__entry->state = state;
	),
	TP_printk("id=%llu cmd_id=0x%x state=%s", __entry->id, __entry->cmd_id,
		  __print_symbolic(__entry->state,
				   { VHOST_BALLOON_HINT_IDLE,		"idle" },
				   { VHOST_BALLOON_HINT_REQUESTED,	"requested" },
				   { VHOST_BALLOON_HINT_RUNNING,	"running" },
				   { VHOST_BALLOON_HINT_REPORTED,	"reported" },
				   { VHOST_BALLOON_HINT_STOPPED,	"stopped" },
				   { VHOST_BALLOON_HINT_DONE,		"done" }))
);

/* The guest has sent a sample of its statistics. */
TRACE_EVENT(vhost_balloon_stats,
	TP_PROTO(u64 id, u64 sequence, unsigned int nr),
	TP_ARGS(id, sequence, nr),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u64, sequence)
		__field(unsigned int, nr)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->sequence = sequence;
		__entry->nr = nr;
	),
	TP_printk("id=%llu sequence=%llu nr=%u", __entry->id, __entry->sequence, __entry->nr)
);

/* A queue was marked as broken. */
TRACE_EVENT(vhost_balloon_broken,
	TP_PROTO(u64 id, unsigned int index, u32 reason),
	TP_ARGS(id, index, reason),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(unsigned int, index)
		__field(u32, reason)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->index = index;
		__entry->reason = reason;
	),
	TP_printk("id=%llu index=%u reason=%s", __entry->id, __entry->index,
		  __print_symbolic(__entry->reason,
				   { VHOST_BALLOON_BROKEN_NO,		"no" },
				   { VHOST_BALLOON_BROKEN_AVAIL_INDEX,	"avail_index" },
				   { VHOST_BALLOON_BROKEN_HEAD,		"head" },
				   { VHOST_BALLOON_BROKEN_NEXT,		"next" },
				   { VHOST_BALLOON_BROKEN_LOOP,		"loop" },
				   { VHOST_BALLOON_BROKEN_INDIRECT,	"indirect" },
				   { VHOST_BALLOON_BROKEN_RING_ACCESS,	"ring_access" },
				   { VHOST_BALLOON_BROKEN_CHAIN_SIZE,	"chain_size" }))
);

#endif /* _VHOST_BALLOON_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
