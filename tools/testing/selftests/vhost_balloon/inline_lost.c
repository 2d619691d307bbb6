// SPDX-License-Identifier: GPL-2.0
/*
 * No kick is ever lost: a million requests of one page each, every one with a kick of its own, or
 * with one wherever the device wants it. Two take part, and it is up to chance whose turn is next.
 * The other one sees a request used and may go on with its own while the pass that did it is still
 * at its end; there is never another kick that could make good for one that got lost.
 */
#include <endian.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "vb_inline.h"
#include "vb_kicker.h"

#define INLINE		VHOST_BALLOON_TUNE_INLINE
#define PAGES		8U
/* So many requests before it is decided anew whose turn it is. */
#define TURN		16
/* So often a request is looked at before there is a rest. */
#define SPINS		200

enum kicks {
	KICK_ALWAYS,
	KICK_AS_WANTED,
	KICK_BY_EVENT,
};

/* What both know; shared with the other process, where it is one. */
struct game {
	struct vb_ring ring;
	int kick;
	enum kicks kicks;
	unsigned int rounds;
	atomic_bool failed;
	/* Who switches inline execution off and on all the time, by this file; or -1. */
	int tune;
};

struct player {
	struct game *game;
	unsigned int me;
	pthread_t thread;
};

FIXTURE(lost) {
	struct vb_inline s;
	struct game *game;
	struct vb_memory ring;
};

FIXTURE_VARIANT(lost) {
	enum kicks kicks;
	unsigned int rounds;
	bool process;
	bool toggled;
};

FIXTURE_VARIANT_ADD(lost, of_two_threads_500000) {
	.kicks = KICK_ALWAYS, .rounds = 500000,
};

FIXTURE_VARIANT_ADD(lost, of_two_threads_as_wanted_225000) {
	.kicks = KICK_AS_WANTED, .rounds = 225000,
};

FIXTURE_VARIANT_ADD(lost, of_two_threads_by_event_225000) {
	.kicks = KICK_BY_EVENT, .rounds = 225000,
};

FIXTURE_VARIANT_ADD(lost, of_thread_and_process_25000) {
	.kicks = KICK_ALWAYS, .rounds = 25000, .process = true,
};

FIXTURE_VARIANT_ADD(lost, of_two_threads_toggled_25000) {
	.kicks = KICK_ALWAYS, .rounds = 25000, .toggled = true,
};

static int open_game(FIXTURE_DATA(lost) *self, enum kicks kicks)
{
	struct vb_inline *s = &self->s;
	__u64 features = s->m.features;
	int ret;

	if (kicks == KICK_BY_EVENT)
		features |= VB_FEATURE(VIRTIO_RING_F_EVENT_IDX);
	/* With a ring that another process shares, and its features. */
	ret = vb_machine_stop(&s->m);
	vb_queue_exit(&s->m.inflate);
	if (!ret)
		ret = vb_set_features(s->m.backend, features);
	if (!ret)
		ret = vb_queue_init(&s->m.inflate, s->m.backend, VB_INFLATE, VB_INLINE_NUM,
				    self->ring.hva);
	if (ret)
		return ret;
	/* The only descriptor, which all entries of the available ring name. */
	vb_write_list(s->m.buf.hva, s->ram.gpa, 1);
	vb_ring_set_desc(s->m.inflate.ring.desc, VB_BUF_GPA, sizeof(__le32), 0, 0);
	return vb_machine_start(&s->m) ?: vb_inline_mark(s);
}

FIXTURE_SETUP(lost)
{
	const char *missing = vb_inline_missing();

	if (missing)
		SKIP(return, "%s", missing);
	self->game = mmap(NULL, sizeof(*self->game), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->game);
	ASSERT_EQ(0, vb_memory_map(&self->ring, VB_MEMORY_MEMFD, 0, vb_ring_size(VB_INLINE_NUM)));
	ASSERT_EQ(0, vb_inline_open(&self->s, false, VB_MEMORY_ANON, PAGES));
	ASSERT_EQ(0, open_game(self, variant->kicks));
	self->game->ring = self->s.m.inflate.ring;
	self->game->kick = self->s.m.inflate.kick;
	self->game->kicks = variant->kicks;
	self->game->rounds = vb_rounds(variant->rounds);
	self->game->tune = variant->toggled ? self->s.m.backend : -1;
}

FIXTURE_TEARDOWN(lost)
{
	vb_inline_close(&self->s);
	vb_memory_unmap(&self->ring);
	munmap(self->game, sizeof(*self->game));
}

static bool kick_is_wanted(struct game *game, __u16 idx)
{
	/* The index has to be out before the device is asked about its wish. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	switch (game->kicks) {
	case KICK_AS_WANTED:
		return !vb_ring_no_notify(&game->ring);
	case KICK_BY_EVENT:
		return vring_need_event(vb_ring_avail_event(&game->ring), idx, idx - 1);
	default:
		return true;
	}
}

static void make_request(struct game *game, unsigned int round)
{
	const __u64 one = 1;
	__u16 idx = round + 1;

	/* By this thread or by another one, which may just be kicking. */
	if (game->tune >= 0 && round % 16 == 0)
		vb_set_tunables(game->tune, INLINE, round % 32 ? INLINE : 0);
	vb_ring_set_avail_idx(&game->ring, idx);
	if (kick_is_wanted(game, idx) && write(game->kick, &one, sizeof(one)) != sizeof(one))
		atomic_store(&game->failed, true);
}

static bool is_used(struct game *game, unsigned int round)
{
	return (__s16)(vb_ring_used_idx(&game->ring) - (__u16)(round + 1)) >= 0;
}

/* Not for long by looking all the time: the worker may have to do it, and both of us be in its way. */
static void wait_used(struct game *game, unsigned int round)
{
	__u64 end = vb_now_ms() + VB_TIMEOUT_MS;
	unsigned int i;

	while (!is_used(game, round) && !atomic_load(&game->failed)) {
		for (i = 0; i < SPINS && !is_used(game, round); i++)
			__builtin_ia32_pause();
		if (i < SPINS)
			break;
		usleep(50);
		if (vb_now_ms() > end)
			atomic_store(&game->failed, true);
	}
}

static void *play(void *arg)
{
	struct player *player = arg;
	struct game *game = player->game;
	unsigned int round;

	for (round = 0; round < game->rounds && !atomic_load(&game->failed); round++) {
		/* A number without a pattern, the same for both and for some rounds. */
		if ((round / TURN * 2654435761U >> 16) % 2 == player->me)
			make_request(game, round);
		wait_used(game, round);
	}
	return NULL;
}

/* Both at once, one of them in this thread. */
static int play_both(struct game *game, bool process)
{
	struct player players[2] = { { .game = game, .me = 0 }, { .game = game, .me = 1 } };
	int status = 0;
	pid_t pid;

	if (!process) {
		if (pthread_create(&players[1].thread, NULL, play, &players[1]))
			return -1;
		play(&players[0]);
		return -pthread_join(players[1].thread, NULL);
	}
	pid = fork();
	if (!pid) {
		play(&players[1]);
		_exit(0);
	}
	if (pid < 0)
		return -1;
	play(&players[0]);
	return waitpid(pid, &status, 0) == pid ? status : -1;
}

TEST_F_TIMEOUT(lost, no_kick_is, 500)
{
	struct vb_inline *s = &self->s;
	unsigned int rounds = self->game->rounds;
	__u64 passes, inlined;

	EXPECT_EQ(0, play_both(self->game, variant->process));
	EXPECT_FALSE(atomic_load(&self->game->failed));
	EXPECT_EQ((__u16)rounds, vb_ring_used_idx(&self->game->ring));
	EXPECT_EQ(rounds, vb_inline_risen(s, VHOST_BALLOON_C_CHAINS));
	EXPECT_EQ(rounds, vb_inline_risen(s, VHOST_BALLOON_C_INFLATED));
	if (variant->kicks == KICK_ALWAYS)
		EXPECT_EQ(rounds, vb_inline_risen(s, VHOST_BALLOON_C_KICKS));
	passes = vb_inline_risen(s, VHOST_BALLOON_C_PASSES);
	inlined = vb_inline_risen(s, VHOST_BALLOON_C_PASSES_INLINE);
	EXPECT_LT(0ULL, inlined);
	TH_LOG("%u requests, %llu kicks, %llu passes inline, %llu on the worker", rounds,
	       vb_inline_risen(s, VHOST_BALLOON_C_KICKS), inlined, passes - inlined);
	if (variant->process)
		EXPECT_LT(0ULL, vb_inline_risen(s, VHOST_BALLOON_C_WORKER_KICKER));
	if (variant->toggled)
		EXPECT_LT(0ULL, vb_inline_risen(s, VHOST_BALLOON_C_WORKER_OFF));
	EXPECT_EQ(0ULL, vb_inline_risen(s, VHOST_BALLOON_C_MALFORMED));
	EXPECT_EQ(0ULL, vb_inline_risen(s, VHOST_BALLOON_C_BROKEN));
}

TEST_HARNESS_MAIN
