// SPDX-License-Identifier: GPL-2.0
/*
 * Controllers, in processes of their own, that make any of their calls at any time, while the
 * VMM starts, stops, and closes its backend.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "vb_busy.h"
#include "vb_control.h"
#include "vb_inline.h"
#include "vb_worker.h"

#define BIT(feature)	VB_FEATURE(VIRTIO_BALLOON_F_##feature)
#define FEATURES	(VB_FEATURE(VIRTIO_F_VERSION_1) | BIT(MUST_TELL_HOST) | BIT(STATS_VQ) | \
			 BIT(FREE_PAGE_HINT))
#define TUNABLES	(VHOST_BALLOON_TUNE_INLINE | VHOST_BALLOON_TUNE_THP | \
			 VHOST_BALLOON_TUNE_POPULATE | VHOST_BALLOON_TUNE_HUGETLB)
#define RAM_GPA		0x10000000ULL
#define PAGES		64U
#define SEED		0xc0
#define CONTROLLERS	2
#define TARGETS		1000U

static int call_info(int fd)
{
	struct vhost_balloon_info info;

	return vb_get_info(fd, &info);
}

static int call_counters(int fd)
{
	struct vhost_balloon_counters counters;

	return vb_get_counters(fd, &counters);
}

static int call_regions(int fd)
{
	struct vhost_balloon_region regions[4];

	return vb_get_regions(fd, regions, 4, NULL);
}

static int call_target(int fd)
{
	return vb_set_target(fd, vb_chance(TARGETS));
}

static int call_tune(int fd)
{
	__u64 mask = vb_chance(TUNABLES + 1) & TUNABLES;

	return vb_set_tunables(fd, mask, vb_chance(TUNABLES + 1) & mask);
}

static int call_get_tunables(int fd)
{
	__u64 mask, values;

	return vb_get_tunables(fd, &mask, &values);
}

static int call_inhibit(int fd)
{
	return vb_set_inhibit(fd, true, "a controller");
}

static int call_lift(int fd)
{
	return vb_set_inhibit(fd, false, "");
}

static int call_hint_start(int fd)
{
	__u32 id;

	return vb_hint_start(fd, &id);
}

static int call_hint_fetch(int fd)
{
	__u64 bitmap[PAGES / 64];

	return vb_hint_fetch(fd, RAM_GPA / VB_PAGE, PAGES, bitmap);
}

static int call_hint_stop(int fd)
{
	return vb_hint_stop(fd, vb_chance(2) ? VHOST_BALLOON_HINT_STOP_STOP :
					       VHOST_BALLOON_HINT_STOP_DONE);
}

static int call_stats(int fd)
{
	struct vhost_balloon_stats stats;
	struct vhost_balloon_stat entries[4];

	return vb_get_stats(fd, &stats, entries, 4);
}

static int call_interval(int fd)
{
	return vb_set_stats_interval(fd, vb_chance(3));
}

static int call_ask(int fd)
{
	return vb_refresh_stats(fd, 0);
}

/* There is no guest that answers. */
static int call_ask_and_wait(int fd)
{
	int ret = vb_refresh_stats(fd, 1);

	return ret == -ETIMEDOUT ? 0 : ret;
}

static const struct {
	const char *name;
	int (*make)(int fd);
} calls[] = {
	{ "info", call_info },
	{ "counters", call_counters },
	{ "regions", call_regions },
	{ "target", call_target },
	{ "tune", call_tune },
	{ "get tunables", call_get_tunables },
	{ "inhibit", call_inhibit },
	{ "lift", call_lift },
	{ "hint start", call_hint_start },
	{ "hint fetch", call_hint_fetch },
	{ "hint stop", call_hint_stop },
	{ "stats", call_stats },
	{ "interval", call_interval },
	{ "ask", call_ask },
	{ "ask and wait", call_ask_and_wait },
};

/* A controller, shared with the test where it is another process. */
struct controller {
	int fd;
	bool may_be_gone;
	/* What failed. */
	atomic_int call;
	struct vb_loop loop;
	pid_t pid;
};

/* What happened since the last time; there may be nothing. */
static int take_events(struct controller *c)
{
	struct vhost_balloon_event event;
	int ret = vb_read_events(c->fd, &event);

	if (ret == -EAGAIN || (ret == -ENODATA && c->may_be_gone))
		return 0;
	return ret;
}

static int control_step(void *arg)
{
	struct controller *c = arg;
	unsigned int call = vb_chance(ARRAY_SIZE(calls));
	int ret = calls[call].make(c->fd);

	if (ret == -ENODEV && c->may_be_gone)
		ret = 0;
	if (ret >= 0)
		ret = take_events(c);
	if (ret >= 0)
		return 0;
	atomic_store(&c->call, call);
	return ret;
}

FIXTURE(controllers) {
	struct vb_machine m;
	struct vb_memory ram;
	struct controller *controllers;
};

FIXTURE_VARIANT(controllers) {
	bool kvm;
};

FIXTURE_VARIANT_ADD(controllers, of_a_table) { .kvm = false };
FIXTURE_VARIANT_ADD(controllers, of_memslots) { .kvm = true };

/* A machine with its memory, which doesn't run. */
static int open_machine(FIXTURE_DATA(controllers) *self, bool kvm)
{
	int ret = vb_machine_open(&self->m, kvm, FEATURES, VB_INLINE_NUM);

	if (!ret)
		ret = vb_machine_add_queue(&self->m, 2, VB_INLINE_NUM);
	if (!ret)
		ret = vb_machine_add_queue(&self->m, 3, VB_INLINE_NUM);
	return ret ?: vb_machine_add(&self->m, &self->ram, 0);
}

/* A control file for each, that doesn't wait for events. */
static int open_controllers(FIXTURE_DATA(controllers) *self, bool may_be_gone)
{
	unsigned int i;

	for (i = 0; i < CONTROLLERS; i++) {
		struct controller *c = &self->controllers[i];

		memset(c, 0, sizeof(*c));
		c->may_be_gone = may_be_gone;
		c->fd = vb_get_control(self->m.backend);
		if (c->fd < 0)
			return c->fd;
		if (fcntl(c->fd, F_SETFL, O_RDWR | O_NONBLOCK))
			return -errno;
	}
	return 0;
}

FIXTURE_SETUP(controllers)
{
	const char *missing = variant->kvm ? vb_kvm_missing() : NULL;

	if (missing)
		SKIP(return, "%s", missing);
	self->controllers = mmap(NULL, CONTROLLERS * sizeof(*self->controllers),
				 PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->controllers);
	ASSERT_EQ(0, vb_memory_map(&self->ram, VB_MEMORY_ANON, RAM_GPA, PAGES * VB_PAGE));
	ASSERT_EQ(0, open_machine(self, variant->kvm));
}

FIXTURE_TEARDOWN(controllers)
{
	unsigned int i;

	for (i = 0; i < CONTROLLERS; i++)
		if (self->controllers[i].pid > 0)
			kill(self->controllers[i].pid, SIGKILL);
	vb_machine_close(&self->m);
	vb_memory_unmap(&self->ram);
}

/* In a process of its own: until it is told to stop, by memory that it shares. */
static void be_controller(struct controller *c)
{
	int ret = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!atomic_load(&c->loop.stop) && !ret) {
		ret = control_step(c);
		atomic_fetch_add(&c->loop.steps, 1);
	}
	atomic_store(&c->loop.error, ret);
	_exit(!!ret);
}

static void expect_content(struct __test_metadata *_metadata, const struct controller *c)
{
	EXPECT_EQ(0, atomic_load(&c->loop.error)) {
		TH_LOG("\"%s\": %s, VB_SEED=%llu", calls[atomic_load(&c->call)].name,
		       strerror(-atomic_load(&c->loop.error)), vb_chance_seed());
	}
	EXPECT_LT(0UL, atomic_load(&c->loop.steps));
}

/* One page is given away: it is gone, or was left alone, since somebody inhibits that. */
static void inflate_anyhow(struct __test_metadata *_metadata, FIXTURE_DATA(controllers) *self,
			   unsigned int page)
{
	__u32 gfn = vb_memory_gfn(&self->ram, page);

	vb_memory_fill(&self->ram, page, 1, SEED);
	ASSERT_EQ(0, vb_machine_inflate(&self->m, &gfn, 1));
	ASSERT_EQ(1U, vb_memory_zero(&self->ram, page, 1) +
		      vb_memory_intact(&self->ram, page, 1, SEED));
}

/* All is as it should be when they are gone. */
static void expect_well(struct __test_metadata *_metadata, FIXTURE_DATA(controllers) *self)
{
	int control = self->controllers[0].fd;
	struct vhost_balloon_info info;
	__u32 gfn = vb_memory_gfn(&self->ram, 1);

	ASSERT_EQ(0, vb_set_inhibit(control, false, ""));
	ASSERT_EQ(0, vb_set_stats_interval(control, 0));
	ASSERT_EQ(0, vb_set_target(control, TARGETS));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	vb_memory_fill(&self->ram, 0, PAGES, SEED);
	ASSERT_EQ(0, vb_machine_inflate(&self->m, &gfn, 1));
	EXPECT_EQ(1U, vb_memory_zero(&self->ram, 1, 1));
	EXPECT_EQ(1U, vb_memory_intact(&self->ram, 0, 1, SEED));
	EXPECT_EQ(PAGES - 2, vb_memory_intact(&self->ram, 2, PAGES - 2, SEED));
	ASSERT_EQ(0, vb_get_info(control, &info));
	EXPECT_EQ((__u64)TARGETS, info.target);
	EXPECT_EQ(0U, info.inhibit);
	EXPECT_EQ(0ULL, vb_counter(control, VHOST_BALLOON_C_BROKEN));
}

TEST_F_TIMEOUT(controllers, of_two_processes_do_no_harm, vb_rounds_limit())
{
	unsigned int rounds = vb_rounds(100), round, i;
	pid_t pid;
	int status;

	ASSERT_EQ(0, open_controllers(self, false));
	for (i = 0; i < CONTROLLERS; i++) {
		struct controller *c = &self->controllers[i];

		vb_chance_seed();
		/* The child shares *c. */
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			vb_chance_child(i);
			be_controller(c);
		}
		c->pid = pid;
	}
	for (i = 0; i < CONTROLLERS; i++)
		ASSERT_EQ(0, vb_loop_wait(&self->controllers[i].loop, 1));
	for (round = 0; round < rounds; round++) {
		ASSERT_EQ(0, vb_machine_start(&self->m));
		inflate_anyhow(_metadata, self, round % PAGES);
		vb_chance_wait(4000);
		ASSERT_EQ(0, vb_machine_stop(&self->m));
	}
	for (i = 0; i < CONTROLLERS; i++) {
		struct controller *c = &self->controllers[i];

		atomic_store(&c->loop.stop, true);
		ASSERT_TRUE(vb_child_ended(c->pid, &status));
		c->pid = 0;
		expect_content(_metadata, c);
	}
	expect_well(_metadata, self);
}

/* Each call says that the balloon is gone, and so does poll(). */
static void expect_gone(struct __test_metadata *_metadata, int control)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		int ret = calls[i].make(control);

		EXPECT_EQ(-ENODEV, ret) {
			TH_LOG("\"%s\"", calls[i].name);
		}
	}
	EXPECT_TRUE(vb_poll_now(control) & POLLHUP);
}

TEST_F_TIMEOUT(controllers, of_a_backend_that_closes_are_told, vb_rounds_limit())
{
	unsigned int rounds = vb_rounds(30), round, i;
	int references;

	vb_machine_close(&self->m);
	references = vb_module_references("vhost_balloon");
	for (round = 0; round < rounds; round++) {
		ASSERT_EQ(0, open_machine(self, variant->kvm));
		ASSERT_EQ(0, open_controllers(self, true));
		ASSERT_EQ(0, vb_machine_start(&self->m));
		for (i = 0; i < CONTROLLERS; i++)
			ASSERT_EQ(0, vb_loop_start(&self->controllers[i].loop, control_step,
						   &self->controllers[i]));
		vb_chance_wait(20000);
		vb_machine_close(&self->m);
		for (i = 0; i < CONTROLLERS; i++) {
			struct controller *c = &self->controllers[i];

			vb_loop_wait(&c->loop, 2);
			vb_loop_stop(&c->loop);
			expect_content(_metadata, c);
			expect_gone(_metadata, c->fd);
			close(c->fd);
		}
	}
	EXPECT_TRUE(vb_module_has(references));
}

TEST_HARNESS_MAIN
