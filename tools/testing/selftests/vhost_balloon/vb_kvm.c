// SPDX-License-Identifier: GPL-2.0
/*
 * A KVM VM for the tests.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vb_backend.h"
#include "vb_kvm.h"

/* For requests whose argument is a number, or none. */
static int ioctl_number(int fd, unsigned long request, unsigned long arg)
{
	return vb_ioctl(fd, request, (void *)arg);
}

const char *vb_kvm_missing(void)
{
	struct vb_vm vm;

	if (access("/dev/kvm", R_OK | W_OK))
		return "no access to /dev/kvm";
	if (vb_vm_open(&vm))
		return "/dev/kvm makes no VM";
	vb_vm_close(&vm);
	return NULL;
}

int vb_vm_open(struct vb_vm *vm)
{
	int ret;

	vm->fd = -1;
	vm->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm < 0)
		return -errno;
	ret = ioctl_number(vm->kvm, KVM_CREATE_VM, 0);
	if (ret < 0) {
		vb_vm_close(vm);
		return ret;
	}
	vm->fd = ret;
	return 0;
}

void vb_vm_close(struct vb_vm *vm)
{
	if (vm->fd >= 0)
		close(vm->fd);
	if (vm->kvm >= 0)
		close(vm->kvm);
	vm->fd = -1;
	vm->kvm = -1;
}

int vb_vm_capability(struct vb_vm *vm, int capability)
{
	return ioctl_number(vm->fd, KVM_CHECK_EXTENSION, capability);
}

int vb_vm_set_slot(struct vb_vm *vm, __u32 slot, __u32 flags, __u64 gpa, __u64 len, void *hva)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = len,
		.userspace_addr = (unsigned long)hva,
	};

	return vb_ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region);
}

int vb_vm_delete_slot(struct vb_vm *vm, __u32 slot)
{
	return vb_vm_set_slot(vm, slot, 0, 0, 0, NULL);
}

int vb_vm_create_irqchip(struct vb_vm *vm)
{
	/* Before any vCPU, and out of the way of the tests' memory. */
	int ret = ioctl_number(vm->fd, KVM_SET_TSS_ADDR, VB_KVM_TSS_GPA);

	if (ret)
		return ret;
	return ioctl_number(vm->fd, KVM_CREATE_IRQCHIP, 0);
}

int vb_vm_irqfd(struct vb_vm *vm, int eventfd, __u32 gsi)
{
	struct kvm_irqfd irqfd = {
		.fd = eventfd,
		.gsi = gsi,
	};

	return vb_ioctl(vm->fd, KVM_IRQFD, &irqfd);
}

int vb_vm_ioeventfd(struct vb_vm *vm, int eventfd, enum vb_kick_by by, __u64 addr)
{
	struct kvm_ioeventfd ioeventfd = {
		.addr = addr,
		.len = 2,
		.fd = eventfd,
		.flags = by == VB_KICK_BY_PIO ? KVM_IOEVENTFD_FLAG_PIO : 0,
	};

	return vb_ioctl(vm->fd, KVM_IOEVENTFD, &ioeventfd);
}

int vb_vcpu_create(struct vb_vm *vm, struct vb_vcpu *vcpu)
{
	return vb_vcpu_create_id(vm, vcpu, 0);
}

int vb_vcpu_create_id(struct vb_vm *vm, struct vb_vcpu *vcpu, unsigned int id)
{
	int size = ioctl_number(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	vcpu->fd = -1;
	if (size < 0)
		return size;
	vcpu->fd = ioctl_number(vm->fd, KVM_CREATE_VCPU, id);
	if (vcpu->fd < 0)
		return vcpu->fd;
	vcpu->run_size = size;
	vcpu->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED) {
		int ret = -errno;

		close(vcpu->fd);
		vcpu->fd = -1;
		return ret;
	}
	return 0;
}

void vb_vcpu_destroy(struct vb_vcpu *vcpu)
{
	if (vcpu->fd < 0)
		return;
	munmap(vcpu->run, vcpu->run_size);
	close(vcpu->fd);
	vcpu->fd = -1;
}

static void segment_at_0(struct kvm_segment *segment)
{
	segment->base = 0;
	segment->selector = 0;
}

int vb_vcpu_real_mode(struct vb_vcpu *vcpu, __u16 ip, __u16 sp)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs = {
		.rip = ip,
		.rsp = sp,
		.rflags = 2, /* the bit that is always set */
	};
	int ret;

	/* A vCPU begins in real mode: only its segments have to be moved. */
	ret = vb_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs);
	if (ret)
		return ret;
	segment_at_0(&sregs.cs);
	segment_at_0(&sregs.ds);
	segment_at_0(&sregs.es);
	segment_at_0(&sregs.fs);
	segment_at_0(&sregs.gs);
	segment_at_0(&sregs.ss);
	ret = vb_ioctl(vcpu->fd, KVM_SET_SREGS, &sregs);
	if (ret)
		return ret;
	return vb_ioctl(vcpu->fd, KVM_SET_REGS, &regs);
}

int vb_vcpu_run(struct vb_vcpu *vcpu)
{
	int ret;

	do {
		ret = ioctl_number(vcpu->fd, KVM_RUN, 0);
	} while (ret == -EINTR);
	return ret ? ret : (int)vcpu->run->exit_reason;
}
