/* A camera that is there and cannot be opened, or that the keeper does not take, started as a
 * service manager does, of whatever version: it waits by itself, says why once, and comes when it
 * can. */
#include "hub.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define CAMERA(faults)                                                                             \
	"video0 card=Webcam usb=046d:0825 serial=S0 modes=MJPG:320x192@15" faults "\n"

enum { WAITING_MS = 30000 };

static struct hub hub;
static char camera_log[PATH_MAX], manager_path[PATH_MAX];
static int manager = -1; /* what the camera tells its service manager comes here */
static pid_t camera;

/* What the service manager was told since the camera was started. */
static unsigned int tries, signs_of_life;
static char status[512];

static void listen_as_manager(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int n = snprintf(a.sun_path, sizeof(a.sun_path), "%s/notify", hub.dir);
	assert_true(n > 0 && (size_t)n < sizeof(a.sun_path));
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(manager >= 0);
	assert_int_equal(bind(manager, (struct sockaddr *)&a, sizeof(a)), 0);
	(void)snprintf(manager_path, sizeof(manager_path), "%s", a.sun_path);
}

static int set_up(void **state)
{
	(void)state;
	hub_init(&hub, NULL);
	hub_set_cameras(&hub, CAMERA(" faults=busy"));
	hub_start(&hub, (const char *[]){"--camera", "pattern:256x192@10", NULL});
	(void)snprintf(camera_log, sizeof(camera_log), "%s/camera.log", hub.dir);
	listen_as_manager();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (camera > 0) {
		(void)kill(camera, SIGKILL);
		(void)waitpid(camera, NULL, 0);
	}
	(void)close(manager);
	hub_end(&hub);
	hub_finish(&hub);
	return 0;
}

static void start_camera(void)
{
	tries = 0;
	assert_int_equal(setenv("NOTIFY_SOCKET", manager_path, 1), 0);
	assert_int_equal(setenv("WATCHDOG_USEC", "400000", 1), 0);
	camera = hub_spawn_command(&hub,
		(const char *[]){
			"camera", "--discovered", "--state", hub.state, "/dev/video0", NULL},
		camera_log, 0);
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	assert_int_equal(unsetenv("WATCHDOG_USEC"), 0);
}

static bool told(unsigned int times)
{
	char text[512];
	ssize_t n;
	while ((n = recv(manager, text, sizeof(text) - 1, 0)) > 0) {
		text[n] = '\0';
		signs_of_life += strcmp(text, "WATCHDOG=1") == 0;
		if (strncmp(text, "READY=1\nSTATUS=", 15) == 0) {
			(void)snprintf(status, sizeof(status), "%s", text + 15);
			tries++;
		}
	}
	return tries >= times;
}

static unsigned int times_logged(const char *text)
{
	char log[16384];
	FILE *f = fopen(camera_log, "re");
	size_t n = f == NULL ? 0 : fread(log, 1, sizeof(log) - 1, f);
	unsigned int times = 0;
	if (f != NULL) {
		(void)fclose(f);
	}
	log[n] = '\0';
	for (const char *at = log; (at = strstr(at, text)) != NULL; at++) {
		times++;
	}
	return times;
}

static bool adopted(void)
{
	json_t *found = hub_camera(&hub, "/dev/video0");
	json_decref(found);
	return found != NULL;
}

static void a_camera_that_cannot_be_opened_is_told_once_per_reason_and_tried_on(void **state)
{
	(void)state;
	start_camera();
	WAIT_FOR(NULL, told(3), WAITING_MS);
	assert_non_null(strstr(status, "/dev/video0 is in use"));
	assert_int_equal(times_logged("is in use"), 1);

	hub_set_cameras(&hub, CAMERA(" faults=permission"));
	WAIT_FOR(NULL, told(tries + 1) && strstr(status, "no permission") != NULL, WAITING_MS);
	WAIT_FOR(NULL, told(tries + 1), WAITING_MS);
	assert_int_equal(times_logged("no permission"), 1);
	assert_int_equal(times_logged("is in use"), 1);
	assert_true(signs_of_life > 0);
	assert_false(adopted());

	hub_set_cameras(&hub, CAMERA(""));
	WAIT_FOR(NULL, adopted(), WAITING_MS);
	assert_int_equal(waitpid(camera, NULL, WNOHANG), 0);
	assert_int_equal(times_logged("trying on"), 2);
}

static unsigned int times_hub_logged(const char *text)
{
	unsigned int times = 0;
	for (const char *at = hub_log(&hub); (at = strstr(at, text)) != NULL; at++) {
		times++;
	}
	return times;
}

/* The one of the test before. */
static void a_camera_that_the_keeper_does_not_take_is_told_once_and_tried_on(void **state)
{
	json_t *found = hub_camera(&hub, "/dev/video0");
	const char *id;
	int how;
	(void)state;
	assert_non_null(found);
	id = json_string_value(json_object_get(found, "id"));
	json_decref(hub_ask(&hub, "ignore", id, NULL));
	assert_int_equal(waitpid(camera, &how, 0), camera);

	start_camera();
	WAIT_FOR(NULL, told(3) && strstr(status, "ignored by the owner") != NULL, WAITING_MS);
	assert_int_equal(times_logged("the keeper does not take this camera"), 1);
	assert_int_equal(times_hub_logged("ignored"), 0);
	json_decref(hub_ask(&hub, "confirm", id, NULL));
	WAIT_FOR(NULL, adopted(), WAITING_MS);
	assert_int_equal(waitpid(camera, NULL, WNOHANG), 0);
	assert_int_equal(times_logged("the keeper does not take this camera"), 1);
	json_decref(found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_camera_that_cannot_be_opened_is_told_once_per_reason_and_tried_on),
		cmocka_unit_test(a_camera_that_the_keeper_does_not_take_is_told_once_and_tried_on)};
	return cmocka_run_group_tests_name("opening", tests, set_up, tear_down);
}
