/* What cannot be undone needs its word. */
#include "gateway/confirm.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static bool answered(const char *text)
{
	char path[] = "/tmp/camgate-confirm-XXXXXX";
	int fd = mkstemp(path);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_non_null(freopen(path, "r", stdin));
	(void)unlink(path);
	return confirm_ask("All of it goes.", "forget");
}

static void only_the_whole_word_goes_on(void **state)
{
	(void)state;
	assert_true(answered("forget\n"));
	assert_true(answered("forget"));
	assert_true(answered("forget\r\n"));
	assert_false(answered(""));
	assert_false(answered("\n"));
	assert_false(answered("y\n"));
	assert_false(answered("forget it\n"));
	assert_false(answered("forge\n"));
	assert_false(answered(" forget\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(only_the_whole_word_goes_on)};

	return cmocka_run_group_tests_name("confirm", tests, NULL, NULL);
}
