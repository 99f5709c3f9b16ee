#include "story_check.h"
#include "command.h"
#include "gateway/audit.h"
#include "tests/oracles/memory.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	LIVE_MS = 30000, /* a role that died often is started again after 5 s */
	AGAIN_US = 1000000, /* a display asks again for a tile that was ended, as the page does */
	PICTURES = 3,
};

/* ---- rights ---- */

/* What a display may see, as `displays` tells it. */
struct rights {
	bool there, first, second, other;
	size_t count;
};

static struct rights rights_of(const json_t *answer, const char *display)
{
	struct rights r = {0};
	size_t i, k;
	json_t *d, *name;
	json_array_foreach(json_object_get(answer, "displays"), i, d)
	{
		const char *called = json_string_value(json_object_get(d, "name"));
		if (called == NULL || strcmp(called, display) != 0) {
			continue;
		}
		r.there = true;
		json_array_foreach(json_object_get(d, "cameras"), k, name)
		{
			const char *camera = json_string_value(name);
			r.first = r.first || strcmp(camera, STORY_FIRST) == 0;
			r.second = r.second || strcmp(camera, STORY_NAME) == 0;
			r.other = r.other || strcmp(camera, STORY_OTHER_NAME) == 0;
			r.count++;
		}
	}
	return r;
}

static void assert_belief(const char *what, unsigned int *belief, bool is)
{
	unsigned int now = is ? BELIEF_YES : BELIEF_NO;
	if ((*belief & now) == 0) {
		fail_msg("%s is %s, and was commanded otherwise", what, is ? "so" : "not so");
	}
	*belief = now;
}

/* A guest has what its link said, or is none. */
static void check_guests(struct story *s, const json_t *answer)
{
	for (unsigned int i = 1; i <= s->guests; i++) {
		char name[32];
		(void)snprintf(name, sizeof(name), "Guest %u", i);
		struct rights r = rights_of(answer, name);
		if (r.there && !(r.first && r.count == 1)) {
			fail_msg("%s has half of its rights", name);
		}
	}
}

static bool is_called(const json_t *answer, const char *name)
{
	size_t i;
	json_t *camera;
	json_array_foreach(json_object_get(answer, "cameras"), i, camera)
	{
		const char *called = json_string_value(json_object_get(camera, "name"));
		if (called != NULL && strcmp(called, name) == 0) {
			return true;
		}
	}
	return false;
}

static void check_displays(struct story *s, const json_t *answer)
{
	struct rights both = rights_of(answer, STORY_BOTH);
	struct rights one = rights_of(answer, STORY_ONE);
	assert_true(both.there && both.first);
	assert_true(one.there && one.first);
	assert_int_equal(one.count, 1);
	assert_belief("the right to the second camera", &s->granted, both.second || both.other);
	assert_int_equal(both.count, s->granted == BELIEF_YES ? 2 : 1);
	check_guests(s, answer);
}

void check_rights(struct story *s, bool must_answer)
{
	json_t *displays = NULL, *cameras = NULL;
	enum command_result result =
		command_run(&s->hub, &displays, (const char *[]){"displays", NULL});
	if (result == COMMAND_DONE) {
		check_displays(s, displays);
		result = command_run(&s->hub, &cameras, (const char *[]){"cameras", NULL});
	}
	if (result == COMMAND_DONE) {
		bool other = is_called(cameras, STORY_OTHER_NAME);
		assert_true(is_called(cameras, STORY_NAME) != other);
		assert_belief("its other name", &s->renamed, other);
	}
	json_decref(displays);
	json_decref(cameras);
	if (must_answer) {
		assert_int_equal(result, COMMAND_DONE);
	}
}

/* ---- the store ---- */

static bool may_see(struct store *s, const char *display, const char *camera)
{
	struct store_display d;
	struct store_camera c;
	assert_int_equal(store_display_find(s, display, &d), 0);
	return store_camera_find(s, camera, &c) == 0 && store_grant_check(s, d.id, c.id) == 0;
}

void check_store(struct story *s, const char *state_dir)
{
	struct store store;
	char problem[STORE_PROBLEM_BYTES] = "";
	sqlite3_stmt *broken = NULL;
	if (store_init(&store, state_dir, problem) < 0) {
		fail_msg("%s", problem);
	}
	assert_int_equal(store_integrity_check(&store), 0);
	assert_int_equal(
		sqlite3_prepare_v2(store.db, "PRAGMA foreign_key_check", -1, &broken, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_step(broken), SQLITE_DONE);
	(void)sqlite3_finalize(broken);
	assert_int_equal(audit_verify(&store), 0);
	assert_true(may_see(&store, STORY_BOTH, STORY_FIRST));
	assert_true(may_see(&store, STORY_ONE, STORY_FIRST));
	assert_false(may_see(&store, STORY_ONE, STORY_NAME));
	assert_false(may_see(&store, STORY_ONE, STORY_OTHER_NAME));
	bool second = may_see(&store, STORY_BOTH, STORY_NAME);
	bool other = may_see(&store, STORY_BOTH, STORY_OTHER_NAME);
	assert_belief("on disk the right to the second camera", &s->granted, second || other);
	if (second || other) {
		assert_belief("on disk its other name", &s->renamed, other);
	}
	store_finish(&store);
}

/* ---- processes ---- */

void story_check_log(struct story *s)
{
	/* What glibc finds in its heap ends a process, and the library says whose doing it was. */
	static const char *const wrong[] = {"injection: died here", "forbidden system call",
		"stack smashing", "AddressSanitizer", "runtime error:", "corrupted",
		"ended with code 125"};
	FILE *f = fopen(s->hub.log, "re");
	char line[1024];
	char found[256] = "";
	assert_non_null(f);
	assert_int_equal(fseek(f, (long)s->log_read, SEEK_SET), 0);
	while (fgets(line, sizeof(line), f) != NULL) {
		const char *by = strstr(line, "was ended by signal ");
		long number = by == NULL ? SIGKILL : strtol(by + 20, NULL, 10);
		bool bad = false;
		/* These are ours, the keeper's and run's; and of a sandbox that was never done. */
		s->deaths += number != SIGKILL && number != SIGTERM &&
			     !(number == SIGPROF && s->no_memory);
		for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
			bad = bad || strstr(line, wrong[i]) != NULL;
		}
		if (bad && found[0] == '\0') {
			(void)snprintf(found, sizeof(found), "%.250s", line);
		}
	}
	s->log_read = (size_t)ftell(f);
	(void)fclose(f);
	if (found[0] != '\0') {
		fail_msg("%s", found);
	}
	assert_true(s->deaths <= atomic_load(&s->injection->library_deaths));
}

static void check_memory(struct story *s)
{
#ifndef CAMGATE_SANITIZED
	static const char *const blind[] = {"web", "keeper"};
	const struct canary_owner all = {.which = CANARY_ALL};
	for (size_t i = 0; i < 2; i++) {
		int n = memory_search(hub_role(&s->hub, blind[i], 0), CANARY_SHORT_BYTES, all);
		if (n > 0) {
			fail_msg("%d pieces of pictures in the memory of %s", n, blind[i]);
		}
	}
#endif
	(void)s;
}

/* ---- live again ---- */

/* As the page does: a tile that the hub ended is asked for again after a while. */
static void ask_again(struct viewer *v)
{
	for (size_t i = 0; v->welcomed && i < v->tiles_count; i++) {
		struct viewer_tile *t = &v->tiles[i];
		if (t->present && t->stream == 0 && t->camera.state == CAMERA_READY) {
			int r = display_watch(
				client_display(v->client), t->camera.id, client_now_us());
			t->stream = r > 0 ? (uint16_t)r : 0;
		}
	}
}

/* So many pictures of this camera since, on a connection that stands. */
static bool is_live(struct viewer *v, const char *camera, unsigned int pictures)
{
	return v->welcomed && viewer_pictures(v, camera) >= pictures + PICTURES;
}

static bool can_grant(struct story *s)
{
	return command_run(&s->hub, NULL,
		       (const char *[]){"grant", STORY_BOTH,
			       s->renamed == BELIEF_YES ? STORY_OTHER_NAME : STORY_NAME, NULL}) ==
	       COMMAND_DONE;
}

static bool answers(struct story *s)
{
	return command_run(&s->hub, NULL, (const char *[]){"displays", NULL}) == COMMAND_DONE;
}

static unsigned int second_pictures(struct viewer *v)
{
	return viewer_pictures(v, STORY_NAME) + viewer_pictures(v, STORY_OTHER_NAME);
}

static void await_live(struct story *s)
{
	unsigned int door = viewer_pictures(&s->both, STORY_FIRST);
	unsigned int second = second_pictures(&s->both);
	unsigned int one = viewer_pictures(&s->one, STORY_FIRST);
	uint64_t deadline_us = client_now_us() + LIVE_MS * 1000, again_us = client_now_us();
	while (!is_live(&s->both, STORY_FIRST, door) || !is_live(&s->one, STORY_FIRST, one) ||
		second_pictures(&s->both) < second + PICTURES) {
		if (client_now_us() >= again_us) {
			ask_again(&s->both);
			ask_again(&s->one);
			again_us = client_now_us() + AGAIN_US;
		}
		if (!hub_wait_step(s->loop, deadline_us)) {
			fail_msg("not live again within %d ms: first %u, second %u, one %u more "
				 "pictures",
				LIVE_MS, viewer_pictures(&s->both, STORY_FIRST) - door,
				second_pictures(&s->both) - second,
				viewer_pictures(&s->one, STORY_FIRST) - one);
		}
	}
}

static void check_viewer(const char *name, struct viewer *v)
{
	if (v->tap.jpegs != 0 || v->tap.pictures != 0) {
		fail_msg("%s: on the wire: %u JPEGs and %u pieces of pictures in the clear", name,
			v->tap.jpegs, v->tap.pictures);
	}
	if (v->bad_pictures != 0) {
		fail_msg("%s: %u bad pictures; %s", name, v->bad_pictures, v->complaint);
	}
	if (viewer_anomalies(v) != 0) {
		fail_msg("%s noticed %u mix-ups", name, (unsigned int)viewer_anomalies(v));
	}
}

void story_recover(struct story *s)
{
	story_calm(s);
	story_check_log(s);
	WAIT_FOR(s->loop, answers(s), LIVE_MS);
	check_rights(s, true);
	s->revoked_us = 0;
	if (s->granted == BELIEF_NO) {
		WAIT_FOR(s->loop, can_grant(s), LIVE_MS);
		s->granted = BELIEF_YES;
		check_rights(s, true);
	}
	await_live(s);
	assert_int_equal(s->after_revoke, 0);
	check_viewer(STORY_BOTH, &s->both);
	check_viewer(STORY_ONE, &s->one);
	assert_int_equal(hub_status_sum(&s->hub, "anomalies"), 0);
	check_memory(s);
	story_check_log(s);
}
