/* A websocket that has not logged in gets the challenge and nothing else; one that has, and then
 * breaks the protocol, is refused in the same words. */
#include "raw.h"
#include "viewer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MESSAGE_BYTES = WIRE_DISPLAY_MESSAGE_MAX_BYTES };

static struct client_loop *loop;
static struct hub hub;
static struct viewer viewer; /* whose keys the tests log in with */
static struct raw silent; /* never says a word */

static int set_up(void **state)
{
	(void)state;
	loop = client_loop_create();
	hub_init(&hub, loop);
	hub_start(&hub, (const char *[]){"--camera", "pattern:320x192@15", NULL});
	hub_name_camera(&hub, "320x192", "Door");
	raw_open(&silent, &hub);
	viewer_pair(&viewer, &hub, "Door", "Tester");
	viewer_await(&viewer, "Door", 2);
	viewer_disconnect(&viewer);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	raw_finish(&silent);
	viewer_finish(&viewer);
	hub_end(&hub);
	hub_finish(&hub);
	client_loop_destroy(loop);
	return 0;
}

/* After all that was thrown at it, the hub still shows the picture. */
static int still_alive(void **state)
{
	(void)state;
	viewer_connect(&viewer, &hub, NULL, NULL, true);
	WAIT_FOR(loop, viewer.welcomed, HUB_PATIENCE_MS);
	viewer_await(&viewer, "Door", 2);
	viewer_disconnect(&viewer);
	return 0;
}

static void every_first_message_but_login_and_pair_is_refused(void **state)
{
	(void)state;
	uint8_t message[WIRE_CHALLENGE_BYTES] = {0};
	static const uint8_t types[] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x0f, 0x10, 0x13, 0x14,
		0x15, 0x16, 0x17, 0x18, 0x20, 0x21, 0x22, 0x7f, 0xff};
	for (size_t i = 0; i < sizeof(types); i++) {
		message[0] = types[i];
		raw_refused(&hub, message, sizeof(message));
		raw_refused(&hub, message, 1);
	}
}

static void well_formed_messages_before_login_are_refused(void **state)
{
	(void)state;
	uint8_t message[MESSAGE_BYTES], body[64];
	const struct wire_ack ack = {.outcome = OUTCOME_DRAWN, .stream = 1, .frame = 1};
	raw_refused(&hub, message, (size_t)wire_encode_ack(&ack, message, sizeof(message)));
	struct raw r;
	raw_open(&r, &hub);
	struct wire_watch watch = {.stream = 1};
	memcpy(watch.camera, viewer_tile(&viewer, "Door")->camera.id, CAMERA_ID_BYTES);
	ssize_t n = wire_encode_watch(&watch, body, sizeof(body));
	raw_send(&r, message,
		raw_make_message(&r, &viewer.keys, 0, DISPLAY_WATCH, body, (size_t)n, message,
			sizeof(message)));
	raw_expect_refusal(&r);
}

static void a_message_of_a_wrong_length_is_refused(void **state)
{
	(void)state;
	static uint8_t message[70000];
	struct raw r;
	for (int change = -1; change <= 1; change += 2) {
		raw_open(&r, &hub);
		size_t n = raw_make_login(&r, &viewer.keys, message, sizeof(message));
		raw_send(&r, message, (size_t)((ssize_t)n + change));
		raw_expect_refusal(&r);
	}
	message[0] = WIRE_LOGIN;
	static const size_t sizes[] = {0, 1, 2, MESSAGE_BYTES, MESSAGE_BYTES + 1, 5000, 16000};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		raw_refused(&hub, message, sizes[i]);
	}
	/* Of this one the hub leaves a part unread, so that the close may end in a reset. */
	raw_open(&r, &hub);
	raw_send(&r, message, sizeof(message));
	WAIT_FOR(loop, r.closed, HUB_PATIENCE_MS);
	assert_int_equal(r.others, 0);
	raw_finish(&r);
}

static void a_text_frame_is_refused(void **state)
{
	(void)state;
	struct raw r;
	raw_open(&r, &hub);
	assert_int_equal(client_send_text(r.client, "hello"), 0);
	raw_expect_refusal(&r);
}

static void each_changed_byte_of_a_login_is_refused(void **state)
{
	(void)state;
	uint8_t message[MESSAGE_BYTES];
	/* version, display id, nonce, both halves of the signature */
	static const size_t places[] = {1, 2, 33, 34, 65, 66, 97, 98, 129};
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct raw r;
		raw_open(&r, &hub);
		size_t n = raw_make_login(&r, &viewer.keys, message, sizeof(message));
		message[places[i]] ^= 1;
		raw_send(&r, message, n);
		raw_expect_refusal(&r);
	}
}

static void a_login_of_an_unknown_display_is_refused(void **state)
{
	(void)state;
	struct display_keys keys;
	struct raw r;
	uint8_t message[MESSAGE_BYTES];
	assert_int_equal(display_keys_generate(&keys), 0);
	raw_open(&r, &hub);
	raw_send(&r, message, raw_make_login(&r, &keys, message, sizeof(message)));
	raw_expect_refusal(&r);
	display_keys_finish(&keys);
}

static void a_login_with_anothers_id_is_refused(void **state)
{
	(void)state;
	struct display_keys keys;
	struct raw r;
	uint8_t message[MESSAGE_BYTES];
	assert_int_equal(display_keys_generate(&keys), 0);
	memcpy(keys.id, viewer.keys.id, sizeof(keys.id));
	raw_open(&r, &hub);
	raw_send(&r, message, raw_make_login(&r, &keys, message, sizeof(message)));
	raw_expect_refusal(&r);
	display_keys_finish(&keys);
}

static void a_login_for_another_origin_is_refused(void **state)
{
	(void)state;
	struct raw r;
	uint8_t message[MESSAGE_BYTES];
	raw_open(&r, &hub);
	(void)snprintf(r.origin, sizeof(r.origin), "https://evil.example:%u", hub.port);
	raw_send(&r, message, raw_make_login(&r, &viewer.keys, message, sizeof(message)));
	raw_expect_refusal(&r);
}

static void a_login_works_once_and_on_its_own_connection_only(void **state)
{
	(void)state;
	struct raw first, second;
	uint8_t message[MESSAGE_BYTES];
	raw_open(&first, &hub);
	size_t n = raw_make_login(&first, &viewer.keys, message, sizeof(message));
	raw_send(&first, message, n);
	raw_expect_welcome(&first);
	raw_refused(&hub, message, n); /* replayed elsewhere */
	raw_open(&second, &hub);
	raw_send(&first, message, n); /* replayed here */
	WAIT_FOR(loop, first.closed, HUB_PATIENCE_MS);
	assert_int_equal(first.end.code, 4000);
	raw_finish(&first);
	raw_finish(&second);
}

static void a_pair_message_is_no_use_a_second_time(void **state)
{
	(void)state;
	struct display_keys keys;
	struct wire_link link;
	struct raw r;
	uint8_t message[MESSAGE_BYTES];
	hub_make_link(&hub, "none", NULL, &link);
	assert_int_equal(display_keys_generate(&keys), 0);
	raw_open(&r, &hub);
	size_t n = raw_make_pair(&r, &keys, &link, "Replayed", message, sizeof(message));
	raw_send(&r, message, n);
	raw_expect_welcome(&r);
	raw_refused(&hub, message, n);
	raw_send(&r, message, n);
	WAIT_FOR(loop, r.closed, HUB_PATIENCE_MS);
	assert_int_equal(r.end.code, 4000);
	raw_finish(&r);
	display_keys_finish(&keys);
}

/* Logs in, sends the message that make() builds, expects close code 4000. */
static void refused_after_login(size_t (*make)(struct raw *r, uint8_t *out, size_t size))
{
	struct raw r;
	uint8_t message[MESSAGE_BYTES];
	raw_open(&r, &hub);
	raw_send(&r, message, raw_make_login(&r, &viewer.keys, message, sizeof(message)));
	raw_expect_welcome(&r);
	raw_send(&r, message, make(&r, message, sizeof(message)));
	WAIT_FOR(loop, r.closed, HUB_PATIENCE_MS);
	assert_int_equal(r.end.code, 4000);
	raw_finish(&r);
}

static size_t make_watch(struct raw *r, uint32_t counter, uint8_t *out, size_t size)
{
	uint8_t body[64];
	struct wire_watch watch = {.stream = 1};
	memcpy(watch.camera, viewer_tile(&viewer, "Door")->camera.id, CAMERA_ID_BYTES);
	ssize_t n = wire_encode_watch(&watch, body, sizeof(body));
	return raw_make_message(
		r, &viewer.keys, counter, DISPLAY_WATCH, body, (size_t)n, out, size);
}

static size_t make_early_counter(struct raw *r, uint8_t *out, size_t size)
{
	return make_watch(r, 1, out, size);
}

static size_t make_other_session(struct raw *r, uint8_t *out, size_t size)
{
	r->session[0] ^= 1;
	return make_watch(r, 0, out, size);
}

static size_t make_changed_camera(struct raw *r, uint8_t *out, size_t size)
{
	size_t n = make_watch(r, 0, out, size);
	out[30] ^= 1;
	return n;
}

static size_t make_trailing_byte(struct raw *r, uint8_t *out, size_t size)
{
	size_t n = make_watch(r, 0, out, size);
	out[n] = 0;
	return n + 1;
}

static size_t make_long_body(struct raw *r, uint8_t *out, size_t size)
{
	uint8_t body[64] = {0};
	return raw_make_message(r, &viewer.keys, 0, DISPLAY_WATCH, body, sizeof(body), out, size);
}

static size_t make_unknown_kind(struct raw *r, uint8_t *out, size_t size)
{
	return raw_make_message(r, &viewer.keys, 0, 99, NULL, 0, out, size);
}

static size_t make_hub_message(struct raw *r, uint8_t *out, size_t size)
{
	size_t n = make_watch(r, 0, out, size);
	out[0] = WIRE_HUB;
	return n;
}

static size_t make_chunk(struct raw *r, uint8_t *out, size_t size)
{
	(void)r;
	(void)size;
	const struct wire_chunk chunk = {.stream = 1, .frame = 1, .total = 1};
	wire_encode_chunk_header(&chunk, out);
	out[WIRE_CHUNK_HEADER_BYTES] = 0;
	return WIRE_CHUNK_HEADER_BYTES + 1;
}

static void a_broken_message_after_login_ends_the_connection(void **state)
{
	(void)state;
	refused_after_login(make_early_counter);
	refused_after_login(make_other_session);
	refused_after_login(make_changed_camera);
	refused_after_login(make_trailing_byte);
	refused_after_login(make_long_body);
	refused_after_login(make_unknown_kind);
	refused_after_login(make_hub_message);
	refused_after_login(make_chunk);
}

static void a_repeated_message_ends_the_connection(void **state)
{
	(void)state;
	struct raw r;
	uint8_t message[MESSAGE_BYTES];
	raw_open(&r, &hub);
	raw_send(&r, message, raw_make_login(&r, &viewer.keys, message, sizeof(message)));
	raw_expect_welcome(&r);
	size_t n = make_watch(&r, 0, message, sizeof(message));
	raw_send(&r, message, n);
	raw_send(&r, message, n);
	WAIT_FOR(loop, r.closed, HUB_PATIENCE_MS);
	assert_int_equal(r.end.code, 4000);
	raw_finish(&r);
}

static void more_than_200_messages_in_a_second_end_the_connection(void **state)
{
	(void)state;
	struct raw r;
	uint8_t message[MESSAGE_BYTES];
	raw_open(&r, &hub);
	raw_send(&r, message, raw_make_login(&r, &viewer.keys, message, sizeof(message)));
	raw_expect_welcome(&r);
	for (int i = 0; i < 300; i++) {
		raw_send(&r, (const uint8_t[]){WIRE_PULSE}, 1);
	}
	WAIT_FOR(loop, r.closed, HUB_PATIENCE_MS);
	/* Code 4000, or a reset where the hub left the rest unread. */
	assert_true(r.end.code == 4000 || r.end.code == 0);
	raw_finish(&r);
}

static void not_upgraded(const char *host, const char *origin, const char *protocol)
{
	struct raw r;
	const struct raw_request request = {.host = host, .origin = origin, .protocol = protocol};
	raw_connect(&r, &hub, &request);
	WAIT_FOR(loop, r.closed || r.opened, HUB_PATIENCE_MS);
	if (r.opened) {
		fail_msg("upgraded with Host %s, Origin %s, protocol %s", host, origin, protocol);
	}
	assert_int_equal(r.messages, 0);
	raw_finish(&r);
}

static void a_wrong_host_origin_or_protocol_is_not_upgraded(void **state)
{
	(void)state;
	char text[128];
	not_upgraded(NULL, "", NULL);
	not_upgraded(NULL, "null", NULL);
	not_upgraded(NULL, "https://evil.example", NULL);
	(void)snprintf(text, sizeof(text), "http://127.0.0.1:%u", hub.port);
	not_upgraded(NULL, text, NULL);
	(void)snprintf(text, sizeof(text), "https://127.0.0.1:%u.evil.example", hub.port);
	not_upgraded(NULL, text, NULL);
	(void)snprintf(text, sizeof(text), "https://127.0.0.1:%u", hub.port + 1);
	not_upgraded(NULL, text, NULL);
	(void)snprintf(text, sizeof(text), "evil.example:%u", hub.port);
	not_upgraded(text, NULL, NULL);
	(void)snprintf(text, sizeof(text), "127.0.0.1.evil.example:%u", hub.port);
	not_upgraded(text, NULL, NULL);
	(void)snprintf(text, sizeof(text), "127.0.0.1:%u0", hub.port);
	not_upgraded(text, NULL, NULL);
	not_upgraded("127.0.0.1", NULL, NULL);
	not_upgraded(NULL, NULL, "");
	not_upgraded(NULL, NULL, "camgate.v2");
}

static void what_was_refused_is_counted(void **state)
{
	(void)state;
	json_t *status = hub_ask(&hub, "status", NULL);
	json_t *refused = json_object_get(json_object_get(status, "web"), "refused");
	assert_true(json_object_size(refused) > 0);
	json_int_t sum = 0;
	const char *key;
	json_t *value;
	json_object_foreach(refused, key, value)
	{
		sum += json_integer_value(value);
	}
	assert_true(sum > 20);
	json_decref(status);
	assert_int_equal(hub_status_sum(&hub, "anomalies"), 0);
}

static void a_connection_that_says_nothing_is_closed_after_ten_seconds(void **state)
{
	(void)state;
	WAIT_FOR(loop, silent.closed, 2 * HUB_PATIENCE_MS);
	assert_int_equal(silent.messages, 1);
}

#define TEST(f) cmocka_unit_test_teardown(f, still_alive)

int main(void)
{
	if (secure_heap_init() < 0) {
		return 1;
	}
	const struct CMUnitTest tests[] = {
		TEST(every_first_message_but_login_and_pair_is_refused),
		TEST(well_formed_messages_before_login_are_refused),
		TEST(a_message_of_a_wrong_length_is_refused),
		TEST(a_text_frame_is_refused),
		TEST(each_changed_byte_of_a_login_is_refused),
		TEST(a_login_of_an_unknown_display_is_refused),
		TEST(a_login_with_anothers_id_is_refused),
		TEST(a_login_for_another_origin_is_refused),
		TEST(a_login_works_once_and_on_its_own_connection_only),
		TEST(a_pair_message_is_no_use_a_second_time),
		TEST(a_broken_message_after_login_ends_the_connection),
		TEST(a_repeated_message_ends_the_connection),
		TEST(more_than_200_messages_in_a_second_end_the_connection),
		TEST(a_wrong_host_origin_or_protocol_is_not_upgraded),
		TEST(what_was_refused_is_counted),
		TEST(a_connection_that_says_nothing_is_closed_after_ten_seconds),
	};
	return cmocka_run_group_tests_name("socket", tests, set_up, tear_down);
}
