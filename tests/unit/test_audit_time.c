/* Times as people write them. */
#include "audit_time.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { NOW_S = 1795352400 }; /* 2026-11-22 13:00 in UTC, 14:00 in Berlin */

static int set_up(void **state)
{
	(void)state;
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	return 0;
}

static void expect(const char *text, bool end, const char *iso)
{
	char told[AUDIT_TIME_BYTES];
	int64_t s = 0;

	if (audit_time_parse(text, NOW_S, end, &s) != 0) {
		fail_msg("%s is not understood", text);
	}
	audit_time_iso(s, told);
	assert_string_equal(told, iso);
}

static void a_date_is_local_and_whole(void **state)
{
	(void)state;
	expect("2026-11-22", false, "2026-11-21T23:00:00Z");
	expect("2026-11-22", true, "2026-11-22T22:59:59Z");
	expect("2026-07-01", false, "2026-06-30T22:00:00Z");
	expect("today", false, "2026-11-21T23:00:00Z");
	expect("yesterday", false, "2026-11-20T23:00:00Z");
	expect("yesterday", true, "2026-11-21T22:59:59Z");
}

static void a_time_of_day_is_local_unless_it_says_otherwise(void **state)
{
	(void)state;
	expect("2026-11-22 14:00", false, "2026-11-22T13:00:00Z");
	expect("2026-11-22 14:00:05", true, "2026-11-22T13:00:05Z");
	expect("2026-11-22T14:00:05", false, "2026-11-22T13:00:05Z");
	expect("2026-11-22T14:00:05Z", false, "2026-11-22T14:00:05Z");
}

static void how_long_ago_is_counted_from_now(void **state)
{
	(void)state;
	expect("now", false, "2026-11-22T13:00:00Z");
	expect("90s", false, "2026-11-22T12:58:30Z");
	expect("30m", false, "2026-11-22T12:30:00Z");
	expect("2h", false, "2026-11-22T11:00:00Z");
	expect("7d", false, "2026-11-15T13:00:00Z");
	expect("1w", false, "2026-11-15T13:00:00Z");
}

static void what_is_no_time_is_refused(void **state)
{
	static const char *const bad[] = {"", "soon", "2", "h", "2 h", "-2h", "2hh", "2026-11-31",
		"2026-13-01", "2026-11-22 25:00", "2026-11-22 ", "2026-11-22x", "1234567d"};
	int64_t s = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (audit_time_parse(bad[i], NOW_S, false, &s) != -EINVAL) {
			fail_msg("\"%s\" was taken for a time", bad[i]);
		}
		assert_int_equal(s, 7);
	}
}

static void a_span_is_told_in_hours_minutes_and_seconds(void **state)
{
	char text[AUDIT_TIME_BYTES];

	(void)state;
	audit_time_span(7400, text);
	assert_string_equal(text, "0:07");
	audit_time_span(3723000, text);
	assert_string_equal(text, "1:02:03");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_date_is_local_and_whole),
		cmocka_unit_test(a_time_of_day_is_local_unless_it_says_otherwise),
		cmocka_unit_test(how_long_ago_is_counted_from_now),
		cmocka_unit_test(what_is_no_time_is_refused),
		cmocka_unit_test(a_span_is_told_in_hours_minutes_and_seconds),
	};

	return cmocka_run_group_tests_name("audit_time", tests, set_up, NULL);
}
