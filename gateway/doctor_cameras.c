/* Which cameras there are, which nodes are none and why, and who may open them. */
#include "doctor.h"
#include "v4l2/probe.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char CAMERA_USER[] = "camgate-camera";
static const char VIDEO_GROUP[] = "video";
enum { GROUPS_MAX = 256 };

static const char *word(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

void doctor_judge_camera(struct doctor *d, const json_t *camera)
{
	const char *name = word(camera, "name"), *state = word(camera, "state");
	const char *activity = word(camera, "activity"), *detail = word(camera, "detail");
	const char *advice = word(camera, "advice");
	enum doctor_verdict verdict = advice[0] != '\0' ? DOCTOR_NOTE : DOCTOR_OK;

	if (strcmp(state, "ignored") == 0) {
		doctor_say(d, "cameras", DOCTOR_OK, NULL, "\"%s\" is ignored, as you said", name);
		return;
	}
	if (strcmp(state, "ready") != 0) {
		doctor_say(d, "cameras", DOCTOR_NOTE, advice, "\"%s\" is not here", name);
		return;
	}
	if (strcmp(activity, "failing") == 0 || strcmp(activity, "frozen") == 0) {
		doctor_say(d, "cameras", DOCTOR_WRONG, advice, "\"%s\" at %s is %s%s%s", name,
			word(camera, "source"), activity, detail[0] != '\0' ? ": " : "", detail);
		return;
	}
	/* A detail on a camera that works is why its mode is a smaller one. */
	doctor_say(d, "cameras", verdict, advice, "\"%s\" at %s: %s%s%s", name,
		word(camera, "source"), word(camera, "mode"), detail[0] != '\0' ? ", because " : "",
		detail);
}

static bool is_in_use(const struct doctor *d, const char *path)
{
	json_t *camera;
	size_t i;

	json_array_foreach(json_object_get(d->cameras, "cameras"), i, camera)
	{
		if (strcmp(word(camera, "state"), "ready") == 0 &&
			strcmp(word(camera, "source"), path) == 0) {
			return true;
		}
	}
	return false;
}

/* True if it is a camera, whoever has it. */
static bool look_at_node(struct doctor *d, const char *path)
{
	struct probe p;
	int r;

	if (is_in_use(d, path)) {
		return true;
	}
	r = probe_device(path, NULL, &p);
	if (r == -EACCES || r == -EPERM) {
		doctor_say(d, "cameras", DOCTOR_NOTE, "ask again as root: sudo camgate doctor",
			"%s may not be opened by this user", path);
		return true;
	}
	if (r < 0) {
		doctor_say(d, "cameras", DOCTOR_WRONG,
			"unplug it and plug it in again; look at dmesg if that does not help",
			"%s cannot be examined: %s", path, p.reason);
	} else if (!p.camera) {
		doctor_say(d, "cameras", DOCTOR_OK, NULL, "%s is left alone: %s", path, p.reason);
	} else if (d->status == NULL) {
		doctor_say(d, "cameras", DOCTOR_OK, NULL, "%s is a camera: %s", path,
			p.identified ? p.identity.name : "of unknown identity");
	} else {
		doctor_say(d, "cameras", DOCTOR_NOTE,
			"look in the log why: journalctl -u 'camgate-camera@*'",
			"%s is a camera that the gateway does not have, or that you ignore: %s",
			path, p.identified ? p.identity.name : "of unknown identity");
	}
	return r == 0 && p.camera;
}

static int by_number(const void *a, const void *b)
{
	unsigned int x = *(const unsigned int *)a, y = *(const unsigned int *)b;

	return x < y ? -1 : x > y;
}

static unsigned int list_nodes(unsigned int numbers[static DOCTOR_NODES_MAX])
{
	DIR *dir = opendir("/dev");
	struct dirent *e;
	unsigned int count = 0;

	while (dir != NULL && count < DOCTOR_NODES_MAX && (e = readdir(dir)) != NULL) {
		char *end = NULL;

		if (strncmp(e->d_name, "video", 5) == 0 && e->d_name[5] >= '0' &&
			e->d_name[5] <= '9') {
			unsigned long n = strtoul(e->d_name + 5, &end, 10);

			if (*end == '\0' && n < 1U << 20) {
				numbers[count++] = (unsigned int)n;
			}
		}
	}
	if (dir != NULL) {
		(void)closedir(dir);
	}
	qsort(numbers, count, sizeof numbers[0], by_number);
	return count;
}

void doctor_cameras(struct doctor *d)
{
	unsigned int numbers[DOCTOR_NODES_MAX];
	unsigned int nodes = list_nodes(numbers), found = 0;
	json_t *camera;
	size_t i;

	json_array_foreach(json_object_get(d->cameras, "cameras"), i, camera)
	{
		found += strcmp(word(camera, "state"), "ready") == 0;
		doctor_judge_camera(d, camera);
	}
	for (unsigned int n = 0; n < nodes; n++) {
		char path[32];

		(void)snprintf(path, sizeof path, "/dev/video%u", numbers[n]);
		found += look_at_node(d, path);
	}
	if (found == 0) {
		doctor_say(d, "cameras", DOCTOR_NOTE,
			"plug a USB camera in; Raspberry Pi CSI cameras are not supported",
			"no camera is here");
	}
}

/* ---- permissions ---- */

static bool user_in_group(const struct passwd *user, gid_t group)
{
	gid_t groups[GROUPS_MAX];
	int count = GROUPS_MAX;

	if (getgrouplist(user->pw_name, user->pw_gid, groups, &count) < 0) {
		return false;
	}
	for (int i = 0; i < count; i++) {
		if (groups[i] == group) {
			return true;
		}
	}
	return false;
}

void doctor_permissions(struct doctor *d)
{
	const struct group *video = getgrnam(VIDEO_GROUP);
	gid_t group = video != NULL ? video->gr_gid : (gid_t)-1;
	bool installed = getpwnam(CAMERA_USER) != NULL;
	const struct passwd *user = installed ? getpwnam(CAMERA_USER) : getpwuid(geteuid());
	char todo[DOCTOR_TODO_BYTES];

	if (video == NULL) {
		doctor_say(d, "permissions", DOCTOR_NOTE, NULL,
			"this system has no group %s: who owns the cameras decides", VIDEO_GROUP);
		return;
	}
	if (user == NULL) {
		doctor_say(d, "permissions", DOCTOR_NOTE, NULL, "this user has no name");
		return;
	}
	if (user->pw_uid == 0 || user_in_group(user, group)) {
		doctor_say(d, "permissions", DOCTOR_OK, NULL, "%s may open cameras", user->pw_name);
		return;
	}
	(void)snprintf(todo, sizeof todo, "sudo usermod -aG %s %s, then %s", VIDEO_GROUP,
		user->pw_name, installed ? "sudo systemctl restart camgate.target" : "log in anew");
	doctor_say(d, "permissions", DOCTOR_WRONG, todo, "%s is not in the group %s", user->pw_name,
		VIDEO_GROUP);
}
