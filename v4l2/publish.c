#include "camera.h"
#include "clock.h"
#include "fault.h"

#include <errno.h>
#include <string.h>

uint32_t publish_slot_bytes(const struct source *s)
{
	return (uint32_t)(WIRE_FRAME_HEADER_BYTES + SFRAME_OVERHEAD_BYTES +
			  source_jpeg_max_bytes(s));
}

static ssize_t seal(struct camera *c, struct wire_frame_header *h, const struct picture *p)
{
	uint8_t *slot = ring_begin(&c->ring);

	return epoch_seal(c->epochs, h, p->jpeg, p->size, clock_now_us(), slot, c->ring.slot_bytes);
}

int publish_picture(struct camera *c, const struct picture *p)
{
	struct wire_frame_header h = {
		.rendition = RENDITION_FULL,
		.flags = (uint8_t)((p->frozen ? FRAME_FROZEN : 0) |
				   (c->source.test ? FRAME_TEST : 0)),
		.width = p->width,
		.height = p->height,
		.capture_us = p->capture_us,
	};
	ssize_t size;
	int r = camera_hear(c);

	if (r < 0) {
		return r;
	}
	if (!c->demand) {
		return 0;
	}
	if (p->size > source_jpeg_max_bytes(&c->source)) {
		source_dropped(&c->source)[DROP_TOO_LARGE]++;
		return 0;
	}
	memcpy(h.camera, c->id, sizeof(h.camera));
	if (fault_happens(FAULT_RENDITIONS_CROSSED)) {
		h.rendition = (uint8_t)(c->status.sealed % 2);
	}
	size = seal(c, &h, p);
	if (size == -EKEYEXPIRED) {
		/* The scheduled rotation did not come in time. */
		r = epochs_break(c->epochs, clock_now_us());
		if (r == 0) {
			r = orders_tell_rotated(c, 0);
		}
		if (r < 0) {
			return r;
		}
		size = seal(c, &h, p);
	}
	if (size < 0) {
		return (int)size;
	}
	ring_publish(&c->ring, &h, (uint32_t)size);
	c->status.sealed++;
	return 0;
}
