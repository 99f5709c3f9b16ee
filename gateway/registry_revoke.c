#include "fault.h"
#include "log.h"
#include "registry_state.h"
#include <errno.h>
#include <string.h>

int registry_grant(struct registry *r, const uint8_t display[static DISPLAY_ID_BYTES],
	const uint8_t camera[static CAMERA_ID_BYTES])
{
	struct store_camera c;
	int result = store_camera_get(r->store, camera, &c);

	/* Read before: what can still fail after the grant is on disk is no reason to say that it
	 * was not given. */
	if (result == 0) {
		result = store_grant_add(r->store, display, camera);
	}
	if (result < 0) {
		return result;
	}
	registry_ask_update(r, camera);
	for (struct registry_session *s = r->sessions; s != NULL; s = s->next) {
		if (s->state == SESSION_ADMITTED &&
			memcmp(s->display.id, display, DISPLAY_ID_BYTES) == 0) {
			registry_tell_camera_if_seen(r, s, &c);
		}
	}
	return 0;
}

int registry_rename(
	struct registry *r, const uint8_t camera[static CAMERA_ID_BYTES], const char *name)
{
	int result = store_camera_rename(r->store, camera, name);
	struct registry_camera *c = registry_camera_find(r, camera);

	if (result < 0) {
		return result;
	}
	if (c != NULL) {
		memcpy(c->record.name, name, strlen(name) + 1);
	}
	registry_tell_camera_to_all(r, camera);
	if (c != NULL && c->asked) {
		c->asked = false; /* not by this name yet */
		registry_ask_update(r, camera);
	}
	return 0;
}

static bool concerns(const struct registry_scope *x, const struct store_display *d)
{
	return (!x->one_display || memcmp(x->display, d->id, DISPLAY_ID_BYTES) == 0) &&
	       (!x->one_kind || x->kind == d->kind);
}

static bool concerns_session(const struct registry_scope *x, const struct registry_session *s)
{
	return s->proved && concerns(x, &s->display);
}

static int find_concerned(void *data, const struct store_display *d)
{
	const struct registry_scope *x = data;

	return concerns(x, d) ? 1 : 0;
}

/* Does anybody lose this camera? When in doubt, yes. */
static bool is_lost(
	const struct registry *r, struct registry_scope *x, const struct registry_camera *c)
{
	if (x->one_camera) {
		return memcmp(c->record.id, x->camera, CAMERA_ID_BYTES) == 0;
	}
	for (const struct registry_session *s = r->sessions; s != NULL; s = s->next) {
		if (concerns_session(x, s) && registry_preview_is(s, c->record.id)) {
			return true;
		}
	}
	return store_grant_displays(r->store, c->record.id, find_concerned, x) != 0;
}

/* To be called before the commit, after which the store does not know any more who loses what.
 * NULL: too many at once. */
static struct registry_revocation *prepare(
	struct registry *r, const struct registry_scope *scope, uint64_t operation)
{
	struct registry_revocation *o = NULL;

	for (size_t i = 0; o == NULL && i < REGISTRY_REVOCATIONS_MAX; i++) {
		o = r->revocations[i].waiting ? NULL : &r->revocations[i];
	}
	if (o == NULL) {
		return NULL;
	}
	*o = (struct registry_revocation){.operation = operation, .scope = *scope};
	for (const struct registry_camera *c = r->cameras; c != NULL; c = c->next) {
		if (is_lost(r, &o->scope, c)) {
			memcpy(o->cameras[o->cameras_count++], c->record.id, CAMERA_ID_BYTES);
		}
	}
	return o;
}

static void end_streams(
	struct registry *r, struct registry_session *s, const struct registry_scope *x)
{
	uint64_t deadline_us = registry_now(r) + 1000ULL * REGISTRY_CUT_MS;

	for (struct registry_stream *t = s->streams; t != NULL; t = t->next) {
		if (memcmp(t->camera, x->camera, CAMERA_ID_BYTES) != 0) {
			continue;
		}
		registry_stream_end(r, s, t, 0, x->reason, REGISTRY_CUT_MS);
		/* One that was ending already had more time. */
		if (t->taken_deadline_us > deadline_us) {
			t->taken_deadline_us = deadline_us;
		}
	}
}

/* The first thing after the commit: nothing that is queued is sent any more. */
static void let_go(struct registry *r, const struct registry_scope *x)
{
	if (fault_happens(FAULT_REVOKE_FORGOTTEN)) {
		return;
	}
	for (struct registry_session *s = r->sessions; s != NULL; s = s->next) {
		if (!concerns_session(x, s)) {
			continue;
		}
		if (!x->one_camera) {
			registry_session_cut(r, s, CUT_RESET, x->reason);
		} else if (s->state == SESSION_ADMITTED) {
			end_streams(r, s, x);
		}
	}
}

/* The second: what the camera seals from now on, nobody can open that has only the old key. Watched
 * or not: a display may have kept the key of a camera that it no longer watches. */
static void rotate(struct registry *r, const struct registry_revocation *o)
{
	for (unsigned int i = 0; i < o->cameras_count; i++) {
		struct registry_camera *c = registry_camera_find(r, o->cameras[i]);

		if (c != NULL && !fault_lifts(PROTECTION_ROTATION)) {
			registry_rotation_break(r, c, REGISTRY_ROTATE_MS);
		}
	}
}

/* The last: a display that knew the camera hears that it is gone. */
static void tell(struct registry *r, struct registry_session *s, const struct registry_scope *x)
{
	for (struct registry_stream *t = s->streams; t != NULL; t = t->next) {
		if (t->reason == x->reason && memcmp(t->camera, x->camera, CAMERA_ID_BYTES) == 0) {
			registry_tell_ended(r, s, t->number, x->camera, END_NOT_SHARED);
		}
	}
	registry_tell_camera_gone(r, s, x->camera, END_NOT_SHARED);
}

struct telling {
	struct registry *r;
	const struct registry_scope *scope;
};

static int tell_display(void *data, const struct store_display *d)
{
	const struct telling *t = data;

	for (struct registry_session *s = t->r->sessions; s != NULL; s = s->next) {
		if (s->state == SESSION_ADMITTED &&
			memcmp(s->display.id, d->id, DISPLAY_ID_BYTES) == 0) {
			tell(t->r, s, t->scope);
		}
	}
	return 0;
}

/* In the order that is promised. committed: what the store said to the change. */
static int carry_out(struct registry *r, struct registry_revocation *o, int committed)
{
	if (committed < 0) {
		return committed;
	}
	o->committed_us = registry_now(r);
	let_go(r, &o->scope);
	rotate(r, o);
	o->waiting = true;
	return 0;
}

int registry_revoke(struct registry *r, const uint8_t display[static DISPLAY_ID_BYTES],
	const uint8_t *camera, uint64_t operation)
{
	struct registry_scope x = {
		.one_display = true, .one_camera = camera != NULL, .reason = AUDIT_REVOKED};
	struct registry_revocation *o;
	struct store_display d = {0};
	bool known = store_display_get(r->store, display, &d) == 0;
	int result;

	memcpy(d.id, display, sizeof(d.id));
	memcpy(x.display, display, sizeof(x.display));
	if (camera != NULL) {
		memcpy(x.camera, camera, sizeof(x.camera));
	}
	o = prepare(r, &x, operation);
	if (o == NULL) {
		return -EBUSY;
	}
	result = carry_out(r, o,
		camera != NULL ? store_grant_remove(r->store, display, camera)
			       : store_display_remove(r->store, display));
	if (result < 0) {
		return result;
	}
	if (camera != NULL) {
		(void)tell_display(&(struct telling){r, &x}, &d);
	} else if (known) {
		registry_ask_screen(r, &d, SCREEN_GONE);
	}
	registry_revoke_check(r);
	return 0;
}

int registry_revoke_all(struct registry *r, uint64_t operation)
{
	const struct registry_scope x = {.reason = AUDIT_REVOKED};
	struct registry_revocation *o = prepare(r, &x, operation);
	int result = o == NULL ? -EBUSY : carry_out(r, o, store_display_remove_all(r->store));

	if (result < 0) {
		return result;
	}
	/* Nor may anybody come in by a link that was made before. */
	pairing_finish(r->pairing);
	pairing_init(r->pairing);
	registry_revoke_check(r);
	return 0;
}

/* ---- suspensions ---- */

/* Who holds a grant, which the suspension did not take, was told of the camera; so was an owner
 * that looks at it before deciding. */
static void tell_suspended(struct registry *r, const struct registry_scope *x)
{
	struct telling t = {r, x};

	if (store_grant_displays(r->store, x->camera, tell_display, &t) < 0) {
		log_error("cannot read who is to be told of a camera that is suspended");
	}
	for (struct registry_session *s = r->sessions; s != NULL; s = s->next) {
		if (s->state == SESSION_ADMITTED && registry_preview_is(s, x->camera)) {
			registry_preview_end(r, s);
		}
	}
}

int registry_suspend(struct registry *r, enum suspended what, const uint8_t *id, const char *reason,
	uint64_t operation)
{
	struct registry_scope x = {.reason = AUDIT_PAUSED};
	struct registry_revocation *o;
	int result;

	if (what == SUSPENDED_CAMERA) {
		x.one_camera = true;
		memcpy(x.camera, id, sizeof(x.camera));
	} else if (what == SUSPENDED_DISPLAY) {
		x.one_display = true;
		memcpy(x.display, id, sizeof(x.display));
	} else {
		x.one_kind = true;
		x.kind = (enum display_kind)what;
	}
	o = prepare(r, &x, operation);
	result = o == NULL ? -EBUSY : carry_out(r, o, store_suspend(r->store, what, id, reason));
	if (result < 0) {
		return result;
	}
	if (x.one_camera) {
		tell_suspended(r, &x);
	}
	registry_revoke_check(r);
	return 0;
}

int registry_resume(struct registry *r, enum suspended what, const uint8_t *id)
{
	int result = store_resume(r->store, what, id);

	if (result == 0 && what == SUSPENDED_CAMERA) {
		registry_tell_camera_to_all(r, id);
	}
	return result;
}

/* ---- until it is through ---- */

static bool is_complete(const struct registry *r, const struct registry_revocation *o)
{
	const struct registry_scope *x = &o->scope;
	const struct registry_camera *c;

	for (unsigned int i = 0; i < o->cameras_count; i++) {
		c = registry_camera_find(r, o->cameras[i]);
		if (c != NULL && c->rotate_request != 0) {
			return false;
		}
	}
	for (const struct registry_session *s = r->sessions; s != NULL; s = s->next) {
		if (!concerns_session(x, s)) {
			continue;
		}
		/* Without a deadline it came later, and was refused. */
		if (s->state == SESSION_CUT && s->cut_deadline_us != 0) {
			return false;
		}
		for (const struct registry_stream *t = s->streams; t != NULL; t = t->next) {
			if (x->one_camera && t->state == STREAM_ENDING &&
				memcmp(t->camera, x->camera, CAMERA_ID_BYTES) == 0) {
				return false;
			}
		}
	}
	return true;
}

void registry_revoke_check(struct registry *r)
{
	for (size_t i = 0; i < REGISTRY_REVOCATIONS_MAX; i++) {
		struct registry_revocation *o = &r->revocations[i];

		if (o->waiting && is_complete(r, o)) {
			o->waiting = false;
			r->output.revoked(
				r->output.data, o->operation, registry_now(r) - o->committed_us);
		}
	}
}
