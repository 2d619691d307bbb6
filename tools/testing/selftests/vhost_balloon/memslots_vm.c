// SPDX-License-Identifier: GPL-2.0
/*
 * Which VM a balloon may be bound to, when, and for how long.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "vb_memory.h"

#define MIB		(1UL << 20)
#define PAGES		16U
#define LEN		(PAGES * VB_PAGE)
#define SLOT		3
#define SEED		0xb1d
#define FEATURES	VB_FEATURE(VIRTIO_F_VERSION_1)
#define RING_NUM	64

FIXTURE(bind) {
	struct vb_machine machine;
	struct vb_memory ram;
};

FIXTURE_SETUP(bind)
{
	const char *missing = vb_kvm_missing();

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vb_machine_open(&self->machine, true, FEATURES, RING_NUM));
	ASSERT_EQ(0, vb_memory_map(&self->ram, VB_MEMORY_ANON, MIB, LEN));
	vb_memory_fill(&self->ram, 0, PAGES, SEED);
	ASSERT_EQ(0, vb_memory_add_slot(&self->machine, SLOT, 0, &self->ram));
}

FIXTURE_TEARDOWN(bind)
{
	vb_machine_close(&self->machine);
	vb_memory_unmap(&self->ram);
}

TEST_F(bind, what_is_not_a_vm_is_refused_and_changes_nothing)
{
	int backend = self->machine.backend;
	struct vb_vcpu vcpu;
	int event, closed;

	event = eventfd(0, EFD_CLOEXEC);
	ASSERT_LE(0, event);
	ASSERT_EQ(0, vb_vcpu_create(&self->machine.vm, &vcpu));
	closed = dup(event);
	ASSERT_LE(0, closed);
	close(closed);

	EXPECT_EQ(-EINVAL, vb_set_vm(backend, event));
	EXPECT_EQ(-EINVAL, vb_set_vm(backend, self->machine.vm.kvm));
	EXPECT_EQ(-EINVAL, vb_set_vm(backend, vcpu.fd));
	EXPECT_EQ(-EINVAL, vb_set_vm(backend, backend));
	EXPECT_EQ(-EBADF, vb_set_vm(backend, closed));
	close(event);
	vb_vcpu_destroy(&vcpu);

	ASSERT_EQ(0, vb_machine_start(&self->machine));
	ASSERT_EQ(0, vb_inflate_range(&self->machine, MIB, PAGES));
	EXPECT_EQ(PAGES, vb_memory_zero(&self->ram, 0, PAGES));
}

TEST_F(bind, another_process_can_not_bind_for_the_owner)
{
	int status;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		struct vb_vm vm;

		if (vb_vm_open(&vm))
			_exit(0);
		_exit(-vb_set_vm(self->machine.backend, vm.fd));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(EPERM, WEXITSTATUS(status));
}

TEST_F(bind, vm_can_not_be_changed_while_queues_run)
{
	struct vb_vm other;

	ASSERT_EQ(0, vb_vm_open(&other));
	ASSERT_EQ(0, vb_machine_start(&self->machine));
	EXPECT_EQ(-EBUSY, vb_set_vm(self->machine.backend, other.fd));
	EXPECT_EQ(-EBUSY, vb_set_vm(self->machine.backend, self->machine.vm.fd));
	EXPECT_EQ(-EBUSY, vb_set_vm(self->machine.backend, -1));
	ASSERT_EQ(0, vb_inflate_range(&self->machine, MIB, PAGES));
	EXPECT_EQ(PAGES, vb_memory_zero(&self->ram, 0, PAGES));

	ASSERT_EQ(0, vb_machine_stop(&self->machine));
	EXPECT_EQ(0, vb_set_vm(self->machine.backend, other.fd));
	vb_vm_close(&other);
}

TEST_F(bind, another_vm_takes_the_place_of_the_first)
{
	struct vb_machine *m = &self->machine;
	struct vhost_balloon_region region;
	struct vb_memory ram;
	struct vb_vm first;

	ASSERT_EQ(0, vb_machine_start(m));
	ASSERT_EQ(0, vb_inflate_range(m, MIB, PAGES));
	ASSERT_EQ(PAGES, vb_memory_zero(&self->ram, 0, PAGES));
	vb_memory_fill(&self->ram, 0, PAGES, SEED);
	ASSERT_EQ(0, vb_machine_stop(m));

	/* A second VM with the same memory for buffers, but another slot. */
	first = m->vm;
	ASSERT_EQ(0, vb_vm_open(&m->vm));
	ASSERT_EQ(0, vb_memory_map(&ram, VB_MEMORY_ANON, 2 * MIB, LEN));
	vb_memory_fill(&ram, 0, PAGES, SEED);
	ASSERT_EQ(0, vb_memory_add_slot(m, 0, 0, &m->buf));
	ASSERT_EQ(0, vb_memory_add_slot(m, SLOT, 0, &ram));
	ASSERT_EQ(0, vb_set_vm(m->backend, m->vm.fd));

	ASSERT_EQ(2, vb_get_regions(m->backend, &region, 1, NULL));
	EXPECT_EQ(2 * MIB, region.gpa);
	EXPECT_EQ((unsigned long)ram.hva, region.hva);
	ASSERT_EQ(0, vb_machine_start(m));
	ASSERT_EQ(0, vb_inflate_range(m, MIB, PAGES));
	EXPECT_EQ(PAGES, vb_counter(m->backend, VHOST_BALLOON_C_SKIP_NO_SLOT));
	EXPECT_EQ(PAGES, vb_memory_intact(&self->ram, 0, PAGES, SEED));
	ASSERT_EQ(0, vb_inflate_range(m, 2 * MIB, PAGES));
	EXPECT_EQ(PAGES, vb_memory_zero(&ram, 0, PAGES));
	vb_memory_unmap(&ram);
	vb_vm_close(&first);
}

TEST_F(bind, two_balloons_may_have_the_same_vm)
{
	struct vb_queue second;
	int backend;

	backend = vb_open();
	ASSERT_LE(0, backend);
	ASSERT_EQ(0, vb_set_owner(backend));
	ASSERT_EQ(0, vb_set_features(backend, FEATURES));
	ASSERT_EQ(0, vb_set_vm(backend, self->machine.vm.fd));
	ASSERT_EQ(0, vb_queue_init(&second, backend, VB_INFLATE, RING_NUM, NULL));
	ASSERT_EQ(0, vb_set_running(backend, true));
	ASSERT_EQ(0, vb_machine_start(&self->machine));

	ASSERT_EQ(0, vb_inflate_range(&self->machine, MIB, PAGES / 2));
	EXPECT_EQ(PAGES / 2, vb_memory_zero(&self->ram, 0, PAGES / 2));
	EXPECT_EQ(PAGES / 2, vb_memory_intact(&self->ram, PAGES / 2, PAGES / 2, SEED));
	ASSERT_EQ(0, vb_queue_send_pages(&second, &self->machine.buf,
					 (__u32[]){ MIB / VB_PAGE + PAGES - 1 }, 1));
	EXPECT_EQ(1, vb_memory_zero(&self->ram, PAGES - 1, 1));
	EXPECT_EQ(PAGES / 2 - 1,
		  vb_memory_intact(&self->ram, PAGES / 2, PAGES / 2 - 1, SEED));
	close(backend);
	vb_queue_exit(&second);
}

TEST_F(bind, unbound_balloon_knows_no_memory)
{
	struct vhost_balloon_info info;

	ASSERT_EQ(0, vb_set_vm(self->machine.backend, -1));
	EXPECT_EQ(0, vb_get_regions(self->machine.backend, NULL, 0, NULL));
	ASSERT_EQ(0, vb_get_info(self->machine.backend, &info));
	EXPECT_EQ(VHOST_BALLOON_SOURCE_NONE, info.source);
	EXPECT_EQ(0, info.nr_regions);
	EXPECT_EQ(0, info.ram);
	/* Once more is no error, as with other files that -1 takes away. */
	EXPECT_EQ(0, vb_set_vm(self->machine.backend, -1));
}

/* KVM's debugfs has a directory for each VM, by the pid of its maker: how many of ours. */
static int count_vms(void)
{
	struct dirent *entry;
	char name[32];
	int nr = 0;
	DIR *dir;

	snprintf(name, sizeof(name), "%d-", getpid());
	dir = opendir("/sys/kernel/debug/kvm");
	if (!dir)
		return -1;
	while ((entry = readdir(dir)))
		nr += !strncmp(entry->d_name, name, strlen(name));
	closedir(dir);
	return nr;
}

static bool vms_gone_down_to(int nr)
{
	int i;

	/* The last reference is dropped later, from a work item. */
	for (i = 0; i < VB_TIMEOUT_MS / 10 && count_vms() != nr; i++)
		usleep(10000);
	return count_vms() == nr;
}

TEST_F(bind, vm_is_let_go_of_when_unbound)
{
	if (count_vms() != 1)
		SKIP(return, "KVM doesn't show its VMs in debugfs");
	vb_vm_close(&self->machine.vm);
	ASSERT_EQ(1, count_vms());
	ASSERT_EQ(0, vb_set_vm(self->machine.backend, -1));
	EXPECT_TRUE(vms_gone_down_to(0));
}

TEST_F(bind, vm_is_let_go_of_when_the_running_backend_is_closed)
{
	if (count_vms() != 1)
		SKIP(return, "KVM doesn't show its VMs in debugfs");
	ASSERT_EQ(0, vb_machine_start(&self->machine));
	vb_vm_close(&self->machine.vm);
	ASSERT_EQ(1, count_vms());
	close(self->machine.backend);
	self->machine.backend = -1;
	EXPECT_TRUE(vms_gone_down_to(0));
}

TEST_F(bind, vm_is_let_go_of_when_the_owner_is_reset)
{
	if (count_vms() != 1)
		SKIP(return, "KVM doesn't show its VMs in debugfs");
	ASSERT_EQ(0, vb_machine_start(&self->machine));
	vb_vm_close(&self->machine.vm);
	ASSERT_EQ(0, vb_ioctl(self->machine.backend, VHOST_RESET_OWNER, NULL));
	EXPECT_TRUE(vms_gone_down_to(0));
}

TEST_HARNESS_MAIN
