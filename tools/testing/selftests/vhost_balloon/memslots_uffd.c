// SPDX-License-Identifier: GPL-2.0
/*
 * A VMM whose memory is behind a userfaultfd: a page of the ring, or a list of
 * page numbers, isn't there until a thread of the VMM puts it there. While
 * the balloon waits for that, slots may be changed, the backend may be
 * stopped or closed, and the VMM may be killed: nothing hangs.
 */
#include <endian.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "vb_memory.h"
#include "vb_race.h"
#include "vb_uffd.h"

#define MIB		(1UL << 20)
#define PAGES		16U
#define LEN		(PAGES * VB_PAGE)
#define SLOT		3
#define LIST_SLOT	4
#define OTHER_SLOT	5
#define LIST_GPA	(8 * MIB)
#define SEED		0xfa17
#define FEATURES	VB_FEATURE(VIRTIO_F_VERSION_1)
#define RING_NUM	64

/* A VMM with memory to give away, and a page for a list that may go missing. */
struct vmm {
	struct vb_machine machine;
	struct vb_memory ram;
	struct vb_memory list;
	int uffd;
	/* Which names all pages of @ram. */
	__u32 content[VB_PAGE / sizeof(__u32)];
};

static int vmm_open(struct vmm *vmm)
{
	unsigned int i;
	int ret;

	vmm->uffd = vb_uffd_open();
	if (vmm->uffd < 0)
		return vmm->uffd;
	ret = vb_machine_open(&vmm->machine, true, FEATURES, RING_NUM);
	if (!ret)
		ret = vb_memory_map(&vmm->ram, VB_MEMORY_ANON, MIB, LEN);
	if (!ret)
		ret = vb_memory_map(&vmm->list, VB_MEMORY_ANON, LIST_GPA, VB_PAGE);
	if (!ret)
		ret = vb_memory_add_slot(&vmm->machine, SLOT, 0, &vmm->ram);
	if (!ret)
		ret = vb_memory_add_slot(&vmm->machine, LIST_SLOT, 0, &vmm->list);
	if (!ret)
		ret = vb_machine_start(&vmm->machine);
	if (ret)
		return ret;
	vb_memory_fill(&vmm->ram, 0, PAGES, SEED);
	for (i = 0; i < PAGES; i++)
		vmm->content[i] = vb_memory_gfn(&vmm->ram, i);
	return 0;
}

static void vmm_close(struct vmm *vmm)
{
	/* First the userfaultfd: whoever waits for it goes on. */
	if (vmm->uffd >= 0)
		close(vmm->uffd);
	vb_machine_close(&vmm->machine);
	vb_memory_unmap(&vmm->ram);
	vb_memory_unmap(&vmm->list);
}

/* Posts the list; doesn't look at the ring any more. */
static int vmm_post_list(struct vmm *vmm)
{
	struct vb_sg sg = { .addr = LIST_GPA, .len = PAGES * sizeof(__u32) };
	int ret;

	ret = vb_ring_add(&vmm->machine.inflate.ring, &sg, 1);
	if (ret < 0)
		return ret;
	vb_ring_publish(&vmm->machine.inflate.ring);
	return 0;
}

/* Posts the list with its page missing, and waits until the balloon waits for it. */
static int vmm_block_balloon(struct vmm *vmm)
{
	int ret;

	ret = vb_uffd_make_missing(vmm->uffd, vmm->list.hva);
	if (!ret)
		ret = vmm_post_list(vmm);
	if (!ret)
		ret = vb_queue_kick(&vmm->machine.inflate);
	if (ret)
		return ret;
	return vb_uffd_next_fault(vmm->uffd) == (unsigned long)vmm->list.hva ? 0 : -ETIMEDOUT;
}

/*
 * The thread of the VMM that resolves one fault, but is a while in slot
 * ioctls before that.
 */
struct handler {
	struct vmm *vmm;
	const void *content;
	__u64 address;
	pthread_t thread;
	atomic_int error;
};

static int handler_change_slots(struct vb_machine *m, struct vb_memory *ram)
{
	struct vb_memory other = *ram;
	unsigned int i;
	int ret = 0;

	other.gpa = 32 * MIB;
	for (i = 0; i < 4 && !ret; i++) {
		ret = vb_memory_add_slot(m, OTHER_SLOT, 0, &other);
		if (!ret)
			ret = vb_vm_delete_slot(&m->vm, OTHER_SLOT);
	}
	return ret;
}

static void *handler_run(void *arg)
{
	struct handler *handler = arg;
	struct vmm *vmm = handler->vmm;
	int ret = -ETIMEDOUT;

	handler->address = vb_uffd_next_fault(vmm->uffd);
	if (handler->address) {
		ret = handler_change_slots(&vmm->machine, &vmm->ram);
		if (!ret)
			ret = vb_uffd_copy(vmm->uffd, handler->address, handler->content);
	}
	atomic_store(&handler->error, ret);
	return NULL;
}

FIXTURE(uffd) {
	struct vmm vmm;
	struct handler handler;
};

FIXTURE_SETUP(uffd)
{
	const char *missing = vb_kvm_missing();
	int fd;

	if (missing)
		SKIP(return, "%s", missing);
	fd = vb_uffd_open();
	if (fd < 0)
		SKIP(return, "no userfaultfd: %s", strerror(-fd));
	close(fd);
	ASSERT_EQ(0, vmm_open(&self->vmm));
	self->handler.vmm = &self->vmm;
}

FIXTURE_TEARDOWN(uffd)
{
	vmm_close(&self->vmm);
}

TEST_F(uffd, list_of_pages_is_waited_for_while_slots_change)
{
	struct vmm *vmm = &self->vmm;

	ASSERT_EQ(0, vb_uffd_make_missing(vmm->uffd, vmm->list.hva));
	self->handler.content = vmm->content;
	ASSERT_EQ(0, vmm_post_list(vmm));
	ASSERT_EQ(0, pthread_create(&self->handler.thread, NULL, handler_run, &self->handler));
	ASSERT_EQ(0, vb_queue_kick(&vmm->machine.inflate));
	ASSERT_EQ(1, vb_queue_wait_call(&vmm->machine.inflate));
	pthread_join(self->handler.thread, NULL);
	EXPECT_EQ(0, atomic_load(&self->handler.error));
	EXPECT_EQ((unsigned long)vmm->list.hva, self->handler.address);

	EXPECT_EQ(1, vb_ring_used_idx(&vmm->machine.inflate.ring));
	EXPECT_EQ(PAGES, vb_memory_zero(&vmm->ram, 0, PAGES));
	EXPECT_LT(0, vb_counter(vmm->machine.backend, VHOST_BALLOON_C_FAULTS));
}

TEST_F(uffd, slot_of_the_list_can_be_deleted_while_the_list_is_waited_for)
{
	struct vmm *vmm = &self->vmm;

	ASSERT_EQ(0, vmm_block_balloon(vmm));
	ASSERT_EQ(0, vb_vm_delete_slot(&vmm->machine.vm, LIST_SLOT));
	ASSERT_EQ(0, vb_uffd_copy(vmm->uffd, (unsigned long)vmm->list.hva, vmm->content));

	/* It came too late: the guest has no such memory any more. */
	ASSERT_EQ(1, vb_queue_wait_call(&vmm->machine.inflate));
	EXPECT_EQ(1, vb_ring_used_idx(&vmm->machine.inflate.ring));
	EXPECT_EQ(PAGES, vb_memory_intact(&vmm->ram, 0, PAGES, SEED));
	EXPECT_EQ(1, vb_counter(vmm->machine.backend, VHOST_BALLOON_C_MALFORMED));
}

TEST_F(uffd, slot_of_the_pages_can_be_deleted_while_the_list_is_waited_for)
{
	struct vmm *vmm = &self->vmm;

	ASSERT_EQ(0, vmm_block_balloon(vmm));
	ASSERT_EQ(0, vb_vm_delete_slot(&vmm->machine.vm, SLOT));
	ASSERT_EQ(0, vb_uffd_copy(vmm->uffd, (unsigned long)vmm->list.hva, vmm->content));
	ASSERT_EQ(1, vb_queue_wait_call(&vmm->machine.inflate));
	EXPECT_EQ(1, vb_ring_used_idx(&vmm->machine.inflate.ring));
	EXPECT_EQ(PAGES, vb_memory_intact(&vmm->ram, 0, PAGES, SEED));
	EXPECT_EQ(PAGES, vb_counter(vmm->machine.backend, VHOST_BALLOON_C_SKIP_NO_SLOT));
}

/* Can be asked while the balloon waits: those who look at it don't wait with it. */
TEST_F(uffd, balloon_can_be_looked_at_while_it_waits)
{
	struct vmm *vmm = &self->vmm;
	struct vhost_balloon_info info;
	int control;

	ASSERT_EQ(0, vmm_block_balloon(vmm));
	control = vb_get_control(vmm->machine.backend);
	ASSERT_LE(0, control);
	EXPECT_EQ(0, vb_get_info(control, &info));
	EXPECT_NE(~0ULL, vb_counter(control, VHOST_BALLOON_C_KICKS));
	EXPECT_EQ(3, vb_get_regions(control, NULL, 0, NULL));
	EXPECT_EQ(0, vb_set_target(control, 1));
	ASSERT_EQ(0, vb_uffd_copy(vmm->uffd, (unsigned long)vmm->list.hva, vmm->content));
	ASSERT_EQ(1, vb_queue_wait_call(&vmm->machine.inflate));
	EXPECT_EQ(PAGES, vb_memory_zero(&vmm->ram, 0, PAGES));
	close(control);
}

FIXTURE(uffd_ring) {
	struct vmm vmm;
	struct handler handler;
	char content[VB_PAGE];
};

FIXTURE_VARIANT(uffd_ring) {
	size_t part;
};

FIXTURE_VARIANT_ADD(uffd_ring, desc) {
	.part = offsetof(struct vb_ring, desc),
};

FIXTURE_VARIANT_ADD(uffd_ring, avail) {
	.part = offsetof(struct vb_ring, avail),
};

FIXTURE_VARIANT_ADD(uffd_ring, used) {
	.part = offsetof(struct vb_ring, used),
};

FIXTURE_SETUP(uffd_ring)
{
	const char *missing = vb_kvm_missing();
	int fd;

	if (missing)
		SKIP(return, "%s", missing);
	fd = vb_uffd_open();
	if (fd < 0)
		SKIP(return, "no userfaultfd: %s", strerror(-fd));
	close(fd);
	ASSERT_EQ(0, vmm_open(&self->vmm));
	self->handler.vmm = &self->vmm;
	self->handler.content = self->content;
}

FIXTURE_TEARDOWN(uffd_ring)
{
	vmm_close(&self->vmm);
}

TEST_F(uffd_ring, page_of_the_ring_is_waited_for_while_slots_change)
{
	struct vmm *vmm = &self->vmm;
	struct vb_ring *ring = &vmm->machine.inflate.ring;
	const struct vb_sg sg = { .addr = LIST_GPA, .len = PAGES * sizeof(__u32) };
	void *page = *(void **)((char *)ring + variant->part);

	memcpy(vmm->list.hva, vmm->content, VB_PAGE);
	ASSERT_LE(0, vb_ring_add(ring, &sg, 1));
	memcpy(self->content, page, VB_PAGE);
	ASSERT_EQ(0, vb_uffd_make_missing(vmm->uffd, page));
	/* Not before: the pass that every start begins with may still be under way. */
	if (page == (void *)ring->avail)
		((struct vring_avail *)self->content)->idx = htole16(1);
	else
		vb_ring_set_avail_idx(ring, 1);
	ASSERT_EQ(0, pthread_create(&self->handler.thread, NULL, handler_run, &self->handler));
	/* From here to the interrupt the ring isn't touched: that would resolve the fault. */
	ASSERT_EQ(0, vb_queue_kick(&vmm->machine.inflate));
	ASSERT_EQ(1, vb_queue_wait_call(&vmm->machine.inflate));
	pthread_join(self->handler.thread, NULL);
	EXPECT_EQ(0, atomic_load(&self->handler.error));
	EXPECT_EQ((unsigned long)page, self->handler.address);

	EXPECT_EQ(1, vb_ring_used_idx(ring));
	EXPECT_EQ(PAGES, vb_memory_zero(&vmm->ram, 0, PAGES));
	EXPECT_EQ(0, vb_counter(vmm->machine.backend, VHOST_BALLOON_C_BROKEN));
}

/* A VMM that never resolves the fault, and is killed. */

static void kill_nothing(struct vmm *vmm)
{
	(void)vmm;
}

static void kill_in_close(struct vmm *vmm)
{
	close(vmm->machine.backend);
}

static void kill_in_stop(struct vmm *vmm)
{
	vb_set_running(vmm->machine.backend, false);
	vb_set_vm(vmm->machine.backend, -1);
}

static void kill_in_reset(struct vmm *vmm)
{
	vb_ioctl(vmm->machine.backend, VHOST_RESET_OWNER, NULL);
}

static void kill_in_get_base(struct vmm *vmm)
{
	vb_get_vring_base(vmm->machine.backend, VB_INFLATE);
}

static void kill_without_vm(struct vmm *vmm)
{
	vb_vm_close(&vmm->machine.vm);
}

FIXTURE(uffd_kill) {
	int device;
	pid_t child;
	int references;
};

FIXTURE_VARIANT(uffd_kill) {
	void (*action)(struct vmm *vmm);
};

FIXTURE_VARIANT_ADD(uffd_kill, asleep) {
	.action = kill_nothing,
};

FIXTURE_VARIANT_ADD(uffd_kill, closing_the_backend) {
	.action = kill_in_close,
};

FIXTURE_VARIANT_ADD(uffd_kill, stopping_and_unbinding) {
	.action = kill_in_stop,
};

FIXTURE_VARIANT_ADD(uffd_kill, resetting_the_owner) {
	.action = kill_in_reset,
};

FIXTURE_VARIANT_ADD(uffd_kill, asking_for_the_base) {
	.action = kill_in_get_base,
};

FIXTURE_VARIANT_ADD(uffd_kill, having_closed_the_vm) {
	.action = kill_without_vm,
};

FIXTURE_SETUP(uffd_kill)
{
	const char *missing = vb_kvm_missing();
	int fd;

	if (missing)
		SKIP(return, "%s", missing);
	fd = vb_uffd_open();
	if (fd < 0)
		SKIP(return, "no userfaultfd: %s", strerror(-fd));
	close(fd);
	self->device = vb_open();
	ASSERT_LE(0, self->device);
	self->references = vb_module_references("vhost_balloon");
}

FIXTURE_TEARDOWN(uffd_kill)
{
	if (self->child > 0)
		kill(self->child, SIGKILL);
	close(self->device);
}

/* The VMM, in a process of its own. Says by a byte that the balloon waits. */
static void be_vmm(void (*action)(struct vmm *vmm), int ready)
{
	struct vmm vmm;

	memset(&vmm, 0, sizeof(vmm));
	if (vmm_open(&vmm) || vmm_block_balloon(&vmm))
		_exit(1);
	if (write(ready, "", 1) != 1)
		_exit(1);
	action(&vmm);
	for (;;)
		pause();
}

TEST_F_TIMEOUT(uffd_kill, vmm_dies_and_leaves_nothing_behind, 120)
{
	int ready[2];
	int status;
	int before;
	char byte;
	int i;

	before = vb_list_ids(self->device, NULL, 0);
	ASSERT_LE(0, before);
	ASSERT_EQ(0, pipe(ready));
	self->child = fork();
	ASSERT_LE(0, self->child);
	if (!self->child) {
		close(ready[0]);
		be_vmm(variant->action, ready[1]);
	}
	close(ready[1]);
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	close(ready[0]);
	/* Let it get to where it waits; if it doesn't, the test is only easier. */
	usleep(300000);

	ASSERT_EQ(0, kill(self->child, SIGKILL));
	ASSERT_TRUE(vb_child_ended(self->child, &status));
	self->child = 0;
	ASSERT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGKILL, WTERMSIG(status));

	/* What the process left is cleaned up behind its back. */
	for (i = 0; i < VB_TIMEOUT_MS / 10; i++) {
		if (vb_list_ids(self->device, NULL, 0) == before &&
		    vb_module_references("vhost_balloon") == self->references)
			break;
		usleep(10000);
	}
	EXPECT_EQ(before, vb_list_ids(self->device, NULL, 0));
	EXPECT_EQ(self->references, vb_module_references("vhost_balloon"));
}

TEST_HARNESS_MAIN
