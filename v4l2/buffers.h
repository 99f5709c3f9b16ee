/*
 * The mapped buffers of one capture device (V4L2 memory-mapped streaming, single- and
 * multi-planar).
 *
 * A buffer belongs to the driver while it is queued and to us from buffers_newest to
 * buffers_return, which wipes what was in it before the driver gets it back: what a short next
 * picture does not overwrite must not be the last one. No buffer that the driver marked as broken,
 * or that is empty or shorter than its picture, ever leaves here. Functions return 0 or -errno.
 */
#ifndef CAMGATE_BUFFERS_H
#define CAMGATE_BUFFERS_H

#include "device.h"
#include "ipc.h"

enum { BUFFERS_WANTED = 4, BUFFERS_MAX = 8 };

struct buffers {
	const struct device *device; /* borrowed */
	uint8_t memory_planes;
	size_t least_bytes[FORMAT_PLANES_MAX]; /* less than this is short; 1 for compressed formats
						*/
	size_t count;
	bool streaming;
	struct {
		uint8_t *memory[FORMAT_PLANES_MAX];
		size_t sizes[FORMAT_PLANES_MAX];
	} items[BUFFERS_MAX];
};

/* A filled buffer. Borrows the mapped memory until buffers_return. */
struct filled {
	uint32_t index;
	uint32_t sequence;
	uint32_t flags; /* V4L2_BUF_FLAG_… */
	uint64_t timestamp_us; /* of the clock that flags name; 0: none */
	const uint8_t *memory[FORMAT_PLANES_MAX];
	size_t sizes[FORMAT_PLANES_MAX];
	size_t dirty[FORMAT_PLANES_MAX]; /* bytes to wipe, from the start of each plane */
};

/* Asks for the buffers, maps and queues them, starts streaming. -ENOSPC: the bus has not the
 * bandwidth; -EBUSY: another program streams. On failure everything is given back. */
int buffers_start(struct buffers *b, const struct device *d, const struct device_mode *m);
/* Stops, wipes, unmaps and frees. Accepts what was never started. */
void buffers_stop(struct buffers *b);
/* Takes all filled buffers and keeps the newest good one; dropped[] counts the others by reason. 0;
 * -EAGAIN when there is no good one; other errors are the device's and final. */
int buffers_newest(struct buffers *b, uint64_t dropped[static DROP_REASONS], struct filled *ret);
/* Wipes the buffer and queues it again. */
int buffers_return(struct buffers *b, const struct filled *f);
/* DROP_REASONS if good, otherwise the reason to drop it. Pure. */
enum drop_reason buffers_judge(const struct buffers *b, const struct filled *f);

#endif
