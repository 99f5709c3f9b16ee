#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "keys.h"

#include <errno.h>
#include <openssl/pem.h>
#include <string.h>

/* The largest DER: two integers of 33 bytes. */
enum { DER_BYTES = 72 };

static int pair_setup(void **state)
{
	static struct key_pair k;

	*state = &k;
	return key_pair_generate(&k);
}

static int pair_teardown(void **state)
{
	key_pair_finish(*state);
	return 0;
}

static void key_signatures_verify_and_change_with_every_input(void **state)
{
	const struct key_pair *k = *state;
	uint8_t data[40] = "some message", signature[SIGNATURE_BYTES], public[POINT_BYTES];
	struct key_pair other;

	assert_int_equal(key_sign(k, "label", data, sizeof(data), signature), 0);
	assert_int_equal(key_verify(k->public, "label", data, sizeof(data), signature), 0);
	assert_int_equal(key_verify(k->public, "labeL", data, sizeof(data), signature), -EBADMSG);
	assert_int_equal(
		key_verify(k->public, "label", data, sizeof(data) - 1, signature), -EBADMSG);
	data[39] ^= 1;
	assert_int_equal(key_verify(k->public, "label", data, sizeof(data), signature), -EBADMSG);
	data[39] ^= 1;
	for (size_t i = 0; i < sizeof(signature); i++) {
		signature[i] ^= 4;
		assert_int_equal(
			key_verify(k->public, "label", data, sizeof(data), signature), -EBADMSG);
		signature[i] ^= 4;
	}
	assert_int_equal(key_pair_generate(&other), 0);
	assert_int_equal(
		key_verify(other.public, "label", data, sizeof(data), signature), -EBADMSG);
	key_pair_finish(&other);
	memset(public, 0, sizeof(public));
	assert_int_equal(key_verify(public, "label", data, sizeof(data), signature), -EBADMSG);
	memset(signature, 0, sizeof(signature));
	assert_int_equal(key_verify(k->public, "label", data, sizeof(data), signature), -EBADMSG);
}

static void key_signatures_survive_der_and_back(void **state)
{
	const struct key_pair *k = *state;
	uint8_t signature[SIGNATURE_BYTES], der[DER_BYTES], back[SIGNATURE_BYTES];

	/* Enough to meet leading zeroes and high bits in both integers. */
	for (uint8_t i = 0; i < 200; i++) {
		ssize_t n;

		assert_int_equal(key_sign(k, "", &i, 1, signature), 0);
		assert_int_equal(key_verify(k->public, "", &i, 1, signature), 0);
		n = signature_to_der(signature, der, sizeof(der));
		assert_true(n > 0);
		assert_int_equal(signature_from_der(der, (size_t)n, back), 0);
		assert_memory_equal(back, signature, sizeof(back));
		assert_int_equal(signature_to_der(signature, der, (size_t)n - 1), -ENOSPC);
	}
}

static void signature_from_der_is_strict(void **state)
{
	/* r = 1, s = 0x80: right, and each way to write it wrongly. */
	static const struct {
		uint8_t bytes[16];
		size_t size;
		int err;
	} cases[] = {
		{{0x30, 7, 2, 1, 1, 2, 2, 0, 0x80}, 9, 0},
		{{0x30, 7, 2, 1, 1, 2, 2, 0, 0x80, 0}, 10, -EBADMSG}, /* a byte behind */
		{{0x30, 8, 2, 1, 1, 2, 2, 0, 0x80, 0}, 10, -EBADMSG}, /* and inside */
		{{0x30, 6, 2, 1, 1, 2, 1, 0x80}, 8, -EBADMSG}, /* negative */
		{{0x30, 8, 2, 2, 0, 1, 2, 2, 0, 0x80}, 10, -EBADMSG}, /* padded */
		{{0x30, 7, 2, 1, 0, 2, 2, 0, 0x80}, 9, -EBADMSG}, /* zero */
		{{0x30, 6, 2, 0, 2, 2, 0, 0x80}, 8, -EBADMSG}, /* empty */
		{{0x31, 7, 2, 1, 1, 2, 2, 0, 0x80}, 9, -EBADMSG}, /* a SET */
		{{0x30, 7, 3, 1, 1, 2, 2, 0, 0x80}, 9, -EBADMSG}, /* a BIT STRING */
		{{0x30, 0x81, 7, 2, 1, 1, 2, 2, 0, 0x80}, 10, -EBADMSG}, /* long form */
		{{0x30, 8, 2, 0x81, 1, 1, 2, 2, 0, 0x80}, 10, -EBADMSG}, /* inside */
		{{0x30, 0x80, 2, 1, 1, 2, 2, 0, 0x80, 0, 0}, 11, -EBADMSG}, /* indefinite */
		{{0x30, 3, 2, 1, 1}, 5, -EBADMSG}, /* r alone */
		{{0x30, 6, 2, 1, 1, 2, 2, 0, 0x80}, 9, -EBADMSG},
	};
	static const uint8_t longer_r[41] = {
		0x30, 39, 2, 34, 0, 0x80, [38] = 2, [39] = 1, [40] = 1};
	uint8_t out[SIGNATURE_BYTES], long_r[40] = {0x30, 38, 2, 33, 1},
				      want[SIGNATURE_BYTES] = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
			signature_from_der(cases[i].bytes, cases[i].size, out), cases[i].err);
	}
	for (size_t size = 0; size < cases[0].size; size++) {
		assert_int_equal(signature_from_der(cases[0].bytes, size, out), -EBADMSG);
	}
	want[31] = 1;
	want[63] = 0x80;
	assert_int_equal(signature_from_der(cases[0].bytes, cases[0].size, out), 0);
	assert_memory_equal(out, want, sizeof(out));
	long_r[37] = 2;
	long_r[38] = 1;
	long_r[39] = 1;
	assert_int_equal(signature_from_der(long_r, sizeof(long_r), out), -EBADMSG); /* 33 bytes */
	/* 34 of which the first says that the others are positive */
	assert_int_equal(signature_from_der(longer_r, sizeof(longer_r), out), -EBADMSG);
	memset(want, 0, sizeof(want));
	assert_int_equal(signature_to_der(want, long_r, sizeof(long_r)), -EBADMSG);
}

static void points_must_be_uncompressed_and_on_the_curve(void **state)
{
	const struct key_pair *k = *state;
	uint8_t point[POINT_BYTES], secret[32];
	EVP_PKEY *pkey = NULL;

	assert_int_equal(point_to_pkey(k->public, &pkey), 0);
	EVP_PKEY_free(pkey);
	pkey = NULL;
	for (size_t i = 0; i < sizeof(point); i++) {
		memcpy(point, k->public, sizeof(point));
		point[i] ^= 1;
		assert_int_equal(point_to_pkey(point, &pkey), -EBADMSG);
		assert_null(pkey);
	}
	memcpy(point, k->public, sizeof(point));
	point[0] = (uint8_t)(6 + (point[64] & 1)); /* the hybrid form of the same point */
	assert_int_equal(point_to_pkey(point, &pkey), -EBADMSG);
	memset(point, 0, sizeof(point));
	assert_int_equal(point_to_pkey(point, &pkey), -EBADMSG);
	assert_int_equal(key_pair_dh(k, point, secret), -EBADMSG);
}

static void key_pair_dh_is_the_same_from_both_sides(void **state)
{
	const struct key_pair *k = *state;
	struct key_pair other;
	uint8_t a[32], b[32];

	assert_int_equal(key_pair_generate(&other), 0);
	assert_int_equal(key_pair_dh(k, other.public, a), 0);
	assert_int_equal(key_pair_dh(&other, k->public, b), 0);
	assert_memory_equal(a, b, sizeof(a));
	key_pair_finish(&other);
}

static void key_pair_survives_its_pem(void **state)
{
	const struct key_pair *k = *state;
	size_t before = CRYPTO_secure_used(), size;
	struct key_pair back;
	char *pem;

	assert_int_equal(key_pair_to_pem(k, &pem, &size), 0);
	assert_true(CRYPTO_secure_allocated(pem));
	assert_memory_equal(pem, "-----BEGIN PRIVATE KEY-----", 27);
	assert_int_equal(key_pair_from_pem(pem, size, &back), 0);
	assert_memory_equal(back.public, k->public, POINT_BYTES);
	assert_int_equal(EVP_PKEY_eq(back.pkey, k->pkey), 1);
	key_pair_finish(&back);
	assert_int_equal(key_pair_from_pem(pem, size / 2, &back), -EBADMSG);
	assert_int_equal(key_pair_from_pem("", 0, &back), -EBADMSG);
	OPENSSL_secure_clear_free(pem, size);
	assert_int_equal(CRYPTO_secure_used(), before);
}

static void key_pair_from_pem_refuses_other_kinds_and_never_asks_for_a_password(void **state)
{
	const struct key_pair *k = *state;
	/* secp256k1 is as long as our curve in every respect. */
	EVP_PKEY *others[] = {EVP_EC_gen("P-384"), EVP_EC_gen("secp256k1"),
		EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), k->pkey};
	char password[] = "secret", *data;
	struct key_pair back;

	for (size_t i = 0; i < 4; i++) {
		const EVP_CIPHER *cipher = i == 3 ? EVP_aes_128_cbc() : NULL;
		BIO *bio = BIO_new(BIO_s_mem());
		long size;

		assert_true(PEM_write_bio_PKCS8PrivateKey(
			bio, others[i], cipher, password, (int)strlen(password), NULL, NULL));
		size = BIO_get_mem_data(bio, &data);
		assert_int_equal(key_pair_from_pem(data, (size_t)size, &back), -EBADMSG);
		BIO_free(bio);
	}
	for (size_t i = 0; i < 3; i++) {
		EVP_PKEY_free(others[i]);
	}
}

static void digests_are_those_of_the_published_examples(void **state)
{
	/* FIPS 180-2 "abc", and RFC 4231 test case 2 */
	static const uint8_t abc[] =
		"\xba\x78\x16\xbf\x8f\x01\xcf\xea\x41\x41\x40\xde\x5d\xae\x22\x23"
		"\xb0\x03\x61\xa3\x96\x17\x7a\x9c\xb4\x10\xff\x61\xf2\x00\x15\xad";
	static const uint8_t jefe[] =
		"\x5b\xdc\xc1\x46\xbf\x60\x75\x4e\x6a\x04\x24\x26\x08\x95\x75\xc7"
		"\x5a\x00\x3f\x08\x9d\x27\x39\x83\x9d\xec\x58\xb9\x64\xec\x38\x43";
	const struct digest_part parts[] = {{"a", 1}, {"", 0}, {"bc", 2}};
	const struct digest_part question[] = {{"what do ya want ", 16}, {"for nothing?", 12}};
	uint8_t out[DIGEST_BYTES], padded[DIGEST_BYTES], zeroes[32] = {0};

	(void)state;
	assert_int_equal(digest_sha256(parts, 3, out), 0);
	assert_memory_equal(out, abc, sizeof(out));
	assert_int_equal(hmac_sha256((const uint8_t *)"Jefe", 4, question, 2, out), 0);
	assert_memory_equal(out, jefe, sizeof(out));
	/* An empty key is one of zeroes (RFC 2104), however it is given. */
	assert_int_equal(hmac_sha256(NULL, 0, parts, 3, out), 0);
	assert_int_equal(hmac_sha256(zeroes, sizeof(zeroes), parts, 3, padded), 0);
	assert_memory_equal(out, padded, sizeof(out));
}

/* Computes label ‖ rest by the plain digest, to compare with the functions of the protocol. */
static void labelled(const char *label, const uint8_t *rest, size_t size, uint8_t *out)
{
	const struct digest_part parts[] = {{label, strlen(label)}, {rest, size}};

	assert_int_equal(digest_sha256(parts, 2, out), 0);
}

static void names_and_transcript_are_hashed_as_documented(void **state)
{
	uint8_t text[1 + WIRE_CHALLENGE_BYTES + 1 + 5 + DISPLAY_ID_BYTES + NONCE_BYTES];
	uint8_t got[DIGEST_BYTES], want[DIGEST_BYTES];
	char origin[ORIGIN_MAX_BYTES + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++) {
		text[i] = (uint8_t)(i * 3);
	}
	display_id_of(text, text + POINT_BYTES, got);
	labelled("camgate display v1", text, 2 * POINT_BYTES, want);
	assert_memory_equal(got, want, sizeof(got));
	hub_fingerprint_of(text, got);
	labelled("camgate hub v1", text, POINT_BYTES, want);
	assert_memory_equal(got, want, sizeof(got));
	memcpy(text + 1 + WIRE_CHALLENGE_BYTES, "\x05https", 6);
	transcript_of(text[0], text + 1, "https", text + 1 + WIRE_CHALLENGE_BYTES + 6,
		text + 1 + WIRE_CHALLENGE_BYTES + 6 + DISPLAY_ID_BYTES, got);
	labelled("camgate transcript v1", text, sizeof(text), want);
	assert_memory_equal(got, want, sizeof(got));
	/* An origin that has no encoding gives no transcript twice. */
	memset(origin, 'o', sizeof(origin));
	origin[sizeof(origin) - 1] = '\0';
	transcript_of(1, text, origin, text, text, got);
	transcript_of(1, text, origin, text, text, want);
	assert_memory_not_equal(got, want, sizeof(got));
}

static void message_opens_only_in_its_place(void **state)
{
	const struct key_pair *k = *state;
	uint8_t out[WIRE_HUB_MESSAGE_MAX_BYTES], body[] = "body", other[SESSION_ID_BYTES] = "other";
	struct wire_envelope e = {.type = WIRE_HUB,
		.session = "session",
		.counter = 7,
		.kind = HUB_KEY,
		.body = body,
		.body_size = sizeof(body)};
	struct wire_envelope got;
	ssize_t n = message_sign(k, &e, out, sizeof(out));
	size_t size = (size_t)n;

	assert_true(n > 0);
	assert_int_equal(message_open(k->public, WIRE_HUB, e.session, 7, out, size, &got), 0);
	assert_int_equal(got.kind, HUB_KEY);
	assert_int_equal(got.body_size, sizeof(body));
	assert_memory_equal(got.body, body, sizeof(body));
	assert_int_equal(
		message_open(k->public, WIRE_DISPLAY, e.session, 7, out, size, &got), -EBADMSG);
	assert_int_equal(message_open(k->public, WIRE_HUB, other, 7, out, size, &got), -EBADMSG);
	assert_int_equal(
		message_open(k->public, WIRE_HUB, e.session, 8, out, size, &got), -EBADMSG);
	assert_int_equal(
		message_open(k->public, WIRE_HUB, e.session, 6, out, size, &got), -EBADMSG);
	for (size_t i = 0; i < size; i++) {
		out[i] ^= 1;
		assert_int_equal(
			message_open(k->public, WIRE_HUB, e.session, 7, out, size, &got), -EBADMSG);
		out[i] ^= 1;
	}
	assert_int_equal(message_sign(k, &e, out, size - 1), -ENOSPC);
	assert_int_equal(message_sign(k, &e, out, 3), -ENOSPC);
}

static void random_bytes_fill_everything_and_bytes_equal_compares(void **state)
{
	uint8_t a[64] = {0}, b[64] = {0};

	(void)state;
	assert_true(bytes_equal(a, b, sizeof(a)));
	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b));
	assert_false(bytes_equal(a, b, sizeof(a)));
	assert_false(bytes_equal(a + 32, a, 32));
	memcpy(b, a, sizeof(a));
	assert_true(bytes_equal(a, b, sizeof(a)));
	b[63] ^= 1;
	assert_false(bytes_equal(a, b, sizeof(a)));
}

#define PAIR_TEST(name) cmocka_unit_test_setup_teardown(name, pair_setup, pair_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PAIR_TEST(key_signatures_verify_and_change_with_every_input),
		PAIR_TEST(key_signatures_survive_der_and_back),
		cmocka_unit_test(signature_from_der_is_strict),
		PAIR_TEST(points_must_be_uncompressed_and_on_the_curve),
		PAIR_TEST(key_pair_dh_is_the_same_from_both_sides),
		PAIR_TEST(key_pair_survives_its_pem),
		PAIR_TEST(key_pair_from_pem_refuses_other_kinds_and_never_asks_for_a_password),
		cmocka_unit_test(digests_are_those_of_the_published_examples),
		cmocka_unit_test(names_and_transcript_are_hashed_as_documented),
		PAIR_TEST(message_opens_only_in_its_place),
		cmocka_unit_test(random_bytes_fill_everything_and_bytes_equal_compares),
	};

	if (secure_heap_init() < 0 || secure_heap_init() < 0) {
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
