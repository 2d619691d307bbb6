// SPDX-License-Identifier: GPL-2.0
/*
 * A VMM with a guest, in miniature, for tests of the tool: holds a balloon and
 * answers to its target, gradually, by giving pages away or taking them back
 * and writing actual. Prints the balloon's id, and then obeys commands from
 * standard input, of which it ends with the last:
 *
 *	stop	don't answer to the target any more
 *	go	answer again
 *	break	give the inflate queue a ring that makes no sense
 *	quit
 *
 * usage: holder [--access]
 */
#include <endian.h>
#include <err.h>
#include <errno.h>
#include <linux/virtio_balloon.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vb_memory.h"

#define FEATURES	(VB_FEATURE(VIRTIO_F_VERSION_1) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_MUST_TELL_HOST))
#define RING_NUM	16
#define RAM_GPA		(1UL << 20)
#define RAM_LEN		(64UL << 20)
#define RAM_PAGES	(RAM_LEN / VB_PAGE)

/* Pages a step, and the time between steps. */
#define STEP_PAGES	256U
#define STEP_MS		20

struct holder {
	struct vb_machine machine;
	struct vb_memory ram;
	int config_call;
	bool answers;
	__u32 target;
	__u32 actual;
};

static void check(int ret, const char *what)
{
	if (ret >= 0)
		return;
	errno = -ret;
	err(EXIT_FAILURE, "%s", what);
}

static void set_up(struct holder *holder, bool access)
{
	struct vb_machine *m = &holder->machine;
	struct vhost_balloon_info info;

	check(vb_memory_map(&holder->ram, VB_MEMORY_ANON, RAM_GPA, RAM_LEN), "memory");
	memset(holder->ram.hva, 1, RAM_LEN);
	check(vb_machine_open(m, false, FEATURES, RING_NUM), VB_DEVICE);
	check(vb_machine_add(m, &holder->ram, 0), "memory table");
	holder->config_call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (holder->config_call < 0)
		err(EXIT_FAILURE, "eventfd");
	check(vb_set_config_call(m->backend, holder->config_call), "configuration interrupt");
	if (access)
		check(vb_set_access(m->backend, VHOST_BALLOON_ACCESS_SAME_USER), "access");
	check(vb_machine_start(m), "start");
	check(vb_get_info(m->backend, &info), "information");
	printf("%llu\n", info.id);
	fflush(stdout);
}

static void read_target(struct holder *holder)
{
	__le32 pages;

	vb_eventfd_count(holder->config_call);
	check(vb_get_config(holder->machine.backend,
			    offsetof(struct virtio_balloon_config, num_pages), &pages,
			    sizeof(pages)), "configuration");
	holder->target = le32toh(pages);
	if (holder->target > RAM_PAGES)
		holder->target = RAM_PAGES;
}

static void write_actual(struct holder *holder)
{
	__le32 pages = htole32(holder->actual);

	check(vb_set_config(holder->machine.backend,
			    offsetof(struct virtio_balloon_config, actual), &pages,
			    sizeof(pages)), "configuration");
}

/* The pages that are in the balloon are the first of the memory. */
static void step(struct holder *holder)
{
	__u32 pages[STEP_PAGES];
	bool more = holder->actual < holder->target;
	__u32 left = more ? holder->target - holder->actual : holder->actual - holder->target;
	__u32 nr = left < STEP_PAGES ? left : STEP_PAGES;
	__u32 first = more ? holder->actual : holder->actual - nr;
	__u32 i;

	for (i = 0; i < nr; i++)
		pages[i] = vb_memory_gfn(&holder->ram, first + i);
	if (more)
		check(vb_machine_inflate(&holder->machine, pages, nr), "inflate");
	else
		check(vb_machine_deflate(&holder->machine, pages, nr), "deflate");
	holder->actual = more ? holder->actual + nr : holder->actual - nr;
	write_actual(holder);
}

static void break_queue(struct holder *holder)
{
	struct vb_queue *q = &holder->machine.inflate;

	holder->answers = false;
	vb_ring_set_avail(&q->ring, q->ring.avail_idx, q->ring.num);
	vb_ring_set_avail_idx(&q->ring, q->ring.avail_idx + 1);
	check(vb_queue_kick(q), "kick");
	check(vb_queue_wait_err(q), "broken queue");
}

/* Whether to go on. */
static bool obey(struct holder *holder)
{
	char line[32];
	ssize_t n;

	/* One command at a time: whoever sends it waits for "done". */
	n = read(STDIN_FILENO, line, sizeof(line) - 1);
	if (n <= 0)
		return false;
	line[n] = 0;
	if (!strcmp(line, "quit\n"))
		return false;
	if (!strcmp(line, "stop\n"))
		holder->answers = false;
	else if (!strcmp(line, "go\n"))
		holder->answers = true;
	else if (!strcmp(line, "break\n"))
		break_queue(holder);
	else
		errx(EXIT_FAILURE, "unknown command: %s", line);
	puts("done");
	fflush(stdout);
	return true;
}

static void run(struct holder *holder)
{
	for (;;) {
		struct pollfd pfd[] = {
			{ .fd = STDIN_FILENO, .events = POLLIN },
			{ .fd = holder->config_call, .events = POLLIN },
		};
		bool busy = holder->answers && holder->actual != holder->target;

		if (poll(pfd, 2, busy ? STEP_MS : -1) < 0)
			err(EXIT_FAILURE, "poll");
		if (pfd[0].revents && !obey(holder))
			return;
		if (pfd[1].revents)
			read_target(holder);
		else if (busy && holder->answers)
			step(holder);
	}
}

int main(int argc, char **argv)
{
	static struct holder holder = { .answers = true };
	bool access = argc == 2 && !strcmp(argv[1], "--access");

	if (argc > 1 && !access)
		errx(2, "usage: holder [--access]");
	set_up(&holder, access);
	run(&holder);
	vb_machine_close(&holder.machine);
	return 0;
}
