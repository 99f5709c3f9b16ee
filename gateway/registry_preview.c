/* An owner's look at a camera that nobody has decided about. */
#include "log.h"
#include "registry_state.h"
#include <errno.h>
#include <string.h>

bool registry_preview_is(
	const struct registry_session *s, const uint8_t camera[static CAMERA_ID_BYTES])
{
	return s->preview_until_us != 0 && memcmp(s->preview, camera, CAMERA_ID_BYTES) == 0;
}

int registry_may_see(const struct registry *r, const struct registry_session *s,
	const uint8_t camera[static CAMERA_ID_BYTES])
{
	int result = store_grant_check(r->store, s->display.id, camera);
	struct store_suspension suspension;
	struct store_camera record;

	if (result != -ENOENT || !registry_preview_is(s, camera) ||
		registry_now(r) >= s->preview_until_us || !registry_owner_is(r, s)) {
		return result;
	}
	result = store_suspension_of(r->store, s->display.id, camera, &suspension);
	if (result != 0) {
		return result < 0 ? result : -ENOENT;
	}
	result = store_camera_get(r->store, camera, &record);
	return result < 0 ? result : record.decided ? -ENOENT : 0;
}

void registry_preview_begin(
	struct registry *r, struct registry_session *s, struct registry_camera *c)
{
	if (s->preview_until_us != 0 && !registry_preview_is(s, c->record.id)) {
		registry_preview_end(r, s);
	}
	log_info("\"%s\" at %s looks at the new camera \"%s\"", s->display.name, s->peer,
		c->record.name);
	memcpy(s->preview, c->record.id, sizeof(s->preview));
	s->preview_until_us = registry_now(r) + 1000ULL * REGISTRY_PREVIEW_MS;
	registry_tell_camera(r, s, &c->record);
}

/* The display may have kept the key; but the web role sends it nothing any more, so the camera is
 * given its time: nobody was thrown out. */
static void forget(struct registry *r, struct registry_session *s)
{
	struct registry_camera *c = registry_camera_find(r, s->preview);

	s->preview_until_us = 0;
	if (c != NULL) {
		registry_rotation_break(r, c, REGISTRY_ANSWER_MS);
	}
}

void registry_preview_end(struct registry *r, struct registry_session *s)
{
	for (struct registry_stream *t = s->streams; t != NULL; t = t->next) {
		if (memcmp(t->camera, s->preview, CAMERA_ID_BYTES) == 0) {
			registry_stream_end(
				r, s, t, END_PREVIEW_OVER, AUDIT_PREVIEW_OVER, REGISTRY_CUT_MS);
		}
	}
	forget(r, s);
	/* Who may see it for good now is told so by the grant. */
	if (store_grant_check(r->store, s->display.id, s->preview) != 0) {
		registry_tell_camera_gone(r, s, s->preview, END_PREVIEW_OVER);
	}
}

void registry_preview_drop(struct registry *r, struct registry_session *s)
{
	if (s->preview_until_us != 0) {
		forget(r, s);
	}
}

void registry_preview_tick(struct registry *r, uint64_t now_us)
{
	for (struct registry_session *s = r->sessions; s != NULL; s = s->next) {
		if (s->preview_until_us != 0 && now_us >= s->preview_until_us) {
			registry_preview_end(r, s);
		}
	}
}
