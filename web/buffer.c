#include "buffer.h"
#include "gateway/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool buffer_tag_equal(const struct buffer_tag *a, const struct buffer_tag *b)
{
	if (fault_lifts(PROTECTION_BUFFER_TAG)) {
		return true;
	}
	return a->connection == b->connection && a->stream == b->stream &&
	       a->rendition == b->rendition && memcmp(a->camera, b->camera, CAMERA_ID_BYTES) == 0 &&
	       memcmp(a->generation, b->generation, GENERATION_BYTES) == 0;
}

void buffer_init(struct buffer *b, const struct buffer_tag *owner)
{
	*b = (struct buffer){.tag = *owner};
}

void buffer_wipe(struct buffer *b)
{
	if (b->memory && !fault_lifts(PROTECTION_BUFFER_WIPE)) {
		explicit_bzero(b->memory, b->capacity);
	}
	b->frame_bytes = 0;
	b->dirty = false;
}

void buffer_finish(struct buffer *b)
{
	buffer_wipe(b);
	free(b->memory);
	explicit_bzero(b, sizeof *b);
}

/* Never realloc: it would leave the old bytes behind, unwiped. */
static int buffer_grow(struct buffer *b, size_t frame_bytes)
{
	size_t need = BUFFER_HEAD_BYTES + frame_bytes;

	if (need <= b->capacity) {
		return 0;
	}
	free(b->memory); /* the caller wiped it */
	b->capacity = 0;
	need = (need + BUFFER_STEP_BYTES - 1) / BUFFER_STEP_BYTES * BUFFER_STEP_BYTES;
	b->memory = calloc(1, need);
	if (!b->memory) {
		return -ENOMEM;
	}
	b->capacity = need;
	return 0;
}

int buffer_begin(
	struct buffer *b, const struct buffer_tag *owner, size_t frame_bytes, uint8_t **ret)
{
	int r;

	if (b->dirty) {
		buffer_wipe(b);
	}
	if (fault_happens(FAULT_UNWIPED_BUFFER) || fault_happens(FAULT_LENGTH_PLUS_N)) {
		accident_pool(&b->memory, &b->capacity);
	}
	if (!buffer_tag_equal(&b->tag, owner)) {
		return -EPERM;
	}
	if (frame_bytes > WIRE_FRAME_MAX_BYTES) {
		return -E2BIG;
	}
	r = buffer_grow(b, frame_bytes);
	if (r < 0) {
		return r;
	}
	b->dirty = true;
	*ret = b->memory + BUFFER_HEAD_BYTES;
	return 0;
}

void buffer_fill(struct buffer *b, size_t frame_bytes)
{
	b->frame_bytes = BUFFER_HEAD_BYTES + frame_bytes <= b->capacity ? frame_bytes : 0;
}

int buffer_frame(struct buffer *b, const struct buffer_tag *owner, uint8_t **ret, size_t *ret_bytes)
{
	if (!buffer_tag_equal(&b->tag, owner)) {
		return -EPERM;
	}
	if (b->frame_bytes == 0) {
		return -ENODATA;
	}
	*ret = b->memory + BUFFER_HEAD_BYTES;
	*ret_bytes = b->frame_bytes;
	return 0;
}
