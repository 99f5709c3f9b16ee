/* What the owner says of cameras, and what the doctor says of the hub, with the real processes. */
#include "hub.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

static struct hub hub;

static int set_up(void **state)
{
	(void)state;
	hub_init(&hub, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	hub_finish(&hub);
	return 0;
}

static void start(void)
{
	static const char *const arguments[] = {"--camera", "pattern:320x192@20", NULL};

	hub_start(&hub, arguments);
	WAIT_FOR(NULL, hub_camera_is(&hub, "Test camera", "state", "ready"), HUB_PATIENCE_MS);
}

/* True if the doctor said this of the subject. */
static bool says(const json_t *reply, const char *subject, const char *verdict, const char *words)
{
	json_t *line;
	size_t i;

	json_array_foreach(json_object_get(reply, "lines"), i, line)
	{
		if (strcmp(json_string_value(json_object_get(line, "subject")), subject) == 0 &&
			strcmp(json_string_value(json_object_get(line, "state")), verdict) == 0 &&
			strstr(json_string_value(json_object_get(line, "text")), words) != NULL) {
			return true;
		}
	}
	return false;
}

static void an_ignored_camera_stays_away_until_it_is_confirmed(void **state)
{
	(void)state;
	start();
	json_decref(hub_ask(&hub, "ignore", "Test camera", NULL));
	assert_true(hub_camera_is(&hub, "Test camera", "state", "ignored"));
	hub_wait_log(&hub, "is not taken any more: ignored by the owner");
	hub_wait_log(&hub, "the keeper does not take this camera: ignored by the owner");
	assert_int_equal(hub_command(&hub, NULL, "ignore", "Test camera", NULL), 1);
	json_decref(hub_ask(&hub, "confirm", "Test camera", NULL));
	WAIT_FOR(NULL, hub_camera_is(&hub, "Test camera", "state", "ready"), HUB_PATIENCE_MS);
	hub_end(&hub);
}

static void a_hub_without_an_owner_says_so_once_with_the_command(void **state)
{
	const char *said;
	json_t *reply;

	(void)state;
	start();
	hub_wait_log(&hub, "nobody owns this hub yet");
	said = strstr(hub_log(&hub), "nobody owns this hub yet");
	assert_non_null(strstr(said, "camgate pair --owner"));
	assert_null(strstr(said + 1, "nobody owns this hub yet"));
	reply = hub_ask(&hub, "status", NULL);
	assert_true(json_is_false(json_object_get(reply, "owner")));
	json_decref(reply);
	hub_end(&hub);
}

static void the_doctor_knows_a_hub_that_runs(void **state)
{
	json_t *reply = NULL;

	(void)state;
	start();
	assert_int_equal(hub_command(&hub, &reply, "doctor", NULL), 1);
	assert_true(json_is_false(json_object_get(reply, "ok")));
	assert_true(says(reply, "owner", "wrong", "nobody owns this hub"));
	assert_true(says(reply, "gateway", "ok", hub.state));
	assert_true(says(reply, "cameras", "note", "test pattern 320x192"));
	assert_true(says(reply, "port", "ok", "answers"));
	assert_true(says(reply, "certificate", "ok", "more days"));
	assert_true(says(reply, "store", "ok", "sound"));
	json_decref(reply);
	hub_end(&hub);
}

static void the_doctor_knows_a_hub_that_does_not_run(void **state)
{
	json_t *reply = NULL;

	(void)state;
	start();
	hub_end(&hub);
	(void)hub_command(&hub, &reply, "doctor", NULL);
	assert_true(says(reply, "store", "ok", "camgate.db is sound"));
	assert_true(says(reply, "certificate", "ok", "more days"));
	assert_false(says(reply, "gateway", "ok", ""));
	json_decref(reply);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_ignored_camera_stays_away_until_it_is_confirmed),
		TEST(a_hub_without_an_owner_says_so_once_with_the_command),
		TEST(the_doctor_knows_a_hub_that_runs),
		TEST(the_doctor_knows_a_hub_that_does_not_run),
	};

	return cmocka_run_group_tests_name("owner", tests, NULL, NULL);
}
