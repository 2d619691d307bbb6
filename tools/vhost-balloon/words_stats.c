// SPDX-License-Identifier: GPL-2.0
/*
 * Names of the guest's memory statistics: those of <linux/virtio_balloon.h>,
 * by number, as not every distribution's header has them all; and where the
 * guest itself shows the same.
 */
#include "vballoonctl.h"
#include "words.h"

static const struct stat_word stats[] = {
	[0] = { "swap-in", true, "swapped in (pswpin)" },
	[1] = { "swap-out", true, "swapped out (pswpout)" },
	[2] = { "major-faults", false, "page faults that waited for a disk (pgmajfault)" },
	[3] = { "minor-faults", false, "page faults (pgfault)" },
	[4] = { "free-memory", true, "not used for anything (MemFree)" },
	[5] = { "total-memory", true, "what the guest has (MemTotal)" },
	[6] = { "available-memory", true, "what programs can have without swapping (MemAvailable)" },
	[7] = { "disk-caches", true, "page cache (Cached, Buffers)" },
	[8] = { "hugetlb-allocations", false, "huge pages allocated (htlb_buddy_alloc_success)" },
	[9] = { "hugetlb-failures", false, "huge pages not to be had (htlb_buddy_alloc_fail)" },
	[10] = { "oom-kills", false, "processes killed for lack of memory (oom_kill)" },
	[11] = { "alloc-stalls", false, "allocations that had to wait for reclaim (allocstall)" },
	[12] = { "async-scans", true, "scanned in the background (pgscan_kswapd)" },
	[13] = { "direct-scans", true, "scanned by who needs memory (pgscan_direct)" },
	[14] = { "async-reclaims", true, "reclaimed in the background (pgsteal_kswapd)" },
	[15] = { "direct-reclaims", true, "reclaimed by who needs memory (pgsteal_direct)" },
};

const struct stat_word *words_stat(unsigned int tag)
{
	return tag < ARRAY_SIZE(stats) ? &stats[tag] : NULL;
}
