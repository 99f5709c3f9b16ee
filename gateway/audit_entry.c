#include "audit_entry.h"
#include "keys.h"
#include <errno.h>
#include <string.h>

enum { ENTRY_BYTES_MAX = 1024 };

int audit_entry_read(struct store_query *q, struct audit_entry *ret)
{
	struct audit_entry e = {0};
	sqlite3_stmt *row = q->statement;

	e.sequence = sqlite3_column_int64(row, 0);
	e.kind = (uint8_t)sqlite3_column_int(row, 1);
	e.viewing = sqlite3_column_int64(row, 2);
	e.time_s = sqlite3_column_int64(row, 3);
	store_column_blob(q, 4, e.o.display, sizeof(e.o.display));
	store_column_text(q, 5, e.o.display_name, sizeof(e.o.display_name));
	store_column_blob(q, 6, e.o.camera, sizeof(e.o.camera));
	store_column_text(q, 7, e.o.camera_name, sizeof(e.o.camera_name));
	store_column_blob(q, 8, e.o.session, sizeof(e.o.session));
	e.o.stream = (uint16_t)sqlite3_column_int(row, 9);
	e.reason = (uint8_t)sqlite3_column_int(row, 10);
	e.counts.sent = (uint32_t)sqlite3_column_int64(row, 11);
	e.counts.drawn = (uint32_t)sqlite3_column_int64(row, 12);
	e.counts.late = (uint32_t)sqlite3_column_int64(row, 13);
	e.counts.hidden = (uint32_t)sqlite3_column_int64(row, 14);
	e.counts.refused = (uint32_t)sqlite3_column_int64(row, 15);
	e.counts.worst_age_ms = (uint32_t)sqlite3_column_int64(row, 16);
	e.counts.attested = sqlite3_column_int(row, 17) != 0;
	store_column_blob(q, 18, e.chain, sizeof(e.chain));
	e.format = (uint8_t)sqlite3_column_int(row, 19);
	e.counts.dropped = (uint32_t)sqlite3_column_int64(row, 20);
	e.duration_ms = (uint64_t)sqlite3_column_int64(row, 21);
	store_column_text(q, 22, e.actor, sizeof(e.actor));
	store_column_text(q, 23, e.note, sizeof(e.note));
	if (q->error == 0) {
		*ret = e;
	}
	return q->error;
}

int audit_entry_write(struct store *s, const struct audit_entry *e)
{
	struct store_query q =
		store_query_init(s, "INSERT INTO audit(" AUDIT_COLUMNS ")"
				    " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");

	store_bind_int(&q, e->sequence);
	store_bind_int(&q, e->kind);
	store_bind_int(&q, e->viewing);
	store_bind_int(&q, e->time_s);
	store_bind_blob(&q, e->o.display, sizeof(e->o.display));
	store_bind_text(&q, e->o.display_name);
	store_bind_blob(&q, e->o.camera, sizeof(e->o.camera));
	store_bind_text(&q, e->o.camera_name);
	store_bind_blob(&q, e->o.session, sizeof(e->o.session));
	store_bind_int(&q, e->o.stream);
	store_bind_int(&q, e->reason);
	store_bind_int(&q, e->counts.sent);
	store_bind_int(&q, e->counts.drawn);
	store_bind_int(&q, e->counts.late);
	store_bind_int(&q, e->counts.hidden);
	store_bind_int(&q, e->counts.refused);
	store_bind_int(&q, e->counts.worst_age_ms);
	store_bind_int(&q, e->counts.attested);
	store_bind_blob(&q, e->chain, sizeof(e->chain));
	store_bind_int(&q, e->format);
	store_bind_int(&q, e->counts.dropped);
	store_bind_int(&q, (int64_t)e->duration_ms);
	store_bind_text(&q, e->actor);
	store_bind_text(&q, e->note);
	return store_run(&q, NULL);
}

static bool is_old(const struct audit_entry *e)
{
	return e->format == 0 && e->counts.dropped == 0 && e->duration_ms == 0 &&
	       e->actor[0] == 0 && e->note[0] == 0;
}

static void write_more(struct wire_writer *w, const struct audit_entry *e)
{
	wire_write_u8(w, e->format);
	wire_write_u32(w, e->counts.dropped);
	wire_write_u64(w, e->duration_ms);
	wire_write_str(w, e->actor);
	wire_write_str(w, e->note);
}

int audit_entry_digest(const struct audit_entry *e, const uint8_t previous[static DIGEST_BYTES],
	uint8_t out[static DIGEST_BYTES])
{
	uint8_t bytes[ENTRY_BYTES_MAX];
	struct wire_writer w = wire_writer_init(bytes, sizeof(bytes));
	struct digest_part part = {bytes, 0};
	ssize_t size;

	wire_write_bytes(&w, previous, DIGEST_BYTES);
	wire_write_u64(&w, (uint64_t)e->sequence);
	wire_write_u8(&w, e->kind);
	wire_write_u64(&w, (uint64_t)e->viewing);
	wire_write_u64(&w, (uint64_t)e->time_s);
	wire_write_bytes(&w, e->o.display, sizeof(e->o.display));
	wire_write_str(&w, e->o.display_name);
	wire_write_bytes(&w, e->o.camera, sizeof(e->o.camera));
	wire_write_str(&w, e->o.camera_name);
	wire_write_bytes(&w, e->o.session, sizeof(e->o.session));
	wire_write_u16(&w, e->o.stream);
	wire_write_u8(&w, e->reason);
	wire_write_u32(&w, e->counts.sent);
	wire_write_u32(&w, e->counts.drawn);
	wire_write_u32(&w, e->counts.late);
	wire_write_u32(&w, e->counts.hidden);
	wire_write_u32(&w, e->counts.refused);
	wire_write_u32(&w, e->counts.worst_age_ms);
	wire_write_u8(&w, e->counts.attested);
	if (!is_old(e)) {
		write_more(&w, e);
	}
	size = wire_writer_end(&w);
	if (size < 0) {
		return (int)size;
	}
	part.size = (size_t)size;
	return digest_sha256(&part, 1, out);
}
