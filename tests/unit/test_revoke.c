/* Revocation (in its order), rotation, and what is done about a mix-up. */
#include "keeper_fixture.h"
#include <errno.h>

enum { WEB = 1, CAMERA = 2, OTHER_CAMERA = 3 };

static struct display display, other;
static uint8_t camera[CAMERA_ID_BYTES], other_camera[CAMERA_ID_BYTES];

static int set_up(void **state)
{
	fixture_set_up(state);
	display_init(&display);
	display_init(&other);
	web_join(WEB);
	camera_join(CAMERA, "usb:1", "Door", camera);
	camera_join(OTHER_CAMERA, "usb:2", "Yard", other_camera);
	display_view(&display, 10, "Kitchen", CAMERA, camera);
	display_view(&other, 11, "Hall", CAMERA, camera);
	sent_forget();
	return 0;
}

static int tear_down(void **state)
{
	display_finish(&display);
	display_finish(&other);
	return fixture_tear_down(state);
}

static void key_ack(struct display *d, uint16_t stream, uint32_t epoch)
{
	struct wire_key_ack m = {.stream = stream, .epoch = epoch};
	uint8_t body[16];

	display_say(d, DISPLAY_KEY_ACK, body, wire_encode_key_ack(&m, body, sizeof(body)));
}

static bool breaks_of(const struct sent *s)
{
	struct ipc_message m = {
		.type = IPC_TELL_KEY, .fields = s->bytes + 1, .fields_size = s->size - 1};
	struct ipc_tell_key key;

	assert_int_equal(ipc_parse_tell_key(&m, &key), 0);
	return key.breaks;
}

/* ---- revoke ---- */

static void one_camera_is_taken_then_rotated_then_told(void **state)
{
	const struct sent *take, *rotate, *ended;

	(void)state;
	assert_int_equal(registry_revoke(fixture.registry, display.id, camera, 7), 0);
	assert_int_equal(store_grant_check(&fixture.files.store, display.id, camera), -ENOENT);
	take = sent_find(WEB, IPC_TAKE);
	rotate = sent_find(CAMERA, IPC_ROTATE);
	ended = sent_find(WEB, IPC_TELL);
	assert_non_null(take);
	assert_non_null(rotate);
	assert_true(take < rotate && rotate < ended);
	assert_nothing_sent(WEB, IPC_CUT);
	display_expect_ended(&display, 1, END_NOT_SHARED);
	display_expect_gone(&display, END_NOT_SHARED);
	display_expect_silence(&other);
}

static void everything_taken_cuts_the_connection_with_a_reset(void **state)
{
	struct ipc_message m;
	struct ipc_cut cut;
	struct store_display gone;

	(void)state;
	assert_int_equal(registry_revoke(fixture.registry, display.id, NULL, 7), 0);
	assert_true(sent_find(WEB, IPC_CUT) < sent_find(CAMERA, IPC_ROTATE));
	sent_take(WEB, IPC_CUT, &m);
	assert_int_equal(ipc_parse_cut(&m, &cut), 0);
	assert_int_equal(cut.connection, 10);
	assert_int_equal(cut.mode, CUT_RESET);
	display_expect_silence(&display);
	assert_int_equal(store_display_get(&fixture.files.store, display.id, &gone), -ENOENT);
	assert_nothing_sent(OTHER_CAMERA, IPC_ROTATE);
}

static void a_display_that_is_being_cut_is_not_heard(void **state)
{
	(void)state;
	assert_int_equal(registry_revoke(fixture.registry, display.id, NULL, 7), 0);
	sent_forget();
	display_watch(&display, 2, camera);
	assert_nothing_sent(CAMERA, IPC_WRAP);
	assert_nothing_sent(WEB, IPC_TELL);
	assert_int_equal(registry_totals_see(fixture.registry)->refused[REFUSED_OUT_OF_ORDER], 0);
}

static void it_is_confirmed_when_web_and_camera_confirmed(void **state)
{
	(void)state;
	assert_int_equal(registry_revoke(fixture.registry, display.id, camera, 7), 0);
	assert_int_equal(fixture.revoked, 0);
	fixture_pass_ms(20);
	web_confirm_take(WEB);
	assert_int_equal(fixture.revoked, 0);
	camera_rotate(CAMERA, IPC_ROTATE, 2);
	assert_int_equal(fixture.revoked, 7);
	assert_int_equal(fixture.revoked_us, 20000);
	/* in the other order as well, and for a cut */
	assert_int_equal(registry_revoke(fixture.registry, other.id, NULL, 8), 0);
	camera_rotate(CAMERA, IPC_ROTATE, 3);
	assert_int_equal(fixture.revoked, 7);
	web_confirm_cut(WEB);
	assert_int_equal(fixture.revoked, 8);
}

static void the_remaining_watchers_alone_get_the_new_key(void **state)
{
	struct ipc_wrap wrap;

	(void)state;
	assert_int_equal(registry_revoke(fixture.registry, display.id, camera, 7), 0);
	assert_nothing_sent(CAMERA, IPC_WRAP);
	camera_rotate(CAMERA, IPC_ROTATE, 2);
	camera_take_wrap(CAMERA, &wrap);
	assert_int_equal(wrap.purpose, KEY_BREAK);
	assert_memory_equal(wrap.display, other.id, sizeof(other.id));
	assert_nothing_sent(CAMERA, IPC_WRAP);
	camera_answer_wrap(CAMERA, &wrap, 2);
	assert_true(breaks_of(sent_find(WEB, IPC_TELL_KEY)));
	display_expect_key(&other, KEY_BREAK, 2);
}

static void an_unwatched_camera_is_rotated_too(void **state)
{
	(void)state;
	registry_web_closed(fixture.registry, WEB, 10);
	sent_forget();
	assert_int_equal(registry_revoke(fixture.registry, display.id, camera, 7), 0);
	camera_rotate(CAMERA, IPC_ROTATE, 2);
	assert_int_equal(fixture.revoked, 7);
}

static void a_camera_that_hangs_is_ended_and_its_ring_dropped(void **state)
{
	(void)state;
	assert_int_equal(registry_revoke(fixture.registry, display.id, camera, 7), 0);
	web_confirm_take(WEB);
	fixture_pass_ms(REGISTRY_ROTATE_MS - 1);
	assert_false(was_dropped(CAMERA, true));
	fixture_pass_ms(1);
	assert_true(was_dropped(CAMERA, true));
	assert_non_null(sent_find(WEB, IPC_RING_GONE));
	assert_int_equal(fixture.revoked, 7);
	display_expect_ended(&other, 1, END_OFFLINE);
}

static void a_web_process_that_hangs_is_ended(void **state)
{
	(void)state;
	assert_int_equal(registry_revoke(fixture.registry, display.id, NULL, 7), 0);
	camera_rotate(CAMERA, IPC_ROTATE, 2);
	assert_true(registry_deadline(fixture.registry) <=
		    fixture.now_us + UINT64_C(1000) * REGISTRY_CUT_MS);
	fixture_pass_ms(REGISTRY_CUT_MS);
	assert_true(was_dropped(WEB, true));
	assert_int_equal(fixture.revoked, 7);
	assert_false(registry_display_online(fixture.registry, other.id));
}

static void an_answer_to_an_earlier_rotation_does_not_confirm_a_later_revoke(void **state)
{
	(void)state;
	assert_int_equal(registry_revoke(fixture.registry, display.id, camera, 7), 0);
	assert_int_equal(registry_revoke(fixture.registry, other.id, camera, 8), 0);
	web_confirm_take(WEB);
	web_confirm_take(WEB);
	camera_rotate(CAMERA, IPC_ROTATE, 2);
	assert_int_equal(fixture.revoked, 0);
	camera_rotate(CAMERA, IPC_ROTATE, 3);
	assert_int_equal(fixture.revoked, 8);
	assert_nothing_sent(CAMERA, IPC_WRAP);
}

static void a_key_under_way_at_a_revoke_is_not_delivered(void **state)
{
	struct ipc_wrap wrap;

	(void)state;
	display_watch(&display, 2, camera);
	camera_take_wrap(CAMERA, &wrap);
	assert_int_equal(registry_revoke(fixture.registry, display.id, camera, 7), 0);
	camera_answer_wrap(CAMERA, &wrap, 1);
	assert_nothing_sent(WEB, IPC_TELL_KEY);
}

static void revoked_and_granted_again_at_once_needs_a_new_watch(void **state)
{
	struct wire_camera m;

	(void)state;
	assert_int_equal(registry_revoke(fixture.registry, display.id, camera, 7), 0);
	assert_int_equal(registry_grant(fixture.registry, display.id, camera), 0);
	display_expect_ended(&display, 1, END_NOT_SHARED);
	display_expect_gone(&display, END_NOT_SHARED);
	display_expect_camera(&display, CAMERA_READY, &m);
	camera_rotate(CAMERA, IPC_ROTATE, 2);
	assert_int_equal(camera_wrap(CAMERA, 2), KEY_BREAK);
	assert_nothing_sent(CAMERA, IPC_WRAP);
	display_expect_silence(&display);
	display_expect_key(&other, KEY_BREAK, 2);
}

static void what_was_not_granted_cannot_be_revoked(void **state)
{
	(void)state;
	assert_int_equal(registry_revoke(fixture.registry, display.id, other_camera, 7), -ENOENT);
	assert_nothing_sent(OTHER_CAMERA, IPC_ROTATE);
	assert_int_equal(fixture.revoked, 0);
}

/* ---- scheduled rotation ---- */

static void a_rotation_switches_when_every_watcher_has_the_key(void **state)
{
	(void)state;
	registry_camera_rotation_due(fixture.registry, CAMERA);
	assert_int_equal(camera_wrap(CAMERA, 2), KEY_NEXT);
	assert_int_equal(camera_wrap(CAMERA, 2), KEY_NEXT);
	assert_false(breaks_of(sent_find(WEB, IPC_TELL_KEY)));
	display_expect_key(&display, KEY_NEXT, 2);
	display_expect_key(&other, KEY_NEXT, 2);
	key_ack(&display, 1, 2);
	assert_nothing_sent(CAMERA, IPC_SWITCH);
	key_ack(&other, 1, 3);
	assert_nothing_sent(CAMERA, IPC_SWITCH);
	key_ack(&other, 1, 2);
	camera_rotate(CAMERA, IPC_SWITCH, 2);
	assert_nothing_sent(CAMERA, IPC_WRAP);
}

static void a_rotation_does_not_wait_longer_than_half_a_second(void **state)
{
	(void)state;
	registry_camera_rotation_due(fixture.registry, CAMERA);
	assert_int_equal(camera_wrap(CAMERA, 2), KEY_NEXT);
	fixture_pass_ms(REGISTRY_PREPARE_MS - 1);
	assert_nothing_sent(CAMERA, IPC_SWITCH);
	fixture_pass_ms(1);
	camera_rotate(CAMERA, IPC_SWITCH, 2);
}

static void a_watcher_without_the_next_key_is_given_it_after_the_switch(void **state)
{
	struct ipc_wrap wrap;

	(void)state;
	registry_camera_rotation_due(fixture.registry, CAMERA);
	assert_int_equal(camera_wrap(CAMERA, 2), KEY_NEXT);
	camera_take_wrap(CAMERA, &wrap);
	fixture_pass_ms(REGISTRY_PREPARE_MS);
	camera_rotate(CAMERA, IPC_SWITCH, 2);
	assert_int_equal(camera_wrap(CAMERA, 2), KEY_BREAK);
	assert_nothing_sent(CAMERA, IPC_WRAP);
}

static void nobody_watching_switches_at_once(void **state)
{
	(void)state;
	registry_camera_rotation_due(fixture.registry, OTHER_CAMERA);
	assert_non_null(sent_find(OTHER_CAMERA, IPC_SWITCH));
}

static void a_watcher_that_leaves_does_not_hold_up_the_switch(void **state)
{
	(void)state;
	registry_camera_rotation_due(fixture.registry, CAMERA);
	camera_wrap(CAMERA, 2);
	camera_wrap(CAMERA, 2);
	key_ack(&display, 1, 2);
	registry_web_closed(fixture.registry, WEB, 11);
	assert_non_null(sent_find(CAMERA, IPC_SWITCH));
}

static void who_begins_to_watch_meanwhile_gets_both_keys(void **state)
{
	(void)state;
	registry_camera_rotation_due(fixture.registry, CAMERA);
	camera_wrap(CAMERA, 2);
	camera_wrap(CAMERA, 2);
	display_watch(&display, 2, camera);
	assert_int_equal(camera_wrap(CAMERA, 1), KEY_WATCH);
	assert_int_equal(camera_wrap(CAMERA, 2), KEY_NEXT);
}

static void a_revoke_voids_the_prepared_key(void **state)
{
	(void)state;
	registry_camera_rotation_due(fixture.registry, CAMERA);
	assert_int_equal(camera_wrap(CAMERA, 2), KEY_NEXT);
	assert_int_equal(camera_wrap(CAMERA, 2), KEY_NEXT);
	assert_int_equal(registry_revoke(fixture.registry, display.id, camera, 7), 0);
	key_ack(&other, 1, 2);
	assert_nothing_sent(CAMERA, IPC_SWITCH);
	camera_rotate(CAMERA, IPC_ROTATE, 3);
	assert_int_equal(camera_wrap(CAMERA, 3), KEY_BREAK);
	assert_nothing_sent(CAMERA, IPC_WRAP);
}

static void a_next_key_that_comes_after_a_break_was_ordered_is_not_delivered(void **state)
{
	struct ipc_wrap first, second;

	(void)state;
	registry_camera_rotation_due(fixture.registry, CAMERA);
	camera_take_wrap(CAMERA, &first);
	camera_take_wrap(CAMERA, &second);
	assert_int_equal(registry_revoke(fixture.registry, display.id, camera, 7), 0);
	camera_answer_wrap(CAMERA, &first, 2);
	camera_answer_wrap(CAMERA, &second, 2);
	assert_nothing_sent(WEB, IPC_TELL_KEY);
}

/* ---- a mix-up is an alarm ---- */

static void a_report_is_counted_and_rotates_the_camera_at_once(void **state)
{
	(void)state;
	display_report(&display, 1, ANOMALY_UNSEAL);
	assert_int_equal(registry_totals_see(fixture.registry)->anomalies[ANOMALY_UNSEAL], 1);
	camera_rotate(CAMERA, IPC_ROTATE, 2);
	assert_int_equal(camera_wrap(CAMERA, 2), KEY_BREAK);
	assert_int_equal(camera_wrap(CAMERA, 2), KEY_BREAK);
	assert_nothing_sent(WEB, IPC_CUT);
}

static void two_reports_within_a_minute_cut_the_display_not_the_camera(void **state)
{
	(void)state;
	display_report(&display, 1, ANOMALY_FOREIGN_CAMERA);
	camera_rotate(CAMERA, IPC_ROTATE, 2);
	fixture_pass_ms(REGISTRY_REPORT_MS - 1);
	display_report(&display, 1, ANOMALY_FOREIGN_CAMERA);
	assert_non_null(sent_find(WEB, IPC_CUT));
	assert_nothing_sent(CAMERA, IPC_ROTATE);
	assert_int_equal(
		registry_totals_see(fixture.registry)->anomalies[ANOMALY_FOREIGN_CAMERA], 2);
}

static void reports_a_minute_apart_cut_nobody(void **state)
{
	(void)state;
	display_report(&display, 1, ANOMALY_COUNTER);
	camera_rotate(CAMERA, IPC_ROTATE, 2);
	fixture_pass_ms(REGISTRY_REPORT_MS);
	display_report(&display, 1, ANOMALY_COUNTER);
	display_report(&other, 1, ANOMALY_COUNTER);
	assert_nothing_sent(WEB, IPC_CUT);
}

static void coming_back_does_not_forget_the_first_report(void **state)
{
	(void)state;
	display_report(&display, 1, ANOMALY_KEY);
	camera_rotate(CAMERA, IPC_ROTATE, 2);
	registry_web_closed(fixture.registry, WEB, 10);
	display_enter(&display, WEB, 12, "Kitchen");
	display_report(&display, 1, ANOMALY_KEY);
	assert_non_null(sent_find(WEB, IPC_CUT));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_camera_is_taken_then_rotated_then_told),
		TEST(everything_taken_cuts_the_connection_with_a_reset),
		TEST(a_display_that_is_being_cut_is_not_heard),
		TEST(it_is_confirmed_when_web_and_camera_confirmed),
		TEST(the_remaining_watchers_alone_get_the_new_key),
		TEST(an_unwatched_camera_is_rotated_too),
		TEST(a_camera_that_hangs_is_ended_and_its_ring_dropped),
		TEST(a_web_process_that_hangs_is_ended),
		TEST(an_answer_to_an_earlier_rotation_does_not_confirm_a_later_revoke),
		TEST(a_key_under_way_at_a_revoke_is_not_delivered),
		TEST(revoked_and_granted_again_at_once_needs_a_new_watch),
		TEST(what_was_not_granted_cannot_be_revoked),
		TEST(a_rotation_switches_when_every_watcher_has_the_key),
		TEST(a_rotation_does_not_wait_longer_than_half_a_second),
		TEST(a_watcher_without_the_next_key_is_given_it_after_the_switch),
		TEST(nobody_watching_switches_at_once),
		TEST(a_watcher_that_leaves_does_not_hold_up_the_switch),
		TEST(who_begins_to_watch_meanwhile_gets_both_keys),
		TEST(a_revoke_voids_the_prepared_key),
		TEST(a_next_key_that_comes_after_a_break_was_ordered_is_not_delivered),
		TEST(a_report_is_counted_and_rotates_the_camera_at_once),
		TEST(two_reports_within_a_minute_cut_the_display_not_the_camera),
		TEST(reports_a_minute_apart_cut_nobody),
		TEST(coming_back_does_not_forget_the_first_report),
	};

	return cmocka_run_group_tests_name("revoke", tests, NULL, NULL);
}
