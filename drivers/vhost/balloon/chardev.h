/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /dev/vhost-balloon: the backend files.
 */
#ifndef _VHOST_BALLOON_CHARDEV_H
#define _VHOST_BALLOON_CHARDEV_H

int vb_chardev_init(void);
void vb_chardev_exit(void);

#endif /* _VHOST_BALLOON_CHARDEV_H */
