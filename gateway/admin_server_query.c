#include "admin_server.h"
#include "audit.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* One walk over the store while an answer is built. */
struct walk {
	struct admin_server *a;
	json_t *list;
	const uint8_t *display; /* of displays: whose cameras */
	bool watched_only, failed;
};

static const char *const strengths[] = {
	[IDENTITY_RUN] = "run",
	[IDENTITY_PORT] = "port",
	[IDENTITY_SERIAL] = "serial",
	[IDENTITY_TEST] = "test",
};

static const char *const standings[] = {
	[STANDING_PLAIN] = "known",
	[STANDING_QUARANTINED] = "quarantined",
	[STANDING_CONFIRMED] = "confirmed",
	[STANDING_IGNORED] = "ignored",
};

static json_t *hex(const uint8_t *data, size_t size)
{
	char text[2 * DISPLAY_ID_BYTES + 1] = "";

	for (size_t i = 0; i < size && i < DISPLAY_ID_BYTES; i++) {
		snprintf(text + 2 * i, 3, "%02x", data[i]);
	}
	return json_string(text);
}

/* What a device says of itself may be in any encoding. */
static json_t *text(const char *said)
{
	char ascii[IPC_TEXT_MAX_BYTES + 1];
	json_t *value = json_string(said);
	size_t length = 0;

	if (value != NULL) {
		return value;
	}
	for (; said[length] != 0 && length < IPC_TEXT_MAX_BYTES; length++) {
		ascii[length] = (char)((unsigned char)said[length] < 0x80 ? said[length] : '?');
	}
	ascii[length] = 0;
	return json_string(ascii);
}

static json_t *iso8601(int64_t s)
{
	char text[32] = "";
	time_t when = (time_t)s;
	struct tm tm;

	if (gmtime_r(&when, &tm) != NULL) {
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	}
	return json_string(text);
}

static void append(struct walk *w, json_t *value)
{
	if (json_array_append_new(w->list, value) < 0) {
		w->failed = true;
	}
}

static int append_display_name(void *data, const struct store_display *d)
{
	append(data, json_string(d->name));
	return 0;
}

static int append_camera_name(void *data, const struct store_camera *c)
{
	struct walk *w = data;

	if (!w->watched_only || registry_display_watches(w->a->registry, w->display, c->id)) {
		append(w, json_string(c->name));
	}
	return 0;
}

/* NULL when it failed. */
static json_t *finish(struct walk *w, int result)
{
	if (result < 0 || w->failed) {
		json_decref(w->list);
		return NULL;
	}
	return w->list;
}

static json_t *shared_with(struct admin_server *a, const struct store_camera *c)
{
	struct walk w = {.a = a, .list = json_array()};

	return finish(&w, store_grant_displays(a->store, c->id, append_display_name, &w));
}

static json_t *cameras_of(struct admin_server *a, const struct store_display *d, bool watched_only)
{
	struct walk w = {
		.a = a, .list = json_array(), .display = d->id, .watched_only = watched_only};

	return finish(&w, store_grant_cameras(a->store, d->id, append_camera_name, &w));
}

static json_t *dropped(const struct ipc_camera_status *status)
{
	static const char *const reasons[DROP_REASONS] = {
		[DROP_ERROR_FLAG] = "error_flag",
		[DROP_EMPTY] = "empty",
		[DROP_SHORT] = "short",
		[DROP_BAD_PICTURE] = "bad_picture",
		[DROP_TOO_LARGE] = "too_large",
		[DROP_STALE] = "stale",
	};
	json_t *object = json_object();

	for (size_t i = 0; i < DROP_REASONS; i++) {
		json_object_set_new(
			object, reasons[i], json_integer((json_int_t)status->dropped[i]));
	}
	return object;
}

static const char *activity(const struct ipc_camera_status *status)
{
	switch (status->activity) {
	case CAMERA_STREAMING:
		return "streaming";
	case CAMERA_FROZEN:
		return "frozen";
	case CAMERA_FAILING:
		return "failing";
	default:
		return "idle";
	}
}

static int append_camera(void *data, const struct store_camera *c)
{
	struct walk *w = data;
	struct registry_camera_view view = {0};
	bool live = registry_camera_see(w->a->registry, c->id, &view) == 0;
	json_t *shared = shared_with(w->a, c);
	char advice[ADMIN_ADVICE_BYTES];
	json_t *camera;

	if (shared == NULL) {
		w->failed = true;
		return -ENOMEM;
	}
	admin_camera_advice(w->a, c, live ? &view : NULL, json_array_size(shared), advice);
	camera = json_pack("{s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:i, "
			   "s:I, s:o, s:s, s:o, s:b, s:o}",
		"id", hex(c->id, sizeof(c->id)), "name", c->name, "state",
		c->standing == STANDING_IGNORED ? "ignored"
		: live                          ? "ready"
						: "offline",
		"activity", activity(&view.status), "identity",
		c->strength <= IDENTITY_TEST ? strengths[c->strength] : "run", "known_as",
		c->identity, "vid_pid", c->vid_pid, "standing",
		c->standing <= STANDING_IGNORED ? standings[c->standing] : "ignored", "source",
		text(view.source), "port", view.port, "model", text(view.model), "mode",
		text(view.mode), "detail", text(view.status.detail), "watchers", (int)view.watchers,
		"sealed", (json_int_t)view.status.sealed, "dropped", dropped(&view.status),
		"advice", advice, "shared_with", shared, "decided", (int)c->decided, "suspended",
		admin_suspension_of(w->a, NULL, c->id));
	append(w, camera);
	return 0;
}

json_t *admin_cameras(struct admin_server *a)
{
	struct walk w = {.a = a, .list = json_array()};
	int result = store_camera_each(a->store, append_camera, &w);
	json_t *list = finish(&w, result);

	return list != NULL ? json_pack("{s:b, s:o}", "ok", 1, "cameras", list)
			    : admin_store_error(result < 0 ? result : -ENOMEM);
}

static int append_display(void *data, const struct store_display *d)
{
	struct walk *w = data;
	json_t *granted = cameras_of(w->a, d, false);
	json_t *watched = cameras_of(w->a, d, true);

	if (granted == NULL || watched == NULL) {
		json_decref(granted);
		json_decref(watched);
		return -ENOMEM;
	}
	append(w, json_pack("{s:o, s:s, s:s, s:o, s:b, s:b, s:o, s:o, s:o}", "id",
			  hex(d->id, sizeof(d->id)), "name", d->name, "kind",
			  store_kind_text((enum display_kind)d->kind), "suspended",
			  admin_suspension_of(w->a, d->id, NULL), "owner", (int)d->owner, "online",
			  (int)registry_display_online(w->a->registry, d->id), "paired",
			  iso8601(d->paired_s), "cameras", granted, "watching", watched));
	return 0;
}

json_t *admin_displays(struct admin_server *a)
{
	struct walk w = {.a = a, .list = json_array()};
	int result = store_display_each(a->store, append_display, &w);
	json_t *list = finish(&w, result);

	return list != NULL ? json_pack("{s:b, s:o}", "ok", 1, "displays", list)
			    : admin_store_error(result < 0 ? result : -ENOMEM);
}

static int append_camera_short(void *data, const struct store_camera *c)
{
	struct walk *w = data;
	struct registry_camera_view view = {0};
	bool live = registry_camera_see(w->a->registry, c->id, &view) == 0;

	append(w, json_pack("{s:s, s:s, s:s, s:b, s:s, s:o, s:i, s:o}", "name", c->name, "state",
			  c->standing == STANDING_IGNORED ? "ignored"
			  : live                          ? "ready"
							  : "offline",
			  "standing",
			  c->standing <= STANDING_IGNORED ? standings[c->standing] : "ignored",
			  "decided", (int)c->decided, "activity", activity(&view.status), "detail",
			  text(view.status.detail), "watchers", (int)view.watchers, "sandbox",
			  text(view.sandbox)));
	return 0;
}

static json_t *refused(const struct registry_totals *totals)
{
	static const char *const web_reasons[] = {
		[WEB_REFUSED_LIMIT] = "too many connections",
		[WEB_REFUSED_HOST] = "not a name of this hub",
		[WEB_REFUSED_ORIGIN] = "page of another site",
		[WEB_REFUSED_MESSAGE] = "message that no display sends",
		[WEB_REFUSED_TIME] = "no login in time",
	};
	json_t *object = json_object();

	for (size_t i = 1; i < REFUSAL_COUNT; i++) {
		json_object_set_new(object, refusal_text((enum refusal)i),
			json_integer((json_int_t)totals->refused[i]));
	}
	for (size_t i = 0; i < WEB_HELD_BACK; i++) {
		json_object_set_new(
			object, web_reasons[i], json_integer((json_int_t)totals->web_refused[i]));
	}
	return object;
}

static json_t *anomalies(const struct registry_totals *totals)
{
	static const char *const reasons[] = {
		[ANOMALY_FOREIGN_CAMERA] = "foreign_camera",
		[ANOMALY_UNKNOWN_EPOCH] = "unknown_epoch",
		[ANOMALY_COUNTER] = "counter",
		[ANOMALY_UNSEAL] = "unseal",
		[ANOMALY_KEY] = "key",
		[ANOMALY_PICTURE] = "picture",
	};
	json_t *object = json_object();

	for (size_t i = 1; i <= ANOMALY_PICTURE; i++) {
		json_object_set_new(
			object, reasons[i], json_integer((json_int_t)totals->anomalies[i]));
	}
	json_object_set_new(
		object, "held_back", json_integer((json_int_t)totals->web_refused[WEB_HELD_BACK]));
	return object;
}

static json_t *web(struct admin_server *a)
{
	struct registry_web_view view = {0};
	bool running = registry_web_see(a->registry, 0, &view) == 0;

	return json_pack("{s:b, s:o, s:i, s:i, s:i, s:o, s:o}", "running", (int)running,
		"listening", text(view.listening), "port", (int)view.port, "connections",
		(int)view.connections, "displays", (int)view.displays, "refused",
		refused(registry_totals_see(a->registry)), "sandbox", text(view.sandbox));
}

/* null, or why no viewing can be put on record, and so no key be given. */
static json_t *record_problem(const struct admin_server *a)
{
	int error = registry_totals_see(a->registry)->record_error;

	if (error == 0) {
		return json_null();
	}
	return json_string(error == -ENOSPC
				   ? "the disk with the state directory is full: nobody is "
				     "given a key until there is room"
				   : "the store cannot be written: nobody is given a key");
}

/* What the disk has not taken yet, and what was lost because there was no room to keep it. */
static json_t *record(struct admin_server *a)
{
	const struct registry_totals *totals = registry_totals_see(a->registry);

	return json_pack("{s:i, s:I}", "waiting", (int)totals->closings_waiting, "lost",
		(json_int_t)(totals->closings_lost + totals->events_lost));
}

json_t *admin_status(struct admin_server *a)
{
	struct walk w = {.a = a, .list = json_array()};
	int result = store_camera_each(a->store, append_camera_short, &w);
	json_t *list = finish(&w, result);
	int64_t viewings = audit_count(a->store);
	int owner = store_has_owner(a->store);
	uint64_t uptime_us = a->output.now_us(a->output.data) - a->started_us;

	if (list == NULL || viewings < 0 || owner < 0) {
		json_decref(list);
		return admin_store_error(owner < 0      ? owner
					 : viewings < 0 ? (int)viewings
							: -ENOMEM);
	}
	return json_pack(
		"{s:b, s:s, s:o, s:o, s:o, s:b, s:o, s:{s:s}, s:o, s:o, s:I, s:o, s:o, s:o, s:I}",
		"ok", 1, "version", CAMGATE_VERSION, "state_dir", text(a->state_dir), "home",
		hex(a->store->home, HOME_ID_BYTES), "fingerprint",
		hex(a->authority->fingerprint, FINGERPRINT_BYTES), "owner", owner, "web", web(a),
		"keeper", "sandbox", a->sandbox, "cameras", list, "anomalies",
		anomalies(registry_totals_see(a->registry)), "viewings", (json_int_t)viewings,
		"record_problem", record_problem(a), "record", record(a), "suspended",
		admin_suspensions(a), "uptime_s", (json_int_t)(uptime_us / 1000000));
}
