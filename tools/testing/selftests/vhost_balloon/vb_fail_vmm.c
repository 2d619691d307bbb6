// SPDX-License-Identifier: GPL-2.0
/*
 * A VMM whose calls meet faults.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>

#include "vb_control.h"
#include "vb_fail_vmm.h"

int vb_fail_keep(struct vb_fail_vmm *v, int fd)
{
	v->made = fd;
	return fd;
}

int vb_fail_close_made(struct vb_fail_vmm *v)
{
	return close(v->made) ? -errno : 0;
}

/* The same memory as slots of a VM. */
static int make_vm(struct vb_fail_vmm *v)
{
	int ret = vb_vm_open(&v->vm);
	unsigned int i;

	for (i = 0; i < v->m.nr_slots && !ret; i++)
		ret = vb_vm_set_slot(&v->vm, i, 0, v->m.slots[i].gpa, v->m.slots[i].len,
				     v->m.slots[i].hva);
	return ret;
}

static int make_machine(struct vb_fail_vmm *v)
{
	unsigned int index;
	int ret = vb_machine_open(&v->m, false, VB_FAIL_FEATURES, VB_FAIL_NUM);

	for (index = 2; index < VB_NR_QUEUES && !ret; index++)
		ret = vb_machine_add_queue(&v->m, index, VB_FAIL_NUM);
	if (!ret)
		ret = vb_memory_map(&v->ram, VB_MEMORY_ANON, VB_HINT_GPA, VB_HINT_PAGES * VB_PAGE);
	return ret ?: vb_machine_add(&v->m, &v->ram, 0);
}

static int open_files(struct vb_fail_vmm *v)
{
	v->control = vb_get_control(v->m.backend);
	if (v->control < 0)
		return v->control;
	v->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (v->event < 0 || fcntl(v->control, F_SETFL, O_NONBLOCK))
		return -errno;
	v->fail = vb_fail_open(getpid());
	v->rest = vb_fail_open_rest(getpid());
	return v->fail < 0 ? v->fail : v->rest < 0 ? v->rest : 0;
}

int vb_fail_vmm_open(struct vb_fail_vmm *v, bool kvm)
{
	int ret;

	memset(v, 0, sizeof(*v));
	v->vm.fd = -1;
	v->vm.kvm = -1;
	v->control = -1;
	v->event = -1;
	v->fail = -1;
	v->rest = -1;
	ret = make_machine(v);
	if (!ret && kvm)
		ret = make_vm(v);
	if (!ret)
		ret = open_files(v);
	v->fd = v->m.backend;
	return ret;
}

void vb_fail_vmm_close(struct vb_fail_vmm *v)
{
	close(v->rest);
	close(v->fail);
	close(v->event);
	close(v->control);
	vb_machine_close(&v->m);
	vb_vm_close(&v->vm);
	vb_memory_unmap(&v->ram);
}

/**
 * struct state - what can be seen of a balloon
 * @ret: the first error in looking
 * @info: all but what rises with every try
 * @config: of the configuration space what the guest and the host have set
 * @tunables: what is on
 * @listed: how many balloons there are
 * @kicks: whether it is kicked by its queue's eventfd, and by another
 * @events: of poll() on the control file
 * @seen: what the call's own look says
 */
struct state {
	int ret;
	struct vhost_balloon_info info;
	__u8 config[8];
	__u64 tunables;
	__u32 listed;
	__u64 kicks[2];
	int events;
	long seen;
};

static int look_for_kicks(struct vb_fail_vmm *v, int eventfd, __u64 *kicks)
{
	struct vhost_balloon_counters before, after;
	const __u64 one = 1;
	int ret = vb_get_counters(v->control, &before);

	if (!ret && write(eventfd, &one, sizeof(one)) != sizeof(one))
		ret = -errno;
	if (!ret)
		ret = vb_get_counters(v->control, &after);
	if (!ret)
		*kicks = after.value[VHOST_BALLOON_C_KICKS] - before.value[VHOST_BALLOON_C_KICKS];
	return ret;
}

/* As everybody sees it. */
static int look_from_outside(struct vb_fail_vmm *v, struct state *s)
{
	struct vhost_balloon_list list = { .size = sizeof(list) };
	__u64 mask;
	int ret;

	s->events = vb_poll_now(v->control);
	ret = s->events < 0 ? s->events : vb_get_info(v->control, &s->info);
	s->info.generation = 0;
	s->info.hint_cmd_id = 0;
	if (!ret)
		ret = vb_get_tunables(v->control, &mask, &s->tunables);
	if (!ret)
		ret = vb_ioctl(v->m.backend, VHOST_BALLOON_LIST, &list);
	s->listed = list.total;
	return ret;
}

static void look(struct vb_fail_vmm *v, const struct vb_fail_call *call, struct state *s)
{
	memset(s, 0, sizeof(*s));
	s->ret = look_from_outside(v, s);
	if (!s->ret && s->info.flags & VHOST_BALLOON_INFO_OWNED)
		s->ret = vb_get_config(v->m.backend, 0, s->config, sizeof(s->config));
	if (!s->ret)
		s->ret = look_for_kicks(v, v->m.inflate.kick, &s->kicks[0]);
	if (!s->ret)
		s->ret = look_for_kicks(v, v->event, &s->kicks[1]);
	if (!s->ret && call->look)
		s->seen = call->look(v);
	if (s->seen < 0)
		s->ret = s->seen;
}

/* What is different, or NULL. */
static const char *difference(const struct state *a, const struct state *b)
{
	if (a->ret || b->ret)
		return "an error";
	if (memcmp(&a->info, &b->info, sizeof(a->info)))
		return "info";
	if (memcmp(a->config, b->config, sizeof(a->config)))
		return "config";
	if (a->tunables != b->tunables)
		return "tunables";
	if (a->listed != b->listed)
		return "the list";
	if (memcmp(a->kicks, b->kicks, sizeof(a->kicks)))
		return "what kicks";
	if (a->events != b->events)
		return "events";
	if (a->seen != b->seen)
		return "what is to be seen of this call";
	return NULL;
}

/* What is different from what it should be, or NULL. */
static const char *look_for(struct vb_fail_vmm *v, const struct vb_fail_call *call,
			    const struct state *expected)
{
	struct state now;

	look(v, call, &now);
	return difference(expected, &now);
}

static int undo(struct vb_fail_vmm *v, const struct vb_fail_call *call)
{
	return call->undo ? call->undo(v) : 0;
}

/* Once as it should be: how things are before and after that. */
static const char *learn(struct vb_fail_vmm *v, const struct vb_fail_call *call,
			 struct state *old, struct state *new)
{
	if (call->prepare && call->prepare(v))
		return "it can't be prepared";
	/* Before the first time it is as it will never be again. */
	if (call->call(v) < 0 || undo(v, call))
		return "it can't be done";
	look(v, call, old);
	if (call->call(v) < 0)
		return "it can't be done twice";
	look(v, call, new);
	if (old->ret || new->ret)
		return "it can't be looked at";
	if (call->undo && !difference(old, new))
		return "there is nothing to see of it";
	return undo(v, call) ? "it can't be taken back" : look_for(v, call, old);
}

/* It has failed: what it says, and what it has done. */
static const char *see_failed(struct vb_fail_vmm *v, const struct vb_fail_call *call,
			      const struct state *old, int ret)
{
	const char *wrong;

	if (ret != -ENOMEM && ret != -EFAULT)
		return "an errno that isn't documented";
	wrong = look_for(v, call, old);
	/* Then it's not as before, but as after it. */
	if (wrong && ret == -EFAULT && call->answer_lost)
		return NULL;
	if (!wrong && call->call(v) < 0)
		wrong = "it can't be done after a fault";
	return wrong;
}

/* The call with a fault: whether it came to that, or an errno. */
static int meet(struct vb_fail_vmm *v, const struct vb_fail_call *call, unsigned int nth,
		bool and_rest, struct vb_fail_result *r)
{
	int ret = vb_fail_rest(v->rest, and_rest) ?: vb_fail_arm(v->fail, nth);

	if (!ret) {
		r->ret = call->call(v);
		ret = vb_fail_disarm(v->fail);
	}
	return vb_fail_rest(v->rest, false) ?: ret;
}

struct vb_fail_result vb_fail_in_turn(struct vb_fail_vmm *v, const struct vb_fail_call *call,
				      bool and_rest)
{
	struct vb_fail_result r = { 0 };
	const __u64 start = vb_now_ms();
	struct state old, new;
	unsigned int nth = 1;
	int hit = 0;

	r.wrong = learn(v, call, &old, &new);
	while (!r.wrong && (hit = meet(v, call, nth, and_rest, &r)) > 0) {
		r.faults = nth;
		if (r.ret < 0) {
			r.failed++;
			r.wrong = see_failed(v, call, &old, r.ret);
		}
		if (!r.wrong)
			r.wrong = look_for(v, call, &new);
		if (!r.wrong)
			r.wrong = undo(v, call) ? "it can't be taken back" :
						  look_for(v, call, &old);
		nth = vb_fail_next(nth, start);
		if (!r.wrong && nth >= VB_FAIL_MOST)
			r.wrong = "there is no end to it";
	}
	if (!r.wrong && hit < 0) {
		r.wrong = "no fault can be had";
		r.ret = hit;
	}
	if (!r.wrong && r.ret < 0)
		r.wrong = "it fails without a fault";
	if (!r.wrong)
		r.wrong = look_for(v, call, &new);
	return r;
}
