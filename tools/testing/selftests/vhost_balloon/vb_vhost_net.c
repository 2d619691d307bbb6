// SPDX-License-Identifier: GPL-2.0
/*
 * vhost-net as a kicker.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/vhost.h>
#include <linux/virtio_config.h>

#include "vb_vhost_net.h"

#define TX_INDEX	1
#define RING_NUM	16
#define PACKET_GPA	0x100000ULL
/* A header of virtio's, and a frame. */
#define HEADER_LEN	12
#define PACKET_LEN	(HEADER_LEN + 64)

const char *vb_vhost_net_missing(void)
{
	/* Where modules are loaded on demand nothing is there before. */
	if (system("modprobe -qa tun vhost_net 2>/dev/null") && access("/dev/vhost-net", F_OK))
		return "no vhost_net";
	if (access("/dev/vhost-net", R_OK | W_OK))
		return "no access to /dev/vhost-net";
	if (access("/dev/net/tun", R_OK | W_OK))
		return "no access to /dev/net/tun";
	return NULL;
}

static int open_tap(void)
{
	struct ifreq request = {
		.ifr_name = "vb-tap%d",
		.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR,
	};
	int len = HEADER_LEN, ret;
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	ret = vb_ioctl(fd, TUNSETIFF, &request);
	if (!ret)
		ret = vb_ioctl(fd, TUNSETVNETHDRSZ, &len);
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

static int open_vhost(struct vb_vhost_net *net)
{
	struct vhost_vring_file backend = { .index = TX_INDEX, .fd = net->tap };
	int ret;

	net->fd = open("/dev/vhost-net", O_RDWR | O_CLOEXEC);
	if (net->fd < 0)
		return -errno;
	/* vhost's ioctls are the same for all of its devices. */
	ret = vb_set_owner(net->fd);
	if (!ret)
		ret = vb_set_features(net->fd, VB_FEATURE(VIRTIO_F_VERSION_1));
	if (!ret)
		ret = vb_set_mem_table(net->fd, &net->memory, 1);
	if (!ret)
		ret = vb_queue_init(&net->tx, net->fd, TX_INDEX, RING_NUM, NULL);
	return ret ?: vb_ioctl(net->fd, VHOST_NET_SET_BACKEND, &backend);
}

int vb_vhost_net_open(struct vb_vhost_net *net)
{
	int ret;

	memset(net, 0, sizeof(*net));
	net->fd = -1;
	net->tap = -1;
	net->tx.kick = -1;
	net->tx.call = -1;
	net->tx.err = -1;
	ret = vb_memory_map(&net->memory, VB_MEMORY_ANON, PACKET_GPA, VB_PAGE);
	if (!ret) {
		memset(net->memory.hva, 0, VB_PAGE);
		net->tap = open_tap();
		ret = net->tap < 0 ? net->tap : open_vhost(net);
	}
	if (ret)
		vb_vhost_net_close(net);
	return ret;
}

void vb_vhost_net_close(struct vb_vhost_net *net)
{
	if (net->fd >= 0)
		close(net->fd);
	if (net->tap >= 0)
		close(net->tap);
	net->fd = -1;
	net->tap = -1;
	vb_queue_exit(&net->tx);
	vb_memory_unmap(&net->memory);
}

int vb_vhost_net_send(struct vb_vhost_net *net)
{
	const struct vb_sg packet = { .addr = PACKET_GPA, .len = PACKET_LEN };
	int ret;

	while (vb_ring_get_used(&net->tx.ring, NULL, NULL) == 1)
		;
	ret = vb_ring_add(&net->tx.ring, &packet, 1);
	return ret < 0 ? ret : vb_queue_notify(&net->tx);
}
