// SPDX-License-Identifier: GPL-2.0
/*
 * What the tracepoints say. See memslots_listener.c for vhost_balloon_region.
 */
#include <string.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>

#include "kselftest_harness.h"
#include "vb_control.h"
#include "vb_driver.h"
#include "vb_hint.h"
#include "vb_memory.h"
#include "vb_trace.h"
#include "vb_worker.h"

#define FEATURES	(VB_FEATURE(VIRTIO_F_VERSION_1) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_MUST_TELL_HOST) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_STATS_VQ) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_FREE_PAGE_HINT) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_REPORTING))
/* All features are negotiated, so that each queue's index is its role. */
#define STATS_INDEX	VHOST_BALLOON_ROLE_STATS
#define HINT_INDEX	VHOST_BALLOON_ROLE_HINT
#define REPORT_INDEX	VHOST_BALLOON_ROLE_REPORT
#define RING_NUM	16
#define RAM_GPA		0x10000000ULL
#define GFN		(RAM_GPA / VB_PAGE)
#define PAGES		64U
#define MAX_LINES	64
/* Nothing here takes that long. */
#define A_MINUTE	60000000000ULL

FIXTURE(trace) {
	struct vb_machine m;
	struct vb_memory ram;
	struct vb_trace trace;
	__u64 id;
	struct vb_trace_line lines[MAX_LINES];
	int nr;
};

FIXTURE_SETUP(trace)
{
	struct vhost_balloon_info info;
	unsigned int index;
	int ret;

	ret = vb_trace_open_all(&self->trace);
	if (ret)
		SKIP(return, "no tracepoints in tracefs: %s", strerror(-ret));
	ret = vb_machine_open(&self->m, false, FEATURES, RING_NUM);
	ASSERT_EQ(0, ret) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-ret));
	}
	for (index = STATS_INDEX; index <= REPORT_INDEX; index++)
		ASSERT_EQ(0, vb_machine_add_queue(&self->m, index, RING_NUM));
	ASSERT_EQ(0, vb_memory_map(&self->ram, VB_MEMORY_ANON, RAM_GPA, PAGES * VB_PAGE));
	ASSERT_EQ(0, vb_machine_add(&self->m, &self->ram, 0));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	ASSERT_EQ(0, vb_settle(self->m.backend));
	ASSERT_EQ(0, vb_get_info(self->m.backend, &info));
	self->id = info.id;
}

FIXTURE_TEARDOWN(trace)
{
	vb_machine_close(&self->m);
	vb_trace_close(&self->trace);
	vb_memory_unmap(&self->ram);
}

/* Reads what was traced of an event until now. */
static int read_lines(FIXTURE_DATA(trace) *self, const char *name)
{
	memset(self->lines, 0, sizeof(self->lines));
	self->nr = vb_trace_lines(&self->trace, name, self->id, self->lines, MAX_LINES);
	return self->nr <= MAX_LINES ? self->nr : -EOVERFLOW;
}

static __u64 number(FIXTURE_DATA(trace) *self, unsigned int line, const char *field)
{
	return vb_trace_number(&self->lines[line], field);
}

static bool says(FIXTURE_DATA(trace) *self, unsigned int line, const char *field,
		 const char *text)
{
	return vb_trace_says(&self->lines[line], field, text);
}

TEST_F(trace, kick_names_the_queue)
{
	/* Nothing there to do, but a kick all the same. */
	ASSERT_EQ(0, vb_queue_kick(&self->m.deflate));
	ASSERT_EQ(0, vb_queue_kick(vb_machine_queue(&self->m, REPORT_INDEX)));
	ASSERT_EQ(0, vb_queue_kick(&self->m.inflate));
	ASSERT_EQ(3, read_lines(self, "kick"));
	EXPECT_EQ(VB_DEFLATE, number(self, 0, "index"));
	EXPECT_EQ(REPORT_INDEX, number(self, 1, "index"));
	EXPECT_EQ(VB_INFLATE, number(self, 2, "index"));
	EXPECT_EQ(3ULL, vb_counter(self->m.backend, VHOST_BALLOON_C_KICKS));
}

static void expect_batch(struct __test_metadata *_metadata, FIXTURE_DATA(trace) *self,
			 const char *role, unsigned int index, unsigned int pages,
			 unsigned int ranges, unsigned int bytes)
{
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	ASSERT_EQ(1, read_lines(self, "batch"));
	EXPECT_TRUE(says(self, 0, "role", role));
	EXPECT_EQ(index, number(self, 0, "index"));
	EXPECT_EQ(pages, number(self, 0, "pages"));
	EXPECT_EQ(ranges, number(self, 0, "ranges"));
	EXPECT_EQ(bytes, number(self, 0, "bytes"));
	EXPECT_NE(0ULL, number(self, 0, "ns"));
	EXPECT_GT(A_MINUTE, number(self, 0, "ns"));
	EXPECT_TRUE(says(self, 0, "where", vb_inline_missing() ? "worker" : "inline")) {
		TH_LOG("%s", self->lines[0].text);
	}
}

TEST_F(trace, batch_of_an_inflation_has_pages_ranges_and_bytes)
{
	/* Two ranges, and a page that is none of the guest's. */
	const __u32 gfns[] = { GFN + 9, GFN + 3, GFN + 4, GFN + 8, GFN + 7, GFN + PAGES };

	ASSERT_EQ(0, vb_machine_inflate(&self->m, gfns, ARRAY_SIZE(gfns)));
	expect_batch(_metadata, self, "inflate", VB_INFLATE, 6, 3, 5 * VB_PAGE);
}

TEST_F(trace, batch_of_a_deflation_discards_nothing)
{
	ASSERT_EQ(0, vb_deflate_range(&self->m, RAM_GPA, 7));
	expect_batch(_metadata, self, "deflate", VB_DEFLATE, 7, 1, 0);
}

TEST_F(trace, batch_of_a_report_has_what_was_discarded)
{
	ASSERT_EQ(0, vb_send_piece(vb_machine_queue(&self->m, REPORT_INDEX), RAM_GPA,
				   PAGES * VB_PAGE));
	expect_batch(_metadata, self, "report", REPORT_INDEX, PAGES, 1, PAGES * VB_PAGE);
}

TEST_F(trace, batch_of_the_worker_is_told_from_one_of_the_kick)
{
	ASSERT_EQ(0, vb_set_tunables(self->m.backend, VHOST_BALLOON_TUNE_INLINE, 0));
	ASSERT_EQ(0, vb_deflate_range(&self->m, RAM_GPA, 7));
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	ASSERT_EQ(1, read_lines(self, "batch"));
	EXPECT_TRUE(says(self, 0, "where", "worker"));
}

TEST_F(trace, discard_is_one_operation)
{
	ASSERT_EQ(0, vb_inflate_range(&self->m, RAM_GPA + 5 * VB_PAGE, 3));
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	ASSERT_EQ(1, read_lines(self, "discard"));
	EXPECT_EQ((unsigned long)self->ram.hva + 5 * VB_PAGE, number(self, 0, "hva"));
	EXPECT_EQ(3 * VB_PAGE, number(self, 0, "len"));
	EXPECT_TRUE(says(self, 0, "backing", "anon"));
	EXPECT_EQ(0ULL, number(self, 0, "ret"));
}

TEST_F(trace, hint_follows_the_state)
{
	static const char * const states[] = {
		"requested", "running", "reported", "stopped", "done",
	};
	struct vb_queue *q = vb_machine_queue(&self->m, HINT_INDEX);
	int fd = self->m.backend;
	unsigned int i;
	__u32 id;

	ASSERT_EQ(0, vb_hint_start(fd, &id));
	ASSERT_EQ(0, vb_send_command(q, &self->m.buf, id));
	ASSERT_EQ(0, vb_send_command(q, &self->m.buf, VIRTIO_BALLOON_CMD_ID_STOP));
	ASSERT_EQ(0, vb_hint_stop(fd, VHOST_BALLOON_HINT_STOP_STOP));
	ASSERT_EQ(0, vb_hint_stop(fd, VHOST_BALLOON_HINT_STOP_DONE));
	ASSERT_EQ((int)ARRAY_SIZE(states), read_lines(self, "hint"));
	for (i = 0; i < ARRAY_SIZE(states); i++) {
		EXPECT_EQ(id, number(self, i, "cmd_id"));
		EXPECT_TRUE(says(self, i, "state", states[i])) {
			TH_LOG("%s", self->lines[i].text);
		}
	}
}

/* A sample that the device holds back until it wants the next one. */
static int send_sample(FIXTURE_DATA(trace) *self, unsigned int nr)
{
	struct vb_sg sg = { .addr = VB_BUF_GPA, .len = nr * VB_STAT_SIZE };
	struct vb_queue *q = vb_machine_queue(&self->m, STATS_INDEX);
	unsigned int i;
	int ret;

	for (i = 0; i < nr; i++)
		vb_put_stat(self->m.buf.hva, i, i, 1000 + i);
	ret = vb_ring_add(&q->ring, &sg, 1);
	return ret < 0 ? ret : vb_queue_notify(q);
}

TEST_F(trace, stats_have_the_number_of_the_sample_and_of_its_entries)
{
	struct vb_queue *q = vb_machine_queue(&self->m, STATS_INDEX);
	int fd = self->m.backend;

	ASSERT_EQ(0, send_sample(self, 5));
	ASSERT_EQ(0, vb_wait_counter(fd, VHOST_BALLOON_C_STATS_SAMPLES, 1));
	ASSERT_EQ(0, vb_refresh_stats(fd, 0));
	ASSERT_EQ(0, vb_queue_wait_used(q, 1));
	ASSERT_EQ(1, vb_ring_get_used(&q->ring, NULL, NULL));
	ASSERT_EQ(0, send_sample(self, 2));
	ASSERT_EQ(0, vb_wait_counter(fd, VHOST_BALLOON_C_STATS_SAMPLES, 2));
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	ASSERT_EQ(2, read_lines(self, "stats"));
	EXPECT_EQ(1ULL, number(self, 0, "sequence"));
	EXPECT_EQ(5ULL, number(self, 0, "nr"));
	EXPECT_EQ(2ULL, number(self, 1, "sequence"));
	EXPECT_EQ(2ULL, number(self, 1, "nr"));
}

TEST_F(trace, broken_says_which_queue_and_why)
{
	struct vb_ring *ring = &self->m.deflate.ring;

	/* A head that isn't in the table; and an index that is far ahead. */
	vb_ring_set_avail(ring, 0, RING_NUM);
	vb_ring_set_avail_idx(ring, 1);
	ASSERT_EQ(0, vb_queue_kick(&self->m.deflate));
	ASSERT_LT(0, vb_queue_wait_err(&self->m.deflate));
	vb_ring_set_avail_idx(&self->m.inflate.ring, RING_NUM + 1);
	ASSERT_EQ(0, vb_queue_kick(&self->m.inflate));
	ASSERT_LT(0, vb_queue_wait_err(&self->m.inflate));
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	ASSERT_EQ(2, read_lines(self, "broken"));
	EXPECT_EQ(VB_DEFLATE, number(self, 0, "index"));
	EXPECT_TRUE(says(self, 0, "reason", "head"));
	EXPECT_EQ(VB_INFLATE, number(self, 1, "index"));
	EXPECT_TRUE(says(self, 1, "reason", "avail_index"));
}

TEST_HARNESS_MAIN
