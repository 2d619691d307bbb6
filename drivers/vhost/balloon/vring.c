// SPDX-License-Identifier: GPL-2.0
/*
 * The device side of a split virtqueue (virtio 1.4, section 2.7).
 *
 * Everything here is somebody else's memory, and that somebody may be hostile
 * and may write to it at any time. Hence three rules: each value is read once into
 * our own memory, then validated, then used; each loop is bounded by something
 * that the guest can't change while it runs; and nothing is stored in our own
 * structures before the accesses that it depends on have succeeded, so that a
 * step which met a page fault can be repeated.
 *
 * What is wrong is told apart by what it says about the ring:
 *
 * -EBADMSG: the ring can't be trusted any more. It is marked as broken, and
 *	every later call says the same.
 * -EINVAL: one chain is malformed, the ring around it is fine.
 * -EFAULT: a page isn't there right now. Fault it in and call again.
 * -ENXIO: from translate: there is no memory at this address.
 */
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/virtio_ring.h>
#include <asm/barrier.h>
#include <asm/byteorder.h>
#include <uapi/linux/vhost_balloon.h>

#include "vring.h"

/*
 * The available and the used ring begin alike (sections 2.7.6 and 2.7.8): flags,
 * index, entries. Behind the entries comes the other side's event index.
 */
#define VB_RING_FLAGS	0
#define VB_RING_IDX	2
#define VB_RING_ENTRIES	4

/* An entry of a descriptor table (section 2.7.5), as it is in memory. */
struct vb_desc_le {
	__le64 addr;
	__le32 len;
	__le16 flags;
	__le16 next;
};

/* An entry of the used ring (section 2.7.8), as it is in memory. */
struct vb_used_le {
	__le32 id;
	__le32 len;
};

/* A descriptor, once it is ours. */
struct vb_desc {
	u64 addr;
	u32 len;
	u16 flags;
	u16 next;
};

static_assert(sizeof(struct vb_desc_le) == 16);
static_assert(sizeof(struct vb_used_le) == 8);
static_assert(VB_VRING_MAX_NUM == VHOST_BALLOON_VRING_MAX);

static u64 vb_avail_entry(const struct vb_vring *vr, u16 idx)
{
	return vr->avail + VB_RING_ENTRIES + sizeof(__le16) * (idx & (vr->num - 1));
}

static u64 vb_used_entry(const struct vb_vring *vr, u16 idx)
{
	return vr->used + VB_RING_ENTRIES + sizeof(struct vb_used_le) * (idx & (vr->num - 1));
}

/* Where the driver says which used index it wants to be interrupted at. */
static u64 vb_used_event(const struct vb_vring *vr)
{
	return vr->avail + VB_RING_ENTRIES + sizeof(__le16) * vr->num;
}

/* Where the device says which available index it wants to be notified at. */
static u64 vb_avail_event(const struct vb_vring *vr)
{
	return vr->used + VB_RING_ENTRIES + sizeof(struct vb_used_le) * vr->num;
}

static int vb_break(struct vb_vring *vr, enum vhost_balloon_broken why)
{
	vr->broken = why;
	return -EBADMSG;
}

/**
 * vb_vring_init - set up a virtqueue
 * @vr: the virtqueue
 * @num: entries, a power of two of at most VB_VRING_MAX_NUM
 * @desc: address of the descriptor table, a multiple of 16
 * @avail: address of the available ring, a multiple of 2
 * @used: address of the used ring, a multiple of 4
 * @last_avail: available index to begin with
 * @features: virtio feature bits that were negotiated
 *
 * Accesses no memory; vb_vring_start() does. The caller has checked the size and
 * the alignment (virtio 1.4, section 2.7), and that no part of the ring
 * wraps around the end of the address space.
 */
void vb_vring_init(struct vb_vring *vr, unsigned int num, u64 desc, u64 avail,
		   u64 used, u16 last_avail, u64 features)
{
	*vr = (struct vb_vring) {
		.num = num,
		.desc = desc,
		.avail = avail,
		.used = used,
		.event_idx = features & BIT_ULL(VIRTIO_RING_F_EVENT_IDX),
		.indirect = features & BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC),
		.last_avail = last_avail,
		.avail_idx = last_avail,
	};
}

/* Ask the driver to notify us of what it makes available from now on. */
static int vb_ask_notify(struct vb_vring *vr, struct vb_vring_access *acc)
{
	if (vr->event_idx)
		return vb_access_put_u16(acc, vb_avail_event(vr), vr->last_avail);
	return vb_access_put_u16(acc, vr->used + VB_RING_FLAGS, 0);
}

/**
 * vb_vring_start - begin to serve a virtqueue
 * @vr: the virtqueue
 * @acc: its memory
 *
 * Goes on in the used ring where its index says, as a ring may have been served
 * by somebody else before (VHOST_SET_VRING_BASE gives the available index only), and
 * asks the driver for notifications. What was made available before isn't
 * notified of: look for it after the start.
 *
 * Return: 0, -EFAULT, -ENXIO, or -EBADMSG if the ring is broken.
 */
int vb_vring_start(struct vb_vring *vr, struct vb_vring_access *acc)
{
	u16 used;
	int err;

	if (vr->broken)
		return -EBADMSG;

	err = vb_access_get_u16(acc, vr->used + VB_RING_IDX, &used);
	if (err)
		return err;
	err = vb_ask_notify(vr, acc);
	if (err)
		return err;

	vr->next_used = used;
	vr->used_published = used;
	vr->signalled_used_valid = false;
	return 0;
}

/* Find out how far the driver is, if we are where it was the last time. */
static int vb_refresh_avail(struct vb_vring *vr, struct vb_vring_access *acc)
{
	u16 idx;
	int err;

	if (vr->last_avail != vr->avail_idx)
		return 0;

	err = vb_access_get_u16(acc, vr->avail + VB_RING_IDX, &idx);
	if (err)
		return err;
	/* The queue size bounds what can be outstanding (section 2.7). */
	if ((u16)(idx - vr->last_avail) > vr->num)
		return vb_break(vr, VHOST_BALLOON_BROKEN_AVAIL_INDEX);
	vr->avail_idx = idx;
	/* The entries below the index are read after it, see section 2.7.13.3. */
	smp_rmb();
	return 0;
}

/**
 * vb_vring_next - begin with the next descriptor chain
 * @vr: the virtqueue
 * @acc: its memory
 * @chain: set up for a walk from the chain's first descriptor
 *
 * The chain's @active is set here and never cleared: it is for the caller, who clears
 * it when the chain's head was handed to vb_vring_add_used().
 *
 * Return: 1 if @chain was set up, 0 if nothing is available, -EFAULT, -ENXIO,
 * or -EBADMSG if the ring is broken.
 */
int vb_vring_next(struct vb_vring *vr, struct vb_vring_access *acc, struct vb_chain *chain)
{
	u16 head;
	int err;

	if (vr->broken)
		return -EBADMSG;

	err = vb_refresh_avail(vr, acc);
	if (err)
		return err;
	if (vr->last_avail == vr->avail_idx)
		return 0;

	err = vb_access_get_u16(acc, vb_avail_entry(vr, vr->last_avail), &head);
	if (err)
		return err;
	/* An index into the descriptor table (section 2.7.6). */
	if (head >= vr->num)
		return vb_break(vr, VHOST_BALLOON_BROKEN_HEAD);

	*chain = (struct vb_chain) {
		.head = head,
		.active = true,
		.table = vr->desc,
		.table_len = vr->num,
		.next = head,
		.more = true,
	};
	vr->last_avail++;
	return 1;
}

static int vb_read_desc(struct vb_vring_access *acc, const struct vb_chain *chain,
			struct vb_desc *d)
{
	enum vb_vring_space space = chain->in_indirect ? VB_SPACE_GUEST : VB_SPACE_RING;
	struct vb_desc_le raw;
	int err;

	err = vb_access_copy_from(acc, space, chain->table + sizeof(raw) * chain->next, &raw,
				  sizeof(raw));
	if (err)
		return err;

	d->addr = le64_to_cpu(raw.addr);
	d->len = le32_to_cpu(raw.len);
	d->flags = le16_to_cpu(raw.flags);
	d->next = le16_to_cpu(raw.next);
	return 0;
}

/* The last byte may be the last one that 64 bits reach, but not beyond. */
static bool vb_desc_wraps(const struct vb_desc *d)
{
	return d->len && d->addr + (d->len - 1) < d->addr;
}

/*
 * The chain goes on in a table of its own. That has to be the end of the table
 * we come from, and there is only one level; the table is no longer than the
 * queue (all section 2.7.5.3.1). Whether the descriptor that names it is
 * device-writable has to be ignored (section 2.7.5.3.2).
 */
static int vb_enter_indirect(struct vb_vring *vr, struct vb_chain *chain, const struct vb_desc *d)
{
	u32 entries = d->len / sizeof(struct vb_desc_le);

	if (!vr->indirect || chain->in_indirect || (d->flags & VRING_DESC_F_NEXT) ||
	    !entries || d->len % sizeof(struct vb_desc_le) || entries > vr->num)
		return vb_break(vr, VHOST_BALLOON_BROKEN_INDIRECT);
	if (vb_desc_wraps(d))
		return -EINVAL;

	chain->in_indirect = true;
	chain->table = d->addr;
	chain->table_len = entries;
	chain->next = 0;
	chain->seen = 0;
	return 0;
}

/*
 * Read one descriptor. Each time either @seen grows, which is bounded by the length
 * of the table, or the one indirect table is entered.
 */
static int vb_chain_step(struct vb_vring *vr, struct vb_vring_access *acc, struct vb_chain *chain)
{
	struct vb_desc d;
	bool write, more;
	int err;

	err = vb_read_desc(acc, chain, &d);
	if (err)
		return err;
	if (d.flags & VRING_DESC_F_INDIRECT)
		return vb_enter_indirect(vr, chain, &d);

	more = d.flags & VRING_DESC_F_NEXT;
	if (more && d.next >= chain->table_len)
		return vb_break(vr, VHOST_BALLOON_BROKEN_NEXT);
	/* Longer than its table, it has to contain a loop (section 2.7.5.2). */
	if (more && chain->seen + 1 >= chain->table_len)
		return vb_break(vr, VHOST_BALLOON_BROKEN_LOOP);
	if (vb_desc_wraps(&d))
		return -EINVAL;
	/* What is readable comes first (section 2.7.4.2). Empty is neither. */
	write = d.flags & VRING_DESC_F_WRITE;
	if (d.len && !write && chain->was_write)
		return -EINVAL;

	chain->seen++;
	chain->more = more;
	chain->next = d.next;
	chain->addr = d.addr;
	chain->len = d.len;
	chain->write = write;
	if (d.len && write)
		chain->was_write = true;
	return 0;
}

/**
 * vb_chain_segment - find the next piece of a chain's buffers
 * @vr: the virtqueue
 * @acc: its memory
 * @chain: a chain that vb_vring_next() has set up
 *
 * On success the chain's @addr, @len and @write describe a piece of at least one
 * byte; it stays the current one until vb_chain_advance() has used it up.
 * Empty descriptors are skipped. A chain has at most as many pieces as the
 * descriptor table and an indirect table have entries, which is twice the queue size.
 *
 * Return: 1 if there is a piece, 0 at the end of the chain, -EINVAL if the
 * chain is malformed (complete it with length 0), -EFAULT, -ENXIO, or -EBADMSG
 * if the ring is broken.
 */
int vb_chain_segment(struct vb_vring *vr, struct vb_vring_access *acc, struct vb_chain *chain)
{
	int err;

	if (vr->broken)
		return -EBADMSG;

	while (!chain->len) {
		if (!chain->more)
			return 0;
		err = vb_chain_step(vr, acc, chain);
		if (err)
			return err;
	}
	return 1;
}

/**
 * vb_chain_advance - use up part of the current piece
 * @chain: a chain for which vb_chain_segment() returned 1
 * @len: number of bytes, at most the chain's @len; more is taken as all of it
 */
void vb_chain_advance(struct vb_chain *chain, u32 len)
{
	len = min(len, chain->len);
	chain->addr += len;
	chain->len -= len;
}

/**
 * vb_chain_read - read from a chain's device-readable buffers
 * @vr: the virtqueue
 * @acc: its memory
 * @chain: a chain that vb_vring_next() has set up
 * @buf: where to copy to
 * @len: room in @buf, at least 1
 *
 * Goes across descriptors, whose sizes mean nothing (virtio 1.4, section 2.7.4),
 * and may stop anywhere short of @len: go on calling. What was read
 * before an error is returned first, the error by the next call.
 *
 * Return: number of bytes, at least 1; 0 at the end of the chain; -EINVAL
 * if the chain is malformed or what comes next is device-writable; -EFAULT,
 * -ENXIO, or -EBADMSG if the ring is broken.
 */
ssize_t vb_chain_read(struct vb_vring *vr, struct vb_vring_access *acc, struct vb_chain *chain,
		      void *buf, size_t len)
{
	size_t done = 0;
	ssize_t n = 0;

	while (done < len) {
		n = vb_chain_segment(vr, acc, chain);
		if (n > 0 && chain->write)
			n = -EINVAL;
		if (n > 0)
			n = vb_access_copy_some(acc, VB_SPACE_GUEST, chain->addr, buf + done,
						min_t(size_t, len - done, chain->len));
		if (n <= 0)
			break;
		vb_chain_advance(chain, n);
		done += n;
	}
	return done ? (ssize_t)done : n;
}

/**
 * vb_vring_add_used - complete a chain
 * @vr: the virtqueue
 * @acc: its memory
 * @head: the chain's @head
 * @len: number of bytes that were written to its device-writable buffers
 *
 * The driver sees it after the next vb_vring_publish(). No more than the ring has
 * entries may be completed in between.
 *
 * Return: 0, -EFAULT, -ENXIO, or -EBADMSG if the ring is broken.
 */
int vb_vring_add_used(struct vb_vring *vr, struct vb_vring_access *acc, u16 head, u32 len)
{
	struct vb_used_le elem = {
		.id = cpu_to_le32(head),
		.len = cpu_to_le32(len),
	};
	int err;

	if (vr->broken)
		return -EBADMSG;

	err = vb_access_copy_to_ring(acc, vb_used_entry(vr, vr->next_used), &elem, sizeof(elem));
	if (err)
		return err;
	vr->next_used++;
	return 0;
}

/* The driver has seen the index: the store must not be repeated, the telling may be. */
static int vb_index_written(struct vb_vring *vr, struct vb_vring_access *acc)
{
	int err = 0;

	if (vr->index_untold)
		err = vb_access_written(acc, vr->used + VB_RING_IDX, sizeof(__le16));
	if (!err)
		vr->index_untold = false;
	return err;
}

/**
 * vb_vring_publish - let the driver see what was completed
 * @vr: the virtqueue
 * @acc: its memory
 *
 * From here on the driver may use the buffers for something else.
 *
 * Return: 0, -EFAULT, -ENXIO, or -EBADMSG if the ring is broken.
 */
int vb_vring_publish(struct vb_vring *vr, struct vb_vring_access *acc)
{
	u16 old = vr->used_published;
	u16 new = vr->next_used;
	int err;

	if (vr->broken)
		return -EBADMSG;
	if (new == old)
		return vb_index_written(vr, acc);

	/*
	 * The elements before the index that covers them, and whatever was done
	 * with the buffers before the driver gets them back.
	 */
	smp_wmb();
	err = vb_access_store_u16(acc, vr->used + VB_RING_IDX, new);
	if (err)
		return err;
	vr->used_published = new;
	vr->index_untold = true;

	/*
	 * Indices wrap: once as many were published without asking
	 * whether to interrupt, the distance to that time means nothing.
	 */
	if ((u16)(new - vr->signalled_used) < (u16)(new - old))
		vr->signalled_used_valid = false;
	return vb_index_written(vr, acc);
}

/* Is the event index one of those from @old up to, but not including, @new? */
static bool vb_event_passed(u16 event, u16 old, u16 new)
{
	return (u16)(event - old) < (u16)(new - old);
}

/**
 * vb_vring_should_signal - does the driver want to be interrupted?
 * @vr: the virtqueue
 * @acc: its memory
 *
 * To be asked after vb_vring_publish(). By the event index (virtio 1.4, section
 * 2.7.7), where negotiated, the answer is for all that was published since the question was
 * last answered; if it never was, it is yes.
 *
 * Return: 1 if it does, 0 if it doesn't, -EFAULT, -ENXIO, or -EBADMSG if the
 * ring is broken.
 */
int vb_vring_should_signal(struct vb_vring *vr, struct vb_vring_access *acc)
{
	u16 event, flags;
	bool signal;
	int err;

	if (vr->broken)
		return -EBADMSG;

	/*
	 * The index was written before the driver's wish is read; the driver
	 * writes its wish, then reads the index: one of the two sees the other.
	 */
	smp_mb();
	if (!vr->event_idx) {
		err = vb_access_get_u16(acc, vr->avail + VB_RING_FLAGS, &flags);
		if (err)
			return err;
		return !(flags & VRING_AVAIL_F_NO_INTERRUPT);
	}

	err = vb_access_get_u16(acc, vb_used_event(vr), &event);
	if (err)
		return err;
	signal = !vr->signalled_used_valid ||
		 vb_event_passed(event, vr->signalled_used, vr->used_published);
	vr->signalled_used = vr->used_published;
	vr->signalled_used_valid = true;
	return signal;
}

/**
 * vb_vring_disable_notify - tell the driver that it need not notify us
 * @vr: the virtqueue
 * @acc: its memory
 *
 * A hint, for while the ring is being served anyway: notifications may still
 * come (virtio 1.4, section 2.7.10). With event indices there is nothing to be done, as an
 * index that was passed doesn't ask again.
 *
 * Return: 0, -EFAULT, -ENXIO, or -EBADMSG if the ring is broken.
 */
int vb_vring_disable_notify(struct vb_vring *vr, struct vb_vring_access *acc)
{
	if (vr->broken)
		return -EBADMSG;
	if (vr->event_idx)
		return 0;
	return vb_access_put_u16(acc, vr->used + VB_RING_FLAGS, VRING_USED_F_NO_NOTIFY);
}

/**
 * vb_vring_enable_notify - ask the driver to notify us again
 * @vr: the virtqueue
 * @acc: its memory
 *
 * Something may have been made available just before the driver could see that it is
 * asked to notify. So look again: if there is something, no
 * notification will come for it.
 *
 * Return: 1 if something is available, 0 if nothing is, -EFAULT, -ENXIO, or
 * -EBADMSG if the ring is broken.
 */
int vb_vring_enable_notify(struct vb_vring *vr, struct vb_vring_access *acc)
{
	u16 idx;
	int err;

	if (vr->broken)
		return -EBADMSG;

	err = vb_ask_notify(vr, acc);
	if (err)
		return err;
	/* The wish is written before the index is read, see should_signal. */
	smp_mb();
	err = vb_access_get_u16(acc, vr->avail + VB_RING_IDX, &idx);
	if (err)
		return err;
	/* Whether the index makes sense is for vb_vring_next() to find out. */
	return idx != vr->last_avail;
}
