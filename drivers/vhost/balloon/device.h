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
#include "hint.h"
#include "memory.h"
#include "pagebits.h"
#include "queue.h"
#include "stats.h"
#include "thp.h"

struct vb_memslots;
struct vhost_vring_addr;

/** VB_NR_QUEUES - virtqueues of a balloon, if all features are negotiated */
#define VB_NR_QUEUES	VHOST_BALLOON_NR_ROLES

/** enum vb_inhibitor - who has a say in whether memory may be discarded */
enum vb_inhibitor {
	/** @VB_INHIBITOR_BACKEND: the VMM */
	VB_INHIBITOR_BACKEND,
	/** @VB_INHIBITOR_CONTROLLER: whoever has a control file */
	VB_INHIBITOR_CONTROLLER,
	/** @VB_NR_INHIBITORS: number of them */
	VB_NR_INHIBITORS,
};

/**
 * struct vb_vq - a virtqueue and what it is connected to
 * @vb: the balloon
 * @queue: the queue
 * @work: a pass over it, by the worker
 * @in: a pass over it, on the thread that kicked
 * @ready: the VMM has set it up; protected by the device mutex
 * @err: says that the queue is broken; protected by &vb_queue.cb_lock
 */
struct vb_vq {
	struct vhost_balloon *vb;
	struct vb_queue queue;
	struct vb_work work;
	struct vb_inline in;
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
 * @tunables: VHOST_BALLOON_TUNE_*. Read without @lock, too.
 * @vq: the virtqueues
 * @retry: has the queues served again that lacked memory
 * @parts: pages in the balloon, where huge pages are gathered; protected by the memory mutex
 * @thp: transparent huge pages that are in the balloon in part; protected by the memory mutex
 * @thp_flush: gives back parts that wait for nothing any more, by the worker
 * @thp_tick: has that done from time to time
 * @thp_all: the next time all of them. Read and written without locks.
 * @hint: free page hinting; protected by the memory mutex
 * @stats: the guest's statistics; has its own lock
 * @stats_interval: milliseconds between two samples; 0 for no polling. Read without @lock.
 * @stats_poll: asks for a sample
 * @inhibit: VHOST_BALLOON_INHIBIT_BACKEND and _CONTROLLER. Written under @config_lock, read
 *	without, or in a section
 * @reason: why, by who said so; under @config_lock
 * @config_lock: never held for long, so that who only asks need not wait for
 *	a VMM: the owner's identity, and @target, @actual, @poison_val, @hint_command,
 *	@config_generation and @config_cb
 * @target: pages that the guest is asked for
 * @actual: pages that the guest says it gave
 * @poison_val: what the guest says it fills free pages with
 * @hint_command: what the guest is told of free page hinting
 * @config_generation: changes with what the guest reads
 * @config_cb: tells the guest that the configuration has changed
 * @counters: what happened
 * @watch_lock: protects @watchers, @nr_watchers and @told_gone; taken last
 * @told_gone: the watchers heard that the balloon is gone
 * @watchers: who wants to hear of events
 * @nr_watchers: how many these are
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

	struct vb_pagebits parts;
	struct vb_thp thp;
	struct vb_work thp_flush;
	struct delayed_work thp_tick;
	bool thp_all;
	struct vb_hint hint;
	struct vb_stats stats;
	u32 stats_interval;
	struct delayed_work stats_poll;
	u32 inhibit;
	u8 reason[VB_NR_INHIBITORS][VHOST_BALLOON_REASON_SIZE];

	spinlock_t config_lock;
	u32 target;
	u32 actual;
	u32 poison_val;
	u32 hint_command;
	u32 config_generation;
	struct vhost_balloon_callback config_cb;

	struct vb_counters counters;

	spinlock_t watch_lock;
	bool told_gone;
	struct list_head watchers;
	unsigned int nr_watchers;
};

struct vhost_balloon *vb_device_create(const struct vhost_balloon_params *params, u64 id);
void vb_device_shutdown(struct vhost_balloon *vb);
void vb_device_get(struct vhost_balloon *vb);
void vb_device_put(struct vhost_balloon *vb);

/* device.c: passes */
void vb_vq_queue_work(struct vb_vq *vq);
void vb_device_queue_all(struct vhost_balloon *vb);
void vb_vq_broken(struct vb_vq *vq);

/* kick.c */
u64 vb_device_default_tunables(void);
void vb_vq_init_inline(struct vb_vq *vq);

/* owner.c */
bool vb_device_is_owner(struct vhost_balloon *vb);
bool vb_device_is_user(struct vhost_balloon *vb, kuid_t euid);
struct mm_struct *vb_device_grab_mm(struct vhost_balloon *vb);
int vb_device_set_owner(struct vhost_balloon *vb);
int vb_device_reset_owner(struct vhost_balloon *vb);
int vb_device_set_vm(struct vhost_balloon *vb, struct vb_memslots *ms);

/* run.c */
void vb_vq_start(struct vb_vq *vq);
int vb_vq_stop(struct vb_vq *vq, bool killable);
int vb_device_set_running(struct vhost_balloon *vb, bool running);
int vb_device_stop_locked(struct vhost_balloon *vb, bool killable);
void vb_device_reset_locked(struct vhost_balloon *vb);

/* roles.c */
void vb_device_resolve_roles(struct vhost_balloon *vb);
void vb_device_resolve_late_role(struct vb_vq *vq);
void vb_device_clear_roles(struct vhost_balloon *vb);

/* vq.c */
int vb_device_set_vq_addr(struct vhost_balloon *vb, const struct vhost_vring_addr *addr);
void vb_device_set_vq_err(struct vhost_balloon *vb, unsigned int index,
			  struct vhost_balloon_callback cb);

/* log.c */
int vb_device_set_log_base(struct vhost_balloon *vb, u64 base);
void vb_device_set_log_callback(struct vhost_balloon *vb, struct vhost_balloon_callback cb);

/* tune.c */
int vb_device_set_tunables(struct vhost_balloon *vb, u64 mask, u64 values);
int vb_device_get_tunables(struct vhost_balloon *vb, u64 *mask, u64 *values);
void vb_device_forget_parts(struct vhost_balloon *vb);

/* info.c */
void vb_device_info(struct vhost_balloon *vb, struct vhost_balloon_info *info);
void vb_device_counters(struct vhost_balloon *vb, u64 *value);

/* inhibit.c */
int vb_device_set_inhibit(struct vhost_balloon *vb, enum vb_inhibitor who,
			  const struct vhost_balloon_inhibit *inhibit);
void vb_device_inhibit_info(struct vhost_balloon *vb, struct vhost_balloon_info *info);

/* device_stats.c */
void vb_device_init_stats(struct vhost_balloon *vb);
void vb_device_stop_stats(struct vhost_balloon *vb);
int vb_device_set_stats_interval(struct vhost_balloon *vb, u32 interval);
int vb_device_refresh_stats(struct vhost_balloon *vb, u32 timeout);

/* device_thp.c */
void vb_device_init_thp(struct vhost_balloon *vb);
void vb_device_flush_thp(struct vhost_balloon *vb);
void vb_device_want_thp(struct vhost_balloon *vb, bool wanted);

/* device_hint.c */
int vb_device_init_hint(struct vhost_balloon *vb);
int vb_device_hint_start(struct vhost_balloon *vb, u32 *cmd_id);
int vb_device_hint_stop(struct vhost_balloon *vb, bool done);
void vb_device_hint_reset(struct vhost_balloon *vb);

/* config.c */
void vb_device_set_target(struct vhost_balloon *vb, u32 target);
void vb_device_clear_actual(struct vhost_balloon *vb);
void vb_device_forget_config(struct vhost_balloon *vb);
void vb_device_set_hint_command(struct vhost_balloon *vb, u32 command);
void vb_device_target_actual(struct vhost_balloon *vb, u64 *target, u64 *actual);
bool vb_device_watch(struct vhost_balloon *vb, struct vb_watcher *w, unsigned int max);
void vb_device_unwatch(struct vhost_balloon *vb, struct vb_watcher *w);
void vb_device_event(struct vhost_balloon *vb, u32 events);

#endif /* _VHOST_BALLOON_DEVICE_H */
