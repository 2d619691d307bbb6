// SPDX-License-Identifier: GPL-2.0
/*
 * A cgroup of the test's own.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "vb_backend.h"
#include "vb_cgroup.h"
#include "vb_file.h"

#define ROOT	"/sys/fs/cgroup"

static int write_file(const char *dir, const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return vb_write_file(path, value, 0);
}

int vb_cgroup_make(struct vb_cgroup *cg, bool memory)
{
	snprintf(cg->path, sizeof(cg->path), ROOT "/vb-%d", getpid());
	if (access(ROOT "/cgroup.controllers", R_OK))
		return -EOPNOTSUPP;
	cg->memory = memory;
	if (memory && write_file(ROOT, "cgroup.subtree_control", "+memory"))
		return -EOPNOTSUPP;
	return mkdir(cg->path, 0700) ? -errno : 0;
}

int vb_cgroup_remove(struct vb_cgroup *cg)
{
	if (rmdir(cg->path))
		return -errno;
	/* Refused as long as others need it. */
	if (cg->memory)
		write_file(ROOT, "cgroup.subtree_control", "-memory");
	return 0;
}

int vb_cgroup_enter(struct vb_cgroup *cg)
{
	return vb_cgroup_write(cg, "cgroup.procs", "0");
}

int vb_cgroup_write(struct vb_cgroup *cg, const char *name, const char *value)
{
	return write_file(cg->path, name, value);
}

long vb_cgroup_number(struct vb_cgroup *cg, const char *name, const char *key)
{
	char path[128], line[128];
	size_t len = strlen(key);
	long number = -1;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", cg->path, name);
	file = fopen(path, "re");
	if (!file)
		return -1;
	while (number < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, key, len) && line[len] == ' ')
			number = atol(line + len);
	fclose(file);
	return number;
}

int vb_cgroup_wait(struct vb_cgroup *cg, const char *name, const char *key, long number)
{
	__u64 end = vb_now_ms() + VB_TIMEOUT_MS;

	while (vb_cgroup_number(cg, name, key) != number) {
		if (vb_now_ms() > end)
			return -ETIMEDOUT;
		usleep(10000);
	}
	return 0;
}
