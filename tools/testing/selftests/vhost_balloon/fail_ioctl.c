// SPDX-License-Identifier: GPL-2.0
/*
 * Each allocation, and each copy from or to user memory, that an ioctl of a backend file
 * makes fails in turn. Then it fails, says so, and hasn't changed anything; or it has done all of
 * what it does.
 */
#include <endian.h>
#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <linux/capability.h>
#include <linux/virtio_balloon.h>
#include <sys/syscall.h>

#include "kselftest_harness.h"
#include "vb_fail_vmm.h"
#include "vb_kicker.h"
#include "vb_log.h"

#define FEWER		(VB_FAIL_FEATURES & ~VB_FEATURE(VIRTIO_BALLOON_F_REPORTING))
#define TARGET		1234

/* The queue that is run to see how it was set up. */
#define SERVED		VB_DEFLATE

/* What there is to see when it has served a request. */
#define BY_RING		(1U << 0)
#define BY_SPARE	(1U << 1)
#define CALLED		(1U << 2)
#define BROKEN		(1U << 3)
#define TOLD_EVENT	(1U << 4)
#define IN_LOG(which)	(1U << (5 + (which)))

/* A ring that the queue may have instead of its own, where no buffers are; two logs. */
#define SPARE_OFFSET	(VB_BUF_LEN / 2)
static struct vb_ring spare;
static __u64 logs[2][8];

static void drop_events(struct vb_fail_vmm *v)
{
	struct vhost_balloon_event event;

	/* There are some, or there are none. */
	vb_read_events(v->control, &event);
}

/* The rings are empty, and nothing was signalled or logged. */
static int begin_service(struct vb_fail_vmm *v)
{
	struct vb_queue *q = vb_machine_queue(&v->m, SERVED);
	void *other = (char *)v->m.buf.hva + SPARE_OFFSET;

	memset(q->mem, 0, q->mem_len);
	vb_ring_init(&q->ring, q->mem, VB_FAIL_NUM);
	memset(other, 0, vb_ring_size(VB_FAIL_NUM));
	vb_ring_init(&spare, other, VB_FAIL_NUM);
	memset(logs, 0, sizeof(logs));
	drop_events(v);
	if (vb_eventfd_count(v->event) < 0 || vb_eventfd_count(q->call) < 0 ||
	    vb_eventfd_count(q->err) < 0)
		return -EIO;
	return vb_set_vring_base(v->m.backend, SERVED, 0);
}

static int post_request(struct vb_fail_vmm *v, struct vb_ring *ring)
{
	const struct vb_sg list = { .addr = VB_BUF_GPA, .len = sizeof(__le32) };
	int head = vb_ring_add(ring, &list, 1);

	vb_write_list(v->m.buf.hva, VB_HINT_GPA, 1);
	vb_ring_publish(ring);
	return head < 0 ? head : 0;
}

/* One request, in whichever ring it is; what was there at the start needs no kick. */
static int serve_request(struct vb_fail_vmm *v)
{
	struct vb_queue *q = vb_machine_queue(&v->m, SERVED);
	__u64 end = vb_now_ms() + VB_TIMEOUT_MS;
	int ret = post_request(v, &q->ring) ?: post_request(v, &spare);

	if (!ret)
		ret = vb_machine_start(&v->m);
	while (!ret && !vb_ring_used_idx(&q->ring) && !vb_ring_used_idx(&spare)) {
		if (vb_now_ms() > end)
			ret = -ETIMEDOUT;
		sched_yield();
	}
	/* That waits until all was said. */
	return vb_machine_stop(&v->m) ?: ret;
}

static int break_queue(struct vb_fail_vmm *v)
{
	struct vb_queue *q = vb_machine_queue(&v->m, SERVED);
	int ret;

	vb_ring_set_avail_idx(&q->ring, VB_FAIL_NUM + 1);
	ret = vb_machine_start(&v->m);
	if (!ret)
		ret = vb_wait_events(v->control, VHOST_BALLOON_EVENT_BROKEN);
	return vb_machine_stop(&v->m) ?: ret;
}

/* What has come of it. From here on all is as it was before. */
static long end_service(struct vb_fail_vmm *v)
{
	struct vb_queue *q = vb_machine_queue(&v->m, SERVED);
	unsigned int seen = 0, i;

	if (vb_ring_used_idx(&q->ring))
		seen |= BY_RING;
	if (vb_ring_used_idx(&spare))
		seen |= BY_SPARE;
	if (vb_eventfd_count(q->call))
		seen |= CALLED;
	if (vb_eventfd_count(q->err))
		seen |= BROKEN;
	if (vb_eventfd_count(v->event))
		seen |= TOLD_EVENT;
	for (i = 0; i < ARRAY_SIZE(logs); i++)
		if (__atomic_load_n(&logs[i][0], __ATOMIC_SEQ_CST))
			seen |= IN_LOG(i);
	return begin_service(v) ?: (long)seen;
}

static long look_at_service(struct vb_fail_vmm *v)
{
	return begin_service(v) ?: serve_request(v) ?: end_service(v);
}

static long look_at_breaking(struct vb_fail_vmm *v)
{
	return begin_service(v) ?: break_queue(v) ?: end_service(v);
}

/* Queues that have run once look different from those that never have. */
static int prepare_service(struct vb_fail_vmm *v)
{
	long seen = look_at_service(v);

	return seen < 0 ? seen : 0;
}

static int prepare_breaking(struct vb_fail_vmm *v)
{
	long seen = look_at_breaking(v);

	return seen < 0 ? seen : 0;
}

/* The next descriptor, and who holds the module: an open file is one of each. */
static long look_at_files(struct vb_fail_vmm *v)
{
	int holders = vb_module_references("vhost_balloon");
	int fd = dup(v->event);

	if (fd < 0)
		return -errno;
	close(fd);
	return holders < 0 ? holders : holders * 1024L + fd;
}

/* Whether a change of the target is told to the guest. */
static long look_at_config_call(struct vb_fail_vmm *v)
{
	int ret, told;

	if (vb_eventfd_count(v->event) < 0)
		return -EIO;
	ret = vb_set_target(v->control, TARGET) ?: vb_set_target(v->control, 0);
	told = vb_eventfd_count(v->event);
	drop_events(v);
	return ret ?: told;
}

/* How many balloons somebody sees who has our user, and isn't an administrator. */
static long look_at_access(struct vb_fail_vmm *v)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct all[_LINUX_CAPABILITY_U32S_3];
	struct __user_cap_data_struct less[_LINUX_CAPABILITY_U32S_3];
	__u64 ids[8];
	int nr;

	if (syscall(SYS_capget, &header, all))
		return -errno;
	memcpy(less, all, sizeof(less));
	less[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective &= ~CAP_TO_MASK(CAP_SYS_ADMIN);
	if (syscall(SYS_capset, &header, less))
		return -errno;
	nr = vb_list_ids(v->m.backend, ids, ARRAY_SIZE(ids));
	return syscall(SYS_capset, &header, all) ? -errno : nr;
}

static int call_open(struct vb_fail_vmm *v)
{
	return vb_fail_keep(v, vb_open());
}

static int call_set_owner(struct vb_fail_vmm *v)
{
	return vb_set_owner(v->made);
}

static int reopen(struct vb_fail_vmm *v)
{
	return vb_fail_close_made(v) ?: call_open(v) < 0 ? -EIO : 0;
}

static int prepare_set_owner(struct vb_fail_vmm *v)
{
	return call_open(v) < 0 ? -EIO : 0;
}

static int call_reset_owner(struct vb_fail_vmm *v)
{
	return vb_ioctl(v->m.backend, VHOST_RESET_OWNER, NULL);
}

static int undo_reset_owner(struct vb_fail_vmm *v)
{
	return vb_set_owner(v->m.backend) ?: vb_machine_reload(&v->m, VB_FAIL_FEATURES);
}

static int call_get_features(struct vb_fail_vmm *v)
{
	__u64 features;

	return vb_get_features(v->m.backend, &features);
}

static int call_set_features(struct vb_fail_vmm *v)
{
	return vb_set_features(v->m.backend, FEWER);
}

static int undo_set_features(struct vb_fail_vmm *v)
{
	return vb_set_features(v->m.backend, VB_FAIL_FEATURES);
}

static int call_set_mem_table(struct vb_fail_vmm *v)
{
	return vb_set_mem_table(v->m.backend, v->m.slots, 1);
}

static int set_memory(struct vb_fail_vmm *v)
{
	return vb_machine_set_memory(&v->m);
}

static int call_set_vm(struct vb_fail_vmm *v)
{
	return vb_set_vm(v->m.backend, v->vm.fd);
}

static int call_set_log_base(struct vb_fail_vmm *v)
{
	return vb_set_log_base(v->m.backend, logs[1]);
}

static int undo_set_log_base(struct vb_fail_vmm *v)
{
	return vb_set_log_base(v->m.backend, logs[0]);
}

/* The used ring is in the guest's first page. */
static int prepare_log(struct vb_fail_vmm *v)
{
	int ret = vb_set_vring_log(vb_machine_queue(&v->m, SERVED), 1U << VHOST_VRING_F_LOG, 0);

	return ret ?: undo_set_log_base(v) ?: prepare_service(v);
}

static int call_set_log_fd(struct vb_fail_vmm *v)
{
	return vb_set_log_fd(v->m.backend, v->event);
}

static int undo_set_log_fd(struct vb_fail_vmm *v)
{
	return vb_set_log_fd(v->m.backend, -1);
}

static int call_set_vring_num(struct vb_fail_vmm *v)
{
	return vb_set_vring_num(v->m.backend, VB_INFLATE, VB_FAIL_NUM / 2);
}

static int undo_set_vring_num(struct vb_fail_vmm *v)
{
	return vb_set_vring_num(v->m.backend, VB_INFLATE, VB_FAIL_NUM);
}

static int call_set_vring_base(struct vb_fail_vmm *v)
{
	return vb_set_vring_base(v->m.backend, VB_INFLATE, 7);
}

static int undo_set_vring_base(struct vb_fail_vmm *v)
{
	return vb_set_vring_base(v->m.backend, VB_INFLATE, 0);
}

static int call_get_vring_base(struct vb_fail_vmm *v)
{
	return vb_get_vring_base(v->m.backend, VB_INFLATE);
}

static int call_set_vring_addr(struct vb_fail_vmm *v)
{
	return vb_set_vring_addr(v->m.backend, SERVED, spare.desc, spare.avail, spare.used);
}

static int undo_set_vring_addr(struct vb_fail_vmm *v)
{
	const struct vb_ring *ring = &vb_machine_queue(&v->m, SERVED)->ring;

	return vb_set_vring_addr(v->m.backend, SERVED, ring->desc, ring->avail, ring->used);
}

static int call_set_vring_kick(struct vb_fail_vmm *v)
{
	return vb_set_vring_kick(v->m.backend, VB_INFLATE, v->event);
}

static int undo_set_vring_kick(struct vb_fail_vmm *v)
{
	return vb_set_vring_kick(v->m.backend, VB_INFLATE, v->m.inflate.kick);
}

static int call_set_vring_call(struct vb_fail_vmm *v)
{
	return vb_set_vring_call(v->m.backend, SERVED, v->event);
}

static int undo_set_vring_call(struct vb_fail_vmm *v)
{
	return vb_set_vring_call(v->m.backend, SERVED, vb_machine_queue(&v->m, SERVED)->call);
}

static int call_set_vring_err(struct vb_fail_vmm *v)
{
	return vb_set_vring_err(v->m.backend, SERVED, v->event);
}

static int undo_set_vring_err(struct vb_fail_vmm *v)
{
	return vb_set_vring_err(v->m.backend, SERVED, vb_machine_queue(&v->m, SERVED)->err);
}

static int start(struct vb_fail_vmm *v)
{
	return vb_machine_start(&v->m);
}

static int stop(struct vb_fail_vmm *v)
{
	return vb_machine_stop(&v->m);
}

static int call_get_config(struct vb_fail_vmm *v)
{
	__u8 config[8];

	return vb_get_config(v->m.backend, 0, config, sizeof(config));
}

static int set_actual(struct vb_fail_vmm *v, __u32 actual)
{
	const __le32 le = htole32(actual);

	return vb_set_config(v->m.backend, offsetof(struct virtio_balloon_config, actual), &le,
			     sizeof(le));
}

static int call_set_config(struct vb_fail_vmm *v)
{
	return set_actual(v, TARGET);
}

static int undo_set_config(struct vb_fail_vmm *v)
{
	return set_actual(v, 0);
}

static int call_set_config_call(struct vb_fail_vmm *v)
{
	return vb_set_config_call(v->m.backend, v->event);
}

static int undo_set_config_call(struct vb_fail_vmm *v)
{
	return vb_set_config_call(v->m.backend, -1);
}

static int call_get_control(struct vb_fail_vmm *v)
{
	return vb_fail_keep(v, vb_get_control(v->m.backend));
}

static int call_set_access(struct vb_fail_vmm *v)
{
	return vb_set_access(v->m.backend, VHOST_BALLOON_ACCESS_SAME_USER);
}

static int undo_set_access(struct vb_fail_vmm *v)
{
	return vb_set_access(v->m.backend, 0);
}

static int call_list(struct vb_fail_vmm *v)
{
	__u64 ids[8];
	struct vhost_balloon_list list = {
		.size = sizeof(list), .ids = (unsigned long)ids, .nr = 8,
	};

	return vb_ioctl(v->m.backend, VHOST_BALLOON_LIST, &list);
}

static int call_open_id(struct vb_fail_vmm *v)
{
	struct vhost_balloon_info info;

	/* As root, so that nothing but memory can be missing. */
	return vb_get_info(v->control, &info) ?: vb_fail_keep(v, vb_open_id(v->m.backend, info.id));
}

FIXTURE(fail) {
	struct vb_fail_vmm v;
};

FIXTURE_VARIANT(fail) {
	struct vb_fail_call call;
	bool kvm;
};

FIXTURE_VARIANT_ADD(fail, open) {
	.call = { .call = call_open, .undo = vb_fail_close_made, .look = look_at_files },
};

FIXTURE_VARIANT_ADD(fail, set_owner) {
	.call = { .prepare = prepare_set_owner, .call = call_set_owner, .undo = reopen },
};

FIXTURE_VARIANT_ADD(fail, reset_owner) {
	.call = { .call = call_reset_owner, .undo = undo_reset_owner, .no_fault = true },
};

FIXTURE_VARIANT_ADD(fail, get_features) { .call = { .call = call_get_features } };
FIXTURE_VARIANT_ADD(fail, set_features) {
	.call = { .call = call_set_features, .undo = undo_set_features },
};

FIXTURE_VARIANT_ADD(fail, set_mem_table) {
	.call = { .call = call_set_mem_table, .undo = set_memory },
};

FIXTURE_VARIANT_ADD(fail, set_vm) {
	.call = { .call = call_set_vm, .undo = set_memory }, .kvm = true,
};

FIXTURE_VARIANT_ADD(fail, set_log_base) {
	.call = { .prepare = prepare_log, .call = call_set_log_base, .undo = undo_set_log_base,
		  .look = look_at_service },
};

FIXTURE_VARIANT_ADD(fail, set_log_fd) {
	.call = { .prepare = prepare_log, .call = call_set_log_fd, .undo = undo_set_log_fd,
		  .look = look_at_service },
};

FIXTURE_VARIANT_ADD(fail, set_vring_num) {
	.call = { .call = call_set_vring_num, .undo = undo_set_vring_num },
};

FIXTURE_VARIANT_ADD(fail, set_vring_base) {
	.call = { .call = call_set_vring_base, .undo = undo_set_vring_base },
};

FIXTURE_VARIANT_ADD(fail, get_vring_base) { .call = { .call = call_get_vring_base } };
FIXTURE_VARIANT_ADD(fail, set_vring_addr) {
	.call = { .prepare = prepare_service, .call = call_set_vring_addr,
		  .undo = undo_set_vring_addr, .look = look_at_service },
};

FIXTURE_VARIANT_ADD(fail, set_vring_kick) {
	.call = { .call = call_set_vring_kick, .undo = undo_set_vring_kick },
};

FIXTURE_VARIANT_ADD(fail, set_vring_call) {
	.call = { .prepare = prepare_service, .call = call_set_vring_call,
		  .undo = undo_set_vring_call, .look = look_at_service },
};

FIXTURE_VARIANT_ADD(fail, set_vring_err) {
	.call = { .prepare = prepare_breaking, .call = call_set_vring_err,
		  .undo = undo_set_vring_err, .look = look_at_breaking },
};

FIXTURE_VARIANT_ADD(fail, start) { .call = { .call = start, .undo = stop } };
FIXTURE_VARIANT_ADD(fail, stop) { .call = { .prepare = start, .call = stop, .undo = start } };
FIXTURE_VARIANT_ADD(fail, get_config) { .call = { .call = call_get_config } };
FIXTURE_VARIANT_ADD(fail, set_config) {
	.call = { .call = call_set_config, .undo = undo_set_config },
};

FIXTURE_VARIANT_ADD(fail, set_config_call) {
	.call = { .call = call_set_config_call, .undo = undo_set_config_call,
		  .look = look_at_config_call },
};

FIXTURE_VARIANT_ADD(fail, get_control) {
	.call = { .call = call_get_control, .undo = vb_fail_close_made, .look = look_at_files },
};

FIXTURE_VARIANT_ADD(fail, set_access) {
	.call = { .call = call_set_access, .undo = undo_set_access, .look = look_at_access },
};

FIXTURE_VARIANT_ADD(fail, list) { .call = { .call = call_list } };
FIXTURE_VARIANT_ADD(fail, open_id) {
	.call = { .call = call_open_id, .undo = vb_fail_close_made, .look = look_at_files },
};

FIXTURE_SETUP(fail)
{
	const char *missing = vb_fail_missing();

	if (!missing && variant->kvm)
		missing = vb_kvm_missing();
	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vb_fail_vmm_open(&self->v, variant->kvm));
}

FIXTURE_TEARDOWN(fail)
{
	vb_fail_vmm_close(&self->v);
}

static void fail_in_turn(struct __test_metadata *_metadata, struct vb_fail_vmm *v,
			 const struct vb_fail_call *call, bool and_rest)
{
	struct vb_fail_result r = vb_fail_in_turn(v, call, and_rest);

	TH_LOG("%u faults, %u of them an error", r.faults, r.failed);
	EXPECT_STREQ("", r.wrong ?: "") {
		TH_LOG("fault %u: %s", r.faults, strerror(-r.ret));
	}
	EXPECT_EQ(call->no_fault, !r.failed);
}

TEST_F_TIMEOUT(fail, that_is_not_noticed_or_changes_nothing, 300)
{
	fail_in_turn(_metadata, &self->v, &variant->call, false);
}

TEST_F_TIMEOUT(fail, that_leaves_no_memory_changes_nothing, 300)
{
	fail_in_turn(_metadata, &self->v, &variant->call, true);
}

TEST_HARNESS_MAIN
