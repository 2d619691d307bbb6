/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Real barriers, since driver and device may be threads; and each is told to the
 * test, as there are machines that work without some of them.
 */
#ifndef _VBT_ASM_BARRIER_H
#define _VBT_ASM_BARRIER_H

void vbt_barrier(char kind);

#define vbt_fence(kind, order) \
	do { vbt_barrier(kind); __atomic_thread_fence(order); } while (0)

#define smp_mb()	vbt_fence('m', __ATOMIC_SEQ_CST)	/* full */
#define smp_rmb()	vbt_fence('r', __ATOMIC_ACQUIRE)	/* reads */
#define smp_wmb()	vbt_fence('w', __ATOMIC_RELEASE)	/* writes */

#endif /* _VBT_ASM_BARRIER_H */
