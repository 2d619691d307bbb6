/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What queues and memory need of the kernel beyond what rings do, for one thread: the
 * headers of STUBS in the Makefile are all this one. Locks know whether they are held.
 */
#ifndef _VBT_KERNEL_H
#define _VBT_KERNEL_H

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/types.h>
#include <asm/barrier.h>
#include <asm/byteorder.h>

#include "test-expect.h"

/* Compiler */
#define READ_ONCE(x)		(*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, val)	(*(volatile typeof(x) *)&(x) = (val))
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define sizeof_field(type, member) sizeof(((type *)0)->member)
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))
#define __packed		__attribute__((packed))
#define U64_MAX			(~0ULL)
#define max_t(type, x, y)	max((type)(x), (type)(y))
#define min3(x, y, z)		min(min(x, y), z)
#define swap(a, b) do { typeof(a) _t = (a); (a) = (b); (b) = _t; } while (0)
#define WARN_ON_ONCE(cond)	expect(!(cond))

typedef long long s64;

#define PAGE_SHIFT		12
#define PAGE_SIZE		(1UL << PAGE_SHIFT)
#define PMD_SIZE		(1UL << 21)

/* Memory, of which there is enough unless a test says otherwise: it is asked each time. */
#define GFP_KERNEL_ACCOUNT	0
#define __GFP_NOWARN		0
#define __GFP_RETRY_MAYFAIL	0

typedef int gfp_t;

extern bool (*vbt_alloc_allowed)(void);

void *vbt_alloc(size_t nr, size_t size);

#define kzalloc(size, gfp)	((void)(gfp), vbt_alloc(1, size))
#define kvzalloc(size, gfp)	((void)(gfp), vbt_alloc(1, size))
#define kvcalloc(nr, size, gfp)	((void)(gfp), vbt_alloc(nr, size))
#define kfree(p)		free(p)
#define kvfree(p)		free(p)

/* Locks */
struct mutex {
	bool held;
};

typedef struct {
	bool held;
} spinlock_t;

static inline bool vbt_lock(bool *held)
{
	expect(!*held);
	*held = true;
	return true;
}

static inline void vbt_unlock(bool *held)
{
	expect(*held);
	*held = false;
}

#define mutex_init(m)		((m)->held = false)
#define mutex_destroy(m)	expect(!(m)->held)
#define mutex_lock(m)		((void)vbt_lock(&(m)->held))
#define mutex_trylock(m)	(!(m)->held && vbt_lock(&(m)->held))
#define mutex_lock_killable(m)	(vbt_lock(&(m)->held) ? 0 : -EINTR)
#define mutex_unlock(m)		vbt_unlock(&(m)->held)
#define spin_lock_init(l)	((l)->held = false)
#define spin_lock(l)		((void)vbt_lock(&(l)->held))
#define spin_unlock(l)		vbt_unlock(&(l)->held)
#define lockdep_assert_held(l)	expect((l)->held)

typedef struct {
	s64 counter;
} atomic64_t;

#define atomic64_add(n, v)	((v)->counter += (n))
#define atomic64_read(v)	((v)->counter)

/* Who waits is told of by a number. */
typedef struct {
	unsigned long woken;
} wait_queue_head_t;

#define init_waitqueue_head(w)	((w)->woken = 0)
#define wake_up_interruptible_all(w) ((w)->woken++)

/* The thread, and its time */
struct mm_struct;

struct task_struct {
	struct mm_struct *mm;
	bool killed;
};

extern struct task_struct vbt_current;

#define current			(&vbt_current)
#define signal_pending(task)	((void)(task), false)
#define fatal_signal_pending(task) ((task)->killed)
#define cond_resched()		((void)0)

typedef s64 ktime_t;

extern ktime_t vbt_now;

static inline ktime_t ktime_get(void)
{
	return ++vbt_now;
}

#define ktime_get_ns()		((u64)ktime_get())
#define ktime_sub(a, b)		((a) - (b))
#define ktime_to_ns(t)		(t)

/* User memory */
extern unsigned int vbt_pagefaults_disabled;

#define pagefault_disable()	((void)vbt_pagefaults_disabled++)
#define pagefault_enable()	((void)vbt_pagefaults_disabled--)

/* Return how many bytes are not there. */
size_t fault_in_readable(const char __user *p, size_t n);
size_t fault_in_safe_writeable(const char __user *p, size_t n);

/* Kernel versions are of no concern here. */
#define _VHOST_BALLOON_COMPAT_H
int vb_user_or_u32(u32 __user *uaddr, u32 bits);

/* Lists */
struct list_head {
	struct list_head *next, *prev;
};

struct llist_node {
	struct llist_node *next;
};

struct callback_head {
	struct callback_head *next;
};

typedef struct {
	void *private;
} wait_queue_entry_t, poll_table;

#define INIT_LIST_HEAD(head)	((head)->next = (head)->prev = (head))

static inline void list_add_tail(struct list_head *new, struct list_head *head)
{
	new->next = head;
	new->prev = head->prev;
	head->prev->next = new;
	head->prev = new;
}

static inline void list_del(struct list_head *entry)
{
	entry->next->prev = entry->prev;
	entry->prev->next = entry->next;
}

#define list_for_each_entry(pos, head, member)					\
	for (pos = container_of((head)->next, typeof(*pos), member);		\
	     &pos->member != (head);						\
	     pos = container_of(pos->member.next, typeof(*pos), member))

/* Interval trees: a list in rising order, which has to do for intervals that don't overlap. */
struct interval_tree_node {
	struct interval_tree_node *next;
	unsigned long start;
	unsigned long last;
};

struct rb_root_cached {
	struct interval_tree_node *first;
};

#define RB_ROOT_CACHED		((struct rb_root_cached){})

void interval_tree_insert(struct interval_tree_node *node, struct rb_root_cached *root);
void interval_tree_remove(struct interval_tree_node *node, struct rb_root_cached *root);
struct interval_tree_node *interval_tree_iter_first(struct rb_root_cached *root,
						    unsigned long start, unsigned long last);
struct interval_tree_node *interval_tree_iter_next(struct interval_tree_node *node,
						   unsigned long start, unsigned long last);

/* Bitmaps, bit by bit */
#define BITS_PER_LONG		(8 * sizeof(long))
#define BITS_TO_LONGS(n)	(((n) + BITS_PER_LONG - 1) / BITS_PER_LONG)
#define DECLARE_BITMAP(name, n)	unsigned long name[BITS_TO_LONGS(n)]

void bitmap_set(unsigned long *map, unsigned int start, unsigned int nr);
void bitmap_clear(unsigned long *map, unsigned int start, unsigned int nr);
#define bitmap_zero(map, nr)	bitmap_clear(map, 0, nr)
unsigned long find_next_bit(const unsigned long *map, unsigned long size, unsigned long at);
unsigned long find_next_zero_bit(const unsigned long *map, unsigned long size,
				 unsigned long at);

/* Tracepoints, of which nothing is to be seen */
#define TP_PROTO(...)		__VA_ARGS__
#define TRACE_EVENT(name, proto, args, ...)				\
	static inline void trace_##name(proto) {}			\
	static inline bool trace_##name##_enabled(void) { return true; }

#endif /* _VBT_KERNEL_H */
