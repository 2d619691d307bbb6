// SPDX-License-Identifier: GPL-2.0
/*
 * When VHOST_BALLOON_SET_INHIBIT has returned, nothing is discarded any more, however much the
 * guest kicks meanwhile: what is written to its memory from then on stays.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>

#include "kselftest_harness.h"
#include "vb_control.h"
#include "vb_driver.h"
#include "vb_kicker.h"

#define FEATURES	(VB_FEATURE(VIRTIO_F_VERSION_1) | \
			 VB_FEATURE(VIRTIO_BALLOON_F_REPORTING))
#define REPORT_INDEX	2
#define RING_NUM	64
#define RAM_GPA		0x10000000ULL
#define PAGES		256U
#define ROUNDS		25U

FIXTURE(race) {
	struct vb_machine m;
	struct vb_memory ram;
	struct vb_kicker kicker;
	int control;
};

FIXTURE_VARIANT(race) {
	enum vb_memory_kind kind;
	bool kvm;
	bool report;
	bool by_controller;
};

FIXTURE_VARIANT_ADD(race, anon_inflate_by_vmm) { .kind = VB_MEMORY_ANON };
FIXTURE_VARIANT_ADD(race, memfd_inflate_by_controller) {
	.kind = VB_MEMORY_MEMFD, .kvm = true, .by_controller = true,
};

FIXTURE_VARIANT_ADD(race, anon_report_by_controller) {
	.kind = VB_MEMORY_ANON, .report = true, .by_controller = true,
};

FIXTURE_VARIANT_ADD(race, memfd_report_by_vmm) {
	.kind = VB_MEMORY_MEMFD, .kvm = true, .report = true,
};

FIXTURE_SETUP(race)
{
	const char *missing = variant->kvm ? vb_kvm_missing() : NULL;
	int ret;

	if (missing)
		SKIP(return, "%s", missing);
	ret = vb_machine_open(&self->m, variant->kvm, FEATURES, RING_NUM);
	ASSERT_EQ(0, ret) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-ret));
	}
	ASSERT_EQ(0, vb_machine_add_queue(&self->m, REPORT_INDEX, RING_NUM));
	ASSERT_EQ(0, vb_memory_map(&self->ram, variant->kind, RAM_GPA, PAGES * VB_PAGE));
	ASSERT_EQ(0, vb_machine_add(&self->m, &self->ram, 0));
	self->control = vb_get_control(self->m.backend);
	ASSERT_LE(0, self->control);
	ASSERT_EQ(0, vb_machine_start(&self->m));
}

FIXTURE_TEARDOWN(race)
{
	vb_kicker_stop(&self->kicker);
	close(self->control);
	vb_machine_close(&self->m);
	vb_memory_unmap(&self->ram);
}

/* The guest goes on to give away all of the memory, or to report it. */
static int kick(FIXTURE_DATA(race) *self, bool report)
{
	const struct vb_sg piece = VB_PIECE(RAM_GPA, PAGES * VB_PAGE);

	if (report)
		return vb_kicker_start(&self->kicker, vb_machine_queue(&self->m, REPORT_INDEX),
				       &piece);
	vb_write_list(self->m.buf.hva, RAM_GPA, PAGES);
	return vb_kicker_start_list(&self->kicker, &self->m.inflate, VB_BUF_GPA, PAGES);
}

/* From the end on: towards a discard that is still at it, and not behind it. */
static void fill_backwards(struct vb_memory *ram, __u32 seed)
{
	unsigned int page;

	for (page = PAGES; page-- > 0;)
		vb_memory_fill(ram, page, 1, seed);
}

TEST_F_TIMEOUT(race, nothing_is_discarded_any_more_when_it_has_returned, 300)
{
	int fd = variant->by_controller ? self->control : self->m.backend;
	unsigned int round;

	vb_memory_fill(&self->ram, 0, PAGES, ROUNDS + 1);
	ASSERT_EQ(0, kick(self, variant->report));
	for (round = 0; round < ROUNDS; round++) {
		/* The guest is at it: what is there goes. */
		ASSERT_EQ(0, vb_kicker_wait_discarded(&self->kicker, &self->ram, PAGES));
		/* At any moment of a pass. */
		usleep(rand() % 5000);

		ASSERT_EQ(0, vb_set_inhibit(fd, true, "now"));
		fill_backwards(&self->ram, round);
		ASSERT_EQ(0, vb_kicker_wait(&self->kicker));
		ASSERT_EQ(PAGES, vb_memory_intact(&self->ram, 0, PAGES, round)) {
			TH_LOG("in round %u", round);
		}
		ASSERT_EQ(0, vb_set_inhibit(fd, false, ""));
	}
	ASSERT_EQ(0, vb_kicker_stop(&self->kicker));
	EXPECT_LT(0ULL, vb_counter(fd, VHOST_BALLOON_C_SKIP_INHIBITED));
	EXPECT_EQ(0ULL, vb_counter(fd, VHOST_BALLOON_C_MALFORMED));
}

TEST_HARNESS_MAIN
