/* Cutting off without taking away: the order, who is concerned, and what is left. */
#include "keeper_fixture.h"
#include <errno.h>

enum { WEB = 1, CAMERA = 2, OTHER_CAMERA = 3 };

static struct display display, other;
static uint8_t camera[CAMERA_ID_BYTES], other_camera[CAMERA_ID_BYTES];

/* What the owner said it is; the fixture makes browsers. */
static void make_kiosk(const struct display *d)
{
	sqlite3_stmt *update = NULL;

	assert_int_equal(sqlite3_prepare_v2(fixture.files.store.db,
				 "UPDATE displays SET kind = 1 WHERE id = ?", -1, &update, NULL),
		SQLITE_OK);
	sqlite3_bind_blob(update, 1, d->id, sizeof(d->id), SQLITE_STATIC);
	assert_int_equal(sqlite3_step(update), SQLITE_DONE);
	sqlite3_finalize(update);
}

static void log_in(struct display *d, uint64_t connection)
{
	uint8_t bytes[WIRE_DISPLAY_MESSAGE_MAX_BYTES];
	size_t size;

	display_connect(d, WEB, connection);
	size = display_make_login(d, bytes, sizeof(bytes));
	display_heard(d, bytes, size);
}

static int set_up(void **state)
{
	fixture_set_up(state);
	display_init(&display);
	display_init(&other);
	web_join(WEB);
	camera_join(CAMERA, "usb:1", "Door", camera);
	camera_join(OTHER_CAMERA, "usb:2", "Yard", other_camera);
	display_view(&display, 10, "Kitchen", CAMERA, camera);
	display_enter(&other, WEB, 11, "Hall");
	make_kiosk(&other);
	registry_web_closed(fixture.registry, WEB, 11);
	log_in(&other, 12);
	assert_int_equal(registry_grant(fixture.registry, other.id, camera), 0);
	display_watch(&other, 1, camera);
	assert_int_equal(camera_wrap(CAMERA, 1), KEY_WATCH);
	display_hear_all(&other);
	sent_forget();
	return 0;
}

static int tear_down(void **state)
{
	display_finish(&display);
	display_finish(&other);
	return fixture_tear_down(state);
}

static uint8_t cut_mode(uint64_t connection)
{
	for (unsigned int i = 0; i < fixture.sent_count; i++) {
		const struct sent *s = &fixture.sent[i];
		struct ipc_message m = {
			.type = IPC_CUT, .fields = s->bytes + 1, .fields_size = s->size - 1};
		struct ipc_cut cut;

		if (!s->taken && s->peer == WEB && s->bytes[0] == IPC_CUT) {
			assert_int_equal(ipc_parse_cut(&m, &cut), 0);
			if (cut.connection == connection) {
				return cut.mode;
			}
		}
	}
	return 0;
}

static int suspend(enum suspended what, const uint8_t *id, uint64_t operation)
{
	return registry_suspend(fixture.registry, what, id, "a stranger's picture", operation);
}

/* ---- the order ---- */

static void a_suspended_display_is_cut_then_the_camera_rotates(void **state)
{
	(void)state;
	assert_int_equal(suspend(SUSPENDED_DISPLAY, display.id, 7), 0);
	assert_int_equal(store_grant_check(&fixture.files.store, display.id, camera), -ENOENT);
	assert_int_equal(cut_mode(10), CUT_RESET);
	assert_int_equal(cut_mode(12), 0);
	assert_true(sent_find(WEB, IPC_CUT) < sent_find(CAMERA, IPC_ROTATE));
	assert_nothing_sent(OTHER_CAMERA, IPC_ROTATE);
	assert_int_equal(fixture.revoked, 0);
	fixture_pass_ms(30);
	web_confirm_cut(WEB);
	camera_rotate(CAMERA, IPC_ROTATE, 2);
	assert_int_equal(fixture.revoked, 7);
	assert_int_equal(fixture.revoked_us, 30000);
}

static void a_suspended_camera_is_taken_then_rotates_then_is_told(void **state)
{
	const struct sent *ended;

	(void)state;
	assert_int_equal(suspend(SUSPENDED_CAMERA, camera, 7), 0);
	ended = sent_find(WEB, IPC_TELL);
	assert_true(sent_find(WEB, IPC_TAKE) < sent_find(CAMERA, IPC_ROTATE));
	assert_true(sent_find(CAMERA, IPC_ROTATE) < ended);
	assert_nothing_sent(WEB, IPC_CUT);
	display_expect_ended(&display, 1, END_NOT_SHARED);
	display_expect_gone(&display, END_NOT_SHARED);
	display_expect_ended(&other, 1, END_NOT_SHARED);
	display_expect_gone(&other, END_NOT_SHARED);
	web_confirm_take(WEB);
	camera_rotate(CAMERA, IPC_ROTATE, 2);
	assert_int_equal(fixture.revoked, 0);
	web_confirm_take(WEB);
	assert_int_equal(fixture.revoked, 7);
	/* Nobody is left to be given a key. */
	assert_nothing_sent(CAMERA, IPC_WRAP);
}

static void a_display_that_did_not_have_the_camera_does_not_hear_of_it(void **state)
{
	struct display stranger;

	(void)state;
	display_init(&stranger);
	display_enter(&stranger, WEB, 13, "Stranger");
	display_expect_welcome(&stranger, 0);
	assert_int_equal(suspend(SUSPENDED_CAMERA, camera, 7), 0);
	display_expect_silence(&stranger);
	assert_int_equal(registry_resume(fixture.registry, SUSPENDED_CAMERA, camera), 0);
	display_expect_silence(&stranger);
	display_finish(&stranger);
}

static void a_suspended_camera_that_is_granted_is_told_when_it_is_resumed(void **state)
{
	struct display stranger;
	struct wire_camera m;

	(void)state;
	display_init(&stranger);
	display_enter(&stranger, WEB, 13, "Stranger");
	display_expect_welcome(&stranger, 0);
	assert_int_equal(suspend(SUSPENDED_CAMERA, camera, 7), 0);
	assert_int_equal(registry_grant(fixture.registry, stranger.id, camera), 0);
	display_expect_silence(&stranger);
	assert_int_equal(registry_resume(fixture.registry, SUSPENDED_CAMERA, camera), 0);
	display_expect_camera(&stranger, CAMERA_READY, &m);
	assert_string_equal(m.name, "Door");
	display_finish(&stranger);
}

static void a_camera_that_hangs_over_a_suspension_is_ended(void **state)
{
	(void)state;
	assert_int_equal(suspend(SUSPENDED_BROWSERS, NULL, 7), 0);
	web_confirm_cut(WEB);
	fixture_pass_ms(REGISTRY_ROTATE_MS);
	assert_true(was_dropped(CAMERA, true));
	assert_int_equal(fixture.revoked, 7);
}

/* ---- who ---- */

static void a_kind_is_cut_and_no_other_kind(void **state)
{
	(void)state;
	assert_int_equal(suspend(SUSPENDED_BROWSERS, NULL, 7), 0);
	assert_int_equal(cut_mode(10), CUT_RESET);
	assert_int_equal(cut_mode(12), 0);
	web_confirm_cut(WEB);
	camera_rotate(CAMERA, IPC_ROTATE, 2);
	assert_int_equal(fixture.revoked, 7);
	/* The kiosk goes on with the new key. */
	assert_int_equal(camera_wrap(CAMERA, 2), KEY_BREAK);
	display_expect_key(&other, KEY_BREAK, 2);
}

static void a_key_asked_for_before_a_suspension_is_not_delivered_after_it(void **state)
{
	struct ipc_wrap wrap;

	(void)state;
	display_watch(&display, 2, camera);
	camera_take_wrap(CAMERA, &wrap);
	assert_int_equal(suspend(SUSPENDED_CAMERA, camera, 7), 0);
	camera_answer_wrap(CAMERA, &wrap, 1);
	assert_nothing_sent(WEB, IPC_TELL_KEY);
}

/* As if somebody asked between the commit and the cut: the store alone decides. */
static void a_key_asked_for_after_the_commit_is_not_given(void **state)
{
	struct ipc_wrap wrap;

	(void)state;
	display_watch(&display, 2, camera);
	camera_take_wrap(CAMERA, &wrap);
	assert_int_equal(
		store_suspend(&fixture.files.store, SUSPENDED_CAMERA, camera, "found out"), 0);
	camera_answer_wrap(CAMERA, &wrap, 1);
	assert_nothing_sent(WEB, IPC_TELL_KEY);
	display_watch(&other, 3, camera);
	assert_nothing_sent(CAMERA, IPC_WRAP);
}

static void a_suspended_display_gets_the_refusal_that_everybody_gets(void **state)
{
	(void)state;
	assert_int_equal(suspend(SUSPENDED_BROWSERS, NULL, 7), 0);
	web_confirm_cut(WEB);
	log_in(&display, 20);
	assert_nothing_sent(WEB, IPC_ADMIT);
	assert_nothing_sent(WEB, IPC_TELL);
	assert_int_equal(cut_mode(20), CUT_REFUSE);
	assert_int_equal(registry_totals_see(fixture.registry)->refused[REFUSED_SUSPENDED], 1);
	/* That it is about to be refused does not hold up what is under way. */
	camera_rotate(CAMERA, IPC_ROTATE, 2);
	assert_int_equal(fixture.revoked, 7);
}

static void a_display_that_is_being_closed_is_reset_when_it_is_suspended(void **state)
{
	(void)state;
	display_say(&display, 99, (const uint8_t *)"", 0);
	assert_int_equal(cut_mode(10), CUT_REFUSE);
	sent_forget();
	assert_int_equal(suspend(SUSPENDED_DISPLAY, display.id, 7), 0);
	assert_int_equal(cut_mode(10), CUT_RESET);
	camera_rotate(CAMERA, IPC_ROTATE, 2);
	assert_int_equal(fixture.revoked, 0);
	fixture_pass_ms(REGISTRY_CUT_MS);
	assert_true(was_dropped(WEB, true));
	assert_int_equal(fixture.revoked, 7);
}

/* ---- what is left ---- */

static void a_resumed_display_has_what_was_granted(void **state)
{
	struct wire_camera m;

	(void)state;
	assert_int_equal(suspend(SUSPENDED_BROWSERS, NULL, 7), 0);
	web_confirm_cut(WEB);
	camera_rotate(CAMERA, IPC_ROTATE, 2);
	assert_int_equal(registry_resume(fixture.registry, SUSPENDED_BROWSERS, NULL), 0);
	sent_forget();
	log_in(&display, 20);
	display_expect_welcome(&display, 1);
	display_expect_camera(&display, CAMERA_READY, &m);
	display_watch(&display, 1, camera);
	assert_int_equal(camera_wrap(CAMERA, 2), KEY_WATCH);
	display_expect_key(&display, KEY_WATCH, 2);
	assert_int_equal(registry_resume(fixture.registry, SUSPENDED_BROWSERS, NULL), -ENOENT);
}

static void a_resumed_camera_is_told_to_those_who_had_it(void **state)
{
	struct wire_camera m;

	(void)state;
	assert_int_equal(suspend(SUSPENDED_CAMERA, camera, 7), 0);
	web_confirm_take(WEB);
	web_confirm_take(WEB);
	camera_rotate(CAMERA, IPC_ROTATE, 2);
	sent_forget();
	display.heard += 2;
	other.heard += 2;
	assert_int_equal(registry_resume(fixture.registry, SUSPENDED_CAMERA, camera), 0);
	display_expect_camera(&display, CAMERA_READY, &m);
	display_expect_camera(&other, CAMERA_READY, &m);
	display_watch(&display, 2, camera);
	assert_int_equal(camera_wrap(CAMERA, 2), KEY_WATCH);
}

static void a_display_of_two_suspensions_needs_both_ended(void **state)
{
	(void)state;
	assert_int_equal(suspend(SUSPENDED_BROWSERS, NULL, 7), 0);
	assert_int_equal(suspend(SUSPENDED_DISPLAY, display.id, 8), 0);
	assert_int_equal(suspend(SUSPENDED_DISPLAY, display.id, 9), -EALREADY);
	assert_int_equal(registry_resume(fixture.registry, SUSPENDED_BROWSERS, NULL), 0);
	assert_int_equal(store_grant_check(&fixture.files.store, display.id, camera), -ENOENT);
	assert_int_equal(registry_resume(fixture.registry, SUSPENDED_DISPLAY, display.id), 0);
	assert_int_equal(store_grant_check(&fixture.files.store, display.id, camera), 0);
}

static void a_suspension_outlives_the_keeper_and_any_clock(void **state)
{
	struct store_suspension x;

	(void)state;
	assert_int_equal(suspend(SUSPENDED_CAMERA, camera, 7), 0);
	store_finish(&fixture.files.store);
	store_fixture_open(&fixture.files);
	assert_int_equal(store_grant_check(&fixture.files.store, display.id, camera), -ENOENT);
	assert_int_equal(sqlite3_exec(fixture.files.store.db,
				 "UPDATE suspensions SET since_s = 4102444800", NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(store_grant_check(&fixture.files.store, display.id, camera), -ENOENT);
	assert_int_equal(store_suspension_of(&fixture.files.store, NULL, camera, &x), 1);
	assert_string_equal(x.reason, "a stranger's picture");
}

/* ---- everything ---- */

static void everything_of_everybody_is_taken_in_one_step(void **state)
{
	struct store_display d;
	const struct pairing_offer offer = {.cameras_count = 0};

	(void)state;
	pairing_add(&fixture.pairing, fixture.now_us, 900, (uint8_t[LINK_ID_BYTES]){1},
		(uint8_t[LINK_SECRET_BYTES]){2}, &offer);
	assert_int_equal(registry_revoke_all(fixture.registry, 7), 0);
	assert_int_equal(cut_mode(10), CUT_RESET);
	assert_int_equal(cut_mode(12), CUT_RESET);
	assert_nothing_sent(OTHER_CAMERA, IPC_ROTATE);
	assert_int_equal(store_display_get(&fixture.files.store, display.id, &d), -ENOENT);
	assert_int_equal(store_display_get(&fixture.files.store, other.id, &d), -ENOENT);
	assert_int_equal(fixture.pairing.links[0].state, PAIRING_FREE);
	web_confirm_cut(WEB);
	camera_rotate(CAMERA, IPC_ROTATE, 2);
	assert_int_equal(fixture.revoked, 0);
	web_confirm_cut(WEB);
	assert_int_equal(fixture.revoked, 7);
}

static void strangers_do_not_hold_up_a_revoke_of_everything(void **state)
{
	struct display stranger;

	(void)state;
	display_init(&stranger);
	display_connect(&stranger, WEB, 30);
	display_heard(&stranger, (const uint8_t *)"x", 1);
	assert_int_equal(registry_revoke_all(fixture.registry, 7), 0);
	camera_rotate(CAMERA, IPC_ROTATE, 2);
	registry_web_cut_done(fixture.registry, WEB, 10);
	registry_web_cut_done(fixture.registry, WEB, 12);
	assert_int_equal(fixture.revoked, 7);
	display_finish(&stranger);
}

static void a_revoke_of_everything_that_cannot_be_stored_takes_nothing(void **state)
{
	struct store_display d;

	(void)state;
	store_fixture_fill(&fixture.files.store);
	assert_int_equal(registry_revoke_all(fixture.registry, 7), -ENOSPC);
	assert_nothing_sent(WEB, IPC_CUT);
	assert_int_equal(store_display_get(&fixture.files.store, display.id, &d), 0);
	assert_int_equal(store_display_get(&fixture.files.store, other.id, &d), 0);
	store_fixture_make_room(&fixture.files.store);
	assert_int_equal(registry_revoke_all(fixture.registry, 8), 0);
	assert_int_equal(cut_mode(10), CUT_RESET);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_suspended_display_is_cut_then_the_camera_rotates),
		TEST(a_suspended_camera_is_taken_then_rotates_then_is_told),
		TEST(a_display_that_did_not_have_the_camera_does_not_hear_of_it),
		TEST(a_suspended_camera_that_is_granted_is_told_when_it_is_resumed),
		TEST(a_camera_that_hangs_over_a_suspension_is_ended),
		TEST(a_kind_is_cut_and_no_other_kind),
		TEST(a_key_asked_for_before_a_suspension_is_not_delivered_after_it),
		TEST(a_key_asked_for_after_the_commit_is_not_given),
		TEST(a_suspended_display_gets_the_refusal_that_everybody_gets),
		TEST(a_display_that_is_being_closed_is_reset_when_it_is_suspended),
		TEST(a_resumed_display_has_what_was_granted),
		TEST(a_resumed_camera_is_told_to_those_who_had_it),
		TEST(a_display_of_two_suspensions_needs_both_ended),
		TEST(a_suspension_outlives_the_keeper_and_any_clock),
		TEST(everything_of_everybody_is_taken_in_one_step),
		TEST(a_revoke_of_everything_that_cannot_be_stored_takes_nothing),
		TEST(strangers_do_not_hold_up_a_revoke_of_everything),
	};

	return cmocka_run_group_tests_name("suspend", tests, NULL, NULL);
}
