// SPDX-License-Identifier: GPL-2.0
/* Tests of the device side of a virtqueue: rings that are as they should be. */
#include "test-common.h"

#include <unistd.h>

#include "test-uaccess.h"
#include "test-vring-driver.h"
#include "vring.h"

#define GUEST_SIZE	(1UL << 20)

/*
 * A scenario: a driver that posts chains of some shapes, a device that serves them,
 * and a log of what the device has seen. The driver writes the same log
 * while it posts, so that the two have to be equal.
 */

struct log {
	size_t len;
	u8 buf[1 << 20];
};

static struct log want, got;

static void log_put(struct log *l, const void *data, size_t len)
{
	expect(len <= sizeof(l->buf) - l->len);
	memcpy(l->buf + l->len, data, len);
	l->len += len;
}

static void log_u64(struct log *l, char what, u64 val)
{
	log_put(l, &what, 1);
	log_put(l, &val, sizeof(val));
}

static void expect_same_log(void)
{
	expect_eq(got.len, want.len);
	assert_memory_equal(got.buf, want.buf, want.len);
}

/* A chain of @readable and then @writable buffers, the first @direct of them direct. */
struct shape {
	unsigned int readable;
	unsigned int writable;
	unsigned int direct;
};

/* Lengths around those that matter to a balloon, and empty ones. */
static u32 random_len(u64 *seed)
{
	static const u32 lens[] = { 0, 1, 2, 3, 4, 7, 8, 10, 16, 33, 64 };

	return lens[vbd_rand(seed) % ARRAY_SIZE(lens)];
}

/* Post a chain, and write down what the device has to see of it. */
static int post(struct vbd *d, const struct shape *s, u64 *seed)
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

	log_u64(&want, 'H', head);
	for (i = 0; i < nr; i++) {
		u8 data[64];

		if (sg[i].write && sg[i].len) {
			log_u64(&want, 'A', sg[i].addr);
			log_u64(&want, 'L', sg[i].len);
		} else {
			vbd_read(d, sg[i].addr, data, sg[i].len);
			log_put(&want, data, sg[i].len);
		}
	}
	return head;
}

/*
 * Call a function of the code under test again and again until it doesn't fault
 * any more. A fault has to be reported where it was, and must not change the ring's
 * state unless @may_change.
 */
#define RETRY(d, vr, may_change, call) ({				\
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

/* Read the whole of a chain into the log. */
static void serve_chain(struct vbd *d, struct vb_vring *vr, struct vb_chain *chain)
{
	bool by_read = chain->head % 2;
	size_t chunk = 1 + chain->head % 41;
	long ret;

	while ((ret = RETRY(d, vr, false, vb_chain_segment(vr, &d->acc, chain))) > 0) {
		u8 data[64];

		expect(chain->len > 0);
		if (chain->write) {
			log_u64(&got, 'A', chain->addr);
			log_u64(&got, 'L', chain->len);
			vb_chain_advance(chain, chain->len);
		} else if (by_read) {
			ret = RETRY(d, vr, false,
				    vb_chain_read(vr, &d->acc, chain, data, chunk));
			expect(ret > 0 && (size_t)ret <= chunk);
			log_put(&got, data, ret);
		} else {
			vbd_read(d, chain->addr, data, chain->len);
			log_put(&got, data, chain->len);
			vb_chain_advance(chain, chain->len);
		}
	}
	expect_eq(ret, 0);
	expect_eq(RETRY(d, vr, false, vb_chain_segment(vr, &d->acc, chain)), 0);
}

/* Serve all that is available, publishing after every @batch chains. */
static unsigned int serve(struct vbd *d, struct vb_vring *vr, unsigned int batch)
{
	unsigned int served = 0;
	struct vb_chain chain;
	long ret;

	expect_eq(RETRY(d, vr, false, vb_vring_disable_notify(vr, &d->acc)), 0);
	do {
		while ((ret = RETRY(d, vr, true, vb_vring_next(vr, &d->acc, &chain))) > 0) {
			expect(chain.active);
			log_u64(&got, 'H', chain.head);
			serve_chain(d, vr, &chain);
			expect_eq(RETRY(d, vr, false, vb_vring_add_used(vr, &d->acc, chain.head,
									3 * served)), 0);
			if (++served % batch)
				continue;
			expect_eq(RETRY(d, vr, false, vb_vring_publish(vr, &d->acc)), 0);
			ret = RETRY(d, vr, false, vb_vring_should_signal(vr, &d->acc));
			expect(ret == 0 || ret == 1);
			log_u64(&got, 'S', ret);
		}
		expect_eq(ret, 0);
		expect_eq(RETRY(d, vr, false, vb_vring_publish(vr, &d->acc)), 0);
		ret = RETRY(d, vr, false, vb_vring_enable_notify(vr, &d->acc));
	} while (ret == 1);
	expect_eq(ret, 0);
	expect_eq(d->stray, 0);
	expect_eq(vr->broken, 0);
	return served;
}

/* The driver gets back its chains in order, with the lengths that serve() gave. */
static void reap(struct vbd *d, const int *heads, unsigned int nr)
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

static void begin(struct vbd *d, struct vb_vring *vr, u16 idx, u64 seed)
{
	vbt_uaccess_reset();
	want.len = 0;
	got.len = 0;
	vbd_reset(d, idx, seed);
	vb_vring_init(vr, d->num, d->desc, d->avail, d->used, idx, d->features);
}

/*
 * Chains of all the shapes, as many as fit, once. @fail_at is for vbt_uaccess.
 * Returns the number of accesses; the log goes to @got.
 */
static unsigned long run_shapes(struct vbd *d, const struct shape *shapes, unsigned int nr,
				u64 seed, unsigned long fail_at, size_t fail_after,
				unsigned int fail_again)
{
	static int heads[1024];
	struct vb_vring vr;
	unsigned int i, posted = 0;

	begin(d, &vr, seed, seed);
	for (i = 0; i < nr; i++) {
		int head = post(d, &shapes[i], &seed);

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
	expect_eq(RETRY(d, &vr, false, vb_vring_start(&vr, &d->acc)), 0);
	expect_eq(serve(d, &vr, 1024), posted);
	vbt_uaccess.fail_at = 0;
	vbt_uaccess.fail_times = 0;
	expect_same_log();
	reap(d, heads, posted);
	return vbt_uaccess.accesses;
}

static const u64 all_features[] = {
	0, VBD_F_INDIRECT, VBD_F_EVENT_IDX, VBD_F_INDIRECT | VBD_F_EVENT_IDX,
};

/* Shapes that a ring of @num entries can take. */
static unsigned int make_shapes(struct shape *shapes, unsigned int max, unsigned int num,
				u64 features, u64 *seed)
{
	unsigned int nr = 0;

	while (nr < max) {
		struct shape *s = &shapes[nr++];
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

static void test_init(void **state)
{
	struct vb_vring vr;

	(void)state;
	memset(&vr, 0xff, sizeof(vr));
	vb_vring_init(&vr, 64, 0x1000, 0x2000, 0x3000, 77, VBD_F_EVENT_IDX | 1);
	expect_eq(vr.num, 64);
	expect_eq(vr.desc, 0x1000);
	expect_eq(vr.avail, 0x2000);
	expect_eq(vr.used, 0x3000);
	expect_eq(vr.last_avail, 77);
	expect_eq(vr.avail_idx, 77);
	expect(vr.event_idx);
	expect(!vr.indirect);
	expect(!vr.signalled_used_valid);
	expect_eq(vr.broken, 0);
	vb_vring_init(&vr, 64, 0, 0, 0, 0, VBD_F_INDIRECT);
	expect(!vr.event_idx);
	expect(vr.indirect);
	vb_vring_init(&vr, 64, 0, 0, 0, 0, ~(VBD_F_INDIRECT | VBD_F_EVENT_IDX));
	expect(!vr.event_idx);
	expect(!vr.indirect);
}

static void test_start(void **state)
{
	unsigned int f;

	(void)state;
	for (f = 0; f < ARRAY_SIZE(all_features); f++) {
		struct vbd *d = vbd_create(8, all_features[f], 64, 0);
		struct vb_vring vr;
		struct vb_chain chain;

		begin(d, &vr, 500, 1);
		/* The available index came from elsewhere; the used index is the ring's. */
		vbd_set_used_idx(d, 0xfffe);
		vbd_put16(d, d->used, 1);
		vr.signalled_used_valid = true;
		expect_eq(vb_vring_start(&vr, &d->acc), 0);
		expect_eq(vr.next_used, 0xfffe);
		expect_eq(vr.used_published, 0xfffe);
		expect(!vr.signalled_used_valid);
		expect_eq(vbd_used_flags(d), vr.event_idx ? 1 : 0);
		expect_eq(vbd_avail_event(d), vr.event_idx ? 500 : 0);
		expect_eq(vb_vring_next(&vr, &d->acc, &chain), 0);
		expect_eq(d->stray, 0);
		vbd_destroy(d);
	}
}

/* Every ring size, every combination of features, all kinds of shapes. */
static void test_shapes(void **state)
{
	static struct shape shapes[64];
	unsigned int num, f, round;
	u64 seed = 99;

	(void)state;
	for (num = 1; num <= VB_VRING_MAX_NUM; num *= 2) {
		for (f = 0; f < ARRAY_SIZE(all_features); f++) {
			struct vbd *d = vbd_create(num, all_features[f], GUEST_SIZE, 0);

			for (round = 0; round < 40; round++) {
				unsigned int nr = make_shapes(shapes, 64, num, d->features, &seed);

				run_shapes(d, shapes, nr, seed | 1, 0, 0, 0);
			}
			vbd_destroy(d);
		}
	}
}

/* Chains of 1 to n descriptors, direct and indirect, up to all that a ring takes. */
static void test_chain_lengths(void **state)
{
	unsigned int num, len;

	(void)state;
	for (num = 1; num <= VB_VRING_MAX_NUM; num *= 2) {
		struct vbd *d = vbd_create(num, VBD_F_INDIRECT, GUEST_SIZE, 0);

		for (len = 1; len <= num; len += len < 20 || len + 3 > num ? 1 : num / 16) {
			struct shape direct = { len / 2, len - len / 2, len };
			struct shape indirect = { len - len / 3, len / 3, 0 };
			/* Both tables together may hold more than the ring. */
			struct shape both = { len, num - 1, len - 1 };

			run_shapes(d, &direct, 1, len, 0, 0, 0);
			run_shapes(d, &indirect, 1, len, 0, 0, 0);
			run_shapes(d, &both, 1, len, 0, 0, 0);
		}
		vbd_destroy(d);
	}
}

/* Descriptors and elements that are in several pieces of memory. */
static void test_straddle(void **state)
{
	static const size_t grans[] = { 2, 6, 10, 14, 16, 18, 22, 30, 34, 66, 4096 };
	static struct shape shapes[16];
	unsigned int i, f, round;
	u64 seed = 5;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(grans); i++) {
		for (f = 0; f < ARRAY_SIZE(all_features); f++) {
			struct vbd *d = vbd_create(16, all_features[f], 32768, grans[i]);

			for (round = 0; round < 40; round++) {
				unsigned int nr = make_shapes(shapes, 16, 16, d->features, &seed);

				run_shapes(d, shapes, nr, seed | 1, 0, 0, 0);
			}
			vbd_destroy(d);
		}
	}
}

/* A fault at every access in turn changes nothing but the time it takes. */
static void test_fault_at_every_step(void **state)
{
	static const size_t grans[] = { 0, 6, 22 };
	static const struct { size_t after; unsigned int again; } how[] = {
		{ 0, 0 }, { 0, 2 }, { 1, 0 }, { 1, 1 }, { 4, 0 }, { 7, 3 }, { 15, 1 },
	};
	static struct shape shapes[6];
	unsigned int i, f, h, round;
	u64 seed = 31;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(grans); i++) {
		for (f = 0; f < ARRAY_SIZE(all_features); f++) {
			struct vbd *d = vbd_create(8, all_features[f], 8192, grans[i]);

			for (round = 0; round < 4; round++) {
				unsigned int nr = make_shapes(shapes, 6, 8, d->features, &seed);
				unsigned long steps = run_shapes(d, shapes, nr, seed | 1, 0, 0, 0);

				for (h = 0; h < ARRAY_SIZE(how); h++) {
					unsigned long at;

					for (at = 1; at <= steps; at++) {
						run_shapes(d, shapes, nr, seed | 1, at,
							   how[h].after, how[h].again);
						expect(vbt_uaccess.faults > 0);
					}
				}
			}
			vbd_destroy(d);
		}
	}
}

static void fault_often(void *arg, const void *p, size_t n, bool write)
{
	u64 *seed = arg;

	(void)p;
	(void)write;
	if (vbd_rand(seed) % 3)
		return;
	vbt_uaccess.fail_at = vbt_uaccess.accesses;
	vbt_uaccess.fail_after = vbd_rand(seed) % n;
}

/* Signals have to be the same with faults, too: publish after every chain. */
static void test_faults_and_signals(void **state)
{
	static int heads[64];
	static struct log clean;
	unsigned int f, round;
	u64 seed = 71;

	(void)state;
	for (f = 0; f < ARRAY_SIZE(all_features); f++) {
		struct vbd *d = vbd_create(64, all_features[f], 65536, 0);

		for (round = 0; round < 300; round++) {
			u64 start = seed | 1, faults = seed | 1;
			int pass;

			vbd_rand(&seed);
			for (pass = 0; pass < 2; pass++) {
				unsigned int i, posted = 0;
				struct vb_vring vr;
				u64 s = start;

				begin(d, &vr, start, start);
				for (i = 0; i < 20; i++) {
					struct shape shape = { 1, vbd_rand(&s) % 2, 1 };

					shape.direct += shape.writable;
					heads[posted++] = post(d, &shape, &s);
				}
				vbd_publish(d);
				vbd_set_used_event(d, d->last_used + vbd_rand(&s) % 24);
				vbd_set_avail_flags(d, vbd_rand(&s) % 2);
				if (pass) {
					vbt_uaccess.before = fault_often;
					vbt_uaccess.arg = &faults;
				}
				expect_eq(RETRY(d, &vr, false, vb_vring_start(&vr, &d->acc)), 0);
				expect_eq(serve(d, &vr, 1 + round % 3), posted);
				vbt_uaccess_reset();
				reap(d, heads, posted);
				if (!pass)
					clean = got;
			}
			expect_eq(clean.len, got.len);
			assert_memory_equal(clean.buf, got.buf, got.len);
		}
		vbd_destroy(d);
	}
}

/* Indices go around several times. */
static void test_wrap(void **state)
{
	static int heads[VB_VRING_MAX_NUM];
	static const unsigned int nums[] = { 1, 2, 8, 64, 1024 };
	unsigned int n, f;
	u64 seed = 17;

	(void)state;
	for (n = 0; n < ARRAY_SIZE(nums); n++) {
		for (f = 0; f < ARRAY_SIZE(all_features); f++) {
			struct vbd *d = vbd_create(nums[n], all_features[f], 65536, 0);
			unsigned long total = 0;
			struct vb_vring vr;

			begin(d, &vr, 65000, 3);
			expect_eq(vb_vring_start(&vr, &d->acc), 0);
			while (total < 140000) {
				unsigned int posted = 0, max = 1 + vbd_rand(&seed) % nums[n];
				const struct shape shape = { 1, 0, 1 };

				d->brk = 0;
				want.len = 0;
				got.len = 0;
				/* A full ring often enough. */
				if (vbd_rand(&seed) % 4 == 0)
					max = nums[n];
				while (posted < max)
					heads[posted++] = post(d, &shape, &seed);
				vbd_publish(d);
				expect(vbd_need_kick(d));
				expect_eq(serve(d, &vr, 2048), posted);
				expect_same_log();
				reap(d, heads, posted);
				total += posted;
			}
			expect_eq(vr.last_avail, (u16)(65000 + total));
			expect_eq(vbd_used_idx(d), (u16)(65000 + total));
			vbd_destroy(d);
		}
	}
}

/* Count the reads of one 16-bit value. */
struct watch {
	const void *p;
	unsigned int reads;
	unsigned int writes;
};

static void watch_access(void *arg, const void *p, size_t n, bool write)
{
	struct watch *w = arg;

	(void)n;
	if (p != w->p)
		return;
	if (write)
		w->writes++;
	else
		w->reads++;
}

static void test_avail_idx_is_read_once_per_batch(void **state)
{
	struct vbd *d = vbd_create(8, 0, 4096, 0);
	const struct shape shape = { 1, 0, 1 };
	struct vb_vring vr;
	struct vb_chain chain;
	struct watch w = { 0 };
	u64 seed = 1;
	int i;

	(void)state;
	begin(d, &vr, 0, 1);
	expect_eq(vb_vring_start(&vr, &d->acc), 0);
	w.p = vbd_host(d, d->avail + 2);
	vbt_uaccess.before = watch_access;
	vbt_uaccess.arg = &w;
	/* As far ahead as the ring holds is fine. */
	for (i = 0; i < 8; i++)
		post(d, &shape, &seed);
	vbd_publish(d);
	for (i = 0; i < 8; i++) {
		expect_eq(vb_vring_next(&vr, &d->acc, &chain), 1);
		expect_eq(w.reads, 1);
	}
	expect_eq(vb_vring_next(&vr, &d->acc, &chain), 0);
	expect_eq(w.reads, 2);
	expect_eq(vr.broken, 0);
	vbd_destroy(d);
}

static void test_publish(void **state)
{
	struct vbd *d = vbd_create(4, 0, 64, 0);
	struct vb_vring vr;
	struct watch w = { 0 };
	u32 id, len;
	int i;

	(void)state;
	begin(d, &vr, 65534, 1);
	expect_eq(vb_vring_start(&vr, &d->acc), 0);
	w.p = vbd_host(d, d->used + 2);
	vbt_uaccess.before = watch_access;
	vbt_uaccess.arg = &w;
	for (i = 0; i < 4; i++) {
		expect_eq(vb_vring_add_used(&vr, &d->acc, 3 - i, 100 * i), 0);
		vbd_used_elem(d, 65534 + i, &id, &len);
		expect_eq(id, 3 - i);
		expect_eq(len, 100 * i);
		expect_eq(vbd_used_idx(d), 65534);
	}
	expect_eq(w.writes, 0);
	expect_eq(vb_vring_publish(&vr, &d->acc), 0);
	expect_eq(vbd_used_idx(d), 2);
	expect_eq(w.writes, 1);
	/* Nothing new: nothing written. */
	expect_eq(vb_vring_publish(&vr, &d->acc), 0);
	expect_eq(w.writes, 1);
	expect_eq(d->stray, 0);
	vbd_destroy(d);
}

static void test_notify_by_flag(void **state)
{
	struct vbd *d = vbd_create(4, 0, 4096, 0);
	const struct shape shape = { 1, 0, 1 };
	struct vb_vring vr;
	u64 seed = 1;

	(void)state;
	begin(d, &vr, 0, 1);
	expect_eq(vb_vring_start(&vr, &d->acc), 0);
	expect(vbd_need_kick(d));
	expect_eq(vb_vring_disable_notify(&vr, &d->acc), 0);
	expect_eq(vbd_used_flags(d), 1);
	expect(!vbd_need_kick(d));
	expect_eq(vb_vring_enable_notify(&vr, &d->acc), 0);
	expect_eq(vbd_used_flags(d), 0);
	expect(vbd_need_kick(d));
	expect_eq(vb_vring_disable_notify(&vr, &d->acc), 0);
	post(d, &shape, &seed);
	vbd_publish(d);
	expect_eq(vb_vring_enable_notify(&vr, &d->acc), 1);
	expect_eq(vbd_avail_event(d), 0);
	vbd_destroy(d);
}

static void test_notify_by_event(void **state)
{
	struct vbd *d = vbd_create(4, VBD_F_EVENT_IDX, 4096, 0);
	const struct shape shape = { 1, 0, 1 };
	struct vb_vring vr;
	struct vb_chain chain;
	u64 seed = 1;

	(void)state;
	begin(d, &vr, 65535, 1);
	expect_eq(vb_vring_start(&vr, &d->acc), 0);
	post(d, &shape, &seed);
	vbd_publish(d);
	expect(vbd_need_kick(d));
	post(d, &shape, &seed);
	vbd_publish(d);
	expect(!vbd_need_kick(d));
	expect_eq(vb_vring_disable_notify(&vr, &d->acc), 0);
	expect_eq(vbd_used_flags(d), 0);
	expect_eq(vbd_avail_event(d), 65535);
	expect_eq(vb_vring_next(&vr, &d->acc, &chain), 1);
	/* The index that was already read is ahead of where we are. */
	expect_eq(vb_vring_enable_notify(&vr, &d->acc), 1);
	expect_eq(vbd_avail_event(d), 0);
	expect_eq(vb_vring_next(&vr, &d->acc, &chain), 1);
	expect_eq(vb_vring_enable_notify(&vr, &d->acc), 0);
	expect_eq(vbd_avail_event(d), 1);
	expect_eq(vbd_used_flags(d), 0);
	vbd_destroy(d);
}

/* The driver posts right when the device has asked for notifications. */
static void post_late(void *arg, const void *p, size_t n, bool write)
{
	struct vbd *d = arg;
	const struct shape shape = { 1, 0, 1 };
	u64 seed = 1;

	(void)n;
	/* Before the device's wish is written: this one isn't notified of. */
	if (!write || d->avail_idx)
		return;
	expect(p == vbd_host(d, d->features ? d->used + 4 + 8 * d->num : d->used));
	post(d, &shape, &seed);
	vbd_publish(d);
	vbd_need_kick(d);
}

static void test_enable_notify_looks_again(void **state)
{
	unsigned int f;

	(void)state;
	for (f = 0; f < 2; f++) {
		struct vbd *d = vbd_create(4, f ? VBD_F_EVENT_IDX : 0, 4096, 0);
		struct vb_vring vr;
		struct vb_chain chain;

		begin(d, &vr, 0, 1);
		expect_eq(vb_vring_start(&vr, &d->acc), 0);
		expect_eq(vb_vring_disable_notify(&vr, &d->acc), 0);
		expect_eq(vb_vring_next(&vr, &d->acc, &chain), 0);
		vbt_uaccess.before = post_late;
		vbt_uaccess.arg = d;
		expect_eq(vb_vring_enable_notify(&vr, &d->acc), 1);
		expect_eq(vb_vring_next(&vr, &d->acc, &chain), 1);
		vbt_uaccess_reset();
		vbd_destroy(d);
	}
}

static void test_signal_by_flag(void **state)
{
	struct vbd *d = vbd_create(4, 0, 64, 0);
	struct vb_vring vr;

	(void)state;
	begin(d, &vr, 0, 1);
	expect_eq(vb_vring_start(&vr, &d->acc), 0);
	/* Must be ignored without event indices (section 2.7.7.2). */
	vbd_set_used_event(d, 1000);
	expect_eq(vb_vring_add_used(&vr, &d->acc, 0, 0), 0);
	expect_eq(vb_vring_publish(&vr, &d->acc), 0);
	expect_eq(vb_vring_should_signal(&vr, &d->acc), 1);
	expect_eq(vb_vring_should_signal(&vr, &d->acc), 1);
	vbd_set_avail_flags(d, 1);
	expect_eq(vb_vring_should_signal(&vr, &d->acc), 0);
	/* Other bits mean nothing. */
	vbd_set_avail_flags(d, 0xfffe);
	expect_eq(vb_vring_should_signal(&vr, &d->acc), 1);
	vbd_destroy(d);
}

static void test_signal_by_event_first(void **state)
{
	struct vbd *d = vbd_create(4, VBD_F_EVENT_IDX, 64, 0);
	struct vb_vring vr;

	(void)state;
	begin(d, &vr, 10, 1);
	expect_eq(vb_vring_start(&vr, &d->acc), 0);
	/* The flag must be ignored with event indices (section 2.7.7.2). */
	vbd_set_avail_flags(d, 1);
	vbd_set_used_event(d, 5000);
	expect_eq(vb_vring_add_used(&vr, &d->acc, 0, 0), 0);
	expect_eq(vb_vring_publish(&vr, &d->acc), 0);
	/* Nobody knows what the driver was told before. */
	expect_eq(vb_vring_should_signal(&vr, &d->acc), 1);
	expect_eq(vb_vring_should_signal(&vr, &d->acc), 0);
	expect_eq(vb_vring_add_used(&vr, &d->acc, 0, 0), 0);
	/* Not published: not to be signalled. */
	vbd_set_used_event(d, 11);
	expect_eq(vb_vring_should_signal(&vr, &d->acc), 0);
	expect_eq(vb_vring_publish(&vr, &d->acc), 0);
	expect_eq(vb_vring_should_signal(&vr, &d->acc), 1);
	expect_eq(vb_vring_should_signal(&vr, &d->acc), 0);
	vbd_destroy(d);
}

/* All event indices, against the list of indices that were passed. */
static void test_signal_by_event_all(void **state)
{
	static const u16 olds[] = { 0, 1, 1000, 32767, 32768, 65000, 65534, 65535 };
	static const u16 steps[] = { 0, 1, 2, 3, 255, 256, 1023, 1024, 32768, 65535 };
	struct vbd *d = vbd_create(4, VBD_F_EVENT_IDX, 64, 0);
	static bool passed[65536];
	unsigned int o, s;
	struct vb_vring vr;

	(void)state;
	begin(d, &vr, 0, 1);
	expect_eq(vb_vring_start(&vr, &d->acc), 0);
	for (o = 0; o < ARRAY_SIZE(olds); o++) {
		for (s = 0; s < ARRAY_SIZE(steps); s++) {
			u32 event, i;

			memset(passed, 0, sizeof(passed));
			for (i = 0; i < steps[s]; i++)
				passed[(u16)(olds[o] + i)] = true;
			for (event = 0; event < 65536; event++) {
				long ret;

				vr.signalled_used = olds[o];
				vr.signalled_used_valid = true;
				vr.used_published = olds[o] + steps[s];
				vbd_set_used_event(d, event);
				ret = vb_vring_should_signal(&vr, &d->acc);
				if (ret != passed[event])
					expect_eq(ret, passed[event]);
				if (vr.signalled_used != vr.used_published)
					fail();
			}
		}
	}
	vbd_destroy(d);
}

/*
 * A long series of completions, against a model whose indices don't wrap: the answer
 * has to be yes where it is needed and no where it isn't.
 */
static void test_signal_by_event_series(void **state)
{
	struct vbd *d = vbd_create(64, VBD_F_EVENT_IDX, 64, 0);
	unsigned long answers[2] = { 0 };
	u64 seed = 8, asked = 0, now = 65000;
	bool first = true;
	struct vb_vring vr;
	unsigned int round;

	(void)state;
	begin(d, &vr, now, 1);
	expect_eq(vb_vring_start(&vr, &d->acc), 0);
	for (round = 0; round < 100000; round++) {
		unsigned int k, nr = vbd_rand(&seed) % 65;
		u16 event = now + vbd_rand(&seed) % 80 - 8;
		bool passed = first;
		u64 i;

		for (k = 0; k < nr; k++)
			expect_eq(vb_vring_add_used(&vr, &d->acc, 0, 0), 0);
		expect_eq(vb_vring_publish(&vr, &d->acc), 0);
		now += nr;
		expect_eq(vbd_used_idx(d), (u16)now);
		if (vbd_rand(&seed) % 4 == 0)
			continue;
		vbd_set_used_event(d, event);
		for (i = asked; i < now; i++)
			passed |= (u16)i == event;
		expect_eq(vb_vring_should_signal(&vr, &d->acc), passed);
		answers[passed]++;
		first = false;
		asked = now;
	}
	expect(answers[0] > 10000 && answers[1] > 10000);
	vbd_destroy(d);
}

/* Used indices that went around without anybody asking whether to signal. */
static void test_signal_after_lap(void **state)
{
	static const unsigned int laps[] = { 65535, 65536, 65537, 70000, 131072 };
	struct vbd *d = vbd_create(4, VBD_F_EVENT_IDX, 64, 0);
	struct vb_vring vr;
	unsigned int l, i;

	(void)state;
	for (l = 0; l < ARRAY_SIZE(laps); l++) {
		begin(d, &vr, 3, 1);
		expect_eq(vb_vring_start(&vr, &d->acc), 0);
		expect_eq(vb_vring_should_signal(&vr, &d->acc), 1);
		for (i = 0; i < laps[l]; i++) {
			expect_eq(vb_vring_add_used(&vr, &d->acc, 0, 0), 0);
			if (i % 4 == 3 || i + 1 == laps[l])
				expect_eq(vb_vring_publish(&vr, &d->acc), 0);
		}
		/* 20000 was passed, and isn't between the indices if they are taken as they are. */
		vbd_set_used_event(d, 20000);
		expect_eq(vb_vring_should_signal(&vr, &d->acc), 1);
		expect_eq(vb_vring_should_signal(&vr, &d->acc), 0);
	}
	vbd_destroy(d);
}

static void test_signal_fault_is_no_answer(void **state)
{
	struct vbd *d = vbd_create(4, VBD_F_EVENT_IDX, 64, 0);
	struct vb_vring vr;

	(void)state;
	begin(d, &vr, 0, 1);
	expect_eq(vb_vring_start(&vr, &d->acc), 0);
	expect_eq(vb_vring_should_signal(&vr, &d->acc), 1);
	vbd_set_used_event(d, 0);
	expect_eq(vb_vring_add_used(&vr, &d->acc, 0, 0), 0);
	expect_eq(vb_vring_publish(&vr, &d->acc), 0);
	vbt_uaccess.fail_at = vbt_uaccess.accesses + 1;
	expect_eq(vb_vring_should_signal(&vr, &d->acc), -EFAULT);
	expect_eq(vr.signalled_used, 0);
	expect_eq(vb_vring_should_signal(&vr, &d->acc), 1);
	expect_eq(vr.signalled_used, 1);
	vbd_destroy(d);
}

static void start_one(struct vbd *d, struct vb_vring *vr, struct vb_chain *chain,
		      const struct vbd_sg *sg, unsigned int nr, unsigned int direct)
{
	begin(d, vr, 0, 1);
	d->brk = 2048;
	expect_eq(vb_vring_start(vr, &d->acc), 0);
	expect(vbd_add(d, sg, nr, direct) >= 0);
	vbd_publish(d);
	expect_eq(vb_vring_next(vr, &d->acc, chain), 1);
}

static void test_empty_descriptors(void **state)
{
	/* Whether an empty one is readable or not means nothing, nor does its address. */
	static const struct vbd_sg none[] = {
		{ 0, 0, false }, { ~0ULL, 0, true }, { 5, 0, false },
	};
	static const struct vbd_sg some[] = {
		{ 0, 0, true }, { VBD_GUEST_BASE, 4, false }, { 0, 0, true }, { 0, 0, false },
		{ VBD_GUEST_BASE + 8, 4, true }, { ~0ULL, 0, false },
	};
	unsigned int direct;

	(void)state;
	for (direct = 0; direct <= 3; direct++) {
		struct vbd *d = vbd_create(8, VBD_F_INDIRECT, 4096, 0);
		struct vb_vring vr;
		struct vb_chain chain;
		u8 byte;

		start_one(d, &vr, &chain, none, 3, direct);
		expect_eq(vb_chain_segment(&vr, &d->acc, &chain), 0);
		expect_eq(vb_chain_read(&vr, &d->acc, &chain, &byte, 1), 0);

		start_one(d, &vr, &chain, some, 6, direct);
		expect_eq(vb_chain_segment(&vr, &d->acc, &chain), 1);
		expect_eq(chain.addr, VBD_GUEST_BASE);
		expect_eq(chain.len, 4);
		expect(!chain.write);
		vb_chain_advance(&chain, 4);
		expect_eq(vb_chain_segment(&vr, &d->acc, &chain), 1);
		expect_eq(chain.addr, VBD_GUEST_BASE + 8);
		expect(chain.write);
		vb_chain_advance(&chain, 4);
		expect_eq(vb_chain_segment(&vr, &d->acc, &chain), 0);
		vbd_destroy(d);
	}
}

static void test_advance(void **state)
{
	/* The whole of what a descriptor can name, up to the last byte there is. */
	static const struct vbd_sg sg[] = {
		{ 0 - 0xffffffffULL, 0xffffffff, false }, { ~0ULL, 1, true },
	};
	struct vbd *d = vbd_create(8, 0, 4096, 0);
	struct vb_vring vr;
	struct vb_chain chain;

	(void)state;
	start_one(d, &vr, &chain, sg, 2, 2);
	expect_eq(vb_chain_segment(&vr, &d->acc, &chain), 1);
	expect_eq(chain.addr, sg[0].addr);
	expect_eq(chain.len, 0xffffffff);
	vb_chain_advance(&chain, 0);
	expect_eq(chain.len, 0xffffffff);
	vb_chain_advance(&chain, 0xfffffff0);
	expect_eq(vb_chain_segment(&vr, &d->acc, &chain), 1);
	expect_eq(chain.addr, ~0ULL - 14);
	expect_eq(chain.len, 15);
	/* More than there is. */
	vb_chain_advance(&chain, 16);
	expect_eq(chain.len, 0);
	expect_eq(vb_chain_segment(&vr, &d->acc, &chain), 1);
	expect_eq(chain.addr, ~0ULL);
	expect_eq(chain.len, 1);
	expect(chain.write);
	vb_chain_advance(&chain, 1);
	expect_eq(vb_chain_segment(&vr, &d->acc, &chain), 0);
	vbd_destroy(d);
}

static void test_read_stops_at_writable(void **state)
{
	static const struct vbd_sg sg[] = {
		{ VBD_GUEST_BASE, 3, false }, { VBD_GUEST_BASE + 10, 5, false },
		{ VBD_GUEST_BASE + 20, 4, true },
	};
	struct vbd *d = vbd_create(8, 0, 4096, 0);
	struct vb_vring vr;
	struct vb_chain chain;
	u8 buf[32];

	(void)state;
	vbd_write(d, VBD_GUEST_BASE, "abc", 3);
	vbd_write(d, VBD_GUEST_BASE + 10, "defgh", 5);
	start_one(d, &vr, &chain, sg, 3, 3);
	expect_eq(vb_chain_read(&vr, &d->acc, &chain, buf, 2), 2);
	assert_memory_equal(buf, "ab", 2);
	expect_eq(vb_chain_read(&vr, &d->acc, &chain, buf, sizeof(buf)), 6);
	assert_memory_equal(buf, "cdefgh", 6);
	expect_eq(vb_chain_read(&vr, &d->acc, &chain, buf, 1), -EINVAL);
	expect_eq(vb_chain_read(&vr, &d->acc, &chain, buf, 1), -EINVAL);
	/* The piece itself is fine. */
	expect_eq(vb_chain_segment(&vr, &d->acc, &chain), 1);
	expect_eq(chain.len, 4);
	vb_chain_advance(&chain, 4);
	expect_eq(vb_chain_read(&vr, &d->acc, &chain, buf, 1), 0);
	vbd_destroy(d);
}

static void test_read_hole(void **state)
{
	static const struct vbd_sg sg[] = {
		{ VBD_GUEST_BASE, 100, false }, { VBD_GUEST_BASE + 200, 5, false },
	};
	struct vbd *d = vbd_create(8, VBD_F_INDIRECT, 4096, 0);
	struct vb_vring vr;
	struct vb_chain chain;
	u8 buf[200];

	(void)state;
	start_one(d, &vr, &chain, sg, 2, 2);
	d->hole = VBD_GUEST_BASE + 60;
	d->hole_end = VBD_GUEST_BASE + 61;
	expect_eq(vb_chain_read(&vr, &d->acc, &chain, buf, sizeof(buf)), 60);
	expect_eq(vb_chain_read(&vr, &d->acc, &chain, buf, sizeof(buf)), -ENXIO);
	expect_eq(chain.len, 40);
	/* The caller may leave it out, and go on. */
	vb_chain_advance(&chain, 1);
	expect_eq(vb_chain_read(&vr, &d->acc, &chain, buf, sizeof(buf)), 44);
	expect_eq(vb_chain_read(&vr, &d->acc, &chain, buf, sizeof(buf)), 0);
	expect_eq(vr.broken, 0);

	/* An indirect table that isn't there. */
	start_one(d, &vr, &chain, sg, 2, 0);
	d->hole = VBD_GUEST_BASE + 2048 + 20;
	d->hole_end = d->hole + 1;
	expect_eq(vb_chain_segment(&vr, &d->acc, &chain), 1);
	vb_chain_advance(&chain, 100);
	expect_eq(vb_chain_segment(&vr, &d->acc, &chain), -ENXIO);
	expect_eq(vb_chain_segment(&vr, &d->acc, &chain), -ENXIO);
	expect_eq(vr.broken, 0);
	d->hole_end = 0;
	expect_eq(vb_chain_segment(&vr, &d->acc, &chain), 1);
	expect_eq(chain.addr, sg[1].addr);
	vbd_destroy(d);
}

/* A ring without memory behind it, or one that ends in the middle of a value. */
static void test_no_ring_memory(void **state)
{
	unsigned int f;

	(void)state;
	for (f = 0; f < ARRAY_SIZE(all_features); f++) {
		struct vbd *d = vbd_create(8, all_features[f], 64, 0);
		u64 end = d->ring.base + d->ring.size;
		struct vb_vring vr;
		struct vb_chain chain = { .more = true, .table_len = 8 };

		/* The guest's address is not an address of the ring. */
		vb_vring_init(&vr, 8, VBD_GUEST_BASE, VBD_GUEST_BASE, VBD_GUEST_BASE, 0,
			      d->features);
		chain.table = vr.desc;
		expect_eq(vb_vring_start(&vr, &d->acc), -ENXIO);
		expect_eq(vb_vring_next(&vr, &d->acc, &chain), -ENXIO);
		expect_eq(vb_chain_segment(&vr, &d->acc, &chain), -ENXIO);
		expect_eq(vb_vring_add_used(&vr, &d->acc, 0, 0), -ENXIO);
		expect_eq(vr.next_used, 0);
		vr.next_used = 1;
		expect_eq(vb_vring_publish(&vr, &d->acc), -ENXIO);
		expect_eq(vr.used_published, 0);
		expect_eq(vb_vring_should_signal(&vr, &d->acc), -ENXIO);
		expect_eq(vb_vring_enable_notify(&vr, &d->acc), -ENXIO);
		expect_eq(vb_vring_disable_notify(&vr, &d->acc), vr.event_idx ? 0 : -ENXIO);
		expect_eq(vr.broken, 0);

		vb_vring_init(&vr, 8, end - 1, end - 1, end - 1, 0, d->features);
		expect_eq(vb_vring_start(&vr, &d->acc), -ENXIO);
		vb_vring_init(&vr, 8, end - 3, end - 3, end - 3, 0, d->features);
		expect_eq(vb_vring_start(&vr, &d->acc), -ENXIO);
		expect_eq(vb_vring_next(&vr, &d->acc, &chain), -ENXIO);
		expect_eq(vb_vring_publish(&vr, &d->acc), 0);
		vr.next_used = 1;
		expect_eq(vb_vring_publish(&vr, &d->acc), -ENXIO);
		vbd_destroy(d);
	}
}

/* translate() may be wrong about what is user memory; access_ok() isn't. */
static void test_not_user_memory(void **state)
{
	static const struct vbd_sg sg[] = { { VBD_GUEST_BASE, 8, false } };
	struct vbd *d = vbd_create(8, 0, 4096, 0);
	struct vb_vring vr;
	struct vb_chain chain;
	u8 buf[8];

	(void)state;
	start_one(d, &vr, &chain, sg, 1, 1);

	vbt_uaccess.not_user = vbd_host(d, d->desc + 16 * chain.head + 15);
	expect_eq(vb_chain_segment(&vr, &d->acc, &chain), -EFAULT);
	expect(d->acc.fault_uaddr == vbd_host(d, d->desc + 16 * chain.head));
	expect_eq(d->acc.fault_len, 16);
	expect(!d->acc.fault_write);

	vbt_uaccess.not_user = vbd_host(d, VBD_GUEST_BASE + 7);
	expect_eq(vb_chain_read(&vr, &d->acc, &chain, buf, 8), -EFAULT);
	expect(d->acc.fault_uaddr == vbd_host(d, VBD_GUEST_BASE));
	expect_eq(vb_chain_read(&vr, &d->acc, &chain, buf, 7), 7);

	vbt_uaccess.not_user = vbd_host(d, d->used + 4);
	expect_eq(vb_vring_add_used(&vr, &d->acc, 0, 0), -EFAULT);
	expect(d->acc.fault_uaddr == vbd_host(d, d->used + 4));
	expect_eq(d->acc.fault_len, 8);
	expect(d->acc.fault_write);
	expect_eq(vr.next_used, 0);
	vbt_uaccess_reset();
	vbd_destroy(d);
}

/*
 * The order of accesses and barriers, as a string: what is accessed by a letter, in
 * capitals if it is written. Missing barriers can't be seen otherwise on a machine that
 * doesn't reorder that.
 */
struct trace {
	struct vbd *d;
	size_t len;
	char buf[64];
};

static void trace_char(struct trace *t, char c)
{
	expect(t->len + 1 < sizeof(t->buf));
	t->buf[t->len++] = c;
	t->buf[t->len] = 0;
}

static void trace_access(void *arg, const void *p, size_t n, bool write)
{
	struct trace *t = arg;
	struct vbd *d = t->d;
	char c;

	(void)n;
	if (p == vbd_host(d, d->avail) || p == vbd_host(d, d->used))
		c = 'f';	/* flags */
	else if (p == vbd_host(d, d->avail + 2) || p == vbd_host(d, d->used + 2))
		c = 'i';	/* index */
	else if (p == vbd_host(d, d->avail + 4 + 2 * d->num) ||
		 p == vbd_host(d, d->used + 4 + 8 * d->num))
		c = 'v';	/* event index */
	else
		c = 'e';	/* entry, or descriptor */
	trace_char(t, write ? c - 'a' + 'A' : c);
}

static void trace_barrier(void *arg, char kind)
{
	/* Nothing else is any of these. */
	trace_char(arg, kind == 'm' ? '=' : kind == 'r' ? '<' : '>');
}

static void expect_trace(struct trace *t, const char *wanted)
{
	assert_string_equal(t->buf, wanted);
	t->len = 0;
	t->buf[0] = 0;
}

static void test_order(void **state)
{
	const struct shape shape = { 1, 0, 1 };
	unsigned int event;

	(void)state;
	for (event = 0; event < 2; event++) {
		struct trace t = { .d = vbd_create(4, event * VBD_F_EVENT_IDX, 4096, 0) };
		struct vb_vring_access *acc = &t.d->acc;
		struct vb_chain chain;
		struct vb_vring vr;
		u64 seed = 1;

		begin(t.d, &vr, 0, 1);
		vbt_uaccess.before = trace_access;
		vbt_uaccess.barrier = trace_barrier;
		vbt_uaccess.arg = &t;
		expect_eq(vb_vring_start(&vr, acc), 0);
		expect_trace(&t, event ? "iV" : "iF");
		/* The wish, barrier, the index. */
		expect_eq(vb_vring_enable_notify(&vr, acc), 0);
		expect_trace(&t, event ? "V=i" : "F=i");
		post(t.d, &shape, &seed);
		post(t.d, &shape, &seed);
		vbd_publish(t.d);
		/* The index, barrier, what is below it. */
		expect_eq(vb_vring_next(&vr, acc, &chain), 1);
		expect_trace(&t, "i<e");
		expect_eq(vb_vring_next(&vr, acc, &chain), 1);
		expect_trace(&t, "e");
		expect_eq(vb_vring_add_used(&vr, acc, 0, 0), 0);
		expect_eq(vb_vring_add_used(&vr, acc, 1, 0), 0);
		/* The elements, barrier, the index. */
		expect_eq(vb_vring_publish(&vr, acc), 0);
		expect_trace(&t, "EE>I");
		/* The index, barrier, the wish. */
		expect_eq(vb_vring_should_signal(&vr, acc), 1);
		expect_trace(&t, event ? "=v" : "=f");
		vbt_uaccess_reset();
		vbd_destroy(t.d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init),
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_chain_lengths),
		cmocka_unit_test(test_straddle),
		cmocka_unit_test(test_fault_at_every_step),
		cmocka_unit_test(test_faults_and_signals),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_avail_idx_is_read_once_per_batch),
		cmocka_unit_test(test_publish),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_notify_by_flag),
		cmocka_unit_test(test_notify_by_event),
		cmocka_unit_test(test_enable_notify_looks_again),
		cmocka_unit_test(test_signal_by_flag),
		cmocka_unit_test(test_signal_by_event_first),
		cmocka_unit_test(test_signal_by_event_all),
		cmocka_unit_test(test_signal_by_event_series),
		cmocka_unit_test(test_signal_after_lap),
		cmocka_unit_test(test_signal_fault_is_no_answer),
		cmocka_unit_test(test_empty_descriptors),
		cmocka_unit_test(test_advance),
		cmocka_unit_test(test_read_stops_at_writable),
		cmocka_unit_test(test_read_hole),
		cmocka_unit_test(test_no_ring_memory),
		cmocka_unit_test(test_not_user_memory),
	};

	/* What doesn't come to an end is killed. */
	alarm(600);
	return cmocka_run_group_tests_name("vring", tests, NULL, NULL);
}
