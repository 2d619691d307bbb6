/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The protocols of the inflate and deflate queues.
 */
#ifndef _VHOST_BALLOON_INFLATE_H
#define _VHOST_BALLOON_INFLATE_H

#include "queue.h"

extern const struct vb_queue_ops vb_inflate_ops;
extern const struct vb_queue_ops vb_deflate_ops;

#endif /* _VHOST_BALLOON_INFLATE_H */
