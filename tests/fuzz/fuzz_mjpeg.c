/* libFuzzer: JPEG from a camera. The first four bytes are the size it is to have. */
#include "v4l2/mjpeg.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mjpeg m, again;
	size_t written = 0;
	uint8_t *out;

	if (size < 4) {
		return 0;
	}
	uint16_t width = (uint16_t)(data[0] << 8 | data[1]);
	uint16_t height = (uint16_t)(data[2] << 8 | data[3]);

	data += 4;
	size -= 4;
	if (mjpeg_check(data, size, width, height, &m) < 0) {
		return 0;
	}
	if (m.size > size || m.scan >= m.size || m.left_out > m.scan) {
		abort();
	}
	/* Exactly as long as it says, so that one byte more is seen. */
	out = malloc(mjpeg_rewritten_size(&m));
	if (!out) {
		return 0;
	}
	if (mjpeg_rewrite(&m, data, out, mjpeg_rewritten_size(&m), &written) < 0 ||
		written != mjpeg_rewritten_size(&m)) {
		abort();
	}
	/* What leaves is clean, and stays so. */
	if (mjpeg_check(out, written, width, height, &again) < 0 || again.size != written ||
		mjpeg_needs_rewrite(&again)) {
		abort();
	}
	free(out);
	return 0;
}
