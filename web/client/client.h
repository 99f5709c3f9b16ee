/*
 * A display on a TLS websocket: display.h on libwebsockets.
 *
 * One loop carries any number of clients in one thread. The certificate of the hub is NOT verified:
 * the hub is known by its key, which the display pinned at pairing and checks in every message; TLS
 * here keeps bystanders out and nothing more. Without a display_config a client is a bare websocket
 * of the protocol, for tests that speak it byte by byte.
 *
 * Callbacks come from client_loop_run. They may call client_send, client_close, client_pause and
 * the display's functions, not client_destroy.
 */
#ifndef CAMGATE_CLIENT_CLIENT_H
#define CAMGATE_CLIENT_CLIENT_H

#include "display.h"

struct client_loop;
struct client_loop *client_loop_create(void); /* NULL: no memory, or no TLS */
/* Closes what is still open, without callbacks. Destroy the clients first. */
void client_loop_destroy(struct client_loop *l);
/* Waits for something to do, at most timeout_ms, and does it. 0 or -EIO. */
int client_loop_run(struct client_loop *l, unsigned int timeout_ms);

/* How a connection ended. */
struct client_end {
	bool upgraded; /* there was a websocket */
	uint16_t code; /* the close code of the hub; 0: cut, or never connected */
	int problem; /* what display_feed did not like, or 0 */
	const char *text; /* for people; borrowed for the call */
	bool again; /* will be tried again by itself */
};

struct client_config {
	const char *address; /* name or address to connect to, no brackets; all texts are copied */
	uint16_t port;
	const char *source; /* address to connect from; NULL: any */
	const char *host; /* Host header; NULL: address:port */
	const char *origin; /* Origin header; NULL: https://HOST; "": none */
	const char *protocol; /* subprotocol; NULL: camgate.v1; "": none */
	bool reconnect; /* with back-off, 100 ms doubling to 5 s */
	/* NULL: a bare websocket. Its origin, send and sender are filled in here. */
	const struct display_config *display;
	/* All may be NULL. */
	void (*opened)(void *user);
	/* Sees every message before the display does, and may change it; false: the display does
	 * not get it. */
	bool (*received)(void *user, uint8_t *message, size_t size);
	void (*closed)(void *user, const struct client_end *end);
	void *user;
};

struct client;

/* Begins to connect. NULL: no memory, or a config that cannot be. */
struct client *client_create(struct client_loop *l, const struct client_config *config);
void client_destroy(struct client *c);
struct display *client_display(struct client *c); /* NULL for a bare websocket */
/* Queues one message. 0, -ENOTCONN, -ENOMEM. */
int client_send(struct client *c, const uint8_t *message, size_t size);
int client_send_text(struct client *c, const char *text);
/* Ends the connection (and with reconnect begins another). */
void client_close(struct client *c);
/* Stops reading from the socket, or goes on: what a stalled display does. */
void client_pause(struct client *c, bool paused);

/* The clock of all displays here, µs. */
uint64_t client_now_us(void);

#endif
