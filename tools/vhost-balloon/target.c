// SPDX-License-Identifier: GPL-2.0
/*
 * From the size that a user asks for to the balloon's target.
 */
#include <stdio.h>

#include "target.h"

/* The guest reads num_pages as a le32. */
#define MAX_TARGET	UINT32_MAX

static enum target_error resolve(const struct size *size, uint64_t now, uint64_t *pages)
{
	uint64_t asked = size_pages(size);

	switch (size->sign) {
	case '+':
		if (__builtin_add_overflow(now, asked, pages))
			return TARGET_TOO_LARGE;
		break;
	case '-':
		if (asked > now)
			return TARGET_BELOW_ZERO;
		*pages = now - asked;
		break;
	default:
		*pages = asked;
	}
	return TARGET_OK;
}

static enum target_error plan_left(const struct size *size, const struct target_state *state,
				   uint64_t *target)
{
	enum target_error error;
	uint64_t left;

	if (!state->ram)
		return TARGET_RAM_UNKNOWN;
	error = resolve(size, target_left(state->ram, state->target), &left);
	if (error)
		return error;
	if (left > state->ram)
		return TARGET_BEYOND_RAM;
	*target = state->ram - left;
	return TARGET_OK;
}

static enum target_error plan_balloon(const struct size *size, const struct target_state *state,
				      uint64_t *target)
{
	enum target_error error = resolve(size, state->target, target);

	if (error)
		return error;
	if (state->ram && *target > state->ram)
		return TARGET_BEYOND_RAM;
	return TARGET_OK;
}

enum target_error target_plan(const struct target_request *req, const struct target_state *state,
			      uint64_t *target)
{
	enum target_error error;

	if (req->balloon)
		error = plan_balloon(&req->size, state, target);
	else
		error = plan_left(&req->size, state, target);
	if (error)
		return error;
	/* QMP balloon doesn't take 0 either: the guest would run out of memory on the way. */
	if (state->ram && *target == state->ram)
		return TARGET_NOTHING_LEFT;
	if (*target > MAX_TARGET)
		return TARGET_TOO_LARGE;
	return TARGET_OK;
}

static void explain_relative(char *buf, size_t len, const struct target_request *req,
			     const struct target_state *state, const char *wrong)
{
	char asked[SIZE_BUF], now[SIZE_BUF], ram[SIZE_BUF];
	uint64_t base = req->balloon ? state->target : target_left(state->ram, state->target);

	snprintf(buf, len, "%c%s is %s: %s %s, out of %s of RAM", req->size.sign,
		 size_format(asked, req->size.bytes), wrong,
		 req->balloon ? "the balloon's target is" : "the target leaves the guest with",
		 size_format_pages(now, base), size_format_pages(ram, state->ram));
}

static void explain_absolute(char *buf, size_t len, const struct target_request *req,
			     const struct target_state *state)
{
	char asked[SIZE_BUF], ram[SIZE_BUF];

	snprintf(buf, len, "%s%s is more than the guest's RAM, %s",
		 req->balloon ? "a balloon of " : "", size_format(asked, req->size.bytes),
		 size_format_pages(ram, state->ram));
}

void target_explain(char *buf, size_t len, enum target_error error,
		    const struct target_request *req, const struct target_state *state)
{
	switch (error) {
	case TARGET_OK:
		snprintf(buf, len, "nothing is wrong");
		break;
	case TARGET_RAM_UNKNOWN:
		snprintf(buf, len,
			 "the guest's RAM is not known yet (no VM is bound): --balloon SIZE works without");
		break;
	case TARGET_BEYOND_RAM:
		if (req->size.sign)
			explain_relative(buf, len, req, state, "too much");
		else
			explain_absolute(buf, len, req, state);
		break;
	case TARGET_NOTHING_LEFT:
		snprintf(buf, len, "that would leave the guest with nothing");
		break;
	case TARGET_BELOW_ZERO:
		explain_relative(buf, len, req, state, "more than there is");
		break;
	case TARGET_TOO_LARGE:
		snprintf(buf, len, "a balloon holds less than 16 TiB");
		break;
	}
}
