#include "stream.h"
#include "gateway/fault.h"

#include <errno.h>
#include <string.h>

enum { COPY_ATTEMPTS = 3, AGE_FOR_WIDER_WINDOW_MS = 500, AGE_FOR_NARROW_WINDOW_MS = 1000 };

void stream_init(struct stream *s, const struct buffer_tag *tag, const struct source *source)
{
	uint64_t newest = ring_newest(&source->reader);

	*s = (struct stream){.tag = *tag,
		.source = source,
		.window = STREAM_WINDOW_MIN,
		.taken = newest > 0 ? newest - 1 : 0,
		.counts = {.connection = tag->connection, .stream = tag->stream}};
	buffer_init(&s->buffer, tag);
}

void stream_finish(struct stream *s)
{
	buffer_finish(&s->buffer);
	explicit_bzero(s, sizeof *s);
}

static bool epoch_allowed(const struct stream *s, uint32_t epoch)
{
	for (unsigned int i = 0; i < s->epochs_count; i++) {
		if (s->epochs[i] == epoch) {
			return true;
		}
	}
	return false;
}

static bool under_way(const struct stream *s)
{
	return s->buffer.frame_bytes > 0;
}

static void give_up(struct stream *s)
{
	buffer_wipe(&s->buffer);
	s->offset = 0;
	s->piece = 0;
	s->counts.aborted++;
	s->counts_changed = true;
}

bool stream_allow(struct stream *s, uint32_t epoch, bool breaks)
{
	if (breaks) {
		s->epochs_count = 0;
	}
	if (!epoch_allowed(s, epoch)) {
		if (s->epochs_count == STREAM_EPOCHS_MAX) {
			memmove(s->epochs, s->epochs + 1, sizeof s->epochs - sizeof s->epochs[0]);
			s->epochs_count--;
		}
		s->epochs[s->epochs_count++] = epoch;
	}
	if (under_way(s) && !epoch_allowed(s, s->epoch)) {
		give_up(s);
		return true;
	}
	return false;
}

bool stream_drop_source(struct stream *s)
{
	bool was_under_way = under_way(s);

	s->source = NULL;
	if (was_under_way) {
		give_up(s);
	}
	return was_under_way;
}

bool stream_ready(const struct stream *s)
{
	if (under_way(s)) {
		return true;
	}
	return s->source && s->flights_count < s->window &&
	       ring_newest(&s->source->reader) > s->taken;
}

/* The one place that says whether a frame may go to this stream. */
static bool frame_is_ours(const struct stream *s, const struct wire_frame_header *h)
{
	if (fault_lifts(PROTECTION_FRAME)) {
		return true;
	}
	return memcmp(h->camera, s->tag.camera, CAMERA_ID_BYTES) == 0 &&
	       memcmp(s->source->ring.camera, s->tag.camera, CAMERA_ID_BYTES) == 0 &&
	       memcmp(s->source->ring.generation, s->tag.generation, GENERATION_BYTES) == 0 &&
	       h->rendition == s->tag.rendition;
}

static bool too_old(const struct stream *s, uint64_t capture_us, uint64_t now_us)
{
	return now_us > capture_us && now_us - capture_us > source_age_limit_us(s->source);
}

static int copy_frame(const struct stream *s, uint64_t number, uint8_t *frame, uint32_t size,
	uint32_t *ret_copied, struct wire_frame_header *ret)
{
	int r = ring_copy(&s->source->reader, number, frame, size, ret_copied);

	if (r < 0) {
		return r;
	}
	if (fault_happens(FAULT_OF_COPY)) {
		accident_copy(&s->tag, s->frame + 1, frame, s->buffer.capacity - BUFFER_HEAD_BYTES,
			ret_copied);
	}
	return wire_parse_frame_header(frame, *ret_copied, ret);
}

/* Copies frame `number` into the buffer and checks what was really copied. */
static enum stream_step take_frame(
	struct stream *s, uint64_t number, uint32_t size, uint64_t now_us)
{
	struct wire_frame_header header;
	uint8_t *frame;
	uint32_t copied;

	if (buffer_begin(&s->buffer, &s->tag, size, &frame) < 0) {
		return STREAM_IDLE;
	}
	if (copy_frame(s, number, frame, size, &copied, &header) < 0) {
		buffer_wipe(&s->buffer);
		return STREAM_IDLE;
	}
	if (!frame_is_ours(s, &header)) {
		buffer_wipe(&s->buffer);
		s->taken = number;
		s->mixups++;
		return STREAM_IDLE;
	}
	if (!epoch_allowed(s, header.epoch)) {
		buffer_wipe(&s->buffer);
		return STREAM_IDLE;
	}
	buffer_fill(&s->buffer, copied);
	if (fault_happens(FAULT_SWAPPED_BUFFERS)) {
		accident_swap_buffers(&s->buffer);
	}
	s->counts.skipped += (uint32_t)(number - s->taken - 1);
	s->counts_changed = true;
	s->taken = number;
	s->frame++;
	s->offset = 0;
	s->epoch = header.epoch;
	s->capture_us = header.capture_us;
	s->begun_us = now_us;
	return STREAM_PIECE;
}

/* Begins the newest frame, if there is one that may be sent. */
static enum stream_step begin_frame(struct stream *s, uint64_t now_us)
{
	for (int i = 0; i < COPY_ATTEMPTS; i++) {
		uint64_t newest = ring_newest(&s->source->reader);
		struct wire_frame_header hint;
		enum stream_step step;
		uint32_t size;

		if (newest <= s->taken) {
			return STREAM_IDLE;
		}
		if (ring_peek(&s->source->reader, newest, &hint, &size) < 0) {
			continue; /* overwritten meanwhile: there is a newer one */
		}
		if (!frame_is_ours(s, &hint)) {
			s->taken = newest;
			s->mixups++;
			return STREAM_IDLE;
		}
		if (too_old(s, hint.capture_us, now_us) || size > s->source->ring.frame_max_bytes) {
			s->counts.skipped += (uint32_t)(newest - s->taken);
			s->counts_changed = true;
			s->taken = newest;
			return STREAM_IDLE;
		}
		if (!epoch_allowed(s, hint.epoch)) {
			return STREAM_IDLE; /* its key is on the way, or the right is lost */
		}
		step = take_frame(s, newest, size, now_us);
		if (step != STREAM_IDLE) {
			return step;
		}
	}
	return STREAM_IDLE;
}

static enum stream_step next_piece(struct stream *s, uint8_t **ret_data, size_t *ret_size)
{
	uint8_t *frame;
	size_t total;

	if (buffer_frame(&s->buffer, &s->tag, &frame, &total) < 0 || s->offset >= total) {
		give_up(s);
		s->mixups++;
		return STREAM_ABORT;
	}
	s->piece = total - s->offset;
	if (s->piece > WIRE_CHUNK_PIECE_MAX_BYTES) {
		s->piece = WIRE_CHUNK_PIECE_MAX_BYTES;
	}
	*ret_data = frame + s->offset - WIRE_CHUNK_HEADER_BYTES;
	*ret_size = WIRE_CHUNK_HEADER_BYTES + s->piece;
	wire_encode_chunk_header(&(struct wire_chunk){.stream = s->tag.stream,
					 .frame = s->frame,
					 .offset = (uint32_t)s->offset,
					 .total = (uint32_t)total},
		*ret_data);
	return STREAM_PIECE;
}

enum stream_step stream_next(
	struct stream *s, uint64_t now_us, uint8_t **ret_data, size_t *ret_size)
{
	if (!under_way(s)) {
		enum stream_step step;

		if (!s->source || ring_newest(&s->source->reader) <= s->taken) {
			return STREAM_IDLE;
		}
		if (s->flights_count >= s->window) {
			s->starved = true;
			return STREAM_IDLE;
		}
		step = begin_frame(s, now_us);
		if (step != STREAM_PIECE) {
			return step;
		}
	} else if (!epoch_allowed(s, s->epoch) || too_old(s, s->capture_us, now_us)) {
		give_up(s);
		return STREAM_ABORT;
	}
	return next_piece(s, ret_data, ret_size);
}

void stream_sent(struct stream *s, uint64_t now_us)
{
	s->counts.bytes += s->piece;
	s->offset += s->piece;
	s->piece = 0;
	if (s->offset < s->buffer.frame_bytes) {
		return;
	}
	s->flights[s->flights_count++] = (struct stream_flight){
		.frame = s->frame, .begun_us = s->begun_us, .done_us = now_us};
	s->counts.sent++;
	s->counts_changed = true;
	buffer_wipe(&s->buffer);
	s->offset = 0;
}

/* More unanswered frames help a long path, and only make pictures older on a narrow one: there,
 * handing a frame over takes most of the time until its answer. */
static void adapt_window(struct stream *s, const struct wire_ack *ack,
	const struct stream_flight *flight, uint64_t now_us)
{
	uint64_t handing_us = flight->done_us - flight->begun_us;
	uint64_t answer_us = now_us - flight->done_us;

	if (ack->outcome == OUTCOME_LATE ||
		(ack->age_ms != UINT16_MAX && ack->age_ms > AGE_FOR_NARROW_WINDOW_MS)) {
		s->window = STREAM_WINDOW_MIN;
	} else if (s->starved && ack->outcome == OUTCOME_DRAWN &&
		   ack->age_ms <= AGE_FOR_WIDER_WINDOW_MS && handing_us < answer_us / 4 &&
		   s->window < STREAM_WINDOW_MAX) {
		s->window++;
	}
	s->starved = false;
}

static void count_outcome(struct stream *s, const struct wire_ack *ack, unsigned int answered)
{
	/* Frames that a later answer covers were overtaken in the display. */
	s->counts.late += answered - 1;
	switch (ack->outcome) {
	case OUTCOME_DRAWN:
		s->counts.drawn++;
		if (ack->age_ms != UINT16_MAX && ack->age_ms > s->counts.worst_age_ms) {
			s->counts.worst_age_ms = ack->age_ms;
		}
		break;
	case OUTCOME_LATE:
		s->counts.late++;
		break;
	case OUTCOME_HIDDEN:
		s->counts.hidden++;
		break;
	default:
		s->counts.refused++;
		break;
	}
	s->counts_changed = true;
}

int stream_acknowledge(struct stream *s, const struct wire_ack *ack, uint64_t now_us)
{
	unsigned int answered = 0;

	if (ack->frame > s->frame || (ack->frame == s->frame && under_way(s))) {
		return -EBADMSG;
	}
	while (answered < s->flights_count && s->flights[answered].frame <= ack->frame) {
		answered++;
	}
	if (answered == 0) {
		return 0;
	}
	adapt_window(s, ack, &s->flights[answered - 1], now_us);
	s->flights_count -= answered;
	memmove(s->flights, s->flights + answered, s->flights_count * sizeof s->flights[0]);
	count_outcome(s, ack, answered);
	return 1;
}
