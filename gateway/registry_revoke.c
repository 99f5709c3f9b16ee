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
			registry_tell_camera(r, s, &c);
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

static bool looks_at(const struct registry *r, const struct registry_revocation *o,
	const struct registry_camera *c)
{
	for (const struct registry_session *s = r->sessions; s != NULL; s = s->next) {
		if (registry_preview_is(s, c->record.id) &&
			memcmp(s->display.id, o->display, DISPLAY_ID_BYTES) == 0) {
			return true;
		}
	}
	return false;
}

/* The live cameras that the display loses: this one, or all it has. When in doubt it is one of
 * them. */
static void note_cameras(
	const struct registry *r, struct registry_revocation *o, const uint8_t *camera)
{
	for (const struct registry_camera *c = r->cameras; c != NULL; c = c->next) {
		if (camera != NULL ? memcmp(c->record.id, camera, CAMERA_ID_BYTES) == 0
				   : looks_at(r, o, c) || store_grant_check(r->store, o->display,
								  c->record.id) != -ENOENT) {
			memcpy(o->cameras[o->cameras_count++], c->record.id, CAMERA_ID_BYTES);
		}
	}
}

/* The first thing after the commit: nothing that is queued is sent any more. */
static void let_go(struct registry *r, const struct registry_revocation *o, const uint8_t *camera)
{
	if (fault_happens(FAULT_REVOKE_FORGOTTEN)) {
		return;
	}
	for (struct registry_session *s = r->sessions; s != NULL; s = s->next) {
		if (s->state != SESSION_ADMITTED ||
			memcmp(s->display.id, o->display, DISPLAY_ID_BYTES) != 0) {
			continue;
		}
		if (camera == NULL) {
			registry_session_cut(r, s, CUT_RESET, AUDIT_REVOKED);
			continue;
		}
		for (struct registry_stream *t = s->streams; t != NULL; t = t->next) {
			if (memcmp(t->camera, camera, CAMERA_ID_BYTES) == 0) {
				registry_stream_end(r, s, t, 0, AUDIT_REVOKED, REGISTRY_CUT_MS);
			}
		}
	}
}

/* The last thing: the display hears why. */
static void tell(struct registry *r, const struct registry_revocation *o, const uint8_t *camera)
{
	for (struct registry_session *s = r->sessions; s != NULL; s = s->next) {
		if (s->state != SESSION_ADMITTED ||
			memcmp(s->display.id, o->display, DISPLAY_ID_BYTES) != 0) {
			continue;
		}
		for (struct registry_stream *t = s->streams; t != NULL; t = t->next) {
			if (t->reason == AUDIT_REVOKED &&
				memcmp(t->camera, camera, CAMERA_ID_BYTES) == 0) {
				registry_tell_ended(r, s, t->number, camera, END_NOT_SHARED);
			}
		}
		registry_tell_camera_gone(r, s, camera, END_NOT_SHARED);
	}
}

int registry_revoke(struct registry *r, const uint8_t display[static DISPLAY_ID_BYTES],
	const uint8_t *camera, uint64_t operation)
{
	struct registry_revocation *o = NULL;
	struct store_display d;
	struct registry_camera *c;
	bool known;
	int result;

	for (size_t i = 0; o == NULL && i < REGISTRY_REVOCATIONS_MAX; i++) {
		o = r->revocations[i].waiting ? NULL : &r->revocations[i];
	}
	if (o == NULL) {
		return -EBUSY;
	}
	*o = (struct registry_revocation){.operation = operation};
	memcpy(o->display, display, sizeof(o->display));
	note_cameras(r, o, camera);
	known = store_display_get(r->store, display, &d) == 0;
	result = camera != NULL ? store_grant_remove(r->store, display, camera)
				: store_display_remove(r->store, display);
	if (result < 0) {
		return result;
	}
	o->committed_us = registry_now(r);
	let_go(r, o, camera);
	/* Watched or not: the display may have kept the key of a camera it no longer watches. */
	for (unsigned int i = 0; i < o->cameras_count; i++) {
		c = registry_camera_find(r, o->cameras[i]);
		if (c != NULL && !fault_lifts(PROTECTION_ROTATION)) {
			registry_rotation_break(r, c, REGISTRY_ROTATE_MS);
		}
	}
	if (camera != NULL) {
		tell(r, o, camera);
	} else if (known) {
		registry_ask_screen(r, &d, SCREEN_GONE);
	}
	o->waiting = true;
	registry_revoke_check(r);
	return 0;
}

static bool is_complete(const struct registry *r, const struct registry_revocation *o)
{
	const struct registry_camera *c;

	for (unsigned int i = 0; i < o->cameras_count; i++) {
		c = registry_camera_find(r, o->cameras[i]);
		if (c != NULL && c->rotate_request != 0) {
			return false;
		}
	}
	for (const struct registry_session *s = r->sessions; s != NULL; s = s->next) {
		if (memcmp(s->display.id, o->display, DISPLAY_ID_BYTES) != 0) {
			continue;
		}
		if (s->state == SESSION_CUT) {
			return false;
		}
		for (const struct registry_stream *t = s->streams; t != NULL; t = t->next) {
			if (t->state == STREAM_ENDING && t->reason == AUDIT_REVOKED) {
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
