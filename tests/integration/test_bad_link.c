/* Sixteen viewers of four cameras on one bad network: 2 Mbit/s, a round trip of 300 ms, 5 % loss.
 * The cameras deliver several times of what the link carries. With SOAK set, for longer. */
#include "tests/network/bad_link.h"
#include "viewer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { VIEWERS = 16, CAMERAS = 4, PATIENCE_MS = 60000, FRESH_US = 2000000 };

static const char *const names[CAMERAS] = {"Door", "Door yard", "Cot", "Shed"};

static struct bad_link network;
static struct client_loop *loop;
static struct hub hub;
static struct viewer viewers[VIEWERS];

static const char *camera_of(size_t viewer)
{
	return names[viewer % CAMERAS];
}

static unsigned int pictures_of(size_t viewer)
{
	return viewer_pictures(&viewers[viewer], camera_of(viewer));
}

/* Paired while the network is good: what is asked here begins afterwards. */
static int set_up(void **state)
{
	(void)state;
	static const char *const sizes[CAMERAS] = {"128x128", "192x128", "128x192", "192x192"};
	loop = client_loop_create();
	hub_init(&hub, loop);
	hub.address = BAD_LINK_HUB;
	hub.network = network.hub_network;
	hub_start(&hub,
		(const char *[]){"--camera", "pattern:128x128@15", "--camera", "pattern:192x128@15",
			"--camera", "pattern:128x192@15", "--camera", "pattern:192x192@15", NULL});
	for (uint32_t i = 0; i < CAMERAS; i++) {
		hub_name_camera(&hub, sizes[i], names[i]);
		hub_expect(&hub, names[i], i);
	}
	for (size_t i = 0; i < VIEWERS; i++) {
		viewers[i].given = camera_of(i);
		viewer_pair(&viewers[i], &hub, camera_of(i), "On a bad network");
	}
	for (size_t i = 0; i < VIEWERS; i++) {
		WAIT_FOR(loop, pictures_of(i) > 0, PATIENCE_MS);
	}
	bad_link_set(&network, &bad_link_poor);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	bad_link_set(&network, &bad_link_good);
	hub_end(&hub);
	hub_finish(&hub);
	client_loop_destroy(loop);
	return 0;
}

static void each_of_sixteen_viewers_sees_its_own_camera_and_none_is_starved(void **state)
{
	(void)state;
	unsigned int rounds = getenv("SOAK") != NULL ? 10 : 2;
	struct bad_link_counts before = bad_link_counts(&network);
	for (unsigned int round = 0; round < rounds; round++) {
		unsigned int seen[VIEWERS];
		for (size_t i = 0; i < VIEWERS; i++) {
			seen[i] = pictures_of(i);
		}
		for (size_t i = 0; i < VIEWERS; i++) {
			WAIT_FOR(loop, pictures_of(i) >= seen[i] + 3, PATIENCE_MS);
		}
	}
	struct bad_link_counts after = bad_link_counts(&network);
	assert_true(after.lost > before.lost);
	for (size_t i = 0; i < VIEWERS; i++) {
		assert_int_equal(viewers[i].bad_pictures, 0);
		assert_int_equal(viewer_anomalies(&viewers[i]), 0);
	}
}

static void a_display_that_read_nothing_resumes_with_a_fresh_picture(void **state)
{
	(void)state;
	struct viewer *stalled = &viewers[0], *witness = &viewers[CAMERAS];
	/* Longer than a picture may be shown at all, which is 5 s. */
	uint64_t stall_us = getenv("SOAK") != NULL ? 60000000 : 7000000;
	uint64_t until_us = client_now_us() + stall_us;
	client_pause(stalled->client, true);
	unsigned int seen = pictures_of(CAMERAS);
	WAIT_FOR(loop, client_now_us() >= until_us, PATIENCE_MS + 60000);
	/* The hub may have given it up by now: then it comes back as anybody does. */
	unsigned int stalled_at = pictures_of(0);
	uint64_t resumed_us = client_now_us();
	client_pause(stalled->client, false);
	WAIT_FOR(loop, pictures_of(0) > stalled_at, PATIENCE_MS);
	const struct viewer_tile *t = viewer_tile(stalled, camera_of(0));
	assert_true(t->age_us < FRESH_US);
	assert_true(t->capture_us + FRESH_US > resumed_us);
	WAIT_FOR(loop, pictures_of(CAMERAS) > seen, PATIENCE_MS);
	assert_int_equal(witness->bad_pictures, 0);
}

static void one_of_sixteen_is_revoked_and_the_others_see_on(void **state)
{
	(void)state;
	const size_t last = VIEWERS - 1;
	char id[2 * DISPLAY_ID_BYTES + 1];
	for (size_t i = 0; i < DISPLAY_ID_BYTES; i++) {
		(void)snprintf(id + 2 * i, 3, "%02x", viewers[last].keys.id[i]);
	}
	json_decref(hub_ask(&hub, "revoke", id, NULL));
	uint64_t answered_us = client_now_us();
	unsigned int seen[VIEWERS];
	for (size_t i = 0; i < last; i++) {
		seen[i] = pictures_of(i);
	}
	/* A lost reset is answered again: it pulses four times a second. */
	WAIT_FOR(loop, viewers[last].closes > 0, PATIENCE_MS);
	for (size_t i = 0; i < last; i++) {
		WAIT_FOR(loop, pictures_of(i) >= seen[i] + 3, PATIENCE_MS);
		assert_int_equal(viewer_anomalies(&viewers[i]), 0);
	}
	assert_true(viewer_tile(&viewers[last], camera_of(last))->capture_us < answered_us);
}

/* All oracles, and that their connections end while the network is bad. */
static void the_oracles_have_nothing_to_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < VIEWERS; i++) {
		viewer_finish(&viewers[i]);
	}
	assert_int_equal(hub_status_sum(&hub, "anomalies"), 0);
}

#define TEST(f) cmocka_unit_test(f)

int main(void)
{
	int r = bad_link_begin(&network, &bad_link_good, 1);
	if (r < 0) {
		(void)printf("1..0 # SKIP bad_link: no network namespaces or TUN devices here: "
			     "%s\nok 1 - bad_link # SKIP no network namespaces or TUN devices\n",
			strerror(-r));
		return 77;
	}
	if (secure_heap_init() < 0) {
		return 1;
	}
	const struct CMUnitTest tests[] = {
		TEST(each_of_sixteen_viewers_sees_its_own_camera_and_none_is_starved),
		TEST(a_display_that_read_nothing_resumes_with_a_fresh_picture),
		TEST(one_of_sixteen_is_revoked_and_the_others_see_on),
		TEST(the_oracles_have_nothing_to_say),
	};
	r = cmocka_run_group_tests_name("bad_link", tests, set_up, tear_down);
	bad_link_end(&network);
	return r;
}
