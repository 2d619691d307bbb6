// SPDX-License-Identifier: GPL-2.0
/*
 * Memory for a machine.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vb_memory.h"

#define PAGE_WORDS	(VB_PAGE / sizeof(__u64))
#define MAX_RANGE	1024

int vb_memory_map(struct vb_memory *memory, enum vb_memory_kind kind, __u64 gpa, __u64 len)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	int fd = -1;
	int ret = 0;
	void *hva;

	memset(memory, 0, sizeof(*memory));
	if (kind == VB_MEMORY_MEMFD) {
		flags = MAP_SHARED;
		fd = memfd_create("vb_memory", MFD_CLOEXEC);
		if (fd < 0)
			return -errno;
		if (ftruncate(fd, len)) {
			ret = -errno;
			goto out_close;
		}
	}
	hva = mmap(NULL, len, PROT_READ | PROT_WRITE, flags, fd, 0);
	if (hva == MAP_FAILED) {
		ret = -errno;
		goto out_close;
	}
	/* Where the kernel has no huge pages at all, none are in the way. */
	madvise(hva, len, MADV_NOHUGEPAGE);
	memory->gpa = gpa;
	memory->len = len;
	memory->hva = hva;
out_close:
	if (fd >= 0)
		close(fd);
	return ret;
}

void vb_memory_unmap(struct vb_memory *memory)
{
	if (memory->hva)
		munmap(memory->hva, memory->len);
	memory->hva = NULL;
}

static __u64 *page_words(struct vb_memory *memory, unsigned int page)
{
	return memory->hva + page * VB_PAGE;
}

static __u64 page_pattern(unsigned int page, __u32 seed)
{
	/* Not zero, whatever the seed. */
	return (__u64)seed << 32 | (page + 1);
}

static bool page_holds(struct vb_memory *memory, unsigned int page, __u64 pattern)
{
	__u64 *words = page_words(memory, page);
	unsigned int i;

	/* Read anew each time: the kernel changes it behind the compiler's back. */
	for (i = 0; i < PAGE_WORDS; i++)
		if (__atomic_load_n(&words[i], __ATOMIC_RELAXED) != pattern)
			return false;
	return true;
}

void vb_memory_fill(struct vb_memory *memory, unsigned int first, unsigned int nr, __u32 seed)
{
	unsigned int page, i;

	for (page = first; page < first + nr; page++)
		for (i = 0; i < PAGE_WORDS; i++)
			__atomic_store_n(&page_words(memory, page)[i],
					 page_pattern(page, seed), __ATOMIC_RELAXED);
}

unsigned int vb_memory_intact(struct vb_memory *memory, unsigned int first, unsigned int nr,
			      __u32 seed)
{
	unsigned int intact = 0;
	unsigned int page;

	for (page = first; page < first + nr; page++)
		intact += page_holds(memory, page, page_pattern(page, seed));
	return intact;
}

unsigned int vb_memory_zero(struct vb_memory *memory, unsigned int first, unsigned int nr)
{
	unsigned int zero = 0;
	unsigned int page;

	for (page = first; page < first + nr; page++)
		zero += page_holds(memory, page, 0);
	return zero;
}

int vb_memory_add_slot(struct vb_machine *m, __u32 slot, __u32 flags,
		       const struct vb_memory *memory)
{
	return vb_vm_set_slot(&m->vm, slot, flags, memory->gpa, memory->len, memory->hva);
}

static int name_range(__u32 *pages, __u64 gpa, unsigned int nr)
{
	unsigned int i;

	if (nr > MAX_RANGE)
		return -EINVAL;
	for (i = 0; i < nr; i++)
		pages[i] = gpa / VB_PAGE + i;
	return 0;
}

int vb_inflate_range(struct vb_machine *m, __u64 gpa, unsigned int nr)
{
	__u32 pages[MAX_RANGE];

	return name_range(pages, gpa, nr) ?: vb_machine_inflate(m, pages, nr);
}

int vb_deflate_range(struct vb_machine *m, __u64 gpa, unsigned int nr)
{
	__u32 pages[MAX_RANGE];

	return name_range(pages, gpa, nr) ?: vb_machine_deflate(m, pages, nr);
}
