// SPDX-License-Identifier: GPL-2.0
/*
 * Random rings, requests and kicks; and the setting up of balloons that they need.
 */
#include <endian.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>
#include <sys/eventfd.h>

#include "vb_control.h"
#include "vb_fuzz.h"
#include "vb_hostile.h"

#define ALL_FEATURES	(VB_FEATURE(VIRTIO_F_VERSION_1) | \
			 VB_FEATURE(VIRTIO_RING_F_INDIRECT_DESC) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_MUST_TELL_HOST) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_STATS_VQ) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_FREE_PAGE_HINT) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_REPORTING))

/* Where the parts of a ring of any size are in its memory. */
#define AVAIL_OFFSET	(16UL << 10)
#define USED_OFFSET	(20UL << 10)
#define MAX_RING_SHIFT	6
#define MAX_KICKS	16

static void lay_ring(struct vb_fuzzer *f, unsigned int i, unsigned int index)
{
	const struct vb_memory memory = vb_fuzz_ring_memory(f->w, i, index);
	struct vb_ring *ring = &f->w->balloons[i].rings[index];

	memset(memory.hva, 0, memory.len);
	ring->desc = memory.hva;
	ring->avail = memory.hva + AVAIL_OFFSET;
	ring->used = memory.hva + USED_OFFSET;
	/* Whoever sees it finds the rest, too. */
	__atomic_store_n(&ring->num, 1U << vb_fuzz_below(f, MAX_RING_SHIFT + 1), __ATOMIC_RELEASE);
}

/* A vDPA device is told the guest's addresses. */
static unsigned long ring_distance(const struct vb_fuzz *w, unsigned int i)
{
	return i == VB_FUZZ_NATIVE ? w->buf.gpa - (unsigned long)w->buf.hva : 0;
}

static int set_up_queue(struct vb_fuzzer *f, unsigned int i, unsigned int index)
{
	unsigned long distance = ring_distance(f->w, i);
	struct vb_fuzz_balloon *b = &f->w->balloons[i];
	struct vb_ring *ring = &b->rings[index];
	int ret;

	lay_ring(f, i, index);
	ret = vb_set_vring_num(b->fd, index, ring->num);
	if (!ret)
		ret = vb_set_vring_base(b->fd, index, 0);
	if (!ret)
		ret = vb_set_vring_addr(b->fd, index, (void *)ring->desc + distance,
					(void *)ring->avail + distance,
					(void *)ring->used + distance);
	if (!ret)
		ret = vb_set_vring_kick(b->fd, index, b->kick[index]);
	if (!ret)
		ret = vb_set_vring_call(b->fd, index, b->call[index]);
	return ret;
}

static __u64 choose_features(struct vb_fuzzer *f)
{
	__u64 features = ALL_FEATURES;

	if (vb_fuzz_rarely(f, 2))
		features |= VB_FEATURE(VIRTIO_RING_F_EVENT_IDX);
	if (vb_fuzz_rarely(f, 4))
		features |= VB_FEATURE(VIRTIO_BALLOON_F_PAGE_POISON);
	if (vb_fuzz_rarely(f, 4))
		features &= ~VB_FEATURE(VIRTIO_BALLOON_F_MUST_TELL_HOST);
	return features;
}

static int set_up_memory(struct vb_fuzzer *f, int fd)
{
	struct vb_memory table[2] = { f->w->buf, f->w->arena };

	if (!vb_fuzz_rarely(f, 4))
		return vb_set_vm(fd, f->w->vm.fd);
	return vb_set_mem_table(fd, table, 2);
}

static int set_up_vdpa(struct vb_fuzzer *f)
{
	struct vb_fuzz_balloon *b = &f->w->balloons[VB_FUZZ_NATIVE];
	struct vhost_vring_state enable = { .num = 1 };
	unsigned int index;
	__u8 none = 0;
	int ret;

	ret = vb_ioctl(b->fd, VHOST_VDPA_SET_STATUS, &none);
	if (!ret)
		ret = vb_vdpa_negotiate(&f->w->vdpa, choose_features(f));
	for (index = 0; index < VB_NR_QUEUES && !ret; index++) {
		ret = set_up_queue(f, VB_FUZZ_NATIVE, index);
		enable.index = index;
		if (!ret)
			ret = vb_ioctl(b->fd, VHOST_VDPA_SET_VRING_ENABLE, &enable);
	}
	if (!ret)
		ret = vb_vdpa_add_status(&f->w->vdpa, VIRTIO_CONFIG_S_DRIVER_OK);
	return ret < 0 ? ret : 0;
}

static int set_up_native(struct vb_fuzzer *f, unsigned int i)
{
	struct vb_fuzz_balloon *b = &f->w->balloons[i];
	unsigned int index;
	int ret;

	vb_set_running(b->fd, false);
	vb_set_owner(b->fd);
	vb_set_tunables(b->fd, VHOST_BALLOON_TUNE_POPULATE,
			vb_fuzz_rarely(f, 2) ? VHOST_BALLOON_TUNE_POPULATE : 0);
	ret = vb_set_features(b->fd, choose_features(f));
	if (!ret)
		ret = set_up_memory(f, b->fd);
	for (index = 0; index < VB_NR_QUEUES && !ret; index++)
		ret = set_up_queue(f, i, index);
	return ret ? ret : vb_set_running(b->fd, true);
}

void vb_fuzz_set_up(struct vb_fuzzer *f)
{
	unsigned int i = vb_fuzz_below(f, VB_FUZZ_BALLOONS);
	int ret;

	f->doing = "setting up";
	if (f->w->balloons[i].fd < 0)
		return;
	ret = i == VB_FUZZ_NATIVE ? set_up_vdpa(f) : set_up_native(f, i);
	vb_fuzz_add(f->w, VB_FUZZ_SETUPS, !ret);
}

static struct vb_ring *choose_ring(struct vb_fuzzer *f, unsigned int *i, unsigned int *index)
{
	struct vb_ring *ring;

	*i = vb_fuzz_below(f, VB_FUZZ_BALLOONS);
	*index = vb_fuzz_below(f, VB_NR_QUEUES);
	ring = &f->w->balloons[*i].rings[*index];
	return __atomic_load_n(&ring->num, __ATOMIC_ACQUIRE) ? ring : NULL;
}

static void kick(struct vb_fuzzer *f, unsigned int i, unsigned int index, unsigned int nr)
{
	unsigned int k;

	for (k = 0; k < nr; k++)
		if (!eventfd_write(f->w->balloons[i].kick[index], 1))
			vb_fuzz_add(f->w, VB_FUZZ_KICKS, 1);
}

void vb_fuzz_kick(struct vb_fuzzer *f)
{
	f->doing = "kicking";
	kick(f, vb_fuzz_below(f, VB_FUZZ_BALLOONS), vb_fuzz_below(f, VB_NR_QUEUES),
	     1 + vb_fuzz_below(f, MAX_KICKS));
}

/* A word of a ring becomes another one. */
static void change_word(struct vb_fuzzer *f, struct vb_ring *ring)
{
	__u16 *desc = (__u16 *)ring->desc, *avail = (__u16 *)ring->avail;
	__u16 *used = (__u16 *)ring->used;

	switch (vb_fuzz_below(f, 4)) {
	case 0:
		avail[vb_fuzz_below(f, ring->num + 3)] = vb_random(&f->state);
		break;
	case 1:
		avail[1] += vb_fuzz_below(f, ring->num + 1);
		break;
	case 2:
		used[vb_fuzz_below(f, 4 * ring->num + 3)] = vb_random(&f->state);
		break;
	default:
		desc[vb_fuzz_below(f, 8 * ring->num)] = vb_random(&f->state);
		break;
	}
}

/* A ring is written at random, or a word of it. */
void vb_fuzz_ring(struct vb_fuzzer *f)
{
	unsigned int i, index;
	struct vb_ring *ring = choose_ring(f, &i, &index);

	f->doing = "ring";
	if (!ring)
		return;
	if (vb_fuzz_rarely(f, 2))
		change_word(f, ring);
	else
		vb_random_ring(&f->state, ring, f->w->buf.hva + VB_TABLE_OFFSET,
			       f->w->buf.hva + VB_TABLE2_OFFSET);
	vb_fuzz_add(f->w, VB_FUZZ_RINGS, 1);
	kick(f, i, index, vb_fuzz_below(f, 3));
}

/* A command to begin, or a run of pages. */
static void hint_desc(struct vb_fuzzer *f, unsigned int i, struct vring_desc *desc)
{
	unsigned long offset = 3 * VB_PAGE;
	int fd = i == VB_FUZZ_NATIVE ? f->w->vdpa.control : f->w->balloons[i].fd;
	struct vhost_balloon_info info;

	if (!vb_fuzz_rarely(f, 3) || vb_get_info(fd, &info)) {
		vb_ring_set_desc(desc, VB_FUZZ_GPA + vb_fuzz_below(f, 2048) * VB_PAGE,
				 (1 + vb_fuzz_below(f, 512)) * VB_PAGE, VRING_DESC_F_WRITE, 0);
		return;
	}
	*(__le32 *)(f->w->buf.hva + offset) = htole32(info.hint_cmd_id);
	vb_ring_set_desc(desc, f->w->buf.gpa + offset, 4, 0, 0);
}

/* What a driver sends on a queue of that number, if its balloon has all five. */
static void good_desc(struct vb_fuzzer *f, unsigned int i, unsigned int index,
		      struct vring_desc *desc)
{
	unsigned long offset = 4 * VB_PAGE + vb_fuzz_below(f, 16 * VB_PAGE) / 4 * 4;
	__u32 page = vb_fuzz_below(f, VB_FUZZ_WINDOWS * VB_FUZZ_WINDOW / VB_PAGE);

	switch (index) {
	case VHOST_BALLOON_ROLE_INFLATE:
	case VHOST_BALLOON_ROLE_DEFLATE:
		vb_ring_set_desc(desc, f->w->buf.gpa + offset, 4 * (1 + vb_fuzz_below(f, 1024)),
				 0, 0);
		break;
	case VHOST_BALLOON_ROLE_STATS:
		vb_ring_set_desc(desc, f->w->buf.gpa + offset, 10 * vb_fuzz_below(f, 20), 0, 0);
		break;
	case VHOST_BALLOON_ROLE_HINT:
		hint_desc(f, i, desc);
		break;
	default:
		vb_ring_set_desc(desc, VB_FUZZ_GPA + page * VB_PAGE,
				 (1 + vb_fuzz_below(f, 1024)) * VB_PAGE, VRING_DESC_F_WRITE, 0);
		break;
	}
}

/* A request as it should be. */
void vb_fuzz_request(struct vb_fuzzer *f)
{
	unsigned int i, index, head;
	struct vb_ring *ring = choose_ring(f, &i, &index);
	__u16 idx;

	f->doing = "request";
	if (!ring)
		return;
	head = vb_fuzz_below(f, ring->num);
	good_desc(f, i, index, &ring->desc[head]);
	idx = le16toh(__atomic_load_n(&ring->avail->idx, __ATOMIC_RELAXED));
	vb_ring_set_avail(ring, idx, head);
	vb_ring_set_avail_idx(ring, idx + 1);
	vb_fuzz_add(f->w, VB_FUZZ_REQUESTS, 1);
	kick(f, i, index, 1);
}
