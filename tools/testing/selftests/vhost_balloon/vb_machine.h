/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A backend with both queues, whose guest memory is known either by a table or
 * by the memslots of a KVM VM, so that one test body runs over both.
 *
 * Functions return 0 or a negative errno.
 */
#ifndef VB_MACHINE_H
#define VB_MACHINE_H

#include <stdbool.h>
#include <linux/types.h>

#include "vb_backend.h"
#include "vb_kvm.h"

/** VB_BUF_GPA - guest memory for page numbers and indirect tables, never given away */
#define VB_BUF_GPA	0x40000000ULL
#define VB_BUF_LEN	(1UL << 20)

/** VB_MACHINE_SLOTS - most pieces of memory, that for buffers included */
#define VB_MACHINE_SLOTS	16

/**
 * struct vb_machine - a small machine without a processor
 * @kvm: memory is known by memslots, not by a table
 * @vm: the VM, if so
 * @backend: file descriptor of the backend
 * @slots: the memory
 * @flags: KVM's flags for each
 * @nr_slots: how many there are
 * @buf: the first one, for buffers
 * @inflate: the queue
 * @deflate: the queue
 */
struct vb_machine {
	bool kvm;
	struct vb_vm vm;
	int backend;
	struct vb_memory slots[VB_MACHINE_SLOTS];
	__u32 flags[VB_MACHINE_SLOTS];
	unsigned int nr_slots;
	struct vb_memory buf;
	struct vb_queue inflate;
	struct vb_queue deflate;
};

/* Backend, owner, features, memory for buffers, queues of @num entries; not running. */
int vb_machine_open(struct vb_machine *m, bool kvm, __u64 features, unsigned int num);
void vb_machine_close(struct vb_machine *m);
/* Adds memory. @flags: KVM_MEM_*, with memslots only. */
int vb_machine_add(struct vb_machine *m, const struct vb_memory *memory, __u32 flags);
/* Tells the backend of all memory. */
int vb_machine_set_memory(struct vb_machine *m);
int vb_machine_start(struct vb_machine *m);
int vb_machine_stop(struct vb_machine *m);
/* Gives pages away, or takes them back, in one chain of one buffer; waits until it is used. */
int vb_machine_inflate(struct vb_machine *m, const __u32 *pages, unsigned int nr);
int vb_machine_deflate(struct vb_machine *m, const __u32 *pages, unsigned int nr);

#endif /* VB_MACHINE_H */
