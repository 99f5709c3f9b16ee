/*
 * The record of who saw what, and of who was allowed to. A viewing is one display watching one
 * camera over one connection.
 *
 * Two entries per viewing: an opening, on disk before the first key leaves, and a closing with what
 * came of it. One entry for each grant that is given or taken, each pairing, suspension and report
 * of a mix-up, on disk together with the change itself. Entries are never changed; each carries
 * SHA-256(chain of the one before ‖ its own fields), so that removing or editing one in the middle
 * shows. The oldest go when there are too many or they are too old; the chain then starts from the
 * last one removed, which is kept in meta.
 *
 * What is attested: `sent` and `dropped` are the web role's counts; the others are the display's
 * own answers as the web role counted them or, when attested is set, the total that the display
 * signed when it stopped.
 *
 * Times are of the wall clock, for people. How long a viewing took is measured by CLOCK_BOOTTIME.
 *
 * Belongs to the store's thread. 0 or -errno as in store.h.
 */
#ifndef CAMGATE_AUDIT_H
#define CAMGATE_AUDIT_H

#include "store.h"

enum {
	AUDIT_ENTRIES_MAX = 100000,
	AUDIT_ENTRY_BYTES = 400, /* on disk, about; turns a size into a number of entries */
	AUDIT_AGE_MAX_S = 366 * 24 * 60 * 60,
	AUDIT_NOTE_BYTES = 200,
	AUDIT_VERIFY_STEP = 5000, /* entries that one call checks at most */
	/* A link was poor when the worst age of a viewing passed the first, or the share of
	 * pictures that were sent or held ready and not drawn passed the second. */
	AUDIT_POOR_AGE_MS = 2000,
	AUDIT_POOR_DROPPED_PERCENT = 10,
};

/* Numbers are on disk: only ever append. */
enum audit_kind {
	AUDIT_OPENED = 1,
	AUDIT_CLOSED,
	AUDIT_GRANTED,
	AUDIT_TAKEN, /* a grant was */
	AUDIT_PAIRED,
	AUDIT_UNPAIRED,
	AUDIT_SUSPENDED,
	AUDIT_RESUMED,
	AUDIT_ALARM, /* a display reported a mix-up */
	AUDIT_KINDS,
};

/* Why a viewing ended. Numbers are on disk: only ever append. */
enum audit_reason {
	AUDIT_NONE = 0,
	AUDIT_UNWATCHED, /* the display stopped watching */
	AUDIT_LEFT, /* its connection ended */
	AUDIT_REVOKED, /* the grant was taken */
	AUDIT_CAMERA_GONE, /* unplugged, restarted, ended */
	AUDIT_WEB_GONE, /* the web role ended */
	AUDIT_MIX_UP, /* cut off after two reports within a minute */
	AUDIT_REFUSED, /* the display broke the protocol */
	AUDIT_NO_KEY, /* the camera gave no key: nothing was ever shown */
	AUDIT_STOPPED, /* the keeper was stopped */
	AUDIT_UNSEEN, /* the keeper died: nobody saw the end */
	AUDIT_PREVIEW_OVER, /* an owner looked before deciding, which is over */
	AUDIT_PAUSED = 12, /* the display, its kind or the camera was suspended */
	AUDIT_REASONS,
};

struct audit_opening {
	uint8_t display[DISPLAY_ID_BYTES];
	uint8_t camera[CAMERA_ID_BYTES];
	uint8_t session[SESSION_ID_BYTES];
	uint16_t stream;
	char display_name[NAME_MAX_BYTES + 1];
	char camera_name[NAME_MAX_BYTES + 1];
};

struct audit_counts {
	uint32_t sent, drawn, late, hidden, refused, worst_age_ms;
	uint32_t dropped; /* passed over for a newer one, or given up half sent */
	bool attested;
};

/* Puts the opening of a viewing on disk. *ret_viewing names it from now on. */
int audit_open(struct store *s, const struct audit_opening *o, int64_t *ret_viewing);

struct audit_closing {
	int64_t viewing;
	enum audit_reason reason;
	uint64_t duration_ms;
	struct audit_counts counts;
};

/* Whether the counts of a viewing that ended so cover it to its end. False when those died who
 * counted, or who heard of it: then they are of up to five seconds earlier, or none. */
bool audit_counts_whole(enum audit_reason reason);

/* Puts these closings on disk with one write. Those of viewings that are closed or unknown are left
 * out. All or nothing. */
int audit_close(struct store *s, const struct audit_closing *closings, size_t count);
/* At start: closes as AUDIT_UNSEEN what the last keeper left open. *ret_count may be NULL. */
int audit_close_unseen(struct store *s, unsigned int *ret_count);

/* Everything but a viewing. Ids and names that do not apply are zeroes and empty. */
struct audit_event {
	enum audit_kind kind;
	uint8_t display[DISPLAY_ID_BYTES];
	uint8_t camera[CAMERA_ID_BYTES];
	char display_name[NAME_MAX_BYTES + 1];
	char camera_name[NAME_MAX_BYTES + 1];
	char note[AUDIT_NOTE_BYTES + 1]; /* why, in words */
};

/* The record says on whose word (store_act_for). Within a change that is under way it is on disk
 * with that one, or not at all. */
int audit_note(struct store *s, const struct audit_event *e);

/* ---- how long it is kept (audit_chain.c) ---- */

/* Removes what is older than age_s seconds before now_s, of the wall clock, and what is too much.
 * *ret_removed may be NULL. */
int audit_prune(struct store *s, int64_t now_s, int64_t age_s, unsigned int *ret_removed);

/* ---- reading (audit_chain.c, audit_list.c, audit_exposure.c) ---- */

/* Where a check is: zeroes to begin. */
struct audit_check {
	int64_t first, last; /* sequence numbers checked; 0: none yet */
	int64_t first_s, last_s; /* their times */
	int64_t removed; /* entries that went for their age or number before the first */
	uint8_t chain[DIGEST_BYTES]; /* of the last */
	bool done;
	int64_t broken; /* 0, or the first entry that is not as it was written */
};

/* Checks the next AUDIT_VERIFY_STEP entries, so that the caller can do other things in between.
 * 0: *c says how far it came; -EBADMSG: an entry was changed or removed, c->broken says which. */
int audit_verify_step(struct store *s, struct audit_check *c);
/* All of it. 0; -EBADMSG; -errno. */
int audit_verify(struct store *s);
/* Number of viewings on record, or -errno. */
int64_t audit_count(struct store *s);
/* When the first entry that there still is was written; now_s if there is none. */
int audit_begins(struct store *s, int64_t now_s, int64_t *ret_s);

struct audit_filter {
	const uint8_t *display, *camera; /* NULL: any */
	int64_t since_s, until_s; /* what was going on in between */
	int64_t after; /* sequence: only later ones */
	unsigned int max; /* entries; 0: all */
};

/* A viewing, with what is known of its end, or an event. */
struct audit_item {
	int64_t sequence;
	enum audit_kind kind; /* AUDIT_OPENED: a viewing */
	int64_t from_s, to_s; /* equal for events */
	struct audit_opening o;
	char actor[NAME_MAX_BYTES + 1]; /* events: on whose word */
	char note[AUDIT_NOTE_BYTES + 1];
	bool closed; /* viewings: otherwise it goes on */
	enum audit_reason reason;
	uint64_t duration_ms; /* 0: not known */
	struct audit_counts counts;
};

/* In the order in which they were written. each returns 0 to go on; anything else ends the walk and
 * is returned. */
int audit_each(struct store *s, const struct audit_filter *f,
	int (*each)(void *data, const struct audit_item *i), void *data);

/* The id behind a name or at least 8 hex digits that are on record, for what is known no more.
 * -ENOENT; -ENOTUNIQ: several were called that. */
int audit_find_camera(struct store *s, const char *text, uint8_t ret[static CAMERA_ID_BYTES]);
int audit_find_display(struct store *s, const char *text, uint8_t ret[static DISPLAY_ID_BYTES]);

/* What one display had to do with a camera in a span of time. */
struct audit_exposed {
	uint8_t display[DISPLAY_ID_BYTES];
	char name[NAME_MAX_BYTES + 1]; /* as it was called then */
	bool saw; /* a picture was drawn, or may have been: nobody signed that none was */
	bool poor; /* of a viewing in which it saw */
	unsigned int viewings, alarms;
};

/* Who could have seen this camera between the two times: every display that held a grant at any
 * moment in between, suspended or not, or that watched. *ret is the caller's to free. */
int audit_exposure(struct store *s, const uint8_t camera[static CAMERA_ID_BYTES], int64_t since_s,
	int64_t until_s, struct audit_exposed **ret, size_t *ret_count);
/* Was the link poor? Pure. */
bool audit_counts_poor(const struct audit_counts *c);

const char *audit_reason_text(enum audit_reason reason);
const char *audit_kind_text(enum audit_kind kind);

#endif
