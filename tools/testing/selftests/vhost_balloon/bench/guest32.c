// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's code.
 */
#include <stddef.h>

#include "guest32.h"

_Static_assert(BLOCK + offsetof(struct block, touch) == BLOCK_TOUCH, "");
_Static_assert(BLOCK + offsetof(struct block, first) == BLOCK_FIRST, "");
_Static_assert(BLOCK + offsetof(struct block, nr) == BLOCK_NR, "");
_Static_assert(BLOCK + offsetof(struct block, bytes) == BLOCK_BYTES, "");
_Static_assert(BLOCK + offsetof(struct block, interrupts) == BLOCK_INTERRUPTS, "");

/* The value of a macro as text, for the assembler. */
#define STR_1(x)	#x
#define STR(x)		STR_1(x)

asm(".pushsection .rodata\n"
	".globl guest32_code, guest32_isr, guest32_end\n"
	".code32\n"
"guest32_code:\n"
	"cli\n"
	/*
	 * The PIC: edge-triggered, vectors from VECTOR_BASE on, the end of an
	 * interrupt by itself, since to tell costs an exit, only our input open.
	 */
	"movb $0x11, %al\n"
	"outb %al, $0x20\n"
	"movb $" STR(VECTOR_BASE) ", %al\n"
	"outb %al, $0x21\n"
	"movb $0x04, %al\n"
	"outb %al, $0x21\n"
	"movb $0x03, %al\n"
	"outb %al, $0x21\n"
	"movb $" STR(IRQ_MASK) ", %al\n"
	"outb %al, $0x21\n"

"guest32_round:\n"
	"movl " STR(BLOCK_NR) ", %ecx\n"
	"cmpl $0, " STR(BLOCK_TOUCH) "\n"
	"je 2f\n"
	/* A word into every page, its own address. */
	"movl " STR(BLOCK_FIRST) ", %edi\n"
"1:	movl %edi, (%edi)\n"
	"addl $0x1000, %edi\n"
	"decl %ecx\n"
	"jnz 1b\n"
	"jmp 9f\n"

	/* Descriptor 0: the list of the request. */
"2:	movl $" STR(LIST) ", %edi\n"
"3:	movl %edi, " STR(DESC) "\n"
	"movl $0, " STR(DESC) " + 4\n"
	"movl " STR(BLOCK_BYTES) ", %eax\n"
	"movl %eax, " STR(DESC) " + 8\n"
	"movl $0, " STR(DESC) " + 12\n"
	/* An interrupt as soon as it is used (used_event), descriptor 0 available. */
	"movzwl " STR(AVAIL) " + 2, %ebx\n"
	"movw %bx, " STR(AVAIL) " + 4 + 2 * " STR(RING_NUM) "\n"
	"movl %ebx, %esi\n"
	"andl $" STR(RING_NUM) " - 1, %esi\n"
	"movw $0, " STR(AVAIL) " + 4(,%esi,2)\n"
	"incl %ebx\n"
	"movw %bx, " STR(AVAIL) " + 2\n"
	/* The kick: two bytes, the queue's index. The interrupt may come at once. */
	"movl " STR(BLOCK_INTERRUPTS) ", %edx\n"
	"xorl %eax, %eax\n"
	"sti\n"
	"outw %ax, $" STR(KICK_PORT) "\n"
	/* Or else sleep. sti lets no interrupt in before hlt. */
"4:	cli\n"
	"cmpl " STR(BLOCK_INTERRUPTS) ", %edx\n"
	"jne 5f\n"
	"sti\n"
	"hlt\n"
	"jmp 4b\n"
"5:	addl " STR(BLOCK_BYTES) ", %edi\n"
	"decl %ecx\n"
	"jnz 3b\n"
	/* Tell the host, which says what to do next. */
"9:	outw %ax, $" STR(DONE_PORT) "\n"
	"jmp guest32_round\n"

"guest32_isr:\n"
	"incl " STR(BLOCK_INTERRUPTS) "\n"
	"iret\n"
"guest32_end:\n"
	".code64\n"
	".popsection\n");
