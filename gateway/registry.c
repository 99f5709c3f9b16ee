#include "registry.h"
#include "fault.h"
#include "log.h"
#include "registry_state.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct registry *registry_create(const struct registry_output *output, struct store *store,
	struct pairing *pairing, const struct key_pair *hub)
{
	struct registry *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		return NULL;
	}
	r->output = *output;
	r->store = store;
	r->pairing = pairing;
	r->hub = hub;
	return r;
}

void registry_destroy(struct registry *r)
{
	if (r == NULL) {
		return;
	}
	while (r->sessions != NULL) {
		registry_session_free(r, r->sessions, AUDIT_STOPPED);
	}
	registry_write_closings(r);
	while (r->cameras != NULL) {
		struct registry_camera *c = r->cameras;

		r->cameras = c->next;
		free(c);
	}
	while (r->webs != NULL) {
		struct registry_web *w = r->webs;

		r->webs = w->next;
		free(w);
	}
	explicit_bzero(r, sizeof(*r));
	free(r);
}

uint64_t registry_now(const struct registry *r)
{
	return r->output.now_us(r->output.data);
}

struct registry_camera *registry_camera_of(const struct registry *r, uint64_t peer)
{
	for (struct registry_camera *c = r->cameras; c != NULL; c = c->next) {
		if (c->peer == peer) {
			return c;
		}
	}
	return NULL;
}

struct registry_camera *registry_camera_find(
	const struct registry *r, const uint8_t id[static CAMERA_ID_BYTES])
{
	if (fault_happens(FAULT_NAME_PREFIX)) {
		return accident_find_by_prefix(r, id);
	}
	for (struct registry_camera *c = r->cameras; c != NULL; c = c->next) {
		if (memcmp(c->record.id, id, CAMERA_ID_BYTES) == 0) {
			return c;
		}
	}
	return NULL;
}

struct registry_web *registry_web_of(const struct registry *r, uint64_t peer)
{
	for (struct registry_web *w = r->webs; w != NULL; w = w->next) {
		if (w->peer == peer) {
			return w;
		}
	}
	return NULL;
}

struct registry_session *registry_session_of(
	const struct registry *r, uint64_t web, uint64_t connection)
{
	for (struct registry_session *s = r->sessions; s != NULL; s = s->next) {
		if (s->web == web && s->connection == connection) {
			return s;
		}
	}
	return NULL;
}

struct registry_session *registry_session_find(
	const struct registry *r, const uint8_t id[static SESSION_ID_BYTES])
{
	for (struct registry_session *s = r->sessions; s != NULL; s = s->next) {
		if (memcmp(s->login.session, id, SESSION_ID_BYTES) == 0) {
			return s;
		}
	}
	return NULL;
}

struct registry_stream *registry_stream_find(const struct registry_session *s, uint16_t number)
{
	for (struct registry_stream *t = s->streams; t != NULL; t = t->next) {
		if (t->number == number) {
			return t;
		}
	}
	return NULL;
}

void registry_sandbox(struct registry *r, uint64_t peer, const struct ipc_sandbox *m)
{
	struct registry_camera *c = registry_camera_of(r, peer);
	struct registry_web *w = registry_web_of(r, peer);

	if (c != NULL) {
		memcpy(c->view.sandbox, m->report, sizeof(c->view.sandbox));
	}
	if (w != NULL) {
		memcpy(w->view.sandbox, m->report, sizeof(w->view.sandbox));
	}
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return b != 0 && b < a ? b : a;
}

uint64_t registry_deadline(const struct registry *r)
{
	uint64_t next = UINT64_MAX;

	for (const struct registry_camera *c = r->cameras; c != NULL; c = c->next) {
		next = c->preparing ? earlier(next, c->prepare_deadline_us) : next;
		next = c->rotate_request != 0 ? earlier(next, c->rotate_deadline_us) : next;
	}
	for (const struct registry_session *s = r->sessions; s != NULL; s = s->next) {
		next = s->state == SESSION_CUT ? earlier(next, s->cut_deadline_us) : next;
		next = earlier(next, s->preview_until_us);
		for (const struct registry_stream *t = s->streams; t != NULL; t = t->next) {
			next = t->state == STREAM_ENDING ? earlier(next, t->taken_deadline_us)
							 : next;
		}
	}
	for (size_t i = 0; r->wraps_count > 0 && i < REGISTRY_WRAPS_MAX; i++) {
		next = r->wraps[i].request != 0 ? earlier(next, r->wraps[i].deadline_us) : next;
	}
	return r->totals.closings_waiting + r->events_count > 0 ? earlier(next, r->closings_due_us)
								: next;
}

/* True if this process owes a confirmation for longer than it may. */
static bool web_is_late(const struct registry *r, const struct registry_web *w, uint64_t now_us)
{
	for (const struct registry_session *s = r->sessions; s != NULL; s = s->next) {
		if (s->web != w->peer) {
			continue;
		}
		if (s->state == SESSION_CUT && s->cut_deadline_us != 0 &&
			now_us >= s->cut_deadline_us) {
			return true;
		}
		for (const struct registry_stream *t = s->streams; t != NULL; t = t->next) {
			if (s->state != SESSION_CUT && t->state == STREAM_ENDING &&
				now_us >= t->taken_deadline_us) {
				return true;
			}
		}
	}
	return false;
}

void registry_tick(struct registry *r)
{
	uint64_t now_us = registry_now(r);
	struct registry_web *w, *next;

	for (w = r->webs; w != NULL; w = next) {
		next = w->next;
		if (web_is_late(r, w, now_us)) {
			/* Its buffers may still hold what it was told to wipe. */
			log_error("the web role did not confirm in time that it let go; ending it");
			r->output.drop(r->output.data, w->peer, true);
			registry_peer_gone(r, w->peer);
		}
	}
	registry_preview_tick(r, now_us);
	registry_rotation_tick(r, now_us);
	registry_key_expire(r, now_us);
	if (r->totals.closings_waiting + r->events_count > 0 && now_us >= r->closings_due_us) {
		registry_write_closings(r);
	}
	registry_revoke_check(r);
}
