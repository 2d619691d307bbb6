/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every difference between kernel versions, and nothing else.
 *
 * Exported symbols are probed for in Module.symvers by Kbuild (VB_HAVE_*):
 * distributions add exports of their own, so the version says little.
 */
#ifndef _VHOST_BALLOON_COMPAT_H
#define _VHOST_BALLOON_COMPAT_H

#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/futex.h>
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/task_work.h>
#include <linux/uaccess.h>

#include <asm/futex.h>

/* Zapping pages: the name of the export has changed twice. */
#if defined(VB_HAVE_ZAP_VMA_RANGE)
#define VB_CAN_ZAP 1
static inline void vb_zap(struct vm_area_struct *vma, unsigned long start, unsigned long len)
{
	zap_vma_range(vma, start, len);
}
#elif defined(VB_HAVE_ZAP_PAGE_RANGE_SINGLE)
#define VB_CAN_ZAP 1
static inline void vb_zap(struct vm_area_struct *vma, unsigned long start, unsigned long len)
{
	zap_page_range_single(vma, start, len, NULL);
}
#elif defined(VB_HAVE_ZAP_PAGE_RANGE)
#define VB_CAN_ZAP 1
static inline void vb_zap(struct vm_area_struct *vma, unsigned long start, unsigned long len)
{
	zap_page_range(vma, start, len);
}
#else
#define VB_CAN_ZAP 0
static inline void vb_zap(struct vm_area_struct *vma, unsigned long start, unsigned long len)
{
}
#endif

/* The worker: a thread of the owner's where vhost_task is exported, else a kthread. */
#if defined(VB_HAVE_VHOST_TASK_CREATE)
#define VB_USE_VHOST_TASK 1
#define VB_PF_WORKER PF_USER_WORKER
#else
#define VB_USE_VHOST_TASK 0
#define VB_PF_WORKER 0
#endif

/* Task work: on a thread that is about to return to user mode, or to enter a guest. */
#if defined(VB_HAVE_TASK_WORK_ADD)
#define VB_CAN_INLINE 1
static inline int vb_task_work_add(struct callback_head *work)
{
	return task_work_add(current, work, TWA_RESUME);
}
#else
#define VB_CAN_INLINE 0
static inline int vb_task_work_add(struct callback_head *work)
{
	return -EOPNOTSUPP;
}
#endif

/* Threads that run no task work, or not soon; user workers came with 6.4. */
#if defined(PF_USER_WORKER)
#define VB_PF_NO_TASK_WORK (PF_KTHREAD | PF_EXITING | PF_IO_WORKER | PF_USER_WORKER)
#else
#define VB_PF_NO_TASK_WORK (PF_KTHREAD | PF_EXITING | PF_IO_WORKER)
#endif

static inline void vb_eventfd_signal(struct eventfd_ctx *ctx)
{
#if defined(VB_HAVE_EVENTFD_SIGNAL_MASK)
	eventfd_signal(ctx);
#else
	eventfd_signal(ctx, 1);
#endif
}

/* mseal() came with 6.10. */
#ifndef VM_SEALED
#define VM_SEALED 0
#endif

/* Slots whose memory is not (only) at their hva. */
#if defined(KVM_MEMSLOT_GMEM_ONLY)
#define VB_KVM_GUEST_MEMFD (KVM_MEM_GUEST_MEMFD | KVM_MEMSLOT_GMEM_ONLY)
#elif defined(KVM_MEM_GUEST_MEMFD)
#define VB_KVM_GUEST_MEMFD KVM_MEM_GUEST_MEMFD
#else
#define VB_KVM_GUEST_MEMFD 0
#endif

/*
 * Whether a file is a KVM VM. Newer kernels export file_is_kvm() to KVM's own
 * modules only, so that linking against it fails while symbol_get() works.
 * Returns 1 or 0, or -EOPNOTSUPP if the kernel doesn't let us ask.
 */
static inline int vb_file_is_kvm(struct file *file)
{
#if defined(VB_HAVE_FILE_IS_KVM)
	return file_is_kvm(file);
#else
	bool (*is_kvm)(struct file *file) = symbol_get(file_is_kvm);
	int ret;

	if (!is_kvm)
		return -EOPNOTSUPP;
	ret = is_kvm(file);
	symbol_put(file_is_kvm);
	return ret;
#endif
}

/*
 * Whether devices of the host's are assigned to a VM. Where KVM doesn't count them any more, it
 * has a device of its own that VMMs tell of theirs.
 */
static inline bool vb_kvm_has_assigned_device(struct kvm *kvm)
{
#if defined(VB_HAVE_ASSIGNED_DEVICE_COUNT)
	return atomic_read(&kvm->arch.assigned_device_count);
#else
	struct kvm_device *dev;
	bool has = false;

	rcu_read_lock();
	list_for_each_entry_rcu(dev, &kvm->devices, vm_node)
		if (!strcmp(dev->ops->name, "kvm-vfio"))
			has = true;
	rcu_read_unlock();
	return has;
#endif
}

/*
 * Set bits in user memory in one atomic operation. The only thing of that kind that there is
 * was made for futexes. Returns 0, or -EFAULT; doesn't sleep if page faults are disabled.
 */
static inline int vb_user_or_u32(u32 __user *uaddr, u32 bits)
{
	int old;

	return arch_futex_atomic_op_inuser(FUTEX_OP_OR, bits, &old, uaddr);
}

#endif /* _VHOST_BALLOON_COMPAT_H */
