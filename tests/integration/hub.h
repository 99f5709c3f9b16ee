/*
 * A real hub for tests: `camgate run` as its own processes, in a state directory of its own.
 *
 * Every function fails the running cmocka test when something does not come true in time; nothing
 * here sleeps for a fixed while. While it waits it keeps h->loop going, so that displays stay
 * alive.
 */
#ifndef CAMGATE_TESTS_HUB_H
#define CAMGATE_TESTS_HUB_H

#include "web/client/client.h"

#include <jansson.h>
#include <limits.h>
#include <sys/types.h>

/* How long what has to happen may take: nothing is measured by it, and machines are busy. */
enum { HUB_PATIENCE_MS = 30000, HUB_ARGUMENTS_MAX = 48, HUB_TRUTHS_MAX = 8 };

/* Which test camera draws the pictures of a camera, by what the test itself arranged. */
struct hub_truth {
	char name[NAME_MAX_BYTES + 1];
	uint32_t tag;
};

struct hub {
	struct client_loop *loop; /* borrowed; may be NULL */
	pid_t pid; /* 0: not running */
	char dir[64]; /* of this test; removed by hub_stop */
	char state[PATH_MAX];
	char log[PATH_MAX]; /* what camgate run printed, both streams */
	const char *address; /* that it listens on, 127.0.0.1 */
	int network; /* namespace that it runs in (tests/network/bad_link.h), or -1: ours */
	uint16_t port;
	char link[WIRE_LINK_TEXT_BYTES]; /* the first one that it printed, or "" */
	char fakecam[PATH_MAX]; /* configuration of fake cameras, or "" */
	char injection[PATH_MAX]; /* shared memory of tests/faults/injection.h, or "" */
	struct hub_truth truths[HUB_TRUTHS_MAX];
	unsigned int truths_count;
};

/* Makes h->dir. */
void hub_init(struct hub *h, struct client_loop *loop);
/* Emulates cameras for this hub, from now on or, if it runs, at once: lines of
 * tests/fakecam/README.md. */
void hub_set_cameras(struct hub *h, const char *lines);
/* Starts with these further arguments (NULL-ended) on a free port and waits until it listens. */
void hub_start(struct hub *h, const char *const *arguments);
/* The same, and expects it to give up: returns the exit code; what it said is in the log. */
int hub_start_and_fail(struct hub *h, const char *const *arguments);
/* Like the two above, for a test that waits itself. */
void hub_spawn(struct hub *h, const char *const *arguments);
/* SIGTERM, and checks that it ended with 0, left no process, and has on record what displays drew.
 */
void hub_end(struct hub *h);
/* hub_end if it runs; removes everything. Prints the log when the test failed. */
void hub_finish(struct hub *h);

/* The n-th process of this role ("keeper", "web", "camera"), or 0. */
pid_t hub_role(const struct hub *h, const char *role, unsigned int n);
/* Kills it and waits until another one has taken its place. */
void hub_kill_role(struct hub *h, const char *role);
/* What camgate run printed so far; in a buffer that the next call reuses. */
const char *hub_log(const struct hub *h);
bool hub_log_has(const struct hub *h, const char *text);
void hub_wait_log(struct hub *h, const char *text);

/* Runs `camgate ARGUMENTS --state … --json`; NULL ends the arguments. Returns the exit code;
 * *ret (may be NULL) gets what it printed, or NULL; release with json_decref. */
int hub_command(struct hub *h, json_t **ret, ...) __attribute__((sentinel));
/* The same for a command that has to succeed. */
json_t *hub_ask(struct hub *h, ...) __attribute__((sentinel));
/* A fresh link. cameras and name may be NULL. */
void hub_make_link(struct hub *h, const char *cameras, const char *name, struct wire_link *ret);
/* The sum of the values of OBJECT in status ("anomalies"). */
json_int_t hub_status_sum(struct hub *h, const char *object);
/* The first camera with this text in name, mode or source, as `cameras` tells; NULL; json_decref
 * it. */
json_t *hub_camera(struct hub *h, const char *text);
/* Waits for the camera with this text in its mode, and gives it this name. */
void hub_name_camera(struct hub *h, const char *text, const char *name);
/* From now on every picture under this name must carry this tag. The n-th `pattern` camera of `run`
 * has tag n, from 0. */
void hub_expect(struct hub *h, const char *name, uint32_t tag);
/* NULL: nothing was said of this name. */
const struct hub_truth *hub_truth(const struct hub *h, const char *name);
bool hub_camera_is(struct hub *h, const char *name, const char *field, const char *value);
/* Starts camgate with these words; standard error goes to the output too, unless flags has O_TRUNC.
 */
pid_t hub_spawn_command(
	const struct hub *h, const char *const *words, const char *output, int flags);

/* Runs the loop until the deadline; true while there is time left. */
bool hub_wait_step(struct client_loop *loop, uint64_t deadline_us);
#define WAIT_FOR(loop, condition, patience_ms)                                                     \
	do {                                                                                       \
		uint64_t wait_deadline_us = client_now_us() + (uint64_t)(patience_ms)*1000;        \
		while (!(condition)) {                                                             \
			if (!hub_wait_step((loop), wait_deadline_us)) {                            \
				fail_msg("not within %d ms: %s", (int)(patience_ms), #condition);  \
			}                                                                          \
		}                                                                                  \
	} while (0)

#endif
