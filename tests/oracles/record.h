/*
 * O-AUDIT: what displays drew, against what the hub has on record (gateway/audit.h). Each drawn
 * frame is covered by exactly one opening, of this display, camera, session and stream; the hub
 * sent at least as many as were drawn, unless the record itself says that its counts are not whole
 * (audit_counts_whole); nothing was captured after a viewing ended by a revoke.
 *
 * One list per program, filled by every viewer; hub_end checks it against the store.
 */
#ifndef CAMGATE_TESTS_RECORD_H
#define CAMGATE_TESTS_RECORD_H

#include "gateway/wire.h"

struct record_viewing {
	uint8_t display[DISPLAY_ID_BYTES];
	uint8_t camera[CAMERA_ID_BYTES];
	uint8_t session[SESSION_ID_BYTES];
	uint16_t stream;
};

/* A display of this hub (any pointer that names it) drew a frame. */
void record_draw(const void *hub, const struct record_viewing *v, uint64_t capture_us);
/* How many viewings are not on record as they should be, the first of them in words. The hub must
 * have ended. -EIO when its store cannot be read. What was drawn is forgotten then. */
int record_check(const void *hub, const char *state_dir, char *complaint, size_t size);

#endif
