#include "testcard.h"
#include "clock.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

int testcard_init(struct testcard *t, const char *spec, uint32_t tag)
{
	size_t chroma;
	int r;

	*t = (struct testcard){.timer = -1};
	r = pattern_parse_spec(spec, &t->width, &t->height, &t->interval_us);
	if (r < 0) {
		return r;
	}
	chroma = (((size_t)t->width + 1) / 2) * (((size_t)t->height + 1) / 2);
	t->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (t->timer < 0) {
		return -errno;
	}
	r = plaintext_init(&t->planes, (size_t)t->width * t->height + 2 * chroma);
	if (r < 0) {
		testcard_finish(t);
		return r;
	}
	t->pattern = pattern_create(t->width, t->height, tag);
	t->encoder = encode_create(t->width, t->height);
	if (!t->pattern || !t->encoder) {
		testcard_finish(t);
		return -ENOMEM;
	}
	return 0;
}

void testcard_finish(struct testcard *t)
{
	if (t->timer >= 0) {
		close(t->timer);
	}
	pattern_destroy(t->pattern);
	encode_destroy(t->encoder);
	plaintext_finish(&t->planes);
	*t = (struct testcard){.timer = -1};
}

int testcard_start(struct testcard *t)
{
	struct itimerspec pace = {.it_value = {.tv_nsec = 1}};

	pace.it_interval.tv_sec = t->interval_us / 1000000;
	pace.it_interval.tv_nsec = (long)(t->interval_us % 1000000) * 1000;
	if (timerfd_settime(t->timer, 0, &pace, NULL) < 0) {
		return -errno;
	}
	t->running = true;
	return 0;
}

void testcard_stop(struct testcard *t)
{
	const struct itimerspec never = {.it_value = {0}};

	(void)timerfd_settime(t->timer, 0, &never, NULL);
	t->running = false;
	plaintext_wipe(&t->planes);
	if (t->encoder) {
		encode_wipe(t->encoder);
	}
}

int testcard_next(struct testcard *t, struct picture *ret)
{
	size_t luma = (size_t)t->width * t->height;
	size_t chroma_width = ((size_t)t->width + 1) / 2;
	size_t chroma = chroma_width * (((size_t)t->height + 1) / 2);
	uint8_t *y = t->planes.data;
	struct raw_picture raw = {
		.packing = PACKING_YU12,
		.width = t->width,
		.height = t->height,
		.planes = {y, y + luma, y + luma + chroma},
		.strides = {t->width, chroma_width, chroma_width},
	};
	struct picture p = {.width = t->width, .height = t->height};
	uint64_t expired;
	int r;

	if (read(t->timer, &expired, sizeof(expired)) < 0) {
		return -errno;
	}
	p.capture_us = clock_now_us();
	t->planes.used = luma + 2 * chroma;
	pattern_draw(t->pattern, t->number++, p.capture_us, y, y + luma, y + luma + chroma);
	r = encode_picture(t->encoder, &raw, &p.jpeg, &p.size);
	if (r < 0) {
		return r;
	}
	*ret = p;
	return 0;
}
