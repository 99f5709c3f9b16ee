#include "fault.h"
#include "log.h"
#include "registry_state.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Why this display may not watch this camera on this stream now; 0: it may. */
static enum end_reason objection(
	const struct registry *r, const struct registry_session *s, const struct wire_watch *m)
{
	const struct registry_camera *c = registry_camera_find(r, m->camera);
	const struct registry_web *w = registry_web_of(r, s->web);

	if (registry_may_see(r, s, m->camera) != 0 && !fault_happens(FAULT_GRANT_OF_NEIGHBOUR)) {
		return END_NOT_SHARED;
	}
	if (m->stream == 0 || m->rendition >= RENDITION_COUNT ||
		s->streams_count >= WIRE_STREAMS_MAX ||
		registry_stream_find(s, m->stream) != NULL) {
		return END_REFUSED;
	}
	if (c == NULL || w == NULL || registry_camera_ring(c, w->reader) == 0) {
		return END_OFFLINE;
	}
	return 0;
}

/* Counts a viewing that is about to be opened; false when this connection opens too many. */
static bool may_open(const struct registry *r, struct registry_session *s)
{
	uint64_t now_us = registry_now(r);
	uint64_t back = (now_us - s->watches_from_us) / (1000ULL * REGISTRY_WATCH_MS);

	s->watches_from_us += back * 1000ULL * REGISTRY_WATCH_MS;
	s->watches = back < s->watches ? s->watches - (unsigned int)back : 0;
	if (s->watches == REGISTRY_WATCHES_MAX) {
		return false;
	}
	s->watches++;
	return true;
}

/* Told when it changes: displays ask again and again. */
static void note_record(struct registry *r, int result)
{
	if (result == r->totals.record_error) {
		return;
	}
	r->totals.record_error = result;
	if (result == 0) {
		log_info("viewings can be put on record again");
	} else if (result == -ENOSPC) {
		log_error("the disk with the state directory is full: viewings cannot be put on "
			  "record, so nobody is given a key; make room, and it goes on by itself");
	} else {
		log_error("viewings cannot be put on record, so nobody is given a key: %s",
			strerror(-result));
	}
}

static int open_viewing(struct registry *r, const struct registry_session *s,
	const struct registry_camera *c, struct registry_stream *t)
{
	struct audit_opening o = {.stream = t->number};

	memcpy(o.display, s->display.id, sizeof(o.display));
	memcpy(o.camera, c->record.id, sizeof(o.camera));
	memcpy(o.session, s->login.session, sizeof(o.session));
	memcpy(o.display_name, s->display.name, sizeof(o.display_name));
	memcpy(o.camera_name, c->record.name, sizeof(o.camera_name));
	return audit_open(r->store, &o, &t->viewing);
}

static void give(
	struct registry *r, struct registry_session *s, struct registry_stream *t, uint32_t ring)
{
	struct ipc_give m = {.connection = s->connection,
		.stream = t->number,
		.ring = ring,
		.rendition = t->rendition};

	memcpy(m.camera, t->camera, sizeof(m.camera));
	memcpy(m.generation, t->generation, sizeof(m.generation));
	registry_send(r, s->web, ipc_encode_give(&m, r->message, sizeof(r->message)));
}

void registry_stream_watch(
	struct registry *r, struct registry_session *s, const struct wire_watch *m)
{
	enum end_reason reason = objection(r, s, m);
	struct registry_camera *c = registry_camera_find(r, m->camera);
	struct registry_stream *t;
	int result;

	if (reason == 0 && !may_open(r, s)) {
		reason = END_REFUSED;
	}
	if (reason != 0) {
		registry_tell_ended(r, s, m->stream, m->camera, reason);
		return;
	}
	t = calloc(1, sizeof(*t));
	result = t == NULL ? -ENOMEM : 0;
	if (result == 0) {
		t->number = m->stream;
		t->rendition = m->rendition;
		memcpy(t->camera, m->camera, sizeof(t->camera));
		memcpy(t->generation, c->generation, sizeof(t->generation));
		t->opened_us = registry_now(r);
		result = open_viewing(r, s, c, t);
		note_record(r, result);
	}
	if (result < 0) {
		registry_tell_ended(r, s, m->stream, m->camera, END_NO_RECORD);
		free(t);
		return;
	}
	t->state = STREAM_OPENING;
	t->next = s->streams;
	s->streams = t;
	s->streams_count++;
	give(r, s, t, registry_camera_ring(c, registry_web_of(r, s->web)->reader));
	registry_camera_update_demand(r, c);
	if (!registry_key_ask(r, s, t, c, KEY_WATCH, m->nonce)) {
		registry_stream_end(r, s, t, END_REFUSED, AUDIT_NO_KEY, REGISTRY_ANSWER_MS);
	} else if (c->preparing) {
		/* The others have the next key already, or are about to. */
		(void)registry_key_ask(r, s, t, c, KEY_NEXT, NULL);
	}
}

void registry_stream_end(struct registry *r, struct registry_session *s, struct registry_stream *t,
	enum end_reason told, enum audit_reason reason, uint64_t within_ms)
{
	const struct ipc_stream m = {.connection = s->connection, .stream = t->number};
	struct registry_camera *c = registry_camera_find(r, t->camera);

	if (t->state == STREAM_ENDING) {
		return;
	}
	t->state = STREAM_ENDING;
	t->reason = reason;
	t->taken_deadline_us = registry_now(r) + within_ms * 1000;
	registry_key_cancel(r, s, t->number);
	registry_send(r, s->web, ipc_encode_stream(IPC_TAKE, &m, r->message, sizeof(r->message)));
	if (told != 0) {
		registry_tell_ended(r, s, t->number, t->camera, told);
	}
	if (c != NULL) {
		registry_camera_update_demand(r, c);
		registry_rotation_check(r, c);
	}
}

static void close_viewing(struct registry *r, const struct registry_stream *t)
{
	if (r->totals.closings_waiting == REGISTRY_CLOSINGS_MAX) {
		registry_write_closings(r);
	}
	if (r->totals.closings_waiting == REGISTRY_CLOSINGS_MAX) {
		r->totals.closings_lost++;
		log_error("the end of a viewing is lost, %u wait for the disk; the next start will "
			  "say it ended unseen",
			r->totals.closings_waiting);
		return;
	}
	if (r->totals.closings_waiting == 0) {
		r->closings_due_us = registry_now(r) + 1000ULL * REGISTRY_CLOSINGS_MS;
	}
	r->closings[r->totals.closings_waiting++] = (struct audit_closing){.viewing = t->viewing,
		.reason = t->reason,
		.duration_ms = (registry_now(r) - t->opened_us) / 1000,
		.counts = t->counts};
}

void registry_stream_free(struct registry *r, struct registry_session *s, struct registry_stream *t)
{
	struct registry_stream **at = &s->streams;
	struct registry_camera *c = registry_camera_find(r, t->camera);

	registry_key_cancel(r, s, t->number);
	close_viewing(r, t);
	while (*at != t) {
		at = &(*at)->next;
	}
	*at = t->next;
	s->streams_count--;
	explicit_bzero(t, sizeof(*t));
	free(t);
	if (c != NULL) {
		registry_camera_update_demand(r, c);
		registry_rotation_check(r, c);
	}
}

void registry_record_event(struct registry *r, const struct audit_event *e)
{
	int result = audit_note(r->store, e);

	if (result == 0) {
		return;
	}
	if (r->events_count == REGISTRY_EVENTS_MAX) {
		r->totals.events_lost++;
		log_error("an alarm is lost to the record: the disk refuses it, and %u wait",
			r->events_count);
		return;
	}
	log_error("an alarm cannot be put on record: %s; trying again", strerror(-result));
	r->events[r->events_count++] = *e;
	r->closings_due_us = registry_now(r) + 1000ULL * REGISTRY_CLOSINGS_RETRY_MS;
}

/* All or nothing. */
static int write_waiting(struct registry *r)
{
	int result = store_begin(r->store);

	if (result < 0) {
		return result;
	}
	for (unsigned int i = 0; result == 0 && i < r->events_count; i++) {
		result = audit_note(r->store, &r->events[i]);
	}
	if (result == 0) {
		result = audit_close(r->store, r->closings, r->totals.closings_waiting);
	}
	if (result < 0) {
		store_rollback(r->store);
		return result;
	}
	return store_commit(r->store);
}

void registry_write_closings(struct registry *r)
{
	int result = write_waiting(r);

	note_record(r, result);
	if (result == 0) {
		r->totals.closings_waiting = r->events_count = 0;
		return;
	}
	r->closings_due_us = registry_now(r) + 1000ULL * REGISTRY_CLOSINGS_RETRY_MS;
}
