#include "link.h"
#include "orders.h"
#include "web.h"
#include "gateway/log.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MESSAGE_BYTES = 2048, MESSAGES_PER_TURN = 64 };

struct link_waiting {
	struct link_waiting *next;
	size_t size;
	uint8_t data[];
};

int link_init(struct link *l, struct web *web, const char *socket_dir)
{
	int fd = ipc_connect(socket_dir, "web");

	l->web = web;
	l->fd = fd;
	return fd < 0 ? fd : 0;
}

static void drop_first(struct link *l)
{
	struct link_waiting *w = l->first;

	l->first = w->next;
	if (!l->first) {
		l->last = NULL;
	}
	l->waiting_bytes -= w->size;
	free(w);
}

void link_finish(struct link *l)
{
	while (l->first) {
		drop_first(l);
	}
	if (!l->wsi && l->fd >= 0) {
		(void)close(l->fd);
		l->fd = -1;
	}
	l->gone = true;
	explicit_bzero(l->buffer, sizeof l->buffer);
}

static void broken(struct link *l, int error)
{
	if (l->gone) {
		return;
	}
	l->gone = true;
	log_error("the keeper is gone (%s): ending all sessions", strerror(-error));
	web_fail(l->web);
}

static int keep_waiting(struct link *l, const uint8_t *data, size_t size)
{
	struct link_waiting *w;

	if (l->waiting_bytes + size > LINK_BEHIND_MAX_BYTES) {
		return -EAGAIN;
	}
	w = malloc(sizeof *w + size);
	if (!w) {
		return -ENOMEM;
	}
	*w = (struct link_waiting){.size = size};
	memcpy(w->data, data, size);
	if (l->last) {
		l->last->next = w;
	} else {
		l->first = w;
	}
	l->last = w;
	l->waiting_bytes += size;
	if (l->wsi) {
		lws_callback_on_writable(l->wsi);
	}
	return 0;
}

/* size: what an encoder returned, possibly an error. */
static void send_message(struct link *l, const uint8_t *data, ssize_t size)
{
	int r = size < 0 ? (int)size : 0;

	if (l->gone) {
		return;
	}
	if (r == 0) {
		r = l->first ? -EAGAIN : ipc_send(l->fd, data, (size_t)size, NULL, 0);
	}
	if (r == -EAGAIN) {
		r = keep_waiting(l, data, (size_t)size);
	}
	if (r < 0) {
		broken(l, r);
	}
}

static void flush(struct link *l)
{
	while (l->first) {
		int r = ipc_send(l->fd, l->first->data, l->first->size, NULL, 0);

		if (r == -EAGAIN) {
			lws_callback_on_writable(l->wsi);
			return;
		}
		if (r < 0) {
			broken(l, r);
			return;
		}
		drop_first(l);
	}
}

void link_send_hello(struct link *l, const struct ipc_web_hello *m)
{
	uint8_t out[MESSAGE_BYTES];

	send_message(l, out, ipc_encode_web_hello(m, out, sizeof out));
}

void link_send_sandbox(struct link *l, const struct ipc_sandbox *m)
{
	uint8_t out[MESSAGE_BYTES];

	send_message(l, out, ipc_encode_sandbox(m, out, sizeof out));
}

void link_send_opened(struct link *l, const struct ipc_opened *m)
{
	uint8_t out[MESSAGE_BYTES];

	send_message(l, out, ipc_encode_opened(m, out, sizeof out));
}

void link_send_heard(struct link *l, uint64_t connection, const uint8_t *bytes, size_t size)
{
	struct ipc_relay m = {.connection = connection, .bytes = bytes, .size = size};
	uint8_t out[MESSAGE_BYTES];

	send_message(l, out, ipc_encode_relay(IPC_HEARD, &m, out, sizeof out));
}

void link_send_counts(struct link *l, const struct ipc_counts *m)
{
	uint8_t out[MESSAGE_BYTES];

	send_message(l, out, ipc_encode_counts(m, out, sizeof out));
}

void link_send_refusals(struct link *l, const struct ipc_refusals *m)
{
	uint8_t out[MESSAGE_BYTES];

	send_message(l, out, ipc_encode_refusals(m, out, sizeof out));
}

void link_send_taken(struct link *l, uint64_t connection, uint16_t stream)
{
	struct ipc_stream m = {.connection = connection, .stream = stream};
	uint8_t out[MESSAGE_BYTES];

	send_message(l, out, ipc_encode_stream(IPC_TAKEN, &m, out, sizeof out));
}

void link_send_connection(struct link *l, uint8_t type, uint64_t connection)
{
	struct ipc_connection m = {.connection = connection};
	uint8_t out[MESSAGE_BYTES];

	send_message(l, out, ipc_encode_connection(type, &m, out, sizeof out));
}

/* ---- receiving ---- */

/* Receives one message and carries it out. 0, -EAGAIN, or -errno for a link that is broken. */
static int receive(struct link *l)
{
	struct ipc_message m;
	int r = ipc_receive(l->fd, l->buffer, sizeof l->buffer, &m);

	if (r < 0) {
		return r;
	}
	r = orders_carry_out(l->web, &m);
	if (m.type == IPC_WEB_CONFIG) {
		explicit_bzero(l->buffer, sizeof l->buffer); /* it held the TLS key */
	}
	ipc_message_finish(&m);
	return r;
}

int link_wait_for_config(struct link *l, int timeout_ms)
{
	struct pollfd p = {.fd = l->fd, .events = POLLIN};
	int r;

	do {
		r = poll(&p, 1, timeout_ms);
		if (r < 0 && errno != EINTR) {
			return -errno;
		}
		if (r == 0) {
			return -ETIMEDOUT;
		}
		r = r < 0 ? -EAGAIN : receive(l);
	} while (r == -EAGAIN);
	if (r < 0) {
		return r;
	}
	return l->web->configured ? 0 : -EBADMSG;
}

int link_adopt(struct link *l)
{
	l->wsi = web_adopt(l->web, l->fd, WEB_PROTOCOL_LINK);
	if (l->wsi && l->first) {
		lws_callback_on_writable(l->wsi);
	}
	return l->wsi ? 0 : -ENOMEM;
}

static int on_readable(struct link *l)
{
	for (int i = 0; i < MESSAGES_PER_TURN; i++) {
		int r = receive(l);

		if (r == -EAGAIN) {
			return 0;
		}
		if (r < 0) {
			broken(l, r);
			return -1;
		}
	}
	return 0;
}

int link_callback(
	struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t size)
{
	struct link *l = &web_of(wsi)->link;

	(void)user;
	(void)in;
	(void)size;
	switch (reason) {
	case LWS_CALLBACK_RAW_RX_FILE:
		return !l->gone ? on_readable(l) : -1;
	case LWS_CALLBACK_RAW_WRITEABLE_FILE:
		if (!l->gone) {
			flush(l);
		}
		return 0;
	case LWS_CALLBACK_RAW_CLOSE_FILE:
		l->wsi = NULL;
		broken(l, -ECONNRESET);
		return 0;
	default:
		return 0;
	}
}
