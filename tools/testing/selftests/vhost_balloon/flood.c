// SPDX-License-Identifier: GPL-2.0
/*
 * A guest and its VMM that keep their balloon as busy as they can. Another's balloon is served all
 * the while, and the busy one can be stopped at any time. (vmtest.sh looks for what the kernel
 * has to say of it.)
 *
 * VB_FLOOD_SECONDS in the environment says for how long.
 */
#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "vb_hostile.h"
#include "vb_race.h"
#include "vb_random.h"

#define V1		VB_FEATURE(VIRTIO_F_VERSION_1)
#define FEATURES	(V1 | VB_FEATURE(VIRTIO_BALLOON_F_REPORTING))
#define REPORT_INDEX	2
#define RING_NUM	64
#define RAM_GPA		0x10000000ULL
#define RAM_PAGES	4096U
#define MAX_BUFFER	VB_BUF_LEN
#define MAX_REPORT	0xfffff000U

#define SECONDS		15
/* Variants, which share that. */
#define NR_KINDS	4
/* A slow host may take so much longer until it is a flood, each time. */
#define PATIENCE_MS	(VB_TIMEOUT_MS / 2)

/* For the harness, too. */
static unsigned long seconds(void)
{
	return vb_environment("VB_FLOOD_SECONDS", SECONDS);
}

/* What the flooding process says of itself. */
struct flood {
	__u64 kicks;
	__u64 chains;
	__u64 pages;
	int error;
	bool ready;
};

struct flooder {
	struct vb_machine m;
	struct vb_memory ram;
	struct flood *said;
	bool worker;
};

/* A ring full of one chain after the other, each of @descs buffers. */
static void fill_ring(struct vb_queue *q, unsigned int descs, __u64 addr, __u32 len, __u16 flags)
{
	struct vb_ring *ring = &q->ring;
	unsigned int i;

	for (i = 0; i < ring->num; i++) {
		bool last = (i + 1) % descs == 0;

		vb_ring_set_desc(&ring->desc[i], addr, len,
				 flags | (last ? 0 : VRING_DESC_F_NEXT), last ? 0 : i + 1);
		vb_ring_set_avail(ring, i, i / descs * descs);
	}
}

/* Makes everything available that was used, as fast as it is. */
static void run_ahead(struct vb_queue *q)
{
	for (;;) {
		vb_ring_set_avail_idx(&q->ring, vb_ring_used_idx(&q->ring) + q->ring.num);
		vb_queue_kick(q);
	}
}

static void *flood_kicks(void *arg)
{
	struct flooder *f = arg;

	for (;;) {
		vb_queue_kick(&f->m.inflate);
		vb_queue_kick(&f->m.deflate);
	}
	return NULL;
}

static void *flood_ring(void *arg)
{
	struct flooder *f = arg;

	fill_ring(&f->m.inflate, 1, VB_BUF_GPA, 1024, 0);
	run_ahead(&f->m.inflate);
	return NULL;
}

/* As many page numbers as a chain may have. */
static void *flood_chains(void *arg)
{
	struct flooder *f = arg;

	fill_ring(&f->m.inflate, (1U << 22) / MAX_BUFFER, VB_BUF_GPA, MAX_BUFFER, 0);
	run_ahead(&f->m.inflate);
	return NULL;
}

/* All that a descriptor can name, as often as a chain can have it. */
static void *flood_reports(void *arg)
{
	struct flooder *f = arg;
	struct vb_queue *q = vb_machine_queue(&f->m, REPORT_INDEX);

	fill_ring(q, RING_NUM, 0, MAX_REPORT, VRING_DESC_F_WRITE);
	run_ahead(q);
	return NULL;
}

enum ending { END_STOP, END_RESET, END_CLOSE, END_KILL, NR_ENDINGS };

static int open_flooder(struct flooder *f)
{
	__u32 *words;
	unsigned int i;
	int ret;

	ret = vb_machine_open(&f->m, false, FEATURES, RING_NUM);
	if (!ret)
		ret = vb_machine_add_queue(&f->m, REPORT_INDEX, RING_NUM);
	if (!ret)
		ret = vb_memory_map(&f->ram, VB_MEMORY_ANON, RAM_GPA, RAM_PAGES * VB_PAGE);
	if (!ret)
		ret = vb_machine_add(&f->m, &f->ram, 0);
	words = f->m.buf.hva;
	/* Never two neighbours, so that nothing can be made easier. */
	for (i = 0; !ret && i < VB_BUF_LEN / sizeof(*words); i++)
		words[i] = htole32(vb_memory_gfn(&f->ram, i * 2 % RAM_PAGES));
	if (!ret)
		ret = vb_set_tunables(f->m.backend, VHOST_BALLOON_TUNE_INLINE,
				      f->worker ? 0 : VHOST_BALLOON_TUNE_INLINE);
	return ret ? ret : vb_machine_start(&f->m);
}

static void say(struct flooder *f)
{
	struct vhost_balloon_counters counters;

	f->said->error = vb_get_counters(f->m.backend, &counters);
	f->said->kicks = counters.value[VHOST_BALLOON_C_KICKS];
	f->said->chains = counters.value[VHOST_BALLOON_C_CHAINS];
	f->said->pages = counters.value[VHOST_BALLOON_C_INFLATED] +
			 counters.value[VHOST_BALLOON_C_REPORTED];
	__atomic_store_n(&f->said->ready, true, __ATOMIC_RELEASE);
}

/* The threads go on meanwhile. */
static int end(struct flooder *f, enum ending how)
{
	switch (how) {
	case END_STOP:
		return vb_machine_stop(&f->m);
	case END_RESET:
		return vb_ioctl(f->m.backend, VHOST_RESET_OWNER, NULL);
	case END_CLOSE:
		return close(f->m.backend);
	default:
		pause();
		return -EINTR;
	}
}

/* The flooding process: its exit status. */
static int be_flooder(struct flood *said, void *(*fn)(void *arg), bool worker, int go,
		      enum ending how)
{
	struct flooder f = { .said = said, .worker = worker };
	pthread_t threads[2];
	char byte;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || open_flooder(&f))
		return 1;
	if (pthread_create(&threads[0], NULL, fn, &f) ||
	    pthread_create(&threads[1], NULL, flood_kicks, &f))
		return 2;
	/* A byte asks what was done, the end of file for the end. */
	while (read(go, &byte, 1) == 1)
		say(&f);
	return end(&f, how) ? 3 : 0;
}

FIXTURE(flood) {
	struct vb_machine m;
	struct vb_memory ram;
	struct flood *said;
	unsigned int rounds;
	int balloons;
	pid_t pid;
};

FIXTURE_VARIANT(flood) {
	void *(*fn)(void *arg);
	bool worker;
	/* Less is no flood. */
	struct flood least;
};

FIXTURE_VARIANT_ADD(flood, kicks) { .fn = flood_kicks, .least = { .kicks = 2000 } };
FIXTURE_VARIANT_ADD(flood, endless_ring) { .fn = flood_ring, .least = { .chains = 500 } };
FIXTURE_VARIANT_ADD(flood, longest_chains) {
	.fn = flood_chains, .worker = true, .least = { .pages = 1 << 14 },
};

FIXTURE_VARIANT_ADD(flood, largest_reports) {
	.fn = flood_reports, .least = { .pages = 1 << 24 },
};

FIXTURE_SETUP(flood)
{
	int ret = vb_hostile_open(&self->m, &self->ram, V1);

	ASSERT_EQ(0, ret) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-ret));
	}
	self->said = mmap(NULL, sizeof(*self->said), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->said);
	self->balloons = vb_list_ids(self->m.backend, NULL, 0);
	ASSERT_LE(1, self->balloons);
}

FIXTURE_TEARDOWN(flood)
{
	int status;

	if (self->pid > 0) {
		kill(self->pid, SIGKILL);
		vb_child_ended(self->pid, &status);
	}
	munmap(self->said, sizeof(*self->said));
	vb_hostile_close(&self->m, &self->ram);
}

/* The other guest gives a page, and takes it back. */
static int do_round(FIXTURE_DATA(flood) *self)
{
	return vb_hostile_round(&self->m, &self->ram, self->rounds++);
}

/* Asks the flooding process what it did, while the other guest goes on. */
static int ask(FIXTURE_DATA(flood) *self, int go)
{
	__u64 until = vb_now_ms() + VB_TIMEOUT_MS;
	int ret = 0;

	self->said->ready = false;
	if (send(go, "?", 1, MSG_NOSIGNAL) != 1)
		return -errno;
	while (!ret && !__atomic_load_n(&self->said->ready, __ATOMIC_ACQUIRE))
		ret = vb_now_ms() < until ? do_round(self) : -ETIMEDOUT;
	return ret ? ret : self->said->error;
}

static bool is_flood(const struct flood *is, const struct flood *least)
{
	return is->kicks >= least->kicks && is->chains >= least->chains &&
	       is->pages >= least->pages;
}

/* The flooding one's balloon is gone. */
static void expect_alone(struct __test_metadata *_metadata, FIXTURE_DATA(flood) *self)
{
	__u64 until = vb_now_ms() + VB_TIMEOUT_MS;

	while (vb_list_ids(self->m.backend, NULL, 0) != self->balloons && vb_now_ms() < until)
		EXPECT_EQ(0, do_round(self));
	EXPECT_EQ(self->balloons, vb_list_ids(self->m.backend, NULL, 0));
}

/* Waits for the end of the flooding process, while the other guest goes on: its status. */
static int wait_end(FIXTURE_DATA(flood) *self)
{
	__u64 until = vb_now_ms() + VB_TIMEOUT_MS;
	int status, ret = 0;

	while (!ret && vb_now_ms() < until) {
		if (waitpid(self->pid, &status, WNOHANG) == self->pid) {
			self->pid = 0;
			return status;
		}
		ret = do_round(self);
	}
	return ret ? ret : -ETIMEDOUT;
}

static void flood_once(struct __test_metadata *_metadata, FIXTURE_DATA(flood) *self,
		       void *(*fn)(void *arg), bool worker, const struct flood *least,
		       enum ending how)
{
	const __u64 end = vb_now_ms() + seconds() * 1000 / (NR_KINDS * NR_ENDINGS);
	int go[2];

	memset(self->said, 0, sizeof(*self->said));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, go));
	self->pid = fork();
	ASSERT_LE(0, self->pid);
	if (!self->pid) {
		/* Else the end of the file would never come. */
		close(go[1]);
		_exit(be_flooder(self->said, fn, worker, go[0], how));
	}
	close(go[0]);
	do {
		ASSERT_EQ(0, do_round(self));
		ASSERT_EQ(0, ask(self, go[1]));
	} while (vb_now_ms() < end ||
		 (!is_flood(self->said, least) && vb_now_ms() < end + PATIENCE_MS));
	EXPECT_TRUE(is_flood(self->said, least)) {
		TH_LOG("%llu kicks, %llu chains, %llu pages", self->said->kicks,
		       self->said->chains, self->said->pages);
	}
	if (how == END_KILL)
		kill(self->pid, SIGKILL);
	close(go[1]);
	ASSERT_EQ(how == END_KILL ? SIGKILL : 0, wait_end(self)) {
		TH_LOG("ending %d", how);
	}
	expect_alone(_metadata, self);
}

TEST_F_TIMEOUT(flood, leaves_others_their_turn_and_can_be_ended, seconds() / NR_KINDS + 300)
{
	enum ending how;

	for (how = 0; how < NR_ENDINGS; how++)
		flood_once(_metadata, self, variant->fn, variant->worker, &variant->least, how);
	EXPECT_EQ(VB_HOSTILE_PAGES,
		  vb_memory_intact(&self->ram, 0, VB_HOSTILE_PAGES, VB_HOSTILE_SEED));
}

TEST_HARNESS_MAIN
