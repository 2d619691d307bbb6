// SPDX-License-Identifier: GPL-2.0
/*
 * Nothing is discarded while somebody wants it so, or while the VMM has memory pinned: what the guest
 * gives away and reports is acknowledged, counted, and left as it is.
 *
 * See inhibit_race.c for a guest that doesn't wait meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/io_uring.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "kselftest_harness.h"
#include "vb_control.h"
#include "vb_driver.h"
#include "vb_memory.h"

#define FEATURES	(VB_FEATURE(VIRTIO_F_VERSION_1) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_MUST_TELL_HOST) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_REPORTING))
#define REPORT_INDEX	2
#define RING_NUM	16
#define RAM_GPA		0x10000000ULL
#define PAGES		64U
#define SEED		0x1b1b

#define BACKEND		VHOST_BALLOON_INHIBIT_BACKEND
#define CONTROLLER	VHOST_BALLOON_INHIBIT_CONTROLLER
#define PINNED		VHOST_BALLOON_INHIBIT_PINNED
#define SKIPPED		VHOST_BALLOON_C_SKIP_INHIBITED

/* As long as a reason may be. */
#define LONGEST		"0123456789 abcdefghij~ABCDEFGHIJ"
_Static_assert(sizeof(LONGEST) == VHOST_BALLOON_REASON_MAX + 1, "");

FIXTURE(inhibit) {
	struct vb_machine m;
	struct vb_queue *report;
	struct vb_memory ram;
	int backend, control;
	struct vhost_balloon_counters before;
};

FIXTURE_VARIANT(inhibit) {
	enum vb_memory_kind kind;
	bool kvm;
};

FIXTURE_VARIANT_ADD(inhibit, anon_table) { .kind = VB_MEMORY_ANON };
FIXTURE_VARIANT_ADD(inhibit, anon_memslots) { .kind = VB_MEMORY_ANON, .kvm = true };
FIXTURE_VARIANT_ADD(inhibit, memfd_table) { .kind = VB_MEMORY_MEMFD };
FIXTURE_VARIANT_ADD(inhibit, memfd_memslots) { .kind = VB_MEMORY_MEMFD, .kvm = true };

FIXTURE_SETUP(inhibit)
{
	const char *missing = variant->kvm ? vb_kvm_missing() : NULL;
	int ret;

	if (missing)
		SKIP(return, "%s", missing);
	ret = vb_machine_open(&self->m, variant->kvm, FEATURES, RING_NUM);
	ASSERT_EQ(0, ret) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-ret));
	}
	self->backend = self->m.backend;
	ASSERT_EQ(0, vb_machine_add_queue(&self->m, REPORT_INDEX, RING_NUM));
	self->report = vb_machine_queue(&self->m, REPORT_INDEX);
	ASSERT_EQ(0, vb_memory_map(&self->ram, variant->kind, RAM_GPA, PAGES * VB_PAGE));
	vb_memory_fill(&self->ram, 0, PAGES, SEED);
	ASSERT_EQ(0, vb_machine_add(&self->m, &self->ram, 0));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	self->control = vb_get_control(self->backend);
	ASSERT_LE(0, self->control);
	ASSERT_EQ(0, fcntl(self->control, F_SETFL, O_RDWR | O_NONBLOCK));
	ASSERT_EQ(0, vb_get_counters(self->backend, &self->before));
}

FIXTURE_TEARDOWN(inhibit)
{
	close(self->control);
	vb_machine_close(&self->m);
	vb_memory_unmap(&self->ram);
}

/* What info says of it, whoever asks. */
static void expect_info(struct __test_metadata *_metadata, FIXTURE_DATA(inhibit) *self,
			__u32 mask, const char *backend, const char *controller)
{
	const int fds[] = { self->backend, self->control };
	struct vhost_balloon_info info;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		ASSERT_EQ(0, vb_get_info(fds[i], &info));
		EXPECT_EQ(mask, info.inhibit);
		EXPECT_EQ(!!mask, !!(info.flags & VHOST_BALLOON_INFO_INHIBITED));
		EXPECT_STREQ(backend, (char *)info.reason_backend);
		EXPECT_STREQ(controller, (char *)info.reason_controller);
	}
}

/* Everything is given away, and then reported: acknowledged, and all of it is left alone. */
static void expect_inhibited(struct __test_metadata *_metadata, FIXTURE_DATA(inhibit) *self)
{
	int fd = self->backend;

	ASSERT_EQ(0, vb_get_counters(fd, &self->before));
	ASSERT_EQ(0, vb_inflate_range(&self->m, RAM_GPA, PAGES));
	EXPECT_EQ(self->before.value[SKIPPED] + PAGES, vb_counter(fd, SKIPPED));
	ASSERT_EQ(0, vb_send_piece(self->report, RAM_GPA, PAGES * VB_PAGE));
	EXPECT_EQ(self->before.value[SKIPPED] + 2 * PAGES, vb_counter(fd, SKIPPED));
	EXPECT_EQ(self->before.value[VHOST_BALLOON_C_INFLATED] + PAGES,
		  vb_counter(fd, VHOST_BALLOON_C_INFLATED));
	EXPECT_EQ(self->before.value[VHOST_BALLOON_C_REPORTED] + PAGES,
		  vb_counter(fd, VHOST_BALLOON_C_REPORTED));
	EXPECT_EQ(self->before.value[VHOST_BALLOON_C_DISCARD_OPS],
		  vb_counter(fd, VHOST_BALLOON_C_DISCARD_OPS));
	EXPECT_EQ(-1, vb_miscounted(fd, &self->before, SKIPPED, 2 * PAGES));
	EXPECT_EQ(PAGES, vb_memory_intact(&self->ram, 0, PAGES, SEED));
	/* What it takes back is none of this. */
	ASSERT_EQ(0, vb_deflate_range(&self->m, RAM_GPA, PAGES));
	EXPECT_EQ(self->before.value[SKIPPED] + 2 * PAGES, vb_counter(fd, SKIPPED));
}

static void expect_not_inhibited(struct __test_metadata *_metadata, FIXTURE_DATA(inhibit) *self)
{
	__u64 skipped = vb_counter(self->backend, SKIPPED);

	ASSERT_EQ(0, vb_inflate_range(&self->m, RAM_GPA, PAGES / 2));
	EXPECT_EQ(PAGES / 2, vb_memory_zero(&self->ram, 0, PAGES / 2));
	ASSERT_EQ(0, vb_send_piece(self->report, RAM_GPA + PAGES / 2 * VB_PAGE,
				   PAGES / 2 * VB_PAGE));
	EXPECT_EQ(PAGES / 2, vb_memory_zero(&self->ram, PAGES / 2, PAGES / 2));
	EXPECT_EQ(skipped, vb_counter(self->backend, SKIPPED));
	vb_memory_fill(&self->ram, 0, PAGES, SEED);
}

TEST_F(inhibit, is_not_so_unless_somebody_says_so)
{
	expect_info(_metadata, self, 0, "", "");
	expect_not_inhibited(_metadata, self);
}

TEST_F(inhibit, by_the_vmm_until_it_says_otherwise)
{
	ASSERT_EQ(0, vb_set_inhibit(self->backend, true, "a device"));
	expect_info(_metadata, self, BACKEND, "a device", "");
	expect_inhibited(_metadata, self);
	ASSERT_EQ(0, vb_set_inhibit(self->backend, false, ""));
	expect_info(_metadata, self, 0, "", "");
	expect_not_inhibited(_metadata, self);
}

TEST_F(inhibit, by_a_controller_until_one_says_otherwise)
{
	int second;

	ASSERT_EQ(0, vb_set_inhibit(self->control, true, "migration"));
	expect_info(_metadata, self, CONTROLLER, "", "migration");
	expect_inhibited(_metadata, self);

	/* It doesn't end with the file, and any other one will do. */
	second = vb_get_control(self->backend);
	ASSERT_LE(0, second);
	close(self->control);
	self->control = second;
	expect_info(_metadata, self, CONTROLLER, "", "migration");
	expect_inhibited(_metadata, self);
	ASSERT_EQ(0, vb_set_inhibit(self->control, false, ""));
	expect_info(_metadata, self, 0, "", "");
	expect_not_inhibited(_metadata, self);
}

TEST_F(inhibit, each_side_has_a_say_of_its_own)
{
	ASSERT_EQ(0, vb_set_inhibit(self->backend, true, "one"));
	ASSERT_EQ(0, vb_set_inhibit(self->control, true, "two"));
	expect_info(_metadata, self, BACKEND | CONTROLLER, "one", "two");
	ASSERT_EQ(0, vb_set_inhibit(self->backend, false, ""));
	expect_info(_metadata, self, CONTROLLER, "", "two");
	expect_inhibited(_metadata, self);
	ASSERT_EQ(0, vb_set_inhibit(self->backend, true, "three"));
	ASSERT_EQ(0, vb_set_inhibit(self->control, false, ""));
	expect_info(_metadata, self, BACKEND, "three", "");
	expect_inhibited(_metadata, self);
	ASSERT_EQ(0, vb_set_inhibit(self->backend, false, ""));
	expect_not_inhibited(_metadata, self);
}

TEST_F(inhibit, may_be_set_before_the_queues_run_and_outlasts_a_stop)
{
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	ASSERT_EQ(0, vb_set_inhibit(self->backend, true, "early"));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	expect_inhibited(_metadata, self);
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	expect_info(_metadata, self, BACKEND, "early", "");
	expect_inhibited(_metadata, self);
}

static int set_raw(int fd, __u32 inhibit, const void *reason, size_t len)
{
	struct vhost_balloon_inhibit arg = { .size = sizeof(arg), .inhibit = inhibit };

	memcpy(arg.reason, reason, len);
	return vb_ioctl(fd, VHOST_BALLOON_SET_INHIBIT, &arg);
}

TEST_F(inhibit, reasons_are_short_and_printable)
{
	static const struct {
		const char *reason;
		size_t len;
	} bad[] = {
		{ "", 0 },
		/* One too long, and some more. */
		{ LONGEST "x", VHOST_BALLOON_REASON_MAX + 1 },
		{ LONGEST "xxxxxxx", VHOST_BALLOON_REASON_SIZE - 1 },
		/* Not terminated. */
		{ LONGEST "xxxxxxxx", VHOST_BALLOON_REASON_SIZE },
		/* Not printable. */
		{ "a\nb", 3 }, { "\t", 1 }, { "a\x1f", 2 }, { "a\x7f", 2 }, { "\x80", 1 },
		{ "\xc3\xa4", 2 }, { "\xff", 1 },
		/* Something behind its end. */
		{ "a\0b", 3 }, { "\0b", 2 }, { LONGEST "\0x", VHOST_BALLOON_REASON_MAX + 2 },
		{ "a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0b",
		  VHOST_BALLOON_REASON_SIZE },
	};
	const int fds[] = { self->backend, self->control };
	unsigned int i, k;

	for (k = 0; k < ARRAY_SIZE(fds); k++) {
		for (i = 0; i < ARRAY_SIZE(bad); i++) {
			EXPECT_EQ(-EINVAL, set_raw(fds[k], 1, bad[i].reason, bad[i].len)) {
				TH_LOG("reason %u", i);
			}
		}
		expect_info(_metadata, self, 0, "", "");
		EXPECT_EQ(-EINVAL, vb_set_inhibit(fds[k], false, "no reason to go on"));
		EXPECT_EQ(-EINVAL, set_raw(fds[k], 2, "two", 3));
		EXPECT_EQ(-EINVAL, set_raw(fds[k], ~0U, "many", 4));
		expect_info(_metadata, self, 0, "", "");
	}
	ASSERT_EQ(0, vb_set_inhibit(self->backend, true, LONGEST));
	ASSERT_EQ(0, vb_set_inhibit(self->control, true, "!"));
	expect_info(_metadata, self, BACKEND | CONTROLLER, LONGEST, "!");
	/* What is refused leaves what was said before. */
	EXPECT_EQ(-EINVAL, set_raw(self->backend, 1, "\n", 1));
	EXPECT_EQ(-EINVAL, vb_set_inhibit(self->control, false, "reason"));
	expect_info(_metadata, self, BACKEND | CONTROLLER, LONGEST, "!");
}

/* What has happened since the last time, if it wasn't nothing. */
static int events(FIXTURE_DATA(inhibit) *self)
{
	struct vhost_balloon_event event;

	return vb_read_events(self->control, &event);
}

TEST_F(inhibit, change_is_told_once)
{
	ASSERT_EQ(-EAGAIN, events(self));
	ASSERT_EQ(0, vb_set_inhibit(self->backend, true, "one"));
	EXPECT_EQ(VHOST_BALLOON_EVENT_INHIBIT, events(self));
	EXPECT_EQ(-EAGAIN, events(self));
	/* Another reason is a change, the same one isn't. */
	ASSERT_EQ(0, vb_set_inhibit(self->backend, true, "two"));
	EXPECT_EQ(VHOST_BALLOON_EVENT_INHIBIT, events(self));
	ASSERT_EQ(0, vb_set_inhibit(self->backend, true, "two"));
	EXPECT_EQ(-EAGAIN, events(self));
	ASSERT_EQ(0, vb_set_inhibit(self->control, true, "two"));
	EXPECT_EQ(VHOST_BALLOON_EVENT_INHIBIT, events(self));
	ASSERT_EQ(0, vb_set_inhibit(self->control, false, ""));
	EXPECT_EQ(VHOST_BALLOON_EVENT_INHIBIT, events(self));
	ASSERT_EQ(0, vb_set_inhibit(self->control, false, ""));
	EXPECT_EQ(-EAGAIN, events(self));
	EXPECT_EQ(-EINVAL, vb_set_inhibit(self->backend, true, ""));
	EXPECT_EQ(-EAGAIN, events(self));
	ASSERT_EQ(0, vb_set_inhibit(self->backend, false, ""));
	EXPECT_EQ(VHOST_BALLOON_EVENT_INHIBIT, events(self));
}

TEST_F(inhibit, nothing_can_be_said_of_a_balloon_that_is_gone)
{
	vb_machine_close(&self->m);
	EXPECT_EQ(-ENODEV, vb_set_inhibit(self->control, true, "late"));
}

/* What the process has pinned, as it says itself: kilobytes, or -1. */
static long vm_pin(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[128];
	long pin = -1;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "VmPin: %ld", &pin) == 1)
			break;
	fclose(file);
	return pin;
}

/* Pins memory as a buffer of an io_uring. */
static int pin(int ring, const struct vb_memory *memory)
{
	struct iovec iov = { .iov_base = memory->hva, .iov_len = memory->len };

	return syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &iov, 1) ? -errno : 0;
}

static int unpin(int ring)
{
	return syscall(SYS_io_uring_register, ring, IORING_UNREGISTER_BUFFERS, NULL, 0) ? -errno : 0;
}

TEST_F(inhibit, by_memory_that_the_vmm_has_pinned_as_long_as_it_has)
{
	struct io_uring_params params = { 0 };
	unsigned int i;
	int ring;

	ring = syscall(SYS_io_uring_setup, 1, &params);
	if (ring < 0)
		SKIP(return, "no io_uring: %s", strerror(errno));
	ASSERT_EQ(0, vm_pin());
	for (i = 0; i < 2; i++) {
		/* Memory of the guest's, or any other: nobody knows which of it is in use. */
		ASSERT_EQ(0, pin(ring, i ? &self->m.buf : &self->ram));
		if (!vm_pin())
			SKIP(return, "this kernel doesn't count what io_uring pins");
		expect_info(_metadata, self, PINNED, "", "");
		expect_inhibited(_metadata, self);
		ASSERT_EQ(0, vb_set_inhibit(self->backend, true, "as well"));
		expect_info(_metadata, self, PINNED | BACKEND, "as well", "");
		ASSERT_EQ(0, vb_set_inhibit(self->backend, false, ""));
		expect_inhibited(_metadata, self);
		ASSERT_EQ(0, unpin(ring));
		ASSERT_EQ(0, vm_pin());
		expect_info(_metadata, self, 0, "", "");
		expect_not_inhibited(_metadata, self);
	}
	close(ring);
}

TEST_HARNESS_MAIN
