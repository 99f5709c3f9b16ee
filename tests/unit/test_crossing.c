/* What crosses on its way: answers to questions that are over, words of connections that are gone,
 * orders about cameras that were just pulled out. Nobody is cut for it, and nothing else changes.
 */
#include "ask_fixture.h"

#include "registry_state.h"

static void assert_nobody_is_cut(void)
{
	assert_nothing_sent(WEB, IPC_CUT);
	assert_int_equal(registry_totals_see(fixture.registry)->refused[REFUSED_MALFORMED], 0);
	assert_int_equal(registry_totals_see(fixture.registry)->refused[REFUSED_OUT_OF_ORDER], 0);
}

static struct registry_session *session_of(const struct display *d)
{
	struct registry_session *s = registry_session_of(fixture.registry, WEB, d->connection);

	assert_non_null(s);
	return s;
}

static void unwatch(struct display *d, uint16_t stream, uint32_t drawn)
{
	const struct wire_unwatch m = {.stream = stream, .drawn = drawn};
	uint8_t body[64];

	display_say(d, DISPLAY_UNWATCH, body, wire_encode_unwatch(&m, body, sizeof(body)));
}

/* ---- owners ---- */

static void a_decision_about_a_camera_that_was_just_pulled_out_changes_nothing(void **state)
{
	uint8_t id[CAMERA_ID_BYTES];
	struct store_camera c;

	(void)state;
	be_asked(IDENTITY_SERIAL, "usb:1", id);
	registry_peer_gone(fixture.registry, CAMERA);
	expect_over(&owner, id);
	decide(&owner, id, DECISION_IGNORE);
	preview(&owner, id, true);
	preview(&owner, id, false);
	display_expect_silence(&owner);
	assert_nobody_is_cut();
	assert_int_equal(store_camera_get(&fixture.files.store, id, &c), 0);
	assert_int_equal(c.standing, STANDING_PLAIN);
	assert_false(c.decided);
}

static void the_second_decision_about_a_camera_changes_nothing(void **state)
{
	uint8_t id[CAMERA_ID_BYTES];

	(void)state;
	be_asked(IDENTITY_SERIAL, "usb:1", id);
	decide(&owner, id, DECISION_NOBODY);
	expect_over(&owner, id);
	decide(&owner, id, DECISION_IGNORE);
	preview(&owner, id, true);
	display_expect_silence(&owner);
	assert_nobody_is_cut();
	assert_false(was_dropped(CAMERA, false));
	assert_nothing_sent(CAMERA, IPC_TURNED_AWAY);
}

static void a_camera_that_can_be_told_apart_needs_no_word_that_it_is_the_one(void **state)
{
	uint8_t id[CAMERA_ID_BYTES];
	struct store_camera c;

	(void)state;
	be_asked(IDENTITY_SERIAL, "usb:1", id);
	decide(&owner, id, DECISION_CONFIRM);
	display_expect_silence(&owner);
	assert_nobody_is_cut();
	assert_int_equal(store_camera_get(&fixture.files.store, id, &c), 0);
	assert_int_equal(c.standing, STANDING_PLAIN);
	assert_false(c.decided);
}

static void the_end_of_a_look_that_was_never_begun_rotates_nothing(void **state)
{
	uint8_t id[CAMERA_ID_BYTES];

	(void)state;
	be_asked(IDENTITY_SERIAL, "usb:1", id);
	preview(&owner, id, false);
	display_expect_silence(&owner);
	assert_nothing_sent(CAMERA, IPC_ROTATE);
	assert_nobody_is_cut();
}

static void a_camera_that_is_pulled_out_ends_the_look_at_it(void **state)
{
	uint8_t id[CAMERA_ID_BYTES];
	struct wire_camera m;

	(void)state;
	be_asked(IDENTITY_SERIAL, "usb:1", id);
	preview(&owner, id, true);
	display_expect_camera(&owner, CAMERA_READY, &m);
	registry_peer_gone(fixture.registry, CAMERA);
	expect_over(&owner, id);
	display_expect_gone(&owner, END_PREVIEW_OVER);
	display_expect_silence(&owner);
	assert_int_equal(session_of(&owner)->preview_until_us, 0);
}

static void ignoring_a_camera_leaves_those_that_only_look_like_it(void **state)
{
	uint8_t id[CAMERA_ID_BYTES], known[CAMERA_ID_BYTES], other[CAMERA_ID_BYTES];

	(void)state;
	come(CAMERA, IDENTITY_RUN, "", "C270", id);
	come(OTHER, IDENTITY_SERIAL, "usb:2", "C270", known);
	come(OTHER + 1, IDENTITY_RUN, "", "HD", other);
	assert_int_equal(registry_ignore(fixture.registry, id), 0);
	assert_true(was_dropped(CAMERA, false));
	assert_false(was_dropped(OTHER, false));
	assert_false(was_dropped(OTHER + 1, false));
}

static void of_an_ignored_camera_only_those_are_told_who_had_it(void **state)
{
	uint8_t id[CAMERA_ID_BYTES];
	uint32_t told;

	(void)state;
	camera_join(CAMERA, "usb:1", "Door", id);
	display_view(&guest, 10, "Kitchen", CAMERA, id);
	display_enter(&second, WEB, 11, "Hall");
	display_hear_all(&second);
	/* This one had it, too, and is being cut. */
	display_enter(&owner, WEB, 12, "Phone");
	assert_int_equal(registry_grant(fixture.registry, owner.id, id), 0);
	registry_session_cut(fixture.registry, session_of(&owner), CUT_RESET, AUDIT_REFUSED);
	told = session_of(&owner)->hub_counter;
	assert_int_equal(registry_ignore(fixture.registry, id), 0);
	display_expect_ended(&guest, 1, END_OFFLINE);
	display_expect_gone(&guest, END_NOT_SHARED);
	display_expect_silence(&guest);
	display_expect_silence(&second);
	assert_int_equal(session_of(&owner)->hub_counter, told);
}

/* ---- displays ---- */

static void the_first_thing_a_display_says_of_the_end_of_a_stream_counts(void **state)
{
	uint8_t id[CAMERA_ID_BYTES];

	(void)state;
	camera_join(CAMERA, "usb:1", "Door", id);
	display_view(&guest, 10, "Kitchen", CAMERA, id);
	unwatch(&guest, 1, 7);
	unwatch(&guest, 1, 900);
	assert_int_equal(session_of(&guest)->streams->counts.drawn, 7);
	assert_nobody_is_cut();
}

static void the_time_is_not_asked_of_a_camera_whose_first_key_is_on_its_way(void **state)
{
	const struct wire_time m = {.stream = 1};
	uint8_t id[CAMERA_ID_BYTES], body[64];
	struct ipc_wrap wrap;

	(void)state;
	camera_join(CAMERA, "usb:1", "Door", id);
	display_enter(&guest, WEB, 10, "Kitchen");
	assert_int_equal(registry_grant(fixture.registry, guest.id, id), 0);
	fixture.now_us += 1000ULL * REGISTRY_TIME_MS;
	display_watch(&guest, 1, id);
	camera_take_wrap(CAMERA, &wrap);
	display_say(&guest, DISPLAY_TIME, body, wire_encode_time(&m, body, sizeof(body)));
	assert_nothing_sent(CAMERA, IPC_WRAP);
	camera_answer_wrap(CAMERA, &wrap, 1);
	display_say(&guest, DISPLAY_TIME, body, wire_encode_time(&m, body, sizeof(body)));
	assert_int_equal(camera_wrap(CAMERA, 1), KEY_TIME);
	assert_nobody_is_cut();
}

static void a_camera_that_is_forgotten_is_told_to_nobody_who_is_not_in(void **state)
{
	uint8_t id[CAMERA_ID_BYTES];

	(void)state;
	come(CAMERA, IDENTITY_RUN, "", "C270", id);
	assert_int_equal(registry_confirm(fixture.registry, id), 0);
	display_view(&guest, 10, "Kitchen", CAMERA, id);
	/* Known by its key, and being cut; and one at the door. */
	registry_session_cut(fixture.registry, session_of(&guest), CUT_RESET, AUDIT_REFUSED);
	display_connect(&second, WEB, 11);
	sent_forget();
	registry_peer_gone(fixture.registry, CAMERA);
	assert_nothing_sent(WEB, IPC_TELL);
}

static void a_camera_that_is_away_can_be_called_otherwise(void **state)
{
	uint8_t id[CAMERA_ID_BYTES];
	struct wire_camera m;

	(void)state;
	camera_join(CAMERA, "usb:1", "Door", id);
	display_view(&guest, 10, "Kitchen", CAMERA, id);
	registry_peer_gone(fixture.registry, CAMERA);
	display_hear_all(&guest);
	assert_int_equal(registry_rename(fixture.registry, id, "Gate"), 0);
	display_expect_camera(&guest, CAMERA_OFFLINE, &m);
	assert_string_equal(m.name, "Gate");
	camera_join(OTHER, "usb:1", "Door", id);
	display_expect_camera(&guest, CAMERA_READY, &m);
	assert_string_equal(m.name, "Gate");
}

/* ---- the web role ---- */

static void words_of_connections_and_streams_that_are_gone_are_passed_over(void **state)
{
	static const uint8_t bytes[] = {WIRE_DISPLAY, 1, 2, 3};
	const struct ipc_relay relay = {.connection = 99, .bytes = bytes, .size = sizeof(bytes)};
	uint8_t id[CAMERA_ID_BYTES];
	unsigned int before;

	(void)state;
	camera_join(CAMERA, "usb:1", "Door", id);
	display_view(&guest, 10, "Kitchen", CAMERA, id);
	before = fixture.sent_count;
	registry_web_heard(fixture.registry, WEB, &relay);
	registry_web_taken(fixture.registry, WEB, &(struct ipc_stream){.connection = 99});
	registry_web_taken(
		fixture.registry, WEB, &(struct ipc_stream){.connection = 10, .stream = 9});
	/* Nobody told it to let go of this one. */
	registry_web_taken(
		fixture.registry, WEB, &(struct ipc_stream){.connection = 10, .stream = 1});
	assert_int_equal(fixture.sent_count, before);
	assert_false(was_dropped(WEB, true));
	assert_int_equal(session_of(&guest)->streams->state, STREAM_KEYED);
	assert_int_equal(session_of(&guest)->streams_count, 1);
}

static void a_message_larger_than_a_display_may_send_ends_its_connection(void **state)
{
	static uint8_t bytes[WIRE_DISPLAY_MESSAGE_MAX_BYTES + 1] = {WIRE_DISPLAY};
	const struct ipc_relay relay = {.connection = 10, .bytes = bytes, .size = sizeof(bytes)};

	(void)state;
	display_connect(&guest, WEB, 10);
	registry_web_heard(fixture.registry, WEB, &relay);
	assert_non_null(sent_find(WEB, IPC_CUT));
	assert_int_equal(registry_totals_see(fixture.registry)->refused[REFUSED_MALFORMED], 1);
}

static void a_connection_that_is_being_reset_is_not_told_so_twice(void **state)
{
	struct ipc_message m;
	uint64_t deadline_us;

	(void)state;
	display_enter(&guest, WEB, 10, "Kitchen");
	registry_session_cut(fixture.registry, session_of(&guest), CUT_RESET, AUDIT_REFUSED);
	sent_take(WEB, IPC_CUT, &m);
	deadline_us = session_of(&guest)->cut_deadline_us;
	fixture.now_us += 1000;
	registry_session_cut(fixture.registry, session_of(&guest), CUT_RESET, AUDIT_REFUSED);
	registry_session_cut(fixture.registry, session_of(&guest), CUT_REFUSE, AUDIT_REFUSED);
	assert_nothing_sent(WEB, IPC_CUT);
	assert_int_equal(session_of(&guest)->cut_deadline_us, deadline_us);
}

static void who_is_at_which_web_process_is_told_apart(void **state)
{
	uint8_t id[CAMERA_ID_BYTES];
	struct registry_web_view view;

	(void)state;
	camera_join(CAMERA, "usb:1", "Door", id);
	display_view(&guest, 10, "Kitchen", CAMERA, id);
	display_enter(&second, WEB, 11, "Hall");
	web_join(OTHER);
	assert_int_equal(registry_web_see(fixture.registry, 0, &view), 0);
	assert_int_equal(view.connections, 0);
	assert_int_equal(registry_web_see(fixture.registry, 1, &view), 0);
	assert_int_equal(view.connections, 2);
	assert_true(registry_display_watches(fixture.registry, guest.id, id));
	assert_false(registry_display_watches(fixture.registry, second.id, id));
	unwatch(&guest, 1, 0);
	assert_false(registry_display_watches(fixture.registry, guest.id, id));
	/* Being cut is not being there. */
	assert_true(registry_display_online(fixture.registry, guest.id));
	registry_session_cut(fixture.registry, session_of(&guest), CUT_REFUSE, AUDIT_REFUSED);
	assert_false(registry_display_online(fixture.registry, guest.id));
	assert_false(registry_display_watches(fixture.registry, guest.id, id));
}

/* ---- revokes ---- */

static uint8_t door[CAMERA_ID_BYTES], yard[CAMERA_ID_BYTES];

/* The guest watches both, as streams 1 and 2. */
static void watch_both(void)
{
	camera_join(CAMERA, "usb:1", "Door", door);
	camera_join(OTHER, "usb:2", "Yard", yard);
	display_view(&guest, 10, "Kitchen", CAMERA, door);
	assert_int_equal(registry_grant(fixture.registry, guest.id, yard), 0);
	display_watch(&guest, 2, yard);
	assert_int_equal(camera_wrap(OTHER, 1), KEY_WATCH);
	display_hear_all(&guest);
	sent_forget();
}

static void a_revoke_of_one_camera_ends_no_stream_of_another(void **state)
{
	(void)state;
	watch_both();
	assert_int_equal(registry_revoke(fixture.registry, guest.id, door, 7), 0);
	display_expect_ended(&guest, 1, END_NOT_SHARED);
	display_expect_gone(&guest, END_NOT_SHARED);
	display_expect_silence(&guest);
	assert_true(registry_display_watches(fixture.registry, guest.id, yard));
}

static void a_second_revoke_does_not_end_the_streams_of_the_first_again(void **state)
{
	(void)state;
	watch_both();
	assert_int_equal(registry_revoke(fixture.registry, guest.id, door, 7), 0);
	display_hear_all(&guest);
	/* The web role has not let go of the first stream yet. */
	assert_int_equal(registry_revoke(fixture.registry, guest.id, yard, 8), 0);
	display_expect_ended(&guest, 2, END_NOT_SHARED);
	display_expect_gone(&guest, END_NOT_SHARED);
	display_expect_silence(&guest);
}

static void a_revoke_does_not_wait_for_a_stream_of_another_camera(void **state)
{
	(void)state;
	watch_both();
	unwatch(&guest, 2, 0); /* the web role has not let go of it yet */
	sent_forget();
	assert_int_equal(registry_revoke(fixture.registry, guest.id, door, 7), 0);
	camera_rotate(CAMERA, IPC_ROTATE, 2);
	assert_int_equal(fixture.revoked, 0);
	web_confirm_take(WEB);
	assert_int_equal(fixture.revoked, 7);
	assert_int_equal(session_of(&guest)->streams_count, 1);
}

static void a_stream_that_the_display_had_ended_is_not_ended_by_a_revoke(void **state)
{
	(void)state;
	watch_both();
	unwatch(&guest, 1, 0);
	assert_int_equal(registry_revoke(fixture.registry, guest.id, door, 7), 0);
	display_expect_gone(&guest, END_NOT_SHARED);
	display_expect_silence(&guest);
	/* But it is waited for: its buffer may hold a picture. */
	camera_rotate(CAMERA, IPC_ROTATE, 2);
	assert_int_equal(fixture.revoked, 0);
	web_confirm_take(WEB);
	assert_int_equal(fixture.revoked, 7);
}

static void what_cannot_be_waited_for_is_not_begun(void **state)
{
	struct store *s = &fixture.files.store;
	struct store_suspension x;

	(void)state;
	watch_both();
	for (size_t i = 0; i < REGISTRY_REVOCATIONS_MAX; i++) {
		fixture.registry->revocations[i].waiting = true;
	}
	assert_int_equal(registry_revoke_all(fixture.registry, 7), -EBUSY);
	assert_int_equal(
		registry_suspend(fixture.registry, SUSPENDED_DISPLAY, guest.id, "lost", 8), -EBUSY);
	assert_int_equal(store_grant_check(s, guest.id, door), 0);
	assert_int_equal(store_suspension_of(s, guest.id, door, &x), 0);
	assert_nobody_is_cut();
	display_expect_silence(&guest);
}

/* ---- keys ---- */

static void a_question_is_not_written_over_one_that_waits(void **state)
{
	struct registry *r = fixture.registry;
	struct registry_wrap *waiting;
	struct ipc_wrap wrap;

	(void)state;
	watch_both();
	waiting = &r->wraps[(r->requests + 1) % REGISTRY_WRAPS_MAX];
	*waiting = (struct registry_wrap){
		.request = r->requests + 1 + REGISTRY_WRAPS_MAX, .deadline_us = UINT64_MAX};
	r->wraps_count++;
	display_watch(&guest, 3, door);
	camera_take_wrap(CAMERA, &wrap);
	camera_answer_wrap(CAMERA, &wrap, 1);
	display_expect_key(&guest, KEY_WATCH, 1);
	assert_int_equal(r->wraps_count, 1);
	assert_int_equal(waiting->deadline_us, UINT64_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ask_set_up, ask_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_decision_about_a_camera_that_was_just_pulled_out_changes_nothing),
		TEST(the_second_decision_about_a_camera_changes_nothing),
		TEST(a_camera_that_can_be_told_apart_needs_no_word_that_it_is_the_one),
		TEST(the_end_of_a_look_that_was_never_begun_rotates_nothing),
		TEST(a_camera_that_is_pulled_out_ends_the_look_at_it),
		TEST(ignoring_a_camera_leaves_those_that_only_look_like_it),
		TEST(of_an_ignored_camera_only_those_are_told_who_had_it),
		TEST(the_first_thing_a_display_says_of_the_end_of_a_stream_counts),
		TEST(the_time_is_not_asked_of_a_camera_whose_first_key_is_on_its_way),
		TEST(a_camera_that_is_forgotten_is_told_to_nobody_who_is_not_in),
		TEST(a_camera_that_is_away_can_be_called_otherwise),
		TEST(words_of_connections_and_streams_that_are_gone_are_passed_over),
		TEST(a_message_larger_than_a_display_may_send_ends_its_connection),
		TEST(a_connection_that_is_being_reset_is_not_told_so_twice),
		TEST(who_is_at_which_web_process_is_told_apart),
		TEST(a_revoke_of_one_camera_ends_no_stream_of_another),
		TEST(a_second_revoke_does_not_end_the_streams_of_the_first_again),
		TEST(a_revoke_does_not_wait_for_a_stream_of_another_camera),
		TEST(a_stream_that_the_display_had_ended_is_not_ended_by_a_revoke),
		TEST(what_cannot_be_waited_for_is_not_begun),
		TEST(a_question_is_not_written_over_one_that_waits),
	};

	return cmocka_run_group_tests_name("crossing", tests, NULL, NULL);
}
