// SPDX-License-Identifier: GPL-2.0
/*
 * How many control files a balloon may have. An event is told to all of them at once.
 */
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <sys/resource.h>

#include "kselftest_harness.h"
#include "vb_backend.h"
#include "vb_control.h"

/* A user that need not exist. */
#define USER	54321
#define MAX	((int)VHOST_BALLOON_CONTROLS_MAX)

FIXTURE(limit) {
	int backend;
	int controls[MAX + 1];
	int nr;
};

/* Opens one more. Returns 0, or an errno. */
static int open_control(FIXTURE_DATA(limit) *self)
{
	int fd = vb_get_control(self->backend);

	if (fd < 0)
		return fd;
	self->controls[self->nr++] = fd;
	return 0;
}

/* As many as somebody may have who isn't an administrator. Returns the errno at the end. */
static int open_all(FIXTURE_DATA(limit) *self)
{
	int ret = 0;

	while (!ret && self->nr < MAX + 1)
		ret = open_control(self);
	return ret;
}

FIXTURE_SETUP(limit)
{
	const struct rlimit files = { 2 * MAX, 2 * MAX };

	self->nr = 0;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	self->backend = vb_open_owned();
	ASSERT_LE(0, self->backend) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-self->backend));
	}
	ASSERT_EQ(0, seteuid(USER));
}

FIXTURE_TEARDOWN(limit)
{
	while (self->nr)
		close(self->controls[--self->nr]);
	close(self->backend);
}

TEST_F(limit, is_kept)
{
	EXPECT_EQ(-EMFILE, open_all(self));
	EXPECT_EQ(MAX, self->nr);
	/* For each that goes another may come. */
	close(self->controls[--self->nr]);
	EXPECT_EQ(0, open_control(self));
	EXPECT_EQ(-EMFILE, open_control(self));
}

TEST_F(limit, is_not_for_administrators)
{
	ASSERT_EQ(-EMFILE, open_all(self));
	ASSERT_EQ(0, seteuid(0));
	EXPECT_EQ(0, open_control(self));
}

TEST_F(limit, has_all_of_them_hear_of_events)
{
	int i;

	ASSERT_EQ(-EMFILE, open_all(self));
	ASSERT_EQ(0, vb_set_target(self->backend, 1));
	for (i = 0; i < MAX; i++)
		ASSERT_EQ(POLLIN, vb_poll_now(self->controls[i]) & POLLIN);
}

TEST_HARNESS_MAIN
