/* What a fake camera's driver puts into the buffers: the test pattern in any of its formats. */
#ifndef CAMGATE_FAKECAM_FRAMES_H
#define CAMGATE_FAKECAM_FRAMES_H

#include "fakecam.h"

struct frames;

/* For the format, layout and configuration that *m has now, which is borrowed. NULL: out of memory.
 */
struct frames *frames_create(const struct device_memory *m);
/* Accepts NULL. */
void frames_destroy(struct frames *f);
/* Makes frame `number`, captured at capture_us (CLOCK_BOOTTIME); fault: one of those of content
 * that an MJPEG frame can have, or FAULT_NONE. */
void frames_draw(struct frames *f, uint32_t number, uint64_t capture_us, uint32_t fault);
/* Copies what was drawn last to the planes of a buffer. */
void frames_copy(
	const struct frames *f, uint8_t *buffer, bool half, uint32_t ret_bytes[FAKECAM_PLANES_MAX]);

#endif
