/* Tables of the keeper that are full: who comes then gets nothing, what is lost is told, and the
 * others go on as before. */
#include "display_fixture.h"

#include "registry_state.h"
#include <errno.h>

/* Everything so far was seen; there is room for more. */
static void sent_clear(void)
{
	fixture.sent_count = 0;
}

static const struct registry_totals *totals(void)
{
	return registry_totals_see(fixture.registry);
}

/* ---- connections ---- */

static void open_connection(uint64_t connection)
{
	const struct ipc_opened opened = {.connection = connection,
		.peer = "192.0.2.7:51234",
		.origin = "https://hub.local:8443"};

	registry_web_opened(fixture.registry, WEB, &opened);
}

static void a_connection_more_than_there_is_room_for_is_cut_as_busy(void **state)
{
	struct ipc_message m;
	struct ipc_cut cut;

	(void)state;
	for (uint64_t n = 1; n <= REGISTRY_SESSIONS_MAX; n++) {
		open_connection(n);
		assert_non_null(sent_find(WEB, IPC_TELL));
		sent_clear();
	}
	open_connection(REGISTRY_SESSIONS_MAX + 1);
	sent_take(WEB, IPC_CUT, &m);
	assert_int_equal(ipc_parse_cut(&m, &cut), 0);
	assert_int_equal(cut.connection, REGISTRY_SESSIONS_MAX + 1);
	assert_int_equal(cut.mode, CUT_BUSY);
	assert_nothing_sent(WEB, IPC_TELL);
	assert_int_equal(totals()->refused[REFUSED_BUSY], 1);
	assert_false(was_dropped(WEB, true));
	/* One that goes makes room for one. */
	registry_web_closed(fixture.registry, WEB, 7);
	open_connection(REGISTRY_SESSIONS_MAX + 2);
	assert_non_null(sent_find(WEB, IPC_TELL));
}

static void a_web_process_more_than_there_is_room_for_is_turned_away(void **state)
{
	(void)state;
	for (uint64_t n = 1; n < REGISTRY_WEBS_MAX; n++) {
		web_join(100 + n);
		assert_false(was_dropped(100 + n, false));
	}
	web_join(100 + REGISTRY_WEBS_MAX);
	assert_true(was_dropped(100 + REGISTRY_WEBS_MAX, false));
	assert_nothing_sent(100 + REGISTRY_WEBS_MAX, IPC_WEB_CONFIG);
	/* One that goes makes room for one. */
	registry_peer_gone(fixture.registry, 101);
	web_join(200);
	assert_false(was_dropped(200, false));
}

/* ---- cameras ---- */

static void a_camera_more_than_the_store_has_room_for_is_turned_away(void **state)
{
	struct store *s = &fixture.files.store;
	struct store_camera c = {.strength = IDENTITY_SERIAL, .name = "Yard"};

	(void)state;
	assert_int_equal(store_begin(s), 0); /* or each would wait for the disk */
	for (unsigned int n = 1; n < STORE_CAMERAS_MAX; n++) {
		random_bytes(c.id, sizeof(c.id));
		snprintf(c.identity, sizeof(c.identity), "usb:9:%u", n);
		assert_int_equal(store_camera_adopt(s, &c), 0);
	}
	assert_int_equal(store_commit(s), 0);
	random_bytes(c.id, sizeof(c.id));
	snprintf(c.identity, sizeof(c.identity), "usb:10");
	assert_int_equal(store_camera_adopt(s, &c), -EUSERS);
	camera_hello(CAMERA + 1, IDENTITY_SERIAL, "usb:2", "Hall");
	assert_non_null(sent_find(CAMERA + 1, IPC_TURNED_AWAY));
	/* One that is known comes back. */
	registry_peer_gone(fixture.registry, CAMERA);
	camera_join(CAMERA + 2, "usb:1", "Door", camera);
}

static void a_camera_more_than_can_be_here_is_turned_away(void **state)
{
	uint8_t id[CAMERA_ID_BYTES];
	char key[16];

	(void)state;
	for (unsigned int n = 1; n < REGISTRY_CAMERAS_MAX; n++) {
		snprintf(key, sizeof(key), "usb:9:%u", n);
		camera_join(CAMERA + n, key, "Yard", id);
	}
	camera_hello(CAMERA + REGISTRY_CAMERAS_MAX, IDENTITY_SERIAL, "usb:2", "Hall");
	assert_non_null(sent_find(CAMERA + REGISTRY_CAMERAS_MAX, IPC_TURNED_AWAY));
	assert_nothing_sent(CAMERA + REGISTRY_CAMERAS_MAX, IPC_ADOPTED);
	/* One that goes makes room for one. */
	registry_peer_gone(fixture.registry, CAMERA);
	camera_join(CAMERA + REGISTRY_CAMERAS_MAX, "usb:2", "Hall", id);
}

static void a_display_more_than_the_store_has_room_for_is_not_added(void **state)
{
	struct store *s = &fixture.files.store;
	struct store_display d;
	char name[32];

	(void)state;
	assert_int_equal(store_begin(s), 0);
	for (unsigned int n = 0; n <= STORE_DISPLAYS_MAX; n++) {
		d = (struct store_display){.id = {(uint8_t)n, (uint8_t)(n >> 8)}};
		snprintf(name, sizeof(name), "Display %u", n);
		memcpy(d.name, name, sizeof(name));
		assert_int_equal(
			store_display_add(s, &d, NULL, 0), n < STORE_DISPLAYS_MAX ? 0 : -EUSERS);
	}
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(store_display_get(s, d.id, &d), -ENOENT);
}

/* ---- keys ---- */

static void a_key_that_cannot_be_asked_for_ends_the_stream(void **state)
{
	struct registry *r = fixture.registry;
	const uint8_t *body;
	size_t size;

	(void)state;
	display_enter(&display, WEB, 10, "Kitchen");
	assert_int_equal(registry_grant(r, display.id, camera), 0);
	while (display_next(&display, &body, &size) != 0) {
	}
	for (size_t i = 0; i < REGISTRY_WRAPS_MAX; i++) {
		r->wraps[i] = (struct registry_wrap){
			.request = REGISTRY_WRAPS_MAX + i, .deadline_us = UINT64_MAX};
	}
	r->wraps_count = REGISTRY_WRAPS_MAX;
	display_watch(&display, 1, camera);
	assert_nothing_sent(CAMERA, IPC_WRAP);
	assert_non_null(sent_find(WEB, IPC_TAKE));
	display_expect_ended(&display, 1, END_REFUSED);
}

/* ---- what waits for the disk ---- */

/* Opens and leaves a viewing. */
static void look(uint64_t connection, uint16_t stream)
{
	const struct wire_unwatch unwatch = {.stream = stream};
	const struct ipc_stream taken = {.connection = connection, .stream = stream};
	uint8_t body[64];

	display_watch(&display, stream, camera);
	display_say(
		&display, DISPLAY_UNWATCH, body, wire_encode_unwatch(&unwatch, body, sizeof(body)));
	registry_web_taken(fixture.registry, WEB, &taken);
	sent_clear();
}

/* With the one that waits. */
static void closings_fill(void)
{
	struct registry *r = fixture.registry;

	assert_int_equal(r->totals.closings_waiting, 1);
	for (size_t i = 1; i < REGISTRY_CLOSINGS_MAX; i++) {
		r->closings[i] = r->closings[0];
	}
	r->totals.closings_waiting = REGISTRY_CLOSINGS_MAX;
}

static void an_end_of_a_viewing_that_finds_no_room_is_counted(void **state)
{
	struct registry *r = fixture.registry;

	(void)state;
	display_enter(&display, WEB, 10, "Kitchen");
	assert_int_equal(registry_grant(r, display.id, camera), 0);
	look(10, 1);
	display_watch(&display, 2, camera);
	/* As many wait as can, and the disk takes none. */
	closings_fill();
	store_fixture_fill(&fixture.files.store);
	registry_web_closed(r, WEB, 10);
	assert_int_equal(totals()->closings_lost, 1);
	assert_int_equal(totals()->closings_waiting, REGISTRY_CLOSINGS_MAX);
	assert_int_not_equal(totals()->record_error, 0);
}

static void ends_of_viewings_that_fill_the_table_are_written_at_once(void **state)
{
	struct registry *r = fixture.registry;

	(void)state;
	display_enter(&display, WEB, 10, "Kitchen");
	assert_int_equal(registry_grant(r, display.id, camera), 0);
	look(10, 1);
	closings_fill();
	look(10, 2);
	assert_int_equal(totals()->closings_lost, 0);
	assert_int_equal(totals()->closings_waiting, 1);
	assert_int_equal(audit_verify(&fixture.files.store), 0);
}

static int64_t count_alarms(void)
{
	sqlite3_stmt *count = NULL;
	int64_t result;

	assert_int_equal(sqlite3_prepare_v2(fixture.files.store.db,
				 "SELECT count(*) FROM audit WHERE kind = 9", -1, &count, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_step(count), SQLITE_ROW);
	result = sqlite3_column_int64(count, 0);
	sqlite3_finalize(count);
	return result;
}

static struct audit_event alarm_make(void)
{
	struct audit_event e = {.kind = AUDIT_ALARM};

	snprintf(e.display_name, sizeof(e.display_name), "Kitchen");
	return e;
}

static void alarms_wait_for_the_disk_and_one_too_many_is_counted(void **state)
{
	const struct audit_event e = alarm_make();
	struct registry *r = fixture.registry;
	int64_t before;

	(void)state;
	store_fixture_fill(&fixture.files.store);
	for (unsigned int n = 0; r->events_count < REGISTRY_EVENTS_MAX; n++) {
		assert_true(n < 4 * REGISTRY_EVENTS_MAX);
		registry_record_event(r, &e);
	}
	assert_int_equal(totals()->events_lost, 0);
	registry_record_event(r, &e);
	assert_int_equal(totals()->events_lost, 1);
	/* It tries again by itself, and all that waited are there. */
	store_fixture_make_room(&fixture.files.store);
	before = count_alarms();
	fixture_pass_ms(REGISTRY_CLOSINGS_RETRY_MS);
	assert_int_equal(r->events_count, 0);
	assert_int_equal(count_alarms(), before + REGISTRY_EVENTS_MAX);
}

/* ---- what does not fit ---- */

static void an_alarm_that_is_refused_again_waits_on(void **state)
{
	sqlite3 *db = fixture.files.store.db;

	(void)state;
	assert_int_equal(sqlite3_exec(db, "PRAGMA query_only = 1", NULL, NULL, NULL), SQLITE_OK);
	registry_record_event(fixture.registry, &(struct audit_event){.kind = AUDIT_ALARM});
	assert_int_equal(fixture.registry->events_count, 1);
	fixture_pass_ms(REGISTRY_CLOSINGS_RETRY_MS);
	assert_int_equal(fixture.registry->events_count, 1);
	assert_int_equal(sqlite3_exec(db, "PRAGMA query_only = 0", NULL, NULL, NULL), SQLITE_OK);
	fixture_pass_ms(REGISTRY_CLOSINGS_RETRY_MS);
	assert_int_equal(fixture.registry->events_count, 0);
	assert_int_equal(totals()->events_lost, 0);
}

static void a_role_that_misses_a_message_is_ended(void **state)
{
	(void)state;
	sent_clear();
	registry_send(fixture.registry, WEB, -EMSGSIZE);
	assert_true(was_dropped(WEB, true));
	assert_int_equal(fixture.sent_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_with_camera, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_connection_more_than_there_is_room_for_is_cut_as_busy),
		TEST(a_web_process_more_than_there_is_room_for_is_turned_away),
		TEST(a_camera_more_than_the_store_has_room_for_is_turned_away),
		TEST(a_camera_more_than_can_be_here_is_turned_away),
		TEST(a_display_more_than_the_store_has_room_for_is_not_added),
		TEST(a_key_that_cannot_be_asked_for_ends_the_stream),
		TEST(an_end_of_a_viewing_that_finds_no_room_is_counted),
		TEST(ends_of_viewings_that_fill_the_table_are_written_at_once),
		TEST(alarms_wait_for_the_disk_and_one_too_many_is_counted),
		TEST(an_alarm_that_is_refused_again_waits_on),
		TEST(a_role_that_misses_a_message_is_ended),
	};

	return cmocka_run_group_tests_name("full tables", tests, NULL, NULL);
}
