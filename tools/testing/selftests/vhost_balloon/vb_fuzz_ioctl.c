// SPDX-License-Identifier: GPL-2.0
/*
 * Random ioctls on backend and control files, and opening and closing of these.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_config.h>

#include "vb_fuzz.h"

/* As long as the kernel copies at most, and some. */
#define ARG_LEN		8192U
/* That fit it. */
#define MAX_REGIONS	250U
#define KERNEL_ADDRESS	0xffff888000000000ULL
/* Numbers from here on are nobody's. */
#define UNKNOWN		0xe0U
/* Whatever lies there isn't user memory. */
#define TOO_LONG	(1ULL << 47)

struct fuzz_ioctl {
	const char *name;
	unsigned long request;
	unsigned int size;
	/* After all words were made up: what would hardly ever make sense by chance. */
	void (*fill)(struct vb_fuzzer *f, void *arg);
	/* Has the size in it. */
	bool own;
};

/* Mostly small, since most of what makes sense is. */
static __u32 random_word(struct vb_fuzzer *f)
{
	switch (vb_fuzz_below(f, 8)) {
	case 0:
		return vb_random(&f->state);
	case 1:
		return 1U << vb_fuzz_below(f, 32);
	case 2:
	case 3:
		return vb_fuzz_below(f, 20);
	default:
		return 0;
	}
}

/* Where nobody can read or write. */
static __u64 bad_pointer(struct vb_fuzzer *f)
{
	switch (vb_fuzz_below(f, 3)) {
	case 0:
		return 0;
	case 1:
		return KERNEL_ADDRESS + vb_fuzz_below(f, 1 << 30);
	default:
		return vb_random(&f->state) | 1ULL << 63;
	}
}

/* Where the kernel may write to, or nobody can. */
static __u64 random_pointer(struct vb_fuzzer *f)
{
	if (!vb_fuzz_rarely(f, 8))
		return (unsigned long)f->scratch;
	/* What is written ends in it. */
	if (vb_fuzz_rarely(f, 4))
		return (unsigned long)f->w->arena.hva + vb_fuzz_below(f, VB_FUZZ_ARENA / 2);
	return bad_pointer(f);
}

static void fill_nothing(struct vb_fuzzer *f, void *arg)
{
}

static void fill_file(struct vb_fuzzer *f, void *arg)
{
	struct vhost_balloon_file *a = arg;

	a->flags = 0;
	a->fd = vb_fuzz_fd(f);
	a->reserved = 0;
}

static void fill_set_vm(struct vb_fuzzer *f, void *arg)
{
	struct vhost_balloon_file *a = arg;

	fill_file(f, arg);
	if (vb_fuzz_rarely(f, 2))
		a->fd = f->w->vm.fd;
}

static void fill_running(struct vb_fuzzer *f, void *arg)
{
	struct vhost_balloon_running *a = arg;

	a->running = vb_fuzz_rarely(f, 8) ? random_word(f) : !vb_fuzz_rarely(f, 4);
}

static void fill_config(struct vb_fuzzer *f, void *arg)
{
	struct vhost_balloon_config *a = arg;

	a->flags = 0;
	a->offset = vb_fuzz_below(f, 17);
	a->len = vb_fuzz_below(f, 18);
}

static void fill_list(struct vb_fuzzer *f, void *arg)
{
	struct vhost_balloon_list *a = arg;

	a->flags = 0;
	a->ids = random_pointer(f);
	/* Where fill_open() looks for them. */
	if (a->ids == (unsigned long)f->scratch)
		a->ids += VB_FUZZ_IDS_OFFSET;
	a->nr = vb_fuzz_rarely(f, 8) ? random_word(f) : vb_fuzz_below(f, 16);
	if (!vb_fuzz_rarely(f, 4))
		a->after = 0;
}

static void fill_open(struct vb_fuzzer *f, void *arg)
{
	struct vhost_balloon_open *a = arg;
	const __u64 *ids = f->scratch + VB_FUZZ_IDS_OFFSET;

	a->flags = 0;
	/* As a list has left it there. */
	a->id = ids[vb_fuzz_below(f, 8)];
	a->reserved = 0;
}

static void fill_regions(struct vb_fuzzer *f, void *arg)
{
	struct vhost_balloon_regions *a = arg;

	a->flags = 0;
	a->regions = random_pointer(f);
}

static void fill_flags(struct vb_fuzzer *f, void *arg)
{
	struct vhost_balloon_target *a = arg;

	a->flags = 0;
}

static void fill_stats(struct vb_fuzzer *f, void *arg)
{
	struct vhost_balloon_stats *a = arg;

	a->flags = 0;
	a->stats = random_pointer(f);
}

/* No thread shall wait for long. */
static void fill_refresh(struct vb_fuzzer *f, void *arg)
{
	struct vhost_balloon_refresh *a = arg;

	a->timeout = vb_fuzz_rarely(f, 4) ? VHOST_BALLOON_REFRESH_TIMEOUT_MAX + 1 + random_word(f) :
					    vb_fuzz_below(f, 2) * vb_fuzz_below(f, 20);
}

static void fill_hint_fetch(struct vb_fuzzer *f, void *arg)
{
	struct vhost_balloon_hint_fetch *a = arg;

	a->flags = 0;
	a->gfn = VB_FUZZ_GPA / VB_PAGE + vb_fuzz_below(f, 64) * (vb_fuzz_rarely(f, 4) ? 1 : 64);
	a->bitmap = random_pointer(f);
	a->nr = vb_fuzz_rarely(f, 4) ? random_word(f) : 1 + vb_fuzz_below(f, 4096);
}

/* Mostly lifted, or else nothing would be discarded. */
static void fill_inhibit(struct vb_fuzzer *f, void *arg)
{
	struct vhost_balloon_inhibit *a = arg;

	memset(a->reason, 0, sizeof(a->reason));
	a->inhibit = vb_fuzz_rarely(f, 6);
	a->reason[0] = a->inhibit ? 'x' : 0;
	if (vb_fuzz_rarely(f, 8))
		a->reason[vb_fuzz_below(f, sizeof(a->reason))] = vb_random(&f->state);
}

static void fill_tunables(struct vb_fuzzer *f, void *arg)
{
	struct vhost_balloon_tunables *a = arg;

	a->flags = 0;
	a->mask = vb_fuzz_below(f, vb_fuzz_rarely(f, 8) ? 64 : 16);
	a->values = vb_fuzz_rarely(f, 8) ? vb_fuzz_below(f, 16) : a->mask & vb_fuzz_below(f, 16);
}

static void fill_features(struct vb_fuzzer *f, void *arg)
{
	__u64 *a = arg;

	/* Offered ones, mostly. */
	if (!vb_fuzz_rarely(f, 4))
		*a = VB_FEATURE(VIRTIO_F_VERSION_1) |
		     (vb_random(&f->state) & (0x3f | 3ULL << 28));
}

/* Regions of the arena, or of what is nobody's: see vb_fuzz.h. */
static void fill_mem_table(struct vb_fuzzer *f, void *arg)
{
	struct vhost_memory *a = arg;
	unsigned int i;

	a->nregions = vb_fuzz_rarely(f, 30) ? vb_fuzz_below(f, MAX_REGIONS) : vb_fuzz_below(f, 4);
	a->padding = vb_fuzz_rarely(f, 30);
	for (i = 0; i < a->nregions; i++) {
		struct vhost_memory_region *r = &a->regions[i];
		struct vb_memory part = vb_fuzz_arena_part(f, VB_FUZZ_WINDOW);

		*r = (struct vhost_memory_region) {
			.guest_phys_addr = VB_FUZZ_GPA + i * VB_FUZZ_WINDOW,
			.memory_size = part.len,
			.userspace_addr = (unsigned long)part.hva,
		};
		if (vb_fuzz_rarely(f, 20))
			r->guest_phys_addr = vb_random(&f->state);
		if (vb_fuzz_rarely(f, 20))
			r->userspace_addr = KERNEL_ADDRESS;
		if (vb_fuzz_rarely(f, 20))
			r->memory_size = vb_fuzz_rarely(f, 2) ? 0 : TOO_LONG | vb_random(&f->state);
		r->flags_padding = vb_fuzz_rarely(f, 50);
	}
}

static void fill_log_base(struct vb_fuzzer *f, void *arg)
{
	__u64 *a = arg;

	*a = vb_fuzz_rarely(f, 8) ? KERNEL_ADDRESS : (unsigned long)f->scratch;
	if (vb_fuzz_rarely(f, 4))
		*a += vb_fuzz_below(f, 64);
}

static void fill_fd(struct vb_fuzzer *f, void *arg)
{
	*(int *)arg = vb_fuzz_fd(f);
}

static __u32 random_index(struct vb_fuzzer *f)
{
	return vb_fuzz_rarely(f, 16) ? random_word(f) : vb_fuzz_below(f, VB_NR_QUEUES);
}

static void fill_num(struct vb_fuzzer *f, void *arg)
{
	struct vhost_vring_state *a = arg;

	a->index = random_index(f);
	a->num = vb_fuzz_rarely(f, 4) ? random_word(f) : 1U << vb_fuzz_below(f, 11);
}

static void fill_base(struct vb_fuzzer *f, void *arg)
{
	struct vhost_vring_state *a = arg;

	a->index = random_index(f);
	a->num = vb_fuzz_rarely(f, 16) ? vb_random(&f->state) : vb_fuzz_below(f, 65536);
}

/* Into memory for rings or the arena; or where nothing is. Kept off everything else. */
static __u64 random_part(struct vb_fuzzer *f)
{
	struct vb_memory ring = vb_fuzz_ring_memory(f->w, vb_fuzz_below(f, VB_FUZZ_NATIVE),
						    vb_fuzz_below(f, VB_NR_QUEUES));
	__u64 at = (unsigned long)ring.hva;

	switch (vb_fuzz_below(f, 8)) {
	case 0:
		at = KERNEL_ADDRESS;
		break;
	case 1:
		at = 0;
		break;
	case 2:
		/* The largest ring has to end in it. */
		at = (unsigned long)f->w->arena.hva + vb_fuzz_below(f, 1 << 20) * 8ULL;
		break;
	default:
		break;
	}
	return at + (vb_fuzz_rarely(f, 8) ? vb_fuzz_below(f, 16) : 0);
}

static void fill_addr(struct vb_fuzzer *f, void *arg)
{
	struct vhost_vring_addr *a = arg;

	a->index = random_index(f);
	a->flags = vb_fuzz_below(f, 4) ? vb_fuzz_below(f, 2) : random_word(f);
	a->desc_user_addr = random_part(f);
	a->avail_user_addr = random_part(f);
	a->used_user_addr = random_part(f);
	/* The log has bits for no more than that. */
	a->log_guest_addr = vb_fuzz_below(f, 1 << 28) * 4ULL;
}

static void fill_vring_file(struct vb_fuzzer *f, void *arg)
{
	struct vhost_vring_file *a = arg;

	a->index = random_index(f);
	a->fd = vb_fuzz_fd(f);
}

#define OWN(name, type, fill) \
	{ #name, VHOST_BALLOON_##name, sizeof(struct type), fill, true }
#define VHOST(name, size, fill) \
	{ "VHOST_" #name, VHOST_##name, size, fill, false }

static const struct fuzz_ioctl ioctls[] = {
	OWN(SET_VM, vhost_balloon_file, fill_set_vm),
	OWN(SET_RUNNING, vhost_balloon_running, fill_running),
	OWN(GET_CONFIG, vhost_balloon_config, fill_config),
	OWN(SET_CONFIG, vhost_balloon_config, fill_config),
	OWN(SET_CONFIG_CALL, vhost_balloon_file, fill_file),
	OWN(GET_CONTROL, vhost_balloon_file, fill_file),
	OWN(SET_ACCESS, vhost_balloon_access, fill_nothing),
	OWN(LIST, vhost_balloon_list, fill_list),
	OWN(OPEN, vhost_balloon_open, fill_open),
	OWN(GET_INFO, vhost_balloon_info, fill_nothing),
	OWN(GET_COUNTERS, vhost_balloon_counters, fill_nothing),
	OWN(GET_REGIONS, vhost_balloon_regions, fill_regions),
	OWN(SET_TARGET, vhost_balloon_target, fill_flags),
	OWN(GET_STATS, vhost_balloon_stats, fill_stats),
	OWN(SET_STATS_INTERVAL, vhost_balloon_stats_interval, fill_nothing),
	OWN(REFRESH_STATS, vhost_balloon_refresh, fill_refresh),
	OWN(HINT_START, vhost_balloon_hint_start, fill_nothing),
	OWN(HINT_STOP, vhost_balloon_hint_stop, fill_nothing),
	OWN(HINT_FETCH, vhost_balloon_hint_fetch, fill_hint_fetch),
	OWN(SET_INHIBIT, vhost_balloon_inhibit, fill_inhibit),
	OWN(GET_TUNABLES, vhost_balloon_tunables, fill_flags),
	OWN(SET_TUNABLES, vhost_balloon_tunables, fill_tunables),
	VHOST(GET_FEATURES, sizeof(__u64), fill_nothing),
	VHOST(SET_FEATURES, sizeof(__u64), fill_features),
	VHOST(SET_OWNER, 0, fill_nothing),
	VHOST(RESET_OWNER, 0, fill_nothing),
	VHOST(SET_MEM_TABLE, ARG_LEN, fill_mem_table),
	VHOST(SET_LOG_BASE, sizeof(__u64), fill_log_base),
	VHOST(SET_LOG_FD, sizeof(int), fill_fd),
	VHOST(SET_VRING_NUM, sizeof(struct vhost_vring_state), fill_num),
	VHOST(SET_VRING_BASE, sizeof(struct vhost_vring_state), fill_base),
	VHOST(GET_VRING_BASE, sizeof(struct vhost_vring_state), fill_base),
	VHOST(SET_VRING_ADDR, sizeof(struct vhost_vring_addr), fill_addr),
	VHOST(SET_VRING_KICK, sizeof(struct vhost_vring_file), fill_vring_file),
	VHOST(SET_VRING_CALL, sizeof(struct vhost_vring_file), fill_vring_file),
	VHOST(SET_VRING_ERR, sizeof(struct vhost_vring_file), fill_vring_file),
};

/* The right size, or a wrong one. */
static __u32 random_size(struct vb_fuzzer *f, __u32 size)
{
	if (!vb_fuzz_rarely(f, 8))
		return size;
	switch (vb_fuzz_below(f, 5)) {
	case 0:
		return vb_fuzz_below(f, size);
	case 1:
		return size + vb_fuzz_below(f, 64);
	case 2:
		return 4096 + vb_fuzz_below(f, 2);
	case 3:
		return 0;
	default:
		return vb_random(&f->state);
	}
}

_Static_assert(ARRAY_SIZE(ioctls) <= VB_FUZZ_MAX_IOCTLS, "too many ioctls");

static void fill_arg(struct vb_fuzzer *f, const struct fuzz_ioctl *io, void *arg)
{
	__u32 *words = arg;
	unsigned int i;

	/* What follows a structure is zero, or else. */
	memset(arg, 0, ARG_LEN);
	if (vb_fuzz_rarely(f, 16))
		words[vb_fuzz_below(f, ARG_LEN / sizeof(*words))] = 1;
	for (i = 0; io->own && i < io->size / sizeof(*words); i++)
		words[i] = random_word(f);
	io->fill(f, arg);
	if (io->own)
		words[0] = random_size(f, io->size);
}

/* A new control file, instead of one that there was. */
static void keep_control(struct vb_fuzzer *f, int control)
{
	int *place = &f->w->controls[vb_fuzz_below(f, VB_FUZZ_CONTROLS)];

	control = __atomic_exchange_n(place, control, __ATOMIC_ACQ_REL);
	if (control >= 0)
		close(control);
}

/* Others have balloons, too, and whoever may list these may open them. */
static bool is_own(const struct vb_fuzz *w, int control)
{
	struct vhost_balloon_info info;

	if (vb_get_info(control, &info))
		return false;
	if (info.flags & VHOST_BALLOON_INFO_VDPA)
		return w->has_vdpa && !strcmp((char *)info.name, w->vdpa.name);
	return info.pid == getpid();
}

static void keep_own_control(struct vb_fuzzer *f, int control)
{
	if (is_own(f->w, control))
		keep_control(f, control);
	else
		close(control);
}

static int choose_file(struct vb_fuzzer *f)
{
	if (vb_fuzz_rarely(f, 3))
		return f->w->controls[vb_fuzz_below(f, VB_FUZZ_CONTROLS)];
	return f->w->balloons[vb_fuzz_below(f, VB_FUZZ_NATIVE)].fd;
}

/* With any size in it, since only type and number count; or a number that there isn't. */
static unsigned long random_request(struct vb_fuzzer *f, unsigned long request)
{
	if (vb_fuzz_rarely(f, 100))
		return _IO(VHOST_VIRTIO, UNKNOWN + vb_fuzz_below(f, 256 - UNKNOWN));
	if (vb_fuzz_rarely(f, 8))
		request ^= (unsigned long)(1 + vb_fuzz_below(f, 0x3fff)) << _IOC_SIZESHIFT;
	return request;
}

static bool has_succeeded(const struct vb_fuzz *w, unsigned int i)
{
	return __atomic_load_n(&w->ok[i], __ATOMIC_RELAXED);
}

static unsigned int first_without_success(const struct vb_fuzz *w)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ioctls); i++)
		if (!has_succeeded(w, i))
			break;
	return i;
}

/* Now and then one that never succeeded: some do so only when others have come before. */
static unsigned int choose_ioctl(struct vb_fuzzer *f)
{
	unsigned int i = first_without_success(f->w);

	if (i < ARRAY_SIZE(ioctls) && vb_fuzz_rarely(f, 4))
		return i;
	i = vb_fuzz_below(f, ARRAY_SIZE(ioctls));
	/* What takes everything down is rarer than what sets it up. */
	if (ioctls[i].request == VHOST_RESET_OWNER && !vb_fuzz_rarely(f, 8))
		return vb_fuzz_below(f, i);
	return i;
}

void vb_fuzz_ioctl(struct vb_fuzzer *f)
{
	unsigned int i = choose_ioctl(f);
	const struct fuzz_ioctl *io = &ioctls[i];
	unsigned long request = io->own ? random_request(f, io->request) : io->request;
	__u64 words[ARG_LEN / sizeof(__u64)];
	struct vhost_balloon_file *file = (void *)words;
	struct vhost_balloon_open *open = (void *)words;
	void *arg = words;

	f->doing = io->name;
	fill_arg(f, io, words);
	/* A number that was the victim's file's for a moment could be used by another thread. */
	if (io->request == VHOST_BALLOON_OPEN && open->id == atomic_load(&f->w->victim))
		return;
	if (io->size && vb_fuzz_rarely(f, 32))
		arg = (void *)(unsigned long)bad_pointer(f);
	vb_fuzz_add(f->w, VB_FUZZ_IOCTLS, 1);
	if (vb_ioctl(choose_file(f), request, arg))
		return;
	vb_fuzz_add(f->w, VB_FUZZ_IOCTLS_OK, 1);
	__atomic_add_fetch(&f->w->ok[i], 1, __ATOMIC_RELAXED);
	if (io->request == VHOST_BALLOON_GET_CONTROL)
		keep_own_control(f, file->fd);
	else if (io->request == VHOST_BALLOON_OPEN)
		keep_own_control(f, open->fd);
}

const char *vb_fuzz_failing(const struct vb_fuzz *w)
{
	unsigned int i = first_without_success(w);

	return i < ARRAY_SIZE(ioctls) ? ioctls[i].name : NULL;
}

/*
 * Looks at control files, or closes one. Another thread may close it meanwhile, and its number be
 * another file's: what is read, and doesn't wait, is a file of this thread's own.
 */
void vb_fuzz_controls(struct vb_fuzzer *f)
{
	struct pollfd pfd = { .events = POLLIN | POLLOUT };
	struct vhost_balloon_event event;
	size_t len = sizeof(event);

	f->doing = "control files";
	if (vb_fuzz_rarely(f, 8)) {
		keep_control(f, -1);
		return;
	}
	pfd.fd = dup(f->w->controls[vb_fuzz_below(f, VB_FUZZ_CONTROLS)]);
	if (pfd.fd < 0)
		return;
	poll(&pfd, 1, 0);
	if (vb_fuzz_rarely(f, 4))
		len = vb_fuzz_below(f, sizeof(event));
	if (!fcntl(pfd.fd, F_SETFL, O_NONBLOCK) && read(pfd.fd, &event, len) > 0)
		vb_fuzz_add(f->w, VB_FUZZ_EVENTS, 1);
	close(pfd.fd);
}

/* A balloon comes where there is none, or goes. */
void vb_fuzz_reopen(struct vb_fuzzer *f)
{
	unsigned int i = vb_fuzz_below(f, VB_FUZZ_NATIVE);
	int fd, none = -1;

	f->doing = "closing";
	if (f->w->balloons[i].fd >= 0) {
		if (vb_fuzz_rarely(f, 8))
			vb_fuzz_close_balloon(f->w, i);
		return;
	}
	f->doing = "opening";
	fd = vb_open();
	if (fd >= 0 && !__atomic_compare_exchange_n(&f->w->balloons[i].fd, &none, fd, false,
						    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		close(fd);
}
