/* Which fault happens and which protections are lifted, in the test build: names in $CAMGATE_FAULTS
 * and $CAMGATE_LIFTED, separated by commas, read once before main. A name that is none ends the
 * process: a replay that replays nothing would look like one that was stopped. */
#include "fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const fault_names[FAULTS] = {"swapped-buffers", "unwiped-buffer",
	"cache-by-index", "cache-by-url", "cache-by-size", "grant-of-neighbour", "sessions-swapped",
	"reply-to-next", "key-to-next", "length-plus-n", "old-on-timeout", "queued", "short-buffer",
	"name-prefix", "names-swapped", "renditions-crossed", "revoke-forgotten"};

static const char *const protection_names[PROTECTIONS] = {"buffer-tag", "buffer-wipe", "give",
	"frame", "grant", "rotation", "seal", "camera-wipe", "signature", "camera", "key",
	"counter", "age", "picture"};

static uint32_t faults, lifted_ones;

static uint32_t bit_of(const char *word, size_t size, const char *const *names, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		if (names[i] != NULL && strlen(names[i]) == size &&
			memcmp(names[i], word, size) == 0) {
			return UINT32_C(1) << i;
		}
	}
	(void)fprintf(stderr, "camgate: there is no fault or protection '%.*s'\n", (int)size, word);
	_exit(2);
}

static uint32_t read_names(const char *variable, const char *const *names, unsigned int count)
{
	const char *at = getenv(variable);
	uint32_t bits = 0;

	while (at != NULL && *at != '\0') {
		size_t size = strcspn(at, ",");
		bits |= size == 0 ? 0 : bit_of(at, size, names, count);
		at += size + (at[size] == ',');
	}
	return bits;
}

__attribute__((constructor)) static void read_choice(void)
{
	static const enum fault of_copy[] = {FAULT_UNWIPED_BUFFER, FAULT_CACHE_BY_URL,
		FAULT_CACHE_BY_SIZE, FAULT_REPLY_TO_NEXT, FAULT_LENGTH_PLUS_N, FAULT_OLD_ON_TIMEOUT,
		FAULT_QUEUED};

	faults = read_names("CAMGATE_FAULTS", fault_names, FAULT_OF_COPY);
	lifted_ones = read_names("CAMGATE_LIFTED", protection_names, PROTECTIONS);
	for (size_t i = 0; i < sizeof(of_copy) / sizeof(of_copy[0]); i++) {
		if (fault_happens(of_copy[i])) {
			faults |= UINT32_C(1) << FAULT_OF_COPY;
		}
	}
}

bool fault_happens(enum fault f)
{
	return (faults >> f & 1) != 0;
}

bool fault_lifts(enum protection p)
{
	return (lifted_ones >> p & 1) != 0;
}
