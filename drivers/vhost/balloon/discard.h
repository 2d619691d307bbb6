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
struct vb_pagebits;
struct vb_thp;
struct vm_area_struct;

/**
 * struct vb_discard - what a discard needs to know, and holds on to
 * @memory: whose memory
 * @counters: where to count
 * @hugetlb: give back whole huge pages of hugetlbfs
 * @poison: PAGE_POISON was negotiated: private file mappings, which would revert
 *	to the file's content, are left alone
 * @poison_val: what the guest fills free pages with
 * @inhibit: the balloon's VHOST_BALLOON_INHIBIT_*; nothing is discarded unless it is 0
 * @thp: transparent huge pages that are in the balloon in part; NULL to zap what is named
 * @gather: the pages in the balloon, if huge pages are gathered from their parts; or NULL
 * @bytes: discarded since somebody set this to 0, for tracing
 * @slot: what the page being dealt with lies in
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
	u32 poison_val;
	const u32 *inhibit;
	struct vb_thp *thp;
	struct vb_pagebits *gather;
	u64 bytes;
	struct vhost_balloon_slot slot;
	struct mm_struct *mm;
	struct vm_area_struct *vma;
	struct file *file;
	bool inode_busy;
};

int vb_discard_step(struct vb_discard *d, struct vb_cursor *c);
void vb_discard_skip(struct vb_discard *d, struct vb_cursor *c, enum vhost_balloon_counter why);
void vb_discard_finish(struct vb_discard *d);
int vb_discard_wait(struct vb_discard *d);
u32 vb_discard_backing_at(struct mm_struct *mm, unsigned long hva);

#endif /* _VHOST_BALLOON_DISCARD_H */
