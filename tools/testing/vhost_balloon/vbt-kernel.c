// SPDX-License-Identifier: GPL-2.0
/* What isn't inline of the kernel in userspace. */
#include <vbt-kernel.h>

struct task_struct vbt_current;
ktime_t vbt_now;
unsigned int vbt_pagefaults_disabled;
bool (*vbt_alloc_allowed)(void);

void *vbt_alloc(size_t nr, size_t size)
{
	void *p;

	if (vbt_alloc_allowed && !vbt_alloc_allowed())
		return NULL;
	p = calloc(nr, size);
	if (!p)
		abort();
	return p;
}

void interval_tree_insert(struct interval_tree_node *node, struct rb_root_cached *root)
{
	struct interval_tree_node **p = &root->first;

	while (*p && (*p)->start < node->start)
		p = &(*p)->next;
	expect(!*p || node->last < (*p)->start);
	node->next = *p;
	*p = node;
}

void interval_tree_remove(struct interval_tree_node *node, struct rb_root_cached *root)
{
	struct interval_tree_node **p = &root->first;

	while (*p != node)
		p = &(*p)->next;
	*p = node->next;
}

static struct interval_tree_node *vbt_reaching(struct interval_tree_node *node,
					       unsigned long start, unsigned long last)
{
	while (node && node->last < start)
		node = node->next;
	return node && node->start <= last ? node : NULL;
}

struct interval_tree_node *interval_tree_iter_first(struct rb_root_cached *root,
						    unsigned long start, unsigned long last)
{
	return vbt_reaching(root->first, start, last);
}

struct interval_tree_node *interval_tree_iter_next(struct interval_tree_node *node,
						   unsigned long start, unsigned long last)
{
	return vbt_reaching(node->next, start, last);
}

static bool vbt_test_bit(const unsigned long *map, unsigned long i)
{
	return map[i / BITS_PER_LONG] >> (i % BITS_PER_LONG) & 1;
}

void bitmap_set(unsigned long *map, unsigned int start, unsigned int nr)
{
	unsigned long i;

	for (i = start; i < (unsigned long)start + nr; i++)
		map[i / BITS_PER_LONG] |= 1UL << (i % BITS_PER_LONG);
}

void bitmap_clear(unsigned long *map, unsigned int start, unsigned int nr)
{
	unsigned long i;

	for (i = start; i < (unsigned long)start + nr; i++)
		map[i / BITS_PER_LONG] &= ~(1UL << (i % BITS_PER_LONG));
}

unsigned long find_next_bit(const unsigned long *map, unsigned long size, unsigned long at)
{
	while (at < size && !vbt_test_bit(map, at))
		at++;
	return at;
}

unsigned long find_next_zero_bit(const unsigned long *map, unsigned long size,
				 unsigned long at)
{
	while (at < size && vbt_test_bit(map, at))
		at++;
	return at;
}
