#include "wiretap.h"

#include "gateway/wire.h"

#include <string.h>

/* SOI and two segments in a row: by chance once in 2^34 bytes. */
static bool jpeg_begins(const uint8_t *data, size_t size)
{
	size_t length;
	if (size < 8 || data[0] != 0xff || data[1] != 0xd8 || data[2] != 0xff || data[3] < 0xc0 ||
		data[3] == 0xff) {
		return false;
	}
	length = (size_t)(data[4] << 8 | data[5]);
	return length >= 2 && 4 + length + 1 < size && data[4 + length] == 0xff &&
	       data[5 + length] >= 0xc0 && data[5 + length] != 0xff;
}

/* Frames are cut into chunks: only what is behind the header of a chunk counts, in one row. */
static size_t skip_header(const uint8_t *message, size_t size)
{
	return size > WIRE_CHUNK_HEADER_BYTES && message[0] == WIRE_CHUNK ? WIRE_CHUNK_HEADER_BYTES
									  : 0;
}

void wiretap_hear(struct wiretap *t, const uint8_t *message, size_t size)
{
	size_t skip = skip_header(message, size);
	t->bytes += size;
	message += skip;
	size -= skip;
	for (size_t i = 0; i + 8 <= size; i++) {
		const uint8_t *ff = memchr(message + i, 0xff, size - i);
		if (ff == NULL) {
			break;
		}
		i = (size_t)(ff - message);
		t->jpegs += jpeg_begins(ff, size - i);
	}
	if (size > TAP_BYTES - t->kept) {
		t->kept = 0;
	}
	size = size < TAP_BYTES ? size : TAP_BYTES;
	memcpy(t->newest + t->kept, message, size);
	t->kept += size;
}

void wiretap_look(struct wiretap *t, uint32_t own_tag)
{
	const struct canary_owner all = {.which = CANARY_ALL};
	const struct canary_owner others = {.which = CANARY_BUT, .tag = own_tag};
	unsigned int found = canary_count(t->newest, t->kept, CANARY_LONG_BYTES, all);
	t->pictures += found;
	if (found > 0) {
		t->foreign += canary_count(t->newest, t->kept, CANARY_LONG_BYTES, others);
	}
	explicit_bzero(t->newest, t->kept);
	t->kept = 0;
}
