// SPDX-License-Identifier: GPL-2.0
/*
 * What hints are for: a VMM that copies a guest skips what is free. The guest
 * runs meanwhile, and takes a page back that it had hinted at. Its new content has
 * to arrive, and it does if the VMM stops hinting, fetches the bits, takes them off
 * its own bitmap, and only then asks KVM for what was written.
 */
#include <string.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "vb_hint.h"

/* The guest's memory begins at 0. Its code is in a page that is always in use. */
#define RAM_PAGES	128U
#define RAM_LEN		(RAM_PAGES * VB_PAGE)
#define RAM_SEED	13
#define RAM_SLOT	1
#define WORDS		(RAM_PAGES / 64)
#define CODE_GPA	0x1000
#define STACK_TOP	0x1000
#define DONE_PORT	0xf2

/* Pages of the guest's: free from FREE to FREE_END - 1, of which it takes one. */
#define FREE		32U
#define FREE_END	96U
#define TAKEN		40U
#define NEW_CONTENT	0x4242

FIXTURE(migration) {
	struct vb_machine m;
	struct vb_queue *q;
	struct vb_vcpu vcpu;
	struct vb_memory ram;
	/* The guest's memory on the other machine. */
	struct vb_memory target;
	/* What the VMM has still to copy. */
	__u64 to_send[WORDS];
};

static int open_vcpu(FIXTURE_DATA(migration) *self)
{
	int ret = vb_machine_open(&self->m, true, VB_HINT_FEATURES, VB_HINT_NUM);

	self->vcpu.fd = -1;
	/* For its TSS, without which there is no real mode on some processors. */
	if (!ret)
		ret = vb_vm_create_irqchip(&self->m.vm);
	if (!ret)
		ret = vb_vcpu_create(&self->m.vm, &self->vcpu);
	if (!ret)
		ret = vb_machine_add_queue(&self->m, VB_HINT_INDEX, VB_HINT_NUM);
	self->q = vb_machine_queue(&self->m, VB_HINT_INDEX);
	return ret;
}

FIXTURE_SETUP(migration)
{
	const char *missing = vb_kvm_missing();

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, open_vcpu(self));
	ASSERT_EQ(0, vb_memory_map(&self->ram, VB_MEMORY_ANON, 0, RAM_LEN));
	ASSERT_EQ(0, vb_memory_map(&self->target, VB_MEMORY_ANON, 0, RAM_LEN));
	vb_memory_fill(&self->ram, 0, RAM_PAGES, RAM_SEED);
	ASSERT_EQ(0, vb_memory_add_slot(&self->m, RAM_SLOT, KVM_MEM_LOG_DIRTY_PAGES, &self->ram));
	ASSERT_EQ(0, vb_machine_start(&self->m));
}

FIXTURE_TEARDOWN(migration)
{
	vb_vcpu_destroy(&self->vcpu);
	vb_machine_close(&self->m);
	vb_memory_unmap(&self->ram);
	vb_memory_unmap(&self->target);
}

/* The guest fills a page of its memory with a value. */
static int guest_fills(FIXTURE_DATA(migration) *self, unsigned int page, __u16 value)
{
	const __u16 segment = page * VB_PAGE / 16;
	const __u8 code[] = {
		0xb8, segment & 0xff, segment >> 8,	/* mov $segment, %ax */
		0x8e, 0xc0,				/* mov %ax, %es */
		0xb8, value & 0xff, value >> 8,		/* mov $value, %ax */
		0x31, 0xff,				/* xor %di, %di */
		0xb9, 0x00, 0x08,			/* mov $2048, %cx */
		0xfc,					/* cld */
		0xf3, 0xab,				/* rep stosw */
		0xe7, DONE_PORT,			/* out %ax, $DONE_PORT */
	};
	int ret;

	memcpy(self->ram.hva + CODE_GPA, code, sizeof(code));
	ret = vb_vcpu_real_mode(&self->vcpu, CODE_GPA, STACK_TOP);
	if (!ret)
		ret = vb_vcpu_run(&self->vcpu);
	if (ret < 0)
		return ret;
	return ret == KVM_EXIT_IO && self->vcpu.run->io.port == DONE_PORT ? 0 : -EPROTO;
}

/* What the guest has written to since the last time goes into the bitmap. */
static int sync_dirty_log(FIXTURE_DATA(migration) *self, __u64 *bitmap)
{
	__u64 log_bits[WORDS] = { 0 };
	struct kvm_dirty_log log = { .slot = RAM_SLOT, .dirty_bitmap = log_bits };
	unsigned int i;
	int ret = vb_ioctl(self->m.vm.fd, KVM_GET_DIRTY_LOG, &log);

	for (i = 0; i < WORDS; i++)
		bitmap[i] |= log_bits[i];
	return ret;
}

static void take_off(__u64 *bitmap, const __u64 *bits)
{
	unsigned int i;

	for (i = 0; i < WORDS; i++)
		bitmap[i] &= ~bits[i];
}

static void send_pages(FIXTURE_DATA(migration) *self)
{
	unsigned int page;

	for (page = 0; page < RAM_PAGES; page++)
		if (vb_bit(self->to_send, page))
			memcpy(self->target.hva + page * VB_PAGE,
			       self->ram.hva + page * VB_PAGE, VB_PAGE);
	memset(self->to_send, 0, sizeof(self->to_send));
}

static int guest_hints(FIXTURE_DATA(migration) *self, __u32 cmd_id)
{
	int ret = vb_send_command(self->q, &self->m.buf, cmd_id);

	if (!ret)
		ret = vb_send_piece(self->q, FREE * VB_PAGE, (FREE_END - FREE) * VB_PAGE);
	return ret;
}

TEST_F(migration, page_that_was_hinted_and_rewritten_arrives_with_its_new_content)
{
	__u64 free[WORDS], wrong[WORDS];
	__u32 id;

	/* All has to be sent, and what is written from now on. */
	ASSERT_EQ(0, sync_dirty_log(self, self->to_send));
	memset(self->to_send, 0xff, sizeof(self->to_send));
	ASSERT_EQ(0, vb_hint_start(self->m.backend, &id));
	ASSERT_EQ(0, guest_hints(self, id));
	/* The guest needs one of them after all. */
	ASSERT_EQ(0, guest_fills(self, TAKEN, NEW_CONTENT));

	ASSERT_EQ(0, vb_hint_stop(self->m.backend, VHOST_BALLOON_HINT_STOP_STOP));
	ASSERT_EQ((int)(FREE_END - FREE), vb_hint_fetch(self->m.backend, 0, RAM_PAGES, free));
	ASSERT_TRUE(vb_bit(free, TAKEN));
	memcpy(wrong, self->to_send, sizeof(wrong));
	take_off(self->to_send, free);
	ASSERT_EQ(0, sync_dirty_log(self, self->to_send));
	EXPECT_TRUE(vb_bit(self->to_send, TAKEN));
	send_pages(self);

	EXPECT_EQ(0, memcmp(self->ram.hva + TAKEN * VB_PAGE, self->target.hva + TAKEN * VB_PAGE,
			    VB_PAGE));
	EXPECT_EQ(NEW_CONTENT, *(__u16 *)(self->target.hva + TAKEN * VB_PAGE));
	/* What is in use has arrived, and what is free was spared. */
	EXPECT_EQ(0, memcmp(self->ram.hva, self->target.hva, FREE * VB_PAGE));
	EXPECT_EQ(TAKEN - FREE, vb_memory_zero(&self->target, FREE, TAKEN - FREE));
	EXPECT_EQ(FREE_END - TAKEN - 1,
		  vb_memory_zero(&self->target, TAKEN + 1, FREE_END - TAKEN - 1));
	EXPECT_EQ(RAM_PAGES - FREE_END,
		  vb_memory_intact(&self->target, FREE_END, RAM_PAGES - FREE_END, RAM_SEED));

	/*
	 * The other way round the bits would have come last: they take off what the dirty log
	 * had just added, and the page is lost.
	 */
	wrong[TAKEN / 64] |= 1ULL << TAKEN % 64;
	take_off(wrong, free);
	EXPECT_FALSE(vb_bit(wrong, TAKEN));
}

TEST_F(migration, page_that_is_written_after_the_bits_were_fetched_is_sent)
{
	__u64 free[WORDS];
	__u32 id;

	ASSERT_EQ(0, sync_dirty_log(self, self->to_send));
	memset(self->to_send, 0xff, sizeof(self->to_send));
	ASSERT_EQ(0, vb_hint_start(self->m.backend, &id));
	ASSERT_EQ(0, guest_hints(self, id));
	ASSERT_EQ(0, vb_hint_stop(self->m.backend, VHOST_BALLOON_HINT_STOP_STOP));
	ASSERT_EQ((int)(FREE_END - FREE), vb_hint_fetch(self->m.backend, 0, RAM_PAGES, free));
	take_off(self->to_send, free);
	ASSERT_EQ(0, sync_dirty_log(self, self->to_send));
	ASSERT_FALSE(vb_bit(self->to_send, TAKEN));
	send_pages(self);
	ASSERT_EQ(1U, vb_memory_zero(&self->target, TAKEN, 1));

	/* A round later. What it hints at now is nobody's. */
	ASSERT_EQ(0, guest_fills(self, TAKEN, NEW_CONTENT));
	ASSERT_EQ(0, guest_hints(self, id));
	EXPECT_EQ(0, vb_hint_fetch(self->m.backend, 0, RAM_PAGES, free));
	ASSERT_EQ(0, sync_dirty_log(self, self->to_send));
	EXPECT_TRUE(vb_bit(self->to_send, TAKEN));
	send_pages(self);
	EXPECT_EQ(0, memcmp(self->ram.hva + TAKEN * VB_PAGE, self->target.hva + TAKEN * VB_PAGE,
			    VB_PAGE));
}

TEST_HARNESS_MAIN
