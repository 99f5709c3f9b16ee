/* Who is sent what, and what a display may say. */
#include "session_fixture.h"

/* ---- who gets what ---- */

static void session_sends_only_frames_of_the_watched_camera(void **state)
{
	struct camera a, b;
	struct session *s;

	(void)state;
	camera_open(&a, 1);
	camera_open(&b, 2);
	s = watching(1, 10, &a);
	publish(&b, 1, 1000);
	assert_int_equal(next(s).type, 0);
	/* Frames of another camera, or of a rendition that was not asked for, in this camera's own
	 * ring. */
	publish_as(&a, 2, RENDITION_FULL, 1, 1000);
	assert_int_equal(next(s).type, 0);
	publish_as(&a, 1, RENDITION_FULL + 1, 1, 1000);
	assert_int_equal(next(s).type, 0);
	assert_int_equal(session_mixups(s), 2);
	publish(&a, 1, 1000);
	assert_int_equal(next_frame(s, NULL), 1);
	session_destroy(s);
	camera_close(&a);
	camera_close(&b);
}

static void session_is_given_only_what_the_keeper_named(void **state)
{
	struct camera a;
	struct session *s = session_create(1);
	struct ipc_give m = {
		.connection = 1, .stream = 1, .ring = 1, .camera = {1}, .generation = {101}};
	struct ipc_give wrong[4] = {m, m, m, m};

	(void)state;
	camera_open(&a, 1);
	assert_int_equal(session_give(s, &m, &a.source), -EPERM); /* not logged in */
	session_admit(s);
	wrong[0].camera[0] = 2;
	wrong[1].generation[0] = 2;
	wrong[2].ring = 2;
	wrong[3].connection = 2;
	for (int i = 0; i < 4; i++) {
		assert_int_equal(session_give(s, &wrong[i], &a.source), -EPERM);
	}
	assert_int_equal(session_give(s, &m, &a.source), 0);
	assert_int_equal(session_give(s, &m, &a.source), -EEXIST);
	for (uint16_t i = 2; i <= WIRE_STREAMS_MAX; i++) {
		m.stream = i;
		assert_int_equal(session_give(s, &m, &a.source), 0);
	}
	m.stream = 1000;
	assert_int_equal(session_give(s, &m, &a.source), -ENOSPC);
	session_destroy(s);
	camera_close(&a);
}

static void frame_waits_for_the_key_of_its_epoch(void **state)
{
	struct camera a;
	struct session *s = admitted(1);

	(void)state;
	camera_open(&a, 1);
	assert_int_equal(give(s, 10, &a), 0);
	publish(&a, 3, 1000);
	assert_int_equal(next(s).type, 0);
	tell_key(s, 10, 2, false);
	assert_int_equal(next(s).type, WIRE_HUB);
	assert_int_equal(next(s).type, 0);
	tell_key(s, 10, 3, false);
	assert_int_equal(next(s).type, WIRE_HUB); /* the key goes first */
	assert_int_equal(next_frame(s, NULL), 1);
	/* A key of another stream is none of this one's. */
	publish(&a, 4, 1000);
	tell_key(s, 11, 4, false);
	assert_int_equal(next(s).type, WIRE_HUB);
	assert_int_equal(next(s).type, 0);
	session_destroy(s);
	camera_close(&a);
}

static void broken_epoch_ends_in_mid_frame(void **state)
{
	struct camera a;
	struct session *s;
	struct got g;

	(void)state;
	camera_open(&a, 1);
	s = watching(1, 10, &a);
	publish(&a, 1, 100000);
	assert_int_equal(next(s).type, WIRE_CHUNK);
	tell_key(s, 10, 2, true);
	assert_int_equal(s->streams[0]->buffer.frame_bytes, 0);
	g = next(s);
	assert_int_equal(g.type, WIRE_ABORT);
	assert_int_equal(g.chunk.frame, 1);
	assert_int_equal(next(s).type, WIRE_HUB);
	publish(&a, 1, 1000);
	assert_int_equal(next(s).type, 0);
	publish(&a, 2, 1000);
	assert_int_equal(next_frame(s, NULL), 2);
	session_destroy(s);
	camera_close(&a);
}

static void taken_stream_sends_nothing_more(void **state)
{
	struct ipc_counts counts;
	struct camera a;
	struct session *s;

	(void)state;
	camera_open(&a, 1);
	s = watching(1, 10, &a);
	publish(&a, 1, 100000);
	assert_int_equal(next(s).type, WIRE_CHUNK);
	assert_int_equal(session_take(s, 10, &counts), 0);
	assert_true(counts.final);
	assert_int_equal(counts.aborted, 1);
	assert_int_equal(next(s).type, WIRE_ABORT);
	publish(&a, 1, 1000);
	assert_int_equal(next(s).type, 0);
	assert_int_equal(session_take(s, 10, &counts), -ENOENT);
	session_destroy(s);
	camera_close(&a);
}

static void ring_that_is_gone_ends_the_frame_under_way(void **state)
{
	struct camera a;
	struct session *s;

	(void)state;
	camera_open(&a, 1);
	s = watching(1, 10, &a);
	publish(&a, 1, 100000);
	assert_int_equal(next(s).type, WIRE_CHUNK);
	session_drop_source(s, &a.source);
	camera_close(&a);
	assert_int_equal(next(s).type, WIRE_ABORT);
	assert_int_equal(next(s).type, 0);
	assert_false(session_ready(s));
	session_destroy(s);
}

static void ring_that_is_gone_ends_no_frame_of_another_camera(void **state)
{
	struct camera a, b;
	struct session *s;

	(void)state;
	camera_open(&a, 1);
	camera_open(&b, 2);
	s = watching(1, 10, &a);
	assert_int_equal(give(s, 11, &b), 0);
	publish(&a, 1, 100000);
	assert_int_equal(next(s).type, WIRE_CHUNK);
	/* Nothing of this one is under way: there is nothing to take back. */
	session_drop_source(s, &b.source);
	camera_close(&b);
	assert_int_equal(next(s).type, WIRE_CHUNK);
	session_destroy(s);
	camera_close(&a);
}

static void no_allocation_belongs_to_two_live_sessions(void **state)
{
	enum { SESSIONS = 8, ROUNDS = 200 };
	struct session *all[SESSIONS] = {NULL};
	struct camera cameras[2];

	(void)state;
	camera_open(&cameras[0], 1);
	camera_open(&cameras[1], 2);
	srand(1);
	for (int round = 0; round < ROUNDS; round++) {
		int i = rand() % SESSIONS;

		session_destroy(all[i]);
		all[i] = watching((uint64_t)round + 1, 10, &cameras[rand() % 2]);
		publish(&cameras[0], 1, (uint32_t)(40 + rand() % 200000));
		publish(&cameras[1], 1, (uint32_t)(40 + rand() % 200000));
		for (int k = 0; k < SESSIONS; k++) {
			if (all[k]) {
				(void)next(all[k]);
			}
		}
		for (int k = 0; k < SESSIONS; k++) {
			for (int m = 0; all[k] && m < k; m++) {
				const struct buffer *x = &all[k]->streams[0]->buffer;
				const struct buffer *y =
					all[m] ? &all[m]->streams[0]->buffer : NULL;

				if (y && x->memory && y->memory) {
					assert_true(x->memory + x->capacity <= y->memory ||
						    y->memory + y->capacity <= x->memory);
					assert_true(x->tag.connection == all[k]->connection);
				}
			}
		}
	}
	for (int k = 0; k < SESSIONS; k++) {
		session_destroy(all[k]);
	}
	camera_close(&cameras[0]);
	camera_close(&cameras[1]);
}

static void buffer_of_another_session_is_never_sent(void **state)
{
	struct camera a, b;
	struct session *mine, *theirs;

	(void)state;
	camera_open(&a, 1);
	camera_open(&b, 2);
	mine = watching(1, 10, &a);
	theirs = watching(2, 10, &b);
	publish(&a, 1, 100000);
	publish(&b, 1, 100000);
	assert_int_equal(next(mine).type, WIRE_CHUNK);
	assert_int_equal(next(theirs).type, WIRE_CHUNK);
	struct buffer swap = mine->streams[0]->buffer;
	mine->streams[0]->buffer = theirs->streams[0]->buffer;
	theirs->streams[0]->buffer = swap;
	assert_int_equal(next(mine).type, WIRE_ABORT);
	assert_int_equal(session_mixups(mine), 1);
	assert_int_equal(next(theirs).type, WIRE_ABORT);
	session_destroy(mine);
	session_destroy(theirs);
	camera_close(&a);
	camera_close(&b);
}

/* ---- what a display may say ---- */

static enum session_verdict hear(struct session *s, const void *data, size_t size)
{
	const char *reason = NULL;
	enum session_verdict v = session_hear(s, now_us, data, size, &reason);

	assert_true((v == SESSION_REFUSE) == (reason != NULL));
	return v;
}

static void buffer_of_another_session_with_the_same_camera_is_never_sent(void **state)
{
	struct camera c;
	struct session *mine, *theirs;

	(void)state;
	camera_open(&c, 1);
	mine = watching(1, 10, &c);
	theirs = watching(2, 10, &c);
	publish(&c, 1, 100000);
	assert_int_equal(next(mine).type, WIRE_CHUNK);
	assert_int_equal(next(theirs).type, WIRE_CHUNK);
	struct buffer swap = mine->streams[0]->buffer;
	mine->streams[0]->buffer = theirs->streams[0]->buffer;
	theirs->streams[0]->buffer = swap;
	assert_int_equal(next(mine).type, WIRE_ABORT);
	assert_int_equal(session_mixups(mine), 1);
	assert_int_equal(next(theirs).type, WIRE_ABORT);
	session_destroy(mine);
	session_destroy(theirs);
	camera_close(&c);
}

static void stranger_may_say_one_thing_and_hears_the_challenge_alone(void **state)
{
	static const uint8_t challenge[] = {WIRE_CHALLENGE}, hub[] = {WIRE_HUB};
	static const uint8_t first[] = {WIRE_LOGIN, WIRE_PAIR};
	static const uint8_t never[] = {
		0, WIRE_CHUNK, WIRE_ACK, WIRE_PULSE, WIRE_CHALLENGE, WIRE_HUB, WIRE_DISPLAY, 0xff};

	(void)state;
	for (size_t i = 0; i < sizeof never; i++) {
		struct session *s = session_create(1);

		assert_int_equal(hear(s, &never[i], 1), SESSION_REFUSE);
		session_destroy(s);
	}
	for (size_t i = 0; i < sizeof first; i++) {
		struct session *s = session_create(1);

		assert_int_equal(session_tell(s, challenge, 1), 0);
		assert_int_equal(session_tell(s, hub, 1), 0);
		assert_int_equal(next(s).type, WIRE_CHALLENGE);
		assert_int_equal(next(s).type, 0);
		assert_int_equal(hear(s, &first[i], 1), SESSION_FORWARD);
		assert_int_equal(hear(s, &first[i], 1), SESSION_REFUSE);
		session_admit(s);
		assert_int_equal(next(s).type, WIRE_HUB);
		session_destroy(s);
	}
}

static void display_that_talks_too_much_is_refused(void **state)
{
	static const uint8_t pulse[] = {WIRE_PULSE}, long_pulse[] = {WIRE_PULSE, 0},
			     message[] = {WIRE_DISPLAY};
	uint8_t large[WIRE_DISPLAY_MESSAGE_MAX_BYTES + 1] = {WIRE_DISPLAY};
	struct session *s = admitted(1);

	(void)state;
	assert_int_equal(hear(s, large, sizeof large), SESSION_REFUSE);
	assert_int_equal(hear(s, large, sizeof large - 1), SESSION_FORWARD);
	assert_int_equal(hear(s, long_pulse, sizeof long_pulse), SESSION_REFUSE);
	assert_int_equal(hear(s, pulse, 0), SESSION_REFUSE);
	now_us += 2000000;
	for (int i = 0; i < SESSION_MESSAGES_PER_SECOND; i++) {
		assert_int_equal(hear(s, pulse, 1), SESSION_HANDLED);
		now_us += 1000;
	}
	assert_int_equal(hear(s, message, 1), SESSION_REFUSE);
	now_us += 900000;
	assert_int_equal(hear(s, message, 1), SESSION_FORWARD);
	session_destroy(s);
}

static void malformed_answer_is_refused(void **state)
{
	static const uint8_t short_answer[] = {WIRE_ACK, 0};
	struct session *s = admitted(1);

	(void)state;
	assert_int_equal(hear(s, short_answer, sizeof short_answer), SESSION_REFUSE);
	session_destroy(s);
}

static void display_that_takes_nothing_fills_no_memory(void **state)
{
	uint8_t message[WIRE_HUB_MESSAGE_MAX_BYTES + 1] = {WIRE_HUB};
	struct session *s = admitted(1);

	(void)state;
	assert_int_equal(session_tell(s, message, sizeof message), -EMSGSIZE);
	assert_int_equal(session_tell(s, message, 0), -EMSGSIZE);
	for (int i = 0; i < SESSION_QUEUE_MAX; i++) {
		assert_int_equal(session_tell(s, message, 10), 0);
	}
	assert_int_equal(session_tell(s, message, 10), -ENOBUFS);
	session_destroy(s);
}

static void answers_are_believed_only_for_frames_that_were_sent(void **state)
{
	struct camera a;
	struct session *s;

	(void)state;
	camera_open(&a, 1);
	s = watching(1, 10, &a);
	assert_int_equal(answer(s, 10, 1, OUTCOME_DRAWN, 0), SESSION_REFUSE);
	publish(&a, 1, 50000);
	assert_int_equal(next(s).type, WIRE_CHUNK);
	assert_int_equal(answer(s, 10, 1, OUTCOME_DRAWN, 0), SESSION_REFUSE); /* not whole yet */
	while (next(s).type != 0) {
	}
	assert_int_equal(answer(s, 10, 2, OUTCOME_DRAWN, 0), SESSION_REFUSE);
	assert_int_equal(answer(s, 10, 1, OUTCOME_DRAWN, 0), SESSION_HANDLED);
	assert_int_equal(answer(s, 11, 1, OUTCOME_DRAWN, 0), SESSION_HANDLED); /* taken meanwhile */
	session_destroy(s);
	camera_close(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(session_sends_only_frames_of_the_watched_camera),
		cmocka_unit_test(session_is_given_only_what_the_keeper_named),
		cmocka_unit_test(frame_waits_for_the_key_of_its_epoch),
		cmocka_unit_test(broken_epoch_ends_in_mid_frame),
		cmocka_unit_test(taken_stream_sends_nothing_more),
		cmocka_unit_test(ring_that_is_gone_ends_the_frame_under_way),
		cmocka_unit_test(ring_that_is_gone_ends_no_frame_of_another_camera),
		cmocka_unit_test(no_allocation_belongs_to_two_live_sessions),
		cmocka_unit_test(buffer_of_another_session_is_never_sent),
		cmocka_unit_test(buffer_of_another_session_with_the_same_camera_is_never_sent),
		cmocka_unit_test(stranger_may_say_one_thing_and_hears_the_challenge_alone),
		cmocka_unit_test(display_that_talks_too_much_is_refused),
		cmocka_unit_test(malformed_answer_is_refused),
		cmocka_unit_test(display_that_takes_nothing_fills_no_memory),
		cmocka_unit_test(answers_are_believed_only_for_frames_that_were_sent),
	};

	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
