// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls of /dev/vhost-balloon that are its own: what each takes, what each
 * refuses, and who may call it. See uapi_owner.c for what an owner changes, and
 * uapi_vhost.c for the standard ioctls of vhost.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "vb_backend.h"

/* What some of them need. */
#define FEATURES	(VB_FEATURE(VIRTIO_F_VERSION_1) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_STATS_VQ) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_FREE_PAGE_HINT))

/* Longer than any structure, with room for a tail. */
#define BUF_SIZE	2048
#define TAIL		40

static void *map_anon(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* The number of open files of this process. */
static int count_fds(void)
{
	int fd, nr = 0;

	for (fd = 0; fd < 256; fd++)
		nr += fcntl(fd, F_GETFD) >= 0;
	return nr;
}

/* A field that has to be zero, or may not have this value. */
struct bad_field {
	__u32 offset;
	__u32 width;
	__u64 value;
};

#define BAD(type, field, val) \
	{ offsetof(struct type, field), sizeof(((struct type *)0)->field), (val) }
#define MAX_BAD		8

/* Every ioctl of the balloon's own, with its structure. */
FIXTURE(own_ioctl) {
	int fd;
	int other;
	__u64 id;
	char *buf;
	struct vhost_balloon_info before;
};

FIXTURE_VARIANT(own_ioctl) {
	unsigned long request;
	/* bytes of the structure, and of its first version */
	__u32 size;
	__u32 min_size;
	/* works without an owner; works on a control file */
	bool without_owner;
	bool on_control;
	/* gives a file descriptor, at this offset */
	bool gives_fd;
	__u32 fd_offset;
	/* the kernel writes to the structure */
	bool writes;
	/* something has changed, even if that can't be told */
	bool acts;
	struct bad_field bad[MAX_BAD];
};

#define OWN(type) .size = sizeof(struct type), .min_size = sizeof(struct type)

FIXTURE_VARIANT_ADD(own_ioctl, set_vm) {
	.request = VHOST_BALLOON_SET_VM, OWN(vhost_balloon_file),
	.bad = {
		BAD(vhost_balloon_file, flags, 1),
		BAD(vhost_balloon_file, flags, 1U << 31),
		BAD(vhost_balloon_file, reserved, 1),
	},
};

FIXTURE_VARIANT_ADD(own_ioctl, set_running) {
	.request = VHOST_BALLOON_SET_RUNNING, OWN(vhost_balloon_running),
	.bad = {
		BAD(vhost_balloon_running, running, 2),
		BAD(vhost_balloon_running, running, ~0U),
	},
};

FIXTURE_VARIANT_ADD(own_ioctl, get_config) {
	.request = VHOST_BALLOON_GET_CONFIG, OWN(vhost_balloon_config), .writes = true,
	.bad = {
		BAD(vhost_balloon_config, flags, 1),
		BAD(vhost_balloon_config, flags, 1U << 31),
		BAD(vhost_balloon_config, len, VHOST_BALLOON_CONFIG_MAX + 1),
		BAD(vhost_balloon_config, len, ~0U),
		/* the length is VHOST_BALLOON_CONFIG_MAX */
		BAD(vhost_balloon_config, offset, 1),
		BAD(vhost_balloon_config, offset, ~0U),
		BAD(vhost_balloon_config, offset, -(__u32)VHOST_BALLOON_CONFIG_MAX),
	},
};

FIXTURE_VARIANT_ADD(own_ioctl, set_config) {
	.request = VHOST_BALLOON_SET_CONFIG, OWN(vhost_balloon_config),
	.bad = {
		BAD(vhost_balloon_config, flags, 1),
		BAD(vhost_balloon_config, flags, 1U << 31),
		BAD(vhost_balloon_config, len, VHOST_BALLOON_CONFIG_MAX + 1),
		BAD(vhost_balloon_config, len, ~0U),
		BAD(vhost_balloon_config, offset, 1),
		BAD(vhost_balloon_config, offset, ~0U),
		BAD(vhost_balloon_config, offset, -(__u32)VHOST_BALLOON_CONFIG_MAX),
	},
};

FIXTURE_VARIANT_ADD(own_ioctl, set_config_call) {
	.request = VHOST_BALLOON_SET_CONFIG_CALL, OWN(vhost_balloon_file),
	.bad = {
		BAD(vhost_balloon_file, flags, 1),
		BAD(vhost_balloon_file, flags, 1U << 31),
		BAD(vhost_balloon_file, reserved, 1),
	},
};

FIXTURE_VARIANT_ADD(own_ioctl, get_control) {
	.request = VHOST_BALLOON_GET_CONTROL, OWN(vhost_balloon_file), .writes = true,
	.gives_fd = true, .fd_offset = offsetof(struct vhost_balloon_file, fd),
	.bad = {
		BAD(vhost_balloon_file, flags, 1),
		BAD(vhost_balloon_file, flags, 1U << 31),
		BAD(vhost_balloon_file, reserved, 1),
	},
};

FIXTURE_VARIANT_ADD(own_ioctl, set_access) {
	.request = VHOST_BALLOON_SET_ACCESS, OWN(vhost_balloon_access),
	.bad = {
		BAD(vhost_balloon_access, access, 2),
		BAD(vhost_balloon_access, access, 1U << 31),
	},
};

FIXTURE_VARIANT_ADD(own_ioctl, list) {
	.request = VHOST_BALLOON_LIST, OWN(vhost_balloon_list), .writes = true,
	.without_owner = true,
	.bad = {
		BAD(vhost_balloon_list, flags, 1),
		BAD(vhost_balloon_list, flags, 1U << 31),
	},
};

FIXTURE_VARIANT_ADD(own_ioctl, open) {
	.request = VHOST_BALLOON_OPEN, OWN(vhost_balloon_open), .writes = true,
	.without_owner = true,
	.gives_fd = true, .fd_offset = offsetof(struct vhost_balloon_open, fd),
	.bad = {
		BAD(vhost_balloon_open, flags, 1),
		BAD(vhost_balloon_open, flags, 1U << 31),
		BAD(vhost_balloon_open, reserved, 1),
	},
};

FIXTURE_VARIANT_ADD(own_ioctl, get_info) {
	.request = VHOST_BALLOON_GET_INFO, .size = sizeof(struct vhost_balloon_info),
	/* It ended with the queues. */
	.min_size = offsetof(struct vhost_balloon_info, inhibit),
	.writes = true, .on_control = true,
	.bad = { BAD(vhost_balloon_info, reserved, 1) },
};

FIXTURE_VARIANT_ADD(own_ioctl, get_counters) {
	.request = VHOST_BALLOON_GET_COUNTERS,
	.size = sizeof(struct vhost_balloon_counters), .writes = true,
	/* Whoever knows of no counter may ask how many there are. */
	.min_size = offsetof(struct vhost_balloon_counters, value),
	.on_control = true,
};

FIXTURE_VARIANT_ADD(own_ioctl, get_regions) {
	.request = VHOST_BALLOON_GET_REGIONS, OWN(vhost_balloon_regions), .writes = true,
	.on_control = true,
	.bad = {
		BAD(vhost_balloon_regions, flags, 1),
		BAD(vhost_balloon_regions, flags, 1U << 31),
	},
};

FIXTURE_VARIANT_ADD(own_ioctl, set_target) {
	.request = VHOST_BALLOON_SET_TARGET, OWN(vhost_balloon_target), .on_control = true,
	.bad = {
		BAD(vhost_balloon_target, flags, 1),
		BAD(vhost_balloon_target, flags, 1U << 31),
		BAD(vhost_balloon_target, target, 1ULL << 32),
		BAD(vhost_balloon_target, target, ~0ULL),
	},
};

FIXTURE_VARIANT_ADD(own_ioctl, get_tunables) {
	.request = VHOST_BALLOON_GET_TUNABLES, OWN(vhost_balloon_tunables), .writes = true,
	.on_control = true,
	.bad = {
		BAD(vhost_balloon_tunables, flags, 1),
		BAD(vhost_balloon_tunables, flags, 1U << 31),
	},
};

FIXTURE_VARIANT_ADD(own_ioctl, set_tunables) {
	.request = VHOST_BALLOON_SET_TUNABLES, OWN(vhost_balloon_tunables), .on_control = true,
	.bad = {
		BAD(vhost_balloon_tunables, flags, 1),
		BAD(vhost_balloon_tunables, flags, 1U << 31),
		BAD(vhost_balloon_tunables, mask, 1ULL << 63),
		BAD(vhost_balloon_tunables, mask, 2 * VHOST_BALLOON_TUNE_THP),
	},
};

FIXTURE_VARIANT_ADD(own_ioctl, get_stats) {
	.request = VHOST_BALLOON_GET_STATS, OWN(vhost_balloon_stats), .writes = true,
	.on_control = true,
	.bad = {
		BAD(vhost_balloon_stats, flags, 1),
		BAD(vhost_balloon_stats, flags, 1U << 31),
	},
};

FIXTURE_VARIANT_ADD(own_ioctl, set_stats_interval) {
	.request = VHOST_BALLOON_SET_STATS_INTERVAL, OWN(vhost_balloon_stats_interval),
	.on_control = true,
	.bad = {
		BAD(vhost_balloon_stats_interval, interval, VHOST_BALLOON_STATS_INTERVAL_MAX + 1),
		BAD(vhost_balloon_stats_interval, interval, ~0U),
	},
};

FIXTURE_VARIANT_ADD(own_ioctl, refresh_stats) {
	.request = VHOST_BALLOON_REFRESH_STATS, OWN(vhost_balloon_refresh), .on_control = true,
	.bad = {
		BAD(vhost_balloon_refresh, timeout, VHOST_BALLOON_REFRESH_TIMEOUT_MAX + 1),
		BAD(vhost_balloon_refresh, timeout, ~0U),
	},
};

FIXTURE_VARIANT_ADD(own_ioctl, hint_start) {
	.request = VHOST_BALLOON_HINT_START, OWN(vhost_balloon_hint_start), .writes = true,
	.acts = true, .on_control = true,
};

FIXTURE_VARIANT_ADD(own_ioctl, hint_stop) {
	.request = VHOST_BALLOON_HINT_STOP, OWN(vhost_balloon_hint_stop), .on_control = true,
	.bad = {
		BAD(vhost_balloon_hint_stop, how, 2),
		BAD(vhost_balloon_hint_stop, how, ~0U),
	},
};

FIXTURE_VARIANT_ADD(own_ioctl, hint_fetch) {
	.request = VHOST_BALLOON_HINT_FETCH, OWN(vhost_balloon_hint_fetch), .writes = true,
	.on_control = true,
	.bad = {
		BAD(vhost_balloon_hint_fetch, flags, 1),
		BAD(vhost_balloon_hint_fetch, flags, 1U << 31),
		BAD(vhost_balloon_hint_fetch, gfn, 1),
		BAD(vhost_balloon_hint_fetch, gfn, ~0ULL),
		BAD(vhost_balloon_hint_fetch, nr, 0),
		BAD(vhost_balloon_hint_fetch, nr, VHOST_BALLOON_HINT_FETCH_MAX + 1),
		BAD(vhost_balloon_hint_fetch, nr, ~0U),
	},
};

FIXTURE_VARIANT_ADD(own_ioctl, set_inhibit) {
	.request = VHOST_BALLOON_SET_INHIBIT, OWN(vhost_balloon_inhibit), .on_control = true,
	/* See inhibit.c for its reason. */
	.bad = {
		BAD(vhost_balloon_inhibit, inhibit, 1),
		BAD(vhost_balloon_inhibit, inhibit, 2),
		BAD(vhost_balloon_inhibit, inhibit, ~0U),
		BAD(vhost_balloon_inhibit, reason[0], 'a'),
		BAD(vhost_balloon_inhibit, reason[VHOST_BALLOON_REASON_SIZE - 1], 1),
	},
};

/* Where bits are fetched to; nobody looks at them. */
static __u64 bitmap;

/* Fills in what the ioctl accepts and what changes nothing. */
static void fill_valid(unsigned long request, void *buf, __u32 size, __u64 id)
{
	struct vhost_balloon_hint_fetch *fetch = buf;
	struct vhost_balloon_config *config = buf;
	struct vhost_balloon_file *file = buf;
	struct vhost_balloon_open *open = buf;

	memset(buf, 0, BUF_SIZE);
	*(__u32 *)buf = size;
	switch (request) {
	case VHOST_BALLOON_SET_VM:
	case VHOST_BALLOON_SET_CONFIG_CALL:
	case VHOST_BALLOON_GET_CONTROL:
		file->fd = -1;
		break;
	case VHOST_BALLOON_GET_CONFIG:
	case VHOST_BALLOON_SET_CONFIG:
		config->len = VHOST_BALLOON_CONFIG_MAX;
		break;
	case VHOST_BALLOON_OPEN:
		open->id = id;
		break;
	case VHOST_BALLOON_HINT_FETCH:
		fetch->nr = 64;
		fetch->bitmap = (unsigned long)&bitmap;
		break;
	}
}

FIXTURE_SETUP(own_ioctl)
{
	self->fd = vb_open_owned();
	ASSERT_GE(self->fd, 0) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-self->fd));
	}
	self->buf = malloc(BUF_SIZE);
	ASSERT_NE(NULL, self->buf);
	ASSERT_EQ(0, vb_set_features(self->fd, FEATURES));
	ASSERT_EQ(0, vb_get_info(self->fd, &self->before));
	self->id = self->before.id;
	self->other = -1;
	fill_valid(variant->request, self->buf, variant->size, self->id);
}

FIXTURE_TEARDOWN(own_ioctl)
{
	if (self->other >= 0)
		close(self->other);
	close(self->fd);
	free(self->buf);
}

/* Nothing may have changed, and no file may have been opened. */
#define EXPECT_UNCHANGED(nr_fds) do { \
	struct vhost_balloon_info after; \
	\
	EXPECT_EQ(0, vb_get_info(self->fd, &after)); \
	EXPECT_EQ(0, memcmp(&self->before, &after, sizeof(after))); \
	EXPECT_EQ((nr_fds), count_fds()); \
} while (0)

#define EXPECT_FD_GIVEN() do { \
	if (variant->gives_fd) { \
		__s32 given = *(__s32 *)(self->buf + variant->fd_offset); \
		\
		EXPECT_LE(0, given); \
		EXPECT_EQ(FD_CLOEXEC, fcntl(given, F_GETFD)); \
		EXPECT_EQ(0, close(given)); \
	} \
} while (0)

TEST_F(own_ioctl, is_accepted_with_the_size_of_today)
{
	ASSERT_LE(0, vb_ioctl(self->fd, variant->request, self->buf));
	EXPECT_FD_GIVEN();
}

TEST_F(own_ioctl, too_short_is_einval)
{
	const __u32 sizes[] = { 0, 1, 4, variant->min_size - 1 };
	int nr = count_fds();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		fill_valid(variant->request, self->buf, sizes[i], self->id);
		EXPECT_EQ(-EINVAL, vb_ioctl(self->fd, variant->request, self->buf)) {
			TH_LOG("size %u", sizes[i]);
		}
	}
	EXPECT_UNCHANGED(nr);
}

TEST_F(own_ioctl, too_long_with_zero_tail_is_accepted)
{
	fill_valid(variant->request, self->buf, variant->size + TAIL, self->id);
	ASSERT_LE(0, vb_ioctl(self->fd, variant->request, self->buf));
	EXPECT_FD_GIVEN();
}

TEST_F(own_ioctl, too_long_leaves_what_comes_after_alone)
{
	fill_valid(variant->request, self->buf, variant->size + TAIL, self->id);
	memset(self->buf + variant->size + TAIL, 0xa5, 8);
	ASSERT_LE(0, vb_ioctl(self->fd, variant->request, self->buf));
	EXPECT_EQ(0, memcmp(self->buf + variant->size + TAIL,
			    "\xa5\xa5\xa5\xa5\xa5\xa5\xa5\xa5", 8));
}

TEST_F(own_ioctl, too_long_with_non_zero_tail_is_e2big)
{
	const __u32 where[] = { 0, 1, TAIL / 2, TAIL - 1 };
	int nr = count_fds();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(where); i++) {
		fill_valid(variant->request, self->buf, variant->size + TAIL, self->id);
		self->buf[variant->size + where[i]] = 1;
		EXPECT_EQ(-E2BIG, vb_ioctl(self->fd, variant->request, self->buf)) {
			TH_LOG("tail byte %u", where[i]);
		}
	}
	EXPECT_UNCHANGED(nr);
}

TEST_F(own_ioctl, enormous_size_is_refused)
{
	int nr = count_fds();
	int ret;

	fill_valid(variant->request, self->buf, ~0U, self->id);
	ret = vb_ioctl(self->fd, variant->request, self->buf);
	EXPECT_TRUE(ret == -E2BIG || ret == -EFAULT || ret == -EINVAL) {
		TH_LOG("returned %d", ret);
	}
	EXPECT_UNCHANGED(nr);
}

TEST_F(own_ioctl, size_in_the_ioctl_number_does_not_matter)
{
	unsigned int dir = _IOC_DIR(variant->request);
	unsigned int nr = _IOC_NR(variant->request);

	ASSERT_LE(0, vb_ioctl(self->fd, _IOC(dir, VHOST_VIRTIO, nr, variant->size + TAIL),
			      self->buf));
	EXPECT_FD_GIVEN();
	fill_valid(variant->request, self->buf, variant->size, self->id);
	ASSERT_LE(0, vb_ioctl(self->fd, _IOC(dir, VHOST_VIRTIO, nr, 4), self->buf));
	EXPECT_FD_GIVEN();
}

TEST_F(own_ioctl, unknown_flags_reserved_fields_and_ranges_are_einval)
{
	int nr = count_fds();
	unsigned int i;

	if (!variant->bad[0].width)
		SKIP(return, "the structure has no such field");
	for (i = 0; i < MAX_BAD && variant->bad[i].width; i++) {
		const struct bad_field *bad = &variant->bad[i];

		fill_valid(variant->request, self->buf, variant->size, self->id);
		/* little endian: the low bytes come first */
		memcpy(self->buf + bad->offset, &bad->value, bad->width);
		EXPECT_EQ(-EINVAL, vb_ioctl(self->fd, variant->request, self->buf)) {
			TH_LOG("offset %u value %#llx", bad->offset, bad->value);
		}
	}
	EXPECT_UNCHANGED(nr);
}

TEST_F(own_ioctl, unreadable_structure_is_efault)
{
	char *page = map_anon(2 * VB_PAGE);
	int nr = count_fds();
	__u32 head;

	ASSERT_NE(NULL, page);
	ASSERT_EQ(0, munmap(page + VB_PAGE, VB_PAGE));
	EXPECT_EQ(-EFAULT, vb_ioctl(self->fd, variant->request, NULL));
	/* Its size can be read, its end can't. */
	for (head = 4; head < variant->size; head += 4) {
		memcpy(page + VB_PAGE - head, self->buf, head);
		EXPECT_EQ(-EFAULT, vb_ioctl(self->fd, variant->request, page + VB_PAGE - head)) {
			TH_LOG("%u bytes readable", head);
		}
	}
	EXPECT_UNCHANGED(nr);
	munmap(page, VB_PAGE);
}

TEST_F(own_ioctl, unwritable_structure_is_efault_and_leaks_no_file)
{
	char *page = map_anon(VB_PAGE);
	int nr = count_fds();

	if (!variant->writes)
		SKIP(return, "nothing is written to the structure");
	ASSERT_NE(NULL, page);
	memcpy(page, self->buf, variant->size);
	ASSERT_EQ(0, mprotect(page, VB_PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, vb_ioctl(self->fd, variant->request, page));
	if (!variant->acts)
		EXPECT_UNCHANGED(nr);
	munmap(page, VB_PAGE);
}

TEST_F(own_ioctl, needs_an_owner)
{
	self->other = vb_open();
	ASSERT_LE(0, self->other);
	if (variant->without_owner) {
		EXPECT_LE(0, vb_ioctl(self->other, variant->request, self->buf));
		EXPECT_FD_GIVEN();
	} else {
		EXPECT_EQ(-EPERM, vb_ioctl(self->other, variant->request, self->buf));
	}
}

TEST_F(own_ioctl, on_a_control_file)
{
	self->other = vb_get_control(self->fd);
	ASSERT_LE(0, self->other);
	EXPECT_EQ(variant->on_control ? 0 : -ENOTTY,
		  vb_ioctl(self->other, variant->request, self->buf));
}

TEST_F(own_ioctl, on_a_control_file_whose_balloon_is_gone)
{
	if (!variant->on_control)
		SKIP(return, "not an ioctl of control files");
	self->other = vb_get_control(self->fd);
	ASSERT_LE(0, self->other);
	close(self->fd);
	EXPECT_EQ(-ENODEV, vb_ioctl(self->other, variant->request, self->buf));
	self->fd = -1;
}

/*
 * A child has inherited the backend file. What needs the owner it may not do;
 * what needs none goes by its own rights.
 */
TEST_F(own_ioctl, by_a_forked_child_is_eperm)
{
	int status;
	pid_t pid;

	if (variant->without_owner)
		SKIP(return, "needs no owner");
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		int ret = vb_ioctl(self->fd, variant->request, self->buf);

		_exit(ret < 0 ? -ret : 0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(EPERM, WEXITSTATUS(status));
}

TEST_HARNESS_MAIN
