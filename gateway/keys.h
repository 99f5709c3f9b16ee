/*
 * P-256 key pairs, ECDSA, digests, randomness and the secure heap: what we use of OpenSSL, in one
 * place.
 *
 * Signatures are r‖s (64 bytes) everywhere outside this file; the strict conversion from and to
 * OpenSSL's DER is here. Secrets live in OpenSSL's secure heap, which is mandatory: a role that
 * cannot have it does not start. 0 or -errno; -EBADMSG for bad points and signatures.
 */
#ifndef CAMGATE_KEYS_H
#define CAMGATE_KEYS_H

#include "wire.h"
#include <openssl/evp.h>

/* Sets up the secure heap (64 KiB, locked). -ENOMEM with the reason logged by the caller. */
int secure_heap_init(void);

struct key_pair {
	EVP_PKEY *pkey;
	uint8_t public[POINT_BYTES];
};

int key_pair_generate(struct key_pair *ret);
/* From a private scalar: test vectors and nothing else. */
int key_pair_from_scalar(const uint8_t scalar[static 32], struct key_pair *ret);
/* Unencrypted PKCS#8 PEM. write: the caller frees *ret_pem with OPENSSL_secure_clear_free. */
int key_pair_from_pem(const char *pem, size_t size, struct key_pair *ret);
int key_pair_to_pem(const struct key_pair *k, char **ret_pem, size_t *ret_size);
void key_pair_finish(struct key_pair *k);
/* A public EVP_PKEY from an uncompressed point; checks that it is on the curve. */
int point_to_pkey(const uint8_t point[static POINT_BYTES], EVP_PKEY **ret);
/* Raw ECDH x coordinate (32 bytes) into secure-heap memory of the caller. */
int key_pair_dh(
	const struct key_pair *k, const uint8_t point[static POINT_BYTES], uint8_t out[static 32]);

/* ECDSA with SHA-256 over prefix ‖ data; prefix is an ASCII label without its NUL. */
int key_sign(const struct key_pair *k, const char *prefix, const uint8_t *data, size_t size,
	uint8_t signature[static SIGNATURE_BYTES]);
__attribute__((warn_unused_result)) int key_verify(const uint8_t public[static POINT_BYTES],
	const char *prefix, const uint8_t *data, size_t size,
	const uint8_t signature[static SIGNATURE_BYTES]);
/* Strict DER ⇄ r‖s: minimal lengths, positive integers of at most 32 bytes, no trailing bytes. */
int signature_from_der(const uint8_t *der, size_t size, uint8_t out[static SIGNATURE_BYTES]);
ssize_t signature_to_der(
	const uint8_t signature[static SIGNATURE_BYTES], uint8_t *out, size_t size);

struct digest_part {
	const void *data;
	size_t size;
};
int digest_sha256(const struct digest_part *parts, size_t count, uint8_t out[static DIGEST_BYTES]);
int hmac_sha256(const uint8_t *key, size_t key_size, const struct digest_part *parts, size_t count,
	uint8_t out[static DIGEST_BYTES]);
/* Fills out from the kernel; aborts if it cannot, because nothing safe can follow. */
void random_bytes(uint8_t *out, size_t size);
bool bytes_equal(const uint8_t *a, const uint8_t *b, size_t size); /* in constant time */

/* web/PROTOCOL.md, Conventions and "Pairing and login". */
void display_id_of(const uint8_t sign_public[static POINT_BYTES],
	const uint8_t kem_public[static POINT_BYTES], uint8_t out[static DISPLAY_ID_BYTES]);
void hub_fingerprint_of(
	const uint8_t hub_public[static POINT_BYTES], uint8_t out[static FINGERPRINT_BYTES]);
/* T. challenge is the message as sent. */
void transcript_of(uint8_t version, const uint8_t challenge[static WIRE_CHALLENGE_BYTES],
	const char *origin, const uint8_t display[static DISPLAY_ID_BYTES],
	const uint8_t nonce[static NONCE_BYTES], uint8_t out[static DIGEST_BYTES]);

/* A whole signed message: envelope, body, signature. Size, or -ENOSPC, -errno. */
ssize_t message_sign(
	const struct key_pair *k, const struct wire_envelope *e, uint8_t *out, size_t size);
/* Parses, checks type, session, counter and signature, in this order. 0 or -EBADMSG. */
__attribute__((warn_unused_result)) int message_open(const uint8_t public[static POINT_BYTES],
	uint8_t type, const uint8_t session[static SESSION_ID_BYTES], uint32_t counter,
	const uint8_t *data, size_t size, struct wire_envelope *ret);

#endif
