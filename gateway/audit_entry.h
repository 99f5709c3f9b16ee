/*
 * One row of the record, for the audit's own files.
 *
 * Its chain is SHA-256(chain of the entry before ‖ every field). Entries of format 0 are from
 * before there was more than viewings to record; what they cannot hold has to be empty in them.
 */
#ifndef CAMGATE_AUDIT_ENTRY_H
#define CAMGATE_AUDIT_ENTRY_H

#include "audit.h"
#include "store_sql.h"

enum { AUDIT_FORMAT = 1 };

struct audit_entry {
	int64_t sequence, viewing, time_s;
	uint8_t format, kind, reason;
	struct audit_opening o;
	struct audit_counts counts;
	uint64_t duration_ms;
	char actor[NAME_MAX_BYTES + 1];
	char note[AUDIT_NOTE_BYTES + 1];
	uint8_t chain[DIGEST_BYTES];
};

/* In the order that audit_entry_read expects, from column 0. */
#define AUDIT_COLUMNS                                                                              \
	"sequence, kind, viewing, time_s, display, display_name, camera, camera_name, session,"    \
	" stream, reason, sent, drawn, late, hidden, refused, worst_age_ms, attested, chain,"      \
	" format, dropped, duration_ms, actor, note"

int audit_entry_read(struct store_query *q, struct audit_entry *ret);
int audit_entry_write(struct store *s, const struct audit_entry *e);
int audit_entry_digest(const struct audit_entry *e, const uint8_t previous[static DIGEST_BYTES],
	uint8_t out[static DIGEST_BYTES]);

/* audit_chain.c */
/* What the next entry is chained to. */
int audit_chain_end(struct store *s, int64_t *ret_sequence, uint8_t chain[static DIGEST_BYTES]);
/* Removes what is too much. */
int audit_chain_shorten(struct store *s, int64_t newest);

#endif
