/* Websocket frames that RFC 6455 does not allow, and requests that never end, on bare TLS. The hub
 * ends the connection, says nothing else, and goes on for everybody else. */
#include "viewer.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	HEARD_BYTES = 4096,
	LOGIN_DEADLINE_US = 10000000,
	REQUEST_DEADLINE_US = 20000000,
	SLOW_US = 30000000
};

static struct client_loop *loop;
static struct hub hub;
static struct viewer viewer;

/* ---- bare TLS ---- */

struct bare {
	SSL *ssl;
	int fd;
	size_t heard;
	uint8_t bytes[HEARD_BYTES];
};

static void bare_open(struct bare *b)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(hub.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct timeval patience = {.tv_sec = 8};
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	assert_non_null(ctx);
	b->heard = 0;
	b->ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	b->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
		setsockopt(b->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(setsockopt(b->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)), 0);
	assert_int_equal(connect(b->fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(SSL_set_fd(b->ssl, b->fd), 1);
	assert_int_equal(SSL_connect(b->ssl), 1);
}

static void bare_close(struct bare *b)
{
	SSL_free(b->ssl);
	close(b->fd);
	*b = (struct bare){.fd = -1};
}

static void bare_send(struct bare *b, const void *bytes, size_t size)
{
	assert_int_equal(SSL_write(b->ssl, bytes, (int)size), (int)size);
}

/* Reads what comes next. False when the connection is over. */
static bool bare_hear(struct bare *b)
{
	size_t n;
	if (b->heard == sizeof(b->bytes) ||
		SSL_read_ex(b->ssl, b->bytes + b->heard, sizeof(b->bytes) - b->heard, &n) != 1) {
		return false;
	}
	b->heard += n;
	return true;
}

/* A websocket with the challenge already taken. */
static void bare_upgrade(struct bare *b)
{
	char request[512];
	const uint8_t *end = NULL;
	int n = snprintf(request, sizeof(request),
		"GET /socket HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: camgate.v1\r\n"
		"Origin: https://127.0.0.1:%u\r\n\r\n",
		hub.port, hub.port);
	bare_open(b);
	bare_send(b, request, (size_t)n);
	while (end == NULL || (size_t)(b->bytes + b->heard - end) < 4 + 2 + WIRE_CHALLENGE_BYTES) {
		assert_true(bare_hear(b));
		end = memmem(b->bytes, b->heard, "\r\n\r\n", 4);
	}
	assert_memory_equal(b->bytes, "HTTP/1.1 101", 12);
	b->heard = 0;
}

static bool is_over(struct bare *b)
{
	struct pollfd p = {.fd = b->fd, .events = POLLIN};
	if (poll(&p, 1, 0) <= 0) {
		return false;
	}
	return !bare_hear(b) && SSL_get_error(b->ssl, 0) != SSL_ERROR_WANT_READ;
}

/* Nothing comes but a close frame, or the end. */
static void assert_ended(struct bare *b, const char *what)
{
	while (b->heard == 0 && bare_hear(b)) {
	}
	if (b->heard == 0 && SSL_get_error(b->ssl, 0) == SSL_ERROR_WANT_READ) {
		fail_msg("%s: the connection is still there", what);
	}
	if (b->heard > 0 && (b->bytes[0] != 0x88 || b->heard > 127)) {
		fail_msg("%s: answered with %02x and %zu bytes", what, b->bytes[0], b->heard);
	}
	bare_close(b);
}

/* ---- fixtures ---- */

static int set_up(void **state)
{
	(void)state;
	loop = client_loop_create();
	hub_init(&hub, loop);
	hub_start(&hub, (const char *[]){"--camera", "pattern:128x128@10", NULL});
	hub_name_camera(&hub, "128x128", "Door");
	viewer_pair(&viewer, &hub, "Door", "Viewer");
	viewer_await(&viewer, "Door", 2);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	viewer_finish(&viewer);
	hub_end(&hub);
	hub_finish(&hub);
	client_loop_destroy(loop);
	return 0;
}

static int viewer_goes_on(void **state)
{
	(void)state;
	viewer_await(&viewer, "Door", 2);
	assert_int_equal(viewer.closes, 0);
	return 0;
}

/* ---- frames ---- */

#define MASK 0x11, 0x22, 0x33, 0x44

struct bad_frame {
	const char *what;
	uint8_t bytes[20];
	size_t size;
};

static void a_frame_that_is_none_ends_the_connection(void **state)
{
	(void)state;
	static const struct bad_frame frames[] = {
		{"opcode 3", {0x83, 0x81, MASK, 1}, 7},
		{"opcode 7", {0x87, 0x81, MASK, 1}, 7},
		{"opcode 11", {0x8b, 0x81, MASK, 1}, 7},
		{"opcode 15", {0x8f, 0x81, MASK, 1}, 7},
		{"RSV1", {0xc2, 0x81, MASK, 1}, 7},
		{"RSV2", {0xa2, 0x81, MASK, 1}, 7},
		{"RSV3", {0x92, 0x81, MASK, 1}, 7},
		{"no mask", {0x82, 0x01, 1}, 3},
		{"ping in parts", {0x09, 0x81, MASK, 1}, 7},
		{"close in parts", {0x08, 0x82, MASK, 3, 0xe8}, 8},
		{"ping with a length of 126", {0x89, 0xfe, 0x00, 0x7e, MASK}, 8},
		{"more of what never began", {0x80, 0x81, MASK, 1}, 7},
		{"a length of 2^63", {0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, MASK, 1}, 15},
		{"a length of 2^63 - 1",
			{0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, MASK, 1}, 15},
		{"a length of 2^32", {0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, MASK, 1}, 15},
	};
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		struct bare b;
		bare_upgrade(&b);
		bare_send(&b, frames[i].bytes, frames[i].size);
		assert_ended(&b, frames[i].what);
	}
}

static void a_message_in_endless_parts_is_refused_when_it_is_too_long(void **state)
{
	(void)state;
	uint8_t part[2 + 4 + 100] = {0x02, 0x80 | 100, MASK};
	struct bare b;
	bare_upgrade(&b);
	for (int i = 0; i < WIRE_DISPLAY_MESSAGE_MAX_BYTES / 100 + 1; i++) {
		if (SSL_write(b.ssl, part, sizeof(part)) <= 0) {
			break;
		}
		part[0] = 0x00; /* goes on */
	}
	assert_ended(&b, "a message in parts");
}

static void a_thousand_pings_before_login_bring_nothing_but_answers(void **state)
{
	(void)state;
	const uint8_t ping[] = {0x89, 0x80, MASK};
	struct bare b;
	bare_upgrade(&b);
	for (int i = 0; i < 1000; i++) {
		if (SSL_write(b.ssl, ping, sizeof(ping)) <= 0) {
			break;
		}
	}
	/* It did not log in, and is not waited for longer because of them. */
	uint64_t from_us = client_now_us();
	for (bool over = false; !over; b.heard = 0) {
		assert_true(hub_wait_step(loop, from_us + LOGIN_DEADLINE_US + SLOW_US));
		over = is_over(&b);
		/* Pongs, pings of its own, a close. */
		if (b.heard > 0 && (b.bytes[0] < 0x88 || b.bytes[0] > 0x8a)) {
			fail_msg("answered with %02x %02x and %zu bytes", b.bytes[0], b.bytes[1],
				b.heard);
		}
		if (b.heard > 0 && b.bytes[0] == 0x88) {
			break;
		}
	}
	bare_close(&b);
}

/* ---- requests that never end ---- */

static void silence_and_slow_headers_are_not_waited_for(void **state)
{
	(void)state;
	static const char header[] = "X-Slow: ";
	struct bare silent, slow;
	bool silent_over = false, slow_over = false;
	uint64_t from_us = client_now_us(), next_us = from_us;
	char request[64];
	bare_open(&silent);
	bare_open(&slow);
	int n = snprintf(
		request, sizeof(request), "GET / HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n", hub.port);
	bare_send(&slow, request, (size_t)n);
	for (size_t i = 0; !silent_over || !slow_over; i++) {
		/* A byte of a header, each half second. */
		if (!slow_over && client_now_us() >= next_us) {
			next_us += 500000;
			slow_over = SSL_write(slow.ssl, &header[i % (sizeof(header) - 1)], 1) <= 0;
		}
		slow_over = slow_over || is_over(&slow);
		silent_over = silent_over || is_over(&silent);
		assert_true(hub_wait_step(loop, from_us + REQUEST_DEADLINE_US + SLOW_US));
	}
	assert_int_equal(slow.heard + silent.heard, 0);
	bare_close(&silent);
	bare_close(&slow);
}

#define TEST(f) cmocka_unit_test_teardown(f, viewer_goes_on)

int main(void)
{
	if (secure_heap_init() < 0) {
		return 1;
	}
	const struct CMUnitTest tests[] = {
		TEST(a_frame_that_is_none_ends_the_connection),
		TEST(a_message_in_endless_parts_is_refused_when_it_is_too_long),
		TEST(a_thousand_pings_before_login_bring_nothing_but_answers),
		TEST(silence_and_slow_headers_are_not_waited_for),
	};
	return cmocka_run_group_tests_name("frames", tests, set_up, tear_down);
}
