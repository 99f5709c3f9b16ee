/* Real device code on fake cameras: what comes from a camera is shown as that camera's, or not at
 * all. */
#include "viewer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#define GOOD "video0 card=Good usb=046d:0825 serial=A1B2C3D4 modes=MJPG:640x480@30 tag=aaaa0000\n"
#define POOR                                                                                       \
	"video1 card=Poor usb=046d:0826 serial=B1B2C3D4 modes=MJPG:320x240@30 tag=bbbb0001 "       \
	"faults=error/5,short/7,empty/11,garbage/13,truncated/17,othersize/19,thumbnail/2\n"
#define RAW                                                                                        \
	"video2 card=Raw usb=046d:0827 serial=C1B2C3D4 modes=YUYV:320x240@30 tag=cccc0002 "        \
	"faults=error/7,short/5\n"
#define LOOSE                                                                                      \
	"video3 card=Loose usb=046d:0828 serial=D1B2C3D4 modes=MJPG:320x192@30 tag=dddd0003 "      \
	"faults=unplug/30+500\n"
#define STUCK                                                                                      \
	"video4 card=Stuck usb=046d:0829 serial=E1B2C3D4 modes=MJPG:256x192@30 tag=eeee0004 "      \
	"faults=stuck/20\n"
#define BRIEF                                                                                      \
	"video10 card=Brief usb=046d:0831 serial=G1B2C3D4 modes=MJPG:320x192@30 tag=ffff0010 "     \
	"faults=unplug/10\n"
#define USELESS                                                                                    \
	"video6 card=Busy usb=046d:0830 serial=F1 faults=busy\n"                                   \
	"video7 card=Codec kind=m2m\n"                                                             \
	"video8 card=Locked faults=permission\n"                                                   \
	"video9 card=Bayer modes=RGGB:640x480@30\n"

static struct client_loop *loop;
static struct hub hub;
static struct viewer owner;

static int set_up(void **state)
{
	(void)state;
	loop = client_loop_create();
	hub_init(&hub, loop);
	hub_set_cameras(&hub, GOOD POOR RAW LOOSE STUCK USELESS);
	hub_start(&hub, (const char *[]){"--camera", "/dev/video0", "--camera", "/dev/video1",
				"--camera", "/dev/video2", "--camera", "/dev/video3", "--camera",
				"/dev/video4", "--camera", "/dev/video6", "--camera", "/dev/video7",
				"--camera", "/dev/video8", "--camera", "/dev/video9", "--camera",
				"/dev/video99", NULL});
	static const char *const names[] = {"Good", "Poor", "Raw", "Loose", "Stuck"};
	for (size_t i = 0; i < 5; i++) {
		char device[16];
		(void)snprintf(device, sizeof(device), "/dev/video%zu", i);
		hub_name_camera(&hub, device, names[i]);
	}
	viewer_pair_owner(&owner, &hub, "Owner");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	assert_int_equal(viewer_anomalies(&owner), 0);
	viewer_finish(&owner);
	hub_end(&hub);
	hub_finish(&hub);
	client_loop_destroy(loop);
	return 0;
}

static json_int_t dropped(const char *camera, const char *reason)
{
	json_t *c = hub_camera(&hub, camera);
	json_int_t n = json_integer_value(json_object_get(json_object_get(c, "dropped"), reason));
	json_decref(c);
	return n;
}

static void each_camera_shows_its_own_pictures(void **state)
{
	(void)state;
	viewer_await(&owner, "Good", 10);
	viewer_await(&owner, "Poor", 10);
	viewer_await(&owner, "Raw", 10);
	assert_int_equal(viewer_tile(&owner, "Good")->tag, 0xaaaa0000);
	assert_int_equal(viewer_tile(&owner, "Poor")->tag, 0xbbbb0001);
	assert_int_equal(viewer_tile(&owner, "Raw")->tag, 0xcccc0002);
	assert_int_equal(viewer_cameras(&owner), 5);
}

static void broken_buffers_are_dropped_counted_and_never_shown(void **state)
{
	(void)state;
	WAIT_FOR(loop, viewer_tile(&owner, "Poor")->number > 60, HUB_PATIENCE_MS);
	WAIT_FOR(loop, dropped("Poor", "error_flag") > 5, HUB_PATIENCE_MS);
	assert_true(dropped("Poor", "empty") > 0);
	assert_true(dropped("Poor", "bad_picture") > 0);
	assert_true(dropped("Raw", "error_flag") > 0);
	assert_true(dropped("Raw", "short") > 0);
	assert_int_equal(dropped("Good", "bad_picture") + dropped("Good", "error_flag"), 0);
	assert_int_equal(owner.bad_pictures, 0);
}

static void a_camera_that_repeats_itself_is_marked_frozen(void **state)
{
	(void)state;
	WAIT_FOR(loop, hub_camera_is(&hub, "Stuck", "activity", "frozen"), HUB_PATIENCE_MS);
	assert_true(viewer_tile(&owner, "Good")->flags == 0);
}

static void an_unplugged_camera_ends_and_comes_back_as_a_new_generation(void **state)
{
	(void)state;
	struct viewer_tile *t = viewer_tile(&owner, "Loose");
	WAIT_FOR(loop, t->ends > 0, HUB_PATIENCE_MS);
	assert_int_equal(t->end_reason, END_OFFLINE);
	unsigned int pictures = t->pictures;
	WAIT_FOR(loop, t->pictures > pictures + 5, HUB_PATIENCE_MS);
	assert_int_equal(t->tag, 0xdddd0003);
	assert_int_equal(owner.closes, 0);
}

static void what_is_no_usable_camera_is_named_with_the_reason(void **state)
{
	(void)state;
	hub_wait_log(&hub, "/dev/video6 is in use");
	hub_wait_log(&hub, "/dev/video7 is not a camera");
	hub_wait_log(&hub, "no permission for /dev/video8");
	hub_wait_log(&hub, "group");
	hub_wait_log(&hub, "/dev/video9");
	hub_wait_log(&hub, "there is no device /dev/video99");
}

/* As a service manager starts it: no unit has failed when somebody pulls a plug. */
static void a_camera_role_ends_well_when_its_camera_is_unplugged(void **state)
{
	char log[PATH_MAX];
	int how = -1;
	pid_t camera;
	(void)state;
	hub_set_cameras(&hub, GOOD POOR RAW LOOSE STUCK USELESS BRIEF);
	(void)snprintf(log, sizeof(log), "%s/brief.log", hub.dir);
	camera = hub_spawn_command(&hub,
		(const char *[]){"camera", "--state", hub.state, "/dev/video10", NULL}, log, 0);
	hub_name_camera(&hub, "/dev/video10", "Brief");
	json_decref(hub_ask(&hub, "grant", "Owner", "Brief", NULL));
	WAIT_FOR(loop, waitpid(camera, &how, WNOHANG) == camera, HUB_PATIENCE_MS);
	assert_true(WIFEXITED(how));
	assert_int_equal(WEXITSTATUS(how), 0);
}

/* Last: it exchanges cameras for good. */
static void another_camera_on_the_same_node_is_another_camera(void **state)
{
	(void)state;
	unsigned int cameras = viewer_cameras(&owner);
	/* "Loose" unplugs itself again and again; next time something else is plugged in there. */
	hub_set_cameras(&hub, "video3 card=Stranger usb=1234:5678 serial=Z1B2C3D4 "
			      "modes=MJPG:320x192@30 tag=12345678\n" GOOD POOR RAW STUCK USELESS);
	WAIT_FOR(loop, hub_camera_is(&hub, "Stranger", "state", "ready"), HUB_PATIENCE_MS);
	WAIT_FOR(loop, viewer_tile(&owner, "Loose")->camera.state == CAMERA_OFFLINE,
		HUB_PATIENCE_MS);
	unsigned int pictures = viewer_pictures(&owner, "Loose");
	viewer_await(&owner, "Good", 20);
	/* Nobody was given the stranger, and "Loose" stays dark although its node delivers. */
	assert_int_equal(viewer_cameras(&owner), cameras);
	assert_int_equal(viewer_pictures(&owner, "Loose"), pictures);
	assert_int_equal(viewer_tile(&owner, "Loose")->camera.state, CAMERA_OFFLINE);
	assert_true(hub_camera_is(&hub, "Loose", "state", "offline"));
	assert_int_equal(owner.closes, 0);
}

int main(void)
{
	if (secure_heap_init() < 0) {
		return 1;
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_camera_shows_its_own_pictures),
		cmocka_unit_test(broken_buffers_are_dropped_counted_and_never_shown),
		cmocka_unit_test(a_camera_that_repeats_itself_is_marked_frozen),
		cmocka_unit_test(an_unplugged_camera_ends_and_comes_back_as_a_new_generation),
		cmocka_unit_test(what_is_no_usable_camera_is_named_with_the_reason),
		cmocka_unit_test(a_camera_role_ends_well_when_its_camera_is_unplugged),
		cmocka_unit_test(another_camera_on_the_same_node_is_another_camera),
	};
	return cmocka_run_group_tests_name("devices", tests, set_up, tear_down);
}
