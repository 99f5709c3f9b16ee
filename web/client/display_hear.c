#include "display_state.h"
#include "fault.h"
#include "hpke.h"

#include <errno.h>
#include <string.h>

enum {
	ROUND_TRIP_MAX_US = 1000000,
	EPOCH_KEY_TIMED_BYTES = EPOCH_KEY_BYTES + REQUEST_NONCE_BYTES + 8,
};

/* ---- cameras ---- */

static struct display_entry *display_camera_slot(
	struct display *d, const uint8_t id[static CAMERA_ID_BYTES])
{
	struct display_entry *e = display_find_camera(d, id);
	for (size_t i = 0; i < DISPLAY_CAMERAS_MAX && e == NULL; i++) {
		e = d->cameras[i].used ? NULL : &d->cameras[i];
	}
	return e;
}

static void display_end_tile(struct display *d, struct tile *t, uint8_t reason)
{
	struct wire_ended ended = {.stream = t->stream, .reason = reason};
	memcpy(ended.camera, t->camera, CAMERA_ID_BYTES);
	tile_finish(t);
	if (d->callbacks.ended != NULL) {
		d->callbacks.ended(d->user, &ended);
	}
}

/* The hub ended by ENDED what it knew of. This one's WATCH is still on its way, and WATCH names no
 * generation: without a word from us it would be a viewing until the connection ends. */
static int display_let_go(struct display *d, struct tile *t, uint8_t reason)
{
	int r = display_tell_unwatch(d, t);
	display_end_tile(d, t, reason);
	return r;
}

static int on_camera(struct display *d, const struct wire_envelope *m)
{
	struct wire_camera c;
	if (wire_parse_camera(m->body, m->body_size, &c) < 0) {
		return -EBADMSG;
	}
	struct display_entry *e = display_camera_slot(d, c.id);
	if (e == NULL) {
		return -ENOMEM;
	}
	if (c.state == CAMERA_READY &&
		memcmp(e->marks.generation, c.generation, GENERATION_BYTES) != 0) {
		e->marks = (struct tile_marks){0};
		memcpy(e->marks.generation, c.generation, GENERATION_BYTES);
	}
	struct tile *t = display_tile_of(d, c.id);
	int r = 0;
	e->used = true;
	e->camera = c;
	if (t != NULL && (c.state != CAMERA_READY ||
				 memcmp(t->generation, c.generation, GENERATION_BYTES) != 0)) {
		r = display_let_go(d, t, c.state == CAMERA_READY ? END_REPLACED : END_OFFLINE);
	}
	if (d->callbacks.camera != NULL) {
		d->callbacks.camera(d->user, &e->camera);
	}
	return r;
}

static int on_camera_gone(struct display *d, const struct wire_envelope *m)
{
	struct wire_camera_gone gone;
	if (wire_parse_camera_gone(m->body, m->body_size, &gone) < 0) {
		return -EBADMSG;
	}
	struct display_entry *e = display_find_camera(d, gone.id);
	struct tile *t = display_tile_of(d, gone.id);
	int r = t != NULL ? display_let_go(d, t, gone.reason) : 0;
	if (e != NULL) {
		*e = (struct display_entry){0};
	}
	if (d->callbacks.camera_gone != NULL) {
		d->callbacks.camera_gone(d->user, &gone);
	}
	return r;
}

static int on_ended(struct display *d, const struct wire_envelope *m)
{
	struct wire_ended ended;
	if (wire_parse_ended(m->body, m->body_size, &ended) < 0) {
		return -EBADMSG;
	}
	struct tile *t = display_find_tile(d, ended.stream);
	if (t != NULL && memcmp(t->camera, ended.camera, CAMERA_ID_BYTES) == 0) {
		display_end_tile(d, t, ended.reason);
	}
	return 0;
}

/* ---- what an owner is asked ---- */

static int on_new_camera(struct display *d, const struct wire_envelope *m)
{
	struct wire_new_camera c;
	if (wire_parse_new_camera(m->body, m->body_size, &c) < 0) {
		return -EBADMSG;
	}
	if (d->callbacks.new_camera != NULL) {
		d->callbacks.new_camera(d->user, &c);
	}
	return 0;
}

static int on_new_camera_gone(struct display *d, const struct wire_envelope *m)
{
	struct wire_new_camera_gone gone;
	if (wire_parse_new_camera_gone(m->body, m->body_size, &gone) < 0) {
		return -EBADMSG;
	}
	if (d->callbacks.new_camera_gone != NULL) {
		d->callbacks.new_camera_gone(d->user, &gone);
	}
	return 0;
}

static int on_screen(struct display *d, const struct wire_envelope *m)
{
	struct wire_screen screen;
	if (wire_parse_screen(m->body, m->body_size, &screen) < 0) {
		return -EBADMSG;
	}
	if (d->callbacks.screen != NULL) {
		d->callbacks.screen(d->user, &screen);
	}
	return 0;
}

/* ---- keys ---- */

static int display_report_key(
	struct display *d, struct tile *t, const struct wire_key *k, enum anomaly reason)
{
	struct wire_report report = {
		.stream = t->stream, .reason = (uint8_t)reason, .epoch = k->epoch};
	memcpy(report.camera, k->camera, CAMERA_ID_BYTES);
	memcpy(report.generation, k->generation, GENERATION_BYTES);
	return display_report(d, t, &report);
}

static int display_open_key(const struct display *d, const struct wire_camera *camera,
	const struct wire_key *k, uint8_t plaintext[static EPOCH_KEY_TIMED_BYTES])
{
	const struct wire_wrap_context context = {.home = d->home,
		.camera = k->camera,
		.generation = k->generation,
		.display = d->keys->id,
		.session = d->session,
		.epoch = k->epoch,
		.purpose = k->purpose};
	uint8_t info[WIRE_WRAP_INFO_BYTES];
	wire_wrap_info(&context, info);
	return hpke_open_auth(&d->keys->kem, camera->kem_public, k->enc, info, sizeof(info), NULL,
		0, k->wrapped, k->wrapped_size, plaintext);
}

/* One more answer to a question that was asked more than once. */
static bool is_answered_again(struct tile *t, const uint8_t nonce[static REQUEST_NONCE_BYTES])
{
	if (t->answers_left == 0 || memcmp(t->answered, nonce, REQUEST_NONCE_BYTES) != 0) {
		return false;
	}
	t->answers_left--;
	return true;
}

static void tile_note_answer(struct tile *t)
{
	memcpy(t->answered, t->nonce, sizeof(t->answered));
	t->answers_left = t->askings - 1;
	t->askings = 0;
	t->asked = 0;
}

/* The camera's clock out of an answer; one that took too long is asked for again by display_tick.
 */
static int display_take_clock(struct display *d, struct tile *t, uint8_t purpose,
	const uint8_t plaintext[static EPOCH_KEY_TIMED_BYTES], uint64_t now_us)
{
	if (purpose == KEY_TIME && is_answered_again(t, plaintext + EPOCH_KEY_BYTES)) {
		return 0;
	}
	if (t->asked != purpose ||
		memcmp(plaintext + EPOCH_KEY_BYTES, t->nonce, REQUEST_NONCE_BYTES) != 0) {
		return -EBADMSG;
	}
	tile_note_answer(t);
	if (now_us - t->asked_us > ROUND_TRIP_MAX_US) {
		t->clock_wanted = true;
		return 0;
	}
	t->clock_wanted = false;
	struct wire_reader r =
		wire_reader_init(plaintext + EPOCH_KEY_BYTES + REQUEST_NONCE_BYTES, 8);
	t->clock_us = wire_read_u64(&r);
	t->clock_at_us = t->asked_us;
	t->clock_known = true;
	d->counts.clocks++;
	return 0;
}

static int on_key(struct display *d, const struct wire_envelope *m, uint64_t now_us)
{
	struct wire_key k;
	if (wire_parse_key(m->body, m->body_size, &k) < 0) {
		return -EBADMSG;
	}
	struct tile *t = display_find_tile(d, k.stream);
	if (t == NULL) {
		return 0; /* crossed our UNWATCH, or of a stream that just ended */
	}
	const struct display_entry *e = display_find_camera(d, t->camera);
	if (fault_lifts(PROTECTION_KEY)) {
		return tile_take_key(t, KEY_WATCH, k.epoch, k.enc, now_us);
	}
	if (memcmp(k.camera, t->camera, CAMERA_ID_BYTES) != 0 || e == NULL) {
		return display_report_key(d, t, &k, ANOMALY_FOREIGN_CAMERA);
	}
	if (memcmp(k.generation, t->generation, GENERATION_BYTES) != 0) {
		return display_report_key(d, t, &k, ANOMALY_UNKNOWN_EPOCH);
	}
	uint8_t plaintext[EPOCH_KEY_TIMED_BYTES];
	int r = display_open_key(d, &e->camera, &k, plaintext);
	if (r == -EBADMSG) {
		return display_report_key(d, t, &k, ANOMALY_KEY);
	}
	bool answer = k.purpose == KEY_WATCH || k.purpose == KEY_TIME;
	if (r == 0 && answer) {
		r = display_take_clock(d, t, k.purpose, plaintext, now_us);
	}
	if (r == 0) {
		r = tile_take_key(t, k.purpose, k.epoch, plaintext, now_us);
	}
	explicit_bzero(plaintext, sizeof(plaintext));
	if (r < 0) {
		return r == -EBADMSG ? display_report_key(d, t, &k, ANOMALY_KEY) : r;
	}
	d->counts.keys++;
	if (k.purpose != KEY_NEXT) {
		return 0;
	}
	const struct wire_key_ack ack = {.stream = t->stream, .epoch = k.epoch};
	uint8_t body[8];
	return display_send(
		d, DISPLAY_KEY_ACK, body, wire_encode_key_ack(&ack, body, sizeof(body)));
}

int display_take_hub(struct display *d, const uint8_t *message, size_t size, uint64_t now_us)
{
	struct wire_envelope e;
	if (message_open(d->hub_public, WIRE_HUB, d->session, d->heard, message, size, &e) < 0) {
		return -EBADMSG;
	}
	d->heard++;
	if ((e.kind == HUB_WELCOME) != (d->phase == PHASE_WELCOME)) {
		return -EBADMSG;
	}
	switch (e.kind) {
	case HUB_WELCOME:
		return display_take_welcome(d, &e);
	case HUB_CAMERA:
		return on_camera(d, &e);
	case HUB_CAMERA_GONE:
		return on_camera_gone(d, &e);
	case HUB_KEY:
		return on_key(d, &e, now_us);
	case HUB_ENDED:
		return on_ended(d, &e);
	case HUB_NEW_CAMERA:
		return on_new_camera(d, &e);
	case HUB_NEW_CAMERA_GONE:
		return on_new_camera_gone(d, &e);
	case HUB_SCREEN:
		return on_screen(d, &e);
	default:
		return -EBADMSG;
	}
}
