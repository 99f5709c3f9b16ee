/*
 * The TCP connections that this web process holds, from accept to close, and the limits on them.
 *
 * One object per connection, made when it is accepted, freed when libwebsockets destroys its wsi,
 * never used for a second one. It is the wsi's opaque user data, and no other kind of wsi has any.
 * One thread.
 */
#ifndef CAMGATE_CONNECTION_H
#define CAMGATE_CONNECTION_H

#include "session.h"
#include <netinet/in.h>
#include <sys/socket.h>

struct lws;

enum {
	CONNECTIONS_DEFAULT = 256, /* in all, unless the configuration says otherwise */
	CONNECTIONS_PER_ADDRESS = 64,
	CONNECTIONS_STRANGERS_MIN = 32, /* not logged in: an eighth of all, but so many */
	CONNECTION_REFUSALS_LOGGED = 20, /* in a minute */
	CONNECTION_LOGIN_US = 10000000, /* from the upgrade */
	CONNECTION_REQUEST_US =
		20000000, /* from accept to the upgrade, TLS included, or between pages */
};

struct connection {
	uint64_t id; /* never used twice in the life of this process */
	struct lws *wsi;
	struct in6_addr address; /* of the peer; IPv4 as ::ffff:a.b.c.d */
	char peer[IPC_TEXT_MAX_BYTES + 1];
	char origin[ORIGIN_MAX_BYTES + 1]; /* set when the upgrade was granted */
	bool upgrade_granted;
	uint64_t since_us; /* accept, last page, or upgrade: the deadline counts from here */
	struct session *session; /* NULL before the upgrade and after the end */
	bool admitted;
	bool opened; /* the keeper knows of it, and hears when it closes */
	bool cut; /* reset: nothing is written any more */
	int close_status; /* not 0: this websocket is to be closed with it */
	uint8_t heard[WIRE_DISPLAY_MESSAGE_MAX_BYTES];
	size_t heard_size;
	const unsigned char *body, *body_end; /* of the page that is being sent */
	bool close_after; /* the page */
};

struct connections {
	struct connection **all; /* the first count of max are there */
	unsigned int count, max, strangers_max;
	uint64_t last_id;
	unsigned int logged; /* refusals, in the minute that began at logged_us */
	uint64_t logged_us;
	struct ipc_refusals refusals; /* that the keeper was not told of yet */
};

/* Room for so many. 0 or -ENOMEM. */
int connections_init(struct connections *all, unsigned int max);
/* There is none left. */
void connections_finish(struct connections *all);
/* Counts a new connection in. NULL when a limit is reached (logged) or out of memory. */
struct connection *connection_create(
	struct connections *all, const struct sockaddr *peer, uint64_t now_us);
/* Ends the session (wiping its buffers) and frees; accepts NULL. */
void connection_destroy(struct connections *all, struct connection *c);
struct connection *connection_find(const struct connections *all, uint64_t id);
/* Counts that a peer was refused and logs why; peers can cause these, so only so many in a minute.
 */
void connection_note_refusal(struct connections *all, enum web_refusal refusal, const char *peer,
	const char *reason, uint64_t now_us);
/* True when it took too long to ask for something, or to log in. */
bool connection_is_overdue(const struct connection *c, uint64_t now_us);

#endif
