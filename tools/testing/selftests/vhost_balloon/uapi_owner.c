// SPDX-License-Identifier: GPL-2.0
/*
 * Backend files without an owner, and what is different once they have one.
 */
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "vb_backend.h"

/* Longer than any structure. */
#define BUF_SIZE	2048

/* A backend without an owner. */
FIXTURE(unowned) {
	int fd;
};

FIXTURE_SETUP(unowned)
{
	self->fd = vb_open();
	ASSERT_GE(self->fd, 0) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-self->fd));
	}
}

FIXTURE_TEARDOWN(unowned)
{
	close(self->fd);
}

TEST_F(unowned, standard_ioctls_are_eperm)
{
	const unsigned long requests[] = {
		VHOST_GET_FEATURES, VHOST_SET_FEATURES, VHOST_SET_MEM_TABLE,
		VHOST_SET_VRING_NUM, VHOST_SET_VRING_BASE, VHOST_GET_VRING_BASE,
		VHOST_SET_VRING_ADDR, VHOST_SET_VRING_KICK, VHOST_SET_VRING_CALL,
		VHOST_SET_VRING_ERR, VHOST_SET_LOG_BASE, VHOST_SET_LOG_FD, VHOST_RESET_OWNER,
	};
	char buf[BUF_SIZE] = { 0 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		EXPECT_EQ(-EPERM, vb_ioctl(self->fd, requests[i], buf)) {
			TH_LOG("number %#lx", _IOC_NR(requests[i]));
		}
	}
}

TEST_F(unowned, takes_one_owner_only)
{
	EXPECT_EQ(0, vb_set_owner(self->fd));
	EXPECT_EQ(-EBUSY, vb_set_owner(self->fd));
}

TEST_F(unowned, is_listed_once_it_has_an_owner)
{
	struct vhost_balloon_info info;
	struct vhost_balloon_list list = { .size = sizeof(list) };
	__u32 others;

	ASSERT_EQ(0, vb_ioctl(self->fd, VHOST_BALLOON_LIST, &list));
	others = list.total;
	ASSERT_EQ(0, vb_set_owner(self->fd));
	ASSERT_EQ(0, vb_ioctl(self->fd, VHOST_BALLOON_LIST, &list));
	EXPECT_EQ(others + 1, list.total);
	ASSERT_EQ(0, vb_get_info(self->fd, &info));
	list.after = info.id - 1;
	ASSERT_EQ(0, vb_ioctl(self->fd, VHOST_BALLOON_LIST, &list));
	EXPECT_EQ(1U, list.total);
	list.after = info.id;
	ASSERT_EQ(0, vb_ioctl(self->fd, VHOST_BALLOON_LIST, &list));
	EXPECT_EQ(0U, list.total);
}

TEST_F(unowned, unknown_ioctls_are_enotty)
{
	const unsigned long requests[] = {
		VHOST_SET_VRING_ENDIAN, VHOST_GET_VRING_ENDIAN,
		VHOST_SET_VRING_BUSYLOOP_TIMEOUT, VHOST_GET_VRING_BUSYLOOP_TIMEOUT,
		VHOST_NET_SET_BACKEND,
		_IOW(VHOST_VIRTIO, 0xDF, struct vhost_balloon_file),
		_IOW(VHOST_VIRTIO, 0xFF, struct vhost_balloon_file),
		/* the type of others */
		_IOWR('v', _IOC_NR(VHOST_BALLOON_GET_INFO), struct vhost_balloon_info),
	};
	char buf[BUF_SIZE] = { 0 };
	unsigned int i;

	ASSERT_EQ(0, vb_set_owner(self->fd));
	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		EXPECT_EQ(-ENOTTY, vb_ioctl(self->fd, requests[i], buf)) {
			TH_LOG("number %#lx", _IOC_NR(requests[i]));
		}
	}
}

TEST_F(unowned, open_of_an_unknown_id_is_enoent)
{
	EXPECT_EQ(-ENOENT, vb_open_id(self->fd, 0));
	EXPECT_EQ(-ENOENT, vb_open_id(self->fd, ~0ULL));
}

TEST_F(unowned, ids_are_never_used_again)
{
	struct vhost_balloon_info info;
	__u64 last;
	int fd, i;

	ASSERT_EQ(0, vb_set_owner(self->fd));
	ASSERT_EQ(0, vb_get_info(self->fd, &info));
	for (i = 0; i < 16; i++) {
		last = info.id;
		fd = vb_open_owned();
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, vb_get_info(fd, &info));
		EXPECT_LT(last, info.id);
		close(fd);
		EXPECT_EQ(-ENOENT, vb_open_id(self->fd, info.id));
	}
}

TEST_HARNESS_MAIN
