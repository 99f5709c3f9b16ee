/*
 * What is going on right now: live cameras, web processes and their rings, connections of displays,
 * who watches what, which keys are under way. The keeper's routing core.
 *
 * Nothing here touches a socket, a clock or randomness by itself: everything that happens is told
 * by a call, everything to be done goes out through struct registry_output, so that tests and
 * simulations drive it. Whether a display may see a camera is never remembered here: the store is
 * asked each time.
 *
 * A peer is one connection of another role to the keeper, by a number that is never used twice.
 * Calls about peers or connections that are gone (a message crossed the end on its way) are
 * ignored. Outputs never call back into the registry. Belongs to one thread.
 */
#ifndef CAMGATE_REGISTRY_H
#define CAMGATE_REGISTRY_H

#include "ipc.h"
#include "keys.h"
#include "login.h"
#include "pairing.h"
#include "store.h"
#include "udev/identity.h"

enum {
	REGISTRY_CAMERAS_MAX = 32,
	REGISTRY_WEBS_MAX = 8,
	REGISTRY_SESSIONS_MAX = 4096, /* twice what a web process may be told to hold */
	REGISTRY_WRAPS_MAX = 4096,
	REGISTRY_REVOCATIONS_MAX = 32,

	REGISTRY_ROTATE_MS = 100, /* a camera that takes longer over a revoke is ended */
	REGISTRY_CUT_MS = 250, /* and so is a web process */
	REGISTRY_PREPARE_MS = 500, /* the scheduled rotation waits this long for displays */
	REGISTRY_ANSWER_MS = 2000, /* everything else that a role has to answer */
	REGISTRY_CLOSINGS_MS = 1000, /* closing entries wait this long for others, */
	REGISTRY_CLOSINGS_RETRY_MS = 5000, /* and so long when the disk refused them */
	REGISTRY_WATCHES_MAX = 128, /* viewings that a connection may open at once, and */
	REGISTRY_WATCH_MS = 500, /* after how long one more: each is an entry on disk */
	REGISTRY_TIME_MS = 250, /* a stream may ask for the time this often */
	REGISTRY_PREVIEW_MS = 60000, /* an owner may look so long before deciding */
	REGISTRY_REPORT_MS = 60000, /* two reports within this end the connection */
};

struct registry;

struct registry_output {
	void *data;
	uint64_t (*now_us)(void *data); /* CLOCK_BOOTTIME */
	void (*random)(void *data, uint8_t *out, size_t size);
	/* One ipc message. The descriptors stay the caller's. A peer that cannot take it is the
	 * receiver's business: it ends that peer afterwards, and says so with registry_peer_gone.
	 */
	void (*send)(void *data, uint64_t peer, const uint8_t *bytes, size_t size,
		const int *descriptors, size_t count);
	/* Ends a peer, with SIGKILL to its process if kill is set. */
	void (*drop)(void *data, uint64_t peer, bool kill);
	/* Everything of registry_revoke is confirmed, cut_us after the commit. */
	void (*revoked)(void *data, uint64_t operation, uint64_t cut_us);
};

/* All borrowed, and living longer than the registry. NULL: no memory. */
struct registry *registry_create(const struct registry_output *output, struct store *store,
	struct pairing *pairing, const struct key_pair *hub);
/* Closes the viewings that are open, as AUDIT_STOPPED. */
void registry_destroy(struct registry *r);

/* When registry_tick has to be called next; UINT64_MAX: when something happened. */
uint64_t registry_deadline(const struct registry *r);
void registry_tick(struct registry *r);
/* The connection to this role ended, whichever it was. */
void registry_peer_gone(struct registry *r, uint64_t peer);

/* ---- what cameras say ---- */

/* identity: what the keeper itself read, or made up for a test pattern. Answers ADOPTED, or
 * TURNED_AWAY and drops the peer. */
void registry_camera_hello(struct registry *r, uint64_t peer, const struct ipc_camera_hello *m,
	const struct identity *identity);
/* descriptors: ring and eventfd, which stay the caller's. */
void registry_camera_reader(struct registry *r, uint64_t peer, const struct ipc_reader *m,
	const int descriptors[static 2]);
void registry_camera_wrapped(struct registry *r, uint64_t peer, const struct ipc_wrapped *m);
void registry_camera_rotated(struct registry *r, uint64_t peer, const struct ipc_rotated *m);
void registry_camera_rotation_due(struct registry *r, uint64_t peer);
void registry_camera_status(struct registry *r, uint64_t peer, const struct ipc_camera_status *m);

/* ---- what web processes say ---- */

/* config is completed with the reader's number and sent as the answer. */
void registry_web_hello(struct registry *r, uint64_t peer, const struct ipc_web_hello *m,
	const struct ipc_web_config *config);
/* A new certificate, for every web process that is there. */
void registry_web_config(struct registry *r, const struct ipc_web_config *config);
void registry_web_opened(struct registry *r, uint64_t peer, const struct ipc_opened *m);
void registry_web_heard(struct registry *r, uint64_t peer, const struct ipc_relay *m);
void registry_web_closed(struct registry *r, uint64_t peer, uint64_t connection);
void registry_web_counts(struct registry *r, uint64_t peer, const struct ipc_counts *m);
void registry_web_refusals(struct registry *r, uint64_t peer, const struct ipc_refusals *m);
void registry_web_taken(struct registry *r, uint64_t peer, const struct ipc_stream *m);
void registry_web_cut_done(struct registry *r, uint64_t peer, uint64_t connection);

void registry_sandbox(struct registry *r, uint64_t peer, const struct ipc_sandbox *m);

/* ---- what the owner does ---- */

/* Each commits first, then makes it so. Errors as in store.h. */
int registry_grant(struct registry *r, const uint8_t display[static DISPLAY_ID_BYTES],
	const uint8_t camera[static CAMERA_ID_BYTES]);
/* camera NULL: everything; the display is unknown from then on and its connections are cut. On 0,
 * registry_output.revoked follows with this operation number, perhaps before this function returns.
 */
int registry_revoke(struct registry *r, const uint8_t display[static DISPLAY_ID_BYTES],
	const uint8_t *camera, uint64_t operation);
/* Everything of everybody; links that were not used yet are void. As registry_revoke. */
int registry_revoke_all(struct registry *r, uint64_t operation);
/* Cuts off, in the same order, without taking what was granted; on disk until resumed. id: NULL for
 * a kind of displays. -EALREADY; otherwise as registry_revoke. */
int registry_suspend(struct registry *r, enum suspended what, const uint8_t *id, const char *reason,
	uint64_t operation);
/* -ENOENT: it was not suspended. */
int registry_resume(struct registry *r, enum suspended what, const uint8_t *id);
int registry_rename(
	struct registry *r, const uint8_t camera[static CAMERA_ID_BYTES], const char *name);

/* Takes it out of quarantine for as long as its process runs, or lets an ignored one come back:
 * with its grants if it can be told apart, into quarantine if not. -EALREADY: neither was so. */
int registry_confirm(struct registry *r, const uint8_t camera[static CAMERA_ID_BYTES]);
/* Dark for everybody at once, its process turned away and not adopted again until it is confirmed.
 * Of those that cannot be told apart all go that look like it. -EALREADY. */
int registry_ignore(struct registry *r, const uint8_t camera[static CAMERA_ID_BYTES]);

/* ---- what there is to see ---- */

struct registry_camera_view {
	struct ipc_camera_status status;
	char source[IPC_TEXT_MAX_BYTES + 1];
	char model[IPC_TEXT_MAX_BYTES + 1];
	char mode[IPC_TEXT_MAX_BYTES + 1];
	char sandbox[IPC_TEXT_MAX_BYTES + 1];
	char port[IDENTITY_PORT_BYTES];
	unsigned int watchers;
};
struct registry_web_view {
	char listening[IPC_TEXT_MAX_BYTES + 1];
	char sandbox[IPC_TEXT_MAX_BYTES + 1];
	uint16_t port;
	unsigned int connections, displays; /* displays: logged in */
};
struct registry_totals {
	uint64_t refused[REFUSAL_COUNT];
	uint64_t web_refused[WEB_REFUSALS]; /* by web processes, without asking us */
	uint64_t anomalies[ANOMALY_PICTURE + 1];
	int record_error; /* why the last viewing could not be put on record; 0: it could */
	uint64_t closings_lost; /* ends of viewings that neither disk nor memory had room for */
	uint64_t events_lost; /* alarms, likewise */
	unsigned int closings_waiting; /* for the disk or for others, now */
};

/* 0, or -ENOENT when the camera is not live. */
int registry_camera_see(const struct registry *r, const uint8_t camera[static CAMERA_ID_BYTES],
	struct registry_camera_view *ret);
/* Of the nth web process; -ENOENT. */
int registry_web_see(const struct registry *r, unsigned int n, struct registry_web_view *ret);
const struct registry_totals *registry_totals_see(const struct registry *r);
bool registry_display_online(
	const struct registry *r, const uint8_t display[static DISPLAY_ID_BYTES]);
bool registry_display_watches(const struct registry *r,
	const uint8_t display[static DISPLAY_ID_BYTES],
	const uint8_t camera[static CAMERA_ID_BYTES]);
/* Ids of the live cameras that can be told apart or were confirmed; returns their number. */
unsigned int registry_present(
	const struct registry *r, uint8_t (*ret)[CAMERA_ID_BYTES], unsigned int max);

#endif
