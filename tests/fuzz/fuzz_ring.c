/*
 * A ring reader on a ring whose writer was taken over: the input is written over the whole map. The
 * reader stays inside the map and inside its buffer, and what it hands out has a size that can be.
 */
#include "ring.h"

#include <stdlib.h>
#include <string.h>

enum { SLOT_BYTES = 192 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void frames_read(const struct ring_reader *r, uint64_t number)
{
	uint8_t *out = malloc(SLOT_BYTES);
	struct wire_frame_header header;
	uint32_t bytes;

	if (!out) {
		abort();
	}
	(void)ring_peek(r, number, &header, &bytes);
	if (ring_copy(r, number, out, SLOT_BYTES, &bytes) == 0 && bytes > SLOT_BYTES) {
		abort();
	}
	if (ring_copy(r, number, out, SLOT_BYTES / 2, &bytes) == 0 && bytes > SLOT_BYTES / 2) {
		abort();
	}
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ring_writer w;
	struct ring_reader r;
	uint8_t head[64];

	if (ring_writer_init(&w, SLOT_BYTES) < 0) {
		abort();
	}
	memcpy(head, w.map, sizeof(head));
	memcpy(w.map, data, size < w.map_bytes ? size : w.map_bytes);
	if (ring_reader_init(&r, w.memfd, SLOT_BYTES) == 0) {
		ring_reader_finish(&r);
	}
	/* The same with the numbers that a reader checks when it attaches, so that it does. */
	memcpy(w.map, head, 16);
	if (ring_reader_init(&r, w.memfd, SLOT_BYTES) < 0) {
		abort();
	}
	frames_read(&r, ring_newest(&r));
	for (uint64_t number = 0; number < 2 * RING_SLOTS; number++) {
		frames_read(&r, number);
	}
	ring_reader_finish(&r);
	ring_writer_finish(&w);
	return 0;
}
