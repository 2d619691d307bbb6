// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's code, assembled for real mode.
 */
#include <stddef.h>

#include "vb_guest.h"

_Static_assert(BLOCK + offsetof(struct block, by_mmio) == BLOCK_BY_MMIO, "");
_Static_assert(BLOCK + offsetof(struct block, first) == BLOCK_FIRST, "");
_Static_assert(BLOCK + offsetof(struct block, nr) == BLOCK_NR, "");
_Static_assert(BLOCK + offsetof(struct block, interrupts) == BLOCK_INTERRUPTS, "");
_Static_assert(BLOCK + offsetof(struct block, used_idx) == BLOCK_USED_IDX, "");
_Static_assert(BLOCK + offsetof(struct block, not_zero) == BLOCK_NOT_ZERO, "");

/* The value of a macro as text, for the assembler. */
#define STR_1(x)	#x
#define STR(x)		STR_1(x)

asm(".pushsection .rodata\n"
	".globl guest_code, guest_isr, guest_end\n"
	".code16\n"
"guest_code:\n"
	"cli\n"
	"cld\n"
	/* The PIC: edge-triggered, vectors from VECTOR_BASE on, only our input open. */
	"movb $0x11, %al\n"
	"outb %al, $0x20\n"
	"movb $" STR(VECTOR_BASE) ", %al\n"
	"outb %al, $0x21\n"
	"movb $0x04, %al\n"
	"outb %al, $0x21\n"
	"movb $0x01, %al\n"
	"outb %al, $0x21\n"
	"movb $" STR(IRQ_MASK) ", %al\n"
	"outb %al, $0x21\n"

"guest_round:\n"
	/* The list of page numbers: le32, rising. */
	"movw " STR(BLOCK_FIRST) ", %ax\n"
	"movw " STR(BLOCK_NR) ", %cx\n"
	"movw $" STR(LIST) ", %di\n"
"1:	movw %ax, (%di)\n"
	"movw $0, 2(%di)\n"
	"addw $4, %di\n"
	"incw %ax\n"
	"loop 1b\n"
	/* Descriptor 0: the list. */
	"movl $" STR(LIST) ", " STR(DESC) "\n"
	"movl $0, " STR(DESC) " + 4\n"
	"movzwl " STR(BLOCK_NR) ", %eax\n"
	"shll $2, %eax\n"
	"movl %eax, " STR(DESC) " + 8\n"
	"movl $0, " STR(DESC) " + 12\n"
	/* An interrupt as soon as it is used (used_event), descriptor 0 available. */
	"movw " STR(AVAIL) " + 2, %bx\n"
	"movw %bx, " STR(AVAIL) " + 4 + 2 * " STR(RING_NUM) "\n"
	"movw %bx, %si\n"
	"andw $" STR(RING_NUM) " - 1, %si\n"
	"shlw $1, %si\n"
	"movw $0, " STR(AVAIL) " + 4(%si)\n"
	"incw %bx\n"
	"movw %bx, " STR(AVAIL) " + 2\n"
	/* The kick: two bytes, the queue's index. */
	"movw " STR(BLOCK_INTERRUPTS) ", %dx\n"
	"xorw %ax, %ax\n"
	"cmpw $0, " STR(BLOCK_BY_MMIO) "\n"
	"jne 2f\n"
	"outw %ax, $" STR(KICK_PORT) "\n"
	"jmp 3f\n"
"2:	movw $" STR(KICK_SEGMENT) ", %bx\n"
	"movw %bx, %es\n"
	"movw %ax, %es:0\n"
	/* Sleep. sti lets no interrupt in before hlt. */
"3:	cmpw " STR(BLOCK_INTERRUPTS) ", %dx\n"
	"jne 4f\n"
	"sti\n"
	"hlt\n"
	"cli\n"
	"jmp 3b\n"
	/* Tell the host, which sets up the next round. */
"4:	outw %ax, $" STR(DONE_PORT) "\n"
	"jmp guest_round\n"

"guest_isr:\n"
	"pushaw\n"
	"pushw %es\n"
	"movw " STR(USED) " + 2, %ax\n"
	"movw %ax, " STR(BLOCK_USED_IDX) "\n"
	/* Every word of every page that was given away. */
	"movw $0, " STR(BLOCK_NOT_ZERO) "\n"
	"movw " STR(BLOCK_FIRST) ", %bx\n"
	"movw " STR(BLOCK_NR) ", %dx\n"
"5:	movw %bx, %ax\n"
	"shlw $8, %ax\n"
	"movw %ax, %es\n"
	"xorw %di, %di\n"
	"xorw %ax, %ax\n"
	"movw $2048, %cx\n"
	"repe scasw\n"
	"je 6f\n"
	"incw " STR(BLOCK_NOT_ZERO) "\n"
"6:	incw %bx\n"
	"decw %dx\n"
	"jnz 5b\n"
	"incw " STR(BLOCK_INTERRUPTS) "\n"
	"movb $0x20, %al\n"
	"outb %al, $0x20\n"
	"popw %es\n"
	"popaw\n"
	"iretw\n"
"guest_end:\n"
	".code64\n"
	".popsection\n");
