/*
 * A tile: one stream of one display. Puts frames together from chunks, holds the epoch keys and the
 * camera's clock, and makes the nine checks of web/PROTOCOL.md, in their order.
 *
 * Inner part of display.c; no callbacks, no sending. Times are µs of the display's own clock unless
 * they say otherwise. The frame buffer belongs to this tile alone and is wiped when the tile
 * finishes.
 */
#ifndef CAMGATE_CLIENT_TILE_H
#define CAMGATE_CLIENT_TILE_H

#include "sframe.h"

enum { TILE_MARKS = 4 };

/* The high-water marks of one camera's newest epochs, shared by all its tiles of this display's
 * life. */
struct tile_marks {
	uint8_t generation[GENERATION_BYTES]; /* theirs; another one starts anew */
	struct {
		uint32_t epoch;
		uint64_t next; /* the lowest counter not seen yet */
	} marks[TILE_MARKS];
};

struct tile_key {
	struct sframe_key *key; /* NULL: none */
	uint32_t epoch;
	uint64_t next; /* the lowest counter not seen on this stream */
};

struct tile {
	uint16_t stream; /* 0: free */
	uint8_t camera[CAMERA_ID_BYTES];
	uint8_t generation[GENERATION_BYTES];
	uint8_t rendition;
	uint32_t frame_max_bytes, frame_interval_us; /* as CAMERA said */

	struct tile_key current, next, previous;
	uint64_t switched_us; /* when previous was the current one */
	uint32_t first_epoch; /* the oldest that this stream was given; 0: none yet */

	bool clock_known, clock_wanted;
	uint64_t clock_us; /* the camera's clock … */
	uint64_t clock_at_us; /* … at this time of ours, or later */
	uint8_t asked; /* KEY_WATCH or KEY_TIME while an answer is out, otherwise 0 */
	uint8_t nonce[REQUEST_NONCE_BYTES];
	uint64_t asked_us, asked_again_us; /* the first and the last time */
	unsigned int askings;
	/* The question before that one was asked more than once, and may be answered as often: too
	 * late to be of use, and no mix-up. Answers come in the order of the questions, so that
	 * those of still earlier ones have come. */
	uint8_t answered[REQUEST_NONCE_BYTES];
	unsigned int answers_left;

	bool reported; /* a mix-up, while this epoch was the current one */
	uint32_t reported_epoch;

	uint32_t frame; /* the last one completed or aborted */
	uint32_t filled; /* bytes of the one under way; 0: none */
	uint32_t total;
	bool oversized; /* pieces of it are not kept */
	uint8_t *sealed;
	size_t sealed_capacity;

	struct wire_unwatch totals;
};

void tile_finish(struct tile *t);

/* 1 when the frame is complete, 0 when there is more to come; -EBADMSG for a piece out of order,
 * -ENOMEM. */
int tile_add_piece(
	struct tile *t, const struct wire_chunk *chunk, const uint8_t *piece, size_t piece_size);
/* 0 or -EBADMSG. */
int tile_abort_frame(struct tile *t, uint32_t frame);

/* Takes an opened epoch key; one that is not newer than the current one is passed over. 0; -EBADMSG
 * for epoch 0; -ENOMEM. */
int tile_take_key(struct tile *t, uint8_t purpose, uint32_t epoch,
	const uint8_t key[static EPOCH_KEY_BYTES], uint64_t now_us);

/* What became of a complete frame. */
struct tile_verdict {
	uint8_t outcome; /* OUTCOME_DRAWN: it passed, draw it */
	uint8_t reason; /* enum anomaly, when refused and to be reported */
	bool oversized, early, clockless;
	bool aged; /* age_us is known */
	int64_t age_us;
	bool live;
	struct wire_frame_header header;
	uint64_t counter;
	size_t jpeg_size;
};

/* Checks the complete frame and opens it into jpeg (capacity at least t->total). On anything but
 * OUTCOME_DRAWN, jpeg holds nothing of it. */
void tile_check_frame(struct tile *t, const uint8_t home[static HOME_ID_BYTES],
	struct tile_marks *marks, uint64_t now_us, uint8_t *jpeg, size_t jpeg_capacity,
	struct tile_verdict *ret);

/* Bounds and size of a JPEG: FF D8 … FF D9, first frame header (SOF) of exactly this size. */
bool tile_jpeg_ok(const uint8_t *jpeg, size_t size, uint16_t width, uint16_t height);

#endif
