#include "log.h"
#include "registry_state.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void send_config(
	struct registry *r, const struct registry_web *w, const struct ipc_web_config *config)
{
	struct ipc_web_config completed = *config;

	completed.reader = w->reader;
	registry_send(
		r, w->peer, ipc_encode_web_config(&completed, r->message, sizeof(r->message)));
	explicit_bzero(r->message, sizeof(r->message)); /* the TLS key was in it */
}

void registry_web_config(struct registry *r, const struct ipc_web_config *config)
{
	for (const struct registry_web *w = r->webs; w != NULL; w = w->next) {
		send_config(r, w, config);
	}
}

void registry_web_hello(struct registry *r, uint64_t peer, const struct ipc_web_hello *m,
	const struct ipc_web_config *config)
{
	struct registry_web *w;
	unsigned int count = 0;

	for (w = r->webs; w != NULL; w = w->next) {
		count++;
	}
	w = count < REGISTRY_WEBS_MAX && registry_web_of(r, peer) == NULL ? calloc(1, sizeof(*w))
									  : NULL;
	if (w == NULL) {
		log_warning("a web process was turned away: too many, or it came twice");
		r->output.drop(r->output.data, peer, false);
		return;
	}
	w->peer = peer;
	w->reader = ++r->readers;
	w->view.port = m->port;
	memcpy(w->view.listening, m->listening, sizeof(w->view.listening));
	w->next = r->webs;
	r->webs = w;
	send_config(r, w, config);
	for (struct registry_camera *c = r->cameras; c != NULL; c = c->next) {
		registry_camera_add_reader(r, c, w->reader);
	}
}

/* Nothing may be told to a connection that we have no room for, so it goes at once. */
static void cut_unknown(struct registry *r, uint64_t peer, uint64_t connection)
{
	const struct ipc_cut m = {.connection = connection, .mode = CUT_BUSY};

	r->totals.refused[REFUSED_BUSY]++;
	registry_send(r, peer, ipc_encode_cut(&m, r->message, sizeof(r->message)));
}

void registry_web_opened(struct registry *r, uint64_t peer, const struct ipc_opened *m)
{
	uint8_t session[SESSION_ID_BYTES], nonce[NONCE_BYTES];
	struct registry_session *s;

	if (registry_web_of(r, peer) == NULL ||
		registry_session_of(r, peer, m->connection) != NULL) {
		log_error("the web role is confused about its connections; ending it");
		r->output.drop(r->output.data, peer, true);
		return;
	}
	s = r->sessions_count < REGISTRY_SESSIONS_MAX ? calloc(1, sizeof(*s)) : NULL;
	r->output.random(r->output.data, session, sizeof(session));
	r->output.random(r->output.data, nonce, sizeof(nonce));
	if (s == NULL || login_init(&s->login, session, nonce, r->hub->public) < 0) {
		free(s);
		cut_unknown(r, peer, m->connection);
		return;
	}
	s->web = peer;
	s->connection = m->connection;
	s->state = SESSION_CHALLENGED;
	memcpy(s->peer, m->peer, sizeof(s->peer));
	memcpy(s->origin, m->origin, sizeof(s->origin));
	s->next = r->sessions;
	r->sessions = s;
	r->sessions_count++;
	registry_tell_challenge(r, s);
}

void registry_web_closed(struct registry *r, uint64_t peer, uint64_t connection)
{
	struct registry_session *s = registry_session_of(r, peer, connection);

	if (s != NULL) {
		registry_session_free(r, s, AUDIT_LEFT);
	}
}

void registry_web_cut_done(struct registry *r, uint64_t peer, uint64_t connection)
{
	registry_web_closed(r, peer, connection);
}

void registry_web_counts(struct registry *r, uint64_t peer, const struct ipc_counts *m)
{
	struct registry_session *s = registry_session_of(r, peer, m->connection);
	struct registry_stream *t = s != NULL ? registry_stream_find(s, m->stream) : NULL;

	if (t == NULL) {
		return;
	}
	t->counted = m->final;
	t->counts.sent = m->sent;
	t->counts.dropped = m->skipped + m->aborted;
	/* What the display itself signed is not overwritten by what the web role believes. */
	if (!t->counts.attested) {
		t->counts.drawn = m->drawn;
		t->counts.late = m->late;
		t->counts.hidden = m->hidden;
		t->counts.refused = m->refused;
		t->counts.worst_age_ms = m->worst_age_ms;
	}
}

void registry_web_refusals(struct registry *r, uint64_t peer, const struct ipc_refusals *m)
{
	if (registry_web_of(r, peer) == NULL) {
		return;
	}
	for (size_t i = 0; i < WEB_REFUSALS; i++) {
		r->totals.web_refused[i] += m->counts[i];
	}
	if (m->counts[WEB_HELD_BACK] > 0) {
		log_error("MIX-UP: the web role held back %u frames that were not for their stream",
			m->counts[WEB_HELD_BACK]);
	}
}

void registry_web_taken(struct registry *r, uint64_t peer, const struct ipc_stream *m)
{
	struct registry_session *s = registry_session_of(r, peer, m->connection);
	struct registry_stream *t = s != NULL ? registry_stream_find(s, m->stream) : NULL;

	if (t != NULL && t->state == STREAM_ENDING) {
		registry_stream_free(r, s, t);
		registry_revoke_check(r);
	}
}

static void end_web(struct registry *r, struct registry_web *w)
{
	struct registry_web **at = &r->webs;
	struct registry_session *s, *next;

	while (*at != w) {
		at = &(*at)->next;
	}
	*at = w->next;
	for (s = r->sessions; s != NULL; s = next) {
		next = s->next;
		if (s->web == w->peer) {
			registry_session_free(r, s, AUDIT_WEB_GONE);
		}
	}
	for (struct registry_camera *c = r->cameras; c != NULL; c = c->next) {
		registry_camera_drop_reader(r, c, w->reader);
	}
	log_info("the web role is gone");
	free(w);
	registry_revoke_check(r);
}

void registry_peer_gone(struct registry *r, uint64_t peer)
{
	struct registry_camera *c = registry_camera_of(r, peer);
	struct registry_web *w = registry_web_of(r, peer);

	if (c != NULL) {
		registry_camera_end(r, c, false);
	}
	if (w != NULL) {
		end_web(r, w);
	}
}
