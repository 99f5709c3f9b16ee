#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "keys.h"

/* The module itself, so that a test can stand near the end of its counters without 2^24 frames. */
#include "gateway/epoch.c"

#include <stdlib.h>
#include <sys/wait.h>

enum { FRAME_BYTES = 256, SECOND_US = 1000 * 1000, LIFETIME_US = 100 * SECOND_US };

static const uint8_t home[HOME_ID_BYTES] = "home", generation[GENERATION_BYTES] = "generation";
static const uint8_t picture[] = "\xff\xd8 a picture \xff\xd9";

static int epochs_setup(void **state)
{
	*state = epochs_create(home, generation, LIFETIME_US, 0);
	return *state ? 0 : -1;
}

static int epochs_teardown(void **state)
{
	epochs_destroy(*state);
	return 0;
}

static ssize_t seal(struct epochs *e, uint8_t rendition, uint64_t now_us, uint8_t *out)
{
	struct wire_frame_header header = {.camera = "camera",
		.rendition = rendition,
		.width = 640,
		.height = 480,
		.capture_us = now_us};

	return epoch_seal(e, &header, picture, sizeof(picture), now_us, out, FRAME_BYTES);
}

static void counter_of(const uint8_t *frame, size_t size, uint64_t *ret_kid, uint64_t *ret_ctr)
{
	assert_true(sframe_parse_header(frame + WIRE_FRAME_HEADER_BYTES,
			    size - WIRE_FRAME_HEADER_BYTES, ret_kid, ret_ctr) > 0);
}

/* What a display does with a frame. */
static ssize_t display_open(const uint8_t *key, const uint8_t *of_generation, const uint8_t *frame,
	size_t size, uint8_t *out)
{
	struct wire_frame_header header;
	uint8_t metadata[WIRE_FRAME_METADATA_BYTES];
	struct sframe_key *k;
	uint64_t ctr;
	ssize_t n;

	assert_int_equal(wire_parse_frame_header(frame, size, &header), 0);
	wire_frame_metadata(home, of_generation, frame, metadata);
	k = sframe_key_create(key, header.epoch);
	assert_non_null(k);
	n = sframe_open(k, metadata, sizeof(metadata), frame + WIRE_FRAME_HEADER_BYTES,
		size - WIRE_FRAME_HEADER_BYTES, out, FRAME_BYTES, &ctr);
	sframe_key_destroy(k);
	return n;
}

static void epoch_frames_open_with_the_epochs_key_and_no_other(void **state)
{
	struct epochs *e = *state;
	uint8_t frame[FRAME_BYTES], out[FRAME_BYTES], other[EPOCH_KEY_BYTES];
	ssize_t n = seal(e, 0, 1, frame);

	assert_int_equal(epochs_current(e), 1);
	assert_true(n > 0);
	assert_int_equal(
		display_open(epochs_key(e, 1), generation, frame, (size_t)n, out), sizeof(picture));
	assert_memory_equal(out, picture, sizeof(picture));
	memcpy(other, epochs_key(e, 1), sizeof(other));
	other[3] ^= 1;
	assert_int_equal(display_open(other, generation, frame, (size_t)n, out), -EBADMSG);
	assert_int_equal(display_open(epochs_key(e, 1), home, frame, (size_t)n, out), -EBADMSG);
}

static void epoch_header_is_authenticated_byte_by_byte(void **state)
{
	struct epochs *e = *state;
	uint8_t frame[FRAME_BYTES], out[FRAME_BYTES];
	ssize_t n = seal(e, 0, 1, frame);

	assert_true(n > 0);
	for (size_t i = 0; i < WIRE_FRAME_HEADER_BYTES; i++) {
		frame[i] ^= 1;
		assert_int_equal(display_open(epochs_key(e, 1), generation, frame, (size_t)n, out),
			-EBADMSG);
		frame[i] ^= 1;
	}
}

struct spent {
	uint64_t kid, ctr;
};

static int spent_compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct spent));
}

static void epoch_never_repeats_a_key_and_counter_over_interleaved_renditions(void **state)
{
	enum { FRAMES = 6000 };
	static struct spent spent[FRAMES];
	struct epochs *e = *state;
	uint8_t frame[FRAME_BYTES];

	for (size_t i = 0; i < FRAMES; i++) {
		ssize_t n = seal(e, (uint8_t)(i % 3 == 1), i, frame);

		assert_true(n > 0);
		counter_of(frame, (size_t)n, &spent[i].kid, &spent[i].ctr);
		if (i % 700 == 0) {
			assert_int_equal(epochs_break(e, i), 0);
		} else if (i % 500 == 0) {
			assert_true(epochs_prepare(e) > epochs_current(e));
		} else if (i % 500 == 40) {
			assert_int_equal(epochs_switch(e, i), 0);
		}
	}
	qsort(spent, FRAMES, sizeof(spent[0]), spent_compare);
	for (size_t i = 1; i < FRAMES; i++) {
		assert_int_not_equal(spent_compare(&spent[i - 1], &spent[i]), 0);
	}
}

static void epoch_counters_grow_by_one_for_all_renditions_together(void **state)
{
	struct epochs *e = *state;
	uint8_t frame[FRAME_BYTES];
	uint64_t kid, ctr;

	for (uint64_t i = 0; i < 300; i++) {
		ssize_t n = seal(e, i & 1, i, frame);

		assert_true(n > 0);
		counter_of(frame, (size_t)n, &kid, &ctr);
		assert_int_equal(kid, 1);
		assert_int_equal(ctr, i);
	}
}

static void epoch_counter_is_spent_also_when_sealing_fails(void **state)
{
	struct epochs *e = *state;
	struct wire_frame_header header = {.rendition = 0};
	uint8_t frame[FRAME_BYTES];
	uint64_t kid, ctr;
	ssize_t n;

	assert_int_equal(epoch_seal(e, &header, picture, sizeof(picture), 0, frame,
				 WIRE_FRAME_HEADER_BYTES + sizeof(picture)),
		-ENOSPC);
	assert_int_equal(epoch_seal(e, &header, picture, sizeof(picture), 0, frame, 8), -ENOSPC);
	n = seal(e, 0, 0, frame);
	assert_true(n > 0);
	counter_of(frame, (size_t)n, &kid, &ctr);
	assert_true(ctr >= 1);
}

static void epoch_numbers_are_never_used_again(void **state)
{
	struct epochs *e = *state;
	uint32_t prepared = epochs_prepare(e);

	assert_int_equal(prepared, 2);
	assert_int_equal(epochs_prepare(e), 2);
	assert_int_equal(epochs_current(e), 1);
	assert_int_equal(epochs_break(e, 1), 0);
	assert_int_equal(epochs_current(e), 3); /* 2 was thrown away */
	assert_null(epochs_key(e, 1));
	assert_null(epochs_key(e, 2));
	assert_null(epochs_key(e, 0));
	assert_non_null(epochs_key(e, 3));
	assert_int_equal(epochs_prepare(e), 4);
	assert_int_equal(epochs_switch(e, 2), 0);
	assert_int_equal(epochs_current(e), 4);
	assert_null(epochs_key(e, 3));
	assert_int_equal(epochs_switch(e, 3), 0); /* nothing prepared: a break */
	assert_int_equal(epochs_current(e), 5);
}

static void epoch_key_stays_the_prepared_one_after_the_switch(void **state)
{
	struct epochs *e = *state;
	uint8_t key[EPOCH_KEY_BYTES], frame[FRAME_BYTES], out[FRAME_BYTES];
	uint32_t next = epochs_prepare(e);
	ssize_t n;

	memcpy(key, epochs_key(e, next), sizeof(key));
	assert_memory_not_equal(key, epochs_key(e, 1), sizeof(key));
	assert_int_equal(epochs_switch(e, 1), 0);
	n = seal(e, 0, 2, frame);
	assert_true(n > 0);
	assert_int_equal(display_open(key, generation, frame, (size_t)n, out), sizeof(picture));
}

static void epoch_refuses_in_a_forked_child_and_goes_on_in_the_parent(void **state)
{
	struct epochs *e = *state;
	uint8_t frame[FRAME_BYTES];
	int status;
	pid_t child;

	assert_int_equal(e->pid, 0); /* this kernel wipes the guard page by itself */
	child = fork();
	if (child == 0) {
		ssize_t n = seal(e, 0, 1, frame);

		/* A rotation in the child does not help it either. */
		_exit(n == -ESTALE && epochs_break(e, 1) == 0 && seal(e, 0, 1, frame) == -ESTALE
				? 0
				: 1);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(seal(e, 0, 1, frame) > 0);
}

static void epoch_refuses_after_a_fork_also_by_process_id(void **state)
{
	struct epochs *e = *state;
	uint8_t frame[FRAME_BYTES];

	e->pid = getpid() + 1;
	assert_int_equal(seal(e, 0, 1, frame), -ESTALE);
	e->pid = getpid();
	assert_true(seal(e, 0, 1, frame) > 0);
}

static void epoch_ends_with_its_lifetime(void **state)
{
	struct epochs *e = *state;
	uint8_t frame[FRAME_BYTES];

	assert_int_equal(epochs_break(e, 50), 0);
	assert_true(seal(e, 0, 50 + LIFETIME_US - 1, frame) > 0);
	assert_int_equal(seal(e, 0, 50 + LIFETIME_US, frame), -EKEYEXPIRED);
	assert_int_equal(epochs_break(e, 50 + LIFETIME_US), 0);
	assert_true(seal(e, 0, 50 + LIFETIME_US, frame) > 0);
	assert_false(epochs_due(e, 50 + LIFETIME_US + LIFETIME_US / 100 * 94));
	assert_true(epochs_due(e, 50 + LIFETIME_US + LIFETIME_US / 100 * 95));
}

static void a_short_epoch_leaves_time_to_give_everybody_the_next_key(void **state)
{
	struct epochs *two = epochs_create(home, generation, 2 * SECOND_US, 0);
	struct epochs *one = epochs_create(home, generation, SECOND_US, 0);

	(void)state;
	assert_false(epochs_due(two, SECOND_US - 1));
	assert_true(epochs_due(two, SECOND_US));
	assert_false(epochs_due(one, SECOND_US / 2 - 1));
	assert_true(epochs_due(one, SECOND_US / 2));
	epochs_destroy(two);
	epochs_destroy(one);
}

static void epoch_lives_at_most_ten_minutes_whatever_is_asked_for(void **state)
{
	struct epochs *e = epochs_create(home, generation, UINT64_MAX, 0);
	uint8_t frame[FRAME_BYTES];

	(void)state;
	assert_non_null(e);
	assert_true(seal(e, 0, 600ull * SECOND_US - 1, frame) > 0);
	assert_int_equal(seal(e, 0, 600ull * SECOND_US, frame), -EKEYEXPIRED);
	epochs_destroy(e);
}

static void epoch_ends_with_its_last_counter(void **state)
{
	struct epochs *e = *state;
	uint8_t frame[FRAME_BYTES];
	uint64_t kid, ctr;
	ssize_t n;

	assert_false(epochs_due(e, 0));
	e->counter = EPOCH_FRAMES_MAX - 1;
	assert_true(epochs_due(e, 0));
	n = seal(e, 0, 1, frame);
	assert_true(n > 0);
	counter_of(frame, (size_t)n, &kid, &ctr);
	assert_int_equal(ctr, EPOCH_FRAMES_MAX - 1);
	assert_int_equal(seal(e, 0, 1, frame), -EKEYEXPIRED);
	assert_int_equal(epochs_break(e, 1), 0);
	n = seal(e, 0, 1, frame);
	assert_true(n > 0);
	counter_of(frame, (size_t)n, &kid, &ctr);
	assert_int_equal(ctr, 0);
}

static void epoch_that_could_not_break_seals_nothing_more(void **state)
{
	struct epochs *e = *state;
	uint8_t frame[FRAME_BYTES];

	e->last_number = UINT32_MAX;
	assert_int_equal(epochs_prepare(e), 0);
	assert_int_equal(epochs_break(e, 1), -EOVERFLOW);
	assert_int_equal(epochs_current(e), 0);
	assert_int_equal(seal(e, 0, 1, frame), -ENOKEY);
}

static void epoch_keys_live_in_the_secure_heap_and_leave_nothing_there(void **state)
{
	size_t before = CRYPTO_secure_used();
	struct epochs *e = epochs_create(home, generation, LIFETIME_US, 0);

	(void)state;
	assert_non_null(e);
	assert_true(CRYPTO_secure_allocated(epochs_key(e, 1)));
	assert_true(epochs_prepare(e) > 0);
	assert_true(CRYPTO_secure_allocated(epochs_key(e, 2)));
	epochs_destroy(e);
	assert_int_equal(CRYPTO_secure_used(), before);
	epochs_destroy(NULL);
}

#define EPOCH_TEST(name) cmocka_unit_test_setup_teardown(name, epochs_setup, epochs_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EPOCH_TEST(epoch_frames_open_with_the_epochs_key_and_no_other),
		EPOCH_TEST(epoch_header_is_authenticated_byte_by_byte),
		EPOCH_TEST(epoch_never_repeats_a_key_and_counter_over_interleaved_renditions),
		EPOCH_TEST(epoch_counters_grow_by_one_for_all_renditions_together),
		EPOCH_TEST(epoch_counter_is_spent_also_when_sealing_fails),
		EPOCH_TEST(epoch_numbers_are_never_used_again),
		EPOCH_TEST(epoch_key_stays_the_prepared_one_after_the_switch),
		EPOCH_TEST(epoch_refuses_in_a_forked_child_and_goes_on_in_the_parent),
		EPOCH_TEST(epoch_refuses_after_a_fork_also_by_process_id),
		EPOCH_TEST(epoch_ends_with_its_lifetime),
		cmocka_unit_test(a_short_epoch_leaves_time_to_give_everybody_the_next_key),
		cmocka_unit_test(epoch_lives_at_most_ten_minutes_whatever_is_asked_for),
		EPOCH_TEST(epoch_ends_with_its_last_counter),
		EPOCH_TEST(epoch_that_could_not_break_seals_nothing_more),
		cmocka_unit_test(epoch_keys_live_in_the_secure_heap_and_leave_nothing_there),
	};

	if (secure_heap_init() < 0) {
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
