/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What tests of transparent huge pages have in common. Unlike other helpers these assert:
 *
 *	while (vb_thp_attempt(_metadata, t)) {
 *		... requests ...
 *		vb_thp_expect(_metadata, t, ...);
 *	}
 */
#ifndef VB_THP_TEST_H
#define VB_THP_TEST_H

#include <string.h>

#include "kselftest_harness.h"
#include "vb_thp.h"

#define VB_THP_GATHERED	VHOST_BALLOON_C_THP_GATHERED
#define VB_THP_OPS	VHOST_BALLOON_C_DISCARD_OPS
#define VB_THP_ANON	VHOST_BALLOON_C_DISCARD_ANON

/* The last thing in a FIXTURE_SETUP: a machine that is set up, and doesn't run. */
static inline void vb_thp_setup(struct __test_metadata *_metadata, struct vb_thp *t, bool kvm,
				bool by_worker, __u64 features, unsigned int huge)
{
	const char *missing = kvm ? vb_kvm_missing() : NULL;
	int ret;

	if (missing)
		SKIP(return, "%s", missing);
	ret = vb_thp_open(t, kvm, by_worker, features, huge);
	if (t->why)
		SKIP(return, "%s", t->why);
	ASSERT_EQ(0, ret) {
		TH_LOG("%s: is vhost_balloon.ko loaded?", strerror(-ret));
	}
}

/* See vb_thp_again(). */
static inline bool vb_thp_attempt(struct __test_metadata *_metadata, struct vb_thp *t)
{
	bool again = vb_thp_again(t);

	if (t->why)
		SKIP(return false, "%s", t->why);
	EXPECT_EQ(0, t->error);
	return again;
}

/* What was counted up to now, while no part is idle; not said if it isn't known to be so. */
static inline void vb_thp_expect_counted(struct __test_metadata *_metadata, struct vb_thp *t,
					 __u64 gathered, __u64 ops, __u64 anon)
{
	const __u64 seen_gathered = vb_thp_risen(t, VB_THP_GATHERED);
	const __u64 seen_ops = vb_thp_risen(t, VB_THP_OPS);
	const __u64 seen_anon = vb_thp_risen(t, VB_THP_ANON);

	if (!vb_thp_in_time(t))
		return;
	EXPECT_EQ(gathered, seen_gathered);
	EXPECT_EQ(ops, seen_ops);
	EXPECT_EQ(anon, seen_anon);
}

/* The same, and what became of the memory, which takes longer. */
static inline void vb_thp_expect(struct __test_metadata *_metadata, struct vb_thp *t,
				 __u64 gathered, __u64 ops, __u64 anon)
{
	int wrong;

	vb_thp_expect_counted(_metadata, t, gathered, ops, anon);
	wrong = vb_thp_wrong(t);
	if (vb_thp_in_time(t))
		EXPECT_EQ(0, wrong);
}

/* What has happened in the end, when nothing is kept any more. */
static inline void vb_thp_expect_end(struct __test_metadata *_metadata, struct vb_thp *t,
				     __u64 ops, __u64 anon)
{
	EXPECT_EQ(ops, vb_thp_risen(t, VB_THP_OPS));
	EXPECT_EQ(anon, vb_thp_risen(t, VB_THP_ANON));
	EXPECT_EQ(0, vb_thp_wrong(t));
	EXPECT_EQ(0U, vb_thp_not_zero(t));
}

#endif /* VB_THP_TEST_H */
