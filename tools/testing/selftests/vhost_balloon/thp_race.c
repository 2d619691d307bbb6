// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that gives pages of transparent huge pages away and takes them back at the same time,
 * while parts go for every reason there is: what it writes to a page that it has back stays, and
 * what it has given in the end is gone in the end.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/mman.h>

#include "vb_thp_test.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

#define TUNE		VHOST_BALLOON_TUNE_THP
#define MAX_HUGE	4U
#define MAX_PAGES	(MAX_HUGE * VB_HUGE_PAGES)
#define MS		8000
#define TARGET		12345U
/* Memory that keeps the VMM's address space busy, 4 KiB at a time. */
#define BUSY_LEN	(4UL << 20)

/* Whose a page is. */
enum place {
	GUEST,
	BALLOON,
	ON_ITS_WAY,
};

struct _test_data_race;

/**
 * struct guest_thread - a thread that moves pages
 * @self: the test
 * @q: its queue
 * @buf: guest memory for its requests
 * @from: where it takes them: enum place
 * @to: where it brings them
 * @seed: of its random numbers
 * @error: what went wrong: a negative errno
 * @thread: the thread
 */
struct guest_thread {
	struct _test_data_race *self;
	struct vb_queue *q;
	struct vb_memory buf;
	int from;
	int to;
	unsigned int seed;
	int error;
	pthread_t thread;
};

FIXTURE(race) {
	struct vb_thp t;
	atomic_int place[MAX_PAGES];
	/* What the guest wrote to a page of its own. */
	__u32 written[MAX_PAGES];
	struct guest_thread giver, taker;
	void *busy;
	pthread_t busy_thread;
	atomic_uint lost;
	atomic_bool stop;
};

FIXTURE_VARIANT(race) {
	bool kvm;
	bool by_worker;
	unsigned int huge;
};

FIXTURE_VARIANT_ADD(race, table) { .huge = MAX_HUGE };
FIXTURE_VARIANT_ADD(race, memslots) { .huge = MAX_HUGE, .kvm = true };
FIXTURE_VARIANT_ADD(race, memslots_by_worker) { .huge = MAX_HUGE, .kvm = true, .by_worker = true };
/* The one that goes is the last one that was kept. */
FIXTURE_VARIANT_ADD(race, single_table) { .huge = 1 };
FIXTURE_VARIANT_ADD(race, single_table_by_worker) { .huge = 1, .by_worker = true };
FIXTURE_VARIANT_ADD(race, single_memslots) { .huge = 1, .kvm = true };

FIXTURE_SETUP(race)
{
	unsigned int page;

	vb_thp_setup(_metadata, &self->t, variant->kvm, variant->by_worker, VB_THP_FEATURES,
		     variant->huge);
	if (self->t.why)
		return;
	self->busy = mmap(NULL, BUSY_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->busy);
	madvise(self->busy, BUSY_LEN, MADV_NOHUGEPAGE);
	memset(self->busy, 1, BUSY_LEN);
	for (page = 0; page < MAX_PAGES; page++)
		self->written[page] = VB_THP_SEED;
	ASSERT_EQ(0, vb_set_target(self->t.m.backend, TARGET));
	ASSERT_EQ(0, vb_thp_start(&self->t));
	/* There shall be as many of them as possible. */
	ASSERT_EQ(0, madvise(self->t.ram.hva, self->t.ram.len, MADV_HUGEPAGE));
}

FIXTURE_TEARDOWN(race)
{
	vb_thp_close(&self->t);
}

/* What the guest has to find in a page of its own. */
static void look(struct _test_data_race *self, unsigned int page)
{
	if (!vb_memory_intact(&self->t.ram, page, 1, self->written[page]))
		atomic_fetch_add(&self->lost, 1);
}

/* A run of pages as long as a huge page at most, those of them that are where they come from. */
static unsigned int choose(struct guest_thread *g, __u32 *pages)
{
	const unsigned int all = g->self->t.pages;
	unsigned int first = rand_r(&g->seed) % all;
	unsigned int page, nr = 0, end;

	/* Mostly all of one, or a half. */
	switch (rand_r(&g->seed) % 4) {
	case 0:
		first -= first % VB_HUGE_PAGES;
		end = first + VB_HUGE_PAGES;
		break;
	case 1:
		first -= first % (VB_HUGE_PAGES / 2);
		end = first + VB_HUGE_PAGES / 2;
		break;
	default:
		end = first + 1 + rand_r(&g->seed) % 100;
		break;
	}
	for (page = first; page < end && page < all; page++)
		if (atomic_load(&g->self->place[page]) == g->from)
			pages[nr++] = page;
	return nr;
}

static int move(struct guest_thread *g)
{
	struct _test_data_race *self = g->self;
	__u32 pages[VB_HUGE_PAGES], gfns[VB_HUGE_PAGES];
	unsigned int nr = choose(g, pages), i;
	int ret;

	if (!nr)
		return 0;
	for (i = 0; i < nr; i++) {
		gfns[i] = vb_memory_gfn(&self->t.ram, pages[i]);
		if (g->from == GUEST)
			look(self, pages[i]);
		atomic_store(&self->place[pages[i]], ON_ITS_WAY);
	}
	ret = vb_queue_send_pages(g->q, &g->buf, gfns, nr);
	if (ret)
		return ret;
	for (i = 0; i < nr; i++) {
		if (g->to == GUEST)
			vb_memory_fill(&self->t.ram, pages[i], 1, ++self->written[pages[i]]);
		atomic_store(&self->place[pages[i]], g->to);
	}
	/* Now and then parts have the time to become idle. */
	if (!(rand_r(&g->seed) % 64))
		usleep(rand_r(&g->seed) % 400000);
	return 0;
}

static void *move_pages(void *arg)
{
	struct guest_thread *g = arg;

	while (!atomic_load(&g->self->stop) && !g->error)
		g->error = move(g);
	return NULL;
}

/* The address space is locked most of the time. */
static void *keep_busy(void *arg)
{
	struct _test_data_race *self = arg;

	while (!atomic_load(&self->stop)) {
		mprotect(self->busy, BUSY_LEN, PROT_READ);
		mprotect(self->busy, BUSY_LEN, PROT_READ | PROT_WRITE);
		usleep(200);
	}
	return NULL;
}

static int start(struct _test_data_race *self, struct guest_thread *g, struct vb_queue *q,
		 unsigned int nr)
{
	g->self = self;
	g->q = q;
	g->buf = self->t.m.buf;
	g->buf.gpa += nr * VB_PAGE;
	g->buf.hva += nr * VB_PAGE;
	g->seed = nr + 1;
	return pthread_create(&g->thread, NULL, move_pages, g);
}

/* What the guest, its controller and the VMM do meanwhile, once. */
static int disturb(struct vb_thp *t, unsigned int *seed)
{
	__u32 actual = rand_r(seed) % 2 ? TARGET : 0;
	unsigned int huge = rand_r(seed) % (t->pages / VB_HUGE_PAGES);
	int ret;

	/* Otherwise there would soon be no huge page any more. In vain if it can't be had. */
	madvise(t->ram.hva + huge * VB_HUGE, VB_HUGE, MADV_COLLAPSE);
	ret = vb_set_config(t->m.backend, offsetof(struct virtio_balloon_config, actual), &actual,
			    sizeof(actual));
	if (!ret && !(rand_r(seed) % 8))
		ret = vb_set_tunables(t->m.backend, TUNE, 0);
	usleep(rand_r(seed) % 10000);
	return ret ?: vb_set_tunables(t->m.backend, TUNE, TUNE);
}

/* Pages in the balloon that aren't gone. */
static unsigned int left(struct _test_data_race *self)
{
	unsigned int page, nr = 0;

	for (page = 0; page < self->t.pages; page++)
		nr += self->place[page] == BALLOON && !vb_memory_zero(&self->t.ram, page, 1);
	return nr;
}

TEST_F_TIMEOUT(race, what_is_written_to_a_page_that_was_taken_back_stays, 300)
{
	struct vb_thp *t = &self->t;
	unsigned int page, seed = 1;
	__u64 end;
	int ret = 0;

	self->giver.to = BALLOON;
	self->taker.from = BALLOON;
	ASSERT_EQ(0, start(self, &self->giver, &t->m.inflate, 0));
	ASSERT_EQ(0, start(self, &self->taker, &t->m.deflate, 1));
	ASSERT_EQ(0, pthread_create(&self->busy_thread, NULL, keep_busy, self));
	end = vb_now_ms() + MS;
	while (!ret && vb_now_ms() < end)
		ret = disturb(t, &seed);
	atomic_store(&self->stop, true);
	ASSERT_EQ(0, pthread_join(self->giver.thread, NULL));
	ASSERT_EQ(0, pthread_join(self->taker.thread, NULL));
	ASSERT_EQ(0, pthread_join(self->busy_thread, NULL));
	EXPECT_EQ(0, ret);
	EXPECT_EQ(0, self->giver.error);
	EXPECT_EQ(0, self->taker.error);

	end = vb_now_ms() + VB_TIMEOUT_MS;
	while (left(self) && vb_now_ms() < end)
		usleep(10000);
	EXPECT_EQ(0U, left(self));
	for (page = 0; page < t->pages; page++)
		if (self->place[page] == GUEST)
			look(self, page);
	EXPECT_EQ(0U, self->lost);
	/* It was about what it says. */
	EXPECT_LT(0ULL, vb_counter(t->m.backend, VB_THP_GATHERED));
	EXPECT_LT(0ULL, vb_counter(t->m.backend, VHOST_BALLOON_C_DEFLATED));
}

TEST_HARNESS_MAIN
