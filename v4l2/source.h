/*
 * Where a camera role's pictures come from: one V4L2 device, or the built-in test camera. Both have
 * the same life: opened once, started and stopped by demand, asked for the newest picture when
 * their descriptor is readable.
 */
#ifndef CAMGATE_SOURCE_H
#define CAMGATE_SOURCE_H

#include "capture.h"
#include "testcard.h"

struct source {
	bool test; /* the test camera */
	struct capture capture;
	struct testcard testcard;
	char problem[DEVICE_PROBLEM_BYTES]; /* what is wrong, a sentence for people, or empty */
};

/* spec: "/dev/videoN", "pattern" or "pattern:WxH@FPS". -EINVAL for anything else. On failure
 * problem says what is wrong and what to do. instance is what a test camera's pictures are tagged
 * with. config: may wish a mode for this device. */
int source_open(
	struct source *s, const char *spec, unsigned int instance, const struct config *config);
void source_close(struct source *s);
/* See capture_start. */
int source_start(struct source *s);
void source_stop(struct source *s);
bool source_running(const struct source *s);
/* 0; -EAGAIN: nothing to show yet; anything else is final. */
int source_next(struct source *s, struct picture *ret);
/* The picture was used: its memory may go back to the driver. */
int source_release(struct source *s);
/* What poll said of the descriptor, apart from POLLIN. -ESTALE: the format changed; -ENODEV: gone.
 */
int source_event(struct source *s, short revents);
/* What to poll, and for what. */
int source_descriptor(const struct source *s, short *ret_events);
/* What the keeper is told. */
void source_describe(const struct source *s, char *mode, size_t size);
const char *source_model(const struct source *s);
/* In force, or the largest that it may be. interval_us may be 0: unknown. */
void source_mode(const struct source *s, uint16_t *ret_width, uint16_t *ret_height,
	uint32_t *ret_interval_us);
/* Counts of what was not published, by drop_reason; the caller adds its own. */
uint64_t *source_dropped(struct source *s);
size_t source_jpeg_max_bytes(const struct source *s);
/* Names what could not be locked into memory, or NULL. */
const char *source_swappable(const struct source *s);

#endif
