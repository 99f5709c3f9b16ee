#include "store_record.h"
#include <errno.h>
#include <string.h>
#include <time.h>

#define COLUMNS "id, sign_public, kem_public, name, owner, paired_s, kind"

static int read_row(struct store_query *q, struct store_display *ret)
{
	struct store_display d = {0};

	store_column_blob(q, 0, d.id, sizeof(d.id));
	store_column_blob(q, 1, d.sign_public, sizeof(d.sign_public));
	store_column_blob(q, 2, d.kem_public, sizeof(d.kem_public));
	store_column_text(q, 3, d.name, sizeof(d.name));
	d.owner = sqlite3_column_int(q->statement, 4) == 1;
	d.paired_s = sqlite3_column_int64(q->statement, 5);
	d.kind = (uint8_t)sqlite3_column_int(q->statement, 6);
	if (q->error == 0) {
		*ret = d;
	}
	return q->error;
}

/* The one row of q; -ENOENT, or -ENOTUNIQ if there are more. Finishes q. */
static int read_only_row(struct store_query *q, struct store_display *ret)
{
	struct store_display d;
	int result = store_step_first(q);

	if (result == 0) {
		result = read_row(q, &d);
	}
	if (result == 0) {
		result = store_step_last(q);
	}
	if (result == 0) {
		*ret = d;
	}
	store_query_finish(q);
	return result;
}

int store_display_get(
	struct store *s, const uint8_t id[static DISPLAY_ID_BYTES], struct store_display *ret)
{
	struct store_query q = store_query_init(s, "SELECT " COLUMNS " FROM displays WHERE id = ?");

	store_bind_blob(&q, id, DISPLAY_ID_BYTES);
	return read_only_row(&q, ret);
}

int store_display_find(struct store *s, const char *text, struct store_display *ret)
{
	char prefix[2 * DISPLAY_ID_BYTES + 2];
	struct store_query q =
		store_query_init(s, "SELECT " COLUMNS " FROM displays WHERE name = ?");
	int result;

	store_bind_text(&q, text);
	result = read_only_row(&q, ret);
	if (result != -ENOENT || !store_hex_prefix(text, DISPLAY_ID_BYTES, prefix)) {
		return result;
	}
	q = store_query_init(s, "SELECT " COLUMNS " FROM displays WHERE hex(id) LIKE ?");
	store_bind_text(&q, prefix);
	return read_only_row(&q, ret);
}

static int each_row(
	struct store_query *q, int (*each)(void *data, const struct store_display *d), void *data)
{
	struct store_display d;
	int result;

	while ((result = store_step(q)) == 1) {
		result = read_row(q, &d);
		if (result == 0) {
			result = each(data, &d);
		}
		if (result != 0) {
			break;
		}
	}
	store_query_finish(q);
	return result;
}

int store_display_each(
	struct store *s, int (*each)(void *data, const struct store_display *d), void *data)
{
	struct store_query q =
		store_query_init(s, "SELECT " COLUMNS " FROM displays ORDER BY name");

	return each_row(&q, each, data);
}

int store_grant_displays(struct store *s, const uint8_t camera[static CAMERA_ID_BYTES],
	int (*each)(void *data, const struct store_display *d), void *data)
{
	struct store_query q = store_query_init(s,
		"SELECT " COLUMNS " FROM displays JOIN grants ON grants.display = displays.id"
		" WHERE grants.camera = ? ORDER BY name");

	store_bind_blob(&q, camera, CAMERA_ID_BYTES);
	return each_row(&q, each, data);
}

static int display_name_taken(struct store *s, const char *name)
{
	struct store_query q = store_query_init(s, "SELECT 1 FROM displays WHERE name = ?");
	int result;

	store_bind_text(&q, name);
	result = store_step(&q);
	store_query_finish(&q);
	return result;
}

static int count_displays(struct store *s)
{
	struct store_query q = store_query_init(s, "SELECT count(*) FROM displays");
	int result = store_step(&q);

	if (result == 1) {
		result = sqlite3_column_int(q.statement, 0);
	}
	store_query_finish(&q);
	return result;
}

static int insert(struct store *s, const struct store_display *d)
{
	struct store_query q = store_query_init(
		s, "INSERT INTO displays(" COLUMNS ") VALUES(?, ?, ?, ?, ?, ?, ?)");

	store_bind_blob(&q, d->id, sizeof(d->id));
	store_bind_blob(&q, d->sign_public, sizeof(d->sign_public));
	store_bind_blob(&q, d->kem_public, sizeof(d->kem_public));
	store_bind_text(&q, d->name);
	store_bind_int(&q, d->owner);
	store_bind_int(&q, d->paired_s);
	store_bind_int(&q, d->kind);
	return store_run(&q, NULL);
}

int store_display_add(struct store *s, struct store_display *d,
	const uint8_t (*cameras)[CAMERA_ID_BYTES], size_t count)
{
	struct store_display known;
	char asked[NAME_MAX_BYTES + 1];
	int result;

	memcpy(asked, d->name, sizeof(asked));
	result = store_begin(s);
	if (result < 0) {
		return result;
	}
	result = store_display_get(s, d->id, &known);
	if (result == 0) {
		result = -EEXIST;
	} else if (result == -ENOENT) {
		result = count_displays(s);
		result = result >= STORE_DISPLAYS_MAX ? -EUSERS : result > 0 ? 0 : result;
	}
	if (result == 0) {
		result = store_unique_name(s, display_name_taken, d->name);
	}
	if (result == 0) {
		result = insert(s, d);
	}
	if (result == 0) {
		result = store_record(s, AUDIT_PAIRED, d, NULL,
			d->owner ? "owner" : store_kind_text((enum display_kind)d->kind));
	}
	for (size_t i = 0; result == 0 && i < count; i++) {
		result = store_grant_add(s, d->id, cameras[i]);
		/* A camera that went away for good meanwhile is no reason to fail. */
		result = result == -ENOENT ? 0 : result;
	}
	if (result == 0) {
		result = store_commit(s);
	} else {
		store_rollback(s);
	}
	if (result < 0) {
		memcpy(d->name, asked, sizeof(asked));
	}
	return result;
}

/* Within a change: what it loses goes on record first. */
static int remove_display(struct store *s, const struct store_display *d)
{
	struct store_query q;
	int result = store_record_taken(s, "d.id = ?", d->id, sizeof(d->id), NULL);

	if (result == 0) {
		result = store_record(s, AUDIT_UNPAIRED, d, NULL, NULL);
	}
	if (result < 0) {
		return result;
	}
	q = store_query_init(s, "DELETE FROM suspensions WHERE what = 16 AND id = ?");
	store_bind_blob(&q, d->id, sizeof(d->id));
	result = store_run(&q, NULL);
	if (result < 0) {
		return result;
	}
	q = store_query_init(s, "DELETE FROM displays WHERE id = ?");
	store_bind_blob(&q, d->id, sizeof(d->id));
	return store_run(&q, NULL);
}

int store_display_remove(struct store *s, const uint8_t id[static DISPLAY_ID_BYTES])
{
	struct store_display d;
	int result = store_display_get(s, id, &d);

	if (result == 0) {
		result = store_begin(s);
	}
	if (result < 0) {
		return result;
	}
	result = remove_display(s, &d);
	if (result < 0) {
		store_rollback(s);
		return result;
	}
	return store_commit(s);
}

/* Within a change. Those that are removed are read again, as they are no more in the list. */
static int remove_all(struct store *s)
{
	struct store_display d;
	struct store_query q;
	int result;

	for (;;) {
		q = store_query_init(s, "SELECT " COLUMNS " FROM displays LIMIT 1");
		result = read_only_row(&q, &d);
		if (result == -ENOENT) {
			return 0;
		}
		if (result == 0) {
			result = remove_display(s, &d);
		}
		if (result < 0) {
			return result;
		}
	}
}

int store_display_remove_all(struct store *s)
{
	int result = store_begin(s);

	if (result < 0) {
		return result;
	}
	result = remove_all(s);
	if (result < 0) {
		store_rollback(s);
		return result;
	}
	return store_commit(s);
}

int store_has_owner(struct store *s)
{
	struct store_query q =
		store_query_init(s, "SELECT 1 FROM displays WHERE owner = 1 LIMIT 1");
	int result = store_step(&q);

	store_query_finish(&q);
	return result;
}
