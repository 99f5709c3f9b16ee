/* Cameras that nobody has decided about: who is asked, who may answer, and what a preview may not.
 */
#include "keeper_fixture.h"
#include "wire_ask.h"
#include <errno.h>

enum { WEB = 1, CAMERA = 2, OTHER = 3 };

static const char C270[] = "046d:0825";

static struct display owner, second, guest;

static int set_up(void **state)
{
	fixture_set_up(state);
	display_init(&owner);
	display_init(&second);
	display_init(&guest);
	web_join(WEB);
	return 0;
}

static int tear_down(void **state)
{
	display_finish(&owner);
	display_finish(&second);
	display_finish(&guest);
	return fixture_tear_down(state);
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

/* ---- what is heard ---- */

static void expect_new(struct display *d, const uint8_t camera[static CAMERA_ID_BYTES],
	struct wire_new_camera *ret)
{
	const uint8_t *body = NULL;
	size_t size = 0;

	assert_int_equal(display_next(d, &body, &size), HUB_NEW_CAMERA);
	assert_int_equal(wire_parse_new_camera(body, size, ret), 0);
	assert_memory_equal(ret->id, camera, CAMERA_ID_BYTES);
}

static void expect_over(struct display *d, const uint8_t camera[static CAMERA_ID_BYTES])
{
	const uint8_t *body = NULL;
	size_t size = 0;
	struct wire_new_camera_gone m;

	assert_int_equal(display_next(d, &body, &size), HUB_NEW_CAMERA_GONE);
	assert_int_equal(wire_parse_new_camera_gone(body, size, &m), 0);
	assert_memory_equal(m.id, camera, CAMERA_ID_BYTES);
}

static void expect_screen(struct display *d, const char *name, enum screen_state screen_state)
{
	const uint8_t *body = NULL;
	size_t size = 0;
	struct wire_screen m;

	assert_int_equal(display_next(d, &body, &size), HUB_SCREEN);
	assert_int_equal(wire_parse_screen(body, size, &m), 0);
	assert_string_equal(m.name, name);
	assert_int_equal(m.state, screen_state);
}

/* ---- what is said ---- */

static void share(
	struct display *d, const uint8_t camera[static CAMERA_ID_BYTES], const struct display *with)
{
	struct wire_share m;
	uint8_t body[64];

	memcpy(m.camera, camera, sizeof(m.camera));
	memcpy(m.display, with->id, sizeof(m.display));
	display_say(d, DISPLAY_SHARE, body, wire_encode_share(&m, body, sizeof(body)));
}

static void decide(
	struct display *d, const uint8_t camera[static CAMERA_ID_BYTES], enum decision decision)
{
	struct wire_decide m = {.decision = (uint8_t)decision};
	uint8_t body[64];

	memcpy(m.camera, camera, sizeof(m.camera));
	display_say(d, DISPLAY_DECIDE, body, wire_encode_decide(&m, body, sizeof(body)));
}

static void preview(struct display *d, const uint8_t camera[static CAMERA_ID_BYTES], bool on)
{
	struct wire_preview m = {.on = on};
	uint8_t body[64];

	memcpy(m.camera, camera, sizeof(m.camera));
	display_say(d, DISPLAY_PREVIEW, body, wire_encode_preview(&m, body, sizeof(body)));
}

/* ---- scenes ---- */

static void come(uint64_t peer, enum identity_strength strength, const char *key, const char *name,
	uint8_t id[static CAMERA_ID_BYTES])
{
	struct ipc_message m;
	struct ipc_adopted adopted;

	camera_hello_of(peer, strength, C270, key, name);
	sent_take(peer, IPC_ADOPTED, &m);
	assert_int_equal(ipc_parse_adopted(&m, &adopted), 0);
	memcpy(id, adopted.camera, CAMERA_ID_BYTES);
	camera_hand_rings(peer);
}

static void enter_owner(struct display *d, uint64_t connection, const char *name)
{
	display_enter_as(d, WEB, connection, name, true);
	display_expect_welcome(d, 0);
}

/* The owner is there, and is asked about a camera. */
static void be_asked(
	enum identity_strength strength, const char *key, uint8_t id[static CAMERA_ID_BYTES])
{
	struct wire_new_camera m;

	enter_owner(&owner, 10, "Phone");
	come(CAMERA, strength, key, "C270 (port 1.2)", id);
	expect_screen(&owner, "Phone", SCREEN_PAIRED);
	expect_new(&owner, id, &m);
	display_expect_silence(&owner);
}

/* The owner looks: a stream with the key of epoch 1. */
static void look(const uint8_t camera[static CAMERA_ID_BYTES])
{
	struct wire_camera m;

	preview(&owner, camera, true);
	display_expect_camera(&owner, CAMERA_READY, &m);
	assert_int_equal(m.flags, CAMERA_FLAG_PREVIEW);
	display_watch(&owner, 1, camera);
	assert_int_equal(camera_wrap(CAMERA, 1), KEY_WATCH);
	display_expect_key(&owner, KEY_WATCH, 1);
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
	for (const uint8_t *body; display_next(&owner, &body, &(size_t){0}) != 0;) {
	}
	for (const uint8_t *body; display_next(&second, &body, &(size_t){0}) != 0;) {
	}
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

/* ---- preview ---- */

static void without_a_preview_an_owner_sees_no_more_than_was_granted(void **state)
{
	uint8_t id[CAMERA_ID_BYTES];

	(void)state;
	be_asked(IDENTITY_SERIAL, "usb:1", id);
	display_watch(&owner, 1, id);
	display_expect_ended(&owner, 1, END_NOT_SHARED);
	assert_nothing_sent(CAMERA, IPC_WRAP);
}

static void a_preview_is_on_record_as_a_viewing_before_its_key(void **state)
{
	struct wire_camera m;
	uint8_t id[CAMERA_ID_BYTES];

	(void)state;
	be_asked(IDENTITY_RUN, "", id);
	preview(&owner, id, true);
	display_expect_camera(&owner, CAMERA_READY, &m);
	assert_int_equal(audit_count(&fixture.files.store), 0);
	display_watch(&owner, 1, id);
	assert_int_equal(sent_find(CAMERA, IPC_WRAP)->viewings, 1);
	assert_int_equal(camera_wrap(CAMERA, 1), KEY_WATCH);
	display_expect_key(&owner, KEY_WATCH, 1);
}

/* ENDED, the key changes, and nothing can be watched any more. */
static void assert_preview_over(const uint8_t id[static CAMERA_ID_BYTES])
{
	display_expect_ended(&owner, 1, END_PREVIEW_OVER);
	web_confirm_take(WEB);
	camera_rotate(CAMERA, IPC_ROTATE, 2);
	assert_nothing_sent(CAMERA, IPC_WRAP);
	display_expect_gone(&owner, END_PREVIEW_OVER);
	display_watch(&owner, 2, id);
	display_expect_ended(&owner, 2, END_NOT_SHARED);
	display_expect_silence(&owner);
}

static void a_preview_ends_after_a_minute_and_the_key_changes(void **state)
{
	uint8_t id[CAMERA_ID_BYTES];

	(void)state;
	be_asked(IDENTITY_SERIAL, "usb:1", id);
	look(id);
	fixture_pass_ms(REGISTRY_PREVIEW_MS - 1);
	display_expect_silence(&owner);
	assert_true(registry_deadline(fixture.registry) <= fixture.now_us + 1000);
	fixture_pass_ms(1);
	assert_preview_over(id);
}

static void a_preview_ends_when_the_owner_says_so(void **state)
{
	uint8_t id[CAMERA_ID_BYTES];

	(void)state;
	be_asked(IDENTITY_SERIAL, "usb:1", id);
	look(id);
	preview(&owner, id, false);
	assert_preview_over(id);
}

static void a_preview_ends_when_anybody_decided(void **state)
{
	uint8_t id[CAMERA_ID_BYTES];

	(void)state;
	be_asked(IDENTITY_SERIAL, "usb:1", id);
	look(id);
	decide(&owner, id, DECISION_NOBODY);
	expect_over(&owner, id);
	assert_preview_over(id);
}

static void a_preview_that_was_worth_it_becomes_a_viewing_of_its_own(void **state)
{
	struct wire_camera m;
	uint8_t id[CAMERA_ID_BYTES];

	(void)state;
	be_asked(IDENTITY_SERIAL, "usb:1", id);
	look(id);
	share(&owner, id, &owner);
	expect_over(&owner, id);
	display_expect_ended(&owner, 1, END_PREVIEW_OVER);
	display_expect_camera(&owner, CAMERA_READY, &m);
	assert_int_equal(m.flags, 0);
	camera_rotate(CAMERA, IPC_ROTATE, 2);
	display_watch(&owner, 2, id);
	assert_int_equal(camera_wrap(CAMERA, 2), KEY_WATCH);
	assert_int_equal(audit_count(&fixture.files.store), 2);
}

static void a_preview_ends_with_its_connection(void **state)
{
	uint8_t id[CAMERA_ID_BYTES];

	(void)state;
	be_asked(IDENTITY_SERIAL, "usb:1", id);
	look(id);
	registry_web_closed(fixture.registry, WEB, owner.connection);
	camera_rotate(CAMERA, IPC_ROTATE, 2);
	sent_forget();
	enter_owner(&owner, 20, "Phone");
	display_watch(&owner, 1, id);
	assert_nothing_sent(CAMERA, IPC_WRAP);
}

static void the_right_to_a_preview_is_read_again_at_every_key(void **state)
{
	struct ipc_wrap wrap;
	uint8_t id[CAMERA_ID_BYTES];
	struct wire_camera m;

	(void)state;
	be_asked(IDENTITY_SERIAL, "usb:1", id);
	preview(&owner, id, true);
	display_expect_camera(&owner, CAMERA_READY, &m);
	display_watch(&owner, 1, id);
	camera_take_wrap(CAMERA, &wrap);
	/* Decided behind the registry's back, while the camera was at it. */
	assert_int_equal(store_camera_decide(&fixture.files.store, id), 0);
	camera_answer_wrap(CAMERA, &wrap, 1);
	display_expect_ended(&owner, 1, END_NOT_SHARED);
	assert_nothing_sent(WEB, IPC_TELL_KEY);
}

static void a_revoke_waits_for_the_key_of_what_was_looked_at(void **state)
{
	uint8_t id[CAMERA_ID_BYTES];

	(void)state;
	be_asked(IDENTITY_SERIAL, "usb:1", id);
	look(id);
	assert_int_equal(registry_revoke(fixture.registry, owner.id, NULL, 7), 0);
	web_confirm_cut(WEB);
	assert_int_equal(fixture.revoked, 0);
	camera_rotate(CAMERA, IPC_ROTATE, 2); /* for the connection that was cut, */
	camera_rotate(CAMERA, IPC_ROTATE, 3); /* and for the revoke */
	assert_int_equal(fixture.revoked, 7);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_unknown_camera_is_told_to_owners_with_the_displays_and_to_nobody_else),
		TEST(an_owner_that_logs_in_later_is_asked_after_its_cameras),
		TEST(a_camera_that_is_pulled_out_is_asked_about_no_more_until_it_is_back),
		TEST(a_renamed_camera_is_asked_about_by_its_new_name),
		TEST(displays_that_come_and_go_are_told_to_who_was_asked),
		TEST(a_camera_is_shown_to_the_displays_that_the_owner_ticked),
		TEST(what_was_decided_is_not_asked_again_after_a_restart),
		TEST(a_decision_on_the_command_line_takes_the_question_back),
		TEST(a_quarantined_camera_is_confirmed_before_it_is_shown),
		TEST(who_is_no_owner_is_cut_off_for_deciding),
		TEST(owner_rights_are_read_from_the_store_when_they_are_used),
		TEST(without_a_preview_an_owner_sees_no_more_than_was_granted),
		TEST(a_preview_is_on_record_as_a_viewing_before_its_key),
		TEST(a_preview_ends_after_a_minute_and_the_key_changes),
		TEST(a_preview_ends_when_the_owner_says_so),
		TEST(a_preview_ends_when_anybody_decided),
		TEST(a_preview_that_was_worth_it_becomes_a_viewing_of_its_own),
		TEST(a_preview_ends_with_its_connection),
		TEST(the_right_to_a_preview_is_read_again_at_every_key),
		TEST(a_revoke_waits_for_the_key_of_what_was_looked_at),
	};

	return cmocka_run_group_tests_name("ask", tests, NULL, NULL);
}
