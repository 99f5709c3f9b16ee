/* Connections that end, stall or trickle at the worst moment. With SOAK set at every byte, without
 * it at some. */
#include "ipc.h"
#include "tests/network/relay.h"
#include "viewer.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { CUTS = 60, DOWN_BYTES = 12000, UP_BYTES = 2500, CUT_MS = 5000, DRIP_US = 10000 };

static const char *const roles[] = {"web", "keeper", "camera"};

static struct client_loop *loop;
static struct hub hub;
static struct relay relay;
static struct viewer witness, guest; /* of the small camera; through the relay */

static int set_up(void **state)
{
	(void)state;
	loop = client_loop_create();
	hub_init(&hub, loop);
	hub_start(&hub, (const char *[]){"--camera", "pattern:128x128@15", "--camera",
				"pattern:1280x960@10", NULL});
	hub_name_camera(&hub, "128x128", "Small");
	hub_name_camera(&hub, "1280x960", "Large");
	hub_expect(&hub, "Small", 0);
	hub_expect(&hub, "Large", 1);
	assert_int_equal(relay_begin(&relay, hub.port), 0);
	viewer_pair(&witness, &hub, "all", "Witness");
	viewer_pair(&guest, &hub, "all", "Guest");
	viewer_await(&witness, "Small", 2);
	viewer_disconnect(&guest);
	guest.through = relay.port;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	viewer_finish(&guest);
	viewer_finish(&witness);
	relay_end(&relay);
	hub_end(&hub);
	hub_finish(&hub);
	client_loop_destroy(loop);
	return 0;
}

/* ---- cuts ---- */

static unsigned int descriptors(const char *role)
{
	char path[64];
	unsigned int n = 0;
	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)hub_role(&hub, role, 0));
	DIR *d = opendir(path);
	assert_non_null(d);
	while (readdir(d) != NULL) {
		n++;
	}
	(void)closedir(d);
	return n;
}

static json_int_t connections(const char *kind)
{
	json_t *status = hub_ask(&hub, "status", NULL);
	json_int_t n = json_integer_value(json_object_get(json_object_get(status, "web"), kind));
	json_decref(status);
	return n;
}

static bool is_as_before(const unsigned int *before)
{
	for (size_t i = 0; i < 3; i++) {
		/* The keeper has one for the command, now and then. */
		if (descriptors(roles[i]) > before[i]) {
			return false;
		}
	}
	return true;
}

/* Comes, and is cut after so many bytes that way. */
static void come_and_be_cut(enum relay_way way, int64_t at)
{
	unsigned int closes = guest.closes;
	relay_cut_at(&relay, way, at);
	viewer_connect(&guest, &hub, NULL, NULL, false);
	WAIT_FOR(loop, guest.closes > closes, 4 * HUB_PATIENCE_MS);
	viewer_disconnect(&guest);
}

static void a_connection_cut_at_any_byte_leaves_nothing_behind(void **state)
{
	(void)state;
	unsigned int before[3];
	/* The whole of it once: TLS, login, key, the first frame, and the answer to it. */
	guest.given = NULL;
	viewer_connect(&guest, &hub, NULL, NULL, false);
	viewer_await(&guest, "Small", 1);
	uint64_t down = relay_carried(&relay, RELAY_DOWN);
	uint64_t up = relay_carried(&relay, RELAY_UP);
	viewer_disconnect(&guest);
	/* Without what else came meanwhile: the large picture, and pulses on a slow machine. */
	down = down < DOWN_BYTES ? down : DOWN_BYTES;
	up = up < UP_BYTES ? up : UP_BYTES;
	WAIT_FOR(loop, connections("connections") == 1, HUB_PATIENCE_MS);
	for (size_t i = 0; i < 3; i++) {
		before[i] = descriptors(roles[i]);
	}
	uint64_t step = getenv("SOAK") != NULL ? 1 : (down + up) / CUTS;
	for (uint64_t at = 0; at < down; at += step) {
		come_and_be_cut(RELAY_DOWN, (int64_t)at);
	}
	relay_cut_at(&relay, RELAY_DOWN, -1);
	for (uint64_t at = 0; at < up; at += step) {
		come_and_be_cut(RELAY_UP, (int64_t)at);
	}
	relay_cut_at(&relay, RELAY_UP, -1);
	WAIT_FOR(loop, connections("connections") == 1, HUB_PATIENCE_MS);
	WAIT_FOR(loop, is_as_before(before), HUB_PATIENCE_MS);
	assert_int_equal(connections("displays"), 1);
	assert_int_equal(witness.closes, 0);
	viewer_await(&witness, "Small", 5);
	assert_int_equal(hub_status_sum(&hub, "anomalies"), 0);
}

/* ---- full sockets ---- */

static void guest_comes(void)
{
	relay_cut_at(&relay, RELAY_DOWN, -1);
	relay_cut_at(&relay, RELAY_UP, -1);
	viewer_connect(&guest, &hub, NULL, NULL, true);
	WAIT_FOR(loop, guest.welcomed, HUB_PATIENCE_MS);
	viewer_await(&guest, "Large", 2);
	viewer_await(&guest, "Small", 2);
}

/* A frame of the large camera does not fit into the kernel's buffers: while these others come, the
 * hub is in the middle of one and can write no more. */
static void until_the_socket_is_full(void)
{
	uint64_t carried = relay_carried(&relay, RELAY_DOWN);
	viewer_await(&witness, "Large", 8);
	assert_true(relay_carried(&relay, RELAY_DOWN) - carried < 20000);
}

static void what_was_to_be_written_again_is_written_as_it_was(void **state)
{
	(void)state;
	guest_comes();
	unsigned int closes = guest.closes;
	/* Every byte that TLS could not write at once is written again in pieces; if one were
	 * another, the record would be broken and the connection over. */
	for (int round = 0; round < 3; round++) {
		unsigned int seen = viewer_pictures(&guest, "Small");
		relay_drip(&relay, DRIP_US);
		until_the_socket_is_full();
		relay_drip(&relay, 0);
		WAIT_FOR(loop, viewer_pictures(&guest, "Small") >= seen + 3, HUB_PATIENCE_MS);
		viewer_await(&guest, "Large", 2);
	}
	assert_int_equal(guest.closes, closes);
	assert_int_equal(guest.bad_pictures, 0);
	assert_int_equal(viewer_anomalies(&guest), 0);
	viewer_disconnect(&guest);
}

static void a_display_that_reads_a_byte_now_and_then_hurts_nobody(void **state)
{
	(void)state;
	guest_comes();
	relay_drip(&relay, DRIP_US);
	viewer_await(&witness, "Small", 2);
	unsigned int missed = viewer_tile(&witness, "Small")->missed;
	viewer_await(&witness, "Small", getenv("SOAK") != NULL ? 450 : 60);
	/* A machine that is busy misses some; a hub that waits for the other, nearly all. */
	assert_true(viewer_tile(&witness, "Small")->missed - missed < 30);
	assert_int_equal(witness.closes, 0);
	viewer_disconnect(&guest);
	relay_drip(&relay, 0);
}

static void a_revoke_in_mid_frame_on_a_full_socket_leaves_the_frame_unfinished(void **state)
{
	(void)state;
	guest_comes();
	relay_stall(&relay, true);
	until_the_socket_is_full();
	unsigned int seen = viewer_pictures(&guest, "Large"), closes = guest.closes;
	uint64_t carried = relay_carried(&relay, RELAY_DOWN);
	json_t *answer = hub_ask(&hub, "revoke", "Guest", NULL);
	assert_true(json_number_value(json_object_get(answer, "cut_ms")) < CUT_MS);
	json_decref(answer);
	uint64_t answered_us = client_now_us();
	relay_stall(&relay, false);
	WAIT_FOR(loop, guest.closes > closes, HUB_PATIENCE_MS);
	/* What was in the relay's own buffers is all that came after the cut. */
	assert_true(relay_carried(&relay, RELAY_DOWN) < carried + 20000);
	assert_int_equal(viewer_pictures(&guest, "Large"), seen);
	assert_true(viewer_tile(&guest, "Large")->capture_us < answered_us);
	assert_true(viewer_tile(&guest, "Small")->capture_us < answered_us);
	WAIT_FOR(loop, guest.closes > closes + 1, HUB_PATIENCE_MS);
	assert_int_equal(guest.end.code, 4000);
	viewer_await(&witness, "Large", 2);
	viewer_finish(&guest);
	guest = (struct viewer){0};
	viewer_pair(&guest, &hub, "all", "Guest");
	viewer_disconnect(&guest);
	guest.through = relay.port;
}

/* ---- a revoke and a grant in one breath ---- */

static int say(const char *command, const char *display, const char *camera)
{
	char directory[PATH_MAX + 16];
	(void)snprintf(directory, sizeof(directory), "%s/sockets", hub.state);
	int fd = ipc_connect(directory, "admin");
	assert_true(fd >= 0);
	json_t *request = json_pack(
		"{s:s, s:s, s:s}", "command", command, "display", display, "camera", camera);
	char *text = json_dumps(request, 0);
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
	free(text);
	json_decref(request);
	return fd;
}

static bool answered_ok(int fd)
{
	char text[4096];
	ssize_t n = recv(fd, text, sizeof(text), MSG_DONTWAIT);
	if (n <= 0) {
		return false;
	}
	json_t *answer = json_loadb(text, (size_t)n, 0, NULL);
	assert_true(json_is_true(json_object_get(answer, "ok")));
	json_decref(answer);
	return true;
}

static void a_revoke_and_a_grant_in_one_breath_end_in_a_new_viewing(void **state)
{
	(void)state;
	guest.through = 0;
	guest_comes();
	unsigned int closes = guest.closes;
	for (int round = 0; round < 5; round++) {
		uint32_t epoch = viewer_tile(&guest, "Small")->epoch;
		uint32_t others = viewer_tile(&witness, "Small")->epoch;
		int revoke = say("revoke", "Guest", "Small");
		int grant = say("grant", "Guest", "Small");
		WAIT_FOR(loop, answered_ok(grant), HUB_PATIENCE_MS);
		WAIT_FOR(loop, answered_ok(revoke), HUB_PATIENCE_MS);
		close(revoke);
		close(grant);
		/* What it held is of no use, for anybody; it got a new key, and a new grant. */
		WAIT_FOR(loop, viewer_tile(&guest, "Small")->epoch > epoch, HUB_PATIENCE_MS);
		WAIT_FOR(loop, viewer_tile(&witness, "Small")->epoch > others, HUB_PATIENCE_MS);
		viewer_await(&guest, "Small", 2);
	}
	assert_int_equal(guest.closes, closes);
	assert_int_equal(viewer_anomalies(&guest) + viewer_anomalies(&witness), 0);
	viewer_disconnect(&guest);
	guest.through = relay.port;
}

/* ---- everybody pairs at once ---- */

/* Who was told no does not ask again. True when nobody waits any more. */
static bool all_have_an_answer(struct viewer *all, size_t count)
{
	size_t waiting = 0;
	for (size_t i = 0; i < count; i++) {
		if (all[i].client != NULL && all[i].end.code == 4000) {
			viewer_disconnect(&all[i]);
		}
		waiting += all[i].client != NULL && !all[i].welcomed;
	}
	return waiting == 0;
}

static void of_a_hundred_that_pair_by_one_link_at_once_one_is_paired(void **state)
{
	(void)state;
	enum { MANY = 100 };
	static struct viewer all[MANY];
	struct wire_link link;
	unsigned int paired = 0;
	hub_make_link(&hub, "Small", "The one", &link);
	for (size_t i = 0; i < MANY; i++) {
		assert_int_equal(display_keys_generate(&all[i].keys), 0);
		memcpy(all[i].keys.hub, link.fingerprint, FINGERPRINT_BYTES);
		all[i].source = i < MANY / 2 ? "127.0.0.2" : "127.0.0.3";
		viewer_connect(&all[i], &hub, &link, "One of many", true);
	}
	/* Closed before it could say a word, which is to come back, or told no. */
	WAIT_FOR(loop, all_have_an_answer(all, MANY), 8 * HUB_PATIENCE_MS);
	for (size_t i = 0; i < MANY; i++) {
		paired += all[i].welcomes > 0;
		assert_true(all[i].welcomes == 0 || viewer_cameras(&all[i]) == 1);
		viewer_finish(&all[i]);
	}
	assert_int_equal(paired, 1);
	assert_int_equal(witness.closes, 0);
}

#define TEST(f) cmocka_unit_test(f)

int main(void)
{
	if (secure_heap_init() < 0) {
		return 1;
	}
	const struct CMUnitTest tests[] = {
		TEST(a_connection_cut_at_any_byte_leaves_nothing_behind),
		TEST(what_was_to_be_written_again_is_written_as_it_was),
		TEST(a_display_that_reads_a_byte_now_and_then_hurts_nobody),
		TEST(a_revoke_in_mid_frame_on_a_full_socket_leaves_the_frame_unfinished),
		TEST(a_revoke_and_a_grant_in_one_breath_end_in_a_new_viewing),
		TEST(of_a_hundred_that_pair_by_one_link_at_once_one_is_paired),
	};
	return cmocka_run_group_tests_name("cut", tests, set_up, tear_down);
}
