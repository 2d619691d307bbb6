/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VBALLOONCTL_PRIVILEGE_H
#define VBALLOONCTL_PRIVILEGE_H

#include <stdbool.h>

/* Has the caller CAP_SYS_ADMIN in the initial user namespace, so that it sees every balloon? */
bool privilege_sees_all(void);

#endif
