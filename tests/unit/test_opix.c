/* The test picture and its reader: they agree through JPEG, and the reader sees every mix-up. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <turbojpeg.h>

#include "tests/opix/opix.h"
#include "v4l2/pattern.h"

struct picture {
	int width, height;
	uint8_t *planes; /* y, cb, cr */
	size_t luma_bytes, chroma_bytes;
};

static struct picture picture_draw(
	int width, int height, uint32_t tag, uint32_t number, uint64_t capture_us)
{
	struct picture p = {.width = width, .height = height};
	p.luma_bytes = (size_t)width * (size_t)height;
	p.chroma_bytes = (size_t)((width + 1) / 2) * (size_t)((height + 1) / 2);
	p.planes = malloc(p.luma_bytes + 2 * p.chroma_bytes);
	assert_non_null(p.planes);
	memset(p.planes, 0xff, p.luma_bytes + 2 * p.chroma_bytes);
	struct pattern *pattern = pattern_create((uint16_t)width, (uint16_t)height, tag);
	assert_non_null(pattern);
	pattern_draw(pattern, number, capture_us, p.planes, p.planes + p.luma_bytes,
		p.planes + p.luma_bytes + p.chroma_bytes);
	pattern_destroy(pattern);
	return p;
}

static unsigned long picture_encode(const struct picture *p, int quality, uint8_t **ret_jpeg)
{
	const uint8_t *planes[3] = {
		p->planes, p->planes + p->luma_bytes, p->planes + p->luma_bytes + p->chroma_bytes};
	int strides[3] = {p->width, (p->width + 1) / 2, (p->width + 1) / 2};
	unsigned long size = 0;
	tjhandle encoder = tjInitCompress();
	assert_non_null(encoder);
	*ret_jpeg = NULL;
	assert_int_equal(tjCompressFromYUVPlanes(encoder, planes, p->width, strides, p->height,
				 TJSAMP_420, ret_jpeg, &size, quality, 0),
		0);
	tjDestroy(encoder);
	return size;
}

static void what_was_drawn_is_read_back_from_jpeg_at_every_size(void **state)
{
	static const int sizes[][2] = {{64, 64}, {65, 127}, {320, 240}, {641, 481}, {1280, 720},
		{1920, 1080}, {3840, 2160}};
	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct picture p = picture_draw(
			sizes[i][0], sizes[i][1], 0xdeadbeef, 0x1abcdef, 0x1234567890abcdef);
		uint8_t *jpeg;
		unsigned long size = picture_encode(&p, 80, &jpeg);
		struct opix o;
		assert_int_equal(opix_decode_jpeg(jpeg, size, &o), 0);
		assert_int_equal(o.tag, 0xdeadbeef);
		assert_int_equal(o.number, 0xabcdef);
		assert_true(o.capture_ms == ((0x1234567890abcdef / 1000) & 0xffffffffff));
		assert_int_equal(o.tiles, sizes[i][0] / 64 * (sizes[i][1] / 64));
		assert_int_equal(o.bad_tiles + o.foreign_tiles + o.mixed_tiles, 0);
		tjFree(jpeg);
		free(p.planes);
	}
}

static void poor_quality_does_not_lose_the_code(void **state)
{
	(void)state;
	struct picture p = picture_draw(640, 480, 7, 8, 9000);
	uint8_t *jpeg;
	unsigned long size = picture_encode(&p, 30, &jpeg);
	struct opix o;
	assert_int_equal(opix_decode_jpeg(jpeg, size, &o), 0);
	assert_int_equal(o.tag, 7);
	tjFree(jpeg);
	free(p.planes);
}

/* The lower part of the first picture is replaced by that of the second. */
static int decode_mixed(struct picture *first, struct picture *second, struct opix *ret)
{
	size_t half = (size_t)first->width * 256;
	memcpy(first->planes + half, second->planes + half, first->luma_bytes - half);
	int error = opix_decode(first->planes, first->width, first->height, first->width, ret);
	free(first->planes);
	free(second->planes);
	return error;
}

static void two_frames_in_one_picture_are_detected(void **state)
{
	(void)state;
	struct opix o;
	struct picture first = picture_draw(640, 480, 1, 100, 5000000);
	struct picture second = picture_draw(640, 480, 1, 101, 5033000);
	assert_int_equal(decode_mixed(&first, &second, &o), -EBADMSG);
	assert_int_equal(o.mixed_tiles, 30);
	assert_int_equal(o.foreign_tiles, 0);
	assert_int_equal(o.bad_tiles, 0);
}

static void a_foreign_camera_in_a_part_of_the_picture_is_detected(void **state)
{
	(void)state;
	struct opix o;
	struct picture first = picture_draw(640, 480, 1, 100, 5000000);
	struct picture second = picture_draw(640, 480, 2, 100, 5000000);
	assert_int_equal(decode_mixed(&first, &second, &o), -EBADMSG);
	assert_int_equal(o.tag, 1);
	assert_int_equal(o.foreign_tiles, 30);
	assert_int_equal(o.mixed_tiles, 0);
}

static void tiles_in_another_place_are_detected(void **state)
{
	(void)state;
	struct opix o;
	struct picture p = picture_draw(640, 480, 1, 2, 3000);
	/* As if a buffer had been published 64 lines late. */
	memmove(p.planes, p.planes + 640 * 64, 640 * 64);
	assert_int_equal(opix_decode(p.planes, 640, 480, 640, &o), -EBADMSG);
	assert_int_equal(o.mixed_tiles, 10);
	free(p.planes);
}

static void one_damaged_cell_is_detected(void **state)
{
	(void)state;
	struct opix o;
	struct picture p = picture_draw(640, 480, 1, 2, 3000);
	for (int line = 64; line < 72; line++) {
		uint8_t *cell = p.planes + 640 * line + 64;
		memset(cell, *cell == 72 ? 112 : 72, 8);
	}
	assert_int_equal(opix_decode(p.planes, 640, 480, 640, &o), -EBADMSG);
	assert_int_equal(o.bad_tiles, 1);
	free(p.planes);
}

static void what_is_no_test_picture_is_refused(void **state)
{
	(void)state;
	struct opix o;
	uint8_t grey[128 * 128];
	memset(grey, 112, sizeof(grey));
	assert_int_equal(opix_decode(grey, 128, 128, 128, &o), -EBADMSG);
	assert_int_equal(o.bad_tiles, 4);
	assert_int_equal(opix_decode(grey, 63, 63, 63, &o), -EBADMSG);
	assert_int_equal(opix_decode_jpeg((const uint8_t *)"no picture", 10, &o), -EBADMSG);
}

static void rgb_never_clips(void **state)
{
	(void)state;
	struct picture p = picture_draw(1280, 720, 0xffffffff, 12345678, 1);
	for (int y = 0; y < 720; y++) {
		for (int x = 0; x < 1280; x++) {
			size_t chroma = (size_t)(y / 2) * 640 + (size_t)x / 2;
			double luma = p.planes[(size_t)y * 1280 + (size_t)x];
			double cb = p.planes[p.luma_bytes + chroma] - 128.0;
			double cr = p.planes[p.luma_bytes + p.chroma_bytes + chroma] - 128.0;
			assert_in_range(luma + 1.402 * cr, 1, 254);
			assert_in_range(luma - 0.344 * cb - 0.714 * cr, 1, 254);
			assert_in_range(luma + 1.772 * cb, 1, 254);
		}
	}
	free(p.planes);
}

static void no_byte_of_the_planes_is_left_as_it_was(void **state)
{
	(void)state;
	struct picture p = picture_draw(333, 217, 1, 2, 3000);
	for (size_t i = 0; i < p.luma_bytes + 2 * p.chroma_bytes; i++) {
		assert_int_not_equal(p.planes[i], 0xff);
	}
	free(p.planes);
}

static void the_picture_moves(void **state)
{
	(void)state;
	struct picture first = picture_draw(640, 480, 1, 1, 1000000);
	struct picture second = picture_draw(640, 480, 1, 1, 1200000);
	assert_memory_not_equal(first.planes + first.luma_bytes, second.planes + first.luma_bytes,
		first.chroma_bytes);
	free(first.planes);
	free(second.planes);
}

static void a_spec_is_read_whole_or_refused(void **state)
{
	static const char *const wrong[] = {"", "patter", "patterns", "pattern:", "pattern:640x480",
		"pattern:640x480@", "pattern:63x480@15", "pattern:640x3841@15", "pattern:640x480@0",
		"pattern:640x480@61", "pattern:640x480@15 ", "pattern:+640x480@15",
		"pattern:0640x480@15", "pattern:640X480@15", "pattern:6400000000x480@15",
		"/dev/video0"};
	uint16_t width = 1, height = 2;
	uint32_t interval_us = 3;
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(
			pattern_parse_spec(wrong[i], &width, &height, &interval_us), -EINVAL);
	}
	assert_true(width == 1 && height == 2 && interval_us == 3);
	assert_int_equal(pattern_parse_spec("pattern", &width, &height, &interval_us), 0);
	assert_true(width == 1280 && height == 720 && interval_us == 66667);
	assert_int_equal(
		pattern_parse_spec("pattern:64x3840@60", &width, &height, &interval_us), 0);
	assert_true(width == 64 && height == 3840 && interval_us == 16667);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_drawn_is_read_back_from_jpeg_at_every_size),
		cmocka_unit_test(poor_quality_does_not_lose_the_code),
		cmocka_unit_test(two_frames_in_one_picture_are_detected),
		cmocka_unit_test(a_foreign_camera_in_a_part_of_the_picture_is_detected),
		cmocka_unit_test(tiles_in_another_place_are_detected),
		cmocka_unit_test(one_damaged_cell_is_detected),
		cmocka_unit_test(what_is_no_test_picture_is_refused),
		cmocka_unit_test(rgb_never_clips),
		cmocka_unit_test(no_byte_of_the_planes_is_left_as_it_was),
		cmocka_unit_test(the_picture_moves),
		cmocka_unit_test(a_spec_is_read_whole_or_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
