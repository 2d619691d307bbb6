// SPDX-License-Identifier: GPL-2.0
/*
 * Driver and device on two threads, each of which sleeps when the other one has
 * nothing for it: with a barrier missing, or a notification too few, they
 * would sleep for ever. And nothing may be seen before it is complete.
 *
 * VBT_BUFFERS in the environment makes for longer runs.
 */
#include "test-common.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/eventfd.h>

#include "test-uaccess.h"
#include "test-vring-driver.h"
#include "vring.h"

/* How long to wait for something that should have come at once. */
#define PATIENCE_MS	5000

static unsigned long buffers = 150000;

struct pair {
	struct vbd *d;
	int kick;
	int call;
	u16 idx;
	bool stop;
	/* What went wrong on either side, for when both threads are done. */
	const char *error;
	const char *driver_error;
	unsigned long kicks;
	unsigned long calls;
};

static bool wait_for(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	u64 count;

	if (poll(&p, 1, timeout_ms) != 1)
		return false;
	return read(fd, &count, sizeof(count)) == sizeof(count);
}

static void signal_to(int fd)
{
	u64 one = 1;

	if (write(fd, &one, sizeof(one)) != sizeof(one))
		abort();
}

static void stop_device(struct pair *p)
{
	__atomic_store_n(&p->stop, true, __ATOMIC_SEQ_CST);
	signal_to(p->kick);
}

/* A chain is one buffer with the number of the buffer in it. */
static bool serve_one(struct pair *p, struct vb_vring *vr, struct vb_chain *chain, u32 nr)
{
	struct vbd *d = p->d;
	u32 data;

	if (vb_chain_read(vr, &d->acc, chain, &data, sizeof(data)) != sizeof(data))
		p->error = "a chain can't be read";
	else if (data != nr)
		p->error = "a chain has the wrong content";
	else if (vb_vring_add_used(vr, &d->acc, chain->head, nr))
		p->error = "add_used";
	return !p->error;
}

static void *device(void *arg)
{
	struct pair *p = arg;
	struct vbd *d = p->d;
	struct vb_chain chain;
	struct vb_vring vr;
	u32 nr = 0;
	int ret;

	vb_vring_init(&vr, d->num, d->desc, d->avail, d->used, p->idx, d->features);
	if (vb_vring_start(&vr, &d->acc))
		p->error = "start";
	while (!p->error) {
		vb_vring_disable_notify(&vr, &d->acc);
		while ((ret = vb_vring_next(&vr, &d->acc, &chain)) == 1) {
			if (!serve_one(p, &vr, &chain, nr++))
				return NULL;
			if (nr % 3 && vr.last_avail != vr.avail_idx)
				continue;
			vb_vring_publish(&vr, &d->acc);
			if (vb_vring_should_signal(&vr, &d->acc) == 1) {
				p->calls++;
				signal_to(p->call);
			}
		}
		if (ret)
			p->error = "next";
		if (vb_vring_enable_notify(&vr, &d->acc))
			continue;
		if (!wait_for(p->kick, PATIENCE_MS))
			p->error = "no kick came";
		if (__atomic_load_n(&p->stop, __ATOMIC_SEQ_CST))
			return NULL;
	}
	return NULL;
}

static void drive(struct pair *p)
{
	struct vbd *d = p->d;
	u32 posted = 0, done = 0, id, len;

	while (done < buffers && !p->driver_error) {
		struct vbd_sg sg = { .len = 4 };

		while (posted < buffers && d->nr_free) {
			/* The place belongs to the buffer: no other one is in flight in it. */
			sg.addr = VBD_GUEST_BASE + 4 * (posted % (2 * d->num));
			vbd_write(d, sg.addr, &posted, 4);
			vbd_add(d, &sg, 1, 1);
			posted++;
			vbd_publish(d);
			if (vbd_need_kick(d)) {
				p->kicks++;
				signal_to(p->kick);
			}
		}
		vbd_disable_interrupts(d);
		while (vbd_get_used(d, &id, &len))
			if (len != done++)
				p->driver_error = "a used element is wrong";
		if (done == posted)
			continue;
		if (vbd_enable_interrupts(d))
			continue;
		if (!wait_for(p->call, PATIENCE_MS))
			p->driver_error = "no call came";
	}
}

static void run_pair(unsigned int num, u64 features, u16 idx)
{
	struct pair p = {
		.d = vbd_create(num, features, 8 * num, 0),
		.kick = eventfd(0, 0),
		.call = eventfd(0, 0),
		.idx = idx,
	};
	pthread_t thread;

	vbt_uaccess_reset();
	vbd_reset(p.d, idx, 1);
	expect_eq(pthread_create(&thread, NULL, device, &p), 0);
	drive(&p);
	stop_device(&p);
	pthread_join(thread, NULL);
	printf("# ring of %u, %s: %lu buffers, %lu kicks, %lu calls\n", num,
	       features ? "event index" : "flags", buffers, p.kicks, p.calls);
	close(p.kick);
	close(p.call);
	vbd_destroy(p.d);
	if (p.error || p.driver_error)
		fail_msg("device: %s, driver: %s", p.error ?: "fine", p.driver_error ?: "fine");
}

static void test_flags(void **state)
{
	(void)state;
	run_pair(1, 0, 0);
	run_pair(2, 0, 65000);
	run_pair(64, 0, 0);
}

static void test_event_idx(void **state)
{
	(void)state;
	run_pair(1, VBD_F_EVENT_IDX, 0);
	run_pair(2, VBD_F_EVENT_IDX, 65000);
	run_pair(64, VBD_F_EVENT_IDX, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_event_idx),
	};

	if (getenv("VBT_BUFFERS"))
		buffers = strtoul(getenv("VBT_BUFFERS"), NULL, 0);
	alarm(3600);
	return cmocka_run_group_tests_name("vring-threads", tests, NULL, NULL);
}
