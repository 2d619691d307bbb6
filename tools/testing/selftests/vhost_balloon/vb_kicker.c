// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that makes the same request over and over.
 */
#include <endian.h>
#include <errno.h>
#include <unistd.h>

#include "vb_kicker.h"

#define IN_FLIGHT	4

static int kicker_step(void *arg)
{
	struct vb_kicker *kicker = arg;
	struct vb_ring *ring = &kicker->queue->ring;
	__u32 len;
	int ret;

	while (ring->nr_free > ring->num - IN_FLIGHT) {
		ret = vb_ring_add(ring, &kicker->request, 1);
		if (ret < 0)
			return ret;
	}
	ret = vb_queue_notify(kicker->queue);
	if (ret)
		return ret;
	ret = vb_queue_wait_used(kicker->queue, ring->used_idx + IN_FLIGHT);
	if (ret)
		return ret;
	while ((ret = vb_ring_get_used(ring, NULL, &len)) == 1) {
		if (len)
			return -EPROTO;
		atomic_fetch_add(&kicker->used, 1);
	}
	return ret;
}

int vb_kicker_start(struct vb_kicker *kicker, struct vb_queue *queue, const struct vb_sg *request)
{
	kicker->queue = queue;
	kicker->request = *request;
	return vb_loop_start(&kicker->loop, kicker_step, kicker);
}

int vb_kicker_start_list(struct vb_kicker *kicker, struct vb_queue *queue, __u64 list_gpa,
			 unsigned int nr)
{
	struct vb_sg list = { .addr = list_gpa, .len = nr * sizeof(__le32) };

	return vb_kicker_start(kicker, queue, &list);
}

int vb_kicker_stop(struct vb_kicker *kicker)
{
	return vb_loop_stop(&kicker->loop);
}

int vb_kicker_wait(struct vb_kicker *kicker)
{
	unsigned long enough = atomic_load(&kicker->used) + 3 * IN_FLIGHT;

	while (atomic_load(&kicker->used) < enough) {
		if (atomic_load(&kicker->loop.error))
			return atomic_load(&kicker->loop.error);
		usleep(100);
	}
	return 0;
}

int vb_kicker_wait_discarded(struct vb_kicker *kicker, struct vb_memory *memory, unsigned int nr)
{
	__u64 end = vb_now_ms() + VB_TIMEOUT_MS;

	while (vb_memory_zero(memory, 0, nr) != nr) {
		if (atomic_load(&kicker->loop.error))
			return atomic_load(&kicker->loop.error);
		if (vb_now_ms() > end)
			return -ETIMEDOUT;
		usleep(100);
	}
	return 0;
}

void vb_write_list(void *list, __u64 gpa, unsigned int nr)
{
	__le32 *words = list;
	unsigned int i;

	for (i = 0; i < nr; i++)
		__atomic_store_n(&words[i], htole32(gpa / VB_PAGE + i), __ATOMIC_RELAXED);
}
