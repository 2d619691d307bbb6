// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory as VHOST_SET_MEM_TABLE says it: for VMMs that don't use KVM, or
 * that don't want us to look at their VM.
 *
 * A table never changes. A new one replaces it under the memory mutex, so
 * that what was promised of memslots holds here, too: when the ioctl has
 * returned, nothing reaches memory through the former table.
 */
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/uaccess.h>
#include <linux/vhost.h>

#include "memtable.h"

/* As many as vhost takes at most (the upper bound of its max_mem_regions). */
#define VB_MEMTABLE_MAX 509

/**
 * struct vb_memtable - a table of regions
 * @nr: number of entries
 * @slot: the entries, by rising gfn, not overlapping
 */
struct vb_memtable {
	unsigned int nr;
	struct vhost_balloon_slot slot[];
};

static int vb_memtable_cmp(const void *a, const void *b)
{
	const struct vhost_balloon_slot *x = a, *y = b;

	if (x->gfn != y->gfn)
		return x->gfn < y->gfn ? -1 : 1;
	return 0;
}

/*
 * Pages are given back whole, so a region that doesn't begin and end with a page
 * can't be served.
 */
static int vb_memtable_convert(const struct vhost_memory_region *r, u32 id,
			       struct vhost_balloon_slot *slot)
{
	u64 end;

	if (r->flags_padding || !r->memory_size)
		return -EINVAL;
	if (!PAGE_ALIGNED(r->guest_phys_addr | r->userspace_addr | r->memory_size))
		return -EINVAL;
	if (check_add_overflow(r->guest_phys_addr, r->memory_size, &end))
		return -EINVAL;
	if (r->userspace_addr != (unsigned long)r->userspace_addr ||
	    r->memory_size != (unsigned long)r->memory_size ||
	    !access_ok((void __user *)(unsigned long)r->userspace_addr, r->memory_size))
		return -EFAULT;

	slot->gfn = r->guest_phys_addr >> PAGE_SHIFT;
	slot->nr = r->memory_size >> PAGE_SHIFT;
	slot->hva = r->userspace_addr;
	slot->id = id;
	slot->flags = 0;
	return 0;
}

static int vb_memtable_fill(struct vb_memtable *table, const struct vhost_memory_region *regions)
{
	unsigned int i;
	int ret;

	for (i = 0; i < table->nr; i++) {
		ret = vb_memtable_convert(&regions[i], i, &table->slot[i]);
		if (ret)
			return ret;
	}
	sort(table->slot, table->nr, sizeof(table->slot[0]), vb_memtable_cmp, NULL);
	for (i = 1; i < table->nr; i++)
		if (table->slot[i].gfn < table->slot[i - 1].gfn + table->slot[i - 1].nr)
			return -EINVAL;
	return 0;
}

/**
 * vb_memtable_copy - copy a table from userspace and check it
 * @argp: user address of a struct vhost_memory
 *
 * Context: may sleep.
 * Return: the table; -EFAULT; -EOPNOTSUPP if its padding isn't zero and
 *	-E2BIG if it has too many regions (both as vhost says it); -EINVAL for
 *	regions that are empty, overlap or are no whole pages; -ENOMEM.
 */
struct vb_memtable *vb_memtable_copy(const void __user *argp)
{
	struct vhost_memory_region *regions;
	struct vb_memtable *table;
	struct vhost_memory head;
	int ret;

	if (copy_from_user(&head, argp, sizeof(head)))
		return ERR_PTR(-EFAULT);
	if (head.padding)
		return ERR_PTR(-EOPNOTSUPP);
	if (head.nregions > VB_MEMTABLE_MAX)
		return ERR_PTR(-E2BIG);

	table = kvzalloc(struct_size(table, slot, head.nregions), GFP_KERNEL_ACCOUNT);
	if (!table)
		return ERR_PTR(-ENOMEM);
	table->nr = head.nregions;

	regions = vmemdup_user(argp + offsetof(struct vhost_memory, regions),
			       array_size(head.nregions, sizeof(*regions)));
	if (IS_ERR(regions)) {
		ret = PTR_ERR(regions);
		goto err_free;
	}
	ret = vb_memtable_fill(table, regions);
	kvfree(regions);
	if (ret)
		goto err_free;
	return table;

err_free:
	kvfree(table);
	return ERR_PTR(ret);
}

/**
 * vb_memtable_free - free a table that is nobody's source
 * @table: the table
 */
void vb_memtable_free(struct vb_memtable *table)
{
	kvfree(table);
}

static int vb_memtable_enter(void *data)
{
	return 0;
}

static void vb_memtable_leave(void *data, int cookie)
{
}

static u64 vb_memtable_generation(void *data)
{
	return 0;
}

static int vb_memtable_find(void *data, u64 gfn, struct vhost_balloon_slot *slot)
{
	const struct vb_memtable *table = data;
	unsigned int lo = 0, hi = table->nr;

	/* The first entry that ends above gfn. */
	while (lo < hi) {
		unsigned int mid = lo + (hi - lo) / 2;

		if (table->slot[mid].gfn + table->slot[mid].nr <= gfn)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == table->nr)
		return -ENOENT;
	*slot = table->slot[lo];
	return 0;
}

static void vb_memtable_release(void *data)
{
	vb_memtable_free(data);
}

const struct vhost_balloon_source_ops vb_memtable_ops = {
	.type		= VHOST_BALLOON_SOURCE_MEMTABLE,
	.enter		= vb_memtable_enter,
	.leave		= vb_memtable_leave,
	.generation	= vb_memtable_generation,
	.find		= vb_memtable_find,
	.release	= vb_memtable_release,
};
