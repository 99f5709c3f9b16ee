/* The keeper of keeper_fixture.h with one web role and one display that it does not know yet, and
 * with or without a camera. */
#ifndef CAMGATE_TESTS_DISPLAY_FIXTURE_H
#define CAMGATE_TESTS_DISPLAY_FIXTURE_H

#include "keeper_fixture.h"

enum { WEB = 1, CAMERA = 2 };

static struct display display;
static uint8_t camera[CAMERA_ID_BYTES]; /* of the process CAMERA, once it has joined */

static inline int set_up(void **state)
{
	fixture_set_up(state);
	display_init(&display);
	web_join(WEB);
	return 0;
}

static inline int set_up_with_camera(void **state)
{
	set_up(state);
	camera_join(CAMERA, "usb:1", "Door", camera);
	return 0;
}

static inline int tear_down(void **state)
{
	display_finish(&display);
	return fixture_tear_down(state);
}

#endif
