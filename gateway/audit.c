#include "audit.h"
#include "keys.h"
#include "store_sql.h"
#include <errno.h>
#include <string.h>
#include <time.h>

enum { ENTRY_BYTES_MAX = 512, PRUNE_STEP = 1000 };

/* A row of the audit table. */
struct entry {
	int64_t sequence, viewing, time_s;
	uint8_t kind, reason;
	struct audit_opening o;
	struct audit_counts counts;
	uint8_t chain[DIGEST_BYTES];
};

#define COLUMNS                                                                                    \
	"sequence, kind, viewing, time_s, display, display_name, camera, camera_name, session,"    \
	" stream, reason, sent, drawn, late, hidden, refused, worst_age_ms, attested, chain"

static int entry_read(struct store_query *q, struct entry *ret)
{
	struct entry e = {0};
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
	if (q->error == 0) {
		*ret = e;
	}
	return q->error;
}

/* SHA-256(previous ‖ every field of the entry). */
static int entry_digest(const struct entry *e, const uint8_t previous[static DIGEST_BYTES],
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
	size = wire_writer_end(&w);
	if (size < 0) {
		return (int)size;
	}
	part.size = (size_t)size;
	return digest_sha256(&part, 1, out);
}

/* Where the chain begins: at the home, or at the last entry that was removed for its age. */
static int read_anchor(struct store *s, uint8_t out[static DIGEST_BYTES])
{
	static const char label[] = "camgate audit v1";
	struct digest_part parts[] = {{label, sizeof(label) - 1}, {s->home, HOME_ID_BYTES}};
	struct store_query q =
		store_query_init(s, "SELECT value FROM meta WHERE key = 'audit anchor'");
	int result = store_step(&q);

	if (result == 1) {
		store_column_blob(&q, 0, out, DIGEST_BYTES);
		result = q.error;
	} else if (result == 0) {
		result = digest_sha256(parts, 2, out);
	}
	store_query_finish(&q);
	return result;
}

static int read_last(struct store *s, int64_t *ret_sequence, uint8_t chain[static DIGEST_BYTES])
{
	struct store_query q = store_query_init(
		s, "SELECT sequence, chain FROM audit ORDER BY sequence DESC LIMIT 1");
	int result = store_step(&q);

	if (result == 1) {
		*ret_sequence = sqlite3_column_int64(q.statement, 0);
		store_column_blob(&q, 1, chain, DIGEST_BYTES);
		result = q.error;
	} else if (result == 0) {
		*ret_sequence = 0;
		result = read_anchor(s, chain);
	}
	store_query_finish(&q);
	return result;
}

/* Removes the oldest, keeping the chain of the last one removed as the new beginning. */
static int prune(struct store *s, int64_t newest)
{
	struct store_query q;
	int64_t last = newest - AUDIT_ENTRIES_MAX;
	int result;

	q = store_query_init(s, "INSERT OR REPLACE INTO meta(key, value)"
				" SELECT 'audit anchor', chain FROM audit WHERE sequence = ?");
	store_bind_int(&q, last);
	result = store_run(&q, NULL);
	if (result == 0) {
		q = store_query_init(s, "DELETE FROM audit WHERE sequence <= ?");
		store_bind_int(&q, last);
		result = store_run(&q, NULL);
	}
	return result;
}

/* Appends e inside a transaction of the caller; completes sequence, viewing, time and chain. */
static int entry_append(struct store *s, struct entry *e)
{
	struct store_query q;
	uint8_t previous[DIGEST_BYTES];
	int result = read_last(s, &e->sequence, previous);

	e->sequence++;
	e->time_s = (int64_t)time(NULL);
	if (e->kind == AUDIT_OPENED) {
		e->viewing = e->sequence;
	}
	if (result == 0) {
		result = entry_digest(e, previous, e->chain);
	}
	if (result < 0) {
		return result;
	}
	q = store_query_init(s, "INSERT INTO audit(" COLUMNS ")"
				" VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
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
	result = store_run(&q, NULL);
	if (result == 0 && e->sequence % PRUNE_STEP == 0 && e->sequence > AUDIT_ENTRIES_MAX) {
		result = prune(s, e->sequence);
	}
	return result;
}

int audit_open(struct store *s, const struct audit_opening *o, int64_t *ret_viewing)
{
	struct entry e = {.kind = AUDIT_OPENED, .o = *o};
	int result = store_begin(s);

	if (result < 0) {
		return result;
	}
	result = entry_append(s, &e);
	if (result < 0) {
		store_rollback(s);
		return result;
	}
	result = store_commit(s);
	if (result == 0) {
		*ret_viewing = e.viewing;
	}
	return result;
}

/* Inside a transaction of the caller. */
static int append_closing(struct store *s, const struct audit_closing *c)
{
	struct store_query q =
		store_query_init(s, "SELECT " COLUMNS " FROM audit a"
				    " WHERE sequence = ? AND kind = 1 AND NOT EXISTS"
				    " (SELECT 1 FROM audit b WHERE b.viewing = a.sequence"
				    "  AND b.kind = 2)");
	struct entry e;
	int result;

	store_bind_int(&q, c->viewing);
	result = store_step(&q);
	if (result == 1) {
		result = entry_read(&q, &e);
	} else if (result == 0) {
		result = -ENOENT;
	}
	store_query_finish(&q);
	if (result < 0) {
		return result;
	}
	e.kind = AUDIT_CLOSED;
	e.reason = (uint8_t)c->reason;
	e.counts = c->counts;
	return entry_append(s, &e);
}

int audit_close(struct store *s, const struct audit_closing *closings, size_t count)
{
	int result = store_begin(s);

	if (result < 0) {
		return result;
	}
	for (size_t i = 0; result == 0 && i < count; i++) {
		result = append_closing(s, &closings[i]);
		result = result == -ENOENT ? 0 : result;
	}
	if (result < 0) {
		store_rollback(s);
		return result;
	}
	return store_commit(s);
}

int audit_close_unseen(struct store *s, unsigned int *ret_count)
{
	struct audit_closing unseen = {.reason = AUDIT_UNSEEN};
	unsigned int count = 0;
	int result = store_begin(s);

	while (result == 0) {
		struct store_query q = store_query_init(s,
			"SELECT sequence FROM audit a WHERE kind = 1 AND sequence > ? AND NOT "
			"EXISTS"
			" (SELECT 1 FROM audit b WHERE b.viewing = a.sequence AND b.kind = 2)"
			" ORDER BY sequence LIMIT 1");

		store_bind_int(&q, unseen.viewing);
		result = store_step(&q);
		unseen.viewing = result == 1 ? sqlite3_column_int64(q.statement, 0) : 0;
		store_query_finish(&q);
		if (result != 1) {
			break;
		}
		result = append_closing(s, &unseen);
		count++;
	}
	if (result < 0) {
		store_rollback(s);
		return result;
	}
	result = store_commit(s);
	if (result == 0 && ret_count != NULL) {
		*ret_count = count;
	}
	return result;
}

int audit_verify(struct store *s)
{
	uint8_t chain[DIGEST_BYTES], expected[DIGEST_BYTES];
	struct entry e;
	struct store_query q;
	int64_t sequence = 0;
	int result = read_anchor(s, chain);

	if (result < 0) {
		return result;
	}
	q = store_query_init(s, "SELECT " COLUMNS " FROM audit ORDER BY sequence");
	while ((result = store_step(&q)) == 1) {
		result = entry_read(&q, &e);
		if (result == 0) {
			result = entry_digest(&e, chain, expected);
		}
		if (result == 0 && (!bytes_equal(expected, e.chain, sizeof(expected)) ||
					   (sequence != 0 && e.sequence != sequence + 1))) {
			result = -EBADMSG;
		}
		if (result < 0) {
			break;
		}
		sequence = e.sequence;
		memcpy(chain, e.chain, sizeof(chain));
	}
	store_query_finish(&q);
	return result;
}

int64_t audit_count(struct store *s)
{
	struct store_query q = store_query_init(s, "SELECT count(*) FROM audit WHERE kind = 1");
	int64_t result = store_step(&q);

	if (result == 1) {
		result = sqlite3_column_int64(q.statement, 0);
	}
	store_query_finish(&q);
	return result;
}

const char *audit_reason_text(enum audit_reason reason)
{
	static const char *const texts[AUDIT_REASONS] = {
		[AUDIT_NONE] = "",
		[AUDIT_UNWATCHED] = "stopped watching",
		[AUDIT_LEFT] = "left",
		[AUDIT_REVOKED] = "revoked",
		[AUDIT_CAMERA_GONE] = "camera gone",
		[AUDIT_WEB_GONE] = "web role ended",
		[AUDIT_MIX_UP] = "cut off after reporting mix-ups",
		[AUDIT_REFUSED] = "broke the protocol",
		[AUDIT_NO_KEY] = "no key",
		[AUDIT_STOPPED] = "gateway stopped",
		[AUDIT_UNSEEN] = "ended unseen",
		[AUDIT_PREVIEW_OVER] = "preview over",
	};

	return (size_t)reason < AUDIT_REASONS ? texts[reason] : "unknown";
}
