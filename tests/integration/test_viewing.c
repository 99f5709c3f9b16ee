/* Who sees what: grants, demand, stalls, alarms. One hub with two cameras for all tests. */
#include "viewer.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct client_loop *loop;
static struct hub hub;
static struct viewer owner;

static int set_up(void **state)
{
	(void)state;
	loop = client_loop_create();
	hub_init(&hub, loop);
	hub_start(&hub, (const char *[]){"--camera", "pattern:320x192@15", "--camera",
				"pattern:256x192@15", "--linger", "0", NULL});
	hub_name_camera(&hub, "320x192", "Door");
	hub_name_camera(&hub, "256x192", "Door yard");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	viewer_finish(&owner);
	hub_end(&hub);
	hub_finish(&hub);
	client_loop_destroy(loop);
	return 0;
}

static void the_printed_link_makes_the_owner_who_sees_all_cameras(void **state)
{
	(void)state;
	viewer_pair_owner(&owner, &hub, "Owner");
	assert_true(owner.owner);
	viewer_await(&owner, "Door", 5);
	viewer_await(&owner, "Door yard", 5);
	assert_int_equal(viewer_cameras(&owner), 2);
	assert_int_equal(viewer_tile(&owner, "Door")->camera.strength, IDENTITY_TEST);
	viewer_disconnect(&owner);
}

static void displays_see_exactly_the_cameras_they_were_given(void **state)
{
	(void)state;
	struct viewer door = {0}, yard = {0};
	viewer_pair(&door, &hub, "Door", "Of the door");
	viewer_pair(&yard, &hub, "Door yard", "Of the yard");
	viewer_await(&door, "Door", 10);
	viewer_await(&yard, "Door yard", 10);
	assert_int_equal(viewer_cameras(&door), 1);
	assert_null(viewer_tile(&door, "Door yard"));
	assert_int_equal(viewer_cameras(&yard), 1);
	assert_null(viewer_tile(&yard, "Door"));
	assert_int_not_equal(viewer_tile(&door, "Door")->tag, viewer_tile(&yard, "Door yard")->tag);
	assert_int_equal(viewer_anomalies(&door) + viewer_anomalies(&yard), 0);
	viewer_finish(&door);
	viewer_finish(&yard);
}

static void a_display_that_was_given_nothing_is_told_nothing(void **state)
{
	(void)state;
	struct viewer v = {0};
	viewer_pair(&v, &hub, "none", "Of nothing");
	/* Long enough: the owner gets pictures meanwhile. */
	viewer_connect(&owner, &hub, NULL, NULL, true);
	viewer_await(&owner, "Door", 5);
	assert_int_equal(viewer_cameras(&v), 0);
	assert_int_equal(viewer_counts(&v)->received, 0);
	viewer_disconnect(&owner);
	viewer_finish(&v);
}

enum { STOLEN_STREAM = 77 };

static uint8_t stolen_answer;

static bool on_stolen(void *user, uint8_t *message, size_t size)
{
	struct wire_envelope e;
	struct wire_ended ended;
	(void)user;
	if (wire_parse_envelope(message, size, &e) == 0 && e.type == WIRE_HUB &&
		e.kind == HUB_ENDED && wire_parse_ended(e.body, e.body_size, &ended) == 0 &&
		ended.stream == STOLEN_STREAM) {
		stolen_answer = ended.reason;
	}
	return true;
}

static void a_camera_that_was_not_given_cannot_be_watched_by_its_id(void **state)
{
	(void)state;
	struct viewer v = {0};
	viewer_pair(&v, &hub, "Door", "Curious");
	viewer_await(&v, "Door", 2);
	struct wire_watch watch = {.stream = STOLEN_STREAM};
	memcpy(watch.camera, viewer_tile(&owner, "Door yard")->camera.id, CAMERA_ID_BYTES);
	uint8_t body[64];
	uint64_t keys = viewer_counts(&v)->keys;
	stolen_answer = 0;
	v.received = on_stolen;
	assert_int_equal(display_send(client_display(v.client), DISPLAY_WATCH, body,
				 wire_encode_watch(&watch, body, sizeof(body))),
		0);
	WAIT_FOR(loop, stolen_answer != 0, HUB_PATIENCE_MS);
	assert_int_equal(stolen_answer, END_NOT_SHARED);
	viewer_await(&v, "Door", 5);
	assert_int_equal(viewer_counts(&v)->keys, keys);
	assert_int_equal(v.closes, 0);
	viewer_finish(&v);
}

static void a_grant_shows_the_camera_without_a_new_connection(void **state)
{
	(void)state;
	struct viewer v = {0};
	viewer_pair(&v, &hub, "none", "Hopeful");
	json_decref(hub_ask(&hub, "grant", "Hopeful", "Door", NULL));
	WAIT_FOR(loop, viewer_pictures(&v, "Door") >= 3, HUB_PATIENCE_MS);
	assert_int_equal(v.welcomes, 1);
	assert_int_equal(viewer_cameras(&v), 1);
	viewer_finish(&v);
}

static void a_new_name_of_a_camera_comes_signed_and_the_picture_stays(void **state)
{
	(void)state;
	struct viewer v = {0};
	viewer_pair(&v, &hub, "Door", "Of names");
	viewer_await(&v, "Door", 2);
	json_decref(hub_ask(&hub, "name", "Door", "Gate", NULL));
	WAIT_FOR(loop, viewer_tile(&v, "Gate") != NULL, HUB_PATIENCE_MS);
	viewer_await(&v, "Gate", 2);
	assert_int_equal(viewer_tile(&v, "Gate")->ends, 0);
	json_decref(hub_ask(&hub, "name", "Gate", "Door", NULL));
	viewer_finish(&v);
}

static void a_camera_is_off_when_nobody_watches(void **state)
{
	(void)state;
	struct viewer v = {0};
	viewer_pair(&v, &hub, "Door", "Leaving");
	viewer_await(&v, "Door", 2);
	WAIT_FOR(loop, hub_camera_is(&hub, "Door", "activity", "streaming"), HUB_PATIENCE_MS);
	viewer_disconnect(&v);
	WAIT_FOR(loop, hub_camera_is(&hub, "Door", "activity", "idle"), HUB_PATIENCE_MS);
	json_t *before = hub_camera(&hub, "Door");
	json_t *after = hub_camera(&hub, "Door");
	assert_int_equal(json_integer_value(json_object_get(before, "sealed")),
		json_integer_value(json_object_get(after, "sealed")));
	json_decref(before);
	json_decref(after);
	viewer_finish(&v);
}

static void a_frame_that_does_not_open_is_counted_and_the_camera_rotates(void **state)
{
	(void)state;
	struct viewer v = {0};
	viewer_pair(&v, &hub, "Door", "Of alarms");
	viewer_await(&v, "Door", 3);
	json_int_t before = hub_status_sum(&hub, "anomalies");
	uint32_t epoch = viewer_tile(&v, "Door")->epoch;
	v.flip_next = true;
	WAIT_FOR(loop, viewer_tile(&v, "Door")->epoch > epoch, HUB_PATIENCE_MS);
	assert_int_equal(viewer_counts(&v)->anomalies[ANOMALY_UNSEAL], 1);
	assert_int_equal(hub_status_sum(&hub, "anomalies"), before + 1);
	viewer_await(&v, "Door", 2);
	assert_int_equal(v.closes, 0);
	viewer_finish(&v);
}

static void a_display_that_reports_twice_within_a_minute_is_dropped(void **state)
{
	(void)state;
	struct viewer bad = {0}, good = {0};
	viewer_pair(&bad, &hub, "Door", "Broken");
	viewer_pair(&good, &hub, "Door", "Sound");
	viewer_await(&bad, "Door", 2);
	viewer_await(&good, "Door", 2);
	uint32_t epoch = viewer_tile(&bad, "Door")->epoch;
	bad.flip_next = true;
	WAIT_FOR(loop, viewer_tile(&bad, "Door")->epoch > epoch, HUB_PATIENCE_MS);
	bad.flip_next = true;
	WAIT_FOR(loop, bad.closes > 0, HUB_PATIENCE_MS);
	viewer_await(&good, "Door", 5);
	assert_int_equal(good.closes, 0);
	assert_int_equal(viewer_anomalies(&good), 0);
	viewer_finish(&bad);
	viewer_finish(&good);
}

static void a_stalled_display_hurts_nobody_and_resumes_with_a_fresh_picture(void **state)
{
	(void)state;
	struct viewer stalled = {0}, other = {0};
	viewer_pair(&stalled, &hub, "Door", "Stalled");
	viewer_pair(&other, &hub, "Door", "Other");
	viewer_await(&stalled, "Door", 2);
	viewer_await(&other, "Door", 2);
	client_pause(stalled.client, true);
	unsigned int missed = viewer_tile(&other, "Door")->missed;
	unsigned int pictures = viewer_pictures(&stalled, "Door");
	viewer_await(&other, "Door", 40);
	/* A machine that is busy misses some; a hub that waits for the other, nearly all. */
	assert_true(viewer_tile(&other, "Door")->missed - missed < 40);
	client_pause(stalled.client, false);
	WAIT_FOR(loop, viewer_pictures(&stalled, "Door") > pictures, HUB_PATIENCE_MS);
	/* Nothing older than two seconds was drawn, and the newest comes at once. */
	WAIT_FOR(loop, viewer_tile(&stalled, "Door")->age_us < 500000, HUB_PATIENCE_MS);
	viewer_finish(&stalled);
	viewer_finish(&other);
}

static void copy_file(const char *from, const char *to)
{
	static uint8_t bytes[1 << 22];
	FILE *f = fopen(from, "re");
	assert_non_null(f);
	size_t n = fread(bytes, 1, sizeof(bytes), f);
	(void)fclose(f);
	assert_true(n < sizeof(bytes));
	f = fopen(to, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	(void)fclose(f);
}

/* One integer out of the hub's database as it is on disk: of a copy, because the keeper locks its
 * own. */
static int64_t ask_store(const char *sql)
{
	static const char *const suffixes[] = {"", "-wal"};
	char from[PATH_MAX + 32], to[PATH_MAX + 32];
	sqlite3 *db;
	sqlite3_stmt *statement;
	for (size_t i = 2; i-- > 0;) {
		(void)snprintf(from, sizeof(from), "%s/camgate.db%s", hub.state, suffixes[i]);
		(void)snprintf(to, sizeof(to), "%s/copy.db%s", hub.dir, suffixes[i]);
		copy_file(from, to);
	}
	assert_int_equal(sqlite3_open(to, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	int64_t value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return value;
}

static int64_t openings(void)
{
	return ask_store("SELECT count(*) FROM audit WHERE kind = 1");
}

static int64_t closings(void)
{
	return ask_store("SELECT count(*) FROM audit WHERE kind = 2");
}

static int64_t openings_at_first_key;

static bool on_first_key(void *user, uint8_t *message, size_t size)
{
	struct wire_envelope e;
	(void)user;
	if (openings_at_first_key < 0 && wire_parse_envelope(message, size, &e) == 0 &&
		e.type == WIRE_HUB && e.kind == HUB_KEY) {
		openings_at_first_key = openings();
	}
	return true;
}

static void the_opening_of_a_viewing_is_on_disk_before_its_first_key_is_here(void **state)
{
	(void)state;
	struct viewer v = {0};
	viewer_pair(&v, &hub, "none", "On record");
	int64_t before = openings();
	openings_at_first_key = -1;
	v.received = on_first_key;
	json_decref(hub_ask(&hub, "grant", "On record", "Door", NULL));
	WAIT_FOR(loop, openings_at_first_key >= 0, HUB_PATIENCE_MS);
	assert_int_equal(openings_at_first_key, before + 1);
	viewer_disconnect(&v);
	WAIT_FOR(loop, closings() == openings(), HUB_PATIENCE_MS);
	viewer_finish(&v);
}

#define TEST(f) cmocka_unit_test_teardown(f, viewer_drop_all)

int main(void)
{
	if (secure_heap_init() < 0) {
		return 1;
	}
	const struct CMUnitTest tests[] = {
		TEST(the_printed_link_makes_the_owner_who_sees_all_cameras),
		TEST(displays_see_exactly_the_cameras_they_were_given),
		TEST(a_display_that_was_given_nothing_is_told_nothing),
		TEST(a_camera_that_was_not_given_cannot_be_watched_by_its_id),
		TEST(a_grant_shows_the_camera_without_a_new_connection),
		TEST(a_new_name_of_a_camera_comes_signed_and_the_picture_stays),
		TEST(a_camera_is_off_when_nobody_watches),
		TEST(a_frame_that_does_not_open_is_counted_and_the_camera_rotates),
		TEST(a_display_that_reports_twice_within_a_minute_is_dropped),
		TEST(a_stalled_display_hurts_nobody_and_resumes_with_a_fresh_picture),
		TEST(the_opening_of_a_viewing_is_on_disk_before_its_first_key_is_here),
	};
	return cmocka_run_group_tests_name("viewing", tests, set_up, tear_down);
}
