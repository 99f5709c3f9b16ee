/*
 * What the hub remembers: its home, the paired displays, the cameras, who may see what, and the
 * audit.
 *
 * One SQLite database in the state directory, owned by the keeper alone (a lock file says so),
 * written ahead and synced at every commit. Nothing of it is cached anywhere: a grant is read at
 * the moment it is needed. Belongs to one thread.
 *
 * Functions return 0 or -errno: -ENOENT nothing such, -EEXIST a name is taken, -ENOTUNIQ an
 * abbreviated id fits several, -ENOSPC the disk is full, -EIO, -EUCLEAN a damaged database,
 * -ENOMEM. Outputs are untouched on failure. A change is on disk when its function has returned 0.
 */
#ifndef CAMGATE_STORE_H
#define CAMGATE_STORE_H

#include "wire.h"

enum {
	STORE_VERSION = 4,
	STORE_PROBLEM_BYTES = 512,
	STORE_IDENTITY_BYTES = 256,
	STORE_VID_PID_BYTES = 16,
	STORE_DISPLAYS_MAX = 1024,
	STORE_CAMERAS_MAX = 256,
};

struct sqlite3;

struct store {
	struct sqlite3 *db;
	int lock_fd;
	uint8_t home[HOME_ID_BYTES];
	char by[NAME_MAX_BYTES + 1]; /* on whose word things are changed now (store_act_for) */
	int64_t record_entries_max; /* 0: AUDIT_ENTRIES_MAX */
};

/* What the owner said a display is, when it was paired. Numbers are on disk: only ever append. */
enum display_kind { DISPLAY_BROWSER = 0, DISPLAY_KIOSK, DISPLAY_INTEGRATION, DISPLAY_KINDS };

struct store_display {
	uint8_t id[DISPLAY_ID_BYTES];
	uint8_t sign_public[POINT_BYTES];
	uint8_t kem_public[POINT_BYTES];
	char name[NAME_MAX_BYTES + 1];
	bool owner;
	uint8_t kind; /* enum display_kind */
	int64_t paired_s; /* wall clock, for people */
};

/* What the owner said of a camera. Nobody may see one that is quarantined or ignored. */
enum camera_standing {
	STANDING_PLAIN = 0, /* told apart from all others by itself */
	STANDING_QUARANTINED, /* cannot be told apart: waits for the owner's word */
	STANDING_CONFIRMED, /* cannot be told apart: the owner looked, and said which it is */
	STANDING_IGNORED, /* kept off until it is confirmed */
};

struct store_camera {
	uint8_t id[CAMERA_ID_BYTES];
	char identity[STORE_IDENTITY_BYTES]; /* the key of udev/identity.h */
	uint8_t strength; /* enum identity_strength */
	uint8_t standing; /* enum camera_standing */
	char vid_pid[STORE_VID_PID_BYTES]; /* "046d:0825"; empty for what is not on USB */
	bool decided; /* an owner said once who may see it, or that nobody may */
	char name[NAME_MAX_BYTES + 1];
};

/* Opens STATE/camgate.db, making directory and database when they are missing. On failure problem
 * holds a sentence: what is wrong with which file, and what to do. -EBUSY when another process has
 * it, -ENOTSUP when it is of a newer camgate, -EUCLEAN when it is damaged or none of ours. */
int store_init(struct store *s, const char *state_dir, char problem[static STORE_PROBLEM_BYTES]);
void store_finish(struct store *s);

/* Is what lies there sound? Reads it all, changes nothing, needs nobody to have it. -ENOENT: there
 * is none; -EBUSY: a keeper has it; -EAGAIN: the last one had no time to end, and the next will
 * recover it; otherwise as store_init, with a problem. */
int store_inspect(const char *state_dir, char problem[static STORE_PROBLEM_BYTES]);

/* The keeper's own lock: while the descriptor is open, no keeper starts on what is there. alone:
 * nor does anybody else look at it. -EBUSY: one has it; -ENOENT: none was ever there; -errno. */
int store_lock(const char *state_dir, bool alone);

/* Whose word the changes from now on are made on: a display's name, "command line"; NULL: camgate's
 * own. The record says so of each grant that is given or taken, and the like. */
void store_act_for(struct store *s, const char *by);

/* Several changes as one: begin, then commit or roll back. What is begun within another is rolled
 * back by itself, and on disk when the outermost is committed. */
int store_begin(struct store *s);
int store_commit(struct store *s);
void store_rollback(struct store *s);

/* ---- displays ---- */

/* Adds a display with its first grants, all or nothing. When d->name is taken, " (2)" is appended
 * (then " (3)", …) and d->name changed accordingly. -EEXIST: this display is known already.
 * -EUSERS: too many displays. */
int store_display_add(struct store *s, struct store_display *d,
	const uint8_t (*cameras)[CAMERA_ID_BYTES], size_t count);
int store_display_get(
	struct store *s, const uint8_t id[static DISPLAY_ID_BYTES], struct store_display *ret);
/* By the whole name, otherwise by at least 8 hex digits that begin one id only. */
int store_display_find(struct store *s, const char *text, struct store_display *ret);
/* All, by name. each returns 0 to go on; anything else ends the walk and is returned. */
int store_display_each(
	struct store *s, int (*each)(void *data, const struct store_display *d), void *data);
/* It is unknown from then on, and its grants are gone. -ENOENT. */
int store_display_remove(struct store *s, const uint8_t id[static DISPLAY_ID_BYTES]);
/* The same for all of them, all or none. */
int store_display_remove_all(struct store *s);
/* True if some display is owner. 0 or 1, or -errno. */
int store_has_owner(struct store *s);
/* 0 if the database is sound; -EUCLEAN if not. Reads all of it. */
int store_integrity_check(struct store *s);

/* ---- cameras ---- */

/* The camera of this identity: the known one, whose id, name and standing it keeps, or a new one
 * with this id, c->name (with " (2)" and so on when taken), shown to nobody. *c is completed. A
 * grant never moves to another make: -ESTALE if the known one has another vid_pid. */
int store_camera_adopt(struct store *s, struct store_camera *c);
/* Removes a camera and its grants: for those that are known for one run only. */
int store_camera_forget(struct store *s, const uint8_t id[static CAMERA_ID_BYTES]);
/* The same for all that are known for one run only, which is over. What the owner sent away stays
 * away. */
int store_camera_forget_run(struct store *s);
int store_camera_get(
	struct store *s, const uint8_t id[static CAMERA_ID_BYTES], struct store_camera *ret);
int store_camera_find(struct store *s, const char *text, struct store_camera *ret);
int store_camera_each(
	struct store *s, int (*each)(void *data, const struct store_camera *c), void *data);
/* By its identity; -ENOENT. */
int store_camera_recall(struct store *s, const char *identity, struct store_camera *ret);
/* What the owner said. identity NULL: as it is; otherwise it is known by this from now on (-EEXIST:
 * another is). Confirmed and ignored ones are decided about; one that is plain again is only if
 * somebody may see it. -ENOENT. */
int store_camera_stand(struct store *s, const uint8_t id[static CAMERA_ID_BYTES],
	enum camera_standing standing, const char *identity);
/* The owner was asked, and shows it to nobody. -ENOENT. */
int store_camera_decide(struct store *s, const uint8_t id[static CAMERA_ID_BYTES]);
/* -EINVAL: no name (wire_name_ok); -EEXIST: another camera has it; -ENOENT. */
int store_camera_rename(
	struct store *s, const uint8_t id[static CAMERA_ID_BYTES], const char *name);

/* ---- grants ---- */

/* 0 if the display may see the camera now, which it may not while that is quarantined, ignored or
 * suspended, or the display is; -ENOENT if not; any other error means not either. */
__attribute__((warn_unused_result)) int store_grant_check(struct store *s,
	const uint8_t display[static DISPLAY_ID_BYTES],
	const uint8_t camera[static CAMERA_ID_BYTES]);
/* The camera is decided about from then on. Adding what is there already is no error. -ENOENT: no
 * such display or camera, or one that is quarantined or ignored. */
int store_grant_add(struct store *s, const uint8_t display[static DISPLAY_ID_BYTES],
	const uint8_t camera[static CAMERA_ID_BYTES]);
/* -ENOENT: there was none. */
int store_grant_remove(struct store *s, const uint8_t display[static DISPLAY_ID_BYTES],
	const uint8_t camera[static CAMERA_ID_BYTES]);
/* Cameras that a display may see, by name; displays of a camera, by name, also while it is ignored.
 */
int store_grant_cameras(struct store *s, const uint8_t display[static DISPLAY_ID_BYTES],
	int (*each)(void *data, const struct store_camera *c), void *data);
int store_grant_displays(struct store *s, const uint8_t camera[static CAMERA_ID_BYTES],
	int (*each)(void *data, const struct store_display *d), void *data);

/* ---- suspensions: cut off without losing grants, until resumed ---- */

/* What is cut off: all displays of a kind (their enum display_kind), one display, or one camera.
 * Numbers are on disk. */
enum suspended {
	SUSPENDED_BROWSERS = DISPLAY_BROWSER,
	SUSPENDED_KIOSKS = DISPLAY_KIOSK,
	SUSPENDED_INTEGRATIONS = DISPLAY_INTEGRATION,
	SUSPENDED_DISPLAY = 16,
	SUSPENDED_CAMERA = 17,
};

enum { STORE_REASON_BYTES = 200 };

struct store_suspension {
	enum suspended what;
	uint8_t id[DISPLAY_ID_BYTES]; /* a camera's is shorter; of a kind it is nothing */
	char reason[STORE_REASON_BYTES + 1];
	int64_t since_s; /* wall clock, for people */
};

const char *store_kind_text(enum display_kind kind);
/* id: NULL for a kind. -EALREADY; -ENOENT. */
int store_suspend(struct store *s, enum suspended what, const uint8_t *id, const char *reason);
/* -ENOENT: it was not suspended. */
int store_resume(struct store *s, enum suspended what, const uint8_t *id);
/* Is this display, or this camera (NULL: none is asked about), suspended by itself or as one of its
 * kind? 0, or 1 and the oldest suspension in *ret; -errno. */
int store_suspension_of(struct store *s, const uint8_t *display, const uint8_t *camera,
	struct store_suspension *ret);
/* Are all of a kind? Likewise. */
int store_suspension_of_kind(struct store *s, enum display_kind kind, struct store_suspension *ret);
/* All, the oldest first. */
int store_suspension_each(
	struct store *s, int (*each)(void *data, const struct store_suspension *x), void *data);

#endif
