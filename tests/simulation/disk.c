/* The store's disk, which may refuse to write, and what was committed to it (--wrap). */
#include "oracle.h"

#include <sqlite3.h>
#include <string.h>

/* ---- the disk (--wrap): writes fail, reads do not ---- */

static bool disk_refuses(void)
{
	if (world.disk_error == 0 || (world.disk_every > 1 && !chance_once_in(world.disk_every))) {
		return false;
	}
	world.refused_writes++;
	return true;
}

int __real_sqlite3_step(sqlite3_stmt *s);
int __wrap_sqlite3_step(sqlite3_stmt *s);
int __wrap_sqlite3_step(sqlite3_stmt *s)
{
	return !sqlite3_stmt_readonly(s) && disk_refuses() ? world.disk_error
							   : __real_sqlite3_step(s);
}

int __real_sqlite3_exec(sqlite3 *db, const char *sql, int (*each)(void *, int, char **, char **),
	void *data, char **ret_error);
int __wrap_sqlite3_exec(sqlite3 *db, const char *sql, int (*each)(void *, int, char **, char **),
	void *data, char **ret_error);
int __wrap_sqlite3_exec(sqlite3 *db, const char *sql, int (*each)(void *, int, char **, char **),
	void *data, char **ret_error)
{
	bool writes = strncmp(sql, "ROLLBACK", 8) != 0;

	return writes && disk_refuses() ? world.disk_error
					: __real_sqlite3_exec(db, sql, each, data, ret_error);
}

/* ---- what the store does, as the oracle has to know it (--wrap) ---- */

int __real_store_grant_add(struct store *s, const uint8_t *display, const uint8_t *camera);
int __wrap_store_grant_add(struct store *s, const uint8_t *display, const uint8_t *camera);
int __wrap_store_grant_add(struct store *s, const uint8_t *display, const uint8_t *camera)
{
	int result = __real_store_grant_add(s, display, camera);

	if (result == 0) {
		oracle_granted(display, camera);
	}
	return result;
}

int __real_store_grant_remove(struct store *s, const uint8_t *display, const uint8_t *camera);
int __wrap_store_grant_remove(struct store *s, const uint8_t *display, const uint8_t *camera);
int __wrap_store_grant_remove(struct store *s, const uint8_t *display, const uint8_t *camera)
{
	int result = __real_store_grant_remove(s, display, camera);

	if (result == 0) {
		oracle_revoked(display, camera);
	}
	return result;
}

int __real_store_display_remove(struct store *s, const uint8_t *display);
int __wrap_store_display_remove(struct store *s, const uint8_t *display);
int __wrap_store_display_remove(struct store *s, const uint8_t *display)
{
	int result = __real_store_display_remove(s, display);

	if (result == 0) {
		oracle_revoked(display, NULL);
	}
	return result;
}

int __real_store_suspend(
	struct store *s, enum suspended what, const uint8_t *id, const char *reason);
int __wrap_store_suspend(
	struct store *s, enum suspended what, const uint8_t *id, const char *reason);
int __wrap_store_suspend(
	struct store *s, enum suspended what, const uint8_t *id, const char *reason)
{
	int result = __real_store_suspend(s, what, id, reason);

	if (result == 0) {
		oracle_suspended(what, id, true);
	}
	return result;
}

int __real_store_resume(struct store *s, enum suspended what, const uint8_t *id);
int __wrap_store_resume(struct store *s, enum suspended what, const uint8_t *id);
int __wrap_store_resume(struct store *s, enum suspended what, const uint8_t *id)
{
	int result = __real_store_resume(s, what, id);

	if (result == 0) {
		oracle_suspended(what, id, false);
	}
	return result;
}
