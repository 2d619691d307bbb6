// SPDX-License-Identifier: GPL-2.0
/*
 * One balloon on the vDPA bus: struct vdpa_config_ops in terms of
 * <linux/vhost_balloon.h>.
 *
 * The bus driver that matters is vhost-vdpa, which hands the device on to a VMM:
 * the VMM opens /dev/vhost-vdpa-N and becomes its owner (bind_mm), negotiates,
 * and sets DRIVER_OK. On close the device is reset, then unbound. The balloon
 * itself is there from ``vdpa dev add`` on, with whatever target it was given.
 *
 * Operations are serialized by the bus driver (vhost-vdpa: the mutex of its file),
 * with three exceptions: kick_vq may be called at any time and in any context, dma_map
 * and dma_unmap under mmap_lock, and the netlink commands of the bus read
 * status and features on their own. What those read is written with WRITE_ONCE().
 */

#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/vdpa.h>
#include <linux/vhost_balloon.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/wait_bit.h>

#include "compat.h"
#include "device.h"
#include "iotlb.h"

/*
 * Of no meaning to the balloon: it is offered because VMMs want to see that the
 * device goes by the addresses that it is given. Guests need not accept it.
 */
#define TRANSPORT_FEATURES	BIT_ULL(VIRTIO_F_ACCESS_PLATFORM)

/* Neither rings nor anything else has to be aligned better than the legacy interface did it. */
#define VQ_ALIGN		4096

/* There is no vendor. */
#define VENDOR_ID		0

/**
 * struct vdpa_balloon_call - an interrupt of the device
 * @lock: protects @cb: it doesn't change while it is called, and isn't called
 *	any more when it was changed. Taken with interrupts off, because an eventfd is
 *	signalled under it.
 * @cb: the bus driver's function
 */
struct vdpa_balloon_call {
	spinlock_t lock;	/* protects cb */
	struct vdpa_callback cb;
};

/**
 * struct vdpa_balloon - a balloon on the vDPA bus
 * @vdpa: what the bus knows of it
 * @vb: the balloon
 * @iotlb: what the VMM mapped for the device; has its own lock
 * @config_call: interrupt for a change of the configuration space
 * @vq_call: interrupts of the virtqueues
 * @offered: feature bits that are offered
 * @features: feature bits that the driver accepted
 * @status: virtio device status
 * @bound: there is a VMM
 */
struct vdpa_balloon {
	struct vdpa_device vdpa;
	struct vhost_balloon *vb;
	struct vdpa_balloon_iotlb iotlb;
	struct vdpa_balloon_call config_call;
	struct vdpa_balloon_call vq_call[VHOST_BALLOON_NR_ROLES];
	u64 offered;
	u64 features;
	u8 status;
	bool bound;
};

/* Devices that were not freed yet: the bus still needs this module for them. */
static atomic_t nr_devices = ATOMIC_INIT(0);

static const struct vdpa_callback no_callback;

static struct vdpa_balloon *to_balloon(struct vdpa_device *vdev)
{
	return container_of(vdev, struct vdpa_balloon, vdpa);
}

/* Interrupts */

static void call_fn(void *arg)
{
	struct vdpa_balloon_call *call = arg;
	unsigned long flags;

	spin_lock_irqsave(&call->lock, flags);
	if (call->cb.callback)
		call->cb.callback(call->cb.private);
	spin_unlock_irqrestore(&call->lock, flags);
}

static struct vhost_balloon_callback call_set(struct vdpa_balloon_call *call,
					      const struct vdpa_callback *cb)
{
	struct vhost_balloon_callback callback = {};
	unsigned long flags;

	/*
	 * VMMs change the callback of a running queue. Replacing it here, and
	 * not in the balloon, leaves no moment without one.
	 */
	spin_lock_irqsave(&call->lock, flags);
	call->cb = *cb;
	spin_unlock_irqrestore(&call->lock, flags);

	if (cb->callback) {
		callback.fn = call_fn;
		callback.arg = call;
	}
	return callback;
}

static void vdpa_balloon_set_vq_cb(struct vdpa_device *vdev, u16 idx, struct vdpa_callback *cb)
{
	struct vdpa_balloon *balloon = to_balloon(vdev);

	vhost_balloon_set_vq_callback(balloon->vb, idx, call_set(&balloon->vq_call[idx], cb));
}

static void vdpa_balloon_set_config_cb(struct vdpa_device *vdev, struct vdpa_callback *cb)
{
	struct vdpa_balloon *balloon = to_balloon(vdev);

	vhost_balloon_set_config_callback(balloon->vb, call_set(&balloon->config_call, cb));
}

/* Virtqueues */

static int vdpa_balloon_set_vq_address(struct vdpa_device *vdev, u16 idx, u64 desc_area,
				       u64 driver_area, u64 device_area)
{
	return vhost_balloon_set_vq_addr(to_balloon(vdev)->vb, idx, desc_area, driver_area,
					 device_area);
}

static void vdpa_balloon_set_vq_num(struct vdpa_device *vdev, u16 idx, u32 num)
{
	/* The bus takes no error; a queue of a bad size doesn't start. */
	vhost_balloon_set_vq_num(to_balloon(vdev)->vb, idx, num);
}

static void vdpa_balloon_kick_vq(struct vdpa_device *vdev, u16 idx)
{
	vhost_balloon_kick(to_balloon(vdev)->vb, idx);
}

static void vdpa_balloon_set_vq_ready(struct vdpa_device *vdev, u16 idx, bool ready)
{
	vhost_balloon_set_vq_ready(to_balloon(vdev)->vb, idx, ready);
}

static bool vdpa_balloon_get_vq_ready(struct vdpa_device *vdev, u16 idx)
{
	return vhost_balloon_get_vq_ready(to_balloon(vdev)->vb, idx);
}

static int vdpa_balloon_set_vq_state(struct vdpa_device *vdev, u16 idx,
				     const struct vdpa_vq_state *state)
{
	return vhost_balloon_set_vq_base(to_balloon(vdev)->vb, idx, state->split.avail_index);
}

static int vdpa_balloon_get_vq_state(struct vdpa_device *vdev, u16 idx,
				     struct vdpa_vq_state *state)
{
	return vhost_balloon_get_vq_base(to_balloon(vdev)->vb, idx, &state->split.avail_index);
}

static u32 vdpa_balloon_get_vq_align(struct vdpa_device *vdev)
{
	return VQ_ALIGN;
}

static u32 vdpa_balloon_get_vq_group(struct vdpa_device *vdev, u16 idx)
{
	return 0;
}

static u16 vdpa_balloon_get_vq_num_max(struct vdpa_device *vdev)
{
	return VHOST_BALLOON_VRING_MAX;
}

/* Identity and features */

static u32 vdpa_balloon_get_device_id(struct vdpa_device *vdev)
{
	return VIRTIO_ID_BALLOON;
}

static u32 vdpa_balloon_get_vendor_id(struct vdpa_device *vdev)
{
	return VENDOR_ID;
}

/**
 * vdpa_balloon_supported_features - feature bits that a vDPA balloon can offer
 *
 * Return: virtio feature bits.
 */
u64 vdpa_balloon_supported_features(void)
{
	return vhost_balloon_features() | BIT_ULL(VIRTIO_F_VERSION_1) | TRANSPORT_FEATURES;
}

/**
 * vdpa_balloon_default_features - feature bits that a vDPA balloon offers unless told otherwise
 *
 * Return: virtio feature bits.
 */
u64 vdpa_balloon_default_features(void)
{
	return vhost_balloon_default_features() | BIT_ULL(VIRTIO_F_VERSION_1) | TRANSPORT_FEATURES;
}

static u64 vdpa_balloon_get_device_features(struct vdpa_device *vdev)
{
	return to_balloon(vdev)->offered;
}

static int vdpa_balloon_set_driver_features(struct vdpa_device *vdev, u64 features)
{
	struct vdpa_balloon *balloon = to_balloon(vdev);
	int err;

	if (features & ~balloon->offered)
		return -EINVAL;
	err = vhost_balloon_set_features(balloon->vb, features & ~TRANSPORT_FEATURES);
	if (err)
		return err;
	WRITE_ONCE(balloon->features, features);
	return 0;
}

static u64 vdpa_balloon_get_driver_features(struct vdpa_device *vdev)
{
	return READ_ONCE(to_balloon(vdev)->features);
}

/* Life cycle */

static u8 vdpa_balloon_get_status(struct vdpa_device *vdev)
{
	return READ_ONCE(to_balloon(vdev)->status);
}

static int start(struct vdpa_balloon *balloon)
{
	if (!balloon->bound)
		return -EPERM;
	if (balloon->status & VIRTIO_CONFIG_S_FAILED)
		return -EIO;
	return vhost_balloon_start(balloon->vb);
}

static void vdpa_balloon_set_status(struct vdpa_device *vdev, u8 status)
{
	struct vdpa_balloon *balloon = to_balloon(vdev);
	u8 set = status & ~balloon->status;

	/*
	 * Without a VMM there is no memory to serve. This also keeps the host's
	 * own balloon driver away (virtio-vdpa): it would give away the memory of
	 * the host to nobody.
	 */
	if ((set & VIRTIO_CONFIG_S_FEATURES_OK) && !balloon->bound)
		status &= ~VIRTIO_CONFIG_S_FEATURES_OK;

	if (set & VIRTIO_CONFIG_S_FAILED) {
		vhost_balloon_stop(balloon->vb);
	} else if ((set & VIRTIO_CONFIG_S_DRIVER_OK) && start(balloon)) {
		/* The VMM reads it back, and finds that DRIVER_OK was not taken. */
		status &= ~VIRTIO_CONFIG_S_DRIVER_OK;
		status |= VIRTIO_CONFIG_S_FAILED;
	}
	WRITE_ONCE(balloon->status, status);
}

static int vdpa_balloon_reset(struct vdpa_device *vdev)
{
	struct vdpa_balloon *balloon = to_balloon(vdev);
	unsigned int i;

	/* When this returns, no queue is worked on any more. Mappings are kept: see reset_map. */
	vhost_balloon_reset(balloon->vb);
	for (i = 0; i < vdev->nvqs; i++)
		vhost_balloon_set_vq_callback(balloon->vb, i,
					      call_set(&balloon->vq_call[i], &no_callback));
	WRITE_ONCE(balloon->features, 0);
	WRITE_ONCE(balloon->status, 0);
	return 0;
}

static int vdpa_balloon_suspend(struct vdpa_device *vdev)
{
	vhost_balloon_stop(to_balloon(vdev)->vb);
	return 0;
}

static int vdpa_balloon_resume(struct vdpa_device *vdev)
{
	return start(to_balloon(vdev));
}

/* Configuration space */

static size_t vdpa_balloon_get_config_size(struct vdpa_device *vdev)
{
	return vhost_balloon_config_size(to_balloon(vdev)->vb);
}

static void vdpa_balloon_get_config(struct vdpa_device *vdev, unsigned int offset, void *buf,
				    unsigned int len)
{
	vhost_balloon_read_config(to_balloon(vdev)->vb, offset, buf, len);
}

static void vdpa_balloon_set_config(struct vdpa_device *vdev, unsigned int offset,
				    const void *buf, unsigned int len)
{
	/*
	 * VMMs write back all of what they have cached when the guest wrote four
	 * bytes. The balloon takes no more of it than what is the guest's to write.
	 */
	vhost_balloon_write_config(to_balloon(vdev)->vb, offset, buf, len);
}

static u32 vdpa_balloon_get_generation(struct vdpa_device *vdev)
{
	return vhost_balloon_config_generation(to_balloon(vdev)->vb);
}

/* Memory */

static struct vdpa_iova_range vdpa_balloon_get_iova_range(struct vdpa_device *vdev)
{
	return (struct vdpa_iova_range) { .first = 0, .last = U64_MAX };
}

/*
 * The device uses virtual addresses, so what is called pa is the VMM's own address.
 * opaque is the file that is mapped there, which is of no use: what lies at an
 * address is looked up when it is discarded.
 */
static int vdpa_balloon_dma_map(struct vdpa_device *vdev, unsigned int asid, u64 iova, u64 size,
				u64 pa, u32 perm, void *opaque)
{
	struct vdpa_balloon *balloon = to_balloon(vdev);
	int err;

	err = vdpa_balloon_iotlb_map(&balloon->iotlb, iova, size, pa, perm);
	if (err)
		return err;

	/* A queue may be waiting for just this piece of memory. */
	vhost_balloon_memory_changed(balloon->vb);
	return 0;
}

static int vdpa_balloon_dma_unmap(struct vdpa_device *vdev, unsigned int asid, u64 iova, u64 size)
{
	return vdpa_balloon_iotlb_unmap(&to_balloon(vdev)->iotlb, iova, size);
}

/* That this is there tells VMMs that a reset leaves the mappings alone. */
static int vdpa_balloon_reset_map(struct vdpa_device *vdev, unsigned int asid)
{
	vdpa_balloon_iotlb_clear(&to_balloon(vdev)->iotlb);
	return 0;
}

static int bind_memory(struct vdpa_balloon *balloon)
{
	int err;

	/* The VM is a file of this very process, and its slots know all of its memory. */
	err = vhost_balloon_bind_own_vm(balloon->vb);
	if (err != -ENOENT)
		return err;

	/* A VMM without KVM, or one with several VMs, has told us of its shared memory at least. */
	return vhost_balloon_set_source(balloon->vb, &vdpa_balloon_iotlb_source, &balloon->iotlb);
}

static int vdpa_balloon_bind_mm(struct vdpa_device *vdev, struct mm_struct *mm)
{
	struct vdpa_balloon *balloon = to_balloon(vdev);
	int err;

	/* The VM is looked for, and the worker made, in the owner's own thread. */
	if (WARN_ON_ONCE(mm != current->mm))
		return -EINVAL;

	/*
	 * Unloading the module removes its devices, which waits for their VMMs to
	 * go. It is better refused while there are any.
	 */
	if (!try_module_get(THIS_MODULE))
		return -ENODEV;
	err = vhost_balloon_bind(balloon->vb);
	if (err)
		goto put_module;
	err = bind_memory(balloon);
	if (err)
		goto unbind;
	balloon->bound = true;
	return 0;

unbind:
	vhost_balloon_unbind(balloon->vb);
put_module:
	module_put(THIS_MODULE);
	return err;
}

static void vdpa_balloon_unbind_mm(struct vdpa_device *vdev)
{
	struct vdpa_balloon *balloon = to_balloon(vdev);

	/*
	 * The callback stays through a reset, as drivers set it only once; but it must not
	 * outlive the file. This runs on every close, bound or not.
	 */
	vhost_balloon_set_config_callback(balloon->vb,
					  call_set(&balloon->config_call, &no_callback));
	if (!balloon->bound)
		return;

	balloon->bound = false;
	vhost_balloon_unbind(balloon->vb);
	/* Not the last thing that is run of this module, but unloading still waits for the file. */
	module_put(THIS_MODULE);
}

static void vdpa_balloon_free(struct vdpa_device *vdev)
{
	struct vdpa_balloon *balloon = to_balloon(vdev);

	if (balloon->vb)
		vhost_balloon_destroy(balloon->vb);
	vdpa_balloon_iotlb_clear(&balloon->iotlb);
	if (atomic_dec_and_test(&nr_devices))
		wake_up_var(&nr_devices);
}

static const struct vdpa_config_ops vdpa_balloon_config_ops = {
	.set_vq_address		= vdpa_balloon_set_vq_address,
	.set_vq_num		= vdpa_balloon_set_vq_num,
	.kick_vq		= vdpa_balloon_kick_vq,
	.set_vq_cb		= vdpa_balloon_set_vq_cb,
	.set_vq_ready		= vdpa_balloon_set_vq_ready,
	.get_vq_ready		= vdpa_balloon_get_vq_ready,
	.set_vq_state		= vdpa_balloon_set_vq_state,
	.get_vq_state		= vdpa_balloon_get_vq_state,
	.get_vq_align		= vdpa_balloon_get_vq_align,
	.get_vq_group		= vdpa_balloon_get_vq_group,
	.get_vq_num_max		= vdpa_balloon_get_vq_num_max,
	.get_device_id		= vdpa_balloon_get_device_id,
	.get_vendor_id		= vdpa_balloon_get_vendor_id,
	.get_device_features	= vdpa_balloon_get_device_features,
	.set_driver_features	= vdpa_balloon_set_driver_features,
	.get_driver_features	= vdpa_balloon_get_driver_features,
	.set_config_cb		= vdpa_balloon_set_config_cb,
	.get_status		= vdpa_balloon_get_status,
	.set_status		= vdpa_balloon_set_status,
	.reset			= vdpa_balloon_reset,
	.suspend		= vdpa_balloon_suspend,
	.resume			= vdpa_balloon_resume,
	.get_config_size	= vdpa_balloon_get_config_size,
	.get_config		= vdpa_balloon_get_config,
	.set_config		= vdpa_balloon_set_config,
	.get_generation		= vdpa_balloon_get_generation,
	.get_iova_range		= vdpa_balloon_get_iova_range,
	.dma_map		= vdpa_balloon_dma_map,
	.dma_unmap		= vdpa_balloon_dma_unmap,
	.reset_map		= vdpa_balloon_reset_map,
	.bind_mm		= vdpa_balloon_bind_mm,
	.unbind_mm		= vdpa_balloon_unbind_mm,
	.free			= vdpa_balloon_free,
};

static struct vhost_balloon *create_balloon(const char *name, u64 features, u32 access)
{
	struct vhost_balloon_params params = {
		.features	= features & ~TRANSPORT_FEATURES,
		.access		= access,
		.info_flags	= VHOST_BALLOON_INFO_VDPA,
	};

	/* People name the balloon by it, so a part of it won't do. */
	if (strscpy(params.name, name, sizeof(params.name)) < 0)
		return ERR_PTR(-ENAMETOOLONG);
	return vhost_balloon_create(&params);
}

static struct vdpa_balloon *alloc_device(struct device *parent, const char *name)
{
	struct vdpa_balloon *balloon;
	unsigned int i;

	balloon = vdpa_balloon_alloc_device(struct vdpa_balloon, vdpa, parent,
					    &vdpa_balloon_config_ops, name);
	if (IS_ERR(balloon))
		return balloon;

	atomic_inc(&nr_devices);
	vdpa_balloon_iotlb_init(&balloon->iotlb);
	spin_lock_init(&balloon->config_call.lock);
	for (i = 0; i < ARRAY_SIZE(balloon->vq_call); i++)
		spin_lock_init(&balloon->vq_call[i].lock);
	vdpa_balloon_set_dma_dev(&balloon->vdpa, &balloon->vdpa.dev);
	return balloon;
}

/**
 * vdpa_balloon_add - make a balloon and put it on the vDPA bus
 * @mdev: the management device that was asked for it
 * @name: name of the device
 * @features: feature bits to offer, out of vdpa_balloon_supported_features()
 * @access: VHOST_BALLOON_ACCESS_*
 *
 * The device goes away by _vdpa_unregister_device().
 *
 * Context: called by the bus, with its lock held.
 * Return: 0 or a negative errno.
 */
int vdpa_balloon_add(struct vdpa_mgmt_dev *mdev, const char *name, u64 features, u32 access)
{
	struct vdpa_balloon *balloon;
	struct vhost_balloon *vb;
	unsigned int nvqs;
	int err;

	balloon = alloc_device(mdev->device, name);
	if (IS_ERR(balloon))
		return PTR_ERR(balloon);
	balloon->vdpa.mdev = mdev;
	balloon->offered = features;

	vb = create_balloon(name, features, access);
	if (IS_ERR(vb)) {
		err = PTR_ERR(vb);
		goto put;
	}
	balloon->vb = vb;

	nvqs = vhost_balloon_nr_queues();
	if (WARN_ON_ONCE(nvqs > ARRAY_SIZE(balloon->vq_call))) {
		err = -EINVAL;
		goto put;
	}

	/* From here on the bus driver may call in. */
	err = _vdpa_register_device(&balloon->vdpa, nvqs);
	if (err)
		goto put;
	return 0;

put:
	/* Frees what there is so far. */
	put_device(&balloon->vdpa.dev);
	return err;
}

/**
 * vdpa_balloon_wait_gone - wait until all devices are freed
 *
 * For the end of the module. The devices were removed from the bus, but somebody who
 * goes through the bus at this moment may hold the last reference to one, and
 * the bus needs our operations when that is dropped.
 */
void vdpa_balloon_wait_gone(void)
{
	wait_var_event(&nr_devices, !atomic_read(&nr_devices));
	/* The last one may have told, but not returned yet. */
	synchronize_rcu_tasks();
}
