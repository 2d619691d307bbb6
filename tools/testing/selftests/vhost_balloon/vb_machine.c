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

static int open_backend(struct vb_machine *m, __u64 features)
{
	int ret;

	m->backend = vb_open();
	if (m->backend < 0)
		return m->backend;
	ret = vb_set_owner(m->backend);
	if (!ret)
		ret = vb_set_features(m->backend, features);
	if (!ret)
		ret = vb_machine_set_memory(m);
	return ret;
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

static int open_queue(struct vb_machine *m, struct vb_queue *q, unsigned int index,
		      __u64 features, unsigned int num)
{
	int ret = vb_queue_init(q, m->backend, index, num, NULL);

	if (!ret)
		q->ring.event_idx = features & VB_FEATURE(VIRTIO_RING_F_EVENT_IDX);
	return ret;
}

static void no_queue(struct vb_queue *q)
{
	q->kick = -1;
	q->call = -1;
	q->err = -1;
}

int vb_machine_open(struct vb_machine *m, bool kvm, __u64 features, unsigned int num)
{
	int ret = 0;

	memset(m, 0, sizeof(*m));
	m->kvm = kvm;
	m->vm.fd = -1;
	m->vm.kvm = -1;
	m->backend = -1;
	no_queue(&m->inflate);
	no_queue(&m->deflate);
	if (kvm && vb_vm_open(&m->vm))
		ret = -errno;
	if (!ret)
		ret = open_backend(m, features);
	if (!ret)
		ret = open_buf(m);
	if (!ret)
		ret = open_queue(m, &m->inflate, VB_INFLATE, features, num);
	if (!ret)
		ret = open_queue(m, &m->deflate, VB_DEFLATE, features, num);
	if (ret)
		vb_machine_close(m);
	return ret;
}

void vb_machine_close(struct vb_machine *m)
{
	if (m->backend >= 0)
		close(m->backend);
	m->backend = -1;
	vb_queue_exit(&m->inflate);
	vb_queue_exit(&m->deflate);
	vb_vm_close(&m->vm);
	if (m->buf.hva)
		munmap(m->buf.hva, m->buf.len);
	m->buf.hva = NULL;
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
