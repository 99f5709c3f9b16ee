#include "v4l2/mjpeg.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

#include <cmocka.h>

enum { WIDTH = 48, HEIGHT = 32, ROOM = 1 << 16 };

static uint8_t *jpeg;
static size_t jpeg_size;
static uint8_t pixels[WIDTH * HEIGHT * 3];

static void compress(int sampling, int flags)
{
	tjhandle t = tjInitCompress();
	unsigned char *out = NULL;
	unsigned long size = 0;

	for (size_t i = 0; i < sizeof(pixels); i++) {
		pixels[i] = (uint8_t)(i * 7 + i / 100);
	}
	assert_int_equal(tjCompress2(t, pixels, WIDTH, 0, HEIGHT, TJPF_RGB, &out, &size, sampling,
				 80, flags),
		0);
	assert_true(size < ROOM / 2);
	memcpy(jpeg, out, size);
	jpeg_size = size;
	tjFree(out);
	tjDestroy(t);
}

static int setup(void **state)
{
	(void)state;
	jpeg = calloc(1, ROOM);
	compress(TJSAMP_420, 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(jpeg);
	return 0;
}

/* Where the segment with this marker begins; 0 if there is none before the scan. */
static size_t find(const uint8_t *data, uint8_t marker)
{
	size_t at = 2;

	for (;;) {
		while (data[at + 1] == 0xff) {
			at++;
		}
		if (data[at + 1] == marker) {
			return at;
		}
		if (data[at + 1] == 0xda) {
			return 0;
		}
		at += 2 + ((size_t)data[at + 2] << 8 | data[at + 3]);
	}
}

static size_t segment_size(const uint8_t *data, size_t at)
{
	return 2 + ((size_t)data[at + 2] << 8 | data[at + 3]);
}

static void insert(size_t at, const uint8_t *bytes, size_t size)
{
	memmove(jpeg + at + size, jpeg + at, jpeg_size - at);
	memcpy(jpeg + at, bytes, size);
	jpeg_size += size;
}

static void erase(size_t at, size_t size)
{
	memmove(jpeg + at, jpeg + at + size, jpeg_size - at - size);
	jpeg_size -= size;
}

static void erase_all(uint8_t marker)
{
	size_t at;

	while ((at = find(jpeg, marker)) != 0) {
		erase(at, segment_size(jpeg, at));
	}
}

static int check(struct mjpeg *ret)
{
	return mjpeg_check(jpeg, jpeg_size, WIDTH, HEIGHT, ret);
}

static void expect_refused(void)
{
	struct mjpeg m;

	assert_int_equal(check(&m), -EBADMSG);
}

/* Rewrites and compares what a decoder makes of it with the pixels of the original. */
static void expect_same_picture(const uint8_t *before, size_t before_size)
{
	static uint8_t a[WIDTH * HEIGHT * 3], b[WIDTH * HEIGHT * 3];
	uint8_t *out = malloc(ROOM);
	tjhandle t = tjInitDecompress();
	struct mjpeg m;
	size_t size = 0;

	assert_int_equal(check(&m), 0);
	assert_true(mjpeg_needs_rewrite(&m));
	assert_int_equal(mjpeg_rewrite(&m, jpeg, out, ROOM, &size), 0);
	assert_int_equal(size, mjpeg_rewritten_size(&m));
	assert_int_equal(
		tjDecompress2(t, before, before_size, a, WIDTH, 0, HEIGHT, TJPF_RGB, 0), 0);
	assert_int_equal(tjDecompress2(t, out, size, b, WIDTH, 0, HEIGHT, TJPF_RGB, 0), 0);
	assert_memory_equal(a, b, sizeof(a));
	assert_int_equal(find(out, 0xe0), 0);
	assert_int_equal(find(out, 0xe1), 0);
	assert_int_equal(find(out, 0xfe), 0);
	assert_int_equal(mjpeg_check(out, size, WIDTH, HEIGHT, &m), 0);
	assert_false(mjpeg_needs_rewrite(&m));
	tjDestroy(t);
	free(out);
}

static void clean_picture_needs_no_copy(void **state)
{
	struct mjpeg m;

	(void)state;
	erase_all(0xe0);
	assert_int_equal(check(&m), 0);
	assert_false(mjpeg_needs_rewrite(&m));
	assert_int_equal(m.size, jpeg_size);
	assert_int_equal(m.components, 3);
}

static void padding_behind_the_picture_is_left_off(void **state)
{
	struct mjpeg m;
	size_t size = jpeg_size;

	(void)state;
	memset(jpeg + jpeg_size, 0, 100);
	jpeg_size += 100;
	assert_int_equal(check(&m), 0);
	assert_int_equal(m.size, size);
}

static void second_picture_behind_the_first_is_left_off(void **state)
{
	struct mjpeg m;
	size_t size = jpeg_size;

	(void)state;
	memcpy(jpeg + size, jpeg, size);
	jpeg_size *= 2;
	assert_int_equal(check(&m), 0);
	assert_int_equal(m.size, size);
}

static void grey_picture_is_one(void **state)
{
	struct mjpeg m;

	(void)state;
	compress(TJSAMP_GRAY, 0);
	assert_int_equal(check(&m), 0);
	assert_int_equal(m.components, 1);
}

static void progressive_picture_is_one(void **state)
{
	struct mjpeg m;

	(void)state;
	compress(TJSAMP_420, TJFLAG_PROGRESSIVE);
	assert_int_equal(check(&m), 0);
}

static void every_truncation_is_refused(void **state)
{
	size_t whole = jpeg_size;

	(void)state;
	for (jpeg_size = 0; jpeg_size < whole; jpeg_size++) {
		expect_refused();
	}
}

static void picture_of_another_size_is_refused(void **state)
{
	struct mjpeg m;

	(void)state;
	assert_int_equal(mjpeg_check(jpeg, jpeg_size, WIDTH + 1, HEIGHT, &m), -EBADMSG);
	assert_int_equal(mjpeg_check(jpeg, jpeg_size, WIDTH, HEIGHT - 1, &m), -EBADMSG);
	assert_int_equal(mjpeg_check(jpeg, jpeg_size, HEIGHT, WIDTH, &m), -EBADMSG);
}

static void residue_of_an_older_picture_before_the_start_is_refused(void **state)
{
	(void)state;
	memmove(jpeg, jpeg + 1, jpeg_size);
	expect_refused();
}

static void kinds_that_browsers_do_not_draw_are_refused(void **state)
{
	size_t frame = find(jpeg, 0xc0);

	(void)state;
	assert_int_not_equal(frame, 0);
	for (uint8_t marker = 0xc3; marker <= 0xcf; marker++) {
		if (marker != 0xc4) {
			jpeg[frame + 1] = marker;
			expect_refused();
		}
	}
	jpeg[frame + 1] = 0xc0;
	jpeg[frame + 4] = 12; /* bits */
	expect_refused();
	jpeg[frame + 4] = 8;
	jpeg[frame + 9] = 4; /* components */
	expect_refused();
}

static void second_frame_header_is_refused(void **state)
{
	size_t frame = find(jpeg, 0xc0);
	uint8_t copy[64];
	size_t size = segment_size(jpeg, frame);

	(void)state;
	memcpy(copy, jpeg + frame, size);
	insert(frame, copy, size);
	expect_refused();
}

static void missing_huffman_tables_are_put_in(void **state)
{
	uint8_t *before = malloc(ROOM);
	size_t before_size = jpeg_size;
	struct mjpeg m;

	(void)state;
	memcpy(before, jpeg, ROOM);
	erase_all(0xc4);
	assert_int_equal(check(&m), 0);
	assert_false(m.has_tables);
	expect_same_picture(before, before_size);
	free(before);
}

static void thumbnails_and_comments_are_left_out(void **state)
{
	static const uint8_t exif[] = {0xff, 0xe1, 0, 8, 'E', 'x', 'i', 'f', 0, 0};
	static const uint8_t comment[] = {0xff, 0xfe, 0, 6, 'h', 'o', 'm', 'e'};
	static const uint8_t fill[] = {0xff, 0xff};
	uint8_t *before = malloc(ROOM);
	size_t before_size = jpeg_size;
	struct mjpeg m;

	(void)state;
	memcpy(before, jpeg, ROOM);
	insert(2, exif, sizeof(exif));
	insert(find(jpeg, 0xc4), comment, sizeof(comment));
	insert(find(jpeg, 0xdb), fill, sizeof(fill));
	assert_int_equal(check(&m), 0);
	assert_true(m.left_out >= sizeof(exif) + sizeof(comment));
	expect_same_picture(before, before_size);
	free(before);
}

static void application_segment_inside_the_picture_is_refused(void **state)
{
	static const uint8_t exif[] = {0xff, 0xe1, 0, 8, 'E', 'x', 'i', 'f', 0, 0};

	(void)state;
	insert(jpeg_size - 2, exif, sizeof(exif));
	expect_refused();
}

static void segment_that_runs_over_the_end_is_refused(void **state)
{
	size_t quantization = find(jpeg, 0xdb);

	(void)state;
	jpeg[quantization + 2] = 0xff;
	expect_refused();
	jpeg[quantization + 2] = 0;
	jpeg[quantization + 3] = 1;
	expect_refused();
}

static void picture_without_coded_bytes_is_refused(void **state)
{
	struct mjpeg m;
	size_t scan;

	(void)state;
	assert_int_equal(check(&m), 0);
	scan = m.scan + segment_size(jpeg, m.scan);
	erase(scan, jpeg_size - 2 - scan);
	expect_refused();
}

static void rewrite_never_writes_more_than_there_is_room_for(void **state)
{
	uint8_t *out = malloc(ROOM);
	struct mjpeg m;
	size_t size = 0;

	(void)state;
	erase_all(0xc4);
	assert_int_equal(check(&m), 0);
	assert_int_equal(
		mjpeg_rewrite(&m, jpeg, out, mjpeg_rewritten_size(&m) - 1, &size), -ENOSPC);
	/* A driver that writes into a buffer while we read it. */
	jpeg[find(jpeg, 0xe0) + 1] = 0xdb;
	assert_int_equal(mjpeg_rewrite(&m, jpeg, out, ROOM, &size), -EBADMSG);
	assert_int_equal(size, 0);
	free(out);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(clean_picture_needs_no_copy),
		TEST(padding_behind_the_picture_is_left_off),
		TEST(second_picture_behind_the_first_is_left_off),
		TEST(grey_picture_is_one),
		TEST(progressive_picture_is_one),
		TEST(every_truncation_is_refused),
		TEST(picture_of_another_size_is_refused),
		TEST(residue_of_an_older_picture_before_the_start_is_refused),
		TEST(kinds_that_browsers_do_not_draw_are_refused),
		TEST(second_frame_header_is_refused),
		TEST(missing_huffman_tables_are_put_in),
		TEST(thumbnails_and_comments_are_left_out),
		TEST(application_segment_inside_the_picture_is_refused),
		TEST(segment_that_runs_over_the_end_is_refused),
		TEST(picture_without_coded_bytes_is_refused),
		TEST(rewrite_never_writes_more_than_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
