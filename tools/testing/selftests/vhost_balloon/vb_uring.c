// SPDX-License-Identifier: GPL-2.0
/*
 * io_uring, as far as it kicks.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "vb_backend.h"
#include "vb_uring.h"

static __u32 *ring_word(struct vb_uring *r, __u32 offset)
{
	return r->rings + offset;
}

static int map_rings(struct vb_uring *r, const struct io_uring_params *p)
{
	size_t sq_len = p->sq_off.array + p->sq_entries * sizeof(__u32);
	size_t cq_len = p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe);

	/* Both rings are in one mapping. */
	if (!(p->features & IORING_FEAT_SINGLE_MMAP))
		return -EOPNOTSUPP;
	r->rings_len = sq_len > cq_len ? sq_len : cq_len;
	r->rings = mmap(NULL, r->rings_len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			r->fd, IORING_OFF_SQ_RING);
	if (r->rings == MAP_FAILED) {
		r->rings = NULL;
		return -errno;
	}
	r->sqes = mmap(NULL, p->sq_entries * sizeof(*r->sqes), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_POPULATE, r->fd, IORING_OFF_SQES);
	if (r->sqes == MAP_FAILED) {
		r->sqes = NULL;
		return -errno;
	}
	return 0;
}

int vb_uring_open(struct vb_uring *r, unsigned int flags)
{
	struct io_uring_params p = { .flags = flags, .sq_thread_idle = 100 };
	int ret;

	memset(r, 0, sizeof(*r));
	r->flags = flags;
	r->fd = syscall(__NR_io_uring_setup, VB_URING_NUM, &p);
	if (r->fd < 0)
		return -errno;
	r->sq = p.sq_off;
	r->cq = p.cq_off;
	ret = map_rings(r, &p);
	if (ret)
		vb_uring_close(r);
	return ret;
}

void vb_uring_close(struct vb_uring *r)
{
	if (r->rings)
		munmap(r->rings, r->rings_len);
	if (r->sqes)
		munmap(r->sqes, VB_URING_NUM * sizeof(*r->sqes));
	if (r->fd >= 0)
		close(r->fd);
	r->rings = NULL;
	r->sqes = NULL;
	r->fd = -1;
}

static struct io_uring_sqe *add(struct vb_uring *r, __u8 opcode, int fd, unsigned int flags)
{
	__u32 tail = *ring_word(r, r->sq.tail), i = tail % VB_URING_NUM;
	struct io_uring_sqe *sqe = &r->sqes[i];

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = opcode;
	sqe->fd = fd;
	sqe->flags = flags;
	ring_word(r, r->sq.array)[i] = i;
	r->pending++;
	return sqe;
}

/* What was added becomes visible: with SQPOLL it may be submitted from here on. */
static void publish(struct vb_uring *r)
{
	__u32 *tail = ring_word(r, r->sq.tail);

	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
}

void vb_uring_write(struct vb_uring *r, int eventfd, const __u64 *value, unsigned int flags)
{
	struct io_uring_sqe *sqe = add(r, IORING_OP_WRITE, eventfd, flags);

	sqe->addr = (unsigned long)value;
	sqe->len = sizeof(*value);
	publish(r);
}

void vb_uring_close_fd(struct vb_uring *r, int fd)
{
	add(r, IORING_OP_CLOSE, fd, 0);
	publish(r);
}

static int enter(struct vb_uring *r, unsigned int submit, unsigned int wait, unsigned int flags)
{
	int ret;

	if (wait)
		flags |= IORING_ENTER_GETEVENTS;
	do {
		ret = syscall(__NR_io_uring_enter, r->fd, submit, wait, flags, NULL, 0);
	} while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : ret;
}

int vb_uring_submit(struct vb_uring *r, unsigned int wait)
{
	unsigned int flags = 0;
	int ret;

	if (r->flags & IORING_SETUP_SQPOLL) {
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (__atomic_load_n(ring_word(r, r->sq.flags), __ATOMIC_RELAXED) &
		    IORING_SQ_NEED_WAKEUP)
			flags = IORING_ENTER_SQ_WAKEUP;
	}
	ret = enter(r, r->pending, wait, flags);
	if (ret >= 0)
		r->pending = 0;
	return ret < 0 ? ret : 0;
}

int vb_uring_result(struct vb_uring *r)
{
	struct io_uring_cqe *cqes = r->rings + r->cq.cqes;
	__u32 *head = ring_word(r, r->cq.head);
	__u32 mask = *ring_word(r, r->cq.ring_mask);
	int ret;

	if (*head == __atomic_load_n(ring_word(r, r->cq.tail), __ATOMIC_ACQUIRE))
		return -EAGAIN;
	ret = cqes[*head & mask].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return ret;
}

int vb_uring_wait(struct vb_uring *r)
{
	__u64 end = vb_now_ms() + VB_TIMEOUT_MS;
	int ret;

	while ((ret = vb_uring_result(r)) == -EAGAIN && vb_now_ms() < end)
		usleep(100);
	return ret;
}
