/* Displays: the product's own client over a made-up connection; some are slow, some lose and repeat
 * their answers, some do what no display should. */
#include "oracle.h"

#include "web/client/display.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { HELD_MAX = 4 };

static struct viewer {
	struct display_keys keys;
	struct display *display;
	struct line *line; /* NULL: not connected */
	uint64_t offset_us; /* of its clock */
	bool lossy; /* loses, repeats and delays answers */
	bool misbehaved; /* on this connection: nothing that follows is the hub's fault */
	uint8_t last[WIRE_DISPLAY_MESSAGE_MAX_BYTES]; /* what it signed last */
	size_t last_size;
	struct {
		uint8_t bytes[16];
		size_t size;
	} held[HELD_MAX];
	unsigned int held_count;
} viewers[DISPLAYS];

static uint64_t clock_of(const struct viewer *v)
{
	return world.now_us + v->offset_us;
}

static unsigned int index_of(const struct viewer *v)
{
	return (unsigned int)(v - viewers);
}

static void put(struct viewer *v, const uint8_t *bytes, size_t size)
{
	if (v->line && !v->line->left) {
		(void)channel_put(&v->line->up, bytes, size, NULL, 0);
	}
}

static void send_lossy(struct viewer *v, const uint8_t *bytes, size_t size)
{
	switch (chance_below(8)) {
	case 0:
		return;
	case 1:
		put(v, bytes, size);
		put(v, bytes, size);
		return;
	case 2:
		if (v->held_count < HELD_MAX && size <= sizeof(v->held[0].bytes)) {
			memcpy(v->held[v->held_count].bytes, bytes, size);
			v->held[v->held_count++].size = size;
			return;
		}
		break;
	default:
		break;
	}
	put(v, bytes, size);
}

static void on_send(void *sender, const uint8_t *message, size_t size)
{
	struct viewer *v = sender;

	if (message[0] == WIRE_ACK && v->lossy) {
		send_lossy(v, message, size);
		return;
	}
	if (message[0] == WIRE_DISPLAY && size <= sizeof(v->last)) {
		memcpy(v->last, message, size);
		v->last_size = size;
	}
	put(v, message, size);
}

static bool on_picture(void *user, const struct display_picture *picture)
{
	struct viewer *v = user;

	oracle_drawn(index_of(v), picture);
	return !chance_once_in(16);
}

static void on_refused(void *user, uint16_t stream, enum anomaly reason)
{
	const struct viewer *v = user;

	if (!v->misbehaved) {
		oracle_fail("I13",
			"display %u refused a frame or key of stream %u as mixed up (%d)",
			index_of(v), stream, reason);
	}
}

/* ---- who is who ---- */

const uint8_t *display_side_id(unsigned int i)
{
	return viewers[i].keys.id;
}

enum display_kind display_side_kind(unsigned int i)
{
	return (enum display_kind)(i % DISPLAY_KINDS);
}

int display_of_id(const uint8_t id[static DISPLAY_ID_BYTES])
{
	for (int i = 0; i < DISPLAYS; i++) {
		if (memcmp(viewers[i].keys.id, id, DISPLAY_ID_BYTES) == 0) {
			return i;
		}
	}
	return -1;
}

int display_of_kem(const uint8_t kem[static POINT_BYTES])
{
	for (int i = 0; i < DISPLAYS; i++) {
		if (memcmp(viewers[i].keys.kem.public, kem, POINT_BYTES) == 0) {
			return i;
		}
	}
	return -1;
}

void display_enroll(unsigned int i)
{
	struct store_display record = {.kind = display_side_kind(i)};

	memcpy(record.id, viewers[i].keys.id, sizeof(record.id));
	memcpy(record.sign_public, viewers[i].keys.sign.public, POINT_BYTES);
	memcpy(record.kem_public, viewers[i].keys.kem.public, POINT_BYTES);
	(void)snprintf(record.name, sizeof(record.name), "Display %u", i);
	trace("display %u is paired: %d", i,
		store_display_add(&world.keeper.store, &record, NULL, 0));
}

void displays_start(void)
{
	for (unsigned int i = 0; i < DISPLAYS; i++) {
		struct viewer *v = &viewers[i];
		struct display_config config = {.keys = &v->keys,
			.origin = "https://hub.local:8443",
			.send = on_send,
			.sender = v,
			.callbacks = {.picture = on_picture, .refused = on_refused},
			.user = v};

		*v = (struct viewer){.offset_us = chance_below(1U << 30)};
		(void)key_pair_generate(&v->keys.sign);
		(void)key_pair_generate(&v->keys.kem);
		display_id_of(v->keys.sign.public, v->keys.kem.public, v->keys.id);
		hub_fingerprint_of(world.keeper.hub.public, v->keys.hub);
		v->display = display_create(&config);
		v->lossy = chance_once_in(3);
		display_enroll(i);
	}
}

void displays_stop(void)
{
	for (unsigned int i = 0; i < DISPLAYS; i++) {
		display_leave(i);
		display_destroy(viewers[i].display);
		viewers[i].display = NULL;
	}
}

/* ---- connections ---- */

void display_connect_to(unsigned int i, unsigned int web)
{
	struct viewer *v = &viewers[i];

	if (v->line || !web_is_there(web)) {
		return;
	}
	v->line = line_open(web, i);
	if (!v->line) {
		return;
	}
	trace("display %u connects to web process %u", i, web);
	display_restart(v->display);
	v->misbehaved = false;
	v->held_count = 0;
	v->last_size = 0;
	web_accept(v->line);
}

void display_leave(unsigned int i)
{
	struct viewer *v = &viewers[i];

	if (v->line) {
		trace("display %u leaves", i);
		v->line->left = true;
		v->line = NULL;
	}
}

void display_read(unsigned int i)
{
	struct viewer *v = &viewers[i];
	struct parcel *p = v->line && !v->line->reset ? channel_take(&v->line->down) : NULL;
	int r;

	if (!p) {
		if (v->line && (v->line->reset || v->line->closed)) {
			display_leave(i);
		}
		return;
	}
	oracle_arrived(p->bytes, p->size);
	r = display_feed(v->display, p->bytes, p->size, clock_of(v));
	if (r == -EBADMSG && !v->misbehaved && world.refused_memory == 0) {
		oracle_fail("I13",
			"display %u is sent a message of type %u that breaks the protocol", i,
			p->bytes[0]);
	}
	parcel_free(p);
	if (r < 0) {
		display_leave(i);
	}
}

void display_pass_time(unsigned int i)
{
	struct viewer *v = &viewers[i];

	if (v->line) {
		display_tick(v->display, clock_of(v));
		if (v->held_count > 0) {
			v->held_count--;
			put(v, v->held[v->held_count].bytes, v->held[v->held_count].size);
		}
	}
}

/* ---- what people do ---- */

void display_wander(unsigned int i)
{
	struct viewer *v = &viewers[i];
	const uint8_t *camera = oracle_camera_of(chance_below(BODIES));
	int stream;

	if (!v->line || !camera || !display_welcomed(v->display)) {
		return;
	}
	if (chance_once_in(6)) {
		(void)display_unwatch(v->display, (uint16_t)(1 + chance_below(24)));
		return;
	}
	stream = display_watch(v->display, camera, clock_of(v));
	if (stream > 0) {
		trace("display %u watches camera %u on stream %d", i, oracle_body_of(camera),
			stream);
		oracle_asked(v->line, (uint16_t)stream, camera);
	}
}

static void watch_foreign(struct viewer *v)
{
	const uint8_t *camera = oracle_camera_of(chance_below(BODIES));
	struct wire_watch m = {.stream = (uint16_t)(1000 + chance_below(60000))};
	uint8_t body[64];

	if (!camera) {
		return;
	}
	memcpy(m.camera, camera, sizeof(m.camera));
	oracle_asked(v->line, m.stream, camera);
	(void)display_send(
		v->display, DISPLAY_WATCH, body, wire_encode_watch(&m, body, sizeof(body)));
}

static void report_falsely(struct viewer *v)
{
	struct wire_report m = {.stream = (uint16_t)(1 + chance_below(4)),
		.reason = (uint8_t)(1 + chance_below(ANOMALY_PICTURE))};
	uint8_t body[64];

	(void)display_send(
		v->display, DISPLAY_REPORT, body, wire_encode_report(&m, body, sizeof(body)));
}

static void answer_wrongly(struct viewer *v)
{
	const struct wire_ack a = {.outcome = OUTCOME_DRAWN,
		.stream = (uint16_t)(1 + chance_below(4)),
		.frame = chance_below(2000)};
	uint8_t bytes[16];
	ssize_t n = wire_encode_ack(&a, bytes, sizeof(bytes));

	put(v, bytes, (size_t)n);
}

void display_misbehave(unsigned int i)
{
	struct viewer *v = &viewers[i];
	uint8_t noise[64];

	if (!v->line || !display_welcomed(v->display)) {
		return;
	}
	v->misbehaved = true;
	trace("display %u misbehaves", i);
	switch (chance_below(6)) {
	case 0:
		chance_bytes(noise, sizeof(noise));
		put(v, noise, 1 + chance_below(sizeof(noise) - 1));
		break;
	case 1:
		put(v, v->last, v->last_size);
		break;
	case 2:
		report_falsely(v);
		break;
	case 3:
		answer_wrongly(v);
		break;
	default:
		watch_foreign(v);
		break;
	}
}
