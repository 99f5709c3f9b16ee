/*
 * One V4L2 capture device: opening it, deciding whether it is a camera, listing its modes, setting
 * one.
 *
 * A device is opened once in the life of the process. Plain ioctls on a plain descriptor. Functions
 * return 0 or -errno; those with a `problem` also say in a sentence for people what is wrong and
 * what to do.
 */
#ifndef CAMGATE_DEVICE_H
#define CAMGATE_DEVICE_H

#include "format.h"

#include <linux/videodev2.h>

enum { DEVICE_PROBLEM_BYTES = 256 };

struct device {
	int fd;
	uint32_t type; /* V4L2_BUF_TYPE_VIDEO_CAPTURE or its multi-planar form */
	char path[128];
	char model[33]; /* the driver's card text, printable */
};

/* What the driver agreed to. */
struct device_mode {
	struct mode mode; /* interval_us 0 where the driver does not say */
	const struct format *format;
	struct v4l2_format raw; /* as the driver returned it */
	size_t strides[FORMAT_PLANES_MAX];
	size_t sizes[FORMAT_PLANES_MAX]; /* bytes of each piece of memory, at least */
	uint8_t memory_planes;
};

/* NULL if capabilities are those of a camera, otherwise why not. Pure. */
const char *device_refusal(const struct v4l2_capability *c);
/* Opens path and checks that it is a camera. -EBUSY, -EACCES, -ENOENT, -ENODEV (no camera), … */
int device_open(struct device *d, const char *path, char problem[static DEVICE_PROBLEM_BYTES]);
/* The same checks through a read-only descriptor, which changes nothing of the device: also for one
 * that another program uses. */
int device_look(struct device *d, const char *path, char problem[static DEVICE_PROBLEM_BYTES]);
/* Closes. Accepts a device that was never opened if fd is -1. */
void device_close(struct device *d);
/* Retries when interrupted. 0 or -errno. */
int device_ioctl(const struct device *d, unsigned long request, void *argument);
bool device_multiplanar(const struct device *d);
/* Lists what the driver offers, in formats that we can use. -ENODEV when there is none. */
int device_list_modes(
	const struct device *d, struct mode_list *ret, char problem[static DEVICE_PROBLEM_BYTES]);
/* Sets format, size and interval. The driver may answer with another size; then that is it. -EBUSY
 * (another program), -EPROTO (the driver took another format), … */
int device_set_mode(const struct device *d, const struct mode *m, struct device_mode *ret);

/* Another program has it: who, and what to do. */
void device_explain_busy(const char *path, char problem[static DEVICE_PROBLEM_BYTES]);

#endif
