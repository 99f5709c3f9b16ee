#include "v4l2/device.h"
#include "v4l2/format.h"

#include <errno.h>
#include <linux/videodev2.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FPS_5 = 200000, FPS_10 = 100000, FPS_15 = 66666, FPS_30 = 33333, FPS_60 = 16666 };

static struct mode_list *list;

static int setup(void **state)
{
	(void)state;
	list = calloc(1, sizeof(*list));
	return list ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	free(list);
	return 0;
}

static void offer(uint32_t fourcc, uint16_t width, uint16_t height, uint32_t interval_us)
{
	list->items[list->count++] = (struct mode){fourcc, width, height, interval_us};
}

static void expect(unsigned int step, uint32_t fourcc, uint16_t width, uint32_t interval_us)
{
	const struct mode *m = format_choose(list, false, step);

	assert_non_null(m);
	assert_int_equal(m->fourcc, fourcc);
	assert_int_equal(m->width, width);
	assert_int_equal(m->interval_us, interval_us);
}

/* ---- mode ---- */

static void mode_is_jpeg_at_full_hd_and_30_fps_even_if_there_is_more(void **state)
{
	(void)state;
	offer(V4L2_PIX_FMT_YUYV, 1920, 1080, FPS_30);
	offer(V4L2_PIX_FMT_MJPEG, 3840, 2160, FPS_30);
	offer(V4L2_PIX_FMT_MJPEG, 1920, 1080, FPS_60);
	offer(V4L2_PIX_FMT_MJPEG, 1920, 1080, FPS_30);
	offer(V4L2_PIX_FMT_MJPEG, 1920, 1080, FPS_15);
	offer(V4L2_PIX_FMT_MJPEG, 1280, 720, FPS_30);
	expect(0, V4L2_PIX_FMT_MJPEG, 1920, FPS_30);
}

static void mode_without_jpeg_is_the_largest_raw_one_that_reaches_15_fps(void **state)
{
	(void)state;
	offer(V4L2_PIX_FMT_YUYV, 1920, 1080, FPS_5);
	offer(V4L2_PIX_FMT_YUYV, 1280, 720, FPS_10);
	offer(V4L2_PIX_FMT_YUYV, 800, 600, FPS_15);
	offer(V4L2_PIX_FMT_YUYV, 640, 480, FPS_30);
	expect(0, V4L2_PIX_FMT_YUYV, 800, FPS_15);
}

static void mode_of_a_slow_camera_is_taken_all_the_same(void **state)
{
	(void)state;
	offer(V4L2_PIX_FMT_YUYV, 1280, 720, FPS_5);
	offer(V4L2_PIX_FMT_YUYV, 640, 480, FPS_10);
	expect(0, V4L2_PIX_FMT_YUYV, 1280, FPS_5);
}

static void mode_steps_down_in_size_and_then_in_speed(void **state)
{
	(void)state;
	offer(V4L2_PIX_FMT_MJPEG, 1920, 1080, FPS_30);
	offer(V4L2_PIX_FMT_MJPEG, 1280, 720, FPS_30);
	offer(V4L2_PIX_FMT_MJPEG, 640, 480, FPS_30);
	offer(V4L2_PIX_FMT_MJPEG, 640, 480, FPS_15);
	offer(V4L2_PIX_FMT_MJPEG, 640, 480, FPS_5);
	expect(0, V4L2_PIX_FMT_MJPEG, 1920, FPS_30);
	expect(1, V4L2_PIX_FMT_MJPEG, 1280, FPS_30);
	expect(2, V4L2_PIX_FMT_MJPEG, 640, FPS_30);
	expect(3, V4L2_PIX_FMT_MJPEG, 640, FPS_15);
	expect(99, V4L2_PIX_FMT_MJPEG, 640, FPS_15);
}

static void mode_above_the_limit_is_the_nearest_when_there_is_no_other(void **state)
{
	(void)state;
	offer(V4L2_PIX_FMT_MJPEG, 3840, 2160, FPS_30);
	offer(V4L2_PIX_FMT_MJPEG, 2592, 1944, FPS_30);
	offer(V4L2_PIX_FMT_MJPEG, 2592, 1944, FPS_60);
	expect(0, V4L2_PIX_FMT_MJPEG, 2592, FPS_30);
}

static void mode_prefers_colour_to_grey_and_takes_grey_when_alone(void **state)
{
	(void)state;
	offer(V4L2_PIX_FMT_GREY, 1280, 720, FPS_30);
	expect(0, V4L2_PIX_FMT_GREY, 1280, FPS_30);
	offer(V4L2_PIX_FMT_YUYV, 640, 480, FPS_30);
	expect(0, V4L2_PIX_FMT_YUYV, 640, FPS_30);
}

static void mode_prefers_formats_that_need_no_conversion(void **state)
{
	(void)state;
	offer(V4L2_PIX_FMT_RGB24, 1280, 720, FPS_30);
	offer(V4L2_PIX_FMT_UYVY, 1280, 720, FPS_30);
	offer(V4L2_PIX_FMT_YUV420, 1280, 720, FPS_30);
	expect(0, V4L2_PIX_FMT_YUV420, 1280, FPS_30);
}

static void mode_is_never_bayer_nor_a_format_that_forks_a_helper(void **state)
{
	(void)state;
	offer(V4L2_PIX_FMT_SBGGR8, 1280, 720, FPS_30);
	offer(V4L2_PIX_FMT_SRGGB10, 1280, 720, FPS_30);
	offer(V4L2_PIX_FMT_OV511, 640, 480, FPS_30);
	offer(V4L2_PIX_FMT_OV518, 640, 480, FPS_30);
	offer(V4L2_PIX_FMT_CPIA1, 352, 288, FPS_30);
	offer(V4L2_PIX_FMT_H264, 1280, 720, FPS_30);
	offer(V4L2_PIX_FMT_MJPEG, 0, 0, FPS_30);
	assert_null(format_choose(list, false, 0));
}

static void multiplanar_devices_are_not_converted(void **state)
{
	(void)state;
	assert_non_null(format_find(V4L2_PIX_FMT_RGB24, false));
	assert_null(format_find(V4L2_PIX_FMT_RGB24, true));
	assert_non_null(format_find(V4L2_PIX_FMT_NV12M, true));
	assert_null(format_find(V4L2_PIX_FMT_NV12M, false));
}

/* ---- layout ---- */

static uint8_t memory[64];

static int lay_out(uint32_t fourcc, uint16_t width, uint16_t height, size_t stride, size_t size,
	struct raw_picture *ret)
{
	const uint8_t *pieces[3] = {memory, memory, memory};
	const size_t sizes[3] = {size, size, size};
	const size_t strides[3] = {stride, stride, stride};

	return format_picture(
		format_find(fourcc, false), width, height, pieces, sizes, strides, ret);
}

static void planes_lie_where_the_format_says(void **state)
{
	struct raw_picture p;

	(void)state;
	assert_int_equal(lay_out(V4L2_PIX_FMT_YUV420, 4, 4, 8, 48, &p), 0);
	assert_ptr_equal(p.planes[0], memory);
	assert_ptr_equal(p.planes[1], memory + 32);
	assert_ptr_equal(p.planes[2], memory + 40);
	assert_int_equal(p.strides[1], 4);
	assert_int_equal(lay_out(V4L2_PIX_FMT_NV12, 4, 4, 8, 48, &p), 0);
	assert_ptr_equal(p.planes[1], memory + 32);
	assert_int_equal(p.strides[1], 8);
}

static void picture_that_is_a_byte_short_is_refused(void **state)
{
	static const struct {
		uint32_t fourcc;
		size_t least; /* 4x4, lines of 8 bytes, the last one without padding */
	} cases[] = {
		{V4L2_PIX_FMT_GREY, 28},
		{V4L2_PIX_FMT_YUYV, 32},
		{V4L2_PIX_FMT_UYVY, 32},
		{V4L2_PIX_FMT_NV12, 44},
		{V4L2_PIX_FMT_YUV420, 46},
		{V4L2_PIX_FMT_YVU420, 46},
	};
	const size_t strides[3] = {8, 8, 8};
	struct raw_picture p;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(lay_out(cases[i].fourcc, 4, 4, 8, cases[i].least, &p), 0);
		assert_int_equal(
			lay_out(cases[i].fourcc, 4, 4, 8, cases[i].least - 1, &p), -EBADMSG);
		assert_int_equal(
			format_least_bytes(format_find(cases[i].fourcc, false), 4, 4, strides, 0),
			cases[i].least);
	}
}

static void line_shorter_than_the_picture_is_refused(void **state)
{
	struct raw_picture p;

	(void)state;
	assert_int_equal(lay_out(V4L2_PIX_FMT_YUYV, 4, 4, 7, 64, &p), -EBADMSG);
	assert_int_equal(lay_out(V4L2_PIX_FMT_YUYV, 4, 4, SIZE_MAX / 2, 64, &p), -EBADMSG);
	assert_int_equal(lay_out(V4L2_PIX_FMT_GREY, 4, 0, 8, 64, &p), -EBADMSG);
}

static void planes_in_memory_of_their_own_are_each_checked(void **state)
{
	const struct format *f = format_find(V4L2_PIX_FMT_YUV420M, true);
	const uint8_t *pieces[3] = {memory, memory + 16, memory + 32};
	const size_t strides[3] = {4, 2, 2};
	size_t sizes[3] = {16, 4, 4};
	struct raw_picture p;

	(void)state;
	assert_int_equal(format_picture(f, 4, 4, pieces, sizes, strides, &p), 0);
	assert_ptr_equal(p.planes[2], memory + 32);
	sizes[2] = 3;
	assert_int_equal(format_picture(f, 4, 4, pieces, sizes, strides, &p), -EBADMSG);
}

/* ---- what is a camera ---- */

static const char *refusal(uint32_t device_caps)
{
	const struct v4l2_capability c = {
		.capabilities = V4L2_CAP_DEVICE_CAPS | V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING,
		.device_caps = device_caps,
	};

	return device_refusal(&c);
}

static void camera_is_what_its_own_node_says_and_not_the_whole_hardware(void **state)
{
	const uint32_t camera = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
	const struct v4l2_capability old = {.capabilities = camera, .device_caps = camera};

	(void)state;
	assert_null(refusal(camera));
	assert_null(refusal(V4L2_CAP_VIDEO_CAPTURE_MPLANE | V4L2_CAP_STREAMING));
	assert_non_null(refusal(V4L2_CAP_STREAMING));
	assert_non_null(refusal(V4L2_CAP_VIDEO_CAPTURE));
	assert_non_null(refusal(V4L2_CAP_META_CAPTURE | V4L2_CAP_STREAMING));
	assert_non_null(refusal(camera | V4L2_CAP_VIDEO_M2M));
	assert_non_null(refusal(camera | V4L2_CAP_VIDEO_M2M_MPLANE));
	assert_non_null(refusal(camera | V4L2_CAP_VIDEO_OUTPUT));
	assert_non_null(refusal(camera | V4L2_CAP_IO_MC));
	assert_non_null(device_refusal(&old));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(mode_is_jpeg_at_full_hd_and_30_fps_even_if_there_is_more),
		TEST(mode_without_jpeg_is_the_largest_raw_one_that_reaches_15_fps),
		TEST(mode_of_a_slow_camera_is_taken_all_the_same),
		TEST(mode_steps_down_in_size_and_then_in_speed),
		TEST(mode_above_the_limit_is_the_nearest_when_there_is_no_other),
		TEST(mode_prefers_colour_to_grey_and_takes_grey_when_alone),
		TEST(mode_prefers_formats_that_need_no_conversion),
		TEST(mode_is_never_bayer_nor_a_format_that_forks_a_helper),
		TEST(multiplanar_devices_are_not_converted),
		TEST(planes_lie_where_the_format_says),
		TEST(picture_that_is_a_byte_short_is_refused),
		TEST(line_shorter_than_the_picture_is_refused),
		TEST(planes_in_memory_of_their_own_are_each_checked),
		TEST(camera_is_what_its_own_node_says_and_not_the_whole_hardware),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
