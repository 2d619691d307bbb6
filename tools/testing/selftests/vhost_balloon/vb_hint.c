// SPDX-License-Identifier: GPL-2.0
/*
 * A machine whose guest hints which of its pages are free.
 */
#include <errno.h>
#include <string.h>

#include "vb_hint.h"

int vb_hinting_open(struct vb_hinting *h, bool kvm)
{
	int ret;

	memset(&h->ram, 0, sizeof(h->ram));
	ret = vb_machine_open(&h->m, kvm, VB_HINT_FEATURES, VB_HINT_NUM);
	if (ret)
		return ret;
	h->q = vb_machine_queue(&h->m, VB_HINT_INDEX);
	ret = vb_machine_add_queue(&h->m, VB_HINT_INDEX, VB_HINT_NUM);
	if (!ret)
		ret = vb_memory_map(&h->ram, VB_MEMORY_ANON, VB_HINT_GPA, VB_HINT_PAGES * VB_PAGE);
	if (ret)
		goto out_close;
	vb_memory_fill(&h->ram, 0, VB_HINT_PAGES, VB_HINT_SEED);
	ret = vb_machine_add(&h->m, &h->ram, 0);
	if (!ret)
		ret = vb_machine_start(&h->m);
	if (!ret)
		return 0;

out_close:
	vb_hinting_close(h);
	return ret;
}

void vb_hinting_close(struct vb_hinting *h)
{
	vb_machine_close(&h->m);
	vb_memory_unmap(&h->ram);
}

int vb_hint_command(struct vb_hinting *h, __u32 cmd_id)
{
	return vb_send_command(h->q, &h->m.buf, cmd_id);
}

int vb_hint_pages(struct vb_hinting *h, unsigned int first, unsigned int nr)
{
	return vb_send_piece(h->q, VB_HINT_GPA + first * VB_PAGE, nr * VB_PAGE);
}

int vb_hint_begin(struct vb_hinting *h)
{
	__u32 cmd_id;
	int ret = vb_hint_start(h->m.backend, &cmd_id);

	return ret ? ret : vb_hint_command(h, cmd_id);
}

int vb_hint_wrong(struct vb_hinting *h, unsigned int first, unsigned int nr)
{
	__u64 bitmap[VB_HINT_PAGES / 64];
	unsigned int page, set = 0;
	int wrong = 0, ret;

	memset(bitmap, 0xff, sizeof(bitmap));
	ret = vb_hint_fetch(h->m.backend, VB_HINT_GFN, VB_HINT_PAGES, bitmap);
	if (ret < 0)
		return ret;
	for (page = 0; page < VB_HINT_PAGES; page++) {
		wrong += vb_bit(bitmap, page) != (page >= first && page < first + nr);
		set += vb_bit(bitmap, page);
	}
	return set == (unsigned int)ret ? wrong : -EPROTO;
}

__u64 vb_hint_counter(struct vb_hinting *h, enum vhost_balloon_counter counter)
{
	return vb_counter(h->m.backend, counter);
}
