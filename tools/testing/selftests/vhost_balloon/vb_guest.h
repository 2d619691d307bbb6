/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest of a few instructions that is a driver of the balloon's inflate queue:
 * where everything is in its memory, and its code. See vcpu.c.
 */
#ifndef VB_GUEST_H
#define VB_GUEST_H

#include <linux/types.h>

/* The guest's memory: one slot from address 0, the upper part of it to give away. */
#define RAM_LEN		0xa0000
#define CODE		0x1000
#define BLOCK		0x2000
#define RING		0x3000
#define LIST		0x7000
#define STACK_TOP	0x9000
#define FIRST_PAGE	0x10
#define NR_PAGES	0x80

/* The ring, as vb_ring_init() lays it out there: each part on a page of its own. */
#define RING_NUM	8
#define DESC		0x3000
#define AVAIL		0x4000
#define USED		0x5000

/* What host and guest tell each other, at BLOCK. */
struct block {
	/* to the guest */
	__u16 by_mmio;		/* how to kick, or else by PIO */
	__u16 first;		/* page numbers to give away: from here */
	__u16 nr;		/* so many */
	/* from its interrupt handler */
	__u16 interrupts;	/* how often it ran */
	__u16 used_idx;		/* the used index there */
	__u16 not_zero;		/* pages of those given away that weren't zero there */
};

#define BLOCK_BY_MMIO		0x2000
#define BLOCK_FIRST		0x2002
#define BLOCK_NR		0x2004
#define BLOCK_INTERRUPTS	0x2006
#define BLOCK_USED_IDX		0x2008
#define BLOCK_NOT_ZERO		0x200a

/* Ports, the address of the MMIO kick, and the interrupt: PIC input and vector. */
#define KICK_PORT	0xf0
#define DONE_PORT	0xf2
#define KICK_SEGMENT	0xc000
#define KICK_MMIO	0xc0000
#define IRQ		5
#define IRQ_MASK	0xdf
#define VECTOR_BASE	0x20

/*
 * The guest, in real mode with all segments at 0. It begins at CODE; its
 * interrupt handler follows at guest_isr.
 */
extern const char guest_code[], guest_isr[], guest_end[];

#endif /* VB_GUEST_H */
