// SPDX-License-Identifier: GPL-2.0
/*
 * A machine whose inflate queue is kicked in all kinds of ways.
 */
#include <errno.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>

#include "vb_inline.h"
#include "vb_kicker.h"

#define FEATURES	(VB_FEATURE(VIRTIO_F_VERSION_1) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_MUST_TELL_HOST))
#define LIST_BYTES	(VB_INLINE_LIST * sizeof(__le32))

_Static_assert(VB_INLINE_NUM * LIST_BYTES <= VB_BUF_LEN, "");

int vb_inline_open(struct vb_inline *s, bool kvm, enum vb_memory_kind kind, unsigned int pages)
{
	int ret = vb_machine_open(&s->m, kvm, FEATURES, VB_INLINE_NUM);

	if (!ret)
		ret = vb_memory_map(&s->ram, kind, VB_INLINE_GPA, pages * VB_PAGE);
	if (!ret)
		ret = vb_machine_add(&s->m, &s->ram, 0);
	if (ret)
		return ret;
	vb_memory_fill(&s->ram, 0, pages, VB_INLINE_SEED);
	s->worker = vb_worker_find(s->m.backend);
	if (s->worker < 0)
		return s->worker;
	return vb_machine_start(&s->m) ?: vb_inline_mark(s);
}

void vb_inline_close(struct vb_inline *s)
{
	vb_machine_close(&s->m);
	vb_memory_unmap(&s->ram);
}

int vb_inline_mark(struct vb_inline *s)
{
	int ret = vb_worker_settle(s->worker);

	if (!ret)
		ret = vb_get_counters(s->m.backend, &s->before);
	s->switches = vb_worker_switches(s->worker);
	return ret;
}

int vb_inline_post(struct vb_inline *s, unsigned int first, unsigned int nr)
{
	struct vb_ring *ring = &s->m.inflate.ring;
	unsigned long offset = ring->avail_idx % ring->num * LIST_BYTES;
	const struct vb_sg list = { .addr = VB_BUF_GPA + offset, .len = nr * sizeof(__le32) };
	int ret;

	if (nr > VB_INLINE_LIST)
		return -EINVAL;
	vb_write_list(s->m.buf.hva + offset, s->ram.gpa + first * VB_PAGE, nr);
	ret = vb_ring_add(ring, &list, 1);
	if (ret < 0)
		return ret;
	vb_ring_publish(ring);
	return 0;
}

int vb_inline_take(struct vb_inline *s)
{
	struct vb_ring *ring = &s->m.inflate.ring;
	__u32 len;
	int ret;

	if (vb_ring_used_idx(ring) != ring->avail_idx)
		return -EAGAIN;
	while ((ret = vb_ring_get_used(ring, NULL, &len)) == 1)
		if (len)
			return -EPROTO;
	return ret;
}

int vb_inline_wait(struct vb_inline *s)
{
	struct vb_queue *q = &s->m.inflate;

	return vb_queue_wait_used(q, q->ring.avail_idx) ?: vb_inline_take(s);
}

__u64 vb_inline_risen(struct vb_inline *s, enum vhost_balloon_counter counter)
{
	return vb_counter(s->m.backend, counter) - s->before.value[counter];
}

int vb_inline_misplaced(struct vb_inline *s, enum vhost_balloon_counter counter, __u64 nr)
{
	return vb_misplaced(s->m.backend, &s->before, counter, nr);
}

bool vb_inline_slept(struct vb_inline *s)
{
	return vb_worker_switches(s->worker) == s->switches;
}
