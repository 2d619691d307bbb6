// SPDX-License-Identifier: GPL-2.0
/*
 * A small machine without a processor.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_ring.h>
#include <sys/mman.h>

#include "vb_machine.h"

static int negotiate(struct vb_machine *m, __u64 features)
{
	int ret;

	m->features = features;
	ret = vb_set_features(m->backend, features);
	if (!ret)
		ret = vb_machine_set_memory(m);
	return ret;
}

static int open_backend(struct vb_machine *m, __u64 features)
{
	m->backend = vb_open_owned();
	return m->backend < 0 ? m->backend : negotiate(m, features);
}

static int open_buf(struct vb_machine *m)
{
	m->buf.gpa = VB_BUF_GPA;
	m->buf.len = VB_BUF_LEN;
	m->buf.hva = mmap(NULL, VB_BUF_LEN, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (m->buf.hva == MAP_FAILED) {
		m->buf.hva = NULL;
		return -errno;
	}
	return vb_machine_add(m, &m->buf, 0);
}

static void no_queue(struct vb_queue *q)
{
	q->kick = -1;
	q->call = -1;
	q->err = -1;
}

int vb_machine_open(struct vb_machine *m, bool kvm, __u64 features, unsigned int num)
{
	unsigned int i;
	int ret = 0;

	memset(m, 0, sizeof(*m));
	m->kvm = kvm;
	m->vm.fd = -1;
	m->vm.kvm = -1;
	m->backend = -1;
	for (i = 0; i < VB_NR_QUEUES; i++)
		no_queue(vb_machine_queue(m, i));
	if (kvm && vb_vm_open(&m->vm))
		ret = -errno;
	if (!ret)
		ret = open_backend(m, features);
	if (!ret)
		ret = open_buf(m);
	if (!ret)
		ret = vb_machine_add_queue(m, VB_INFLATE, num);
	if (!ret)
		ret = vb_machine_add_queue(m, VB_DEFLATE, num);
	if (ret)
		vb_machine_close(m);
	return ret;
}

void vb_machine_close(struct vb_machine *m)
{
	unsigned int i;

	if (m->backend >= 0)
		close(m->backend);
	m->backend = -1;
	for (i = 0; i < VB_NR_QUEUES; i++)
		vb_queue_exit(vb_machine_queue(m, i));
	vb_vm_close(&m->vm);
	if (m->buf.hva)
		munmap(m->buf.hva, m->buf.len);
	m->buf.hva = NULL;
}

struct vb_queue *vb_machine_queue(struct vb_machine *m, unsigned int index)
{
	switch (index) {
	case VB_INFLATE:
		return &m->inflate;
	case VB_DEFLATE:
		return &m->deflate;
	default:
		return &m->optional[index - 2];
	}
}

static void use_features(struct vb_machine *m, struct vb_queue *q)
{
	q->ring.event_idx = m->features & VB_FEATURE(VIRTIO_RING_F_EVENT_IDX);
}

int vb_machine_add_queue(struct vb_machine *m, unsigned int index, unsigned int num)
{
	struct vb_queue *q = vb_machine_queue(m, index);
	int ret = vb_queue_init(q, m->backend, index, num, NULL);

	if (!ret)
		use_features(m, q);
	return ret;
}

int vb_machine_reload(struct vb_machine *m, __u64 features)
{
	unsigned int i;
	int ret;

	ret = vb_ioctl(m->backend, VHOST_RESET_OWNER, NULL);
	if (!ret)
		ret = vb_set_owner(m->backend);
	if (!ret)
		ret = negotiate(m, features);
	for (i = 0; i < VB_NR_QUEUES && !ret; i++) {
		struct vb_queue *q = vb_machine_queue(m, i);

		if (!q->mem)
			continue;
		ret = vb_queue_reset(q, 0);
		use_features(m, q);
	}
	return ret;
}

int vb_machine_add(struct vb_machine *m, const struct vb_memory *memory, __u32 flags)
{
	unsigned int i = m->nr_slots;

	if (i == VB_MACHINE_SLOTS)
		return -ENOSPC;
	m->slots[i] = *memory;
	m->flags[i] = flags;
	m->nr_slots++;
	if (!m->kvm)
		return vb_machine_set_memory(m);
	if (vb_vm_set_slot(&m->vm, i, flags, memory->gpa, memory->len, memory->hva))
		return -errno;
	return 0;
}

int vb_machine_set_memory(struct vb_machine *m)
{
	if (m->kvm)
		return vb_set_vm(m->backend, m->vm.fd);
	return vb_set_mem_table(m->backend, m->slots, m->nr_slots);
}

int vb_machine_start(struct vb_machine *m)
{
	return vb_set_running(m->backend, true);
}

int vb_machine_stop(struct vb_machine *m)
{
	return vb_set_running(m->backend, false);
}

int vb_machine_inflate(struct vb_machine *m, const __u32 *pages, unsigned int nr)
{
	return vb_queue_send_pages(&m->inflate, &m->buf, pages, nr);
}

int vb_machine_deflate(struct vb_machine *m, const __u32 *pages, unsigned int nr)
{
	return vb_queue_send_pages(&m->deflate, &m->buf, pages, nr);
}
