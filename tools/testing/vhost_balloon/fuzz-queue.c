// SPDX-License-Identifier: GPL-2.0
/* A queue that serves a ring made of a fuzzer's bytes, and how far a model of it is. */
#include <vbt-kernel.h>

#include "execution.h"
#include "fuzz-queue.h"
#include "test-uaccess.h"

/* Passes that it may take to do all that there is. */
#define PASSES_MAX	100

static struct fuzz_queue *serving;

/*
 * What the queue finds around it
 */

void vb_callback_call(const struct vhost_balloon_callback *cb)
{
	if (cb->fn)
		cb->fn(cb->arg);
}

static void count_signal(void *arg)
{
	struct fuzz_queue *f = arg;

	f->signals++;
}

int vb_user_or_u32(u32 __user *uaddr, u32 bits)
{
	*uaddr |= bits;
	return 0;
}

/* What was faulted in is there. For good only if there is a model. */
static size_t fault_in(size_t n)
{
	expect(!vbt_pagefaults_disabled && !serving->in_section);
	return serving->loose && !vbt_choose(&serving->random, 4) ? n : 0;
}

size_t fault_in_readable(const char __user *p, size_t n)
{
	return fault_in(n);
}

size_t fault_in_safe_writeable(const char __user *p, size_t n)
{
	return fault_in(n);
}

/* There are no more faults in a row than are still taken for memory that is there. */
static void before_access(void *arg, const void *p, size_t n, bool write)
{
	struct fuzz_queue *f = arg;
	u16 at;

	expect(vbt_pagefaults_disabled == 1 && f->in_section);
	if (f->loose && !vbt_choose(&f->random, 4)) {
		at = vbt_choose(&f->random, 65536);
		fuzz_ring_scribble(f->d, at, vbt_choose(&f->random, 65536));
	}
	if (vbt_choose(&f->random, 256) < f->faults && (f->loose || f->q.faults < 60)) {
		vbt_uaccess.fail_at = vbt_uaccess.accesses;
		vbt_uaccess.fail_after = vbt_choose(&f->random, n);
	}
}

static ssize_t translate(struct vb_vring_access *acc, enum vb_vring_space space, u64 addr,
			 size_t len, bool write, void __user **uaddr)
{
	struct fuzz_queue *f = container_of(acc, struct fuzz_queue, q.acc);

	f->q.acc_space = space;
	return f->d->acc.translate(&f->d->acc, space, addr, len, write, uaddr);
}

/*
 * The guest's memory
 */

static int source_enter(void *data)
{
	struct fuzz_queue *f = data;

	expect(!f->in_section);
	f->in_section = true;
	return 7;
}

static void source_leave(void *data, int cookie)
{
	struct fuzz_queue *f = data;

	expect(f->in_section && cookie == 7);
	f->in_section = false;
}

static u64 source_generation(void *data)
{
	struct fuzz_queue *f = data;

	return f->generation;
}

static int source_find(void *data, u64 gfn, struct vhost_balloon_slot *slot)
{
	struct fuzz_queue *f = data;
	unsigned int i;

	expect(f->in_section);
	for (i = 0; i < f->nr_slots; i++) {
		if (gfn < f->slot[i].gfn + f->slot[i].nr) {
			*slot = f->slot[i];
			return 0;
		}
	}
	return -ENOENT;
}

static void source_release(void *data)
{
}

static const struct vhost_balloon_source_ops source_ops = {
	.type		= VHOST_BALLOON_SOURCE_MEMTABLE,
	.enter		= source_enter,
	.leave		= source_leave,
	.generation	= source_generation,
	.find		= source_find,
	.release	= source_release,
};

void fuzz_queue_set_slots(struct fuzz_queue *f, struct vbt_choice *c)
{
	unsigned int i, nr = vbt_choose(c, FUZZ_SLOTS + 1);
	u64 gfn = 0;

	for (i = 0; i < nr; i++) {
		struct vhost_balloon_slot *s = &f->slot[i];

		s->gfn = gfn + vbt_choose(c, 64);
		s->nr = 1 + vbt_choose(c, FUZZ_WORLD / FUZZ_SLOTS - 64);
		s->hva = (1 + vbt_choose(c, 4)) * (1UL << 40);
		s->id = i;
		s->flags = vbt_choose(c, 4) == 1 ? vbt_choose(c, 16) : 0;
		gfn = s->gfn + s->nr;
	}
	f->nr_slots = nr;
	f->generation++;
}

/*
 * Setting up
 */

void fuzz_queue_start(struct fuzz_queue *f)
{
	vb_queue_start(&f->q, f->d->features);
	f->avail = f->q.base;
	f->seen = f->q.base;
	f->used = vbd_used_idx(f->d);
	f->broken = 0;
}

void fuzz_queue_stop(struct fuzz_queue *f)
{
	vb_queue_stop(&f->q);
	if (!f->loose && !f->broken)
		expect_eq(f->q.base, f->avail);
}

void fuzz_queue_init(struct fuzz_queue *f, struct vbt_choice *c, const struct vb_queue_ops *ops,
		     void *data)
{
	struct vb_queue *q = &f->q;
	u16 idx;

	memset(f, 0, sizeof(*f));
	serving = f;
	vbt_uaccess_reset();
	vbt_now = 0;
	f->d = fuzz_ring(c);
	f->faults = vbt_choose(c, 128);
	f->random = vbt_choice_random(vbt_choose(c, 256));
	f->loose = vbt_choose(c, 8) == 7;
	idx = vbt_choose(c, 65536);
	vbd_reset(f->d, idx, 0);

	vb_memory_init(&f->memory, 1);
	expect_eq(vb_queue_init(q, &f->memory, &f->counters), 0);
	q->acc.translate = translate;
	q->num = f->d->num;
	q->desc = f->d->desc;
	q->avail = f->d->avail;
	q->used = f->d->used;
	q->base = idx;
	q->ops = ops;
	q->data = data;
	vb_queue_set_callback(q, (struct vhost_balloon_callback){ count_signal, f });
	fuzz_queue_set_slots(f, c);
	expect_eq(vb_memory_set_source(&f->memory, &source_ops, f), 0);
}

void fuzz_queue_destroy(struct fuzz_queue *f)
{
	expect_eq(f->d->stray, 0);
	vb_memory_set_source(&f->memory, NULL, NULL);
	vb_queue_destroy(&f->q);
	vb_memory_destroy(&f->memory);
}

/*
 * What the driver does
 */

void fuzz_queue_chain(struct fuzz_queue *f, struct vbt_choice *c,
		      struct vbd_sg (*piece)(struct vbt_choice *c))
{
	vbd_set_avail(f->d, f->d->avail_idx++, fuzz_ring_chain(f->d, c, &f->next_desc, piece));
	vbd_publish(f->d);
}

void fuzz_queue_fill(struct fuzz_queue *f, struct vbt_choice *c)
{
	unsigned int at = vbt_choose(c, FUZZ_GUEST_SIZE), n = vbt_choose(c, 32);

	while (n-- && at < FUZZ_GUEST_SIZE) {
		u8 byte = vbt_choose(c, 256);

		vbd_write(f->d, VBD_GUEST_BASE + at++, &byte, 1);
	}
}

void fuzz_queue_wild(struct fuzz_queue *f, struct vbt_choice *c)
{
	u16 i;

	switch (vbt_choose(c, 4)) {
	case 0:
		i = vbt_choose(c, f->d->num);
		vbd_set_avail(f->d, i, vbt_choose(c, 65536));
		break;
	case 1:
		f->d->avail_idx += (s64)vbt_choose(c, 256) - 64;
		vbd_publish(f->d);
		break;
	case 2:
		fuzz_ring_desc(f->d, c, VBD_GUEST_BASE, FUZZ_GUEST_SIZE / 16);
		break;
	default:
		fuzz_ring_desc(f->d, c, f->d->desc, f->d->num);
	}
}

/*
 * What the device does, and what the model says
 */

void fuzz_queue_pass(struct fuzz_queue *f)
{
	enum vb_queue_result result;
	unsigned int passes = 0;

	vbt_uaccess.before = before_access;
	vbt_uaccess.arg = f;
	while ((result = vb_queue_pass(&f->q)) == VB_QUEUE_MORE)
		expect(passes++ < PASSES_MAX || f->loose);
	vbt_uaccess.before = NULL;
	expect(!f->in_section && !f->memory.lock.held && !f->q.lock.held);
	if (f->loose)
		return;
	expect(result == VB_QUEUE_IDLE || result == VB_QUEUE_NOW_BROKEN);
}

int fuzz_model_next(struct fuzz_queue *f, struct vbt_model *m)
{
	struct vbd *d = f->d;
	u16 head;

	if (f->broken)
		return -1;
	if (f->avail == f->seen) {
		u16 idx = vbd_get16(d, d->avail + 2);

		if ((u16)(idx - f->avail) > d->num)
			f->broken = VHOST_BALLOON_BROKEN_AVAIL_INDEX;
		else
			f->seen = idx;
	}
	if (f->broken || f->avail == f->seen)
		return f->broken ? -1 : 0;
	head = vbd_get16(d, d->avail + 4 + 2 * (f->avail % d->num));
	if (head >= d->num) {
		f->broken = VHOST_BALLOON_BROKEN_HEAD;
		return -1;
	}
	f->avail++;
	vbt_model_chain(d, m, head);
	return 1;
}

void fuzz_model_complete(struct fuzz_queue *f, u16 head)
{
	f->head[f->used++ % f->d->num] = head;
	f->heads++;
	f->chains++;
}

u32 fuzz_model_readable(struct fuzz_queue *f, const struct vbd_sg *sg)
{
	u64 end = VBD_GUEST_BASE + f->d->guest.size;

	if (sg->addr < VBD_GUEST_BASE || sg->addr >= end)
		return 0;
	return sg->len < end - sg->addr ? sg->len : end - sg->addr;
}

u64 fuzz_counted(const struct fuzz_queue *f, enum vhost_balloon_counter which)
{
	return atomic64_read(&f->counters.value[which]);
}

void fuzz_model_check(struct fuzz_queue *f)
{
	u16 used = vbd_used_idx(f->d), i, nr = f->d->num;
	u32 id, len;

	expect_eq(f->q.vring.broken, f->broken);
	expect_eq(fuzz_counted(f, VHOST_BALLOON_C_SIGNALS), f->signals);
	/* What was collected when the ring broke is not completed. */
	if (f->broken) {
		f->chains -= (u16)(f->used - used);
		f->used = used;
		f->heads = 0;
	}
	expect_eq(used, f->used);
	expect_eq(fuzz_counted(f, VHOST_BALLOON_C_CHAINS), f->chains);
	for (i = 0; i < nr && i < f->heads; i++) {
		u16 at = used - 1 - i;

		vbd_used_elem(f->d, at, &id, &len);
		expect_eq(id, f->head[at % nr]);
		expect_eq(len, 0);
	}
}
