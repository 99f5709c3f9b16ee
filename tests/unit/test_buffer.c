#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "web/buffer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct buffer_tag owner = {
	.connection = 7, .stream = 3, .camera = {1}, .generation = {2}};

static void assert_all_zero(const uint8_t *at, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (at[i] != 0) {
			fail_msg("byte %zu of %zu is %#x", i, size, at[i]);
		}
	}
}

static void fill(struct buffer *b, size_t size, uint8_t with)
{
	uint8_t *frame;

	assert_int_equal(buffer_begin(b, &owner, size, &frame), 0);
	memset(frame - BUFFER_HEAD_BYTES, with, BUFFER_HEAD_BYTES + size);
	buffer_fill(b, size);
}

static void buffer_whole_capacity_is_wiped_before_reuse_by_a_shorter_frame(void **state)
{
	struct buffer b;
	uint8_t *frame;

	(void)state;
	buffer_init(&b, &owner);
	fill(&b, 200000, 0xca);
	memset(b.memory, 0xca, b.capacity); /* whatever wrote there */
	assert_int_equal(buffer_begin(&b, &owner, 100, &frame), 0);
	assert_ptr_equal(frame, b.memory + BUFFER_HEAD_BYTES);
	assert_true(b.capacity >= 200000);
	assert_all_zero(b.memory, b.capacity);
	buffer_finish(&b);
}

static void buffer_is_wiped_when_its_frame_is_gone(void **state)
{
	struct buffer b;
	uint8_t *frame;
	size_t size;

	(void)state;
	buffer_init(&b, &owner);
	fill(&b, 5000, 0xca);
	buffer_wipe(&b);
	assert_all_zero(b.memory, b.capacity);
	assert_int_equal(buffer_frame(&b, &owner, &frame, &size), -ENODATA);
	buffer_finish(&b);
	assert_null(b.memory);
	buffer_finish(&b);
}

static void buffer_serves_its_owner_alone(void **state)
{
	struct buffer_tag others[5] = {owner, owner, owner, owner, owner};
	struct buffer b;
	uint8_t *frame;
	size_t size;

	(void)state;
	others[0].connection++;
	others[1].stream++;
	others[2].rendition++;
	others[3].camera[15]++;
	others[4].generation[15]++;
	for (int i = 0; i < 5; i++) {
		buffer_init(&b, &owner);
		fill(&b, 5000, 0xca);
		assert_int_equal(buffer_frame(&b, &others[i], &frame, &size), -EPERM);
		assert_int_equal(buffer_begin(&b, &others[i], 10, &frame), -EPERM);
		assert_all_zero(b.memory, b.capacity);
		buffer_finish(&b);
	}
}

static void buffer_grows_in_steps_and_within_bounds(void **state)
{
	struct buffer b;
	uint8_t *frame;

	(void)state;
	buffer_init(&b, &owner);
	fill(&b, 100, 1);
	assert_int_equal(b.capacity, BUFFER_STEP_BYTES);
	fill(&b, BUFFER_STEP_BYTES, 1);
	assert_int_equal(b.capacity, 2 * BUFFER_STEP_BYTES);
	fill(&b, WIRE_FRAME_MAX_BYTES, 1);
	assert_true(b.capacity <= BUFFER_CAPACITY_MAX);
	assert_int_equal(buffer_begin(&b, &owner, WIRE_FRAME_MAX_BYTES + 1, &frame), -E2BIG);
	buffer_finish(&b);
}

static void buffer_is_empty_when_told_of_more_than_it_holds(void **state)
{
	struct buffer b;
	uint8_t *frame;
	size_t bytes;

	(void)state;
	buffer_init(&b, &owner);
	fill(&b, 100, 1);
	buffer_fill(&b, b.capacity);
	assert_int_equal(buffer_frame(&b, &owner, &frame, &bytes), -ENODATA);
	buffer_finish(&b);
}

/* This program is linked with the object that the release is linked with. */
static void wipe_is_still_there_after_optimisation(void **state)
{
	char command[128], line[512];
	bool function = false, wipe = false;
	FILE *f;

	(void)state;
	(void)snprintf(command, sizeof command,
		"objdump -d --disassemble=buffer_wipe --no-show-raw-insn /proc/%d/exe",
		(int)getpid());
	f = popen(command, "r");
	assert_non_null(f);
	while (fgets(line, sizeof line, f)) {
		function = function || strstr(line, "<buffer_wipe>:");
		wipe = wipe || strstr(line, "explicit_bzero");
	}
	assert_int_equal(pclose(f), 0);
	assert_true(function);
	assert_true(wipe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buffer_whole_capacity_is_wiped_before_reuse_by_a_shorter_frame),
		cmocka_unit_test(buffer_is_wiped_when_its_frame_is_gone),
		cmocka_unit_test(buffer_serves_its_owner_alone),
		cmocka_unit_test(buffer_grows_in_steps_and_within_bounds),
		cmocka_unit_test(buffer_is_empty_when_told_of_more_than_it_holds),
		cmocka_unit_test(wipe_is_still_there_after_optimisation),
	};

	return cmocka_run_group_tests_name("buffer", tests, NULL, NULL);
}
