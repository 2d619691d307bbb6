// SPDX-License-Identifier: GPL-2.0
/*
 * Random steps of a VMM with a vDPA device.
 */
#include <unistd.h>
#include <linux/vhost_types.h>
#include <linux/virtio_config.h>

#include "vb_fuzz.h"

static void iotlb(struct vb_fuzzer *f)
{
	struct vb_memory part = vb_fuzz_arena_part(f, VB_FUZZ_WINDOW);
	struct vhost_msg_v2 msg = {
		.type = VHOST_IOTLB_MSG_V2,
		.iotlb = {
			.type = vb_fuzz_rarely(f, 16) ? vb_fuzz_below(f, 8) :
				vb_fuzz_rarely(f, 2) ? VHOST_IOTLB_UPDATE :
						       VHOST_IOTLB_INVALIDATE,
			.iova = VB_FUZZ_GPA + vb_fuzz_below(f, VB_FUZZ_WINDOWS) * VB_FUZZ_WINDOW,
			.size = part.len,
			.uaddr = (unsigned long)part.hva,
			.perm = vb_fuzz_below(f, 4),
		},
	};

	if (vb_fuzz_rarely(f, 16))
		msg.iotlb.iova = vb_random(&f->state);
	if (vb_fuzz_rarely(f, 4)) {
		msg.iotlb.iova = f->w->buf.gpa;
		msg.iotlb.size = f->w->buf.len;
		msg.iotlb.uaddr = (unsigned long)f->w->buf.hva;
	}
	/* What is too long wraps: else it would have all that lies behind the arena. */
	if (vb_fuzz_rarely(f, 16)) {
		msg.iotlb.iova |= 1ULL << 63;
		msg.iotlb.size = vb_fuzz_rarely(f, 2) ? 0 : 1ULL << 63 | vb_random(&f->state);
	}
	if (write(f->w->vdpa.fd, &msg, sizeof(msg)) == sizeof(msg))
		vb_fuzz_add(f->w, VB_FUZZ_VDPA_OK, 1);
}

/* A bit more, all of them gone, or any. */
static int status(struct vb_fuzzer *f)
{
	__u8 arg = vb_vdpa_status(&f->w->vdpa);

	if (vb_fuzz_rarely(f, 8))
		arg = 0;
	else if (vb_fuzz_rarely(f, 8))
		arg = vb_random(&f->state);
	else
		arg |= 1U << vb_fuzz_below(f, 4);
	return vb_ioctl(f->w->vdpa.fd, VHOST_VDPA_SET_STATUS, &arg);
}

static int config(struct vb_fuzzer *f)
{
	unsigned int offset = vb_fuzz_below(f, 18), len = vb_fuzz_below(f, 20);
	__u8 bytes[20] = {};

	if (vb_fuzz_rarely(f, 2))
		return vb_vdpa_get_config(&f->w->vdpa, offset, bytes, len);
	return vb_vdpa_set_config(&f->w->vdpa, offset, bytes, len);
}

static int ring_address(struct vb_fuzzer *f, unsigned int index)
{
	const struct vb_memory ring = vb_fuzz_ring_memory(f->w, VB_FUZZ_NATIVE, index);
	__u64 gpa = ring.gpa;

	if (vb_fuzz_rarely(f, 4))
		gpa = vb_fuzz_rarely(f, 2) ? vb_random(&f->state) & ~15ULL :
			VB_FUZZ_GPA + vb_fuzz_below(f, 1 << 24) * 2;
	return vb_set_vring_addr(f->w->vdpa.fd, index, (void *)gpa, (void *)gpa + 1024,
				 (void *)gpa + 2048);
}

static int vring(struct vb_fuzzer *f)
{
	struct vhost_vring_state state = {
		.index = vb_fuzz_below(f, VB_NR_QUEUES + 1), .num = vb_fuzz_below(f, 2),
	};
	int fd = f->w->vdpa.fd;

	switch (vb_fuzz_below(f, 7)) {
	case 0:
		return vb_set_vring_num(fd, state.index, vb_fuzz_rarely(f, 4) ?
					vb_fuzz_below(f, 3000) : 1U << vb_fuzz_below(f, 8));
	case 1:
		return vb_set_vring_base(fd, state.index, vb_fuzz_below(f, 70000));
	case 2:
		return ring_address(f, vb_fuzz_below(f, VB_NR_QUEUES));
	case 3:
		return vb_set_vring_kick(fd, state.index, vb_fuzz_fd(f));
	case 4:
		return vb_set_vring_call(fd, state.index, vb_fuzz_fd(f));
	case 5:
		return vb_get_vring_base(fd, state.index) < 0;
	default:
		return vb_ioctl(fd, VHOST_VDPA_SET_VRING_ENABLE, &state);
	}
}

static int other(struct vb_fuzzer *f)
{
	static const unsigned long requests[] = {
		VHOST_VDPA_GET_DEVICE_ID, VHOST_VDPA_GET_VRING_NUM, VHOST_VDPA_GET_IOVA_RANGE,
		VHOST_VDPA_GET_CONFIG_SIZE, VHOST_VDPA_GET_VQS_COUNT, VHOST_VDPA_SUSPEND,
		VHOST_VDPA_RESUME, VHOST_GET_FEATURES, VHOST_GET_BACKEND_FEATURES, VHOST_SET_OWNER,
		VHOST_VDPA_SET_CONFIG_CALL,
	};
	__u64 arg[8] = { (unsigned int)vb_fuzz_fd(f) };

	return vb_ioctl(f->w->vdpa.fd, requests[vb_fuzz_below(f, ARRAY_SIZE(requests))], arg);
}

/* A VMM comes, or goes. */
static void reopen(struct vb_fuzzer *f)
{
	struct vb_fuzz *w = f->w;

	if (w->balloons[VB_FUZZ_NATIVE].fd >= 0) {
		if (vb_fuzz_rarely(f, 50))
			vb_fuzz_close_balloon(w, VB_FUZZ_NATIVE);
		return;
	}
	/* One at a time. */
	if (__atomic_exchange_n(&w->opening, 1, __ATOMIC_ACQ_REL))
		return;
	if (w->balloons[VB_FUZZ_NATIVE].fd < 0 && !vb_vdpa_open(&w->vdpa)) {
		vb_vdpa_bind(&w->vdpa);
		vb_vdpa_map(&w->vdpa, &w->buf, VHOST_ACCESS_RW);
		vb_fuzz_add(w, VB_FUZZ_VDPA_OPENS, 1);
		__atomic_store_n(&w->balloons[VB_FUZZ_NATIVE].fd, w->vdpa.fd, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&w->opening, 0, __ATOMIC_RELEASE);
}

void vb_fuzz_vdpa(struct vb_fuzzer *f)
{
	int ret = -1;

	f->doing = "vDPA";
	if (!f->w->has_vdpa)
		return;
	switch (vb_fuzz_below(f, 8)) {
	case 0:
		reopen(f);
		break;
	case 1:
		/* A reset is rarer than what comes after it. */
		ret = vb_fuzz_rarely(f, 4) ? status(f) : other(f);
		break;
	case 2:
		ret = config(f);
		break;
	case 3:
	case 4:
		iotlb(f);
		break;
	default:
		ret = vring(f);
		break;
	}
	vb_fuzz_add(f->w, VB_FUZZ_VDPA_OK, !ret);
}
