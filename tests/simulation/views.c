/* What a connection may carry, byte by byte, and what a display may draw; see oracle.h. */
#include "truth.h"

#include "web/buffer.h"

#include <stdlib.h>
#include <string.h>

enum { LATE_US = 2000000, WINDOW_MIN = 2, WINDOW_MAX = 4 };

static struct view views[LINES_MAX];

static void flow_finish(struct flow *f)
{
	free(f->truth.bytes);
	*f = (struct flow){0};
}

static void view_finish(struct view *v)
{
	for (size_t i = 0; i < FLOWS; i++) {
		flow_finish(&v->flows[i]);
	}
	v->line = 0;
}

void views_reset(void)
{
	for (size_t i = 0; i < LINES_MAX; i++) {
		view_finish(&views[i]);
	}
	drawn_reset();
}

static struct view *view_of(const struct line *l)
{
	for (size_t i = 0; i < LINES_MAX; i++) {
		if (views[i].line == l->number) {
			return &views[i];
		}
	}
	return NULL;
}

struct view *view_find(unsigned int web, uint64_t connection)
{
	for (size_t i = 0; i < LINES_MAX; i++) {
		if (views[i].line != 0 && views[i].web == web &&
			views[i].connection == connection) {
			return &views[i];
		}
	}
	return NULL;
}

struct flow *view_flow(struct view *v, uint16_t stream)
{
	for (size_t i = 0; stream != 0 && i < FLOWS; i++) {
		if (v->flows[i].stream == stream) {
			return &v->flows[i];
		}
	}
	return NULL;
}

void oracle_connected(const struct line *l, uint64_t connection)
{
	for (size_t i = 0; i < LINES_MAX; i++) {
		if (views[i].line == 0) {
			views[i].line = l->number;
			views[i].display = l->display;
			views[i].web = l->web;
			views[i].connection = connection;
			return;
		}
	}
	oracle_fail("simulation", "too many connections");
}

void oracle_disconnected(const struct line *l)
{
	struct view *v = view_of(l);

	if (v) {
		view_finish(v);
	}
}

/* A place for a new stream: a free one, one that is over, or of those that never were given a
 * camera. */
static struct flow *place(struct view *v)
{
	struct flow *ended = NULL, *refused = NULL;

	for (size_t i = 0; i < FLOWS; i++) {
		struct flow *f = &v->flows[i];

		if (f->stream == 0) {
			return f;
		}
		ended = f->ended ? f : ended;
		refused = f->given == NULL && (!refused || f->asked < refused->asked) ? f : refused;
	}
	return ended ? ended : refused;
}

void oracle_asked(const struct line *l, uint16_t stream, const uint8_t *camera)
{
	struct view *v = view_of(l);
	struct flow *f = v ? place(v) : NULL;

	if (f) {
		flow_finish(f);
		f->stream = stream;
		f->asked = world.step;
		f->body = oracle_body_of(camera);
		f->window = WINDOW_MIN;
	}
}

void oracle_void(unsigned int web, uint64_t connection, uint16_t stream, uint32_t epoch)
{
	struct view *v = view_find(web, connection);
	struct flow *f = v ? view_flow(v, stream) : NULL;

	if (f && epoch == UINT32_MAX) {
		f->ended = true;
	} else if (f) {
		f->broken = epoch;
	}
}

/* ---- frames ---- */

static bool told(const struct flow *f, uint32_t epoch)
{
	for (unsigned int i = 0; i < f->told_count; i++) {
		if (f->told[i] == epoch) {
			return true;
		}
	}
	return false;
}

/* Which frame this is, by its bytes. */
static const struct frame_truth *recognise(
	const struct process_truth *p, const uint8_t *piece, size_t size, size_t total)
{
	for (size_t i = 0; p && i < PAST; i++) {
		const struct frame_truth *f = &p->past[(p->published + PAST - i) % PAST];

		if (f->bytes && f->size == total && memcmp(f->bytes, piece, size) == 0) {
			return f;
		}
	}
	return NULL;
}

static void check_right(const struct view *v, const struct flow *f, const struct frame_truth *t)
{
	uint64_t since_us;

	if (truth_is_withheld(v->display, f->body, t->granted, t->step)) {
		oracle_fail("I8",
			"display %u is sent a picture of camera %u that was taken when it "
			"had no grant",
			v->display, f->body);
	}
	if (!oracle_may_see(v->display, f->body)) {
		since_us = world.now_us - truth_revoked_us(v->display, f->body);
		if (since_us > 1000ULL * REGISTRY_CUT_MS) {
			oracle_fail("I8", "display %u is sent camera %u %llu us after the revoke",
				v->display, f->body, (unsigned long long)since_us);
		}
	}
}

static void begin_frame(struct view *v, struct flow *f, const struct wire_chunk *c,
	const uint8_t *piece, size_t size)
{
	const struct process_truth *p = f->given;
	const struct frame_truth *t;

	if (p && p->number != f->process) {
		p = NULL;
	}
	t = recognise(p, piece, size, c->total);
	if (!t) {
		oracle_fail("I4",
			"display %u is sent on its stream of camera %u what is no frame "
			"of it and of the generation that it was given",
			v->display, f->body);
	}
	if (t->number != p->published) {
		oracle_fail("I6", "frame %llu of camera %u is sent when %llu is the newest",
			(unsigned long long)t->number, f->body, (unsigned long long)p->published);
	}
	if (f->began &&
		(t->epoch < f->epoch || (t->epoch == f->epoch && t->counter <= f->counter))) {
		oracle_fail("I4", "frame %llu of camera %u is sent a second time on one stream",
			(unsigned long long)t->number, f->body);
	}
	if (!told(f, t->epoch)) {
		oracle_fail("I8", "a frame of epoch %u of camera %u is sent before its KEY",
			t->epoch, f->body);
	}
	if (f->flights_count >= f->window) {
		oracle_fail("I6", "a frame is begun on a stream with %u unanswered, %u may be",
			f->flights_count, f->window);
	}
	free(f->truth.bytes);
	f->truth = *t;
	f->truth.bytes = spared_malloc(t->size);
	memcpy(f->truth.bytes, t->bytes, t->size);
	f->began = true;
	f->epoch = t->epoch;
	f->counter = t->counter;
	f->frame = c->frame;
	f->offset = 0;
}

static void wrote_chunk(struct view *v, const uint8_t *bytes, size_t size)
{
	struct wire_chunk c;
	const uint8_t *piece;
	size_t piece_size;
	struct flow *f;

	if (wire_parse_chunk(bytes, size, &c, &piece, &piece_size) < 0) {
		oracle_fail("I4", "a chunk that cannot be");
	}
	f = view_flow(v, c.stream);
	if (!f || f->ended) {
		oracle_fail("I8", "a frame is sent on stream %u, which %s", c.stream,
			f ? "was taken back" : "nobody asked for");
	}
	if (c.offset == 0) {
		begin_frame(v, f, &c, piece, piece_size);
	} else if (c.frame != f->frame || c.offset != f->offset || c.total != f->truth.size ||
		   memcmp(f->truth.bytes + c.offset, piece, piece_size) != 0) {
		oracle_fail("I5",
			"display %u is sent a piece of camera %u that does not belong to "
			"the frame that was begun",
			v->display, f->body);
	}
	if (f->epoch < f->broken) {
		oracle_fail("I8", "a frame of epoch %u is sent after epoch %u broke it", f->epoch,
			f->broken);
	}
	check_right(v, f, &f->truth);
	f->offset += piece_size;
	if (f->offset == c.total) {
		f->offset = 0;
		f->flights[f->flights_count++] = c.frame;
	}
}

/* A frame is given up for a reason only: so a revoke costs others the one under way at most. */
static void wrote_abort(struct view *v, const uint8_t *bytes, size_t size)
{
	struct wire_abort a;
	struct flow *f;

	if (wire_parse_abort(bytes, size, &a) < 0 || !(f = view_flow(v, a.stream))) {
		return;
	}
	if (f->offset > 0 && f->frame == a.frame && !f->ended && f->epoch >= f->broken &&
		world.now_us - f->truth.capture_us <= LATE_US) {
		oracle_fail("I8", "a frame of camera %u to display %u is given up without a reason",
			f->body, v->display);
	}
	f->offset = 0;
}

static void wrote_hub(struct view *v, const uint8_t *bytes, size_t size)
{
	struct wire_envelope e;
	struct wire_key k;
	struct flow *f;

	if (wire_parse_envelope(bytes, size, &e) < 0 || e.kind != HUB_KEY ||
		wire_parse_key(e.body, e.body_size, &k) < 0 || !(f = view_flow(v, k.stream))) {
		return;
	}
	if (told(f, k.epoch)) {
		return;
	}
	if (f->told_count == TOLD_MAX) {
		memmove(f->told, f->told + 1, sizeof(f->told) - sizeof(f->told[0]));
		f->told_count--;
	}
	f->told[f->told_count++] = k.epoch;
}

void oracle_wrote(const struct line *l, const uint8_t *bytes, size_t size)
{
	struct view *v = view_of(l);

	if (!v) {
		oracle_fail("I8", "a connection that has ended is written to");
	}
	switch (bytes[0]) {
	case WIRE_CHUNK:
		wrote_chunk(v, bytes, size);
		break;
	case WIRE_ABORT:
		wrote_abort(v, bytes, size);
		break;
	case WIRE_HUB:
		wrote_hub(v, bytes, size);
		break;
	case WIRE_CHALLENGE:
		break;
	default:
		oracle_fail("I4", "a message of type %u is sent to a display", bytes[0]);
	}
}

void oracle_web_heard(const struct line *l, const uint8_t *bytes, size_t size)
{
	struct view *v = view_of(l);
	struct wire_ack a;
	struct flow *f;
	unsigned int answered = 0;

	if (!v || size == 0 || bytes[0] != WIRE_ACK || wire_parse_ack(bytes, size, &a) < 0 ||
		!(f = view_flow(v, a.stream))) {
		return;
	}
	while (answered < f->flights_count && f->flights[answered] <= a.frame) {
		answered++;
	}
	if (answered == 0) {
		return;
	}
	f->flights_count -= answered;
	memmove(f->flights, f->flights + answered, f->flights_count * sizeof(f->flights[0]));
	if (a.outcome == OUTCOME_LATE || (a.age_ms != UINT16_MAX && a.age_ms > 1000)) {
		f->window = WINDOW_MIN;
	} else if (a.outcome == OUTCOME_DRAWN && a.age_ms <= 500 && f->window < WINDOW_MAX) {
		f->window++;
	}
}

void oracle_buffer(const struct line *l, uint64_t connection, const struct buffer *b)
{
	struct view *v = view_of(l);
	struct flow *f = v ? view_flow(v, b->tag.stream) : NULL;

	if (!f || b->tag.connection != connection || oracle_body_of(b->tag.camera) != f->body) {
		oracle_fail("I5",
			"a buffer of connection %u is tagged with another owner or camera",
			(unsigned int)connection);
	}
	if (!b->memory) {
		return;
	}
	memory_claim(b->memory, l->number, b->tag.stream);
	if (b->capacity > FRAME_BYTES + (size_t)2 * BUFFER_STEP_BYTES) {
		oracle_fail("I5", "a buffer has %zu bytes", b->capacity);
	}
	if (b->frame_bytes == 0 && !memory_is_zero(b->memory, b->capacity)) {
		oracle_fail("I5",
			"the buffer of stream %u of connection %u holds bytes of a frame "
			"that is over",
			b->tag.stream, (unsigned int)connection);
	}
}
