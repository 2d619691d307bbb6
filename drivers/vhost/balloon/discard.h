/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Gives ranges of a VM's memory back to the host.
 */
#ifndef _VHOST_BALLOON_DISCARD_H
#define _VHOST_BALLOON_DISCARD_H

#include <linux/types.h>

#include "counters.h"
#include "memory.h"
#include "range.h"

struct file;
struct vm_area_struct;

/**
 * struct vb_discard - what a discard needs to know, and holds on to
 * @memory: whose memory
 * @counters: where to count
 * @hugetlb: give back whole huge pages of hugetlbfs
 * @poison: PAGE_POISON was negotiated: private file mappings, which would revert
 *	to the file's content, are left alone
 * @mm: the mm whose mmap lock is held for reading; NULL while it isn't
 * @vma: the area found last; valid while the lock is held
 * @file: the file that this step punches holes into, referenced
 * @inode_busy: the step ended because @file's inode lock was held
 */
struct vb_discard {
	struct vb_memory *memory;
	struct vb_counters *counters;
	bool hugetlb;
	bool poison;
	struct mm_struct *mm;
	struct vm_area_struct *vma;
	struct file *file;
	bool inode_busy;
};

/**
 * struct vb_discard_cursor - how far a batch was gone through
 * @ranges: the batch, sorted and merged
 * @index: range to go on with
 * @done: pages of it that were dealt with
 */
struct vb_discard_cursor {
	struct vb_ranges *ranges;
	unsigned int index;
	u64 done;
};

int vb_discard_step(struct vb_discard *d, struct vb_discard_cursor *c);
void vb_discard_finish(struct vb_discard *d);
int vb_discard_wait(struct vb_discard *d);
u32 vb_discard_backing_at(struct mm_struct *mm, unsigned long hva);

#endif /* _VHOST_BALLOON_DISCARD_H */
