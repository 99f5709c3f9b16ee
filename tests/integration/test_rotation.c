/* Keys change on schedule and nobody notices. */
#include "viewer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* What the keeper says when it could not wait for a display. */
#define TOO_SLOW "may lose frames"

static struct client_loop *loop;
static struct hub hub;

static int set_up(void **state)
{
	(void)state;
	loop = client_loop_create();
	hub_init(&hub, loop);
	hub_start(&hub, (const char *[]){"--camera", "pattern:320x192@15", "--rotate", "2", NULL});
	hub_name_camera(&hub, "320x192", "Door");
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

/* A busy machine loses frames at any time, also at a switch; but not at every one. For want of a
 * key none may be lost, unless the keeper says that a display was too slow to be waited for. */
static void a_scheduled_rotation_loses_no_frame(void **state)
{
	(void)state;
	enum { VIEWERS = 3, ROTATIONS = 2, PATIENCE_MS = 60000 };
	struct viewer v[VIEWERS] = {0};
	for (int i = 0; i < VIEWERS; i++) {
		viewer_pair(&v[i], &hub, "Door", "Of keys");
	}
	for (int i = 0; i < VIEWERS; i++) {
		WAIT_FOR(loop,
			viewer_pictures(&v[i], "Door") > 0 &&
				viewer_tile(&v[i], "Door")->clean_switches >= ROTATIONS,
			PATIENCE_MS);
	}
	for (int i = 0; i < VIEWERS; i++) {
		viewer_await(&v[i], "Door", 5);
		const struct viewer_tile *t = viewer_tile(&v[i], "Door");
		assert_true(t->missed_for_key + t->breaks == 0 || hub_log_has(&hub, TOO_SLOW));
		assert_int_equal(viewer_anomalies(&v[i]), 0);
		/* Those that came before the time was known are no fault of the keys. */
		assert_int_equal(viewer_counts(&v[i])->late, viewer_counts(&v[i])->clockless);
		assert_int_equal(v[i].closes, 0);
		viewer_finish(&v[i]);
	}
	assert_int_equal(hub_status_sum(&hub, "anomalies"), 0);
}

#define TEST(f) cmocka_unit_test_teardown(f, viewer_drop_all)

int main(void)
{
	if (secure_heap_init() < 0) {
		return 1;
	}
	const struct CMUnitTest tests[] = {
		TEST(a_scheduled_rotation_loses_no_frame),
	};
	return cmocka_run_group_tests_name("rotation", tests, set_up, tear_down);
}
