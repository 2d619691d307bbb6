// SPDX-License-Identifier: GPL-2.0
/*
 * The queue for statistics: samples of every size and shape, buffers that are
 * held until the next sample is wanted, and what of that outlives a stop, a reset
 * or a driver. See stats_poll.c for how the guest is asked.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>

#include "kselftest_harness.h"
#include "vb_control.h"
#include "vb_driver.h"
#include "vb_machine.h"

#define FEATURES	(VB_FEATURE(VIRTIO_F_VERSION_1) | \
			 VB_FEATURE(VIRTIO_RING_F_INDIRECT_DESC) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_STATS_VQ))
#define STATS_INDEX	2
#define RING_NUM	16

/* Entries that Linux knows today, and two that nobody knows. */
#define LINUX_TAGS	16U
#define UNKNOWN_TAG	100
#define LAST_TAG	65535
#define MAX_ENTRIES	VHOST_BALLOON_STATS_MAX
#define MAX_BYTES	16384U

#define NOWHERE_GPA	0x8000000ULL
/* Where indirect tables lie in the memory for buffers. */
#define TABLE_OFFSET	(VB_BUF_LEN / 2)

FIXTURE(stats) {
	struct vb_machine m;
	struct vb_queue *q;
	struct vhost_balloon_stats stats;
	struct vhost_balloon_stat entries[MAX_ENTRIES + 1];
};

FIXTURE_VARIANT(stats) {
	bool kvm;
};

FIXTURE_VARIANT_ADD(stats, mem_table) { .kvm = false };
FIXTURE_VARIANT_ADD(stats, memslots) { .kvm = true };

FIXTURE_SETUP(stats)
{
	const char *missing = variant->kvm ? vb_kvm_missing() : NULL;
	int ret;

	if (missing)
		SKIP(return, "%s", missing);
	ret = vb_machine_open(&self->m, variant->kvm, FEATURES, RING_NUM);
	ASSERT_EQ(0, ret) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-ret));
	}
	ASSERT_EQ(0, vb_machine_add_queue(&self->m, STATS_INDEX, RING_NUM));
	self->q = vb_machine_queue(&self->m, STATS_INDEX);
	ASSERT_EQ(0, vb_machine_start(&self->m));
}

FIXTURE_TEARDOWN(stats)
{
	vb_machine_close(&self->m);
}

static int get_stats(FIXTURE_DATA(stats) *self)
{
	memset(self->entries, 0xff, sizeof(self->entries));
	return vb_get_stats(self->m.backend, &self->stats, self->entries, MAX_ENTRIES + 1);
}

static __u64 counter(FIXTURE_DATA(stats) *self, enum vhost_balloon_counter which)
{
	return vb_counter(self->m.backend, which);
}

static int wait_samples(FIXTURE_DATA(stats) *self, unsigned int nr)
{
	return vb_wait_stats(self->m.backend, nr);
}

/* @bytes of the buffer, in as many descriptors as @sg has. */
static int post(FIXTURE_DATA(stats) *self, const struct vb_sg *sg, unsigned int nr)
{
	int ret = vb_ring_add(&self->q->ring, sg, nr);

	return ret < 0 ? ret : vb_queue_notify(self->q);
}

static int post_bytes(FIXTURE_DATA(stats) *self, __u32 bytes)
{
	const struct vb_sg sg = { .addr = VB_BUF_GPA, .len = bytes };

	return post(self, &sg, 1);
}

/* A sample of one entry. */
static int post_value(FIXTURE_DATA(stats) *self, __u64 value)
{
	vb_put_stat(self->m.buf.hva, 0, VIRTIO_BALLOON_S_MEMFREE, value);
	return post_bytes(self, VB_STAT_SIZE);
}

/* The held buffer comes back, with nothing written. */
static void expect_completed(struct __test_metadata *_metadata, FIXTURE_DATA(stats) *self)
{
	__u32 len = ~0U;

	ASSERT_EQ(0, vb_queue_wait_used(self->q, self->q->ring.used_idx + 1));
	ASSERT_EQ(1, vb_ring_get_used(&self->q->ring, NULL, &len));
	EXPECT_EQ(0U, len);
}

static void expect_value(struct __test_metadata *_metadata, FIXTURE_DATA(stats) *self,
			 __u64 sequence, __u64 value)
{
	ASSERT_EQ(0, get_stats(self));
	EXPECT_EQ(sequence, self->stats.sequence);
	ASSERT_EQ(1U, self->stats.nr);
	EXPECT_EQ(VIRTIO_BALLOON_S_MEMFREE, self->entries[0].tag);
	EXPECT_EQ(value, self->entries[0].value);
}

/* Every tag there is, falling, with the unknown ones among them. */
static __u16 some_tag(unsigned int i)
{
	const __u16 first[] = { 3, LAST_TAG, 0, UNKNOWN_TAG };

	return i < ARRAY_SIZE(first) ? first[i] : LINUX_TAGS + 3 - i;
}

static __u64 some_value(unsigned int i)
{
	return 0x8000000000000001ULL + i * 0x0123456789abcdefULL;
}

static void put_entries(FIXTURE_DATA(stats) *self, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		vb_put_stat(self->m.buf.hva, i, some_tag(i), some_value(i));
}

/* The last sample is the first @nr of put_entries(). */
static void expect_entries(struct __test_metadata *_metadata, FIXTURE_DATA(stats) *self,
			   __u64 sequence, unsigned int nr)
{
	unsigned int i, wrong = 0;

	ASSERT_EQ(0, get_stats(self));
	EXPECT_EQ(sequence, self->stats.sequence);
	EXPECT_LT(0ULL, self->stats.age);
	EXPECT_EQ(nr, self->stats.total);
	ASSERT_EQ(nr, self->stats.nr);
	for (i = 0; i < nr; i++) {
		const struct vhost_balloon_stat want = {
			.tag = some_tag(i), .value = some_value(i),
		};

		wrong += memcmp(&want, &self->entries[i], sizeof(want)) != 0;
	}
	EXPECT_EQ(0U, wrong);
	/* Not a byte beyond. */
	EXPECT_EQ(0xffff, self->entries[nr].tag);
}

TEST_F(stats, come_with_all_tags_in_the_order_of_the_guest)
{
	const unsigned int nr = LINUX_TAGS + 2;

	put_entries(self, nr);
	ASSERT_EQ(0, post_bytes(self, nr * VB_STAT_SIZE));
	ASSERT_EQ(0, wait_samples(self, 1));
	expect_entries(_metadata, self, 1, nr);
	EXPECT_EQ(0ULL, counter(self, VHOST_BALLOON_C_MALFORMED));
	EXPECT_EQ(0ULL, counter(self, VHOST_BALLOON_C_STATS_DROPPED));
}

TEST_F(stats, are_nothing_before_the_first_sample)
{
	ASSERT_EQ(0, get_stats(self));
	EXPECT_EQ(0U, self->stats.nr);
	EXPECT_EQ(0U, self->stats.total);
	EXPECT_EQ(0ULL, self->stats.sequence);
	EXPECT_EQ(0ULL, self->stats.age);
}

TEST_F(stats, buffer_is_held_until_the_next_sample_is_wanted)
{
	ASSERT_EQ(0, post_value(self, 1));
	ASSERT_EQ(0, wait_samples(self, 1));
	/* Whatever the device was about to do is done when it has stopped. */
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	EXPECT_EQ(0, vb_ring_used_idx(&self->q->ring));
	EXPECT_EQ(0, vb_eventfd_count(self->q->call));
	EXPECT_EQ(0ULL, counter(self, VHOST_BALLOON_C_CHAINS));
	ASSERT_EQ(0, vb_machine_start(&self->m));

	ASSERT_EQ(0, vb_refresh_stats(self->m.backend, 0));
	expect_completed(_metadata, self);
	EXPECT_LT(0, vb_queue_wait_call(self->q));
	expect_value(_metadata, self, 1, 1);
	ASSERT_EQ(0, post_value(self, 2));
	ASSERT_EQ(0, wait_samples(self, 2));
	expect_value(_metadata, self, 2, 2);
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	EXPECT_EQ(1, vb_ring_used_idx(&self->q->ring));
	EXPECT_EQ(1ULL, counter(self, VHOST_BALLOON_C_CHAINS));
}

TEST_F(stats, second_buffer_waits_for_the_first_to_be_completed)
{
	struct vb_sg second = { .addr = VB_BUF_GPA + VB_PAGE, .len = VB_STAT_SIZE };
	struct vhost_balloon_info info;

	vb_put_stat(self->m.buf.hva + VB_PAGE, 0, VIRTIO_BALLOON_S_MEMFREE, 2);
	ASSERT_EQ(0, post_value(self, 1));
	ASSERT_EQ(0, post(self, &second, 1));
	ASSERT_EQ(0, wait_samples(self, 1));
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	expect_value(_metadata, self, 1, 1);
	ASSERT_EQ(0, vb_machine_start(&self->m));

	ASSERT_EQ(0, vb_refresh_stats(self->m.backend, 0));
	expect_completed(_metadata, self);
	ASSERT_EQ(0, wait_samples(self, 2));
	expect_value(_metadata, self, 2, 2);
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	EXPECT_EQ(1, vb_ring_used_idx(&self->q->ring));
	ASSERT_EQ(0, vb_get_info(self->m.backend, &info));
	EXPECT_EQ(1, info.queues[STATS_INDEX].last_used);
}

/* What becomes of buffers of some size. */
static const struct {
	__u32 bytes;
	unsigned int entries;
	unsigned int dropped;
	unsigned int malformed;
} sizes[] = {
	{ .bytes = 0 },
	{ .bytes = 10, .entries = 1 },
	{ .bytes = 9, .malformed = 1 },
	{ .bytes = 11, .entries = 1, .malformed = 1 },
	{ .bytes = 1, .malformed = 1 },
	{ .bytes = 19, .entries = 1, .malformed = 1 },
	{ .bytes = 640, .entries = 64 },
	{ .bytes = 650, .entries = 64, .dropped = 1 },
	{ .bytes = 655, .entries = 64, .dropped = 1, .malformed = 1 },
	{ .bytes = 10000, .entries = 64, .dropped = 936 },
	{ .bytes = MAX_BYTES, .entries = 64, .dropped = 1574, .malformed = 1 },
};

TEST_F(stats, may_be_of_any_size_up_to_16384_bytes)
{
	unsigned int i, dropped = 0, malformed = 0;

	put_entries(self, MAX_BYTES / VB_STAT_SIZE);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_EQ(0, post_bytes(self, sizes[i].bytes));
		ASSERT_EQ(0, wait_samples(self, i + 1)) {
			TH_LOG("%u bytes", sizes[i].bytes);
		}
		dropped += sizes[i].dropped;
		malformed += sizes[i].malformed;
		expect_entries(_metadata, self, i + 1, sizes[i].entries);
		EXPECT_EQ(dropped, counter(self, VHOST_BALLOON_C_STATS_DROPPED));
		EXPECT_EQ(malformed, counter(self, VHOST_BALLOON_C_MALFORMED)) {
			TH_LOG("%u bytes", sizes[i].bytes);
		}
		/* Each of them is held. */
		ASSERT_EQ(0, vb_machine_stop(&self->m));
		EXPECT_EQ(self->q->ring.used_idx, vb_ring_used_idx(&self->q->ring));
		ASSERT_EQ(0, vb_machine_start(&self->m));
		ASSERT_EQ(0, vb_refresh_stats(self->m.backend, 0));
		expect_completed(_metadata, self);
	}
	EXPECT_EQ(0ULL, counter(self, VHOST_BALLOON_C_BROKEN));
}

/* A chain that is no sample: it is answered at once, and the next one is as good as ever. */
static void expect_no_sample(struct __test_metadata *_metadata, FIXTURE_DATA(stats) *self)
{
	expect_completed(_metadata, self);
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	EXPECT_EQ(1ULL, counter(self, VHOST_BALLOON_C_MALFORMED));
	EXPECT_EQ(0ULL, counter(self, VHOST_BALLOON_C_BROKEN));
	EXPECT_EQ(0ULL, counter(self, VHOST_BALLOON_C_STATS_SAMPLES));
	ASSERT_EQ(0, get_stats(self));
	EXPECT_EQ(0ULL, self->stats.sequence);
	EXPECT_EQ(0U, self->stats.total);
	ASSERT_EQ(0, vb_machine_start(&self->m));

	ASSERT_EQ(0, post_value(self, 5));
	ASSERT_EQ(0, wait_samples(self, 1));
	expect_value(_metadata, self, 1, 5);
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	EXPECT_EQ(1, vb_ring_used_idx(&self->q->ring));
	EXPECT_EQ(1ULL, counter(self, VHOST_BALLOON_C_MALFORMED));
}

TEST_F(stats, of_20000_bytes_are_no_sample)
{
	put_entries(self, 2000);
	ASSERT_EQ(0, post_bytes(self, 20000));
	expect_no_sample(_metadata, self);
}

TEST_F(stats, of_one_byte_too_many_in_two_descriptors_are_no_sample)
{
	const struct vb_sg sg[] = {
		{ .addr = VB_BUF_GPA, .len = MAX_BYTES },
		{ .addr = VB_BUF_GPA + MAX_BYTES, .len = 1 },
	};

	ASSERT_EQ(0, post(self, sg, 2));
	expect_no_sample(_metadata, self);
}

TEST_F(stats, in_a_device_writable_buffer_are_no_sample)
{
	const struct vb_sg sg = VB_PIECE(VB_BUF_GPA, VB_STAT_SIZE);

	put_entries(self, 1);
	ASSERT_EQ(0, post(self, &sg, 1));
	expect_no_sample(_metadata, self);
}

TEST_F(stats, that_go_on_in_a_device_writable_buffer_are_no_sample)
{
	const struct vb_sg sg[] = {
		{ .addr = VB_BUF_GPA, .len = VB_STAT_SIZE },
		VB_PIECE(VB_BUF_GPA + VB_STAT_SIZE, VB_STAT_SIZE),
	};

	put_entries(self, 2);
	ASSERT_EQ(0, post(self, sg, 2));
	expect_no_sample(_metadata, self);
}

TEST_F(stats, in_a_buffer_where_no_memory_is_are_no_sample)
{
	const struct vb_sg sg[] = {
		{ .addr = VB_BUF_GPA, .len = VB_STAT_SIZE },
		{ .addr = NOWHERE_GPA, .len = VB_STAT_SIZE },
	};

	put_entries(self, 1);
	ASSERT_EQ(0, post(self, sg, 2));
	expect_no_sample(_metadata, self);
}

/* Cuts the buffer in pieces of 1, 2, 3... bytes, with empty ones between them. */
static unsigned int cut(struct vb_sg *sg, unsigned int max, __u32 bytes)
{
	unsigned int i, offset = 0;

	for (i = 0; i < max && offset < bytes; i++) {
		__u32 len = i % 4 == 3 ? 0 : i + 1;

		if (i + 1 == max || len > bytes - offset)
			len = bytes - offset;
		sg[i] = (struct vb_sg){ .addr = VB_BUF_GPA + offset, .len = len };
		offset += len;
	}
	return i;
}

TEST_F(stats, may_be_spread_over_descriptors)
{
	struct vb_sg sg[RING_NUM];
	unsigned int nr = cut(sg, RING_NUM, 18 * VB_STAT_SIZE);

	ASSERT_LT(4U, nr);
	put_entries(self, 18);
	ASSERT_EQ(0, post(self, sg, nr));
	ASSERT_EQ(0, wait_samples(self, 1));
	expect_entries(_metadata, self, 1, 18);
	ASSERT_EQ(0, vb_refresh_stats(self->m.backend, 0));
	expect_completed(_metadata, self);
	EXPECT_EQ(0ULL, counter(self, VHOST_BALLOON_C_MALFORMED));
}

TEST_F(stats, may_be_in_an_indirect_table)
{
	struct vb_sg sg[RING_NUM];
	unsigned int nr = cut(sg, RING_NUM, 18 * VB_STAT_SIZE);

	put_entries(self, 18);
	/* The first two directly, and the rest by the table. */
	ASSERT_LE(0, vb_ring_add_indirect(&self->q->ring, sg, 2,
					  self->m.buf.hva + TABLE_OFFSET,
					  VB_BUF_GPA + TABLE_OFFSET, sg + 2, nr - 2));
	ASSERT_EQ(0, vb_queue_notify(self->q));
	ASSERT_EQ(0, wait_samples(self, 1));
	expect_entries(_metadata, self, 1, 18);
	ASSERT_EQ(0, vb_refresh_stats(self->m.backend, 0));
	expect_completed(_metadata, self);
	EXPECT_EQ(0ULL, counter(self, VHOST_BALLOON_C_MALFORMED));
}

TEST_F(stats, array_that_is_too_small_gets_what_fits)
{
	struct vhost_balloon_stat *entries = self->entries;

	put_entries(self, 5);
	ASSERT_EQ(0, post_bytes(self, 5 * VB_STAT_SIZE));
	ASSERT_EQ(0, wait_samples(self, 1));
	memset(entries, 0xff, sizeof(self->entries));
	ASSERT_EQ(0, vb_get_stats(self->m.backend, &self->stats, entries, 2));
	EXPECT_EQ(2U, self->stats.nr);
	EXPECT_EQ(5U, self->stats.total);
	EXPECT_EQ(some_value(1), entries[1].value);
	EXPECT_EQ(0xffff, entries[2].tag);

	ASSERT_EQ(0, vb_get_stats(self->m.backend, &self->stats, NULL, 0));
	EXPECT_EQ(0U, self->stats.nr);
	EXPECT_EQ(5U, self->stats.total);
	EXPECT_EQ(1ULL, self->stats.sequence);
}

TEST_F(stats, array_that_cannot_be_written_is_efault)
{
	struct vhost_balloon_stat *entries;
	char *mem = mmap(NULL, 2 * VB_PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, mem);
	ASSERT_EQ(0, munmap(mem + VB_PAGE, VB_PAGE));
	/* No sample, nothing to write. */
	EXPECT_EQ(0, vb_get_stats(self->m.backend, &self->stats, NULL, 3));
	put_entries(self, 3);
	ASSERT_EQ(0, post_bytes(self, 3 * VB_STAT_SIZE));
	ASSERT_EQ(0, wait_samples(self, 1));
	EXPECT_EQ(-EFAULT, vb_get_stats(self->m.backend, &self->stats, NULL, 3));
	entries = (struct vhost_balloon_stat *)(mem + VB_PAGE) - 2;
	EXPECT_EQ(-EFAULT, vb_get_stats(self->m.backend, &self->stats, entries, 3));
	EXPECT_EQ(0, vb_get_stats(self->m.backend, &self->stats, entries, 2));
	EXPECT_EQ(some_value(1), entries[1].value);
	munmap(mem, VB_PAGE);
}

TEST_F(stats, age_only_rises_until_the_next_sample)
{
	__u64 age;

	ASSERT_EQ(0, post_value(self, 1));
	ASSERT_EQ(0, wait_samples(self, 1));
	ASSERT_EQ(0, get_stats(self));
	age = self->stats.age;
	EXPECT_LT(0ULL, age);
	usleep(20000);
	ASSERT_EQ(0, get_stats(self));
	EXPECT_LE(age + 20000000ULL, self->stats.age);
}

TEST_F(stats, are_told_as_an_event)
{
	struct vhost_balloon_event event;
	int control = vb_get_control(self->m.backend);

	ASSERT_LE(0, control);
	ASSERT_EQ(0, fcntl(control, F_SETFL, O_RDWR | O_NONBLOCK));
	ASSERT_EQ(-EAGAIN, vb_read_events(control, &event));
	ASSERT_EQ(0, post_value(self, 1));
	EXPECT_EQ(0, vb_wait_events(control, VHOST_BALLOON_EVENT_STATS));
	/* Who was told may read. */
	expect_value(_metadata, self, 1, 1);
	EXPECT_EQ(-EAGAIN, vb_read_events(control, &event));
	ASSERT_EQ(0, vb_refresh_stats(control, 0));
	expect_completed(_metadata, self);
	EXPECT_EQ(-EAGAIN, vb_read_events(control, &event));
	close(control);
}

TEST_F(stats, held_buffer_is_given_back_when_the_device_stops)
{
	unsigned int i;

	ASSERT_EQ(0, post_value(self, 7));
	ASSERT_EQ(0, wait_samples(self, 1));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, vb_machine_stop(&self->m));
		EXPECT_EQ(0, vb_get_vring_base(self->m.backend, STATS_INDEX));
		EXPECT_EQ(0, vb_ring_used_idx(&self->q->ring));
		ASSERT_EQ(0, vb_machine_start(&self->m));
	}
	/* It is not lost. */
	ASSERT_EQ(0, vb_refresh_stats(self->m.backend, 0));
	expect_completed(_metadata, self);
	/* It was read anew, and said nothing new. */
	expect_value(_metadata, self, 1, 7);
	EXPECT_EQ(1ULL, counter(self, VHOST_BALLOON_C_STATS_SAMPLES));
	ASSERT_EQ(0, post_value(self, 8));
	ASSERT_EQ(0, wait_samples(self, 2));
	expect_value(_metadata, self, 2, 8);
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	EXPECT_EQ(1, vb_get_vring_base(self->m.backend, STATS_INDEX));
}

TEST_F(stats, held_buffer_that_changed_while_stopped_is_a_new_sample)
{
	ASSERT_EQ(0, post_value(self, 7));
	ASSERT_EQ(0, wait_samples(self, 1));
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	vb_put_stat(self->m.buf.hva, 0, VIRTIO_BALLOON_S_MEMFREE, 70);
	ASSERT_EQ(0, vb_machine_start(&self->m));
	ASSERT_EQ(0, wait_samples(self, 2));
	expect_value(_metadata, self, 2, 70);
}

TEST_F(stats, refresh_while_stopped_holds_for_the_start)
{
	ASSERT_EQ(0, post_value(self, 7));
	ASSERT_EQ(0, wait_samples(self, 1));
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	ASSERT_EQ(0, vb_refresh_stats(self->m.backend, 0));
	EXPECT_EQ(0, vb_ring_used_idx(&self->q->ring));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	expect_completed(_metadata, self);
	ASSERT_EQ(0, post_value(self, 8));
	ASSERT_EQ(0, wait_samples(self, 2));
	expect_value(_metadata, self, 2, 8);
}

/* What a VMM does that goes to another machine with its guest. */
TEST_F(stats, held_buffer_can_be_handed_to_another_backend)
{
	struct vb_queue *q = self->q;
	int base;

	ASSERT_EQ(0, post_value(self, 7));
	ASSERT_EQ(0, wait_samples(self, 1));
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	base = vb_get_vring_base(self->m.backend, STATS_INDEX);
	ASSERT_EQ(0, base);
	close(self->m.backend);
	self->m.backend = vb_open_owned();
	ASSERT_LE(0, self->m.backend);
	ASSERT_EQ(0, vb_set_features(self->m.backend, FEATURES));
	ASSERT_EQ(0, vb_machine_set_memory(&self->m));
	ASSERT_EQ(0, vb_set_vring_num(self->m.backend, STATS_INDEX, RING_NUM));
	ASSERT_EQ(0, vb_set_vring_base(self->m.backend, STATS_INDEX, base));
	ASSERT_EQ(0, vb_set_vring_addr(self->m.backend, STATS_INDEX, q->ring.desc, q->ring.avail,
				       q->ring.used));
	ASSERT_EQ(0, vb_set_vring_kick(self->m.backend, STATS_INDEX, q->kick));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	/* To this one it is new. */
	ASSERT_EQ(0, wait_samples(self, 1));
	expect_value(_metadata, self, 1, 7);
	ASSERT_EQ(0, vb_refresh_stats(self->m.backend, 0));
	expect_completed(_metadata, self);
}

TEST_F(stats, begin_anew_with_a_new_owner)
{
	ASSERT_EQ(0, post_value(self, 7));
	ASSERT_EQ(0, wait_samples(self, 1));
	ASSERT_EQ(0, vb_machine_reload(&self->m, FEATURES));
	/* Nobody is told of what another one's guest has sent. */
	ASSERT_EQ(0, get_stats(self));
	EXPECT_EQ(0U, self->stats.total);
	EXPECT_EQ(0ULL, self->stats.age);
	EXPECT_EQ(1ULL, self->stats.sequence);
	ASSERT_EQ(0, vb_machine_start(&self->m));
	/* The first sample is one, even if it says the same. */
	ASSERT_EQ(0, post_value(self, 7));
	ASSERT_EQ(0, wait_samples(self, 2));
	expect_value(_metadata, self, 2, 7);
	ASSERT_EQ(0, vb_refresh_stats(self->m.backend, 0));
	expect_completed(_metadata, self);
	ASSERT_EQ(0, post_value(self, 8));
	ASSERT_EQ(0, wait_samples(self, 3));
	expect_value(_metadata, self, 3, 8);
}

TEST_HARNESS_MAIN
