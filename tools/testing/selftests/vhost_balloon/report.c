// SPDX-License-Identifier: GPL-2.0
/*
 * Free pages that the guest reports, out of every kind of memory, known in both
 * ways: every piece of a chain goes before the chain is used, and no page besides. See
 * report_pieces.c for pieces that aren't whole pages of the guest's.
 */
#include <endian.h>
#include <string.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>

#include "kselftest_harness.h"
#include "vb_backing.h"
#include "vb_driver.h"
#include "vb_worker.h"

/* See report_worker.c. */
#ifndef SERVED_BY_WORKER
#define SERVED_BY_WORKER 0
#endif

#define FEATURES	(VB_FEATURE(VIRTIO_F_VERSION_1) | \
			 VB_FEATURE(VIRTIO_RING_F_INDIRECT_DESC) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_MUST_TELL_HOST) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_REPORTING))
#define REPORT_INDEX	2
#define RING_NUM	64
#define RAM_GPA		0x10000000ULL
#define MAX_PAGES	(3 * VB_HUGE_PAGES)
#define MAX_PIECES	64
#define ROUNDS		100

/* Where indirect tables lie in the memory for buffers. */
#define TABLE_OFFSET	(VB_BUF_LEN / 2)

FIXTURE(report) {
	struct vb_machine m;
	struct vb_queue *q;
	struct vb_backing b;
	struct vhost_balloon_counters before;
	long file_pages;
	/* The pieces, and their pages by their place in the memory. */
	struct vb_sg pieces[MAX_PIECES];
	unsigned int nr;
	bool given[MAX_PAGES];
	unsigned int nr_pages;
};

FIXTURE_VARIANT(report) {
	const struct vb_backing_type *type;
	bool kvm;
};

FIXTURE_VARIANT_ADD(report, anon_table) { .type = &vb_backing_anon };
FIXTURE_VARIANT_ADD(report, anon_memslots) { .type = &vb_backing_anon, .kvm = true };
FIXTURE_VARIANT_ADD(report, thp_table) { .type = &vb_backing_thp };
FIXTURE_VARIANT_ADD(report, thp_memslots) { .type = &vb_backing_thp, .kvm = true };
FIXTURE_VARIANT_ADD(report, memfd_table) { .type = &vb_backing_memfd };
FIXTURE_VARIANT_ADD(report, memfd_memslots) { .type = &vb_backing_memfd, .kvm = true };
FIXTURE_VARIANT_ADD(report, memfd_offset_table) { .type = &vb_backing_memfd_offset };
FIXTURE_VARIANT_ADD(report, memfd_offset_memslots) {
	.type = &vb_backing_memfd_offset, .kvm = true,
};

FIXTURE_VARIANT_ADD(report, tmpfs_memslots) { .type = &vb_backing_tmpfs, .kvm = true };
FIXTURE_VARIANT_ADD(report, shared_anon_memslots) { .type = &vb_backing_shared_anon, .kvm = true };
FIXTURE_VARIANT_ADD(report, zero_private_memslots) {
	.type = &vb_backing_zero_private, .kvm = true,
};

FIXTURE_VARIANT_ADD(report, zero_shared_memslots) { .type = &vb_backing_zero_shared, .kvm = true };
FIXTURE_VARIANT_ADD(report, private_file_table) { .type = &vb_backing_private_file };
FIXTURE_VARIANT_ADD(report, private_file_memslots) {
	.type = &vb_backing_private_file, .kvm = true,
};

FIXTURE_VARIANT_ADD(report, private_write_sealed_memslots) {
	.type = &vb_backing_private_write_sealed, .kvm = true,
};

FIXTURE_VARIANT_ADD(report, hugetlb_shared_table) { .type = &vb_backing_hugetlb_shared };
FIXTURE_VARIANT_ADD(report, hugetlb_shared_memslots) {
	.type = &vb_backing_hugetlb_shared, .kvm = true,
};

FIXTURE_VARIANT_ADD(report, hugetlb_private_table) { .type = &vb_backing_hugetlb_private };
FIXTURE_VARIANT_ADD(report, hugetlb_private_memslots) {
	.type = &vb_backing_hugetlb_private, .kvm = true,
};

FIXTURE_VARIANT_ADD(report, hugetlb_shared_off_memslots) {
	.type = &vb_backing_hugetlb_shared_off, .kvm = true,
};

FIXTURE_VARIANT_ADD(report, locked_memslots) { .type = &vb_backing_locked, .kvm = true };
FIXTURE_VARIANT_ADD(report, prot_read_anon_table) { .type = &vb_backing_prot_read_anon };
FIXTURE_VARIANT_ADD(report, prot_read_memfd_memslots) {
	.type = &vb_backing_prot_read_memfd, .kvm = true,
};

FIXTURE_VARIANT_ADD(report, future_write_sealed_memslots) {
	.type = &vb_backing_future_write_sealed, .kvm = true,
};

FIXTURE_VARIANT_ADD(report, uffd_missing_table) { .type = &vb_backing_uffd_missing };
FIXTURE_VARIANT_ADD(report, uffd_memfd_memslots) { .type = &vb_backing_uffd_memfd, .kvm = true };
FIXTURE_VARIANT_ADD(report, mseal_memslots) { .type = &vb_backing_mseal, .kvm = true };
FIXTURE_VARIANT_ADD(report, secretmem_table) { .type = &vb_backing_secretmem };
FIXTURE_VARIANT_ADD(report, other_fs_memslots) { .type = &vb_backing_other_fs, .kvm = true };
FIXTURE_VARIANT_ADD(report, read_only_slot) { .type = &vb_backing_read_only_slot, .kvm = true };
FIXTURE_VARIANT_ADD(report, no_slot_table) { .type = &vb_backing_no_slot };
FIXTURE_VARIANT_ADD(report, no_slot_memslots) { .type = &vb_backing_no_slot, .kvm = true };

FIXTURE_SETUP(report)
{
	const struct vb_backing_type *type = variant->type;
	const char *missing = variant->kvm ? vb_kvm_missing() : NULL;
	int ret;

	if (missing)
		SKIP(return, "%s", missing);
	ret = vb_backing_open(&self->b, type, RAM_GPA);
	if (self->b.why)
		SKIP(return, "%s: %s", self->b.why, strerror(-ret));
	ASSERT_EQ(0, ret);
	ret = vb_machine_open(&self->m, variant->kvm, FEATURES, RING_NUM);
	ASSERT_EQ(0, ret) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-ret));
	}
	ASSERT_EQ(0, vb_machine_add_queue(&self->m, REPORT_INDEX, RING_NUM));
	self->q = vb_machine_queue(&self->m, REPORT_INDEX);
	if (!type->no_slot)
		ASSERT_EQ(0, vb_machine_add(&self->m, &self->b.mem, type->slot_flags));
	ASSERT_EQ(0, vb_set_tunables(self->m.backend, type->tunables, type->tunables));
	ASSERT_EQ(0, vb_set_tunables(self->m.backend, VHOST_BALLOON_TUNE_INLINE,
				     SERVED_BY_WORKER ? 0 : VHOST_BALLOON_TUNE_INLINE));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	ASSERT_EQ(0, vb_settle(self->m.backend));
	ASSERT_EQ(0, vb_get_counters(self->m.backend, &self->before));
	self->file_pages = vb_backing_file_pages(&self->b);
}

FIXTURE_TEARDOWN(report)
{
	vb_machine_close(&self->m);
	vb_backing_close(&self->b);
}

/* Every other page of the memory is a piece, as long as there are pages; the last comes first. */
static void choose(FIXTURE_DATA(report) *self, const struct vb_backing_type *type,
		   unsigned int max)
{
	unsigned int units = type->pages / type->unit, page, i;

	self->nr = max < (units + 1) / 2 ? max : (units + 1) / 2;
	self->nr_pages = self->nr * type->unit;
	for (i = 0; i < self->nr; i++) {
		unsigned int first = 2 * (self->nr - 1 - i) * type->unit;

		self->pieces[i] = (struct vb_sg)VB_PIECE(RAM_GPA + first * VB_PAGE,
							 type->unit * VB_PAGE);
		for (page = first; page < first + type->unit; page++)
			self->given[page] = true;
	}
}

static void expect_reported(struct __test_metadata *_metadata, FIXTURE_DATA(report) *self,
			    const struct vb_backing_type *type)
{
	const __u64 *before = self->before.value;
	int fd = self->m.backend;

	EXPECT_EQ(before[VHOST_BALLOON_C_REPORTED] + self->nr_pages,
		  vb_counter(fd, VHOST_BALLOON_C_REPORTED));
	EXPECT_EQ(0ULL, vb_counter(fd, VHOST_BALLOON_C_INFLATED));
	EXPECT_EQ(0ULL, vb_counter(fd, VHOST_BALLOON_C_DUPLICATE));
	EXPECT_EQ(0ULL, vb_counter(fd, VHOST_BALLOON_C_MALFORMED));
	EXPECT_EQ(-1, vb_miscounted(fd, &self->before, type->counter, self->nr_pages));
	if (type->gone && self->file_pages >= 0)
		self->file_pages -= self->nr_pages;
	EXPECT_EQ(self->file_pages, vb_backing_file_pages(&self->b));
	EXPECT_EQ(0U, vb_backing_wrong(&self->b, self->given));
}

/* A report of little memory, made when all was quiet, has no reason to be handed on. */
static void expect_served(struct __test_metadata *_metadata, FIXTURE_DATA(report) *self,
			  const struct vb_backing_type *type)
{
	bool by_worker = SERVED_BY_WORKER || vb_inline_missing();
	int fd = self->m.backend;

	EXPECT_EQ(by_worker, vb_counter(fd, VHOST_BALLOON_C_PASSES_INLINE) ==
			     self->before.value[VHOST_BALLOON_C_PASSES_INLINE]);
	if (!by_worker && type->unit == 1)
		EXPECT_EQ(-1, vb_misplaced(fd, &self->before, VHOST_BALLOON_NR_COUNTERS, 0));
}

static void report_chain(struct __test_metadata *_metadata, FIXTURE_DATA(report) *self,
			 const struct vb_backing_type *type, unsigned int max)
{
	choose(self, type, max);
	ASSERT_EQ(0, vb_queue_send(self->q, self->pieces, self->nr));
	expect_served(_metadata, self, type);
	expect_reported(_metadata, self, type);
}

TEST_F(report, of_1_piece)
{
	report_chain(_metadata, self, variant->type, 1);
}

TEST_F(report, of_32_pieces)
{
	report_chain(_metadata, self, variant->type, 32);
}

TEST_F(report, of_64_pieces)
{
	report_chain(_metadata, self, variant->type, 64);
}

TEST_F(report, of_64_pieces_in_an_indirect_table)
{
	choose(self, variant->type, 64);
	ASSERT_EQ(0, vb_queue_send_indirect(self->q, self->m.buf.hva + TABLE_OFFSET,
					    VB_BUF_GPA + TABLE_OFFSET, self->pieces, self->nr));
	expect_reported(_metadata, self, variant->type);
}

TEST_F(report, of_the_same_pages_again_is_fine)
{
	unsigned int i;

	choose(self, variant->type, 32);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, vb_queue_send(self->q, self->pieces, self->nr));
	EXPECT_EQ(3ULL * self->nr_pages, vb_counter(self->m.backend, VHOST_BALLOON_C_REPORTED));
	EXPECT_EQ(-1, vb_miscounted(self->m.backend, &self->before, variant->type->counter,
				    3ULL * self->nr_pages));
	EXPECT_EQ(0U, vb_backing_wrong(&self->b, self->given));
}

TEST_F(report, chains_may_wait_together)
{
	unsigned int i;
	__u32 id, len;

	choose(self, variant->type, 32);
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	for (i = 0; i < self->nr; i++)
		ASSERT_LE(0, vb_ring_add(&self->q->ring, &self->pieces[i], 1));
	vb_ring_publish(&self->q->ring);
	ASSERT_EQ(0, vb_machine_start(&self->m));
	ASSERT_EQ(0, vb_queue_wait_used(self->q, self->nr));
	for (i = 0; i < self->nr; i++) {
		ASSERT_EQ(1, vb_ring_get_used(&self->q->ring, &id, &len));
		EXPECT_EQ(i, id);
		EXPECT_EQ(0U, len);
	}
	expect_reported(_metadata, self, variant->type);
}

TEST_F_TIMEOUT(report, page_is_gone_before_its_chain_is_used, 120)
{
	unsigned int unit = variant->type->unit, round;
	__u64 *word = self->b.mem.hva + unit * VB_PAGE;
	struct vb_watch w;

	if (!variant->type->gone)
		SKIP(return, "this memory stays");
	for (round = 0; round < ROUNDS / (unit > 1 ? 10 : 1); round++) {
		*word = 0x1234;
		ASSERT_EQ(0, vb_watch_begin(&w, self->q, word));
		ASSERT_EQ(0, vb_send_piece(self->q, RAM_GPA + unit * VB_PAGE, unit * VB_PAGE));
		ASSERT_EQ(0, vb_watch_end(&w));
		ASSERT_NE(0x1234ULL, w.seen);
	}
}

/* What the guest fills its free pages with, and what comes of that. */
FIXTURE(poison) {
	struct vb_machine m;
	struct vb_queue *q;
	struct vb_backing b;
	struct vhost_balloon_counters before;
	bool given[MAX_PAGES];
};

FIXTURE_VARIANT(poison) {
	const struct vb_backing_type *type;
	__u32 value;
	bool not_negotiated;
	enum vhost_balloon_counter counter;
};

FIXTURE_VARIANT_ADD(poison, zero_anon) {
	.type = &vb_backing_anon, .counter = VHOST_BALLOON_C_DISCARD_ANON,
};

FIXTURE_VARIANT_ADD(poison, zero_memfd) {
	.type = &vb_backing_memfd, .counter = VHOST_BALLOON_C_DISCARD_SHMEM,
};

/* What comes back is what the file says. */
FIXTURE_VARIANT_ADD(poison, zero_private_file) {
	.type = &vb_backing_private_file, .counter = VHOST_BALLOON_C_SKIP_POISON,
};

FIXTURE_VARIANT_ADD(poison, some_anon) {
	.type = &vb_backing_anon, .value = 0xaaaaaaaa, .counter = VHOST_BALLOON_C_SKIP_POISON,
};

FIXTURE_VARIANT_ADD(poison, some_memfd) {
	.type = &vb_backing_memfd, .value = 1, .counter = VHOST_BALLOON_C_SKIP_POISON,
};

FIXTURE_VARIANT_ADD(poison, some_private_file) {
	.type = &vb_backing_private_file, .value = 0xaa000000,
	.counter = VHOST_BALLOON_C_SKIP_POISON,
};

/* Without the feature it means nothing. */
FIXTURE_VARIANT_ADD(poison, no_feature_anon) {
	.type = &vb_backing_anon, .value = 0xaaaaaaaa, .not_negotiated = true,
	.counter = VHOST_BALLOON_C_DISCARD_ANON,
};

FIXTURE_VARIANT_ADD(poison, no_feature_private_file) {
	.type = &vb_backing_private_file, .value = 0xaaaaaaaa, .not_negotiated = true,
	.counter = VHOST_BALLOON_C_DISCARD_FILE,
};

FIXTURE_SETUP(poison)
{
	__u64 poison = variant->not_negotiated ? 0 : VB_FEATURE(VIRTIO_BALLOON_F_PAGE_POISON);
	const __le32 value = htole32(variant->value);
	int ret;

	ret = vb_backing_open(&self->b, variant->type, RAM_GPA);
	if (self->b.why)
		SKIP(return, "%s: %s", self->b.why, strerror(-ret));
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, vb_machine_open(&self->m, false, FEATURES | poison, RING_NUM));
	ASSERT_EQ(0, vb_machine_add_queue(&self->m, REPORT_INDEX, RING_NUM));
	self->q = vb_machine_queue(&self->m, REPORT_INDEX);
	ASSERT_EQ(0, vb_machine_add(&self->m, &self->b.mem, 0));
	ASSERT_EQ(0, vb_set_config(self->m.backend,
				   offsetof(struct virtio_balloon_config, poison_val), &value,
				   sizeof(value)));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	ASSERT_EQ(0, vb_get_counters(self->m.backend, &self->before));
}

FIXTURE_TEARDOWN(poison)
{
	vb_machine_close(&self->m);
	vb_backing_close(&self->b);
}

TEST_F(poison, decides_whether_reported_pages_go)
{
	unsigned int page;

	for (page = 3; page < 8; page++)
		self->given[page] = variant->counter != VHOST_BALLOON_C_SKIP_POISON;
	ASSERT_EQ(0, vb_send_piece(self->q, RAM_GPA + 3 * VB_PAGE, 5 * VB_PAGE));
	EXPECT_EQ(5ULL, vb_counter(self->m.backend, VHOST_BALLOON_C_REPORTED));
	EXPECT_EQ(-1, vb_miscounted(self->m.backend, &self->before, variant->counter, 5));
	EXPECT_EQ(0U, vb_backing_wrong(&self->b, self->given));
}

/* The guest fills them itself when it takes them back. Only a file's content would be wrong. */
TEST_F(poison, value_does_not_matter_to_inflated_pages)
{
	bool stays = variant->type->is_file && !variant->not_negotiated;
	__u32 gfn = RAM_GPA / VB_PAGE + 3;

	self->given[3] = !stays;
	ASSERT_EQ(0, vb_machine_inflate(&self->m, &gfn, 1));
	EXPECT_EQ(-1, vb_miscounted(self->m.backend, &self->before,
				    stays ? VHOST_BALLOON_C_SKIP_POISON : variant->type->counter,
				    1));
	EXPECT_EQ(0U, vb_backing_wrong(&self->b, self->given));
}

TEST_HARNESS_MAIN
