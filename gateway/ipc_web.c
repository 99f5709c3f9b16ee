#include "ipc.h"

#include <errno.h>
#include <string.h>

/* What the web role and the keeper say to each other, and what every role says. */

static struct wire_writer writer_begin(uint8_t type, uint8_t *out, size_t size)
{
	struct wire_writer w = wire_writer_init(out, size);

	wire_write_u8(&w, type);
	return w;
}

static void write_blob(struct wire_writer *w, const uint8_t *data, size_t size)
{
	if (size > UINT16_MAX) {
		w->bad = true;
		return;
	}
	wire_write_u16(w, (uint16_t)size);
	wire_write_bytes(w, data, size);
}

static const uint8_t *read_blob(struct wire_reader *r, size_t *ret_size)
{
	*ret_size = wire_read_u16(r);
	return wire_read_borrow(r, *ret_size);
}

static bool read_bool(struct wire_reader *r)
{
	uint8_t value = wire_read_u8(r);

	if (value > 1) {
		r->bad = true;
	}
	return value == 1;
}

/* ---- web → keeper ---- */

ssize_t ipc_encode_web_hello(const struct ipc_web_hello *m, uint8_t *out, size_t size)
{
	struct wire_writer w = writer_begin(IPC_WEB_HELLO, out, size);

	wire_write_u16(&w, m->port);
	wire_write_str(&w, m->listening);
	return wire_writer_end(&w);
}

int ipc_parse_web_hello(const struct ipc_message *m, struct ipc_web_hello *ret)
{
	struct wire_reader r = wire_reader_init(m->fields, m->fields_size);
	struct ipc_web_hello h = {0};

	h.port = wire_read_u16(&r);
	wire_read_str(&r, h.listening, sizeof(h.listening));
	if (wire_reader_end(&r) < 0) {
		return -EBADMSG;
	}
	*ret = h;
	return 0;
}

ssize_t ipc_encode_opened(const struct ipc_opened *m, uint8_t *out, size_t size)
{
	struct wire_writer w = writer_begin(IPC_OPENED, out, size);

	wire_write_u64(&w, m->connection);
	wire_write_str(&w, m->peer);
	wire_write_str(&w, m->origin);
	return wire_writer_end(&w);
}

int ipc_parse_opened(const struct ipc_message *m, struct ipc_opened *ret)
{
	struct wire_reader r = wire_reader_init(m->fields, m->fields_size);
	struct ipc_opened o = {0};

	o.connection = wire_read_u64(&r);
	wire_read_str(&r, o.peer, sizeof(o.peer));
	wire_read_str(&r, o.origin, sizeof(o.origin));
	if (wire_reader_end(&r) < 0) {
		return -EBADMSG;
	}
	*ret = o;
	return 0;
}

ssize_t ipc_encode_relay(uint8_t type, const struct ipc_relay *m, uint8_t *out, size_t size)
{
	struct wire_writer w = writer_begin(type, out, size);

	wire_write_u64(&w, m->connection);
	write_blob(&w, m->bytes, m->size);
	return wire_writer_end(&w);
}

int ipc_parse_relay(const struct ipc_message *m, struct ipc_relay *ret)
{
	struct wire_reader r = wire_reader_init(m->fields, m->fields_size);
	struct ipc_relay x = {0};

	x.connection = wire_read_u64(&r);
	x.bytes = read_blob(&r, &x.size);
	if (wire_reader_end(&r) < 0 || !x.size) {
		return -EBADMSG;
	}
	*ret = x;
	return 0;
}

ssize_t ipc_encode_connection(
	uint8_t type, const struct ipc_connection *m, uint8_t *out, size_t size)
{
	struct wire_writer w = writer_begin(type, out, size);

	wire_write_u64(&w, m->connection);
	return wire_writer_end(&w);
}

int ipc_parse_connection(const struct ipc_message *m, struct ipc_connection *ret)
{
	struct wire_reader r = wire_reader_init(m->fields, m->fields_size);
	uint64_t connection = wire_read_u64(&r);

	if (wire_reader_end(&r) < 0) {
		return -EBADMSG;
	}
	ret->connection = connection;
	return 0;
}

ssize_t ipc_encode_counts(const struct ipc_counts *m, uint8_t *out, size_t size)
{
	struct wire_writer w = writer_begin(IPC_COUNTS, out, size);

	wire_write_u64(&w, m->connection);
	wire_write_u16(&w, m->stream);
	wire_write_u8(&w, m->final ? 1 : 0);
	wire_write_u32(&w, m->sent);
	wire_write_u32(&w, m->aborted);
	wire_write_u32(&w, m->skipped);
	wire_write_u32(&w, m->drawn);
	wire_write_u32(&w, m->late);
	wire_write_u32(&w, m->hidden);
	wire_write_u32(&w, m->refused);
	wire_write_u32(&w, m->worst_age_ms);
	wire_write_u64(&w, m->bytes);
	return wire_writer_end(&w);
}

int ipc_parse_counts(const struct ipc_message *m, struct ipc_counts *ret)
{
	struct wire_reader r = wire_reader_init(m->fields, m->fields_size);
	struct ipc_counts c = {0};

	c.connection = wire_read_u64(&r);
	c.stream = wire_read_u16(&r);
	c.final = read_bool(&r);
	c.sent = wire_read_u32(&r);
	c.aborted = wire_read_u32(&r);
	c.skipped = wire_read_u32(&r);
	c.drawn = wire_read_u32(&r);
	c.late = wire_read_u32(&r);
	c.hidden = wire_read_u32(&r);
	c.refused = wire_read_u32(&r);
	c.worst_age_ms = wire_read_u32(&r);
	c.bytes = wire_read_u64(&r);
	if (wire_reader_end(&r) < 0) {
		return -EBADMSG;
	}
	*ret = c;
	return 0;
}

ssize_t ipc_encode_refusals(const struct ipc_refusals *m, uint8_t *out, size_t size)
{
	struct wire_writer w = writer_begin(IPC_REFUSALS, out, size);

	for (size_t i = 0; i < WEB_REFUSALS; i++) {
		wire_write_u32(&w, m->counts[i]);
	}
	return wire_writer_end(&w);
}

int ipc_parse_refusals(const struct ipc_message *m, struct ipc_refusals *ret)
{
	struct wire_reader r = wire_reader_init(m->fields, m->fields_size);
	struct ipc_refusals x = {{0}};

	for (size_t i = 0; i < WEB_REFUSALS; i++) {
		x.counts[i] = wire_read_u32(&r);
	}
	if (wire_reader_end(&r) < 0) {
		return -EBADMSG;
	}
	*ret = x;
	return 0;
}

ssize_t ipc_encode_stream(uint8_t type, const struct ipc_stream *m, uint8_t *out, size_t size)
{
	struct wire_writer w = writer_begin(type, out, size);

	wire_write_u64(&w, m->connection);
	wire_write_u16(&w, m->stream);
	return wire_writer_end(&w);
}

int ipc_parse_stream(const struct ipc_message *m, struct ipc_stream *ret)
{
	struct wire_reader r = wire_reader_init(m->fields, m->fields_size);
	struct ipc_stream s = {0};

	s.connection = wire_read_u64(&r);
	s.stream = wire_read_u16(&r);
	if (wire_reader_end(&r) < 0) {
		return -EBADMSG;
	}
	*ret = s;
	return 0;
}

/* ---- keeper → web ---- */

ssize_t ipc_encode_web_config(const struct ipc_web_config *m, uint8_t *out, size_t size)
{
	struct wire_writer w = writer_begin(IPC_WEB_CONFIG, out, size);

	if (m->hosts_count > IPC_HOSTS_MAX) {
		return -ENOSPC;
	}
	wire_write_u32(&w, m->reader);
	write_blob(&w, m->certificate_pem, m->certificate_pem_size);
	write_blob(&w, m->key_pem, m->key_pem_size);
	write_blob(&w, m->ca_der, m->ca_der_size);
	wire_write_u8(&w, m->hosts_count);
	for (size_t i = 0; i < m->hosts_count; i++) {
		wire_write_str(&w, m->hosts[i]);
	}
	return wire_writer_end(&w);
}

int ipc_parse_web_config(const struct ipc_message *m, struct ipc_web_config *ret)
{
	struct wire_reader r = wire_reader_init(m->fields, m->fields_size);
	struct ipc_web_config c = {0};

	c.reader = wire_read_u32(&r);
	c.certificate_pem = read_blob(&r, &c.certificate_pem_size);
	c.key_pem = read_blob(&r, &c.key_pem_size);
	c.ca_der = read_blob(&r, &c.ca_der_size);
	c.hosts_count = wire_read_u8(&r);
	if (c.hosts_count > IPC_HOSTS_MAX) {
		return -EBADMSG;
	}
	for (size_t i = 0; i < c.hosts_count; i++) {
		wire_read_str(&r, c.hosts[i], sizeof(c.hosts[i]));
	}
	if (wire_reader_end(&r) < 0) {
		return -EBADMSG;
	}
	*ret = c;
	return 0;
}

ssize_t ipc_encode_tell_key(const struct ipc_tell_key *m, uint8_t *out, size_t size)
{
	struct wire_writer w = writer_begin(IPC_TELL_KEY, out, size);

	wire_write_u64(&w, m->connection);
	wire_write_u16(&w, m->stream);
	wire_write_u32(&w, m->epoch);
	wire_write_u8(&w, m->breaks ? 1 : 0);
	write_blob(&w, m->bytes, m->size);
	return wire_writer_end(&w);
}

int ipc_parse_tell_key(const struct ipc_message *m, struct ipc_tell_key *ret)
{
	struct wire_reader r = wire_reader_init(m->fields, m->fields_size);
	struct ipc_tell_key t = {0};

	t.connection = wire_read_u64(&r);
	t.stream = wire_read_u16(&r);
	t.epoch = wire_read_u32(&r);
	t.breaks = read_bool(&r);
	t.bytes = read_blob(&r, &t.size);
	if (wire_reader_end(&r) < 0 || !t.size) {
		return -EBADMSG;
	}
	*ret = t;
	return 0;
}

ssize_t ipc_encode_give(const struct ipc_give *m, uint8_t *out, size_t size)
{
	struct wire_writer w = writer_begin(IPC_GIVE, out, size);

	wire_write_u64(&w, m->connection);
	wire_write_u16(&w, m->stream);
	wire_write_u32(&w, m->ring);
	wire_write_bytes(&w, m->camera, sizeof(m->camera));
	wire_write_bytes(&w, m->generation, sizeof(m->generation));
	wire_write_u8(&w, m->rendition);
	return wire_writer_end(&w);
}

int ipc_parse_give(const struct ipc_message *m, struct ipc_give *ret)
{
	struct wire_reader r = wire_reader_init(m->fields, m->fields_size);
	struct ipc_give g = {0};

	g.connection = wire_read_u64(&r);
	g.stream = wire_read_u16(&r);
	g.ring = wire_read_u32(&r);
	wire_read_bytes(&r, g.camera, sizeof(g.camera));
	wire_read_bytes(&r, g.generation, sizeof(g.generation));
	g.rendition = wire_read_u8(&r);
	if (wire_reader_end(&r) < 0 || g.rendition >= RENDITION_COUNT) {
		return -EBADMSG;
	}
	*ret = g;
	return 0;
}

ssize_t ipc_encode_cut(const struct ipc_cut *m, uint8_t *out, size_t size)
{
	struct wire_writer w = writer_begin(IPC_CUT, out, size);

	wire_write_u64(&w, m->connection);
	wire_write_u8(&w, m->mode);
	return wire_writer_end(&w);
}

int ipc_parse_cut(const struct ipc_message *m, struct ipc_cut *ret)
{
	struct wire_reader r = wire_reader_init(m->fields, m->fields_size);
	struct ipc_cut c = {0};

	c.connection = wire_read_u64(&r);
	c.mode = wire_read_u8(&r);
	if (wire_reader_end(&r) < 0 || c.mode < CUT_RESET || c.mode > CUT_BUSY) {
		return -EBADMSG;
	}
	*ret = c;
	return 0;
}

ssize_t ipc_encode_ring(const struct ipc_ring *m, uint8_t *out, size_t size)
{
	struct wire_writer w = writer_begin(IPC_RING, out, size);

	wire_write_u32(&w, m->ring);
	wire_write_bytes(&w, m->camera, sizeof(m->camera));
	wire_write_bytes(&w, m->generation, sizeof(m->generation));
	wire_write_u32(&w, m->frame_max_bytes);
	return wire_writer_end(&w);
}

int ipc_parse_ring(const struct ipc_message *m, struct ipc_ring *ret)
{
	struct wire_reader r = wire_reader_init(m->fields, m->fields_size);
	struct ipc_ring x = {0};

	x.ring = wire_read_u32(&r);
	wire_read_bytes(&r, x.camera, sizeof(x.camera));
	wire_read_bytes(&r, x.generation, sizeof(x.generation));
	x.frame_max_bytes = wire_read_u32(&r);
	if (wire_reader_end(&r) < 0) {
		return -EBADMSG;
	}
	*ret = x;
	return 0;
}

ssize_t ipc_encode_ring_gone(const struct ipc_ring_gone *m, uint8_t *out, size_t size)
{
	struct wire_writer w = writer_begin(IPC_RING_GONE, out, size);

	wire_write_u32(&w, m->ring);
	return wire_writer_end(&w);
}

int ipc_parse_ring_gone(const struct ipc_message *m, struct ipc_ring_gone *ret)
{
	struct wire_reader r = wire_reader_init(m->fields, m->fields_size);
	uint32_t ring = wire_read_u32(&r);

	if (wire_reader_end(&r) < 0) {
		return -EBADMSG;
	}
	ret->ring = ring;
	return 0;
}

/* ---- any role → keeper ---- */

ssize_t ipc_encode_sandbox(const struct ipc_sandbox *m, uint8_t *out, size_t size)
{
	struct wire_writer w = writer_begin(IPC_SANDBOX, out, size);

	wire_write_str(&w, m->report);
	return wire_writer_end(&w);
}

int ipc_parse_sandbox(const struct ipc_message *m, struct ipc_sandbox *ret)
{
	struct wire_reader r = wire_reader_init(m->fields, m->fields_size);
	struct ipc_sandbox s = {0};

	wire_read_str(&r, s.report, sizeof(s.report));
	if (wire_reader_end(&r) < 0) {
		return -EBADMSG;
	}
	*ret = s;
	return 0;
}
