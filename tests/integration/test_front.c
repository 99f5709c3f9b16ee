/* What strangers may try at the door of the real hub: TLS, HTTP, upgrades, many connections,
 * silence. */
#include "raw.h"
#include "viewer.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

enum { ANSWER_BYTES = 64 << 10, STRANGERS_MAX = 32 };

static struct client_loop *loop;
static struct hub hub;
static struct viewer viewer;
static char answer[ANSWER_BYTES];
static int silent_tcp; /* connected at the start, never says a word */

static int connect_tcp(void)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(hub.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct timeval patience = {.tv_sec = 5};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* NULL when the hub does not want to talk TLS like this. */
static SSL *connect_tls(int newest, const char *alpn)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	assert_non_null(ctx);
	assert_int_equal(SSL_CTX_set_max_proto_version(ctx, newest), 1);
	SSL *ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	assert_non_null(ssl);
	if (alpn != NULL) {
		assert_int_equal(SSL_set_alpn_protos(ssl, (const unsigned char *)alpn,
					 (unsigned int)strlen(alpn)),
			0);
	}
	int fd = connect_tcp();
	assert_int_equal(SSL_set_fd(ssl, fd), 1);
	if (SSL_connect(ssl) != 1) {
		SSL_free(ssl);
		close(fd);
		return NULL;
	}
	return ssl;
}

static void close_tls(SSL *ssl)
{
	int fd = SSL_get_fd(ssl);
	SSL_free(ssl);
	close(fd);
}

/* Sends a request and reads until the hub closes, or says no more for a while, into answer. */
static void ask(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void ask(const char *format, ...)
{
	char request[16384];
	va_list list;
	va_start(list, format);
	int n = vsnprintf(request, sizeof(request), format, list);
	va_end(list);
	assert_true(n > 0 && (size_t)n < sizeof(request));
	SSL *ssl = connect_tls(TLS1_3_VERSION, NULL);
	assert_non_null(ssl);
	size_t used = 0, got;
	answer[0] = '\0';
	if (SSL_write(ssl, request, n) == n) {
		struct pollfd p = {.fd = SSL_get_fd(ssl), .events = POLLIN};
		while (used + 1 < sizeof(answer) &&
			(SSL_pending(ssl) > 0 || poll(&p, 1, used > 0 ? 200 : 3000) > 0) &&
			SSL_read_ex(ssl, answer + used, sizeof(answer) - 1 - used, &got) == 1) {
			used += got;
		}
		answer[used] = '\0';
	}
	close_tls(ssl);
}

static void assert_status(const char *status)
{
	char wanted[32];
	(void)snprintf(wanted, sizeof(wanted), "HTTP/1.1 %s", status);
	if (strncmp(answer, wanted, strlen(wanted)) != 0) {
		fail_msg("not %s but: %.60s", wanted, answer);
	}
}

static int set_up(void **state)
{
	(void)state;
	loop = client_loop_create();
	hub_init(&hub, loop);
	hub_start(&hub, (const char *[]){"--camera", "pattern:320x192@15", NULL});
	hub_name_camera(&hub, "320x192", "Door");
	silent_tcp = connect_tcp();
	viewer_pair(&viewer, &hub, "Door", "Viewer");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(silent_tcp);
	viewer_finish(&viewer);
	hub_end(&hub);
	hub_finish(&hub);
	client_loop_destroy(loop);
	return 0;
}

/* Whatever was tried, who was watching still watches. */
static int viewer_goes_on(void **state)
{
	(void)state;
	viewer_await(&viewer, "Door", 2);
	return viewer.closes == 0 ? 0 : -1;
}

static void only_tls_1_3_is_spoken(void **state)
{
	(void)state;
	assert_null(connect_tls(TLS1_2_VERSION, NULL));
	SSL *ssl = connect_tls(TLS1_3_VERSION, NULL);
	assert_non_null(ssl);
	close_tls(ssl);
}

static void http_2_is_not_spoken(void **state)
{
	(void)state;
	const unsigned char *chosen = NULL;
	unsigned int size = 0;
	SSL *ssl = connect_tls(TLS1_3_VERSION, "\x02h2\x08http/1.1");
	assert_non_null(ssl);
	SSL_get0_alpn_selected(ssl, &chosen, &size);
	assert_true(size == 0 || (size == 8 && memcmp(chosen, "http/1.1", 8) == 0));
	close_tls(ssl);
	ask("GET / HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: Upgrade, HTTP2-Settings\r\n"
	    "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
		hub.port);
	assert_null(strstr(answer, " 101 "));
}

static void the_page_comes_with_a_strict_policy(void **state)
{
	(void)state;
	ask("GET / HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n\r\n", hub.port);
	assert_status("200");
	assert_non_null(strcasestr(answer, "content-security-policy: default-src 'none'"));
	assert_non_null(strcasestr(answer, "x-content-type-options: nosniff"));
	assert_null(strcasestr(answer, "set-cookie"));
}

static void nothing_else_is_served(void **state)
{
	(void)state;
	static const char *const paths[] = {"/../etc/passwd", "/stream", "/?action=stream",
		"/snapshot", "/index.html/", "//", "/%2e%2e/x"};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		ask("GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n\r\n", paths[i],
			hub.port);
		if (strncmp(answer, "HTTP/1.1 200", 12) == 0 && strstr(answer, "<html") == NULL) {
			fail_msg("%s is served: %.80s", paths[i], answer);
		}
	}
	ask("POST / HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nContent-Length: 0\r\nConnection: "
	    "close\r\n\r\n",
		hub.port);
	assert_null(strstr(answer, " 200 "));
}

static void a_foreign_host_gets_no_page(void **state)
{
	(void)state;
	ask("GET / HTTP/1.1\r\nHost: evil.example:%u\r\nConnection: close\r\n\r\n", hub.port);
	assert_null(strstr(answer, " 200 "));
	ask("GET / HTTP/1.1\r\nHost: 127.0.0.1.evil.example:%u\r\nConnection: close\r\n\r\n",
		hub.port);
	assert_null(strstr(answer, " 200 "));
}

static void an_upgrade_to_anything_else_is_refused(void **state)
{
	(void)state;
	static const char *const upgrades[] = {"h2c", "raw", "mqtt", "websocket2", ""};
	for (size_t i = 0; i < sizeof(upgrades) / sizeof(upgrades[0]); i++) {
		ask("GET /socket HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nOrigin: https://127.0.0.1:%u\r\n"
		    "Connection: Upgrade\r\nUpgrade: %s\r\nSec-WebSocket-Version: 13\r\n"
		    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
		    "Sec-WebSocket-Protocol: camgate.v1\r\n\r\n",
			hub.port, hub.port, upgrades[i]);
		assert_null(strstr(answer, " 101 "));
	}
}

static void huge_headers_are_refused(void **state)
{
	(void)state;
	char padding[9001];
	memset(padding, 'x', sizeof(padding) - 1);
	padding[sizeof(padding) - 1] = '\0';
	ask("GET / HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nX-Long: %s\r\n\r\n", hub.port, padding);
	assert_null(strstr(answer, " 200 "));
}

static void plain_http_is_told_where_to_go_and_nothing_else(void **state)
{
	(void)state;
	char request[128], reply[1024] = "", wanted[64];
	int fd = connect_tcp();
	int n = snprintf(request, sizeof(request),
		"GET /secret HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n", hub.port);
	assert_int_equal(send(fd, request, (size_t)n, MSG_NOSIGNAL), n);
	size_t used = 0;
	for (ssize_t got = 1; got > 0 && used + 1 < sizeof(reply); used += (size_t)got) {
		got = recv(fd, reply + used, sizeof(reply) - 1 - used, 0);
		got = got < 0 ? 0 : got;
	}
	close(fd);
	(void)snprintf(wanted, sizeof(wanted), "https://127.0.0.1:%u/\r\n", hub.port);
	assert_non_null(strstr(reply, " 307 "));
	assert_non_null(strstr(reply, wanted));
	assert_null(strstr(reply, "secret"));
}

static void strangers_beyond_the_limit_are_turned_away(void **state)
{
	(void)state;
	static struct raw strangers[STRANGERS_MAX + 4];
	unsigned int closed = 0, challenged = 0;
	for (size_t i = 0; i < STRANGERS_MAX + 4; i++) {
		raw_connect(&strangers[i], &hub, NULL);
	}
	for (size_t i = 0; i < STRANGERS_MAX + 4; i++) {
		WAIT_FOR(loop, strangers[i].messages > 0 || strangers[i].closed, HUB_PATIENCE_MS);
		closed += strangers[i].closed;
		challenged += strangers[i].messages > 0;
	}
	assert_true(challenged <= STRANGERS_MAX);
	assert_true(closed >= 4);
	for (size_t i = 0; i < STRANGERS_MAX + 4; i++) {
		raw_finish(&strangers[i]);
	}
	/* And when they are gone there is room again. */
	struct raw r;
	for (r.closed = true; r.closed;) {
		raw_connect(&r, &hub, NULL);
		WAIT_FOR(loop, r.messages > 0 || r.closed, HUB_PATIENCE_MS);
		bool again = r.closed;
		raw_finish(&r);
		r.closed = again;
	}
}

/* Last, as it waits. */
static void a_connection_that_never_speaks_is_closed(void **state)
{
	(void)state;
	struct pollfd p = {.fd = silent_tcp, .events = POLLIN};
	WAIT_FOR(loop, poll(&p, 1, 0) > 0, 2 * HUB_PATIENCE_MS);
	char byte;
	assert_true(recv(silent_tcp, &byte, 1, 0) <= 0);
}

#define TEST(f) cmocka_unit_test_teardown(f, viewer_goes_on)

int main(void)
{
	if (secure_heap_init() < 0) {
		return 1;
	}
	const struct CMUnitTest tests[] = {
		TEST(only_tls_1_3_is_spoken),
		TEST(http_2_is_not_spoken),
		TEST(the_page_comes_with_a_strict_policy),
		TEST(nothing_else_is_served),
		TEST(a_foreign_host_gets_no_page),
		TEST(an_upgrade_to_anything_else_is_refused),
		TEST(huge_headers_are_refused),
		TEST(plain_http_is_told_where_to_go_and_nothing_else),
		TEST(strangers_beyond_the_limit_are_turned_away),
		TEST(a_connection_that_never_speaks_is_closed),
	};
	return cmocka_run_group_tests_name("front", tests, set_up, tear_down);
}
