/* A store in a directory of its own, for tests; removed afterwards with what is in it. */
#ifndef CAMGATE_TESTS_STORE_FIXTURE_H
#define CAMGATE_TESTS_STORE_FIXTURE_H

#include "store.h"
#include "keys.h"
#include <dirent.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct store_fixture {
	char dir[64];
	struct store store;
};

static inline void directory_make(char dir[static 64])
{
	snprintf(dir, 64, "/tmp/camgate-unit-XXXXXX");
	assert_non_null(mkdtemp(dir));
}

/* One level of files is all that there is. */
static inline void directory_remove(const char *dir)
{
	char path[512];
	struct dirent *e;
	DIR *d = opendir(dir);

	while (d != NULL && (e = readdir(d)) != NULL) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		(void)unlink(path);
	}
	if (d != NULL) {
		closedir(d);
	}
	(void)rmdir(dir);
}

static inline void store_fixture_open(struct store_fixture *f)
{
	char problem[STORE_PROBLEM_BYTES] = "";

	if (store_init(&f->store, f->dir, problem) != 0) {
		fail_msg("%s", problem);
	}
}

static inline void store_fixture_init(struct store_fixture *f)
{
	directory_make(f->dir);
	store_fixture_open(f);
}

static inline void store_fixture_finish(struct store_fixture *f)
{
	store_finish(&f->store);
	directory_remove(f->dir);
}

static inline void store_fixture_display(
	struct store *s, uint8_t n, const char *name, struct store_display *ret)
{
	memset(ret, 0, sizeof(*ret));
	memset(ret->id, n, sizeof(ret->id));
	memset(ret->sign_public, n, sizeof(ret->sign_public));
	memset(ret->kem_public, n, sizeof(ret->kem_public));
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	assert_int_equal(store_display_add(s, ret, NULL, 0), 0);
}

static inline void store_fixture_camera(struct store *s, uint8_t n, const char *identity,
	const char *name, struct store_camera *ret)
{
	memset(ret, 0, sizeof(*ret));
	memset(ret->id, n, sizeof(ret->id));
	ret->strength = IDENTITY_SERIAL;
	snprintf(ret->identity, sizeof(ret->identity), "%s", identity);
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	assert_int_equal(store_camera_adopt(s, ret), 0);
}

/* From now on the database may not grow: what a full disk looks like from here. */
static inline void store_fixture_fill(struct store *s)
{
	/* Every page that is there is given away to this blob first. */
	assert_int_equal(
		sqlite3_exec(s->db, "CREATE TABLE filler(data BLOB); PRAGMA max_page_count = 1;",
			NULL, NULL, NULL),
		SQLITE_OK);
	while (sqlite3_exec(s->db, "INSERT INTO filler VALUES(zeroblob(64))", NULL, NULL, NULL) ==
		SQLITE_OK) {
	}
	/* and each table's last page, by the audit's own kind of entry */
	while (sqlite3_exec(s->db,
		       "INSERT INTO audit(kind, viewing, time_s, display, display_name, camera,"
		       " camera_name, session, stream, reason, sent, drawn, late, hidden, refused,"
		       " worst_age_ms, attested, chain)"
		       " VALUES(99,0,0,'','','','','',0,0,0,0,0,0,0,0,0,zeroblob(32))",
		       NULL, NULL, NULL) == SQLITE_OK) {
	}
}

static inline void store_fixture_make_room(struct store *s)
{
	assert_int_equal(sqlite3_exec(s->db, "PRAGMA max_page_count = 1000000;", NULL, NULL, NULL),
		SQLITE_OK);
}

#endif
