// SPDX-License-Identifier: GPL-2.0
/*
 * What a process that does everything at random does it to: opening, closing, memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "vb_fuzz.h"
#include "vb_hostile.h"

#define HUGE_PAGE	(2UL << 20)
/* Rings lie behind page numbers in the memory for buffers; each has room for the largest. */
#define RINGS_OFFSET	(VB_BUF_LEN / 4)
#define RING_LEN	(32UL << 10)
#define BUF_SLOT	20U

_Static_assert(RINGS_OFFSET + VB_FUZZ_BALLOONS * VB_NR_QUEUES * RING_LEN <= VB_BUF_LEN,
	       "rings don't fit");

const char *const vb_fuzz_count_names[VB_FUZZ_NR_COUNTS] = {
	[VB_FUZZ_OPS]			= "operations",
	[VB_FUZZ_IOCTLS]		= "ioctls",
	[VB_FUZZ_IOCTLS_OK]		= "ioctls that succeeded",
	[VB_FUZZ_EVENTS]		= "events read",
	[VB_FUZZ_SETUPS]		= "balloons set up",
	[VB_FUZZ_RINGS]			= "random rings",
	[VB_FUZZ_REQUESTS]		= "requests",
	[VB_FUZZ_KICKS]			= "kicks",
	[VB_FUZZ_CHILDREN]		= "children that kicked",
	[VB_FUZZ_SLOTS]			= "slots changed",
	[VB_FUZZ_MAPPINGS]		= "mappings changed",
	[VB_FUZZ_CLOSES]		= "balloons closed",
	[VB_FUZZ_VDPA_OK]		= "steps of the vDPA device's VMM",
	[VB_FUZZ_VDPA_OPENS]		= "times that the vDPA device was opened",
	[VB_FUZZ_VDPA_CHAINS]		= "chains of the vDPA device",
};

/* The arena begins with a huge page, and has a canary at both ends. */
static int map_arena(struct vb_fuzz *w)
{
	unsigned long len = VB_FUZZ_ARENA + 2 * HUGE_PAGE, at;
	void *all = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (all == MAP_FAILED)
		return -errno;
	at = ((unsigned long)all + VB_FUZZ_CANARY * VB_PAGE + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
	w->arena.hva = (void *)at;
	w->arena.len = VB_FUZZ_ARENA;
	w->arena.gpa = VB_FUZZ_GPA;
	return 0;
}

static struct vb_memory canary(const struct vb_fuzz *w, bool behind)
{
	return (struct vb_memory) {
		.hva = behind ? w->arena.hva + w->arena.len :
				w->arena.hva - VB_FUZZ_CANARY * VB_PAGE,
		.len = VB_FUZZ_CANARY * VB_PAGE,
	};
}

static void fill_canaries(struct vb_fuzz *w)
{
	struct vb_memory before = canary(w, false), behind = canary(w, true);

	vb_memory_fill(&before, 0, VB_FUZZ_CANARY, VB_FUZZ_SEED);
	vb_memory_fill(&behind, 0, VB_FUZZ_CANARY, VB_FUZZ_SEED);
}

unsigned int vb_fuzz_damage(struct vb_fuzz *w)
{
	struct vb_memory before = canary(w, false), behind = canary(w, true);

	return 2 * VB_FUZZ_CANARY -
	       vb_memory_intact(&before, 0, VB_FUZZ_CANARY, VB_FUZZ_SEED) -
	       vb_memory_intact(&behind, 0, VB_FUZZ_CANARY, VB_FUZZ_SEED);
}

struct vb_memory vb_fuzz_ring_memory(const struct vb_fuzz *w, unsigned int balloon,
				     unsigned int index)
{
	unsigned long offset = RINGS_OFFSET + (balloon * VB_NR_QUEUES + index) * RING_LEN;

	return (struct vb_memory) {
		.gpa = w->buf.gpa + offset, .hva = w->buf.hva + offset, .len = RING_LEN,
	};
}

/* Page numbers of the guest's memory, or any; what comes behind the tables. */
static void write_numbers(struct vb_fuzz *w, __u64 *state)
{
	__u32 *words = w->buf.hva;
	unsigned int i;

	for (i = 0; i < RINGS_OFFSET / sizeof(*words); i++)
		words[i] = vb_random_below(state, 16) ?
			   VB_FUZZ_GPA / VB_PAGE +
			   vb_random_below(state, VB_FUZZ_WINDOWS * VB_FUZZ_WINDOW / VB_PAGE) :
			   vb_random(state);
}

static void open_eventfds(struct vb_fuzz *w)
{
	unsigned int i, q;

	for (i = 0; i < VB_FUZZ_BALLOONS; i++) {
		w->balloons[i].fd = -1;
		for (q = 0; q < VB_NR_QUEUES; q++) {
			w->balloons[i].kick[q] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
			w->balloons[i].call[q] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		}
	}
	for (i = 0; i < VB_FUZZ_CONTROLS; i++)
		w->controls[i] = -1;
}

static int open_vms(struct vb_fuzz *w)
{
	int ret = vb_vm_open(&w->vm);

	w->other_vm.fd = -1;
	w->other_vm.kvm = -1;
	if (!ret && w->has_other_vm)
		ret = vb_vm_open(&w->other_vm);
	return ret;
}

int vb_fuzz_open(struct vb_fuzz *w)
{
	__u64 state = 1;
	int ret;

	open_eventfds(w);
	ret = open_vms(w);
	if (!ret)
		ret = map_arena(w);
	if (!ret)
		ret = vb_memory_map(&w->buf, VB_MEMORY_MEMFD, VB_BUF_GPA, VB_BUF_LEN);
	if (ret)
		return ret;
	fill_canaries(w);
	write_numbers(w, &state);
	w->other = open("/dev/null", O_RDWR | O_CLOEXEC);
	return vb_vm_set_slot(&w->vm, BUF_SLOT, 0, w->buf.gpa, w->buf.len, w->buf.hva);
}

static void note_counters(struct vb_fuzz *w, const struct vhost_balloon_counters *counters)
{
	unsigned int c;

	for (c = 0; c < VHOST_BALLOON_NR_COUNTERS; c++)
		if (counters->value[c])
			__atomic_store_n(&w->seen[c], true, __ATOMIC_RELAXED);
}

void vb_fuzz_look(struct vb_fuzz *w)
{
	struct vhost_balloon_counters counters;
	unsigned int i;

	for (i = 0; i < VB_FUZZ_NATIVE; i++)
		if (!vb_get_counters(w->balloons[i].fd, &counters))
			note_counters(w, &counters);
	/* It has been the same balloon all the time. */
	if (w->has_vdpa && !vb_get_counters(w->vdpa.control, &counters))
		__atomic_store_n(&w->count[VB_FUZZ_VDPA_CHAINS],
				 counters.value[VHOST_BALLOON_C_CHAINS], __ATOMIC_RELAXED);
}

/* Only an owner is told. */
static int last_counters(int fd, struct vhost_balloon_counters *counters)
{
	int ret = vb_get_counters(fd, counters);

	if (ret != -EPERM)
		return ret;
	vb_set_owner(fd);
	return vb_get_counters(fd, counters);
}

static void keep_counters(struct vb_fuzz *w, int fd)
{
	struct vhost_balloon_counters counters;
	unsigned int c;

	if (last_counters(fd, &counters))
		return;
	note_counters(w, &counters);
	for (c = 0; c < VHOST_BALLOON_NR_COUNTERS; c++)
		__atomic_add_fetch(&w->counters[c], counters.value[c], __ATOMIC_RELAXED);
}

void vb_fuzz_close_balloon(struct vb_fuzz *w, unsigned int i)
{
	int fd = __atomic_exchange_n(&w->balloons[i].fd, -1, __ATOMIC_ACQ_REL);

	if (fd < 0)
		return;
	if (i == VB_FUZZ_NATIVE)
		w->vdpa.fd = -1;
	else
		keep_counters(w, fd);
	close(fd);
	vb_fuzz_add(w, VB_FUZZ_CLOSES, 1);
}

void vb_fuzz_close(struct vb_fuzz *w)
{
	unsigned int i, q;

	for (i = 0; i < VB_FUZZ_BALLOONS; i++) {
		vb_fuzz_close_balloon(w, i);
		for (q = 0; q < VB_NR_QUEUES; q++) {
			close(w->balloons[i].kick[q]);
			close(w->balloons[i].call[q]);
		}
	}
	for (i = 0; i < VB_FUZZ_CONTROLS; i++)
		if (w->controls[i] >= 0)
			close(w->controls[i]);
	close(w->other);
	vb_vm_close(&w->vm);
	vb_vm_close(&w->other_vm);
	vb_memory_unmap(&w->buf);
}

struct vb_memory vb_fuzz_arena_part(struct vb_fuzzer *f, unsigned long max)
{
	const struct vb_memory *arena = &f->w->arena;
	unsigned long pages = 1 + vb_fuzz_below(f, max / VB_PAGE), first;

	/* Huge pages, now and then. */
	if (max >= HUGE_PAGE && vb_fuzz_rarely(f, 4))
		pages = HUGE_PAGE / VB_PAGE * (1 + vb_fuzz_below(f, max / HUGE_PAGE));
	first = vb_fuzz_below(f, arena->len / VB_PAGE - pages + 1);
	if (pages % (HUGE_PAGE / VB_PAGE) == 0)
		first &= ~(HUGE_PAGE / VB_PAGE - 1);
	return (struct vb_memory) {
		.hva = arena->hva + first * VB_PAGE, .len = pages * VB_PAGE,
	};
}

/* A slot comes, goes, moves, or is refused. */
void vb_fuzz_slot(struct vb_fuzzer *f)
{
	struct vb_memory part = vb_fuzz_arena_part(f, VB_FUZZ_WINDOW);
	unsigned int i = vb_fuzz_below(f, VB_FUZZ_WINDOWS);
	struct vb_vm *vm = &f->w->vm;
	__u32 flags = vb_fuzz_rarely(f, 8) ? KVM_MEM_READONLY : 0;
	const struct vb_memory *buf = &f->w->buf;
	int ret;

	f->doing = "slots";
	if (vb_fuzz_rarely(f, 30)) {
		vb_vm_delete_slot(vm, BUF_SLOT);
		vb_vm_set_slot(vm, BUF_SLOT, 0, buf->gpa, buf->len, buf->hva);
	}
	vb_vm_delete_slot(vm, i);
	if (vb_fuzz_rarely(f, 8))
		return;
	if (vb_fuzz_rarely(f, 4))
		flags |= KVM_MEM_LOG_DIRTY_PAGES;
	ret = vb_vm_set_slot(vm, i, flags, VB_FUZZ_GPA + i * VB_FUZZ_WINDOW, part.len, part.hva);
	vb_fuzz_add(f->w, VB_FUZZ_SLOTS, !ret);
}

static const int advices[] = {
	MADV_DONTNEED, MADV_REMOVE, MADV_FREE, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_COLD,
	MADV_POPULATE_WRITE, MADV_POPULATE_WRITE, MADV_POPULATE_READ, MADV_DONTFORK, MADV_DOFORK,
};

static const int protections[] = {
	PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE,
};

static bool map_again(struct vb_fuzzer *f, const struct vb_memory *part)
{
	int flags = MAP_FIXED | MAP_ANONYMOUS;
	int prot = vb_fuzz_rarely(f, 8) ? PROT_NONE : PROT_READ | PROT_WRITE;

	flags |= vb_fuzz_rarely(f, 3) ? MAP_SHARED : MAP_PRIVATE;
	if (vb_fuzz_rarely(f, 8))
		flags |= MAP_HUGETLB | MAP_NORESERVE;
	return mmap(part->hva, part->len, prot, flags, -1, 0) != MAP_FAILED;
}

static bool map_buf(struct vb_fuzzer *f, const struct vb_memory *part)
{
	unsigned long len = part->len < f->w->buf.len / 4 ? part->len : f->w->buf.len / 4;

	/* The same pages twice in the VMM. */
	return mremap(f->w->buf.hva, 0, len, MREMAP_MAYMOVE | MREMAP_FIXED, part->hva) !=
	       MAP_FAILED;
}

/* The VMM's own memory changes. What is unmapped nobody else takes: see vb_fuzz_process(). */
void vb_fuzz_mapping(struct vb_fuzzer *f)
{
	struct vb_memory part = vb_fuzz_arena_part(f, VB_FUZZ_ARENA / 4);
	const unsigned int nr = ARRAY_SIZE(advices);
	bool ok;

	f->doing = "mappings";
	switch (vb_fuzz_below(f, 8)) {
	case 0:
		ok = map_again(f, &part);
		break;
	case 1:
		ok = !munmap(part.hva, part.len);
		map_again(f, &part);
		break;
	case 2:
		ok = !mprotect(part.hva, part.len, protections[vb_fuzz_below(f, 4)]);
		break;
	case 3:
		part.len = part.len < 16 * VB_PAGE ? part.len : 16 * VB_PAGE;
		ok = !mlock(part.hva, part.len);
		if (!vb_fuzz_rarely(f, 4))
			munlock(part.hva, part.len);
		break;
	case 4:
		ok = map_buf(f, &part);
		break;
	default:
		ok = !madvise(part.hva, part.len, advices[vb_fuzz_below(f, nr)]);
		break;
	}
	vb_fuzz_add(f->w, VB_FUZZ_MAPPINGS, ok);
}

int vb_fuzz_fd(struct vb_fuzzer *f)
{
	struct vb_fuzz_balloon *b = &f->w->balloons[vb_fuzz_below(f, VB_FUZZ_BALLOONS)];

	switch (vb_fuzz_below(f, 12)) {
	case 0:
		return -1;
	case 1:
		return (int)vb_random(&f->state);
	case 2:
		return f->w->other;
	case 3:
		return b->fd;
	case 4:
		return f->w->controls[vb_fuzz_below(f, VB_FUZZ_CONTROLS)];
	case 5:
		return f->w->vm.kvm;
	case 6:
	case 7:
		return f->w->vm.fd;
	case 8:
		return b->call[vb_fuzz_below(f, VB_NR_QUEUES)];
	default:
		return b->kick[vb_fuzz_below(f, VB_NR_QUEUES)];
	}
}
