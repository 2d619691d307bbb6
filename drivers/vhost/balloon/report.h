/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The protocol of the free page reporting queue.
 */
#ifndef _VHOST_BALLOON_REPORT_H
#define _VHOST_BALLOON_REPORT_H

#include "queue.h"

extern const struct vb_queue_ops vb_report_ops;

#endif /* _VHOST_BALLOON_REPORT_H */
