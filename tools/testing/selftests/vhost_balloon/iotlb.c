// SPDX-License-Identifier: GPL-2.0
/*
 * A vDPA balloon whose VMM has no KVM VM: guest memory is what was mapped by the IOTLB,
 * and nothing else. Rings, lists and pages are all named by guest addresses. See iotlb_race.c
 * for what is promised of a mapping that is gone, and vdpa.c for the rest of the device.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/virtio_config.h>

#include "kselftest_harness.h"
#include "vb_backing.h"
#include "vb_control.h"
#include "vb_kicker.h"
#include "vb_vdpa.h"

#define FEATURES	(VB_FEATURE(VIRTIO_F_VERSION_1) | \
			 VB_FEATURE(VIRTIO_F_ACCESS_PLATFORM))
#define RAM_GPA		0x100000ULL
#define PAGES		160U
#define DISCARDED	VHOST_BALLOON_C_DISCARD_SHMEM
#define NO_SLOT		VHOST_BALLOON_C_SKIP_NO_SLOT

/* A device that runs, and memory for its guest that isn't mapped for it yet. */
FIXTURE(iotlb) {
	struct vb_vdpa d;
	struct vb_backing ram;
	struct vhost_balloon_counters before;
	bool given[PAGES];
};

static void set_up(struct __test_metadata *_metadata, FIXTURE_DATA(iotlb) *self)
{
	ASSERT_EQ(0, vb_vdpa_add(&self->d, "iotlb", 0));
	ASSERT_EQ(0, vb_vdpa_run(&self->d, FEATURES, 2));
	ASSERT_EQ(0, vb_backing_open(&self->ram, &vb_backing_memfd, RAM_GPA));
	ASSERT_EQ(PAGES, self->ram.type->pages);
	ASSERT_EQ(0, vb_get_counters(self->d.control, &self->before));
}

static void tear_down(FIXTURE_DATA(iotlb) *self)
{
	vb_vdpa_del(&self->d);
	vb_backing_close(&self->ram);
}

FIXTURE_SETUP(iotlb)
{
	const char *missing = vb_vdpa_missing();

	if (missing)
		SKIP(return, "%s", missing);
	set_up(_metadata, self);
}

FIXTURE_TEARDOWN(iotlb)
{
	tear_down(self);
}

static __u64 counted(FIXTURE_DATA(iotlb) *self, enum vhost_balloon_counter counter)
{
	return vb_counter(self->d.control, counter) - self->before.value[counter];
}

/* A part of the memory, in the guest at some address. */
static struct vb_memory part(FIXTURE_DATA(iotlb) *self, unsigned int page, unsigned int nr,
			     __u64 gpa)
{
	return (struct vb_memory) {
		.gpa = gpa, .len = nr * VB_PAGE, .hva = self->ram.mem.hva + page * VB_PAGE,
	};
}

static int map_part(FIXTURE_DATA(iotlb) *self, unsigned int page, unsigned int nr, __u64 gpa)
{
	struct vb_memory memory = part(self, page, nr, gpa);

	return vb_vdpa_map(&self->d, &memory, VHOST_ACCESS_RW);
}

static int map_ram(FIXTURE_DATA(iotlb) *self)
{
	return vb_vdpa_map(&self->d, &self->ram.mem, VHOST_ACCESS_RW);
}

static void expect_given(FIXTURE_DATA(iotlb) *self, unsigned int page, unsigned int nr)
{
	unsigned int i;

	for (i = page; i < page + nr; i++)
		self->given[i] = true;
}

/*
 * Exactly the pages that are expected to be gone are, and the file holds no more than the rest.
 * That looks at them, and so brings them back: it is the last thing to do.
 */
static void check_given(struct __test_metadata *_metadata, FIXTURE_DATA(iotlb) *self)
{
	unsigned int i, nr = 0;

	for (i = 0; i < PAGES; i++)
		nr += self->given[i];
	EXPECT_EQ((long)(PAGES - nr), vb_backing_file_pages(&self->ram));
	EXPECT_EQ(nr, counted(self, DISCARDED));
	EXPECT_EQ(0, vb_backing_wrong(&self->ram, self->given));
}

TEST_F(iotlb, is_the_source_of_memory_and_shown)
{
	struct vhost_balloon_region regions[3];
	struct vhost_balloon_info info;
	__u64 generation;

	/* Regions are looked up by who asks for them; info has what was seen last. */
	ASSERT_EQ(1, vb_get_regions(self->d.control, regions, 3, NULL));
	EXPECT_EQ(self->d.base.gpa, regions[0].gpa);
	ASSERT_EQ(0, vb_get_info(self->d.control, &info));
	EXPECT_EQ(VHOST_BALLOON_SOURCE_IOTLB, info.source);
	EXPECT_EQ(VHOST_BALLOON_INFO_VDPA | VHOST_BALLOON_INFO_OWNED | VHOST_BALLOON_INFO_RUNNING,
		  info.flags);
	EXPECT_STREQ(self->d.name, (char *)info.name);
	EXPECT_EQ(getpid(), info.pid);
	EXPECT_EQ(1, info.nr_regions);
	EXPECT_EQ(self->d.base.len, info.ram);
	generation = info.generation;

	ASSERT_EQ(0, map_ram(self));
	ASSERT_EQ(2, vb_get_regions(self->d.control, regions, 3, NULL));
	EXPECT_EQ(RAM_GPA, regions[0].gpa);
	EXPECT_EQ(self->ram.mem.len, regions[0].len);
	EXPECT_EQ((unsigned long)self->ram.mem.hva, regions[0].hva);
	EXPECT_EQ(VHOST_BALLOON_REGION_DISCARDABLE, regions[0].flags);
	EXPECT_EQ(VHOST_BALLOON_BACKING_SHMEM, regions[0].backing);
	EXPECT_EQ(self->d.base.gpa, regions[1].gpa);
	ASSERT_EQ(0, vb_get_info(self->d.control, &info));
	EXPECT_EQ(2, info.nr_regions);
	EXPECT_EQ(self->d.base.len + self->ram.mem.len, info.ram);
	EXPECT_NE(generation, info.generation);

	ASSERT_EQ(0, vb_vdpa_unmap(&self->d, &self->ram.mem));
	EXPECT_EQ(1, vb_get_regions(self->d.control, regions, 3, NULL));
	ASSERT_EQ(0, vb_get_info(self->d.control, &info));
	EXPECT_EQ(self->d.base.len, info.ram);
}

TEST_F(iotlb, pages_asked_for_are_discarded_and_no_others)
{
	static const unsigned int page[] = { 0, 1, 42, 40, 41, 44, 77, PAGES - 1 };
	__u32 list[ARRAY_SIZE(page)];
	unsigned int i;

	ASSERT_EQ(0, map_ram(self));
	for (i = 0; i < ARRAY_SIZE(page); i++) {
		list[i] = RAM_GPA / VB_PAGE + page[i];
		expect_given(self, page[i], 1);
	}
	EXPECT_EQ(0, vb_queue_send_pages(&self->d.queues[VB_INFLATE], &self->d.buf, list,
					 ARRAY_SIZE(list)));
	EXPECT_EQ(1, vb_queue_wait_call(&self->d.queues[VB_INFLATE]));
	/* To take them back does nothing to them. */
	EXPECT_EQ(0, vb_queue_send_pages(&self->d.queues[VB_DEFLATE], &self->d.buf, list,
					 ARRAY_SIZE(list)));
	EXPECT_EQ(1, vb_queue_wait_call(&self->d.queues[VB_DEFLATE]));
	EXPECT_EQ(ARRAY_SIZE(list), counted(self, VHOST_BALLOON_C_DEFLATED));
	EXPECT_EQ(-1, vb_miscounted(self->d.control, &self->before, DISCARDED, ARRAY_SIZE(list)));
	check_given(_metadata, self);
}

TEST_F(iotlb, hole_between_two_mappings_is_skipped)
{
	const __u64 second = RAM_GPA + (64 + 16) * VB_PAGE;

	ASSERT_EQ(0, map_part(self, 0, 64, RAM_GPA));
	ASSERT_EQ(0, map_part(self, 64, PAGES - 64, second));
	EXPECT_EQ(0, vb_vdpa_inflate(&self->d, RAM_GPA + 60 * VB_PAGE, 4 + 16 + 5));
	expect_given(self, 60, 4 + 5);
	check_given(_metadata, self);
	EXPECT_EQ(16, counted(self, NO_SLOT));
}

/* Neighbours for the guest that are none for the VMM, nor in the file. */
TEST_F(iotlb, mappings_may_be_in_any_order)
{
	ASSERT_EQ(0, map_part(self, 0, 64, RAM_GPA + (PAGES - 64) * VB_PAGE));
	ASSERT_EQ(0, map_part(self, 64, PAGES - 64, RAM_GPA));
	EXPECT_EQ(0, vb_vdpa_inflate(&self->d, RAM_GPA + (PAGES - 64 - 2) * VB_PAGE, 5));
	expect_given(self, PAGES - 2, 2);
	expect_given(self, 0, 3);
	check_given(_metadata, self);
	EXPECT_EQ(0, counted(self, NO_SLOT));
}

TEST_F(iotlb, read_only_mapping_is_never_discarded)
{
	const struct vb_memory first = part(self, 0, 64, RAM_GPA);
	struct vhost_balloon_region region;

	ASSERT_EQ(0, vb_vdpa_map(&self->d, &first, VHOST_ACCESS_RO));
	ASSERT_EQ(0, map_part(self, 64, PAGES - 64, RAM_GPA + 64 * VB_PAGE));
	EXPECT_EQ(0, vb_vdpa_inflate(&self->d, RAM_GPA + 60 * VB_PAGE, 4 + 5));
	expect_given(self, 64, 5);
	EXPECT_EQ(5, counted(self, DISCARDED));
	EXPECT_EQ(4, counted(self, VHOST_BALLOON_C_SKIP_READONLY_SLOT));
	EXPECT_EQ(0, counted(self, NO_SLOT));
	ASSERT_EQ(3, vb_get_regions(self->d.control, &region, 1, NULL));
	EXPECT_EQ(VHOST_BALLOON_REGION_READONLY, region.flags);

	/* The same memory, mapped for writing. */
	ASSERT_EQ(0, vb_vdpa_unmap(&self->d, &first));
	ASSERT_EQ(0, vb_vdpa_map(&self->d, &first, VHOST_ACCESS_RW));
	EXPECT_EQ(0, vb_vdpa_inflate(&self->d, RAM_GPA, 1));
	expect_given(self, 0, 1);
	check_given(_metadata, self);
}

TEST_F(iotlb, anonymous_memory_is_out_of_reach)
{
	struct vb_memory anon;

	ASSERT_EQ(0, vb_memory_map(&anon, VB_MEMORY_ANON, RAM_GPA, 16 * VB_PAGE));
	vb_memory_fill(&anon, 0, 16, 1);
	/* Nobody is told. */
	ASSERT_EQ(0, vb_vdpa_map(&self->d, &anon, VHOST_ACCESS_RW));
	EXPECT_EQ(1, vb_get_regions(self->d.control, NULL, 0, NULL));
	EXPECT_EQ(0, vb_vdpa_inflate(&self->d, RAM_GPA, 16));
	EXPECT_EQ(-1, vb_miscounted(self->d.control, &self->before, NO_SLOT, 16));
	EXPECT_EQ(16, vb_memory_intact(&anon, 0, 16, 1));
	vb_memory_unmap(&anon);
}

TEST_F(iotlb, anonymous_memory_in_a_mapping_is_a_hole_in_it)
{
	struct vb_memory memory;

	ASSERT_EQ(0, vb_memory_map(&memory, VB_MEMORY_MEMFD, RAM_GPA, 48 * VB_PAGE));
	ASSERT_NE(MAP_FAILED, mmap(memory.hva + 16 * VB_PAGE, 16 * VB_PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	vb_memory_fill(&memory, 0, 48, 1);
	ASSERT_EQ(0, vb_vdpa_map(&self->d, &memory, VHOST_ACCESS_RW));
	EXPECT_EQ(3, vb_get_regions(self->d.control, NULL, 0, NULL));
	EXPECT_EQ(0, vb_vdpa_inflate(&self->d, RAM_GPA, 48));
	EXPECT_EQ(32, counted(self, DISCARDED));
	EXPECT_EQ(16, counted(self, NO_SLOT));
	EXPECT_EQ(16, vb_memory_zero(&memory, 0, 16));
	EXPECT_EQ(16, vb_memory_intact(&memory, 16, 16, 1));
	EXPECT_EQ(16, vb_memory_zero(&memory, 32, 16));
	vb_memory_unmap(&memory);
}

TEST_F(iotlb, parts_of_pages_at_the_ends_of_a_mapping_are_left_alone)
{
	struct vb_memory memory = part(self, 0, 4, RAM_GPA);
	struct vhost_balloon_region region;

	/* The second half of page 0, page 1, page 2, and the first half of page 3. */
	memory.gpa += VB_PAGE / 2;
	memory.hva += VB_PAGE / 2;
	memory.len = 3 * VB_PAGE;
	ASSERT_EQ(0, vb_vdpa_map(&self->d, &memory, VHOST_ACCESS_RW));
	ASSERT_EQ(2, vb_get_regions(self->d.control, &region, 1, NULL));
	EXPECT_EQ(RAM_GPA + VB_PAGE, region.gpa);
	EXPECT_EQ(2 * VB_PAGE, region.len);
	EXPECT_EQ(0, vb_vdpa_inflate(&self->d, RAM_GPA, 5));
	expect_given(self, 1, 2);
	check_given(_metadata, self);
	EXPECT_EQ(3, counted(self, NO_SLOT));

	/* Unmapped as it was mapped, all of it is. */
	ASSERT_EQ(0, vb_vdpa_unmap(&self->d, &memory));
	EXPECT_EQ(1, vb_get_regions(self->d.control, NULL, 0, NULL));
}

TEST_F(iotlb, mapping_without_a_whole_page_is_no_region)
{
	struct vb_memory memory = part(self, 0, 2, RAM_GPA);

	memory.gpa += VB_PAGE / 2;
	memory.hva += VB_PAGE / 2;
	memory.len = VB_PAGE;
	ASSERT_EQ(0, vb_vdpa_map(&self->d, &memory, VHOST_ACCESS_RW));
	EXPECT_EQ(1, vb_get_regions(self->d.control, NULL, 0, NULL));
	EXPECT_EQ(0, vb_vdpa_inflate(&self->d, RAM_GPA, 2));
	check_given(_metadata, self);
	EXPECT_EQ(2, counted(self, NO_SLOT));
	EXPECT_EQ(0, vb_vdpa_unmap(&self->d, &memory));
}

TEST_F(iotlb, pages_that_are_none_of_the_vmm_are_refused)
{
	struct vb_memory memory = part(self, 0, 2, RAM_GPA + VB_PAGE / 2);

	EXPECT_GT(0, vb_vdpa_map(&self->d, &memory, VHOST_ACCESS_RW));
	EXPECT_EQ(1, vb_get_regions(self->d.control, NULL, 0, NULL));
	/* And nothing is left of it. */
	EXPECT_EQ(0, map_ram(self));
	EXPECT_EQ(2, vb_get_regions(self->d.control, NULL, 0, NULL));
}

TEST_F(iotlb, last_page_of_all_can_be_mapped)
{
	const struct vb_memory last = part(self, 0, 2, -2 * VB_PAGE);
	struct vhost_balloon_region regions[2];
	struct vhost_balloon_info info;

	ASSERT_EQ(0, vb_vdpa_map(&self->d, &last, VHOST_ACCESS_RW));
	ASSERT_EQ(2, vb_get_regions(self->d.control, regions, 2, NULL));
	EXPECT_EQ(last.gpa, regions[1].gpa);
	EXPECT_EQ(last.len, regions[1].len);
	EXPECT_NE(0, regions[1].flags & VHOST_BALLOON_REGION_ABOVE_16T);
	ASSERT_EQ(0, vb_get_info(self->d.control, &info));
	EXPECT_NE(0ULL, info.flags & VHOST_BALLOON_INFO_ABOVE_16T);
	/* Page numbers have 32 bits, and the last of those is another page. */
	EXPECT_EQ(0, vb_vdpa_inflate(&self->d, (1ULL << 44) - 2 * VB_PAGE, 2));
	check_given(_metadata, self);
	EXPECT_EQ(2, counted(self, NO_SLOT));
}

/* What may have come between before something is given away once more. */
static void do_nothing(struct __test_metadata *_metadata, FIXTURE_DATA(iotlb) *self)
{
}

static void suspend(struct __test_metadata *_metadata, FIXTURE_DATA(iotlb) *self)
{
	ASSERT_EQ(0, vb_vdpa_suspend(&self->d));
	ASSERT_EQ(0, vb_vdpa_resume(&self->d));
}

static void reset(struct __test_metadata *_metadata, FIXTURE_DATA(iotlb) *self)
{
	ASSERT_EQ(0, vb_vdpa_reset(&self->d));
	ASSERT_EQ(0, vb_vdpa_set_up(&self->d, FEATURES, 2));
}

static void reopen(struct __test_metadata *_metadata, FIXTURE_DATA(iotlb) *self)
{
	vb_vdpa_close(&self->d);
	ASSERT_EQ(0, vb_vdpa_run(&self->d, FEATURES, 2));
}

FIXTURE(iotlb_change) {
	FIXTURE_DATA(iotlb) iotlb;
};

FIXTURE_VARIANT(iotlb_change) {
	void (*between)(struct __test_metadata *_metadata, FIXTURE_DATA(iotlb) *self);
	bool closes;
};

FIXTURE_VARIANT_ADD(iotlb_change, running) { .between = do_nothing };
FIXTURE_VARIANT_ADD(iotlb_change, suspended) { .between = suspend };
FIXTURE_VARIANT_ADD(iotlb_change, reset) { .between = reset };
FIXTURE_VARIANT_ADD(iotlb_change, closed) { .between = reopen, .closes = true };

FIXTURE_SETUP(iotlb_change)
{
	const char *missing = vb_vdpa_missing();

	if (missing)
		SKIP(return, "%s", missing);
	set_up(_metadata, &self->iotlb);
}

FIXTURE_TEARDOWN(iotlb_change)
{
	tear_down(&self->iotlb);
}

TEST_F(iotlb_change, nothing_is_reached_through_a_mapping_that_is_gone)
{
	FIXTURE_DATA(iotlb) *iotlb = &self->iotlb;

	ASSERT_EQ(0, map_ram(iotlb));
	EXPECT_EQ(0, vb_vdpa_inflate(&iotlb->d, RAM_GPA, 8));
	expect_given(iotlb, 0, 8);
	ASSERT_EQ(0, vb_vdpa_unmap(&iotlb->d, &iotlb->ram.mem));
	variant->between(_metadata, iotlb);
	EXPECT_EQ(0, vb_vdpa_inflate(&iotlb->d, RAM_GPA + 8 * VB_PAGE, 8));
	EXPECT_EQ(8, counted(iotlb, DISCARDED));
	EXPECT_EQ(8, counted(iotlb, NO_SLOT));

	/* The same guest address, and other memory. */
	ASSERT_EQ(0, map_part(iotlb, 32, 16, RAM_GPA));
	EXPECT_EQ(0, vb_vdpa_inflate(&iotlb->d, RAM_GPA, 8));
	expect_given(iotlb, 32, 8);
	check_given(_metadata, iotlb);
	EXPECT_EQ(8, counted(iotlb, NO_SLOT));
}

TEST_F(iotlb_change, mapping_stays_until_the_device_is_closed)
{
	FIXTURE_DATA(iotlb) *iotlb = &self->iotlb;

	ASSERT_EQ(0, map_ram(iotlb));
	variant->between(_metadata, iotlb);
	EXPECT_EQ(variant->closes ? 1 : 2, vb_get_regions(iotlb->d.control, NULL, 0, NULL));
	EXPECT_EQ(0, vb_vdpa_inflate(&iotlb->d, RAM_GPA, 8));
	if (!variant->closes)
		expect_given(iotlb, 0, 8);
	check_given(_metadata, iotlb);
	EXPECT_EQ(variant->closes ? 8 : 0, counted(iotlb, NO_SLOT));
}

static int post_list(struct vb_vdpa *d, __u64 gpa, unsigned int nr)
{
	const struct vb_sg list = { .addr = d->buf.gpa, .len = nr * sizeof(__le32) };
	struct vb_queue *q = &d->queues[VB_INFLATE];
	int ret;

	vb_write_list(d->buf.hva, gpa, nr);
	ret = vb_ring_add(&q->ring, &list, 1);
	return ret < 0 ? ret : vb_queue_notify(q);
}

/* The device tries again and again, and doesn't get at its ring. */
static void expect_waiting(struct __test_metadata *_metadata, FIXTURE_DATA(iotlb) *self,
			   __u16 used_idx)
{
	struct vb_queue *q = &self->d.queues[VB_INFLATE];
	__u64 passes = vb_counter(self->d.control, VHOST_BALLOON_C_PASSES);

	ASSERT_EQ(0, vb_wait_counter(self->d.control, VHOST_BALLOON_C_PASSES, passes + 4));
	EXPECT_EQ(used_idx, vb_ring_used_idx(&q->ring));
	EXPECT_EQ(0, counted(self, VHOST_BALLOON_C_BROKEN));
	EXPECT_EQ(0, counted(self, VHOST_BALLOON_C_MALFORMED));
}

TEST_F(iotlb, queue_waits_as_long_as_its_ring_is_not_mapped)
{
	struct vb_vdpa *d = &self->d;

	ASSERT_EQ(0, map_ram(self));
	/* The driver comes first, and the memory of its rings late. */
	ASSERT_EQ(0, vb_vdpa_reset(d));
	ASSERT_EQ(0, vb_vdpa_unmap(d, &d->base));
	ASSERT_EQ(0, vb_vdpa_set_up(d, FEATURES, 2));
	ASSERT_EQ(0, post_list(d, RAM_GPA, 8));
	expect_waiting(_metadata, self, 0);
	ASSERT_EQ(0, vb_vdpa_map(d, &d->base, VHOST_ACCESS_RW));
	ASSERT_EQ(0, vb_queue_wait_used(&d->queues[VB_INFLATE], 1));

	/* It goes, and comes back. */
	ASSERT_EQ(0, vb_vdpa_unmap(d, &d->base));
	ASSERT_EQ(0, post_list(d, RAM_GPA + 8 * VB_PAGE, 8));
	expect_waiting(_metadata, self, 1);
	ASSERT_EQ(0, vb_vdpa_map(d, &d->base, VHOST_ACCESS_RW));
	ASSERT_EQ(0, vb_queue_wait_used(&d->queues[VB_INFLATE], 2));
	expect_given(self, 0, 16);
	check_given(_metadata, self);
}

TEST_F(iotlb, list_of_pages_has_to_be_mapped_for_reading)
{
	const struct vb_memory page = part(self, 0, 1, RAM_GPA);
	const struct vb_sg list = { .addr = RAM_GPA, .len = 8 * sizeof(__le32) };
	struct vb_queue *q = &self->d.queues[VB_INFLATE];

	ASSERT_EQ(0, map_part(self, 64, PAGES - 64, RAM_GPA + 64 * VB_PAGE));
	vb_write_list(page.hva, RAM_GPA + 64 * VB_PAGE, 8);
	EXPECT_EQ(0, vb_queue_send(q, &list, 1));
	EXPECT_EQ(1, counted(self, VHOST_BALLOON_C_MALFORMED));
	EXPECT_EQ(0, counted(self, VHOST_BALLOON_C_INFLATED));

	ASSERT_EQ(0, vb_vdpa_map(&self->d, &page, VHOST_ACCESS_RO));
	EXPECT_EQ(0, vb_queue_send(q, &list, 1));
	EXPECT_EQ(1, counted(self, VHOST_BALLOON_C_MALFORMED));
	EXPECT_EQ(8, counted(self, DISCARDED));
	EXPECT_EQ((long)(PAGES - 8), vb_backing_file_pages(&self->ram));
}

/* A process with KVM's VMs besides. */
FIXTURE(iotlb_vms) {
	struct vb_vdpa d;
	struct vb_vm vms[2];
};

FIXTURE_VARIANT(iotlb_vms) {
	unsigned int nr;
	__u32 source;
	__u64 flags;
};

FIXTURE_VARIANT_ADD(iotlb_vms, one) {
	.nr = 1,
	.source = VHOST_BALLOON_SOURCE_MEMSLOTS,
};

FIXTURE_VARIANT_ADD(iotlb_vms, two) {
	.nr = 2,
	.source = VHOST_BALLOON_SOURCE_IOTLB,
	.flags = VHOST_BALLOON_INFO_MANY_VMS,
};

FIXTURE_SETUP(iotlb_vms)
{
	const char *missing = vb_vdpa_missing() ?: vb_kvm_missing();
	unsigned int i;

	if (missing)
		SKIP(return, "%s", missing);
	for (i = 0; i < variant->nr; i++)
		ASSERT_EQ(0, vb_vm_open(&self->vms[i]));
	ASSERT_EQ(0, vb_vdpa_add(&self->d, "iotlb", 0));
}

FIXTURE_TEARDOWN(iotlb_vms)
{
	unsigned int i;

	vb_vdpa_del(&self->d);
	for (i = 0; i < variant->nr; i++)
		vb_vm_close(&self->vms[i]);
}

TEST_F(iotlb_vms, decide_whether_the_iotlb_is_used)
{
	const __u64 flags = VHOST_BALLOON_INFO_VDPA | VHOST_BALLOON_INFO_OWNED;
	struct vhost_balloon_info info;

	ASSERT_EQ(0, vb_vdpa_open(&self->d));
	ASSERT_EQ(0, vb_vdpa_bind(&self->d));
	ASSERT_EQ(0, vb_vdpa_map(&self->d, &self->d.base, VHOST_ACCESS_RW));
	EXPECT_EQ(variant->nr == 1 ? 0 : 1, vb_get_regions(self->d.control, NULL, 0, NULL));
	ASSERT_EQ(0, vb_get_info(self->d.control, &info));
	EXPECT_EQ(variant->source, info.source);
	EXPECT_EQ(flags | variant->flags, info.flags);

	vb_vdpa_close(&self->d);
	ASSERT_EQ(0, vb_get_info(self->d.control, &info));
	EXPECT_EQ(VHOST_BALLOON_SOURCE_NONE, info.source);
	EXPECT_EQ(VHOST_BALLOON_INFO_VDPA, info.flags);
}

TEST_HARNESS_MAIN
