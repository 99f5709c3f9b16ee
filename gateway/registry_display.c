#include "log.h"
#include "registry_state.h"
#include <stdio.h>
#include <string.h>

static void on_watch(struct registry *r, struct registry_session *s, const struct wire_envelope *e)
{
	struct wire_watch m;

	if (wire_parse_watch(e->body, e->body_size, &m) < 0) {
		registry_session_refuse(r, s, REFUSED_MALFORMED);
		return;
	}
	registry_stream_watch(r, s, &m);
}

static void on_unwatch(
	struct registry *r, struct registry_session *s, const struct wire_envelope *e)
{
	struct wire_unwatch m;
	struct registry_stream *t;

	if (wire_parse_unwatch(e->body, e->body_size, &m) < 0) {
		registry_session_refuse(r, s, REFUSED_MALFORMED);
		return;
	}
	t = registry_stream_find(s, m.stream);
	if (t == NULL || t->counts.attested) {
		return; /* it crossed our ENDED */
	}
	t->counts.drawn = m.drawn;
	t->counts.late = m.late;
	t->counts.hidden = m.hidden;
	t->counts.refused = m.refused;
	t->counts.worst_age_ms = m.worst_age_ms;
	t->counts.attested = true;
	registry_stream_end(r, s, t, 0, AUDIT_UNWATCHED, REGISTRY_ANSWER_MS);
}

static void on_time(struct registry *r, struct registry_session *s, const struct wire_envelope *e)
{
	struct wire_time m;
	struct registry_stream *t;
	struct registry_camera *c;

	if (wire_parse_time(e->body, e->body_size, &m) < 0) {
		registry_session_refuse(r, s, REFUSED_MALFORMED);
		return;
	}
	t = registry_stream_find(s, m.stream);
	c = t != NULL ? registry_camera_find(r, t->camera) : NULL;
	if (c != NULL && t->state == STREAM_KEYED &&
		registry_now(r) - t->time_asked_us >= 1000ULL * REGISTRY_TIME_MS) {
		/* When the camera cannot answer, or was asked just now, the display's own timer
		 * asks again. */
		t->time_asked_us = registry_now(r);
		(void)registry_key_ask(r, s, t, c, KEY_TIME, m.nonce);
	}
}

static void on_key_ack(
	struct registry *r, struct registry_session *s, const struct wire_envelope *e)
{
	struct wire_key_ack m;
	struct registry_stream *t;
	struct registry_camera *c;

	if (wire_parse_key_ack(e->body, e->body_size, &m) < 0) {
		registry_session_refuse(r, s, REFUSED_MALFORMED);
		return;
	}
	t = registry_stream_find(s, m.stream);
	c = t != NULL ? registry_camera_find(r, t->camera) : NULL;
	if (c != NULL && t->next_epoch != 0 && t->next_epoch == m.epoch) {
		t->next_acked = true;
		registry_rotation_check(r, c);
	}
}

/* Notes the report; true if this display reported within the last minute already. */
static bool reported_lately(struct registry *r, const uint8_t display[static DISPLAY_ID_BYTES])
{
	uint64_t now_us = registry_now(r);
	struct registry_report *place = &r->reports[0];
	bool lately = false;

	for (size_t i = 0; i < REGISTRY_REPORTS_MAX; i++) {
		struct registry_report *p = &r->reports[i];

		if (p->at_us != 0 && memcmp(p->display, display, DISPLAY_ID_BYTES) == 0) {
			lately = now_us - p->at_us < 1000ULL * REGISTRY_REPORT_MS;
			place = p;
			break;
		}
		if (p->at_us < place->at_us) {
			place = p;
		}
	}
	memcpy(place->display, display, DISPLAY_ID_BYTES);
	place->at_us = now_us;
	return lately;
}

static const char *anomaly_text(uint8_t reason)
{
	static const char *const texts[] = {
		[ANOMALY_FOREIGN_CAMERA] = "a frame of another camera",
		[ANOMALY_UNKNOWN_EPOCH] = "a frame of an unknown generation or epoch",
		[ANOMALY_COUNTER] = "a frame that came twice or out of order",
		[ANOMALY_UNSEAL] = "a frame whose seal does not open",
		[ANOMALY_KEY] = "a key that does not open",
		[ANOMALY_PICTURE] = "a picture that is not as announced",
	};

	return reason > ANOMALY_NONE && reason <= ANOMALY_PICTURE ? texts[reason] : NULL;
}

/* On disk at once or, when it is full, as soon as it is not. */
static void record_alarm(struct registry *r, const struct registry_session *s,
	const struct registry_stream *t, uint8_t reason)
{
	struct audit_event e = {.kind = AUDIT_ALARM};
	struct store_camera c;

	memcpy(e.display, s->display.id, sizeof(e.display));
	memcpy(e.display_name, s->display.name, sizeof(e.display_name));
	if (t != NULL) {
		memcpy(e.camera, t->camera, sizeof(e.camera));
		if (store_camera_get(r->store, t->camera, &c) == 0) {
			memcpy(e.camera_name, c.name, sizeof(e.camera_name));
		}
	}
	snprintf(e.note, sizeof(e.note), "%s", anomaly_text(reason));
	registry_record_event(r, &e);
}

static void on_report(struct registry *r, struct registry_session *s, const struct wire_envelope *e)
{
	struct wire_report m;
	const struct registry_stream *t;
	struct registry_camera *c;

	if (wire_parse_report(e->body, e->body_size, &m) < 0 || anomaly_text(m.reason) == NULL) {
		registry_session_refuse(r, s, REFUSED_MALFORMED);
		return;
	}
	r->totals.anomalies[m.reason]++;
	/* The tile's own camera is what rotates: the one in the report may be a stranger's. */
	t = registry_stream_find(s, m.stream);
	c = t != NULL ? registry_camera_find(r, t->camera) : NULL;
	log_error("MIX-UP: \"%s\" at %s received %s on its tile of \"%s\"", s->display.name,
		s->peer, anomaly_text(m.reason),
		c != NULL ? c->record.name : "a camera that is gone");
	record_alarm(r, s, t, m.reason);
	if (reported_lately(r, s->display.id)) {
		registry_session_refuse(r, s, REFUSED_MIX_UPS);
		return;
	}
	if (c != NULL) {
		registry_rotation_break(r, c, REGISTRY_ANSWER_MS);
	}
}

void registry_display_hear(
	struct registry *r, struct registry_session *s, const struct wire_envelope *e)
{
	switch (e->kind) {
	case DISPLAY_WATCH:
		on_watch(r, s, e);
		break;
	case DISPLAY_UNWATCH:
		on_unwatch(r, s, e);
		break;
	case DISPLAY_TIME:
		on_time(r, s, e);
		break;
	case DISPLAY_REPORT:
		on_report(r, s, e);
		break;
	case DISPLAY_KEY_ACK:
		on_key_ack(r, s, e);
		break;
	case DISPLAY_SHARE:
	case DISPLAY_DECIDE:
	case DISPLAY_PREVIEW:
		registry_owner_hear(r, s, e);
		break;
	default:
		registry_session_refuse(r, s, REFUSED_MALFORMED);
		break;
	}
}
