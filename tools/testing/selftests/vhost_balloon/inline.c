// SPDX-License-Identifier: GPL-2.0
/*
 * Queues that are served on the thread that kicked: when its write() of the kick has returned all
 * is done, and the worker hasn't stirred. What is always left to the worker, and what is when
 * there is more to do than one kick may take.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>

#include "kselftest_harness.h"
#include "vb_control.h"
#include "vb_driver.h"
#include "vb_inline.h"
#include "vb_kicker.h"
#include "vb_vdpa.h"

#define BIT(feature)	VB_FEATURE(VIRTIO_BALLOON_F_##feature)
#define INLINE		VHOST_BALLOON_TUNE_INLINE
#define NOTHING		VHOST_BALLOON_NR_COUNTERS
#define PAGES		512U
#define ROUNDS		20U

FIXTURE(kick) {
	struct vb_inline s;
};

FIXTURE_VARIANT(kick) {
	bool kvm;
	enum vb_memory_kind kind;
};

FIXTURE_VARIANT_ADD(kick, anon_table) { .kind = VB_MEMORY_ANON };
FIXTURE_VARIANT_ADD(kick, anon_memslots) { .kind = VB_MEMORY_ANON, .kvm = true };
FIXTURE_VARIANT_ADD(kick, memfd_table) { .kind = VB_MEMORY_MEMFD };
FIXTURE_VARIANT_ADD(kick, memfd_memslots) { .kind = VB_MEMORY_MEMFD, .kvm = true };

FIXTURE_SETUP(kick)
{
	const char *missing = variant->kvm ? vb_kvm_missing() : NULL;
	int ret;

	if (!missing)
		missing = vb_inline_missing();
	if (missing)
		SKIP(return, "%s", missing);
	ret = vb_inline_open(&self->s, variant->kvm, variant->kind, PAGES);
	ASSERT_EQ(0, ret) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-ret));
	}
}

FIXTURE_TEARDOWN(kick)
{
	vb_inline_close(&self->s);
}

/* What a thread that kicks sees. */
struct kicker {
	struct vb_inline *s;
	unsigned int first;
	unsigned int nr;
	int ret;
};

/* Waits for nothing: -EAGAIN is what comes of a request that isn't through yet. */
static void *kick_and_look(void *arg)
{
	struct kicker *kicker = arg;

	kicker->ret = vb_inline_post(kicker->s, kicker->first, kicker->nr);
	if (!kicker->ret)
		kicker->ret = vb_queue_kick(&kicker->s->m.inflate);
	if (!kicker->ret)
		kicker->ret = vb_inline_take(kicker->s);
	return NULL;
}

static int inflate_at_once(struct vb_inline *s, unsigned int first, unsigned int nr)
{
	struct kicker kicker = { .s = s, .first = first, .nr = nr };

	kick_and_look(&kicker);
	return kicker.ret;
}

TEST_F(kick, all_is_done_when_the_write_has_returned)
{
	struct vb_inline *s = &self->s;
	unsigned int i, given = 0;

	for (i = 1; i <= ROUNDS; i++) {
		ASSERT_EQ(0, inflate_at_once(s, given, i));
		given += i;
		ASSERT_EQ(i, vb_inline_risen(s, VHOST_BALLOON_C_PASSES_INLINE));
		ASSERT_EQ(i, vb_inline_risen(s, VHOST_BALLOON_C_PASSES));
	}
	EXPECT_EQ(-1, vb_inline_misplaced(s, NOTHING, 0));
	EXPECT_TRUE(vb_inline_slept(s));
	EXPECT_EQ(ROUNDS, vb_inline_risen(s, VHOST_BALLOON_C_KICKS));
	EXPECT_EQ(given, vb_inline_risen(s, VHOST_BALLOON_C_INFLATED));
	EXPECT_EQ(given, vb_memory_zero(&s->ram, 0, given));
	EXPECT_EQ(PAGES - given, vb_memory_intact(&s->ram, given, PAGES - given, VB_INLINE_SEED));
}

TEST_F(kick, of_another_thread_is_served_there)
{
	struct vb_inline *s = &self->s;
	struct kicker kicker = { .s = s };
	pthread_t thread;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		kicker.first = i;
		kicker.nr = 1;
		ASSERT_EQ(0, pthread_create(&thread, NULL, kick_and_look, &kicker));
		ASSERT_EQ(0, pthread_join(thread, NULL));
		ASSERT_EQ(0, kicker.ret);
	}
	EXPECT_EQ(ROUNDS, vb_inline_risen(s, VHOST_BALLOON_C_PASSES_INLINE));
	EXPECT_EQ(-1, vb_inline_misplaced(s, NOTHING, 0));
	EXPECT_TRUE(vb_inline_slept(s));
	EXPECT_EQ(ROUNDS, vb_memory_zero(&s->ram, 0, ROUNDS));
}

TEST_F(kick, several_requests_are_one_pass_and_one_interrupt)
{
	struct vb_inline *s = &self->s;
	unsigned int i;

	for (i = 0; i < VB_INLINE_NUM; i++)
		ASSERT_EQ(0, vb_inline_post(s, 2 * i, 2));
	vb_eventfd_count(s->m.inflate.call);
	ASSERT_EQ(0, vb_queue_kick(&s->m.inflate));
	EXPECT_EQ(0, vb_inline_take(s));
	EXPECT_EQ(1, vb_eventfd_count(s->m.inflate.call));
	EXPECT_EQ(1ULL, vb_inline_risen(s, VHOST_BALLOON_C_PASSES_INLINE));
	EXPECT_EQ(1ULL, vb_inline_risen(s, VHOST_BALLOON_C_SIGNALS));
	EXPECT_EQ(1ULL, vb_inline_risen(s, VHOST_BALLOON_C_DISCARD_OPS));
	EXPECT_EQ(-1, vb_inline_misplaced(s, NOTHING, 0));
	EXPECT_EQ(2U * VB_INLINE_NUM, vb_memory_zero(&s->ram, 0, 2 * VB_INLINE_NUM));
}

TEST_F(kick, for_nothing_is_a_pass_for_nothing)
{
	struct vb_inline *s = &self->s;
	unsigned int i;

	for (i = 1; i <= ROUNDS; i++) {
		ASSERT_EQ(0, vb_queue_kick(&s->m.inflate));
		ASSERT_EQ(i, vb_inline_risen(s, VHOST_BALLOON_C_PASSES_INLINE));
	}
	EXPECT_EQ(0ULL, vb_inline_risen(s, VHOST_BALLOON_C_SIGNALS));
	EXPECT_TRUE(vb_inline_slept(s));
}

TEST_F(kick, that_finds_the_ring_broken_says_so_at_once)
{
	struct vb_inline *s = &self->s;

	vb_ring_set_avail_idx(&s->m.inflate.ring, VB_INLINE_NUM + 1);
	ASSERT_EQ(0, vb_queue_kick(&s->m.inflate));
	EXPECT_EQ(1, vb_eventfd_count(s->m.inflate.err));
	EXPECT_EQ(1ULL, vb_inline_risen(s, VHOST_BALLOON_C_BROKEN));
	EXPECT_TRUE(vb_inline_slept(s));
}

TEST_F(kick, is_left_to_the_worker_where_that_is_switched_off)
{
	struct vb_inline *s = &self->s;

	ASSERT_EQ(0, vb_set_tunables(s->m.backend, INLINE, 0));
	ASSERT_EQ(0, vb_inline_post(s, 0, 8));
	ASSERT_EQ(0, vb_queue_kick(&s->m.inflate));
	ASSERT_EQ(0, vb_inline_wait(s));
	EXPECT_EQ(0ULL, vb_inline_risen(s, VHOST_BALLOON_C_PASSES_INLINE));
	EXPECT_EQ(-1, vb_inline_misplaced(s, VHOST_BALLOON_C_WORKER_OFF, 1));
	EXPECT_FALSE(vb_inline_slept(s));
	EXPECT_EQ(8U, vb_memory_zero(&s->ram, 0, 8));

	ASSERT_EQ(0, vb_set_tunables(s->m.backend, INLINE, INLINE));
	ASSERT_EQ(0, vb_inline_mark(s));
	ASSERT_EQ(0, inflate_at_once(s, 8, 8));
	EXPECT_EQ(-1, vb_inline_misplaced(s, NOTHING, 0));
	EXPECT_TRUE(vb_inline_slept(s));
}

/* The parameter is what new balloons begin with. */
TEST_F(kick, new_balloons_have_what_the_module_parameter_says)
{
	FILE *file = fopen("/sys/module/vhost_balloon/parameters/serve_inline", "re");
	__u64 mask, values;
	int letter;

	ASSERT_NE(NULL, file);
	letter = fgetc(file);
	fclose(file);
	ASSERT_EQ(0, vb_get_tunables(self->s.m.backend, &mask, &values));
	EXPECT_EQ(INLINE, mask & INLINE);
	EXPECT_EQ(letter == 'Y' ? INLINE : 0ULL, values & INLINE);
}

/* All five queues. Features are negotiated so that each one's index is its role. */
FIXTURE(queues) {
	struct vb_machine m;
	struct vb_memory ram;
	struct vhost_balloon_counters before;
};

FIXTURE_SETUP(queues)
{
	const char *missing = vb_inline_missing();
	unsigned int index;

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vb_machine_open(&self->m, false,
				     VB_FEATURE(VIRTIO_F_VERSION_1) | BIT(STATS_VQ) |
				     BIT(FREE_PAGE_HINT) | BIT(REPORTING), VB_INLINE_NUM));
	for (index = VHOST_BALLOON_ROLE_STATS; index <= VHOST_BALLOON_ROLE_REPORT; index++)
		ASSERT_EQ(0, vb_machine_add_queue(&self->m, index, VB_INLINE_NUM));
	ASSERT_EQ(0, vb_memory_map(&self->ram, VB_MEMORY_ANON, VB_INLINE_GPA, PAGES * VB_PAGE));
	vb_memory_fill(&self->ram, 0, PAGES, VB_INLINE_SEED);
	ASSERT_EQ(0, vb_machine_add(&self->m, &self->ram, 0));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	ASSERT_EQ(0, vb_settle(self->m.backend));
	ASSERT_EQ(0, vb_get_counters(self->m.backend, &self->before));
}

FIXTURE_TEARDOWN(queues)
{
	vb_machine_close(&self->m);
	vb_memory_unmap(&self->ram);
}

/* One chain: used when the write() of the kick has returned. */
static bool sent_at_once(struct vb_queue *q, const struct vb_sg *sg)
{
	if (vb_ring_add(&q->ring, sg, 1) < 0)
		return false;
	vb_ring_publish(&q->ring);
	if (vb_queue_kick(q))
		return false;
	return vb_ring_get_used(&q->ring, NULL, NULL) == 1;
}

TEST_F(queues, deflate_and_report_are_served_by_the_kick)
{
	const struct vb_sg list = { .addr = VB_BUF_GPA, .len = 4 * sizeof(__le32) };
	const struct vb_sg piece = VB_PIECE(VB_INLINE_GPA + 8 * VB_PAGE, 16 * VB_PAGE);
	struct vb_machine *m = &self->m;

	memset(m->buf.hva, 0, list.len);
	EXPECT_TRUE(sent_at_once(&m->deflate, &list));
	EXPECT_TRUE(sent_at_once(vb_machine_queue(m, VHOST_BALLOON_ROLE_REPORT), &piece));
	EXPECT_EQ(-1, vb_misplaced(m->backend, &self->before, NOTHING, 0));
	EXPECT_EQ(4ULL, vb_counter(m->backend, VHOST_BALLOON_C_DEFLATED));
	EXPECT_EQ(16ULL, vb_counter(m->backend, VHOST_BALLOON_C_REPORTED));
	EXPECT_EQ(16U, vb_memory_zero(&self->ram, 8, 16));
	EXPECT_EQ(PAGES - 16, vb_memory_intact(&self->ram, 0, PAGES, VB_INLINE_SEED));
}

TEST_F(queues, stats_and_hints_are_left_to_the_worker)
{
	struct vb_queue *stats = vb_machine_queue(&self->m, VHOST_BALLOON_ROLE_STATS);
	struct vb_queue *hints = vb_machine_queue(&self->m, VHOST_BALLOON_ROLE_HINT);
	const struct vb_sg sample = { .addr = VB_BUF_GPA, .len = VB_STAT_SIZE };
	int fd = self->m.backend;
	__u32 id;

	vb_put_stat(self->m.buf.hva, 0, VIRTIO_BALLOON_S_MEMFREE, 7);
	ASSERT_LE(0, vb_ring_add(&stats->ring, &sample, 1));
	vb_ring_publish(&stats->ring);
	ASSERT_EQ(0, vb_queue_kick(stats));
	ASSERT_EQ(0, vb_wait_counter(fd, VHOST_BALLOON_C_STATS_SAMPLES, 1));
	EXPECT_EQ(-1, vb_misplaced(fd, &self->before, VHOST_BALLOON_C_WORKER_ROLE, 1));
	ASSERT_EQ(0, vb_hint_start(fd, &id));
	ASSERT_EQ(0, vb_send_command(hints, &self->m.buf, id));
	EXPECT_EQ(-1, vb_misplaced(fd, &self->before, VHOST_BALLOON_C_WORKER_ROLE, 2));
	EXPECT_EQ(self->before.value[VHOST_BALLOON_C_PASSES_INLINE],
		  vb_counter(fd, VHOST_BALLOON_C_PASSES_INLINE));
}

/* How much one kick may do: 1024 pages, four full requests of a Linux guest. */
FIXTURE(bound) {
	struct vb_inline s;
};

FIXTURE_VARIANT(bound) {
	enum vb_memory_kind kind;
	unsigned int chains;
	unsigned int pages;
	bool left;
};

FIXTURE_VARIANT_ADD(bound, anon_1000) { .kind = VB_MEMORY_ANON, .chains = 1, .pages = 1000 };
FIXTURE_VARIANT_ADD(bound, memfd_1000) { .kind = VB_MEMORY_MEMFD, .chains = 1, .pages = 1000 };
FIXTURE_VARIANT_ADD(bound, anon_1024) { .kind = VB_MEMORY_ANON, .chains = 1, .pages = 1024 };
FIXTURE_VARIANT_ADD(bound, anon_4_of_256) { .kind = VB_MEMORY_ANON, .chains = 4, .pages = 256 };
FIXTURE_VARIANT_ADD(bound, anon_1025) {
	.kind = VB_MEMORY_ANON, .chains = 1, .pages = 1025, .left = true,
};

FIXTURE_VARIANT_ADD(bound, anon_4096) {
	.kind = VB_MEMORY_ANON, .chains = 1, .pages = 4096, .left = true,
};

FIXTURE_VARIANT_ADD(bound, memfd_4096) {
	.kind = VB_MEMORY_MEMFD, .chains = 1, .pages = 4096, .left = true,
};

FIXTURE_VARIANT_ADD(bound, anon_8_of_256) {
	.kind = VB_MEMORY_ANON, .chains = 8, .pages = 256, .left = true,
};

FIXTURE_VARIANT_ADD(bound, memfd_16_of_512) {
	.kind = VB_MEMORY_MEMFD, .chains = 16, .pages = 512, .left = true,
};

FIXTURE_SETUP(bound)
{
	const char *missing = vb_inline_missing();

	if (missing)
		SKIP(return, "%s", missing);
	/* And one page after it, which stays. */
	ASSERT_EQ(0, vb_inline_open(&self->s, false, variant->kind,
				    variant->chains * variant->pages + 1));
}

FIXTURE_TEARDOWN(bound)
{
	vb_inline_close(&self->s);
}

TEST_F_TIMEOUT(bound, of_a_kick_leaves_the_rest_to_the_worker, 120)
{
	unsigned int all = variant->chains * variant->pages, chain;
	struct vb_inline *s = &self->s;

	for (chain = 0; chain < variant->chains; chain++)
		ASSERT_EQ(0, vb_inline_post(s, chain * variant->pages, variant->pages));
	ASSERT_EQ(0, vb_queue_kick(&s->m.inflate));
	ASSERT_EQ(0, variant->left ? vb_inline_wait(s) : vb_inline_take(s));
	EXPECT_EQ(1ULL, vb_inline_risen(s, VHOST_BALLOON_C_PASSES_INLINE));
	EXPECT_EQ(-1, vb_inline_misplaced(s, VHOST_BALLOON_C_WORKER_LEFT, variant->left));
	EXPECT_EQ(!variant->left, vb_inline_slept(s));
	EXPECT_EQ(all, vb_inline_risen(s, VHOST_BALLOON_C_INFLATED));
	EXPECT_EQ(all, vb_memory_zero(&s->ram, 0, all));
	EXPECT_EQ(1U, vb_memory_intact(&s->ram, all, 1, VB_INLINE_SEED));
}

/* Whoever does which part of it: the chain is used when its last page is gone. */
TEST_F_TIMEOUT(bound, all_is_gone_before_it_is_acknowledged, 120)
{
	unsigned int all = variant->chains * variant->pages, chain, round;
	__u64 *last = self->s.ram.hva + (all - 1) * VB_PAGE;
	struct vb_inline *s = &self->s;
	struct vb_watch w;

	for (round = 0; round < ROUNDS; round++) {
		*last = 0x1234;
		/* That of the last chain. */
		ASSERT_EQ(0, vb_watch_begin(&w, &s->m.inflate, last));
		w.idx += variant->chains - 1;
		for (chain = 0; chain < variant->chains; chain++)
			ASSERT_EQ(0, vb_inline_post(s, chain * variant->pages, variant->pages));
		ASSERT_EQ(0, vb_queue_kick(&s->m.inflate));
		ASSERT_EQ(0, vb_inline_wait(s));
		ASSERT_EQ(0, vb_watch_end(&w));
		ASSERT_NE(0x1234ULL, w.seen);
	}
}

/* A kick gets to a vDPA device another way: by vhost-vdpa. */
FIXTURE(vdpa) {
	struct vb_vdpa d;
	struct vb_memory ram;
	struct vhost_balloon_counters before;
};

FIXTURE_SETUP(vdpa)
{
	const char *missing = vb_vdpa_missing();

	if (!missing)
		missing = vb_inline_missing();
	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vb_vdpa_add(&self->d, "inline", 0));
	ASSERT_EQ(0, vb_memory_map(&self->ram, VB_MEMORY_MEMFD, VB_INLINE_GPA, PAGES * VB_PAGE));
	vb_memory_fill(&self->ram, 0, PAGES, VB_INLINE_SEED);
	ASSERT_EQ(0, vb_vdpa_run(&self->d, VB_FEATURE(VIRTIO_F_VERSION_1) |
				 VB_FEATURE(VIRTIO_F_ACCESS_PLATFORM), 2));
	ASSERT_EQ(0, vb_vdpa_map(&self->d, &self->ram, VHOST_ACCESS_RW));
	/* The first one sees that there is more memory now. */
	ASSERT_EQ(0, vb_vdpa_inflate(&self->d, VB_INLINE_GPA, 1));
	ASSERT_EQ(0, vb_settle(self->d.control));
	ASSERT_EQ(0, vb_get_counters(self->d.control, &self->before));
}

FIXTURE_TEARDOWN(vdpa)
{
	vb_vdpa_del(&self->d);
	vb_memory_unmap(&self->ram);
}

TEST_F(vdpa, queue_is_served_by_the_kick)
{
	const struct vb_sg list = { .addr = self->d.buf.gpa, .len = sizeof(__le32) };
	struct vb_queue *q = &self->d.queues[VB_INFLATE];
	int fd = self->d.control;
	unsigned int i;

	for (i = 1; i <= ROUNDS; i++) {
		vb_write_list(self->d.buf.hva, VB_INLINE_GPA + i * VB_PAGE, 1);
		ASSERT_TRUE(sent_at_once(q, &list));
	}
	EXPECT_EQ(-1, vb_misplaced(fd, &self->before, NOTHING, 0));
	EXPECT_EQ(self->before.value[VHOST_BALLOON_C_PASSES_INLINE] + ROUNDS,
		  vb_counter(fd, VHOST_BALLOON_C_PASSES_INLINE));
	EXPECT_EQ(ROUNDS + 1, vb_memory_zero(&self->ram, 0, ROUNDS + 1));
}

TEST_HARNESS_MAIN
