// SPDX-License-Identifier: GPL-2.0
/*
 * The whole way of an inflate with a real vCPU: a guest of a few instructions
 * is the driver. It posts page numbers, kicks by an ioeventfd, halts, and is
 * woken by its irqfd interrupt. Its interrupt handler writes down what it
 * finds: how far the used index has come, and whether the pages are gone. The queue is served
 * by the vCPU's thread, on its way back to the guest, or by the worker.
 */
#include <endian.h>
#include <string.h>

#include "kselftest_harness.h"
#include "vb_guest.h"
#include "vb_memory.h"
#include "vb_worker.h"

FIXTURE(vcpu) {
	struct vb_vm vm;
	struct vb_vcpu vcpu;
	struct vb_memory ram;
	int backend;
	struct vb_queue inflate;
	struct block *block;
	unsigned int rounds;
};

FIXTURE_VARIANT(vcpu) {
	enum vb_memory_kind kind;
	enum vb_kick_by by;
	__u64 features;
	bool worker;
};

FIXTURE_VARIANT_ADD(vcpu, anonymous_pio) {
	.kind = VB_MEMORY_ANON,
	.by = VB_KICK_BY_PIO,
};

FIXTURE_VARIANT_ADD(vcpu, anonymous_mmio_event_idx) {
	.kind = VB_MEMORY_ANON,
	.by = VB_KICK_BY_MMIO,
	.features = VB_FEATURE(VIRTIO_RING_F_EVENT_IDX),
};

FIXTURE_VARIANT_ADD(vcpu, memfd_pio_event_idx) {
	.kind = VB_MEMORY_MEMFD,
	.by = VB_KICK_BY_PIO,
	.features = VB_FEATURE(VIRTIO_RING_F_EVENT_IDX),
};

FIXTURE_VARIANT_ADD(vcpu, memfd_mmio) {
	.kind = VB_MEMORY_MEMFD,
	.by = VB_KICK_BY_MMIO,
};

FIXTURE_VARIANT_ADD(vcpu, anonymous_pio_worker) {
	.kind = VB_MEMORY_ANON,
	.by = VB_KICK_BY_PIO,
	.worker = true,
};

FIXTURE_VARIANT_ADD(vcpu, memfd_mmio_event_idx_worker) {
	.kind = VB_MEMORY_MEMFD,
	.by = VB_KICK_BY_MMIO,
	.features = VB_FEATURE(VIRTIO_RING_F_EVENT_IDX),
	.worker = true,
};

static int open_vm(FIXTURE_DATA(vcpu) *self)
{
	int ret = vb_vm_open(&self->vm);

	if (!ret)
		ret = vb_vm_create_irqchip(&self->vm);
	if (!ret)
		ret = vb_vcpu_create(&self->vm, &self->vcpu);
	if (!ret)
		ret = vb_vcpu_real_mode(&self->vcpu, CODE, STACK_TOP);
	if (!ret)
		ret = vb_vm_set_slot(&self->vm, 0, 0, 0, RAM_LEN, self->ram.hva);
	return ret;
}

static int open_backend(FIXTURE_DATA(vcpu) *self, __u64 features)
{
	int ret;

	self->backend = vb_open();
	if (self->backend < 0)
		return self->backend;
	ret = vb_set_owner(self->backend);
	if (!ret)
		ret = vb_set_features(self->backend,
				      features | VB_FEATURE(VIRTIO_F_VERSION_1));
	if (!ret)
		ret = vb_set_vm(self->backend, self->vm.fd);
	if (!ret)
		ret = vb_queue_init(&self->inflate, self->backend, VB_INFLATE, RING_NUM,
				    self->ram.hva + RING);
	return ret;
}

static void load_guest(FIXTURE_DATA(vcpu) *self, enum vb_kick_by by)
{
	__le16 *vector = self->ram.hva + (VECTOR_BASE + IRQ) * 4;

	memcpy(self->ram.hva + CODE, guest_code, guest_end - guest_code);
	vector[0] = htole16(CODE + (guest_isr - guest_code));
	vector[1] = 0;
	self->block = self->ram.hva + BLOCK;
	self->block->by_mmio = by == VB_KICK_BY_MMIO;
}

FIXTURE_SETUP(vcpu)
{
	const char *missing = vb_kvm_missing();

	if (missing)
		SKIP(return, "%s", missing);
	self->backend = -1;
	ASSERT_EQ(0, vb_memory_map(&self->ram, variant->kind, 0, RAM_LEN));
	ASSERT_EQ(0, open_vm(self));
	ASSERT_EQ(0, open_backend(self, variant->features));
	ASSERT_EQ((void *)self->inflate.ring.desc, self->ram.hva + DESC);
	ASSERT_EQ((void *)self->inflate.ring.avail, self->ram.hva + AVAIL);
	ASSERT_EQ((void *)self->inflate.ring.used, self->ram.hva + USED);
	load_guest(self, variant->by);
	ASSERT_EQ(0, vb_vm_ioeventfd(&self->vm, self->inflate.kick, variant->by,
				     variant->by == VB_KICK_BY_PIO ? KICK_PORT : KICK_MMIO));
	ASSERT_EQ(0, vb_vm_irqfd(&self->vm, self->inflate.call, IRQ));
	if (variant->worker)
		ASSERT_EQ(0, vb_set_tunables(self->backend, VHOST_BALLOON_TUNE_INLINE, 0));
	ASSERT_EQ(0, vb_set_running(self->backend, true));
	ASSERT_EQ(0, vb_settle(self->backend));
}

FIXTURE_TEARDOWN(vcpu)
{
	if (self->backend >= 0)
		close(self->backend);
	vb_queue_exit(&self->inflate);
	vb_vcpu_destroy(&self->vcpu);
	vb_vm_close(&self->vm);
	vb_memory_unmap(&self->ram);
}

/* The guest gives away pages and comes back when it had its interrupt. */
static void one_round(struct __test_metadata *_metadata, FIXTURE_DATA(vcpu) *self,
		      unsigned int first, unsigned int nr)
{
	const struct block *block = self->block;
	__u32 id, len;

	vb_memory_fill(&self->ram, FIRST_PAGE, NR_PAGES, self->rounds);
	self->block->first = first;
	self->block->nr = nr;
	ASSERT_EQ(KVM_EXIT_IO, vb_vcpu_run(&self->vcpu)) {
		TH_LOG("exit reason %u", self->vcpu.run->exit_reason);
	}
	ASSERT_EQ(DONE_PORT, self->vcpu.run->io.port);
	self->rounds++;

	/* What the interrupt handler saw. */
	ASSERT_EQ(self->rounds, block->interrupts);
	ASSERT_EQ((__u16)self->rounds, block->used_idx);
	ASSERT_EQ(0, block->not_zero);
	vb_ring_used_elem(&self->inflate.ring, self->rounds - 1, &id, &len);
	ASSERT_EQ(0, id);
	ASSERT_EQ(0, len);
	/* What the host sees: those pages, and no other. */
	ASSERT_EQ(nr, vb_memory_zero(&self->ram, first, nr));
	ASSERT_EQ(first - FIRST_PAGE,
		  vb_memory_intact(&self->ram, FIRST_PAGE, first - FIRST_PAGE,
				   self->rounds - 1));
	ASSERT_EQ(FIRST_PAGE + NR_PAGES - first - nr,
		  vb_memory_intact(&self->ram, first + nr,
				   FIRST_PAGE + NR_PAGES - first - nr, self->rounds - 1));
}

TEST_F_TIMEOUT(vcpu, interrupt_finds_all_pages_gone_round_after_round, 120)
{
	struct vhost_balloon_counters counters;
	unsigned int given = 0;
	unsigned int round;

	for (round = 0; round < 40; round++) {
		unsigned int first = FIRST_PAGE + round * 7 % (NR_PAGES / 2);
		unsigned int nr = 1 + round * 13 % (NR_PAGES / 2);

		one_round(_metadata, self, first, nr);
		given += nr;
	}
	ASSERT_EQ(0, vb_get_counters(self->backend, &counters));
	EXPECT_EQ(given, counters.value[VHOST_BALLOON_C_INFLATED]);
	EXPECT_EQ(given, counters.value[VHOST_BALLOON_C_DISCARD_ANON] +
			 counters.value[VHOST_BALLOON_C_DISCARD_SHMEM]);
	EXPECT_EQ(round, counters.value[VHOST_BALLOON_C_CHAINS]);
	EXPECT_EQ(round, counters.value[VHOST_BALLOON_C_SIGNALS]);
	EXPECT_LE(round, counters.value[VHOST_BALLOON_C_KICKS]);
}

/* The kick ends the guest's turn, and the queue is served before its next one. */
TEST_F_TIMEOUT(vcpu, thread_serves_the_queue_before_it_goes_on, 120)
{
	struct vhost_balloon_counters before;
	pid_t worker = vb_worker_find(self->backend);
	long switches = vb_worker_switches(worker);
	unsigned int round;

	if (variant->worker)
		SKIP(return, "that is left to the worker");
	if (vb_inline_missing())
		SKIP(return, "%s", vb_inline_missing());
	ASSERT_LT(0, worker);
	ASSERT_EQ(0, vb_get_counters(self->backend, &before));
	for (round = 1; round <= 40; round++) {
		one_round(_metadata, self, FIRST_PAGE, 1 + round);
		ASSERT_EQ(before.value[VHOST_BALLOON_C_PASSES_INLINE] + round,
			  vb_counter(self->backend, VHOST_BALLOON_C_PASSES_INLINE));
	}
	EXPECT_EQ(-1, vb_misplaced(self->backend, &before, VHOST_BALLOON_NR_COUNTERS, 0));
	EXPECT_EQ(switches, vb_worker_switches(worker));
}

TEST_F_TIMEOUT(vcpu, worker_serves_the_queue_where_inline_is_off, 120)
{
	struct vhost_balloon_counters before;
	unsigned int round;

	if (!variant->worker)
		SKIP(return, "that is done inline");
	ASSERT_EQ(0, vb_get_counters(self->backend, &before));
	for (round = 0; round < 40; round++)
		one_round(_metadata, self, FIRST_PAGE, 1 + round);
	EXPECT_EQ(-1, vb_misplaced(self->backend, &before, VHOST_BALLOON_C_WORKER_OFF, round));
	EXPECT_EQ(0ULL, vb_counter(self->backend, VHOST_BALLOON_C_PASSES_INLINE));
}

TEST_F_TIMEOUT(vcpu, guest_goes_on_over_a_stop_and_start, 120)
{
	one_round(_metadata, self, FIRST_PAGE, 8);
	ASSERT_EQ(0, vb_set_running(self->backend, false));
	ASSERT_EQ(1, vb_get_vring_base(self->backend, VB_INFLATE));
	ASSERT_EQ(0, vb_set_running(self->backend, true));
	one_round(_metadata, self, FIRST_PAGE + 4, 8);
}

TEST_HARNESS_MAIN
