#include "socket.h"
#include "gateway/clock.h"
#include "gateway/log.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
	CLOSE_REFUSED = 4000,
	CLOSE_PATIENCE_S = 2,
	PIECES_PER_TURN = 32, /* then the other connections have their turn */
};

_Static_assert(BUFFER_LIBRARY_BYTES == LWS_PRE, "the library's header must fit before a chunk");

static bool header_is(struct lws *wsi, enum lws_token_indexes token, const char *text)
{
	char value[64];

	/* An empty Upgrade has no text behind it (CVE-2025-11677): the length comes first. */
	return lws_hdr_total_length(wsi, token) > 0 &&
	       lws_hdr_copy(wsi, value, sizeof value, token) > 0 && strcasecmp(value, text) == 0;
}

bool socket_confirm(struct lws *wsi, struct connection *c)
{
	struct web *web = web_of(wsi);
	struct sockaddr_storage local = {.ss_family = AF_UNSPEC};
	socklen_t size = sizeof local;
	char host[HOSTS_TEXT_BYTES];
	char path[sizeof "/socket"] = "";

	if (!header_is(wsi, WSI_TOKEN_UPGRADE, "websocket") ||
		!header_is(wsi, WSI_TOKEN_PROTOCOL, WEB_PROTOCOL_SOCKET) ||
		!header_is(wsi, WSI_TOKEN_VERSION, "13") ||
		lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_URI_ARGS) > 0 ||
		lws_hdr_copy(wsi, path, sizeof path, WSI_TOKEN_GET_URI) <= 0 ||
		strcmp(path, "/socket") != 0) {
		return false;
	}
	if (lws_hdr_copy(wsi, host, sizeof host, WSI_TOKEN_HOST) <= 0 ||
		getsockname(lws_get_socket_fd(wsi), (struct sockaddr *)&local, &size) < 0) {
		return false;
	}
	if (!hosts_accept(&web->hosts, host, (const struct sockaddr *)&local)) {
		web->connections.refusals.counts[WEB_REFUSED_HOST]++;
		hosts_log_refused(&web->hosts, host, c->peer);
		return false;
	}
	if (lws_hdr_copy(wsi, c->origin, sizeof c->origin, WSI_TOKEN_ORIGIN) <= 0 ||
		!hosts_same_origin(c->origin, host)) {
		web->connections.refusals.counts[WEB_REFUSED_ORIGIN]++;
		hosts_log_refused_origin(&web->hosts, c->origin, c->peer);
		return false;
	}
	c->upgrade_granted = !web->ending;
	return c->upgrade_granted;
}

void socket_wake(struct connection *c)
{
	if (c->wsi && c->session && !c->cut && session_ready(c->session)) {
		lws_callback_on_writable(c->wsi);
	}
}

/* From here on nothing of the display's is in this process; the keeper has its final counts. */
static void end_session(struct web *web, struct connection *c)
{
	struct session *s = c->session;
	struct ipc_counts counts;

	c->session = NULL;
	if (!s) {
		return;
	}
	while (s->streams_count > 0 && session_take(s, s->streams[0]->tag.stream, &counts) == 0) {
		link_send_counts(&web->link, &counts);
	}
	session_destroy(s);
}

void socket_close(struct web *web, struct connection *c, int status)
{
	end_session(web, c);
	if (c->close_status == 0 && !c->cut) {
		c->close_status = status;
		lws_callback_on_writable(c->wsi);
		lws_set_timeout(c->wsi, PENDING_TIMEOUT_CLOSE_SEND, CLOSE_PATIENCE_S);
	}
}

void socket_reset(struct web *web, struct connection *c)
{
	end_session(web, c);
	if (c->cut) {
		return;
	}
	c->cut = true;
	/* To disconnect a TCP socket is to reset it: the peer gets what it already has. */
	if (connect(lws_get_socket_fd(c->wsi), &(struct sockaddr){.sa_family = AF_UNSPEC},
		    sizeof(struct sockaddr)) < 0) {
		(void)setsockopt(lws_get_socket_fd(c->wsi), SOL_SOCKET, SO_LINGER,
			&(struct linger){.l_onoff = 1}, sizeof(struct linger));
	}
	lws_set_timeout(c->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_ASYNC);
}

void socket_end(struct web *web, struct connection *c)
{
	end_session(web, c);
	if (c->opened) {
		link_send_connection(&web->link, IPC_CLOSED, c->id);
	}
	if (web->adopting == c) {
		web->adopting = NULL;
	}
	lws_set_opaque_user_data(c->wsi, NULL);
	connection_destroy(&web->connections, c);
}

/* ---- callbacks, each on one reason ---- */

static int refuse(struct web *web, struct connection *c, const char *reason)
{
	connection_note_refusal(
		&web->connections, WEB_REFUSED_MESSAGE, c->peer, reason, clock_now_us());
	end_session(web, c);
	lws_close_reason(c->wsi, (enum lws_close_status)CLOSE_REFUSED, NULL, 0);
	return -1;
}

static int on_established(struct web *web, struct lws *wsi, struct connection *c)
{
	struct ipc_opened opened = {.connection = c->id};

	c->since_us = clock_now_us();
	lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
	c->session = session_create(c->id);
	if (!c->session) {
		return -1;
	}
	(void)snprintf(opened.peer, sizeof opened.peer, "%s", c->peer);
	(void)snprintf(opened.origin, sizeof opened.origin, "%s", c->origin);
	c->opened = true;
	link_send_opened(&web->link, &opened);
	return 0;
}

static int on_received(
	struct web *web, struct lws *wsi, struct connection *c, const uint8_t *data, size_t size)
{
	const char *reason = NULL;
	size_t whole;

	if (!c->session) {
		return c->close_status ? 0 : -1;
	}
	if (!lws_frame_is_binary(wsi) || size > sizeof c->heard - c->heard_size ||
		lws_remaining_packet_payload(wsi) > sizeof c->heard - c->heard_size - size) {
		return refuse(web, c, "a message that is too long or not binary");
	}
	memcpy(c->heard + c->heard_size, data, size);
	c->heard_size += size;
	if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi) > 0) {
		return 0;
	}
	whole = c->heard_size;
	c->heard_size = 0;
	lws_validity_confirmed(wsi);
	switch (session_hear(c->session, clock_now_us(), c->heard, whole, &reason)) {
	case SESSION_FORWARD:
		link_send_heard(&web->link, c->id, c->heard, whole);
		break;
	case SESSION_REFUSE:
		return refuse(web, c, reason);
	case SESSION_HANDLED:
		break;
	}
	socket_wake(c);
	return 0;
}

static void note_mixups(struct web *web, struct connection *c)
{
	unsigned int n = session_mixups(c->session);

	web->connections.refusals.counts[WEB_HELD_BACK] += n;
	if (n > 0) {
		log_error("held back %u frames that are not of the camera that %s watches: this "
			  "is a fault of the hub, please report it",
			n, c->peer);
	}
}

static int on_writable(struct web *web, struct lws *wsi, struct connection *c)
{
	uint8_t *data;
	size_t size;

	if (c->close_status) {
		lws_close_reason(wsi, (enum lws_close_status)c->close_status, NULL, 0);
		return -1;
	}
	if (c->cut || !c->session) {
		return -1;
	}
	for (int i = 0; i < PIECES_PER_TURN && !lws_send_pipe_choked(wsi); i++) {
		uint64_t now_us = clock_now_us();

		if (!session_next(c->session, now_us, &data, &size)) {
			note_mixups(web, c);
			return 0; /* until something wakes us */
		}
		if (lws_write(wsi, data, size, LWS_WRITE_BINARY) < (int)size) {
			return -1;
		}
		session_sent(c->session, now_us);
	}
	note_mixups(web, c);
	socket_wake(c);
	return 0;
}

int socket_callback(
	struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t size)
{
	struct connection *c = lws_get_opaque_user_data(wsi);

	(void)user;
	switch (reason) {
	case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
		return c && c->upgrade_granted ? 0 : -1;
	case LWS_CALLBACK_ESTABLISHED:
		return c ? on_established(web_of(wsi), wsi, c) : -1;
	case LWS_CALLBACK_RECEIVE:
		return c ? on_received(web_of(wsi), wsi, c, in, size) : -1;
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return c ? on_writable(web_of(wsi), wsi, c) : -1;
	case LWS_CALLBACK_CLOSED:
		if (c) {
			end_session(web_of(wsi), c);
		}
		return 0;
	default:
		return 0;
	}
}
