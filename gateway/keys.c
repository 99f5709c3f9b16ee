#include "keys.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { SECURE_HEAP_BYTES = 64 << 10, SECURE_HEAP_MIN_BYTES = 16, SCALAR_BYTES = 32 };

static char curve_name[] = "prime256v1"; /* OpenSSL's parameters want it writable */

int secure_heap_init(void)
{
	if (CRYPTO_secure_malloc_initialized()) {
		return 0;
	}
	/* 2 means that the heap is there but neither locked nor guarded: not good enough. */
	return CRYPTO_secure_malloc_init(SECURE_HEAP_BYTES, SECURE_HEAP_MIN_BYTES) == 1 ? 0
											: -ENOMEM;
}

void random_bytes(uint8_t *out, size_t size)
{
	while (size > 0) {
		ssize_t n = getrandom(out, size, 0);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			abort();
		}
		out += n;
		size -= (size_t)n;
	}
}

bool bytes_equal(const uint8_t *a, const uint8_t *b, size_t size)
{
	return CRYPTO_memcmp(a, b, size) == 0;
}

/* ---- key pairs ---- */

/* Takes pkey over, on failure too. */
static int pair_of(EVP_PKEY *pkey, struct key_pair *ret)
{
	struct key_pair k = {.pkey = pkey};
	char group[32];
	size_t size = 0;

	if (!EVP_PKEY_is_a(pkey, "EC") ||
		!EVP_PKEY_get_group_name(pkey, group, sizeof(group), &size) ||
		strcmp(group, curve_name) != 0 ||
		!EVP_PKEY_get_octet_string_param(
			pkey, OSSL_PKEY_PARAM_PUB_KEY, k.public, sizeof(k.public), &size) ||
		size != POINT_BYTES || k.public[0] != 0x04) {
		EVP_PKEY_free(pkey);
		return -EBADMSG;
	}
	*ret = k;
	return 0;
}

int key_pair_generate(struct key_pair *ret)
{
	EVP_PKEY *pkey = EVP_EC_gen(curve_name);

	return pkey ? pair_of(pkey, ret) : -ENOMEM;
}

static int pkey_from_params(const OSSL_PARAM *params, int selection, EVP_PKEY **ret)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *pkey = NULL;
	int err = -ENOMEM;

	if (!ctx || EVP_PKEY_fromdata_init(ctx) <= 0) {
		goto out;
	}
	if (EVP_PKEY_fromdata(ctx, &pkey, selection, (OSSL_PARAM *)params) <= 0) {
		err = -EBADMSG;
		goto out;
	}
	*ret = pkey;
	err = 0;
out:
	EVP_PKEY_CTX_free(ctx);
	return err;
}

int point_to_pkey(const uint8_t point[static POINT_BYTES], EVP_PKEY **ret)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve_name, 0),
		OSSL_PARAM_construct_octet_string(
			OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)point, POINT_BYTES),
		OSSL_PARAM_construct_end(),
	};

	/* The hybrid forms 06 and 07 have the same length. Decoding checks the curve equation, and
	 * the curve's cofactor is 1: nothing else is left to check. */
	if (point[0] != 0x04) {
		return -EBADMSG;
	}
	return pkey_from_params(params, EVP_PKEY_PUBLIC_KEY, ret);
}

static int scalar_to_point(const BIGNUM *scalar, uint8_t out[static POINT_BYTES])
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	EC_POINT *point = group ? EC_POINT_new(group) : NULL;
	int err = -ENOMEM;

	if (point && EC_POINT_mul(group, point, scalar, NULL, NULL, NULL) &&
		EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, out, POINT_BYTES,
			NULL) == POINT_BYTES) {
		err = 0;
	}
	EC_POINT_free(point);
	EC_GROUP_free(group);
	return err;
}

int key_pair_from_scalar(const uint8_t scalar[static SCALAR_BYTES], struct key_pair *ret)
{
	BIGNUM *number = BN_secure_new();
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	EVP_PKEY *pkey = NULL;
	uint8_t point[POINT_BYTES];
	int err = -ENOMEM;

	if (!number || !builder || !BN_bin2bn(scalar, SCALAR_BYTES, number) ||
		scalar_to_point(number, point) < 0) {
		goto out;
	}
	if (!OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, curve_name, 0) ||
		!OSSL_PARAM_BLD_push_octet_string(
			builder, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)) ||
		!OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, number)) {
		goto out;
	}
	params = OSSL_PARAM_BLD_to_param(builder);
	if (!params) {
		goto out;
	}
	err = pkey_from_params(params, EVP_PKEY_KEYPAIR, &pkey);
	if (err == 0) {
		err = pair_of(pkey, ret);
	}
out:
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	BN_clear_free(number);
	return err;
}

/* Without it OpenSSL would ask on the terminal for the password of an encrypted file. */
static int password_refuse(char *buffer, int size, int writing, void *data)
{
	(void)buffer;
	(void)size;
	(void)writing;
	(void)data;
	return -1;
}

int key_pair_from_pem(const char *pem, size_t size, struct key_pair *ret)
{
	BIO *bio;
	EVP_PKEY *pkey;

	if (size > INT32_MAX) {
		return -EBADMSG;
	}
	bio = BIO_new_mem_buf(pem, (int)size);
	if (!bio) {
		return -ENOMEM;
	}
	pkey = PEM_read_bio_PrivateKey(bio, NULL, password_refuse, NULL);
	BIO_free(bio);
	return pkey ? pair_of(pkey, ret) : -EBADMSG;
}

int key_pair_to_pem(const struct key_pair *k, char **ret_pem, size_t *ret_size)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *data, *pem;
	long size;
	int err = -ENOMEM;

	if (!bio || !PEM_write_bio_PKCS8PrivateKey(bio, k->pkey, NULL, NULL, 0, NULL, NULL)) {
		goto out;
	}
	size = BIO_get_mem_data(bio, &data);
	pem = size > 0 ? OPENSSL_secure_malloc((size_t)size) : NULL;
	if (!pem) {
		goto out;
	}
	memcpy(pem, data, (size_t)size);
	*ret_pem = pem;
	*ret_size = (size_t)size;
	err = 0;
out:
	BIO_free(bio);
	return err;
}

void key_pair_finish(struct key_pair *k)
{
	EVP_PKEY_free(k->pkey);
	OPENSSL_cleanse(k, sizeof(*k));
}

int key_pair_dh(
	const struct key_pair *k, const uint8_t point[static POINT_BYTES], uint8_t out[static 32])
{
	EVP_PKEY *peer = NULL;
	EVP_PKEY_CTX *ctx = NULL;
	size_t size = SCALAR_BYTES;
	int err = point_to_pkey(point, &peer);

	if (err < 0) {
		return err;
	}
	ctx = EVP_PKEY_CTX_new(k->pkey, NULL);
	if (!ctx || EVP_PKEY_derive_init(ctx) <= 0) {
		err = -ENOMEM;
	} else if (EVP_PKEY_derive_set_peer(ctx, peer) <= 0 ||
		   EVP_PKEY_derive(ctx, out, &size) <= 0 || size != SCALAR_BYTES) {
		err = -EBADMSG;
	}
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer);
	return err;
}
