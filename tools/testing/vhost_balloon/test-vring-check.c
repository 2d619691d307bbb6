// SPDX-License-Identifier: GPL-2.0
/* Rings of any content: what the code says of them, against a plain model. */
#include <string.h>
#include <linux/errno.h>
#include <uapi/linux/vhost_balloon.h>

#include "test-expect.h"
#include "test-vring-check.h"
#include "vring.h"

/* More faults in a row than anybody makes here. */
#define FAULTS_MAX	10000

/* What faulted is called again. */
#define again(call) ({						\
	unsigned int _faults = 0;				\
	typeof(call) _ret;					\
								\
	while ((_ret = (call)) == -EFAULT)			\
		expect(_faults++ < FAULTS_MAX);			\
	_ret; })

static void model_end(struct vbt_model *m, int end, u32 broken)
{
	m->end = end;
	m->broken = broken;
}

static void model_table(struct vbd *d, struct vbt_model *m, u64 table, unsigned int len,
			unsigned int i, bool indirect)
{
	unsigned int left = len;

	for (;;) {
		bool writing = m->nr && m->sg[m->nr - 1].write;
		struct vbd_desc e;

		if (!vbd_mapped(d, table + 16 * i, 16) || (indirect && table < VBD_GUEST_BASE) ||
		    (indirect && table >= VBD_RING_BASE))
			return model_end(m, -ENXIO, 0);
		e = vbd_get_desc(d, table, i);
		left--;

		if (e.flags & VBD_INDIRECT) {
			if (indirect || !(d->features & VBD_F_INDIRECT) || (e.flags & VBD_NEXT) ||
			    e.len == 0 || e.len % 16 || e.len > 16 * d->num)
				return model_end(m, -EBADMSG, VHOST_BALLOON_BROKEN_INDIRECT);
			if (e.addr > ~0ULL - (e.len - 1))
				return model_end(m, -EINVAL, 0);
			return model_table(d, m, e.addr, e.len / 16, 0, true);
		}
		if ((e.flags & VBD_NEXT) && e.next >= len)
			return model_end(m, -EBADMSG, VHOST_BALLOON_BROKEN_NEXT);
		/* A chain that uses up its table and goes on meets itself again. */
		if ((e.flags & VBD_NEXT) && !left)
			return model_end(m, -EBADMSG, VHOST_BALLOON_BROKEN_LOOP);
		if (e.len && e.addr > ~0ULL - (e.len - 1))
			return model_end(m, -EINVAL, 0);
		if (e.len) {
			if (writing && !(e.flags & VBD_WRITE))
				return model_end(m, -EINVAL, 0);
			m->sg[m->nr].addr = e.addr;
			m->sg[m->nr].len = e.len;
			m->sg[m->nr].write = e.flags & VBD_WRITE;
			m->nr++;
		}
		if (!(e.flags & VBD_NEXT))
			return model_end(m, 0, 0);
		i = e.next;
	}
}

/**
 * vbt_model_chain - walk a chain by the book
 * @d: the ring
 * @m: filled
 * @head: of the chain, an entry of the descriptor table
 */
void vbt_model_chain(struct vbd *d, struct vbt_model *m, u16 head)
{
	memset(m, 0, sizeof(*m));
	m->head = head;
	model_table(d, m, d->desc, d->num, head, false);
}

/* Read what is readable by vb_chain_read(), and compare with memory. */
static void check_read(struct vbd *d, struct vb_vring *vr, struct vb_chain *chain,
		       const struct vbt_model *m, struct vbt_choice *c)
{
	u8 buf[64], byte;
	unsigned int i = 0;
	u32 off = 0;

	for (;;) {
		size_t len = 1 + vbt_choose(c, sizeof(buf));
		ssize_t ret = again(vb_chain_read(vr, &d->acc, chain, buf, len));
		ssize_t k;

		if (ret > 0) {
			expect((size_t)ret <= len);
			for (k = 0; k < ret; k++) {
				expect(i < m->nr && !m->sg[i].write);
				vbd_read(d, m->sg[i].addr + off, &byte, 1);
				expect_eq(buf[k], byte);
				if (++off == m->sg[i].len) {
					i++;
					off = 0;
				}
			}
			continue;
		}
		if (i == m->nr) {
			expect_eq(ret, m->end);
			return;
		}
		if (m->sg[i].write) {
			expect_eq(ret, -EINVAL);
			expect_eq(off, 0);
		} else {
			expect_eq(ret, -ENXIO);
			expect(!vbd_mapped(d, m->sg[i].addr + off, 1) ||
			       m->sg[i].addr + off >= VBD_RING_BASE);
		}
		/* Leave the rest of this one out, and go on. */
		expect_eq(again(vb_chain_segment(vr, &d->acc, chain)), 1);
		expect_eq(chain->addr, m->sg[i].addr + off);
		expect_eq(chain->len, m->sg[i].len - off);
		vb_chain_advance(chain, chain->len);
		i++;
		off = 0;
	}
}

static void check_segments(struct vbd *d, struct vb_vring *vr, struct vb_chain *chain,
			   const struct vbt_model *m)
{
	unsigned int i;

	for (i = 0; i < m->nr; i++) {
		expect_eq(again(vb_chain_segment(vr, &d->acc, chain)), 1);
		expect_eq(chain->addr, m->sg[i].addr);
		expect_eq(chain->len, m->sg[i].len);
		expect_eq(chain->write, m->sg[i].write);
		vb_chain_advance(chain, chain->len);
	}
	expect_eq(again(vb_chain_segment(vr, &d->acc, chain)), m->end);
}

/* How far a ring was served. */
struct served {
	u16 avail;
	u16 used;
	/* Used index when the driver's wish was read last. */
	bool asked;
	u16 asked_at;
};

static void check_used(struct vbd *d, struct vb_vring *vr, struct served *s, u16 head)
{
	u32 id, len;

	expect_eq(again(vb_vring_add_used(vr, &d->acc, head, head + 7)), 0);
	vbd_used_elem(d, s->used, &id, &len);
	expect_eq(id, head);
	expect_eq(len, head + 7);
	s->avail++;
	s->used++;
}

static void check_publish(struct vbd *d, struct vb_vring *vr, const struct served *s)
{
	expect_eq(again(vb_vring_publish(vr, &d->acc)), 0);
	expect_eq(vbd_used_idx(d), s->used);
}

/* Whether the driver wants to be interrupted, going through the indices one by one. */
static bool model_signal(struct vbd *d, struct served *s, u16 published)
{
	u16 event = vbd_get16(d, d->avail + 4 + 2 * d->num);
	bool signal = !s->asked;
	u16 i;

	if (!(d->features & VBD_F_EVENT_IDX))
		return !(vbd_get16(d, d->avail) & 1);
	for (i = s->asked_at; s->asked && i != published; i++)
		if (i == event)
			signal = true;
	s->asked = true;
	s->asked_at = published;
	return signal;
}

static void check_signal(struct vbd *d, struct vb_vring *vr, struct served *s)
{
	bool signal = model_signal(d, s, vbd_used_idx(d));

	expect_eq(again(vb_vring_should_signal(vr, &d->acc)), signal);
}

static void check_end(struct vbd *d, struct vb_vring *vr, struct served *s)
{
	check_publish(d, vr, s);
	expect_eq(again(vb_vring_disable_notify(vr, &d->acc)), 0);
	if (!(d->features & VBD_F_EVENT_IDX))
		expect_eq(vbd_used_flags(d), 1);
	expect_eq(again(vb_vring_enable_notify(vr, &d->acc)), 0);
	if (d->features & VBD_F_EVENT_IDX)
		expect_eq(vbd_avail_event(d), s->avail);
	else
		expect_eq(vbd_used_flags(d), 0);
}

static void count_end(struct vbt_ends *ends, const struct vbt_model *m)
{
	ends->segments += m->nr;
	if (m->broken)
		ends->broken[m->broken]++;
	else if (m->end == -EINVAL)
		ends->malformed++;
	else if (m->end == -ENXIO)
		ends->no_memory++;
	else
		ends->good++;
}

/* Returns whether the ring can still be trusted. */
static bool check_chain(struct vbd *d, struct vb_vring *vr, struct vb_chain *chain,
			struct vbt_choice *c, struct vbt_ends *ends)
{
	struct vbt_model m;

	vbt_model_chain(d, &m, chain->head);
	if (vbt_choose(c, 2))
		check_read(d, vr, chain, &m, c);
	else
		check_segments(d, vr, chain, &m);
	expect_eq(vr->broken, m.broken);
	count_end(ends, &m);
	return !m.broken;
}

void vbt_check_ring(struct vbd *d, u16 idx, struct vbt_choice *c, struct vbt_ends *ends)
{
	u16 ahead = vbd_get16(d, d->avail + 2) - idx;
	struct served s = { .avail = idx, .used = vbd_used_idx(d) };
	struct vb_chain chain;
	struct vb_vring vr;
	int ret;

	vb_vring_init(&vr, d->num, d->desc, d->avail, d->used, idx, d->features);
	expect_eq(again(vb_vring_start(&vr, &d->acc)), 0);
	while ((ret = again(vb_vring_next(&vr, &d->acc, &chain))) == 1) {
		expect(s.avail != (u16)(idx + ahead));
		expect_eq(chain.head, vbd_get16(d, d->avail + 4 + 2 * (s.avail % d->num)));
		if (!check_chain(d, &vr, &chain, c, ends))
			return;
		check_used(d, &vr, &s, chain.head);
		if (vbt_choose(c, 2))
			check_publish(d, &vr, &s);
		check_signal(d, &vr, &s);
	}
	if (ahead > d->num) {
		expect_eq(ret, -EBADMSG);
		expect_eq(vr.broken, VHOST_BALLOON_BROKEN_AVAIL_INDEX);
	} else if (s.avail != (u16)(idx + ahead)) {
		expect_eq(ret, -EBADMSG);
		expect_eq(vr.broken, VHOST_BALLOON_BROKEN_HEAD);
	} else {
		expect_eq(ret, 0);
		check_end(d, &vr, &s);
	}
	if (vr.broken)
		ends->broken[vr.broken]++;
	expect_eq(d->stray, 0);
}

/* Whatever the chain turns into while it is walked. */
static void serve_changing_chain(struct vbd *d, struct vb_vring *vr, struct vb_chain *chain,
				 struct vbt_choice *c)
{
	unsigned int pieces = 0;
	u8 buf[64];

	while (again(vb_chain_segment(vr, &d->acc, chain)) > 0) {
		expect(chain->len > 0 && chain->addr + (chain->len - 1) >= chain->addr);
		expect(++pieces <= 2 * d->num);
		if (vbt_choose(c, 2) && !chain->write)
			vb_chain_read(vr, &d->acc, chain, buf, 1 + vbt_choose(c, sizeof(buf)));
		/* May be in the next one by now, or at the end. */
		vb_chain_advance(chain, chain->len);
	}
}

void vbt_check_changing_ring(struct vbd *d, u16 idx, struct vbt_choice *c)
{
	unsigned int chains;
	struct vb_chain chain;
	struct vb_vring vr;

	vb_vring_init(&vr, d->num, d->desc, d->avail, d->used, idx, d->features);
	again(vb_vring_start(&vr, &d->acc));
	for (chains = 0; chains < 4 * d->num; chains++) {
		if (again(vb_vring_next(&vr, &d->acc, &chain)) <= 0)
			break;
		expect(chain.head < d->num);
		serve_changing_chain(d, &vr, &chain, c);
		again(vb_vring_add_used(&vr, &d->acc, chain.head, 0));
		again(vb_vring_publish(&vr, &d->acc));
		again(vb_vring_should_signal(&vr, &d->acc));
		again(vb_vring_enable_notify(&vr, &d->acc));
		again(vb_vring_disable_notify(&vr, &d->acc));
	}
	expect_eq(d->stray, 0);
}
