/* The admin socket of the keeper of keeper_fixture.h, asked by an owner: JSON in and out. A display
 * that watches one of two cameras is there. */
#ifndef CAMGATE_TESTS_ADMIN_FIXTURE_H
#define CAMGATE_TESTS_ADMIN_FIXTURE_H

#include "admin_server.h"
#include "keeper_fixture.h"

enum { WEB = 1, CAMERA = 2, OTHER_CAMERA = 3, OWNER = 50 };

static struct admin_server admin;
static struct authority authority;
static struct address_list hosts;
static struct display display;
static uint8_t camera[CAMERA_ID_BYTES], other_camera[CAMERA_ID_BYTES];
static json_t *answer;
static unsigned int answers;
static bool stopped;

static inline void take_answer(void *data, uint64_t peer, const char *text, size_t size)
{
	(void)data;
	assert_int_equal(peer, OWNER);
	json_decref(answer);
	answer = json_loadb(text, size, 0, NULL);
	assert_non_null(answer);
	answers++;
}

static inline void on_revoked(void *data, uint64_t operation, uint64_t cut_us)
{
	(void)data;
	admin_server_revoked(&admin, operation, cut_us);
}

static inline void note_stop(void *data)
{
	(void)data;
	stopped = true;
}

static inline int set_up(void **state)
{
	static const struct registry_output output = {
		NULL, fake_now, fake_random, fake_send, fake_drop, on_revoked};

	fixture_set_up(state);
	registry_destroy(fixture.registry);
	fixture.registry =
		registry_create(&output, &fixture.files.store, &fixture.pairing, &fixture.hub);
	admin = (struct admin_server){
		.output = {NULL, fake_now, fake_random, take_answer, note_stop},
		.registry = fixture.registry,
		.store = &fixture.files.store,
		.pairing = &fixture.pairing,
		.authority = &authority,
		.state_dir = fixture.files.dir,
		.hosts = &hosts,
		.sandbox = "seccomp",
		.started_us = fixture.now_us,
	};
	memset(authority.fingerprint, 0xfe, sizeof(authority.fingerprint));
	answers = 0;
	stopped = false;
	display_init(&display);
	web_join(WEB);
	camera_join(CAMERA, "usb:1", "Door", camera);
	camera_join(OTHER_CAMERA, "usb:2", "Door yard", other_camera);
	display_view(&display, 10, "Kitchen", CAMERA, camera);
	sent_forget();
	return 0;
}

static inline int tear_down(void **state)
{
	json_decref(answer);
	answer = NULL;
	display_finish(&display);
	return fixture_tear_down(state);
}

static inline void ask(const char *request)
{
	unsigned int before = answers;

	admin_server_hear(&admin, OWNER, true, request, strlen(request));
	assert_int_equal(answers, before + 1);
}

static inline void expect_error(const char *request, const char *word)
{
	const char *error;

	ask(request);
	assert_true(json_is_false(json_object_get(answer, "ok")));
	error = json_string_value(json_object_get(answer, "error"));
	if (error == NULL || strstr(error, word) == NULL) {
		fail_msg("\"%s\" does not say \"%s\"", error != NULL ? error : "(nothing)", word);
	}
}

static inline void expect_ok(const char *request)
{
	ask(request);
	if (!json_is_true(json_object_get(answer, "ok"))) {
		fail_msg("%s", json_string_value(json_object_get(answer, "error")));
	}
}

static inline const char *text_of(const char *list, size_t at, const char *key)
{
	return json_string_value(
		json_object_get(json_array_get(json_object_get(answer, list), at), key));
}

#endif
