/* Cameras that are there and give no picture: while somebody watches it is told everywhere in plain
 * words, once, and they are live at once when they deliver. */
#include "viewer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { TOLD_MS = 10000, RECOVERED_MS = 20000 };

#define CAMERA(n, card, faults)                                                                    \
	"video" n " card=" card " usb=046d:082" n " serial=S" n                                    \
	" modes=MJPG:320x192@15 tag=aaaa000" n " faults=" faults "\n"

static struct client_loop *loop;
static struct hub hub;
static struct viewer owner;

static const char *const names[] = {"Silent", "Deaf", "Stubborn", "Spoiled", "Broken"};

static int set_up(void **state)
{
	(void)state;
	loop = client_loop_create();
	hub_init(&hub, loop);
	hub_set_cameras(&hub, CAMERA("0", "Silent", "deaf/1000") CAMERA("1", "Deaf", "deaf/1")
				      CAMERA("2", "Stubborn", "nostart/3") CAMERA("3", "Spoiled",
					      "empty/1") CAMERA("4", "Broken", "eio/20"));
	hub_start(&hub,
		(const char *[]){"--camera", "/dev/video0", "--camera", "/dev/video1", "--camera",
			"/dev/video2", "--camera", "/dev/video3", "--camera", "/dev/video4", NULL});
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char device[16];
		(void)snprintf(device, sizeof(device), "/dev/video%zu", i);
		hub_name_camera(&hub, device, names[i]);
	}
	viewer_pair_owner(&owner, &hub, "Owner");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	assert_int_equal(viewer_anomalies(&owner), 0);
	viewer_finish(&owner);
	hub_end(&hub);
	hub_finish(&hub);
	client_loop_destroy(loop);
	return 0;
}

static unsigned int times_logged(const char *text)
{
	unsigned int n = 0;
	for (const char *at = hub_log(&hub); (at = strstr(at, text)) != NULL; at++) {
		n++;
	}
	return n;
}

static bool tile_says_fault(const char *name)
{
	return (viewer_tile(&owner, name)->camera.flags & CAMERA_FLAG_FAILING) != 0;
}

static bool says(const char *command, const char *list, const char *text)
{
	json_t *answer = NULL, *item;
	size_t i;
	bool found = false;
	(void)hub_command(&hub, &answer, command, NULL);
	json_array_foreach(json_object_get(answer, list), i, item)
	{
		const char *detail = json_string_value(json_object_get(item, "detail"));
		const char *line = json_string_value(json_object_get(item, "text"));
		found = found || (detail != NULL && strstr(detail, text) != NULL) ||
			(line != NULL && strstr(line, text) != NULL);
	}
	json_decref(answer);
	return found;
}

static void a_camera_that_delivers_nothing_is_told_everywhere_within_ten_seconds(void **state)
{
	(void)state;
	WAIT_FOR(loop, hub_camera_is(&hub, "Silent", "activity", "failing"), TOLD_MS);
	WAIT_FOR(loop, tile_says_fault("Silent"), HUB_PATIENCE_MS);
	assert_true(says("cameras", "cameras", "started and delivers nothing"));
	assert_true(says("status", "cameras", "started and delivers nothing"));
	assert_true(
		says("doctor", "lines", "\"Silent\" at /dev/video0 is failing: the camera was"));
	assert_true(hub_log_has(&hub, "/dev/video0: the camera was started and delivers nothing"));
	assert_int_equal(viewer_pictures(&owner, "Silent"), 0);
}

static void one_that_delivers_broken_buffers_only_is_told_as_that(void **state)
{
	(void)state;
	WAIT_FOR(loop, hub_camera_is(&hub, "Spoiled", "activity", "failing"), TOLD_MS);
	assert_true(says("cameras", "cameras", "broken pictures only"));
	assert_true(hub_log_has(&hub, "/dev/video3: the camera delivers broken pictures only"));
	assert_int_equal(viewer_pictures(&owner, "Spoiled"), 0);
}

static void one_that_does_not_start_is_tried_again_until_it_does(void **state)
{
	(void)state;
	viewer_await(&owner, "Stubborn", 5);
	assert_true(hub_log_has(&hub, "/dev/video2: the camera does not start"));
	assert_true(hub_camera_is(&hub, "Stubborn", "activity", "streaming"));
	WAIT_FOR(loop, !tile_says_fault("Stubborn"), HUB_PATIENCE_MS);
}

static void one_that_was_silent_is_live_when_it_delivers(void **state)
{
	(void)state;
	WAIT_FOR(loop, viewer_pictures(&owner, "Deaf") > 5, RECOVERED_MS);
	assert_true(hub_log_has(&hub, "/dev/video1: the camera was started and delivers nothing"));
	assert_true(hub_camera_is(&hub, "Deaf", "activity", "streaming"));
	WAIT_FOR(loop, hub_log_has(&hub, "/dev/video1 delivers pictures again"), RECOVERED_MS);
}

static void one_that_breaks_off_keeps_its_process_and_its_name(void **state)
{
	(void)state;
	WAIT_FOR(loop, hub_log_has(&hub, "/dev/video4: the camera broke off"), TOLD_MS);
	WAIT_FOR(loop, hub_camera_is(&hub, "Broken", "state", "ready"), HUB_PATIENCE_MS);
	assert_true(viewer_pictures(&owner, "Broken") > 5);
	assert_false(hub_log_has(&hub, "camera \"Broken\" is gone"));
}

/* After the others: by now each was tried several times. */
static void each_trouble_is_logged_once(void **state)
{
	(void)state;
	assert_int_equal(times_logged("/dev/video0: the camera"), 1);
	assert_int_equal(times_logged("/dev/video1: the camera"), 1);
	assert_int_equal(times_logged("/dev/video2: the camera"), 1);
	assert_int_equal(times_logged("/dev/video3: the camera"), 1);
	assert_int_equal(times_logged("/dev/video4: the camera"), 1);
	assert_int_equal(owner.closes, 0);
}

int main(void)
{
	if (secure_heap_init() < 0) {
		return 1;
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_camera_that_delivers_nothing_is_told_everywhere_within_ten_seconds),
		cmocka_unit_test(one_that_delivers_broken_buffers_only_is_told_as_that),
		cmocka_unit_test(one_that_does_not_start_is_tried_again_until_it_does),
		cmocka_unit_test(one_that_was_silent_is_live_when_it_delivers),
		cmocka_unit_test(one_that_breaks_off_keeps_its_process_and_its_name),
		cmocka_unit_test(each_trouble_is_logged_once),
	};
	return cmocka_run_group_tests_name("faults", tests, set_up, tear_down);
}
