#include "display_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	PULSE_US = 250000,
	TIMER_GAP_US = 1000000,
	TIME_EVERY_US = 60000000,
	TIME_SPACING_US = 300000, /* the hub ignores sooner ones */
	TIME_PATIENCE_US = 2000000,
};

static bool text_copy(char *out, size_t size, const char *text)
{
	size_t length = strlen(text);
	if (length == 0 || length >= size) {
		return false;
	}
	memcpy(out, text, length + 1);
	return true;
}

struct display *display_create(const struct display_config *config)
{
	struct display *d = calloc(1, sizeof(*d));
	if (d == NULL) {
		return NULL;
	}
	d->keys = config->keys;
	d->send = config->send;
	d->sender = config->sender;
	d->callbacks = config->callbacks;
	d->user = config->user;
	memcpy(d->pinned, config->keys->hub, FINGERPRINT_BYTES);
	if (config->link != NULL) {
		d->pairing = true;
		d->link = *config->link;
		memcpy(d->pinned, config->link->fingerprint, FINGERPRINT_BYTES);
	}
	if (!text_copy(d->origin, sizeof(d->origin), config->origin) ||
		(d->pairing && !text_copy(d->name, sizeof(d->name), config->name))) {
		display_destroy(d);
		return NULL;
	}
	return d;
}

void display_restart(struct display *d)
{
	for (size_t i = 0; i < WIRE_STREAMS_MAX; i++) {
		tile_finish(&d->tiles[i]);
	}
	d->phase = PHASE_CHALLENGE;
	d->heard = 0;
	d->sent = 0;
	d->streams = 0;
	d->ticked_us = 0;
}

void display_destroy(struct display *d)
{
	if (d == NULL) {
		return;
	}
	display_restart(d);
	if (d->jpeg != NULL) {
		explicit_bzero(d->jpeg, d->jpeg_capacity);
		free(d->jpeg);
	}
	explicit_bzero(d, sizeof(*d));
	free(d);
}

bool display_welcomed(const struct display *d)
{
	return d->phase == PHASE_OPEN;
}

const struct display_counts *display_counts(const struct display *d)
{
	return &d->counts;
}

/* ---- finding ---- */

struct display_entry *display_find_camera(
	struct display *d, const uint8_t id[static CAMERA_ID_BYTES])
{
	for (size_t i = 0; i < DISPLAY_CAMERAS_MAX; i++) {
		struct display_entry *e = &d->cameras[i];
		if (e->used && memcmp(e->camera.id, id, CAMERA_ID_BYTES) == 0) {
			return e;
		}
	}
	return NULL;
}

const struct wire_camera *display_camera(const struct display *d, const char *name)
{
	for (size_t i = 0; i < DISPLAY_CAMERAS_MAX; i++) {
		if (d->cameras[i].used && strcmp(d->cameras[i].camera.name, name) == 0) {
			return &d->cameras[i].camera;
		}
	}
	return NULL;
}

struct tile *display_find_tile(struct display *d, uint16_t stream)
{
	for (size_t i = 0; i < WIRE_STREAMS_MAX && stream != 0; i++) {
		if (d->tiles[i].stream == stream) {
			return &d->tiles[i];
		}
	}
	return NULL;
}

struct tile *display_tile_of(struct display *d, const uint8_t id[static CAMERA_ID_BYTES])
{
	for (size_t i = 0; i < WIRE_STREAMS_MAX; i++) {
		if (d->tiles[i].stream != 0 &&
			memcmp(d->tiles[i].camera, id, CAMERA_ID_BYTES) == 0) {
			return &d->tiles[i];
		}
	}
	return NULL;
}

/* ---- sending ---- */

int display_send(struct display *d, uint8_t kind, const uint8_t *body, ssize_t body_size)
{
	uint8_t message[WIRE_DISPLAY_MESSAGE_MAX_BYTES];
	if (body_size < 0) {
		return -EIO;
	}
	struct wire_envelope e = {.type = WIRE_DISPLAY,
		.counter = d->sent,
		.kind = kind,
		.body = body,
		.body_size = (size_t)body_size};
	memcpy(e.session, d->session, SESSION_ID_BYTES);
	ssize_t n = message_sign(&d->keys->sign, &e, message, sizeof(message));
	if (n < 0) {
		return -EIO;
	}
	d->sent++;
	d->send(d->sender, message, (size_t)n);
	return 0;
}

int display_report(struct display *d, struct tile *t, const struct wire_report *report)
{
	d->counts.anomalies[report->reason]++;
	if (d->callbacks.refused != NULL) {
		d->callbacks.refused(d->user, report->stream, (enum anomaly)report->reason);
	}
	/* The camera rotates on the first: more of the same, already under way, would end our
	 * connection. */
	if (t->reported && t->reported_epoch == t->current.epoch) {
		return 0;
	}
	t->reported = true;
	t->reported_epoch = t->current.epoch;
	uint8_t body[64];
	return display_send(
		d, DISPLAY_REPORT, body, wire_encode_report(report, body, sizeof(body)));
}

int display_ask_time(struct display *d, struct tile *t, uint64_t now_us)
{
	struct wire_time ask = {.stream = t->stream};
	/* The same question until it is answered: however far behind the hub is, and whichever of
	 * them it answers, there is only this one to remember. */
	if (t->asked == 0) {
		random_bytes(t->nonce, sizeof(t->nonce));
		t->asked = KEY_TIME;
		t->asked_us = now_us;
	}
	t->askings++;
	t->asked_again_us = now_us;
	memcpy(ask.nonce, t->nonce, sizeof(ask.nonce));
	uint8_t body[32];
	return display_send(d, DISPLAY_TIME, body, wire_encode_time(&ask, body, sizeof(body)));
}

int display_watch(struct display *d, const uint8_t camera[static CAMERA_ID_BYTES], uint64_t now_us)
{
	struct display_entry *e = display_find_camera(d, camera);
	if (d->phase != PHASE_OPEN) {
		return -ENOTCONN;
	}
	if (e == NULL || e->camera.state != CAMERA_READY) {
		return -ENOENT;
	}
	if (display_tile_of(d, camera) != NULL) {
		return -EALREADY;
	}
	struct tile *t = NULL;
	for (size_t i = 0; i < WIRE_STREAMS_MAX && t == NULL; i++) {
		t = d->tiles[i].stream == 0 ? &d->tiles[i] : NULL;
	}
	if (t == NULL || d->streams == UINT16_MAX) {
		return -ENOSPC;
	}
	struct wire_watch watch = {.stream = ++d->streams, .rendition = RENDITION_FULL};
	memcpy(watch.camera, camera, CAMERA_ID_BYTES);
	random_bytes(watch.nonce, sizeof(watch.nonce));
	*t = (struct tile){.stream = watch.stream,
		.rendition = watch.rendition,
		.frame_max_bytes = e->camera.frame_max_bytes,
		.frame_interval_us = e->camera.frame_interval_us,
		.asked = KEY_WATCH,
		.asked_us = now_us,
		.asked_again_us = now_us,
		.askings = 1,
		.totals.stream = watch.stream};
	memcpy(t->camera, camera, CAMERA_ID_BYTES);
	memcpy(t->generation, e->camera.generation, GENERATION_BYTES);
	memcpy(t->nonce, watch.nonce, sizeof(t->nonce));
	uint8_t body[64];
	int r = display_send(d, DISPLAY_WATCH, body, wire_encode_watch(&watch, body, sizeof(body)));
	if (r < 0) {
		tile_finish(t);
		return r;
	}
	return watch.stream;
}

int display_tell_unwatch(struct display *d, const struct tile *t)
{
	uint8_t body[64];
	return display_send(
		d, DISPLAY_UNWATCH, body, wire_encode_unwatch(&t->totals, body, sizeof(body)));
}

int display_unwatch(struct display *d, uint16_t stream)
{
	struct tile *t = display_find_tile(d, stream);
	if (t == NULL) {
		return -ENOENT;
	}
	int r = display_tell_unwatch(d, t);
	tile_finish(t);
	return r;
}

int display_share(struct display *d, const uint8_t camera[static CAMERA_ID_BYTES],
	const uint8_t with[static DISPLAY_ID_BYTES])
{
	struct wire_share m;
	uint8_t body[64];
	memcpy(m.camera, camera, sizeof(m.camera));
	memcpy(m.display, with, sizeof(m.display));
	return display_send(d, DISPLAY_SHARE, body, wire_encode_share(&m, body, sizeof(body)));
}

int display_decide(
	struct display *d, const uint8_t camera[static CAMERA_ID_BYTES], enum decision decision)
{
	struct wire_decide m = {.decision = (uint8_t)decision};
	uint8_t body[64];
	memcpy(m.camera, camera, sizeof(m.camera));
	return display_send(d, DISPLAY_DECIDE, body, wire_encode_decide(&m, body, sizeof(body)));
}

int display_preview(struct display *d, const uint8_t camera[static CAMERA_ID_BYTES], bool on)
{
	struct wire_preview m = {.on = on};
	uint8_t body[64];
	memcpy(m.camera, camera, sizeof(m.camera));
	return display_send(d, DISPLAY_PREVIEW, body, wire_encode_preview(&m, body, sizeof(body)));
}

void display_tick(struct display *d, uint64_t now_us)
{
	uint64_t gap_us = d->ticked_us == 0 ? 0 : now_us - d->ticked_us;
	d->ticked_us = now_us;
	bool watching = false;
	for (size_t i = 0; i < WIRE_STREAMS_MAX && d->phase == PHASE_OPEN; i++) {
		struct tile *t = &d->tiles[i];
		if (t->stream == 0) {
			continue;
		}
		watching = true;
		uint64_t since_us = now_us - t->asked_again_us;
		/* After a gap this machine may have slept, and its clock with it. */
		if (gap_us > TIMER_GAP_US) {
			t->clock_known = false;
			t->clock_wanted = true;
		}
		uint64_t patience_us = t->asked == 0 ? TIME_SPACING_US : TIME_PATIENCE_US;
		if (t->current.key != NULL && ((t->clock_wanted && since_us >= patience_us) ||
						      since_us >= TIME_EVERY_US)) {
			(void)display_ask_time(d, t, now_us);
		}
	}
	if (watching && now_us - d->pulsed_us >= PULSE_US) {
		d->pulsed_us = now_us;
		d->send(d->sender, (const uint8_t[]){WIRE_PULSE}, 1);
	}
}

int display_feed(struct display *d, const uint8_t *message, size_t size, uint64_t now_us)
{
	uint8_t type = size > 0 ? message[0] : 0;
	if (type == WIRE_CHALLENGE && d->phase == PHASE_CHALLENGE) {
		return display_take_challenge(d, message, size);
	}
	if (type == WIRE_HUB && d->phase != PHASE_CHALLENGE) {
		return display_take_hub(d, message, size, now_us);
	}
	if (type == WIRE_CHUNK && d->phase == PHASE_OPEN) {
		return display_take_chunk(d, message, size, now_us);
	}
	if (type == WIRE_ABORT && d->phase == PHASE_OPEN) {
		return display_take_abort(d, message, size);
	}
	return -EBADMSG;
}
