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
	return 0;
}

static int tear_down(void **state)
{
	display_finish(&display);
	display_finish(&other);
	return fixture_tear_down(state);
}

static void enter_with_grant(struct display *d, uint64_t connection, const char *name)
{
	struct wire_camera m;

	display_enter(d, WEB, connection, name);
	display_expect_welcome(d, 0);
	assert_int_equal(registry_grant(fixture.registry, d->id, camera), 0);
	display_expect_camera(d, CAMERA_READY, &m);
}

/* ---- nothing is shared by default ---- */

static void a_display_without_grants_is_welcomed_and_told_no_camera(void **state)
{
	(void)state;
	display_enter(&display, WEB, 10, "Kitchen");
	assert_non_null(sent_find(WEB, IPC_ADMIT));
	display_expect_welcome(&display, 0);
	display_expect_silence(&display);
	assert_nothing_sent(WEB, IPC_CUT);
}

static void a_new_camera_is_shown_to_nobody(void **state)
{
	uint8_t third[CAMERA_ID_BYTES];

	(void)state;
	enter_with_grant(&display, 10, "Kitchen");
	camera_join(4, "usb:3", "Cellar", third);
	display_expect_silence(&display);
}

static void a_grant_appears_at_once_and_on_the_granted_display_only(void **state)
{
	struct wire_camera m;

	(void)state;
	display_enter(&display, WEB, 10, "Kitchen");
	display_enter(&other, WEB, 11, "Hall");
	display_expect_welcome(&display, 0);
	display_expect_welcome(&other, 0);
	assert_int_equal(registry_grant(fixture.registry, display.id, camera), 0);
	display_expect_camera(&display, CAMERA_READY, &m);
	assert_string_equal(m.name, "Door");
	assert_memory_equal(m.id, camera, sizeof(camera));
	display_expect_silence(&other);
}

static void an_ungranted_camera_gives_nothing(void **state)
{
	(void)state;
	enter_with_grant(&display, 10, "Kitchen");
	display_watch(&display, 1, other_camera);
	display_expect_ended(&display, 1, END_NOT_SHARED);
	assert_nothing_sent(OTHER_CAMERA, IPC_WRAP);
	assert_nothing_sent(OTHER_CAMERA, IPC_DEMAND);
	assert_nothing_sent(WEB, IPC_GIVE);
	assert_int_equal(audit_count(&fixture.files.store), 0);
}

static void a_camera_is_ready_only_when_its_ring_is_with_the_web_process(void **state)
{
	struct wire_camera m;
	uint8_t id[CAMERA_ID_BYTES];
	struct store_camera found;

	(void)state;
	camera_hello(4, IDENTITY_SERIAL, "usb:3", "Cellar");
	assert_int_equal(store_camera_find(&fixture.files.store, "Cellar", &found), 0);
	memcpy(id, found.id, sizeof(id));
	display_enter(&display, WEB, 10, "Kitchen");
	display_expect_welcome(&display, 0);
	assert_int_equal(registry_grant(fixture.registry, display.id, id), 0);
	display_expect_camera(&display, CAMERA_OFFLINE, &m);
	display_watch(&display, 1, id);
	display_expect_ended(&display, 1, END_OFFLINE);
	camera_hand_rings(4);
	display_expect_camera(&display, CAMERA_READY, &m);
	assert_int_equal(m.generation[0], 4);
	assert_int_equal(m.kem_public[64], 4);
}

/* ---- keys ---- */

static void a_watch_is_given_wrapped_and_told_in_this_order(void **state)
{
	struct ipc_message m;
	struct ipc_give give;
	struct ipc_wrap wrap;
	struct ipc_tell_key key;

	(void)state;
	enter_with_grant(&display, 10, "Kitchen");
	sent_forget();
	display_watch(&display, 7, camera);
	sent_take(WEB, IPC_GIVE, &m);
	assert_int_equal(ipc_parse_give(&m, &give), 0);
	assert_int_equal(give.stream, 7);
	assert_memory_equal(give.camera, camera, sizeof(camera));
	assert_int_equal(give.generation[0], CAMERA);
	assert_non_null(sent_find(CAMERA, IPC_DEMAND));
	camera_take_wrap(CAMERA, &wrap);
	assert_memory_equal(wrap.display, display.id, sizeof(wrap.display));
	assert_memory_equal(wrap.kem_public, display.kem.public, sizeof(wrap.kem_public));
	assert_memory_equal(wrap.session, display.session, sizeof(wrap.session));
	assert_int_equal(wrap.nonce[0], 7);
	assert_null(sent_find(WEB, IPC_TELL_KEY));
	camera_answer_wrap(CAMERA, &wrap, 5);
	assert_int_equal(
		ipc_parse_tell_key(
			&(struct ipc_message){.fields = sent_find(WEB, IPC_TELL_KEY)->bytes + 1,
				.fields_size = sent_find(WEB, IPC_TELL_KEY)->size - 1},
			&key),
		0);
	assert_int_equal(key.stream, 7);
	assert_int_equal(key.epoch, 5);
	assert_false(key.breaks);
	display_expect_key(&display, KEY_WATCH, 5);
}

static void the_viewing_is_on_record_before_the_key_is_asked_for(void **state)
{
	struct ipc_message m;

	(void)state;
	enter_with_grant(&display, 10, "Kitchen");
	display_watch(&display, 1, camera);
	assert_int_equal(sent_take(CAMERA, IPC_WRAP, &m)->viewings, 1);
}

static void a_full_disk_gives_no_key(void **state)
{
	(void)state;
	enter_with_grant(&display, 10, "Kitchen");
	store_fixture_fill(&fixture.files.store);
	display_watch(&display, 1, camera);
	display_expect_ended(&display, 1, END_NO_RECORD);
	assert_nothing_sent(CAMERA, IPC_WRAP);
	assert_nothing_sent(WEB, IPC_GIVE);
	assert_nothing_sent(CAMERA, IPC_DEMAND);
}

static void a_full_disk_loses_no_closing(void **state)
{
	(void)state;
	display_view(&display, 10, "Kitchen", CAMERA, camera);
	store_fixture_fill(&fixture.files.store);
	registry_web_closed(fixture.registry, WEB, 10);
	fixture_pass_ms(REGISTRY_CLOSINGS_MS);
	store_fixture_make_room(&fixture.files.store);
	fixture_pass_ms(REGISTRY_CLOSINGS_RETRY_MS);
	unsigned int unseen = 9;
	assert_int_equal(audit_close_unseen(&fixture.files.store, &unseen), 0);
	assert_int_equal(unseen, 0);
}

/* The store alone changes here: nothing tells the registry. */
static void a_grant_that_went_between_watch_and_wrapped_gives_no_key(void **state)
{
	struct ipc_wrap wrap;

	(void)state;
	enter_with_grant(&display, 10, "Kitchen");
	display_watch(&display, 1, camera);
	camera_take_wrap(CAMERA, &wrap);
	assert_int_equal(store_grant_remove(&fixture.files.store, display.id, camera), 0);
	camera_answer_wrap(CAMERA, &wrap, 1);
	assert_nothing_sent(WEB, IPC_TELL_KEY);
	assert_non_null(sent_find(WEB, IPC_TAKE));
	display_expect_ended(&display, 1, END_NOT_SHARED);
}

static void a_grant_that_went_is_noticed_at_the_next_wrap(void **state)
{
	struct wire_time m = {.stream = 1};
	uint8_t body[32];

	(void)state;
	display_view(&display, 10, "Kitchen", CAMERA, camera);
	assert_int_equal(store_grant_remove(&fixture.files.store, display.id, camera), 0);
	display_say(&display, DISPLAY_TIME, body, wire_encode_time(&m, body, sizeof(body)));
	assert_nothing_sent(CAMERA, IPC_WRAP);
	registry_camera_rotation_due(fixture.registry, CAMERA);
	assert_nothing_sent(CAMERA, IPC_WRAP);
}

static void an_answer_goes_to_its_own_request_only_and_once(void **state)
{
	struct ipc_wrap first, second;

	(void)state;
	enter_with_grant(&display, 10, "Kitchen");
	enter_with_grant(&other, 11, "Hall");
	display_watch(&display, 1, camera);
	display_watch(&other, 1, camera);
	camera_take_wrap(CAMERA, &first);
	camera_take_wrap(CAMERA, &second);
	assert_int_not_equal(first.request, second.request);
	/* nor can a number that was never given, though it would have the same place */
	second.request += REGISTRY_WRAPS_MAX;
	camera_answer_wrap(CAMERA, &second, 1);
	second.request -= REGISTRY_WRAPS_MAX;
	assert_nothing_sent(WEB, IPC_TELL_KEY);
	/* another camera cannot answer for it */
	camera_answer_wrap(OTHER_CAMERA, &first, 1);
	assert_nothing_sent(WEB, IPC_TELL_KEY);
	camera_answer_wrap(CAMERA, &second, 1);
	display_expect_silence(&display);
	display_expect_key(&other, KEY_WATCH, 1);
	camera_answer_wrap(CAMERA, &second, 1);
	display_expect_silence(&other);
	camera_answer_wrap(CAMERA, &first, 1);
	display_expect_key(&display, KEY_WATCH, 1);
}

static void an_answer_after_the_display_left_reaches_nobody(void **state)
{
	struct ipc_wrap wrap;

	(void)state;
	enter_with_grant(&display, 10, "Kitchen");
	display_watch(&display, 1, camera);
	camera_take_wrap(CAMERA, &wrap);
	registry_web_closed(fixture.registry, WEB, 10);
	enter_with_grant(&other, 12, "Hall");
	display_watch(&other, 1, camera);
	camera_answer_wrap(CAMERA, &wrap, 1);
	assert_nothing_sent(WEB, IPC_TELL_KEY);
}

static void a_camera_that_cannot_wrap_or_does_not_answer_ends_the_stream(void **state)
{
	struct ipc_wrap wrap;
	struct ipc_wrapped none = {0};

	(void)state;
	enter_with_grant(&display, 10, "Kitchen");
	display_watch(&display, 1, camera);
	camera_take_wrap(CAMERA, &wrap);
	none.request = wrap.request;
	registry_camera_wrapped(fixture.registry, CAMERA, &none);
	display_expect_ended(&display, 1, END_OFFLINE);
	web_confirm_take(WEB);
	display_watch(&display, 2, camera);
	fixture_pass_ms(REGISTRY_ANSWER_MS);
	display_expect_ended(&display, 2, END_OFFLINE);
}

static void bad_watches_are_refused_one_by_one(void **state)
{
	struct wire_watch m = {.stream = 2};
	uint8_t body[64];

	(void)state;
	enter_with_grant(&display, 10, "Kitchen");
	display_watch(&display, 1, camera);
	display_watch(&display, 1, camera);
	display_expect_ended(&display, 1, END_REFUSED);
	m.rendition = 1;
	memcpy(m.camera, camera, sizeof(camera));
	display_say(&display, DISPLAY_WATCH, body, wire_encode_watch(&m, body, sizeof(body)));
	display_expect_ended(&display, 2, END_REFUSED);
	for (uint16_t n = 3; n < WIRE_STREAMS_MAX + 2; n++) {
		display_watch(&display, n, camera);
		display_expect_silence(&display);
	}
	display_watch(&display, WIRE_STREAMS_MAX + 2, camera);
	display_expect_ended(&display, WIRE_STREAMS_MAX + 2, END_REFUSED);
}

static void a_stream_may_ask_for_the_time_four_times_a_second(void **state)
{
	struct wire_time m = {.stream = 1};
	uint8_t body[32];

	(void)state;
	display_view(&display, 10, "Kitchen", CAMERA, camera);
	for (int i = 0; i < 3; i++) {
		display_say(&display, DISPLAY_TIME, body, wire_encode_time(&m, body, sizeof(body)));
	}
	assert_int_equal(camera_wrap(CAMERA, 1), KEY_TIME);
	display_expect_key(&display, KEY_TIME, 1);
	assert_nothing_sent(CAMERA, IPC_WRAP);
	fixture_pass_ms(REGISTRY_TIME_MS);
	display_say(&display, DISPLAY_TIME, body, wire_encode_time(&m, body, sizeof(body)));
	assert_int_equal(camera_wrap(CAMERA, 1), KEY_TIME);
}

static void a_display_cannot_fill_the_record_with_viewings(void **state)
{
	struct wire_unwatch stop = {.stream = 1};
	uint8_t body[64];
	uint16_t n = 1;

	(void)state;
	enter_with_grant(&display, 10, "Kitchen");
	for (; n <= REGISTRY_WATCHES_MAX; n++) {
		display_watch(&display, n, camera);
		display_expect_silence(&display);
		stop.stream = n;
		display_say(&display, DISPLAY_UNWATCH, body,
			wire_encode_unwatch(&stop, body, sizeof(body)));
		web_confirm_take(WEB);
	}
	display_watch(&display, n, camera);
	display_expect_ended(&display, n, END_REFUSED);
	assert_int_equal(audit_count(&fixture.files.store), REGISTRY_WATCHES_MAX);
	fixture_pass_ms(REGISTRY_WATCH_MS);
	display_watch(&display, n, camera);
	display_expect_silence(&display);
}

/* ---- cameras come and go ---- */

static void a_second_claim_of_a_camera_is_turned_away(void **state)
{
	(void)state;
	sent_forget();
	camera_hello(9, IDENTITY_SERIAL, "usb:1", "Door");
	assert_non_null(sent_find(9, IPC_TURNED_AWAY));
	assert_nothing_sent(9, IPC_ADOPTED);
	assert_true(was_dropped(9, false));
	assert_nothing_sent(WEB, IPC_RING_GONE);
}

static void another_camera_on_the_same_node_is_another_camera(void **state)
{
	uint8_t id[CAMERA_ID_BYTES];
	struct wire_camera m;

	(void)state;
	display_view(&display, 10, "Kitchen", CAMERA, camera);
	registry_peer_gone(fixture.registry, CAMERA);
	display_expect_ended(&display, 1, END_OFFLINE);
	display_expect_camera(&display, CAMERA_OFFLINE, &m);
	camera_join(9, "usb:other", "Door", id);
	assert_memory_not_equal(id, camera, sizeof(id));
	display_expect_silence(&display);
	display_watch(&display, 2, id);
	display_expect_ended(&display, 2, END_NOT_SHARED);
}

static void a_camera_that_comes_back_is_ready_with_its_new_generation(void **state)
{
	uint8_t id[CAMERA_ID_BYTES];
	struct wire_camera m;

	(void)state;
	display_view(&display, 10, "Kitchen", CAMERA, camera);
	sent_forget();
	registry_peer_gone(fixture.registry, CAMERA);
	assert_non_null(sent_find(WEB, IPC_TAKE));
	assert_non_null(sent_find(WEB, IPC_RING_GONE));
	assert_true(sent_find(WEB, IPC_TAKE) < sent_find(WEB, IPC_RING_GONE));
	display_expect_ended(&display, 1, END_OFFLINE);
	display_expect_camera(&display, CAMERA_OFFLINE, &m);
	assert_int_equal(m.generation[0], 0);
	camera_join(9, "usb:1", "Door", id);
	assert_memory_equal(id, camera, sizeof(id));
	display_expect_camera(&display, CAMERA_READY, &m);
	assert_int_equal(m.generation[0], 9);
}

static void a_camera_that_cannot_be_told_apart_is_new_each_time(void **state)
{
	struct store_camera c;
	uint8_t present[REGISTRY_CAMERAS_MAX][CAMERA_ID_BYTES];

	(void)state;
	camera_hello(9, IDENTITY_RUN, "", "Twin");
	assert_int_equal(store_camera_find(&fixture.files.store, "Twin", &c), 0);
	assert_int_equal(registry_present(fixture.registry, present, REGISTRY_CAMERAS_MAX), 2);
	camera_hello(10, IDENTITY_RUN, "", "Twin");
	assert_int_equal(store_camera_find(&fixture.files.store, "Twin (2)", &c), 0);
	registry_peer_gone(fixture.registry, 10);
	assert_int_equal(store_camera_find(&fixture.files.store, "Twin (2)", &c), -ENOENT);
}

static void capture_is_asked_for_only_while_somebody_watches(void **state)
{
	struct ipc_message m;
	struct ipc_demand demand;

	(void)state;
	display_view(&display, 10, "Kitchen", CAMERA, camera);
	sent_take(CAMERA, IPC_DEMAND, &m);
	assert_int_equal(ipc_parse_demand(&m, &demand), 0);
	assert_int_equal(demand.renditions, 1);
	display_view(&other, 11, "Hall", CAMERA, camera);
	assert_nothing_sent(CAMERA, IPC_DEMAND);
	registry_web_closed(fixture.registry, WEB, 10);
	assert_nothing_sent(CAMERA, IPC_DEMAND);
	registry_web_closed(fixture.registry, WEB, 11);
	sent_take(CAMERA, IPC_DEMAND, &m);
	assert_int_equal(ipc_parse_demand(&m, &demand), 0);
	assert_int_equal(demand.renditions, 0);
}

static void a_web_process_that_ends_takes_its_sessions_and_rings_along(void **state)
{
	unsigned int unseen = 9;

	(void)state;
	display_view(&display, 10, "Kitchen", CAMERA, camera);
	sent_forget();
	registry_peer_gone(fixture.registry, WEB);
	assert_non_null(sent_find(CAMERA, IPC_DROP_READER));
	assert_false(registry_display_online(fixture.registry, display.id));
	fixture_pass_ms(REGISTRY_CLOSINGS_MS);
	assert_int_equal(audit_close_unseen(&fixture.files.store, &unseen), 0);
	assert_int_equal(unseen, 0);
}

static enum audit_reason newest_reason(void)
{
	sqlite3_stmt *statement;
	enum audit_reason reason;

	assert_int_equal(sqlite3_prepare_v2(fixture.files.store.db,
				 "SELECT reason FROM audit WHERE kind = 2 ORDER BY sequence DESC",
				 -1, &statement, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	reason = (enum audit_reason)sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return reason;
}

/* Otherwise counts of seconds ago, or none, would pass for the last. */
static void a_viewing_whose_last_counts_never_came_ended_with_the_web_process(void **state)
{
	const struct ipc_counts counts = {.connection = 10, .stream = 1, .sent = 3, .final = true};

	for (int told = 0; told < 2; told++) {
		display_view(&display, 10, "Kitchen", CAMERA, camera);
		assert_int_equal(registry_revoke(fixture.registry, display.id, camera, 1), 0);
		if (told) {
			registry_web_counts(fixture.registry, WEB, &counts);
		}
		registry_peer_gone(fixture.registry, WEB);
		fixture_pass_ms(REGISTRY_CLOSINGS_MS);
		assert_int_equal(newest_reason(), told ? AUDIT_REVOKED : AUDIT_WEB_GONE);
		(void)tear_down(state);
		(void)set_up(state);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_display_without_grants_is_welcomed_and_told_no_camera),
		TEST(a_new_camera_is_shown_to_nobody),
		TEST(a_grant_appears_at_once_and_on_the_granted_display_only),
		TEST(an_ungranted_camera_gives_nothing),
		TEST(a_camera_is_ready_only_when_its_ring_is_with_the_web_process),
		TEST(a_watch_is_given_wrapped_and_told_in_this_order),
		TEST(the_viewing_is_on_record_before_the_key_is_asked_for),
		TEST(a_full_disk_gives_no_key),
		TEST(a_full_disk_loses_no_closing),
		TEST(a_grant_that_went_between_watch_and_wrapped_gives_no_key),
		TEST(a_grant_that_went_is_noticed_at_the_next_wrap),
		TEST(an_answer_goes_to_its_own_request_only_and_once),
		TEST(an_answer_after_the_display_left_reaches_nobody),
		TEST(a_camera_that_cannot_wrap_or_does_not_answer_ends_the_stream),
		TEST(bad_watches_are_refused_one_by_one),
		TEST(a_stream_may_ask_for_the_time_four_times_a_second),
		TEST(a_display_cannot_fill_the_record_with_viewings),
		TEST(a_second_claim_of_a_camera_is_turned_away),
		TEST(another_camera_on_the_same_node_is_another_camera),
		TEST(a_camera_that_comes_back_is_ready_with_its_new_generation),
		TEST(a_camera_that_cannot_be_told_apart_is_new_each_time),
		TEST(capture_is_asked_for_only_while_somebody_watches),
		TEST(a_web_process_that_ends_takes_its_sessions_and_rings_along),
		TEST(a_viewing_whose_last_counts_never_came_ended_with_the_web_process),
	};

	return cmocka_run_group_tests_name("registry", tests, NULL, NULL);
}
