#include "fresh.h"

enum { LIVE_MS = 2000, SLOW_MS = 1000, SLACK_MS = 100, TIME_BITS = 40 };

bool fresh_check(const struct display_picture *p, const struct opix *code, uint64_t now_us,
	int64_t *ret_age_ms)
{
	const uint64_t mask = (UINT64_C(1) << TIME_BITS) - 1;
	/* The picture knows the time modulo 2^40 ms. */
	uint64_t distance = (now_us / 1000 - code->capture_ms) & mask;
	int64_t age_ms =
		distance > mask / 2 ? (int64_t)distance - (int64_t)mask - 1 : (int64_t)distance;
	int64_t interval_ms = p->camera->frame_interval_us / 1000;
	if (ret_age_ms != NULL) {
		*ret_age_ms = age_ms;
	}
	return !p->live || (p->header.flags & FRAME_FROZEN) != 0 ||
	       age_ms <= SLACK_MS + (interval_ms > SLOW_MS ? 2 * interval_ms : LIVE_MS);
}
