/*
 * A display that looks at what it gets: reads the code in every picture (tests/opix) and keeps what
 * a test wants to know of each camera. Watches every camera that is READY, unless told otherwise.
 */
#ifndef CAMGATE_TESTS_VIEWER_H
#define CAMGATE_TESTS_VIEWER_H

#include "hub.h"
#include "tests/oracles/wiretap.h"

enum { VIEWER_TILES_MAX = 8, VIEWER_ASKED_MAX = 8, VIEWER_EPOCHS = 4 };

struct viewer_tile {
	struct wire_camera camera;
	bool present; /* shared with us, as far as we were told */
	uint16_t stream; /* 0: not watched */
	unsigned int pictures;
	bool seen; /* a picture of this generation */
	uint32_t tag; /* of the camera, out of its pictures */
	uint32_t number; /* of the last frame, as drawn by the camera */
	/* Numbers left out between two pictures of one generation; a busy machine leaves out some
	 * anywhere. Those that are the fault of a switch were captured when the key of the next
	 * epoch was not here yet. */
	unsigned int missed, missed_for_key;
	unsigned int breaks; /* keys of an epoch that had begun without us */
	unsigned int clean_switches; /* nothing missing from one epoch to the next */
	struct {
		uint32_t epoch;
		uint64_t us; /* when its first key came, client_now_us() */
	} keys[VIEWER_EPOCHS]; /* the newest, by epoch modulo VIEWER_EPOCHS */
	uint8_t flags; /* of the last frame, as authenticated */
	uint32_t epoch, epochs; /* the last one, and how many were seen */
	uint64_t capture_us;
	int64_t age_us;
	uint64_t at_us; /* of the last picture, client_now_us() */
	unsigned int ends;
	uint8_t end_reason;
};

struct viewer {
	struct hub *hub;
	struct client *client;
	struct display_keys keys;
	bool watch_nothing, flip_next;
	const char *source; /* address to connect from; NULL: any */
	uint16_t through; /* port of 127.0.0.1 that leads to the hub (tests/network/relay.h); 0:
			     none */
	const char *given; /* the one camera that it may see; NULL: not said */
	/* Sees every message first, with this viewer as user; may be set at any time. */
	bool (*received)(void *user, uint8_t *message, size_t size);
	bool welcomed, owner;
	unsigned int welcomes, closes;
	struct client_end end; /* of the last connection */
	uint64_t end_us; /* when it ended, client_now_us() */
	/* Each picture that passed, as JPEG; may be NULL. */
	void (*looked)(void *user, const struct display_picture *p);
	/* Cameras that an owner is asked about now, and displays that it was told of. */
	struct wire_new_camera asked[VIEWER_ASKED_MAX];
	size_t asked_count;
	unsigned int screens;
	unsigned int bad_pictures; /* all that follow: */
	unsigned int foreign, mixed; /* O-PIX: another camera's; not one whole picture */
	unsigned int stale; /* O-FRESH: older than its label */
	char complaint[256]; /* about the first of them */
	uint64_t injected; /* O-MAC: mix-ups that the test made itself, and */
	uint64_t anomalies; /* those that were noticed before the connection was given up */
	struct wiretap tap; /* O-WIRE */
	struct viewer_tile tiles[VIEWER_TILES_MAX];
	size_t tiles_count;
};

/* Begins to connect. link NULL: logs in with v->keys, which must be paired. */
void viewer_connect(struct viewer *v, struct hub *hub, const struct wire_link *link,
	const char *name, bool reconnect);
/* Makes keys, pairs with a fresh link for these cameras, waits for the welcome. */
void viewer_pair(struct viewer *v, struct hub *hub, const char *cameras, const char *name);
/* Pairs with the link that the hub printed when it started. */
void viewer_pair_owner(struct viewer *v, struct hub *hub, const char *name);
void viewer_disconnect(struct viewer *v);
/* Disconnects and forgets the keys. Checks what all oracles have to say: no picture foreign, broken
 * or older than its label, none in the clear on the wire, and no mix-up that the test did not
 * inject. */
void viewer_finish(struct viewer *v);
/* Disconnects all viewers of a test that failed in the middle: a cmocka teardown. */
int viewer_drop_all(void **state);
/* The tile of a camera; NULL if it was never shared with us. */
struct viewer_tile *viewer_tile(struct viewer *v, const char *camera);
/* The camera of this name that we are asked about, or NULL. */
const struct wire_new_camera *viewer_asked(const struct viewer *v, const char *camera);
/* Pictures of this camera so far, 0 if it is not known. */
unsigned int viewer_pictures(struct viewer *v, const char *camera);
unsigned int viewer_cameras(const struct viewer *v); /* present ones */
/* Waits for n more pictures of this camera. */
void viewer_await(struct viewer *v, const char *camera, unsigned int n);
const struct display_counts *viewer_counts(const struct viewer *v);
/* Everything that a display reports as a mix-up, on this connection or before. */
uint64_t viewer_anomalies(const struct viewer *v);

#endif
