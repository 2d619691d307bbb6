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
 * * ENOMEM: out of memory; nothing has changed, but for VHOST_BALLOON_HINT_START.
 * * EAGAIN: no thread for the worker of VHOST_SET_OWNER, by a limit of the caller's (RLIMIT_NPROC,
 *   pids of its cgroup); nothing has changed.
 * * EINTR: a signal that ends the process came while a lock was waited for. Nothing has changed, but
 *   for VHOST_BALLOON_HINT_START and VHOST_BALLOON_SET_INHIBIT.
 * * EOPNOTSUPP: this kernel or this balloon doesn't offer it.
 * * ENOBUFS: index of a virtqueue that doesn't exist (as in vhost).
 * * EBADF: no such file descriptor.
 * * EMFILE: the process has as many files as it may, or the balloon as many control files.
 * * ETIMEDOUT: the guest didn't answer in time.
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
 * The space is as long as the offered features make it (8 bytes; 12 with FREE_PAGE_HINT; 16 with
 * PAGE_POISON); what lies beyond, and fields of features that were not negotiated, read as zero.
 *
 * VHOST_BALLOON_SET_CONFIG is for what the guest wrote: it changes ``actual``, and ``poison_val``
 * unless features without PAGE_POISON were negotiated, and leaves everything else of the
 * range alone.
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
 * VHOST_BALLOON_CONTROLS_MAX - most control files of a balloon
 *
 * When a balloon has that many, whoever has opened them, VHOST_BALLOON_GET_CONTROL and
 * VHOST_BALLOON_OPEN fail with EMFILE, unless the caller has CAP_SYS_ADMIN in the initial user
 * namespace.
 */
#define VHOST_BALLOON_CONTROLS_MAX	1024

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

/** VHOST_BALLOON_ROLE_NONE - a virtqueue that no negotiated feature has a use for */
#define VHOST_BALLOON_ROLE_NONE		0xffff

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
 * @VHOST_BALLOON_BROKEN_RING_ACCESS: the ring itself can't be read or written, or its dirty log
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
 * @role: enum vhost_balloon_role, or VHOST_BALLOON_ROLE_NONE. What the indices
 *	from 2 on are for is found out when the queues are started.
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
/** VHOST_BALLOON_INFO_INHIBITED - requests are acknowledged, and nothing is discarded; &vhost_balloon_info.inhibit says why */
#define VHOST_BALLOON_INFO_INHIBITED	(1ULL << 7)
/** VHOST_BALLOON_INFO_NO_INLINE - this kernel exports no task_work_add(): all is served by the worker */
#define VHOST_BALLOON_INFO_NO_INLINE	(1ULL << 8)

/* struct vhost_balloon_info inhibit */
/** VHOST_BALLOON_INHIBIT_BACKEND - the VMM wants it (VHOST_BALLOON_SET_INHIBIT on its backend file) */
#define VHOST_BALLOON_INHIBIT_BACKEND	(1U << 0)
/** VHOST_BALLOON_INHIBIT_CONTROLLER - a controller wants it (VHOST_BALLOON_SET_INHIBIT on a control file) */
#define VHOST_BALLOON_INHIBIT_CONTROLLER (1U << 1)
/** VHOST_BALLOON_INHIBIT_ASSIGNED_DEVICE - the VM has an assigned device, which may access all of its memory */
#define VHOST_BALLOON_INHIBIT_ASSIGNED_DEVICE (1U << 2)
/** VHOST_BALLOON_INHIBIT_PINNED - the VMM has memory pinned (VmPin of /proc/PID/status) */
#define VHOST_BALLOON_INHIBIT_PINNED	(1U << 3)

/** VHOST_BALLOON_REASON_MAX - most characters of a reason to inhibit */
#define VHOST_BALLOON_REASON_MAX	32
/** VHOST_BALLOON_REASON_SIZE - bytes of a reason in a structure: NUL-terminated, zeroes to the end */
#define VHOST_BALLOON_REASON_SIZE	40

/**
 * enum vhost_balloon_hint_state - how far free page hinting is
 * @VHOST_BALLOON_HINT_IDLE: it was never started, or the guest's driver was reset since
 * @VHOST_BALLOON_HINT_REQUESTED: started; the guest hasn't begun to report
 * @VHOST_BALLOON_HINT_RUNNING: the guest is reporting its free pages
 * @VHOST_BALLOON_HINT_REPORTED: the guest has reported all of them
 * @VHOST_BALLOON_HINT_STOPPED: stopped by VHOST_BALLOON_HINT_STOP; the guest holds the pages back
 * @VHOST_BALLOON_HINT_DONE: ended by VHOST_BALLOON_HINT_STOP with VHOST_BALLOON_HINT_STOP_DONE; the guest has the pages again
 */
enum vhost_balloon_hint_state {
	VHOST_BALLOON_HINT_IDLE		= 0,
	VHOST_BALLOON_HINT_REQUESTED	= 1,
	VHOST_BALLOON_HINT_RUNNING	= 2,
	VHOST_BALLOON_HINT_REPORTED	= 3,
	VHOST_BALLOON_HINT_STOPPED	= 4,
	VHOST_BALLOON_HINT_DONE		= 5,
};

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
 * @ram: out: bytes of guest memory in regions that can be discarded from, as last seen
 * @features_offered: out: virtio feature bits that the device offers
 * @features: out: virtio feature bits that were negotiated
 * @generation: out: generation of the memory regions as last seen
 * @nr_regions: out: number of regions as last seen; VHOST_BALLOON_GET_REGIONS looks anew
 * @nr_queues: out: number of entries of @queues that are filled
 * @queues: out: the virtqueues by their index
 * @inhibit: out: why nothing is discarded, VHOST_BALLOON_INHIBIT_*; 0 if it is
 * @hint_state: out: enum vhost_balloon_hint_state
 * @hint_cmd_id: out: command id of the last VHOST_BALLOON_HINT_START; 0 for none
 * @poison_val: out: what the guest fills free pages with; 0 unless PAGE_POISON was negotiated
 * @stats_interval: out: milliseconds between two samples of statistics; 0: no polling
 * @reserved2: zero
 * @reason_backend: out: the VMM's reason to inhibit, or empty
 * @reason_controller: out: the controller's reason to inhibit, or empty
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
	__u32 inhibit;
	__u32 hint_state;
	__u32 hint_cmd_id;
	__u32 poison_val;
	__u32 stats_interval;
	__u32 reserved2;
	__u8  reason_backend[VHOST_BALLOON_REASON_SIZE];
	__u8  reason_controller[VHOST_BALLOON_REASON_SIZE];
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
 * @VHOST_BALLOON_C_SKIP_POISON: pages skipped: PAGE_POISON was negotiated, and this is a
 *   private file mapping, or a report while the guest's poison isn't zero
 * @VHOST_BALLOON_C_SKIP_FILE_SEALED: pages skipped: a seal refused the hole
 * @VHOST_BALLOON_C_SKIP_FILE_READONLY: pages skipped: the file was opened read-only
 * @VHOST_BALLOON_C_SKIP_HUGETLB_OFF: pages skipped: hugetlbfs, which is not switched on for this balloon
 * @VHOST_BALLOON_C_SKIP_HUGETLB_PART: pages skipped: only a part of a huge page
 * @VHOST_BALLOON_C_SKIP_NO_ZAP: pages skipped: private memory on a kernel that exports no zap
 * @VHOST_BALLOON_C_SKIP_ERROR: pages skipped: the operation failed for another reason
 * @VHOST_BALLOON_C_REGION_ADD: memory regions that came
 * @VHOST_BALLOON_C_REGION_DEL: memory regions that went
 * @VHOST_BALLOON_C_REGION_COMMIT: times that the memory regions were gone through
 * @VHOST_BALLOON_C_REPORTED: pages that the guest reported as free
 * @VHOST_BALLOON_C_HINTED: pages that were hinted, and their bits set
 * @VHOST_BALLOON_C_HINT_STALE: pages of hints ignored: not of the command id in force
 * @VHOST_BALLOON_C_HINT_NO_REGION: pages of hints ignored: no memory there, or none for the bits
 * @VHOST_BALLOON_C_HINT_COMMANDS_STALE: command ids ignored: not the one in force
 * @VHOST_BALLOON_C_STATS_SAMPLES: samples of statistics that the guest sent
 * @VHOST_BALLOON_C_STATS_DROPPED: entries of statistics beyond VHOST_BALLOON_STATS_MAX
 * @VHOST_BALLOON_C_HUGETLB_GATHERED: pages kept in mind until their huge page is complete
 * @VHOST_BALLOON_C_SKIP_PARTIAL: pages skipped: reported or hinted in part only
 * @VHOST_BALLOON_C_SKIP_INHIBITED: pages skipped: the balloon is inhibited
 * @VHOST_BALLOON_C_POPULATED: pages that were populated when they were deflated
 * @VHOST_BALLOON_C_POPULATE_FAILED: pages that could not be populated when they were deflated
 * @VHOST_BALLOON_C_PASSES_INLINE: of the passes: on the thread that kicked
 * @VHOST_BALLOON_C_WORKER_OFF: kicks left to the worker: inline is switched off, or this kernel
 *   can't do it
 * @VHOST_BALLOON_C_WORKER_ROLE: kicks left to the worker: a queue that is always served there, or
 *   deflate while pages are populated
 * @VHOST_BALLOON_C_WORKER_KICKER: kicks left to the worker: not by a thread of the VMM's that
 *   returns to user mode or to its guest
 * @VHOST_BALLOON_C_WORKER_OVERLAP: kicks left to the worker: the queue was being served inline, or
 *   about to be on another thread, or the kick is a balloon's interrupt
 * @VHOST_BALLOON_C_WORKER_EXIT: inline passes left to the worker before they began: the thread
 *   is exiting or was killed, or has another address space by now
 * @VHOST_BALLOON_C_WORKER_LOCK: inline passes left to the worker: a lock was taken
 * @VHOST_BALLOON_C_WORKER_FAULT: inline passes left to the worker: something of the VMM's memory
 *   isn't there
 * @VHOST_BALLOON_C_WORKER_MEMORY: inline passes left to the worker: the guest's memory regions
 *   have changed, or there are none, or not where the ring is; or what is kept in mind of
 *   huge pages of hugetlbfs has to grow
 * @VHOST_BALLOON_C_WORKER_LEFT: inline passes left to the worker: more to do than one takes on
 *   (1024 pages), or a deflate that could not be read
 * @VHOST_BALLOON_C_THP_GATHERED: pages kept in mind until their transparent huge page is complete,
 *   or has been waited for long enough; then they are discarded
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
	VHOST_BALLOON_C_REPORTED,
	VHOST_BALLOON_C_HINTED,
	VHOST_BALLOON_C_HINT_STALE,
	VHOST_BALLOON_C_HINT_NO_REGION,
	VHOST_BALLOON_C_HINT_COMMANDS_STALE,
	VHOST_BALLOON_C_STATS_SAMPLES,
	VHOST_BALLOON_C_STATS_DROPPED,
	VHOST_BALLOON_C_HUGETLB_GATHERED,
	VHOST_BALLOON_C_SKIP_PARTIAL,
	VHOST_BALLOON_C_SKIP_INHIBITED,
	VHOST_BALLOON_C_POPULATED,
	VHOST_BALLOON_C_POPULATE_FAILED,
	VHOST_BALLOON_C_PASSES_INLINE,
	VHOST_BALLOON_C_WORKER_OFF,
	VHOST_BALLOON_C_WORKER_ROLE,
	VHOST_BALLOON_C_WORKER_KICKER,
	VHOST_BALLOON_C_WORKER_OVERLAP,
	VHOST_BALLOON_C_WORKER_EXIT,
	VHOST_BALLOON_C_WORKER_LOCK,
	VHOST_BALLOON_C_WORKER_FAULT,
	VHOST_BALLOON_C_WORKER_MEMORY,
	VHOST_BALLOON_C_WORKER_LEFT,
	VHOST_BALLOON_C_THP_GATHERED,
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
 * Guests name 4 KiB pages. With MUST_TELL_HOST negotiated the balloon keeps those in mind that
 * don't make up a huge page yet, across any number of requests; without it, a huge page
 * has to be named as a whole by requests that are dealt with together.
 *
 * A page that went back to the pool may be given to someone else. If the guest
 * takes it back while the pool is empty, its next touch is a SIGBUS in the VMM.
 */
#define VHOST_BALLOON_TUNE_HUGETLB	(1ULL << 0)
/** VHOST_BALLOON_TUNE_POPULATE - have pages there before the guest is told that it may use them again; off by default.
 *
 * What can't be populated is counted, and the guest is told all the same.
 */
#define VHOST_BALLOON_TUNE_POPULATE	(1ULL << 1)
/** VHOST_BALLOON_TUNE_INLINE - serve the inflate, deflate and reporting queues on the thread that kicked; on unless vhost_balloon's module parameter serve_inline says otherwise.
 *
 * That is the vCPU's, which serves the queue before it enters the guest again: no other thread
 * is woken up. What can't be done there and then is left to the worker.
 */
#define VHOST_BALLOON_TUNE_INLINE	(1ULL << 2)
/** VHOST_BALLOON_TUNE_THP - give transparent huge pages back as a whole, where the guest gives all of one; on by default.
 *
 * In force if MUST_TELL_HOST was negotiated. Parts are discarded when the others have come, when
 * the guest has reached its target, or when none has come for half a second, while queues
 * run. A reset forgets them: they stay where they are.
 */
#define VHOST_BALLOON_TUNE_THP		(1ULL << 3)

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

/**
 * struct vhost_balloon_stat - one of the guest's memory statistics
 * @tag: which one: VIRTIO_BALLOON_S_* of <linux/virtio_balloon.h>, or one that nobody knows here
 * @reserved: zero
 * @value: its value, as the guest has sent it; what is an amount of memory is in bytes
 */
struct vhost_balloon_stat {
	__u16 tag;
	__u16 reserved[3];
	__aligned_u64 value;
};

/** VHOST_BALLOON_STATS_MAX - most entries that are kept of a sample */
#define VHOST_BALLOON_STATS_MAX		64

/**
 * struct vhost_balloon_stats - the last sample of the guest's memory statistics
 * @size: size of this structure in bytes
 * @flags: none are defined, has to be zero
 * @stats: user address of an array of struct vhost_balloon_stat, filled in the guest's order
 * @nr: in: entries that fit @stats; out: entries filled
 * @total: out: number of entries of the sample
 * @sequence: out: number of samples so far, those of former guests included
 * @age: out: nanoseconds since the sample arrived; 0 if this guest has sent none
 */
struct vhost_balloon_stats {
	__u32 size;
	__u32 flags;
	__aligned_u64 stats;
	__u32 nr;
	__u32 total;
	__aligned_u64 sequence;
	__aligned_u64 age;
};

/** VHOST_BALLOON_STATS_INTERVAL_MAX - longest interval between samples, milliseconds: a day */
#define VHOST_BALLOON_STATS_INTERVAL_MAX	86400000

/**
 * struct vhost_balloon_stats_interval - how often the guest is asked for statistics
 * @size: size of this structure in bytes
 * @interval: milliseconds, at most VHOST_BALLOON_STATS_INTERVAL_MAX; 0: don't ask
 *
 * A guest that hasn't answered is not asked again.
 */
struct vhost_balloon_stats_interval {
	__u32 size;
	__u32 interval;
};

/** VHOST_BALLOON_REFRESH_TIMEOUT_MAX - longest wait for a sample, milliseconds: a minute */
#define VHOST_BALLOON_REFRESH_TIMEOUT_MAX	60000

/**
 * struct vhost_balloon_refresh - asks the guest for statistics, and waits for them
 * @size: size of this structure in bytes
 * @timeout: milliseconds to wait at most, at most VHOST_BALLOON_REFRESH_TIMEOUT_MAX;
 *   0: ask, and don't wait
 */
struct vhost_balloon_refresh {
	__u32 size;
	__u32 timeout;
};

/**
 * struct vhost_balloon_hint_start - starts free page hinting
 * @size: size of this structure in bytes
 * @cmd_id: out: the command id that the guest is given
 */
struct vhost_balloon_hint_start {
	__u32 size;
	__u32 cmd_id;
};

/** VHOST_BALLOON_HINT_STOP_STOP - the guest shall stop reporting, and hold the pages back */
#define VHOST_BALLOON_HINT_STOP_STOP	0
/** VHOST_BALLOON_HINT_STOP_DONE - the hints were made use of: the guest shall have its pages again */
#define VHOST_BALLOON_HINT_STOP_DONE	1

/**
 * struct vhost_balloon_hint_stop - ends free page hinting
 * @size: size of this structure in bytes
 * @how: VHOST_BALLOON_HINT_STOP_STOP or VHOST_BALLOON_HINT_STOP_DONE
 */
struct vhost_balloon_hint_stop {
	__u32 size;
	__u32 how;
};

/** VHOST_BALLOON_HINT_FETCH_MAX - most pages that one VHOST_BALLOON_HINT_FETCH covers: 4 GiB */
#define VHOST_BALLOON_HINT_FETCH_MAX	(1U << 20)

/**
 * struct vhost_balloon_hint_fetch - gets and clears the bits of a range of guest memory
 * @size: size of this structure in bytes
 * @flags: none are defined, has to be zero
 * @gfn: first guest frame number (4 KiB), a multiple of 64
 * @bitmap: user address of an array of __u64, one bit a page: @gfn is bit 0 of the first one.
 *   (@nr + 63) / 64 of them are written
 * @nr: number of pages, at least 1, at most VHOST_BALLOON_HINT_FETCH_MAX
 * @set: out: number of bits that are set in @bitmap
 */
struct vhost_balloon_hint_fetch {
	__u32 size;
	__u32 flags;
	__aligned_u64 gfn;
	__aligned_u64 bitmap;
	__u32 nr;
	__u32 set;
};

/**
 * struct vhost_balloon_inhibit - says whether memory may be discarded
 * @size: size of this structure in bytes
 * @inhibit: 1: nothing is discarded from now on; 0: as far as the caller is concerned, it may be
 * @reason: why, printable ASCII, at most VHOST_BALLOON_REASON_MAX characters, NUL-terminated, zeroes
 *   to the end; not empty with @inhibit 1, empty with 0
 *
 * The VMM (its backend file) and the controllers (all control files together) have one
 * say each, which doesn't end with the file.
 */
struct vhost_balloon_inhibit {
	__u32 size;
	__u32 inhibit;
	__u8  reason[VHOST_BALLOON_REASON_SIZE];
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
/** VHOST_BALLOON_EVENT_STATS - the guest sent a sample of its statistics */
#define VHOST_BALLOON_EVENT_STATS	(1U << 7)
/** VHOST_BALLOON_EVENT_HINT - the state of free page hinting changed (&vhost_balloon_info.hint_state) */
#define VHOST_BALLOON_EVENT_HINT	(1U << 8)
/** VHOST_BALLOON_EVENT_INHIBIT - VHOST_BALLOON_SET_INHIBIT changed something */
#define VHOST_BALLOON_EVENT_INHIBIT	(1U << 9)

/**
 * struct vhost_balloon_event - what read() of a control file returns
 * @size: size of the kernel's structure in bytes
 * @events: VHOST_BALLOON_EVENT_*, everything since the last read()
 * @target: pages (4 KiB) asked for, at the time of read()
 * @actual: pages (4 KiB) given, at the time of read()
 *
 * read() waits for an event unless the file is O_NONBLOCK (then EAGAIN). It
 * fills as much of the buffer as there is of the structure; a buffer shorter than
 * the structure's first version is EINVAL. After EFAULT the events are still there. When the
 * balloon is gone and that was read, read() returns 0.
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
/** VHOST_BALLOON_GET_STATS - the last sample of the guest's memory statistics */
#define VHOST_BALLOON_GET_STATS		_IOWR(VHOST_VIRTIO, 0xCE, struct vhost_balloon_stats)
/** VHOST_BALLOON_SET_STATS_INTERVAL - poll the guest for statistics, or stop that */
#define VHOST_BALLOON_SET_STATS_INTERVAL _IOW(VHOST_VIRTIO, 0xCF, struct vhost_balloon_stats_interval)
/**
 * VHOST_BALLOON_REFRESH_STATS - ask for statistics now, and wait for them
 *
 * EOPNOTSUPP: STATS_VQ was not negotiated; ETIMEDOUT: no answer; EINTR: a signal came.
 */
#define VHOST_BALLOON_REFRESH_STATS	_IOW(VHOST_VIRTIO, 0xD0, struct vhost_balloon_refresh)
/**
 * VHOST_BALLOON_HINT_START - have the guest report its free pages
 *
 * What was hinted before and not fetched is thrown away. EOPNOTSUPP: FREE_PAGE_HINT was not
 * negotiated; ENOMEM: no memory for the bits, and no hinting; EINTR: the same, or as it was
 * before; EFAULT: it was started all the same.
 */
#define VHOST_BALLOON_HINT_START	_IOWR(VHOST_VIRTIO, 0xD1, struct vhost_balloon_hint_start)
/**
 * VHOST_BALLOON_HINT_STOP - end free page hinting
 *
 * When it has returned no bit is set any more. The only safe order for a VMM that skips free
 * pages while it copies a guest: HINT_STOP, HINT_FETCH, take the fetched pages off its own
 * bitmap, and only *then* sync the dirty log: a page that was hinted and written to since is in the
 * dirty log. Nothing may be taken out of that log between HINT_START and HINT_FETCH. Stopping
 * when nothing was started does nothing, and what is done stays done.
 */
#define VHOST_BALLOON_HINT_STOP		_IOW(VHOST_VIRTIO, 0xD2, struct vhost_balloon_hint_stop)
/**
 * VHOST_BALLOON_HINT_FETCH - get the pages that were hinted, and clear their bits
 *
 * EFAULT: they were cleared all the same. There are none if the slots have changed since.
 */
#define VHOST_BALLOON_HINT_FETCH	_IOWR(VHOST_VIRTIO, 0xD3, struct vhost_balloon_hint_fetch)
/**
 * VHOST_BALLOON_SET_INHIBIT - have nothing discarded, for a reason
 *
 * When it has returned nothing is discarded any more. Inflations and reports are
 * acknowledged and counted. For what the kernel can't see by itself: pages that
 * another process has pinned, or a device that was given to the VM without KVM's knowledge.
 */
#define VHOST_BALLOON_SET_INHIBIT	_IOW(VHOST_VIRTIO, 0xD4, struct vhost_balloon_inhibit)
/** VHOST_BALLOON_GET_TUNABLES - what is switched on */
#define VHOST_BALLOON_GET_TUNABLES	_IOWR(VHOST_VIRTIO, 0xD5, struct vhost_balloon_tunables)
/** VHOST_BALLOON_SET_TUNABLES - switch on or off */
#define VHOST_BALLOON_SET_TUNABLES	_IOW(VHOST_VIRTIO, 0xD6, struct vhost_balloon_tunables)

#endif /* _UAPI_LINUX_VHOST_BALLOON_H */
