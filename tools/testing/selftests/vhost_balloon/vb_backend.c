// SPDX-License-Identifier: GPL-2.0
/*
 * A VMM in miniature.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "vb_backend.h"

__u64 vb_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

int vb_module_references(const char *name)
{
	char path[128];
	FILE *file;
	int refs;

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", name);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	if (fscanf(file, "%d", &refs) != 1)
		refs = -EIO;
	fclose(file);
	return refs;
}

int vb_ioctl(int fd, unsigned long request, void *arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

int vb_open(void)
{
	int fd = open(VB_DEVICE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int vb_set_owner(int fd)
{
	return vb_ioctl(fd, VHOST_SET_OWNER, NULL);
}

int vb_open_owned(void)
{
	int fd = vb_open();
	int ret;

	if (fd < 0)
		return fd;
	ret = vb_set_owner(fd);
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

int vb_get_features(int fd, __u64 *features)
{
	return vb_ioctl(fd, VHOST_GET_FEATURES, features);
}

int vb_set_features(int fd, __u64 features)
{
	return vb_ioctl(fd, VHOST_SET_FEATURES, &features);
}

int vb_set_mem_table(int fd, const struct vb_memory *memory, unsigned int nr)
{
	struct vhost_memory *table;
	unsigned int i;
	int ret;

	table = calloc(1, sizeof(*table) + nr * sizeof(table->regions[0]));
	if (!table)
		return -ENOMEM;
	table->nregions = nr;
	for (i = 0; i < nr; i++) {
		table->regions[i].guest_phys_addr = memory[i].gpa;
		table->regions[i].memory_size = memory[i].len;
		table->regions[i].userspace_addr = (unsigned long)memory[i].hva;
	}
	ret = vb_ioctl(fd, VHOST_SET_MEM_TABLE, table);
	free(table);
	return ret;
}

static int set_file(int fd, unsigned long request, int file)
{
	struct vhost_balloon_file arg = { .size = sizeof(arg), .fd = file };

	return vb_ioctl(fd, request, &arg);
}

int vb_set_vm(int fd, int vm)
{
	return set_file(fd, VHOST_BALLOON_SET_VM, vm);
}

int vb_set_config_call(int fd, int eventfd)
{
	return set_file(fd, VHOST_BALLOON_SET_CONFIG_CALL, eventfd);
}

int vb_get_control(int fd)
{
	struct vhost_balloon_file arg = { .size = sizeof(arg), .fd = -1 };
	int ret = vb_ioctl(fd, VHOST_BALLOON_GET_CONTROL, &arg);

	return ret < 0 ? ret : arg.fd;
}

int vb_open_id(int fd, __u64 id)
{
	struct vhost_balloon_open arg = { .size = sizeof(arg), .id = id };
	int ret = vb_ioctl(fd, VHOST_BALLOON_OPEN, &arg);

	return ret < 0 ? ret : arg.fd;
}

int vb_list_ids(int fd, __u64 *ids, unsigned int nr)
{
	struct vhost_balloon_list list = {
		.size = sizeof(list),
		.ids = (unsigned long)ids,
		.nr = nr,
	};
	int ret = vb_ioctl(fd, VHOST_BALLOON_LIST, &list);

	if (ret)
		return ret;
	return list.nr == list.total || list.nr == nr ? (int)list.total : -EPROTO;
}

int vb_set_access(int fd, __u32 access)
{
	struct vhost_balloon_access arg = { .size = sizeof(arg), .access = access };

	return vb_ioctl(fd, VHOST_BALLOON_SET_ACCESS, &arg);
}

int vb_set_running(int fd, bool running)
{
	struct vhost_balloon_running arg = { .size = sizeof(arg), .running = running };

	return vb_ioctl(fd, VHOST_BALLOON_SET_RUNNING, &arg);
}

int vb_get_config(int fd, unsigned int offset, void *data, unsigned int len)
{
	struct vhost_balloon_config arg = { .size = sizeof(arg), .offset = offset, .len = len };
	int ret;

	if (len > sizeof(arg.data))
		return -EINVAL;
	ret = vb_ioctl(fd, VHOST_BALLOON_GET_CONFIG, &arg);
	memcpy(data, arg.data, len);
	return ret;
}

int vb_set_config(int fd, unsigned int offset, const void *data, unsigned int len)
{
	struct vhost_balloon_config arg = { .size = sizeof(arg), .offset = offset, .len = len };

	if (len > sizeof(arg.data))
		return -EINVAL;
	memcpy(arg.data, data, len);
	return vb_ioctl(fd, VHOST_BALLOON_SET_CONFIG, &arg);
}

int vb_set_target(int fd, __u64 pages)
{
	struct vhost_balloon_target arg = { .size = sizeof(arg), .target = pages };

	return vb_ioctl(fd, VHOST_BALLOON_SET_TARGET, &arg);
}

int vb_set_tunables(int fd, __u64 mask, __u64 values)
{
	struct vhost_balloon_tunables arg = {
		.size = sizeof(arg), .mask = mask, .values = values,
	};

	return vb_ioctl(fd, VHOST_BALLOON_SET_TUNABLES, &arg);
}

int vb_get_tunables(int fd, __u64 *mask, __u64 *values)
{
	struct vhost_balloon_tunables arg = { .size = sizeof(arg) };
	int ret = vb_ioctl(fd, VHOST_BALLOON_GET_TUNABLES, &arg);

	*mask = arg.mask;
	*values = arg.values;
	return ret;
}

int vb_get_info(int fd, struct vhost_balloon_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	return vb_ioctl(fd, VHOST_BALLOON_GET_INFO, info);
}

int vb_get_counters(int fd, struct vhost_balloon_counters *counters)
{
	memset(counters, 0, sizeof(*counters));
	counters->size = sizeof(*counters);
	return vb_ioctl(fd, VHOST_BALLOON_GET_COUNTERS, counters);
}

__u64 vb_counter(int fd, enum vhost_balloon_counter counter)
{
	struct vhost_balloon_counters counters;

	if (vb_get_counters(fd, &counters) < 0)
		return ~0ULL;
	return counters.value[counter];
}

/* Counts what became of a page. */
static bool is_outcome(enum vhost_balloon_counter counter)
{
	return (counter >= VHOST_BALLOON_C_DISCARD_ANON &&
		counter <= VHOST_BALLOON_C_SKIP_ERROR) ||
	       counter == VHOST_BALLOON_C_SKIP_PARTIAL ||
	       counter == VHOST_BALLOON_C_SKIP_INHIBITED;
}

int vb_miscounted(int fd, const struct vhost_balloon_counters *before,
		  enum vhost_balloon_counter counter, __u64 pages)
{
	struct vhost_balloon_counters now;
	int c;

	if (vb_get_counters(fd, &now) < 0)
		return counter;
	for (c = 0; c < VHOST_BALLOON_NR_COUNTERS; c++)
		if (is_outcome(c) &&
		    now.value[c] - before->value[c] != (c == (int)counter ? pages : 0))
			return c;
	return -1;
}

__u64 vb_outcomes(const struct vhost_balloon_counters *counters)
{
	__u64 pages = counters->value[VHOST_BALLOON_C_DUPLICATE];
	int c;

	for (c = 0; c < VHOST_BALLOON_NR_COUNTERS; c++)
		if (is_outcome(c))
			pages += counters->value[c];
	return pages;
}

int vb_wait_counter(int fd, enum vhost_balloon_counter counter, __u64 value)
{
	__u64 end = vb_now_ms() + VB_TIMEOUT_MS;

	while (vb_counter(fd, counter) < value) {
		if (vb_now_ms() > end)
			return -ETIMEDOUT;
		sched_yield();
	}
	return 0;
}

int vb_get_regions(int fd, struct vhost_balloon_region *regions, unsigned int nr,
		   __u64 *generation)
{
	struct vhost_balloon_regions arg = {
		.size = sizeof(arg), .regions = (unsigned long)regions, .nr = nr,
	};
	int ret = vb_ioctl(fd, VHOST_BALLOON_GET_REGIONS, &arg);

	if (generation)
		*generation = arg.generation;
	return ret < 0 ? ret : (int)arg.total;
}

static int set_vring_state(int fd, unsigned long request, unsigned int index, unsigned int num)
{
	struct vhost_vring_state arg = { .index = index, .num = num };

	return vb_ioctl(fd, request, &arg);
}

int vb_set_vring_num(int fd, unsigned int index, unsigned int num)
{
	return set_vring_state(fd, VHOST_SET_VRING_NUM, index, num);
}

int vb_set_vring_base(int fd, unsigned int index, unsigned int base)
{
	return set_vring_state(fd, VHOST_SET_VRING_BASE, index, base);
}

int vb_get_vring_base(int fd, unsigned int index)
{
	struct vhost_vring_state arg = { .index = index };
	int ret = vb_ioctl(fd, VHOST_GET_VRING_BASE, &arg);

	return ret < 0 ? ret : (int)arg.num;
}

int vb_set_vring_addr(int fd, unsigned int index, const void *desc, const void *avail,
		      const void *used)
{
	struct vhost_vring_addr arg = {
		.index = index,
		.desc_user_addr = (unsigned long)desc,
		.avail_user_addr = (unsigned long)avail,
		.used_user_addr = (unsigned long)used,
	};

	return vb_ioctl(fd, VHOST_SET_VRING_ADDR, &arg);
}

static int set_vring_file(int fd, unsigned long request, unsigned int index, int file)
{
	struct vhost_vring_file arg = { .index = index, .fd = file };

	return vb_ioctl(fd, request, &arg);
}

int vb_set_vring_kick(int fd, unsigned int index, int eventfd)
{
	return set_vring_file(fd, VHOST_SET_VRING_KICK, index, eventfd);
}

int vb_set_vring_call(int fd, unsigned int index, int eventfd)
{
	return set_vring_file(fd, VHOST_SET_VRING_CALL, index, eventfd);
}

int vb_set_vring_err(int fd, unsigned int index, int eventfd)
{
	return set_vring_file(fd, VHOST_SET_VRING_ERR, index, eventfd);
}

/* What the backend is told of an address in the ring's memory. */
static const void *ring_addr(const struct vb_queue *q, const void *part)
{
	return (const void *)((unsigned long)part + q->to_gpa);
}

/* Tells the backend where everything is. */
static int queue_attach(struct vb_queue *q, __u16 base)
{
	int ret;

	ret = vb_set_vring_num(q->backend, q->index, q->ring.num);
	if (!ret)
		ret = vb_set_vring_base(q->backend, q->index, base);
	if (!ret)
		ret = vb_set_vring_addr(q->backend, q->index, ring_addr(q, q->ring.desc),
					ring_addr(q, q->ring.avail), ring_addr(q, q->ring.used));
	if (!ret)
		ret = vb_set_vring_kick(q->backend, q->index, q->kick);
	if (!ret)
		ret = vb_set_vring_call(q->backend, q->index, q->call);
	if (!ret)
		ret = vb_set_vring_err(q->backend, q->index, q->err);
	return ret;
}

static int queue_open(struct vb_queue *q, int backend, unsigned int index)
{
	memset(q, 0, sizeof(*q));
	q->backend = backend;
	q->index = index;
	q->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	q->call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	q->err = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return q->kick < 0 || q->call < 0 || q->err < 0 ? -errno : 0;
}

static int queue_map(struct vb_queue *q, unsigned int num, void *mem)
{
	q->mem = mem;
	q->mem_len = vb_ring_size(num);
	if (mem)
		return 0;
	q->mem = mmap(NULL, q->mem_len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (q->mem == MAP_FAILED)
		return -errno;
	q->own_mem = true;
	return 0;
}

int vb_queue_init(struct vb_queue *q, int backend, unsigned int index, unsigned int num,
		  void *mem)
{
	return vb_queue_init_at(q, backend, index, num, mem, 0);
}

int vb_queue_init_at(struct vb_queue *q, int backend, unsigned int index, unsigned int num,
		     void *mem, __u16 base)
{
	int ret;

	ret = queue_open(q, backend, index);
	if (!ret)
		ret = queue_map(q, num, mem);
	if (!ret) {
		vb_ring_init_at(&q->ring, q->mem, num, base);
		ret = queue_attach(q, base);
	}
	if (ret)
		vb_queue_exit(q);
	return ret;
}

int vb_queue_init_guest(struct vb_queue *q, int backend, unsigned int index, unsigned int num,
			const struct vb_memory *mem)
{
	int ret;

	ret = queue_open(q, backend, index);
	if (!ret)
		ret = queue_map(q, num, mem->hva);
	if (!ret) {
		q->to_gpa = mem->gpa - (unsigned long)mem->hva;
		vb_ring_init(&q->ring, q->mem, num);
		ret = queue_attach(q, 0);
	}
	if (ret)
		vb_queue_exit(q);
	return ret;
}

int vb_queue_reset(struct vb_queue *q, __u16 base)
{
	bool event_idx = q->ring.event_idx;

	memset(q->mem, 0, q->mem_len);
	vb_ring_init_at(&q->ring, q->mem, q->ring.num, base);
	q->ring.event_idx = event_idx;
	return queue_attach(q, base);
}

void vb_queue_exit(struct vb_queue *q)
{
	if (q->kick >= 0)
		close(q->kick);
	if (q->call >= 0)
		close(q->call);
	if (q->err >= 0)
		close(q->err);
	if (q->own_mem)
		munmap(q->mem, q->mem_len);
	q->kick = -1;
	q->call = -1;
	q->err = -1;
	q->own_mem = false;
}

int vb_queue_kick(struct vb_queue *q)
{
	return eventfd_write(q->kick, 1) < 0 ? -errno : 0;
}

int vb_queue_notify(struct vb_queue *q)
{
	return vb_ring_publish(&q->ring) ? vb_queue_kick(q) : 0;
}

int vb_eventfd_count(int fd)
{
	eventfd_t count;

	if (!eventfd_read(fd, &count))
		return count;
	return errno == EAGAIN ? 0 : -errno;
}

static int eventfd_wait(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int ret;

	do {
		ret = poll(&pfd, 1, VB_TIMEOUT_MS);
	} while (ret < 0 && errno == EINTR);
	if (ret < 0)
		return -errno;
	return ret ? vb_eventfd_count(fd) : -ETIMEDOUT;
}

int vb_queue_wait_call(struct vb_queue *q)
{
	return eventfd_wait(q->call);
}

int vb_queue_wait_err(struct vb_queue *q)
{
	return eventfd_wait(q->err);
}

int vb_queue_wait_used(struct vb_queue *q, __u16 idx)
{
	__u64 end = vb_now_ms() + VB_TIMEOUT_MS;

	while (vb_ring_used_idx(&q->ring) != idx) {
		if (vb_now_ms() > end)
			return -ETIMEDOUT;
		sched_yield();
	}
	return 0;
}

/* Publishes the one chain that was added, waits until it is used, and takes it. */
static int queue_finish(struct vb_queue *q, int head)
{
	__u32 len, id;
	int ret;

	if (head < 0)
		return head;
	ret = vb_queue_notify(q);
	if (!ret)
		ret = vb_queue_wait_used(q, q->ring.avail_idx);
	if (ret)
		return ret;
	ret = vb_ring_get_used(&q->ring, &id, &len);
	if (ret != 1 || id != (__u32)head)
		return -EPROTO;
	return len;
}

int vb_queue_send(struct vb_queue *q, const struct vb_sg *sg, unsigned int nr)
{
	return queue_finish(q, vb_ring_add(&q->ring, sg, nr));
}

int vb_queue_send_indirect(struct vb_queue *q, struct vring_desc *table, __u64 table_gpa,
			   const struct vb_sg *sg, unsigned int nr)
{
	return queue_finish(q, vb_ring_add_indirect(&q->ring, NULL, 0, table, table_gpa, sg, nr));
}

int vb_queue_send_pages(struct vb_queue *q, const struct vb_memory *buf, const __u32 *pages,
			unsigned int nr)
{
	struct vb_sg sg = { .addr = buf->gpa, .len = nr * sizeof(*pages) };
	__le32 *words = buf->hva;
	unsigned int i;

	if (sg.len > buf->len)
		return -ENOSPC;
	for (i = 0; i < nr; i++)
		words[i] = htole32(pages[i]);
	return vb_queue_send(q, &sg, 1);
}
