// SPDX-License-Identifier: GPL-2.0
/*
 * What a control file tells of its balloon and does to it: events by poll()
 * and read(), target, configuration space, tunables; and what is left of it
 * when the balloon is gone.
 */
#include <endian.h>
#include <fcntl.h>
#include <linux/virtio_balloon.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "vb_control.h"
#include "vb_memory.h"
#include "vb_uffd.h"

#define MIB		(1UL << 20)
#define FEATURES	VB_FEATURE(VIRTIO_F_VERSION_1)
#define RING_NUM	8

FIXTURE(control) {
	struct vb_machine machine;
	int control;
};

FIXTURE_SETUP(control)
{
	int flags;

	ASSERT_EQ(0, vb_machine_open(&self->machine, false, FEATURES, RING_NUM));
	self->control = vb_get_control(self->machine.backend);
	ASSERT_LE(0, self->control);
	flags = fcntl(self->control, F_GETFL);
	ASSERT_EQ(0, fcntl(self->control, F_SETFL, flags | O_NONBLOCK));
}

FIXTURE_TEARDOWN(control)
{
	close(self->control);
	vb_machine_close(&self->machine);
}

static void close_backend(struct vb_machine *m)
{
	close(m->backend);
	m->backend = -1;
}

static int guest_sets_actual(struct vb_machine *m, __u32 pages)
{
	__le32 value = htole32(pages);

	return vb_set_config(m->backend, offsetof(struct virtio_balloon_config, actual), &value,
			     sizeof(value));
}

TEST_F(control, new_control_file_has_no_events)
{
	struct vhost_balloon_event event;

	EXPECT_EQ(0, vb_poll_now(self->control));
	EXPECT_EQ(-EAGAIN, vb_read_events(self->control, &event));
}

TEST_F(control, actual_is_told_when_the_guest_changes_it)
{
	struct vhost_balloon_event event;

	ASSERT_EQ(0, vb_set_target(self->machine.backend, 100));
	ASSERT_EQ(VHOST_BALLOON_EVENT_TARGET, vb_read_events(self->control, &event));
	ASSERT_EQ(0, guest_sets_actual(&self->machine, 77));
	EXPECT_EQ(POLLIN, vb_poll_now(self->control));
	EXPECT_EQ(VHOST_BALLOON_EVENT_ACTUAL, vb_read_events(self->control, &event));
	EXPECT_EQ(100, event.target);
	EXPECT_EQ(77, event.actual);
	EXPECT_EQ(0, vb_poll_now(self->control));
	EXPECT_EQ(-EAGAIN, vb_read_events(self->control, &event));
}

TEST_F(control, target_reached_is_told_when_actual_comes_to_it)
{
	struct vhost_balloon_event event;

	ASSERT_EQ(0, vb_set_target(self->control, 512));
	EXPECT_EQ(VHOST_BALLOON_EVENT_TARGET, vb_read_events(self->control, &event));
	EXPECT_EQ(512, event.target);
	EXPECT_EQ(0, event.actual);
	ASSERT_EQ(0, guest_sets_actual(&self->machine, 256));
	EXPECT_EQ(VHOST_BALLOON_EVENT_ACTUAL, vb_read_events(self->control, &event));
	ASSERT_EQ(0, guest_sets_actual(&self->machine, 512));
	EXPECT_EQ(VHOST_BALLOON_EVENT_ACTUAL | VHOST_BALLOON_EVENT_TARGET_REACHED,
		  vb_read_events(self->control, &event));
	EXPECT_EQ(512, event.target);
	EXPECT_EQ(512, event.actual);
}

TEST_F(control, actual_is_told_when_it_is_forgotten)
{
	struct vhost_balloon_event event;

	ASSERT_EQ(0, guest_sets_actual(&self->machine, 5));
	EXPECT_EQ(VHOST_BALLOON_EVENT_ACTUAL, vb_read_events(self->control, &event));
	ASSERT_EQ(0, vb_ioctl(self->machine.backend, VHOST_RESET_OWNER, NULL));
	EXPECT_EQ(VHOST_BALLOON_EVENT_ACTUAL | VHOST_BALLOON_EVENT_TARGET_REACHED,
		  vb_read_events(self->control, &event));
	EXPECT_EQ(0, event.actual);
}

TEST_F(control, events_add_up_until_they_are_read)
{
	struct vhost_balloon_event event;

	ASSERT_EQ(0, vb_set_target(self->control, 2));
	ASSERT_EQ(0, guest_sets_actual(&self->machine, 1));
	ASSERT_EQ(0, guest_sets_actual(&self->machine, 2));
	ASSERT_EQ(0, guest_sets_actual(&self->machine, 3));
	EXPECT_EQ(VHOST_BALLOON_EVENT_TARGET | VHOST_BALLOON_EVENT_ACTUAL |
		  VHOST_BALLOON_EVENT_TARGET_REACHED, vb_read_events(self->control, &event));
	/* As they are at the time of reading. */
	EXPECT_EQ(2, event.target);
	EXPECT_EQ(3, event.actual);
	EXPECT_EQ(-EAGAIN, vb_read_events(self->control, &event));
}

TEST_F(control, start_and_stop_are_told)
{
	struct vhost_balloon_event event;

	ASSERT_EQ(0, vb_machine_start(&self->machine));
	EXPECT_EQ(VHOST_BALLOON_EVENT_STARTED, vb_read_events(self->control, &event));
	ASSERT_EQ(0, vb_machine_stop(&self->machine));
	EXPECT_EQ(VHOST_BALLOON_EVENT_STOPPED, vb_read_events(self->control, &event));
}

TEST_F(control, broken_queue_is_told)
{
	struct vb_ring *ring = &self->machine.inflate.ring;
	struct vhost_balloon_event event;
	struct vhost_balloon_info info;

	ASSERT_EQ(0, vb_machine_start(&self->machine));
	EXPECT_EQ(VHOST_BALLOON_EVENT_STARTED, vb_read_events(self->control, &event));
	vb_ring_set_avail(ring, 0, RING_NUM);
	vb_ring_set_avail_idx(ring, 1);
	ASSERT_EQ(0, vb_queue_kick(&self->machine.inflate));
	ASSERT_LT(0, vb_queue_wait_err(&self->machine.inflate));
	EXPECT_EQ(POLLIN, vb_poll_now(self->control));
	EXPECT_EQ(VHOST_BALLOON_EVENT_BROKEN, vb_read_events(self->control, &event));
	ASSERT_EQ(0, vb_get_info(self->control, &info));
	EXPECT_TRUE(info.queues[VB_INFLATE].flags & VHOST_BALLOON_QUEUE_BROKEN);
	EXPECT_EQ(VHOST_BALLOON_BROKEN_HEAD, info.queues[VB_INFLATE].broken);
}

TEST_F(control, each_control_file_has_events_of_its_own)
{
	struct vhost_balloon_event event;
	int second;

	second = vb_get_control(self->machine.backend);
	ASSERT_LE(0, second);
	ASSERT_EQ(0, vb_set_target(second, 9));
	EXPECT_EQ(VHOST_BALLOON_EVENT_TARGET, vb_read_events(self->control, &event));
	EXPECT_EQ(-EAGAIN, vb_read_events(self->control, &event));
	EXPECT_EQ(VHOST_BALLOON_EVENT_TARGET, vb_read_events(second, &event));
	close(second);
}

TEST_F(control, buffer_that_is_too_short_is_einval_and_loses_nothing)
{
	struct vhost_balloon_event event;

	ASSERT_EQ(0, vb_set_target(self->control, 9));
	EXPECT_EQ(-1, read(self->control, &event, sizeof(event) - 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(VHOST_BALLOON_EVENT_TARGET, vb_read_events(self->control, &event));
}

TEST_F(control, buffer_that_is_too_long_is_filled_as_far_as_the_event_goes)
{
	char buffer[sizeof(struct vhost_balloon_event) + 8];

	memset(buffer, 0xaa, sizeof(buffer));
	ASSERT_EQ(0, vb_set_target(self->control, 9));
	EXPECT_EQ(sizeof(struct vhost_balloon_event),
		  read(self->control, buffer, sizeof(buffer)));
	EXPECT_EQ((char)0xaa, buffer[sizeof(struct vhost_balloon_event)]);
}

static void *read_one(void *arg)
{
	struct vhost_balloon_event event;
	int *control = arg;

	return (void *)(long)vb_read_events(*control, &event);
}

TEST_F(control, read_waits_for_an_event)
{
	pthread_t thread;
	void *events;

	ASSERT_EQ(0, fcntl(self->control, F_SETFL, O_RDWR));
	ASSERT_EQ(0, pthread_create(&thread, NULL, read_one, &self->control));
	usleep(50000);
	ASSERT_EQ(0, guest_sets_actual(&self->machine, 5));
	ASSERT_EQ(0, pthread_join(thread, &events));
	EXPECT_TRUE((long)events & VHOST_BALLOON_EVENT_ACTUAL);
}

TEST_F(control, read_that_waits_ends_when_the_balloon_goes)
{
	pthread_t thread;
	void *events;

	ASSERT_EQ(0, fcntl(self->control, F_SETFL, O_RDWR));
	ASSERT_EQ(0, pthread_create(&thread, NULL, read_one, &self->control));
	usleep(50000);
	close_backend(&self->machine);
	ASSERT_EQ(0, pthread_join(thread, &events));
	EXPECT_EQ(VHOST_BALLOON_EVENT_GONE, (long)events);
}

static int control_ioctl(int control, unsigned long request)
{
	/* Of no structure more than the size is set: fine for all of them. */
	__u32 arg[2048 / sizeof(__u32)] = { _IOC_SIZE(request) };

	return vb_ioctl(control, request, arg);
}

static const unsigned long control_requests[] = {
	VHOST_BALLOON_GET_INFO, VHOST_BALLOON_GET_COUNTERS, VHOST_BALLOON_GET_REGIONS,
	VHOST_BALLOON_SET_TARGET, VHOST_BALLOON_GET_TUNABLES, VHOST_BALLOON_SET_TUNABLES,
	VHOST_BALLOON_GET_STATS, VHOST_BALLOON_SET_STATS_INTERVAL, VHOST_BALLOON_HINT_STOP,
	VHOST_BALLOON_SET_INHIBIT,
};

TEST_F(control, outlives_its_balloon_and_says_so)
{
	struct vhost_balloon_event event;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(control_requests); i++)
		EXPECT_EQ(0, control_ioctl(self->control, control_requests[i]));
	/* SET_TARGET left its event. */
	vb_read_events(self->control, &event);

	close_backend(&self->machine);
	EXPECT_EQ(POLLIN | POLLHUP, vb_poll_now(self->control));
	for (i = 0; i < ARRAY_SIZE(control_requests); i++)
		EXPECT_EQ(-ENODEV, control_ioctl(self->control, control_requests[i]));
	EXPECT_EQ(VHOST_BALLOON_EVENT_GONE,
		  vb_read_events(self->control, &event) & VHOST_BALLOON_EVENT_GONE);
	/* After that it is at its end, and stays so. */
	EXPECT_EQ(-ENODATA, vb_read_events(self->control, &event));
	EXPECT_EQ(-ENODATA, vb_read_events(self->control, &event));
	EXPECT_TRUE(vb_poll_now(self->control) & POLLHUP);
}

TEST_F(control, events_that_cant_be_copied_are_there_for_the_next_reader)
{
	struct vhost_balloon_event event;
	void *nowhere = mmap(NULL, VB_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, nowhere);
	close_backend(&self->machine);
	EXPECT_EQ(-1, read(self->control, nowhere, sizeof(event)));
	EXPECT_EQ(EFAULT, errno);
	munmap(nowhere, VB_PAGE);
	EXPECT_EQ(POLLIN | POLLHUP, vb_poll_now(self->control));
	EXPECT_EQ(VHOST_BALLOON_EVENT_GONE,
		  vb_read_events(self->control, &event) & VHOST_BALLOON_EVENT_GONE);
	EXPECT_EQ(-ENODATA, vb_read_events(self->control, &event));
}

/* A reader, with memory that comes later. */
struct slow_reader {
	struct vhost_balloon_event *event;
	ssize_t n;
	int control;
};

static void *read_slowly(void *arg)
{
	struct slow_reader *r = arg;

	r->n = read(r->control, r->event, sizeof(*r->event));
	return NULL;
}

TEST_F(control, is_not_at_its_end_while_the_one_who_reads_that_waits_for_memory)
{
	struct slow_reader r = { .control = self->control };
	int uffd = vb_uffd_open();
	struct vhost_balloon_event event;
	struct vb_memory page;
	pthread_t thread;

	if (uffd < 0)
		SKIP(return, "no userfaultfd: %s", strerror(-uffd));
	ASSERT_EQ(0, vb_memory_map(&page, VB_MEMORY_ANON, 0, VB_PAGE));
	ASSERT_EQ(0, vb_uffd_make_missing(uffd, page.hva));
	r.event = page.hva;
	close_backend(&self->machine);
	ASSERT_EQ(0, pthread_create(&thread, NULL, read_slowly, &r));
	ASSERT_EQ((unsigned long)page.hva, vb_uffd_next_fault(uffd));
	EXPECT_EQ(-EAGAIN, vb_read_events(self->control, &event));
	EXPECT_EQ(POLLHUP, vb_poll_now(self->control));
	ASSERT_EQ(0, vb_uffd_zero(uffd, (unsigned long)page.hva));
	pthread_join(thread, NULL);
	EXPECT_EQ((ssize_t)sizeof(event), r.n);
	EXPECT_TRUE(r.event->events & VHOST_BALLOON_EVENT_GONE);
	EXPECT_EQ(-ENODATA, vb_read_events(self->control, &event));
	vb_memory_unmap(&page);
	close(uffd);
}

TEST_F(control, backend_ioctls_are_enotty)
{
	__u64 features = FEATURES;

	EXPECT_EQ(-ENOTTY, vb_set_owner(self->control));
	EXPECT_EQ(-ENOTTY, vb_ioctl(self->control, VHOST_RESET_OWNER, NULL));
	EXPECT_EQ(-ENOTTY, vb_ioctl(self->control, VHOST_SET_FEATURES, &features));
	EXPECT_EQ(-ENOTTY, vb_set_running(self->control, true));
	EXPECT_EQ(-ENOTTY, vb_set_vm(self->control, -1));
	EXPECT_EQ(-ENOTTY, vb_set_access(self->control, 0));
}

TEST_F(control, target_is_at_most_32_bits)
{
	struct vhost_balloon_info info;

	EXPECT_EQ(0, vb_set_target(self->control, 0xffffffffULL));
	ASSERT_EQ(0, vb_get_info(self->control, &info));
	EXPECT_EQ(0xffffffffULL, info.target);
	EXPECT_EQ(-EINVAL, vb_set_target(self->control, 0x100000000ULL));
	EXPECT_EQ(-EINVAL, vb_set_target(self->control, ~0ULL));
	ASSERT_EQ(0, vb_get_info(self->control, &info));
	EXPECT_EQ(0xffffffffULL, info.target);
}

TEST_F(control, target_is_seen_by_the_guest_in_its_configuration_space)
{
	struct virtio_balloon_config config;
	struct vhost_balloon_info info;
	int call;

	call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_LE(0, call);
	ASSERT_EQ(0, vb_set_config_call(self->machine.backend, call));
	EXPECT_EQ(0, vb_eventfd_count(call));
	ASSERT_EQ(0, vb_set_target(self->control, 0x12345));
	EXPECT_EQ(1, vb_eventfd_count(call));
	memset(&config, 0xff, sizeof(config));
	ASSERT_EQ(0, vb_get_config(self->machine.backend, 0, &config, 8));
	EXPECT_EQ(0x12345, le32toh(config.num_pages));
	EXPECT_EQ(0, le32toh(config.actual));

	/* And what the guest writes is seen by the controller. */
	ASSERT_EQ(0, guest_sets_actual(&self->machine, 0x345));
	ASSERT_EQ(0, vb_get_info(self->control, &info));
	EXPECT_EQ(0x12345, info.target);
	EXPECT_EQ(0x345, info.actual);
	EXPECT_EQ(0, vb_eventfd_count(call));

	/* Nobody to tell any more. */
	ASSERT_EQ(0, vb_set_config_call(self->machine.backend, -1));
	ASSERT_EQ(0, vb_set_target(self->control, 1));
	EXPECT_EQ(0, vb_eventfd_count(call));
	close(call);
}

TEST_F(control, guest_changes_actual_only_whatever_it_writes)
{
	struct virtio_balloon_config config;

	ASSERT_EQ(0, vb_set_target(self->control, 0x111));
	memset(&config, 0, sizeof(config));
	config.num_pages = htole32(0x999);
	config.actual = htole32(0x222);
	/* A VMM may write the whole of it back when the guest wrote a part. */
	ASSERT_EQ(0, vb_set_config(self->machine.backend, 0, &config, 8));
	memset(&config, 0xff, sizeof(config));
	ASSERT_EQ(0, vb_get_config(self->machine.backend, 0, &config, 8));
	EXPECT_EQ(0x111, le32toh(config.num_pages));
	EXPECT_EQ(0x222, le32toh(config.actual));
}

TEST_F(control, tunables_are_switched_one_by_one)
{
	const __u64 all = VHOST_BALLOON_TUNE_HUGETLB | VHOST_BALLOON_TUNE_POPULATE |
			  VHOST_BALLOON_TUNE_INLINE | VHOST_BALLOON_TUNE_THP;
	struct vhost_balloon_event event;
	__u64 mask, values, bit;

	ASSERT_EQ(0, vb_get_tunables(self->control, &mask, &values));
	EXPECT_EQ(all, mask);
	/* That one is on unless the module's parameter says otherwise. */
	EXPECT_EQ(VHOST_BALLOON_TUNE_THP, values & ~VHOST_BALLOON_TUNE_INLINE);
	ASSERT_EQ(0, vb_set_tunables(self->control, all, 0));
	for (bit = 1; bit <= all; bit <<= 1) {
		ASSERT_EQ(0, vb_set_tunables(self->control, bit, bit));
		ASSERT_EQ(0, vb_get_tunables(self->machine.backend, &mask, &values));
		EXPECT_EQ(bit, values);

		/* Not in the mask, not changed. */
		ASSERT_EQ(0, vb_set_tunables(self->control, 0, 0));
		EXPECT_EQ(-EINVAL, vb_set_tunables(self->control, all & ~bit, all));
		ASSERT_EQ(0, vb_get_tunables(self->control, &mask, &values));
		EXPECT_EQ(bit, values);

		ASSERT_EQ(0, vb_set_tunables(self->control, bit, 0));
		ASSERT_EQ(0, vb_get_tunables(self->control, &mask, &values));
		EXPECT_EQ(0ULL, values);
	}
	EXPECT_EQ(-EINVAL, vb_set_tunables(self->control, ~all, 0));
	EXPECT_EQ(-EAGAIN, vb_read_events(self->control, &event));
}

TEST(control_file_sees_its_owner_die)
{
	struct vhost_balloon_event event;
	int ready[2], status;
	struct pollfd pfd;
	int device, control;
	__u64 id = 0;
	pid_t pid;

	device = vb_open();
	ASSERT_LE(0, device);
	ASSERT_EQ(0, pipe(ready));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		struct vhost_balloon_info info;
		struct vb_machine machine;

		if (vb_machine_open(&machine, false, FEATURES, RING_NUM) ||
		    vb_machine_start(&machine) || vb_get_info(machine.backend, &info))
			_exit(1);
		if (write(ready[1], &info.id, sizeof(info.id)) != sizeof(info.id))
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	ASSERT_EQ(sizeof(id), read(ready[0], &id, sizeof(id)));
	control = vb_open_id(device, id);
	ASSERT_LE(0, control);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	pfd = (struct pollfd){ .fd = control };
	ASSERT_EQ(1, poll(&pfd, 1, VB_TIMEOUT_MS));
	EXPECT_EQ(POLLHUP, pfd.revents);
	EXPECT_TRUE(vb_read_events(control, &event) & VHOST_BALLOON_EVENT_GONE);
	EXPECT_EQ(-ENOENT, vb_open_id(device, id));
	waitpid(pid, &status, 0);
	close(control);
	close(device);
}

TEST_HARNESS_MAIN
