#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hpke.h"
#include "vectors.h"

#include <errno.h>
#include <string.h>

enum { TEXT_BYTES = 256 };

/* The Auth entry of the vectors, its first encryption (sequence number 0). */
struct vector {
	struct key_pair ephemeral, sender, recipient;
	uint8_t enc[HPKE_ENC_BYTES];
	uint8_t info[TEXT_BYTES], aad[TEXT_BYTES], pt[TEXT_BYTES], ct[TEXT_BYTES];
	size_t info_size, aad_size, pt_size, ct_size;
};

static void pair_load(
	const json_t *entry, const char *private, const char *public, struct key_pair *ret)
{
	uint8_t scalar[32], point[POINT_BYTES];

	assert_int_equal(vector_bytes(entry, private, scalar, sizeof(scalar)), sizeof(scalar));
	assert_int_equal(vector_bytes(entry, public, point, sizeof(point)), sizeof(point));
	assert_int_equal(key_pair_from_scalar(scalar, ret), 0);
	assert_memory_equal(ret->public, point, sizeof(point));
}

static int vector_setup(void **state)
{
	static struct vector v;
	json_t *root = vectors_load("tests/vectors/hpke-p256-test-vectors.json");
	json_t *entry = NULL, *first;

	for (size_t i = 0; i < json_array_size(root); i++) {
		if (vector_number(json_array_get(root, i), "mode") == 2) {
			entry = json_array_get(root, i);
		}
	}
	assert_non_null(entry);
	assert_int_equal(vector_number(entry, "kem_id"), 16);
	assert_int_equal(vector_number(entry, "kdf_id"), 1);
	assert_int_equal(vector_number(entry, "aead_id"), 1);
	pair_load(entry, "skEm", "pkEm", &v.ephemeral);
	pair_load(entry, "skSm", "pkSm", &v.sender);
	pair_load(entry, "skRm", "pkRm", &v.recipient);
	assert_int_equal(vector_bytes(entry, "enc", v.enc, sizeof(v.enc)), sizeof(v.enc));
	v.info_size = vector_bytes(entry, "info", v.info, sizeof(v.info));
	first = json_array_get(json_object_get(entry, "encryptions"), 0);
	v.aad_size = vector_bytes(first, "aad", v.aad, sizeof(v.aad));
	v.pt_size = vector_bytes(first, "pt", v.pt, sizeof(v.pt));
	v.ct_size = vector_bytes(first, "ct", v.ct, sizeof(v.ct));
	assert_int_equal(v.ct_size, v.pt_size + HPKE_TAG_BYTES);
	json_decref(root);
	*state = &v;
	return 0;
}

static int vector_teardown(void **state)
{
	struct vector *v = *state;

	key_pair_finish(&v->ephemeral);
	key_pair_finish(&v->sender);
	key_pair_finish(&v->recipient);
	return 0;
}

static void hpke_seals_as_the_official_vector_says(void **state)
{
	const struct vector *v = *state;
	uint8_t enc[HPKE_ENC_BYTES], ct[TEXT_BYTES];

	assert_int_equal(
		hpke_seal_auth_with(&v->ephemeral, &v->sender, v->recipient.public, v->info,
			v->info_size, v->aad, v->aad_size, v->pt, v->pt_size, enc, ct),
		0);
	assert_memory_equal(enc, v->enc, sizeof(enc));
	assert_memory_equal(ct, v->ct, v->ct_size);
}

static void hpke_opens_the_official_vector(void **state)
{
	const struct vector *v = *state;
	uint8_t pt[TEXT_BYTES];

	assert_int_equal(hpke_open_auth(&v->recipient, v->sender.public, v->enc, v->info,
				 v->info_size, v->aad, v->aad_size, v->ct, v->ct_size, pt),
		0);
	assert_memory_equal(pt, v->pt, v->pt_size);
}

static void hpke_opens_what_it_seals_also_without_info_and_aad(void **state)
{
	const struct vector *v = *state;
	uint8_t enc[HPKE_ENC_BYTES], ct[TEXT_BYTES], pt[TEXT_BYTES], again[HPKE_ENC_BYTES];

	assert_int_equal(hpke_seal_auth(&v->sender, v->recipient.public, NULL, 0, NULL, 0, v->pt,
				 v->pt_size, enc, ct),
		0);
	assert_int_equal(hpke_open_auth(&v->recipient, v->sender.public, enc, NULL, 0, NULL, 0, ct,
				 v->pt_size + HPKE_TAG_BYTES, pt),
		0);
	assert_memory_equal(pt, v->pt, v->pt_size);
	assert_int_equal(hpke_seal_auth(&v->sender, v->recipient.public, NULL, 0, NULL, 0, v->pt,
				 v->pt_size, again, ct),
		0);
	assert_memory_not_equal(enc, again, sizeof(enc));
}

/* Opens v with one byte of one input changed; the output must be refused and wiped. */
static void assert_refused(const struct vector *v, uint8_t *changed)
{
	static const uint8_t zeroes[TEXT_BYTES];
	uint8_t pt[TEXT_BYTES];

	memset(pt, 0xee, sizeof(pt));
	*changed ^= 1;
	assert_int_equal(hpke_open_auth(&v->recipient, v->sender.public, v->enc, v->info,
				 v->info_size, v->aad, v->aad_size, v->ct, v->ct_size, pt),
		-EBADMSG);
	*changed ^= 1;
	assert_memory_equal(pt, zeroes, v->pt_size);
}

static void hpke_refuses_any_changed_input_and_wipes_the_output(void **state)
{
	struct vector *v = *state;

	assert_refused(v, &v->info[0]);
	assert_refused(v, &v->aad[v->aad_size - 1]);
	for (size_t i = 0; i < v->ct_size; i++) {
		assert_refused(v, &v->ct[i]);
	}
	assert_refused(v, &v->enc[0]);
	assert_refused(v, &v->enc[40]); /* no point of the curve any more */
	assert_refused(v, &v->sender.public[64]);
}

static void hpke_refuses_another_sender_and_another_recipient(void **state)
{
	const struct vector *v = *state;
	struct key_pair other;
	uint8_t pt[TEXT_BYTES];

	assert_int_equal(key_pair_generate(&other), 0);
	assert_int_equal(hpke_open_auth(&v->recipient, other.public, v->enc, v->info, v->info_size,
				 v->aad, v->aad_size, v->ct, v->ct_size, pt),
		-EBADMSG);
	assert_int_equal(hpke_open_auth(&other, v->sender.public, v->enc, v->info, v->info_size,
				 v->aad, v->aad_size, v->ct, v->ct_size, pt),
		-EBADMSG);
	key_pair_finish(&other);
}

static void hpke_refuses_a_text_shorter_than_its_tag(void **state)
{
	const struct vector *v = *state;
	uint8_t pt[TEXT_BYTES];

	for (size_t size = 0; size < v->ct_size; size++) {
		assert_int_equal(hpke_open_auth(&v->recipient, v->sender.public, v->enc, v->info,
					 v->info_size, v->aad, v->aad_size, v->ct, size, pt),
			-EBADMSG);
	}
}

/* Nothing of it is looked at. */
static void hpke_refuses_sizes_that_no_message_has(void **state)
{
	const struct vector *v = *state;
	const size_t huge = ((size_t)1 << 20) + 1;

	for (int i = 0; i < 3; i++) {
		size_t info = i == 0 ? huge : v->info_size, aad = i == 1 ? huge : v->aad_size;
		uint8_t enc[HPKE_ENC_BYTES], out[TEXT_BYTES];

		assert_int_equal(hpke_seal_auth(&v->sender, v->recipient.public, v->info, info,
					 v->aad, aad, v->pt, i == 2 ? huge : v->pt_size, enc, out),
			-EMSGSIZE);
		assert_int_equal(hpke_open_auth(&v->recipient, v->sender.public, v->enc, v->info,
					 info, v->aad, aad, v->ct, i == 2 ? huge : v->ct_size, out),
			-EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hpke_seals_as_the_official_vector_says),
		cmocka_unit_test(hpke_opens_the_official_vector),
		cmocka_unit_test(hpke_opens_what_it_seals_also_without_info_and_aad),
		cmocka_unit_test(hpke_refuses_any_changed_input_and_wipes_the_output),
		cmocka_unit_test(hpke_refuses_another_sender_and_another_recipient),
		cmocka_unit_test(hpke_refuses_a_text_shorter_than_its_tag),
		cmocka_unit_test(hpke_refuses_sizes_that_no_message_has),
	};

	if (secure_heap_init() < 0) {
		return 1;
	}
	return cmocka_run_group_tests(tests, vector_setup, vector_teardown);
}
