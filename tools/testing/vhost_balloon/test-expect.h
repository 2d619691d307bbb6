/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Expectations of what unit tests and fuzzers share. The programs say what it means that one
 * isn't met: a failed test, or the end.
 */
#ifndef _TEST_EXPECT_H
#define _TEST_EXPECT_H

void vbt_failed(const char *file, int line, const char *format, ...)
	__attribute__((noreturn, format(printf, 3, 4)));

#define expect(expr) \
	((expr) ? (void)0 : vbt_failed(__FILE__, __LINE__, "not so: %s", #expr))

#define expect_eq(a, b) do {						\
	long long _a = (long long)(a), _b = (long long)(b);		\
									\
	if (_a != _b)							\
		vbt_failed(__FILE__, __LINE__, "%s is %lld (0x%llx), not %s: %lld (0x%llx)", \
			   #a, _a, _a, #b, _b, _b);			\
} while (0)

#endif /* _TEST_EXPECT_H */
