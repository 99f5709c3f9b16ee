/* Every role may die at any moment: the picture comes back by itself, and never a wrong one. */
#include "viewer.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct client_loop *loop;
static struct hub hub;
static struct viewer viewer;

static const char *const arguments[] = {
	"--camera", "pattern:320x192@15", "--camera", "pattern:256x192@15", NULL};

static int set_up(void **state)
{
	(void)state;
	loop = client_loop_create();
	hub_init(&hub, loop);
	hub_start(&hub, arguments);
	hub_name_camera(&hub, "320x192", "Door");
	hub_name_camera(&hub, "256x192", "Yard");
	viewer_pair_owner(&viewer, &hub, "Wall");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	viewer_finish(&viewer);
	hub_finish(&hub);
	client_loop_destroy(loop);
	return 0;
}

static void both_are_live(void)
{
	viewer_await(&viewer, "Door", 3);
	viewer_await(&viewer, "Yard", 3);
	assert_int_equal(viewer_anomalies(&viewer), 0);
	assert_int_equal(viewer.bad_pictures, 0);
}

/* Kills the role and waits for new pictures of both cameras; prints how long that took. */
static void kill_and_measure(const char *role)
{
	unsigned int door = viewer_pictures(&viewer, "Door"),
		     yard = viewer_pictures(&viewer, "Yard");
	uint64_t from_us = client_now_us();
	hub_kill_role(&hub, role);
	/* What was on its way does not count: some pictures in a row do. */
	WAIT_FOR(loop,
		viewer_pictures(&viewer, "Door") > door + 5 &&
			viewer_pictures(&viewer, "Yard") > yard + 5,
		HUB_PATIENCE_MS);
	print_message("# %s: live again %u ms after it was killed\n", role,
		(unsigned int)((client_now_us() - from_us) / 1000));
}

static void after_any_role_was_killed_all_displays_are_live_again(void **state)
{
	(void)state;
	static const char *const roles[] = {"camera", "web", "keeper"};
	both_are_live();
	for (size_t i = 0; i < 3; i++) {
		kill_and_measure(roles[i]);
		both_are_live();
	}
}

static void after_the_web_role_was_killed_the_picture_comes_back(void **state)
{
	(void)state;
	both_are_live();
	unsigned int welcomes = viewer.welcomes;
	hub_kill_role(&hub, "web");
	WAIT_FOR(loop, viewer.welcomes > welcomes, HUB_PATIENCE_MS);
	both_are_live();
}

static void after_the_keeper_was_killed_the_picture_comes_back(void **state)
{
	(void)state;
	both_are_live();
	unsigned int welcomes = viewer.welcomes;
	hub_kill_role(&hub, "keeper");
	WAIT_FOR(loop, viewer.welcomes > welcomes, HUB_PATIENCE_MS);
	both_are_live();
}

static void after_a_camera_was_killed_its_picture_comes_back_on_the_same_connection(void **state)
{
	(void)state;
	both_are_live();
	unsigned int closes = viewer.closes;
	uint8_t door[GENERATION_BYTES], yard[GENERATION_BYTES];
	memcpy(door, viewer_tile(&viewer, "Door")->camera.generation, sizeof(door));
	memcpy(yard, viewer_tile(&viewer, "Yard")->camera.generation, sizeof(yard));
	unsigned int ends = viewer_tile(&viewer, "Door")->ends + viewer_tile(&viewer, "Yard")->ends;
	hub_kill_role(&hub, "camera");
	WAIT_FOR(loop,
		viewer_tile(&viewer, "Door")->ends + viewer_tile(&viewer, "Yard")->ends > ends,
		HUB_PATIENCE_MS);
	both_are_live();
	assert_int_equal(viewer.closes, closes);
	bool other_door = memcmp(door, viewer_tile(&viewer, "Door")->camera.generation, 16) != 0;
	bool other_yard = memcmp(yard, viewer_tile(&viewer, "Yard")->camera.generation, 16) != 0;
	assert_true(other_door != other_yard);
}

static void no_role_leaves_a_core_or_can_be_traced(void **state)
{
	(void)state;
	static const char *const roles[] = {"keeper", "web", "camera"};
	for (size_t i = 0; i < 3; i++) {
		char path[64], line[256];
		(void)snprintf(
			path, sizeof(path), "/proc/%d/limits", (int)hub_role(&hub, roles[i], 0));
		FILE *f = fopen(path, "re");
		assert_non_null(f);
		bool seen = false;
		while (fgets(line, sizeof(line), f) != NULL) {
			unsigned long long soft = 1, hard = 1;
			if (sscanf(line, "Max core file size %llu %llu", &soft, &hard) == 2) {
				seen = soft == 0 && hard == 0;
			}
		}
		(void)fclose(f);
		assert_true(seen);
	}
}

static void a_second_start_remembers_the_display(void **state)
{
	(void)state;
	both_are_live();
	viewer_disconnect(&viewer);
	hub_end(&hub);
	hub_start(&hub, arguments);
	assert_string_equal(hub.link, ""); /* there is an owner: no link is printed */
	viewer_connect(&viewer, &hub, NULL, NULL, true);
	WAIT_FOR(loop, viewer.welcomed, HUB_PATIENCE_MS);
	both_are_live();
}

static void one_interrupt_ends_everything_cleanly(void **state)
{
	(void)state;
	both_are_live();
	hub_end(&hub);
	WAIT_FOR(loop, !viewer.welcomed, HUB_PATIENCE_MS);
}

int main(void)
{
	if (secure_heap_init() < 0) {
		return 1;
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_the_web_role_was_killed_the_picture_comes_back),
		cmocka_unit_test(after_the_keeper_was_killed_the_picture_comes_back),
		cmocka_unit_test(
			after_a_camera_was_killed_its_picture_comes_back_on_the_same_connection),
		cmocka_unit_test(after_any_role_was_killed_all_displays_are_live_again),
		cmocka_unit_test(no_role_leaves_a_core_or_can_be_traced),
		cmocka_unit_test(a_second_start_remembers_the_display),
		cmocka_unit_test(one_interrupt_ends_everything_cleanly),
	};
	return cmocka_run_group_tests_name("roles", tests, set_up, tear_down);
}
