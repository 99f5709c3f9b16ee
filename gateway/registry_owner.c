/* Cameras that the owner confirms, and those that he does not want. */
#include "log.h"
#include "registry_state.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char ignored[] = "ignored by the owner; `camgate confirm` takes it back";

void registry_camera_look(const struct identity *identity, char ret[static STORE_IDENTITY_BYTES])
{
	snprintf(ret, STORE_IDENTITY_BYTES, "look/%s/%s", identity->vid_pid, identity->name);
}

int registry_camera_keep_off(
	struct registry *r, uint64_t peer, const struct store_camera *record, const char *look)
{
	struct store_camera known;
	int result = store_camera_recall(
		r->store, record->strength == IDENTITY_RUN ? look : record->identity, &known);

	if (result == -ENOENT || (result == 0 && known.standing != STANDING_IGNORED)) {
		return 0;
	}
	if (result < 0) {
		return result;
	}
	registry_camera_turn_away(r, peer, ignored);
	return 1;
}

int registry_confirm(struct registry *r, const uint8_t camera[static CAMERA_ID_BYTES])
{
	struct registry_camera *c = registry_camera_find(r, camera);
	struct store_camera record;
	int result = store_camera_get(r->store, camera, &record);

	if (result < 0) {
		return result;
	}
	if (record.standing == STANDING_QUARANTINED) {
		result = store_camera_stand(r->store, camera, STANDING_CONFIRMED, NULL);
		if (result == 0 && c != NULL) {
			c->record.standing = STANDING_CONFIRMED;
		}
		registry_ask_update(r, camera);
		return result;
	}
	if (record.standing != STANDING_IGNORED) {
		return -EALREADY;
	}
	if (record.strength == IDENTITY_RUN) {
		result = store_camera_forget(r->store, camera);
	} else {
		result = store_camera_stand(r->store, camera, STANDING_PLAIN, NULL);
	}
	if (result == 0) {
		registry_tell_camera_to_all(r, camera);
	}
	return result;
}

/* Which is which among those that look the same, nobody knows: they go together. */
static void end_alike(struct registry *r, const struct registry_camera *kept)
{
	struct registry_camera *c = r->cameras, *next;

	while (c != NULL) {
		next = c->next;
		if (c != kept && c->record.strength == IDENTITY_RUN &&
			strcmp(c->look, kept->look) == 0) {
			registry_camera_turn_away(r, c->peer, ignored);
			registry_camera_end(r, c, false);
		}
		c = next;
	}
}

struct gone {
	struct registry *r;
	const uint8_t *camera;
};

static int tell_gone(void *data, const struct store_display *d)
{
	const struct gone *g = data;

	for (struct registry_session *s = g->r->sessions; s != NULL; s = s->next) {
		if (s->state == SESSION_ADMITTED &&
			memcmp(s->display.id, d->id, DISPLAY_ID_BYTES) == 0) {
			registry_tell_camera_gone(g->r, s, g->camera, END_NOT_SHARED);
		}
	}
	return 0;
}

int registry_ignore(struct registry *r, const uint8_t camera[static CAMERA_ID_BYTES])
{
	struct registry_camera *c = registry_camera_find(r, camera);
	struct gone gone = {.r = r, .camera = camera};
	struct store_camera record;
	bool alike;
	int result = store_camera_get(r->store, camera, &record);

	if (result < 0) {
		return result;
	}
	if (record.standing == STANDING_IGNORED) {
		return -EALREADY;
	}
	alike = c != NULL && record.strength == IDENTITY_RUN;
	result = store_camera_stand(r->store, camera, STANDING_IGNORED, alike ? c->look : NULL);
	if (result < 0) {
		return result;
	}
	if (alike) {
		end_alike(r, c);
	}
	if (c != NULL) {
		c->record.standing = STANDING_IGNORED;
		registry_camera_turn_away(r, c->peer, ignored);
		registry_camera_end(r, c, false);
	}
	(void)store_grant_displays(r->store, camera, tell_gone, &gone);
	return 0;
}
