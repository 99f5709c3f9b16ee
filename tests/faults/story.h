/*
 * A small story on a real hub whose roles fail: two test cameras; a display of both, whose rights
 * change while it looks; a display of one; guests that pair and go. After each part what was
 * commanded is compared with what the hub says, and everything has to be live again by itself.
 */
#ifndef CAMGATE_TESTS_STORY_H
#define CAMGATE_TESTS_STORY_H

#include "injection.h"
#include "tests/integration/viewer.h"

/* What may be so: a change whose command was never answered is whole, or never was. */
enum story_belief { BELIEF_NO = 1, BELIEF_YES = 2 };

struct story {
	struct client_loop *loop;
	struct hub hub;
	struct injection *injection; /* shared with the roles */
	struct viewer both, one;
	unsigned int granted; /* enum story_belief: may `both` see the second camera? */
	unsigned int renamed; /* the same: is it called STORY_OTHER_NAME? */
	unsigned int guests; /* how many paired, or tried to */
	unsigned int commands[3]; /* by enum command_result: how they ended */
	uint64_t revoked_us; /* nothing captured later may be drawn of it by `both`; 0: it may */
	unsigned int after_revoke; /* pictures that were, all the same */
	unsigned int kills; /* processes that were killed */
	/* Allocations fail or failed. libseccomp does not always say so: then a process has a
	 * filter that forbids too much, and is ended by it as it starts. */
	bool no_memory;
	unsigned int
		deaths; /* processes that died of their own doing, each inside such a library */
	size_t log_read; /* what was looked through already */
	uint64_t chance; /* seed and state */
};

#define STORY_FIRST "Door"
#define STORY_NAME "Yard"
#define STORY_OTHER_NAME "Gate"
#define STORY_BOTH "Of both"
#define STORY_ONE "Of door"

/* Starts hub and displays; all is live. */
void story_begin(struct story *s, uint64_t seed);
/* Ends the hub in order and reads what it left on disk: sound, the record's chain unbroken, each
 * right as it was told last. */
void story_end(struct story *s);
/* After a test that failed. */
void story_drop(struct story *s);

void story_rate(struct story *s, enum injection_role role, enum injection_kind kind, uint32_t fail,
	uint32_t of);
/* No calls fail from now on. */
void story_calm(struct story *s);

/* One round of revokes, grants, names, reconnects and a guest. Nothing has to succeed, but each
 * word of the hub has to be true. kill_ms > 0: each command is followed, less than so many
 * milliseconds later, by a SIGKILL of some role. */
void story_round(struct story *s, const char *killed, unsigned int kill_ms);
/* A shorter one, while some role starts. */
void story_part(struct story *s);
/* From now on nothing fails: waits until all is live, then checks everything there is to check. */
void story_recover(struct story *s);
/* The part of it that is about processes: nobody died of its own, nobody called what is forbidden.
 */
void story_check_log(struct story *s);
uint64_t story_chance(struct story *s, uint64_t below);

#endif
