/* The clock, and memory that is never swapped out. */
#include "doctor.h"
#include "authority.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

enum { KEYS_KIB = 256, PICTURES_KIB = 8 << 10 };

void doctor_judge_clock(struct doctor *d, int64_t now_s, bool synchronised)
{
	char text[32] = "";
	time_t when = (time_t)now_s;
	struct tm tm;

	if (gmtime_r(&when, &tm) != NULL) {
		(void)strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &tm);
	}
	if (now_s < AUTHORITY_CLOCK_FLOOR_S) {
		doctor_say(d, "clock", DOCTOR_WRONG,
			"connect the hub to a network with a time server: sudo timedatectl "
			"set-ntp true",
			"it was never set: %s; browsers may refuse the certificate", text);
	} else if (!synchronised) {
		doctor_say(d, "clock", DOCTOR_NOTE, "sudo timedatectl set-ntp true",
			"%s, but no time server keeps it right; compare it with your own", text);
	} else {
		doctor_say(d, "clock", DOCTOR_OK, NULL, "%s, kept right by a time server", text);
	}
}

void doctor_clock(struct doctor *d)
{
	struct timex t = {0};
	int state = adjtimex(&t);

	doctor_judge_clock(d, (int64_t)time(NULL), state >= 0 && (t.status & STA_UNSYNC) == 0);
}

void doctor_judge_memory(struct doctor *d, uint64_t limit_bytes)
{
	unsigned long long kib = (unsigned long long)(limit_bytes >> 10);

	if (kib < KEYS_KIB) {
		doctor_say(d, "memory", DOCTOR_WRONG,
			"ulimit -l 65536, or memlock in /etc/security/limits.conf",
			"%llu KiB may be locked: keys need %d, and nothing starts", kib, KEYS_KIB);
	} else if (kib < PICTURES_KIB) {
		doctor_say(d, "memory", DOCTOR_NOTE,
			"ulimit -l 65536, or memlock in /etc/security/limits.conf",
			"%llu KiB may be locked: enough for keys, but pictures may be swapped out",
			kib);
	} else if (limit_bytes == UINT64_MAX) {
		doctor_say(d, "memory", DOCTOR_OK, NULL, "any amount may be locked");
	} else {
		doctor_say(d, "memory", DOCTOR_OK, NULL, "%llu KiB may be locked", kib);
	}
}

/* The roles themselves say what they could not lock. */
static bool say_swappable(struct doctor *d)
{
	static const char lacks[] = "not locked into memory: ";
	bool some = false;
	json_t *camera;
	size_t i;

	json_array_foreach(json_object_get(d->status, "cameras"), i, camera)
	{
		const char *report = json_string_value(json_object_get(camera, "sandbox"));
		const char *name = json_string_value(json_object_get(camera, "name"));
		const char *at = report != NULL ? strstr(report, lacks) : NULL;

		if (at != NULL) {
			doctor_say(d, "memory", DOCTOR_NOTE,
				"raise LimitMEMLOCK of camgate-camera@.service, or ulimit -l",
				"camera \"%s\": %s may be swapped out", name != NULL ? name : "",
				at + sizeof lacks - 1);
			some = true;
		}
	}
	return some;
}

void doctor_memory(struct doctor *d)
{
	struct rlimit limit;

	if (d->status != NULL) {
		if (!say_swappable(d)) {
			doctor_say(d, "memory", DOCTOR_OK, NULL,
				"keys and pictures are locked into memory");
		}
	} else if (geteuid() == 0) {
		doctor_judge_memory(d, UINT64_MAX);
	} else if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0) {
		doctor_judge_memory(
			d, limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : (uint64_t)limit.rlim_cur);
	}
}
