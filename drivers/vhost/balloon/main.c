// SPDX-License-Identifier: GPL-2.0
/*
 * vhost_balloon.ko: the device side of the virtio memory balloon, in the host
 * kernel.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>
#include <linux/module.h>
#include <linux/virtio_balloon.h>

#include "chardev.h"
#include "compat.h"
#include "execution.h"
#include "memslots.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/* Page numbers are in units of 4 KiB, and nothing here converts them to other pages. */
static_assert(PAGE_SHIFT == VIRTIO_BALLOON_PFN_SHIFT);

static int __init vb_init(void)
{
	int ret;

	ret = vb_memslots_init();
	if (ret)
		return ret;
	ret = vb_chardev_init();
	if (ret)
		goto err_memslots;
	if (!VB_CAN_ZAP)
		pr_info("this kernel exports no zap: private memory won't be discarded\n");
	return 0;

err_memslots:
	vb_memslots_exit();
	return ret;
}

static void __exit vb_exit(void)
{
	vb_chardev_exit();
	vb_memslots_exit();
	vb_inline_flush();
}

module_init(vb_init);
module_exit(vb_exit);

MODULE_DESCRIPTION("Device side of the virtio memory balloon");
MODULE_LICENSE("GPL");
