/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One balloon: features, configuration space, virtqueues, life cycle.
 */
#ifndef _VHOST_BALLOON_DEVICE_H
#define _VHOST_BALLOON_DEVICE_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/uidgid.h>
#include <linux/vhost_balloon.h>
#include <linux/workqueue.h>

#include "counters.h"
#include "execution.h"
#include "memory.h"
#include "queue.h"

struct vb_memslots;

/** VB_NR_QUEUES - virtqueues of a balloon: inflate and deflate */
#define VB_NR_QUEUES	2

/**
 * struct vb_vq - a virtqueue and what it is connected to
 * @vb: the balloon
 * @queue: the queue
 * @work: a pass over it
 * @ready: the VMM has set it up; protected by the device mutex
 * @err: says that the queue is broken; protected by &vb_queue.cb_lock
 */
struct vb_vq {
	struct vhost_balloon *vb;
	struct vb_queue queue;
	struct vb_work work;
	bool ready;
	struct vhost_balloon_callback err;
};

/**
 * struct vb_watcher - someone who wants to hear of events
 * @node: in &vhost_balloon.watchers
 * @fn: called with &vhost_balloon.watch_lock held: must not sleep
 */
struct vb_watcher {
	struct list_head node;
	void (*fn)(struct vb_watcher *w, u32 events);
};

/**
 * struct vhost_balloon - a balloon
 * @ref: references: the registry's and each control file's
 * @node: in the registry
 * @id: its id
 * @params: what it was made with
 * @lock: the device mutex. Protects set-up and state: everything below that
 *	doesn't say otherwise. Taken first of all.
 * @gone: the VMM's side was closed; nothing but @ref is left
 * @access: VHOST_BALLOON_ACCESS_*; written under @lock, read without
 * @memory: the guest's memory
 * @listener: keeps @ram and @nr_regions
 * @ram: bytes in regions that can be discarded from; protected by the memory mutex
 * @ram_next: @ram in the making, between begin and commit
 * @above_16t: a region lies where page numbers don't reach; as @ram
 * @worker: where passes run; under @lock or RCU
 * @mm: the owner's address space, grabbed; NULL without an owner. Changed under
 *	@lock and @config_lock, so that either will do to read it
 * @pid: the owner; as @mm
 * @euid: the owner's effective uid; as @mm
 * @many_vms: the owner has several VMs, and none was bound
 * @features: negotiated features
 * @running: passes do something
 * @tunables: VHOST_BALLOON_TUNE_*
 * @vq: the virtqueues
 * @retry: has the queues served again that lacked memory
 * @config_lock: never held for long, so that who only asks need not wait for
 *	a VMM: the owner's identity, and @target, @actual, @poison_val,
 *	@config_generation and @config_cb
 * @target: pages that the guest is asked for
 * @actual: pages that the guest says it gave
 * @poison_val: what the guest says it fills free pages with
 * @config_generation: changes with what the guest reads
 * @config_cb: tells the guest that the configuration has changed
 * @counters: what happened
 * @watch_lock: protects @watchers and @told_gone; taken last
 * @told_gone: the watchers heard that the balloon is gone
 * @watchers: who wants to hear of events
 */
struct vhost_balloon {
	struct kref ref;
	struct list_head node;
	u64 id;
	struct vhost_balloon_params params;

	struct mutex lock;
	bool gone;
	u32 access;
	struct vb_memory memory;
	struct vb_memory_listener listener;
	u64 ram;
	u64 ram_next;
	bool above_16t;
	struct vb_worker __rcu *worker;
	struct mm_struct *mm;
	struct pid *pid;
	kuid_t euid;
	bool many_vms;
	u64 features;
	bool running;
	u64 tunables;
	struct vb_vq vq[VB_NR_QUEUES];
	struct delayed_work retry;

	spinlock_t config_lock;
	u32 target;
	u32 actual;
	u32 poison_val;
	u32 config_generation;
	struct vhost_balloon_callback config_cb;

	struct vb_counters counters;

	spinlock_t watch_lock;
	bool told_gone;
	struct list_head watchers;
};

struct vhost_balloon *vb_device_create(const struct vhost_balloon_params *params, u64 id);
void vb_device_shutdown(struct vhost_balloon *vb);
void vb_device_get(struct vhost_balloon *vb);
void vb_device_put(struct vhost_balloon *vb);

bool vb_device_is_owner(struct vhost_balloon *vb);
int vb_device_set_owner(struct vhost_balloon *vb);
int vb_device_set_running(struct vhost_balloon *vb, bool running);
void vb_vq_start(struct vb_vq *vq);
int vb_vq_stop(struct vb_vq *vq, bool killable);
struct mm_struct *vb_device_grab_mm(struct vhost_balloon *vb);
bool vb_device_is_user(struct vhost_balloon *vb, kuid_t euid);
int vb_device_set_vm(struct vhost_balloon *vb, struct vb_memslots *ms);
int vb_device_reset_owner(struct vhost_balloon *vb);
void vb_device_set_vq_err(struct vhost_balloon *vb, unsigned int index,
			  struct vhost_balloon_callback cb);

void vb_device_set_target(struct vhost_balloon *vb, u32 target);
int vb_device_set_tunables(struct vhost_balloon *vb, u64 mask, u64 values);
int vb_device_get_tunables(struct vhost_balloon *vb, u64 *mask, u64 *values);
void vb_device_info(struct vhost_balloon *vb, struct vhost_balloon_info *info);
void vb_device_counters(struct vhost_balloon *vb, u64 *value);

void vb_device_watch(struct vhost_balloon *vb, struct vb_watcher *w);
void vb_device_unwatch(struct vhost_balloon *vb, struct vb_watcher *w);
void vb_device_event(struct vhost_balloon *vb, u32 events);
void vb_device_target_actual(struct vhost_balloon *vb, u64 *target, u64 *actual);

#endif /* _VHOST_BALLOON_DEVICE_H */
