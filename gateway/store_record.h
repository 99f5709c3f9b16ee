/* Who was given what, and who lost it, on record with the change itself. For the store's files. */
#ifndef CAMGATE_STORE_RECORD_H
#define CAMGATE_STORE_RECORD_H

#include "audit.h"
#include "store_sql.h"

/* Writes an entry of this kind. d, c: NULL where there is none. note: NULL: nothing to add. */
int store_record(struct store *s, enum audit_kind kind, const struct store_display *d,
	const struct store_camera *c, const char *note);
/* That all grants go which a condition names ("display = ?"); the parameter is an id. */
int store_record_taken(struct store *s, const char *condition, const uint8_t *id, size_t id_size,
	const char *note);

#endif
