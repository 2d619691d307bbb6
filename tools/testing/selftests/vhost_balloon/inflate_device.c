// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses behind which there is something else than memory: what a driver
 * has mapped there is left alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_config.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "vb_machine.h"

#define RING_NUM	4
#define GPA		0x10000000ULL
#define GFN		((__u32)(GPA / VB_PAGE))

FIXTURE(device) {
	struct vb_machine m;
};

FIXTURE_SETUP(device)
{
	int ret = vb_machine_open(&self->m, false, VB_FEATURE(VIRTIO_F_VERSION_1), RING_NUM);

	ASSERT_EQ(0, ret) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-ret));
	}
	ASSERT_EQ(0, vb_machine_start(&self->m));
}

FIXTURE_TEARDOWN(device)
{
	vb_machine_close(&self->m);
}

/* Gives away the page at an address of ours. */
static int inflate_at(struct vb_machine *m, void *hva)
{
	struct vb_memory memory = { .gpa = GPA, .len = VB_PAGE, .hva = hva };
	int ret = vb_machine_add(m, &memory, 0);

	return ret ?: vb_machine_inflate(m, &(__u32){ GFN }, 1);
}

TEST_F(device, state_of_a_vcpu_is_left_alone)
{
	const char *missing = vb_kvm_missing();
	struct vb_vcpu vcpu;
	struct vb_vm vm;

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vb_vm_open(&vm));
	ASSERT_EQ(0, vb_vcpu_create(&vm, &vcpu));
	vcpu.run->immediate_exit = 1;
	ASSERT_EQ(0, inflate_at(&self->m, vcpu.run));
	EXPECT_EQ(1, vcpu.run->immediate_exit);
	EXPECT_EQ(1ULL, vb_counter(self->m.backend, VHOST_BALLOON_C_SKIP_DEVICE));
	EXPECT_EQ(0ULL, vb_counter(self->m.backend, VHOST_BALLOON_C_DISCARD_OPS));
	vb_vcpu_destroy(&vcpu);
	vb_vm_close(&vm);
}

TEST_F(device, physical_addresses_are_left_alone)
{
	const off_t bios = 0xf0000;
	int fd = open("/dev/mem", O_RDWR | O_CLOEXEC);
	void *hva;

	if (fd < 0)
		SKIP(return, "/dev/mem: %s", strerror(errno));
	hva = mmap(NULL, VB_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, bios);
	if (hva == MAP_FAILED)
		SKIP(return, "/dev/mem: %s", strerror(errno));
	ASSERT_EQ(0, inflate_at(&self->m, hva));
	EXPECT_EQ(1ULL, vb_counter(self->m.backend, VHOST_BALLOON_C_SKIP_PFNMAP));
	EXPECT_EQ(0ULL, vb_counter(self->m.backend, VHOST_BALLOON_C_DISCARD_OPS));
	munmap(hva, VB_PAGE);
	close(fd);
}

TEST_F(device, kernel_addresses_are_nobodys)
{
	struct vb_memory memory = {
		.gpa = GPA, .len = VB_PAGE, .hva = (void *)0xffff888000000000UL,
	};

	EXPECT_EQ(-EFAULT, vb_machine_add(&self->m, &memory, 0));
}

TEST_F(device, the_gap_below_the_first_mapping_is_unmapped)
{
	ASSERT_EQ(0, inflate_at(&self->m, NULL));
	EXPECT_EQ(1ULL, vb_counter(self->m.backend, VHOST_BALLOON_C_SKIP_UNMAPPED));
}

TEST_HARNESS_MAIN
