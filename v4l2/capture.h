/*
 * Pictures from one V4L2 device: the mode, the buffers and the way from a buffer to a JPEG.
 *
 * Opened once in the life of the process, before the sandbox; started and stopped by demand after
 * it. While stopped it holds no buffers, and the camera's light is off. One thread. Functions
 * return 0 or -errno; `problem` is a sentence for people.
 */
#ifndef CAMGATE_CAPTURE_H
#define CAMGATE_CAPTURE_H

#include "buffers.h"
#include "config.h"
#include "convert.h"
#include "encode.h"
#include "freeze.h"
#include "mjpeg.h"
#include "picture.h"
#include "plaintext.h"

struct capture {
	struct device device;
	struct mode_list modes; /* those that can still be stepped down to */
	struct device_mode mode;
	unsigned int step;
	struct buffers buffers;
	struct encoder *encoder;
	struct converter *converter;
	struct plaintext rewritten; /* JPEG that could not be passed through as it was */
	struct freeze freeze;
	struct filled held;
	bool holding; /* held is ours until it is returned */
	uint64_t stamp_us; /* the driver's last timestamp that we believed, 0: none */
	uint64_t capture_us; /* what it became */
	uint64_t dropped[DROP_REASONS];
	size_t jpeg_max_bytes;
};

/* Opens, identifies, negotiates and allocates: everything that the sandbox will not allow later. */
int capture_open(struct capture *c, const char *path, char problem[static DEVICE_PROBLEM_BYTES]);
/* The same in a mode that the owner wishes (wish.h; NULL: none), as far as the camera offers it. */
int capture_open_wished(struct capture *c, const char *path, const struct config_mode *wish,
	char problem[static DEVICE_PROBLEM_BYTES]);
/* Stops, wipes, closes. Accepts a capture whose open failed. */
void capture_close(struct capture *c);
/* Starts streaming. Steps the mode down where the bus has not the bandwidth, and says so in problem
 * (which is left alone otherwise). -EBUSY: another program has it, try again; -ENOSPC: not even the
 * smallest mode fits, try again; anything else is final. */
int capture_start(struct capture *c, char problem[static DEVICE_PROBLEM_BYTES]);
/* Stops, gives all buffers back and wipes what was in the clear. */
void capture_stop(struct capture *c);
bool capture_running(const struct capture *c);
/* The newest picture. -EAGAIN: none yet, or dropped and counted; other errors are final. */
int capture_next(struct capture *c, struct picture *ret);
/* Gives the buffer of the last picture back to the driver. */
int capture_release(struct capture *c);
/* An event is there (POLLPRI): -ESTALE if the picture format changed under us. */
int capture_event(struct capture *c);
/* "MJPG 1280x720 at 30 fps, passed through" */
void capture_describe(const struct capture *c, char *out, size_t size);
/* Names what could not be locked into memory, or NULL. */
const char *capture_swappable(const struct capture *c);

/* A driver's timestamp as CLOCK_BOOTTIME, if it lies within the last second of CLOCK_MONOTONIC;
 * otherwise the time now. Pure. */
uint64_t capture_time_us(uint64_t stamp_us, uint64_t monotonic_us, uint64_t boottime_us);
/* The largest JPEG that is published for pictures of this size. Pure. */
size_t capture_jpeg_max_bytes(uint16_t width, uint16_t height);

#endif
