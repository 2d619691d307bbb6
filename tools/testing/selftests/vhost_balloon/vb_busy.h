/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A machine whose guest is busy on all of its queues, each in a thread of its own, while the slots
 * of its memory come, go, move and change.
 *
 * Functions return 0 (or what their comment says) or a negative errno.
 */
#ifndef VB_BUSY_H
#define VB_BUSY_H

#include "vb_kicker.h"
#include "vb_memory.h"
#include "vb_race.h"

/*
 * The memory consists of pieces, each in a slot of its own, with some that is in no slot
 * behind each. Only the first VB_BUSY_NAMED pages of a piece are ever named by the guest.
 */
#define VB_BUSY_GPA	0x10000000ULL
#define VB_BUSY_PIECES	4U
#define VB_BUSY_NAMED	48U
#define VB_BUSY_SLOT	64U
#define VB_BUSY_STRIDE	96U
#define VB_BUSY_PAGES	(VB_BUSY_PIECES * VB_BUSY_STRIDE)
/* Pages that nobody ever names. */
#define VB_BUSY_UNNAMED	(VB_BUSY_PIECES * (VB_BUSY_STRIDE - VB_BUSY_NAMED))

/* Where a piece's slot is. The guest's pages are discarded in the first two only. */
enum vb_busy_place {
	VB_BUSY_HOME,
	VB_BUSY_LOGGED,
	VB_BUSY_AWAY,
	VB_BUSY_READONLY,
	VB_BUSY_GONE,
	VB_BUSY_PLACES,
};

/**
 * struct vb_busy - the machine
 * @m: itself, with memslots and all five queues
 * @ram: its memory, the caller's
 * @place: where each piece is
 * @seed: what a piece was filled with when it was out of the guest's reach
 * @kickers: the guest on each queue, but for these:
 * @deflate: takes pages back, one request at a time: none is named twice in a batch
 * @deflates: so many were used
 * @stats: sends statistics, and is the controller that asks for them
 * @samples: so many were sent
 */
struct vb_busy {
	struct vb_machine m;
	struct vb_memory ram;
	enum vb_busy_place place[VB_BUSY_PIECES];
	__u32 seed[VB_BUSY_PIECES];
	struct vb_kicker kickers[VB_NR_QUEUES];
	struct vb_loop deflate;
	atomic_ulong deflates;
	struct vb_loop stats;
	atomic_ulong samples;
};

/* Maps memory for one, filled. */
int vb_busy_map(struct vb_memory *ram, enum vb_memory_kind kind);
/* How many of the pages that nobody names are as they were filled. */
unsigned int vb_busy_untouched(struct vb_memory *ram);

/* The machine, running. @worker: all is served by the worker. */
int vb_busy_open(struct vb_busy *b, const struct vb_memory *ram, bool worker);
void vb_busy_close(struct vb_busy *b);
/* The guest begins; ends: what went wrong. */
int vb_busy_start(struct vb_busy *b);
int vb_busy_stop(struct vb_busy *b);
/* Waits until each queue has served what it was asked for, and as much again. */
int vb_busy_wait(struct vb_busy *b);
/* Requests that were used, of all queues, since it began. */
__u64 vb_busy_used(const struct vb_busy *b);
/* What ended one of its threads, 0 if nothing did. */
int vb_busy_error(const struct vb_busy *b);
/* Says how far its queues and its threads have come. */
void vb_busy_describe(struct vb_busy *b);
/*
 * When it has stopped: whether all that was used was counted, and each page came to an end of some
 * kind: -1 if so, or else the first counter that says otherwise.
 */
int vb_busy_miscounted(struct vb_busy *b);

/*
 * Changes the slot of a piece in any way. What was written to pages while they were out of the
 * guest's reach has to be there still: -EILSEQ.
 */
int vb_busy_change(struct vb_busy *b, unsigned int piece);
/* Whether that holds for all pages that are out of reach now. */
bool vb_busy_all_as_written(struct vb_busy *b);

#endif /* VB_BUSY_H */
