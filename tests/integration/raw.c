#include "raw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void on_opened(void *user)
{
	struct raw *r = user;
	r->opened = true;
}

static bool on_received(void *user, uint8_t *message, size_t size)
{
	struct raw *r = user;
	struct wire_challenge c;
	r->messages++;
	if (r->messages == 1 && wire_parse_challenge(message, size, &c) == 0) {
		memcpy(r->challenge, message, sizeof(r->challenge));
		memcpy(r->session, c.session, sizeof(r->session));
	} else {
		r->others++;
	}
	return true;
}

static void on_closed(void *user, const struct client_end *end)
{
	struct raw *r = user;
	r->closed = true;
	r->end = *end;
	r->end.text = NULL;
}

void raw_connect(struct raw *r, struct hub *hub, const struct raw_request *request)
{
	static const struct raw_request right;
	const struct raw_request *q = request != NULL ? request : &right;
	*r = (struct raw){.hub = hub};
	(void)snprintf(r->origin, sizeof(r->origin), "https://%s:%u", hub->address, hub->port);
	const struct client_config config = {.address = hub->address,
		.port = hub->port,
		.host = q->host,
		.origin = q->origin,
		.protocol = q->protocol,
		.opened = on_opened,
		.received = on_received,
		.closed = on_closed,
		.user = r};
	r->client = client_create(hub->loop, &config);
	assert_non_null(r->client);
}

void raw_open(struct raw *r, struct hub *hub)
{
	raw_connect(r, hub, NULL);
	WAIT_FOR(hub->loop, r->messages > 0 || r->closed, HUB_PATIENCE_MS);
	assert_int_equal(r->messages, 1);
	assert_int_equal(r->others, 0);
}

void raw_send(struct raw *r, const uint8_t *message, size_t size)
{
	assert_int_equal(client_send(r->client, message, size), 0);
}

void raw_finish(struct raw *r)
{
	client_destroy(r->client);
	r->client = NULL;
}

void raw_expect_refusal(struct raw *r)
{
	WAIT_FOR(r->hub->loop, r->closed, HUB_PATIENCE_MS);
	assert_int_equal(r->end.code, 4000);
	assert_int_equal(r->others, 0);
	raw_finish(r);
}

void raw_expect_welcome(struct raw *r)
{
	WAIT_FOR(r->hub->loop, r->others > 0 || r->closed, HUB_PATIENCE_MS);
	assert_false(r->closed);
}

void raw_refused(struct hub *hub, const uint8_t *message, size_t size)
{
	struct raw r;
	raw_open(&r, hub);
	raw_send(&r, message, size);
	raw_expect_refusal(&r);
}

static void make_transcript(struct raw *r, const struct display_keys *keys)
{
	random_bytes(r->nonce, sizeof(r->nonce));
	transcript_of(WIRE_VERSION, r->challenge, r->origin, keys->id, r->nonce, r->transcript);
}

size_t raw_make_login(struct raw *r, const struct display_keys *keys, uint8_t *out, size_t size)
{
	struct wire_login login = {.version = WIRE_VERSION};
	make_transcript(r, keys);
	memcpy(login.display, keys->id, sizeof(login.display));
	memcpy(login.nonce, r->nonce, sizeof(login.nonce));
	assert_int_equal(key_sign(&keys->sign, "camgate login v1", r->transcript, DIGEST_BYTES,
				 login.signature),
		0);
	ssize_t n = wire_encode_login(&login, out, size);
	assert_true(n > 0);
	return (size_t)n;
}

/* By hand, because wire_encode_pair may refuse the names that a test wants to send. */
size_t raw_make_pair(struct raw *r, const struct display_keys *keys, const struct wire_link *link,
	const char *name, uint8_t *out, size_t size)
{
	uint8_t covered[2 * DIGEST_BYTES + 256], signature[SIGNATURE_BYTES];
	struct wire_writer named = wire_writer_init(covered, sizeof(covered));
	make_transcript(r, keys);
	const struct digest_part parts[] = {{"camgate pair v1", 15}, {r->transcript, DIGEST_BYTES}};
	uint8_t proof[DIGEST_BYTES];
	assert_int_equal(hmac_sha256(link->secret, LINK_SECRET_BYTES, parts, 2, proof), 0);
	wire_write_bytes(&named, r->transcript, DIGEST_BYTES);
	wire_write_bytes(&named, proof, DIGEST_BYTES);
	wire_write_str(&named, name);
	assert_int_equal(
		key_sign(&keys->sign, "camgate pair v1", covered, named.used, signature), 0);
	struct wire_writer w = wire_writer_init(out, size);
	wire_write_u8(&w, WIRE_PAIR);
	wire_write_u8(&w, WIRE_VERSION);
	wire_write_bytes(&w, link->id, LINK_ID_BYTES);
	wire_write_bytes(&w, keys->sign.public, POINT_BYTES);
	wire_write_bytes(&w, keys->kem.public, POINT_BYTES);
	wire_write_bytes(&w, r->nonce, NONCE_BYTES);
	wire_write_str(&w, name);
	wire_write_bytes(&w, proof, DIGEST_BYTES);
	wire_write_bytes(&w, signature, SIGNATURE_BYTES);
	assert_true(wire_writer_end(&w) > 0);
	return w.used;
}

size_t raw_make_message(struct raw *r, const struct display_keys *keys, uint32_t counter,
	uint8_t kind, const uint8_t *body, size_t body_size, uint8_t *out, size_t size)
{
	struct wire_envelope e = {.type = WIRE_DISPLAY,
		.counter = counter,
		.kind = kind,
		.body = body,
		.body_size = body_size};
	memcpy(e.session, r->session, SESSION_ID_BYTES);
	ssize_t n = message_sign(&keys->sign, &e, out, size);
	assert_true(n > 0);
	return (size_t)n;
}
