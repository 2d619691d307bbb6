// SPDX-License-Identifier: GPL-2.0
/*
 * Has a VMM's guest inflate or deflate its balloon, or just waits, and prints
 * what that costs, a name and a number on each line.
 *
 * usage: operation [OPTION...] PID ACTION
 *
 *   qmp SOCKET BYTES    QEMU's own balloon: leave the guest with so many bytes
 *   control ID PAGES    a balloon of vhost-balloon: have the guest give so many pages
 *   idle MS             whatever it does: just so long
 *
 *   -s    count system calls too, which makes each of them slower
 *   -p MS how often to look whether it's over, and how exactly "active_ns" says when
 *
 * An operation is over when the VMM, its guest included, hardly does anything
 * any more: that can be seen of any VMM, from outside, at no cost to it.
 */
#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../vb_backend.h"
#include "meter.h"
#include "qmp.h"

#define NSEC_PER_MSEC	1000000ULL
/* Nothing is done if it's less than this part of the time. */
#define BUSY_PART	5
/*
 * It's over when nothing was done for so long. A balloon may keep a part of a huge page for
 * half a second, and what that takes belongs to the operation.
 */
#define QUIET_MS	800
/* It never began if nothing was done for so long. */
#define BEGIN_MS	3000

/* What to wait for, and how to start it. */
struct action {
	const char *name;
	int fd;
	__u64 value;
	unsigned int idle_ms;
	unsigned int poll_ms;
	bool syscalls;
};

static void die(int error, const char *what)
{
	errno = -error;
	err(1, "%s", what);
}

static void sleep_ms(unsigned int ms)
{
	const struct timespec ts = { ms / 1000, ms % 1000 * NSEC_PER_MSEC };

	nanosleep(&ts, NULL);
}

static int start(const struct action *action)
{
	if (!strcmp(action->name, "qmp"))
		return qmp_balloon(action->fd, action->value);
	if (!strcmp(action->name, "control"))
		return vb_set_target(action->fd, action->value);
	return 0;
}

/* Waits until it's over. Returns when that was, as far as can be seen. */
static __u64 wait_end(const struct meter *meter, const struct action *action)
{
	__u64 now = meter_now(), cpu = meter_cpu(meter), last = now, quiet;
	__u64 then, then_cpu;
	bool begun = false;

	do {
		then = now;
		then_cpu = cpu;
		sleep_ms(action->poll_ms);
		now = meter_now();
		cpu = meter_cpu(meter);
		if ((cpu - then_cpu) * BUSY_PART >= now - then) {
			begun = true;
			last = now;
		}
		quiet = begun ? QUIET_MS : BEGIN_MS;
	} while (now - last < quiet * NSEC_PER_MSEC);
	return last;
}

static void print_end(const struct action *action)
{
	struct vhost_balloon_info info = {};
	__u64 bytes;
	int ret = 0;

	if (!strcmp(action->name, "qmp")) {
		ret = qmp_query_balloon(action->fd, &bytes);
		if (!ret)
			printf("reached %llu\n", bytes);
	} else if (!strcmp(action->name, "control")) {
		ret = vb_get_info(action->fd, &info);
		if (!ret)
			printf("reached %llu\n", (unsigned long long)info.actual);
	}
	if (ret)
		die(ret, "cannot tell what the guest has");
}

static void measure(int pid, const struct action *action)
{
	static struct meter_sample before, after, difference;
	struct meter meter;
	__u64 end = 0;
	int ret;

	ret = meter_open(&meter, pid, action->syscalls);
	if (ret)
		die(ret, "no sample");
	ret = meter_begin(&meter, &before);
	if (!ret)
		ret = start(action);
	if (ret)
		die(ret, action->name);
	if (action->idle_ms)
		sleep_ms(action->idle_ms);
	else
		end = wait_end(&meter, action);
	ret = meter_end(&meter, &after);
	if (ret)
		die(ret, "no sample");
	meter_difference(&before, &after, &difference);
	meter_print(&difference);
	if (end)
		printf("active_ns %llu\n", end - before.now);
	print_end(action);
	meter_close(&meter);
}

/* A control file of the balloon with that id. */
static int open_control(const char *id)
{
	int device = vb_open();
	int ret;

	if (device < 0)
		return device;
	ret = vb_open_id(device, strtoull(id, NULL, 10));
	close(device);
	return ret;
}

static bool parse(char **argv, int argc, struct action *action)
{
	action->name = argv[0];
	if (argc == 2 && !strcmp(argv[0], "idle")) {
		action->idle_ms = atoi(argv[1]);
		return action->idle_ms > 0;
	}
	if (argc != 3)
		return false;
	if (!strcmp(argv[0], "qmp"))
		action->fd = qmp_open(argv[1]);
	else if (!strcmp(argv[0], "control"))
		action->fd = open_control(argv[1]);
	else
		return false;
	if (action->fd < 0)
		die(action->fd, argv[1]);
	action->value = strtoull(argv[2], NULL, 10);
	return true;
}

int main(int argc, char **argv)
{
	struct action action = { .poll_ms = 10 };
	int option;

	while ((option = getopt(argc, argv, "+sp:")) != -1) {
		if (option == 's')
			action.syscalls = true;
		else if (option == 'p' && atoi(optarg) > 0)
			action.poll_ms = atoi(optarg);
		else
			errx(2, "usage: operation [-s] [-p MS] PID ACTION");
	}
	argv += optind;
	argc -= optind;
	if (argc < 3 || !parse(argv + 1, argc - 1, &action))
		errx(2, "usage: operation [-s] [-p MS] PID qmp|control|idle ...");
	measure(atoi(argv[0]), &action);
	return 0;
}
