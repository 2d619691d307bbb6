// SPDX-License-Identifier: GPL-2.0
/*
 * The standard ioctls of vhost on a backend file, the order in which all
 * ioctls are to be called, other processes, and how a backend ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "vb_machine.h"

/* The features of a native backend, all of them. */
#define FEATURES	(VB_FEATURE(VIRTIO_F_VERSION_1) | \
			 VB_FEATURE(VIRTIO_RING_F_EVENT_IDX) | \
			 VB_FEATURE(VIRTIO_RING_F_INDIRECT_DESC) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_MUST_TELL_HOST) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_STATS_VQ) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_DEFLATE_ON_OOM) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_FREE_PAGE_HINT) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_PAGE_POISON) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_REPORTING) | \
			 VB_FEATURE(VHOST_F_LOG_ALL))
#define V1		VB_FEATURE(VIRTIO_F_VERSION_1)

#define RING_NUM	16

/* Above any user address, on any processor. */
#define NO_ADDRESS	0xffff800000000000ULL

static int set_addr(int fd, unsigned int index, unsigned int flags, __u64 desc, __u64 avail,
		    __u64 used)
{
	struct vhost_vring_addr addr = {
		.index = index,
		.flags = flags,
		.desc_user_addr = desc,
		.avail_user_addr = avail,
		.used_user_addr = used,
	};

	return vb_ioctl(fd, VHOST_SET_VRING_ADDR, &addr);
}

/* A backend with an owner, on which nothing was set. */
FIXTURE(owned) {
	int fd;
	char *mem;
	__u64 ring;
};

FIXTURE_SETUP(owned)
{
	self->fd = vb_open();
	ASSERT_GE(self->fd, 0) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-self->fd));
	}
	ASSERT_EQ(0, vb_set_owner(self->fd));
	self->mem = mmap(NULL, 16 * VB_PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->mem);
	self->ring = (unsigned long)self->mem;
}

FIXTURE_TEARDOWN(owned)
{
	close(self->fd);
	munmap(self->mem, 16 * VB_PAGE);
}

TEST_F(owned, offers_its_features)
{
	struct vhost_balloon_info info;
	__u64 features = 0;

	ASSERT_EQ(0, vb_get_features(self->fd, &features));
	EXPECT_EQ(FEATURES, features);
	ASSERT_EQ(0, vb_get_info(self->fd, &info));
	EXPECT_EQ(FEATURES, info.features_offered);
	EXPECT_EQ(0ULL, info.features);
}

TEST_F(owned, refuses_features_that_it_does_not_offer)
{
	struct vhost_balloon_info info;
	unsigned int bit;

	ASSERT_EQ(0, vb_set_features(self->fd, FEATURES));
	for (bit = 0; bit < 64; bit++) {
		if (FEATURES & VB_FEATURE(bit))
			continue;
		EXPECT_EQ(-EOPNOTSUPP, vb_set_features(self->fd, V1 | VB_FEATURE(bit))) {
			TH_LOG("bit %u", bit);
		}
	}
	ASSERT_EQ(0, vb_get_info(self->fd, &info));
	EXPECT_EQ(FEATURES, info.features);
}

TEST_F(owned, takes_each_subset_of_its_features)
{
	struct vhost_balloon_info info;
	__u64 set = 0;

	do {
		ASSERT_EQ(0, vb_set_features(self->fd, V1 | set));
		ASSERT_EQ(0, vb_get_info(self->fd, &info));
		EXPECT_EQ(V1 | set, info.features);
		set = (set - FEATURES) & FEATURES;
	} while (set);
}

TEST_F(owned, bad_pointers_are_efault)
{
	const unsigned long requests[] = {
		VHOST_GET_FEATURES, VHOST_SET_FEATURES, VHOST_SET_MEM_TABLE,
		VHOST_SET_VRING_NUM, VHOST_SET_VRING_BASE, VHOST_GET_VRING_BASE,
		VHOST_SET_VRING_ADDR, VHOST_SET_VRING_KICK, VHOST_SET_VRING_CALL,
		VHOST_SET_VRING_ERR, VHOST_SET_LOG_BASE, VHOST_SET_LOG_FD,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		EXPECT_EQ(-EFAULT, vb_ioctl(self->fd, requests[i], NULL)) {
			TH_LOG("number %#lx", _IOC_NR(requests[i]));
		}
	}
}

TEST_F(owned, queues_that_do_not_exist_are_enobufs)
{
	const unsigned int indices[] = { VB_NR_QUEUES, VB_NR_QUEUES + 1, 1000, ~0U };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(indices); i++) {
		EXPECT_EQ(-ENOBUFS, vb_set_vring_num(self->fd, indices[i], RING_NUM));
		EXPECT_EQ(-ENOBUFS, vb_set_vring_base(self->fd, indices[i], 0));
		EXPECT_EQ(-ENOBUFS, vb_get_vring_base(self->fd, indices[i]));
		EXPECT_EQ(-ENOBUFS, set_addr(self->fd, indices[i], 0, self->ring,
					     self->ring + VB_PAGE, self->ring + 2 * VB_PAGE));
		EXPECT_EQ(-ENOBUFS, vb_set_vring_kick(self->fd, indices[i], -1));
		EXPECT_EQ(-ENOBUFS, vb_set_vring_call(self->fd, indices[i], -1));
		EXPECT_EQ(-ENOBUFS, vb_set_vring_err(self->fd, indices[i], -1));
	}
}

TEST_F(owned, ring_sizes)
{
	const unsigned int bad[] = {
		0, 3, 5, 100, 1023, 1025, 2 * VHOST_BALLOON_VRING_MAX, 1U << 16, 1U << 31, ~0U,
	};
	unsigned int i;

	for (i = 1; i <= VHOST_BALLOON_VRING_MAX; i *= 2)
		EXPECT_EQ(0, vb_set_vring_num(self->fd, VB_INFLATE, i));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EINVAL, vb_set_vring_num(self->fd, VB_INFLATE, bad[i])) {
			TH_LOG("size %u", bad[i]);
		}
	}
}

TEST_F(owned, ring_bases)
{
	EXPECT_EQ(0, vb_set_vring_base(self->fd, VB_DEFLATE, 0xffff));
	EXPECT_EQ(-EINVAL, vb_set_vring_base(self->fd, VB_DEFLATE, 0x10000));
	EXPECT_EQ(-EINVAL, vb_set_vring_base(self->fd, VB_DEFLATE, ~0U));
	EXPECT_EQ(0xffff, vb_get_vring_base(self->fd, VB_DEFLATE));
	EXPECT_EQ(0, vb_get_vring_base(self->fd, VB_INFLATE));
}

TEST_F(owned, ring_addresses)
{
	__u64 desc = self->ring, avail = desc + VB_PAGE, used = avail + VB_PAGE;
	unsigned int bit;

	ASSERT_EQ(0, vb_set_vring_num(self->fd, VB_INFLATE, RING_NUM));
	/* The lowest one is VHOST_VRING_F_LOG. */
	for (bit = 1; bit < 32; bit++)
		EXPECT_EQ(-EOPNOTSUPP, set_addr(self->fd, VB_INFLATE, 1U << bit, desc, avail,
						used));
	EXPECT_EQ(-EINVAL, set_addr(self->fd, VB_INFLATE, 0, desc + 8, avail, used));
	EXPECT_EQ(-EINVAL, set_addr(self->fd, VB_INFLATE, 0, desc, avail + 1, used));
	EXPECT_EQ(-EINVAL, set_addr(self->fd, VB_INFLATE, 0, desc, avail, used + 2));
	EXPECT_EQ(-EFAULT, set_addr(self->fd, VB_INFLATE, 0, NO_ADDRESS, avail, used));
	EXPECT_EQ(-EFAULT, set_addr(self->fd, VB_INFLATE, 0, desc, NO_ADDRESS, used));
	EXPECT_EQ(-EFAULT, set_addr(self->fd, VB_INFLATE, 0, desc, avail, NO_ADDRESS));
	/* wraps around the end of the address space */
	EXPECT_EQ(-EFAULT, set_addr(self->fd, VB_INFLATE, 0, -16ULL, avail, used));
	/* each at its own, smallest alignment */
	EXPECT_EQ(0, set_addr(self->fd, VB_INFLATE, 0, desc + 16, avail + 2, used + 4));
}

static int (* const set_eventfd[])(int fd, unsigned int index, int eventfd) = {
	vb_set_vring_kick, vb_set_vring_call, vb_set_vring_err,
};

TEST_F(owned, eventfds)
{
	int event = eventfd(0, EFD_CLOEXEC);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	unsigned int i;

	ASSERT_LE(0, event);
	ASSERT_LE(0, null);
	for (i = 0; i < ARRAY_SIZE(set_eventfd); i++) {
		EXPECT_EQ(0, set_eventfd[i](self->fd, VB_INFLATE, event));
		EXPECT_EQ(-EBADF, set_eventfd[i](self->fd, VB_INFLATE, 1000000));
		EXPECT_EQ(-EINVAL, set_eventfd[i](self->fd, VB_INFLATE, null));
		EXPECT_EQ(-EINVAL, set_eventfd[i](self->fd, VB_INFLATE, self->fd));
		EXPECT_EQ(0, set_eventfd[i](self->fd, VB_INFLATE, -1));
		EXPECT_EQ(0, set_eventfd[i](self->fd, VB_INFLATE, -1));
	}
	EXPECT_EQ(0, vb_set_config_call(self->fd, event));
	EXPECT_EQ(-EBADF, vb_set_config_call(self->fd, 1000000));
	EXPECT_EQ(-EINVAL, vb_set_config_call(self->fd, null));
	EXPECT_EQ(0, vb_set_config_call(self->fd, -1));
	close(event);
	close(null);
}

TEST_F(owned, memory_tables)
{
	const struct vb_memory good[] = {
		{ .gpa = 1ULL << 32, .len = VB_PAGE, .hva = self->mem },
		{ .gpa = 0, .len = 2 * VB_PAGE, .hva = self->mem + VB_PAGE },
	};
	struct vb_memory bad[2];
	struct vhost_memory head = { .nregions = 1, .padding = 1 };
	struct vhost_balloon_info info;

	EXPECT_EQ(0, vb_set_mem_table(self->fd, NULL, 0));
	ASSERT_EQ(0, vb_set_mem_table(self->fd, good, 2));
	EXPECT_EQ(-EOPNOTSUPP, vb_ioctl(self->fd, VHOST_SET_MEM_TABLE, &head));
	head.padding = 0;
	head.nregions = ~0U;
	EXPECT_EQ(-E2BIG, vb_ioctl(self->fd, VHOST_SET_MEM_TABLE, &head));

	memcpy(bad, good, sizeof(bad));
	bad[1].len = 0;
	EXPECT_EQ(-EINVAL, vb_set_mem_table(self->fd, bad, 2));
	bad[1].len = VB_PAGE + 1;
	EXPECT_EQ(-EINVAL, vb_set_mem_table(self->fd, bad, 2));
	bad[1] = good[1];
	bad[1].gpa = 1;
	EXPECT_EQ(-EINVAL, vb_set_mem_table(self->fd, bad, 2));
	/* wraps */
	bad[1].gpa = -VB_PAGE;
	EXPECT_EQ(-EINVAL, vb_set_mem_table(self->fd, bad, 2));
	/* overlap */
	bad[1].gpa = good[0].gpa - VB_PAGE;
	EXPECT_EQ(-EINVAL, vb_set_mem_table(self->fd, bad, 2));
	bad[1] = good[1];
	bad[1].hva = (void *)NO_ADDRESS;
	EXPECT_EQ(-EFAULT, vb_set_mem_table(self->fd, bad, 2));

	/* None of these has taken the place of the good one. */
	ASSERT_EQ(0, vb_get_info(self->fd, &info));
	EXPECT_EQ(2U, info.nr_regions);
	EXPECT_EQ(3 * VB_PAGE, info.ram);
	EXPECT_EQ((__u32)VHOST_BALLOON_SOURCE_MEMTABLE, info.source);
}

TEST_F(owned, regions_are_reported_in_rising_order)
{
	const struct vb_memory table[] = {
		{ .gpa = 1ULL << 32, .len = VB_PAGE, .hva = self->mem },
		{ .gpa = 0, .len = 2 * VB_PAGE, .hva = self->mem + VB_PAGE },
	};
	struct vhost_balloon_region regions[3] = { 0 };

	ASSERT_EQ(0, vb_set_mem_table(self->fd, table, 2));
	ASSERT_EQ(2, vb_get_regions(self->fd, regions, 3, NULL));
	EXPECT_EQ(0ULL, regions[0].gpa);
	EXPECT_EQ(2 * VB_PAGE, regions[0].len);
	EXPECT_EQ(self->ring + VB_PAGE, regions[0].hva);
	EXPECT_EQ(1ULL << 32, regions[1].gpa);
	EXPECT_EQ(VB_PAGE, regions[1].len);
	EXPECT_EQ(self->ring, regions[1].hva);
	EXPECT_EQ((__u32)VHOST_BALLOON_REGION_DISCARDABLE, regions[0].flags);
	EXPECT_EQ((__u32)VHOST_BALLOON_BACKING_ANON, regions[0].backing);
}

TEST_F(owned, starting_without_a_queue_is_einval)
{
	struct vhost_balloon_info info;

	EXPECT_EQ(-EINVAL, vb_set_running(self->fd, true));
	ASSERT_EQ(0, vb_get_info(self->fd, &info));
	EXPECT_FALSE(info.flags & VHOST_BALLOON_INFO_RUNNING);
	/* Stopping what is stopped does nothing. */
	EXPECT_EQ(0, vb_set_running(self->fd, false));
}

TEST_F(owned, one_queue_is_enough_to_start)
{
	struct vhost_balloon_info info;
	struct vb_queue q;

	ASSERT_EQ(0, vb_queue_init(&q, self->fd, VB_DEFLATE, RING_NUM, NULL));
	ASSERT_EQ(0, vb_set_running(self->fd, true));
	ASSERT_EQ(0, vb_get_info(self->fd, &info));
	EXPECT_TRUE(info.flags & VHOST_BALLOON_INFO_RUNNING);
	EXPECT_EQ(0, vb_set_running(self->fd, false));
	vb_queue_exit(&q);
}

TEST_F(owned, not_a_vm_is_einval)
{
	int event = eventfd(0, EFD_CLOEXEC);
	struct vhost_balloon_info info;

	ASSERT_LE(0, event);
	EXPECT_EQ(-EINVAL, vb_set_vm(self->fd, event));
	EXPECT_EQ(-EINVAL, vb_set_vm(self->fd, self->fd));
	EXPECT_EQ(-EBADF, vb_set_vm(self->fd, 1000000));
	ASSERT_EQ(0, vb_get_info(self->fd, &info));
	EXPECT_EQ((__u32)VHOST_BALLOON_SOURCE_NONE, info.source);
	close(event);
}

TEST_F(owned, kvm_itself_or_a_vcpu_is_not_a_vm)
{
	const char *missing = vb_kvm_missing();
	struct vb_vcpu vcpu;
	struct vb_vm vm;

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vb_vm_open(&vm));
	ASSERT_EQ(0, vb_vcpu_create(&vm, &vcpu));
	EXPECT_EQ(-EINVAL, vb_set_vm(self->fd, vm.kvm));
	EXPECT_EQ(-EINVAL, vb_set_vm(self->fd, vcpu.fd));
	EXPECT_EQ(0, vb_set_vm(self->fd, vm.fd));
	vb_vcpu_destroy(&vcpu);
	vb_vm_close(&vm);
}

TEST_F(owned, the_latest_source_of_memory_is_the_one)
{
	const struct vb_memory table = { .gpa = 0, .len = VB_PAGE, .hva = self->mem };
	const char *missing = vb_kvm_missing();
	struct vhost_balloon_info info;
	struct vb_vm vm;

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vb_set_mem_table(self->fd, &table, 1));
	ASSERT_EQ(0, vb_vm_open(&vm));
	ASSERT_EQ(0, vb_set_vm(self->fd, vm.fd));
	ASSERT_EQ(0, vb_get_info(self->fd, &info));
	EXPECT_EQ((__u32)VHOST_BALLOON_SOURCE_MEMSLOTS, info.source);
	EXPECT_EQ(0U, info.nr_regions);
	ASSERT_EQ(0, vb_set_vm(self->fd, -1));
	ASSERT_EQ(0, vb_get_info(self->fd, &info));
	EXPECT_EQ((__u32)VHOST_BALLOON_SOURCE_NONE, info.source);
	vb_vm_close(&vm);
}

TEST_F(owned, keeps_a_vm_alive_that_its_process_has_closed)
{
	const struct vb_memory memory = { .gpa = 0, .len = VB_PAGE, .hva = self->mem };
	const char *missing = vb_kvm_missing();
	struct vhost_balloon_info info;
	struct vb_vm vm;

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vb_vm_open(&vm));
	ASSERT_EQ(0, vb_vm_set_slot(&vm, 0, 0, memory.gpa, memory.len, memory.hva));
	ASSERT_EQ(0, vb_set_vm(self->fd, vm.fd));
	vb_vm_close(&vm);
	ASSERT_EQ(0, vb_get_info(self->fd, &info));
	EXPECT_EQ(VB_PAGE, info.ram);
}

/* Hands a file descriptor over a socket, or takes one from it. */
static int send_fd(int sock, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	char byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -errno;
}

static int receive_fd(int sock)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	int fd;

	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) != 1)
		return -EIO;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg || cmsg->cmsg_type != SCM_RIGHTS)
		return -EIO;
	memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	return fd;
}

/* In a child: make a VM, pass it on, and stay until the parent has closed its end. */
static void vm_of_a_child(int sock)
{
	struct vb_vm vm;
	char byte;

	if (vb_vm_open(&vm) || send_fd(sock, vm.fd))
		_exit(1);
	_exit(read(sock, &byte, 1) < 0);
}

TEST_F(owned, vm_of_another_process_is_eperm)
{
	const char *missing = vb_kvm_missing();
	struct vhost_balloon_info info;
	int socks[2], vm, status;
	pid_t pid;

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socks));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(socks[0]);
		vm_of_a_child(socks[1]);
	}
	close(socks[1]);
	vm = receive_fd(socks[0]);
	EXPECT_LE(0, vm);
	EXPECT_EQ(-EPERM, vb_set_vm(self->fd, vm));
	ASSERT_EQ(0, vb_get_info(self->fd, &info));
	EXPECT_EQ((__u32)VHOST_BALLOON_SOURCE_NONE, info.source);
	close(vm);
	close(socks[0]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_F(owned, standard_ioctls_of_a_forked_child_are_eperm)
{
	const unsigned long requests[] = {
		VHOST_GET_FEATURES, VHOST_SET_FEATURES, VHOST_SET_MEM_TABLE,
		VHOST_SET_VRING_NUM, VHOST_SET_VRING_BASE, VHOST_GET_VRING_BASE,
		VHOST_SET_VRING_ADDR, VHOST_SET_VRING_KICK, VHOST_SET_VRING_CALL,
		VHOST_SET_VRING_ERR, VHOST_SET_LOG_BASE, VHOST_SET_LOG_FD, VHOST_RESET_OWNER,
	};
	int wrong = 0, status;
	unsigned int i;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		for (i = 0; i < ARRAY_SIZE(requests); i++)
			wrong += vb_ioctl(self->fd, requests[i], self->mem) != -EPERM;
		_exit(wrong);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status) {
		TH_LOG("%d of them were not EPERM", WEXITSTATUS(status));
	}
}

TEST_HARNESS_MAIN
