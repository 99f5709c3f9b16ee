#include "device.h"
#include "holder.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what is a camera ---- */

const char *device_refusal(const struct v4l2_capability *c)
{
	const uint32_t other = V4L2_CAP_VIDEO_M2M | V4L2_CAP_VIDEO_M2M_MPLANE |
			       V4L2_CAP_VIDEO_OUTPUT | V4L2_CAP_VIDEO_OUTPUT_MPLANE |
			       V4L2_CAP_META_CAPTURE;
	uint32_t caps = c->device_caps;

	/* capabilities is the union over all nodes of the hardware and says nothing of this one. */
	if (!(c->capabilities & V4L2_CAP_DEVICE_CAPS)) {
		return "its driver does not say what this node is for";
	}
	if (caps & other) {
		return "it is a codec, an output or a metadata node";
	}
	if (!(caps & (V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_VIDEO_CAPTURE_MPLANE))) {
		return "it does not capture video";
	}
	if (!(caps & V4L2_CAP_STREAMING)) {
		return "it cannot stream";
	}
	if (caps & V4L2_CAP_IO_MC) {
		return "it is part of an image pipeline that another program must set up";
	}
	return NULL;
}

bool device_multiplanar(const struct device *d)
{
	return d->type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
}

int device_ioctl(const struct device *d, unsigned long request, void *argument)
{
	int r;

	do {
		r = ioctl(d->fd, request, argument);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

/* The card text is the driver's and the USB device's: printable ASCII only, for people. */
static void model_copy(const uint8_t card[static 32], char out[static 33])
{
	size_t i = 0;

	for (; i < 32 && card[i]; i++) {
		out[i] = card[i] >= ' ' && card[i] < 0x7f ? (char)card[i] : '?';
	}
	out[i] = 0;
}

static int camera_check(struct device *d, const char **ret_refusal)
{
	struct v4l2_capability capability = {0};
	struct v4l2_input input = {0};
	int r = device_ioctl(d, VIDIOC_QUERYCAP, &capability);

	if (r < 0) {
		*ret_refusal = "it does not answer as a video device";
		return r == -ENODEV ? r : -ENOTTY;
	}
	*ret_refusal = device_refusal(&capability);
	if (*ret_refusal) {
		return -ENOTTY;
	}
	model_copy(capability.card, d->model);
	d->type = capability.device_caps & V4L2_CAP_VIDEO_CAPTURE
			  ? V4L2_BUF_TYPE_VIDEO_CAPTURE
			  : V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
	if (device_ioctl(d, VIDIOC_ENUMINPUT, &input) < 0 || input.type != V4L2_INPUT_TYPE_CAMERA) {
		*ret_refusal = "its input is not a camera";
		return -ENOTTY;
	}
	return 0;
}

/* ---- errors for people ---- */

static void explain_access(const char *path, char problem[static DEVICE_PROBLEM_BYTES])
{
	const struct passwd *user = getpwuid(geteuid());
	const char *name = user ? user->pw_name : "USER";
	const struct group *group = NULL;
	struct stat st;

	if (stat(path, &st) == 0 && st.st_gid != 0) {
		group = getgrgid(st.st_gid);
	}
	if (group) {
		snprintf(problem, DEVICE_PROBLEM_BYTES,
			"no permission for %.60s, which belongs to group %.32s: "
			"'sudo usermod -aG %.32s %.32s' and a new login give it",
			path, group->gr_name, group->gr_name, name);
		return;
	}
	snprintf(problem, DEVICE_PROBLEM_BYTES,
		"no permission for %.40s, which only root may open: give it to group video "
		"('sudo chgrp video %.40s; sudo chmod g+rw %.40s') and join it",
		path, path, path);
}

void device_explain_busy(const char *path, char problem[static DEVICE_PROBLEM_BYTES])
{
	char words[HOLDER_WORDS_BYTES];

	holder_device_words(path, words);
	snprintf(problem, DEVICE_PROBLEM_BYTES, "%.60s is in use %s", path, words);
}

static void explain_open(const char *path, int error, char problem[static DEVICE_PROBLEM_BYTES])
{
	switch (-error) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		snprintf(problem, DEVICE_PROBLEM_BYTES,
			"there is no device %.100s: is the camera plugged in? "
			"'ls /dev/video*' shows what is there",
			path);
		return;
	case EACCES:
	case EPERM:
		explain_access(path, problem);
		return;
	case EBUSY:
		device_explain_busy(path, problem);
		return;
	default:
		snprintf(problem, DEVICE_PROBLEM_BYTES, "cannot open %.100s: %s", path,
			strerror(-error));
		return;
	}
}

static int open_checked(
	struct device *d, const char *path, int access, char problem[static DEVICE_PROBLEM_BYTES])
{
	const char *refusal = NULL;
	int r;

	*d = (struct device){.fd = -1};
	if (strlen(path) >= sizeof(d->path)) {
		snprintf(problem, DEVICE_PROBLEM_BYTES, "the device's path is too long");
		return -ENAMETOOLONG;
	}
	memcpy(d->path, path, strlen(path) + 1);
	d->fd = open(path, access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (d->fd < 0) {
		r = -errno;
		explain_open(path, r, problem);
		return r;
	}
	r = camera_check(d, &refusal);
	if (r < 0) {
		snprintf(
			problem, DEVICE_PROBLEM_BYTES, "%.100s is not a camera: %s", path, refusal);
		device_close(d);
	}
	return r;
}

int device_open(struct device *d, const char *path, char problem[static DEVICE_PROBLEM_BYTES])
{
	int first = 0;
	int r = open_checked(d, path, O_RDWR, problem);

	if (r == 0) {
		/* Another program may have left a device with several inputs on another one. */
		(void)device_ioctl(d, VIDIOC_S_INPUT, &first);
	}
	return r;
}

int device_look(struct device *d, const char *path, char problem[static DEVICE_PROBLEM_BYTES])
{
	return open_checked(d, path, O_RDONLY, problem);
}

void device_close(struct device *d)
{
	if (d->fd >= 0) {
		close(d->fd);
	}
	d->fd = -1;
}
