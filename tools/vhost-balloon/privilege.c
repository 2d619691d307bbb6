// SPDX-License-Identifier: GPL-2.0
/*
 * What the caller is privileged to do. Only for what messages say: the kernel decides.
 */
#include <inttypes.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "privilege.h"

static bool has_sys_admin(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { };

	if (syscall(SYS_capget, &header, data))
		return false;
	return data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN);
}

/* Only the initial user namespace maps all ids one to one. */
static bool in_initial_userns(void)
{
	uint32_t inside, outside, count;
	FILE *map;
	int nr;

	map = fopen("/proc/self/uid_map", "re");
	if (!map)
		return true;
	nr = fscanf(map, "%" SCNu32 " %" SCNu32 " %" SCNu32, &inside, &outside, &count);
	fclose(map);
	return nr == 3 && !inside && !outside && count == UINT32_MAX;
}

bool privilege_sees_all(void)
{
	return has_sys_admin() && in_initial_userns();
}
