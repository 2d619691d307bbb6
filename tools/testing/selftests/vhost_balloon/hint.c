// SPDX-License-Identifier: GPL-2.0
/*
 * Free page hinting, the guest's side of it: command ids and what they make of
 * hints, every shape of chain, and hints of what isn't memory. See hint_fetch.c for what
 * becomes of the bits.
 */
#include <endian.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "vb_hint.h"

#define HINTED		VHOST_BALLOON_C_HINTED
#define STALE		VHOST_BALLOON_C_HINT_STALE
#define NO_REGION	VHOST_BALLOON_C_HINT_NO_REGION
#define COMMANDS_STALE	VHOST_BALLOON_C_HINT_COMMANDS_STALE
#define PARTIAL		VHOST_BALLOON_C_SKIP_PARTIAL
#define MALFORMED	VHOST_BALLOON_C_MALFORMED

/* Where indirect tables lie in the memory for buffers. */
#define TABLE_OFFSET	(VB_BUF_LEN / 2)
#define TABLE_GPA	(VB_BUF_GPA + TABLE_OFFSET)

#define NOWHERE_GPA	0x8000000ULL

FIXTURE(hint) {
	struct vb_hinting h;
	int fd;
	int config;
	int control;
};

FIXTURE_VARIANT(hint) {
	bool kvm;
};

FIXTURE_VARIANT_ADD(hint, mem_table) { .kvm = false };
FIXTURE_VARIANT_ADD(hint, memslots) { .kvm = true };

FIXTURE_SETUP(hint)
{
	const char *missing = variant->kvm ? vb_kvm_missing() : NULL;
	int ret;

	if (missing)
		SKIP(return, "%s", missing);
	ret = vb_hinting_open(&self->h, variant->kvm);
	ASSERT_EQ(0, ret) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-ret));
	}
	self->fd = self->h.m.backend;
	self->config = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_LE(0, self->config);
	ASSERT_EQ(0, vb_set_config_call(self->fd, self->config));
	self->control = vb_get_control(self->fd);
	ASSERT_LE(0, self->control);
	ASSERT_EQ(0, fcntl(self->control, F_SETFL, O_RDWR | O_NONBLOCK));
}

FIXTURE_TEARDOWN(hint)
{
	close(self->control);
	close(self->config);
	vb_hinting_close(&self->h);
}

static __u64 counter(FIXTURE_DATA(hint) *self, enum vhost_balloon_counter which)
{
	return vb_hint_counter(&self->h, which);
}

/* What the guest reads from its configuration space. */
static __u32 config_cmd_id(FIXTURE_DATA(hint) *self)
{
	__le32 word = htole32(0xdeadbeef);

	vb_get_config(self->fd, offsetof(struct virtio_balloon_config, free_page_hint_cmd_id),
		      &word, sizeof(word));
	return le32toh(word);
}

/* How far hinting is, for the controller and for the guest; and that both were told of it. */
static void expect_state(struct __test_metadata *_metadata, FIXTURE_DATA(hint) *self,
			 enum vhost_balloon_hint_state state, __u32 cmd_id, bool interrupt)
{
	struct vhost_balloon_info info;

	EXPECT_EQ(0, vb_wait_events(self->control, VHOST_BALLOON_EVENT_HINT));
	ASSERT_EQ(0, vb_get_info(self->control, &info));
	EXPECT_EQ(state, info.hint_state);
	EXPECT_EQ(cmd_id, config_cmd_id(self));
	EXPECT_EQ(interrupt, vb_eventfd_count(self->config));
}

TEST_F(hint, state_follows_the_guest)
{
	struct vhost_balloon_info info;
	__u32 id = 0;

	ASSERT_EQ(0, vb_get_info(self->control, &info));
	EXPECT_EQ(VHOST_BALLOON_HINT_IDLE, info.hint_state);
	EXPECT_EQ(0U, info.hint_cmd_id);
	EXPECT_EQ(VIRTIO_BALLOON_CMD_ID_STOP, config_cmd_id(self));

	ASSERT_EQ(0, vb_hint_start(self->control, &id));
	EXPECT_EQ(VB_HINT_FIRST_ID, id);
	expect_state(_metadata, self, VHOST_BALLOON_HINT_REQUESTED, id, true);
	ASSERT_EQ(0, vb_hint_command(&self->h, id));
	expect_state(_metadata, self, VHOST_BALLOON_HINT_RUNNING, id, false);
	ASSERT_EQ(0, vb_hint_pages(&self->h, 0, 1));
	ASSERT_EQ(0, vb_hint_command(&self->h, VIRTIO_BALLOON_CMD_ID_STOP));
	expect_state(_metadata, self, VHOST_BALLOON_HINT_REPORTED, id, false);
	ASSERT_EQ(0, vb_hint_stop(self->control, VHOST_BALLOON_HINT_STOP_STOP));
	expect_state(_metadata, self, VHOST_BALLOON_HINT_STOPPED, VIRTIO_BALLOON_CMD_ID_STOP,
		     true);
	ASSERT_EQ(0, vb_hint_stop(self->control, VHOST_BALLOON_HINT_STOP_DONE));
	expect_state(_metadata, self, VHOST_BALLOON_HINT_DONE, VIRTIO_BALLOON_CMD_ID_DONE, true);
	ASSERT_EQ(0, vb_get_info(self->control, &info));
	EXPECT_EQ(VB_HINT_FIRST_ID, info.hint_cmd_id);
	EXPECT_EQ(0ULL, counter(self, COMMANDS_STALE));
}

TEST_F(hint, each_start_has_an_id_of_its_own)
{
	struct vhost_balloon_info info;
	unsigned int i;
	__u32 id;

	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, vb_hint_start(i % 2 ? self->control : self->fd, &id));
		EXPECT_EQ(VB_HINT_FIRST_ID + i, id);
		expect_state(_metadata, self, VHOST_BALLOON_HINT_REQUESTED, id, true);
		ASSERT_EQ(0, vb_get_info(self->control, &info));
		EXPECT_EQ(id, info.hint_cmd_id);
		if (i < 2)
			continue;
		ASSERT_EQ(0, vb_hint_stop(self->fd, VHOST_BALLOON_HINT_STOP_DONE));
		expect_state(_metadata, self, VHOST_BALLOON_HINT_DONE,
			     VIRTIO_BALLOON_CMD_ID_DONE, true);
	}
}

TEST_F(hint, stopping_what_was_not_started_does_nothing)
{
	struct vhost_balloon_event event;
	struct vhost_balloon_info info;

	EXPECT_EQ(0, vb_hint_stop(self->fd, VHOST_BALLOON_HINT_STOP_STOP));
	EXPECT_EQ(0, vb_hint_stop(self->fd, VHOST_BALLOON_HINT_STOP_DONE));
	ASSERT_EQ(0, vb_get_info(self->fd, &info));
	EXPECT_EQ(VHOST_BALLOON_HINT_IDLE, info.hint_state);
	EXPECT_EQ(VIRTIO_BALLOON_CMD_ID_STOP, config_cmd_id(self));
	EXPECT_EQ(0, vb_eventfd_count(self->config));
	EXPECT_EQ(-EAGAIN, vb_read_events(self->control, &event));
}

TEST_F(hint, without_the_feature_start_is_eopnotsupp)
{
	struct vhost_balloon_info info;
	__u32 id;

	ASSERT_EQ(0, vb_machine_stop(&self->h.m));
	ASSERT_EQ(0, vb_set_features(self->fd, VB_FEATURE(VIRTIO_F_VERSION_1)));
	EXPECT_EQ(-EOPNOTSUPP, vb_hint_start(self->fd, &id));
	EXPECT_EQ(-EOPNOTSUPP, vb_hint_start(self->control, &id));
	ASSERT_EQ(0, vb_get_info(self->fd, &info));
	EXPECT_EQ(VHOST_BALLOON_HINT_IDLE, info.hint_state);
	EXPECT_EQ(0U, info.hint_cmd_id);
	EXPECT_EQ(0, vb_eventfd_count(self->config));
	EXPECT_EQ(0, vb_hint_wrong(&self->h, 0, 0));
}

TEST_F(hint, of_the_command_id_in_force_sets_bits)
{
	ASSERT_EQ(0, vb_hint_begin(&self->h));
	ASSERT_EQ(0, vb_hint_pages(&self->h, 3, 70));
	EXPECT_EQ(70ULL, counter(self, HINTED));
	EXPECT_EQ(0ULL, counter(self, STALE));
	EXPECT_EQ(0ULL, counter(self, COMMANDS_STALE));
	EXPECT_EQ(0, vb_hint_wrong(&self->h, 3, 70));
}

/* A hint is no licence to discard. */
TEST_F(hint, leaves_the_memory_as_it_is)
{
	struct vhost_balloon_counters before;

	ASSERT_EQ(0, vb_get_counters(self->fd, &before));
	ASSERT_EQ(0, vb_hint_begin(&self->h));
	ASSERT_EQ(0, vb_hint_pages(&self->h, 0, VB_HINT_PAGES));
	ASSERT_EQ(0, vb_hint_command(&self->h, VIRTIO_BALLOON_CMD_ID_STOP));
	ASSERT_EQ(0, vb_hint_stop(self->fd, VHOST_BALLOON_HINT_STOP_DONE));
	ASSERT_EQ(0, vb_machine_stop(&self->h.m));
	EXPECT_EQ(VB_HINT_PAGES, counter(self, HINTED));
	EXPECT_EQ(VB_HINT_PAGES,
		  vb_memory_intact(&self->h.ram, 0, VB_HINT_PAGES, VB_HINT_SEED));
	EXPECT_EQ(-1, vb_miscounted(self->fd, &before, VHOST_BALLOON_NR_COUNTERS, 0));
	EXPECT_EQ(0ULL, counter(self, VHOST_BALLOON_C_DISCARD_OPS));
	EXPECT_EQ(0ULL, counter(self, VHOST_BALLOON_C_REPORTED));
}

/* Hints at ten pages, which nothing comes of. */
static void expect_ignored(struct __test_metadata *_metadata, FIXTURE_DATA(hint) *self)
{
	__u64 stale = counter(self, STALE);

	ASSERT_EQ(0, vb_hint_pages(&self->h, 100, 10));
	EXPECT_EQ(stale + 10, counter(self, STALE));
	EXPECT_EQ(0ULL, counter(self, HINTED));
	EXPECT_EQ(0, vb_hint_wrong(&self->h, 0, 0));
}

/* Hints at ten pages, and their bits are set. */
static void expect_taken(struct __test_metadata *_metadata, FIXTURE_DATA(hint) *self)
{
	__u64 hinted = counter(self, HINTED);

	ASSERT_EQ(0, vb_hint_pages(&self->h, 100, 10));
	EXPECT_EQ(hinted + 10, counter(self, HINTED));
	EXPECT_EQ(0, vb_hint_wrong(&self->h, 100, 10));
}

TEST_F(hint, before_the_start_is_ignored)
{
	__u32 id;

	expect_ignored(_metadata, self);
	ASSERT_EQ(0, vb_hint_command(&self->h, VB_HINT_FIRST_ID));
	EXPECT_EQ(1ULL, counter(self, COMMANDS_STALE));
	expect_ignored(_metadata, self);
	/* An id that was guessed beforehand is none. */
	ASSERT_EQ(0, vb_hint_start(self->fd, &id));
	ASSERT_EQ(VB_HINT_FIRST_ID, id);
	expect_ignored(_metadata, self);
}

TEST_F(hint, before_the_command_id_is_ignored)
{
	__u32 id;

	ASSERT_EQ(0, vb_hint_start(self->fd, &id));
	expect_ignored(_metadata, self);
	ASSERT_EQ(0, vb_hint_command(&self->h, id));
	expect_taken(_metadata, self);
}

TEST_F(hint, of_another_command_id_is_ignored)
{
	const __u32 bad[] = { 1, 2, VB_HINT_FIRST_ID, VB_HINT_FIRST_ID + 2, ~0U, 0x80 };
	struct vhost_balloon_info info;
	unsigned int i;
	__u32 id;

	ASSERT_EQ(0, vb_hint_start(self->fd, &id));
	ASSERT_EQ(0, vb_hint_start(self->fd, &id));
	ASSERT_EQ(VB_HINT_FIRST_ID + 1, id);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ASSERT_EQ(0, vb_hint_command(&self->h, bad[i]));
		EXPECT_EQ(i + 1, counter(self, COMMANDS_STALE));
		expect_ignored(_metadata, self);
	}
	ASSERT_EQ(0, vb_get_info(self->fd, &info));
	EXPECT_EQ(VHOST_BALLOON_HINT_REQUESTED, info.hint_state);
	ASSERT_EQ(0, vb_hint_command(&self->h, id));
	expect_taken(_metadata, self);
	EXPECT_EQ(ARRAY_SIZE(bad), counter(self, COMMANDS_STALE));
}

TEST_F(hint, after_another_command_id_is_ignored)
{
	__u32 id;

	ASSERT_EQ(0, vb_hint_start(self->fd, &id));
	ASSERT_EQ(0, vb_hint_command(&self->h, id));
	ASSERT_EQ(0, vb_hint_command(&self->h, id + 1));
	expect_ignored(_metadata, self);
}

TEST_F(hint, of_the_former_command_id_is_ignored_after_a_new_start)
{
	__u32 id;

	ASSERT_EQ(0, vb_hint_begin(&self->h));
	ASSERT_EQ(0, vb_hint_start(self->fd, &id));
	expect_ignored(_metadata, self);
	ASSERT_EQ(0, vb_hint_command(&self->h, id));
	expect_taken(_metadata, self);
}

TEST_F(hint, after_the_guest_has_finished_is_ignored)
{
	ASSERT_EQ(0, vb_hint_begin(&self->h));
	ASSERT_EQ(0, vb_hint_command(&self->h, VIRTIO_BALLOON_CMD_ID_STOP));
	EXPECT_EQ(0ULL, counter(self, COMMANDS_STALE));
	expect_ignored(_metadata, self);
	ASSERT_EQ(0, vb_hint_command(&self->h, VIRTIO_BALLOON_CMD_ID_STOP));
	EXPECT_EQ(1ULL, counter(self, COMMANDS_STALE));
}

TEST_F(hint, after_the_stop_is_ignored)
{
	__u32 id, how;

	for (how = VHOST_BALLOON_HINT_STOP_STOP; how <= VHOST_BALLOON_HINT_STOP_DONE; how++) {
		struct vhost_balloon_info info;

		ASSERT_EQ(0, vb_hint_start(self->fd, &id));
		ASSERT_EQ(0, vb_hint_command(&self->h, id));
		ASSERT_EQ(0, vb_hint_stop(self->fd, how));
		expect_ignored(_metadata, self);
		/* Its id isn't good any more, either. */
		ASSERT_EQ(0, vb_hint_command(&self->h, id));
		EXPECT_EQ(how + 1, counter(self, COMMANDS_STALE));
		expect_ignored(_metadata, self);
		ASSERT_EQ(0, vb_get_info(self->fd, &info));
		EXPECT_EQ(how == VHOST_BALLOON_HINT_STOP_DONE ? VHOST_BALLOON_HINT_DONE :
								VHOST_BALLOON_HINT_STOPPED,
			  info.hint_state);
	}
}

/* @len bytes that begin with a command id, in one buffer of the guest. */
static int send_bytes(FIXTURE_DATA(hint) *self, __u32 cmd_id, __u32 len)
{
	const struct vb_sg sg = { .addr = VB_BUF_GPA, .len = len };
	const __le32 word = htole32(cmd_id);

	memset(self->h.m.buf.hva, 0, VB_PAGE);
	memcpy(self->h.m.buf.hva, &word, sizeof(word));
	return vb_queue_send(self->h.q, &sg, 1);
}

TEST_F(hint, command_id_of_another_length_is_malformed)
{
	const __u32 lens[] = { 3, 5, 1, 8, VB_PAGE };
	unsigned int i;
	__u32 id;

	ASSERT_EQ(0, vb_hint_start(self->fd, &id));
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		/* Whatever was in force before isn't any more. */
		ASSERT_EQ(0, vb_hint_command(&self->h, id));
		expect_taken(_metadata, self);
		ASSERT_EQ(0, send_bytes(self, id, lens[i]));
		EXPECT_EQ(i + 1, counter(self, MALFORMED)) {
			TH_LOG("%u bytes", lens[i]);
		}
		ASSERT_EQ(0, vb_hint_pages(&self->h, 100, 10));
		EXPECT_EQ(10 * (i + 1), counter(self, STALE));
		EXPECT_EQ(0, vb_hint_wrong(&self->h, 0, 0));
	}
	EXPECT_EQ(0ULL, counter(self, VHOST_BALLOON_C_BROKEN));
	ASSERT_EQ(0, send_bytes(self, id, 4));
	expect_taken(_metadata, self);
}

TEST_F(hint, command_id_may_be_spread_over_descriptors)
{
	const struct vb_sg sg[] = {
		{ .addr = VB_BUF_GPA, .len = 1 },
		{ .addr = VB_BUF_GPA + 1, .len = 0 },
		{ .addr = VB_BUF_GPA + 1, .len = 3 },
	};
	__le32 *word = self->h.m.buf.hva;
	__u32 id;

	ASSERT_EQ(0, vb_hint_start(self->fd, &id));
	*word = htole32(id);
	ASSERT_EQ(0, vb_queue_send(self->h.q, sg, ARRAY_SIZE(sg)));
	expect_taken(_metadata, self);
	*word = 0;
	ASSERT_EQ(0, vb_queue_send_indirect(self->h.q, self->h.m.buf.hva + TABLE_OFFSET,
					    TABLE_GPA, sg, ARRAY_SIZE(sg)));
	ASSERT_EQ(0, vb_wait_hint_state(self->fd, VHOST_BALLOON_HINT_REPORTED));
}

TEST_F(hint, command_id_and_hints_may_be_in_one_chain)
{
	const struct vb_sg sg[] = {
		{ .addr = VB_BUF_GPA, .len = 4 },
		VB_PIECE(VB_HINT_GPA + 8 * VB_PAGE, 4 * VB_PAGE),
		VB_PIECE(VB_HINT_GPA + 12 * VB_PAGE, VB_PAGE),
	};
	__le32 *word = self->h.m.buf.hva;
	__u32 id;

	ASSERT_EQ(0, vb_hint_start(self->fd, &id));
	*word = htole32(id);
	ASSERT_EQ(0, vb_queue_send(self->h.q, sg, ARRAY_SIZE(sg)));
	EXPECT_EQ(5ULL, counter(self, HINTED));
	EXPECT_EQ(0, vb_hint_wrong(&self->h, 8, 5));
	*word = htole32(id + 1);
	ASSERT_EQ(0, vb_queue_send(self->h.q, sg, ARRAY_SIZE(sg)));
	EXPECT_EQ(5ULL, counter(self, STALE));
	EXPECT_EQ(0, vb_hint_wrong(&self->h, 0, 0));
}

TEST_F(hint, command_id_where_no_memory_is_is_malformed)
{
	const struct vb_sg sg = { .addr = NOWHERE_GPA, .len = 4 };

	ASSERT_EQ(0, vb_hint_begin(&self->h));
	ASSERT_EQ(0, vb_queue_send(self->h.q, &sg, 1));
	EXPECT_EQ(1ULL, counter(self, MALFORMED));
	expect_ignored(_metadata, self);
}

TEST_F(hint, command_id_that_cannot_be_read_is_malformed)
{
	const struct vb_sg sg = { .addr = VB_BUF_GPA + 8 * VB_PAGE, .len = 4 };

	ASSERT_EQ(0, munmap(self->h.m.buf.hva + 8 * VB_PAGE, VB_PAGE));
	ASSERT_EQ(0, vb_hint_begin(&self->h));
	ASSERT_EQ(0, vb_queue_send(self->h.q, &sg, 1));
	EXPECT_EQ(1ULL, counter(self, MALFORMED));
	expect_ignored(_metadata, self);
}

/* Pieces of one page each, in falling order, as a chain. */
static void fill_pieces(struct vb_sg *sg, unsigned int first, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		sg[i] = (struct vb_sg)VB_PIECE(VB_HINT_GPA + (first + nr - 1 - i) * VB_PAGE,
					       VB_PAGE);
}

TEST_F(hint, every_piece_of_a_chain_counts)
{
	struct vb_sg sg[VB_HINT_NUM];
	unsigned int nr;

	ASSERT_EQ(0, vb_hint_begin(&self->h));
	for (nr = 1; nr <= VB_HINT_NUM; nr *= 2) {
		fill_pieces(sg, nr, nr);
		ASSERT_EQ(0, vb_queue_send(self->h.q, sg, nr));
		EXPECT_EQ(0, vb_hint_wrong(&self->h, nr, nr)) {
			TH_LOG("%u pieces", nr);
		}
		ASSERT_EQ(0, vb_queue_send_indirect(self->h.q, self->h.m.buf.hva + TABLE_OFFSET,
						    TABLE_GPA, sg, nr));
		EXPECT_EQ(0, vb_hint_wrong(&self->h, nr, nr)) {
			TH_LOG("%u pieces in a table", nr);
		}
	}
	EXPECT_EQ(2ULL * (2 * VB_HINT_NUM - 1), counter(self, HINTED));
}

TEST_F(hint, chains_may_wait_together)
{
	struct vb_queue *q = self->h.q;
	__le32 *words = self->h.m.buf.hva;
	struct vb_sg sg[8];
	__u32 id, len;
	unsigned int i;

	ASSERT_EQ(0, vb_hint_start(self->fd, &id));
	words[0] = htole32(id);
	words[1] = 0;
	ASSERT_LE(0, vb_ring_add(&q->ring, &(struct vb_sg){ VB_BUF_GPA, 4, 0 }, 1));
	for (i = 0; i < 5; i++) {
		fill_pieces(sg, 20 + 8 * i, 8);
		ASSERT_LE(0, vb_ring_add(&q->ring, sg, 8));
	}
	ASSERT_LE(0, vb_ring_add(&q->ring, &(struct vb_sg){ VB_BUF_GPA + 4, 4, 0 }, 1));
	fill_pieces(sg, 60, 8);
	ASSERT_LE(0, vb_ring_add(&q->ring, sg, 8));
	ASSERT_EQ(0, vb_queue_notify(q));
	ASSERT_EQ(0, vb_queue_wait_used(q, 8));
	while (vb_ring_get_used(&q->ring, NULL, &len))
		EXPECT_EQ(0U, len);
	EXPECT_EQ(40ULL, counter(self, HINTED));
	EXPECT_EQ(8ULL, counter(self, STALE));
	EXPECT_EQ(0, vb_hint_wrong(&self->h, 20, 40));
	EXPECT_EQ(0, vb_wait_hint_state(self->fd, VHOST_BALLOON_HINT_REPORTED));
}

/* Hints that aren't whole pages of the guest's memory. */
static const struct {
	const char *what;
	/* from the start of the memory */
	__s64 offset;
	__u32 bytes;
	/* what comes of it */
	unsigned int first;
	unsigned int nr;
	unsigned int partial;
	unsigned int no_region;
} odd[] = {
	{ "nothing", 0, 0 },
	{ "1 byte", 5 * VB_PAGE, 1, .partial = 1 },
	{ "all but 1 byte", 5 * VB_PAGE, VB_PAGE - 1, .partial = 1 },
	{ "all but the first byte", 5 * VB_PAGE + 1, VB_PAGE - 1, .partial = 1 },
	{ "halves of two", 5 * VB_PAGE + 2048, VB_PAGE, .partial = 2 },
	{ "one, and 1 byte", 5 * VB_PAGE, VB_PAGE + 1, 5, 1, .partial = 1 },
	{ "1 byte, and one", 6 * VB_PAGE - 1, VB_PAGE + 1, 6, 1, .partial = 1 },
	{ "not aligned", 5 * VB_PAGE + 100, 3 * VB_PAGE, 6, 2, .partial = 2 },
	{ "over the end", (VB_HINT_PAGES - 6) * VB_PAGE, 10 * VB_PAGE, VB_HINT_PAGES - 6, 6,
	  .no_region = 4 },
	{ "over the start", -3LL * VB_PAGE, 10 * VB_PAGE, 0, 7, .no_region = 3 },
	{ "over both", -1LL * VB_PAGE, (VB_HINT_PAGES + 2) * VB_PAGE, 0, VB_HINT_PAGES,
	  .no_region = 2 },
	{ "behind the end", VB_HINT_PAGES * VB_PAGE, 4 * VB_PAGE, .no_region = 4 },
	{ "nowhere", (__s64)(NOWHERE_GPA - VB_HINT_GPA), 512 * VB_PAGE, .no_region = 512 },
	{ "at the very end", (__s64)(-VB_PAGE - VB_HINT_GPA), VB_PAGE, .no_region = 1 },
};

TEST_F(hint, sets_the_bits_of_whole_pages_of_memory_only)
{
	unsigned int i, partial = 0, no_region = 0, hinted = 0;

	ASSERT_EQ(0, vb_hint_begin(&self->h));
	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		ASSERT_EQ(0, vb_send_piece(self->h.q, VB_HINT_GPA + odd[i].offset, odd[i].bytes));
		partial += odd[i].partial;
		no_region += odd[i].no_region;
		hinted += odd[i].nr;
		EXPECT_EQ(partial, counter(self, PARTIAL)) {
			TH_LOG("%s", odd[i].what);
		}
		EXPECT_EQ(no_region, counter(self, NO_REGION)) {
			TH_LOG("%s", odd[i].what);
		}
		EXPECT_EQ(hinted, counter(self, HINTED)) {
			TH_LOG("%s", odd[i].what);
		}
		EXPECT_EQ(0, vb_hint_wrong(&self->h, odd[i].first, odd[i].nr)) {
			TH_LOG("%s", odd[i].what);
		}
	}
	EXPECT_EQ(0ULL, counter(self, STALE));
	EXPECT_EQ(0ULL, counter(self, VHOST_BALLOON_C_BROKEN));
}

TEST_F(hint, that_wraps_around_sets_no_bit)
{
	struct vhost_balloon_info info;

	ASSERT_EQ(0, vb_hint_begin(&self->h));
	ASSERT_EQ(0, vb_send_piece(self->h.q, -VB_PAGE, ~0U));
	EXPECT_EQ(0ULL, counter(self, HINTED));
	EXPECT_EQ(0, vb_hint_wrong(&self->h, 0, 0));
	ASSERT_EQ(0, vb_get_info(self->fd, &info));
	EXPECT_EQ(VHOST_BALLOON_QUEUE_READY, info.queues[VB_HINT_INDEX].flags);
	/* What else is in its chain, or follows, may be fine; ask for no more than that. */
	ASSERT_EQ(0, vb_hint_pages(&self->h, 0, 1));
}

TEST_HARNESS_MAIN
