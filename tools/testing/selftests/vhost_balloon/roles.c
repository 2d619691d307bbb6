// SPDX-License-Identifier: GPL-2.0
/*
 * Which virtqueue is for what: drivers number them by what they have negotiated,
 * as Linux does, or leave gaps as the standard has it. Either way each queue is served by its
 * own protocol, and one that nobody has a use for isn't served at all.
 */
#include <string.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>

#include "kselftest_harness.h"
#include "vb_control.h"
#include "vb_driver.h"
#include "vb_memory.h"

#define V1		VB_FEATURE(VIRTIO_F_VERSION_1)
#define STATS		VB_FEATURE(VIRTIO_BALLOON_F_STATS_VQ)
#define HINT		VB_FEATURE(VIRTIO_BALLOON_F_FREE_PAGE_HINT)
#define REPORT		VB_FEATURE(VIRTIO_BALLOON_F_REPORTING)

#define RING_NUM	16
#define RAM_GPA		0x10000000ULL
#define RAM_GFN		(RAM_GPA / VB_PAGE)
#define PAGES		64U
#define SEED		19

/* The features that queues are for, in the order of the queues. */
static const struct {
	__u64 feature;
	__u16 role;
} optional[] = {
	{ STATS, VHOST_BALLOON_ROLE_STATS },
	{ HINT, VHOST_BALLOON_ROLE_HINT },
	{ REPORT, VHOST_BALLOON_ROLE_REPORT },
};

FIXTURE(roles) {
	struct vb_machine m;
	struct vb_memory ram;
	int fd;
	/* What each index is for. */
	__u16 role[VB_NR_QUEUES];
};

FIXTURE_VARIANT(roles) {
	__u64 features;
	bool gaps;
};

FIXTURE_VARIANT_ADD(roles, linux_none) { .features = 0 };
FIXTURE_VARIANT_ADD(roles, linux_stats) { .features = STATS };
FIXTURE_VARIANT_ADD(roles, linux_hint) { .features = HINT };
FIXTURE_VARIANT_ADD(roles, linux_report) { .features = REPORT };
FIXTURE_VARIANT_ADD(roles, linux_stats_hint) { .features = STATS | HINT };
FIXTURE_VARIANT_ADD(roles, linux_stats_report) { .features = STATS | REPORT };
FIXTURE_VARIANT_ADD(roles, linux_hint_report) { .features = HINT | REPORT };
FIXTURE_VARIANT_ADD(roles, linux_all) { .features = STATS | HINT | REPORT };

FIXTURE_VARIANT_ADD(roles, standard_none) { .features = 0, .gaps = true };
FIXTURE_VARIANT_ADD(roles, standard_stats) { .features = STATS, .gaps = true };
FIXTURE_VARIANT_ADD(roles, standard_hint) { .features = HINT, .gaps = true };
FIXTURE_VARIANT_ADD(roles, standard_report) { .features = REPORT, .gaps = true };
FIXTURE_VARIANT_ADD(roles, standard_stats_hint) { .features = STATS | HINT, .gaps = true };
FIXTURE_VARIANT_ADD(roles, standard_stats_report) { .features = STATS | REPORT, .gaps = true };
FIXTURE_VARIANT_ADD(roles, standard_hint_report) { .features = HINT | REPORT, .gaps = true };
FIXTURE_VARIANT_ADD(roles, standard_all) { .features = STATS | HINT | REPORT, .gaps = true };

/* Numbers the queues. */
static void number(__u16 *role, __u64 features, bool gaps)
{
	unsigned int i, index = VB_DEFLATE + 1;

	role[VB_INFLATE] = VHOST_BALLOON_ROLE_INFLATE;
	role[VB_DEFLATE] = VHOST_BALLOON_ROLE_DEFLATE;
	for (i = index; i < VB_NR_QUEUES; i++)
		role[i] = VHOST_BALLOON_ROLE_NONE;
	for (i = 0; i < ARRAY_SIZE(optional); i++)
		if (features & optional[i].feature)
			role[gaps ? optional[i].role : index++] = optional[i].role;
}

FIXTURE_SETUP(roles)
{
	unsigned int i;
	int ret;

	number(self->role, variant->features, variant->gaps);
	ret = vb_machine_open(&self->m, false, V1 | variant->features, RING_NUM);
	ASSERT_EQ(0, ret) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-ret));
	}
	self->fd = self->m.backend;
	for (i = VB_DEFLATE + 1; i < VB_NR_QUEUES; i++)
		if (self->role[i] != VHOST_BALLOON_ROLE_NONE)
			ASSERT_EQ(0, vb_machine_add_queue(&self->m, i, RING_NUM));
	ASSERT_EQ(0, vb_memory_map(&self->ram, VB_MEMORY_ANON, RAM_GPA, PAGES * VB_PAGE));
	vb_memory_fill(&self->ram, 0, PAGES, SEED);
	ASSERT_EQ(0, vb_machine_add(&self->m, &self->ram, 0));
}

FIXTURE_TEARDOWN(roles)
{
	vb_machine_close(&self->m);
	vb_memory_unmap(&self->ram);
}

/* Page 1 of the memory goes and comes, page 2 is reported, page 3 is hinted at. */
#define INFLATED	1U
#define REPORTED	2U
#define HINTED		3U

static void expect_inflated(struct __test_metadata *_metadata, FIXTURE_DATA(roles) *self)
{
	__u32 gfn = vb_memory_gfn(&self->ram, INFLATED);

	ASSERT_EQ(0, vb_machine_inflate(&self->m, &gfn, 1));
	EXPECT_EQ(1ULL, vb_counter(self->fd, VHOST_BALLOON_C_INFLATED));
	EXPECT_EQ(1U, vb_memory_zero(&self->ram, INFLATED, 1));
}

static void expect_deflated(struct __test_metadata *_metadata, FIXTURE_DATA(roles) *self)
{
	__u32 gfn = vb_memory_gfn(&self->ram, INFLATED);

	ASSERT_EQ(0, vb_machine_deflate(&self->m, &gfn, 1));
	EXPECT_EQ(1ULL, vb_counter(self->fd, VHOST_BALLOON_C_DEFLATED));
}

static void expect_sampled(struct __test_metadata *_metadata, FIXTURE_DATA(roles) *self,
			   struct vb_queue *q)
{
	const struct vb_sg sg = { .addr = VB_BUF_GPA, .len = VB_STAT_SIZE };
	struct vhost_balloon_stats stats;
	struct vhost_balloon_stat entry;

	vb_put_stat(self->m.buf.hva, 0, VIRTIO_BALLOON_S_MEMTOT, 0x123456789aULL);
	ASSERT_LE(0, vb_ring_add(&q->ring, &sg, 1));
	ASSERT_EQ(0, vb_queue_notify(q));
	ASSERT_EQ(0, vb_wait_stats(self->fd, 1));
	ASSERT_EQ(0, vb_get_stats(self->fd, &stats, &entry, 1));
	EXPECT_EQ(1U, stats.total);
	EXPECT_EQ(VIRTIO_BALLOON_S_MEMTOT, entry.tag);
	EXPECT_EQ(0x123456789aULL, entry.value);
	ASSERT_EQ(0, vb_refresh_stats(self->fd, 0));
	EXPECT_EQ(0, vb_queue_wait_used(q, 1));
}

static void expect_hinted(struct __test_metadata *_metadata, FIXTURE_DATA(roles) *self,
			  struct vb_queue *q)
{
	__u64 bits;
	__u32 id;

	ASSERT_EQ(0, vb_hint_start(self->fd, &id));
	ASSERT_EQ(0, vb_send_command(q, &self->m.buf, id));
	ASSERT_EQ(0, vb_send_piece(q, RAM_GPA + HINTED * VB_PAGE, VB_PAGE));
	EXPECT_EQ(1, vb_hint_fetch(self->fd, RAM_GFN, PAGES, &bits));
	EXPECT_EQ(1ULL << HINTED, bits);
}

static void expect_reported(struct __test_metadata *_metadata, FIXTURE_DATA(roles) *self,
			    struct vb_queue *q)
{
	ASSERT_EQ(0, vb_send_piece(q, RAM_GPA + REPORTED * VB_PAGE, VB_PAGE));
	EXPECT_EQ(1ULL, vb_counter(self->fd, VHOST_BALLOON_C_REPORTED));
	EXPECT_EQ(1U, vb_memory_zero(&self->ram, REPORTED, 1));
}

static void expect_served(struct __test_metadata *_metadata, FIXTURE_DATA(roles) *self,
			  unsigned int index)
{
	struct vb_queue *q = vb_machine_queue(&self->m, index);

	switch (self->role[index]) {
	case VHOST_BALLOON_ROLE_INFLATE:
		expect_inflated(_metadata, self);
		break;
	case VHOST_BALLOON_ROLE_DEFLATE:
		expect_deflated(_metadata, self);
		break;
	case VHOST_BALLOON_ROLE_STATS:
		expect_sampled(_metadata, self, q);
		break;
	case VHOST_BALLOON_ROLE_HINT:
		expect_hinted(_metadata, self, q);
		break;
	case VHOST_BALLOON_ROLE_REPORT:
		expect_reported(_metadata, self, q);
		break;
	}
}

/* Info shows the roles, of all indices. */
static void expect_roles(struct __test_metadata *_metadata, FIXTURE_DATA(roles) *self,
			 const __u16 *role)
{
	struct vhost_balloon_info info;
	unsigned int i;

	ASSERT_EQ(0, vb_get_info(self->fd, &info));
	ASSERT_EQ((__u32)VB_NR_QUEUES, info.nr_queues);
	for (i = 0; i < VB_NR_QUEUES; i++) {
		EXPECT_EQ(role[i], info.queues[i].role) {
			TH_LOG("index %u", i);
		}
	}
}

TEST_F(roles, each_queue_is_served_by_its_protocol)
{
	__u64 reported = variant->features & REPORT ? 1 : 0;
	__u64 hinted = variant->features & HINT ? 1 : 0;
	unsigned int i;

	ASSERT_EQ(0, vb_machine_start(&self->m));
	for (i = 0; i < VB_NR_QUEUES; i++)
		expect_served(_metadata, self, i);
	/* By its own, and by no other. */
	EXPECT_EQ(1ULL, vb_counter(self->fd, VHOST_BALLOON_C_INFLATED));
	EXPECT_EQ(1ULL, vb_counter(self->fd, VHOST_BALLOON_C_DEFLATED));
	EXPECT_EQ(reported, vb_counter(self->fd, VHOST_BALLOON_C_REPORTED));
	EXPECT_EQ(hinted, vb_counter(self->fd, VHOST_BALLOON_C_HINTED));
	EXPECT_EQ(0ULL, vb_counter(self->fd, VHOST_BALLOON_C_MALFORMED));
	EXPECT_EQ(0ULL, vb_counter(self->fd, VHOST_BALLOON_C_BROKEN));
	EXPECT_EQ(PAGES - 1 - reported, vb_memory_intact(&self->ram, 0, PAGES, SEED));
}

TEST_F(roles, are_found_out_at_the_start)
{
	const __u16 unknown[VB_NR_QUEUES] = {
		VHOST_BALLOON_ROLE_INFLATE, VHOST_BALLOON_ROLE_DEFLATE, VHOST_BALLOON_ROLE_NONE,
		VHOST_BALLOON_ROLE_NONE, VHOST_BALLOON_ROLE_NONE,
	};

	expect_roles(_metadata, self, unknown);
	ASSERT_EQ(0, vb_machine_start(&self->m));
	expect_roles(_metadata, self, self->role);
	ASSERT_EQ(0, vb_machine_stop(&self->m));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	expect_roles(_metadata, self, self->role);
	ASSERT_EQ(0, vb_machine_reload(&self->m, V1 | variant->features));
	expect_roles(_metadata, self, unknown);
}

/* The next one has other features, and numbers its queues the other way. */
TEST_F(roles, are_found_out_anew_for_a_new_driver)
{
	unsigned int i;

	ASSERT_EQ(0, vb_machine_start(&self->m));
	for (i = 0; i < VB_NR_QUEUES; i++)
		if (self->role[i] == VHOST_BALLOON_ROLE_STATS)
			expect_served(_metadata, self, i);
	for (i = 0; i < VB_NR_QUEUES; i++)
		vb_queue_exit(vb_machine_queue(&self->m, i));
	ASSERT_EQ(0, vb_ioctl(self->fd, VHOST_RESET_OWNER, NULL));
	ASSERT_EQ(0, vb_set_owner(self->fd));
	ASSERT_EQ(0, vb_set_features(self->fd, V1 | HINT | REPORT));
	ASSERT_EQ(0, vb_machine_set_memory(&self->m));
	number(self->role, HINT | REPORT, !variant->gaps);
	for (i = 0; i < VB_NR_QUEUES; i++)
		if (self->role[i] != VHOST_BALLOON_ROLE_NONE)
			ASSERT_EQ(0, vb_machine_add_queue(&self->m, i, RING_NUM));
	ASSERT_EQ(0, vb_machine_start(&self->m));
	expect_roles(_metadata, self, self->role);
	for (i = 0; i < VB_NR_QUEUES; i++)
		if (self->role[i] != VHOST_BALLOON_ROLE_STATS)
			expect_served(_metadata, self, i);
}

/* Drivers that don't set up all that they have negotiated, or more than that. */
FIXTURE(set_up) {
	int fd;
	struct vb_memory ram;
	struct vb_queue queue[VB_NR_QUEUES];
};

FIXTURE_VARIANT(set_up) {
	__u64 features;
	/* A bit for each index that is set up. */
	unsigned int indices;
	/* What those from 2 on are for. */
	__u16 role[VB_NR_QUEUES];
};

#define NONE		VHOST_BALLOON_ROLE_NONE
#define IS(index, what) .role[index] = VHOST_BALLOON_ROLE_##what
#define NOBODYS(index)	.role[index] = VHOST_BALLOON_ROLE_NONE
#define ALL		(STATS | HINT | REPORT)

FIXTURE_VARIANT_ADD(set_up, all_but_no_optional_queue) { .features = ALL, .indices = 0x03 };
FIXTURE_VARIANT_ADD(set_up, all_first) { .features = ALL, .indices = 0x07, IS(2, STATS) };
FIXTURE_VARIANT_ADD(set_up, all_first_two) {
	.features = ALL, .indices = 0x0f, IS(2, STATS), IS(3, HINT),
};

FIXTURE_VARIANT_ADD(set_up, all_second) { .features = ALL, .indices = 0x0b, IS(3, HINT) };
FIXTURE_VARIANT_ADD(set_up, all_third) { .features = ALL, .indices = 0x13, IS(4, REPORT) };
FIXTURE_VARIANT_ADD(set_up, all_first_and_third) {
	.features = ALL, .indices = 0x17, IS(2, STATS), IS(4, REPORT),
};

FIXTURE_VARIANT_ADD(set_up, hint_report_first) {
	.features = HINT | REPORT, .indices = 0x07, IS(2, HINT),
};

FIXTURE_VARIANT_ADD(set_up, hint_report_second) {
	.features = HINT | REPORT, .indices = 0x0b, IS(3, HINT),
};

FIXTURE_VARIANT_ADD(set_up, hint_report_third) {
	.features = HINT | REPORT, .indices = 0x13, IS(4, REPORT),
};

FIXTURE_VARIANT_ADD(set_up, stats_report_second) {
	.features = STATS | REPORT, .indices = 0x0b, IS(3, REPORT),
};

FIXTURE_VARIANT_ADD(set_up, stats_report_third) {
	.features = STATS | REPORT, .indices = 0x13, IS(4, REPORT),
};

/* Neither numbering has it. */
FIXTURE_VARIANT_ADD(set_up, report_second) { .features = REPORT, .indices = 0x0b, NOBODYS(3) };
FIXTURE_VARIANT_ADD(set_up, hint_third) { .features = HINT, .indices = 0x13, NOBODYS(4) };
FIXTURE_VARIANT_ADD(set_up, none_first) { .features = 0, .indices = 0x07, NOBODYS(2) };
FIXTURE_VARIANT_ADD(set_up, none_all) {
	.features = 0, .indices = 0x1f, NOBODYS(2), NOBODYS(3), NOBODYS(4),
};

FIXTURE_VARIANT_ADD(set_up, stats_all) {
	.features = STATS, .indices = 0x1f, IS(2, STATS), NOBODYS(3), NOBODYS(4),
};

/* Without the queues that every driver has. */
FIXTURE_VARIANT_ADD(set_up, only_stats) { .features = STATS, .indices = 0x04, IS(2, STATS) };
FIXTURE_VARIANT_ADD(set_up, only_report) { .features = ALL, .indices = 0x10, IS(4, REPORT) };
FIXTURE_VARIANT_ADD(set_up, no_deflate) { .features = HINT, .indices = 0x09, IS(3, HINT) };

FIXTURE_SETUP(set_up)
{
	unsigned int i;

	self->fd = vb_open_owned();
	ASSERT_LE(0, self->fd) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-self->fd));
	}
	ASSERT_EQ(0, vb_set_features(self->fd, V1 | variant->features));
	ASSERT_EQ(0, vb_memory_map(&self->ram, VB_MEMORY_ANON, RAM_GPA, PAGES * VB_PAGE));
	vb_memory_fill(&self->ram, 0, PAGES, SEED);
	ASSERT_EQ(0, vb_set_mem_table(self->fd, &self->ram, 1));
	for (i = 0; i < VB_NR_QUEUES; i++)
		if (variant->indices & 1U << i)
			ASSERT_EQ(0, vb_queue_init(&self->queue[i], self->fd, i, RING_NUM, NULL));
	ASSERT_EQ(0, vb_set_running(self->fd, true));
}

FIXTURE_TEARDOWN(set_up)
{
	unsigned int i;

	close(self->fd);
	for (i = 0; i < VB_NR_QUEUES; i++)
		if (self->queue[i].mem)
			vb_queue_exit(&self->queue[i]);
	vb_memory_unmap(&self->ram);
}

static __u16 role_of(const FIXTURE_VARIANT(set_up) *variant, unsigned int index)
{
	return index <= VB_DEFLATE ? index : variant->role[index];
}

TEST_F(set_up, queues_get_the_roles_that_fit_best)
{
	struct vhost_balloon_info info;
	unsigned int i;

	ASSERT_EQ(0, vb_get_info(self->fd, &info));
	for (i = 0; i < VB_NR_QUEUES; i++) {
		bool ready = variant->indices & 1U << i;

		EXPECT_EQ(ready ? VHOST_BALLOON_QUEUE_READY : 0, info.queues[i].flags);
		if (!ready)
			continue;
		EXPECT_EQ(role_of(variant, i), info.queues[i].role) {
			TH_LOG("index %u", i);
		}
	}
}

/* On each queue lies the same chain: a device-writable page. */
TEST_F(set_up, queues_are_served_if_they_have_a_role)
{
	const struct vb_sg sg = VB_PIECE(RAM_GPA, VB_PAGE);
	unsigned int i, served = 0;
	bool reported = false;

	for (i = 0; i < VB_NR_QUEUES; i++) {
		struct vb_queue *q = &self->queue[i];

		if (!(variant->indices & 1U << i))
			continue;
		ASSERT_LE(0, vb_ring_add(&q->ring, &sg, 1));
		ASSERT_EQ(0, vb_queue_notify(q));
		if (role_of(variant, i) == NONE)
			continue;
		EXPECT_EQ(0, vb_queue_wait_used(q, 1)) {
			TH_LOG("index %u", i);
		}
		reported |= role_of(variant, i) == VHOST_BALLOON_ROLE_REPORT;
		served++;
	}
	/* Nothing is under way any more. */
	ASSERT_EQ(0, vb_set_running(self->fd, false));
	EXPECT_EQ(served, vb_counter(self->fd, VHOST_BALLOON_C_CHAINS));
	EXPECT_EQ(reported, vb_counter(self->fd, VHOST_BALLOON_C_REPORTED));
	EXPECT_EQ(reported, vb_memory_zero(&self->ram, 0, 1));
	for (i = 0; i < VB_NR_QUEUES; i++) {
		if (!(variant->indices & 1U << i) || role_of(variant, i) != NONE)
			continue;
		EXPECT_EQ(0, vb_ring_used_idx(&self->queue[i].ring));
		EXPECT_EQ(0, vb_eventfd_count(self->queue[i].call));
		EXPECT_EQ(0, vb_eventfd_count(self->queue[i].err));
		EXPECT_EQ(0, vb_get_vring_base(self->fd, i));
	}
}

TEST_HARNESS_MAIN
