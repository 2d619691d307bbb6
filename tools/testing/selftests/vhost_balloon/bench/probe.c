// SPDX-License-Identifier: GPL-2.0
/*
 * BPF programs that add up the time a process spends in its guest, its exits
 * and its system calls. They are a few instructions each, written as such: no
 * compiler and no library is needed.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

#define INSN(_code, _dst, _src, _off, _imm) ((struct bpf_insn) { \
	.code = (_code), .dst_reg = (_dst), .src_reg = (_src), .off = (_off), .imm = (_imm) })
#define CALL(func)		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, func)
#define MOV(dst, src)		INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define MOV_IMM(dst, imm)	INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm)
#define ADD(dst, src)		INSN(BPF_ALU64 | BPF_ADD | BPF_X, dst, src, 0, 0)
#define ADD_IMM(dst, imm)	INSN(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, imm)
#define SUB(dst, src)		INSN(BPF_ALU64 | BPF_SUB | BPF_X, dst, src, 0, 0)
#define SHIFT_RIGHT(dst, imm)	INSN(BPF_ALU64 | BPF_RSH | BPF_K, dst, 0, 0, imm)
#define LOAD(dst, src, off)	INSN(BPF_LDX | BPF_MEM | BPF_DW, dst, src, off, 0)
#define STORE(dst, off, src)	INSN(BPF_STX | BPF_MEM | BPF_DW, dst, src, off, 0)
#define UNLESS_EQUAL(dst, imm, off) INSN(BPF_JMP | BPF_JNE | BPF_K, dst, 0, off, imm)
#define EXIT()			INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
/* The address of the sums, by two instructions that go together. */
#define SUMS(dst, map)		INSN(BPF_LD | BPF_DW | BPF_IMM, dst, BPF_PSEUDO_MAP_VALUE, 0, map)
#define SUMS_REST()		INSN(0, 0, 0, 0, 0)

#define R0	BPF_REG_0
#define R1	BPF_REG_1
#define R2	BPF_REG_2
#define R6	BPF_REG_6
#define R7	BPF_REG_7

#define ENTERED		offsetof(struct probe_sums, entered)
#define GUEST_NS	offsetof(struct probe_sums, guest_ns)
#define EXITS		offsetof(struct probe_sums, exits)
#define SYSCALLS	offsetof(struct probe_sums, syscalls)

static int bpf(int cmd, union bpf_attr *attr)
{
	int ret = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return ret < 0 ? -errno : ret;
}

static int sums_create(struct probe *probe)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = sizeof(__u32),
		.value_size = sizeof(struct probe_sums),
		.max_entries = 1,
		.map_flags = BPF_F_MMAPABLE,
	};
	void *sums;

	probe->map = bpf(BPF_MAP_CREATE, &attr);
	if (probe->map < 0)
		return probe->map;
	sums = mmap(NULL, sizeof(struct probe_sums), PROT_READ, MAP_SHARED, probe->map, 0);
	if (sums == MAP_FAILED)
		return -errno;
	probe->sums = sums;
	return 0;
}

/* Has a program run at a tracepoint. */
static int attach(struct probe *probe, const char *tracepoint, const struct bpf_insn *insns,
		  unsigned int nr)
{
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT,
		.insns = (unsigned long)insns,
		.insn_cnt = nr,
		.license = (unsigned long)"GPL",
	};
	int prog, link;

	prog = bpf(BPF_PROG_LOAD, &attr);
	if (prog < 0)
		return prog;
	memset(&attr, 0, sizeof(attr));
	attr.raw_tracepoint.name = (unsigned long)tracepoint;
	attr.raw_tracepoint.prog_fd = prog;
	link = bpf(BPF_RAW_TRACEPOINT_OPEN, &attr);
	close(prog);
	if (link < 0)
		return link;
	probe->links[probe->nr_links++] = link;
	return 0;
}

static int attach_entry(struct probe *probe, int pid)
{
	const struct bpf_insn insns[] = {
		SUMS(R6, probe->map), SUMS_REST(),
		CALL(BPF_FUNC_get_current_pid_tgid),
		SHIFT_RIGHT(R0, 32),
		UNLESS_EQUAL(R0, pid, 2),
		CALL(BPF_FUNC_ktime_get_ns),
		STORE(R6, ENTERED, R0),
		MOV_IMM(R0, 0),
		EXIT(),
	};

	return attach(probe, "kvm_entry", insns, ARRAY_SIZE(insns));
}

static int attach_exit(struct probe *probe, int pid)
{
	const struct bpf_insn insns[] = {
		CALL(BPF_FUNC_ktime_get_ns),
		MOV(R7, R0),
		CALL(BPF_FUNC_get_current_pid_tgid),
		SHIFT_RIGHT(R0, 32),
		UNLESS_EQUAL(R0, pid, 10),
		SUMS(R6, probe->map), SUMS_REST(),
		LOAD(R1, R6, ENTERED),
		SUB(R7, R1),
		LOAD(R2, R6, GUEST_NS),
		ADD(R2, R7),
		STORE(R6, GUEST_NS, R2),
		LOAD(R2, R6, EXITS),
		ADD_IMM(R2, 1),
		STORE(R6, EXITS, R2),
		MOV_IMM(R0, 0),
		EXIT(),
	};

	return attach(probe, "kvm_exit", insns, ARRAY_SIZE(insns));
}

static int attach_syscalls(struct probe *probe, int pid)
{
	const struct bpf_insn insns[] = {
		SUMS(R6, probe->map), SUMS_REST(),
		CALL(BPF_FUNC_get_current_pid_tgid),
		SHIFT_RIGHT(R0, 32),
		UNLESS_EQUAL(R0, pid, 3),
		LOAD(R2, R6, SYSCALLS),
		ADD_IMM(R2, 1),
		STORE(R6, SYSCALLS, R2),
		MOV_IMM(R0, 0),
		EXIT(),
	};

	return attach(probe, "sys_enter", insns, ARRAY_SIZE(insns));
}

int probe_open(struct probe *probe, int pid, bool syscalls)
{
	int ret;

	memset(probe, 0, sizeof(*probe));
	ret = sums_create(probe);
	if (!ret)
		ret = attach_entry(probe, pid);
	if (!ret)
		ret = attach_exit(probe, pid);
	if (!ret && syscalls)
		ret = attach_syscalls(probe, pid);
	if (ret)
		probe_close(probe);
	return ret;
}

void probe_close(struct probe *probe)
{
	while (probe->nr_links > 0)
		close(probe->links[--probe->nr_links]);
	if (probe->sums)
		munmap((void *)probe->sums, sizeof(*probe->sums));
	if (probe->map > 0)
		close(probe->map);
	probe->sums = NULL;
	probe->map = -1;
}
