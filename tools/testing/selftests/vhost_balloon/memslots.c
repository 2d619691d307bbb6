// SPDX-License-Identifier: GPL-2.0
/*
 * A balloon that knows its guest's memory from a KVM VM's memory slots: slots
 * that come, go, move and change are seen without anyone telling, what is
 * reported is what KVM was told, and only memory behind a slot is discarded.
 *
 * See memslots_vm.c for how a VM is bound, memslots_listener.c for what listeners
 * are told, memslots_race.c for slots that change while the guest kicks, and
 * memslots_uffd.c for page faults that userspace has to answer.
 */
#include <stdlib.h>
#include <string.h>

#include "kselftest_harness.h"
#include "vb_memory.h"

#define MIB		(1UL << 20)
#define PAGES		64U
#define LEN		(PAGES * VB_PAGE)
#define SLOT		3
#define SEED		0x5eed
#define MAX_REGIONS	16
#define FEATURES	VB_FEATURE(VIRTIO_F_VERSION_1)
#define RING_NUM	64

#define SMM_SLOT(slot)	(1U << 16 | (slot))

FIXTURE(memslots) {
	struct vb_machine machine;
	/* Memory of LEN bytes for SLOT, at 1 MiB; filled. */
	struct vb_memory ram;
	__u64 generation;
	struct vhost_balloon_region regions[MAX_REGIONS];
};

FIXTURE_VARIANT(memslots) {
	enum vb_memory_kind kind;
	enum vhost_balloon_backing backing;
	enum vhost_balloon_counter discarded;
};

FIXTURE_VARIANT_ADD(memslots, anonymous) {
	.kind = VB_MEMORY_ANON,
	.backing = VHOST_BALLOON_BACKING_ANON,
	.discarded = VHOST_BALLOON_C_DISCARD_ANON,
};

FIXTURE_VARIANT_ADD(memslots, memfd) {
	.kind = VB_MEMORY_MEMFD,
	.backing = VHOST_BALLOON_BACKING_SHMEM,
	.discarded = VHOST_BALLOON_C_DISCARD_SHMEM,
};

FIXTURE_SETUP(memslots)
{
	const char *missing = vb_kvm_missing();

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vb_machine_open(&self->machine, true, FEATURES, RING_NUM));
	ASSERT_EQ(0, vb_memory_map(&self->ram, variant->kind, MIB, LEN));
	vb_memory_fill(&self->ram, 0, PAGES, SEED);
	ASSERT_EQ(0, vb_machine_start(&self->machine));
}

FIXTURE_TEARDOWN(memslots)
{
	vb_machine_close(&self->machine);
	vb_memory_unmap(&self->ram);
}

static int get_regions(FIXTURE_DATA(memslots) *self)
{
	memset(self->regions, 0xff, sizeof(self->regions));
	return vb_get_regions(self->machine.backend, self->regions, MAX_REGIONS,
			      &self->generation);
}

/* All pages of the memory, named at another guest address than it has now. */
static int inflate_at(FIXTURE_DATA(memslots) *self, __u64 gpa, unsigned int nr)
{
	return vb_inflate_range(&self->machine, gpa, nr);
}

TEST_F(memslots, regions_are_reported_as_kvm_was_told_in_rising_order)
{
	static const struct {
		__u32 slot;
		__u64 gpa;
		__u64 len;
	} slots[] = {
		{ 7, 0x300000, 4 * VB_PAGE },
		{ 2, 0x500000, 1 * VB_PAGE },
		{ 9, 0x100000, 7 * VB_PAGE },
	};
	static const unsigned int order[] = { 2, 0, 1 };
	struct vhost_balloon_info info;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(slots); i++)
		ASSERT_EQ(0, vb_vm_set_slot(&self->machine.vm, slots[i].slot, 0, slots[i].gpa,
					    slots[i].len, self->ram.hva + i * 8 * VB_PAGE));
	ASSERT_EQ(4, get_regions(self));
	for (i = 0; i < ARRAY_SIZE(slots); i++) {
		struct vhost_balloon_region *region = &self->regions[i];
		unsigned int is = order[i];

		EXPECT_EQ(slots[is].gpa, region->gpa);
		EXPECT_EQ(slots[is].len, region->len);
		EXPECT_EQ((unsigned long)self->ram.hva + is * 8 * VB_PAGE, region->hva);
		EXPECT_EQ(VHOST_BALLOON_REGION_DISCARDABLE, region->flags);
		EXPECT_EQ(slots[is].slot, region->slot);
		EXPECT_EQ(variant->backing, region->backing);
		EXPECT_EQ(0, region->reserved);
	}
	EXPECT_EQ(VB_BUF_GPA, self->regions[3].gpa);
	EXPECT_EQ(VB_BUF_LEN, self->regions[3].len);
	EXPECT_EQ((unsigned long)self->machine.buf.hva, self->regions[3].hva);
	EXPECT_EQ(0, self->regions[3].slot);
	ASSERT_EQ(0, vb_get_info(self->machine.backend, &info));
	EXPECT_EQ(VHOST_BALLOON_SOURCE_MEMSLOTS, info.source);
	EXPECT_EQ(4, info.nr_regions);
	EXPECT_EQ(self->generation, info.generation);
	EXPECT_EQ(VB_BUF_LEN + 12 * VB_PAGE, info.ram);
}

TEST_F(memslots, no_more_regions_are_filled_in_than_fit)
{
	struct vhost_balloon_regions arg = {
		.size = sizeof(arg),
		.regions = (unsigned long)self->regions,
		.nr = 1,
	};

	ASSERT_EQ(0, vb_memory_add_slot(&self->machine, SLOT, 0, &self->ram));
	memset(self->regions, 0xff, sizeof(self->regions));
	ASSERT_EQ(0, vb_ioctl(self->machine.backend, VHOST_BALLOON_GET_REGIONS, &arg));
	EXPECT_EQ(1, arg.nr);
	EXPECT_EQ(2, arg.total);
	EXPECT_EQ(SLOT, self->regions[0].slot);
	EXPECT_EQ(~0ULL, self->regions[1].gpa);

	arg.nr = 0;
	arg.regions = 0;
	ASSERT_EQ(0, vb_ioctl(self->machine.backend, VHOST_BALLOON_GET_REGIONS, &arg));
	EXPECT_EQ(0, arg.nr);
	EXPECT_EQ(2, arg.total);
}

TEST_F(memslots, generation_differs_after_a_change_and_only_then)
{
	__u64 before;

	ASSERT_EQ(1, get_regions(self));
	before = self->generation;
	ASSERT_EQ(1, get_regions(self));
	EXPECT_EQ(before, self->generation);
	ASSERT_EQ(0, vb_memory_add_slot(&self->machine, SLOT, 0, &self->ram));
	ASSERT_EQ(2, get_regions(self));
	EXPECT_NE(before, self->generation);
}

TEST_F(memslots, added_slot_is_found)
{
	ASSERT_EQ(0, inflate_at(self, MIB, PAGES));
	EXPECT_EQ(PAGES, vb_counter(self->machine.backend, VHOST_BALLOON_C_SKIP_NO_SLOT));
	EXPECT_EQ(PAGES, vb_memory_intact(&self->ram, 0, PAGES, SEED));

	ASSERT_EQ(0, vb_memory_add_slot(&self->machine, SLOT, 0, &self->ram));
	ASSERT_EQ(0, inflate_at(self, MIB, PAGES));
	EXPECT_EQ(PAGES, vb_counter(self->machine.backend, variant->discarded));
	EXPECT_EQ(PAGES, vb_memory_zero(&self->ram, 0, PAGES));
	EXPECT_EQ(PAGES, vb_counter(self->machine.backend, VHOST_BALLOON_C_SKIP_NO_SLOT));
}

TEST_F(memslots, deleted_slot_is_left_alone)
{
	ASSERT_EQ(0, vb_memory_add_slot(&self->machine, SLOT, 0, &self->ram));
	ASSERT_EQ(0, inflate_at(self, MIB, PAGES));
	ASSERT_EQ(PAGES, vb_memory_zero(&self->ram, 0, PAGES));

	ASSERT_EQ(0, vb_vm_delete_slot(&self->machine.vm, SLOT));
	vb_memory_fill(&self->ram, 0, PAGES, SEED);
	ASSERT_EQ(0, inflate_at(self, MIB, PAGES));
	EXPECT_EQ(PAGES, vb_memory_intact(&self->ram, 0, PAGES, SEED));
	EXPECT_EQ(PAGES, vb_counter(self->machine.backend, VHOST_BALLOON_C_SKIP_NO_SLOT));
	EXPECT_EQ(1, get_regions(self));
}

TEST_F(memslots, moved_slot_is_found_at_its_new_address_only)
{
	ASSERT_EQ(0, vb_memory_add_slot(&self->machine, SLOT, 0, &self->ram));
	ASSERT_EQ(2, get_regions(self));
	self->ram.gpa = 8 * MIB;
	ASSERT_EQ(0, vb_memory_add_slot(&self->machine, SLOT, 0, &self->ram));

	ASSERT_EQ(0, inflate_at(self, MIB, PAGES));
	EXPECT_EQ(PAGES, vb_memory_intact(&self->ram, 0, PAGES, SEED));
	EXPECT_EQ(PAGES, vb_counter(self->machine.backend, VHOST_BALLOON_C_SKIP_NO_SLOT));
	ASSERT_EQ(0, inflate_at(self, 8 * MIB, PAGES));
	EXPECT_EQ(PAGES, vb_memory_zero(&self->ram, 0, PAGES));

	ASSERT_EQ(2, get_regions(self));
	EXPECT_EQ(8 * MIB, self->regions[0].gpa);
	EXPECT_EQ(LEN, self->regions[0].len);
	EXPECT_EQ(SLOT, self->regions[0].slot);
}

TEST_F(memslots, resized_slot_ends_where_it_ends_now)
{
	struct vb_memory half = self->ram;

	half.len = LEN / 2;
	ASSERT_EQ(0, vb_memory_add_slot(&self->machine, SLOT, 0, &self->ram));
	ASSERT_EQ(2, get_regions(self));

	/* KVM refuses to resize: the way is by deleting. */
	ASSERT_EQ(0, vb_vm_delete_slot(&self->machine.vm, SLOT));
	ASSERT_EQ(0, vb_memory_add_slot(&self->machine, SLOT, 0, &half));
	ASSERT_EQ(0, inflate_at(self, MIB, PAGES));
	EXPECT_EQ(PAGES / 2, vb_memory_zero(&self->ram, 0, PAGES / 2));
	EXPECT_EQ(PAGES / 2, vb_memory_intact(&self->ram, PAGES / 2, PAGES / 2, SEED));
	EXPECT_EQ(PAGES / 2, vb_counter(self->machine.backend, VHOST_BALLOON_C_SKIP_NO_SLOT));
	ASSERT_EQ(2, get_regions(self));
	EXPECT_EQ(LEN / 2, self->regions[0].len);

	ASSERT_EQ(0, vb_vm_delete_slot(&self->machine.vm, SLOT));
	ASSERT_EQ(0, vb_memory_add_slot(&self->machine, SLOT, 0, &self->ram));
	ASSERT_EQ(0, inflate_at(self, MIB, PAGES));
	EXPECT_EQ(PAGES, vb_memory_zero(&self->ram, 0, PAGES));
	EXPECT_EQ(PAGES / 2, vb_counter(self->machine.backend, VHOST_BALLOON_C_SKIP_NO_SLOT));
}

TEST_F(memslots, other_memory_behind_the_same_addresses_is_what_is_discarded)
{
	struct vb_memory other;

	ASSERT_EQ(0, vb_memory_map(&other, variant->kind, MIB, LEN));
	vb_memory_fill(&other, 0, PAGES, SEED);
	ASSERT_EQ(0, vb_memory_add_slot(&self->machine, SLOT, 0, &self->ram));
	ASSERT_EQ(2, get_regions(self));
	ASSERT_EQ(0, vb_vm_delete_slot(&self->machine.vm, SLOT));
	ASSERT_EQ(0, vb_memory_add_slot(&self->machine, SLOT, 0, &other));

	ASSERT_EQ(0, inflate_at(self, MIB, PAGES));
	EXPECT_EQ(PAGES, vb_memory_zero(&other, 0, PAGES));
	EXPECT_EQ(PAGES, vb_memory_intact(&self->ram, 0, PAGES, SEED));
	vb_memory_unmap(&other);
}

TEST_F(memslots, readonly_slot_is_left_alone)
{
	if (vb_vm_capability(&self->machine.vm, KVM_CAP_READONLY_MEM) <= 0)
		SKIP(return, "KVM has no read-only slots");
	ASSERT_EQ(0, vb_memory_add_slot(&self->machine, SLOT, KVM_MEM_READONLY, &self->ram));
	ASSERT_EQ(0, inflate_at(self, MIB, PAGES));
	EXPECT_EQ(PAGES, vb_memory_intact(&self->ram, 0, PAGES, SEED));
	EXPECT_EQ(PAGES, vb_counter(self->machine.backend, VHOST_BALLOON_C_SKIP_READONLY_SLOT));
	ASSERT_EQ(2, get_regions(self));
	EXPECT_EQ(VHOST_BALLOON_REGION_READONLY, self->regions[0].flags);
}

/* Two slots side by side, whose memory lies side by side, too, or apart. */
static void inflate_across(struct __test_metadata *_metadata, FIXTURE_DATA(memslots) *self,
			   enum vhost_balloon_counter discarded, void *first, void *second)
{
	__u32 half = PAGES / 2;
	__u32 pages[PAGES];
	unsigned int i;

	ASSERT_EQ(0, vb_vm_set_slot(&self->machine.vm, SLOT, 0, MIB, LEN / 2, first));
	ASSERT_EQ(0, vb_vm_set_slot(&self->machine.vm, SLOT + 1, 0, MIB + LEN / 2, LEN / 2,
				    second));
	/* Falling, as guests name them: 8 pages on each side of the boundary. */
	for (i = 0; i < 16; i++)
		pages[i] = MIB / VB_PAGE + half + 7 - i;
	ASSERT_EQ(0, vb_machine_inflate(&self->machine, pages, 16));
	EXPECT_EQ(16, vb_counter(self->machine.backend, discarded));
	EXPECT_EQ(2, vb_counter(self->machine.backend, VHOST_BALLOON_C_DISCARD_OPS));
}

TEST_F(memslots, batch_across_neighbours_is_cut_at_the_slot_end)
{
	unsigned int half = PAGES / 2;

	inflate_across(_metadata, self, variant->discarded, self->ram.hva,
		       self->ram.hva + LEN / 2);
	EXPECT_EQ(half - 8, vb_memory_intact(&self->ram, 0, half - 8, SEED));
	EXPECT_EQ(16, vb_memory_zero(&self->ram, half - 8, 16));
	EXPECT_EQ(half - 8, vb_memory_intact(&self->ram, half + 8, half - 8, SEED));
}

TEST_F(memslots, batch_across_neighbours_reaches_memory_of_each)
{
	unsigned int half = PAGES / 2;

	/* The other way round: what follows the first slot's memory is not the second's. */
	inflate_across(_metadata, self, variant->discarded, self->ram.hva + LEN / 2,
		       self->ram.hva);
	EXPECT_EQ(8, vb_memory_zero(&self->ram, 0, 8));
	EXPECT_EQ(PAGES - 16, vb_memory_intact(&self->ram, 8, PAGES - 16, SEED));
	EXPECT_EQ(8, vb_memory_zero(&self->ram, PAGES - 8, 8));
	EXPECT_EQ(half - 8, vb_memory_intact(&self->ram, half, half - 8, SEED));
}

TEST_F(memslots, batch_over_a_hole_between_slots_skips_the_hole)
{
	unsigned int third = PAGES / 4;

	ASSERT_EQ(0, vb_vm_set_slot(&self->machine.vm, SLOT, 0, MIB, third * VB_PAGE,
				    self->ram.hva));
	ASSERT_EQ(0, vb_vm_set_slot(&self->machine.vm, SLOT + 1, 0, MIB + 3 * third * VB_PAGE,
				    third * VB_PAGE, self->ram.hva + 3 * third * VB_PAGE));
	ASSERT_EQ(0, inflate_at(self, MIB, PAGES));
	EXPECT_EQ(third, vb_memory_zero(&self->ram, 0, third));
	EXPECT_EQ(2 * third, vb_memory_intact(&self->ram, third, 2 * third, SEED));
	EXPECT_EQ(third, vb_memory_zero(&self->ram, 3 * third, third));
	EXPECT_EQ(2 * third, vb_counter(self->machine.backend, VHOST_BALLOON_C_SKIP_NO_SLOT));
	EXPECT_EQ(2 * third, vb_counter(self->machine.backend, variant->discarded));
}

TEST_F(memslots, refused_changes_change_nothing)
{
	struct vb_memory bad = self->ram;

	ASSERT_EQ(0, vb_memory_add_slot(&self->machine, SLOT, 0, &self->ram));
	ASSERT_EQ(2, get_regions(self));
	EXPECT_EQ(-EEXIST, vb_memory_add_slot(&self->machine, SLOT + 1, 0, &self->ram));
	bad.gpa += LEN / 2;
	EXPECT_EQ(-EEXIST, vb_memory_add_slot(&self->machine, SLOT + 1, 0, &bad));
	bad.gpa = MIB + 1;
	EXPECT_EQ(-EINVAL, vb_memory_add_slot(&self->machine, SLOT, 0, &bad));
	bad.gpa = VB_BUF_GPA;
	EXPECT_EQ(-EEXIST, vb_memory_add_slot(&self->machine, SLOT, 0, &bad));

	ASSERT_EQ(2, get_regions(self));
	EXPECT_EQ(MIB, self->regions[0].gpa);
	ASSERT_EQ(0, inflate_at(self, MIB, PAGES));
	EXPECT_EQ(PAGES, vb_memory_zero(&self->ram, 0, PAGES));
	EXPECT_EQ(0, vb_counter(self->machine.backend, VHOST_BALLOON_C_REGION_DEL));
}

TEST_F(memslots, dirty_logging_switched_on_and_off_changes_nothing)
{
	__u64 add, del;

	ASSERT_EQ(0, vb_memory_add_slot(&self->machine, SLOT, 0, &self->ram));
	ASSERT_EQ(0, inflate_at(self, MIB, PAGES));
	add = vb_counter(self->machine.backend, VHOST_BALLOON_C_REGION_ADD);
	del = vb_counter(self->machine.backend, VHOST_BALLOON_C_REGION_DEL);

	vb_memory_fill(&self->ram, 0, PAGES, SEED);
	ASSERT_EQ(0, vb_memory_add_slot(&self->machine, SLOT, KVM_MEM_LOG_DIRTY_PAGES, &self->ram));
	ASSERT_EQ(0, inflate_at(self, MIB, PAGES));
	EXPECT_EQ(PAGES, vb_memory_zero(&self->ram, 0, PAGES));

	vb_memory_fill(&self->ram, 0, PAGES, SEED);
	ASSERT_EQ(0, vb_memory_add_slot(&self->machine, SLOT, 0, &self->ram));
	ASSERT_EQ(0, inflate_at(self, MIB, PAGES));
	EXPECT_EQ(PAGES, vb_memory_zero(&self->ram, 0, PAGES));

	EXPECT_EQ(add, vb_counter(self->machine.backend, VHOST_BALLOON_C_REGION_ADD));
	EXPECT_EQ(del, vb_counter(self->machine.backend, VHOST_BALLOON_C_REGION_DEL));
}

TEST_F(memslots, slots_of_another_address_space_are_not_seen)
{
	if (vb_vm_capability(&self->machine.vm, KVM_CAP_MULTI_ADDRESS_SPACE) < 2)
		SKIP(return, "KVM has no second address space (SMM)");
	ASSERT_EQ(0, vb_memory_add_slot(&self->machine, SMM_SLOT(SLOT), 0, &self->ram));
	EXPECT_EQ(1, get_regions(self));
	ASSERT_EQ(0, inflate_at(self, MIB, PAGES));
	EXPECT_EQ(PAGES, vb_memory_intact(&self->ram, 0, PAGES, SEED));
	EXPECT_EQ(PAGES, vb_counter(self->machine.backend, VHOST_BALLOON_C_SKIP_NO_SLOT));
}

TEST_F(memslots, more_slots_than_a_usual_vm_has)
{
	struct vhost_balloon_region *regions;
	unsigned int nr = PAGES;
	unsigned int i;

	/* Falling addresses and every other page: none may be merged. */
	for (i = 0; i < nr; i++)
		ASSERT_EQ(0, vb_vm_set_slot(&self->machine.vm, SLOT + i, 0,
					    MIB + (nr - i) * 2 * VB_PAGE, VB_PAGE,
					    self->ram.hva + i * VB_PAGE));
	regions = calloc(nr + 1, sizeof(*regions));
	ASSERT_NE(NULL, regions);
	ASSERT_EQ(nr + 1, vb_get_regions(self->machine.backend, regions, nr + 1, NULL));
	for (i = 1; i <= nr; i++) {
		EXPECT_EQ(MIB + i * 2 * VB_PAGE, regions[i - 1].gpa);
		EXPECT_EQ(SLOT + nr - i, regions[i - 1].slot);
	}
	free(regions);
	ASSERT_EQ(0, inflate_at(self, MIB, 2 * nr + 2));
	EXPECT_EQ(nr, vb_memory_zero(&self->ram, 0, nr));
	EXPECT_EQ(nr, vb_counter(self->machine.backend, variant->discarded));
	EXPECT_EQ(nr + 2, vb_counter(self->machine.backend, VHOST_BALLOON_C_SKIP_NO_SLOT));
}

TEST_F(memslots, slots_of_kvm_itself_are_neither_shown_nor_touched)
{
	static const __u64 own[] = {
		VB_KVM_APIC_GPA / VB_PAGE,
		/* The TSS is three pages, followed by the identity map. */
		VB_KVM_TSS_GPA / VB_PAGE,
		VB_KVM_TSS_GPA / VB_PAGE + 1,
		VB_KVM_TSS_GPA / VB_PAGE + 2,
		0xfffbc,
	};
	__u32 pages[ARRAY_SIZE(own)];
	struct vb_vcpu vcpu;
	__u64 private;
	unsigned int i;

	if (vb_vm_create_irqchip(&self->machine.vm))
		SKIP(return, "KVM makes no irqchip in the kernel");
	ASSERT_EQ(0, vb_vcpu_create(&self->machine.vm, &vcpu));
	ASSERT_EQ(0, vb_memory_add_slot(&self->machine, SLOT, 0, &self->ram));
	EXPECT_EQ(2, get_regions(self));

	for (i = 0; i < ARRAY_SIZE(own); i++)
		pages[i] = own[i];
	ASSERT_EQ(0, vb_machine_inflate(&self->machine, pages, ARRAY_SIZE(own)));
	private = vb_counter(self->machine.backend, VHOST_BALLOON_C_SKIP_PRIVATE_SLOT);
	TH_LOG("%llu of %zu pages were in slots of KVM itself", private, ARRAY_SIZE(own));
	EXPECT_EQ(ARRAY_SIZE(own),
		  private + vb_counter(self->machine.backend, VHOST_BALLOON_C_SKIP_NO_SLOT));
	/* Set where it is known that KVM makes some. */
	if (getenv("VB_PRIVATE_SLOTS"))
		EXPECT_EQ(strtoull(getenv("VB_PRIVATE_SLOTS"), NULL, 0), private);
	EXPECT_EQ(0, vb_counter(self->machine.backend, VHOST_BALLOON_C_DISCARD_OPS));

	/* And all goes on. */
	ASSERT_EQ(0, inflate_at(self, MIB, PAGES));
	EXPECT_EQ(PAGES, vb_memory_zero(&self->ram, 0, PAGES));
	vb_vcpu_destroy(&vcpu);
}

TEST_HARNESS_MAIN
