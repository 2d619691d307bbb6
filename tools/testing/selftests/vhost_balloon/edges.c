// SPDX-License-Identifier: GPL-2.0
/*
 * A guest names pages at and beyond the edges of its memory, on every queue that takes
 * pages. Those in its slots are dealt with, exactly those, and nothing that lies next to them in the
 * VMM's address space.
 */
#include <string.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>

#include "kselftest_harness.h"
#include "vb_control.h"
#include "vb_driver.h"
#include "vb_edges.h"
#include "vb_worker.h"

#define FEATURES	(VB_FEATURE(VIRTIO_F_VERSION_1) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_MUST_TELL_HOST) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_FREE_PAGE_HINT) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_REPORTING))
#define HINT_INDEX	2
#define REPORT_INDEX	3
#define RING_NUM	64

#define MAX_NUMBERS	2048
#define MAX_PIECES	(MAX_NUMBERS + VB_EDGES_SLOTS * 32)
/* Hints keep bits for what page numbers of 32 bits reach. */
#define GFN_BITS_END	(1ULL << 32)

/* Memory as hints and reports name it. */
struct piece {
	__u64 gpa;
	__u32 len;
};

/* What is to come of it. */
struct outcome {
	bool malformed;
	__u64 gfn;
	__u64 nr;
	__u64 partial;
};

FIXTURE(edges) {
	struct vb_machine m;
	struct vb_edges e;
	struct vhost_balloon_counters before;
	__u64 numbers[MAX_NUMBERS];
	unsigned int nr_numbers;
	struct piece pieces[MAX_PIECES];
	unsigned int nr_pieces;
};

FIXTURE_VARIANT(edges) {
	enum vb_memory_kind kind;
	bool kvm;
	bool crossing;
	bool worker;
};

FIXTURE_VARIANT_ADD(edges, anon_memslots) { .kind = VB_MEMORY_ANON, .kvm = true };
FIXTURE_VARIANT_ADD(edges, memfd_memslots_crossing_worker) {
	.kind = VB_MEMORY_MEMFD, .kvm = true, .crossing = true, .worker = true,
};

FIXTURE_VARIANT_ADD(edges, anon_table_crossing) { .kind = VB_MEMORY_ANON, .crossing = true };

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
	ASSERT_EQ(0, vb_machine_add_queue(&self->m, HINT_INDEX, RING_NUM));
	ASSERT_EQ(0, vb_machine_add_queue(&self->m, REPORT_INDEX, RING_NUM));
	ASSERT_EQ(0, vb_edges_open(&self->e, &self->m, variant->kind, variant->crossing));
	ASSERT_EQ(0, vb_set_tunables(self->m.backend, VHOST_BALLOON_TUNE_INLINE,
				     variant->worker ? 0 : VHOST_BALLOON_TUNE_INLINE));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	ASSERT_EQ(0, vb_settle(self->m.backend));
	ASSERT_EQ(0, vb_get_counters(self->m.backend, &self->before));
	self->nr_numbers = vb_edges_numbers(&self->e, self->numbers, MAX_NUMBERS);
	ASSERT_GT(MAX_NUMBERS, self->nr_numbers);
}

FIXTURE_TEARDOWN(edges)
{
	vb_machine_close(&self->m);
	vb_edges_close(&self->e);
}

static __u64 risen(FIXTURE_DATA(edges) *self, enum vhost_balloon_counter counter)
{
	return vb_counter(self->m.backend, counter) - self->before.value[counter];
}

static enum vhost_balloon_counter discarded(const FIXTURE_DATA(edges) *self)
{
	return self->e.kind == VB_MEMORY_ANON ? VHOST_BALLOON_C_DISCARD_ANON :
						VHOST_BALLOON_C_DISCARD_SHMEM;
}

/* Who served it depends on the variant, so that both ways were tested. */
static void expect_served(struct __test_metadata *_metadata, FIXTURE_DATA(edges) *self,
			  bool by_worker)
{
	EXPECT_EQ(by_worker || vb_inline_missing(),
		  risen(self, VHOST_BALLOON_C_PASSES_INLINE) == 0);
}

TEST_F_TIMEOUT(edges, inflated_page_goes_if_it_lies_in_a_slot_and_no_other, 120)
{
	__u64 in_slots = 0, all = 0, gone;
	unsigned int i;
	__u32 pfn;

	for (i = 0; i < self->nr_numbers; i++) {
		if (self->numbers[i] > ~0U)
			continue;
		pfn = self->numbers[i];
		gone = vb_edges_take(&self->e, pfn, 1);
		in_slots += gone;
		all++;
		ASSERT_EQ(0, vb_machine_inflate(&self->m, &pfn, 1));
		ASSERT_EQ(0U, vb_edges_wrong(&self->e)) {
			TH_LOG("page number %#x", pfn);
		}
		ASSERT_EQ(in_slots, risen(self, discarded(self)));
		ASSERT_EQ(all - in_slots, risen(self, VHOST_BALLOON_C_SKIP_NO_SLOT));
		if (gone)
			vb_edges_restore(&self->e);
	}
	EXPECT_LT(20ULL, in_slots);
	EXPECT_LT(100ULL, all - in_slots);
	EXPECT_EQ(all, risen(self, VHOST_BALLOON_C_INFLATED));
	EXPECT_EQ(0ULL, risen(self, VHOST_BALLOON_C_MALFORMED));
	expect_served(_metadata, self, variant->worker);
}

/* All page numbers of 32 bits, the order of which means nothing. Takes them as named. */
static unsigned int shuffle(FIXTURE_DATA(edges) *self, __u32 *pfn, __u64 *in_slots)
{
	unsigned int i, nr = 0;

	*in_slots = 0;
	for (i = 0; i < self->nr_numbers; i++) {
		/* A prime that is larger: each has its turn. */
		__u64 gfn = self->numbers[i * 7919ULL % self->nr_numbers];

		if (gfn > ~0U)
			continue;
		pfn[nr++] = gfn;
		*in_slots += vb_edges_take(&self->e, gfn, 1);
	}
	return nr;
}

TEST_F(edges, inflated_pages_of_one_request_go_if_they_lie_in_slots_and_no_others)
{
	__u32 pfn[MAX_NUMBERS];
	__u64 in_slots;
	unsigned int nr = shuffle(self, pfn, &in_slots);

	ASSERT_EQ(0, vb_machine_inflate(&self->m, pfn, nr));
	EXPECT_EQ(0U, vb_edges_wrong(&self->e));
	EXPECT_EQ(in_slots, risen(self, discarded(self)));
	EXPECT_EQ(nr - in_slots, risen(self, VHOST_BALLOON_C_SKIP_NO_SLOT));
	EXPECT_EQ(nr, risen(self, VHOST_BALLOON_C_INFLATED));
	EXPECT_EQ(0ULL, risen(self, VHOST_BALLOON_C_DUPLICATE));
}

TEST_F(edges, deflated_pages_stay_as_they_are)
{
	__u32 pfn[MAX_NUMBERS];
	__u64 in_slots;
	unsigned int nr = shuffle(self, pfn, &in_slots);

	ASSERT_EQ(0, vb_machine_deflate(&self->m, pfn, nr));
	EXPECT_EQ(nr, risen(self, VHOST_BALLOON_C_DEFLATED));
	memset(self->e.taken, 0, sizeof(self->e.taken));
	EXPECT_EQ(0U, vb_edges_wrong(&self->e));
	/* Nor is anything brought in. */
	ASSERT_EQ(0, vb_edges_drop(&self->e));
	ASSERT_EQ(0, vb_machine_deflate(&self->m, pfn, nr));
	EXPECT_EQ(0U, vb_edges_misplaced(&self->e));
	EXPECT_EQ(0ULL, risen(self, VHOST_BALLOON_C_POPULATED));
	EXPECT_EQ(-1, vb_miscounted(self->m.backend, &self->before, discarded(self), 0));
}

TEST_F_TIMEOUT(edges, deflated_page_is_populated_if_it_lies_in_a_slot_and_no_other, 120)
{
	__u64 in_slots = 0, there;
	unsigned int i;
	__u32 pfn;

	ASSERT_EQ(0, vb_set_tunables(self->m.backend, VHOST_BALLOON_TUNE_POPULATE,
				     VHOST_BALLOON_TUNE_POPULATE));
	ASSERT_EQ(0, vb_edges_drop(&self->e));
	for (i = 0; i < self->nr_numbers; i++) {
		if (self->numbers[i] > ~0U)
			continue;
		pfn = self->numbers[i];
		there = vb_edges_take(&self->e, pfn, 1);
		in_slots += there;
		ASSERT_EQ(0, vb_machine_deflate(&self->m, &pfn, 1));
		ASSERT_EQ(0U, vb_edges_misplaced(&self->e)) {
			TH_LOG("page number %#x", pfn);
		}
		ASSERT_EQ(in_slots, risen(self, VHOST_BALLOON_C_POPULATED));
		if (there)
			ASSERT_EQ(0, vb_edges_drop(&self->e));
	}
	EXPECT_LT(20ULL, in_slots);
	EXPECT_EQ(0ULL, risen(self, VHOST_BALLOON_C_POPULATE_FAILED));
}

static void add_piece(FIXTURE_DATA(edges) *self, __u64 gpa, __u32 len)
{
	self->pieces[self->nr_pieces++] = (struct piece) { gpa, len };
}

/* From around the first page of a slot to around its last one; and much longer ones. */
static void add_slot_pieces(FIXTURE_DATA(edges) *self, const struct vb_edges_slot *s)
{
	__u64 gpa = s->gfn * VB_PAGE, last = (s->gfn + s->nr - 1) * VB_PAGE;
	int a, b;

	for (a = -2; a <= 2; a++)
		for (b = -2; b <= 2; b++)
			if ((int)s->nr + b - a > 0)
				add_piece(self, gpa + a * (__s64)VB_PAGE,
					  (s->nr + b - a) * VB_PAGE);
	add_piece(self, gpa, ~0U);
	add_piece(self, last, ~0U);
	add_piece(self, last + VB_PAGE - 1, ~0U);
	add_piece(self, gpa - 0xfffff000ULL, 0xfffff000U);
	add_piece(self, last + 1, VB_PAGE);
}

static void choose_pieces(FIXTURE_DATA(edges) *self)
{
	static const struct piece odd[] = {
		{ 0, ~0U }, { 0, 0 },
		{ (1ULL << 32) - VB_PAGE, 2 * VB_PAGE }, { (1ULL << 44) - VB_PAGE, 2 * VB_PAGE },
		{ (1ULL << 52) - VB_PAGE, 2 * VB_PAGE }, { (1ULL << 63) - VB_PAGE, 2 * VB_PAGE },
		/* The end of all addresses, and beyond. */
		{ -VB_PAGE, VB_PAGE }, { -VB_PAGE, VB_PAGE + 1 }, { -VB_PAGE, 2 * VB_PAGE },
		{ -2 * VB_PAGE, ~0U }, { -1ULL, 1 }, { -1ULL, 2 }, { -1ULL, ~0U },
		{ -0xffffffffULL, ~0U }, { -0xfffffffeULL, ~0U },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(odd); i++)
		add_piece(self, odd[i].gpa, odd[i].len);
	for (i = 0; i < self->e.nr_slots; i++)
		add_slot_pieces(self, &self->e.slots[i]);
	for (i = 0; i < self->nr_numbers; i++)
		add_piece(self, self->numbers[i] * VB_PAGE, VB_PAGE);
}

static struct outcome outcome_of(const struct piece *p)
{
	const unsigned __int128 end = (unsigned __int128)p->gpa + p->len;
	struct outcome o = { .malformed = end > (unsigned __int128)VB_EDGES_GFN_END * VB_PAGE };
	__u64 end_gfn = end / VB_PAGE, touched;

	if (o.malformed || !p->len)
		return o;
	o.gfn = p->gpa / VB_PAGE + !!(p->gpa % VB_PAGE);
	o.nr = end_gfn > o.gfn ? end_gfn - o.gfn : 0;
	touched = end_gfn + !!(end % VB_PAGE) - p->gpa / VB_PAGE;
	o.partial = touched - o.nr;
	return o;
}

TEST_F_TIMEOUT(edges, reported_pages_go_if_they_lie_in_slots_and_no_others, 120)
{
	struct vb_queue *q = vb_machine_queue(&self->m, REPORT_INDEX);
	__u64 all = 0, in_slots = 0, partial = 0, malformed = 0;
	unsigned int i;

	choose_pieces(self);
	for (i = 0; i < self->nr_pieces; i++) {
		const struct piece *p = &self->pieces[i];
		struct outcome o = outcome_of(p);
		__u64 gone = vb_edges_take(&self->e, o.gfn, o.nr);

		in_slots += gone;
		all += o.nr;
		partial += o.partial;
		malformed += o.malformed;
		ASSERT_EQ(0, vb_send_piece(q, p->gpa, p->len));
		ASSERT_EQ(0U, vb_edges_wrong(&self->e)) {
			TH_LOG("%#x bytes at %#llx", p->len, p->gpa);
		}
		ASSERT_EQ(in_slots, risen(self, discarded(self)) +
				    (self->e.kind == VB_MEMORY_ANON ? 0 :
				     risen(self, VHOST_BALLOON_C_DISCARD_ANON)));
		ASSERT_EQ(all - in_slots, risen(self, VHOST_BALLOON_C_SKIP_NO_SLOT));
		if (gone)
			vb_edges_restore(&self->e);
	}
	EXPECT_LT(200ULL, in_slots);
	EXPECT_EQ(all, risen(self, VHOST_BALLOON_C_REPORTED));
	EXPECT_EQ(partial, risen(self, VHOST_BALLOON_C_SKIP_PARTIAL));
	EXPECT_LT(4ULL, malformed);
	EXPECT_EQ(malformed, risen(self, VHOST_BALLOON_C_MALFORMED));
	EXPECT_EQ(0ULL, risen(self, VHOST_BALLOON_C_BROKEN));
	expect_served(_metadata, self, variant->worker);
}

/* Fetches the bits of a slot, and of what is around it, as pages of the VMM's. */
static int fetch_slot(FIXTURE_DATA(edges) *self, const struct vb_edges_slot *s, bool *hinted)
{
	__u64 bitmap[8], gfn = s->gfn & ~63ULL;
	unsigned int nr = (s->gfn + s->nr - gfn + 63) / 64 * 64, i;
	int set = vb_hint_fetch(self->m.backend, gfn, nr, bitmap);

	for (i = 0; set >= 0 && i < nr; i++) {
		int page = vb_edges_page(&self->e, gfn + i);

		if (!(bitmap[i / 64] >> i % 64 & 1))
			continue;
		if (page == VB_EDGES_NOWHERE)
			return -1;
		if (page != VB_EDGES_BUF)
			hinted[page] = true;
	}
	return set;
}

/* All bits that there are: their number, or -1 if there are others than there should be. */
static int fetch_all(FIXTURE_DATA(edges) *self)
{
	bool hinted[VB_EDGES_PAGES] = {};
	unsigned int i;
	int set = 0;

	for (i = 0; i < self->e.nr_slots; i++) {
		int ret = fetch_slot(self, &self->e.slots[i], hinted);

		if (ret < 0)
			return ret;
		set += ret;
	}
	return memcmp(hinted, self->e.taken, sizeof(hinted)) ? -1 : set;
}

TEST_F_TIMEOUT(edges, hinted_pages_have_bits_if_they_lie_in_slots_and_no_others_have, 120)
{
	struct vb_queue *q = vb_machine_queue(&self->m, HINT_INDEX);
	__u64 all = 0, hinted = 0, bits, partial = 0, malformed = 0;
	unsigned int i;
	__u32 cmd_id;

	choose_pieces(self);
	ASSERT_EQ(0, vb_hint_start(self->m.backend, &cmd_id));
	ASSERT_EQ(0, vb_send_command(q, &self->m.buf, cmd_id));
	for (i = 0; i < self->nr_pieces; i++) {
		const struct piece *p = &self->pieces[i];
		struct outcome o = outcome_of(p);
		__u64 nr = o.gfn >= GFN_BITS_END ? 0 : o.nr;

		if (nr > GFN_BITS_END - o.gfn)
			nr = GFN_BITS_END - o.gfn;
		bits = vb_edges_take(&self->e, o.gfn, nr);
		hinted += bits;
		all += o.nr;
		partial += o.partial;
		malformed += o.malformed;
		ASSERT_EQ(0, vb_send_piece(q, p->gpa, p->len));
		ASSERT_EQ((int)bits, fetch_all(self)) {
			TH_LOG("%#x bytes at %#llx", p->len, p->gpa);
		}
		memset(self->e.taken, 0, sizeof(self->e.taken));
		/* It could have been a command. */
		if (o.malformed)
			ASSERT_EQ(0, vb_send_command(q, &self->m.buf, cmd_id));
	}
	EXPECT_LT(200ULL, hinted);
	EXPECT_EQ(hinted, risen(self, VHOST_BALLOON_C_HINTED));
	EXPECT_EQ(all - hinted, risen(self, VHOST_BALLOON_C_HINT_NO_REGION));
	EXPECT_EQ(partial, risen(self, VHOST_BALLOON_C_SKIP_PARTIAL));
	EXPECT_EQ(malformed, risen(self, VHOST_BALLOON_C_MALFORMED));
	EXPECT_EQ(0ULL, risen(self, VHOST_BALLOON_C_HINT_STALE));
	/* A hint takes nothing. */
	EXPECT_EQ(0U, vb_edges_wrong(&self->e));
	EXPECT_EQ(0ULL, risen(self, VHOST_BALLOON_C_DISCARD_OPS));
}

TEST_HARNESS_MAIN
