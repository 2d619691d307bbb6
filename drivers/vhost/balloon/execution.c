// SPDX-License-Identifier: GPL-2.0
/*
 * Where queue work runs, and what starts it.
 *
 * Each balloon has a worker: a thread in the name of its owner, so that the CPU
 * time is billed to the VM, and memory is reached with the owner's rights. A
 * kick puts a work into the worker's list; a work that is in there already
 * isn't put there twice, and sees what came in the meantime.
 *
 * A kick by a thread of the owner's own needs no other thread: task work runs on
 * that thread before it returns to user mode, and KVM runs it before it enters the guest
 * again. A vCPU that kicked then serves the queue itself.
 */
#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/types.h>

#include "compat.h"
#include "compat_thread.h"
#include "execution.h"

/* struct vb_work flags */
#define VB_WORK_QUEUED	0

/* struct vb_inline flags */
#define VB_INLINE_QUEUED 0

/**
 * struct vb_worker - a thread and what it has to do
 * @list: the works, last one first. Added to by anyone in any context.
 * @killed: the thread died with its process
 * @thread: the thread
 */
struct vb_worker {
	struct llist_head list;
	bool killed;
	struct vb_thread *thread;
};

/**
 * vb_work_init - make a work
 * @work: the work
 * @fn: what to do
 */
void vb_work_init(struct vb_work *work, bool (*fn)(struct vb_work *work))
{
	work->flags = 0;
	work->fn = fn;
}

/* Add to the list; false if it was there. */
static bool vb_worker_add(struct vb_worker *w, struct vb_work *work)
{
	if (test_and_set_bit(VB_WORK_QUEUED, &work->flags))
		return false;
	llist_add(&work->node, &w->list);
	return true;
}

static bool vb_worker_run(void *arg)
{
	struct vb_worker *w = arg;
	struct vb_work *work, *next;
	struct llist_node *list;

	list = llist_del_all(&w->list);
	if (!list)
		return false;
	__set_current_state(TASK_RUNNING);
	llist_for_each_entry_safe(work, next, llist_reverse_order(list), node) {
		clear_bit(VB_WORK_QUEUED, &work->flags);
		/* A kick from here on queues it again; what came before it is seen. */
		smp_mb__after_atomic();
		if (work->fn(work))
			vb_worker_add(w, work);
		cond_resched();
	}
	return true;
}

static void vb_worker_handle_kill(void *arg)
{
	struct vb_worker *w = arg;

	WRITE_ONCE(w->killed, true);
}

static const struct vb_thread_ops vb_worker_thread_ops = {
	.run	= vb_worker_run,
	.killed	= vb_worker_handle_kill,
};

/**
 * vb_worker_create - make a worker, in the name of the calling thread's process
 * @id: of the balloon, for the thread's name
 *
 * Context: process context of a user thread; may sleep.
 * Return: the worker, or an ERR_PTR().
 */
struct vb_worker *vb_worker_create(u64 id)
{
	struct vb_worker *w = kzalloc(sizeof(*w), GFP_KERNEL_ACCOUNT);
	struct vb_thread *thread;
	char name[32];

	if (!w)
		return ERR_PTR(-ENOMEM);
	snprintf(name, sizeof(name), "vballoon-%llu", id);
	thread = vb_thread_create(&vb_worker_thread_ops, w, name);
	if (IS_ERR(thread)) {
		kfree(w);
		return ERR_CAST(thread);
	}
	w->thread = thread;
	return w;
}

/**
 * vb_worker_destroy - end a worker
 * @w: the worker. Nobody queues to it any more. What is still in its list is
 *	not run.
 *
 * Context: may sleep, for as long as the work that is running takes.
 */
void vb_worker_destroy(struct vb_worker *w)
{
	struct vb_work *work, *next;

	vb_thread_stop(w->thread);
	llist_for_each_entry_safe(work, next, llist_del_all(&w->list), node)
		clear_bit(VB_WORK_QUEUED, &work->flags);
	kfree(w);
}

/**
 * vb_worker_queue - have a work run
 * @w: the worker
 * @work: the work
 *
 * Context: any, interrupts off included.
 */
void vb_worker_queue(struct vb_worker *w, struct vb_work *work)
{
	if (!READ_ONCE(w->killed) && vb_worker_add(w, work))
		vb_thread_wake(w->thread);
}

/**
 * vb_worker_interrupt - have what a worker is doing end, if that can be done
 * @w: the worker
 *
 * Context: any.
 */
void vb_worker_interrupt(struct vb_worker *w)
{
	vb_thread_interrupt(w->thread);
}

/**
 * vb_worker_killed - whether a worker died with its process
 * @w: the worker
 *
 * Return: true if nothing runs any more.
 */
bool vb_worker_killed(struct vb_worker *w)
{
	return READ_ONCE(w->killed);
}

static void vb_inline_run(struct callback_head *head)
{
	struct vb_inline *in = container_of(head, struct vb_inline, head);

	WRITE_ONCE(in->task, NULL);
	clear_bit(VB_INLINE_QUEUED, &in->flags);
	/* Who asks from here on asks again; what came before it is seen. */
	smp_mb__after_atomic();
	in->fn(in);
}

/**
 * vb_inline_init - make something to be run by the thread that asks for it
 * @in: it
 * @fn: what to do
 */
void vb_inline_init(struct vb_inline *in, void (*fn)(struct vb_inline *in))
{
	init_task_work(&in->head, vb_inline_run);
	in->flags = 0;
	in->fn = fn;
}

/**
 * vb_inline_is_fit - whether the current thread runs task work, in an address space
 * @mm: the address space
 *
 * Workers of vhost and io_uring share their process's address space and never return to user
 * mode. A thread that exits runs task work once more, without an address space.
 *
 * Context: any.
 * Return: true if so.
 */
bool vb_inline_is_fit(const struct mm_struct *mm)
{
	return in_task() && mm && current->mm == mm && !(current->flags & VB_PF_NO_TASK_WORK);
}

/**
 * vb_inline_add - have something run by this thread
 * @in: it
 * @mm: the address space to run it in
 *
 * When it runs the thread may have another address space, or none: see vb_inline_is_fit().
 *
 * Context: any, interrupts off included.
 * Return: what became of it.
 */
enum vb_inline_result vb_inline_add(struct vb_inline *in, const struct mm_struct *mm)
{
	if (!vb_inline_is_fit(mm))
		return VB_INLINE_UNFIT;
	/* Another thread may be held up for as long as userspace likes, and be a former owner's. */
	if (test_and_set_bit(VB_INLINE_QUEUED, &in->flags))
		return READ_ONCE(in->task) == current ? VB_INLINE_PENDING : VB_INLINE_ELSEWHERE;
	WRITE_ONCE(in->task, current);
	if (!vb_task_work_add(&in->head))
		return VB_INLINE_ADDED;
	clear_bit(VB_INLINE_QUEUED, &in->flags);
	return VB_INLINE_UNFIT;
}

/**
 * vb_inline_flush - wait until nobody executes the end of what was run
 *
 * For module exit: the last reference to the module is dropped by the module's own code.
 *
 * Context: may sleep.
 */
void vb_inline_flush(void)
{
	synchronize_rcu_tasks();
}

/* A callback is being called on this processor, by a thread that can't leave it meanwhile. */
static DEFINE_PER_CPU(bool, vb_in_callback);

/**
 * vb_callback_call - call a callback, if there is one
 * @cb: the callback
 *
 * Context: process context, with a spinlock held.
 */
void vb_callback_call(const struct vhost_balloon_callback *cb)
{
	if (!cb->fn)
		return;
	__this_cpu_write(vb_in_callback, true);
	cb->fn(cb->arg);
	__this_cpu_write(vb_in_callback, false);
}

/**
 * vb_callback_is_running - whether this is called by a callback
 *
 * A VMM may make the eventfd that a queue signals the kick of another one, and of this one the
 * other way round. Served inline, these would keep their thread for ever.
 *
 * Context: any.
 * Return: true if so, or if it interrupts one.
 */
bool vb_callback_is_running(void)
{
	return this_cpu_read(vb_in_callback);
}

static int vb_kick_wake(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct vb_kick *kick = container_of(wait, struct vb_kick, wait);

	if (key_to_poll(key) & EPOLLIN)
		kick->fn(kick);
	return 0;
}

static void vb_kick_enter_queue(struct file *file, wait_queue_head_t *wqh, poll_table *pt)
{
	struct vb_kick *kick = container_of(pt, struct vb_kick, pt);

	kick->wqh = wqh;
	add_wait_queue(wqh, &kick->wait);
}

/**
 * vb_kick_detach - stop listening to an eventfd
 * @kick: the kick; its function isn't called any more after this
 *
 * The eventfd keeps its count, for whoever serves the queue from here on: it may hold a kick that
 * came while the queue was stopped.
 *
 * Context: process context; may sleep.
 */
void vb_kick_detach(struct vb_kick *kick)
{
	if (!kick->file)
		return;
	remove_wait_queue(kick->wqh, &kick->wait);
	fput(kick->file);
	kick->file = NULL;
}

/**
 * vb_kick_attach - have a function called for each signal of an eventfd
 * @kick: the kick, zeroed, detached, or attached to another one, which it leaves
 * @fd: the eventfd
 * @fn: the function; called at once if the eventfd has a count. Nobody here takes that away.
 *
 * Context: process context; may sleep.
 * Return: 0; -EBADF; -EINVAL if it is no eventfd.
 */
int vb_kick_attach(struct vb_kick *kick, int fd, void (*fn)(struct vb_kick *kick))
{
	struct file *file = eventfd_fget(fd);

	if (IS_ERR(file))
		return PTR_ERR(file);

	/* Here, so that nothing has changed where it fails. */
	vb_kick_detach(kick);
	kick->file = file;
	kick->fn = fn;
	init_waitqueue_func_entry(&kick->wait, vb_kick_wake);
	init_poll_funcptr(&kick->pt, vb_kick_enter_queue);
	if (vfs_poll(file, &kick->pt) & EPOLLIN)
		fn(kick);
	return 0;
}
