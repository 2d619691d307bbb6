/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A backend with its queues, whose guest memory is known either by a table or
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
 * @features: negotiated
 * @inflate: the queue
 * @deflate: the queue
 * @optional: the queues from index 2 on, once vb_machine_add_queue() made them
 */
struct vb_machine {
	bool kvm;
	struct vb_vm vm;
	int backend;
	struct vb_memory slots[VB_MACHINE_SLOTS];
	__u32 flags[VB_MACHINE_SLOTS];
	unsigned int nr_slots;
	struct vb_memory buf;
	__u64 features;
	struct vb_queue inflate;
	struct vb_queue deflate;
	struct vb_queue optional[VB_NR_QUEUES - 2];
};

/* Backend, owner, features, memory for buffers, queues of @num entries; not running. */
int vb_machine_open(struct vb_machine *m, bool kvm, __u64 features, unsigned int num);
void vb_machine_close(struct vb_machine *m);
/* Sets up another queue, of any index. */
int vb_machine_add_queue(struct vb_machine *m, unsigned int index, unsigned int num);
struct vb_queue *vb_machine_queue(struct vb_machine *m, unsigned int index);
/* The driver is gone, and a new one has come: all is set up anew, and doesn't run. */
int vb_machine_reload(struct vb_machine *m, __u64 features);
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
