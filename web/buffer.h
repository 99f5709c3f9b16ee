/*
 * The memory that one sealed frame passes through on its way from the ring to one display.
 *
 * A buffer belongs to one stream of one connection from buffer_init to buffer_finish and to nobody
 * else: there is no pool, and no way to hand one over. It carries the tag of its owner, which every
 * use must repeat. Everything in it is wiped, to the whole capacity, before a frame is written to
 * it, after the frame was sent, when it grows and at its end. It grows in steps and never beyond
 * BUFFER_CAPACITY_MAX.
 *
 *     memory   |-- BUFFER_HEAD_BYTES --|-- frame ------------------ ... --|-- rest of the step --|
 *               library's header, chunk header
 *
 * A chunk is sent straight out of it: its header is written over the bytes before the piece, which
 * were sent already (before the first piece: over the head).
 *
 * One thread. 0 or -errno; -EPERM for a tag that is not the owner's.
 */
#ifndef CAMGATE_BUFFER_H
#define CAMGATE_BUFFER_H

#include "gateway/wire.h"

enum {
	BUFFER_LIBRARY_BYTES = 16, /* what libwebsockets writes before a payload, LWS_PRE */
	BUFFER_HEAD_BYTES = BUFFER_LIBRARY_BYTES + WIRE_CHUNK_HEADER_BYTES,
	BUFFER_STEP_BYTES = 64 << 10,
	BUFFER_CAPACITY_MAX = WIRE_FRAME_MAX_BYTES + BUFFER_STEP_BYTES,
};

/* Whose buffer, and what may be in it. */
struct buffer_tag {
	uint64_t connection;
	uint16_t stream;
	uint8_t rendition;
	uint8_t camera[CAMERA_ID_BYTES];
	uint8_t generation[GENERATION_BYTES];
};

struct buffer {
	struct buffer_tag tag;
	uint8_t *memory; /* NULL before the first frame */
	size_t capacity;
	size_t frame_bytes; /* of the frame inside, 0 when there is none */
	bool dirty; /* lent out since the last wipe */
};

bool buffer_tag_equal(const struct buffer_tag *a, const struct buffer_tag *b);

void buffer_init(struct buffer *b, const struct buffer_tag *owner);
/* Wipes and frees. A second call does nothing. */
void buffer_finish(struct buffer *b);

/* Wipes what is still inside, then makes room for a frame of frame_bytes and lends its memory.
 * -EPERM, -ENOMEM, -E2BIG; then the buffer is empty. */
int buffer_begin(
	struct buffer *b, const struct buffer_tag *owner, size_t frame_bytes, uint8_t **ret);
/* The frame of n bytes is in it now. */
void buffer_fill(struct buffer *b, size_t frame_bytes);
/* Lends the frame to its owner. -EPERM, -ENODATA when there is none. */
int buffer_frame(
	struct buffer *b, const struct buffer_tag *owner, uint8_t **ret, size_t *ret_bytes);
/* Wipes the whole capacity; the memory stays for the next frame of the same owner. */
void buffer_wipe(struct buffer *b);

#endif
