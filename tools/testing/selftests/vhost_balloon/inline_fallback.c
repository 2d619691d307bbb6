// SPDX-License-Identifier: GPL-2.0
/*
 * What a thread that kicked can't do there and then: it never waits for a lock, never has a page
 * brought in, and never looks for memory anew. So it hands on to the worker, which does; the
 * next kick is served inline again.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "vb_backing.h"
#include "vb_inline.h"
#include "vb_kicker.h"
#include "vb_uffd.h"

#define NOTHING		VHOST_BALLOON_NR_COUNTERS
#define PAGES		64U
#define OTHER_GPA	0x20000000ULL
#define OTHER_SLOT	7

static const char *missing(bool kvm)
{
	const char *why = kvm ? vb_kvm_missing() : NULL;

	return why ?: vb_inline_missing();
}

/* One page goes, in the kick's own time. */
static int inflate_at_once(struct vb_inline *s, unsigned int page)
{
	int ret = vb_inline_post(s, page, 1);

	if (!ret)
		ret = vb_queue_kick(&s->m.inflate);
	return ret ?: vb_inline_take(s);
}

/* Inline, as if nothing had been. */
static void expect_inline_again(struct __test_metadata *_metadata, struct vb_inline *s,
				unsigned int page)
{
	ASSERT_EQ(0, vb_inline_mark(s));
	EXPECT_EQ(0, inflate_at_once(s, page));
	EXPECT_EQ(-1, vb_inline_misplaced(s, NOTHING, 0));
	EXPECT_EQ(1ULL, vb_inline_risen(s, VHOST_BALLOON_C_PASSES_INLINE));
	EXPECT_TRUE(vb_inline_slept(s));
	EXPECT_EQ(1U, vb_memory_zero(&s->ram, page, 1));
}

/* Ring and list lie in a file. Their pages stay in there when they are out of the page table. */
FIXTURE(fault) {
	struct vb_inline s;
	struct vb_memory shared;
};

enum part {
	PART_DESC,
	PART_AVAIL,
	PART_USED,
	PART_LIST,
};

FIXTURE_VARIANT(fault) {
	enum part part;
};

FIXTURE_VARIANT_ADD(fault, desc) { .part = PART_DESC };
FIXTURE_VARIANT_ADD(fault, avail) { .part = PART_AVAIL };
FIXTURE_VARIANT_ADD(fault, used) { .part = PART_USED };
FIXTURE_VARIANT_ADD(fault, list) { .part = PART_LIST };

/* The list comes after the ring. */
#define LIST_GPA	0x30000000ULL

static void *list_page(FIXTURE_DATA(fault) *self)
{
	return self->shared.hva + vb_ring_size(VB_INLINE_NUM);
}

FIXTURE_SETUP(fault)
{
	const char *why = missing(false);
	struct vb_memory list;

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, vb_inline_open(&self->s, false, VB_MEMORY_ANON, PAGES));
	ASSERT_EQ(0, vb_memory_map(&self->shared, VB_MEMORY_MEMFD, 0,
				   vb_ring_size(VB_INLINE_NUM) + VB_PAGE));
	list = (struct vb_memory) { .gpa = LIST_GPA, .len = VB_PAGE, .hva = list_page(self) };
	ASSERT_EQ(0, vb_machine_stop(&self->s.m));
	ASSERT_EQ(0, vb_machine_add(&self->s.m, &list, 0));
	vb_queue_exit(&self->s.m.inflate);
	ASSERT_EQ(0, vb_queue_init(&self->s.m.inflate, self->s.m.backend, VB_INFLATE,
				   VB_INLINE_NUM, self->shared.hva));
	ASSERT_EQ(0, vb_machine_start(&self->s.m));
	ASSERT_EQ(0, vb_inline_mark(&self->s));
}

FIXTURE_TEARDOWN(fault)
{
	vb_inline_close(&self->s);
	vb_memory_unmap(&self->shared);
}

/* Where the part is, and where nothing may be touched until the kick. */
static void *part_page(FIXTURE_DATA(fault) *self, enum part part)
{
	struct vb_ring *ring = &self->s.m.inflate.ring;

	switch (part) {
	case PART_DESC:
		return ring->desc;
	case PART_AVAIL:
		return ring->avail;
	case PART_LIST:
		return list_page(self);
	default:
		return ring->used;
	}
}

TEST_F(fault, in_ring_or_list_is_left_to_the_worker)
{
	const struct vb_sg sg = { .addr = LIST_GPA, .len = sizeof(__le32) };
	struct vb_inline *s = &self->s;

	ASSERT_EQ(0, inflate_at_once(s, 0));
	ASSERT_EQ(-1, vb_inline_misplaced(s, NOTHING, 0));

	vb_write_list(list_page(self), s->ram.gpa + VB_PAGE, 1);
	ASSERT_LE(0, vb_ring_add(&s->m.inflate.ring, &sg, 1));
	vb_ring_publish(&s->m.inflate.ring);
	ASSERT_EQ(0, madvise(part_page(self, variant->part), VB_PAGE, MADV_DONTNEED));
	ASSERT_EQ(0, vb_queue_kick(&s->m.inflate));
	ASSERT_EQ(0, vb_inline_wait(s));
	EXPECT_EQ(-1, vb_inline_misplaced(s, VHOST_BALLOON_C_WORKER_FAULT, 1));
	EXPECT_FALSE(vb_inline_slept(s));
	EXPECT_EQ(2U, vb_memory_zero(&s->ram, 0, 2));
	EXPECT_EQ(PAGES - 2, vb_memory_intact(&s->ram, 2, PAGES - 2, VB_INLINE_SEED));
	expect_inline_again(_metadata, s, 2);
}

/* After a fork() private memory may only be read, until it was copied. */
TEST(write_after_a_fork_is_left_to_the_worker)
{
	const char *why = missing(false);
	struct vb_inline s = { 0 };
	int status;
	pid_t pid;

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, vb_inline_open(&s, false, VB_MEMORY_ANON, PAGES));
	ASSERT_EQ(0, inflate_at_once(&s, 0));
	ASSERT_EQ(-1, vb_inline_misplaced(&s, NOTHING, 0));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		/* It has the same pages as long as it is there. */
		pause();
		_exit(0);
	}
	/* That copies what the driver writes to, and not the used ring. */
	EXPECT_EQ(0, vb_inline_post(&s, 1, 1));
	EXPECT_EQ(0, vb_queue_kick(&s.m.inflate));
	EXPECT_EQ(0, vb_inline_wait(&s));
	EXPECT_EQ(-1, vb_inline_misplaced(&s, VHOST_BALLOON_C_WORKER_FAULT, 1));
	expect_inline_again(_metadata, &s, 2);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	vb_inline_close(&s);
}

FIXTURE(memory) {
	struct vb_inline s;
	struct vb_memory other;
};

FIXTURE_VARIANT(memory) {
	bool kvm;
	unsigned int left;
};

/* Whoever sets a table has the worker look at it there and then. */
FIXTURE_VARIANT_ADD(memory, table) { .left = 0 };
FIXTURE_VARIANT_ADD(memory, memslots) { .kvm = true, .left = 1 };

FIXTURE_SETUP(memory)
{
	const char *why = missing(variant->kvm);

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, vb_inline_open(&self->s, variant->kvm, VB_MEMORY_ANON, PAGES));
	ASSERT_EQ(0, vb_memory_map(&self->other, VB_MEMORY_ANON, OTHER_GPA, PAGES * VB_PAGE));
}

FIXTURE_TEARDOWN(memory)
{
	vb_inline_close(&self->s);
	vb_memory_unmap(&self->other);
}

/* Memory comes, or goes that came. */
static int change_memory(FIXTURE_DATA(memory) *self, bool come)
{
	struct vb_machine *m = &self->s.m;

	if (!m->kvm && come)
		return vb_machine_add(m, &self->other, 0);
	if (!m->kvm) {
		m->nr_slots--;
		return vb_machine_set_memory(m);
	}
	return come ? vb_memory_add_slot(m, OTHER_SLOT, 0, &self->other) :
		      vb_vm_delete_slot(&m->vm, OTHER_SLOT);
}

TEST_F(memory, that_changed_is_looked_up_by_the_worker)
{
	struct vb_inline *s = &self->s;
	unsigned int i;

	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, change_memory(self, i % 2 == 0));
		ASSERT_EQ(0, vb_inline_mark(s));
		ASSERT_EQ(0, vb_inline_post(s, 2 * i, 1));
		ASSERT_EQ(0, vb_queue_kick(&s->m.inflate));
		ASSERT_EQ(0, vb_inline_wait(s));
		EXPECT_EQ(-1, vb_inline_misplaced(s, VHOST_BALLOON_C_WORKER_MEMORY,
						  variant->left));
		EXPECT_EQ(1U, vb_memory_zero(&s->ram, 2 * i, 1));
		expect_inline_again(_metadata, s, 2 * i + 1);
	}
	EXPECT_EQ(PAGES - 20, vb_memory_intact(&s->ram, 20, PAGES - 20, VB_INLINE_SEED));
}

/* A thread that keeps changing how much memory it doesn't care for may be used. */
struct protector {
	void *memory;
	size_t len;
	pthread_t thread;
	atomic_bool stop;
};

static void *protector_run(void *arg)
{
	struct protector *p = arg;

	while (!atomic_load(&p->stop)) {
		mprotect(p->memory, p->len, PROT_READ);
		mprotect(p->memory, p->len, PROT_READ | PROT_WRITE);
	}
	return NULL;
}

FIXTURE(lock) {
	struct vb_inline s;
};

FIXTURE_SETUP(lock)
{
	const char *why = missing(false);

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, vb_inline_open(&self->s, false, VB_MEMORY_ANON, PAGES));
}

FIXTURE_TEARDOWN(lock)
{
	vb_inline_close(&self->s);
}

/* How the address space is locked when the kick comes is up to chance: so many kicks. */
TEST_F_TIMEOUT(lock, of_the_address_space_is_not_waited_for, 120)
{
	struct protector p = { .len = 16384 * VB_PAGE };
	__u64 end = vb_now_ms() + 3 * VB_TIMEOUT_MS;
	struct vb_inline *s = &self->s;
	unsigned int i;

	p.memory = mmap(NULL, p.len, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	ASSERT_NE(MAP_FAILED, p.memory);
	ASSERT_EQ(0, pthread_create(&p.thread, NULL, protector_run, &p));
	for (i = 0; !vb_inline_risen(s, VHOST_BALLOON_C_WORKER_LOCK) && vb_now_ms() < end; i++) {
		vb_memory_fill(&s->ram, i % PAGES, 1, i);
		ASSERT_EQ(0, vb_inline_post(s, i % PAGES, 1));
		ASSERT_EQ(0, vb_queue_kick(&s->m.inflate));
		ASSERT_EQ(0, vb_inline_wait(s));
		ASSERT_EQ(1U, vb_memory_zero(&s->ram, i % PAGES, 1));
	}
	atomic_store(&p.stop, true);
	pthread_join(p.thread, NULL);
	TH_LOG("%u kicks until it was locked", i);
	EXPECT_LT(0ULL, vb_inline_risen(s, VHOST_BALLOON_C_WORKER_LOCK));
	expect_inline_again(_metadata, s, 0);
	munmap(p.memory, p.len);
}

/* A thread that writes to a file, from a page that isn't there: it has the file's lock. */
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

	writer->bytes = pwrite(writer->file, writer->page, VB_PAGE, 8 * VB_PAGE);
	return NULL;
}

FIXTURE(uffd) {
	struct vb_inline s;
	struct vb_backing file;
	struct vb_memory source;
	int uffd;
	struct writer writer;
};

FIXTURE_SETUP(uffd)
{
	const char *why = missing(false);

	if (why)
		SKIP(return, "%s", why);
	self->uffd = vb_uffd_open();
	if (self->uffd < 0)
		SKIP(return, "no userfaultfd: %s", strerror(-self->uffd));
	ASSERT_EQ(0, vb_inline_open(&self->s, false, VB_MEMORY_ANON, PAGES));
	ASSERT_EQ(0, vb_backing_open(&self->file, &vb_backing_memfd, OTHER_GPA));
	ASSERT_EQ(0, vb_memory_map(&self->source, VB_MEMORY_ANON, OTHER_GPA - VB_PAGE, VB_PAGE));
	ASSERT_EQ(0, vb_machine_stop(&self->s.m));
	ASSERT_EQ(0, vb_machine_add(&self->s.m, &self->file.mem, 0));
	ASSERT_EQ(0, vb_machine_add(&self->s.m, &self->source, 0));
	ASSERT_EQ(0, vb_machine_start(&self->s.m));
	ASSERT_EQ(0, vb_inline_mark(&self->s));
	self->writer.file = self->file.fd;
	self->writer.page = self->source.hva;
}

FIXTURE_TEARDOWN(uffd)
{
	/* First the userfaultfd: whoever waits for it goes on. */
	close(self->uffd);
	if (self->writer.started)
		pthread_join(self->writer.thread, NULL);
	vb_inline_close(&self->s);
	vb_backing_close(&self->file);
	vb_memory_unmap(&self->source);
}

/* Posts a list of one page number, whose place in guest memory is given. */
static int post(FIXTURE_DATA(uffd) *self, __u64 list_gpa)
{
	const struct vb_sg list = { .addr = list_gpa, .len = sizeof(__le32) };
	struct vb_ring *ring = &self->s.m.inflate.ring;
	int ret = vb_ring_add(ring, &list, 1);

	if (ret < 0)
		return ret;
	vb_ring_publish(ring);
	return vb_queue_kick(&self->s.m.inflate);
}

/* If the kick waited for the lock, this wouldn't go on: nobody else resolves the fault. */
TEST_F(uffd, lock_of_a_file_is_not_waited_for)
{
	struct vb_inline *s = &self->s;

	ASSERT_EQ(0, vb_uffd_make_missing(self->uffd, self->source.hva));
	ASSERT_EQ(0, pthread_create(&self->writer.thread, NULL, writer_run, &self->writer));
	self->writer.started = true;
	ASSERT_EQ((unsigned long)self->source.hva, vb_uffd_next_fault(self->uffd));

	vb_write_list(s->m.buf.hva, OTHER_GPA, 1);
	ASSERT_EQ(0, post(self, VB_BUF_GPA));
	EXPECT_EQ(-1, vb_inline_misplaced(s, VHOST_BALLOON_C_WORKER_LOCK, 1));
	EXPECT_EQ(0, vb_ring_used_idx(&s->m.inflate.ring));
	EXPECT_EQ(1, vb_backing_resident(&self->file, 0));
	ASSERT_EQ(0, vb_uffd_zero(self->uffd, (unsigned long)self->source.hva));
	EXPECT_EQ(0, vb_inline_wait(s));
	EXPECT_EQ(1ULL, vb_inline_risen(s, VHOST_BALLOON_C_INFLATED));
	EXPECT_EQ(1ULL, vb_inline_risen(s, VHOST_BALLOON_C_DISCARD_SHMEM));
	EXPECT_EQ(0, vb_backing_resident(&self->file, 0));
	expect_inline_again(_metadata, s, 0);
}

/* The worker is in a pass, and waits there for a list. */
TEST_F(uffd, worker_that_serves_the_queue_is_not_waited_for)
{
	struct vb_inline *s = &self->s;
	const __u32 content[VB_PAGE / sizeof(__u32)] = { vb_memory_gfn(&s->ram, 0) };

	ASSERT_EQ(0, vb_uffd_make_missing(self->uffd, self->source.hva));
	ASSERT_EQ(0, post(self, self->source.gpa));
	ASSERT_EQ((unsigned long)self->source.hva, vb_uffd_next_fault(self->uffd));
	EXPECT_EQ(-1, vb_inline_misplaced(s, VHOST_BALLOON_C_WORKER_FAULT, 1));
	ASSERT_EQ(0, vb_get_counters(s->m.backend, &s->before));

	vb_write_list(s->m.buf.hva, s->ram.gpa + VB_PAGE, 1);
	ASSERT_EQ(0, post(self, VB_BUF_GPA));
	EXPECT_EQ(-1, vb_inline_misplaced(s, VHOST_BALLOON_C_WORKER_LOCK, 1));
	EXPECT_EQ(0, vb_ring_used_idx(&s->m.inflate.ring));
	ASSERT_EQ(0, vb_uffd_copy(self->uffd, (unsigned long)self->source.hva, content));
	EXPECT_EQ(0, vb_inline_wait(s));
	EXPECT_EQ(2U, vb_memory_zero(&s->ram, 0, 2));
	expect_inline_again(_metadata, s, 2);
}

TEST_HARNESS_MAIN
