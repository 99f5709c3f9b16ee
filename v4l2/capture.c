#include "capture.h"
#include "clock.h"
#include "fault.h"
#include "sframe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	STAMP_AGE_MAX_US = 1000000,
	JPEG_MAX_LEAST_BYTES = 256 << 10,
};

/* ---- pure parts ---- */

uint64_t capture_time_us(uint64_t stamp_us, uint64_t monotonic_us, uint64_t boottime_us)
{
	if (stamp_us == 0 || stamp_us > monotonic_us ||
		monotonic_us - stamp_us > STAMP_AGE_MAX_US) {
		return boottime_us;
	}
	return boottime_us - (monotonic_us - stamp_us);
}

size_t capture_jpeg_max_bytes(uint16_t width, uint16_t height)
{
	const size_t most = WIRE_FRAME_MAX_BYTES - WIRE_FRAME_HEADER_BYTES - SFRAME_OVERHEAD_BYTES;
	size_t size = (size_t)width * height * 2;

	if (size < JPEG_MAX_LEAST_BYTES) {
		size = JPEG_MAX_LEAST_BYTES;
	}
	return size < most ? size : most;
}

void capture_describe(const struct capture *c, char *out, size_t size)
{
	static const char *const handling[] = {
		[FORMAT_PASS] = "passed through",
		[FORMAT_ENCODE] = "encoded",
		[FORMAT_CONVERT] = "converted and encoded",
	};
	const struct mode *m = &c->mode.mode;
	uint64_t fps_x10 =
		m->interval_us > 0 ? (10000000 + m->interval_us / 2) / m->interval_us : 0;
	char name[FORMAT_NAME_BYTES];

	format_name(m->fourcc, name);
	if (fps_x10 % 10 != 0 && fps_x10 < 100) {
		snprintf(out, size, "%s %ux%u at %u.%u fps, %s", name, m->width, m->height,
			(unsigned int)(fps_x10 / 10), (unsigned int)(fps_x10 % 10),
			handling[c->mode.format->handling]);
		return;
	}
	snprintf(out, size, "%s %ux%u at %u fps, %s", name, m->width, m->height,
		(unsigned int)((fps_x10 + 5) / 10), handling[c->mode.format->handling]);
}

const char *capture_swappable(const struct capture *c)
{
	if (c->encoder && encode_swappable(c->encoder)) {
		return "encoder buffers";
	}
	if (c->converter && convert_swappable(c->converter)) {
		return "conversion buffer";
	}
	if (c->rewritten.data && !c->rewritten.locked) {
		return "picture buffer";
	}
	return NULL;
}

/* ---- starting and stopping ---- */

bool capture_running(const struct capture *c)
{
	return c->buffers.streaming;
}

/* The driver is held to what it agreed to at opening; a mode that was stepped down to may come out
 * as the driver likes, but not larger than what was allocated for. */
static bool mode_as_agreed(
	const struct device_mode *now, const struct device_mode *before, bool stepped)
{
	if (now->format->handling != before->format->handling) {
		return false;
	}
	if (stepped) {
		return now->mode.width <= before->mode.width &&
		       now->mode.height <= before->mode.height;
	}
	return now->mode.width == before->mode.width && now->mode.height == before->mode.height;
}

/* The next smaller mode into m. False when there is none. */
static bool step_down(struct capture *c, struct mode *m)
{
	while (c->step + 1 < FORMAT_STEPS) {
		const struct mode *next;

		c->step++;
		next = format_choose(&c->modes, device_multiplanar(&c->device), c->step);
		if (next && memcmp(next, m, sizeof(*m)) != 0) {
			*m = *next;
			return true;
		}
	}
	return false;
}

static int start_mode(struct capture *c, const struct mode *m, bool stepped)
{
	struct device_mode set;
	int r = device_set_mode(&c->device, m, &set);

	if (r < 0) {
		return r;
	}
	if (!mode_as_agreed(&set, &c->mode, stepped)) {
		return -ESTALE;
	}
	r = buffers_start(&c->buffers, &c->device, &set);
	if (r == 0) {
		c->mode = set;
	}
	return r;
}

int capture_start(struct capture *c, char problem[static DEVICE_PROBLEM_BYTES])
{
	struct mode m = c->mode.mode;
	bool stepped = false;
	int r;

	for (;;) {
		r = start_mode(c, &m, stepped);
		if (r != -ENOSPC || !step_down(c, &m)) {
			break;
		}
		stepped = true;
	}
	if (r < 0) {
		/* The next try begins where this one did. */
		c->step = stepped ? 0 : c->step;
		return r;
	}
	if (stepped) {
		snprintf(problem, DEVICE_PROBLEM_BYTES,
			"the bus has no bandwidth for more: stepped down to %ux%u at %u fps",
			c->mode.mode.width, c->mode.mode.height,
			c->mode.mode.interval_us ? 1000000 / c->mode.mode.interval_us : 0);
	}
	freeze_init(&c->freeze, c->mode.mode.interval_us);
	c->stamp_us = 0;
	return 0;
}

void capture_stop(struct capture *c)
{
	buffers_stop(&c->buffers);
	c->holding = false;
	if (c->encoder) {
		encode_wipe(c->encoder);
	}
	if (c->converter) {
		convert_wipe(c->converter);
	}
	plaintext_wipe(&c->rewritten);
}

/* ---- pictures ---- */

static uint64_t monotonic_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* A driver that hands out one buffer again and again repeats its timestamp: such a picture keeps
 * the time that it had, however long it is repeated. */
static uint64_t time_of(struct capture *c, const struct filled *f, uint64_t now_us)
{
	uint64_t monotonic_us;

	if (f->timestamp_us != 0 && f->timestamp_us == c->stamp_us) {
		return c->capture_us;
	}
	monotonic_us = monotonic_now_us();
	c->capture_us = capture_time_us(f->timestamp_us, monotonic_us, now_us);
	c->stamp_us = c->capture_us != now_us ? f->timestamp_us : 0;
	return c->capture_us;
}

/* Each way from a filled buffer to a JPEG returns DROP_REASONS when it went well. */

static enum drop_reason picture_pass(struct capture *c, const struct filled *f, struct picture *p)
{
	struct mjpeg m;
	size_t size = f->sizes[0];

	if (fault_happens(FAULT_SHORT_BUFFER)) {
		size = c->buffers.items[f->index].sizes[0];
	}
	if (mjpeg_check(f->memory[0], size, p->width, p->height, &m) < 0) {
		return DROP_BAD_PICTURE;
	}
	if (mjpeg_rewritten_size(&m) > c->jpeg_max_bytes) {
		return DROP_TOO_LARGE;
	}
	if (!mjpeg_needs_rewrite(&m)) {
		p->jpeg = f->memory[0];
		p->size = m.size;
		return DROP_REASONS;
	}
	plaintext_wipe(&c->rewritten);
	c->rewritten.used = mjpeg_rewritten_size(&m);
	if (mjpeg_rewrite(&m, f->memory[0], c->rewritten.data, c->rewritten.size, &p->size) < 0) {
		return DROP_BAD_PICTURE;
	}
	p->jpeg = c->rewritten.data;
	return DROP_REASONS;
}

static enum drop_reason picture_encode(struct capture *c, const struct filled *f, struct picture *p)
{
	struct raw_picture raw;
	int r;

	if (c->mode.format->handling == FORMAT_CONVERT) {
		r = convert_picture(c->converter, &c->mode.raw, f->memory[0], f->sizes[0], &raw);
	} else {
		r = format_picture(c->mode.format, p->width, p->height, f->memory, f->sizes,
			c->mode.strides, &raw);
	}
	if (r < 0) {
		return r == -EBADMSG ? DROP_SHORT : DROP_BAD_PICTURE;
	}
	if (encode_picture(c->encoder, &raw, &p->jpeg, &p->size) < 0) {
		return DROP_BAD_PICTURE;
	}
	return p->size <= c->jpeg_max_bytes ? DROP_REASONS : DROP_TOO_LARGE;
}

int capture_next(struct capture *c, struct picture *ret)
{
	struct picture p = {.width = c->mode.mode.width, .height = c->mode.mode.height};
	enum drop_reason reason;
	uint64_t now_us;
	int r = capture_release(c);

	if (r < 0) {
		return r;
	}
	r = buffers_newest(&c->buffers, c->dropped, &c->held);
	if (r < 0) {
		return r;
	}
	c->holding = true;
	now_us = clock_now_us();
	p.capture_us = time_of(c, &c->held, now_us);
	if (c->mode.format->handling == FORMAT_PASS) {
		reason = picture_pass(c, &c->held, &p);
	} else {
		reason = picture_encode(c, &c->held, &p);
	}
	if (reason != DROP_REASONS) {
		c->dropped[reason]++;
		r = capture_release(c);
		return r < 0 ? r : -EAGAIN;
	}
	p.frozen = freeze_check(&c->freeze, c->held.sequence, c->held.timestamp_us,
		freeze_digest(p.jpeg, p.size), now_us);
	*ret = p;
	return 0;
}

int capture_release(struct capture *c)
{
	if (!c->holding) {
		return 0;
	}
	c->holding = false;
	return buffers_return(&c->buffers, &c->held);
}

int capture_event(struct capture *c)
{
	struct v4l2_event e = {0};
	int r = device_ioctl(&c->device, VIDIOC_DQEVENT, &e);

	if (r == -ENOENT || r == -EAGAIN) {
		return 0;
	}
	if (r < 0) {
		return r;
	}
	if (e.type == V4L2_EVENT_SOURCE_CHANGE &&
		(e.u.src_change.changes & V4L2_EVENT_SRC_CH_RESOLUTION)) {
		return -ESTALE;
	}
	return 0;
}
