// SPDX-License-Identifier: GPL-2.0
/*
 * Each allocation, and each copy from or to user memory, fails in turn while a vDPA device is made,
 * removed, and set up by a VMM. There is a device or there isn't; and a VMM that came to an error
 * leaves nothing behind.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/vdpa.h>
#include <linux/virtio_config.h>
#include <sys/socket.h>

#include "kselftest_harness.h"
#include "vb_fail.h"
#include "vb_memory.h"
#include "vb_vdpa.h"
#include "vb_worker.h"

#define FEATURES	(VB_FEATURE(VIRTIO_F_VERSION_1) | VB_FEATURE(VIRTIO_F_ACCESS_PLATFORM))
/* More answers than a socket of ours can have. */
#define MOST_ANSWERS	16

/* A request to generic netlink, and what comes back. */
struct message {
	struct nlmsghdr nl;
	struct genlmsghdr genl;
	char attrs[1024];
};

static void begin(struct message *msg, __u16 family, __u8 cmd, __u8 version)
{
	memset(msg, 0, sizeof(*msg));
	msg->nl.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	msg->nl.nlmsg_type = family;
	msg->nl.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	msg->genl.cmd = cmd;
	msg->genl.version = version;
}

static void add_string(struct message *msg, __u16 type, const char *value)
{
	struct nlattr *attr = (void *)((char *)msg + NLMSG_ALIGN(msg->nl.nlmsg_len));
	size_t len = strlen(value) + 1;

	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + len;
	memcpy((char *)attr + NLA_HDRLEN, value, len);
	msg->nl.nlmsg_len = NLMSG_ALIGN(msg->nl.nlmsg_len) + NLA_ALIGN(attr->nla_len);
}

/* The answer, in the place of the request. The kernel has it ready when send() returns. */
static int receive(int sock, struct message *msg)
{
	const struct nlmsgerr *error = (void *)&msg->genl;

	if (recv(sock, msg, sizeof(*msg), MSG_DONTWAIT) < 0)
		return -errno;
	return msg->nl.nlmsg_type == NLMSG_ERROR ? error->error : 0;
}

/* What an earlier request has left, which may be an error. */
static int forget_answers(int sock)
{
	struct message msg;
	unsigned int i;

	for (i = 0; i < MOST_ANSWERS; i++)
		if (receive(sock, &msg) == -EAGAIN)
			return 0;
	return -EBUSY;
}

static int converse(int sock, struct message *msg)
{
	if (send(sock, msg, msg->nl.nlmsg_len, 0) < 0)
		return -errno;
	return receive(sock, msg);
}

/* The number that the kernel has given to vDPA, or an errno. */
static int find_family(int sock)
{
	struct message msg;
	struct nlattr *attr;
	char *end;
	int ret;

	begin(&msg, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
	add_string(&msg, CTRL_ATTR_FAMILY_NAME, VDPA_GENL_NAME);
	ret = converse(sock, &msg);
	if (ret)
		return ret;
	end = (char *)&msg + msg.nl.nlmsg_len;
	ret = -ENOENT;
	for (attr = (void *)msg.attrs; (char *)attr < end && ret < 0;
	     attr = (void *)((char *)attr + NLA_ALIGN(attr->nla_len)))
		if (attr->nla_type == CTRL_ATTR_FAMILY_ID)
			ret = *(__u16 *)((char *)attr + NLA_HDRLEN);
	/* The acknowledgement. */
	receive(sock, &msg);
	return ret;
}

FIXTURE(device) {
	char name[VHOST_BALLOON_NAME_MAX];
	int sock;
	int family;
	int fail;
};

FIXTURE_SETUP(device)
{
	const char *missing = vb_fail_missing() ?: vb_vdpa_missing();

	if (missing)
		SKIP(return, "%s", missing);
	snprintf(self->name, sizeof(self->name), "vb-fail-%d", getpid());
	self->sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	ASSERT_LE(0, self->sock);
	self->family = find_family(self->sock);
	ASSERT_LT(0, self->family);
	self->fail = vb_fail_open(getpid());
	ASSERT_LE(0, self->fail);
}

FIXTURE_TEARDOWN(device)
{
	struct vb_vdpa_output out;

	/* Mostly there is none any more. */
	vb_vdpa_tool(&out, "dev del %s", self->name);
	close(self->fail);
	close(self->sock);
}

/* What the kernel says. */
static int request(FIXTURE_DATA(device) *self, __u8 cmd)
{
	struct message msg;

	begin(&msg, self->family, cmd, VDPA_GENL_VERSION);
	if (cmd == VDPA_CMD_DEV_NEW)
		add_string(&msg, VDPA_ATTR_MGMTDEV_DEV_NAME, "vhost_balloon");
	add_string(&msg, VDPA_ATTR_DEV_NAME, self->name);
	return converse(self->sock, &msg);
}

/* The same with the nth fault. Returns whether it came to that. */
static int request_failing(FIXTURE_DATA(device) *self, __u8 cmd, unsigned int nth, int *said)
{
	int hit, ret;

	ret = vb_fail_arm(self->fail, nth);
	if (ret)
		return ret;
	*said = request(self, cmd);
	hit = vb_fail_disarm(self->fail);
	return hit < 0 ? hit : forget_answers(self->sock) ?: hit;
}

/* On the bus and as a balloon: 1; neither: 0; an errno if it is half there, or nobody knows. */
static int is_there(FIXTURE_DATA(device) *self)
{
	int control = vb_vdpa_open_control(self->name);
	char path[96];
	bool on_bus;

	if (control >= 0)
		close(control);
	else if (control != -ENOENT)
		return control;
	snprintf(path, sizeof(path), "/sys/bus/vdpa/devices/%s", self->name);
	on_bus = !access(path, F_OK);
	if (!on_bus && errno != ENOENT)
		return -errno;
	return on_bus == (control >= 0) ? on_bus : -EUCLEAN;
}

/* What failed, or what has become of the answer. */
static bool is_documented(int error)
{
	return error == -ENOMEM || error == -EFAULT || error == -ENOBUFS || error == -EAGAIN;
}

#define EXPECT_ERROR(_documented)					\
	do {								\
		EXPECT_TRUE(_documented) {				\
			TH_LOG("fault %u: %s", nth, strerror(-ret));	\
		}							\
		failed++;						\
	} while (0)

/* All of it was tried, some of it failed, and what nothing happened to has not. */
#define EXPECT_END(_hit, _ret)						\
	do {								\
		TH_LOG("%u faults, %u of them an error", faults, failed); \
		EXPECT_EQ(0, _hit);					\
		EXPECT_EQ(0, _ret);					\
		EXPECT_LT(0U, failed);					\
	} while (0)

/* The request with the nth fault, and whether there is a device then. */
#define REQUEST_FAILING(_cmd)						\
	do {								\
		hit = request_failing(self, _cmd, nth, &ret);		\
		ASSERT_LE(0, hit);					\
		faults += hit;						\
		if (ret)						\
			EXPECT_ERROR(is_documented(ret));		\
		there = is_there(self);					\
		ASSERT_LE(0, there) {					\
			TH_LOG("fault %u: %s", nth, strerror(-there));	\
		}							\
	} while (0)

TEST_F_TIMEOUT(device, that_is_made_is_there_or_not, 300)
{
	unsigned int nth, faults = 0, failed = 0;
	__u64 begin = vb_now_ms();
	int there, ret = 0, hit = 1;

	for (nth = 1; hit && nth < VB_FAIL_MOST; nth = vb_fail_next(nth, begin)) {
		REQUEST_FAILING(VDPA_CMD_DEV_NEW);
		/* The answer may be all that was lost. */
		if (!ret)
			EXPECT_EQ(1, there);
		if (!there)
			continue;
		ASSERT_EQ(0, request(self, VDPA_CMD_DEV_DEL));
		ASSERT_EQ(0, is_there(self));
	}
	EXPECT_END(hit, ret);
}

TEST_F_TIMEOUT(device, that_is_removed_is_gone_or_there, 300)
{
	unsigned int nth, faults = 0, failed = 0;
	__u64 begin = vb_now_ms();
	int there = 0, ret = 0, hit = 1;

	for (nth = 1; hit && nth < VB_FAIL_MOST; nth = vb_fail_next(nth, begin)) {
		if (!there)
			ASSERT_EQ(0, request(self, VDPA_CMD_DEV_NEW));
		ASSERT_EQ(1, is_there(self));
		REQUEST_FAILING(VDPA_CMD_DEV_DEL);
		if (!ret)
			EXPECT_EQ(0, there);
	}
	EXPECT_END(hit, ret);
}

/* A VMM that does all it has to do. */
FIXTURE(vmm) {
	struct vb_vdpa d;
	int fail;
};

FIXTURE_SETUP(vmm)
{
	const char *missing = vb_fail_missing() ?: vb_vdpa_missing();

	if (missing)
		SKIP(return, "%s", missing);
	/* What goes wrong here isn't torn down, so the device comes last. */
	self->fail = vb_fail_open(getpid());
	ASSERT_LE(0, self->fail);
	ASSERT_EQ(0, vb_vdpa_add(&self->d, "fail", 0));
}

FIXTURE_TEARDOWN(vmm)
{
	close(self->fail);
	vb_vdpa_del(&self->d);
}

/**
 * struct state - what there is to see of a VMM
 * @info: all but what rises with every mapping
 * @holders: of the module: a VMM is one
 * @files: the next file descriptor
 */
struct state {
	struct vhost_balloon_info info;
	int holders;
	int files;
};

static int look(struct vb_vdpa *d, struct state *s)
{
	int ret;

	memset(s, 0, sizeof(*s));
	ret = vb_get_info(d->control, &s->info);
	s->info.generation = 0;
	if (ret)
		return ret;
	s->holders = vb_module_references("vdpa_balloon");
	s->files = dup(d->control);
	if (s->files < 0)
		return -errno;
	close(s->files);
	return s->holders < 0 ? s->holders : 0;
}

/* The worker has gone through its queues for the first time. */
static int look_at_running(struct vb_vdpa *d, struct state *s)
{
	return vb_settle(d->control) ?: look(d, s);
}

static int run(struct vb_vdpa *d)
{
	int ret = vb_vdpa_open(d) ?: vb_vdpa_bind(d);

	if (ret)
		return ret;
	ret = vb_vdpa_map(d, &d->base, VHOST_ACCESS_RW);
	/* So vhost says that it couldn't read the message. */
	if (ret == -EINVAL)
		ret = -EFAULT;
	return ret ?: vb_vdpa_set_up(d, FEATURES, 2);
}

static int run_failing(FIXTURE_DATA(vmm) *self, unsigned int nth, int *said)
{
	int ret = vb_fail_arm(self->fail, nth);

	if (ret)
		return ret;
	*said = run(&self->d);
	return vb_fail_disarm(self->fail);
}

#define EXPECT_STATE(_expected)						\
	do {								\
		EXPECT_EQ(0, memcmp(&(_expected)->info, &now.info, sizeof(now.info))) { \
			TH_LOG("fault %u: %s", nth, strerror(-ret));	\
		}							\
		EXPECT_EQ((_expected)->holders, now.holders);		\
		EXPECT_EQ((_expected)->files, now.files);		\
	} while (0)

TEST_F_TIMEOUT(vmm, that_comes_to_an_error_leaves_nothing_behind, 300)
{
	unsigned int nth, faults = 0, failed = 0;
	struct state none, running, now;
	struct vb_vdpa *d = &self->d;
	__u64 begin = vb_now_ms();
	int ret, hit = 1;

	ret = run(d);
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, look_at_running(d, &running));
	vb_vdpa_close(d);
	ASSERT_EQ(0, look(d, &none));
	ASSERT_NE(0, memcmp(&running.info, &none.info, sizeof(none.info)));
	ASSERT_LT(none.holders, running.holders);
	for (nth = 1; hit && nth < VB_FAIL_MOST; nth = vb_fail_next(nth, begin)) {
		hit = run_failing(self, nth, &ret);
		ASSERT_LE(0, hit);
		faults += hit;
		if (ret) {
			EXPECT_ERROR(ret == -ENOMEM || ret == -EFAULT);
		} else {
			ASSERT_EQ(0, look_at_running(d, &now));
			EXPECT_STATE(&running);
		}
		vb_vdpa_close(d);
		ASSERT_EQ(0, look(d, &now));
		EXPECT_STATE(&none);
	}
	EXPECT_END(hit, ret);
	/* A VMM that meets no faults finds the device as good as new. */
	EXPECT_EQ(0, run(d));
	EXPECT_EQ(0, vb_vdpa_inflate(d, d->base.gpa + d->base.len - VB_PAGE, 1));
}

TEST_HARNESS_MAIN
