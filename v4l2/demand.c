/* Captures while somebody watches, and for the linger after; see camera.h. */
#include "camera.h"
#include "log.h"

#include <errno.h>

enum {
	RETRY_US = 2000000, /* between two tries to start */
	SILENCE_US = 5000000, /* without a picture: failing */
};

static void stop(struct camera *c)
{
	source_stop(&c->source);
	c->linger_until_us = 0;
	c->retry_us = 0;
	c->trouble = NULL;
	c->status.activity = CAMERA_IDLE;
}

static void fail(struct camera *c, const char *trouble, uint64_t now_us)
{
	if (c->trouble != trouble) {
		log_warning("%s", trouble);
	}
	c->trouble = trouble;
	c->status.activity = CAMERA_FAILING;
	c->retry_us = now_us + RETRY_US;
}

static int start(struct camera *c, uint64_t now_us)
{
	int r = source_start(&c->source);

	c->retry_us = 0;
	c->alive_us = now_us;
	switch (r) {
	case 0:
		/* One that failed before has to show a picture first. */
		if (!c->trouble) {
			c->status.activity = CAMERA_STREAMING;
		}
		return 0;
	case -EBUSY:
		fail(c, "the device is in use by another program", now_us);
		return 0;
	case -ENOSPC:
		fail(c,
			"the bus has no bandwidth, not even for the smallest picture: "
			"use another USB port or fewer cameras",
			now_us);
		return 0;
	default:
		return r;
	}
}

/* A camera that streams and delivers nothing says so, and is stopped and started again, which helps
 * some of them. */
static void watch_silence(struct camera *c, uint64_t now_us)
{
	uint16_t width, height;
	uint32_t interval_us;
	uint64_t limit_us = SILENCE_US;

	source_mode(&c->source, &width, &height, &interval_us);
	if (4 * (uint64_t)interval_us > limit_us) {
		limit_us = 4 * (uint64_t)interval_us;
	}
	if (now_us - c->alive_us >= limit_us) {
		source_stop(&c->source);
		fail(c, "the camera delivers no usable picture", now_us);
	}
}

void demand_set(struct camera *c, uint8_t renditions, uint64_t now_us)
{
	if (!renditions && c->demand) {
		c->linger_until_us = now_us + (uint64_t)c->options->linger_s * 1000000;
	}
	c->demand = renditions;
}

int demand_follow(struct camera *c, uint64_t now_us)
{
	bool running = source_running(&c->source);

	if (!c->demand && now_us >= c->linger_until_us) {
		if (running || c->status.activity != CAMERA_IDLE) {
			stop(c);
		}
		return 0;
	}
	if (running) {
		watch_silence(c, now_us);
		return 0;
	}
	return c->demand && now_us >= c->retry_us ? start(c, now_us) : 0;
}
