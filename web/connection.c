#include "connection.h"
#include "gateway/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* IPv4 in IPv6's clothes, so that a peer has one address whichever way the socket was bound. */
static void peer_of(const struct sockaddr *sa, struct in6_addr *ret, uint16_t *ret_port)
{
	memset(ret, 0, sizeof *ret);
	*ret_port = 0;
	if (sa->sa_family == AF_INET6) {
		*ret = ((const struct sockaddr_in6 *)sa)->sin6_addr;
		*ret_port = ntohs(((const struct sockaddr_in6 *)sa)->sin6_port);
	} else if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *four = (const struct sockaddr_in *)sa;

		ret->s6_addr[10] = ret->s6_addr[11] = 0xff;
		memcpy(&ret->s6_addr[12], &four->sin_addr, 4);
		*ret_port = ntohs(four->sin_port);
	}
}

static void print_peer(const struct in6_addr *address, uint16_t port, char *out, size_t size)
{
	char text[INET6_ADDRSTRLEN] = "?";

	if (IN6_IS_ADDR_V4MAPPED(address)) {
		(void)inet_ntop(AF_INET, &address->s6_addr[12], text, sizeof text);
		(void)snprintf(out, size, "%s:%u", text, port);
	} else {
		(void)inet_ntop(AF_INET6, address, text, sizeof text);
		(void)snprintf(out, size, "[%s]:%u", text, port);
	}
}

enum { MINUTE_US = 60000000 };

int connections_init(struct connections *all, unsigned int max)
{
	unsigned int strangers = max / 8;

	*all = (struct connections){.max = max};
	all->strangers_max =
		strangers < CONNECTIONS_STRANGERS_MIN ? CONNECTIONS_STRANGERS_MIN : strangers;
	all->all = calloc(max, sizeof(struct connection *));
	return all->all ? 0 : -ENOMEM;
}

void connections_finish(struct connections *all)
{
	free(all->all);
	*all = (struct connections){0};
}

static const char *limit_reached(const struct connections *all, const struct in6_addr *address)
{
	unsigned int same = 0, strangers = 0;

	for (unsigned int i = 0; i < all->count; i++) {
		same += memcmp(&all->all[i]->address, address, sizeof *address) == 0;
		strangers += !all->all[i]->admitted;
	}
	if (all->count == all->max) {
		return "too many connections";
	}
	if (same >= CONNECTIONS_PER_ADDRESS) {
		return "too many connections from this address";
	}
	if (strangers >= all->strangers_max) {
		return "too many connections that are not logged in";
	}
	return NULL;
}

void connection_note_refusal(struct connections *all, enum web_refusal refusal, const char *peer,
	const char *reason, uint64_t now_us)
{
	all->refusals.counts[refusal]++;
	if (all->logged == 0 || now_us - all->logged_us > MINUTE_US) {
		all->logged = 0;
		all->logged_us = now_us;
	}
	if (all->logged < CONNECTION_REFUSALS_LOGGED) {
		log_info("%s refused: %s", peer, reason);
	} else if (all->logged == CONNECTION_REFUSALS_LOGGED) {
		log_warning(
			"many connections are refused; the next ones are not logged for a while");
	}
	all->logged++;
}

struct connection *connection_create(
	struct connections *all, const struct sockaddr *peer, uint64_t now_us)
{
	char text[sizeof((struct connection *)0)->peer];
	struct in6_addr address;
	struct connection *c;
	const char *limit;
	uint16_t port;

	peer_of(peer, &address, &port);
	print_peer(&address, port, text, sizeof text);
	limit = limit_reached(all, &address);
	c = limit ? NULL : calloc(1, sizeof *c);
	if (!c) {
		connection_note_refusal(
			all, WEB_REFUSED_LIMIT, text, limit ? limit : "out of memory", now_us);
		return NULL;
	}
	c->id = ++all->last_id;
	c->address = address;
	c->since_us = now_us;
	memcpy(c->peer, text, sizeof c->peer);
	all->all[all->count++] = c;
	return c;
}

void connection_destroy(struct connections *all, struct connection *c)
{
	if (!c) {
		return;
	}
	for (unsigned int i = 0; i < all->count; i++) {
		if (all->all[i] == c) {
			all->all[i] = all->all[--all->count];
			all->all[all->count] = NULL;
			break;
		}
	}
	session_destroy(c->session);
	explicit_bzero(c, sizeof *c);
	free(c);
}

struct connection *connection_find(const struct connections *all, uint64_t id)
{
	for (unsigned int i = 0; i < all->count; i++) {
		if (all->all[i]->id == id) {
			return all->all[i];
		}
	}
	return NULL;
}

bool connection_is_overdue(const struct connection *c, uint64_t now_us)
{
	uint64_t limit_us = c->upgrade_granted ? CONNECTION_LOGIN_US : CONNECTION_REQUEST_US;

	return !c->admitted && now_us > c->since_us && now_us - c->since_us > limit_us;
}
