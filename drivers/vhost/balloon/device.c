// SPDX-License-Identifier: GPL-2.0
/*
 * One balloon: its life cycle, and the passes over its virtqueues.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/vhost.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "device.h"
#include "trace.h"

/* What a balloon can do. */
#define VB_FEATURES	(BIT_ULL(VIRTIO_F_VERSION_1) |			\
			 BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) |		\
			 BIT_ULL(VIRTIO_RING_F_EVENT_IDX) |		\
			 BIT_ULL(VIRTIO_BALLOON_F_MUST_TELL_HOST) |	\
			 BIT_ULL(VIRTIO_BALLOON_F_STATS_VQ) |		\
			 BIT_ULL(VIRTIO_BALLOON_F_DEFLATE_ON_OOM) |	\
			 BIT_ULL(VIRTIO_BALLOON_F_FREE_PAGE_HINT) |	\
			 BIT_ULL(VIRTIO_BALLOON_F_PAGE_POISON) |	\
			 BIT_ULL(VIRTIO_BALLOON_F_REPORTING))

/* What is for the host's administrator to decide isn't offered unasked. */
#define VB_FEATURES_DEFAULT	(VB_FEATURES &					\
				 ~(BIT_ULL(VIRTIO_BALLOON_F_DEFLATE_ON_OOM) |	\
				   BIT_ULL(VIRTIO_BALLOON_F_REPORTING)))

/* What is no feature of the guest's, but between a VMM and its backend. */
#define VB_FEATURES_VHOST	BIT_ULL(VHOST_F_LOG_ALL)

/* How often to look for memory that a queue lacks. */
#define VB_RETRY_JIFFIES	(HZ / 10)

/* 32-bit page numbers of 4 KiB end at 16 TiB. */
#define VB_GFN_END		BIT_ULL(32)

/**
 * vhost_balloon_features - the feature bits that a balloon can offer
 *
 * Return: virtio feature bits.
 */
u64 vhost_balloon_features(void)
{
	return VB_FEATURES;
}
EXPORT_SYMBOL_GPL(vhost_balloon_features);

/**
 * vhost_balloon_default_features - the feature bits to offer if nobody says otherwise
 *
 * Return: virtio feature bits.
 */
u64 vhost_balloon_default_features(void)
{
	return VB_FEATURES_DEFAULT;
}
EXPORT_SYMBOL_GPL(vhost_balloon_default_features);

static struct vhost_balloon *vb_from_listener(struct vb_memory_listener *l)
{
	return container_of(l, struct vhost_balloon, listener);
}

static void vb_device_region_begin(struct vb_memory_listener *l)
{
	struct vhost_balloon *vb = vb_from_listener(l);

	vb->ram_next = 0;
	vb->above_16t = false;
}

/* Regions that stay are summed up like those that come. */
static void vb_device_region_nop(struct vb_memory_listener *l, const struct vhost_balloon_slot *r)
{
	struct vhost_balloon *vb = vb_from_listener(l);

	if (vb_region_discardable(r))
		vb->ram_next += r->nr << PAGE_SHIFT;
	if (r->gfn + r->nr > VB_GFN_END)
		vb->above_16t = true;
}

static void vb_device_region_add(struct vb_memory_listener *l, const struct vhost_balloon_slot *r)
{
	vb_count(&vb_from_listener(l)->counters, VHOST_BALLOON_C_REGION_ADD, 1);
	vb_device_region_nop(l, r);
}

static void vb_device_region_del(struct vb_memory_listener *l, const struct vhost_balloon_slot *r)
{
	vb_count(&vb_from_listener(l)->counters, VHOST_BALLOON_C_REGION_DEL, 1);
}

static void vb_device_region_commit(struct vb_memory_listener *l)
{
	struct vhost_balloon *vb = vb_from_listener(l);

	WRITE_ONCE(vb->ram, vb->ram_next);
	vb_count(&vb->counters, VHOST_BALLOON_C_REGION_COMMIT, 1);
}

static const struct vb_memory_listener_ops vb_device_listener_ops = {
	.begin		= vb_device_region_begin,
	.region_del	= vb_device_region_del,
	.region_add	= vb_device_region_add,
	.region_nop	= vb_device_region_nop,
	.commit		= vb_device_region_commit,
};

/**
 * vb_vq_queue_work - have a pass over a queue run, if there is anyone to run it
 * @vq: the queue
 *
 * Context: any, interrupts off included.
 */
void vb_vq_queue_work(struct vb_vq *vq)
{
	struct vb_worker *w;

	rcu_read_lock();
	w = rcu_dereference(vq->vb->worker);
	if (w)
		vb_worker_queue(w, &vq->work);
	rcu_read_unlock();
}

/**
 * vb_device_queue_all - have a pass over each queue run
 * @vb: the balloon
 *
 * Context: any, interrupts off included.
 */
void vb_device_queue_all(struct vhost_balloon *vb)
{
	unsigned int i;

	for (i = 0; i < VB_NR_QUEUES; i++)
		vb_vq_queue_work(&vb->vq[i]);
}

static void vb_device_retry(struct work_struct *work)
{
	vb_device_queue_all(container_of(to_delayed_work(work), struct vhost_balloon, retry));
}

/**
 * vb_vq_broken - tell everyone that a queue is broken
 * @vq: the queue
 *
 * Context: process context.
 */
void vb_vq_broken(struct vb_vq *vq)
{
	struct vb_queue *q = &vq->queue;

	vb_count(&vq->vb->counters, VHOST_BALLOON_C_BROKEN, 1);
	trace_vhost_balloon_broken(vq->vb->id, q->index, q->vring.broken);
	spin_lock(&q->cb_lock);
	vb_callback_call(&vq->err);
	spin_unlock(&q->cb_lock);
	vb_device_event(vq->vb, VHOST_BALLOON_EVENT_BROKEN);
}

static bool vb_vq_work(struct vb_work *work)
{
	struct vb_vq *vq = container_of(work, struct vb_vq, work);

	switch (vb_queue_pass(&vq->queue)) {
	case VB_QUEUE_MORE:
	case VB_QUEUE_INTERRUPTED:
		return true;
	case VB_QUEUE_LATER:
		schedule_delayed_work(&vq->vb->retry, VB_RETRY_JIFFIES);
		return false;
	case VB_QUEUE_NOW_BROKEN:
		vb_vq_broken(vq);
		return false;
	case VB_QUEUE_IDLE:
		break;
	}
	return false;
}

static void vb_device_destroy_queues(struct vhost_balloon *vb, unsigned int nr)
{
	while (nr--)
		vb_queue_destroy(&vb->vq[nr].queue);
}

static int vb_vq_init(struct vhost_balloon *vb, unsigned int index)
{
	struct vb_vq *vq = &vb->vq[index];
	struct vb_queue *q = &vq->queue;
	int ret;

	vq->vb = vb;
	vb_work_init(&vq->work, vb_vq_work);
	vb_vq_init_inline(vq);
	ret = vb_queue_init(q, &vb->memory, &vb->counters);
	if (ret)
		return ret;
	q->id = vb->id;
	q->index = index;
	q->discard.inhibit = &vb->inhibit;
	/* These two have the same role whatever is negotiated. */
	if (index <= VHOST_BALLOON_ROLE_DEFLATE) {
		q->discard.gather = &vb->parts;
		q->discard.thp = &vb->thp;
	}
	return 0;
}

static int vb_device_init_queues(struct vhost_balloon *vb)
{
	unsigned int i;
	int ret;

	for (i = 0; i < VB_NR_QUEUES; i++) {
		ret = vb_vq_init(vb, i);
		if (ret) {
			vb_device_destroy_queues(vb, i);
			return ret;
		}
	}
	vb_device_clear_roles(vb);
	return 0;
}

/* Who follows the memory does so long before there is any, and is told when it comes. */
static int vb_device_init_listeners(struct vhost_balloon *vb)
{
	int ret;

	vb->listener.ops = &vb_device_listener_ops;
	vb->listener.traced = true;
	ret = vb_memory_register(&vb->memory, &vb->listener);
	if (ret)
		return ret;
	ret = vb_pagebits_init(&vb->parts, &vb->memory, true);
	if (ret)
		goto err_listener;
	ret = vb_device_init_hint(vb);
	if (ret)
		goto err_parts;
	return 0;

err_parts:
	vb_pagebits_destroy(&vb->parts);
err_listener:
	vb_memory_unregister(&vb->memory, &vb->listener);
	return ret;
}

static void vb_device_init(struct vhost_balloon *vb, const struct vhost_balloon_params *params,
			   u64 id)
{
	kref_init(&vb->ref);
	INIT_LIST_HEAD(&vb->node);
	vb->id = id;
	vb->params = *params;
	vb->access = params->access;
	vb->tunables = vb_device_default_tunables();
	mutex_init(&vb->lock);
	spin_lock_init(&vb->config_lock);
	spin_lock_init(&vb->watch_lock);
	INIT_LIST_HEAD(&vb->watchers);
	INIT_DELAYED_WORK(&vb->retry, vb_device_retry);
	vb_device_init_stats(vb);
	vb_device_init_thp(vb);
	vb_memory_init(&vb->memory, id);
}

/**
 * vb_device_create - make a balloon, without an owner
 * @params: how
 * @id: its id
 *
 * Context: may sleep.
 * Return: the balloon, with one reference; or an ERR_PTR(): -EINVAL for
 *	features that there are not, -ENOMEM.
 */
struct vhost_balloon *vb_device_create(const struct vhost_balloon_params *params, u64 id)
{
	struct vhost_balloon *vb;
	int ret;

	if (params->features & ~(VB_FEATURES | VB_FEATURES_VHOST))
		return ERR_PTR(-EINVAL);
	vb = kvzalloc(sizeof(*vb), GFP_KERNEL_ACCOUNT);
	if (!vb)
		return ERR_PTR(-ENOMEM);
	vb_device_init(vb, params, id);
	ret = vb_device_init_queues(vb);
	if (ret)
		goto err_free;
	ret = vb_device_init_listeners(vb);
	if (ret)
		goto err_queues;
	return vb;

err_queues:
	vb_device_destroy_queues(vb, VB_NR_QUEUES);
err_free:
	kvfree(vb);
	return ERR_PTR(ret);
}

static void vb_device_free(struct kref *ref)
{
	struct vhost_balloon *vb = container_of(ref, struct vhost_balloon, ref);

	vb_hint_destroy(&vb->hint);
	vb_pagebits_destroy(&vb->parts);
	vb_memory_unregister(&vb->memory, &vb->listener);
	vb_device_destroy_queues(vb, VB_NR_QUEUES);
	vb_memory_destroy(&vb->memory);
	mutex_destroy(&vb->lock);
	kvfree(vb);
}

/**
 * vb_device_get - take a reference
 * @vb: the balloon
 */
void vb_device_get(struct vhost_balloon *vb)
{
	kref_get(&vb->ref);
}

/**
 * vb_device_put - drop a reference
 * @vb: the balloon. It was shut down before the last one.
 *
 * Context: may sleep.
 */
void vb_device_put(struct vhost_balloon *vb)
{
	kref_put(&vb->ref, vb_device_free);
}

/**
 * vhost_balloon_memory_changed - look again for memory that the queues may lack
 * @vb: the balloon
 *
 * Context: any.
 */
void vhost_balloon_memory_changed(struct vhost_balloon *vb)
{
	vb_device_queue_all(vb);
}
EXPORT_SYMBOL_GPL(vhost_balloon_memory_changed);
