#include "source.h"
#include "wish.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

int source_open(
	struct source *s, const char *spec, unsigned int instance, const struct config *config)
{
	int r;

	*s = (struct source){.capture = {.device = {.fd = -1}}, .testcard = {.timer = -1}};
	if (spec[0] == '/') {
		return capture_open_wished(&s->capture, spec, wish_find(config, spec), s->problem);
	}
	s->test = true;
	r = testcard_init(&s->testcard, spec, instance);
	if (r == -EINVAL) {
		snprintf(s->problem, sizeof(s->problem),
			"'%.60s' is no camera: it must be /dev/videoN, pattern or pattern:WxH@FPS",
			spec);
	} else if (r < 0) {
		snprintf(s->problem, sizeof(s->problem), "the test camera cannot start: %s",
			strerror(-r));
	}
	return r;
}

void source_close(struct source *s)
{
	if (s->test) {
		testcard_finish(&s->testcard);
	} else {
		capture_close(&s->capture);
	}
}

int source_start(struct source *s)
{
	return s->test ? testcard_start(&s->testcard) : capture_start(&s->capture, s->problem);
}

void source_stop(struct source *s)
{
	if (s->test) {
		testcard_stop(&s->testcard);
	} else {
		capture_stop(&s->capture);
	}
}

bool source_running(const struct source *s)
{
	return s->test ? s->testcard.running : capture_running(&s->capture);
}

int source_next(struct source *s, struct picture *ret)
{
	return s->test ? testcard_next(&s->testcard, ret) : capture_next(&s->capture, ret);
}

int source_release(struct source *s)
{
	return s->test ? 0 : capture_release(&s->capture);
}

int source_event(struct source *s, short revents)
{
	struct v4l2_capability capability;
	int r = 0;

	if (s->test) {
		return revents & (POLLERR | POLLHUP | POLLNVAL) ? -EIO : 0;
	}
	if (revents & POLLPRI) {
		r = capture_event(&s->capture);
	}
	if (r < 0 || !(revents & (POLLERR | POLLHUP | POLLNVAL))) {
		return r;
	}
	r = device_ioctl(&s->capture.device, VIDIOC_QUERYCAP, &capability);
	if (r < 0) {
		return r;
	}
	/* It is still there: an error while streaming, and nothing while not, when some drivers
	 * call a device without buffers an error. */
	return source_running(s) ? -EIO : 0;
}

int source_descriptor(const struct source *s, short *ret_events)
{
	if (s->test) {
		*ret_events = POLLIN;
		return s->testcard.timer;
	}
	*ret_events = source_running(s) ? POLLIN | POLLPRI : POLLPRI;
	return s->capture.device.fd;
}

void source_describe(const struct source *s, char *mode, size_t size)
{
	const struct testcard *t = &s->testcard;

	if (s->test) {
		snprintf(mode, size, "test pattern %ux%u at %u fps, encoded", t->width, t->height,
			(1000000 + t->interval_us / 2) / t->interval_us);
		return;
	}
	capture_describe(&s->capture, mode, size);
}

const char *source_model(const struct source *s)
{
	return s->test ? "Test camera" : s->capture.device.model;
}

void source_mode(const struct source *s, uint16_t *ret_width, uint16_t *ret_height,
	uint32_t *ret_interval_us)
{
	if (s->test) {
		*ret_width = s->testcard.width;
		*ret_height = s->testcard.height;
		*ret_interval_us = s->testcard.interval_us;
		return;
	}
	*ret_width = s->capture.mode.mode.width;
	*ret_height = s->capture.mode.mode.height;
	*ret_interval_us = s->capture.mode.mode.interval_us;
}

uint64_t *source_dropped(struct source *s)
{
	return s->capture.dropped;
}

size_t source_jpeg_max_bytes(const struct source *s)
{
	return s->test ? capture_jpeg_max_bytes(s->testcard.width, s->testcard.height)
		       : s->capture.jpeg_max_bytes;
}

const char *source_swappable(const struct source *s)
{
	if (!s->test) {
		return capture_swappable(&s->capture);
	}
	return !s->testcard.planes.locked || encode_swappable(s->testcard.encoder)
		       ? "test picture buffers"
		       : NULL;
}
