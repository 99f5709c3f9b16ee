#include "store_sql.h"
#include <errno.h>
#include <time.h>

int store_grant_check(struct store *s, const uint8_t display[static DISPLAY_ID_BYTES],
	const uint8_t camera[static CAMERA_ID_BYTES])
{
	/* 1 and 3: quarantined and ignored (enum camera_standing). */
	struct store_query q = store_query_init(s,
		"SELECT 1 FROM grants JOIN cameras ON cameras.id = grants.camera"
		" WHERE display = ? AND camera = ? AND standing NOT IN (1, 3)");
	int result;

	store_bind_blob(&q, display, DISPLAY_ID_BYTES);
	store_bind_blob(&q, camera, CAMERA_ID_BYTES);
	result = store_step(&q);
	store_query_finish(&q);
	return result == 1 ? 0 : result == 0 ? -ENOENT : result;
}

int store_grant_add(struct store *s, const uint8_t display[static DISPLAY_ID_BYTES],
	const uint8_t camera[static CAMERA_ID_BYTES])
{
	/* Selecting from both tables adds nothing unless both are there. */
	struct store_query q = store_query_init(s,
		"INSERT OR IGNORE INTO grants(display, camera, granted_s)"
		" SELECT d.id, c.id, ? FROM displays d, cameras c WHERE d.id = ? AND c.id = ?"
		" AND c.standing NOT IN (1, 3)");
	int result;

	store_bind_int(&q, (int64_t)time(NULL));
	store_bind_blob(&q, display, DISPLAY_ID_BYTES);
	store_bind_blob(&q, camera, CAMERA_ID_BYTES);
	result = store_run(&q, NULL);
	return result < 0 ? result : store_grant_check(s, display, camera);
}

int store_grant_remove(struct store *s, const uint8_t display[static DISPLAY_ID_BYTES],
	const uint8_t camera[static CAMERA_ID_BYTES])
{
	struct store_query q =
		store_query_init(s, "DELETE FROM grants WHERE display = ? AND camera = ?");
	int result, changes = 0;

	store_bind_blob(&q, display, DISPLAY_ID_BYTES);
	store_bind_blob(&q, camera, CAMERA_ID_BYTES);
	result = store_run(&q, &changes);
	return result < 0 ? result : changes == 0 ? -ENOENT : 0;
}
