// SPDX-License-Identifier: GPL-2.0
/*
 * A VMM with memory whose pages never come, by a filesystem or a userfaultfd that doesn't answer,
 * or can't be written, by a filesystem that is frozen: as a list of page numbers, as a ring, as
 * memory that is to be populated, as what an ioctl is told. Who touches it waits; nobody else
 * does, and it can be killed, at the latest when the filesystem is thawed.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "vb_control.h"
#include "vb_frozen.h"
#include "vb_fuse.h"
#include "vb_inline.h"
#include "vb_kicker.h"
#include "vb_race.h"
#include "vb_uffd.h"
#include "vb_worker.h"

#define FEATURES	(VB_FEATURE(VIRTIO_F_VERSION_1) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_MUST_TELL_HOST))
#define STUCK_GPA	0x20000000ULL
#define STUCK_SLOT	8
#define OTHER_GPA	0x30000000ULL
#define OTHER_SLOT	9
#define STUCK_PAGES	64U
#define PAGES		16U

/* What is in that memory. */
enum place {
	PLACE_LIST,
	PLACE_RING,
	PLACE_POPULATED,
	PLACE_IOCTL,
};

/* What the VMM says of itself. */
struct report {
	_Atomic __u64 id;
	int uffd;
	atomic_uint changes;
	atomic_int failed;
};

FIXTURE(stuck) {
	struct vb_fuse fuse;
	struct vb_frozen frozen;
	struct report *report;
	struct vb_inline other;
	pid_t pid;
	int control;
	int references;
};

/*
 * Where the memory comes from. All but @map are called by the test itself.
 * @name: what it is called
 * @open: before there is a VMM; -EOPNOTSUPP: there is no such thing here
 * @map: what the VMM does to have it
 * @wait: until somebody waits for it
 * @release: a VMM that was killed ends after that, if not before
 * @close: after the VMM
 */
struct source {
	const char *name;
	int (*open)(FIXTURE_DATA(stuck) *self);
	int (*map)(FIXTURE_DATA(stuck) *self, struct vb_memory *memory);
	int (*wait)(FIXTURE_DATA(stuck) *self);
	int (*release)(FIXTURE_DATA(stuck) *self);
	void (*close)(FIXTURE_DATA(stuck) *self);
};

static int map_file(int file, struct vb_memory *memory)
{
	void *hva = mmap(NULL, STUCK_PAGES * VB_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);

	if (hva == MAP_FAILED)
		return -errno;
	*memory = (struct vb_memory) {
		.gpa = STUCK_GPA, .len = STUCK_PAGES * VB_PAGE, .hva = hva,
	};
	return 0;
}

static int release_nothing(FIXTURE_DATA(stuck) *self)
{
	return 0;
}

static int fuse_open(FIXTURE_DATA(stuck) *self)
{
	return vb_fuse_mount(&self->fuse);
}

static int fuse_map(FIXTURE_DATA(stuck) *self, struct vb_memory *memory)
{
	/* Or else the filesystem would outlive the test for as long as this does. */
	close(self->fuse.dev);
	return map_file(self->fuse.file, memory);
}

static int fuse_wait(FIXTURE_DATA(stuck) *self)
{
	return vb_fuse_wait(&self->fuse);
}

static void fuse_close(FIXTURE_DATA(stuck) *self)
{
	vb_fuse_unmount(&self->fuse);
}

static const struct source fuse = {
	.name = "FUSE",
	.open = fuse_open, .map = fuse_map, .wait = fuse_wait, .release = release_nothing,
	.close = fuse_close,
};

static int uffd_open(FIXTURE_DATA(stuck) *self)
{
	int uffd = vb_uffd_open();

	if (uffd < 0)
		return -EOPNOTSUPP;
	close(uffd);
	return 0;
}

static int uffd_map(FIXTURE_DATA(stuck) *self, struct vb_memory *memory)
{
	int uffd = vb_uffd_open();
	int ret = uffd < 0 ? uffd : 0;
	unsigned int i;

	self->report->uffd = uffd;
	if (!ret)
		ret = vb_memory_map(memory, VB_MEMORY_ANON, STUCK_GPA, STUCK_PAGES * VB_PAGE);
	for (i = 0; i < STUCK_PAGES && !ret; i++)
		ret = vb_uffd_make_missing(uffd, memory->hva + i * VB_PAGE);
	return ret;
}

/* Who asked is still not answered. */
static int uffd_wait(FIXTURE_DATA(stuck) *self)
{
	int file = vb_file_of(self->pid, self->report->uffd);
	int ret;

	if (file < 0)
		return file;
	ret = vb_uffd_next_fault(file) ? 0 : -ETIMEDOUT;
	close(file);
	return ret;
}

static void uffd_close(FIXTURE_DATA(stuck) *self)
{
}

static const struct source userfaultfd = {
	.name = "userfaultfd",
	.open = uffd_open, .map = uffd_map, .wait = uffd_wait, .release = release_nothing,
	.close = uffd_close,
};

static int frozen_open(FIXTURE_DATA(stuck) *self)
{
	/* Or else an ioctl would have nothing to write. */
	const __u32 size = sizeof(struct vhost_balloon_info);
	int ret = vb_frozen_mount(&self->frozen);

	if (ret)
		return ret;
	if (pwrite(self->frozen.file, &size, sizeof(size), 0) != sizeof(size))
		ret = -EIO;
	if (!ret)
		ret = vb_frozen_freeze(&self->frozen);
	if (ret)
		vb_frozen_unmount(&self->frozen);
	return ret;
}

static int frozen_map(FIXTURE_DATA(stuck) *self, struct vb_memory *memory)
{
	vb_frozen_forget(&self->frozen);
	return map_file(self->frozen.file, memory);
}

static int frozen_wait(FIXTURE_DATA(stuck) *self)
{
	return vb_worker_wait_stuck(self->pid, atomic_load(&self->report->id));
}

/* Until then it waits, and being killed doesn't change that. */
static int frozen_release(FIXTURE_DATA(stuck) *self)
{
	int ret = frozen_wait(self);
	int status;

	if (!ret && waitpid(self->pid, &status, WNOHANG))
		ret = -ECHILD;
	return vb_frozen_thaw(&self->frozen) ?: ret;
}

static void frozen_close(FIXTURE_DATA(stuck) *self)
{
	vb_frozen_unmount(&self->frozen);
}

static const struct source frozen = {
	.name = "filesystem to freeze",
	.open = frozen_open, .map = frozen_map, .wait = frozen_wait, .release = frozen_release,
	.close = frozen_close,
};

FIXTURE_VARIANT(stuck) {
	const struct source *source;
	enum place place;
};

FIXTURE_VARIANT_ADD(stuck, list_in_a_filesystem) { &fuse, PLACE_LIST };
FIXTURE_VARIANT_ADD(stuck, ring_in_a_filesystem) { &fuse, PLACE_RING };
FIXTURE_VARIANT_ADD(stuck, populated_from_a_filesystem) { &fuse, PLACE_POPULATED };
FIXTURE_VARIANT_ADD(stuck, ioctl_from_a_filesystem) { &fuse, PLACE_IOCTL };
FIXTURE_VARIANT_ADD(stuck, list_behind_a_userfaultfd) { &userfaultfd, PLACE_LIST };
FIXTURE_VARIANT_ADD(stuck, ring_behind_a_userfaultfd) { &userfaultfd, PLACE_RING };
FIXTURE_VARIANT_ADD(stuck, populated_behind_a_userfaultfd) { &userfaultfd, PLACE_POPULATED };
FIXTURE_VARIANT_ADD(stuck, ioctl_behind_a_userfaultfd) { &userfaultfd, PLACE_IOCTL };
/* A list is only read, which nobody has to wait for. */
FIXTURE_VARIANT_ADD(stuck, ring_in_a_frozen_filesystem) { &frozen, PLACE_RING };
FIXTURE_VARIANT_ADD(stuck, populated_from_a_frozen_filesystem) { &frozen, PLACE_POPULATED };
FIXTURE_VARIANT_ADD(stuck, ioctl_from_a_frozen_filesystem) { &frozen, PLACE_IOCTL };

/* A request that names the memory, or lies in it. */
static int post(struct vb_machine *m, struct vb_queue *q, __u64 list_gpa)
{
	const struct vb_sg sg = { .addr = list_gpa, .len = PAGES * sizeof(__le32) };
	int ret;

	vb_write_list(m->buf.hva, STUCK_GPA, PAGES);
	ret = vb_ring_add(&q->ring, &sg, 1);
	return ret < 0 ? ret : vb_queue_notify(q);
}

/* An ioctl whose structure is there. */
struct question {
	int backend;
	void *info;
};

static int ask(void *arg)
{
	struct question *question = arg;

	return vb_ioctl(question->backend, VHOST_BALLOON_GET_INFO, question->info);
}

/* Has somebody touch the memory, who isn't this thread. */
static int touch(struct vb_machine *m, struct vb_memory *stuck, enum place place)
{
	static struct vb_loop asker;
	static struct question question;

	switch (place) {
	case PLACE_LIST:
		return vb_machine_start(m) ?: post(m, &m->inflate, STUCK_GPA);
	case PLACE_RING:
		return vb_set_vring_addr(m->backend, VB_DEFLATE, stuck->hva,
					 stuck->hva + 8 * VB_PAGE, stuck->hva + 16 * VB_PAGE) ?:
		       vb_machine_start(m);
	case PLACE_POPULATED:
		return vb_set_tunables(m->backend, VHOST_BALLOON_TUNE_POPULATE,
				       VHOST_BALLOON_TUNE_POPULATE) ?:
		       vb_machine_start(m) ?: post(m, &m->deflate, VB_BUF_GPA);
	default:
		question.backend = m->backend;
		question.info = stuck->hva;
		return vb_machine_start(m) ?: vb_loop_start(&asker, ask, &question);
	}
}

/* A slot that has nothing to do with it comes and goes. */
static int change_slots(struct vb_machine *m, const struct vb_memory *other,
			struct report *report)
{
	int ret = 0;

	while (!ret) {
		ret = vb_memory_add_slot(m, OTHER_SLOT, 0, other);
		if (!ret)
			ret = vb_vm_delete_slot(&m->vm, OTHER_SLOT);
		atomic_fetch_add(&report->changes, 1);
		usleep(1000);
	}
	return ret;
}

static int be_vmm(FIXTURE_DATA(stuck) *self, const FIXTURE_VARIANT(stuck) *variant)
{
	struct report *report = self->report;
	struct vb_memory stuck, other;
	struct vhost_balloon_info info;
	struct vb_machine m;
	int ret;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	ret = variant->source->map(self, &stuck);
	/* Now: who waits for a filesystem to be thawed has the lock that changing mappings takes. */
	if (!ret)
		ret = vb_memory_map(&other, VB_MEMORY_ANON, OTHER_GPA, PAGES * VB_PAGE);
	if (!ret)
		ret = vb_machine_open(&m, true, FEATURES, VB_INLINE_NUM);
	if (!ret)
		ret = vb_memory_add_slot(&m, STUCK_SLOT, 0, &stuck);
	if (!ret)
		ret = vb_get_info(m.backend, &info);
	if (!ret)
		ret = touch(&m, &stuck, variant->place);
	atomic_store(&report->id, ret ? 0 : info.id);
	return ret ?: change_slots(&m, &other, report);
}

static void start_vmm(struct __test_metadata *_metadata, FIXTURE_DATA(stuck) *self,
		      const FIXTURE_VARIANT(stuck) *variant)
{
	struct report *report = self->report;
	__u64 end = vb_now_ms() + VB_TIMEOUT_MS;

	self->pid = fork();
	ASSERT_LE(0, self->pid);
	if (!self->pid) {
		atomic_store(&report->failed, be_vmm(self, variant));
		_exit(1);
	}
	while (!atomic_load(&report->id) && !atomic_load(&report->failed) && vb_now_ms() < end)
		usleep(1000);
	ASSERT_NE(0ULL, atomic_load(&report->id)) {
		TH_LOG("the VMM: %s", strerror(-atomic_load(&report->failed)));
	}
	self->control = vb_control_of(atomic_load(&report->id));
	ASSERT_LE(0, self->control);
}

FIXTURE_SETUP(stuck)
{
	const char *missing = vb_kvm_missing();
	int ret;

	if (missing)
		SKIP(return, "%s", missing);
	ret = variant->source->open(self);
	if (ret == -EOPNOTSUPP)
		SKIP(return, "no %s here", variant->source->name);
	ASSERT_EQ(0, ret);
	self->report = mmap(NULL, sizeof(*self->report), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->report);
	ASSERT_EQ(0, vb_inline_open(&self->other, true, VB_MEMORY_ANON, PAGES));
	self->references = vb_module_references("vhost_balloon");
	start_vmm(_metadata, self, variant);
}

FIXTURE_TEARDOWN(stuck)
{
	if (self->pid > 0) {
		kill(self->pid, SIGKILL);
		variant->source->release(self);
		vb_child_ended(self->pid, NULL);
	}
	vb_inline_close(&self->other);
	variant->source->close(self);
}

/* Another slot of the same VM can still be changed. */
static int wait_changes(FIXTURE_DATA(stuck) *self)
{
	unsigned int enough = atomic_load(&self->report->changes) + 10;
	__u64 end = vb_now_ms() + VB_TIMEOUT_MS;

	while (atomic_load(&self->report->changes) < enough) {
		if (vb_now_ms() > end)
			return -ETIMEDOUT;
		usleep(1000);
	}
	return 0;
}

TEST_F_TIMEOUT(stuck, memory_holds_up_nobody_else, vb_rounds_limit())
{
	struct vhost_balloon_info info;
	struct vb_inline *other = &self->other;
	int status;

	ASSERT_EQ(0, variant->source->wait(self));
	EXPECT_EQ(NULL, vb_unanswered(self->control, 3)) {
		TH_LOG("\"%s\"", vb_unanswered(self->control, 3));
	}
	EXPECT_EQ(0, wait_changes(self));
	ASSERT_EQ(0, vb_inline_post(other, 0, PAGES));
	ASSERT_EQ(0, vb_queue_kick(&other->m.inflate));
	EXPECT_EQ(0, vb_inline_wait(other));
	EXPECT_EQ(PAGES, vb_memory_zero(&other->ram, 0, PAGES));

	ASSERT_EQ(0, kill(self->pid, SIGKILL));
	ASSERT_EQ(0, variant->source->release(self));
	ASSERT_TRUE(vb_child_ended(self->pid, &status));
	self->pid = 0;
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(-ENODEV, vb_get_info(self->control, &info));
	close(self->control);
	EXPECT_TRUE(vb_module_has(self->references));
}

TEST_HARNESS_MAIN
