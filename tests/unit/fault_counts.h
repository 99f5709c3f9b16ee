/* Says how many faults of a kind a test injected: on its own output, and where the record of
 * `make faults` is kept ($FAULTS_COUNTS, as tests/faults/faults.c does). */
#ifndef CAMGATE_TESTS_FAULT_COUNTS_H
#define CAMGATE_TESTS_FAULT_COUNTS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static inline void fault_counts_add(const char *where, const char *kind, uint64_t count)
{
	const char *path = getenv("FAULTS_COUNTS");
	FILE *f = path == NULL || count == 0 ? NULL : fopen(path, "ae");

	printf("# %llu faults injected: %s %s\n", (unsigned long long)count, where, kind);
	if (f != NULL) {
		fprintf(f, "%s %s %llu\n", where, kind, (unsigned long long)count);
		(void)fclose(f);
	}
}

#endif
