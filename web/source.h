/*
 * One camera as the web role sees it: a ring of sealed frames, mapped read-only, and whose it is.
 *
 * What the keeper said of the ring (camera, generation, largest frame) is what frames are checked
 * against; what the ring itself says is a hint. One thread. 0 or -errno.
 */
#ifndef CAMGATE_SOURCE_H
#define CAMGATE_SOURCE_H

#include "gateway/ipc.h"
#include "gateway/ring.h"

struct source {
	struct ipc_ring ring;
	struct ring_reader reader;
	uint64_t seen; /* number of the newest frame when source_note was last called */
	uint64_t seen_us; /* and its capture time */
	uint32_t interval_us; /* between frames, as observed; 0: not known yet */
};

/* Maps the ring; the descriptor stays the caller's. */
int source_init(struct source *s, const struct ipc_ring *ring, int memfd);
void source_finish(struct source *s);
/* There may be a newer frame: learns the camera's pace. */
void source_note(struct source *s);
/* How old a frame of this camera may be when it is still worth sending (web/PROTOCOL.md, Time). */
uint64_t source_age_limit_us(const struct source *s);

#endif
