// SPDX-License-Identifier: GPL-2.0
/*
 * A VMM that forks, and a VMM that executes another program: the files of its balloon are then in
 * the hands of a process with other memory at the same addresses. That isn't the owner, and its
 * memory isn't the guest's.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_config.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "vb_inline.h"
#include "vb_kicker.h"
#include "vb_race.h"

#define PAGES		64U
#define MANY_KICKS	100
#define CANARY_SEED	0xf04c

/* What a process that isn't the owner is told. */
static bool is_stranger(int backend)
{
	const struct vb_memory none = { 0 };
	struct vhost_balloon_info info;
	__u64 ids[1];
	int device;

	if (vb_set_owner(backend) != -EBUSY ||
	    vb_ioctl(backend, VHOST_RESET_OWNER, NULL) != -EPERM ||
	    vb_set_running(backend, false) != -EPERM || vb_set_running(backend, true) != -EPERM ||
	    vb_set_vm(backend, -1) != -EPERM || vb_set_mem_table(backend, &none, 0) != -EPERM ||
	    vb_set_vring_base(backend, VB_INFLATE, 0) != -EPERM ||
	    vb_get_vring_base(backend, VB_INFLATE) != -EPERM ||
	    vb_get_control(backend) != -EPERM || vb_set_target(backend, 1) != -EPERM ||
	    vb_get_info(backend, &info) != -EPERM)
		return false;
	/* What takes no owner. */
	if (vb_list_ids(backend, ids, 1) < 1)
		return false;
	device = vb_open_id(backend, ids[0]);
	close(device);
	return device >= 0;
}

static void kick_often(int kick)
{
	const __u64 one = 1;
	unsigned int i;

	for (i = 0; i < MANY_KICKS; i++)
		if (write(kick, &one, sizeof(one)) != sizeof(one))
			_exit(100);
}

FIXTURE(forked) {
	struct vb_inline s;
	int control;
	int to_child[2];
	int references;
};

FIXTURE_VARIANT(forked) {
	bool kvm;
	bool worker;
};

FIXTURE_VARIANT_ADD(forked, inline_table) { .kvm = false };
FIXTURE_VARIANT_ADD(forked, inline_memslots) { .kvm = true };
FIXTURE_VARIANT_ADD(forked, worker_table) { .kvm = false, .worker = true };
FIXTURE_VARIANT_ADD(forked, worker_memslots) { .kvm = true, .worker = true };

static int open_machine(struct vb_inline *s, bool kvm, bool worker)
{
	int ret = vb_inline_open(s, kvm, VB_MEMORY_ANON, PAGES);

	if (!ret && worker)
		ret = vb_set_tunables(s->m.backend, VHOST_BALLOON_TUNE_INLINE, 0);
	return ret;
}

FIXTURE_SETUP(forked)
{
	const char *missing = variant->kvm ? vb_kvm_missing() : NULL;

	if (!missing && !variant->worker)
		missing = vb_inline_missing();
	if (missing)
		SKIP(return, "%s", missing);
	self->references = vb_module_references("vhost_balloon");
	ASSERT_EQ(0, pipe(self->to_child));
}

FIXTURE_TEARDOWN(forked)
{
	/* Not every test has one of its own. */
	if (self->s.worker > 0)
		vb_inline_close(&self->s);
}

/* The child goes on when this process has closed its end, or is gone. */
static void wait_for_parent(FIXTURE_DATA(forked) *self)
{
	char byte;

	close(self->to_child[1]);
	if (read(self->to_child[0], &byte, 1))
		_exit(101);
}

/* Its memory is a copy that nobody gives away: from page @first on as it was. */
static bool is_copy_intact(struct vb_inline *s, unsigned int first)
{
	return vb_memory_intact(&s->ram, first, PAGES - first, VB_INLINE_SEED) == PAGES - first;
}

static int be_child(FIXTURE_DATA(forked) *self)
{
	struct vb_inline *s = &self->s;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	kick_often(s->m.inflate.kick);
	wait_for_parent(self);
	if (!is_stranger(s->m.backend))
		return 1;
	kick_often(s->m.inflate.kick);
	if (!is_copy_intact(s, 0))
		return 2;
	/* Its own ring is a copy, too. */
	return vb_ring_used_idx(&s->m.inflate.ring) ? 3 : 0;
}

TEST_F(forked, child_kicks_for_its_parent_and_owns_nothing)
{
	struct vb_inline *s = &self->s;
	int status;
	pid_t pid;

	ASSERT_EQ(0, open_machine(s, variant->kvm, variant->worker));
	ASSERT_EQ(0, vb_inline_post(s, 0, PAGES));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(be_child(self));
	/* It is the parent's memory that is given away, by nobody's kick but the child's. */
	EXPECT_EQ(0, vb_inline_wait(s));
	EXPECT_EQ(PAGES, vb_memory_zero(&s->ram, 0, PAGES));
	EXPECT_EQ(0ULL, vb_inline_risen(s, VHOST_BALLOON_C_PASSES_INLINE));
	close(self->to_child[1]);
	ASSERT_TRUE(vb_child_ended(pid, &status));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0ULL, vb_counter(s->m.backend, VHOST_BALLOON_C_BROKEN));
}

/*
 * The child of a VMM that is gone: the balloon lives as long as there is a file, and its
 * worker has nothing to work for.
 */
static int be_orphan(FIXTURE_DATA(forked) *self)
{
	struct vb_inline *s = &self->s;
	struct vhost_balloon_info info;

	wait_for_parent(self);
	kick_often(s->m.inflate.kick);
	if (vb_get_info(self->control, &info) || !(info.flags & VHOST_BALLOON_INFO_OWNED))
		return 1;
	if (vb_set_target(self->control, 5) || vb_get_info(self->control, &info) ||
	    info.target != 5)
		return 2;
	if (!is_stranger(s->m.backend))
		return 3;
	usleep(300000);
	if (!is_copy_intact(s, 0) || vb_ring_used_idx(&s->m.inflate.ring))
		return 4;
	close(s->m.backend);
	if (vb_get_info(self->control, &info) != -ENODEV)
		return 5;
	kick_often(s->m.inflate.kick);
	return is_copy_intact(s, 0) ? 0 : 6;
}

/* A VMM that forks and exits at once. What is left to do was left to nobody. */
static int be_parent(FIXTURE_DATA(forked) *self, bool kvm, bool worker)
{
	struct vb_inline *s = &self->s;
	pid_t pid;

	if (open_machine(s, kvm, worker))
		return 10;
	self->control = vb_get_control(s->m.backend);
	if (self->control < 0 || vb_inline_post(s, 0, PAGES))
		return 11;
	pid = fork();
	if (!pid)
		_exit(be_orphan(self));
	return pid < 0 ? 12 : 0;
}

TEST_F(forked, child_outlives_its_parent_and_nothing_is_discarded)
{
	int status, i;
	pid_t pid;

	/* For orphans. */
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(be_parent(self, variant->kvm, variant->worker));
	close(self->to_child[1]);
	for (i = 0; i < 2; i++) {
		ASSERT_LT(0, waitpid(-1, &status, 0));
		EXPECT_EQ(0, status);
	}
	EXPECT_TRUE(vb_module_has(self->references));
}

/*
 * What a VMM has that executes another program, and that program has again: at the same
 * addresses a ring with a request, the list that it names, and the memory that the list
 * names.
 */
#define RING_BYTES	(16 * VB_PAGE)
#define LIST_OFFSET	RING_BYTES
#define RAM_OFFSET	(RING_BYTES + VB_PAGE)
#define ALL_BYTES	(RAM_OFFSET + PAGES * VB_PAGE)
#define ALL_HVA		((void *)0x200000000UL)
#define ALL_GPA		0x10000000ULL
#define FILES		"VB_FORK_EXEC_FILES"

static void *map_all(void)
{
	return mmap(ALL_HVA, ALL_BYTES, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
}

static struct vb_memory the_ram(void)
{
	return (struct vb_memory) {
		.gpa = ALL_GPA + RAM_OFFSET, .len = PAGES * VB_PAGE, .hva = ALL_HVA + RAM_OFFSET,
	};
}

/* The request is there; whether somebody kicks is another matter. */
static void post_all(struct vb_ring *ring)
{
	struct vb_memory ram = the_ram();

	vb_memory_fill(&ram, 0, PAGES, CANARY_SEED);
	vb_write_list(ALL_HVA + LIST_OFFSET, ram.gpa, PAGES);
	vb_ring_set_desc(ring->desc, ALL_GPA + LIST_OFFSET, PAGES * sizeof(__le32), 0, 0);
	vb_ring_set_avail(ring, 0, 0);
	vb_ring_set_avail_idx(ring, 1);
}

/* The program that is executed. */
static int be_new_image(const char *files)
{
	struct vhost_balloon_info info;
	struct vb_memory ram = the_ram();
	int backend, control, kick;
	struct vb_ring ring;

	if (sscanf(files, "%d %d %d", &backend, &control, &kick) != 3 || map_all() != ALL_HVA)
		return 1;
	vb_ring_init(&ring, ALL_HVA, VB_INLINE_NUM);
	post_all(&ring);
	kick_often(kick);
	if (!is_stranger(backend))
		return 2;
	if (vb_get_info(control, &info) || !(info.flags & VHOST_BALLOON_INFO_OWNED))
		return 3;
	usleep(300000);
	kick_often(kick);
	if (vb_memory_intact(&ram, 0, PAGES, CANARY_SEED) != PAGES || vb_ring_used_idx(&ring))
		return 4;
	close(backend);
	if (vb_get_info(control, &info) != -ENODEV)
		return 5;
	kick_often(kick);
	return vb_memory_intact(&ram, 0, PAGES, CANARY_SEED) == PAGES ? 0 : 6;
}

static void __attribute__((constructor)) become_new_image(void)
{
	if (getenv(FILES))
		_exit(be_new_image(getenv(FILES)));
}

static int keep_open(int fd)
{
	return fcntl(fd, F_SETFD, 0) ? -errno : 0;
}

static int execute(int backend, int control, int kick)
{
	char files[64];

	if (keep_open(backend) || keep_open(control) || keep_open(kick))
		return 20;
	snprintf(files, sizeof(files), "%d %d %d", backend, control, kick);
	setenv(FILES, files, 1);
	execl("/proc/self/exe", "fork_exec", NULL);
	return 21;
}

/* A machine whose inflate queue has its ring there, and that has served one request. */
static int open_there(struct vb_machine *m, bool kvm)
{
	const struct vb_memory all = { .gpa = ALL_GPA, .len = ALL_BYTES, .hva = ALL_HVA };
	int ret = map_all() == ALL_HVA ? 0 : -errno;

	if (!ret)
		ret = vb_machine_open(m, kvm, VB_FEATURE(VIRTIO_F_VERSION_1), VB_INLINE_NUM);
	if (ret)
		return ret;
	vb_queue_exit(&m->inflate);
	ret = vb_queue_init(&m->inflate, m->backend, VB_INFLATE, VB_INLINE_NUM, ALL_HVA);
	if (!ret)
		ret = vb_machine_add(m, &all, 0);
	return ret ?: vb_machine_start(m);
}

static int be_vmm(bool kvm, bool worker)
{
	struct vb_memory ram = the_ram();
	struct vb_machine m;
	int control;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (open_there(&m, kvm))
		return 10;
	if (worker && vb_set_tunables(m.backend, VHOST_BALLOON_TUNE_INLINE, 0))
		return 11;
	control = vb_get_control(m.backend);
	post_all(&m.inflate.ring);
	if (control < 0 || vb_queue_kick(&m.inflate) || vb_queue_wait_used(&m.inflate, 1) ||
	    vb_memory_zero(&ram, 0, PAGES) != PAGES)
		return 12;
	return execute(m.backend, control, m.inflate.kick);
}

TEST_F(forked, program_that_is_executed_loses_no_page)
{
	int status;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(be_vmm(variant->kvm, variant->worker));
	ASSERT_TRUE(vb_child_ended(pid, &status));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(vb_module_has(self->references));
}

TEST_HARNESS_MAIN
