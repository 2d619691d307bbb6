/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is done to the pages of a batch.
 */
#ifndef _VHOST_BALLOON_BATCH_H
#define _VHOST_BALLOON_BATCH_H

#include "queue.h"

int vb_batch_discard(struct vb_queue *q);
int vb_batch_ungather(struct vb_queue *q);
int vb_batch_populate(struct vb_queue *q);
bool vb_batch_flush(struct vb_queue *q, bool all);

#endif /* _VHOST_BALLOON_BATCH_H */
