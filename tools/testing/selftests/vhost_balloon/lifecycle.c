// SPDX-License-Identifier: GPL-2.0
/*
 * A backend from start to end: what may be changed while its queues run, how
 * they stop and go on, reset, close, and what /proc says about it. With both ways
 * to know the guest's memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_config.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "vb_machine.h"
#include "vb_memory.h"
#include "vb_worker.h"

#define INDIRECT	VB_FEATURE(VIRTIO_RING_F_INDIRECT_DESC)
#define FEATURES	(VB_FEATURE(VIRTIO_F_VERSION_1) | INDIRECT)
#define RING_NUM	16
#define RAM_GPA		0x100000ULL
#define RAM_PAGES	64U
#define SEED		7

FIXTURE(machine) {
	struct vb_machine m;
	struct vb_memory ram;
};

FIXTURE_VARIANT(machine) {
	bool kvm;
};

FIXTURE_VARIANT_ADD(machine, mem_table) { .kvm = false };
FIXTURE_VARIANT_ADD(machine, memslots) { .kvm = true };

FIXTURE_SETUP(machine)
{
	const char *missing = variant->kvm ? vb_kvm_missing() : NULL;
	int ret;

	if (missing)
		SKIP(return, "%s", missing);
	ret = vb_machine_open(&self->m, variant->kvm, FEATURES, RING_NUM);
	ASSERT_EQ(0, ret) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-ret));
	}
	ASSERT_EQ(0, vb_memory_map(&self->ram, VB_MEMORY_ANON, RAM_GPA, RAM_PAGES * VB_PAGE));
	ASSERT_EQ(0, vb_machine_add(&self->m, &self->ram, 0));
	vb_memory_fill(&self->ram, 0, RAM_PAGES, SEED);
	ASSERT_EQ(0, vb_machine_start(&self->m));
}

FIXTURE_TEARDOWN(machine)
{
	vb_machine_close(&self->m);
	vb_memory_unmap(&self->ram);
}

/* One page of the memory goes. */
static int inflate_page(struct vb_machine *m, const struct vb_memory *ram, unsigned int page)
{
	__u32 gfn = vb_memory_gfn(ram, page);

	return vb_machine_inflate(m, &gfn, 1);
}

TEST_F(machine, shows_itself_as_running)
{
	struct vhost_balloon_info info;
	__u32 source = variant->kvm ? VHOST_BALLOON_SOURCE_MEMSLOTS :
				      VHOST_BALLOON_SOURCE_MEMTABLE;

	/* The first pass finds the slots. */
	ASSERT_EQ(0, vb_settle(self->m.backend));
	ASSERT_EQ(0, vb_get_info(self->m.backend, &info));
	EXPECT_NE(0ULL, info.id);
	EXPECT_EQ(0, info.name[0]);
	EXPECT_EQ(getpid(), info.pid);
	EXPECT_EQ(source, info.source);
	EXPECT_EQ((__u64)VHOST_BALLOON_INFO_OWNED | VHOST_BALLOON_INFO_RUNNING,
		  info.flags & ~(VHOST_BALLOON_INFO_NO_ZAP | VHOST_BALLOON_INFO_NO_INLINE));
	EXPECT_EQ(FEATURES, info.features);
	EXPECT_EQ(2U, info.nr_regions);
	EXPECT_EQ(VB_BUF_LEN + RAM_PAGES * VB_PAGE, info.ram);
	ASSERT_EQ((__u32)VB_NR_QUEUES, info.nr_queues);
	EXPECT_EQ(VHOST_BALLOON_ROLE_INFLATE, info.queues[VB_INFLATE].role);
	EXPECT_EQ(VHOST_BALLOON_ROLE_DEFLATE, info.queues[VB_DEFLATE].role);
	EXPECT_EQ(VHOST_BALLOON_QUEUE_READY, info.queues[VB_INFLATE].flags);
	EXPECT_EQ(VHOST_BALLOON_QUEUE_READY, info.queues[VB_DEFLATE].flags);
	EXPECT_EQ((__u32)RING_NUM, info.queues[VB_INFLATE].num);
}

TEST_F(machine, set_up_is_ebusy_while_running)
{
	struct vb_ring *ring = &self->m.inflate.ring;
	int fd = self->m.backend;

	EXPECT_EQ(-EBUSY, vb_set_owner(fd));
	EXPECT_EQ(-EBUSY, vb_set_features(fd, FEATURES ^ INDIRECT));
	EXPECT_EQ(-EBUSY, vb_set_vm(fd, self->m.vm.fd));
	EXPECT_EQ(-EBUSY, vb_set_vring_num(fd, VB_INFLATE, RING_NUM));
	EXPECT_EQ(-EBUSY, vb_set_vring_base(fd, VB_INFLATE, 0));
	EXPECT_EQ(-EBUSY, vb_set_vring_addr(fd, VB_INFLATE, ring->desc + 1, ring->avail,
					    ring->used));
	EXPECT_EQ(-EBUSY, vb_set_vring_addr(fd, VB_INFLATE, ring->desc, ring->used, ring->used));
	EXPECT_EQ(-EBUSY, vb_set_vring_addr(fd, VB_INFLATE, ring->desc, ring->avail, ring->desc));
	/* and none of it did harm */
	EXPECT_EQ(0, inflate_page(&self->m, &self->ram, 3));
	EXPECT_EQ(1U, vb_memory_zero(&self->ram, 3, 1));
}

TEST_F(machine, kick_that_was_not_served_stays_with_its_eventfd)
{
	struct vb_queue *q = &self->m.inflate;

	ASSERT_EQ(0, vb_machine_stop(&self->m));
	ASSERT_LE(0, vb_eventfd_count(q->kick));
	ASSERT_EQ(0, vb_queue_kick(q));
	ASSERT_EQ(0, vb_set_vring_kick(self->m.backend, VB_INFLATE, -1));
	EXPECT_EQ(1, vb_eventfd_count(q->kick));
}

TEST_F(machine, wrong_set_up_while_running_changes_nothing)
{
	int fd = self->m.backend;

	EXPECT_GT(0, vb_set_features(fd, ~0ULL));
	EXPECT_GT(0, vb_set_vring_num(fd, VB_INFLATE, 3));
	EXPECT_GT(0, vb_set_vring_kick(fd, VB_INFLATE, fd));
	EXPECT_GT(0, vb_set_vring_call(fd, VB_INFLATE, fd));
	EXPECT_EQ(0, inflate_page(&self->m, &self->ram, 3));
	EXPECT_LT(0, vb_queue_wait_call(&self->m.inflate));
}

TEST_F(machine, starting_twice_and_stopping_twice_does_nothing)
{
	EXPECT_EQ(0, vb_machine_start(&self->m));
	EXPECT_EQ(0, inflate_page(&self->m, &self->ram, 0));
	EXPECT_EQ(0, vb_machine_stop(&self->m));
	EXPECT_EQ(0, vb_machine_stop(&self->m));
}

TEST_F(machine, goes_on_where_it_stopped)
{
	unsigned int i;

	for (i = 0; i < 3 * RING_NUM; i++) {
		ASSERT_EQ(0, inflate_page(&self->m, &self->ram, i));
		ASSERT_EQ(0, vb_machine_stop(&self->m));
		ASSERT_EQ((int)i + 1, vb_get_vring_base(self->m.backend, VB_INFLATE));
		ASSERT_EQ(0, vb_machine_start(&self->m));
	}
	EXPECT_EQ(3U * RING_NUM, vb_memory_zero(&self->ram, 0, 3 * RING_NUM));
	EXPECT_EQ(0, vb_get_vring_base(self->m.backend, VB_DEFLATE));
}

TEST_F(machine, touches_nothing_while_stopped)
{
	__u32 gfn = vb_memory_gfn(&self->ram, 5);
	struct vb_sg sg = { .addr = VB_BUF_GPA, .len = sizeof(gfn) };
	struct vb_queue *q = &self->m.inflate;

	ASSERT_EQ(0, vb_machine_stop(&self->m));
	memcpy(self->m.buf.hva, &gfn, sizeof(gfn));
	ASSERT_LE(0, vb_ring_add(&q->ring, &sg, 1));
	vb_ring_publish(&q->ring);
	ASSERT_EQ(0, vb_queue_kick(q));
	/* The stop has waited for the last pass, so there is nobody to wait for. */
	EXPECT_EQ(0, vb_ring_used_idx(&q->ring));
	EXPECT_EQ(1U, vb_memory_intact(&self->ram, 5, 1, SEED));
	/* A start looks at the ring by itself: the kick may be long gone. */
	vb_eventfd_count(q->kick);
	ASSERT_EQ(0, vb_machine_start(&self->m));
	EXPECT_EQ(0, vb_queue_wait_used(q, 1));
	EXPECT_EQ(1U, vb_memory_zero(&self->ram, 5, 1));
}

TEST_F(machine, eventfds_may_be_changed_while_running)
{
	struct vb_queue *q = &self->m.inflate;
	int old_kick = q->kick, old_call = q->call;
	__u64 kicks;

	q->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	q->call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_LE(0, q->kick);
	ASSERT_LE(0, q->call);
	EXPECT_EQ(0, vb_set_vring_kick(self->m.backend, VB_INFLATE, q->kick));
	EXPECT_EQ(0, vb_set_vring_call(self->m.backend, VB_INFLATE, q->call));
	ASSERT_EQ(0, inflate_page(&self->m, &self->ram, 0));
	EXPECT_LT(0, vb_queue_wait_call(q));
	EXPECT_EQ(0, vb_eventfd_count(old_call));
	/* Nobody listens to the former one any more. */
	kicks = vb_counter(self->m.backend, VHOST_BALLOON_C_KICKS);
	EXPECT_EQ(0, eventfd_write(old_kick, 1));
	EXPECT_EQ(kicks, vb_counter(self->m.backend, VHOST_BALLOON_C_KICKS));
	close(old_kick);
	close(old_call);
}

TEST_F(machine, eventfds_live_on_when_the_process_closes_them)
{
	struct vb_queue *q = &self->m.inflate;
	int kick = dup(q->kick);

	ASSERT_LE(0, kick);
	close(q->kick);
	q->kick = kick;
	ASSERT_EQ(0, inflate_page(&self->m, &self->ram, 0));
	/* Now the device is the only one that has it. */
	close(q->kick);
	q->kick = -1;
	EXPECT_EQ(0, vb_machine_stop(&self->m));
	EXPECT_EQ(0, vb_machine_start(&self->m));
}

TEST_F(machine, works_without_call_and_err_eventfds)
{
	ASSERT_EQ(0, vb_set_vring_call(self->m.backend, VB_INFLATE, -1));
	ASSERT_EQ(0, vb_set_vring_err(self->m.backend, VB_INFLATE, -1));
	EXPECT_EQ(0, inflate_page(&self->m, &self->ram, 0));
	/* a head that isn't in the table breaks the queue */
	vb_ring_set_avail(&self->m.inflate.ring, 1, RING_NUM);
	vb_ring_set_avail_idx(&self->m.inflate.ring, 2);
	ASSERT_EQ(0, vb_queue_kick(&self->m.inflate));
	EXPECT_EQ(0, vb_wait_counter(self->m.backend, VHOST_BALLOON_C_BROKEN, 1));
	EXPECT_EQ(0, vb_machine_stop(&self->m));
}

TEST_F(machine, call_eventfd_may_be_the_kick_eventfd)
{
	struct vb_queue *q = &self->m.inflate;
	unsigned int i;

	ASSERT_EQ(0, vb_set_vring_call(self->m.backend, VB_INFLATE, q->kick));
	for (i = 0; i < RAM_PAGES; i++)
		ASSERT_EQ(0, inflate_page(&self->m, &self->ram, i));
	EXPECT_EQ(RAM_PAGES, vb_memory_zero(&self->ram, 0, RAM_PAGES));
	EXPECT_EQ(0, vb_machine_stop(&self->m));
}

TEST_F(machine, one_kick_eventfd_may_serve_both_queues)
{
	ASSERT_EQ(0, vb_set_vring_kick(self->m.backend, VB_DEFLATE, self->m.inflate.kick));
	close(self->m.deflate.kick);
	self->m.deflate.kick = dup(self->m.inflate.kick);
	ASSERT_LE(0, self->m.deflate.kick);
	EXPECT_EQ(0, inflate_page(&self->m, &self->ram, 0));
	EXPECT_EQ(0, vb_machine_deflate(&self->m, &(__u32){ vb_memory_gfn(&self->ram, 0) }, 1));
}

TEST_F(machine, memory_table_may_be_replaced_while_running)
{
	struct vb_memory table[2];

	if (variant->kvm)
		SKIP(return, "memory is known by memslots");
	table[0] = self->m.buf;
	table[1] = self->ram;
	table[1].gpa = 2 * RAM_GPA;
	ASSERT_EQ(0, vb_set_mem_table(self->m.backend, table, 2));
	/* The former addresses mean nothing any more. */
	ASSERT_EQ(0, inflate_page(&self->m, &self->ram, 0));
	EXPECT_EQ(RAM_PAGES, vb_memory_intact(&self->ram, 0, RAM_PAGES, SEED));
	EXPECT_EQ(1ULL, vb_counter(self->m.backend, VHOST_BALLOON_C_SKIP_NO_SLOT));
	self->ram.gpa = 2 * RAM_GPA;
	ASSERT_EQ(0, inflate_page(&self->m, &self->ram, 0));
	EXPECT_EQ(1U, vb_memory_zero(&self->ram, 0, 1));
}

TEST_F(machine, reset_owner_forgets_everything_but_the_id)
{
	struct vhost_balloon_info before, after;
	int fd = self->m.backend;
	__u64 chains;

	ASSERT_EQ(0, inflate_page(&self->m, &self->ram, 0));
	ASSERT_EQ(0, vb_set_target(fd, 10));
	ASSERT_EQ(0, vb_get_info(fd, &before));
	chains = vb_counter(fd, VHOST_BALLOON_C_CHAINS);
	ASSERT_EQ(0, vb_ioctl(fd, VHOST_RESET_OWNER, NULL));

	/* Without an owner again. */
	EXPECT_EQ(-EPERM, vb_get_info(fd, &after));
	EXPECT_EQ(-EPERM, vb_set_features(fd, FEATURES));
	EXPECT_EQ(-EPERM, vb_machine_start(&self->m));
	EXPECT_EQ(-EPERM, vb_ioctl(fd, VHOST_RESET_OWNER, NULL));

	ASSERT_EQ(0, vb_set_owner(fd));
	ASSERT_EQ(0, vb_get_info(fd, &after));
	EXPECT_EQ(before.id, after.id);
	EXPECT_EQ(0ULL, after.features);
	EXPECT_EQ((__u32)VHOST_BALLOON_SOURCE_NONE, after.source);
	EXPECT_EQ(0U, after.nr_regions);
	EXPECT_FALSE(after.flags & VHOST_BALLOON_INFO_RUNNING);
	EXPECT_FALSE(after.queues[VB_INFLATE].flags & VHOST_BALLOON_QUEUE_READY);
	EXPECT_EQ(0, vb_get_vring_base(fd, VB_INFLATE));
	EXPECT_EQ(-EINVAL, vb_machine_start(&self->m));
	/* Counters only ever rise. */
	EXPECT_EQ(chains, vb_counter(fd, VHOST_BALLOON_C_CHAINS));
}

TEST_F(machine, can_be_set_up_anew_after_reset_owner)
{
	int fd = self->m.backend;

	ASSERT_EQ(0, inflate_page(&self->m, &self->ram, 0));
	ASSERT_EQ(0, vb_ioctl(fd, VHOST_RESET_OWNER, NULL));
	ASSERT_EQ(0, vb_set_owner(fd));
	ASSERT_EQ(0, vb_set_features(fd, FEATURES));
	ASSERT_EQ(0, vb_machine_set_memory(&self->m));
	ASSERT_EQ(0, vb_queue_reset(&self->m.inflate, 0));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	ASSERT_EQ(0, inflate_page(&self->m, &self->ram, 1));
	EXPECT_EQ(2U, vb_memory_zero(&self->ram, 0, 2));
}

/* Makes as many chains available as fit, and kicks, without waiting for anything. */
static void flood(struct vb_machine *m, const struct vb_memory *ram)
{
	struct vb_sg sg = { .addr = VB_BUF_GPA, .len = RAM_PAGES * sizeof(__u32) };
	__u32 *words = m->buf.hva;
	unsigned int i;

	for (i = 0; i < RAM_PAGES; i++)
		words[i] = vb_memory_gfn(ram, i);
	while (vb_ring_add(&m->inflate.ring, &sg, 1) >= 0)
		;
	vb_ring_publish(&m->inflate.ring);
	vb_queue_kick(&m->inflate);
}

TEST_F(machine, may_be_closed_while_queues_run)
{
	struct vhost_balloon_info info;
	int other;

	ASSERT_EQ(0, vb_get_info(self->m.backend, &info));
	flood(&self->m, &self->ram);
	ASSERT_EQ(0, close(self->m.backend));
	self->m.backend = -1;
	other = vb_open();
	ASSERT_LE(0, other);
	EXPECT_EQ(-ENOENT, vb_open_id(other, info.id));
	close(other);
	/* Nobody listens any more, and nobody minds. */
	EXPECT_EQ(0, vb_queue_kick(&self->m.inflate));
}

TEST_F(machine, may_be_closed_when_its_memory_is_gone)
{
	flood(&self->m, &self->ram);
	vb_memory_unmap(&self->ram);
	munmap(self->m.inflate.mem, self->m.inflate.mem_len);
	self->m.inflate.own_mem = false;
	EXPECT_EQ(0, vb_queue_kick(&self->m.inflate));
	EXPECT_EQ(0, close(self->m.backend));
	self->m.backend = -1;
}

/* In a child: a machine of its own, which is busy when the child is killed. */
static void busy_until_killed(bool kvm, int pipe_fd)
{
	struct vhost_balloon_info info;
	struct vb_machine m;
	struct vb_memory ram;

	if (vb_machine_open(&m, kvm, FEATURES, RING_NUM) ||
	    vb_memory_map(&ram, VB_MEMORY_ANON, RAM_GPA, RAM_PAGES * VB_PAGE) ||
	    vb_machine_add(&m, &ram, 0) || vb_machine_start(&m) ||
	    vb_get_info(m.backend, &info))
		_exit(1);
	if (write(pipe_fd, &info.id, sizeof(info.id)) != sizeof(info.id))
		_exit(1);
	for (;;) {
		while (vb_ring_get_used(&m.inflate.ring, NULL, NULL))
			;
		flood(&m, &ram);
	}
}

TEST_F(machine, is_gone_when_its_process_was_killed)
{
	int pipes[2], status;
	__u64 id = 0;
	pid_t pid;

	ASSERT_EQ(0, pipe(pipes));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		busy_until_killed(variant->kvm, pipes[1]);
	close(pipes[1]);
	ASSERT_EQ((ssize_t)sizeof(id), read(pipes[0], &id, sizeof(id)));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(-ENOENT, vb_open_id(self->m.backend, id));
	close(pipes[0]);
}

/* The value of a key in fdinfo of a file descriptor; 0 and -1 if it isn't there. */
static int fdinfo_value(int fd, const char *key, char *value, size_t size)
{
	char path[64], line[256];
	size_t len = strlen(key);
	int ret = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "r");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, key, len) || strncmp(line + len, ":\t", 2))
			continue;
		line[strcspn(line, "\n")] = 0;
		snprintf(value, size, "%s", line + len + 2);
		ret = 0;
	}
	fclose(file);
	return ret;
}

#define EXPECT_FDINFO(fd, key, number) do { \
	char value[256] = "", *end; \
	\
	EXPECT_EQ(0, fdinfo_value(fd, key, value, sizeof(value))) { \
		TH_LOG("no %s", key); \
	} \
	EXPECT_EQ((__u64)(number), strtoull(value, &end, 0)) { \
		TH_LOG("%s is '%s'", key, value); \
	} \
} while (0)

static void expect_fdinfo(struct __test_metadata *_metadata, int fd,
			  const struct vhost_balloon_info *info)
{
	EXPECT_FDINFO(fd, "balloon-id", info->id);
	EXPECT_FDINFO(fd, "balloon-target", info->target);
	EXPECT_FDINFO(fd, "balloon-actual", info->actual);
	EXPECT_FDINFO(fd, "balloon-ram", info->ram);
	EXPECT_FDINFO(fd, "balloon-source", info->source);
}

TEST_F(machine, fdinfo_says_what_info_says)
{
	int control = vb_get_control(self->m.backend);
	const __le32 actual = 5;
	struct vhost_balloon_info info;
	__u64 generation;

	ASSERT_LE(0, control);
	/* Which info looks at, and doesn't wait for. */
	ASSERT_LT(0, vb_get_regions(self->m.backend, NULL, 0, &generation));
	ASSERT_EQ(0, vb_set_target(self->m.backend, 11));
	ASSERT_EQ(0, vb_set_config(self->m.backend, 4, &actual, sizeof(actual)));
	ASSERT_EQ(0, vb_get_info(self->m.backend, &info));
	EXPECT_EQ(11ULL, info.target);
	EXPECT_EQ(5ULL, info.actual);
	expect_fdinfo(_metadata, self->m.backend, &info);
	expect_fdinfo(_metadata, control, &info);
	close(control);
}

TEST_HARNESS_MAIN
