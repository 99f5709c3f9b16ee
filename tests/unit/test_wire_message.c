#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "layout.h"
#include "wire_ask.h"

#include <string.h>

/* The layouts below are those of web/PROTOCOL.md. */

enum { BUFFER_BYTES = 1024, NAME_LETTER = 'n' };

#define FILL(field, value) memset((field), (value), sizeof(field))

static const char name_of_three[] = "nnn";

/* What every parser looks like to sizes_check. What it reads must give the same bytes again:
 * encoders are compared with the layouts, parsers with the encoders. */
#define PARSER(name)                                                                               \
	static int parse_##name(const uint8_t *data, size_t size)                                  \
	{                                                                                          \
		struct wire_##name ret;                                                            \
		uint8_t again[BUFFER_BYTES];                                                       \
		int err = wire_parse_##name(data, size, &ret);                                     \
		if (err == 0) {                                                                    \
			assert_int_equal(wire_encode_##name(&ret, again, sizeof(again)), size);    \
			assert_memory_equal(again, data, size);                                    \
		}                                                                                  \
		return err;                                                                        \
	}
PARSER(welcome)
PARSER(camera)
PARSER(camera_gone)
PARSER(key)
PARSER(ended)
PARSER(watch)
PARSER(unwatch)
PARSER(time)
PARSER(report)
PARSER(key_ack)
PARSER(new_camera)
PARSER(new_camera_gone)
PARSER(screen)
PARSER(share)
PARSER(decide)
PARSER(preview)
PARSER(abort)
PARSER(ack)

static void wire_envelope_is_laid_out_as_documented(void **state)
{
	uint8_t out[BUFFER_BYTES], body[] = {0xb1, 0xb1, 0xb1};
	struct wire_envelope e = {.type = WIRE_HUB,
		.counter = 0x03030303,
		.kind = 4,
		.body = body,
		.body_size = sizeof(body)};
	struct wire_envelope parsed;
	ssize_t n;
	size_t size;

	(void)state;
	FILL(e.session, 0xa1);
	n = wire_encode_envelope(&e, out, sizeof(out));
	layout_check(out, n, LAYOUT({1, 0x20}, {16, 0xa1}, {4, 3}, {1, 4}, {3, 0xb1}));
	size = (size_t)n + SIGNATURE_BYTES;
	memset(out + n, 0x55, SIGNATURE_BYTES);
	assert_int_equal(wire_parse_envelope(out, size, &parsed), 0);
	assert_int_equal(parsed.counter, 0x03030303);
	assert_int_equal(parsed.body_size, 3);
	assert_int_equal(parsed.body[0], 0xb1);
	assert_int_equal(parsed.signature[0], 0x55);
	assert_int_equal(parsed.signed_size, n);
	/* A byte less is a shorter body; without any body there is still an envelope. */
	assert_int_equal(wire_parse_envelope(out, 22 + SIGNATURE_BYTES, &parsed), 0);
	assert_int_equal(parsed.body_size, 0);
	assert_int_equal(wire_parse_envelope(out, 21 + SIGNATURE_BYTES, &parsed), -EBADMSG);
	assert_int_equal(
		wire_parse_envelope(out, WIRE_HUB_MESSAGE_MAX_BYTES + 1, &parsed), -EBADMSG);
	out[0] = WIRE_PAIR;
	assert_int_equal(wire_parse_envelope(out, size, &parsed), -EBADMSG);
}

static void wire_welcome_and_camera_are_laid_out_as_documented(void **state)
{
	uint8_t out[BUFFER_BYTES];
	struct wire_welcome w = {.owner = true, .name = "nnn", .cameras = 0x0505};
	struct wire_camera c = {.state = 1,
		.flags = 2,
		.strength = 3,
		.frame_interval_us = 0x04040404,
		.frame_max_bytes = 0x05050505,
		.name = "nnn"};
	ssize_t n;

	(void)state;
	FILL(w.transcript, 0xa1);
	FILL(w.home, 0xa2);
	FILL(w.display, 0xa3);
	n = wire_encode_welcome(&w, out, sizeof(out));
	layout_check(out, n,
		LAYOUT({32, 0xa1}, {16, 0xa2}, {32, 0xa3}, {1, 1}, {1, 3}, {3, NAME_LETTER},
			{2, 5}));
	sizes_check(out, (size_t)n, parse_welcome);
	memset(&w, 0, sizeof(w));
	assert_int_equal(wire_parse_welcome(out, (size_t)n, &w), 0);
	assert_true(w.owner);
	assert_int_equal(w.cameras, 0x0505);
	out[80] = 2;
	assert_int_equal(parse_welcome(out, (size_t)n), -EBADMSG);

	FILL(c.id, 0xa1);
	FILL(c.generation, 0xa2);
	FILL(c.kem_public, 0xa3);
	n = wire_encode_camera(&c, out, sizeof(out));
	layout_check(out, n,
		LAYOUT({16, 0xa1}, {1, 1}, {1, 2}, {1, 3}, {16, 0xa2}, {65, 0xa3}, {4, 4}, {4, 5},
			{1, 3}, {3, NAME_LETTER}));
	sizes_check(out, (size_t)n, parse_camera);
	memset(&c, 0, sizeof(c));
	assert_int_equal(wire_parse_camera(out, (size_t)n, &c), 0);
	assert_int_equal(c.strength, 3);
	assert_int_equal(c.frame_max_bytes, 0x05050505);
	assert_string_equal(c.name, name_of_three);
	out[16] = 2;
	assert_int_equal(parse_camera(out, (size_t)n), -EBADMSG);
}

static void wire_key_is_laid_out_as_documented_and_as_long_as_its_purpose(void **state)
{
	uint8_t out[BUFFER_BYTES];
	struct wire_key k = {.stream = 0x0101, .epoch = 0x02020202}, parsed;
	ssize_t n;

	(void)state;
	FILL(k.camera, 0xa1);
	FILL(k.generation, 0xa2);
	FILL(k.enc, 0xa3);
	FILL(k.wrapped, 0xa4);
	for (uint8_t purpose = 0; purpose < 8; purpose++) {
		size_t wrapped = purpose == KEY_WATCH || purpose == KEY_TIME ? 56 : 32;

		k.purpose = purpose;
		n = wire_encode_key(&k, out, sizeof(out));
		if (purpose < KEY_WATCH || purpose > KEY_TIME) {
			assert_int_equal(parse_key(out, (size_t)n), -EBADMSG);
			continue;
		}
		layout_check(out, n,
			LAYOUT({2, 1}, {16, 0xa1}, {16, 0xa2}, {4, 2}, {1, purpose}, {65, 0xa3},
				{wrapped, 0xa4}));
		sizes_check(out, (size_t)n, parse_key);
		assert_int_equal(wire_parse_key(out, (size_t)n, &parsed), 0);
		assert_int_equal(parsed.wrapped_size, wrapped);
		assert_int_equal(parsed.epoch, 0x02020202);
	}
}

static void wire_small_hub_messages_are_laid_out_as_documented(void **state)
{
	uint8_t out[BUFFER_BYTES];
	struct wire_camera_gone g = {.reason = 2};
	struct wire_ended e = {.stream = 0x0101, .reason = 3};
	ssize_t n;

	(void)state;
	FILL(g.id, 0xa1);
	FILL(e.camera, 0xa1);
	n = wire_encode_camera_gone(&g, out, sizeof(out));
	layout_check(out, n, LAYOUT({16, 0xa1}, {1, 2}));
	sizes_check(out, (size_t)n, parse_camera_gone);
	n = wire_encode_ended(&e, out, sizeof(out));
	layout_check(out, n, LAYOUT({2, 1}, {16, 0xa1}, {1, 3}));
	sizes_check(out, (size_t)n, parse_ended);
	memset(&e, 0, sizeof(e));
	assert_int_equal(wire_parse_ended(out, (size_t)n, &e), 0);
	assert_int_equal(e.stream, 0x0101);
	assert_int_equal(e.reason, 3);
}

static void wire_display_messages_are_laid_out_as_documented(void **state)
{
	uint8_t out[BUFFER_BYTES];
	struct wire_watch w = {.stream = 0x0101, .rendition = 2};
	struct wire_unwatch u = {
		0x0101, 0x02020202, 0x03030303, 0x04040404, 0x05050505, 0x06060606, 0x07070707};
	struct wire_time t = {.stream = 0x0101};
	struct wire_report r = {
		.stream = 0x0101, .reason = 5, .epoch = 0x06060606, .counter = 0x0707070707070707};
	struct wire_key_ack a = {0x0101, 0x02020202};
	ssize_t n;

	(void)state;
	FILL(w.camera, 0xa1);
	FILL(w.nonce, 0xa2);
	n = wire_encode_watch(&w, out, sizeof(out));
	layout_check(out, n, LAYOUT({2, 1}, {16, 0xa1}, {1, 2}, {16, 0xa2}));
	sizes_check(out, (size_t)n, parse_watch);
	n = wire_encode_unwatch(&u, out, sizeof(out));
	layout_check(out, n, LAYOUT({2, 1}, {4, 2}, {4, 3}, {4, 4}, {4, 5}, {4, 6}, {4, 7}));
	sizes_check(out, (size_t)n, parse_unwatch);
	memset(&u, 0, sizeof(u));
	assert_int_equal(wire_parse_unwatch(out, (size_t)n, &u), 0);
	assert_int_equal(u.received, 0x02020202);
	assert_int_equal(u.late, 0x04040404);
	FILL(t.nonce, 0xa1);
	n = wire_encode_time(&t, out, sizeof(out));
	layout_check(out, n, LAYOUT({2, 1}, {16, 0xa1}));
	sizes_check(out, (size_t)n, parse_time);
	FILL(r.camera, 0xa1);
	FILL(r.generation, 0xa2);
	n = wire_encode_report(&r, out, sizeof(out));
	layout_check(out, n, LAYOUT({2, 1}, {16, 0xa1}, {16, 0xa2}, {1, 5}, {4, 6}, {8, 7}));
	sizes_check(out, (size_t)n, parse_report);
	for (int reason = 0; reason < 256; reason++) {
		out[34] = (uint8_t)reason;
		assert_int_equal(parse_report(out, (size_t)n),
			reason >= ANOMALY_FOREIGN_CAMERA && reason <= ANOMALY_PICTURE ? 0
										      : -EBADMSG);
	}
	n = wire_encode_key_ack(&a, out, sizeof(out));
	layout_check(out, n, LAYOUT({2, 1}, {4, 2}));
	sizes_check(out, (size_t)n, parse_key_ack);
}

static void wire_refuses_stream_zero_from_a_display(void **state)
{
	const uint8_t zeroes[64] = {0};

	(void)state;
	assert_int_equal(parse_watch(zeroes, 35), -EBADMSG);
	assert_int_equal(parse_unwatch(zeroes, 26), -EBADMSG);
	assert_int_equal(parse_time(zeroes, 18), -EBADMSG);
	assert_int_equal(parse_key_ack(zeroes, 6), -EBADMSG);
}

static void wire_contexts_begin_with_their_label_and_name_everything(void **state)
{
	uint8_t a[16], b[16], c[16], d[32], e[16];
	const struct wire_wrap_context context = {.home = a,
		.camera = b,
		.generation = c,
		.display = d,
		.session = e,
		.epoch = 0x06060606,
		.purpose = 7};
	uint8_t info[WIRE_WRAP_INFO_BYTES], metadata[WIRE_FRAME_METADATA_BYTES];
	uint8_t header[WIRE_FRAME_HEADER_BYTES];

	(void)state;
	FILL(a, 1);
	FILL(b, 2);
	FILL(c, 3);
	FILL(d, 4);
	FILL(e, 5);
	FILL(header, 8);
	wire_wrap_info(&context, info);
	assert_memory_equal(info, "camgate epoch key v1", 20);
	layout_check(info + 20, sizeof(info) - 20,
		LAYOUT({16, 1}, {16, 2}, {16, 3}, {32, 4}, {16, 5}, {4, 6}, {1, 7}));
	wire_frame_metadata(a, c, header, metadata);
	assert_memory_equal(metadata, "camgate frame v1", 16);
	layout_check(metadata + 16, sizeof(metadata) - 16, LAYOUT({16, 1}, {16, 3}, {34, 8}));
}

static void wire_frame_header_is_laid_out_as_documented(void **state)
{
	struct wire_frame_header h = {.rendition = 1,
		.flags = 2,
		.width = 0x0303,
		.height = 0x0404,
		.epoch = 0x05050505,
		.capture_us = 0x0606060606060606};
	struct wire_frame_header parsed;
	uint8_t out[WIRE_FRAME_HEADER_BYTES + 1] = {0};

	(void)state;
	FILL(h.camera, 0xa1);
	wire_encode_frame_header(&h, out);
	layout_check(out, WIRE_FRAME_HEADER_BYTES,
		LAYOUT({16, 0xa1}, {1, 1}, {1, 2}, {2, 3}, {2, 4}, {4, 5}, {8, 6}));
	assert_int_equal(wire_parse_frame_header(out, sizeof(out), &parsed), 0);
	assert_int_equal(parsed.height, 0x0404);
	assert_true(parsed.capture_us == 0x0606060606060606);
	assert_int_equal(
		wire_parse_frame_header(out, WIRE_FRAME_HEADER_BYTES - 1, &parsed), -EBADMSG);
}

static int parse_chunk_of(uint32_t offset, uint32_t total, size_t piece)
{
	static uint8_t out[WIRE_CHUNK_HEADER_BYTES + WIRE_CHUNK_PIECE_MAX_BYTES + 1];
	const struct wire_chunk c = {.stream = 1, .frame = 1, .offset = offset, .total = total};
	struct wire_chunk parsed;
	const uint8_t *at;
	size_t size;
	int err;

	wire_encode_chunk_header(&c, out);
	err = wire_parse_chunk(out, WIRE_CHUNK_HEADER_BYTES + piece, &parsed, &at, &size);
	if (err == 0) {
		assert_ptr_equal(at, out + WIRE_CHUNK_HEADER_BYTES);
		assert_int_equal(size, piece);
		assert_int_equal(parsed.offset, offset);
		assert_int_equal(parsed.total, total);
	}
	return err;
}

static void wire_chunk_is_laid_out_as_documented_and_stays_in_its_frame(void **state)
{
	const struct wire_chunk c = {0x0101, 0x02020202, 0x03030303, 0x04040404};
	uint8_t out[WIRE_CHUNK_HEADER_BYTES];

	(void)state;
	wire_encode_chunk_header(&c, out);
	layout_check(out, sizeof(out), LAYOUT({1, 1}, {1, 0}, {2, 1}, {4, 2}, {4, 3}, {4, 4}));
	assert_int_equal(parse_chunk_of(0, 10, 10), 0);
	assert_int_equal(parse_chunk_of(9, 10, 1), 0);
	assert_int_equal(parse_chunk_of(9, 10, 2), -EBADMSG);
	assert_int_equal(parse_chunk_of(10, 10, 1), -EBADMSG);
	assert_int_equal(parse_chunk_of(0, 10, 0), -EBADMSG);
	assert_int_equal(parse_chunk_of(UINT32_MAX, 10, 11), -EBADMSG);
	assert_int_equal(parse_chunk_of(0, WIRE_FRAME_MAX_BYTES, 1), 0);
	assert_int_equal(parse_chunk_of(0, WIRE_FRAME_MAX_BYTES + 1, 1), -EBADMSG);
	assert_int_equal(parse_chunk_of(0, 1 << 20, WIRE_CHUNK_PIECE_MAX_BYTES), 0);
	assert_int_equal(parse_chunk_of(0, 1 << 20, WIRE_CHUNK_PIECE_MAX_BYTES + 1), -EBADMSG);
}

static void wire_abort_and_ack_are_laid_out_as_documented(void **state)
{
	uint8_t out[BUFFER_BYTES];
	const struct wire_abort abort_frame = {0x0101, 0x02020202};
	struct wire_ack a = {2, 0x0303, 0x04040404, 0x0505, 6};
	ssize_t n;

	(void)state;
	n = wire_encode_abort(&abort_frame, out, sizeof(out));
	layout_check(out, n, LAYOUT({1, 2}, {1, 0}, {2, 1}, {4, 2}));
	sizes_check(out, (size_t)n, parse_abort);
	n = wire_encode_ack(&a, out, sizeof(out));
	layout_check(out, n, LAYOUT({1, 3}, {1, 2}, {2, 3}, {4, 4}, {2, 5}, {1, 6}));
	sizes_check(out, (size_t)n, parse_ack);
	for (int outcome = 0; outcome < 256; outcome++) {
		out[1] = (uint8_t)outcome;
		assert_int_equal(parse_ack(out, (size_t)n),
			outcome >= OUTCOME_DRAWN && outcome <= OUTCOME_REFUSED ? 0 : -EBADMSG);
	}
}

static void wire_messages_about_new_cameras_are_laid_out_as_documented(void **state)
{
	uint8_t out[BUFFER_BYTES];
	struct wire_new_camera c = {
		.strength = IDENTITY_RUN, .flags = NEW_CAMERA_QUARANTINED, .name = "nnn"};
	struct wire_new_camera_gone gone;
	struct wire_screen screen = {.state = SCREEN_PAIRED, .name = "nnn"};
	ssize_t n;

	(void)state;
	FILL(c.id, 0xa1);
	n = wire_encode_new_camera(&c, out, sizeof(out));
	layout_check(out, n, LAYOUT({16, 0xa1}, {1, 0}, {1, 1}, {1, 3}, {3, NAME_LETTER}, {1, 0}));
	sizes_check(out, (size_t)n, parse_new_camera);
	out[16] = IDENTITY_TEST + 1;
	assert_int_equal(parse_new_camera(out, (size_t)n), -EBADMSG);
	out[16] = 0;
	out[17] = 2;
	assert_int_equal(parse_new_camera(out, (size_t)n), -EBADMSG);
	memcpy(c.about, "/dev/video0", 12);
	n = wire_encode_new_camera(&c, out, sizeof(out));
	assert_int_equal(parse_new_camera(out, (size_t)n), 0);
	c.about[3] = '\n';
	n = wire_encode_new_camera(&c, out, sizeof(out));
	assert_int_equal(parse_new_camera(out, (size_t)n), -EBADMSG);

	FILL(gone.id, 0xa2);
	n = wire_encode_new_camera_gone(&gone, out, sizeof(out));
	layout_check(out, n, LAYOUT({16, 0xa2}));
	sizes_check(out, (size_t)n, parse_new_camera_gone);

	FILL(screen.display, 0xa3);
	n = wire_encode_screen(&screen, out, sizeof(out));
	layout_check(out, n, LAYOUT({32, 0xa3}, {1, 1}, {1, 3}, {3, NAME_LETTER}));
	sizes_check(out, (size_t)n, parse_screen);
	out[32] = 2;
	assert_int_equal(parse_screen(out, (size_t)n), -EBADMSG);
}

static void wire_owners_answers_are_laid_out_as_documented(void **state)
{
	uint8_t out[BUFFER_BYTES];
	struct wire_share share;
	struct wire_decide decide = {.decision = DECISION_CONFIRM};
	struct wire_preview preview = {.on = true};
	ssize_t n;

	(void)state;
	FILL(share.camera, 0xa1);
	FILL(share.display, 0xa2);
	n = wire_encode_share(&share, out, sizeof(out));
	layout_check(out, n, LAYOUT({16, 0xa1}, {32, 0xa2}));
	sizes_check(out, (size_t)n, parse_share);

	FILL(decide.camera, 0xa3);
	n = wire_encode_decide(&decide, out, sizeof(out));
	layout_check(out, n, LAYOUT({16, 0xa3}, {1, 2}));
	sizes_check(out, (size_t)n, parse_decide);
	for (int decision = 0; decision < 256; decision++) {
		out[16] = (uint8_t)decision;
		assert_int_equal(parse_decide(out, (size_t)n),
			decision >= 1 && decision <= 3 ? 0 : -EBADMSG);
	}

	FILL(preview.camera, 0xa4);
	n = wire_encode_preview(&preview, out, sizeof(out));
	layout_check(out, n, LAYOUT({16, 0xa4}, {1, 1}));
	sizes_check(out, (size_t)n, parse_preview);
	out[16] = 2;
	assert_int_equal(parse_preview(out, (size_t)n), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wire_envelope_is_laid_out_as_documented),
		cmocka_unit_test(wire_welcome_and_camera_are_laid_out_as_documented),
		cmocka_unit_test(wire_key_is_laid_out_as_documented_and_as_long_as_its_purpose),
		cmocka_unit_test(wire_small_hub_messages_are_laid_out_as_documented),
		cmocka_unit_test(wire_display_messages_are_laid_out_as_documented),
		cmocka_unit_test(wire_refuses_stream_zero_from_a_display),
		cmocka_unit_test(wire_contexts_begin_with_their_label_and_name_everything),
		cmocka_unit_test(wire_frame_header_is_laid_out_as_documented),
		cmocka_unit_test(wire_chunk_is_laid_out_as_documented_and_stays_in_its_frame),
		cmocka_unit_test(wire_abort_and_ack_are_laid_out_as_documented),
		cmocka_unit_test(wire_messages_about_new_cameras_are_laid_out_as_documented),
		cmocka_unit_test(wire_owners_answers_are_laid_out_as_documented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
