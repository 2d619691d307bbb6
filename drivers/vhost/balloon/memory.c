// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's address space: sections, regions, and the listeners.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "memory.h"
#include "trace.h"

/* Room for the slots of a small VM: QEMU makes about a dozen. */
#define VB_REGIONS_MIN 16

/**
 * vb_memory_init - make an address space without memory
 * @m: the address space, zeroed
 * @id: of the balloon, for tracing
 */
void vb_memory_init(struct vb_memory *m, u64 id)
{
	m->id = id;
	mutex_init(&m->lock);
	INIT_LIST_HEAD(&m->listeners);
}

/**
 * vb_memory_destroy - free what an address space holds
 * @m: the address space, without source and with nobody using it
 */
void vb_memory_destroy(struct vb_memory *m)
{
	WARN_ON_ONCE(m->source);
	kvfree(m->regions);
	kvfree(m->spare);
	mutex_destroy(&m->lock);
}

static void vb_memory_begin(struct vb_memory *m, struct vb_memory_listener *l)
{
	if (l->traced)
		trace_vhost_balloon_region(m->id, VB_TRACE_BEGIN, NULL);
	if (l->ops->begin)
		l->ops->begin(l);
}

static void vb_memory_del(struct vb_memory *m, struct vb_memory_listener *l,
			  const struct vhost_balloon_slot *r)
{
	if (l->traced)
		trace_vhost_balloon_region(m->id, VB_TRACE_DEL, r);
	if (l->ops->region_del)
		l->ops->region_del(l, r);
}

static void vb_memory_add(struct vb_memory *m, struct vb_memory_listener *l,
			  const struct vhost_balloon_slot *r)
{
	if (l->traced)
		trace_vhost_balloon_region(m->id, VB_TRACE_ADD, r);
	if (l->ops->region_add)
		l->ops->region_add(l, r);
}

static void vb_memory_nop(struct vb_memory *m, struct vb_memory_listener *l,
			  const struct vhost_balloon_slot *r)
{
	if (l->traced)
		trace_vhost_balloon_region(m->id, VB_TRACE_NOP, r);
	if (l->ops->region_nop)
		l->ops->region_nop(l, r);
}

static void vb_memory_commit(struct vb_memory *m, struct vb_memory_listener *l)
{
	if (l->traced)
		trace_vhost_balloon_region(m->id, VB_TRACE_COMMIT, NULL);
	if (l->ops->commit)
		l->ops->commit(l);
}

/* Whether the same region is in an array that is sorted by gfn. */
static bool vb_regions_have(const struct vhost_balloon_slot *array, unsigned int nr,
			    const struct vhost_balloon_slot *r)
{
	unsigned int lo = 0, hi = nr;

	while (lo < hi) {
		unsigned int mid = lo + (hi - lo) / 2;

		if (array[mid].gfn < r->gfn)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < nr && array[lo].gfn == r->gfn && array[lo].nr == r->nr &&
	       array[lo].hva == r->hva && array[lo].id == r->id && array[lo].flags == r->flags;
}

/* Tell one listener how it was and how it is. */
static void vb_memory_notify(struct vb_memory *m, struct vb_memory_listener *l,
			     const struct vhost_balloon_slot *was, unsigned int nr_was,
			     const struct vhost_balloon_slot *is, unsigned int nr_is)
{
	unsigned int i;

	vb_memory_begin(m, l);
	for (i = 0; i < nr_was; i++)
		if (!vb_regions_have(is, nr_is, &was[i]))
			vb_memory_del(m, l, &was[i]);
	for (i = 0; i < nr_is; i++) {
		if (vb_regions_have(was, nr_was, &is[i]))
			vb_memory_nop(m, l, &is[i]);
		else
			vb_memory_add(m, l, &is[i]);
	}
	vb_memory_commit(m, l);
}

/*
 * Go through the source's slots. Fills @array as far as it reaches and returns
 * the number of regions that there are.
 */
static unsigned int vb_memory_walk(struct vb_memory *m, struct vhost_balloon_slot *array,
				   unsigned int max)
{
	struct vhost_balloon_slot slot;
	unsigned int nr = 0;
	u64 gfn = 0;

	if (!m->source)
		return 0;
	while (!m->source->find(m->source_data, gfn, &slot)) {
		if (!(slot.flags & VHOST_BALLOON_SLOT_PRIVATE)) {
			if (nr < max)
				array[nr] = slot;
			nr++;
		}
		/* A source that changes meanwhile must not send us in circles. */
		if (slot.gfn + slot.nr <= gfn)
			break;
		gfn = slot.gfn + slot.nr;
	}
	return nr;
}

/*
 * Find out how the regions have changed and run the listeners. Returns 0, or the
 * number of regions there is no room for.
 */
static unsigned int vb_memory_update(struct vb_memory *m, u64 generation)
{
	struct vb_memory_listener *l;
	unsigned int nr;

	nr = vb_memory_walk(m, m->spare, m->max);
	if (nr > m->max)
		return nr;

	list_for_each_entry(l, &m->listeners, node)
		vb_memory_notify(m, l, m->regions, m->nr, m->spare, nr);
	swap(m->regions, m->spare);
	m->nr = nr;
	m->generation = generation;
	m->stale = false;
	return 0;
}

/* Make room for @nr regions and some more. Not inside a section: this may sleep for long. */
static int vb_memory_grow(struct vb_memory *m, unsigned int nr)
{
	struct vhost_balloon_slot *regions, *spare;
	unsigned int max = max_t(unsigned int, VB_REGIONS_MIN, nr + nr / 4);

	regions = kvcalloc(max, sizeof(*regions), GFP_KERNEL_ACCOUNT);
	spare = kvcalloc(max, sizeof(*spare), GFP_KERNEL_ACCOUNT);
	if (!regions || !spare) {
		kvfree(regions);
		kvfree(spare);
		return -ENOMEM;
	}
	if (m->nr)
		memcpy(regions, m->regions, m->nr * sizeof(*regions));
	kvfree(m->regions);
	kvfree(m->spare);
	m->regions = regions;
	m->spare = spare;
	m->max = max;
	return 0;
}

/* What was found in another section is not to be trusted. */
static void vb_memory_enter_source(struct vb_memory *m)
{
	m->cookie = m->source->enter(m->source_data);
	m->last.nr = 0;
}

static bool vb_memory_has_assigned_device(struct vb_memory *m)
{
	return m->source->assigned_device && m->source->assigned_device(m->source_data);
}

/* With the memory mutex held: enter the source's section and bring the regions up to date. */
static int vb_memory_enter_locked(struct vb_memory *m)
{
	unsigned int missing;
	u64 generation;
	int ret;

	if (!m->source)
		return -ENXIO;
	for (;;) {
		vb_memory_enter_source(m);
		generation = m->source->generation(m->source_data);
		missing = 0;
		if (m->stale || generation != m->generation)
			missing = vb_memory_update(m, generation);
		if (!missing)
			break;
		m->source->leave(m->source_data, m->cookie);
		ret = vb_memory_grow(m, missing);
		if (ret)
			return ret;
	}
	WRITE_ONCE(m->assigned, vb_memory_has_assigned_device(m));
	return 0;
}

/**
 * vb_memory_enter - begin a section in which guest memory can be reached
 * @m: the address space
 *
 * Until vb_memory_leave() what vb_memory_find() returns stays valid: a VMM that
 * deletes a slot waits for us in its ioctl. So inside a section nothing may be
 * waited for that userspace controls. If the regions have changed since the
 * last section, the listeners are run first.
 *
 * Takes the memory mutex, which vb_memory_leave() releases.
 *
 * Context: may sleep.
 * Return: 0; -EINTR if killed; -ENXIO without memory; -ENOMEM.
 */
int vb_memory_enter(struct vb_memory *m)
{
	int ret;

	if (mutex_lock_killable(&m->lock))
		return -EINTR;
	ret = vb_memory_enter_locked(m);
	if (ret)
		mutex_unlock(&m->lock);
	return ret;
}

/**
 * vb_memory_try_enter - begin a section, if there is nothing to wait for and nothing to do first
 * @m: the address space
 *
 * As vb_memory_enter(), but doesn't wait, and runs no listeners.
 *
 * Context: any in which a mutex can be tried; doesn't sleep.
 * Return: 0; -EAGAIN if another has the memory mutex; -ESTALE if the regions have changed;
 *	-ENXIO without memory.
 */
int vb_memory_try_enter(struct vb_memory *m)
{
	int ret = -ENXIO;

	if (!mutex_trylock(&m->lock))
		return -EAGAIN;
	if (!m->source)
		goto err_unlock;
	vb_memory_enter_source(m);
	if (m->stale || m->source->generation(m->source_data) != m->generation) {
		ret = -ESTALE;
		goto err_leave;
	}
	WRITE_ONCE(m->assigned, vb_memory_has_assigned_device(m));
	return 0;

err_leave:
	m->source->leave(m->source_data, m->cookie);
err_unlock:
	mutex_unlock(&m->lock);
	return ret;
}

/**
 * vb_memory_leave - end a section
 * @m: the address space
 */
void vb_memory_leave(struct vb_memory *m)
{
	m->source->leave(m->source_data, m->cookie);
	mutex_unlock(&m->lock);
}

/**
 * vb_memory_refresh - bring the regions up to date, if that can be done at once
 * @m: the address space
 *
 * For those who only look: never waits for a pass in progress.
 *
 * Context: may sleep; not inside a section.
 */
void vb_memory_refresh(struct vb_memory *m)
{
	if (!mutex_trylock(&m->lock))
		return;
	if (!vb_memory_enter_locked(m))
		m->source->leave(m->source_data, m->cookie);
	mutex_unlock(&m->lock);
}

/**
 * vb_memory_find - find the slot of a page
 * @m: the address space, inside a section
 * @gfn: the page's guest frame number
 * @slot: filled with the slot that contains @gfn, or else the next one above.
 *	Private slots are found, too. Mostly it's the one that was found before.
 *
 * Context: doesn't sleep.
 * Return: 0; -ENOENT if there is no slot at or above @gfn.
 */
int vb_memory_find(struct vb_memory *m, u64 gfn, struct vhost_balloon_slot *slot)
{
	int ret;

	if (gfn - m->last.gfn < m->last.nr) {
		*slot = m->last;
		return 0;
	}
	ret = m->source->find(m->source_data, gfn, slot);
	if (!ret)
		m->last = *slot;
	return ret;
}

/**
 * vb_memory_set_source - change where the regions come from
 * @m: the address space
 * @ops: the source, or NULL for none
 * @data: the source's own. It is the address space's from now on if
 *	this succeeds; the former source's is released.
 *
 * Waits for a section in progress: after this nothing reaches memory through
 * the former source. Listeners are told of the difference only.
 *
 * Context: may sleep; not inside a section.
 * Return: 0, always when @ops is NULL; -EINTR if killed.
 */
int vb_memory_set_source(struct vb_memory *m, const struct vhost_balloon_source_ops *ops,
			 void *data)
{
	const struct vhost_balloon_source_ops *old;
	void *old_data;

	if (!ops)
		mutex_lock(&m->lock);
	else if (mutex_lock_killable(&m->lock))
		return -EINTR;

	old = m->source;
	old_data = m->source_data;
	m->source = ops;
	WRITE_ONCE(m->type, ops ? ops->type : VHOST_BALLOON_SOURCE_NONE);
	m->source_data = data;
	m->stale = true;
	WRITE_ONCE(m->assigned, false);
	if (!ops)
		vb_memory_update(m, 0);
	else if (!vb_memory_enter_locked(m))
		m->source->leave(m->source_data, m->cookie);
	mutex_unlock(&m->lock);

	if (old)
		old->release(old_data);
	return 0;
}

/*
 * Replay the regions that are there within one begin and commit. The caller
 * holds the memory mutex.
 */
static int vb_memory_replay_locked(struct vb_memory *m, struct vb_memory_listener *l)
{
	int ret;

	ret = vb_memory_enter_locked(m);
	if (ret && ret != -ENXIO)
		return ret;
	vb_memory_notify(m, l, NULL, 0, m->regions, m->nr);
	if (!ret)
		m->source->leave(m->source_data, m->cookie);
	return 0;
}

/**
 * vb_memory_replay - listen once
 * @m: the address space
 * @l: the listener, with its ops set
 * @generation: filled with the generation of the regions
 *
 * As vb_memory_register(), but the listener doesn't hear of later changes.
 *
 * Context: may sleep; not inside a section.
 * Return: 0; -EINTR if killed; -ENOMEM.
 */
int vb_memory_replay(struct vb_memory *m, struct vb_memory_listener *l, u64 *generation)
{
	int ret;

	if (mutex_lock_killable(&m->lock))
		return -EINTR;
	ret = vb_memory_replay_locked(m, l);
	*generation = m->generation;
	mutex_unlock(&m->lock);
	return ret;
}

/**
 * vb_memory_register - begin to listen
 * @m: the address space
 * @l: the listener, with its ops set
 *
 * The regions that are there are replayed within one begin and commit; without
 * a source, that's none.
 *
 * Context: may sleep; not inside a section.
 * Return: 0; -EINTR if killed; -ENOMEM.
 */
int vb_memory_register(struct vb_memory *m, struct vb_memory_listener *l)
{
	int ret;

	if (mutex_lock_killable(&m->lock))
		return -EINTR;
	ret = vb_memory_replay_locked(m, l);
	if (!ret)
		list_add_tail(&l->node, &m->listeners);
	mutex_unlock(&m->lock);
	return ret;
}

/**
 * vb_memory_unregister - stop listening
 * @m: the address space
 * @l: the listener; nothing is called any more after this
 *
 * Context: may sleep; not inside a section.
 */
void vb_memory_unregister(struct vb_memory *m, struct vb_memory_listener *l)
{
	mutex_lock(&m->lock);
	list_del(&l->node);
	mutex_unlock(&m->lock);
}
