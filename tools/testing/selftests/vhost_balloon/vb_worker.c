// SPDX-License-Identifier: GPL-2.0
/*
 * A balloon's worker, as /proc shows it.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vb_kvm.h"
#include "vb_worker.h"

/* A line of a file below /proc: the first one that begins with @key. */
static int proc_line(const char *dir, const char *tid, const char *name, const char *key,
		     char *line, int size)
{
	size_t len = strlen(key);
	char path[300];
	int ret = -ENODATA;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s/%s", dir, tid, name);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (ret && fgets(line, size, file))
		if (!strncmp(line, key, len))
			ret = 0;
	fclose(file);
	line[strcspn(line, "\n")] = 0;
	return ret;
}

/* The thread of that name in a directory of threads: the youngest, if another one just ends. */
static pid_t find_thread(const char *dir, const char *name)
{
	pid_t tid = -ENOENT;
	struct dirent *entry;
	char line[64];
	DIR *threads;

	threads = opendir(dir);
	if (!threads)
		return -errno;
	while ((entry = readdir(threads))) {
		if (atoi(entry->d_name) <= tid || atoi(entry->d_name) <= 0)
			continue;
		if (!proc_line(dir, entry->d_name, "comm", "", line, sizeof(line)) &&
		    !strcmp(line, name))
			tid = atoi(entry->d_name);
	}
	closedir(threads);
	return tid;
}

pid_t vb_worker_find(int backend)
{
	struct vhost_balloon_info info;
	int ret = vb_get_info(backend, &info);

	return ret ?: vb_worker_find_id(info.id);
}

pid_t vb_worker_find_id(__u64 id)
{
	char name[32];
	pid_t tid;

	snprintf(name, sizeof(name), "vballoon-%llu", (unsigned long long)id);
	/* A thread of ours, or on older kernels one of the kernel's. */
	tid = find_thread("/proc/self/task", name);
	return tid > 0 ? tid : find_thread("/proc", name);
}

static long status_number(pid_t tid, const char *key)
{
	char id[16], line[128];
	int ret;

	snprintf(id, sizeof(id), "%d", tid);
	ret = proc_line("/proc", id, "status", key, line, sizeof(line));
	return ret ?: atol(line + strlen(key));
}

long vb_worker_switches(pid_t worker)
{
	long voluntary = status_number(worker, "voluntary_ctxt_switches:");
	long other = status_number(worker, "nonvoluntary_ctxt_switches:");

	return voluntary < 0 || other < 0 ? -ENODATA : voluntary + other;
}

/* 1 if it has that state, 0 if another one. */
static int has_state(pid_t tid, const char *state)
{
	char id[16], line[128];
	int ret;

	snprintf(id, sizeof(id), "%d", tid);
	ret = proc_line("/proc", id, "status", "State:", line, sizeof(line));
	return ret ?: !!strstr(line, state);
}

/* 1 if it is off its processor until somebody wakes it up, 0 if not. */
static int is_off(pid_t tid)
{
	char id[16], line[128];
	int ret;

	snprintf(id, sizeof(id), "%d", tid);
	ret = proc_line("/proc", id, "wchan", "", line, sizeof(line));
	return ret ?: !!strcmp(line, "0");
}

int vb_worker_settle(pid_t worker)
{
	__u64 end = vb_now_ms() + VB_TIMEOUT_MS;
	int ret;

	for (;;) {
		/* Not "disk sleep": then it waits for something, and goes on. */
		ret = has_state(worker, "(sleeping)");
		/* That it says before it looks for the last time whether there is something to do. */
		if (ret > 0)
			ret = is_off(worker);
		if (ret)
			return ret < 0 ? ret : 0;
		if (vb_now_ms() > end)
			return -ETIMEDOUT;
		usleep(1000);
	}
}

/* Whatever else has a thread wait like that, it isn't for so long. */
static bool is_stuck(pid_t tid)
{
	long switches = vb_worker_switches(tid);
	unsigned int i;

	for (i = 0; i < 50; i++) {
		if (has_state(tid, "(disk sleep)") <= 0 || vb_worker_switches(tid) != switches)
			return false;
		usleep(10000);
	}
	return true;
}

/* Other than its first one, which may do anything. */
static bool has_stuck_thread(pid_t pid)
{
	struct dirent *entry;
	bool stuck = false;
	char path[32];
	DIR *threads;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	threads = opendir(path);
	while (threads && !stuck && (entry = readdir(threads)))
		stuck = atoi(entry->d_name) > 0 && atoi(entry->d_name) != pid &&
			is_stuck(atoi(entry->d_name));
	if (threads)
		closedir(threads);
	return stuck;
}

int vb_worker_wait_stuck(pid_t owner, __u64 id)
{
	__u64 end = vb_now_ms() + VB_TIMEOUT_MS;
	pid_t worker = vb_worker_find_id(id);

	while (!has_stuck_thread(owner) && !(worker > 0 && is_stuck(worker))) {
		if (vb_now_ms() > end)
			return -ETIMEDOUT;
		usleep(1000);
	}
	return 0;
}

const char *vb_worker_thread_missing(void)
{
	int backend = vb_open_owned();
	char path[64];
	bool is_thread;

	snprintf(path, sizeof(path), "/proc/self/task/%d", vb_worker_find(backend));
	is_thread = !access(path, F_OK);
	close(backend);
	return is_thread ? NULL : "the worker is a thread of the kernel's";
}

int vb_settle(int backend)
{
	pid_t worker = vb_worker_find(backend);

	return worker < 0 ? worker : vb_worker_settle(worker);
}

static double rounds_factor(void)
{
	const char *given = getenv("VB_ROUNDS_FACTOR");

	return given ? strtod(given, NULL) : 1;
}

unsigned int vb_rounds(unsigned int ordinary)
{
	double factor = rounds_factor();
	unsigned int rounds;

	/* It is there on a kernel that has all kinds of checks. */
	if (!access("/sys/kernel/debug/kmemleak", F_OK))
		factor /= 10;
	rounds = factor > 0 ? ordinary * factor + 0.99 : 1;
	return rounds ?: 1;
}

unsigned int vb_rounds_limit(void)
{
	double factor = rounds_factor();

	return 300 * (factor > 1 ? factor : 1);
}

const char *vb_serving_missing(bool worker)
{
	const char *missing = vb_kvm_missing();

	return missing || worker ? missing : vb_inline_missing();
}

const char *vb_inline_missing(void)
{
	struct vhost_balloon_info info;
	int fd = vb_open_owned();
	int ret;

	/* Without the module the test itself finds out. */
	if (fd < 0)
		return NULL;
	ret = vb_get_info(fd, &info);
	close(fd);
	if (!ret && info.flags & VHOST_BALLOON_INFO_NO_INLINE)
		return "this kernel lets no queue be served on the thread that kicked";
	return NULL;
}

int vb_misplaced(int fd, const struct vhost_balloon_counters *before,
		 enum vhost_balloon_counter counter, __u64 nr)
{
	struct vhost_balloon_counters now;
	int c;

	if (vb_get_counters(fd, &now) < 0)
		return VHOST_BALLOON_NR_COUNTERS;
	for (c = VHOST_BALLOON_C_WORKER_OFF; c <= VHOST_BALLOON_C_WORKER_LEFT; c++)
		if (now.value[c] - before->value[c] != (c == (int)counter ? nr : 0))
			return c;
	return -1;
}
