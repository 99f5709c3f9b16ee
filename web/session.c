#include "session.h"
#include "gateway/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SECOND_US = 1000000 };

struct session_message {
	struct session_message *next;
	size_t size;
	uint8_t head[BUFFER_LIBRARY_BYTES];
	uint8_t bytes[];
};

struct session *session_create(uint64_t connection)
{
	struct session *s = calloc(1, sizeof *s);

	if (s) {
		s->connection = connection;
	}
	return s;
}

static void drop_first(struct session *s)
{
	struct session_message *m = s->first;

	s->first = m->next;
	if (!s->first) {
		s->last = NULL;
	}
	s->queued--;
	explicit_bzero(m, sizeof *m + m->size);
	free(m);
}

static void remove_stream(struct session *s, unsigned int i)
{
	stream_finish(s->streams[i]);
	free(s->streams[i]);
	s->streams[i] = s->streams[--s->streams_count];
	s->streams[s->streams_count] = NULL;
}

void session_destroy(struct session *s)
{
	if (!s) {
		return;
	}
	while (s->streams_count > 0) {
		remove_stream(s, s->streams_count - 1);
	}
	while (s->first) {
		drop_first(s);
	}
	explicit_bzero(s, sizeof *s);
	free(s);
}

static struct stream *find_stream(const struct session *s, uint16_t number, unsigned int *ret_index)
{
	for (unsigned int i = 0; i < s->streams_count; i++) {
		if (s->streams[i]->tag.stream == number) {
			if (ret_index) {
				*ret_index = i;
			}
			return s->streams[i];
		}
	}
	return NULL;
}

void session_admit(struct session *s)
{
	s->admitted = true;
}

int session_tell(struct session *s, const uint8_t *bytes, size_t size)
{
	struct session_message *m;

	if (size == 0 || size > WIRE_HUB_MESSAGE_MAX_BYTES) {
		return -EMSGSIZE;
	}
	if (s->queued == SESSION_QUEUE_MAX) {
		return -ENOBUFS;
	}
	m = malloc(sizeof *m + size);
	if (!m) {
		return -ENOMEM;
	}
	*m = (struct session_message){.size = size};
	memcpy(m->bytes, bytes, size);
	if (fault_happens(FAULT_NAMES_SWAPPED)) {
		accident_swap_names(m->bytes, size);
	}
	if (s->last) {
		s->last->next = m;
	} else {
		s->first = m;
	}
	s->last = m;
	s->queued++;
	return 0;
}

static int tell_abort(struct session *s, const struct stream *stream)
{
	uint8_t bytes[16];
	ssize_t n = wire_encode_abort(
		&(struct wire_abort){.stream = stream->tag.stream, .frame = stream->frame}, bytes,
		sizeof bytes);

	return n < 0 ? (int)n : session_tell(s, bytes, (size_t)n);
}

int session_tell_key(struct session *s, const struct ipc_tell_key *m)
{
	struct stream *stream = find_stream(s, m->stream, NULL);
	int r;

	if (stream && stream_allow(stream, m->epoch, m->breaks)) {
		r = tell_abort(s, stream);
		if (r < 0) {
			return r;
		}
	}
	return session_tell(s, m->bytes, m->size);
}

static bool give_ok(const struct session *s, const struct ipc_give *m, const struct source *source)
{
	if (fault_lifts(PROTECTION_GIVE)) {
		return true;
	}
	return s->admitted && m->connection == s->connection && source->ring.ring == m->ring &&
	       memcmp(source->ring.camera, m->camera, CAMERA_ID_BYTES) == 0 &&
	       memcmp(source->ring.generation, m->generation, GENERATION_BYTES) == 0;
}

int session_give(struct session *s, const struct ipc_give *m, const struct source *source)
{
	struct buffer_tag tag = {
		.connection = s->connection, .stream = m->stream, .rendition = m->rendition};
	struct stream *stream;

	if (!give_ok(s, m, source)) {
		return -EPERM;
	}
	if (find_stream(s, m->stream, NULL)) {
		return -EEXIST;
	}
	if (s->streams_count == WIRE_STREAMS_MAX) {
		return -ENOSPC;
	}
	stream = malloc(sizeof *stream);
	if (!stream) {
		return -ENOMEM;
	}
	memcpy(tag.camera, m->camera, CAMERA_ID_BYTES);
	memcpy(tag.generation, m->generation, GENERATION_BYTES);
	stream_init(stream, &tag, source);
	s->streams[s->streams_count++] = stream;
	return 0;
}

int session_take(struct session *s, uint16_t number, struct ipc_counts *ret)
{
	unsigned int i;
	struct stream *stream = find_stream(s, number, &i);

	if (!stream) {
		return -ENOENT;
	}
	if (stream_drop_source(stream)) {
		/* A full queue only means that the display learns of the end by ENDED alone. */
		(void)tell_abort(s, stream);
	}
	*ret = stream->counts;
	ret->final = true;
	remove_stream(s, i);
	return 0;
}

void session_drop_source(struct session *s, const struct source *source)
{
	for (unsigned int i = 0; i < s->streams_count; i++) {
		if (s->streams[i]->source == source && stream_drop_source(s->streams[i])) {
			(void)tell_abort(s, s->streams[i]);
		}
	}
}

/* ---- from the display ---- */

static bool too_many(struct session *s, uint64_t now_us)
{
	uint64_t oldest = s->heard_us[s->heard_next];

	if (oldest > 0 && now_us - oldest < SECOND_US) {
		return true;
	}
	s->heard_us[s->heard_next] = now_us;
	s->heard_next = (s->heard_next + 1) % SESSION_MESSAGES_PER_SECOND;
	return false;
}

static enum session_verdict hear_stranger(
	struct session *s, const uint8_t *data, const char **ret_reason)
{
	if (s->login_heard || (data[0] != WIRE_LOGIN && data[0] != WIRE_PAIR)) {
		*ret_reason = "a message out of turn before login";
		return SESSION_REFUSE;
	}
	s->login_heard = true;
	return SESSION_FORWARD;
}

/* Answers to frames are bounded by the frames, so they do not count against the limit. */
static int hear_ack(struct session *s, uint64_t now_us, const uint8_t *data, size_t size)
{
	struct wire_ack ack;
	struct stream *stream;

	if (wire_parse_ack(data, size, &ack) < 0) {
		return -EBADMSG;
	}
	stream = find_stream(s, ack.stream, NULL);
	return stream ? stream_acknowledge(stream, &ack, now_us) : 0;
}

static enum session_verdict hear_display(struct session *s, uint64_t now_us, const uint8_t *data,
	size_t size, const char **ret_reason)
{
	int answered = 0;

	switch (data[0]) {
	case WIRE_ACK:
		answered = hear_ack(s, now_us, data, size);
		break;
	case WIRE_PULSE:
		answered = size == 1 ? 0 : -EBADMSG;
		s->pulse_us = now_us;
		break;
	case WIRE_DISPLAY:
		if (!too_many(s, now_us)) {
			return SESSION_FORWARD;
		}
		answered = -EAGAIN;
		break;
	default:
		answered = -EBADMSG;
		break;
	}
	if (answered == -EAGAIN || (answered == 0 && too_many(s, now_us))) {
		*ret_reason = "more messages than a display sends";
		return SESSION_REFUSE;
	}
	if (answered < 0) {
		*ret_reason = "a malformed message";
		return SESSION_REFUSE;
	}
	return SESSION_HANDLED;
}

enum session_verdict session_hear(struct session *s, uint64_t now_us, const uint8_t *data,
	size_t size, const char **ret_reason)
{
	if (size == 0 || size > WIRE_DISPLAY_MESSAGE_MAX_BYTES) {
		*ret_reason = "a message of a size that no message has";
		return SESSION_REFUSE;
	}
	if (!s->admitted) {
		return hear_stranger(s, data, ret_reason);
	}
	return hear_display(s, now_us, data, size, ret_reason);
}

/* ---- to the display ---- */

/* A stranger gets the challenge; what the keeper says next waits for the admission. */
static bool may_tell(const struct session *s)
{
	return s->first && (s->admitted || s->first->bytes[0] == WIRE_CHALLENGE);
}

bool session_ready(const struct session *s)
{
	if (may_tell(s)) {
		return true;
	}
	for (unsigned int i = 0; i < s->streams_count; i++) {
		if (stream_ready(s->streams[i])) {
			return true;
		}
	}
	return false;
}

/* True with a piece of the stream whose turn it is. False: nothing, but perhaps an ABORT was
 * queued. */
static bool next_of_streams(
	struct session *s, uint64_t now_us, uint8_t **ret_data, size_t *ret_size)
{
	for (unsigned int i = 0; i < s->streams_count; i++) {
		struct stream *stream = s->streams[s->turn++ % s->streams_count];

		switch (stream_next(stream, now_us, ret_data, ret_size)) {
		case STREAM_PIECE:
			s->sending = stream;
			return true;
		case STREAM_ABORT:
			(void)tell_abort(s, stream);
			return false;
		case STREAM_IDLE:
			break;
		}
	}
	return false;
}

bool session_next(struct session *s, uint64_t now_us, uint8_t **ret_data, size_t *ret_size)
{
	if (!may_tell(s) && s->admitted && next_of_streams(s, now_us, ret_data, ret_size)) {
		return true;
	}
	/* The streams may have queued an ABORT just now. */
	if (!may_tell(s)) {
		return false;
	}
	s->sending = NULL;
	*ret_data = s->first->bytes;
	*ret_size = s->first->size;
	return true;
}

void session_sent(struct session *s, uint64_t now_us)
{
	if (s->sending) {
		stream_sent(s->sending, now_us);
		s->sending = NULL;
	} else {
		drop_first(s);
	}
}

unsigned int session_mixups(struct session *s)
{
	unsigned int sum = 0;

	for (unsigned int i = 0; i < s->streams_count; i++) {
		sum += s->streams[i]->mixups;
		s->streams[i]->mixups = 0;
	}
	return sum;
}

bool session_counts(struct session *s, struct ipc_counts *ret)
{
	for (unsigned int i = 0; i < s->streams_count; i++) {
		if (s->streams[i]->counts_changed) {
			s->streams[i]->counts_changed = false;
			*ret = s->streams[i]->counts;
			return true;
		}
	}
	return false;
}
