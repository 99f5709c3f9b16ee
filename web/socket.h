/*
 * A display's websocket: from the upgrade to the close, between libwebsockets and session.h.
 *
 * Writes only when libwebsockets says that it may, and only while the socket takes it whole: what
 * it could not write libwebsockets would copy, and keep. One thread.
 */
#ifndef CAMGATE_SOCKET_H
#define CAMGATE_SOCKET_H

#include "web.h"

/* True if this upgrade is a websocket of ours, asked for by a page of ours; logs why not. */
bool socket_confirm(struct lws *wsi, struct connection *c);
/* Something may be there to send. */
void socket_wake(struct connection *c);
/* Closes with a status, after what libwebsockets already holds; the session ends at once. */
void socket_close(struct web *web, struct connection *c, int status);
/* Resets: what is queued in the kernel is never delivered. */
void socket_reset(struct web *web, struct connection *c);
/* The connection is no more: the keeper is told, the object freed. */
void socket_end(struct web *web, struct connection *c);

int socket_callback(
	struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t size);

#endif
