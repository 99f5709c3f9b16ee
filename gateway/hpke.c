#include "hpke.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>

enum {
	MODE_AUTH = 2,
	DH_BYTES = 32,
	KEY_BYTES = 16,
	IV_BYTES = 12,
	KEM_CONTEXT_BYTES = 3 * POINT_BYTES,
	SCHEDULE_CONTEXT_BYTES = 1 + 2 * DIGEST_BYTES,
};

/* RFC 9180, section 7: KEM 0x0010, KDF 0x0001, AEAD 0x0001. */
static const uint8_t kem_suite[] = {'K', 'E', 'M', 0x00, 0x10};
static const uint8_t hpke_suite[] = {'H', 'P', 'K', 'E', 0x00, 0x10, 0x00, 0x01, 0x00, 0x01};
static const struct digest_part kem_id = {kem_suite, sizeof(kem_suite)};
static const struct digest_part hpke_id = {hpke_suite, sizeof(hpke_suite)};

/* Everything that must not survive a call, in the secure heap. */
struct secrets {
	uint8_t dh[2 * DH_BYTES]; /* of the ephemeral key, then of the sender's */
	uint8_t prk[DIGEST_BYTES];
	uint8_t shared[DIGEST_BYTES];
	uint8_t secret[DIGEST_BYTES];
	uint8_t block[DIGEST_BYTES];
	uint8_t key[KEY_BYTES];
	uint8_t iv[IV_BYTES];
};

static struct secrets *secrets_create(void)
{
	return OPENSSL_secure_zalloc(sizeof(struct secrets));
}

static void secrets_destroy(struct secrets *s)
{
	OPENSSL_secure_clear_free(s, sizeof(*s));
}

static struct digest_part label_part(const char *label)
{
	return (struct digest_part){label, strlen(label)};
}

/* LabeledExtract (section 4). salt is NULL or DIGEST_BYTES; HMAC pads keys with zeroes, so an empty
 * salt needs no case of its own. */
static int labeled_extract(const uint8_t *salt, struct digest_part suite, const char *label,
	struct digest_part ikm, uint8_t out[static DIGEST_BYTES])
{
	const struct digest_part parts[] = {label_part("HPKE-v1"), suite, label_part(label), ikm};

	return hmac_sha256(salt, salt ? DIGEST_BYTES : 0, parts, 4, out);
}

/* LabeledExpand (section 4) to at most DIGEST_BYTES, which is one block of HKDF-Expand. */
static int labeled_expand(struct secrets *s, const uint8_t prk[static DIGEST_BYTES],
	struct digest_part suite, const char *label, struct digest_part info, uint8_t *out,
	size_t out_size)
{
	const uint8_t length[2] = {0, (uint8_t)out_size};
	const uint8_t one = 1;
	const struct digest_part parts[] = {
		{length, sizeof(length)},
		label_part("HPKE-v1"),
		suite,
		label_part(label),
		info,
		{&one, 1},
	};
	int err = hmac_sha256(prk, DIGEST_BYTES, parts, 6, s->block);

	if (err == 0) {
		memcpy(out, s->block, out_size);
	}
	return err;
}

/* ExtractAndExpand of DHKEM (section 4.1) over s->dh, into s->shared. */
static int shared_derive(
	struct secrets *s, const uint8_t *enc, const uint8_t *recipient, const uint8_t *sender)
{
	uint8_t context[KEM_CONTEXT_BYTES];
	int err;

	memcpy(context, enc, POINT_BYTES);
	memcpy(context + POINT_BYTES, recipient, POINT_BYTES);
	memcpy(context + 2 * POINT_BYTES, sender, POINT_BYTES);
	err = labeled_extract(
		NULL, kem_id, "eae_prk", (struct digest_part){s->dh, sizeof(s->dh)}, s->prk);
	if (err < 0) {
		return err;
	}
	return labeled_expand(s, s->prk, kem_id, "shared_secret",
		(struct digest_part){context, sizeof(context)}, s->shared, DIGEST_BYTES);
}

/* KeySchedule (section 5.1) of mode Auth: no PSK. From s->shared into s->key and s->iv, which is
 * the nonce of sequence number 0 as it stands. */
static int key_schedule(struct secrets *s, const uint8_t *info, size_t info_size)
{
	const struct digest_part nothing = {"", 0};
	uint8_t context[SCHEDULE_CONTEXT_BYTES] = {MODE_AUTH};
	const struct digest_part bound = {context, sizeof(context)};
	int err;

	err = labeled_extract(NULL, hpke_id, "psk_id_hash", nothing, context + 1);
	if (err < 0) {
		return err;
	}
	err = labeled_extract(NULL, hpke_id, "info_hash", (struct digest_part){info, info_size},
		context + 1 + DIGEST_BYTES);
	if (err < 0) {
		return err;
	}
	err = labeled_extract(s->shared, hpke_id, "secret", nothing, s->secret);
	if (err < 0) {
		return err;
	}
	err = labeled_expand(s, s->secret, hpke_id, "key", bound, s->key, KEY_BYTES);
	if (err < 0) {
		return err;
	}
	return labeled_expand(s, s->secret, hpke_id, "base_nonce", bound, s->iv, IV_BYTES);
}

static int aead_seal(const struct secrets *s, const uint8_t *aad, size_t aad_size,
	const uint8_t *plaintext, size_t size, uint8_t *ciphertext)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n, err = -ENOMEM;

	if (ctx && EVP_EncryptInit_ex2(ctx, EVP_aes_128_gcm(), s->key, s->iv, NULL) &&
		EVP_EncryptUpdate(ctx, NULL, &n, aad, (int)aad_size) &&
		EVP_EncryptUpdate(ctx, ciphertext, &n, plaintext, (int)size) &&
		EVP_EncryptFinal_ex(ctx, ciphertext + size, &n) &&
		EVP_CIPHER_CTX_ctrl(
			ctx, EVP_CTRL_AEAD_GET_TAG, HPKE_TAG_BYTES, ciphertext + size)) {
		err = 0;
	}
	EVP_CIPHER_CTX_free(ctx);
	return err;
}

/* size is that of the plaintext. */
static int aead_open(const struct secrets *s, const uint8_t *aad, size_t aad_size,
	const uint8_t *ciphertext, size_t size, uint8_t *plaintext)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t tag[HPKE_TAG_BYTES];
	int n, err = -ENOMEM;

	memcpy(tag, ciphertext + size, sizeof(tag));
	if (ctx && EVP_DecryptInit_ex2(ctx, EVP_aes_128_gcm(), s->key, s->iv, NULL) &&
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, sizeof(tag), tag) &&
		EVP_DecryptUpdate(ctx, NULL, &n, aad, (int)aad_size) &&
		EVP_DecryptUpdate(ctx, plaintext, &n, ciphertext, (int)size)) {
		err = EVP_DecryptFinal_ex(ctx, plaintext + size, &n) > 0 ? 0 : -EBADMSG;
	}
	EVP_CIPHER_CTX_free(ctx);
	return err;
}

static bool sizes_ok(size_t info_size, size_t aad_size, size_t text_size)
{
	const size_t most = 1 << 20; /* far beyond our use, and safely an int */

	return info_size <= most && aad_size <= most && text_size <= most;
}

int hpke_seal_auth_with(const struct key_pair *ephemeral, const struct key_pair *sender,
	const uint8_t recipient[static POINT_BYTES], const uint8_t *info, size_t info_size,
	const uint8_t *aad, size_t aad_size, const uint8_t *plaintext, size_t plaintext_size,
	uint8_t enc[static HPKE_ENC_BYTES], uint8_t *ciphertext)
{
	struct secrets *s;
	int err;

	if (!sizes_ok(info_size, aad_size, plaintext_size)) {
		return -EMSGSIZE;
	}
	s = secrets_create();
	if (!s) {
		return -ENOMEM;
	}
	err = key_pair_dh(ephemeral, recipient, s->dh);
	if (err == 0) {
		err = key_pair_dh(sender, recipient, s->dh + DH_BYTES);
	}
	if (err == 0) {
		err = shared_derive(s, ephemeral->public, recipient, sender->public);
	}
	if (err == 0) {
		err = key_schedule(s, info, info_size);
	}
	if (err == 0) {
		err = aead_seal(s, aad, aad_size, plaintext, plaintext_size, ciphertext);
	}
	if (err == 0) {
		memcpy(enc, ephemeral->public, HPKE_ENC_BYTES);
	} else {
		OPENSSL_cleanse(ciphertext, plaintext_size + HPKE_TAG_BYTES);
	}
	secrets_destroy(s);
	return err;
}

int hpke_seal_auth(const struct key_pair *sender, const uint8_t recipient[static POINT_BYTES],
	const uint8_t *info, size_t info_size, const uint8_t *aad, size_t aad_size,
	const uint8_t *plaintext, size_t plaintext_size, uint8_t enc[static HPKE_ENC_BYTES],
	uint8_t *ciphertext)
{
	struct key_pair ephemeral;
	int err = key_pair_generate(&ephemeral);

	if (err < 0) {
		return err;
	}
	err = hpke_seal_auth_with(&ephemeral, sender, recipient, info, info_size, aad, aad_size,
		plaintext, plaintext_size, enc, ciphertext);
	key_pair_finish(&ephemeral);
	return err;
}

int hpke_open_auth(const struct key_pair *recipient, const uint8_t sender[static POINT_BYTES],
	const uint8_t enc[static HPKE_ENC_BYTES], const uint8_t *info, size_t info_size,
	const uint8_t *aad, size_t aad_size, const uint8_t *ciphertext, size_t ciphertext_size,
	uint8_t *plaintext)
{
	struct secrets *s;
	size_t size;
	int err;

	if (ciphertext_size < HPKE_TAG_BYTES || !sizes_ok(info_size, aad_size, ciphertext_size)) {
		return -EBADMSG;
	}
	size = ciphertext_size - HPKE_TAG_BYTES;
	s = secrets_create();
	if (!s) {
		return -ENOMEM;
	}
	err = key_pair_dh(recipient, enc, s->dh);
	if (err == 0) {
		err = key_pair_dh(recipient, sender, s->dh + DH_BYTES);
	}
	if (err == 0) {
		err = shared_derive(s, enc, recipient->public, sender);
	}
	if (err == 0) {
		err = key_schedule(s, info, info_size);
	}
	if (err == 0) {
		err = aead_open(s, aad, aad_size, ciphertext, size, plaintext);
	}
	if (err < 0) {
		OPENSSL_cleanse(plaintext, size);
	}
	secrets_destroy(s);
	return err;
}
