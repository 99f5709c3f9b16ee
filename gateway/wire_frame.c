#include "wire.h"

#include <errno.h>
#include <string.h>

static void write_label(struct wire_writer *w, const char *label)
{
	wire_write_bytes(w, (const uint8_t *)label, strlen(label));
}

void wire_wrap_info(const struct wire_wrap_context *c, uint8_t out[static WIRE_WRAP_INFO_BYTES])
{
	struct wire_writer w = wire_writer_init(out, WIRE_WRAP_INFO_BYTES);

	write_label(&w, "camgate epoch key v1");
	wire_write_bytes(&w, c->home, HOME_ID_BYTES);
	wire_write_bytes(&w, c->camera, CAMERA_ID_BYTES);
	wire_write_bytes(&w, c->generation, GENERATION_BYTES);
	wire_write_bytes(&w, c->display, DISPLAY_ID_BYTES);
	wire_write_bytes(&w, c->session, SESSION_ID_BYTES);
	wire_write_u32(&w, c->epoch);
	wire_write_u8(&w, c->purpose);
}

void wire_encode_frame_header(
	const struct wire_frame_header *h, uint8_t out[static WIRE_FRAME_HEADER_BYTES])
{
	struct wire_writer w = wire_writer_init(out, WIRE_FRAME_HEADER_BYTES);

	wire_write_bytes(&w, h->camera, sizeof(h->camera));
	wire_write_u8(&w, h->rendition);
	wire_write_u8(&w, h->flags);
	wire_write_u16(&w, h->width);
	wire_write_u16(&w, h->height);
	wire_write_u32(&w, h->epoch);
	wire_write_u64(&w, h->capture_us);
}

int wire_parse_frame_header(const uint8_t *data, size_t size, struct wire_frame_header *ret)
{
	struct wire_reader r = wire_reader_init(data, size);
	struct wire_frame_header h = {0};

	wire_read_bytes(&r, h.camera, sizeof(h.camera));
	h.rendition = wire_read_u8(&r);
	h.flags = wire_read_u8(&r);
	h.width = wire_read_u16(&r);
	h.height = wire_read_u16(&r);
	h.epoch = wire_read_u32(&r);
	h.capture_us = wire_read_u64(&r);
	if (r.bad) {
		return -EBADMSG;
	}
	*ret = h;
	return 0;
}

void wire_frame_metadata(const uint8_t home[static HOME_ID_BYTES],
	const uint8_t generation[static GENERATION_BYTES],
	const uint8_t header[static WIRE_FRAME_HEADER_BYTES],
	uint8_t out[static WIRE_FRAME_METADATA_BYTES])
{
	struct wire_writer w = wire_writer_init(out, WIRE_FRAME_METADATA_BYTES);

	write_label(&w, "camgate frame v1");
	wire_write_bytes(&w, home, HOME_ID_BYTES);
	wire_write_bytes(&w, generation, GENERATION_BYTES);
	wire_write_bytes(&w, header, WIRE_FRAME_HEADER_BYTES);
}

void wire_encode_chunk_header(
	const struct wire_chunk *c, uint8_t out[static WIRE_CHUNK_HEADER_BYTES])
{
	struct wire_writer w = wire_writer_init(out, WIRE_CHUNK_HEADER_BYTES);

	wire_write_u8(&w, WIRE_CHUNK);
	wire_write_u8(&w, 0);
	wire_write_u16(&w, c->stream);
	wire_write_u32(&w, c->frame);
	wire_write_u32(&w, c->offset);
	wire_write_u32(&w, c->total);
}

int wire_parse_chunk(const uint8_t *data, size_t size, struct wire_chunk *ret,
	const uint8_t **ret_piece, size_t *ret_piece_size)
{
	struct wire_reader r = wire_reader_init(data, size);
	struct wire_chunk c = {0};
	uint8_t type = wire_read_u8(&r);
	uint8_t flags = wire_read_u8(&r);
	const uint8_t *piece;
	size_t piece_size;

	c.stream = wire_read_u16(&r);
	c.frame = wire_read_u32(&r);
	c.offset = wire_read_u32(&r);
	c.total = wire_read_u32(&r);
	piece_size = r.left;
	piece = wire_read_borrow(&r, piece_size);
	if (wire_reader_end(&r) < 0 || type != WIRE_CHUNK || flags || !c.stream || !c.frame) {
		return -EBADMSG;
	}
	if (piece_size < 1 || piece_size > WIRE_CHUNK_PIECE_MAX_BYTES ||
		c.total > WIRE_FRAME_MAX_BYTES || c.offset > c.total ||
		piece_size > c.total - c.offset) {
		return -EBADMSG;
	}
	*ret = c;
	*ret_piece = piece;
	*ret_piece_size = piece_size;
	return 0;
}

ssize_t wire_encode_abort(const struct wire_abort *a, uint8_t *out, size_t size)
{
	struct wire_writer w = wire_writer_init(out, size);

	wire_write_u8(&w, WIRE_ABORT);
	wire_write_u8(&w, 0);
	wire_write_u16(&w, a->stream);
	wire_write_u32(&w, a->frame);
	return wire_writer_end(&w);
}

int wire_parse_abort(const uint8_t *data, size_t size, struct wire_abort *ret)
{
	struct wire_reader r = wire_reader_init(data, size);
	struct wire_abort a = {0};
	uint8_t type = wire_read_u8(&r);
	uint8_t flags = wire_read_u8(&r);

	a.stream = wire_read_u16(&r);
	a.frame = wire_read_u32(&r);
	if (wire_reader_end(&r) < 0 || type != WIRE_ABORT || flags || !a.stream || !a.frame) {
		return -EBADMSG;
	}
	*ret = a;
	return 0;
}

ssize_t wire_encode_ack(const struct wire_ack *a, uint8_t *out, size_t size)
{
	struct wire_writer w = wire_writer_init(out, size);

	wire_write_u8(&w, WIRE_ACK);
	wire_write_u8(&w, a->outcome);
	wire_write_u16(&w, a->stream);
	wire_write_u32(&w, a->frame);
	wire_write_u16(&w, a->age_ms);
	wire_write_u8(&w, a->reason);
	return wire_writer_end(&w);
}

int wire_parse_ack(const uint8_t *data, size_t size, struct wire_ack *ret)
{
	struct wire_reader r = wire_reader_init(data, size);
	struct wire_ack a = {0};
	uint8_t type = wire_read_u8(&r);

	a.outcome = wire_read_u8(&r);
	a.stream = wire_read_u16(&r);
	a.frame = wire_read_u32(&r);
	a.age_ms = wire_read_u16(&r);
	a.reason = wire_read_u8(&r);
	if (wire_reader_end(&r) < 0 || type != WIRE_ACK || a.outcome < OUTCOME_DRAWN ||
		a.outcome > OUTCOME_REFUSED || a.reason > ANOMALY_PICTURE || !a.stream) {
		return -EBADMSG;
	}
	*ret = a;
	return 0;
}
