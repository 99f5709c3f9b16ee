/* Everybody, a kind of display or a camera is cut off at once, and a hub forgets. */
#include "viewer.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* As in test_revoke: order counts, and that nobody's deadline had to pass. */
enum { CUT_MS = 5000, DARK_US = 5000000 };

static const char *const cameras[] = {
	"--camera", "pattern:320x192@12", "--camera", "pattern:256x192@12", NULL};

static struct client_loop *loop;
static struct hub hub;

static int set_up(void **state)
{
	(void)state;
	hub_init(&hub, loop);
	hub_start(&hub, cameras);
	hub_name_camera(&hub, "320x192", "Door");
	hub_name_camera(&hub, "256x192", "Yard");
	return 0;
}

static int tear_down(void **state)
{
	(void)viewer_drop_all(state);
	hub_end(&hub);
	hub_finish(&hub);
	return 0;
}

static void pair_as(struct viewer *v, const char *kind, const char *name)
{
	struct wire_link link;
	json_t *answer =
		hub_ask(&hub, "pair", "--cameras", "all", "--name", name, "--kind", kind, NULL);
	const char *text = json_string_value(json_object_get(answer, "link"));
	assert_non_null(text);
	assert_int_equal(wire_parse_link(text, &link), 0);
	json_decref(answer);
	assert_int_equal(display_keys_generate(&v->keys), 0);
	memcpy(v->keys.hub, link.fingerprint, FINGERPRINT_BYTES);
	viewer_connect(v, &hub, &link, name, true);
	WAIT_FOR(loop, v->welcomed, HUB_PATIENCE_MS);
}

/* Comes back to a hub that was started again, which is at another port. */
static void come_back(struct viewer *v, const char *name)
{
	viewer_disconnect(v);
	viewer_connect(v, &hub, NULL, name, true);
}

/* Returns when it was answered, on the cameras' clock; the hub says how long the cut took. */
static uint64_t cut_off(const char *what)
{
	json_t *answer = hub_ask(&hub, "suspend", what, "--reason", "a stranger's picture", NULL);
	json_t *cut = json_object_get(answer, "cut_ms");
	assert_true(json_is_number(cut));
	assert_true(json_number_value(cut) < CUT_MS);
	json_decref(answer);
	return client_now_us();
}

static void is_told(const char *command, const char *list, const char *name)
{
	json_t *answer = hub_ask(&hub, command, NULL);
	json_t *item;
	size_t i;
	bool told = false;
	json_array_foreach(json_object_get(answer, list), i, item)
	{
		const json_t *s = json_object_get(item, "suspended");
		const json_t *of = s != NULL ? s : item;
		const char *since = json_string_value(json_object_get(of, "since"));
		const char *why = json_string_value(json_object_get(of, "reason"));
		const char *called = json_string_value(json_object_get(item, "name"));
		told = told || (called != NULL && strcmp(called, name) == 0 && why != NULL &&
				       strcmp(why, "a stranger's picture") == 0 && since != NULL &&
				       since[0] == '2');
	}
	json_decref(answer);
	assert_true(told);
}

/* ---- what still arrives ---- */

/* The viewer is the first member, so that its callback finds the rest. */
struct counted {
	struct viewer v;
	bool counts;
	uint64_t bytes; /* since then: what was under way in the network, and refusals */
};

static bool count_bytes(void *user, uint8_t *message, size_t size)
{
	struct counted *c = user;
	(void)message;
	c->bytes += c->counts ? size : 0;
	return true;
}

static void nothing_newer(const struct viewer *v, uint64_t answered_us)
{
	for (size_t i = 0; i < v->tiles_count; i++) {
		assert_true(v->tiles[i].capture_us < answered_us);
	}
}

static void a_suspended_kind_is_dark_at_once_and_others_see_on(void **state)
{
	(void)state;
	struct counted browser = {.v.received = count_bytes};
	struct viewer kiosk = {0};
	pair_as(&browser.v, "browser", "Tablet");
	pair_as(&kiosk, "kiosk", "Wall");
	viewer_await(&browser.v, "Door", 3);
	viewer_await(&kiosk, "Door", 3);
	uint64_t asked_us = client_now_us();
	uint64_t answered_us = cut_off("browser");
	browser.counts = true;
	WAIT_FOR(loop, browser.v.closes > 1, HUB_PATIENCE_MS);
	assert_int_equal(browser.v.end.code, 4000);
	assert_int_equal(browser.v.welcomes, 1);
	viewer_await(&kiosk, "Door", 10);
	assert_int_equal(kiosk.closes, 0);
	nothing_newer(&browser.v, answered_us);
	for (size_t i = 0; i < browser.v.tiles_count; i++) {
		assert_true(browser.v.tiles[i].at_us < asked_us + DARK_US);
	}
	print_message("# %llu bytes arrived after the cut, in %u refused logins\n",
		(unsigned long long)browser.bytes, browser.v.closes - 1);
	/* Each refusal is a CHALLENGE; a frame or two were in the network. */
	assert_true(browser.bytes < 64 << 10);
	is_told("status", "suspended", "");
	is_told("displays", "displays", "Tablet");
	assert_true(hub_log_has(&hub, "refused: suspended: a stranger's picture"));
	viewer_finish(&browser.v);
	viewer_finish(&kiosk);
}

static void a_suspension_outlives_a_killed_keeper_and_a_restart(void **state)
{
	(void)state;
	struct viewer browser = {0}, kiosk = {0};
	pair_as(&browser, "browser", "Tablet");
	pair_as(&kiosk, "kiosk", "Wall");
	viewer_await(&browser, "Door", 2);
	(void)cut_off("browser");
	hub_kill_role(&hub, "keeper");
	WAIT_FOR(loop, kiosk.welcomes > 1, HUB_PATIENCE_MS);
	viewer_await(&kiosk, "Door", 3);
	unsigned int closes = browser.closes;
	WAIT_FOR(loop, browser.closes > closes && browser.end.code == 4000, HUB_PATIENCE_MS);
	hub_end(&hub);
	hub_start(&hub, cameras);
	come_back(&browser, "Tablet");
	come_back(&kiosk, "Wall");
	viewer_await(&kiosk, "Door", 3);
	closes = browser.closes;
	WAIT_FOR(loop, browser.closes > closes, HUB_PATIENCE_MS);
	assert_int_equal(browser.welcomes, 1);
	json_decref(hub_ask(&hub, "resume", "browser", NULL));
	WAIT_FOR(loop, browser.welcomed, HUB_PATIENCE_MS);
	viewer_await(&browser, "Door", 3);
	viewer_await(&browser, "Yard", 3);
	viewer_finish(&browser);
	viewer_finish(&kiosk);
}

static void a_suspended_camera_is_dark_for_all_and_comes_back(void **state)
{
	(void)state;
	struct viewer one = {0}, two = {0};
	viewer_pair(&one, &hub, "all", "One");
	viewer_pair(&two, &hub, "Door", "Two");
	viewer_await(&one, "Door", 3);
	viewer_await(&one, "Yard", 3);
	viewer_await(&two, "Door", 3);
	uint64_t answered_us = cut_off("Door");
	WAIT_FOR(loop, !viewer_tile(&one, "Door")->present && !viewer_tile(&two, "Door")->present,
		HUB_PATIENCE_MS);
	viewer_await(&one, "Yard", 10);
	assert_true(viewer_tile(&one, "Door")->capture_us < answered_us);
	assert_true(viewer_tile(&two, "Door")->capture_us < answered_us);
	assert_int_equal(one.closes + two.closes, 0);
	is_told("cameras", "cameras", "Door");
	is_told("status", "suspended", "Door");
	json_decref(hub_ask(&hub, "resume", "Door", NULL));
	viewer_await(&one, "Door", 3);
	viewer_await(&two, "Door", 3);
	assert_int_equal(viewer_anomalies(&one) + viewer_anomalies(&two), 0);
	viewer_finish(&one);
	viewer_finish(&two);
}

static void a_suspension_waits_for_no_camera_and_no_reader(void **state)
{
	(void)state;
	struct counted asleep = {.v.received = count_bytes};
	struct viewer kiosk = {0};
	pair_as(&asleep.v, "browser", "Asleep");
	pair_as(&kiosk, "kiosk", "Wall");
	viewer_await(&asleep.v, "Door", 2);
	viewer_await(&asleep.v, "Yard", 2);
	client_pause(asleep.v.client, true);
	viewer_await(&kiosk, "Door", 10);
	pid_t hanging = hub_role(&hub, "camera", 0);
	assert_int_equal(kill(hanging, SIGSTOP), 0);
	uint64_t answered_us = cut_off("browser");
	asleep.counts = true;
	WAIT_FOR(loop, kill(hanging, 0) < 0, HUB_PATIENCE_MS);
	client_pause(asleep.v.client, false);
	WAIT_FOR(loop, asleep.v.closes > 1, HUB_PATIENCE_MS);
	nothing_newer(&asleep.v, answered_us);
	print_message(
		"# %llu bytes lay in the network at the cut\n", (unsigned long long)asleep.bytes);
	viewer_await(&kiosk, "Door", 5);
	viewer_await(&kiosk, "Yard", 5);
	viewer_finish(&asleep.v);
	viewer_finish(&kiosk);
}

/* ---- everything ---- */

static void everything_of_everybody_is_taken_at_once(void **state)
{
	(void)state;
	struct viewer one = {0}, two = {0}, late = {0};
	struct wire_link link;
	viewer_pair(&one, &hub, "all", "One");
	viewer_pair(&two, &hub, "Door", "Two");
	hub_make_link(&hub, "all", "Late", &link);
	viewer_await(&one, "Yard", 3);
	viewer_await(&two, "Door", 3);
	json_t *answer = hub_ask(&hub, "revoke", "--all", NULL);
	uint64_t answered_us = client_now_us();
	assert_true(json_number_value(json_object_get(answer, "cut_ms")) < CUT_MS);
	json_decref(answer);
	WAIT_FOR(loop, one.closes > 1 && two.closes > 1, HUB_PATIENCE_MS);
	assert_int_equal(one.welcomes + two.welcomes, 2);
	nothing_newer(&one, answered_us);
	nothing_newer(&two, answered_us);
	answer = hub_ask(&hub, "displays", NULL);
	assert_int_equal(json_array_size(json_object_get(answer, "displays")), 0);
	json_decref(answer);
	/* A link that was made before is void. */
	assert_int_equal(display_keys_generate(&late.keys), 0);
	memcpy(late.keys.hub, link.fingerprint, FINGERPRINT_BYTES);
	viewer_connect(&late, &hub, &link, "Late", false);
	WAIT_FOR(loop, late.closes > 0, HUB_PATIENCE_MS);
	assert_int_equal(late.welcomes, 0);
	viewer_finish(&one);
	viewer_finish(&two);
	viewer_finish(&late);
}

static off_t log_size(void)
{
	char path[PATH_MAX + 32];
	struct stat st;
	(void)snprintf(path, sizeof(path), "%s/camgate.db-wal", hub.state);
	return stat(path, &st) == 0 ? st.st_size : -1;
}

/* The web role stands still, so that the keeper dies between the commit and the cut. */
static void a_keeper_killed_in_the_middle_of_a_revoke_leaves_it_done(void **state)
{
	(void)state;
	struct viewer v = {0}, witness = {0};
	char output[PATH_MAX + 16];
	viewer_pair(&v, &hub, "all", "Former");
	viewer_pair(&witness, &hub, "Door", "Witness");
	viewer_await(&v, "Door", 3);
	viewer_await(&witness, "Door", 3);
	pid_t keeper = hub_role(&hub, "keeper", 0), web = hub_role(&hub, "web", 0);
	(void)snprintf(output, sizeof(output), "%s/revoke", hub.dir);
	assert_int_equal(kill(web, SIGSTOP), 0);
	off_t before = log_size();
	pid_t command = hub_spawn_command(
		&hub, (const char *[]){"revoke", "Former", "--state", hub.state, NULL}, output, 0);
	WAIT_FOR(loop, log_size() != before, HUB_PATIENCE_MS);
	assert_int_equal(kill(keeper, SIGKILL), 0);
	(void)kill(web, SIGCONT);
	/* It may have died before it told anybody: then its end is what they all go by. */
	WAIT_FOR(loop, v.closes > 0, HUB_PATIENCE_MS);
	uint64_t ended_us = client_now_us();
	int status = 0;
	WAIT_FOR(loop, waitpid(command, &status, WNOHANG) == command, HUB_PATIENCE_MS);
	WAIT_FOR(loop, witness.welcomes > 1, HUB_PATIENCE_MS);
	viewer_await(&witness, "Door", 3);
	unsigned int closes = v.closes;
	WAIT_FOR(loop, v.closes > closes && v.end.code == 4000, HUB_PATIENCE_MS);
	assert_int_equal(v.welcomes, 1);
	nothing_newer(&v, ended_us);
	viewer_finish(&v);
	viewer_finish(&witness);
}

/* ---- the factory reset ---- */

static void read_fingerprint(char out[static 65])
{
	json_t *answer = hub_ask(&hub, "status", NULL);
	const char *text = json_string_value(json_object_get(answer, "fingerprint"));
	(void)snprintf(out, 65, "%s", text != NULL ? text : "");
	json_decref(answer);
}

static bool has_file(const char *name)
{
	char path[PATH_MAX + 32];
	struct stat st;
	(void)snprintf(path, sizeof(path), "%s/%s", hub.state, name);
	return stat(path, &st) == 0;
}

static bool is_another_hub(const char *fingerprint)
{
	json_t *answer = NULL;
	int code = hub_command(&hub, &answer, "status", NULL);
	const char *text = json_string_value(json_object_get(answer, "fingerprint"));
	bool another = code == 0 && text != NULL && strcmp(text, fingerprint) != 0;
	json_decref(answer);
	return another;
}

static void a_running_hub_forgets_everything_and_starts_anew(void **state)
{
	(void)state;
	struct viewer v = {.watch_nothing = true}, later = {.watch_nothing = true};
	char before[65];
	viewer_pair(&v, &hub, "all", "Former");
	read_fingerprint(before);
	/* Nothing without the word. */
	assert_int_not_equal(hub_command(&hub, NULL, "forget", NULL), 0);
	assert_int_equal(v.closes, 0);
	json_t *answer = hub_ask(&hub, "forget", "--yes", NULL);
	assert_int_equal(json_array_size(json_object_get(answer, "deleted")) >= 6, 1);
	json_decref(answer);
	WAIT_FOR(loop, v.closes > 0, HUB_PATIENCE_MS);
	WAIT_FOR(loop, is_another_hub(before), HUB_PATIENCE_MS);
	answer = hub_ask(&hub, "displays", NULL);
	assert_int_equal(json_array_size(json_object_get(answer, "displays")), 0);
	json_decref(answer);
	assert_int_equal(v.welcomes, 1);
	WAIT_FOR(loop, hub_role(&hub, "web", 0) != 0 && hub_role(&hub, "camera", 1) != 0,
		HUB_PATIENCE_MS);
	hub_name_camera(&hub, "320x192", "Gate");
	viewer_pair(&later, &hub, "Gate", "Later");
	viewer_finish(&later);
	viewer_disconnect(&v);
	viewer_finish(&v);
}

static void a_hub_that_does_not_run_is_forgotten_by_the_command_itself(void **state)
{
	(void)state;
	char before[65];
	read_fingerprint(before);
	hub_end(&hub);
	assert_int_not_equal(hub_command(&hub, NULL, "forget", NULL), 0);
	assert_true(has_file("camgate.db") && has_file("identity.pem"));
	json_decref(hub_ask(&hub, "forget", "--yes", NULL));
	assert_false(has_file("camgate.db") || has_file("camgate.db-wal") ||
		     has_file("identity.pem") || has_file("ca-key.pem") || has_file("ca.pem") ||
		     has_file("web-key.pem") || has_file("web.pem"));
	hub_start(&hub, cameras);
	assert_true(is_another_hub(before));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	if (secure_heap_init() < 0) {
		return 1;
	}
	loop = client_loop_create();
	const struct CMUnitTest tests[] = {
		TEST(a_suspended_kind_is_dark_at_once_and_others_see_on),
		TEST(a_suspension_outlives_a_killed_keeper_and_a_restart),
		TEST(a_suspended_camera_is_dark_for_all_and_comes_back),
		TEST(a_suspension_waits_for_no_camera_and_no_reader),
		TEST(everything_of_everybody_is_taken_at_once),
		TEST(a_keeper_killed_in_the_middle_of_a_revoke_leaves_it_done),
		TEST(a_running_hub_forgets_everything_and_starts_anew),
		TEST(a_hub_that_does_not_run_is_forgotten_by_the_command_itself),
	};
	int failed = cmocka_run_group_tests_name("suspend", tests, NULL, NULL);
	client_loop_destroy(loop);
	return failed;
}
