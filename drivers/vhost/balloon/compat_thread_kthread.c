// SPDX-License-Identifier: GPL-2.0
/*
 * A thread that works in its creator's name: a kthread that borrows it.
 */
#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/memcontrol.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "compat_thread.h"

/**
 * struct vb_thread - the thread
 * @ops: what it does
 * @arg: what it is told
 * @mm: the creator's address space, grabbed; used only while it has users
 * @cred: the creator's credentials
 * @task: the kthread
 */
struct vb_thread {
	const struct vb_thread_ops *ops;
	void *arg;
	struct mm_struct *mm;
	const struct cred *cred;
	struct task_struct *task;
};

/* Run once in the creator's name. Without its address space there is nothing to be done. */
static bool vb_thread_run(struct vb_thread *t)
{
	struct mem_cgroup *memcg, *old_memcg;
	const struct cred *old;
	bool did;

	if (!mmget_not_zero(t->mm))
		return false;
	kthread_use_mm(t->mm);
	/* The kernel's memory that a kthread allocates is charged to nobody otherwise. */
	memcg = get_mem_cgroup_from_mm(t->mm);
	old_memcg = set_active_memcg(memcg);
	old = override_creds(t->cred);
	did = t->ops->run(t->arg);
	revert_creds(old);
	set_active_memcg(old_memcg);
	mem_cgroup_put(memcg);
	kthread_unuse_mm(t->mm);
	/* The last user's exit may need whom we hold up. */
	mmput_async(t->mm);
	return did;
}

static int vb_thread_fn(void *data)
{
	struct vb_thread *t = data;
	bool did;

	allow_signal(SIGKILL);
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (kthread_should_stop())
			break;
		did = vb_thread_run(t);
		/* It was told to give up, and it did. */
		if (signal_pending(current))
			flush_signals(current);
		else if (!did)
			schedule();
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

static void vb_thread_free(struct vb_thread *t)
{
	put_cred(t->cred);
	mmdrop(t->mm);
	kfree(t);
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
	struct task_struct *task;
	int ret;

	if (!t)
		return ERR_PTR(-ENOMEM);
	t->ops = ops;
	t->arg = arg;
	t->cred = get_current_cred();
	t->mm = current->mm;
	mmgrab(t->mm);

	task = kthread_create(vb_thread_fn, t, "%s", name);
	if (IS_ERR(task)) {
		ret = PTR_ERR(task);
		goto err_free;
	}
	t->task = get_task_struct(task);
	ret = cgroup_attach_task_all(current, task);
	if (ret)
		goto err_stop;
	wake_up_process(task);
	return t;

err_stop:
	kthread_stop(task);
	put_task_struct(task);
err_free:
	vb_thread_free(t);
	return ERR_PTR(ret);
}

/**
 * vb_thread_wake - have the thread run
 * @t: the thread
 *
 * Context: any, interrupts off included.
 */
void vb_thread_wake(struct vb_thread *t)
{
	wake_up_process(t->task);
}

/**
 * vb_thread_interrupt - have the thread give up what it waits for
 * @t: the thread
 *
 * A fault that a userfaultfd is to resolve ends with a fatal signal, even though
 * this thread isn't killed by it. Who closes the process's files may be who would
 * have to resolve it.
 *
 * Context: any.
 */
void vb_thread_interrupt(struct vb_thread *t)
{
	send_sig(SIGKILL, t->task, 1);
}

/**
 * vb_thread_stop - end the thread, and free it
 * @t: the thread; waits until it has returned from what it does
 */
void vb_thread_stop(struct vb_thread *t)
{
	kthread_stop(t->task);
	put_task_struct(t->task);
	vb_thread_free(t);
}
