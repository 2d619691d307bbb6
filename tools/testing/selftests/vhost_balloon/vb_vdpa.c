// SPDX-License-Identifier: GPL-2.0
/*
 * A balloon on the vDPA bus, and a VMM for it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/vhost_types.h>
#include <linux/virtio_config.h>
#include <sys/wait.h>

#include "vb_memory.h"
#include "vb_vdpa.h"

#define BASE_LEN	(1UL << 20)
/* Where the buffers begin in it; each ring before that has as much as it can need. */
#define BUF_OFFSET	(BASE_LEN / 2)
#define RING_LEN	(64UL << 10)
#define MAX_LIST	1024U
#define MAX_BALLOONS	256U

#define BACKEND_FEATURES (1ULL << VHOST_BACKEND_F_IOTLB_MSG_V2 | \
			  1ULL << VHOST_BACKEND_F_SUSPEND | \
			  1ULL << VHOST_BACKEND_F_RESUME | \
			  1ULL << VHOST_BACKEND_F_IOTLB_PERSIST)

const char *vb_vdpa_missing(void)
{
	if (access("/sys/module/vdpa_balloon", F_OK))
		return "no vDPA here: the module vdpa_balloon is not loaded";
	if (geteuid())
		return "has to be root";
	if (system("command -v vdpa >/dev/null"))
		return "no vdpa (iproute2)";
	return NULL;
}

int vb_vdpa_tool(struct vb_vdpa_output *out, const char *arguments, ...)
{
	static const char vdpa[] = "exec 2>&1; vdpa ";
	char command[512];
	va_list args;
	FILE *pipe;
	int status;

	memcpy(command, vdpa, sizeof(vdpa));
	va_start(args, arguments);
	vsnprintf(command + strlen(vdpa), sizeof(command) - strlen(vdpa), arguments, args);
	va_end(args);
	pipe = popen(command, "re");
	if (!pipe)
		return -errno;
	out->text[fread(out->text, 1, sizeof(out->text) - 1, pipe)] = '\0';
	status = pclose(pipe);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EIO;
}

int vb_vdpa_open_control(const char *name)
{
	__u64 ids[MAX_BALLOONS];
	struct vhost_balloon_list list = {
		.size = sizeof(list), .ids = (unsigned long)ids, .nr = MAX_BALLOONS,
	};
	struct vhost_balloon_info info;
	int device = vb_open();
	int control = -ENOENT;
	unsigned int i;
	int ret;

	if (device < 0)
		return device;
	ret = vb_ioctl(device, VHOST_BALLOON_LIST, &list);
	if (ret) {
		close(device);
		return ret;
	}
	for (i = 0; i < list.nr && control < 0; i++) {
		control = vb_open_id(device, ids[i]);
		if (control < 0)
			continue;
		if (!vb_get_info(control, &info) && !strcmp((char *)info.name, name))
			break;
		close(control);
		control = -ENOENT;
	}
	close(device);
	return control;
}

/* The device node that belongs to the device, once it is there. */
static bool find_node(struct vb_vdpa *d)
{
	char path[96];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/bus/vdpa/devices/%s", d->name);
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, "vhost-vdpa-", strlen("vhost-vdpa-")))
			continue;
		snprintf(d->path, sizeof(d->path), "/dev/%.32s", entry->d_name);
		found = !access(d->path, F_OK);
	}
	closedir(dir);
	return found;
}

static int wait_node(struct vb_vdpa *d)
{
	__u64 end = vb_now_ms() + VB_TIMEOUT_MS;

	while (!find_node(d)) {
		if (vb_now_ms() > end)
			return -ETIMEDOUT;
		usleep(10000);
	}
	return 0;
}

static int map_base(struct vb_vdpa *d)
{
	int ret = vb_memory_map(&d->base, VB_MEMORY_MEMFD, VB_VDPA_GPA, BASE_LEN);

	d->buf.gpa = VB_VDPA_GPA + BUF_OFFSET;
	d->buf.len = BASE_LEN - BUF_OFFSET;
	d->buf.hva = d->base.hva + BUF_OFFSET;
	return ret;
}

int vb_vdpa_create(struct vb_vdpa *d, __u64 features)
{
	struct vb_vdpa_output out;
	char option[64] = "";
	int ret;

	if (features)
		snprintf(option, sizeof(option), "device_features 0x%llx", features);
	if (vb_vdpa_tool(&out, "dev add name %s mgmtdev vhost_balloon %s", d->name, option))
		return -EIO;
	ret = wait_node(d);
	if (ret)
		return ret;
	d->control = vb_vdpa_open_control(d->name);
	return d->control < 0 ? d->control : 0;
}

int vb_vdpa_remove(struct vb_vdpa *d)
{
	struct vb_vdpa_output out;

	if (d->control >= 0)
		close(d->control);
	d->control = -1;
	return vb_vdpa_tool(&out, "dev del %s", d->name) ? -EIO : 0;
}

int vb_vdpa_add(struct vb_vdpa *d, const char *what, __u64 features)
{
	int ret;

	memset(d, 0, sizeof(*d));
	d->fd = -1;
	d->control = -1;
	snprintf(d->name, sizeof(d->name), "vb-%s-%d", what, getpid());
	ret = map_base(d);
	if (ret)
		return ret;
	ret = vb_vdpa_create(d, features);
	if (ret)
		vb_vdpa_del(d);
	return ret;
}

void vb_vdpa_del(struct vb_vdpa *d)
{
	vb_vdpa_close(d);
	vb_vdpa_remove(d);
	vb_memory_unmap(&d->base);
}

int vb_vdpa_open(struct vb_vdpa *d)
{
	d->fd = open(d->path, O_RDWR | O_CLOEXEC);
	return d->fd < 0 ? -errno : 0;
}

int vb_vdpa_bind(struct vb_vdpa *d)
{
	__u64 features;
	int ret;

	ret = vb_set_owner(d->fd);
	if (!ret)
		ret = vb_ioctl(d->fd, VHOST_GET_BACKEND_FEATURES, &features);
	if (ret)
		return ret;
	if (BACKEND_FEATURES & ~features)
		return -EPROTO;
	features = BACKEND_FEATURES;
	return vb_ioctl(d->fd, VHOST_SET_BACKEND_FEATURES, &features);
}

static void forget_queues(struct vb_vdpa *d)
{
	unsigned int i;

	for (i = 0; i < VB_NR_QUEUES; i++) {
		if (d->queues[i].mem)
			vb_queue_exit(&d->queues[i]);
		memset(&d->queues[i], 0, sizeof(d->queues[i]));
	}
}

void vb_vdpa_close(struct vb_vdpa *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
	forget_queues(d);
}

static int send_iotlb(struct vb_vdpa *d, const struct vhost_iotlb_msg *iotlb)
{
	const struct vhost_msg_v2 msg = { .type = VHOST_IOTLB_MSG_V2, .iotlb = *iotlb };
	ssize_t ret = write(d->fd, &msg, sizeof(msg));

	if (ret < 0)
		return -errno;
	return ret == sizeof(msg) ? 0 : -EIO;
}

int vb_vdpa_map(struct vb_vdpa *d, const struct vb_memory *memory, __u8 perm)
{
	const struct vhost_iotlb_msg msg = {
		.type = VHOST_IOTLB_UPDATE, .perm = perm, .iova = memory->gpa,
		.size = memory->len, .uaddr = (unsigned long)memory->hva,
	};

	return send_iotlb(d, &msg);
}

int vb_vdpa_unmap(struct vb_vdpa *d, const struct vb_memory *memory)
{
	const struct vhost_iotlb_msg msg = {
		.type = VHOST_IOTLB_INVALIDATE, .iova = memory->gpa, .size = memory->len,
	};

	return send_iotlb(d, &msg);
}

int vb_vdpa_status(struct vb_vdpa *d)
{
	__u8 status;

	return vb_ioctl(d->fd, VHOST_VDPA_GET_STATUS, &status) ?: status;
}

int vb_vdpa_add_status(struct vb_vdpa *d, __u8 bits)
{
	int status = vb_vdpa_status(d);
	__u8 arg = status | bits;
	int ret;

	if (status < 0)
		return status;
	ret = vb_ioctl(d->fd, VHOST_VDPA_SET_STATUS, &arg);
	return ret < 0 ? ret : vb_vdpa_status(d);
}

/* Sets a bit that the device may refuse. */
static int ask_status(struct vb_vdpa *d, __u8 bit)
{
	int status = vb_vdpa_add_status(d, bit);

	if (status < 0)
		return status;
	return status & bit ? 0 : -EPROTO;
}

static struct vhost_vdpa_config *config_alloc(unsigned int offset, unsigned int len)
{
	struct vhost_vdpa_config *config = calloc(1, sizeof(*config) + len);

	if (config) {
		config->off = offset;
		config->len = len;
	}
	return config;
}

int vb_vdpa_get_config(struct vb_vdpa *d, unsigned int offset, void *data, unsigned int len)
{
	struct vhost_vdpa_config *config = config_alloc(offset, len);
	int ret;

	if (!config)
		return -ENOMEM;
	ret = vb_ioctl(d->fd, VHOST_VDPA_GET_CONFIG, config);
	if (!ret)
		memcpy(data, config->buf, len);
	free(config);
	return ret;
}

int vb_vdpa_set_config(struct vb_vdpa *d, unsigned int offset, const void *data,
		       unsigned int len)
{
	struct vhost_vdpa_config *config = config_alloc(offset, len);
	int ret;

	if (!config)
		return -ENOMEM;
	memcpy(config->buf, data, len);
	ret = vb_ioctl(d->fd, VHOST_VDPA_SET_CONFIG, config);
	free(config);
	return ret;
}

int vb_vdpa_negotiate(struct vb_vdpa *d, __u64 features)
{
	int ret;

	ret = ask_status(d, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	if (!ret)
		ret = ask_status(d, VIRTIO_CONFIG_S_DRIVER);
	if (!ret)
		ret = vb_set_features(d->fd, features);
	if (!ret)
		ret = ask_status(d, VIRTIO_CONFIG_S_FEATURES_OK);
	return ret;
}

int vb_vdpa_add_queue(struct vb_vdpa *d, unsigned int index, unsigned int num)
{
	const struct vb_memory ring = {
		.gpa = d->base.gpa + index * RING_LEN,
		.hva = d->base.hva + index * RING_LEN,
		.len = RING_LEN,
	};

	memset(ring.hva, 0, ring.len);
	return vb_queue_init_guest(&d->queues[index], d->fd, index, num, &ring);
}

int vb_vdpa_start(struct vb_vdpa *d)
{
	struct vhost_vring_state state = { .num = 1 };
	int ret;

	for (state.index = 0; state.index < VB_NR_QUEUES; state.index++) {
		if (!d->queues[state.index].mem)
			continue;
		ret = vb_ioctl(d->fd, VHOST_VDPA_SET_VRING_ENABLE, &state);
		if (ret)
			return ret;
	}
	return ask_status(d, VIRTIO_CONFIG_S_DRIVER_OK);
}

int vb_vdpa_set_up(struct vb_vdpa *d, __u64 features, unsigned int nr_queues)
{
	unsigned int i;
	int ret;

	ret = vb_vdpa_negotiate(d, features);
	for (i = 0; i < nr_queues && !ret; i++) {
		ret = vb_vdpa_add_queue(d, i, VB_VDPA_RING_NUM);
		d->queues[i].ring.event_idx = features & VB_FEATURE(VIRTIO_RING_F_EVENT_IDX);
	}
	return ret ?: vb_vdpa_start(d);
}

int vb_vdpa_reset(struct vb_vdpa *d)
{
	__u8 status = 0;
	int ret = vb_ioctl(d->fd, VHOST_VDPA_SET_STATUS, &status);

	if (!ret)
		forget_queues(d);
	return ret;
}

int vb_vdpa_suspend(struct vb_vdpa *d)
{
	return vb_ioctl(d->fd, VHOST_VDPA_SUSPEND, NULL);
}

int vb_vdpa_resume(struct vb_vdpa *d)
{
	return vb_ioctl(d->fd, VHOST_VDPA_RESUME, NULL);
}

int vb_vdpa_run(struct vb_vdpa *d, __u64 features, unsigned int nr_queues)
{
	int ret;

	ret = vb_vdpa_open(d);
	if (!ret)
		ret = vb_vdpa_bind(d);
	if (!ret)
		ret = vb_vdpa_map(d, &d->base, VHOST_ACCESS_RW);
	return ret ?: vb_vdpa_set_up(d, features, nr_queues);
}

int vb_vdpa_inflate(struct vb_vdpa *d, __u64 gpa, unsigned int nr)
{
	__u32 pages[MAX_LIST];
	unsigned int i;

	if (nr > MAX_LIST)
		return -EINVAL;
	for (i = 0; i < nr; i++)
		pages[i] = gpa / VB_PAGE + i;
	return vb_queue_send_pages(&d->queues[VB_INFLATE], &d->buf, pages, nr);
}
