// SPDX-License-Identifier: GPL-2.0
/* Scenarios: a driver that posts chains, and a device that serves them. */
#include "test-common.h"

#include "test-vring-scenario.h"

const u64 vbs_all_features[VBS_NR_FEATURES] = {
	0, VBD_F_INDIRECT, VBD_F_EVENT_IDX, VBD_F_INDIRECT | VBD_F_EVENT_IDX,
};

struct vbs_log vbs_want, vbs_got;

static void log_put(struct vbs_log *l, const void *data, size_t len)
{
	expect(len <= sizeof(l->buf) - l->len);
	memcpy(l->buf + l->len, data, len);
	l->len += len;
}

static void log_u64(struct vbs_log *l, char what, u64 val)
{
	log_put(l, &what, 1);
	log_put(l, &val, sizeof(val));
}

void vbs_expect_same_log(void)
{
	expect_eq(vbs_got.len, vbs_want.len);
	assert_memory_equal(vbs_got.buf, vbs_want.buf, vbs_want.len);
}

/* Lengths around those that matter to a balloon, and empty ones. */
static u32 random_len(u64 *seed)
{
	static const u32 lens[] = { 0, 1, 2, 3, 4, 7, 8, 10, 16, 33, 64 };

	return lens[vbd_rand(seed) % ARRAY_SIZE(lens)];
}

int vbs_post(struct vbd *d, const struct vbs_shape *s, u64 *seed)
{
	static struct vbd_sg sg[4096];
	unsigned int nr = s->readable + s->writable;
	unsigned int i;
	int head;

	expect(nr <= ARRAY_SIZE(sg));
	for (i = 0; i < nr; i++) {
		u32 k;

		sg[i].len = random_len(seed);
		sg[i].addr = vbd_alloc(d, sg[i].len);
		sg[i].write = i >= s->readable;
		for (k = 0; k < sg[i].len; k++) {
			u8 byte = vbd_rand(seed);

			vbd_write(d, sg[i].addr + k, &byte, 1);
		}
	}
	head = vbd_add(d, sg, nr, s->direct);
	if (head < 0)
		return head;

	log_u64(&vbs_want, 'H', head);
	for (i = 0; i < nr; i++) {
		u8 data[64];

		if (sg[i].write && sg[i].len) {
			log_u64(&vbs_want, 'A', sg[i].addr);
			log_u64(&vbs_want, 'L', sg[i].len);
		} else {
			vbd_read(d, sg[i].addr, data, sg[i].len);
			log_put(&vbs_want, data, sg[i].len);
		}
	}
	return head;
}

/* Read the whole of a chain into the log. */
static void serve_chain(struct vbd *d, struct vb_vring *vr, struct vb_chain *chain)
{
	bool by_read = chain->head % 2;
	size_t chunk = 1 + chain->head % 41;
	long ret;

	while ((ret = VBS_RETRY(d, vr, false, vb_chain_segment(vr, &d->acc, chain))) > 0) {
		u8 data[64];

		expect(chain->len > 0);
		if (chain->write) {
			log_u64(&vbs_got, 'A', chain->addr);
			log_u64(&vbs_got, 'L', chain->len);
			vb_chain_advance(chain, chain->len);
		} else if (by_read) {
			ret = VBS_RETRY(d, vr, false,
					vb_chain_read(vr, &d->acc, chain, data, chunk));
			expect(ret > 0 && (size_t)ret <= chunk);
			log_put(&vbs_got, data, ret);
		} else {
			vbd_read(d, chain->addr, data, chain->len);
			log_put(&vbs_got, data, chain->len);
			vb_chain_advance(chain, chain->len);
		}
	}
	expect_eq(ret, 0);
	expect_eq(VBS_RETRY(d, vr, false, vb_chain_segment(vr, &d->acc, chain)), 0);
}

unsigned int vbs_serve(struct vbd *d, struct vb_vring *vr, unsigned int batch)
{
	unsigned int served = 0;
	struct vb_chain chain;
	long ret;

	expect_eq(VBS_RETRY(d, vr, false, vb_vring_disable_notify(vr, &d->acc)), 0);
	do {
		while ((ret = VBS_RETRY(d, vr, true, vb_vring_next(vr, &d->acc, &chain))) > 0) {
			expect(chain.active);
			log_u64(&vbs_got, 'H', chain.head);
			serve_chain(d, vr, &chain);
			expect_eq(VBS_RETRY(d, vr, false,
					    vb_vring_add_used(vr, &d->acc, chain.head,
							      3 * served)), 0);
			if (++served % batch)
				continue;
			expect_eq(VBS_RETRY(d, vr, false, vb_vring_publish(vr, &d->acc)), 0);
			ret = VBS_RETRY(d, vr, false, vb_vring_should_signal(vr, &d->acc));
			expect(ret == 0 || ret == 1);
			log_u64(&vbs_got, 'S', ret);
		}
		expect_eq(ret, 0);
		expect_eq(VBS_RETRY(d, vr, false, vb_vring_publish(vr, &d->acc)), 0);
		ret = VBS_RETRY(d, vr, false, vb_vring_enable_notify(vr, &d->acc));
	} while (ret == 1);
	expect_eq(ret, 0);
	expect_eq(d->stray, 0);
	expect_eq(vr->broken, 0);
	return served;
}

void vbs_reap(struct vbd *d, const int *heads, unsigned int nr)
{
	unsigned int i;
	u32 id, len;

	for (i = 0; i < nr; i++) {
		expect(vbd_get_used(d, &id, &len));
		expect_eq(id, heads[i]);
		expect_eq(len, 3 * i);
	}
	expect(!vbd_get_used(d, &id, &len));
	expect_eq(d->nr_free, d->num);
}

void vbs_begin(struct vbd *d, struct vb_vring *vr, u16 idx, u64 seed)
{
	vbt_uaccess_reset();
	vbs_want.len = 0;
	vbs_got.len = 0;
	vbd_reset(d, idx, seed);
	vb_vring_init(vr, d->num, d->desc, d->avail, d->used, idx, d->features);
}

unsigned long vbs_run_shapes(struct vbd *d, const struct vbs_shape *shapes, unsigned int nr,
			     u64 seed, unsigned long fail_at, size_t fail_after,
			     unsigned int fail_again)
{
	static int heads[1024];
	struct vb_vring vr;
	unsigned int i, posted = 0;

	vbs_begin(d, &vr, seed, seed);
	for (i = 0; i < nr; i++) {
		int head = vbs_post(d, &shapes[i], &seed);

		if (head >= 0)
			heads[posted++] = head;
	}
	expect(posted > 0);
	vbd_publish(d);
	/* Somewhere in the middle, so that some batches signal and some don't. */
	vbd_set_used_event(d, d->last_used + posted / 2);

	vbt_uaccess.fail_at = fail_at;
	vbt_uaccess.fail_after = fail_after;
	vbt_uaccess.fail_again = fail_again;
	expect_eq(VBS_RETRY(d, &vr, false, vb_vring_start(&vr, &d->acc)), 0);
	expect_eq(vbs_serve(d, &vr, 1024), posted);
	vbt_uaccess.fail_at = 0;
	vbt_uaccess.fail_times = 0;
	vbs_expect_same_log();
	vbs_reap(d, heads, posted);
	return vbt_uaccess.accesses;
}

unsigned int vbs_make_shapes(struct vbs_shape *shapes, unsigned int max, unsigned int num,
			     u64 features, u64 *seed)
{
	unsigned int nr = 0;

	while (nr < max) {
		struct vbs_shape *s = &shapes[nr++];
		/* Mostly short ones, so that many fit; now and then as long as can be. */
		unsigned int limit = vbd_rand(seed) % 8 ? 5 : num;
		unsigned int len;

		if (limit > num)
			limit = num;
		len = 1 + vbd_rand(seed) % limit;
		s->direct = len;
		if ((features & VBD_F_INDIRECT) && vbd_rand(seed) % 2)
			s->direct = vbd_rand(seed) % len;
		s->readable = vbd_rand(seed) % (len + 1);
		s->writable = len - s->readable;
	}
	return nr;
}
