// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory as a KVM VM's memslots say it.
 *
 * KVM has no notifier for outsiders when slots change, but it has something
 * better. Every change, failed and flags-only ones included, installs a slot
 * set of a new generation and then waits in synchronize_srcu(&kvm->srcu) before it
 * lets go of the old one. So whoever reads the slots under srcu_read_lock() and
 * uses them before srcu_read_unlock() holds up the VMM in its
 * KVM_SET_USER_MEMORY_REGION: when that has returned, nobody reaches memory
 * through a slot that it took away.
 *
 * The price: what is waited for inside the section, the VMM waits for in an
 * ioctl that no signal ends. Hence the rules in memory.h.
 */
#include <linux/file.h>
#include <linux/fdtable.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "memslots.h"
#include "testing.h"

/**
 * struct vb_memslots - a VM whose memslots are a balloon's memory
 * @kvm: the VM, referenced
 * @slots: the slot set of the section in force
 * @put: drops the reference where no lock is held: the last one destroys the VM
 */
struct vb_memslots {
	struct kvm *kvm;
	struct kvm_memslots *slots;
	struct work_struct put;
};

/* Runs the puts; ours, so that module exit can wait for them. */
static struct workqueue_struct *vb_memslots_wq;

static void vb_memslots_put_work(struct work_struct *work)
{
	struct vb_memslots *ms = container_of(work, struct vb_memslots, put);

	kvm_put_kvm(ms->kvm);
	kfree(ms);
}

static struct vb_memslots *vb_memslots_alloc(void)
{
	struct vb_memslots *ms = kzalloc(sizeof(*ms), GFP_KERNEL_ACCOUNT);

	if (ms)
		INIT_WORK(&ms->put, vb_memslots_put_work);
	return ms;
}

/* The caller holds a file of the VM, so this isn't the first reference. */
static void vb_memslots_take(struct vb_memslots *ms, struct kvm *kvm)
{
	kvm_get_kvm(kvm);
	ms->kvm = kvm;
}

/**
 * vb_memslots_get - take the VM behind a file descriptor
 * @file: the file, held by the caller
 *
 * Only a VM whose memory is the calling process's own will do: what is
 * discarded is always the VM's mm.
 *
 * Context: process context; may sleep.
 * Return: the VM; -EINVAL if it is none; -EPERM if it is another process's;
 *	-EOPNOTSUPP if the kernel doesn't let us tell; -ENOMEM.
 */
struct vb_memslots *vb_memslots_get(struct file *file)
{
	struct vb_memslots *ms;
	struct kvm *kvm;
	int ret;

	ret = vb_file_is_kvm(file);
	if (ret < 0)
		return ERR_PTR(ret);
	if (!ret)
		return ERR_PTR(-EINVAL);
	kvm = file->private_data;
	if (kvm->mm != current->mm)
		return ERR_PTR(-EPERM);
	ms = vb_memslots_alloc();
	if (!ms)
		return ERR_PTR(-ENOMEM);
	vb_memslots_take(ms, kvm);
	return ms;
}

/**
 * struct vb_memslots_search - a search for the one VM among a process's files
 * @ms: takes the first that is found
 * @several: there was another one
 */
struct vb_memslots_search {
	struct vb_memslots *ms;
	bool several;
};

/* Called by iterate_fd() with a spinlock held. Ends the search when it returns non-zero. */
static int vb_memslots_try_fd(const void *arg, struct file *file, unsigned int fd)
{
	struct vb_memslots_search *s = (struct vb_memslots_search *)arg;
	struct kvm *kvm;

	if (vb_file_is_kvm(file) != 1)
		return 0;
	kvm = file->private_data;
	if (kvm->mm != current->mm || kvm == s->ms->kvm)
		return 0;
	if (s->ms->kvm)
		s->several = true;
	else
		vb_memslots_take(s->ms, kvm);
	return s->several;
}

/**
 * vb_memslots_get_own - find the calling process's VM among its open files
 *
 * Context: process context, in the VMM's own thread; may sleep.
 * Return: the VM; -ENOENT if there is none; -ENOTUNIQ if there are several, since
 *	nothing says which one is meant; -ENOMEM.
 */
struct vb_memslots *vb_memslots_get_own(void)
{
	struct vb_memslots_search s = { .ms = vb_memslots_alloc() };

	if (!s.ms)
		return ERR_PTR(-ENOMEM);
	iterate_fd(current->files, 0, vb_memslots_try_fd, &s);
	if (!s.ms->kvm) {
		kfree(s.ms);
		return ERR_PTR(-ENOENT);
	}
	if (s.several) {
		vb_memslots_put(s.ms);
		return ERR_PTR(-ENOTUNIQ);
	}
	return s.ms;
}

/**
 * vb_memslots_put - let go of a VM
 * @ms: the VM
 *
 * The reference is dropped later, from a work item.
 *
 * Context: any.
 */
void vb_memslots_put(struct vb_memslots *ms)
{
	queue_work(vb_memslots_wq, &ms->put);
}

static int vb_memslots_enter(void *data)
	__acquires(srcu)
{
	struct vb_memslots *ms = data;
	int cookie = 0;

	if (VB_TEST_SRCU)
		cookie = srcu_read_lock(&ms->kvm->srcu);
	/* Address space 0: what the guest runs in, but for x86's SMM. */
	ms->slots = __kvm_memslots(ms->kvm, 0);
	return cookie;
}

static void vb_memslots_leave(void *data, int cookie)
	__releases(srcu)
{
	struct vb_memslots *ms = data;

	if (VB_TEST_SRCU)
		srcu_read_unlock(&ms->kvm->srcu, cookie);
}

static u64 vb_memslots_generation(void *data)
{
	struct vb_memslots *ms = data;

	/* Gets its last bit changed when the update is through. */
	return READ_ONCE(ms->slots->generation);
}

static u32 vb_memslots_flags(const struct kvm_memory_slot *ks)
{
	u32 flags = 0;

	if (ks->id >= KVM_USER_MEM_SLOTS)
		flags |= VHOST_BALLOON_SLOT_PRIVATE;
	if (ks->flags & KVM_MEMSLOT_INVALID)
		flags |= VHOST_BALLOON_SLOT_INVALID;
	if (ks->flags & KVM_MEM_READONLY)
		flags |= VHOST_BALLOON_SLOT_READONLY;
	if (ks->flags & VB_KVM_GUEST_MEMFD)
		flags |= VHOST_BALLOON_SLOT_GUEST_MEMFD;
	return flags;
}

static int vb_memslots_find(void *data, u64 gfn, struct vhost_balloon_slot *slot)
{
	struct vb_memslots *ms = data;
	struct kvm_memslot_iter iter;

	kvm_memslot_iter_start(&iter, ms->slots, gfn);
	if (!iter.node)
		return -ENOENT;

	slot->gfn = iter.slot->base_gfn;
	slot->nr = iter.slot->npages;
	slot->hva = iter.slot->userspace_addr;
	slot->id = iter.slot->id;
	slot->flags = vb_memslots_flags(iter.slot);
	return 0;
}

static bool vb_memslots_assigned_device(void *data)
{
	struct vb_memslots *ms = data;

	return vb_kvm_has_assigned_device(ms->kvm);
}

static void vb_memslots_release(void *data)
{
	vb_memslots_put(data);
}

const struct vhost_balloon_source_ops vb_memslots_ops = {
	.type		= VHOST_BALLOON_SOURCE_MEMSLOTS,
	.enter		= vb_memslots_enter,
	.leave		= vb_memslots_leave,
	.generation	= vb_memslots_generation,
	.find		= vb_memslots_find,
	.assigned_device = vb_memslots_assigned_device,
	.release	= vb_memslots_release,
};

/**
 * vb_memslots_init - make ready for use; at module init
 *
 * Return: 0 or -ENOMEM.
 */
int vb_memslots_init(void)
{
	vb_memslots_wq = alloc_workqueue("vhost_balloon_put", WQ_UNBOUND, 0);
	return vb_memslots_wq ? 0 : -ENOMEM;
}

/**
 * vb_memslots_exit - wait until every VM was let go of; at module exit
 */
void vb_memslots_exit(void)
{
	destroy_workqueue(vb_memslots_wq);
}
