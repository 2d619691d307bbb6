// SPDX-License-Identifier: GPL-2.0
/*
 * Bytes become commands and hints of a driver, and what happens around them: hinting is
 * started and ended, bits are fetched, slots change, the queue is stopped and started. A model
 * keeps the state of hinting and a bit for each page.
 */
#include <vbt-kernel.h>
#include <linux/virtio_balloon.h>

#include "fuzz-queue.h"
#include "hint.h"

#define COMMAND_BYTES	4

static struct fuzz_queue queue;
static struct vb_hint hint;

static struct {
	u32 state;
	u32 cmd_id;
	bool listening;
	bool bit[FUZZ_WORLD];
	unsigned long changes;
	u64 hinted;
	u64 no_region;
	u64 stale;
	u64 stale_commands;
	u64 partial;
	u64 malformed;
} model;

static unsigned long told;

static void count_change(struct vb_hint *h)
{
	expect(h == &hint);
	told++;
}

/* Where chains find their commands: the one in force, an older one, stop. */
#define COMMANDS	(VBD_GUEST_BASE + FUZZ_GUEST_SIZE - 16)

static void put_commands(void)
{
	u32 raw[4] = { htole32(hint.cmd_id), htole32(hint.cmd_id - 1), 0, htole32(1) };

	vbd_write(queue.d, COMMANDS, raw, sizeof(raw));
}

static struct vbd_sg hint_piece(struct vbt_choice *c)
{
	unsigned int kind = vbt_choose(c, 16), page = vbt_choose(c, FUZZ_WORLD);
	u32 bytes = vbt_choose(c, 65536);

	if (kind < 6)
		return (struct vbd_sg){ COMMANDS + 4 * (page % 4), kind ? 4 : bytes % 8, false };
	if (kind < 8)
		return (struct vbd_sg){ VBD_GUEST_BASE + 4 * page, bytes % 6, false };
	/* Runs of pages, with and without a part of one at either end. */
	return (struct vbd_sg) {
		.addr = (u64)page * PAGE_SIZE + (kind & 1 ? bytes % PAGE_SIZE : 0),
		.len = kind < 12 ? bytes % 64 * PAGE_SIZE : bytes * (kind == 15 ? 65536 : 16),
		.write = true,
	};
}

static void model_set_state(u32 state)
{
	model.changes += state != model.state;
	model.state = state;
}

static void model_command(u32 id)
{
	bool was = model.listening;
	bool active = model.state == VHOST_BALLOON_HINT_REQUESTED ||
		      model.state == VHOST_BALLOON_HINT_RUNNING ||
		      model.state == VHOST_BALLOON_HINT_REPORTED;

	model.listening = active && id == model.cmd_id;
	if (model.listening)
		model_set_state(VHOST_BALLOON_HINT_RUNNING);
	else if (active && was && id == VIRTIO_BALLOON_CMD_ID_STOP)
		model_set_state(VHOST_BALLOON_HINT_REPORTED);
	else if (active || id != VIRTIO_BALLOON_CMD_ID_STOP)
		model.stale_commands++;
}

static bool model_is_memory(u64 gfn)
{
	unsigned int i;

	for (i = 0; i < queue.nr_slots; i++)
		if (gfn >= queue.slot[i].gfn && gfn - queue.slot[i].gfn < queue.slot[i].nr)
			return !queue.slot[i].flags;
	return false;
}

static void model_pages(u64 addr, u32 len)
{
	u64 first = fuzz_page(addr, 0, true), last = fuzz_page(addr, len, false);
	u64 nr = last > first ? last - first : 0, set = 0, gfn;

	model.partial += fuzz_page(addr, len, true) - addr / PAGE_SIZE - nr;
	if (!model.listening) {
		model.stale += nr;
		return;
	}
	for (gfn = first; gfn < last && gfn < FUZZ_WORLD; gfn++) {
		if (model_is_memory(gfn)) {
			model.bit[gfn] = true;
			set++;
		}
	}
	model.hinted += set;
	model.no_region += nr - set;
}

/* Take in what is readable. Returns 0, or -EINVAL. */
static int model_read(const struct vbd_sg *sg, u8 *command, unsigned int *have)
{
	u32 k;

	for (k = 0; k < sg->len; k++) {
		if (k >= fuzz_model_readable(&queue, sg) || *have == COMMAND_BYTES)
			return -EINVAL;
		vbd_read(queue.d, sg->addr + k, &command[(*have)++], 1);
	}
	return 0;
}

/* All of a chain: a command, then pages. Returns 0, -EINVAL, or -EBADMSG. */
static int model_chain(const struct vbt_model *m)
{
	unsigned int i, have = 0;
	u8 command[COMMAND_BYTES];
	u32 id;

	for (i = 0; i < m->nr && !m->sg[i].write; i++)
		if (model_read(&m->sg[i], command, &have))
			return -EINVAL;
	/* It ends by going wrong, or it ends. */
	if (i == m->nr && m->end)
		return m->broken ? -EBADMSG : -EINVAL;
	if (have && have != COMMAND_BYTES)
		return -EINVAL;
	if (have) {
		memcpy(&id, command, sizeof(id));
		model_command(le32toh(id));
	}
	for (; i < m->nr; i++)
		model_pages(m->sg[i].addr, m->sg[i].len);
	return m->broken ? -EBADMSG : m->end ? -EINVAL : 0;
}

static void model_pass(void)
{
	struct vbt_model m;

	while (fuzz_model_next(&queue, &m) > 0) {
		switch (model_chain(&m)) {
		case -EBADMSG:
			queue.broken = m.broken;
			return;
		case -EINVAL:
			/* It may have been a command, and any. */
			model.listening = false;
			model.malformed++;
		}
		fuzz_model_complete(&queue, m.head);
	}
}

static void check(void)
{
	if (queue.loose)
		return;
	expect_eq(hint.state, model.state);
	expect_eq(hint.cmd_id, model.cmd_id);
	expect_eq(told, model.changes);
	expect_eq(fuzz_counted(&queue, VHOST_BALLOON_C_HINTED), model.hinted);
	expect_eq(fuzz_counted(&queue, VHOST_BALLOON_C_HINT_STALE), model.stale);
	expect_eq(fuzz_counted(&queue, VHOST_BALLOON_C_HINT_NO_REGION), model.no_region);
	expect_eq(fuzz_counted(&queue, VHOST_BALLOON_C_HINT_COMMANDS_STALE), model.stale_commands);
	expect_eq(fuzz_counted(&queue, VHOST_BALLOON_C_SKIP_PARTIAL), model.partial);
	expect_eq(fuzz_counted(&queue, VHOST_BALLOON_C_MALFORMED), model.malformed);
	fuzz_model_check(&queue);
}

static void pass(void)
{
	put_commands();
	if (!queue.loose)
		model_pass();
	fuzz_queue_pass(&queue);
	check();
}

static void start(void)
{
	u32 id;

	expect_eq(vb_hint_start(&hint, &id), 0);
	if (model.state != VHOST_BALLOON_HINT_IDLE && model.state != VHOST_BALLOON_HINT_DONE)
		model_set_state(VHOST_BALLOON_HINT_STOPPED);
	model_set_state(VHOST_BALLOON_HINT_REQUESTED);
	model.cmd_id = model.cmd_id ? model.cmd_id + 1 : VB_HINT_CMD_ID_FIRST;
	expect_eq(id, model.cmd_id);
	model.listening = false;
	memset(model.bit, 0, sizeof(model.bit));
}

static void end(struct vbt_choice *c)
{
	unsigned int how = vbt_choose(c, 4);
	u32 state = how == 1 ? VHOST_BALLOON_HINT_DONE : VHOST_BALLOON_HINT_STOPPED;

	model.listening = false;
	if (how == 2) {
		vb_hint_reset(&hint);
		model_set_state(VHOST_BALLOON_HINT_IDLE);
		return;
	}
	expect_eq(vb_hint_end(&hint, state), 0);
	if (model.state != VHOST_BALLOON_HINT_IDLE && model.state != VHOST_BALLOON_HINT_DONE)
		model_set_state(state);
}

static void fetch(struct vbt_choice *c)
{
	u32 first = vbt_choose(c, FUZZ_WORLD / 64) * 64, nr = 1 + vbt_choose(c, FUZZ_WORLD), i;
	u64 words[FUZZ_WORLD / 64] = {};
	u32 set, expected = 0;

	if (nr > FUZZ_WORLD - first)
		nr = FUZZ_WORLD - first;
	expect_eq(vb_hint_fetch(&hint, first, nr, words, &set), 0);
	if (queue.loose)
		return;
	for (i = 0; i < nr; i++) {
		expect_eq(words[i / 64] >> (i % 64) & 1, model.bit[first + i]);
		expected += model.bit[first + i];
		model.bit[first + i] = false;
	}
	for (; i < FUZZ_WORLD; i++)
		expect_eq(words[i / 64] >> (i % 64) & 1, 0);
	expect_eq(set, expected);
}

static void around(struct vbt_choice *c)
{
	switch (vbt_choose(c, 8)) {
	case 0:
		end(c);
		break;
	case 1:
		fuzz_queue_stop(&queue);
		fuzz_queue_start(&queue);
		break;
	case 2:
		fuzz_queue_set_slots(&queue, c);
		/* Hints are about memory as it was. */
		memset(model.bit, 0, sizeof(model.bit));
		break;
	case 3:
	case 4:
		start();
		break;
	default:
		fetch(c);
	}
	check();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vbt_choice c = vbt_choice_bytes(data, size);

	memset(&hint, 0, sizeof(hint));
	memset(&model, 0, sizeof(model));
	told = 0;
	fuzz_queue_init(&queue, &c, &vb_hint_ops, &hint);
	expect_eq(vb_hint_init(&hint, 1, &queue.memory, count_change), 0);
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
		case 3:
			around(&c);
			break;
		case 4:
			pass();
			break;
		default:
			fuzz_queue_chain(&queue, &c, hint_piece);
		}
	}
	pass();
	vb_hint_destroy(&hint);
	fuzz_queue_destroy(&queue);
	return 0;
}
