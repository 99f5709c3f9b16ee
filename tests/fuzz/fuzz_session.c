/*
 * A display against the web role's session: any messages, between what the keeper orders and frames
 * of two cameras. What goes out is a whole message; a piece belongs to a stream that was given and
 * is of that stream's camera.
 */
#include "../unit/session_fixture.h"
#include "script.h"

enum { STEPS_MAX = 80, STREAMS = 4, FRAME_BYTES = 40000 };

static struct camera cameras[2];
static const struct camera *given[STREAMS]; /* by stream number, the harness's own books */

static void hear(struct script *s, struct session *session)
{
	const char *reason = NULL;
	size_t size;
	uint8_t *data = script_bytes(s, 255, &size);

	if (session_hear(session, now_us, data, size, &reason) == SESSION_REFUSE && !reason) {
		abort();
	}
	free(data);
}

/* camera_open numbers them from 1, and the number is the first byte of each frame's header. */
static void take_out(struct session *session)
{
	struct wire_chunk chunk;
	const uint8_t *piece;
	size_t size, piece_size;
	uint8_t *data;

	for (int i = 0; i < 8 && session_next(session, now_us, &data, &size); i++) {
		if (size == 0 || size > WIRE_CHUNK_HEADER_BYTES + WIRE_CHUNK_PIECE_MAX_BYTES) {
			abort();
		}
		if (data[0] == WIRE_CHUNK) {
			if (wire_parse_chunk(data, size, &chunk, &piece, &piece_size) < 0 ||
				chunk.stream >= STREAMS || !given[chunk.stream] ||
				(chunk.offset == 0 &&
					piece[0] != given[chunk.stream]->source.ring.ring)) {
				abort();
			}
		}
		memset(data - BUFFER_LIBRARY_BYTES, 0xee, BUFFER_LIBRARY_BYTES);
		session_sent(session, now_us);
	}
}

static void keeper_orders(struct script *s, struct session *session)
{
	uint8_t what = script_u8(s);
	uint16_t stream = (uint16_t)(1 + (what >> 3) % (STREAMS - 1));
	const struct camera *camera = &cameras[what >> 6 & 1];
	struct ipc_counts counts;

	switch (what % 4) {
	case 0:
		if (give(session, stream, camera) == 0) {
			if (!session->admitted || given[stream]) {
				abort();
			}
			given[stream] = camera;
		}
		break;
	case 1:
		if (session_take(session, stream, &counts) == 0) {
			given[stream] = NULL;
		}
		break;
	case 2: {
		static const uint8_t key[] = {WIRE_HUB, 'k'};
		const struct ipc_tell_key m = {.stream = stream,
			.epoch = script_u8(s) % 4,
			.breaks = what & 128,
			.bytes = key,
			.size = sizeof(key)};

		(void)session_tell_key(session, &m);
		break;
	}
	default:
		session_admit(session);
		break;
	}
}

static void step(struct script *s, struct session *session)
{
	uint8_t what = script_u8(s);
	struct wire_ack ack = {.outcome = OUTCOME_DRAWN, .stream = 1 + (what >> 4) % 3};
	const char *reason;
	uint8_t out[16];

	switch (what % 6) {
	case 0:
		hear(s, session);
		break;
	case 1:
		keeper_orders(s, session);
		break;
	case 2:
		/* Of any camera, as a broken hub could put it there. */
		publish_as(&cameras[what >> 4 & 1], 1 + (what >> 5 & 1), what >> 6 & 1,
			script_u8(s) % 4, 35 + script_u16(s) % (FRAME_BYTES - 35));
		break;
	case 3:
		take_out(session);
		break;
	case 4:
		ack.frame = script_u8(s);
		ack.outcome = (uint8_t)(1 + ack.frame % 4);
		(void)session_hear(session, now_us, out,
			(size_t)wire_encode_ack(&ack, out, sizeof(out)), &reason);
		break;
	default:
		now_us += (uint64_t)script_u16(s) * 500;
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script s = {data, size};
	struct session *session;

	if (!cameras[0].writer.map) {
		camera_open(&cameras[0], 1);
		camera_open(&cameras[1], 2);
	}
	now_us = START_US;
	memset(given, 0, sizeof(given));
	session = session_create(1);
	if (!session) {
		abort();
	}
	for (int i = 0; i < STEPS_MAX && s.left > 0; i++) {
		step(&s, session);
	}
	session_destroy(session);
	return 0;
}
