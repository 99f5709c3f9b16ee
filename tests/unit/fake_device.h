/*
 * A V4L2 device made of a memfd and of an ioctl() and a syscall() that take the place of libc's in
 * the test's program. The memfd is the buffers' memory, so that mmap works as it is. A test fills
 * buffers by hand and looks at what the driver would see.
 */
#ifndef CAMGATE_TESTS_FAKE_DEVICE_H
#define CAMGATE_TESTS_FAKE_DEVICE_H

#include <dlfcn.h>
#include <errno.h>
#include <linux/videodev2.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	FAKE_BUFFERS = 4,
	FAKE_PLANES_MAX = 3,
	FAKE_MODES_MAX = 8,
	FAKE_PLANE_BYTES = 1 << 20,
};

struct fake_filled {
	uint32_t index, sequence, flags;
	uint64_t timestamp_us;
	uint32_t used[FAKE_PLANES_MAX];
	uint32_t offset[FAKE_PLANES_MAX]; /* data_offset */
};

static struct fake_device {
	int memfd;
	char path[32];
	bool multiplanar;
	uint32_t device_caps, input_type;
	struct {
		uint32_t fourcc, width, height, fps;
	} modes[FAKE_MODES_MAX];
	size_t modes_count;
	uint32_t fourcc, width, height, fps, planes; /* set */
	uint32_t forced_width; /* S_FMT answers this, whatever was asked; 0: no */
	uint32_t largest_area; /* STREAMON says ENOSPC above; 0: none */
	int stream_error, format_error, dequeue_error;
	uint32_t requested; /* buffers that exist */
	bool streaming;
	uint32_t queued[FAKE_BUFFERS];
	size_t queued_count;
	struct fake_filled filled[FAKE_BUFFERS];
	size_t filled_count;
	unsigned int starts, sets;
} fake;

static void fake_init(bool multiplanar)
{
	fake = (struct fake_device){.multiplanar = multiplanar};
	fake.memfd = memfd_create("fake device", MFD_CLOEXEC);
	if (ftruncate(fake.memfd, FAKE_BUFFERS * FAKE_PLANES_MAX * FAKE_PLANE_BYTES) < 0) {
		fake.memfd = -1;
	}
	snprintf(fake.path, sizeof(fake.path), "/proc/self/fd/%d", fake.memfd);
	fake.device_caps = V4L2_CAP_STREAMING |
			   (multiplanar ? V4L2_CAP_VIDEO_CAPTURE_MPLANE : V4L2_CAP_VIDEO_CAPTURE);
	fake.input_type = V4L2_INPUT_TYPE_CAMERA;
	fake.planes = 1;
}

static inline void fake_offer(uint32_t fourcc, uint32_t width, uint32_t height, uint32_t fps)
{
	fake.modes[fake.modes_count].fourcc = fourcc;
	fake.modes[fake.modes_count].width = width;
	fake.modes[fake.modes_count].height = height;
	fake.modes[fake.modes_count++].fps = fps;
}

static inline void fake_finish(void)
{
	close(fake.memfd);
}

static off_t fake_offset(uint32_t index, uint32_t plane)
{
	return (off_t)(index * FAKE_PLANES_MAX + plane) * FAKE_PLANE_BYTES;
}

/* Fills the next queued buffer as a driver does: used bytes of data per plane. Returns its index,
 * or -1 when none is queued. */
static inline int fake_fill(const uint8_t *data, uint32_t used, uint32_t sequence,
	uint64_t timestamp_us, uint32_t flags)
{
	struct fake_filled *f = &fake.filled[fake.filled_count];

	if (fake.queued_count == 0) {
		return -1;
	}
	*f = (struct fake_filled){.index = fake.queued[0],
		.sequence = sequence,
		.flags = flags,
		.timestamp_us = timestamp_us};
	fake.queued_count--;
	memmove(fake.queued, fake.queued + 1, fake.queued_count * sizeof(fake.queued[0]));
	for (uint32_t i = 0; i < fake.planes; i++) {
		f->used[i] = used;
		if (used > 0 &&
			pwrite(fake.memfd, data, used, fake_offset(f->index, i)) != (ssize_t)used) {
			return -1;
		}
	}
	fake.filled_count++;
	return (int)f->index;
}

/* Bytes of a buffer that are not zero. */
static inline size_t fake_residue(uint32_t index, uint32_t plane)
{
	static uint8_t memory[FAKE_PLANE_BYTES];
	size_t count = 0;

	if (pread(fake.memfd, memory, sizeof(memory), fake_offset(index, plane)) !=
		(ssize_t)sizeof(memory)) {
		return SIZE_MAX;
	}
	for (size_t i = 0; i < sizeof(memory); i++) {
		count += memory[i] != 0;
	}
	return count;
}

/* ---- the driver ---- */

static int fake_set_format(struct v4l2_format *f)
{
	fake.sets++;
	if (fake.format_error) {
		return -fake.format_error;
	}
	if (fake.multiplanar) {
		fake.fourcc = f->fmt.pix_mp.pixelformat;
		fake.width = f->fmt.pix_mp.width;
		fake.height = f->fmt.pix_mp.height;
		f->fmt.pix_mp.num_planes = (uint8_t)fake.planes;
		for (uint32_t i = 0; i < fake.planes; i++) {
			f->fmt.pix_mp.plane_fmt[i].bytesperline = fake.width;
			f->fmt.pix_mp.plane_fmt[i].sizeimage = FAKE_PLANE_BYTES;
		}
		return 0;
	}
	fake.fourcc = f->fmt.pix.pixelformat;
	if (fake.forced_width) {
		f->fmt.pix.width = fake.forced_width;
	}
	fake.width = f->fmt.pix.width;
	fake.height = f->fmt.pix.height;
	f->fmt.pix.bytesperline = fake.fourcc == V4L2_PIX_FMT_YUYV    ? 2 * fake.width
				  : fake.fourcc == V4L2_PIX_FMT_RGB24 ? 3 * fake.width
				  : fake.fourcc == V4L2_PIX_FMT_MJPEG ? 0
								      : fake.width;
	f->fmt.pix.sizeimage =
		fake.fourcc == V4L2_PIX_FMT_RGB24 ? 3 * fake.width * fake.height : FAKE_PLANE_BYTES;
	return 0;
}

static int fake_list(unsigned long request, void *argument)
{
	struct v4l2_fmtdesc *format = argument;
	struct v4l2_frmsizeenum *size = argument;
	struct v4l2_frmivalenum *interval = argument;
	uint32_t wanted = request == VIDIOC_ENUM_FMT          ? format->index
			  : request == VIDIOC_ENUM_FRAMESIZES ? size->index
							      : interval->index;
	uint32_t seen = 0;

	for (size_t i = 0; i < fake.modes_count; i++) {
		bool fits = true;

		if (request == VIDIOC_ENUM_FMT) {
			fits = i == 0 || fake.modes[i].fourcc != fake.modes[i - 1].fourcc;
		} else if (request == VIDIOC_ENUM_FRAMESIZES) {
			fits = size->pixel_format == fake.modes[i].fourcc;
		} else {
			fits = interval->pixel_format == fake.modes[i].fourcc &&
			       interval->width == fake.modes[i].width &&
			       interval->height == fake.modes[i].height;
		}
		if (!fits || seen++ != wanted) {
			continue;
		}
		if (request == VIDIOC_ENUM_FMT) {
			format->pixelformat = fake.modes[i].fourcc;
		} else if (request == VIDIOC_ENUM_FRAMESIZES) {
			size->type = V4L2_FRMSIZE_TYPE_DISCRETE;
			size->discrete.width = fake.modes[i].width;
			size->discrete.height = fake.modes[i].height;
		} else {
			interval->type = V4L2_FRMIVAL_TYPE_DISCRETE;
			interval->discrete = (struct v4l2_fract){1, fake.modes[i].fps};
		}
		return 0;
	}
	return -EINVAL;
}

static int fake_parameters(bool set, struct v4l2_streamparm *p)
{
	if (set) {
		fake.fps = p->parm.capture.timeperframe.denominator /
			   p->parm.capture.timeperframe.numerator;
	}
	p->parm.capture.capability = V4L2_CAP_TIMEPERFRAME;
	p->parm.capture.timeperframe = (struct v4l2_fract){1, fake.fps ? fake.fps : 30};
	return 0;
}

static int fake_query(struct v4l2_buffer *b)
{
	if (b->index >= fake.requested) {
		return -EINVAL;
	}
	if (!fake.multiplanar) {
		b->length = FAKE_PLANE_BYTES;
		b->m.offset = (uint32_t)fake_offset(b->index, 0);
		return 0;
	}
	b->length = fake.planes;
	for (uint32_t i = 0; i < fake.planes; i++) {
		b->m.planes[i].length = FAKE_PLANE_BYTES;
		b->m.planes[i].m.mem_offset = (uint32_t)fake_offset(b->index, i);
	}
	return 0;
}

static int fake_queue(const struct v4l2_buffer *b)
{
	if (b->index >= fake.requested || fake.queued_count >= FAKE_BUFFERS) {
		return -EINVAL;
	}
	for (size_t i = 0; i < fake.queued_count; i++) {
		if (fake.queued[i] == b->index) {
			return -EINVAL;
		}
	}
	fake.queued[fake.queued_count++] = b->index;
	return 0;
}

static int fake_dequeue(struct v4l2_buffer *b)
{
	struct fake_filled f = fake.filled[0];

	if (fake.dequeue_error) {
		return -fake.dequeue_error;
	}
	if (!fake.streaming || fake.filled_count == 0) {
		return fake.streaming ? -EAGAIN : -EINVAL;
	}
	fake.filled_count--;
	memmove(fake.filled, fake.filled + 1, fake.filled_count * sizeof(f));
	b->index = f.index;
	b->sequence = f.sequence;
	b->flags = f.flags;
	b->timestamp.tv_sec = (time_t)(f.timestamp_us / 1000000);
	b->timestamp.tv_usec = (suseconds_t)(f.timestamp_us % 1000000);
	b->bytesused = f.used[0];
	for (uint32_t i = 0; fake.multiplanar && i < fake.planes; i++) {
		b->m.planes[i].bytesused = f.used[i];
		b->m.planes[i].data_offset = f.offset[i];
	}
	return 0;
}

static int fake_stream(bool on)
{
	if (on) {
		fake.starts++;
		if (fake.stream_error) {
			return -fake.stream_error;
		}
		if (fake.largest_area && fake.width * fake.height > fake.largest_area) {
			return -ENOSPC;
		}
	} else {
		fake.queued_count = fake.filled_count = 0;
	}
	fake.streaming = on;
	return 0;
}

static int fake_request(struct v4l2_requestbuffers *r)
{
	if (fake.streaming) {
		return -EBUSY;
	}
	fake.requested = r->count > FAKE_BUFFERS ? FAKE_BUFFERS : r->count;
	r->count = fake.requested;
	return 0;
}

static int fake_ioctl(unsigned long request, void *argument)
{
	struct v4l2_capability *capability = argument;
	struct v4l2_input *input = argument;

	switch (request) {
	case VIDIOC_QUERYCAP:
		memcpy(capability->card,
			"Fake\x07"
			"Cam",
			sizeof("Fake\x07"
			       "Cam"));
		capability->capabilities = V4L2_CAP_DEVICE_CAPS | fake.device_caps;
		capability->device_caps = fake.device_caps;
		return 0;
	case VIDIOC_ENUMINPUT:
		input->type = fake.input_type;
		return 0;
	case VIDIOC_S_INPUT:
		return 0;
	case VIDIOC_ENUM_FMT:
	case VIDIOC_ENUM_FRAMESIZES:
	case VIDIOC_ENUM_FRAMEINTERVALS:
		return fake_list(request, argument);
	case VIDIOC_S_FMT:
		return fake_set_format(argument);
	case VIDIOC_G_PARM:
		return fake_parameters(false, argument);
	case VIDIOC_S_PARM:
		return fake_parameters(true, argument);
	case VIDIOC_REQBUFS:
		return fake_request(argument);
	case VIDIOC_QUERYBUF:
		return fake_query(argument);
	case VIDIOC_QBUF:
		return fake_queue(argument);
	case VIDIOC_DQBUF:
		return fake_dequeue(argument);
	case VIDIOC_STREAMON:
		return fake_stream(true);
	case VIDIOC_STREAMOFF:
		return fake_stream(false);
	default:
		return -ENOTTY;
	}
}

/* In place of libc's, for every descriptor of this test. */
int ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *argument;
	int r;

	(void)fd;
	va_start(ap, request);
	argument = va_arg(ap, void *);
	va_end(ap);
	r = fake_ioctl((uint32_t)request, argument);
	if (r < 0) {
		errno = -r;
		return -1;
	}
	return 0;
}

/* libv4lconvert goes past ioctl(). */
long syscall(long number, ...)
{
	static long (*next)(long, ...);
	long a[6];
	va_list ap;

	va_start(ap, number);
	for (size_t i = 0; i < 6; i++) {
		a[i] = va_arg(ap, long);
	}
	va_end(ap);
	if (number == SYS_ioctl) {
		return ioctl((int)a[0], (unsigned long)a[1], (void *)a[2]);
	}
	if (!next) {
		*(void **)&next = dlsym(RTLD_NEXT, "syscall");
	}
	return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

#endif
