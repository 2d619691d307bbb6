/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A VMM whose calls meet faults, one after the other: either a call fails and says so, and hasn't
 * changed anything; or it has done all of what it does.
 *
 * Functions return 0 (or what their comment says) or a negative errno.
 */
#ifndef VB_FAIL_VMM_H
#define VB_FAIL_VMM_H

#include "vb_fail.h"
#include "vb_hint.h"

#define VB_FAIL_FEATURES	(VB_HINT_FEATURES | VB_FEATURE(VHOST_F_LOG_ALL) | \
				 VB_FEATURE(VIRTIO_BALLOON_F_STATS_VQ) | \
				 VB_FEATURE(VIRTIO_BALLOON_F_REPORTING))
#define VB_FAIL_NUM		16

/**
 * struct vb_fail_vmm - who makes the calls
 * @m: a machine with all queues of VB_FAIL_NUM entries, not running
 * @vm: a VM with the same memory, not bound, if there is one
 * @ram: some memory of it, at VB_HINT_GPA
 * @control: a control file for it
 * @fd: the file for control ioctls: the backend's or @control
 * @event: an eventfd that the backend doesn't know
 * @made: what the call has opened, or is done to
 * @fail: to have something fail
 * @rest: to have all allocations fail that come after it
 */
struct vb_fail_vmm {
	struct vb_machine m;
	struct vb_vm vm;
	struct vb_memory ram;
	int control;
	int fd;
	int event;
	int made;
	int fail;
	int rest;
};

/**
 * struct vb_fail_call - a call
 * @prepare: what is to be done first, once
 * @call: the call: a negative errno if it fails
 * @undo: takes it back, so that all is as it was; NULL: it changes nothing
 * @look: what there is to see of it that isn't seen by controllers and kicks: a number, or a
 *	negative errno. Leaves things as they are, but for events, which it reads
 * @no_fault: there is nothing in it that can fail
 * @answer_lost: EFAULT may say that it was done, and only the answer got lost
 */
struct vb_fail_call {
	int (*prepare)(struct vb_fail_vmm *v);
	int (*call)(struct vb_fail_vmm *v);
	int (*undo)(struct vb_fail_vmm *v);
	long (*look)(struct vb_fail_vmm *v);
	bool no_fault;
	bool answer_lost;
};

/**
 * struct vb_fail_result - what came of it
 * @wrong: what is wrong, or NULL
 * @faults: how many there were, or which one it was; some may have been left out (vb_fail_next())
 * @failed: how many of them made the call fail
 * @ret: what the call said last
 */
struct vb_fail_result {
	const char *wrong;
	unsigned int faults;
	unsigned int failed;
	int ret;
};

int vb_fail_vmm_open(struct vb_fail_vmm *v, bool kvm);
void vb_fail_vmm_close(struct vb_fail_vmm *v);
/*
 * Makes a call again and again, each time with the next fault, until there is none any more.
 * @and_rest: after a fault there is no memory for anything.
 */
struct vb_fail_result vb_fail_in_turn(struct vb_fail_vmm *v, const struct vb_fail_call *call,
				      bool and_rest);

/* For calls that open something: keeps it; and the undo for that. */
int vb_fail_keep(struct vb_fail_vmm *v, int fd);
int vb_fail_close_made(struct vb_fail_vmm *v);

#endif /* VB_FAIL_VMM_H */
