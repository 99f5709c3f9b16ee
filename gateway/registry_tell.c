#include "log.h"
#include "registry_state.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

void registry_send(struct registry *r, uint64_t peer, ssize_t size)
{
	if (size < 0) {
		/* Every message of ours fits: a peer that misses one could not be trusted any more.
		 */
		log_error("a message did not fit; ending the connection to that role");
		r->output.drop(r->output.data, peer, true);
		return;
	}
	r->output.send(r->output.data, peer, r->message, (size_t)size, NULL, 0);
}

static void tell_bytes(
	struct registry *r, struct registry_session *s, const uint8_t *bytes, size_t size)
{
	const struct ipc_relay m = {.connection = s->connection, .bytes = bytes, .size = size};

	registry_send(r, s->web, ipc_encode_relay(IPC_TELL, &m, r->message, sizeof(r->message)));
}

/* Signs a message with the session's next counter. Its size, or -1 when the session had to be cut.
 */
static ssize_t sign(struct registry *r, struct registry_session *s, uint8_t kind,
	const uint8_t *body, ssize_t body_size, uint8_t *out, size_t size)
{
	struct wire_envelope e = {
		.type = WIRE_HUB, .counter = s->hub_counter, .kind = kind, .body = body};
	ssize_t result;

	if (s->state != SESSION_ADMITTED) {
		return -1;
	}
	e.body_size = body_size < 0 ? 0 : (size_t)body_size;
	memcpy(e.session, s->login.session, sizeof(e.session));
	result = body_size < 0 ? body_size : message_sign(r->hub, &e, out, size);
	if (result < 0) {
		log_error("cannot sign a message to \"%s\": %s; cutting its connection",
			s->display.name, strerror((int)-result));
		registry_session_cut(r, s, CUT_BUSY, AUDIT_LEFT);
		return -1;
	}
	s->hub_counter++;
	return result;
}

static void tell(struct registry *r, struct registry_session *s, uint8_t kind, const uint8_t *body,
	ssize_t body_size)
{
	uint8_t out[WIRE_HUB_MESSAGE_MAX_BYTES];
	ssize_t size = sign(r, s, kind, body, body_size, out, sizeof(out));

	if (size >= 0) {
		tell_bytes(r, s, out, (size_t)size);
	}
}

void registry_tell_challenge(struct registry *r, struct registry_session *s)
{
	tell_bytes(r, s, s->login.challenge, sizeof(s->login.challenge));
}

void registry_tell_welcome(struct registry *r, struct registry_session *s,
	const uint8_t transcript[static DIGEST_BYTES])
{
	uint8_t body[WIRE_HUB_MESSAGE_MAX_BYTES];
	struct wire_welcome m = {.owner = s->display.owner, .cameras = (uint16_t)r->granted_count};

	memcpy(m.transcript, transcript, sizeof(m.transcript));
	memcpy(m.home, r->store->home, sizeof(m.home));
	memcpy(m.display, s->display.id, sizeof(m.display));
	memcpy(m.name, s->display.name, sizeof(m.name));
	tell(r, s, HUB_WELCOME, body, wire_encode_welcome(&m, body, sizeof(body)));
}

void registry_tell_camera(
	struct registry *r, struct registry_session *s, const struct store_camera *c)
{
	uint8_t body[WIRE_HUB_MESSAGE_MAX_BYTES];
	struct registry_camera *live = registry_camera_find(r, c->id);
	const struct registry_web *web = registry_web_of(r, s->web);
	struct wire_camera m = {.state = CAMERA_OFFLINE, .strength = c->strength};

	memcpy(m.id, c->id, sizeof(m.id));
	memcpy(m.name, c->name, sizeof(m.name));
	m.flags = c->strength == IDENTITY_TEST ? CAMERA_FLAG_TEST : 0;
	m.flags |= registry_preview_is(s, c->id) ? CAMERA_FLAG_PREVIEW : 0;
	if (live != NULL && web != NULL && registry_camera_ring(live, web->reader) != 0) {
		m.state = CAMERA_READY;
		memcpy(m.generation, live->generation, sizeof(m.generation));
		memcpy(m.kem_public, live->kem_public, sizeof(m.kem_public));
		m.frame_interval_us = live->frame_interval_us;
		m.frame_max_bytes = live->frame_max_bytes;
		if (live->frame_interval_us > 1000000) {
			m.flags |= CAMERA_FLAG_SLOW;
		}
		if (live->view.status.activity == CAMERA_FAILING) {
			m.flags |= CAMERA_FLAG_FAILING;
		}
	}
	tell(r, s, HUB_CAMERA, body, wire_encode_camera(&m, body, sizeof(body)));
}

void registry_tell_camera_gone(struct registry *r, struct registry_session *s,
	const uint8_t camera[static CAMERA_ID_BYTES], enum end_reason reason)
{
	uint8_t body[WIRE_HUB_MESSAGE_MAX_BYTES];
	struct wire_camera_gone m = {.reason = (uint8_t)reason};

	memcpy(m.id, camera, sizeof(m.id));
	tell(r, s, HUB_CAMERA_GONE, body, wire_encode_camera_gone(&m, body, sizeof(body)));
}

void registry_tell_new_camera(
	struct registry *r, struct registry_session *s, const struct registry_camera *c)
{
	uint8_t body[WIRE_HUB_MESSAGE_MAX_BYTES];
	struct wire_new_camera m = {.strength = c->record.strength};
	int size;

	m.flags = c->record.standing == STANDING_QUARANTINED ? NEW_CAMERA_QUARANTINED : 0;
	memcpy(m.id, c->record.id, sizeof(m.id));
	memcpy(m.name, c->record.name, sizeof(m.name));
	size = snprintf(m.about, sizeof(m.about), "%s%s%s%s%s", c->view.source,
		c->record.vid_pid[0] != 0 ? ", " : "", c->record.vid_pid,
		c->view.port[0] != 0 ? ", port " : "", c->view.port);
	/* The source is in the words of the camera's process. */
	if (size < 0 || (size_t)size >= sizeof(m.about) || !wire_name_ok(m.about)) {
		m.about[0] = 0;
	}
	tell(r, s, HUB_NEW_CAMERA, body, wire_encode_new_camera(&m, body, sizeof(body)));
}

void registry_tell_new_camera_gone(struct registry *r, struct registry_session *s,
	const uint8_t camera[static CAMERA_ID_BYTES])
{
	uint8_t body[WIRE_HUB_MESSAGE_MAX_BYTES];
	struct wire_new_camera_gone m;

	memcpy(m.id, camera, sizeof(m.id));
	tell(r, s, HUB_NEW_CAMERA_GONE, body, wire_encode_new_camera_gone(&m, body, sizeof(body)));
}

void registry_tell_screen(struct registry *r, struct registry_session *s,
	const struct store_display *d, enum screen_state state)
{
	uint8_t body[WIRE_HUB_MESSAGE_MAX_BYTES];
	struct wire_screen m = {.state = (uint8_t)state};

	memcpy(m.display, d->id, sizeof(m.display));
	memcpy(m.name, d->name, sizeof(m.name));
	tell(r, s, HUB_SCREEN, body, wire_encode_screen(&m, body, sizeof(body)));
}

void registry_tell_ended(struct registry *r, struct registry_session *s, uint16_t stream,
	const uint8_t camera[static CAMERA_ID_BYTES], enum end_reason reason)
{
	uint8_t body[WIRE_HUB_MESSAGE_MAX_BYTES];
	struct wire_ended m = {.stream = stream, .reason = (uint8_t)reason};

	memcpy(m.camera, camera, sizeof(m.camera));
	tell(r, s, HUB_ENDED, body, wire_encode_ended(&m, body, sizeof(body)));
}

void registry_tell_key(struct registry *r, struct registry_session *s,
	const struct registry_stream *t, const struct ipc_wrapped *m, uint8_t purpose)
{
	uint8_t body[WIRE_HUB_MESSAGE_MAX_BYTES], out[WIRE_HUB_MESSAGE_MAX_BYTES];
	struct wire_key key = {.stream = t->number, .epoch = m->epoch, .purpose = purpose};
	struct ipc_tell_key told = {.connection = s->connection,
		.stream = t->number,
		.epoch = m->epoch,
		.breaks = purpose == KEY_BREAK,
		.bytes = out};
	ssize_t size;

	memcpy(key.camera, t->camera, sizeof(key.camera));
	memcpy(key.generation, t->generation, sizeof(key.generation));
	memcpy(key.enc, m->enc, sizeof(key.enc));
	memcpy(key.wrapped, m->wrapped, sizeof(key.wrapped));
	key.wrapped_size = m->wrapped_size;
	size = wire_encode_key(&key, body, sizeof(body));
	size = sign(r, s, HUB_KEY, body, size, out, sizeof(out));
	if (size >= 0) {
		told.size = (size_t)size;
		registry_send(
			r, s->web, ipc_encode_tell_key(&told, r->message, sizeof(r->message)));
	}
}

/* Whom the store cannot be asked about comes anew, and hears all that it may see then. */
void registry_tell_camera_if_seen(
	struct registry *r, struct registry_session *s, const struct store_camera *c)
{
	int result = registry_may_see(r, s, c->id);

	if (result == 0) {
		registry_tell_camera(r, s, c);
	} else if (result != -ENOENT) {
		registry_session_cut(r, s, CUT_BUSY, AUDIT_LEFT);
	}
}

void registry_tell_camera_to_all(struct registry *r, const uint8_t camera[static CAMERA_ID_BYTES])
{
	struct store_camera c;
	int result = store_camera_get(r->store, camera, &c);

	if (result == -ENOENT) {
		return;
	}
	for (struct registry_session *s = r->sessions; s != NULL; s = s->next) {
		if (s->state != SESSION_ADMITTED) {
			continue;
		}
		if (result < 0) {
			registry_session_cut(r, s, CUT_BUSY, AUDIT_LEFT);
		} else {
			registry_tell_camera_if_seen(r, s, &c);
		}
	}
}
