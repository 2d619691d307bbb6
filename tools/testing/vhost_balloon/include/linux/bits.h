/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VBT_LINUX_BITS_H
#define _VBT_LINUX_BITS_H

#define BIT_ULL(nr)	(1ULL << (nr))

#endif /* _VBT_LINUX_BITS_H */
