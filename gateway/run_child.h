/*
 * The processes of `camgate run`: started from our own executable, watched, started again.
 *
 * A child dies with its parent (PR_SET_PDEATHSIG). It writes one byte to its --ready-fd when it
 * serves. One that ends is started again after 100 ms, doubling to 5 s; ten seconds of life reset
 * that. A camera that fails for the same reason as before says so once: its standard error comes
 * through a pipe, and lines that its last life wrote too are dropped.
 */
#ifndef CAMGATE_RUN_CHILD_H
#define CAMGATE_RUN_CHILD_H

#include "options.h"

#include <sys/types.h>

enum child_kind { CHILD_KEEPER, CHILD_WEB, CHILD_CAMERA };

enum {
	CHILD_SPEC_BYTES = 128,
	CHILD_LINE_BYTES = 1024,
	CHILD_LINES_MAX = 8,
};

struct child {
	enum child_kind kind;
	char spec[CHILD_SPEC_BYTES]; /* of a camera */
	unsigned int instance; /* of a test pattern */
	bool discovered; /* found by ourselves, not given by --camera */
	bool wanted; /* to be (re)started; false: stays down once it ended */
	bool settled; /* has been ready, or has ended, at least once */

	pid_t pid; /* 0: not running */
	int ready_fd; /* -1: none, or the byte came */
	int log_fd; /* -1: standard error is ours */
	bool ready;
	uint64_t started_us;
	uint64_t restart_us; /* when it may be started again */
	uint64_t backoff_us; /* 0: the last life was long enough */

	char line[CHILD_LINE_BYTES]; /* unfinished line of log_fd */
	size_t line_used;
	uint64_t said[CHILD_LINES_MAX]; /* digests of this life's last lines */
	uint64_t said_last[CHILD_LINES_MAX]; /* and of the life before */
	unsigned int said_count;
};

/* spec is copied; NULL but for cameras. -ENAMETOOLONG. */
int child_init(struct child *c, enum child_kind kind, const char *spec);
/* Starts the process. listen_fd is for web and stays the caller's. 0 or -errno. */
int child_start(struct child *c, const struct options *o, int listen_fd, uint64_t now_us);
/* ready_fd became readable: true if the child is ready now. */
bool child_read_ready(struct child *c);
/* log_fd became readable: passes lines on to our standard error. False when there is no more now.
 */
bool child_read_log(struct child *c);
/* After waitpid: closes its descriptors and computes restart_us. */
void child_ended(struct child *c, uint64_t now_us);
/* For messages: "keeper", "web", "camera /dev/video0". */
void child_label(const struct child *c, char *out, size_t size);

#endif
