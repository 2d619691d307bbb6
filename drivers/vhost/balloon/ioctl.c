// SPDX-License-Identifier: GPL-2.0
/*
 * The rules that are the same for all ioctls of our own: structures of any
 * length, copied in before anything is done, and out after all of it.
 */
#include <linux/build_bug.h>
#include <linux/mm.h>
#include <linux/uaccess.h>
#include <linux/vhost.h>

#include "ioctl.h"

static long vb_ioctl_run(const struct vb_ioctl *entry, void *ctx, void __user *uarg)
{
	u64 arg[VB_IOCTL_ARG_MAX / sizeof(u64)] = {};
	struct vb_ioctl_call call = {
		.ctx	= ctx,
		.arg	= arg,
		.uarg	= uarg,
	};
	u32 size;
	int ret;

	if (get_user(size, (u32 __user *)uarg))
		return -EFAULT;
	if (size < entry->min)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	ret = copy_struct_from_user(arg, entry->size, uarg, size);
	if (ret)
		return ret;
	/* Read anew with the rest, it may have changed: what was checked is what counts. */
	*(u32 *)arg = size;

	ret = entry->fn(&call);
	if (ret)
		return ret;
	if (entry->out && copy_to_user(uarg, arg, min_t(size_t, size, entry->size)))
		return -EFAULT;
	return 0;
}

/**
 * vb_ioctl_dispatch - run an ioctl of our own
 * @table: those that the file has
 * @nr: entries of @table
 * @ctx: handed to the function
 * @cmd: the ioctl; only its type and number count, since the size may be
 *	another version's
 * @arg: user address of the structure
 *
 * Context: process context; no locks held.
 * Return: what the function returns; -ENOIOCTLCMD if it isn't in the table;
 *	-EFAULT, -EINVAL and -E2BIG as the uapi header says it.
 */
long vb_ioctl_dispatch(const struct vb_ioctl *table, size_t nr, void *ctx, unsigned int cmd,
		       unsigned long arg)
{
	size_t i;

	if (_IOC_TYPE(cmd) != VHOST_VIRTIO)
		return -ENOIOCTLCMD;
	for (i = 0; i < nr; i++)
		if (table[i].nr == _IOC_NR(cmd))
			return vb_ioctl_run(&table[i], ctx, (void __user *)arg);
	return -ENOIOCTLCMD;
}
