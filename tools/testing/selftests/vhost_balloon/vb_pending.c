// SPDX-License-Identifier: GPL-2.0
/*
 * A thread that kicks on its way into a system call, and is held up there.
 */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "vb_inline.h"
#include "vb_pending.h"

#define FILTER_LEN	4

int vb_pending_filter(long number)
{
	struct sock_filter filter[FILTER_LEN] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {
		.len = FILTER_LEN,
		.filter = filter,
	};
	int fd = syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			 &program);

	return fd < 0 ? -errno : fd;
}

/* Whether this thread is one that kicks if it wakes up those who poll: 0 or 1. */
static int wakes_itself(struct vb_inline *s)
{
	struct vb_aio aio;
	int ends[2];
	int ret;

	if (pipe(ends))
		return -errno;
	ret = vb_aio_poll(&aio, ends[0], POLLIN, s->m.inflate.kick);
	if (!ret) {
		if (write(ends[1], "", 1) != 1)
			ret = -EIO;
		if (!ret)
			ret = vb_wait_counter(s->m.backend, VHOST_BALLOON_C_PASSES,
					      s->before.value[VHOST_BALLOON_C_PASSES] + 1);
		vb_aio_close(&aio);
	}
	close(ends[0]);
	close(ends[1]);
	return ret ?: vb_inline_risen(s, VHOST_BALLOON_C_PASSES_INLINE) == 1;
}

const char *vb_pending_missing(void)
{
	__u32 action = SECCOMP_RET_USER_NOTIF;
	struct vb_inline s = { 0 };
	int ret;

	if (syscall(__NR_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action))
		return "no seccomp filter that asks";
	ret = vb_inline_open(&s, false, VB_MEMORY_ANON, 1);
	if (!ret)
		ret = wakes_itself(&s);
	vb_inline_close(&s);
	if (ret < 0)
		return "no asynchronous I/O that signals";
	return ret ? NULL : "asynchronous I/O signals from a thread of the kernel's";
}

static void *pending_run(void *arg)
{
	struct vb_pending *p = arg;
	int listener = vb_pending_filter(p->number);

	p->error = listener < 0 ? listener :
		   vb_aio_poll(&p->aio, listener, POLLIN, p->kick);
	__atomic_store_n(&p->listener, listener, __ATOMIC_RELEASE);
	if (p->error || p->number == __NR_exit)
		return NULL;
	p->ret = syscall(p->number, p->args[0], p->args[1], p->args[2]);
	if (p->ret < 0)
		p->ret = -errno;
	return NULL;
}

/* The thread has called: what it asks. */
static int wait_for_call(struct vb_pending *p)
{
	struct seccomp_notif question = { 0 };
	struct pollfd pfd = { .events = POLLIN };
	__u64 end = vb_now_ms() + VB_TIMEOUT_MS;

	while ((pfd.fd = __atomic_load_n(&p->listener, __ATOMIC_ACQUIRE)) == -1) {
		if (vb_now_ms() > end)
			return -ETIMEDOUT;
		usleep(100);
	}
	if (p->error)
		return p->error;
	if (poll(&pfd, 1, VB_TIMEOUT_MS) <= 0)
		return -ETIMEDOUT;
	if (ioctl(p->listener, SECCOMP_IOCTL_NOTIF_RECV, &question))
		return -errno;
	p->id = question.id;
	return 0;
}

int vb_pending_start(struct vb_pending *p, long number, int kick)
{
	int ret;

	p->number = number;
	p->kick = kick;
	p->listener = -1;
	ret = pthread_create(&p->thread, NULL, pending_run, p);
	if (ret)
		return -ret;
	p->started = true;
	return wait_for_call(p);
}

int vb_pending_release(struct vb_pending *p)
{
	struct seccomp_notif_resp answer = {
		.id = p->id,
		.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE,
	};

	return vb_ioctl(p->listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

int vb_pending_join(struct vb_pending *p)
{
	int ret;

	if (!p->started)
		return -EINVAL;
	ret = pthread_join(p->thread, NULL);
	p->started = false;
	vb_aio_close(&p->aio);
	if (p->listener >= 0)
		close(p->listener);
	return -ret;
}
