#include "audit_entry.h"
#include <errno.h>
#include <string.h>
#include <time.h>

/* Appends e inside a transaction of the caller; completes sequence, viewing, time and chain. */
static int append(struct store *s, struct audit_entry *e)
{
	uint8_t previous[DIGEST_BYTES];
	int result = audit_chain_end(s, &e->sequence, previous);

	e->sequence++;
	e->time_s = (int64_t)time(NULL);
	e->format = AUDIT_FORMAT;
	if (e->kind == AUDIT_OPENED) {
		e->viewing = e->sequence;
	}
	if (result == 0) {
		result = audit_entry_digest(e, previous, e->chain);
	}
	if (result < 0) {
		return result;
	}
	result = audit_entry_write(s, e);
	return result == 0 ? audit_chain_shorten(s, e->sequence) : result;
}

int audit_open(struct store *s, const struct audit_opening *o, int64_t *ret_viewing)
{
	struct audit_entry e = {.kind = AUDIT_OPENED, .o = *o};
	int result = store_begin(s);

	if (result < 0) {
		return result;
	}
	result = append(s, &e);
	if (result < 0) {
		store_rollback(s);
		return result;
	}
	result = store_commit(s);
	if (result == 0) {
		*ret_viewing = e.viewing;
	}
	return result;
}

/* Inside a transaction of the caller. */
static int append_closing(struct store *s, const struct audit_closing *c)
{
	struct store_query q =
		store_query_init(s, "SELECT " AUDIT_COLUMNS " FROM audit a"
				    " WHERE sequence = ? AND kind = 1 AND NOT EXISTS"
				    " (SELECT 1 FROM audit b WHERE b.viewing = a.sequence"
				    "  AND b.kind = 2)");
	struct audit_entry e;
	int result;

	store_bind_int(&q, c->viewing);
	result = store_step(&q);
	if (result == 1) {
		result = audit_entry_read(&q, &e);
	} else if (result == 0) {
		result = -ENOENT;
	}
	store_query_finish(&q);
	if (result < 0) {
		return result;
	}
	e.kind = AUDIT_CLOSED;
	e.reason = (uint8_t)c->reason;
	e.counts = c->counts;
	e.duration_ms = c->duration_ms;
	return append(s, &e);
}

int audit_close(struct store *s, const struct audit_closing *closings, size_t count)
{
	int result = store_begin(s);

	if (result < 0) {
		return result;
	}
	for (size_t i = 0; result == 0 && i < count; i++) {
		result = append_closing(s, &closings[i]);
		result = result == -ENOENT ? 0 : result;
	}
	if (result < 0) {
		store_rollback(s);
		return result;
	}
	return store_commit(s);
}

int audit_note(struct store *s, const struct audit_event *event)
{
	struct audit_entry e = {.kind = (uint8_t)event->kind};
	int result = store_begin(s);

	if (result < 0) {
		return result;
	}
	memcpy(e.o.display, event->display, sizeof(e.o.display));
	memcpy(e.o.camera, event->camera, sizeof(e.o.camera));
	memcpy(e.o.display_name, event->display_name, sizeof(e.o.display_name));
	memcpy(e.o.camera_name, event->camera_name, sizeof(e.o.camera_name));
	memcpy(e.note, event->note, sizeof(e.note));
	memcpy(e.actor, s->by, sizeof(e.actor));
	result = append(s, &e);
	if (result < 0) {
		store_rollback(s);
		return result;
	}
	return store_commit(s);
}

int audit_close_unseen(struct store *s, unsigned int *ret_count)
{
	struct audit_closing unseen = {.reason = AUDIT_UNSEEN};
	unsigned int count = 0;
	int result = store_begin(s);

	while (result == 0) {
		struct store_query q = store_query_init(s,
			"SELECT sequence FROM audit a WHERE kind = 1 AND sequence > ? AND NOT "
			"EXISTS"
			" (SELECT 1 FROM audit b WHERE b.viewing = a.sequence AND b.kind = 2)"
			" ORDER BY sequence LIMIT 1");

		store_bind_int(&q, unseen.viewing);
		result = store_step(&q);
		unseen.viewing = result == 1 ? sqlite3_column_int64(q.statement, 0) : 0;
		store_query_finish(&q);
		if (result != 1) {
			break;
		}
		result = append_closing(s, &unseen);
		count++;
	}
	if (result < 0) {
		store_rollback(s);
		return result;
	}
	result = store_commit(s);
	if (result == 0 && ret_count != NULL) {
		*ret_count = count;
	}
	return result;
}

int64_t audit_count(struct store *s)
{
	struct store_query q = store_query_init(s, "SELECT count(*) FROM audit WHERE kind = 1");
	int64_t result = store_step(&q);

	if (result == 1) {
		result = sqlite3_column_int64(q.statement, 0);
	}
	store_query_finish(&q);
	return result;
}

const char *audit_reason_text(enum audit_reason reason)
{
	static const char *const texts[AUDIT_REASONS] = {
		[AUDIT_NONE] = "",
		[AUDIT_UNWATCHED] = "stopped watching",
		[AUDIT_LEFT] = "left",
		[AUDIT_REVOKED] = "revoked",
		[AUDIT_CAMERA_GONE] = "camera gone",
		[AUDIT_WEB_GONE] = "web role ended",
		[AUDIT_MIX_UP] = "cut off after reporting mix-ups",
		[AUDIT_REFUSED] = "broke the protocol",
		[AUDIT_NO_KEY] = "no key",
		[AUDIT_STOPPED] = "gateway stopped",
		[AUDIT_UNSEEN] = "ended unseen",
		[AUDIT_PREVIEW_OVER] = "preview over",
		[AUDIT_PAUSED] = "suspended",
	};

	return (size_t)reason < AUDIT_REASONS && texts[reason] != NULL ? texts[reason] : "unknown";
}

bool audit_counts_whole(enum audit_reason reason)
{
	return reason != AUDIT_WEB_GONE && reason != AUDIT_STOPPED && reason != AUDIT_UNSEEN;
}

const char *audit_kind_text(enum audit_kind kind)
{
	static const char *const texts[AUDIT_KINDS] = {
		[AUDIT_OPENED] = "opened",
		[AUDIT_CLOSED] = "closed",
		[AUDIT_GRANTED] = "granted",
		[AUDIT_TAKEN] = "revoked",
		[AUDIT_PAIRED] = "paired",
		[AUDIT_UNPAIRED] = "unpaired",
		[AUDIT_SUSPENDED] = "suspended",
		[AUDIT_RESUMED] = "resumed",
		[AUDIT_ALARM] = "alarm",
	};

	return (size_t)kind < AUDIT_KINDS && texts[kind] != NULL ? texts[kind] : "unknown";
}
