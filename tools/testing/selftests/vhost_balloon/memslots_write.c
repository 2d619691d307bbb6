// SPDX-License-Identifier: GPL-2.0
/*
 * A VMM that writes to the file that its guest's memory is a mapping of. The write holds the
 * lock of the file's inode while it waits for a page of what is to be written, and to punch a
 * hole takes the same lock. So the balloon waits, and a slot ioctl must not wait for that.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "vb_backing.h"
#include "vb_kicker.h"
#include "vb_memory.h"
#include "vb_uffd.h"

#define MIB		(1UL << 20)
#define FILE_GPA	MIB
#define FILE_SLOT	3
#define OTHER_GPA	(32 * MIB)
#define OTHER_SLOT	5
#define FEATURES	VB_FEATURE(VIRTIO_F_VERSION_1)
#define RING_NUM	16

/* Pages of the file: the one that is given away, and the one that is written. */
#define GIVEN		0U
#define WRITTEN		8U

/* A thread that writes to the file, from a page that isn't there. */
struct writer {
	int file;
	void *page;
	pthread_t thread;
	bool started;
	ssize_t bytes;
};

static void *writer_run(void *arg)
{
	struct writer *writer = arg;

	writer->bytes = pwrite(writer->file, writer->page, VB_PAGE, WRITTEN * VB_PAGE);
	return NULL;
}

/* A thread that deletes a slot: what a thread of its own can be seen to hang in. */
struct deleter {
	struct vb_vm *vm;
	__u32 slot;
	pthread_t thread;
	bool started;
	atomic_bool done;
	int ret;
};

static void *deleter_run(void *arg)
{
	struct deleter *deleter = arg;

	deleter->ret = vb_vm_delete_slot(deleter->vm, deleter->slot);
	atomic_store(&deleter->done, true);
	return NULL;
}

static bool deleter_returns(struct deleter *deleter)
{
	__u64 end = vb_now_ms() + VB_TIMEOUT_MS;

	while (!atomic_load(&deleter->done) && vb_now_ms() < end)
		usleep(1000);
	return atomic_load(&deleter->done);
}

FIXTURE(write) {
	struct vb_machine m;
	struct vb_backing file;
	struct vb_memory other;
	struct vb_memory source;
	int uffd;
	struct writer writer;
	struct deleter deleter;
};

FIXTURE_VARIANT(write) {
	__u32 slot;
	enum vhost_balloon_counter counter;
};

FIXTURE_VARIANT_ADD(write, other_slot) {
	.slot = OTHER_SLOT,
	.counter = VHOST_BALLOON_C_DISCARD_SHMEM,
};

/* Then there is nothing left to be given away, once the balloon gets to it. */
FIXTURE_VARIANT_ADD(write, slot_of_the_file) {
	.slot = FILE_SLOT,
	.counter = VHOST_BALLOON_C_SKIP_NO_SLOT,
};

FIXTURE_SETUP(write)
{
	const char *missing = vb_kvm_missing();

	if (missing)
		SKIP(return, "%s", missing);
	self->uffd = vb_uffd_open();
	if (self->uffd < 0)
		SKIP(return, "no userfaultfd: %s", strerror(-self->uffd));
	ASSERT_EQ(0, vb_machine_open(&self->m, true, FEATURES, RING_NUM));
	ASSERT_EQ(0, vb_backing_open(&self->file, &vb_backing_memfd, FILE_GPA));
	ASSERT_EQ(0, vb_memory_map(&self->other, VB_MEMORY_ANON, OTHER_GPA, VB_PAGE));
	ASSERT_EQ(0, vb_memory_map(&self->source, VB_MEMORY_ANON, 0, VB_PAGE));
	ASSERT_EQ(0, vb_memory_add_slot(&self->m, FILE_SLOT, 0, &self->file.mem));
	ASSERT_EQ(0, vb_memory_add_slot(&self->m, OTHER_SLOT, 0, &self->other));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	self->writer.file = self->file.fd;
	self->writer.page = self->source.hva;
	self->deleter.vm = &self->m.vm;
	self->deleter.slot = variant->slot;
}

FIXTURE_TEARDOWN(write)
{
	/* First the userfaultfd: whoever waits for it goes on. */
	close(self->uffd);
	if (self->writer.started)
		pthread_join(self->writer.thread, NULL);
	if (self->deleter.started)
		pthread_join(self->deleter.thread, NULL);
	vb_machine_close(&self->m);
	vb_backing_close(&self->file);
	vb_memory_unmap(&self->other);
	vb_memory_unmap(&self->source);
}

/* Has the write under way, and in it the page waited for. */
static int start_writer(FIXTURE_DATA(write) *self)
{
	int ret = vb_uffd_make_missing(self->uffd, self->source.hva);

	if (!ret)
		ret = -pthread_create(&self->writer.thread, NULL, writer_run, &self->writer);
	if (ret)
		return ret;
	self->writer.started = true;
	if (vb_uffd_next_fault(self->uffd) != (unsigned long)self->source.hva)
		return -ETIMEDOUT;
	return 0;
}

/* Gives the page away, and waits until the balloon has got as far as it gets. */
static int start_inflating(FIXTURE_DATA(write) *self)
{
	const struct vb_sg list = { .addr = VB_BUF_GPA, .len = sizeof(__le32) };
	struct vb_queue *q = &self->m.inflate;
	int ret;

	vb_write_list(self->m.buf.hva, FILE_GPA + GIVEN * VB_PAGE, 1);
	ret = vb_ring_add(&q->ring, &list, 1);
	if (ret >= 0)
		ret = vb_queue_notify(q);
	if (!ret)
		ret = vb_wait_counter(self->m.backend, VHOST_BALLOON_C_INFLATED, 1);
	/* From there to the lock it is a few steps more; without them the test is only easier. */
	usleep(300000);
	return ret;
}

static int start_deleter(FIXTURE_DATA(write) *self)
{
	int ret = pthread_create(&self->deleter.thread, NULL, deleter_run, &self->deleter);

	self->deleter.started = !ret;
	return -ret;
}

/* Pages that aren't as they have to be in the end, the one given away and the written one aside. */
static unsigned int count_wrong(const struct vb_backing *file)
{
	unsigned int page, wrong = 0;

	for (page = 0; page < file->type->pages; page++)
		if (page != GIVEN && page != WRITTEN)
			wrong += !vb_backing_intact(file, page);
	return wrong;
}

TEST_F_TIMEOUT(write, that_waits_for_a_page_does_not_hold_up_a_slot_ioctl, 120)
{
	bool gone = variant->counter == VHOST_BALLOON_C_DISCARD_SHMEM;
	struct vhost_balloon_counters before;

	ASSERT_EQ(0, vb_get_counters(self->m.backend, &before));
	ASSERT_EQ(0, start_writer(self));
	ASSERT_EQ(0, start_inflating(self));
	ASSERT_EQ(0, start_deleter(self));
	EXPECT_TRUE(deleter_returns(&self->deleter));
	/* The lock is held all the while, or else this says nothing. */
	EXPECT_EQ(0, vb_ring_used_idx(&self->m.inflate.ring));
	EXPECT_EQ(1, vb_backing_resident(&self->file, GIVEN));

	ASSERT_EQ(0, vb_uffd_zero(self->uffd, (unsigned long)self->source.hva));
	ASSERT_EQ(0, vb_queue_wait_used(&self->m.inflate, 1));
	pthread_join(self->writer.thread, NULL);
	self->writer.started = false;
	EXPECT_EQ((ssize_t)VB_PAGE, self->writer.bytes);
	EXPECT_TRUE(deleter_returns(&self->deleter));
	EXPECT_EQ(0, self->deleter.ret);

	EXPECT_EQ(-1, vb_miscounted(self->m.backend, &before, variant->counter, 1));
	EXPECT_EQ(!gone, vb_backing_resident(&self->file, GIVEN));
	EXPECT_EQ(!gone, vb_backing_intact(&self->file, GIVEN));
	EXPECT_EQ(gone, vb_backing_fresh(&self->file, GIVEN));
	EXPECT_TRUE(vb_backing_fresh(&self->file, WRITTEN));
	EXPECT_EQ(0, count_wrong(&self->file));
}

TEST_HARNESS_MAIN
