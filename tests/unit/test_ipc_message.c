#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ipc.h"
#include "layout.h"

#include <string.h>

enum { BUFFER_BYTES = 4000, LETTER = 't' };

#define FILL(field, value) memset((field), (value), sizeof(field))

/* What every parser looks like to sizes_check; the type byte is ipc_receive's business. What it
 * reads must give the same bytes again: encoders are compared with the layouts, parsers with the
 * encoders. */
#define PARSER_OF(name, ENCODE)                                                                    \
	static int parse_##name(const uint8_t *data, size_t size)                                  \
	{                                                                                          \
		const struct ipc_message m = {.fields = data, .fields_size = size};                \
		struct ipc_##name ret;                                                             \
		uint8_t again[BUFFER_BYTES];                                                       \
		int err = ipc_parse_##name(&m, &ret);                                              \
		if (err == 0) {                                                                    \
			assert_int_equal(ENCODE(&ret, again, sizeof(again)), size + 1);            \
			assert_memory_equal(again + 1, data, size);                                \
		}                                                                                  \
		return err;                                                                        \
	}
#define PARSER(name) PARSER_OF(name, ipc_encode_##name)
#define PARSER_SHARED(name)                                                                        \
	static ssize_t encode_##name(const struct ipc_##name *m, uint8_t *to, size_t size)         \
	{                                                                                          \
		return ipc_encode_##name(0, m, to, size);                                          \
	}                                                                                          \
	PARSER_OF(name, encode_##name)
PARSER(camera_hello)
PARSER_SHARED(reader)
PARSER(wrapped)
PARSER(rotated)
PARSER(camera_status)
PARSER(adopted)
PARSER(turned_away)
PARSER(demand)
PARSER(wrap)
PARSER_SHARED(request)
PARSER(web_hello)
PARSER(opened)
PARSER_SHARED(relay)
PARSER_SHARED(connection)
PARSER(counts)
PARSER(refusals)
PARSER_SHARED(stream)
PARSER(web_config)
PARSER(tell_key)
PARSER(give)
PARSER(cut)
PARSER(ring)
PARSER(ring_gone)
PARSER(sandbox)

static uint8_t out[BUFFER_BYTES];

static struct ipc_message message(ssize_t n)
{
	return (struct ipc_message){out[0], out + 1, (size_t)n - 1, {-1, -1}};
}

/* Layout, and every wrong length. */
static void check(
	ssize_t n, int (*parse)(const uint8_t *, size_t), const struct layout_field *fields)
{
	layout_check(out, n, fields);
	sizes_check(out + 1, (size_t)n - 1, parse);
}

static void ipc_camera_hello_keeps_every_field(void **state)
{
	struct ipc_camera_hello h = {.kind = IPC_CAMERA_PATTERN,
		.instance = 0x0303,
		.width = 0x0404,
		.height = 0x0505,
		.frame_interval_us = 0x06060606,
		.frame_max_bytes = 0x00070707,
		.source = "t",
		.model = "tt",
		.mode = "ttt"};
	struct ipc_camera_hello got;
	struct ipc_message m;
	ssize_t n;

	(void)state;
	FILL(h.generation, 0xa1);
	FILL(h.kem_public, 0xa2);
	n = ipc_encode_camera_hello(&h, out, sizeof(out));
	check(n, parse_camera_hello,
		LAYOUT({1, IPC_CAMERA_HELLO}, {1, 2}, {2, 3}, {16, 0xa1}, {65, 0xa2}, {2, 4},
			{2, 5}, {4, 6}, {1, 0}, {3, 7}, {1, 1}, {1, LETTER}, {1, 2}, {2, LETTER},
			{1, 3}, {3, LETTER}));
	m = message(n);
	assert_int_equal(ipc_parse_camera_hello(&m, &got), 0);
	assert_int_equal(got.height, 0x0505);
	assert_string_equal(got.mode, "ttt");
	h.kind = 3;
	n = ipc_encode_camera_hello(&h, out, sizeof(out));
	assert_int_equal(parse_camera_hello(out + 1, (size_t)n - 1), -EBADMSG);
	h.kind = IPC_CAMERA_DEVICE;
	h.frame_max_bytes = WIRE_FRAME_MAX_BYTES + 1;
	n = ipc_encode_camera_hello(&h, out, sizeof(out));
	assert_int_equal(parse_camera_hello(out + 1, (size_t)n - 1), -EBADMSG);
}

static void ipc_longest_texts_fit(void **state)
{
	struct ipc_camera_hello h = {.kind = IPC_CAMERA_DEVICE, .frame_max_bytes = 1 << 20}, got;
	struct ipc_message m;
	ssize_t n;

	(void)state;
	memset(h.source, 'x', IPC_TEXT_MAX_BYTES);
	n = ipc_encode_camera_hello(&h, out, sizeof(out));
	m = message(n);
	assert_int_equal(ipc_parse_camera_hello(&m, &got), 0);
	assert_string_equal(got.source, h.source);
	assert_int_equal(ipc_encode_camera_hello(&h, out, (size_t)n - 1), -ENOSPC);
}

static void ipc_camera_messages_keep_every_field(void **state)
{
	const struct ipc_reader reader = {0x02020202};
	struct ipc_wrapped w = {
		.request = 0x0202020202020202, .epoch = 0x03030303, .wrapped_size = 32};
	const struct ipc_rotated r = {0x0202020202020202, 0x03030303};
	struct ipc_camera_status s = {.activity = 2, .epoch = 0x03030303, .detail = "t"};

	(void)state;
	check(ipc_encode_reader(IPC_ADD_READER, &reader, out, sizeof(out)), parse_reader,
		LAYOUT({1, IPC_ADD_READER}, {4, 2}));
	FILL(w.enc, 0xa1);
	FILL(w.wrapped, 0xa2);
	check(ipc_encode_wrapped(&w, out, sizeof(out)), parse_wrapped,
		LAYOUT({1, IPC_WRAPPED}, {8, 2}, {4, 3}, {65, 0xa1}, {1, 32}, {32, 0xa2}));
	w.wrapped_size = 0;
	check(ipc_encode_wrapped(&w, out, sizeof(out)), parse_wrapped,
		LAYOUT({1, IPC_WRAPPED}, {8, 2}, {4, 3}, {65, 0xa1}, {1, 0}));
	w.wrapped_size = WIRE_WRAPPED_MAX_BYTES + 1;
	assert_int_equal(ipc_encode_wrapped(&w, out, sizeof(out)), -ENOSPC);
	check(ipc_encode_rotated(&r, out, sizeof(out)), parse_rotated,
		LAYOUT({1, IPC_ROTATED}, {8, 2}, {4, 3}));
	s.sealed = 0x0404040404040404;
	for (size_t i = 0; i < DROP_REASONS; i++) {
		memset(&s.dropped[i], (int)(5 + i), sizeof(s.dropped[i]));
	}
	check(ipc_encode_camera_status(&s, out, sizeof(out)), parse_camera_status,
		LAYOUT({1, IPC_CAMERA_STATUS}, {1, 2}, {4, 3}, {8, 4}, {8, 5}, {8, 6}, {8, 7},
			{8, 8}, {8, 9}, {8, 10}, {1, 1}, {1, LETTER}));
	out[1] = CAMERA_FAILING + 1;
	assert_int_equal(parse_camera_status(out + 1, 1 + 4 + 8 + 48 + 2), -EBADMSG);
}

static void ipc_wrapped_refuses_more_than_a_wrapped_key(void **state)
{
	(void)state;
	memset(out, 0, sizeof(out));
	for (size_t size = WIRE_WRAPPED_MAX_BYTES + 1; size < 256; size++) {
		out[8 + 4 + 65] = (uint8_t)size;
		assert_int_equal(parse_wrapped(out, 8 + 4 + 65 + 1 + size), -EBADMSG);
	}
}

static void ipc_keeper_to_camera_messages_keep_every_field(void **state)
{
	struct ipc_adopted a = {.name = "t"};
	const struct ipc_turned_away t = {.reason = "tt"};
	struct ipc_demand d = {1};
	struct ipc_wrap w = {.request = 0x0202020202020202, .purpose = KEY_BREAK};
	const struct ipc_request r = {0x0202020202020202};
	ssize_t n;

	(void)state;
	FILL(a.home, 0xa1);
	FILL(a.camera, 0xa2);
	check(ipc_encode_adopted(&a, out, sizeof(out)), parse_adopted,
		LAYOUT({1, IPC_ADOPTED}, {16, 0xa1}, {16, 0xa2}, {1, 1}, {1, LETTER}));
	check(ipc_encode_turned_away(&t, out, sizeof(out)), parse_turned_away,
		LAYOUT({1, IPC_TURNED_AWAY}, {1, 2}, {2, LETTER}));
	check(ipc_encode_demand(&d, out, sizeof(out)), parse_demand,
		LAYOUT({1, IPC_DEMAND}, {1, 1}));
	out[1] = 1 << RENDITION_COUNT;
	assert_int_equal(parse_demand(out + 1, 1), -EBADMSG);
	FILL(w.display, 0xa1);
	FILL(w.kem_public, 0xa2);
	FILL(w.session, 0xa3);
	FILL(w.nonce, 0xa4);
	n = ipc_encode_wrap(&w, out, sizeof(out));
	check(n, parse_wrap,
		LAYOUT({1, IPC_WRAP}, {8, 2}, {32, 0xa1}, {65, 0xa2}, {16, 0xa3}, {1, KEY_BREAK},
			{16, 0xa4}));
	out[1 + 8 + 32 + 65 + 16] = KEY_TIME + 1;
	assert_int_equal(parse_wrap(out + 1, (size_t)n - 1), -EBADMSG);
	out[1 + 8 + 32 + 65 + 16] = 0;
	assert_int_equal(parse_wrap(out + 1, (size_t)n - 1), -EBADMSG);
	check(ipc_encode_request(IPC_SWITCH, &r, out, sizeof(out)), parse_request,
		LAYOUT({1, IPC_SWITCH}, {8, 2}));
}

static void ipc_web_to_keeper_messages_keep_every_field(void **state)
{
	const struct ipc_web_hello h = {.port = 0x0202, .listening = "t"};
	const struct ipc_opened o = {0x0202020202020202, "t", "tt"};
	const struct ipc_relay r = {0x0202020202020202, (const uint8_t *)"ttt", 3};
	const struct ipc_connection c = {0x0202020202020202};
	const struct ipc_stream s = {0x0202020202020202, 0x0303};
	const struct ipc_refusals refusals = {
		{0x02020202, 0x03030303, 0x04040404, 0x05050505, 0x06060606, 0x07070707}};
	const struct ipc_counts counts = {0x0202020202020202, 0x0303, true, 0x05050505, 0x06060606,
		0x07070707, 0x08080808, 0x09090909, 0x0a0a0a0a, 0x0b0b0b0b, 0x0c0c0c0c,
		0x0d0d0d0d0d0d0d0d};
	ssize_t n;

	(void)state;
	check(ipc_encode_web_hello(&h, out, sizeof(out)), parse_web_hello,
		LAYOUT({1, IPC_WEB_HELLO}, {2, 2}, {1, 1}, {1, LETTER}));
	check(ipc_encode_opened(&o, out, sizeof(out)), parse_opened,
		LAYOUT({1, IPC_OPENED}, {8, 2}, {1, 1}, {1, LETTER}, {1, 2}, {2, LETTER}));
	check(ipc_encode_relay(IPC_HEARD, &r, out, sizeof(out)), parse_relay,
		LAYOUT({1, IPC_HEARD}, {8, 2}, {1, 0}, {1, 3}, {3, LETTER}));
	check(ipc_encode_connection(IPC_CLOSED, &c, out, sizeof(out)), parse_connection,
		LAYOUT({1, IPC_CLOSED}, {8, 2}));
	check(ipc_encode_stream(IPC_TAKEN, &s, out, sizeof(out)), parse_stream,
		LAYOUT({1, IPC_TAKEN}, {8, 2}, {2, 3}));
	n = ipc_encode_counts(&counts, out, sizeof(out));
	check(n, parse_counts,
		LAYOUT({1, IPC_COUNTS}, {8, 2}, {2, 3}, {1, 1}, {4, 5}, {4, 6}, {4, 7}, {4, 8},
			{4, 9}, {4, 10}, {4, 11}, {4, 12}, {8, 13}));
	out[11] = 2; /* neither false nor true */
	assert_int_equal(parse_counts(out + 1, (size_t)n - 1), -EBADMSG);
	check(ipc_encode_refusals(&refusals, out, sizeof(out)), parse_refusals,
		LAYOUT({1, IPC_REFUSALS}, {4, 2}, {4, 3}, {4, 4}, {4, 5}, {4, 6}, {4, 7}));
}

static void ipc_relay_borrows_what_it_carries(void **state)
{
	static uint8_t large[IPC_MESSAGE_MAX_BYTES];
	const struct ipc_relay r = {7, large, UINT16_MAX + 1}, none = {7, large, 0};
	struct ipc_relay ok = {7, large, 300}, got;
	struct ipc_message m;
	ssize_t n = ipc_encode_relay(IPC_TELL, &ok, out, sizeof(out));

	(void)state;
	m = message(n);
	assert_int_equal(ipc_parse_relay(&m, &got), 0);
	assert_int_equal(got.size, 300);
	assert_ptr_equal(got.bytes, out + 1 + 8 + 2);
	assert_int_equal(ipc_encode_relay(IPC_TELL, &r, out, sizeof(out)), -ENOSPC);
	n = ipc_encode_relay(IPC_TELL, &none, out, sizeof(out));
	assert_int_equal(parse_relay(out + 1, (size_t)n - 1), -EBADMSG);
}

static void ipc_web_config_keeps_every_field(void **state)
{
	static struct ipc_web_config c = {.reader = 0x02020202, .hosts_count = 2}, got;
	struct ipc_message m;
	ssize_t n;

	(void)state;
	c.certificate_pem = c.key_pem = c.ca_der = (const uint8_t *)"tttttttt";
	c.certificate_pem_size = 3;
	c.key_pem_size = 4;
	c.ca_der_size = 5;
	memcpy(c.hosts[0], "t", 2);
	memcpy(c.hosts[1], "tt", 3);
	n = ipc_encode_web_config(&c, out, sizeof(out));
	check(n, parse_web_config,
		LAYOUT({1, IPC_WEB_CONFIG}, {4, 2}, {1, 0}, {1, 3}, {3, LETTER}, {1, 0}, {1, 4},
			{4, LETTER}, {1, 0}, {1, 5}, {5, LETTER}, {1, 2}, {1, 1}, {1, LETTER},
			{1, 2}, {2, LETTER}));
	m = message(n);
	assert_int_equal(ipc_parse_web_config(&m, &got), 0);
	assert_int_equal(got.key_pem_size, 4);
	assert_string_equal(got.hosts[1], "tt");
	/* One more than there is room for, each of them complete. */
	memset(out + 1, 0, 4 + 2 + 2 + 2);
	out[1 + 4 + 2 + 2 + 2] = IPC_HOSTS_MAX + 1;
	memset(out + 1 + 4 + 2 + 2 + 2 + 1, 0, IPC_HOSTS_MAX + 1);
	m.fields_size = 4 + 2 + 2 + 2 + 1 + IPC_HOSTS_MAX + 1;
	assert_int_equal(ipc_parse_web_config(&m, &got), -EBADMSG);
	m.fields_size--;
	out[1 + 4 + 2 + 2 + 2]--;
	assert_int_equal(ipc_parse_web_config(&m, &got), 0);
	c.hosts_count = IPC_HOSTS_MAX + 1;
	assert_int_equal(ipc_encode_web_config(&c, out, sizeof(out)), -ENOSPC);
}

static void ipc_keeper_to_web_messages_keep_every_field(void **state)
{
	const struct ipc_tell_key t = {
		0x0202020202020202, 0x0303, 0x04040404, true, (const uint8_t *)"ttt", 3};
	struct ipc_give g = {
		.connection = 0x0202020202020202, .stream = 0x0303, .ring = 0x04040404};
	const struct ipc_cut c = {0x0202020202020202, CUT_BUSY};
	struct ipc_ring r = {.ring = 0x02020202, .frame_max_bytes = 0x05050505};
	const struct ipc_ring_gone gone = {0x02020202};
	ssize_t n;

	(void)state;
	check(ipc_encode_tell_key(&t, out, sizeof(out)), parse_tell_key,
		LAYOUT({1, IPC_TELL_KEY}, {8, 2}, {2, 3}, {4, 4}, {1, 1}, {1, 0}, {1, 3},
			{3, LETTER}));
	FILL(g.camera, 0xa1);
	FILL(g.generation, 0xa2);
	n = ipc_encode_give(&g, out, sizeof(out));
	check(n, parse_give,
		LAYOUT({1, IPC_GIVE}, {8, 2}, {2, 3}, {4, 4}, {16, 0xa1}, {16, 0xa2}, {1, 0}));
	out[n - 1] = RENDITION_COUNT;
	assert_int_equal(parse_give(out + 1, (size_t)n - 1), -EBADMSG);
	n = ipc_encode_cut(&c, out, sizeof(out));
	check(n, parse_cut, LAYOUT({1, IPC_CUT}, {8, 2}, {1, 3}));
	out[n - 1] = 0;
	assert_int_equal(parse_cut(out + 1, (size_t)n - 1), -EBADMSG);
	FILL(r.camera, 0xa1);
	FILL(r.generation, 0xa2);
	check(ipc_encode_ring(&r, out, sizeof(out)), parse_ring,
		LAYOUT({1, IPC_RING}, {4, 2}, {16, 0xa1}, {16, 0xa2}, {4, 5}));
	check(ipc_encode_ring_gone(&gone, out, sizeof(out)), parse_ring_gone,
		LAYOUT({1, IPC_RING_GONE}, {4, 2}));
}

static void ipc_sandbox_keeps_its_report(void **state)
{
	const struct ipc_sandbox s = {.report = "ttt"};

	(void)state;
	check(ipc_encode_sandbox(&s, out, sizeof(out)), parse_sandbox,
		LAYOUT({1, IPC_SANDBOX}, {1, 3}, {3, LETTER}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipc_camera_hello_keeps_every_field),
		cmocka_unit_test(ipc_longest_texts_fit),
		cmocka_unit_test(ipc_camera_messages_keep_every_field),
		cmocka_unit_test(ipc_wrapped_refuses_more_than_a_wrapped_key),
		cmocka_unit_test(ipc_keeper_to_camera_messages_keep_every_field),
		cmocka_unit_test(ipc_web_to_keeper_messages_keep_every_field),
		cmocka_unit_test(ipc_relay_borrows_what_it_carries),
		cmocka_unit_test(ipc_web_config_keeps_every_field),
		cmocka_unit_test(ipc_keeper_to_web_messages_keep_every_field),
		cmocka_unit_test(ipc_sandbox_keeps_its_report),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
