/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Somebody else's memory, as a virtqueue is in it: known by addresses that a callback
 * translates, and by copies that may fail with -EFAULT at any point, as page faults are
 * disabled where this runs in the kernel. Also built in userspace.
 *
 * An access returns 0 (or what its comment says); -EFAULT, with @fault_uaddr and so on of
 * &struct vb_vring_access set, to be repeated once that page was faulted in; or -ENXIO where
 * there is no memory. None of them sleeps.
 */
#ifndef _VHOST_BALLOON_VRING_ACCESS_H
#define _VHOST_BALLOON_VRING_ACCESS_H

#include <linux/types.h>

/**
 * enum vb_vring_space - which addresses an access is in
 * @VB_SPACE_RING: ring parts: the VMM's own addresses or guest addresses, as
 *	the ring was set up
 * @VB_SPACE_GUEST: what descriptors name: always guest physical addresses
 */
enum vb_vring_space {
	VB_SPACE_RING,
	VB_SPACE_GUEST,
};

/**
 * struct vb_vring_access - the memory that ring and buffers live in
 * @translate: find memory. Given the address and the length in bytes wanted
 *	(at least 1), sets *@uaddr and returns the number of bytes that are
 *	contiguous from there, at least 1 and at most @len; or -ENXIO where
 *	there is no memory to be had for that access. Doesn't sleep.
 * @written: told of every piece of the ring that was written; may be NULL. Returns
 *	0; or -EFAULT with @fault_uaddr and so on set, and then it is told again once that
 *	page was faulted in
 * @fault_uaddr: set before -EFAULT is returned: where the copy failed
 * @fault_len: set likewise: how many bytes were wanted there
 * @fault_write: set likewise: the copy was a write
 */
struct vb_vring_access {
	ssize_t (*translate)(struct vb_vring_access *acc, enum vb_vring_space space,
			     u64 addr, size_t len, bool write, void __user **uaddr);
	int (*written)(struct vb_vring_access *acc, u64 addr, size_t len);
	void __user *fault_uaddr;
	size_t fault_len;
	bool fault_write;
};

int vb_access_get_u16(struct vb_vring_access *acc, u64 addr, u16 *val);
int vb_access_put_u16(struct vb_vring_access *acc, u64 addr, u16 val);
int vb_access_store_u16(struct vb_vring_access *acc, u64 addr, u16 val);
int vb_access_written(struct vb_vring_access *acc, u64 addr, size_t len);
ssize_t vb_access_copy_some(struct vb_vring_access *acc, enum vb_vring_space space, u64 addr,
			    void *to, size_t len);
int vb_access_copy_from(struct vb_vring_access *acc, enum vb_vring_space space, u64 addr,
			void *to, size_t len);
int vb_access_copy_to_ring(struct vb_vring_access *acc, u64 addr, const void *from, size_t len);

#endif /* _VHOST_BALLOON_VRING_ACCESS_H */
