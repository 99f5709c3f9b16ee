#include "store_record.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

int store_record(struct store *s, enum audit_kind kind, const struct store_display *d,
	const struct store_camera *c, const char *note)
{
	struct audit_event e = {.kind = kind};

	if (d != NULL) {
		memcpy(e.display, d->id, sizeof(e.display));
		memcpy(e.display_name, d->name, sizeof(e.display_name));
	}
	if (c != NULL) {
		memcpy(e.camera, c->id, sizeof(e.camera));
		memcpy(e.camera_name, c->name, sizeof(e.camera_name));
	}
	snprintf(e.note, sizeof(e.note), "%s", note != NULL ? note : "");
	return audit_note(s, &e);
}

int store_record_taken(
	struct store *s, const char *condition, const uint8_t *id, size_t id_size, const char *note)
{
	char sql[320];
	struct store_query q;
	struct store_display d;
	struct store_camera c;
	int result;

	snprintf(sql, sizeof(sql),
		"SELECT d.id, d.name, c.id, c.name FROM grants"
		" JOIN displays d ON d.id = display JOIN cameras c ON c.id = camera WHERE %s",
		condition);
	q = store_query_init(s, sql);
	if (id != NULL) {
		store_bind_blob(&q, id, id_size);
	}
	while ((result = store_step(&q)) == 1) {
		store_column_blob(&q, 0, d.id, sizeof(d.id));
		store_column_text(&q, 1, d.name, sizeof(d.name));
		store_column_blob(&q, 2, c.id, sizeof(c.id));
		store_column_text(&q, 3, c.name, sizeof(c.name));
		result = q.error != 0 ? q.error : store_record(s, AUDIT_TAKEN, &d, &c, note);
		if (result < 0) {
			break;
		}
	}
	store_query_finish(&q);
	return result;
}
