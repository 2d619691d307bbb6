// SPDX-License-Identifier: GPL-2.0
/*
 * Control files: what may be asked of a balloon and told to it by someone
 * who isn't its VMM.
 *
 * A control file outlives its balloon. From then on every ioctl is ENODEV.
 */
#include <linux/anon_inodes.h>
#include <linux/capability.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "control.h"
#include "device.h"

/**
 * struct vb_control - a control file
 * @vb: the balloon, referenced
 * @watcher: hears of its events
 * @pending: VHOST_BALLOON_EVENT_* that were not read; protected by @wait.lock, as are:
 * @gone: the balloon is gone
 * @over: that was read
 * @wait: who waits for events
 */
struct vb_control {
	struct vhost_balloon *vb;
	struct vb_watcher watcher;
	u32 pending;
	bool gone;
	bool over;
	wait_queue_head_t wait;
};

static void vb_control_event(struct vb_watcher *w, u32 events)
{
	struct vb_control *c = container_of(w, struct vb_control, watcher);
	__poll_t key = EPOLLIN | EPOLLRDNORM;
	unsigned long flags;

	if (events & VHOST_BALLOON_EVENT_GONE)
		key |= EPOLLHUP;

	spin_lock_irqsave(&c->wait.lock, flags);
	c->pending |= events;
	c->gone |= events & VHOST_BALLOON_EVENT_GONE;
	wake_up_locked_poll(&c->wait, key);
	spin_unlock_irqrestore(&c->wait.lock, flags);
}

/**
 * vb_control_show - what a balloon is, for fdinfo
 * @vb: the balloon
 * @m: where to
 *
 * Context: process context.
 */
void vb_control_show(struct vhost_balloon *vb, struct seq_file *m)
{
	struct vhost_balloon_info info = {};
	unsigned int i;

	vb_device_info(vb, &info);
	seq_printf(m, "balloon-id:\t%llu\n", info.id);
	seq_printf(m, "balloon-name:\t%s\n", info.name);
	seq_printf(m, "balloon-pid:\t%d\n", info.pid);
	seq_printf(m, "balloon-flags:\t0x%llx\n", info.flags);
	seq_printf(m, "balloon-source:\t%u\n", info.source);
	seq_printf(m, "balloon-target:\t%llu\n", info.target);
	seq_printf(m, "balloon-actual:\t%llu\n", info.actual);
	seq_printf(m, "balloon-ram:\t%llu\n", info.ram);
	seq_printf(m, "balloon-features-offered:\t0x%llx\n", info.features_offered);
	seq_printf(m, "balloon-features:\t0x%llx\n", info.features);
	seq_printf(m, "balloon-generation:\t%llu\n", info.generation);
	seq_printf(m, "balloon-regions:\t%u\n", info.nr_regions);
	for (i = 0; i < info.nr_queues; i++)
		seq_printf(m, "balloon-queue:\t%u role %u flags 0x%x broken %u num %u avail %u used %u\n",
			   i, info.queues[i].role, info.queues[i].flags, info.queues[i].broken,
			   info.queues[i].num, info.queues[i].last_avail, info.queues[i].last_used);
}

static long vb_control_file_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vb_control *c = file->private_data;
	long ret;

	ret = vb_control_ioctl(c->vb, cmd, arg);
	return ret == -ENOIOCTLCMD ? -ENOTTY : ret;
}

static __poll_t vb_control_poll(struct file *file, poll_table *pt)
{
	struct vb_control *c = file->private_data;
	__poll_t mask = 0;

	poll_wait(file, &c->wait, pt);
	spin_lock_irq(&c->wait.lock);
	if (c->pending)
		mask |= EPOLLIN | EPOLLRDNORM;
	if (c->gone)
		mask |= EPOLLHUP;
	spin_unlock_irq(&c->wait.lock);
	return mask;
}

/* Wait for events and take them; 0 once it was read that the balloon is gone. */
static int vb_control_take_events(struct vb_control *c, bool nonblock, u32 *events)
{
	int ret = 0;

	spin_lock_irq(&c->wait.lock);
	if (!c->pending && !c->over && nonblock)
		ret = -EAGAIN;
	else if (!c->over)
		ret = wait_event_interruptible_locked_irq(c->wait, c->pending || c->over);
	if (!ret) {
		*events = c->pending;
		c->pending = 0;
	}
	spin_unlock_irq(&c->wait.lock);
	return ret;
}

/*
 * What was taken has come to the reader, or else is there for the next one. That the balloon is gone
 * isn't over before somebody has read it.
 */
static void vb_control_were_read(struct vb_control *c, u32 events, bool read)
{
	spin_lock_irq(&c->wait.lock);
	if (!read)
		c->pending |= events;
	else if (events & VHOST_BALLOON_EVENT_GONE)
		c->over = true;
	wake_up_locked(&c->wait);
	spin_unlock_irq(&c->wait.lock);
}

static ssize_t vb_control_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	struct vhost_balloon_event event = { .size = sizeof(event) };
	struct vb_control *c = file->private_data;
	int ret;

	if (len < offsetofend(struct vhost_balloon_event, actual))
		return -EINVAL;
	ret = vb_control_take_events(c, file->f_flags & O_NONBLOCK, &event.events);
	if (ret)
		return ret;
	if (!event.events)
		return 0;
	vb_device_target_actual(c->vb, &event.target, &event.actual);
	len = min(len, sizeof(event));
	ret = copy_to_user(buf, &event, len) ? -EFAULT : 0;
	vb_control_were_read(c, event.events, !ret);
	return ret ? ret : len;
}

static int vb_control_release(struct inode *inode, struct file *file)
{
	struct vb_control *c = file->private_data;

	vb_device_unwatch(c->vb, &c->watcher);
	vb_device_put(c->vb);
	kfree(c);
	return 0;
}

static void vb_control_fdinfo(struct seq_file *m, struct file *file)
{
	struct vb_control *c = file->private_data;

	vb_control_show(c->vb, m);
}

static const struct file_operations vb_control_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= vb_control_file_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.poll		= vb_control_poll,
	.read		= vb_control_read,
	.release	= vb_control_release,
	.show_fdinfo	= vb_control_fdinfo,
};

/* Each event is told to all of them in one go, so only an administrator may make it any number. */
static bool vb_control_watch(struct vb_control *c)
{
	if (vb_device_watch(c->vb, &c->watcher, VHOST_BALLOON_CONTROLS_MAX))
		return true;
	return capable(CAP_SYS_ADMIN) && vb_device_watch(c->vb, &c->watcher, UINT_MAX);
}

static struct file *vb_control_file(struct vhost_balloon *vb)
{
	struct vb_control *c = kzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);
	struct file *file;

	if (!c)
		return ERR_PTR(-ENOMEM);
	c->vb = vb;
	c->watcher.fn = vb_control_event;
	init_waitqueue_head(&c->wait);
	if (!vb_control_watch(c)) {
		file = ERR_PTR(-EMFILE);
		goto err_free;
	}
	file = anon_inode_getfile("[vhost-balloon-control]", &vb_control_fops, c,
				  O_RDWR | O_CLOEXEC);
	if (IS_ERR(file))
		goto err_unwatch;
	vb_device_get(vb);
	return file;

err_unwatch:
	vb_device_unwatch(vb, &c->watcher);
err_free:
	kfree(c);
	return file;
}

/**
 * vb_control_open - make a control file
 * @vb: the balloon
 * @ufd: user address that the file descriptor is written to, before it means anything
 *
 * Context: process context.
 * Return: 0; -EMFILE, also if the balloon has too many; -ENOMEM; -EFAULT.
 */
int vb_control_open(struct vhost_balloon *vb, s32 __user *ufd)
{
	struct file *file;
	int fd, ret;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	file = vb_control_file(vb);
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
		goto err_fd;
	}
	if (put_user(fd, ufd)) {
		ret = -EFAULT;
		goto err_file;
	}
	fd_install(fd, file);
	return 0;

err_file:
	fput(file);
err_fd:
	put_unused_fd(fd);
	return ret;
}
