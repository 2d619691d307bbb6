// SPDX-License-Identifier: GPL-2.0
/*
 * Which virtqueue is for what.
 *
 * The queues after the first two exist only if their features are negotiated. The standard
 * numbers them all the same, so that there may be gaps (virtio 1.4, section 5.5.2). Linux's driver
 * leaves no gaps. Both kinds of driver are met, and the difference shows in which
 * queues a driver sets up.
 */
#include <linux/bitops.h>
#include <linux/string.h>
#include <linux/virtio_balloon.h>

#include "device.h"
#include "inflate.h"
#include "report.h"

static const struct vb_queue_ops * const vb_role_ops[] = {
	[VHOST_BALLOON_ROLE_INFLATE]	= &vb_inflate_ops,
	[VHOST_BALLOON_ROLE_DEFLATE]	= &vb_deflate_ops,
	[VHOST_BALLOON_ROLE_STATS]	= &vb_stats_ops,
	[VHOST_BALLOON_ROLE_HINT]	= &vb_hint_ops,
	[VHOST_BALLOON_ROLE_REPORT]	= &vb_report_ops,
};

/* Feature bits without which a role isn't there. */
static const u64 vb_role_feature[] = {
	[VHOST_BALLOON_ROLE_INFLATE]	= 0,
	[VHOST_BALLOON_ROLE_DEFLATE]	= 0,
	[VHOST_BALLOON_ROLE_STATS]	= BIT_ULL(VIRTIO_BALLOON_F_STATS_VQ),
	[VHOST_BALLOON_ROLE_HINT]	= BIT_ULL(VIRTIO_BALLOON_F_FREE_PAGE_HINT),
	[VHOST_BALLOON_ROLE_REPORT]	= BIT_ULL(VIRTIO_BALLOON_F_REPORTING),
};

/**
 * struct vb_numbering - the roles of virtqueues, by index
 * @role: the roles, VHOST_BALLOON_ROLE_NONE for none
 * @indices: a bit for each index that has a role
 */
struct vb_numbering {
	u16 role[VB_NR_QUEUES];
	unsigned long indices;
};

static void vb_numbering_make(struct vb_numbering *n, u64 features, bool gaps)
{
	unsigned int role, index = 0;

	n->indices = 0;
	memset16(n->role, VHOST_BALLOON_ROLE_NONE, VB_NR_QUEUES);
	for (role = 0; role < VHOST_BALLOON_NR_ROLES; role++) {
		if (vb_role_feature[role] & ~features)
			continue;
		if (gaps)
			index = role;
		n->role[index] = role;
		n->indices |= BIT(index);
		index++;
	}
}

/*
 * Choose the numbering by the indices that are set up. If a driver sets up all that it has
 * negotiated the two can't be mixed up: where the indices are the same so are the roles. If
 * it doesn't, one that leaves no gap is taken for Linux's.
 */
static void vb_numbering_choose(struct vb_numbering *n, u64 features, unsigned long set_up)
{
	bool prefix = !(set_up & (set_up + 1));
	struct vb_numbering gaps;
	unsigned int i;

	vb_numbering_make(n, features, false);
	vb_numbering_make(&gaps, features, true);
	if (prefix && !(set_up & ~n->indices))
		return;
	if (!(set_up & ~gaps.indices)) {
		*n = gaps;
		return;
	}
	if (!(set_up & ~n->indices))
		return;
	/* Neither: a hint that is taken for a report is lost memory. Only what is sure. */
	for (i = 0; i < VB_NR_QUEUES; i++)
		if (n->role[i] != gaps.role[i])
			n->role[i] = VHOST_BALLOON_ROLE_NONE;
}

static void *vb_role_data(struct vhost_balloon *vb, u16 role)
{
	switch (role) {
	case VHOST_BALLOON_ROLE_STATS:
		return &vb->stats;
	case VHOST_BALLOON_ROLE_HINT:
		return &vb->hint;
	default:
		return NULL;
	}
}

/* The queue isn't running. */
static void vb_vq_set_role(struct vb_vq *vq, u16 role)
{
	struct vb_queue *q = &vq->queue;

	mutex_lock(&q->lock);
	WRITE_ONCE(q->role, role);
	WRITE_ONCE(q->ops, role == VHOST_BALLOON_ROLE_NONE ? NULL : vb_role_ops[role]);
	q->data = vb_role_data(vq->vb, role);
	mutex_unlock(&q->lock);
}

static unsigned long vb_device_set_up(const struct vhost_balloon *vb)
{
	unsigned long set_up = 0;
	unsigned int i;

	for (i = 0; i < VB_NR_QUEUES; i++)
		if (vb->vq[i].ready && vb->vq[i].queue.num)
			set_up |= BIT(i);
	return set_up;
}

/**
 * vb_device_resolve_roles - find out what the virtqueues are for
 * @vb: the balloon, not running; the caller holds the device mutex
 */
void vb_device_resolve_roles(struct vhost_balloon *vb)
{
	struct vb_numbering n;
	unsigned int i;

	vb_numbering_choose(&n, vb->features, vb_device_set_up(vb));
	for (i = 0; i < VB_NR_QUEUES; i++)
		vb_vq_set_role(&vb->vq[i], n.role[i]);
}

/**
 * vb_device_resolve_late_role - find out what a virtqueue is for that was set up after the start
 * @vq: the queue, not running; the caller holds the device mutex
 */
void vb_device_resolve_late_role(struct vb_vq *vq)
{
	struct vhost_balloon *vb = vq->vb;
	struct vb_numbering n;
	unsigned int i;
	u16 role;

	vb_numbering_choose(&n, vb->features, vb_device_set_up(vb));
	role = n.role[vq->queue.index];
	/* It may look different now. What runs keeps its role. */
	for (i = 0; i < VB_NR_QUEUES; i++)
		if (&vb->vq[i] != vq && vb->vq[i].queue.role == role)
			role = VHOST_BALLOON_ROLE_NONE;
	vb_vq_set_role(vq, role);
}

/**
 * vb_device_clear_roles - forget what the virtqueues are for
 * @vb: the balloon, not running; nobody else uses it, or the caller holds the device mutex
 *
 * The first two are for the same always.
 */
void vb_device_clear_roles(struct vhost_balloon *vb)
{
	unsigned int i;

	for (i = 0; i < VB_NR_QUEUES; i++)
		vb_vq_set_role(&vb->vq[i], i <= VHOST_BALLOON_ROLE_DEFLATE ?
					   i : VHOST_BALLOON_ROLE_NONE);
}
