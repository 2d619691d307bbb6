/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A KVM VM for the tests: memory slots, a vCPU in real mode, an eventfd for
 * the guest's kick (ioeventfd) and one for its interrupt (irqfd).
 *
 * Functions return 0 (or what their comment says) or a negative errno.
 */
#ifndef VB_KVM_H
#define VB_KVM_H

#include <linux/kvm.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

struct vb_vm {
	int kvm;
	int fd;
};

/* Why there is no KVM to test with, or NULL if there is one. */
const char *vb_kvm_missing(void);

int vb_vm_open(struct vb_vm *vm);
void vb_vm_close(struct vb_vm *vm);
/* What KVM_CHECK_EXTENSION says: a number. */
int vb_vm_capability(struct vb_vm *vm, int capability);

/*
 * Adds a slot, or moves it, or changes its flags, if there is one of this id;
 * @slot holds the address space in its upper 16 bits.
 */
int vb_vm_set_slot(struct vb_vm *vm, __u32 slot, __u32 flags, __u64 gpa, __u64 len, void *hva);
int vb_vm_delete_slot(struct vb_vm *vm, __u32 slot);

/* PIC, IOAPIC and local APICs in the kernel; the TSS where Intel wants one. */
#define VB_KVM_TSS_GPA	0xfffbd000ULL
#define VB_KVM_APIC_GPA	0xfee00000ULL
int vb_vm_create_irqchip(struct vb_vm *vm);

/* An interrupt of the guest on line @gsi whenever @eventfd is signalled. */
int vb_vm_irqfd(struct vb_vm *vm, int eventfd, __u32 gsi);

enum vb_kick_by {
	VB_KICK_BY_PIO,
	VB_KICK_BY_MMIO,
};

/* @eventfd is signalled whenever the guest writes two bytes to @addr. */
int vb_vm_ioeventfd(struct vb_vm *vm, int eventfd, enum vb_kick_by by, __u64 addr);

struct vb_vcpu {
	int fd;
	struct kvm_run *run;
	size_t run_size;
};

int vb_vcpu_create(struct vb_vm *vm, struct vb_vcpu *vcpu);
/* The same for one of several: @id from 0 on. */
int vb_vcpu_create_id(struct vb_vm *vm, struct vb_vcpu *vcpu, unsigned int id);
void vb_vcpu_destroy(struct vb_vcpu *vcpu);

/* Real mode, all segments at 0, interrupts off, about to run what is at @ip. */
int vb_vcpu_real_mode(struct vb_vcpu *vcpu, __u16 ip, __u16 sp);

/* Runs until the guest leaves to userspace: the exit reason. */
int vb_vcpu_run(struct vb_vcpu *vcpu);

#endif /* VB_KVM_H */
