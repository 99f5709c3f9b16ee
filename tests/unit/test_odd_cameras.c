/* Cameras that are not like others: gone for good when they are unplugged, slow, or with words of
 * their own that nobody is shown. */
#include "keeper_fixture.h"

#include "wire_ask.h"
#include <errno.h>
#include <sys/stat.h>

enum { WEB = 1, CAMERA = 2 };

static struct display display, owner;

static int set_up(void **state)
{
	fixture_set_up(state);
	display_init(&display);
	display_init(&owner);
	web_join(WEB);
	return 0;
}

static int tear_down(void **state)
{
	display_finish(&display);
	display_finish(&owner);
	return fixture_tear_down(state);
}

static void hello(const struct ipc_camera_hello *m, enum identity_strength strength)
{
	struct identity identity = {.strength = (uint8_t)strength};

	snprintf(identity.key, sizeof(identity.key), "usb:1");
	snprintf(identity.name, sizeof(identity.name), "Door");
	registry_camera_hello(fixture.registry, CAMERA, m, &identity);
}

static void adopted_id(uint8_t id[static CAMERA_ID_BYTES])
{
	struct ipc_adopted adopted;
	struct ipc_message m;

	sent_take(CAMERA, IPC_ADOPTED, &m);
	assert_int_equal(ipc_parse_adopted(&m, &adopted), 0);
	memcpy(id, adopted.camera, CAMERA_ID_BYTES);
	camera_hand_rings(CAMERA);
}

static void a_camera_that_cannot_be_known_again_is_forgotten_and_told(void **state)
{
	const struct ipc_camera_hello m = {.kind = IPC_CAMERA_DEVICE,
		.frame_interval_us = 33333,
		.frame_max_bytes = 1000,
		.source = "/dev/video0"};
	uint8_t id[CAMERA_ID_BYTES];
	struct store_camera record;

	(void)state;
	display_enter(&display, WEB, 10, "Kitchen");
	display_expect_welcome(&display, 0);
	display_enter(&owner, WEB, 11, "Hall");
	display_expect_welcome(&owner, 0);
	hello(&m, IDENTITY_RUN);
	adopted_id(id);
	assert_int_equal(registry_confirm(fixture.registry, id), 0);
	assert_int_equal(registry_grant(fixture.registry, display.id, id), 0);
	display_hear_all(&display);
	registry_peer_gone(fixture.registry, CAMERA);
	display_expect_gone(&display, END_OFFLINE);
	display_expect_silence(&owner);
	assert_int_equal(store_camera_get(&fixture.files.store, id, &record), -ENOENT);
}

static void a_camera_of_seconds_between_pictures_is_told_as_slow(void **state)
{
	const struct ipc_camera_hello m = {.kind = IPC_CAMERA_DEVICE,
		.frame_interval_us = 2000000,
		.frame_max_bytes = 1000,
		.source = "/dev/video0"};
	uint8_t id[CAMERA_ID_BYTES];
	struct wire_camera told;

	(void)state;
	display_enter(&display, WEB, 10, "Kitchen");
	display_expect_welcome(&display, 0);
	hello(&m, IDENTITY_SERIAL);
	adopted_id(id);
	assert_int_equal(registry_grant(fixture.registry, display.id, id), 0);
	display_expect_camera(&display, CAMERA_READY, &told);
	assert_true((told.flags & CAMERA_FLAG_SLOW) != 0);
}

static void words_of_a_camera_that_are_no_text_are_not_shown(void **state)
{
	struct ipc_camera_hello m = {.kind = IPC_CAMERA_DEVICE,
		.frame_interval_us = 33333,
		.frame_max_bytes = 1000,
		.source = "/dev/\x1b[31mvideo"};
	struct wire_new_camera told;
	const uint8_t *body = NULL;
	size_t size = 0;
	uint8_t kind;

	(void)state;
	display_enter_as(&owner, WEB, 10, "Phone", true);
	display_expect_welcome(&owner, 0);
	for (int i = 0; i < 2; i++) {
		hello(&m, IDENTITY_SERIAL);
		do {
			kind = display_next(&owner, &body, &size);
		} while (kind != 0 && kind != HUB_NEW_CAMERA);
		assert_int_equal(kind, HUB_NEW_CAMERA);
		assert_int_equal(wire_parse_new_camera(body, size, &told), 0);
		assert_string_equal(told.about, "");
		registry_peer_gone(fixture.registry, CAMERA);
		/* Nor are those that are too many, of which the end would be missing. */
		memset(m.source, 'a', sizeof(m.source) - 1);
	}
}

static void an_alarm_about_a_camera_that_was_forgotten_is_an_alarm(void **state)
{
	uint8_t id[CAMERA_ID_BYTES];
	sqlite3_stmt *alarm = NULL;

	(void)state;
	camera_hello(CAMERA, IDENTITY_RUN, "", "Door");
	adopted_id(id);
	assert_int_equal(registry_confirm(fixture.registry, id), 0);
	display_view(&display, 10, "Kitchen", CAMERA, id);
	registry_peer_gone(fixture.registry, CAMERA);
	sent_forget();
	/* The web role has not let go of the stream yet. */
	display_report(&display, 1, ANOMALY_UNSEAL);
	assert_nothing_sent(WEB, IPC_CUT);
	assert_int_equal(registry_totals_see(fixture.registry)->anomalies[ANOMALY_UNSEAL], 1);
	assert_int_equal(sqlite3_prepare_v2(fixture.files.store.db,
				 "SELECT camera_name FROM audit WHERE kind = ?", -1, &alarm, NULL),
		SQLITE_OK);
	sqlite3_bind_int(alarm, 1, AUDIT_ALARM);
	assert_int_equal(sqlite3_step(alarm), SQLITE_ROW);
	assert_string_equal((const char *)sqlite3_column_text(alarm, 0), "");
	sqlite3_finalize(alarm);
}

static void a_camera_without_a_key_or_a_name_is_a_quarantined_camera(void **state)
{
	uint8_t id[CAMERA_ID_BYTES];
	struct store_camera record;

	(void)state;
	camera_hello(CAMERA, IDENTITY_SERIAL, "", "\x1b[31m");
	adopted_id(id);
	assert_int_equal(store_camera_get(&fixture.files.store, id, &record), 0);
	assert_string_equal(record.name, "Camera");
	assert_int_equal(record.strength, IDENTITY_RUN);
	assert_int_equal(record.standing, STANDING_QUARANTINED);
}

static void a_key_that_nobody_asked_for_is_passed_over(void **state)
{
	const struct ipc_camera_hello m = {.kind = IPC_CAMERA_DEVICE,
		.frame_interval_us = 33333,
		.frame_max_bytes = 1000,
		.source = "/dev/video0"};
	const struct ipc_wrapped wrapped = {.request = 77, .epoch = 1, .wrapped_size = 32};
	uint8_t id[CAMERA_ID_BYTES];

	(void)state;
	hello(&m, IDENTITY_SERIAL);
	adopted_id(id);
	registry_camera_wrapped(fixture.registry, CAMERA, &wrapped);
	registry_camera_wrapped(fixture.registry, CAMERA + 1, &wrapped);
	assert_nothing_sent(WEB, IPC_TELL_KEY);
	assert_false(was_dropped(CAMERA, true));
}

/* ---- the store ---- */

static void a_state_directory_that_cannot_be_written_is_named(void **state)
{
	char dir[64], lock[96], problem[STORE_PROBLEM_BYTES] = "";
	struct store s;

	(void)state;
	directory_make(dir);
	/* No file can be opened there, whoever we are. */
	snprintf(lock, sizeof(lock), "%s/lock", dir);
	assert_int_equal(mkdir(lock, 0700), 0);
	assert_int_equal(store_init(&s, dir, problem), -EISDIR);
	assert_non_null(strstr(problem, dir));
	assert_non_null(strstr(problem, "--state"));
	assert_int_equal(rmdir(lock), 0);
	directory_remove(dir);
}

static void a_state_directory_with_a_space_can_be_looked_at(void **state)
{
	char dir[64], inner[96], problem[STORE_PROBLEM_BYTES] = "";
	struct store s;

	(void)state;
	directory_make(dir);
	snprintf(inner, sizeof(inner), "%s/a %%41?b", dir);
	assert_int_equal(mkdir(inner, 0700), 0);
	assert_int_equal(store_init(&s, inner, problem), 0);
	store_finish(&s);
	assert_int_equal(store_inspect(inner, problem), 0);
	directory_remove(inner);
	directory_remove(dir);
}

static void a_name_is_never_cut_in_the_middle_of_a_character(void **state)
{
	struct store *s = &fixture.files.store;
	char name[NAME_MAX_BYTES + 1];
	struct store_camera first, second;

	(void)state;
	memset(name, 'x', sizeof(name));
	/* Two bytes each, from an odd place on. */
	for (size_t i = 1; i + 2 <= NAME_MAX_BYTES; i += 2) {
		memcpy(name + i, "\xc3\xa4", 2);
	}
	name[NAME_MAX_BYTES - (NAME_MAX_BYTES % 2 == 0)] = 0;
	store_fixture_camera(s, 1, "usb:1", name, &first);
	store_fixture_camera(s, 2, "usb:2", name, &second);
	assert_string_not_equal(first.name, second.name);
	assert_true(wire_name_ok(second.name));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_camera_that_cannot_be_known_again_is_forgotten_and_told),
		TEST(a_camera_of_seconds_between_pictures_is_told_as_slow),
		TEST(an_alarm_about_a_camera_that_was_forgotten_is_an_alarm),
		TEST(words_of_a_camera_that_are_no_text_are_not_shown),
		TEST(a_camera_without_a_key_or_a_name_is_a_quarantined_camera),
		TEST(a_key_that_nobody_asked_for_is_passed_over),
		TEST(a_state_directory_that_cannot_be_written_is_named),
		TEST(a_state_directory_with_a_space_can_be_looked_at),
		TEST(a_name_is_never_cut_in_the_middle_of_a_character),
	};

	return cmocka_run_group_tests_name("odd cameras, names and places", tests, NULL, NULL);
}
