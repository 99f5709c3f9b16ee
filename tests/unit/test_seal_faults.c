/*
 * Seals, wrapped keys and signatures while memory fails beneath them: each allocation of OpenSSL in
 * turn (that one alone, with all after it, and every so-many-th), and a secure heap that is full.
 * An operation does what it says or fails: nothing readable is left in its output, nothing in the
 * secure heap, and what is wrong is never taken for right.
 */
#include "fault_counts.h"
#include "hpke.h"
#include "sframe.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TEXT_BYTES = 64, OUT_BYTES = 256, BLOCKS_MAX = 4096 };

static const uint8_t home[HOME_ID_BYTES] = {1}, generation[GENERATION_BYTES] = {2};
static const uint8_t base_key[EPOCH_KEY_BYTES] = {3};
static uint8_t text[TEXT_BYTES];
static struct key_pair ours, theirs;

/* ---- memory that fails ---- */

/* The at-th allocation fails; also all after it; or every at-th. */
enum mode { FAIL_ONE, FAIL_FROM, FAIL_EVERY, FAIL_MODES };

static struct {
	bool armed;
	enum mode mode;
	uint64_t at, seen;
	uint64_t injected;
} faults;

static bool fault_now(void)
{
	if (!faults.armed) {
		return false;
	}
	faults.seen++;
	faults.injected += faults.seen == faults.at;
	switch (faults.mode) {
	case FAIL_FROM:
		return faults.seen >= faults.at;
	case FAIL_EVERY:
		return faults.seen % faults.at == 0;
	default:
		return faults.seen == faults.at;
	}
}

/* Is there in a build with LeakSanitizer. */
__attribute__((weak)) void __lsan_ignore_object(const void *p);

static void *faulty_malloc(size_t size, const char *file, int line)
{
	void *p;

	(void)file;
	(void)line;
	if (size == 0 || fault_now()) {
		return NULL;
	}
	p = malloc(size);
	/* libcrypto 3.0 itself loses a name, a pointer and a number, when it could not look it up
	 * and enters it again. */
	if (size == 2 * sizeof(void *) && __lsan_ignore_object != NULL) {
		__lsan_ignore_object(p);
	}
	return p;
}

static void *faulty_realloc(void *p, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return fault_now() ? NULL : realloc(p, size);
}

static void faulty_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

/* Runs check with each allocation failing in turn, until there is none left to fail. */
static void under_faults(void (*check)(void))
{
	check(); /* what OpenSSL keeps for later it has now */
	for (int mode = 0; mode < FAIL_MODES; mode++) {
		bool came = true;

		for (uint64_t at = 1; came; at++) {
			size_t used = CRYPTO_secure_used();

			faults.seen = 0;
			faults.at = at;
			faults.mode = (enum mode)mode;
			check();
			came = faults.seen >= at;
			assert_int_equal(CRYPTO_secure_used(), used);
		}
	}
}

static void begin(void)
{
	faults.armed = faults.at != 0;
}

static void end(void)
{
	faults.armed = false;
}

static void assert_unreadable(const uint8_t *out, size_t size)
{
	for (size_t i = 0; i + 8 <= TEXT_BYTES; i++) {
		assert_null(memmem(out, size, text + i, 8));
	}
}

/* ---- what is tried ---- */

static void seal_a_frame(void)
{
	uint8_t out[OUT_BYTES] = {0}, opened[OUT_BYTES];
	struct sframe_key *k, *good = sframe_key_create(base_key, 1);
	ssize_t n = -ENOMEM;
	uint64_t counter;

	assert_non_null(good);
	begin();
	k = sframe_key_create(base_key, 1);
	if (k != NULL) {
		n = sframe_seal(k, 7, home, sizeof(home), text, sizeof(text), out, sizeof(out));
	}
	end();
	assert_unreadable(out, sizeof(out));
	if (n >= 0) {
		assert_int_equal(sframe_open(good, home, sizeof(home), out, (size_t)n, opened,
					 sizeof(opened), &counter),
			TEXT_BYTES);
		assert_memory_equal(opened, text, TEXT_BYTES);
	}
	sframe_key_destroy(k);
	sframe_key_destroy(good);
}

static void open_a_frame(void)
{
	uint8_t sealed[OUT_BYTES], out[OUT_BYTES] = {0};
	struct sframe_key *k, *good = sframe_key_create(base_key, 1);
	ssize_t size, n = -ENOMEM;
	uint64_t counter;

	assert_non_null(good);
	size = sframe_seal(good, 7, home, sizeof(home), text, sizeof(text), sealed, sizeof(sealed));
	assert_true(size > 0);
	begin();
	k = sframe_key_create(base_key, 1);
	if (k != NULL) {
		n = sframe_open(
			k, home, sizeof(home), sealed, (size_t)size, out, sizeof(out), &counter);
	}
	end();
	if (n >= 0) {
		assert_memory_equal(out, text, TEXT_BYTES);
	} else {
		assert_unreadable(out, sizeof(out));
	}
	sframe_key_destroy(k);
	sframe_key_destroy(good);
}

static void wrap_a_key(void)
{
	uint8_t enc[HPKE_ENC_BYTES], out[OUT_BYTES] = {0}, opened[OUT_BYTES];
	int r;

	begin();
	r = hpke_seal_auth(
		&ours, theirs.public, home, sizeof(home), NULL, 0, text, sizeof(text), enc, out);
	end();
	assert_unreadable(out, sizeof(out));
	if (r == 0) {
		assert_int_equal(hpke_open_auth(&theirs, ours.public, enc, home, sizeof(home), NULL,
					 0, out, TEXT_BYTES + HPKE_TAG_BYTES, opened),
			0);
		assert_memory_equal(opened, text, TEXT_BYTES);
	}
}

static void unwrap_a_key(void)
{
	uint8_t enc[HPKE_ENC_BYTES], wrapped[OUT_BYTES], out[OUT_BYTES] = {0};
	int r;

	assert_int_equal(hpke_seal_auth(&ours, theirs.public, home, sizeof(home), NULL, 0, text,
				 sizeof(text), enc, wrapped),
		0);
	begin();
	r = hpke_open_auth(&theirs, ours.public, enc, home, sizeof(home), NULL, 0, wrapped,
		TEXT_BYTES + HPKE_TAG_BYTES, out);
	end();
	if (r == 0) {
		assert_memory_equal(out, text, TEXT_BYTES);
	} else {
		assert_unreadable(out, sizeof(out));
	}
}

static void sign_and_verify(void)
{
	uint8_t good[SIGNATURE_BYTES], bad[SIGNATURE_BYTES], made[SIGNATURE_BYTES];
	int signed_now, verified_bad;

	assert_int_equal(key_sign(&ours, "test", text, sizeof(text), good), 0);
	memcpy(bad, good, sizeof(bad));
	bad[5] ^= 1;
	begin();
	signed_now = key_sign(&ours, "test", text, sizeof(text), made);
	verified_bad = key_verify(ours.public, "test", text, sizeof(text), bad);
	end();
	assert_true(verified_bad < 0);
	if (signed_now == 0) {
		assert_int_equal(key_verify(ours.public, "test", text, sizeof(text), made), 0);
	}
}

static void make_and_keep_a_key(void)
{
	const uint8_t scalar[32] = {[31] = 5};
	struct key_pair k, again, of_scalar;
	char *pem = NULL;
	size_t size = 0;
	int made, kept = -1, read = -1, scaled;

	begin();
	made = key_pair_generate(&k);
	if (made == 0) {
		kept = key_pair_to_pem(&k, &pem, &size);
	}
	if (kept == 0) {
		read = key_pair_from_pem(pem, size, &again);
	}
	scaled = key_pair_from_scalar(scalar, &of_scalar);
	end();
	if (read == 0) {
		assert_memory_equal(again.public, k.public, POINT_BYTES);
		key_pair_finish(&again);
	}
	if (kept == 0) {
		OPENSSL_secure_clear_free(pem, size);
	}
	if (made == 0) {
		key_pair_finish(&k);
	}
	if (scaled == 0) {
		key_pair_finish(&of_scalar);
	}
}

static void live_through_epochs(void)
{
	struct wire_frame_header h = {.width = 16, .height = 16};
	uint8_t out[OUT_BYTES] = {0};
	struct epochs *e;
	int broken = 0;
	ssize_t n = -ENOKEY;

	begin();
	e = epochs_create(home, generation, 1000000, 0);
	if (e != NULL) {
		uint32_t before = epochs_current(e);

		(void)epochs_prepare(e);
		broken = epochs_break(e, 1);
		if (broken == 0) {
			assert_true(epochs_current(e) > before);
		}
		n = epoch_seal(e, &h, text, sizeof(text), 2, out, sizeof(out));
		(void)epochs_prepare(e);
		(void)epochs_switch(e, 3);
	}
	end();
	assert_unreadable(out, sizeof(out));
	if (broken < 0) {
		assert_true(n < 0);
	}
	epochs_destroy(e);
}

/* What callers compare with: a name that cannot be made equals nothing. */
static void name_a_display(void)
{
	uint8_t right[DISPLAY_ID_BYTES], one[DISPLAY_ID_BYTES], other[DISPLAY_ID_BYTES];
	bool failed;

	display_id_of(ours.public, theirs.public, right);
	begin();
	display_id_of(ours.public, theirs.public, one);
	failed = faults.armed && faults.seen >= faults.at;
	display_id_of(theirs.public, ours.public, other);
	end();
	assert_true(failed || memcmp(one, right, sizeof(right)) == 0);
	assert_memory_not_equal(one, other, sizeof(one));
}

static void (*const all[])(void) = {seal_a_frame, open_a_frame, wrap_a_key, unwrap_a_key,
	sign_and_verify, make_and_keep_a_key, live_through_epochs, name_a_display};

static void an_allocation_that_fails_leaves_nothing_readable_and_nothing_behind(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		under_faults(all[i]);
	}
}

static void a_full_secure_heap_gives_no_key_and_no_seal(void **state)
{
	static void *blocks[BLOCKS_MAX];
	struct wire_frame_header h = {.width = 16, .height = 16};
	uint8_t enc[HPKE_ENC_BYTES], out[OUT_BYTES] = {0};
	struct epochs *e = epochs_create(home, generation, 1000000, 0);
	size_t count = 0, before = CRYPTO_secure_used();

	(void)state;
	assert_non_null(e);
	for (size_t size = 1 << 15; size >= 16; size /= 2) {
		void *p;

		while (count < BLOCKS_MAX && (p = OPENSSL_secure_malloc(size)) != NULL) {
			blocks[count++] = p;
		}
	}
	assert_null(sframe_key_create(base_key, 1));
	assert_null(epochs_create(home, generation, 1000000, 0));
	assert_int_equal(epochs_prepare(e), 0);
	assert_true(hpke_seal_auth(&ours, theirs.public, home, sizeof(home), NULL, 0, text,
			    sizeof(text), enc, out) < 0);
	assert_true(hpke_open_auth(&theirs, ours.public, enc, home, sizeof(home), NULL, 0, out,
			    TEXT_BYTES, out) < 0);
	/* The key that it had is gone, and there is no other. */
	assert_true(epochs_break(e, 1) < 0);
	assert_int_equal(epoch_seal(e, &h, text, sizeof(text), 2, out, sizeof(out)), -ENOKEY);
	assert_unreadable(out, sizeof(out));
	while (count > 0) {
		OPENSSL_secure_free(blocks[--count]);
	}
	epochs_destroy(e);
	assert_true(CRYPTO_secure_used() < before);
}

static void sizes_that_cannot_be_are_refused(void **state)
{
	struct wire_frame_header h = {.width = 16, .height = 16};
	uint8_t enc[HPKE_ENC_BYTES], out[OUT_BYTES];
	struct epochs *e = epochs_create(home, generation, 1000000, 0);

	(void)state;
	assert_int_equal(hpke_seal_auth(&ours, theirs.public, home, (1 << 20) + 1, NULL, 0, text,
				 sizeof(text), enc, out),
		-EMSGSIZE);
	assert_int_equal(epoch_seal(e, &h, text, sizeof(text), 1, out, WIRE_FRAME_HEADER_BYTES - 1),
		-ENOSPC);
	assert_null(epochs_key(e, 0));
	struct sframe_key *k = sframe_key_create(base_key, 1);
	uint64_t counter;
	assert_int_equal(sframe_open(k, home, sizeof(home), out, (size_t)WIRE_FRAME_MAX_BYTES + 1,
				 out, sizeof(out), &counter),
		-EBADMSG);
	sframe_key_destroy(k);
	assert_int_equal(
		key_pair_from_pem("x", (size_t)INT32_MAX + 1, &(struct key_pair){0}), -EBADMSG);
	epochs_destroy(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			an_allocation_that_fails_leaves_nothing_readable_and_nothing_behind),
		cmocka_unit_test(a_full_secure_heap_gives_no_key_and_no_seal),
		cmocka_unit_test(sizes_that_cannot_be_are_refused),
	};

	if (CRYPTO_set_mem_functions(faulty_malloc, faulty_realloc, faulty_free) != 1 ||
		secure_heap_init() < 0 || key_pair_generate(&ours) < 0 ||
		key_pair_generate(&theirs) < 0) {
		fprintf(stderr, "OpenSSL does not let itself be made to fail\n");
		return 1;
	}
	random_bytes(text, sizeof(text));
	int failed = cmocka_run_group_tests_name("seal_faults", tests, NULL, NULL);
	key_pair_finish(&ours);
	key_pair_finish(&theirs);
	fault_counts_add("seal", "allocation", faults.injected);
	return failed;
}
