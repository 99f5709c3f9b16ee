/* How frames flow: newest wins, credit, age, turns. */
#include "session_fixture.h"

/* ---- flow ---- */

static void newest_frame_wins_and_two_are_unanswered_at_most(void **state)
{
	struct ipc_counts counts;
	struct camera a;
	struct session *s;
	uint8_t fill;

	(void)state;
	camera_open(&a, 1);
	s = watching(1, 10, &a);
	publish(&a, 1, 50000);
	publish(&a, 1, 50000);
	assert_int_equal(next_frame(s, &fill), 1);
	assert_int_equal(fill, 2);
	publish(&a, 1, 50000);
	assert_int_equal(next_frame(s, &fill), 2);
	for (int i = 0; i < 7; i++) {
		publish(&a, 1, 50000);
		assert_int_equal(next(s).type, 0);
	}
	assert_int_equal(answer(s, 10, 2, OUTCOME_REFUSED, UINT16_MAX), SESSION_HANDLED);
	assert_int_equal(next_frame(s, &fill), 3);
	assert_int_equal(fill, 10);
	assert_true(session_counts(s, &counts));
	assert_int_equal(counts.sent, 3);
	assert_int_equal(counts.skipped, 7);
	assert_int_equal(counts.refused, 1);
	assert_int_equal(counts.late, 1); /* frame 1, covered by the answer to frame 2 */
	assert_false(session_counts(s, &counts));
	session_destroy(s);
	camera_close(&a);
}

static void an_age_that_the_display_does_not_know_is_not_the_worst(void **state)
{
	static const uint16_t ages[] = {70, UINT16_MAX, 40};
	struct ipc_counts counts;
	struct camera a;
	struct session *s;

	(void)state;
	camera_open(&a, 1);
	s = watching(1, 10, &a);
	for (uint32_t n = 1; n <= 3; n++) {
		publish(&a, 1, 1000);
		assert_int_equal(next_frame(s, NULL), n);
		assert_int_equal(answer(s, 10, n, OUTCOME_DRAWN, ages[n - 1]), SESSION_HANDLED);
	}
	assert_true(session_counts(s, &counts));
	assert_int_equal(counts.drawn, 3);
	assert_int_equal(counts.worst_age_ms, 70);
	session_destroy(s);
	camera_close(&a);
}

static void stalled_viewer_gets_a_fresh_frame_when_it_resumes(void **state)
{
	struct camera a;
	struct session *s;
	uint8_t fill;

	(void)state;
	camera_open(&a, 1);
	s = watching(1, 10, &a);
	publish(&a, 1, 100000);
	assert_int_equal(next(s).type, WIRE_CHUNK);
	for (int i = 0; i < 600; i++) { /* its socket takes nothing for a minute */
		now_us += 100000;
		publish(&a, 1, 100000);
	}
	assert_int_equal(s->streams[0]->buffer.capacity, 2 * BUFFER_STEP_BYTES);
	assert_int_equal(next(s).type, WIRE_ABORT);
	assert_int_equal(next_frame(s, &fill), 2);
	assert_int_equal(fill, (uint8_t)601);
	session_destroy(s);
	camera_close(&a);
}

static void frame_of_a_slow_camera_may_be_older(void **state)
{
	struct camera a;
	struct session *s;

	(void)state;
	camera_open(&a, 1);
	s = watching(1, 10, &a);
	publish(&a, 1, 100000);
	now_us += 5000000; /* one picture in 5 s */
	publish(&a, 1, 100000);
	assert_int_equal(next(s).type, WIRE_CHUNK);
	now_us += 9000000;
	assert_int_equal(next(s).type, WIRE_CHUNK);
	now_us += 2000000;
	assert_int_equal(next(s).type, WIRE_ABORT);
	session_destroy(s);
	camera_close(&a);
}

static void streams_take_turns_and_the_keeper_goes_first(void **state)
{
	static const uint8_t note[] = {WIRE_HUB, 'n'};
	struct camera a, b;
	struct session *s;
	uint16_t before;

	(void)state;
	camera_open(&a, 1);
	camera_open(&b, 2);
	s = watching(1, 10, &a);
	assert_int_equal(give(s, 11, &b), 0);
	tell_key(s, 11, 1, false);
	assert_int_equal(next(s).type, WIRE_HUB);
	publish(&a, 1, 200000);
	publish(&b, 1, 200000);
	before = next(s).chunk.stream;
	for (int i = 0; i < 10; i++) {
		struct got g = next(s);

		assert_int_equal(g.type, WIRE_CHUNK);
		assert_int_not_equal(g.chunk.stream, before);
		before = g.chunk.stream;
	}
	assert_int_equal(session_tell(s, note, sizeof note), 0);
	assert_int_equal(next(s).type, WIRE_HUB);
	session_destroy(s);
	camera_close(&a);
	camera_close(&b);
}

static void window_widens_for_a_long_path_and_narrows_with_age(void **state)
{
	struct camera a;
	struct session *s;

	(void)state;
	camera_open(&a, 1);
	s = watching(1, 10, &a);
	for (uint32_t n = 1; n <= 12; n++) { /* 300 ms of path, handed over in no time */
		publish(&a, 1, 20000);
		while (next(s).type != 0) {
		}
		now_us += 150000;
		if (n % 2 == 0) {
			(void)answer(s, 10, s->streams[0]->frame, OUTCOME_DRAWN, 350);
		}
	}
	assert_int_equal(s->streams[0]->window, STREAM_WINDOW_MIN);
	for (uint32_t n = 1; n <= 12; n++) { /* now frames come faster than answers */
		for (int i = 0; i < 4; i++) {
			publish(&a, 1, 20000);
			while (next(s).type != 0) {
			}
			now_us += 75000;
		}
		(void)answer(s, 10, s->streams[0]->frame, OUTCOME_DRAWN, 350);
	}
	assert_int_equal(s->streams[0]->window, STREAM_WINDOW_MAX);
	publish(&a, 1, 20000);
	while (next(s).type != 0) {
	}
	(void)answer(s, 10, s->streams[0]->frame, OUTCOME_DRAWN, 1500);
	assert_int_equal(s->streams[0]->window, STREAM_WINDOW_MIN);
	session_destroy(s);
	camera_close(&a);
}

/* Told when the stream was given; looked at again with every frame. */
static void a_ring_that_became_another_cameras_sends_nothing(void **state)
{
	struct camera a;
	struct session *s;

	(void)state;
	camera_open(&a, 1);
	s = watching(1, 10, &a);
	a.source.ring.generation[0] ^= 1;
	publish(&a, 1, 50000);
	assert_int_equal(next(s).type, 0);
	a.source.ring.generation[0] ^= 1;
	a.source.ring.camera[0] ^= 1;
	publish(&a, 1, 50000);
	assert_int_equal(next(s).type, 0);
	assert_int_equal(session_mixups(s), 2);
	a.source.ring.camera[0] ^= 1;
	publish(&a, 1, 50000);
	assert_int_equal(next(s).type, WIRE_CHUNK);
	session_destroy(s);
	camera_close(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ring_that_became_another_cameras_sends_nothing),
		cmocka_unit_test(newest_frame_wins_and_two_are_unanswered_at_most),
		cmocka_unit_test(an_age_that_the_display_does_not_know_is_not_the_worst),
		cmocka_unit_test(stalled_viewer_gets_a_fresh_frame_when_it_resumes),
		cmocka_unit_test(frame_of_a_slow_camera_may_be_older),
		cmocka_unit_test(streams_take_turns_and_the_keeper_goes_first),
		cmocka_unit_test(window_widens_for_a_long_path_and_narrows_with_age),
	};

	return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
