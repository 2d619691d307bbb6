// SPDX-License-Identifier: GPL-2.0
/*
 * The in-kernel virtio balloon device on the vDPA bus: module and management device.
 *
 *	vdpa dev add name NAME mgmtdev vhost_balloon
 *
 * makes a balloon that any VMM with support for vhost-vdpa can drive.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/vdpa.h>
#include <linux/vhost_balloon.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <uapi/linux/vdpa.h>

#include "device.h"

/* Without it the layout of rings and configuration space would be the guest's choice. */
#define REQUIRED_FEATURES	BIT_ULL(VIRTIO_F_VERSION_1)

static bool allow_same_user;
module_param(allow_same_user, bool, 0644);
MODULE_PARM_DESC(allow_same_user,
		 "Let processes of the VMM's user control its balloon; for devices added from then on (default: off)");

static int balloon_dev_add(struct vdpa_mgmt_dev *mdev, const char *name,
			   const struct vdpa_dev_set_config *config)
{
	u64 features = vdpa_balloon_default_features();
	u32 access = 0;

	if (config->mask & BIT_ULL(VDPA_ATTR_DEV_FEATURES)) {
		features = config->device_features;
		/* The bus gives us no way to say this in its answer. */
		if (features & ~mdev->supported_features) {
			pr_err("%s: features 0x%llx are not supported\n", name,
			       features & ~mdev->supported_features);
			return -EINVAL;
		}
		if (~features & REQUIRED_FEATURES) {
			pr_err("%s: features 0x%llx are required\n", name,
			       ~features & REQUIRED_FEATURES);
			return -EINVAL;
		}
	}
	if (READ_ONCE(allow_same_user))
		access |= VHOST_BALLOON_ACCESS_SAME_USER;

	return vdpa_balloon_add(mdev, name, features, access);
}

/* Waits until the device is closed, if a VMM has it. */
static void balloon_dev_del(struct vdpa_mgmt_dev *mdev, struct vdpa_device *vdev)
{
	_vdpa_unregister_device(vdev);
}

static const struct vdpa_mgmtdev_ops balloon_mgmt_ops = {
	.dev_add	= balloon_dev_add,
	.dev_del	= balloon_dev_del,
};

static struct virtio_device_id balloon_ids[] = {
	{ VIRTIO_ID_BALLOON, VIRTIO_DEV_ANY_ID },
	{ }
};

static struct vdpa_mgmt_dev balloon_mgmt_dev = {
	.ops			= &balloon_mgmt_ops,
	.id_table		= balloon_ids,
	.config_attr_mask	= BIT_ULL(VDPA_ATTR_DEV_FEATURES),
};

static int __init vdpa_balloon_init(void)
{
	struct device *parent;
	int err;

	/* Its name is what "vdpa dev add" knows the management device by. */
	parent = root_device_register("vhost_balloon");
	if (IS_ERR(parent))
		return PTR_ERR(parent);

	balloon_mgmt_dev.device = parent;
	balloon_mgmt_dev.max_supported_vqs = vhost_balloon_nr_queues();
	balloon_mgmt_dev.supported_features = vdpa_balloon_supported_features();
	err = vdpa_mgmtdev_register(&balloon_mgmt_dev);
	if (err)
		goto unregister_parent;
	return 0;

unregister_parent:
	root_device_unregister(parent);
	return err;
}

static void __exit vdpa_balloon_exit(void)
{
	vdpa_mgmtdev_unregister(&balloon_mgmt_dev);
	vdpa_balloon_wait_gone();
	root_device_unregister(balloon_mgmt_dev.device);
}

module_init(vdpa_balloon_init);
module_exit(vdpa_balloon_exit);

MODULE_DESCRIPTION("virtio balloon device in the kernel, on the vDPA bus");
MODULE_AUTHOR("The vhost-balloon developers");
MODULE_LICENSE("GPL");
