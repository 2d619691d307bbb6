// SPDX-License-Identifier: GPL-2.0
/*
 * Lists of page numbers, and tables and rings that begin in a slot and end behind it, or that lie
 * where no slot is: what is next to a slot in the VMM's address space is neither read nor written.
 */
#include <endian.h>
#include <string.h>
#include <linux/virtio_config.h>

#include "kselftest_harness.h"
#include "vb_edges.h"
#include "vb_vdpa.h"

#define FEATURES	(VB_FEATURE(VIRTIO_F_VERSION_1) | \
			 VB_FEATURE(VIRTIO_RING_F_INDIRECT_DESC))
#define RING_NUM	16
#define MAX_NUMBERS	2048

FIXTURE(edges) {
	struct vb_machine m;
	struct vb_edges e;
};

FIXTURE_VARIANT(edges) {
	bool kvm;
	bool worker;
};

FIXTURE_VARIANT_ADD(edges, memslots) { .kvm = true };
FIXTURE_VARIANT_ADD(edges, memslots_worker) { .kvm = true, .worker = true };
FIXTURE_VARIANT_ADD(edges, table) {};

FIXTURE_SETUP(edges)
{
	const char *missing = variant->kvm ? vb_kvm_missing() : NULL;
	int ret;

	if (missing)
		SKIP(return, "%s", missing);
	ret = vb_machine_open(&self->m, variant->kvm, FEATURES, RING_NUM);
	ASSERT_EQ(0, ret) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-ret));
	}
	ASSERT_EQ(0, vb_edges_open(&self->e, &self->m, VB_MEMORY_ANON, false));
	ASSERT_EQ(0, vb_set_tunables(self->m.backend, VHOST_BALLOON_TUNE_INLINE,
				     variant->worker ? 0 : VHOST_BALLOON_TUNE_INLINE));
	ASSERT_EQ(0, vb_machine_start(&self->m));
}

FIXTURE_TEARDOWN(edges)
{
	vb_machine_close(&self->m);
	vb_edges_close(&self->e);
}

static void *at_page(FIXTURE_DATA(edges) *self, unsigned int page)
{
	return self->e.memory.hva + page * VB_PAGE;
}

/* Pages of the machine's memory that are named in the tests' lists. */
#define FIRST_GFN	0U
#define FIRST_PAGE	1U
#define SECOND_GFN	1U
#define SECOND_PAGE	2U

static void put_number(void *at, __u32 pfn)
{
	const __le32 word = htole32(pfn);

	memcpy(at, &word, sizeof(word));
}

static bool is_gone(FIXTURE_DATA(edges) *self, unsigned int page)
{
	return vb_memory_zero(&self->e.memory, page, 1);
}

static __u64 counter(FIXTURE_DATA(edges) *self, enum vhost_balloon_counter which)
{
	return vb_counter(self->m.backend, which);
}

/* One that nothing follows in the guest. */
static const struct vb_edges_slot *lonely_slot(FIXTURE_DATA(edges) *self)
{
	unsigned int i;

	for (i = 0; i < self->e.nr_slots; i++)
		if (self->e.slots[i].gfn == VB_EDGES_UPPER_GFN)
			return &self->e.slots[i];
	return NULL;
}

TEST_F(edges, list_is_not_read_behind_the_end_of_its_slot)
{
	const struct vb_edges_slot *s = lonely_slot(self);
	__u64 end = (s->gfn + s->nr) * VB_PAGE;
	void *behind = at_page(self, s->page + s->nr);
	struct vb_sg sg = { .addr = end - 4, .len = 8 };

	put_number(behind - 4, FIRST_GFN);
	put_number(behind, SECOND_GFN);
	ASSERT_EQ(0, vb_queue_send(&self->m.inflate, &sg, 1));
	EXPECT_EQ(1ULL, counter(self, VHOST_BALLOON_C_INFLATED));
	EXPECT_EQ(1ULL, counter(self, VHOST_BALLOON_C_MALFORMED));
	EXPECT_TRUE(is_gone(self, FIRST_PAGE));
	EXPECT_FALSE(is_gone(self, SECOND_PAGE));
}

/* The page behind the lower slot in the VMM's address space is none of the guest's. */
TEST_F(edges, list_goes_on_in_the_slot_that_is_next_for_the_guest)
{
	unsigned int last = vb_edges_page(&self->e, VB_EDGES_UPPER_GFN - 1);
	unsigned int next = vb_edges_page(&self->e, VB_EDGES_UPPER_GFN);
	struct vb_sg sg = { .addr = VB_EDGES_UPPER_GFN * VB_PAGE - 4, .len = 8 };

	ASSERT_NE(last + 1, next);
	put_number(at_page(self, last + 1) - 4, FIRST_GFN);
	put_number(at_page(self, last + 1), FIRST_GFN + 2);
	put_number(at_page(self, next), SECOND_GFN);
	ASSERT_EQ(0, vb_queue_send(&self->m.inflate, &sg, 1));
	EXPECT_EQ(2ULL, counter(self, VHOST_BALLOON_C_INFLATED));
	EXPECT_TRUE(is_gone(self, FIRST_PAGE));
	EXPECT_TRUE(is_gone(self, SECOND_PAGE));
	EXPECT_FALSE(is_gone(self, FIRST_PAGE + 2));
}

/* Two page numbers in the buffer, and a table of two descriptors that name one each. */
static void put_numbers(FIXTURE_DATA(edges) *self, struct vring_desc *first,
			struct vring_desc *second)
{
	put_number(self->m.buf.hva, FIRST_GFN);
	put_number(self->m.buf.hva + 4, SECOND_GFN);
	vb_ring_set_desc(first, VB_BUF_GPA, 4, VRING_DESC_F_NEXT, 1);
	vb_ring_set_desc(second, VB_BUF_GPA + 4, 4, 0, 0);
}

static int send_table(FIXTURE_DATA(edges) *self, __u64 gpa, unsigned int entries)
{
	struct vb_sg sg = { .addr = gpa, .len = entries * sizeof(struct vring_desc) };
	struct vb_queue *q = &self->m.inflate;
	int head = vb_ring_add(&q->ring, &sg, 1);
	int ret;

	if (head < 0)
		return head;
	q->ring.desc[head].flags = htole16(VRING_DESC_F_INDIRECT);
	ret = vb_queue_notify(q);
	if (!ret)
		ret = vb_queue_wait_used(q, q->ring.avail_idx);
	if (ret)
		return ret;
	return vb_ring_get_used(&q->ring, NULL, NULL) == 1 ? 0 : -1;
}

TEST_F(edges, table_is_not_read_behind_the_end_of_its_slot)
{
	const struct vb_edges_slot *s = lonely_slot(self);
	__u64 end = (s->gfn + s->nr) * VB_PAGE;
	struct vring_desc *behind = at_page(self, s->page + s->nr);

	put_numbers(self, behind - 1, behind);
	ASSERT_EQ(0, send_table(self, end - sizeof(*behind), 2));
	EXPECT_EQ(1ULL, counter(self, VHOST_BALLOON_C_MALFORMED));
	EXPECT_TRUE(is_gone(self, FIRST_PAGE));
	EXPECT_FALSE(is_gone(self, SECOND_PAGE));
	EXPECT_EQ(0ULL, counter(self, VHOST_BALLOON_C_BROKEN));
}

TEST_F(edges, table_goes_on_in_the_slot_that_is_next_for_the_guest)
{
	unsigned int last = vb_edges_page(&self->e, VB_EDGES_UPPER_GFN - 1);
	unsigned int next = vb_edges_page(&self->e, VB_EDGES_UPPER_GFN);
	struct vring_desc *behind = at_page(self, last + 1);

	put_numbers(self, behind - 1, at_page(self, next));
	ASSERT_EQ(0, send_table(self, VB_EDGES_UPPER_GFN * VB_PAGE - sizeof(*behind), 2));
	EXPECT_EQ(0ULL, counter(self, VHOST_BALLOON_C_MALFORMED));
	EXPECT_TRUE(is_gone(self, FIRST_PAGE));
	EXPECT_TRUE(is_gone(self, SECOND_PAGE));
}

/* Everything of the VMM's names a page of the guest's, wherever it is read. */
static void name_a_page_everywhere(FIXTURE_DATA(edges) *self)
{
	struct vring_desc *desc = self->e.memory.hva;
	unsigned int i;

	put_number(self->m.buf.hva, FIRST_GFN);
	for (i = 0; i < self->e.memory.len / sizeof(*desc); i++)
		vb_ring_set_desc(&desc[i], VB_BUF_GPA, 4, 0, 0);
}

TEST_F_TIMEOUT(edges, lists_and_tables_that_are_in_no_slot_are_malformed, 120)
{
	__u64 numbers[MAX_NUMBERS], outside = 0;
	unsigned int nr = vb_edges_numbers(&self->e, numbers, MAX_NUMBERS), i;

	name_a_page_everywhere(self);
	for (i = 0; i < nr; i++) {
		struct vb_sg sg = { .addr = numbers[i] * VB_PAGE, .len = 16 };

		if (vb_edges_page(&self->e, numbers[i]) != VB_EDGES_NOWHERE)
			continue;
		outside++;
		ASSERT_EQ(0, vb_queue_send(&self->m.inflate, &sg, 1));
		ASSERT_EQ(0, send_table(self, sg.addr, 1));
		ASSERT_EQ(2 * outside, counter(self, VHOST_BALLOON_C_MALFORMED)) {
			TH_LOG("at %#llx", sg.addr);
		}
	}
	EXPECT_LT(200ULL, outside);
	EXPECT_EQ(0ULL, counter(self, VHOST_BALLOON_C_INFLATED));
	EXPECT_EQ(0ULL, counter(self, VHOST_BALLOON_C_BROKEN));
	/* In a slot they are what they seem. */
	ASSERT_EQ(0, send_table(self, SECOND_GFN * VB_PAGE, 1));
	EXPECT_TRUE(is_gone(self, FIRST_PAGE));
}

/* A device that takes guest addresses of rings, too. */
#define RING_GPA	0x10000000ULL
#define USED_GPA	(RING_GPA + 2 * VB_PAGE)
#define PAGES		8U
#define SEED		0x41
/* Where the ring lies: descriptors, available ring, used ring, a page each. */
#define RING_PAGE	1U
#define USED_PAGE	3U
#define OTHER_PAGE	5U

FIXTURE(ring) {
	struct vb_vm vm;
	struct vb_vdpa d;
	struct vb_memory memory;
	struct vb_queue q;
};

FIXTURE_SETUP(ring)
{
	const char *missing = vb_vdpa_missing() ?: vb_kvm_missing();

	if (missing)
		SKIP(return, "%s", missing);
	self->q.kick = -1;
	self->q.call = -1;
	self->q.err = -1;
	ASSERT_EQ(0, vb_memory_map(&self->memory, VB_MEMORY_ANON, 0, PAGES * VB_PAGE));
	vb_memory_fill(&self->memory, 0, PAGES, SEED);
	ASSERT_EQ(0, vb_vm_open(&self->vm));
	ASSERT_EQ(0, vb_vdpa_add(&self->d, "edges", 0));
	ASSERT_EQ(0, vb_vdpa_open(&self->d));
	ASSERT_EQ(0, vb_vdpa_bind(&self->d));
	ASSERT_EQ(0, vb_vm_set_slot(&self->vm, 0, 0, VB_VDPA_GPA, self->d.base.len,
				    self->d.base.hva));
	/* All but the used ring. */
	ASSERT_EQ(0, vb_vm_set_slot(&self->vm, 1, 0, RING_GPA, 2 * VB_PAGE,
				    self->memory.hva + RING_PAGE * VB_PAGE));
}

FIXTURE_TEARDOWN(ring)
{
	vb_queue_exit(&self->q);
	vb_vdpa_del(&self->d);
	vb_vm_close(&self->vm);
	vb_memory_unmap(&self->memory);
}

/* The queue for inflation, whose used ring lies behind the slot; and deflation as it should be. */
static int set_up(FIXTURE_DATA(ring) *self)
{
	const struct vb_memory ring = {
		.gpa = RING_GPA, .len = 3 * VB_PAGE,
		.hva = self->memory.hva + RING_PAGE * VB_PAGE,
	};
	int ret;

	memset(ring.hva, 0, ring.len);
	ret = vb_vdpa_negotiate(&self->d, VB_FEATURE(VIRTIO_F_VERSION_1));
	if (!ret)
		ret = vb_vdpa_add_queue(&self->d, VB_DEFLATE, RING_NUM);
	if (!ret)
		ret = vb_queue_init_guest(&self->q, self->d.fd, VB_INFLATE, RING_NUM, &ring);
	/* Enabled with the others. */
	self->d.queues[VB_INFLATE] = self->q;
	vb_memory_fill(&self->memory, USED_PAGE, 1, SEED);
	if (!ret)
		ret = vb_vdpa_start(&self->d);
	memset(&self->d.queues[VB_INFLATE], 0, sizeof(self->d.queues[VB_INFLATE]));
	return ret;
}

static int deflate(FIXTURE_DATA(ring) *self)
{
	const __u32 page = 1;

	return vb_queue_send_pages(&self->d.queues[VB_DEFLATE], &self->d.buf, &page, 1);
}

TEST_F(ring, is_not_written_behind_the_end_of_its_slot)
{
	struct vb_sg sg = { .addr = self->d.buf.gpa + VB_PAGE, .len = 4 };
	unsigned int i;

	ASSERT_EQ(0, set_up(self));
	put_number(self->d.buf.hva + VB_PAGE, 1);
	ASSERT_LE(0, vb_ring_add(&self->q.ring, &sg, 1));
	vb_ring_publish(&self->q.ring);
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, vb_queue_kick(&self->q));
		ASSERT_EQ(0, deflate(self));
	}
	EXPECT_EQ(RING_PAGE + PAGES - USED_PAGE,
		  vb_memory_intact(&self->memory, 0, RING_PAGE, SEED) +
		  vb_memory_intact(&self->memory, USED_PAGE, PAGES - USED_PAGE, SEED));

	/* The guest has a page there, which lies elsewhere in the VMM. */
	memset(self->memory.hva + OTHER_PAGE * VB_PAGE, 0, VB_PAGE);
	ASSERT_EQ(0, vb_vm_set_slot(&self->vm, 2, 0, USED_GPA, VB_PAGE,
				    self->memory.hva + OTHER_PAGE * VB_PAGE));
	self->q.ring.used = self->memory.hva + OTHER_PAGE * VB_PAGE;
	ASSERT_EQ(0, vb_queue_kick(&self->q));
	EXPECT_EQ(0, vb_queue_wait_used(&self->q, 1));
	EXPECT_EQ(1U, vb_memory_intact(&self->memory, USED_PAGE, 1, SEED));
	EXPECT_EQ(1U, vb_memory_intact(&self->memory, OTHER_PAGE + 1, 1, SEED));
}

TEST_HARNESS_MAIN
