/*
 * Sessions over a real ring, an injected clock, and no socket: a camera to publish with, a session
 * that watches it, and what that session would send.
 */
#ifndef CAMGATE_SESSION_FIXTURE_H
#define CAMGATE_SESSION_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "web/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME_MAX = 300000, START_US = 100000000 };

/* A camera: its ring, written here, and the web role's view of it. */
struct camera {
	struct ring_writer writer;
	struct source source;
	int eventfd;
};

static uint64_t now_us = START_US; /* the injected clock */

static inline void camera_open(struct camera *c, uint32_t number)
{
	struct ipc_ring ring = {.ring = number, .frame_max_bytes = FRAME_MAX};
	int memfd;

	ring.camera[0] = (uint8_t)number;
	ring.generation[0] = (uint8_t)(number + 100);
	assert_int_equal(ring_writer_init(&c->writer, FRAME_MAX), 0);
	assert_int_equal(ring_add_reader(&c->writer, 1, &memfd, &c->eventfd), 0);
	assert_int_equal(source_init(&c->source, &ring, memfd), 0);
}

static inline void camera_close(struct camera *c)
{
	source_finish(&c->source);
	ring_writer_finish(&c->writer);
}

/* camera_number, rendition: what the frame says of itself. */
static inline void publish_as(
	struct camera *c, uint8_t camera_number, uint8_t rendition, uint32_t epoch, uint32_t size)
{
	struct wire_frame_header h = {.camera = {camera_number},
		.rendition = rendition,
		.width = 640,
		.height = 480,
		.epoch = epoch,
		.capture_us = now_us};
	uint8_t *slot = ring_begin(&c->writer);

	memset(slot, (int)(c->writer.published + 1), size);
	wire_encode_frame_header(&h, slot);
	ring_publish(&c->writer, &h, size);
	source_note(&c->source);
}

static inline void publish(struct camera *c, uint32_t epoch, uint32_t size)
{
	publish_as(c, (uint8_t)c->source.ring.ring, RENDITION_FULL, epoch, size);
}

static inline int give(struct session *s, uint16_t stream, const struct camera *c)
{
	struct ipc_give m = {
		.connection = s->connection, .stream = stream, .ring = c->source.ring.ring};

	memcpy(m.camera, c->source.ring.camera, sizeof m.camera);
	memcpy(m.generation, c->source.ring.generation, sizeof m.generation);
	return session_give(s, &m, &c->source);
}

static inline void tell_key(struct session *s, uint16_t stream, uint32_t epoch, bool breaks)
{
	static const uint8_t key[] = {WIRE_HUB, 'k'};
	struct ipc_tell_key m = {.connection = s->connection,
		.stream = stream,
		.epoch = epoch,
		.breaks = breaks,
		.bytes = key,
		.size = sizeof key};

	assert_int_equal(session_tell_key(s, &m), 0);
}

static inline struct session *admitted(uint64_t connection)
{
	struct session *s = session_create(connection);

	assert_non_null(s);
	session_admit(s);
	return s;
}

/* A watching session: admitted, given, key of epoch 1 told and sent. */
static inline struct session *watching(uint64_t connection, uint16_t stream, const struct camera *c)
{
	struct session *s = admitted(connection);
	uint8_t *data;
	size_t size;

	assert_int_equal(give(s, stream, c), 0);
	tell_key(s, stream, 1, false);
	assert_true(session_next(s, now_us, &data, &size));
	assert_int_equal(data[0], WIRE_HUB);
	session_sent(s, now_us);
	return s;
}

struct got {
	uint8_t type;
	struct wire_chunk chunk;
	size_t piece_bytes;
	uint8_t last; /* byte of the piece */
};

/* The next message; type 0: nothing. */
static inline struct got next(struct session *s)
{
	struct got g = {0};
	struct wire_abort abort_;
	const uint8_t *piece;
	uint8_t *data;
	size_t size;

	if (!session_next(s, now_us, &data, &size)) {
		return g;
	}
	g.type = data[0];
	memset(data - BUFFER_LIBRARY_BYTES, 0xee, BUFFER_LIBRARY_BYTES); /* as the library does */
	if (g.type == WIRE_CHUNK) {
		assert_int_equal(wire_parse_chunk(data, size, &g.chunk, &piece, &g.piece_bytes), 0);
		g.last = piece[g.piece_bytes - 1];
	} else if (g.type == WIRE_ABORT) {
		assert_int_equal(wire_parse_abort(data, size, &abort_), 0);
		g.chunk.stream = abort_.stream;
		g.chunk.frame = abort_.frame;
	}
	session_sent(s, now_us);
	return g;
}

/* Takes chunks until a frame is whole; its number, 0 when nothing comes. */
static inline uint32_t next_frame(struct session *s, uint8_t *ret_fill)
{
	size_t sum = 0;

	for (;;) {
		struct got g = next(s);

		if (g.type == 0) {
			return 0;
		}
		assert_int_equal(g.type, WIRE_CHUNK);
		assert_int_equal(g.chunk.offset, sum);
		sum += g.piece_bytes;
		if (sum == g.chunk.total) {
			if (ret_fill) {
				*ret_fill = g.last;
			}
			return g.chunk.frame;
		}
	}
}

static inline enum session_verdict answer(
	struct session *s, uint16_t stream, uint32_t frame, uint8_t outcome, uint16_t age_ms)
{
	struct wire_ack ack = {
		.outcome = outcome, .stream = stream, .frame = frame, .age_ms = age_ms};
	const char *reason;
	uint8_t out[16];
	ssize_t n = wire_encode_ack(&ack, out, sizeof out);

	assert_true(n > 0);
	return session_hear(s, now_us, out, (size_t)n, &reason);
}

#endif
