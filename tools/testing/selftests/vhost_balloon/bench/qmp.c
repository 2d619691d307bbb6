// SPDX-License-Identifier: GPL-2.0
/*
 * A client of QEMU's monitor.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "qmp.h"

static int put(int fd, const char *text)
{
	size_t len = strlen(text);

	return write(fd, text, len) == (ssize_t)len ? 0 : -EIO;
}

/* Reads a line; what doesn't fit is dropped. */
static int get_line(int fd, char *line, size_t size)
{
	size_t len = 0;
	char c;

	do {
		if (read(fd, &c, 1) != 1)
			return -EIO;
		if (len < size - 1)
			line[len++] = c;
	} while (c != '\n');
	line[len] = '\0';
	return 0;
}

/* Reads on to a line that begins so, past events and other answers. */
static int get_line_of(int fd, const char *prefix, char *line, size_t size)
{
	int ret;

	do {
		ret = get_line(fd, line, size);
		if (!ret && !strncmp(line, "{\"error\"", 8))
			ret = -EPROTO;
	} while (!ret && strncmp(line, prefix, strlen(prefix)));
	return ret;
}

int qmp_open(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	char line[512];
	int fd, ret;

	if (len >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, len);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	ret = connect(fd, (struct sockaddr *)&addr, sizeof(addr)) ? -errno : 0;
	if (!ret)
		ret = get_line_of(fd, "{\"QMP\"", line, sizeof(line));
	if (!ret)
		ret = put(fd, "{\"execute\": \"qmp_capabilities\"}\n");
	if (!ret)
		ret = get_line_of(fd, "{\"return\"", line, sizeof(line));
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

int qmp_balloon(int fd, __u64 bytes)
{
	char text[128];

	snprintf(text, sizeof(text),
		 "{\"execute\": \"balloon\", \"arguments\": {\"value\": %llu}}\n", bytes);
	return put(fd, text);
}

int qmp_query_balloon(int fd, __u64 *bytes)
{
	static const char prefix[] = "{\"return\": {\"actual\": ";
	char line[512];
	int ret;

	ret = put(fd, "{\"execute\": \"query-balloon\"}\n");
	if (!ret)
		ret = get_line_of(fd, prefix, line, sizeof(line));
	if (!ret)
		*bytes = strtoull(line + sizeof(prefix) - 1, NULL, 10);
	return ret;
}
