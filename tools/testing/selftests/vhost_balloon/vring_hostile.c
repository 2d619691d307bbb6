// SPDX-License-Identifier: GPL-2.0
/*
 * Drivers and VMMs at their worst: rings whose memory is gone, rings of random
 * bytes, rings that change while they are read. Nothing hangs, no memory is
 * touched that isn't the guest's, and the device can be used afterwards.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <linux/virtio_config.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "vb_hostile.h"
#include "vb_random.h"

#define V1		VB_FEATURE(VIRTIO_F_VERSION_1)
#define EVENT_IDX	VB_FEATURE(VIRTIO_RING_F_EVENT_IDX)
#define INDIRECT	VB_FEATURE(VIRTIO_RING_F_INDIRECT_DESC)

/* For each of two variants; VB_RINGS in the environment says otherwise. */
#define RANDOM_RINGS	5000U
#define SCRIBBLED_KICKS	3000
/* So often the ring has broken too: the scribbler may get a CPU late. */
#define SCRIBBLED_BREAKS	20U
/* Memory of the VMM's own, next to the guest's. */
#define OWN_PAGES	16U
#define OWN_SEED	5

enum ring_part { PART_DESC, PART_AVAIL, PART_USED };

static void *ring_part(struct vb_ring *ring, enum ring_part part)
{
	switch (part) {
	case PART_DESC:
		return ring->desc;
	case PART_AVAIL:
		return ring->avail;
	default:
		return ring->used;
	}
}

/* The VMM takes a part of a running ring away. */
FIXTURE(unreachable) {
	struct vb_machine m;
	struct vb_memory ram;
};

FIXTURE_VARIANT(unreachable) {
	enum ring_part part;
	/* What is left of it; -1: nothing, it is unmapped. */
	int prot;
	__u64 features;
};

FIXTURE_VARIANT_ADD(unreachable, desc_unmapped) {
	.part = PART_DESC, .prot = -1, .features = V1,
};

FIXTURE_VARIANT_ADD(unreachable, avail_unmapped) {
	.part = PART_AVAIL, .prot = -1, .features = V1,
};

FIXTURE_VARIANT_ADD(unreachable, used_unmapped) {
	.part = PART_USED, .prot = -1, .features = V1,
};

FIXTURE_VARIANT_ADD(unreachable, desc_unreadable) {
	.part = PART_DESC, .prot = PROT_NONE, .features = V1,
};

FIXTURE_VARIANT_ADD(unreachable, avail_unreadable) {
	.part = PART_AVAIL, .prot = PROT_NONE, .features = V1 | EVENT_IDX,
};

FIXTURE_VARIANT_ADD(unreachable, used_unmapped_event_idx) {
	.part = PART_USED, .prot = -1, .features = V1 | EVENT_IDX,
};

FIXTURE_VARIANT_ADD(unreachable, used_read_only) {
	.part = PART_USED, .prot = PROT_READ, .features = V1,
};

FIXTURE_SETUP(unreachable)
{
	int ret = vb_hostile_open(&self->m, &self->ram, variant->features);

	ASSERT_EQ(0, ret) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-ret));
	}
}

FIXTURE_TEARDOWN(unreachable)
{
	vb_hostile_close(&self->m, &self->ram);
}

TEST_F(unreachable, ring_breaks_its_queue)
{
	struct vb_queue *q = &self->m.inflate;
	void *part = ring_part(&q->ring, variant->part);
	struct vhost_balloon_info info;
	unsigned int i;

	ASSERT_EQ(0, vb_hostile_inflate(&self->m, 0));
	vb_hostile_desc(&self->m, 1, VB_BUF_GPA, 4, 0, 0);
	ASSERT_EQ(0, variant->prot < 0 ? munmap(part, VB_PAGE) :
					 mprotect(part, VB_PAGE, variant->prot));
	/* The index is looked at anyway, descriptors if there is one. */
	if (variant->part != PART_AVAIL)
		vb_hostile_avail(&self->m, 1);
	ASSERT_EQ(0, vb_queue_kick(q));
	EXPECT_EQ(1, vb_queue_wait_err(q));
	ASSERT_EQ(0, vb_get_info(self->m.backend, &info));
	EXPECT_TRUE(info.queues[VB_INFLATE].flags & VHOST_BALLOON_QUEUE_BROKEN);
	EXPECT_EQ((__u32)VHOST_BALLOON_BROKEN_RING_ACCESS, info.queues[VB_INFLATE].broken);
	for (i = 0; i < 5; i++)
		ASSERT_EQ(0, vb_hostile_deflate(&self->m));
	EXPECT_EQ(0, vb_machine_stop(&self->m));
	EXPECT_EQ(0, vb_eventfd_count(q->err));
}

TEST_F(unreachable, ring_is_healed_by_one_that_can_be_reached)
{
	struct vb_queue *q = &self->m.inflate;
	void *part = ring_part(&q->ring, variant->part);
	void *new;

	new = mmap(part, VB_PAGE, PROT_NONE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_EQ(part, new);
	if (variant->part != PART_AVAIL)
		vb_hostile_avail(&self->m, 0);
	ASSERT_EQ(0, vb_queue_kick(q));
	EXPECT_EQ(1, vb_queue_wait_err(q));
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	ASSERT_EQ(0, mprotect(part, VB_PAGE, PROT_READ | PROT_WRITE));
	ASSERT_EQ(0, vb_queue_reset(q, 0));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	EXPECT_EQ(0, vb_hostile_inflate(&self->m, 5));
	EXPECT_EQ(1U, vb_memory_zero(&self->ram, 5, 1));
}

FIXTURE(random) {
	struct vb_machine m;
	struct vb_memory ram;
	struct vb_memory own;
	__u64 state;
};

FIXTURE_VARIANT(random) {
	__u64 features;
};

FIXTURE_VARIANT_ADD(random, flags) { .features = V1 | INDIRECT };
FIXTURE_VARIANT_ADD(random, event_idx) { .features = V1 | INDIRECT | EVENT_IDX };

FIXTURE_SETUP(random)
{
	int ret = vb_hostile_open(&self->m, &self->ram, variant->features);
	__u64 words_state = 1;
	__u32 *words;
	unsigned int i;

	ASSERT_EQ(0, ret) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-ret));
	}
	ASSERT_EQ(0, vb_memory_map(&self->own, VB_MEMORY_ANON, 0, OWN_PAGES * VB_PAGE));
	vb_memory_fill(&self->own, 0, OWN_PAGES, OWN_SEED);
	self->state = vb_random_seed(1);

	/* Page numbers that lie in the memory, or anywhere; the same for every ring. */
	words = self->m.buf.hva + VB_TABLE2_OFFSET + VB_PAGE;
	for (i = 0; i < 16 * VB_PAGE / sizeof(*words); i++)
		words[i] = vb_random_below(&words_state, 16) ?
			   vb_memory_gfn(&self->ram, vb_random_below(&words_state, 64)) :
			   vb_random(&words_state);
}

FIXTURE_TEARDOWN(random)
{
	vb_hostile_close(&self->m, &self->ram);
	vb_memory_unmap(&self->own);
}

/* After all of that, everything works as on the first day. */
static void expect_healthy(struct __test_metadata *_metadata, struct _test_data_random *self)
{
	struct vb_queue *q = &self->m.inflate;
	struct vb_memory buf = {
		.gpa = VB_TABLE2_GPA, .len = VB_PAGE, .hva = self->m.buf.hva + VB_TABLE2_OFFSET,
	};
	__u32 gfn = vb_memory_gfn(&self->ram, 11);

	ASSERT_EQ(0, vb_machine_stop(&self->m));
	ASSERT_EQ(0, vb_queue_reset(q, 0));
	vb_memory_fill(&self->ram, 0, VB_HOSTILE_PAGES, VB_HOSTILE_SEED);
	ASSERT_EQ(0, vb_machine_start(&self->m));
	EXPECT_EQ(0, vb_queue_send_pages(q, &buf, &gfn, 1));
	EXPECT_EQ(1U, vb_memory_zero(&self->ram, 11, 1));
	EXPECT_EQ(VB_HOSTILE_PAGES - 1,
		  vb_memory_intact(&self->ram, 0, VB_HOSTILE_PAGES, VB_HOSTILE_SEED));
	EXPECT_EQ(0, vb_hostile_deflate(&self->m));
	EXPECT_EQ(OWN_PAGES, vb_memory_intact(&self->own, 0, OWN_PAGES, OWN_SEED));
	EXPECT_EQ(0, vb_eventfd_count(self->m.deflate.err));
}

static unsigned int random_rings(void)
{
	return vb_environment("VB_RINGS", RANDOM_RINGS);
}

/* On a debug kernel some of them take more than a second, and most a few milliseconds. */
TEST_F_TIMEOUT(random, rings_hang_nothing, 1800 + random_rings() / 10)
{
	const unsigned int nr_rings = random_rings();
	unsigned int i, nr_broken = 0;
	bool broken;
	__u64 state;

	for (i = 0; i < nr_rings; i++) {
		state = self->state;
		ASSERT_EQ(0, vb_hostile_serve_random(&self->m, &self->state, &broken)) {
			TH_LOG("ring %u, VB_SEED=%#llx, used %u of %u", i, state,
			       vb_ring_used_idx(&self->m.inflate.ring),
			       self->m.inflate.ring.avail->idx);
		}
		nr_broken += broken;
	}
	/* Both kinds have to have been among them, else this tests little. */
	EXPECT_LT(nr_rings / 100, nr_broken);
	EXPECT_LT(nr_rings / 100, nr_rings - nr_broken);
	expect_healthy(_metadata, self);
	EXPECT_EQ(nr_broken, vb_counter(self->m.backend, VHOST_BALLOON_C_BROKEN));
}

struct scribbler {
	struct vb_machine *m;
	__u64 state;
	bool stop;
};

static void *scribble(void *arg)
{
	struct scribbler *s = arg;

	while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED))
		vb_hostile_random(s->m, &s->state);
	return NULL;
}

TEST_F_TIMEOUT(random, ring_that_changes_all_the_time_hangs_nothing, 300)
{
	struct scribbler s = { .m = &self->m, .state = self->state };
	struct vhost_balloon_info info;
	unsigned int nr_broken = 0;
	pthread_t thread;
	unsigned int i;

	ASSERT_EQ(0, pthread_create(&thread, NULL, scribble, &s));
	for (i = 0; i < SCRIBBLED_KICKS || nr_broken < SCRIBBLED_BREAKS; i++) {
		vb_queue_kick(&self->m.inflate);
		if (i % 16)
			continue;
		vb_get_info(self->m.backend, &info);
		if (!(info.queues[VB_INFLATE].flags & VHOST_BALLOON_QUEUE_BROKEN))
			continue;
		nr_broken++;
		vb_machine_stop(&self->m);
		vb_set_vring_base(self->m.backend, VB_INFLATE, 0);
		vb_machine_start(&self->m);
	}
	__atomic_store_n(&s.stop, true, __ATOMIC_RELAXED);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_LE(nr_broken, vb_counter(self->m.backend, VHOST_BALLOON_C_BROKEN));
	expect_healthy(_metadata, self);
}

TEST_HARNESS_MAIN
