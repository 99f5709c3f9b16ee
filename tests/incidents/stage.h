/*
 * Where a replay is played: a real hub with test cameras, and two displays that look.
 */
#ifndef CAMGATE_TESTS_STAGE_H
#define CAMGATE_TESTS_STAGE_H

#include "replay.h"
#include "tests/integration/viewer.h"

struct stage {
	const struct replay *replay;
	enum replay_run run;
	struct client_loop *loop;
	struct hub hub;
	struct viewer door, yard; /* named after the camera that they were given */
	uint64_t revoked_us; /* when the revoke of door's display was answered; 0: not revoked */
	unsigned int after_revoke; /* pictures that door drew and that were captured later */
	unsigned int aged; /* pictures shown as no longer live */
	int in_memory; /* pieces of pictures in the web role; -EACCES: cannot be looked into */
};

/* Plays it and finds what there is to find. Ends the process when something else than the fault
 * goes wrong. */
void stage_play(const struct replay *replay, enum replay_run run, struct findings *ret);

/* ---- scenes, each a `play` of struct replay ---- */

/* "Door" and "Yard", and a display for each. */
void scene_two(struct stage *s);
/* The same; then both displays lose their connection and come back. */
void scene_reconnect(struct stage *s);
/* The display of "Yard" leaves before the one of "Door" comes. */
void scene_next(struct stage *s);
/* "Door" and "Door yard". */
void scene_prefix(struct stage *s);
/* One display, given "Door" alone; or both. */
void scene_one(struct stage *s);
void scene_names(struct stage *s);
/* One display, whose rights end. */
void scene_revoke(struct stage *s);
/* A camera of the kernel's kind, some of whose buffers are short. */
void scene_short(struct stage *s);

/* ---- what happened, each a `happened` ---- */

bool happened_refused(struct stage *s); /* a tile was ended with a refusal */
bool happened_closed(struct stage *s); /* a display closed the connection */
bool happened_aged(struct stage *s); /* a picture was shown, and not as live */
bool happened_dropped(struct stage *s); /* the camera dropped a picture */
bool happened_ended(struct stage *s); /* the former owner's tile ended */
bool happened_drawn(struct stage *s); /* there were pictures */

#endif
