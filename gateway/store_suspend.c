#include "store_record.h"
#include <errno.h>
#include <stdio.h>
#include <time.h>

static size_t id_size(enum suspended what)
{
	return what == SUSPENDED_DISPLAY  ? DISPLAY_ID_BYTES
	       : what == SUSPENDED_CAMERA ? CAMERA_ID_BYTES
					  : 0;
}

const char *store_kind_text(enum display_kind kind)
{
	static const char *const texts[DISPLAY_KINDS] = {
		[DISPLAY_BROWSER] = "browser",
		[DISPLAY_KIOSK] = "kiosk",
		[DISPLAY_INTEGRATION] = "integration",
	};

	return (size_t)kind < DISPLAY_KINDS ? texts[kind] : "unknown";
}

/* Names who or what it is about. */
static int record(struct store *s, enum audit_kind kind, enum suspended what, const uint8_t *id,
	const char *reason)
{
	struct audit_event e = {.kind = kind};
	struct store_display d;
	struct store_camera c;
	int result;

	if (what == SUSPENDED_DISPLAY) {
		result = store_display_get(s, id, &d);
		return result == 0 ? store_record(s, kind, &d, NULL, reason) : result;
	}
	if (what == SUSPENDED_CAMERA) {
		result = store_camera_get(s, id, &c);
		return result == 0 ? store_record(s, kind, NULL, &c, reason) : result;
	}
	/* All displays of a kind. */
	snprintf(e.display_name, sizeof(e.display_name), "%s",
		store_kind_text((enum display_kind)what));
	snprintf(e.note, sizeof(e.note), "%s", reason);
	return audit_note(s, &e);
}

static int insert(struct store *s, enum suspended what, const uint8_t *id, const char *reason)
{
	struct store_query q = store_query_init(
		s, "INSERT INTO suspensions(what, id, reason, since_s) VALUES(?, ?, ?, ?)");

	store_bind_int(&q, what);
	store_bind_blob(&q, id_size(what) > 0 ? id : (const uint8_t *)"", id_size(what));
	store_bind_text(&q, reason);
	store_bind_int(&q, (int64_t)time(NULL));
	return store_run(&q, NULL);
}

static int delete (struct store *s, enum suspended what, const uint8_t *id)
{
	struct store_query q =
		store_query_init(s, "DELETE FROM suspensions WHERE what = ? AND id = ?");
	int result, changes = 0;

	store_bind_int(&q, what);
	store_bind_blob(&q, id_size(what) > 0 ? id : (const uint8_t *)"", id_size(what));
	result = store_run(&q, &changes);
	return result < 0 ? result : changes == 0 ? -ENOENT : 0;
}

int store_suspend(struct store *s, enum suspended what, const uint8_t *id, const char *reason)
{
	int result = store_begin(s);

	if (result < 0) {
		return result;
	}
	result = insert(s, what, id, reason);
	if (result == 0) {
		result = record(s, AUDIT_SUSPENDED, what, id, reason);
	}
	if (result < 0) {
		store_rollback(s);
		return result == -EEXIST ? -EALREADY : result;
	}
	return store_commit(s);
}

int store_resume(struct store *s, enum suspended what, const uint8_t *id)
{
	int result = store_begin(s);

	if (result < 0) {
		return result;
	}
	result = delete (s, what, id);
	if (result == 0) {
		result = record(s, AUDIT_RESUMED, what, id, "");
	}
	if (result < 0) {
		store_rollback(s);
		return result;
	}
	return store_commit(s);
}

/* what, id, reason, since_s. */
static int read_row(struct store_query *q, struct store_suspension *ret)
{
	*ret = (struct store_suspension){
		.what = (enum suspended)sqlite3_column_int(q->statement, 0)};
	if (id_size(ret->what) > 0) {
		store_column_blob(q, 1, ret->id, id_size(ret->what));
	}
	store_column_text(q, 2, ret->reason, sizeof(ret->reason));
	ret->since_s = sqlite3_column_int64(q->statement, 3);
	return q->error;
}

int store_suspension_of(struct store *s, const uint8_t *display, const uint8_t *camera,
	struct store_suspension *ret)
{
	static const uint8_t nobody[DISPLAY_ID_BYTES];
	/* The oldest: what came later changed nothing. */
	struct store_query q = store_query_init(s,
		"SELECT s.what, s.id, s.reason, s.since_s FROM suspensions s,"
		" (SELECT ?1 AS display, ?2 AS camera,"
		"   (SELECT kind FROM displays WHERE id = ?1) AS kind) d"
		" WHERE (s.what = d.kind) OR (s.what = 16 AND s.id = d.display)"
		" OR (s.what = 17 AND s.id = d.camera) ORDER BY s.since_s LIMIT 1");
	struct store_suspension x;
	int result;

	store_bind_blob(&q, display != NULL ? display : nobody, DISPLAY_ID_BYTES);
	store_bind_blob(&q, camera != NULL ? camera : nobody, CAMERA_ID_BYTES);
	result = store_step(&q);
	if (result == 1) {
		result = read_row(&q, &x);
		if (result == 0) {
			*ret = x;
			result = 1;
		}
	}
	store_query_finish(&q);
	return result;
}

int store_suspension_each(
	struct store *s, int (*each)(void *data, const struct store_suspension *x), void *data)
{
	struct store_query q = store_query_init(
		s, "SELECT what, id, reason, since_s FROM suspensions ORDER BY since_s, what, id");
	struct store_suspension x;
	int result;

	while ((result = store_step(&q)) == 1) {
		result = read_row(&q, &x);
		if (result == 0) {
			result = each(data, &x);
		}
		if (result != 0) {
			break;
		}
	}
	store_query_finish(&q);
	return result;
}

struct wanted {
	enum display_kind kind;
	struct store_suspension *ret;
};

static int find_kind(void *data, const struct store_suspension *x)
{
	const struct wanted *w = data;

	if ((int)x->what != (int)w->kind) {
		return 0;
	}
	*w->ret = *x;
	return 1;
}

int store_suspension_of_kind(struct store *s, enum display_kind kind, struct store_suspension *ret)
{
	struct wanted w = {kind, ret};

	return store_suspension_each(s, find_kind, &w);
}
