// SPDX-License-Identifier: GPL-2.0
/*
 * The numbers of the ioctl interface, in words.
 */
#include <stdio.h>
#include <string.h>

#include <linux/vhost_balloon.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "vballoonctl.h"
#include "words.h"

/* The header defines flags as masks, the tables go by bit number. */
#define BIT_OF(mask)	((unsigned int)__builtin_ctzll(mask))
#define FEATURE(bit)	{ bit, #bit, NULL }

const struct bit_word words_info_flags[] = {
	{ BIT_OF(VHOST_BALLOON_INFO_VDPA), "vdpa", "a vDPA device" },
	{ BIT_OF(VHOST_BALLOON_INFO_OWNED), "owned", "a process owns it" },
	{ BIT_OF(VHOST_BALLOON_INFO_RUNNING), "running", "the VMM has started the queues" },
	{ BIT_OF(VHOST_BALLOON_INFO_WORKER_KILLED), "worker-killed",
	  "the worker died with its process, nothing is served any more" },
	{ BIT_OF(VHOST_BALLOON_INFO_MANY_VMS), "many-vms",
	  "the owner has several VMs, so none was bound" },
	{ BIT_OF(VHOST_BALLOON_INFO_NO_ZAP), "no-zap",
	  "this kernel exports no zap: private memory is not given back" },
	{ BIT_OF(VHOST_BALLOON_INFO_ABOVE_16T), "above-16t",
	  "some guest memory lies where 32-bit page numbers don't reach" },
	{ BIT_OF(VHOST_BALLOON_INFO_INHIBITED), "inhibited",
	  "requests are acknowledged, and nothing is given back" },
	{ BIT_OF(VHOST_BALLOON_INFO_NO_INLINE), "no-inline",
	  "this kernel lets no queue be served on the thread that kicked" },
	{ }
};

const struct bit_word words_region_flags[] = {
	{ BIT_OF(VHOST_BALLOON_REGION_DISCARDABLE), "discardable", NULL },
	{ BIT_OF(VHOST_BALLOON_REGION_READONLY), "readonly", NULL },
	{ BIT_OF(VHOST_BALLOON_REGION_GUEST_MEMFD), "guest-memfd", NULL },
	{ BIT_OF(VHOST_BALLOON_REGION_ABOVE_16T), "above-16t", NULL },
	{ }
};

const struct bit_word words_event_flags[] = {
	{ BIT_OF(VHOST_BALLOON_EVENT_ACTUAL), "actual", NULL },
	{ BIT_OF(VHOST_BALLOON_EVENT_TARGET_REACHED), "target-reached", NULL },
	{ BIT_OF(VHOST_BALLOON_EVENT_BROKEN), "broken", NULL },
	{ BIT_OF(VHOST_BALLOON_EVENT_STARTED), "started", NULL },
	{ BIT_OF(VHOST_BALLOON_EVENT_STOPPED), "stopped", NULL },
	{ BIT_OF(VHOST_BALLOON_EVENT_GONE), "gone", NULL },
	{ BIT_OF(VHOST_BALLOON_EVENT_TARGET), "target", NULL },
	{ BIT_OF(VHOST_BALLOON_EVENT_STATS), "stats", NULL },
	{ BIT_OF(VHOST_BALLOON_EVENT_HINT), "hint", NULL },
	{ BIT_OF(VHOST_BALLOON_EVENT_INHIBIT), "inhibit", NULL },
	{ }
};

const struct bit_word words_features[] = {
	FEATURE(VIRTIO_BALLOON_F_MUST_TELL_HOST),
	FEATURE(VIRTIO_BALLOON_F_STATS_VQ),
	FEATURE(VIRTIO_BALLOON_F_DEFLATE_ON_OOM),
	FEATURE(VIRTIO_BALLOON_F_FREE_PAGE_HINT),
	FEATURE(VIRTIO_BALLOON_F_PAGE_POISON),
	FEATURE(VIRTIO_BALLOON_F_REPORTING),
	FEATURE(VIRTIO_F_NOTIFY_ON_EMPTY),
	FEATURE(VHOST_F_LOG_ALL),
	FEATURE(VIRTIO_F_ANY_LAYOUT),
	FEATURE(VIRTIO_RING_F_INDIRECT_DESC),
	FEATURE(VIRTIO_RING_F_EVENT_IDX),
	FEATURE(VIRTIO_F_VERSION_1),
	FEATURE(VIRTIO_F_ACCESS_PLATFORM),
	FEATURE(VIRTIO_F_RING_PACKED),
	FEATURE(VIRTIO_F_ORDER_PLATFORM),
	FEATURE(VIRTIO_F_SR_IOV),
	FEATURE(VIRTIO_F_RING_RESET),
	{ }
};

const struct bit_word words_tunables[] = {
	{ BIT_OF(VHOST_BALLOON_TUNE_HUGETLB), "hugetlb", "give back whole huge pages of hugetlbfs" },
	{ BIT_OF(VHOST_BALLOON_TUNE_POPULATE), "populate",
	  "have pages there before the guest uses them again" },
	{ BIT_OF(VHOST_BALLOON_TUNE_INLINE), "inline", "serve queues on the thread that kicked" },
	{ BIT_OF(VHOST_BALLOON_TUNE_THP), "thp", "give back transparent huge pages as a whole" },
	{ }
};

const struct bit_word words_inhibit[] = {
	{ BIT_OF(VHOST_BALLOON_INHIBIT_BACKEND), "backend", "the VMM wants it" },
	{ BIT_OF(VHOST_BALLOON_INHIBIT_CONTROLLER), "controller", "a controller wants it" },
	{ BIT_OF(VHOST_BALLOON_INHIBIT_ASSIGNED_DEVICE), "assigned-device",
	  "the VM has an assigned device" },
	{ BIT_OF(VHOST_BALLOON_INHIBIT_PINNED), "pinned", "the VMM has memory pinned" },
	{ }
};

const struct bit_word *words_find_bit(const struct bit_word *words, unsigned int bit)
{
	for (; words->name; words++) {
		if (words->bit == bit)
			return words;
	}
	return NULL;
}

const struct bit_word *words_find_name(const struct bit_word *words, const char *name)
{
	for (; words->name; words++) {
		if (!strcmp(words->name, name))
			return words;
	}
	return NULL;
}

const char *words_bit(char *buf, const struct bit_word *words, unsigned int bit)
{
	const struct bit_word *word = words_find_bit(words, bit);

	if (word)
		return word->name;
	snprintf(buf, WORD_BUF, "bit-%u", bit);
	return buf;
}

const char *words_flags(char *buf, size_t len, const struct bit_word *words, uint64_t flags)
{
	char word[WORD_BUF];
	unsigned int bit;
	size_t used = 0;

	buf[0] = '\0';
	for (bit = 0; bit < 64 && used < len; bit++) {
		if (flags & (1ULL << bit))
			used += snprintf(buf + used, len - used, "%s%s", used ? ", " : "",
					 words_bit(word, words, bit));
	}
	return buf;
}

static const char *lookup(char *buf, const char *const *table, size_t nr, unsigned int value)
{
	if (value < nr)
		return table[value];
	snprintf(buf, WORD_BUF, "unknown (%u)", value);
	return buf;
}

const char *words_role(char *buf, unsigned int role)
{
	static const char *const table[] = {
		[VHOST_BALLOON_ROLE_INFLATE]	= "inflate",
		[VHOST_BALLOON_ROLE_DEFLATE]	= "deflate",
		[VHOST_BALLOON_ROLE_STATS]	= "stats",
		[VHOST_BALLOON_ROLE_HINT]	= "hint",
		[VHOST_BALLOON_ROLE_REPORT]	= "report",
	};

	if (role == VHOST_BALLOON_ROLE_NONE)
		return "none";
	return lookup(buf, table, ARRAY_SIZE(table), role);
}

const char *words_broken(char *buf, unsigned int broken)
{
	static const char *const table[] = {
		[VHOST_BALLOON_BROKEN_NO]		= "not broken",
		[VHOST_BALLOON_BROKEN_AVAIL_INDEX]	= "available index too far ahead",
		[VHOST_BALLOON_BROKEN_HEAD]		= "head beyond the end of the ring",
		[VHOST_BALLOON_BROKEN_NEXT]		= "next descriptor outside of its table",
		[VHOST_BALLOON_BROKEN_LOOP]		= "chain longer than its table",
		[VHOST_BALLOON_BROKEN_INDIRECT]		= "bad indirect table",
		[VHOST_BALLOON_BROKEN_RING_ACCESS]	= "ring can't be read or written",
		[VHOST_BALLOON_BROKEN_CHAIN_SIZE]	= "chain of more than 2^20 page numbers",
	};

	return lookup(buf, table, ARRAY_SIZE(table), broken);
}

const char *words_source(char *buf, unsigned int source)
{
	static const char *const table[] = {
		[VHOST_BALLOON_SOURCE_NONE]	= "none",
		[VHOST_BALLOON_SOURCE_MEMSLOTS]	= "memslots",
		[VHOST_BALLOON_SOURCE_MEMTABLE]	= "memtable",
		[VHOST_BALLOON_SOURCE_IOTLB]	= "iotlb",
	};

	return lookup(buf, table, ARRAY_SIZE(table), source);
}

const char *words_backing(char *buf, unsigned int backing)
{
	static const char *const table[] = {
		[VHOST_BALLOON_BACKING_UNKNOWN]	= "unknown",
		[VHOST_BALLOON_BACKING_ANON]	= "anon",
		[VHOST_BALLOON_BACKING_FILE]	= "file",
		[VHOST_BALLOON_BACKING_SHMEM]	= "shmem",
		[VHOST_BALLOON_BACKING_HUGETLB]	= "hugetlb",
		[VHOST_BALLOON_BACKING_OTHER]	= "other",
	};

	return lookup(buf, table, ARRAY_SIZE(table), backing);
}

const char *words_hint_state(char *buf, unsigned int state)
{
	static const char *const table[] = {
		[VHOST_BALLOON_HINT_IDLE]	= "idle",
		[VHOST_BALLOON_HINT_REQUESTED]	= "requested",
		[VHOST_BALLOON_HINT_RUNNING]	= "running",
		[VHOST_BALLOON_HINT_REPORTED]	= "reported",
		[VHOST_BALLOON_HINT_STOPPED]	= "stopped",
		[VHOST_BALLOON_HINT_DONE]	= "done",
	};

	return lookup(buf, table, ARRAY_SIZE(table), state);
}
