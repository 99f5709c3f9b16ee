#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "keys.h"
#include "sframe.h"
#include "vectors.h"

#include <errno.h>
#include <string.h>

enum { TEXT_BYTES = 256 };

static const char vectors_path[] = "tests/vectors/sframe-test-vectors.json";

static void sframe_headers_are_those_of_the_official_vectors(void **state)
{
	json_t *root = vectors_load(vectors_path);
	json_t *list = json_object_get(root, "header");

	(void)state;
	assert_true(json_array_size(list) > 100);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *entry = json_array_get(list, i);
		uint8_t want[SFRAME_HEADER_MAX_BYTES], got[SFRAME_HEADER_MAX_BYTES];
		size_t size = vector_bytes(entry, "encoded", want, sizeof(want));
		uint64_t kid = 0, ctr = 0;

		assert_int_equal(sframe_encode_header(vector_number(entry, "kid"),
					 vector_number(entry, "ctr"), got),
			size);
		assert_memory_equal(got, want, size);
		assert_int_equal(sframe_parse_header(want, size, &kid, &ctr), size);
		assert_int_equal(kid, vector_number(entry, "kid"));
		assert_int_equal(ctr, vector_number(entry, "ctr"));
		assert_int_equal(sframe_parse_header(want, size - 1, &kid, &ctr), -EBADMSG);
	}
	json_decref(root);
}

static void sframe_refuses_integers_that_are_not_in_their_shortest_form(void **state)
{
	static const struct {
		uint8_t bytes[4];
		size_t size;
	} wrong[] = {
		{{0x80, 0x07}, 2}, /* KID 7 fits the config byte */
		{{0x80, 0x00}, 2}, /* so does 0 */
		{{0x08, 0x07}, 2}, /* CTR likewise */
		{{0x90, 0x00, 0x80}, 3}, /* KID 128 in two bytes */
		{{0x09, 0x00, 0xff}, 3}, /* CTR 255 in two bytes */
		{{0x88, 0x08, 0x07}, 3}, /* the KID is right, the CTR is not */
		{{0x0a, 0x00, 0xff, 0xff}, 4}, /* CTR 65535 in three bytes */
	};
	static const uint8_t right[] = {0x99, 0x01, 0x00, 0x01, 0x00};
	uint64_t kid, ctr;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(
			sframe_parse_header(wrong[i].bytes, wrong[i].size, &kid, &ctr), -EBADMSG);
	}
	assert_int_equal(sframe_parse_header(right, sizeof(right), &kid, &ctr), 5);
	assert_int_equal(kid, 256);
	assert_int_equal(ctr, 256);
	assert_int_equal(sframe_parse_header(NULL, 0, &kid, &ctr), -EBADMSG);
}

/* The vector of cipher suite 4. */
struct vector {
	struct sframe_key *key;
	uint8_t base_key[EPOCH_KEY_BYTES];
	uint64_t kid, ctr;
	uint8_t metadata[TEXT_BYTES], pt[TEXT_BYTES], ct[TEXT_BYTES];
	size_t metadata_size, pt_size, ct_size;
};

static int vector_setup(void **state)
{
	static struct vector v;
	json_t *root = vectors_load(vectors_path);
	json_t *list = json_object_get(root, "sframe");
	const json_t *entry = NULL;

	for (size_t i = 0; i < json_array_size(list); i++) {
		if (vector_number(json_array_get(list, i), "cipher_suite") == 4) {
			entry = json_array_get(list, i);
		}
	}
	assert_non_null(entry);
	v.kid = vector_number(entry, "kid");
	v.ctr = vector_number(entry, "ctr");
	assert_int_equal(vector_bytes(entry, "base_key", v.base_key, sizeof(v.base_key)), 16);
	v.metadata_size = vector_bytes(entry, "metadata", v.metadata, sizeof(v.metadata));
	v.pt_size = vector_bytes(entry, "pt", v.pt, sizeof(v.pt));
	v.ct_size = vector_bytes(entry, "ct", v.ct, sizeof(v.ct));
	json_decref(root);
	v.key = sframe_key_create(v.base_key, v.kid);
	assert_non_null(v.key);
	*state = &v;
	return 0;
}

static int vector_teardown(void **state)
{
	struct vector *v = *state;

	sframe_key_destroy(v->key);
	return 0;
}

static void sframe_seals_as_the_official_vector_says(void **state)
{
	const struct vector *v = *state;
	uint8_t out[TEXT_BYTES];

	/* Twice: the second uses the context of the first. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(sframe_seal(v->key, v->ctr, v->metadata, v->metadata_size, v->pt,
					 v->pt_size, out, sizeof(out)),
			v->ct_size);
		assert_memory_equal(out, v->ct, v->ct_size);
		assert_true(sframe_seal(v->key, v->ctr + 1, v->metadata, v->metadata_size, v->pt,
				    v->pt_size, out, sizeof(out)) > 0);
		assert_memory_not_equal(out, v->ct, v->ct_size);
	}
}

static void sframe_opens_the_official_vector(void **state)
{
	const struct vector *v = *state;
	uint8_t out[TEXT_BYTES];
	uint64_t ctr = 0;

	assert_int_equal(sframe_open(v->key, v->metadata, v->metadata_size, v->ct, v->ct_size, out,
				 v->pt_size, &ctr),
		v->pt_size);
	assert_memory_equal(out, v->pt, v->pt_size);
	assert_int_equal(ctr, v->ctr);
}

static void sframe_refuses_any_changed_byte_and_wipes_the_output(void **state)
{
	static const uint8_t zeroes[TEXT_BYTES];
	struct vector *v = *state;
	uint8_t out[TEXT_BYTES];
	uint64_t ctr;

	for (size_t i = 0; i < v->ct_size; i++) {
		memset(out, 0, sizeof(out));
		v->ct[i] ^= 0x10;
		assert_int_equal(sframe_open(v->key, v->metadata, v->metadata_size, v->ct,
					 v->ct_size, out, sizeof(out), &ctr),
			-EBADMSG);
		v->ct[i] ^= 0x10;
		assert_memory_equal(out, zeroes, sizeof(out));
	}
	for (size_t i = 0; i < v->metadata_size; i++) {
		v->metadata[i] ^= 1;
		assert_int_equal(sframe_open(v->key, v->metadata, v->metadata_size, v->ct,
					 v->ct_size, out, sizeof(out), &ctr),
			-EBADMSG);
		v->metadata[i] ^= 1;
		assert_memory_equal(out, zeroes, v->pt_size);
	}
}

static void sframe_refuses_short_frames_foreign_kids_and_small_buffers(void **state)
{
	const struct vector *v = *state;
	struct sframe_key *other = sframe_key_create(v->base_key, v->kid + 1);
	uint8_t out[TEXT_BYTES];
	uint64_t ctr;

	assert_non_null(other);
	for (size_t size = 0; size < v->ct_size; size++) {
		assert_int_equal(sframe_open(v->key, v->metadata, v->metadata_size, v->ct, size,
					 out, sizeof(out), &ctr),
			-EBADMSG);
	}
	assert_int_equal(sframe_open(other, v->metadata, v->metadata_size, v->ct, v->ct_size, out,
				 sizeof(out), &ctr),
		-EBADMSG);
	assert_int_equal(sframe_open(v->key, v->metadata, v->metadata_size, v->ct, v->ct_size, out,
				 v->pt_size - 1, &ctr),
		-EBADMSG);
	assert_int_equal(sframe_seal(v->key, v->ctr, v->metadata, v->metadata_size, v->pt,
				 v->pt_size, out, v->ct_size - 1),
		-ENOSPC);
	sframe_key_destroy(other);
}

/* Nothing of it is looked at. */
static void sframe_refuses_sizes_that_no_frame_has(void **state)
{
	const struct vector *v = *state;
	const size_t huge = WIRE_FRAME_MAX_BYTES + 1;
	uint8_t out[TEXT_BYTES];
	uint64_t ctr;

	assert_int_equal(sframe_seal(v->key, v->ctr, v->metadata, v->metadata_size, v->pt, huge,
				 out, 4 * huge),
		-ENOSPC);
	assert_int_equal(
		sframe_seal(v->key, v->ctr, v->metadata, huge, v->pt, v->pt_size, out, 4 * huge),
		-ENOSPC);
	assert_int_equal(sframe_open(v->key, v->metadata, v->metadata_size, v->ct, huge, out,
				 4 * huge, &ctr),
		-EBADMSG);
	assert_int_equal(
		sframe_open(v->key, v->metadata, huge, v->ct, v->ct_size, out, 4 * huge, &ctr),
		-EBADMSG);
}

static void sframe_keeps_its_keys_in_the_secure_heap(void **state)
{
	const struct vector *v = *state;
	size_t before = CRYPTO_secure_used();
	struct sframe_key *key = sframe_key_create(v->base_key, 9);

	assert_non_null(key);
	assert_true(CRYPTO_secure_allocated(key));
	assert_true(CRYPTO_secure_used() > before);
	sframe_key_destroy(key);
	assert_int_equal(CRYPTO_secure_used(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sframe_headers_are_those_of_the_official_vectors),
		cmocka_unit_test(sframe_refuses_integers_that_are_not_in_their_shortest_form),
		cmocka_unit_test(sframe_seals_as_the_official_vector_says),
		cmocka_unit_test(sframe_opens_the_official_vector),
		cmocka_unit_test(sframe_refuses_any_changed_byte_and_wipes_the_output),
		cmocka_unit_test(sframe_refuses_short_frames_foreign_kids_and_small_buffers),
		cmocka_unit_test(sframe_refuses_sizes_that_no_frame_has),
		cmocka_unit_test(sframe_keeps_its_keys_in_the_secure_heap),
	};

	if (secure_heap_init() < 0) {
		return 1;
	}
	return cmocka_run_group_tests(tests, vector_setup, vector_teardown);
}
