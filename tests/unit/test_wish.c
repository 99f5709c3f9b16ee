/* The mode that the owner configured: taken where the camera offers it, and told where not. */
#include "v4l2/wish.h"

#include <linux/videodev2.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FPS_30 = 33333, FPS_15 = 66666, FPS_5 = 200000 };

static struct mode_list *list;
static char problem[DEVICE_PROBLEM_BYTES];

static void offer(uint32_t fourcc, uint16_t width, uint16_t height, uint32_t interval_us)
{
	list->items[list->count++] = (struct mode){fourcc, width, height, interval_us};
}

static int set_up(void **state)
{
	(void)state;
	problem[0] = '\0';
	list = calloc(1, sizeof(*list));
	if (!list) {
		return -1;
	}
	offer(V4L2_PIX_FMT_MJPEG, 1920, 1080, FPS_30);
	offer(V4L2_PIX_FMT_MJPEG, 1280, 720, FPS_30);
	offer(V4L2_PIX_FMT_MJPEG, 1280, 720, FPS_15);
	offer(V4L2_PIX_FMT_YUYV, 1280, 720, FPS_5);
	offer(V4L2_PIX_FMT_YUYV, 640, 480, FPS_30);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(list);
	return 0;
}

static void wish(uint16_t width, uint16_t height, uint16_t fps)
{
	const struct config_mode mode = {width, height, fps};

	wish_apply(&mode, list, problem);
}

static void wished_size_and_rate_are_all_that_is_left(void **state)
{
	(void)state;
	wish(1280, 720, 15);
	assert_int_equal(list->count, 1);
	assert_int_equal(list->items[0].interval_us, FPS_15);
	assert_string_equal(problem, "");
}

static void wish_without_a_rate_leaves_all_of_its_size(void **state)
{
	(void)state;
	wish(1280, 720, 0);
	assert_int_equal(list->count, 3);
	assert_int_equal(format_choose(list, false, 0)->interval_us, FPS_30);
	assert_string_equal(problem, "");
}

static void rate_that_is_not_offered_becomes_the_nearest_and_is_told(void **state)
{
	(void)state;
	wish(1280, 720, 10);
	assert_int_equal(list->count, 1);
	assert_int_equal(list->items[0].interval_us, FPS_15);
	assert_string_equal(problem, "the configured rate of 10 frames/s is not offered at "
				     "1280x720; 15 are taken");
}

static void size_that_is_not_offered_changes_nothing_and_is_told(void **state)
{
	(void)state;
	wish(1280, 721, 15);
	assert_int_equal(list->count, 5);
	assert_string_equal(
		problem, "the configured mode 1280x721 is not offered; the usual one is taken");
}

static void wish_is_for_its_own_camera_alone(void **state)
{
	static struct config config = {
		.cameras = {{"/dev/camgate-test-1", {640, 480, 0}}}, .cameras_count = 1};
	const struct config_mode *mode = wish_find(&config, "/dev/camgate-test-1");

	(void)state;
	assert_non_null(mode);
	assert_int_equal(mode->width, 640);
	assert_null(wish_find(&config, "/dev/camgate-test-11"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(wished_size_and_rate_are_all_that_is_left),
		TEST(wish_without_a_rate_leaves_all_of_its_size),
		TEST(rate_that_is_not_offered_becomes_the_nearest_and_is_told),
		TEST(size_that_is_not_offered_changes_nothing_and_is_told),
		TEST(wish_is_for_its_own_camera_alone),
	};

	return cmocka_run_group_tests_name("wish", tests, NULL, NULL);
}
