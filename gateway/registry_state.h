/*
 * The registry's own memory, for its own files only. registry.h is the way in.
 *
 * Lists own their members. A pointer to a member is good until something that may end it is called:
 * registry_camera_end, registry_session_free, registry_stream_free; the functions that end streams
 * or cut sessions only mark them, and they are freed when the web role has confirmed. What waits
 * for an answer (struct registry_wrap) names its session by id and its stream by number, never by
 * pointer or place, so that an answer that comes too late finds nothing, and never a neighbour.
 */
#ifndef CAMGATE_REGISTRY_STATE_H
#define CAMGATE_REGISTRY_STATE_H

#include "audit.h"
#include "registry.h"
#include "wire_ask.h"

/* A camera's frames in the hands of one web process. */
struct registry_ring {
	uint32_t reader; /* of the web process; 0: free */
	uint32_t ring; /* 0: asked of the camera, not there yet */
};

struct registry_camera {
	struct registry_camera *next;
	uint64_t peer;
	struct store_camera record;
	char look[STORE_IDENTITY_BYTES]; /* what all that cannot be told from it share */
	uint8_t generation[GENERATION_BYTES];
	uint8_t kem_public[POINT_BYTES];
	uint32_t frame_interval_us, frame_max_bytes;
	struct registry_ring rings[REGISTRY_WEBS_MAX];
	bool asked; /* nobody has decided about it, and the owners are asked */
	uint8_t demand;
	uint32_t epoch; /* in force as far as we were told; 0: not told yet */
	/* Make before break: preparing until every watcher has the next key, then switching. */
	bool preparing;
	uint64_t prepare_deadline_us;
	uint64_t switch_request; /* 0: none */
	/* Break at once. */
	uint64_t rotate_request; /* the last one sent and not answered; 0: none */
	uint64_t rotate_deadline_us;
	struct registry_camera_view view;
};

struct registry_web {
	struct registry_web *next;
	uint64_t peer;
	uint32_t reader;
	struct registry_web_view view;
};

enum registry_stream_state {
	STREAM_OPENING = 1, /* given to the web role, the first key is under way */
	STREAM_KEYED,
	STREAM_ENDING, /* taken, waiting for the web role's word and counts */
};

struct registry_stream {
	struct registry_stream *next;
	uint16_t number;
	enum registry_stream_state state;
	uint8_t camera[CAMERA_ID_BYTES];
	uint8_t generation[GENERATION_BYTES];
	uint8_t rendition;
	int64_t viewing;
	uint64_t opened_us;
	uint32_t epoch; /* newest in force whose key was told; 0: none */
	uint64_t time_asked_us;
	uint32_t next_epoch; /* prepared one whose key was told; 0: none */
	bool next_acked;
	struct audit_counts counts;
	bool counted; /* the web role said that these are the last */
	enum audit_reason reason; /* once ending */
	uint64_t taken_deadline_us; /* once ending */
};

enum registry_session_state {
	SESSION_CHALLENGED = 1,
	SESSION_ADMITTED,
	SESSION_CUT, /* waiting for the web role's word */
};

struct registry_session {
	struct registry_session *next;
	uint64_t web; /* peer */
	uint64_t connection;
	enum registry_session_state state;
	struct login login;
	bool proved; /* whose display it is, from login on; also while it is cut */
	struct store_display display; /* once proved; never used to decide what it may see */
	char peer[IPC_TEXT_MAX_BYTES + 1];
	char origin[ORIGIN_MAX_BYTES + 1];
	uint32_t hub_counter, display_counter;
	struct registry_stream *streams;
	unsigned int streams_count;
	unsigned int watches; /* opened, less one for every REGISTRY_WATCH_MS since */
	uint64_t watches_from_us;
	bool asked; /* of an owner: it was told of the displays, and of each new camera */
	uint8_t preview[CAMERA_ID_BYTES]; /* what it may look at before deciding, */
	uint64_t preview_until_us; /* and until when; 0: nothing */
	uint64_t cut_deadline_us; /* 0: the peer may take its time over a close */
};

struct registry_wrap {
	uint64_t request; /* 0: free */
	uint64_t deadline_us;
	uint64_t camera; /* peer */
	uint8_t session[SESSION_ID_BYTES];
	uint16_t stream;
	uint8_t purpose;
};

/* From whom something is taken, and what. */
struct registry_scope {
	bool one_display, one_kind; /* neither: from everybody */
	uint8_t display[DISPLAY_ID_BYTES];
	enum display_kind kind;
	bool one_camera; /* otherwise everything, and the connection */
	uint8_t camera[CAMERA_ID_BYTES];
	enum audit_reason reason;
};

struct registry_revocation {
	bool waiting;
	uint64_t operation, committed_us;
	struct registry_scope scope;
	unsigned int cameras_count;
	uint8_t cameras[REGISTRY_CAMERAS_MAX][CAMERA_ID_BYTES]; /* that have to rotate */
};

enum { REGISTRY_REPORTS_MAX = 64, REGISTRY_CLOSINGS_MAX = 1024, REGISTRY_EVENTS_MAX = 64 };

struct registry_report {
	uint8_t display[DISPLAY_ID_BYTES];
	uint64_t at_us; /* 0: free */
};

struct registry {
	struct registry_output output;
	struct store *store;
	struct pairing *pairing;
	const struct key_pair *hub;
	struct registry_camera *cameras;
	struct registry_web *webs;
	struct registry_session *sessions;
	unsigned int sessions_count;
	uint64_t requests; /* the last number given */
	uint32_t readers, rings;
	struct registry_wrap wraps[REGISTRY_WRAPS_MAX]; /* at request % REGISTRY_WRAPS_MAX */
	unsigned int wraps_count;
	struct registry_revocation revocations[REGISTRY_REVOCATIONS_MAX];
	struct registry_report reports[REGISTRY_REPORTS_MAX];
	/* Viewings that ended, on their way to the disk: some at a time, and again if it refused.
	 */
	struct audit_closing closings[REGISTRY_CLOSINGS_MAX];
	/* Alarms that the disk did not take. */
	struct audit_event events[REGISTRY_EVENTS_MAX];
	unsigned int events_count;
	uint64_t closings_due_us;
	struct registry_totals totals;
	/* So that nobody can fill the journal by being refused. */
	uint64_t refusals_from_us;
	unsigned int refusals_logged, refusals_unlogged;
	/* Scratch for one message and for one display's cameras; nothing lasts in them. */
	uint8_t message[IPC_MESSAGE_MAX_BYTES];
	struct store_camera granted[STORE_CAMERAS_MAX];
	unsigned int granted_count;
};

/* registry.c: by peer, id or number; NULL if there is none such. */
struct registry_camera *registry_camera_of(const struct registry *r, uint64_t peer);
struct registry_camera *registry_camera_find(
	const struct registry *r, const uint8_t id[static CAMERA_ID_BYTES]);
struct registry_web *registry_web_of(const struct registry *r, uint64_t peer);
struct registry_session *registry_session_of(
	const struct registry *r, uint64_t web, uint64_t connection);
struct registry_session *registry_session_find(
	const struct registry *r, const uint8_t id[static SESSION_ID_BYTES]);
struct registry_stream *registry_stream_find(const struct registry_session *s, uint16_t number);
uint64_t registry_now(const struct registry *r);

/* registry_tell.c: encode and send. */
void registry_send(struct registry *r, uint64_t peer, ssize_t size); /* r->message */
void registry_tell_challenge(struct registry *r, struct registry_session *s);
void registry_tell_welcome(struct registry *r, struct registry_session *s,
	const uint8_t transcript[static DIGEST_BYTES]);
/* As the display sees it now: READY only when the web process holds its ring. */
void registry_tell_camera(
	struct registry *r, struct registry_session *s, const struct store_camera *c);
void registry_tell_camera_gone(struct registry *r, struct registry_session *s,
	const uint8_t camera[static CAMERA_ID_BYTES], enum end_reason reason);
void registry_tell_ended(struct registry *r, struct registry_session *s, uint16_t stream,
	const uint8_t camera[static CAMERA_ID_BYTES], enum end_reason reason);
void registry_tell_key(struct registry *r, struct registry_session *s,
	const struct registry_stream *t, const struct ipc_wrapped *m, uint8_t purpose);
void registry_tell_new_camera(
	struct registry *r, struct registry_session *s, const struct registry_camera *c);
void registry_tell_new_camera_gone(struct registry *r, struct registry_session *s,
	const uint8_t camera[static CAMERA_ID_BYTES]);
void registry_tell_screen(struct registry *r, struct registry_session *s,
	const struct store_display *d, enum screen_state state);
/* If it may see the camera now. A display that the store cannot be asked about is cut as busy: it
 * comes anew and hears all that it may see. */
void registry_tell_camera_if_seen(
	struct registry *r, struct registry_session *s, const struct store_camera *c);
/* The same for every display. */
void registry_tell_camera_to_all(struct registry *r, const uint8_t camera[static CAMERA_ID_BYTES]);

/* registry_camera.c */
/* IPC_TURNED_AWAY, and the connection ends. */
void registry_camera_turn_away(struct registry *r, uint64_t peer, const char *reason);
/* Its streams end, its rings go, it is freed. kill: its process, too. */
void registry_camera_end(struct registry *r, struct registry_camera *c, bool kill);
void registry_camera_add_reader(struct registry *r, struct registry_camera *c, uint32_t reader);
void registry_camera_drop_reader(struct registry *r, struct registry_camera *c, uint32_t reader);
/* The ring in the hands of this web process; 0 if it has none (yet). */
uint32_t registry_camera_ring(const struct registry_camera *c, uint32_t reader);
void registry_camera_update_demand(struct registry *r, struct registry_camera *c);

/* registry_owner.c: what the owner said of it. The look goes to ret. */
void registry_camera_look(const struct identity *identity, char ret[static STORE_IDENTITY_BYTES]);
/* 1: it is ignored and was turned away; 0; or -errno. */
int registry_camera_keep_off(
	struct registry *r, uint64_t peer, const struct store_camera *record, const char *look);

/* registry_ask.c: cameras that no owner has decided about. */
/* Does the display have owner rights, as the store says now? */
bool registry_owner_is(const struct registry *r, const struct registry_session *s);
/* Tells a display that logged in, if it is an owner's. */
void registry_ask_session(struct registry *r, struct registry_session *s);
/* The camera came, or something about it was decided or changed: asks the owners, or tells them
 * that it is over. */
void registry_ask_update(struct registry *r, const uint8_t camera[static CAMERA_ID_BYTES]);
/* Nothing more to be decided, or the camera is gone. */
void registry_ask_over(struct registry *r, struct registry_camera *c);
/* A display was paired or removed. */
void registry_ask_screen(
	struct registry *r, const struct store_display *d, enum screen_state state);
/* What only an owner may say. */
void registry_owner_hear(
	struct registry *r, struct registry_session *s, const struct wire_envelope *e);

/* registry_preview.c: an owner's look at a camera before deciding. */
/* 0 if the display may see the camera now: it was granted, or it is an owner's and looks at one
 * that is not decided about. -ENOENT if not; any other error means not either. Never remembered. */
__attribute__((warn_unused_result)) int registry_may_see(const struct registry *r,
	const struct registry_session *s, const uint8_t camera[static CAMERA_ID_BYTES]);
/* Was it begun, and not ended? That gives no right yet. */
bool registry_preview_is(
	const struct registry_session *s, const uint8_t camera[static CAMERA_ID_BYTES]);
void registry_preview_begin(
	struct registry *r, struct registry_session *s, struct registry_camera *c);
/* Its streams end, the camera's key changes, the display is told. */
void registry_preview_end(struct registry *r, struct registry_session *s);
/* The same for a connection that is over: there is nobody to tell. */
void registry_preview_drop(struct registry *r, struct registry_session *s);
void registry_preview_tick(struct registry *r, uint64_t now_us);

/* registry_session.c */
/* Ends the connection: nothing more is told or heard, the web role is asked to cut. */
void registry_session_cut(struct registry *r, struct registry_session *s, enum ipc_cut_mode mode,
	enum audit_reason reason);
/* Cut with the uniform refusal; the reason goes to the journal and the counters. */
void registry_session_refuse(struct registry *r, struct registry_session *s, enum refusal refusal);
/* Closes what viewings are left, with this reason unless they have one, and frees it. */
void registry_session_free(
	struct registry *r, struct registry_session *s, enum audit_reason reason);

/* registry_display.c: an envelope that a logged-in display signed. */
void registry_display_hear(
	struct registry *r, struct registry_session *s, const struct wire_envelope *e);

/* registry_stream.c */
void registry_stream_watch(
	struct registry *r, struct registry_session *s, const struct wire_watch *m);
/* Marks it, has the web role take it, and closes demand; told 0: the display is told nothing. */
void registry_stream_end(struct registry *r, struct registry_session *s, struct registry_stream *t,
	enum end_reason told, enum audit_reason reason, uint64_t within_ms);
/* Closes the viewing and frees it. */
void registry_stream_free(
	struct registry *r, struct registry_session *s, struct registry_stream *t);
/* Puts this on disk, or keeps it for later. */
void registry_record_event(struct registry *r, const struct audit_event *e);
/* Writes what ended lately, and keeps it for later when the disk does not take it. */
void registry_write_closings(struct registry *r);

/* registry_key.c */
/* Reads the right and asks the camera; nonce NULL: zeroes. False if the right is gone, or the
 * request cannot be made. */
bool registry_key_ask(struct registry *r, struct registry_session *s,
	const struct registry_stream *t, struct registry_camera *c, uint8_t purpose,
	const uint8_t *nonce);
/* Forgets what is asked for this stream. */
void registry_key_cancel(struct registry *r, const struct registry_session *s, uint16_t stream);
/* Forgets the requests for a next key that this camera was sent. */
void registry_key_cancel_next(struct registry *r, const struct registry_camera *c);
void registry_key_expire(struct registry *r, uint64_t now_us);

/* registry_rotation.c */
/* Breaks at once; the camera is ended if it does not answer in time. */
void registry_rotation_break(struct registry *r, struct registry_camera *c, uint64_t within_ms);
/* Switches when every watcher has acknowledged. */
void registry_rotation_check(struct registry *r, struct registry_camera *c);
void registry_rotation_tick(struct registry *r, uint64_t now_us);

/* registry_revoke.c: tells those operations that are complete. */
void registry_revoke_check(struct registry *r);

#endif
