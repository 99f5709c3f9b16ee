#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int saved, pipes[2];
static char text[8192];

/* Standard error goes into a pipe while a test logs. */
static void capture_begin(void)
{
	assert_int_equal(pipe(pipes), 0);
	saved = dup(STDERR_FILENO);
	assert_true(saved >= 0);
	dup2(pipes[1], STDERR_FILENO);
}

static const char *capture_end(void)
{
	ssize_t n;

	dup2(saved, STDERR_FILENO);
	close(saved);
	close(pipes[1]);
	n = read(pipes[0], text, sizeof(text) - 1);
	close(pipes[0]);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void log_lines_name_the_role_and_what_they_are(void **state)
{
	(void)state;
	capture_begin();
	log_init("keeper");
	log_info("listening on %s", "here");
	log_warning("%d left", 3);
	log_error("gone");
	assert_string_equal(capture_end(),
		"keeper: listening on here\nkeeper: warning: 3 left\nkeeper: error: gone\n");
}

static void log_keeps_what_a_device_or_peer_says_in_one_line(void **state)
{
	(void)state;
	capture_begin();
	log_init("camera");
	log_info("model \"%s\"", "C270\nkeeper: all is well\x1b[2J\x7f\r");
	assert_string_equal(capture_end(), "camera: model \"C270?keeper: all is well?[2J??\"\n");
}

static void log_cuts_a_line_that_is_too_long_and_ends_it(void **state)
{
	static char endless[5000];
	const char *line;

	(void)state;
	memset(endless, 'x', sizeof(endless) - 1);
	capture_begin();
	log_init("web");
	log_info("%s", endless);
	log_info("next");
	line = capture_end();
	assert_true(strlen(line) < 1100);
	assert_string_equal(strchr(line, '\n'), "\nweb: next\n");
}

static void log_marks_levels_only_when_the_journal_reads_this_very_file(void **state)
{
	char stream[64];
	struct stat st;

	(void)state;
	capture_begin();
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
		(unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_init("web");
	log_error("one");
	setenv("JOURNAL_STREAM", "1:2", 1);
	log_init("web");
	log_error("two");
	unsetenv("JOURNAL_STREAM");
	assert_string_equal(capture_end(), "<3>web: error: one\nweb: error: two\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(log_lines_name_the_role_and_what_they_are),
		cmocka_unit_test(log_keeps_what_a_device_or_peer_says_in_one_line),
		cmocka_unit_test(log_cuts_a_line_that_is_too_long_and_ends_it),
		cmocka_unit_test(log_marks_levels_only_when_the_journal_reads_this_very_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
