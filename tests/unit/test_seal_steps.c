/* Each call of OpenSSL in turn fails, once, in each thing that is sealed, opened, signed, checked
 * or digested, after it did its work: nothing of what it wrote may be left for anybody. The calls
 * are the test's own (--wrap, in the Makefile); test_seal_faults lets allocations fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hpke.h"
#include "keys.h"
#include "sframe.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

/* ---- calls that fail ---- */

static struct {
	bool armed;
	unsigned int at, seen;
} fault;

static int outcome(int result)
{
	return fault.armed && ++fault.seen == fault.at ? 0 : result;
}

int __real_EVP_EncryptInit_ex2(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *cipher,
	const unsigned char *key, const unsigned char *iv, const OSSL_PARAM params[]);
int __wrap_EVP_EncryptInit_ex2(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *cipher,
	const unsigned char *key, const unsigned char *iv, const OSSL_PARAM params[]);

int __wrap_EVP_EncryptInit_ex2(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *cipher,
	const unsigned char *key, const unsigned char *iv, const OSSL_PARAM params[])
{
	return outcome(__real_EVP_EncryptInit_ex2(ctx, cipher, key, iv, params));
}

int __real_EVP_EncryptUpdate(
	EVP_CIPHER_CTX *ctx, unsigned char *out, int *ret_size, const unsigned char *in, int size);
int __wrap_EVP_EncryptUpdate(
	EVP_CIPHER_CTX *ctx, unsigned char *out, int *ret_size, const unsigned char *in, int size);

int __wrap_EVP_EncryptUpdate(
	EVP_CIPHER_CTX *ctx, unsigned char *out, int *ret_size, const unsigned char *in, int size)
{
	return outcome(__real_EVP_EncryptUpdate(ctx, out, ret_size, in, size));
}

int __real_EVP_EncryptFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *out, int *ret_size);
int __wrap_EVP_EncryptFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *out, int *ret_size);

int __wrap_EVP_EncryptFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *out, int *ret_size)
{
	return outcome(__real_EVP_EncryptFinal_ex(ctx, out, ret_size));
}

int __real_EVP_DecryptInit_ex2(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *cipher,
	const unsigned char *key, const unsigned char *iv, const OSSL_PARAM params[]);
int __wrap_EVP_DecryptInit_ex2(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *cipher,
	const unsigned char *key, const unsigned char *iv, const OSSL_PARAM params[]);

int __wrap_EVP_DecryptInit_ex2(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *cipher,
	const unsigned char *key, const unsigned char *iv, const OSSL_PARAM params[])
{
	return outcome(__real_EVP_DecryptInit_ex2(ctx, cipher, key, iv, params));
}

int __real_EVP_DecryptUpdate(
	EVP_CIPHER_CTX *ctx, unsigned char *out, int *ret_size, const unsigned char *in, int size);
int __wrap_EVP_DecryptUpdate(
	EVP_CIPHER_CTX *ctx, unsigned char *out, int *ret_size, const unsigned char *in, int size);

int __wrap_EVP_DecryptUpdate(
	EVP_CIPHER_CTX *ctx, unsigned char *out, int *ret_size, const unsigned char *in, int size)
{
	return outcome(__real_EVP_DecryptUpdate(ctx, out, ret_size, in, size));
}

int __real_EVP_DecryptFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *out, int *ret_size);
int __wrap_EVP_DecryptFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *out, int *ret_size);

int __wrap_EVP_DecryptFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *out, int *ret_size)
{
	return outcome(__real_EVP_DecryptFinal_ex(ctx, out, ret_size));
}

int __real_EVP_CIPHER_CTX_ctrl(EVP_CIPHER_CTX *ctx, int type, int size, void *data);
int __wrap_EVP_CIPHER_CTX_ctrl(EVP_CIPHER_CTX *ctx, int type, int size, void *data);

int __wrap_EVP_CIPHER_CTX_ctrl(EVP_CIPHER_CTX *ctx, int type, int size, void *data)
{
	return outcome(__real_EVP_CIPHER_CTX_ctrl(ctx, type, size, data));
}

int __real_EVP_DigestUpdate(EVP_MD_CTX *ctx, const void *data, size_t size);
int __wrap_EVP_DigestUpdate(EVP_MD_CTX *ctx, const void *data, size_t size);

int __wrap_EVP_DigestUpdate(EVP_MD_CTX *ctx, const void *data, size_t size)
{
	return outcome(__real_EVP_DigestUpdate(ctx, data, size));
}

int __real_EVP_DigestFinal_ex(EVP_MD_CTX *ctx, unsigned char *out, unsigned int *ret_size);
int __wrap_EVP_DigestFinal_ex(EVP_MD_CTX *ctx, unsigned char *out, unsigned int *ret_size);

int __wrap_EVP_DigestFinal_ex(EVP_MD_CTX *ctx, unsigned char *out, unsigned int *ret_size)
{
	return outcome(__real_EVP_DigestFinal_ex(ctx, out, ret_size));
}

int __real_EVP_MAC_update(EVP_MAC_CTX *ctx, const unsigned char *data, size_t size);
int __wrap_EVP_MAC_update(EVP_MAC_CTX *ctx, const unsigned char *data, size_t size);

int __wrap_EVP_MAC_update(EVP_MAC_CTX *ctx, const unsigned char *data, size_t size)
{
	return outcome(__real_EVP_MAC_update(ctx, data, size));
}

int __real_EVP_MAC_final(EVP_MAC_CTX *ctx, unsigned char *out, size_t *ret_size, size_t out_size);
int __wrap_EVP_MAC_final(EVP_MAC_CTX *ctx, unsigned char *out, size_t *ret_size, size_t out_size);

int __wrap_EVP_MAC_final(EVP_MAC_CTX *ctx, unsigned char *out, size_t *ret_size, size_t out_size)
{
	return outcome(__real_EVP_MAC_final(ctx, out, ret_size, out_size));
}

int __real_EVP_DigestSignInit(
	EVP_MD_CTX *ctx, EVP_PKEY_CTX **ret, const EVP_MD *type, ENGINE *engine, EVP_PKEY *pkey);
int __wrap_EVP_DigestSignInit(
	EVP_MD_CTX *ctx, EVP_PKEY_CTX **ret, const EVP_MD *type, ENGINE *engine, EVP_PKEY *pkey);

int __wrap_EVP_DigestSignInit(
	EVP_MD_CTX *ctx, EVP_PKEY_CTX **ret, const EVP_MD *type, ENGINE *engine, EVP_PKEY *pkey)
{
	return outcome(__real_EVP_DigestSignInit(ctx, ret, type, engine, pkey));
}

int __real_EVP_DigestSignUpdate(EVP_MD_CTX *ctx, const void *data, size_t size);
int __wrap_EVP_DigestSignUpdate(EVP_MD_CTX *ctx, const void *data, size_t size);

int __wrap_EVP_DigestSignUpdate(EVP_MD_CTX *ctx, const void *data, size_t size)
{
	return outcome(__real_EVP_DigestSignUpdate(ctx, data, size));
}

int __real_EVP_DigestSignFinal(EVP_MD_CTX *ctx, unsigned char *out, size_t *ret_size);
int __wrap_EVP_DigestSignFinal(EVP_MD_CTX *ctx, unsigned char *out, size_t *ret_size);

int __wrap_EVP_DigestSignFinal(EVP_MD_CTX *ctx, unsigned char *out, size_t *ret_size)
{
	return outcome(__real_EVP_DigestSignFinal(ctx, out, ret_size));
}

int __real_EVP_DigestVerifyInit(
	EVP_MD_CTX *ctx, EVP_PKEY_CTX **ret, const EVP_MD *type, ENGINE *engine, EVP_PKEY *pkey);
int __wrap_EVP_DigestVerifyInit(
	EVP_MD_CTX *ctx, EVP_PKEY_CTX **ret, const EVP_MD *type, ENGINE *engine, EVP_PKEY *pkey);

int __wrap_EVP_DigestVerifyInit(
	EVP_MD_CTX *ctx, EVP_PKEY_CTX **ret, const EVP_MD *type, ENGINE *engine, EVP_PKEY *pkey)
{
	return outcome(__real_EVP_DigestVerifyInit(ctx, ret, type, engine, pkey));
}

int __real_EVP_DigestVerifyUpdate(EVP_MD_CTX *ctx, const void *data, size_t size);
int __wrap_EVP_DigestVerifyUpdate(EVP_MD_CTX *ctx, const void *data, size_t size);

int __wrap_EVP_DigestVerifyUpdate(EVP_MD_CTX *ctx, const void *data, size_t size)
{
	return outcome(__real_EVP_DigestVerifyUpdate(ctx, data, size));
}

int __real_EVP_DigestVerifyFinal(EVP_MD_CTX *ctx, const unsigned char *signature, size_t size);
int __wrap_EVP_DigestVerifyFinal(EVP_MD_CTX *ctx, const unsigned char *signature, size_t size);

int __wrap_EVP_DigestVerifyFinal(EVP_MD_CTX *ctx, const unsigned char *signature, size_t size)
{
	return outcome(__real_EVP_DigestVerifyFinal(ctx, signature, size));
}

int __real_EVP_PKEY_fromdata_init(EVP_PKEY_CTX *ctx);
int __wrap_EVP_PKEY_fromdata_init(EVP_PKEY_CTX *ctx);

int __wrap_EVP_PKEY_fromdata_init(EVP_PKEY_CTX *ctx)
{
	return outcome(__real_EVP_PKEY_fromdata_init(ctx));
}

int __real_EVP_PKEY_derive_init(EVP_PKEY_CTX *ctx);
int __wrap_EVP_PKEY_derive_init(EVP_PKEY_CTX *ctx);

int __wrap_EVP_PKEY_derive_init(EVP_PKEY_CTX *ctx)
{
	return outcome(__real_EVP_PKEY_derive_init(ctx));
}

int __real_EVP_PKEY_derive(EVP_PKEY_CTX *ctx, unsigned char *out, size_t *ret_size);
int __wrap_EVP_PKEY_derive(EVP_PKEY_CTX *ctx, unsigned char *out, size_t *ret_size);

int __wrap_EVP_PKEY_derive(EVP_PKEY_CTX *ctx, unsigned char *out, size_t *ret_size)
{
	return outcome(__real_EVP_PKEY_derive(ctx, out, ret_size));
}

/* ---- what is done ---- */

enum { OUT_BYTES = 256, UNTOUCHED = 0xee };

static const uint8_t text[] = "what nobody else may read", about[] = "what it is about";
static struct key_pair ours, theirs;
static struct sframe_key *key;
static uint8_t sealed[OUT_BYTES], wrapped[OUT_BYTES], enc[HPKE_ENC_BYTES];
static uint8_t signature[SIGNATURE_BYTES];
static size_t sealed_size;

static int seal(uint8_t *out)
{
	return (int)sframe_seal(key, 7, about, sizeof(about), text, sizeof(text), out, OUT_BYTES);
}

static int open_sealed(uint8_t *out)
{
	uint64_t ctr;

	return (int)sframe_open(
		key, about, sizeof(about), sealed, sealed_size, out, OUT_BYTES, &ctr);
}

static int wrap(uint8_t *out)
{
	uint8_t other[HPKE_ENC_BYTES];

	return hpke_seal_auth_with(&ours, &ours, theirs.public, about, sizeof(about), about,
		sizeof(about), text, sizeof(text), other, out);
}

static int unwrap(uint8_t *out)
{
	return hpke_open_auth(&theirs, ours.public, enc, about, sizeof(about), about, sizeof(about),
		wrapped, sizeof(text) + HPKE_TAG_BYTES, out);
}

static int sign(uint8_t *out)
{
	return key_sign(&ours, "test", text, sizeof(text), out);
}

static int verify(uint8_t *out)
{
	(void)out;
	return key_verify(ours.public, "test", text, sizeof(text), signature);
}

static int digest(uint8_t *out)
{
	const struct digest_part parts[] = {{text, sizeof(text)}, {about, sizeof(about)}};

	(void)out;
	return digest_sha256(parts, 2, (uint8_t[DIGEST_BYTES]){0});
}

static int authenticate(uint8_t *out)
{
	const struct digest_part parts[] = {{text, sizeof(text)}, {about, sizeof(about)}};

	(void)out;
	return hmac_sha256(about, sizeof(about), parts, 2, (uint8_t[DIGEST_BYTES]){0});
}

static int make_sframe_key(uint8_t *out)
{
	static const uint8_t base[EPOCH_KEY_BYTES] = {1, 2, 3};
	struct sframe_key *k = sframe_key_create(base, 9);

	(void)out;
	sframe_key_destroy(k);
	return k != NULL ? 0 : -1;
}

static const struct act {
	const char *name;
	int (*run)(uint8_t *out);
	unsigned int calls; /* at least */
} acts[] = {
	{"seal", seal, 6},
	{"open", open_sealed, 6},
	{"wrap", wrap, 20},
	{"unwrap", unwrap, 20},
	{"sign", sign, 4},
	{"verify", verify, 4},
	{"digest", digest, 3},
	{"authenticate", authenticate, 3},
	{"make a key", make_sframe_key, 3},
};

static int set_up(void **state)
{
	static const uint8_t base[EPOCH_KEY_BYTES] = {1, 2, 3};
	int size;

	(void)state;
	assert_int_equal(secure_heap_init(), 0);
	assert_int_equal(key_pair_generate(&ours), 0);
	assert_int_equal(key_pair_generate(&theirs), 0);
	key = sframe_key_create(base, 9);
	assert_non_null(key);
	size = seal(sealed);
	assert_true(size > 0);
	sealed_size = (size_t)size;
	assert_int_equal(hpke_seal_auth(&ours, theirs.public, about, sizeof(about), about,
				 sizeof(about), text, sizeof(text), enc, wrapped),
		0);
	assert_int_equal(sign(signature), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sframe_key_destroy(key);
	key_pair_finish(&ours);
	key_pair_finish(&theirs);
	return 0;
}

static void what_fails_at_any_call_leaves_nothing_and_works_again(void **state)
{
	uint8_t out[OUT_BYTES];
	int result;

	(void)state;
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		for (fault.at = 1;; fault.at++) {
			memset(out, UNTOUCHED, sizeof(out));
			fault.seen = 0;
			fault.armed = true;
			result = acts[i].run(out);
			fault.armed = false;
			if (fault.seen < fault.at) {
				break;
			}
			if (result >= 0) {
				fail_msg("%s: call %u failed, and nobody noticed", acts[i].name,
					fault.at);
			}
			for (size_t j = 0; j < sizeof(out); j++) {
				if (out[j] != 0 && out[j] != UNTOUCHED) {
					fail_msg("%s: call %u failed, and byte %zu is left",
						acts[i].name, fault.at, j);
				}
			}
		}
		assert_true(result >= 0);
		assert_true(fault.at > acts[i].calls);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_fails_at_any_call_leaves_nothing_and_works_again, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("seal steps", tests, NULL, NULL);
}
