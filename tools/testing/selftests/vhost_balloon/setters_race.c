// SPDX-License-Identifier: GPL-2.0
/*
 * A VMM that sets up its backend in one thread while it does so in another, and while its guest
 * kicks: where the memory is known from, whose the queues are, whether they run. Each call does
 * what it should or says why it doesn't, and memory that was taken away stays as it is.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>

#include "kselftest_harness.h"
#include "vb_inline.h"
#include "vb_kicker.h"
#include "vb_race.h"
#include "vb_worker.h"

#define PAGES		64U
#define SEED		0x5e77e5
#define SETTERS		3

FIXTURE(setters) {
	struct vb_inline s;
	struct vb_vm other;
	struct vb_kicker kicker;
	struct vb_loop hammer;
	struct vb_loop setters[SETTERS];
	struct vb_memory canary;
};

FIXTURE_VARIANT(setters) {
	bool kvm;
	bool worker;
};

FIXTURE_VARIANT_ADD(setters, inline_table) { .kvm = false };
FIXTURE_VARIANT_ADD(setters, inline_memslots) { .kvm = true };
FIXTURE_VARIANT_ADD(setters, worker_table) { .kvm = false, .worker = true };
FIXTURE_VARIANT_ADD(setters, worker_memslots) { .kvm = true, .worker = true };

/* Another VM of this process, where there is nothing but the memory for buffers. */
static int open_other(FIXTURE_DATA(setters) *self)
{
	const struct vb_memory *buf = &self->s.m.buf;

	return vb_vm_open(&self->other) ?:
	       vb_vm_set_slot(&self->other, 0, 0, buf->gpa, buf->len, buf->hva);
}

static int open_machine(FIXTURE_DATA(setters) *self, bool kvm, bool worker)
{
	int ret = vb_inline_open(&self->s, kvm, VB_MEMORY_ANON, PAGES);

	if (!ret && worker)
		ret = vb_set_tunables(self->s.m.backend, VHOST_BALLOON_TUNE_INLINE, 0);
	return ret;
}

FIXTURE_SETUP(setters)
{
	const char *missing = vb_serving_missing(variant->worker);

	if (missing)
		SKIP(return, "%s", missing);
	/* What the guest isn't told of. */
	ASSERT_EQ(0, vb_memory_map(&self->canary, VB_MEMORY_ANON, VB_INLINE_GPA, PAGES * VB_PAGE));
	vb_memory_fill(&self->canary, 0, PAGES, SEED);
	ASSERT_EQ(0, open_machine(self, variant->kvm, variant->worker));
	ASSERT_EQ(0, open_other(self));
}

static int stop_setters(FIXTURE_DATA(setters) *self)
{
	unsigned int i;
	int error = 0;

	for (i = 0; i < SETTERS; i++)
		if (self->setters[i].started) {
			int ret = vb_loop_stop(&self->setters[i]);

			error = error ?: ret;
		}
	return error;
}

FIXTURE_TEARDOWN(setters)
{
	stop_setters(self);
	vb_loop_stop(&self->hammer);
	vb_kicker_stop(&self->kicker);
	vb_inline_close(&self->s);
	vb_vm_close(&self->other);
	vb_memory_unmap(&self->canary);
}

/* A guest that gives all of its memory away, over and over. */
static int start_guest(FIXTURE_DATA(setters) *self)
{
	vb_write_list(self->s.m.buf.hva, VB_INLINE_GPA, PAGES);
	return vb_kicker_start_list(&self->kicker, &self->s.m.inflate, VB_BUF_GPA, PAGES);
}

/* What was written to the memory when it was taken away stays, however much the guest wants. */
static void expect_out_of_reach(struct __test_metadata *_metadata, FIXTURE_DATA(setters) *self,
				unsigned int round)
{
	vb_memory_fill(&self->s.ram, 0, PAGES, round);
	ASSERT_EQ(0, vb_kicker_wait(&self->kicker));
	ASSERT_EQ(PAGES, vb_memory_intact(&self->s.ram, 0, PAGES, round)) {
		TH_LOG("round %u, VB_SEED=%llu", round, vb_chance_seed());
	}
}

TEST_F_TIMEOUT(setters, source_that_was_replaced_is_reached_no_more, vb_rounds_limit())
{
	unsigned int rounds = vb_rounds(30), round;
	struct vb_machine *m = &self->s.m;

	ASSERT_EQ(0, start_guest(self));
	for (round = 1; round <= rounds; round++) {
		ASSERT_EQ(0, vb_kicker_wait_discarded(&self->kicker, &self->s.ram, PAGES));
		vb_chance_wait(4000);
		/* A table takes the place of whatever there is, at once. */
		ASSERT_EQ(0, vb_set_mem_table(m->backend, &m->buf, 1));
		expect_out_of_reach(_metadata, self, round);
		if (!m->kvm) {
			ASSERT_EQ(0, vb_machine_set_memory(m));
			continue;
		}
		/* A VM only when queues are stopped. */
		ASSERT_EQ(-EBUSY, vb_machine_set_memory(m));
		ASSERT_EQ(0, vb_machine_stop(m));
		ASSERT_EQ(0, vb_machine_set_memory(m));
		ASSERT_EQ(0, vb_machine_start(m));
	}
	EXPECT_EQ(0, vb_kicker_stop(&self->kicker));
	EXPECT_EQ(0ULL, vb_counter(m->backend, VHOST_BALLOON_C_BROKEN));
}

TEST_F_TIMEOUT(setters, vm_that_was_replaced_is_reached_no_more, vb_rounds_limit())
{
	unsigned int rounds = vb_rounds(20), round;
	struct vb_machine *m = &self->s.m;

	ASSERT_EQ(0, start_guest(self));
	for (round = 1; round <= rounds; round++) {
		ASSERT_EQ(0, vb_kicker_wait_discarded(&self->kicker, &self->s.ram, PAGES));
		vb_chance_wait(4000);
		ASSERT_EQ(0, vb_machine_stop(m));
		if (round % 2)
			ASSERT_EQ(0, vb_set_vm(m->backend, -1));
		ASSERT_EQ(0, vb_set_vm(m->backend, self->other.fd));
		ASSERT_EQ(0, vb_machine_start(m));
		expect_out_of_reach(_metadata, self, round);
		ASSERT_EQ(0, vb_machine_stop(m));
		ASSERT_EQ(0, vb_machine_set_memory(m));
		ASSERT_EQ(0, vb_machine_start(m));
	}
	EXPECT_EQ(0, vb_kicker_stop(&self->kicker));
	EXPECT_EQ(0ULL, vb_counter(m->backend, VHOST_BALLOON_C_BROKEN));
}

static int kick_both(void *arg)
{
	struct vb_machine *m = arg;

	return vb_queue_kick(&m->inflate) ?: vb_queue_kick(&m->deflate);
}

static int set_queue(struct vb_machine *m)
{
	struct vb_queue *q = vb_machine_queue(m, vb_chance(2));
	int fd = m->backend;

	switch (vb_chance(6)) {
	case 0:
		return vb_set_vring_num(fd, q->index, VB_INLINE_NUM);
	case 1:
		return vb_set_vring_base(fd, q->index, 0);
	case 2:
		return vb_set_vring_addr(fd, q->index, q->ring.desc, q->ring.avail, q->ring.used);
	case 3:
		return vb_set_vring_kick(fd, q->index, vb_chance(4) ? q->kick : -1);
	case 4:
		return vb_set_vring_call(fd, q->index, vb_chance(4) ? q->call : -1);
	default:
		return vb_get_vring_base(fd, q->index);
	}
}

static int set_anything(FIXTURE_DATA(setters) *self)
{
	struct vb_machine *m = &self->s.m;
	int fd = m->backend;

	switch (vb_chance(12)) {
	case 0:
		return vb_ioctl(fd, VHOST_RESET_OWNER, NULL);
	case 1:
	case 2:
		return vb_set_owner(fd);
	case 3:
		return vb_set_vm(fd, -1);
	case 4:
		return vb_set_vm(fd, self->other.fd);
	case 5:
		return vb_machine_set_memory(m);
	case 6:
		return vb_set_mem_table(fd, &m->buf, 1);
	case 7:
		return vb_set_features(fd, m->features);
	case 8:
	case 9:
		return vb_set_running(fd, vb_chance(3));
	default:
		return set_queue(m);
	}
}

/* Of what may be said one thing: done, no owner, an owner or running, or not set up yet. */
static int set_step(void *arg)
{
	int ret = set_anything(arg);

	return ret >= 0 || ret == -EPERM || ret == -EBUSY || ret == -EINVAL ? 0 : ret;
}

static int start_all(FIXTURE_DATA(setters) *self)
{
	unsigned int i;
	int ret = vb_loop_start(&self->hammer, kick_both, &self->s.m);

	for (i = 0; i < SETTERS && !ret; i++)
		ret = vb_loop_start(&self->setters[i], set_step, self);
	return ret;
}

/* Whatever state it is in. */
static int set_up_again(struct vb_machine *m)
{
	int ret = vb_set_owner(m->backend);

	return ret && ret != -EBUSY ? ret : vb_machine_reload(m, m->features);
}

static void expect_well(struct __test_metadata *_metadata, FIXTURE_DATA(setters) *self)
{
	struct vb_machine *m = &self->s.m;
	struct vb_memory *ram = &self->s.ram;

	ASSERT_EQ(0, set_up_again(m));
	vb_memory_fill(ram, 0, PAGES, SEED);
	ASSERT_EQ(0, vb_machine_start(m));
	ASSERT_EQ(0, vb_inflate_range(m, ram->gpa, 1));
	EXPECT_EQ(1U, vb_memory_zero(ram, 0, 1));
	EXPECT_EQ(PAGES - 1, vb_memory_intact(ram, 1, PAGES - 1, SEED));
	EXPECT_EQ(PAGES, vb_memory_intact(&self->canary, 0, PAGES, SEED));
}

TEST_F_TIMEOUT(setters, of_several_threads_do_no_harm, vb_rounds_limit())
{
	unsigned int rounds = vb_rounds(30);

	/* Something to do, whenever it runs. */
	ASSERT_EQ(0, vb_inline_post(&self->s, 0, PAGES));
	ASSERT_EQ(0, start_all(self));
	while (rounds--) {
		ASSERT_EQ(0, vb_loop_wait(&self->setters[0], 10)) {
			TH_LOG("VB_SEED=%llu", vb_chance_seed());
		}
	}
	EXPECT_EQ(0, stop_setters(self)) {
		TH_LOG("VB_SEED=%llu", vb_chance_seed());
	}
	EXPECT_EQ(0, vb_loop_stop(&self->hammer));
	expect_well(_metadata, self);
}

TEST_F_TIMEOUT(setters, outlast_a_close, vb_rounds_limit())
{
	unsigned int rounds = vb_rounds(10), round, i;
	int references;

	vb_inline_close(&self->s);
	references = vb_module_references("vhost_balloon");
	for (round = 0; round < rounds; round++) {
		memset(&self->s, 0, sizeof(self->s));
		memset(self->setters, 0, sizeof(self->setters));
		ASSERT_EQ(0, open_machine(self, variant->kvm, variant->worker));
		ASSERT_EQ(0, vb_inline_post(&self->s, 0, PAGES));
		for (i = 0; i < SETTERS; i++)
			ASSERT_EQ(0, vb_loop_start(&self->setters[i], set_step, self));
		vb_chance_wait(20000);
		/* The number isn't used again before they have seen it. */
		ASSERT_EQ(0, close(self->s.m.backend));
		vb_queue_kick(&self->s.m.inflate);
		for (i = 0; i < SETTERS; i++)
			ASSERT_EQ(-EBADF, vb_loop_wait(&self->setters[i], 1000000));
		ASSERT_EQ(-EBADF, stop_setters(self));
		self->s.m.backend = -1;
		vb_inline_close(&self->s);
	}
	EXPECT_TRUE(vb_module_has(references));
	EXPECT_EQ(PAGES, vb_memory_intact(&self->canary, 0, PAGES, SEED));
}

TEST_HARNESS_MAIN
