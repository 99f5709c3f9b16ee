/*
 * A hub for one display, in the same process: keeper, camera and web role in 200 lines, made from
 * gateway functions. It does what it is told, wrong things included.
 */
#ifndef CAMGATE_TESTS_FAKE_HUB_H
#define CAMGATE_TESTS_FAKE_HUB_H

#include "hpke.h"
#include "sframe.h"
#include "web/client/display.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define FAKE_ORIGIN "https://hub.local:8443"

enum { FAKE_SENT_MAX = 256, FAKE_FRAME_MAX = 100000, FAKE_WIDTH = 64, FAKE_HEIGHT = 48 };

struct fake_hub {
	struct key_pair identity, camera_kem;
	struct display_keys keys;
	struct display *display;
	struct wire_link link;
	uint64_t now_us; /* of the display; the camera's clock is fake_camera_us */
	uint8_t challenge[WIRE_CHALLENGE_BYTES];
	uint8_t session[SESSION_ID_BYTES], transcript[DIGEST_BYTES], home[HOME_ID_BYTES];
	uint32_t counter; /* of the next HUB message */
	uint32_t heard; /* of the next DISPLAY message */
	uint8_t camera[CAMERA_ID_BYTES], generation[GENERATION_BYTES];
	struct epochs *epochs;
	uint16_t stream;
	uint32_t frame; /* of the last frame sent on the stream */
	struct {
		uint8_t bytes[WIRE_DISPLAY_MESSAGE_MAX_BYTES];
		size_t size;
	} sent[FAKE_SENT_MAX]; /* by the display */
	size_t sent_count;
	size_t pictures;
	struct display_picture picture; /* the last one; jpeg is not kept */
	char picture_name[NAME_MAX_BYTES + 1];
	size_t welcomes, cameras, ends;
	uint8_t end_reason;
	uint8_t sealed[FAKE_FRAME_MAX + WIRE_FRAME_HEADER_BYTES + SFRAME_OVERHEAD_BYTES];
	size_t sealed_size;
};

static inline uint64_t fake_camera_us(const struct fake_hub *h)
{
	return h->now_us + 5000000000; /* another machine, another boot */
}

static inline void fake_on_send(void *sender, const uint8_t *message, size_t size)
{
	struct fake_hub *h = sender;
	assert_true(h->sent_count < FAKE_SENT_MAX && size <= sizeof(h->sent[0].bytes));
	memcpy(h->sent[h->sent_count].bytes, message, size);
	h->sent[h->sent_count++].size = size;
}

static inline void fake_on_welcome(void *user, const struct wire_welcome *w)
{
	struct fake_hub *h = user;
	(void)w;
	h->welcomes++;
}

static inline void fake_on_camera(void *user, const struct wire_camera *c)
{
	struct fake_hub *h = user;
	(void)c;
	h->cameras++;
}

static inline void fake_on_ended(void *user, const struct wire_ended *e)
{
	struct fake_hub *h = user;
	h->ends++;
	h->end_reason = e->reason;
}

static inline bool fake_on_picture(void *user, const struct display_picture *p)
{
	struct fake_hub *h = user;
	h->pictures++;
	h->picture = *p;
	memcpy(h->picture_name, p->camera->name, sizeof(h->picture_name));
	return true;
}

static inline void fake_hub_init(struct fake_hub *h, bool paired)
{
	memset(h, 0, sizeof(*h));
	h->now_us = 1000000000;
	assert_int_equal(key_pair_generate(&h->identity), 0);
	assert_int_equal(key_pair_generate(&h->camera_kem), 0);
	assert_int_equal(display_keys_generate(&h->keys), 0);
	random_bytes(h->home, sizeof(h->home));
	random_bytes(h->camera, sizeof(h->camera));
	random_bytes(h->generation, sizeof(h->generation));
	h->epochs = epochs_create(h->home, h->generation, 600000000, h->now_us);
	assert_non_null(h->epochs);
	random_bytes(h->link.id, sizeof(h->link.id));
	random_bytes(h->link.secret, sizeof(h->link.secret));
	hub_fingerprint_of(h->identity.public, h->link.fingerprint);
	if (paired) {
		memcpy(h->keys.hub, h->link.fingerprint, FINGERPRINT_BYTES);
	}
	const struct display_config config = {.keys = &h->keys,
		.origin = FAKE_ORIGIN,
		.link = paired ? NULL : &h->link,
		.name = "Kitchen",
		.send = fake_on_send,
		.sender = h,
		.callbacks = {.welcome = fake_on_welcome,
			.camera = fake_on_camera,
			.ended = fake_on_ended,
			.picture = fake_on_picture},
		.user = h};
	h->display = display_create(&config);
	assert_non_null(h->display);
}

static inline void fake_hub_finish(struct fake_hub *h)
{
	display_destroy(h->display);
	display_keys_finish(&h->keys);
	epochs_destroy(h->epochs);
	key_pair_finish(&h->camera_kem);
	key_pair_finish(&h->identity);
}

static inline int fake_feed(struct fake_hub *h, const uint8_t *message, size_t size)
{
	return display_feed(h->display, message, size, h->now_us);
}

/* ---- keeper ---- */

static inline int fake_send_challenge(struct fake_hub *h)
{
	struct wire_challenge c = {.version_min = 1, .version_max = 1};
	random_bytes(h->session, sizeof(h->session));
	random_bytes(c.nonce, sizeof(c.nonce));
	memcpy(c.session, h->session, sizeof(c.session));
	memcpy(c.hub_public, h->identity.public, POINT_BYTES);
	assert_int_equal(wire_encode_challenge(&c, h->challenge, sizeof(h->challenge)),
		WIRE_CHALLENGE_BYTES);
	h->counter = 0;
	h->heard = 0;
	return fake_feed(h, h->challenge, sizeof(h->challenge));
}

static inline size_t fake_sign(
	struct fake_hub *h, uint8_t kind, const uint8_t *body, ssize_t body_size, uint8_t *out)
{
	assert_true(body_size >= 0);
	struct wire_envelope e = {.type = WIRE_HUB,
		.counter = h->counter,
		.kind = kind,
		.body = body,
		.body_size = (size_t)body_size};
	memcpy(e.session, h->session, SESSION_ID_BYTES);
	ssize_t n = message_sign(&h->identity, &e, out, WIRE_HUB_MESSAGE_MAX_BYTES);
	assert_true(n > 0);
	h->counter++;
	return (size_t)n;
}

static inline int fake_tell(struct fake_hub *h, uint8_t kind, const uint8_t *body, ssize_t size)
{
	uint8_t message[WIRE_HUB_MESSAGE_MAX_BYTES];
	return fake_feed(h, message, fake_sign(h, kind, body, size, message));
}

static inline int fake_send_welcome(struct fake_hub *h, uint16_t cameras)
{
	struct wire_welcome w = {.name = "Kitchen", .cameras = cameras};
	memcpy(w.transcript, h->transcript, DIGEST_BYTES);
	memcpy(w.home, h->home, HOME_ID_BYTES);
	memcpy(w.display, h->keys.id, DISPLAY_ID_BYTES);
	uint8_t body[256];
	return fake_tell(h, HUB_WELCOME, body, wire_encode_welcome(&w, body, sizeof(body)));
}

static inline struct wire_camera fake_camera(const struct fake_hub *h)
{
	struct wire_camera c = {.state = CAMERA_READY,
		.strength = IDENTITY_SERIAL,
		.frame_interval_us = 66667,
		.frame_max_bytes = FAKE_FRAME_MAX,
		.name = "Door"};
	memcpy(c.id, h->camera, CAMERA_ID_BYTES);
	memcpy(c.generation, h->generation, GENERATION_BYTES);
	memcpy(c.kem_public, h->camera_kem.public, POINT_BYTES);
	return c;
}

static inline int fake_send_camera(struct fake_hub *h, const struct wire_camera *c)
{
	uint8_t body[256];
	return fake_tell(h, HUB_CAMERA, body, wire_encode_camera(c, body, sizeof(body)));
}

/* What a KEY is made of; fake_key fills in the truth, tests change it. */
struct fake_wrap {
	struct wire_key key;
	struct wire_wrap_context context;
	const uint8_t *recipient;
	uint8_t nonce[REQUEST_NONCE_BYTES];
	uint64_t clock_us;
};

static inline const uint8_t *fake_last_sent(const struct fake_hub *h)
{
	assert_true(h->sent_count > 0);
	return h->sent[h->sent_count - 1].bytes;
}

static inline struct fake_wrap fake_key(struct fake_hub *h, uint8_t purpose, uint32_t epoch)
{
	struct fake_wrap w = {.recipient = h->keys.kem.public, .clock_us = fake_camera_us(h)};
	w.key = (struct wire_key){.stream = h->stream, .epoch = epoch, .purpose = purpose};
	memcpy(w.key.camera, h->camera, CAMERA_ID_BYTES);
	memcpy(w.key.generation, h->generation, GENERATION_BYTES);
	w.context = (struct wire_wrap_context){.home = h->home,
		.camera = h->camera,
		.generation = h->generation,
		.display = h->keys.id,
		.session = h->session,
		.epoch = epoch,
		.purpose = purpose};
	return w;
}

static inline int fake_send_key(struct fake_hub *h, struct fake_wrap *w)
{
	bool timed = w->key.purpose == KEY_WATCH || w->key.purpose == KEY_TIME;
	uint8_t plain[EPOCH_KEY_BYTES + REQUEST_NONCE_BYTES + 8];
	struct wire_writer p = wire_writer_init(plain, sizeof(plain));
	wire_write_bytes(&p, epochs_key(h->epochs, w->key.epoch), EPOCH_KEY_BYTES);
	if (timed) {
		wire_write_bytes(&p, w->nonce, sizeof(w->nonce));
		wire_write_u64(&p, w->clock_us);
	}
	uint8_t info[WIRE_WRAP_INFO_BYTES];
	wire_wrap_info(&w->context, info);
	assert_int_equal(hpke_seal_auth(&h->camera_kem, w->recipient, info, sizeof(info), NULL, 0,
				 plain, p.used, w->key.enc, w->key.wrapped),
		0);
	w->key.wrapped_size = p.used + HPKE_TAG_BYTES;
	uint8_t body[256];
	return fake_tell(h, HUB_KEY, body, wire_encode_key(&w->key, body, sizeof(body)));
}

/* The nonce of the WATCH or TIME that the display sent last; checks signature and counter. */
static inline struct wire_envelope fake_hear(struct fake_hub *h, size_t number)
{
	struct wire_envelope e;
	assert_int_equal(message_open(h->keys.sign.public, WIRE_DISPLAY, h->session, h->heard,
				 h->sent[number].bytes, h->sent[number].size, &e),
		0);
	h->heard++;
	return e;
}

static inline void fake_take_nonce(struct fake_hub *h, struct fake_wrap *w)
{
	struct wire_envelope e = fake_hear(h, h->sent_count - 1);
	struct wire_watch watch;
	struct wire_time ask;
	if (e.kind == DISPLAY_WATCH) {
		assert_int_equal(wire_parse_watch(e.body, e.body_size, &watch), 0);
		memcpy(w->nonce, watch.nonce, sizeof(w->nonce));
	} else {
		assert_int_equal(e.kind, DISPLAY_TIME);
		assert_int_equal(wire_parse_time(e.body, e.body_size, &ask), 0);
		memcpy(w->nonce, ask.nonce, sizeof(w->nonce));
	}
}

/* Challenge, login, welcome, one camera. */
static inline void fake_open(struct fake_hub *h)
{
	assert_int_equal(fake_send_challenge(h), 0);
	struct wire_login login;
	assert_int_equal(
		wire_parse_login(fake_last_sent(h), h->sent[h->sent_count - 1].size, &login), 0);
	transcript_of(1, h->challenge, FAKE_ORIGIN, h->keys.id, login.nonce, h->transcript);
	assert_int_equal(fake_send_welcome(h, 1), 0);
	struct wire_camera c = fake_camera(h);
	assert_int_equal(fake_send_camera(h, &c), 0);
}

/* Watches the camera and answers with the key of the current epoch. */
static inline void fake_watch(struct fake_hub *h)
{
	int stream = display_watch(h->display, h->camera, h->now_us);
	assert_true(stream > 0);
	h->stream = (uint16_t)stream;
	h->frame = 0;
	struct fake_wrap w = fake_key(h, KEY_WATCH, epochs_current(h->epochs));
	fake_take_nonce(h, &w);
	assert_int_equal(fake_send_key(h, &w), 0);
}

/* ---- camera and web role ---- */

/* The smallest thing with the bounds of a JPEG, made longer between header and end. */
static inline size_t fake_jpeg(uint8_t *out, size_t size, uint16_t width, uint16_t height)
{
	const uint8_t start[] = {0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, (uint8_t)(height >> 8),
		(uint8_t)height, (uint8_t)(width >> 8), (uint8_t)width, 1, 1, 0x11, 0};
	assert_true(size >= sizeof(start) + 2);
	memset(out, 0x5a, size);
	memcpy(out, start, sizeof(start));
	out[size - 2] = 0xff;
	out[size - 1] = 0xd9;
	return size;
}

static inline void fake_seal_picture(
	struct fake_hub *h, struct wire_frame_header *header, const uint8_t *jpeg, size_t size)
{
	ssize_t n =
		epoch_seal(h->epochs, header, jpeg, size, h->now_us, h->sealed, sizeof(h->sealed));
	assert_true(n > 0);
	h->sealed_size = (size_t)n;
}

static inline struct wire_frame_header fake_header(const struct fake_hub *h)
{
	struct wire_frame_header header = {
		.width = FAKE_WIDTH, .height = FAKE_HEIGHT, .capture_us = fake_camera_us(h)};
	memcpy(header.camera, h->camera, CAMERA_ID_BYTES);
	return header;
}

static inline void fake_seal(struct fake_hub *h, size_t jpeg_size)
{
	static uint8_t jpeg[FAKE_FRAME_MAX];
	struct wire_frame_header header = fake_header(h);
	fake_seal_picture(h, &header, jpeg, fake_jpeg(jpeg, jpeg_size, FAKE_WIDTH, FAKE_HEIGHT));
}

static inline int fake_send_piece(
	struct fake_hub *h, uint32_t frame, uint32_t offset, size_t size, size_t total)
{
	uint8_t message[WIRE_CHUNK_HEADER_BYTES + WIRE_CHUNK_PIECE_MAX_BYTES];
	const struct wire_chunk chunk = {
		.stream = h->stream, .frame = frame, .offset = offset, .total = (uint32_t)total};
	wire_encode_chunk_header(&chunk, message);
	memcpy(message + WIRE_CHUNK_HEADER_BYTES, h->sealed + offset, size);
	return fake_feed(h, message, WIRE_CHUNK_HEADER_BYTES + size);
}

/* Sends what is in h->sealed as the next frame. */
static inline int fake_send_sealed(struct fake_hub *h)
{
	int r = 0;
	h->frame++;
	for (size_t at = 0; at < h->sealed_size && r == 0; at += WIRE_CHUNK_PIECE_MAX_BYTES) {
		size_t left = h->sealed_size - at;
		r = fake_send_piece(h, h->frame, (uint32_t)at,
			left < WIRE_CHUNK_PIECE_MAX_BYTES ? left : WIRE_CHUNK_PIECE_MAX_BYTES,
			h->sealed_size);
	}
	return r;
}

static inline int fake_send_frame(struct fake_hub *h, size_t jpeg_size)
{
	fake_seal(h, jpeg_size);
	return fake_send_sealed(h);
}

/* The newest ACK of the display. */
static inline struct wire_ack fake_last_ack(const struct fake_hub *h)
{
	struct wire_ack ack;
	for (size_t i = h->sent_count; i > 0; i--) {
		if (h->sent[i - 1].bytes[0] == WIRE_ACK) {
			assert_int_equal(
				wire_parse_ack(h->sent[i - 1].bytes, h->sent[i - 1].size, &ack), 0);
			return ack;
		}
	}
	fail_msg("no ACK was sent");
	return (struct wire_ack){0};
}

#endif
