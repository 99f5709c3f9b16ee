#include "client.h"
#include "clock.h"

#include <errno.h>
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	TICK_US = 100000,
	BACKOFF_FIRST_US = 100000,
	BACKOFF_LAST_US = 5000000,
	MESSAGE_MAX_BYTES = WIRE_CHUNK_HEADER_BYTES + WIRE_CHUNK_PIECE_MAX_BYTES,
	CLOSE_TEXT_BYTES = 160,
};

struct client_loop {
	struct lws_context *context;
	lws_sorted_usec_list_t wake;
};

struct client_message {
	struct client_message *next;
	bool text;
	size_t size;
	uint8_t bytes[]; /* LWS_PRE, then the message */
};

struct client {
	struct client_loop *loop;
	struct client_config config; /* its texts point to the copies below */
	char address[256], source[64], host[300], origin[320], protocol[64];
	struct display *display;
	struct lws *wsi;
	bool upgraded, doomed;
	lws_sorted_usec_list_t tick, retry;
	uint64_t backoff_us;
	struct client_message *first, **last;
	struct client_end end;
	char end_text[CLOSE_TEXT_BYTES];
	size_t filled;
	uint8_t message[MESSAGE_MAX_BYTES]; /* one that came in several reads */
};

uint64_t client_now_us(void)
{
	return clock_now_us();
}

static void client_drop_messages(struct client *c)
{
	while (c->first != NULL) {
		struct client_message *m = c->first;
		c->first = m->next;
		free(m);
	}
	c->last = &c->first;
}

/* A hub that went away without a word, as by a change of its address: asked, and given up. */
static const lws_retry_bo_t silence = {.secs_since_valid_ping = 5, .secs_since_valid_hangup = 12};
static void client_connect(struct client *c)
{
	c->upgraded = false;
	c->doomed = false;
	c->filled = 0;
	c->end = (struct client_end){0};
	c->end_text[0] = '\0';
	if (c->display != NULL) {
		display_restart(c->display);
	}
	const struct lws_client_connect_info info = {
		.context = c->loop->context,
		.address = c->address,
		.port = c->config.port,
		.iface = c->source[0] != '\0' ? c->source : NULL,
		.ssl_connection = LCCSCF_USE_SSL | LCCSCF_ALLOW_SELFSIGNED |
				  LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK | LCCSCF_ALLOW_EXPIRED |
				  LCCSCF_ALLOW_INSECURE,
		.path = "/socket",
		.host = c->host,
		.origin = c->origin[0] != '\0' ? c->origin : NULL,
		.protocol = c->protocol[0] != '\0' ? c->protocol : NULL,
		.local_protocol_name = "camgate.v1",
		.alpn = "http/1.1",
		.userdata = c,
		.pwsi = &c->wsi,
		.retry_and_idle_policy = &silence,
	};
	(void)lws_client_connect_via_info(&info); /* a failure comes as a callback as well */
}

/* ---- timers ---- */

static void on_retry(lws_sorted_usec_list_t *sul)
{
	client_connect(lws_container_of(sul, struct client, retry));
}

static void on_tick(lws_sorted_usec_list_t *sul)
{
	struct client *c = lws_container_of(sul, struct client, tick);
	lws_sul_schedule(c->loop->context, 0, &c->tick, on_tick, TICK_US);
	if (c->display != NULL && c->upgraded) {
		display_tick(c->display, client_now_us());
	}
}

static void on_wake(lws_sorted_usec_list_t *sul)
{
	(void)sul; /* it is enough that the wait ended */
}

/* ---- one connection ---- */

static int on_established(struct client *c)
{
	c->upgraded = true;
	lws_sul_schedule(c->loop->context, 0, &c->tick, on_tick, TICK_US);
	if (c->config.opened != NULL) {
		c->config.opened(c->config.user);
	}
	return c->doomed ? -1 : 0;
}

static int client_take_message(struct client *c, uint8_t *message, size_t size)
{
	if (c->config.received != NULL && !c->config.received(c->config.user, message, size)) {
		return c->doomed ? -1 : 0;
	}
	if (c->display != NULL) {
		c->end.problem = display_feed(c->display, message, size, client_now_us());
		if (display_welcomed(c->display)) {
			c->backoff_us = BACKOFF_FIRST_US;
		}
	}
	return c->doomed || c->end.problem < 0 ? -1 : 0;
}

static int on_receive(struct client *c, uint8_t *data, size_t size)
{
	bool whole = lws_is_final_fragment(c->wsi) && lws_remaining_packet_payload(c->wsi) == 0;
	if (c->filled == 0 && whole) {
		return client_take_message(c, data, size);
	}
	if (size > sizeof(c->message) - c->filled) {
		c->end.problem = -EBADMSG;
		return -1;
	}
	memcpy(c->message + c->filled, data, size);
	c->filled += size;
	if (!whole) {
		return 0;
	}
	size = c->filled;
	c->filled = 0;
	return client_take_message(c, c->message, size);
}

static int on_writeable(struct client *c)
{
	while (c->first != NULL && !lws_send_pipe_choked(c->wsi)) {
		struct client_message *m = c->first;
		c->first = m->next;
		c->last = c->first == NULL ? &c->first : c->last;
		int n = lws_write(c->wsi, m->bytes + LWS_PRE, m->size,
			m->text ? LWS_WRITE_TEXT : LWS_WRITE_BINARY);
		free(m);
		if (n < 0) {
			return -1;
		}
	}
	if (c->first != NULL) {
		lws_callback_on_writable(c->wsi);
	}
	return c->doomed ? -1 : 0;
}

static void on_peer_close(struct client *c, const uint8_t *in, size_t size)
{
	c->end.code = size >= 2 ? (uint16_t)((unsigned int)in[0] << 8 | in[1]) : 1005;
}

static void on_end(struct client *c, const char *text)
{
	(void)snprintf(c->end_text, sizeof(c->end_text), "%s", text != NULL ? text : "closed");
	c->end.upgraded = c->upgraded;
	c->end.text = c->end_text;
	c->end.again = c->config.reconnect;
	c->wsi = NULL;
	c->upgraded = false;
	lws_sul_cancel(&c->tick);
	client_drop_messages(c);
	if (c->display != NULL) {
		display_restart(c->display);
	}
	if (c->config.reconnect) {
		lws_sul_schedule(
			c->loop->context, 0, &c->retry, on_retry, (lws_usec_t)c->backoff_us);
		c->backoff_us =
			c->backoff_us * 2 > BACKOFF_LAST_US ? BACKOFF_LAST_US : c->backoff_us * 2;
	}
	if (c->config.closed != NULL) {
		c->config.closed(c->config.user, &c->end);
	}
}

static int client_callback(
	struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t size)
{
	/* Not user: when a certificate is verified that is OpenSSL's object. */
	struct client *c = wsi != NULL ? lws_wsi_user(wsi) : NULL;
	(void)user;
	if (c == NULL || c->wsi == NULL) {
		return 0;
	}
	switch (reason) {
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
		c->wsi = wsi;
		return on_established(c);
	case LWS_CALLBACK_CLIENT_RECEIVE:
		return on_receive(c, in, size);
	case LWS_CALLBACK_CLIENT_WRITEABLE:
		return on_writeable(c);
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		on_peer_close(c, in, size);
		return 0;
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
		on_end(c, in);
		return 0;
	case LWS_CALLBACK_CLIENT_CLOSED:
		on_end(c, NULL);
		return 0;
	case LWS_CALLBACK_WSI_DESTROY:
		/* Closed before it was a websocket: there is no other word of it. */
		if (wsi == c->wsi) {
			on_end(c, NULL);
		}
		return 0;
	default:
		return 0;
	}
}

/* ---- from outside ---- */

static int client_queue(struct client *c, const uint8_t *message, size_t size, bool text)
{
	if (c->wsi == NULL || !c->upgraded) {
		return -ENOTCONN;
	}
	struct client_message *m = malloc(sizeof(*m) + LWS_PRE + size);
	if (m == NULL) {
		return -ENOMEM;
	}
	m->next = NULL;
	m->text = text;
	m->size = size;
	memcpy(m->bytes + LWS_PRE, message, size);
	*c->last = m;
	c->last = &m->next;
	lws_callback_on_writable(c->wsi);
	return 0;
}

int client_send(struct client *c, const uint8_t *message, size_t size)
{
	return client_queue(c, message, size, false);
}

int client_send_text(struct client *c, const char *text)
{
	return client_queue(c, (const uint8_t *)text, strlen(text), true);
}

static void on_display_send(void *sender, const uint8_t *message, size_t size)
{
	/* Out of memory: a display that cannot answer is of no use. */
	if (client_queue(sender, message, size, false) == -ENOMEM) {
		client_close(sender);
	}
}

void client_close(struct client *c)
{
	c->doomed = true;
	if (c->wsi != NULL) {
		lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
	}
}

void client_pause(struct client *c, bool paused)
{
	if (c->wsi != NULL) {
		lws_rx_flow_control(c->wsi, paused ? 0 : 1);
	}
}

struct display *client_display(struct client *c)
{
	return c->display;
}

static bool client_take_texts(struct client *c, const struct client_config *config)
{
	bool numeric6 = strchr(config->address, ':') != NULL;
	int a = snprintf(c->address, sizeof(c->address), "%s", config->address);
	int s = snprintf(
		c->source, sizeof(c->source), "%s", config->source != NULL ? config->source : "");
	int h = config->host != NULL
			? snprintf(c->host, sizeof(c->host), "%s", config->host)
			: snprintf(c->host, sizeof(c->host), numeric6 ? "[%s]:%u" : "%s:%u",
				  config->address, config->port);
	int o = config->origin != NULL
			? snprintf(c->origin, sizeof(c->origin), "%s", config->origin)
			: snprintf(c->origin, sizeof(c->origin), "https://%s", c->host);
	int p = snprintf(c->protocol, sizeof(c->protocol), "%s",
		config->protocol != NULL ? config->protocol : "camgate.v1");
	return a > 0 && (size_t)a < sizeof(c->address) && s >= 0 && (size_t)s < sizeof(c->source) &&
	       h > 0 && (size_t)h < sizeof(c->host) && o >= 0 && (size_t)o < sizeof(c->origin) &&
	       p >= 0 && (size_t)p < sizeof(c->protocol);
}

struct client *client_create(struct client_loop *l, const struct client_config *config)
{
	struct client *c = calloc(1, sizeof(*c));
	if (c == NULL) {
		return NULL;
	}
	c->loop = l;
	c->config = *config;
	c->backoff_us = BACKOFF_FIRST_US;
	c->last = &c->first;
	if (!client_take_texts(c, config)) {
		free(c);
		return NULL;
	}
	if (config->display != NULL) {
		struct display_config d = *config->display;
		d.origin = c->origin;
		d.send = on_display_send;
		d.sender = c;
		c->display = display_create(&d);
		if (c->display == NULL) {
			free(c);
			return NULL;
		}
	}
	c->config.display = NULL;
	lws_sul_schedule(l->context, 0, &c->retry, on_retry, 1);
	return c;
}

void client_destroy(struct client *c)
{
	if (c == NULL) {
		return;
	}
	lws_sul_cancel(&c->retry);
	lws_sul_cancel(&c->tick);
	if (c->wsi != NULL) {
		/* Its last callbacks must not find us any more. */
		struct lws *wsi = c->wsi;
		c->wsi = NULL;
		lws_set_wsi_user(wsi, NULL);
		lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
	}
	client_drop_messages(c);
	display_destroy(c->display);
	free(c);
}

struct client_loop *client_loop_create(void)
{
	static const struct lws_protocols protocols[] = {
		{.name = "camgate.v1", .callback = client_callback, .rx_buffer_size = 1 << 15},
		{0},
	};
	struct client_loop *l = calloc(1, sizeof(*l));
	if (l == NULL) {
		return NULL;
	}
	lws_set_log_level(0, NULL);
	const struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN,
		.protocols = protocols,
		.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
			   LWS_SERVER_OPTION_JUST_USE_RAW_ORIGIN |
			   LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS,
		.pt_serv_buf_size = 1 << 15,
	};
	l->context = lws_create_context(&info);
	if (l->context == NULL) {
		free(l);
		return NULL;
	}
	return l;
}

void client_loop_destroy(struct client_loop *l)
{
	if (l != NULL) {
		lws_sul_cancel(&l->wake);
		lws_context_destroy(l->context);
		free(l);
	}
}

int client_loop_run(struct client_loop *l, unsigned int timeout_ms)
{
	lws_sul_schedule(l->context, 0, &l->wake, on_wake, (lws_usec_t)timeout_ms * 1000 + 1);
	return lws_service(l->context, 0) < 0 ? -EIO : 0;
}
