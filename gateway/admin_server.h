/*
 * The owner's commands: one JSON object asks, one JSON object answers.
 *
 *   {"command":"cameras"} | "displays" | "status"
 *   {"command":"pair","name":STR|null,"cameras":"all"|"none"|[NAME,…],"owner":bool,"kind":KIND|null,
 *    "minutes":N|null}
 *   {"command":"name","camera":NAME|ID,"name":NEW}
 *   {"command":"grant","display":NAME|ID,"camera":NAME|ID}
 *   {"command":"confirm"|"ignore","camera":NAME|ID}
 *   {"command":"revoke","display":NAME|ID,"camera":NAME|ID|null}
 *   {"command":"revoke","all":true}
 *   {"command":"suspend","what":KIND|NAME|ID,"reason":TEXT},
 * {"command":"resume","what":KIND|NAME|ID}
 *   {"command":"forget"}
 *   {"command":"audit","camera":NAME|ID|null,"display":NAME|ID|null,"since":S,"until":S,"after":N}
 *   {"command":"audit_verify"} and, to go on, with what the last answer said
 *   {"command":"exposure","camera":NAME|ID,"since":S,"until":S}
 *
 * The answer is {"ok":true,…} or {"ok":false,"error":"what is wrong and what to do"}. Names match
 * whole; an id may be cut to 8 or more hex digits where that is unique and no name reads the same.
 * A revoke, suspension or reset is answered when it is done, not when it is begun.
 *
 * Sockets are the caller's business: it hands over what a peer sent and is called back with the
 * answer. Belongs to the registry's thread.
 */
#ifndef CAMGATE_ADMIN_SERVER_H
#define CAMGATE_ADMIN_SERVER_H

#include "authority.h"
#include "registry.h"
#include <jansson.h>

enum {
	ADMIN_REQUEST_MAX_BYTES = 16 << 10,
	ADMIN_REPLY_MAX_BYTES = 128 << 10,
	ADMIN_ADVICE_BYTES = 320,
};

struct admin_output {
	void *data;
	uint64_t (*now_us)(void *data);
	void (*random)(void *data, uint8_t *out, size_t size);
	void (*reply)(void *data, uint64_t peer, const char *text, size_t size);
	/* Everybody is cut off: the keeper is to end, and to call admin_server_end. */
	void (*stop)(void *data);
};

struct admin_waiting {
	uint64_t operation; /* 0: free */
	uint64_t peer;
	bool forget; /* goes on with the factory reset when everybody is cut off */
	char message[2 * NAME_MAX_BYTES + 64];
};

struct admin_server {
	struct admin_output output;
	/* Borrowed. */
	struct registry *registry;
	struct store *store;
	struct pairing *pairing;
	const struct authority *authority;
	const char *state_dir;
	const struct address_list
		*hosts; /* those the owner configured: links begin with the first */
	const char *sandbox; /* the keeper's own report */
	uint64_t started_us;
	uint64_t operations; /* the last number given */
	bool forgetting; /* the factory reset is under way, */
	uint64_t forget_peer; /* and who asked for it */
	struct admin_waiting waiting[REGISTRY_REVOCATIONS_MAX];
};

/* Answers one request, now or (revoke) later. may_change: the peer may do more than look. */
void admin_server_hear(
	struct admin_server *a, uint64_t peer, bool may_change, const char *text, size_t size);
/* To be called from registry_output.revoked. */
void admin_server_revoked(struct admin_server *a, uint64_t operation, uint64_t cut_us);

/* To be called last, when nothing is written to the store any more and the lock is still held: does
 * what is left of a factory reset, and answers. Nothing otherwise. */
void admin_server_end(struct admin_server *a);

/* ---- between the files of the admin server: one function per command; the caller owns the answer,
 * NULL: no memory, or (revoke) answered later ---- */

json_t *admin_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* What a failure of the store means to a person. */
json_t *admin_store_error(int error);
/* NULL if the camera was found. */
json_t *admin_find_camera(struct admin_server *a, const char *text, struct store_camera *ret);
/* NULL if the owner may show it to somebody. */
json_t *admin_may_be_shown(const struct store_camera *c);
json_t *admin_cameras(struct admin_server *a);
/* What to do about a camera; empty if nothing. view NULL: it is not here. shown: to how many. */
void admin_camera_advice(struct admin_server *a, const struct store_camera *c,
	const struct registry_camera_view *view, size_t shown, char out[static ADMIN_ADVICE_BYTES]);
json_t *admin_displays(struct admin_server *a);
json_t *admin_status(struct admin_server *a);
json_t *admin_pair(struct admin_server *a, const json_t *request);
json_t *admin_name(struct admin_server *a, const json_t *request);
json_t *admin_grant(struct admin_server *a, const json_t *request);
json_t *admin_confirm(struct admin_server *a, const json_t *request);
json_t *admin_ignore(struct admin_server *a, const json_t *request);
json_t *admin_audit(struct admin_server *a, const json_t *request);
json_t *admin_audit_verify(struct admin_server *a, const json_t *request);
json_t *admin_exposure(struct admin_server *a, const json_t *request);
/* A place for an answer that comes when the registry has confirmed; NULL: there is none. */
struct admin_waiting *admin_wait(struct admin_server *a, uint64_t peer);
json_t *admin_revoke_all(struct admin_server *a, uint64_t peer);
json_t *admin_suspend(struct admin_server *a, const json_t *request, uint64_t peer);
json_t *admin_resume(struct admin_server *a, const json_t *request);
/* "browser", "kiosk", "integration". */
bool admin_kind_find(const char *text, enum suspended *ret);
/* NULL if displays of this kind may come in. */
json_t *admin_kind_objection(struct admin_server *a, enum display_kind kind);
/* All that is suspended; null when the store cannot say. */
json_t *admin_suspensions(struct admin_server *a);
/* Of one display or camera: null, or why and since when. */
json_t *admin_suspension_of(struct admin_server *a, const uint8_t *display, const uint8_t *camera);
json_t *admin_forget(struct admin_server *a, uint64_t peer);
json_t *admin_revoke(struct admin_server *a, const json_t *request, uint64_t peer);

#endif
