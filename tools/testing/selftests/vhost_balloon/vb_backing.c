// SPDX-License-Identifier: GPL-2.0
/*
 * Kinds of memory that a VMM may give its guest.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/kvm.h>
#include <linux/memfd.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "vb_backing.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE	0x0010
#endif
#ifndef SYS_mseal
#define SYS_mseal		462
#endif
#ifndef SYS_memfd_secret
#define SYS_memfd_secret	447
#endif

#define PAGES			160U
#define SIZE(b)			((b)->type->pages * VB_PAGE)
#define PROT_RW			(PROT_READ | PROT_WRITE)
/* Where a mapping begins in its file, if not at the start. */
#define FILE_OFFSET_PAGES	16U

/* What a page of the mapping holds, and a page of the file beneath. */
#define PATTERN_MEMORY		0x6d656d6fULL
#define PATTERN_FILE		0x66696c65ULL

static __u64 pattern(__u64 what, unsigned int page)
{
	return what << 32 | (page + 1);
}

static void *page_at(const struct vb_backing *b, unsigned int page)
{
	return b->mem.hva + page * VB_PAGE;
}

static bool page_holds(const struct vb_backing *b, unsigned int page, __u64 value)
{
	const __u64 *words = page_at(b, page);
	unsigned int i;

	for (i = 0; i < VB_PAGE / sizeof(*words); i++)
		if (words[i] != value)
			return false;
	return true;
}

static void fill_page(void *mem, __u64 value)
{
	__u64 *words = mem;
	unsigned int i;

	for (i = 0; i < VB_PAGE / sizeof(*words); i++)
		words[i] = value;
}

void vb_backing_fill(struct vb_backing *b)
{
	unsigned int page;

	for (page = 0; page < b->type->pages; page++)
		fill_page(page_at(b, page), pattern(PATTERN_MEMORY, page));
}

static int missing(struct vb_backing *b, const char *why)
{
	b->why = why;
	return errno ? -errno : -EOPNOTSUPP;
}

static int map_at(struct vb_backing *b, void *hint, int prot, int flags, int fd, off_t offset)
{
	void *hva = mmap(hint, SIZE(b), prot, flags, fd, offset);

	if (hva == MAP_FAILED)
		return -errno;
	b->mem.hva = hva;
	return 0;
}

static int map_anon(struct vb_backing *b)
{
	int ret = map_at(b, NULL, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (ret)
		return ret;
	/* Where the kernel has no huge pages at all, none are in the way. */
	madvise(b->mem.hva, SIZE(b), MADV_NOHUGEPAGE);
	vb_backing_fill(b);
	return 0;
}

static int map_thp(struct vb_backing *b)
{
	char *mem = mmap(NULL, SIZE(b) + VB_HUGE, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *start;
	int ret;

	if (mem == MAP_FAILED)
		return -errno;
	start = (char *)(((uintptr_t)mem + VB_HUGE - 1) & ~(VB_HUGE - 1));
	ret = map_at(b, start, PROT_RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (ret)
		return ret;
	if (madvise(b->mem.hva, SIZE(b), MADV_HUGEPAGE))
		return missing(b, "no transparent huge pages");
	vb_backing_fill(b);
	/* What is huge stays so, and khugepaged doesn't fill up what is taken from it. */
	return madvise(b->mem.hva, SIZE(b), MADV_NOHUGEPAGE) ? -errno : 0;
}

static int open_memfd(struct vb_backing *b, unsigned int flags, size_t size)
{
	b->fd = memfd_create("vb_backing", MFD_CLOEXEC | flags);
	if (b->fd < 0 || ftruncate(b->fd, size))
		return -errno;
	return 0;
}

static int map_memfd(struct vb_backing *b)
{
	int ret = open_memfd(b, MFD_ALLOW_SEALING, SIZE(b));

	if (!ret)
		ret = map_at(b, NULL, PROT_RW, MAP_SHARED, b->fd, 0);
	if (!ret)
		vb_backing_fill(b);
	return ret;
}

/* Writes to the file what its pages hold when nobody has written to the mapping. */
static int write_file(int fd, unsigned int pages)
{
	__u64 words[VB_PAGE / sizeof(__u64)];
	unsigned int page;

	for (page = 0; page < pages; page++) {
		fill_page(words, pattern(PATTERN_FILE, page));
		if (pwrite(fd, words, VB_PAGE, page * VB_PAGE) != (ssize_t)VB_PAGE)
			return -EIO;
	}
	return 0;
}

static int map_memfd_offset(struct vb_backing *b)
{
	off_t offset = FILE_OFFSET_PAGES * VB_PAGE;
	int ret = open_memfd(b, 0, offset + SIZE(b) + offset);

	/* What lies before and behind has to stay. */
	if (!ret)
		ret = write_file(b->fd, b->type->pages + 2 * FILE_OFFSET_PAGES);
	if (!ret)
		ret = map_at(b, NULL, PROT_RW, MAP_SHARED, b->fd, offset);
	if (!ret)
		vb_backing_fill(b);
	return ret;
}

static int add_seals(struct vb_backing *b, int seals)
{
	return fcntl(b->fd, F_ADD_SEALS, seals) ? -errno : 0;
}

static int map_memfd_size_sealed(struct vb_backing *b)
{
	return map_memfd(b) ?: add_seals(b, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
}

static int map_future_write_sealed(struct vb_backing *b)
{
	return map_memfd(b) ?: add_seals(b, F_SEAL_FUTURE_WRITE);
}

/* No writable shared mapping is left when F_SEAL_WRITE is added. */
static int open_write_sealed(struct vb_backing *b)
{
	int ret = map_memfd(b);

	if (ret)
		return ret;
	munmap(b->mem.hva, SIZE(b));
	b->mem.hva = NULL;
	return add_seals(b, F_SEAL_WRITE);
}

static int map_write_sealed(struct vb_backing *b)
{
	return open_write_sealed(b) ?: map_at(b, NULL, PROT_READ, MAP_SHARED, b->fd, 0);
}

/* A file on a filesystem of our own, in a mount namespace of our own. */
static int open_on(struct vb_backing *b, const char *fstype)
{
	if (unshare(CLONE_NEWNS) || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("vb_backing", "/mnt", fstype, 0, NULL))
		return missing(b, "cannot mount a filesystem");
	b->fd = open("/mnt/file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (b->fd < 0 || ftruncate(b->fd, SIZE(b)))
		return -errno;
	return 0;
}

static int map_shared_on(struct vb_backing *b, const char *fstype)
{
	int ret = open_on(b, fstype);

	if (!ret)
		ret = map_at(b, NULL, PROT_RW, MAP_SHARED, b->fd, 0);
	if (!ret)
		vb_backing_fill(b);
	return ret;
}

static int map_tmpfs(struct vb_backing *b)
{
	return map_shared_on(b, "tmpfs");
}

static int map_other_fs(struct vb_backing *b)
{
	return map_shared_on(b, "ramfs");
}

static int map_shared_anon(struct vb_backing *b)
{
	int ret = map_at(b, NULL, PROT_RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (!ret)
		vb_backing_fill(b);
	return ret;
}

static int map_zero(struct vb_backing *b, int flags)
{
	int ret;

	b->extra = open("/dev/zero", O_RDWR | O_CLOEXEC);
	if (b->extra < 0)
		return -errno;
	ret = map_at(b, NULL, PROT_RW, flags, b->extra, 0);
	if (ret)
		return ret;
	madvise(b->mem.hva, SIZE(b), MADV_NOHUGEPAGE);
	vb_backing_fill(b);
	return 0;
}

static int map_zero_private(struct vb_backing *b)
{
	return map_zero(b, MAP_PRIVATE);
}

static int map_zero_shared(struct vb_backing *b)
{
	return map_zero(b, MAP_SHARED);
}

static int map_private(struct vb_backing *b, int fd)
{
	int ret = map_at(b, NULL, PROT_RW, MAP_PRIVATE, fd, 0);

	if (!ret)
		vb_backing_fill(b);
	return ret;
}

static int map_private_file(struct vb_backing *b)
{
	return open_on(b, "ramfs") ?: write_file(b->fd, b->type->pages) ?: map_private(b, b->fd);
}

static int map_private_file_read_only(struct vb_backing *b)
{
	int ret = open_on(b, "ramfs") ?: write_file(b->fd, b->type->pages);

	if (ret)
		return ret;
	b->extra = open("/mnt/file", O_RDONLY | O_CLOEXEC);
	return b->extra < 0 ? -errno : map_private(b, b->extra);
}

static int map_private_write_sealed(struct vb_backing *b)
{
	return open_memfd(b, MFD_ALLOW_SEALING, SIZE(b)) ?:
	       write_file(b->fd, b->type->pages) ?:
	       add_seals(b, F_SEAL_WRITE) ?: map_private(b, b->fd);
}

static int lock_all(struct vb_backing *b)
{
	if (mlock(b->mem.hva, SIZE(b)))
		return missing(b, "no right to lock memory");
	return 0;
}

static int map_locked(struct vb_backing *b)
{
	return map_anon(b) ?: lock_all(b);
}

static int map_locked_memfd(struct vb_backing *b)
{
	return map_memfd(b) ?: lock_all(b);
}

static int protect_all(struct vb_backing *b)
{
	return mprotect(b->mem.hva, SIZE(b), PROT_READ) ? -errno : 0;
}

static int map_prot_read_anon(struct vb_backing *b)
{
	return map_anon(b) ?: protect_all(b);
}

static int map_prot_read_memfd(struct vb_backing *b)
{
	return map_memfd(b) ?: protect_all(b);
}

static int map_memfd_opened_read_only(struct vb_backing *b)
{
	char path[32];
	int ret = map_memfd(b);

	if (ret)
		return ret;
	munmap(b->mem.hva, SIZE(b));
	b->mem.hva = NULL;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", b->fd);
	b->extra = open(path, O_RDONLY | O_CLOEXEC);
	if (b->extra < 0)
		return -errno;
	return map_at(b, NULL, PROT_READ, MAP_SHARED, b->extra, 0);
}

static int register_uffd(struct vb_backing *b, __u64 mode)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { .start = (uintptr_t)b->mem.hva, .len = SIZE(b) },
		.mode = mode,
	};

	b->extra = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (b->extra < 0)
		return missing(b, "no userfaultfd");
	if (ioctl(b->extra, UFFDIO_API, &api) || ioctl(b->extra, UFFDIO_REGISTER, &reg))
		return missing(b, "userfaultfd does not take this mode");
	return 0;
}

static int map_uffd_missing(struct vb_backing *b)
{
	return map_anon(b) ?: register_uffd(b, UFFDIO_REGISTER_MODE_MISSING);
}

static int map_uffd_wp(struct vb_backing *b)
{
	return map_anon(b) ?: register_uffd(b, UFFDIO_REGISTER_MODE_WP);
}

static int map_uffd_memfd(struct vb_backing *b)
{
	return map_memfd(b) ?: register_uffd(b, UFFDIO_REGISTER_MODE_MISSING);
}

static int map_mseal(struct vb_backing *b)
{
	int ret = map_anon(b);

	if (ret)
		return ret;
	if (syscall(SYS_mseal, b->mem.hva, SIZE(b), 0))
		return missing(b, "this kernel has no mseal");
	return 0;
}

static int map_secretmem(struct vb_backing *b)
{
	b->fd = syscall(SYS_memfd_secret, O_CLOEXEC);
	if (b->fd < 0 || ftruncate(b->fd, SIZE(b)) ||
	    map_at(b, NULL, PROT_RW, MAP_SHARED, b->fd, 0))
		return missing(b, "this kernel has no memfd_secret, or it is off");
	vb_backing_fill(b);
	return 0;
}

int vb_backing_open(struct vb_backing *b, const struct vb_backing_type *type, __u64 gpa)
{
	memset(b, 0, sizeof(*b));
	b->type = type;
	b->fd = -1;
	b->extra = -1;
	b->mem.gpa = gpa;
	b->mem.len = SIZE(b);
	errno = 0;
	return type->map(b);
}

void vb_backing_close(struct vb_backing *b)
{
	/* Sealed memory stays until the process ends. */
	if (b->mem.hva)
		munmap(b->mem.hva, b->mem.len);
	if (b->fd >= 0)
		close(b->fd);
	if (b->extra >= 0)
		close(b->extra);
	b->mem.hva = NULL;
	b->fd = -1;
	b->extra = -1;
}

bool vb_backing_intact(const struct vb_backing *b, unsigned int page)
{
	return page_holds(b, page, pattern(PATTERN_MEMORY, page));
}

bool vb_backing_fresh(const struct vb_backing *b, unsigned int page)
{
	return page_holds(b, page, b->type->is_file ? pattern(PATTERN_FILE, page) : 0);
}

/* Present, or swapped out. */
static int page_mapped(const void *mem)
{
	const __u64 there = 3ULL << 62;
	__u64 entry = 0;
	int fd, ret;

	fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = pread(fd, &entry, sizeof(entry), (uintptr_t)mem / VB_PAGE * sizeof(entry));
	close(fd);
	return ret == sizeof(entry) ? !!(entry & there) : -EIO;
}

int vb_backing_mapped(const struct vb_backing *b, unsigned int page)
{
	return page_mapped(page_at(b, page));
}

int vb_backing_resident(const struct vb_backing *b, unsigned int page)
{
	unsigned char there;

	if (!b->type->shared)
		return page_mapped(page_at(b, page));
	if (mincore(page_at(b, page), VB_PAGE, &there))
		return -errno;
	return there & 1;
}

long vb_backing_file_pages(const struct vb_backing *b)
{
	struct stat st;

	if (b->fd < 0 || !b->type->shared || fstat(b->fd, &st))
		return -1;
	return st.st_blocks / (VB_PAGE / 512);
}

unsigned int vb_backing_wrong(const struct vb_backing *b, const bool *given)
{
	unsigned int page, wrong = 0;

	for (page = 0; page < b->type->pages; page++) {
		bool there = !(b->type->gone && given[page]);

		wrong += vb_backing_resident(b, page) != there;
	}
	for (page = 0; page < b->type->pages; page++) {
		if (b->type->gone && given[page])
			wrong += !vb_backing_fresh(b, page);
		else
			wrong += !vb_backing_intact(b, page);
	}
	return wrong;
}

#define PRIVATE(fn)	.map = fn, .pages = PAGES, .unit = 1
#define SHARED(fn)	.map = fn, .pages = PAGES, .unit = 1, .shared = true
#define GONE(what)	.gone = true, .counter = VHOST_BALLOON_C_DISCARD_##what, \
			.kind = VHOST_BALLOON_BACKING_##what
#define LEFT(why, what)	.gone = false, .counter = VHOST_BALLOON_C_SKIP_##why, \
			.kind = VHOST_BALLOON_BACKING_##what

const struct vb_backing_type vb_backing_anon = { PRIVATE(map_anon), GONE(ANON) };
const struct vb_backing_type vb_backing_thp = {
	.map = map_thp, .pages = 2 * VB_HUGE_PAGES, .unit = 1, GONE(ANON),
};

const struct vb_backing_type vb_backing_zero_private = { PRIVATE(map_zero_private), GONE(ANON) };
const struct vb_backing_type vb_backing_memfd = { SHARED(map_memfd), GONE(SHMEM) };
const struct vb_backing_type vb_backing_memfd_offset = { SHARED(map_memfd_offset), GONE(SHMEM) };
const struct vb_backing_type vb_backing_memfd_size_sealed = {
	SHARED(map_memfd_size_sealed), GONE(SHMEM),
};

const struct vb_backing_type vb_backing_tmpfs = { SHARED(map_tmpfs), GONE(SHMEM) };
const struct vb_backing_type vb_backing_shared_anon = { SHARED(map_shared_anon), GONE(SHMEM) };
const struct vb_backing_type vb_backing_zero_shared = { SHARED(map_zero_shared), GONE(SHMEM) };
const struct vb_backing_type vb_backing_private_file = {
	PRIVATE(map_private_file), GONE(FILE), .is_file = true,
};

const struct vb_backing_type vb_backing_private_file_read_only = {
	PRIVATE(map_private_file_read_only), GONE(FILE), .is_file = true,
};

const struct vb_backing_type vb_backing_private_write_sealed = {
	PRIVATE(map_private_write_sealed), GONE(FILE), .is_file = true,
};

const struct vb_backing_type vb_backing_locked = { PRIVATE(map_locked), LEFT(LOCKED, ANON) };
const struct vb_backing_type vb_backing_locked_memfd = {
	SHARED(map_locked_memfd), LEFT(LOCKED, SHMEM),
};

const struct vb_backing_type vb_backing_prot_read_anon = {
	PRIVATE(map_prot_read_anon), LEFT(NO_WRITE, ANON),
};

const struct vb_backing_type vb_backing_prot_read_memfd = {
	SHARED(map_prot_read_memfd), LEFT(NO_WRITE, SHMEM),
};

const struct vb_backing_type vb_backing_memfd_opened_read_only = {
	SHARED(map_memfd_opened_read_only), LEFT(NO_WRITE, SHMEM),
};

const struct vb_backing_type vb_backing_future_write_sealed = {
	SHARED(map_future_write_sealed), LEFT(FILE_SEALED, SHMEM),
};

const struct vb_backing_type vb_backing_write_sealed = {
	SHARED(map_write_sealed), LEFT(NO_WRITE, SHMEM),
};

const struct vb_backing_type vb_backing_uffd_missing = {
	PRIVATE(map_uffd_missing), LEFT(USERFAULTFD, ANON),
};

const struct vb_backing_type vb_backing_uffd_wp = {
	PRIVATE(map_uffd_wp), LEFT(USERFAULTFD, ANON),
};

const struct vb_backing_type vb_backing_uffd_memfd = {
	SHARED(map_uffd_memfd), LEFT(USERFAULTFD, SHMEM),
};

const struct vb_backing_type vb_backing_mseal = { PRIVATE(map_mseal), LEFT(VM_SEALED, ANON) };
const struct vb_backing_type vb_backing_secretmem = {
	SHARED(map_secretmem), LEFT(SECRETMEM, OTHER),
};

const struct vb_backing_type vb_backing_other_fs = { SHARED(map_other_fs), LEFT(OTHER_FS, OTHER) };
const struct vb_backing_type vb_backing_read_only_slot = {
	PRIVATE(map_anon), LEFT(READONLY_SLOT, ANON), .slot_flags = KVM_MEM_READONLY,
};

const struct vb_backing_type vb_backing_no_slot = {
	PRIVATE(map_anon), LEFT(NO_SLOT, ANON), .no_slot = true,
};
