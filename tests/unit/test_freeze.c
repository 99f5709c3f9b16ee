#include "v4l2/freeze.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FRAME_US = 33333, SECOND_US = 1000000 };

/* Feeds frames of one camera for duration_us; what a flag names stands still. True if frozen at the
 * end. */
enum { STILL_SEQUENCE = 1, STILL_TIMESTAMP = 2, STILL_CONTENT = 4 };

static bool feed(struct freeze *f, uint64_t *at_us, uint64_t duration_us, uint64_t frame_us,
	unsigned int still)
{
	uint64_t until = *at_us + duration_us;
	bool frozen = false;

	for (; *at_us <= until; *at_us += frame_us) {
		uint64_t n = *at_us / frame_us + 1;

		frozen = freeze_check(f, still & STILL_SEQUENCE ? 7 : n,
			still & STILL_TIMESTAMP ? 7 : *at_us + 1,
			still & STILL_CONTENT ? 7 : n * 31, *at_us);
	}
	return frozen;
}

static void living_camera_is_not_frozen(void **state)
{
	struct freeze f;
	uint64_t at_us = 0;

	(void)state;
	freeze_init(&f, FRAME_US);
	assert_false(feed(&f, &at_us, 10 * SECOND_US, FRAME_US, 0));
}

static void each_mark_that_stands_still_freezes_before_two_seconds_are_over(void **state)
{
	static const unsigned int marks[] = {STILL_SEQUENCE, STILL_TIMESTAMP, STILL_CONTENT};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct freeze f;
		uint64_t at_us = 0;

		freeze_init(&f, FRAME_US);
		assert_false(feed(&f, &at_us, SECOND_US, FRAME_US, 0));
		assert_false(feed(&f, &at_us, 17 * SECOND_US / 10, FRAME_US, marks[i]));
		assert_true(feed(&f, &at_us, 2 * SECOND_US / 10, FRAME_US, marks[i]));
		assert_false(feed(&f, &at_us, 0, FRAME_US, 0));
	}
}

static void driver_that_never_counts_is_not_frozen(void **state)
{
	struct freeze f;
	uint64_t at_us = 0;

	(void)state;
	freeze_init(&f, FRAME_US);
	assert_false(feed(&f, &at_us, 5 * SECOND_US, FRAME_US, STILL_SEQUENCE | STILL_TIMESTAMP));
}

static void picture_that_is_the_same_from_the_start_is_frozen(void **state)
{
	struct freeze f;
	uint64_t at_us = 0;

	(void)state;
	freeze_init(&f, FRAME_US);
	assert_true(feed(&f, &at_us, 3 * SECOND_US, FRAME_US, STILL_CONTENT));
}

static void slow_camera_has_two_frames_to_change(void **state)
{
	struct freeze f;
	uint64_t at_us = 0;

	(void)state;
	freeze_init(&f, 4 * SECOND_US);
	assert_false(feed(&f, &at_us, 7 * SECOND_US, 4 * SECOND_US, STILL_CONTENT));
	assert_true(feed(&f, &at_us, 0, 4 * SECOND_US, STILL_CONTENT));
}

static void digest_changes_with_every_byte_and_with_the_size(void **state)
{
	uint8_t data[100];
	uint64_t before;

	(void)state;
	memset(data, 3, sizeof(data));
	before = freeze_digest(data, sizeof(data));
	assert_int_equal(freeze_digest(data, sizeof(data)), before);
	for (size_t i = 0; i < sizeof(data); i++) {
		data[i] ^= 0x10;
		assert_int_not_equal(freeze_digest(data, sizeof(data)), before);
		data[i] ^= 0x10;
	}
	assert_int_not_equal(freeze_digest(data, sizeof(data) - 1), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(living_camera_is_not_frozen),
		cmocka_unit_test(each_mark_that_stands_still_freezes_before_two_seconds_are_over),
		cmocka_unit_test(driver_that_never_counts_is_not_frozen),
		cmocka_unit_test(picture_that_is_the_same_from_the_start_is_frozen),
		cmocka_unit_test(slow_camera_has_two_frames_to_change),
		cmocka_unit_test(digest_changes_with_every_byte_and_with_the_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
