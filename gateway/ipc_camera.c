#include "ipc.h"

#include <errno.h>

/* What the camera role and the keeper say to each other. */

static struct wire_writer writer_begin(uint8_t type, uint8_t *out, size_t size)
{
	struct wire_writer w = wire_writer_init(out, size);

	wire_write_u8(&w, type);
	return w;
}

ssize_t ipc_encode_camera_hello(const struct ipc_camera_hello *m, uint8_t *out, size_t size)
{
	struct wire_writer w = writer_begin(IPC_CAMERA_HELLO, out, size);

	wire_write_u8(&w, m->kind);
	wire_write_u16(&w, m->instance);
	wire_write_bytes(&w, m->generation, sizeof(m->generation));
	wire_write_bytes(&w, m->kem_public, sizeof(m->kem_public));
	wire_write_u16(&w, m->width);
	wire_write_u16(&w, m->height);
	wire_write_u32(&w, m->frame_interval_us);
	wire_write_u32(&w, m->frame_max_bytes);
	wire_write_str(&w, m->source);
	wire_write_str(&w, m->model);
	wire_write_str(&w, m->mode);
	return wire_writer_end(&w);
}

int ipc_parse_camera_hello(const struct ipc_message *m, struct ipc_camera_hello *ret)
{
	struct wire_reader r = wire_reader_init(m->fields, m->fields_size);
	struct ipc_camera_hello h = {0};

	h.kind = wire_read_u8(&r);
	h.instance = wire_read_u16(&r);
	wire_read_bytes(&r, h.generation, sizeof(h.generation));
	wire_read_bytes(&r, h.kem_public, sizeof(h.kem_public));
	h.width = wire_read_u16(&r);
	h.height = wire_read_u16(&r);
	h.frame_interval_us = wire_read_u32(&r);
	h.frame_max_bytes = wire_read_u32(&r);
	wire_read_str(&r, h.source, sizeof(h.source));
	wire_read_str(&r, h.model, sizeof(h.model));
	wire_read_str(&r, h.mode, sizeof(h.mode));
	if (wire_reader_end(&r) < 0 || h.kind < IPC_CAMERA_DEVICE || h.kind > IPC_CAMERA_PATTERN ||
		h.frame_max_bytes <= WIRE_FRAME_HEADER_BYTES ||
		h.frame_max_bytes > WIRE_FRAME_MAX_BYTES) {
		return -EBADMSG;
	}
	*ret = h;
	return 0;
}

ssize_t ipc_encode_reader(uint8_t type, const struct ipc_reader *m, uint8_t *out, size_t size)
{
	struct wire_writer w = writer_begin(type, out, size);

	wire_write_u32(&w, m->reader);
	return wire_writer_end(&w);
}

int ipc_parse_reader(const struct ipc_message *m, struct ipc_reader *ret)
{
	struct wire_reader r = wire_reader_init(m->fields, m->fields_size);
	uint32_t reader = wire_read_u32(&r);

	if (wire_reader_end(&r) < 0) {
		return -EBADMSG;
	}
	ret->reader = reader;
	return 0;
}

ssize_t ipc_encode_wrapped(const struct ipc_wrapped *m, uint8_t *out, size_t size)
{
	struct wire_writer w = writer_begin(IPC_WRAPPED, out, size);

	if (m->wrapped_size > sizeof(m->wrapped)) {
		return -ENOSPC;
	}
	wire_write_u64(&w, m->request);
	wire_write_u32(&w, m->epoch);
	wire_write_bytes(&w, m->enc, sizeof(m->enc));
	wire_write_u8(&w, m->wrapped_size);
	wire_write_bytes(&w, m->wrapped, m->wrapped_size);
	return wire_writer_end(&w);
}

int ipc_parse_wrapped(const struct ipc_message *m, struct ipc_wrapped *ret)
{
	struct wire_reader r = wire_reader_init(m->fields, m->fields_size);
	struct ipc_wrapped x = {0};

	x.request = wire_read_u64(&r);
	x.epoch = wire_read_u32(&r);
	wire_read_bytes(&r, x.enc, sizeof(x.enc));
	x.wrapped_size = wire_read_u8(&r);
	if (x.wrapped_size > sizeof(x.wrapped)) {
		return -EBADMSG;
	}
	wire_read_bytes(&r, x.wrapped, x.wrapped_size);
	if (wire_reader_end(&r) < 0) {
		return -EBADMSG;
	}
	*ret = x;
	return 0;
}

ssize_t ipc_encode_rotated(const struct ipc_rotated *m, uint8_t *out, size_t size)
{
	struct wire_writer w = writer_begin(IPC_ROTATED, out, size);

	wire_write_u64(&w, m->request);
	wire_write_u32(&w, m->epoch);
	return wire_writer_end(&w);
}

int ipc_parse_rotated(const struct ipc_message *m, struct ipc_rotated *ret)
{
	struct wire_reader r = wire_reader_init(m->fields, m->fields_size);
	struct ipc_rotated x = {0};

	x.request = wire_read_u64(&r);
	x.epoch = wire_read_u32(&r);
	if (wire_reader_end(&r) < 0) {
		return -EBADMSG;
	}
	*ret = x;
	return 0;
}

ssize_t ipc_encode_camera_status(const struct ipc_camera_status *m, uint8_t *out, size_t size)
{
	struct wire_writer w = writer_begin(IPC_CAMERA_STATUS, out, size);

	wire_write_u8(&w, m->activity);
	wire_write_u32(&w, m->epoch);
	wire_write_u64(&w, m->sealed);
	for (size_t i = 0; i < DROP_REASONS; i++) {
		wire_write_u64(&w, m->dropped[i]);
	}
	wire_write_str(&w, m->detail);
	return wire_writer_end(&w);
}

int ipc_parse_camera_status(const struct ipc_message *m, struct ipc_camera_status *ret)
{
	struct wire_reader r = wire_reader_init(m->fields, m->fields_size);
	struct ipc_camera_status s = {0};

	s.activity = wire_read_u8(&r);
	s.epoch = wire_read_u32(&r);
	s.sealed = wire_read_u64(&r);
	for (size_t i = 0; i < DROP_REASONS; i++) {
		s.dropped[i] = wire_read_u64(&r);
	}
	wire_read_str(&r, s.detail, sizeof(s.detail));
	if (wire_reader_end(&r) < 0 || s.activity > CAMERA_FAILING) {
		return -EBADMSG;
	}
	*ret = s;
	return 0;
}

ssize_t ipc_encode_adopted(const struct ipc_adopted *m, uint8_t *out, size_t size)
{
	struct wire_writer w = writer_begin(IPC_ADOPTED, out, size);

	wire_write_bytes(&w, m->home, sizeof(m->home));
	wire_write_bytes(&w, m->camera, sizeof(m->camera));
	wire_write_str(&w, m->name);
	return wire_writer_end(&w);
}

int ipc_parse_adopted(const struct ipc_message *m, struct ipc_adopted *ret)
{
	struct wire_reader r = wire_reader_init(m->fields, m->fields_size);
	struct ipc_adopted a = {0};

	wire_read_bytes(&r, a.home, sizeof(a.home));
	wire_read_bytes(&r, a.camera, sizeof(a.camera));
	wire_read_str(&r, a.name, sizeof(a.name));
	if (wire_reader_end(&r) < 0) {
		return -EBADMSG;
	}
	*ret = a;
	return 0;
}

ssize_t ipc_encode_turned_away(const struct ipc_turned_away *m, uint8_t *out, size_t size)
{
	struct wire_writer w = writer_begin(IPC_TURNED_AWAY, out, size);

	wire_write_str(&w, m->reason);
	return wire_writer_end(&w);
}

int ipc_parse_turned_away(const struct ipc_message *m, struct ipc_turned_away *ret)
{
	struct wire_reader r = wire_reader_init(m->fields, m->fields_size);
	struct ipc_turned_away t = {0};

	wire_read_str(&r, t.reason, sizeof(t.reason));
	if (wire_reader_end(&r) < 0) {
		return -EBADMSG;
	}
	*ret = t;
	return 0;
}

ssize_t ipc_encode_demand(const struct ipc_demand *m, uint8_t *out, size_t size)
{
	struct wire_writer w = writer_begin(IPC_DEMAND, out, size);

	wire_write_u8(&w, m->renditions);
	return wire_writer_end(&w);
}

int ipc_parse_demand(const struct ipc_message *m, struct ipc_demand *ret)
{
	struct wire_reader r = wire_reader_init(m->fields, m->fields_size);
	uint8_t renditions = wire_read_u8(&r);

	if (wire_reader_end(&r) < 0 || renditions >= 1 << RENDITION_COUNT) {
		return -EBADMSG;
	}
	ret->renditions = renditions;
	return 0;
}

ssize_t ipc_encode_wrap(const struct ipc_wrap *m, uint8_t *out, size_t size)
{
	struct wire_writer w = writer_begin(IPC_WRAP, out, size);

	wire_write_u64(&w, m->request);
	wire_write_bytes(&w, m->display, sizeof(m->display));
	wire_write_bytes(&w, m->kem_public, sizeof(m->kem_public));
	wire_write_bytes(&w, m->session, sizeof(m->session));
	wire_write_u8(&w, m->purpose);
	wire_write_bytes(&w, m->nonce, sizeof(m->nonce));
	return wire_writer_end(&w);
}

int ipc_parse_wrap(const struct ipc_message *m, struct ipc_wrap *ret)
{
	struct wire_reader r = wire_reader_init(m->fields, m->fields_size);
	struct ipc_wrap x = {0};

	x.request = wire_read_u64(&r);
	wire_read_bytes(&r, x.display, sizeof(x.display));
	wire_read_bytes(&r, x.kem_public, sizeof(x.kem_public));
	wire_read_bytes(&r, x.session, sizeof(x.session));
	x.purpose = wire_read_u8(&r);
	wire_read_bytes(&r, x.nonce, sizeof(x.nonce));
	if (wire_reader_end(&r) < 0 || x.purpose < KEY_WATCH || x.purpose > KEY_TIME) {
		return -EBADMSG;
	}
	*ret = x;
	return 0;
}

ssize_t ipc_encode_request(uint8_t type, const struct ipc_request *m, uint8_t *out, size_t size)
{
	struct wire_writer w = writer_begin(type, out, size);

	wire_write_u64(&w, m->request);
	return wire_writer_end(&w);
}

int ipc_parse_request(const struct ipc_message *m, struct ipc_request *ret)
{
	struct wire_reader r = wire_reader_init(m->fields, m->fields_size);
	uint64_t request = wire_read_u64(&r);

	if (wire_reader_end(&r) < 0) {
		return -EBADMSG;
	}
	ret->request = request;
	return 0;
}
