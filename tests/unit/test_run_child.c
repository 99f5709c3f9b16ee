/* What run does with its children's ends and words; no process is started. */
#include "run_child.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SECOND_US = 1000 * 1000 };

/* Lets the child say text in one life that begins now and ends after life_us; what was passed on is
 * in heard. */
static void live_and_say(struct child *c, const char *text, uint64_t *now_us, uint64_t life_us,
	char *heard, size_t size)
{
	int said[2];
	int passed[2];
	int stderr_copy = dup(STDERR_FILENO);

	assert_int_equal(pipe(said), 0);
	assert_int_equal(pipe2(passed, O_NONBLOCK), 0);
	assert_true(stderr_copy >= 0);
	assert_int_equal(write(said[1], text, strlen(text)), (ssize_t)strlen(text));
	(void)close(said[1]);
	c->pid = 1;
	c->log_fd = said[0];
	c->started_us = *now_us;
	*now_us += life_us;
	assert_int_equal(dup2(passed[1], STDERR_FILENO), STDERR_FILENO);
	child_ended(c, *now_us);
	assert_int_equal(dup2(stderr_copy, STDERR_FILENO), STDERR_FILENO);
	(void)close(stderr_copy);
	ssize_t n = read(passed[0], heard, size - 1);
	heard[n > 0 ? n : 0] = '\0';
	(void)close(passed[0]);
	(void)close(passed[1]);
}

static void the_same_trouble_is_told_once(void **state)
{
	struct child c;
	char heard[512];
	uint64_t now_us = SECOND_US;

	(void)state;
	assert_int_equal(child_init(&c, CHILD_CAMERA, "/dev/video9"), 0);
	live_and_say(&c, "no device\n", &now_us, 1000, heard, sizeof heard);
	assert_string_equal(heard, "no device\n");
	for (int i = 0; i < 3; i++) {
		live_and_say(&c, "no device\n", &now_us, 1000, heard, sizeof heard);
		assert_string_equal(heard, "");
	}
	live_and_say(&c, "busy\n", &now_us, 1000, heard, sizeof heard);
	assert_string_equal(heard, "busy\n");
	live_and_say(&c, "no device\n", &now_us, 1000, heard, sizeof heard);
	assert_string_equal(heard, "no device\n");
}

static void trouble_after_a_long_life_is_news(void **state)
{
	struct child c;
	char heard[512];
	uint64_t now_us = SECOND_US;

	(void)state;
	assert_int_equal(child_init(&c, CHILD_CAMERA, "/dev/video9"), 0);
	live_and_say(&c, "ready\nunplugged\n", &now_us, 20 * SECOND_US, heard, sizeof heard);
	assert_string_equal(heard, "ready\nunplugged\n");
	live_and_say(&c, "ready\nunplugged\n", &now_us, 20 * SECOND_US, heard, sizeof heard);
	assert_string_equal(heard, "ready\nunplugged\n");
}

static void a_line_without_an_end_is_passed_on_too(void **state)
{
	struct child c;
	char heard[512];
	uint64_t now_us = SECOND_US;

	(void)state;
	assert_int_equal(child_init(&c, CHILD_CAMERA, "/dev/video9"), 0);
	live_and_say(&c, "cut of", &now_us, 1000, heard, sizeof heard);
	assert_string_equal(heard, "cut of\n");
}

static void the_wait_doubles_to_five_seconds_and_a_long_life_resets_it(void **state)
{
	static const unsigned int waits_ms[] = {100, 200, 400, 800, 1600, 3200, 5000, 5000};
	struct child c;
	char heard[512];
	uint64_t now_us = SECOND_US;

	(void)state;
	assert_int_equal(child_init(&c, CHILD_WEB, NULL), 0);
	for (size_t i = 0; i < sizeof waits_ms / sizeof waits_ms[0]; i++) {
		live_and_say(&c, "", &now_us, 1000, heard, sizeof heard);
		assert_int_equal(c.restart_us - now_us, waits_ms[i] * 1000);
		assert_int_equal(c.pid, 0);
	}
	live_and_say(&c, "", &now_us, 10 * SECOND_US, heard, sizeof heard);
	assert_int_equal(c.restart_us - now_us, 100 * 1000);
}

static void a_child_is_ready_when_its_byte_came(void **state)
{
	struct child c;
	int ready[2];

	(void)state;
	assert_int_equal(child_init(&c, CHILD_WEB, NULL), 0);
	assert_int_equal(pipe2(ready, O_NONBLOCK), 0);
	c.ready_fd = ready[0];
	assert_false(child_read_ready(&c));
	assert_int_equal(write(ready[1], "", 1), 1);
	assert_true(child_read_ready(&c));
	assert_true(c.settled);
	assert_int_equal(c.ready_fd, -1);
	(void)close(ready[1]);

	assert_int_equal(pipe2(ready, O_NONBLOCK), 0);
	c.ready_fd = ready[0];
	(void)close(ready[1]);
	assert_false(child_read_ready(&c));
	assert_int_equal(c.ready_fd, -1);
}

static void a_spec_that_is_too_long_is_refused(void **state)
{
	struct child c;
	char spec[CHILD_SPEC_BYTES + 1];

	(void)state;
	memset(spec, 'x', sizeof spec - 1);
	spec[sizeof spec - 1] = '\0';
	assert_int_equal(child_init(&c, CHILD_CAMERA, spec), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_trouble_is_told_once),
		cmocka_unit_test(trouble_after_a_long_life_is_news),
		cmocka_unit_test(a_line_without_an_end_is_passed_on_too),
		cmocka_unit_test(the_wait_doubles_to_five_seconds_and_a_long_life_resets_it),
		cmocka_unit_test(a_child_is_ready_when_its_byte_came),
		cmocka_unit_test(a_spec_that_is_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
