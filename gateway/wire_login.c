#include "wire.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>

ssize_t wire_encode_challenge(const struct wire_challenge *c, uint8_t *out, size_t size)
{
	struct wire_writer w = wire_writer_init(out, size);

	wire_write_u8(&w, WIRE_CHALLENGE);
	wire_write_u8(&w, c->version_min);
	wire_write_u8(&w, c->version_max);
	wire_write_bytes(&w, c->session, sizeof(c->session));
	wire_write_bytes(&w, c->nonce, sizeof(c->nonce));
	wire_write_bytes(&w, c->hub_public, sizeof(c->hub_public));
	return wire_writer_end(&w);
}

int wire_parse_challenge(const uint8_t *data, size_t size, struct wire_challenge *ret)
{
	struct wire_reader r = wire_reader_init(data, size);
	struct wire_challenge c = {0};
	uint8_t type = wire_read_u8(&r);

	c.version_min = wire_read_u8(&r);
	c.version_max = wire_read_u8(&r);
	wire_read_bytes(&r, c.session, sizeof(c.session));
	wire_read_bytes(&r, c.nonce, sizeof(c.nonce));
	wire_read_bytes(&r, c.hub_public, sizeof(c.hub_public));
	if (wire_reader_end(&r) < 0 || type != WIRE_CHALLENGE) {
		return -EBADMSG;
	}
	*ret = c;
	return 0;
}

ssize_t wire_encode_login(const struct wire_login *l, uint8_t *out, size_t size)
{
	struct wire_writer w = wire_writer_init(out, size);

	wire_write_u8(&w, WIRE_LOGIN);
	wire_write_u8(&w, l->version);
	wire_write_bytes(&w, l->display, sizeof(l->display));
	wire_write_bytes(&w, l->nonce, sizeof(l->nonce));
	wire_write_bytes(&w, l->signature, sizeof(l->signature));
	return wire_writer_end(&w);
}

int wire_parse_login(const uint8_t *data, size_t size, struct wire_login *ret)
{
	struct wire_reader r = wire_reader_init(data, size);
	struct wire_login l = {0};
	uint8_t type = wire_read_u8(&r);

	l.version = wire_read_u8(&r);
	wire_read_bytes(&r, l.display, sizeof(l.display));
	wire_read_bytes(&r, l.nonce, sizeof(l.nonce));
	wire_read_bytes(&r, l.signature, sizeof(l.signature));
	if (wire_reader_end(&r) < 0 || type != WIRE_LOGIN) {
		return -EBADMSG;
	}
	*ret = l;
	return 0;
}

ssize_t wire_encode_pair(const struct wire_pair *p, uint8_t *out, size_t size)
{
	struct wire_writer w = wire_writer_init(out, size);

	wire_write_u8(&w, WIRE_PAIR);
	wire_write_u8(&w, p->version);
	wire_write_bytes(&w, p->link_id, sizeof(p->link_id));
	wire_write_bytes(&w, p->sign_public, sizeof(p->sign_public));
	wire_write_bytes(&w, p->kem_public, sizeof(p->kem_public));
	wire_write_bytes(&w, p->nonce, sizeof(p->nonce));
	wire_write_str(&w, p->name);
	wire_write_bytes(&w, p->proof, sizeof(p->proof));
	wire_write_bytes(&w, p->signature, sizeof(p->signature));
	return wire_writer_end(&w);
}

int wire_parse_pair(const uint8_t *data, size_t size, struct wire_pair *ret)
{
	struct wire_reader r = wire_reader_init(data, size);
	struct wire_pair p = {0};
	uint8_t type = wire_read_u8(&r);

	p.version = wire_read_u8(&r);
	wire_read_bytes(&r, p.link_id, sizeof(p.link_id));
	wire_read_bytes(&r, p.sign_public, sizeof(p.sign_public));
	wire_read_bytes(&r, p.kem_public, sizeof(p.kem_public));
	wire_read_bytes(&r, p.nonce, sizeof(p.nonce));
	wire_read_str(&r, p.name, sizeof(p.name));
	wire_read_bytes(&r, p.proof, sizeof(p.proof));
	wire_read_bytes(&r, p.signature, sizeof(p.signature));
	if (wire_reader_end(&r) < 0 || type != WIRE_PAIR || !wire_name_ok(p.name)) {
		return -EBADMSG;
	}
	*ret = p;
	return 0;
}

size_t wire_pair_signed(const struct wire_pair *p, const uint8_t transcript[static DIGEST_BYTES],
	uint8_t out[static WIRE_PAIR_SIGNED_MAX_BYTES])
{
	struct wire_writer w = wire_writer_init(out, WIRE_PAIR_SIGNED_MAX_BYTES);

	wire_write_bytes(&w, transcript, DIGEST_BYTES);
	wire_write_bytes(&w, p->proof, DIGEST_BYTES);
	wire_write_str(&w, p->name);
	return w.used;
}

/* Base64url (RFC 4648, section 5) of 57 bytes, which is 19 groups of three: no padding to treat. */
_Static_assert(WIRE_LINK_BYTES % 3 == 0, "a link is whole groups");
_Static_assert(WIRE_LINK_TEXT_BYTES == WIRE_LINK_BYTES / 3 * 4 + 1, "and a NUL");

static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void wire_encode_link(const struct wire_link *link, char out[static WIRE_LINK_TEXT_BYTES])
{
	uint8_t bytes[WIRE_LINK_BYTES];
	struct wire_writer w = wire_writer_init(bytes, sizeof(bytes));
	size_t used = 0;

	wire_write_u8(&w, link->owner ? 1 : 0);
	wire_write_bytes(&w, link->id, sizeof(link->id));
	wire_write_bytes(&w, link->secret, sizeof(link->secret));
	wire_write_bytes(&w, link->fingerprint, sizeof(link->fingerprint));
	for (size_t i = 0; i < sizeof(bytes); i += 3) {
		uint32_t group =
			(uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | bytes[i + 2];

		for (int shift = 18; shift >= 0; shift -= 6) {
			out[used++] = base64url[group >> shift & 63];
		}
	}
	out[used] = '\0';
	OPENSSL_cleanse(bytes, sizeof(bytes));
}

static int link_decode(const char *text, uint8_t out[static WIRE_LINK_BYTES])
{
	for (size_t i = 0; i < WIRE_LINK_BYTES / 3; i++) {
		uint32_t group = 0;

		for (size_t j = 0; j < 4; j++) {
			const char *digit = memchr(base64url, text[4 * i + j], 64);

			if (!digit) {
				return -EBADMSG;
			}
			group = group << 6 | (uint32_t)(digit - base64url);
		}
		out[3 * i] = (uint8_t)(group >> 16);
		out[3 * i + 1] = (uint8_t)(group >> 8);
		out[3 * i + 2] = (uint8_t)group;
	}
	return 0;
}

int wire_parse_link(const char *text, struct wire_link *ret)
{
	uint8_t bytes[WIRE_LINK_BYTES] = {0};
	struct wire_reader r = wire_reader_init(bytes, sizeof(bytes));
	struct wire_link link = {0};
	uint8_t flags;
	int err = -EBADMSG;

	if (strnlen(text, WIRE_LINK_TEXT_BYTES) != WIRE_LINK_TEXT_BYTES - 1 ||
		link_decode(text, bytes) < 0) {
		goto out;
	}
	flags = wire_read_u8(&r);
	link.owner = flags == 1;
	wire_read_bytes(&r, link.id, sizeof(link.id));
	wire_read_bytes(&r, link.secret, sizeof(link.secret));
	wire_read_bytes(&r, link.fingerprint, sizeof(link.fingerprint));
	if (wire_reader_end(&r) < 0 || flags > 1) {
		goto out;
	}
	*ret = link;
	err = 0;
out:
	OPENSSL_cleanse(bytes, sizeof(bytes));
	OPENSSL_cleanse(&link, sizeof(link));
	return err;
}
