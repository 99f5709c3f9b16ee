/*
 * A display: everything that a paired display does, as a state machine over bytes.
 *
 * It stands at the far end of the pipeline (hub → websocket → here → whoever draws). Feed it each
 * websocket message; it answers through `send` and hands out pictures and news through the other
 * callbacks. No socket, no thread, no clock of its own: the caller passes the time (any monotonic
 * clock, µs) and calls display_tick about every 100 ms. web/client/client.h is the websocket glue.
 *
 * One object serves one hub for its whole life, over many connections: high-water marks survive a
 * reconnect. Belongs to one thread. Callbacks may call display_watch and display_unwatch of the
 * same display, never display_feed or display_destroy. What callbacks receive is borrowed for the
 * call.
 *
 * web/PROTOCOL.md is the specification; the nine checks of a frame are in tile.c, in its order.
 */
#ifndef CAMGATE_CLIENT_DISPLAY_H
#define CAMGATE_CLIENT_DISPLAY_H

#include "display_keys.h"
#include "wire_ask.h"

enum { DISPLAY_CAMERAS_MAX = 64 };

/* One picture that passed every check. */
struct display_picture {
	uint16_t stream;
	const struct wire_camera *camera; /* as the hub signed it: id, name, … */
	struct wire_frame_header header; /* authenticated: size, flags, epoch, capture time */
	uint64_t counter; /* of the epoch, over all renditions */
	int64_t age_us; /* upper bound, from -0.2 s to the limit of the tile */
	bool live; /* age within 2 s (cameras slower than 1 frame/s: 2 intervals) */
	const uint8_t *jpeg;
	size_t jpeg_size;
};

/* Any of them may be NULL. */
struct display_callbacks {
	void (*welcome)(void *user, const struct wire_welcome *welcome);
	void (*camera)(void *user, const struct wire_camera *camera); /* new or changed */
	void (*camera_gone)(void *user, const struct wire_camera_gone *gone);
	void (*ended)(void *user, const struct wire_ended *ended);
	/* An owner's display is asked about a camera that nobody has decided about, and told of the
	 * displays it may be shown to. */
	void (*new_camera)(void *user, const struct wire_new_camera *camera);
	void (*new_camera_gone)(void *user, const struct wire_new_camera_gone *gone);
	void (*screen)(void *user, const struct wire_screen *screen);
	bool (*picture)(
		void *user, const struct display_picture *picture); /* true: drawn, false: hidden */
	void (*refused)(
		void *user, uint16_t stream, enum anomaly reason); /* about to be reported */
};

struct display_config {
	const struct display_keys
		*keys; /* borrowed; keys->hub pins the hub unless a link is given */
	const char *origin; /* copied; as in the Origin header */
	const struct wire_link *link; /* copied; NULL: paired before. Spent by the first WELCOME. */
	const char *name; /* copied; what to be called when pairing */
	void (*send)(void *sender, const uint8_t *message, size_t size); /* one whole message */
	void *sender;
	struct display_callbacks callbacks;
	void *user;
};

/* What this display saw since it was made. */
struct display_counts {
	uint64_t received, drawn, late, hidden,
		refused; /* frames; received is the sum of the others */
	uint64_t aborted; /* frames begun and taken back */
	uint64_t bytes; /* of received frames */
	uint32_t worst_age_ms; /* of drawn frames */
	uint64_t anomalies[ANOMALY_PICTURE + 1]; /* by enum anomaly; [0] is not used */
	uint64_t oversized; /* refused: larger than the camera announced */
	uint64_t early; /* refused: captured after now */
	uint64_t clockless; /* late: the camera's time was not known yet */
	uint64_t drained; /* chunks of a stream that had just ended */
	uint64_t keys, clocks; /* KEY messages opened, clocks taken from them */
};

struct display;

/* NULL: out of memory, or an origin or name that cannot be sent. */
struct display *display_create(const struct display_config *config);
void display_destroy(struct display *d);
/* A new connection: forgets session and streams, keeps keys, pinned hub and high-water marks. */
void display_restart(struct display *d);
/* Takes one websocket message. 0; otherwise close the connection: -EBADMSG for what breaks the
 * protocol (also a wrong session, counter or signature), -EKEYREJECTED for a hub that is not the
 * pinned one, -EPROTONOSUPPORT for its version, -ENOMEM. */
int display_feed(struct display *d, const uint8_t *message, size_t size, uint64_t now_us);
/* Pulses, asks for the time when it is due. */
void display_tick(struct display *d, uint64_t now_us);
/* The stream number (> 0); -ENOENT for a camera that is not here or not READY, -EALREADY when it is
 * watched, -ENOSPC for too many streams, -ENOTCONN before WELCOME, -EIO. */
int display_watch(struct display *d, const uint8_t camera[static CAMERA_ID_BYTES], uint64_t now_us);
/* 0, -ENOENT. */
int display_unwatch(struct display *d, uint16_t stream);
/* What an owner's display answers about a new camera; the hub cuts off others that try. 0 or -EIO.
 */
int display_share(struct display *d, const uint8_t camera[static CAMERA_ID_BYTES],
	const uint8_t with[static DISPLAY_ID_BYTES]);
int display_decide(
	struct display *d, const uint8_t camera[static CAMERA_ID_BYTES], enum decision decision);
/* On: the camera is told like one of ours for a minute at most, with CAMERA_FLAG_PREVIEW. */
int display_preview(struct display *d, const uint8_t camera[static CAMERA_ID_BYTES], bool on);
/* Signs and sends any DISPLAY message; body_size may be the error of its encoder. What the
 * functions above use, and tests that lie. 0 or -EIO. */
int display_send(struct display *d, uint8_t kind, const uint8_t *body, ssize_t body_size);
bool display_welcomed(const struct display *d);
const struct display_counts *display_counts(const struct display *d);
/* The camera of this whole name, or NULL. */
const struct wire_camera *display_camera(const struct display *d, const char *name);

#endif
