// SPDX-License-Identifier: GPL-2.0
/*
 * The dirty log (VHOST_SET_LOG_BASE): each page of a used ring that the device writes
 * to is in it when the queue has stopped, and no other page; it may be switched on and off
 * while the queues run; and what happens when it isn't there.
 *
 * See dirty_log_race.c for a log that is read meanwhile.
 */
#include <fcntl.h>
#include <string.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "vb_log.h"
#include "vb_memory.h"

#define V1		VB_FEATURE(VIRTIO_F_VERSION_1)
#define MUST_TELL	VB_FEATURE(VIRTIO_BALLOON_F_MUST_TELL_HOST)
#define EVENT_IDX	VB_FEATURE(VIRTIO_RING_F_EVENT_IDX)
#define LOG_ALL		VB_FEATURE(VHOST_F_LOG_ALL)
#define F_LOG		(1U << VHOST_VRING_F_LOG)

#define RAM_GPA		0x10000000ULL
#define RAM_PAGES	64U
#define RAM_GFN		(RAM_GPA / VB_PAGE)

/*
 * With this many entries all of them together are a page. A used ring that begins right before
 * a page has its flags and its index on one page, its entries on the next, and its
 * avail_event on a third one.
 */
#define RING_NUM	512
#define BEFORE_A_PAGE	(VB_PAGE - offsetof(struct vring_used, ring))
#define USED_PAGES	4

/* Above any user address, on any processor. */
#define NO_ADDRESS	((void *)0xffff800000000000ULL)

FIXTURE(log) {
	struct vb_machine m;
	struct vb_memory ram;
	struct vb_queue *q;
	/* Used rings of both queues, for us. */
	char *used;
	__u64 *log;
	int log_fd;
};

FIXTURE_VARIANT(log) {
	bool kvm;
	bool event_idx;
	/* Where in its first page the used ring begins, for us and for the log. */
	unsigned int user, guest;
};

/* Each part on a page of its own. */
FIXTURE_VARIANT_ADD(log, flags) { .user = BEFORE_A_PAGE, .guest = BEFORE_A_PAGE };
FIXTURE_VARIANT_ADD(log, event_idx) {
	.event_idx = true, .user = BEFORE_A_PAGE, .guest = BEFORE_A_PAGE,
};

/* For the guest pages end elsewhere than for us: within the last entry... */
FIXTURE_VARIANT_ADD(log, begins_with_a_page) { .user = BEFORE_A_PAGE };
FIXTURE_VARIANT_ADD(log, begins_with_a_page_event_idx) {
	.event_idx = true, .user = BEFORE_A_PAGE,
};

/* ...or within the third one. */
FIXTURE_VARIANT_ADD(log, ends_within_an_entry) { .guest = BEFORE_A_PAGE - 20, .kvm = true };
FIXTURE_VARIANT_ADD(log, ends_within_an_entry_event_idx) {
	.event_idx = true, .guest = BEFORE_A_PAGE - 20, .kvm = true,
};

FIXTURE_SETUP(log)
{
	const char *missing = variant->kvm ? vb_kvm_missing() : NULL;
	__u64 features = V1 | MUST_TELL | (variant->event_idx ? EVENT_IDX : 0);
	int ret;

	if (missing)
		SKIP(return, "%s", missing);
	ret = vb_machine_open(&self->m, variant->kvm, features, RING_NUM);
	ASSERT_EQ(0, ret) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-ret));
	}
	ASSERT_EQ(0, vb_memory_map(&self->ram, VB_MEMORY_ANON, RAM_GPA, RAM_PAGES * VB_PAGE));
	ASSERT_EQ(0, vb_machine_add(&self->m, &self->ram, 0));
	self->used = mmap(NULL, 2 * USED_PAGES * VB_PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->used);
	self->log = vb_log_map();
	ASSERT_NE(NULL, self->log);
	self->log_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_LE(0, self->log_fd);
	self->q = &self->m.inflate;
}

FIXTURE_TEARDOWN(log)
{
	vb_machine_close(&self->m);
	vb_memory_unmap(&self->ram);
	munmap(self->used, 2 * USED_PAGES * VB_PAGE);
	vb_log_unmap(self->log);
	close(self->log_fd);
}

/* The guest address of the used ring, as the log has it. */
static __u64 log_gpa(const FIXTURE_VARIANT(log) *variant)
{
	return VB_LOG_GPA + variant->guest;
}

/* The inflate queue's ring is where the variant has it, and is to be logged. */
static int place(FIXTURE_DATA(log) *self, const FIXTURE_VARIANT(log) *variant, __u16 base)
{
	return vb_log_place(self->q, self->used + variant->user, base, log_gpa(variant));
}

/* The same with a log, and it runs. */
static int start(FIXTURE_DATA(log) *self, const FIXTURE_VARIANT(log) *variant, __u16 base)
{
	int ret = place(self, variant, base);

	if (!ret)
		ret = vb_set_log_base(self->m.backend, self->log);
	return ret ?: vb_machine_start(&self->m);
}

/* One request; back when the device has nothing left to write. */
static int inflate(FIXTURE_DATA(log) *self)
{
	__u32 gfn = RAM_GFN + self->q->ring.avail_idx % RAM_PAGES;

	return vb_machine_inflate(&self->m, &gfn, 1) ?: vb_log_wait_idle(self->q);
}

/* All that one request writes, which was the last one. */
static __u32 mask_of_request(FIXTURE_DATA(log) *self, const FIXTURE_VARIANT(log) *variant)
{
	__u64 gpa = log_gpa(variant);

	return vb_log_of_idx(gpa) | vb_log_of_notify(self->q, gpa) |
	       vb_log_of_elem(self->q, gpa, self->q->ring.avail_idx - 1);
}

TEST_F(log, has_what_was_written_when_the_queue_has_stopped_and_nothing_else)
{
	unsigned int i;

	/* The last two entries of the ring, and the first ones again. */
	ASSERT_EQ(0, place(self, variant, RING_NUM - 2));
	ASSERT_EQ(0, vb_set_log_base(self->m.backend, self->log));
	for (i = 0; i < 7; i++) {
		ASSERT_EQ(0, vb_machine_start(&self->m));
		ASSERT_EQ(0, inflate(self));
		ASSERT_EQ(0, vb_machine_stop(&self->m));
		ASSERT_EQ(mask_of_request(self, variant), vb_log_take(self->log)) {
			TH_LOG("request %u", i);
		}
	}
}

TEST_F(log, has_the_wish_to_be_notified_that_a_start_writes)
{
	struct vb_ring *ring = &self->q->ring;
	__u16 *wish;

	ASSERT_EQ(0, place(self, variant, 0));
	ASSERT_EQ(0, vb_set_log_base(self->m.backend, self->log));
	wish = variant->event_idx ? (__u16 *)&ring->used->ring[RING_NUM] : &ring->used->flags;
	*wish = VRING_USED_F_NO_NOTIFY;
	ASSERT_EQ(0, vb_machine_start(&self->m));
	ASSERT_EQ(0, vb_log_wait_idle(self->q));
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	EXPECT_EQ(vb_log_of_notify(self->q, log_gpa(variant)), vb_log_take(self->log));
}

TEST_F(log, has_all_of_a_batch)
{
	struct vb_sg sg = { .addr = VB_BUF_GPA, .len = 4 };
	__u64 gpa = log_gpa(variant);
	__u32 mask = vb_log_of_idx(gpa);
	unsigned int i;

	*(__u32 *)self->m.buf.hva = RAM_GFN;
	ASSERT_EQ(0, place(self, variant, 0));
	ASSERT_EQ(0, vb_set_log_base(self->m.backend, self->log));
	for (i = 0; i < RING_NUM; i++) {
		ASSERT_LE(0, vb_ring_add(&self->q->ring, &sg, 1));
		mask |= vb_log_of_elem(self->q, gpa, i);
	}
	vb_ring_publish(&self->q->ring);
	ASSERT_EQ(0, vb_machine_start(&self->m));
	ASSERT_EQ(0, vb_queue_wait_used(self->q, RING_NUM));
	ASSERT_EQ(0, vb_log_wait_idle(self->q));
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	EXPECT_EQ(mask | vb_log_of_notify(self->q, gpa), vb_log_take(self->log));
}

TEST_F(log, has_each_queue_at_its_own_address)
{
	__u64 other = log_gpa(variant) + USED_PAGES * VB_PAGE;
	struct vb_queue *q = &self->m.deflate;

	ASSERT_EQ(0, vb_log_place(q, self->used + USED_PAGES * VB_PAGE + variant->user, 0, other));
	ASSERT_EQ(0, start(self, variant, 0));
	ASSERT_EQ(0, vb_log_wait_idle(self->q));
	ASSERT_EQ(0, vb_log_wait_idle(q));
	ASSERT_EQ(0, inflate(self));
	ASSERT_EQ(0, vb_deflate_range(&self->m, RAM_GPA, 1));
	ASSERT_EQ(0, vb_log_wait_idle(q));
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	EXPECT_EQ(mask_of_request(self, variant) | vb_log_of_idx(other) |
		  vb_log_of_elem(q, other, 0) | vb_log_of_notify(q, other),
		  vb_log_take(self->log));
}

TEST_F(log, is_empty_unless_the_ring_is_to_be_logged)
{
	ASSERT_EQ(0, place(self, variant, 0));
	ASSERT_EQ(0, vb_set_vring_log(self->q, 0, log_gpa(variant)));
	ASSERT_EQ(0, vb_set_log_base(self->m.backend, self->log));
	ASSERT_EQ(0, vb_set_log_fd(self->m.backend, self->log_fd));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	ASSERT_EQ(0, inflate(self));
	/* Nor does LOG_ALL alone say where the ring is for the guest. */
	ASSERT_EQ(0, vb_set_features(self->m.backend, self->m.features | LOG_ALL));
	ASSERT_EQ(0, inflate(self));
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	EXPECT_EQ(0U, vb_log_take(self->log));
	EXPECT_EQ(0, vb_eventfd_count(self->log_fd));
}

TEST_F(log, may_be_missing)
{
	ASSERT_EQ(0, place(self, variant, 0));
	ASSERT_EQ(0, vb_set_log_fd(self->m.backend, self->log_fd));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	ASSERT_EQ(0, inflate(self));
	EXPECT_EQ(0, vb_eventfd_count(self->log_fd));
	EXPECT_EQ(0ULL, vb_counter(self->m.backend, VHOST_BALLOON_C_BROKEN));
}

TEST_F(log, may_be_switched_on_and_off_while_queues_run)
{
	ASSERT_EQ(0, place(self, variant, 0));
	ASSERT_EQ(0, vb_set_vring_log(self->q, 0, 0));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	ASSERT_EQ(0, inflate(self));

	ASSERT_EQ(0, vb_set_log_base(self->m.backend, self->log));
	ASSERT_EQ(0, vb_set_features(self->m.backend, self->m.features | LOG_ALL));
	ASSERT_EQ(0, vb_set_vring_log(self->q, F_LOG, log_gpa(variant)));
	ASSERT_EQ(0, inflate(self));
	ASSERT_EQ(0, vb_set_vring_log(self->q, 0, 0));
	/* It has waited for whoever was writing. */
	EXPECT_EQ(mask_of_request(self, variant), vb_log_take(self->log));

	ASSERT_EQ(0, inflate(self));
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	EXPECT_EQ(0U, vb_log_take(self->log));
}

TEST_F(log, may_be_exchanged_and_taken_away_while_queues_run)
{
	__u64 *second = vb_log_map();

	ASSERT_NE(NULL, second);
	ASSERT_EQ(0, start(self, variant, 0));
	ASSERT_EQ(0, inflate(self));
	ASSERT_EQ(0, vb_set_log_base(self->m.backend, second));
	EXPECT_EQ(mask_of_request(self, variant), vb_log_take(self->log));
	ASSERT_EQ(0, inflate(self));
	ASSERT_EQ(0, vb_set_log_base(self->m.backend, NULL));
	EXPECT_EQ(mask_of_request(self, variant), vb_log_take(second));
	ASSERT_EQ(0, inflate(self));
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	EXPECT_EQ(0U, vb_log_take(self->log));
	EXPECT_EQ(0U, vb_log_take(second));
	vb_log_unmap(second);
}

TEST_F(log, is_the_only_thing_that_may_change_while_queues_run)
{
	int fd = self->m.backend;
	struct vb_queue moved;

	ASSERT_EQ(0, start(self, variant, 0));
	moved = *self->q;
	moved.ring.desc++;
	EXPECT_EQ(-EBUSY, vb_set_vring_log(&moved, F_LOG, log_gpa(variant)));
	moved = *self->q;
	moved.ring.avail = (void *)moved.ring.avail + 2;
	EXPECT_EQ(-EBUSY, vb_set_vring_log(&moved, F_LOG, log_gpa(variant)));
	moved = *self->q;
	moved.ring.used = (void *)moved.ring.used + 4;
	EXPECT_EQ(-EBUSY, vb_set_vring_log(&moved, F_LOG, log_gpa(variant)));
	EXPECT_EQ(-EBUSY, vb_set_features(fd, self->m.features ^ MUST_TELL));
	EXPECT_EQ(-EBUSY, vb_set_features(fd, (self->m.features ^ MUST_TELL) | LOG_ALL));
	/* None of it has taken effect. */
	ASSERT_EQ(0, inflate(self));
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	EXPECT_EQ(mask_of_request(self, variant), vb_log_take(self->log));
}

TEST_F(log, log_all_may_be_toggled_while_queues_run)
{
	struct vhost_balloon_info info;
	int fd = self->m.backend;
	unsigned int i;

	ASSERT_EQ(0, start(self, variant, 0));
	for (i = 0; i < 4; i++) {
		__u64 features = self->m.features | (i % 2 ? 0 : LOG_ALL);

		ASSERT_EQ(0, vb_set_features(fd, features));
		ASSERT_EQ(0, vb_get_info(fd, &info));
		EXPECT_EQ(features, info.features);
		EXPECT_TRUE(info.flags & VHOST_BALLOON_INFO_RUNNING);
		ASSERT_EQ(0, inflate(self));
	}
	EXPECT_EQ(4ULL, vb_counter(fd, VHOST_BALLOON_C_CHAINS));
}

TEST_F(log, arguments_that_make_no_sense_are_refused)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int fd = self->m.backend;

	ASSERT_LE(0, null);
	EXPECT_EQ(-EINVAL, vb_set_vring_log(self->q, F_LOG, VB_LOG_GPA + 1));
	EXPECT_EQ(-EINVAL, vb_set_vring_log(self->q, F_LOG, VB_LOG_GPA + 2));
	EXPECT_EQ(0, vb_set_vring_log(self->q, F_LOG, VB_LOG_GPA + 4));
	EXPECT_EQ(-EOPNOTSUPP, vb_set_vring_log(self->q, F_LOG << 1, VB_LOG_GPA));
	EXPECT_EQ(-EFAULT, vb_set_log_base(fd, NO_ADDRESS));
	/* Bits are set in words. */
	EXPECT_EQ(-EINVAL, vb_set_log_base(fd, (char *)self->log + 1));
	EXPECT_EQ(-EINVAL, vb_set_log_base(fd, (char *)self->log + 4));
	EXPECT_EQ(0, vb_set_log_base(fd, self->log + 1));
	EXPECT_EQ(-EFAULT, vb_ioctl(fd, VHOST_SET_LOG_BASE, NULL));
	EXPECT_EQ(-EFAULT, vb_ioctl(fd, VHOST_SET_LOG_FD, NULL));
	EXPECT_EQ(-EBADF, vb_set_log_fd(fd, 1000000));
	EXPECT_EQ(-EINVAL, vb_set_log_fd(fd, null));
	EXPECT_EQ(0, vb_set_log_fd(fd, self->log_fd));
	EXPECT_EQ(0, vb_set_log_fd(fd, -1));
	EXPECT_EQ(0, vb_set_log_fd(fd, -1));
	close(null);
}

TEST_F(log, eventfd_is_signalled_when_something_was_logged)
{
	struct pollfd pfd = { .fd = self->log_fd, .events = POLLIN };

	ASSERT_EQ(0, vb_set_log_fd(self->m.backend, self->log_fd));
	ASSERT_EQ(0, start(self, variant, 0));
	ASSERT_EQ(0, inflate(self));
	EXPECT_EQ(1, poll(&pfd, 1, VB_TIMEOUT_MS));
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	EXPECT_LT(0, vb_eventfd_count(self->log_fd));

	/* Taken away, it is left in peace. */
	ASSERT_EQ(0, vb_set_log_fd(self->m.backend, -1));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	ASSERT_EQ(0, inflate(self));
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	EXPECT_EQ(0, vb_eventfd_count(self->log_fd));
}

TEST_F(log, pages_of_it_that_are_not_present_are_faulted_in)
{
	unsigned int i;

	ASSERT_EQ(0, start(self, variant, 0));
	ASSERT_EQ(0, inflate(self));
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	EXPECT_LT(0ULL, vb_counter(self->m.backend, VHOST_BALLOON_C_FAULTS));
	EXPECT_EQ(mask_of_request(self, variant), vb_log_take(self->log));

	/* Present, but only to be read: the page of zeroes. */
	ASSERT_EQ(0, madvise(self->log, VB_LOG_BYTES, MADV_DONTNEED));
	for (i = 0; i < VB_LOG_BYTES / sizeof(*self->log); i++)
		ASSERT_EQ(0ULL, __atomic_load_n(&self->log[i], __ATOMIC_RELAXED));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	ASSERT_EQ(0, inflate(self));
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	EXPECT_EQ(mask_of_request(self, variant), vb_log_take(self->log));
}

/* The log is there, but can't be written to: the ring is not to be trusted any more. */
static void expect_broken(struct __test_metadata *_metadata, FIXTURE_DATA(log) *self,
			  const FIXTURE_VARIANT(log) *variant)
{
	struct vhost_balloon_info info;

	ASSERT_EQ(0, start(self, variant, 0));
	ASSERT_LT(0, vb_queue_wait_err(self->q));
	ASSERT_EQ(0, vb_get_info(self->m.backend, &info));
	EXPECT_EQ(VHOST_BALLOON_BROKEN_RING_ACCESS, info.queues[VB_INFLATE].broken);
	EXPECT_TRUE(info.queues[VB_INFLATE].flags & VHOST_BALLOON_QUEUE_BROKEN);
	/* The other queue isn't logged, and goes on. */
	EXPECT_EQ(0, vb_deflate_range(&self->m, RAM_GPA, 1));
}

TEST_F(log, queue_is_broken_when_it_is_not_mapped)
{
	ASSERT_EQ(0, munmap(self->log, VB_LOG_BYTES));
	expect_broken(_metadata, self, variant);
	self->log = NULL;
}

TEST_F(log, queue_is_broken_when_it_can_not_be_written_to)
{
	ASSERT_EQ(0, mprotect(self->log, VB_LOG_BYTES, PROT_READ));
	expect_broken(_metadata, self, variant);
}

TEST_F(log, is_forgotten_at_a_reset)
{
	ASSERT_EQ(0, vb_set_log_fd(self->m.backend, self->log_fd));
	ASSERT_EQ(0, start(self, variant, 0));
	ASSERT_EQ(0, inflate(self));
	ASSERT_EQ(0, vb_machine_reload(&self->m, self->m.features));
	EXPECT_NE(0U, vb_log_take(self->log));
	vb_eventfd_count(self->log_fd);

	ASSERT_EQ(0, place(self, variant, 0));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	ASSERT_EQ(0, inflate(self));
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	EXPECT_EQ(0U, vb_log_take(self->log));
	EXPECT_EQ(0, vb_eventfd_count(self->log_fd));
}

TEST_HARNESS_MAIN
