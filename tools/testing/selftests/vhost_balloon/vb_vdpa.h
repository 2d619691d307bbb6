/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A balloon on the vDPA bus, and a VMM for it: what tests need to drive
 * /dev/vhost-vdpa-N themselves.
 *
 * Functions return 0 (or what their comment says) or a negative errno; they
 * print nothing and assert nothing, so that a test may expect the error.
 */
#ifndef VB_VDPA_H
#define VB_VDPA_H

#include <linux/types.h>
#include <linux/vhost.h>

#include "vb_backend.h"

/* As kselftest.h has it. */
#ifndef __printf
#define __printf(a, b)	__attribute((format(printf, a, b)))
#endif

/* What the headers of older systems lack. */
#ifndef VHOST_VDPA_RESUME
#define VHOST_VDPA_RESUME		_IO(VHOST_VIRTIO, 0x7E)
#endif
#ifndef VHOST_BACKEND_F_RESUME
#define VHOST_BACKEND_F_RESUME		0x5
#endif
#ifndef VHOST_BACKEND_F_IOTLB_PERSIST
#define VHOST_BACKEND_F_IOTLB_PERSIST	0x8
#endif

/** VB_VDPA_GPA - guest memory for rings and buffers, never given away */
#define VB_VDPA_GPA	0x40000000ULL
/** VB_VDPA_RING_NUM - entries of rings */
#define VB_VDPA_RING_NUM 16

/**
 * struct vb_vdpa - a device on the vDPA bus, and the VMM that has it open
 * @name: its name
 * @path: its device node for VMMs
 * @control: a control file of the balloon
 * @fd: the VMM's file, or -1
 * @base: memory for rings and buffers
 * @buf: the part of it that is for buffers
 * @queues: those that vb_vdpa_add_queue() has set up; the others have no ring
 */
struct vb_vdpa {
	char name[VHOST_BALLOON_NAME_MAX];
	char path[64];
	int control;
	int fd;
	struct vb_memory base;
	struct vb_memory buf;
	struct vb_queue queues[VB_NR_QUEUES];
};

/* What the tool printed, as far as there is room for it. */
struct vb_vdpa_output {
	char text[4096];
};

/* Why there is no vDPA to test with, or NULL if there is. */
const char *vb_vdpa_missing(void);
/* Runs the tool "vdpa" with arguments as a shell takes them: its exit status. */
int __printf(2, 3) vb_vdpa_tool(struct vb_vdpa_output *out, const char *arguments, ...);
/* An open control file of the balloon of that name: a file descriptor; -ENOENT. */
int vb_vdpa_open_control(const char *name);

/*
 * Adds a device whose name begins with "vb-" and @what; @features: what it offers, 0 for
 * what the kernel thinks best. Nobody has it open.
 */
int vb_vdpa_add(struct vb_vdpa *d, const char *what, __u64 features);
/* Closes and removes it. */
void vb_vdpa_del(struct vb_vdpa *d);
/* Removes it, and makes it anew under the same name; who has it open is waited for. */
int vb_vdpa_remove(struct vb_vdpa *d);
int vb_vdpa_create(struct vb_vdpa *d, __u64 features);

/* The VMM opens the device; becomes its owner; closes it. */
int vb_vdpa_open(struct vb_vdpa *d);
int vb_vdpa_bind(struct vb_vdpa *d);
void vb_vdpa_close(struct vb_vdpa *d);

/* One message to the IOTLB; @perm: VHOST_ACCESS_*. */
int vb_vdpa_map(struct vb_vdpa *d, const struct vb_memory *memory, __u8 perm);
int vb_vdpa_unmap(struct vb_vdpa *d, const struct vb_memory *memory);

/* The device status, virtio's: a non-negative number. */
int vb_vdpa_status(struct vb_vdpa *d);
/* Sets bits of it, and returns what it is then. */
int vb_vdpa_add_status(struct vb_vdpa *d, __u8 bits);
int vb_vdpa_get_config(struct vb_vdpa *d, unsigned int offset, void *data, unsigned int len);
int vb_vdpa_set_config(struct vb_vdpa *d, unsigned int offset, const void *data,
		       unsigned int len);

/* What a driver does, step by step. -EPROTO if the device doesn't take the step. */
int vb_vdpa_negotiate(struct vb_vdpa *d, __u64 features);
int vb_vdpa_add_queue(struct vb_vdpa *d, unsigned int index, unsigned int num);
int vb_vdpa_start(struct vb_vdpa *d);
/* All of them, with the first @nr_queues queues. */
int vb_vdpa_set_up(struct vb_vdpa *d, __u64 features, unsigned int nr_queues);
/* Forgets the queues, too. */
int vb_vdpa_reset(struct vb_vdpa *d);
int vb_vdpa_suspend(struct vb_vdpa *d);
int vb_vdpa_resume(struct vb_vdpa *d);

/* Open, owner, memory for rings and buffers mapped, and set up. */
int vb_vdpa_run(struct vb_vdpa *d, __u64 features, unsigned int nr_queues);
/*
 * Gives @nr pages from @gpa on away in one chain of one buffer; waits until it is used.
 * Returns the used length.
 */
int vb_vdpa_inflate(struct vb_vdpa *d, __u64 gpa, unsigned int nr);

#endif /* VB_VDPA_H */
