/*
 * A whole hub in one thread: the product's own code of the keeper's core, of the camera's orders
 * and publishing, of the web role behind libwebsockets, and of displays, joined by sockets that are
 * lists.
 *
 *     chance ─► world ─► camera_side ─► ring ─► web_side ─► line ─► display_side
 *                           ▲   sockets    ▲                          │
 *                           └── keeper_side ┴──────────────────────────┘
 *                    oracle: looks at every byte that passes, and knows what it should be
 *
 * Everything comes from one seed. The only thing that is not the product's own is what costs too
 * much: signatures and HPKE (stand_in.c), TCP and TLS (lines), the devices.
 *
 * One world at a time, `world`; one thread. What goes wrong ends the process: oracle_fail.
 */
#ifndef CAMGATE_SIMULATION_WORLD_H
#define CAMGATE_SIMULATION_WORLD_H

#include "gateway/keys.h"
#include "gateway/registry.h"
#include "gateway/store.h"

enum {
	NODES = 4, /* /dev/videoN: where a camera may be plugged in */
	BODIES = 6, /* cameras, by their serial numbers */
	DISPLAYS = 6,
	WEBS = 2,
	PEERS_MAX = 32, /* also those that are about to go */
	LINES_MAX = 64, /* connections of all displays, also those that are about to go */
	LINE_MESSAGES = 4, /* what a connection holds before it is choked */
	FLOWS = 32, /* streams of one connection that the oracle remembers */
	PAST = 64, /* frames of one camera process that the oracle remembers */
	FRAME_BYTES = 40000, /* of the largest picture */
	FRAME_EVERY_US = 10000,
	STEP_MAX_US = 4000, /* that a step takes, but for jumps */
};

/* ---- chance.c ---- */
void chance_seed(uint64_t seed);
uint64_t chance_bits(void);
/* 0 … n-1. */
unsigned int chance_below(unsigned int n);
/* True once in n. */
bool chance_once_in(unsigned int n);
void chance_bytes(uint8_t *out, size_t size);

/* ---- sockets.c: one direction of a socket; in order, and as late as chance has it ---- */
struct parcel {
	struct parcel *next;
	size_t size;
	int descriptors[IPC_DESCRIPTORS_MAX]; /* -1: none */
	uint8_t bytes[];
};
struct channel {
	struct parcel *first, *last;
	size_t waiting; /* bytes */
	unsigned int count;
	uint64_t until_us; /* whoever reads it is busy until then */
	bool ended; /* the other side is gone; what is in it can still be read */
};
/* Descriptors are duplicated. -EAGAIN beyond 1 MiB: whoever reads is as good as gone. */
int channel_put(
	struct channel *c, const uint8_t *bytes, size_t size, const int *descriptors, size_t count);
/* The oldest, which is the caller's; NULL: nothing now. */
struct parcel *channel_take(struct channel *c);
void parcel_free(struct parcel *p);
void channel_empty(struct channel *c);
struct ipc_message parcel_message(const struct parcel *p);

/* ---- keeper_side.c ---- */
enum role { ROLE_NONE, ROLE_CAMERA, ROLE_WEB };
/* A role's connection to the keeper, as both sides see it. */
struct peer {
	uint64_t number; /* 0: none */
	enum role role;
	unsigned int index;
	struct channel to_keeper, to_role;
	bool dropped; /* the keeper ends it, */
	bool killed; /* and its process */
	bool forgotten; /* the keeper has done with it */
	bool left; /* the role has */
};
struct peer *peer_join(enum role role, unsigned int index);
/* The role's end: its process died, or closed. */
void peer_leave(struct peer *p);
void keeper_start(void);
void keeper_finish(void);
/* died: as by SIGKILL; otherwise it was asked to. All roles lose it. */
void keeper_stop(bool died);
/* Hears up to n messages of a peer, and of its end. */
void keeper_hear(struct peer *p, unsigned int n);
/* After everything: what is due, and whom it ended. */
void keeper_settle(void);

/* ---- owner.c ---- */
void owner_changes_grants(void);
void owner_suspends(void);
/* Everything. */
void owner_resumes(void);

/* ---- camera_side.c ---- */
struct frame_truth {
	uint64_t number; /* in the ring */
	uint32_t epoch;
	uint64_t counter;
	uint64_t capture_us;
	uint32_t granted; /* to whom, bit by bit, when it was captured, */
	uint64_t step; /* which was then */
	size_t size;
	uint8_t *bytes; /* as sealed */
};
void camera_plug(unsigned int node, unsigned int body);
void camera_unplug(unsigned int node);
void camera_capture(unsigned int node);
void camera_hang(unsigned int node, uint64_t us);
void camera_obey(unsigned int node);
void camera_announce_end(unsigned int node);
bool camera_is_there(unsigned int node);
uint64_t camera_due_us(unsigned int node);

/* ---- web_side.c ---- */
void web_start(unsigned int index);
void web_die(unsigned int index);
void web_hear(unsigned int index);
void web_serve(unsigned int index);
void web_report(unsigned int index);
bool web_is_there(unsigned int index);
/* Kills of connections that libwebsockets put off. */
void web_settle(unsigned int index);

/* ---- lines: a display's TCP connection to a web process ---- */
struct line {
	bool used;
	unsigned int web, display;
	uint64_t number; /* never used twice */
	struct channel down, up;
	bool reset; /* by the hub */
	bool closed; /* the hub closed it, after what is in it */
	bool left; /* by the display */
};
struct line *line_open(unsigned int web, unsigned int display);
void web_accept(struct line *l);
void web_receive(struct line *l);
void web_lose(struct line *l);
bool line_is_free(const struct line *l); /* the hub has closed it */

/* ---- display_side.c ---- */
void displays_start(void);
void displays_stop(void);
void display_connect_to(unsigned int i, unsigned int web);
void display_leave(unsigned int i);
void display_read(unsigned int i);
void display_pass_time(unsigned int i);
void display_wander(unsigned int i);
void display_misbehave(unsigned int i);
const uint8_t *display_side_id(unsigned int i);
enum display_kind display_side_kind(unsigned int i);
/* -1: none of ours. */
int display_of_id(const uint8_t id[static DISPLAY_ID_BYTES]);
int display_of_kem(const uint8_t kem[static POINT_BYTES]);
void display_enroll(unsigned int i);

/* ---- the world ---- */
struct world {
	uint64_t seed, step, event; /* event: numbers everything that happens, for order */
	uint64_t now_us;
	uint64_t jumped_us; /* when the clock jumped last */
	bool trace;
	struct {
		struct store store;
		char dir[64];
		struct pairing pairing;
		struct key_pair hub;
		struct registry *registry;
		uint64_t peers; /* the last number */
	} keeper;
	struct peer peers[PEERS_MAX];
	struct line lines[LINES_MAX];
	uint64_t lines_made;
	/* The disk: the next writes that fail, by SQLite's code; 0: none. */
	int disk_error;
	unsigned int disk_every; /* of so many writes one fails; 0: all */
	unsigned int allocations_every; /* of so many allocations one fails; 0: none does */
	uint64_t deliveries, drawn, frames, revokes, suspensions, keys, rotations, refused_writes,
		refused_memory;
};
extern struct world world;

void world_run(uint64_t seed, uint64_t deliveries, uint64_t steps);
/* One line of history, when it is asked for. */
void world_clean(void); /* leaves no file behind */
void trace(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* stand_in.c: how many key pairs there were so far is forgotten. */
void stand_in_reset(void);

#endif
