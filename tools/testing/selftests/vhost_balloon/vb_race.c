// SPDX-License-Identifier: GPL-2.0
/*
 * Things that are done over and over, at moments that are up to chance.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "vb_backend.h"
#include "vb_race.h"

#define MODULE	"vhost_balloon"

static unsigned long chance_seed;
static atomic_ulong chance_state;

static void *loop_run(void *arg)
{
	struct vb_loop *loop = arg;
	int ret = 0;

	while (!atomic_load(&loop->stop) && !ret) {
		ret = loop->step(loop->arg);
		atomic_fetch_add(&loop->steps, 1);
	}
	atomic_store(&loop->error, ret);
	return NULL;
}

int vb_loop_start(struct vb_loop *loop, int (*step)(void *arg), void *arg)
{
	int ret;

	loop->step = step;
	loop->arg = arg;
	atomic_store(&loop->stop, false);
	atomic_store(&loop->error, 0);
	ret = pthread_create(&loop->thread, NULL, loop_run, loop);
	loop->started = !ret;
	return -ret;
}

int vb_loop_stop(struct vb_loop *loop)
{
	if (!loop->started)
		return -EINVAL;
	atomic_store(&loop->stop, true);
	pthread_join(loop->thread, NULL);
	loop->started = false;
	return atomic_load(&loop->error);
}

int vb_loop_wait(struct vb_loop *loop, unsigned long steps)
{
	/* The one that is being taken has begun before. */
	unsigned long enough = atomic_load(&loop->steps) + 1 + steps;
	__u64 end = vb_now_ms() + VB_TIMEOUT_MS;

	while (atomic_load(&loop->steps) < enough) {
		if (atomic_load(&loop->error))
			return atomic_load(&loop->error);
		if (vb_now_ms() > end)
			return -ETIMEDOUT;
		usleep(100);
	}
	return 0;
}

static void chance_begin(void)
{
	const char *given = getenv("VB_SEED");
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	chance_seed = given ? strtoul(given, NULL, 0) : (unsigned long)now.tv_nsec;
	atomic_store(&chance_state, chance_seed);
}

__u64 vb_chance_seed(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, chance_begin);
	return chance_seed;
}

void vb_chance_child(unsigned int number)
{
	vb_chance_seed();
	/* Far from where the parent goes on. */
	atomic_fetch_add(&chance_state, 0xd1342543de82ef95ULL * (number + 1ULL));
}

/* splitmix64: its state is but a counter, so that threads can share it. */
unsigned int vb_chance(unsigned int below)
{
	__u64 z;

	vb_chance_seed();
	z = atomic_fetch_add(&chance_state, 0x9e3779b97f4a7c15ULL);
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return (z ^ z >> 31) % below;
}

void vb_chance_wait(unsigned int most)
{
	unsigned int bits = 1;

	while (most >> bits)
		bits++;
	usleep(vb_chance(1 << vb_chance(bits)));
}

int vb_file_of(pid_t pid, int fd)
{
	int pidfd = syscall(__NR_pidfd_open, pid, 0);
	int file, error;

	if (pidfd < 0)
		return -errno;
	file = syscall(__NR_pidfd_getfd, pidfd, fd, 0);
	error = errno;
	close(pidfd);
	return file < 0 ? -error : file;
}

int vb_control_of(__u64 id)
{
	int device = vb_open();
	int control = vb_open_id(device, id);

	close(device);
	return control;
}

bool vb_child_ended(pid_t pid, int *status)
{
	__u64 end = vb_now_ms() + VB_TIMEOUT_MS;
	pid_t ret;

	while (!(ret = waitpid(pid, status, WNOHANG)) && vb_now_ms() < end)
		usleep(500);
	return ret == pid;
}

bool vb_module_has(int references)
{
	__u64 end = vb_now_ms() + VB_TIMEOUT_MS;

	while (vb_module_references(MODULE) != references && vb_now_ms() < end)
		usleep(1000);
	return vb_module_references(MODULE) == references;
}
