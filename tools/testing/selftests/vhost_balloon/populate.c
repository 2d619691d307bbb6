// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that the guest takes back are there before it is told that it may use
 * them, where that is switched on: exactly these pages, out of every kind of memory.
 * What can't be had is counted, and the guest is told all the same.
 */
#include <string.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "vb_hugetlb.h"
#include "vb_memory.h"

#define FEATURES	(VB_FEATURE(VIRTIO_F_VERSION_1) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_MUST_TELL_HOST))
#define RING_NUM	16
#define RAM_GPA		0x10000000ULL
#define TUNE		VHOST_BALLOON_TUNE_POPULATE
#define POPULATED	VHOST_BALLOON_C_POPULATED
#define FAILED		VHOST_BALLOON_C_POPULATE_FAILED
#define ROUNDS		20U

/* In order, scattered, and twice: units of the memory that are taken back. */
static const unsigned int some[] = { 9, 3, 4, 5, 40, 3, 63, 62, 0, 9, 4 };

#define NR_SOME		8U

static bool is_some(unsigned int page)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(some); i++)
		if (some[i] == page)
			return true;
	return false;
}

FIXTURE(populate) {
	struct vb_machine m;
	struct vb_backing b;
};

FIXTURE_VARIANT(populate) {
	const struct vb_backing_type *type;
	bool kvm;
};

FIXTURE_VARIANT_ADD(populate, anon_table) { .type = &vb_backing_anon };
FIXTURE_VARIANT_ADD(populate, anon_memslots) { .type = &vb_backing_anon, .kvm = true };
FIXTURE_VARIANT_ADD(populate, memfd_table) { .type = &vb_backing_memfd };
FIXTURE_VARIANT_ADD(populate, memfd_memslots) { .type = &vb_backing_memfd, .kvm = true };
FIXTURE_VARIANT_ADD(populate, private_file_table) { .type = &vb_backing_private_file };

FIXTURE_SETUP(populate)
{
	const char *missing = variant->kvm ? vb_kvm_missing() : NULL;
	int ret;

	if (missing)
		SKIP(return, "%s", missing);
	ret = vb_backing_open(&self->b, variant->type, RAM_GPA);
	if (self->b.why)
		SKIP(return, "%s: %s", self->b.why, strerror(-ret));
	ASSERT_EQ(0, ret);
	ret = vb_machine_open(&self->m, variant->kvm, FEATURES, RING_NUM);
	ASSERT_EQ(0, ret) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-ret));
	}
	ASSERT_EQ(0, vb_machine_add(&self->m, &self->b.mem, 0));
	ASSERT_EQ(0, vb_machine_start(&self->m));
}

FIXTURE_TEARDOWN(populate)
{
	vb_machine_close(&self->m);
	vb_backing_close(&self->b);
}

/* The guest gives all of it away, and takes some pages back. */
static int inflate_all(FIXTURE_DATA(populate) *self)
{
	return vb_inflate_range(&self->m, RAM_GPA, self->b.type->pages);
}

static int deflate_some(FIXTURE_DATA(populate) *self)
{
	__u32 gfns[ARRAY_SIZE(some)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(some); i++)
		gfns[i] = vb_memory_gfn(&self->b.mem, some[i]);
	return vb_machine_deflate(&self->m, gfns, ARRAY_SIZE(gfns));
}

/* Pages of ours, before any of them is looked at, which would bring it. */
static unsigned int count_mapped(FIXTURE_DATA(populate) *self)
{
	unsigned int page, mapped = 0;

	for (page = 0; page < self->b.type->pages; page++)
		mapped += vb_backing_mapped(&self->b, page);
	return mapped;
}

static unsigned int count_some(FIXTURE_DATA(populate) *self)
{
	unsigned int page, there = 0;

	for (page = 0; page < self->b.type->pages; page++)
		there += is_some(page) && vb_backing_mapped(&self->b, page) &&
			 vb_backing_resident(&self->b, page);
	return there;
}

TEST_F_TIMEOUT(populate, pages_are_there_when_the_guest_is_told, 600)
{
	unsigned int page, round, wrong = 0;

	ASSERT_EQ(0, vb_set_tunables(self->m.backend, TUNE, TUNE));
	for (round = 1; round <= ROUNDS; round++) {
		ASSERT_EQ(0, inflate_all(self));
		ASSERT_EQ(0U, count_mapped(self));
		ASSERT_EQ(0, deflate_some(self));
		ASSERT_EQ(NR_SOME, count_some(self)) {
			TH_LOG("in round %u", round);
		}
		ASSERT_EQ(NR_SOME, count_mapped(self));
		ASSERT_EQ(round * NR_SOME, vb_counter(self->m.backend, POPULATED));
	}
	EXPECT_EQ(0ULL, vb_counter(self->m.backend, FAILED));
	EXPECT_EQ(ROUNDS * ARRAY_SIZE(some),
		  vb_counter(self->m.backend, VHOST_BALLOON_C_DEFLATED));
	for (page = 0; page < self->b.type->pages; page++)
		wrong += !vb_backing_fresh(&self->b, page);
	EXPECT_EQ(0U, wrong);
}

TEST_F(populate, pages_that_are_there_already_stay_as_they_are)
{
	unsigned int page, wrong = 0;

	ASSERT_EQ(0, vb_set_tunables(self->m.backend, TUNE, TUNE));
	ASSERT_EQ(0, deflate_some(self));
	EXPECT_EQ(0ULL, vb_counter(self->m.backend, FAILED));
	for (page = 0; page < self->b.type->pages; page++)
		wrong += !vb_backing_intact(&self->b, page);
	EXPECT_EQ(0U, wrong);
}

TEST_F(populate, is_off_by_default_and_can_be_switched_off_again)
{
	__u64 mask, values;

	ASSERT_EQ(0, vb_get_tunables(self->m.backend, &mask, &values));
	EXPECT_EQ(TUNE, mask & TUNE);
	EXPECT_EQ(0ULL, values & TUNE);
	ASSERT_EQ(0, inflate_all(self));
	ASSERT_EQ(0, deflate_some(self));
	EXPECT_EQ(0U, count_mapped(self));

	ASSERT_EQ(0, vb_set_tunables(self->m.backend, TUNE, TUNE));
	ASSERT_EQ(0, vb_get_tunables(self->m.backend, &mask, &values));
	EXPECT_EQ(TUNE, values & TUNE);
	ASSERT_EQ(0, vb_set_tunables(self->m.backend, TUNE, 0));
	ASSERT_EQ(0, deflate_some(self));
	EXPECT_EQ(0U, count_mapped(self));
	EXPECT_EQ(0ULL, vb_counter(self->m.backend, POPULATED));
	EXPECT_EQ(0ULL, vb_counter(self->m.backend, FAILED));
}

TEST_F(populate, what_is_no_memory_of_the_guests_is_passed_over)
{
	const __u32 gfns[] = {
		0, vb_memory_gfn(&self->b.mem, 3), RAM_GPA / VB_PAGE - 1,
		vb_memory_gfn(&self->b.mem, self->b.type->pages), 0xffffffff,
	};

	ASSERT_EQ(0, vb_set_tunables(self->m.backend, TUNE, TUNE));
	ASSERT_EQ(0, inflate_all(self));
	ASSERT_EQ(0, vb_machine_deflate(&self->m, gfns, ARRAY_SIZE(gfns)));
	EXPECT_EQ(1ULL, vb_counter(self->m.backend, POPULATED));
	EXPECT_EQ(0ULL, vb_counter(self->m.backend, FAILED));
	EXPECT_EQ(1U, count_mapped(self));
}

TEST_F(populate, read_only_slot_is_passed_over)
{
	if (!variant->kvm || vb_vm_capability(&self->m.vm, KVM_CAP_READONLY_MEM) <= 0)
		SKIP(return, "no read-only slots");
	ASSERT_EQ(0, vb_set_tunables(self->m.backend, TUNE, TUNE));
	ASSERT_EQ(0, inflate_all(self));
	/* The machine's second slot; its first one is for buffers. */
	ASSERT_EQ(0, vb_vm_delete_slot(&self->m.vm, 1));
	ASSERT_EQ(0, vb_memory_add_slot(&self->m, 1, KVM_MEM_READONLY, &self->b.mem));
	ASSERT_EQ(0, deflate_some(self));
	EXPECT_EQ(0U, count_mapped(self));
	EXPECT_EQ(0ULL, vb_counter(self->m.backend, POPULATED));
	EXPECT_EQ(0ULL, vb_counter(self->m.backend, FAILED));
}

TEST_F(populate, what_can_not_be_had_is_counted_page_by_page)
{
	void *hva = self->b.mem.hva;

	ASSERT_EQ(0, vb_set_tunables(self->m.backend, TUNE, TUNE));
	ASSERT_EQ(0, inflate_all(self));
	/* Of eight in all, one isn't mapped, and two can't be written to. */
	ASSERT_EQ(0, munmap(hva + 4 * VB_PAGE, VB_PAGE));
	ASSERT_EQ(0, mprotect(hva + 9 * VB_PAGE, 32 * VB_PAGE, PROT_READ));
	ASSERT_EQ(0, deflate_some(self));
	EXPECT_EQ(5ULL, vb_counter(self->m.backend, POPULATED));
	EXPECT_EQ(3ULL, vb_counter(self->m.backend, FAILED));
	EXPECT_EQ(5U, count_mapped(self));
}

/* More than a batch holds at a time, and than is populated in one go. */
TEST_F(populate, large_requests_are_populated_completely)
{
	const unsigned int pages = 3000;
	struct vb_memory large;
	__u32 gfns[3000];
	unsigned int i;

	ASSERT_EQ(0, vb_memory_map(&large, VB_MEMORY_ANON, 2 * RAM_GPA, pages * VB_PAGE));
	ASSERT_EQ(0, vb_machine_add(&self->m, &large, 0));
	ASSERT_EQ(0, vb_set_tunables(self->m.backend, TUNE, TUNE));
	for (i = 0; i < pages; i++)
		gfns[i] = vb_memory_gfn(&large, pages - 1 - i);
	ASSERT_EQ(0, vb_machine_deflate(&self->m, gfns, pages));
	EXPECT_EQ(pages, vb_counter(self->m.backend, POPULATED));
	EXPECT_EQ(0ULL, vb_counter(self->m.backend, FAILED));
	vb_memory_unmap(&large);
}

/* Huge pages, of which the pool may have none left. */
FIXTURE(huge) {
	struct vb_machine m;
	struct vb_backing b;
	struct vb_memory taken;
};

FIXTURE_VARIANT(huge) {
	const struct vb_backing_type *type;
	bool kvm;
};

FIXTURE_VARIANT_ADD(huge, shared_table) { .type = &vb_backing_hugetlb_shared };
FIXTURE_VARIANT_ADD(huge, shared_memslots) { .type = &vb_backing_hugetlb_shared, .kvm = true };
FIXTURE_VARIANT_ADD(huge, private_table) { .type = &vb_backing_hugetlb_private };
FIXTURE_VARIANT_ADD(huge, private_memslots) { .type = &vb_backing_hugetlb_private, .kvm = true };

FIXTURE_SETUP(huge)
{
	const char *missing = variant->kvm ? vb_kvm_missing() : NULL;
	__u64 both = TUNE | VHOST_BALLOON_TUNE_HUGETLB;
	int ret;

	if (missing)
		SKIP(return, "%s", missing);
	ret = vb_backing_open(&self->b, variant->type, RAM_GPA);
	if (self->b.why)
		SKIP(return, "%s: %s", self->b.why, strerror(-ret));
	ASSERT_EQ(0, ret);
	ret = vb_machine_open(&self->m, variant->kvm, FEATURES, RING_NUM);
	ASSERT_EQ(0, ret) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-ret));
	}
	ASSERT_EQ(0, vb_machine_add(&self->m, &self->b.mem, 0));
	ASSERT_EQ(0, vb_set_tunables(self->m.backend, both, both));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	ASSERT_EQ(0, vb_inflate_range(&self->m, vb_hugetlb_gpa(&self->b, 1, 0), VB_HUGE_PAGES));
	ASSERT_EQ(2U, vb_hugetlb_gone(&self->b));
}

FIXTURE_TEARDOWN(huge)
{
	vb_machine_close(&self->m);
	vb_backing_close(&self->b);
	vb_memory_unmap(&self->taken);
}

TEST_F(huge, huge_page_is_there_when_the_guest_takes_a_part_of_it_back)
{
	long pool = vb_hugetlb_free(VB_HUGE);

	ASSERT_EQ(0, vb_deflate_range(&self->m, vb_hugetlb_gpa(&self->b, 1, 200), 3));
	EXPECT_EQ(0U, vb_hugetlb_gone(&self->b));
	EXPECT_EQ(pool - 1, vb_hugetlb_free(VB_HUGE));
	EXPECT_EQ(3ULL, vb_counter(self->m.backend, POPULATED));
	EXPECT_EQ(0ULL, vb_counter(self->m.backend, FAILED));
	EXPECT_TRUE(vb_backing_fresh(&self->b, VB_HUGE_PAGES + 200));
	EXPECT_EQ(5U, vb_hugetlb_intact(&self->b));
}

TEST_F(huge, empty_pool_is_counted_and_does_no_harm)
{
	ASSERT_EQ(0, vb_hugetlb_take_all(&self->taken));
	if (vb_hugetlb_free(VB_HUGE))
		SKIP(return, "this kernel reserves what was freed for the mapping it was in");
	ASSERT_EQ(0, vb_deflate_range(&self->m, vb_hugetlb_gpa(&self->b, 1, 200), 3));
	EXPECT_EQ(0ULL, vb_counter(self->m.backend, POPULATED));
	EXPECT_EQ(3ULL, vb_counter(self->m.backend, FAILED));
	EXPECT_EQ(3ULL, vb_counter(self->m.backend, VHOST_BALLOON_C_DEFLATED));
	EXPECT_EQ(2U, vb_hugetlb_gone(&self->b));
	EXPECT_EQ(5U, vb_hugetlb_intact(&self->b));

	/* The queue goes on, and so does the process when there are huge pages again. */
	vb_memory_unmap(&self->taken);
	ASSERT_EQ(0, vb_deflate_range(&self->m, vb_hugetlb_gpa(&self->b, 1, 203), 1));
	EXPECT_EQ(1ULL, vb_counter(self->m.backend, POPULATED));
	EXPECT_EQ(0U, vb_hugetlb_gone(&self->b));
	EXPECT_TRUE(vb_backing_fresh(&self->b, VB_HUGE_PAGES + 200));
}

TEST_HARNESS_MAIN
