// SPDX-License-Identifier: GPL-2.0
/*
 * How a balloon's virtqueues are set up. Nothing here but the callbacks and the log may
 * be changed while a queue is running.
 */
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/vhost.h>
#include <linux/virtio_ring.h>

#include "device.h"

/* Bytes of the largest used ring, and its event index. */
#define VB_USED_MAX	(2 * sizeof(__virtio16) + sizeof(__virtio16) +	\
			 VHOST_BALLOON_VRING_MAX * sizeof(struct vring_used_elem))

static struct vb_vq *vb_device_vq(struct vhost_balloon *vb, unsigned int index)
{
	if (index >= VB_NR_QUEUES)
		return NULL;
	return &vb->vq[array_index_nospec(index, VB_NR_QUEUES)];
}

/**
 * vhost_balloon_nr_queues - number of virtqueues of a balloon
 *
 * Return: the number.
 */
unsigned int vhost_balloon_nr_queues(void)
{
	return VB_NR_QUEUES;
}
EXPORT_SYMBOL_GPL(vhost_balloon_nr_queues);

/*
 * Take the locks under which a stopped queue may be changed: the device mutex,
 * and the queue's, since a pass may be on its way out. Returns the queue, or an
 * ERR_PTR().
 */
static struct vb_vq *vb_vq_lock_stopped(struct vhost_balloon *vb, unsigned int index)
{
	struct vb_vq *vq = vb_device_vq(vb, index);
	int ret;

	if (!vq)
		return ERR_PTR(-ENOBUFS);
	if (mutex_lock_killable(&vb->lock))
		return ERR_PTR(-EINTR);
	ret = vb->running ? -EBUSY : mutex_lock_killable(&vq->queue.lock);
	if (ret) {
		mutex_unlock(&vb->lock);
		return ERR_PTR(ret);
	}
	return vq;
}

static void vb_vq_unlock(struct vb_vq *vq)
{
	mutex_unlock(&vq->queue.lock);
	mutex_unlock(&vq->vb->lock);
}

/**
 * vhost_balloon_set_vq_num - set the size of a ring
 * @vb: the balloon
 * @index: of the virtqueue
 * @num: entries, a power of two of at most VHOST_BALLOON_VRING_MAX
 *
 * Context: may sleep.
 * Return: 0; -ENOBUFS if there is no such virtqueue; -EBUSY while running;
 *	-EINVAL; -EINTR.
 */
int vhost_balloon_set_vq_num(struct vhost_balloon *vb, unsigned int index, unsigned int num)
{
	struct vb_vq *vq = vb_vq_lock_stopped(vb, index);
	int ret = -EINVAL;

	if (IS_ERR(vq))
		return PTR_ERR(vq);
	if (is_power_of_2(num) && num <= VHOST_BALLOON_VRING_MAX) {
		vq->queue.num = num;
		ret = 0;
	}
	vb_vq_unlock(vq);
	return ret;
}
EXPORT_SYMBOL_GPL(vhost_balloon_set_vq_num);

/* Whether ring parts lie on the boundaries that virtio 1.4, section 2.7 asks for. */
static bool vb_ring_is_aligned(u64 desc, u64 avail, u64 used)
{
	return IS_ALIGNED(desc, VRING_DESC_ALIGN_SIZE) &&
	       IS_ALIGNED(avail, VRING_AVAIL_ALIGN_SIZE) &&
	       IS_ALIGNED(used, VRING_USED_ALIGN_SIZE);
}

static void vb_vq_put_addr(struct vb_vq *vq, u64 desc, u64 avail, u64 used)
{
	vq->queue.desc = desc;
	vq->queue.avail = avail;
	vq->queue.used = used;
}

/**
 * vhost_balloon_set_vq_addr - set where a ring is, in guest addresses
 * @vb: the balloon
 * @index: of the virtqueue
 * @desc: guest address of the descriptor table
 * @avail: guest address of the available ring
 * @used: guest address of the used ring
 *
 * Context: may sleep.
 * Return: 0; -ENOBUFS if there is no such virtqueue; -EBUSY while running;
 *	-EINVAL if an address isn't aligned; -EINTR.
 */
int vhost_balloon_set_vq_addr(struct vhost_balloon *vb, unsigned int index, u64 desc, u64 avail,
			      u64 used)
{
	struct vb_vq *vq = vb_vq_lock_stopped(vb, index);
	int ret = -EINVAL;

	if (IS_ERR(vq))
		return PTR_ERR(vq);
	if (vb_ring_is_aligned(desc, avail, used)) {
		vb_vq_put_addr(vq, desc, avail, used);
		vq->queue.guest_ring = true;
		ret = 0;
	}
	vb_vq_unlock(vq);
	return ret;
}
EXPORT_SYMBOL_GPL(vhost_balloon_set_vq_addr);

static bool vb_vq_has_addr(const struct vb_vq *vq, const struct vhost_vring_addr *addr)
{
	const struct vb_queue *q = &vq->queue;

	return q->desc == addr->desc_user_addr && q->avail == addr->avail_user_addr &&
	       q->used == addr->used_user_addr;
}

/* With the device mutex and the queue mutex held. */
static int vb_vq_set_addr_locked(struct vb_vq *vq, const struct vhost_vring_addr *addr)
{
	struct vb_queue *q = &vq->queue;

	/* The log may be switched on and off at any time, the rest may not. */
	if (vq->vb->running && (!vq->ready || !vb_vq_has_addr(vq, addr)))
		return -EBUSY;
	vb_vq_put_addr(vq, addr->desc_user_addr, addr->avail_user_addr, addr->used_user_addr);
	q->guest_ring = false;
	q->log.used = addr->log_guest_addr;
	q->log.enabled = addr->flags & BIT(VHOST_VRING_F_LOG);
	return 0;
}

/**
 * vb_device_set_vq_addr - set where a ring is, in the owner's addresses, and whether it's logged
 * @vb: the balloon
 * @addr: as VHOST_SET_VRING_ADDR has it
 *
 * Context: may sleep; waits for a pass in progress.
 * Return: 0; -ENOBUFS if there is no such virtqueue; -EBUSY while running, unless only the
 *	log changes; -EINVAL if an address isn't aligned; -EINTR.
 */
int vb_device_set_vq_addr(struct vhost_balloon *vb, const struct vhost_vring_addr *addr)
{
	struct vb_vq *vq = vb_device_vq(vb, addr->index);
	int ret;

	if (!vq)
		return -ENOBUFS;
	if (!vb_ring_is_aligned(addr->desc_user_addr, addr->avail_user_addr,
				addr->used_user_addr) ||
	    !IS_ALIGNED(addr->log_guest_addr, VRING_USED_ALIGN_SIZE) ||
	    addr->log_guest_addr > U64_MAX - VB_USED_MAX)
		return -EINVAL;
	if (mutex_lock_killable(&vb->lock))
		return -EINTR;
	ret = vb_queue_lock_to_stop(&vq->queue, true);
	if (!ret) {
		ret = vb_vq_set_addr_locked(vq, addr);
		mutex_unlock(&vq->queue.lock);
	}
	mutex_unlock(&vb->lock);
	return ret;
}

/**
 * vhost_balloon_set_vq_base - set the available index to begin with
 * @vb: the balloon
 * @index: of the virtqueue
 * @base: the index
 *
 * Context: may sleep.
 * Return: 0; -ENOBUFS if there is no such virtqueue; -EBUSY while running; -EINTR.
 */
int vhost_balloon_set_vq_base(struct vhost_balloon *vb, unsigned int index, u16 base)
{
	struct vb_vq *vq = vb_vq_lock_stopped(vb, index);

	if (IS_ERR(vq))
		return PTR_ERR(vq);
	vq->queue.base = base;
	/* A pause needs none of this: there may be another driver. */
	vb_device_forget_parts(vb);
	vb_stats_reset(&vb->stats);
	vb_vq_unlock(vq);
	return 0;
}
EXPORT_SYMBOL_GPL(vhost_balloon_set_vq_base);

/**
 * vhost_balloon_get_vq_base - the available index that the queue would go on from
 * @vb: the balloon
 * @index: of the virtqueue
 * @base: filled with the index
 *
 * Context: may sleep; waits for a pass in progress.
 * Return: 0; -ENOBUFS if there is no such virtqueue; -EINTR.
 */
int vhost_balloon_get_vq_base(struct vhost_balloon *vb, unsigned int index, u16 *base)
{
	struct vb_vq *vq = vb_device_vq(vb, index);

	if (!vq)
		return -ENOBUFS;
	if (vb_queue_lock_to_stop(&vq->queue, true))
		return -EINTR;
	*base = vb_queue_base(&vq->queue);
	mutex_unlock(&vq->queue.lock);
	return 0;
}
EXPORT_SYMBOL_GPL(vhost_balloon_get_vq_base);

/**
 * vhost_balloon_set_vq_callback - set what interrupts the guest
 * @vb: the balloon
 * @index: of the virtqueue
 * @cb: the callback; the former one isn't called any more after this
 *
 * Context: process context.
 */
void vhost_balloon_set_vq_callback(struct vhost_balloon *vb, unsigned int index,
				   struct vhost_balloon_callback cb)
{
	struct vb_vq *vq = vb_device_vq(vb, index);

	if (vq)
		vb_queue_set_callback(&vq->queue, cb);
}
EXPORT_SYMBOL_GPL(vhost_balloon_set_vq_callback);

/**
 * vb_device_set_vq_err - set what says that a queue is broken
 * @vb: the balloon
 * @index: of the virtqueue
 * @cb: the callback; the former one isn't called any more after this
 *
 * Context: process context.
 */
void vb_device_set_vq_err(struct vhost_balloon *vb, unsigned int index,
			  struct vhost_balloon_callback cb)
{
	struct vb_vq *vq = vb_device_vq(vb, index);

	if (!vq)
		return;
	spin_lock(&vq->queue.cb_lock);
	vq->err = cb;
	spin_unlock(&vq->queue.cb_lock);
}

/**
 * vhost_balloon_set_vq_ready - say whether a queue is set up
 * @vb: the balloon
 * @index: of the virtqueue
 * @ready: which; takes effect at once where the balloon is running
 *
 * Context: may sleep; waits for a pass in progress.
 */
void vhost_balloon_set_vq_ready(struct vhost_balloon *vb, unsigned int index, bool ready)
{
	struct vb_vq *vq = vb_device_vq(vb, index);

	if (!vq)
		return;
	mutex_lock(&vb->lock);
	if (vq->ready != ready) {
		vq->ready = ready;
		if (vb->running && ready) {
			vb_device_resolve_late_role(vq);
			vb_vq_start(vq);
		} else if (vb->running) {
			vb_vq_stop(vq, false);
		}
	}
	mutex_unlock(&vb->lock);
}
EXPORT_SYMBOL_GPL(vhost_balloon_set_vq_ready);

/**
 * vhost_balloon_get_vq_ready - whether a queue is set up
 * @vb: the balloon
 * @index: of the virtqueue
 *
 * Context: any.
 * Return: true if so.
 */
bool vhost_balloon_get_vq_ready(struct vhost_balloon *vb, unsigned int index)
{
	struct vb_vq *vq = vb_device_vq(vb, index);

	return vq && READ_ONCE(vq->ready);
}
EXPORT_SYMBOL_GPL(vhost_balloon_get_vq_ready);

/**
 * vhost_balloon_set_features - set the features that were negotiated
 * @vb: the balloon
 * @features: virtio feature bits
 *
 * Context: may sleep.
 * Return: 0; -EOPNOTSUPP for bits that aren't offered; -EBUSY while running, unless
 *	it's only VHOST_F_LOG_ALL that changes; -EINTR.
 */
int vhost_balloon_set_features(struct vhost_balloon *vb, u64 features)
{
	u64 changed;
	int ret = 0;

	if (features & ~vb->params.features)
		return -EOPNOTSUPP;
	if (mutex_lock_killable(&vb->lock))
		return -EINTR;
	changed = (vb->features ^ features) & ~BIT_ULL(VHOST_F_LOG_ALL);
	if (vb->running && changed)
		ret = -EBUSY;
	else
		WRITE_ONCE(vb->features, features);
	/* What was negotiated by a driver, or by its successor. */
	if (!vb->running)
		vb_device_forget_parts(vb);
	mutex_unlock(&vb->lock);
	return ret;
}
EXPORT_SYMBOL_GPL(vhost_balloon_set_features);

/**
 * vhost_balloon_offered_features - the features that the balloon offers
 * @vb: the balloon
 *
 * Context: any.
 * Return: virtio feature bits.
 */
u64 vhost_balloon_offered_features(struct vhost_balloon *vb)
{
	return vb->params.features;
}
EXPORT_SYMBOL_GPL(vhost_balloon_offered_features);
