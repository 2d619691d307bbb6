// SPDX-License-Identifier: GPL-2.0
/*
 * A machine whose guest is busy on all of its queues.
 */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>

#include "vb_busy.h"
#include "vb_control.h"
#include "vb_driver.h"

#define BIT(feature)	VB_FEATURE(VIRTIO_BALLOON_F_##feature)
#define FEATURES	(VB_FEATURE(VIRTIO_F_VERSION_1) | BIT(MUST_TELL_HOST) | BIT(STATS_VQ) | \
			 BIT(FREE_PAGE_HINT) | BIT(REPORTING))
#define RING_NUM	16
#define STATS		2
#define HINT		3
#define REPORT		4

#define FIRST_SLOT	8
#define AWAY_GPA	0x20000000ULL
#define SEED		0xb5b5

/* Where statistics are in the memory for buffers, behind the list of page numbers. */
#define STATS_OFFSET	(64 * VB_PAGE)

/* All pages that are named. */
static const struct vb_sg the_list = {
	.addr = VB_BUF_GPA, .len = VB_BUSY_PIECES * VB_BUSY_NAMED * sizeof(__le32),
};

static unsigned int first_page(unsigned int piece)
{
	return piece * VB_BUSY_STRIDE;
}

int vb_busy_map(struct vb_memory *ram, enum vb_memory_kind kind)
{
	int ret = vb_memory_map(ram, kind, VB_BUSY_GPA, VB_BUSY_PAGES * VB_PAGE);

	if (!ret)
		vb_memory_fill(ram, 0, VB_BUSY_PAGES, SEED);
	return ret;
}

unsigned int vb_busy_untouched(struct vb_memory *ram)
{
	unsigned int piece, pages = 0;

	for (piece = 0; piece < VB_BUSY_PIECES; piece++)
		pages += vb_memory_intact(ram, first_page(piece) + VB_BUSY_NAMED,
					  VB_BUSY_STRIDE - VB_BUSY_NAMED, SEED);
	return pages;
}

static int set_slot(struct vb_busy *b, unsigned int piece, __u64 base, __u32 flags)
{
	__u64 offset = first_page(piece) * VB_PAGE;

	return vb_vm_set_slot(&b->m.vm, FIRST_SLOT + piece, flags, base + offset,
			      VB_BUSY_SLOT * VB_PAGE, b->ram.hva + offset);
}

static int open_queues(struct vb_busy *b)
{
	unsigned int i;
	int ret = 0;

	for (i = STATS; i <= REPORT && !ret; i++)
		ret = vb_machine_add_queue(&b->m, i, RING_NUM);
	return ret;
}

static void write_lists(struct vb_busy *b)
{
	__le32 *list = b->m.buf.hva;
	unsigned int piece;

	for (piece = 0; piece < VB_BUSY_PIECES; piece++)
		vb_write_list(list + piece * VB_BUSY_NAMED,
			      VB_BUSY_GPA + first_page(piece) * VB_PAGE, VB_BUSY_NAMED);
	vb_put_stat(b->m.buf.hva + STATS_OFFSET, 0, VIRTIO_BALLOON_S_MEMFREE, 1);
}

int vb_busy_open(struct vb_busy *b, const struct vb_memory *ram, bool worker)
{
	unsigned int piece;
	__u32 id;
	int ret;

	memset(b, 0, sizeof(*b));
	b->ram = *ram;
	ret = vb_machine_open(&b->m, true, FEATURES, RING_NUM);
	if (!ret && worker)
		ret = vb_set_tunables(b->m.backend, VHOST_BALLOON_TUNE_INLINE, 0);
	if (!ret)
		ret = open_queues(b);
	for (piece = 0; piece < VB_BUSY_PIECES && !ret; piece++)
		ret = set_slot(b, piece, VB_BUSY_GPA, 0);
	if (ret)
		return ret;
	write_lists(b);
	ret = vb_machine_start(&b->m) ?: vb_hint_start(b->m.backend, &id) ?:
	      vb_send_command(vb_machine_queue(&b->m, HINT), &b->m.buf, id);
	/* That took the place of a page number. */
	write_lists(b);
	return ret;
}

void vb_busy_close(struct vb_busy *b)
{
	vb_busy_stop(b);
	vb_machine_close(&b->m);
}

/* A sample is there, is wanted, and its buffer comes back. */
static int send_sample(void *arg)
{
	struct vb_busy *b = arg;
	struct vb_queue *q = vb_machine_queue(&b->m, STATS);
	const struct vb_sg sg = { .addr = VB_BUF_GPA + STATS_OFFSET, .len = VB_STAT_SIZE };
	unsigned long samples = atomic_load(&b->samples) + 1;
	int ret = vb_ring_add(&q->ring, &sg, 1);

	if (ret >= 0)
		ret = vb_queue_notify(q);
	if (!ret)
		ret = vb_wait_counter(b->m.backend, VHOST_BALLOON_C_STATS_SAMPLES, samples);
	if (!ret)
		ret = vb_refresh_stats(b->m.backend, 0);
	if (!ret)
		ret = vb_queue_wait_used(q, q->ring.used_idx + 1);
	if (ret)
		return ret;
	atomic_store(&b->samples, samples);
	return vb_ring_get_used(&q->ring, NULL, NULL) == 1 ? 0 : -EPROTO;
}

static int take_back(void *arg)
{
	struct vb_busy *b = arg;
	int ret = vb_queue_send(&b->m.deflate, &the_list, 1);

	if (!ret)
		atomic_fetch_add(&b->deflates, 1);
	return ret;
}

static const struct vb_sg *request(unsigned int index)
{
	static const struct vb_sg pages = VB_PIECE(VB_BUSY_GPA, VB_BUSY_NAMED * VB_PAGE);

	return index == VB_INFLATE ? &the_list : &pages;
}

static bool has_kicker(unsigned int index)
{
	return index == VB_INFLATE || index == HINT || index == REPORT;
}

int vb_busy_start(struct vb_busy *b)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < VB_NR_QUEUES && !ret; i++)
		if (has_kicker(i))
			ret = vb_kicker_start(&b->kickers[i], vb_machine_queue(&b->m, i),
					      request(i));
	if (!ret)
		ret = vb_loop_start(&b->deflate, take_back, b);
	return ret ?: vb_loop_start(&b->stats, send_sample, b);
}

int vb_busy_stop(struct vb_busy *b)
{
	unsigned int i;
	int error = 0, ret;

	for (i = 0; i < VB_NR_QUEUES; i++)
		if (b->kickers[i].loop.started) {
			ret = vb_kicker_stop(&b->kickers[i]);
			error = error ?: ret;
		}
	ret = b->deflate.started ? vb_loop_stop(&b->deflate) : 0;
	error = error ?: ret;
	ret = b->stats.started ? vb_loop_stop(&b->stats) : 0;
	return error ?: ret;
}

int vb_busy_wait(struct vb_busy *b)
{
	unsigned int i;
	int ret = vb_loop_wait(&b->stats, 1) ?: vb_loop_wait(&b->deflate, 1);

	for (i = 0; i < VB_NR_QUEUES && !ret; i++)
		if (has_kicker(i))
			ret = vb_kicker_wait(&b->kickers[i]);
	return ret;
}

__u64 vb_busy_used(const struct vb_busy *b)
{
	__u64 used = atomic_load(&b->samples) + atomic_load(&b->deflates);
	unsigned int i;

	for (i = 0; i < VB_NR_QUEUES; i++)
		used += atomic_load(&b->kickers[i].used);
	return used;
}

int vb_busy_miscounted(struct vb_busy *b)
{
	struct vhost_balloon_counters now;
	const __u64 *value = now.value;
	const __u64 pages = VB_BUSY_PIECES * VB_BUSY_NAMED;

	/* One for the command that hinting began with. */
	if (vb_get_counters(b->m.backend, &now) < 0 ||
	    value[VHOST_BALLOON_C_CHAINS] != vb_busy_used(b) + 1)
		return VHOST_BALLOON_C_CHAINS;
	if (value[VHOST_BALLOON_C_INFLATED] != pages * atomic_load(&b->kickers[VB_INFLATE].used))
		return VHOST_BALLOON_C_INFLATED;
	if (value[VHOST_BALLOON_C_DEFLATED] != pages * atomic_load(&b->deflates))
		return VHOST_BALLOON_C_DEFLATED;
	if (value[VHOST_BALLOON_C_STATS_SAMPLES] != atomic_load(&b->samples))
		return VHOST_BALLOON_C_STATS_SAMPLES;
	if (value[VHOST_BALLOON_C_BROKEN])
		return VHOST_BALLOON_C_BROKEN;
	if (value[VHOST_BALLOON_C_SKIP_ERROR])
		return VHOST_BALLOON_C_SKIP_ERROR;
	if (vb_outcomes(&now) != value[VHOST_BALLOON_C_INFLATED] + value[VHOST_BALLOON_C_REPORTED])
		return VHOST_BALLOON_C_DUPLICATE;
	return -1;
}

int vb_busy_error(const struct vb_busy *b)
{
	int error = atomic_load(&b->stats.error) ?: atomic_load(&b->deflate.error);
	unsigned int i;

	for (i = 0; i < VB_NR_QUEUES && !error; i++)
		error = atomic_load(&b->kickers[i].loop.error);
	return error;
}

void vb_busy_describe(struct vb_busy *b)
{
	struct vhost_balloon_info info;
	unsigned int i;

	if (vb_get_info(b->m.backend, &info))
		return;
	for (i = 0; i < VB_NR_QUEUES; i++) {
		const struct vb_ring *ring = &vb_machine_queue(&b->m, i)->ring;
		const struct vhost_balloon_queue_info *q = &info.queues[i];

		printf("# queue %u: flags %#x broken %u avail %u used %u; guest's avail %u used %u of %u; thread's used %lu error %d\n",
		       i, q->flags, q->broken, q->last_avail, q->last_used, ring->avail_idx,
		       ring->used_idx, vb_ring_used_idx(ring),
		       atomic_load(&b->kickers[i].used), atomic_load(&b->kickers[i].loop.error));
	}
	printf("# deflate: %lu, error %d; stats: %lu, error %d\n", atomic_load(&b->deflates),
	       atomic_load(&b->deflate.error), atomic_load(&b->samples),
	       atomic_load(&b->stats.error));
}

static bool is_reached(enum vb_busy_place place)
{
	return place == VB_BUSY_HOME || place == VB_BUSY_LOGGED;
}

static bool is_as_written(struct vb_busy *b, unsigned int piece)
{
	return is_reached(b->place[piece]) ||
	       vb_memory_intact(&b->ram, first_page(piece), VB_BUSY_NAMED, b->seed[piece]) ==
	       VB_BUSY_NAMED;
}

bool vb_busy_all_as_written(struct vb_busy *b)
{
	unsigned int piece;

	for (piece = 0; piece < VB_BUSY_PIECES; piece++)
		if (!is_as_written(b, piece))
			return false;
	return true;
}

static int move_piece(struct vb_busy *b, unsigned int piece, enum vb_busy_place to)
{
	bool was_readonly = b->place[piece] == VB_BUSY_READONLY;

	/* A slot can't be made read-only, or writable. */
	if (to == VB_BUSY_GONE || was_readonly ||
	    (to == VB_BUSY_READONLY && b->place[piece] != VB_BUSY_GONE)) {
		int ret = vb_vm_delete_slot(&b->m.vm, FIRST_SLOT + piece);

		if (ret || to == VB_BUSY_GONE)
			return ret;
	}
	switch (to) {
	case VB_BUSY_LOGGED:
		return set_slot(b, piece, VB_BUSY_GPA, KVM_MEM_LOG_DIRTY_PAGES);
	case VB_BUSY_AWAY:
		return set_slot(b, piece, AWAY_GPA, 0);
	case VB_BUSY_READONLY:
		return set_slot(b, piece, VB_BUSY_GPA, KVM_MEM_READONLY);
	default:
		return set_slot(b, piece, VB_BUSY_GPA, 0);
	}
}

int vb_busy_change(struct vb_busy *b, unsigned int piece)
{
	enum vb_busy_place from = b->place[piece];
	/* Any other one. */
	enum vb_busy_place to = (from + 1 + vb_chance(VB_BUSY_PLACES - 1)) % VB_BUSY_PLACES;
	int ret;

	if (!is_as_written(b, piece))
		return -EILSEQ;
	ret = move_piece(b, piece, to);
	if (ret)
		return ret;
	b->place[piece] = to;
	if (!is_reached(to))
		vb_memory_fill(&b->ram, first_page(piece), VB_BUSY_NAMED, ++b->seed[piece]);
	return 0;
}
