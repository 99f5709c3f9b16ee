/* Cutting off without taking away: a display, all of a kind, or a camera. And cutting off for good:
 * everybody, and the factory reset. */
#include "admin_server.h"
#include "audit_time.h"
#include "log.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What the owner named. */
struct named {
	enum suspended what;
	uint8_t id[DISPLAY_ID_BYTES];
	bool has_id;
	char words[NAME_MAX_BYTES + 32]; /* for people */
};

bool admin_kind_find(const char *text, enum suspended *ret)
{
	for (int kind = 0; kind < DISPLAY_KINDS; kind++) {
		if (strcmp(text, store_kind_text((enum display_kind)kind)) == 0) {
			*ret = (enum suspended)kind;
			return true;
		}
	}
	return false;
}

static void name_it(
	struct named *n, enum suspended what, const uint8_t *id, size_t size, const char *name)
{
	*n = (struct named){.what = what, .has_id = true};
	memcpy(n->id, id, size);
	snprintf(n->words, sizeof(n->words), "the %s \"%s\"",
		what == SUSPENDED_DISPLAY ? "display" : "camera", name);
}

static json_t *find(struct admin_server *a, const char *text, struct named *ret)
{
	struct store_display d;
	struct store_camera c;
	int display, camera;

	if (text == NULL) {
		return admin_error("which? browser, kiosk, integration, a display or a camera");
	}
	*ret = (struct named){0};
	if (admin_kind_find(text, &ret->what)) {
		snprintf(ret->words, sizeof(ret->words), "every %s", text);
		return NULL;
	}
	display = store_display_find(a->store, text, &d);
	camera = store_camera_find(a->store, text, &c);
	if (display == 0 && camera == 0) {
		return admin_error("there is a display and a camera \"%.80s\"; give the id of the "
				   "one you mean",
			text);
	}
	if (display == 0) {
		name_it(ret, SUSPENDED_DISPLAY, d.id, sizeof(d.id), d.name);
		return NULL;
	}
	if (camera == 0) {
		name_it(ret, SUSPENDED_CAMERA, c.id, sizeof(c.id), c.name);
		return NULL;
	}
	if (display == -ENOTUNIQ || camera == -ENOTUNIQ) {
		return admin_error(
			"several ids begin with %.80s; give more digits, or the name", text);
	}
	if (display != -ENOENT || camera != -ENOENT) {
		return admin_store_error(display != -ENOENT ? display : camera);
	}
	return admin_error("there is no display and no camera \"%.80s\"; `camgate displays` and "
			   "`camgate cameras` list them",
		text);
}

/* It is printed on terminals and in the journal. */
static bool reason_ok(const char *reason)
{
	size_t length = reason != NULL ? strlen(reason) : 0;

	if (length == 0 || length > STORE_REASON_BYTES) {
		return false;
	}
	for (const char *at = reason; *at != 0; at++) {
		if ((unsigned char)*at < 0x20 || *at == 0x7f) {
			return false;
		}
	}
	return true;
}

json_t *admin_suspend(struct admin_server *a, const json_t *request, uint64_t peer)
{
	const char *reason = json_string_value(json_object_get(request, "reason"));
	struct admin_waiting *w;
	struct named n;
	json_t *error = find(a, json_string_value(json_object_get(request, "what")), &n);
	int result;

	if (error != NULL) {
		return error;
	}
	if (!reason_ok(reason)) {
		return admin_error("give the reason, in one line of at most %d bytes: --reason "
				   "TEXT",
			STORE_REASON_BYTES);
	}
	w = admin_wait(a, peer);
	if (w == NULL) {
		return admin_error("too many revokes at once; try again in a second");
	}
	snprintf(w->message, sizeof(w->message), "%s is cut off until `camgate resume`", n.words);
	result =
		registry_suspend(a->registry, n.what, n.has_id ? n.id : NULL, reason, w->operation);
	if (result < 0) {
		*w = (struct admin_waiting){0};
	}
	if (result == -EALREADY) {
		return admin_error("%s is suspended already", n.words);
	}
	return result < 0 ? admin_store_error(result) : NULL;
}

json_t *admin_resume(struct admin_server *a, const json_t *request)
{
	char message[NAME_MAX_BYTES + 96];
	struct named n;
	json_t *error = find(a, json_string_value(json_object_get(request, "what")), &n);
	int result;

	if (error != NULL) {
		return error;
	}
	result = registry_resume(a->registry, n.what, n.has_id ? n.id : NULL);
	if (result == -ENOENT) {
		return admin_error(
			"nothing is suspended by that: %s; `camgate status` tells what is",
			n.words);
	}
	if (result < 0) {
		return admin_store_error(result);
	}
	snprintf(message, sizeof(message), "%s may go on, with what was granted", n.words);
	return json_pack("{s:b, s:s}", "ok", 1, "message", message);
}

json_t *admin_revoke_all(struct admin_server *a, uint64_t peer)
{
	struct admin_waiting *w = admin_wait(a, peer);
	int result;

	if (w == NULL) {
		return admin_error("too many revokes at once; try again in a second");
	}
	snprintf(w->message, sizeof(w->message),
		"nobody sees anything any more, and no display is paired");
	result = registry_revoke_all(a->registry, w->operation);
	if (result < 0) {
		*w = (struct admin_waiting){0};
	}
	return result < 0 ? admin_store_error(result) : NULL;
}

/* A store that cannot be written any more is no reason to keep it: ending cuts everybody off, too.
 */
json_t *admin_forget(struct admin_server *a, uint64_t peer)
{
	struct admin_waiting *w = a->forgetting ? NULL : admin_wait(a, peer);
	int result;

	if (w == NULL) {
		return admin_error("too many revokes at once; try again in a second");
	}
	log_warning("everything is to be forgotten, on the word of the command line");
	w->forget = a->forgetting = true;
	a->forget_peer = peer;
	result = registry_revoke_all(a->registry, w->operation);
	if (result < 0) {
		log_error("the grants cannot be taken first: %s", strerror(-result));
		*w = (struct admin_waiting){0};
		a->output.stop(a->output.data);
	}
	return NULL;
}

/* ---- telling ---- */

struct list {
	struct admin_server *a;
	json_t *items;
};

static const char *name_of(struct admin_server *a, const struct store_suspension *x,
	char out[static NAME_MAX_BYTES + 1])
{
	struct store_display d;
	struct store_camera c;

	out[0] = 0;
	if (x->what == SUSPENDED_DISPLAY && store_display_get(a->store, x->id, &d) == 0) {
		memcpy(out, d.name, sizeof(d.name));
	} else if (x->what == SUSPENDED_CAMERA && store_camera_get(a->store, x->id, &c) == 0) {
		memcpy(out, c.name, sizeof(c.name));
	}
	return x->what == SUSPENDED_DISPLAY  ? "display"
	       : x->what == SUSPENDED_CAMERA ? "camera"
					     : store_kind_text((enum display_kind)x->what);
}

json_t *admin_kind_objection(struct admin_server *a, enum display_kind kind)
{
	struct store_suspension x;
	int result = store_suspension_of_kind(a->store, kind, &x);

	if (result > 0) {
		return admin_error("every %s is suspended (%s); camgate resume %s first",
			store_kind_text(kind), x.reason, store_kind_text(kind));
	}
	return result < 0 ? admin_store_error(result) : NULL;
}

static int append(void *data, const struct store_suspension *x)
{
	struct list *l = data;
	char name[NAME_MAX_BYTES + 1], since[AUDIT_TIME_BYTES];
	const char *what = name_of(l->a, x, name);

	audit_time_iso(x->since_s, since);
	return json_array_append_new(
		       l->items, json_pack("{s:s, s:s, s:s, s:s}", "what", what, "name", name,
					 "reason", x->reason, "since", since)) < 0
		       ? -ENOMEM
		       : 0;
}

json_t *admin_suspensions(struct admin_server *a)
{
	struct list l = {a, json_array()};

	if (store_suspension_each(a->store, append, &l) < 0) {
		json_decref(l.items);
		return json_null();
	}
	return l.items;
}

json_t *admin_suspension_of(struct admin_server *a, const uint8_t *display, const uint8_t *camera)
{
	struct store_suspension x;
	char since[AUDIT_TIME_BYTES];
	int result = store_suspension_of(a->store, display, camera, &x);

	if (result == 0) {
		return json_null();
	}
	if (result < 0) {
		return json_pack("{s:s, s:s}", "reason", "(the store cannot say)", "since", "");
	}
	audit_time_iso(x.since_s, since);
	return json_pack("{s:s, s:s}", "reason", x.reason, "since", since);
}
