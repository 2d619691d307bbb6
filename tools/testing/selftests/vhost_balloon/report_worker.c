// SPDX-License-Identifier: GPL-2.0
/*
 * The same as report.c where no queue is served on the thread that kicked: all is done by the
 * worker, and comes out the same.
 */
#define SERVED_BY_WORKER 1
#include "report.c"
