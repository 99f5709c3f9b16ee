#include "log.h"
#include "registry_state.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { REFUSALS_LOGGED_MAX = 20 };

void registry_session_cut(struct registry *r, struct registry_session *s, enum ipc_cut_mode mode,
	enum audit_reason reason)
{
	const struct ipc_cut m = {.connection = s->connection, .mode = (uint8_t)mode};
	struct registry_camera *c;

	/* A reset also takes what an ordinary close would still deliver. */
	if (s->state == SESSION_CUT && (mode != CUT_RESET || s->cut_deadline_us != 0)) {
		return;
	}
	s->state = SESSION_CUT;
	/* A close is a matter of two, and the other side must not decide how long the web role
	 * lives. */
	s->cut_deadline_us = mode == CUT_RESET ? registry_now(r) + 1000ULL * REGISTRY_CUT_MS : 0;
	registry_send(r, s->web, ipc_encode_cut(&m, r->message, sizeof(r->message)));
	registry_preview_drop(r, s);
	for (struct registry_stream *t = s->streams; t != NULL; t = t->next) {
		if (t->state == STREAM_ENDING) {
			continue;
		}
		t->state = STREAM_ENDING;
		t->reason = reason;
		t->taken_deadline_us = s->cut_deadline_us;
		registry_key_cancel(r, s, t->number);
		c = registry_camera_find(r, t->camera);
		if (c != NULL) {
			registry_camera_update_demand(r, c);
			registry_rotation_check(r, c);
		}
	}
}

/* The first of each ten seconds; then how many there were besides. */
static bool may_log(struct registry *r)
{
	uint64_t now_us = registry_now(r);

	if (r->refusals_logged == 0 || now_us - r->refusals_from_us >= 10000000) {
		if (r->refusals_unlogged > 0) {
			log_warning("%u more refusals were counted and not logged",
				r->refusals_unlogged);
		}
		r->refusals_from_us = now_us;
		r->refusals_logged = r->refusals_unlogged = 0;
	}
	if (r->refusals_logged == REFUSALS_LOGGED_MAX) {
		r->refusals_unlogged++;
		return false;
	}
	r->refusals_logged++;
	return true;
}

/* why: for the journal. */
static void refuse(
	struct registry *r, struct registry_session *s, enum refusal refusal, const char *why)
{
	r->totals.refused[refusal]++;
	if (!may_log(r)) {
		/* counted above */
	} else if (s->proved) {
		log_warning("\"%s\" at %s refused: %s", s->display.name, s->peer, why);
	} else {
		log_warning("%s refused: %s", s->peer, why);
	}
	registry_session_cut(r, s, refusal == REFUSED_MIX_UPS ? CUT_RESET : CUT_REFUSE,
		refusal == REFUSED_MIX_UPS ? AUDIT_MIX_UP : AUDIT_REFUSED);
}

void registry_session_refuse(struct registry *r, struct registry_session *s, enum refusal refusal)
{
	refuse(r, s, refusal, refusal_text(refusal));
}

void registry_session_free(struct registry *r, struct registry_session *s, enum audit_reason reason)
{
	struct registry_session **at = &r->sessions;

	registry_preview_drop(r, s);
	while (s->streams != NULL) {
		struct registry_stream *t = s->streams;

		/* Of one that was ending already, too: nobody may take its counts for the last. */
		if (t->state != STREAM_ENDING || (!t->counted && !audit_counts_whole(reason))) {
			t->state = STREAM_ENDING;
			t->reason = reason;
		}
		registry_stream_free(r, s, t);
	}
	while (*at != s) {
		at = &(*at)->next;
	}
	*at = s->next;
	r->sessions_count--;
	explicit_bzero(s, sizeof(*s));
	free(s);
	registry_revoke_check(r);
}

static int collect(void *data, const struct store_camera *c)
{
	struct registry *r = data;

	if (r->granted_count < STORE_CAMERAS_MAX) {
		r->granted[r->granted_count++] = *c;
	}
	return 0;
}

/* True if it was refused, like anybody else: only the journal says why. */
static bool is_kept_out(struct registry *r, struct registry_session *s)
{
	struct store_suspension x;
	char why[STORE_REASON_BYTES + 16];
	int result = store_suspension_of(r->store, s->display.id, NULL, &x);

	if (result == 0) {
		/* One that pairs is not on record yet. */
		result = store_suspension_of_kind(r->store, (enum display_kind)s->display.kind, &x);
	}
	if (result < 0) {
		registry_session_refuse(r, s, REFUSED_STORE);
	} else if (result > 0) {
		snprintf(why, sizeof(why), "suspended: %s", x.reason);
		refuse(r, s, REFUSED_SUSPENDED, why);
	}
	return result != 0;
}

static void admit(struct registry *r, struct registry_session *s,
	const uint8_t transcript[static DIGEST_BYTES])
{
	const struct ipc_connection m = {.connection = s->connection};

	r->granted_count = 0;
	if (store_grant_cameras(r->store, s->display.id, collect, r) < 0) {
		registry_session_refuse(r, s, REFUSED_STORE);
		return;
	}
	s->state = SESSION_ADMITTED;
	registry_send(
		r, s->web, ipc_encode_connection(IPC_ADMIT, &m, r->message, sizeof(r->message)));
	registry_tell_welcome(r, s, transcript);
	for (unsigned int i = 0; i < r->granted_count; i++) {
		registry_tell_camera(r, s, &r->granted[i]);
	}
	registry_ask_session(r, s);
}

static void login(struct registry *r, struct registry_session *s, const uint8_t *data, size_t size)
{
	uint8_t transcript[DIGEST_BYTES];
	enum refusal refusal =
		login_verify(&s->login, s->origin, data, size, r->store, &s->display, transcript);

	if (refusal != REFUSED_NOT) {
		registry_session_refuse(r, s, refusal);
		return;
	}
	s->proved = true;
	if (is_kept_out(r, s)) {
		return;
	}
	log_info("\"%s\" logged in from %s", s->display.name, s->peer);
	admit(r, s, transcript);
}

/* The first owner is given the cameras that are there; others what their link says. */
static int put_on_record(struct registry *r, struct store_display *d, struct pairing_offer *offer)
{
	uint8_t cameras[REGISTRY_CAMERAS_MAX + PAIRING_CAMERAS_MAX][CAMERA_ID_BYTES];
	unsigned int count = 0;
	int result = 0;

	d->paired_s = (int64_t)time(NULL);
	memcpy(cameras, offer->cameras, offer->cameras_count * sizeof(cameras[0]));
	count = offer->cameras_count;
	if (d->owner) {
		result = store_has_owner(r->store);
		if (result == 0) {
			count += registry_present(r, &cameras[count], REGISTRY_CAMERAS_MAX);
		}
	}
	if (result < 0) {
		return result;
	}
	return store_display_add(r->store, d, (const uint8_t(*)[CAMERA_ID_BYTES])cameras, count);
}

static void pair(struct registry *r, struct registry_session *s, const uint8_t *data, size_t size)
{
	uint8_t transcript[DIGEST_BYTES];
	struct pairing_offer offer;
	struct store_display display;
	enum refusal refusal = login_verify_pair(&s->login, s->origin, data, size, r->store,
		r->pairing, registry_now(r), &display, &offer, transcript);
	int result;

	if (refusal == REFUSED_NOT) {
		s->display = display;
		if (is_kept_out(r, s)) {
			return;
		}
		result = put_on_record(r, &display, &offer);
		if (result < 0) {
			log_error("the pairing of \"%s\" cannot be put on record: %s", display.name,
				strerror(-result));
			refusal = REFUSED_STORE;
		}
	}
	if (refusal != REFUSED_NOT) {
		registry_session_refuse(r, s, refusal);
		return;
	}
	s->display = display;
	s->proved = true;
	log_info("\"%s\" paired from %s%s", display.name, s->peer,
		display.owner ? ", as owner" : "");
	registry_ask_screen(r, &display, SCREEN_PAIRED);
	for (const struct registry_camera *c = r->cameras; c != NULL; c = c->next) {
		registry_ask_update(r, c->record.id);
	}
	admit(r, s, transcript);
}

static void hear_signed(
	struct registry *r, struct registry_session *s, const uint8_t *data, size_t size)
{
	struct wire_envelope e;

	if (message_open(s->display.sign_public, WIRE_DISPLAY, s->login.session, s->display_counter,
		    data, size, &e) < 0) {
		registry_session_refuse(r, s, REFUSED_SIGNATURE);
		return;
	}
	s->display_counter++;
	registry_display_hear(r, s, &e);
}

void registry_web_heard(struct registry *r, uint64_t peer, const struct ipc_relay *m)
{
	struct registry_session *s = registry_session_of(r, peer, m->connection);
	uint8_t type = m->size > 0 ? m->bytes[0] : 0;

	/* A display that is being cut is not heard any more, whatever is still on its way. */
	if (s == NULL || s->state == SESSION_CUT) {
		return;
	}
	if (m->size > WIRE_DISPLAY_MESSAGE_MAX_BYTES ||
		(type != WIRE_LOGIN && type != WIRE_PAIR && type != WIRE_DISPLAY)) {
		registry_session_refuse(r, s, REFUSED_MALFORMED);
	} else if (s->state == SESSION_CHALLENGED && type == WIRE_LOGIN) {
		login(r, s, m->bytes, m->size);
	} else if (s->state == SESSION_CHALLENGED && type == WIRE_PAIR) {
		pair(r, s, m->bytes, m->size);
	} else if (s->state == SESSION_ADMITTED && type == WIRE_DISPLAY) {
		store_act_for(r->store, s->display.name);
		hear_signed(r, s, m->bytes, m->size);
		store_act_for(r->store, NULL);
	} else {
		registry_session_refuse(r, s, REFUSED_OUT_OF_ORDER);
	}
}
