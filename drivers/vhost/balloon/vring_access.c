// SPDX-License-Identifier: GPL-2.0
/*
 * How a virtqueue's memory is reached.
 */
#include <linux/errno.h>
#include <linux/uaccess.h>
#include <asm/byteorder.h>

#include "vring_access.h"

static int vb_access_fault(struct vb_vring_access *acc, void __user *uaddr, size_t len, bool write)
{
	acc->fault_uaddr = uaddr;
	acc->fault_len = len;
	acc->fault_write = write;
	return -EFAULT;
}

/*
 * Flags and indices are written while the other side reads them, so each is one
 * access that can't be torn. get_user() and put_user() are that, and don't sleep
 * as the caller has disabled page faults. The parts of a ring are aligned
 * to at least 2 bytes (virtio 1.4, section 2.7), so that memory which ends within such a
 * value isn't memory that a ring can be in.
 */

/**
 * vb_access_get_u16 - read a value of a ring
 * @acc: the memory
 * @addr: where, a multiple of 2
 * @val: filled with the value
 *
 * Return: 0, -EFAULT, or -ENXIO.
 */
int vb_access_get_u16(struct vb_vring_access *acc, u64 addr, u16 *val)
{
	void __user *uaddr;
	__le16 raw;
	ssize_t n;

	n = acc->translate(acc, VB_SPACE_RING, addr, sizeof(raw), false, &uaddr);
	if (n < 0)
		return n;
	if ((size_t)n < sizeof(raw))
		return -ENXIO;
	if (get_user(raw, (__le16 __user *)uaddr))
		return vb_access_fault(acc, uaddr, sizeof(raw), false);
	*val = le16_to_cpu(raw);
	return 0;
}

/**
 * vb_access_store_u16 - write a value of a ring, and tell nobody
 * @acc: the memory
 * @addr: where, a multiple of 2
 * @val: the value
 *
 * Return: 0, -EFAULT, or -ENXIO.
 */
int vb_access_store_u16(struct vb_vring_access *acc, u64 addr, u16 val)
{
	void __user *uaddr;
	ssize_t n;

	n = acc->translate(acc, VB_SPACE_RING, addr, sizeof(__le16), true, &uaddr);
	if (n < 0)
		return n;
	if ((size_t)n < sizeof(__le16))
		return -ENXIO;
	if (put_user(cpu_to_le16(val), (__le16 __user *)uaddr))
		return vb_access_fault(acc, uaddr, sizeof(__le16), true);
	return 0;
}

/**
 * vb_access_written - tell of what was written to a ring
 * @acc: the memory
 * @addr: where
 * @len: bytes
 *
 * Return: 0, or -EFAULT.
 */
int vb_access_written(struct vb_vring_access *acc, u64 addr, size_t len)
{
	return acc->written ? acc->written(acc, addr, len) : 0;
}

/**
 * vb_access_put_u16 - write a value of a ring
 * @acc: the memory
 * @addr: where, a multiple of 2
 * @val: the value
 *
 * Return: 0, -EFAULT, or -ENXIO.
 */
int vb_access_put_u16(struct vb_vring_access *acc, u64 addr, u16 val)
{
	int err = vb_access_store_u16(acc, addr, val);

	return err ? err : vb_access_written(acc, addr, sizeof(__le16));
}

/**
 * vb_access_copy_some - copy what is contiguous from an address, or as much of it as is present
 * @acc: the memory
 * @space: which addresses @addr is one of
 * @addr: where
 * @to: where to copy to
 * @len: bytes, at least 1
 *
 * Return: the number of bytes, at least 1 and at most @len; -EFAULT, or -ENXIO.
 */
ssize_t vb_access_copy_some(struct vb_vring_access *acc, enum vb_vring_space space, u64 addr,
			    void *to, size_t len)
{
	void __user *uaddr;
	size_t left;
	ssize_t n;

	n = acc->translate(acc, space, addr, len, false, &uaddr);
	if (n < 0)
		return n;
	if (!access_ok(uaddr, n))
		return vb_access_fault(acc, uaddr, n, false);
	left = __copy_from_user_inatomic(to, uaddr, n);
	if (left == (size_t)n)
		return vb_access_fault(acc, uaddr, n, false);
	return n - left;
}

/**
 * vb_access_copy_from - copy from memory that may be in several pieces
 * @acc: the memory
 * @space: which addresses @addr is one of
 * @addr: where
 * @to: where to copy to
 * @len: bytes
 *
 * Return: 0, -EFAULT, or -ENXIO.
 */
int vb_access_copy_from(struct vb_vring_access *acc, enum vb_vring_space space, u64 addr,
			void *to, size_t len)
{
	while (len) {
		ssize_t n = vb_access_copy_some(acc, space, addr, to, len);

		if (n < 0)
			return n;
		addr += n;
		to += n;
		len -= n;
	}
	return 0;
}

/**
 * vb_access_copy_to_ring - copy to a ring, which may be in several pieces of memory
 * @acc: the memory
 * @addr: where
 * @from: what
 * @len: bytes
 *
 * Return: 0, -EFAULT, or -ENXIO.
 */
int vb_access_copy_to_ring(struct vb_vring_access *acc, u64 addr, const void *from, size_t len)
{
	size_t done = 0;

	while (done < len) {
		void __user *uaddr;
		size_t left;
		ssize_t n;

		n = acc->translate(acc, VB_SPACE_RING, addr + done, len - done, true, &uaddr);
		if (n < 0)
			return n;
		if (!access_ok(uaddr, n))
			return vb_access_fault(acc, uaddr, n, true);
		left = __copy_to_user_inatomic(uaddr, from + done, n);
		if (left)
			return vb_access_fault(acc, uaddr + (n - left), left, true);
		done += n;
	}
	return vb_access_written(acc, addr, len);
}
