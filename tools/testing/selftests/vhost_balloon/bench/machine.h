/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A VM of one vCPU with memory to give away, and a native balloon.
 *
 * Functions return 0 or a negative errno.
 */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

#include <stdbool.h>
#include <linux/types.h>

#include "../vb_backend.h"
#include "../vb_kvm.h"
#include "../vb_memory.h"
#include "guest32.h"

#define HUGE_LEN	(2UL << 20)

enum backing {
	BACKING_ANON,		/* pages of 4 KiB */
	BACKING_THP,		/* anonymous, transparent huge pages */
	BACKING_MEMFD,		/* pages of 4 KiB */
	BACKING_HUGETLB,	/* a memfd of huge pages of 2 MiB */
};

/**
 * struct machine - the VM
 * @vm: the VM
 * @vcpu: its vCPU
 * @ram: where the guest is
 * @data: what it gives away
 * @fd: the file of @data, or -1
 * @backing: kind of @data
 * @block: orders for the guest
 * @backend: file descriptor of the balloon
 * @inflate: its queue
 */
struct machine {
	struct vb_vm vm;
	struct vb_vcpu vcpu;
	struct vb_memory ram;
	struct vb_memory data;
	int fd;
	enum backing backing;
	struct block *block;
	int backend;
	struct vb_queue inflate;
};

/* The balloon is tuned so; @len bytes to give away. */
int machine_open(struct machine *m, enum backing kind, __u64 len, __u64 tunables,
		 __u64 values);
/* The guest writes to each page that it can give away. */
int machine_touch(struct machine *m);
/* Writes down the requests: page numbers, counted from the first one that there is. */
void machine_list(struct machine *m, const __u32 *pages, unsigned int nr);
/* The guest sends so many requests of so many pages each, waiting for each of them. */
int machine_send(struct machine *m, unsigned int requests, unsigned int pages);

#endif /* BENCH_MACHINE_H */
