// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of everything in vballoonctl that needs no balloon. Prints TAP.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/vhost_balloon.h>
#include <linux/virtio_balloon.h>

#include "inhibit.h"
#include "number.h"
#include "progress.h"
#include "size.h"
#include "spec.h"
#include "target.h"
#include "vballoonctl.h"
#include "words.h"
#include "tests/unit.h"

/* Pages of 4 KiB in so many MiB. */
#define PAGES(mib)	((mib) * 256ULL)

static bool failed;	/* the test that runs */

void expect(bool ok, const char *format, ...)
{
	va_list ap;

	if (ok)
		return;
	failed = true;
	va_start(ap, format);
	printf("# ");
	vprintf(format, ap);
	putchar('\n');
	va_end(ap);
}

static void test_size_parse(void)
{
	static const struct {
		const char *text;
		char sign;
		uint64_t bytes;
	} good[] = {
		{ "512M", 0, 512 * MIB },
		{ "2G", 0, 2 * GIB },
		{ "+256M", '+', 256 * MIB },
		{ "-1G", '-', GIB },
		{ "-1GiB", '-', GIB },
		{ "1g", 0, GIB },
		{ "3T", 0, 3 * TIB },
		{ "7K", 0, 7 * KIB },
		{ "4096B", 0, 4096 },
		{ "0", 0, 0 },
		{ "0M", 0, 0 },
		{ "536870912", 0, 512 * MIB },
		{ "1.5G", 0, 1536 * MIB },
		{ "0.000001T", 0, 1099511 },
		{ "18446744073709551615B", 0, UINT64_MAX },
		{ "16777215.999999T", 0, 18446744073708452104ULL },
	};
	const char *wrong;
	struct size size;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		wrong = size_parse(good[i].text, &size);
		expect(!wrong, "%s: %s", good[i].text, wrong);
		expect(size.sign == good[i].sign, "%s: sign %c", good[i].text, size.sign);
		expect(size.bytes == good[i].bytes, "%s: %llu bytes", good[i].text,
		       (unsigned long long)size.bytes);
	}
}

static void test_size_parse_bad(void)
{
	static const char *const bad[] = {
		"", "-", "+", "M", "-M", "+-1G", "--1G", "1X", "1MB", "1 M", "1M ", "1G1", "0x10M",
		"512", "+256", "-1", "1048575", "1.5", "1.G", ".5G", "1.1234567G", "1.5.5G",
		"18446744073709551616", "16777216T", "99999999999999999999G", "nan", "1e9",
	};
	struct size size;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		expect(size_parse(bad[i], &size), "'%s' was taken", bad[i]);
}

static void test_size_pages(void)
{
	static const struct {
		uint64_t bytes, pages;
	} cases[] = {
		{ 0, 0 }, { 1, 1 }, { 4095, 1 }, { 4096, 1 }, { 4097, 2 }, { MIB, 256 },
		{ UINT64_MAX, 1ULL << 52 },
	};
	struct size size = { };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		size.bytes = cases[i].bytes;
		expect(size_pages(&size) == cases[i].pages, "%llu bytes: %llu pages",
		       (unsigned long long)cases[i].bytes, (unsigned long long)size_pages(&size));
	}
}

static void test_size_format(void)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0 B" },
		{ 1, "1 B" },
		{ 1023, "1023 B" },
		{ KIB, "1 KiB" },
		{ 1536, "1536 B" },
		{ 4 * KIB, "4 KiB" },
		{ 512 * MIB, "512 MiB" },
		{ 512 * MIB - 4 * KIB, "512.0 MiB" },
		{ 1536 * MIB, "1536 MiB" },
		{ 2 * GIB, "2 GiB" },
		{ 2 * GIB + 4 * KIB, "2048.0 MiB" },
		{ 20 * GIB + 512 * MIB, "20.5 GiB" },
		{ TIB, "1 TiB" },
		{ UINT64_MAX, "16777216.0 TiB" },
	};
	char buf[SIZE_BUF];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		expect(!strcmp(size_format(buf, cases[i].bytes), cases[i].text), "%llu: %s",
		       (unsigned long long)cases[i].bytes, buf);
}

static void test_spec(void)
{
	static const struct {
		const char *text;
		int kind;
		uint64_t number;
	} good[] = {
		{ "1", SPEC_ID, 1 },
		{ "18446744073709551615", SPEC_ID, UINT64_MAX },
		{ "pid:4711", SPEC_PID, 4711 },
		{ "vm0", SPEC_NAME, 0 },
		{ "0x1", SPEC_NAME, 0 },
		{ "-1", SPEC_NAME, 0 },
		{ "pid", SPEC_NAME, 0 },
	};
	static const char *const bad[] = {
		"", "0", "18446744073709551616", "pid:", "pid:0", "pid:x", "pid:-1", "pid:2147483648",
	};
	struct spec spec;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		expect(!spec_parse(good[i].text, &spec), "%s was refused", good[i].text);
		expect((int)spec.kind == good[i].kind && spec.number == good[i].number,
		       "%s: kind %d, number %llu", good[i].text, spec.kind,
		       (unsigned long long)spec.number);
		expect(!strcmp(spec.text, good[i].text), "%s became %s", good[i].text, spec.text);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		expect(spec_parse(bad[i], &spec), "'%s' was taken", bad[i]);
}

/* A case of target_plan(): RAM and target before are in MiB, the result in pages. */
struct plan_case {
	const char *size;
	unsigned int ram, before;
	enum target_error error;
	uint64_t target;
};

static void check_plans(const struct plan_case *cases, size_t nr, bool balloon)
{
	struct target_request req = { .balloon = balloon };
	struct target_state state;
	enum target_error error;
	uint64_t target;
	size_t i;

	for (i = 0; i < nr; i++, cases++) {
		state.ram = PAGES(cases->ram);
		state.target = PAGES(cases->before);
		expect(!size_parse(cases->size, &req.size), "%s was refused", cases->size);
		target = 0;
		error = target_plan(&req, &state, &target);
		expect(error == cases->error, "%s of %u, %u before: error %d", cases->size,
		       cases->ram, cases->before, error);
		if (!error)
			expect(target == cases->target, "%s of %u, %u before: target %llu",
			       cases->size, cases->ram, cases->before,
			       (unsigned long long)target);
	}
}

static void test_plan_left(void)
{
	static const struct plan_case cases[] = {
		{ "256M", 512, 0, TARGET_OK, PAGES(256) },
		{ "256M", 512, 100, TARGET_OK, PAGES(256) },
		{ "512M", 512, 256, TARGET_OK, 0 },
		{ "1B", 512, 0, TARGET_OK, PAGES(512) - 1 },
		{ "+100M", 512, 256, TARGET_OK, PAGES(156) },
		{ "-100M", 512, 256, TARGET_OK, PAGES(356) },
		{ "+256M", 512, 256, TARGET_OK, 0 },
		{ "+100M", 512, 600, TARGET_OK, PAGES(412) },
		{ "513M", 512, 0, TARGET_BEYOND_RAM, 0 },
		{ "+1M", 512, 0, TARGET_BEYOND_RAM, 0 },
		{ "0", 512, 0, TARGET_NOTHING_LEFT, 0 },
		{ "-512M", 512, 0, TARGET_NOTHING_LEFT, 0 },
		{ "-513M", 512, 0, TARGET_BELOW_ZERO, 0 },
		{ "256M", 0, 0, TARGET_RAM_UNKNOWN, 0 },
		{ "1M", 32 << 20, 0, TARGET_TOO_LARGE, 0 },
	};

	check_plans(cases, ARRAY_SIZE(cases), false);
}

static void test_plan_balloon(void)
{
	static const struct plan_case cases[] = {
		{ "256M", 512, 0, TARGET_OK, PAGES(256) },
		{ "0", 512, 256, TARGET_OK, 0 },
		{ "5000B", 512, 256, TARGET_OK, 2 },
		{ "+10M", 512, 256, TARGET_OK, PAGES(266) },
		{ "-10M", 512, 256, TARGET_OK, PAGES(246) },
		{ "256M", 0, 0, TARGET_OK, PAGES(256) },
		{ "513M", 512, 0, TARGET_BEYOND_RAM, 0 },
		{ "512M", 512, 0, TARGET_NOTHING_LEFT, 0 },
		{ "-10M", 512, 5, TARGET_BELOW_ZERO, 0 },
		{ "16T", 0, 0, TARGET_TOO_LARGE, 0 },
	};

	check_plans(cases, ARRAY_SIZE(cases), true);
}

static void test_explain(void)
{
	const struct target_state state = { .ram = PAGES(512), .target = PAGES(128) };
	struct target_request req = { };
	char text[256];

	size_parse("1G", &req.size);
	target_explain(text, sizeof(text), TARGET_BEYOND_RAM, &req, &state);
	expect(!strcmp(text, "1 GiB is more than the guest's RAM, 512 MiB"), "%s", text);
	size_parse("-400M", &req.size);
	target_explain(text, sizeof(text), TARGET_BELOW_ZERO, &req, &state);
	expect(strstr(text, "-400 MiB") && strstr(text, "384 MiB"), "%s", text);
	req.balloon = true;
	target_explain(text, sizeof(text), TARGET_BELOW_ZERO, &req, &state);
	expect(strstr(text, "128 MiB"), "%s", text);
}

static void test_counter_words(void)
{
	unsigned int i, j;

	for (i = 0; i < VHOST_BALLOON_NR_COUNTERS; i++) {
		if (!words_counter(i) || !words_counter_text(i)) {
			expect(false, "counter %u has no name", i);
			return;
		}
		expect(!strpbrk(words_counter(i), "_ ABCDEFGHIJKLMNOPQRSTUVWXYZ"), "%s",
		       words_counter(i));
		for (j = 0; j < i; j++)
			expect(strcmp(words_counter(i), words_counter(j)), "%s twice",
			       words_counter(i));
	}
}

static void test_enum_words(void)
{
	char buf[WORD_BUF];

	expect(!strcmp(words_role(buf, VHOST_BALLOON_ROLE_REPORT), "report"), "report");
	expect(!strcmp(words_role(buf, 99), "unknown (99)"), "role 99: %s", buf);
	expect(!strcmp(words_role(buf, VHOST_BALLOON_ROLE_NONE), "none"), "no role");
	expect(!strcmp(words_hint_state(buf, VHOST_BALLOON_HINT_DONE), "done"), "done");
	expect(!strcmp(words_hint_state(buf, 6), "unknown (6)"), "hint state 6: %s", buf);
	expect(!strcmp(words_broken(buf, VHOST_BALLOON_BROKEN_LOOP),
		       "chain longer than its table"), "loop");
	expect(!strcmp(words_broken(buf, 8), "unknown (8)"), "broken 8: %s", buf);
	expect(!strcmp(words_source(buf, VHOST_BALLOON_SOURCE_IOTLB), "iotlb"), "iotlb");
	expect(!strcmp(words_backing(buf, VHOST_BALLOON_BACKING_SHMEM), "shmem"), "shmem");
}

static void test_flag_words(void)
{
	char buf[WORD_BUF];

	words_flags(buf, sizeof(buf), words_event_flags,
		    VHOST_BALLOON_EVENT_ACTUAL | VHOST_BALLOON_EVENT_GONE | 1U << 20);
	expect(!strcmp(buf, "actual, gone, bit-20"), "%s", buf);
	words_flags(buf, sizeof(buf), words_event_flags, 0);
	expect(!*buf, "no flags: %s", buf);
	words_flags(buf, 10, words_info_flags, ~0ULL);
	expect(strlen(buf) == 9, "cut: %s", buf);
	expect(!strcmp(words_bit(buf, words_features, VIRTIO_BALLOON_F_REPORTING),
		       "VIRTIO_BALLOON_F_REPORTING"), "feature");
	expect(!strcmp(words_bit(buf, words_features, 26), "VHOST_F_LOG_ALL"), "feature 26");
	expect(!strcmp(words_bit(buf, words_features, 63), "bit-63"), "feature 63: %s", buf);
	words_flags(buf, sizeof(buf), words_event_flags, VHOST_BALLOON_EVENT_STATS |
		    VHOST_BALLOON_EVENT_HINT | VHOST_BALLOON_EVENT_INHIBIT);
	expect(!strcmp(buf, "stats, hint, inhibit"), "%s", buf);
	expect(words_find_name(words_tunables, "hugetlb"), "hugetlb");
	expect(words_find_name(words_tunables, "populate"), "populate");
	expect(!words_find_name(words_tunables, "huge"), "huge");
}

static void test_progress(void)
{
	struct progress p;

	progress_start(&p, PAGES(0), PAGES(100), 10);
	expect(progress_percent(&p) == 0, "start: %u %%", progress_percent(&p));
	progress_update(&p, PAGES(10), 10.5);
	expect(p.rate == PAGES(20), "first rate: %g", p.rate);
	progress_update(&p, PAGES(50), 12);
	expect(p.rate == PAGES(25), "rate: %g", p.rate);
	expect(progress_percent(&p) == 50, "half: %u %%", progress_percent(&p));
	progress_update(&p, PAGES(100), 14);
	expect(progress_percent(&p) == 100, "end: %u %%", progress_percent(&p));
	progress_finish(&p, 20);
	expect(p.rate == PAGES(10), "average: %g", p.rate);

	progress_start(&p, PAGES(100), PAGES(20), 0);
	progress_update(&p, PAGES(40), 1);
	expect(progress_percent(&p) == 75, "deflate: %u %%", progress_percent(&p));
	progress_update(&p, PAGES(200), 2);
	expect(progress_percent(&p) == 0, "wrong way: %u %%", progress_percent(&p));
	progress_start(&p, PAGES(5), PAGES(5), 0);
	expect(progress_percent(&p) == 100, "nothing to do: %u %%", progress_percent(&p));
}

static void test_progress_render(void)
{
	char buf[PROGRESS_BUF];
	unsigned int width;
	struct progress p;

	progress_start(&p, 0, PAGES(256), 0);
	progress_update(&p, PAGES(128), 2);
	expect(!strcmp(progress_render(buf, &p, 0),
		       " 50 %  actual 128 MiB, target 256 MiB, 64 MiB/s"), "'%s'", buf);
	expect(strstr(progress_render(buf, &p, 200),
		      "[###################...................] "), "'%s'", buf);
	for (width = 1; width < 200; width++) {
		progress_render(buf, &p, width);
		expect(strlen(buf) < width || width == 1, "%u columns: '%s'", width, buf);
	}
	p.stopped = true;
	expect(strstr(progress_render(buf, &p, 80), "stopped"), "'%s'", buf);
}

static void test_number(void)
{
	static const struct {
		const char *text;
		uint64_t min, max, number;
	} good[] = {
		{ "0", 0, 10, 0 },
		{ "10", 0, 10, 10 },
		{ "0007", 1, 10, 7 },
		{ "18446744073709551615", 0, UINT64_MAX, UINT64_MAX },
	};
	static const char *const bad[] = {
		"", "0", "11", "-1", "+1", " 1", "1 ", "1s", "0x1", "1.0", "18446744073709551616",
		"18446744073709551621",
	};
	uint64_t number;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		expect(number_parse(good[i].text, good[i].min, good[i].max, &number) &&
		       number == good[i].number, "%s", good[i].text);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		expect(!number_parse(bad[i], 1, 10, &number), "'%s' was taken", bad[i]);
}

static void test_stat_words(void)
{
	static const struct {
		unsigned int tag;
		const char *name;
		bool amount;
	} cases[] = {
		{ VIRTIO_BALLOON_S_SWAP_IN, "swap-in", true },
		{ VIRTIO_BALLOON_S_SWAP_OUT, "swap-out", true },
		{ VIRTIO_BALLOON_S_MAJFLT, "major-faults", false },
		{ VIRTIO_BALLOON_S_MINFLT, "minor-faults", false },
		{ VIRTIO_BALLOON_S_MEMFREE, "free-memory", true },
		{ VIRTIO_BALLOON_S_MEMTOT, "total-memory", true },
		{ VIRTIO_BALLOON_S_AVAIL, "available-memory", true },
		{ VIRTIO_BALLOON_S_CACHES, "disk-caches", true },
		{ VIRTIO_BALLOON_S_HTLB_PGALLOC, "hugetlb-allocations", false },
		{ VIRTIO_BALLOON_S_HTLB_PGFAIL, "hugetlb-failures", false },
		/* Of newer headers. */
		{ 10, "oom-kills", false },
		{ 11, "alloc-stalls", false },
		{ 12, "async-scans", true },
		{ 13, "direct-scans", true },
		{ 14, "async-reclaims", true },
		{ 15, "direct-reclaims", true },
	};
	const struct stat_word *word;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		word = words_stat(cases[i].tag);
		expect(word && !strcmp(word->name, cases[i].name) && *word->text &&
		       word->amount == cases[i].amount, "tag %u", cases[i].tag);
	}
	expect(!words_stat(16) && !words_stat(UINT16_MAX), "tags that nobody knows");
}

static void test_inhibit(void)
{
	struct vhost_balloon_info info = { .inhibit = VHOST_BALLOON_INHIBIT_PINNED };
	char buf[INHIBIT_BUF];

	expect(!strcmp(inhibit_text(buf, &info), "pinned"), "%s", buf);
	info.inhibit |= VHOST_BALLOON_INHIBIT_BACKEND | VHOST_BALLOON_INHIBIT_CONTROLLER | 1U << 31;
	memcpy(info.reason_backend, "migration, \"fast\"", 18);
	memcpy(info.reason_controller, "debugging", 10);
	expect(!strcmp(inhibit_text(buf, &info),
		       "backend \"migration, \"fast\"\", controller \"debugging\", pinned, bit-31"),
	       "%s", buf);
	info.inhibit = 0;
	expect(!*inhibit_text(buf, &info), "%s", buf);
	info.inhibit = ~0U;
	expect(strlen(inhibit_text(buf, &info)) == INHIBIT_BUF - 1, "cut: %s", buf);
}

static void test_inhibit_reason(void)
{
	static const char *const good[] = {
		"x", " ", "~", "live migration to host-2", "12345678901234567890123456789012",
	};
	static const char *const bad[] = {
		"", "123456789012345678901234567890123", "two\nlines", "tab\t", "\x7f", "\xc3\xa9",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++)
		expect(!inhibit_check_reason(good[i]), "'%s' was refused", good[i]);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		expect(inhibit_check_reason(bad[i]), "'%s' was taken", bad[i]);
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "size: parse", test_size_parse },
	{ "size: refuse", test_size_parse_bad },
	{ "size: pages", test_size_pages },
	{ "size: format", test_size_format },
	{ "spec: number, name, pid", test_spec },
	{ "target: what the guest is left with", test_plan_left },
	{ "target: what the balloon holds", test_plan_balloon },
	{ "target: errors in words", test_explain },
	{ "words: every counter has its name", test_counter_words },
	{ "words: enumerations", test_enum_words },
	{ "words: flags", test_flag_words },
	{ "words: statistics by tag", test_stat_words },
	{ "number: limits", test_number },
	{ "inhibit: why, in words", test_inhibit },
	{ "inhibit: reasons", test_inhibit_reason },
	{ "hints: whole words of all regions are fetched once", test_hint_plan },
	{ "hints: pieces are no larger than an ioctl takes", test_hint_pieces },
	{ "hints: bits become ranges", test_hint_bits },
	{ "hints: ranges go on over the borders of pieces", test_hint_borders },
	{ "hints: any number of ranges", test_hint_many },
	{ "progress: percent and rate", test_progress },
	{ "progress: rendering fits the terminal", test_progress_render },
};

int main(void)
{
	int code = EXIT_SUCCESS;
	size_t i;

	printf("1..%zu\n", ARRAY_SIZE(tests));
	for (i = 0; i < ARRAY_SIZE(tests); i++) {
		failed = false;
		tests[i].run();
		printf("%s %zu %s\n", failed ? "not ok" : "ok", i + 1, tests[i].name);
		if (failed)
			code = EXIT_FAILURE;
	}
	return code;
}
