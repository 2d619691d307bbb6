/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rules that are the same for all ioctls of our own.
 */
#ifndef _VHOST_BALLOON_IOCTL_H
#define _VHOST_BALLOON_IOCTL_H

#include <linux/ioctl.h>
#include <linux/stddef.h>
#include <linux/types.h>

/**
 * struct vb_ioctl_call - one call of an ioctl
 * @ctx: what the file is
 * @arg: the kernel's copy of the structure
 * @uarg: the caller's
 */
struct vb_ioctl_call {
	void *ctx;
	void *arg;
	void __user *uarg;
};

/**
 * struct vb_ioctl - an ioctl
 * @nr: its number
 * @size: bytes of its structure, as this kernel knows it
 * @min: bytes of the first version of its structure
 * @out: copy the structure back if @fn succeeds
 * @fn: what it does; returns 0 or an errno
 */
struct vb_ioctl {
	unsigned int nr;
	size_t size;
	size_t min;
	bool out;
	int (*fn)(const struct vb_ioctl_call *call);
};

/** VB_IOCTL_ARG_MAX - bytes of the largest structure */
#define VB_IOCTL_ARG_MAX	768

/**
 * VB_IOCTL - a table entry
 * @_cmd: the ioctl
 * @_struct: its structure
 * @_last: the last field of the structure's first version
 * @_fn: what it does
 */
#define VB_IOCTL(_cmd, _struct, _last, _fn)				\
	__VB_IOCTL(_cmd, _struct, _last, _fn, _IOC_DIR(_cmd) & _IOC_READ)

/**
 * VB_IOCTL_OWN_OUT - a table entry, for a function that copies out by itself
 * @_cmd: the ioctl
 * @_struct: its structure
 * @_last: the last field of the structure's first version
 * @_fn: what it does
 */
#define VB_IOCTL_OWN_OUT(_cmd, _struct, _last, _fn)			\
	__VB_IOCTL(_cmd, _struct, _last, _fn, false)

#define __VB_IOCTL(_cmd, _struct, _last, _fn, _out)			\
	{								\
		.nr	= _IOC_NR(_cmd) +				\
			  BUILD_BUG_ON_ZERO(sizeof(_struct) > VB_IOCTL_ARG_MAX), \
		.size	= sizeof(_struct),				\
		.min	= offsetofend(_struct, _last),			\
		.out	= _out,						\
		.fn	= _fn,						\
	}

long vb_ioctl_dispatch(const struct vb_ioctl *table, size_t nr, void *ctx, unsigned int cmd,
		       unsigned long arg);

#endif /* _VHOST_BALLOON_IOCTL_H */
