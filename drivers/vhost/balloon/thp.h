/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Transparent huge pages that are in the balloon in part.
 *
 * A guest gives a huge page away in several requests. Were the first part zapped at once, KVM
 * would let go of its mapping of the whole, the guest would fault in what it still uses
 * of it 4 KiB at a time, and the host would get the huge page back in pieces. So the parts are kept in
 * mind for a moment: mostly the others follow.
 *
 * A part that was acknowledged may be the guest's again without our knowing, unless
 * MUST_TELL_HOST was negotiated. Hence only then. What is kept in mind is about guest addresses: should
 * the VMM put other memory there, it's that which is in the balloon.
 */
#ifndef _VHOST_BALLOON_THP_H
#define _VHOST_BALLOON_THP_H

#include <linux/bitmap.h>
#include <linux/mm.h>

#include "range.h"

/** VB_THP_PAGES - pages of 4 KiB that a huge page has */
#define VB_THP_PAGES	(PMD_SIZE / PAGE_SIZE)

/** VB_THP_MAX - huge pages that are kept in mind at a time; parts of more are zapped at once */
#define VB_THP_MAX	16

/**
 * struct vb_thp_part - a huge page that is in the balloon in part
 * @gfn: its first guest frame number, a multiple of VB_THP_PAGES
 * @idle: no part has come since somebody looked
 * @pages: which of its pages are in the balloon
 */
struct vb_thp_part {
	u64 gfn;
	bool idle;
	DECLARE_BITMAP(pages, VB_THP_PAGES);
};

/**
 * struct vb_thp - the huge pages of a balloon that are in it in part
 *
 * Protected by the memory mutex. @nr is read without by who would only take pages out, so when the mutex
 * is released it must not have fallen but for what is either discarded or can't be any more: the guest is
 * told that pages are its own again in a section, which comes later.
 *
 * @wanted: parts may be kept in mind
 * @kept: called when one more is kept in mind, under the memory mutex: must not sleep
 * @nr: entries of @part in use
 * @part: the huge pages, in no order
 */
struct vb_thp {
	bool wanted;
	void (*kept)(struct vb_thp *t);
	unsigned int nr;
	struct vb_thp_part part[VB_THP_MAX];
};

/**
 * enum vb_thp_result - what became of a part
 * @VB_THP_FULL: all of its huge page is in the balloon, and none of it is kept in mind any more
 * @VB_THP_KEPT: it is kept in mind
 * @VB_THP_NO_ROOM: it isn't
 */
enum vb_thp_result {
	VB_THP_FULL,
	VB_THP_KEPT,
	VB_THP_NO_ROOM,
};

enum vb_thp_result vb_thp_add(struct vb_thp *t, u64 gfn, u64 nr);
void vb_thp_remove(struct vb_thp *t, u64 gfn, u64 nr);
void vb_thp_clear(struct vb_thp *t);
struct vb_thp_part *vb_thp_next(struct vb_thp *t, bool all, struct vb_ranges *rs);
void vb_thp_drop(struct vb_thp *t, struct vb_thp_part *p);
void vb_thp_age(struct vb_thp *t);

#endif /* _VHOST_BALLOON_THP_H */
