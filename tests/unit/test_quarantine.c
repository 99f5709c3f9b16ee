/* Which camera is which, and what the owner says of those that nobody can tell apart. */
#include "display_fixture.h"
#include <errno.h>

enum { OTHER = 3, TWIN = 4 };

static const char C270[] = "046d:0825", HD[] = "1bcf:2c99";

/* The camera that this process was adopted as. */
static void adopted(uint64_t peer, struct store_camera *ret)
{
	struct ipc_message m;
	struct ipc_adopted told;

	sent_take(peer, IPC_ADOPTED, &m);
	assert_int_equal(ipc_parse_adopted(&m, &told), 0);
	assert_int_equal(store_camera_get(&fixture.files.store, told.camera, ret), 0);
	camera_hand_rings(peer);
}

static void assert_kept_off(uint64_t peer)
{
	struct ipc_message m;
	struct ipc_turned_away away;

	sent_take(peer, IPC_TURNED_AWAY, &m);
	assert_int_equal(ipc_parse_turned_away(&m, &away), 0);
	assert_string_equal(away.reason, "ignored by the owner; `camgate confirm` takes it back");
	assert_true(was_dropped(peer, false));
	assert_nothing_sent(peer, IPC_ADOPTED);
}

static void power_cycle(void)
{
	static const struct registry_output output = {
		NULL, fake_now, fake_random, fake_send, fake_drop, fake_revoked};

	registry_destroy(fixture.registry);
	store_finish(&fixture.files.store);
	store_fixture_open(&fixture.files);
	fixture.registry =
		registry_create(&output, &fixture.files.store, &fixture.pairing, &fixture.hub);
	sent_forget();
	web_join(WEB);
}

/* ---- cameras that change places ---- */

static void cameras_of_two_makes_that_swap_ports_take_no_grant_along(void **state)
{
	struct store_camera door, yard, c;
	struct store_display d;

	(void)state;
	store_fixture_display(&fixture.files.store, 1, "Kitchen", &d);
	camera_hello_of(CAMERA, IDENTITY_PORT, C270, "port:046d:0825:usb-1", "C270");
	adopted(CAMERA, &door);
	camera_hello_of(OTHER, IDENTITY_PORT, HD, "port:1bcf:2c99:usb-2", "HD");
	adopted(OTHER, &yard);
	assert_int_equal(registry_grant(fixture.registry, d.id, door.id), 0);
	assert_int_equal(registry_grant(fixture.registry, d.id, yard.id), 0);
	power_cycle();
	camera_hello_of(20, IDENTITY_PORT, HD, "port:1bcf:2c99:usb-1", "HD");
	adopted(20, &c);
	assert_memory_not_equal(c.id, door.id, sizeof(c.id));
	assert_int_equal(store_grant_check(&fixture.files.store, d.id, c.id), -ENOENT);
	camera_hello_of(21, IDENTITY_PORT, C270, "port:046d:0825:usb-2", "C270");
	adopted(21, &c);
	assert_memory_not_equal(c.id, yard.id, sizeof(c.id));
	assert_int_equal(store_grant_check(&fixture.files.store, d.id, c.id), -ENOENT);
}

static void a_key_that_two_makes_share_gives_the_second_nothing(void **state)
{
	struct store_camera c;

	(void)state;
	camera_hello_of(CAMERA, IDENTITY_PORT, C270, "port:usb-1", "C270");
	adopted(CAMERA, &c);
	power_cycle();
	camera_hello_of(20, IDENTITY_PORT, HD, "port:usb-1", "HD");
	assert_non_null(sent_find(20, IPC_TURNED_AWAY));
	assert_nothing_sent(20, IPC_ADOPTED);
}

static void a_camera_with_a_serial_number_keeps_its_grants_at_another_port(void **state)
{
	struct store_camera door, c;
	struct store_display d;

	(void)state;
	store_fixture_display(&fixture.files.store, 1, "Kitchen", &d);
	camera_hello_of(CAMERA, IDENTITY_SERIAL, C270, "usb:046d:0825:A1", "C270 (port 1)");
	adopted(CAMERA, &door);
	assert_int_equal(registry_grant(fixture.registry, d.id, door.id), 0);
	power_cycle();
	camera_hello_of(20, IDENTITY_SERIAL, C270, "usb:046d:0825:A1", "C270 (port 2)");
	adopted(20, &c);
	assert_string_equal(c.name, "C270 (port 1)");
	assert_int_equal(store_grant_check(&fixture.files.store, d.id, c.id), 0);
}

/* ---- quarantine ---- */

static void a_quarantined_camera_may_be_granted_only_after_the_owners_word(void **state)
{
	uint8_t present[REGISTRY_CAMERAS_MAX][CAMERA_ID_BYTES];
	struct store_camera twin;
	struct store_display d;
	struct wire_camera m;

	(void)state;
	store_fixture_display(&fixture.files.store, 9, "Hall", &d);
	camera_hello_of(TWIN, IDENTITY_RUN, C270, "", "Twin");
	adopted(TWIN, &twin);
	assert_int_equal(twin.standing, STANDING_QUARANTINED);
	display_enter(&display, WEB, 10, "Kitchen");
	display_expect_welcome(&display, 0);
	assert_int_equal(registry_present(fixture.registry, present, REGISTRY_CAMERAS_MAX), 0);
	assert_int_equal(registry_grant(fixture.registry, display.id, twin.id), -ENOENT);
	display_expect_silence(&display);
	display_watch(&display, 1, twin.id);
	display_expect_ended(&display, 1, END_NOT_SHARED);
	assert_int_equal(registry_confirm(fixture.registry, twin.id), 0);
	display_expect_silence(&display);
	assert_int_equal(registry_present(fixture.registry, present, REGISTRY_CAMERAS_MAX), 1);
	assert_int_equal(registry_grant(fixture.registry, display.id, twin.id), 0);
	display_expect_camera(&display, CAMERA_READY, &m);
	assert_int_equal(registry_confirm(fixture.registry, twin.id), -EALREADY);
}

static void a_confirmation_that_cannot_be_stored_is_none(void **state)
{
	sqlite3 *db = fixture.files.store.db;
	struct store_camera twin, now;

	(void)state;
	camera_hello_of(TWIN, IDENTITY_RUN, C270, "", "Twin");
	adopted(TWIN, &twin);
	assert_int_equal(sqlite3_exec(db, "PRAGMA query_only = 1", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(registry_confirm(fixture.registry, twin.id), -EROFS);
	assert_int_equal(sqlite3_exec(db, "PRAGMA query_only = 0", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(store_camera_get(&fixture.files.store, twin.id, &now), 0);
	assert_int_equal(now.standing, STANDING_QUARANTINED);
	/* Nor does the keeper believe that it is: who comes first gets no camera of this kind. */
	assert_int_equal(registry_present(fixture.registry, &now.id, 1), 0);
	assert_int_equal(registry_confirm(fixture.registry, twin.id), 0);
	assert_int_equal(registry_present(fixture.registry, &now.id, 1), 1);
}

static void a_confirmation_ends_with_the_cameras_process(void **state)
{
	struct store_camera first, second;

	(void)state;
	camera_hello_of(TWIN, IDENTITY_RUN, C270, "", "Twin");
	adopted(TWIN, &first);
	assert_int_equal(registry_confirm(fixture.registry, first.id), 0);
	registry_peer_gone(fixture.registry, TWIN);
	assert_int_equal(registry_confirm(fixture.registry, first.id), -ENOENT);
	camera_hello_of(20, IDENTITY_RUN, C270, "", "Twin");
	adopted(20, &second);
	assert_memory_not_equal(first.id, second.id, sizeof(first.id));
	assert_int_equal(second.standing, STANDING_QUARANTINED);
}

/* ---- ignored ---- */

static void an_ignored_camera_is_dark_at_once_and_kept_off_until_confirmed(void **state)
{
	struct wire_camera m;
	struct store_camera c;
	uint8_t id[CAMERA_ID_BYTES];

	(void)state;
	camera_join(CAMERA, "usb:1", "Door", id);
	display_view(&display, 10, "Kitchen", CAMERA, id);
	sent_forget();
	assert_int_equal(registry_ignore(fixture.registry, id), 0);
	assert_kept_off(CAMERA);
	assert_non_null(sent_find(WEB, IPC_TAKE));
	assert_non_null(sent_find(WEB, IPC_RING_GONE));
	assert_int_equal(store_grant_check(&fixture.files.store, display.id, id), -ENOENT);
	camera_hello(20, IDENTITY_SERIAL, "usb:1", "Door");
	assert_kept_off(20);
	assert_int_equal(registry_ignore(fixture.registry, id), -EALREADY);
	power_cycle();
	camera_hello(21, IDENTITY_SERIAL, "usb:1", "Door");
	assert_kept_off(21);
	display_enter(&display, WEB, 11, "Kitchen");
	display_expect_welcome(&display, 0);
	assert_int_equal(registry_confirm(fixture.registry, id), 0);
	display_expect_camera(&display, CAMERA_OFFLINE, &m);
	camera_hello(22, IDENTITY_SERIAL, "usb:1", "Door");
	adopted(22, &c);
	assert_memory_equal(c.id, id, sizeof(id));
	display_expect_camera(&display, CAMERA_READY, &m);
}

static void an_ignored_camera_is_gone_from_the_display_that_showed_it(void **state)
{
	uint8_t id[CAMERA_ID_BYTES];
	struct wire_camera m;

	(void)state;
	camera_join(CAMERA, "usb:1", "Door", id);
	display_enter(&display, WEB, 10, "Kitchen");
	display_expect_welcome(&display, 0);
	assert_int_equal(registry_grant(fixture.registry, display.id, id), 0);
	display_expect_camera(&display, CAMERA_READY, &m);
	assert_int_equal(registry_ignore(fixture.registry, id), 0);
	display_expect_gone(&display, END_NOT_SHARED);
	display_expect_silence(&display);
}

static void ignoring_one_that_cannot_be_told_apart_ignores_all_that_look_so(void **state)
{
	struct store_camera one, two, other;

	(void)state;
	camera_hello_of(CAMERA, IDENTITY_RUN, C270, "", "Twin");
	adopted(CAMERA, &one);
	camera_hello_of(OTHER, IDENTITY_RUN, C270, "", "Twin");
	adopted(OTHER, &two);
	camera_hello_of(TWIN, IDENTITY_RUN, HD, "", "Twin");
	adopted(TWIN, &other);
	assert_int_equal(registry_ignore(fixture.registry, two.id), 0);
	assert_kept_off(CAMERA);
	assert_kept_off(OTHER);
	assert_nothing_sent(TWIN, IPC_TURNED_AWAY);
	assert_int_equal(store_camera_get(&fixture.files.store, one.id, &one), -ENOENT);
	power_cycle();
	camera_hello_of(20, IDENTITY_RUN, C270, "", "Twin");
	assert_kept_off(20);
	camera_hello_of(21, IDENTITY_RUN, HD, "", "Twin");
	adopted(21, &other);
	assert_int_equal(registry_confirm(fixture.registry, two.id), 0);
	camera_hello_of(22, IDENTITY_RUN, C270, "", "Twin");
	adopted(22, &one);
	assert_int_equal(one.standing, STANDING_QUARANTINED);
}

static void a_camera_that_is_away_can_be_ignored(void **state)
{
	uint8_t id[CAMERA_ID_BYTES];

	(void)state;
	camera_join(CAMERA, "usb:1", "Door", id);
	registry_peer_gone(fixture.registry, CAMERA);
	assert_int_equal(registry_ignore(fixture.registry, id), 0);
	camera_hello(20, IDENTITY_SERIAL, "usb:1", "Door");
	assert_kept_off(20);
	id[0] ^= 1;
	assert_int_equal(registry_ignore(fixture.registry, id), -ENOENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(cameras_of_two_makes_that_swap_ports_take_no_grant_along),
		TEST(a_key_that_two_makes_share_gives_the_second_nothing),
		TEST(a_camera_with_a_serial_number_keeps_its_grants_at_another_port),
		TEST(a_quarantined_camera_may_be_granted_only_after_the_owners_word),
		TEST(a_confirmation_that_cannot_be_stored_is_none),
		TEST(a_confirmation_ends_with_the_cameras_process),
		TEST(an_ignored_camera_is_dark_at_once_and_kept_off_until_confirmed),
		TEST(an_ignored_camera_is_gone_from_the_display_that_showed_it),
		TEST(ignoring_one_that_cannot_be_told_apart_ignores_all_that_look_so),
		TEST(a_camera_that_is_away_can_be_ignored),
	};

	return cmocka_run_group_tests_name("quarantine", tests, NULL, NULL);
}
