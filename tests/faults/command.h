/*
 * A command to a hub that may not answer.
 */
#ifndef CAMGATE_TESTS_COMMAND_H
#define CAMGATE_TESTS_COMMAND_H

#include "tests/integration/hub.h"

enum command_result {
	COMMAND_DONE,
	COMMAND_REFUSED, /* and so nothing has changed */
	COMMAND_UNKNOWN, /* no answer, or the answer that there is none */
};

struct command {
	pid_t pid;
	uint64_t deadline_us;
	char output[PATH_MAX];
};

/* words as of hub_ask; NULL-ended. */
void command_begin(struct command *c, const struct hub *h, const char *const *words);
/* Waits, and keeps displays going. *ret_answer (may be NULL): what it printed, or NULL. */
enum command_result command_wait(struct command *c, struct hub *h, json_t **ret_answer);
enum command_result command_run(struct hub *h, json_t **ret_answer, const char *const *words);

#endif
