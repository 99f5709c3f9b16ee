#include "source.h"

enum { AGE_LIMIT_US = 2000000, INTERVAL_MAX_US = 600000000 };

int source_init(struct source *s, const struct ipc_ring *ring, int memfd)
{
	*s = (struct source){.ring = *ring};
	return ring_reader_init(&s->reader, memfd, ring->frame_max_bytes);
}

void source_finish(struct source *s)
{
	ring_reader_finish(&s->reader);
	*s = (struct source){0};
}

void source_note(struct source *s)
{
	uint64_t newest = ring_newest(&s->reader);
	struct wire_frame_header header;
	uint32_t size;

	if (newest <= s->seen || ring_peek(&s->reader, newest, &header, &size) < 0) {
		return;
	}
	if (s->seen > 0 && header.capture_us > s->seen_us) {
		uint64_t interval = (header.capture_us - s->seen_us) / (newest - s->seen);

		s->interval_us = interval < INTERVAL_MAX_US ? (uint32_t)interval : INTERVAL_MAX_US;
	}
	s->seen = newest;
	s->seen_us = header.capture_us;
}

uint64_t source_age_limit_us(const struct source *s)
{
	uint64_t slow = 2 * (uint64_t)s->interval_us;

	return slow > AGE_LIMIT_US ? slow : AGE_LIMIT_US;
}
