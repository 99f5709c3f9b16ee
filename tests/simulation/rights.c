/* Who may see what, as committed: grants, and what is suspended; see oracle.h. */
#include "truth.h"

#include <string.h>

static struct {
	bool granted[DISPLAYS][BODIES];
	bool kinds[DISPLAY_KINDS], displays[DISPLAYS], cameras[BODIES]; /* suspended */
	bool seen[DISPLAYS][BODIES]; /* what comes of it, */
	uint64_t given_step[DISPLAYS][BODIES]; /* and the last step that gave it, */
	uint64_t taken_us[DISPLAYS][BODIES]; /* and the last time that it was taken */
} rights;

void rights_reset(void)
{
	memset(&rights, 0, sizeof(rights));
}

bool oracle_is_suspended(unsigned int display)
{
	return rights.kinds[display_side_kind(display)] || rights.displays[display];
}

static bool may_see(unsigned int d, unsigned int body)
{
	return rights.granted[d][body] && !oracle_is_suspended(d) && !rights.cameras[body];
}

static void settle(void)
{
	for (unsigned int d = 0; d < DISPLAYS; d++) {
		for (unsigned int body = 0; body < BODIES; body++) {
			bool now = may_see(d, body);

			if (now && !rights.seen[d][body]) {
				rights.given_step[d][body] = world.step;
			} else if (!now && rights.seen[d][body]) {
				rights.taken_us[d][body] = world.now_us;
			}
			rights.seen[d][body] = now;
		}
	}
}

void oracle_granted(const uint8_t *display, const uint8_t *camera)
{
	int d = display_of_id(display);
	unsigned int body = oracle_body_of(camera);

	if (d >= 0 && body < BODIES) {
		rights.granted[d][body] = true;
	}
	settle();
}

void oracle_revoked(const uint8_t *display, const uint8_t *camera)
{
	int d = display_of_id(display);

	for (unsigned int body = 0; d >= 0 && body < BODIES; body++) {
		if (!camera || oracle_body_of(camera) == body) {
			rights.granted[d][body] = false;
		}
	}
	/* Who is removed takes its suspension along. */
	if (d >= 0 && !camera) {
		rights.displays[d] = false;
	}
	settle();
}

void oracle_suspended(enum suspended what, const uint8_t *id, bool is)
{
	int d = what == SUSPENDED_DISPLAY ? display_of_id(id) : -1;
	unsigned int body = what == SUSPENDED_CAMERA ? oracle_body_of(id) : BODIES;

	if (d >= 0) {
		rights.displays[d] = is;
	} else if (body < BODIES) {
		rights.cameras[body] = is;
	} else if ((unsigned int)what < DISPLAY_KINDS) {
		rights.kinds[what] = is;
	}
	settle();
}

bool oracle_may_see(unsigned int display, unsigned int body)
{
	return body < BODIES && rights.seen[display][body];
}

bool truth_is_withheld(unsigned int display, unsigned int body, uint32_t granted, uint64_t step)
{
	return !(granted >> display & 1) && rights.given_step[display][body] < step;
}

uint64_t truth_revoked_us(unsigned int display, unsigned int body)
{
	return rights.taken_us[display][body];
}
