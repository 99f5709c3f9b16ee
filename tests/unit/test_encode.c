#include "v4l2/encode.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

#include <cmocka.h>

/* Odd in blocks, so that the ends of lines are tried, too. */
enum { WIDTH = 150, HEIGHT = 50, STRIDE = 2 * WIDTH + 12, TOLERANCE = 6 };

static struct encoder *encoder;
static uint8_t raw[STRIDE * HEIGHT * 2];

/* The picture: a slope in luma, flat chroma, so that every mistake in the order of samples shows.
 */
static uint8_t luma_at(size_t x, size_t y)
{
	return (uint8_t)(40 + x + y);
}

enum { CB = 90, CR = 170 };

static int setup(void **state)
{
	(void)state;
	encoder = encode_create(WIDTH, HEIGHT);
	memset(raw, 0, sizeof(raw));
	return encoder ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	encode_destroy(encoder);
	return 0;
}

static void expect_picture(const struct raw_picture *p, bool grey)
{
	static uint8_t y[WIDTH * HEIGHT], cb[WIDTH * HEIGHT], cr[WIDTH * HEIGHT];
	uint8_t *planes[3] = {y, cb, cr};
	tjhandle t = tjInitDecompress();
	int width, height, sampling, colours;
	const uint8_t *jpeg;
	size_t size;

	assert_int_equal(encode_picture(encoder, p, &jpeg, &size), 0);
	assert_int_equal(
		tjDecompressHeader3(t, jpeg, size, &width, &height, &sampling, &colours), 0);
	assert_int_equal(width, WIDTH);
	assert_int_equal(height, HEIGHT);
	assert_int_equal(sampling, grey ? TJSAMP_GRAY : TJSAMP_420);
	assert_int_equal(tjDecompressToYUVPlanes(t, jpeg, size, planes, WIDTH, NULL, HEIGHT, 0), 0);
	for (size_t i = 0; i < WIDTH * HEIGHT; i++) {
		assert_in_range(y[i] + TOLERANCE, luma_at(i % WIDTH, i / WIDTH),
			luma_at(i % WIDTH, i / WIDTH) + 2 * TOLERANCE);
	}
	for (size_t i = 0; !grey && i < (WIDTH / 2) * (HEIGHT / 2); i++) {
		assert_in_range(cb[i], CB - 2, CB + 2);
		assert_in_range(cr[i], CR - 2, CR + 2);
	}
	tjDestroy(t);
}

static struct raw_picture picture(enum packing packing)
{
	return (struct raw_picture){.packing = packing,
		.width = WIDTH,
		.height = HEIGHT,
		.planes = {raw, raw + STRIDE * HEIGHT, raw + STRIDE * HEIGHT * 3 / 2},
		.strides = {STRIDE, STRIDE, STRIDE / 2}};
}

static void fill_luma(void)
{
	for (size_t y = 0; y < HEIGHT; y++) {
		for (size_t x = 0; x < WIDTH; x++) {
			raw[y * STRIDE + x] = luma_at(x, y);
		}
	}
}

static void expect_pairs(enum packing packing, size_t luma, size_t cb, size_t cr)
{
	struct raw_picture p = picture(packing);

	for (size_t y = 0; y < HEIGHT; y++) {
		for (size_t x = 0; x < WIDTH; x++) {
			raw[y * STRIDE + 2 * x + luma] = luma_at(x, y);
		}
		for (size_t x = 0; x < WIDTH / 2; x++) {
			raw[y * STRIDE + 4 * x + cb] = CB;
			raw[y * STRIDE + 4 * x + cr] = CR;
		}
	}
	expect_picture(&p, false);
}

static void interleaved_formats_come_out_in_the_right_order(void **state)
{
	(void)state;
	expect_pairs(PACKING_YUYV, 0, 1, 3);
	expect_pairs(PACKING_YVYU, 0, 3, 1);
	expect_pairs(PACKING_UYVY, 1, 0, 2);
	expect_pairs(PACKING_VYUY, 1, 2, 0);
}

static void half_interleaved_formats_come_out_in_the_right_order(void **state)
{
	(void)state;
	for (size_t order = 0; order < 2; order++) {
		struct raw_picture p = picture(order ? PACKING_NV21 : PACKING_NV12);

		fill_luma();
		for (size_t i = 0; i < STRIDE * HEIGHT / 2; i++) {
			raw[STRIDE * HEIGHT + i] = i % 2 == order ? CB : CR;
		}
		expect_picture(&p, false);
	}
}

static void planar_formats_come_out_in_the_right_order(void **state)
{
	(void)state;
	for (size_t order = 0; order < 2; order++) {
		struct raw_picture p = picture(order ? PACKING_YV12 : PACKING_YU12);

		fill_luma();
		memset(raw + STRIDE * HEIGHT, order ? CR : CB, STRIDE * HEIGHT / 2);
		memset(raw + STRIDE * HEIGHT * 3 / 2, order ? CB : CR, STRIDE * HEIGHT / 2);
		expect_picture(&p, false);
	}
}

static void grey_comes_out_with_one_component(void **state)
{
	struct raw_picture p = picture(PACKING_GREY);

	(void)state;
	fill_luma();
	expect_picture(&p, true);
}

static void picture_larger_than_the_encoder_is_refused(void **state)
{
	struct raw_picture p = picture(PACKING_GREY);
	const uint8_t *jpeg;
	size_t size;

	(void)state;
	p.width = WIDTH + 1;
	assert_int_equal(encode_picture(encoder, &p, &jpeg, &size), -EINVAL);
}

static void jpeg_of_the_last_picture_is_wiped_before_the_next(void **state)
{
	struct raw_picture p = picture(PACKING_GREY);
	const uint8_t *first, *second;
	size_t first_size, second_size;

	(void)state;
	for (size_t i = 0; i < sizeof(raw); i++) {
		raw[i] = (uint8_t)(rand() & 0xff);
	}
	assert_int_equal(encode_picture(encoder, &p, &first, &first_size), 0);
	memset(raw, 128, sizeof(raw));
	assert_int_equal(encode_picture(encoder, &p, &second, &second_size), 0);
	assert_ptr_equal(first, second);
	assert_true(second_size < first_size);
	for (size_t i = second_size; i < first_size; i++) {
		assert_int_equal(first[i], 0);
	}
}

static void wiping_leaves_nothing(void **state)
{
	struct raw_picture p = picture(PACKING_YUYV);
	const uint8_t *jpeg;
	size_t size;

	(void)state;
	memset(raw, 77, sizeof(raw));
	assert_int_equal(encode_picture(encoder, &p, &jpeg, &size), 0);
	encode_wipe(encoder);
	for (size_t i = 0; i < size; i++) {
		assert_int_equal(jpeg[i], 0);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(interleaved_formats_come_out_in_the_right_order),
		TEST(half_interleaved_formats_come_out_in_the_right_order),
		TEST(planar_formats_come_out_in_the_right_order),
		TEST(grey_comes_out_with_one_component),
		TEST(picture_larger_than_the_encoder_is_refused),
		TEST(jpeg_of_the_last_picture_is_wiped_before_the_next),
		TEST(wiping_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
