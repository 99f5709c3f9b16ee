/*
 * The record of who saw what. A viewing is one display watching one camera over one connection.
 *
 * Two entries per viewing: an opening, on disk before the first key leaves, and a closing with what
 * came of it. Entries are never changed; each carries SHA-256(chain of the one before ‖ its own
 * fields), so that removing or editing one in the middle shows. The oldest go when there are more
 * than AUDIT_ENTRIES_MAX; the chain then starts from the last one removed, which is kept in meta.
 *
 * What is attested: `sent` is the web role's count; the others are the display's own answers as the
 * web role counted them or, when attested is set, the total that the display signed when it
 * stopped.
 *
 * Belongs to the store's thread. 0 or -errno as in store.h.
 */
#ifndef CAMGATE_AUDIT_H
#define CAMGATE_AUDIT_H

#include "store.h"

enum { AUDIT_ENTRIES_MAX = 100000 };

enum audit_kind { AUDIT_OPENED = 1, AUDIT_CLOSED = 2 };

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
	bool attested;
};

/* Puts the opening of a viewing on disk. *ret_viewing names it from now on. */
int audit_open(struct store *s, const struct audit_opening *o, int64_t *ret_viewing);
struct audit_closing {
	int64_t viewing;
	enum audit_reason reason;
	struct audit_counts counts;
};

/* Puts these closings on disk with one write. Those of viewings that are closed or unknown are left
 * out. All or nothing. */
int audit_close(struct store *s, const struct audit_closing *closings, size_t count);
/* At start: closes as AUDIT_UNSEEN what the last keeper left open. *ret_count may be NULL. */
int audit_close_unseen(struct store *s, unsigned int *ret_count);
/* Walks the chain. 0; -EBADMSG when an entry was changed or removed; -errno. */
int audit_verify(struct store *s);
/* Number of viewings on record, or -errno. */
int64_t audit_count(struct store *s);
const char *audit_reason_text(enum audit_reason reason);

#endif
