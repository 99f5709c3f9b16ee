/*
 * What costs too much to do a million times: P-256 signatures and HPKE, which are linked in place
 * of the real ones (--wrap). A key pair is a number and a secret of 16 bytes that only this file
 * knows; a signature is a SipHash under the signer's secret, a sealed text is hidden by and
 * authenticated with a SipHash under both secrets over the info. So a text still opens with the
 * recipient's key alone, and only for the sender, the info and the bytes that it was sealed with:
 * what the routing may get wrong still does not open. SFrame and its AES-GCM are the real ones.
 */
#include "oracle.h"

#include "gateway/hpke.h"

#include <errno.h>
#include <string.h>

enum { PAIRS_MAX = 1 << 16, SECRET_BYTES = 16 };

static struct {
	uint8_t public[POINT_BYTES];
	uint64_t secret[2];
} pairs[PAIRS_MAX];
static uint32_t pairs_count;

void stand_in_reset(void)
{
	pairs_count = 0;
}

/* ---- SipHash-2-4 ---- */

static uint64_t turn(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static void round_of(uint64_t v[static 4])
{
	v[0] += v[1];
	v[1] = turn(v[1], 13) ^ v[0];
	v[0] = turn(v[0], 32);
	v[2] += v[3];
	v[3] = turn(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = turn(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = turn(v[1], 17) ^ v[2];
	v[2] = turn(v[2], 32);
}

static uint64_t sip(const uint64_t key[static 2], const uint8_t *data, size_t size)
{
	uint64_t v[4] = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
		key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573};
	uint64_t last = (uint64_t)size << 56;

	for (; size >= 8; data += 8, size -= 8) {
		uint64_t m;

		memcpy(&m, data, sizeof(m));
		v[3] ^= m;
		round_of(v);
		round_of(v);
		v[0] ^= m;
	}
	for (size_t i = 0; i < size; i++) {
		last |= (uint64_t)data[i] << (8 * i);
	}
	v[3] ^= last;
	round_of(v);
	round_of(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++) {
		round_of(v);
	}
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* ---- key pairs ---- */

static const uint64_t *secret_of(const uint8_t *public)
{
	uint32_t n;

	memcpy(&n, public + 1, sizeof(n));
	return n < pairs_count && memcmp(pairs[n].public, public, POINT_BYTES) == 0
		       ? pairs[n].secret
		       : NULL;
}

int __wrap_key_pair_generate(struct key_pair *ret);
int __wrap_key_pair_generate(struct key_pair *ret)
{
	uint32_t n = pairs_count;

	if (n == PAIRS_MAX) {
		return -ENOMEM;
	}
	pairs_count++;
	chance_bytes(pairs[n].public, POINT_BYTES);
	pairs[n].public[0] = 4;
	memcpy(pairs[n].public + 1, &n, sizeof(n));
	pairs[n].secret[0] = chance_bits();
	pairs[n].secret[1] = chance_bits();
	*ret = (struct key_pair){0};
	memcpy(ret->public, pairs[n].public, POINT_BYTES);
	return 0;
}

void __wrap_random_bytes(uint8_t *out, size_t size);
void __wrap_random_bytes(uint8_t *out, size_t size)
{
	chance_bytes(out, size);
}

/* ---- signatures ---- */

static int sign(const uint8_t *public, const char *prefix, const uint8_t *data, size_t size,
	uint8_t signature[static SIGNATURE_BYTES])
{
	const uint64_t *secret = secret_of(public);
	uint64_t label[2], sum;

	if (!secret) {
		return -EBADMSG;
	}
	label[0] = secret[0] ^ sip(secret, (const uint8_t *)prefix, strlen(prefix));
	label[1] = secret[1];
	sum = sip(label, data, size);
	for (size_t i = 0; i < SIGNATURE_BYTES; i += sizeof(sum)) {
		memcpy(signature + i, &sum, sizeof(sum));
	}
	return 0;
}

int __wrap_key_sign(const struct key_pair *k, const char *prefix, const uint8_t *data, size_t size,
	uint8_t signature[static SIGNATURE_BYTES]);
int __wrap_key_sign(const struct key_pair *k, const char *prefix, const uint8_t *data, size_t size,
	uint8_t signature[static SIGNATURE_BYTES])
{
	return sign(k->public, prefix, data, size, signature);
}

int __wrap_key_verify(const uint8_t public[static POINT_BYTES], const char *prefix,
	const uint8_t *data, size_t size, const uint8_t signature[static SIGNATURE_BYTES]);
int __wrap_key_verify(const uint8_t public[static POINT_BYTES], const char *prefix,
	const uint8_t *data, size_t size, const uint8_t signature[static SIGNATURE_BYTES])
{
	uint8_t expected[SIGNATURE_BYTES];

	return sign(public, prefix, data, size, expected) == 0 &&
			       memcmp(expected, signature, sizeof(expected)) == 0
		       ? 0
		       : -EBADMSG;
}

static const char message_label[] = "camgate message v1";

/* These two as in keys_sign.c, whose own calls cannot be replaced. */
ssize_t __wrap_message_sign(
	const struct key_pair *k, const struct wire_envelope *e, uint8_t *out, size_t size);
ssize_t __wrap_message_sign(
	const struct key_pair *k, const struct wire_envelope *e, uint8_t *out, size_t size)
{
	ssize_t used = wire_encode_envelope(e, out, size);

	if (used < 0 || size - (size_t)used < SIGNATURE_BYTES) {
		return used < 0 ? used : -ENOSPC;
	}
	return sign(k->public, message_label, out, (size_t)used, out + used) < 0
		       ? -EBADMSG
		       : used + SIGNATURE_BYTES;
}

int __wrap_message_open(const uint8_t public[static POINT_BYTES], uint8_t type,
	const uint8_t session[static SESSION_ID_BYTES], uint32_t counter, const uint8_t *data,
	size_t size, struct wire_envelope *ret);
int __wrap_message_open(const uint8_t public[static POINT_BYTES], uint8_t type,
	const uint8_t session[static SESSION_ID_BYTES], uint32_t counter, const uint8_t *data,
	size_t size, struct wire_envelope *ret)
{
	struct wire_envelope e;

	if (wire_parse_envelope(data, size, &e) < 0 || e.type != type ||
		memcmp(e.session, session, SESSION_ID_BYTES) != 0 || e.counter != counter ||
		__wrap_key_verify(public, message_label, data, e.signed_size, e.signature) < 0) {
		return -EBADMSG;
	}
	*ret = e;
	return 0;
}

/* ---- HPKE, Auth mode ---- */

static int hidden(const uint8_t *own, const uint8_t *other, const uint8_t *enc, const uint8_t *info,
	size_t info_size, uint64_t ret[static 2])
{
	const uint64_t *a = secret_of(own), *b = secret_of(other);
	uint64_t both[2];
	uint8_t text[HPKE_ENC_BYTES + 256];

	if (!a || !b || info_size > 256) {
		return -EBADMSG;
	}
	both[0] = a[0] ^ b[0];
	both[1] = a[1] ^ b[1];
	memcpy(text, enc, HPKE_ENC_BYTES);
	memcpy(text + HPKE_ENC_BYTES, info, info_size);
	ret[0] = sip(both, text, HPKE_ENC_BYTES + info_size);
	ret[1] = ret[0] ^ both[1];
	return 0;
}

static void hide(const uint64_t key[static 2], const uint8_t *in, size_t size, uint8_t *out)
{
	for (size_t i = 0; i < size; i++) {
		uint64_t block = i / 8;
		uint64_t pad = sip(key, (const uint8_t *)&block, sizeof(block));

		out[i] = in[i] ^ (uint8_t)(pad >> (i % 8 * 8));
	}
}

static void tag_of(const uint64_t key[static 2], const uint8_t *text, size_t size,
	uint8_t out[static HPKE_TAG_BYTES])
{
	uint64_t sum = sip(key, text, size);

	memcpy(out, &sum, sizeof(sum));
	memcpy(out + sizeof(sum), &sum, sizeof(sum));
}

/* The epoch is where wire_wrap_info puts it: before the purpose, at the end. */
static uint32_t epoch_of(const uint8_t *info, size_t info_size)
{
	const uint8_t *at = info + info_size - 5;

	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

int __wrap_hpke_seal_auth(const struct key_pair *sender,
	const uint8_t recipient[static POINT_BYTES], const uint8_t *info, size_t info_size,
	const uint8_t *aad, size_t aad_size, const uint8_t *plaintext, size_t plaintext_size,
	uint8_t enc[static HPKE_ENC_BYTES], uint8_t *ciphertext);
int __wrap_hpke_seal_auth(const struct key_pair *sender,
	const uint8_t recipient[static POINT_BYTES], const uint8_t *info, size_t info_size,
	const uint8_t *aad, size_t aad_size, const uint8_t *plaintext, size_t plaintext_size,
	uint8_t enc[static HPKE_ENC_BYTES], uint8_t *ciphertext)
{
	uint64_t key[2];

	(void)aad;
	(void)aad_size;
	chance_bytes(enc, HPKE_ENC_BYTES);
	if (hidden(sender->public, recipient, enc, info, info_size, key) < 0) {
		return -EBADMSG;
	}
	hide(key, plaintext, plaintext_size, ciphertext);
	tag_of(key, ciphertext, plaintext_size, ciphertext + plaintext_size);
	oracle_wrapped(sender->public, recipient, epoch_of(info, info_size));
	return 0;
}

int __wrap_hpke_open_auth(const struct key_pair *recipient,
	const uint8_t sender[static POINT_BYTES], const uint8_t enc[static HPKE_ENC_BYTES],
	const uint8_t *info, size_t info_size, const uint8_t *aad, size_t aad_size,
	const uint8_t *ciphertext, size_t ciphertext_size, uint8_t *plaintext);
int __wrap_hpke_open_auth(const struct key_pair *recipient,
	const uint8_t sender[static POINT_BYTES], const uint8_t enc[static HPKE_ENC_BYTES],
	const uint8_t *info, size_t info_size, const uint8_t *aad, size_t aad_size,
	const uint8_t *ciphertext, size_t ciphertext_size, uint8_t *plaintext)
{
	uint8_t tag[HPKE_TAG_BYTES];
	uint64_t key[2];
	size_t size = ciphertext_size - HPKE_TAG_BYTES;

	(void)aad;
	(void)aad_size;
	if (hidden(recipient->public, sender, enc, info, info_size, key) < 0) {
		return -EBADMSG;
	}
	tag_of(key, ciphertext, size, tag);
	if (memcmp(tag, ciphertext + size, sizeof(tag)) != 0) {
		return -EBADMSG;
	}
	hide(key, ciphertext, size, plaintext);
	return 0;
}
