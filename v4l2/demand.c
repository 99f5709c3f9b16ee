/* Captures while somebody watches, and for the linger after; what fails meanwhile is told and tried
 * again, ever more seldom; see camera.h. */
#include "camera.h"
#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	RETRY_FIRST_US = 500000, /* between two tries to start: doubled each time */
	RETRY_MAX_US = 10000000,
	SILENCE_US = 5000000, /* without a picture: failing, and started anew: doubled, too */
	RESTART_MAX_US = 60000000,
	STEADY_US = 10000000, /* of pictures: whatever was wrong is over */
};

enum trouble { BUSY, BANDWIDTH, START, BROKEN_OFF, SILENT, SPOILED };

static const char *const troubles[] = {
	[BUSY] = "the device is in use by another program",
	[BANDWIDTH] = "the bus has no bandwidth, not even for the smallest picture: "
		      "use another USB port or fewer cameras",
	[START] = "the camera does not start: unplug it and plug it in again",
	[BROKEN_OFF] = "the camera broke off: unplug it and plug it in again",
	[SILENT] = "the camera was started and delivers nothing: unplug it and plug it in again",
	[SPOILED] = "the camera delivers broken pictures only: mostly it is the cable, the hub or "
		    "too little power",
};

static uint64_t backoff_us(struct camera *c, uint64_t first_us, uint64_t max_us)
{
	uint64_t us = first_us;

	for (unsigned int i = 0; i < c->tries && us < max_us; i++) {
		us *= 2;
	}
	c->tries++;
	return us < max_us ? us : max_us;
}

/* error 0: there is no more to say. Logged once until it is over for good: a camera may go to and
 * fro between two troubles all night. */
static void report(struct camera *c, enum trouble trouble, int error)
{
	(void)snprintf(c->trouble, sizeof(c->trouble), "%s%s%s%s", troubles[trouble],
		error != 0 ? " (" : "", error != 0 ? strerror(-error) : "", error != 0 ? ")" : "");
	if ((c->said & 1U << trouble) == 0) {
		log_warning("%s: %s; trying on", c->options->arguments[0], c->trouble);
	}
	c->said |= 1U << trouble;
	c->status.activity = CAMERA_FAILING;
}

static uint64_t spoiled(const struct camera *c)
{
	const uint64_t *dropped = c->source.capture.dropped;
	uint64_t sum = 0;

	for (size_t i = 0; i < DROP_REASONS; i++) {
		sum += i == DROP_STALE ? 0 : dropped[i];
	}
	return sum;
}

static void stop(struct camera *c)
{
	source_stop(&c->source);
	c->linger_until_us = 0;
	c->retry_us = 0;
	c->alive_us = 0;
	c->tries = 0;
	c->trouble[0] = '\0';
	c->status.activity = CAMERA_IDLE;
}

static int start(struct camera *c, uint64_t now_us)
{
	int r = source_start(&c->source);

	c->retry_us = 0;
	if (c->alive_us == 0) {
		c->alive_us = now_us;
		c->spoiled = spoiled(c);
	}
	switch (r) {
	case 0:
		/* One that failed before has to show a picture first. */
		if (c->trouble[0] == '\0') {
			c->status.activity = CAMERA_STREAMING;
		}
		return 0;
	case -ENODEV:
	case -ESTALE:
		return r;
	case -EBUSY:
		report(c, BUSY, 0);
		break;
	case -ENOSPC:
		report(c, BANDWIDTH, 0);
		break;
	default:
		report(c, START, r);
		break;
	}
	c->retry_us = now_us + backoff_us(c, RETRY_FIRST_US, RETRY_MAX_US);
	return 0;
}

/* A camera that streams and delivers nothing says so. It is stopped and started again now and then,
 * which helps some of them; in between it is listened to, so that it is back at once. */
static void watch_silence(struct camera *c, uint64_t now_us)
{
	uint16_t width, height;
	uint32_t interval_us;
	uint64_t limit_us = SILENCE_US;

	source_mode(&c->source, &width, &height, &interval_us);
	if (4 * (uint64_t)interval_us > limit_us) {
		limit_us = 4 * (uint64_t)interval_us;
	}
	if (now_us - c->alive_us < limit_us) {
		return;
	}
	report(c, spoiled(c) > c->spoiled ? SPOILED : SILENT, 0);
	if (now_us >= c->restart_us) {
		source_stop(&c->source);
		c->retry_us = now_us;
		c->restart_us = now_us + backoff_us(c, SILENCE_US, RESTART_MAX_US);
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

void demand_satisfied(struct camera *c, bool frozen, uint64_t now_us)
{
	if (c->trouble[0] != '\0' || c->alive_us == 0) {
		c->steady_us = now_us + STEADY_US;
	}
	c->trouble[0] = '\0';
	c->alive_us = now_us;
	c->spoiled = spoiled(c);
	c->status.activity = frozen ? CAMERA_FROZEN : CAMERA_STREAMING;
	if (c->said != 0 && now_us >= c->steady_us) {
		log_info("%s delivers pictures again", c->options->arguments[0]);
		c->said = 0;
		c->tries = 0;
		c->restart_us = 0;
	}
}

int demand_stumble(struct camera *c, int error, uint64_t now_us)
{
	if (error >= 0 || error == -EAGAIN) {
		return 0;
	}
	/* Unplugged, or another picture format: nothing that this process may open again. */
	if (error == -ENODEV || error == -ESTALE) {
		return error;
	}
	source_stop(&c->source);
	report(c, BROKEN_OFF, error);
	c->retry_us = now_us + backoff_us(c, RETRY_FIRST_US, RETRY_MAX_US);
	return 0;
}
