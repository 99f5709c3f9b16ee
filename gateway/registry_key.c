#include "fault.h"
#include "log.h"
#include "registry_state.h"
#include <stdlib.h>
#include <string.h>

/* A free place for a request, whose number has never been used; NULL when the table is full. */
static struct registry_wrap *take_place(struct registry *r)
{
	if (r->wraps_count == REGISTRY_WRAPS_MAX) {
		return NULL;
	}
	for (;;) {
		uint64_t request = ++r->requests;
		struct registry_wrap *w = &r->wraps[request % REGISTRY_WRAPS_MAX];

		if (w->request == 0) {
			w->request = request;
			r->wraps_count++;
			return w;
		}
	}
}

static void free_place(struct registry *r, struct registry_wrap *w)
{
	*w = (struct registry_wrap){0};
	r->wraps_count--;
}

static bool wrap_is_of(
	const struct registry_wrap *w, const struct registry_session *s, uint16_t stream)
{
	return w->request != 0 && w->stream == stream &&
	       memcmp(w->session, s->login.session, SESSION_ID_BYTES) == 0;
}

/* One request of a purpose per stream: a display that asks faster than the camera answers gets the
 * answer to its newest question only. */
static void cancel(
	struct registry *r, const struct registry_session *s, uint16_t stream, uint8_t purpose)
{
	for (size_t i = 0; r->wraps_count > 0 && i < REGISTRY_WRAPS_MAX; i++) {
		struct registry_wrap *w = &r->wraps[i];

		if (wrap_is_of(w, s, stream) && (purpose == 0 || w->purpose == purpose)) {
			free_place(r, w);
		}
	}
}

/* The grant as it is in the store now; nobody keeps the answer. */
static bool may_have_key(
	const struct registry *r, const struct registry_session *s, const struct registry_camera *c)
{
	if (fault_lifts(PROTECTION_GRANT)) {
		return true;
	}
	return registry_may_see(r, s, c->record.id) == 0;
}

bool registry_key_ask(struct registry *r, struct registry_session *s,
	const struct registry_stream *t, struct registry_camera *c, uint8_t purpose,
	const uint8_t *nonce)
{
	struct ipc_wrap m = {.purpose = purpose};
	struct registry_wrap *w;

	if (s->state != SESSION_ADMITTED || !may_have_key(r, s, c)) {
		return false;
	}
	cancel(r, s, t->number, purpose);
	w = take_place(r);
	if (w == NULL) {
		log_error("too many key requests are waiting; \"%s\" gets no key of \"%s\"",
			s->display.name, c->record.name);
		return false;
	}
	w->deadline_us = registry_now(r) + 1000ULL * REGISTRY_ANSWER_MS;
	w->camera = c->peer;
	w->stream = t->number;
	w->purpose = purpose;
	memcpy(w->session, s->login.session, sizeof(w->session));
	m.request = w->request;
	memcpy(m.display, s->display.id, sizeof(m.display));
	memcpy(m.kem_public, s->display.kem_public, sizeof(m.kem_public));
	memcpy(m.session, s->login.session, sizeof(m.session));
	if (nonce != NULL) {
		memcpy(m.nonce, nonce, sizeof(m.nonce));
	}
	registry_send(r, c->peer, ipc_encode_wrap(&m, r->message, sizeof(r->message)));
	return true;
}

void registry_key_cancel(struct registry *r, const struct registry_session *s, uint16_t stream)
{
	cancel(r, s, stream, 0);
}

void registry_key_cancel_next(struct registry *r, const struct registry_camera *c)
{
	for (size_t i = 0; r->wraps_count > 0 && i < REGISTRY_WRAPS_MAX; i++) {
		struct registry_wrap *w = &r->wraps[i];

		if (w->request != 0 && w->camera == c->peer && w->purpose == KEY_NEXT) {
			free_place(r, w);
		}
	}
}

/* What the camera could not wrap: a stream without a first key ends, others wait for the next. */
static void on_failure(
	struct registry *r, struct registry_session *s, struct registry_stream *t, uint8_t purpose)
{
	if (purpose == KEY_WATCH || purpose == KEY_BREAK) {
		registry_stream_end(r, s, t, END_OFFLINE,
			t->state == STREAM_OPENING ? AUDIT_NO_KEY : AUDIT_CAMERA_GONE,
			REGISTRY_ANSWER_MS);
	}
}

static void deliver(struct registry *r, struct registry_camera *c, struct registry_session *s,
	struct registry_stream *t, const struct ipc_wrapped *m, uint8_t purpose)
{
	registry_tell_key(r, s, t, m, purpose);
	if (purpose == KEY_NEXT) {
		t->next_epoch = m->epoch;
		t->next_acked = false;
		return;
	}
	t->state = STREAM_KEYED;
	t->epoch = m->epoch;
	c->epoch = m->epoch;
}

static bool answer_ok(const struct ipc_wrapped *m, uint8_t purpose)
{
	bool clock = purpose == KEY_WATCH || purpose == KEY_TIME;

	return m->wrapped_size == 0 ||
	       (m->epoch != 0 && m->wrapped_size == (clock ? WIRE_WRAPPED_MAX_BYTES : 32));
}

void registry_camera_wrapped(struct registry *r, uint64_t peer, const struct ipc_wrapped *m)
{
	struct registry_wrap *place = &r->wraps[m->request % REGISTRY_WRAPS_MAX];
	struct registry_camera *c = registry_camera_of(r, peer);
	struct registry_wrap w = *place;
	struct registry_session *s;
	struct registry_stream *t;

	if (fault_happens(FAULT_KEY_TO_NEXT)) {
		m = accident_last_answer(m);
	}
	/* Cancelled, or of somebody else: there is nobody to give it to. */
	if (c == NULL || m->request == 0 || w.request != m->request || w.camera != peer) {
		return;
	}
	free_place(r, place);
	if (!answer_ok(m, w.purpose)) {
		log_error("camera \"%s\" sent a key that cannot be; ending it", c->record.name);
		registry_camera_end(r, c, true);
		return;
	}
	s = registry_session_find(r, w.session);
	t = s != NULL && s->state == SESSION_ADMITTED ? registry_stream_find(s, w.stream) : NULL;
	if (t == NULL || t->state == STREAM_ENDING ||
		memcmp(t->generation, c->generation, GENERATION_BYTES) != 0 ||
		(memcmp(t->camera, c->record.id, CAMERA_ID_BYTES) != 0 &&
			!fault_lifts(PROTECTION_GIVE))) {
		return;
	}
	/* The right may have gone while the camera was at it: it is read again before the key
	 * leaves. */
	if (!may_have_key(r, s, c)) {
		registry_stream_end(r, s, t, END_NOT_SHARED, AUDIT_REVOKED, REGISTRY_CUT_MS);
		return;
	}
	if (m->wrapped_size == 0) {
		on_failure(r, s, t, w.purpose);
		return;
	}
	deliver(r, c, s, t, m, w.purpose);
}

void registry_key_expire(struct registry *r, uint64_t now_us)
{
	for (size_t i = 0; r->wraps_count > 0 && i < REGISTRY_WRAPS_MAX; i++) {
		struct registry_wrap w = r->wraps[i];
		struct registry_session *s;
		struct registry_stream *t;

		if (w.request == 0 || now_us < w.deadline_us) {
			continue;
		}
		free_place(r, &r->wraps[i]);
		s = registry_session_find(r, w.session);
		t = s != NULL ? registry_stream_find(s, w.stream) : NULL;
		if (t != NULL && t->state != STREAM_ENDING) {
			log_warning(
				"a camera did not wrap a key for \"%s\" in time", s->display.name);
			on_failure(r, s, t, w.purpose);
		}
	}
}
