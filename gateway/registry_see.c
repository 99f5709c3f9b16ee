#include "registry_state.h"
#include <errno.h>
#include <string.h>

int registry_camera_see(const struct registry *r, const uint8_t camera[static CAMERA_ID_BYTES],
	struct registry_camera_view *ret)
{
	const struct registry_camera *c = registry_camera_find(r, camera);

	if (c == NULL) {
		return -ENOENT;
	}
	*ret = c->view;
	return 0;
}

int registry_web_see(const struct registry *r, unsigned int n, struct registry_web_view *ret)
{
	const struct registry_web *w = r->webs;

	while (w != NULL && n > 0) {
		w = w->next;
		n--;
	}
	if (w == NULL) {
		return -ENOENT;
	}
	*ret = w->view;
	ret->connections = 0;
	ret->displays = 0;
	for (const struct registry_session *s = r->sessions; s != NULL; s = s->next) {
		if (s->web == w->peer) {
			ret->connections++;
			ret->displays += s->state == SESSION_ADMITTED;
		}
	}
	return 0;
}

const struct registry_totals *registry_totals_see(const struct registry *r)
{
	return &r->totals;
}

bool registry_display_online(
	const struct registry *r, const uint8_t display[static DISPLAY_ID_BYTES])
{
	for (const struct registry_session *s = r->sessions; s != NULL; s = s->next) {
		if (s->state == SESSION_ADMITTED &&
			memcmp(s->display.id, display, DISPLAY_ID_BYTES) == 0) {
			return true;
		}
	}
	return false;
}

bool registry_display_watches(const struct registry *r,
	const uint8_t display[static DISPLAY_ID_BYTES],
	const uint8_t camera[static CAMERA_ID_BYTES])
{
	for (const struct registry_session *s = r->sessions; s != NULL; s = s->next) {
		if (s->state != SESSION_ADMITTED ||
			memcmp(s->display.id, display, DISPLAY_ID_BYTES) != 0) {
			continue;
		}
		for (const struct registry_stream *t = s->streams; t != NULL; t = t->next) {
			if (t->state != STREAM_ENDING &&
				memcmp(t->camera, camera, CAMERA_ID_BYTES) == 0) {
				return true;
			}
		}
	}
	return false;
}

unsigned int registry_present(
	const struct registry *r, uint8_t (*ret)[CAMERA_ID_BYTES], unsigned int max)
{
	unsigned int count = 0;

	for (const struct registry_camera *c = r->cameras; c != NULL && count < max; c = c->next) {
		if (c->record.standing != STANDING_QUARANTINED) {
			memcpy(ret[count++], c->record.id, CAMERA_ID_BYTES);
		}
	}
	return count;
}
