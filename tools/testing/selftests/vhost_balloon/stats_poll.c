// SPDX-License-Identifier: GPL-2.0
/*
 * How the guest is asked for statistics: once, with someone who waits, or
 * every so often.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>

#include "kselftest_harness.h"
#include "vb_control.h"
#include "vb_driver.h"
#include "vb_machine.h"

#define V1		VB_FEATURE(VIRTIO_F_VERSION_1)
#define FEATURES	(V1 | VB_FEATURE(VIRTIO_BALLOON_F_STATS_VQ))
#define STATS_INDEX	2
#define RING_NUM	4
#define SAMPLES		VHOST_BALLOON_C_STATS_SAMPLES

/* Milliseconds that nothing depends on. */
#define SHORT		10
#define LONG		VHOST_BALLOON_REFRESH_TIMEOUT_MAX

/* A guest's driver that answers, in a thread of its own. Its values rise by one. */
struct guest {
	struct vb_machine *m;
	struct vb_queue *q;
	pthread_t thread;
	bool started;
	atomic_bool stop;
	atomic_int error;
	__u64 value;
};

FIXTURE(poll) {
	struct vb_machine m;
	struct vb_queue *q;
	struct guest guest;
	int control;
};

static int post(struct guest *guest)
{
	const struct vb_sg sg = { .addr = VB_BUF_GPA, .len = VB_STAT_SIZE };
	int ret;

	vb_put_stat(guest->m->buf.hva, 0, VIRTIO_BALLOON_S_MEMFREE, ++guest->value);
	ret = vb_ring_add(&guest->q->ring, &sg, 1);
	return ret < 0 ? ret : vb_queue_notify(guest->q);
}

static void *answer(void *arg)
{
	struct guest *guest = arg;
	__u32 len;

	while (!atomic_load(&guest->stop) && !atomic_load(&guest->error)) {
		int ret = vb_ring_get_used(&guest->q->ring, NULL, &len);

		if (!ret) {
			usleep(200);
			continue;
		}
		atomic_store(&guest->error, ret < 0 ? ret : len ? -EPROTO : post(guest));
	}
	return NULL;
}

static int guest_start(struct guest *guest)
{
	int ret;

	atomic_store(&guest->stop, false);
	ret = -pthread_create(&guest->thread, NULL, answer, guest);
	guest->started = !ret;
	return ret;
}

static int guest_stop(struct guest *guest)
{
	if (guest->started) {
		atomic_store(&guest->stop, true);
		pthread_join(guest->thread, NULL);
	}
	guest->started = false;
	return atomic_load(&guest->error);
}

FIXTURE_SETUP(poll)
{
	int ret = vb_machine_open(&self->m, false, FEATURES, RING_NUM);

	ASSERT_EQ(0, ret) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-ret));
	}
	ASSERT_EQ(0, vb_machine_add_queue(&self->m, STATS_INDEX, RING_NUM));
	self->q = vb_machine_queue(&self->m, STATS_INDEX);
	self->guest.m = &self->m;
	self->guest.q = self->q;
	self->control = vb_get_control(self->m.backend);
	ASSERT_LE(0, self->control);
	ASSERT_EQ(0, vb_machine_start(&self->m));
}

FIXTURE_TEARDOWN(poll)
{
	guest_stop(&self->guest);
	close(self->control);
	vb_machine_close(&self->m);
}

/* The number of samples, and the value of the last one. */
static int last_sample(FIXTURE_DATA(poll) *self, __u64 *sequence, __u64 *value)
{
	struct vhost_balloon_stats stats;
	struct vhost_balloon_stat entry = { .value = 0 };
	int ret = vb_get_stats(self->control, &stats, &entry, 1);

	*sequence = stats.sequence;
	*value = entry.value;
	return ret;
}

static void expect_sample(struct __test_metadata *_metadata, FIXTURE_DATA(poll) *self,
			  __u64 expected)
{
	__u64 sequence, value;

	ASSERT_EQ(0, last_sample(self, &sequence, &value));
	EXPECT_EQ(expected, sequence);
	EXPECT_EQ(expected, value);
}

/* The first sample is there, and its buffer held. */
static int first_sample(FIXTURE_DATA(poll) *self)
{
	return post(&self->guest) ?: vb_wait_stats(self->control, 1);
}

TEST_F(poll, refresh_returns_with_a_new_sample)
{
	unsigned int i;

	ASSERT_EQ(0, first_sample(self));
	ASSERT_EQ(0, guest_start(&self->guest));
	for (i = 2; i < 100; i++) {
		ASSERT_EQ(0, vb_refresh_stats(i % 2 ? self->control : self->m.backend, LONG));
		expect_sample(_metadata, self, i);
	}
	EXPECT_EQ(0, guest_stop(&self->guest));
	EXPECT_EQ(i - 1, vb_counter(self->control, SAMPLES));
}

TEST_F(poll, refresh_of_a_guest_that_does_not_answer_is_etimedout)
{
	struct vhost_balloon_info info;

	/* It has nothing to answer with. */
	EXPECT_EQ(-ETIMEDOUT, vb_refresh_stats(self->control, SHORT));
	ASSERT_EQ(0, vb_machine_reload(&self->m, FEATURES));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	EXPECT_EQ(-ETIMEDOUT, vb_refresh_stats(self->control, 1));
	/* It has, and is too late. */
	ASSERT_EQ(0, first_sample(self));
	EXPECT_EQ(-ETIMEDOUT, vb_refresh_stats(self->control, SHORT));
	ASSERT_EQ(0, vb_queue_wait_used(self->q, 1));
	expect_sample(_metadata, self, 1);
	ASSERT_EQ(1, vb_ring_get_used(&self->q->ring, NULL, NULL));
	ASSERT_EQ(0, post(&self->guest));
	ASSERT_EQ(0, vb_wait_stats(self->control, 2));
	expect_sample(_metadata, self, 2);
	/* All is well. */
	ASSERT_EQ(0, vb_get_info(self->control, &info));
	EXPECT_EQ(VHOST_BALLOON_QUEUE_READY, info.queues[STATS_INDEX].flags);
}

TEST_F(poll, refresh_without_a_timeout_asks_and_does_not_wait)
{
	ASSERT_EQ(0, first_sample(self));
	EXPECT_EQ(0, vb_refresh_stats(self->control, 0));
	EXPECT_EQ(0, vb_queue_wait_used(self->q, 1));
	expect_sample(_metadata, self, 1);
}

TEST_F(poll, refresh_of_a_device_that_is_stopped_is_etimedout)
{
	ASSERT_EQ(0, first_sample(self));
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	EXPECT_EQ(-ETIMEDOUT, vb_refresh_stats(self->control, SHORT));
}

TEST_F(poll, without_the_feature_refresh_is_eopnotsupp)
{
	struct vhost_balloon_stats stats;

	ASSERT_EQ(0, vb_machine_stop(&self->m));
	ASSERT_EQ(0, vb_set_features(self->m.backend, V1));
	EXPECT_EQ(-EOPNOTSUPP, vb_refresh_stats(self->control, 0));
	EXPECT_EQ(-EOPNOTSUPP, vb_refresh_stats(self->control, SHORT));
	EXPECT_EQ(-EOPNOTSUPP, vb_refresh_stats(self->m.backend, SHORT));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	EXPECT_EQ(-EOPNOTSUPP, vb_refresh_stats(self->control, SHORT));
	/* To read, or to wish for polling, is always possible. */
	EXPECT_EQ(0, vb_get_stats(self->control, &stats, NULL, 0));
	EXPECT_EQ(0, vb_set_stats_interval(self->control, SHORT));
}

/* Someone who waits for a sample. */
struct waiter {
	int control;
	pthread_t thread;
	int ret;
};

static void *wait_refresh(void *arg)
{
	struct waiter *w = arg;

	w->ret = vb_refresh_stats(w->control, LONG);
	return NULL;
}

/* When the held buffer comes back the waiter waits, or is about to. */
static int waiter_start(struct waiter *w, FIXTURE_DATA(poll) *self)
{
	int ret;

	w->control = self->control;
	ret = -pthread_create(&w->thread, NULL, wait_refresh, w);
	return ret ?: vb_queue_wait_used(self->q, 1);
}

TEST_F(poll, all_who_wait_for_a_sample_are_served)
{
	struct waiter waiters[4];
	unsigned int i;

	ASSERT_EQ(0, first_sample(self));
	for (i = 0; i < ARRAY_SIZE(waiters); i++)
		ASSERT_EQ(0, waiter_start(&waiters[i], self));
	ASSERT_EQ(0, guest_start(&self->guest));
	for (i = 0; i < ARRAY_SIZE(waiters); i++) {
		ASSERT_EQ(0, pthread_join(waiters[i].thread, NULL));
		EXPECT_EQ(0, waiters[i].ret);
	}
}

static void on_signal(int signal)
{
}

TEST_F(poll, signal_ends_a_refresh)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct waiter w;

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	ASSERT_EQ(0, first_sample(self));
	ASSERT_EQ(0, waiter_start(&w, self));
	ASSERT_EQ(0, pthread_kill(w.thread, SIGUSR1));
	ASSERT_EQ(0, pthread_join(w.thread, NULL));
	EXPECT_EQ(-EINTR, w.ret);
	/* Nothing has come of it but the question. */
	ASSERT_EQ(0, guest_start(&self->guest));
	ASSERT_EQ(0, vb_wait_stats(self->control, 2));
}

TEST_F(poll, end_of_the_balloon_ends_a_refresh)
{
	struct waiter w;

	ASSERT_EQ(0, first_sample(self));
	ASSERT_EQ(0, waiter_start(&w, self));
	close(self->m.backend);
	self->m.backend = -1;
	ASSERT_EQ(0, pthread_join(w.thread, NULL));
	EXPECT_EQ(-ENODEV, w.ret);
}

TEST_F(poll, refresh_outlives_the_driver)
{
	struct waiter w;

	ASSERT_EQ(0, first_sample(self));
	ASSERT_EQ(0, waiter_start(&w, self));
	ASSERT_EQ(0, vb_machine_reload(&self->m, FEATURES));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	ASSERT_EQ(0, post(&self->guest));
	ASSERT_EQ(0, pthread_join(w.thread, NULL));
	EXPECT_EQ(0, w.ret);
}

TEST_F(poll, interval_asks_again_and_again_until_it_is_0)
{
	struct vhost_balloon_info info;
	__u64 before, after;

	ASSERT_EQ(0, first_sample(self));
	ASSERT_EQ(0, guest_start(&self->guest));
	ASSERT_EQ(0, vb_set_stats_interval(self->control, SHORT));
	ASSERT_EQ(0, vb_get_info(self->control, &info));
	EXPECT_EQ(SHORT, info.stats_interval);
	ASSERT_EQ(0, vb_wait_stats(self->control, 20));

	ASSERT_EQ(0, vb_set_stats_interval(self->m.backend, 0));
	ASSERT_EQ(0, vb_get_info(self->control, &info));
	EXPECT_EQ(0U, info.stats_interval);
	before = vb_counter(self->control, SAMPLES);
	usleep(50 * SHORT * 1000);
	/* The guest may have been asked already. */
	after = vb_counter(self->control, SAMPLES);
	EXPECT_GE(before + 1, after);
	EXPECT_EQ(0, guest_stop(&self->guest));
}

TEST_F(poll, interval_may_come_before_the_driver)
{
	ASSERT_EQ(0, vb_set_stats_interval(self->control, SHORT));
	ASSERT_EQ(0, guest_start(&self->guest));
	ASSERT_EQ(0, post(&self->guest));
	EXPECT_EQ(0, vb_wait_stats(self->control, 5));
}

TEST_F(poll, interval_outlives_stop_and_driver)
{
	struct vhost_balloon_info info;
	__u64 samples;

	ASSERT_EQ(0, vb_set_stats_interval(self->control, SHORT));
	ASSERT_EQ(0, guest_start(&self->guest));
	ASSERT_EQ(0, post(&self->guest));
	ASSERT_EQ(0, vb_wait_stats(self->control, 5));
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	samples = vb_counter(self->control, SAMPLES);
	ASSERT_EQ(0, vb_machine_start(&self->m));
	ASSERT_EQ(0, vb_wait_stats(self->control, samples + 5));

	ASSERT_EQ(0, guest_stop(&self->guest));
	ASSERT_EQ(0, vb_machine_reload(&self->m, FEATURES));
	ASSERT_EQ(0, vb_get_info(self->control, &info));
	EXPECT_EQ(SHORT, info.stats_interval);
	ASSERT_EQ(0, vb_machine_start(&self->m));
	samples = vb_counter(self->control, SAMPLES);
	ASSERT_EQ(0, guest_start(&self->guest));
	ASSERT_EQ(0, post(&self->guest));
	EXPECT_EQ(0, vb_wait_stats(self->control, samples + 5));
}

TEST_F(poll, interval_that_is_changed_holds_at_once)
{
	struct vhost_balloon_info info;

	ASSERT_EQ(0, vb_set_stats_interval(self->control, VHOST_BALLOON_STATS_INTERVAL_MAX));
	ASSERT_EQ(0, vb_get_info(self->control, &info));
	EXPECT_EQ(VHOST_BALLOON_STATS_INTERVAL_MAX, info.stats_interval);
	ASSERT_EQ(0, guest_start(&self->guest));
	ASSERT_EQ(0, first_sample(self));
	/* Not in a day's time. */
	ASSERT_EQ(0, vb_set_stats_interval(self->control, SHORT));
	EXPECT_EQ(0, vb_wait_stats(self->control, 5));
	EXPECT_EQ(-EINVAL, vb_set_stats_interval(self->control,
						 VHOST_BALLOON_STATS_INTERVAL_MAX + 1));
	EXPECT_EQ(-EINVAL, vb_set_stats_interval(self->control, ~0U));
	ASSERT_EQ(0, vb_get_info(self->control, &info));
	EXPECT_EQ(SHORT, info.stats_interval);
}

TEST_F(poll, interval_does_not_ask_a_guest_that_has_not_answered)
{
	ASSERT_EQ(0, first_sample(self));
	ASSERT_EQ(0, vb_set_stats_interval(self->control, 1));
	ASSERT_EQ(0, vb_queue_wait_used(self->q, 1));
	usleep(100000);
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	EXPECT_EQ(1, vb_ring_used_idx(&self->q->ring));
	EXPECT_EQ(1, vb_eventfd_count(self->q->call));
	EXPECT_EQ(1ULL, vb_counter(self->control, SAMPLES));
}

TEST_HARNESS_MAIN
