#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "layout.h"
#include "wire.h"

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
PARSER(challenge)
PARSER(login)
PARSER(pair)

static void wire_reader_goes_bad_past_the_end_and_stays_bad(void **state)
{
	const uint8_t data[] = {1, 2, 3};
	struct wire_reader r = wire_reader_init(data, sizeof(data));
	uint8_t out[4] = {9, 9, 9, 9};

	(void)state;
	assert_int_equal(wire_read_u16(&r), 0x0102);
	assert_int_equal(wire_reader_end(&r), -EBADMSG);
	assert_int_equal(wire_read_u16(&r), 0);
	assert_true(r.bad);
	assert_int_equal(wire_read_u8(&r), 0);
	assert_null(wire_read_borrow(&r, 1));
	wire_read_bytes(&r, out, sizeof(out));
	assert_memory_equal(out, ((uint8_t[4]){0}), 4);
	assert_int_equal(wire_reader_end(&r), -EBADMSG);
}

static void wire_reader_reads_integers_big_endian(void **state)
{
	const uint8_t data[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
	struct wire_reader r = wire_reader_init(data, sizeof(data));

	(void)state;
	assert_int_equal(wire_read_u8(&r), 0x01);
	assert_int_equal(wire_read_u16(&r), 0x0203);
	assert_int_equal(wire_read_u32(&r), 0x04050607);
	assert_true(wire_read_u64(&r) == 0x08090a0b0c0d0e0f);
	assert_int_equal(wire_reader_end(&r), 0);
}

static void wire_writer_writes_big_endian_and_never_past_its_end(void **state)
{
	uint8_t out[16];
	struct wire_writer w = wire_writer_init(out, 15);

	(void)state;
	out[15] = 0xcc;
	wire_write_u8(&w, 0x01);
	wire_write_u16(&w, 0x0203);
	wire_write_u32(&w, 0x04050607);
	wire_write_u64(&w, 0x08090a0b0c0d0e0f);
	assert_int_equal(wire_writer_end(&w), 15);
	for (uint8_t i = 0; i < 15; i++) {
		assert_int_equal(out[i], i + 1);
	}
	wire_write_u8(&w, 1);
	assert_int_equal(wire_writer_end(&w), -ENOSPC);
	assert_int_equal(out[15], 0xcc);
}

static void wire_str_refuses_long_texts_and_embedded_nul(void **state)
{
	const uint8_t fits[] = {3, 'a', 'b', 'c'}, nul[] = {3, 'a', 0, 'c'}, shorter[] = {3, 'a'};
	char out[4], text[300];
	uint8_t buffer[300];
	struct wire_reader r = wire_reader_init(fits, sizeof(fits));
	struct wire_writer w = wire_writer_init(buffer, sizeof(buffer));

	(void)state;
	wire_read_str(&r, out, sizeof(out));
	assert_int_equal(wire_reader_end(&r), 0);
	assert_string_equal(out, "abc");
	r = wire_reader_init(fits, sizeof(fits));
	wire_read_str(&r, out, sizeof(out) - 1);
	assert_int_equal(wire_reader_end(&r), -EBADMSG);
	assert_string_equal(out, "");
	r = wire_reader_init(nul, sizeof(nul));
	wire_read_str(&r, out, sizeof(out));
	assert_int_equal(wire_reader_end(&r), -EBADMSG);
	r = wire_reader_init(shorter, sizeof(shorter));
	wire_read_str(&r, out, sizeof(out));
	assert_int_equal(wire_reader_end(&r), -EBADMSG);

	memset(text, 'x', sizeof(text));
	text[256] = '\0';
	wire_write_str(&w, text);
	assert_int_equal(wire_writer_end(&w), -ENOSPC);
	w = wire_writer_init(buffer, sizeof(buffer));
	text[255] = '\0';
	wire_write_str(&w, text);
	assert_int_equal(wire_writer_end(&w), 256);
}

static void wire_names_are_short_clean_utf8(void **state)
{
	static const char *const good[] = {"a", "C270 (port 1.2)",
		"K\xc3\xbc"
		"che",
		"\xe5\xaf\x9d\xe5\xae\xa4", "\xf0\x9f\x90\x88", "a b", "\xc2\xa0"};
	static const char *const wrong[] = {"", " a", "a ", "a\nb", "a\tb", "\x7f", "\xc2\x80",
		"\xc2\x9f", "\xc3", "\xc3(", "\x80", "\xff", "\xc0\xaf", "\xe0\x80\xaf",
		"\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xf0\x9f\x90"};
	char text[NAME_MAX_BYTES + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(wire_name_ok(good[i]));
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_false(wire_name_ok(wrong[i]));
	}
	memset(text, 'x', sizeof(text));
	text[NAME_MAX_BYTES + 1] = '\0';
	assert_false(wire_name_ok(text));
	text[NAME_MAX_BYTES] = '\0';
	assert_true(wire_name_ok(text));
}

static void wire_challenge_and_login_are_laid_out_as_documented(void **state)
{
	uint8_t out[BUFFER_BYTES];
	struct wire_challenge c = {.version_min = 1, .version_max = 2};
	struct wire_login l = {.version = 3};
	ssize_t n;

	(void)state;
	FILL(c.session, 0xa1);
	FILL(c.nonce, 0xa2);
	FILL(c.hub_public, 0xa3);
	n = wire_encode_challenge(&c, out, sizeof(out));
	assert_int_equal(n, WIRE_CHALLENGE_BYTES);
	layout_check(out, n, LAYOUT({1, 0x10}, {1, 1}, {1, 2}, {16, 0xa1}, {32, 0xa2}, {65, 0xa3}));
	sizes_check(out, (size_t)n, parse_challenge);
	memset(&c, 0, sizeof(c));
	assert_int_equal(wire_parse_challenge(out, (size_t)n, &c), 0);
	assert_int_equal(c.version_max, 2);
	assert_int_equal(c.hub_public[64], 0xa3);

	FILL(l.display, 0xa1);
	FILL(l.nonce, 0xa2);
	FILL(l.signature, 0xa3);
	n = wire_encode_login(&l, out, sizeof(out));
	layout_check(out, n, LAYOUT({1, 0x11}, {1, 3}, {32, 0xa1}, {32, 0xa2}, {64, 0xa3}));
	sizes_check(out, (size_t)n, parse_login);
	assert_int_equal(parse_challenge(out, (size_t)n), -EBADMSG);
	memset(&l, 0, sizeof(l));
	assert_int_equal(wire_parse_login(out, (size_t)n, &l), 0);
	assert_int_equal(l.version, 3);
	assert_int_equal(l.signature[0], 0xa3);
	out[0] = 0x12;
	assert_int_equal(parse_login(out, (size_t)n), -EBADMSG);
	assert_int_equal(wire_encode_login(&l, out, (size_t)n - 1), -ENOSPC);
}

static void wire_pair_is_laid_out_as_documented_and_checks_the_name(void **state)
{
	uint8_t out[BUFFER_BYTES];
	struct wire_pair p = {.version = 1, .name = "nnn"}, parsed;
	ssize_t n;

	(void)state;
	FILL(p.link_id, 0xa1);
	FILL(p.sign_public, 0xa2);
	FILL(p.kem_public, 0xa3);
	FILL(p.nonce, 0xa4);
	FILL(p.proof, 0xa5);
	FILL(p.signature, 0xa6);
	n = wire_encode_pair(&p, out, sizeof(out));
	layout_check(out, n,
		LAYOUT({1, 0x12}, {1, 1}, {8, 0xa1}, {65, 0xa2}, {65, 0xa3}, {32, 0xa4}, {1, 3},
			{3, NAME_LETTER}, {32, 0xa5}, {64, 0xa6}));
	sizes_check(out, (size_t)n, parse_pair);
	assert_int_equal(wire_parse_pair(out, (size_t)n, &parsed), 0);
	assert_string_equal(parsed.name, name_of_three);
	assert_int_equal(parsed.signature[63], 0xa6);
	out[173] = '\n';
	assert_int_equal(parse_pair(out, (size_t)n), -EBADMSG);
	memset(p.name, 'x', NAME_MAX_BYTES);
	assert_true(wire_encode_pair(&p, out, sizeof(out)) <= WIRE_DISPLAY_MESSAGE_MAX_BYTES);
	p.name[0] = '\0';
	n = wire_encode_pair(&p, out, sizeof(out));
	assert_int_equal(parse_pair(out, (size_t)n), -EBADMSG);
}

static void wire_link_survives_its_text_and_refuses_others(void **state)
{
	struct wire_link link = {.owner = true}, parsed;
	char text[WIRE_LINK_TEXT_BYTES + 4], wrong[WIRE_LINK_TEXT_BYTES + 4];

	(void)state;
	for (uint8_t i = 0; i < 32; i++) {
		link.id[i % 8] = i;
		link.secret[i % 16] = (uint8_t)(0xf0 + i);
		link.fingerprint[i] = (uint8_t)(7 * i + 1);
	}
	wire_encode_link(&link, text);
	assert_int_equal(strlen(text), WIRE_LINK_TEXT_BYTES - 1);
	assert_int_equal(wire_parse_link(text, &parsed), 0);
	assert_true(parsed.owner);
	assert_memory_equal(parsed.id, link.id, sizeof(link.id));
	assert_memory_equal(parsed.secret, link.secret, sizeof(link.secret));
	assert_memory_equal(parsed.fingerprint, link.fingerprint, sizeof(link.fingerprint));

	assert_int_equal(wire_parse_link("", &parsed), -EBADMSG);
	memcpy(wrong, text, sizeof(wrong));
	wrong[WIRE_LINK_TEXT_BYTES - 2] = '\0';
	assert_int_equal(wire_parse_link(wrong, &parsed), -EBADMSG);
	memcpy(wrong, text, sizeof(wrong));
	wrong[WIRE_LINK_TEXT_BYTES - 1] = 'A';
	wrong[WIRE_LINK_TEXT_BYTES] = '\0';
	assert_int_equal(wire_parse_link(wrong, &parsed), -EBADMSG);
	for (const char *bad = "+/=. \n"; *bad; bad++) {
		memcpy(wrong, text, sizeof(wrong));
		wrong[40] = *bad;
		assert_int_equal(wire_parse_link(wrong, &parsed), -EBADMSG);
	}
	memcpy(wrong, text, sizeof(wrong));
	wrong[0] = 'C'; /* a flag that does not exist */
	assert_int_equal(wire_parse_link(wrong, &parsed), -EBADMSG);
}

static void wire_link_text_is_base64url_of_rfc_4648(void **state)
{
	struct wire_link link = {.owner = false};
	char text[WIRE_LINK_TEXT_BYTES];

	(void)state;
	FILL(link.id, 0xff);
	FILL(link.secret, 0xfb);
	FILL(link.fingerprint, 0x00);
	wire_encode_link(&link, text);
	assert_string_equal(text, "AP__________-_v7-_v7-_v7-_v7-_v7-wAAAAAAAAAA"
				  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wire_reader_goes_bad_past_the_end_and_stays_bad),
		cmocka_unit_test(wire_reader_reads_integers_big_endian),
		cmocka_unit_test(wire_writer_writes_big_endian_and_never_past_its_end),
		cmocka_unit_test(wire_str_refuses_long_texts_and_embedded_nul),
		cmocka_unit_test(wire_names_are_short_clean_utf8),
		cmocka_unit_test(wire_challenge_and_login_are_laid_out_as_documented),
		cmocka_unit_test(wire_pair_is_laid_out_as_documented_and_checks_the_name),
		cmocka_unit_test(wire_link_survives_its_text_and_refuses_others),
		cmocka_unit_test(wire_link_text_is_base64url_of_rfc_4648),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
