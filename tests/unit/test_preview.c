/* An owner looks at a camera that nobody has decided about: what the preview gives, what it may
 * not, and what ends it. */
#include "ask_fixture.h"

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

/* The same, when another camera is looked at from now on. */
static void assert_preview_over_but(
	const uint8_t id[static CAMERA_ID_BYTES], const uint8_t next[static CAMERA_ID_BYTES])
{
	struct wire_camera m;

	display_expect_ended(&owner, 1, END_PREVIEW_OVER);
	web_confirm_take(WEB);
	camera_rotate(CAMERA, IPC_ROTATE, 2);
	display_expect_gone(&owner, END_PREVIEW_OVER);
	display_expect_camera(&owner, CAMERA_READY, &m);
	assert_memory_equal(m.id, next, CAMERA_ID_BYTES);
	display_watch(&owner, 2, id);
	display_expect_ended(&owner, 2, END_NOT_SHARED);
	assert_nothing_sent(CAMERA, IPC_WRAP);
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

static void another_preview_ends_the_first(void **state)
{
	uint8_t id[CAMERA_ID_BYTES], next[CAMERA_ID_BYTES];
	struct wire_new_camera n;
	struct wire_camera m;

	(void)state;
	be_asked(IDENTITY_SERIAL, "usb:1", id);
	come(OTHER, IDENTITY_SERIAL, "usb:2", "HD", next);
	expect_new(&owner, next, &n);
	look(id);
	preview(&owner, next, true);
	assert_preview_over_but(id, next);
	/* To ask again for the same one gives it more time. */
	fixture_pass_ms(REGISTRY_PREVIEW_MS - 1);
	preview(&owner, next, true);
	display_expect_camera(&owner, CAMERA_READY, &m);
	fixture_pass_ms(REGISTRY_PREVIEW_MS - 1);
	display_expect_silence(&owner);
}

static void a_suspension_ends_a_preview_at_once(void **state)
{
	uint8_t id[CAMERA_ID_BYTES];

	(void)state;
	be_asked(IDENTITY_SERIAL, "usb:1", id);
	look(id);
	assert_int_equal(registry_suspend(fixture.registry, SUSPENDED_CAMERA, id, "covered", 7), 0);
	web_confirm_take(WEB);
	assert_non_null(sent_find(CAMERA, IPC_ROTATE));
	display_expect_gone(&owner, END_PREVIEW_OVER);
	display_watch(&owner, 2, id);
	display_expect_ended(&owner, 2, END_NOT_SHARED);
	assert_nothing_sent(CAMERA, IPC_WRAP);
}

/* ---- the right to it, while the camera was at the key ---- */

static void no_key_after(void (*happens)(const uint8_t id[static CAMERA_ID_BYTES]))
{
	struct ipc_wrap wrap;
	uint8_t id[CAMERA_ID_BYTES];
	struct wire_camera m;

	be_asked(IDENTITY_SERIAL, "usb:1", id);
	preview(&owner, id, true);
	display_expect_camera(&owner, CAMERA_READY, &m);
	display_watch(&owner, 1, id);
	camera_take_wrap(CAMERA, &wrap);
	happens(id);
	camera_answer_wrap(CAMERA, &wrap, 1);
	display_expect_ended(&owner, 1, END_NOT_SHARED);
	assert_nothing_sent(WEB, IPC_TELL_KEY);
}

/* All of these behind the registry's back. */
static void is_decided(const uint8_t id[static CAMERA_ID_BYTES])
{
	assert_int_equal(store_camera_decide(&fixture.files.store, id), 0);
}

static void is_suspended(const uint8_t id[static CAMERA_ID_BYTES])
{
	assert_int_equal(store_suspend(&fixture.files.store, SUSPENDED_CAMERA, id, "covered"), 0);
}

static void is_no_owner(const uint8_t id[static CAMERA_ID_BYTES])
{
	(void)id;
	assert_int_equal(sqlite3_exec(fixture.files.store.db, "UPDATE displays SET owner = 0", NULL,
				 NULL, NULL),
		SQLITE_OK);
}

static void minute_is_over(const uint8_t id[static CAMERA_ID_BYTES])
{
	(void)id;
	fixture.now_us += 1000ULL * REGISTRY_PREVIEW_MS;
}

static void the_right_to_a_preview_is_read_again_at_every_key(void **state)
{
	(void)state;
	no_key_after(is_decided);
}

static void a_suspended_camera_gives_no_key_to_who_looks(void **state)
{
	(void)state;
	no_key_after(is_suspended);
}

static void who_is_no_owner_any_more_gets_no_key(void **state)
{
	(void)state;
	no_key_after(is_no_owner);
}

static void a_preview_whose_time_is_over_gets_no_key(void **state)
{
	(void)state;
	no_key_after(minute_is_over);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, ask_set_up, ask_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_a_preview_an_owner_sees_no_more_than_was_granted),
		TEST(a_preview_is_on_record_as_a_viewing_before_its_key),
		TEST(a_preview_ends_after_a_minute_and_the_key_changes),
		TEST(a_preview_ends_when_the_owner_says_so),
		TEST(a_preview_ends_when_anybody_decided),
		TEST(a_preview_that_was_worth_it_becomes_a_viewing_of_its_own),
		TEST(a_preview_ends_with_its_connection),
		TEST(another_preview_ends_the_first),
		TEST(a_suspension_ends_a_preview_at_once),
		TEST(the_right_to_a_preview_is_read_again_at_every_key),
		TEST(a_suspended_camera_gives_no_key_to_who_looks),
		TEST(who_is_no_owner_any_more_gets_no_key),
		TEST(a_preview_whose_time_is_over_gets_no_key),
		TEST(a_revoke_waits_for_the_key_of_what_was_looked_at),
	};

	return cmocka_run_group_tests_name("preview", tests, NULL, NULL);
}
