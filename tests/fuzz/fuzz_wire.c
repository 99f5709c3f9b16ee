/*
 * Every parser of messages between hub and display: the first byte picks one, the rest is the
 * message. What a parser takes must be exactly what its encoder writes: there is one encoding of a
 * message.
 */
#include "wire_ask.h"

#include <stdlib.h>
#include <string.h>

enum { PARSERS = 25, MESSAGE_BYTES = 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CASE(number, name)                                                                         \
	case number: {                                                                             \
		struct wire_##name m;                                                              \
		if (wire_parse_##name(data, size, &m) < 0) {                                       \
			return -1;                                                                 \
		}                                                                                  \
		return wire_encode_##name(&m, out, MESSAGE_BYTES);                                 \
	}

static ssize_t envelope_again(const uint8_t *data, size_t size, uint8_t *out)
{
	struct wire_envelope e;
	ssize_t n;

	if (wire_parse_envelope(data, size, &e) < 0) {
		return -1;
	}
	n = wire_encode_envelope(&e, out, MESSAGE_BYTES - SIGNATURE_BYTES);
	if (n != (ssize_t)e.signed_size) {
		abort();
	}
	memcpy(out + n, e.signature, SIGNATURE_BYTES);
	return n + SIGNATURE_BYTES;
}

static ssize_t frame_header_again(const uint8_t *data, size_t size, uint8_t *out)
{
	struct wire_frame_header h;

	if (wire_parse_frame_header(data, size, &h) < 0 || size > MESSAGE_BYTES) {
		return -1;
	}
	wire_encode_frame_header(&h, out);
	memcpy(out + WIRE_FRAME_HEADER_BYTES, data + WIRE_FRAME_HEADER_BYTES,
		size - WIRE_FRAME_HEADER_BYTES);
	return (ssize_t)size;
}

static ssize_t link_again(const uint8_t *data, size_t size, uint8_t *out)
{
	char text[MESSAGE_BYTES + 1], again[WIRE_LINK_TEXT_BYTES];
	struct wire_link link;

	if (size > MESSAGE_BYTES || memchr(data, '\0', size)) {
		return -1;
	}
	memcpy(text, data, size);
	text[size] = '\0';
	if (wire_parse_link(text, &link) < 0) {
		return -1;
	}
	wire_encode_link(&link, again);
	memcpy(out, again, sizeof(again) - 1);
	return sizeof(again) - 1;
}

static ssize_t chunk_again(const uint8_t *data, size_t size, uint8_t *out)
{
	struct wire_chunk c;
	const uint8_t *piece;
	size_t piece_size;

	if (wire_parse_chunk(data, size, &c, &piece, &piece_size) < 0 || size > MESSAGE_BYTES) {
		return -1;
	}
	wire_encode_chunk_header(&c, out);
	memcpy(out + WIRE_CHUNK_HEADER_BYTES, piece, piece_size);
	return (ssize_t)(WIRE_CHUNK_HEADER_BYTES + piece_size);
}

/* Parses and encodes again. Returns the bytes written, or -1 if the message was refused. */
static ssize_t message_again(uint8_t which, const uint8_t *data, size_t size, uint8_t *out)
{
	switch (which % PARSERS) {
		CASE(0, challenge)
		CASE(1, login)
		CASE(2, pair)
		CASE(3, welcome)
		CASE(4, camera)
		CASE(5, camera_gone)
		CASE(6, key)
		CASE(7, ended)
		CASE(8, watch)
		CASE(9, unwatch)
		CASE(10, time)
		CASE(11, report)
		CASE(12, key_ack)
		CASE(13, abort)
		CASE(14, ack)
		CASE(19, new_camera)
		CASE(20, new_camera_gone)
		CASE(21, screen)
		CASE(22, share)
		CASE(23, decide)
		CASE(24, preview)
	case 15:
		return envelope_again(data, size, out);
	case 16:
		return frame_header_again(data, size, out);
	case 17:
		return link_again(data, size, out);
	default:
		return chunk_again(data, size, out);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t out[MESSAGE_BYTES];
	ssize_t n;

	if (size < 1) {
		return 0;
	}
	n = message_again(data[0], data + 1, size - 1, out);
	if (n >= 0 && ((size_t)n != size - 1 || memcmp(out, data + 1, (size_t)n) != 0)) {
		abort();
	}
	return 0;
}
