#include "wire.h"

#include <errno.h>
#include <string.h>

enum { ENVELOPE_HEAD_BYTES = 1 + SESSION_ID_BYTES + 4 + 1 };

ssize_t wire_encode_envelope(const struct wire_envelope *e, uint8_t *out, size_t size)
{
	struct wire_writer w = wire_writer_init(out, size);

	wire_write_u8(&w, e->type);
	wire_write_bytes(&w, e->session, sizeof(e->session));
	wire_write_u32(&w, e->counter);
	wire_write_u8(&w, e->kind);
	wire_write_bytes(&w, e->body, e->body_size);
	return wire_writer_end(&w);
}

int wire_parse_envelope(const uint8_t *data, size_t size, struct wire_envelope *ret)
{
	struct wire_reader r = wire_reader_init(data, size);
	struct wire_envelope e = {0};

	if (size < ENVELOPE_HEAD_BYTES + SIGNATURE_BYTES || size > WIRE_HUB_MESSAGE_MAX_BYTES) {
		return -EBADMSG;
	}
	e.type = wire_read_u8(&r);
	wire_read_bytes(&r, e.session, sizeof(e.session));
	e.counter = wire_read_u32(&r);
	e.kind = wire_read_u8(&r);
	e.body_size = size - ENVELOPE_HEAD_BYTES - SIGNATURE_BYTES;
	e.body = wire_read_borrow(&r, e.body_size);
	e.signature = wire_read_borrow(&r, SIGNATURE_BYTES);
	e.signed_size = size - SIGNATURE_BYTES;
	if (wire_reader_end(&r) < 0 || (e.type != WIRE_HUB && e.type != WIRE_DISPLAY)) {
		return -EBADMSG;
	}
	*ret = e;
	return 0;
}

/* ---- from the hub ---- */

ssize_t wire_encode_welcome(const struct wire_welcome *m, uint8_t *out, size_t size)
{
	struct wire_writer w = wire_writer_init(out, size);

	wire_write_bytes(&w, m->transcript, sizeof(m->transcript));
	wire_write_bytes(&w, m->home, sizeof(m->home));
	wire_write_bytes(&w, m->display, sizeof(m->display));
	wire_write_u8(&w, m->owner ? 1 : 0);
	wire_write_str(&w, m->name);
	wire_write_u16(&w, m->cameras);
	return wire_writer_end(&w);
}

int wire_parse_welcome(const uint8_t *data, size_t size, struct wire_welcome *ret)
{
	struct wire_reader r = wire_reader_init(data, size);
	struct wire_welcome m = {0};
	uint8_t flags;

	wire_read_bytes(&r, m.transcript, sizeof(m.transcript));
	wire_read_bytes(&r, m.home, sizeof(m.home));
	wire_read_bytes(&r, m.display, sizeof(m.display));
	flags = wire_read_u8(&r);
	m.owner = flags == 1;
	wire_read_str(&r, m.name, sizeof(m.name));
	m.cameras = wire_read_u16(&r);
	if (wire_reader_end(&r) < 0 || flags > 1 || !wire_name_ok(m.name)) {
		return -EBADMSG;
	}
	*ret = m;
	return 0;
}

ssize_t wire_encode_camera(const struct wire_camera *m, uint8_t *out, size_t size)
{
	struct wire_writer w = wire_writer_init(out, size);

	wire_write_bytes(&w, m->id, sizeof(m->id));
	wire_write_u8(&w, m->state);
	wire_write_u8(&w, m->flags);
	wire_write_u8(&w, m->strength);
	wire_write_bytes(&w, m->generation, sizeof(m->generation));
	wire_write_bytes(&w, m->kem_public, sizeof(m->kem_public));
	wire_write_u32(&w, m->frame_interval_us);
	wire_write_u32(&w, m->frame_max_bytes);
	wire_write_str(&w, m->name);
	return wire_writer_end(&w);
}

int wire_parse_camera(const uint8_t *data, size_t size, struct wire_camera *ret)
{
	struct wire_reader r = wire_reader_init(data, size);
	struct wire_camera m = {0};

	wire_read_bytes(&r, m.id, sizeof(m.id));
	m.state = wire_read_u8(&r);
	m.flags = wire_read_u8(&r);
	m.strength = wire_read_u8(&r);
	wire_read_bytes(&r, m.generation, sizeof(m.generation));
	wire_read_bytes(&r, m.kem_public, sizeof(m.kem_public));
	m.frame_interval_us = wire_read_u32(&r);
	m.frame_max_bytes = wire_read_u32(&r);
	wire_read_str(&r, m.name, sizeof(m.name));
	if (wire_reader_end(&r) < 0 || m.state > CAMERA_READY || !wire_name_ok(m.name)) {
		return -EBADMSG;
	}
	*ret = m;
	return 0;
}

ssize_t wire_encode_camera_gone(const struct wire_camera_gone *m, uint8_t *out, size_t size)
{
	struct wire_writer w = wire_writer_init(out, size);

	wire_write_bytes(&w, m->id, sizeof(m->id));
	wire_write_u8(&w, m->reason);
	return wire_writer_end(&w);
}

int wire_parse_camera_gone(const uint8_t *data, size_t size, struct wire_camera_gone *ret)
{
	struct wire_reader r = wire_reader_init(data, size);
	struct wire_camera_gone m = {0};

	wire_read_bytes(&r, m.id, sizeof(m.id));
	m.reason = wire_read_u8(&r);
	if (wire_reader_end(&r) < 0) {
		return -EBADMSG;
	}
	*ret = m;
	return 0;
}

/* Bytes of a wrapped key by its purpose, 0 for an unknown one. */
static size_t wrapped_bytes(uint8_t purpose)
{
	switch (purpose) {
	case KEY_WATCH:
	case KEY_TIME:
		return 56;
	case KEY_NEXT:
	case KEY_BREAK:
		return 32;
	default:
		return 0;
	}
}

ssize_t wire_encode_key(const struct wire_key *m, uint8_t *out, size_t size)
{
	struct wire_writer w = wire_writer_init(out, size);

	wire_write_u16(&w, m->stream);
	wire_write_bytes(&w, m->camera, sizeof(m->camera));
	wire_write_bytes(&w, m->generation, sizeof(m->generation));
	wire_write_u32(&w, m->epoch);
	wire_write_u8(&w, m->purpose);
	wire_write_bytes(&w, m->enc, sizeof(m->enc));
	wire_write_bytes(&w, m->wrapped, wrapped_bytes(m->purpose));
	return wire_writer_end(&w);
}

int wire_parse_key(const uint8_t *data, size_t size, struct wire_key *ret)
{
	struct wire_reader r = wire_reader_init(data, size);
	struct wire_key m = {0};

	m.stream = wire_read_u16(&r);
	wire_read_bytes(&r, m.camera, sizeof(m.camera));
	wire_read_bytes(&r, m.generation, sizeof(m.generation));
	m.epoch = wire_read_u32(&r);
	m.purpose = wire_read_u8(&r);
	wire_read_bytes(&r, m.enc, sizeof(m.enc));
	m.wrapped_size = wrapped_bytes(m.purpose);
	wire_read_bytes(&r, m.wrapped, m.wrapped_size);
	if (wire_reader_end(&r) < 0 || !m.stream || !m.wrapped_size) {
		return -EBADMSG;
	}
	*ret = m;
	return 0;
}

ssize_t wire_encode_ended(const struct wire_ended *m, uint8_t *out, size_t size)
{
	struct wire_writer w = wire_writer_init(out, size);

	wire_write_u16(&w, m->stream);
	wire_write_bytes(&w, m->camera, sizeof(m->camera));
	wire_write_u8(&w, m->reason);
	return wire_writer_end(&w);
}

int wire_parse_ended(const uint8_t *data, size_t size, struct wire_ended *ret)
{
	struct wire_reader r = wire_reader_init(data, size);
	struct wire_ended m = {0};

	m.stream = wire_read_u16(&r);
	wire_read_bytes(&r, m.camera, sizeof(m.camera));
	m.reason = wire_read_u8(&r);
	if (wire_reader_end(&r) < 0) {
		return -EBADMSG;
	}
	*ret = m;
	return 0;
}

/* ---- from the display ---- */

ssize_t wire_encode_watch(const struct wire_watch *m, uint8_t *out, size_t size)
{
	struct wire_writer w = wire_writer_init(out, size);

	wire_write_u16(&w, m->stream);
	wire_write_bytes(&w, m->camera, sizeof(m->camera));
	wire_write_u8(&w, m->rendition);
	wire_write_bytes(&w, m->nonce, sizeof(m->nonce));
	return wire_writer_end(&w);
}

int wire_parse_watch(const uint8_t *data, size_t size, struct wire_watch *ret)
{
	struct wire_reader r = wire_reader_init(data, size);
	struct wire_watch m = {0};

	m.stream = wire_read_u16(&r);
	wire_read_bytes(&r, m.camera, sizeof(m.camera));
	m.rendition = wire_read_u8(&r); /* an unknown one is answered with ENDED, not here */
	wire_read_bytes(&r, m.nonce, sizeof(m.nonce));
	if (wire_reader_end(&r) < 0 || !m.stream) {
		return -EBADMSG;
	}
	*ret = m;
	return 0;
}

ssize_t wire_encode_unwatch(const struct wire_unwatch *m, uint8_t *out, size_t size)
{
	struct wire_writer w = wire_writer_init(out, size);

	wire_write_u16(&w, m->stream);
	wire_write_u32(&w, m->received);
	wire_write_u32(&w, m->drawn);
	wire_write_u32(&w, m->late);
	wire_write_u32(&w, m->hidden);
	wire_write_u32(&w, m->refused);
	wire_write_u32(&w, m->worst_age_ms);
	return wire_writer_end(&w);
}

int wire_parse_unwatch(const uint8_t *data, size_t size, struct wire_unwatch *ret)
{
	struct wire_reader r = wire_reader_init(data, size);
	struct wire_unwatch m = {0};

	m.stream = wire_read_u16(&r);
	m.received = wire_read_u32(&r);
	m.drawn = wire_read_u32(&r);
	m.late = wire_read_u32(&r);
	m.hidden = wire_read_u32(&r);
	m.refused = wire_read_u32(&r);
	m.worst_age_ms = wire_read_u32(&r);
	if (wire_reader_end(&r) < 0 || !m.stream) {
		return -EBADMSG;
	}
	*ret = m;
	return 0;
}

ssize_t wire_encode_time(const struct wire_time *m, uint8_t *out, size_t size)
{
	struct wire_writer w = wire_writer_init(out, size);

	wire_write_u16(&w, m->stream);
	wire_write_bytes(&w, m->nonce, sizeof(m->nonce));
	return wire_writer_end(&w);
}

int wire_parse_time(const uint8_t *data, size_t size, struct wire_time *ret)
{
	struct wire_reader r = wire_reader_init(data, size);
	struct wire_time m = {0};

	m.stream = wire_read_u16(&r);
	wire_read_bytes(&r, m.nonce, sizeof(m.nonce));
	if (wire_reader_end(&r) < 0 || !m.stream) {
		return -EBADMSG;
	}
	*ret = m;
	return 0;
}

ssize_t wire_encode_report(const struct wire_report *m, uint8_t *out, size_t size)
{
	struct wire_writer w = wire_writer_init(out, size);

	wire_write_u16(&w, m->stream);
	wire_write_bytes(&w, m->camera, sizeof(m->camera));
	wire_write_bytes(&w, m->generation, sizeof(m->generation));
	wire_write_u8(&w, m->reason);
	wire_write_u32(&w, m->epoch);
	wire_write_u64(&w, m->counter);
	return wire_writer_end(&w);
}

int wire_parse_report(const uint8_t *data, size_t size, struct wire_report *ret)
{
	struct wire_reader r = wire_reader_init(data, size);
	struct wire_report m = {0};

	m.stream = wire_read_u16(&r);
	wire_read_bytes(&r, m.camera, sizeof(m.camera));
	wire_read_bytes(&r, m.generation, sizeof(m.generation));
	m.reason = wire_read_u8(&r);
	m.epoch = wire_read_u32(&r);
	m.counter = wire_read_u64(&r);
	if (wire_reader_end(&r) < 0 || !m.stream || m.reason < ANOMALY_FOREIGN_CAMERA ||
		m.reason > ANOMALY_PICTURE) {
		return -EBADMSG;
	}
	*ret = m;
	return 0;
}

ssize_t wire_encode_key_ack(const struct wire_key_ack *m, uint8_t *out, size_t size)
{
	struct wire_writer w = wire_writer_init(out, size);

	wire_write_u16(&w, m->stream);
	wire_write_u32(&w, m->epoch);
	return wire_writer_end(&w);
}

int wire_parse_key_ack(const uint8_t *data, size_t size, struct wire_key_ack *ret)
{
	struct wire_reader r = wire_reader_init(data, size);
	struct wire_key_ack m = {0};

	m.stream = wire_read_u16(&r);
	m.epoch = wire_read_u32(&r);
	if (wire_reader_end(&r) < 0 || !m.stream) {
		return -EBADMSG;
	}
	*ret = m;
	return 0;
}
