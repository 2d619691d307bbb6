/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One virtqueue at work: collect a batch, act on it, complete it.
 */
#ifndef _VHOST_BALLOON_QUEUE_H
#define _VHOST_BALLOON_QUEUE_H

#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/vhost_balloon.h>

#include "counters.h"
#include "discard.h"
#include "memory.h"
#include "range.h"
#include "vring.h"

struct vb_queue;

/** VB_BATCH_PFNS - page numbers of a batch: four full requests of a Linux guest */
#define VB_BATCH_PFNS		1024

/** VB_CHAIN_PFNS_MAX - page numbers of a chain; more can't be meant (4 GiB in one request) */
#define VB_CHAIN_PFNS_MAX	(1U << 20)

/** VB_QUEUE_CARRY - bytes of the longest thing that may be spread over descriptors */
#define VB_QUEUE_CARRY		16

/**
 * struct vb_queue_log - the dirty log, as vhost has it
 * @base: user address of the bitmap, a multiple of 8: a bit for each page (4 KiB) of the guest's;
 *	0 for none
 * @used: guest address of the used ring, which is all that is written to
 * @enabled: @used is meant
 * @dirty: something was logged since @log_cb was called
 */
struct vb_queue_log {
	u64 base;
	u64 used;
	bool enabled;
	bool dirty;
};

/**
 * struct vb_batch - requests that are dealt with together
 * @ranges: the pages they name
 * @range: storage of @ranges
 * @pfn: page numbers as read from the guest
 * @head: the chains to complete
 * @nr_heads: entries of @head
 * @nr_used: entries of @head that were written to the used ring
 */
struct vb_batch {
	struct vb_ranges ranges;
	struct vb_range range[VB_BATCH_PFNS];
	__le32 pfn[VB_BATCH_PFNS];
	u16 head[VB_VRING_MAX_NUM];
	unsigned int nr_heads;
	unsigned int nr_used;
};

/** VB_QUEUE_AGAIN - a step has more to do, in a section of its own */
#define VB_QUEUE_AGAIN		2
/** VB_QUEUE_HOLD - a batch is held back until something else than a kick happens */
#define VB_QUEUE_HOLD		3

/**
 * struct vb_queue_ops - a queue protocol
 * @max_heads: most chains of a batch
 * @counter: counts the pages that the requests name
 * @can_inline: whether passes may be inline; NULL for never. Called in any context, without
 *	the queue mutex.
 * @start: the queue is about to run; NULL for nothing to do
 * @prepare: a pass begins that isn't inline, and the regions are up to date; NULL for nothing to do. Not
 *	inside a section. Returns 0, or -EINTR.
 * @collect: take in what the batch has room for of &vb_queue.chain. Inside a
 *	section, with page faults disabled. Returns 1 when the chain is
 *	through, 0 when the batch is full, VB_QUEUE_AGAIN to be called again in another
 *	section, or an errno: -EFAULT to be called again, -EBADMSG if the ring is broken,
 *	others if the chain is malformed.
 * @act: do what the batch asks for, before it is completed. Not inside a
 *	section. Returns 0; VB_QUEUE_HOLD; -EINTR or -ENOMEM to be called again later; or
 *	-EAGAIN to be called again by the worker.
 * @flush: do what was put off when requests were completed, all or what has waited for long
 *	enough. Between two batches, not inside a section. Returns whether something is
 *	left; NULL if nothing ever is put off.
 */
struct vb_queue_ops {
	unsigned int max_heads;
	enum vhost_balloon_counter counter;
	bool (*can_inline)(const struct vb_queue *q);
	void (*start)(struct vb_queue *q);
	int (*prepare)(struct vb_queue *q);
	int (*collect)(struct vb_queue *q);
	int (*act)(struct vb_queue *q);
	bool (*flush)(struct vb_queue *q, bool all);
};

/** enum vb_queue_phase - what a batch is waiting for */
enum vb_queue_phase {
	/** @VB_QUEUE_COLLECT: more requests */
	VB_QUEUE_COLLECT,
	/** @VB_QUEUE_ACT: being acted on */
	VB_QUEUE_ACT,
	/** @VB_QUEUE_COMPLETE: being completed */
	VB_QUEUE_COMPLETE,
};

/**
 * enum vb_queue_result - how a pass over a queue ended
 * @VB_QUEUE_IDLE: everything is done, the guest's next kick will tell; or a batch is held
 * @VB_QUEUE_MORE: there is more, but others want their turn
 * @VB_QUEUE_LATER: memory isn't there (yet): come again in a while
 * @VB_QUEUE_NOW_BROKEN: the queue was found broken just now
 * @VB_QUEUE_INTERRUPTED: the thread has a signal to see to
 */
enum vb_queue_result {
	VB_QUEUE_IDLE,
	VB_QUEUE_MORE,
	VB_QUEUE_LATER,
	VB_QUEUE_NOW_BROKEN,
	VB_QUEUE_INTERRUPTED,
};

/**
 * struct vb_queue - one virtqueue
 * @lock: the queue mutex. Protects everything below but @stop and what @cb_lock
 *	protects; held throughout a pass. Taken after the device mutex, before
 *	the memory mutex.
 * @stop: somebody wants @lock to stop the queue: end the pass soon
 * @id: id of the balloon, for tracing
 * @index: of the virtqueue, for tracing
 * @role: enum vhost_balloon_role, or VHOST_BALLOON_ROLE_NONE. Read without @lock, too.
 * @ops: the protocol of @role. Read without @lock, too.
 * @data: the protocol's own
 * @memory: the guest's memory
 * @counters: where to count
 * @discard: for protocols that give memory back
 * @populate: have deflated pages there before that is acknowledged
 * @running: passes do something
 * @mm: the owner's address space while @running; to compare with, not to use
 * @is_inline: the pass in progress is inline. Read without @lock, too.
 * @started: the ring was looked at since the queue began to run
 * @guest_ring: the ring's addresses are guest addresses
 * @num: entries of the ring, 0 until set
 * @desc: address of the descriptor table
 * @avail: address of the available ring
 * @used: address of the used ring
 * @base: available index to begin with
 * @log: where and whether writes to the ring are logged
 * @vring: the ring
 * @acc: how the ring is reached
 * @acc_space: space of the last access through @acc
 * @faults: faults in a row without progress
 * @chain: the chain being walked
 * @chain_bytes: bytes that were read of it
 * @carry: bytes read of something that is spread over descriptors, and then @carry_len
 * @carry_len: number of bytes in @carry
 * @garbled: a chain made no sense, and nobody knows what it said. Stays until the protocol has
 *	seen to it, also when the queue is stopped in between.
 * @phase: what the batch is waiting for
 * @batch: the batch
 * @cursor: how far the batch was acted on
 * @cb_lock: protects @cb and @log_cb; taken last
 * @cb: interrupts the guest
 * @log_cb: says that something was logged
 */
struct vb_queue {
	struct mutex lock;
	bool stop;
	u64 id;
	unsigned int index;
	u16 role;
	const struct vb_queue_ops *ops;
	void *data;
	struct vb_memory *memory;
	struct vb_counters *counters;
	struct vb_discard discard;
	bool populate;
	bool running;
	struct mm_struct *mm;
	bool is_inline;
	bool started;
	bool guest_ring;
	unsigned int num;
	u64 desc;
	u64 avail;
	u64 used;
	u16 base;
	struct vb_queue_log log;
	struct vb_vring vring;
	struct vb_vring_access acc;
	enum vb_vring_space acc_space;
	unsigned int faults;
	struct vb_chain chain;
	u64 chain_bytes;
	u8 carry[VB_QUEUE_CARRY];
	unsigned int carry_len;
	bool garbled;
	enum vb_queue_phase phase;
	struct vb_batch *batch;
	struct vb_cursor cursor;
	spinlock_t cb_lock;
	struct vhost_balloon_callback cb;
	struct vhost_balloon_callback log_cb;
};

int vb_queue_init(struct vb_queue *q, struct vb_memory *memory, struct vb_counters *counters);
void vb_queue_destroy(struct vb_queue *q);
int vb_queue_lock_to_stop(struct vb_queue *q, bool killable);
void vb_queue_start(struct vb_queue *q, u64 features);
void vb_queue_stop(struct vb_queue *q);
void vb_queue_reset(struct vb_queue *q);
u16 vb_queue_base(const struct vb_queue *q);
void vb_queue_set_callback(struct vb_queue *q, struct vhost_balloon_callback cb);
void vb_queue_set_log_callback(struct vb_queue *q, struct vhost_balloon_callback cb);
void vb_queue_signal(struct vb_queue *q);
void vb_queue_signal_log(struct vb_queue *q);
void vb_queue_new_batch(struct vb_queue *q);

/* pass.c */
int vb_queue_enter(struct vb_queue *q);
int vb_queue_leave(struct vb_queue *q, enum vhost_balloon_counter why);
enum vb_queue_result vb_queue_pass(struct vb_queue *q);
enum vb_queue_result vb_queue_pass_inline(struct vb_queue *q);
bool vb_queue_flush(struct vb_queue *q, bool all);

#endif /* _VHOST_BALLOON_QUEUE_H */
