// SPDX-License-Identifier: GPL-2.0
/*
 * What a guest's driver writes into the queues for statistics, hints and reports.
 */
#include <endian.h>
#include <string.h>

#include "vb_driver.h"

void vb_put_stat(void *buf, unsigned int i, __u16 tag, __u64 value)
{
	const __le16 le_tag = htole16(tag);
	const __le64 le_value = htole64(value);
	char *at = (char *)buf + i * VB_STAT_SIZE;

	memcpy(at, &le_tag, sizeof(le_tag));
	memcpy(at + sizeof(le_tag), &le_value, sizeof(le_value));
}

int vb_send_piece(struct vb_queue *q, __u64 gpa, __u32 bytes)
{
	const struct vb_sg sg = VB_PIECE(gpa, bytes);

	return vb_queue_send(q, &sg, 1);
}

int vb_send_command(struct vb_queue *q, const struct vb_memory *buf, __u32 cmd_id)
{
	const struct vb_sg sg = { .addr = buf->gpa, .len = sizeof(cmd_id) };
	const __le32 word = htole32(cmd_id);

	memcpy(buf->hva, &word, sizeof(word));
	return vb_queue_send(q, &sg, 1);
}

static void *watch(void *arg)
{
	struct vb_watch *w = arg;

	while (vb_ring_used_idx(&w->q->ring) != w->idx)
		;
	w->seen = __atomic_load_n(w->word, __ATOMIC_RELAXED);
	return NULL;
}

int vb_watch_begin(struct vb_watch *w, struct vb_queue *q, const __u64 *word)
{
	w->q = q;
	w->word = word;
	w->idx = q->ring.avail_idx + 1;
	return -pthread_create(&w->thread, NULL, watch, w);
}

int vb_watch_end(struct vb_watch *w)
{
	return -pthread_join(w->thread, NULL);
}
