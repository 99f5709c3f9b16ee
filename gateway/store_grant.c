#include "store_record.h"
#include <errno.h>
#include <time.h>

int store_grant_check(struct store *s, const uint8_t display[static DISPLAY_ID_BYTES],
	const uint8_t camera[static CAMERA_ID_BYTES])
{
	/* 1 and 3: quarantined and ignored (enum camera_standing). */
	struct store_query q = store_query_init(s,
		"SELECT 1 FROM grants JOIN cameras ON cameras.id = camera"
		" JOIN displays ON displays.id = display"
		" WHERE display = ? AND camera = ? AND standing NOT IN (1, 3)"
		" AND NOT EXISTS (SELECT 1 FROM suspensions s WHERE " STORE_SUSPENDS ")");
	int result;

	store_bind_blob(&q, display, DISPLAY_ID_BYTES);
	store_bind_blob(&q, camera, CAMERA_ID_BYTES);
	result = store_step(&q);
	store_query_finish(&q);
	return result == 1 ? 0 : result == 0 ? -ENOENT : result;
}

static int is_there(struct store *s, const uint8_t display[static DISPLAY_ID_BYTES],
	const uint8_t camera[static CAMERA_ID_BYTES])
{
	struct store_query q =
		store_query_init(s, "SELECT 1 FROM grants WHERE display = ? AND camera = ?");
	int result;

	store_bind_blob(&q, display, DISPLAY_ID_BYTES);
	store_bind_blob(&q, camera, CAMERA_ID_BYTES);
	result = store_step(&q);
	store_query_finish(&q);
	return result;
}

/* Within a change: the row and its entry. */
static int add(struct store *s, const struct store_display *d, const struct store_camera *c)
{
	struct store_query q = store_query_init(
		s, "INSERT INTO grants(display, camera, granted_s) VALUES(?, ?, ?)");
	int result;

	store_bind_blob(&q, d->id, sizeof(d->id));
	store_bind_blob(&q, c->id, sizeof(c->id));
	store_bind_int(&q, (int64_t)time(NULL));
	result = store_run(&q, NULL);
	return result == 0 ? store_record(s, AUDIT_GRANTED, d, c, NULL) : result;
}

int store_grant_add(struct store *s, const uint8_t display[static DISPLAY_ID_BYTES],
	const uint8_t camera[static CAMERA_ID_BYTES])
{
	struct store_display d;
	struct store_camera c;
	int result = store_display_get(s, display, &d);

	if (result == 0) {
		result = store_camera_get(s, camera, &c);
	}
	if (result == 0 && (c.standing == STANDING_QUARANTINED || c.standing == STANDING_IGNORED)) {
		result = -ENOENT;
	}
	if (result < 0) {
		return result;
	}
	result = is_there(s, display, camera);
	if (result != 0) {
		return result < 0 ? result : 0;
	}
	result = store_begin(s);
	if (result < 0) {
		return result;
	}
	result = add(s, &d, &c);
	if (result < 0) {
		store_rollback(s);
		return result;
	}
	return store_commit(s);
}

int store_grant_remove(struct store *s, const uint8_t display[static DISPLAY_ID_BYTES],
	const uint8_t camera[static CAMERA_ID_BYTES])
{
	struct store_display d;
	struct store_camera c;
	struct store_query q;
	int changes = 0, result = store_begin(s);

	if (result < 0) {
		return result;
	}
	q = store_query_init(s, "DELETE FROM grants WHERE display = ? AND camera = ?");
	store_bind_blob(&q, display, DISPLAY_ID_BYTES);
	store_bind_blob(&q, camera, CAMERA_ID_BYTES);
	result = store_run(&q, &changes);
	if (result == 0 && changes == 0) {
		result = -ENOENT;
	}
	if (result == 0) {
		result = store_display_get(s, display, &d);
	}
	if (result == 0) {
		result = store_camera_get(s, camera, &c);
	}
	if (result == 0) {
		result = store_record(s, AUDIT_TAKEN, &d, &c, NULL);
	}
	if (result < 0) {
		store_rollback(s);
		return result;
	}
	return store_commit(s);
}
