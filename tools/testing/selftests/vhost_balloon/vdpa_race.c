// SPDX-License-Identifier: GPL-2.0
/*
 * A vDPA device that is removed and made again all the time, while VMMs open it, become its owner,
 * set it up, kick, and close it; while others kick and control it. Whoever has it open keeps
 * it until the end, and whoever is too late is told.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_config.h>
#include <sys/eventfd.h>

#include "kselftest_harness.h"
#include "vb_control.h"
#include "vb_memory.h"
#include "vb_race.h"
#include "vb_vdpa.h"
#include "vb_worker.h"

#define FEATURES	VB_FEATURE(VIRTIO_F_VERSION_1)
#define RAM_GPA		0x100000ULL
#define PAGES		64U
#define GIVEN		16U
#define SEED		0x7dba
#define VMMS		2

/* Which opens the device over and over. */
struct vmm {
	struct vb_vdpa d;
	struct vb_memory ram;
	int kick;
	/* How often it got as far as to give pages away. */
	atomic_ulong uses;
	struct vb_loop loop;
};

/*
 * Held for writing while the device is being made: vhost_vdpa (6.12) has its node then before it
 * has what a close needs, so that nobody may open it yet.
 */
static pthread_rwlock_t making = PTHREAD_RWLOCK_INITIALIZER;

FIXTURE(removed) {
	struct vb_vdpa d;
	struct vmm vmms[VMMS];
	struct vb_loop kicker;
	struct vb_loop controller;
	int references[2];
};

static int open_vmm(struct vmm *vmm, const struct vb_vdpa *d)
{
	struct vb_memory *base = &vmm->d.base;
	int ret;

	vmm->d = *d;
	vmm->d.control = -1;
	vmm->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (vmm->kick < 0)
		return -errno;
	ret = vb_memory_map(base, VB_MEMORY_MEMFD, d->base.gpa, d->base.len);
	if (ret)
		return ret;
	vmm->d.buf.hva = base->hva + (d->buf.hva - d->base.hva);
	return vb_memory_map(&vmm->ram, VB_MEMORY_MEMFD, RAM_GPA, PAGES * VB_PAGE);
}

FIXTURE_SETUP(removed)
{
	const char *missing = vb_vdpa_missing();
	unsigned int i;

	if (missing)
		SKIP(return, "%s", missing);
	self->references[0] = vb_module_references("vhost_balloon");
	self->references[1] = vb_module_references("vdpa_balloon");
	ASSERT_EQ(0, vb_vdpa_add(&self->d, "gone", 0));
	for (i = 0; i < VMMS; i++)
		ASSERT_EQ(0, open_vmm(&self->vmms[i], &self->d));
}

static int stop_all(FIXTURE_DATA(removed) *self)
{
	unsigned int i;
	int error = 0;

	for (i = 0; i < VMMS; i++)
		if (self->vmms[i].loop.started) {
			int ret = vb_loop_stop(&self->vmms[i].loop);

			error = error ?: ret;
		}
	return error;
}

FIXTURE_TEARDOWN(removed)
{
	unsigned int i;

	stop_all(self);
	vb_loop_stop(&self->kicker);
	vb_loop_stop(&self->controller);
	for (i = 0; i < VMMS; i++) {
		vb_vdpa_close(&self->vmms[i].d);
		vb_memory_unmap(&self->vmms[i].d.base);
		vb_memory_unmap(&self->vmms[i].ram);
		close(self->vmms[i].kick);
	}
	vb_vdpa_del(&self->d);
}

/* Some of the memory is given away, and the rest of it is not. */
static int give_pages(struct vmm *vmm)
{
	int ret;

	vb_memory_fill(&vmm->ram, 0, PAGES, SEED);
	ret = vb_vdpa_inflate(&vmm->d, RAM_GPA, GIVEN);
	if (!ret && (vb_memory_zero(&vmm->ram, 0, GIVEN) != GIVEN ||
		     vb_memory_intact(&vmm->ram, GIVEN, PAGES - GIVEN, SEED) != PAGES - GIVEN))
		ret = -EILSEQ;
	return ret;
}

/* As far as it goes by chance. Nothing fails: the device is there as long as it is open. */
static int use_device(struct vmm *vmm)
{
	unsigned int far = vb_chance(6);
	struct vb_vdpa *d = &vmm->d;
	int ret = 0;

	if (far > 0)
		ret = vb_vdpa_bind(d);
	if (far > 1 && !ret)
		ret = vb_vdpa_map(d, &d->base, VHOST_ACCESS_RW) ?:
		      vb_vdpa_map(d, &vmm->ram, VHOST_ACCESS_RW);
	if (far > 2 && !ret)
		ret = vb_vdpa_set_up(d, FEATURES, 2);
	/* Somebody else kicks, too. */
	if (far > 3 && !ret)
		ret = vb_set_vring_kick(d->fd, VB_DEFLATE, vmm->kick) ?: give_pages(vmm);
	if (far > 4 && !ret)
		ret = vb_vdpa_suspend(d) ?: vb_vdpa_resume(d) ?: give_pages(vmm) ?:
		      vb_vdpa_reset(d);
	if (far > 3 && !ret)
		atomic_fetch_add(&vmm->uses, 1);
	return ret;
}

static int open_device(struct vmm *vmm)
{
	int ret;

	if (pthread_rwlock_tryrdlock(&making))
		return -ENOENT;
	ret = vb_vdpa_open(&vmm->d);
	pthread_rwlock_unlock(&making);
	return ret;
}

static int make_device(FIXTURE_DATA(removed) *self)
{
	unsigned int i;
	int ret;

	pthread_rwlock_wrlock(&making);
	ret = vb_vdpa_create(&self->d, 0);
	/* The node may have another number now. */
	for (i = 0; i < VMMS; i++)
		memcpy(self->vmms[i].d.path, self->d.path, sizeof(self->d.path));
	pthread_rwlock_unlock(&making);
	return ret;
}

static int vmm_step(void *arg)
{
	struct vmm *vmm = arg;
	int ret = open_device(vmm);

	/* The other one has it; or it is gone, or just going. */
	if (ret == -EBUSY || ret == -ENOENT || ret == -ENODEV || ret == -ENXIO) {
		usleep(500);
		return 0;
	}
	if (!ret)
		ret = use_device(vmm);
	vb_vdpa_close(&vmm->d);
	return ret;
}

static int kick_step(void *arg)
{
	FIXTURE_DATA(removed) *self = arg;
	unsigned int i;

	for (i = 0; i < VMMS; i++)
		if (eventfd_write(self->vmms[i].kick, 1))
			return -errno;
	usleep(100);
	return 0;
}

/* By its name: the balloon is there, or it isn't; and it may go at any time. */
static int control_step(void *arg)
{
	FIXTURE_DATA(removed) *self = arg;
	int control = vb_vdpa_open_control(self->d.name);
	struct vhost_balloon_info info;
	int ret = control;

	if (control >= 0) {
		ret = vb_set_target(control, vb_chance(PAGES)) ?:
		      vb_set_tunables(control, VHOST_BALLOON_TUNE_INLINE,
				      vb_chance(2) ? VHOST_BALLOON_TUNE_INLINE : 0) ?:
		      vb_get_info(control, &info);
		close(control);
	}
	return ret == -ENOENT || ret == -ENODEV ? 0 : ret;
}

static int start_all(FIXTURE_DATA(removed) *self)
{
	unsigned int i;
	int ret = vb_loop_start(&self->kicker, kick_step, self) ?:
		  vb_loop_start(&self->controller, control_step, self);

	for (i = 0; i < VMMS && !ret; i++)
		ret = vb_loop_start(&self->vmms[i].loop, vmm_step, &self->vmms[i]);
	return ret;
}

static unsigned long all_uses(FIXTURE_DATA(removed) *self)
{
	unsigned long all = 0;
	unsigned int i;

	for (i = 0; i < VMMS; i++)
		all += atomic_load(&self->vmms[i].uses);
	return all;
}

/* Somebody has had the device once more. */
static int wait_use(FIXTURE_DATA(removed) *self)
{
	unsigned long before = all_uses(self);
	__u64 end = vb_now_ms() + VB_TIMEOUT_MS;
	unsigned int i;

	while (all_uses(self) == before) {
		for (i = 0; i < VMMS; i++)
			if (atomic_load(&self->vmms[i].loop.error))
				return atomic_load(&self->vmms[i].loop.error);
		if (vb_now_ms() > end)
			return -ETIMEDOUT;
		usleep(500);
	}
	return 0;
}

TEST_F_TIMEOUT(removed, device_is_kept_by_those_who_have_it, vb_rounds_limit())
{
	unsigned int rounds = vb_rounds(20), round;
	struct vhost_balloon_info info;
	int control;

	ASSERT_EQ(0, start_all(self));
	for (round = 0; round < rounds; round++) {
		ASSERT_EQ(0, wait_use(self)) {
			TH_LOG("round %u, VB_SEED=%llu", round, vb_chance_seed());
		}
		vb_chance_wait(50000);
		control = dup(self->d.control);
		ASSERT_EQ(0, vb_vdpa_remove(&self->d));
		EXPECT_EQ(-ENODEV, vb_get_info(control, &info));
		EXPECT_TRUE(vb_poll_now(control) & POLLHUP);
		EXPECT_EQ(-ENOENT, vb_vdpa_open_control(self->d.name));
		close(control);
		ASSERT_EQ(0, make_device(self));
	}
	EXPECT_EQ(0, stop_all(self));
	EXPECT_EQ(0, vb_loop_stop(&self->kicker));
	EXPECT_EQ(0, vb_loop_stop(&self->controller));
	vb_vdpa_del(&self->d);
	EXPECT_TRUE(vb_module_has(self->references[0]));
	EXPECT_EQ(self->references[1], vb_module_references("vdpa_balloon"));
}

TEST_HARNESS_MAIN
