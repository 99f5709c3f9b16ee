/* The record of a real hub: who saw what, read back by the command. */
#include "viewer.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct client_loop *loop;
static struct hub hub;

static void start(void)
{
	hub_start(&hub, (const char *[]){"--camera", "pattern:320x192@12", "--camera",
				"pattern:256x192@12", NULL});
	hub_name_camera(&hub, "320x192", "Door");
	hub_name_camera(&hub, "256x192", "Yard");
}

static int set_up(void **state)
{
	(void)state;
	hub_init(&hub, loop);
	start();
	return 0;
}

static int tear_down(void **state)
{
	(void)viewer_drop_all(state);
	hub_end(&hub);
	hub_finish(&hub);
	return 0;
}

static size_t size_of(const json_t *answer, const char *key)
{
	return json_array_size(json_object_get(answer, key));
}

/* The nth element of a list. */
static const char *word(const json_t *answer, const char *list, size_t n, const char *key)
{
	const json_t *item = json_array_get(json_object_get(answer, list), n);
	const char *text = json_string_value(key != NULL ? json_object_get(item, key) : item);
	return text != NULL ? text : "";
}

static bool has_ended(void)
{
	json_t *answer = hub_ask(&hub, "audit", NULL);
	bool ended = size_of(answer, "viewings") == 1 &&
		     json_is_true(json_object_get(
			     json_array_get(json_object_get(answer, "viewings"), 0), "ended"));
	json_decref(answer);
	return ended;
}

static void what_was_watched_is_told_and_the_chain_holds(void **state)
{
	(void)state;
	struct viewer v = {0};
	viewer_pair(&v, &hub, "Door", "Kitchen");
	viewer_await(&v, "Door", 5);
	unsigned int seen = viewer_pictures(&v, "Door");
	viewer_finish(&v);
	WAIT_FOR(loop, has_ended(), HUB_PATIENCE_MS);
	json_t *answer = hub_ask(
		&hub, "audit", "--camera", "Door", "--display", "Kitchen", "--since", "2h", NULL);
	const json_t *viewing = json_array_get(json_object_get(answer, "viewings"), 0);
	assert_int_equal(size_of(answer, "viewings"), 1);
	assert_string_equal(word(answer, "viewings", 0, "display"), "Kitchen");
	assert_string_equal(word(answer, "viewings", 0, "camera"), "Door");
	assert_string_equal(word(answer, "viewings", 0, "why"), "left");
	assert_true(json_integer_value(json_object_get(viewing, "drawn")) >= 1);
	assert_true(json_integer_value(json_object_get(viewing, "sent")) >= seen);
	assert_true(json_integer_value(json_object_get(viewing, "duration_ms")) > 0);
	json_decref(answer);
	answer = hub_ask(&hub, "audit", "--camera", "Yard", NULL);
	assert_int_equal(size_of(answer, "viewings"), 0);
	json_decref(answer);
	answer = hub_ask(&hub, "audit", "--verify", NULL);
	assert_true(json_is_true(json_object_get(answer, "holds")));
	assert_true(json_integer_value(json_object_get(answer, "last")) >= 4);
	json_decref(answer);
	assert_int_not_equal(hub_command(&hub, NULL, "audit", "--since", "soon", NULL), 0);
	assert_int_not_equal(hub_command(&hub, NULL, "audit", "--camera", "Do", NULL), 0);
}

static void who_could_have_seen_it_is_told_from_those_who_did(void **state)
{
	(void)state;
	struct viewer saw = {0}, idle = {.watch_nothing = true}, other = {0}, former = {0};
	viewer_pair(&saw, &hub, "Door", "Saw");
	viewer_pair(&idle, &hub, "Door", "Could");
	viewer_pair(&former, &hub, "Door", "Former");
	viewer_pair(&other, &hub, "Yard", "Other");
	viewer_await(&saw, "Door", 2);
	viewer_await(&former, "Door", 2);
	viewer_await(&other, "Yard", 2);
	json_decref(hub_ask(&hub, "revoke", "Former", NULL));
	json_decref(hub_ask(&hub, "name", "Door", "Gate", NULL));
	json_t *answer = hub_ask(&hub, "audit", "--exposure", "Gate", "--since", "2h", NULL);
	assert_int_equal(size_of(answer, "could_have_seen"), 3);
	assert_string_equal(word(answer, "could_have_seen", 0, NULL), "Could");
	assert_string_equal(word(answer, "could_have_seen", 1, NULL), "Former");
	assert_string_equal(word(answer, "could_have_seen", 2, NULL), "Saw");
	assert_int_equal(size_of(answer, "did_see"), 2);
	assert_string_equal(word(answer, "did_see", 0, NULL), "Former");
	assert_int_equal(json_integer_value(json_object_get(answer, "alarms")), 0);
	json_decref(answer);
	answer = hub_ask(&hub, "audit", "--exposure", "Gate", "--until", "2020-01-02", NULL);
	assert_int_equal(size_of(answer, "could_have_seen"), 0);
	json_decref(answer);
	viewer_finish(&saw);
	viewer_finish(&idle);
	viewer_finish(&other);
	viewer_finish(&former);
}

static void an_edited_record_is_noticed(void **state)
{
	(void)state;
	struct viewer v = {0};
	char path[PATH_MAX + 16];
	sqlite3 *db;
	viewer_pair(&v, &hub, "Door", "Kitchen");
	viewer_await(&v, "Door", 1);
	viewer_finish(&v);
	hub_end(&hub);
	(void)snprintf(path, sizeof(path), "%s/camgate.db", hub.state);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				 "DROP TRIGGER audit_append_only;"
				 "UPDATE audit SET display_name = 'Hall' WHERE kind = 1",
				 NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	hub_start(&hub, (const char *[]){"--camera", "pattern:320x192@12", NULL});
	json_t *answer = NULL;
	assert_int_equal(hub_command(&hub, &answer, "audit", "--verify", NULL), 1);
	assert_true(json_is_false(json_object_get(answer, "holds")));
	assert_true(json_integer_value(json_object_get(answer, "broken")) > 0);
	json_decref(answer);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	if (secure_heap_init() < 0) {
		return 1;
	}
	loop = client_loop_create();
	const struct CMUnitTest tests[] = {
		TEST(what_was_watched_is_told_and_the_chain_holds),
		TEST(who_could_have_seen_it_is_told_from_those_who_did),
		TEST(an_edited_record_is_noticed),
	};
	int failed = cmocka_run_group_tests_name("audit", tests, NULL, NULL);
	client_loop_destroy(loop);
	return failed;
}
