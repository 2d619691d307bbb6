// SPDX-License-Identifier: GPL-2.0
/*
 * Runs inputs through a fuzz target, without libFuzzer: so that each that ever failed is a
 * test, and any compiler will do.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

/* Longer inputs than libFuzzer makes. */
#define INPUT_MAX	65536

static void replay(const char *path)
{
	uint8_t buf[INPUT_MAX], *data;
	FILE *f = fopen(path, "rb");
	size_t size;

	if (!f) {
		perror(path);
		exit(1);
	}
	size = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	/* Exactly as long as it is, for an overrun to be noticed. */
	data = malloc(size ? size : 1);
	if (!data)
		abort();
	memcpy(data, buf, size);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	int i;

	setvbuf(stdout, NULL, _IONBF, 0);
	/* What doesn't come to an end is killed. */
	alarm(600);
	puts("1..1");
	for (i = 1; i < argc; i++) {
		printf("# %s\n", argv[i]);
		replay(argv[i]);
	}
	if (argc < 2)
		puts("not ok 1 - no inputs");
	else
		printf("ok 1 - %s\n", slash ? slash + 1 : argv[0]);
	return argc < 2;
}
