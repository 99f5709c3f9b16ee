/*
 * `camgate run`: starts keeper, web and one camera role per camera in the foreground, and keeps
 * them running. Holds no key and no picture. One thread, one poll loop.
 *
 *   keeper ready ─► web, cameras ─► "listening on ADDR:PORT" ─► link, or who the displays are
 *
 * The keeper comes first, because every other role ends when it has none. The listening socket is
 * ours, so that it outlives a web role.
 */
#ifndef CAMGATE_RUN_H
#define CAMGATE_RUN_H

#include "run_child.h"
#include "udev/monitor.h"

enum {
	RUN_KEEPER = 0, /* places in children */
	RUN_WEB = 1,
	RUN_CAMERAS = 2,
	RUN_CHILDREN_MAX = 66,
	RUN_LISTENING_BYTES = 300,
};

struct run {
	const struct options *options;
	int listen_fd;
	char listening[RUN_LISTENING_BYTES]; /* "[::]:8443" */
	int signal_fd;
	struct monitor *monitor; /* NULL when cameras were given */
	struct child children[RUN_CHILDREN_MAX];
	unsigned int count;
	unsigned int patterns; /* test pictures so far */
	uint64_t settle_us; /* cameras that are not ready then do not hold us up */
	bool announced; /* "listening on" was printed */
	bool ending;
	uint64_t kill_us; /* while ending: what still runs then is killed */
	int exit_code; /* once ending */
	uint64_t ask_us; /* when to look whether there is an owner; 0: there is one */
	uint64_t link_until_us; /* the printed link is good until then; 0: none is */
	bool link_printed;
};

/* ---- run_cameras.c: which cameras ---- */

/* Adds the given cameras, or starts to look for some. 0 or -errno. */
int run_cameras_init(struct run *run, uint64_t now_us);
void run_cameras_finish(struct run *run);
/* The monitor's descriptor became readable. */
void run_cameras_dispatch(struct run *run);
/* True when each camera is ready or has failed once, or the time for that is over. Starts a test
 * picture if nothing was found. */
bool run_cameras_settled(struct run *run, uint64_t now_us);
/* A camera role ended with this exit code. */
void run_camera_ended(struct run *run, struct child *c, int code);

/* ---- run_owner.c: what is printed for people ---- */

void run_announce(struct run *run, uint64_t now_us);
/* Looks whether there is an owner, and prints a link when there is none and no link is good. */
void run_owner_look(struct run *run, uint64_t now_us);

#endif
