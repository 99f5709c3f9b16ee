/*
 * One tile of one display: which camera it was given, which epochs it holds keys of, and the frame
 * that is on its way to it. Pure: the clock is an argument, output is memory that the caller sends.
 *
 *     source ─► stream_next: newest frame, checked, copied once ─► buffer ─► pieces of it ─► caller
 *
 * Newest wins: there is one frame under way and none waiting. At most `window` finished frames are
 * unanswered by the display; any answer gives credit back.
 *
 * One thread. 0 or -errno.
 */
#ifndef CAMGATE_STREAM_H
#define CAMGATE_STREAM_H

#include "buffer.h"
#include "source.h"

enum { STREAM_WINDOW_MIN = 2, STREAM_WINDOW_MAX = 4, STREAM_EPOCHS_MAX = 4 };

/* A finished frame that the display has not answered. */
struct stream_flight {
	uint32_t frame;
	uint64_t begun_us, done_us;
};

struct stream {
	struct buffer_tag tag; /* as given by the keeper */
	const struct source *source; /* borrowed; NULL when its ring is gone */
	struct buffer buffer;

	uint32_t epochs[STREAM_EPOCHS_MAX]; /* whose keys the display was told */
	unsigned int epochs_count;

	uint64_t taken; /* number in the ring of the frame last looked at */
	uint32_t frame; /* number on the wire of the frame last begun */
	size_t offset; /* bytes of it that were sent */
	size_t piece; /* bytes of the piece that the caller is sending */
	uint32_t epoch; /* of the frame in the buffer */
	uint64_t capture_us, begun_us;

	unsigned int window;
	struct stream_flight flights[STREAM_WINDOW_MAX]; /* oldest first */
	unsigned int flights_count;
	bool starved; /* a newer frame was there and no credit for it */

	struct ipc_counts counts;
	bool counts_changed;
	unsigned int mixups; /* frames that were not this stream's: held back */
};

enum stream_step {
	STREAM_IDLE, /* nothing to send now */
	STREAM_PIECE, /* *ret_data is a chunk */
	STREAM_ABORT, /* the frame under way is given up: tell the display */
};

void stream_init(struct stream *s, const struct buffer_tag *tag, const struct source *source);
/* Wipes the buffer. */
void stream_finish(struct stream *s);

/* The display was told the key of this epoch. True if the frame under way must be aborted, because
 * its epoch was broken; it is wiped already. */
bool stream_allow(struct stream *s, uint32_t epoch, bool breaks);
/* The ring is gone. True if a frame was under way; it is wiped already. */
bool stream_drop_source(struct stream *s);

/* True if stream_next would find something to do. */
bool stream_ready(const struct stream *s);
/* The next chunk; BUFFER_LIBRARY_BYTES before *ret_data may be overwritten. */
enum stream_step stream_next(
	struct stream *s, uint64_t now_us, uint8_t **ret_data, size_t *ret_size);
/* The chunk of the last stream_next was handed over whole. */
void stream_sent(struct stream *s, uint64_t now_us);

/* An answer of the display. True if it answered a frame; -EBADMSG for a frame that was never
 * finished. */
int stream_acknowledge(struct stream *s, const struct wire_ack *ack, uint64_t now_us);

#endif
