/*
 * A registry with a store, and the roles around it played by the test: what the registry sends is
 * kept in order, until a test takes it out. Time stands still unless the test moves it.
 */
#ifndef CAMGATE_TESTS_KEEPER_FIXTURE_H
#define CAMGATE_TESTS_KEEPER_FIXTURE_H

#include "audit.h"
#include "registry.h"
#include "store_fixture.h"

enum { SENT_MAX = 1024, SENT_BYTES = 20000, ENDED_MAX = 16 };

struct sent {
	uint64_t peer;
	size_t size;
	int64_t viewings; /* on record when it was sent */
	bool taken;
	uint8_t bytes[SENT_BYTES];
};

struct fixture {
	struct store_fixture files;
	struct pairing pairing;
	struct key_pair hub;
	struct registry *registry;
	uint64_t now_us;
	struct sent sent[SENT_MAX];
	unsigned int sent_count;
	struct {
		uint64_t peer;
		bool kill;
	} dropped[ENDED_MAX];
	unsigned int dropped_count;
	uint64_t revoked, revoked_us; /* the last operation that was confirmed, and its time */
};

struct display {
	struct key_pair sign, kem;
	uint8_t id[DISPLAY_ID_BYTES];
	uint64_t web, connection;
	uint8_t challenge[WIRE_CHALLENGE_BYTES];
	uint8_t session[SESSION_ID_BYTES];
	uint32_t sent, heard;
};

static struct fixture fixture;

static inline uint64_t fake_now(void *data)
{
	(void)data;
	return fixture.now_us;
}

static inline void fake_random(void *data, uint8_t *out, size_t size)
{
	(void)data;
	random_bytes(out, size);
}

static inline void fake_send(void *data, uint64_t peer, const uint8_t *bytes, size_t size,
	const int *descriptors, size_t count)
{
	struct sent *s = &fixture.sent[fixture.sent_count];

	(void)data;
	(void)descriptors;
	(void)count;
	assert_true(fixture.sent_count++ < SENT_MAX && size <= SENT_BYTES);
	s->peer = peer;
	s->size = size;
	s->taken = false;
	s->viewings = audit_count(&fixture.files.store);
	memcpy(s->bytes, bytes, size);
}

static inline void fake_drop(void *data, uint64_t peer, bool kill_it)
{
	(void)data;
	assert_true(fixture.dropped_count < ENDED_MAX);
	fixture.dropped[fixture.dropped_count].peer = peer;
	fixture.dropped[fixture.dropped_count++].kill = kill_it;
}

static inline void fake_revoked(void *data, uint64_t operation, uint64_t cut_us)
{
	(void)data;
	fixture.revoked = operation;
	fixture.revoked_us = cut_us;
}

static inline int fixture_set_up(void **state)
{
	static const struct registry_output output = {
		NULL, fake_now, fake_random, fake_send, fake_drop, fake_revoked};

	(void)state;
	memset(&fixture, 0, sizeof(fixture));
	fixture.now_us = 1000000;
	store_fixture_init(&fixture.files);
	pairing_init(&fixture.pairing);
	assert_int_equal(key_pair_generate(&fixture.hub), 0);
	fixture.registry =
		registry_create(&output, &fixture.files.store, &fixture.pairing, &fixture.hub);
	assert_non_null(fixture.registry);
	return 0;
}

static inline int fixture_tear_down(void **state)
{
	(void)state;
	registry_destroy(fixture.registry);
	key_pair_finish(&fixture.hub);
	store_fixture_finish(&fixture.files);
	return 0;
}

static inline void fixture_pass_ms(uint64_t ms)
{
	fixture.now_us += ms * 1000;
	registry_tick(fixture.registry);
}

/* ---- what was sent ---- */

/* The oldest message of this type to this peer that was not taken yet, or NULL. */
static inline struct sent *sent_find(uint64_t peer, uint8_t type)
{
	for (unsigned int i = 0; i < fixture.sent_count; i++) {
		struct sent *s = &fixture.sent[i];

		if (!s->taken && s->peer == peer && s->bytes[0] == type) {
			return s;
		}
	}
	return NULL;
}

static inline struct sent *sent_take(uint64_t peer, uint8_t type, struct ipc_message *ret)
{
	struct sent *s = sent_find(peer, type);

	if (s == NULL) {
		fail_msg("no message of type %u to peer %u", type, (unsigned int)peer);
		abort();
	}
	s->taken = true;
	*ret = (struct ipc_message){.type = type,
		.fields = s->bytes + 1,
		.fields_size = s->size - 1,
		.descriptors = {-1, -1}};
	return s;
}

static inline void sent_forget(void)
{
	for (unsigned int i = 0; i < fixture.sent_count; i++) {
		fixture.sent[i].taken = true;
	}
}

static inline void assert_nothing_sent(uint64_t peer, uint8_t type)
{
	if (sent_find(peer, type) != NULL) {
		fail_msg("an unexpected message of type %u to peer %u", type, (unsigned int)peer);
	}
}

static inline bool was_dropped(uint64_t peer, bool kill_it)
{
	for (unsigned int i = 0; i < fixture.dropped_count; i++) {
		if (fixture.dropped[i].peer == peer && fixture.dropped[i].kill == kill_it) {
			return true;
		}
	}
	return false;
}

/* ---- web ---- */

static inline void web_join(uint64_t peer)
{
	static const uint8_t pem[] = "pem";
	const struct ipc_web_hello hello = {.port = 8443, .listening = "[::]:8443"};
	struct ipc_web_config config;

	memset(&config, 0, sizeof(config));
	config.certificate_pem = config.key_pem = config.ca_der = pem;
	config.certificate_pem_size = config.key_pem_size = config.ca_der_size = sizeof(pem);
	registry_web_hello(fixture.registry, peer, &hello, &config);
}

static inline void web_confirm_cut(uint64_t peer)
{
	struct ipc_message m;
	struct ipc_cut cut;

	sent_take(peer, IPC_CUT, &m);
	assert_int_equal(ipc_parse_cut(&m, &cut), 0);
	registry_web_cut_done(fixture.registry, peer, cut.connection);
}

static inline void web_confirm_take(uint64_t peer)
{
	struct ipc_message m;
	struct ipc_stream taken;

	sent_take(peer, IPC_TAKE, &m);
	assert_int_equal(ipc_parse_stream(&m, &taken), 0);
	registry_web_taken(fixture.registry, peer, &taken);
}

/* ---- camera ---- */

/* Sends HELLO; generation and key are made of the peer's number. vid_pid may be empty. */
static inline void camera_hello_of(uint64_t peer, enum identity_strength strength,
	const char *vid_pid, const char *key, const char *name)
{
	struct ipc_camera_hello hello = {.kind = IPC_CAMERA_DEVICE,
		.width = 1280,
		.height = 720,
		.frame_interval_us = 33333,
		.frame_max_bytes = 500000,
		.source = "/dev/video0",
		.model = "C270",
		.mode = "MJPG"};
	struct identity identity = {.strength = (uint8_t)strength};

	memset(hello.generation, (int)peer, sizeof(hello.generation));
	memset(hello.kem_public, (int)peer, sizeof(hello.kem_public));
	snprintf(identity.key, sizeof(identity.key), "%s", key);
	snprintf(identity.name, sizeof(identity.name), "%s", name);
	snprintf(identity.vid_pid, sizeof(identity.vid_pid), "%s", vid_pid);
	registry_camera_hello(fixture.registry, peer, &hello, &identity);
}

static inline void camera_hello(
	uint64_t peer, enum identity_strength strength, const char *key, const char *name)
{
	camera_hello_of(peer, strength, "", key, name);
}

/* Answers every ADD_READER that is waiting. */
static inline void camera_hand_rings(uint64_t peer)
{
	static const int descriptors[2] = {0, 0};
	struct ipc_message m;
	struct ipc_reader reader;

	while (sent_find(peer, IPC_ADD_READER) != NULL) {
		sent_take(peer, IPC_ADD_READER, &m);
		assert_int_equal(ipc_parse_reader(&m, &reader), 0);
		registry_camera_reader(fixture.registry, peer, &reader, descriptors);
	}
}

/* A camera with its rings handed over. */
static inline void camera_join(
	uint64_t peer, const char *key, const char *name, uint8_t id[static CAMERA_ID_BYTES])
{
	struct ipc_message m;
	struct ipc_adopted adopted;

	camera_hello(peer, IDENTITY_SERIAL, key, name);
	sent_take(peer, IPC_ADOPTED, &m);
	assert_int_equal(ipc_parse_adopted(&m, &adopted), 0);
	memcpy(id, adopted.camera, CAMERA_ID_BYTES);
	camera_hand_rings(peer);
}

static inline void camera_take_wrap(uint64_t peer, struct ipc_wrap *ret)
{
	struct ipc_message m;

	sent_take(peer, IPC_WRAP, &m);
	assert_int_equal(ipc_parse_wrap(&m, ret), 0);
}

static inline void camera_answer_wrap(uint64_t peer, const struct ipc_wrap *wrap, uint32_t epoch)
{
	bool clock = wrap->purpose == KEY_WATCH || wrap->purpose == KEY_TIME;
	struct ipc_wrapped m = {
		.request = wrap->request, .epoch = epoch, .wrapped_size = clock ? 56 : 32};

	registry_camera_wrapped(fixture.registry, peer, &m);
}

/* Takes the oldest wrap request and answers it. Returns its purpose. */
static inline uint8_t camera_wrap(uint64_t peer, uint32_t epoch)
{
	struct ipc_wrap wrap;

	camera_take_wrap(peer, &wrap);
	camera_answer_wrap(peer, &wrap, epoch);
	return wrap.purpose;
}

/* Takes ROTATE or SWITCH and answers that this epoch is in force. */
static inline void camera_rotate(uint64_t peer, uint8_t type, uint32_t epoch)
{
	struct ipc_message m;
	struct ipc_request request;
	struct ipc_rotated rotated = {.epoch = epoch};

	sent_take(peer, type, &m);
	assert_int_equal(ipc_parse_request(&m, &request), 0);
	rotated.request = request.request;
	registry_camera_rotated(fixture.registry, peer, &rotated);
}

/* ---- display ---- */

static inline void display_init(struct display *d)
{
	memset(d, 0, sizeof(*d));
	assert_int_equal(key_pair_generate(&d->sign), 0);
	assert_int_equal(key_pair_generate(&d->kem), 0);
	display_id_of(d->sign.public, d->kem.public, d->id);
}

static inline void display_finish(struct display *d)
{
	key_pair_finish(&d->sign);
	key_pair_finish(&d->kem);
}

static inline void display_heard(struct display *d, const uint8_t *bytes, size_t size)
{
	const struct ipc_relay m = {.connection = d->connection, .bytes = bytes, .size = size};

	registry_web_heard(fixture.registry, d->web, &m);
}

static inline void display_connect(struct display *d, uint64_t web, uint64_t connection)
{
	struct ipc_opened opened = {.connection = connection,
		.peer = "192.0.2.7:51234",
		.origin = "https://hub.local:8443"};
	struct sent *told;
	struct ipc_message m = {.type = IPC_TELL};
	struct ipc_relay relay;
	struct wire_challenge challenge;

	d->web = web;
	d->connection = connection;
	d->sent = d->heard = 0;
	registry_web_opened(fixture.registry, web, &opened);
	/* It answers at once, and with this alone. */
	told = &fixture.sent[fixture.sent_count - 1];
	assert_int_equal(told->bytes[0], IPC_TELL);
	told->taken = true;
	m.fields = told->bytes + 1;
	m.fields_size = told->size - 1;
	assert_int_equal(ipc_parse_relay(&m, &relay), 0);
	assert_int_equal(relay.connection, connection);
	assert_int_equal(relay.size, WIRE_CHALLENGE_BYTES);
	memcpy(d->challenge, relay.bytes, relay.size);
	assert_int_equal(wire_parse_challenge(relay.bytes, relay.size, &challenge), 0);
	memcpy(d->session, challenge.session, sizeof(d->session));
}

static inline size_t display_make_login(struct display *d, uint8_t *out, size_t size)
{
	struct wire_login login = {.version = WIRE_VERSION};
	uint8_t transcript[DIGEST_BYTES];
	ssize_t used;

	memcpy(login.display, d->id, sizeof(login.display));
	random_bytes(login.nonce, sizeof(login.nonce));
	transcript_of(WIRE_VERSION, d->challenge, "https://hub.local:8443", d->id, login.nonce,
		transcript);
	assert_int_equal(key_sign(&d->sign, "camgate login v1", transcript, sizeof(transcript),
				 login.signature),
		0);
	used = wire_encode_login(&login, out, size);
	assert_true(used > 0);
	return (size_t)used;
}

/* Puts the display on record and logs it in. What it is told first is left to be taken. */
static inline void display_enter_as(
	struct display *d, uint64_t web, uint64_t connection, const char *name, bool owner)
{
	struct store_display record = {.owner = owner};
	uint8_t bytes[WIRE_DISPLAY_MESSAGE_MAX_BYTES];
	size_t size;

	memcpy(record.id, d->id, sizeof(record.id));
	memcpy(record.sign_public, d->sign.public, sizeof(record.sign_public));
	memcpy(record.kem_public, d->kem.public, sizeof(record.kem_public));
	snprintf(record.name, sizeof(record.name), "%s", name);
	(void)store_display_add(&fixture.files.store, &record, NULL, 0);
	display_connect(d, web, connection);
	size = display_make_login(d, bytes, sizeof(bytes));
	display_heard(d, bytes, size);
}

static inline void display_enter(
	struct display *d, uint64_t web, uint64_t connection, const char *name)
{
	display_enter_as(d, web, connection, name, false);
}

static inline void display_say(
	struct display *d, uint8_t kind, const uint8_t *body, ssize_t body_size)
{
	uint8_t bytes[WIRE_DISPLAY_MESSAGE_MAX_BYTES];
	struct wire_envelope e = {
		.type = WIRE_DISPLAY, .counter = d->sent++, .kind = kind, .body = body};
	ssize_t size;

	assert_true(body_size >= 0);
	e.body_size = (size_t)body_size;
	memcpy(e.session, d->session, sizeof(e.session));
	size = message_sign(&d->sign, &e, bytes, sizeof(bytes));
	assert_true(size > 0);
	display_heard(d, bytes, (size_t)size);
}

static inline void display_watch(
	struct display *d, uint16_t stream, const uint8_t camera[static CAMERA_ID_BYTES])
{
	struct wire_watch m = {.stream = stream};
	uint8_t body[64];

	memcpy(m.camera, camera, sizeof(m.camera));
	memset(m.nonce, (int)stream, sizeof(m.nonce));
	display_say(d, DISPLAY_WATCH, body, wire_encode_watch(&m, body, sizeof(body)));
}

static inline void display_report(struct display *d, uint16_t stream, uint8_t reason)
{
	struct wire_report m = {.stream = stream, .reason = reason};
	uint8_t body[128];

	display_say(d, DISPLAY_REPORT, body, wire_encode_report(&m, body, sizeof(body)));
}

/* The next signed message to this display; checks signature, session and counter. The kind, or 0
 * when there is none. body is the fixture's. */
static inline uint8_t display_next(struct display *d, const uint8_t **ret_body, size_t *ret_size)
{
	for (unsigned int i = 0; i < fixture.sent_count; i++) {
		struct sent *s = &fixture.sent[i];
		struct ipc_message m = {
			.type = s->bytes[0], .fields = s->bytes + 1, .fields_size = s->size - 1};
		struct ipc_relay relay = {0};
		struct ipc_tell_key key = {0};
		struct wire_envelope e;

		if (s->taken || s->peer != d->web ||
			(m.type != IPC_TELL && m.type != IPC_TELL_KEY)) {
			continue;
		}
		if (m.type == IPC_TELL_KEY) {
			assert_int_equal(ipc_parse_tell_key(&m, &key), 0);
			relay = (struct ipc_relay){key.connection, key.bytes, key.size};
		} else {
			assert_int_equal(ipc_parse_relay(&m, &relay), 0);
		}
		if (relay.connection != d->connection) {
			continue;
		}
		s->taken = true;
		assert_int_equal(message_open(fixture.hub.public, WIRE_HUB, d->session, d->heard++,
					 relay.bytes, relay.size, &e),
			0);
		*ret_body = e.body;
		*ret_size = e.body_size;
		return e.kind;
	}
	return 0;
}

/* Whatever was said to it. */
static inline void display_hear_all(struct display *d)
{
	for (const uint8_t *body; display_next(d, &body, &(size_t){0}) != 0;) {
	}
}

static inline void display_expect_camera(
	struct display *d, enum camera_state state, struct wire_camera *ret)
{
	const uint8_t *body = NULL;
	size_t size = 0;

	assert_int_equal(display_next(d, &body, &size), HUB_CAMERA);
	assert_int_equal(wire_parse_camera(body, size, ret), 0);
	assert_int_equal(ret->state, state);
}

static inline void display_expect_welcome(struct display *d, unsigned int cameras)
{
	const uint8_t *body = NULL;
	size_t size = 0;
	struct wire_welcome m;

	assert_int_equal(display_next(d, &body, &size), HUB_WELCOME);
	assert_int_equal(wire_parse_welcome(body, size, &m), 0);
	assert_int_equal(m.cameras, cameras);
}

static inline void display_expect_key(struct display *d, uint8_t purpose, uint32_t epoch)
{
	const uint8_t *body = NULL;
	size_t size = 0;
	struct wire_key m;

	assert_int_equal(display_next(d, &body, &size), HUB_KEY);
	assert_int_equal(wire_parse_key(body, size, &m), 0);
	assert_int_equal(m.purpose, purpose);
	assert_int_equal(m.epoch, epoch);
}

static inline void display_expect_ended(struct display *d, uint16_t stream, enum end_reason reason)
{
	const uint8_t *body = NULL;
	size_t size = 0;
	struct wire_ended m;

	assert_int_equal(display_next(d, &body, &size), HUB_ENDED);
	assert_int_equal(wire_parse_ended(body, size, &m), 0);
	assert_int_equal(m.stream, stream);
	assert_int_equal(m.reason, reason);
}

static inline void display_expect_gone(struct display *d, enum end_reason reason)
{
	const uint8_t *body = NULL;
	size_t size = 0;
	struct wire_camera_gone m;

	assert_int_equal(display_next(d, &body, &size), HUB_CAMERA_GONE);
	assert_int_equal(wire_parse_camera_gone(body, size, &m), 0);
	assert_int_equal(m.reason, reason);
}

static inline void display_expect_silence(struct display *d)
{
	const uint8_t *body = NULL;
	size_t size = 0;

	assert_int_equal(display_next(d, &body, &size), 0);
}

/* Logged in, granted the camera, watching it with the key of epoch 1; everything told is taken. */
static inline void display_view(struct display *d, uint64_t connection, const char *name,
	uint64_t camera_peer, const uint8_t camera[static CAMERA_ID_BYTES])
{
	display_enter(d, 1, connection, name);
	assert_int_equal(registry_grant(fixture.registry, d->id, camera), 0);
	display_watch(d, 1, camera);
	assert_int_equal(camera_wrap(camera_peer, 1), KEY_WATCH);
	display_hear_all(d);
}

#endif
