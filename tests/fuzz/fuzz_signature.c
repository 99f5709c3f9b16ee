/* The strict converter of signatures: what it takes from DER, it writes back as the same DER. */
#include "keys.h"

#include <stdlib.h>
#include <string.h>

enum { DER_BYTES = 80 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t signature[SIGNATURE_BYTES], again[SIGNATURE_BYTES], der[DER_BYTES];
	ssize_t n;

	if (signature_from_der(data, size, signature) == 0) {
		n = signature_to_der(signature, der, sizeof(der));
		if (n != (ssize_t)size || memcmp(der, data, size) != 0) {
			abort();
		}
	}
	if (size == SIGNATURE_BYTES) {
		n = signature_to_der(data, der, sizeof(der));
		if (n >= 0 && (signature_from_der(der, (size_t)n, again) < 0 ||
				      memcmp(again, data, size) != 0)) {
			abort();
		}
	}
	return 0;
}
