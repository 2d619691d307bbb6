// SPDX-License-Identifier: GPL-2.0
/*
 * The free page hinting queue (virtio 1.4, section 5.5.6.5).
 *
 * The device puts a command id into the configuration space. The driver sends it back
 * in a readable buffer, then writable buffers, each of which is a run of free
 * pages, then the command id 0. Nothing is done to the pages: a hint says that their
 * content need not be copied, not that it may be changed, since the guest may take them
 * back at any time and tell nobody.
 *
 * Hints set bits, under the memory mutex. So does everything that changes the state:
 * once VHOST_BALLOON_HINT_STOP has had the mutex, no bit is set any more.
 */
#include <linux/string.h>
#include <linux/virtio_balloon.h>

#include "hint.h"
#include "trace.h"

/*
 * What is dealt with in one section: pieces, of which those count more that are longer than
 * 64 MiB. 16 GiB take a millisecond or so.
 */
#define VB_HINT_BUDGET		256
#define VB_HINT_PIECE_SHIFT	(26 - VHOST_BALLOON_PAGE_SHIFT)

/**
 * vb_hint_init - begin without hints
 * @hint: the hinting
 * @id: id of the balloon, for tracing
 * @m: the guest's memory
 * @changed: told when the state has changed
 *
 * Context: may sleep.
 * Return: as vb_memory_register().
 */
int vb_hint_init(struct vb_hint *hint, u64 id, struct vb_memory *m,
		 void (*changed)(struct vb_hint *hint))
{
	hint->id = id;
	hint->memory = m;
	hint->changed = changed;
	hint->state = VHOST_BALLOON_HINT_IDLE;
	hint->cmd_id = 0;
	hint->listening = false;
	hint->budget = VB_HINT_BUDGET;
	return vb_pagebits_init(&hint->bits, m, false);
}

/**
 * vb_hint_destroy - free everything
 * @hint: the hinting, with nobody using it
 *
 * Context: may sleep.
 */
void vb_hint_destroy(struct vb_hint *hint)
{
	vb_pagebits_destroy(&hint->bits);
}

static void vb_hint_set_state(struct vb_hint *hint, u32 state)
{
	lockdep_assert_held(&hint->memory->lock);
	if (hint->state == state)
		return;
	WRITE_ONCE(hint->state, state);
	trace_vhost_balloon_hint(hint->id, hint->cmd_id, state);
	hint->changed(hint);
}

/* The id that follows. The driver has long forgotten it when it comes round again. */
static u32 vb_hint_next_cmd_id(const struct vb_hint *hint)
{
	u32 next = hint->cmd_id + 1;

	return next < VB_HINT_CMD_ID_FIRST ? VB_HINT_CMD_ID_FIRST : next;
}

static void vb_hint_end_locked(struct vb_hint *hint, u32 state)
{
	hint->listening = false;
	if (hint->state != VHOST_BALLOON_HINT_IDLE && hint->state != VHOST_BALLOON_HINT_DONE)
		vb_hint_set_state(hint, state);
}

static u32 vb_hint_request_locked(struct vb_hint *hint)
{
	WRITE_ONCE(hint->cmd_id, vb_hint_next_cmd_id(hint));
	hint->listening = false;
	vb_hint_set_state(hint, VHOST_BALLOON_HINT_REQUESTED);
	return hint->cmd_id;
}

/**
 * vb_hint_start - have no hints, and be ready for new ones
 * @hint: the hinting
 * @cmd_id: filled with the command id that the driver is to be given
 *
 * Context: may sleep; not inside a section.
 * Return: 0; -ENOMEM, and then hinting is off; -EINTR, and then it is off or nothing has changed.
 */
int vb_hint_start(struct vb_hint *hint, u32 *cmd_id)
{
	int ret;

	if (mutex_lock_killable(&hint->memory->lock))
		return -EINTR;
	vb_hint_end_locked(hint, VHOST_BALLOON_HINT_STOPPED);
	vb_pagebits_drop(&hint->bits);
	vb_pagebits_want(&hint->bits);
	mutex_unlock(&hint->memory->lock);

	ret = vb_pagebits_cover(&hint->bits);
	if (mutex_lock_killable(&hint->memory->lock))
		return -EINTR;
	if (ret)
		vb_pagebits_drop(&hint->bits);
	else
		*cmd_id = vb_hint_request_locked(hint);
	mutex_unlock(&hint->memory->lock);
	return ret;
}

/**
 * vb_hint_end - have no bit set any more
 * @hint: the hinting
 * @state: VHOST_BALLOON_HINT_STOPPED or VHOST_BALLOON_HINT_DONE
 *
 * Does nothing if it was not started. What was done isn't stopped any more.
 *
 * Context: may sleep; not inside a section.
 * Return: 0; -EINTR.
 */
int vb_hint_end(struct vb_hint *hint, u32 state)
{
	if (mutex_lock_killable(&hint->memory->lock))
		return -EINTR;
	vb_hint_end_locked(hint, state);
	mutex_unlock(&hint->memory->lock);
	return 0;
}

/**
 * vb_hint_reset - the driver is gone: it will send no more hints
 * @hint: the hinting; bits are still to be fetched
 *
 * Context: may sleep; not inside a section.
 */
void vb_hint_reset(struct vb_hint *hint)
{
	mutex_lock(&hint->memory->lock);
	hint->listening = false;
	vb_hint_set_state(hint, VHOST_BALLOON_HINT_IDLE);
	mutex_unlock(&hint->memory->lock);
}

/**
 * vb_hint_fetch - get bits, and clear them
 * @hint: the hinting
 * @gfn: first page, a multiple of 64
 * @nr: number of pages, at least 1
 * @words: where to, zeroed
 * @set: filled with the number of bits that were set
 *
 * Enters a section, so that pages are forgotten first whose memory has changed.
 *
 * Context: may sleep; not inside a section.
 * Return: 0; -EINTR; -ENOMEM.
 */
int vb_hint_fetch(struct vb_hint *hint, u64 gfn, u32 nr, u64 *words, u32 *set)
{
	int ret;

	*set = 0;
	ret = vb_memory_enter(hint->memory);
	if (ret)
		/* No memory, no hints. */
		return ret == -ENXIO ? 0 : ret;
	*set = vb_pagebits_fetch(&hint->bits, gfn, nr, words);
	vb_memory_leave(hint->memory);
	return 0;
}

/* The driver says whose hints follow. */
static void vb_hint_command(struct vb_queue *q, u32 cmd_id)
{
	struct vb_hint *hint = q->data;
	bool was = hint->listening;

	hint->listening = false;
	switch (hint->state) {
	case VHOST_BALLOON_HINT_REQUESTED:
	case VHOST_BALLOON_HINT_RUNNING:
	case VHOST_BALLOON_HINT_REPORTED:
		if (cmd_id == hint->cmd_id) {
			hint->listening = true;
			vb_hint_set_state(hint, VHOST_BALLOON_HINT_RUNNING);
			return;
		}
		if (was && cmd_id == VIRTIO_BALLOON_CMD_ID_STOP) {
			vb_hint_set_state(hint, VHOST_BALLOON_HINT_REPORTED);
			return;
		}
		break;
	default:
		/* It can't know yet that it was stopped. */
		if (cmd_id == VIRTIO_BALLOON_CMD_ID_STOP)
			return;
		break;
	}
	vb_count(q->counters, VHOST_BALLOON_C_HINT_COMMANDS_STALE, 1);
}

/* Set the bits of those pages that are memory now. Returns their number. */
static u64 vb_hint_set_bits(struct vb_hint *hint, const struct vb_range *r)
{
	struct vhost_balloon_slot slot;
	u64 gfn = r->gfn, end = r->gfn + r->nr, set = 0;

	while (gfn < end && !vb_memory_find(hint->memory, gfn, &slot) && slot.gfn < end) {
		u64 first = max(gfn, slot.gfn);

		gfn = slot.gfn + slot.nr;
		if (vb_region_discardable(&slot))
			set += vb_pagebits_set(&hint->bits, first, min(gfn, end) - first);
	}
	return set;
}

/* Whole pages that the driver says are free. */
static void vb_hint_pages(struct vb_queue *q, const struct vb_range *r)
{
	struct vb_hint *hint = q->data;
	u64 set;

	if (!hint->listening) {
		vb_count(q->counters, VHOST_BALLOON_C_HINT_STALE, r->nr);
		return;
	}
	set = vb_hint_set_bits(hint, r);
	vb_count(q->counters, VHOST_BALLOON_C_HINTED, set);
	vb_count(q->counters, VHOST_BALLOON_C_HINT_NO_REGION, r->nr - set);
}

/* Take a writable piece. */
static void vb_hint_take(struct vb_queue *q)
{
	struct vb_hint *hint = q->data;
	struct vb_chain *chain = &q->chain;
	struct vb_range r;
	u64 partial;

	partial = vb_range_of_bytes(chain->addr, chain->len, &r);
	vb_count(q->counters, VHOST_BALLOON_C_SKIP_PARTIAL, partial);
	if (r.nr)
		vb_hint_pages(q, &r);
	vb_chain_advance(chain, chain->len);
	hint->budget -= 1 + (int)(r.nr >> VB_HINT_PIECE_SHIFT);
}

/* Read the command id, the whole of which has to be there before anything writable. */
static int vb_hint_read_command(struct vb_queue *q)
{
	ssize_t n;

	n = vb_chain_read(&q->vring, &q->acc, &q->chain, q->carry + q->carry_len,
			  sizeof(__le32) + 1 - q->carry_len);
	if (n < 0)
		return n;
	q->carry_len += n;
	return q->carry_len > sizeof(__le32) ? -EINVAL : 0;
}

/* What was read is through: a command, unless there was nothing. */
static int vb_hint_end_command(struct vb_queue *q)
{
	__le32 cmd_id;

	if (!q->carry_len)
		return 0;
	if (q->carry_len != sizeof(cmd_id))
		return -EINVAL;
	memcpy(&cmd_id, q->carry, sizeof(cmd_id));
	q->carry_len = 0;
	vb_hint_command(q, le32_to_cpu(cmd_id));
	return 0;
}

/* Returns as collect does, but with 0 for a chain that isn't through. */
static int vb_hint_collect_piece(struct vb_queue *q)
{
	int ret;

	ret = vb_chain_segment(&q->vring, &q->acc, &q->chain);
	if (ret < 0)
		return ret;
	if (ret && !q->chain.write)
		return vb_hint_read_command(q);
	if (vb_hint_end_command(q))
		return -EINVAL;
	if (!ret)
		return 1;
	vb_hint_take(q);
	return 0;
}

/* The budget is what is left of the section, over all chains that it deals with. */
static int vb_hint_collect_chain(struct vb_queue *q)
{
	struct vb_hint *hint = q->data;
	int ret;

	do {
		if (hint->budget <= 0) {
			hint->budget = VB_HINT_BUDGET;
			return VB_QUEUE_AGAIN;
		}
		ret = vb_hint_collect_piece(q);
	} while (!ret);
	return ret;
}

/* If there is no memory for the bits of memory that came, there are no hints for that. */
static int vb_hint_prepare(struct vb_queue *q)
{
	struct vb_hint *hint = q->data;

	if (READ_ONCE(hint->bits.missing) && vb_pagebits_cover(&hint->bits) == -EINTR)
		return -EINTR;
	return 0;
}

static int vb_hint_collect(struct vb_queue *q)
{
	struct vb_hint *hint = q->data;

	/* It may have been a command, and any: what follows is nobody's. */
	if (q->garbled)
		hint->listening = false;
	q->garbled = false;
	return vb_hint_collect_chain(q);
}

/* All was done when the requests were collected. */
static int vb_hint_act(struct vb_queue *q)
{
	return 0;
}

const struct vb_queue_ops vb_hint_ops = {
	.max_heads	= VB_VRING_MAX_NUM,
	.prepare	= vb_hint_prepare,
	.collect	= vb_hint_collect,
	.act		= vb_hint_act,
};
