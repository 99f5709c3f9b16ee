/*
 * The built-in test camera: draws the pattern at its pace and encodes it, so that the first minute
 * needs no hardware and every test can read from a picture which camera made it, and when.
 *
 * One thread. 0 or -errno.
 */
#ifndef CAMGATE_TESTCARD_H
#define CAMGATE_TESTCARD_H

#include "encode.h"
#include "pattern.h"
#include "picture.h"
#include "plaintext.h"

struct testcard {
	uint16_t width, height;
	uint32_t interval_us;
	uint32_t number; /* of the next frame */
	int timer; /* timerfd, -1: none */
	bool running;
	struct pattern *pattern;
	struct encoder *encoder;
	struct plaintext planes;
};

/* spec as pattern_parse_spec takes it; tag is what the pictures carry. -EINVAL for a bad spec. */
int testcard_init(struct testcard *t, const char *spec, uint32_t tag);
/* Accepts a testcard whose init failed. */
void testcard_finish(struct testcard *t);
int testcard_start(struct testcard *t);
/* Stops the timer and wipes. */
void testcard_stop(struct testcard *t);
/* Draws a picture if its time has come, otherwise -EAGAIN. */
int testcard_next(struct testcard *t, struct picture *ret);

#endif
