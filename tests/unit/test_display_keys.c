#include "fake_hub.h"

#include <errno.h>

static struct fake_hub hub;

static int set_up(void **state)
{
	(void)state;
	fake_hub_init(&hub, true);
	fake_open(&hub);
	fake_watch(&hub);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_hub_finish(&hub);
	return 0;
}

static const struct display_counts *counts(void)
{
	return display_counts(hub.display);
}

static void send_key(uint8_t purpose, uint32_t epoch)
{
	struct fake_wrap w = fake_key(&hub, purpose, epoch);
	assert_int_equal(fake_send_key(&hub, &w), 0);
}

static void the_next_key_is_acknowledged_and_used_when_its_first_frame_comes(void **state)
{
	(void)state;
	uint32_t next = epochs_prepare(hub.epochs);
	send_key(KEY_NEXT, next);
	struct wire_envelope e = fake_hear(&hub, hub.sent_count - 1);
	struct wire_key_ack ack;
	assert_int_equal(e.kind, DISPLAY_KEY_ACK);
	assert_int_equal(wire_parse_key_ack(e.body, e.body_size, &ack), 0);
	assert_int_equal(ack.epoch, next);
	assert_int_equal(fake_send_frame(&hub, 100), 0); /* still the old epoch */
	assert_int_equal(epochs_switch(hub.epochs, hub.now_us), 0);
	assert_int_equal(fake_send_frame(&hub, 100), 0);
	assert_int_equal(hub.pictures, 2);
	assert_int_equal(hub.picture.header.epoch, next);
}

/* As a camera that delivered nothing for the whole of an epoch. */
static void the_next_key_is_kept_when_another_follows_before_its_first_frame(void **state)
{
	(void)state;
	send_key(KEY_NEXT, epochs_prepare(hub.epochs));
	assert_int_equal(epochs_switch(hub.epochs, hub.now_us), 0);
	send_key(KEY_NEXT, epochs_prepare(hub.epochs));
	assert_int_equal(fake_send_frame(&hub, 100), 0);
	assert_int_equal(epochs_switch(hub.epochs, hub.now_us), 0);
	assert_int_equal(fake_send_frame(&hub, 100), 0);
	assert_int_equal(hub.pictures, 2);
	assert_int_equal(counts()->refused, 0);
}

static void seal_old_then_switch(void)
{
	fake_seal(&hub, 100);
	assert_int_equal(epochs_break(hub.epochs, hub.now_us), 0);
	send_key(KEY_BREAK, epochs_current(hub.epochs));
}

static void the_previous_epoch_is_good_for_two_seconds(void **state)
{
	(void)state;
	seal_old_then_switch();
	hub.now_us += 2000000;
	assert_int_equal(fake_send_sealed(&hub), 0);
	assert_int_equal(hub.pictures, 1);
}

static void after_two_seconds_the_previous_epoch_is_late_and_no_alarm(void **state)
{
	(void)state;
	seal_old_then_switch();
	hub.now_us += 2000001;
	assert_int_equal(fake_send_sealed(&hub), 0);
	assert_int_equal(hub.pictures, 0);
	assert_int_equal(fake_last_ack(&hub).outcome, OUTCOME_LATE);
	assert_int_equal(counts()->anomalies[ANOMALY_UNKNOWN_EPOCH], 0);
}

static void assert_key_alarm(struct fake_wrap *w, enum anomaly reason)
{
	uint64_t keys = counts()->keys;
	assert_int_equal(fake_send_key(&hub, w), 0);
	assert_int_equal(counts()->keys, keys);
	assert_int_equal(counts()->anomalies[reason], 1);
	struct wire_envelope e = fake_hear(&hub, hub.sent_count - 1);
	struct wire_report report;
	assert_int_equal(e.kind, DISPLAY_REPORT);
	assert_int_equal(wire_parse_report(e.body, e.body_size, &report), 0);
	assert_int_equal(report.reason, reason);
}

static void a_key_for_another_display_does_not_open(void **state)
{
	(void)state;
	struct display_keys other;
	assert_int_equal(display_keys_generate(&other), 0);
	struct fake_wrap w = fake_key(&hub, KEY_BREAK, epochs_prepare(hub.epochs));
	w.recipient = other.kem.public;
	w.context.display = other.id;
	assert_key_alarm(&w, ANOMALY_KEY);
	display_keys_finish(&other);
}

static void a_key_of_another_session_does_not_open(void **state)
{
	(void)state;
	uint8_t other[SESSION_ID_BYTES] = {1};
	struct fake_wrap w = fake_key(&hub, KEY_BREAK, epochs_prepare(hub.epochs));
	w.context.session = other;
	assert_key_alarm(&w, ANOMALY_KEY);
}

static void a_key_wrapped_for_another_purpose_does_not_open(void **state)
{
	(void)state;
	struct fake_wrap w = fake_key(&hub, KEY_BREAK, epochs_prepare(hub.epochs));
	w.context.purpose = KEY_NEXT;
	assert_key_alarm(&w, ANOMALY_KEY);
}

static void a_key_sealed_by_another_camera_does_not_open(void **state)
{
	(void)state;
	struct key_pair ours = hub.camera_kem;
	assert_int_equal(key_pair_generate(&hub.camera_kem), 0);
	struct fake_wrap w = fake_key(&hub, KEY_BREAK, epochs_prepare(hub.epochs));
	assert_key_alarm(&w, ANOMALY_KEY);
	key_pair_finish(&hub.camera_kem);
	hub.camera_kem = ours;
}

static void a_key_of_another_camera_on_this_stream_is_an_alarm(void **state)
{
	(void)state;
	struct fake_wrap w = fake_key(&hub, KEY_BREAK, epochs_prepare(hub.epochs));
	w.key.camera[0] ^= 1;
	assert_key_alarm(&w, ANOMALY_FOREIGN_CAMERA);
}

static void a_key_of_another_generation_is_an_alarm(void **state)
{
	(void)state;
	struct fake_wrap w = fake_key(&hub, KEY_BREAK, epochs_prepare(hub.epochs));
	w.key.generation[0] ^= 1;
	assert_key_alarm(&w, ANOMALY_UNKNOWN_EPOCH);
}

static void an_answer_to_a_question_never_asked_is_an_alarm(void **state)
{
	(void)state;
	struct fake_wrap w = fake_key(&hub, KEY_TIME, epochs_current(hub.epochs));
	assert_key_alarm(&w, ANOMALY_KEY);
}

/* The answer to the question that the display asks when this much time has passed. */
static struct fake_wrap answer_after(uint64_t us)
{
	struct fake_wrap w;
	struct wire_envelope e;
	struct wire_time ask;
	size_t last;

	hub.now_us += us;
	display_tick(hub.display, hub.now_us);
	last = hub.sent_count - 1;
	if (hub.sent[last].bytes[0] == WIRE_PULSE) {
		last--;
	}
	e = fake_hear(&hub, last);
	assert_int_equal(e.kind, DISPLAY_TIME);
	assert_int_equal(wire_parse_time(e.body, e.body_size, &ask), 0);
	w = fake_key(&hub, KEY_TIME, epochs_current(hub.epochs));
	memcpy(w.nonce, ask.nonce, sizeof(w.nonce));
	return w;
}

/* The hub took over two seconds, so that the display asked again: both answers come. */
static void an_answer_to_a_question_that_was_asked_again_is_late_and_no_alarm(void **state)
{
	(void)state;
	struct fake_wrap first = answer_after(61000000);
	struct fake_wrap second = answer_after(2100000);
	uint64_t clocks = counts()->clocks;
	assert_int_equal(fake_send_key(&hub, &first), 0);
	assert_int_equal(counts()->anomalies[ANOMALY_KEY], 0);
	struct fake_wrap third = answer_after(2100000);
	assert_int_equal(fake_send_key(&hub, &second), 0);
	assert_int_equal(counts()->anomalies[ANOMALY_KEY], 0);
	assert_int_equal(counts()->clocks, clocks);
	assert_int_equal(fake_send_key(&hub, &third), 0);
	assert_int_equal(counts()->anomalies[ANOMALY_KEY], 0);
	assert_int_equal(counts()->clocks, clocks + 1);
}

/* As when everybody comes back at once and the keeper is half a minute behind. */
static void the_first_answer_after_many_questions_is_late_and_no_alarm(void **state)
{
	(void)state;
	enum { ASKED = 15 };
	struct fake_wrap answers[ASKED];
	answers[0] = answer_after(61000000);
	for (int i = 1; i < ASKED; i++) {
		answers[i] = answer_after(2100000);
	}
	uint64_t clocks = counts()->clocks;
	for (int i = 0; i < ASKED; i++) {
		assert_int_equal(fake_send_key(&hub, &answers[i]), 0);
		assert_int_equal(counts()->anomalies[ANOMALY_KEY], 0);
	}
	assert_int_equal(counts()->clocks, clocks);
	struct fake_wrap next = answer_after(2100000);
	assert_int_equal(fake_send_key(&hub, &next), 0);
	assert_int_equal(counts()->clocks, clocks + 1);
}

static void more_answers_than_questions_are_an_alarm(void **state)
{
	(void)state;
	struct fake_wrap w = answer_after(61000000);
	(void)answer_after(2100000);
	assert_int_equal(fake_send_key(&hub, &w), 0);
	assert_int_equal(fake_send_key(&hub, &w), 0);
	assert_int_equal(counts()->anomalies[ANOMALY_KEY], 0);
	assert_key_alarm(&w, ANOMALY_KEY);
}

/* The camera that is watched is shared no more. */
static int send_camera_gone(void)
{
	struct wire_camera_gone gone = {.reason = END_NOT_SHARED};
	memcpy(gone.id, hub.camera, CAMERA_ID_BYTES);
	uint8_t body[32];
	return fake_tell(
		&hub, HUB_CAMERA_GONE, body, wire_encode_camera_gone(&gone, body, sizeof(body)));
}

/* Its WATCH may be on the way to the camera's new generation. */
static void assert_unwatched_by_the_display(void)
{
	struct wire_envelope e = fake_hear(&hub, hub.sent_count - 1);
	struct wire_unwatch u;
	assert_int_equal(e.kind, DISPLAY_UNWATCH);
	assert_int_equal(wire_parse_unwatch(e.body, e.body_size, &u), 0);
	assert_int_equal(u.stream, hub.stream);
}

static void a_new_generation_ends_the_stream_and_can_be_watched_again(void **state)
{
	(void)state;
	assert_int_equal(fake_send_frame(&hub, 100), 0);
	random_bytes(hub.generation, sizeof(hub.generation));
	epochs_destroy(hub.epochs);
	hub.epochs = epochs_create(hub.home, hub.generation, 600000000, hub.now_us);
	struct wire_camera c = fake_camera(&hub);
	assert_int_equal(fake_send_camera(&hub, &c), 0);
	assert_int_equal(hub.ends, 1);
	assert_int_equal(hub.end_reason, END_REPLACED);
	assert_unwatched_by_the_display();
	fake_watch(&hub);
	assert_int_equal(fake_send_frame(&hub, 100), 0);
	assert_int_equal(hub.pictures, 2);
}

static void a_stream_that_the_hub_did_not_end_is_unwatched_when_its_camera_changes(void **state)
{
	(void)state;
	struct wire_camera c = fake_camera(&hub);
	c.generation[0] ^= 1;
	assert_int_equal(fake_send_camera(&hub, &c), 0);
	assert_int_equal(hub.ends, 1);
	assert_unwatched_by_the_display();
}

static void a_stream_that_the_hub_did_not_end_is_unwatched_when_its_camera_goes(void **state)
{
	(void)state;
	assert_int_equal(send_camera_gone(), 0);
	assert_int_equal(hub.ends, 1);
	assert_unwatched_by_the_display();
}

static void a_new_name_is_shown_and_the_stream_goes_on(void **state)
{
	(void)state;
	struct wire_camera c = fake_camera(&hub);
	memcpy(c.name, "Yard", 5);
	assert_int_equal(fake_send_camera(&hub, &c), 0);
	assert_int_equal(hub.ends, 0);
	assert_int_equal(fake_send_frame(&hub, 100), 0);
	assert_string_equal(hub.picture_name, "Yard");
}

static void a_camera_taken_away_ends_its_stream_and_is_forgotten(void **state)
{
	(void)state;
	assert_int_equal(send_camera_gone(), 0);
	assert_int_equal(hub.ends, 1);
	assert_int_equal(hub.end_reason, END_NOT_SHARED);
	assert_null(display_camera(hub.display, "Door"));
	assert_int_equal(display_watch(hub.display, hub.camera, hub.now_us), -ENOENT);
}

static void unwatching_tells_what_was_seen(void **state)
{
	(void)state;
	assert_int_equal(fake_send_frame(&hub, 100), 0);
	fake_seal(&hub, 100);
	hub.now_us += 40000;
	assert_int_equal(fake_send_sealed(&hub), 0);
	fake_seal(&hub, 100);
	hub.now_us += 6000000;
	assert_int_equal(fake_send_sealed(&hub), 0);
	assert_int_equal(display_unwatch(hub.display, hub.stream), 0);
	struct wire_envelope e = fake_hear(&hub, hub.sent_count - 1);
	struct wire_unwatch u;
	assert_int_equal(e.kind, DISPLAY_UNWATCH);
	assert_int_equal(wire_parse_unwatch(e.body, e.body_size, &u), 0);
	assert_int_equal(u.received, 3);
	assert_int_equal(u.drawn, 2);
	assert_int_equal(u.late, 1);
	assert_int_equal(u.worst_age_ms, 40);
}

static void a_watching_display_pulses_four_times_a_second(void **state)
{
	(void)state;
	hub.sent_count = 0;
	for (int i = 0; i < 100; i++) {
		display_tick(hub.display, hub.now_us);
		hub.now_us += 50000;
	}
	size_t pulses = 0;
	for (size_t i = 0; i < hub.sent_count; i++) {
		pulses += hub.sent[i].bytes[0] == WIRE_PULSE;
	}
	assert_int_equal(pulses, 20);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	if (secure_heap_init() < 0) {
		return 1;
	}
	const struct CMUnitTest tests[] = {
		TEST(the_next_key_is_acknowledged_and_used_when_its_first_frame_comes),
		TEST(the_next_key_is_kept_when_another_follows_before_its_first_frame),
		TEST(the_previous_epoch_is_good_for_two_seconds),
		TEST(after_two_seconds_the_previous_epoch_is_late_and_no_alarm),
		TEST(a_key_for_another_display_does_not_open),
		TEST(a_key_of_another_session_does_not_open),
		TEST(a_key_wrapped_for_another_purpose_does_not_open),
		TEST(a_key_sealed_by_another_camera_does_not_open),
		TEST(a_key_of_another_camera_on_this_stream_is_an_alarm),
		TEST(a_key_of_another_generation_is_an_alarm),
		TEST(an_answer_to_a_question_never_asked_is_an_alarm),
		TEST(an_answer_to_a_question_that_was_asked_again_is_late_and_no_alarm),
		TEST(the_first_answer_after_many_questions_is_late_and_no_alarm),
		TEST(more_answers_than_questions_are_an_alarm),
		TEST(a_new_generation_ends_the_stream_and_can_be_watched_again),
		TEST(a_stream_that_the_hub_did_not_end_is_unwatched_when_its_camera_changes),
		TEST(a_stream_that_the_hub_did_not_end_is_unwatched_when_its_camera_goes),
		TEST(a_new_name_is_shown_and_the_stream_goes_on),
		TEST(a_camera_taken_away_ends_its_stream_and_is_forgotten),
		TEST(unwatching_tells_what_was_seen),
		TEST(a_watching_display_pulses_four_times_a_second),
	};
	return cmocka_run_group_tests_name("display_keys", tests, NULL, NULL);
}
