#include "display_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int display_reserve_jpeg(struct display *d, size_t size)
{
	if (size <= d->jpeg_capacity) {
		return 0;
	}
	uint8_t *larger = malloc(size);
	if (larger == NULL) {
		return -ENOMEM;
	}
	free(d->jpeg); /* zero between pictures */
	d->jpeg = larger;
	d->jpeg_capacity = size;
	return 0;
}

static void display_send_ack(struct display *d, const struct tile *t, const struct tile_verdict *v)
{
	struct wire_ack ack = {.outcome = v->outcome,
		.stream = t->stream,
		.frame = t->frame,
		.age_ms = UINT16_MAX,
		.reason = v->reason};
	if (v->aged && v->age_us < (int64_t)UINT16_MAX * 1000) {
		ack.age_ms = v->age_us < 0 ? 0 : (uint16_t)(v->age_us / 1000);
	}
	uint8_t message[16];
	ssize_t n = wire_encode_ack(&ack, message, sizeof(message));
	if (n > 0) {
		d->send(d->sender, message, (size_t)n);
	}
}

static void display_count(struct display *d, struct tile *t, const struct tile_verdict *v)
{
	struct display_counts *c = &d->counts;
	c->received++;
	c->bytes += t->total;
	c->oversized += v->oversized;
	c->early += v->early;
	c->clockless += v->clockless;
	t->totals.received++;
	switch (v->outcome) {
	case OUTCOME_DRAWN:
		c->drawn++;
		t->totals.drawn++;
		break;
	case OUTCOME_LATE:
		c->late++;
		t->totals.late++;
		break;
	case OUTCOME_HIDDEN:
		c->hidden++;
		t->totals.hidden++;
		break;
	default:
		c->refused++;
		t->totals.refused++;
	}
	if (v->outcome == OUTCOME_DRAWN && v->age_us > 0) {
		uint32_t age_ms = (uint32_t)(v->age_us / 1000);
		c->worst_age_ms = age_ms > c->worst_age_ms ? age_ms : c->worst_age_ms;
		t->totals.worst_age_ms =
			age_ms > t->totals.worst_age_ms ? age_ms : t->totals.worst_age_ms;
	}
}

static void display_draw(struct display *d, const struct tile *t, const struct wire_camera *camera,
	struct tile_verdict *v)
{
	struct display_picture picture = {.stream = t->stream,
		.camera = camera,
		.header = v->header,
		.counter = v->counter,
		.age_us = v->age_us,
		.live = v->live,
		.jpeg = d->jpeg,
		.jpeg_size = v->jpeg_size};
	bool drawn = d->callbacks.picture != NULL && d->callbacks.picture(d->user, &picture);
	v->outcome = drawn ? OUTCOME_DRAWN : OUTCOME_HIDDEN;
}

static int display_take_frame(struct display *d, struct tile *t, uint64_t now_us)
{
	struct display_entry *e = display_find_camera(d, t->camera);
	struct tile_verdict v;
	int r = t->oversized ? 0 : display_reserve_jpeg(d, t->total);
	if (r < 0 || e == NULL) {
		return r < 0 ? r : -EBADMSG;
	}
	tile_check_frame(t, d->home, &e->marks, now_us, d->jpeg, d->jpeg_capacity, &v);
	uint16_t stream = t->stream;
	if (v.outcome == OUTCOME_DRAWN) {
		display_draw(d, t, &e->camera, &v);
		explicit_bzero(d->jpeg, v.jpeg_size);
	}
	if (t->stream != stream) {
		return 0; /* the callback stopped watching: nobody waits for an answer */
	}
	display_count(d, t, &v);
	display_send_ack(d, t, &v);
	if (v.reason == ANOMALY_NONE) {
		t->clock_wanted = t->clock_wanted || v.early; /* display_tick asks */
		return 0;
	}
	struct wire_report report = {.stream = stream,
		.reason = v.reason,
		.epoch = v.header.epoch,
		.counter = v.counter};
	memcpy(report.camera, v.header.camera, CAMERA_ID_BYTES);
	memcpy(report.generation, t->generation, GENERATION_BYTES);
	return display_report(d, t, &report);
}

int display_take_chunk(struct display *d, const uint8_t *message, size_t size, uint64_t now_us)
{
	struct wire_chunk chunk;
	const uint8_t *piece;
	size_t piece_size;
	if (wire_parse_chunk(message, size, &chunk, &piece, &piece_size) < 0 || chunk.stream == 0 ||
		chunk.stream > d->streams) {
		return -EBADMSG;
	}
	struct tile *t = display_find_tile(d, chunk.stream);
	if (t == NULL) {
		d->counts.drained++;
		return 0;
	}
	int r = tile_add_piece(t, &chunk, piece, piece_size);
	return r == 1 ? display_take_frame(d, t, now_us) : r;
}

int display_take_abort(struct display *d, const uint8_t *message, size_t size)
{
	struct wire_abort abort;
	if (wire_parse_abort(message, size, &abort) < 0 || abort.stream == 0 ||
		abort.stream > d->streams) {
		return -EBADMSG;
	}
	struct tile *t = display_find_tile(d, abort.stream);
	d->counts.aborted++;
	return t == NULL ? 0 : tile_abort_frame(t, abort.frame);
}
