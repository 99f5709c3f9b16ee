#include "pairing.h"
#include "keys.h"
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#define SECOND UINT64_C(1000000)

static const uint8_t link_id[LINK_ID_BYTES] = {1, 2, 3};
static const uint8_t secret[LINK_SECRET_BYTES] = {4, 5, 6};
static const uint8_t transcript[DIGEST_BYTES] = {7, 8, 9};
static struct pairing p;

static void make_proof(
	const uint8_t key[static LINK_SECRET_BYTES], uint8_t out[static DIGEST_BYTES])
{
	struct digest_part parts[] = {{"camgate pair v1", 15}, {transcript, sizeof(transcript)}};

	assert_int_equal(hmac_sha256(key, LINK_SECRET_BYTES, parts, 2, out), 0);
}

static enum pairing_result spend(uint64_t now_us, bool right)
{
	struct pairing_offer offer;
	uint8_t proof[DIGEST_BYTES];

	make_proof(secret, proof);
	proof[31] ^= !right;
	return pairing_spend(&p, now_us, link_id, transcript, proof, &offer);
}

static int set_up(void **state)
{
	static const struct pairing_offer offer = {.name = "Kitchen", .owner = true};

	(void)state;
	pairing_init(&p);
	pairing_add(&p, 0, PAIRING_LIFETIME_S, link_id, secret, &offer);
	return 0;
}

static void the_right_proof_is_accepted_with_the_offer(void **state)
{
	struct pairing_offer offer = {0};
	uint8_t proof[DIGEST_BYTES];

	(void)state;
	make_proof(secret, proof);
	assert_int_equal(
		pairing_spend(&p, 0, link_id, transcript, proof, &offer), PAIRING_ACCEPTED);
	assert_string_equal(offer.name, "Kitchen");
	assert_true(offer.owner);
}

static void a_link_works_once(void **state)
{
	(void)state;
	assert_int_equal(spend(0, true), PAIRING_ACCEPTED);
	assert_int_equal(spend(0, true), PAIRING_SPENT);
}

static void a_link_expires(void **state)
{
	(void)state;
	assert_int_equal(spend(PAIRING_LIFETIME_S * SECOND - 1, false), PAIRING_WRONG_PROOF);
	assert_int_equal(spend(PAIRING_LIFETIME_S * SECOND, true), PAIRING_EXPIRED);
}

static void four_wrong_proofs_leave_a_link_open(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		assert_int_equal(spend(0, false), PAIRING_WRONG_PROOF);
	}
	assert_int_equal(spend(0, true), PAIRING_ACCEPTED);
}

static void five_wrong_proofs_spend_a_link(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(spend(0, false), PAIRING_WRONG_PROOF);
	}
	assert_int_equal(spend(0, true), PAIRING_SPENT);
}

static void an_unknown_link_is_unknown(void **state)
{
	static const uint8_t other[LINK_ID_BYTES] = {1, 2, 4};
	struct pairing_offer offer;
	uint8_t proof[DIGEST_BYTES];

	(void)state;
	make_proof(secret, proof);
	assert_int_equal(pairing_spend(&p, 0, other, transcript, proof, &offer), PAIRING_UNKNOWN);
}

static void a_refused_proof_writes_no_offer(void **state)
{
	struct pairing_offer offer, untouched;
	uint8_t proof[DIGEST_BYTES] = {0};

	(void)state;
	memset(&offer, 0x5a, sizeof(offer));
	untouched = offer;
	assert_int_equal(
		pairing_spend(&p, 0, link_id, transcript, proof, &offer), PAIRING_WRONG_PROOF);
	assert_memory_equal(&offer, &untouched, sizeof(offer));
}

static bool holds_secret(void)
{
	for (size_t i = 0; i + sizeof(secret) <= sizeof(p); i++) {
		if (memcmp((const uint8_t *)&p + i, secret, sizeof(secret)) == 0) {
			return true;
		}
	}
	return false;
}

static void a_spent_link_keeps_no_secret(void **state)
{
	(void)state;
	assert_true(holds_secret());
	assert_int_equal(spend(0, true), PAIRING_ACCEPTED);
	assert_false(holds_secret());
}

static void an_expired_secret_cannot_be_guessed_from_zeroes(void **state)
{
	static const uint8_t zeroes[LINK_SECRET_BYTES];
	struct pairing_offer offer;
	uint8_t proof[DIGEST_BYTES];

	(void)state;
	assert_int_equal(spend(PAIRING_LIFETIME_S * SECOND, true), PAIRING_EXPIRED);
	make_proof(zeroes, proof);
	assert_int_equal(
		pairing_spend(&p, PAIRING_LIFETIME_S * SECOND, link_id, transcript, proof, &offer),
		PAIRING_EXPIRED);
	assert_int_equal(spend(0, true), PAIRING_EXPIRED);
}

static enum pairing_result try_wrong(uint8_t n)
{
	const uint8_t id[LINK_ID_BYTES] = {0xff, n};
	const uint8_t wrong[DIGEST_BYTES] = {0};
	struct pairing_offer none;

	return pairing_spend(&p, 0, id, transcript, wrong, &none);
}

static void new_links_take_the_place_of_spent_ones_first(void **state)
{
	static const struct pairing_offer offer = {0};
	uint8_t id[LINK_ID_BYTES] = {0xff};

	(void)state;
	/* All places taken; the newest of them is spent. */
	for (uint8_t i = 1; i < PAIRING_LINKS_MAX; i++) {
		id[1] = i;
		pairing_add(&p, 0, PAIRING_LIFETIME_S, id, secret, &offer);
	}
	for (int i = 0; i < 5; i++) {
		assert_int_equal(try_wrong(id[1]), PAIRING_WRONG_PROOF);
	}
	id[1] = 0xee;
	pairing_add(&p, 0, PAIRING_LIFETIME_S, id, secret, &offer);
	assert_int_equal(spend(0, true), PAIRING_ACCEPTED);
	/* Then the oldest one goes. */
	id[1] = 0xed;
	pairing_add(&p, 0, PAIRING_LIFETIME_S, id, secret, &offer);
	assert_int_equal(spend(0, true), PAIRING_UNKNOWN);
	/* And not the one that has its place now. */
	id[1] = 0xec;
	pairing_add(&p, 0, PAIRING_LIFETIME_S, id, secret, &offer);
	assert_int_equal(try_wrong(0xed), PAIRING_WRONG_PROOF);
	assert_int_equal(try_wrong(1), PAIRING_UNKNOWN);
}

static void an_expired_link_gives_way_before_one_that_is_open(void **state)
{
	static const struct pairing_offer offer = {0};
	uint8_t id[LINK_ID_BYTES] = {0xff};

	(void)state;
	for (uint8_t i = 1; i < PAIRING_LINKS_MAX; i++) {
		id[1] = i;
		pairing_add(&p, 0, i == 3 ? 1 : PAIRING_LIFETIME_S, id, secret, &offer);
	}
	id[1] = 0xee;
	pairing_add(&p, 2 * SECOND, PAIRING_LIFETIME_S, id, secret, &offer);
	/* The oldest is still there. */
	assert_int_equal(spend(2 * SECOND, true), PAIRING_ACCEPTED);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_right_proof_is_accepted_with_the_offer),
		TEST(a_link_works_once),
		TEST(a_link_expires),
		TEST(four_wrong_proofs_leave_a_link_open),
		TEST(five_wrong_proofs_spend_a_link),
		TEST(an_unknown_link_is_unknown),
		TEST(a_refused_proof_writes_no_offer),
		TEST(a_spent_link_keeps_no_secret),
		TEST(an_expired_secret_cannot_be_guessed_from_zeroes),
		TEST(new_links_take_the_place_of_spent_ones_first),
		TEST(an_expired_link_gives_way_before_one_that_is_open),
	};

	return cmocka_run_group_tests_name("pairing", tests, NULL, NULL);
}
