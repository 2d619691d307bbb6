/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vhost-net as a kicker: the worker of its that sends packets signals an eventfd for each.
 *
 * Functions return 0 (or what their comment says) or a negative errno.
 */
#ifndef VB_VHOST_NET_H
#define VB_VHOST_NET_H

#include "vb_memory.h"

/**
 * struct vb_vhost_net - a network device that has nothing but a queue to send by
 * @fd: the vhost-net
 * @tap: where the packets go
 * @memory: where they come from
 * @tx: the queue; its call eventfd is what is signalled
 */
struct vb_vhost_net {
	int fd;
	int tap;
	struct vb_memory memory;
	struct vb_queue tx;
};

/* Why there is none, or NULL. */
const char *vb_vhost_net_missing(void);
int vb_vhost_net_open(struct vb_vhost_net *net);
void vb_vhost_net_close(struct vb_vhost_net *net);
/* Has a packet sent, which ends in a signal of the queue's call eventfd. */
int vb_vhost_net_send(struct vb_vhost_net *net);

#endif /* VB_VHOST_NET_H */
