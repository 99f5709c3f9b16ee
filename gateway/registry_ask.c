/* Asks the owners about cameras that nobody has decided about, and does what they answer. */
#include "log.h"
#include "registry_state.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

bool registry_owner_is(const struct registry *r, const struct registry_session *s)
{
	struct store_display d;

	return s->state == SESSION_ADMITTED &&
	       store_display_get(r->store, s->display.id, &d) == 0 && d.owner;
}

/* ---- asking ---- */

struct screens {
	struct registry *r;
	struct registry_session *s;
	unsigned int count;
};

static int tell_screen(void *data, const struct store_display *d)
{
	struct screens *to = data;

	if (to->count == WIRE_SCREENS_MAX) {
		return 1;
	}
	to->count++;
	registry_tell_screen(to->r, to->s, d, SCREEN_PAIRED);
	return 0;
}

/* Those it may be shown to come before the first camera that is asked about. */
static void ask(struct registry *r, struct registry_session *s, const struct registry_camera *c)
{
	struct screens to = {.r = r, .s = s};

	if (!s->asked) {
		s->asked = true;
		if (store_display_each(r->store, tell_screen, &to) < 0) {
			log_error("cannot read the displays for \"%s\"", s->display.name);
		}
	}
	registry_tell_new_camera(r, s, c);
}

void registry_ask_session(struct registry *r, struct registry_session *s)
{
	for (const struct registry_camera *c = r->cameras; c != NULL; c = c->next) {
		if (c->asked && registry_owner_is(r, s)) {
			ask(r, s, c);
		}
	}
}

static void ask_all(struct registry *r, const struct registry_camera *c)
{
	for (struct registry_session *s = r->sessions; s != NULL; s = s->next) {
		if (registry_owner_is(r, s)) {
			ask(r, s, c);
		}
	}
}

void registry_ask_over(struct registry *r, struct registry_camera *c)
{
	if (!c->asked) {
		return;
	}
	c->asked = false;
	for (struct registry_session *s = r->sessions; s != NULL; s = s->next) {
		if (s->state == SESSION_ADMITTED && s->asked) {
			registry_tell_new_camera_gone(r, s, c->record.id);
		}
		if (registry_preview_is(s, c->record.id)) {
			registry_preview_end(r, s);
		}
	}
}

void registry_ask_update(struct registry *r, const uint8_t camera[static CAMERA_ID_BYTES])
{
	struct registry_camera *c = registry_camera_find(r, camera);
	struct store_camera record;

	if (c == NULL || store_camera_get(r->store, camera, &record) < 0) {
		return;
	}
	if (record.decided) {
		registry_ask_over(r, c);
	} else if (!c->asked) {
		c->asked = true;
		ask_all(r, c);
	}
}

void registry_ask_screen(struct registry *r, const struct store_display *d, enum screen_state state)
{
	for (struct registry_session *s = r->sessions; s != NULL; s = s->next) {
		if (s->asked && registry_owner_is(r, s)) {
			registry_tell_screen(r, s, d, state);
		}
	}
}

/* ---- the answers ---- */

/* What could not be done is asked again: the card comes back. */
static void finish(struct registry *r, struct registry_session *s,
	const uint8_t camera[static CAMERA_ID_BYTES], const char *what, int result)
{
	const struct registry_camera *c = registry_camera_find(r, camera);
	const char *name = c != NULL ? c->record.name : "a camera that is gone";

	if (result == 0) {
		log_info("\"%s\" decided about \"%s\": %s", s->display.name, name, what);
		return;
	}
	log_error("\"%s\" decided about \"%s\": %s, which failed: %s", s->display.name, name, what,
		strerror(-result));
	if (c != NULL && c->asked && registry_owner_is(r, s)) {
		ask(r, s, c);
	}
}

static void on_share(struct registry *r, struct registry_session *s, const struct wire_envelope *e)
{
	char what[NAME_MAX_BYTES + 32] = "show it to a display";
	struct store_display d;
	struct wire_share m;

	if (wire_parse_share(e->body, e->body_size, &m) < 0) {
		registry_session_refuse(r, s, REFUSED_MALFORMED);
		return;
	}
	if (store_display_get(r->store, m.display, &d) == 0) {
		snprintf(what, sizeof(what), "show it to \"%s\"", d.name);
	}
	finish(r, s, m.camera, what, registry_grant(r, m.display, m.camera));
}

static void on_decide(struct registry *r, struct registry_session *s, const struct wire_envelope *e)
{
	const struct registry_camera *c;
	struct wire_decide m;

	if (wire_parse_decide(e->body, e->body_size, &m) < 0) {
		registry_session_refuse(r, s, REFUSED_MALFORMED);
		return;
	}
	c = registry_camera_find(r, m.camera);
	if (c == NULL || !c->asked) {
		return; /* somebody else was quicker, or it was pulled out */
	}
	switch (m.decision) {
	case DECISION_IGNORE:
		finish(r, s, m.camera, "ignore it", registry_ignore(r, m.camera));
		break;
	case DECISION_CONFIRM:
		if (c->record.standing == STANDING_QUARANTINED) {
			finish(r, s, m.camera, "it is the one", registry_confirm(r, m.camera));
		}
		break;
	default:
		finish(r, s, m.camera, "show it to nobody",
			store_camera_decide(r->store, m.camera));
		registry_ask_update(r, m.camera);
		break;
	}
}

static void on_preview(
	struct registry *r, struct registry_session *s, const struct wire_envelope *e)
{
	struct registry_camera *c;
	struct wire_preview m;

	if (wire_parse_preview(e->body, e->body_size, &m) < 0) {
		registry_session_refuse(r, s, REFUSED_MALFORMED);
		return;
	}
	c = registry_camera_find(r, m.camera);
	if (m.on && c != NULL && c->asked) {
		registry_preview_begin(r, s, c);
	} else if (!m.on && registry_preview_is(s, m.camera)) {
		registry_preview_end(r, s);
	}
}

void registry_owner_hear(
	struct registry *r, struct registry_session *s, const struct wire_envelope *e)
{
	if (!registry_owner_is(r, s)) {
		registry_session_refuse(r, s, REFUSED_NOT_OWNER);
		return;
	}
	switch (e->kind) {
	case DISPLAY_SHARE:
		on_share(r, s, e);
		break;
	case DISPLAY_DECIDE:
		on_decide(r, s, e);
		break;
	default:
		on_preview(r, s, e);
		break;
	}
}
