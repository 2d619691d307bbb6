// SPDX-License-Identifier: GPL-2.0
/*
 * Two vCPUs that kick one queue at once. They take turns in making a request available, one page
 * each: whose turn it is kicks as a driver does, unless the device wants no notification, and
 * the other kicks for nothing as soon as it sees the request, four rounds of every eight. Each waits
 * for the request to be used before it goes on: if a kick that was needed were lost, this would never
 * end.
 */
#include <endian.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <linux/virtio_config.h>

#include "kselftest_harness.h"
#include "vb_guest.h"
#include "vb_kicker.h"
#include "vb_memory.h"
#include "vb_worker.h"

#define NR_VCPUS	2
/* Less than half of what the index counts, so that it can be seen who is ahead. */
#define ROUNDS		5000U
#define STOP		0x2000

#define STR_1(x)	#x
#define STR(x)		STR_1(x)

extern const char turns_code[], turns_end[];

asm(".pushsection .rodata\n"
	".globl turns_code, turns_end\n"
	".code16\n"
	/* BX: which of the two; ECX: rounds; SI: the round, which is the available index. */
"turns_code:\n"
	"xorw %si, %si\n"
"1:	movw %si, %ax\n"
	"andw $1, %ax\n"
	"cmpw %bx, %ax\n"
	"jne 2f\n"
	/* Our turn. All entries of the available ring name the same descriptor. */
	"incw " STR(AVAIL) " + 2\n"
	"mfence\n"
	"testw $1, " STR(USED) "\n"
	"jnz 3f\n"
	"outw %ax, $" STR(KICK_PORT) "\n"
	"jmp 3f\n"
	/* The other's turn. */
"2:	pause\n"
	"cmpw $0, " STR(STOP) "\n"
	"jne 5f\n"
	"cmpw %si, " STR(AVAIL) " + 2\n"
	"je 2b\n"
	"testw $4, %si\n"
	"jz 3f\n"
	"outw %ax, $" STR(KICK_PORT) "\n"
	/* Until it is used. The other one may be a round ahead by then. */
"3:	incw %si\n"
"4:	pause\n"
	"cmpw $0, " STR(STOP) "\n"
	"jne 5f\n"
	"movw " STR(USED) " + 2, %ax\n"
	"subw %si, %ax\n"
	"js 4b\n"
	"decl %ecx\n"
	"jnz 1b\n"
"5:	outw %ax, $" STR(DONE_PORT) "\n"
	"jmp 5b\n"
"turns_end:\n"
	".code64\n"
	".popsection\n");

struct runner {
	struct vb_vcpu vcpu;
	pthread_t thread;
	bool started;
	atomic_bool done;
	int reason;
};

static void *runner_run(void *arg)
{
	struct runner *runner = arg;

	runner->reason = vb_vcpu_run(&runner->vcpu);
	atomic_store(&runner->done, true);
	return NULL;
}

FIXTURE(vcpus) {
	struct vb_vm vm;
	struct vb_memory ram;
	int backend;
	struct vb_queue inflate;
	struct vhost_balloon_counters before;
	struct runner runners[NR_VCPUS];
};

FIXTURE_VARIANT(vcpus) {
	enum vb_memory_kind kind;
	bool worker;
};

FIXTURE_VARIANT_ADD(vcpus, anonymous) { .kind = VB_MEMORY_ANON };
FIXTURE_VARIANT_ADD(vcpus, memfd) { .kind = VB_MEMORY_MEMFD };
FIXTURE_VARIANT_ADD(vcpus, anonymous_worker) { .kind = VB_MEMORY_ANON, .worker = true };

static int open_runner(FIXTURE_DATA(vcpus) *self, unsigned int id)
{
	struct vb_vcpu *vcpu = &self->runners[id].vcpu;
	struct kvm_regs regs;
	int ret;

	ret = vb_vcpu_create_id(&self->vm, vcpu, id);
	if (!ret)
		ret = vb_vcpu_real_mode(vcpu, CODE, STACK_TOP);
	if (!ret)
		ret = vb_ioctl(vcpu->fd, KVM_GET_REGS, &regs);
	if (ret)
		return ret;
	regs.rbx = id;
	regs.rcx = ROUNDS;
	return vb_ioctl(vcpu->fd, KVM_SET_REGS, &regs);
}

static int open_vm(FIXTURE_DATA(vcpus) *self)
{
	unsigned int id;
	int ret = vb_vm_open(&self->vm);

	if (!ret)
		ret = vb_vm_set_slot(&self->vm, 0, 0, 0, RAM_LEN, self->ram.hva);
	for (id = 0; id < NR_VCPUS && !ret; id++)
		ret = open_runner(self, id);
	return ret;
}

static int open_backend(FIXTURE_DATA(vcpus) *self)
{
	int ret;

	self->backend = vb_open_owned();
	if (self->backend < 0)
		return self->backend;
	ret = vb_set_features(self->backend, VB_FEATURE(VIRTIO_F_VERSION_1));
	if (!ret)
		ret = vb_set_vm(self->backend, self->vm.fd);
	if (!ret)
		ret = vb_queue_init(&self->inflate, self->backend, VB_INFLATE, RING_NUM,
				    self->ram.hva + RING);
	if (!ret)
		ret = vb_vm_ioeventfd(&self->vm, self->inflate.kick, VB_KICK_BY_PIO, KICK_PORT);
	return ret;
}

FIXTURE_SETUP(vcpus)
{
	const char *missing = vb_kvm_missing();

	if (!missing)
		missing = vb_inline_missing();
	if (missing)
		SKIP(return, "%s", missing);
	self->backend = -1;
	ASSERT_EQ(0, vb_memory_map(&self->ram, variant->kind, 0, RAM_LEN));
	ASSERT_EQ(0, open_vm(self));
	ASSERT_EQ(0, open_backend(self));
	memcpy(self->ram.hva + CODE, turns_code, turns_end - turns_code);
	vb_write_list(self->ram.hva + LIST, FIRST_PAGE * VB_PAGE, 1);
	vb_ring_set_desc(self->inflate.ring.desc, LIST, sizeof(__le32), 0, 0);
	if (variant->worker)
		ASSERT_EQ(0, vb_set_tunables(self->backend, VHOST_BALLOON_TUNE_INLINE, 0));
	ASSERT_EQ(0, vb_set_running(self->backend, true));
	ASSERT_EQ(0, vb_settle(self->backend));
	ASSERT_EQ(0, vb_get_counters(self->backend, &self->before));
}

FIXTURE_TEARDOWN(vcpus)
{
	unsigned int id;

	__atomic_store_n((__u16 *)(self->ram.hva + STOP), 1, __ATOMIC_SEQ_CST);
	for (id = 0; id < NR_VCPUS; id++)
		if (self->runners[id].started)
			pthread_join(self->runners[id].thread, NULL);
	if (self->backend >= 0)
		close(self->backend);
	vb_queue_exit(&self->inflate);
	for (id = 0; id < NR_VCPUS; id++)
		vb_vcpu_destroy(&self->runners[id].vcpu);
	vb_vm_close(&self->vm);
	vb_memory_unmap(&self->ram);
}

/* Waits as long as there is progress. */
static bool all_done(FIXTURE_DATA(vcpus) *self)
{
	__u64 end = vb_now_ms() + VB_TIMEOUT_MS;
	__u16 seen = 0, used;

	while (!atomic_load(&self->runners[0].done) || !atomic_load(&self->runners[1].done)) {
		used = vb_ring_used_idx(&self->inflate.ring);
		if (used != seen)
			end = vb_now_ms() + VB_TIMEOUT_MS;
		seen = used;
		if (vb_now_ms() > end)
			return false;
		usleep(10000);
	}
	return true;
}

static __u64 risen(FIXTURE_DATA(vcpus) *self, enum vhost_balloon_counter counter)
{
	return vb_counter(self->backend, counter) - self->before.value[counter];
}

TEST_F_TIMEOUT(vcpus, that_kick_at_once_lose_nothing, 300)
{
	unsigned int id;

	for (id = 0; id < NR_VCPUS; id++) {
		struct runner *runner = &self->runners[id];

		ASSERT_EQ(0, pthread_create(&runner->thread, NULL, runner_run, runner));
		runner->started = true;
	}
	ASSERT_TRUE(all_done(self)) {
		TH_LOG("no progress after %u of %u requests",
		       vb_ring_used_idx(&self->inflate.ring), ROUNDS);
	}
	for (id = 0; id < NR_VCPUS; id++) {
		EXPECT_EQ(KVM_EXIT_IO, self->runners[id].reason);
		EXPECT_EQ(DONE_PORT, self->runners[id].vcpu.run->io.port);
	}
	EXPECT_EQ(ROUNDS, risen(self, VHOST_BALLOON_C_CHAINS));
	EXPECT_EQ(ROUNDS, risen(self, VHOST_BALLOON_C_INFLATED));
	EXPECT_EQ(ROUNDS, vb_ring_used_idx(&self->inflate.ring));
	/* That many are for nothing, and each of them came. */
	EXPECT_LE(ROUNDS / 2, risen(self, VHOST_BALLOON_C_KICKS));
	EXPECT_GE(ROUNDS / 2 + ROUNDS, risen(self, VHOST_BALLOON_C_KICKS));
	TH_LOG("%llu kicks, %llu passes inline, %llu on the worker, %llu overlapped",
	       risen(self, VHOST_BALLOON_C_KICKS), risen(self, VHOST_BALLOON_C_PASSES_INLINE),
	       risen(self, VHOST_BALLOON_C_PASSES) - risen(self, VHOST_BALLOON_C_PASSES_INLINE),
	       risen(self, VHOST_BALLOON_C_WORKER_OVERLAP));
	EXPECT_EQ(variant->worker, !risen(self, VHOST_BALLOON_C_PASSES_INLINE));
}

TEST_HARNESS_MAIN
