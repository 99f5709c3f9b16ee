#include "audit_time.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DAY_S = 24 * 60 * 60 };

const char audit_time_words[] = "a time is written as 2026-11-22, \"2026-11-22 14:00\", today, "
				"yesterday, or how long ago: 30m, 2h, 7d";

static int parse_ago(const char *text, int64_t now_s, int64_t *ret_s)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', DAY_S}, {'w', 7 * DAY_S}};
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 6 || text[digits] == 0 || text[digits + 1] != 0) {
		return -EINVAL;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (units[i].letter == text[digits]) {
			*ret_s = now_s - strtoll(text, NULL, 10) * units[i].seconds;
			return 0;
		}
	}
	return -EINVAL;
}

/* Seconds since 1970 of a time of day; -EINVAL for the 31st of February and the like. */
static int make_time(struct tm tm, bool utc, int64_t *ret_s)
{
	struct tm asked = tm;
	time_t when;

	tm.tm_isdst = -1;
	when = utc ? timegm(&tm) : mktime(&tm);
	if (tm.tm_year != asked.tm_year || tm.tm_mon != asked.tm_mon ||
		tm.tm_mday != asked.tm_mday) {
		return -EINVAL;
	}
	*ret_s = (int64_t)when;
	return 0;
}

static int parse_date(const char *text, bool end, int64_t *ret_s)
{
	static const char *const formats[] = {"%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S",
		"%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"};
	int result;

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct tm tm = {0};
		const char *rest = strptime(text, formats[i], &tm);
		bool utc = rest != NULL && strcmp(rest, "Z") == 0;

		if (rest == NULL || (rest[0] != 0 && !utc)) {
			continue;
		}
		if (i == 0 && end) {
			tm.tm_hour = 23;
			tm.tm_min = tm.tm_sec = 59;
		}
		result = make_time(tm, utc, ret_s);
		return result;
	}
	return -EINVAL;
}

/* The first or last second of the day that this moment is in. */
static int day_of(int64_t s, int days, bool end, int64_t *ret_s)
{
	time_t when = (time_t)s;
	struct tm tm;

	if (localtime_r(&when, &tm) == NULL) {
		return -EINVAL;
	}
	tm.tm_mday += days;
	tm.tm_hour = end ? 23 : 0;
	tm.tm_min = tm.tm_sec = end ? 59 : 0;
	tm.tm_isdst = -1;
	*ret_s = (int64_t)mktime(&tm);
	return 0;
}

int audit_time_parse(const char *text, int64_t now_s, bool end, int64_t *ret_s)
{
	if (strcmp(text, "now") == 0) {
		*ret_s = now_s;
		return 0;
	}
	if (strcmp(text, "today") == 0) {
		return day_of(now_s, 0, end, ret_s);
	}
	if (strcmp(text, "yesterday") == 0) {
		return day_of(now_s, -1, end, ret_s);
	}
	if (parse_ago(text, now_s, ret_s) == 0) {
		return 0;
	}
	return parse_date(text, end, ret_s);
}

void audit_time_local(int64_t s, char out[static AUDIT_TIME_BYTES])
{
	time_t when = (time_t)s;
	struct tm tm;

	out[0] = 0;
	if (localtime_r(&when, &tm) != NULL) {
		(void)strftime(out, AUDIT_TIME_BYTES, "%Y-%m-%d %H:%M:%S", &tm);
	}
}

void audit_time_iso(int64_t s, char out[static AUDIT_TIME_BYTES])
{
	time_t when = (time_t)s;
	struct tm tm;

	out[0] = 0;
	if (gmtime_r(&when, &tm) != NULL) {
		(void)strftime(out, AUDIT_TIME_BYTES, "%Y-%m-%dT%H:%M:%SZ", &tm);
	}
}

void audit_time_span(uint64_t ms, char out[static AUDIT_TIME_BYTES])
{
	unsigned long long s = (unsigned long long)(ms + 500) / 1000;

	if (s >= 3600) {
		(void)snprintf(
			out, AUDIT_TIME_BYTES, "%llu:%02llu:%02llu", s / 3600, s / 60 % 60, s % 60);
	} else {
		(void)snprintf(out, AUDIT_TIME_BYTES, "%llu:%02llu", s / 60, s % 60);
	}
}
