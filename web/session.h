/*
 * What one display may hear and say on one connection. Pure: the clock is an argument, output is
 * memory that the caller sends, nothing here knows a socket.
 *
 *     keeper's messages ─► queue ─┐
 *     streams, chunk by chunk ────┴► session_next ─► caller ─► session_sent
 *
 * The keeper's messages always go first; streams take turns, one chunk each. Before session_admit
 * only a CHALLENGE goes out, and one LOGIN or PAIR comes in.
 *
 * One thread; one object per connection, never used for a second one. 0 or -errno.
 */
#ifndef CAMGATE_SESSION_H
#define CAMGATE_SESSION_H

#include "stream.h"

enum {
	SESSION_QUEUE_MAX = 1024, /* messages of the keeper not sent yet */
	SESSION_MESSAGES_PER_SECOND = 200, /* of the display, answers to frames not counted */
};

struct session_message; /* queued, opaque */

struct session {
	uint64_t connection;
	bool admitted;
	bool login_heard;
	uint64_t pulse_us; /* when the last PULSE came */
	struct session_message *first, *last;
	unsigned int queued;
	struct stream *streams[WIRE_STREAMS_MAX]; /* the first streams_count are there */
	unsigned int streams_count;
	unsigned int turn; /* whose stream is next */
	struct stream *sending; /* whose piece the caller is sending; NULL: the first message */
	uint64_t heard_us[SESSION_MESSAGES_PER_SECOND]; /* ring of times */
	unsigned int heard_next;
};

struct session *session_create(uint64_t connection);
/* Wipes and frees; accepts NULL. */
void session_destroy(struct session *s);

/* ---- from the keeper ---- */

void session_admit(struct session *s);
/* Queues a message for the display. -ENOBUFS, -ENOMEM, -EMSGSIZE: end the connection. */
int session_tell(struct session *s, const uint8_t *bytes, size_t size);
/* The same, a KEY: from then on frames of this epoch may go to this stream. A stream that is gone
 * is no error. */
int session_tell_key(struct session *s, const struct ipc_tell_key *m);
/* -EEXIST, -ENOSPC, -ENOMEM; -EPERM before login or when the source is not that camera's. The
 * source is borrowed until session_drop_source. */
int session_give(struct session *s, const struct ipc_give *m, const struct source *source);
/* Wipes and ends a stream and writes its final counts. -ENOENT. */
int session_take(struct session *s, uint16_t stream, struct ipc_counts *ret);
void session_drop_source(struct session *s, const struct source *source);

/* ---- from the display ---- */

enum session_verdict {
	SESSION_HANDLED, /* nothing more to do */
	SESSION_FORWARD, /* goes to the keeper, untouched */
	SESSION_REFUSE, /* close with 4000; *ret_reason is for the journal */
};
enum session_verdict session_hear(struct session *s, uint64_t now_us, const uint8_t *data,
	size_t size, const char **ret_reason);

/* ---- to the display ---- */

/* True if session_next might have something. */
bool session_ready(const struct session *s);
/* The next websocket message: true and its bytes, BUFFER_LIBRARY_BYTES before which may be
 * overwritten; session_sent must follow before anything else. False: nothing to send now. */
bool session_next(struct session *s, uint64_t now_us, uint8_t **ret_data, size_t *ret_size);
void session_sent(struct session *s, uint64_t now_us);
/* How many frames were held back since the last call because they were not this session's: each is
 * a fault of this hub. */
unsigned int session_mixups(struct session *s);
/* Counts of a stream that changed since they were last asked for; false when there are no more. */
bool session_counts(struct session *s, struct ipc_counts *ret);

#endif
