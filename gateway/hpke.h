/*
 * HPKE (RFC 9180), mode Auth and mode Base, DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-128-GCM,
 * single shot (sequence number 0). Built on OpenSSL's EVP, because OpenSSL 3.0 has no HPKE of its
 * own.
 *
 * Pure but for the ephemeral key that seal draws. 0; -EBADMSG for a point that is not on the curve
 * or a seal that does not open (the output is wiped); -ENOMEM. Secrets live in OpenSSL's secure
 * heap and are wiped on every path.
 */
#ifndef CAMGATE_HPKE_H
#define CAMGATE_HPKE_H

#include "keys.h"

enum { HPKE_TAG_BYTES = 16, HPKE_ENC_BYTES = POINT_BYTES };

/* ct_size is plaintext_size + HPKE_TAG_BYTES. (RFC 9180, section 6.1, Seal<Auth>) */
__attribute__((warn_unused_result)) int hpke_seal_auth(const struct key_pair *sender,
	const uint8_t recipient[static POINT_BYTES], const uint8_t *info, size_t info_size,
	const uint8_t *aad, size_t aad_size, const uint8_t *plaintext, size_t plaintext_size,
	uint8_t enc[static HPKE_ENC_BYTES], uint8_t *ciphertext);
__attribute__((warn_unused_result)) int hpke_open_auth(const struct key_pair *recipient,
	const uint8_t sender[static POINT_BYTES], const uint8_t enc[static HPKE_ENC_BYTES],
	const uint8_t *info, size_t info_size, const uint8_t *aad, size_t aad_size,
	const uint8_t *ciphertext, size_t ciphertext_size, uint8_t *plaintext);

/* For the official vectors: the same with a given ephemeral key. */
__attribute__((warn_unused_result)) int hpke_seal_auth_with(const struct key_pair *ephemeral,
	const struct key_pair *sender, const uint8_t recipient[static POINT_BYTES],
	const uint8_t *info, size_t info_size, const uint8_t *aad, size_t aad_size,
	const uint8_t *plaintext, size_t plaintext_size, uint8_t enc[static HPKE_ENC_BYTES],
	uint8_t *ciphertext);

#endif
