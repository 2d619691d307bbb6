// SPDX-License-Identifier: GPL-2.0
/*
 * Names of the counters: those of the enumeration, lower-cased, with dashes.
 */
#include <linux/vhost_balloon.h>

#include "words.h"

static const struct {
	const char *name;
	const char *text;
} counters[VHOST_BALLOON_NR_COUNTERS] = {
	[VHOST_BALLOON_C_KICKS] = { "kicks", "notifications by the guest" },
	[VHOST_BALLOON_C_PASSES] = { "passes", "times that a queue was worked on" },
	[VHOST_BALLOON_C_CHAINS] = { "chains", "descriptor chains completed" },
	[VHOST_BALLOON_C_SIGNALS] = { "signals", "interrupts to the guest" },
	[VHOST_BALLOON_C_SIGNALS_SUPPRESSED] = { "signals-suppressed",
		"interrupts that the guest didn't want" },
	[VHOST_BALLOON_C_MALFORMED] = { "malformed", "chains that made no sense" },
	[VHOST_BALLOON_C_BROKEN] = { "broken", "times that a queue broke" },
	[VHOST_BALLOON_C_FAULTS] = { "faults", "times that guest memory had to be faulted in" },
	[VHOST_BALLOON_C_INFLATED] = { "inflated", "pages that the guest gave" },
	[VHOST_BALLOON_C_DEFLATED] = { "deflated", "pages that the guest took back" },
	[VHOST_BALLOON_C_DUPLICATE] = { "duplicate", "pages named more than once in one batch" },
	[VHOST_BALLOON_C_DISCARD_OPS] = { "discard-ops", "operations it took to discard" },
	[VHOST_BALLOON_C_DISCARD_ANON] = { "discard-anon", "pages discarded: anonymous memory" },
	[VHOST_BALLOON_C_DISCARD_FILE] = { "discard-file",
		"pages discarded: private file mappings" },
	[VHOST_BALLOON_C_DISCARD_SHMEM] = { "discard-shmem",
		"pages discarded: memfd, tmpfs, shared anonymous" },
	[VHOST_BALLOON_C_DISCARD_HUGETLB] = { "discard-hugetlb", "pages discarded: hugetlbfs" },
	[VHOST_BALLOON_C_SKIP_NO_SLOT] = { "skip-no-slot", "pages skipped: no guest memory there" },
	[VHOST_BALLOON_C_SKIP_PRIVATE_SLOT] = { "skip-private-slot",
		"pages skipped: one of KVM's own slots" },
	[VHOST_BALLOON_C_SKIP_READONLY_SLOT] = { "skip-readonly-slot",
		"pages skipped: read-only slot" },
	[VHOST_BALLOON_C_SKIP_INVALID_SLOT] = { "skip-invalid-slot",
		"pages skipped: slot about to go away" },
	[VHOST_BALLOON_C_SKIP_GUEST_MEMFD] = { "skip-guest-memfd",
		"pages skipped: guest_memfd slot" },
	[VHOST_BALLOON_C_SKIP_UNMAPPED] = { "skip-unmapped",
		"pages skipped: nothing mapped there by the VMM" },
	[VHOST_BALLOON_C_SKIP_PFNMAP] = { "skip-pfnmap", "pages skipped: VM_PFNMAP" },
	[VHOST_BALLOON_C_SKIP_IO] = { "skip-io", "pages skipped: VM_IO" },
	[VHOST_BALLOON_C_SKIP_LOCKED] = { "skip-locked", "pages skipped: mlock'ed" },
	[VHOST_BALLOON_C_SKIP_NO_WRITE] = { "skip-no-write",
		"pages skipped: mapped without PROT_WRITE" },
	[VHOST_BALLOON_C_SKIP_VM_SEALED] = { "skip-vm-sealed", "pages skipped: mseal'ed" },
	[VHOST_BALLOON_C_SKIP_USERFAULTFD] = { "skip-userfaultfd",
		"pages skipped: registered with a userfaultfd" },
	[VHOST_BALLOON_C_SKIP_SECRETMEM] = { "skip-secretmem", "pages skipped: memfd_secret" },
	[VHOST_BALLOON_C_SKIP_DAX] = { "skip-dax", "pages skipped: DAX file" },
	[VHOST_BALLOON_C_SKIP_DEVICE] = { "skip-device", "pages skipped: memory of a driver" },
	[VHOST_BALLOON_C_SKIP_OTHER_FS] = { "skip-other-fs",
		"pages skipped: file of another filesystem" },
	[VHOST_BALLOON_C_SKIP_POISON] = { "skip-poison",
		"pages skipped: private file or report, while PAGE_POISON is on" },
	[VHOST_BALLOON_C_SKIP_FILE_SEALED] = { "skip-file-sealed",
		"pages skipped: a seal refused the hole" },
	[VHOST_BALLOON_C_SKIP_FILE_READONLY] = { "skip-file-readonly",
		"pages skipped: file opened read-only" },
	[VHOST_BALLOON_C_SKIP_HUGETLB_OFF] = { "skip-hugetlb-off",
		"pages skipped: hugetlbfs, not switched on" },
	[VHOST_BALLOON_C_SKIP_HUGETLB_PART] = { "skip-hugetlb-part",
		"pages skipped: only a part of a huge page" },
	[VHOST_BALLOON_C_SKIP_NO_ZAP] = { "skip-no-zap",
		"pages skipped: private memory, the kernel exports no zap" },
	[VHOST_BALLOON_C_SKIP_ERROR] = { "skip-error", "pages skipped: the operation failed" },
	[VHOST_BALLOON_C_REGION_ADD] = { "region-add", "memory regions that came" },
	[VHOST_BALLOON_C_REGION_DEL] = { "region-del", "memory regions that went" },
	[VHOST_BALLOON_C_REGION_COMMIT] = { "region-commit",
		"times that the regions were gone through" },
	[VHOST_BALLOON_C_REPORTED] = { "reported", "pages that the guest reported as free" },
	[VHOST_BALLOON_C_HINTED] = { "hinted", "pages that the guest hinted as free" },
	[VHOST_BALLOON_C_HINT_STALE] = { "hint-stale",
		"pages of hints ignored: not of the command id in force" },
	[VHOST_BALLOON_C_HINT_NO_REGION] = { "hint-no-region",
		"pages of hints ignored: no guest memory there" },
	[VHOST_BALLOON_C_HINT_COMMANDS_STALE] = { "hint-commands-stale",
		"command ids ignored: not the one in force" },
	[VHOST_BALLOON_C_STATS_SAMPLES] = { "stats-samples", "samples of statistics" },
	[VHOST_BALLOON_C_STATS_DROPPED] = { "stats-dropped",
		"statistics dropped: too many in one sample" },
	[VHOST_BALLOON_C_HUGETLB_GATHERED] = { "hugetlb-gathered",
		"pages kept in mind until their huge page is complete" },
	[VHOST_BALLOON_C_SKIP_PARTIAL] = { "skip-partial",
		"pages skipped: reported or hinted in part only" },
	[VHOST_BALLOON_C_SKIP_INHIBITED] = { "skip-inhibited",
		"pages skipped: the balloon is inhibited" },
	[VHOST_BALLOON_C_POPULATED] = { "populated", "pages populated when deflated" },
	[VHOST_BALLOON_C_POPULATE_FAILED] = { "populate-failed",
		"pages that could not be populated when deflated" },
};

const char *words_counter(unsigned int counter)
{
	return counters[counter].name;
}

const char *words_counter_text(unsigned int counter)
{
	return counters[counter].text;
}
