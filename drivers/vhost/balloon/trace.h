/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vhost_balloon

#if !defined(_VHOST_BALLOON_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _VHOST_BALLOON_TRACE_H

#include <linux/tracepoint.h>
#include <linux/vhost_balloon.h>

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

#endif /* _VHOST_BALLOON_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
