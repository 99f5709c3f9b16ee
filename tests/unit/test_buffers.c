#include "fake_device.h"
#include "v4l2/buffers.h"

#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

enum { WIDTH = 64, HEIGHT = 32, LUMA = WIDTH * HEIGHT, PICTURE = LUMA * 2 };

static struct device device;
static struct device_mode mode;
static struct buffers buffers;
static uint64_t dropped[DROP_REASONS];
static uint8_t data[FAKE_PLANE_BYTES];

static void start(bool multiplanar, uint32_t fourcc, uint32_t planes)
{
	const struct mode m = {fourcc, WIDTH, HEIGHT, 33333};

	fake_init(multiplanar);
	fake.planes = planes;
	device.fd = fake.memfd;
	device.type =
		multiplanar ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE : V4L2_BUF_TYPE_VIDEO_CAPTURE;
	memset(dropped, 0, sizeof(dropped));
	memset(data, 0x77, sizeof(data));
	assert_int_equal(device_set_mode(&device, &m, &mode), 0);
	assert_int_equal(buffers_start(&buffers, &device, &mode), 0);
}

static int setup(void **state)
{
	(void)state;
	start(false, V4L2_PIX_FMT_YUYV, 1);
	return 0;
}

static int setup_planes(void **state)
{
	(void)state;
	start(true, V4L2_PIX_FMT_NV12M, 2);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buffers_stop(&buffers);
	fake_finish();
	return 0;
}

static uint64_t dropped_sum(void)
{
	uint64_t sum = 0;

	for (int i = 0; i < DROP_REASONS; i++) {
		sum += dropped[i];
	}
	return sum;
}

/* One bad buffer among none: nothing comes out, the reason is counted, the buffer goes back wiped.
 */
static void expect_dropped(uint32_t used, uint32_t flags, enum drop_reason reason)
{
	struct filled f;
	int index = fake_fill(data, used, 1, 1, flags);

	assert_true(index >= 0);
	assert_int_equal(buffers_newest(&buffers, dropped, &f), -EAGAIN);
	assert_int_equal(dropped[reason], 1);
	assert_int_equal(dropped_sum(), 1);
	assert_int_equal(fake.queued_count, FAKE_BUFFERS);
	assert_int_equal(fake_residue((uint32_t)index, 0), 0);
}

static void buffer_with_the_error_flag_is_never_published(void **state)
{
	(void)state;
	expect_dropped(PICTURE, V4L2_BUF_FLAG_ERROR, DROP_ERROR_FLAG);
}

static void empty_buffer_is_never_published(void **state)
{
	(void)state;
	expect_dropped(0, 0, DROP_EMPTY);
}

static void short_buffer_is_never_published(void **state)
{
	(void)state;
	expect_dropped(PICTURE - 1, 0, DROP_SHORT);
}

static void buffer_that_claims_more_than_was_mapped_is_never_published(void **state)
{
	struct filled f;

	(void)state;
	assert_true(fake_fill(data, PICTURE, 1, 1, 0) >= 0);
	fake.filled[0].used[0] = FAKE_PLANE_BYTES + 1;
	assert_int_equal(buffers_newest(&buffers, dropped, &f), -EAGAIN);
	assert_int_equal(dropped[DROP_EMPTY], 1);
}

static void newest_of_several_is_taken_and_the_others_are_counted(void **state)
{
	struct filled f;

	(void)state;
	for (uint32_t i = 1; i <= 3; i++) {
		data[0] = (uint8_t)i;
		assert_true(fake_fill(data, PICTURE, i, i * 1000, 0) >= 0);
	}
	assert_int_equal(buffers_newest(&buffers, dropped, &f), 0);
	assert_int_equal(f.sequence, 3);
	assert_int_equal(f.timestamp_us, 3000);
	assert_int_equal(f.memory[0][0], 3);
	assert_int_equal(f.sizes[0], PICTURE);
	assert_int_equal(dropped[DROP_STALE], 2);
	/* All but the one we hold are the driver's again. */
	assert_int_equal(fake.queued_count, FAKE_BUFFERS - 1);
	assert_int_equal(buffers_return(&buffers, &f), 0);
	assert_int_equal(fake.queued_count, FAKE_BUFFERS);
}

static void newest_good_one_is_taken_when_a_newer_one_is_broken(void **state)
{
	struct filled f;

	(void)state;
	assert_true(fake_fill(data, PICTURE, 1, 1000, 0) >= 0);
	assert_true(fake_fill(data, PICTURE, 2, 2000, V4L2_BUF_FLAG_ERROR) >= 0);
	assert_int_equal(buffers_newest(&buffers, dropped, &f), 0);
	assert_int_equal(f.sequence, 1);
	assert_int_equal(dropped[DROP_ERROR_FLAG], 1);
	assert_int_equal(dropped[DROP_STALE], 0);
}

static void buffer_goes_back_to_the_driver_wiped(void **state)
{
	struct filled f;

	(void)state;
	assert_true(fake_fill(data, PICTURE, 1, 1000, 0) >= 0);
	assert_int_equal(buffers_newest(&buffers, dropped, &f), 0);
	assert_int_equal(fake_residue(f.index, 0), PICTURE);
	assert_int_equal(buffers_return(&buffers, &f), 0);
	assert_int_equal(fake_residue(f.index, 0), 0);
}

static void stopping_wipes_and_frees_all_buffers(void **state)
{
	struct filled f;

	(void)state;
	for (uint32_t i = 0; i < FAKE_BUFFERS; i++) {
		assert_true(fake_fill(data, PICTURE, i, i, 0) >= 0);
	}
	assert_int_equal(buffers_newest(&buffers, dropped, &f), 0);
	buffers_stop(&buffers);
	for (uint32_t i = 0; i < FAKE_BUFFERS; i++) {
		assert_int_equal(fake_residue(i, 0), 0);
	}
	assert_false(fake.streaming);
	assert_int_equal(fake.requested, 0);
}

static void device_error_is_reported_and_not_waited_for(void **state)
{
	struct filled f;

	(void)state;
	fake.dequeue_error = ENODEV;
	assert_int_equal(buffers_newest(&buffers, dropped, &f), -ENODEV);
}

static void failed_start_gives_everything_back(void **state)
{
	(void)state;
	buffers_stop(&buffers);
	fake.stream_error = ENOSPC;
	assert_int_equal(buffers_start(&buffers, &device, &mode), -ENOSPC);
	assert_int_equal(fake.requested, 0);
	assert_false(buffers.streaming);
}

static void plane_of_a_multiplanar_buffer_that_is_short_drops_all(void **state)
{
	struct filled f;

	(void)state;
	assert_true(fake_fill(data, LUMA, 1, 1, 0) >= 0);
	fake.filled[0].used[1] = LUMA / 2 - 1;
	assert_int_equal(buffers_newest(&buffers, dropped, &f), -EAGAIN);
	assert_int_equal(dropped[DROP_SHORT], 1);
	assert_int_equal(fake_residue(0, 1), 0);
}

static void data_offset_of_a_plane_is_honoured_and_checked(void **state)
{
	struct filled f;

	(void)state;
	assert_true(fake_fill(data, LUMA + 16, 1, 1, 0) >= 0);
	fake.filled[0].offset[0] = 16;
	assert_int_equal(buffers_newest(&buffers, dropped, &f), 0);
	assert_ptr_equal(f.memory[0], buffers.items[f.index].memory[0] + 16);
	assert_int_equal(f.sizes[0], LUMA);
	assert_int_equal(buffers_return(&buffers, &f), 0);
	assert_int_equal(fake_residue(f.index, 0), 0);
	assert_true(fake_fill(data, LUMA, 2, 2, 0) >= 0);
	fake.filled[0].offset[0] = LUMA + 1;
	assert_int_equal(buffers_newest(&buffers, dropped, &f), -EAGAIN);
	assert_int_equal(dropped[DROP_EMPTY], 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_PLANES(name) cmocka_unit_test_setup_teardown(name, setup_planes, teardown)
	const struct CMUnitTest tests[] = {
		TEST(buffer_with_the_error_flag_is_never_published),
		TEST(empty_buffer_is_never_published),
		TEST(short_buffer_is_never_published),
		TEST(buffer_that_claims_more_than_was_mapped_is_never_published),
		TEST(newest_of_several_is_taken_and_the_others_are_counted),
		TEST(newest_good_one_is_taken_when_a_newer_one_is_broken),
		TEST(buffer_goes_back_to_the_driver_wiped),
		TEST(stopping_wipes_and_frees_all_buffers),
		TEST(device_error_is_reported_and_not_waited_for),
		TEST(failed_start_gives_everything_back),
		TEST_PLANES(plane_of_a_multiplanar_buffer_that_is_short_drops_all),
		TEST_PLANES(data_offset_of_a_plane_is_honoured_and_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
