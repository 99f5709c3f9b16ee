#include "log.h"
#include "registry_state.h"
#include <string.h>

/* Calls for every stream of the camera that has not ended; they may end it. */
static void for_watchers(struct registry *r, struct registry_camera *c,
	void (*call)(struct registry *r, struct registry_camera *c, struct registry_session *s,
		struct registry_stream *t))
{
	for (struct registry_session *s = r->sessions; s != NULL; s = s->next) {
		for (struct registry_stream *t = s->streams; t != NULL; t = t->next) {
			if (t->state != STREAM_ENDING &&
				memcmp(t->generation, c->generation, GENERATION_BYTES) == 0) {
				call(r, c, s, t);
			}
		}
	}
}

static void forget_next(struct registry *r, struct registry_camera *c, struct registry_session *s,
	struct registry_stream *t)
{
	(void)r;
	(void)c;
	(void)s;
	t->next_epoch = 0;
	t->next_acked = false;
}

static void ask_next(struct registry *r, struct registry_camera *c, struct registry_session *s,
	struct registry_stream *t)
{
	(void)registry_key_ask(r, s, t, c, KEY_NEXT, NULL);
}

/* The epoch changed. Who has no key of the new one is given it; a stream that still waits for its
 * first key gets the new one anyway, because the camera answers in order. */
static void bring_up_to_date(struct registry *r, struct registry_camera *c,
	struct registry_session *s, struct registry_stream *t)
{
	if (t->next_epoch == c->epoch) {
		t->epoch = c->epoch;
	}
	t->next_epoch = 0;
	t->next_acked = false;
	if (t->state == STREAM_KEYED && t->epoch != c->epoch &&
		!registry_key_ask(r, s, t, c, KEY_BREAK, NULL)) {
		registry_stream_end(r, s, t, END_NOT_SHARED, AUDIT_REVOKED, REGISTRY_CUT_MS);
	}
}

static unsigned int count_unready(const struct registry *r, const struct registry_camera *c)
{
	unsigned int n = 0;

	for (const struct registry_session *s = r->sessions; s != NULL; s = s->next) {
		for (const struct registry_stream *t = s->streams; t != NULL; t = t->next) {
			n += t->state != STREAM_ENDING && !t->next_acked &&
			     memcmp(t->generation, c->generation, GENERATION_BYTES) == 0;
		}
	}
	return n;
}

static uint64_t send_request(struct registry *r, const struct registry_camera *c, uint8_t type)
{
	const struct ipc_request m = {.request = ++r->requests};

	registry_send(r, c->peer, ipc_encode_request(type, &m, r->message, sizeof(r->message)));
	return m.request;
}

void registry_rotation_break(struct registry *r, struct registry_camera *c, uint64_t within_ms)
{
	uint64_t deadline_us = registry_now(r) + within_ms * 1000;

	/* The prepared epoch is thrown away by the camera, and its number with it. */
	c->preparing = false;
	c->switch_request = 0;
	registry_key_cancel_next(r, c);
	for_watchers(r, c, forget_next);
	if (c->rotate_request == 0 || deadline_us < c->rotate_deadline_us) {
		c->rotate_deadline_us = deadline_us;
	}
	c->rotate_request = send_request(r, c, IPC_ROTATE);
}

void registry_camera_rotation_due(struct registry *r, uint64_t peer)
{
	struct registry_camera *c = registry_camera_of(r, peer);

	/* While a break or a switch is under way the epoch is new anyway; it will say so again. */
	if (c == NULL || c->preparing || c->rotate_request != 0 || c->switch_request != 0) {
		return;
	}
	c->preparing = true;
	c->prepare_deadline_us = registry_now(r) + 1000ULL * REGISTRY_PREPARE_MS;
	for_watchers(r, c, forget_next);
	for_watchers(r, c, ask_next);
	registry_rotation_check(r, c);
}

void registry_rotation_check(struct registry *r, struct registry_camera *c)
{
	unsigned int unready = c->preparing ? count_unready(r, c) : 0;

	if (c->preparing && (registry_now(r) >= c->prepare_deadline_us || unready == 0)) {
		if (unready > 0) {
			log_info("camera \"%s\" changes its key without waiting longer for %u of "
				 "its viewers, who may lose frames",
				c->record.name, unready);
		}
		c->preparing = false;
		c->switch_request = send_request(r, c, IPC_SWITCH);
	}
}

void registry_camera_rotated(struct registry *r, uint64_t peer, const struct ipc_rotated *m)
{
	struct registry_camera *c = registry_camera_of(r, peer);

	if (c == NULL) {
		return;
	}
	if (m->request == 0 || m->request != c->switch_request) {
		/* A break, asked for or by itself: what was prepared is void. */
		if (m->request == 0 && c->preparing) {
			log_info("camera \"%s\" changed its key before %u of its viewers had the "
				 "next one; they may lose frames",
				c->record.name, count_unready(r, c));
		}
		c->preparing = false;
		registry_key_cancel_next(r, c);
		for_watchers(r, c, forget_next);
	}
	if (m->request != 0 && m->request == c->switch_request) {
		c->switch_request = 0;
	}
	if (m->request != 0 && m->request == c->rotate_request) {
		c->rotate_request = 0;
	}
	c->epoch = m->epoch;
	for_watchers(r, c, bring_up_to_date);
	registry_revoke_check(r);
}

void registry_rotation_tick(struct registry *r, uint64_t now_us)
{
	struct registry_camera *c, *next;

	for (c = r->cameras; c != NULL; c = next) {
		next = c->next;
		if (c->rotate_request != 0 && now_us >= c->rotate_deadline_us) {
			log_error("camera \"%s\" did not change its key in time; ending it",
				c->record.name);
			registry_camera_end(r, c, true);
		} else if (c->preparing) {
			registry_rotation_check(r, c);
		}
	}
}
