/* The configuration file's modes: each camera takes its own. */
#include "viewer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MODES "modes=MJPG:1280x720@30,MJPG:640x480@15,MJPG:640x480@30"
#define CAMERAS                                                                                    \
	"video0 card=Front usb=046d:0825 serial=A1B2C3D4 " MODES " tag=aaaa0000\n"                 \
	"video1 card=Back usb=046d:0826 serial=B1B2C3D4 " MODES " tag=bbbb0001\n"                  \
	"video2 card=Yard usb=046d:0827 serial=C1B2C3D4 " MODES " tag=cccc0002\n"
#define FILE_TEXT                                                                                  \
	"[camera 046d:0825]\nmode = 640x480@15\n"                                                  \
	"[camera /dev/video1]\nmode = 640x360\n"

static struct client_loop *loop;
static struct hub hub;

static bool mode_has(const char *source, const char *text)
{
	json_t *camera = hub_camera(&hub, source);
	const char *mode = json_string_value(json_object_get(camera, "mode"));
	bool has = mode != NULL && strstr(mode, text) != NULL;
	json_decref(camera);
	return has;
}

static void each_camera_takes_the_mode_that_is_configured_for_it(void **state)
{
	char config[128];
	(void)state;
	(void)snprintf(config, sizeof(config), "%s/camgate.conf", hub.dir);
	FILE *f = fopen(config, "we");
	assert_non_null(f);
	assert_true(fputs(FILE_TEXT, f) >= 0);
	assert_int_equal(fclose(f), 0);
	hub_set_cameras(&hub, CAMERAS);
	hub_start(&hub, (const char *[]){"--config", config, "--camera", "/dev/video0", "--camera",
				"/dev/video1", "--camera", "/dev/video2", NULL});
	WAIT_FOR(loop, mode_has("/dev/video0", "640x480 at 15 fps"), HUB_PATIENCE_MS);
	WAIT_FOR(loop, mode_has("/dev/video1", "1280x720 at 30 fps"), HUB_PATIENCE_MS);
	WAIT_FOR(loop, mode_has("/dev/video2", "1280x720 at 30 fps"), HUB_PATIENCE_MS);
	json_t *camera = hub_camera(&hub, "/dev/video1");
	assert_string_equal(json_string_value(json_object_get(camera, "detail")),
		"the configured mode 640x360 is not offered; the usual one is taken");
	json_decref(camera);
	hub_end(&hub);
}

static int set_up(void **state)
{
	(void)state;
	hub_init(&hub, loop);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	hub_finish(&hub);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			each_camera_takes_the_mode_that_is_configured_for_it, set_up, tear_down),
	};
	loop = client_loop_create();
	assert_non_null(loop);
	int failures = cmocka_run_group_tests_name("modes", tests, NULL, NULL);
	client_loop_destroy(loop);
	return failures;
}
