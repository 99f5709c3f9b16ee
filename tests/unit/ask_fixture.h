/*
 * Owners at the keeper of keeper_fixture.h, and cameras that nobody has decided about: what is
 * asked, and what owners say.
 */
#ifndef CAMGATE_TESTS_ASK_FIXTURE_H
#define CAMGATE_TESTS_ASK_FIXTURE_H

#include "keeper_fixture.h"
#include "wire_ask.h"
#include <errno.h>

enum { WEB = 1, CAMERA = 2, OTHER = 3 };

static const char C270[] = "046d:0825";

static struct display owner, second, guest;

static inline int ask_set_up(void **state)
{
	fixture_set_up(state);
	display_init(&owner);
	display_init(&second);
	display_init(&guest);
	web_join(WEB);
	return 0;
}

static inline int ask_tear_down(void **state)
{
	display_finish(&owner);
	display_finish(&second);
	display_finish(&guest);
	return fixture_tear_down(state);
}

/* ---- what is heard ---- */

static inline void expect_new(struct display *d, const uint8_t camera[static CAMERA_ID_BYTES],
	struct wire_new_camera *ret)
{
	const uint8_t *body = NULL;
	size_t size = 0;

	assert_int_equal(display_next(d, &body, &size), HUB_NEW_CAMERA);
	assert_int_equal(wire_parse_new_camera(body, size, ret), 0);
	assert_memory_equal(ret->id, camera, CAMERA_ID_BYTES);
}

static inline void expect_over(struct display *d, const uint8_t camera[static CAMERA_ID_BYTES])
{
	const uint8_t *body = NULL;
	size_t size = 0;
	struct wire_new_camera_gone m;

	assert_int_equal(display_next(d, &body, &size), HUB_NEW_CAMERA_GONE);
	assert_int_equal(wire_parse_new_camera_gone(body, size, &m), 0);
	assert_memory_equal(m.id, camera, CAMERA_ID_BYTES);
}

static inline void expect_screen(
	struct display *d, const char *name, enum screen_state screen_state)
{
	const uint8_t *body = NULL;
	size_t size = 0;
	struct wire_screen m;

	assert_int_equal(display_next(d, &body, &size), HUB_SCREEN);
	assert_int_equal(wire_parse_screen(body, size, &m), 0);
	assert_string_equal(m.name, name);
	assert_int_equal(m.state, screen_state);
}

/* ---- what is said ---- */

static inline void share(
	struct display *d, const uint8_t camera[static CAMERA_ID_BYTES], const struct display *with)
{
	struct wire_share m;
	uint8_t body[64];

	memcpy(m.camera, camera, sizeof(m.camera));
	memcpy(m.display, with->id, sizeof(m.display));
	display_say(d, DISPLAY_SHARE, body, wire_encode_share(&m, body, sizeof(body)));
}

static inline void decide(
	struct display *d, const uint8_t camera[static CAMERA_ID_BYTES], enum decision decision)
{
	struct wire_decide m = {.decision = (uint8_t)decision};
	uint8_t body[64];

	memcpy(m.camera, camera, sizeof(m.camera));
	display_say(d, DISPLAY_DECIDE, body, wire_encode_decide(&m, body, sizeof(body)));
}

static inline void preview(struct display *d, const uint8_t camera[static CAMERA_ID_BYTES], bool on)
{
	struct wire_preview m = {.on = on};
	uint8_t body[64];

	memcpy(m.camera, camera, sizeof(m.camera));
	display_say(d, DISPLAY_PREVIEW, body, wire_encode_preview(&m, body, sizeof(body)));
}

/* ---- scenes ---- */

static inline void come(uint64_t peer, enum identity_strength strength, const char *key,
	const char *name, uint8_t id[static CAMERA_ID_BYTES])
{
	struct ipc_message m;
	struct ipc_adopted adopted;

	camera_hello_of(peer, strength, C270, key, name);
	sent_take(peer, IPC_ADOPTED, &m);
	assert_int_equal(ipc_parse_adopted(&m, &adopted), 0);
	memcpy(id, adopted.camera, CAMERA_ID_BYTES);
	camera_hand_rings(peer);
}

static inline void enter_owner(struct display *d, uint64_t connection, const char *name)
{
	display_enter_as(d, WEB, connection, name, true);
	display_expect_welcome(d, 0);
}

/* The owner is there, and is asked about a camera. */
static inline void be_asked(
	enum identity_strength strength, const char *key, uint8_t id[static CAMERA_ID_BYTES])
{
	struct wire_new_camera m;

	enter_owner(&owner, 10, "Phone");
	come(CAMERA, strength, key, "C270 (port 1.2)", id);
	expect_screen(&owner, "Phone", SCREEN_PAIRED);
	expect_new(&owner, id, &m);
	display_expect_silence(&owner);
}

#endif
