/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A thread that works in its creator's name: with the address space, the
 * credentials and the cgroup of the process that made it.
 *
 * Where the kernel exports vhost_task it is one (compat_thread_task.c): a real
 * thread of the process, which dies with it. Else it is a kthread that borrows
 * all that (compat_thread_kthread.c): it isn't killed with the process, so what
 * it does in the process's memory would wait for as long as userspace likes, if
 * it weren't interrupted when the process goes.
 */
#ifndef _VHOST_BALLOON_COMPAT_THREAD_H
#define _VHOST_BALLOON_COMPAT_THREAD_H

#include <linux/types.h>

struct vb_thread;

/**
 * struct vb_thread_ops - what a thread does
 * @run: called again and again, in the creator's address space and with the task
 *	state set to TASK_INTERRUPTIBLE; returns false, in that same state, when there was
 *	nothing to do: the thread then sleeps until it is woken
 * @killed: the thread is about to die with its process; nothing runs after this
 */
struct vb_thread_ops {
	bool (*run)(void *arg);
	void (*killed)(void *arg);
};

struct vb_thread *vb_thread_create(const struct vb_thread_ops *ops, void *arg, const char *name);
void vb_thread_wake(struct vb_thread *t);
void vb_thread_interrupt(struct vb_thread *t);
void vb_thread_stop(struct vb_thread *t);

#endif /* _VHOST_BALLOON_COMPAT_THREAD_H */
