/* The record, read back: viewings with their ends, and what else happened. */
#include "audit_entry.h"
#include <errno.h>
#include <string.h>

/* What the opening and its closing say together. A viewing without a closing goes on for ever. */
static const char listing[] =
	"SELECT o.sequence, o.kind, o.time_s, coalesce(c.time_s, o.time_s), o.display,"
	" o.display_name, o.camera, o.camera_name, o.session, o.stream, o.actor, o.note,"
	" c.sequence, c.reason, c.duration_ms, c.sent, c.drawn, c.late, c.hidden, c.refused,"
	" c.worst_age_ms, c.dropped, c.attested"
	" FROM audit o LEFT JOIN audit c ON c.viewing = o.sequence AND c.kind = 2"
	" WHERE o.kind != 2 AND o.sequence > ?1"
	" AND (?2 IS NULL OR o.display = ?2) AND (?3 IS NULL OR o.camera = ?3)"
	" AND (max(o.time_s, coalesce(c.time_s, o.time_s)) >= ?4"
	"   OR (o.kind = 1 AND c.sequence IS NULL))"
	" AND min(o.time_s, coalesce(c.time_s, o.time_s)) <= ?5"
	" ORDER BY o.sequence LIMIT ?6";

static int read_item(struct store_query *q, struct audit_item *ret)
{
	struct audit_item i = {0};
	sqlite3_stmt *row = q->statement;

	i.sequence = sqlite3_column_int64(row, 0);
	i.kind = (enum audit_kind)sqlite3_column_int(row, 1);
	i.from_s = sqlite3_column_int64(row, 2);
	i.to_s = sqlite3_column_int64(row, 3);
	store_column_blob(q, 4, i.o.display, sizeof(i.o.display));
	store_column_text(q, 5, i.o.display_name, sizeof(i.o.display_name));
	store_column_blob(q, 6, i.o.camera, sizeof(i.o.camera));
	store_column_text(q, 7, i.o.camera_name, sizeof(i.o.camera_name));
	store_column_blob(q, 8, i.o.session, sizeof(i.o.session));
	i.o.stream = (uint16_t)sqlite3_column_int(row, 9);
	store_column_text(q, 10, i.actor, sizeof(i.actor));
	store_column_text(q, 11, i.note, sizeof(i.note));
	i.closed = sqlite3_column_type(row, 12) != SQLITE_NULL;
	i.reason = (enum audit_reason)sqlite3_column_int(row, 13);
	i.duration_ms = (uint64_t)sqlite3_column_int64(row, 14);
	i.counts.sent = (uint32_t)sqlite3_column_int64(row, 15);
	i.counts.drawn = (uint32_t)sqlite3_column_int64(row, 16);
	i.counts.late = (uint32_t)sqlite3_column_int64(row, 17);
	i.counts.hidden = (uint32_t)sqlite3_column_int64(row, 18);
	i.counts.refused = (uint32_t)sqlite3_column_int64(row, 19);
	i.counts.worst_age_ms = (uint32_t)sqlite3_column_int64(row, 20);
	i.counts.dropped = (uint32_t)sqlite3_column_int64(row, 21);
	i.counts.attested = sqlite3_column_int(row, 22) != 0;
	if (q->error == 0) {
		*ret = i;
	}
	return q->error;
}

int audit_each(struct store *s, const struct audit_filter *f,
	int (*each)(void *data, const struct audit_item *i), void *data)
{
	struct store_query q = store_query_init(s, listing);
	struct audit_item item;
	int result;

	store_bind_int(&q, f->after);
	store_bind_blob(&q, f->display, f->display != NULL ? DISPLAY_ID_BYTES : 0);
	store_bind_blob(&q, f->camera, f->camera != NULL ? CAMERA_ID_BYTES : 0);
	store_bind_int(&q, f->since_s);
	store_bind_int(&q, f->until_s);
	store_bind_int(&q, f->max > 0 ? (int64_t)f->max : -1);
	while ((result = store_step(&q)) == 1) {
		result = read_item(&q, &item);
		if (result == 0) {
			result = each(data, &item);
		}
		if (result != 0) {
			break;
		}
	}
	store_query_finish(&q);
	return result;
}

/* The one id that a query names. Finishes q. */
static int only_id(struct store_query *q, uint8_t *ret, size_t size)
{
	uint8_t id[DISPLAY_ID_BYTES];
	int result = store_step_first(q);

	if (result == 0) {
		store_column_blob(q, 0, id, size);
		result = q->error;
	}
	if (result == 0) {
		result = store_step_last(q);
	}
	if (result == 0) {
		memcpy(ret, id, size);
	}
	store_query_finish(q);
	return result;
}

/* by_name and by_id have one parameter each, and zeroes are nobody's id. */
static int find(struct store *s, const char *text, const char *by_name, const char *by_id,
	uint8_t *ret, size_t size)
{
	char prefix[2 * DISPLAY_ID_BYTES + 2];
	struct store_query q = store_query_init(s, by_name);
	int result;

	store_bind_text(&q, text);
	result = only_id(&q, ret, size);
	if (result != -ENOENT || !store_hex_prefix(text, size, prefix)) {
		return result;
	}
	q = store_query_init(s, by_id);
	store_bind_text(&q, prefix);
	return only_id(&q, ret, size);
}

int audit_find_camera(struct store *s, const char *text, uint8_t ret[static CAMERA_ID_BYTES])
{
	return find(s, text,
		"SELECT DISTINCT camera FROM audit WHERE camera_name = ? AND camera_name != ''",
		"SELECT DISTINCT camera FROM audit WHERE hex(camera) LIKE ?", ret, CAMERA_ID_BYTES);
}

int audit_find_display(struct store *s, const char *text, uint8_t ret[static DISPLAY_ID_BYTES])
{
	return find(s, text,
		"SELECT DISTINCT display FROM audit WHERE display_name = ? AND display_name != ''",
		"SELECT DISTINCT display FROM audit WHERE hex(display) LIKE ?", ret,
		DISPLAY_ID_BYTES);
}

int audit_begins(struct store *s, int64_t now_s, int64_t *ret_s)
{
	struct store_query q =
		store_query_init(s, "SELECT time_s FROM audit ORDER BY sequence LIMIT 1");
	int result = store_step(&q);

	if (result >= 0) {
		*ret_s = result == 1 ? sqlite3_column_int64(q.statement, 0) : now_s;
	}
	store_query_finish(&q);
	return result < 0 ? result : 0;
}

bool audit_counts_poor(const struct audit_counts *c)
{
	uint64_t lost = (uint64_t)c->dropped + c->late;
	uint64_t all = lost + c->drawn + c->hidden + c->refused;

	return c->worst_age_ms > AUDIT_POOR_AGE_MS || lost * 100 > all * AUDIT_POOR_DROPPED_PERCENT;
}
