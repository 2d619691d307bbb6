// SPDX-License-Identifier: GPL-2.0
/*
 * Finding balloons, and saying why one can't be found or opened.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "balloon.h"
#include "privilege.h"
#include "vballoonctl.h"

#define DEVICE		"/dev/vhost-balloon"
#define MODULE		"vhost_balloon"
#define SYS_MODULE	"/sys/module/" MODULE

static void explain_no_device(void)
{
	if (!access(SYS_MODULE, F_OK))
		warnx("%s can't be opened although the module %s is loaded: is devtmpfs mounted on /dev, and does a container hide it?",
		      DEVICE, MODULE);
	else
		warnx("the kernel module %s is not loaded: 'modprobe %s' brings %s; for vDPA balloons (stock QEMU) load vdpa_balloon, which needs it",
		      MODULE, MODULE, DEVICE);
}

static void explain_no_access(int error)
{
	struct stat st;

	if (stat(DEVICE, &st))
		warnx("%s: %s", DEVICE, strerror(error));
	else
		warnx("no permission to open %s: its mode is %04o, its owner uid %u, gid %u; be root, or have your user given read and write access to it",
		      DEVICE, st.st_mode & 07777, st.st_uid, st.st_gid);
}

int balloon_open_device(int *dev)
{
	*dev = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (*dev >= 0)
		return EXIT_SUCCESS;
	switch (errno) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		explain_no_device();
		break;
	case EACCES:
	case EPERM:
		explain_no_access(errno);
		break;
	default:
		warn("%s", DEVICE);
	}
	return EXIT_FAILURE;
}

int balloon_list(int dev, struct balloon_ids *ids)
{
	struct vhost_balloon_list list;

	*ids = (struct balloon_ids){ };
	do {
		ids->id = reallocarray(ids->id, ids->nr + VHOST_BALLOON_LIST_MAX, sizeof(*ids->id));
		if (!ids->id)
			err(EXIT_FAILURE, NULL);
		list = (struct vhost_balloon_list){
			.size = sizeof(list),
			.after = ids->nr ? ids->id[ids->nr - 1] : 0,
			.ids = (uintptr_t)(ids->id + ids->nr),
			.nr = VHOST_BALLOON_LIST_MAX,
		};
		if (ioctl(dev, VHOST_BALLOON_LIST, &list) < 0) {
			warn("%s: can't list the balloons", DEVICE);
			free(ids->id);
			return EXIT_FAILURE;
		}
		ids->nr += list.nr;
	} while (list.nr && list.total > list.nr);
	return EXIT_SUCCESS;
}

int balloon_open_id(int dev, uint64_t id, struct balloon *b)
{
	struct vhost_balloon_open open = { .size = sizeof(open), .id = id, .fd = -1 };

	if (ioctl(dev, VHOST_BALLOON_OPEN, &open) < 0)
		return -errno;
	b->fd = open.fd;
	b->id = id;
	return 0;
}

/* What an unprivileged caller should know when something isn't there. */
static const char *unseen_hint(void)
{
	if (privilege_sees_all())
		return "";
	return " that you may open (to see the balloons of others needs CAP_SYS_ADMIN in the initial user namespace)";
}

static int open_number(int dev, const struct spec *spec, struct balloon *b)
{
	int error = balloon_open_id(dev, spec->number, b);

	switch (error) {
	case 0:
		return EXIT_SUCCESS;
	case -ENOENT:
		warnx("there is no balloon %s%s", spec->text, unseen_hint());
		break;
	case -EPERM:
	case -EACCES:
		warnx("balloon %s belongs to someone else: to open it needs CAP_SYS_ADMIN in the initial user namespace, or its owner's user id if the VMM allows that",
		      spec->text);
		break;
	default:
		warnx("can't open balloon %s: %s", spec->text, strerror(-error));
	}
	return EXIT_FAILURE;
}

static bool matches(const struct spec *spec, const struct vhost_balloon_info *info)
{
	if (spec->kind == SPEC_PID)
		return info->pid > 0 && (uint64_t)info->pid == spec->number;
	return !strncmp((const char *)info->name, spec->text, sizeof(info->name));
}

static bool open_match(int dev, uint64_t id, const struct spec *spec, struct balloon *b)
{
	struct vhost_balloon_info info;

	/* One that goes away meanwhile is as good as not listed. */
	if (balloon_open_id(dev, id, b))
		return false;
	if (!balloon_get_info(b, &info) && matches(spec, &info))
		return true;
	balloon_close(b);
	return false;
}

/* Leaves the last match open in @found and prints the others' ids. */
static size_t search(int dev, const struct balloon_ids *ids, const struct spec *spec,
		     struct balloon *found)
{
	size_t i, nr_found = 0;
	struct balloon b;

	for (i = 0; i < ids->nr; i++) {
		if (!open_match(dev, ids->id[i], spec, &b))
			continue;
		if (nr_found++) {
			warnx("%s may be balloon %" PRIu64, spec->text, found->id);
			balloon_close(found);
		}
		*found = b;
	}
	return nr_found;
}

static int open_by_search(int dev, const struct spec *spec, struct balloon *b)
{
	struct balloon_ids ids;
	size_t nr_found;
	int code;

	code = balloon_list(dev, &ids);
	if (code)
		return code;
	nr_found = search(dev, &ids, spec, b);
	free(ids.id);
	if (nr_found == 1)
		return EXIT_SUCCESS;
	if (nr_found) {
		warnx("%s may be balloon %" PRIu64 ", too: give the number", spec->text, b->id);
		balloon_close(b);
	} else if (spec->kind == SPEC_PID) {
		warnx("process %" PRIu64 " has no balloon%s", spec->number, unseen_hint());
	} else {
		warnx("there is no balloon of the name %s%s", spec->text, unseen_hint());
	}
	return EXIT_FAILURE;
}

int balloon_open(const struct spec *spec, struct balloon *b)
{
	int dev, code;

	code = balloon_open_device(&dev);
	if (code)
		return code;
	if (spec->kind == SPEC_ID)
		code = open_number(dev, spec, b);
	else
		code = open_by_search(dev, spec, b);
	close(dev);
	return code;
}
