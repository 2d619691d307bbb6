// SPDX-License-Identifier: GPL-2.0
/*
 * A balloon on the vDPA bus in use: queues and their interrupts, and what becomes of them when
 * the VMM suspends or resets the device, closes it or dies, and when the device is removed.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "vb_control.h"
#include "vb_driver.h"
#include "vb_kicker.h"
#include "vb_memory.h"
#include "vb_vdpa.h"

#define BIT(feature)	VB_FEATURE(VIRTIO_BALLOON_F_##feature)
#define V1		VB_FEATURE(VIRTIO_F_VERSION_1)
#define OPTIONAL	(BIT(STATS_VQ) | BIT(FREE_PAGE_HINT) | BIT(REPORTING))
#define FEATURES	(V1 | VB_FEATURE(VIRTIO_F_ACCESS_PLATFORM) | \
			 VB_FEATURE(VIRTIO_RING_F_EVENT_IDX) | BIT(MUST_TELL_HOST) | OPTIONAL)
#define STATS_INDEX	2
#define HINT_INDEX	3
#define REPORT_INDEX	4

#define RAM_GPA		0x100000ULL
#define PAGES		128U
#define SEED		0x76647061
#define ACTUAL		4242U

/* All queues run, and the guest has some memory. */
FIXTURE(running) {
	struct vb_vdpa d;
	struct vb_memory ram;
};

FIXTURE_SETUP(running)
{
	const char *missing = vb_vdpa_missing();

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vb_vdpa_add(&self->d, "life", FEATURES));
	ASSERT_EQ(0, vb_memory_map(&self->ram, VB_MEMORY_MEMFD, RAM_GPA, PAGES * VB_PAGE));
	vb_memory_fill(&self->ram, 0, PAGES, SEED);
	ASSERT_EQ(0, vb_vdpa_run(&self->d, FEATURES, VB_NR_QUEUES));
	ASSERT_EQ(0, vb_vdpa_map(&self->d, &self->ram, VHOST_ACCESS_RW));
}

FIXTURE_TEARDOWN(running)
{
	vb_vdpa_del(&self->d);
	vb_memory_unmap(&self->ram);
}

static struct vb_queue *queue(FIXTURE_DATA(running) *self, unsigned int index)
{
	return &self->d.queues[index];
}

static int inflate(FIXTURE_DATA(running) *self, unsigned int page, unsigned int nr)
{
	return vb_vdpa_inflate(&self->d, RAM_GPA + page * VB_PAGE, nr);
}

/* Posts a sample of one entry. */
static int post_stats(FIXTURE_DATA(running) *self, __u64 value)
{
	const struct vb_sg sg = { .addr = self->d.buf.gpa, .len = VB_STAT_SIZE };
	int ret;

	vb_put_stat(self->d.buf.hva, 0, VIRTIO_BALLOON_S_MEMFREE, value);
	ret = vb_ring_add(&queue(self, STATS_INDEX)->ring, &sg, 1);
	return ret < 0 ? ret : vb_queue_notify(queue(self, STATS_INDEX));
}

static int wait_samples(FIXTURE_DATA(running) *self, __u64 nr)
{
	return vb_wait_counter(self->d.control, VHOST_BALLOON_C_STATS_SAMPLES, nr);
}

/* The used length of the next used entry. */
static int take_used(struct vb_queue *q)
{
	__u32 len;
	int ret;

	ret = vb_queue_wait_used(q, q->ring.used_idx + 1);
	if (!ret)
		ret = vb_ring_get_used(&q->ring, NULL, &len);
	return ret == 1 ? (int)len : -EPROTO;
}

TEST_F(running, all_queues_are_served_and_nothing_is_written_into_their_buffers)
{
	struct vhost_balloon_stat entry;
	struct vhost_balloon_stats stats;
	struct vhost_balloon_info info;
	__u64 bitmap;
	__u32 id;

	ASSERT_EQ(0, vb_get_info(self->d.control, &info));
	EXPECT_EQ(VHOST_BALLOON_ROLE_STATS, info.queues[STATS_INDEX].role);
	EXPECT_EQ(VHOST_BALLOON_ROLE_HINT, info.queues[HINT_INDEX].role);
	EXPECT_EQ(VHOST_BALLOON_ROLE_REPORT, info.queues[REPORT_INDEX].role);

	EXPECT_EQ(0, inflate(self, 0, 8));
	EXPECT_EQ(0, vb_queue_send_pages(queue(self, VB_DEFLATE), &self->d.buf,
					 (const __u32[]) { RAM_GPA / VB_PAGE }, 1));
	EXPECT_EQ(1ULL, vb_counter(self->d.control, VHOST_BALLOON_C_DEFLATED));

	ASSERT_EQ(0, post_stats(self, 7));
	ASSERT_EQ(0, wait_samples(self, 1));
	ASSERT_EQ(0, vb_refresh_stats(self->d.control, 0));
	EXPECT_EQ(0, take_used(queue(self, STATS_INDEX)));
	ASSERT_EQ(0, vb_get_stats(self->d.control, &stats, &entry, 1));
	EXPECT_EQ(1U, stats.total);
	EXPECT_EQ(7ULL, entry.value);

	ASSERT_EQ(0, vb_hint_start(self->d.control, &id));
	EXPECT_EQ(0, vb_send_command(queue(self, HINT_INDEX), &self->d.buf, id));
	EXPECT_EQ(0, vb_send_piece(queue(self, HINT_INDEX), RAM_GPA + 16 * VB_PAGE, 8 * VB_PAGE));
	EXPECT_EQ(0, vb_send_command(queue(self, HINT_INDEX), &self->d.buf, 0));
	EXPECT_EQ(8, vb_hint_fetch(self->d.control, RAM_GPA / VB_PAGE, 64, &bitmap));
	EXPECT_EQ(0xff0000ULL, bitmap);

	EXPECT_EQ(0, vb_send_piece(queue(self, REPORT_INDEX), RAM_GPA + 32 * VB_PAGE, 4 * VB_PAGE));
	EXPECT_EQ(4ULL, vb_counter(self->d.control, VHOST_BALLOON_C_REPORTED));
	EXPECT_EQ(12ULL, vb_counter(self->d.control, VHOST_BALLOON_C_DISCARD_SHMEM));
	EXPECT_EQ(8, vb_memory_zero(&self->ram, 0, 8));
	EXPECT_EQ(24, vb_memory_intact(&self->ram, 8, 24, SEED));
	EXPECT_EQ(4, vb_memory_zero(&self->ram, 32, 4));
	EXPECT_EQ(PAGES - 36, vb_memory_intact(&self->ram, 36, PAGES - 36, SEED));
	EXPECT_EQ(0ULL, vb_counter(self->d.control, VHOST_BALLOON_C_MALFORMED));
	EXPECT_EQ(0ULL, vb_counter(self->d.control, VHOST_BALLOON_C_BROKEN));
}

/* vhost_vdpa lets a VMM do that at any time. */
TEST_F(running, queue_that_is_not_ready_is_served_when_it_is)
{
	const struct vb_sg sg = { .addr = self->d.buf.gpa + VB_PAGE / 2, .len = sizeof(__le32) };
	struct vhost_vring_state ready = { .index = VB_DEFLATE };
	struct vb_queue *q = queue(self, VB_DEFLATE);
	struct vhost_balloon_info info;

	ASSERT_EQ(0, vb_ioctl(self->d.fd, VHOST_VDPA_SET_VRING_ENABLE, &ready));
	vb_write_list(self->d.buf.hva + VB_PAGE / 2, RAM_GPA, 1);
	ASSERT_LE(0, vb_ring_add(&q->ring, &sg, 1));
	ASSERT_EQ(0, vb_queue_notify(q));
	/* Other queues are. */
	EXPECT_EQ(0, inflate(self, 0, 8));
	EXPECT_EQ(0ULL, vb_counter(self->d.control, VHOST_BALLOON_C_DEFLATED));

	ready.num = 1;
	ASSERT_EQ(0, vb_ioctl(self->d.fd, VHOST_VDPA_SET_VRING_ENABLE, &ready));
	EXPECT_EQ(0, take_used(q));
	EXPECT_EQ(1ULL, vb_counter(self->d.control, VHOST_BALLOON_C_DEFLATED));
	ASSERT_EQ(0, vb_get_info(self->d.control, &info));
	EXPECT_EQ(VHOST_BALLOON_ROLE_DEFLATE, info.queues[VB_DEFLATE].role);
}

TEST_F(running, interrupt_can_be_replaced_at_any_time)
{
	struct vb_queue *q = queue(self, VB_INFLATE);
	int other = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int first = q->call;

	ASSERT_LE(0, other);
	EXPECT_EQ(0, inflate(self, 0, 1));
	EXPECT_EQ(1, vb_queue_wait_call(q));

	ASSERT_EQ(0, vb_set_vring_call(self->d.fd, VB_INFLATE, other));
	vb_ring_set_used_event(&q->ring, q->ring.used_idx);
	EXPECT_EQ(0, inflate(self, 1, 1));
	q->call = other;
	EXPECT_EQ(1, vb_queue_wait_call(q));
	EXPECT_EQ(0, vb_eventfd_count(first));

	ASSERT_EQ(0, vb_set_vring_call(self->d.fd, VB_INFLATE, -1));
	vb_ring_set_used_event(&q->ring, q->ring.used_idx);
	EXPECT_EQ(0, inflate(self, 2, 1));
	/* When it is suspended nothing is on its way any more. */
	ASSERT_EQ(0, vb_vdpa_suspend(&self->d));
	EXPECT_EQ(0, vb_eventfd_count(first));
	EXPECT_EQ(0, vb_eventfd_count(other));
	q->call = first;
	close(other);
}

TEST_F(running, suspended_device_leaves_its_queues_alone)
{
	const struct vb_sg list = { .addr = self->d.buf.gpa, .len = 8 * sizeof(__le32) };
	struct vb_queue *q = queue(self, VB_INFLATE);
	struct vhost_balloon_info info;
	__u64 passes;

	EXPECT_EQ(0, inflate(self, 0, 8));
	ASSERT_EQ(0, vb_vdpa_suspend(&self->d));
	ASSERT_EQ(0, vb_vdpa_suspend(&self->d));
	ASSERT_EQ(0, vb_get_info(self->d.control, &info));
	EXPECT_EQ(0ULL, info.flags & VHOST_BALLOON_INFO_RUNNING);
	EXPECT_EQ(1, vb_get_vring_base(self->d.fd, VB_INFLATE));
	passes = vb_counter(self->d.control, VHOST_BALLOON_C_PASSES);

	vb_write_list(self->d.buf.hva, RAM_GPA + 8 * VB_PAGE, 8);
	ASSERT_LE(0, vb_ring_add(&q->ring, &list, 1));
	vb_ring_publish(&q->ring);
	ASSERT_EQ(0, vb_queue_kick(q));
	usleep(200000);
	EXPECT_EQ(1, vb_ring_used_idx(&q->ring));
	EXPECT_EQ(passes, vb_counter(self->d.control, VHOST_BALLOON_C_PASSES));
	EXPECT_EQ(PAGES - 8, vb_memory_intact(&self->ram, 8, PAGES - 8, SEED));

	ASSERT_EQ(0, vb_vdpa_resume(&self->d));
	EXPECT_EQ(0, take_used(q));
	EXPECT_EQ(8, vb_memory_zero(&self->ram, 8, 8));
	EXPECT_EQ(PAGES - 16, vb_memory_intact(&self->ram, 16, PAGES - 16, SEED));
	ASSERT_EQ(0, vb_vdpa_suspend(&self->d));
	EXPECT_EQ(2, vb_get_vring_base(self->d.fd, VB_INFLATE));
}

TEST_F(running, held_buffer_of_statistics_is_given_back_when_suspended)
{
	ASSERT_EQ(0, post_stats(self, 7));
	ASSERT_EQ(0, wait_samples(self, 1));
	ASSERT_EQ(0, vb_vdpa_suspend(&self->d));
	EXPECT_EQ(0, vb_get_vring_base(self->d.fd, STATS_INDEX));
	EXPECT_EQ(0, vb_ring_used_idx(&queue(self, STATS_INDEX)->ring));

	ASSERT_EQ(0, vb_vdpa_resume(&self->d));
	ASSERT_EQ(0, vb_refresh_stats(self->d.control, 0));
	EXPECT_EQ(0, take_used(queue(self, STATS_INDEX)));
	EXPECT_EQ(1ULL, vb_counter(self->d.control, VHOST_BALLOON_C_STATS_SAMPLES));
	ASSERT_EQ(0, post_stats(self, 8));
	EXPECT_EQ(0, wait_samples(self, 2));
}

static int set_actual(FIXTURE_DATA(running) *self)
{
	const __le32 actual = htole32(ACTUAL);

	return vb_vdpa_set_config(&self->d, offsetof(struct virtio_balloon_config, actual),
				  &actual, sizeof(actual));
}

static __u64 actual_of(FIXTURE_DATA(running) *self)
{
	struct vhost_balloon_info info;

	return vb_get_info(self->d.control, &info) ? ~0ULL : info.actual;
}

/* VMMs reset the device to pause the guest, and set it up again as it was. */
TEST_F(running, actual_is_the_drivers_and_outlives_a_pause)
{
	EXPECT_EQ(0, inflate(self, 0, 1));
	ASSERT_EQ(0, set_actual(self));
	ASSERT_EQ(0, vb_vdpa_reset(&self->d));
	EXPECT_EQ(ACTUAL, actual_of(self));
	ASSERT_EQ(0, vb_vdpa_negotiate(&self->d, V1));
	ASSERT_EQ(0, vb_vdpa_add_queue(&self->d, VB_INFLATE, VB_VDPA_RING_NUM));
	ASSERT_EQ(0, vb_queue_reset(queue(self, VB_INFLATE), 1));
	ASSERT_EQ(0, vb_vdpa_start(&self->d));
	EXPECT_EQ(ACTUAL, actual_of(self));
	EXPECT_EQ(0, inflate(self, 1, 1));
	EXPECT_EQ(2, vb_memory_zero(&self->ram, 0, 2));

	/* Another driver, that begins anew. */
	ASSERT_EQ(0, vb_vdpa_reset(&self->d));
	ASSERT_EQ(0, vb_vdpa_set_up(&self->d, V1, 2));
	EXPECT_EQ(0ULL, actual_of(self));
}

TEST_F(running, reset_forgets_queues_and_features)
{
	struct vhost_balloon_info info;
	unsigned int i;
	int call;

	call = dup(queue(self, VB_INFLATE)->call);
	ASSERT_LE(0, call);
	ASSERT_EQ(0, vb_vdpa_reset(&self->d));
	ASSERT_EQ(0, vb_get_info(self->d.control, &info));
	EXPECT_EQ(0ULL, info.features);
	EXPECT_EQ(0ULL, info.flags & VHOST_BALLOON_INFO_RUNNING);
	for (i = 0; i < VB_NR_QUEUES; i++) {
		EXPECT_EQ(0U, info.queues[i].flags);
		EXPECT_EQ(0U, info.queues[i].num);
		EXPECT_EQ(0U, info.queues[i].last_avail);
	}

	/* Other features, other queues, and an interrupt of the new driver's own. */
	ASSERT_EQ(0, vb_vdpa_set_up(&self->d, V1 | BIT(REPORTING), 3));
	EXPECT_EQ(0, vb_send_piece(queue(self, 2), RAM_GPA, 4 * VB_PAGE));
	EXPECT_EQ(0, inflate(self, 4, 4));
	EXPECT_EQ(1, vb_queue_wait_call(queue(self, VB_INFLATE)));
	EXPECT_EQ(0, vb_eventfd_count(call));
	EXPECT_EQ(8, vb_memory_zero(&self->ram, 0, 8));
	EXPECT_EQ(PAGES - 8, vb_memory_intact(&self->ram, 8, PAGES - 8, SEED));
	close(call);
}

/* Signalled by those who have the eventfd, at times when nobody expects it. */
TEST_F(running, kick_does_nothing_when_there_is_nothing_to_kick)
{
	int kick = dup(queue(self, VB_INFLATE)->kick);

	ASSERT_LE(0, kick);
	ASSERT_EQ(0, vb_vdpa_reset(&self->d));
	EXPECT_EQ(0, eventfd_write(kick, 1));
	ASSERT_EQ(0, vb_vdpa_negotiate(&self->d, V1));
	EXPECT_EQ(0, eventfd_write(kick, 1));
	ASSERT_EQ(0, vb_vdpa_add_queue(&self->d, VB_INFLATE, VB_VDPA_RING_NUM));
	EXPECT_EQ(0, vb_queue_kick(queue(self, VB_INFLATE)));
	ASSERT_EQ(0, vb_vdpa_start(&self->d));
	EXPECT_EQ(0, inflate(self, 0, 1));
	vb_vdpa_close(&self->d);
	EXPECT_EQ(0, eventfd_write(kick, 1));
	close(kick);
}

TEST_F(running, device_belongs_to_one_vmm)
{
	int refs = vb_module_references("vdpa_balloon");
	int fd;

	ASSERT_LE(1, refs);
	fd = open(self->d.path, O_RDWR | O_CLOEXEC);
	EXPECT_EQ(-1, fd);
	EXPECT_EQ(EBUSY, errno);
	/* It holds the module, and lets go of it. */
	vb_vdpa_close(&self->d);
	EXPECT_EQ(refs - 1, vb_module_references("vdpa_balloon"));
	ASSERT_EQ(0, vb_vdpa_run(&self->d, FEATURES, VB_NR_QUEUES));
	EXPECT_EQ(refs, vb_module_references("vdpa_balloon"));
}

/* "vdpa dev del", in a thread of its own: it waits. */
struct remover {
	const char *name;
	atomic_bool done;
	int ret;
};

static void *remover_run(void *arg)
{
	struct remover *remover = arg;
	struct vb_vdpa_output out;

	remover->ret = vb_vdpa_tool(&out, "dev del %s", remover->name);
	atomic_store(&remover->done, true);
	return NULL;
}

TEST_F(running, device_is_removed_when_its_vmm_has_closed_it)
{
	struct remover remover = { .name = self->d.name };
	struct vhost_balloon_info info;
	pthread_t thread;

	ASSERT_EQ(0, fcntl(self->d.control, F_SETFL, O_RDWR | O_NONBLOCK));
	ASSERT_EQ(0, pthread_create(&thread, NULL, remover_run, &remover));
	usleep(500000);
	EXPECT_FALSE(atomic_load(&remover.done));
	EXPECT_EQ(0, vb_get_info(self->d.control, &info));
	EXPECT_EQ(0, inflate(self, 0, 1));

	vb_vdpa_close(&self->d);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, remover.ret);
	EXPECT_EQ(0, vb_wait_events(self->d.control, VHOST_BALLOON_EVENT_GONE));
	EXPECT_EQ(-ENODEV, vb_get_info(self->d.control, &info));
	EXPECT_EQ(-ENOENT, vb_vdpa_open_control(self->d.name));
}

/* The VMM, in a process of its own. Says by a byte that it has got so far. */
static void be_vmm(FIXTURE_DATA(running) *self, int ready)
{
	const struct vb_sg list = { .addr = self->d.buf.gpa, .len = PAGES * sizeof(__le32) };
	struct vb_queue *q = queue(self, VB_INFLATE);

	/* Whatever becomes of the test. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (vb_vdpa_run(&self->d, V1, 2) ||
	    vb_vdpa_map(&self->d, &self->ram, VHOST_ACCESS_RW))
		_exit(1);
	vb_write_list(self->d.buf.hva, RAM_GPA, PAGES);
	if (vb_vdpa_inflate(&self->d, RAM_GPA, 1) || write(ready, "", 1) != 1)
		_exit(1);
	for (;;) {
		if (q->ring.nr_free)
			vb_ring_add(&q->ring, &list, 1);
		vb_queue_notify(q);
		while (vb_ring_get_used(&q->ring, NULL, NULL) == 1)
			;
	}
}

static int open_again(struct vb_vdpa *d)
{
	__u64 end = vb_now_ms() + VB_TIMEOUT_MS;
	int ret;

	/* What a process leaves may be cleaned up behind its back. */
	do {
		ret = vb_vdpa_open(d);
		usleep(10000);
	} while (ret == -EBUSY && vb_now_ms() < end);
	vb_vdpa_close(d);
	return ret;
}

TEST_F(running, device_is_as_good_as_ever_when_its_vmm_was_killed)
{
	int refs = vb_module_references("vdpa_balloon");
	struct vhost_balloon_info info;
	int ready[2], status;
	pid_t child;
	char byte;

	vb_vdpa_close(&self->d);
	ASSERT_EQ(0, pipe2(ready, O_CLOEXEC));
	child = fork();
	ASSERT_LE(0, child);
	if (!child)
		be_vmm(self, ready[1]);
	close(ready[1]);
	EXPECT_EQ(1, read(ready[0], &byte, 1));
	EXPECT_EQ(0, vb_get_info(self->d.control, &info));
	EXPECT_EQ(child, info.pid);
	ASSERT_EQ(0, kill(child, SIGKILL));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	close(ready[0]);

	ASSERT_EQ(0, open_again(&self->d));
	ASSERT_EQ(0, vb_get_info(self->d.control, &info));
	EXPECT_EQ(0, info.pid);
	EXPECT_EQ(VHOST_BALLOON_SOURCE_NONE, info.source);
	EXPECT_EQ(0U, info.nr_regions);
	vb_memory_fill(&self->ram, 0, PAGES, SEED);
	ASSERT_EQ(0, vb_vdpa_run(&self->d, V1, 2));
	EXPECT_EQ(refs, vb_module_references("vdpa_balloon"));
	ASSERT_EQ(0, vb_vdpa_map(&self->d, &self->ram, VHOST_ACCESS_RW));
	EXPECT_EQ(0, inflate(self, 0, 8));
	EXPECT_EQ(8, vb_memory_zero(&self->ram, 0, 8));
	EXPECT_EQ(PAGES - 8, vb_memory_intact(&self->ram, 8, PAGES - 8, SEED));
}

TEST_HARNESS_MAIN
