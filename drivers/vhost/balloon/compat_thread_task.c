// SPDX-License-Identifier: GPL-2.0
/*
 * A thread that works in its creator's name: a vhost_task.
 */
#include <linux/err.h>
#include <linux/sched.h>
#include <linux/sched/vhost_task.h>
#include <linux/slab.h>

#include "compat_thread.h"

/**
 * struct vb_thread - the thread
 * @ops: what it does
 * @arg: what it is told
 * @task: the vhost_task
 */
struct vb_thread {
	const struct vb_thread_ops *ops;
	void *arg;
	struct vhost_task *task;
};

static bool vb_thread_fn(void *data)
{
	struct vb_thread *t = data;

	return t->ops->run(t->arg);
}

static void vb_thread_killed(void *data)
{
	struct vb_thread *t = data;

	t->ops->killed(t->arg);
}

/**
 * vb_thread_create - make a thread, in the name of the caller
 * @ops: what it does
 * @arg: what it is told
 * @name: for ps
 *
 * Context: process context of a user thread; may sleep.
 * Return: the thread, or an ERR_PTR().
 */
struct vb_thread *vb_thread_create(const struct vb_thread_ops *ops, void *arg, const char *name)
{
	struct vb_thread *t = kzalloc(sizeof(*t), GFP_KERNEL_ACCOUNT);
	struct vhost_task *task;

	if (!t)
		return ERR_PTR(-ENOMEM);
	t->ops = ops;
	t->arg = arg;
	task = vhost_task_create(vb_thread_fn, vb_thread_killed, t, name);
	if (IS_ERR_OR_NULL(task)) {
		kfree(t);
		return task ? ERR_CAST(task) : ERR_PTR(-ENOMEM);
	}
	t->task = task;
	vhost_task_start(task);
	return t;
}

/**
 * vb_thread_wake - have the thread run
 * @t: the thread
 *
 * Context: any, interrupts off included.
 */
void vb_thread_wake(struct vb_thread *t)
{
	vhost_task_wake(t->task);
}

/**
 * vb_thread_interrupt - have the thread give up what it waits for
 * @t: the thread. Nothing to do: it dies with its process.
 *
 * Context: any.
 */
void vb_thread_interrupt(struct vb_thread *t)
{
}

/**
 * vb_thread_stop - end the thread, and free it
 * @t: the thread; waits until it has returned from what it does
 */
void vb_thread_stop(struct vb_thread *t)
{
	vhost_task_stop(t->task);
	kfree(t);
}
