// SPDX-License-Identifier: GPL-2.0
/*
 * Free page hinting, the controller's side of it: which bits are fetched and
 * cleared, what throws them away, and what becomes of them when the memory changes.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "vb_hint.h"
#include "vb_kicker.h"

#define HINTED		VHOST_BALLOON_C_HINTED
#define HALF		(VB_HINT_PAGES / 2)
#define HALF_LEN	(HALF * VB_PAGE)
#define WORDS		(VB_HINT_PAGES / 64)
/* Slots: the first one is the memory for buffers. */
#define SLOT		1
#define ROUNDS		30

FIXTURE(bits) {
	struct vb_hinting h;
	struct vb_memory other;
	int fd;
	__u64 words[WORDS + 1];
};

FIXTURE_VARIANT(bits) {
	bool kvm;
};

FIXTURE_VARIANT_ADD(bits, mem_table) { .kvm = false };
FIXTURE_VARIANT_ADD(bits, memslots) { .kvm = true };

FIXTURE_SETUP(bits)
{
	const char *missing = variant->kvm ? vb_kvm_missing() : NULL;
	int ret;

	if (missing)
		SKIP(return, "%s", missing);
	ret = vb_hinting_open(&self->h, variant->kvm);
	ASSERT_EQ(0, ret) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-ret));
	}
	self->fd = self->h.m.backend;
	ASSERT_EQ(0, vb_memory_map(&self->other, VB_MEMORY_ANON, VB_HINT_GPA,
				   VB_HINT_PAGES * VB_PAGE));
	ASSERT_EQ(0, vb_hint_begin(&self->h));
}

FIXTURE_TEARDOWN(bits)
{
	vb_hinting_close(&self->h);
	vb_memory_unmap(&self->other);
}

/* @nr bits from page @first of the memory on. */
static int fetch(FIXTURE_DATA(bits) *self, unsigned int first, unsigned int nr)
{
	memset(self->words, 0xa5, sizeof(self->words));
	return vb_hint_fetch(self->fd, VB_HINT_GFN + first, nr, self->words);
}

TEST_F(bits, are_cleared_when_they_are_fetched)
{
	ASSERT_EQ(0, vb_hint_pages(&self->h, 60, 8));
	EXPECT_EQ(8, fetch(self, 0, 128));
	EXPECT_EQ(0xf000000000000000ULL, self->words[0]);
	EXPECT_EQ(0xfULL, self->words[1]);
	EXPECT_EQ(0xa5a5a5a5a5a5a5a5ULL, self->words[2]);
	EXPECT_EQ(0, fetch(self, 0, 128));
	EXPECT_EQ(0ULL, self->words[0]);
	EXPECT_EQ(0ULL, self->words[1]);
	/* They can be set again. */
	ASSERT_EQ(0, vb_hint_pages(&self->h, 61, 1));
	EXPECT_EQ(0, vb_hint_wrong(&self->h, 61, 1));
}

TEST_F(bits, beyond_the_range_stay)
{
	ASSERT_EQ(0, vb_hint_pages(&self->h, 0, VB_HINT_PAGES));
	EXPECT_EQ(70, fetch(self, 64, 70));
	EXPECT_EQ(~0ULL, self->words[0]);
	EXPECT_EQ(0x3fULL, self->words[1]);
	EXPECT_EQ(0xa5a5a5a5a5a5a5a5ULL, self->words[2]);
	EXPECT_EQ(1, fetch(self, 0, 1));
	EXPECT_EQ(1ULL, self->words[0]);
	/* Both have left what they weren't asked for. */
	EXPECT_EQ((int)VB_HINT_PAGES - 71, fetch(self, 0, VB_HINT_PAGES));
	EXPECT_EQ(~1ULL, self->words[0]);
	EXPECT_EQ(0ULL, self->words[1]);
	EXPECT_EQ(~0x3fULL, self->words[2]);
	EXPECT_EQ(~0ULL, self->words[3]);
	EXPECT_EQ(0xa5a5a5a5a5a5a5a5ULL, self->words[4]);
}

TEST_F(bits, fetched_where_no_memory_is_are_none)
{
	__u64 *words = calloc(VHOST_BALLOON_HINT_FETCH_MAX / 64, sizeof(*words));
	const __u64 end = 1ULL << 52;

	ASSERT_NE(NULL, words);
	ASSERT_EQ(0, vb_hint_pages(&self->h, 0, VB_HINT_PAGES));
	EXPECT_EQ(0, vb_hint_fetch(self->fd, 0, 64, words));
	EXPECT_EQ(0, vb_hint_fetch(self->fd, VB_HINT_GFN + VB_HINT_PAGES, 64, words));
	/* The last ones there can be, and beyond. */
	EXPECT_EQ(0, vb_hint_fetch(self->fd, end - 64, 64, words));
	EXPECT_EQ(-EINVAL, vb_hint_fetch(self->fd, end - 64, 65, words));
	EXPECT_EQ(-EINVAL, vb_hint_fetch(self->fd, end, 64, words));
	EXPECT_EQ(-EINVAL, vb_hint_fetch(self->fd, -64ULL, 128, words));
	EXPECT_EQ(0ULL, words[0] | words[1]);
	/* As many as there can be at once. */
	EXPECT_EQ((int)VB_HINT_PAGES,
		  vb_hint_fetch(self->fd, 0, VHOST_BALLOON_HINT_FETCH_MAX, words));
	EXPECT_EQ(~0ULL, words[VB_HINT_GFN / 64]);
	EXPECT_EQ(0ULL, words[VB_HINT_GFN / 64 - 1]);
	free(words);
}

TEST_F(bits, cannot_be_fetched_wrongly)
{
	struct vhost_balloon_hint_fetch arg = {
		.size = sizeof(arg), .flags = 1, .gfn = VB_HINT_GFN, .nr = 64,
		.bitmap = (unsigned long)self->words,
	};
	unsigned int i;

	ASSERT_EQ(0, vb_hint_pages(&self->h, 0, VB_HINT_PAGES));
	EXPECT_EQ(-EINVAL, vb_ioctl(self->fd, VHOST_BALLOON_HINT_FETCH, &arg));
	for (i = 1; i < 64; i++)
		EXPECT_EQ(-EINVAL, fetch(self, i, 64));
	EXPECT_EQ(-EINVAL, vb_hint_fetch(self->fd, VB_HINT_GFN,
					 VHOST_BALLOON_HINT_FETCH_MAX + 1, self->words));
	EXPECT_EQ(-EINVAL, vb_hint_fetch(self->fd, VB_HINT_GFN, ~0U, self->words));
	EXPECT_EQ(-EINVAL, vb_hint_fetch(self->fd, VB_HINT_GFN, 0, self->words));
	/* None of these has cleared anything. */
	EXPECT_EQ(0, vb_hint_wrong(&self->h, 0, VB_HINT_PAGES));
	EXPECT_EQ(-EFAULT, vb_hint_fetch(self->fd, VB_HINT_GFN, 64, NULL));
}

TEST_F(bits, may_be_fetched_by_whoever_has_a_control_file)
{
	int control = vb_get_control(self->fd);

	ASSERT_LE(0, control);
	ASSERT_EQ(0, vb_hint_pages(&self->h, 0, 10));
	EXPECT_EQ(10, vb_hint_fetch(control, VB_HINT_GFN, 64, self->words));
	EXPECT_EQ(0, vb_hint_wrong(&self->h, 0, 0));
	close(control);
}

TEST_F(bits, not_fetched_are_thrown_away_by_the_next_start)
{
	ASSERT_EQ(0, vb_hint_pages(&self->h, 0, 100));
	ASSERT_EQ(0, vb_hint_begin(&self->h));
	EXPECT_EQ(0, vb_hint_wrong(&self->h, 0, 0));
	ASSERT_EQ(0, vb_hint_pages(&self->h, 7, 1));
	EXPECT_EQ(0, vb_hint_wrong(&self->h, 7, 1));
}

TEST_F(bits, are_there_after_the_stop)
{
	ASSERT_EQ(0, vb_hint_pages(&self->h, 10, 100));
	ASSERT_EQ(0, vb_hint_stop(self->fd, VHOST_BALLOON_HINT_STOP_STOP));
	EXPECT_EQ(0, vb_hint_wrong(&self->h, 10, 100));
}

/* Who owns it next isn't told of the former one's memory. */
TEST_F(bits, are_gone_with_their_owner)
{
	struct vhost_balloon_info info;
	__u32 id = 0;
	__le32 word;

	ASSERT_EQ(0, vb_hint_pages(&self->h, 10, 100));
	ASSERT_EQ(0, vb_machine_reload(&self->h.m, VB_HINT_FEATURES));
	ASSERT_EQ(0, vb_get_info(self->fd, &info));
	EXPECT_EQ(VHOST_BALLOON_HINT_IDLE, info.hint_state);
	ASSERT_EQ(0, vb_get_config(self->fd, 8, &word, sizeof(word)));
	EXPECT_EQ(VIRTIO_BALLOON_CMD_ID_STOP, word);
	EXPECT_EQ(0, vb_hint_wrong(&self->h, 0, 0));
	ASSERT_EQ(0, vb_machine_start(&self->h.m));
	/* The new driver knows nothing of what the former one was told. */
	ASSERT_EQ(0, vb_hint_pages(&self->h, 0, 10));
	ASSERT_EQ(0, vb_hint_command(&self->h, VB_HINT_FIRST_ID));
	ASSERT_EQ(0, vb_hint_pages(&self->h, 0, 10));
	EXPECT_EQ(0, vb_hint_wrong(&self->h, 0, 0));
	/* No id comes twice. */
	ASSERT_EQ(0, vb_hint_start(self->fd, &id));
	EXPECT_EQ(VB_HINT_FIRST_ID + 1, id);
}

/* The guest has this memory from now on, and not what it had. */
static int replace(FIXTURE_DATA(bits) *self, const struct vb_memory *parts, unsigned int nr)
{
	struct vb_machine *m = &self->h.m;
	struct vb_memory table[3];
	unsigned int i;
	int ret = 0;

	if (!m->kvm) {
		table[0] = m->buf;
		memcpy(table + 1, parts, nr * sizeof(*parts));
		return vb_set_mem_table(self->fd, table, nr + 1);
	}
	for (i = 1; i < m->nr_slots && !ret; i++)
		ret = vb_vm_delete_slot(&m->vm, i);
	for (i = 0; i < nr && !ret; i++)
		ret = vb_memory_add_slot(m, SLOT + i, 0, &parts[i]);
	m->nr_slots = nr + 1;
	return ret;
}

/* The two halves of some memory, at their addresses. */
static void split(struct vb_memory *parts, const struct vb_memory *low,
		  const struct vb_memory *high)
{
	parts[0] = *low;
	parts[0].len = HALF_LEN;
	parts[1] = *high;
	parts[1].gpa += HALF_LEN;
	parts[1].hva += HALF_LEN;
	parts[1].len = HALF_LEN;
}

/* What the guest wrote since may be in no dirty log any more. */
TEST_F(bits, are_dropped_over_an_absence_of_the_memory)
{
	ASSERT_EQ(0, vb_hint_pages(&self->h, 10, 200));
	ASSERT_EQ(0, replace(self, NULL, 0));
	ASSERT_EQ(0, replace(self, &self->h.ram, 1));
	EXPECT_EQ(0, vb_hint_wrong(&self->h, 0, 0));

	/* Even one that was noticed. */
	ASSERT_EQ(0, vb_hint_pages(&self->h, 20, 100));
	ASSERT_EQ(0, replace(self, NULL, 0));
	ASSERT_EQ(1, vb_get_regions(self->fd, NULL, 0, NULL));
	ASSERT_EQ(0, replace(self, &self->h.ram, 1));
	ASSERT_EQ(2, vb_get_regions(self->fd, NULL, 0, NULL));
	EXPECT_EQ(0, vb_hint_wrong(&self->h, 0, 0));

	/* What is hinted from then on counts. */
	ASSERT_EQ(0, vb_hint_pages(&self->h, 30, 40));
	EXPECT_EQ(0, vb_hint_wrong(&self->h, 30, 40));
}

TEST_F(bits, are_dropped_when_memory_is_split_and_merged)
{
	struct vb_memory parts[2];

	split(parts, &self->h.ram, &self->h.ram);
	ASSERT_EQ(0, vb_hint_pages(&self->h, 10, 200));
	ASSERT_EQ(0, replace(self, parts, 2));
	ASSERT_EQ(3, vb_get_regions(self->fd, NULL, 0, NULL));
	EXPECT_EQ(0, vb_hint_wrong(&self->h, 0, 0));

	ASSERT_EQ(0, vb_hint_pages(&self->h, 100, 100));
	ASSERT_EQ(0, replace(self, &self->h.ram, 1));
	EXPECT_EQ(0, vb_hint_wrong(&self->h, 0, 0));
}

TEST_F(bits, are_dropped_when_the_memory_is_another)
{
	ASSERT_EQ(0, vb_hint_pages(&self->h, 10, 200));
	ASSERT_EQ(0, replace(self, &self->other, 1));
	EXPECT_EQ(0, vb_hint_wrong(&self->h, 0, 0));
	/* What is hinted at now is the new memory. */
	ASSERT_EQ(0, vb_hint_pages(&self->h, 5, 6));
	EXPECT_EQ(0ULL, vb_hint_counter(&self->h, VHOST_BALLOON_C_HINT_NO_REGION));
	EXPECT_EQ(0, vb_hint_wrong(&self->h, 5, 6));
}

TEST_F(bits, that_were_dropped_do_not_come_back)
{
	ASSERT_EQ(0, vb_hint_pages(&self->h, 10, 200));
	ASSERT_EQ(0, replace(self, &self->other, 1));
	ASSERT_EQ(2, vb_get_regions(self->fd, NULL, 0, NULL));
	ASSERT_EQ(0, replace(self, &self->h.ram, 1));
	EXPECT_EQ(0, vb_hint_wrong(&self->h, 0, 0));
}

TEST_F(bits, are_dropped_where_the_memory_is_another)
{
	struct vb_memory parts[2];

	split(parts, &self->h.ram, &self->other);
	ASSERT_EQ(0, replace(self, parts, 2));
	ASSERT_EQ(0, vb_hint_pages(&self->h, 10, 200));
	split(parts, &self->other, &self->other);
	ASSERT_EQ(0, replace(self, parts, 2));
	/* And where it is not: which slots went in between can't be seen. */
	EXPECT_EQ(0, vb_hint_wrong(&self->h, 0, 0));
}

TEST_F(bits, do_not_move_with_the_memory)
{
	struct vb_memory moved = self->h.ram;

	moved.gpa += 2 * VB_HINT_PAGES * VB_PAGE;
	ASSERT_EQ(0, vb_hint_pages(&self->h, 0, VB_HINT_PAGES));
	ASSERT_EQ(0, replace(self, &moved, 1));
	ASSERT_EQ(2, vb_get_regions(self->fd, NULL, 0, NULL));
	EXPECT_EQ(0, fetch(self, 2 * VB_HINT_PAGES, VB_HINT_PAGES));
}

TEST_F(bits, of_regions_that_share_a_word_are_told_apart)
{
	struct vb_memory parts[2] = { self->h.ram, self->other };

	parts[0].len -= 50 * VB_PAGE;
	parts[1].gpa += (VB_HINT_PAGES - 45) * VB_PAGE;
	parts[1].len = 40 * VB_PAGE;
	ASSERT_EQ(0, replace(self, parts, 2));
	ASSERT_EQ(0, vb_hint_begin(&self->h));
	ASSERT_EQ(0, vb_hint_pages(&self->h, VB_HINT_PAGES - 64, 64));
	EXPECT_EQ(54ULL, vb_hint_counter(&self->h, HINTED));
	EXPECT_EQ(10ULL, vb_hint_counter(&self->h, VHOST_BALLOON_C_HINT_NO_REGION));
	EXPECT_EQ(54, fetch(self, VB_HINT_PAGES - 64, 64));
	/* 14 of the first, 5 of nobody, 40 of the second, 5 of nobody. */
	EXPECT_EQ(((1ULL << 40) - 1) << 19 | 0x3fff, self->words[0]);
}

TEST_F(bits, of_memory_that_came_after_the_start_are_set)
{
	struct vb_memory parts[2] = { self->h.ram, self->other };

	parts[1].gpa += VB_HINT_PAGES * VB_PAGE;
	ASSERT_EQ(0, replace(self, parts, 2));
	ASSERT_EQ(0, vb_hint_pages(&self->h, HALF, VB_HINT_PAGES));
	EXPECT_EQ(VB_HINT_PAGES, vb_hint_counter(&self->h, HINTED));
	EXPECT_EQ((int)HALF, fetch(self, VB_HINT_PAGES, VB_HINT_PAGES));
	EXPECT_EQ(0, vb_hint_wrong(&self->h, HALF, HALF));
}

TEST_F(bits, of_memory_that_went_are_not_set)
{
	struct vb_memory half = self->h.ram;

	half.len = HALF_LEN;
	ASSERT_EQ(0, replace(self, &half, 1));
	ASSERT_EQ(0, vb_hint_pages(&self->h, 0, VB_HINT_PAGES));
	EXPECT_EQ(HALF, vb_hint_counter(&self->h, HINTED));
	EXPECT_EQ(HALF, vb_hint_counter(&self->h, VHOST_BALLOON_C_HINT_NO_REGION));
	EXPECT_EQ(0, vb_hint_wrong(&self->h, 0, HALF));
}

/*
 * The bits of a slot that shrank go with those of its end, where there is other memory now.
 * If the guest can't give that back, it's for the slot's sake alone that there are new ones.
 */
TEST_F(bits, of_memory_that_shrank_are_set)
{
	const unsigned int set = variant->kvm ? HALF : VB_HINT_PAGES;
	struct vb_machine *m = &self->h.m;
	struct vb_memory parts[2];

	split(parts, &self->h.ram, &self->other);
	ASSERT_EQ(0, replace(self, parts, 2));
	if (variant->kvm) {
		ASSERT_EQ(0, vb_vm_delete_slot(&m->vm, SLOT + 1));
		ASSERT_EQ(0, vb_memory_add_slot(m, SLOT + 1, KVM_MEM_READONLY, &parts[1]));
	}
	ASSERT_EQ(0, vb_hint_pages(&self->h, 0, VB_HINT_PAGES));
	EXPECT_EQ(set, vb_hint_counter(&self->h, HINTED));
	EXPECT_EQ(VB_HINT_PAGES - set,
		  vb_hint_counter(&self->h, VHOST_BALLOON_C_HINT_NO_REGION));
	EXPECT_EQ(0, vb_hint_wrong(&self->h, 0, set));
}

/* A guest that hints on and on: once the stop has returned it is in vain. */
TEST_F_TIMEOUT(bits, are_not_set_any_more_once_the_stop_has_returned, 300)
{
	const struct vb_sg all = VB_PIECE(VB_HINT_GPA, VB_HINT_PAGES * VB_PAGE);
	struct vb_kicker kicker = { 0 };
	unsigned int round;
	__u64 hinted;

	for (round = 0; round < ROUNDS; round++) {
		hinted = vb_hint_counter(&self->h, HINTED);
		ASSERT_EQ(0, vb_kicker_start(&kicker, self->h.q, &all));
		ASSERT_EQ(0, vb_wait_counter(self->fd, HINTED, hinted + VB_HINT_PAGES));
		usleep(rand() % 3000);

		ASSERT_EQ(0, vb_hint_stop(self->fd, VHOST_BALLOON_HINT_STOP_STOP));
		ASSERT_EQ((int)VB_HINT_PAGES, fetch(self, 0, VB_HINT_PAGES));
		ASSERT_EQ(0, vb_kicker_wait(&kicker));
		ASSERT_EQ(0, fetch(self, 0, VB_HINT_PAGES)) {
			TH_LOG("in round %u", round);
		}
		ASSERT_EQ(0, vb_kicker_stop(&kicker));
		ASSERT_EQ(0, vb_hint_begin(&self->h));
	}
	EXPECT_LT(0ULL, vb_hint_counter(&self->h, VHOST_BALLOON_C_HINT_STALE));
}

TEST_HARNESS_MAIN
