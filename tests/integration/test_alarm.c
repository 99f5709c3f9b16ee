/* A mix-up is an alarm, from the display that notices it to what an owner is told: the camera's key
 * changes at once, who reports twice within a minute is dropped, everybody else goes on, and
 * status, journal and record say the same. */
#include "viewer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char journal[] = "received a frame whose seal does not open on its tile of \"Door\"";

static struct client_loop *loop;
static struct hub hub;
static struct viewer broken, sound;

static int set_up(void **state)
{
	(void)state;
	loop = client_loop_create();
	hub_init(&hub, loop);
	hub_start(&hub, (const char *[]){"--camera", "pattern:320x192@15", "--camera",
				"pattern:256x192@15", NULL});
	hub_name_camera(&hub, "320x192", "Door");
	hub_name_camera(&hub, "256x192", "Yard");
	viewer_pair(&broken, &hub, "Door", "Broken");
	viewer_pair(&sound, &hub, "all", "Sound");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	viewer_finish(&broken);
	viewer_finish(&sound);
	hub_end(&hub);
	hub_finish(&hub);
	client_loop_destroy(loop);
	return 0;
}

static unsigned int times_in_journal(const char *text)
{
	unsigned int n = 0;
	for (const char *at = hub_log(&hub); (at = strstr(at, text)) != NULL; at++) {
		n++;
	}
	return n;
}

/* How many entries of the record, of LIST, have these words. */
static unsigned int recorded(const char *list, const char *key, const char *text)
{
	json_t *answer = hub_ask(&hub, "audit", "--display", "Broken", NULL), *item;
	unsigned int n = 0;
	size_t i;
	json_array_foreach(json_object_get(answer, list), i, item)
	{
		const char *value = json_string_value(json_object_get(item, key));
		n += value != NULL && strcmp(value, text) == 0;
	}
	json_decref(answer);
	return n;
}

static json_int_t exposed(void)
{
	json_t *answer = hub_ask(&hub, "audit", "--exposure", "Door", "--since", "2h", NULL);
	json_int_t alarms = json_integer_value(json_object_get(answer, "alarms"));
	json_decref(answer);
	return alarms;
}

/* One mix-up more, and everybody says so. */
static void assert_told(unsigned int times)
{
	WAIT_FOR(loop, hub_status_sum(&hub, "anomalies") == times, HUB_PATIENCE_MS);
	assert_int_equal(times_in_journal(journal), times);
	assert_int_equal(times_in_journal("MIX-UP: \"Broken\" at 127.0.0.1"), times);
	assert_int_equal(times_in_journal("MIX-UP"), times);
	WAIT_FOR(loop, recorded("events", "kind", "alarm") == times, HUB_PATIENCE_MS);
	assert_int_equal(recorded("events", "note", "a frame whose seal does not open"), times);
	assert_int_equal(exposed(), times);
}

static void without_a_mix_up_nobody_says_anything(void **state)
{
	(void)state;
	viewer_await(&broken, "Door", 10);
	viewer_await(&sound, "Door", 10);
	viewer_await(&sound, "Yard", 10);
	assert_told(0);
}

static void a_report_changes_the_key_of_that_camera_only_and_is_told(void **state)
{
	(void)state;
	uint32_t door = viewer_tile(&broken, "Door")->epoch;
	uint32_t yard = viewer_tile(&sound, "Yard")->epoch;
	broken.flip_next = true;
	WAIT_FOR(loop, viewer_tile(&broken, "Door")->epoch > door, HUB_PATIENCE_MS);
	WAIT_FOR(loop, viewer_tile(&sound, "Door")->epoch > door, HUB_PATIENCE_MS);
	viewer_await(&sound, "Yard", 2);
	assert_int_equal(viewer_tile(&sound, "Yard")->epoch, yard);
	assert_told(1);
	assert_int_equal(broken.closes, 0);
	assert_int_equal(recorded("viewings", "why", "cut off after reporting mix-ups"), 0);
}

static void the_second_report_within_a_minute_drops_who_reports_and_nobody_else(void **state)
{
	(void)state;
	viewer_await(&broken, "Door", 2);
	broken.flip_next = true;
	WAIT_FOR(loop, broken.closes == 1, HUB_PATIENCE_MS);
	assert_told(2);
	WAIT_FOR(loop, recorded("viewings", "why", "cut off after reporting mix-ups") == 1,
		HUB_PATIENCE_MS);
	viewer_await(&sound, "Door", 5);
	viewer_await(&sound, "Yard", 5);
	assert_int_equal(sound.closes, 0);
	assert_int_equal(viewer_anomalies(&sound), 0);
}

#define TEST(f) cmocka_unit_test(f)

int main(void)
{
	if (secure_heap_init() < 0) {
		return 1;
	}
	const struct CMUnitTest tests[] = {
		TEST(without_a_mix_up_nobody_says_anything),
		TEST(a_report_changes_the_key_of_that_camera_only_and_is_told),
		TEST(the_second_report_within_a_minute_drops_who_reports_and_nobody_else),
	};
	return cmocka_run_group_tests_name("alarm", tests, set_up, tear_down);
}
