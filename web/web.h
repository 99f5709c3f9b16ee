/*
 * The web role: TLS, the page, websockets. It sees sealed frames and opaque messages.
 *
 *     network ─► front ─► page (HTTP) / socket (websocket) ─► session ─► link ─► keeper
 *     ring ─► feed ─► session ─► socket ─► network
 *
 * One thread, one libwebsockets loop. The keeper says everything that decides (orders.h); when it
 * is gone all connections are reset and the process ends.
 */
#ifndef CAMGATE_WEB_H
#define CAMGATE_WEB_H

#include "connection.h"
#include "feed.h"
#include "hosts.h"
#include "link.h"
#include "tls.h"
#include "gateway/notify.h"

#include <libwebsockets.h>

/* Names of the libwebsockets protocols; the second is the websocket subprotocol. */
#define WEB_PROTOCOL_HTTP "http"
#define WEB_PROTOCOL_SOCKET "camgate.v1"
#define WEB_PROTOCOL_FRONT "front"
#define WEB_PROTOCOL_LINK "link"
#define WEB_PROTOCOL_FEED "feed"

struct web {
	struct lws_context *context;
	struct lws_vhost *vhost;
	struct tls tls;
	struct hosts hosts;
	uint8_t *ca;
	size_t ca_size;
	struct connections connections;
	struct lws *listening; /* takes no connections for a moment: no descriptor is left */
	struct connection
		*adopting; /* while libwebsockets takes it over; NULL when it did not live */
	struct feeds feeds;
	struct link link;
	struct notify notify;
	lws_sorted_usec_list_t sweep;
	uint64_t counts_us; /* when the counts were last reported */
	bool configured;
	bool ending; /* say goodbye and stop */
	bool failed; /* stop now, exit 1 */
};

/* The role's state, from any of its wsi. */
struct web *web_of(struct lws *wsi);
/* Adopts a descriptor that is no connection into the loop; it is the loop's from then on, and
 * closed when this fails. NULL on failure. Only connections have opaque user data. */
struct lws *web_adopt(struct web *web, int fd, const char *protocol);
/* Something that the role cannot go on without is gone: resets everybody, ends the process. */
void web_fail(struct web *web);

#endif
