/* Sessions when there is no memory, and when the camera writes over a frame while it is looked at
 * or copied: nothing is sent then, the buffer is wiped, and the next frame comes. Memory and the
 * reader's side of the ring are the test's own (--wrap, in the Makefile). */
#include "session_fixture.h"

enum { COPY_ATTEMPTS = 3 }; /* as web/stream.c */

static struct {
	unsigned int no_memory; /* so many allocations fail */
	int peek, copy; /* so many calls find that the frame is overwritten */
	uint32_t peeks;
	/* What the copy says otherwise than the hint did. */
	bool other_camera;
	uint32_t claims; /* what the hint says that the size is; 0: the truth */
	uint32_t other_epoch; /* 0: the same */
} world;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
int __real_ring_peek(const struct ring_reader *r, uint64_t number, struct wire_frame_header *ret,
	uint32_t *ret_size);
int __wrap_ring_peek(const struct ring_reader *r, uint64_t number, struct wire_frame_header *ret,
	uint32_t *ret_size);
int __real_ring_copy(const struct ring_reader *r, uint64_t number, uint8_t *out, size_t out_size,
	uint32_t *ret_size);
int __wrap_ring_copy(const struct ring_reader *r, uint64_t number, uint8_t *out, size_t out_size,
	uint32_t *ret_size);

static bool refuses(void)
{
	if (world.no_memory == 0) {
		return false;
	}
	world.no_memory--;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return refuses() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return refuses() ? NULL : __real_calloc(n, size);
}

int __wrap_ring_peek(const struct ring_reader *r, uint64_t number, struct wire_frame_header *ret,
	uint32_t *ret_size)
{
	world.peeks++;
	if (world.peek > 0) {
		world.peek--;
		return -EAGAIN;
	}
	int result = __real_ring_peek(r, number, ret, ret_size);

	*ret_size = result == 0 && world.claims > 0 ? world.claims : *ret_size;
	return result;
}

int __wrap_ring_copy(const struct ring_reader *r, uint64_t number, uint8_t *out, size_t out_size,
	uint32_t *ret_size)
{
	int result = __real_ring_copy(r, number, out, out_size, ret_size);
	struct wire_frame_header h;

	if (world.copy > 0) {
		world.copy--;
		return -EAGAIN; /* after some of it was copied */
	}
	if (result == 0 && (world.other_camera || world.other_epoch != 0)) {
		assert_int_equal(wire_parse_frame_header(out, *ret_size, &h), 0);
		h.camera[0] ^= world.other_camera ? 3 : 0;
		h.epoch = world.other_epoch != 0 ? world.other_epoch : h.epoch;
		wire_encode_frame_header(&h, out);
	}
	return result;
}

static struct camera camera;
static struct session *session;

static int set_up(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	camera_open(&camera, 1);
	session = watching(1, 10, &camera);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	session_destroy(session);
	camera_close(&camera);
	return 0;
}

static void assert_wiped(void)
{
	const struct buffer *b = &session->streams[0]->buffer;

	for (size_t i = 0; i < b->capacity; i++) {
		assert_int_equal(b->memory[i], 0);
	}
	assert_int_equal(b->frame_bytes, 0);
}

/* ---- memory ---- */

static void a_session_without_memory_is_none(void **state)
{
	(void)state;
	world.no_memory = 1;
	assert_null(session_create(2));
}

static void a_stream_without_memory_is_not_begun(void **state)
{
	(void)state;
	world.no_memory = 1;
	assert_int_equal(give(session, 11, &camera), -ENOMEM);
	assert_int_equal(session->streams_count, 1);
	assert_int_equal(give(session, 11, &camera), 0);
}

static void a_message_without_memory_is_an_error_and_the_others_stay(void **state)
{
	static const uint8_t one[] = {WIRE_HUB, '1'}, two[] = {WIRE_HUB, '2'};
	uint8_t *data;
	size_t size;

	(void)state;
	assert_int_equal(session_tell(session, one, sizeof(one)), 0);
	world.no_memory = 1;
	assert_int_equal(session_tell(session, two, sizeof(two)), -ENOMEM);
	assert_true(session_next(session, now_us, &data, &size));
	assert_int_equal(data[1], '1');
	session_sent(session, now_us);
	assert_int_equal(next(session).type, 0);
}

static void a_key_whose_abort_finds_no_memory_is_not_told(void **state)
{
	static const uint8_t bytes[] = {WIRE_HUB, 'k'};
	const struct ipc_tell_key key = {.connection = 1,
		.stream = 10,
		.epoch = 2,
		.breaks = true,
		.bytes = bytes,
		.size = sizeof(bytes)};

	(void)state;
	publish(&camera, 1, 100000);
	assert_int_equal(next(session).type, WIRE_CHUNK);
	world.no_memory = 1;
	assert_int_equal(session_tell_key(session, &key), -ENOMEM);
	/* Nor is the rest of the frame sent. */
	assert_wiped();
	assert_int_equal(next(session).type, 0);
}

static void a_frame_without_memory_is_not_sent_and_a_later_one_is(void **state)
{
	(void)state;
	publish(&camera, 1, 1000);
	assert_int_equal(next_frame(session, NULL), 1);
	/* A larger one needs more room, and what there was is gone. */
	publish(&camera, 1, 200000);
	world.no_memory = COPY_ATTEMPTS;
	assert_int_equal(next(session).type, 0);
	assert_int_equal(world.no_memory, 0);
	assert_null(session->streams[0]->buffer.memory);
	publish(&camera, 1, 1000);
	assert_int_equal(next_frame(session, NULL), 2);
}

/* ---- frames that are written over ---- */

static void a_frame_that_is_overwritten_while_copied_is_wiped_and_asked_for_again(void **state)
{
	uint8_t fill;

	(void)state;
	publish(&camera, 1, 1000);
	world.peeks = 0; /* the source looked, too */
	world.peek = world.copy = 1;
	assert_int_equal(next_frame(session, &fill), 1);
	assert_int_equal(fill, 1);
	assert_int_equal(world.peeks, 3);
	assert_int_equal(session_mixups(session), 0);
}

static void a_camera_that_always_overwrites_is_asked_three_times_and_sends_nothing(void **state)
{
	(void)state;
	publish(&camera, 1, 1000);
	world.peeks = 0;
	world.copy = 1000;
	assert_int_equal(next(session).type, 0);
	assert_int_equal(world.peeks, COPY_ATTEMPTS);
	assert_wiped();
	world.copy = 0;
	assert_int_equal(next_frame(session, NULL), 1);
}

static void a_frame_larger_than_its_camera_announced_is_passed_over(void **state)
{
	(void)state;
	publish(&camera, 1, 1000);
	world.claims = FRAME_MAX + 1;
	assert_int_equal(next(session).type, 0);
	assert_null(session->streams[0]->buffer.memory);
	world.claims = 0;
	assert_int_equal(next(session).type, 0);
	publish(&camera, 1, 1000);
	assert_int_equal(next_frame(session, NULL), 1);
}

static void a_frame_that_became_another_cameras_is_held_back_and_counted(void **state)
{
	(void)state;
	publish(&camera, 1, 1000);
	world.other_camera = true;
	assert_int_equal(next(session).type, 0);
	assert_wiped();
	assert_int_equal(session_mixups(session), 1);
	/* It is passed over: the one after it comes. */
	world.other_camera = false;
	assert_int_equal(next(session).type, 0);
	publish(&camera, 1, 1000);
	assert_int_equal(next_frame(session, NULL), 1);
}

static void a_frame_that_became_one_of_an_epoch_without_a_key_waits_for_it(void **state)
{
	(void)state;
	publish(&camera, 1, 1000);
	world.other_epoch = 2;
	assert_int_equal(next(session).type, 0);
	assert_wiped();
	assert_int_equal(session_mixups(session), 0);
	tell_key(session, 10, 2, false);
	assert_int_equal(next(session).type, WIRE_HUB);
	assert_int_equal(next_frame(session, NULL), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_session_without_memory_is_none),
		TEST(a_stream_without_memory_is_not_begun),
		TEST(a_message_without_memory_is_an_error_and_the_others_stay),
		TEST(a_key_whose_abort_finds_no_memory_is_not_told),
		TEST(a_frame_without_memory_is_not_sent_and_a_later_one_is),
		TEST(a_frame_that_is_overwritten_while_copied_is_wiped_and_asked_for_again),
		TEST(a_camera_that_always_overwrites_is_asked_three_times_and_sends_nothing),
		TEST(a_frame_larger_than_its_camera_announced_is_passed_over),
		TEST(a_frame_that_became_another_cameras_is_held_back_and_counted),
		TEST(a_frame_that_became_one_of_an_epoch_without_a_key_waits_for_it),
	};

	return cmocka_run_group_tests_name("session faults", tests, NULL, NULL);
}
