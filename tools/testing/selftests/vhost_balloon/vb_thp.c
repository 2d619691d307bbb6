// SPDX-License-Identifier: GPL-2.0
/*
 * A machine with memory of transparent huge pages.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

#include "vb_thp.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

#define ATTEMPTS	50

/* In the page table, or swapped out: /proc/PID/pagemap. */
#define PAGEMAP_THERE	(3ULL << 62)

/* Bytes of the memory that are mapped by huge pages, as /proc/self/smaps has it. */
static long huge_bytes(const struct vb_memory *memory)
{
	const unsigned long first = (uintptr_t)memory->hva, last = first + memory->len - 1;
	unsigned long start, end, kb, sum = 0;
	FILE *file = fopen("/proc/self/smaps", "re");
	bool is_ours = false;
	char line[512];

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			is_ours = start >= first && end - 1 <= last;
		else if (is_ours && sscanf(line, "AnonHugePages: %lu", &kb) == 1)
			sum += kb << 10;
	}
	fclose(file);
	return sum;
}

int vb_thp_count(const struct vb_memory *memory)
{
	long bytes = huge_bytes(memory);

	return bytes < 0 ? bytes : (long)(bytes / VB_HUGE);
}

int vb_thp_refill(struct vb_memory *memory, const char **why)
{
	int huge = memory->len / VB_HUGE;

	if (madvise(memory->hva, memory->len, MADV_DONTNEED) ||
	    madvise(memory->hva, memory->len, MADV_HUGEPAGE)) {
		*why = "this kernel has no transparent huge pages";
		return -EOPNOTSUPP;
	}
	vb_memory_fill(memory, 0, memory->len / VB_PAGE, VB_THP_SEED);
	/* Where a fault found none. */
	if (vb_thp_count(memory) != huge)
		madvise(memory->hva, memory->len, MADV_COLLAPSE);
	/* Those that are there stay. None comes by itself where a part has gone. */
	if (vb_thp_count(memory) == huge)
		return madvise(memory->hva, memory->len, MADV_NOHUGEPAGE) ? -errno : 0;
	*why = "no transparent huge pages are to be had";
	return -ENOMEM;
}

int vb_thp_map(struct vb_memory *memory, __u64 gpa, unsigned int huge, const char **why)
{
	size_t len = huge * VB_HUGE;
	char *mem, *start;

	memset(memory, 0, sizeof(*memory));
	mem = mmap(NULL, len + VB_HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED)
		return -errno;
	start = (char *)(((uintptr_t)mem + VB_HUGE - 1) & ~(VB_HUGE - 1));
	/* With nothing around it, so that it is a mapping of its own, and goes as a whole. */
	if (start > mem)
		munmap(mem, start - mem);
	if (mem + VB_HUGE > start)
		munmap(start + len, mem + VB_HUGE - start);
	memory->gpa = gpa;
	memory->len = len;
	memory->hva = start;
	return vb_thp_refill(memory, why);
}

int vb_thp_open(struct vb_thp *t, bool kvm, bool by_worker, __u64 features, unsigned int huge)
{
	__u64 on = by_worker ? 0 : VHOST_BALLOON_TUNE_INLINE;
	int ret;

	memset(t, 0, sizeof(*t));
	t->m.backend = -1;
	t->pages = huge * VB_HUGE_PAGES;
	t->gone = calloc(t->pages, sizeof(*t->gone));
	ret = t->gone ? vb_thp_map(&t->ram, VB_THP_GPA, huge, &t->why) : -ENOMEM;
	if (!ret)
		ret = vb_machine_open(&t->m, kvm, features, VB_THP_NUM);
	return ret ?: vb_set_tunables(t->m.backend, VHOST_BALLOON_TUNE_INLINE, on);
}

int vb_thp_start(struct vb_thp *t)
{
	return vb_machine_add(&t->m, &t->ram, 0) ?: vb_machine_start(&t->m);
}

void vb_thp_close(struct vb_thp *t)
{
	if (t->m.backend >= 0)
		vb_machine_close(&t->m);
	vb_memory_unmap(&t->ram);
	free(t->gone);
	t->gone = NULL;
}

int vb_thp_deflate_all(struct vb_thp *t)
{
	unsigned int page;
	int ret = 0;

	for (page = 0; page < t->pages && !ret; page += VB_HUGE_PAGES)
		ret = vb_thp_deflate(t, page, VB_HUGE_PAGES);
	return ret;
}

static int begin(struct vb_thp *t)
{
	int ret = vb_thp_deflate_all(t);

	if (!ret)
		ret = vb_thp_refill(&t->ram, &t->why);
	if (!ret)
		ret = vb_get_counters(t->m.backend, &t->before);
	memset(t->gone, 0, t->pages * sizeof(*t->gone));
	t->since = 0;
	t->late = false;
	return ret;
}

bool vb_thp_again(struct vb_thp *t)
{
	if (t->attempts && !t->late)
		return false;
	if (t->attempts++ == ATTEMPTS)
		t->why = "this machine is too slow";
	else
		t->error = begin(t);
	return !t->why && !t->error;
}

bool vb_thp_in_time(struct vb_thp *t)
{
	if (t->since && vb_now_ms() - t->since > VB_THP_GRACE_MS)
		t->late = true;
	return !t->late;
}

void vb_thp_renew(struct vb_thp *t)
{
	if (vb_thp_in_time(t))
		t->since = t->last;
}

int vb_thp_inflate(struct vb_thp *t, unsigned int page, unsigned int nr)
{
	t->last = vb_now_ms();
	if (!t->since)
		t->since = t->last;
	return vb_inflate_range(&t->m, t->ram.gpa + page * VB_PAGE, nr);
}

int vb_thp_deflate(struct vb_thp *t, unsigned int page, unsigned int nr)
{
	return vb_deflate_range(&t->m, t->ram.gpa + page * VB_PAGE, nr);
}

__u64 vb_thp_risen(struct vb_thp *t, enum vhost_balloon_counter counter)
{
	return vb_counter(t->m.backend, counter) - t->before.value[counter];
}

int vb_thp_wait(struct vb_thp *t, enum vhost_balloon_counter counter, __u64 value)
{
	return vb_wait_counter(t->m.backend, counter, t->before.value[counter] + value);
}

void vb_thp_expect_gone(struct vb_thp *t, unsigned int page, unsigned int nr)
{
	memset(t->gone + page, true, nr * sizeof(*t->gone));
}

/* A word of pagemap for each page of the memory. */
static __u64 *read_pagemap(const struct vb_memory *memory, unsigned int pages)
{
	size_t len = pages * sizeof(__u64);
	__u64 *map = malloc(len);
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	ssize_t got = -1;

	if (fd >= 0 && map)
		got = pread(fd, map, len, (uintptr_t)memory->hva / VB_PAGE * sizeof(__u64));
	if (fd >= 0)
		close(fd);
	if (got == (ssize_t)len)
		return map;
	free(map);
	return NULL;
}

int vb_thp_wrong(struct vb_thp *t)
{
	__u64 *map = read_pagemap(&t->ram, t->pages);
	unsigned int page;
	int wrong = 0;

	if (!map)
		return -EIO;
	for (page = 0; page < t->pages; page++) {
		bool there = map[page] & PAGEMAP_THERE;

		wrong += there == t->gone[page] ||
			 (there && !vb_memory_intact(&t->ram, page, 1, VB_THP_SEED));
	}
	free(map);
	return wrong;
}

unsigned int vb_thp_not_zero(struct vb_thp *t)
{
	unsigned int page, not_zero = 0;

	for (page = 0; page < t->pages; page++)
		not_zero += t->gone[page] && !vb_memory_zero(&t->ram, page, 1);
	return not_zero;
}
