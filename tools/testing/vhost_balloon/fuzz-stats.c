// SPDX-License-Identifier: GPL-2.0
/*
 * Bytes become buffers of statistics, and what happens around them: samples are wanted, the
 * queue is stopped and started, the device is reset. A model keeps what was sampled, and which
 * buffer is held.
 */
#include <vbt-kernel.h>

#include "fuzz-queue.h"
#include "stats.h"

#define ENTRY_BYTES	10
#define BYTES_MAX	16384

static struct fuzz_queue queue;
static struct vb_stats stats;

static struct {
	struct vb_sample last;
	/* It is this guest's. */
	bool own;
	u64 samples;
	u64 dropped;
	u64 malformed;
	bool wanted;
	/* The buffer that was read last is a sample, and where it was. */
	bool sampled;
	u16 sampled_at;
	/* It is held. */
	bool held;
	u16 head;
	bool was_reset;
	/* The next sample may be the one that we have. */
	bool reread;
} model;

static unsigned long told;

static void count_sample(struct vb_stats *s)
{
	expect(s == &stats);
	told++;
}

static struct vbd_sg buffer_piece(struct vbt_choice *c)
{
	unsigned int kind = vbt_choose(c, 16), len = vbt_choose(c, 256);

	return (struct vbd_sg) {
		.addr = VBD_GUEST_BASE + vbt_choose(c, FUZZ_GUEST_SIZE),
		/* Mostly some entries; whole ones; and as much as can be. */
		.len = kind == 1 ? 16 * len : kind < 8 ? ENTRY_BYTES * (len % 72) : len,
		.write = kind == 15,
	};
}

/*
 * What is in a buffer. Returns 0; -EINVAL if it makes no sense; -EBADMSG if the ring
 * broke; -E2BIG if there is too much of it for one to say which comes first.
 */
static int model_read(const struct vbt_model *m, struct vb_sample *s, u64 *dropped, bool *partial)
{
	u8 entry[ENTRY_BYTES];
	u64 bytes = 0;
	unsigned int i;
	u32 k;

	memset(s, 0, sizeof(*s));
	*dropped = 0;
	for (i = 0; i < m->nr && !m->sg[i].write; i++) {
		u32 len = fuzz_model_readable(&queue, &m->sg[i]);

		for (k = 0; k < len; k++) {
			vbd_read(queue.d, m->sg[i].addr + k, &entry[bytes++ % ENTRY_BYTES], 1);
			if (bytes % ENTRY_BYTES)
				continue;
			if (s->nr == VHOST_BALLOON_STATS_MAX) {
				++*dropped;
				continue;
			}
			memcpy(&s->stat[s->nr].tag, entry, 2);
			memcpy(&s->stat[s->nr++].value, entry + 2, 8);
		}
		if (len < m->sg[i].len)
			return -EINVAL;
	}
	*partial = bytes % ENTRY_BYTES;
	if (bytes > BYTES_MAX)
		return i == m->nr && m->broken ? -E2BIG : -EINVAL;
	if (i < m->nr)
		return -EINVAL;
	return m->broken ? -EBADMSG : m->end == -ENXIO ? -EINVAL : m->end;
}

static bool same(const struct vb_sample *a, const struct vb_sample *b)
{
	unsigned int i;

	for (i = 0; i < a->nr && i < b->nr; i++)
		if (a->stat[i].tag != b->stat[i].tag || a->stat[i].value != b->stat[i].value)
			return false;
	return a->nr == b->nr;
}

/* A good buffer is held, or given back if somebody waits for the next one. */
static void model_sample(const struct vbt_model *m, const struct vb_sample *s, u64 dropped,
			 bool partial)
{
	u16 at = queue.avail - 1;
	bool again = model.reread && at == model.sampled_at && same(s, &model.last);

	model.reread = false;
	if (!again) {
		model.samples++;
		model.dropped += dropped;
		model.malformed += partial;
		model.last = *s;
		model.own = true;
		model.wanted = false;
	}
	model.sampled = true;
	model.sampled_at = at;
	if (model.wanted) {
		fuzz_model_complete(&queue, m->head);
		return;
	}
	model.held = true;
	model.head = m->head;
}

/* The next buffer. Returns whether there is more to do. */
static bool model_buffer(void)
{
	struct vb_sample s;
	struct vbt_model m;
	u64 dropped;
	bool partial;

	if (fuzz_model_next(&queue, &m) <= 0)
		return false;
	model.sampled = false;
	switch (model_read(&m, &s, &dropped, &partial)) {
	case 0:
		model_sample(&m, &s, dropped, partial);
		return !model.held;
	case -EBADMSG:
		queue.broken = m.broken;
		return false;
	case -E2BIG:
		/* No more to be said of this input. */
		queue.loose = true;
		return false;
	default:
		model.malformed++;
		fuzz_model_complete(&queue, m.head);
		return true;
	}
}

static void model_pass(void)
{
	if (queue.broken || (model.held && !model.wanted))
		return;
	if (model.held)
		fuzz_model_complete(&queue, model.head);
	model.held = false;
	while (model_buffer())
		;
}

static void check(void)
{
	struct vb_sample s;
	u64 sequence, age;

	vb_stats_read(&stats, &s, &sequence, &age);
	expect(s.nr <= VHOST_BALLOON_STATS_MAX);
	expect_eq(told, stats.sequence);
	expect_eq(stats.wait.woken, stats.sequence);
	if (queue.loose)
		return;
	expect(same(&s, &model.last));
	expect_eq(sequence, model.samples);
	expect_eq(age > 0, model.own);
	expect_eq(fuzz_counted(&queue, VHOST_BALLOON_C_STATS_SAMPLES), model.samples);
	expect_eq(fuzz_counted(&queue, VHOST_BALLOON_C_STATS_DROPPED), model.dropped);
	expect_eq(fuzz_counted(&queue, VHOST_BALLOON_C_MALFORMED), model.malformed);
	fuzz_model_check(&queue);
}

static void pass(void)
{
	if (!queue.loose)
		model_pass();
	fuzz_queue_pass(&queue);
	check();
}

/* Stop, and go on: with the same driver, or with one that begins anew. */
static void restart(struct vbt_choice *c)
{
	unsigned int how = vbt_choose(c, 8);

	/* A buffer that is held is to be read again. */
	if (model.held)
		queue.avail--;
	fuzz_queue_stop(&queue);
	if (how & 1) {
		vb_stats_reset(&stats);
		model.was_reset = true;
	}
	if (how & 2) {
		queue.q.base = 0;
		queue.d->avail_idx = 0;
		vbd_publish(queue.d);
	}
	if (how == 7) {
		vb_stats_forget(&stats);
		model.sampled = false;
		model.wanted = false;
		model.last.nr = 0;
		model.own = false;
	}
	model.reread = model.sampled && (queue.q.base || !model.was_reset);
	model.was_reset = false;
	model.held = false;
	fuzz_queue_start(&queue);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vbt_choice c = vbt_choice_bytes(data, size);

	memset(&stats, 0, sizeof(stats));
	memset(&model, 0, sizeof(model));
	told = 0;
	vb_stats_init(&stats, 1, count_sample);
	fuzz_queue_init(&queue, &c, &vb_stats_ops, &stats);
	fuzz_queue_start(&queue);
	while (vbt_choice_left(&c)) {
		switch (vbt_choose(&c, 8)) {
		case 0:
			fuzz_queue_wild(&queue, &c);
			break;
		case 1:
			fuzz_queue_fill(&queue, &c);
			break;
		case 2:
			vb_stats_want(&stats);
			model.wanted = true;
			break;
		case 3:
			restart(&c);
			break;
		case 4:
		case 5:
			fuzz_queue_chain(&queue, &c, buffer_piece);
			break;
		default:
			pass();
		}
	}
	pass();
	fuzz_queue_destroy(&queue);
	return 0;
}
