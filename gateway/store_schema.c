#include "store_sql.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { STORE_APPLICATION_ID = 0x63616d67 };

/* Version 1. What came later is in the steps below, so that an old database and a new one have been
 * through the same. */
static const char schema[] =
	"PRAGMA application_id = 1667329383;"
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE displays("
	"  id BLOB PRIMARY KEY CHECK(length(id) = 32),"
	"  sign_public BLOB NOT NULL CHECK(length(sign_public) = 65),"
	"  kem_public BLOB NOT NULL CHECK(length(kem_public) = 65),"
	"  name TEXT NOT NULL UNIQUE,"
	"  owner INTEGER NOT NULL,"
	"  paired_s INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE cameras("
	"  id BLOB PRIMARY KEY CHECK(length(id) = 16),"
	"  identity TEXT NOT NULL UNIQUE,"
	"  strength INTEGER NOT NULL,"
	"  name TEXT NOT NULL UNIQUE) WITHOUT ROWID;"
	"CREATE TABLE grants("
	"  display BLOB NOT NULL REFERENCES displays(id) ON DELETE CASCADE,"
	"  camera BLOB NOT NULL REFERENCES cameras(id) ON DELETE CASCADE,"
	"  granted_s INTEGER NOT NULL,"
	"  PRIMARY KEY(display, camera)) WITHOUT ROWID;"
	"CREATE INDEX grants_camera ON grants(camera);"
	/* gateway/audit.h says what the entries mean; they outlive the displays and cameras they
	   name. */
	"CREATE TABLE audit("
	"  sequence INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  kind INTEGER NOT NULL,"
	"  viewing INTEGER NOT NULL,"
	"  time_s INTEGER NOT NULL,"
	"  display BLOB NOT NULL, display_name TEXT NOT NULL,"
	"  camera BLOB NOT NULL, camera_name TEXT NOT NULL,"
	"  session BLOB NOT NULL,"
	"  stream INTEGER NOT NULL,"
	"  reason INTEGER NOT NULL,"
	"  sent INTEGER NOT NULL, drawn INTEGER NOT NULL, late INTEGER NOT NULL,"
	"  hidden INTEGER NOT NULL, refused INTEGER NOT NULL, worst_age_ms INTEGER NOT NULL,"
	"  attested INTEGER NOT NULL,"
	"  chain BLOB NOT NULL);"
	"CREATE INDEX audit_viewing ON audit(viewing);"
	"CREATE TRIGGER audit_append_only BEFORE UPDATE ON audit"
	"  BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;";

#define HEX4 "[0-9a-f][0-9a-f][0-9a-f][0-9a-f]"

/* steps[n] leads from version n to n + 1. Pairings, names and grants stay as they are. */
static const char *const steps[STORE_VERSION] = {
	[0] = schema,
	[1] = "ALTER TABLE cameras ADD COLUMN vid_pid TEXT NOT NULL DEFAULT '';"
	      /* enum camera_standing of gateway/store.h */
	      "ALTER TABLE cameras ADD COLUMN standing INTEGER NOT NULL DEFAULT 0;"
	      "UPDATE cameras SET vid_pid = substr(identity, 5, 9)"
	      "  WHERE identity GLOB 'usb:" HEX4 ":" HEX4 ":*';"
	      "UPDATE cameras SET vid_pid = substr(identity, 6, 9)"
	      "  WHERE identity GLOB 'port:" HEX4 ":" HEX4 ":*';",
	/* Who was shown to somebody, or ignored, has been decided about; others are asked about. */
	[2] = "ALTER TABLE cameras ADD COLUMN decided INTEGER NOT NULL DEFAULT 0;"
	      "UPDATE cameras SET decided = 1 WHERE standing IN (2, 3)"
	      "  OR id IN (SELECT camera FROM grants) OR id IN (SELECT camera FROM audit);"
	      "CREATE TRIGGER grants_decide AFTER INSERT ON grants"
	      "  BEGIN UPDATE cameras SET decided = 1 WHERE id = NEW.camera; END;",
	/* enum display_kind and enum suspended of gateway/store.h. The id of a kind is empty. */
	[3] = "ALTER TABLE displays ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;"
	      "CREATE TABLE suspensions("
	      "  what INTEGER NOT NULL, id BLOB NOT NULL,"
	      "  reason TEXT NOT NULL, since_s INTEGER NOT NULL,"
	      "  PRIMARY KEY(what, id)) WITHOUT ROWID;"
	      /* Entries of format 0 were made before these columns, and their chain knows nothing
		 of them: gateway/audit_entry.h. */
	      "ALTER TABLE audit ADD COLUMN format INTEGER NOT NULL DEFAULT 0;"
	      "ALTER TABLE audit ADD COLUMN dropped INTEGER NOT NULL DEFAULT 0;"
	      "ALTER TABLE audit ADD COLUMN duration_ms INTEGER NOT NULL DEFAULT 0;"
	      "ALTER TABLE audit ADD COLUMN actor TEXT NOT NULL DEFAULT '';"
	      "ALTER TABLE audit ADD COLUMN note TEXT NOT NULL DEFAULT '';"
	      "CREATE INDEX audit_camera ON audit(camera);",
};

static int read_number(struct store *s, const char *sql, int64_t *ret)
{
	struct store_query q = store_query_init(s, sql);
	int result = store_step(&q);

	if (result == 1) {
		*ret = sqlite3_column_int64(q.statement, 0);
		result = 0;
	} else if (result == 0) {
		result = -EUCLEAN;
	}
	store_query_finish(&q);
	return result;
}

int store_integrity_check(struct store *s)
{
	struct store_query q = store_query_init(s, "PRAGMA quick_check(1)");
	char answer[8] = "";
	int result = store_step(&q);

	if (result == 1) {
		store_column_text(&q, 0, answer, sizeof(answer));
		result = strcmp(answer, "ok") == 0 ? 0 : -EUCLEAN;
	}
	store_query_finish(&q);
	return result;
}

/* All steps or none. */
static int migrate(struct store *s, int64_t version)
{
	char now[48];
	int result = store_begin(s);

	if (result < 0) {
		return result;
	}
	for (int64_t at = version; result == 0 && at < STORE_VERSION; at++) {
		result = store_exec(s, steps[at]);
	}
	if (result == 0) {
		snprintf(now, sizeof(now), "PRAGMA user_version = %d", STORE_VERSION);
		result = store_exec(s, now);
	}
	if (result < 0) {
		store_rollback(s);
		return result;
	}
	return store_commit(s);
}

int store_schema_inspect(struct store *s, int64_t *ret_version)
{
	int64_t version = 0, application = 0, tables = 0;
	int result;

	result = read_number(s, "PRAGMA user_version", &version);
	if (result == 0) {
		result = read_number(s, "PRAGMA application_id", &application);
	}
	if (result == 0) {
		result = read_number(s, "SELECT count(*) FROM sqlite_master", &tables);
	}
	if (result < 0) {
		return result;
	}
	if (tables > 0 || version != 0) {
		if (application != STORE_APPLICATION_ID) {
			return -EUCLEAN;
		}
		if (version > STORE_VERSION) {
			return -ENOTSUP;
		}
		result = version < 1 ? -EUCLEAN : store_integrity_check(s);
	}
	if (result == 0) {
		*ret_version = version;
	}
	return result;
}

int store_schema_check(struct store *s)
{
	int64_t version = 0;
	int result = store_schema_inspect(s, &version);

	return result == 0 && version < STORE_VERSION ? migrate(s, version) : result;
}
