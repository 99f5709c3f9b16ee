/* Cameras that nobody has decided about: who is asked, and who may answer. */
#include "ask_fixture.h"
#include <errno.h>

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

/* ---- asking ---- */

static void an_unknown_camera_is_told_to_owners_with_the_displays_and_to_nobody_else(void **state)
{
	struct wire_new_camera m;
	uint8_t id[CAMERA_ID_BYTES], next[CAMERA_ID_BYTES];

	(void)state;
	display_enter(&guest, WEB, 12, "Hall");
	display_expect_welcome(&guest, 0);
	enter_owner(&owner, 10, "Phone");
	enter_owner(&second, 11, "Tablet");
	come(CAMERA, IDENTITY_PORT, "port:046d:0825:1.2", "C270 (port 1.2)", id);
	for (int i = 0; i < 2; i++) {
		struct display *d = i == 0 ? &owner : &second;

		expect_screen(d, "Hall", SCREEN_PAIRED);
		expect_screen(d, "Phone", SCREEN_PAIRED);
		expect_screen(d, "Tablet", SCREEN_PAIRED);
		expect_new(d, id, &m);
		assert_string_equal(m.name, "C270 (port 1.2)");
		assert_string_equal(m.about, "/dev/video0, 046d:0825");
		assert_int_equal(m.strength, IDENTITY_PORT);
		assert_int_equal(m.flags, 0);
		display_expect_silence(d);
	}
	come(OTHER, IDENTITY_SERIAL, "usb:1", "HD", next);
	expect_new(&owner, next, &m);
	display_expect_silence(&owner);
	display_expect_silence(&guest);
}

static void an_owner_that_logs_in_later_is_asked_after_its_cameras(void **state)
{
	struct wire_new_camera m;
	uint8_t id[CAMERA_ID_BYTES];

	(void)state;
	come(CAMERA, IDENTITY_SERIAL, "usb:1", "Door", id);
	enter_owner(&owner, 10, "Phone");
	expect_screen(&owner, "Phone", SCREEN_PAIRED);
	expect_new(&owner, id, &m);
	display_expect_silence(&owner);
}

static void a_camera_that_is_pulled_out_is_asked_about_no_more_until_it_is_back(void **state)
{
	struct wire_new_camera m;
	uint8_t id[CAMERA_ID_BYTES], again[CAMERA_ID_BYTES];

	(void)state;
	be_asked(IDENTITY_SERIAL, "usb:1", id);
	registry_peer_gone(fixture.registry, CAMERA);
	expect_over(&owner, id);
	display_expect_silence(&owner);
	come(OTHER, IDENTITY_SERIAL, "usb:1", "Door", again);
	expect_new(&owner, id, &m);
}

static void a_renamed_camera_is_asked_about_by_its_new_name(void **state)
{
	struct wire_new_camera m;
	uint8_t id[CAMERA_ID_BYTES];

	(void)state;
	be_asked(IDENTITY_SERIAL, "usb:1", id);
	assert_int_equal(registry_rename(fixture.registry, id, "Door"), 0);
	expect_new(&owner, id, &m);
	assert_string_equal(m.name, "Door");
	display_expect_silence(&owner);
}

static void displays_that_come_and_go_are_told_to_who_was_asked(void **state)
{
	uint8_t id[CAMERA_ID_BYTES];

	(void)state;
	be_asked(IDENTITY_SERIAL, "usb:1", id);
	display_enter(&guest, WEB, 12, "Hall");
	assert_int_equal(registry_revoke(fixture.registry, guest.id, NULL, 1), 0);
	expect_screen(&owner, "Hall", SCREEN_GONE);
	display_expect_silence(&owner);
}

static void an_owner_is_told_of_no_more_displays_than_there_is_room_for(void **state)
{
	struct store_display d;
	uint8_t id[CAMERA_ID_BYTES];
	unsigned int screens = 0;
	const uint8_t *body;
	size_t size;

	(void)state;
	for (unsigned int i = 0; i < WIRE_SCREENS_MAX; i++) {
		store_fixture_display(&fixture.files.store, (uint8_t)(i + 1), "Hall", &d);
	}
	enter_owner(&owner, 10, "Phone");
	come(CAMERA, IDENTITY_SERIAL, "usb:1", "Door", id);
	while (display_next(&owner, &body, &size) == HUB_SCREEN) {
		screens++;
	}
	assert_int_equal(screens, WIRE_SCREENS_MAX);
	/* What came next is the camera that it is about. */
	display_expect_silence(&owner);
}

/* ---- answering ---- */

static void a_camera_is_shown_to_the_displays_that_the_owner_ticked(void **state)
{
	struct wire_camera c;
	uint8_t id[CAMERA_ID_BYTES];

	(void)state;
	display_enter(&guest, WEB, 12, "Hall");
	display_expect_welcome(&guest, 0);
	enter_owner(&second, 11, "Tablet");
	enter_owner(&owner, 10, "Phone");
	come(CAMERA, IDENTITY_SERIAL, "usb:1", "Door", id);
	display_hear_all(&owner);
	display_hear_all(&second);
	share(&owner, id, &owner);
	expect_over(&owner, id);
	expect_over(&second, id);
	display_expect_camera(&owner, CAMERA_READY, &c);
	assert_int_equal(c.flags, 0);
	share(&owner, id, &guest);
	display_expect_camera(&guest, CAMERA_READY, &c);
	display_expect_silence(&second);
	assert_int_equal(store_grant_check(&fixture.files.store, guest.id, id), 0);
	assert_int_equal(store_grant_check(&fixture.files.store, second.id, id), -ENOENT);
}

static void what_was_decided_is_not_asked_again_after_a_restart(void **state)
{
	static const char *const keys[] = {"usb:1", "usb:2", "usb:3"};
	uint8_t ids[3][CAMERA_ID_BYTES];
	const uint8_t *body;
	struct wire_new_camera m;

	(void)state;
	enter_owner(&owner, 10, "Phone");
	for (unsigned int i = 0; i < 3; i++) {
		come(CAMERA + i, IDENTITY_SERIAL, keys[i], "Door", ids[i]);
	}
	decide(&owner, ids[0], DECISION_NOBODY);
	decide(&owner, ids[1], DECISION_IGNORE);
	assert_non_null(sent_find(CAMERA + 1, IPC_TURNED_AWAY));
	while (display_next(&owner, &body, &(size_t){0}) != 0) {
	}
	power_cycle();
	enter_owner(&owner, 20, "Phone");
	come(20, IDENTITY_SERIAL, keys[0], "Door", ids[0]);
	display_expect_silence(&owner);
	camera_hello_of(21, IDENTITY_SERIAL, C270, keys[1], "Door");
	assert_non_null(sent_find(21, IPC_TURNED_AWAY));
	display_expect_silence(&owner);
	come(22, IDENTITY_SERIAL, keys[2], "Door", ids[2]);
	expect_screen(&owner, "Phone", SCREEN_PAIRED);
	expect_new(&owner, ids[2], &m);
}

static void a_share_that_failed_is_asked_again_while_there_is_a_question(void **state)
{
	struct wire_new_camera m;
	uint8_t id[CAMERA_ID_BYTES];

	(void)state;
	be_asked(IDENTITY_SERIAL, "usb:1", id);
	share(&owner, id, &guest); /* which is not on record */
	expect_new(&owner, id, &m);
	display_expect_silence(&owner);
	decide(&owner, id, DECISION_NOBODY);
	expect_over(&owner, id);
	share(&owner, id, &guest);
	display_expect_silence(&owner);
	registry_peer_gone(fixture.registry, CAMERA);
	share(&owner, id, &guest);
	display_expect_silence(&owner);
	assert_nothing_sent(WEB, IPC_CUT);
}

static void a_decision_on_the_command_line_takes_the_question_back(void **state)
{
	uint8_t id[CAMERA_ID_BYTES];

	(void)state;
	be_asked(IDENTITY_SERIAL, "usb:1", id);
	assert_int_equal(registry_ignore(fixture.registry, id), 0);
	expect_over(&owner, id);
	display_expect_silence(&owner);
	/* Too late. */
	decide(&owner, id, DECISION_CONFIRM);
	decide(&owner, id, DECISION_NOBODY);
	preview(&owner, id, true);
	display_expect_silence(&owner);
}

static void a_quarantined_camera_is_confirmed_before_it_is_shown(void **state)
{
	struct wire_new_camera m;
	struct wire_camera c;
	uint8_t id[CAMERA_ID_BYTES];

	(void)state;
	enter_owner(&owner, 10, "Phone");
	come(CAMERA, IDENTITY_RUN, "", "Twin", id);
	expect_screen(&owner, "Phone", SCREEN_PAIRED);
	expect_new(&owner, id, &m);
	assert_int_equal(m.flags, NEW_CAMERA_QUARANTINED);
	share(&owner, id, &owner);
	expect_new(&owner, id, &m); /* which failed */
	decide(&owner, id, DECISION_CONFIRM);
	expect_over(&owner, id);
	share(&owner, id, &owner);
	display_expect_camera(&owner, CAMERA_READY, &c);
	display_expect_silence(&owner);
}

static void who_is_no_owner_is_cut_off_for_deciding(void **state)
{
	uint8_t id[CAMERA_ID_BYTES];

	(void)state;
	for (int i = 0; i < 3; i++) {
		display_enter(&guest, WEB, 12U + (unsigned int)i, "Hall");
		come(CAMERA, IDENTITY_SERIAL, "usb:1", "Door", id);
		if (i == 0) {
			share(&guest, id, &guest);
		} else if (i == 1) {
			decide(&guest, id, DECISION_IGNORE);
		} else {
			preview(&guest, id, true);
		}
		web_confirm_cut(WEB);
		assert_int_equal(store_grant_check(&fixture.files.store, guest.id, id), -ENOENT);
		assert_nothing_sent(CAMERA, IPC_TURNED_AWAY);
		assert_nothing_sent(CAMERA, IPC_WRAP);
		registry_peer_gone(fixture.registry, CAMERA);
		sent_forget();
	}
	assert_int_equal(registry_totals_see(fixture.registry)->refused[REFUSED_NOT_OWNER], 3);
}

static void owner_rights_are_read_from_the_store_when_they_are_used(void **state)
{
	uint8_t id[CAMERA_ID_BYTES];

	(void)state;
	be_asked(IDENTITY_SERIAL, "usb:1", id);
	assert_int_equal(sqlite3_exec(fixture.files.store.db, "UPDATE displays SET owner = 0", NULL,
				 NULL, NULL),
		SQLITE_OK);
	share(&owner, id, &owner);
	assert_non_null(sent_find(WEB, IPC_CUT));
	assert_int_equal(store_grant_check(&fixture.files.store, owner.id, id), -ENOENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ask_set_up, ask_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_unknown_camera_is_told_to_owners_with_the_displays_and_to_nobody_else),
		TEST(an_owner_that_logs_in_later_is_asked_after_its_cameras),
		TEST(a_camera_that_is_pulled_out_is_asked_about_no_more_until_it_is_back),
		TEST(a_renamed_camera_is_asked_about_by_its_new_name),
		TEST(displays_that_come_and_go_are_told_to_who_was_asked),
		TEST(an_owner_is_told_of_no_more_displays_than_there_is_room_for),
		TEST(a_camera_is_shown_to_the_displays_that_the_owner_ticked),
		TEST(what_was_decided_is_not_asked_again_after_a_restart),
		TEST(a_share_that_failed_is_asked_again_while_there_is_a_question),
		TEST(a_decision_on_the_command_line_takes_the_question_back),
		TEST(a_quarantined_camera_is_confirmed_before_it_is_shown),
		TEST(who_is_no_owner_is_cut_off_for_deciding),
		TEST(owner_rights_are_read_from_the_store_when_they_are_used),
	};

	return cmocka_run_group_tests_name("ask", tests, NULL, NULL);
}
