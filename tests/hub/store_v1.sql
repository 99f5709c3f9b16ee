-- The store of a hub as the first version wrote it, from that of today: sqlite3 OLD <store_v1.sql, beside
-- today.db. The tables are those of version 1 (gateway/store_schema.c), which do not change any more.
PRAGMA application_id = 1667329383;
CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE displays(
  id BLOB PRIMARY KEY CHECK(length(id) = 32),
  sign_public BLOB NOT NULL CHECK(length(sign_public) = 65),
  kem_public BLOB NOT NULL CHECK(length(kem_public) = 65),
  name TEXT NOT NULL UNIQUE,
  owner INTEGER NOT NULL,
  paired_s INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE cameras(
  id BLOB PRIMARY KEY CHECK(length(id) = 16),
  identity TEXT NOT NULL UNIQUE,
  strength INTEGER NOT NULL,
  name TEXT NOT NULL UNIQUE) WITHOUT ROWID;
CREATE TABLE grants(
  display BLOB NOT NULL REFERENCES displays(id) ON DELETE CASCADE,
  camera BLOB NOT NULL REFERENCES cameras(id) ON DELETE CASCADE,
  granted_s INTEGER NOT NULL,
  PRIMARY KEY(display, camera)) WITHOUT ROWID;
CREATE INDEX grants_camera ON grants(camera);
CREATE TABLE audit(
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  kind INTEGER NOT NULL,
  viewing INTEGER NOT NULL,
  time_s INTEGER NOT NULL,
  display BLOB NOT NULL, display_name TEXT NOT NULL,
  camera BLOB NOT NULL, camera_name TEXT NOT NULL,
  session BLOB NOT NULL,
  stream INTEGER NOT NULL,
  reason INTEGER NOT NULL,
  sent INTEGER NOT NULL, drawn INTEGER NOT NULL, late INTEGER NOT NULL,
  hidden INTEGER NOT NULL, refused INTEGER NOT NULL, worst_age_ms INTEGER NOT NULL,
  attested INTEGER NOT NULL,
  chain BLOB NOT NULL);
CREATE INDEX audit_viewing ON audit(viewing);
CREATE TRIGGER audit_append_only BEFORE UPDATE ON audit
  BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;

ATTACH 'today.db' AS today;
INSERT INTO meta SELECT key, value FROM today.meta;
INSERT INTO displays SELECT id, sign_public, kem_public, name, owner, paired_s FROM today.displays;
INSERT INTO cameras SELECT id, identity, strength, name FROM today.cameras;
INSERT INTO grants SELECT display, camera, granted_s FROM today.grants;
-- The record begins anew: entries of today say more than that version could hold.
PRAGMA user_version = 1;
