/*
 * Feeds a v4l2loopback device with MJPEG test pictures: loopfeed DEVICE WxH@FPS TAG, until it is
 * ended. The spec is that of a test camera without its first word; the tag is hexadecimal.
 */
#include "v4l2/pattern.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <linux/videodev2.h>
#include <turbojpeg.h>

enum { QUALITY = 85, HELD_UP_US = 500000 };

static uint64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void wait_until(uint64_t us)
{
	struct timespec t = {(time_t)(us / 1000000), (long)(us % 1000000 * 1000)};
	while (clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &t, NULL) == EINTR) {
	}
}

static int device_open(const char *path, uint16_t width, uint16_t height, uint32_t interval_us)
{
	struct v4l2_format format = {.type = V4L2_BUF_TYPE_VIDEO_OUTPUT};
	struct v4l2_streamparm rate = {.type = V4L2_BUF_TYPE_VIDEO_OUTPUT};
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		return -errno;
	}
	format.fmt.pix.width = width;
	format.fmt.pix.height = height;
	format.fmt.pix.pixelformat = V4L2_PIX_FMT_MJPEG;
	format.fmt.pix.field = V4L2_FIELD_NONE;
	format.fmt.pix.sizeimage = (uint32_t)width * height * 2;
	rate.parm.output.timeperframe = (struct v4l2_fract){1, 1000000 / interval_us};
	if (ioctl(fd, VIDIOC_S_FMT, &format) != 0 || ioctl(fd, VIDIOC_S_PARM, &rate) != 0) {
		int error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

/* Writes pictures until something fails. */
static int feed(int fd, struct pattern *p, tjhandle encoder, uint16_t width, uint16_t height,
	uint32_t interval_us)
{
	size_t luma = (size_t)width * height;
	size_t half = ((size_t)width + 1) / 2;
	size_t chroma = half * (((size_t)height + 1) / 2);
	uint8_t *y = malloc(luma + 2 * chroma);
	unsigned char *jpeg = NULL;
	unsigned long size = 0;
	if (y == NULL) {
		return -ENOMEM;
	}
	const uint8_t *planes[3] = {y, y + luma, y + luma + chroma};
	const int strides[3] = {width, (int)half, (int)half};
	uint64_t next_us = now_us();
	for (uint32_t number = 0;; number++, next_us += interval_us) {
		wait_until(next_us);
		uint64_t drawn_us = now_us();
		pattern_draw(p, number, drawn_us, y, y + luma, y + luma + chroma);
		if (tjCompressFromYUVPlanes(encoder, planes, width, strides, height, TJSAMP_420,
			    &jpeg, &size, QUALITY, 0) != 0) {
			break;
		}
		/* The driver takes the time of the write for that of the picture. */
		if (now_us() - drawn_us < HELD_UP_US && write(fd, jpeg, size) < 0) {
			break;
		}
	}
	int error = errno != 0 ? -errno : -EIO;
	tjFree(jpeg);
	free(y);
	return error;
}

int main(int argc, char **argv)
{
	char spec[64];
	uint16_t width, height;
	uint32_t interval_us;
	if (argc == 4) {
		snprintf(spec, sizeof(spec), "pattern:%s", argv[2]);
	}
	if (argc != 4 || pattern_parse_spec(spec, &width, &height, &interval_us) != 0) {
		fprintf(stderr, "usage: loopfeed DEVICE WxH@FPS TAG\n");
		return 2;
	}
	struct pattern *p = pattern_create(width, height, (uint32_t)strtoul(argv[3], NULL, 16));
	tjhandle encoder = tjInitCompress();
	int fd = device_open(argv[1], width, height, interval_us);
	if (p == NULL || encoder == NULL || fd < 0) {
		fprintf(stderr, "loopfeed: %s: %s\n", argv[1], strerror(fd < 0 ? -fd : ENOMEM));
		return 1;
	}
	fprintf(stderr, "loopfeed: %s: %s\n", argv[1],
		strerror(-feed(fd, p, encoder, width, height, interval_us)));
	return 1;
}
