// SPDX-License-Identifier: GPL-2.0
/*
 * A VM of one vCPU that runs the guest of guest32.c. It is never taken apart: its
 * program ends.
 */
#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <linux/virtio_balloon.h>
#include <sys/mman.h>
#include <unistd.h>

#include "machine.h"

/* Descriptors of segments: all of the address space, code or data. */
#define GDT_CODE	0x00cf9b000000ffffULL
#define GDT_DATA	0x00cf93000000ffffULL
/* A gate to an interrupt handler: present, 32 bits. */
#define GATE(selector, addr)	((__u64)(addr) | (__u64)(selector) << 16 | 0x8e00ULL << 32)

#define TYPE_CODE	11
#define TYPE_DATA	3
#define CR0_PE		1

static int open_file(struct machine *m, __u64 len)
{
	unsigned int flags = MFD_CLOEXEC;

	if (m->backing == BACKING_HUGETLB)
		flags |= MFD_HUGETLB;
	m->fd = memfd_create("bench", flags);
	if (m->fd < 0 || ftruncate(m->fd, len))
		return -errno;
	return 0;
}

/* Maps what is given away, aligned to huge pages. */
static int map_data(struct machine *m, __u64 len)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	uintptr_t room;
	void *hva;
	int ret;

	if (m->backing == BACKING_MEMFD || m->backing == BACKING_HUGETLB) {
		flags = MAP_SHARED;
		ret = open_file(m, len);
		if (ret)
			return ret;
	}
	hva = mmap(NULL, len + HUGE_LEN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (hva == MAP_FAILED)
		return -errno;
	room = ((uintptr_t)hva + HUGE_LEN - 1) & ~(HUGE_LEN - 1);
	hva = mmap((void *)room, len, PROT_READ | PROT_WRITE, flags | MAP_FIXED, m->fd, 0);
	if (hva == MAP_FAILED)
		return -errno;
	if (m->backing == BACKING_THP && madvise(hva, len, MADV_HUGEPAGE))
		return -errno;
	/* Where the kernel has no huge pages at all, none are in the way. */
	if (m->backing == BACKING_ANON)
		madvise(hva, len, MADV_NOHUGEPAGE);
	m->data.gpa = DATA_GPA;
	m->data.len = len;
	m->data.hva = hva;
	return 0;
}

static struct kvm_segment segment(__u16 selector, __u8 type)
{
	return (struct kvm_segment) {
		.limit = 0xffffffff,
		.selector = selector,
		.type = type,
		.present = 1,
		.db = 1,
		.s = 1,
		.g = 1,
	};
}

/* Protected mode, without paging: all addresses are physical ones. */
static int protected_mode(struct vb_vcpu *vcpu)
{
	struct kvm_regs regs = {
		.rip = CODE,
		.rsp = STACK_TOP,
		.rflags = 2, /* the bit that is always set */
	};
	struct kvm_sregs sregs;
	int ret;

	ret = vb_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs);
	if (ret)
		return ret;
	sregs.cs = segment(CODE_SELECTOR, TYPE_CODE);
	sregs.ds = segment(DATA_SELECTOR, TYPE_DATA);
	sregs.es = sregs.ds;
	sregs.fs = sregs.ds;
	sregs.gs = sregs.ds;
	sregs.ss = sregs.ds;
	sregs.cr0 |= CR0_PE;
	sregs.gdt.base = GDT;
	sregs.gdt.limit = 3 * sizeof(__u64) - 1;
	sregs.idt.base = IDT;
	sregs.idt.limit = (VECTOR_BASE + IRQ + 1) * sizeof(__u64) - 1;
	ret = vb_ioctl(vcpu->fd, KVM_SET_SREGS, &sregs);
	if (ret)
		return ret;
	return vb_ioctl(vcpu->fd, KVM_SET_REGS, &regs);
}

static void load_guest(struct machine *m)
{
	__le64 *gdt = m->ram.hva + GDT;
	__le64 *idt = m->ram.hva + IDT;

	memcpy(m->ram.hva + CODE, guest32_code, guest32_end - guest32_code);
	gdt[CODE_SELECTOR / sizeof(*gdt)] = htole64(GDT_CODE);
	gdt[DATA_SELECTOR / sizeof(*gdt)] = htole64(GDT_DATA);
	idt[VECTOR_BASE + IRQ] = htole64(GATE(CODE_SELECTOR,
					      CODE + (guest32_isr - guest32_code)));
	m->block = m->ram.hva + BLOCK;
}

static int open_vm(struct machine *m)
{
	int ret = vb_vm_open(&m->vm);

	if (!ret)
		ret = vb_vm_create_irqchip(&m->vm);
	if (!ret)
		ret = vb_vcpu_create(&m->vm, &m->vcpu);
	if (!ret)
		ret = protected_mode(&m->vcpu);
	if (!ret)
		ret = vb_vm_set_slot(&m->vm, 0, 0, 0, RAM_LEN, m->ram.hva);
	if (!ret)
		ret = vb_vm_set_slot(&m->vm, 1, 0, m->data.gpa, m->data.len, m->data.hva);
	return ret;
}

static int open_balloon(struct machine *m, __u64 tunables, __u64 values)
{
	const __u64 features = VB_FEATURE(VIRTIO_F_VERSION_1) |
			       VB_FEATURE(VIRTIO_RING_F_EVENT_IDX) |
			       VB_FEATURE(VIRTIO_BALLOON_F_MUST_TELL_HOST);
	int ret;

	m->backend = vb_open_owned();
	if (m->backend < 0)
		return m->backend;
	ret = vb_set_tunables(m->backend, tunables, values);
	if (!ret)
		ret = vb_set_features(m->backend, features);
	if (!ret)
		ret = vb_set_vm(m->backend, m->vm.fd);
	if (!ret)
		ret = vb_queue_init(&m->inflate, m->backend, VB_INFLATE, RING_NUM,
				    m->ram.hva + RING);
	if (!ret)
		ret = vb_vm_ioeventfd(&m->vm, m->inflate.kick, VB_KICK_BY_PIO, KICK_PORT);
	if (!ret)
		ret = vb_vm_irqfd(&m->vm, m->inflate.call, IRQ);
	if (!ret)
		ret = vb_set_running(m->backend, true);
	return ret;
}

int machine_open(struct machine *m, enum backing kind, __u64 len, __u64 tunables,
		 __u64 values)
{
	int ret;

	memset(m, 0, sizeof(*m));
	m->backing = kind;
	m->fd = -1;
	ret = vb_memory_map(&m->ram, VB_MEMORY_ANON, 0, RAM_LEN);
	if (!ret)
		ret = map_data(m, len);
	if (!ret)
		ret = open_vm(m);
	if (ret)
		return ret;
	load_guest(m);
	return open_balloon(m, tunables, values);
}

/* Lets the guest go on until it has done what the block says. */
static int run(struct machine *m)
{
	int ret = vb_vcpu_run(&m->vcpu);

	if (ret < 0)
		return ret;
	if (ret != KVM_EXIT_IO || m->vcpu.run->io.port != DONE_PORT)
		return -EPROTO;
	return 0;
}

int machine_touch(struct machine *m)
{
	m->block->touch = 1;
	m->block->first = m->data.gpa;
	m->block->nr = m->data.len / VB_PAGE;
	return run(m);
}

void machine_list(struct machine *m, const __u32 *pages, unsigned int nr)
{
	__le32 *list = m->ram.hva + LIST;
	unsigned int i;

	for (i = 0; i < nr; i++)
		list[i] = htole32(vb_memory_gfn(&m->data, pages[i]));
}

int machine_send(struct machine *m, unsigned int requests, unsigned int pages)
{
	m->block->touch = 0;
	m->block->nr = requests;
	m->block->bytes = pages * sizeof(__le32);
	return run(m);
}
