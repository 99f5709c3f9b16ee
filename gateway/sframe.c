#include "sframe.h"

#include "fault.h"
#include "keys.h"

#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <string.h>

enum {
	SUITE = 4, /* AES_128_GCM_SHA256_128 */
	KEY_BYTES = 16,
	IV_BYTES = 12,
	CONFIG_LONG_KID = 0x80,
	CONFIG_LONG_CTR = 0x08,
	INLINE_MAX = 7, /* the largest integer that fits the config byte */
};

/* Lives in the secure heap. The contexts hold the expanded key, so that a frame costs no key set-up
 * and no look-up of the cipher; they are OpenSSL's ordinary memory, which it wipes when it frees
 * it. */
struct sframe_key {
	uint64_t kid;
	uint8_t key[KEY_BYTES];
	uint8_t salt[IV_BYTES];
	EVP_CIPHER_CTX *sealing; /* made at the first seal */
	EVP_CIPHER_CTX *opening; /* made at the first open */
};

/* ---- header ---- */

static size_t integer_bytes(uint64_t value)
{
	size_t size = 1;

	while (value > UINT8_MAX) {
		value >>= 8;
		size++;
	}
	return size;
}

/* Returns the three bits of the config byte, and the bytes that follow it through w. */
static uint8_t integer_encode(struct wire_writer *w, uint64_t value, uint8_t long_flag, int shift)
{
	size_t size;

	if (value <= INLINE_MAX) {
		return (uint8_t)(value << shift);
	}
	size = integer_bytes(value);
	for (size_t i = size; i > 0; i--) {
		wire_write_u8(w, (uint8_t)(value >> (8 * (i - 1))));
	}
	return (uint8_t)(long_flag | (size - 1) << shift);
}

size_t sframe_encode_header(uint64_t kid, uint64_t ctr, uint8_t out[static SFRAME_HEADER_MAX_BYTES])
{
	struct wire_writer w = wire_writer_init(out, SFRAME_HEADER_MAX_BYTES);
	uint8_t config;

	wire_write_u8(&w, 0);
	config = integer_encode(&w, kid, CONFIG_LONG_KID, 4);
	config |= integer_encode(&w, ctr, CONFIG_LONG_CTR, 0);
	out[0] = config;
	return w.used;
}

static uint64_t integer_parse(struct wire_reader *r, bool is_long, uint8_t bits)
{
	uint64_t value = 0;
	size_t size = (size_t)bits + 1;

	if (!is_long) {
		return bits;
	}
	for (size_t i = 0; i < size; i++) {
		value = value << 8 | wire_read_u8(r);
	}
	if (value <= INLINE_MAX || integer_bytes(value) != size) {
		r->bad = true;
	}
	return value;
}

ssize_t sframe_parse_header(const uint8_t *data, size_t size, uint64_t *ret_kid, uint64_t *ret_ctr)
{
	struct wire_reader r = wire_reader_init(data, size);
	uint8_t config = wire_read_u8(&r);
	uint64_t kid, ctr;

	kid = integer_parse(&r, config & CONFIG_LONG_KID, config >> 4 & 7);
	ctr = integer_parse(&r, config & CONFIG_LONG_CTR, config & 7);
	if (r.bad) {
		return -EBADMSG;
	}
	*ret_kid = kid;
	*ret_ctr = ctr;
	return (ssize_t)(size - r.left);
}

/* ---- keys ---- */

/* HKDF-Expand (RFC 5869) of one block: label ‖ KID (8) ‖ suite (2). */
static int secret_expand(const uint8_t secret[static DIGEST_BYTES], const char *label, uint64_t kid,
	uint8_t block[static DIGEST_BYTES])
{
	uint8_t tail[8 + 2 + 1];
	struct wire_writer w = wire_writer_init(tail, sizeof(tail));
	const struct digest_part parts[] = {{label, strlen(label)}, {tail, sizeof(tail)}};

	wire_write_u64(&w, kid);
	wire_write_u16(&w, SUITE);
	wire_write_u8(&w, 1); /* the block's number in HKDF-Expand */
	return hmac_sha256(secret, DIGEST_BYTES, parts, 2, block);
}

static int key_derive(struct sframe_key *k, const uint8_t base_key[static EPOCH_KEY_BYTES])
{
	const struct digest_part ikm = {base_key, EPOCH_KEY_BYTES};
	struct {
		uint8_t secret[DIGEST_BYTES];
		uint8_t block[DIGEST_BYTES];
	} *s = OPENSSL_secure_zalloc(sizeof(*s));
	int err = -ENOMEM;

	if (!s) {
		return err;
	}
	err = hmac_sha256(NULL, 0, &ikm, 1, s->secret);
	if (err == 0) {
		err = secret_expand(s->secret, "SFrame 1.0 Secret key ", k->kid, s->block);
		memcpy(k->key, s->block, KEY_BYTES);
	}
	if (err == 0) {
		err = secret_expand(s->secret, "SFrame 1.0 Secret salt ", k->kid, s->block);
		memcpy(k->salt, s->block, IV_BYTES);
	}
	OPENSSL_secure_clear_free(s, sizeof(*s));
	return err;
}

struct sframe_key *sframe_key_create(const uint8_t base_key[static EPOCH_KEY_BYTES], uint64_t kid)
{
	struct sframe_key *k = OPENSSL_secure_zalloc(sizeof(*k));

	if (!k) {
		return NULL;
	}
	k->kid = kid;
	if (key_derive(k, base_key) < 0) {
		sframe_key_destroy(k);
		return NULL;
	}
	return k;
}

void sframe_key_destroy(struct sframe_key *k)
{
	if (!k) {
		return;
	}
	EVP_CIPHER_CTX_free(k->sealing);
	EVP_CIPHER_CTX_free(k->opening);
	OPENSSL_secure_clear_free(k, sizeof(*k));
}

/* The context for one direction, made when it is first needed. */
static EVP_CIPHER_CTX *context_of(const struct sframe_key *k, EVP_CIPHER_CTX **slot, int sealing)
{
	EVP_CIPHER_CTX *ctx;

	if (*slot) {
		return *slot;
	}
	ctx = EVP_CIPHER_CTX_new();
	if (ctx && !EVP_CipherInit_ex2(ctx, EVP_aes_128_gcm(), k->key, NULL, sealing, NULL)) {
		EVP_CIPHER_CTX_free(ctx);
		ctx = NULL;
	}
	*slot = ctx;
	return ctx;
}

/* The nonce: the salt with the counter added in (section 4.4.3). */
static void nonce_make(const struct sframe_key *k, uint64_t ctr, uint8_t out[static IV_BYTES])
{
	memcpy(out, k->salt, IV_BYTES);
	for (size_t i = IV_BYTES; i > IV_BYTES - 8; i--) {
		out[i - 1] ^= (uint8_t)ctr;
		ctr >>= 8;
	}
}

/* ---- frames ---- */

ssize_t sframe_seal(struct sframe_key *k, uint64_t ctr, const uint8_t *metadata,
	size_t metadata_size, const uint8_t *plaintext, size_t plaintext_size, uint8_t *out,
	size_t out_size)
{
	uint8_t header[SFRAME_HEADER_MAX_BYTES], iv[IV_BYTES];
	size_t header_size = sframe_encode_header(k->kid, ctr, header);
	EVP_CIPHER_CTX *ctx;
	uint8_t *body, *tag;
	int n;

	if (plaintext_size > WIRE_FRAME_MAX_BYTES || metadata_size > WIRE_FRAME_MAX_BYTES ||
		out_size < header_size + plaintext_size + SFRAME_TAG_BYTES) {
		return -ENOSPC;
	}
	ctx = context_of(k, &k->sealing, 1);
	if (!ctx) {
		return -ENOMEM;
	}
	body = out + header_size;
	tag = body + plaintext_size;
	memcpy(out, header, header_size);
	if (fault_lifts(PROTECTION_SEAL)) {
		memcpy(body, plaintext, plaintext_size);
		return (ssize_t)(header_size + plaintext_size + SFRAME_TAG_BYTES);
	}
	nonce_make(k, ctr, iv);
	if (!EVP_EncryptInit_ex2(ctx, NULL, NULL, iv, NULL) ||
		!EVP_EncryptUpdate(ctx, NULL, &n, header, (int)header_size) ||
		!EVP_EncryptUpdate(ctx, NULL, &n, metadata, (int)metadata_size) ||
		!EVP_EncryptUpdate(ctx, body, &n, plaintext, (int)plaintext_size) ||
		!EVP_EncryptFinal_ex(ctx, tag, &n) ||
		!EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, SFRAME_TAG_BYTES, tag)) {
		OPENSSL_cleanse(out, header_size + plaintext_size + SFRAME_TAG_BYTES);
		return -EIO;
	}
	return (ssize_t)(header_size + plaintext_size + SFRAME_TAG_BYTES);
}

/* sframe_size is that of header, ciphertext and tag together, header_size of the first. */
static int body_open(struct sframe_key *k, uint64_t ctr, const uint8_t *metadata,
	size_t metadata_size, const uint8_t *sframe, size_t sframe_size, size_t header_size,
	uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = context_of(k, &k->opening, 0);
	size_t body_size = sframe_size - header_size - SFRAME_TAG_BYTES;
	uint8_t iv[IV_BYTES], tag[SFRAME_TAG_BYTES];
	int n;

	if (fault_lifts(PROTECTION_SEAL)) {
		memcpy(out, sframe + header_size, body_size);
		return 0;
	}
	memcpy(tag, sframe + sframe_size - SFRAME_TAG_BYTES, SFRAME_TAG_BYTES);
	nonce_make(k, ctr, iv);
	if (!ctx || !EVP_DecryptInit_ex2(ctx, NULL, NULL, iv, NULL) ||
		!EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, SFRAME_TAG_BYTES, tag) ||
		!EVP_DecryptUpdate(ctx, NULL, &n, sframe, (int)header_size) ||
		!EVP_DecryptUpdate(ctx, NULL, &n, metadata, (int)metadata_size) ||
		!EVP_DecryptUpdate(ctx, out, &n, sframe + header_size, (int)body_size) ||
		EVP_DecryptFinal_ex(ctx, out + body_size, &n) <= 0) {
		OPENSSL_cleanse(out, body_size);
		return -EBADMSG;
	}
	return 0;
}

ssize_t sframe_open(struct sframe_key *k, const uint8_t *metadata, size_t metadata_size,
	const uint8_t *sframe, size_t sframe_size, uint8_t *out, size_t out_size, uint64_t *ret_ctr)
{
	uint64_t kid, ctr;
	ssize_t header_size;
	size_t body_size;

	if (sframe_size > WIRE_FRAME_MAX_BYTES || metadata_size > WIRE_FRAME_MAX_BYTES) {
		return -EBADMSG;
	}
	header_size = sframe_parse_header(sframe, sframe_size, &kid, &ctr);
	if (header_size < 0 || kid != k->kid ||
		sframe_size - (size_t)header_size < SFRAME_TAG_BYTES) {
		return -EBADMSG;
	}
	body_size = sframe_size - (size_t)header_size - SFRAME_TAG_BYTES;
	if (body_size > out_size || body_open(k, ctr, metadata, metadata_size, sframe, sframe_size,
					    (size_t)header_size, out) < 0) {
		return -EBADMSG;
	}
	*ret_ctr = ctr;
	return (ssize_t)body_size;
}
