/* The keeper's core when there is no memory for who comes: it gets nothing and is told, and all
 * others go on as before. calloc is the test's own (--wrap, in the Makefile). */
#include "keeper_fixture.h"

#include <errno.h>

enum { WEB = 1, CAMERA = 2, OTHER = 3 };

static bool refuses;
static uint8_t camera[CAMERA_ID_BYTES];
static struct display display;

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *__wrap_calloc(size_t n, size_t size)
{
	return refuses ? NULL : __real_calloc(n, size);
}

static int set_up(void **state)
{
	fixture_set_up(state);
	display_init(&display);
	web_join(WEB);
	camera_join(CAMERA, "usb:1", "Door", camera);
	return 0;
}

static int tear_down(void **state)
{
	display_finish(&display);
	return fixture_tear_down(state);
}

static void a_camera_without_memory_is_turned_away_with_the_reason(void **state)
{
	struct ipc_turned_away away;
	struct ipc_message m;
	uint8_t id[CAMERA_ID_BYTES];

	(void)state;
	refuses = true;
	camera_hello(OTHER, IDENTITY_SERIAL, "usb:2", "Yard");
	refuses = false;
	sent_take(OTHER, IPC_TURNED_AWAY, &m);
	assert_int_equal(ipc_parse_turned_away(&m, &away), 0);
	assert_non_null(strstr(away.reason, strerror(ENOMEM)));
	assert_true(was_dropped(OTHER, false));
	assert_nothing_sent(OTHER, IPC_ADOPTED);
	assert_false(was_dropped(CAMERA, false));
	camera_join(OTHER + 1, "usb:2", "Yard", id);
}

static void a_stream_without_memory_ends_and_is_not_on_record(void **state)
{
	const uint8_t *body;
	size_t size;

	(void)state;
	display_enter(&display, WEB, 10, "Kitchen");
	assert_int_equal(registry_grant(fixture.registry, display.id, camera), 0);
	while (display_next(&display, &body, &size) != 0) {
	}
	refuses = true;
	display_watch(&display, 1, camera);
	refuses = false;
	display_expect_ended(&display, 1, END_NO_RECORD);
	assert_nothing_sent(CAMERA, IPC_WRAP);
	assert_nothing_sent(WEB, IPC_GIVE);
	assert_int_equal(audit_count(&fixture.files.store), 0);
	display_watch(&display, 2, camera);
	assert_int_equal(camera_wrap(CAMERA, 1), KEY_WATCH);
	display_expect_key(&display, KEY_WATCH, 1);
}

static void a_connection_without_memory_is_cut_as_busy(void **state)
{
	const struct ipc_opened opened = {
		.connection = 10, .peer = "192.0.2.7:51234", .origin = "https://hub.local:8443"};
	struct ipc_message m;
	struct ipc_cut cut;

	(void)state;
	refuses = true;
	registry_web_opened(fixture.registry, WEB, &opened);
	refuses = false;
	sent_take(WEB, IPC_CUT, &m);
	assert_int_equal(ipc_parse_cut(&m, &cut), 0);
	assert_int_equal(cut.connection, 10);
	assert_int_equal(cut.mode, CUT_BUSY);
	assert_nothing_sent(WEB, IPC_TELL);
	/* It is not known, so the number is free. */
	display_enter(&display, WEB, 10, "Kitchen");
	display_expect_welcome(&display, 0);
}

static void a_web_process_without_memory_is_turned_away(void **state)
{
	(void)state;
	refuses = true;
	web_join(OTHER);
	refuses = false;
	assert_true(was_dropped(OTHER, false));
	assert_nothing_sent(OTHER, IPC_WEB_CONFIG);
	assert_false(was_dropped(WEB, false));
}

static void a_registry_without_memory_is_none(void **state)
{
	static const struct registry_output output = {
		NULL, fake_now, fake_random, fake_send, fake_drop, fake_revoked};

	(void)state;
	refuses = true;
	assert_null(registry_create(&output, &fixture.files.store, &fixture.pairing, &fixture.hub));
	refuses = false;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_camera_without_memory_is_turned_away_with_the_reason),
		TEST(a_stream_without_memory_ends_and_is_not_on_record),
		TEST(a_connection_without_memory_is_cut_as_busy),
		TEST(a_web_process_without_memory_is_turned_away),
		TEST(a_registry_without_memory_is_none),
	};

	return cmocka_run_group_tests_name("keeper memory", tests, NULL, NULL);
}
