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

static size_t reports(enum anomaly reason)
{
	return display_counts(hub.display)->anomalies[reason];
}

static size_t all_reports(void)
{
	size_t n = 0;
	for (int i = ANOMALY_NONE; i <= ANOMALY_PICTURE; i++) {
		n += reports((enum anomaly)i);
	}
	return n;
}

/* The last frame was refused for this reason, answered so, and reported in a signed message. */
static void assert_alarm(enum anomaly reason)
{
	struct wire_ack ack = fake_last_ack(&hub);
	assert_int_equal(ack.outcome, OUTCOME_REFUSED);
	assert_int_equal(ack.reason, reason);
	assert_int_equal(ack.frame, hub.frame);
	assert_int_equal(reports(reason), 1);
	assert_int_equal(all_reports(), 1);
	struct wire_envelope e = fake_hear(&hub, hub.sent_count - 1);
	struct wire_report report;
	assert_int_equal(e.kind, DISPLAY_REPORT);
	assert_int_equal(wire_parse_report(e.body, e.body_size, &report), 0);
	assert_int_equal(report.reason, reason);
	assert_int_equal(report.stream, hub.stream);
}

static void assert_outcome(enum frame_outcome outcome)
{
	assert_int_equal(fake_last_ack(&hub).outcome, outcome);
	assert_int_equal(all_reports(), 0);
}

static void a_frame_of_the_watched_camera_is_drawn_with_its_signed_name(void **state)
{
	(void)state;
	fake_seal(&hub, 50000);
	hub.now_us += 120000;
	assert_int_equal(fake_send_sealed(&hub), 0);
	assert_int_equal(hub.pictures, 1);
	assert_string_equal(hub.picture_name, "Door");
	assert_int_equal(hub.picture.age_us, 120000);
	assert_int_equal(hub.picture.jpeg_size, 50000);
	assert_true(hub.picture.live);
	struct wire_ack ack = fake_last_ack(&hub);
	assert_int_equal(ack.outcome, OUTCOME_DRAWN);
	assert_int_equal(ack.age_ms, 120);
	assert_int_equal(ack.frame, 1);
}

static void age_is_counted_from_the_question_and_so_never_too_small(void **state)
{
	(void)state;
	assert_int_equal(display_unwatch(hub.display, hub.stream), 0);
	fake_hear(&hub, hub.sent_count - 1);
	hub.stream = (uint16_t)display_watch(hub.display, hub.camera, hub.now_us);
	hub.frame = 0;
	struct fake_wrap w = fake_key(&hub, KEY_WATCH, epochs_current(hub.epochs));
	fake_take_nonce(&hub, &w);
	hub.now_us += 300000; /* all of it on the way there */
	w.clock_us = fake_camera_us(&hub);
	assert_int_equal(fake_send_key(&hub, &w), 0);
	assert_int_equal(fake_send_frame(&hub, 100), 0);
	assert_int_equal(hub.picture.age_us, 300000);
}

static void a_slow_answer_brings_the_key_but_no_clock(void **state)
{
	(void)state;
	assert_int_equal(display_unwatch(hub.display, hub.stream), 0);
	fake_hear(&hub, hub.sent_count - 1);
	hub.stream = (uint16_t)display_watch(hub.display, hub.camera, hub.now_us);
	hub.frame = 0;
	struct fake_wrap w = fake_key(&hub, KEY_WATCH, epochs_current(hub.epochs));
	fake_take_nonce(&hub, &w);
	hub.now_us += 1000001;
	assert_int_equal(fake_send_key(&hub, &w), 0);
	assert_int_equal(fake_send_frame(&hub, 100), 0);
	assert_outcome(OUTCOME_LATE);
	display_tick(hub.display, hub.now_us);
	w = fake_key(&hub, KEY_TIME, epochs_current(hub.epochs));
	hub.sent_count--; /* the pulse */
	assert_int_equal(hub.sent[hub.sent_count].bytes[0], WIRE_PULSE);
	fake_take_nonce(&hub, &w);
	assert_int_equal(fake_send_key(&hub, &w), 0);
	assert_int_equal(fake_send_frame(&hub, 100), 0);
	assert_int_equal(hub.pictures, 1);
}

static void a_timer_gap_asks_for_the_time_again(void **state)
{
	(void)state;
	display_tick(hub.display, hub.now_us);
	size_t before = hub.sent_count;
	hub.now_us += 900000;
	display_tick(hub.display, hub.now_us);
	assert_int_equal(hub.sent_count, before + 1); /* the pulse */
	hub.now_us += 1100000;
	display_tick(hub.display, hub.now_us);
	assert_int_equal(hub.sent_count, before + 3);
	assert_int_equal(fake_hear(&hub, before + 1).kind, DISPLAY_TIME);
	assert_int_equal(fake_send_frame(&hub, 100), 0);
	assert_outcome(OUTCOME_LATE);
}

static void a_piece_out_of_order_is_fatal(void **state)
{
	(void)state;
	fake_seal(&hub, 50000);
	assert_int_equal(fake_send_piece(&hub, 1, 0, 1000, hub.sealed_size), 0);
	assert_int_equal(fake_send_piece(&hub, 1, 1001, 1000, hub.sealed_size), -EBADMSG);
	assert_int_equal(fake_send_piece(&hub, 1, 999, 1000, hub.sealed_size), -EBADMSG);
	assert_int_equal(fake_send_piece(&hub, 2, 1000, 1000, hub.sealed_size), -EBADMSG);
	assert_int_equal(fake_send_piece(&hub, 1, 1000, 1000, hub.sealed_size + 1), -EBADMSG);
	assert_int_equal(hub.pictures, 0);
}

static void a_frame_number_that_is_skipped_is_fatal(void **state)
{
	(void)state;
	hub.frame = 1;
	assert_int_equal(fake_send_frame(&hub, 100), -EBADMSG);
}

static void a_chunk_of_a_stream_that_never_was_is_fatal(void **state)
{
	(void)state;
	hub.stream++;
	assert_int_equal(fake_send_frame(&hub, 100), -EBADMSG);
}

static void an_aborted_frame_is_forgotten_and_its_number_not_used_again(void **state)
{
	(void)state;
	fake_seal(&hub, 50000);
	assert_int_equal(fake_send_piece(&hub, 1, 0, 1000, hub.sealed_size), 0);
	uint8_t message[16];
	const struct wire_abort a = {.stream = hub.stream, .frame = 1};
	ssize_t n = wire_encode_abort(&a, message, sizeof(message));
	size_t before = hub.sent_count;
	assert_int_equal(fake_feed(&hub, message, (size_t)n), 0);
	assert_int_equal(hub.sent_count, before);
	hub.frame = 1;
	assert_int_equal(fake_send_frame(&hub, 100), 0);
	assert_int_equal(hub.pictures, 1);
	assert_int_equal(fake_last_ack(&hub).frame, 2);
}

static void a_frame_larger_than_announced_is_refused_unread(void **state)
{
	(void)state;
	hub.frame = 1;
	size_t total = FAKE_FRAME_MAX + 1;
	for (size_t at = 0; at < total; at += 16000) {
		size_t left = total - at;
		assert_int_equal(
			fake_send_piece(&hub, 1, (uint32_t)at, left < 16000 ? left : 16000, total),
			0);
	}
	assert_outcome(OUTCOME_REFUSED);
	assert_int_equal(display_counts(hub.display)->oversized, 1);
}

static void a_foreign_camera_is_refused_and_reported(void **state)
{
	(void)state;
	static uint8_t jpeg[100];
	struct wire_frame_header header = fake_header(&hub);
	header.camera[0] ^= 1;
	fake_seal_picture(&hub, &header, jpeg, fake_jpeg(jpeg, 100, FAKE_WIDTH, FAKE_HEIGHT));
	assert_int_equal(fake_send_sealed(&hub), 0);
	assert_alarm(ANOMALY_FOREIGN_CAMERA);
	assert_int_equal(hub.pictures, 0);
}

static void a_foreign_frame_under_our_cameras_name_does_not_open(void **state)
{
	(void)state;
	static uint8_t jpeg[100];
	struct wire_frame_header header = fake_header(&hub);
	header.camera[0] ^= 1;
	fake_seal_picture(&hub, &header, jpeg, fake_jpeg(jpeg, 100, FAKE_WIDTH, FAKE_HEIGHT));
	hub.sealed[0] ^= 1;
	assert_int_equal(fake_send_sealed(&hub), 0);
	assert_alarm(ANOMALY_UNSEAL);
}

static void each_authenticated_field_of_the_header_spoils_the_seal(void **state)
{
	(void)state;
	/* flags, width, height, capture time; camera and epoch have checks of their own */
	const size_t fields[] = {17, 18, 21, 26, 33};
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		fake_seal(&hub, 100);
		hub.sealed[fields[i]] ^= 1;
		assert_int_equal(fake_send_sealed(&hub), 0);
		assert_int_equal(reports(ANOMALY_UNSEAL), i + 1);
	}
	assert_int_equal(hub.pictures, 0);
}

static void an_epoch_without_a_key_is_refused_and_reported(void **state)
{
	(void)state;
	assert_int_equal(epochs_break(hub.epochs, hub.now_us), 0);
	assert_int_equal(fake_send_frame(&hub, 100), 0);
	assert_alarm(ANOMALY_UNKNOWN_EPOCH);
}

static void another_generation_does_not_open(void **state)
{
	(void)state;
	uint8_t other[GENERATION_BYTES];
	random_bytes(other, sizeof(other));
	struct epochs *e = epochs_create(hub.home, other, 600000000, hub.now_us);
	struct epochs *ours = hub.epochs;
	hub.epochs = e;
	fake_seal(&hub, 100);
	hub.epochs = ours;
	epochs_destroy(e);
	assert_int_equal(fake_send_sealed(&hub), 0);
	assert_alarm(ANOMALY_UNSEAL);
}

static void a_non_minimal_sframe_header_is_refused(void **state)
{
	(void)state;
	fake_seal(&hub, 100);
	/* KID 1, CTR 0 fit in three bits each; spell CTR as a byte of its own instead. */
	uint8_t *at = hub.sealed + WIRE_FRAME_HEADER_BYTES;
	uint8_t ctr = *at & 7;
	memmove(at + 2, at + 1, hub.sealed_size - WIRE_FRAME_HEADER_BYTES - 1);
	at[0] = (uint8_t)((at[0] & 0xf0) | 8);
	at[1] = ctr;
	hub.sealed_size++;
	assert_int_equal(fake_send_sealed(&hub), 0);
	assert_alarm(ANOMALY_UNSEAL);
}

static void a_replayed_frame_is_refused_and_reported(void **state)
{
	(void)state;
	assert_int_equal(fake_send_frame(&hub, 100), 0);
	assert_int_equal(fake_send_sealed(&hub), 0);
	assert_alarm(ANOMALY_COUNTER);
	assert_int_equal(hub.pictures, 1);
}

static void a_frame_seen_on_an_earlier_stream_is_late_and_no_alarm(void **state)
{
	(void)state;
	assert_int_equal(fake_send_frame(&hub, 100), 0);
	assert_int_equal(display_unwatch(hub.display, hub.stream), 0);
	fake_hear(&hub, hub.sent_count - 1);
	fake_watch(&hub);
	assert_int_equal(fake_send_sealed(&hub), 0);
	assert_outcome(OUTCOME_LATE);
	assert_int_equal(hub.pictures, 1);
}

static void a_flipped_bit_is_an_alarm_and_the_next_frame_is_drawn(void **state)
{
	(void)state;
	fake_seal(&hub, 20000);
	hub.sealed[15000] ^= 4;
	assert_int_equal(fake_send_sealed(&hub), 0);
	assert_alarm(ANOMALY_UNSEAL);
	assert_int_equal(fake_send_frame(&hub, 100), 0);
	assert_int_equal(hub.pictures, 1);
}

static size_t count_sent_reports(void)
{
	size_t n = 0;
	for (size_t i = 0; i < hub.sent_count; i++) {
		struct wire_envelope e;
		n += wire_parse_envelope(hub.sent[i].bytes, hub.sent[i].size, &e) == 0 &&
		     e.kind == DISPLAY_REPORT;
	}
	return n;
}

static void several_mix_ups_of_one_epoch_are_reported_once(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		fake_seal(&hub, 100);
		hub.sealed[hub.sealed_size - 1] ^= 1;
		assert_int_equal(fake_send_sealed(&hub), 0);
	}
	assert_int_equal(reports(ANOMALY_UNSEAL), 3);
	assert_int_equal(count_sent_reports(), 1);
	assert_int_equal(epochs_break(hub.epochs, hub.now_us), 0);
	struct fake_wrap w = fake_key(&hub, KEY_BREAK, epochs_current(hub.epochs));
	assert_int_equal(fake_send_key(&hub, &w), 0);
	fake_seal(&hub, 100);
	hub.sealed[hub.sealed_size - 1] ^= 1;
	assert_int_equal(fake_send_sealed(&hub), 0);
	assert_int_equal(count_sent_reports(), 2);
}

static void a_frame_too_short_to_be_one_is_refused(void **state)
{
	(void)state;
	hub.sealed_size = 3;
	assert_int_equal(fake_send_sealed(&hub), 0);
	assert_alarm(ANOMALY_UNSEAL);
}

static void an_old_frame_is_late_and_no_alarm(void **state)
{
	(void)state;
	fake_seal(&hub, 100);
	hub.now_us += 5000001;
	assert_int_equal(fake_send_sealed(&hub), 0);
	assert_outcome(OUTCOME_LATE);
	assert_int_equal(hub.pictures, 0);
}

static void between_two_and_five_seconds_a_picture_is_drawn_and_not_live(void **state)
{
	(void)state;
	fake_seal(&hub, 100);
	hub.now_us += 2000001;
	assert_int_equal(fake_send_sealed(&hub), 0);
	assert_int_equal(hub.pictures, 1);
	assert_false(hub.picture.live);
}

static void a_frame_from_the_future_is_refused_and_the_time_asked_again(void **state)
{
	(void)state;
	static uint8_t jpeg[100];
	struct wire_frame_header header = fake_header(&hub);
	header.capture_us += 200001;
	fake_seal_picture(&hub, &header, jpeg, fake_jpeg(jpeg, 100, FAKE_WIDTH, FAKE_HEIGHT));
	assert_int_equal(fake_send_sealed(&hub), 0);
	assert_outcome(OUTCOME_REFUSED);
	assert_int_equal(display_counts(hub.display)->early, 1);
	hub.now_us += 300000; /* sooner ones are ignored by hubs */
	display_tick(hub.display, hub.now_us);
	assert_int_equal(fake_hear(&hub, hub.sent_count - 2).kind, DISPLAY_TIME);
}

static void a_picture_of_another_size_than_authenticated_is_refused(void **state)
{
	(void)state;
	static uint8_t jpeg[100];
	struct wire_frame_header header = fake_header(&hub);
	fake_seal_picture(&hub, &header, jpeg, fake_jpeg(jpeg, 100, FAKE_WIDTH + 1, FAKE_HEIGHT));
	assert_int_equal(fake_send_sealed(&hub), 0);
	assert_alarm(ANOMALY_PICTURE);
}

static void a_picture_without_its_end_is_refused(void **state)
{
	(void)state;
	static uint8_t jpeg[100];
	struct wire_frame_header header = fake_header(&hub);
	size_t size = fake_jpeg(jpeg, 100, FAKE_WIDTH, FAKE_HEIGHT);
	fake_seal_picture(&hub, &header, jpeg, size - 1);
	assert_int_equal(fake_send_sealed(&hub), 0);
	assert_alarm(ANOMALY_PICTURE);
}

static void frames_of_a_stream_just_unwatched_are_drained_without_alarm(void **state)
{
	(void)state;
	assert_int_equal(display_unwatch(hub.display, hub.stream), 0);
	size_t before = hub.sent_count;
	assert_int_equal(fake_send_frame(&hub, 50000), 0);
	assert_int_equal(hub.sent_count, before);
	assert_true(display_counts(hub.display)->drained > 0);
	assert_int_equal(all_reports(), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	if (secure_heap_init() < 0) {
		return 1;
	}
	const struct CMUnitTest tests[] = {
		TEST(a_frame_of_the_watched_camera_is_drawn_with_its_signed_name),
		TEST(age_is_counted_from_the_question_and_so_never_too_small),
		TEST(a_slow_answer_brings_the_key_but_no_clock),
		TEST(a_timer_gap_asks_for_the_time_again),
		TEST(a_piece_out_of_order_is_fatal),
		TEST(a_frame_number_that_is_skipped_is_fatal),
		TEST(a_chunk_of_a_stream_that_never_was_is_fatal),
		TEST(an_aborted_frame_is_forgotten_and_its_number_not_used_again),
		TEST(a_frame_larger_than_announced_is_refused_unread),
		TEST(a_foreign_camera_is_refused_and_reported),
		TEST(a_foreign_frame_under_our_cameras_name_does_not_open),
		TEST(each_authenticated_field_of_the_header_spoils_the_seal),
		TEST(an_epoch_without_a_key_is_refused_and_reported),
		TEST(another_generation_does_not_open),
		TEST(a_non_minimal_sframe_header_is_refused),
		TEST(a_replayed_frame_is_refused_and_reported),
		TEST(a_frame_seen_on_an_earlier_stream_is_late_and_no_alarm),
		TEST(a_flipped_bit_is_an_alarm_and_the_next_frame_is_drawn),
		TEST(several_mix_ups_of_one_epoch_are_reported_once),
		TEST(a_frame_too_short_to_be_one_is_refused),
		TEST(an_old_frame_is_late_and_no_alarm),
		TEST(between_two_and_five_seconds_a_picture_is_drawn_and_not_live),
		TEST(a_frame_from_the_future_is_refused_and_the_time_asked_again),
		TEST(a_picture_of_another_size_than_authenticated_is_refused),
		TEST(a_picture_without_its_end_is_refused),
		TEST(frames_of_a_stream_just_unwatched_are_drained_without_alarm),
	};
	return cmocka_run_group_tests_name("display_frames", tests, NULL, NULL);
}
