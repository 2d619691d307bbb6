/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What vhost_balloon.ko offers to a transport that is a module of its own:
 * the vDPA bus (vdpa_balloon.ko).
 */
#ifndef _LINUX_VHOST_BALLOON_H
#define _LINUX_VHOST_BALLOON_H

#include <linux/types.h>
#include <uapi/linux/vhost_balloon.h>

struct module;
struct vhost_balloon;

/* struct vhost_balloon_slot flags */
/** VHOST_BALLOON_SLOT_READONLY - the guest can't write there */
#define VHOST_BALLOON_SLOT_READONLY	(1U << 0)
/** VHOST_BALLOON_SLOT_INVALID - about to go away */
#define VHOST_BALLOON_SLOT_INVALID	(1U << 1)
/** VHOST_BALLOON_SLOT_PRIVATE - a slot of KVM's own, no memory of the guest's */
#define VHOST_BALLOON_SLOT_PRIVATE	(1U << 2)
/** VHOST_BALLOON_SLOT_GUEST_MEMFD - backed by guest_memfd */
#define VHOST_BALLOON_SLOT_GUEST_MEMFD	(1U << 3)

/**
 * struct vhost_balloon_slot - a run of guest memory, as its source knows it
 * @gfn: first guest frame number (4 KiB)
 * @nr: number of pages
 * @hva: where it is in the owner's address space
 * @id: the source's own number for it
 * @flags: VHOST_BALLOON_SLOT_*
 */
struct vhost_balloon_slot {
	u64 gfn;
	u64 nr;
	unsigned long hva;
	u32 id;
	u32 flags;
};

/**
 * struct vhost_balloon_source_ops - where guest memory is known from
 * @type: enum vhost_balloon_source
 * @enter: begin a section in which what @find returns stays valid (as far as
 *	the source can promise that); returns a cookie for @leave. Called under the
 *	memory mutex. Must not wait for anything that userspace controls.
 * @leave: end the section
 * @generation: differs from the last time whenever a slot may have changed.
 *	Called inside a section.
 * @find: the slot that contains @gfn, or else the next one above; -ENOENT
 *	if there is none. Called inside a section; doesn't sleep.
 * @assigned_device: whether the guest has a device that may access all of its memory
 *	without our knowing; NULL for never. Called inside a section; doesn't sleep.
 * @release: the balloon has let go of @data; vhost_balloon_unbind() returns after
 *	this. May sleep; the device mutex is held.
 */
struct vhost_balloon_source_ops {
	u32 type;
	int (*enter)(void *data);
	void (*leave)(void *data, int cookie);
	u64 (*generation)(void *data);
	int (*find)(void *data, u64 gfn, struct vhost_balloon_slot *slot);
	bool (*assigned_device)(void *data);
	void (*release)(void *data);
};

/**
 * struct vhost_balloon_callback - a function to call, and what to tell it
 * @fn: called in process context with spinlocks held: must not sleep; NULL for none
 * @arg: its argument
 */
struct vhost_balloon_callback {
	void (*fn)(void *arg);
	void *arg;
};

/**
 * struct vhost_balloon_params - how to make a balloon
 * @name: for people; empty or NUL-terminated
 * @features: virtio feature bits to offer, a subset of vhost_balloon_features()
 * @access: VHOST_BALLOON_ACCESS_*
 * @info_flags: VHOST_BALLOON_INFO_VDPA or 0
 */
struct vhost_balloon_params {
	char name[VHOST_BALLOON_NAME_MAX];
	u64 features;
	u32 access;
	u64 info_flags;
};

/*
 * All functions but vhost_balloon_kick() and vhost_balloon_memory_changed() may
 * sleep, and must be called without locks that are taken inside a callback. Those
 * that say so return -EINTR when the caller is killed while it waits for a lock.
 */

u64 vhost_balloon_features(void);
u64 vhost_balloon_default_features(void);
struct vhost_balloon *vhost_balloon_create(const struct vhost_balloon_params *params);
void vhost_balloon_destroy(struct vhost_balloon *vb);

int vhost_balloon_bind(struct vhost_balloon *vb);
int vhost_balloon_bind_own_vm(struct vhost_balloon *vb);
void vhost_balloon_unbind(struct vhost_balloon *vb);
int vhost_balloon_set_source(struct vhost_balloon *vb,
			     const struct vhost_balloon_source_ops *ops, void *data);
void vhost_balloon_memory_changed(struct vhost_balloon *vb);

int vhost_balloon_set_features(struct vhost_balloon *vb, u64 features);
u64 vhost_balloon_offered_features(struct vhost_balloon *vb);

size_t vhost_balloon_config_size(struct vhost_balloon *vb);
u32 vhost_balloon_config_generation(struct vhost_balloon *vb);
void vhost_balloon_read_config(struct vhost_balloon *vb, unsigned int offset, void *buf,
			       unsigned int len);
void vhost_balloon_write_config(struct vhost_balloon *vb, unsigned int offset, const void *buf,
				unsigned int len);
void vhost_balloon_set_config_callback(struct vhost_balloon *vb, struct vhost_balloon_callback cb);

unsigned int vhost_balloon_nr_queues(void);
int vhost_balloon_set_vq_num(struct vhost_balloon *vb, unsigned int index, unsigned int num);
int vhost_balloon_set_vq_addr(struct vhost_balloon *vb, unsigned int index, u64 desc, u64 avail,
			      u64 used);
int vhost_balloon_set_vq_base(struct vhost_balloon *vb, unsigned int index, u16 base);
int vhost_balloon_get_vq_base(struct vhost_balloon *vb, unsigned int index, u16 *base);
void vhost_balloon_set_vq_callback(struct vhost_balloon *vb, unsigned int index,
				   struct vhost_balloon_callback cb);
void vhost_balloon_set_vq_ready(struct vhost_balloon *vb, unsigned int index, bool ready);
bool vhost_balloon_get_vq_ready(struct vhost_balloon *vb, unsigned int index);

int vhost_balloon_start(struct vhost_balloon *vb);
void vhost_balloon_stop(struct vhost_balloon *vb);
void vhost_balloon_reset(struct vhost_balloon *vb);
void vhost_balloon_kick(struct vhost_balloon *vb, unsigned int index);

#endif /* _LINUX_VHOST_BALLOON_H */
