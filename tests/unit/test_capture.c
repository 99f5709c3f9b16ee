#include "clock.h"
#include "fake_device.h"
#include "v4l2/capture.h"

#include <setjmp.h>
#include <stdlib.h>
#include <time.h>
#include <turbojpeg.h>

#include <cmocka.h>

enum { WIDTH = 64, HEIGHT = 48 };

static struct capture *capture;
static char problem[DEVICE_PROBLEM_BYTES];
static uint8_t jpeg[1 << 16];
static uint32_t jpeg_size;

static uint64_t monotonic_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* A noisy picture, another one each time. */
static void make_jpeg(int width, int height)
{
	uint8_t *pixels = malloc((size_t)width * (size_t)height);
	tjhandle t = tjInitCompress();
	unsigned char *out = NULL;
	unsigned long size = 0;

	for (int i = 0; i < width * height; i++) {
		pixels[i] = (uint8_t)(rand() & 0xff);
	}
	assert_int_equal(tjCompress2(t, pixels, width, 0, height, TJPF_GRAY, &out, &size,
				 TJSAMP_GRAY, 80, 0),
		0);
	assert_true(size <= sizeof(jpeg));
	memcpy(jpeg, out, size);
	jpeg_size = (uint32_t)size;
	tjFree(out);
	tjDestroy(t);
	free(pixels);
}

static int setup(void **state)
{
	(void)state;
	capture = calloc(1, sizeof(*capture));
	memset(problem, 0, sizeof(problem));
	fake_init(false);
	return capture ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	capture_close(capture);
	free(capture);
	fake_finish();
	return 0;
}

static void open_and_start(uint32_t fourcc)
{
	fake_offer(fourcc, WIDTH, HEIGHT, 30);
	assert_int_equal(capture_open(capture, fake.path, problem), 0);
	assert_int_equal(capture_start(capture, problem), 0);
}

static void unwatched_camera_has_no_buffers_and_does_not_stream(void **state)
{
	(void)state;
	fake_offer(V4L2_PIX_FMT_MJPEG, WIDTH, HEIGHT, 30);
	assert_int_equal(capture_open(capture, fake.path, problem), 0);
	assert_int_equal(fake.starts, 0);
	assert_int_equal(fake.requested, 0);
	assert_int_equal(capture_start(capture, problem), 0);
	assert_true(fake.streaming);
	capture_stop(capture);
	assert_false(fake.streaming);
	assert_int_equal(fake.requested, 0);
	assert_false(capture_running(capture));
}

static void picture_is_passed_through_and_its_time_is_the_drivers(void **state)
{
	struct picture p;
	struct mjpeg m;
	uint64_t now_us = clock_now_us();

	(void)state;
	open_and_start(V4L2_PIX_FMT_MJPEG);
	assert_int_equal(capture_next(capture, &p), -EAGAIN);
	make_jpeg(WIDTH, HEIGHT);
	fake_fill(jpeg, jpeg_size, 1, monotonic_us() - 300000, V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC);
	assert_int_equal(capture_next(capture, &p), 0);
	assert_int_equal(mjpeg_check(p.jpeg, p.size, WIDTH, HEIGHT, &m), 0);
	assert_false(mjpeg_needs_rewrite(&m));
	assert_in_range(p.capture_us, now_us - 310000, now_us - 200000);
	assert_int_equal(p.width, WIDTH);
	assert_int_equal(p.height, HEIGHT);
	assert_false(p.frozen);
}

static void broken_picture_is_dropped_and_the_last_one_is_not_shown_again(void **state)
{
	struct picture p = {0};

	(void)state;
	open_and_start(V4L2_PIX_FMT_MJPEG);
	make_jpeg(WIDTH, HEIGHT);
	fake_fill(jpeg, jpeg_size, 1, 0, 0);
	assert_int_equal(capture_next(capture, &p), 0);
	p = (struct picture){0};
	/* Cut off, of another size, and no picture at all. */
	fake_fill(jpeg, jpeg_size / 2, 2, 0, 0);
	assert_int_equal(capture_next(capture, &p), -EAGAIN);
	make_jpeg(WIDTH + 8, HEIGHT);
	fake_fill(jpeg, jpeg_size, 3, 0, 0);
	assert_int_equal(capture_next(capture, &p), -EAGAIN);
	memset(jpeg, 0, sizeof(jpeg));
	fake_fill(jpeg, 5000, 4, 0, 0);
	assert_int_equal(capture_next(capture, &p), -EAGAIN);
	assert_int_equal(capture->dropped[DROP_BAD_PICTURE], 3);
	assert_null(p.jpeg);
	assert_int_equal(fake.queued_count, FAKE_BUFFERS);
}

static void raw_picture_is_encoded(void **state)
{
	struct picture p;
	struct mjpeg m;

	(void)state;
	open_and_start(V4L2_PIX_FMT_YUYV);
	memset(jpeg, 100, WIDTH * HEIGHT * 2);
	fake_fill(jpeg, WIDTH * HEIGHT * 2, 1, 0, 0);
	assert_int_equal(capture_next(capture, &p), 0);
	assert_int_equal(mjpeg_check(p.jpeg, p.size, WIDTH, HEIGHT, &m), 0);
	assert_int_equal(m.components, 3);
}

static void unusual_format_is_converted_and_encoded(void **state)
{
	static uint8_t pixels[WIDTH * HEIGHT], *const planes[3] = {pixels};
	tjhandle t = tjInitDecompress();
	struct picture p;

	(void)state;
	open_and_start(V4L2_PIX_FMT_RGB24);
	memset(jpeg, 200, WIDTH * HEIGHT * 3);
	fake_fill(jpeg, WIDTH * HEIGHT * 3, 1, 0, 0);
	assert_int_equal(capture_next(capture, &p), 0);
	assert_int_equal(
		tjDecompress2(t, p.jpeg, p.size, planes[0], WIDTH, 0, HEIGHT, TJPF_GRAY, 0), 0);
	/* libv4lconvert makes 16..235 of 0..255. */
	assert_in_range(pixels[0], 180, 205);
	fake_fill(jpeg, WIDTH * HEIGHT * 3 - 1, 2, 0, 0);
	assert_int_equal(capture_next(capture, &p), -EAGAIN);
	tjDestroy(t);
}

static void camera_that_repeats_itself_is_frozen_and_keeps_its_old_time(void **state)
{
	struct picture p;
	uint64_t first_us, stamp_us = monotonic_us() - 980000;

	(void)state;
	open_and_start(V4L2_PIX_FMT_MJPEG);
	make_jpeg(WIDTH, HEIGHT);
	fake_fill(jpeg, jpeg_size, 1, stamp_us, 0);
	assert_int_equal(capture_next(capture, &p), 0);
	first_us = p.capture_us;
	assert_false(p.frozen);
	/* The stamp is older than a second now, and would not be believed if it were new. As if two
	 * seconds had passed for the rest. */
	usleep(30000);
	for (int i = 0; i < FREEZE_MARKS; i++) {
		capture->freeze.marks[i].since_us -= 2000000;
	}
	fake_fill(jpeg, jpeg_size, 1, stamp_us, 0);
	assert_int_equal(capture_next(capture, &p), 0);
	assert_true(p.frozen);
	assert_int_equal(p.capture_us, first_us);
}

static void stamps_are_believed_within_the_last_second_only(void **state)
{
	const uint64_t mono = 50000000, boot = 90000000;

	(void)state;
	assert_int_equal(capture_time_us(mono - 20000, mono, boot), boot - 20000);
	assert_int_equal(capture_time_us(mono - 1000000, mono, boot), boot - 1000000);
	assert_int_equal(capture_time_us(mono - 1000001, mono, boot), boot);
	assert_int_equal(capture_time_us(mono + 1, mono, boot), boot);
	assert_int_equal(capture_time_us(0, mono, boot), boot);
}

static void bus_without_bandwidth_steps_the_mode_down_and_says_so(void **state)
{
	(void)state;
	fake_offer(V4L2_PIX_FMT_MJPEG, 1920, 1080, 30);
	fake_offer(V4L2_PIX_FMT_MJPEG, 1280, 720, 30);
	fake_offer(V4L2_PIX_FMT_MJPEG, 640, 480, 30);
	fake.largest_area = 640 * 480;
	assert_int_equal(capture_open(capture, fake.path, problem), 0);
	assert_int_equal(capture->mode.mode.width, 1920);
	assert_int_equal(capture_start(capture, problem), 0);
	assert_int_equal(fake.starts, 3);
	assert_int_equal(capture->mode.mode.width, 640);
	assert_non_null(strstr(problem, "640x480"));
	/* It stays there. */
	capture_stop(capture);
	assert_int_equal(capture_start(capture, problem), 0);
	assert_int_equal(fake.starts, 4);
}

static void bus_without_any_bandwidth_is_tried_again_from_the_top(void **state)
{
	(void)state;
	fake_offer(V4L2_PIX_FMT_MJPEG, 1280, 720, 30);
	fake_offer(V4L2_PIX_FMT_MJPEG, 640, 480, 30);
	fake.largest_area = 1;
	assert_int_equal(capture_open(capture, fake.path, problem), 0);
	assert_int_equal(capture_start(capture, problem), -ENOSPC);
	assert_false(capture_running(capture));
	fake.largest_area = 0;
	assert_int_equal(capture_start(capture, problem), 0);
	assert_int_equal(capture->mode.mode.width, 1280);
}

static void device_that_changed_its_format_is_not_started(void **state)
{
	(void)state;
	fake_offer(V4L2_PIX_FMT_YUYV, WIDTH, HEIGHT, 30);
	assert_int_equal(capture_open(capture, fake.path, problem), 0);
	fake.forced_width = WIDTH / 2;
	assert_int_equal(capture_start(capture, problem), -ESTALE);
	fake.forced_width = WIDTH * 2;
	assert_int_equal(capture_start(capture, problem), -ESTALE);
	assert_int_equal(fake.requested, 0);
}

static void device_in_use_is_said_so_at_once_and_later(void **state)
{
	(void)state;
	fake_offer(V4L2_PIX_FMT_MJPEG, WIDTH, HEIGHT, 30);
	fake.format_error = EBUSY;
	assert_int_equal(capture_open(capture, fake.path, problem), -EBUSY);
	assert_non_null(strstr(problem, "in use by another program"));
	fake.format_error = 0;
	assert_int_equal(capture_open(capture, fake.path, problem), 0);
	fake.stream_error = EBUSY;
	assert_int_equal(capture_start(capture, problem), -EBUSY);
	assert_int_equal(fake.requested, 0);
}

static void device_without_a_usable_format_is_told_what_it_offers(void **state)
{
	(void)state;
	fake_offer(V4L2_PIX_FMT_SBGGR8, WIDTH, HEIGHT, 30);
	assert_int_equal(capture_open(capture, fake.path, problem), -ENODEV);
	assert_non_null(strstr(problem, "BA81"));
	assert_int_equal(capture->device.fd, -1);
}

static void tuner_is_no_camera(void **state)
{
	(void)state;
	fake_offer(V4L2_PIX_FMT_YUYV, WIDTH, HEIGHT, 30);
	fake.input_type = V4L2_INPUT_TYPE_TUNER;
	assert_int_equal(capture_open(capture, fake.path, problem), -ENOTTY);
	assert_non_null(strstr(problem, "not a camera"));
}

static void model_cannot_carry_control_characters(void **state)
{
	(void)state;
	fake_offer(V4L2_PIX_FMT_YUYV, WIDTH, HEIGHT, 30);
	assert_int_equal(capture_open(capture, fake.path, problem), 0);
	assert_string_equal(capture->device.model, "Fake?Cam");
}

static void stopping_wipes_what_was_in_the_clear(void **state)
{
	struct picture p;

	(void)state;
	open_and_start(V4L2_PIX_FMT_MJPEG);
	make_jpeg(WIDTH, HEIGHT);
	fake_fill(jpeg, jpeg_size, 1, 0, 0);
	assert_int_equal(capture_next(capture, &p), 0);
	/* The encoder writes a JFIF segment, so this picture was rewritten. */
	assert_ptr_equal(p.jpeg, capture->rewritten.data);
	capture_stop(capture);
	for (size_t i = 0; i < p.size; i++) {
		assert_int_equal(capture->rewritten.data[i], 0);
	}
	for (uint32_t i = 0; i < FAKE_BUFFERS; i++) {
		assert_int_equal(fake_residue(i, 0), 0);
	}
}

static void largest_picture_follows_the_size_within_bounds(void **state)
{
	(void)state;
	assert_int_equal(capture_jpeg_max_bytes(320, 240), 256 << 10);
	assert_int_equal(capture_jpeg_max_bytes(1920, 1080), 1920 * 1080 * 2);
	assert_true(capture_jpeg_max_bytes(UINT16_MAX, UINT16_MAX) < WIRE_FRAME_MAX_BYTES);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(unwatched_camera_has_no_buffers_and_does_not_stream),
		TEST(picture_is_passed_through_and_its_time_is_the_drivers),
		TEST(broken_picture_is_dropped_and_the_last_one_is_not_shown_again),
		TEST(raw_picture_is_encoded),
		TEST(unusual_format_is_converted_and_encoded),
		TEST(camera_that_repeats_itself_is_frozen_and_keeps_its_old_time),
		TEST(stamps_are_believed_within_the_last_second_only),
		TEST(bus_without_bandwidth_steps_the_mode_down_and_says_so),
		TEST(bus_without_any_bandwidth_is_tried_again_from_the_top),
		TEST(device_that_changed_its_format_is_not_started),
		TEST(device_in_use_is_said_so_at_once_and_later),
		TEST(device_without_a_usable_format_is_told_what_it_offers),
		TEST(tuner_is_no_camera),
		TEST(model_cannot_carry_control_characters),
		TEST(stopping_wipes_what_was_in_the_clear),
		TEST(largest_picture_follows_the_size_within_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
