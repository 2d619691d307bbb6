/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's address space as a balloon sees it, and who listens to its
 * changes.
 *
 * Where the regions come from is a source's business (memslots, memtable, a
 * transport's IOTLB). Nothing calls us when they change, so the change is found
 * where it matters: whoever wants to reach guest memory enters a section,
 * the section compares the source's generation with the last one seen, and runs
 * the listeners if it differs.
 */
#ifndef _VHOST_BALLOON_MEMORY_H
#define _VHOST_BALLOON_MEMORY_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/vhost_balloon.h>

struct vb_memory_listener;

/**
 * struct vb_memory_listener_ops - what a listener is told
 * @begin: a change, or a replay, begins
 * @region_del: this region went. All of these come before the first @region_add
 * @region_add: this region came
 * @region_nop: this region is as it was
 * @commit: the change is complete
 *
 * Any of them may be NULL. They are called under the memory mutex and inside
 * a section: they must not wait for anything that userspace controls, and must
 * not enter a section themselves. KVM's private slots are not shown.
 */
struct vb_memory_listener_ops {
	void (*begin)(struct vb_memory_listener *l);
	void (*region_del)(struct vb_memory_listener *l, const struct vhost_balloon_slot *r);
	void (*region_add)(struct vb_memory_listener *l, const struct vhost_balloon_slot *r);
	void (*region_nop)(struct vb_memory_listener *l, const struct vhost_balloon_slot *r);
	void (*commit)(struct vb_memory_listener *l);
};

/**
 * struct vb_memory_listener - someone who follows the regions
 * @node: in &vb_memory.listeners
 * @traced: what it is told shows in the trace: one of them is enough
 * @ops: what to call
 */
struct vb_memory_listener {
	struct list_head node;
	bool traced;
	const struct vb_memory_listener_ops *ops;
};

/**
 * struct vb_memory - a guest's address space
 * @id: id of the balloon, for tracing
 * @lock: the memory mutex. Protects everything below, and is held
 *	throughout a section. Taken after the device and queue mutexes, before
 *	kvm->srcu.
 * @source: where the regions come from; NULL for nowhere
 * @type: of the source, for those who only look
 * @source_data: the source's own
 * @cookie: what the source's enter() returned, inside a section
 * @last: the slot found last, inside a section
 * @generation: of the source, when @regions were made
 * @stale: @regions are older than the source, whatever @generation says
 * @assigned: the guest has an assigned device, as of the last section. Read without
 *	@lock for display.
 * @regions: the regions as last seen, by rising gfn, without private slots
 * @spare: a second array of the same size: where the next version is made
 * @nr: entries of @regions in use
 * @max: entries that fit @regions, and @spare
 * @listeners: who follows the regions
 */
struct vb_memory {
	u64 id;
	struct mutex lock;
	const struct vhost_balloon_source_ops *source;
	u32 type;
	void *source_data;
	int cookie;
	struct vhost_balloon_slot last;
	u64 generation;
	bool stale;
	bool assigned;
	struct vhost_balloon_slot *regions;
	struct vhost_balloon_slot *spare;
	unsigned int nr;
	unsigned int max;
	struct list_head listeners;
};

void vb_memory_init(struct vb_memory *m, u64 id);
void vb_memory_destroy(struct vb_memory *m);
int vb_memory_set_source(struct vb_memory *m, const struct vhost_balloon_source_ops *ops,
			 void *data);
int vb_memory_enter(struct vb_memory *m);
int vb_memory_try_enter(struct vb_memory *m);
void vb_memory_leave(struct vb_memory *m);
void vb_memory_refresh(struct vb_memory *m);
int vb_memory_find(struct vb_memory *m, u64 gfn, struct vhost_balloon_slot *slot);
int vb_memory_replay(struct vb_memory *m, struct vb_memory_listener *l, u64 *generation);
int vb_memory_register(struct vb_memory *m, struct vb_memory_listener *l);
void vb_memory_unregister(struct vb_memory *m, struct vb_memory_listener *l);

/**
 * vb_region_discardable - whether memory may be taken from a region
 * @r: the region
 */
static inline bool vb_region_discardable(const struct vhost_balloon_slot *r)
{
	return !r->flags;
}

#endif /* _VHOST_BALLOON_MEMORY_H */
