/*
 * A bare websocket to the hub, for tests that speak the protocol byte by byte, and wrong.
 */
#ifndef CAMGATE_TESTS_RAW_H
#define CAMGATE_TESTS_RAW_H

#include "hub.h"

struct raw {
	struct hub *hub;
	struct client *client;
	bool opened, closed;
	struct client_end end;
	unsigned int messages; /* received, of any kind */
	unsigned int others; /* of them, not CHALLENGE */
	uint8_t challenge[WIRE_CHALLENGE_BYTES];
	uint8_t session[SESSION_ID_BYTES];
	uint8_t nonce[NONCE_BYTES]; /* ours, of the last login or pairing made */
	uint8_t transcript[DIGEST_BYTES];
	char origin[64];
};

/* How the upgrade request differs from a right one: NULL is right, "" leaves the header out. */
struct raw_request {
	const char *host, *origin, *protocol;
};

/* Connects; does not wait. request may be NULL. */
void raw_connect(struct raw *r, struct hub *hub, const struct raw_request *request);
/* Connects and waits for the challenge. */
void raw_open(struct raw *r, struct hub *hub);
void raw_send(struct raw *r, const uint8_t *message, size_t size);
/* Waits for close code 4000 and checks that only the challenge came; destroys. */
void raw_expect_refusal(struct raw *r);
/* Sends this as the first message and expects the refusal. */
void raw_refused(struct hub *hub, const uint8_t *message, size_t size);
/* Waits for the first message after the challenge. */
void raw_expect_welcome(struct raw *r);
void raw_finish(struct raw *r);

/* A right LOGIN for this connection. Returns its size. */
size_t raw_make_login(struct raw *r, const struct display_keys *keys, uint8_t *out, size_t size);
/* A PAIR with any name, the right proof for this link and a right signature. */
size_t raw_make_pair(struct raw *r, const struct display_keys *keys, const struct wire_link *link,
	const char *name, uint8_t *out, size_t size);
/* A signed DISPLAY message with this counter. */
size_t raw_make_message(struct raw *r, const struct display_keys *keys, uint32_t counter,
	uint8_t kind, const uint8_t *body, size_t body_size, uint8_t *out, size_t size);

#endif
