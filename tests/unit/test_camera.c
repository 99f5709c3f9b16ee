/* The camera role as a process of its own, with a keeper that this test plays. */
#include "camera_fixture.h"

#include <turbojpeg.h>

static void camera_says_what_it_is_before_anything_else(void **state)
{
	struct keeper *k = *state;
	static const uint8_t zeroes[POINT_BYTES];

	keeper_start_camera(k, "pattern:320x192@20");
	assert_int_equal(k->hello.kind, IPC_CAMERA_PATTERN);
	assert_int_equal(k->hello.instance, 3);
	assert_int_equal(k->hello.width, WIDTH);
	assert_int_equal(k->hello.height, HEIGHT);
	assert_int_equal(k->hello.frame_interval_us, 50000);
	assert_int_equal(k->hello.frame_max_bytes,
		(256 << 10) + WIRE_FRAME_HEADER_BYTES + SFRAME_OVERHEAD_BYTES);
	assert_string_equal(k->hello.source, "pattern:320x192@20");
	assert_string_equal(k->hello.mode, "test pattern 320x192 at 20 fps, encoded");
	assert_memory_not_equal(k->hello.generation, zeroes, GENERATION_BYTES);
	assert_int_equal(k->hello.kem_public[0], 4);
}

static void camera_frames_open_with_the_key_that_the_display_was_given(void **state)
{
	struct keeper *k = *state;
	struct wire_frame_header h;
	uint8_t *frame, *jpeg;
	uint8_t plain[40];
	int width, height, sampling, colours;
	uint32_t epoch, size;
	uint64_t clock_us = 0, asked_us;
	tjhandle turbo = tjInitDecompress();
	size_t n;

	keeper_start_camera(k, "pattern:320x192@20");
	keeper_adopt(k);
	keeper_attach(k);
	asked_us = clock_now_us();
	keeper_demand(k, 1);
	assert_int_equal(keeper_wrap(k, KEY_WATCH, &epoch, plain), 0);
	for (int i = 0; i < 16; i++) {
		assert_int_equal(plain[16 + i], 0x5a);
	}
	for (int i = 32; i < 40; i++) {
		clock_us = clock_us << 8 | plain[i];
	}
	assert_in_range(clock_us, asked_us, clock_now_us());
	frame = malloc(k->hello.frame_max_bytes);
	jpeg = malloc(k->hello.frame_max_bytes);
	assert_int_not_equal(keeper_frame(k, 0, PATIENCE_MS, frame, &size), 0);
	n = keeper_open(k, frame, size, plain, jpeg, &h);
	assert_int_not_equal(n, 0);
	assert_int_equal(
		tjDecompressHeader3(turbo, jpeg, n, &width, &height, &sampling, &colours), 0);
	assert_int_equal(width, WIDTH);
	assert_int_equal(height, HEIGHT);
	assert_int_equal(h.width, WIDTH);
	assert_int_equal(h.height, HEIGHT);
	assert_int_equal(h.flags, FRAME_TEST);
	assert_int_equal(h.epoch, epoch);
	assert_memory_equal(h.camera, k->id, CAMERA_ID_BYTES);
	assert_in_range(h.capture_us, asked_us, clock_now_us());
	tjDestroy(turbo);
	free(frame);
	free(jpeg);
}

static void camera_ring_holds_no_picture_in_the_clear(void **state)
{
	struct keeper *k = *state;
	static const uint8_t jpeg_start[] = {0xff, 0xd8, 0xff};
	uint8_t *frame;
	uint64_t number = 0;
	uint32_t size;

	keeper_start_camera(k, "pattern:320x192@60");
	keeper_adopt(k);
	keeper_attach(k);
	keeper_demand(k, 1);
	frame = malloc(k->hello.frame_max_bytes);
	for (int i = 0; i < 2 * RING_SLOTS; i++) {
		number = keeper_frame(k, number, PATIENCE_MS, frame, &size);
		assert_int_not_equal(number, 0);
	}
	/* A chance hit of FF D8 FF E0 in 100 KB of noise: one in 40,000 runs. */
	for (size_t i = 0; i + 4 <= k->ring.map_bytes; i++) {
		assert_false(
			memcmp(k->ring.map + i, jpeg_start, 3) == 0 && k->ring.map[i + 3] == 0xe0);
	}
	free(frame);
}

static void camera_publishes_nothing_until_somebody_watches(void **state)
{
	struct keeper *k = *state;
	uint8_t *frame;
	uint64_t number;
	uint32_t size;

	keeper_start_camera(k, "pattern:320x192@20");
	keeper_adopt(k);
	keeper_attach(k);
	frame = malloc(k->hello.frame_max_bytes);
	assert_int_equal(keeper_frame(k, 0, 300, frame, &size), 0);
	keeper_demand(k, 1);
	assert_int_not_equal(keeper_frame(k, 0, PATIENCE_MS, frame, &size), 0);
	keeper_demand(k, 0);
	keeper_await_order(k);
	number = ring_newest(&k->ring);
	assert_int_equal(keeper_frame(k, number, 300, frame, &size), 0);
	keeper_demand(k, 1);
	assert_int_not_equal(keeper_frame(k, number, PATIENCE_MS, frame, &size), 0);
	free(frame);
}

static void camera_that_lingers_captures_and_publishes_nothing(void **state)
{
	struct keeper *k = *state;
	uint64_t number, since_us;
	uint8_t *frame;
	uint32_t size;

	k->options.linger_s = 1;
	keeper_start_camera(k, "pattern:320x192@20");
	keeper_adopt(k);
	keeper_attach(k);
	frame = malloc(k->hello.frame_max_bytes);
	keeper_demand(k, 1);
	keeper_expect_activity(k, CAMERA_STREAMING);
	assert_int_not_equal(keeper_frame(k, 0, PATIENCE_MS, frame, &size), 0);
	since_us = clock_now_us();
	keeper_demand(k, 0);
	keeper_await_order(k);
	number = ring_newest(&k->ring);
	assert_int_equal(keeper_frame(k, number, 300, frame, &size), 0);
	keeper_expect_activity(k, CAMERA_IDLE);
	assert_true(clock_now_us() - since_us >= 900000);
	free(frame);
}

static void camera_key_opens_only_for_the_session_it_was_wrapped_for(void **state)
{
	struct keeper *k = *state;
	uint8_t plain[40];
	uint32_t epoch;

	keeper_start_camera(k, "pattern:320x192@20");
	keeper_adopt(k);
	assert_int_equal(keeper_wrap(k, KEY_BREAK, &epoch, plain), 0);
	k->session[0] ^= 1;
	assert_int_equal(keeper_wrap(k, KEY_BREAK, &epoch, plain), -EBADMSG);
	k->session[0] ^= 1;
	k->home[3] ^= 1;
	assert_int_equal(keeper_wrap(k, KEY_BREAK, &epoch, plain), -EBADMSG);
}

static void camera_frames_after_a_rotation_do_not_open_with_the_old_key(void **state)
{
	struct keeper *k = *state;
	struct wire_frame_header h;
	uint8_t *frame, *jpeg;
	uint8_t before[40], after[40];
	uint32_t epoch, rotated, size;
	uint64_t number;

	keeper_start_camera(k, "pattern:320x192@20");
	keeper_adopt(k);
	keeper_attach(k);
	keeper_demand(k, 1);
	frame = malloc(k->hello.frame_max_bytes);
	jpeg = malloc(k->hello.frame_max_bytes);
	assert_int_equal(keeper_wrap(k, KEY_WATCH, &epoch, before), 0);
	assert_int_not_equal(keeper_frame(k, 0, PATIENCE_MS, frame, &size), 0);
	rotated = keeper_rotate(k, IPC_ROTATE);
	assert_true(rotated > epoch);
	number = ring_newest(&k->ring);
	assert_int_not_equal(keeper_frame(k, number, PATIENCE_MS, frame, &size), 0);
	assert_int_equal(keeper_open(k, frame, size, before, jpeg, &h), 0);
	assert_int_equal(h.epoch, rotated);
	assert_int_equal(keeper_wrap(k, KEY_BREAK, &epoch, after), 0);
	assert_int_equal(epoch, rotated);
	assert_int_not_equal(keeper_open(k, frame, size, after, jpeg, &h), 0);
	free(frame);
	free(jpeg);
}

static void camera_switches_to_the_epoch_that_was_given_before(void **state)
{
	struct keeper *k = *state;
	uint8_t plain[40];
	uint32_t current, next;

	keeper_start_camera(k, "pattern:320x192@20");
	keeper_adopt(k);
	assert_int_equal(keeper_wrap(k, KEY_WATCH, &current, plain), 0);
	assert_int_equal(keeper_wrap(k, KEY_NEXT, &next, plain), 0);
	assert_true(next > current);
	assert_int_equal(keeper_rotate(k, IPC_SWITCH), next);
	assert_int_equal(keeper_wrap(k, KEY_TIME, &current, plain), 0);
	assert_int_equal(current, next);
}

static void camera_announces_the_end_of_an_epoch_and_breaks_it_itself(void **state)
{
	struct keeper *k = *state;
	struct ipc_rotated rotated;
	struct ipc_message m;

	k->options.rotate_s = 1;
	keeper_start_camera(k, "pattern:320x192@20");
	keeper_adopt(k);
	keeper_demand(k, 1);
	keeper_expect(k, IPC_ROTATION_DUE, &m);
	/* Nobody switches. */
	keeper_expect(k, IPC_ROTATED, &m);
	assert_int_equal(ipc_parse_rotated(&m, &rotated), 0);
	assert_int_equal(rotated.request, 0);
}

static void camera_without_a_keeper_ends(void **state)
{
	struct keeper *k = *state;
	uint8_t *frame;
	uint64_t number;
	uint32_t size;

	keeper_start_camera(k, "pattern:320x192@20");
	keeper_adopt(k);
	keeper_attach(k);
	keeper_demand(k, 1);
	frame = malloc(k->hello.frame_max_bytes);
	assert_int_not_equal(keeper_frame(k, 0, PATIENCE_MS, frame, &size), 0);
	close(k->camera);
	k->camera = -1;
	assert_int_equal(keeper_await_exit(k), 1);
	number = ring_newest(&k->ring);
	assert_int_equal(keeper_frame(k, number, 200, frame, &size), 0);
	free(frame);
}

static void camera_that_is_turned_away_ends(void **state)
{
	struct keeper *k = *state;
	struct ipc_turned_away away = {.reason = "there is one like it already"};
	uint8_t out[MESSAGE_BYTES];

	keeper_start_camera(k, "pattern:320x192@20");
	keeper_say(k, out, ipc_encode_turned_away(&away, out, sizeof(out)));
	assert_int_equal(keeper_await_exit(k), 1);
}

static void camera_that_is_turned_away_later_ends_too(void **state)
{
	struct keeper *k = *state;
	struct ipc_turned_away away = {.reason = "ignored by the owner"};
	uint8_t out[MESSAGE_BYTES];

	keeper_start_camera(k, "pattern:320x192@20");
	keeper_adopt(k);
	keeper_say(k, out, ipc_encode_turned_away(&away, out, sizeof(out)));
	assert_int_equal(keeper_await_exit(k), 1);
}

static void camera_ends_at_a_message_that_it_does_not_know(void **state)
{
	struct keeper *k = *state;
	static const uint8_t nonsense[] = {250, 1, 2, 3};

	keeper_start_camera(k, "pattern:320x192@20");
	keeper_adopt(k);
	keeper_say(k, nonsense, sizeof(nonsense));
	assert_int_equal(keeper_await_exit(k), 1);
}

static void camera_serves_nobody_before_it_is_adopted(void **state)
{
	struct keeper *k = *state;

	keeper_start_camera(k, "pattern:320x192@20");
	keeper_demand(k, 1);
	assert_int_equal(keeper_await_exit(k), 1);
}

static int camera_exit_code(struct keeper *k, const char *spec)
{
	k->options.arguments[0] = spec;
	k->options.arguments_count = 1;
	k->options.ready_fd = -1;
	k->process = fork();
	if (k->process == 0) {
		_exit(camera_main(&k->options));
	}
	return keeper_await_exit(k);
}

static void camera_refuses_what_is_no_camera(void **state)
{
	struct keeper *k = *state;

	assert_int_equal(camera_exit_code(k, "pattern:12"), 2);
	assert_int_equal(camera_exit_code(k, "camera"), 2);
	assert_int_equal(camera_exit_code(k, "/dev/camgate-no-such-device"), 1);
	assert_int_equal(camera_exit_code(k, "/dev/null"), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(camera_says_what_it_is_before_anything_else),
		TEST(camera_frames_open_with_the_key_that_the_display_was_given),
		TEST(camera_ring_holds_no_picture_in_the_clear),
		TEST(camera_publishes_nothing_until_somebody_watches),
		TEST(camera_that_lingers_captures_and_publishes_nothing),
		TEST(camera_key_opens_only_for_the_session_it_was_wrapped_for),
		TEST(camera_frames_after_a_rotation_do_not_open_with_the_old_key),
		TEST(camera_switches_to_the_epoch_that_was_given_before),
		TEST(camera_announces_the_end_of_an_epoch_and_breaks_it_itself),
		TEST(camera_without_a_keeper_ends),
		TEST(camera_that_is_turned_away_ends),
		TEST(camera_that_is_turned_away_later_ends_too),
		TEST(camera_ends_at_a_message_that_it_does_not_know),
		TEST(camera_serves_nobody_before_it_is_adopted),
		TEST(camera_refuses_what_is_no_camera),
	};

	if (secure_heap_init() < 0) {
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
