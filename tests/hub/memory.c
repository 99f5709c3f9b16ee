/*
 * O-MEM for shell scripts: how often a piece of one of these files is in the memory of a process,
 * which stands still meanwhile. Of a picture it is a piece out of the middle; of a key, which is
 * short, the beginning.
 *
 *     memory BYTES PID FILE...     says the number; 32 files at most
 */
#include "tests/oracles/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX_BYTES = 8 << 20 };

/* A canary lies behind the middle of what it is taken from, so a short file is put there. */
static int keep(const char *path, size_t piece)
{
	static uint8_t file[FILE_MAX_BYTES];
	FILE *f = fopen(path, "rbe");
	if (f == NULL) {
		return -errno;
	}
	size_t size = fread(file, 1, sizeof(file), f);
	(void)fclose(f);
	if (size < piece) {
		return -EINVAL;
	}
	if (size / 2 <= CANARY_LONG_BYTES) {
		uint8_t padded[2 * CANARY_LONG_BYTES + 2] = {0};
		size_t room = sizeof(padded) / 2;
		memcpy(padded + room, file, size < room ? size : room);
		canary_keep(0, padded, sizeof(padded));
		explicit_bzero(padded, sizeof(padded));
	} else {
		canary_keep(0, file, size);
	}
	explicit_bzero(file, size);
	return 0;
}

int main(int argc, char **argv)
{
	char *end = NULL;
	size_t piece = argc > 3 ? strtoul(argv[1], &end, 10) : 0;
	if (argc <= 3 || argc - 3 > CANARIES_MAX || *end != 0 || piece < CANARY_SHORT_BYTES ||
		piece > CANARY_LONG_BYTES) {
		(void)fprintf(stderr, "usage: memory BYTES PID FILE... (%d to %d bytes)\n",
			CANARY_SHORT_BYTES, CANARY_LONG_BYTES);
		return 2;
	}
	for (int i = 3; i < argc; i++) {
		int error = keep(argv[i], piece);
		if (error != 0) {
			(void)fprintf(stderr, "memory: %s: %s\n", argv[i], strerror(-error));
			return 1;
		}
	}
	int found = memory_search((pid_t)strtol(argv[2], NULL, 10), piece,
		(struct canary_owner){.which = CANARY_ALL});
	if (found < 0) {
		(void)fprintf(stderr, "memory: process %s: %s\n", argv[2], strerror(-found));
		return 1;
	}
	(void)printf("%d\n", found);
	return 0;
}
