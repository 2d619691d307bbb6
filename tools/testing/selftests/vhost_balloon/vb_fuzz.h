/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A process that does everything at random to its balloons, from several threads: what there is
 * to do it to, and what it does. What it does, and how far it is, is in memory that it shares with
 * the test.
 *
 * Whatever the device may be told to write to, or to discard, lies in memory of its own here: a
 * VMM that names its own stack would only shoot itself.
 */
#ifndef VB_FUZZ_H
#define VB_FUZZ_H

#include <stdatomic.h>
#include <linux/types.h>

#include "vb_kvm.h"
#include "vb_memory.h"
#include "vb_race.h"
#include "vb_random.h"
#include "vb_vdpa.h"

/* As kselftest.h has it. */
#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif

/* Native balloons; one more, the last one, may be a vDPA device. */
#define VB_FUZZ_NATIVE	3U
#define VB_FUZZ_BALLOONS	(VB_FUZZ_NATIVE + 1)
#define VB_FUZZ_CONTROLS	8U
#define VB_FUZZ_THREADS	4U
#define VB_FUZZ_MAX_IOCTLS	64U
/* Memory that the kernel may write to; the last part of it is for ids alone. */
#define VB_FUZZ_SCRATCH	(512UL << 10)
#define VB_FUZZ_IDS_OFFSET	(VB_FUZZ_SCRATCH - (16UL << 10))

/* The guest's memory: windows, each of which may have a slot, of any part of the arena. */
#define VB_FUZZ_GPA	0x10000000ULL
#define VB_FUZZ_WINDOWS	8U
#define VB_FUZZ_WINDOW	(4UL << 20)
#define VB_FUZZ_ARENA	(16UL << 20)
#define VB_FUZZ_CANARY	16U
#define VB_FUZZ_SEED	0xcafe

/** enum vb_fuzz_count - what is counted */
enum vb_fuzz_count {
	VB_FUZZ_OPS,
	VB_FUZZ_IOCTLS,
	VB_FUZZ_IOCTLS_OK,
	VB_FUZZ_EVENTS,
	VB_FUZZ_SETUPS,
	VB_FUZZ_RINGS,
	VB_FUZZ_REQUESTS,
	VB_FUZZ_KICKS,
	VB_FUZZ_CHILDREN,
	VB_FUZZ_SLOTS,
	VB_FUZZ_MAPPINGS,
	VB_FUZZ_CLOSES,
	/* Those from here on with a vDPA device only. */
	VB_FUZZ_VDPA_OK,
	VB_FUZZ_VDPA_OPENS,
	VB_FUZZ_VDPA_CHAINS,
	VB_FUZZ_NR_COUNTS
};

extern const char *const vb_fuzz_count_names[VB_FUZZ_NR_COUNTS];

struct vb_fuzz;

/**
 * struct vb_fuzzer - one thread
 * @w: what it shares
 * @state: its random numbers
 * @doing: for whoever wonders where it is
 * @scratch: VB_FUZZ_SCRATCH bytes that the kernel may write to
 * @loop: the thread
 */
struct vb_fuzzer {
	struct vb_fuzz *w;
	__u64 state;
	const char *doing;
	void *scratch;
	struct vb_loop loop;
};

/**
 * struct vb_fuzz_balloon - a balloon
 * @fd: backend file, or vhost-vdpa's; -1 while there is none
 * @rings: the driver's sides, which share the memory for buffers with the tables
 * @kick: eventfds
 * @call: eventfds
 */
struct vb_fuzz_balloon {
	int fd;
	struct vb_ring rings[VB_NR_QUEUES];
	int kick[VB_NR_QUEUES];
	int call[VB_NR_QUEUES];
};

/**
 * struct vb_fuzz - what all threads share, and the test
 * @seed: where random numbers begin
 * @vdpa: the device, of which the test keeps a copy; @fd is the process's own
 * @has_vdpa: there is one
 * @has_other_vm: there are two VMs, and no vDPA device knows which one is meant
 * @can_inline: this kernel lets queues be served on the thread that kicked
 * @victim: id of another process's balloon, which is left alone; nothing begins before it is known
 * @stop: it shall end
 * @begun: all threads are there
 * @fuzzers: the threads
 * @vm: the VM
 * @other_vm: the other one, without any memory
 * @arena: guest memory, and a canary before and behind it
 * @buf: guest memory for page numbers, tables and rings
 * @balloons: the balloons
 * @controls: control files, or -1: of balloons of this process only
 * @other: a file that is none of ours
 * @opening: somebody opens the vDPA device
 * @count: vb_fuzz_count
 * @counters: what native balloons counted, of those that were closed
 * @seen: by counter: some balloon has counted it
 * @ok: by place in the table of ioctls: how often it succeeded
 * @damage: in the end: how many pages next to the guest's memory aren't as they were
 * @files_left: in the end: how many more files are open than before
 */
struct vb_fuzz {
	__u64 seed;
	struct vb_vdpa vdpa;
	bool has_vdpa;
	bool has_other_vm;
	bool can_inline;
	atomic_ullong victim;
	atomic_bool stop;
	atomic_bool begun;
	struct vb_fuzzer fuzzers[VB_FUZZ_THREADS];
	struct vb_vm vm;
	struct vb_vm other_vm;
	struct vb_memory arena;
	struct vb_memory buf;
	struct vb_fuzz_balloon balloons[VB_FUZZ_BALLOONS];
	int controls[VB_FUZZ_CONTROLS];
	int other;
	int opening;
	__u64 count[VB_FUZZ_NR_COUNTS];
	__u64 counters[VHOST_BALLOON_NR_COUNTERS];
	bool seen[VHOST_BALLOON_NR_COUNTERS];
	__u64 ok[VB_FUZZ_MAX_IOCTLS];
	unsigned int damage;
	int files_left;
};

static inline __u32 vb_fuzz_below(struct vb_fuzzer *f, __u32 bound)
{
	return vb_random_below(&f->state, bound);
}

static inline bool vb_fuzz_rarely(struct vb_fuzzer *f, __u32 one_in)
{
	return !vb_random_below(&f->state, one_in);
}

static inline void vb_fuzz_add(struct vb_fuzz *w, enum vb_fuzz_count count, __u64 n)
{
	__atomic_add_fetch(&w->count[count], n, __ATOMIC_RELAXED);
}

/*
 * What the process does, until it is told to stop: 0 or a negative errno. The caller sets the seed,
 * the device and what there is and can be done; the victim when it has one; the rest is zero. The
 * process maps and unmaps a lot, and does nothing else ever.
 */
int vb_fuzz_process(struct vb_fuzz *w);
/*
 * What has not happened yet, and has to for this to be worth anything: a name, or NULL once there
 * is nothing. What has happened stays so.
 */
const char *vb_fuzz_missing(const struct vb_fuzz *w);

int vb_fuzz_open(struct vb_fuzz *w);
/* Closes everything but the vDPA device itself. */
void vb_fuzz_close(struct vb_fuzz *w);
/* How many pages next to the guest's memory aren't as they were. */
unsigned int vb_fuzz_damage(struct vb_fuzz *w);

/* Each does something at random. */
void vb_fuzz_slot(struct vb_fuzzer *f);
void vb_fuzz_mapping(struct vb_fuzzer *f);
void vb_fuzz_ioctl(struct vb_fuzzer *f);
void vb_fuzz_reopen(struct vb_fuzzer *f);
void vb_fuzz_controls(struct vb_fuzzer *f);
void vb_fuzz_set_up(struct vb_fuzzer *f);
void vb_fuzz_ring(struct vb_fuzzer *f);
void vb_fuzz_request(struct vb_fuzzer *f);
void vb_fuzz_kick(struct vb_fuzzer *f);
void vb_fuzz_vdpa(struct vb_fuzzer *f);

/* The name of an ioctl that never succeeded, or NULL. */
const char *vb_fuzz_failing(const struct vb_fuzz *w);
/* Looks at the counters of all balloons that there are. */
void vb_fuzz_look(struct vb_fuzz *w);
/* Closes a balloon, and keeps its counters. */
void vb_fuzz_close_balloon(struct vb_fuzz *w, unsigned int i);
/* Where a queue's ring is: memory of the guest's, too. */
struct vb_memory vb_fuzz_ring_memory(const struct vb_fuzz *w, unsigned int balloon,
				     unsigned int index);
/* Whole pages of the arena. */
struct vb_memory vb_fuzz_arena_part(struct vb_fuzzer *f, unsigned long max);
/* A descriptor of anything, or of nothing. */
int vb_fuzz_fd(struct vb_fuzzer *f);

#endif /* VB_FUZZ_H */
