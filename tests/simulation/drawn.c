/* What reaches a display, and what it may draw; see oracle.h. */
#include "truth.h"

#include "web/client/display.h"

#include <string.h>

enum { LIVE_US = 2000000 };

/* What each display drew last of each camera process. */
static struct {
	uint64_t process, number;
} drawn[DISPLAYS][BODIES];

void drawn_reset(void)
{
	memset(drawn, 0, sizeof(drawn));
}

void oracle_arrived(const uint8_t *bytes, size_t size)
{
	struct wire_chunk c;
	const uint8_t *piece;
	size_t piece_size;

	if (bytes[0] == WIRE_CHUNK && wire_parse_chunk(bytes, size, &c, &piece, &piece_size) == 0 &&
		c.offset + piece_size == c.total) {
		world.deliveries++;
	}
}

void oracle_drawn(unsigned int display, const struct display_picture *p)
{
	unsigned int body = oracle_body_of(p->header.camera);
	struct picture_truth t;
	int64_t age_us;

	world.drawn++;
	memcpy(&t, p->jpeg + PICTURE_TRUTH_AT, sizeof(t));
	if (body >= BODIES || t.body != body || oracle_body_of(p->camera->id) != body) {
		oracle_fail("I4", "display %u draws camera %u under the name of camera %u", display,
			t.body, body);
	}
	if (truth_is_withheld(display, body, t.granted, t.step)) {
		oracle_fail("I8",
			"display %u draws a picture of camera %u that was taken when it "
			"had no grant",
			display, body);
	}
	age_us = (int64_t)(world.now_us - t.capture_us);
	if (age_us > p->age_us || (p->live && age_us > LIVE_US)) {
		oracle_fail("I7", "display %u draws a picture of %lld us as of %lld us%s", display,
			(long long)age_us, (long long)p->age_us, p->live ? ", live" : "");
	}
	if (drawn[display][body].process == t.process && drawn[display][body].number >= t.number) {
		oracle_fail("I6", "display %u draws picture %llu of camera %u after picture %llu",
			display, (unsigned long long)t.number, body,
			(unsigned long long)drawn[display][body].number);
	}
	drawn[display][body].process = t.process;
	drawn[display][body].number = t.number;
}
