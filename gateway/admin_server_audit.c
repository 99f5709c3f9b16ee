/* The record, for the owner to read. In parts, so that the keeper has time for other things. */
#include "admin_server.h"
#include "audit.h"
#include "audit_time.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ITEMS_AT_ONCE = 150 };

static json_t *hex(const uint8_t *data, size_t size)
{
	char text[2 * DISPLAY_ID_BYTES + 1] = "";

	for (size_t i = 0; i < size && i < DISPLAY_ID_BYTES; i++) {
		(void)snprintf(text + 2 * i, 3, "%02x", data[i]);
	}
	return json_string(text);
}

static json_t *iso(int64_t s)
{
	char text[AUDIT_TIME_BYTES];

	audit_time_iso(s, text);
	return json_string(text);
}

/* A number of the request, or what is meant without it. */
static int64_t number_or(const json_t *request, const char *key, int64_t otherwise)
{
	const json_t *value = json_object_get(request, key);

	return json_is_integer(value) ? (int64_t)json_integer_value(value) : otherwise;
}

/* ---- the list ---- */

struct list {
	json_t *items;
	unsigned int count;
	int64_t last;
};

static json_t *viewing_of(const struct audit_item *i)
{
	const struct audit_counts *c = &i->counts;

	return json_pack(
		"{s:s, s:I, s:s, s:o, s:s, s:o, s:o, s:o, s:b, s:o, s:s, s:i, s:i, s:i, s:i, s:i, "
		"s:i, s:i, s:b}",
		"kind", "viewing", "entry", (json_int_t)i->sequence, "display", i->o.display_name,
		"display_id", hex(i->o.display, sizeof(i->o.display)), "camera", i->o.camera_name,
		"camera_id", hex(i->o.camera, sizeof(i->o.camera)), "from", iso(i->from_s), "to",
		i->closed ? iso(i->to_s) : json_null(), "ended", (int)i->closed, "duration_ms",
		i->closed && i->reason != AUDIT_UNSEEN ? json_integer((json_int_t)i->duration_ms)
						       : json_null(),
		"why", i->closed ? audit_reason_text(i->reason) : "", "sent", (int)c->sent, "drawn",
		(int)c->drawn, "late", (int)c->late, "hidden", (int)c->hidden, "refused",
		(int)c->refused, "dropped", (int)c->dropped, "worst_age_ms", (int)c->worst_age_ms,
		"attested", (int)c->attested);
}

static json_t *event_of(const struct audit_item *i)
{
	return json_pack("{s:s, s:I, s:o, s:s, s:s, s:s, s:s}", "kind", audit_kind_text(i->kind),
		"entry", (json_int_t)i->sequence, "at", iso(i->from_s), "display",
		i->o.display_name, "camera", i->o.camera_name, "by", i->actor, "note", i->note);
}

static int append_item(void *data, const struct audit_item *i)
{
	struct list *l = data;
	json_t *value = i->kind == AUDIT_OPENED ? viewing_of(i) : event_of(i);

	l->count++;
	l->last = i->sequence;
	return json_array_append_new(l->items, value) < 0 ? -ENOMEM : 0;
}

static json_t *find_error(const char *what, const char *text, int result)
{
	if (result == -ENOENT) {
		return admin_error(
			"there is no %s \"%.80s\", and none of that name is on record", what, text);
	}
	if (result == -ENOTUNIQ) {
		return admin_error("several %ss were called \"%.80s\"; give the id", what, text);
	}
	return admin_store_error(result);
}

/* As it is called now, or was called. NULL if it was found. */
static json_t *find_camera(
	struct admin_server *a, const char *text, uint8_t ret[static CAMERA_ID_BYTES])
{
	struct store_camera c;
	int result = store_camera_find(a->store, text, &c);

	if (result == 0) {
		memcpy(ret, c.id, CAMERA_ID_BYTES);
	} else if (result == -ENOENT) {
		result = audit_find_camera(a->store, text, ret);
	}
	return result < 0 ? find_error("camera", text, result) : NULL;
}

static json_t *find_display(
	struct admin_server *a, const char *text, uint8_t ret[static DISPLAY_ID_BYTES])
{
	struct store_display d;
	int result = store_display_find(a->store, text, &d);

	if (result == 0) {
		memcpy(ret, d.id, DISPLAY_ID_BYTES);
	} else if (result == -ENOENT) {
		result = audit_find_display(a->store, text, ret);
	}
	return result < 0 ? find_error("display", text, result) : NULL;
}

json_t *admin_audit(struct admin_server *a, const json_t *request)
{
	const char *camera = json_string_value(json_object_get(request, "camera"));
	const char *display = json_string_value(json_object_get(request, "display"));
	uint8_t camera_id[CAMERA_ID_BYTES], display_id[DISPLAY_ID_BYTES];
	struct audit_filter f = {.since_s = number_or(request, "since", INT64_MIN),
		.until_s = number_or(request, "until", INT64_MAX),
		.after = number_or(request, "after", 0),
		.max = ITEMS_AT_ONCE};
	struct list l = {.items = json_array()};
	json_t *error = NULL;
	int result;

	if (camera != NULL) {
		error = find_camera(a, camera, camera_id);
		f.camera = camera_id;
	}
	if (error == NULL && display != NULL) {
		error = find_display(a, display, display_id);
		f.display = display_id;
	}
	result = error == NULL ? audit_each(a->store, &f, append_item, &l) : 0;
	if (error != NULL || result < 0) {
		json_decref(l.items);
		return error != NULL ? error : admin_store_error(result);
	}
	return json_pack("{s:b, s:o, s:o}", "ok", 1, "items", l.items, "after",
		l.count == ITEMS_AT_ONCE ? json_integer((json_int_t)l.last) : json_null());
}

/* ---- checking ---- */

static bool parse_hex(const char *text, uint8_t out[static DIGEST_BYTES])
{
	unsigned int byte;

	if (text == NULL || strlen(text) != 2 * DIGEST_BYTES) {
		return false;
	}
	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		if (sscanf(text + 2 * i, "%2x", &byte) != 1) {
			return false;
		}
		out[i] = (uint8_t)byte;
	}
	return true;
}

json_t *admin_audit_verify(struct admin_server *a, const json_t *request)
{
	struct audit_check c = {.first = number_or(request, "first", 0),
		.last = number_or(request, "last", 0),
		.first_s = number_or(request, "first_s", 0),
		.removed = number_or(request, "removed", 0)};
	int result;

	if (c.last != 0 &&
		!parse_hex(json_string_value(json_object_get(request, "chain")), c.chain)) {
		return admin_error("a check that goes on needs the chain it came to");
	}
	result = audit_verify_step(a->store, &c);
	if (result < 0 && result != -EBADMSG) {
		return admin_store_error(result);
	}
	return json_pack("{s:b, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "ok", 1, "done",
		(int)(c.done || result < 0), "holds", (int)(result == 0), "first",
		(json_int_t)c.first, "first_s", (json_int_t)c.first_s, "last", (json_int_t)c.last,
		"last_s", (json_int_t)c.last_s, "removed", (json_int_t)c.removed, "broken",
		(json_int_t)c.broken, "chain", hex(c.chain, sizeof(c.chain)));
}

/* ---- exposure ---- */

/* What is true of some of them. */
static bool saw(const struct audit_exposed *x)
{
	return x->saw;
}

static bool saw_poorly(const struct audit_exposed *x)
{
	return x->poor;
}

static bool could(const struct audit_exposed *x)
{
	(void)x;
	return true;
}

static json_t *names_of(const struct audit_exposed *list, size_t count,
	bool (*chosen)(const struct audit_exposed *x))
{
	json_t *names = json_array();

	for (size_t i = 0; i < count; i++) {
		if (chosen(&list[i])) {
			json_array_append_new(names, json_string(list[i].name));
		}
	}
	return names;
}

static json_t *alarms_of(const struct audit_exposed *list, size_t count, unsigned int *ret_total)
{
	json_t *object = json_array();

	*ret_total = 0;
	for (size_t i = 0; i < count; i++) {
		if (list[i].alarms > 0) {
			*ret_total += list[i].alarms;
			json_array_append_new(
				object, json_pack("{s:s, s:i}", "display", list[i].name, "alarms",
						(int)list[i].alarms));
		}
	}
	return object;
}

json_t *admin_exposure(struct admin_server *a, const json_t *request)
{
	const char *camera = json_string_value(json_object_get(request, "camera"));
	int64_t now_s = (int64_t)time(NULL), begins_s = now_s;
	int64_t since_s = number_or(request, "since", 0);
	int64_t until_s = number_or(request, "until", now_s);
	uint8_t id[CAMERA_ID_BYTES];
	struct audit_exposed *list = NULL;
	unsigned int alarms;
	json_t *error, *reply, *by_display;
	size_t count = 0;
	int result;

	error = camera != NULL ? find_camera(a, camera, id) : admin_error("which camera?");
	if (error != NULL) {
		return error;
	}
	result = audit_begins(a->store, now_s, &begins_s);
	if (result == 0) {
		result = audit_exposure(a->store, id, since_s, until_s, &list, &count);
	}
	if (result < 0) {
		return admin_store_error(result);
	}
	by_display = alarms_of(list, count, &alarms);
	reply = json_pack("{s:b, s:s, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:i, s:o}", "ok", 1,
		"camera", camera, "camera_id", hex(id, sizeof(id)), "since", iso(since_s), "until",
		iso(until_s), "record_begins", iso(begins_s), "record_covers_it",
		(int)(begins_s <= since_s), "could_have_seen", names_of(list, count, could),
		"did_see", names_of(list, count, saw), "on_a_poor_link",
		names_of(list, count, saw_poorly), "alarms", (int)alarms, "alarms_by", by_display);
	free(list);
	return reply;
}
