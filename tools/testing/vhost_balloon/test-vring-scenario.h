/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Scenarios: a driver that posts chains of some shapes, a device that serves them,
 * and a log of what the device has seen. The driver writes the same log
 * while it posts, so that the two have to be equal.
 */
#ifndef _TEST_VRING_SCENARIO_H
#define _TEST_VRING_SCENARIO_H

#include "test-uaccess.h"
#include "test-vring-driver.h"

/* All combinations of features that make a difference to a ring. */
#define VBS_NR_FEATURES	4
extern const u64 vbs_all_features[VBS_NR_FEATURES];

/**
 * struct vbs_log - what there was to see
 * @len: bytes of it
 * @buf: themselves
 */
struct vbs_log {
	size_t len;
	u8 buf[1 << 20];
};

/* What the driver says that there is to see, and what the device saw. */
extern struct vbs_log vbs_want, vbs_got;

/**
 * struct vbs_shape - what a chain is like
 * @readable: buffers that the device reads
 * @writable: buffers that come after them
 * @direct: how many of both, the first ones, aren't in an indirect table
 */
struct vbs_shape {
	unsigned int readable;
	unsigned int writable;
	unsigned int direct;
};

/*
 * Call a function of the code under test again and again until it doesn't fault
 * any more. A fault has to be reported where it was, and must not change the ring's
 * state unless @may_change.
 */
#define VBS_RETRY(d, vr, may_change, call) ({				\
	struct vb_vring _before;					\
	long _ret;							\
									\
	for (;;) {							\
		memcpy(&_before, vr, sizeof(_before));			\
		_ret = (call);						\
		if (_ret != -EFAULT)					\
			break;						\
		expect((d)->acc.fault_uaddr == vbt_uaccess.fault_at);	\
		expect((d)->acc.fault_len == vbt_uaccess.fault_len);	\
		expect((d)->acc.fault_write == vbt_uaccess.fault_write);\
		(d)->acc.fault_uaddr = NULL;				\
		expect(may_change || !memcmp(&_before, vr, sizeof(_before)));\
	}								\
	_ret; })

/* Everything from the beginning; the ring's indices begin with @idx. */
void vbs_begin(struct vbd *d, struct vb_vring *vr, u16 idx, u64 seed);
/* Post a chain, and write down what the device has to see of it. Returns as vbd_add(). */
int vbs_post(struct vbd *d, const struct vbs_shape *s, u64 *seed);
/* Serve all that is available, publishing after every @batch chains. Returns how many. */
unsigned int vbs_serve(struct vbd *d, struct vb_vring *vr, unsigned int batch);
/* The driver gets back its chains in order, with the lengths that the first vbs_serve() gave. */
void vbs_reap(struct vbd *d, const int *heads, unsigned int nr);
/* The device has seen what the driver has posted. */
void vbs_expect_same_log(void);
/* Shapes that a ring of @num entries can take. Returns how many: @max. */
unsigned int vbs_make_shapes(struct vbs_shape *shapes, unsigned int max, unsigned int num,
			     u64 features, u64 *seed);
/*
 * Chains of all the shapes, as many as fit, once. @fail_at, @fail_after, @fail_again are for
 * vbt_uaccess. Returns the number of accesses.
 */
unsigned long vbs_run_shapes(struct vbd *d, const struct vbs_shape *shapes, unsigned int nr,
			     u64 seed, unsigned long fail_at, size_t fail_after,
			     unsigned int fail_again);

#endif /* _TEST_VRING_SCENARIO_H */
