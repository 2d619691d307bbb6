// SPDX-License-Identifier: GPL-2.0
/*
 * The statistics queue (virtio 1.4, section 5.5.6.3).
 *
 * The driver makes a buffer with its statistics available, and the device keeps
 * it. When the device wants to know how things are now, it gives the buffer back, and the
 * driver makes it available again with new values. So there is a buffer to be given
 * back at any time, or there is an answer on its way.
 *
 * The buffer is a sequence of packed entries, a tag and a value each, in any order.
 */
#include <linux/minmax.h>
#include <linux/string.h>

#include "stats.h"
#include "trace.h"

/* More than this is no sample: room for 1638 entries, and Linux knows 16. */
#define VB_STATS_BYTES_MAX	16384

/* An entry in guest memory. */
struct vb_stat_le {
	__le16 tag;
	__le64 value;
} __packed;

static_assert(sizeof_field(struct vb_queue, carry) >= sizeof(struct vb_stat_le));

/**
 * vb_stats_init - begin without a sample
 * @stats: the statistics, zeroed
 * @id: id of the balloon, for tracing
 * @sampled: told of every new sample
 */
void vb_stats_init(struct vb_stats *stats, u64 id, void (*sampled)(struct vb_stats *stats))
{
	stats->id = id;
	stats->sampled = sampled;
	spin_lock_init(&stats->lock);
	init_waitqueue_head(&stats->wait);
}

/**
 * vb_stats_want - have the guest asked for a sample by the queue's next pass
 * @stats: the statistics
 *
 * If it was asked before and hasn't answered, this changes nothing.
 *
 * Context: process context.
 */
void vb_stats_want(struct vb_stats *stats)
{
	spin_lock(&stats->lock);
	stats->wanted = true;
	spin_unlock(&stats->lock);
}

/**
 * vb_stats_sequence - the number of samples so far
 * @stats: the statistics
 *
 * Context: process context.
 * Return: the number.
 */
u64 vb_stats_sequence(struct vb_stats *stats)
{
	u64 sequence;

	spin_lock(&stats->lock);
	sequence = stats->sequence;
	spin_unlock(&stats->lock);
	return sequence;
}

/**
 * vb_stats_read - read the last sample
 * @stats: the statistics
 * @sample: filled
 * @sequence: filled with the number of samples so far
 * @age: filled with the nanoseconds since it arrived; 0 if there is none
 *
 * Context: process context.
 */
void vb_stats_read(struct vb_stats *stats, struct vb_sample *sample, u64 *sequence, u64 *age)
{
	spin_lock(&stats->lock);
	*sample = stats->last;
	*sequence = stats->sequence;
	*age = 0;
	if (stats->time)
		*age = max_t(s64, ktime_to_ns(ktime_sub(ktime_get(), stats->time)), 1);
	spin_unlock(&stats->lock);
}

static void vb_stats_add_entry(struct vb_queue *q)
{
	const struct vb_stat_le *entry = (const struct vb_stat_le *)q->carry;
	struct vb_stats *stats = q->data;
	struct vb_sample *s = &stats->next;

	if (s->nr == ARRAY_SIZE(s->stat)) {
		stats->dropped++;
		return;
	}
	s->stat[s->nr++] = (struct vhost_balloon_stat) {
		.tag	= le16_to_cpu(entry->tag),
		.value	= le64_to_cpu(entry->value),
	};
}

/* Take in @len bytes. An entry may be spread over descriptors; its beginning is carried over. */
static void vb_stats_add_bytes(struct vb_queue *q, const u8 *data, unsigned int len)
{
	unsigned int n;

	while (len) {
		n = min_t(unsigned int, len, sizeof(struct vb_stat_le) - q->carry_len);
		memcpy(q->carry + q->carry_len, data, n);
		q->carry_len += n;
		data += n;
		len -= n;
		if (q->carry_len == sizeof(struct vb_stat_le)) {
			vb_stats_add_entry(q);
			q->carry_len = 0;
		}
	}
}

static void vb_stats_begin(struct vb_queue *q)
{
	struct vb_stats *stats = q->data;

	stats->next.nr = 0;
	stats->dropped = 0;
	stats->fresh = false;
	stats->held = false;
	q->carry_len = 0;
}

static int vb_stats_collect(struct vb_queue *q)
{
	struct vb_stats *stats = q->data;
	u8 *buf = (u8 *)q->batch->pfn;
	ssize_t n;

	if (!q->chain_bytes)
		vb_stats_begin(q);
	for (;;) {
		n = vb_chain_read(&q->vring, &q->acc, &q->chain, buf, sizeof(q->batch->pfn));
		if (n <= 0)
			break;
		vb_stats_add_bytes(q, buf, n);
		q->chain_bytes += n;
		if (q->chain_bytes > VB_STATS_BYTES_MAX)
			return -EINVAL;
	}
	if (n < 0)
		return n;
	/* A part of an entry says nothing; those before it do. */
	stats->partial = q->carry_len;
	stats->fresh = true;
	return 1;
}

static bool vb_sample_same(const struct vb_sample *a, const struct vb_sample *b)
{
	return a->nr == b->nr && !memcmp(a->stat, b->stat, a->nr * sizeof(a->stat[0]));
}

/*
 * Take over the sample, unless it is the one that we have: a buffer that was held when the queue
 * was stopped is read a second time.
 */
static void vb_stats_publish(struct vb_queue *q)
{
	struct vb_stats *stats = q->data;
	bool again = stats->reread && vb_queue_base(q) == stats->held_base &&
		     vb_sample_same(&stats->next, &stats->last);

	stats->fresh = false;
	stats->reread = false;
	if (again)
		return;
	vb_count(q->counters, VHOST_BALLOON_C_STATS_DROPPED, stats->dropped);
	vb_count(q->counters, VHOST_BALLOON_C_MALFORMED, stats->partial);
	spin_lock(&stats->lock);
	/* Whoever asked since the last one has been answered. */
	stats->wanted = false;
	stats->last = stats->next;
	stats->time = ktime_get();
	stats->sequence++;
	/* Who sees that and asks again is asking for the next one. */
	vb_count(q->counters, VHOST_BALLOON_C_STATS_SAMPLES, 1);
	spin_unlock(&stats->lock);
	trace_vhost_balloon_stats(stats->id, stats->sequence, stats->next.nr);
	wake_up_interruptible_all(&stats->wait);
	stats->sampled(stats);
}

static bool vb_stats_wanted(struct vb_stats *stats)
{
	bool wanted;

	spin_lock(&stats->lock);
	wanted = stats->wanted;
	spin_unlock(&stats->lock);
	return wanted;
}

/* Hold a buffer with a sample until the next one is wanted; give any other back at once. */
static int vb_stats_act(struct vb_queue *q)
{
	struct vb_stats *stats = q->data;

	if (stats->fresh) {
		vb_stats_publish(q);
		stats->held = true;
		stats->held_base = vb_queue_base(q);
	}
	/* It counts as held until the next one is read: it may not be completed before a stop. */
	return stats->held && !vb_stats_wanted(stats) ? VB_QUEUE_HOLD : 0;
}

/**
 * vb_stats_reset - the device was reset
 * @stats: the statistics, with the queue stopped
 *
 * A VMM may do that to pause the guest as well. A driver that begins anew shows by using the
 * ring from the first entry on.
 */
void vb_stats_reset(struct vb_stats *stats)
{
	stats->was_reset = true;
}

/**
 * vb_stats_forget - these were another guest's
 * @stats: the statistics, with the queue stopped
 *
 * Context: process context.
 */
void vb_stats_forget(struct vb_stats *stats)
{
	stats->held = false;
	spin_lock(&stats->lock);
	stats->wanted = false;
	stats->last.nr = 0;
	stats->time = 0;
	spin_unlock(&stats->lock);
}

static void vb_stats_start(struct vb_queue *q)
{
	struct vb_stats *stats = q->data;

	stats->reread = stats->held && (q->base || !stats->was_reset);
	stats->was_reset = false;
	stats->fresh = false;
}

const struct vb_queue_ops vb_stats_ops = {
	.max_heads	= 1,
	.start		= vb_stats_start,
	.collect	= vb_stats_collect,
	.act		= vb_stats_act,
};
