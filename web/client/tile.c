#include "tile.h"
#include "fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	PREVIOUS_EPOCH_US = 2000000,
	LIVE_US = 2000000,
	LIMIT_US = 5000000,
	SLOW_INTERVAL_US = 1000000,
	EARLIEST_AGE_US = -200000,
};

static void tile_key_drop(struct tile_key *k)
{
	sframe_key_destroy(k->key);
	*k = (struct tile_key){0};
}

void tile_finish(struct tile *t)
{
	tile_key_drop(&t->current);
	tile_key_drop(&t->next);
	tile_key_drop(&t->previous);
	if (t->sealed != NULL) {
		explicit_bzero(t->sealed, t->sealed_capacity);
		free(t->sealed);
	}
	explicit_bzero(t, sizeof(*t));
}

/* ---- frames from chunks ---- */

static int tile_begin_frame(struct tile *t, const struct wire_chunk *chunk)
{
	if (chunk->frame != t->frame + 1 || chunk->offset != 0) {
		return -EBADMSG;
	}
	t->total = chunk->total;
	t->oversized = chunk->total > t->frame_max_bytes || chunk->total > WIRE_FRAME_MAX_BYTES;
	if (t->oversized || chunk->total <= t->sealed_capacity) {
		return 0;
	}
	uint8_t *larger = malloc(chunk->total);
	if (larger == NULL) {
		return -ENOMEM;
	}
	free(t->sealed);
	t->sealed = larger;
	t->sealed_capacity = chunk->total;
	return 0;
}

int tile_add_piece(
	struct tile *t, const struct wire_chunk *chunk, const uint8_t *piece, size_t piece_size)
{
	if (t->filled == 0) {
		int r = tile_begin_frame(t, chunk);
		if (r < 0) {
			return r;
		}
	} else if (chunk->frame != t->frame + 1 || chunk->offset != t->filled ||
		   chunk->total != t->total) {
		return -EBADMSG;
	}
	if (!t->oversized) {
		memcpy(t->sealed + t->filled, piece, piece_size);
	}
	t->filled += (uint32_t)piece_size;
	if (t->filled < t->total) {
		return 0;
	}
	t->frame++;
	t->filled = 0;
	return 1;
}

int tile_abort_frame(struct tile *t, uint32_t frame)
{
	if (frame != t->frame + 1) {
		return -EBADMSG;
	}
	t->frame = frame;
	t->filled = 0;
	return 0;
}

/* ---- keys ---- */

static void tile_switch(struct tile *t, struct tile_key key, uint64_t now_us)
{
	tile_key_drop(&t->previous);
	t->previous = t->current;
	t->current = key;
	t->switched_us = now_us;
}

int tile_take_key(struct tile *t, uint8_t purpose, uint32_t epoch,
	const uint8_t key[static EPOCH_KEY_BYTES], uint64_t now_us)
{
	if (epoch == 0) {
		return -EBADMSG;
	}
	/* An answer and a rotation may cross: what is not newer teaches nothing. */
	if (epoch <= t->current.epoch) {
		return 0;
	}
	struct tile_key taken = {.key = sframe_key_create(key, epoch), .epoch = epoch};
	if (taken.key == NULL) {
		return -ENOMEM;
	}
	if (t->first_epoch == 0) {
		t->first_epoch = epoch;
	}
	/* The one announced before must be in force by now, though no frame of it came yet. */
	if (purpose == KEY_NEXT && t->next.key != NULL && epoch > t->next.epoch) {
		tile_switch(t, t->next, now_us);
		t->next = (struct tile_key){0};
	}
	tile_key_drop(&t->next);
	if (purpose == KEY_NEXT) {
		t->next = taken;
	} else {
		tile_switch(t, taken, now_us);
	}
	return 0;
}

/* ---- high-water marks ---- */

static uint64_t marks_next(const struct tile_marks *m, uint32_t epoch)
{
	uint32_t lowest = UINT32_MAX;
	for (size_t i = 0; i < TILE_MARKS; i++) {
		if (m->marks[i].epoch == epoch) {
			return m->marks[i].next;
		}
		if (m->marks[i].epoch < lowest) {
			lowest = m->marks[i].epoch;
		}
	}
	/* Older than everything remembered: all of it counts as seen. */
	return epoch < lowest ? UINT64_MAX : 0;
}

static void marks_raise(struct tile_marks *m, uint32_t epoch, uint64_t next)
{
	size_t at = 0;
	for (size_t i = 0; i < TILE_MARKS; i++) {
		if (m->marks[i].epoch == epoch) {
			at = i;
			break;
		}
		if (m->marks[i].epoch < m->marks[at].epoch) {
			at = i;
		}
	}
	m->marks[at].epoch = epoch;
	m->marks[at].next = next;
}

/* ---- the checks ---- */

struct check {
	struct tile *tile;
	const uint8_t *home;
	struct tile_marks *marks;
	uint64_t now_us;
	uint8_t *jpeg;
	size_t jpeg_capacity;
	struct tile_key *key;
	struct tile_verdict *verdict;
};

static bool check_refuse(struct check *c, enum anomaly reason)
{
	c->verdict->outcome = OUTCOME_REFUSED;
	c->verdict->reason = (uint8_t)reason;
	return false;
}

static bool check_late(struct check *c)
{
	c->verdict->outcome = OUTCOME_LATE;
	return false;
}

static bool check_size(struct check *c)
{
	if (c->tile->oversized) {
		c->verdict->oversized = true;
		return check_refuse(c, ANOMALY_NONE);
	}
	return true;
}

static bool check_camera(struct check *c)
{
	struct tile *t = c->tile;
	struct wire_frame_header *h = &c->verdict->header;
	if (wire_parse_frame_header(t->sealed, t->total, h) < 0) {
		return check_refuse(c, ANOMALY_UNSEAL);
	}
	if (fault_lifts(PROTECTION_CAMERA)) {
		return true;
	}
	if (memcmp(h->camera, t->camera, CAMERA_ID_BYTES) != 0 || h->rendition != t->rendition) {
		return check_refuse(c, ANOMALY_FOREIGN_CAMERA);
	}
	return true;
}

static bool check_epoch(struct check *c)
{
	struct tile *t = c->tile;
	uint32_t epoch = c->verdict->header.epoch;
	if (t->current.key != NULL && epoch == t->current.epoch) {
		c->key = &t->current;
	} else if (t->next.key != NULL && epoch == t->next.epoch) {
		c->key = &t->next;
	} else if (t->previous.key != NULL && epoch == t->previous.epoch &&
		   c->now_us - t->switched_us <= PREVIOUS_EPOCH_US) {
		c->key = &t->previous;
	} else if (t->first_epoch != 0 && epoch >= t->first_epoch && epoch < t->current.epoch) {
		/* Sent in time and under way for long: slow, but no mix-up. */
		return check_late(c);
	}
	return c->key != NULL || check_refuse(c, ANOMALY_UNKNOWN_EPOCH);
}

static bool check_header(struct check *c)
{
	uint64_t kid;
	ssize_t n = sframe_parse_header(c->tile->sealed + WIRE_FRAME_HEADER_BYTES,
		c->tile->total - WIRE_FRAME_HEADER_BYTES, &kid, &c->verdict->counter);
	if (n < 0 || kid != c->key->epoch) {
		return check_refuse(c, ANOMALY_UNSEAL);
	}
	return true;
}

static bool check_counter(struct check *c)
{
	if (fault_lifts(PROTECTION_COUNTER)) {
		return true;
	}
	if (c->verdict->counter < c->key->next) {
		return check_refuse(c, ANOMALY_COUNTER);
	}
	/* A stream begins with the camera's newest frame, which an earlier stream may have brought.
	 */
	if (c->verdict->counter < marks_next(c->marks, c->key->epoch)) {
		return check_late(c);
	}
	return true;
}

static bool check_seal(struct check *c)
{
	struct tile *t = c->tile;
	uint8_t metadata[WIRE_FRAME_METADATA_BYTES];
	wire_frame_metadata(c->home, t->generation, t->sealed, metadata);
	uint64_t counter;
	ssize_t n = sframe_open(c->key->key, metadata, sizeof(metadata),
		t->sealed + WIRE_FRAME_HEADER_BYTES, t->total - WIRE_FRAME_HEADER_BYTES, c->jpeg,
		c->jpeg_capacity, &counter);
	if (n < 0) {
		return check_refuse(c, ANOMALY_UNSEAL);
	}
	c->verdict->jpeg_size = (size_t)n;
	c->key->next = counter + 1;
	marks_raise(c->marks, c->key->epoch, counter + 1);
	if (c->key == &t->next) {
		struct tile_key key = t->next;
		t->next = (struct tile_key){0};
		tile_switch(t, key, c->now_us);
		c->key = &t->current;
	}
	return true;
}

static bool check_age(struct check *c)
{
	struct tile *t = c->tile;
	struct tile_verdict *v = c->verdict;
	if (fault_lifts(PROTECTION_AGE)) {
		v->live = true;
		return true;
	}
	if (!t->clock_known) {
		v->clockless = true;
		return check_late(c);
	}
	int64_t slow = t->frame_interval_us > SLOW_INTERVAL_US ? t->frame_interval_us : 0;
	uint64_t camera_now_us = t->clock_us + (c->now_us - t->clock_at_us);
	v->aged = true;
	v->age_us = (int64_t)(camera_now_us - v->header.capture_us);
	v->live = v->age_us <= (slow != 0 ? 2 * slow : LIVE_US);
	if (v->age_us < EARLIEST_AGE_US) {
		v->early = true;
		return check_refuse(c, ANOMALY_NONE);
	}
	return v->age_us <= (slow != 0 ? 5 * slow : LIMIT_US) || check_late(c);
}

static bool check_picture(struct check *c)
{
	const struct tile_verdict *v = c->verdict;
	if (fault_lifts(PROTECTION_PICTURE)) {
		return true;
	}
	return tile_jpeg_ok(c->jpeg, v->jpeg_size, v->header.width, v->header.height) ||
	       check_refuse(c, ANOMALY_PICTURE);
}

void tile_check_frame(struct tile *t, const uint8_t home[static HOME_ID_BYTES],
	struct tile_marks *marks, uint64_t now_us, uint8_t *jpeg, size_t jpeg_capacity,
	struct tile_verdict *ret)
{
	/* web/PROTOCOL.md, "Checks a display makes, in this order". The ninth is the caller's:
	 * draw. */
	static bool (*const checks[])(struct check *) = {check_size, check_camera, check_epoch,
		check_header, check_counter, check_seal, check_age, check_picture};
	*ret = (struct tile_verdict){.outcome = OUTCOME_DRAWN};
	struct check c = {.tile = t,
		.home = home,
		.marks = marks,
		.now_us = now_us,
		.jpeg = jpeg,
		.jpeg_capacity = jpeg_capacity,
		.verdict = ret};
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		if (!checks[i](&c)) {
			explicit_bzero(jpeg, ret->jpeg_size);
			ret->jpeg_size = 0;
			return;
		}
	}
}

/* ---- JPEG bounds ---- */

static bool marker_is_sof(uint8_t marker)
{
	/* SOF0..SOF15 without DHT (C4), JPG (C8) and DAC (CC). */
	return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
	       marker != 0xcc;
}

bool tile_jpeg_ok(const uint8_t *jpeg, size_t size, uint16_t width, uint16_t height)
{
	if (size < 4 || jpeg[0] != 0xff || jpeg[1] != 0xd8 || jpeg[size - 2] != 0xff ||
		jpeg[size - 1] != 0xd9) {
		return false;
	}
	size_t at = 2;
	while (at + 4 <= size && jpeg[at] == 0xff) {
		uint8_t marker = jpeg[at + 1];
		if (marker == 0xff) {
			at++; /* fill byte */
			continue;
		}
		size_t length = (size_t)(jpeg[at + 2] << 8 | jpeg[at + 3]);
		if (marker < 0xc0 || (marker >= 0xd0 && marker <= 0xda) || length < 2 ||
			length > size - at - 2) {
			return false; /* no frame header before the scan */
		}
		if (marker_is_sof(marker)) {
			return length >= 8 && (jpeg[at + 5] << 8 | jpeg[at + 6]) == height &&
			       (jpeg[at + 7] << 8 | jpeg[at + 8]) == width;
		}
		at += 2 + length;
	}
	return false;
}
