// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of huge pages, and guests that give them away part by part.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <linux/memfd.h>
#include <sys/mman.h>

#include "vb_hugetlb.h"

/* Any odd number makes an order in which neighbours don't follow each other. */
#define SCATTERED	167U
/* Doesn't divide the number of parts. */
#define PARTS_A_REQUEST	23U

/*
 * Huge pages are reserved by mapping them: one that can't be had fails here, not later.
 * Their size is said alike to memfd_create() and to mmap().
 */
static int map_huge(struct vb_backing *b, unsigned int size, const char *why)
{
	int flags = b->type->shared ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | size;
	void *hva;

	b->why = why;
	if (b->type->shared) {
		b->fd = memfd_create("vb_hugetlb", MFD_CLOEXEC | MFD_HUGETLB | size);
		if (b->fd < 0 || ftruncate(b->fd, b->mem.len))
			return -errno;
	}
	hva = mmap(NULL, b->mem.len, PROT_READ | PROT_WRITE, flags, b->fd, 0);
	if (hva == MAP_FAILED)
		return -errno;
	b->why = NULL;
	b->mem.hva = hva;
	vb_backing_fill(b);
	return 0;
}

static int map_2m(struct vb_backing *b)
{
	return map_huge(b, MFD_HUGE_2MB, "no free huge pages of 2 MiB");
}

static int map_1g(struct vb_backing *b)
{
	return map_huge(b, MFD_HUGE_1GB, "no free huge page of 1 GiB");
}

#define HUGETLB		.kind = VHOST_BALLOON_BACKING_HUGETLB
#define HUGE		.map = map_2m, .pages = 3 * VB_HUGE_PAGES, HUGETLB
#define GIGANTIC	.map = map_1g, .pages = VB_GIGANTIC_PAGES, HUGETLB
#define GONE(nr)	.unit = (nr), .gone = true, .counter = VHOST_BALLOON_C_DISCARD_HUGETLB, \
			.tunables = VHOST_BALLOON_TUNE_HUGETLB
#define OFF		.unit = 1, .counter = VHOST_BALLOON_C_SKIP_HUGETLB_OFF

const struct vb_backing_type vb_backing_hugetlb_shared = {
	HUGE, GONE(VB_HUGE_PAGES), .shared = true,
};

const struct vb_backing_type vb_backing_hugetlb_private = { HUGE, GONE(VB_HUGE_PAGES) };
const struct vb_backing_type vb_backing_hugetlb_shared_off = { HUGE, OFF, .shared = true };
const struct vb_backing_type vb_backing_hugetlb_private_off = { HUGE, OFF };
const struct vb_backing_type vb_backing_gigantic_shared = {
	GIGANTIC, GONE(VB_GIGANTIC_PAGES), .shared = true,
};

const struct vb_backing_type vb_backing_gigantic_private = { GIGANTIC, GONE(VB_GIGANTIC_PAGES) };

static FILE *pool_open(unsigned long size, const char *name, const char *mode)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%lukB/%s", size >> 10,
		 name);
	return fopen(path, mode);
}

static long pool_read(unsigned long size, const char *name)
{
	FILE *file = pool_open(size, name, "re");
	long nr = -EIO;

	if (!file)
		return -errno;
	if (fscanf(file, "%ld", &nr) != 1)
		nr = -EIO;
	fclose(file);
	return nr;
}

long vb_hugetlb_total(unsigned long size)
{
	return pool_read(size, "nr_hugepages");
}

long vb_hugetlb_free(unsigned long size)
{
	return pool_read(size, "free_hugepages");
}

int vb_hugetlb_resize(unsigned long size, long nr)
{
	FILE *file = pool_open(size, "nr_hugepages", "we");
	int ret = 0;

	if (!file)
		return -errno;
	if (fprintf(file, "%ld", nr) < 0)
		ret = -EIO;
	if (fclose(file))
		ret = -errno;
	if (ret)
		return ret;
	return vb_hugetlb_total(size) == nr ? 0 : -ENOMEM;
}

int vb_hugetlb_take_all(struct vb_memory *taken)
{
	long nr = vb_hugetlb_free(VB_HUGE) - pool_read(VB_HUGE, "resv_hugepages");

	taken->len = nr * VB_HUGE;
	taken->hva = mmap(NULL, taken->len, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | MAP_HUGETLB | MFD_HUGE_2MB,
			  -1, 0);
	if (taken->hva != MAP_FAILED)
		return 0;
	taken->hva = NULL;
	return -errno;
}

unsigned int vb_hugetlb_gone(const struct vb_backing *b)
{
	unsigned int gone = 0;
	unsigned int page;

	for (page = 0; page < b->type->pages; page += VB_HUGE_PAGES)
		if (vb_backing_resident(b, page) == 0)
			gone |= 1U << (page / VB_HUGE_PAGES);
	return gone;
}

unsigned int vb_hugetlb_intact(const struct vb_backing *b)
{
	unsigned int intact = ~vb_hugetlb_gone(b) & ((1U << (b->type->pages / VB_HUGE_PAGES)) - 1);
	unsigned int page, huge;

	for (page = 0; page < b->type->pages; page++) {
		huge = page / VB_HUGE_PAGES;
		if (intact & 1U << huge && !vb_backing_intact(b, page))
			intact &= ~(1U << huge);
	}
	return intact;
}

int vb_hugetlb_inflate(struct vb_machine *m, __u64 gpa, unsigned int but, unsigned int stride,
		       unsigned int each)
{
	__u32 gfns[VB_HUGE_PAGES];
	unsigned int nr = 0;
	unsigned int i;
	int ret;

	for (i = 1; i <= VB_HUGE_PAGES; i++) {
		unsigned int part = i * stride % VB_HUGE_PAGES;

		if (part != but)
			gfns[nr++] = gpa / VB_PAGE + part;
		if (!nr || (nr < each && i < VB_HUGE_PAGES))
			continue;
		ret = vb_machine_inflate(m, gfns, nr);
		if (ret)
			return ret;
		nr = 0;
	}
	return 0;
}

int vb_hugetlb_inflate_but(struct vb_machine *m, __u64 gpa, unsigned int but)
{
	return vb_hugetlb_inflate(m, gpa, but, SCATTERED, PARTS_A_REQUEST);
}
