/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Free page hinting: its state, and the protocol of its queue.
 */
#ifndef _VHOST_BALLOON_HINT_H
#define _VHOST_BALLOON_HINT_H

#include "pagebits.h"
#include "queue.h"

/** VB_HINT_CMD_ID_FIRST - the first command id; 0 and 1 are commands of their own */
#define VB_HINT_CMD_ID_FIRST	0x80000000

/**
 * struct vb_hint - free page hinting
 * @id: id of the balloon, for tracing
 * @budget: what may be dealt with before the next section; protected by the queue mutex
 * @memory: the guest's memory. Its mutex protects everything below.
 * @changed: told when @state has changed; may be called in a section
 * @state: enum vhost_balloon_hint_state
 * @cmd_id: command id of the last start; 0 if there was none
 * @listening: the driver's last command was @cmd_id
 * @bits: the pages that were hinted
 */
struct vb_hint {
	u64 id;
	int budget;
	struct vb_memory *memory;
	void (*changed)(struct vb_hint *hint);
	u32 state;
	u32 cmd_id;
	bool listening;
	struct vb_pagebits bits;
};

extern const struct vb_queue_ops vb_hint_ops;

int vb_hint_init(struct vb_hint *hint, u64 id, struct vb_memory *m,
		 void (*changed)(struct vb_hint *hint));
void vb_hint_destroy(struct vb_hint *hint);
int vb_hint_start(struct vb_hint *hint, u32 *cmd_id);
int vb_hint_end(struct vb_hint *hint, u32 state);
void vb_hint_reset(struct vb_hint *hint);
int vb_hint_fetch(struct vb_hint *hint, u64 gfn, u32 nr, u64 *words, u32 *set);

#endif /* _VHOST_BALLOON_HINT_H */
