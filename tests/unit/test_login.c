/* Login: what is refused, why, and that the network hears nothing but the refusal. */
#include "login_fixture.h"

static void open_and_login(uint64_t connection)
{
	display_connect(&display, WEB, connection);
	display_heard(&display, message, display_make_login(&display, message, sizeof(message)));
}

static void a_right_login_is_welcomed_with_its_transcript(void **state)
{
	struct wire_login sent;
	struct wire_welcome welcome;
	const uint8_t *body = NULL;
	size_t size = 0;
	uint8_t transcript[DIGEST_BYTES];

	(void)state;
	open_and_login(10);
	assert_non_null(sent_find(WEB, IPC_ADMIT));
	assert_int_equal(wire_parse_login(message, 130, &sent), 0);
	transcript_of(
		1, display.challenge, "https://hub.local:8443", display.id, sent.nonce, transcript);
	assert_int_equal(display_next(&display, &body, &size), HUB_WELCOME);
	assert_int_equal(wire_parse_welcome(body, size, &welcome), 0);
	assert_memory_equal(welcome.transcript, transcript, sizeof(transcript));
	assert_memory_equal(welcome.home, fixture.files.store.home, HOME_ID_BYTES);
	assert_string_equal(welcome.name, "Kitchen");
	assert_false(welcome.owner);
}

static void every_flipped_byte_of_a_login_is_refused(void **state)
{
	size_t size = 130;

	(void)state;
	for (size_t i = 0; i < size; i++) {
		uint64_t connection = 100 + i;
		struct ipc_message m;

		display_connect(&display, WEB, connection);
		assert_int_equal(display_make_login(&display, message, sizeof(message)), size);
		message[i] ^= 1;
		display_heard(&display, message, size);
		sent_take(WEB, IPC_CUT, &m);
		assert_nothing_sent(WEB, IPC_ADMIT);
		registry_web_cut_done(fixture.registry, WEB, connection);
	}
}

static void a_login_that_is_too_short_or_long_is_refused(void **state)
{
	(void)state;
	for (size_t size = 1; size <= 132; size++) {
		if (size == 130) {
			continue;
		}
		display_connect(&display, WEB, 100 + size);
		(void)display_make_login(&display, message, sizeof(message));
		expect_refused(size, REFUSED_MALFORMED);
	}
	display_connect(&display, WEB, 99);
	expect_refused(0, REFUSED_MALFORMED);
}

static void a_replayed_login_is_refused(void **state)
{
	(void)state;
	open_and_login(10);
	sent_forget();
	display_connect(&display, WEB, 11);
	expect_refused(130, REFUSED_SIGNATURE);
}

static void a_second_login_on_the_same_connection_is_refused(void **state)
{
	(void)state;
	open_and_login(10);
	sent_forget();
	expect_refused(130, REFUSED_OUT_OF_ORDER);
}

static void after_a_refusal_even_a_right_login_is_not_heard(void **state)
{
	size_t size;

	(void)state;
	display_connect(&display, WEB, 10);
	message[0] = 0x7f;
	expect_refused(1, REFUSED_MALFORMED);
	size = display_make_login(&display, message, sizeof(message));
	display_heard(&display, message, size);
	assert_nothing_sent(WEB, IPC_ADMIT);
}

static void a_login_for_another_origin_is_refused(void **state)
{
	struct wire_login login = {.version = 1};
	uint8_t transcript[DIGEST_BYTES];

	(void)state;
	display_connect(&display, WEB, 10);
	memcpy(login.display, display.id, sizeof(login.display));
	transcript_of(
		1, display.challenge, "https://evil.example", display.id, login.nonce, transcript);
	assert_int_equal(key_sign(&display.sign, "camgate login v1", transcript, sizeof(transcript),
				 login.signature),
		0);
	expect_refused(
		(size_t)wire_encode_login(&login, message, sizeof(message)), REFUSED_SIGNATURE);
}

static void an_unknown_display_is_refused(void **state)
{
	struct display stranger;

	(void)state;
	display_init(&stranger);
	display_connect(&display, WEB, 10);
	memcpy(stranger.challenge, display.challenge, sizeof(stranger.challenge));
	expect_refused(
		display_make_login(&stranger, message, sizeof(message)), REFUSED_UNKNOWN_DISPLAY);
	display_finish(&stranger);
}

static void a_login_with_anothers_id_is_refused(void **state)
{
	struct display impostor;

	(void)state;
	display_init(&impostor);
	memcpy(impostor.id, display.id, sizeof(impostor.id));
	display_connect(&display, WEB, 10);
	memcpy(impostor.challenge, display.challenge, sizeof(impostor.challenge));
	expect_refused(display_make_login(&impostor, message, sizeof(message)), REFUSED_SIGNATURE);
	display_finish(&impostor);
}

static void another_version_is_refused(void **state)
{
	(void)state;
	display_connect(&display, WEB, 10);
	(void)display_make_login(&display, message, sizeof(message));
	message[1] = 2;
	expect_refused(130, REFUSED_VERSION);
}

static void a_challenge_is_good_for_one_answer(void **state)
{
	static const uint8_t session[SESSION_ID_BYTES] = {1}, nonce[NONCE_BYTES] = {2};
	uint8_t transcript[DIGEST_BYTES];
	struct store_display record;
	struct login login;
	size_t size;

	(void)state;
	assert_int_equal(login_init(&login, session, nonce, fixture.hub.public), 0);
	memcpy(display.challenge, login.challenge, sizeof(login.challenge));
	size = display_make_login(&display, message, sizeof(message));
	message[100] ^= 1;
	assert_int_equal(login_verify(&login, "https://hub.local:8443", message, size,
				 &fixture.files.store, &record, transcript),
		REFUSED_SIGNATURE);
	message[100] ^= 1;
	assert_int_equal(login_verify(&login, "https://hub.local:8443", message, size,
				 &fixture.files.store, &record, transcript),
		REFUSED_OUT_OF_ORDER);
}

static void messages_before_login_are_refused(void **state)
{
	struct wire_envelope e = {.type = WIRE_DISPLAY, .kind = DISPLAY_WATCH};
	static const uint8_t body[35] = {0, 1};
	ssize_t size;

	(void)state;
	display_connect(&display, WEB, 10);
	e.body = body;
	e.body_size = sizeof(body);
	memcpy(e.session, display.session, sizeof(e.session));
	size = message_sign(&display.sign, &e, message, sizeof(message));
	assert_true(size > 0);
	expect_refused((size_t)size, REFUSED_OUT_OF_ORDER);
}

/* ---- after login ---- */

/* Logs in anew, says this and expects to be refused for it. */
static void say_and_expect_refusal(uint64_t connection, bool other_session, uint32_t counter,
	const struct key_pair *key, uint8_t kind, enum refusal refusal)
{
	struct wire_envelope e = {.type = WIRE_DISPLAY, .counter = counter, .kind = kind};
	static const uint8_t body[6] = {0, 1};
	ssize_t size;

	open_and_login(connection);
	sent_forget();
	e.body = body;
	e.body_size = sizeof(body);
	memcpy(e.session, display.session, sizeof(e.session));
	e.session[0] ^= other_session;
	size = message_sign(key, &e, message, sizeof(message));
	assert_true(size > 0);
	expect_refused((size_t)size, refusal);
}

static void a_wrong_session_counter_signature_or_kind_is_refused(void **state)
{
	struct key_pair stranger;
	const struct key_pair *own = &display.sign;

	(void)state;
	assert_int_equal(key_pair_generate(&stranger), 0);
	say_and_expect_refusal(10, true, 0, own, DISPLAY_KEY_ACK, REFUSED_SIGNATURE);
	say_and_expect_refusal(11, false, 1, own, DISPLAY_KEY_ACK, REFUSED_SIGNATURE);
	say_and_expect_refusal(12, false, 0, &stranger, DISPLAY_KEY_ACK, REFUSED_SIGNATURE);
	say_and_expect_refusal(13, false, 0, own, 77, REFUSED_MALFORMED);
	say_and_expect_refusal(14, false, 0, own, DISPLAY_WATCH, REFUSED_MALFORMED);
	key_pair_finish(&stranger);
}

static void a_replayed_message_is_refused(void **state)
{
	struct wire_key_ack m = {.stream = 1, .epoch = 1};
	struct wire_envelope e = {.type = WIRE_DISPLAY, .kind = DISPLAY_KEY_ACK};
	uint8_t body[16];
	ssize_t size;

	(void)state;
	open_and_login(10);
	sent_forget();
	e.body = body;
	e.body_size = (size_t)wire_encode_key_ack(&m, body, sizeof(body));
	memcpy(e.session, display.session, sizeof(e.session));
	size = message_sign(&display.sign, &e, message, sizeof(message));
	assert_true(size > 0);
	display_heard(&display, message, (size_t)size);
	assert_nothing_sent(WEB, IPC_CUT);
	expect_refused((size_t)size, REFUSED_SIGNATURE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_to_log_in, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_right_login_is_welcomed_with_its_transcript),
		TEST(every_flipped_byte_of_a_login_is_refused),
		TEST(a_login_that_is_too_short_or_long_is_refused),
		TEST(a_replayed_login_is_refused),
		TEST(a_second_login_on_the_same_connection_is_refused),
		TEST(after_a_refusal_even_a_right_login_is_not_heard),
		TEST(a_login_for_another_origin_is_refused),
		TEST(an_unknown_display_is_refused),
		TEST(a_login_with_anothers_id_is_refused),
		TEST(another_version_is_refused),
		TEST(a_challenge_is_good_for_one_answer),
		TEST(messages_before_login_are_refused),
		TEST(a_wrong_session_counter_signature_or_kind_is_refused),
		TEST(a_replayed_message_is_refused),
	};

	return cmocka_run_group_tests_name("login", tests, NULL, NULL);
}
