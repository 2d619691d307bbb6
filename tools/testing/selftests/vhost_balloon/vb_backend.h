/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A VMM in miniature: what tests need to set up and run a balloon through
 * /dev/vhost-balloon.
 *
 * Functions return 0 (or what their comment says) or a negative errno; they
 * print nothing and assert nothing, so that a test may expect the error.
 */
#ifndef VB_BACKEND_H
#define VB_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>
#include <linux/vhost_balloon.h>

#include "vb_ring.h"

/** VB_DEVICE - the device node under test */
#define VB_DEVICE		"/dev/vhost-balloon"
/** VB_TIMEOUT_MS - after this a wait is given up; only hangs take that long */
#define VB_TIMEOUT_MS		60000
/** VB_PAGE - the balloon's unit, and the page size of hosts under test */
#define VB_PAGE			4096UL

/* Indices of queues on a native backend. */
#define VB_INFLATE		0
#define VB_DEFLATE		1
/* What those from 2 on are for goes by the features. */
#define VB_NR_QUEUES		5

/** VB_FEATURE - a virtio feature bit as a mask */
#define VB_FEATURE(bit)		(1ULL << (bit))

/**
 * struct vb_memory - a piece of the guest's memory, in the test's own
 * @gpa: guest physical address
 * @len: bytes
 * @hva: where it is
 */
struct vb_memory {
	__u64 gpa;
	__u64 len;
	void *hva;
};

/* Milliseconds of a clock that only goes on. */
__u64 vb_now_ms(void);

/* How many hold a module of that name. */
int vb_module_references(const char *name);

/* One ioctl: its result, or a negative errno. */
int vb_ioctl(int fd, unsigned long request, void *arg);

/* Opens the device: a file descriptor. */
int vb_open(void);
int vb_set_owner(int fd);
/* Both of them. */
int vb_open_owned(void);
int vb_get_features(int fd, __u64 *features);
int vb_set_features(int fd, __u64 features);
int vb_set_mem_table(int fd, const struct vb_memory *memory, unsigned int nr);
/* vm: a KVM VM fd, or -1 */
int vb_set_vm(int fd, int vm);
int vb_set_running(int fd, bool running);
int vb_get_config(int fd, unsigned int offset, void *data, unsigned int len);
int vb_set_config(int fd, unsigned int offset, const void *data, unsigned int len);
int vb_set_config_call(int fd, int eventfd);
/* A control file for the backend itself: a file descriptor. */
int vb_get_control(int fd);
int vb_open_id(int fd, __u64 id);
/* The ids of the balloons that may be opened, the first @nr of them. Returns how many there are. */
int vb_list_ids(int fd, __u64 *ids, unsigned int nr);
int vb_set_access(int fd, __u32 access);
int vb_set_target(int fd, __u64 pages);
int vb_set_tunables(int fd, __u64 mask, __u64 values);
int vb_get_tunables(int fd, __u64 *mask, __u64 *values);
int vb_get_info(int fd, struct vhost_balloon_info *info);
int vb_get_counters(int fd, struct vhost_balloon_counters *counters);
/* One counter; ~0 if it can't be had. */
__u64 vb_counter(int fd, enum vhost_balloon_counter counter);
/*
 * Whether, since @before, @pages pages were counted as discarded or skipped, all of them by
 * @counter: -1 if so, or else the first counter that says otherwise.
 */
int vb_miscounted(int fd, const struct vhost_balloon_counters *before,
		  enum vhost_balloon_counter counter, __u64 pages);
/* Pages that were counted as discarded or skipped, or named more than once. */
__u64 vb_outcomes(const struct vhost_balloon_counters *counters);
/* Waits until a counter has come to @value: 0 or -ETIMEDOUT. */
int vb_wait_counter(int fd, enum vhost_balloon_counter counter, __u64 value);
/* Up to @nr regions into @regions. Returns the number of all. */
int vb_get_regions(int fd, struct vhost_balloon_region *regions, unsigned int nr,
		   __u64 *generation);

/* The vring ioctls, one by one. */
int vb_set_vring_num(int fd, unsigned int index, unsigned int num);
int vb_set_vring_base(int fd, unsigned int index, unsigned int base);
/* The base: a non-negative number. */
int vb_get_vring_base(int fd, unsigned int index);
int vb_set_vring_addr(int fd, unsigned int index, const void *desc, const void *avail,
		      const void *used);
int vb_set_vring_kick(int fd, unsigned int index, int eventfd);
int vb_set_vring_call(int fd, unsigned int index, int eventfd);
int vb_set_vring_err(int fd, unsigned int index, int eventfd);

/**
 * struct vb_queue - a queue of a backend, with its ring and eventfds
 * @ring: the driver's side
 * @mem: memory of the ring
 * @mem_len: its size in bytes
 * @own_mem: @mem was mapped by vb_queue_init()
 * @to_gpa: added to addresses in @mem for a backend that wants the guest's
 * @backend: file descriptor of the backend
 * @index: the queue's index there
 * @kick: eventfd: notification of the device
 * @call: eventfd: interrupt to the driver (O_NONBLOCK)
 * @err: eventfd: the queue was marked as broken (O_NONBLOCK)
 */
struct vb_queue {
	struct vb_ring ring;
	void *mem;
	size_t mem_len;
	bool own_mem;
	unsigned long to_gpa;
	int backend;
	unsigned int index;
	int kick;
	int call;
	int err;
};

/*
 * Makes a queue with eventfds of its own and a ring of @num entries in memory
 * of its own, or in @mem (vb_ring_size() zeroed bytes) if that isn't NULL, and
 * tells the backend all of it. The queue doesn't run before vb_set_running().
 */
int vb_queue_init(struct vb_queue *q, int backend, unsigned int index, unsigned int num,
		  void *mem);
/* The same, with indices that have come to @base. */
int vb_queue_init_at(struct vb_queue *q, int backend, unsigned int index, unsigned int num,
		     void *mem, __u16 base);
/* The same for a backend that takes guest addresses of rings: in @mem, which is zeroed. */
int vb_queue_init_guest(struct vb_queue *q, int backend, unsigned int index, unsigned int num,
			const struct vb_memory *mem);
/* Empties the ring, indices at @base, and tells the backend all of it again. */
int vb_queue_reset(struct vb_queue *q, __u16 base);
/* Closes and unmaps what vb_queue_init() made; the backend isn't told. */
void vb_queue_exit(struct vb_queue *q);

/* Notifies the device, wanted or not. */
int vb_queue_kick(struct vb_queue *q);
/* Publishes what was added, and notifies the device if it wants that. */
int vb_queue_notify(struct vb_queue *q);
/* Waits for an interrupt: how many there were since the last time, or -ETIMEDOUT. */
int vb_queue_wait_call(struct vb_queue *q);
/* Waits for the queue to be marked as broken: how often that was signalled, or -ETIMEDOUT. */
int vb_queue_wait_err(struct vb_queue *q);
/* Waits until the used index has come to @idx, looking at nothing else. */
int vb_queue_wait_used(struct vb_queue *q, __u16 idx);
/* Signals of an eventfd since the last time, without waiting: 0 if there were none. */
int vb_eventfd_count(int fd);

/*
 * Makes a chain of @nr buffers available, notifies, waits until it is used, and
 * takes the used entry. Returns its length, which has to be 0.
 */
int vb_queue_send(struct vb_queue *q, const struct vb_sg *sg, unsigned int nr);
/* The same with an indirect table, which is written to @table at guest address @table_gpa. */
int vb_queue_send_indirect(struct vb_queue *q, struct vring_desc *table, __u64 table_gpa,
			   const struct vb_sg *sg, unsigned int nr);
/*
 * Writes page numbers into guest memory at @buf (its hva and gpa), makes them
 * available as one descriptor, notifies, waits until it is used, and takes the
 * used entry. Returns its length, which has to be 0.
 */
int vb_queue_send_pages(struct vb_queue *q, const struct vb_memory *buf, const __u32 *pages,
			unsigned int nr);

#endif /* VB_BACKEND_H */
