/* The gateway itself, its sandboxes, and what it keeps on disk. */
#include "doctor.h"
#include "sandbox_landlock.h"
#include "store.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { SPACE_WRONG_MIB = 16, SPACE_NOTE_MIB = 100 };

static const char *word(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static void say_config(void *data, bool warning, const char *problem)
{
	doctor_say(data, "config", warning ? DOCTOR_NOTE : DOCTOR_WRONG, "correct that line", "%s",
		problem);
}

void doctor_config(struct doctor *d, const char *path)
{
	const struct config_report report = {.data = d, .say = say_config};
	unsigned int before = d->count;
	int r = config_read(path, &d->config, &report);

	if (r == -ENOENT) {
		doctor_say(d, "config", DOCTOR_OK, NULL, "no %s: everything as it comes", path);
	} else if (r == 0 && d->count == before) {
		doctor_say(d, "config", DOCTOR_OK, NULL, "%s", path);
	}
}

void doctor_judge_sandbox(struct doctor *d, const char *role, const char *report)
{
	const char *lacks = strstr(report, "not had: ");

	if (report[0] == '\0') {
		doctor_say(d, "sandbox", DOCTOR_NOTE, NULL, "%s did not say yet", role);
	} else if (strstr(report, "seccomp") == NULL ||
		   (lacks != NULL && strstr(lacks, "seccomp") != NULL)) {
		doctor_say(d, "sandbox", DOCTOR_WRONG,
			"use a kernel with seccomp, and a camgate built without a sanitizer",
			"%s is not confined: %s", role, report);
	} else if (lacks != NULL) {
		doctor_say(d, "sandbox", DOCTOR_NOTE, "a newer kernel has it: sudo apt upgrade",
			"%s: %s", role, report);
	} else {
		doctor_say(d, "sandbox", DOCTOR_OK, NULL, "%s: %s", role, report);
	}
}

static void judge_sandboxes(struct doctor *d)
{
	char role[DOCTOR_TEXT_BYTES];
	json_t *camera;
	size_t i;

	doctor_judge_sandbox(d, "keeper", word(json_object_get(d->status, "keeper"), "sandbox"));
	doctor_judge_sandbox(d, "web", word(json_object_get(d->status, "web"), "sandbox"));
	json_array_foreach(json_object_get(d->status, "cameras"), i, camera)
	{
		if (strcmp(word(camera, "state"), "ready") == 0) {
			(void)snprintf(role, sizeof role, "camera \"%.80s\"", word(camera, "name"));
			doctor_judge_sandbox(d, role, word(camera, "sandbox"));
		}
	}
}

static void say_not_running(struct doctor *d)
{
	int version = landlock_version();

	if (d->denied) {
		doctor_say(d, "gateway", DOCTOR_NOTE,
			"sudo camgate doctor, or join the group camgate: sudo usermod -aG camgate "
			"YOU",
			"one runs, and this user may not ask it");
	} else if (getpwnam("camgate-keeper") != NULL) {
		doctor_say(d, "gateway", DOCTOR_WRONG,
			"sudo systemctl start camgate.target; journalctl -u 'camgate-*' says why "
			"it ended",
			"it is installed and does not run");
	} else {
		doctor_say(d, "gateway", DOCTOR_NOTE, "camgate run",
			"none runs with the state in %s", d->options->state_dir);
	}
	if (version > 0) {
		doctor_say(d, "sandbox", DOCTOR_OK, NULL,
			"this kernel has Landlock version %d for the roles to come", version);
	} else {
		doctor_say(d, "sandbox", DOCTOR_NOTE,
			"add landlock to lsm= on the kernel's command line, or use a newer kernel",
			"this kernel has no Landlock: files are guarded by permissions alone");
	}
}

/* Who wonders why a screen is dark looks here. */
static void tell_suspensions(struct doctor *d)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(d->status, "suspended"), i, item)
	{
		const char *name = word(item, "name"), *what = word(item, "what");

		doctor_say(d, "suspended", DOCTOR_NOTE,
			"camgate resume NAME or KIND, when the cause is found",
			"%s %s is cut off since %s: %s", name[0] != '\0' ? what : "every",
			name[0] != '\0' ? name : what, word(item, "since"), word(item, "reason"));
	}
}

void doctor_gateway(struct doctor *d)
{
	long long seconds = (long long)json_integer_value(json_object_get(d->status, "uptime_s"));

	if (d->status == NULL) {
		say_not_running(d);
		return;
	}
	doctor_say(d, "gateway", DOCTOR_OK, NULL,
		"camgate %s, up for %lld h %02lld min, state in %s", word(d->status, "version"),
		seconds / 3600, seconds / 60 % 60, word(d->status, "state_dir"));
	if (json_is_true(json_object_get(d->status, "owner"))) {
		doctor_say(d, "owner", DOCTOR_OK, NULL, "there is one");
	} else {
		doctor_say(d, "owner", DOCTOR_WRONG, "sudo camgate pair --owner",
			"nobody owns this hub yet, so nobody can see anything");
	}
	tell_suspensions(d);
	judge_sandboxes(d);
}

/* ---- on disk ---- */

void doctor_judge_space(struct doctor *d, const char *path, uint64_t free_bytes)
{
	unsigned long long mib = (unsigned long long)(free_bytes >> 20);

	if (mib < SPACE_WRONG_MIB) {
		doctor_say(d, "space", DOCTOR_WRONG,
			"make room: without it nobody is given a key, as nobody could be recorded",
			"%llu MiB are free at %s", mib, path);
	} else if (mib < SPACE_NOTE_MIB) {
		doctor_say(d, "space", DOCTOR_NOTE, "make room soon", "%llu MiB are free at %s",
			mib, path);
	} else {
		doctor_say(d, "space", DOCTOR_OK, NULL, "%llu MiB are free at %s", mib, path);
	}
}

static void look_at_space(struct doctor *d)
{
	char path[PATH_MAX];
	struct statvfs v;
	char *slash;

	(void)snprintf(path, sizeof path, "%s", d->options->state_dir);
	/* It may not be there yet: then it will be made in what is. */
	while (statvfs(path, &v) < 0) {
		slash = strrchr(path, '/');
		if (errno != ENOENT || slash == NULL || slash == path) {
			doctor_say(d, "space", DOCTOR_NOTE, "ask as root: sudo camgate doctor",
				"cannot look at %s: %s", path, strerror(errno));
			return;
		}
		*slash = '\0';
	}
	doctor_judge_space(d, path, (uint64_t)v.f_bavail * v.f_frsize);
}

static void look_at_store(struct doctor *d)
{
	const char *dir = d->options->state_dir;
	char problem[STORE_PROBLEM_BYTES] = "";
	int r;

	if (d->status != NULL && word(d->status, "record_problem")[0] != '\0') {
		doctor_say(d, "store", DOCTOR_WRONG,
			"make room where the state is, or see what the log says; it goes on by "
			"itself",
			"%s", word(d->status, "record_problem"));
		return;
	}
	if (d->status != NULL) {
		doctor_say(d, "store", DOCTOR_OK, NULL,
			"it was sound when the gateway started, and is in use; %lld viewings on "
			"record",
			(long long)json_integer_value(json_object_get(d->status, "viewings")));
		return;
	}
	r = store_inspect(dir, problem);
	if (r == -ENOENT) {
		doctor_say(d, "store", DOCTOR_OK, NULL, "none yet in %s; the first start makes it",
			dir);
	} else if (r == -EACCES || r == -EPERM) {
		doctor_say(d, "store", DOCTOR_NOTE, "ask as root: sudo camgate doctor",
			"%s may not be read by this user", dir);
	} else if (r == -EAGAIN) {
		doctor_say(d, "store", DOCTOR_NOTE, "start the gateway: it recovers and checks it",
			"the last gateway in %s had no time to end", dir);
	} else if (r == -EBUSY) {
		doctor_say(d, "store", DOCTOR_NOTE, NULL, "%s is in use", dir);
	} else if (r < 0) {
		doctor_say(d, "store", DOCTOR_WRONG, NULL, "%s", problem);
	} else {
		doctor_say(d, "store", DOCTOR_OK, NULL, "%s/camgate.db is sound", dir);
	}
}

void doctor_state(struct doctor *d)
{
	look_at_store(d);
	look_at_space(d);
}
