/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VBT_LINUX_MINMAX_H
#define _VBT_LINUX_MINMAX_H

/* As strict about types as the kernel's: both have to be the same. */
#define min(x, y) ({				\
	typeof(x) _x = (x);			\
	typeof(y) _y = (y);			\
	(void)(&_x == &_y);			\
	_x < _y ? _x : _y; })
#define max(x, y) ({				\
	typeof(x) _x = (x);			\
	typeof(y) _y = (y);			\
	(void)(&_x == &_y);			\
	_x > _y ? _x : _y; })
#define min_t(type, x, y)	min((type)(x), (type)(y))

#endif /* _VBT_LINUX_MINMAX_H */
