/*
 * The SFrame header, and the opening of a frame that nobody sealed: neither may read too far, and a
 * header that is accepted is the only encoding of its two numbers.
 */
#include "sframe.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t base_key[EPOCH_KEY_BYTES] = "a fuzzing key";
	static struct sframe_key *key;
	static uint8_t out[TEXT_BYTES];
	uint8_t header[SFRAME_HEADER_MAX_BYTES];
	uint64_t kid = 0, ctr = 0;
	ssize_t n = sframe_parse_header(data, size, &kid, &ctr);

	if (n >= 0 && (sframe_encode_header(kid, ctr, header) != (size_t)n ||
			      memcmp(header, data, (size_t)n) != 0)) {
		abort();
	}
	if (!key) {
		key = sframe_key_create(base_key, 1);
	}
	if (sframe_open(key, base_key, sizeof(base_key), data, size, out, sizeof(out), &ctr) >= 0) {
		abort(); /* a forgery: far more likely a mistake of ours */
	}
	return 0;
}
