/* What the faults of gateway/fault.h do, where it takes more than a line. Each process has its own
 * memory of what went before; nothing here is ever freed. */
#include "fault.h"
#include "registry_state.h"
#include "web/buffer.h"

#include <stdlib.h>
#include <string.h>

enum {
	KEPT_BYTES = 60000,
	CACHE_US = 200000,
	QUEUE_US = 2600000,
	QUEUE_FRAMES = 128,
	PLUS_N = 24 << 10
};

/* A frame that stayed behind in a buffer, a cache or a queue. */
struct kept {
	uint64_t key, connection;
	uint64_t capture_us;
	uint32_t size;
	uint8_t bytes[KEPT_BYTES];
};

static uint64_t capture_of(const uint8_t *frame)
{
	struct wire_frame_header h = {0};

	(void)wire_parse_frame_header(frame, WIRE_FRAME_HEADER_BYTES, &h);
	return h.capture_us;
}

static void keep(struct kept *k, const struct buffer_tag *tag, uint64_t key, const uint8_t *frame,
	uint32_t size)
{
	k->key = key;
	k->connection = tag->connection;
	k->capture_us = capture_of(frame);
	k->size = size < KEPT_BYTES ? size : KEPT_BYTES;
	memcpy(k->bytes, frame, k->size);
}

static void bring_back(const struct kept *k, uint8_t *frame, size_t capacity, uint32_t *size)
{
	if (k->size <= capacity) {
		memcpy(frame, k->bytes, k->size);
		*size = k->size;
	}
}

/* ---- buffers ---- */

static uint8_t residue[KEPT_BYTES]; /* what was in the pooled buffer when it was handed out */

void accident_pool(uint8_t **memory, size_t *capacity)
{
	static uint8_t *pooled;
	static size_t pooled_capacity;
	uint8_t *mine = *memory;
	size_t mine_capacity = *capacity;

	*memory = pooled;
	*capacity = pooled_capacity;
	pooled = mine;
	pooled_capacity = mine_capacity;
	if (*memory != NULL) {
		size_t size = *capacity - BUFFER_HEAD_BYTES;
		memcpy(residue, *memory + BUFFER_HEAD_BYTES,
			size < sizeof(residue) ? size : sizeof(residue));
	}
}

void accident_swap_buffers(struct buffer *b)
{
	static struct buffer other;
	struct buffer mine = *b;

	if (other.memory != NULL && other.tag.connection != b->tag.connection) {
		*b = other;
		other = mine;
		return;
	}
	free(other.memory);
	other = mine;
	other.memory = malloc(mine.capacity);
	if (other.memory == NULL) {
		abort();
	}
	memcpy(other.memory, mine.memory, mine.capacity);
}

/* ---- frames on their way into a buffer ---- */

/* A cache in front of the ring: an entry lives for a moment, whoever asks with its key gets it. */
static void cache(
	const struct buffer_tag *tag, uint64_t key, uint8_t *frame, size_t capacity, uint32_t *size)
{
	static struct kept entry;
	uint64_t now_us = capture_of(frame);

	if (entry.key == key && entry.connection != tag->connection &&
		now_us - entry.capture_us < CACHE_US) {
		bring_back(&entry, frame, capacity, size);
	} else {
		keep(&entry, tag, key, frame, *size);
	}
}

/* The frame that somebody else asked for last is the answer to the first question of a connection.
 */
static void answer_with_last(const struct buffer_tag *tag, uint32_t frame_number, uint8_t *frame,
	size_t capacity, uint32_t *size)
{
	static struct kept last;

	if (frame_number == 1 && last.size > 0 && last.connection != tag->connection) {
		bring_back(&last, frame, capacity, size);
	} else {
		keep(&last, tag, 0, frame, *size);
	}
}

/* No new frame "in time": the old one again, stamped as new. */
static void repeat_first(const struct buffer_tag *tag, uint32_t frame_number, uint8_t *frame,
	size_t capacity, uint32_t *size)
{
	static struct kept first;
	struct wire_frame_header h;

	if (first.size == 0) {
		keep(&first, tag, 0, frame, *size);
	} else if (frame_number > 3 && wire_parse_frame_header(frame, *size, &h) == 0) {
		uint64_t now_us = h.capture_us;
		bring_back(&first, frame, capacity, size);
		(void)wire_parse_frame_header(frame, *size, &h);
		h.capture_us = now_us;
		wire_encode_frame_header(&h, frame);
	}
}

/* First in, first out: each frame waits until it is QUEUE_US old. */
static void queue(const struct buffer_tag *tag, uint8_t *frame, size_t capacity, uint32_t *size)
{
	static struct kept frames[QUEUE_FRAMES];
	static size_t first, next;
	uint64_t now_us = capture_of(frame);

	/* It is asked again and again for the same one while it gives nothing. */
	if (next == 0 || frames[(next - 1) % QUEUE_FRAMES].capture_us != now_us) {
		keep(&frames[next++ % QUEUE_FRAMES], tag, 0, frame, *size);
	}
	if (now_us - frames[first % QUEUE_FRAMES].capture_us < QUEUE_US) {
		*size = 0;
		return;
	}
	bring_back(&frames[first++ % QUEUE_FRAMES], frame, capacity, size);
}

void accident_copy(const struct buffer_tag *tag, uint32_t frame_number, uint8_t *frame,
	size_t capacity, uint32_t *size)
{
	if (fault_happens(FAULT_CACHE_BY_URL)) {
		/* What every display calls by the same name: its first stream. */
		cache(tag, tag->stream, frame, capacity, size);
	} else if (fault_happens(FAULT_CACHE_BY_SIZE)) {
		cache(tag, capacity, frame, capacity, size);
	} else if (fault_happens(FAULT_REPLY_TO_NEXT)) {
		answer_with_last(tag, frame_number, frame, capacity, size);
	} else if (fault_happens(FAULT_OLD_ON_TIMEOUT)) {
		repeat_first(tag, frame_number, frame, capacity, size);
	} else if (fault_happens(FAULT_QUEUED)) {
		queue(tag, frame, capacity, size);
	} else if (fault_happens(FAULT_LENGTH_PLUS_N)) {
		*size = *size + PLUS_N < capacity ? *size + PLUS_N : (uint32_t)capacity;
	} else if (fault_happens(FAULT_UNWIPED_BUFFER) && *size <= KEPT_BYTES) {
		/* The copy stopped early: what is behind it was there before. */
		memcpy(frame + *size / 2, residue + *size / 2, *size - *size / 2);
	}
}

/* ---- tables ---- */

void accident_swap_rows(struct ipc_give *give)
{
	static struct ipc_give rows[2];
	static unsigned int given;

	if (given < 2) {
		rows[given++] = *give;
		return;
	}
	/* Everybody came back, and the table is one off. */
	for (int i = 0; i < 2; i++) {
		if (memcmp(rows[i].camera, give->camera, CAMERA_ID_BYTES) != 0) {
			give->ring = rows[i].ring;
			memcpy(give->camera, rows[i].camera, sizeof(give->camera));
			memcpy(give->generation, rows[i].generation, sizeof(give->generation));
			return;
		}
	}
}

const struct ipc_wrapped *accident_last_answer(const struct ipc_wrapped *m)
{
	static struct ipc_wrapped last, answer;

	answer = last.wrapped_size == m->wrapped_size ? last : *m;
	answer.request = m->request;
	last = *m;
	return &answer;
}

const uint8_t *accident_neighbour(const uint8_t *display)
{
	static uint8_t rows[2][DISPLAY_ID_BYTES];
	static const uint8_t nobody[DISPLAY_ID_BYTES];

	if (memcmp(rows[1], display, DISPLAY_ID_BYTES) != 0) {
		memcpy(rows[0], rows[1], DISPLAY_ID_BYTES);
		memcpy(rows[1], display, DISPLAY_ID_BYTES);
	}
	return memcmp(rows[0], nobody, DISPLAY_ID_BYTES) == 0 ? display : rows[0];
}

static void replace(uint8_t *message, size_t size, const char *from, const char *to)
{
	uint8_t *at = memmem(message, size, from, strlen(from));

	if (at != NULL) {
		memcpy(at, to, strlen(to));
	}
}

void accident_swap_names(uint8_t *message, size_t size)
{
	bool door = memmem(message, size, "Door", 4) != NULL;

	replace(message, size, door ? "Door" : "Yard", door ? "Yard" : "Door");
}

struct registry_camera *accident_find_by_prefix(const struct registry *r, const uint8_t *id)
{
	struct registry_camera *asked = NULL;

	for (struct registry_camera *c = r->cameras; c != NULL; c = c->next) {
		asked = memcmp(c->record.id, id, CAMERA_ID_BYTES) == 0 ? c : asked;
	}
	for (struct registry_camera *c = r->cameras; asked != NULL && c != NULL; c = c->next) {
		if (c != asked && strcmp(asked->record.name, "Door") == 0 &&
			strncmp(c->record.name, asked->record.name, strlen(asked->record.name)) ==
				0) {
			return c;
		}
	}
	return asked;
}
