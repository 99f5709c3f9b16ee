/*
 * The inside of a display, shared by display.c (life, watching, sending), display_login.c,
 * display_hear.c (what the keeper says) and display_frame.c (what the web role sends).
 */
#ifndef CAMGATE_CLIENT_DISPLAY_STATE_H
#define CAMGATE_CLIENT_DISPLAY_STATE_H

#include "display.h"
#include "tile.h"

enum display_phase { PHASE_CHALLENGE, PHASE_WELCOME, PHASE_OPEN };

struct display_entry {
	bool used;
	struct wire_camera camera;
	struct tile_marks marks;
};

struct display {
	const struct display_keys *keys;
	char origin[ORIGIN_MAX_BYTES + 1];
	char name[NAME_MAX_BYTES + 1];
	uint8_t pinned[FINGERPRINT_BYTES];
	bool pairing;
	struct wire_link link; /* while pairing */
	void (*send)(void *sender, const uint8_t *message, size_t size);
	void *sender;
	struct display_callbacks callbacks;
	void *user;

	enum display_phase phase;
	uint8_t session[SESSION_ID_BYTES];
	uint8_t hub_public[POINT_BYTES];
	uint8_t transcript[DIGEST_BYTES];
	uint8_t home[HOME_ID_BYTES];
	uint32_t heard, sent; /* counters of the next message in each direction */
	uint16_t streams; /* the last stream number given out on this connection */
	uint64_t ticked_us, pulsed_us;

	struct display_entry cameras[DISPLAY_CAMERAS_MAX];
	struct tile tiles[WIRE_STREAMS_MAX];
	uint8_t *jpeg; /* of the picture being handed out; zero otherwise */
	size_t jpeg_capacity;
	struct display_counts counts;
};

struct display_entry *display_find_camera(
	struct display *d, const uint8_t id[static CAMERA_ID_BYTES]);
struct tile *display_find_tile(struct display *d, uint16_t stream);
struct tile *display_tile_of(struct display *d, const uint8_t id[static CAMERA_ID_BYTES]);

/* A mix-up: counted, told to the caller, and told to the hub once per epoch of the tile. */
int display_report(struct display *d, struct tile *t, const struct wire_report *report);
int display_tell_unwatch(struct display *d, const struct tile *t);
int display_ask_time(struct display *d, struct tile *t, uint64_t now_us);

/* Each takes one message. 0, or the reason to close the connection. */
int display_take_challenge(struct display *d, const uint8_t *message, size_t size);
int display_take_welcome(struct display *d, const struct wire_envelope *e);
int display_take_hub(struct display *d, const uint8_t *message, size_t size, uint64_t now_us);
int display_take_chunk(struct display *d, const uint8_t *message, size_t size, uint64_t now_us);
int display_take_abort(struct display *d, const uint8_t *message, size_t size);

#endif
