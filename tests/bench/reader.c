#include "reader.h"
#include "clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	READERS_MAX = 256,
	TICK_US = 100000,
	OPCODE_BINARY = 0x82,
	OPCODE_CLOSE = 0x88,
	OPCODE_PING = 0x89,
	OPCODE_PONG = 0x8a,
	MASKED = 0x80,
	LENGTH_16 = 126,
	LENGTH_64 = 127,
};

static bool write_all(struct reader *r, const uint8_t *data, size_t size)
{
	while (size > 0) {
		size_t written;
		if (SSL_write_ex(r->ssl, data, size, &written) == 1) {
			data += written;
			size -= written;
			continue;
		}
		struct pollfd p = {.fd = r->fd, .events = POLLOUT};
		if (SSL_get_error(r->ssl, 0) != SSL_ERROR_WANT_WRITE || poll(&p, 1, 1000) <= 0) {
			return false;
		}
	}
	return true;
}

/* Client frames are masked; a mask of zero leaves the bytes as they are (RFC 6455, section 5.3). */
static void send_frame(struct reader *r, uint8_t opcode, const uint8_t *data, size_t size)
{
	uint8_t frame[8 + WIRE_DISPLAY_MESSAGE_MAX_BYTES];
	size_t header = 2;
	frame[0] = opcode;
	if (size < LENGTH_16) {
		frame[1] = (uint8_t)(MASKED | size);
	} else {
		frame[1] = MASKED | LENGTH_16;
		frame[2] = (uint8_t)(size >> 8);
		frame[3] = (uint8_t)size;
		header = 4;
	}
	memset(frame + header, 0, 4);
	memcpy(frame + header + 4, data, size);
	r->over = r->over || !write_all(r, frame, header + 4 + size);
}

static void on_send(void *sender, const uint8_t *message, size_t size)
{
	send_frame(sender, OPCODE_BINARY, message, size);
}

static void on_camera(void *user, const struct wire_camera *camera)
{
	struct reader *r = user;
	if (camera->state == CAMERA_READY) {
		(void)display_watch(r->display, camera->id, clock_now_us());
	}
}

static bool on_picture(void *user, const struct display_picture *p)
{
	(void)user;
	(void)p;
	return true;
}

/* ---- receiving ---- */

/* True if this was a piece of a frame that the display shall not see. */
static bool take_chunk(struct reader *r, const uint8_t *message, size_t size)
{
	struct wire_chunk chunk;
	struct wire_frame_header header;
	const uint8_t *piece;
	size_t piece_size;
	if (wire_parse_chunk(message, size, &chunk, &piece, &piece_size) < 0) {
		return !r->opens && size > 0 && message[0] == WIRE_ABORT;
	}
	if (chunk.offset == 0 && wire_parse_frame_header(piece, piece_size, &header) == 0) {
		r->capture_us = header.capture_us;
	}
	if (chunk.offset + piece_size < chunk.total) {
		return !r->opens;
	}
	r->frames++;
	if (r->received != NULL) {
		r->received(r, chunk.total, clock_now_us());
	}
	if (r->opens) {
		return false;
	}
	const struct wire_ack ack = {
		.outcome = OUTCOME_DRAWN, .stream = chunk.stream, .frame = chunk.frame};
	uint8_t answer[16];
	send_frame(r, OPCODE_BINARY, answer, (size_t)wire_encode_ack(&ack, answer, sizeof(answer)));
	return true;
}

static void take_frame(struct reader *r, uint8_t opcode, const uint8_t *data, size_t size)
{
	if (opcode == OPCODE_PING && size < LENGTH_16) {
		send_frame(r, OPCODE_PONG, data, size);
	} else if (opcode != OPCODE_BINARY) {
		r->over = r->over || opcode == OPCODE_CLOSE;
	} else if (!take_chunk(r, data, size) &&
		   display_feed(r->display, data, size, clock_now_us()) < 0) {
		r->over = true;
	}
}

/* Takes whole websocket frames out of the buffer. The hub's are unmasked and never in parts. */
static void take_buffer(struct reader *r)
{
	size_t at = 0;
	while (r->filled - at >= 4) {
		const uint8_t *f = r->buffer + at;
		size_t header = f[1] == LENGTH_16 ? 4 : 2;
		size_t size = f[1] == LENGTH_16 ? (size_t)(f[2] << 8 | f[3]) : f[1];
		if (f[1] >= LENGTH_64) {
			r->over = true; /* longer than any message of ours */
			return;
		}
		if (r->filled - at < header + size) {
			break;
		}
		take_frame(r, f[0], f + header, size);
		at += header + size;
	}
	r->filled -= at;
	memmove(r->buffer, r->buffer + at, r->filled);
}

static void read_all(struct reader *r)
{
	size_t n;
	while (!r->over && SSL_read_ex(r->ssl, r->buffer + r->filled, sizeof(r->buffer) - r->filled,
				   &n) == 1) {
		r->filled += n;
		take_buffer(r);
	}
	r->over = r->over || SSL_get_error(r->ssl, 0) != SSL_ERROR_WANT_READ;
}

void reader_run(struct reader *readers, size_t count, uint64_t until_us)
{
	struct pollfd fds[READERS_MAX];
	uint64_t tick_us = 0;
	for (size_t i = 0; i < count && i < READERS_MAX; i++) {
		fds[i] = (struct pollfd){.fd = readers[i].fd, .events = POLLIN};
	}
	for (uint64_t now_us = clock_now_us(); now_us < until_us; now_us = clock_now_us()) {
		if (now_us - tick_us >= TICK_US) {
			tick_us = now_us;
			for (size_t i = 0; i < count; i++) {
				display_tick(readers[i].display, now_us);
			}
		}
		if (poll(fds, count, TICK_US / 1000) <= 0) {
			continue;
		}
		for (size_t i = 0; i < count; i++) {
			if (fds[i].revents != 0) {
				read_all(&readers[i]);
				fds[i].fd = readers[i].over ? -1 : fds[i].fd;
			}
		}
	}
}

/* ---- connecting ---- */

static SSL_CTX *client_context(void)
{
	static SSL_CTX *ctx;
	if (ctx == NULL) {
		ctx = SSL_CTX_new(TLS_client_method());
		SSL_CTX_set_mode(
			ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	}
	return ctx;
}

static int connect_tls(struct reader *r, uint16_t port)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int on = 1;
	r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (r->fd < 0 || connect(r->fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
		setsockopt(r->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0) {
		return -errno;
	}
	r->ssl = SSL_new(client_context());
	if (r->ssl == NULL || SSL_set_fd(r->ssl, r->fd) != 1 || SSL_connect(r->ssl) != 1) {
		return -EPROTO;
	}
	return 0;
}

static int upgrade(struct reader *r, uint16_t port, const char *origin)
{
	char request[512];
	size_t n;
	int size = snprintf(request, sizeof(request),
		"GET /socket HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Key: Y2FtZ2F0ZSBiZW5jaCBrZQ==\r\n"
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: camgate.v1\r\n"
		"Origin: %s\r\n\r\n",
		port, origin);
	if (!write_all(r, (const uint8_t *)request, (size_t)size)) {
		return -EPIPE;
	}
	uint8_t *end = NULL;
	while (end == NULL) {
		if (SSL_read_ex(r->ssl, r->buffer + r->filled, sizeof(r->buffer) - r->filled, &n) !=
			1) {
			return -EPROTO;
		}
		r->filled += n;
		end = memmem(r->buffer, r->filled, "\r\n\r\n", 4);
	}
	if (r->filled < 12 || memcmp(r->buffer, "HTTP/1.1 101", 12) != 0) {
		return -EPROTO;
	}
	size_t used = (size_t)(end + 4 - r->buffer);
	r->filled -= used;
	memmove(r->buffer, r->buffer + used, r->filled);
	return fcntl(r->fd, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

int reader_init(
	struct reader *r, uint16_t port, const struct wire_link *link, const char *name, bool opens)
{
	char origin[64];
	*r = (struct reader){.fd = -1, .opens = opens};
	(void)snprintf(origin, sizeof(origin), "https://127.0.0.1:%u", port);
	int result = display_keys_generate(&r->keys);
	if (result < 0) {
		return result;
	}
	const struct display_config config = {.keys = &r->keys,
		.origin = origin,
		.link = link,
		.name = name,
		.send = on_send,
		.sender = r,
		.callbacks = {.camera = on_camera, .picture = on_picture},
		.user = r};
	r->display = display_create(&config);
	result = r->display == NULL ? -ENOMEM : connect_tls(r, port);
	if (result == 0) {
		result = upgrade(r, port, origin);
	}
	uint64_t deadline_us = clock_now_us() + 5000000;
	take_buffer(r);
	while (result == 0 && !display_welcomed(r->display)) {
		reader_run(r, 1, clock_now_us() + 5000);
		result = r->over || clock_now_us() > deadline_us ? -ETIMEDOUT : 0;
	}
	return result;
}

void reader_finish(struct reader *r)
{
	SSL_free(r->ssl);
	if (r->fd >= 0) {
		close(r->fd);
	}
	display_destroy(r->display);
	display_keys_finish(&r->keys);
}
