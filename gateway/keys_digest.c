#include "keys.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <string.h>

int digest_sha256(const struct digest_part *parts, size_t count, uint8_t out[static DIGEST_BYTES])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int err = -ENOMEM;

	if (!ctx || !EVP_DigestInit_ex2(ctx, EVP_sha256(), NULL)) {
		goto out;
	}
	for (size_t i = 0; i < count; i++) {
		if (!EVP_DigestUpdate(ctx, parts[i].data, parts[i].size)) {
			goto out;
		}
	}
	if (EVP_DigestFinal_ex(ctx, out, NULL)) {
		err = 0;
	}
out:
	EVP_MD_CTX_free(ctx);
	return err;
}

int hmac_sha256(const uint8_t *key, size_t key_size, const struct digest_part *parts, size_t count,
	uint8_t out[static DIGEST_BYTES])
{
	static const uint8_t no_key[1];
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
	size_t size = 0;
	int err = -ENOMEM;

	/* A NULL key would mean "the key of before". */
	if (!ctx || !EVP_MAC_init(ctx, key ? key : no_key, key_size, params)) {
		goto out;
	}
	for (size_t i = 0; i < count; i++) {
		if (!EVP_MAC_update(ctx, parts[i].data, parts[i].size)) {
			goto out;
		}
	}
	if (EVP_MAC_final(ctx, out, &size, DIGEST_BYTES) && size == DIGEST_BYTES) {
		err = 0;
	}
out:
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
	return err;
}

/* For names that callers compare: without memory for a digest the result is one that equals
 * nothing, so that whatever depends on it fails closed. */
static void digest_or_nothing(
	const struct digest_part *parts, size_t count, uint8_t out[static DIGEST_BYTES])
{
	if (digest_sha256(parts, count, out) < 0) {
		random_bytes(out, DIGEST_BYTES);
	}
}

static struct digest_part label_part(const char *label)
{
	return (struct digest_part){label, strlen(label)};
}

void display_id_of(const uint8_t sign_public[static POINT_BYTES],
	const uint8_t kem_public[static POINT_BYTES], uint8_t out[static DISPLAY_ID_BYTES])
{
	const struct digest_part parts[] = {
		label_part("camgate display v1"),
		{sign_public, POINT_BYTES},
		{kem_public, POINT_BYTES},
	};

	digest_or_nothing(parts, 3, out);
}

void hub_fingerprint_of(
	const uint8_t hub_public[static POINT_BYTES], uint8_t out[static FINGERPRINT_BYTES])
{
	const struct digest_part parts[] = {
		label_part("camgate hub v1"),
		{hub_public, POINT_BYTES},
	};

	digest_or_nothing(parts, 2, out);
}

void transcript_of(uint8_t version, const uint8_t challenge[static WIRE_CHALLENGE_BYTES],
	const char *origin, const uint8_t display[static DISPLAY_ID_BYTES],
	const uint8_t nonce[static NONCE_BYTES], uint8_t out[static DIGEST_BYTES])
{
	size_t origin_size = strnlen(origin, ORIGIN_MAX_BYTES + 1);
	uint8_t origin_length = (uint8_t)origin_size;
	const struct digest_part parts[] = {
		label_part("camgate transcript v1"),
		{&version, 1},
		{challenge, WIRE_CHALLENGE_BYTES},
		{&origin_length, 1},
		{origin, origin_size},
		{display, DISPLAY_ID_BYTES},
		{nonce, NONCE_BYTES},
	};

	if (origin_size > ORIGIN_MAX_BYTES) { /* has no encoding, so no transcript either */
		random_bytes(out, DIGEST_BYTES);
		return;
	}
	digest_or_nothing(parts, sizeof(parts) / sizeof(parts[0]), out);
}
