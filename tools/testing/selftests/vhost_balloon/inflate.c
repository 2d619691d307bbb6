// SPDX-License-Identifier: GPL-2.0
/*
 * Pages given away, out of every kind of memory, known in both ways: exactly
 * the pages asked for go where they can go; where they can't, everything is left as
 * it is, and counted under its own reason.
 */
#include <errno.h>
#include <string.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>

#include "kselftest_harness.h"
#include "vb_backing.h"
#include "vb_driver.h"
#include "vb_worker.h"

/* See inflate_worker.c. */
#ifndef SERVED_BY_WORKER
#define SERVED_BY_WORKER 0
#endif

#define FEATURES	(VB_FEATURE(VIRTIO_F_VERSION_1) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_MUST_TELL_HOST))
#define RING_NUM	16
#define RAM_GPA		0x10000000ULL
#define MAX_PAGES	(3 * VB_HUGE_PAGES)
#define ROUNDS		100

FIXTURE(inflate) {
	struct vb_machine m;
	struct vb_backing b;
	struct vhost_balloon_counters before;
	/* The pages to be given away, by their place in the memory. */
	bool wanted[MAX_PAGES];
	__u32 gfns[MAX_PAGES];
	unsigned int nr;
};

FIXTURE_VARIANT(inflate) {
	const struct vb_backing_type *type;
	bool kvm;
};

FIXTURE_VARIANT_ADD(inflate, anon_table) { .type = &vb_backing_anon };
FIXTURE_VARIANT_ADD(inflate, anon_memslots) { .type = &vb_backing_anon, .kvm = true };
FIXTURE_VARIANT_ADD(inflate, thp_table) { .type = &vb_backing_thp };
FIXTURE_VARIANT_ADD(inflate, thp_memslots) { .type = &vb_backing_thp, .kvm = true };
FIXTURE_VARIANT_ADD(inflate, zero_private_table) { .type = &vb_backing_zero_private };
FIXTURE_VARIANT_ADD(inflate, zero_private_memslots) {
	.type = &vb_backing_zero_private, .kvm = true,
};

FIXTURE_VARIANT_ADD(inflate, memfd_table) { .type = &vb_backing_memfd };
FIXTURE_VARIANT_ADD(inflate, memfd_memslots) { .type = &vb_backing_memfd, .kvm = true };
FIXTURE_VARIANT_ADD(inflate, memfd_offset_table) { .type = &vb_backing_memfd_offset };
FIXTURE_VARIANT_ADD(inflate, memfd_offset_memslots) {
	.type = &vb_backing_memfd_offset, .kvm = true,
};

FIXTURE_VARIANT_ADD(inflate, memfd_size_sealed_table) { .type = &vb_backing_memfd_size_sealed };
FIXTURE_VARIANT_ADD(inflate, memfd_size_sealed_memslots) {
	.type = &vb_backing_memfd_size_sealed, .kvm = true,
};

FIXTURE_VARIANT_ADD(inflate, tmpfs_table) { .type = &vb_backing_tmpfs };
FIXTURE_VARIANT_ADD(inflate, tmpfs_memslots) { .type = &vb_backing_tmpfs, .kvm = true };
FIXTURE_VARIANT_ADD(inflate, shared_anon_table) { .type = &vb_backing_shared_anon };
FIXTURE_VARIANT_ADD(inflate, shared_anon_memslots) { .type = &vb_backing_shared_anon, .kvm = true };
FIXTURE_VARIANT_ADD(inflate, zero_shared_table) { .type = &vb_backing_zero_shared };
FIXTURE_VARIANT_ADD(inflate, zero_shared_memslots) { .type = &vb_backing_zero_shared, .kvm = true };
FIXTURE_VARIANT_ADD(inflate, private_file_table) { .type = &vb_backing_private_file };
FIXTURE_VARIANT_ADD(inflate, private_file_memslots) {
	.type = &vb_backing_private_file, .kvm = true,
};

FIXTURE_VARIANT_ADD(inflate, private_file_read_only_table) { .type = &vb_backing_private_file_read_only };
FIXTURE_VARIANT_ADD(inflate, private_file_read_only_memslots) {
	.type = &vb_backing_private_file_read_only, .kvm = true,
};

FIXTURE_VARIANT_ADD(inflate, private_write_sealed_table) { .type = &vb_backing_private_write_sealed };
FIXTURE_VARIANT_ADD(inflate, private_write_sealed_memslots) {
	.type = &vb_backing_private_write_sealed, .kvm = true,
};

FIXTURE_VARIANT_ADD(inflate, hugetlb_shared_table) { .type = &vb_backing_hugetlb_shared };
FIXTURE_VARIANT_ADD(inflate, hugetlb_shared_memslots) {
	.type = &vb_backing_hugetlb_shared, .kvm = true,
};

FIXTURE_VARIANT_ADD(inflate, hugetlb_private_table) { .type = &vb_backing_hugetlb_private };
FIXTURE_VARIANT_ADD(inflate, hugetlb_private_memslots) {
	.type = &vb_backing_hugetlb_private, .kvm = true,
};

FIXTURE_VARIANT_ADD(inflate, hugetlb_shared_off_table) { .type = &vb_backing_hugetlb_shared_off };
FIXTURE_VARIANT_ADD(inflate, hugetlb_shared_off_memslots) {
	.type = &vb_backing_hugetlb_shared_off, .kvm = true,
};

FIXTURE_VARIANT_ADD(inflate, hugetlb_private_off_table) { .type = &vb_backing_hugetlb_private_off };
FIXTURE_VARIANT_ADD(inflate, hugetlb_private_off_memslots) {
	.type = &vb_backing_hugetlb_private_off, .kvm = true,
};

FIXTURE_VARIANT_ADD(inflate, locked_table) { .type = &vb_backing_locked };
FIXTURE_VARIANT_ADD(inflate, locked_memslots) { .type = &vb_backing_locked, .kvm = true };
FIXTURE_VARIANT_ADD(inflate, locked_memfd_table) { .type = &vb_backing_locked_memfd };
FIXTURE_VARIANT_ADD(inflate, locked_memfd_memslots) {
	.type = &vb_backing_locked_memfd, .kvm = true,
};

FIXTURE_VARIANT_ADD(inflate, prot_read_anon_table) { .type = &vb_backing_prot_read_anon };
FIXTURE_VARIANT_ADD(inflate, prot_read_anon_memslots) {
	.type = &vb_backing_prot_read_anon, .kvm = true,
};

FIXTURE_VARIANT_ADD(inflate, prot_read_memfd_table) { .type = &vb_backing_prot_read_memfd };
FIXTURE_VARIANT_ADD(inflate, prot_read_memfd_memslots) {
	.type = &vb_backing_prot_read_memfd, .kvm = true,
};

FIXTURE_VARIANT_ADD(inflate, memfd_opened_read_only_table) { .type = &vb_backing_memfd_opened_read_only };
FIXTURE_VARIANT_ADD(inflate, memfd_opened_read_only_memslots) {
	.type = &vb_backing_memfd_opened_read_only, .kvm = true,
};

FIXTURE_VARIANT_ADD(inflate, future_write_sealed_table) { .type = &vb_backing_future_write_sealed };
FIXTURE_VARIANT_ADD(inflate, future_write_sealed_memslots) {
	.type = &vb_backing_future_write_sealed, .kvm = true,
};

FIXTURE_VARIANT_ADD(inflate, write_sealed_table) { .type = &vb_backing_write_sealed };
FIXTURE_VARIANT_ADD(inflate, write_sealed_memslots) {
	.type = &vb_backing_write_sealed, .kvm = true,
};

FIXTURE_VARIANT_ADD(inflate, uffd_missing_table) { .type = &vb_backing_uffd_missing };
FIXTURE_VARIANT_ADD(inflate, uffd_missing_memslots) {
	.type = &vb_backing_uffd_missing, .kvm = true,
};

FIXTURE_VARIANT_ADD(inflate, uffd_wp_table) { .type = &vb_backing_uffd_wp };
FIXTURE_VARIANT_ADD(inflate, uffd_wp_memslots) { .type = &vb_backing_uffd_wp, .kvm = true };
FIXTURE_VARIANT_ADD(inflate, uffd_memfd_table) { .type = &vb_backing_uffd_memfd };
FIXTURE_VARIANT_ADD(inflate, uffd_memfd_memslots) { .type = &vb_backing_uffd_memfd, .kvm = true };
FIXTURE_VARIANT_ADD(inflate, mseal_table) { .type = &vb_backing_mseal };
FIXTURE_VARIANT_ADD(inflate, mseal_memslots) { .type = &vb_backing_mseal, .kvm = true };
FIXTURE_VARIANT_ADD(inflate, secretmem_table) { .type = &vb_backing_secretmem };
FIXTURE_VARIANT_ADD(inflate, secretmem_memslots) { .type = &vb_backing_secretmem, .kvm = true };
FIXTURE_VARIANT_ADD(inflate, other_fs_table) { .type = &vb_backing_other_fs };
FIXTURE_VARIANT_ADD(inflate, other_fs_memslots) { .type = &vb_backing_other_fs, .kvm = true };
FIXTURE_VARIANT_ADD(inflate, no_slot_table) { .type = &vb_backing_no_slot };
FIXTURE_VARIANT_ADD(inflate, no_slot_memslots) { .type = &vb_backing_no_slot, .kvm = true };
FIXTURE_VARIANT_ADD(inflate, read_only_slot) { .type = &vb_backing_read_only_slot, .kvm = true };

/* Some pages on their own, some side by side, the first and the last one. */
static bool is_wanted(const struct vb_backing_type *type, unsigned int page)
{
	unsigned int unit = page / type->unit, last = type->pages / type->unit - 1;

	return unit == 0 || unit == last || (last > 10 && unit % 10 >= 6) || unit == 3;
}

static void choose(struct _test_data_inflate *self, const struct vb_backing_type *type)
{
	unsigned int page;

	self->nr = 0;
	for (page = 0; page < type->pages; page++) {
		self->wanted[page] = is_wanted(type, page);
		if (self->wanted[page])
			self->gfns[self->nr++] = RAM_GPA / VB_PAGE + page;
	}
}

FIXTURE_SETUP(inflate)
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
	if (!type->no_slot)
		ASSERT_EQ(0, vb_machine_add(&self->m, &self->b.mem, type->slot_flags));
	/* So that parts of huge pages don't wait for each other: see thp.c. */
	ASSERT_EQ(0, vb_set_tunables(self->m.backend, VHOST_BALLOON_TUNE_THP | type->tunables,
				     type->tunables));
	ASSERT_EQ(0, vb_set_tunables(self->m.backend, VHOST_BALLOON_TUNE_INLINE,
				     SERVED_BY_WORKER ? 0 : VHOST_BALLOON_TUNE_INLINE));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	ASSERT_EQ(0, vb_settle(self->m.backend));
	ASSERT_EQ(0, vb_get_counters(self->m.backend, &self->before));
	choose(self, type);
}

FIXTURE_TEARDOWN(inflate)
{
	vb_machine_close(&self->m);
	vb_backing_close(&self->b);
}

/* How far a counter has risen since the machine was started. */
static __u64 risen(struct _test_data_inflate *self, enum vhost_balloon_counter counter)
{
	return vb_counter(self->m.backend, counter) - self->before.value[counter];
}

/* A request of little memory, made when all was quiet, has no reason to be handed on. */
static void expect_served(struct __test_metadata *_metadata, struct _test_data_inflate *self,
			  const struct vb_backing_type *type)
{
	bool by_worker = SERVED_BY_WORKER || vb_inline_missing();

	EXPECT_EQ(by_worker, !risen(self, VHOST_BALLOON_C_PASSES_INLINE));
	if (!by_worker && type->unit == 1)
		EXPECT_EQ(-1, vb_misplaced(self->m.backend, &self->before,
					   VHOST_BALLOON_NR_COUNTERS, 0));
}

TEST_F(inflate, takes_exactly_the_pages_asked_for)
{
	const struct vb_backing_type *type = variant->type;
	long file_pages = vb_backing_file_pages(&self->b);

	ASSERT_EQ(0, vb_machine_inflate(&self->m, self->gfns, self->nr));
	expect_served(_metadata, self, type);
	EXPECT_EQ(self->nr, risen(self, VHOST_BALLOON_C_INFLATED));
	EXPECT_EQ(0ULL, risen(self, VHOST_BALLOON_C_DUPLICATE));
	EXPECT_EQ(-1, vb_miscounted(self->m.backend, &self->before, type->counter, self->nr));
	if (type->gone && file_pages >= 0)
		file_pages -= self->nr;
	EXPECT_EQ(file_pages, vb_backing_file_pages(&self->b));
	EXPECT_EQ(0U, vb_backing_wrong(&self->b, self->wanted));
}

TEST_F(inflate, of_pages_that_are_gone_already_is_fine)
{
	unsigned int page, wrong = 0;
	int i;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, vb_machine_inflate(&self->m, self->gfns, self->nr));
	EXPECT_EQ(-1, vb_miscounted(self->m.backend, &self->before, variant->type->counter,
				    3 * self->nr));
	for (page = 0; page < variant->type->pages; page++)
		wrong += !self->wanted[page] && !vb_backing_intact(&self->b, page);
	EXPECT_EQ(0U, wrong);
}

TEST_F(inflate, deflating_only_acknowledges)
{
	unsigned int page, wrong = 0;

	ASSERT_EQ(0, vb_machine_deflate(&self->m, self->gfns, self->nr));
	EXPECT_EQ(self->nr, risen(self, VHOST_BALLOON_C_DEFLATED));
	EXPECT_EQ(0ULL, risen(self, VHOST_BALLOON_C_INFLATED));
	EXPECT_EQ(0ULL, risen(self, VHOST_BALLOON_C_DISCARD_OPS));
	/* No counter is the number of them. */
	EXPECT_EQ(-1, vb_miscounted(self->m.backend, &self->before, VHOST_BALLOON_NR_COUNTERS, 0));
	for (page = 0; page < variant->type->pages; page++)
		wrong += !vb_backing_intact(&self->b, page);
	EXPECT_EQ(0U, wrong);
}

TEST_F(inflate, region_is_reported_for_what_it_is)
{
	const struct vb_backing_type *type = variant->type;
	struct vhost_balloon_region regions[2] = { 0 };
	__u32 flags = VHOST_BALLOON_REGION_DISCARDABLE;

	if (type->no_slot)
		SKIP(return, "there is no region");
	if (type->slot_flags)
		flags = VHOST_BALLOON_REGION_READONLY;
	ASSERT_EQ(2, vb_get_regions(self->m.backend, regions, 2, NULL));
	EXPECT_EQ(RAM_GPA, regions[0].gpa);
	EXPECT_EQ(type->pages * VB_PAGE, regions[0].len);
	EXPECT_EQ((unsigned long)self->b.mem.hva, regions[0].hva);
	EXPECT_EQ(type->kind, regions[0].backing);
	EXPECT_EQ(flags, regions[0].flags);
	EXPECT_EQ(VB_BUF_GPA, regions[1].gpa);
}

TEST_F_TIMEOUT(inflate, page_is_gone_before_it_is_acknowledged, 120)
{
	unsigned int unit = variant->type->unit, round;
	__u64 *word = self->b.mem.hva + unit * VB_PAGE;
	struct vb_watch w;

	if (!variant->type->gone)
		SKIP(return, "this memory stays");
	for (round = 0; round < ROUNDS / (unit > 1 ? 10 : 1); round++) {
		unsigned int i;

		*word = 0x1234;
		for (i = 0; i < unit; i++)
			self->gfns[i] = RAM_GPA / VB_PAGE + unit + i;
		ASSERT_EQ(0, vb_watch_begin(&w, &self->m.inflate, word));
		ASSERT_EQ(0, vb_machine_inflate(&self->m, self->gfns, unit));
		ASSERT_EQ(0, vb_watch_end(&w));
		ASSERT_NE(0x1234ULL, w.seen);
	}
}

TEST_HARNESS_MAIN
