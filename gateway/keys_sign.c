#include "fault.h"
#include "keys.h"

#include <errno.h>
#include <string.h>

enum {
	INTEGER_BYTES = SIGNATURE_BYTES / 2,
	/* SEQUENCE of two INTEGERs of at most 33 bytes */
	DER_MAX_BYTES = 2 + 2 * (2 + INTEGER_BYTES + 1),
	DER_SEQUENCE = 0x30,
	DER_INTEGER = 0x02,
};

static const char message_label[] = "camgate message v1";

/* ---- DER ⇄ r‖s ---- */

/* One INTEGER, right-aligned into out. A wrong one makes the reader bad. */
static void integer_read(struct wire_reader *r, uint8_t out[static INTEGER_BYTES])
{
	uint8_t tag = wire_read_u8(r);
	size_t size = wire_read_u8(r);
	const uint8_t *at = wire_read_borrow(r, size);

	if (!at || tag != DER_INTEGER || size < 1 || size > INTEGER_BYTES + 1 || at[0] & 0x80) {
		r->bad = true;
		return;
	}
	if (at[0] == 0) {
		/* A leading zero is there to keep the number positive, and for nothing else; zero
		 * itself is no signature. */
		if (size == 1 || !(at[1] & 0x80)) {
			r->bad = true;
			return;
		}
		at++;
		size--;
	} else if (size > INTEGER_BYTES) {
		r->bad = true;
		return;
	}
	memset(out, 0, INTEGER_BYTES - size);
	memcpy(out + INTEGER_BYTES - size, at, size);
}

int signature_from_der(const uint8_t *der, size_t size, uint8_t out[static SIGNATURE_BYTES])
{
	struct wire_reader r = wire_reader_init(der, size);
	uint8_t both[SIGNATURE_BYTES] = {0};
	uint8_t tag = wire_read_u8(&r);
	size_t length = wire_read_u8(&r);

	/* A length of 128 or more would begin the long form, which nothing this short needs. */
	if (r.bad || tag != DER_SEQUENCE || length >= 0x80 || length != r.left) {
		return -EBADMSG;
	}
	integer_read(&r, both);
	integer_read(&r, both + INTEGER_BYTES);
	if (wire_reader_end(&r) < 0) {
		return -EBADMSG;
	}
	memcpy(out, both, sizeof(both));
	return 0;
}

static void integer_write(struct wire_writer *w, const uint8_t in[static INTEGER_BYTES])
{
	size_t skip = 0;
	bool pad;

	while (skip < INTEGER_BYTES && in[skip] == 0) {
		skip++;
	}
	if (skip == INTEGER_BYTES) {
		w->bad = true;
		return;
	}
	pad = in[skip] & 0x80;
	wire_write_u8(w, DER_INTEGER);
	wire_write_u8(w, (uint8_t)(INTEGER_BYTES - skip + pad));
	if (pad) {
		wire_write_u8(w, 0);
	}
	wire_write_bytes(w, in + skip, INTEGER_BYTES - skip);
}

ssize_t signature_to_der(const uint8_t signature[static SIGNATURE_BYTES], uint8_t *out, size_t size)
{
	uint8_t body[DER_MAX_BYTES];
	struct wire_writer b = wire_writer_init(body, sizeof(body));
	struct wire_writer w = wire_writer_init(out, size);

	integer_write(&b, signature);
	integer_write(&b, signature + INTEGER_BYTES);
	if (b.bad) {
		return -EBADMSG; /* r or s is zero */
	}
	wire_write_u8(&w, DER_SEQUENCE);
	wire_write_u8(&w, (uint8_t)b.used);
	wire_write_bytes(&w, body, b.used);
	return wire_writer_end(&w);
}

/* ---- ECDSA ---- */

int key_sign(const struct key_pair *k, const char *prefix, const uint8_t *data, size_t size,
	uint8_t signature[static SIGNATURE_BYTES])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t der[DER_MAX_BYTES];
	size_t der_size = sizeof(der);
	int err = -ENOMEM;

	if (ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, k->pkey) > 0 &&
		EVP_DigestSignUpdate(ctx, prefix, strlen(prefix)) > 0 &&
		EVP_DigestSignUpdate(ctx, data, size) > 0 &&
		EVP_DigestSignFinal(ctx, der, &der_size) > 0) {
		err = signature_from_der(der, der_size, signature);
	}
	EVP_MD_CTX_free(ctx);
	return err;
}

int key_verify(const uint8_t public[static POINT_BYTES], const char *prefix, const uint8_t *data,
	size_t size, const uint8_t signature[static SIGNATURE_BYTES])
{
	uint8_t der[DER_MAX_BYTES];
	ssize_t der_size = signature_to_der(signature, der, sizeof(der));
	EVP_PKEY *pkey = NULL;
	EVP_MD_CTX *ctx;
	int err;

	if (fault_lifts(PROTECTION_SIGNATURE)) {
		return 0;
	}
	if (der_size < 0) {
		return -EBADMSG;
	}
	err = point_to_pkey(public, &pkey);
	if (err < 0) {
		return err;
	}
	ctx = EVP_MD_CTX_new();
	if (!ctx || EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, pkey) <= 0) {
		err = -ENOMEM;
	} else if (EVP_DigestVerifyUpdate(ctx, prefix, strlen(prefix)) <= 0 ||
		   EVP_DigestVerifyUpdate(ctx, data, size) <= 0 ||
		   EVP_DigestVerifyFinal(ctx, der, (size_t)der_size) != 1) {
		err = -EBADMSG;
	}
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return err;
}

/* ---- signed messages ---- */

ssize_t message_sign(
	const struct key_pair *k, const struct wire_envelope *e, uint8_t *out, size_t size)
{
	ssize_t used = wire_encode_envelope(e, out, size);
	int err;

	if (used < 0) {
		return used;
	}
	if (size - (size_t)used < SIGNATURE_BYTES) {
		return -ENOSPC;
	}
	err = key_sign(k, message_label, out, (size_t)used, out + used);
	return err < 0 ? err : used + SIGNATURE_BYTES;
}

int message_open(const uint8_t public[static POINT_BYTES], uint8_t type,
	const uint8_t session[static SESSION_ID_BYTES], uint32_t counter, const uint8_t *data,
	size_t size, struct wire_envelope *ret)
{
	struct wire_envelope e;

	if (wire_parse_envelope(data, size, &e) < 0 || e.type != type ||
		!bytes_equal(e.session, session, SESSION_ID_BYTES) || e.counter != counter ||
		key_verify(public, message_label, data, e.signed_size, e.signature) < 0) {
		return -EBADMSG;
	}
	*ret = e;
	return 0;
}
