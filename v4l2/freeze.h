/*
 * Notices a camera that repeats itself: the same sequence number, the same timestamp or the same
 * picture for nearly two seconds (or two frame intervals, where those are longer). Pure; times are
 * of any one clock.
 *
 * A mark that never changed says nothing: some drivers leave the sequence number or the timestamp
 * at zero. Content alone counts from the start, because a real sensor has noise.
 */
#ifndef CAMGATE_FREEZE_H
#define CAMGATE_FREEZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum freeze_mark { FREEZE_SEQUENCE, FREEZE_TIMESTAMP, FREEZE_CONTENT, FREEZE_MARKS };

struct freeze {
	uint64_t limit_us;
	bool started;
	struct {
		uint64_t value;
		uint64_t since_us; /* when this value was seen first */
		bool alive; /* has changed before */
	} marks[FREEZE_MARKS];
};

void freeze_init(struct freeze *f, uint32_t interval_us);
/* One picture. True while the camera repeats itself. */
bool freeze_check(struct freeze *f, uint64_t sequence, uint64_t timestamp_us, uint64_t content,
	uint64_t now_us);
/* A quick digest of a picture. No secret and no checksum against malice: a camera that wants to
 * look alive can. */
uint64_t freeze_digest(const uint8_t *data, size_t size);

#endif
