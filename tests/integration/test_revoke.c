/* What is taken away is dark at once, for that display and that camera alone. */
#include "viewer.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* What is promised is 250 ms and a second: `make evidence` measures it. Here order counts, and that
 * no deadline of somebody's had to pass. */
enum { CUT_MS = 5000, DARK_US = 5000000, FRAME_US = 1000000 / 12 };

static struct client_loop *loop;
static struct hub hub;

static int set_up(void **state)
{
	(void)state;
	loop = client_loop_create();
	hub_init(&hub, loop);
	hub_start(&hub, (const char *[]){"--camera", "pattern:320x192@12", "--camera",
				"pattern:256x192@12", NULL});
	hub_name_camera(&hub, "320x192", "Door");
	hub_name_camera(&hub, "256x192", "Door yard");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	hub_end(&hub);
	hub_finish(&hub);
	client_loop_destroy(loop);
	return 0;
}

/* Revokes, checks that it was carried out; returns when it answered, on the cameras' clock. */
static uint64_t take_away(const char *display, const char *camera)
{
	json_t *answer = hub_ask(&hub, "revoke", display, camera, NULL);
	json_t *cut = json_object_get(answer, "cut_ms");
	assert_true(json_is_number(cut));
	assert_true(json_number_value(cut) < CUT_MS);
	json_decref(answer);
	return client_now_us();
}

static void a_revoked_display_is_cut_and_sees_nothing_captured_after(void **state)
{
	(void)state;
	struct viewer v = {0}, witness = {0};
	viewer_pair(&v, &hub, "all", "Former");
	viewer_pair(&witness, &hub, "Door", "Witness");
	viewer_await(&v, "Door", 5);
	viewer_await(&v, "Door yard", 5);
	viewer_await(&witness, "Door", 1);
	uint64_t asked_us = client_now_us();
	uint64_t answered_us = take_away("Former", NULL);
	WAIT_FOR(loop, v.closes > 0, HUB_PATIENCE_MS);
	/* It comes back and is told nothing but no. */
	WAIT_FOR(loop, v.closes > 1, HUB_PATIENCE_MS);
	assert_int_equal(v.end.code, 4000);
	assert_int_equal(v.welcomes, 1);
	viewer_await(&witness, "Door", 10);
	for (size_t i = 0; i < v.tiles_count; i++) {
		assert_true(v.tiles[i].capture_us < answered_us);
		assert_true(v.tiles[i].at_us < asked_us + DARK_US);
	}
	viewer_finish(&v);
	viewer_finish(&witness);
}

static void the_cut_is_a_reset_without_a_goodbye(void **state)
{
	(void)state;
	struct viewer v = {0};
	viewer_pair(&v, &hub, "Door", "Cut");
	viewer_await(&v, "Door", 2);
	(void)take_away("Cut", NULL);
	WAIT_FOR(loop, v.closes > 0, HUB_PATIENCE_MS);
	viewer_disconnect(&v);
	assert_int_equal(v.end.code, 0);
	assert_true(v.end.upgraded);
	viewer_finish(&v);
}

static void one_camera_taken_away_leaves_the_other(void **state)
{
	(void)state;
	struct viewer v = {0};
	viewer_pair(&v, &hub, "all", "Of both");
	viewer_await(&v, "Door", 3);
	viewer_await(&v, "Door yard", 3);
	/* "Door" is not mistaken for "Door yard", which begins like it. */
	uint64_t answered_us = take_away("Of both", "Door");
	WAIT_FOR(loop, !viewer_tile(&v, "Door")->present, HUB_PATIENCE_MS);
	assert_int_equal(viewer_tile(&v, "Door")->end_reason, END_NOT_SHARED);
	viewer_await(&v, "Door yard", 10);
	assert_true(viewer_tile(&v, "Door")->capture_us < answered_us);
	assert_int_equal(v.closes, 0);
	assert_int_equal(viewer_cameras(&v), 1);
	viewer_finish(&v);
}

/* For want of the new key, that is: a machine that is busy may lose others, and as many more as it
 * took frames' times to carry out the revoke itself. */
static void the_fifteen_other_viewers_lose_at_most_one_frame(void **state)
{
	(void)state;
	enum { OTHERS = 15 };
	static struct viewer others[OTHERS];
	struct viewer v = {0};
	viewer_pair(&v, &hub, "Door", "Leaver");
	for (int i = 0; i < OTHERS; i++) {
		viewer_pair(&others[i], &hub, "Door", "Stayer");
	}
	for (int i = 0; i < OTHERS; i++) {
		viewer_await(&others[i], "Door", 5);
	}
	unsigned int missed[OTHERS];
	uint32_t epoch = viewer_tile(&others[0], "Door")->epoch;
	for (int i = 0; i < OTHERS; i++) {
		missed[i] = viewer_tile(&others[i], "Door")->missed_for_key;
	}
	uint64_t asked_us = client_now_us();
	uint64_t slow = (take_away("Leaver", NULL) - asked_us) / FRAME_US;
	for (int i = 0; i < OTHERS; i++) {
		viewer_await(&others[i], "Door", 10);
		struct viewer_tile *t = viewer_tile(&others[i], "Door");
		assert_true(t->missed_for_key - missed[i] <= 1 + slow);
		assert_true(t->epoch > epoch);
		assert_int_equal(others[i].closes, 0);
		assert_int_equal(viewer_anomalies(&others[i]), 0);
		viewer_finish(&others[i]);
	}
	viewer_finish(&v);
}

static void a_camera_given_back_at_once_is_live_again(void **state)
{
	(void)state;
	struct viewer v = {0};
	viewer_pair(&v, &hub, "all", "Forgiven");
	viewer_await(&v, "Door", 3);
	(void)take_away("Forgiven", "Door");
	json_decref(hub_ask(&hub, "grant", "Forgiven", "Door", NULL));
	WAIT_FOR(loop, viewer_tile(&v, "Door")->present, HUB_PATIENCE_MS);
	viewer_await(&v, "Door", 5);
	assert_int_equal(v.closes, 0);
	assert_int_equal(viewer_anomalies(&v), 0);
	viewer_finish(&v);
}

static void a_stalled_display_gets_nothing_captured_after_its_revoke(void **state)
{
	(void)state;
	struct viewer v = {0};
	viewer_pair(&v, &hub, "Door", "Sleeping");
	viewer_await(&v, "Door", 3);
	client_pause(v.client, true);
	struct viewer witness = {0};
	viewer_pair(&witness, &hub, "Door", "Awake");
	viewer_await(&witness, "Door", 10);
	uint64_t answered_us = take_away("Sleeping", NULL);
	viewer_await(&witness, "Door", 5);
	client_pause(v.client, false);
	WAIT_FOR(loop, v.closes > 0, HUB_PATIENCE_MS);
	assert_true(viewer_tile(&v, "Door")->capture_us < answered_us);
	viewer_finish(&v);
	viewer_finish(&witness);
}

static void a_revoke_does_not_wait_for_a_camera_that_hangs(void **state)
{
	(void)state;
	struct viewer v = {0}, witness = {0};
	viewer_pair(&v, &hub, "all", "Impatient");
	viewer_pair(&witness, &hub, "all", "Patient");
	viewer_await(&v, "Door", 3);
	viewer_await(&v, "Door yard", 3);
	viewer_await(&witness, "Door", 1);
	viewer_await(&witness, "Door yard", 1);
	pid_t hanging = hub_role(&hub, "camera", 0);
	assert_int_equal(kill(hanging, SIGSTOP), 0);
	uint64_t asked_us = client_now_us();
	(void)take_away("Impatient", NULL);
	assert_true(client_now_us() - asked_us < DARK_US);
	/* The camera that hung was ended and another process has taken its place. */
	WAIT_FOR(loop, kill(hanging, 0) < 0, HUB_PATIENCE_MS);
	viewer_await(&witness, "Door", 5);
	viewer_await(&witness, "Door yard", 5);
	assert_int_equal(witness.closes, 0);
	assert_int_equal(viewer_anomalies(&witness), 0);
	viewer_finish(&v);
	viewer_finish(&witness);
}

static void what_is_not_there_cannot_be_revoked(void **state)
{
	(void)state;
	json_t *answer = NULL;
	assert_int_not_equal(hub_command(&hub, &answer, "revoke", "Nobody", NULL), 0);
	json_decref(answer);
	struct viewer v = {0};
	viewer_pair(&v, &hub, "Door", "Somebody");
	viewer_await(&v, "Door", 2);
	/* The beginning of a name is no name. */
	assert_int_not_equal(hub_command(&hub, NULL, "revoke", "Some", NULL), 0);
	assert_int_not_equal(hub_command(&hub, NULL, "revoke", "Somebody", "Doo", NULL), 0);
	viewer_await(&v, "Door", 5);
	assert_int_equal(v.closes, 0);
	viewer_finish(&v);
}

#define TEST(f) cmocka_unit_test_teardown(f, viewer_drop_all)

int main(void)
{
	if (secure_heap_init() < 0) {
		return 1;
	}
	const struct CMUnitTest tests[] = {
		TEST(a_revoked_display_is_cut_and_sees_nothing_captured_after),
		TEST(the_cut_is_a_reset_without_a_goodbye),
		TEST(one_camera_taken_away_leaves_the_other),
		TEST(the_fifteen_other_viewers_lose_at_most_one_frame),
		TEST(a_camera_given_back_at_once_is_live_again),
		TEST(a_stalled_display_gets_nothing_captured_after_its_revoke),
		TEST(a_revoke_does_not_wait_for_a_camera_that_hangs),
		TEST(what_is_not_there_cannot_be_revoked),
	};
	return cmocka_run_group_tests_name("revoke", tests, set_up, tear_down);
}
