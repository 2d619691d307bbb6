/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Userspace interface of the in-kernel virtio balloon device, /dev/vhost-balloon.
 */
#ifndef _UAPI_LINUX_VHOST_BALLOON_H
#define _UAPI_LINUX_VHOST_BALLOON_H

#include <linux/ioctl.h>
#include <linux/types.h>
#include <linux/vhost.h>

/**
 * DOC: Files
 *
 * Every open of /dev/vhost-balloon gives a *backend* file. After
 * VHOST_SET_OWNER it is a balloon: it is listed, it has an id, and the standard
 * ioctls of <linux/vhost.h> plus those of this header set it up. Before that
 * it is good for VHOST_BALLOON_LIST and VHOST_BALLOON_OPEN only.
 *
 * A *control* file is what VHOST_BALLOON_OPEN and VHOST_BALLOON_GET_CONTROL
 * return. It names one balloon, and goes on to exist when the balloon is gone.
 * It takes the control ioctls, poll() and read(): poll() says EPOLLIN while
 * there are events that were not read, and EPOLLHUP once the balloon is gone.
 * read() returns one struct vhost_balloon_event.
 *
 * The control ioctls work on a backend file, too, for its own balloon.
 */

/**
 * DOC: Structures
 *
 * Every structure starts with its size in bytes, set by the caller. A shorter
 * structure than the kernel's is taken as followed by zeroes, a longer one is
 * taken if what the kernel doesn't know of it is zero. Structures grow at their
 * end. Flags and reserved fields that are not described have to be zero.
 *
 * Units are part of each description: bytes, or pages of 4096 bytes
 * whatever the page size of host and guest (virtio 1.4, section 5.5.6).
 */

/**
 * DOC: errno
 *
 * What an error means is the same for all ioctls of this header:
 *
 * * EINVAL: unknown flag, reserved field not zero, value out of range, size
 *   smaller than the first version of the structure, wrong kind of file.
 * * E2BIG: the structure is longer than the kernel's and what the kernel
 *   doesn't know of it is not zero.
 * * EFAULT: a user address can't be read or written.
 * * EPERM: the caller may not do this: not the owner, a VM of another process,
 *   or a balloon that the caller has no access to.
 * * EBUSY: not in this state: it has an owner already, or the queues are running.
 * * ENODEV: the control file's balloon is gone. Nothing but closing is left.
 * * ENOENT: no balloon of this id.
 * * ENOTTY: not an ioctl of this file.
 * * ENOMEM: out of memory; nothing has changed.
 * * EINTR: a signal that ends the process came while a lock was waited for.
 * * EOPNOTSUPP: this kernel or this balloon doesn't offer it.
 * * ENOBUFS: index of a virtqueue that doesn't exist (as in vhost).
 * * EBADF: no such file descriptor.
 */

/** VHOST_BALLOON_NAME_MAX - bytes of a balloon's name, final NUL included */
#define VHOST_BALLOON_NAME_MAX		32
/** VHOST_BALLOON_PAGE_SHIFT - the balloon's unit is 4096 bytes */
#define VHOST_BALLOON_PAGE_SHIFT	12
/** VHOST_BALLOON_NR_ROLES - number of values of enum vhost_balloon_role */
#define VHOST_BALLOON_NR_ROLES		5
/** VHOST_BALLOON_VRING_MAX - most entries of a virtqueue */
#define VHOST_BALLOON_VRING_MAX		1024

/**
 * struct vhost_balloon_file - hands a file descriptor to a backend, or out of it
 * @size: size of this structure in bytes
 * @flags: none are defined, has to be zero
 * @fd: the file descriptor; -1 takes away what was set
 * @reserved: has to be zero
 */
struct vhost_balloon_file {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 reserved;
};

/**
 * struct vhost_balloon_running - starts and stops a backend's queues
 * @size: size of this structure in bytes
 * @running: 1 starts, 0 stops; stopping waits until no queue is worked on
 */
struct vhost_balloon_running {
	__u32 size;
	__u32 running;
};

/** VHOST_BALLOON_CONFIG_MAX - size in bytes of the configuration space (struct virtio_balloon_config) */
#define VHOST_BALLOON_CONFIG_MAX	16

/**
 * struct vhost_balloon_config - a part of the device configuration space
 * @size: size of this structure in bytes
 * @flags: none are defined, has to be zero
 * @offset: first byte
 * @len: number of bytes; @offset + @len is at most VHOST_BALLOON_CONFIG_MAX
 * @data: the bytes, little-endian as the guest sees them
 *
 * VHOST_BALLOON_SET_CONFIG is for what the guest wrote: it changes ``actual``
 * and ``poison_val`` and leaves everything else of the range alone.
 */
struct vhost_balloon_config {
	__u32 size;
	__u32 flags;
	__u32 offset;
	__u32 len;
	__u8  data[VHOST_BALLOON_CONFIG_MAX];
};

/** VHOST_BALLOON_ACCESS_SAME_USER - processes of the owner's effective uid may open the balloon */
#define VHOST_BALLOON_ACCESS_SAME_USER	(1U << 0)

/**
 * struct vhost_balloon_access - who but the administrator may open a balloon
 * @size: size of this structure in bytes
 * @access: VHOST_BALLOON_ACCESS_SAME_USER or 0 (the default)
 */
struct vhost_balloon_access {
	__u32 size;
	__u32 access;
};

/**
 * struct vhost_balloon_list - the balloons that the caller may open
 * @size: size of this structure in bytes
 * @flags: none are defined, has to be zero
 * @after: list ids greater than this only; 0 for all
 * @ids: user address of an array of __u64, filled in rising order
 * @nr: in: entries that fit @ids; out: entries filled
 * @total: out: number of ids greater than @after that the caller may open
 */
struct vhost_balloon_list {
	__u32 size;
	__u32 flags;
	__aligned_u64 after;
	__aligned_u64 ids;
	__u32 nr;
	__u32 total;
};

/** VHOST_BALLOON_LIST_MAX - most entries that one VHOST_BALLOON_LIST fills */
#define VHOST_BALLOON_LIST_MAX		1024

/**
 * struct vhost_balloon_open - opens a control file for a balloon
 * @size: size of this structure in bytes
 * @flags: none are defined, has to be zero
 * @id: which one
 * @fd: out: the control file, close-on-exec
 * @reserved: has to be zero
 */
struct vhost_balloon_open {
	__u32 size;
	__u32 flags;
	__aligned_u64 id;
	__s32 fd;
	__u32 reserved;
};

/**
 * enum vhost_balloon_role - what a virtqueue is for (virtio 1.4, section 5.5.2)
 * @VHOST_BALLOON_ROLE_INFLATE: page numbers that the guest gives away
 * @VHOST_BALLOON_ROLE_DEFLATE: page numbers that the guest takes back
 * @VHOST_BALLOON_ROLE_STATS: memory statistics
 * @VHOST_BALLOON_ROLE_HINT: free page hinting
 * @VHOST_BALLOON_ROLE_REPORT: free page reporting
 */
enum vhost_balloon_role {
	VHOST_BALLOON_ROLE_INFLATE	= 0,
	VHOST_BALLOON_ROLE_DEFLATE	= 1,
	VHOST_BALLOON_ROLE_STATS	= 2,
	VHOST_BALLOON_ROLE_HINT		= 3,
	VHOST_BALLOON_ROLE_REPORT	= 4,
};

/* struct vhost_balloon_queue_info flags */
/** VHOST_BALLOON_QUEUE_READY - set up by the VMM */
#define VHOST_BALLOON_QUEUE_READY	(1U << 0)
/** VHOST_BALLOON_QUEUE_BROKEN - its ring can't be trusted; not served until it is started anew */
#define VHOST_BALLOON_QUEUE_BROKEN	(1U << 1)

/**
 * enum vhost_balloon_broken - why a virtqueue is broken
 * @VHOST_BALLOON_BROKEN_NO: it is not
 * @VHOST_BALLOON_BROKEN_AVAIL_INDEX: the available index runs ahead by more than the ring holds
 * @VHOST_BALLOON_BROKEN_HEAD: a head in the available ring is not below the ring's size
 * @VHOST_BALLOON_BROKEN_NEXT: a descriptor's next is not inside its table
 * @VHOST_BALLOON_BROKEN_LOOP: a chain is longer than its table
 * @VHOST_BALLOON_BROKEN_INDIRECT: an indirect table that was not negotiated, of bad length, or
 *   inside another one or together with NEXT, or longer than the ring
 * @VHOST_BALLOON_BROKEN_RING_ACCESS: the ring itself can't be read or written
 * @VHOST_BALLOON_BROKEN_CHAIN_SIZE: a chain holds more than 2^20 page numbers
 */
enum vhost_balloon_broken {
	VHOST_BALLOON_BROKEN_NO			= 0,
	VHOST_BALLOON_BROKEN_AVAIL_INDEX	= 1,
	VHOST_BALLOON_BROKEN_HEAD		= 2,
	VHOST_BALLOON_BROKEN_NEXT		= 3,
	VHOST_BALLOON_BROKEN_LOOP		= 4,
	VHOST_BALLOON_BROKEN_INDIRECT		= 5,
	VHOST_BALLOON_BROKEN_RING_ACCESS	= 6,
	VHOST_BALLOON_BROKEN_CHAIN_SIZE		= 7,
};

/**
 * struct vhost_balloon_queue_info - one virtqueue as part of struct vhost_balloon_info
 * @role: enum vhost_balloon_role
 * @flags: VHOST_BALLOON_QUEUE_READY, VHOST_BALLOON_QUEUE_BROKEN
 * @broken: enum vhost_balloon_broken
 * @num: entries of the ring
 * @last_avail: next available ring index that the device will look at
 * @last_used: next used ring index that the device will write
 */
struct vhost_balloon_queue_info {
	__u16 role;
	__u16 flags;
	__u32 broken;
	__u32 num;
	__u16 last_avail;
	__u16 last_used;
};

/* struct vhost_balloon_info flags */
/** VHOST_BALLOON_INFO_VDPA - the balloon is a vDPA device */
#define VHOST_BALLOON_INFO_VDPA		(1ULL << 0)
/** VHOST_BALLOON_INFO_OWNED - a process owns the balloon */
#define VHOST_BALLOON_INFO_OWNED	(1ULL << 1)
/** VHOST_BALLOON_INFO_RUNNING - the VMM has started the queues */
#define VHOST_BALLOON_INFO_RUNNING	(1ULL << 2)
/** VHOST_BALLOON_INFO_WORKER_KILLED - the worker died with its process; nothing is served any more */
#define VHOST_BALLOON_INFO_WORKER_KILLED (1ULL << 3)
/** VHOST_BALLOON_INFO_MANY_VMS - the owner has several VMs, so none was bound (vDPA) */
#define VHOST_BALLOON_INFO_MANY_VMS	(1ULL << 4)
/** VHOST_BALLOON_INFO_NO_ZAP - this kernel exports no zap: private memory is not discarded */
#define VHOST_BALLOON_INFO_NO_ZAP	(1ULL << 5)
/** VHOST_BALLOON_INFO_ABOVE_16T - guest memory lies where 32-bit page numbers don't reach */
#define VHOST_BALLOON_INFO_ABOVE_16T	(1ULL << 6)

/**
 * enum vhost_balloon_source - where a balloon knows the guest's memory from
 * @VHOST_BALLOON_SOURCE_NONE: it doesn't yet
 * @VHOST_BALLOON_SOURCE_MEMSLOTS: a KVM VM's memslots
 * @VHOST_BALLOON_SOURCE_MEMTABLE: VHOST_SET_MEM_TABLE
 * @VHOST_BALLOON_SOURCE_IOTLB: the vDPA device's IOTLB
 */
enum vhost_balloon_source {
	VHOST_BALLOON_SOURCE_NONE	= 0,
	VHOST_BALLOON_SOURCE_MEMSLOTS	= 1,
	VHOST_BALLOON_SOURCE_MEMTABLE	= 2,
	VHOST_BALLOON_SOURCE_IOTLB	= 3,
};

/**
 * struct vhost_balloon_info - what a balloon is and how it is doing
 * @size: size of this structure in bytes
 * @reserved: has to be zero
 * @flags: out: VHOST_BALLOON_INFO_*
 * @id: out: the balloon's id, never used again for another
 * @name: out: name of the vDPA device, or empty; NUL-terminated
 * @pid: out: process id of the owner, in the caller's pid namespace; 0 for
 *   none, or where it has none there
 * @source: out: enum vhost_balloon_source
 * @target: out: pages (4 KiB) that the guest is asked to give: ``num_pages``
 * @actual: out: pages (4 KiB) that the guest says it gave: ``actual``
 * @ram: out: bytes of guest memory in regions that can be discarded from
 * @features_offered: out: virtio feature bits that the device offers
 * @features: out: virtio feature bits that were negotiated
 * @generation: out: generation of the memory regions as last seen
 * @nr_regions: out: number of regions that VHOST_BALLOON_GET_REGIONS would give
 * @nr_queues: out: number of entries of @queues that are filled
 * @queues: out: the virtqueues by their index
 */
struct vhost_balloon_info {
	__u32 size;
	__u32 reserved;
	__aligned_u64 flags;
	__aligned_u64 id;
	__u8  name[VHOST_BALLOON_NAME_MAX];
	__s32 pid;
	__u32 source;
	__aligned_u64 target;
	__aligned_u64 actual;
	__aligned_u64 ram;
	__aligned_u64 features_offered;
	__aligned_u64 features;
	__aligned_u64 generation;
	__u32 nr_regions;
	__u32 nr_queues;
	struct vhost_balloon_queue_info queues[VHOST_BALLOON_NR_ROLES];
};

/**
 * enum vhost_balloon_counter - what is counted, since the balloon was made
 *
 * Counters only ever rise, and a reset doesn't clear them. The unit of page
 * counters is 4 KiB.
 *
 * @VHOST_BALLOON_C_KICKS: notifications by the guest
 * @VHOST_BALLOON_C_PASSES: times that a queue was worked on
 * @VHOST_BALLOON_C_CHAINS: descriptor chains completed
 * @VHOST_BALLOON_C_SIGNALS: interrupts to the guest for used buffers
 * @VHOST_BALLOON_C_SIGNALS_SUPPRESSED: interrupts that the guest didn't want
 * @VHOST_BALLOON_C_MALFORMED: chains that made no sense, completed all the same
 * @VHOST_BALLOON_C_BROKEN: times that a queue was marked as broken
 * @VHOST_BALLOON_C_FAULTS: times that guest memory had to be faulted in to reach a ring or buffer
 * @VHOST_BALLOON_C_INFLATED: pages that the guest gave
 * @VHOST_BALLOON_C_DEFLATED: pages that the guest took back
 * @VHOST_BALLOON_C_DUPLICATE: pages named more than once in one batch
 * @VHOST_BALLOON_C_DISCARD_OPS: operations it took to discard, all backings
 * @VHOST_BALLOON_C_DISCARD_ANON: pages discarded: anonymous memory
 * @VHOST_BALLOON_C_DISCARD_FILE: pages discarded: private file mappings
 * @VHOST_BALLOON_C_DISCARD_SHMEM: pages discarded: memfd, tmpfs, shared anonymous memory
 * @VHOST_BALLOON_C_DISCARD_HUGETLB: pages discarded: hugetlbfs
 * @VHOST_BALLOON_C_SKIP_NO_SLOT: pages skipped: no memory there that the guest knows of
 * @VHOST_BALLOON_C_SKIP_PRIVATE_SLOT: pages skipped: one of KVM's own slots
 * @VHOST_BALLOON_C_SKIP_READONLY_SLOT: pages skipped: read-only slot
 * @VHOST_BALLOON_C_SKIP_INVALID_SLOT: pages skipped: slot about to go away
 * @VHOST_BALLOON_C_SKIP_GUEST_MEMFD: pages skipped: guest_memfd slot
 * @VHOST_BALLOON_C_SKIP_UNMAPPED: pages skipped: the VMM has nothing mapped there
 * @VHOST_BALLOON_C_SKIP_PFNMAP: pages skipped: VM_PFNMAP
 * @VHOST_BALLOON_C_SKIP_IO: pages skipped: VM_IO
 * @VHOST_BALLOON_C_SKIP_LOCKED: pages skipped: mlock'ed
 * @VHOST_BALLOON_C_SKIP_NO_WRITE: pages skipped: mapped without PROT_WRITE
 * @VHOST_BALLOON_C_SKIP_VM_SEALED: pages skipped: mseal'ed
 * @VHOST_BALLOON_C_SKIP_USERFAULTFD: pages skipped: registered with a userfaultfd
 * @VHOST_BALLOON_C_SKIP_SECRETMEM: pages skipped: memfd_secret
 * @VHOST_BALLOON_C_SKIP_DAX: pages skipped: DAX file
 * @VHOST_BALLOON_C_SKIP_DEVICE: pages skipped: memory of a driver
 * @VHOST_BALLOON_C_SKIP_OTHER_FS: pages skipped: shared mapping of a file of another filesystem
 * @VHOST_BALLOON_C_SKIP_POISON: pages skipped: private file mapping while PAGE_POISON is negotiated
 * @VHOST_BALLOON_C_SKIP_FILE_SEALED: pages skipped: a seal refused the hole
 * @VHOST_BALLOON_C_SKIP_FILE_READONLY: pages skipped: the file was opened read-only
 * @VHOST_BALLOON_C_SKIP_HUGETLB_OFF: pages skipped: hugetlbfs, which is not switched on for this balloon
 * @VHOST_BALLOON_C_SKIP_HUGETLB_PART: pages skipped: only a part of a huge page
 * @VHOST_BALLOON_C_SKIP_NO_ZAP: pages skipped: private memory on a kernel that exports no zap
 * @VHOST_BALLOON_C_SKIP_ERROR: pages skipped: the operation failed for another reason
 * @VHOST_BALLOON_C_REGION_ADD: memory regions that came
 * @VHOST_BALLOON_C_REGION_DEL: memory regions that went
 * @VHOST_BALLOON_C_REGION_COMMIT: times that the memory regions were gone through
 * @VHOST_BALLOON_NR_COUNTERS: number of counters
 */
enum vhost_balloon_counter {
	VHOST_BALLOON_C_KICKS,
	VHOST_BALLOON_C_PASSES,
	VHOST_BALLOON_C_CHAINS,
	VHOST_BALLOON_C_SIGNALS,
	VHOST_BALLOON_C_SIGNALS_SUPPRESSED,
	VHOST_BALLOON_C_MALFORMED,
	VHOST_BALLOON_C_BROKEN,
	VHOST_BALLOON_C_FAULTS,
	VHOST_BALLOON_C_INFLATED,
	VHOST_BALLOON_C_DEFLATED,
	VHOST_BALLOON_C_DUPLICATE,
	VHOST_BALLOON_C_DISCARD_OPS,
	VHOST_BALLOON_C_DISCARD_ANON,
	VHOST_BALLOON_C_DISCARD_FILE,
	VHOST_BALLOON_C_DISCARD_SHMEM,
	VHOST_BALLOON_C_DISCARD_HUGETLB,
	VHOST_BALLOON_C_SKIP_NO_SLOT,
	VHOST_BALLOON_C_SKIP_PRIVATE_SLOT,
	VHOST_BALLOON_C_SKIP_READONLY_SLOT,
	VHOST_BALLOON_C_SKIP_INVALID_SLOT,
	VHOST_BALLOON_C_SKIP_GUEST_MEMFD,
	VHOST_BALLOON_C_SKIP_UNMAPPED,
	VHOST_BALLOON_C_SKIP_PFNMAP,
	VHOST_BALLOON_C_SKIP_IO,
	VHOST_BALLOON_C_SKIP_LOCKED,
	VHOST_BALLOON_C_SKIP_NO_WRITE,
	VHOST_BALLOON_C_SKIP_VM_SEALED,
	VHOST_BALLOON_C_SKIP_USERFAULTFD,
	VHOST_BALLOON_C_SKIP_SECRETMEM,
	VHOST_BALLOON_C_SKIP_DAX,
	VHOST_BALLOON_C_SKIP_DEVICE,
	VHOST_BALLOON_C_SKIP_OTHER_FS,
	VHOST_BALLOON_C_SKIP_POISON,
	VHOST_BALLOON_C_SKIP_FILE_SEALED,
	VHOST_BALLOON_C_SKIP_FILE_READONLY,
	VHOST_BALLOON_C_SKIP_HUGETLB_OFF,
	VHOST_BALLOON_C_SKIP_HUGETLB_PART,
	VHOST_BALLOON_C_SKIP_NO_ZAP,
	VHOST_BALLOON_C_SKIP_ERROR,
	VHOST_BALLOON_C_REGION_ADD,
	VHOST_BALLOON_C_REGION_DEL,
	VHOST_BALLOON_C_REGION_COMMIT,
	VHOST_BALLOON_NR_COUNTERS
};

/**
 * struct vhost_balloon_counters - all counters of a balloon
 * @size: size of this structure in bytes
 * @nr: out: number of counters that this kernel has (@value holds no more
 *   than what fits @size)
 * @value: out: by enum vhost_balloon_counter
 */
struct vhost_balloon_counters {
	__u32 size;
	__u32 nr;
	__aligned_u64 value[VHOST_BALLOON_NR_COUNTERS];
};

/* struct vhost_balloon_region flags */
/** VHOST_BALLOON_REGION_DISCARDABLE - memory may be taken from this region */
#define VHOST_BALLOON_REGION_DISCARDABLE	(1U << 0)
/** VHOST_BALLOON_REGION_READONLY - read-only slot or mapping */
#define VHOST_BALLOON_REGION_READONLY		(1U << 1)
/** VHOST_BALLOON_REGION_GUEST_MEMFD - guest_memfd slot */
#define VHOST_BALLOON_REGION_GUEST_MEMFD	(1U << 2)
/** VHOST_BALLOON_REGION_ABOVE_16T - ends above what 32-bit page numbers reach */
#define VHOST_BALLOON_REGION_ABOVE_16T		(1U << 3)

/**
 * enum vhost_balloon_backing - kind of memory, read at the time of asking
 * @VHOST_BALLOON_BACKING_UNKNOWN: not known, or several
 * @VHOST_BALLOON_BACKING_ANON: anonymous
 * @VHOST_BALLOON_BACKING_FILE: private mapping of a file
 * @VHOST_BALLOON_BACKING_SHMEM: memfd, tmpfs, shared anonymous
 * @VHOST_BALLOON_BACKING_HUGETLB: hugetlbfs
 * @VHOST_BALLOON_BACKING_OTHER: something that is never discarded
 */
enum vhost_balloon_backing {
	VHOST_BALLOON_BACKING_UNKNOWN	= 0,
	VHOST_BALLOON_BACKING_ANON	= 1,
	VHOST_BALLOON_BACKING_FILE	= 2,
	VHOST_BALLOON_BACKING_SHMEM	= 3,
	VHOST_BALLOON_BACKING_HUGETLB	= 4,
	VHOST_BALLOON_BACKING_OTHER	= 5,
};

/**
 * struct vhost_balloon_region - one region of guest memory
 * @gpa: guest physical address, bytes
 * @len: length, bytes
 * @hva: address in the owner's address space; 0 unless the caller is the owner
 * @flags: VHOST_BALLOON_REGION_*
 * @slot: KVM's slot id, or the index in the table
 * @backing: enum vhost_balloon_backing, of the region's first page
 * @reserved: zero
 */
struct vhost_balloon_region {
	__aligned_u64 gpa;
	__aligned_u64 len;
	__aligned_u64 hva;
	__u32 flags;
	__u32 slot;
	__u32 backing;
	__u32 reserved;
};

/** VHOST_BALLOON_REGIONS_MAX - most entries that one VHOST_BALLOON_GET_REGIONS fills (KVM's limit of slots) */
#define VHOST_BALLOON_REGIONS_MAX	32767

/**
 * struct vhost_balloon_regions - the guest memory that a balloon sees
 * @size: size of this structure in bytes
 * @flags: none are defined, has to be zero
 * @regions: user address of an array of struct vhost_balloon_region, filled
 *   in rising order of @gpa
 * @nr: in: entries that fit @regions; out: entries filled
 * @total: out: number of regions
 * @generation: out: generation of the regions
 *
 * KVM's private slots are not shown. The regions are looked up anew, as a
 * queue's next pass would see them.
 */
struct vhost_balloon_regions {
	__u32 size;
	__u32 flags;
	__aligned_u64 regions;
	__u32 nr;
	__u32 total;
	__aligned_u64 generation;
};

/**
 * struct vhost_balloon_target - the size that the guest is asked for
 * @size: size of this structure in bytes
 * @flags: none are defined, has to be zero
 * @target: pages (4 KiB) that the guest shall give; below 2^32
 */
struct vhost_balloon_target {
	__u32 size;
	__u32 flags;
	__aligned_u64 target;
};

/** VHOST_BALLOON_TUNE_HUGETLB - give back whole huge pages of hugetlbfs; off by default.
 *
 * A page that went back to the pool may be given to someone else. If the guest
 * takes it back while the pool is empty, its next touch is a SIGBUS in the VMM.
 */
#define VHOST_BALLOON_TUNE_HUGETLB	(1ULL << 0)

/**
 * struct vhost_balloon_tunables - what can be switched for one balloon
 * @size: size of this structure in bytes
 * @flags: none are defined, has to be zero
 * @mask: which of @values to change, VHOST_BALLOON_TUNE_*; out: those that exist
 * @values: VHOST_BALLOON_TUNE_* that are on
 */
struct vhost_balloon_tunables {
	__u32 size;
	__u32 flags;
	__aligned_u64 mask;
	__aligned_u64 values;
};

/* struct vhost_balloon_event events */
/** VHOST_BALLOON_EVENT_ACTUAL - the guest changed ``actual`` */
#define VHOST_BALLOON_EVENT_ACTUAL	(1U << 0)
/** VHOST_BALLOON_EVENT_TARGET_REACHED - ``actual`` became equal to the target */
#define VHOST_BALLOON_EVENT_TARGET_REACHED (1U << 1)
/** VHOST_BALLOON_EVENT_BROKEN - a queue was marked as broken */
#define VHOST_BALLOON_EVENT_BROKEN	(1U << 2)
/** VHOST_BALLOON_EVENT_STARTED - the queues were started */
#define VHOST_BALLOON_EVENT_STARTED	(1U << 3)
/** VHOST_BALLOON_EVENT_STOPPED - the queues were stopped */
#define VHOST_BALLOON_EVENT_STOPPED	(1U << 4)
/** VHOST_BALLOON_EVENT_GONE - the balloon is gone; poll() also says EPOLLHUP */
#define VHOST_BALLOON_EVENT_GONE	(1U << 5)
/** VHOST_BALLOON_EVENT_TARGET - the target was changed */
#define VHOST_BALLOON_EVENT_TARGET	(1U << 6)

/**
 * struct vhost_balloon_event - what read() of a control file returns
 * @size: size of the kernel's structure in bytes
 * @events: VHOST_BALLOON_EVENT_*, everything since the last read()
 * @target: pages (4 KiB) asked for, at the time of read()
 * @actual: pages (4 KiB) given, at the time of read()
 *
 * read() waits for an event unless the file is O_NONBLOCK (then EAGAIN). It
 * fills as much of the buffer as there is of the structure; a buffer shorter than
 * the structure's first version is EINVAL. When the balloon is gone and that was read,
 * read() returns 0.
 */
struct vhost_balloon_event {
	__u32 size;
	__u32 events;
	__aligned_u64 target;
	__aligned_u64 actual;
};

/*
 * The ioctls. The kernel looks at type and number only, so that a program
 * built with a longer or shorter structure gets through.
 */

/* Backend files: for the owner. */

/**
 * VHOST_BALLOON_SET_VM - bind the VM whose memory it is, by its KVM VM fd; -1 unbinds
 *
 * Takes the place of VHOST_SET_MEM_TABLE. EINVAL: not a KVM VM; EPERM: the
 * VM belongs to another process; EBUSY: the queues are running.
 */
#define VHOST_BALLOON_SET_VM		_IOW(VHOST_VIRTIO, 0xC0, struct vhost_balloon_file)
/**
 * VHOST_BALLOON_SET_RUNNING - start or stop the queues
 *
 * EINVAL at start: a queue has addresses but no size, or no queue is set up at
 * all. A ring that turns out not to be there breaks its queue. Starting twice, or
 * stopping twice, does nothing.
 */
#define VHOST_BALLOON_SET_RUNNING	_IOW(VHOST_VIRTIO, 0xC1, struct vhost_balloon_running)
/** VHOST_BALLOON_GET_CONFIG - read from the configuration space */
#define VHOST_BALLOON_GET_CONFIG	_IOWR(VHOST_VIRTIO, 0xC2, struct vhost_balloon_config)
/** VHOST_BALLOON_SET_CONFIG - pass on what the guest wrote to the configuration space */
#define VHOST_BALLOON_SET_CONFIG	_IOW(VHOST_VIRTIO, 0xC3, struct vhost_balloon_config)
/** VHOST_BALLOON_SET_CONFIG_CALL - eventfd to signal when the configuration space changes; -1 for none */
#define VHOST_BALLOON_SET_CONFIG_CALL	_IOW(VHOST_VIRTIO, 0xC4, struct vhost_balloon_file)
/** VHOST_BALLOON_GET_CONTROL - get a control file for this balloon, to hand it on */
#define VHOST_BALLOON_GET_CONTROL	_IOWR(VHOST_VIRTIO, 0xC5, struct vhost_balloon_file)
/** VHOST_BALLOON_SET_ACCESS - say who else may open this balloon */
#define VHOST_BALLOON_SET_ACCESS	_IOW(VHOST_VIRTIO, 0xC6, struct vhost_balloon_access)

/* Backend files, with or without an owner. */

/** VHOST_BALLOON_LIST - list the balloons that the caller may open */
#define VHOST_BALLOON_LIST		_IOWR(VHOST_VIRTIO, 0xC8, struct vhost_balloon_list)
/**
 * VHOST_BALLOON_OPEN - get a control file for a balloon by its id
 *
 * Needs CAP_SYS_ADMIN in the initial user namespace, or the owner's effective
 * uid where the owner allowed that with VHOST_BALLOON_SET_ACCESS.
 */
#define VHOST_BALLOON_OPEN		_IOWR(VHOST_VIRTIO, 0xC9, struct vhost_balloon_open)

/* Control files, and backend files for themselves. */

/** VHOST_BALLOON_GET_INFO - what the balloon is and how it is doing */
#define VHOST_BALLOON_GET_INFO		_IOWR(VHOST_VIRTIO, 0xCA, struct vhost_balloon_info)
/** VHOST_BALLOON_GET_COUNTERS - all counters */
#define VHOST_BALLOON_GET_COUNTERS	_IOWR(VHOST_VIRTIO, 0xCB, struct vhost_balloon_counters)
/** VHOST_BALLOON_GET_REGIONS - the guest's memory regions */
#define VHOST_BALLOON_GET_REGIONS	_IOWR(VHOST_VIRTIO, 0xCC, struct vhost_balloon_regions)
/** VHOST_BALLOON_SET_TARGET - ask the guest for memory, or give it back */
#define VHOST_BALLOON_SET_TARGET	_IOW(VHOST_VIRTIO, 0xCD, struct vhost_balloon_target)
/** VHOST_BALLOON_GET_TUNABLES - what is switched on */
#define VHOST_BALLOON_GET_TUNABLES	_IOWR(VHOST_VIRTIO, 0xD5, struct vhost_balloon_tunables)
/** VHOST_BALLOON_SET_TUNABLES - switch on or off */
#define VHOST_BALLOON_SET_TUNABLES	_IOW(VHOST_VIRTIO, 0xD6, struct vhost_balloon_tunables)

#endif /* _UAPI_LINUX_VHOST_BALLOON_H */
