/* Roles and displays that say what cannot be: whoever is confused is ended, and nothing else
 * changes. */
#include "keeper_fixture.h"

#include <errno.h>

enum { WEB = 1, CAMERA = 2, OTHER = 3, STRANGER = 9 };

static uint8_t camera[CAMERA_ID_BYTES];
static struct display display, owner;

static int set_up(void **state)
{
	fixture_set_up(state);
	display_init(&display);
	display_init(&owner);
	web_join(WEB);
	camera_join(CAMERA, "usb:1", "Door", camera);
	return 0;
}

static int tear_down(void **state)
{
	display_finish(&display);
	display_finish(&owner);
	return fixture_tear_down(state);
}

static void a_malformed_body_ends_the_connection_whatever_its_kind(void **state)
{
	static const uint8_t kinds[] = {DISPLAY_WATCH, DISPLAY_UNWATCH, DISPLAY_TIME,
		DISPLAY_REPORT, DISPLAY_KEY_ACK, DISPLAY_SHARE, DISPLAY_DECIDE, DISPLAY_PREVIEW,
		0xee};
	static const uint8_t one[] = {1};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds); i++) {
		struct ipc_message m;
		struct ipc_cut cut;

		display_enter_as(&owner, WEB, 20 + i, "Owner", true);
		sent_forget();
		display_say(&owner, kinds[i], one, sizeof(one));
		sent_take(WEB, IPC_CUT, &m);
		assert_int_equal(ipc_parse_cut(&m, &cut), 0);
		assert_int_equal(cut.connection, 20 + i);
		assert_int_equal(cut.mode, CUT_REFUSE);
		/* It is not heard any more, and asked for no key. */
		display_say(&owner, kinds[i], one, sizeof(one));
		assert_nothing_sent(WEB, IPC_CUT);
		assert_nothing_sent(CAMERA, IPC_WRAP);
	}
}

static void what_is_no_signed_message_ends_the_connection(void **state)
{
	static const uint8_t short_of_all[] = {WIRE_DISPLAY, 1, 2};

	(void)state;
	display_enter(&display, WEB, 10, "Kitchen");
	display_heard(&display, short_of_all, sizeof(short_of_all));
	assert_non_null(sent_find(WEB, IPC_CUT));
	assert_int_equal(registry_totals_see(fixture.registry)->refused[REFUSED_SIGNATURE], 1);
}

static void what_crossed_the_end_of_a_stream_is_passed_over(void **state)
{
	const struct wire_unwatch unwatch = {.stream = 77};
	uint8_t body[64];

	(void)state;
	display_enter(&display, WEB, 10, "Kitchen");
	sent_forget();
	display_say(
		&display, DISPLAY_UNWATCH, body, wire_encode_unwatch(&unwatch, body, sizeof(body)));
	assert_nothing_sent(WEB, IPC_CUT);
	assert_nothing_sent(WEB, IPC_TAKE);
	registry_web_counts(fixture.registry, WEB, &(struct ipc_counts){.connection = 10});
	registry_web_counts(fixture.registry, WEB, &(struct ipc_counts){.connection = 11});
	assert_nothing_sent(WEB, IPC_CUT);
}

static void a_camera_that_says_hello_twice_is_ended(void **state)
{
	(void)state;
	camera_hello(CAMERA, IDENTITY_SERIAL, "usb:9", "Again");
	assert_true(was_dropped(CAMERA, true));
	assert_false(was_dropped(WEB, true));
}

static void a_generation_that_is_live_is_nobody_elses(void **state)
{
	struct ipc_camera_hello hello = {.frame_max_bytes = 1000, .source = "x"};
	const struct identity identity = {.strength = IDENTITY_SERIAL, .key = "usb:8", .name = "Y"};

	(void)state;
	memset(hello.generation, CAMERA, sizeof(hello.generation));
	registry_camera_hello(fixture.registry, OTHER, &hello, &identity);
	assert_true(was_dropped(OTHER, false));
	assert_non_null(sent_find(OTHER, IPC_TURNED_AWAY));
	assert_nothing_sent(OTHER, IPC_ADOPTED);
}

static void a_frame_of_no_bytes_or_more_than_there_can_be_is_not_promised(void **state)
{
	static const uint32_t sizes[] = {0, WIRE_FRAME_MAX_BYTES + 1};
	const struct identity identity = {.strength = IDENTITY_SERIAL, .key = "usb:8", .name = "Y"};

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct ipc_camera_hello hello = {.frame_max_bytes = sizes[i], .source = "x"};

		memset(hello.generation, OTHER, sizeof(hello.generation));
		registry_camera_hello(fixture.registry, OTHER + i, &hello, &identity);
		assert_true(was_dropped(OTHER + i, false));
		assert_nothing_sent(OTHER + i, IPC_ADOPTED);
	}
}

static void a_key_that_cannot_be_ends_the_camera_and_reaches_nobody(void **state)
{
	/* The third is one for a display that knows the camera's clock already. */
	static const struct ipc_wrapped wrong[] = {{.wrapped_size = WIRE_WRAPPED_MAX_BYTES},
		{.epoch = 1, .wrapped_size = 1}, {.epoch = 1, .wrapped_size = 32}};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct ipc_wrapped m = wrong[i];
		struct ipc_wrap wrap;

		display_enter(&display, WEB, 10, "Kitchen");
		assert_int_equal(registry_grant(fixture.registry, display.id, camera), 0);
		display_watch(&display, 1, camera);
		camera_take_wrap(CAMERA, &wrap);
		m.request = wrap.request;
		registry_camera_wrapped(fixture.registry, CAMERA, &m);
		assert_true(was_dropped(CAMERA, true));
		assert_nothing_sent(WEB, IPC_TELL_KEY);
		tear_down(state);
		set_up(state);
	}
}

static void a_stranger_that_talks_like_a_camera_is_not_heard(void **state)
{
	static const int descriptors[2] = {0, 0};
	const unsigned int before = fixture.sent_count;

	(void)state;
	registry_camera_rotation_due(fixture.registry, STRANGER);
	registry_camera_rotated(fixture.registry, STRANGER, &(struct ipc_rotated){.epoch = 3});
	registry_camera_status(fixture.registry, STRANGER, &(struct ipc_camera_status){0});
	registry_camera_wrapped(fixture.registry, STRANGER, &(struct ipc_wrapped){.request = 1});
	registry_camera_reader(
		fixture.registry, STRANGER, &(struct ipc_reader){.reader = 1}, descriptors);
	assert_int_equal(fixture.sent_count, before);
	assert_int_equal(fixture.dropped_count, 0);
}

static void a_web_process_that_says_hello_twice_is_dropped(void **state)
{
	(void)state;
	web_join(WEB);
	assert_true(was_dropped(WEB, false));
}

static void a_web_process_that_opens_a_connection_twice_is_ended(void **state)
{
	const struct ipc_opened opened = {.connection = 10, .peer = "x", .origin = "y"};

	(void)state;
	display_connect(&display, WEB, 10);
	registry_web_opened(fixture.registry, WEB, &opened);
	assert_true(was_dropped(WEB, true));
}

static void a_stranger_opens_no_connection(void **state)
{
	const struct ipc_opened opened = {.connection = 10, .peer = "x", .origin = "y"};

	(void)state;
	registry_web_opened(fixture.registry, STRANGER, &opened);
	assert_true(was_dropped(STRANGER, true));
	assert_nothing_sent(STRANGER, IPC_TELL);
}

static void a_second_look_at_the_web_processes_finds_the_second(void **state)
{
	struct registry_web_view view;

	(void)state;
	web_join(OTHER);
	assert_int_equal(registry_web_see(fixture.registry, 1, &view), 0);
	assert_int_equal(registry_web_see(fixture.registry, 2, &view), -ENOENT);
}

static void revokes_that_nobody_can_wait_for_are_refused_and_change_nothing(void **state)
{
	(void)state;
	/* The camera confirms none of them, so each keeps its place. */
	for (unsigned int i = 0; i <= REGISTRY_REVOCATIONS_MAX; i++) {
		struct store_display d = {.id = {(uint8_t)(i + 1), 1}};

		snprintf(d.name, sizeof(d.name), "Display %u", i);
		assert_int_equal(store_display_add(&fixture.files.store, &d,
					 (const uint8_t(*)[CAMERA_ID_BYTES]) & camera, 1),
			0);
		int r = registry_revoke(fixture.registry, d.id, NULL, i + 1);
		assert_int_equal(r, i < REGISTRY_REVOCATIONS_MAX ? 0 : -EBUSY);
		assert_int_equal(store_grant_check(&fixture.files.store, d.id, camera),
			i < REGISTRY_REVOCATIONS_MAX ? -ENOENT : 0);
		sent_forget();
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_malformed_body_ends_the_connection_whatever_its_kind),
		TEST(what_is_no_signed_message_ends_the_connection),
		TEST(what_crossed_the_end_of_a_stream_is_passed_over),
		TEST(a_camera_that_says_hello_twice_is_ended),
		TEST(a_generation_that_is_live_is_nobody_elses),
		TEST(a_frame_of_no_bytes_or_more_than_there_can_be_is_not_promised),
		TEST(a_key_that_cannot_be_ends_the_camera_and_reaches_nobody),
		TEST(a_stranger_that_talks_like_a_camera_is_not_heard),
		TEST(a_web_process_that_says_hello_twice_is_dropped),
		TEST(a_web_process_that_opens_a_connection_twice_is_ended),
		TEST(a_stranger_opens_no_connection),
		TEST(a_second_look_at_the_web_processes_finds_the_second),
		TEST(revokes_that_nobody_can_wait_for_are_refused_and_change_nothing),
	};

	return cmocka_run_group_tests_name("confused", tests, NULL, NULL);
}
