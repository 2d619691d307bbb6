/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory of huge pages that were reserved (hugetlb), the pools they come from, and
 * guests that give them away part by part.
 *
 * Functions return 0 (or what their comment says) or a negative errno.
 */
#ifndef VB_HUGETLB_H
#define VB_HUGETLB_H

#include <linux/types.h>

#include "vb_backing.h"

#define VB_GIGANTIC_PAGES	(512U * VB_HUGE_PAGES)
#define VB_GIGANTIC		(VB_GIGANTIC_PAGES * VB_PAGE)

/* One huge page of 1 GiB. */
extern const struct vb_backing_type vb_backing_gigantic_shared;
extern const struct vb_backing_type vb_backing_gigantic_private;

/* Huge pages of @size bytes: how many there are, and how many of them nobody has. */
long vb_hugetlb_total(unsigned long size);
long vb_hugetlb_free(unsigned long size);
/* Has the pool hold @nr pages; -ENOMEM if it then doesn't. */
int vb_hugetlb_resize(unsigned long size, long nr);
/* Takes all huge pages of 2 MiB that are free, and not reserved for somebody. */
int vb_hugetlb_take_all(struct vb_memory *taken);

/* Huge pages of 2 MiB of a backing, the first one is bit 0: those that aren't there... */
unsigned int vb_hugetlb_gone(const struct vb_backing *b);
/* ...and those that are, and hold what they were filled with. */
unsigned int vb_hugetlb_intact(const struct vb_backing *b);

/* No part: all parts are meant. */
#define VB_HUGE_ALL		VB_HUGE_PAGES

/*
 * Gives away the huge page of 2 MiB at guest address @gpa, all parts but @but, in
 * requests of @each parts: i is followed by i + @stride (an odd number, so that it comes
 * to all of them).
 */
int vb_hugetlb_inflate(struct vb_machine *m, __u64 gpa, unsigned int but, unsigned int stride,
		       unsigned int each);
/* The same in no order, over a number of requests that is neither few nor many. */
int vb_hugetlb_inflate_but(struct vb_machine *m, __u64 gpa, unsigned int but);

/* The guest address of a part of the memory's huge page. */
static inline __u64 vb_hugetlb_gpa(const struct vb_backing *b, unsigned int huge,
				   unsigned int part)
{
	return b->mem.gpa + huge * VB_HUGE + part * VB_PAGE;
}

#endif /* VB_HUGETLB_H */
