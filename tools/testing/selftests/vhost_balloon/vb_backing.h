/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Kinds of memory that a VMM may give its guest, and what is to become of them
 * when the guest gives pages away.
 *
 * Functions return 0 (or what their comment says) or a negative errno.
 */
#ifndef VB_BACKING_H
#define VB_BACKING_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "vb_machine.h"

#define VB_HUGE_PAGES	512U
#define VB_HUGE		(VB_HUGE_PAGES * VB_PAGE)

struct vb_backing;

/**
 * struct vb_backing_type - a kind of memory
 * @map: maps it, filled by vb_backing_fill() (at any time from the mapping on);
 *	sets @why and returns an errno where this kernel or machine has no such memory
 * @pages: how many of them
 * @unit: pages that go together or not at all
 * @counter: what counts its pages when they are given away
 * @gone: they are discarded; otherwise they are to be left alone
 * @shared: it is a shared mapping
 * @is_file: what comes back is what the file says, not zeroes
 * @kind: enum vhost_balloon_backing, as it is reported
 * @tunables: to be switched on
 * @slot_flags: KVM_MEM_* of its slot, which is possible with memslots only
 * @no_slot: the guest isn't told of it
 */
struct vb_backing_type {
	int (*map)(struct vb_backing *b);
	unsigned int pages;
	unsigned int unit;
	enum vhost_balloon_counter counter;
	bool gone;
	bool shared;
	bool is_file;
	__u32 kind;
	__u64 tunables;
	__u32 slot_flags;
	bool no_slot;
};

/**
 * struct vb_backing - memory of some kind
 * @type: which
 * @mem: where
 * @fd: its file, or -1
 * @extra: another file that belongs to it, or -1
 * @why: why it can't be had
 */
struct vb_backing {
	const struct vb_backing_type *type;
	struct vb_memory mem;
	int fd;
	int extra;
	const char *why;
};

/* Maps memory for use at @gpa, and fills it. */
int vb_backing_open(struct vb_backing *b, const struct vb_backing_type *type, __u64 gpa);
void vb_backing_close(struct vb_backing *b);
/* Every page gets a pattern of its own. */
void vb_backing_fill(struct vb_backing *b);

/* What a page holds after vb_backing_open(), and when it was discarded and read again. */
bool vb_backing_intact(const struct vb_backing *b, unsigned int page);
bool vb_backing_fresh(const struct vb_backing *b, unsigned int page);
/* Whether there is memory behind a page: 0 or 1. */
int vb_backing_resident(const struct vb_backing *b, unsigned int page);
/* Whether a page is in our page table, or was and is swapped out: 0 or 1. */
int vb_backing_mapped(const struct vb_backing *b, unsigned int page);
/*
 * Pages that aren't what they have to be: those of @given are gone where such memory can
 * go, and nothing has happened to all others. Looks at what is there first of all: to read a
 * page that is gone brings it back.
 */
unsigned int vb_backing_wrong(const struct vb_backing *b, const bool *given);
/* Pages that the file holds on to, or -1 if there is none to ask. */
long vb_backing_file_pages(const struct vb_backing *b);

extern const struct vb_backing_type vb_backing_anon;
extern const struct vb_backing_type vb_backing_thp;
extern const struct vb_backing_type vb_backing_zero_private;
extern const struct vb_backing_type vb_backing_memfd;
extern const struct vb_backing_type vb_backing_memfd_offset;
extern const struct vb_backing_type vb_backing_memfd_size_sealed;
extern const struct vb_backing_type vb_backing_tmpfs;
extern const struct vb_backing_type vb_backing_shared_anon;
extern const struct vb_backing_type vb_backing_zero_shared;
extern const struct vb_backing_type vb_backing_private_file;
extern const struct vb_backing_type vb_backing_private_file_read_only;
extern const struct vb_backing_type vb_backing_private_write_sealed;

/* In vb_hugetlb.c, three huge pages each. */
extern const struct vb_backing_type vb_backing_hugetlb_shared;
extern const struct vb_backing_type vb_backing_hugetlb_private;
extern const struct vb_backing_type vb_backing_hugetlb_shared_off;
extern const struct vb_backing_type vb_backing_hugetlb_private_off;

extern const struct vb_backing_type vb_backing_locked;
extern const struct vb_backing_type vb_backing_locked_memfd;
extern const struct vb_backing_type vb_backing_prot_read_anon;
extern const struct vb_backing_type vb_backing_prot_read_memfd;
extern const struct vb_backing_type vb_backing_memfd_opened_read_only;
extern const struct vb_backing_type vb_backing_future_write_sealed;
extern const struct vb_backing_type vb_backing_write_sealed;
extern const struct vb_backing_type vb_backing_uffd_missing;
extern const struct vb_backing_type vb_backing_uffd_wp;
extern const struct vb_backing_type vb_backing_uffd_memfd;
extern const struct vb_backing_type vb_backing_mseal;
extern const struct vb_backing_type vb_backing_secretmem;
extern const struct vb_backing_type vb_backing_other_fs;
extern const struct vb_backing_type vb_backing_read_only_slot;
extern const struct vb_backing_type vb_backing_no_slot;

#endif /* VB_BACKING_H */
