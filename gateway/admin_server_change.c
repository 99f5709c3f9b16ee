#include "admin_server.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A sentence for what wire_name_ok refuses; NULL if the name is good. */
static json_t *name_error(const char *name)
{
	if (name == NULL || name[0] == 0) {
		return admin_error("a name may not be empty");
	}
	if (strlen(name) > NAME_MAX_BYTES) {
		return admin_error("the name is too long: at most %d bytes", NAME_MAX_BYTES);
	}
	if (!wire_name_ok(name)) {
		return admin_error(
			"a name may not contain control characters, nor begin or end with a "
			"space");
	}
	return NULL;
}

json_t *admin_find_camera(struct admin_server *a, const char *text, struct store_camera *ret)
{
	int result = text != NULL ? store_camera_find(a->store, text, ret) : -ENOENT;

	if (result == -ENOENT) {
		return admin_error("there is no camera \"%.80s\"; `camgate cameras` lists them",
			text != NULL ? text : "");
	}
	if (result == -ENOTUNIQ) {
		return admin_error(
			"several cameras' ids begin with %.80s; give more digits, or the name",
			text);
	}
	return result < 0 ? admin_store_error(result) : NULL;
}

static json_t *find_display(struct admin_server *a, const char *text, struct store_display *ret)
{
	int result = text != NULL ? store_display_find(a->store, text, ret) : -ENOENT;

	if (result == -ENOENT) {
		return admin_error("there is no display \"%.80s\"; `camgate displays` lists them",
			text != NULL ? text : "");
	}
	if (result == -ENOTUNIQ) {
		return admin_error(
			"several displays' ids begin with %.80s; give more digits, or the name",
			text);
	}
	return result < 0 ? admin_store_error(result) : NULL;
}

/* ---- pair ---- */

static json_t *offer_listed(struct admin_server *a, const json_t *list, struct pairing_offer *offer)
{
	struct store_camera c;
	const json_t *name;
	json_t *error;
	size_t i;

	json_array_foreach(list, i, name)
	{
		if (offer->cameras_count == PAIRING_CAMERAS_MAX) {
			return admin_error(
				"a link grants at most %d cameras; grant the others afterwards",
				PAIRING_CAMERAS_MAX);
		}
		error = admin_find_camera(a, json_string_value(name), &c);
		if (error == NULL) {
			error = admin_may_be_shown(&c);
		}
		if (error != NULL) {
			return error;
		}
		memcpy(offer->cameras[offer->cameras_count++], c.id, sizeof(c.id));
	}
	return NULL;
}

/* "all" means the cameras that are there now; a first owner gets those that are there when it
 * pairs. */
static json_t *offer_cameras(
	struct admin_server *a, const json_t *cameras, struct pairing_offer *offer)
{
	const char *word = json_string_value(cameras);

	if (json_is_array(cameras)) {
		return offer_listed(a, cameras, offer);
	}
	if (word != NULL && strcmp(word, "all") == 0) {
		offer->cameras_count =
			registry_present(a->registry, offer->cameras, PAIRING_CAMERAS_MAX);
		return NULL;
	}
	if (cameras == NULL || json_is_null(cameras) ||
		(word != NULL && strcmp(word, "none") == 0)) {
		return NULL;
	}
	return admin_error("cameras are \"all\", \"none\" or a list of names");
}

static json_t *offer_name(struct admin_server *a, const json_t *name, struct pairing_offer *offer)
{
	const char *text = json_string_value(name);
	struct store_display taken;
	json_t *error;
	int result;

	if (name == NULL || json_is_null(name)) {
		return NULL;
	}
	error = name_error(text);
	if (error != NULL) {
		return error;
	}
	result = store_display_find(a->store, text, &taken);
	if (result == 0 && strcmp(taken.name, text) == 0) {
		return admin_error(
			"another display is called \"%s\" already; choose another name", text);
	}
	if (result < 0 && result != -ENOENT && result != -ENOTUNIQ) {
		return admin_store_error(result);
	}
	memcpy(offer->name, text, strlen(text) + 1);
	return NULL;
}

/* Seconds, or 0 for a number that cannot be. */
static unsigned int lifetime(const json_t *minutes)
{
	json_int_t n;

	if (minutes == NULL || json_is_null(minutes)) {
		return PAIRING_LIFETIME_S;
	}
	n = json_integer_value(minutes);
	return n >= 1 && n <= PAIRING_LIFETIME_MAX_S / 60 ? (unsigned int)n * 60 : 0;
}

static json_t *hosts_of(const struct admin_server *a)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < a->hosts->count; i++) {
		json_array_append_new(list, json_string(a->hosts->text[i]));
	}
	return list;
}

static json_t *make_link(
	struct admin_server *a, const struct pairing_offer *offer, unsigned int seconds)
{
	char text[WIRE_LINK_TEXT_BYTES];
	struct wire_link link = {.owner = offer->owner};
	struct registry_web_view web = {0};
	json_t *reply;

	if (registry_web_see(a->registry, 0, &web) < 0) {
		return admin_error(
			"the web role is not running, so nobody could open a link; start it "
			"with `camgate run`, or look in the log why it ended");
	}
	a->output.random(a->output.data, link.id, sizeof(link.id));
	a->output.random(a->output.data, link.secret, sizeof(link.secret));
	memcpy(link.fingerprint, a->authority->fingerprint, sizeof(link.fingerprint));
	pairing_add(
		a->pairing, a->output.now_us(a->output.data), seconds, link.id, link.secret, offer);
	wire_encode_link(&link, text);
	reply = json_pack("{s:b, s:s, s:i, s:s, s:o, s:i, s:b}", "ok", 1, "link", text, "port",
		(int)web.port, "listening", web.listening, "hosts", hosts_of(a), "expires_s",
		(int)seconds, "owner", (int)offer->owner);
	explicit_bzero(&link, sizeof(link));
	explicit_bzero(text, sizeof(text));
	return reply;
}

static json_t *offer_kind(struct admin_server *a, const json_t *kind, struct pairing_offer *offer)
{
	const char *text = json_string_value(kind);
	enum suspended what;

	if (text != NULL && !admin_kind_find(text, &what)) {
		return admin_error("a display is a browser, a kiosk or an integration");
	}
	offer->kind = text != NULL ? (uint8_t)what : DISPLAY_BROWSER;
	/* A hub without an owner prints a link for one whatever is suspended. */
	return offer->owner ? NULL : admin_kind_objection(a, (enum display_kind)offer->kind);
}

json_t *admin_pair(struct admin_server *a, const json_t *request)
{
	struct pairing_offer offer = {.owner = json_is_true(json_object_get(request, "owner"))};
	unsigned int seconds = lifetime(json_object_get(request, "minutes"));
	json_t *error = offer_name(a, json_object_get(request, "name"), &offer);

	if (error == NULL) {
		error = offer_cameras(a, json_object_get(request, "cameras"), &offer);
	}
	if (error == NULL) {
		error = offer_kind(a, json_object_get(request, "kind"), &offer);
	}
	if (error == NULL && seconds == 0) {
		error = admin_error("a link lives 1 to %d minutes", PAIRING_LIFETIME_MAX_S / 60);
	}
	return error != NULL ? error : make_link(a, &offer, seconds);
}

/* ---- name, grant, revoke ---- */

json_t *admin_name(struct admin_server *a, const json_t *request)
{
	const char *name = json_string_value(json_object_get(request, "name"));
	const char *camera = json_string_value(json_object_get(request, "camera"));
	char message[2 * NAME_MAX_BYTES + 64];
	struct store_camera c;
	json_t *error = name_error(name);
	int result;

	if (error == NULL) {
		error = admin_find_camera(a, camera, &c);
	}
	if (error != NULL) {
		return error;
	}
	result = registry_rename(a->registry, c.id, name);
	if (result == -EEXIST) {
		return admin_error(
			"another camera is called \"%s\" already; choose another name", name);
	}
	if (result < 0) {
		return admin_store_error(result);
	}
	snprintf(message, sizeof(message), "\"%s\" is now called \"%s\"", c.name, name);
	return json_pack("{s:b, s:s}", "ok", 1, "message", message);
}

json_t *admin_grant(struct admin_server *a, const json_t *request)
{
	char message[2 * NAME_MAX_BYTES + 64];
	struct store_display d;
	struct store_camera c;
	json_t *error = find_display(a, json_string_value(json_object_get(request, "display")), &d);
	int result;

	if (error == NULL) {
		error = admin_find_camera(
			a, json_string_value(json_object_get(request, "camera")), &c);
	}
	if (error == NULL) {
		error = admin_may_be_shown(&c);
	}
	if (error != NULL) {
		return error;
	}
	result = registry_grant(a->registry, d.id, c.id);
	if (result < 0) {
		return admin_store_error(result);
	}
	snprintf(message, sizeof(message), "\"%s\" may now see \"%s\"%s", d.name, c.name,
		c.strength == IDENTITY_RUN ? " until it is unplugged or restarted" : "");
	return json_pack("{s:b, s:s}", "ok", 1, "message", message);
}

struct admin_waiting *admin_wait(struct admin_server *a, uint64_t peer)
{
	for (size_t i = 0; i < REGISTRY_REVOCATIONS_MAX; i++) {
		struct admin_waiting *w = &a->waiting[i];

		if (w->operation == 0) {
			w->operation = ++a->operations;
			w->peer = peer;
			return w;
		}
	}
	return NULL;
}

static json_t *begin_revoke(struct admin_server *a, const struct store_display *d,
	const struct store_camera *c, uint64_t peer)
{
	struct admin_waiting *w = admin_wait(a, peer);
	int result;

	if (w == NULL) {
		return admin_error("too many revokes at once; try again in a second");
	}
	if (c != NULL) {
		snprintf(w->message, sizeof(w->message), "\"%s\" does not see \"%s\" any more",
			d->name, c->name);
	} else {
		snprintf(w->message, sizeof(w->message),
			"\"%s\" sees nothing any more and is not paired any more", d->name);
	}
	result = registry_revoke(a->registry, d->id, c != NULL ? c->id : NULL, w->operation);
	if (result < 0) {
		*w = (struct admin_waiting){0};
	}
	if (result == -ENOENT && c != NULL) {
		return admin_error("\"%s\" could not see \"%s\" anyway", d->name, c->name);
	}
	return result < 0 ? admin_store_error(result) : NULL;
}

json_t *admin_revoke(struct admin_server *a, const json_t *request, uint64_t peer)
{
	const json_t *camera = json_object_get(request, "camera");
	bool all = camera == NULL || json_is_null(camera);
	struct store_display d;
	struct store_camera c;
	json_t *error;

	if (json_is_true(json_object_get(request, "all"))) {
		return admin_revoke_all(a, peer);
	}
	error = find_display(a, json_string_value(json_object_get(request, "display")), &d);
	if (error == NULL && !all) {
		error = admin_find_camera(a, json_string_value(camera), &c);
	}
	return error != NULL ? error : begin_revoke(a, &d, all ? NULL : &c, peer);
}
