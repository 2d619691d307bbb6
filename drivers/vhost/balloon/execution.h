/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where queue work runs, and what starts it.
 */
#ifndef _VHOST_BALLOON_EXECUTION_H
#define _VHOST_BALLOON_EXECUTION_H

#include <linux/llist.h>
#include <linux/poll.h>
#include <linux/types.h>
#include <linux/vhost_balloon.h>
#include <linux/wait.h>

struct file;
struct mm_struct;
struct vb_worker;

/**
 * struct vb_work - something to be run by a worker
 * @node: in the worker's list
 * @flags: whether it is in the list
 * @fn: what to do, in the owner's address space. Returns whether to do it
 *	again, after others had their turn.
 */
struct vb_work {
	struct llist_node node;
	unsigned long flags;
	bool (*fn)(struct vb_work *work);
};

void vb_work_init(struct vb_work *work, bool (*fn)(struct vb_work *work));

struct vb_worker *vb_worker_create(u64 id);
void vb_worker_destroy(struct vb_worker *w);
void vb_worker_queue(struct vb_worker *w, struct vb_work *work);
void vb_worker_interrupt(struct vb_worker *w);
bool vb_worker_killed(struct vb_worker *w);

/**
 * struct vb_inline - something to be run by the thread that asks for it, before it returns to user
 *	mode or to its guest
 * @head: the task work
 * @flags: whether it is pending
 * @task: the thread that it is pending on; to compare with, not to use
 * @fn: what to do. Other task work of the thread's waits for it.
 */
struct vb_inline {
	struct callback_head head;
	unsigned long flags;
	const struct task_struct *task;
	void (*fn)(struct vb_inline *in);
};

/**
 * enum vb_inline_result - what became of a request
 * @VB_INLINE_ADDED: &vb_inline.fn will be called
 * @VB_INLINE_PENDING: it will be called, as this thread asked for before
 * @VB_INLINE_ELSEWHERE: it will be called by another thread, whenever that goes on
 * @VB_INLINE_UNFIT: it won't: this isn't a thread that can do it
 */
enum vb_inline_result {
	VB_INLINE_ADDED,
	VB_INLINE_PENDING,
	VB_INLINE_ELSEWHERE,
	VB_INLINE_UNFIT,
};

void vb_inline_init(struct vb_inline *in, void (*fn)(struct vb_inline *in));
enum vb_inline_result vb_inline_add(struct vb_inline *in, const struct mm_struct *mm);
bool vb_inline_is_fit(const struct mm_struct *mm);
void vb_inline_flush(void);
void vb_callback_call(const struct vhost_balloon_callback *cb);
bool vb_callback_is_running(void);

/**
 * struct vb_kick - an eventfd whose signals start something
 * @file: the eventfd, held: without it the eventfd could vanish under @wait
 * @wqh: its wait queue
 * @wait: our entry in that
 * @pt: gets us there
 * @fn: called for each signal, with interrupts off and the eventfd's lock
 *	held, by whoever signals. Must not sleep, nor signal anything.
 */
struct vb_kick {
	struct file *file;
	wait_queue_head_t *wqh;
	wait_queue_entry_t wait;
	poll_table pt;
	void (*fn)(struct vb_kick *kick);
};

int vb_kick_attach(struct vb_kick *kick, int fd, void (*fn)(struct vb_kick *kick));
void vb_kick_detach(struct vb_kick *kick);

#endif /* _VHOST_BALLOON_EXECUTION_H */
