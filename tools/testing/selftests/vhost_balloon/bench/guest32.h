/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest of a few instructions in 32-bit protected mode: it touches memory, and gives
 * pages away in requests that the host has written for it. Where everything is in its
 * memory, and its code.
 */
#ifndef BENCH_GUEST32_H
#define BENCH_GUEST32_H

#include <linux/types.h>

/* One slot from address 0 for the guest itself. */
#define RAM_LEN		0x400000
#define CODE		0x1000
#define GDT		0x2000
#define IDT		0x2800
#define BLOCK		0x3000
#define RING		0x4000
#define STACK_TOP	0xa000
/* Page numbers of all requests, one after the other. */
#define LIST		0x100000
#define LIST_LEN	0x200000

/* Another slot for what is given away. */
#define DATA_GPA	0x20000000U

/* The ring, as vb_ring_init() lays it out there: each part on a page of its own. */
#define RING_NUM	8
#define DESC		0x4000
#define AVAIL		0x5000
#define USED		0x6000

/* What the host tells the guest to do, at BLOCK, before it lets it go on. */
struct block {
	__u32 touch;		/* write to pages, or else send requests */
	__u32 first;		/* address of the first page to write to */
	__u32 nr;		/* pages to write to, or requests to send */
	__u32 bytes;		/* of a request */
	__u32 interrupts;	/* from the guest: how many it had */
};

#define BLOCK_TOUCH		0x3000
#define BLOCK_FIRST		0x3004
#define BLOCK_NR		0x3008
#define BLOCK_BYTES		0x300c
#define BLOCK_INTERRUPTS	0x3010

/* Selectors; ports; the interrupt: PIC input and vector. */
#define CODE_SELECTOR	0x08
#define DATA_SELECTOR	0x10
#define KICK_PORT	0xf0
#define DONE_PORT	0xf2
#define IRQ		5
#define IRQ_MASK	0xdf
#define VECTOR_BASE	0x20

/* The guest begins at CODE; its interrupt handler follows at guest32_isr. */
extern const char guest32_code[], guest32_isr[], guest32_end[];

#endif /* BENCH_GUEST32_H */
