// SPDX-License-Identifier: GPL-2.0
/* A model of the driver side of a split virtqueue, and of the memory that it is in. */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/errno.h>
#include <linux/types.h>

#include "test-vring-driver.h"

/* xorshift64*: the same numbers everywhere. The state must not be 0. */
u64 vbd_rand(u64 *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (*state * 0x2545f4914f6cdd1dULL) >> 16;
}

static void *vbd_calloc(size_t nr, size_t size)
{
	void *p = calloc(nr, size);

	if (!p)
		abort();
	return p;
}

/*
 * Memory
 */

static void vbd_area_init(struct vbd_area *a, u64 base, size_t size, size_t gran)
{
	size_t i;

	a->base = base;
	a->size = size;
	a->gran = gran ?: size;
	a->nr = (size + a->gran - 1) / a->gran;
	a->piece = vbd_calloc(a->nr, sizeof(*a->piece));
	for (i = 0; i < a->nr; i++) {
		size_t left = size - i * a->gran;

		/* Exactly as long as it is, for an overrun to be noticed. */
		a->piece[i] = vbd_calloc(1, left < a->gran ? left : a->gran);
	}
}

static void vbd_area_free(struct vbd_area *a)
{
	size_t i;

	for (i = 0; i < a->nr; i++)
		free(a->piece[i]);
	free(a->piece);
}

/* How many bytes are contiguous from there; 0 for none. */
static size_t vbd_area_find(const struct vbd_area *a, u64 addr, size_t len, u8 **p)
{
	size_t off, n;

	if (addr < a->base || addr - a->base >= a->size)
		return 0;
	off = addr - a->base;
	n = a->gran - off % a->gran;
	if (n > a->size - off)
		n = a->size - off;
	*p = a->piece[off / a->gran] + off % a->gran;
	return n < len ? n : len;
}

static size_t vbd_find(const struct vbd *d, u64 addr, size_t len, u8 **p)
{
	size_t n = vbd_area_find(&d->ring, addr, len, p);

	return n ? n : vbd_area_find(&d->guest, addr, len, p);
}

static ssize_t vbd_translate(struct vb_vring_access *acc, enum vb_vring_space space, u64 addr,
			     size_t len, bool write, void __user **uaddr)
{
	struct vbd *d = (struct vbd *)((char *)acc - offsetof(struct vbd, acc));
	const struct vbd_area *a = space == VB_SPACE_RING ? &d->ring : &d->guest;
	u8 *p = NULL;
	size_t n;

	if (!len)
		d->stray++;
	if (write && (addr < d->used || addr + len > d->used + 6 + 8 * d->num))
		d->stray++;
	if (space == VB_SPACE_GUEST && d->hole < d->hole_end && addr < d->hole_end) {
		if (addr >= d->hole)
			return -ENXIO;
		if (len > d->hole - addr)
			len = d->hole - addr;
	}
	n = vbd_area_find(a, addr, len, &p);
	if (!n)
		return -ENXIO;
	*uaddr = p;
	return n;
}

static void vbd_nowhere(u64 addr)
{
	fprintf(stderr, "# no memory at %#llx\n", (unsigned long long)addr);
	abort();
}

void vbd_write(struct vbd *d, u64 addr, const void *from, size_t len)
{
	const u8 *b = from;

	while (len) {
		u8 *p = NULL;
		size_t n = vbd_find(d, addr, len, &p);

		if (!n)
			vbd_nowhere(addr);
		memcpy(p, b, n);
		addr += n;
		b += n;
		len -= n;
	}
}

void vbd_read(struct vbd *d, u64 addr, void *to, size_t len)
{
	u8 *b = to;

	while (len) {
		u8 *p = NULL;
		size_t n = vbd_find(d, addr, len, &p);

		if (!n)
			vbd_nowhere(addr);
		memcpy(b, p, n);
		addr += n;
		b += n;
		len -= n;
	}
}

bool vbd_mapped(const struct vbd *d, u64 addr, size_t len)
{
	while (len) {
		u8 *p = NULL;
		size_t n = vbd_find(d, addr, len, &p);

		if (!n)
			return false;
		addr += n;
		len -= n;
	}
	return true;
}

u8 *vbd_host(struct vbd *d, u64 addr)
{
	u8 *p = NULL;

	if (!vbd_find(d, addr, 1, &p))
		vbd_nowhere(addr);
	return p;
}

u64 vbd_alloc(struct vbd *d, size_t len)
{
	u64 addr = d->guest.base + d->brk;

	if (len > d->guest.size - d->brk)
		vbd_nowhere(addr + len);
	d->brk += len;
	return addr;
}

/*
 * The pieces that a driver is made of
 */

void vbd_put16(struct vbd *d, u64 addr, u16 val)
{
	__atomic_store_n((u16 *)vbd_host(d, addr), htole16(val), __ATOMIC_RELAXED);
}

u16 vbd_get16(struct vbd *d, u64 addr)
{
	return le16toh(__atomic_load_n((u16 *)vbd_host(d, addr), __ATOMIC_RELAXED));
}

void vbd_set_desc(struct vbd *d, u64 table, unsigned int i, u64 addr, u32 len, u16 flags,
		  u16 next)
{
	struct vbd_desc raw = { htole64(addr), htole32(len), htole16(flags), htole16(next) };

	vbd_write(d, table + 16 * i, &raw, 16);
}

struct vbd_desc vbd_get_desc(struct vbd *d, u64 table, unsigned int i)
{
	struct vbd_desc raw;

	vbd_read(d, table + 16 * i, &raw, 16);
	raw.addr = le64toh(raw.addr);
	raw.len = le32toh(raw.len);
	raw.flags = le16toh(raw.flags);
	raw.next = le16toh(raw.next);
	return raw;
}

void vbd_set_avail(struct vbd *d, u16 i, u16 head)
{
	vbd_put16(d, d->avail + 4 + 2 * (i % d->num), head);
}

void vbd_set_avail_idx(struct vbd *d, u16 idx)
{
	vbd_put16(d, d->avail + 2, idx);
}

void vbd_set_avail_flags(struct vbd *d, u16 flags)
{
	vbd_put16(d, d->avail, flags);
}

void vbd_set_used_event(struct vbd *d, u16 event)
{
	vbd_put16(d, d->avail + 4 + 2 * d->num, event);
}

void vbd_set_used_idx(struct vbd *d, u16 idx)
{
	vbd_put16(d, d->used + 2, idx);
}

u16 vbd_used_idx(struct vbd *d)
{
	return vbd_get16(d, d->used + 2);
}

u16 vbd_used_flags(struct vbd *d)
{
	return vbd_get16(d, d->used);
}

u16 vbd_avail_event(struct vbd *d)
{
	return vbd_get16(d, d->used + 4 + 8 * d->num);
}

void vbd_used_elem(struct vbd *d, u16 i, u32 *id, u32 *len)
{
	u32 raw[2];

	vbd_read(d, d->used + 4 + 8 * (i % d->num), raw, sizeof(raw));
	*id = le32toh(raw[0]);
	*len = le32toh(raw[1]);
}

/*
 * The honest driver
 */

static u16 vbd_take_desc(struct vbd *d)
{
	return d->free[--d->nr_free];
}

/*
 * Make a chain available, of which @direct buffers are in the descriptor table
 * and the others, if any, in an indirect table behind them. Returns its head, or
 * -1 if there are not enough descriptors.
 */
int vbd_add(struct vbd *d, const struct vbd_sg *sg, unsigned int nr, unsigned int direct)
{
	unsigned int need = direct + (direct < nr);
	unsigned int i;
	u16 head, cur;

	if (need > d->nr_free || !need)
		return -1;

	head = vbd_take_desc(d);
	cur = head;
	d->owned[head] = need;
	for (i = 0; i < need; i++) {
		u16 flags = 0, next = 0;

		if (i + 1 < need) {
			flags = VBD_NEXT;
			next = vbd_take_desc(d);
			d->link[cur] = next;
		}
		if (i < direct) {
			flags |= sg[i].write ? VBD_WRITE : 0;
			vbd_set_desc(d, d->desc, cur, sg[i].addr, sg[i].len, flags, next);
		} else {
			u64 table = vbd_alloc(d, 16 * (nr - direct));
			unsigned int j;

			/* From its first entry on to the last one, then downward. */
			for (j = 0; j < nr - direct; j++) {
				unsigned int at = j ? nr - direct - j : 0;
				const struct vbd_sg *s = &sg[direct + j];

				flags = s->write ? VBD_WRITE : 0;
				if (j + 1 < nr - direct)
					flags |= VBD_NEXT;
				vbd_set_desc(d, table, at, s->addr, s->len, flags,
					     nr - direct - j - 1);
			}
			vbd_set_desc(d, d->desc, cur, table, 16 * (nr - direct), VBD_INDIRECT, 0);
		}
		cur = next;
	}
	vbd_set_avail(d, d->avail_idx++, head);
	return head;
}

void vbd_publish(struct vbd *d)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
	vbd_set_avail_idx(d, d->avail_idx);
}

/* Whether the device wants to know of what was published since the last call. */
bool vbd_need_kick(struct vbd *d)
{
	u16 old = d->kick_idx;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	d->kick_idx = d->avail_idx;
	if (d->features & VBD_F_EVENT_IDX) {
		u16 event = vbd_avail_event(d);

		while (old != d->avail_idx) {
			if (old++ == event)
				return true;
		}
		return false;
	}
	return !(vbd_used_flags(d) & 1);
}

/* Take back what the device has completed. False if there is nothing. */
bool vbd_get_used(struct vbd *d, u32 *id, u32 *len)
{
	unsigned int i, nr;
	u16 cur;

	if (vbd_used_idx(d) == d->last_used)
		return false;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	vbd_used_elem(d, d->last_used, id, len);
	d->last_used++;

	if (*id >= d->num || !d->owned[*id]) {
		fprintf(stderr, "# used entry for %u, which is no head\n", *id);
		abort();
	}
	nr = d->owned[*id];
	d->owned[*id] = 0;
	for (i = 0, cur = *id; i < nr; i++, cur = d->link[cur])
		d->free[d->nr_free++] = cur;
	return true;
}

void vbd_disable_interrupts(struct vbd *d)
{
	if (!(d->features & VBD_F_EVENT_IDX))
		vbd_set_avail_flags(d, 1);
}

/* Returns whether there is something already, for which no interrupt comes. */
bool vbd_enable_interrupts(struct vbd *d)
{
	if (d->features & VBD_F_EVENT_IDX)
		vbd_set_used_event(d, d->last_used);
	else
		vbd_set_avail_flags(d, 0);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return vbd_used_idx(d) != d->last_used;
}

void vbd_reset(struct vbd *d, u16 idx, u64 seed)
{
	unsigned int i;

	for (i = 0; i < d->ring.nr; i++) {
		size_t left = d->ring.size - i * d->ring.gran;

		memset(d->ring.piece[i], 0, left < d->ring.gran ? left : d->ring.gran);
	}
	d->avail_idx = idx;
	d->kick_idx = idx;
	d->last_used = idx;
	d->brk = 0;
	d->stray = 0;
	d->hole = 0;
	d->hole_end = 0;
	vbd_set_avail_idx(d, idx);
	vbd_set_used_idx(d, idx);
	vbd_set_used_event(d, idx);

	d->nr_free = d->num;
	for (i = 0; i < d->num; i++) {
		d->owned[i] = 0;
		d->free[i] = i;
	}
	for (i = d->num - 1; seed && i; i--) {
		unsigned int j = vbd_rand(&seed) % (i + 1);
		u16 t = d->free[i];

		d->free[i] = d->free[j];
		d->free[j] = t;
	}
}

struct vbd *vbd_create(unsigned int num, u64 features, size_t guest_size, size_t gran)
{
	struct vbd *d = vbd_calloc(1, sizeof(*d));
	size_t desc = 16 * num, avail = 6 + 2 * num, used = 6 + 8 * num;
	size_t used_off = (desc + avail + 3) / 4 * 4;

	d->acc.translate = vbd_translate;
	d->num = num;
	d->features = features;
	d->desc = VBD_RING_BASE;
	d->avail = VBD_RING_BASE + desc;
	d->used = VBD_RING_BASE + used_off;
	vbd_area_init(&d->ring, VBD_RING_BASE, used_off + used, gran);
	vbd_area_init(&d->guest, VBD_GUEST_BASE, guest_size, gran);
	d->free = vbd_calloc(num, sizeof(*d->free));
	d->owned = vbd_calloc(num, sizeof(*d->owned));
	d->link = vbd_calloc(num, sizeof(*d->link));
	vbd_reset(d, 0, 0);
	return d;
}

void vbd_destroy(struct vbd *d)
{
	vbd_area_free(&d->ring);
	vbd_area_free(&d->guest);
	free(d->free);
	free(d->owned);
	free(d->link);
	free(d);
}
