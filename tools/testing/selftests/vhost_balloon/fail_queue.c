// SPDX-License-Identifier: GPL-2.0
/*
 * Each allocation, and each copy to user memory, that is made to serve a queue fails in turn, on
 * the thread that kicked and on the worker. No queue breaks of that, every request is completed,
 * and the guest hears of it; nothing is discarded but what was asked for, and what is not is counted.
 *
 * The kernel has no faults for what passes read, which are copies that may not sleep. That is
 * for memslots_uffd.c and inline_fallback.c, where pages are missing.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>

#include "kselftest_harness.h"
#include "vb_control.h"
#include "vb_driver.h"
#include "vb_fail.h"
#include "vb_hugetlb.h"
#include "vb_kicker.h"
#include "vb_memory.h"
#include "vb_thp.h"
#include "vb_worker.h"

#define BIT(feature)	VB_FEATURE(VIRTIO_BALLOON_F_##feature)
#define FEATURES	(VB_FEATURE(VIRTIO_F_VERSION_1) | \
			 VB_FEATURE(VIRTIO_RING_F_INDIRECT_DESC) | \
			 BIT(STATS_VQ) | BIT(FREE_PAGE_HINT) | BIT(REPORTING))
#define NUM		16
#define RAM_GPA		0x10000000ULL
#define MAX_PAGES	(3 * VB_HUGE_PAGES)
/* More slots than there is room for at first. */
#define PIECES		32U
/* Where the buffers of a request are, from the beginning of those. */
#define TABLE		(VB_BUF_LEN / 2)

/**
 * struct served - a machine whose queues are served
 * @m: itself, with all queues
 * @b: memory to give away
 * @by_worker: it is the worker that serves
 * @worker: its thread
 * @fail: to have something fail, of the thread that serves
 * @before: what the counters said before a request
 * @after: and after it
 * @first: the first page of a request
 * @nr: pages of it
 * @given: the same, for each page
 */
struct served {
	struct vb_machine m;
	struct vb_backing b;
	bool by_worker;
	pid_t worker;
	int fail;
	struct vhost_balloon_counters before;
	struct vhost_balloon_counters after;
	unsigned int first;
	unsigned int nr;
	bool given[MAX_PAGES];
};

static int add_queues(struct served *s)
{
	unsigned int index;
	int ret = 0;

	for (index = VHOST_BALLOON_ROLE_STATS; index <= VHOST_BALLOON_ROLE_REPORT && !ret; index++)
		ret = vb_machine_add_queue(&s->m, index, NUM);
	return ret;
}

static int tune(struct served *s)
{
	return vb_set_tunables(s->m.backend,
			       VHOST_BALLOON_TUNE_THP | VHOST_BALLOON_TUNE_INLINE |
			       s->b.type->tunables,
			       (s->by_worker ? 0 : VHOST_BALLOON_TUNE_INLINE) |
			       s->b.type->tunables);
}

static int make(struct served *s)
{
	int ret = vb_machine_open(&s->m, false, FEATURES, NUM);

	if (!ret)
		ret = add_queues(s);
	if (!ret)
		ret = vb_machine_add(&s->m, &s->b.mem, 0);
	if (!ret)
		ret = tune(s);
	s->worker = ret ? ret : vb_worker_find(s->m.backend);
	if (s->worker < 0)
		return s->worker;
	s->fail = vb_fail_open(s->by_worker ? s->worker : getpid());
	return s->fail < 0 ? s->fail : 0;
}

/* All but the start. */
static int prepare(struct served *s, const struct vb_backing_type *type, bool by_worker)
{
	int ret = vb_backing_open(&s->b, type, RAM_GPA);

	s->by_worker = by_worker;
	s->fail = -1;
	s->m.backend = -1;
	s->first = type->unit;
	s->nr = type->unit > 1 ? type->unit : 8;
	memset(&s->given[s->first], true, s->nr * sizeof(s->given[0]));
	return ret ?: make(s);
}

static int set_up(struct served *s, const struct vb_backing_type *type, bool by_worker)
{
	return prepare(s, type, by_worker) ?: vb_machine_start(&s->m) ?:
	       vb_worker_settle(s->worker);
}

static void tear_down(struct served *s)
{
	if (s->fail >= 0)
		close(s->fail);
	vb_machine_close(&s->m);
	vb_backing_close(&s->b);
}

static unsigned int risen(const struct served *s, enum vhost_balloon_counter counter)
{
	return s->after.value[counter] - s->before.value[counter];
}

/* How many pages something became of. */
static unsigned int outcomes(const struct served *s)
{
	return vb_outcomes(&s->after) - vb_outcomes(&s->before);
}

/* Of those of a request; more than there are if that can't be found out. */
static unsigned int count_gone(const struct served *s)
{
	unsigned int page, gone = 0;

	for (page = s->first; page < s->first + s->nr; page++) {
		int resident = vb_backing_resident(&s->b, page);

		if (resident < 0)
			return MAX_PAGES + 1;
		gone += !resident;
	}
	return gone;
}

/* Those that nobody has given away. */
static unsigned int count_lost(const struct served *s)
{
	unsigned int page, lost = 0;

	for (page = 0; page < s->b.type->pages; page++)
		lost += !s->given[page] && !vb_backing_intact(&s->b, page);
	return lost;
}

/* The pages' numbers, in two buffers of an indirect table. */
static int post_list(struct served *s, struct vb_queue *q)
{
	unsigned int half = s->nr / 2 * sizeof(__le32);
	const struct vb_sg list[] = {
		{ .addr = VB_BUF_GPA, .len = half },
		{ .addr = VB_BUF_GPA + half, .len = half },
	};
	int ret;

	vb_write_list(s->m.buf.hva, RAM_GPA + s->first * VB_PAGE, s->nr);
	ret = vb_ring_add_indirect(&q->ring, NULL, 0, s->m.buf.hva + TABLE, VB_BUF_GPA + TABLE,
				   list, 2);
	if (ret < 0)
		return ret;
	vb_ring_publish(&q->ring);
	return 0;
}

/* The pages themselves. */
static int post_piece(struct served *s, struct vb_queue *q)
{
	const struct vb_sg piece = VB_PIECE(RAM_GPA + s->first * VB_PAGE, s->nr * VB_PAGE);
	int ret = vb_ring_add(&q->ring, &piece, 1);

	if (ret < 0)
		return ret;
	vb_ring_publish(&q->ring);
	return 0;
}

/* What fails on this thread may be the write() itself. Then nobody was kicked. */
static int kick(struct served *s, struct vb_queue *q, unsigned int nth, int *hit)
{
	int ret = vb_fail_arm(s->fail, nth);

	if (ret)
		return ret;
	ret = vb_queue_kick(q);
	if (s->by_worker)
		return ret;
	*hit = vb_fail_disarm(s->fail);
	return ret == -EFAULT && *hit == 1 ? vb_queue_kick(q) : ret;
}

/* Takes @nr chains, all that were made available, once they are used and the guest was told. */
static int take(struct vb_queue *q, unsigned int nr)
{
	int ret = vb_queue_wait_used(q, q->ring.avail_idx);
	__u32 len;

	if (!ret)
		ret = vb_queue_wait_call(q);
	if (ret < 0)
		return ret;
	while (nr--)
		if (vb_ring_get_used(&q->ring, NULL, &len) != 1 || len)
			return -EPROTO;
	return vb_eventfd_count(q->err) ? -EIO : 0;
}

/* The queue, with nothing going on, and no interrupt that is old. */
static int settle(struct served *s, struct vb_queue *q)
{
	int ret = vb_worker_settle(s->worker);

	if (!ret)
		ret = vb_eventfd_count(q->call);
	if (ret < 0)
		return ret;
	return vb_get_counters(s->m.backend, &s->before);
}

/* Has the request that was posted served, with a fault. Returns whether it came to that. */
static int serve(struct served *s, struct vb_queue *q, unsigned int nth)
{
	int hit = 0, ret;

	ret = settle(s, q) ?: kick(s, q, nth, &hit);
	if (!ret)
		ret = take(q, 1);
	if (!ret)
		ret = vb_worker_settle(s->worker);
	if (s->by_worker)
		hit = vb_fail_disarm(s->fail);
	if (!ret)
		ret = vb_get_counters(s->m.backend, &s->after);
	return ret ?: hit;
}

/* All memory is there, and huge where it was. */
static int refill(struct served *s)
{
	const char *why;
	int ret = 0;

	if (s->b.type == &vb_backing_thp)
		ret = vb_thp_refill(&s->b.mem, &why);
	vb_backing_fill(&s->b);
	return ret;
}

FIXTURE(served) {
	struct served s;
};

FIXTURE_VARIANT(served) {
	const struct vb_backing_type *type;
	bool by_worker;
};

FIXTURE_VARIANT_ADD(served, anon_by_kick) { .type = &vb_backing_anon };
FIXTURE_VARIANT_ADD(served, anon_by_worker) { .type = &vb_backing_anon, .by_worker = true };
FIXTURE_VARIANT_ADD(served, thp_by_kick) { .type = &vb_backing_thp };
FIXTURE_VARIANT_ADD(served, thp_by_worker) { .type = &vb_backing_thp, .by_worker = true };
FIXTURE_VARIANT_ADD(served, memfd_by_kick) { .type = &vb_backing_memfd };
FIXTURE_VARIANT_ADD(served, memfd_by_worker) { .type = &vb_backing_memfd, .by_worker = true };
FIXTURE_VARIANT_ADD(served, hugetlb_by_kick) { .type = &vb_backing_hugetlb_shared };
FIXTURE_VARIANT_ADD(served, hugetlb_by_worker) {
	.type = &vb_backing_hugetlb_shared, .by_worker = true,
};

FIXTURE_SETUP(served)
{
	const char *missing = vb_fail_missing();
	int ret;

	if (!missing)
		missing = variant->by_worker ? vb_worker_thread_missing() : vb_inline_missing();
	if (missing)
		SKIP(return, "%s", missing);
	ret = set_up(&self->s, variant->type, variant->by_worker);
	if (self->s.b.why)
		SKIP(return, "%s: %s", self->s.b.why, strerror(-ret));
	ASSERT_EQ(0, ret);
}

FIXTURE_TEARDOWN(served)
{
	tear_down(&self->s);
}

/* The entry of the used ring can't be written; nor can the eventfd. */
static unsigned int least(const struct served *s)
{
	return s->by_worker ? 1 : 2;
}

static void expect(struct __test_metadata *_metadata, unsigned int fault, const char *what,
		   unsigned int expected, unsigned int seen)
{
	EXPECT_EQ(expected, seen) {
		TH_LOG("fault %u: %s", fault, what);
	}
}

/* Who served the queue is who is made to fail. */
static void expect_who(struct __test_metadata *_metadata, unsigned int fault,
		       const struct served *s)
{
	expect(_metadata, fault, "served by who kicked", !s->by_worker,
	       !!risen(s, VHOST_BALLOON_C_PASSES_INLINE));
}

/* What is there at the end of all faults: there were some, and there are no more of them. */
#define EXPECT_END(_s, _faults, _hit)				\
	do {							\
		TH_LOG("%u faults", _faults);			\
		EXPECT_EQ(0, _hit);				\
		EXPECT_LE(least(_s), _faults);			\
		EXPECT_EQ(0ULL, vb_counter((_s)->m.backend, VHOST_BALLOON_C_MALFORMED)); \
	} while (0)

typedef int (*post_fn)(struct served *s, struct vb_queue *q);

/* What could not be discarded is still there, and counted. Nothing else is. */
static void give_away(struct __test_metadata *_metadata, struct served *s, unsigned int role,
		      post_fn post)
{
	struct vb_queue *q = vb_machine_queue(&s->m, role);
	unsigned int nth, gone, faults = 0;
	__u64 begin = vb_now_ms();
	int hit = 1;

	for (nth = 1; hit && nth < VB_FAIL_MOST; nth = vb_fail_next(nth, begin)) {
		ASSERT_EQ(0, refill(s));
		ASSERT_EQ(0, post(s, q));
		hit = serve(s, q, nth);
		ASSERT_LE(0, hit);
		faults += hit;
		gone = count_gone(s);
		expect(_metadata, nth, "pages gone", risen(s, s->b.type->counter), gone);
		expect(_metadata, nth, "pages gone or skipped", s->nr,
		       gone + risen(s, VHOST_BALLOON_C_SKIP_ERROR));
		expect(_metadata, nth, "pages counted", s->nr, outcomes(s));
		expect(_metadata, nth, "pages lost", 0, count_lost(s));
		expect_who(_metadata, nth, s);
	}
	EXPECT_END(s, faults, hit);
	EXPECT_EQ(s->nr, gone);
}

TEST_F_TIMEOUT(served, inflation_is_completed, 300)
{
	give_away(_metadata, &self->s, VHOST_BALLOON_ROLE_INFLATE, post_list);
}

TEST_F_TIMEOUT(served, report_is_completed, 300)
{
	give_away(_metadata, &self->s, VHOST_BALLOON_ROLE_REPORT, post_piece);
}

TEST_F_TIMEOUT(served, deflation_is_completed, 300)
{
	struct vb_queue *q = &self->s.m.deflate;
	struct served *s = &self->s;
	__u64 begin = vb_now_ms();
	unsigned int nth, faults = 0;
	int hit = 1;

	for (nth = 1; hit && nth < VB_FAIL_MOST; nth = vb_fail_next(nth, begin)) {
		ASSERT_EQ(0, post_list(s, q));
		hit = serve(s, q, nth);
		ASSERT_LE(0, hit);
		faults += hit;
		expect(_metadata, nth, "deflated", s->nr, risen(s, VHOST_BALLOON_C_DEFLATED));
		expect(_metadata, nth, "pages gone", 0, count_gone(s));
		expect_who(_metadata, nth, s);
	}
	EXPECT_END(s, faults, hit);
	EXPECT_EQ(0U, count_lost(s));
}

/* What the worker alone does. */
FIXTURE(populated) {
	struct served s;
};

FIXTURE_VARIANT(populated) {
	const struct vb_backing_type *type;
};

FIXTURE_VARIANT_ADD(populated, anon) { .type = &vb_backing_anon };
FIXTURE_VARIANT_ADD(populated, memfd) { .type = &vb_backing_memfd };
FIXTURE_VARIANT_ADD(populated, hugetlb) { .type = &vb_backing_hugetlb_shared };

FIXTURE_SETUP(populated)
{
	const char *missing = vb_fail_missing() ?: vb_worker_thread_missing();
	int ret;

	if (missing)
		SKIP(return, "%s", missing);
	ret = set_up(&self->s, variant->type, true);
	if (self->s.b.why)
		SKIP(return, "%s: %s", self->s.b.why, strerror(-ret));
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, vb_set_tunables(self->s.m.backend, VHOST_BALLOON_TUNE_POPULATE,
				     VHOST_BALLOON_TUNE_POPULATE));
}

FIXTURE_TEARDOWN(populated)
{
	tear_down(&self->s);
}

TEST_F_TIMEOUT(populated, pages_are_there_or_counted, 300)
{
	struct served *s = &self->s;
	__u64 begin = vb_now_ms();
	unsigned int nth, gone, missing = 0, faults = 0;
	int hit = 1;

	for (nth = 1; hit && nth < VB_FAIL_MOST; nth = vb_fail_next(nth, begin)) {
		ASSERT_EQ(0, vb_inflate_range(&s->m, RAM_GPA + s->first * VB_PAGE, s->nr));
		ASSERT_EQ(s->nr, count_gone(s));
		ASSERT_EQ(0, post_list(s, &s->m.deflate));
		hit = serve(s, &s->m.deflate, nth);
		ASSERT_LE(0, hit);
		faults += hit;
		missing += risen(s, VHOST_BALLOON_C_POPULATE_FAILED);
		gone = count_gone(s);
		expect(_metadata, nth, "deflated", s->nr, risen(s, VHOST_BALLOON_C_DEFLATED));
		expect(_metadata, nth, "populated or not", s->nr,
		       risen(s, VHOST_BALLOON_C_POPULATED) +
		       risen(s, VHOST_BALLOON_C_POPULATE_FAILED));
		/* One that is said to be there is; one that failed may have been halfway there. */
		EXPECT_LE(gone, risen(s, VHOST_BALLOON_C_POPULATE_FAILED)) {
			TH_LOG("fault %u", nth);
		}
	}
	TH_LOG("%u pages were not there", missing);
	EXPECT_END(s, faults, hit);
	EXPECT_EQ(0U, gone);
	EXPECT_EQ(0U, risen(s, VHOST_BALLOON_C_POPULATE_FAILED));
	EXPECT_LT(0U, missing);
	EXPECT_EQ(0U, count_lost(s));
}

/*
 * Room for the regions of more slots. Who sets the slots tries to make it, and does without; the
 * worker can't, and tries again.
 */
FIXTURE(grown) {
	struct served s;
	int fail;
};

FIXTURE_SETUP(grown)
{
	const char *missing = vb_fail_missing() ?: vb_worker_thread_missing();

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_LE(PIECES, vb_backing_anon.pages);
	self->fail = vb_fail_open(getpid());
	ASSERT_LE(0, self->fail);
}

FIXTURE_TEARDOWN(grown)
{
	close(self->fail);
}

/* The same memory, with a slot for each page. */
static int set_pieces(struct served *s)
{
	struct vb_memory slots[1 + PIECES] = { s->m.buf };
	unsigned int i;

	for (i = 0; i < PIECES; i++) {
		slots[1 + i].gpa = RAM_GPA + i * VB_PAGE;
		slots[1 + i].hva = (char *)s->b.mem.hva + i * VB_PAGE;
		slots[1 + i].len = VB_PAGE;
	}
	return vb_set_mem_table(s->m.backend, slots, ARRAY_SIZE(slots));
}

/* With the nth fault. Returns whether it came to that. */
static int set_pieces_failing(struct served *s, int fail, unsigned int nth)
{
	int hit, ret = vb_fail_arm(fail, nth);

	if (ret)
		return ret;
	ret = set_pieces(s);
	hit = vb_fail_disarm(fail);
	if (hit == 1 && (ret == -ENOMEM || ret == -EFAULT))
		ret = set_pieces(s);
	return ret ?: hit;
}

/* A request that was there before the start, with a fault for the worker that serves it. */
static int serve_at_start(struct served *s)
{
	int ret = vb_worker_settle(s->worker) ?: vb_get_counters(s->m.backend, &s->before);

	if (!ret)
		ret = post_list(s, &s->m.inflate);
	if (!ret)
		ret = vb_fail_arm(s->fail, 1) ?: vb_machine_start(&s->m);
	if (!ret)
		ret = take(&s->m.inflate, 1) ?: vb_worker_settle(s->worker);
	if (!ret)
		ret = vb_fail_disarm(s->fail) == 1 ? 0 : -EPROTO;
	return ret ?: vb_get_counters(s->m.backend, &s->after);
}

TEST_F_TIMEOUT(grown, memory_is_reached_when_there_is_room_for_its_regions, 300)
{
	struct served *s = &self->s;
	unsigned int nth, gone, late, lates = 0;
	int hit = 1;

	for (nth = 1; hit && nth < VB_FAIL_MOST; nth++) {
		ASSERT_EQ(0, prepare(s, &vb_backing_anon, true));
		hit = set_pieces_failing(s, self->fail, nth);
		ASSERT_LE(0, hit);
		ASSERT_EQ(0, serve_at_start(s)) {
			TH_LOG("fault %u", nth);
		}
		/* If the worker has made room the fault was in that, and not in what it discards. */
		late = risen(s, VHOST_BALLOON_C_REGION_ADD);
		lates += !!late;
		gone = count_gone(s);
		expect(_metadata, nth, "pages gone", risen(s, s->b.type->counter), gone);
		expect(_metadata, nth, "pages gone or skipped", s->nr,
		       gone + (late ? 0 : risen(s, VHOST_BALLOON_C_SKIP_ERROR)));
		expect(_metadata, nth, "pages lost", 0, count_lost(s));
		tear_down(s);
	}
	TH_LOG("%u faults, %u of them in making room", nth - 2, lates);
	EXPECT_EQ(0, hit);
	EXPECT_LT(0U, lates);
}

FIXTURE(told) {
	struct served s;
};

FIXTURE_SETUP(told)
{
	const char *missing = vb_fail_missing() ?: vb_worker_thread_missing();

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, set_up(&self->s, &vb_backing_anon, true));
}

FIXTURE_TEARDOWN(told)
{
	tear_down(&self->s);
}

static int post_sample(struct served *s, struct vb_queue *q, __u64 value)
{
	const struct vb_sg sample = { .addr = VB_BUF_GPA, .len = VB_STAT_SIZE };
	int ret;

	vb_put_stat(s->m.buf.hva, 0, VIRTIO_BALLOON_S_MEMFREE, value);
	ret = vb_ring_add(&q->ring, &sample, 1);
	if (ret < 0)
		return ret;
	vb_ring_publish(&q->ring);
	return 0;
}

/*
 * The buffer is given back when the next sample is wanted: the worker is asked twice. Returns whether
 * it came to the fault.
 */
static int sample(struct served *s, __u64 value, unsigned int nth)
{
	struct vb_queue *q = vb_machine_queue(&s->m, VHOST_BALLOON_ROLE_STATS);
	int fd = s->m.backend, hit, ret;

	ret = settle(s, q) ?: post_sample(s, q, value);
	if (!ret)
		ret = vb_fail_arm(s->fail, nth) ?: vb_queue_kick(q);
	if (!ret)
		ret = vb_wait_stats(fd, value);
	if (!ret)
		ret = vb_refresh_stats(fd, 0) ?: take(q, 1);
	if (!ret)
		ret = vb_worker_settle(s->worker);
	hit = vb_fail_disarm(s->fail);
	return ret ?: hit;
}

TEST_F_TIMEOUT(told, sample_arrives, 300)
{
	struct vhost_balloon_stats stats;
	struct vhost_balloon_stat entry;
	struct served *s = &self->s;
	__u64 begin = vb_now_ms();
	unsigned int nth, samples = 0, faults = 0;
	int hit = 1;

	for (nth = 1; hit && nth < VB_FAIL_MOST; nth = vb_fail_next(nth, begin)) {
		hit = sample(s, ++samples, nth);
		ASSERT_LE(0, hit);
		faults += hit;
		ASSERT_EQ(0, vb_get_stats(s->m.backend, &stats, &entry, 1));
		ASSERT_EQ(samples, stats.sequence);
		ASSERT_EQ(1U, stats.total);
		ASSERT_EQ(VIRTIO_BALLOON_S_MEMFREE, entry.tag);
		ASSERT_EQ(samples, entry.value);
	}
	EXPECT_END(s, faults, hit);
}

/* A command, and hints, in one go. */
static int post_hints(struct served *s, struct vb_queue *q, __u32 id)
{
	const struct vb_sg command = { .addr = VB_BUF_GPA, .len = sizeof(id) };
	const __le32 word = htole32(id);

	memcpy(s->m.buf.hva, &word, sizeof(word));
	if (vb_ring_add(&q->ring, &command, 1) < 0)
		return -EIO;
	return post_piece(s, q);
}

/* Returns whether it came to the fault. */
static int hint(struct served *s, unsigned int nth)
{
	struct vb_queue *q = vb_machine_queue(&s->m, VHOST_BALLOON_ROLE_HINT);
	int hit, ret;
	__u32 id;

	ret = vb_hint_start(s->m.backend, &id) ?: post_hints(s, q, id);
	if (!ret)
		ret = settle(s, q);
	if (!ret)
		ret = vb_fail_arm(s->fail, nth) ?: vb_queue_kick(q);
	if (!ret)
		ret = take(q, 2) ?: vb_worker_settle(s->worker);
	hit = vb_fail_disarm(s->fail);
	return ret ?: hit;
}

TEST_F_TIMEOUT(told, hints_arrive, 300)
{
	struct served *s = &self->s;
	__u64 begin = vb_now_ms();
	unsigned int nth, faults = 0;
	__u64 bits;
	int hit = 1;

	for (nth = 1; hit && nth < VB_FAIL_MOST; nth = vb_fail_next(nth, begin)) {
		hit = hint(s, nth);
		ASSERT_LE(0, hit);
		faults += hit;
		ASSERT_EQ(0, vb_hint_stop(s->m.backend, VHOST_BALLOON_HINT_STOP_STOP));
		ASSERT_EQ((int)s->nr, vb_hint_fetch(s->m.backend, RAM_GPA / VB_PAGE, 64, &bits));
		ASSERT_EQ(((1ULL << s->nr) - 1) << s->first, bits);
	}
	EXPECT_END(s, faults, hit);
	EXPECT_EQ(0U, count_lost(s));
}

TEST_HARNESS_MAIN
