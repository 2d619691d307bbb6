// SPDX-License-Identifier: GPL-2.0
/*
 * Gives ranges of a VM's memory back to the host.
 *
 * What a piece of memory is gets read off its VMA, under the mmap lock, at
 * every discard: a VMM may map something else over an address without any
 * memslot changing. Private memory is zapped there and then, as MADV_DONTNEED
 * does it. For shared memory a hole is punched into the file, with the file
 * referenced and the mmap lock dropped: the filesystem takes locks that come
 * before it. Whatever is not known to be safe is left alone and counted.
 */
#include <linux/dax.h>
#include <linux/falloc.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/userfaultfd_k.h>

#include "compat.h"
#include "discard.h"
#include "pagebits.h"
#include "thp.h"
#include "testing.h"
#include "trace.h"

/*
 * Most bytes dealt with in one section. The VMM may be waiting in a slot ioctl
 * meanwhile; zapping this much takes some milliseconds.
 */
#define VB_DISCARD_STEP		(64UL << 20)

#define VB_PAGES(bytes)		((u64)(bytes) >> VHOST_BALLOON_PAGE_SHIFT)

#define VB_NO_SKIP		(-1)

/**
 * struct vb_plan - what to do with a piece of one VMA
 * @backing: enum vhost_balloon_backing
 * @skip: why to leave it alone: an enum vhost_balloon_counter; or VB_NO_SKIP
 * @punch: punch a hole into the file, rather than zap
 * @unit: bytes that are given back whole or not at all
 */
struct vb_plan {
	u32 backing;
	int skip;
	bool punch;
	unsigned long unit;
};

static const enum vhost_balloon_counter vb_discarded_counter[] = {
	[VHOST_BALLOON_BACKING_ANON]	= VHOST_BALLOON_C_DISCARD_ANON,
	[VHOST_BALLOON_BACKING_FILE]	= VHOST_BALLOON_C_DISCARD_FILE,
	[VHOST_BALLOON_BACKING_SHMEM]	= VHOST_BALLOON_C_DISCARD_SHMEM,
	[VHOST_BALLOON_BACKING_HUGETLB]	= VHOST_BALLOON_C_DISCARD_HUGETLB,
};

static unsigned long vb_vma_magic(const struct vm_area_struct *vma)
{
	return vma->vm_file ? file_inode(vma->vm_file)->i_sb->s_magic : 0;
}

static bool vb_vma_is_regular(const struct vm_area_struct *vma)
{
	return vma->vm_file && S_ISREG(file_inode(vma->vm_file)->i_mode);
}

static u32 vb_vma_backing(struct vm_area_struct *vma)
{
	if (vma->vm_flags & (VM_PFNMAP | VM_IO))
		return VHOST_BALLOON_BACKING_OTHER;
	if (is_vm_hugetlb_page(vma))
		return VHOST_BALLOON_BACKING_HUGETLB;
	if (vma_is_anonymous(vma))
		return VHOST_BALLOON_BACKING_ANON;
	if (!vb_vma_is_regular(vma) || vma_is_dax(vma) || vb_vma_magic(vma) == SECRETMEM_MAGIC)
		return VHOST_BALLOON_BACKING_OTHER;
	if (!(vma->vm_flags & VM_MAYSHARE))
		return VHOST_BALLOON_BACKING_FILE;
	if (vb_vma_magic(vma) == TMPFS_MAGIC)
		return VHOST_BALLOON_BACKING_SHMEM;
	return VHOST_BALLOON_BACKING_OTHER;
}

/* Reasons to leave a VMA alone whatever backs it. */
static int vb_vma_skip(const struct vm_area_struct *vma)
{
	if (vma->vm_flags & VM_PFNMAP)
		return VHOST_BALLOON_C_SKIP_PFNMAP;
	if (vma->vm_flags & VM_IO)
		return VHOST_BALLOON_C_SKIP_IO;
	/* Locked, too, but that's not why. */
	if (vb_vma_magic(vma) == SECRETMEM_MAGIC)
		return VHOST_BALLOON_C_SKIP_SECRETMEM;
	if (vma->vm_flags & VM_LOCKED)
		return VHOST_BALLOON_C_SKIP_LOCKED;
	if (userfaultfd_armed((struct vm_area_struct *)vma))
		return VHOST_BALLOON_C_SKIP_USERFAULTFD;
	if (vma->vm_flags & VM_SEALED)
		return VHOST_BALLOON_C_SKIP_VM_SEALED;
	if (!(vma->vm_flags & VM_WRITE))
		return VHOST_BALLOON_C_SKIP_NO_WRITE;
	if (vma_is_dax(vma))
		return VHOST_BALLOON_C_SKIP_DAX;
	return VB_NO_SKIP;
}

/* Reasons that depend on what backs it. */
static int vb_backing_skip(const struct vb_discard *d, const struct vm_area_struct *vma,
			   u32 backing)
{
	bool shared = vma->vm_flags & VM_MAYSHARE;

	switch (backing) {
	case VHOST_BALLOON_BACKING_HUGETLB:
		if (!d->hugetlb)
			return VHOST_BALLOON_C_SKIP_HUGETLB_OFF;
		break;
	case VHOST_BALLOON_BACKING_FILE:
		if (d->poison)
			return VHOST_BALLOON_C_SKIP_POISON;
		break;
	case VHOST_BALLOON_BACKING_OTHER:
		if (vb_vma_is_regular(vma))
			return VHOST_BALLOON_C_SKIP_OTHER_FS;
		return VHOST_BALLOON_C_SKIP_DEVICE;
	default:
		break;
	}
	if (shared && !(vma->vm_file->f_mode & FMODE_WRITE))
		return VHOST_BALLOON_C_SKIP_FILE_READONLY;
	if (!shared && !VB_CAN_ZAP)
		return VHOST_BALLOON_C_SKIP_NO_ZAP;
	return VB_NO_SKIP;
}

static void vb_plan_make(const struct vb_discard *d, struct vm_area_struct *vma,
			 struct vb_plan *plan)
{
	plan->backing = vb_vma_backing(vma);
	plan->punch = vma->vm_flags & VM_MAYSHARE;
	plan->unit = PAGE_SIZE;
	if (plan->backing == VHOST_BALLOON_BACKING_HUGETLB)
		plan->unit = huge_page_size(hstate_vma(vma));
	plan->skip = vb_vma_skip(vma);
	if (plan->skip == VB_NO_SKIP)
		plan->skip = vb_backing_skip(d, vma, plan->backing);
}

static void vb_discard_lock_drop(struct vb_discard *d)
{
	if (!d->mm)
		return;
	mmap_read_unlock(d->mm);
	d->mm = NULL;
	d->vma = NULL;
}

/*
 * The VMA that contains @addr, or the next one above, or NULL; with the mmap
 * lock held. Inside a section the lock is not waited for: who holds it may be
 * waiting for userspace.
 */
static struct vm_area_struct *vb_discard_find_vma(struct vb_discard *d, unsigned long addr)
{
	if (!d->mm) {
		if (!mmap_read_trylock(current->mm))
			return ERR_PTR(-EAGAIN);
		d->mm = current->mm;
	}
	if (!d->vma || addr < d->vma->vm_start || addr >= d->vma->vm_end)
		d->vma = find_vma(d->mm, addr);
	return d->vma;
}

/*
 * Reference the file, unless it is the one we have; drops the mmap lock. Returns
 * whether a hole can be punched without waiting for the inode lock: a write() to the
 * file holds it while it faults in what is to be written. There is no way to
 * hand our own lock on, so somebody may still take it in between; that's one whom
 * we wait for, not the rule.
 */
static bool vb_discard_take_file(struct vb_discard *d, struct vm_area_struct *vma)
{
	struct inode *inode;

	if (!d->file)
		d->file = get_file(vma->vm_file);
	vb_discard_lock_drop(d);
	inode = file_inode(d->file);
	if (!inode_trylock(inode)) {
		d->inode_busy = true;
		return false;
	}
	inode_unlock(inode);
	return true;
}

static int vb_punch_error(int ret)
{
	switch (ret) {
	case -EPERM:
		return VHOST_BALLOON_C_SKIP_FILE_SEALED;
	case -EBADF:
		return VHOST_BALLOON_C_SKIP_FILE_READONLY;
	default:
		return VHOST_BALLOON_C_SKIP_ERROR;
	}
}

static void vb_discarded(struct vb_discard *d, const struct vb_plan *plan, unsigned long len)
{
	vb_count(d->counters, vb_discarded_counter[plan->backing], VB_PAGES(len));
	d->bytes += len;
}

static int vb_discard_punch(struct vb_discard *d, struct vm_area_struct *vma,
			    const struct vb_plan *plan, unsigned long addr, unsigned long len)
{
	loff_t offset = ((loff_t)vma->vm_pgoff << PAGE_SHIFT) + (addr - vma->vm_start);
	int ret;

	if (!vb_discard_take_file(d, vma))
		return -EAGAIN;
	ret = vfs_fallocate(d->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, len);
	trace_vhost_balloon_discard(d->memory->id, addr, len, plan->backing, ret);
	vb_count(d->counters, VHOST_BALLOON_C_DISCARD_OPS, 1);
	if (ret)
		vb_count(d->counters, vb_punch_error(ret), VB_PAGES(len));
	else
		vb_discarded(d, plan, len);
	return 0;
}

static int vb_discard_zap(struct vb_discard *d, struct vm_area_struct *vma,
			  const struct vb_plan *plan, unsigned long addr, unsigned long len)
{
	vb_zap(vma, addr, len);
	trace_vhost_balloon_discard(d->memory->id, addr, len, plan->backing, 0);
	vb_count(d->counters, VHOST_BALLOON_C_DISCARD_OPS, 1);
	vb_discarded(d, plan, len);
	return 0;
}

/*
 * Whether all parts of a huge page are in the balloon. They may lie in several slots, as long as
 * these show all of it to the guest, and in order.
 */
static bool vb_huge_complete(struct vb_discard *d, unsigned long start, unsigned long unit)
{
	/* May wrap around below 0: then it is no page number that a slot has. */
	u64 gfn = d->slot.gfn + ((long)(start - d->slot.hva) >> PAGE_SHIFT);
	u64 nr = unit >> PAGE_SHIFT;
	struct vhost_balloon_slot slot;
	u64 at;

	for (at = gfn; at - gfn < nr; at = slot.gfn + slot.nr) {
		if (vb_memory_find(d->memory, at, &slot) || slot.gfn > at)
			return false;
		if (!vb_region_discardable(&slot) ||
		    slot.hva + ((at - slot.gfn) << PAGE_SHIFT) != start + ((at - gfn) << PAGE_SHIFT))
			return false;
	}
	return vb_pagebits_full(d->gather, gfn, nr, start);
}

/*
 * Keep the pages in mind, and find which huge pages are in the balloon now, from @start to @end.
 * Returns whether all of the pages could be kept in mind.
 */
static bool vb_discard_gather(struct vb_discard *d, unsigned long addr, unsigned long len,
			      unsigned long unit, unsigned long *start, unsigned long *end)
{
	u64 nr = len >> PAGE_SHIFT;
	u64 set;

	set = vb_pagebits_set(d->gather, d->slot.gfn + ((addr - d->slot.hva) >> PAGE_SHIFT), nr);
	*start = ALIGN_DOWN(addr, unit);
	*end = ALIGN(addr + len, unit);
	if (*start != addr && !vb_huge_complete(d, *start, unit))
		*start += unit;
	if (*end != addr + len && *end > *start && !vb_huge_complete(d, *end - unit, unit))
		*end -= unit;
	return set == nr;
}

/* Whether a huge page is mapped there; with the mmap lock held. Only a hint: it may be split. */
static bool vb_pmd_is_huge(struct mm_struct *mm, unsigned long addr)
{
	pgd_t *pgd = pgd_offset(mm, addr);
	p4d_t *p4d;
	pud_t *pud;

	if (!pgd_present(READ_ONCE(*pgd)))
		return false;
	p4d = p4d_offset(pgd, addr);
	if (!p4d_present(READ_ONCE(*p4d)))
		return false;
	pud = pud_offset(p4d, addr);
	/* No anonymous memory has huge pages of that size. */
	if (!pud_present(READ_ONCE(*pud)))
		return false;
	return pmd_trans_huge(READ_ONCE(*pmd_offset(pud, addr)));
}

/*
 * Keep a part of a huge page in mind. Returns whether it is, or the huge page complete; if not so,
 * the part is to be zapped by itself. Only huge pages that the guest sees as such: all of one in
 * the slot, at the same place in its own.
 */
static enum vb_thp_result vb_discard_gather_thp(struct vb_discard *d, struct vm_area_struct *vma,
						unsigned long addr, unsigned long len)
{
	const struct vhost_balloon_slot *slot = &d->slot;
	unsigned long start = ALIGN_DOWN(addr, PMD_SIZE);
	unsigned long limit = start + PMD_SIZE;
	u64 gfn = slot->gfn + ((start - slot->hva) >> PAGE_SHIFT);

	if (start < slot->hva || limit > slot->hva + (slot->nr << PAGE_SHIFT) ||
	    start < vma->vm_start || limit > vma->vm_end || !IS_ALIGNED(gfn, VB_THP_PAGES))
		return VB_THP_NO_ROOM;
	if (!vb_pmd_is_huge(vma->vm_mm, start))
		return VB_THP_NO_ROOM;
	return vb_thp_add(d->thp, gfn + ((addr - start) >> PAGE_SHIFT), len >> PAGE_SHIFT);
}

/* Zap, but of huge pages only those that are complete, as far as parts can be kept in mind. */
static int vb_discard_zap_thp(struct vb_discard *d, struct vm_area_struct *vma,
			      const struct vb_plan *plan, unsigned long addr, unsigned long len)
{
	unsigned long start = addr, end = addr + len, whole;
	unsigned long head = min(ALIGN(addr, PMD_SIZE), end);
	unsigned long tail = max(ALIGN_DOWN(end, PMD_SIZE), head);
	enum vb_thp_result result;

	if (head > addr) {
		result = vb_discard_gather_thp(d, vma, addr, head - addr);
		if (result == VB_THP_KEPT)
			start = head;
		else if (result == VB_THP_FULL)
			start = ALIGN_DOWN(addr, PMD_SIZE);
		if (result == VB_THP_FULL && head == end)
			end = ALIGN(end, PMD_SIZE);
	}
	if (tail < addr + len) {
		result = vb_discard_gather_thp(d, vma, tail, addr + len - tail);
		if (result == VB_THP_KEPT)
			end = tail;
		else if (result == VB_THP_FULL)
			end = ALIGN(end, PMD_SIZE);
	}
	if (end > start)
		vb_discard_zap(d, vma, plan, start, end - start);
	whole = end > start ? min(end, addr + len) - max(start, addr) : 0;
	vb_count(d->counters, VHOST_BALLOON_C_THP_GATHERED, VB_PAGES(len - whole));
	return 0;
}

/* Discard from one VMA, whole units only. Returns 0, or -EAGAIN if a lock isn't to be had. */
static int vb_discard_vma(struct vb_discard *d, struct vm_area_struct *vma,
			  const struct vb_plan *plan, unsigned long addr, unsigned long len)
{
	bool gather = d->gather && d->gather->wanted && plan->unit > PAGE_SIZE;
	unsigned long start = ALIGN(addr, plan->unit);
	unsigned long end = ALIGN_DOWN(addr + len, plan->unit);
	unsigned long whole;
	int ret = 0;

	if (plan->backing == VHOST_BALLOON_BACKING_ANON && d->thp && READ_ONCE(d->thp->wanted))
		return vb_discard_zap_thp(d, vma, plan, addr, len);
	if (gather)
		gather = vb_discard_gather(d, addr, len, plan->unit, &start, &end);
	if (end > start && plan->punch)
		ret = vb_discard_punch(d, vma, plan, start, end - start);
	else if (end > start)
		ret = vb_discard_zap(d, vma, plan, start, end - start);
	if (ret)
		return ret;
	whole = end > start ? min(end, addr + len) - max(start, addr) : 0;
	vb_count(d->counters, gather ? VHOST_BALLOON_C_HUGETLB_GATHERED :
				       VHOST_BALLOON_C_SKIP_HUGETLB_PART, VB_PAGES(len - whole));
	return 0;
}

/*
 * Deal with the first part of a piece of the VMM's address space: as far as
 * one VMA, or one gap, and one step reach. Returns the bytes dealt with, at least
 * one page; -EAGAIN when a lock is not to be had; -EXDEV when it is
 * another file's turn: the last reference must not be dropped in a section.
 */
static long vb_discard_part(struct vb_discard *d, unsigned long addr, unsigned long len)
{
	struct vm_area_struct *vma = vb_discard_find_vma(d, addr);
	struct vb_plan plan;
	int ret;

	if (IS_ERR(vma))
		return PTR_ERR(vma);
	if (!vma || vma->vm_start > addr) {
		if (vma)
			len = min(len, vma->vm_start - addr);
		vb_count(d->counters, VHOST_BALLOON_C_SKIP_UNMAPPED, VB_PAGES(len));
		return len;
	}

	vb_plan_make(d, vma, &plan);
	if (plan.skip == VB_NO_SKIP && plan.punch && d->file && d->file != vma->vm_file)
		return -EXDEV;
	len = min3(len, vma->vm_end - addr, ALIGN(addr + VB_DISCARD_STEP, plan.unit) - addr);
	if (plan.skip != VB_NO_SKIP) {
		vb_count(d->counters, plan.skip, VB_PAGES(len));
		return len;
	}
	ret = vb_discard_vma(d, vma, &plan, addr, len);
	return ret ? ret : len;
}

static int vb_slot_skip(const struct vhost_balloon_slot *slot)
{
	if (slot->flags & VHOST_BALLOON_SLOT_PRIVATE)
		return VHOST_BALLOON_C_SKIP_PRIVATE_SLOT;
	if (slot->flags & VHOST_BALLOON_SLOT_INVALID)
		return VHOST_BALLOON_C_SKIP_INVALID_SLOT;
	if (slot->flags & VHOST_BALLOON_SLOT_READONLY)
		return VHOST_BALLOON_C_SKIP_READONLY_SLOT;
	if (slot->flags & VHOST_BALLOON_SLOT_GUEST_MEMFD)
		return VHOST_BALLOON_C_SKIP_GUEST_MEMFD;
	return VB_NO_SKIP;
}

/*
 * Deal with the first part of a run of guest pages: as far as one slot, or one
 * gap between slots, reaches at most. Returns the pages dealt with, or an errno as
 * above.
 */
static long vb_discard_guest_part(struct vb_discard *d, const struct vb_range *r)
{
	struct vhost_balloon_slot *slot = &d->slot;
	unsigned long hva;
	u64 nr = r->nr;
	int skip;
	long ret;

	if (vb_memory_find(d->memory, r->gfn, slot) || slot->gfn >= r->gfn + nr) {
		vb_count(d->counters, VHOST_BALLOON_C_SKIP_NO_SLOT, nr);
		return nr;
	}
	if (slot->gfn > r->gfn) {
		nr = slot->gfn - r->gfn;
		vb_count(d->counters, VHOST_BALLOON_C_SKIP_NO_SLOT, nr);
		return nr;
	}

	nr = min(nr, slot->gfn + slot->nr - r->gfn);
	skip = vb_slot_skip(slot);
	if (skip != VB_NO_SKIP) {
		vb_count(d->counters, skip, nr);
		return nr;
	}

	hva = slot->hva + ((r->gfn - slot->gfn) << PAGE_SHIFT);
	vb_test_delay();
	ret = vb_discard_part(d, hva, nr << PAGE_SHIFT);
	return ret < 0 ? ret : ret >> PAGE_SHIFT;
}

/*
 * Whether nothing may be discarded. What the VMM pinned is in use by a device or by the kernel,
 * at addresses that wouldn't notice that the page has changed.
 */
static bool vb_discard_inhibited(const struct vb_discard *d)
{
	return READ_ONCE(*d->inhibit) || d->memory->assigned ||
	       atomic64_read(&current->mm->pinned_vm);
}

/**
 * vb_discard_skip - leave the rest of a batch alone
 * @d: the discard
 * @c: how far the batch was gone through; moved to its end
 * @why: where to count the pages
 */
void vb_discard_skip(struct vb_discard *d, struct vb_cursor *c, enum vhost_balloon_counter why)
{
	struct vb_range r;

	while (vb_cursor_next(c, &r)) {
		vb_count(d->counters, why, r.nr);
		vb_cursor_advance(c, r.nr);
	}
}

/**
 * vb_discard_step - discard a part of a batch
 * @d: the discard
 * @c: how far the batch was gone through; moved on
 *
 * Context: inside a section, in the address space of the memory's owner, no
 *	other lock held. May sleep, but not for anything that userspace controls.
 * Return: 0 when the batch is done; 1 when there is more; -EAGAIN when
 *	vb_discard_wait() has to be called before the next step. In any
 *	case leave the section first, and call vb_discard_finish() in the end.
 */
int vb_discard_step(struct vb_discard *d, struct vb_cursor *c)
{
	u64 budget = VB_DISCARD_STEP >> PAGE_SHIFT;
	struct vb_range r;
	long ret = 0;

	if (vb_discard_inhibited(d)) {
		vb_discard_skip(d, c, VHOST_BALLOON_C_SKIP_INHIBITED);
		return 0;
	}
	while (budget && vb_cursor_next(c, &r)) {
		ret = vb_discard_guest_part(d, &r);
		if (ret < 0)
			break;
		budget -= min_t(u64, budget, ret);
		vb_cursor_advance(c, ret);
	}
	vb_discard_lock_drop(d);
	if (ret == -EAGAIN)
		return ret;
	return vb_cursor_next(c, &r);
}

/**
 * vb_discard_wait - wait until the lock can be had that a step lacked
 * @d: the discard
 *
 * Context: not inside a section; may sleep for as long as userspace likes.
 * Return: 0; -EINTR if killed.
 */
int vb_discard_wait(struct vb_discard *d)
{
	struct inode *inode;

	if (d->inode_busy) {
		inode = file_inode(d->file);
		if (down_write_killable(&inode->i_rwsem))
			return -EINTR;
		inode_unlock(inode);
		return 0;
	}
	if (mmap_read_lock_killable(current->mm))
		return -EINTR;
	mmap_read_unlock(current->mm);
	return 0;
}

/**
 * vb_discard_finish - let go of what a step held on to
 * @d: the discard
 *
 * Context: not inside a section; may sleep.
 */
void vb_discard_finish(struct vb_discard *d)
{
	d->inode_busy = false;
	if (!d->file)
		return;
	/* A vhost_task would run the task work that fput() uses when it exits, no sooner. */
	if (current->flags & (PF_KTHREAD | VB_PF_WORKER))
		__fput_sync(d->file);
	else
		fput(d->file);
	d->file = NULL;
}

/**
 * vb_discard_backing_at - say what backs an address, for display
 * @mm: the address space
 * @hva: the address
 *
 * Context: may sleep; no locks held.
 * Return: enum vhost_balloon_backing.
 */
u32 vb_discard_backing_at(struct mm_struct *mm, unsigned long hva)
{
	u32 backing = VHOST_BALLOON_BACKING_UNKNOWN;
	struct vm_area_struct *vma;

	if (!mmget_not_zero(mm))
		return backing;
	if (!mmap_read_lock_killable(mm)) {
		vma = find_vma(mm, hva);
		if (vma && vma->vm_start <= hva)
			backing = vb_vma_backing(vma);
		mmap_read_unlock(mm);
	}
	mmput_async(mm);
	return backing;
}
