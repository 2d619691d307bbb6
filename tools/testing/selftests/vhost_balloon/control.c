// SPDX-License-Identifier: GPL-2.0
/*
 * Who may list, open and control a balloon, and what each sees of it. See
 * control_events.c for what a control file tells.
 */
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "vb_memory.h"

/* Users that need not exist. */
#define USER		54321
#define OTHER_USER	54322

#define MAX_BALLOONS	64
#define MIB		(1UL << 20)

static int be_user(uid_t uid)
{
	if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
		return -errno;
	return 0;
}

/*
 * What somebody sees of a balloon: each the result of trying.
 * @listed: LIST names it
 * @opened: OPEN
 * @target: SET_TARGET on what OPEN returned
 * @pid: the owner's, there
 */
struct view {
	int error;
	int listed;
	int opened;
	int target;
	int pid;
};

static void look_at(struct view *view, __u64 id)
{
	struct vhost_balloon_info info;
	__u64 ids[MAX_BALLOONS];
	int device = vb_open();
	int i, nr;

	memset(view, 0, sizeof(*view));
	nr = vb_list_ids(device, ids, MAX_BALLOONS);
	if (nr < 0 || nr > MAX_BALLOONS) {
		view->error = nr;
		return;
	}
	for (i = 0; i < nr; i++)
		view->listed |= ids[i] == id;
	view->opened = vb_open_id(device, id);
	close(device);
	if (view->opened < 0)
		return;
	view->target = vb_set_target(view->opened, 1);
	if (vb_get_info(view->opened, &info))
		view->error = -EPROTO;
	view->pid = info.pid;
	close(view->opened);
	view->opened = 0;
}

enum viewer {
	VIEWER_HERE,
	/* with all capabilities, but in a user namespace of its own */
	VIEWER_IN_USER_NAMESPACE,
	VIEWER_IN_PID_NAMESPACE,
};

static int enter_namespace(enum viewer where)
{
	if (where == VIEWER_IN_USER_NAMESPACE)
		return unshare(CLONE_NEWUSER) ? -errno : 0;
	if (where != VIEWER_IN_PID_NAMESPACE)
		return 0;
	if (unshare(CLONE_NEWPID))
		return -errno;
	/* It is for children only. */
	switch (fork()) {
	case -1:
		return -errno;
	case 0:
		return 0;
	default:
		wait(NULL);
		_exit(0);
	}
}

/* What a user sees, by a process of its own. */
static struct view view_of(uid_t uid, enum viewer where, __u64 id)
{
	struct view result = { .error = -ECHILD };
	struct view *shared;
	int status;
	pid_t pid;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return result;
	*shared = result;
	pid = fork();
	if (!pid) {
		shared->error = enter_namespace(where);
		if (!shared->error && uid)
			shared->error = be_user(uid);
		if (!shared->error)
			look_at(shared, id);
		_exit(0);
	}
	if (pid > 0 && waitpid(pid, &status, 0) == pid)
		result = *shared;
	munmap(shared, sizeof(*shared));
	return result;
}

/* A process of some user that owns a balloon until @control is closed. */
struct holder {
	pid_t pid;
	int control;
	int answer;
	__u64 id;
};

static void be_holder(uid_t uid, int control, int answer)
{
	struct vhost_balloon_info info = {};
	int backend;
	__u32 access;
	int ret;

	ret = be_user(uid);
	backend = vb_open();
	if (!ret)
		ret = vb_set_owner(backend);
	if (!ret)
		ret = vb_get_info(backend, &info);
	if (ret || write(answer, &info.id, sizeof(info.id)) != sizeof(info.id))
		_exit(1);
	while (read(control, &access, sizeof(access)) == sizeof(access)) {
		ret = vb_set_access(backend, access);
		if (write(answer, &ret, sizeof(ret)) != sizeof(ret))
			break;
	}
	_exit(0);
}

static int holder_start(struct holder *holder, uid_t uid)
{
	int to[2], from[2];

	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
		return -errno;
	holder->pid = fork();
	if (!holder->pid) {
		close(to[1]);
		close(from[0]);
		be_holder(uid, to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	holder->control = to[1];
	holder->answer = from[0];
	if (read(from[0], &holder->id, sizeof(holder->id)) != sizeof(holder->id))
		return -EPROTO;
	return 0;
}

static int holder_set_access(struct holder *holder, __u32 access)
{
	int ret;

	if (write(holder->control, &access, sizeof(access)) != sizeof(access))
		return -errno;
	if (read(holder->answer, &ret, sizeof(ret)) != sizeof(ret))
		return -EPROTO;
	return ret;
}

static void holder_stop(struct holder *holder)
{
	if (holder->pid <= 0)
		return;
	close(holder->control);
	close(holder->answer);
	waitpid(holder->pid, NULL, 0);
	holder->pid = 0;
}

/* A balloon of USER's, and a device node that everybody may open. */
FIXTURE(access) {
	mode_t mode;
	int device;
	struct holder holder;
};

FIXTURE_SETUP(access)
{
	struct stat st;

	if (geteuid())
		SKIP(return, "has to be root to be somebody else");
	ASSERT_EQ(0, stat(VB_DEVICE, &st));
	self->mode = st.st_mode & 07777;
	ASSERT_EQ(0, chmod(VB_DEVICE, 0666));
	self->device = vb_open();
	ASSERT_LE(0, self->device);
	ASSERT_EQ(0, holder_start(&self->holder, USER));
}

FIXTURE_TEARDOWN(access)
{
	holder_stop(&self->holder);
	close(self->device);
	chmod(VB_DEVICE, self->mode);
}

static bool sees_nothing(const struct view *view)
{
	return !view->error && !view->listed && view->opened == -EPERM;
}

static bool has_control(const struct view *view)
{
	return !view->error && view->listed && !view->opened && !view->target;
}

TEST_F(access, administrator_controls_every_balloon)
{
	struct view view = view_of(0, VIEWER_HERE, self->holder.id);

	EXPECT_TRUE(has_control(&view));
	EXPECT_EQ(self->holder.pid, view.pid);
}

TEST_F(access, another_user_sees_nothing)
{
	struct view view = view_of(OTHER_USER, VIEWER_HERE, self->holder.id);

	EXPECT_TRUE(sees_nothing(&view));
}

TEST_F(access, same_user_sees_nothing_without_set_access)
{
	struct view view = view_of(USER, VIEWER_HERE, self->holder.id);

	EXPECT_TRUE(sees_nothing(&view));
}

TEST_F(access, same_user_has_control_as_long_as_the_owner_allows_it)
{
	struct view view;

	ASSERT_EQ(0, holder_set_access(&self->holder, VHOST_BALLOON_ACCESS_SAME_USER));
	view = view_of(USER, VIEWER_HERE, self->holder.id);
	EXPECT_TRUE(has_control(&view));
	EXPECT_EQ(self->holder.pid, view.pid);

	ASSERT_EQ(0, holder_set_access(&self->holder, 0));
	view = view_of(USER, VIEWER_HERE, self->holder.id);
	EXPECT_TRUE(sees_nothing(&view));
}

TEST_F(access, another_user_sees_nothing_even_with_set_access)
{
	struct view view;

	ASSERT_EQ(0, holder_set_access(&self->holder, VHOST_BALLOON_ACCESS_SAME_USER));
	view = view_of(OTHER_USER, VIEWER_HERE, self->holder.id);
	EXPECT_TRUE(sees_nothing(&view));
}

TEST_F(access, capabilities_in_a_user_namespace_are_worth_nothing)
{
	struct view view = view_of(0, VIEWER_IN_USER_NAMESPACE, self->holder.id);

	if (view.error == -EPERM || view.error == -ENOSPC || view.error == -EINVAL)
		SKIP(return, "no user namespaces: %s", strerror(-view.error));
	EXPECT_TRUE(sees_nothing(&view));
}

TEST_F(access, pid_is_0_where_the_owner_has_none)
{
	struct view view = view_of(0, VIEWER_IN_PID_NAMESPACE, self->holder.id);

	EXPECT_TRUE(has_control(&view));
	EXPECT_EQ(0, view.pid);
}

TEST_F(access, pid_is_that_of_the_readers_namespace)
{
	struct vhost_balloon_info info = {};
	int ready[2], done[2];
	__u64 id = 0;
	int status, control;
	pid_t pid;
	char byte;

	/* The grandchild is process 1 of a namespace of its own. */
	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, pipe(done));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		int backend;

		close(done[1]);
		if (enter_namespace(VIEWER_IN_PID_NAMESPACE))
			_exit(1);
		backend = vb_open();
		if (vb_set_owner(backend) || vb_get_info(backend, &info) || info.pid != 1)
			info.id = 0;
		if (write(ready[1], &info.id, sizeof(info.id)) != sizeof(info.id))
			_exit(1);
		_exit(read(done[0], &byte, 1));
	}
	close(ready[1]);
	close(done[0]);
	ASSERT_EQ(sizeof(id), read(ready[0], &id, sizeof(id)));
	EXPECT_NE(0, id);
	control = vb_open_id(self->device, id);
	EXPECT_LE(0, control);
	EXPECT_EQ(0, vb_get_info(control, &info));
	/* Younger than its parent, and of this namespace. */
	EXPECT_NE(1, info.pid);
	EXPECT_NE(0, info.pid);
	EXPECT_NE(pid, info.pid);
	EXPECT_EQ(0, kill(info.pid, 0));
	close(control);
	close(done[1]);
	close(ready[0]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
}

TEST_F(access, control_file_that_was_handed_on_needs_no_permission)
{
	struct vhost_balloon_info info;
	int backend, control, status;
	pid_t pid;

	backend = vb_open();
	ASSERT_EQ(0, vb_set_owner(backend));
	control = vb_get_control(backend);
	ASSERT_LE(0, control);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (be_user(OTHER_USER))
			_exit(1);
		if (vb_set_target(control, 123))
			_exit(2);
		/* The backend itself is its owner's alone. */
		_exit(vb_set_access(backend, 0) == -EPERM ? 0 : 3);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	ASSERT_EQ(0, vb_get_info(control, &info));
	EXPECT_EQ(123, info.target);
	close(control);
	close(backend);
}

TEST_F(access, effective_user_at_set_owner_counts)
{
	struct holder other;
	struct view view;

	/* Another balloon, of another user, that allows its user the same. */
	ASSERT_EQ(0, holder_start(&other, OTHER_USER));
	ASSERT_EQ(0, holder_set_access(&other, VHOST_BALLOON_ACCESS_SAME_USER));
	ASSERT_EQ(0, holder_set_access(&self->holder, VHOST_BALLOON_ACCESS_SAME_USER));
	view = view_of(USER, VIEWER_HERE, other.id);
	EXPECT_TRUE(sees_nothing(&view));
	view = view_of(OTHER_USER, VIEWER_HERE, self->holder.id);
	EXPECT_TRUE(sees_nothing(&view));
	view = view_of(OTHER_USER, VIEWER_HERE, other.id);
	EXPECT_TRUE(has_control(&view));
	holder_stop(&other);
}

/* LIST, page by page. */
FIXTURE(list) {
	int device;
	int backends[8];
	__u64 ids[8];
	__u64 found[MAX_BALLOONS];
};

FIXTURE_SETUP(list)
{
	struct vhost_balloon_info info;
	unsigned int i;

	if (geteuid())
		SKIP(return, "has to be root to list all balloons");
	self->device = vb_open();
	ASSERT_LE(0, self->device);
	for (i = 0; i < ARRAY_SIZE(self->backends); i++) {
		self->backends[i] = vb_open();
		ASSERT_EQ(0, vb_set_owner(self->backends[i]));
		ASSERT_EQ(0, vb_get_info(self->backends[i], &info));
		self->ids[i] = info.id;
	}
}

FIXTURE_TEARDOWN(list)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(self->backends); i++)
		close(self->backends[i]);
	close(self->device);
}

static int list_after(FIXTURE_DATA(list) *self, __u64 after, unsigned int nr,
		      struct vhost_balloon_list *list)
{
	memset(self->found, 0xff, sizeof(self->found));
	*list = (struct vhost_balloon_list){
		.size = sizeof(*list),
		.after = after,
		.ids = (unsigned long)self->found,
		.nr = nr,
	};
	return vb_ioctl(self->device, VHOST_BALLOON_LIST, list);
}

TEST_F(list, gives_all_ids_in_rising_order)
{
	struct vhost_balloon_list list;
	unsigned int i;

	/* Others may be there, too, but none that is younger. */
	ASSERT_EQ(0, list_after(self, self->ids[0] - 1, MAX_BALLOONS, &list));
	ASSERT_EQ(ARRAY_SIZE(self->ids), list.nr);
	EXPECT_EQ(ARRAY_SIZE(self->ids), list.total);
	for (i = 0; i < list.nr; i++)
		EXPECT_EQ(self->ids[i], self->found[i]);
	EXPECT_EQ(~0ULL, self->found[list.nr]);
}

TEST_F(list, goes_on_after_the_last_one_that_fitted)
{
	struct vhost_balloon_list list;
	__u64 after = self->ids[0] - 1;
	unsigned int seen = 0;
	unsigned int i;

	do {
		ASSERT_EQ(0, list_after(self, after, 3, &list));
		ASSERT_EQ(ARRAY_SIZE(self->ids) - seen, list.total);
		ASSERT_EQ(list.total < 3 ? list.total : 3, list.nr);
		for (i = 0; i < list.nr; i++)
			EXPECT_EQ(self->ids[seen + i], self->found[i]);
		EXPECT_EQ(~0ULL, self->found[list.nr]);
		seen += list.nr;
		after = self->ids[seen - 1];
	} while (seen < ARRAY_SIZE(self->ids));
	ASSERT_EQ(0, list_after(self, after, 3, &list));
	EXPECT_EQ(0, list.nr);
	EXPECT_EQ(0, list.total);
}

TEST_F(list, counts_without_room_for_any)
{
	struct vhost_balloon_list list = {
		.size = sizeof(list),
		.after = self->ids[0],
	};

	ASSERT_EQ(0, vb_ioctl(self->device, VHOST_BALLOON_LIST, &list));
	EXPECT_EQ(0, list.nr);
	EXPECT_EQ(ARRAY_SIZE(self->ids) - 1, list.total);
}

TEST_F(list, leaves_out_what_is_gone)
{
	struct vhost_balloon_list list;

	close(self->backends[3]);
	self->backends[3] = vb_open();
	ASSERT_EQ(0, list_after(self, self->ids[2], MAX_BALLOONS, &list));
	ASSERT_EQ(ARRAY_SIZE(self->ids) - 4, list.nr);
	EXPECT_EQ(self->ids[4], self->found[0]);
	EXPECT_EQ(-ENOENT, vb_open_id(self->device, self->ids[3]));
}

TEST_F(list, opened_control_file_is_close_on_exec)
{
	int control = vb_open_id(self->device, self->ids[0]);
	int flags = fcntl(control, F_GETFD);

	ASSERT_LE(0, flags);
	EXPECT_TRUE(flags & FD_CLOEXEC);
	close(control);
}

/* Regions, as the owner and others see them. */
TEST(host_addresses_are_shown_to_the_owner_only)
{
	struct vhost_balloon_region region = {};
	struct vb_memory ram;
	int backend, control, status;
	pid_t pid;

	ASSERT_EQ(0, vb_memory_map(&ram, VB_MEMORY_ANON, MIB, 16 * VB_PAGE));
	backend = vb_open();
	ASSERT_EQ(0, vb_set_owner(backend));
	ASSERT_EQ(0, vb_set_mem_table(backend, &ram, 1));
	control = vb_get_control(backend);
	ASSERT_LE(0, control);

	ASSERT_EQ(1, vb_get_regions(control, &region, 1, NULL));
	EXPECT_EQ(MIB, region.gpa);
	EXPECT_EQ((unsigned long)ram.hva, region.hva);

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		memset(&region, 0xff, sizeof(region));
		if (vb_get_regions(control, &region, 1, NULL) != 1)
			_exit(1);
		if (region.gpa != MIB || region.len != 16 * VB_PAGE)
			_exit(2);
		_exit(region.hva ? 3 : 0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	close(control);
	close(backend);
	vb_memory_unmap(&ram);
}

TEST_HARNESS_MAIN
