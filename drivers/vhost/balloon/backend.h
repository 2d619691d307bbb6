/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A backend file: what connects a VMM to its balloon.
 */
#ifndef _VHOST_BALLOON_BACKEND_H
#define _VHOST_BALLOON_BACKEND_H

#include <linux/mutex.h>
#include <linux/rwsem.h>

#include "device.h"
#include "execution.h"

struct eventfd_ctx;

/**
 * struct vb_backend_vq - what a virtqueue is connected to
 * @backend: whose
 * @index: of the virtqueue
 * @kick: the guest's notifications
 * @call: interrupts the guest
 * @err: says that the queue is broken
 */
struct vb_backend_vq {
	struct vb_backend *backend;
	unsigned int index;
	struct vb_kick kick;
	struct eventfd_ctx *call;
	struct eventfd_ctx *err;
};

/**
 * struct vb_backend - a backend file
 * @owner: held for reading by the owner's ioctls, from the check that it is the
 *	owner to the end, and for writing where the owner changes. Taken first.
 * @lock: protects everything below. Taken before the device mutex.
 * @vb: the balloon, since the first VHOST_SET_OWNER; then it doesn't change, and
 *	may be read without @lock
 * @log: says that something was logged
 * @config_call: tells the guest that the configuration has changed
 * @vq: the virtqueues
 */
struct vb_backend {
	struct rw_semaphore owner;
	struct mutex lock;
	struct vhost_balloon *vb;
	struct eventfd_ctx *log;
	struct eventfd_ctx *config_call;
	struct vb_backend_vq vq[VB_NR_QUEUES];
};

/* Gives a callback to a balloon, for one of its virtqueues or for all of it. */
typedef void vb_backend_set_fn(struct vhost_balloon *vb, unsigned int index,
			       struct vhost_balloon_callback cb);

int vb_backend_lock(struct vb_backend *b);
int vb_backend_set_eventfd(struct vb_backend *b, struct eventfd_ctx **slot, int fd,
			   vb_backend_set_fn *set, unsigned int index);
void vb_backend_put_eventfd(struct eventfd_ctx **ctx);

long vb_vhost_ioctl(struct vb_backend *b, unsigned int cmd, void __user *argp);

#endif /* _VHOST_BALLOON_BACKEND_H */
