/* What the owner does: gives and takes rights, suspends and resumes. */
#include "oracle.h"

static void grant(unsigned int display, unsigned int body)
{
	const uint8_t *camera = oracle_camera_of(body);
	int result;

	if (camera) {
		result = registry_grant(world.keeper.registry, display_side_id(display), camera);
		trace("display %u is granted camera %u: %d", display, body, result);
		keeper_settle();
	}
}

/* body BODIES: everything, the display is unknown from then on. */
static void revoke(unsigned int display, unsigned int body)
{
	const uint8_t *camera = body == BODIES ? NULL : oracle_camera_of(body);
	int result;

	if (camera || body == BODIES) {
		trace("revoke of camera %u from display %u", body, display);
		result = registry_revoke(
			world.keeper.registry, display_side_id(display), camera, ++world.event);
		world.revokes += result == 0;
		trace("revoked: %d", result);
		keeper_settle();
	}
}

void owner_changes_grants(void)
{
	unsigned int what = chance_below(24);
	unsigned int display = chance_below(DISPLAYS), body = chance_below(BODIES);

	/* Mostly what makes a difference. */
	for (unsigned int i = 0; i < 6 && oracle_may_see(display, body) != (what < 6); i++) {
		display = chance_below(DISPLAYS);
		body = chance_below(BODIES);
	}
	switch (what) {
	case 0:
		revoke(display, BODIES);
		if (chance_once_in(2)) {
			display_enroll(display);
		}
		break;
	case 1:
	case 2:
	case 3:
	case 4:
		revoke(display, body);
		break;
	case 5:
		/* Again before anybody has heard of the first. */
		revoke(display, body);
		grant(display, body);
		break;
	case 6:
		display_enroll(display);
		break;
	case 7:
		for (unsigned int i = 0; i < DISPLAYS; i++) {
			grant(i, body);
		}
		break;
	default:
		grant(display, body);
		break;
	}
}

/* ---- suspensions ---- */

/* Also what is not suspended, or cannot be: an answer is all that comes of it. */
static void resume(enum suspended what, const uint8_t *id)
{
	int result = registry_resume(world.keeper.registry, what, id);

	if (result == 0) {
		trace("resumed: %d", (int)what);
	}
	keeper_settle();
}

void owner_resumes(void)
{
	for (unsigned int kind = 0; kind < DISPLAY_KINDS; kind++) {
		resume((enum suspended)kind, NULL);
	}
	for (unsigned int i = 0; i < DISPLAYS; i++) {
		resume(SUSPENDED_DISPLAY, display_side_id(i));
	}
	for (unsigned int i = 0; i < BODIES; i++) {
		if (oracle_camera_of(i)) {
			resume(SUSPENDED_CAMERA, oracle_camera_of(i));
		}
	}
}

void owner_suspends(void)
{
	enum suspended what = (enum suspended)chance_below(DISPLAY_KINDS);
	const uint8_t *id = NULL;
	int result;

	if (chance_once_in(3)) {
		what = SUSPENDED_DISPLAY;
		id = display_side_id(chance_below(DISPLAYS));
	} else if (chance_once_in(2)) {
		what = SUSPENDED_CAMERA;
		id = oracle_camera_of(chance_below(BODIES));
	}
	if (what == SUSPENDED_CAMERA && !id) {
		return;
	}
	trace("suspends %d", (int)what);
	result = registry_suspend(world.keeper.registry, what, id, "why", ++world.event);
	world.suspensions += result == 0;
	trace("suspended: %d", result);
	keeper_settle();
	/* Again before anybody has heard of it. */
	if (chance_once_in(4)) {
		resume(what, id);
	}
}
