// SPDX-License-Identifier: GPL-2.0
/*
 * A VMM with a guest, in miniature, for tests of the tool: holds a balloon and
 * answers to its target, gradually, by giving pages away or taking them back
 * and writing actual; with --queues also to requests for statistics and hints.
 * Prints the balloon's id, and then obeys commands from standard input, of which
 * it ends with the last:
 *
 *	stop	don't answer to anything any more
 *	go	answer again
 *	break	give the inflate queue a ring that makes no sense
 *	inhibit	have the VMM inhibit the balloon, for the reason "migration"
 *	allow	take that back
 *	unload	reset the device, and leave it so
 *	load	have a driver again, with --queues only
 *	quit
 *
 * usage: holder [--access] [--queues]
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
#include <sys/mman.h>
#include <unistd.h>

#include "vb_control.h"
#include "vb_driver.h"
#include "vb_memory.h"

#define FEATURES	(VB_FEATURE(VIRTIO_F_VERSION_1) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_MUST_TELL_HOST))
#define QUEUE_FEATURES	(FEATURES | VB_FEATURE(VIRTIO_BALLOON_F_STATS_VQ) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_FREE_PAGE_HINT) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_PAGE_POISON))
#define RING_NUM	16
#define RAM_GPA		(1UL << 20)
#define RAM_LEN		(64UL << 20)
#define RAM_PAGES	(RAM_LEN / VB_PAGE)

/*
 * More memory with --queues, only to be hinted: a page that begins inside a word
 * of the bitmap, and more than one ioctl fetches the hints of.
 */
#define PAGE_GPA	(VB_BUF_GPA + (16UL << 20) + 3 * VB_PAGE)
#define LARGE_GPA	(8UL << 30)
#define LARGE_LEN	((4UL << 30) + (64UL << 20))
#define LARGE_BORDER	(LARGE_GPA + (4UL << 30))

/* The free pages, as the guest sees them. */
#define FREE_LEN	(8 * VB_PAGE)
#define FREE_BORDER	(4UL << 20)

#define POISON		0xaaaaaaaaU

/* What the queues from 2 on are for, if features are negotiated in order. */
#define STATS		2
#define HINT		3

/* Guest memory for statistics and command ids, behind what page numbers take. */
#define STATS_OFFSET	(64UL << 10)
#define COMMAND_OFFSET	(128UL << 10)

/* Pages a step, and the time between steps. */
#define STEP_PAGES	256U
#define STEP_MS		20

struct holder {
	struct vb_machine machine;
	struct vb_memory ram;
	int config_call;
	bool queues;
	bool answers;
	__u32 target;
	__u32 actual;
	__u32 samples;
	__u32 cmd_id;		/* that the device gives */
	__u32 hinted;		/* that was answered to last */
};

static void check(int ret, const char *what)
{
	if (ret >= 0)
		return;
	errno = -ret;
	err(EXIT_FAILURE, "%s", what);
}

/* A part of the memory for buffers. */
static struct vb_memory buffer(const struct holder *holder, __u64 offset)
{
	struct vb_memory buf = holder->machine.buf;

	buf.gpa += offset;
	buf.hva += offset;
	return buf;
}

/* The next sample: every one differs from the last. */
static void send_stats(struct holder *holder)
{
	struct vb_queue *q = vb_machine_queue(&holder->machine, STATS);
	struct vb_memory buf = buffer(holder, STATS_OFFSET);
	struct vb_sg sg = { .addr = buf.gpa, .len = 4 * VB_STAT_SIZE };

	vb_put_stat(buf.hva, 0, VIRTIO_BALLOON_S_MAJFLT, ++holder->samples);
	vb_put_stat(buf.hva, 1, VIRTIO_BALLOON_S_MEMFREE, 48UL << 20);
	vb_put_stat(buf.hva, 2, VIRTIO_BALLOON_S_MEMTOT, RAM_LEN);
	vb_put_stat(buf.hva, 3, 77, 7);
	check(vb_ring_add(&q->ring, &sg, 1), "statistics");
	check(vb_queue_notify(q), "kick");
}

/* The device has given the buffer back: it wants another sample. */
static void answer_stats(struct holder *holder)
{
	struct vb_queue *q = vb_machine_queue(&holder->machine, STATS);

	if (vb_ring_get_used(&q->ring, NULL, NULL) == 1)
		send_stats(holder);
}

static void answer_hints(struct holder *holder)
{
	struct vb_queue *q = vb_machine_queue(&holder->machine, HINT);
	struct vb_memory buf = buffer(holder, COMMAND_OFFSET);

	if (holder->cmd_id == holder->hinted)
		return;
	holder->hinted = holder->cmd_id;
	if (holder->cmd_id == VIRTIO_BALLOON_CMD_ID_STOP ||
	    holder->cmd_id == VIRTIO_BALLOON_CMD_ID_DONE)
		return;
	check(vb_send_command(q, &buf, holder->cmd_id), "command id");
	check(vb_send_piece(q, RAM_GPA, FREE_LEN), "hint");
	check(vb_send_piece(q, PAGE_GPA, VB_PAGE), "hint");
	check(vb_send_piece(q, LARGE_BORDER - FREE_BORDER, 2 * FREE_BORDER), "hint");
	check(vb_send_command(q, &buf, VIRTIO_BALLOON_CMD_ID_STOP), "end of hints");
}

static void add_memory(struct holder *holder, __u64 gpa, __u64 len)
{
	struct vb_memory memory = { .gpa = gpa, .len = len };

	memory.hva = mmap(NULL, len, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory.hva == MAP_FAILED)
		err(EXIT_FAILURE, "memory");
	check(vb_machine_add(&holder->machine, &memory, 0), "memory table");
}

static void set_up_queues(struct holder *holder)
{
	struct vb_machine *m = &holder->machine;
	__le32 poison = htole32(POISON);

	add_memory(holder, PAGE_GPA, VB_PAGE);
	add_memory(holder, LARGE_GPA, LARGE_LEN);
	check(vb_machine_add_queue(m, STATS, RING_NUM), "queue for statistics");
	check(vb_machine_add_queue(m, HINT, RING_NUM), "queue for hints");
	check(vb_set_config(m->backend, offsetof(struct virtio_balloon_config, poison_val),
			    &poison, sizeof(poison)), "configuration");
}

static void set_up(struct holder *holder, bool access)
{
	struct vb_machine *m = &holder->machine;
	struct vhost_balloon_info info;

	check(vb_memory_map(&holder->ram, VB_MEMORY_ANON, RAM_GPA, RAM_LEN), "memory");
	memset(holder->ram.hva, 1, RAM_LEN);
	check(vb_machine_open(m, false, holder->queues ? QUEUE_FEATURES : FEATURES, RING_NUM),
	      VB_DEVICE);
	check(vb_machine_add(m, &holder->ram, 0), "memory table");
	if (holder->queues)
		set_up_queues(holder);
	holder->config_call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (holder->config_call < 0)
		err(EXIT_FAILURE, "eventfd");
	check(vb_set_config_call(m->backend, holder->config_call), "configuration interrupt");
	if (access)
		check(vb_set_access(m->backend, VHOST_BALLOON_ACCESS_SAME_USER), "access");
	check(vb_machine_start(m), "start");
	if (holder->queues) {
		send_stats(holder);
		check(vb_wait_counter(m->backend, VHOST_BALLOON_C_STATS_SAMPLES, 1), "sample");
	}
	check(vb_get_info(m->backend, &info), "information");
	printf("%llu\n", info.id);
	fflush(stdout);
}

static void read_config(struct holder *holder)
{
	struct virtio_balloon_config config;

	vb_eventfd_count(holder->config_call);
	check(vb_get_config(holder->machine.backend, 0, &config, sizeof(config)),
	      "configuration");
	holder->cmd_id = le32toh(config.free_page_hint_cmd_id);
	holder->target = le32toh(config.num_pages);
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

/* The driver goes, or comes again. */
static void reload(struct holder *holder, __u64 features)
{
	check(vb_machine_reload(&holder->machine, features), "reset");
	if (!features)
		return;
	check(vb_machine_start(&holder->machine), "start");
	send_stats(holder);
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
	else if (!strcmp(line, "inhibit\n"))
		check(vb_set_inhibit(holder->machine.backend, true, "migration"), "inhibit");
	else if (!strcmp(line, "allow\n"))
		check(vb_set_inhibit(holder->machine.backend, false, ""), "allow");
	else if (!strcmp(line, "unload\n"))
		reload(holder, 0);
	else if (!strcmp(line, "load\n"))
		reload(holder, QUEUE_FEATURES);
	else
		errx(EXIT_FAILURE, "unknown command: %s", line);
	puts("done");
	fflush(stdout);
	return true;
}

static void run(struct holder *holder)
{
	/* No queue has no file descriptor, and poll() passes over that. */
	int stats_call = vb_machine_queue(&holder->machine, STATS)->call;

	for (;;) {
		struct pollfd pfd[] = {
			{ .fd = STDIN_FILENO, .events = POLLIN },
			{ .fd = holder->config_call, .events = POLLIN },
			{ .fd = stats_call, .events = POLLIN },
		};
		bool busy = holder->answers && holder->actual != holder->target;

		if (poll(pfd, 3, busy ? STEP_MS : -1) < 0)
			err(EXIT_FAILURE, "poll");
		if (pfd[0].revents && !obey(holder))
			return;
		if (pfd[1].revents)
			read_config(holder);
		else if (busy && holder->answers)
			step(holder);
		if (pfd[2].revents)
			vb_eventfd_count(stats_call);
		if (holder->queues && holder->answers) {
			answer_stats(holder);
			answer_hints(holder);
		}
	}
}

int main(int argc, char **argv)
{
	static struct holder holder = { .answers = true };
	bool access = false;
	int i;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--access"))
			access = true;
		else if (!strcmp(argv[i], "--queues"))
			holder.queues = true;
		else
			errx(2, "usage: holder [--access] [--queues]");
	}
	set_up(&holder, access);
	run(&holder);
	vb_machine_close(&holder.machine);
	return 0;
}
