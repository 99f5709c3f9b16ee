#include "fault.h"
#include "store_record.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS "id, identity, strength, standing, vid_pid, decided, name"

static int read_row(struct store_query *q, struct store_camera *ret)
{
	struct store_camera c = {0};

	store_column_blob(q, 0, c.id, sizeof(c.id));
	store_column_text(q, 1, c.identity, sizeof(c.identity));
	c.strength = (uint8_t)sqlite3_column_int(q->statement, 2);
	c.standing = (uint8_t)sqlite3_column_int(q->statement, 3);
	store_column_text(q, 4, c.vid_pid, sizeof(c.vid_pid));
	c.decided = sqlite3_column_int(q->statement, 5) != 0;
	store_column_text(q, 6, c.name, sizeof(c.name));
	if (q->error == 0) {
		*ret = c;
	}
	return q->error;
}

/* The one row of q; -ENOENT, or -ENOTUNIQ if there are more. Finishes q. */
static int read_only_row(struct store_query *q, struct store_camera *ret)
{
	struct store_camera c;
	int result = store_step_first(q);

	if (result == 0) {
		result = read_row(q, &c);
	}
	if (result == 0) {
		result = store_step_last(q);
	}
	if (result == 0) {
		*ret = c;
	}
	store_query_finish(q);
	return result;
}

static int each_row(
	struct store_query *q, int (*each)(void *data, const struct store_camera *c), void *data)
{
	struct store_camera c;
	int result;

	while ((result = store_step(q)) == 1) {
		result = read_row(q, &c);
		if (result == 0) {
			result = each(data, &c);
		}
		if (result != 0) {
			break;
		}
	}
	store_query_finish(q);
	return result;
}

int store_camera_get(
	struct store *s, const uint8_t id[static CAMERA_ID_BYTES], struct store_camera *ret)
{
	struct store_query q = store_query_init(s, "SELECT " COLUMNS " FROM cameras WHERE id = ?");

	store_bind_blob(&q, id, CAMERA_ID_BYTES);
	return read_only_row(&q, ret);
}

int store_camera_find(struct store *s, const char *text, struct store_camera *ret)
{
	char prefix[2 * DISPLAY_ID_BYTES + 2];
	struct store_query q =
		store_query_init(s, "SELECT " COLUMNS " FROM cameras WHERE name = ?");
	int result;

	store_bind_text(&q, text);
	result = read_only_row(&q, ret);
	if (result != -ENOENT || !store_hex_prefix(text, CAMERA_ID_BYTES, prefix)) {
		return result;
	}
	q = store_query_init(s, "SELECT " COLUMNS " FROM cameras WHERE hex(id) LIKE ?");
	store_bind_text(&q, prefix);
	return read_only_row(&q, ret);
}

int store_camera_each(
	struct store *s, int (*each)(void *data, const struct store_camera *c), void *data)
{
	struct store_query q = store_query_init(s, "SELECT " COLUMNS " FROM cameras ORDER BY name");

	return each_row(&q, each, data);
}

int store_grant_cameras(struct store *s, const uint8_t display[static DISPLAY_ID_BYTES],
	int (*each)(void *data, const struct store_camera *c), void *data)
{
	struct store_query q =
		store_query_init(s, "SELECT " COLUMNS " FROM cameras"
				    " JOIN grants ON grants.camera = cameras.id"
				    " WHERE grants.display = ? AND standing NOT IN (1, 3)"
				    " AND NOT EXISTS (SELECT 1 FROM suspensions s"
				    "   WHERE s.what = 17 AND s.id = cameras.id)"
				    " ORDER BY name");

	if (fault_happens(FAULT_GRANT_OF_NEIGHBOUR)) {
		display = accident_neighbour(display);
	}
	store_bind_blob(&q, display, DISPLAY_ID_BYTES);
	return each_row(&q, each, data);
}

static int camera_name_taken(struct store *s, const char *name)
{
	struct store_query q = store_query_init(s, "SELECT 1 FROM cameras WHERE name = ?");
	int result;

	store_bind_text(&q, name);
	result = store_step(&q);
	store_query_finish(&q);
	return result;
}

static int insert(struct store *s, const struct store_camera *c)
{
	struct store_query q =
		store_query_init(s, "INSERT INTO cameras(" COLUMNS ") VALUES(?, ?, ?, ?, ?, ?, ?)");

	store_bind_blob(&q, c->id, sizeof(c->id));
	store_bind_text(&q, c->identity);
	store_bind_int(&q, c->strength);
	store_bind_int(&q, c->standing);
	store_bind_text(&q, c->vid_pid);
	store_bind_int(&q, c->decided);
	store_bind_text(&q, c->name);
	return store_run(&q, NULL);
}

static int count_cameras(struct store *s)
{
	struct store_query q = store_query_init(s, "SELECT count(*) FROM cameras");
	int result = store_step(&q);

	if (result == 1) {
		result = sqlite3_column_int(q.statement, 0);
	}
	store_query_finish(&q);
	return result;
}

int store_camera_recall(struct store *s, const char *identity, struct store_camera *ret)
{
	struct store_query q =
		store_query_init(s, "SELECT " COLUMNS " FROM cameras WHERE identity = ?");

	store_bind_text(&q, identity);
	return read_only_row(&q, ret);
}

int store_camera_adopt(struct store *s, struct store_camera *c)
{
	struct store_camera known, added = *c;
	int result = store_camera_recall(s, c->identity, &known);

	if (result == 0) {
		if (strcmp(known.vid_pid, c->vid_pid) != 0) {
			return -ESTALE;
		}
		*c = known;
		return 0;
	}
	if (result != -ENOENT) {
		return result;
	}
	result = count_cameras(s);
	if (result < 0) {
		return result;
	}
	if (result >= STORE_CAMERAS_MAX) {
		return -EUSERS;
	}
	result = store_unique_name(s, camera_name_taken, added.name);
	if (result == 0) {
		result = insert(s, &added);
	}
	if (result == 0) {
		*c = added;
	}
	return result;
}

/* Condition: of cameras, for one parameter or none. */
static int forget(struct store *s, const char *condition, const uint8_t *id)
{
	char sql[128];
	struct store_query q;
	int result = store_begin(s);

	if (result < 0) {
		return result;
	}
	result = store_record_taken(s, condition, id, CAMERA_ID_BYTES,
		"the camera cannot be recognised when it comes back");
	if (result == 0) {
		snprintf(sql, sizeof(sql), "DELETE FROM cameras AS c WHERE %s", condition);
		q = store_query_init(s, sql);
		if (id != NULL) {
			store_bind_blob(&q, id, CAMERA_ID_BYTES);
		}
		result = store_run(&q, NULL);
	}
	if (result == 0) {
		result = store_exec(s, "DELETE FROM suspensions WHERE what = 17"
				       " AND id NOT IN (SELECT id FROM cameras)");
	}
	if (result < 0) {
		store_rollback(s);
		return result;
	}
	return store_commit(s);
}

int store_camera_forget(struct store *s, const uint8_t id[static CAMERA_ID_BYTES])
{
	return forget(s, "c.id = ?", id);
}

int store_camera_forget_run(struct store *s)
{
	/* 3: ignored (enum camera_standing). */
	return forget(s, "c.strength = 0 AND c.standing != 3", NULL);
}

int store_camera_stand(struct store *s, const uint8_t id[static CAMERA_ID_BYTES],
	enum camera_standing standing, const char *identity)
{
	struct store_query q = store_query_init(s,
		"UPDATE cameras SET standing = ?1, identity = coalesce(?2, identity),"
		/* 0: plain (enum camera_standing). */
		" decided = ?1 != 0 OR EXISTS (SELECT 1 FROM grants WHERE camera = cameras.id)"
		" WHERE id = ?3");
	int result, changes = 0;

	store_bind_int(&q, standing);
	store_bind_text(&q, identity);
	store_bind_blob(&q, id, CAMERA_ID_BYTES);
	result = store_run(&q, &changes);
	return result < 0 ? result : changes == 0 ? -ENOENT : 0;
}

int store_camera_decide(struct store *s, const uint8_t id[static CAMERA_ID_BYTES])
{
	struct store_query q = store_query_init(s, "UPDATE cameras SET decided = 1 WHERE id = ?");
	int result, changes = 0;

	store_bind_blob(&q, id, CAMERA_ID_BYTES);
	result = store_run(&q, &changes);
	return result < 0 ? result : changes == 0 ? -ENOENT : 0;
}

int store_camera_rename(struct store *s, const uint8_t id[static CAMERA_ID_BYTES], const char *name)
{
	struct store_query q;
	int result, changes = 0;

	if (!wire_name_ok(name)) {
		return -EINVAL;
	}
	q = store_query_init(s, "UPDATE cameras SET name = ? WHERE id = ?");
	store_bind_text(&q, name);
	store_bind_blob(&q, id, CAMERA_ID_BYTES);
	result = store_run(&q, &changes);
	return result < 0 ? result : changes == 0 ? -ENOENT : 0;
}
