#include "record.h"

#include "gateway/audit.h"

#include <errno.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { VIEWINGS_MAX = 1024, REVOKE_SLACK_S = 1 };

/* One viewing that drew something. */
struct drawn {
	const void *hub; /* NULL: forgotten */
	struct record_viewing viewing;
	unsigned int frames;
	uint64_t newest_us; /* capture time of the newest frame */
};

static struct drawn all[VIEWINGS_MAX];
static size_t all_count;

static struct drawn *find(const void *hub, const struct record_viewing *v)
{
	/* The newest first: it is nearly always that. */
	for (size_t i = all_count; i > 0; i--) {
		const struct record_viewing *w = &all[i - 1].viewing;
		if (all[i - 1].hub == hub && w->stream == v->stream &&
			memcmp(w->session, v->session, SESSION_ID_BYTES) == 0 &&
			memcmp(w->camera, v->camera, CAMERA_ID_BYTES) == 0 &&
			memcmp(w->display, v->display, DISPLAY_ID_BYTES) == 0) {
			return &all[i - 1];
		}
	}
	return NULL;
}

void record_draw(const void *hub, const struct record_viewing *v, uint64_t capture_us)
{
	struct drawn *d = find(hub, v);
	if (d == NULL && all_count < VIEWINGS_MAX) {
		d = &all[all_count++];
		*d = (struct drawn){.hub = hub, .viewing = *v};
	}
	if (d != NULL) {
		d->frames++;
		d->newest_us = capture_us > d->newest_us ? capture_us : d->newest_us;
	}
}

/* Seconds of the wall clock, as in the record, of a time on the cameras' clock. */
static int64_t wall_s(uint64_t boottime_us)
{
	struct timespec boot, wall;
	(void)clock_gettime(CLOCK_BOOTTIME, &boot);
	(void)clock_gettime(CLOCK_REALTIME, &wall);
	return wall.tv_sec - (boot.tv_sec - (int64_t)(boottime_us / 1000000));
}

/* What is wrong with the entries of one viewing, or NULL. */
static const char *objection(sqlite3_stmt *entries, const struct drawn *d)
{
	unsigned int openings = 0, closings = 0;
	static char less[96];
	const char *wrong = NULL;
	(void)sqlite3_reset(entries);
	(void)sqlite3_bind_blob(entries, 1, d->viewing.display, DISPLAY_ID_BYTES, SQLITE_STATIC);
	(void)sqlite3_bind_blob(entries, 2, d->viewing.camera, CAMERA_ID_BYTES, SQLITE_STATIC);
	(void)sqlite3_bind_blob(entries, 3, d->viewing.session, SESSION_ID_BYTES, SQLITE_STATIC);
	(void)sqlite3_bind_int(entries, 4, d->viewing.stream);
	while (sqlite3_step(entries) == SQLITE_ROW) {
		int64_t kind = sqlite3_column_int64(entries, 0);
		int64_t reason = sqlite3_column_int64(entries, 1);
		openings += kind == AUDIT_OPENED;
		closings += kind == AUDIT_CLOSED;
		if (kind == AUDIT_CLOSED && audit_counts_whole((enum audit_reason)reason) &&
			sqlite3_column_int64(entries, 2) < d->frames) {
			(void)snprintf(less, sizeof(less),
				"more was drawn than the %d that were sent until it ended: %s",
				sqlite3_column_int(entries, 2),
				audit_reason_text((enum audit_reason)reason));
			wrong = less;
		}
		if (kind == AUDIT_CLOSED && (reason == AUDIT_REVOKED || reason == AUDIT_PAUSED) &&
			wall_s(d->newest_us) > sqlite3_column_int64(entries, 3) + REVOKE_SLACK_S) {
			wrong = "drawn after the revoke";
		}
	}
	if (openings != 1) {
		return openings == 0 ? "drawn and not on record" : "opened more than once";
	}
	return closings > 1 ? "closed more than once" : wrong;
}

int record_check(const void *hub, const char *state_dir, char *complaint, size_t size)
{
	char path[PATH_MAX];
	sqlite3 *db = NULL;
	sqlite3_stmt *entries = NULL;
	int wrong = 0;
	(void)snprintf(path, sizeof(path), "%s/camgate.db", state_dir);
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
		sqlite3_prepare_v2(db,
			"SELECT kind, reason, sent, time_s FROM audit"
			" WHERE display = ? AND camera = ? AND session = ? AND stream = ?",
			-1, &entries, NULL) != SQLITE_OK) {
		wrong = -EIO;
	}
	for (size_t i = 0; i < all_count; i++) {
		const char *why =
			all[i].hub != hub || wrong < 0 ? NULL : objection(entries, &all[i]);
		if (why != NULL && wrong++ == 0) {
			(void)snprintf(complaint, size, "stream %u, %u frames: %s",
				all[i].viewing.stream, all[i].frames, why);
		}
		all[i].hub = all[i].hub == hub ? NULL : all[i].hub;
	}
	(void)sqlite3_finalize(entries);
	(void)sqlite3_close(db);
	return wrong;
}
